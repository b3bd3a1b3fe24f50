package inq

import (
	"context"
	"errors"
	"fmt"
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
	places  int                    // calls under way that no consumer makes, also where their message is gone
	ends    [callsAtOnce]int64
}

// targetCall is one call of a target.
type targetCall struct {
	cancel context.CancelFunc
	place  int // in outbox.ends, -1: a consumer waits for it
}

const (
	handOverTime = 30 * time.Second // what a target has
	callsAtOnce  = 16
)

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

// begin notes a call that is about to be made at the time now.
func (o *outbox) begin(slot uint32, now int64, cancel context.CancelFunc, takesPlace bool) *targetCall {
	c := &targetCall{cancel: cancel, place: -1}
	if takesPlace {
		c.place = 0
		for o.ends[c.place] != 0 {
			c.place++
		}
		o.ends[c.place] = after(now, handOverTime)
		o.places++
	}
	if o.calls == nil {
		o.calls = make(map[uint32]*targetCall)
	}
	o.calls[slot] = c
	return c
}

// end notes that a call has returned.
func (o *outbox) end(slot uint32, c *targetCall) {
	if c.place >= 0 {
		o.ends[c.place] = 0
		o.places--
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
	if o.waiting.Empty() || o.places < callsAtOnce {
		return never
	}
	at := o.ends[0]
	for _, end := range o.ends {
		at = max(at, end)
	}
	return at
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

// startCallsLocked starts a goroutine for each message that waits, as long as there are places. The target
// may be another one by now, or none.
func (q *queue) startCallsLocked(now int64) {
	s := q.settings.Load()
	for !q.outbox.waiting.Empty() && q.outbox.places < callsAtOnce {
		slot, r := q.outbox.next(&q.store)
		to, local, err := s.targetQueue()
		switch {
		case s.target == nil:
			q.putBackLocked(now, slot, r)
		case err != nil:
			q.refuseLocked(now, slot, r, err)
		default:
			l := q.letterLocked(slot, r, to, byReceive, usualReason(r))
			if local {
				q.letters = append(q.letters, l)
				continue
			}
			ctx, cancel := context.WithCancel(context.Background())
			l.call = q.outbox.begin(slot, now, cancel, true)
			q.scheduleLocked(q.outbox.stuckAt())
			go q.handOver(ctx, cancel, &l, s.target)
		}
	}
}

// handOver is the goroutine of one call.
func (q *queue) handOver(ctx context.Context, cancel context.CancelFunc, l *letter, t DeadLetterTarget) {
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, handOverTime)
	defer stop()
	err := errTargetQuit
	defer func() { // also where the target ends the goroutine
		q.settleLetter(l, err)
		carry(nil, q)
	}()
	err = callTarget(ctx, t, &l.DeadLetter)
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
