package inq

import "runtime"

// This file is the passing of time: the one timer of a queue, and what it carries out.

// stepBudget bounds what one critical section does about deadlines, so that a sender never waits
// for a million messages that time out together: 256 are some 20 µs.
const stepBudget = 256

// timerFired carries out what is due, in bounded steps, and arms the timer for what comes next. It
// may run twice at once, when the timer is reset while it fires; both find consistent state.
func (q *queue) timerFired() {
	for steps := 1; ; steps++ {
		now, err := q.enter()
		if err != nil {
			return
		}
		more := q.stepLocked(now)
		q.draining = more
		q.serveLocked(now)
		handsOver := q.errands&(errandLetters|errandLook) != 0
		more = q.endWaitsLocked(now, more || handsOver) || more
		more = q.fifo != nil && q.fifo.forget(now) || more
		if q.journal != nil {
			q.errands |= errandKeep // what was forgotten lives no more
		}
		if more || handsOver {
			// armed stays in the past: others neither arm the timer meanwhile nor take the state
			// for settled.
			q.armed = now
			q.errands &^= errandArm
			if q.errands&(errandTell|errandLetters|errandLook|errandCalls) != 0 {
				q.goOnLater(now)
				return
			}
			_ = q.unlock(now)
			// Every step lets others at the lock. Giving up the processor each time would double
			// the time that a million timeouts take, and shortens no wait of a sender.
			if steps%2 == 0 {
				runtime.Gosched()
			}
			continue
		}
		q.armed = q.nextLocked()
		q.errands &^= errandArm
		if q.armed != never {
			q.errands |= errandArm
		}
		_ = q.unlock(now)
		return
	}
}

// goOnLater unlocks, hands over what is to be handed over, and lets the timer go on by itself before
// observers are told: one of them may take its time, or end this goroutine.
func (q *queue) goOnLater(now int64) {
	c := q.sendOff(now)
	if now, err := q.enter(); err == nil {
		q.armed = now
		q.errands |= errandArm
		q.pause(now)
	}
	c.tell()
}

// settleLocked carries out a bounded part of what is due. It is called before the state of messages
// is looked at, since the timer may be late. Waiters are served first: they were there before.
func (q *queue) settleLocked(now int64) (more bool) {
	if q.armed > now {
		return false
	}
	more = q.stepLocked(now)
	q.draining = more
	if q.waiters.head != nil && !q.behind {
		q.serveLocked(now)
	}
	return more
}

// catchUpLocked is called before a new message is added. What is due at this instant happens before
// it comes, so that a message which LC-5 moves to the back stands in front of it. While a lot is
// carried out in steps a sender does not take part: it would wait for what is none of its business.
func (q *queue) catchUpLocked(now int64) {
	if q.armed <= now && !q.draining {
		q.settleLocked(now)
	}
}

// enterSettled is enter with everything carried out that is due, in bounded critical sections: for
// calls that look at all messages.
func (q *queue) enterSettled() (now int64, err error) {
	for {
		now, err = q.enter()
		if err != nil || !q.settleLocked(now) {
			return now, err
		}
		_ = q.unlock(now)
		runtime.Gosched()
	}
}

// nextLocked returns the earliest time at which something is due. It is never too late and may be
// too early.
func (q *queue) nextLocked() int64 {
	next := q.timeouts.next(&q.store)
	if q.deadlines.Len() != 0 {
		next = min(next, q.deadlines.Min().Key)
	}
	next = min(next, q.nextExpiryLocked(), q.outbox.stuckAt())
	if q.fifo != nil {
		next = min(next, q.fifo.next(q))
	}
	return next
}

// stepLocked carries out deadlines of messages up to now, at most stepBudget of each kind, and
// reports whether more are due. Ids to forget and waits to end are left to the timer: no call needs
// to wait for these.
func (q *queue) stepLocked(now int64) (more bool) {
	more = !q.timeouts.advance(&q.store, now, stepBudget, q.onDue)
	if q.fifo != nil {
		more = q.arriveFIFOLocked(now) || more
	}
	if q.outbox.stuckAt() <= now {
		more = q.giveUpLocked(now) || more
	}
	return q.expireDueLocked(now) || more
}

// arriveFIFOLocked ends the queue's delay of messages, at most stepBudget of them, and reports
// whether there are more.
func (q *queue) arriveFIFOLocked(now int64) (more bool) {
	delay := q.settings.Load().delay
	for range stepBudget {
		slot := q.fifo.delayed.Head
		if slot == 0 || after(q.store.at(slot).enqueued, delay) > now {
			return false
		}
		q.fifo.delayed.PopFront(&q.store.nodes)
		q.arriveLocked(now, slot, q.store.at(slot))
	}
	return true
}

// expireDueLocked removes messages whose retention is over, also those in flight (SQS: LC-3), at most
// stepBudget of them, and reports whether there are more.
func (q *queue) expireDueLocked(now int64) (more bool) {
	retention := q.settings.Load().retention
	if retention == Forever {
		return false
	}
	for range stepBudget {
		slot, since := q.oldestLocked()
		if slot == 0 || after(since, retention) > now || q.store.at(slot).state == stateCommitting {
			return false
		}
		q.expireLocked(now, slot)
	}
	return true
}

// endWaitsLocked ends waits whose time is over, at most stepBudget of them, and reports whether
// there are more. A wait that ends at this instant goes on while messages are to be carried out that
// are due by now: it may yet have one of them.
func (q *queue) endWaitsLocked(now int64, draining bool) (more bool) {
	if draining {
		now--
	}
	for n := 0; q.deadlines.Len() != 0; n++ {
		e := q.deadlines.Min()
		if e.Key > now {
			return false
		}
		if n == stepBudget {
			return true
		}
		w := q.waitSlots[e.ID]
		q.metrics.emptyReceives++
		q.wakeLocked(w, nil)
	}
	return false
}
