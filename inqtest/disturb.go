package inqtest

import (
	"context"
	"errors"
	"reflect"
	"time"

	"example.com/inq"
)

// Disturb returns q under a plan: each call of a method meets the faults that the plan has for it, and so
// do the methods of the deliveries that it returns. It works around any queue, those of Amazon SQS
// included; rules with [Duplicate], [Reorder] and [Sample], which ask something of the queue, end the test
// where they could concern a q that is neither an [*inq.Standard] nor an [*inq.FIFO] itself, be it behind
// [Server.Count]. Other users of q are not disturbed.
//
// What is returned can Return and Bury, and tell its DeadLetterQueue, if q can; Return counts as a change
// of visibility, and Bury meets no faults. Where plan is nil it is q. A nil q ends the test.
func Disturb(q inq.Queue, plan *Plan) inq.Queue {
	if plan == nil {
		return q
	}
	plan.tb.Helper()
	if isNil(q) {
		plan.tb.Fatalf("inqtest: Disturb(nil): must have a queue")
		return nil
	}
	_, fifo := inner(q).(*inq.FIFO)
	for i := range plan.rules {
		r := &plan.rules[i]
		if t := r.fault.trouble(); t.ours && standardOf(q) == nil && !fifo && r.concerns(Receive, q.Name(), r.from) {
			plan.tb.Fatalf("inqtest: rule %d, %v: %s needs an *inq.Standard, and cannot be inflicted on queue %s, a %T", i+1, r, t.name, q.Name(), q)
			return q
		}
	}
	d := &disturbed{queue: q, plan: plan}
	ret, returns := q.(returner)
	bury, buries := q.(burier)
	dead, knows := q.(deadLetterQueuer)
	r := &returning{d, ret}
	switch {
	case returns && buries:
		d.self = &struct {
			*returning
			burier
		}{r, bury}
	case returns && knows:
		d.self = &struct {
			*returning
			deadLetterQueuer
		}{r, dead}
	case returns:
		d.self = r
	case buries:
		d.self = &struct {
			*disturbed
			burier
		}{d, bury}
	case knows:
		d.self = &struct {
			*disturbed
			deadLetterQueuer
		}{d, dead}
	default:
		d.self = d
	}
	return d.self
}

// What queues can have beyond inq.Queue.
type (
	returner interface {
		Return(ctx context.Context, receiptHandle string, delay time.Duration) error
	}
	burier interface {
		Bury(ctx context.Context, receiptHandle, reason string) error
	}
)

// inner is q itself, without the counting of its calls.
func inner(q inq.Queue) inq.Queue {
	if c, ok := q.(*counted); ok {
		return inner(c.Local)
	}
	return q
}

