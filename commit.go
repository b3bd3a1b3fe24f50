package inq

import "example.com/inq/internal/journal"

// This file is how a queue writes into its journal. Each transition adds its record to a batch, under the
// lock. Where the critical section ends the batch is handed to the log as a whole, and the call waits for it
// when it has unlocked: sends and deletes until it is as safe as the journal promises, all else until it is
// written. What waits for its commit meanwhile is pending: the log tells when that is over, and then the
// queue goes on with it in the order of the batches.

// queueJournal is what a queue has that writes a journal. The lock of the queue guards what is not set by
// the constructor.
type queueJournal struct {
	owner  *Journal
	log    *journal.Log
	stream *stream
	shift  int64 // what makes a time of the queue one of the wall clock

	batches  [3]journal.Batch // of this critical section, by class
	begun    [2][]pending     // what waits for the batches of sends and deletes
	pending  pendings
	segments [][]uint32 // by slot: where the message's record is
	due      due        // what this critical section has to wait for
	handed   []*waiter  // what this critical section handed messages to
	newest   uint64     // mark of the newest batch
	purges   int        // that wait for their commit
	rested   bool       // the queue is closed, and its stream has the messages
	released released
	dedup    dedupRuns
	carried  journal.Batch // of what is written anew
}

// due is what a call has to wait for once it has unlocked.
type due struct {
	mark    uint64
	synced  bool
	segment uint32   // where the messages of the batch of sends are
	sends   uint64   // mark of that batch
	others  []uint64 // marks of earlier batches, whose outcome is the call's as well
	err     error    // a batch was refused
}

// add adds a batch. Each may be in a frame of its own, and one of these may find room where another finds
// none. Notes that ride along with what is to be waited for are not part of the outcome.
func (d *due) add(mark uint64, class journal.Class) {
	switch {
	case class == journal.Note && d.synced:
		return
	case d.synced && d.mark != mark:
		d.others = append(d.others, d.mark)
	}
	d.mark, d.synced = mark, class != journal.Note
}

func (d *due) none() bool { return d.mark == 0 && d.err == nil && d.others == nil }

// pending is a message whose record waits for its commit.
type pending struct {
	mark uint64
	seq  uint64
	slot uint32
	end  EventKind // EventSent: it is to be in the queue; otherwise it is to be gone, and this is why
	was  state     // before it was to be gone
	way  way       // of a hand-over
	late bool      // deleted by a receive that was over
}

// pendings are those of a queue, in the order of their marks.
type pendings struct {
	items []pending
	from  int
}

func (p *pendings) empty() bool { return p.from == len(p.items) }

func (p *pendings) add(it pending) { p.items = append(p.items, it) }

// next takes out the oldest one if its mark is not beyond.
func (p *pendings) next(mark uint64) (it pending, ok bool) {
	if p.empty() || p.items[p.from].mark > mark {
		return pending{}, false
	}
	it = p.items[p.from]
	p.from++
	if p.empty() {
		p.items, p.from = p.items[:0], 0
		if cap(p.items) > 4096 {
			p.items = nil
		}
	} else if p.from >= 1024 && p.from > len(p.items)/2 {
		p.items = p.items[:copy(p.items, p.items[p.from:])]
		p.from = 0
	}
	return it, true
}

// markOf returns the mark that a message waits for.
func (p *pendings) markOf(seq uint64) (mark uint64, ok bool) {
	for _, it := range p.items[p.from:] {
		if it.seq == seq {
			return it.mark, true
		}
	}
	return 0, false
}

// writeDownLocked ends a critical section for the journal: it hands the batches to the log. errandKeep stays
// where there is something to wait for.
func (q *queue) writeDownLocked(now int64) {
	k := q.journal
	for class := range k.batches {
		b := &k.batches[class]
		if b.Len() == 0 {
			continue
		}
		segment, mark, err := k.log.Append(b, journal.Class(class))
		if err != nil {
			b.Reset()
			k.due.err = err
		} else {
			k.newest = mark
			k.due.add(mark, journal.Class(class))
		}
		if class == int(journal.Note) {
			for i, w := range k.handed {
				w.mark, k.handed[i] = mark, nil
			}
			k.handed = k.handed[:0]
			continue
		}
		begun := k.begun[class]
		k.begun[class] = begun[:0]
		if q.fifo != nil && class == int(journal.Send) {
			k.keepDedup(&q.fifo.dedup, begun, segment)
		}
		if class == int(journal.Send) {
			k.due.segment, k.due.sends = segment, mark
		}
		for _, it := range begun {
			if err != nil {
				q.concludeLocked(now, it, err)
				continue
			}
			if it.end == EventSent {
				*k.segment(it.slot) = segment
			}
			it.mark = mark
			k.pending.add(it)
		}
	}
	if q.fifo != nil {
		k.releaseDedup(&q.fifo.dedup)
	}
	k.tellReleased()
	if k.due.none() {
		q.errands &^= errandKeep
	}
}

// takeDueLocked returns what the caller has to wait for after unlocking.
func (q *queue) takeDueLocked() (d due) {
	q.errands &^= errandKeep
	d, q.journal.due = q.journal.due, due{}
	return d
}

// wait returns when all that is due is kept, or says why it is not. No lock may be held.
func (k *queueJournal) wait(d *due) error {
	err := d.err
	if d.mark != 0 {
		if lost := k.log.Wait(d.mark, d.synced); err == nil {
			err = lost
		}
	}
	for _, mark := range d.others {
		if lost := k.log.Wait(mark, true); err == nil {
			err = lost
		}
	}
	return k.owner.asError(err)
}

// waitWritten returns when the leases of what a receive was handed while it waited are written.
func (q *queue) waitWritten(w *waiter) error {
	q.mu.Lock() // the critical section in which it was woken is over
	d := due{mark: w.mark}
	q.mu.Unlock()
	return q.journal.wait(&d)
}

// room says why the journal takes nothing of a class now.
func (k *queueJournal) room(class journal.Class) error {
	return k.owner.room(class)
}

// concludeLocked goes on with one message that waited for its commit.
func (q *queue) concludeLocked(now int64, it pending, err error) {
	if it.end == EventPurged {
		q.purgedLocked(now, it.seq, err)
		return
	}
	r := q.store.find(it.slot, it.seq)
	switch {
	case r == nil: // expired or purged meanwhile
	case it.end == EventSent && r.state == stateCommitting && err == nil:
		q.admitLocked(now, it.slot, r)
	case it.end == EventSent && r.state == stateCommitting:
		q.rejectLocked(it.slot, r)
	case r.state != stateLeaving:
	case err == nil:
		q.departedLocked(now, it, r)
	case it.end == EventDeleted:
		q.stayLocked(now, it, r)
	default:
		q.endFailedLocked(now, it.slot, r, it.way, q.journal.owner.asError(err))
	}
}
