package inqaws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// The tests of package worker that a service can make different, over the SDK.

var (
	quiet  = worker.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	errBad = errors.New("bad")
)

func minute(int) time.Duration { return time.Minute }

// runner starts a runner, and returns what stops it.
func runner(t *testing.T, q inq.Queue, h worker.HandlerFunc, opts ...worker.Option) (*worker.Runner, func(want error)) {
	t.Helper()
	r, err := worker.New(q, h, append([]worker.Option{quiet, worker.WithBackoff(minute)}, opts...)...)
	require.NoError(t, err)
	return r, start(t, r)
}

func start(t *testing.T, r *worker.Runner) func(want error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	var err error
	go func() {
		defer close(done)
		err = r.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return func(want error) {
		t.Helper()
		cancel()
		<-done
		require.ErrorIs(t, err, want)
	}
}

// notes are what happened when.
type notes struct {
	began time.Time
	mu    sync.Mutex
	lines []string
}

func newNotes() *notes { return &notes{began: time.Now()} }

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf("%v ", time.Since(n.began))+fmt.Sprintf(format, args...))
}

func (n *notes) get() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lines
}

func TestWorker_Outcomes(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		second string
	}{
		"failure":     {errBad, "1m0s attempt 2"},
		"retry after": {worker.RetryAfter(7*time.Second, errBad), "7s attempt 2"},
		"snooze":      {worker.Snooze(2500 * time.Millisecond), "3s attempt 2"}, // whole seconds, and it counts
		"success":     {nil, ""},
		"bury":        {worker.Bury(errors.New("no\x00picture")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBroker(t)
				dead, overDead := standard(t, b, "dead")
				own, q := standard(t, b, "jobs", inq.WithDeadLetter(dead, 10))
				_, err := q.Send(t.Context(), inq.Message{Body: "job", Attributes: map[string]inq.Attribute{"a": inq.Number("1")}})
				require.NoError(t, err)
				log := newNotes()
				r, stop := runner(t, q, func(_ context.Context, d *inq.Delivery) error {
					log.add("attempt %d", d.ReceiveCount)
					if d.ReceiveCount == 1 {
						return c.err
					}
					return nil
				})
				time.Sleep(5 * time.Minute)
				stop(nil)
				want := []string{"0s attempt 1"}
				if c.second != "" {
					want = append(want, c.second)
				}
				require.Equal(t, want, log.get())
				require.Equal(t, inq.Counts{}, own.Stats().Counts)
				letters := receive(t, overDead)
				if name != "bury" {
					require.Empty(t, letters)
					return
				}
				require.EqualValues(t, 1, r.Stats().Buried)
				require.Len(t, letters, 1)
				require.Equal(t, "job", letters[0].Body)
				require.Equal(t, map[string]inq.Attribute{"a": inq.Number("1"), "reason": inq.String("no picture")}, letters[0].Attributes())
			})
		})
	}
}

