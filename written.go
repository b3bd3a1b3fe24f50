package inq

import (
	"slices"

	"example.com/inq/internal/journal"
)

// This file is what a transition writes into the journal of its queue: records in the batches of the critical
// section, and what waits for them.

// putLocked writes a message down that waits for its commit.
func (q *queue) putLocked(now int64, slot uint32, r *record, p *payload) {
	x := putExtra{keyed: q.fifo != nil && p.dedup != "", key: p.key}
	q.writePutLocked(now, slot, r, &x)
	q.pendLocked(journal.Send, slot, r, pending{end: EventSent})
}

// writePutLocked adds the record of a message to the batch of sends.
func (q *queue) writePutLocked(now int64, slot uint32, r *record, x *putExtra) {
	k := q.journal
	m := q.keptLocked(now, slot, r)
	b := &k.batches[journal.Send]
	b.End(appendPut(b.Begin(k.stream.number, recordPut), &m, x, k.shift), weightOf(m.body, m.group, m.rare)+dedupWeightOf(x))
	q.errands |= errandKeep
}

// dedupWeightOf is what a deduplication id weighs besides the message it came with.
func dedupWeightOf(x *putExtra) int64 {
	if x.keyed {
		return dedupWeight
	}
	return 0
}

// noteChangeLocked writes down what has just changed of a message, if a restart is to know it.
func (q *queue) noteChangeLocked(now int64, kind EventKind, slot uint32) {
	k := q.journal
	r := q.store.at(slot)
	switch kind {
	case EventExpired:
		k.note(q, r.seq)
		return
	case EventReceived, EventRepeated, EventExtended, EventTimedOut, EventReleased, EventMovedBack, EventReturned, EventArrived, EventPutBack:
	default:
		return
	}
	m := q.keptLocked(now, slot, r)
	if m.state == durableInFlight && m.left == 0 {
		m.state = durableReady // a visibility timeout of zero
	}
	b := &k.batches[journal.Note]
	b.End(appendChange(b.Begin(k.stream.number, recordChange), &m, k.shift), 0)
	q.errands |= errandKeep
}

// noteTurnLocked writes down the place of a group among those that can deliver, with the message that is its
// first one now.
func (q *queue) noteTurnLocked(g uint32) {
	gr := q.fifo.groups.at(g)
	if !gr.eligible {
		return
	}
	k := q.journal
	m := q.keptLocked(q.last, gr.head, q.store.at(gr.head))
	b := &k.batches[journal.Note]
	b.End(appendChange(b.Begin(k.stream.number, recordChange), &m, k.shift), 0)
}

// note writes down that a message is gone, for which nobody waits.
func (k *queueJournal) note(q *queue, seq uint64) {
	b := &k.batches[journal.Note]
	b.End(appendGone(b.Begin(k.stream.number, recordGone), seq), 0)
	q.errands |= errandKeep
}

// goneLocked writes down that a message is to be gone; it says why, and what it was before.
func (q *queue) goneLocked(slot uint32, r *record, it pending) {
	k := q.journal
	b := &k.batches[journal.Delete]
	b.End(appendGone(b.Begin(k.stream.number, recordGone), r.seq), 0)
	q.pendLocked(journal.Delete, slot, r, it)
}

// pendLocked makes a message wait for the commit of a batch.
func (q *queue) pendLocked(class journal.Class, slot uint32, r *record, it pending) {
	k := q.journal
	it.slot, it.seq = slot, r.seq
	k.batches[class].Settle(k.stream.number)
	k.begun[class] = append(k.begun[class], it)
	q.errands |= errandKeep
}

// joinLocked makes the call wait for what a message waits for, if it does.
func (q *queue) joinLocked(seq uint64) {
	k := q.journal
	if mark, ok := k.pending.markOf(seq); ok && !slices.Contains(k.due.others, mark) {
		k.due.others = append(k.due.others, mark)
		q.errands |= errandKeep
	}
	// What is not pending yet is in a batch of this critical section.
}
