package inq

import "time"

// This file holds every transition of a message, under the names of the picture beside [state]. Each is
// called with the lock held, takes the time it happens at, leaves the message in one state and linked
// where that state says, and is told to those who watch at one place, its end.
//
// The paths in plain.go, which most calls take, spell several transitions out. They change together with
// what stands here.

// setStateLocked changes the state and what is counted by it.
func (q *queue) setStateLocked(slot uint32, r *record, to state) {
	was, is := r.state.class(), to.class()
	r.state = to
	q.counts[was]--
	q.counts[is]++
	if was != is && (q.fifo != nil || q.fair != nil) {
		q.countLocked(slot, was, is)
	}
}

// countLocked carries a change into the numbers of the group or tenant.
func (q *queue) countLocked(slot uint32, was, is class) {
	if q.fifo != nil {
		q.fifo.count(&q.store, slot, was, is)
	} else if t := q.store.tenant(slot); t != 0 {
		q.fair.count(t, was, is)
	}
}

// readyLocked makes a message receivable that is on no list: the end of every arrow to ready.
func (q *queue) readyLocked(slot uint32, r *record) {
	q.setStateLocked(slot, r, stateReady)
	if q.fifo != nil {
		q.fifo.changed(&q.store, q.store.part(slot).group)
		return
	}
	q.onReadyLocked(slot, r)
}

// onReadyLocked puts a ready message of a Standard queue on its list.
func (q *queue) onReadyLocked(slot uint32, r *record) {
	if t := q.tenantLocked(slot); t != 0 {
		q.fair.push(&q.store, t, slot)
		return
	}
	q.main.ready.push(&q.store, slot, r)
}

// unreadyLocked takes a ready message off its list and gives it its next state: the beginning of every
// arrow from ready but the one to gone.
func (q *queue) unreadyLocked(slot uint32, r *record, to state) {
	if q.fifo != nil {
		q.setStateLocked(slot, r, to)
		q.fifo.changed(&q.store, q.store.part(slot).group)
		return
	}
	q.offReadyLocked(slot, r)
	r.flags &^= flagTwice
	q.setStateLocked(slot, r, to)
}

// offReadyLocked takes a ready message of a Standard queue off its list.
func (q *queue) offReadyLocked(slot uint32, r *record) {
	if t := q.tenantLocked(slot); t != 0 {
		q.fair.remove(&q.store, t, slot)
		return
	}
	q.main.ready.remove(&q.store, slot, r)
}

// deadlineLocked schedules a deadline; one that never comes needs no entry.
func (q *queue) deadlineLocked(slot uint32, r *record, deadline int64) {
	if deadline == never {
		q.store.nodes.At(slot).Deadline = never
		return
	}
	q.timeouts.add(&q.store, slot, r, deadline)
	q.scheduleLocked(deadline)
}

// timeoutLocked is deadlineLocked for a visibility timeout that is not longer than the queue's own.
// Nearly all are equal to it, and then deadlines come in order; a longer one in line would keep all
// others out of it.
//
// Of messages that time out at the same instant, those in line come back before those on the wheel. On
// Standard that can be seen in what LC-5 moves to the back only, and there the wheel alone keeps the order
// of the receives; on FIFO see addOrdered.
func (q *queue) timeoutLocked(slot uint32, r *record, deadline int64) {
	switch {
	case deadline == never || q.fifo == nil && r.receive >= poisonReceives:
		q.deadlineLocked(slot, r, deadline)
		return
	case q.fifo != nil:
		q.timeouts.addOrdered(&q.store, slot, r, deadline)
	default:
		q.timeouts.addInLine(&q.store, slot, r, deadline)
	}
	q.scheduleLocked(deadline)
}

// dueLocked is called for each deadline of a message that has come: a delay, a visibility timeout,
// or the next try of a hand-over.
func (q *queue) dueLocked(slot uint32) {
	r := q.store.at(slot)
	r.flags &^= flagWheel
	switch r.state {
	case stateDelayed:
		q.arriveLocked(q.last, slot, r)
	case stateInFlight:
		q.metrics.timedOut++
		q.releaseLocked(q.last, slot, r, EventTimedOut, false)
	case stateBackoff:
		q.putBackLocked(q.last, slot, r)
	default:
		panic("bug: a deadline fired for a message that has none")
	}
}

