package inq

import (
	"math/rand/v2"

	"example.com/inq/internal/disturbance"
	"example.com/inq/internal/journal"
)

// This file is how messages are taken out of the ready ones: by receives, by those who serve receives
// that wait, and by move tasks.

// verdict is what becomes of the message whose turn it is.
type verdict uint8

const (
	deliver verdict = iota
	bury            // it was received often enough
	move            // a move task takes it
)

// marksAtOnce bounds how many messages one critical section makes burying, whatever it is for.
const marksAtOnce = 64

// takeLocked leases up to c.max messages into dst, which may be shorter. Messages received often enough
// it posts to the dead-letter target instead, and goes on to others. Where it has posted enough for one
// critical section it stops and sets errandLook: there may be more to find after unlocking.
//
// A call of a move task takes one message, and does not lease it.
func (q *queue) takeLocked(now int64, c *receiveCall, dst []Delivery) (n int, err error) {
	s := q.settings.Load()
	if s.target == nil && c.inLine && c.visibility > 0 && q.armed > now {
		if q.plain {
			return q.takePlainLocked(now, c, dst), nil
		}
		if q.ordered && c.attempt == "" && c.visibility != Forever {
			return q.takeOrderedLocked(now, c, dst), nil
		}
	}
	if q.journal != nil {
		if err := q.journal.room(journal.Note); err != nil {
			return 0, err
		}
	}
	if c.attempt != "" {
		if n, ok, err := q.replayLocked(now, c, dst[:min(c.max, len(dst))]); ok || err != nil {
			return n, err
		}
	}
	if q.fifo != nil {
		q.fifo.run = 0
	}
	most := min(c.max, len(dst), q.limit-q.counts[classInFlight])
	if c.moves {
		most = 1 // it counts as in flight for nobody
	}
	var a address
	if s.target != nil {
		a = s.address()
	}
	var chosen picked
	if c.disturbed != nil {
		chosen = q.pickLocked(now, c.disturbed)
	}
	for n < most {
		slot := chosen.next()
		if c.disturbed == nil {
			slot = q.peekLocked(now)
		}
		if slot == 0 {
			break
		}
		r := q.store.at(slot)
		v := q.judgeLocked(now, c, s, &a, slot, r)
		if v == bury {
			if q.marked >= marksAtOnce {
				q.errands |= errandLook
				break
			}
			q.buryLocked(now, slot, r)
			q.postLocked(s, &a, slot, r)
			if q.fifo != nil {
				q.fifo.run = 0 // what follows in the group waits for the outcome
			}
			continue
		}
		if v == move {
			q.buryLocked(now, slot, r)
		} else {
			q.leaseLocked(now, c, slot, r)
			if q.fifo != nil {
				q.fifo.run = slot // what follows it in its group may come with it
			}
		}
		q.fillLocked(&dst[n], slot, r)
		n++
	}
	if c.visibility == 0 && !c.moves {
		for i := range dst[:n] {
			slot := dst[i].receipt.slot
			q.passLocked(now, slot, q.store.at(slot))
		}
	}
	if c.attempt != "" && n != 0 {
		q.fifo.attempts.bind(c.attempt, now, after(now, c.visibility), dst[:n])
		q.scheduleLocked(after(now, attemptWindow))
	}
	return n, nil
}

// judgeLocked decides about the message whose turn it is (SQS: DLQ-4). Where the dead-letter queue is
// gone the message is delivered as if there were none, and that counts as a failure (SQS: DLQ-8).
func (q *queue) judgeLocked(now int64, c *receiveCall, s *settings, a *address, slot uint32, r *record) verdict {
	switch {
	case c.moves:
		return move
	case s.target == nil || r.receivesHere() < uint32(s.maxReceives):
		return deliver
	case r.rare != nil && r.rare.spared == r.receive, r.flags&flagTwice != 0:
		return deliver
	case a.gone != nil:
		q.failedLocked(now, slot, a.gone)
		return deliver
	}
	return bury
}

// peekLocked returns the message that a receive takes next, 0 if there is none. While a lot is
// carried out in steps, and where the timer is late, a message whose retention is over may be yet to
// be removed; where one comes next, there is none before the next step.
func (q *queue) peekLocked(now int64) uint32 {
	slot := q.nextReadyLocked(now)
	if slot != 0 && q.armed <= now && after(q.store.at(slot).enqueued, q.settings.Load().retention) <= now {
		return 0
	}
	return slot
}

// nextReadyLocked returns the ready message whose turn it is, 0 if there is none.
func (q *queue) nextReadyLocked(now int64) uint32 {
	if q.fifo != nil {
		return q.fifo.peek(&q.store)
	}
	main := q.main.ready.head(&q.store)
	if q.fair == nil {
		return main
	}
	return q.fair.peek(now, &q.store, main)
}

// picked are the messages that a disturbed receive can take, in its order.
type picked []uint32

// next takes the first one, 0 where there is none.
func (p *picked) next() (slot uint32) {
	if len(*p) != 0 {
		slot, *p = (*p)[0], (*p)[1:]
	}
	return slot
}

// pickLocked chooses among the messages that come next. They stay ready, where they stand.
func (q *queue) pickLocked(now int64, how *disturbance.Receive) (p picked) {
	var window []uint32
	for len(window) < disturbance.Window {
		slot := q.peekLocked(now)
		if slot == 0 {
			break
		}
		q.offReadyLocked(slot, q.store.at(slot))
		window = append(window, slot)
	}
	for _, slot := range window {
		q.onReadyLocked(slot, q.store.at(slot))
		if !how.Sample || seen(how, q.store.at(slot).seq) {
			p = append(p, slot)
		}
	}
	if how.Shuffle {
		rng := rand.New(rand.NewPCG(how.Seed, 0))
		rng.Shuffle(len(p), func(i, j int) { p[i], p[j] = p[j], p[i] })
	}
	return p
}

// seen reports whether the message of this number is in the share that a receive sees. It is asked again
// where a receive looks twice, and has to say the same.
func seen(how *disturbance.Receive, seq uint64) bool {
	return rand.New(rand.NewPCG(how.Seed, seq)).Float64() < how.Share
}
