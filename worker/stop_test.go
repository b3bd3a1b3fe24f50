package worker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// The job that finishes while the runner stops is deleted, although the context has ended.
func TestStop_HandlersHaveTheGraceToFinish(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "job")
		r := newRunner(t, q, func(ctx context.Context, _ *inq.Delivery) error {
			time.Sleep(20 * time.Second)
			return ctx.Err()
		})
		stop := run(t, r)
		time.Sleep(time.Second)
		began := time.Now()
		stop(nil)
		require.Equal(t, 19*time.Second, time.Since(began))
		require.Equal(t, inq.Counts{}, counts(t, q))
	})
}

// What the end of the grace cuts off is given back at once, and the receive does not count.
func TestStop_WhatIsCutOffIsGivenBack(t *testing.T) {
	for name, err := range map[string]error{"failed": errBad, "retry after": worker.RetryAfter(time.Hour, errBad)} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				q := standard(t)
				send(t, q, "job")
				r := newRunner(t, q, func(ctx context.Context, _ *inq.Delivery) error {
					<-ctx.Done()
					require.Equal(t, worker.ErrShutdown, context.Cause(ctx))
					require.ErrorIs(t, ctx.Err(), context.Canceled)
					return err
				}, worker.WithGrace(time.Minute), worker.WithMaxAttempts(1))
				stop := run(t, r)
				time.Sleep(time.Second)
				began := time.Now()
				stop(nil)
				require.Equal(t, time.Minute, time.Since(began))
				require.Equal(t, inq.Counts{Visible: 1}, counts(t, q))
				require.EqualValues(t, 1, r.Stats().Returned)
				require.Equal(t, 1, take(t, q)[0].ReceiveCount)
			})
		})
	}
	bubble(t, func(t *testing.T) { // one that finishes all the same has succeeded
		q := standard(t)
		send(t, q, "job")
		r := newRunner(t, q, func(ctx context.Context, _ *inq.Delivery) error {
			<-ctx.Done()
			return nil
		}, worker.WithGrace(0))
		stop := run(t, r)
		time.Sleep(time.Second)
		stop(nil)
		require.Equal(t, inq.Counts{}, counts(t, q))
	})
}

func TestStop_WithoutReturnWhatIsCutOffIsMadeVisible(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "job")
		r := newRunner(t, bare{q}, func(ctx context.Context, _ *inq.Delivery) error {
			<-ctx.Done()
			return errBad
		}, worker.WithGrace(0))
		stop := run(t, r)
		time.Sleep(time.Second)
		stop(nil)
		require.Equal(t, inq.Counts{Visible: 1}, counts(t, q))
		require.Equal(t, 2, take(t, q)[0].ReceiveCount)
	})
}

// records keeps what is logged.
type records struct {
	bytes.Buffer
}

func (b *records) option() worker.Option {
	return worker.WithLogger(slog.New(slog.NewTextHandler(b, nil)))
}

// A handler that ignores its cancelled context for five seconds is stuck: it keeps its slot, its
// lease is not extended any more, it is logged once with its stack, and Run names it.
func TestStuck_HandlersKeepTheirSlotsAndLoseTheirMessages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		kind := worker.NewKind[string]("slow.one")
		q := standard(t)
		_, err := kind.Send(t.Context(), q, "job")
		require.NoError(t, err)
		mux := worker.NewMux()
		release := make(chan struct{})
		attempts := 0
		kind.Handle(mux, func(ctx context.Context, j worker.Job[string]) error {
			attempts++
			<-release
			return nil
		})
		var log records
		r, err := worker.New(q, mux, log.option(), worker.WithConcurrency(1), worker.WithTimeout(time.Minute))
		require.NoError(t, err)
		stop := run(t, r)
		time.Sleep(65*time.Second - 1)
		require.Zero(t, r.Stats().Stuck)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, 1, r.Stats().Stuck)
		require.Equal(t, 1, r.Stats().Running)
		require.Contains(t, log.String(), "ignores its cancelled context")
		require.Contains(t, log.String(), "kind=slow.one")
		require.Contains(t, log.String(), "TestStuck_HandlersKeepTheirSlotsAndLoseTheirMessages")
		time.Sleep(time.Hour)
		require.Equal(t, 1, attempts, "the slot is taken")
		require.Len(t, take(t, q), 1, "the message is somebody else's")
		require.EqualValues(t, 1, r.Stats().Lost)
		require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("ignores its cancelled context")))

		began := time.Now()
		stop(worker.ErrStuck)
		require.Equal(t, 20*time.Second, time.Since(began), "the grace")
		close(release)
		synctest.Wait()
		require.Equal(t, inq.Counts{NotVisible: 1}, counts(t, q), "what it returns after Run touches nothing")
	})
}

