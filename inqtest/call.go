package inqtest

import (
	"context"
	"errors"
	"slices"
	"time"

	"example.com/inq"
	"example.com/inq/internal/disturbance"
)

// call is one call under a plan, at either face. Its methods are the stages of the call, in order.
type call struct {
	plan      *Plan
	operation Operation
	queue     string

	ended <-chan struct{} // closed when nothing is to be slow any more; nil: never

	void    bool  // refused by the queue whatever the plan says
	failing []int // entries of the batch
	expire  bool  // the handles it is given
	how     disturbance.Receive
}

// begin inflicts what comes before the call. An error ends it.
func (c *call) begin(ctx context.Context) (reset bool, err error) {
	if c.void = ctx == nil || ctx.Err() != nil; c.void {
		return false, nil
	}
	hit, seeds := c.plan.strikes(before, c.operation, c.queue)
	for i, t := range hit {
		switch {
		case t.slow != 0:
			if err := pause(ctx, c.ended, t.slow); err != nil {
				return false, err
			}
		case t.ends:
			c.plan.failed(ctx)
			return t.reset, t.err
		case t.shuffle:
			c.how.Shuffle, c.how.Seed = true, c.how.Seed^seeds[i]
		case t.sample:
			c.how.Sample, c.how.Share, c.how.Seed = true, t.share, c.how.Seed^seeds[i]
		}
		c.failing = append(c.failing, t.entries...)
		c.expire = c.expire || t.expire
	}
	return false, nil
}

func pause(ctx context.Context, ended <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// receive is q.Receive under the plan.
func (c *call) receive(ctx context.Context, q inq.Queue, in inq.ReceiveInput) (ds []inq.Delivery, err error) {
	if c.how.Shuffle || c.how.Sample {
		got, failure := disturbance.ReceiveFrom(ctx, standardOf(q), in, c.how)
		ds, _ = got.([]inq.Delivery)
		err = failure
		if counting, ok := q.(*counted); ok {
			counting.received(ds, err)
		}
	} else {
		ds, err = q.Receive(ctx, in)
	}
	if err != nil || len(ds) == 0 || c.void {
		return ds, err
	}
	hit, _ := c.plan.strikes(received, c.operation, c.queue)
	for _, t := range hit {
		for i := range ds {
			if t.duplicate {
				disturbance.Duplicate(standardOf(q), ds[i].ReceiptHandle())
			} else {
				lapse(ctx, bare(q), ds[i].ReceiptHandle())
			}
		}
	}
	return ds, nil
}

// handles inflicts what comes before a call with these handles.
func (c *call) handles(ctx context.Context, q inq.Queue, handles ...string) {
	if c.expire {
		for _, h := range handles {
			lapse(ctx, bare(q), h)
		}
	}
}

// lapse ends the receive of a handle. One that is no good is left for the call itself to refuse.
func lapse(ctx context.Context, q inq.Queue, handle string) {
	_ = q.ChangeVisibility(ctx, handle, inq.Zero)
}

// mostEntries is how many entries a batch of SQS has.
const mostEntries = 10

// batch carries out a batch of n entries without those that are to fail. do gets the indices of the
// others.
func (c *call) batch(n int, do func(keep []int) error) error {
	var keep, failed []int
	for i := range n {
		if slices.Contains(c.failing, i) {
			failed = append(failed, i)
		} else {
			keep = append(keep, i)
		}
	}
	if len(failed) == 0 || n > mostEntries {
		return do(indices(n)) // too long a batch is refused as it is
	}
	var all []inq.BatchFailure
	if len(keep) != 0 {
		err := do(keep)
		var some *inq.BatchError
		if err != nil && !errors.As(err, &some) {
			return err
		}
		if some != nil {
			for _, f := range some.Failed {
				if f.Index >= 0 && f.Index < len(keep) { // a queue of somebody else may say anything
					all = append(all, inq.BatchFailure{Index: keep[f.Index], Err: f.Err})
				}
			}
		}
	}
	for _, i := range failed {
		all = append(all, inq.BatchFailure{Index: i, Err: errEntry})
	}
	slices.SortFunc(all, func(a, b inq.BatchFailure) int { return a.Index - b.Index })
	return &inq.BatchError{Failed: all}
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// mostAtOnce is how many calls can fail at one instant: more than a test that means well sends at once.
const mostAtOnce = 100_000

// failed notes that a call failed on purpose. In a bubble, code that tries again without a pause lets no
// time pass, and what the plan would have end never does: that fails the test, and such calls take time
// from then on.
func (p *Plan) failed(ctx context.Context) {
	at := time.Since(p.begun)
	p.mu.Lock()
	if at != p.instant {
		p.instant, p.burst = at, 0
	}
	p.burst++
	tell := p.burst == mostAtOnce && !p.hasty && !p.over
	p.hasty = p.hasty || tell
	hasty := p.hasty
	p.mu.Unlock()
	if tell {
		p.tb.Errorf("inqtest: %d calls have failed at the same instant: the code under test tries again without a pause", mostAtOnce)
	}
	if hasty {
		_ = pause(ctx, nil, time.Millisecond)
	}
}

// lost reports whether the answer gets lost. Who gave up on it does not get to know.
func (c *call) lost(ctx context.Context) bool {
	if c.void || ctx.Err() != nil {
		return false
	}
	hit, _ := c.plan.strikes(after, c.operation, c.queue)
	if len(hit) == 0 {
		return false
	}
	c.plan.failed(ctx)
	return true
}
