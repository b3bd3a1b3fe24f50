package inq

import (
	"time"

	"example.com/inq/internal/pq"
)

// Retention goes by the time of the send, which is not the order of delivery. Nearly all messages
// expire in the order they arrived in, so a list of arrivals is enough for them: its head goes
// first. What does not fit, messages that LC-5 moved to the back and dead letters that keep an
// older send time, is in a heap by that time besides.

// enlistLocked puts a new message where retention finds it.
func (q *queue) enlistLocked(slot uint32, r *record, s *settings) {
	if t := q.tenantLocked(slot); t != 0 {
		q.fair.enlist(&q.store, t, slot)
	} else {
		q.main.arrivals.push(&q.store, slot, r)
	}
	if r.rare != nil && r.came() != r.enqueued {
		q.expiring.Push(pq.Entry{Key: r.enqueued, Ord: r.seq, ID: slot})
	}
	q.scheduleLocked(after(r.enqueued, s.retention))
}

// tenantLocked returns the tenant of a message, 0 if it has none or the queue is FIFO.
func (q *queue) tenantLocked(slot uint32) uint32 {
	if q.fair == nil {
		return 0
	}
	return q.store.tenant(slot)
}

// delistLocked undoes enlistLocked and poisonLocked.
func (q *queue) delistLocked(slot uint32, r *record) {
	if r.flags&flagPoison == 0 {
		q.unlistLocked(slot, r)
	}
	if r.rare != nil && r.rare.expiry >= 0 {
		q.expiring.Remove(r.rare.expiry)
	}
}

// poisonLocked takes a message that LC-5 moved to the back off the list of arrivals.
func (q *queue) poisonLocked(slot uint32, r *record) {
	q.unlistLocked(slot, r)
	r.flags |= flagPoison
	if r.rare.expiry < 0 {
		q.expiring.Push(pq.Entry{Key: r.enqueued, Ord: r.seq, ID: slot})
	}
}

// unlistLocked takes a message off the list of arrivals it is on.
func (q *queue) unlistLocked(slot uint32, r *record) {
	if t := q.tenantLocked(slot); t != 0 {
		q.fair.delist(&q.store, t, slot)
		return
	}
	q.main.arrivals.remove(&q.store, r)
}

// nextExpiryLocked returns when the next message expires. One that waits for its commit does so after that, and
// those behind it with it.
func (q *queue) nextExpiryLocked() int64 {
	slot, at := q.oldestLocked()
	next := after(at, q.settings.Load().retention)
	if slot != 0 && next <= q.last && q.store.at(slot).state == stateCommitting {
		return never
	}
	return next
}

// oldestLocked returns the message that expires next, and since when it counts; 0 and never if
// there is none.
func (q *queue) oldestLocked() (slot uint32, since int64) {
	since = never
	if h := q.main.arrivals.head; h != 0 {
		slot, since = h, q.store.at(h).came()
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

// ageLocked returns the age of the oldest message that counts (SQS: section 10), 0 if there is
// none.
func (q *queue) ageLocked(now int64) time.Duration {
	since := now
	if h := q.main.arrivals.head; h != 0 {
		since = q.store.at(h).came()
	}
	if q.fair != nil && q.fair.oldest.Len() != 0 {
		since = min(since, q.fair.oldest.Min().Key)
	}
	return time.Duration(now - since)
}
