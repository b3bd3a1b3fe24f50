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
	newest   uint64     // mark of the newest batch
	purges   int        // that wait for their commit
	released released
	dedup    dedupRuns
	carried  journal.Batch // of what is written anew
}

// due is what a call has to wait for once it has unlocked.
type due struct {
	mark    uint64
	synced  bool
	segment uint32   // where the messages of the batch of sends are
	others  []uint64 // marks of earlier batches, whose outcome is the call's as well
	err     error    // a batch was refused
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

// released gathers what lives no more, so that a run of messages tells the log once.
type released struct {
	segment uint32
	weight  int64
}

func (k *queueJournal) segment(slot uint32) *uint32 {
	for int(slot/chunkSize) >= len(k.segments) {
		k.segments = append(k.segments, make([]uint32, chunkSize))
	}
	return &k.segments[slot/chunkSize][slot%chunkSize]
}

// forget tells that something lives no more. In segment 0 nothing does.
func (k *queueJournal) forget(segment uint32, weight int64) {
	if segment == 0 {
		return
	}
	if k.released.segment != segment {
		k.tellReleased()
	}
	k.released.segment = segment
	k.released.weight += weight
}

// tellReleased tells the log what forget gathered.
func (k *queueJournal) tellReleased() {
	if k.released.weight != 0 {
		k.log.Release(k.released.segment, k.released.weight)
	}
	k.released = released{}
}

// forgetMessage tells that a message lives no more.
func (k *queueJournal) forgetMessage(slot uint32, weight int64) {
	at := k.segment(slot)
	k.forget(*at, weight)
	*at = 0
}

// keepDedup notes where the ids are that came with the newest messages; segment 0: they were refused.
func (k *queueJournal) keepDedup(d *dedup, begun []pending, segment uint32) {
	number := d.end
	for i := range begun {
		if begun[i].end == EventSent {
			number--
		}
	}
	for ; number < d.end; number++ {
		k.dedup.add(number, segment)
	}
}

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
	if mark, ok := k.pending.markOf(seq); ok {
		k.due.others = append(k.due.others, mark)
		q.errands |= errandKeep
	}
	// What is not pending yet is in a batch of this critical section.
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
			k.due.mark = mark
			k.due.synced = k.due.synced || class != int(journal.Note)
		}
		if class == int(journal.Note) {
			continue
		}
		begun := k.begun[class]
		k.begun[class] = begun[:0]
		if q.fifo != nil && class == int(journal.Send) {
			k.keepDedup(&q.fifo.dedup, begun, segment)
		}
		if class == int(journal.Send) {
			k.due.segment = segment
		}
		for _, it := range begun {
			if err != nil {
				q.concludeLocked(now, it, err)
				continue
			}
			if it.end == EventSent || it.end == EventMovedIn {
				*k.segment(it.slot) = segment
			}
			if it.end != EventMovedIn { // whoever brings it waits itself
				it.mark = mark
				k.pending.add(it)
			}
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

// commit unlocks, waits until what was written in this critical section is kept, and does the errands.
func (q *queue) commit() error {
	d := q.takeDueLocked()
	q.mu.Unlock()
	err := q.journal.wait(&d)
	q.finishErrands()
	return err
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

// waitWritten returns when all that the queue has handed to the log is written: for receives that were handed
// a message while they waited.
func (q *queue) waitWritten() error {
	q.mu.Lock()
	d := due{mark: q.journal.newest}
	q.mu.Unlock()
	return q.journal.wait(&d)
}

// room says why the journal takes nothing of a class now.
func (k *queueJournal) room(class journal.Class) error {
	return k.owner.room(class)
}

// finishErrands does what was left to be done while a commit was waited for, and what that led to.
func (q *queue) finishErrands() {
	now, err := q.enter()
	if err == nil {
		_ = q.leave(now)
		return
	}
	q.mu.Lock()
	if q.errands&errandTell != 0 { // the queue is gone, and its events are told all the same
		q.deliverEvents() // unlocks
		return
	}
	q.mu.Unlock()
}

// committed goes on with what waited for its commit: all up to a mark is in the journal, or err says why the
// batch with this mark is not. It is called by whoever wrote the batch, in whatever call that was: so it
// waits for nothing, carries nothing and tells nobody. What is left to be done is left to those whose
// batches these were, and who are about to wake.
func (q *queue) committed(mark uint64, err error) {
	q.mu.Lock()
	now := q.clockLocked()
	k := q.journal
	for {
		it, ok := k.pending.next(mark)
		if !ok {
			break
		}
		q.concludeLocked(now, it, err)
	}
	if q.gone == nil && q.waiters.head != nil && !q.behind {
		q.serveLocked(now)
	}
	q.pause(now)
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
	default:
		q.stayLocked(now, it, r, q.journal.owner.asError(err))
	}
}
