package journal

import (
	"errors"
	"fmt"
)

// turn is a right that one goroutine has at a time: to write frames, or to sync files. Who wants it for the sake of a mark
// waits in a round, together with all whose marks the same use of the turn takes care of. When a use ends, all of its
// round go on, and one of the next round leads.
type turn struct {
	busy   bool
	done   uint64 // the marks up to here are taken care of
	taking uint64 // and up to here they will be when the present use ends
	now    *round // of the present use; nil: nobody waits for it
	next   *round // nil: nobody waits for the next
}

type round struct {
	over chan struct{} // closed when the use has ended
	lead chan struct{} // has room for the one value that hands the turn on
	// What the use came to, written before over is closed: all marks up to this one were taken care of, nothing has ever
	// gone wrong, and nobody is to be held up. A thousand who wait need not ask for the lock to learn that.
	smooth uint64
}

// joinLocked waits until the mark is taken care of, and returns false, or until the caller has the turn, and returns true.
// l.mu is released while it waits, and left so where smooth is true, which says that the mark was taken care of without
// any trouble.
func (l *Log) joinLocked(t *turn, mark uint64) (leads, smooth bool) {
	for t.done < mark {
		if !t.busy {
			t.busy = true
			return true, false
		}
		at := &t.next
		if mark <= t.taking {
			at = &t.now
		}
		if *at == nil {
			*at = &round{over: make(chan struct{}), lead: make(chan struct{}, 1)}
		}
		r := *at
		l.mu.Unlock()
		select {
		case <-r.over:
			if mark <= r.smooth {
				return false, true
			}
			l.mu.Lock()
		case <-r.lead:
			l.mu.Lock()
			return true, false
		}
	}
	return false, false
}

// leadLocked waits until the caller has the turn. l.mu is released meanwhile.
func (l *Log) leadLocked(t *turn) {
	for {
		if leads, _ := l.joinLocked(t, ^uint64(0)); leads {
			return
		}
	}
}

// takeLocked begins a use of the turn that takes care of all marks up to this one.
func (t *turn) takeLocked(mark uint64) {
	t.now, t.next = t.next, nil
	t.taking = mark
}

// passLocked ends the use, and hands the turn to one of those who wait for the next.
func (l *Log) passLocked(t *turn) {
	t.done = max(t.done, t.taking)
	if t.now != nil {
		if l.err == nil && len(l.lost) == 0 && l.blocked == 0 && !l.throttlesLocked() {
			t.now.smooth = t.done
		}
		close(t.now.over)
		t.now = nil
	}
	if t.busy = t.next != nil; t.busy {
		t.next.lead <- struct{}{}
	}
}

// Wait returns when the frame with this mark is settled: written or, in mode Always and with synced, on disk as well. The
// caller may find itself doing that work for others.
//
// It returns ErrFull where the frame found no room and is not in the log; for a frame of class Carry it means not yet. It
// returns ErrFailed after a write or a sync failed, for frames that were not settled before: what became of those the next
// Open will tell.
func (l *Log) Wait(mark uint64, synced bool) error { return l.waitFor(mark, synced, synced) }

// WaitUnderLock is Wait with synced for a caller that holds a lock which [Owner.Carry] takes. Wait may hold its caller up
// until the cleaner has made room, and the cleaner would wait for that lock.
func (l *Log) WaitUnderLock(mark uint64) error { return l.waitFor(mark, true, false) }

func (l *Log) waitFor(mark uint64, synced, throttled bool) error {
	l.mu.Lock()
	if mark > l.last {
		l.mu.Unlock()
		panic(fmt.Sprintf("bug: Wait for mark %d, the newest is %d", mark, l.last))
	}
	t := &l.write
	if synced && l.o.Sync == Always {
		t = &l.sync
	}
	err, smooth := l.waitLocked(t, mark)
	if smooth {
		return nil
	}
	if throttled && l.throttlesLocked() {
		l.throttleLocked()
	}
	l.mu.Unlock()
	return err
}

