package inq

import (
	"context"

	"example.com/inq/internal/pq"
)

// waiter is a receive that waits. Messages are handed to it under the lock, already in flight for
// it, so that a wake-up needs no second critical section and nobody can come in between.
type waiter struct {
	call   receiveCall
	dst    []Delivery
	n      int   // how many were handed over
	err    error // why the wait ended otherwise
	retry  bool  // woken to hand a message to the dead-letter target itself
	parked bool  // on the list
	ticket uint64
	next   *waiter
	prev   *waiter
	id     uint32        // in queue.waitSlots
	pos    int32         // in queue.deadlines, -1: no deadline
	wake   chan struct{} // one token for each time it is taken off the list
}

// waiters is the line of receives that wait, in the order they came. No receive is on it while
// there is a message it could have.
type waiters struct {
	head, tail *waiter
	len        int
	ticket     uint64
	chore      *waiter        // woken to bury the message at the front; until it has come the line is closed behind that message
	attempts   map[string]int // how many wait under each attempt id
}

// insert puts w in line by its ticket: at the end, or where it was before.
func (l *waiters) insert(w *waiter) {
	after := l.tail
	for after != nil && after.ticket > w.ticket {
		after = after.prev
	}
	w.prev = after
	if after == nil {
		w.next, l.head = l.head, w
	} else {
		w.next, after.next = after.next, w
	}
	if w.next == nil {
		l.tail = w
	} else {
		w.next.prev = w
	}
	w.parked = true
	l.len++
	if id := w.call.attempt; id != "" {
		if l.attempts == nil {
			l.attempts = make(map[string]int)
		}
		l.attempts[id]++
	}
}

