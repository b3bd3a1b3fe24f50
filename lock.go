package inq

import (
	"context"
	"time"
)

// This file is how the lock of a queue is taken and given back. A call enters, which tells it the
// time, does what it is for, and leaves, which does what has become necessary by it.
//
// A function whose name ends in Locked is called with the lock of its queue held, and so are the
// methods of what the lock guards. None of them unlocks, reads the clock or calls foreign code.

// errands are what is to be done before the lock is released, or right after.
type errands uint8

const (
	errandArm     errands = 1 << iota // armed was lowered
	errandTell                        // there are events to deliver
	errandLetters                     // there are letters to queues of this process
	errandCalls                       // there are messages to call a dead-letter target for
	errandLook                        // a receive may have more than it was given, see takeLocked and carrier
	errandTask                        // a move task waits for a message; stays until it was woken
	errandKeep                        // something is to be written into the journal, or to be waited for
)

// enter locks the queue and returns the time, or the reason why the queue is gone, and then it is
// not locked. The clock is read once, before the lock, because that costs as much as the rest of a
// critical section. A caller that had to wait for the lock reads it again: its timeouts must not
// start early. The lock is mostly held for less time than the clock takes, so a caller reads the
// clock and tries again before it waits and then has to read it while others wait for the lock.
func (q *queue) enter() (now int64, err error) {
	if q.ids == nil {
		return 0, ErrClosed
	}
	now = int64(time.Since(q.ids.epoch))
	for tries := 0; !q.mu.TryLock(); tries++ {
		if tries == lockTries {
			q.mu.Lock()
			now = int64(time.Since(q.ids.epoch))
			break
		}
		now = int64(time.Since(q.ids.epoch))
	}
	if q.gone != nil {
		err = q.gone
		q.mu.Unlock()
		return 0, err
	}
	if now < q.last {
		if now < 0 {
			q.mu.Unlock()
			return 0, q.otherBubble()
		}
		now = q.last
	}
	q.last = now
	return now, nil
}

// clockLocked returns the time, for those who enter a queue that may be gone.
func (q *queue) clockLocked() int64 {
	q.last = max(q.last, int64(time.Since(q.ids.epoch)))
	return q.last
}

// otherBubble refuses a call where the clock stands before the time the queue was made at. Only
// bubbles have such clocks. What the queue was told to wait for would never come, and its timer would
// fire for ever.
func (q *queue) otherBubble() error {
	return &ParamError{Err: ErrInvalidParameter, Param: "QueueUrl", Value: q.name,
		Reason: "the queue was made outside of this testing/synctest bubble, whose clock is another; make the queue inside"}
}

// lockTries is how often enter tries for the lock before it waits.
const lockTries = 4

// leave hands out what became receivable, does the errands, and unlocks.
//
// A change is accepted when leave returns nil, not before: its error is that of a journal that could not
// keep it. With a journal leave waits for that, see commit.
func (q *queue) leave(now int64) error {
	if q.waiters.head == nil && q.errands == 0 {
		q.mu.Unlock()
		return nil
	}
	if q.waiters.head != nil && !q.behind {
		q.serveLocked(now)
	}
	return q.unlock(now)
}

// unlock is leave without serving the receives that wait.
func (q *queue) unlock(now int64) error {
	q.pauseLocked(now)
	if q.errands == 0 {
		q.mu.Unlock()
		return nil
	}
	switch {
	case q.errands&errandKeep != 0:
		return q.commit() // unlocks
	case q.errands&(errandLetters|errandCalls|errandLook) != 0:
		c := q.sendOff(now) // unlocks
		c.tell()
	case q.errands&errandTell != 0:
		q.deliverEvents() // unlocks
	default:
		q.mu.Unlock()
	}
	return nil
}

// commit unlocks, waits until what was written in this critical section is kept, and does the errands.
func (q *queue) commit() error {
	d := q.takeDueLocked()
	idle := q.errands == 0 && !d.synced && d.others == nil
	q.mu.Unlock()
	err := q.journal.wait(&d)
	if !idle || err != nil { // else nothing of it is waited for by the queue
		q.finishErrands()
	}
	return err
}

// finishErrands does what was left to be done while a commit was waited for, and what that led to.
func (q *queue) finishErrands() {
	q.mu.Lock()
	idle := q.errands == 0 && q.waiters.head == nil
	q.mu.Unlock()
	if idle { // nearly always, and then there is no need to know the time
		return
	}
	now, err := q.enter()
	if err == nil {
		_ = q.leave(now)
		return
	}
	q.mu.Lock()
	if q.errands&errandTell != 0 { // the queue is gone, and its events are told all the same
		q.deliverEvents() // unlocks
		return
	}
	q.mu.Unlock()
}

// pause unlocks with errands left to whoever leaves next: the caller, which comes back, or another. What it
// wrote into the journal is waited for by nobody.
func (q *queue) pause(now int64) {
	q.pauseLocked(now)
	if q.errands&errandKeep != 0 {
		q.takeDueLocked()
	}
	q.mu.Unlock()
}

// pauseLocked does what cannot wait: it hands over what is to be written into the journal, sets the timer,
// and wakes a move task.
func (q *queue) pauseLocked(now int64) {
	if q.errands&errandKeep != 0 {
		q.writeDownLocked(now)
	}
	if q.errands&errandArm != 0 {
		q.errands &^= errandArm
		q.armLocked(now)
	}
	if q.errands&errandTask != 0 {
		q.wakeTaskLocked()
	}
}

// armLocked sets the timer to q.armed.
func (q *queue) armLocked(now int64) {
	d := time.Duration(max(q.armed-now, 0))
	if q.timer == nil {
		q.timer = time.AfterFunc(d, q.onTimer)
		return
	}
	q.timer.Reset(d)
}

// checkContext refuses what every call refuses. A queue that no constructor made is as good as
// closed.
func (q *queue) checkContext(ctx context.Context) error {
	if q.ids == nil {
		return ErrClosed
	}
	return checkContext(ctx)
}

func checkContext(ctx context.Context) error {
	if ctx == nil {
		return errNoContext()
	}
	return ctx.Err()
}

func errNoContext() error {
	return &ParamError{Err: ErrMissingParameter, Param: "ctx", Reason: "must not be nil"}
}

// refused returns err, for which a call is refused before it locks the queue, unless the queue is
// gone: that comes first (SQS: order of checks).
func (q *queue) refused(err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gone != nil {
		return q.gone
	}
	return err
}
