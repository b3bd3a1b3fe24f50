package inq

import (
	"time"

	"example.com/inq/internal/pq"
)

// Retention goes by the time of the send, which is not the order of delivery. Nearly all messages
// expire in the order they arrived in, so a list of arrivals is enough for them: its head goes
// first. What does not fit, messages that LC-5 moved to the back and dead letters that keep an
// older send time, is in a heap by that time besides.

// arrivals lists messages in the order they came into the queue, whatever state they are in. The
// age of the oldest message is the age of its head (SQS: section 10); messages received three or
// more times on Standard are not on it.
type arrivals struct{ head, tail uint32 }

// push adds the message that came last.
func (a *arrivals) push(s *store, slot uint32, r *record) {
	r.arrNext, r.arrPrev = 0, a.tail
	if a.tail == 0 {
		a.head = slot
	} else {
		s.at(a.tail).arrNext = slot
	}
	a.tail = slot
}

func (a *arrivals) remove(s *store, r *record) {
	if r.arrPrev == 0 {
		a.head = r.arrNext
	} else {
		s.at(r.arrPrev).arrNext = r.arrNext
	}
	if r.arrNext == 0 {
		a.tail = r.arrPrev
	} else {
		s.at(r.arrNext).arrPrev = r.arrPrev
	}
	r.arrNext, r.arrPrev = 0, 0
}

// arrived returns when the message came into this queue.
func (r *record) arrived() int64 {
	if r.rare != nil && r.rare.movedIn {
		return r.rare.arrived
	}
	return r.enqueued
}

// arrivedLocked puts a new message where retention finds it. q.mu must be held.
func (q *queue) arrivedLocked(slot uint32, r *record, s *settings) {
	if t := q.tenantLocked(slot); t != 0 {
		q.fair.arrive(&q.store, t, slot)
	} else {
		q.main.arrivals.push(&q.store, slot, r)
	}
	if r.rare != nil && r.arrived() != r.enqueued {
		q.expiring.Push(pq.Entry{Key: r.enqueued, Ord: r.seq, ID: slot})
	}
	q.scheduleLocked(after(r.enqueued, s.retention))
}

// tenantLocked returns the tenant of a message, 0 if it has none or the queue is FIFO. q.mu must be
// held.
func (q *queue) tenantLocked(slot uint32) uint32 {
	if q.fair == nil {
		return 0
	}
	return q.store.tenant(slot)
}

// departLocked undoes arrivedLocked and poisonLocked. q.mu must be held.
func (q *queue) departLocked(slot uint32, r *record) {
	if r.flags&flagPoison == 0 {
		q.offArrivalsLocked(slot, r)
	}
	if r.rare != nil && r.rare.expiry >= 0 {
		q.expiring.Remove(r.rare.expiry)
	}
}

// poisonLocked takes a message that LC-5 moved to the back off the list of arrivals. q.mu must be
// held.
func (q *queue) poisonLocked(slot uint32, r *record) {
	q.offArrivalsLocked(slot, r)
	r.flags |= flagPoison
	if r.rare.expiry < 0 {
		q.expiring.Push(pq.Entry{Key: r.enqueued, Ord: r.seq, ID: slot})
	}
}

// offArrivalsLocked takes a message off the list of arrivals it is on. q.mu must be held.
func (q *queue) offArrivalsLocked(slot uint32, r *record) {
	if t := q.tenantLocked(slot); t != 0 {
		q.fair.depart(&q.store, t, slot)
		return
	}
	q.main.arrivals.remove(&q.store, r)
}

// nextExpiryLocked returns when the next message expires. q.mu must be held.
func (q *queue) nextExpiryLocked() int64 {
	_, at := q.oldestLocked()
	return after(at, q.settings.Load().retention)
}

// oldestLocked returns the message that expires next, and since when it counts; 0 and never if
// there is none. q.mu must be held.
func (q *queue) oldestLocked() (slot uint32, since int64) {
	since = never
	if h := q.main.arrivals.head; h != 0 {
		slot, since = h, q.store.at(h).arrived()
	}
	if q.fair != nil && q.fair.oldest.Len() != 0 {
		if e := q.fair.oldest.Min(); e.Key < since {
			slot, since = q.fair.tenants.at(e.ID).arrivals.head, e.Key
		}
	}
	if q.expiring.Len() != 0 {
		if e := q.expiring.Min(); e.Key < since {
			slot, since = e.ID, e.Key
		}
	}
	return slot, since
}

// expireLocked removes messages whose retention is over, also those in flight (SQS: LC-3), at most
// stepBudget of them, and reports whether there are more. q.mu must be held.
func (q *queue) expireLocked(now int64) (more bool) {
	retention := q.settings.Load().retention
	if retention == Forever {
		return false
	}
	for range stepBudget {
		slot, since := q.oldestLocked()
		if slot == 0 || after(since, retention) > now {
			return false
		}
		q.expireOneLocked(now, slot)
	}
	return true
}

// expireOneLocked removes a message whose retention is over. q.mu must be held.
func (q *queue) expireOneLocked(now int64, slot uint32) {
	q.metrics.expired++
	q.eventLocked(now, EventExpired, slot)
	q.detachLocked(slot, q.store.at(slot))
}

// ageLocked returns the age of the oldest message that counts (SQS: section 10), 0 if there is
// none. q.mu must be held.
func (q *queue) ageLocked(now int64) time.Duration {
	since := now
	if h := q.main.arrivals.head; h != 0 {
		since = q.store.at(h).arrived()
	}
	if q.fair != nil && q.fair.oldest.Len() != 0 {
		since = min(since, q.fair.oldest.Min().Key)
	}
	return time.Duration(now - since)
}
