package inq

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// An Obstacle is what keeps a message from being delivered.
type Obstacle string

// What [Explanation.Obstacle] can be.
const (
	// ObstacleNone: the message is receivable, and the next receive takes it.
	ObstacleNone Obstacle = "none"
	// ObstacleAhead: the message is receivable, and others come first: Ahead of them. For the first
	// message of a FIFO group these are the groups that have their turns before.
	ObstacleAhead Obstacle = "others ahead"
	// ObstacleGroupAhead: the message is receivable together with others of its group that come
	// first, Ahead of them (FIFO only). Alone they keep it waiting until they are deleted.
	ObstacleGroupAhead Obstacle = "others of its group ahead"
	// ObstacleNoisyGroup: the message is receivable, and messages of other groups come first because
	// its own has too much in flight: InFlight messages (fair queues, Standard only).
	ObstacleNoisyGroup Obstacle = "noisy group"
	// ObstacleGroup: the message waits for an earlier one of its group, Blocker (FIFO only).
	ObstacleGroup Obstacle = "group blocked"
	// ObstacleInFlightLimit: the message is receivable, and InFlight messages are in flight, which is
	// as many as the queue may have, Limit.
	ObstacleInFlightLimit Obstacle = "in-flight limit"
	// ObstacleDelay: the message is delayed until Until.
	ObstacleDelay Obstacle = "delay"
	// ObstacleInFlight: a consumer has the message until Until, by its receive number ReceiveCount
	// at ReceivedAt.
	ObstacleInFlight Obstacle = "in flight"
	// ObstacleReceives: the message was received as often as it may be. The receive whose turn it is
	// hands it to the dead-letter target instead of delivering it.
	ObstacleReceives Obstacle = "received too often"
	// ObstacleLeaving: the message is on its way to the dead-letter target or, by a move task, to
	// another queue.
	ObstacleLeaving Obstacle = "leaving"
	// ObstacleTarget: the dead-letter target failed to take the message, Failures times since it was
	// received last. The message is hidden until Until; the receive after that is the next try.
	ObstacleTarget Obstacle = "dead-letter target failed"
	// ObstacleArriving: the message comes from another queue, which has yet to let go of it.
	ObstacleArriving Obstacle = "arriving"
	// ObstacleEnding: the message was deleted, or another queue has taken it, and the journal of the
	// queue is about to make sure of that.
	ObstacleEnding Obstacle = "ending"
	// ObstacleGone: the queue has no such message. It was deleted, has expired, was purged or moved
	// to another queue, or it never was here.
	ObstacleGone Obstacle = "gone"
)

// An Explanation tells why one message was not delivered at one moment, see [Standard.Explain]. The first
// five fields are always set; of the others those that belong to the Obstacle.
type Explanation struct {
	MessageID    string
	Obstacle     Obstacle
	At           time.Time // the moment
	GroupID      string    // "" where it has none, or is gone
	ReceiveCount int       // receives so far, as the next delivery would count them

	Until      time.Time    // when the obstacle passes by itself; zero: not by time
	ReceivedAt time.Time    // the receive that it is in flight by
	Failures   int          // of the dead-letter target since that receive
	Ahead      int          // messages that come first
	AtLeast    bool         // there may be more than Ahead: the count stops at 1,000
	InFlight   int          // messages in flight of the group, or of the queue
	Limit      int          // how many the queue may have in flight
	Blocker    *Explanation // why the message that blocks the group is not out of the way
}

// String returns the explanation as a sentence, in which times are relative to At.
func (e Explanation) String() string { return "The message " + e.clause() + "." }

func (e *Explanation) clause() string {
	switch e.Obstacle {
	case ObstacleNone:
		return "is receivable now, and the next receive takes it"
	case ObstacleAhead:
		return "is receivable now, behind " + e.ahead()
	case ObstacleGroupAhead:
		return fmt.Sprintf("is receivable now, behind %s of its group %q", e.ahead(), e.GroupID)
	case ObstacleNoisyGroup:
		return fmt.Sprintf("is receivable now, behind %s: its group %q has %s in flight, and others come first",
			e.ahead(), e.GroupID, counted(e.InFlight, "message"))
	case ObstacleGroup:
		return fmt.Sprintf("waits for message %s of its group %q, which %s", e.Blocker.MessageID, e.GroupID, e.Blocker.clause())
	case ObstacleInFlightLimit:
		return fmt.Sprintf("is receivable, and the queue delivers nothing while %d of at most %d messages are in flight", e.InFlight, e.Limit)
	case ObstacleDelay:
		return "is delayed " + e.until()
	case ObstacleInFlight:
		return fmt.Sprintf("is in flight %s, by receive number %d, %v ago", e.until(), e.ReceiveCount, e.At.Sub(e.ReceivedAt))
	case ObstacleReceives:
		return fmt.Sprintf("was received %s, as often as it may be: the next receive hands it to the dead-letter target",
			counted(e.ReceiveCount, "time"))
	case ObstacleLeaving:
		return "is on its way to the dead-letter target or another queue"
	case ObstacleTarget:
		return fmt.Sprintf("stays hidden %s, since the dead-letter target failed %s", e.until(), counted(e.Failures, "time"))
	case ObstacleArriving:
		return "is about to arrive from another queue"
	case ObstacleEnding:
		return "is about to be gone"
	case ObstacleGone:
		return "is gone from the queue, or was never in it"
	}
	return "is unknown"
}

