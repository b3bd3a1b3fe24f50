package inq

import (
	"time"

	"github.com/google/uuid"
)

// EventKind says what happened.
type EventKind uint8

// What can happen to a message, and to a queue as a whole.
const (
	EventSent             EventKind = iota + 1 // accepted from a producer
	EventDeduplicated                          // a send that was a duplicate of the message named
	EventMovedIn                               // came from another queue: a dead letter, or by a move task
	EventArrived                               // its delay is over
	EventReceived                              // handed to a consumer
	EventExtended                              // visibility timeout changed to something other than zero
	EventReleased                              // receivable again: timeout over, or set to zero
	EventReturned                              // given back by Return
	EventDeleted                               // deleted
	EventDeadLettered                          // taken by the dead-letter target
	EventDeadLetterFailed                      // the dead-letter target failed; Err says why
	EventMovedOut                              // taken away by a move task
	EventExpired                               // its retention is over
	EventPurged                                // all messages removed; Count says how many
	EventClosed                                // the queue ended with Count messages in it
)

var eventNames = [...]string{"", "sent", "deduplicated", "moved in", "arrived", "received", "extended", "released", "returned",
	"deleted", "dead-lettered", "dead-letter failed", "moved out", "expired", "purged", "closed"}

// String returns the kind in words.
func (k EventKind) String() string {
	if k == 0 || int(k) >= len(eventNames) {
		return "unknown"
	}
	return eventNames[k]
}

// An Event is one thing that happened in a queue, see [WithObserver].
type Event struct {
	Seq          uint64 // 1 for the queue's first event with an observer, then one more each
	Time         time.Time
	Kind         EventKind
	GroupID      string
	ReceiveCount int   // receives of the message so far; 0 where no message is meant
	Count        int   // messages concerned, for events of a whole queue
	Err          error // why a dead-letter target failed

	ids *identity
	seq uint64
	id  uuid.UUID
}

// MessageID returns the id of the message, "" for events of a whole queue.
func (e *Event) MessageID() string {
	switch {
	case e.id != uuid.Nil:
		return e.id.String()
	case e.seq == 0:
		return ""
	}
	id := e.ids.messageID(e.seq)
	return id.String()
}

// eventLocked notes what happened to a message, which must still be in its slot. q.mu must be held.
func (q *queue) eventLocked(now int64, kind EventKind, slot uint32) {
	if !q.observed {
		return
	}
	q.emitMessageLocked(now, Event{Kind: kind}, slot)
}

// emitMessageLocked notes an event with what is known of the message in slot. q.mu must be held.
func (q *queue) emitMessageLocked(now int64, e Event, slot uint32) {
	r := q.store.at(slot)
	e.seq, e.ReceiveCount, e.GroupID = r.seq, r.receiveCount(), q.groupLocked(slot)
	if r.rare != nil {
		e.id = r.rare.id
	}
	q.emitLocked(now, e)
}

// groupLocked returns the message group, "" if there is none. q.mu must be held.
func (q *queue) groupLocked(slot uint32) string {
	if q.fifo != nil {
		return q.fifo.groups.at(q.store.part(slot).group).name
	}
	if t := q.store.tenant(slot); t != 0 {
		return q.fair.tenants.at(t).name
	}
	return ""
}

// emitLocked numbers an event and keeps it until the lock is released. q.mu must be held.
func (q *queue) emitLocked(now int64, e Event) {
	if !q.observed {
		return
	}
	q.eventSeq++
	e.Seq, e.Time, e.ids = q.eventSeq, q.ids.time(now), q.ids
	q.events = append(q.events, e)
}

// deliverEvents unlocks and calls the observer. One goroutine at a time does so, for all that
// gathers meanwhile: that keeps the order, and an observer may use the queue. It is called with
// q.mu held.
func (q *queue) deliverEvents() {
	if q.delivering {
		q.mu.Unlock()
		return
	}
	q.delivering = true
	for len(q.events) != 0 {
		batch := q.events
		q.events = nil
		f := q.settings.Load().observer
		q.mu.Unlock()
		q.observe(f, batch)
		q.mu.Lock()
	}
	q.delivering = false
	q.mu.Unlock()
}

// observe calls f. Should f panic or end the goroutine, what gathered meanwhile is delivered all the
// same, and others can go on delivering.
func (q *queue) observe(f func([]Event), batch []Event) {
	if f == nil {
		return // taken away meanwhile
	}
	returned := false
	defer func() {
		if !returned {
			q.mu.Lock()
			q.delivering = false
			q.deliverEvents() // unlocks
		}
	}()
	f(batch)
	returned = true
}
