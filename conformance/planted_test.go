package conformance

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/conformance/internal/suite"
)

// watched is a test whose failure is kept and fails nothing.
type watched struct {
	testing.TB
	failure string
}

func (w *watched) Fatalf(format string, args ...any) {
	w.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failure runs one case over a wrapper, in a bubble, and returns how it failed.
func failure(t *testing.T, wrap func(inq.Queue) inq.Queue, rule, name string) string {
	var c suite.Case
	for _, chapter := range suite.Chapters() {
		if i := slices.IndexFunc(chapter.Cases, func(c suite.Case) bool { return c.Rule == rule && c.Name == name }); i >= 0 {
			c = chapter.Cases[i]
			c.Needs |= chapter.Needs
		}
	}
	require.NotNil(t, c.Run, "there is no case %s/%s", rule, name)
	var w *watched
	synctest.Test(t, func(t *testing.T) {
		w = &watched{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			suite.RunCase(w, wrapperHarness(wrap, nil), c, new(string))
		}()
		<-done
	})
	return w.failure
}

// faulty is a wrapper with a fault: what is not nil replaces a method of the queue.
type faulty struct {
	inq.Queue
	send   func(ctx context.Context, m inq.Message) (inq.Sent, error)
	batch  func(ctx context.Context, ms []inq.Message) ([]inq.Sent, error)
	take   func(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error)
	delete func(ctx context.Context, receiptHandle string) error
	change func(ctx context.Context, receiptHandle string, timeout time.Duration) error
	counts func(ctx context.Context) (inq.Counts, error)
}

func (f *faulty) Send(ctx context.Context, m inq.Message) (inq.Sent, error) {
	if f.send != nil {
		return f.send(ctx, m)
	}
	return f.Queue.Send(ctx, m)
}

func (f *faulty) SendBatch(ctx context.Context, ms []inq.Message) ([]inq.Sent, error) {
	if f.batch != nil {
		return f.batch(ctx, ms)
	}
	return f.Queue.SendBatch(ctx, ms)
}

func (f *faulty) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	if f.take != nil {
		return f.take(ctx, in)
	}
	ds, err := f.Queue.Receive(ctx, in)
	for i := range ds {
		ds[i].Rebind(f)
	}
	return ds, err
}

func (f *faulty) Delete(ctx context.Context, receiptHandle string) error {
	if f.delete != nil {
		return f.delete(ctx, receiptHandle)
	}
	return f.Queue.Delete(ctx, receiptHandle)
}

func (f *faulty) ChangeVisibility(ctx context.Context, receiptHandle string, timeout time.Duration) error {
	if f.change != nil {
		return f.change(ctx, receiptHandle, timeout)
	}
	return f.Queue.ChangeVisibility(ctx, receiptHandle, timeout)
}

func (f *faulty) Counts(ctx context.Context) (inq.Counts, error) {
	if f.counts != nil {
		return f.counts(ctx)
	}
	return f.Queue.Counts(ctx)
}

func TestRunWrapper_FindsPlantedFaults(t *testing.T) {
	for _, planted := range []struct {
		fault      string
		plant      func(f *faulty)
		rule, name string
		want, got  string
	}{
		{
			"a delete is forgotten",
			func(f *faulty) { f.delete = func(context.Context, string) error { return nil } },
			"LC-6", "a deleted message never comes back",
			`["m3"]`,
			`["m1","m2","m3"]`,
		},
		{
			"a message is sent twice",
			func(f *faulty) {
				f.send = func(ctx context.Context, m inq.Message) (inq.Sent, error) {
					if _, err := f.Queue.Send(ctx, m); err != nil {
						return inq.Sent{}, err
					}
					return f.Queue.Send(ctx, m)
				}
			},
			"QUEUE-CONCURRENT", "of many consumers one has each message",
			"[200,0,0]",
			"[400,0,0]",
		},
		{
			"a receive outlives its context",
			func(f *faulty) {
				f.take = func(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
					if err := ctx.Err(); err != nil {
						return nil, err
					}
					return f.Queue.Receive(context.WithoutCancel(ctx), in)
				}
			},
			"QUEUE-CONTEXT", "a receive whose context ends while it waits takes nothing",
			"context deadline exceeded",
			"nil",
		},
		{
			"an error is wrapped, and no sentinel found in it",
			func(f *faulty) {
				f.delete = func(ctx context.Context, receiptHandle string) error {
					if err := f.Queue.Delete(ctx, receiptHandle); err != nil {
						return fmt.Errorf("delete %s: %v", receiptHandle, err)
					}
					return nil
				}
			},
			"TABLE-HANDLES", "malformed handle",
			"a refusal with ReceiptHandleIsInvalid, one of the errors inq: receipt handle is invalid",
			`delete x: inq: receipt handle is invalid: ReceiptHandle "x": not a handle of this queue`,
		},
		{
			"failed entries are told as a failed batch",
			func(f *faulty) {
				f.batch = func(ctx context.Context, ms []inq.Message) ([]inq.Sent, error) {
					sent, err := f.Queue.SendBatch(ctx, ms)
					if err != nil {
						return nil, inq.ErrInvalidMessageContents
					}
					return sent, nil
				}
			},
			"QUEUE-BATCH", "a refused message is told by its index, and the others are sent",
			"an *inq.BatchError",
			"inq: invalid message contents",
		},
		{
			"a timeout is a second too long",
			func(f *faulty) {
				f.change = func(ctx context.Context, receiptHandle string, timeout time.Duration) error {
					return f.Queue.ChangeVisibility(ctx, receiptHandle, timeout+time.Second)
				}
			},
			"QUEUE-DELIVERY", "it keeps its message for longer",
			"[1,0,0]",
			"[0,1,0]",
		},
		{
			"deliveries belong to no queue",
			func(f *faulty) {
				f.take = func(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
					ds, err := f.Queue.Receive(ctx, in)
					for i, d := range ds {
						ds[i] = inq.NewDelivery(nil, inq.DeliveryFields{ID: d.ID(), Body: d.Body, ReceiptHandle: d.ReceiptHandle()})
					}
					return ds, err
				}
			},
			"QUEUE-DELIVERY", "it deletes its message",
			"no error",
			`inq: missing parameter: ReceiptHandle "": the Delivery is empty`,
		},
		{
			"messages in flight are counted as visible",
			func(f *faulty) {
				f.counts = func(ctx context.Context) (inq.Counts, error) {
					c, err := f.Queue.Counts(ctx)
					return inq.Counts{Visible: c.Visible + c.NotVisible, Delayed: c.Delayed}, err
				}
			},
			"TABLE-COUNTERS", "visible, in flight and delayed messages are told apart",
			"[2,1,1]",
			"[3,0,1]",
		},
	} {
		wrap := func(q inq.Queue) inq.Queue {
			f := &faulty{Queue: q}
			planted.plant(f)
			return f
		}
		t.Run(planted.fault, func(t *testing.T) {
			assert.Empty(t, failure(t, func(q inq.Queue) inq.Queue { return &faulty{Queue: q} }, planted.rule, planted.name))
			want := planted.rule + ", " + planted.name + "\n\texpected: " + planted.want + "\n\tgot:      " + planted.got
			assert.Equal(t, want, failure(t, wrap, planted.rule, planted.name))
		})
	}
}

func TestNeeds_AreThoseOfTheSuite(t *testing.T) {
	assert.Equal(t, "Time|Members|Texts|Unchecked|Zeros|Engine|Queues",
		suite.Needs(Time|Members|Texts|Unchecked|Zeros|Engine|Queues).String())
}