// storeLocked fills a slot with a new message that has no state yet.
func (q *queue) storeLocked(now int64, p *payload, s *settings) (slot uint32, r *record) {
	slot = q.store.alloc()
	r = q.store.at(slot)
	q.seq++
	r.body, r.rare, r.seq = p.body, p.rare, q.seq
	r.enqueued, r.received, r.first, r.receive = now, 0, never, 0
	if r.rare != nil && r.rare.movedIn {
		r.enqueued, r.first, r.rare.came = p.sent, p.first, now
	}
	q.bytes += int64(p.size)
	if q.fifo != nil {
		q.fifo.join(&q.store, slot, p)
	} else if p.group != "" {
		q.joinTenantLocked(now, slot, p.group)
	} else if q.fair != nil {
		q.store.setTenant(slot, 0)
	}
	q.enlistLocked(slot, r, s)
	return slot, r
}

// enqueueLocked stores a new message, delayed or ready.
func (q *queue) enqueueLocked(now int64, p *payload, s *settings) (slot uint32) {
	slot, r := q.storeLocked(now, p, s)
	delay := p.delay
	if delay < 0 {
		delay = int64(s.delay)
	}
	if q.journal != nil {
		q.commitLocked(now, slot, r, p, delay)
		return slot
	}
	switch {
	case delay <= 0:
		q.readyLocked(slot, r)
	case q.fifo != nil && p.delay < 0: // the delay in force applies to all (SQS: LC-1)
		q.setStateLocked(slot, r, stateDelayed)
		q.fifo.delayed.PushBack(&q.store.nodes, slot)
		q.scheduleLocked(after(now, s.delay))
	default:
		q.setStateLocked(slot, r, stateDelayed)
		q.deadlineLocked(slot, r, after(now, time.Duration(delay)))
	}
	q.tellLocked(now, EventSent, slot)
	return slot
}

// commitLocked hides a new message until it is for sure in the journal. Groups and numbers know it already,
// so that nothing comes in front of it. On Standard its deadline keeps the end of its delay in mind.
func (q *queue) commitLocked(now int64, slot uint32, r *record, p *payload, delay int64) {
	q.setStateLocked(slot, r, stateCommitting)
	q.store.nodes.At(slot).Deadline = after(now, time.Duration(max(delay, 0)))
	q.hideLocked(slot, 1)
	q.putLocked(now, slot, r, p)
}

// hideLocked counts messages that wait for their commit.
func (q *queue) hideLocked(slot uint32, n int) {
	if q.fifo != nil {
		q.fifo.hidden += n
	} else if t := q.tenantLocked(slot); t != 0 {
		q.fair.tenants.at(t).hidden += n
	}
}

// admitLocked makes a message delayed or ready that is for sure in the journal now. Where its retention is
// over already, nobody has it.
func (q *queue) admitLocked(now int64, slot uint32, r *record) {
	q.metrics.sent++
	q.metrics.sentBytes += uint64(r.size())
	deadline := q.store.nodes.At(slot).Deadline
	q.hideLocked(slot, -1)
	if q.fifo != nil {
		deadline = after(r.enqueued, q.settings.Load().delay)
	}
	switch {
	case deadline <= now:
		q.readyLocked(slot, r)
	case q.fifo != nil:
		q.setStateLocked(slot, r, stateDelayed)
		q.fifo.delayed.PushBack(&q.store.nodes, slot)
		q.scheduleLocked(deadline)
	default:
		q.setStateLocked(slot, r, stateDelayed)
		q.deadlineLocked(slot, r, deadline)
	}
	q.tellLocked(now, EventSent, slot)
	if expiry := after(r.enqueued, q.settings.Load().retention); expiry <= now {
		q.expireLocked(now, slot)
	} else {
		q.scheduleLocked(expiry)
	}
}

// rejectLocked removes a message that did not get into the journal, and with it the memory of its
// deduplication id: it never was in the queue.
func (q *queue) rejectLocked(slot uint32, r *record) {
	*q.journal.segment(slot) = 0
	if q.fifo != nil {
		if number, ok := q.fifo.dedup.numberOf(r.seq); ok {
			q.fifo.dedup.void(number)
			q.journal.dedup.set(number, number+1, q.fifo.dedup.end, 0)
		}
	}
	q.removeLocked(slot, r)
	q.scheduleLocked(q.nextExpiryLocked())
}

// arriveLocked ends a delay. The caller has cancelled its deadline.
func (q *queue) arriveLocked(now int64, slot uint32, r *record) {
	r.flags &^= flagAlone
	q.readyLocked(slot, r)
	q.tellLocked(now, EventArrived, slot)
}

