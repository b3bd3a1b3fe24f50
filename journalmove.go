package inq

import "example.com/inq/internal/journal"

// This file is how a message gets from one queue into another where a journal is kept.
//
// Between two queues of one journal the record of the message in the queue that takes it is also the end of
// the message in the queue that it comes from. The source writes it, in the critical section in which it
// lets go, so that there is no moment at which a restart would find the message in both or in neither.
// Otherwise the queue that takes it writes first, and the source lets go of it after that: a crash in
// between leaves the message in both.

// movedPut is the record of a message that was adopted, for its source to write.
type movedPut struct {
	stream uint32
	shift  int64
	weight int64
	kept   kept
}

// movedPutLocked makes the record of an adopted message. It is ready after a restart.
func (q *queue) movedPutLocked(now int64, slot uint32, r *record) *movedPut {
	k := q.journal
	m := q.keptLocked(now, slot, r)
	m.state = durableReady
	return &movedPut{stream: k.stream.number, shift: k.shift, weight: weightOf(m.body, m.group, m.rare), kept: m}
}

// adoptForGood is the end of adopt where nobody else writes the record: it unlocks, and returns when the
// message is for sure in the journal.
func (q *queue) adoptForGood(now int64, l *letter, adopted ref) (ref, error) {
	k := q.journal
	put := q.movedPutLocked(now, adopted.slot, q.store.at(adopted.slot))
	b := &k.batches[journal.Send]
	b.End(appendPut(b.Begin(k.stream.number, recordPut), &put.kept, &putExtra{}, k.shift), put.weight)
	q.errands |= errandKeep
	q.pauseLocked(now)
	d := q.takeDueLocked()
	q.mu.Unlock()
	if err := k.wait(&d); err != nil {
		q.finishAdoption(l, adopted, false, 0)
		return ref{}, err
	}
	l.put, l.at = put, d.segment
	return adopted, nil
}

// letGoForGoodLocked lets go of a message that somebody else has: it is gone as soon as that is for sure in
// the journal.
func (q *queue) letGoForGoodLocked(l *letter, r *record) {
	k := q.journal
	it := pending{end: l.way.end(), way: l.way, was: q.departLocked(l.slot, r)}
	if l.put == nil || l.at != 0 {
		q.goneLocked(l.slot, r, it)
		return
	}
	b := &k.batches[journal.Send]
	x := putExtra{from: k.stream.number, fromSeq: r.seq}
	b.End(appendPut(b.Begin(l.put.stream, recordPut), &l.put.kept, &x, l.put.shift), l.put.weight)
	q.pendLocked(journal.Send, l.slot, r, it)
}

// finishPutLocked notes where the record of an adopted message is, or that there is to be none. r is nil where
// the message is gone already: it has expired.
func (q *queue) finishPutLocked(l *letter, adopted ref, r *record, kept bool, segment uint32) {
	k := q.journal
	switch {
	case kept && r != nil:
		*k.segment(adopted.slot) = segment
	case kept || l.at != 0:
		k.log.Release(segment, l.put.weight)
		if r != nil {
			k.note(q, adopted.seq)
		}
	}
}

// finishClosed is finishAdoption for a queue that was closed meanwhile: the message rests in the journal, or is
// in the queue that was opened after it, which it returns.
func (k *queueJournal) finishClosed(q *queue, l *letter, adopted ref, kept bool, segment uint32) (next *queue) {
	s := k.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if to := s.queue.Load(); to != nil && to != q {
		return to
	}
	m := s.kept.find(adopted.slot, adopted.seq)
	switch {
	case s.dropped, m == nil:
		if kept || l.at != 0 {
			k.log.Release(segment, l.put.weight)
		}
	case kept:
		m.state, m.segment = durableReady, segment
	default:
		if l.at != 0 {
			var b journal.Batch
			b.End(appendGone(b.Begin(s.number, recordGone), m.seq), 0)
			_, _, _ = k.log.Append(&b, journal.Note)
			k.log.Release(segment, l.put.weight)
		}
		s.kept.remove(m)
	}
	return nil
}

// end is what is told of a message that came on its way like this, when somebody has taken it.
func (w way) end() EventKind {
	if w == byMove {
		return EventMovedOut
	}
	return EventDeadLettered
}
