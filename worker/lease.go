package worker

import (
	"container/heap"
	"context"
	"log/slog"
	"time"

	"example.com/inq"
)

// A job is a message that was received, with its lease.
type job struct {
	delivery *inq.Delivery
	receipt  string // its handle, where that is made already
	call     *call
	lease    *lease
	next     *job    // of the same lease
	received instant // when its receive left
	until    instant // settled: when its lease ends
	state    jobState
	final    bool   // its lease is not extended any more
	arrival  uint32 // which receive brought it
}

// handle returns the receipt handle.
func (j *job) handle() string {
	if j.receipt != "" {
		return j.receipt
	}
	return j.delivery.ReceiptHandle()
}

type jobState uint8

const (
	held    jobState = iota // leased, and extended when it is time
	settled                 // what becomes of it is decided, and on its way to the queue
	lost                    // its lease ran out before that
)

// A lease is what messages have in common that were received, or extended, by one call: when it
// ends. It is counted from when the call left, so the queue's own end of it is never earlier.
type lease struct {
	first    *job
	live     int           // jobs that are held
	deadline instant       // when it ends
	due      instant       // when something has to be done about it
	pos      int           // in Runner.leases, -1: not there
	under    chan struct{} // closed when the extension that is under way has returned; nil: none is
}

const (
	// atOnce is how many messages SQS takes in one call.
	atOnce = 10
	// longestLease is how long a receive can last in all, 12 hours (SQS: VIS-3), less the time that
	// a call may take to arrive.
	longestLease = 12*time.Hour - time.Second
	// maxExtending is how many calls that extend may be under way. One alone would keep up with
	// about 6,000 leases of 30 seconds where a call takes 15 ms, and with none where it hangs.
	maxExtending = 16
)

// leases is a heap of leases by when they are due.
type leases []*lease

func (h leases) Len() int           { return len(h) }
func (h leases) Less(i, j int) bool { return h[i].due < h[j].due }
func (h leases) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i, j
}

func (h *leases) Push(x any) {
	l := x.(*lease)
	l.pos = len(*h)
	*h = append(*h, l)
}

func (h *leases) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	l.pos = -1
	return l
}

// add gives a job to a lease that is in no heap.
func (l *lease) add(j *job) {
	j.next, l.first = l.first, j
	j.lease = l
	l.live++
}

// keepLocked has a lease taken care of from now on. r.mu must be held, as for all functions whose
// name ends in Locked.
func (r *Runner) keepLocked(l *lease, due instant) {
	if l.live == 0 {
		return
	}
	l.due = min(due, l.deadline)
	heap.Push(&r.leases, l)
	r.scheduleLocked(l.due)
}

// dropLocked takes a lease out of the heap.
func (r *Runner) dropLocked(l *lease) {
	if l.pos >= 0 {
		heap.Remove(&r.leases, l.pos)
	}
}

// settleLocked ends the care for a job's lease, because its outcome is decided. It reports false
// where the lease is lost and nothing may be done any more.
func (r *Runner) settleLocked(j *job) bool {
	if j.state != held {
		return false
	}
	l := j.lease
	j.state, j.until = settled, l.deadline
	if l.live--; l.live == 0 {
		r.dropLocked(l)
	}
	return true
}

// await is awaitExtension, and reports whether the lease still holds after that.
func (r *Runner) await(j *job) bool {
	r.awaitExtension(j)
	if r.clock.now() < j.until {
		return true
	}
	r.mu.Lock()
	r.lostLocked(j)
	r.unlock()
	return false
}

// awaitExtension waits until no extension of a settled job is under way: one that arrives after the
// message was given back would change the receive of whoever has it then.
func (r *Runner) awaitExtension(j *job) {
	r.mu.Lock()
	under := j.lease.under
	r.unlock()
	if under != nil {
		<-under
	}
}

// lostLocked counts a job whose lease ended before its outcome was known to the queue.
func (r *Runner) lostLocked(j *job) {
	j.state = lost
	r.stats.Lost++
}

// loseLocked ends a lease whose time is over, and with it the handlers that run under it.
func (r *Runner) loseLocked(now instant, l *lease) {
	r.dropLocked(l)
	for j := l.first; j != nil; j = j.next {
		if j.lease != l || j.state != held {
			continue
		}
		r.lostLocked(j)
		l.live--
		if c := j.call; c.stage == running && !c.anyHeld() {
			r.cancelLocked(now, c, ErrLeaseLost)
		}
	}
}

// tendLeasesLocked does what is due about leases: extends those that end soon, and ends those whose
// time is over.
func (r *Runner) tendLeasesLocked(now instant) {
	for len(r.leases) > 0 && r.leases[0].due <= now {
		l := r.leases[0]
		switch {
		case l.deadline <= now:
			r.loseLocked(now, l)
		case r.extending == maxExtending:
			r.overdue = append(r.overdue, l)
			l.due = l.deadline
			heap.Fix(&r.leases, 0)
		default:
			r.extendLocked(now)
		}
	}
}

