package inq

import "time"

// This file holds the transitions between delayed, ready, in flight and gone. Each is called with
// q.mu held, takes the time it happens at, and leaves the message in one state and linked where
// that state says.

// setStateLocked changes the state and what is counted by it. q.mu must be held.
func (q *queue) setStateLocked(slot uint32, r *record, to state) {
	was, is := r.state.class(), to.class()
	r.state = to
	q.counts[was]--
	q.counts[is]++
	if was != is && (q.fifo != nil || q.fair != nil) {
		q.countLocked(slot, was, is)
	}
}

// countLocked carries a change into the numbers of the group or tenant. q.mu must be held.
func (q *queue) countLocked(slot uint32, was, is class) {
	if q.fifo != nil {
		q.fifo.count(&q.store, slot, was, is)
	} else if t := q.store.tenant(slot); t != 0 {
		q.fair.count(t, was, is)
	}
}

// readyLocked makes a message receivable that is on no list: enqueue without delay, arrive, and the
// end of release and return. q.mu must be held.
func (q *queue) readyLocked(slot uint32, r *record) {
	q.setStateLocked(slot, r, stateReady)
	if q.fifo != nil {
		q.fifo.changed(&q.store, q.store.part(slot).group)
		return
	}
	if t := q.tenantLocked(slot); t != 0 {
		q.fair.push(&q.store, t, slot)
		return
	}
	q.main.ready.push(&q.store, slot, r)
}

// unreadyLocked takes a ready message off its list. The caller gives it its next state. q.mu must
// be held.
func (q *queue) unreadyLocked(slot uint32, r *record) {
	if q.fifo != nil {
		return // the caller's change of state and fifo.changed do it
	}
	if t := q.tenantLocked(slot); t != 0 {
		q.fair.remove(&q.store, t, slot)
		return
	}
	q.main.ready.remove(&q.store, slot, r)
}

// deadlineLocked schedules a deadline; one that never comes needs no entry. q.mu must be held.
func (q *queue) deadlineLocked(slot uint32, r *record, deadline int64) {
	if deadline == never {
		q.store.nodes.At(slot).Deadline = never
		return
	}
	q.timeouts.add(&q.store, slot, r, deadline)
	q.scheduleLocked(deadline)
}

// dueLocked is called for each deadline of a message that has come: a delay, a visibility timeout,
// or the next try of a hand-over. q.mu must be held.
func (q *queue) dueLocked(slot uint32) {
	r := q.store.at(slot)
	r.flags &^= flagWheel
	switch r.state {
	case stateDelayed:
		r.flags &^= flagAlone
		q.readyLocked(slot, r)
		q.eventLocked(q.last, EventArrived, slot)
	case stateInFlight:
		q.releaseLocked(q.last, slot, r)
	case stateBackoff:
		q.readyLocked(slot, r)
	default:
		panic("bug: a deadline fired for a message that has none")
	}
}

// receivesHere counts the receives in this queue that stand: by these dead-lettering and LC-5
// decide.
func (r *record) receivesHere() uint32 {
	if r.rare != nil {
		return r.receive - r.rare.uncounted
	}
	return r.receive
}

// receiveCount is what the consumer sees: receives over all queues.
func (r *record) receiveCount() int {
	if r.rare != nil {
		return int(r.receive - r.rare.uncounted + r.rare.countBefore)
	}
	return int(r.receive)
}

// leaseLocked is deadlineLocked for a visibility timeout that is not longer than the queue's own.
// Nearly all are equal to it, and then deadlines come in order; a longer one in line would keep all
// others out of it.
//
// Of messages that time out at the same instant, those in line come back before those on the wheel.
// Where that can be seen, in the turns of groups and in what LC-5 moves to the back, the wheel
// alone keeps the order of the receives. q.mu must be held.
func (q *queue) leaseLocked(slot uint32, r *record, deadline int64) {
	if deadline == never || q.fifo != nil || r.receive >= poisonReceives {
		q.deadlineLocked(slot, r, deadline)
		return
	}
	q.timeouts.addInLine(&q.store, slot, r, deadline)
	q.scheduleLocked(deadline)
}

// receiveLocked counts a receive. q.mu must be held.
func (q *queue) receiveLocked(now int64, r *record) {
	r.receive++
	r.received = now
	r.flags &^= flagChanged
	if r.first == never {
		r.first = now
	}
	q.metrics.received++
}

// passLocked ends a receive with visibility timeout 0: counted, but the message never left ready
// (SQS: LC-7, RCV-9). q.mu must be held.
func (q *queue) passLocked(now int64, slot uint32, r *record) {
	q.toBackLocked(now, slot, r)
	q.readyLocked(slot, r)
}

