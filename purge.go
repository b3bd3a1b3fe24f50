package inq

import "example.com/inq/internal/journal"

// purgeForGoodLocked writes down that all messages are to be gone. They are when that is for sure in the
// journal.
func (q *queue) purgeForGoodLocked() {
	k := q.journal
	b := &k.batches[journal.Delete]
	b.End(appendGone(b.Begin(k.stream.number, recordPurge), q.seq), 0)
	b.Settle(k.stream.number)
	k.begun[journal.Delete] = append(k.begun[journal.Delete], pending{seq: q.seq, end: EventPurged})
	k.purges++
	q.errands |= errandKeep
}

// purgedLocked removes all messages up to a number, unless the purge did not get into the journal.
func (q *queue) purgedLocked(now int64, upTo uint64, err error) {
	k := q.journal
	k.purges--
	if err != nil {
		q.purged = false // and may be tried again at once
		return
	}
	q.ownLocked(now, upTo)
	n, newer := 0, false
	for slot := uint32(1); slot < q.store.size; slot++ {
		switch r := q.store.at(slot); {
		case r.state == stateFree:
		case r.seq > upTo:
			newer = true
		default:
			n++
		}
	}
	q.tellQueueLocked(now, Event{Kind: EventPurged, Count: n})
	q.metrics.purged += uint64(n)
	if q.fifo != nil {
		q.fifo.attempts = attempts{}
		q.fifo.dedup.dropUpTo(upTo)
		k.releaseDedup(&q.fifo.dedup)
	}
	for slot := uint32(1); slot < q.store.size; slot++ {
		r := q.store.at(slot)
		if r.state == stateFree || r.seq > upTo {
			continue
		}
		if newer {
			q.removeLocked(slot, r)
		} else {
			k.forgetMessage(slot, weightOf(r.body, q.groupLocked(slot), r.rare))
		}
	}
	k.tellReleased()
	if newer {
		return
	}
	var ids dedup
	if q.fifo != nil {
		ids = q.fifo.dedup
	}
	q.resetLocked()
	k.segments = nil
	if q.fifo != nil {
		q.fifo.dedup = ids
	}
}
