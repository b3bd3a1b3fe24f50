package inq

import (
	"example.com/inq/internal/pq"
)

// waiter is a receive that waits. Messages are handed to it under the lock, already in flight for
// it, so that a wake-up needs no second critical section and nobody can come in between.
//
// Whoever takes it off the line owns it from then on: either somebody wakes it and writes n and err
// before, or the receive takes itself off, because its context ended, and nobody writes any more.
type waiter struct {
	call   receiveCall
	dst    []Delivery
	n      int     // how many were handed over
	mark   uint64  // with a journal: of the batch with their leases
	err    error   // why the wait ended otherwise
	parked bool    // in line
	ticket uint64  // its number, by which waits that end at the same time end in the order they came
	next   *waiter // links of the line
	prev   *waiter
	id     uint32        // in queue.waitSlots
	pos    int32         // in queue.deadlines, -1: not there
	wake   chan struct{} // one token for each time somebody wakes it
}

// waiters is the line of receives that wait, in the order they came. No receive is on it while
// there is a message it could have.
type waiters struct {
	head, tail *waiter
	len        int
	ticket     uint64
	attempts   map[string]int // how many wait under each attempt id, so that nearly all binds need no walk
}

// insert puts w at the end of the line.
func (l *waiters) insert(w *waiter) {
	w.prev = l.tail
	if l.tail == nil {
		l.head = w
	} else {
		l.tail.next = w
	}
	l.tail = w
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

// newWaiterLocked makes a waiter for c, or takes the spare one: a consumer that polls again and again
// allocates none. The heap of deadlines names waiters by number, so each has one while it exists.
func (q *queue) newWaiterLocked(c *receiveCall, dst []Delivery) *waiter {
	w := q.spare.Swap(nil)
	if w == nil {
		w = &waiter{wake: make(chan struct{}, 1), pos: -1, id: uint32(len(q.waitSlots))}
		q.waitSlots = append(q.waitSlots, w)
	}
	if dst == nil {
		dst = make([]Delivery, c.max)
	}
	dst = dst[:min(len(dst), c.max)] // the answer to a repeated receive that needs more room is none
	q.waiters.ticket++
	w.call, w.dst, w.ticket = *c, dst, q.waiters.ticket
	w.call.waits = true
	return w
}

// parkLocked puts w in line until deadline. A wait without end has no entry among the deadlines.
func (q *queue) parkLocked(w *waiter, deadline int64) {
	w.n, w.err = 0, nil
	q.waiters.insert(w)
	if deadline != never {
		q.deadlines.Push(pq.Entry{Key: deadline, Ord: w.ticket, ID: w.id})
		q.scheduleLocked(deadline)
	}
}

// unparkLocked takes w out of line.
func (q *queue) unparkLocked(w *waiter) {
	q.waiters.remove(w)
	if w.pos >= 0 {
		q.deadlines.Remove(w.pos)
	}
}

// wakeLocked ends a wait. The token never blocks: the channel has room for one, w is woken once for each
// time it is in line, and it is not in line again before its receive has taken the token.
func (q *queue) wakeLocked(w *waiter, err error) {
	q.unparkLocked(w)
	w.err = err
	if q.journal != nil && w.n != 0 {
		q.journal.handed = append(q.journal.handed, w)
	}
	w.wake <- struct{}{}
}

// dropWaiter gives w up: it becomes the spare one, without the lock, or else leaves the table. There the
// last one takes its place and number, so that the table is no longer than there are waiters.
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

// serveLocked hands what is receivable to the receives that wait, in the order they came. Where it
// stops because enough was made burying for one critical section, it sets errandLook.
func (q *queue) serveLocked(now int64) {
	q.errands &^= errandLook
	q.behind = false
	for w := q.waiters.head; w != nil && q.errands&errandLook == 0; w = q.waiters.head {
		if q.counts[classVisible] == 0 || q.counts[classInFlight] >= q.limit {
			return
		}
		w.n, _ = q.takeLocked(now, &w.call, w.dst) // what waits is refused no more
		if w.n == 0 {
			return
		}
		attempt := w.call.attempt // w is not ours once it is awake
		q.wakeLocked(w, nil)
		q.answerRepeatsLocked(now, attempt)
	}
}

// answerRepeatsLocked answers the receives that wait under an attempt id that was bound just now. That is
// what repeats are where the client gave up on a long poll and the queue does not know.
func (q *queue) answerRepeatsLocked(now int64, id string) {
	if id == "" || q.waiters.attempts[id] == 0 {
		return
	}
	for w := q.waiters.head; w != nil; {
		next := w.next
		if w.call.attempt == id {
			if n, ok, _ := q.replayLocked(now, &w.call, w.dst); ok {
				w.n = n
				q.wakeLocked(w, nil)
			}
		}
		w = next
	}
}
