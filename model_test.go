package inq

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"
)

// This file is the reference model of both types of queue: what docs/sqs.md says in the plainest
// code there is. It keeps messages in one slice, searches it from the front, and shares nothing
// with the engine but the types of the public interface, the sentinels and the two limits of how
// much one receive takes on. model_receive_test.go goes on with what consumers do, and
// model_run_test.go runs the model beside the engine.

// modelNever is a time that does not come.
var modelNever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// modelLater adds a duration to a time; Forever never ends.
func modelLater(at time.Time, d time.Duration) time.Time {
	if d == Forever {
		return modelNever
	}
	return at.Add(d)
}

// modelWorld is the clock that all queues of a run share.
type modelWorld struct {
	now    time.Time
	queues []*modelQueue
	order  int // counts whatever happens, so that ties have an order
}

func (w *modelWorld) tick() int {
	w.order++
	return w.order
}

// advance lets everything happen that is due up to a time, in the order of time.
func (w *modelWorld) advance(to time.Time) {
	for {
		next := modelNever
		for _, q := range w.queues {
			if at := q.nextDue(); at.Before(next) {
				next = at
			}
		}
		if next.After(to) {
			break
		}
		if next.After(w.now) { // a setting changed now can make something due since long ago
			w.now = next
		}
		for _, q := range w.queues {
			q.carryOut()
		}
	}
	w.now = to
}

// modelState is where a message is in its life.
type modelState int

const (
	modelDelayed modelState = iota
	modelReady
	modelHeld // picked by the receive under way
	modelInFlight
	modelBurying // on its way to the dead-letter queue
	modelBackoff // the dead-letter queue refused it
	modelGone
)

type modelMessage struct {
	sent   Message // what the producer gave
	id     string  // told by the engine
	number string  // its sequence number, told by the engine
	dedup  string
	source string // ARN of the queue it was dead-lettered from
	reason string // and why
	size   int

	state    modelState
	enqueued time.Time // age and retention
	arrived  time.Time // in this queue
	place    time.Time // in the order of a Standard queue
	order    int       // the same, where the times are equal
	due      time.Time // end of the delay of its own, of the visibility timeout, or of the time until the next hand-over
	dueOrder int       // when due was set
	alone    bool      // its delay is not the queue's

	latest   int // number of the latest receive
	receives int // receives in this queue, without those returned
	before   int // receives in other queues
	received time.Time
	first    time.Time // zero: never received
	changed  bool      // its visibility was changed since the latest receive
	poison   bool      // LC-5 moved it to the back
	failures int
}

// modelReceipt is what a receipt handle stands for.
type modelReceipt struct {
	m       *modelMessage
	receive int
}

// modelAnswer is one message of a receive, as the consumer sees it.
type modelAnswer struct {
	modelReceipt
	count   int
	first   time.Time
	visible time.Time
	replay  bool
}

type modelQueue struct {
	world *modelWorld
	arn   string
	fifo  bool

	visibility, delay, retention, wait time.Duration
	dead                               *modelQueue
	maxReceives                        int
	capMessages                        int
	capBytes                           int
	maxSize                            int
	content                            bool               // deduplication by content
	scope                              DeduplicationScope // at the creation
	unlimited                          bool

	messages []*modelMessage // in order of arrival
	turns    []string        // FIFO: groups whose first message is ready, in the order of their turns
	ids      []modelID       // deduplication
	attempts map[string]modelAttempt
	lastSent map[string]time.Time
	totals   Stats
}

// modelID is an entry of the deduplication window.
type modelID struct {
	scope, id string
	at        time.Time
	m         *modelMessage
}

type modelAttempt struct {
	at       time.Time
	until    time.Time
	receipts []modelReceipt
}

const (
	modelWindow       = 5 * time.Minute // deduplication, attempts and noisy groups (SQS: FIFO-19, RCV-16, FAIR-6)
	modelTotalVisible = 12 * time.Hour  // SQS: VIS-3
	modelPoison       = 3               // SQS: LC-5
)

