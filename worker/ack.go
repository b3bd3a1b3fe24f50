package worker

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"example.com/inq"
)

const (
	// ackDelay is how long a message that was processed waits for others to be deleted together with
	// it, at most. It does not wait where no handler runs that it could wait for.
	ackDelay = 100 * time.Millisecond
	// Pauses after a delete that failed double from the first to the last.
	firstAckPause, lastAckPause = 100 * time.Millisecond, 5 * time.Second
)

// acks are the processed messages of a Standard queue that are not deleted yet.
type acks struct {
	jobs     []*job
	at       instant // when to delete them; 0: no jobs
	failures int     // calls in a row that failed as a whole
}

// ackLocked has the message of a settled job deleted, together with others.
func (r *Runner) ackLocked(w *worker, j *job) {
	a := &r.acks
	if len(a.jobs) == 0 {
		a.at = never
	}
	a.jobs = append(a.jobs, j)
	if a.failures > 0 {
		r.ackAtLocked(w.now + doubled(firstAckPause, lastAckPause, a.failures))
		return
	}
	last := r.active == 0 && r.waiting == 0
	if len(a.jobs) < atOnce && !last && j.until-w.now > 2*ackDelay {
		r.ackAtLocked(w.now + ackDelay)
		return
	}
	r.wakeLocked()
	r.flushLocked(w)
}

// ackAtLocked has what was processed deleted at a time or before.
func (r *Runner) ackAtLocked(at instant) {
	if at < r.acks.at {
		r.acks.at = at
		r.scheduleLocked(at)
	}
}

// flushLocked deletes what was processed, ten messages at most.
func (r *Runner) flushLocked(w *worker) {
	a := &r.acks
	n := min(len(a.jobs), atOnce)
	var some [atOnce]*job
	copy(some[:], a.jobs[:n])
	rest := copy(a.jobs, a.jobs[n:])
	clear(a.jobs[rest:])
	if a.jobs = a.jobs[:rest]; rest == 0 {
		a.at = 0
	}
	r.unlock()
	r.delete(r.clock.now(), some[:n], w.acks[:0])
	if !r.direct {
		w.look() // that may have taken a while
	}
	r.mu.Lock()
}

// tendAcksLocked deletes what has waited long enough.
func (r *Runner) tendAcksLocked(now instant) {
	a := &r.acks
	if a.at == 0 || a.at > now {
		return
	}
	jobs := a.jobs
	a.jobs, a.at = nil, 0
	r.goLocked(func() {
		for some := range slices.Chunk(jobs, atOnce) {
			r.delete(r.clock.now(), some, nil)
		}
	})
}

// delete deletes up to ten messages. Those that fail are tried again for as long as their leases
// hold. room is for copies of the deliveries.
func (r *Runner) delete(now instant, jobs []*job, room []inq.Delivery) {
	until := never
	lapsed := 0
	for i, j := range jobs {
		if j.until <= now {
			jobs[i], jobs[lapsed] = jobs[lapsed], j
			lapsed++
		} else {
			until = min(until, j.until)
		}
	}
	late, jobs := jobs[:lapsed], jobs[lapsed:]
	err := r.deleteAll(until, jobs, room)
	gone := errors.Is(err, inq.ErrClosed) || errors.Is(err, inq.ErrQueueDoesNotExist)
	failed := failedEntries(err, len(jobs))

	r.mu.Lock()
	defer r.unlock()
	a := &r.acks
	for _, j := range late {
		r.lostLocked(j)
		r.logLocked(slog.LevelWarn, "a processed message was not deleted in time and comes again", r.about(j)...)
	}
	if err == nil {
		r.stats.Succeeded += uint64(len(jobs))
		if a.failures > 0 {
			a.failures = 0
			r.wakeLocked()
		}
		return
	}
	r.stats.DeleteErrors++
	_, single := as[*inq.BatchError](err)
	switch {
	case gone:
	case single:
		a.failures = 0
		r.wakeLocked()
	default:
		if a.failures++; a.failures == 1 && r.phase == started {
			r.silenceLocked() // what comes now would be done twice
		}
	}
	if a.failures <= 1 {
		r.logLocked(slog.LevelWarn, "processed messages were not deleted", slog.String("error", text(err)))
	}
	if len(a.jobs) == 0 {
		a.at = never
	}
	for i, j := range jobs {
		switch {
		case failed(i) == nil:
			r.stats.Succeeded++
		case gone:
			r.lostLocked(j)
		default:
			a.jobs = append(a.jobs, j)
			r.ackAtLocked(r.clock.now() + doubled(firstAckPause, lastAckPause, max(a.failures, 1)))
		}
	}
	if len(a.jobs) == 0 {
		a.at = 0
	}
}

// deleteAll is the call.
func (r *Runner) deleteAll(until instant, jobs []*job, room []inq.Delivery) error {
	if len(jobs) == 0 {
		return nil
	}
	if r.standard != nil {
		for _, j := range jobs {
			room = append(room, *j.delivery)
		}
		return r.standard.DeleteAll(r.base, room)
	}
	handles := make([]string, len(jobs))
	for i, j := range jobs {
		handles[i] = j.handle()
	}
	ctx, cancel := r.within(until)
	defer cancel()
	return r.queue.DeleteBatch(ctx, handles)
}

// ackNow deletes the message of a settled job, and tries again for as long as its lease holds. It
// reports whether the message is gone. On FIFO it comes before anything else of the group: a
// message that came again behind its successors would break the order.
func (r *Runner) ackNow(j *job) bool {
	for n := 1; ; n++ {
		now := r.clock.now()
		if now >= j.until {
			break
		}
		ctx, cancel := r.within(j.until)
		err := r.deleteOne(ctx, j)
		cancel()
		if err == nil {
			r.mu.Lock()
			r.stats.Succeeded++
			r.unlock()
			return true
		}
		r.mu.Lock()
		r.stats.DeleteErrors++
		r.unlock()
		if n == 1 {
			r.log(slog.LevelWarn, "a processed message was not deleted", r.about(j, slog.String("error", text(err)))...)
		}
		if errors.Is(err, inq.ErrReceiptHandleExpired) || errors.Is(err, inq.ErrClosed) || errors.Is(err, inq.ErrQueueDoesNotExist) {
			break
		}
		time.Sleep(min(doubled(firstAckPause, lastAckPause, n), j.until-r.clock.now()))
	}
	r.mu.Lock()
	r.lostLocked(j)
	r.unlock()
	return false
}

func (r *Runner) deleteOne(ctx context.Context, j *job) error {
	if r.direct {
		return j.delivery.Delete(ctx)
	}
	return r.queue.Delete(ctx, j.handle())
}