// until says how long something lasts.
func (e *Explanation) until() string {
	if e.Until.IsZero() {
		return "without end"
	}
	return fmt.Sprintf("for another %v", e.Until.Sub(e.At))
}

func (e *Explanation) ahead() string {
	n := counted(e.Ahead, "other")
	if e.AtLeast {
		return "at least " + n
	}
	return n
}

// counted puts a number before a noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// mostAhead bounds how many messages that come first are counted in one critical section.
const mostAhead = 1000

// Explain tells why the message with this id is not delivered at this moment, or that it can be. The
// answer is one look at the queue and touches nothing; by the time the caller reads it, it may have
// changed.
//
// An id is not stored where it can be found by it. So the call goes through all messages, in
// steps that hold the lock for some microseconds each, and looks at what it finds once more: about
// 30 ms for a million messages. Of those that come first it counts 1,000 at most.
//
// An id that is not a UUID is refused with [ErrInvalidParameter], an empty one with
// [ErrMissingParameter]. A nil ctx is refused with ErrMissingParameter too; the bare error of an
// ended one is returned, also in the middle of the search. After the queue is closed the call returns
// [ErrClosed].
func (q *queue) Explain(ctx context.Context, messageID string) (Explanation, error) {
	if err := q.checkContext(ctx); err != nil {
		return Explanation{}, err
	}
	if messageID == "" {
		return Explanation{}, q.refused(&ParamError{Err: ErrMissingParameter, Param: "MessageId", Value: "", Reason: "must not be empty"})
	}
	id, err := uuid.Parse(messageID)
	if err != nil {
		return Explanation{}, q.refused(&ParamError{Err: ErrInvalidParameter, Param: "MessageId", Value: messageID, Reason: "must be a UUID"})
	}
	found, err := q.search(ctx, id)
	if err != nil {
		return Explanation{}, err
	}
	now, err := q.enterSettled()
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{MessageID: id.String(), Obstacle: ObstacleGone, At: q.ids.time(now)}
	if r := q.store.find(found.slot, found.seq); r != nil {
		q.explainLocked(now, &e, found.slot, r)
	}
	_ = q.leave(now)
	return e, nil
}

// search finds the message with this id, zero where there is none. It reads one chunk of the slab per
// critical section; that an id is derived from the number of its message is worked out in between.
func (q *queue) search(ctx context.Context, id uuid.UUID) (ref, error) {
	seqs := make([]uint64, chunkSize) // of the messages in the chunk whose ids are derived, else 0
	for from := uint32(0); ; from += chunkSize {
		if err := ctx.Err(); err != nil {
			return ref{}, err
		}
		now, err := q.enter()
		if err != nil {
			return ref{}, err
		}
		end := q.store.size
		if from >= end {
			_ = q.leave(now)
			return ref{}, nil
		}
		var found ref
		clear(seqs)
		for slot := max(from, 1); slot < min(from+chunkSize, end); slot++ {
			switch r := q.store.at(slot); {
			case r.state == stateFree, r.state == stateCommitting: // nobody knows of it
			case r.rare == nil || r.rare.id == uuid.Nil:
				seqs[slot-from] = r.seq
			case r.rare.id == id:
				found = ref{slot, r.seq}
			}
		}
		_ = q.leave(now)
		if found.slot != 0 {
			return found, nil
		}
		for i, seq := range seqs {
			if seq != 0 && q.ids.messageID(seq) == id {
				return ref{from + uint32(i), seq}, nil
			}
		}
	}
}