func TestStuck_RunNamesTheKinds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		one, two := worker.NewKind[int]("one"), worker.NewKind[int]("two")
		release := make(chan struct{})
		mux := worker.NewMux(worker.WithDefault(worker.HandlerFunc(func(context.Context, *inq.Delivery) error {
			<-release
			return nil
		})))
		for _, k := range []worker.Kind[int]{one, one, two} {
			_, err := k.Send(t.Context(), q, 1)
			require.NoError(t, err)
		}
		send(t, q, "of no kind")
		r, err := worker.New(q, mux, quiet, worker.WithGrace(10*time.Second))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		synctest.Wait()
		cancel()
		began := time.Now()
		err = <-done
		require.EqualError(t, err, "worker: handlers are stuck: queue jobs: (no kind) (1), one (2), two (1)")
		require.Equal(t, 15*time.Second, time.Since(began))
		close(release)
		synctest.Wait()
	})
}

// A stuck handler that returns after all gives its slot back, and its result counts if the lease
// still holds.
func TestStuck_OneThatReturnsAfterAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "job")
		r := newRunner(t, q, func(ctx context.Context, _ *inq.Delivery) error {
			time.Sleep(20 * time.Second)
			return nil
		}, worker.WithTimeout(time.Second))
		stop := run(t, r)
		time.Sleep(19 * time.Second)
		require.Equal(t, 1, r.Stats().Stuck)
		time.Sleep(2 * time.Second)
		require.Zero(t, r.Stats().Stuck)
		require.Zero(t, r.Stats().Running)
		require.EqualValues(t, 1, r.Stats().Succeeded)
		send(t, q, "another")
		time.Sleep(25 * time.Second)
		require.EqualValues(t, 2, r.Stats().Succeeded, "the slot is in use again")
		stop(nil)
	})
}

// Deletes are tried again while the lease holds, and meanwhile nothing is received: it would be done
// twice.
func TestAck_DeletesAreRetriedWhileTheLeaseHolds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := newDiary()
		q := &hooked{Standard: standard(t)}
		q.delete = func(ctx context.Context, handles []string) error {
			log.add("delete %d", len(handles))
			if len(log.get()) < 4 {
				return errBad
			}
			return q.Standard.DeleteBatch(ctx, handles)
		}
		send(t, q, "one")
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error { return nil })
		stop := run(t, r)
		time.Sleep(50 * time.Millisecond)
		send(t, q, "two")
		time.Sleep(600 * time.Millisecond)
		require.Equal(t, inq.Counts{Visible: 1, NotVisible: 1}, counts(t, q))
		stop(nil)
		require.Equal(t, []string{"0s delete 1", "100ms delete 1", "300ms delete 1", "700ms delete 1"}, log.get())
		require.Equal(t, inq.Counts{Visible: 1}, counts(t, q))
		require.EqualValues(t, 3, r.Stats().DeleteErrors)
		require.EqualValues(t, 1, r.Stats().Succeeded)
	})
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		q.delete = func(context.Context, []string) error { return errBad }
		send(t, q, "one")
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error { return nil })
		stop := run(t, r)
		began := time.Now()
		time.Sleep(time.Second)
		stop(nil)
		require.Less(t, time.Since(began), 40*time.Second)
		require.EqualValues(t, 1, r.Stats().Lost)
		time.Sleep(time.Minute)
		require.Equal(t, inq.Counts{Visible: 1}, counts(t, q))
	})
}

// Ten are deleted together; fewer wait for others a tenth of a second, and not at all where no
// handler runs.
func TestAck_DeletesAreBatchedBriefly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := newDiary()
		q := &hooked{Standard: standard(t)}
		q.delete = func(ctx context.Context, handles []string) error {
			log.add("delete %d", len(handles))
			return q.Standard.DeleteBatch(ctx, handles)
		}
		for i := range 25 {
			send(t, q, strconv.Itoa(i))
		}
		r := newRunner(t, q, func(_ context.Context, d *inq.Delivery) error {
			n, _ := strconv.Atoi(d.Body)
			if n == 24 {
				time.Sleep(10 * time.Second)
			}
			return nil
		}, worker.WithConcurrency(25))
		stop := run(t, r)
		time.Sleep(20 * time.Second)
		stop(nil)
		total := 0
		for _, line := range log.get()[:len(log.get())-1] {
			require.Contains(t, []string{"0s delete 10", "100ms delete 4"}, line)
			total++
		}
		require.Equal(t, 3, total)
		require.Equal(t, "10s delete 1", log.get()[3])
	})
}

