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
	EventRepeated                              // handed out again under the attempt id of its receive
	EventExtended                              // visibility timeout changed to something other than zero
	EventTimedOut                              // receivable again: its visibility timeout ended
	EventReleased                              // receivable again: its consumer set the timeout to zero
	EventReturned                              // given back by Return
	EventMovedBack                             // from now on behind all others, for it was received three times or more
	EventDeleted                               // deleted
	EventLeaving                               // on its way to the dead-letter target, or elsewhere by a move task
	EventDeadLettered                          // taken by the dead-letter target
	EventDeadLetterFailed                      // the dead-letter target failed, or is gone; Err says why
	EventPutBack                               // ready again where it stood: the next try is due, or nobody took it
	EventMovedOut                              // taken away by a move task
	EventExpired                               // its retention is over
	EventPurged                                // all messages removed; Count says how many
	EventConfigured                            // an option was changed
	EventClosed                                // the queue ended with Count messages in it
	EventLapsed                                // a Delete or ChangeVisibility changed nothing: the receive of its handle was over; Err is what it returned
)

var eventNames = [...]string{"", "sent", "deduplicated", "moved in", "arrived", "received", "repeated", "extended", "timed out",
	"released", "returned", "moved back", "deleted", "leaving", "dead-lettered", "dead-letter failed", "put back", "moved out",
	"expired", "purged", "configured", "closed", "lapsed"}

// String returns the kind in words.
func (k EventKind) String() string {
	if k == 0 || int(k) >= len(eventNames) {
		return "unknown"
	}
	return eventNames[k]
}

// An Event is one thing that happened in a queue, see [WithObserver] and [Standard.Watch].
type Event struct {
	Seq          uint64 // 1 for the queue's first event with somebody to tell, then one more each
	Time         time.Time
	Kind         EventKind
	Body         string               // of the message; "" for events of a whole queue and for duplicates
	Attributes   map[string]Attribute // of the message, shared and read only
	GroupID      string
	ReceiveCount int   // receives of the message so far; 0 where no message is meant
	Count        int   // messages concerned, for events of a whole queue
	Err          error // why a dead-letter target failed; of EventLapsed what the call returned, nil on Standard
	// Late tells of EventDeleted, EventExtended and EventReleased that the handle was of a receive that
	// was over, by its timeout or because another came after it. On Standard such a call succeeds all
	// the same; where it shows, a consumer takes longer than its visibility timeout.
	Late bool

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

// tellLocked tells what happened to a message, which must still be in its slot.
func (q *queue) tellLocked(now int64, kind EventKind, slot uint32) {
	if q.watched {
		q.tellMessageLocked(now, Event{Kind: kind}, slot)
	}
}

// tellMessageLocked tells the journal, and notes an event with what is known of the message in slot.
func (q *queue) tellMessageLocked(now int64, e Event, slot uint32) {
	if q.journal != nil {
		q.noteChangeLocked(now, e.Kind, slot)
		if !q.heard {
			return
		}
	}
	q.noteMessageLocked(now, e, slot)
}

// noteMessageLocked notes an event with what is known of the message in slot.
func (q *queue) noteMessageLocked(now int64, e Event, slot uint32) {
	r := q.store.at(slot)
	e.seq, e.Body, e.ReceiveCount, e.GroupID = r.seq, r.body, r.receiveCount(), q.groupLocked(slot)
	if r.rare != nil {
		e.id, e.Attributes = r.rare.id, r.rare.attributes
	}
	q.noteLocked(now, e)
}

// lapsedLocked notes that a handle changed nothing. The journal is not told: what the queue holds is what
// it held.
func (q *queue) lapsedLocked(now int64, slot uint32, refusal error) {
	if q.watched {
		q.noteMessageLocked(now, Event{Kind: EventLapsed, Err: refusal}, slot)
	}
}

// failedLocked notes a failure of the target.
func (q *queue) failedLocked(now int64, slot uint32, cause error) {
	q.metrics.deadFailed++
	if q.watched {
		q.tellMessageLocked(now, Event{Kind: EventDeadLetterFailed, Err: cause}, slot)
	}
}

// tellQueueLocked tells what happened to the queue as a whole.
func (q *queue) tellQueueLocked(now int64, e Event) {
	if !q.watched {
		return
	}
	q.noteLocked(now, e)
}

// groupLocked returns the message group, "" if there is none.
func (q *queue) groupLocked(slot uint32) string {
	if q.fifo != nil {
		return q.fifo.groups.at(q.store.part(slot).group).name
	}
	if t := q.store.tenant(slot); t != 0 {
		return q.fair.tenants.at(t).name
	}
	return ""
}

// noteLocked numbers an event and keeps it until the lock is released.
func (q *queue) noteLocked(now int64, e Event) {
	if !q.heard {
		return
	}
	q.eventSeq++
	e.Seq, e.Time, e.ids = q.eventSeq, q.ids.time(now), q.ids
	q.events = append(q.events, e)
	q.errands |= errandTell
}

// tellAll delivers the events of several queues. Should an observer panic or end the goroutine, the
// events of the others are delivered all the same.
func tellAll(qs []*queue) {
	if len(qs) == 0 {
		return
	}
	defer tellAll(qs[1:])
	qs[0].mu.Lock()
	qs[0].deliverEvents() // unlocks
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
		f, watchers := q.settings.Load().observer, q.watchers
		q.mu.Unlock()
		q.observe(f, watchers, batch)
		q.mu.Lock()
	}
	q.delivering = false
	q.errands &^= errandTell
	q.mu.Unlock()
}

// observe calls those who watch, and then f. Should one of them panic or end the goroutine, what
// gathered meanwhile is delivered all the same, and others can go on delivering.
func (q *queue) observe(f func([]Event), watchers []*watcher, batch []Event) {
	returned := false
	defer func() {
		if !returned {
			q.mu.Lock()
			q.delivering = false
			q.deliverEvents() // unlocks
		}
	}()
	for _, w := range watchers {
		w.tell(batch)
	}
	if f != nil { // else it was taken away meanwhile
		f(batch)
	}
	returned = true
}
