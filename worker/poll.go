package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"example.com/inq"
)

const (
	longestWait = 20 * time.Second // of a receive
	// maxPolls is how many receives may be under way at once. There is one, unless the queue is far
	// away and there are both messages and slots for more than one brings: then the way there and back
	// would be the limit.
	maxPolls = 10
	// farAway is how long a receive takes that brings something at once over a network.
	farAway = time.Millisecond
	// Pauses after a receive that failed, and after one that answered at once that there was
	// nothing although it was to wait, double from the first to the last.
	firstPause, lastPause = 100 * time.Millisecond, 10 * time.Second
	lastEmptyPause        = time.Second
)

// A polling is the receives that a stop or a pause ends together.
type polling struct {
	context.Context
	cancel context.CancelFunc
	under  int           // receives under way
	told   bool          // it was told to end
	silent chan struct{} // closed when it was and none is
}

func newPolling(base context.Context) *polling {
	p := &polling{silent: make(chan struct{})}
	p.Context, p.cancel = context.WithCancel(base)
	return p
}

// add counts a receive that begins, or with -1 one that ends.
func (p *polling) add(n int) {
	if p.under += n; p.under == 0 && p.told {
		close(p.silent)
	}
}

// silenceLocked tells the receives that are under way to end.
func (r *Runner) silenceLocked() {
	p := r.polling
	r.polling, r.silenced = newPolling(r.base), p
	p.cancel()
	p.told = true
	p.add(0)
}

// wantLocked returns how many messages to receive now: never more than there are slots for.
func (r *Runner) wantLocked() int {
	if r.phase != started || r.paused || r.polls >= r.mostPolls || r.pollAt > 0 || r.acks.failures > 0 {
		return 0
	}
	free := r.limit - r.active - r.waiting
	if r.batch != nil {
		if free < 1 {
			return 0
		}
		return max(min(r.max-r.windowLen()-r.asked, atOnce), 0)
	}
	return max(min(free-r.asked, r.mostAtOnce()), 0)
}

// mostAtOnce returns how many messages one receive may bring.
func (r *Runner) mostAtOnce() int {
	if r.fifo && r.returner == nil && r.batch == nil {
		return 1 // what waits behind a failure could not be given back without costing it a try
	}
	return atOnce
}

// pollLocked is one receive for n slots.
func (r *Runner) pollLocked(w *worker, n int) {
	r.polls++
	r.polling.add(1)
	r.asked += n
	ctx, wait := r.polling, r.waitLocked(w.now)
	tokens := min(r.tokens, n)
	r.tokens -= tokens
	r.unlock()

	var ds []inq.Delivery
	var err error
	asked := n
	if r.waiter != nil {
		asked, err = r.takeTokens(ctx, tokens, n)
		tokens = asked
	}
	if !r.direct || r.waiter != nil { // otherwise it has looked a moment ago
		w.look()
	}
	left := w.now
	if err == nil {
		ds, err = r.queue.Receive(ctx, inq.ReceiveInput{Max: asked, Wait: wait, VisibilityTimeout: r.visibility})
	}
	w.look()

	r.mu.Lock()
	r.polls--
	ctx.add(-1)
	r.asked -= n
	if r.waiter != nil {
		r.tokens += max(tokens-len(ds), 0)
	}
	if err != nil {
		r.pollFailedLocked(w.now, ctx, err)
		return
	}
	r.pollFailures = 0
	r.stats.Receives++
	r.stats.Received += uint64(len(ds))
	if len(ds) == 0 {
		r.stats.EmptyReceives++
		r.mostPolls = 1
		if w.now-left < wait/2 { // this queue does not wait
			r.emptyAnswers++
			r.pauseLocked(w.now, lastEmptyPause, r.emptyAnswers)
		}
		return
	}
	r.emptyAnswers = 0
	switch {
	case len(ds) < asked:
		r.mostPolls = 1
	case asked < r.mostAtOnce(): // it is slots that are short, and more receives would bring less each
		r.mostPolls = max(r.mostPolls-1, 1)
	case w.now-left >= farAway:
		r.mostPolls = min(r.mostPolls+1, maxPolls)
	}
	r.arriveLocked(left, w.now, ds)
}