// A message that has no room for the reason is buried without it, and one without a redrive policy
// is tried again.
func TestWorker_BuryAtTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		dead, overDead := standard(t, b, "dead")
		_, q := standard(t, b, "jobs", inq.WithDeadLetter(dead, 10))
		ten := map[string]inq.Attribute{}
		for i := range 10 {
			ten[strconv.Itoa(i)] = inq.String("x")
		}
		long := strings.Repeat("ä", 2000)
		for _, m := range []inq.Message{
			{Body: strings.Repeat("x", 1<<20)}, {Body: "ten", Attributes: ten}, {Body: "long"},
		} {
			_, err := q.Send(t.Context(), m)
			require.NoError(t, err)
		}
		r, stop := runner(t, q, func(context.Context, *inq.Delivery) error { return worker.Bury(errors.New(long)) }, worker.WithConcurrency(1))
		time.Sleep(time.Minute)
		stop(nil)
		require.EqualValues(t, 3, r.Stats().Buried)
		for i, want := range []int{0, 10, 1} {
			ds := receive(t, overDead)
			require.Len(t, ds, 3)
			require.Len(t, ds[i].Attributes(), want)
			if want == 1 {
				require.Equal(t, long[:1024], ds[i].Attributes()["reason"].Value)
			}
			require.NoError(t, ds[0].ChangeVisibility(t.Context(), 0))
			require.NoError(t, ds[1].ChangeVisibility(t.Context(), 0))
			require.NoError(t, ds[2].ChangeVisibility(t.Context(), 0))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		_, q := standard(t, newBroker(t), "jobs")
		send(t, q, "job")
		r, stop := runner(t, q, func(_ context.Context, d *inq.Delivery) error {
			if d.ReceiveCount == 1 {
				return worker.Bury(errBad)
			}
			return nil
		})
		time.Sleep(5 * time.Minute)
		stop(nil)
		require.EqualValues(t, 1, r.Stats().BuryErrors)
		require.EqualValues(t, 1, r.Stats().Failed)
		require.EqualValues(t, 1, r.Stats().Succeeded)
	})
}

// refusing is a client whose calls of one operation fail.
type refusing struct {
	next      aws.HTTPClient
	operation string
	err       error       // nil: an answer of 503
	healed    atomic.Bool // it fails no more
}

func (c *refusing) Do(req *http.Request) (*http.Response, error) {
	if c.healed.Load() || operationOf(req) != c.operation {
		return c.next.Do(req)
	}
	if c.err != nil {
		return nil, c.err
	}
	return answer(req, http.StatusServiceUnavailable, `{"__type":"ServiceUnavailable"}`, ""), nil
}

func refuse(c *refusing) func(*sqs.Options) {
	return func(o *sqs.Options) { c.next, o.HTTPClient = o.HTTPClient, c }
}

// On SQS a lapsed handle changes the receive of whoever has the message by then. So when a lease
// could not be extended, nothing is sent for it after its end, whatever its handler returns.
func TestWorker_ALapsedLeaseTouchesNoOtherReceive(t *testing.T) {
	for name, result := range map[string]error{"success": nil, "failure": errBad, "snooze": worker.Snooze(0), "bury": worker.Bury(errBad)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBroker(t)
				dead, _ := standard(t, b, "dead")
				own, _ := standard(t, b, "jobs", inq.WithDeadLetter(dead, 10))
				client := &refusing{operation: "ChangeMessageVisibilityBatch"}
				q := NewQueue(NewClient(b, refuse(client)), b.QueueURL(DefaultEndpoint, "jobs"))
				send(t, q, "job")
				var cause error
				r, stop := runner(t, q, func(ctx context.Context, _ *inq.Delivery) error {
					<-ctx.Done()
					cause = context.Cause(ctx)
					// Another consumer has it now, for an hour.
					ds, err := own.Receive(context.Background(), inq.ReceiveInput{Wait: inq.Zero, VisibilityTimeout: time.Hour})
					require.NoError(t, err)
					require.Len(t, ds, 1)
					client.healed.Store(true) // and the network is back
					return result
				}, worker.WithConcurrency(1))
				time.Sleep(59 * time.Minute)
				stop(nil)
				require.Equal(t, worker.ErrLeaseLost, cause)
				require.EqualValues(t, 1, r.Stats().Lost)
				require.Equal(t, inq.Counts{NotVisible: 1}, own.Stats().Counts)
				require.Equal(t, inq.Counts{}, dead.Stats().Counts)
			})
		})
	}
}

