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
	turnOver
)

// stall remembers a segment of which the owner carried all it could, and something still lives.
type stall struct {
	segment uint32
	live    int64
	bytes   int64
}

// density is how many bytes a unit of weight takes.
type density struct{ bytes, weight float64 }

func (d *density) add(bytes, weight int64) {
	d.bytes, d.weight = d.bytes+float64(bytes), d.weight+float64(weight)
	if d.bytes > 1<<28 { // so that what is long ago counts less
		d.bytes, d.weight = d.bytes/2, d.weight/2
	}
}

// of returns the bytes that a weight takes.
func (d *density) of(weight int64) int64 {
	if d.weight == 0 {
		return weight
	}
	return int64(float64(weight) * d.bytes / d.weight)
}

// pass goes once over all segments. After one, only what died since it began can be won: otherwise a full log of what
// lives would be carried round and round.
type pass struct {
	end   uint32 // the newest segment when it began; 0: none goes on
	began int64  // died then
	base  int64  // died when the last one that ended began
}

// dutyLocked looks at the oldest segment only: what was deleted in a segment stands in a younger one, and no delete has to
// be carried when segments go in order.
func (l *Log) dutyLocked() duty {
	if (l.full || l.blocked != 0) && (l.roomier || time.Since(l.lastTry) >= tryEvery) {
		return refill
	}
	oldest := l.segments[0]
	if l.blocked != 0 {
		return idle
	}
	if oldest.number >= l.tail.number {
		// The only segment is never removed: where it is what fills a small disk, another one takes its place.
		if l.full && l.died > l.turned && l.wastefulLocked() {
			return turnOver
		}
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
// lives in it, or room is short. Once it is, cleaning goes on for as long as it is worth it.
func (l *Log) wastefulLocked() bool {
	live, segment := l.density.of(l.live), l.o.SegmentSize
	dead := l.bytes - live
	if dead > live+segment {
		return true
	}
	if l.pass.base > 0 {
		dead = min(dead, l.died-l.pass.base)
	}
	l.making = (l.making || l.tightLocked()) && dead > segment/4 && dead > live/8
	return l.making || l.shortLocked() && dead > segment/4
}

// tightLocked says whether sends are refused, or soon will be.
func (l *Log) tightLocked() bool {
	return l.full || l.o.MaxDisk > 0 && l.bytes+l.pending+l.reserveWant()+l.o.SegmentSize > l.o.MaxDisk
}

// shortLocked says whether even deletes will soon be refused.
func (l *Log) shortLocked() bool { return l.full && l.reserveSize < l.carryRoom()+l.deleteRoom()/2 }

// kickLocked starts the cleaner where there is something for it and it does not run.
func (l *Log) kickLocked() {
	if l.cleaning || l.owner == nil || l.err != nil || l.closing || l.dutyLocked() == idle {
		return
	}
	l.cleaning = true
	l.progress = make(chan struct{})
	l.workers.Go(l.clean)
}

func (l *Log) clean() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.err == nil && !l.closing {
		switch l.dutyLocked() {
		case remove:
			l.removeLocked()
			close(l.progress)
			l.progress = make(chan struct{})
		case carry:
			l.carryLocked()
		case refill:
			l.refillLocked()
		case turnOver:
			l.turned, l.rotate = l.died, true
			l.proveLocked()
		default:
			l.endCleaningLocked()
			return
		}
	}
	l.endCleaningLocked()
}

func (l *Log) endCleaningLocked() {
	l.cleaning = false
	close(l.progress)
}

// throttlesLocked says whether the log grows faster than the cleaner can clean, so that the bound on its size, or the room
// for deletes, would not hold.
func (l *Log) throttlesLocked() bool {
	if !l.cleaning || l.err != nil {
		return false
	}
	live := l.density.of(l.live)
	return l.making && l.tightLocked() || l.shortLocked() || l.bytes-live >= live+live/8+2*l.o.SegmentSize
}

// throttleLocked lets a caller wait for one step of the cleaner. l.mu is released meanwhile.
func (l *Log) throttleLocked() {
	progress := l.progress
	l.mu.Unlock()
	<-progress
	l.mu.Lock()
}

// removeLocked removes the oldest segment. All that was appended by now is brought to disk before: what lived there was
// carried or deleted by that.
func (l *Log) removeLocked() {
	s := l.segments[0]
	_ = l.waitSyncedLocked(l.last) // frames without room were reported to those who waited
	if l.blocked != 0 || l.err != nil {
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
	if s.planned >= l.largest {
		l.largest = l.largestLocked()
	}
	l.bytes -= s.size
	l.roomier = true
	l.stats.Removed++
	if l.pass.end != 0 && s.number >= l.pass.end {
		l.pass = pass{base: l.pass.began}
	}
}

// carryLocked lets the owner carry once, and waits until that is written.
func (l *Log) carryLocked() {
	s := l.segments[0]
	if l.pass.end == 0 {
		l.pass.end, l.pass.began = l.tail.number, l.died
	}
	before := s.live
	l.mu.Unlock()
	more := l.owner.Carry(s.number)
	l.mu.Lock()
	l.waitWrittenLocked(l.last) // that there is no room is seen by the next duty
	if s.live > 0 && (!more || s.live == before) {
		l.stalled = stall{s.number, s.live, l.bytes}
	}
}
