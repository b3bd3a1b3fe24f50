package inq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/inq/internal/links"
)

// outbox is the messages of a queue on their way to a dead-letter target that is no queue of this
// process. Such a target may be slow, hang or panic, and none of that is to be felt by receives: it is
// called by goroutines that exist for one call each, a bounded number of them.
//
// The order within a FIFO group needs no care here: what follows a message in its group is not looked at
// before its hand-over is over.
type outbox struct {
	waiting links.List             // burying, with flagOutbox, in the order of their marks
	calls   map[uint32]*targetCall // under way, by slot, those of Bury too; nil where there are none
	places  *places                // of the target in force; nil: all are free
}

// places are what the calls of one target take, save those that consumers make. A call that does not
// return keeps its place, also where its message is gone. Another target has places of its own:
// calls of the former one may never return.
type places struct {
	taken int
	ends  [callsAtOnce]int64 // when the time of the call is over; 0: free
}

// targetCall is one call of a target.
type targetCall struct {
	cancel context.CancelFunc
	places *places // nil: a consumer makes the call
	place  int
}

const (
	handOverTime = 30 * time.Second // what a target has
	callsAtOnce  = 16
)

// errTargetQuit is the failure of a target or a destination that ended its goroutine.
var errTargetQuit = errors.New("inq: the target of a message did not return")

// errTargetStuck is the failure of hand-overs that did not begin, since no place became free.
var errTargetStuck = errors.New("inq: the dead-letter target does not return from earlier calls")

// add puts a message at the end of those that wait for a call.
func (o *outbox) add(s *store, slot uint32, r *record) {
	r.flags |= flagOutbox
	o.waiting.PushBack(&s.nodes, slot)
}

// next takes the message out whose turn it is.
func (o *outbox) next(s *store) (slot uint32, r *record) {
	slot = o.waiting.PopFront(&s.nodes)
	r = s.at(slot)
	r.flags &^= flagOutbox
	return slot, r
}

// full reports whether no place is free.
func (o *outbox) full() bool { return o.places != nil && o.places.taken == callsAtOnce }

// begin notes a call that is about to be made.
func (o *outbox) begin(slot uint32, cancel context.CancelFunc) *targetCall {
	c := &targetCall{cancel: cancel}
	if o.calls == nil {
		o.calls = make(map[uint32]*targetCall)
	}
	o.calls[slot] = c
	return c
}

// takePlace gives a call that nobody waits for a place. One must be free.
func (o *outbox) takePlace(c *targetCall, now int64) {
	if o.places == nil {
		o.places = &places{}
	}
	c.places = o.places
	for c.places.ends[c.place] != 0 {
		c.place++
	}
	c.places.ends[c.place] = after(now, handOverTime)
	c.places.taken++
}

// end notes that a call has returned.
func (o *outbox) end(slot uint32, c *targetCall) {
	if p := c.places; p != nil {
		p.ends[c.place] = 0
		if p.taken--; p.taken == 0 && p == o.places {
			o.places = nil
		}
	}
	if o.calls[slot] == c {
		o.dropCall(slot)
	}
}

func (o *outbox) dropCall(slot uint32) {
	delete(o.calls, slot)
	if len(o.calls) == 0 {
		o.calls = nil // a Go map does not shrink
	}
}

// forget takes a message out that is burying and about to be gone: it waits no more, and the context of
// its call ends. Ending a context runs nothing of the target's in this goroutine.
func (o *outbox) forget(s *store, slot uint32, r *record) {
	if r.flags&flagOutbox != 0 {
		r.flags &^= flagOutbox
		o.waiting.Remove(&s.nodes, slot)
		return
	}
	if c := o.calls[slot]; c != nil {
		c.cancel()
		o.dropCall(slot)
	}
}

// reset forgets all messages. Places stay taken until their calls return.
func (o *outbox) reset() {
	for _, c := range o.calls {
		c.cancel()
	}
	o.calls, o.waiting = nil, links.List{}
}

// stuckAt returns from when on those that wait cannot hope for a place: each is taken by a call that is
// past its time.
func (o *outbox) stuckAt() int64 {
	if o.waiting.Empty() || !o.full() {
		return never
	}
	return slices.Max(o.places.ends[:])
}

// giveUpLocked lets hand-overs fail for which no place became free, at most stepBudget of them, and
// reports whether there are more.
func (q *queue) giveUpLocked(now int64) (more bool) {
	for range stepBudget {
		if q.outbox.waiting.Empty() {
			return false
		}
		slot, r := q.outbox.next(&q.store)
		q.backOffLocked(now, slot, r, errTargetStuck)
	}
	return !q.outbox.waiting.Empty()
}

// startCallsLocked starts a goroutine for each message that waits, as long as there are places. The
// target may be another one by now, or none, and then no place is needed. Where there
// are more than one critical section takes, errandCalls is set.
func (q *queue) startCallsLocked(now int64) {
	if q.outbox.waiting.Empty() {
		return
	}
	s := q.settings.Load()
	var a address
	if s.target != nil {
		a = s.address()
	}
	for !q.outbox.waiting.Empty() {
		if a.abroad != nil && q.outbox.full() {
			return
		}
		if q.marked >= marksAtOnce {
			q.errands |= errandCalls
			return
		}
		q.marked++
		slot, r := q.outbox.next(&q.store)
		switch {
		case s.target == nil:
			q.putBackLocked(now, slot, r)
		case a.gone != nil:
			q.refuseLocked(now, slot, r, a.gone)
		case a.to != nil:
			q.letters = append(q.letters, q.letterLocked(slot, r, a.to, byReceive, s.reason(r)))
		default:
			l := q.letterLocked(slot, r, nil, byReceive, s.reason(r))
			ctx, cancel := context.WithCancel(context.Background())
			l.call = q.outbox.begin(slot, cancel)
			q.outbox.takePlace(l.call, now)
			q.scheduleLocked(q.outbox.stuckAt())
			go q.callAlone(ctx, cancel, &l, s.target)
		}
	}
}

// callAlone is the goroutine of one call.
func (q *queue) callAlone(ctx context.Context, cancel context.CancelFunc, l *letter, t DeadLetterTarget) {
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, handOverTime)
	defer stop()
	err := errTargetQuit
	defer func() { _ = q.settleCall(l, err) }() // also where the target ends the goroutine
	err = callTarget(ctx, t, &l.DeadLetter)
}

// settleCall ends a hand-over to a foreign target or destination, and what follows from that. Its error
// is that of the journal.
func (q *queue) settleCall(l *letter, err error) error {
	_, d := q.settle(l, err)
	var lost error
	if !d.none() {
		lost = q.journal.wait(&d)
	}
	c := carrier{queues: []*queue{q}}
	c.finish()
	c.tell()
	return lost
}

// callTarget turns a panic of the target into an error.
func callTarget(ctx context.Context, t DeadLetterTarget, d *DeadLetter) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("inq: dead-letter target panicked: %v", p)
		}
	}()
	d.DeduplicationID = hashedID(d.DeduplicationID, d.Body)
	return t.DeadLetter(ctx, *d)
}