// A delete does not wait for others where the lease would not last.
func TestAck_DoesNotWaitForTheEndOfTheLease(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		q.change = func(context.Context, []inq.VisibilityChange) error { return errBad }
		send(t, q, "one", "two")
		r := newRunner(t, q, func(_ context.Context, d *inq.Delivery) error {
			if d.ReceiveCount == 1 {
				time.Sleep(950 * time.Millisecond)
				if d.Body == "two" {
					time.Sleep(time.Second)
				}
			}
			return nil
		}, worker.WithVisibility(time.Second))
		stop := run(t, r)
		time.Sleep(10 * time.Second)
		stop(nil)
		require.EqualValues(t, 1, r.Stats().Lost)
		require.EqualValues(t, 2, r.Stats().Succeeded)
	})
}

// What a slow delete takes is not part of the next job.
func TestAck_ASlowDeleteIsNoPartOfTheNextJob(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		q.delete = func(ctx context.Context, handles []string) error {
			time.Sleep(10 * time.Second)
			return q.Standard.DeleteBatch(ctx, handles)
		}
		send(t, q, "one", "two", "three")
		r := newRunner(t, q, func(ctx context.Context, _ *inq.Delivery) error {
			time.Sleep(time.Second)
			return ctx.Err()
		}, worker.WithConcurrency(1), worker.WithTimeout(5*time.Second))
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.EqualValues(t, 3, r.Stats().Succeeded)
		require.Equal(t, 3*time.Second, r.Stats().Run.Sum)
	})
}

// A single entry that fails is tried again and holds up nothing.
func TestAck_OneThatFailsHoldsUpNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		bad := 0
		q.delete = func(ctx context.Context, handles []string) error {
			if bad++; bad <= 5 {
				if len(handles) > 1 {
					require.NoError(t, q.Standard.DeleteBatch(ctx, handles[1:]))
				}
				return &inq.BatchError{Failed: []inq.BatchFailure{{Index: 0, Err: errBad}}}
			}
			return q.Standard.DeleteBatch(ctx, handles)
		}
		send(t, q, "one", "two", "three")
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error { return nil })
		stop := run(t, r)
		time.Sleep(time.Second)
		stop(nil)
		require.EqualValues(t, 3, r.Stats().Succeeded)
		require.EqualValues(t, 5, r.Stats().DeleteErrors)
		require.Equal(t, inq.Counts{}, counts(t, q))
	})
}

func TestRun_EndsWithTheQueue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		require.NoError(t, q.Close())
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error { return nil })
		err := r.Run(t.Context())
		require.ErrorIs(t, err, inq.ErrClosed)
		require.ErrorContains(t, err, "jobs")
	})
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "job")
		var cause error
		r := newRunner(t, q, func(ctx context.Context, _ *inq.Delivery) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return nil
		})
		done := make(chan error)
		go func() { done <- r.Run(t.Context()) }()
		time.Sleep(time.Second)
		require.NoError(t, q.Close())
		require.ErrorIs(t, <-done, inq.ErrClosed)
		require.Equal(t, worker.ErrShutdown, cause)
		require.EqualValues(t, 1, r.Stats().Lost)
	})
	bubble(t, func(t *testing.T) {
		b, err := inq.NewBroker()
		require.NoError(t, err)
		defer b.Close()
		q, err := b.CreateStandard("jobs")
		require.NoError(t, err)
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error { return nil })
		done := make(chan error)
		go func() { done <- r.Run(t.Context()) }()
		time.Sleep(time.Second)
		require.NoError(t, b.DeleteQueue(t.Context(), "jobs"))
		require.ErrorIs(t, <-done, inq.ErrQueueDoesNotExist)
	})
}

func TestRun_RunsOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRunner(t, standard(t), func(context.Context, *inq.Delivery) error { return nil })
		require.ErrorIs(t, r.Run(nilContext), inq.ErrMissingParameter)
		stop := run(t, r)
		synctest.Wait()
		require.Equal(t, worker.ErrRan, r.Run(t.Context()))
		stop(nil)
		require.Equal(t, worker.ErrRan, r.Run(t.Context()))
	})
	bubble(t, func(t *testing.T) { // a context that has ended does nothing
		q := standard(t)
		send(t, q, "job")
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error { return nil })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, r.Run(ctx))
		require.Equal(t, inq.Counts{Visible: 1}, counts(t, q))
	})
}

