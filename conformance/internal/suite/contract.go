package suite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.com/inq"
)

// contract is what inq.Queue promises in Go, beyond SQS.
var contract = Chapter{
	Needs: Queues,
	Tables: map[string]string{
		"QUEUE-BATCH":      "`inq.Queue`: what becomes of the entries of a batch",
		"QUEUE-CONCURRENT": "`inq.Queue`: calls at the same time",
		"QUEUE-CONTEXT":    "`inq.Queue`: contexts",
		"QUEUE-DELIVERY":   "`inq.Queue`: what a delivery says and does",
		"QUEUE-NAME":       "`inq.Queue`: the name",
		"QUEUE-RECEIVE":    "`inq.Queue`: what a receive returns",
	},
	Cases: []Case{
		{"QUEUE-NAME", "a queue has the name it was made with", 0, func(t *T) {
			for _, q := range either(t) {
				t.Equal(q.Name, q.Queue().Name())
			}
		}},
		{"QUEUE-CONTEXT", "no context is refused, and nothing is done", 0, func(t *T) {
			for _, q := range either(t) {
				for method, err := range eachMethod(q, nil) {
					t.ErrorIs(err, inq.ErrMissingParameter, method)
				}
				t.Equal([3]int{1, 1, 0}, q.Counts())
			}
		}},
		{"QUEUE-CONTEXT", "a context that has ended is returned as it is, and nothing is done", 0, func(t *T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			for _, q := range either(t) {
				for method, err := range eachMethod(q, ctx) {
					t.Equal(context.Canceled, err, method)
				}
				t.Equal([3]int{1, 1, 0}, q.Counts())
			}
		}},
		{"QUEUE-CONTEXT", "a receive whose context ends while it waits takes nothing", Time, func(t *T) {
			for _, q := range either(t) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				began := time.Now()
				ds, err := q.Queue().Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second})
				cancel()
				t.Equal(context.DeadlineExceeded, err)
				t.Len(ds, 0)
				t.Equal(5*time.Second, time.Since(began))
				q.SendAny("m")
				t.Equal(1, q.take(1)[0].ReceiveCount)
			}
		}},
		{"QUEUE-RECEIVE", "a receive takes one message where it does not say how many", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m1", "m2")
				ds, err := q.Queue().Receive(t.Context(), inq.ReceiveInput{})
				t.NoError(err)
				t.Len(ds, 1)
				t.Equal([3]int{1, 1, 0}, q.Counts())
			}
		}},
		{"QUEUE-RECEIVE", "that no message came is no error", 0, func(t *T) {
			for _, q := range either(t) {
				ds, err := q.Queue().Receive(t.Context(), inq.ReceiveInput{Wait: inq.Zero})
				t.NoError(err)
				t.Len(ds, 0)
			}
		}},
		{"QUEUE-DELIVERY", "a delivery is the message that was sent", 0, func(t *T) {
			for _, q := range either(t) {
				m := inq.Message{Body: "m", Attributes: map[string]inq.Attribute{
					"text": {Type: "String", Value: "v"}, "bytes": {Type: "Binary", Binary: []byte{0, 255}},
				}}
				if q.isFIFO() {
					m.GroupID, m.DeduplicationID = "g", "id"
				}
				sent, err := q.Queue().Send(t.Context(), m)
				t.NoError(err)
				d := q.take(1)[0]
				t.NotEmpty(d.ID())
				t.Equal(sent.ID(), d.ID())
				t.Equal(sent.SequenceNumber(), d.SequenceNumber())
				t.NotEmpty(d.ReceiptHandle())
				t.Equal(m.Body, d.Body)
				t.Equal(m.Attributes, d.Attributes())
				t.Equal(m.GroupID, d.GroupID)
				t.Equal(m.DeduplicationID, d.DeduplicationID())
				t.Equal(1, d.ReceiveCount)
				t.Equal(m.Body, d.Message().Body)
			}
		}},
		{"QUEUE-DELIVERY", "it tells when its message was sent, and first received, and is visible again", Time, func(t *T) {
			for _, q := range either(t, "VisibilityTimeout", "40") {
				began := time.Now()
				q.SendAny("m")
				t.Sleep(time.Second)
				q.take(1)
				t.Sleep(40 * time.Second)
				ds, err := q.Queue().Receive(t.Context(), inq.ReceiveInput{VisibilityTimeout: time.Minute})
				t.NoError(err)
				t.Len(ds, 1)
				t.Equal(2, ds[0].ReceiveCount)
				t.Equal(time.Duration(0), ds[0].SentAt().Sub(began))
				t.Equal(time.Second, ds[0].FirstReceivedAt().Sub(began))
				t.Equal(101*time.Second, ds[0].VisibleAt().Sub(began))
			}
		}},
		{"QUEUE-DELIVERY", "it deletes its message", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m1", "m2")
				t.NoError(q.take(2)[0].Delete(t.Context()))
				t.Equal([3]int{0, 1, 0}, q.Counts())
			}
		}},
		{"QUEUE-DELIVERY", "it keeps its message for longer", Time, func(t *T) {
			for _, q := range either(t, "VisibilityTimeout", "5") {
				q.SendAny("m")
				t.NoError(q.take(1)[0].ChangeVisibility(t.Context(), time.Minute))
				t.Sleep(time.Minute - time.Millisecond)
				t.Equal([3]int{0, 1, 0}, q.Counts())
				t.Sleep(time.Millisecond)
				t.Equal([3]int{1, 0, 0}, q.Counts())
			}
		}},
		{"QUEUE-DELIVERY", "it gives its message back", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m1", "m2")
				ds := q.take(2)
				t.NoError(ds[0].ChangeVisibility(t.Context(), 0))
				t.NoError(ds[1].Return(t.Context(), 0))
				t.Equal([3]int{2, 0, 0}, q.Counts())
			}
		}},
		{"QUEUE-DELIVERY", "a loop over deliveries has each message once", Time, func(t *T) {
			for _, q := range either(t) {
				queue, sent := q.Queue(), []string{"m1", "m2", "m3"}
				sending := make(chan error, len(sent))
				go func() {
					for _, m := range q.messages(sent...) {
						time.Sleep(15 * time.Second)
						_, err := queue.Send(t.Context(), m)
						sending <- err
					}
				}()
				var bodies []string
				for d, err := range inq.Deliveries(t.Context(), queue, inq.ReceiveInput{Max: 10}) {
					t.NoError(err)
					t.NoError(d.Delete(t.Context()))
					if bodies = append(bodies, d.Body); len(bodies) == len(sent) {
						break
					}
				}
				for range sent {
					t.NoError(<-sending)
				}
				t.Equal(sent, bodies)
				t.Equal([3]int{}, q.Counts())
			}
		}},
		{"QUEUE-BATCH", "a refused message is told by its index, and the others are sent", 0, func(t *T) {
			for _, q := range either(t) {
				sent, err := q.Queue().SendBatch(t.Context(), q.messages("m1", "m2\x01", "m3"))
				t.failsAt(err, 1, inq.ErrInvalidMessageContents)
				t.Len(sent, 3)
				t.NotEmpty(sent[0].ID())
				t.Empty(sent[1].ID())
				t.NotEmpty(sent[2].ID())
				t.Equal([]string{"m1", "m3"}, q.Bodies(10))
			}
		}},
		{"QUEUE-BATCH", "a handle that is refused for a delete is told by its index, and the others are deleted", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m1", "m2")
				ds := q.take(2)
				err := q.Queue().DeleteBatch(t.Context(), []string{ds[0].ReceiptHandle(), "no handle", ds[1].ReceiptHandle()})
				t.failsAt(err, 1, inq.ErrReceiptHandleInvalid)
				t.Equal([3]int{}, q.Counts())
			}
		}},
		{"QUEUE-BATCH", "a handle that is refused for a change is told by its index, and the others are changed", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m1", "m2")
				ds := q.take(2)
				err := q.Queue().ChangeVisibilityBatch(t.Context(), []inq.VisibilityChange{
					{ReceiptHandle: "no handle", Timeout: time.Minute}, {ReceiptHandle: ds[0].ReceiptHandle()}, {ReceiptHandle: ds[1].ReceiptHandle()},
				})
				t.failsAt(err, 0, inq.ErrReceiptHandleInvalid)
				t.Equal([3]int{2, 0, 0}, q.Counts())
			}
		}},
		{"QUEUE-BATCH", "no entries, and more than ten, are refused as a whole", 0, func(t *T) {
			for _, q := range either(t) {
				eleven := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}
				changes := make([]inq.VisibilityChange, 11)
				for i := range changes {
					changes[i].ReceiptHandle = eleven[i]
				}
				for want, n := range map[error]int{inq.ErrEmptyBatch: 0, inq.ErrTooManyEntries: 11} {
					_, err := q.Queue().SendBatch(t.Context(), q.messages(eleven[:n]...))
					t.wholeRefused(err, want)
					t.wholeRefused(q.Queue().DeleteBatch(t.Context(), eleven[:n]), want)
					t.wholeRefused(q.Queue().ChangeVisibilityBatch(t.Context(), changes[:n]), want)
				}
				t.Equal([3]int{}, q.Counts())
			}
		}},
		{"QUEUE-CONCURRENT", "of many consumers one has each message", 0, func(t *T) {
			for _, q := range either(t) {
				const workers, each = 8, 25
				queue := q.Queue()
				var sending sync.WaitGroup
				var errs atOnce[error]
				for w := range workers {
					sending.Go(func() {
						for i := range each {
							m := inq.Message{Body: fmt.Sprintf("%d-%d", w, i)}
							if q.isFIFO() {
								m.GroupID, m.DeduplicationID = m.Body, m.Body
							}
							_, err := queue.Send(t.Context(), m)
							errs.add(err)
						}
					})
				}
				sending.Wait()
				t.NoError(errors.Join(errs.list...))
				t.Equal([3]int{workers * each, 0, 0}, q.Counts())
				var receiving sync.WaitGroup
				var bodies atOnce[string]
				for range workers {
					receiving.Go(func() {
						for {
							ds, err := queue.Receive(t.Context(), inq.ReceiveInput{Max: 3, Wait: inq.Zero})
							errs.add(err)
							if len(ds) == 0 {
								return
							}
							for _, d := range ds {
								bodies.add(d.Body)
								errs.add(d.Delete(t.Context()))
							}
						}
					})
				}
				receiving.Wait()
				t.NoError(errors.Join(errs.list...))
				t.Len(bodies.list, workers*each)
				slices.Sort(bodies.list)
				t.Len(slices.Compact(bodies.list), workers*each, "some came twice")
				t.Equal([3]int{}, q.Counts())
			}
		}},
		{"QUEUE-CONCURRENT", "waiting consumers share what is sent", Time, func(t *T) {
			for _, q := range either(t) {
				const n = 20
				type received struct {
					ds  []inq.Delivery
					err error
				}
				got := make(chan received, n)
				queue := q.Queue()
				for range n {
					go func() {
						ds, err := queue.Receive(t.Context(), inq.ReceiveInput{Wait: 20 * time.Second})
						got <- received{ds, err}
					}()
				}
				t.Wait()
				for i := range n {
					body := fmt.Sprintf("m%02d", i)
					if q.isFIFO() {
						q.SendTo(body, body)
					} else {
						q.Send(body)
					}
				}
				var bodies []string
				for range n {
					r := <-got
					t.NoError(r.err)
					t.Len(r.ds, 1)
					bodies = append(bodies, r.ds[0].Body)
				}
				slices.Sort(bodies)
				t.Len(slices.Compact(bodies), n, "some came twice")
				t.Equal([3]int{0, n, 0}, q.Counts())
			}
		}},
	},
}