// receiveLocked counts a receive.
func (q *queue) receiveLocked(now int64, r *record) {
	r.receive++
	r.received = now
	r.flags &^= flagChanged
	if r.first == never {
		r.first = now
	} else {
		q.metrics.receivedAgain++
	}
	q.metrics.received++
}

// leaseLocked gives a ready message to a consumer. With visibility timeout 0 it is in flight only until
// passLocked, so that one receive does not take it twice.
func (q *queue) leaseLocked(now int64, c *receiveCall, slot uint32, r *record) {
	q.unreadyLocked(slot, r, stateInFlight)
	q.receiveLocked(now, r)
	deadline := after(now, c.visibility)
	switch {
	case c.visibility == 0:
		q.store.nodes.At(slot).Deadline = now
	case c.inLine:
		q.timeoutLocked(slot, r, deadline)
	default:
		q.deadlineLocked(slot, r, deadline)
	}
	q.tellLocked(now, EventReceived, slot)
}

// passLocked ends a receive with visibility timeout 0: counted, but nobody saw the message leave ready
// (SQS: LC-7, RCV-9).
func (q *queue) passLocked(now int64, slot uint32, r *record) {
	moved := q.toBackLocked(now, slot, r)
	q.readyLocked(slot, r)
	if moved {
		q.tellLocked(now, EventMovedBack, slot)
	}
	if q.journal != nil && q.fifo != nil {
		q.noteTurnLocked(q.store.part(slot).group)
	}
}

// repeatLocked hands a message in flight out once more: the answer of a receive that is repeated, whose
// visibility timeout starts anew (SQS: RCV-16).
func (q *queue) repeatLocked(now int64, slot uint32, r *record, visibility time.Duration) {
	q.timeouts.remove(&q.store, slot, r)
	r.received = now
	q.deadlineLocked(slot, r, after(now, visibility))
	q.metrics.received++
	q.metrics.receivedAgain++
	q.tellLocked(now, EventRepeated, slot)
}

// extendLocked gives a message in flight a new deadline that is not now (SQS: VIS-1). Where it is on its
// way to the target, by a consumer's Bury, that is the deadline it has should the target fail. Whether the
// handle was late is for the caller to tell.
func (q *queue) extendLocked(now int64, slot uint32, r *record, timeout time.Duration) {
	r.flags |= flagChanged
	deadline := after(now, timeout)
	usual := timeout <= q.settings.Load().visibility
	switch {
	case usual && q.timeouts.delayLast(&q.store, slot, deadline):
	case r.state == stateBurying:
		q.store.nodes.At(slot).Deadline = deadline
	default:
		q.timeouts.remove(&q.store, slot, r)
		if usual {
			q.timeoutLocked(slot, r, deadline)
		} else {
			q.deadlineLocked(slot, r, deadline)
		}
	}
}

// releaseLocked makes a message in flight, whose deadline is cancelled, receivable again: its timeout
// is over, or a consumer set it to zero (SQS: LC-4, LC-5, VIS-1); why says which.
func (q *queue) releaseLocked(now int64, slot uint32, r *record, why EventKind, late bool) {
	moved := q.toBackLocked(now, slot, r)
	q.readyLocked(slot, r)
	if q.watched {
		q.tellMessageLocked(now, Event{Kind: why, Late: late}, slot)
	}
	if moved {
		q.tellLocked(now, EventMovedBack, slot)
	}
}

// poisonReceives is from how many receives on a message goes to the back (SQS: LC-5).
const poisonReceives = 3

// toBackLocked moves a Standard message that keeps failing behind all others, and reports whether it
// did (SQS: LC-5). Such a message no longer counts into the age of the oldest one (SQS: section 10).
func (q *queue) toBackLocked(now int64, slot uint32, r *record) (moved bool) {
	if q.fifo != nil || r.receivesHere() < poisonReceives {
		return false
	}
	ra := q.rareLocked(r)
	q.seq++ // a number of its own puts it behind all that came at the same instant
	ra.place = place{now, q.seq}
	r.flags |= flagMoved
	if r.flags&flagPoison == 0 {
		q.poisonLocked(slot, r)
	}
	return true
}

// rareLocked returns the rare part of a message and makes it where there is none. Deliveries made
// before keep seeing none, which is what they were delivered with.
func (q *queue) rareLocked(r *record) *rare {
	if r.rare == nil {
		r.rare = &rare{expiry: -1}
	}
	return r.rare
}

