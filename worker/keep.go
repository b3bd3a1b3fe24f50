package worker

import (
	"time"
)

// patience is how long a handler has to return once its context is cancelled, before it counts as
// stuck.
const patience = 5 * time.Second

// keep is the life of the goroutine that does everything that is due at a time: one for all leases
// and all calls.
func (r *Runner) keep() {
	defer close(r.kept)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-r.kick:
		case <-timer.C:
		case <-r.done:
			return
		}
		r.mu.Lock()
		now := r.clock.now()
		r.tendLocked(now)
		if r.armed = r.nextLocked(); r.armed == never {
			timer.Stop()
		} else {
			timer.Reset(max(r.armed-r.clock.now(), 0))
		}
		r.unlock()
	}
}

// scheduleLocked has keep wake up at a time or before.
func (r *Runner) scheduleLocked(at instant) {
	if at >= r.armed {
		return
	}
	r.armed = at
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// tendLocked does what is due.
func (r *Runner) tendLocked(now instant) {
	r.tendLeasesLocked(now)
	for c := r.running.first; c != nil && r.timeout > 0 && c.began+r.timeout <= now; c = r.running.first {
		r.cancelLocked(now, c, ErrTimeout)
	}
	if r.phase == stopping && r.cutAt <= now {
		for c := r.running.first; c != nil; c = r.running.first {
			r.cancelLocked(now, c, ErrShutdown)
		}
	}
	r.tendCancelledLocked(now)
	if r.window != nil && r.windowEnds <= now {
		r.closeWindowLocked()
	}
	r.tendAcksLocked(now)
	if r.pollAt > 0 && r.pollAt <= now {
		r.pollAt = 0
	}
	r.tendScaleLocked(now)
	r.wakeLocked()
	r.endLocked()
}

// nextLocked returns when something is due next.
func (r *Runner) nextLocked() instant {
	next := never
	if len(r.leases) > 0 {
		next = r.leases[0].due
	}
	if c := r.running.first; c != nil && r.timeout > 0 {
		next = min(next, c.began+r.timeout)
	}
	if c := r.cancelled.first; c != nil {
		next = min(next, c.cancelled+patience)
	}
	if r.phase == stopping && r.cutAt > r.clock.now() {
		next = min(next, r.cutAt)
	}
	if r.window != nil {
		next = min(next, r.windowEnds)
	}
	if r.acks.at > 0 {
		next = min(next, r.acks.at)
	}
	if r.pollAt > 0 {
		next = min(next, r.pollAt)
	}
	if r.scaleAt > 0 {
		next = min(next, r.scaleAt)
	}
	return next
}

// cancelLocked ends the context of a call that runs, and gives it a time to return.
func (r *Runner) cancelLocked(now instant, c *call, cause error) {
	r.running.remove(c)
	r.cancelled.add(c)
	c.stage, c.cancelled, c.cause = cancelled, now, cause
	if cause != ErrTimeout { // which the context knows by itself
		c.cancel(cause)
	}
	r.scheduleLocked(now + patience)
}
