package journal

import (
	"fmt"
	"time"
)

// duty is what the cleaner has to do next.
type duty uint8

const (
	idle duty = iota
	remove
	carry
	refill
)

// stall remembers a segment of which the owner carried all it could, and something still lives.
type stall struct {
	segment uint32
	live    int64
	bytes   int64
}

// dutyLocked looks at the oldest segment only: what was deleted in a segment stands in a younger one, and no delete has to
// be carried when segments go in order.
func (l *Log) dutyLocked() duty {
	if l.full || l.blocked != 0 {
		if l.roomier || time.Since(l.lastTry) >= tryEvery {
			return refill
		}
	}
	oldest := l.segments[0]
	if oldest.number >= l.tail.number || l.blocked != 0 {
		return idle
	}
	if oldest.live == 0 {
		return remove
	}
	stalled := l.stalled.segment == oldest.number && l.stalled.live == oldest.live &&
		l.bytes < l.stalled.bytes+l.o.SegmentSize/4
	if l.wastefulLocked() && !stalled {
		return carry
	}
	return idle
}

// wastefulLocked says whether carrying what lives is worth the room it gives back: when the log has twice the size of what
// lives in it, or room is short and at least an eighth of the log is dead.
func (l *Log) wastefulLocked() bool {
	dead, segment := l.bytes-l.live, l.o.SegmentSize
	if dead > l.live+2*segment {
		return true
	}
	return l.tightLocked() && dead > 2*segment && dead > l.live/8
}

// tightLocked says whether sends are refused, or soon will be.
func (l *Log) tightLocked() bool {
	return l.full || l.o.MaxDisk > 0 && l.bytes+l.pending+l.reserveWant()+l.o.SegmentSize > l.o.MaxDisk
}

// kickLocked starts the cleaner where there is something for it and it does not run.
func (l *Log) kickLocked() {
	if l.cleaning || l.owner == nil || l.err != nil || l.closing || l.dutyLocked() == idle {
		return
	}
	l.cleaning = true
	l.workers.Go(l.clean)
}

func (l *Log) clean() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.err == nil && !l.closing {
		switch l.dutyLocked() {
		case remove:
			l.removeLocked()
		case carry:
			l.carryLocked()
		case refill:
			l.refillLocked()
		default:
			l.cleaning = false
			return
		}
	}
	l.cleaning = false
}

// removeLocked removes the oldest segment. All that was appended by now is brought to disk before: what lived there was
// carried or deleted by that.
func (l *Log) removeLocked() {
	s := l.segments[0]
	if l.waitSyncedLocked(l.last) != nil || l.blocked != 0 {
		return
	}
	l.mu.Unlock()
	err := l.fs.Remove(l.path(segmentName(s.number)))
	if err == nil {
		err = l.fs.SyncDir(l.dir)
	}
	l.mu.Lock()
	if err != nil {
		_ = l.failLocked(fmt.Errorf("removing %s: %w", segmentName(s.number), err))
		return
	}
	l.segments[0] = nil
	l.segments = l.segments[1:]
	l.bytes -= s.size
	l.roomier = true
	l.stats.Removed++
}

// carryLocked lets the owner carry once, and waits until that is written.
func (l *Log) carryLocked() {
	s := l.segments[0]
	l.mu.Unlock()
	more := l.owner.Carry(s.number)
	l.mu.Lock()
	_ = l.waitWrittenLocked(l.last) // no room is seen by the next duty
	if !more && s.live > 0 {
		l.stalled = stall{s.number, s.live, l.bytes}
	}
}
