package worker

import (
	"errors"
	"log/slog"
	"time"

	"example.com/inq"
)

// settle does what the outcome of a call for one message asks for. It reports whether the message
// is out of the way, so that the next of its group may run.
func (r *Runner) settle(c *call, err error) (done bool) {
	j := c.jobs[0]
	r.mu.Lock()
	holds := r.settleLocked(j)
	r.unlock()
	if !holds {
		return false
	}
	v, delay := r.judge(c, j, err)
	if v == bury {
		v, delay, err = r.bury(j, err)
	}
	switch v {
	case succeed:
		return r.ackNow(j)
	case bury:
		return true
	}
	if c.line != nil {
		// They go first: while the one that failed is in flight, nobody gets them.
		r.mu.Lock()
		behind := r.settleAllLocked(c.line.behindLocked())
		r.unlock()
		r.giveBack(behind)
	}
	switch v {
	case snooze:
		r.snooze(j, delay)
	case cutOff:
		r.giveBack([]*job{j})
	case retry:
		r.failed([]change{{j, delay, err}})
	}
	return false
}

// judge finds out what is to be done about a message whose handler returned err.
func (r *Runner) judge(c *call, j *job, err error) (v verdict, delay time.Duration) {
	v, delay = judge(err)
	if v == retry || v == retryIn {
		switch {
		case c.cause == ErrShutdown:
			return cutOff, 0
		case r.maxAttempts > 0 && j.delivery.ReceiveCount >= r.maxAttempts:
			return bury, 0
		case v == retry:
			delay = r.delay(j)
		}
		v = retry
	}
	return v, delay
}

// delay asks the backoff.
func (r *Runner) delay(j *job) (d time.Duration) {
	if err := guard(func() error { d = r.backoff(max(j.delivery.ReceiveCount, 1)); return nil }); err != nil {
		r.log(slog.LevelError, "the backoff panicked, the message waits for a visibility timeout", slog.String("error", text(err)))
		return r.visibility
	}
	return d
}

// errExhausted is the outcome of a message that the handler is not called for.
var errExhausted = errors.New("worker: all attempts were made, and the last one did not end: its process died, or its lease was lost")

// exhausted reports that a message was received more often than it may be attempted: attempts ended that no
// handler has ended, with a process that they killed perhaps. It goes to the dead letters without one
// more, where it can and where a receive is an attempt: a queue that takes receives back.
func (r *Runner) exhausted(j *job) bool {
	if r.maxAttempts == 0 || j.delivery.ReceiveCount <= r.maxAttempts || r.returner == nil {
		return false
	}
	q, ok := r.queue.(inq.Local)
	return ok && q.Config().DeadLetter != nil
}

// spent reports whether a queue of this process hands the message to the dead letters by its own
// limit, in place of another attempt. Of other queues it is not known.
func (r *Runner) spent(j *job) bool {
	q, ok := r.queue.(inq.Local)
	if !ok {
		return false
	}
	limit := q.Config().MaxReceives
	return limit > 0 && j.delivery.ReceiveCount >= limit
}

// logFailure logs that a message has failed and is tried again. What no handler is there for is logged
// once.
func (r *Runner) logFailure(j *job, delay time.Duration, why error) {
	if nobody, ok := as[*unknownKindError](why); ok {
		r.mu.Lock()
		known := r.unknown[nobody.kind] || len(r.unknown) >= mostUnknown
		if !known {
			r.unknown[nobody.kind] = true
		}
		r.unlock()
		if known {
			return
		}
	}
	next := "trying again"
	if r.spent(j) {
		next = "the queue's own limit is reached"
	}
	attrs := []slog.Attr{slog.Duration("delay", delay), slog.String("error", text(why))}
	if panicked, ok := as[*PanicError](why); ok {
		r.log(slog.LevelError, "job panicked, "+next, r.about(j, append(attrs, slog.String("stack", string(panicked.Stack)))...)...)
		return
	}
	r.log(slog.LevelWarn, "job failed, "+next, r.about(j, attrs...)...)
}

// mostUnknown bounds how many kinds without a handler are remembered, since producers make them up.
const mostUnknown = 1000