// now, nextDue and carryOut are the passing of time.

func (q *modelQueue) now() time.Time { return q.world.now }

// moment returns when something happens to a message by itself, apart from its expiry.
func (q *modelQueue) moment(m *modelMessage) time.Time {
	switch {
	case m.state == modelDelayed && q.fifo && !m.alone:
		return modelLater(m.enqueued, q.delay) // the delay in force (SQS: LC-1, FIFO-7)
	case m.state == modelDelayed || m.state == modelInFlight || m.state == modelBackoff:
		return m.due
	}
	return modelNever
}

func (q *modelQueue) expiry(m *modelMessage) time.Time { return modelLater(m.enqueued, q.retention) }

func (q *modelQueue) nextDue() time.Time {
	next := modelNever
	for _, m := range q.messages {
		for _, at := range []time.Time{q.moment(m), q.expiry(m)} {
			if at.Before(next) {
				next = at
			}
		}
	}
	return next
}

// carryOut does what is due now. Within one instant timeouts come first, in the order they were
// set, then the queue's delay ends, then messages expire.
func (q *modelQueue) carryOut() {
	var due []*modelMessage
	for _, m := range q.messages {
		if !q.moment(m).After(q.now()) {
			due = append(due, m)
		}
	}
	queueDelay := func(m *modelMessage) bool { return q.fifo && m.state == modelDelayed && !m.alone }
	slices.SortStableFunc(due, func(a, b *modelMessage) int {
		if x, y := queueDelay(a), queueDelay(b); x != y {
			if y {
				return -1
			}
			return 1
		} else if x {
			return 0 // in order of arrival
		}
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.dueOrder, b.dueOrder))
	})
	for _, m := range due {
		if m.state == modelInFlight {
			q.totals.TimedOut++
			q.release(m)
		} else {
			q.become(m, modelReady)
		}
	}
	for _, m := range slices.Clone(q.messages) {
		if !q.expiry(m).After(q.now()) { // whatever state it is in (SQS: LC-3)
			q.totals.Expired++
			q.remove(m)
		}
	}
}

// Changes of state.

// become changes the state. A FIFO group can deliver while its first message is ready; one that can
// again goes behind the others (SQS: FIFO-8..14).
func (q *modelQueue) become(m *modelMessage, s modelState) {
	m.state = s
	q.turn(m.sent.GroupID)
}

func (q *modelQueue) turn(group string) {
	if !q.fifo {
		return
	}
	head := q.follower(group, nil)
	can := head != nil && head.state == modelReady
	i := slices.Index(q.turns, group)
	if can && i < 0 {
		q.turns = append(q.turns, group)
	}
	if !can && i >= 0 {
		q.turns = slices.Delete(q.turns, i, i+1)
	}
}

// follower returns the message of the group behind m, or its first one where m is nil.
func (q *modelQueue) follower(group string, m *modelMessage) *modelMessage {
	found := m == nil
	for _, o := range q.messages {
		if o.sent.GroupID != group {
			continue
		}
		if found {
			return o
		}
		found = o == m
	}
	return nil
}

func (q *modelQueue) remove(m *modelMessage) {
	i := slices.Index(q.messages, m)
	q.messages = slices.Delete(q.messages, i, i+1)
	q.become(m, modelGone)
}

// until sets the end of what a message waits for.
func (q *modelQueue) until(m *modelMessage, d time.Duration) {
	m.due, m.dueOrder = modelLater(q.now(), d), q.world.tick()
}

// release makes a message receivable again; on Standard it goes to the back from the third receive
// in this queue on (SQS: LC-4, LC-5).
func (q *modelQueue) release(m *modelMessage) {
	if !q.fifo && m.receives >= modelPoison {
		m.place, m.order, m.poison = q.now(), q.world.tick(), true
	}
	q.become(m, modelReady)
}

// Sending.

