package worker

import (
	"context"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"time"

	"example.com/inq"
)

// A call is one call of the handler: for one message, or for those of a batch.
type call struct {
	callContext
	jobs       []*job
	one        [1]*job // what jobs is for a single message
	line       *line   // FIFO, single messages: the group's
	cancelled  instant // when its context was cancelled
	cause      error   // why, nil where it was not
	stage      stage
	prev, next *call // in the list that stage says
}

type stage uint8

const (
	waiting stage = iota // for a slot, for its turn in a line, or for the window of a batch to close
	running
	cancelled // running, and its context has been cancelled
	stuck     // running, long after that
	returned
)

// anyHeld reports whether the lease of any of its messages holds.
func (c *call) anyHeld() bool {
	for _, j := range c.jobs {
		if j.state == held {
			return true
		}
	}
	return false
}

// calls is a list of calls in the order they were added.
type calls struct {
	first, last *call
}

func (l *calls) add(c *call) {
	c.prev, c.next = l.last, nil
	if l.last != nil {
		l.last.next = c
	} else {
		l.first = c
	}
	l.last = c
}

func (l *calls) remove(c *call) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		l.last = c.prev
	}
	c.prev, c.next = nil, nil
}

// A worker is what a goroutine that runs handlers has of its own.
type worker struct {
	runner *Runner
	label  string
	ctx    context.Context // what the contexts of its calls are made of
	now    instant         // when it last looked at the clock
	looked instant         // when it last looked properly,
	time   time.Time       // and what that is for others
	acks   [atOnce]inq.Delivery
}

// look looks at the clock.
func (w *worker) look() {
	w.time = time.Now()
	w.now = w.runner.clock.at(w.time)
	w.looked = w.now
}

// labelKey is the profiler label that goroutines of a runner carry: by its value the stack of a
// stuck handler is found.
const labelKey = "inq.worker"

// workerLocked returns a worker that no goroutine has.
func (r *Runner) workerLocked() *worker {
	if n := len(r.idle); n > 0 {
		w := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return w
	}
	r.made++
	w := &worker{runner: r, label: r.label + "/" + strconv.Itoa(r.made)}
	w.ctx = pprof.WithLabels(r.base, pprof.Labels(labelKey, w.label))
	return w
}

// wakeLocked starts a goroutine where there is something to do: a call that waits for a slot, or
// slots that are free to receive for. Each that wakes wakes the next, so that a handler that
// returns at once is followed by the next message in the same goroutine, and one that takes its
// time holds nobody up.
func (r *Runner) wakeLocked() {
	if r.waking || r.pending.first == nil && r.wantLocked() == 0 || r.pending.first != nil && r.active >= r.limit {
		return
	}
	r.waking = true
	r.workers++
	w := r.workerLocked()
	go r.work(w, nil, nil)
}

// work is the life of a goroutine that runs handlers, and receives for free slots when nothing
// waits for them. It begins with a call where the handler of that ended another goroutine.
func (r *Runner) work(w *worker, c *call, err error) {
	pprof.SetGoroutineLabels(w.ctx)
	w.look()
	r.mu.Lock()
	if c == nil {
		r.waking = false
	}
	for {
		if c != nil {
			c = r.returnedLocked(w, c, err)
		}
		if c == nil && r.back.Load() > 0 && len(r.after) == 0 {
			break // who is about to have the lock goes on; two would be in each other's way
		}
		if c == nil {
			c = r.takeLocked()
		}
		if c == nil {
			if n := r.wantLocked(); n > 0 {
				r.pollLocked(w, n)
				continue
			}
			if len(r.after) == 0 {
				break
			}
			r.unlock() // Run must not end before that is done
			r.mu.Lock()
			continue
		}
		r.beginLocked(w, c)
		r.wakeLocked()
		r.unlock()
		err = r.invoke(w, c)
		r.back.Add(1)
		w.now = r.clock.roughly()
		r.mu.Lock()
		r.back.Add(-1)
	}
	r.workers--
	r.idle = append(r.idle, w)
	r.endLocked()
	r.unlock()
}

// takeLocked takes a call that waits, and a slot for it.
func (r *Runner) takeLocked() *call {
	for r.pending.first != nil && r.active < r.limit {
		c := r.pending.first
		r.pending.remove(c)
		r.waiting--
		if r.batch != nil {
			r.pruneLocked(c)
		}
		if c.anyHeld() {
			r.active++
			return c
		}
		// Its lease ran out before there was a slot.
		if c = r.nextInLineLocked(c, false); c != nil {
			r.active++
			return c
		}
	}
	return nil
}

// beginLocked starts a call in a slot that has been taken.
func (r *Runner) beginLocked(w *worker, c *call) {
	c.stage, c.began, c.worker = running, w.now, w
	if r.timeout > 0 {
		r.scheduleLocked(c.began + r.timeout)
	}
	r.running.add(c)
	for _, j := range c.jobs {
		if j.delivery.ReceiveCount <= 1 {
			r.stats.Wait.observe(w.time.Sub(j.delivery.SentAt()) + w.now - w.looked)
		}
	}
}

// invoke calls the handler. A panic is its error, and where the handler ends the goroutine, another
// one goes on in its place.
func (r *Runner) invoke(w *worker, c *call) (err error) {
	done := false
	defer func() {
		if done {
			return
		}
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
			return
		}
		go r.work(w, c, errGoexit)
	}()
	switch {
	case r.batch != nil:
		err = r.invokeBatch(c)
	case r.exhausted(c.jobs[0]):
		err = errExhausted
	default:
		err = r.handler.Handle(&c.callContext, c.jobs[0].delivery)
	}
	done = true
	return err
}

// recovered makes panics of a handler its errors, for the middleware around it.
func recovered(h Handler) Handler {
	return HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
		return guard(func() error { return h.Handle(ctx, d) })
	})
}

// guard calls a function of the program and returns a panic as its error.
func guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// returnedLocked takes note that the handler of a call has returned, and does what the outcome asks
// for. It returns the call that has the slot next, nil where the slot is free again.
func (r *Runner) returnedLocked(w *worker, c *call, err error) *call {
	switch c.stage {
	case running:
		r.running.remove(c)
	case cancelled:
		r.cancelled.remove(c)
	case stuck:
		r.stucks.remove(c)
		r.stuck--
		r.workers++
	}
	c.stage = returned
	c.end()
	if r.phase == ended {
		// Run is over. The message comes back by its timeout.
		r.active--
		return nil
	}
	r.stats.Run.observe(w.now - c.began)
	r.scaled.meanRun.add(w.now - c.began)
	if err == nil && !r.fifo && r.batch == nil {
		r.active--
		if j := c.jobs[0]; r.settleLocked(j) {
			r.ackLocked(w, j)
		}
		return nil
	}
	if _, ok := as[*PanicError](err); ok {
		r.stats.Panicked++
	}
	if err != nil && (c.cause == ErrTimeout || r.timeout > 0 && w.now >= c.began+r.timeout) {
		r.stats.TimedOut++
	}
	r.wakeLocked() // others go on meanwhile
	r.unlock()
	done := true
	if r.batch != nil {
		r.settleBatch(c, err)
	} else {
		done = r.settle(c, err)
	}
	w.look()
	r.mu.Lock()
	next := r.nextInLineLocked(c, done)
	if next == nil {
		r.active--
	}
	return next
}

// describe names a message in the log.
func (r *Runner) describe(d *inq.Delivery) string {
	if kind := r.kindOf(d); kind != "" {
		return kind
	}
	return "(no kind)"
}