func TestRunAll_StopsAllAtTheFirstError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		one, two := standard(t), standard(t)
		var served atomic.Int64
		h := func(context.Context, *inq.Delivery) error { served.Add(1); return nil }
		send(t, one, "job")
		send(t, two, "job")
		time.AfterFunc(time.Minute, func() { _ = one.Close() })
		began := time.Now()
		err := worker.RunAll(t.Context(), newRunner(t, one, h), newRunner(t, two, h))
		require.ErrorIs(t, err, inq.ErrClosed)
		require.Equal(t, time.Minute, time.Since(began))
		require.EqualValues(t, 2, served.Load())
	})
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		h := func(context.Context, *inq.Delivery) error { return nil }
		require.NoError(t, worker.RunAll(ctx, newRunner(t, standard(t), h), newRunner(t, standard(t), h)))
		require.NoError(t, worker.RunAll(ctx))
		require.ErrorIs(t, worker.RunAll(ctx, nil), inq.ErrMissingParameter)
		require.ErrorIs(t, worker.RunAll(nilContext), inq.ErrMissingParameter)
	})
}

// Errors of Receive are tried again after a pause that doubles up to ten seconds, and are logged
// once in a row.
func TestRun_ReceiveErrorsAreRetried(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := newDiary()
		q := &hooked{Standard: standard(t)}
		q.receive = func(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
			log.add("receive")
			if n := len(log.get()); n <= 10 {
				return nil, errors.New("no network")
			}
			return q.Standard.Receive(ctx, in)
		}
		send(t, q, "job")
		var text records
		r, err := worker.New(q, worker.HandlerFunc(func(context.Context, *inq.Delivery) error { return nil }), text.option())
		require.NoError(t, err)
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{"0s receive", "100ms receive", "300ms receive", "700ms receive", "1.5s receive", "3.1s receive",
			"6.3s receive", "12.7s receive", "22.7s receive", "32.7s receive", "42.7s receive", "42.7s receive", "57.7s receive"}, log.get())
		require.EqualValues(t, 1, r.Stats().Succeeded)
		require.EqualValues(t, 10, r.Stats().ReceiveErrors)
		require.Equal(t, 1, bytes.Count(text.Bytes(), []byte("no network")))
	})
}

// slow takes its time to write.
type slow struct{}

func (slow) Write(p []byte) (int, error) {
	time.Sleep(10 * time.Second)
	return len(p), nil
}

// Run returns when all is done, what there is to log included.
func TestRun_WaitsForItsLog(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		q.receive = func(context.Context, inq.ReceiveInput) ([]inq.Delivery, error) { return nil, errBad }
		r, err := worker.New(q, worker.HandlerFunc(noop), worker.WithLogger(slog.New(slog.NewTextHandler(slow{}, nil))))
		require.NoError(t, err)
		began := time.Now()
		stop := run(t, r)
		time.Sleep(time.Second)
		stop(nil)
		require.Equal(t, 10*time.Second, time.Since(began))
	})
}

// A queue that does not wait is not asked in a loop.
func TestRun_AQueueThatDoesNotWaitIsAskedOnceASecond(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		n := 0
		q.receive = func(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
			n++
			in.Wait = inq.Zero
			return q.Standard.Receive(ctx, in)
		}
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error { return nil })
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, 63, n)
	})
}

// Cancelled in the middle of ten thousand jobs, every one is accounted for.
func TestStop_InTheMiddleOfTenThousandJobs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		for range 1000 {
			_, err := q.SendBatch(t.Context(), []inq.Message{{Body: "0"}, {Body: "1"}, {Body: "2"}, {Body: "3"}, {Body: "4"},
				{Body: "5"}, {Body: "6"}, {Body: "7"}, {Body: "8"}, {Body: "9"}})
			require.NoError(t, err)
		}
		var done atomic.Int64
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			select {
			case <-time.After(time.Duration(d.Body[0]-'0') * time.Second):
				done.Add(1)
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}, worker.WithConcurrency(50), worker.WithGrace(3*time.Second))
		stop := run(t, r)
		time.Sleep(400 * time.Second)
		stop(nil)
		s, c := r.Stats(), counts(t, q)
		require.EqualValues(t, done.Load(), s.Succeeded)
		require.Positive(t, s.Returned)
		require.Equal(t, s.Received, s.Succeeded+s.Returned)
		require.EqualValues(t, 10_000, int(s.Succeeded)+c.Visible)
		require.Zero(t, c.NotVisible+c.Delayed)
		t.Logf("10000 jobs: %d done, %d left in the queue, %d of these given back", s.Succeeded, c.Visible, s.Returned)
	})
}