// duplicateLocked makes a message of a Standard queue receivable although a consumer has it, because a
// test asks for that. Its next receive delivers it a second time; until then a delete does nothing.
func (q *queue) duplicateLocked(now int64, slot uint32, r *record) {
	q.plain = false
	q.timeouts.remove(&q.store, slot, r)
	q.rareLocked(r).twin = r.receive
	q.readyLocked(slot, r)
	r.flags |= flagTwice
	q.tellLocked(now, EventReleased, slot)
}

// returnLocked takes a receive back: the message stands where it stood, as if not received.
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
	q.tellLocked(now, EventReturned, slot)
}

// buryLocked takes a message away that is ready, or in flight where its consumer asks for it: nobody
// can receive it until its hand-over is over. What was leased keeps its deadline in mind.
func (q *queue) buryLocked(now int64, slot uint32, r *record) {
	if r.state == stateInFlight {
		q.timeouts.remove(&q.store, slot, r)
		r.flags |= flagLeased
		q.setStateLocked(slot, r, stateBurying)
	} else {
		q.unreadyLocked(slot, r, stateBurying)
	}
	q.tellLocked(now, EventLeaving, slot)
}

// putBackLocked makes a message ready again that was not delivered meanwhile, where it stood: the pause
// after a failure is over, its target is gone, or a move task could not move it.
func (q *queue) putBackLocked(now int64, slot uint32, r *record) {
	q.readyLocked(slot, r)
	q.tellLocked(now, EventPutBack, slot)
}

// backOffLocked hides a message whose target failed until the next try is due, after 1 second, 2, and
// so on up to a minute.
func (q *queue) backOffLocked(now int64, slot uint32, r *record, cause error) {
	ra := q.rareLocked(r)
	if ra.failedAt != r.receive { // delivered meanwhile, since the redrive policy was changed
		ra.failures, ra.failedAt = 0, r.receive
	}
	ra.failures++
	q.setStateLocked(slot, r, stateBackoff)
	q.deadlineLocked(slot, r, after(now, min(time.Second<<min(ra.failures-1, 6), time.Minute)))
	q.failedLocked(now, slot, cause)
}

// resumeLocked gives a message back to the consumer whose Bury failed: it is in flight as before or,
// where its timeout passed meanwhile, ready.
func (q *queue) resumeLocked(now int64, slot uint32, r *record, cause error) {
	r.flags &^= flagLeased
	q.setStateLocked(slot, r, stateInFlight)
	q.failedLocked(now, slot, cause)
	if deadline := q.store.nodes.At(slot).Deadline; deadline > now {
		q.deadlineLocked(slot, r, deadline)
	} else {
		q.metrics.timedOut++
		q.releaseLocked(now, slot, r, EventTimedOut, false)
	}
}

// adoptLocked stores a message of another queue of this process, hidden from everybody until revealLocked.
// Groups and numbers know it already, so that nothing comes in front of it.
func (q *queue) adoptLocked(now int64, p *payload, s *settings) (slot uint32) {
	slot, r := q.storeLocked(now, p, s)
	q.setStateLocked(slot, r, stateAdopted)
	q.adopting++
	if q.fifo != nil {
		r.rare.dedupID = q.idLocked(r).String()
	}
	return slot
}

// revealLocked makes an adopted message receivable: its source has let go of it. Where its retention is
// over already, nobody has it.
func (q *queue) revealLocked(now int64, slot uint32, r *record) {
	q.adopting--
	q.metrics.movedIn++
	q.readyLocked(slot, r)
	q.tellLocked(now, EventMovedIn, slot)
	if after(r.enqueued, q.settings.Load().retention) <= now {
		q.expireLocked(now, slot)
	}
}

// ownLocked counts adopted messages in, up to a number, that are about to go before they were revealed, so
// that what went has come before.
func (q *queue) ownLocked(now int64, upTo uint64) {
	for slot := uint32(1); q.adopting != 0 && slot < q.store.size; slot++ {
		if r := q.store.at(slot); r.state == stateAdopted && r.seq <= upTo {
			q.adopting--
			q.metrics.movedIn++
			q.tellLocked(now, EventMovedIn, slot)
		}
	}
}