// explainLocked explains a message that is there.
func (q *queue) explainLocked(now int64, e *Explanation, slot uint32, r *record) {
	e.MessageID, e.At = q.idLocked(r).String(), q.ids.time(now)
	e.GroupID, e.ReceiveCount = q.groupLocked(slot), r.receiveCount()
	if until := q.untilLocked(slot, r); until != never {
		e.Until = q.ids.time(until)
	}
	switch r.state {
	case stateDelayed:
		e.Obstacle = ObstacleDelay
	case stateInFlight:
		e.Obstacle, e.ReceivedAt = ObstacleInFlight, q.ids.time(r.received)
	case stateBurying:
		e.Obstacle = ObstacleLeaving
	case stateBackoff:
		e.Obstacle, e.Failures = ObstacleTarget, int(r.rare.failures)
	case stateAdopted:
		e.Obstacle = ObstacleArriving
	case stateLeaving:
		e.Obstacle = ObstacleEnding
	default:
		q.explainReadyLocked(now, e, slot, r)
	}
}

// explainReadyLocked explains a message that is ready. What keeps this message alone goes before what
// keeps all, and that before the order.
func (q *queue) explainReadyLocked(now int64, e *Explanation, slot uint32, r *record) {
	if q.fifo != nil {
		q.explainTurnLocked(now, e, slot)
	} else {
		q.explainPlaceLocked(now, e, slot)
	}
	s := q.settings.Load()
	is := Explanation{MessageID: e.MessageID, At: e.At, GroupID: e.GroupID, ReceiveCount: e.ReceiveCount}
	switch in := q.counts[classInFlight]; {
	case e.Obstacle == ObstacleGroup:
	case s.wornOut(r):
		is.Obstacle = ObstacleReceives
		*e = is
	case in >= q.limit:
		is.Obstacle, is.InFlight, is.Limit = ObstacleInFlightLimit, in, q.limit
		*e = is
	}
}

// wornOut reports whether a receive would bury the message, as judgeLocked decides.
func (s *settings) wornOut(r *record) bool {
	if s.target == nil || r.receivesHere() < uint32(s.maxReceives) || r.rare != nil && r.rare.spared == r.receive || r.flags&flagTwice != 0 {
		return false
	}
	a := s.address()
	return a.gone == nil
}

// explainTurnLocked explains where a ready message of a FIFO queue stands.
func (q *queue) explainTurnLocked(now int64, e *Explanation, slot uint32) {
	f := q.fifo
	g := q.store.part(slot).group
	gr := f.groups.at(g)
	e.Obstacle = ObstacleNone
	for at := gr.head; at != slot; at = gr.following(&q.store, at) {
		if r := q.store.at(at); r.state != stateReady {
			e.Obstacle, e.Ahead, e.Blocker = ObstacleGroup, 0, new(Explanation)
			q.explainLocked(now, e.Blocker, at, r)
			return
		}
		e.Obstacle = ObstacleGroupAhead
		if e.Ahead++; e.Ahead == mostAhead {
			e.AtLeast = true
			return
		}
	}
	if e.Ahead != 0 {
		return
	}
	for at := f.first; at != g; at = f.groups.at(at).next {
		e.Obstacle = ObstacleAhead
		if e.Ahead++; e.Ahead == mostAhead {
			e.AtLeast = true
			return
		}
	}
}

// explainPlaceLocked explains where a ready message of a Standard queue stands.
func (q *queue) explainPlaceLocked(now int64, e *Explanation, slot uint32) {
	p, t := q.store.place(slot), q.tenantLocked(slot)
	var loud noisy
	quiet := q.counts[classVisible]
	if q.fair != nil {
		loud = q.fair.noisy(now)
		for _, id := range loud.ids[:loud.n] {
			quiet -= q.fair.tenants.at(id).counts[classVisible]
		}
	}
	e.Obstacle = ObstacleNone
	if !loud.has(t) {
		e.Ahead = q.main.ready.before(&q.store, p, mostAhead)
		if q.fair != nil {
			e.Ahead += q.fair.before(&q.store, p, &loud, mostAhead-e.Ahead)
		}
	} else {
		te := q.fair.tenants.at(t)
		e.Ahead = te.ready.before(&q.store, p, mostAhead)
		next := q.tenantLocked(q.nextReadyLocked(now))
		if next != t {
			e.Obstacle, e.InFlight = ObstacleNoisyGroup, te.counts[classInFlight]
			e.Ahead += max(quiet, 1)
		}
	}
	if e.Ahead >= mostAhead {
		e.Ahead, e.AtLeast = mostAhead, true
	}
	if e.Ahead != 0 && e.Obstacle == ObstacleNone {
		e.Obstacle = ObstacleAhead
	}
}