// atOnce is a list that is made by many goroutines.
type atOnce[E any] struct {
	mu   sync.Mutex
	list []E
}

func (l *atOnce[E]) add(e E) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, e)
}

// take receives exactly n messages, as deliveries.
func (q *Q) take(n int) []inq.Delivery {
	q.t.Helper()
	ds, err := q.Queue().Receive(q.t.Context(), inq.ReceiveInput{Max: n, Wait: inq.Zero})
	q.t.NoError(err)
	q.t.Len(ds, n)
	return ds
}

// messages are messages with these bodies; on FIFO of one group.
func (q *Q) messages(bodies ...string) []inq.Message {
	ms := make([]inq.Message, len(bodies))
	for i, body := range bodies {
		ms[i].Body = body
		if q.isFIFO() {
			ms[i].GroupID, ms[i].DeduplicationID = "g", fmt.Sprint(i)
		}
	}
	return ms
}

// eachMethod sends two messages, receives one, and returns the error of each method that takes a
// context when it gets ctx.
func eachMethod(q *Q, ctx context.Context) map[string]error {
	q.t.Helper()
	q.SendAny("m1", "m2")
	handle := q.take(1)[0].ReceiptHandle()
	queue, errs := q.Queue(), map[string]error{}
	_, errs["Send"] = queue.Send(ctx, q.messages("m3")[0])
	_, errs["SendBatch"] = queue.SendBatch(ctx, q.messages("m3", "m4"))
	_, errs["Receive"] = queue.Receive(ctx, inq.ReceiveInput{Wait: inq.Zero})
	errs["Delete"] = queue.Delete(ctx, handle)
	errs["DeleteBatch"] = queue.DeleteBatch(ctx, []string{handle})
	errs["ChangeVisibility"] = queue.ChangeVisibility(ctx, handle, 0)
	errs["ChangeVisibilityBatch"] = queue.ChangeVisibilityBatch(ctx, []inq.VisibilityChange{{ReceiptHandle: handle}})
	errs["Purge"] = queue.Purge(ctx)
	_, errs["Counts"] = queue.Counts(ctx)
	return errs
}

// failsAt checks that one entry of a batch failed.
func (t *T) failsAt(err error, index int, want error) {
	t.Helper()
	t.Error(err)
	var b *inq.BatchError
	if !errors.As(err, &b) {
		t.failed(nil, "expected: an *inq.BatchError", "got:      "+show(err))
	}
	t.Len(b.Failed, 1)
	t.Equal(index, b.Failed[0].Index)
	t.ErrorIs(b.Failed[0].Err, want)
}

// wholeRefused checks that a batch was refused as a whole.
func (t *T) wholeRefused(err, want error) {
	t.Helper()
	t.ErrorIs(err, want)
	t.True(!errors.As(err, new(*inq.BatchError)), "a *BatchError is for entries that failed")
}