// ackLocked removes a message that was deleted (SQS: DEL-1), late where the receive was over.
func (q *queue) ackLocked(now int64, slot uint32, r *record, late bool) {
	if q.journal != nil {
		q.goneLocked(slot, r, pending{end: EventDeleted, was: q.departLocked(slot, r), late: late})
		return
	}
	if q.watched {
		q.tellMessageLocked(now, Event{Kind: EventDeleted, Late: late}, slot)
	}
	q.removeLocked(slot, r)
}

// letGoLocked removes a message that somebody else has now; why says who.
func (q *queue) letGoLocked(now int64, slot uint32, r *record, why EventKind) {
	q.countGoneLocked(why)
	q.tellLocked(now, why, slot)
	q.removeLocked(slot, r)
}

// countGoneLocked counts a message that somebody else has.
func (q *queue) countGoneLocked(why EventKind) {
	switch why {
	case EventDeadLettered:
		q.metrics.deadLettered++
	case EventMovedOut:
		q.metrics.movedOut++
	}
}

// departLocked takes a message away that is to be gone as soon as that is for sure in the journal. It keeps
// its deadline in mind, in case the message stays. It returns the state to go back to.
func (q *queue) departLocked(slot uint32, r *record) (was state) {
	was = r.state
	switch was {
	case stateReady:
		q.unreadyLocked(slot, r, stateLeaving)
		return was
	case stateBurying:
		q.outbox.forget(&q.store, slot, r)
	}
	q.timeouts.remove(&q.store, slot, r)
	q.setStateLocked(slot, r, stateLeaving)
	return was
}

// departedLocked removes a message that the journal for sure has no more.
func (q *queue) departedLocked(now int64, it pending, r *record) {
	q.countGoneLocked(it.end)
	if q.watched {
		q.tellMessageLocked(now, Event{Kind: it.end, Late: it.late}, it.slot)
	}
	q.removeLocked(it.slot, r)
}

// stayLocked gives a deleted message back its state: the journal has it yet.
func (q *queue) stayLocked(now int64, it pending, r *record) {
	deadline := q.store.nodes.At(it.slot).Deadline
	switch {
	case it.was == stateInFlight || r.flags&flagLeased != 0:
		r.flags &^= flagLeased
		q.setStateLocked(it.slot, r, stateInFlight)
		if deadline <= now {
			q.metrics.timedOut++
			q.releaseLocked(now, it.slot, r, EventTimedOut, false)
		} else {
			q.deadlineLocked(it.slot, r, deadline)
		}
	case it.was == stateDelayed && deadline > now:
		q.setStateLocked(it.slot, r, stateDelayed)
		q.deadlineLocked(it.slot, r, deadline)
	default:
		r.flags &^= flagAlone
		q.readyLocked(it.slot, r)
		q.tellLocked(now, EventPutBack, it.slot)
	}
	q.metrics.deleted--
}

// expireLocked removes a message whose retention is over, whatever state it is in (SQS: LC-3).
func (q *queue) expireLocked(now int64, slot uint32) {
	r := q.store.at(slot)
	if r.state == stateAdopted {
		q.revealLocked(now, slot, r)
		return
	}
	q.metrics.expired++
	q.tellLocked(now, EventExpired, slot)
	q.removeLocked(slot, r)
}

// removeLocked takes a message out of every container and frees its slot: the end of every arrow to
// gone.
func (q *queue) removeLocked(slot uint32, r *record) {
	switch r.state {
	case stateReady:
		if q.fifo == nil {
			q.offReadyLocked(slot, r)
		}
	case stateDelayed:
		if q.fifo != nil && r.flags&flagAlone == 0 {
			q.fifo.delayed.Remove(&q.store.nodes, slot)
		}
	case stateBurying:
		q.outbox.forget(&q.store, slot, r)
	case stateCommitting:
		q.hideLocked(slot, -1)
	}
	if q.journal != nil {
		q.journal.forgetMessage(slot, weightOf(r.body, q.groupLocked(slot), r.rare))
		q.errands |= errandKeep // the log is to be told
	}
	q.timeouts.remove(&q.store, slot, r)
	q.delistLocked(slot, r)
	q.bytes -= int64(r.size())
	q.setStateLocked(slot, r, stateFree)
	if q.fifo != nil {
		g := q.store.part(slot).group
		q.fifo.leave(&q.store, slot)
		if q.journal != nil {
			q.noteTurnLocked(g)
		}
	} else if t := q.tenantLocked(slot); t != 0 {
		q.leaveTenantLocked(t)
	}
	q.store.release(slot)
}