// Leases are extended for as long as a handler runs, ten in a call.
func TestWorker_LeasesAreExtended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		_, _ = standard(t, b, "jobs")
		w := &wire{}
		q := NewQueue(NewClient(b, through(w)), b.QueueURL(DefaultEndpoint, "jobs"))
		for i := range 20 {
			send(t, q, strconv.Itoa(i))
		}
		before := w.operations()
		r, stop := runner(t, q, func(ctx context.Context, _ *inq.Delivery) error {
			time.Sleep(65 * time.Second)
			return ctx.Err()
		}, worker.WithConcurrency(20))
		time.Sleep(time.Minute + 10*time.Second)
		stop(nil)
		require.EqualValues(t, 20, r.Stats().Succeeded)
		calls := w.operations()
		require.Equal(t, 6, calls["ChangeMessageVisibilityBatch"], "at 20, 40 and 60 seconds, two each")
		require.Equal(t, 2, calls["DeleteMessageBatch"])
		require.Equal(t, 20, calls["SendMessage"]-before["SendMessage"]+20)
		require.LessOrEqual(t, calls["ReceiveMessage"], 4)
	})
}

// On SQS nothing can be given back uncounted, so messages of a FIFO queue are received one at a
// time: those behind a failure lose no try.
func TestWorker_FIFO(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own, q := fifo(t, newBroker(t), "jobs.fifo", inq.WithContentBasedDeduplication(true))
		for _, body := range []string{"a/1", "a/2", "a/3", "b/1", "b/2"} {
			_, err := q.Send(t.Context(), inq.Message{Body: body, GroupID: body[:1]})
			require.NoError(t, err)
		}
		log := newNotes()
		r, stop := runner(t, q, func(_ context.Context, d *inq.Delivery) error {
			log.add("%s.%d", d.Body, d.ReceiveCount)
			time.Sleep(time.Second)
			if d.Body == "a/1" && d.ReceiveCount == 1 {
				return errBad
			}
			return nil
		})
		time.Sleep(5 * time.Minute)
		stop(nil)
		var as, bs []string
		for _, line := range log.get() {
			if strings.Contains(line, "a/") {
				as = append(as, line)
			} else {
				bs = append(bs, line)
			}
		}
		require.Equal(t, []string{"0s a/1.1", "1m1s a/1.2", "1m2s a/2.1", "1m3s a/3.1"}, as)
		require.Equal(t, []string{"0s b/1.1", "1s b/2.1"}, bs)
		require.EqualValues(t, 5, r.Stats().Succeeded)
		require.Equal(t, inq.Counts{}, own.Stats().Counts)
	})
}

func TestWorker_Batch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own, q := standard(t, newBroker(t), "jobs")
		send(t, q, "0", "1", "2", "3")
		log := newNotes()
		r, err := worker.NewBatch(q, func(_ context.Context, ds []inq.Delivery) error {
			log.add("%d", len(ds))
			if len(ds) == 4 {
				return &inq.BatchError{Failed: []inq.BatchFailure{{Index: 1, Err: errBad}, {Index: 2, Err: worker.RetryAfter(5*time.Second, errBad)}}}
			}
			return nil
		}, 10, time.Second, quiet, worker.WithBackoff(minute))
		require.NoError(t, err)
		stop := start(t, r)
		time.Sleep(5 * time.Minute)
		stop(nil)
		require.Equal(t, []string{"1s 4", "7s 1", "1m2s 1"}, log.get())
		require.Equal(t, inq.Counts{}, own.Stats().Counts)
	})
}

// Cancelled in the middle of a thousand jobs, every one is accounted for.
func TestWorker_StopInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own, q := standard(t, newBroker(t), "jobs")
		for i := range 1000 {
			send(t, q, strconv.Itoa(i))
		}
		r, stop := runner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			n, _ := strconv.Atoi(d.Body)
			select {
			case <-time.After(time.Duration(n%10) * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}, worker.WithConcurrency(30), worker.WithGrace(3*time.Second))
		time.Sleep(80*time.Second + time.Second/2)
		stop(nil)
		s, left := r.Stats(), own.Stats().Counts
		require.Positive(t, s.Returned)
		require.Equal(t, s.Received, s.Succeeded+s.Returned)
		require.Equal(t, inq.Counts{Visible: 1000 - int(s.Succeeded)}, left)
	})
}

