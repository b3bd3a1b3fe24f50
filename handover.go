package inq

import (
	"slices"

	"github.com/google/uuid"
)

// This file is how a message gets from a queue into another queue of this process, and how every
// hand-over ends. What is handed over is a letter: a message that is burying, with all that its
// queue knows of it. Letters are written under the lock and carried after it was released.

// letter is a message on its way out of its queue.
type letter struct {
	ref
	source *queue // nil: a caller of DeadLetter
	to     *queue // of this process; nil: a foreign target or destination
	way    way
	call   *targetCall // of the foreign target
	put    *movedPut   // the record of the message in to, where that has a journal
	at     uint32      // segment where to has written it; 0: source is to write it
	DeadLetter
}

// way is how a message came on its way, which decides what becomes of it should nobody take it.
type way uint8

const (
	byReceive way = iota // it was received often enough: it is offered again later
	byBury               // its consumer asked for it: it is in flight again
	byMove               // a move task: it is back where it stood
)

// address is where the dead letters of a queue go at one moment: the target may be a queue that is closed
// or deleted while nobody who hands over holds its lock. A critical section asks once.
type address struct {
	to     *queue           // of this process, and alive
	gone   error            // why there is no such queue any more
	abroad DeadLetterTarget // something else
}

// address looks up where dead letters go now. There must be a target.
func (s *settings) address() (a address) {
	if t, ok := s.target.(deadLetterARN); ok {
		if a.to, a.gone = t.account.queueOf(t.arn); a.gone != nil {
			return address{gone: a.gone}
		}
	} else if a.to = localQueue(s.target); a.to == nil {
		return address{abroad: s.target}
	}
	if gone := a.to.ended.Load(); gone != nil {
		return address{gone: *gone}
	}
	return a
}

// postLocked sees to it that a message which is burying since just now is handed over: right after
// unlocking where the target is a queue of this process, else by a goroutine of the outbox.
func (q *queue) postLocked(s *settings, a *address, slot uint32, r *record) {
	q.marked++
	if a.to != nil {
		q.letters = append(q.letters, q.letterLocked(slot, r, a.to, byReceive, s.reason(r)))
		q.errands |= errandLetters
		return
	}
	q.outbox.add(&q.store, slot, r)
	q.errands |= errandCalls
	q.scheduleLocked(q.outbox.stuckAt())
}

// letterLocked writes what the queue knows of a message that is burying. A deduplication id may be
// contentMark yet, since hashing takes too long here.
func (q *queue) letterLocked(slot uint32, r *record, to *queue, by way, reason string) letter {
	var s Snapshot
	q.snapshotLocked(&s, slot, r)
	return letter{ref: ref{slot, r.seq}, source: q, to: to, way: by, DeadLetter: DeadLetter{
		ID: s.ID, Body: s.Body, Attributes: s.Attributes, GroupID: s.GroupID, DeduplicationID: s.DeduplicationID,
		SequenceNumber: s.SequenceNumber, TraceHeader: s.TraceHeader, SenderID: s.SenderID,
		Source: q.name, SourceARN: q.arn, Reason: reason, ReceiveCount: s.ReceiveCount,
		SentAt: s.SentAt, FirstReceivedAt: s.FirstReceivedAt, from: q, lent: s.lent,
	}}
}

// carrier is whoever hands letters over, in the order of its calls: deliver or touch, then finish,
// then tell. It holds no lock in between and calls no foreign code before tell, so what it has begun
// it ends, whatever an observer does.
type carrier struct {
	letters []letter
	queues  []*queue // where something has changed by it
	done    int      // how many messages were made burying before it or by it
}

// carryAtOnce bounds what a carrier does, since it may be somebody who only wanted to send or delete a
// message. The timers of the queues concerned go on with the rest.
const carryAtOnce = 2 * marksAtOnce

// touch notes a queue that is to be looked at.
func (c *carrier) touch(q *queue) {
	if !slices.Contains(c.queues, q) {
		c.queues = append(c.queues, q)
	}
}

// deliver moves a message into a queue of this process, in three critical sections, never two locks:
// the queue adopts it, hidden from everybody; the source lets go of it; the queue reveals it. A
// message that was deleted before the source let go is dropped there, so nobody receives what was
// deleted, and kept is false.
func (c *carrier) deliver(l *letter) (kept bool, err error) {
	h := c.handOver(l)
	return h.conclude()
}