// remove takes w out of line.
func (l *waiters) remove(w *waiter) {
	if w.prev == nil {
		l.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.next, w.prev, w.parked = nil, nil, false
	l.len--
	if id := w.call.attempt; id != "" {
		if l.attempts[id]--; l.attempts[id] == 0 {
			delete(l.attempts, id)
		}
		if len(l.attempts) == 0 {
			l.attempts = nil // a Go map does not shrink
		}
	}
}

// newWaiterLocked makes a waiter for c, or takes the spare one. q.mu must be held.
func (q *queue) newWaiterLocked(c *receiveCall, dst []Delivery) *waiter {
	w := q.spare.Swap(nil)
	if w == nil {
		w = &waiter{wake: make(chan struct{}, 1), pos: -1, id: uint32(len(q.waitSlots))}
		q.waitSlots = append(q.waitSlots, w)
	}
	if dst == nil {
		dst = make([]Delivery, c.max)
	}
	dst = dst[:min(len(dst), c.max)] // a repeat by attempt id that needs more room is none
	q.waiters.ticket++
	w.call, w.dst, w.ticket = *c, dst, q.waiters.ticket
	return w
}

// parkLocked puts w in line until deadline. q.mu must be held.
func (q *queue) parkLocked(w *waiter, deadline int64) {
	w.n, w.err, w.retry = 0, nil, false
	q.waiters.insert(w)
	if deadline != never {
		q.deadlines.Push(pq.Entry{Key: deadline, Ord: w.ticket, ID: w.id})
		q.scheduleLocked(deadline)
	}
}

// unparkLocked takes w out of line. q.mu must be held.
func (q *queue) unparkLocked(w *waiter) {
	q.waiters.remove(w)
	if w.pos >= 0 {
		q.deadlines.Remove(w.pos)
	}
}

// wakeLocked ends a wait. q.mu must be held. The token never blocks: there is one for each time w
// is in line.
func (q *queue) wakeLocked(w *waiter, err error) {
	q.unparkLocked(w)
	w.err = err
	w.wake <- struct{}{}
}

// wait answers a receive that found nothing: a short poll at once, a long poll with what it is
// handed while it is parked. It is called with q.mu held, and unlocks it.
func (q *queue) wait(ctx context.Context, now int64, c *receiveCall, dst []Delivery) ([]Delivery, error) {
	if c.wait == 0 {
		q.metrics.emptyReceives++
		q.unlock(now)
		return nil, nil
	}
	w := q.newWaiterLocked(c, dst)
	defer q.dropWaiter(w)
	answered := false
	defer func() {
		if !answered { // an observer or a target has ended the goroutine
			q.forsake(w)
		}
	}()
	deadline := after(now, c.wait)
	for {
		q.parkLocked(w, deadline)
		q.unlock(now)
		select {
		case <-w.wake:
		case <-ctx.Done():
			if !q.abandon(w) {
				answered = true
				return nil, ctx.Err()
			}
			// It was woken in the same instant: what it was handed is never dropped.
		}
		if !w.retry {
			answered = true
			if w.err != nil || w.n == 0 {
				return nil, w.err
			}
			return w.dst[:w.n], nil
		}
		var ds []Delivery
		var done bool
		var err error
		if ds, done, now, err = q.retry(ctx, w, deadline); done {
			answered = true
			return ds, err
		}
	}
}

// forsake takes w out of line for good, wherever it is in its wait. What it was handed is in flight
// for nobody and comes back by its timeout; what it was to hand over is left to the next one.
func (q *queue) forsake(w *waiter) {
	now, err := q.enter()
	if err == nil && w.parked {
		q.unparkLocked(w)
	}
	select {
	case <-w.wake:
	default:
	}
	if err != nil {
		return
	}
	if q.waiters.chore == w {
		q.waiters.chore = nil
	}
	q.leave(now)
}

// abandon takes w out of line because its context ended, and reports whether it had been woken
// before.
func (q *queue) abandon(w *waiter) (woken bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.parked {
		q.unparkLocked(w)
		return false
	}
	<-w.wake
	return true
}

// dropWaiter gives w up: it becomes the spare one, or its id is free again.
func (q *queue) dropWaiter(w *waiter) {
	w.call, w.dst, w.err = receiveCall{}, nil, nil
	if q.spare.CompareAndSwap(nil, w) {
		return
	}
	q.mu.Lock()
	last := len(q.waitSlots) - 1
	moved := q.waitSlots[last]
	waits := moved != w && moved.pos >= 0
	var end pq.Entry
	if waits { // taken out under the old id, since the heap tells positions by id
		end = q.deadlines.Remove(moved.pos)
	}
	q.waitSlots[w.id] = moved
	moved.id = w.id
	q.waitSlots[last] = nil
	q.waitSlots = q.waitSlots[:last]
	if waits {
		end.ID = moved.id
		q.deadlines.Push(end)
	}
	q.mu.Unlock()
}

// serveLocked hands what is receivable to the receives that wait, in the order they came. q.mu must
// be held.
func (q *queue) serveLocked(now int64) {
	for w := q.waiters.head; w != nil; w = q.waiters.head {
		if q.counts[classVisible] == 0 || q.counts[classNotVisible] >= q.limit {
			return
		}
		s := q.settings.Load()
		if s.target == nil {
			w.n = q.takeLocked(now, &w.call, w.dst)
		} else {
			w.n = q.takeBeforeChoreLocked(now, w, s)
		}
		if w.n == 0 {
			return
		}
		attempt := w.call.attempt // w is not ours once it is awake
		q.wakeLocked(w, nil)
		q.repeatLocked(now, attempt)
	}
}

// endWaitsLocked ends waits whose time is over, at most stepBudget of them, and reports whether
// there are more. A wait that ends at this instant goes on while messages are to be carried out that
// are due by now: it may yet have one of them. q.mu must be held.
func (q *queue) endWaitsLocked(now int64, draining bool) (more bool) {
	if draining {
		now--
	}
	for n := 0; q.deadlines.Len() != 0; n++ {
		e := q.deadlines.Min()
		if e.Key > now {
			return false
		}
		if n == stepBudget {
			return true
		}
		w := q.waitSlots[e.ID]
		q.metrics.emptyReceives++
		q.wakeLocked(w, nil)
	}
	return false
}
