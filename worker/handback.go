package worker

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"example.com/inq"
)

// This file holds the calls that hand settled messages back to their queue. One that fails is
// logged, and the message comes back by its visibility timeout instead.

// returner is what a queue has that can give a message back without counting the receive.
type returner interface {
	Return(ctx context.Context, receiptHandle string, delay time.Duration) error
}

// A change has a settled message come again after a delay.
type change struct {
	job   *job
	delay time.Duration
	why   error
}

// failed has up to ten settled messages tried again.
func (r *Runner) failed(changes []change) {
	changes = r.awaitAll(changes, func() { r.stats.Failed++ })
	for _, c := range changes {
		r.logFailure(c.job, c.delay, c.why)
	}
	r.change(changes)
}

// awaitAll settles messages, waits until no extension of them is under way, and drops those whose
// leases are over. The others it counts, and bounds their delays. What it returns has to be sent at
// once.
func (r *Runner) awaitAll(changes []change, count func()) []change {
	r.mu.Lock()
	changes = slices.DeleteFunc(changes, func(c change) bool { return c.job.state != settled && !r.settleLocked(c.job) })
	r.unlock()
	for _, c := range changes {
		r.awaitExtension(c.job)
	}
	r.mu.Lock()
	defer r.unlock()
	now := r.clock.now()
	kept := changes[:0]
	for _, c := range changes {
		if c.job.until <= now {
			r.lostLocked(c.job)
			continue
		}
		count()
		c.delay = bounded(now, c.job, c.delay)
		kept = append(kept, c)
	}
	return kept
}

// change is the call that changes up to ten visibility timeouts.
func (r *Runner) change(changes []change) {
	if len(changes) == 0 {
		return
	}
	until, entries := never, make([]inq.VisibilityChange, len(changes))
	for i, c := range changes {
		until = min(until, c.job.until)
		entries[i] = inq.VisibilityChange{ReceiptHandle: c.job.handle(), Timeout: c.delay}
	}
	ctx, cancel := r.within(until)
	defer cancel()
	failed := failedEntries(r.queue.ChangeVisibilityBatch(ctx, entries), len(changes))
	for i, c := range changes {
		r.note(c.job, failed(i))
	}
}

// snooze has a message come again later without calling that a failure.
func (r *Runner) snooze(j *job, delay time.Duration) {
	changes := r.awaitAll([]change{{j, delay, nil}}, func() { r.stats.Snoozed++ })
	if len(changes) == 0 {
		return
	}
	if r.returner != nil {
		ctx, cancel := r.within(j.until)
		defer cancel()
		err := r.returner.Return(ctx, j.handle(), changes[0].delay)
		if !errors.Is(err, inq.ErrInvalidParameter) { // a delay of more than 15 minutes (SQS: MSG-14)
			r.note(j, err)
			return
		}
	}
	r.change(changes)
}

// giveBackLocked gives back messages that have not begun, in a goroutine of its own.
func (r *Runner) giveBackLocked(jobs []*job) {
	if jobs = r.settleAllLocked(jobs); len(jobs) > 0 {
		r.goLocked(func() { r.giveBack(jobs) })
	}
}

// settleAllLocked settles jobs and returns those whose leases hold.
func (r *Runner) settleAllLocked(jobs []*job) []*job {
	return slices.DeleteFunc(jobs, func(j *job) bool { return !r.settleLocked(j) })
}

// giveBack has settled messages come again at once: without counting the receive where the queue
// can do that. The last one goes first, so that a FIFO group is unlocked by its first message, when
// the others are there again.
func (r *Runner) giveBack(jobs []*job) {
	if len(jobs) == 0 {
		return
	}
	r.awaitSilence(jobs)
	size := atOnce
	if r.returner != nil {
		size = 1
	}
	slices.Reverse(jobs)
	for some := range slices.Chunk(jobs, size) {
		changes := make([]change, len(some))
		for i, j := range some {
			changes[i].job = j
		}
		changes = r.awaitAll(changes, func() { r.stats.Returned++ })
		switch {
		case len(changes) == 0:
		case r.returner == nil:
			r.change(changes)
		default:
			j := changes[0].job
			ctx, cancel := r.within(j.until)
			r.note(j, r.returner.Return(ctx, j.handle(), 0))
			cancel()
		}
	}
}

// awaitSilence waits until no receive is under way that was told to end: it might get what is about
// to be given back. One that does not end must not cost the leases.
func (r *Runner) awaitSilence(jobs []*job) {
	r.mu.Lock()
	p := r.silenced
	r.unlock()
	if p == nil {
		return
	}
	until := never
	for _, j := range jobs {
		until = min(until, j.until)
	}
	timer := time.NewTimer(max((until-r.clock.now())/2, 0))
	defer timer.Stop()
	select {
	case <-p.silent:
	case <-timer.C:
	}
}

// note logs the failure of a call that hands a message back.
func (r *Runner) note(j *job, err error) {
	if err != nil {
		r.log(slog.LevelWarn, "a message could not be handed back and comes by its visibility timeout", r.about(j, slog.String("error", text(err)))...)
	}
}

// within returns the context of a call to the queue that must not be carried out when a lease is
// over.
func (r *Runner) within(until instant) (context.Context, context.CancelFunc) {
	if r.direct {
		return r.base, func() {}
	}
	return context.WithDeadline(r.base, r.clock.time(until))
}