// handing is a hand-over that waits for a journal before its last step.
type handing struct {
	l       *letter
	adopted ref
	kept    bool
	err     error
	due     due // of the source
}

// handOver is deliver without the last step.
func (c *carrier) handOver(l *letter) (h handing) {
	c.touch(l.source)
	c.touch(l.to)
	h.l = l
	h.adopted, h.err = l.to.adopt(l)
	h.kept, h.due = l.source.settle(l, h.err)
	return h
}

// conclude waits until the source has let go for good, and does the last step.
func (h *handing) conclude() (kept bool, err error) {
	if !h.due.none() {
		if lost := h.l.source.journal.wait(&h.due); lost != nil && h.err == nil {
			h.kept, h.err = false, lost
		}
	}
	if h.adopted.slot != 0 {
		segment := h.l.at
		if segment == 0 {
			segment = h.due.segment
		}
		h.l.to.finishAdoption(h.l, h.adopted, h.kept, segment)
	}
	return h.kept, h.err
}

// finish looks at the queues that were touched until nothing is left to be done in them: receives
// that wait are served, and that may lead to more letters. With letters taken before, those go first.
func (c *carrier) finish() {
	for {
		c.carryLetters()
		again := false
		for _, q := range c.queues {
			if now, err := q.enter(); err == nil {
				again = c.look(q, now) || again
			}
		}
		if !again && len(c.letters) == 0 {
			return
		}
	}
}

// carryLetters delivers all letters. Those that wait for a journal do so together, save where a queue is its
// own target: what leaves it and what comes into it take turns.
func (c *carrier) carryLetters() {
	letters := c.letters
	c.letters = nil
	var wait []handing
	for i := range letters {
		h := c.handOver(&letters[i])
		if h.due.none() || h.l.to == h.l.source {
			_, _ = h.conclude()
		} else {
			wait = append(wait, h)
		}
	}
	for i := range wait {
		_, _ = wait[i].conclude()
	}
}

// look serves the receives that wait in a queue, takes its letters along, starts calls, and unlocks.
// It reports whether it is to look there again at once. A carrier that has done enough leaves that to
// the timer of the queue.
func (c *carrier) look(q *queue, now int64) (again bool) {
	tired := c.done >= carryAtOnce
	if tired {
		q.scheduleLocked(now)
	} else if q.marked < marksAtOnce { // else this critical section has done its part
		q.errands &^= errandCalls
		q.startCallsLocked(now)
		q.serveLocked(now)
	}
	again = !tired && q.errands&(errandCalls|errandLook) != 0
	q.behind = tired || again || len(q.letters) != 0
	c.done += q.marked
	if c.letters == nil {
		c.letters = q.letters
	} else {
		c.letters = append(c.letters, q.letters...)
	}
	q.letters, q.marked = nil, 0
	q.errands &^= errandLetters | errandLook
	q.pause(now)
	return again
}

// tell delivers the events of the queues that were touched, in the end, since an observer may take its time
// or end the goroutine.
func (c *carrier) tell() { tellAll(c.queues) }

// sendOff unlocks, and sees to the hand-overs that were marked under the lock and to what they lead
// to. The carrier is yet to tell.
func (q *queue) sendOff(now int64) (c carrier) {
	c.touch(q)
	if c.look(q, now) || len(c.letters) != 0 {
		c.finish()
	}
	return c
}

// adopt takes the message of a letter in: a dead letter, or by a move task a new message with its
// content. Nobody can receive it before finishAdoption.
func (q *queue) adopt(l *letter) (adopted ref, err error) {
	d := &l.DeadLetter
	if d.from != nil && (d.from.fifo != nil) != (q.fifo != nil) {
		return ref{}, q.refused(&ParamError{Err: ErrInvalidParameter, Param: "DestinationArn", Value: q.arn,
			Reason: "must be of the same type as the source"})
	}
	if q.fifo != nil && d.GroupID == "" {
		return ref{}, q.refused(&ParamError{Err: ErrMissingParameter, Param: "MessageGroupId", Value: "", Reason: "required by a FIFO queue"})
	}
	p := q.payloadOf(l)
	n, size := 1, p.size
	if l.source == q {
		n, size = 0, 0 // it is here already, and would wait for its own room for ever
	}
	now, err := q.enterToSend(n, size)
	if err != nil {
		return ref{}, err
	}
	s := q.settings.Load()
	if l.source != q && !q.fitsLocked(s, n, size) {
		err = q.fullLocked(s, size)
		q.pause(now)
		return ref{}, err
	}
	p.sent = min(p.sent, now)
	slot := q.adoptLocked(now, &p, s)
	r := q.store.at(slot)
	adopted = ref{slot, r.seq}
	switch {
	case q.journal == nil:
	case l.source != nil && l.source.journal != nil && l.source.journal.owner == q.journal.owner:
		l.put = q.movedPutLocked(now, slot, r)
	default:
		return q.adoptForGood(now, l, adopted)
	}
	q.pause(now)
	return adopted, nil
}

