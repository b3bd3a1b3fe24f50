package inq

import (
	"math"
	"time"

	"example.com/inq/internal/links"
	"example.com/inq/internal/wheel"
)

// never is a time that does not come.
const never = int64(math.MaxInt64)

// after adds a duration to a time; a sum past the end of time never comes.
func after(at int64, d time.Duration) int64 {
	if sum := at + int64(d); sum >= at && d != Forever {
		return sum
	}
	return never
}

// timeouts holds the deadlines of messages: ends of delays and of visibility timeouts, and next
// tries of hand-overs.
//
// Most of them come in order, since receives that do not say otherwise all have the queue's
// visibility timeout: these stand in line, at the cost of two links. All others are on the wheel.
// Both share the links of a message, which is in one of the two or in neither, told by its flags.
//
// On FIFO it can be seen in which order equal deadlines are carried out: in that of the receives. There a
// deadline stands in line only if each one on the wheel is earlier. So of two equal ones the older is in
// line, and the line goes first.
type timeouts struct {
	line   links.List   // ascending by deadline
	wheel  *wheel.Wheel // two kilobytes that the plain path does not touch
	latest int64        // no deadline on the wheel is later, if there is one
}

func (t *timeouts) reset(nodes *links.Nodes) {
	t.line = links.List{}
	t.wheel = &wheel.Wheel{}
	t.wheel.Init(nodes)
}

// add schedules a deadline for a message that is on no list.
func (t *timeouts) add(s *store, slot uint32, r *record, deadline int64) {
	r.flags |= flagWheel
	if deadline > t.latest || t.wheel.Len() == 0 {
		t.latest = deadline
	}
	t.wheel.Add(slot, deadline)
}

// behindWheel reports whether every deadline on the wheel is earlier.
func (t *timeouts) behindWheel(deadline int64) bool { return t.latest < deadline || t.wheel.Len() == 0 }

// addOrdered is addInLine where the order of equal deadlines matters.
func (t *timeouts) addOrdered(s *store, slot uint32, r *record, deadline int64) {
	if t.behindWheel(deadline) {
		t.addInLine(s, slot, r, deadline)
	} else {
		t.add(s, slot, r, deadline)
	}
}

// addInLine is add for deadlines that are likely to be the latest so far.
func (t *timeouts) addInLine(s *store, slot uint32, r *record, deadline int64) {
	if tail := t.line.Tail; tail != 0 && s.nodes.At(tail).Deadline > deadline {
		t.add(s, slot, r, deadline)
		return
	}
	r.flags |= flagLine
	t.line.PushBack(&s.nodes, slot)
	s.nodes.At(slot).Deadline = deadline
}

// endsBy reports whether no deadline in line is later than this one.
func (t *timeouts) endsBy(s *store, deadline int64) bool {
	return t.line.Tail == 0 || s.nodes.At(t.line.Tail).Deadline <= deadline
}

// delayLast moves the last deadline in line, if it is that of slot, to a later time where it
// stands: one heartbeat after another on the same message needs no more.
func (t *timeouts) delayLast(s *store, slot uint32, deadline int64) bool {
	if t.line.Tail != slot || s.isFIFO && !t.behindWheel(deadline) {
		return false
	}
	n := s.nodes.At(slot)
	if n.Deadline > deadline {
		return false
	}
	n.Deadline = deadline
	return true
}

// remove cancels the deadline of a message, if it has one.
func (t *timeouts) remove(s *store, slot uint32, r *record) {
	switch {
	case r.flags&flagLine != 0:
		r.flags &^= flagLine
		t.line.Remove(&s.nodes, slot)
	case r.flags&flagWheel != 0:
		r.flags &^= flagWheel
		t.wheel.Remove(slot)
	}
}

// next returns a time that is not later than the first deadline.
func (t *timeouts) next(s *store) int64 {
	at := never
	if w, ok := t.wheel.Next(); ok {
		at = w
	}
	if t.line.Head != 0 {
		at = min(at, s.nodes.At(t.line.Head).Deadline)
	}
	return at
}

// advance calls fire for messages whose deadline has come, with the deadline cancelled. It looks at
// about budget of them and reports whether it is done.
func (t *timeouts) advance(s *store, now int64, budget int, fire func(slot uint32)) (done bool) {
	for ; budget > 0; budget-- {
		slot := t.line.Head
		if slot == 0 || s.nodes.At(slot).Deadline > now {
			return t.wheel.Advance(now, budget, fire)
		}
		if s.isFIFO && t.wheel.Len() != 0 && !t.wheel.Advance(s.nodes.At(slot).Deadline-1, budget, fire) {
			return false
		}
		if t.line.Head != slot { // what came back may have been received anew, or is gone
			continue
		}
		t.line.PopFront(&s.nodes)
		s.at(slot).flags &^= flagLine
		fire(slot)
	}
	return false
}

// scheduleLocked makes sure that the timer fires no later than at. Only an earlier deadline touches
// the timer; one that is cancelled costs one wake-up for nothing, later.
func (q *queue) scheduleLocked(at int64) {
	if at < q.armed {
		q.armed = at
		q.errands |= errandArm
	}
}