// full reports whether a message would exceed the capacity. A dead letter can be past its retention
// when it comes (SQS: DLQ-6), and then takes no room.
func (q *modelQueue) full(size int) bool {
	q.carryOut()
	sum := size
	for _, m := range q.messages {
		sum += m.size
	}
	return q.capMessages > 0 && len(q.messages) >= q.capMessages || q.capBytes > 0 && sum > q.capBytes
}

// send adds a valid message, or finds the one it is a duplicate of (SQS: FIFO-18..21).
func (q *modelQueue) send(in Message) (m *modelMessage, duplicate bool, err error) {
	id := modelID{id: in.DeduplicationID, at: q.now()}
	if q.fifo {
		if id.id == "" {
			id.id = fmt.Sprintf("%x", sha256.Sum256([]byte(in.Body)))
		}
		if q.scope == ScopeMessageGroup {
			id.scope = in.GroupID
		}
		for _, o := range q.ids {
			if o.id == id.id && o.scope == id.scope && q.now().Before(o.at.Add(modelWindow)) {
				q.totals.Deduplicated++
				return o.m, true, nil
			}
		}
	}
	size := len(in.Body)
	for name, a := range in.Attributes {
		size += len(name) + len(a.Type) + len(a.Value) + len(a.Binary)
	}
	if q.full(size) {
		return nil, false, ErrFull
	}
	m = &modelMessage{sent: in, dedup: id.id, size: size, enqueued: q.now()}
	delay := q.delay
	if !q.fifo && in.Delay == Zero {
		delay = 0
	} else if !q.fifo && in.Delay != 0 {
		delay = in.Delay
	}
	m.alone = !q.fifo
	q.add(m, delay)
	if q.fifo {
		id.m = m
		q.ids = append(q.ids, id)
	}
	q.totals.Sent++
	q.totals.SentBytes += uint64(size)
	return m, false, nil
}

func (q *modelQueue) add(m *modelMessage, delay time.Duration) {
	m.arrived = q.now()
	m.place, m.order = m.enqueued, q.world.tick()
	q.messages = append(q.messages, m)
	q.lastSent[m.sent.GroupID] = q.now()
	if delay > 0 {
		q.until(m, delay)
		q.become(m, modelDelayed)
		return
	}
	q.become(m, modelReady)
}

// adopt takes a dead letter (SQS: DLQ-5..7, FIFO-24).
func (q *modelQueue) adopt(o *modelMessage, from *modelQueue, reason string) error {
	if from != q && q.full(o.size) {
		return ErrFull
	}
	m := &modelMessage{sent: o.sent, id: o.id, source: from.arn, reason: reason, size: o.size,
		enqueued: o.enqueued, before: o.before + o.receives, first: o.first}
	if q.fifo {
		m.enqueued, m.dedup = q.now(), o.id
	}
	q.add(m, 0)
	q.totals.MovedIn++
	return nil
}

// stats counts everything anew (SQS: section 10).
func (q *modelQueue) stats() Stats {
	s := q.totals
	noisy := q.noisy()
	groups, flying := map[string]bool{}, map[string]bool{}
	for _, m := range q.messages {
		quiet := noisy[m.sent.GroupID] == 0
		age := q.now().Sub(m.arrived)
		if !m.poison {
			s.OldestAge = max(s.OldestAge, age)
		}
		if !m.poison && quiet {
			s.QuietOldestAge = max(s.QuietOldestAge, age)
		}
		q.count(&s.Counts, m)
		if quiet {
			q.count(&s.Quiet, m)
		}
		s.Bytes += int64(m.size)
		if m.sent.GroupID == "" {
			continue
		}
		groups[m.sent.GroupID] = true
		if q.fifo && m.state != modelDelayed && m.state != modelReady {
			flying[m.sent.GroupID] = true
		}
	}
	s.Groups, s.GroupsInFlight, s.NoisyGroups = len(groups), len(flying), len(noisy)
	return s
}

func (q *modelQueue) count(c *Counts, m *modelMessage) {
	switch m.state {
	case modelDelayed:
		c.Delayed++
	case modelReady:
		c.Visible++
	default:
		c.NotVisible++
	}
}
