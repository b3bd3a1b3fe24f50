package worker

import (
	"context"
	"errors"
	"slices"
	"time"

	"example.com/inq"
)

// NewBatch makes a Runner that hands messages to h several at a time: up to max (1 to 10,000), or
// those that came within wait (0 to 5 minutes) of the first. With a wait of 0 it hands on what one
// receive brings. The concurrency and [WithTimeout] count calls of h, and a batch is collected only
// while one is free.
//
// When h returns nil all messages are processed. An [*inq.BatchError] names those that failed, by their
// index in ds and each with an error of its own, which may be a [Bury] or [Snooze]; the others are
// processed, so one that names none is as good as nil. Where an index is not one of ds all have failed,
// since nobody knows which is meant. Any other error, and a panic, is that of all. On FIFO everything
// behind a failure in its group fails with it, since it has to come again after it; h may leave it out
// then. A lost lease drops the result of its message alone; ctx ends with [ErrLeaseLost] when all are
// lost.
//
// What is refused, and how, is as with [New]; [WithMiddleware] is refused too.
func NewBatch(q inq.Queue, h func(ctx context.Context, ds []inq.Delivery) error, max int, wait time.Duration, opts ...Option) (*Runner, error) {
	r, err := newRunner(q, opts)
	if err != nil {
		return nil, err
	}
	for _, err := range []error{notNil("h", h), inRange("max", max, 1, maxBatch), inRange("wait", wait, 0, maxWindow)} {
		if err != nil {
			return nil, err
		}
	}
	if len(r.middleware) > 0 {
		return nil, &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "WithMiddleware", Reason: "is for handlers of single messages"}
	}
	r.batch, r.max, r.wait = h, max, wait
	return r, nil
}

// windowLen returns how many messages the batch has that is being collected.
func (r *Runner) windowLen() int {
	if r.window == nil {
		return 0
	}
	return len(r.window.jobs)
}

// collectLocked adds a message to the batch that is being collected.
func (r *Runner) collectLocked(now instant, j *job) {
	if r.window == nil {
		r.window = &call{}
		r.windowEnds = now + r.wait
		r.scheduleLocked(r.windowEnds)
	}
	j.call = r.window
	r.window.jobs = append(r.window.jobs, j)
	if len(r.window.jobs) == r.max {
		r.closeWindowLocked()
	}
}

// closeWindowLocked has the batch that was collected wait for a slot.
func (r *Runner) closeWindowLocked() {
	r.pending.add(r.window)
	r.waiting++
	r.window = nil
	r.wakeLocked()
}

// pruneLocked takes out of a batch what has lost its lease before it began, and on FIFO what was
// behind that in its group, which has to come again after it.
func (r *Runner) pruneLocked(c *call) {
	var behind []*job
	broken := make(map[string]bool)
	c.jobs = slices.DeleteFunc(c.jobs, func(j *job) bool {
		group := j.delivery.GroupID
		switch {
		case j.state != held:
			broken[group] = r.fifo
			return true
		case broken[group]:
			behind = append(behind, j)
			return true
		}
		return false
	})
	r.giveBackLocked(behind)
}

// settleBatch does for each message of a batch what its outcome asks for. Until it is its turn, a
// message is held and its lease is extended: there may be a thousand calls before.
func (r *Runner) settleBatch(c *call, err error) {
	var processed, back []*job
	var failed, snoozed []change
	behind := make(map[string]change) // FIFO: what is to become of all behind a failure, by group
	for i, err := range batchErrors(err, len(c.jobs)) {
		j := c.jobs[i]
		v, delay := r.judge(c, j, err)
		first, found := behind[j.delivery.GroupID]
		switch {
		case found:
			v, delay, err = retry, first.delay, first.why
		case v == bury:
			r.mu.Lock()
			holds := r.settleLocked(j)
			r.unlock()
			if v = lapsed; holds {
				v, delay, err = r.bury(j, err)
			}
		}
		if err != nil && r.fifo && !found {
			behind[j.delivery.GroupID] = change{nil, delay, errBehind}
		}
		if c.cause == ErrShutdown && v == retry {
			v = cutOff
		}
		switch v {
		case succeed:
			processed = append(processed, j)
		case snooze:
			snoozed = append(snoozed, change{j, delay, nil})
		case cutOff:
			back = append(back, j)
		case retry:
			failed = append(failed, change{j, delay, err})
		}
	}

	for some := range slices.Chunk(processed, atOnce) {
		r.mu.Lock()
		some = r.settleAllLocked(some)
		r.unlock()
		r.delete(r.clock.now(), some, nil)
	}
	// Of a group, those behind come before the one that failed, which keeps them from being received
	// while it is in flight.
	slices.Reverse(failed)
	for some := range slices.Chunk(failed, atOnce) {
		r.failed(some)
	}
	for _, s := range snoozed {
		r.snooze(s.job, s.delay)
	}
	r.giveBack(back)
}

// errBehind is why a message failed that was processed behind a failure of its group.
var errBehind = errors.New("worker: an earlier message of the group failed")

// invokeBatch calls the handler with the messages that have an attempt left.
func (r *Runner) invokeBatch(c *call) error {
	ds := make([]inq.Delivery, 0, len(c.jobs))
	var places []int // of ds in the call; nil: the same
	for i, j := range c.jobs {
		switch {
		case r.exhausted(j):
			if places == nil {
				places = make([]int, i, len(c.jobs))
				for k := range places {
					places[k] = k
				}
			}
			continue
		case places != nil:
			places = append(places, i)
		}
		ds = append(ds, *j.delivery)
	}
	if places == nil {
		return r.batch(&c.callContext, ds)
	}
	var err error
	if len(ds) > 0 {
		err = r.batch(&c.callContext, ds)
	}
	outcomes := make([]error, len(c.jobs))
	for i := range outcomes {
		outcomes[i] = errExhausted
	}
	for i, err := range batchErrors(err, len(ds)) {
		outcomes[places[i]] = err
	}
	failed := &inq.BatchError{}
	for i, err := range outcomes {
		if err != nil {
			failed.Failed = append(failed.Failed, inq.BatchFailure{Index: i, Err: err})
		}
	}
	return failed
}

// batchErrors returns the error of each message of a batch.
func batchErrors(err error, n int) []error {
	errs := make([]error, n)
	if err == nil {
		return errs
	}
	failed := failedEntries(err, n)
	if batch, ok := as[*inq.BatchError](err); ok {
		for _, f := range batch.Failed {
			if f.Index < 0 || f.Index >= n {
				// Nobody knows which message is meant, so none may count as processed.
				failed = func(int) error { return err }
			}
		}
	}
	for i := range errs {
		errs[i] = failed(i)
	}
	return errs
}