// waitLocked returns how long a receive is to wait. A message that comes at the end of it still has
// half of its lease, which is counted from the beginning.
func (r *Runner) waitLocked(now instant) time.Duration {
	wait := min(r.visibility/2, longestWait)
	if wait >= time.Second {
		wait = wait.Truncate(time.Second) // rounding up on the way to SQS would take from the lease
	}
	if r.window != nil {
		wait = min(wait, r.windowEnds-now)
	}
	if wait <= 0 {
		return inq.Zero
	}
	return wait
}

// pollFailedLocked deals with the error of a receive, or of asking the limit.
func (r *Runner) pollFailedLocked(now instant, ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // we ended it ourselves
	}
	r.stats.ReceiveErrors++
	r.mostPolls = 1
	if errors.Is(err, inq.ErrClosed) || errors.Is(err, inq.ErrQueueDoesNotExist) {
		r.failLocked(err)
		return
	}
	if r.pollFailures++; r.pollFailures == 1 {
		r.logLocked(slog.LevelWarn, "receive failed, trying again", slog.String("error", text(err)))
	}
	r.pauseLocked(now, lastPause, r.pollFailures)
}

// pauseLocked keeps from receiving for a while, after the nth failure in a row.
func (r *Runner) pauseLocked(now instant, longest time.Duration, n int) {
	r.pollAt = now + doubled(firstPause, longest, n)
	r.scheduleLocked(r.pollAt)
}

// doubled returns first at the first of something, and twice as much each time, up to longest.
func doubled(first, longest time.Duration, n int) time.Duration {
	return min(first<<min(n-1, 30), longest)
}

// arriveLocked takes in what a receive has brought that left at a given time.
func (r *Runner) arriveLocked(left, now instant, ds []inq.Delivery) {
	deadline := left + r.visibility
	if deadline <= now {
		r.stats.Lost += uint64(len(ds))
		r.logLocked(slog.LevelWarn, "a receive took longer than the visibility timeout, its messages are left alone", slog.Int("messages", len(ds)))
		return
	}
	parts := make([]struct {
		job  job
		call call // unless they are collected for a batch
	}, len(ds))
	r.arrivals++
	var l *lease
	for i := range ds {
		if i%atOnce == 0 {
			r.arrivedLocked(l)
			l = &lease{deadline: deadline, pos: -1}
		}
		j := &parts[i].job
		j.delivery, j.received, j.arrival = &ds[i], left, r.arrivals
		if !r.direct { // a handler or a middleware may bind the delivery to another queue meanwhile
			j.receipt = ds[i].ReceiptHandle()
		}
		l.add(j)
		if r.batch != nil {
			r.collectLocked(now, j)
			continue
		}
		c := &parts[i].call
		c.one[0] = j
		c.jobs, j.call = c.one[:], c
		r.queueLocked(c)
	}
	r.arrivedLocked(l)
	if r.window != nil && r.windowEnds <= now {
		r.closeWindowLocked()
	}
	// A receive that was under way when the runner was paused or stopped.
	if r.phase != started || r.paused && r.returner != nil {
		r.giveBackLocked(r.shedLocked())
	}
}

// arrivedLocked has a lease taken care of, all of whose jobs are there.
func (r *Runner) arrivedLocked(l *lease) {
	if l != nil {
		r.keepLocked(l, l.deadline-r.ahead)
	}
}

// queueLocked has a call wait for a slot, or in the line of its group.
func (r *Runner) queueLocked(c *call) {
	if r.fifo && !r.joinLocked(c) {
		return
	}
	r.pending.add(c)
	r.waiting++
}

// shedLocked takes out everything that has not begun.
func (r *Runner) shedLocked() []*job {
	var jobs []*job
	for c := r.pending.first; c != nil; c = r.pending.first {
		r.pending.remove(c)
		jobs = append(jobs, c.jobs...)
		if c.line != nil {
			delete(r.lines, c.line.group)
			jobs = append(jobs, c.line.shed()...)
		}
	}
	r.waiting = 0
	for _, l := range r.lines {
		jobs = append(jobs, l.shed()...)
	}
	if r.window != nil {
		jobs = append(jobs, r.window.jobs...)
		r.window = nil
	}
	return jobs
}
