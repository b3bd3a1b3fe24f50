package worker

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/inq"
)

// What queues may have beyond [inq.Queue].
type (
	// returner gives a message back without counting the receive.
	returner interface {
		Return(ctx context.Context, receiptHandle string, delay time.Duration) error
	}
	// burier hands a message to the dead-letter target.
	burier interface {
		Bury(ctx context.Context, receiptHandle, reason string) error
	}
	// deadLetterQueuer knows its dead-letter queue.
	deadLetterQueuer interface {
		DeadLetterQueue(ctx context.Context) (inq.Queue, error)
	}
)

// longestReturn is how long a Return can keep a message back (SQS: MSG-14).
const longestReturn = 15 * time.Minute

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

// A change has a settled message come again after a delay.
type change struct {
	job   *job
	delay time.Duration
	why   error
}

// failed has up to ten settled messages tried again.
func (r *Runner) failed(changes []change) {
	changes = slices.DeleteFunc(changes, func(c change) bool { return !r.await(c.job) })
	now := r.clock.now()
	r.mu.Lock()
	for i := range changes {
		changes[i].delay = r.boundLocked(now, changes[i].job, changes[i].delay)
	}
	r.stats.Failed += uint64(len(changes))
	r.unlock()
	for _, c := range changes {
		r.logFailure(c.job, c.delay, c.why)
	}
	r.change(changes)
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

// change is the call that changes up to ten visibility timeouts.
func (r *Runner) change(changes []change) {
	if len(changes) == 0 {
		return
	}
	until, entries := never, make([]inq.VisibilityChange, len(changes))
	for i, c := range changes {
		until = min(until, c.job.until)
		entries[i] = inq.VisibilityChange{ReceiptHandle: c.job.delivery.ReceiptHandle(), Timeout: c.delay}
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
	if !r.await(j) {
		return
	}
	now := r.clock.now()
	r.mu.Lock()
	delay = r.boundLocked(now, j, delay)
	r.stats.Snoozed++
	r.unlock()
	ctx, cancel := r.within(j.until)
	defer cancel()
	handle := j.delivery.ReceiptHandle()
	if r.returner != nil && delay <= longestReturn {
		err := r.returner.Return(ctx, handle, delay)
		if !errors.Is(err, inq.ErrInvalidParameter) { // a delay that is too long for the retention
			r.note(j, err)
			return
		}
	}
	r.note(j, r.queue.ChangeVisibility(ctx, handle, delay))
}

// bury hands a message to the dead letters. Where that fails, its lease is as it was.
func (r *Runner) bury(j *job, why error) error {
	ctx, cancel := r.within(j.until)
	defer cancel()
	d, reason := j.delivery, text(why)
	var err error
	switch q := r.queue.(type) {
	case burier:
		err = q.Bury(ctx, d.ReceiptHandle(), reason)
	case deadLetterQueuer:
		err = r.buryBySend(ctx, q, j, reason)
	default:
		err = d.Bury(ctx, reason)
	}
	r.mu.Lock()
	if err == nil {
		r.stats.Buried++
	} else {
		r.stats.BuryErrors++
	}
	r.unlock()
	if err == nil {
		r.log(slog.LevelWarn, "job buried", r.about(j, slog.String("reason", reason))...)
	}
	return err
}

// reasonAttribute carries the reason to a dead-letter queue that takes none otherwise.
const (
	reasonAttribute = "reason"
	longestReason   = 1024
	maxAttributes   = 10
)

// buryBySend buries on a queue without a Bury of its own: a copy goes to its dead-letter queue and
// the message is deleted. Where the second fails the first is repeated with the message, on FIFO
// under the same deduplication id.
func (r *Runner) buryBySend(ctx context.Context, q deadLetterQueuer, j *job, reason string) error {
	target, err := q.DeadLetterQueue(ctx)
	if err != nil {
		return err
	}
	m := j.delivery.Message()
	if r.fifo {
		m.DeduplicationID = j.delivery.ID()
	}
	plain := m.Attributes
	if len(plain) < maxAttributes && reason != "" {
		m.Attributes = make(map[string]inq.Attribute, len(plain)+1)
		for name, a := range plain {
			m.Attributes[name] = a
		}
		m.Attributes[reasonAttribute] = inq.String(legal(reason))
	}
	_, err = target.Send(ctx, m)
	if errors.Is(err, inq.ErrInvalidParameter) && len(m.Attributes) != len(plain) {
		m.Attributes = plain // there was no room for the reason
		_, err = target.Send(ctx, m)
	}
	if err != nil {
		return err
	}
	return r.queue.Delete(ctx, j.delivery.ReceiptHandle())
}

// legal makes an attribute's value of a text (SQS: MSG-8, MSG-9).
func legal(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == '\ufffe' || c == '\uffff' {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
	for cut := longestReason; len(s) > longestReason; cut-- {
		if utf8.RuneStart(s[cut]) {
			s = s[:cut]
		}
	}
	return s
}

// settleAllLocked settles jobs and returns those whose leases hold.
func (r *Runner) settleAllLocked(jobs []*job) []*job {
	return slices.DeleteFunc(jobs, func(j *job) bool { return !r.settleLocked(j) })
}

// giveBackLocked gives back messages that have not begun, in a goroutine of its own.
func (r *Runner) giveBackLocked(jobs []*job) {
	if jobs = r.settleAllLocked(jobs); len(jobs) > 0 {
		r.goLocked(func() { r.giveBack(jobs) })
	}
}

// giveBack has settled messages come again at once: without counting the receive where the queue
// can do that.
func (r *Runner) giveBack(jobs []*job) {
	if len(jobs) == 0 {
		return
	}
	r.awaitSilence(jobs)
	jobs = slices.DeleteFunc(jobs, func(j *job) bool { return !r.await(j) })
	r.mu.Lock()
	r.stats.Returned += uint64(len(jobs))
	r.unlock()
	// The last one first, so that a FIFO group is unlocked by its first message, when the others are
	// there again.
	slices.Reverse(jobs)
	if r.returner != nil {
		for _, j := range jobs {
			ctx, cancel := r.within(j.until)
			r.note(j, r.returner.Return(ctx, j.delivery.ReceiptHandle(), 0))
			cancel()
		}
		return
	}
	for some := range slices.Chunk(jobs, atOnce) {
		changes := make([]change, len(some))
		for i, j := range some {
			changes[i].job = j
		}
		r.change(changes)
	}
}

// note logs the failure of a call that hands a message back to its queue. The message comes back by
// its timeout instead.
func (r *Runner) note(j *job, err error) {
	if err != nil {
		r.log(slog.LevelWarn, "a message could not be handed back and comes by its visibility timeout", r.about(j, slog.String("error", text(err)))...)
	}
}

// within returns the context of a call to the queue that must not be carried out when a lease is
// over.
func (r *Runner) within(until instant) (context.Context, context.CancelFunc) {
	if r.direct {
		return r.base, func() {} // it does not wait
	}
	return context.WithDeadline(r.base, r.clock.time(until))
}