// Deletes that fail are tried again while the lease holds, and meanwhile nothing more is received.
func TestWorker_DeletesAreRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		own, _ := standard(t, b, "jobs")
		client := &refusing{operation: "DeleteMessageBatch", err: errors.New("connection reset")}
		q := NewQueue(NewClient(b, refuse(client)), b.QueueURL(DefaultEndpoint, "jobs"))
		send(t, q, "one")
		var n atomic.Int64
		r, stop := runner(t, q, func(context.Context, *inq.Delivery) error { n.Add(1); return nil })
		synctest.Wait()
		send(t, q, "two")
		time.Sleep(10 * time.Second)
		require.EqualValues(t, 1, n.Load())
		client.healed.Store(true)
		time.Sleep(10 * time.Second)
		require.EqualValues(t, 2, n.Load())
		stop(nil)
		require.EqualValues(t, 2, r.Stats().Succeeded)
		require.Equal(t, inq.Counts{}, own.Stats().Counts)
	})
}

// What passes is waited for; a queue that does not exist is not.
func TestWorker_ErrorsOfReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		_, _ = standard(t, b, "jobs")
		client := &refusing{operation: "ReceiveMessage"}
		q := NewQueue(NewClient(b, refuse(client)), b.QueueURL(DefaultEndpoint, "jobs"))
		send(t, q, "job")
		r, stop := runner(t, q, func(context.Context, *inq.Delivery) error { return nil })
		time.Sleep(time.Minute)
		client.healed.Store(true)
		time.Sleep(time.Minute)
		stop(nil)
		require.EqualValues(t, 1, r.Stats().Succeeded)
		require.EqualValues(t, 12, r.Stats().ReceiveErrors)
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		_, q := standard(t, b, "jobs")
		r, err := worker.New(q, worker.HandlerFunc(func(context.Context, *inq.Delivery) error { return nil }), quiet)
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() { done <- r.Run(t.Context()) }()
		time.Sleep(time.Minute)
		require.NoError(t, b.DeleteQueue(t.Context(), "jobs"))
		require.ErrorIs(t, <-done, inq.ErrQueueDoesNotExist)
	})
}

// Three processes run a schedule: each time makes one job. SQS does not say which sends were
// duplicates.
func TestWorker_Schedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		own, q := fifo(t, b, "jobs.fifo")
		report := worker.NewKind[time.Time]("report")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour+time.Second)
		defer cancel()
		var all sync.WaitGroup
		for range 3 {
			ticker := worker.Every(report, worker.Interval(time.Minute), time.Time.UTC)
			all.Go(func() {
				require.NoError(t, ticker.Run(ctx, NewQueue(q.client, q.URL())))
				require.Equal(t, worker.TickerStats{Sent: 60}, ticker.Stats())
			})
		}
		n := 0
		mux := worker.NewMux()
		report.Handle(mux, func(context.Context, worker.Job[time.Time]) error { n++; return nil })
		r, err := worker.New(q, mux, quiet)
		require.NoError(t, err)
		stop := start(t, r)
		all.Wait()
		stop(nil)
		require.Equal(t, 60, n)
		require.EqualValues(t, 60, own.Stats().Sent)
	})
}

// Amazon does not tell the age of the oldest message, and Load says so.
func TestWorker_Autoscale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := standard(t, newBroker(t), "jobs")
		for i := range 100 {
			send(t, q, strconv.Itoa(i))
		}
		r, stop := runner(t, q, func(context.Context, *inq.Delivery) error { time.Sleep(1100 * time.Millisecond); return nil },
			worker.WithAutoscale(1, 10, worker.TargetDelay(10*time.Second)))
		time.Sleep(6 * time.Second)
		require.Equal(t, worker.Load{Visible: 95, Oldest: -1, Running: 1, MeanRun: 1100 * time.Millisecond, Workers: 1}, r.Stats().Decision.Load)
		require.Equal(t, 2, r.Stats().Concurrency)
		stop(nil)
	})
}