// releaseLocked makes a message in flight, whose deadline is cancelled, receivable again: its
// timeout is over or was set to zero (SQS: LC-4, LC-5, VIS-1). q.mu must be held.
func (q *queue) releaseLocked(now int64, slot uint32, r *record) {
	q.toBackLocked(now, slot, r)
	q.readyLocked(slot, r)
	q.eventLocked(now, EventReleased, slot)
}

// poisonReceives is from how many receives on a message goes to the back (SQS: LC-5).
const poisonReceives = 3

// toBackLocked moves a Standard message that keeps failing behind all others (SQS: LC-5). Such a
// message no longer counts into the age of the oldest one (SQS: section 10). q.mu must be held.
func (q *queue) toBackLocked(now int64, slot uint32, r *record) {
	if q.fifo != nil || r.receivesHere() < poisonReceives {
		return
	}
	ra := q.rareLocked(r)
	q.seq++ // a number of its own puts it behind all that came at the same instant
	ra.place = place{now, q.seq}
	r.flags |= flagMoved
	if r.flags&flagPoison == 0 {
		q.poisonLocked(slot, r)
	}
}

// rareLocked returns the rare part of a message and makes it where there is none. Deliveries made
// before keep seeing none, which is what they were delivered with. q.mu must be held.
func (q *queue) rareLocked(r *record) *rare {
	if r.rare == nil {
		r.rare = &rare{expiry: -1}
	}
	return r.rare
}

// extendLocked gives a message in flight a new deadline (SQS: VIS-1). q.mu must be held.
func (q *queue) extendLocked(now int64, slot uint32, r *record, timeout time.Duration) {
	r.flags |= flagChanged
	deadline := after(now, timeout)
	usual := timeout <= q.settings.Load().visibility
	if timeout == 0 || !usual || !q.timeouts.delayLast(&q.store, slot, deadline) {
		q.timeouts.remove(&q.store, slot, r)
		switch {
		case timeout == 0:
			q.releaseLocked(now, slot, r)
			return
		case usual:
			q.leaseLocked(slot, r, deadline)
		default:
			q.deadlineLocked(slot, r, deadline)
		}
	}
	q.eventLocked(now, EventExtended, slot)
}

// checkTotal applies the bound on the whole time a receive can last (SQS: VIS-3).
func (q *queue) checkTotal(now int64, r *record, timeout time.Duration) error {
	if timeout != 0 && !q.settings.Load().unlimited && now-r.received+int64(timeout) > int64(maxVisibility) {
		return &ParamError{Err: ErrInvalidParameter, Param: "VisibilityTimeout", Value: timeout, Min: time.Duration(0),
			Max:    time.Duration(max(int64(maxVisibility)-(now-r.received), 0)),
			Reason: "the total since the receive must not be beyond 12 hours"}
	}
	return nil
}

// returnLocked takes a receive back: the message stands where it stood, as if not received. q.mu
// must be held.
func (q *queue) returnLocked(now int64, slot uint32, r *record, delay time.Duration) {
	q.timeouts.remove(&q.store, slot, r)
	ra := q.rareLocked(r)
	ra.uncounted++
	if r.receiveCount() == 0 {
		r.first = never
	}
	if delay == 0 {
		q.readyLocked(slot, r)
	} else {
		q.setStateLocked(slot, r, stateDelayed)
		r.flags |= flagAlone
		q.deadlineLocked(slot, r, after(now, delay))
	}
	q.eventLocked(now, EventReturned, slot)
}

// detachLocked takes a message out of every container and frees its slot. q.mu must be held.
func (q *queue) detachLocked(slot uint32, r *record) {
	switch r.state {
	case stateReady:
		q.unreadyLocked(slot, r)
	case stateDelayed:
		if q.fifo != nil && r.flags&flagAlone == 0 {
			q.fifo.delayed.Remove(&q.store.nodes, slot)
		}
	}
	q.timeouts.remove(&q.store, slot, r)
	q.departLocked(slot, r)
	q.bytes -= int64(len(r.body))
	if r.rare != nil {
		q.bytes -= int64(r.rare.attrBytes)
	}
	q.setStateLocked(slot, r, stateFree)
	if q.fifo != nil {
		q.fifo.leave(&q.store, slot)
	} else if t := q.tenantLocked(slot); t != 0 {
		q.leaveTenantLocked(t)
	}
	q.store.release(slot)
}

// ackLocked removes a message that was deleted (SQS: DEL-1). q.mu must be held.
func (q *queue) ackLocked(now int64, slot uint32, r *record) {
	q.eventLocked(now, EventDeleted, slot)
	q.detachLocked(slot, r)
}