// payloadOf is what a queue stores of a letter. A dead letter keeps its id, and on Standard the time it
// was sent (SQS: DLQ-5..7); what a move task moves is new (SQS: MOV-10).
func (q *queue) payloadOf(l *letter) payload {
	d := &l.DeadLetter
	m := Message{Body: d.Body, Attributes: d.Attributes}
	size := m.size()
	ra := &rare{attributes: d.Attributes, attrBytes: size - len(d.Body), traceHeader: d.TraceHeader, senderID: d.SenderID,
		lentSender: d.SenderID == d.lent, movedIn: true, expiry: -1}
	p := payload{body: d.Body, rare: ra, group: d.GroupID, size: size, sent: never, first: never}
	if q.fifo != nil {
		p.hash = q.fifo.groupHash(d.GroupID)
	}
	if l.way == byMove {
		return p
	}
	ra.sourceARN, ra.origin, ra.reason, ra.countBefore = d.SourceARN, d.from, d.Reason, uint32(max(d.ReceiveCount, 0))
	if id, err := uuid.Parse(d.ID); err == nil {
		ra.id = id
	}
	if q.fifo == nil && !d.SentAt.IsZero() {
		p.sent = int64(d.SentAt.Sub(q.ids.epoch))
	}
	if !d.FirstReceivedAt.IsZero() {
		p.first = int64(d.FirstReceivedAt.Sub(q.ids.epoch))
	}
	return p
}

// finishAdoption reveals an adopted message that its source let go of, and drops another. segment is where
// the source wrote the record of it, where it did.
func (q *queue) finishAdoption(l *letter, adopted ref, kept bool, segment uint32) {
	now, closed := q.enter()
	if closed != nil {
		if q.journal == nil {
			return
		}
		q.mu.Lock()
		if q.journal.rested {
			q.mu.Unlock()
			if next := q.journal.finishClosed(q, l, adopted, kept, segment); next != nil {
				next.finishAdoption(l, adopted, kept, segment)
			}
			return
		}
		now = q.last // somebody is about to put the queue to rest, and has the message yet
	}
	r := q.store.find(adopted.slot, adopted.seq)
	if q.journal != nil {
		q.finishPutLocked(l, adopted, r, kept, segment)
	}
	switch {
	case r == nil:
	case kept:
		q.revealLocked(now, adopted.slot, r)
	default:
		q.adopting--
		q.removeLocked(adopted.slot, r)
	}
	q.errands |= errandLook
	q.pause(now)
}

// settle ends a hand-over in the queue that the message came from; err says why it failed. kept is
// false where the message was gone by then: deleted, purged, expired, or closed with its queue. With a
// journal the message is gone when what is due was waited for.
func (q *queue) settle(l *letter, err error) (kept bool, d due) {
	now, closed := q.enter()
	if closed != nil {
		return false, due{}
	}
	if l.call != nil {
		q.outbox.end(l.slot, l.call)
		q.errands |= errandCalls // a place is free
	}
	r := q.store.find(l.slot, l.seq)
	kept = r != nil && r.state != stateLeaving
	switch {
	case !kept:
		if err == nil && l.to == nil && l.way != byMove {
			q.metrics.deadLettered++ // the target has it all the same
		}
	case err != nil:
		q.endFailedLocked(now, l.slot, r, l.way, err)
	case q.journal != nil:
		q.letGoForGoodLocked(l, r)
	default:
		q.letGoLocked(now, l.slot, r, l.way.end())
	}
	q.errands |= errandLook
	if q.journal == nil {
		q.pause(now)
		return kept, due{}
	}
	q.pauseLocked(now)
	d = q.takeDueLocked()
	q.mu.Unlock()
	return kept, d
}
