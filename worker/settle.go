package worker

import (
	"errors"
	"log/slog"
	"time"
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
	v, delay, why := succeed, time.Duration(0), err
	if err != nil {
		v, delay, why = r.tryBury(c, j, err)
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
		r.failed([]change{{j, delay, why}})
	}
	return false
}

// tryBury finds out what is to be done about a settled message whose handler returned an error, and
// buries it where that is to be done. A message that cannot be buried is tried again.
func (r *Runner) tryBury(c *call, j *job, err error) (v verdict, delay time.Duration, why error) {
	v, delay = judge(err)
	switch {
	case v != retry && v != retryIn:
	case c.cause == ErrShutdown:
		return cutOff, 0, err
	case r.maxAttempts > 0 && j.delivery.ReceiveCount >= r.maxAttempts:
		v = bury
	case v == retryIn:
		return retry, delay, err
	}
	if v == bury {
		if !r.await(j) {
			return lapsed, 0, err
		}
		failure := r.bury(j, err)
		if failure == nil {
			return bury, 0, err
		}
		v, err = retry, errors.Join(err, failure)
	}
	if v == retry {
		delay = r.delay(j)
	}
	return v, delay, err
}

// delay asks the backoff.
func (r *Runner) delay(j *job) (d time.Duration) {
	if err := guard(func() error { d = r.backoff(max(j.delivery.ReceiveCount, 1)); return nil }); err != nil {
		r.log(slog.LevelError, "the backoff panicked, the message waits for a visibility timeout", slog.String("error", text(err)))
		return r.visibility
	}
	return d
}

// logFailure logs that a message is tried again. What no handler is there for is logged once.
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
	attrs := []slog.Attr{slog.Duration("delay", delay), slog.String("error", text(why))}
	if panicked, ok := as[*PanicError](why); ok {
		r.log(slog.LevelError, "job panicked, trying again", r.about(j, append(attrs, slog.String("stack", string(panicked.Stack)))...)...)
		return
	}
	r.log(slog.LevelWarn, "job failed, trying again", r.about(j, attrs...)...)
}

// mostUnknown bounds how many kinds without a handler are remembered, since producers make them up.
const mostUnknown = 1000
