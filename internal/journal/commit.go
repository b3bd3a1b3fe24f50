package journal

// turn is a right that one goroutine has at a time: to write frames, or to sync files. Who wants it for the sake of a mark
// waits in a round, together with all whose marks the same use of the turn takes care of. When a use ends, all of its
// round go on, and one of the next round leads.
type turn struct {
	busy   bool
	done   uint64 // the marks up to here are taken care of
	taking uint64 // and up to here they will be when the present use ends
	now    *round // of the present use
	next   *round
}

type round struct {
	over    chan struct{} // closed when the use has ended
	lead    chan struct{} // has room for the one value that hands the turn on
	waiting int
}

func newRound() *round { return &round{make(chan struct{}), make(chan struct{}, 1), 0} }

// joinLocked waits until the mark is taken care of, and returns false, or until the caller has the turn, and returns true.
// l.mu is released while it waits.
func (l *Log) joinLocked(t *turn, mark uint64) (leads bool) {
	for t.done < mark {
		if !t.busy {
			t.busy = true
			return true
		}
		r := t.next
		if mark <= t.taking {
			r = t.now
		} else {
			r.waiting++
		}
		l.mu.Unlock()
		select {
		case <-r.over:
			l.mu.Lock()
		case <-r.lead:
			l.mu.Lock()
			return true
		}
	}
	return false
}

// takeLocked begins a use of the turn that takes care of all marks up to this one.
func (t *turn) takeLocked(mark uint64) {
	t.now, t.next = t.next, newRound()
	t.taking = mark
}

// passLocked ends the use, and hands the turn to one of those who wait for the next.
func (t *turn) passLocked() {
	if t.now != nil {
		t.done = max(t.done, t.taking)
		close(t.now.over)
		t.now = nil
	}
	if t.busy = t.next.waiting > 0; t.busy {
		t.next.lead <- struct{}{}
	}
}

// Wait returns when the frame with this mark is settled: written or, in mode Always and with synced, on disk as well. The
// caller may find itself doing that work for others.
//
// It returns ErrFull where the frame found no room and is not in the log; for a frame of class Carry it means not yet. It
// returns ErrFailed after a write or a sync failed, for frames that were not settled before: what became of those the next
// Open will tell.
func (l *Log) Wait(mark uint64, synced bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !synced {
		return l.waitWrittenLocked(mark)
	}
	var err error
	if l.o.Sync == Always {
		err = l.waitSyncedLocked(mark)
	} else {
		err = l.waitWrittenLocked(mark)
	}
	l.throttleLocked()
	return err
}

func (l *Log) waitWrittenLocked(mark uint64) error {
	for l.write.done < mark {
		if l.joinLocked(&l.write, mark) {
			l.useWriteTurnLocked()
			l.afterWriteLocked()
		}
	}
	if l.o.Sync != Always {
		return l.outcomeLocked(mark, l.okSettled)
	}
	return l.outcomeLocked(mark, l.okWritten)
}

func (l *Log) waitSyncedLocked(mark uint64) error {
	for l.sync.done < mark {
		if l.joinLocked(&l.sync, mark) {
			l.syncLocked()
		}
	}
	return l.outcomeLocked(mark, l.okSynced)
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
	return l.waitSyncedLocked(l.last)
}

// flush writes what gathered while nobody waited. It is called with the write turn.
func (l *Log) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.useWriteTurnLocked()
	l.afterWriteLocked()
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
	l.write.passLocked()
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
	due := l.unsettled[:n:n]
	if l.unsettled = l.unsettled[n:]; len(l.unsettled) == 0 {
		l.unsettled = nil
	}
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
}