// isNil reports whether q is nil, be it of a type of queues.
func isNil(q inq.Queue) bool {
	v := reflect.ValueOf(q)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// bare is the queue itself, without all that this package puts around it: for calls that are not those of
// the code under test.
func bare(q inq.Queue) inq.Queue {
	for {
		around, ok := q.(interface{ behind() inq.Queue })
		if !ok {
			return q
		}
		q = around.behind()
	}
}

func (q *disturbed) behind() inq.Queue { return q.queue }
func (c *counted) behind() inq.Queue   { return c.Local }

// standardOf returns the queue that can be asked for what these never do by themselves, nil for none.
func standardOf(q inq.Queue) *inq.Standard {
	s, _ := inner(q).(*inq.Standard)
	return s
}

// disturbed is a queue under a plan.
type disturbed struct {
	queue inq.Queue
	plan  *Plan
	self  inq.Queue // what the methods of its deliveries call
}

// returning is a queue that can take receives back, under a plan.
type returning struct {
	*disturbed
	to returner
}

// under carries out a call under the plan.
func (q *disturbed) under(ctx context.Context, o Operation, do func(c *call) error) error {
	c := &call{plan: q.plan, operation: o, queue: q.queue.Name()}
	if _, err := c.begin(ctx); err != nil {
		return err
	}
	err := do(c)
	if c.lost(ctx) {
		return errLost
	}
	return err
}

func (q *disturbed) Name() string { return q.queue.Name() }

func (q *disturbed) Send(ctx context.Context, m inq.Message) (sent inq.Sent, err error) {
	err = q.under(ctx, Send, func(*call) (err error) {
		sent, err = q.queue.Send(ctx, m)
		return err
	})
	if err != nil {
		return inq.Sent{}, err
	}
	return sent, nil
}

func (q *disturbed) SendBatch(ctx context.Context, ms []inq.Message) (sent []inq.Sent, err error) {
	err = q.under(ctx, SendBatch, func(c *call) (err error) {
		sent, err = c.sendBatch(ctx, q.queue, ms)
		return err
	})
	if err != nil && !errors.As(err, new(*inq.BatchError)) {
		return nil, err
	}
	return sent, err
}

func (q *disturbed) Receive(ctx context.Context, in inq.ReceiveInput) (ds []inq.Delivery, err error) {
	err = q.under(ctx, Receive, func(c *call) (err error) {
		ds, err = c.receive(ctx, q.queue, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range ds {
		ds[i].Rebind(q.self)
	}
	return ds, nil
}

func (q *disturbed) Delete(ctx context.Context, receiptHandle string) error {
	return q.under(ctx, Delete, func(c *call) error {
		c.handles(ctx, q.queue, receiptHandle)
		return q.queue.Delete(ctx, receiptHandle)
	})
}

func (q *disturbed) DeleteBatch(ctx context.Context, receiptHandles []string) error {
	return q.under(ctx, DeleteBatch, func(c *call) error { return c.deleteBatch(ctx, q.queue, receiptHandles) })
}

func (q *disturbed) ChangeVisibility(ctx context.Context, receiptHandle string, timeout time.Duration) error {
	return q.under(ctx, ChangeVisibility, func(c *call) error {
		c.handles(ctx, q.queue, receiptHandle)
		return q.queue.ChangeVisibility(ctx, receiptHandle, timeout)
	})
}

func (q *disturbed) ChangeVisibilityBatch(ctx context.Context, changes []inq.VisibilityChange) error {
	return q.under(ctx, ChangeVisibilityBatch, func(c *call) error { return c.changeBatch(ctx, q.queue, changes) })
}

func (q *disturbed) Purge(ctx context.Context) error {
	return q.under(ctx, Purge, func(*call) error { return q.queue.Purge(ctx) })
}

func (q *disturbed) Counts(ctx context.Context) (n inq.Counts, err error) {
	err = q.under(ctx, Counts, func(*call) (err error) {
		n, err = q.queue.Counts(ctx)
		return err
	})
	if err != nil {
		return inq.Counts{}, err
	}
	return n, nil
}

// Return counts as a change of visibility.
func (q *returning) Return(ctx context.Context, receiptHandle string, delay time.Duration) error {
	return q.under(ctx, ChangeVisibility, func(c *call) error {
		c.handles(ctx, q.queue, receiptHandle)
		return q.to.Return(ctx, receiptHandle, delay)
	})
}

// sendBatch is q.SendBatch without the entries that are to fail.
func (c *call) sendBatch(ctx context.Context, q inq.Queue, ms []inq.Message) ([]inq.Sent, error) {
	sent := make([]inq.Sent, len(ms))
	err := c.batch(len(ms), func(keep []int) error {
		some, err := q.SendBatch(ctx, pick(ms, keep))
		for i, s := range some[:min(len(some), len(keep))] {
			sent[keep[i]] = s
		}
		return err
	})
	return sent, err
}

func (c *call) deleteBatch(ctx context.Context, q inq.Queue, receiptHandles []string) error {
	c.handles(ctx, q, receiptHandles...)
	return c.batch(len(receiptHandles), func(keep []int) error { return q.DeleteBatch(ctx, pick(receiptHandles, keep)) })
}

func (c *call) changeBatch(ctx context.Context, q inq.Queue, changes []inq.VisibilityChange) error {
	for i := range changes {
		c.handles(ctx, q, changes[i].ReceiptHandle)
	}
	return c.batch(len(changes), func(keep []int) error { return q.ChangeVisibilityBatch(ctx, pick(changes, keep)) })
}

// pick returns the elements with these indices.
func pick[E any](s []E, indices []int) []E {
	some := make([]E, len(indices))
	for i, n := range indices {
		some[i] = s[n]
	}
	return some
}