// dueLeaseLocked returns the lease to extend first: one that waits for a call to return, or else the
// one that is due first, if that is soon.
func (r *Runner) dueLeaseLocked(now instant) *lease {
	for len(r.overdue) > 0 {
		if l := r.overdue[0]; l.live > 0 && l.deadline > now {
			return l
		}
		r.overdue = r.overdue[1:]
	}
	if len(r.leases) > 0 {
		if l := r.leases[0]; l.due <= now+r.early && l.deadline > now && l.under == nil {
			return l
		}
	}
	return nil
}

// extendLocked sends an extension for the leases that are due first, and for those due soon as long
// as there is room in the call.
func (r *Runner) extendLocked(now instant) {
	x := &lease{deadline: never, pos: -1}
	jobs := make([]*job, 0, atOnce)
	changes := make([]inq.VisibilityChange, 0, atOnce)
	for l := r.dueLeaseLocked(now); l != nil && len(jobs)+l.live <= atOnce; l = r.dueLeaseLocked(now) {
		r.dropLocked(l)
		if len(r.overdue) > 0 && r.overdue[0] == l {
			r.overdue = r.overdue[1:]
		}
		rest := &lease{deadline: l.deadline, pos: -1}
		for j, next := l.first, (*job)(nil); j != nil; j = next {
			next = j.next
			if j.lease != l || j.state != held {
				continue
			}
			timeout := bounded(now, j, r.visibility)
			if j.final || now+timeout <= l.deadline {
				rest.add(j)
				continue
			}
			x.add(j)
			x.deadline = min(x.deadline, l.deadline)
			jobs = append(jobs, j)
			changes = append(changes, inq.VisibilityChange{ReceiptHandle: j.handle(), Timeout: timeout})
		}
		r.keepLocked(rest, never)
	}
	if len(jobs) == 0 {
		return
	}
	x.under = make(chan struct{})
	r.keepLocked(x, never)
	r.extending++
	r.goLocked(func() { r.extend(x, jobs, changes) })
}

// bounded bounds a visibility timeout by what is left of the 12 hours of a receive, in whole
// seconds there, because fractions are rounded up on their way to SQS.
func bounded(now instant, j *job, d time.Duration) time.Duration {
	rest := max(j.received+longestLease-now, 0).Truncate(time.Second)
	return min(max(d, 0), rest)
}

// extend is one call that extends leases. What fails is tried again until the lease ends: a failure
// tells nothing about the lease.
func (r *Runner) extend(x *lease, jobs []*job, changes []inq.VisibilityChange) {
	left := r.clock.now()
	err := context.DeadlineExceeded
	if left < x.deadline {
		ctx, cancel := r.within(x.deadline)
		err = r.queue.ChangeVisibilityBatch(ctx, changes)
		cancel()
	}
	failed := failedEntries(err, len(jobs))

	r.mu.Lock()
	defer r.unlock()
	now := r.clock.now()
	r.extending--
	close(x.under)
	r.dropLocked(x)
	r.stats.ExtendCalls++
	if err != nil {
		r.stats.ExtendErrors++
		if r.extendFailures++; r.extendFailures == 1 {
			r.logLocked(slog.LevelWarn, "leases were not extended, trying again", slog.String("error", text(err)))
		}
	} else {
		r.extendFailures = 0
	}
	extended := &lease{deadline: left + r.visibility, pos: -1}
	again := &lease{deadline: x.deadline, pos: -1}
	for i, j := range jobs {
		if failed(i) == nil {
			r.stats.Extended++
		}
		switch {
		case j.state == settled && j.lease == x:
			j.lease = again // no extension of it is under way any more
		case j.state != held || j.lease != x:
		case failed(i) != nil:
			again.add(j)
		case changes[i].Timeout < r.visibility: // the last one of its 12 hours
			last := &lease{deadline: left + changes[i].Timeout, pos: -1}
			last.add(j)
			r.keepLocked(last, never)
		default:
			extended.add(j)
		}
	}
	r.keepLocked(extended, extended.deadline-r.ahead)
	r.keepLocked(again, now+r.again)
	for len(r.overdue) > 0 && r.extending < maxExtending {
		r.extendLocked(now)
	}
}

// failedEntries tells of the error of a batch call which of its n entries failed, and why.
func failedEntries(err error, n int) func(i int) error {
	if err == nil {
		return func(int) error { return nil }
	}
	batch, ok := as[*inq.BatchError](err)
	if !ok {
		return func(int) error { return err }
	}
	failed := make([]error, n)
	for _, f := range batch.Failed {
		if f.Index >= 0 && f.Index < n {
			failed[f.Index] = f.Err
			if f.Err == nil {
				failed[f.Index] = batch
			}
		}
	}
	return func(i int) error { return failed[i] }
}
