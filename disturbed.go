package inq

import (
	"context"

	"example.com/inq/internal/disturbance"
)

// This file is what a Standard queue may do and these never do by themselves: deliver a message twice,
// in any order, or find only a share of what is there. A test asks for it, by package inqtest.

func init() {
	disturbance.ReceiveFrom = func(ctx context.Context, q, in any, how disturbance.Receive) (any, error) {
		return localQueue(q).receiveDisturbed(ctx, in.(ReceiveInput), how)
	}
	disturbance.Duplicate = func(q any, receiptHandle string) bool {
		return localQueue(q).duplicate(receiptHandle)
	}
}

// receiveDisturbed is Receive of a Standard queue, disturbed.
func (q *queue) receiveDisturbed(ctx context.Context, in ReceiveInput, how disturbance.Receive) ([]Delivery, error) {
	if err := q.checkContext(ctx); err != nil {
		return nil, err
	}
	var c receiveCall
	if err := q.checkReceive(&c, &in); err != nil {
		return nil, q.refused(err)
	}
	if c.wait > 0 {
		how.Sample = false
	}
	if how.Sample || how.Shuffle {
		c.disturbed, c.inLine = &how, false // not a short path
	}
	return q.receive(ctx, &c, nil)
}

// duplicate has the message of a receive that is in flight delivered once more, and reports whether it
// will be.
func (q *queue) duplicate(receiptHandle string) bool {
	rc, err := q.ids.parse(receiptHandle)
	if err != nil || q.fifo != nil {
		return false
	}
	now, err := q.enter()
	if err != nil {
		return false
	}
	r, err := q.findCurrentLocked(now, rc)
	if err == nil {
		q.duplicateLocked(now, rc.slot, r)
	}
	return q.done(now, err) == nil
}