// waitLocked waits until the mark is taken care of. Where smooth is true l.mu was released.
func (l *Log) waitLocked(t *turn, mark uint64) (err error, smooth bool) {
	for t.done < mark {
		leads, smooth := l.joinLocked(t, mark)
		switch {
		case smooth:
			return nil, true
		case leads && t == &l.sync:
			l.syncLocked()
		case leads:
			l.useWriteTurnLocked()
			l.afterWriteLocked()
		}
	}
	switch {
	case t == &l.sync:
		return l.outcomeLocked(mark, l.okSynced), false
	case l.o.Sync == Always:
		return l.outcomeLocked(mark, l.okWritten), false
	}
	return l.outcomeLocked(mark, l.okSettled), false
}

// waitWrittenLocked waits for the mark, and holds l.mu in the end.
func (l *Log) waitWrittenLocked(mark uint64) { l.holdLocked(l.waitLocked(&l.write, mark)) }

// waitSyncedLocked waits for the mark, and holds l.mu in the end.
func (l *Log) waitSyncedLocked(mark uint64) error { return l.holdLocked(l.waitLocked(&l.sync, mark)) }

func (l *Log) holdLocked(err error, smooth bool) error {
	if smooth {
		l.mu.Lock()
	}
	return err
}

// outcomeLocked is the result of a wait for the mark, where marks up to ok were taken care of before anything failed.
func (l *Log) outcomeLocked(mark, ok uint64) error {
	switch {
	case l.lost.has(mark):
		return ErrFull
	case l.err != nil && mark > ok:
		return l.err
	case l.blocked != 0 && mark >= l.blocked:
		for _, f := range l.queue {
			if f.mark == mark {
				return ErrFull
			}
		}
	}
	return nil
}

// Sync brings all that was appended before to disk, in every mode.
func (l *Log) Sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usableLocked(); err != nil {
		return err
	}
	err := l.waitSyncedLocked(l.last)
	if l.blocked == 0 && errors.Is(err, ErrFull) {
		return nil // the newest frame is not in the log, and who waited for it knows
	}
	return err
}

// flush writes what gathered while nobody waited, and what gathers meanwhile. It is called with the write turn.
func (l *Log) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		l.useWriteTurnLocked()
		l.afterWriteLocked()
		if l.write.busy || l.pending <= flushAt || l.usableLocked() != nil || l.blocked != 0 {
			return
		}
		l.write.busy = true
	}
}

// useWriteTurnLocked writes what is queued, and passes the turn on. In modes where that is the promise, the owner is told
// before, so that calls come in order.
func (l *Log) useWriteTurnLocked() { l.useWriteTurnForLocked(func() {}) }

// useWriteTurnForLocked does something more with the turn, after the frames are written.
func (l *Log) useWriteTurnForLocked(more func()) {
	l.writeLocked()
	more()
	if l.o.Sync != Always {
		l.settleLocked(l.write.taking)
	}
	l.passLocked(&l.write)
}

// settleLocked calls Committed for all that was written up to the mark. l.mu is released meanwhile.
func (l *Log) settleLocked(mark uint64) {
	failed := l.err
	if failed == nil {
		l.okSettled = max(l.okSettled, mark)
	}
	n := 0
	for n < len(l.unsettled) && l.unsettled[n].mark <= mark {
		n++
	}
	if n == 0 {
		return
	}
	due := l.unsettled[:n]
	l.unsettled = append(l.settled[:0], l.unsettled[n:]...)
	l.mu.Unlock()
	for _, s := range due {
		if s.err == nil {
			s.err = failed
		}
		for _, stream := range s.streams {
			l.owner.Committed(stream, s.mark, s.err)
		}
	}
	l.mu.Lock()
	if len(l.streams) < 4 && cap(due[0].streams) <= 64 {
		l.streams = append(l.streams, due[0].streams[:0])
	}
	clear(due)
	l.settled = due[:0]
}
