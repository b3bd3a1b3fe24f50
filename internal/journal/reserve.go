package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// The reserve is a file that takes room from the disk while there is some. When a frame finds none, the reserve is cut by
// about as much and the frame written again: so deletes, notes and cleaning go on, and only sends are refused until the
// reserve is whole again. The first part of it is for carrying alone: with room for what lives in one segment, segments
// can be carried and removed one after another, however full the disk is.

// carryRoom is the size of that part. What is carried may have grown a little since it was sent.
func (l *Log) carryRoom() int64 { return carryRoomFor(max(l.o.SegmentSize, l.largest)) }

func carryRoomFor(segment int64) int64 { return segment + segment/16 }

// largestLocked returns the size of the largest segment there is.
func (l *Log) largestLocked() (n int64) {
	for _, s := range l.segments {
		n = max(n, s.planned)
	}
	return n
}

// deleteRoom is the size of the other part.
func (l *Log) deleteRoom() int64 { return l.o.SegmentSize / 4 }

// reserveWant is the size of a whole reserve.
func (l *Log) reserveWant() int64 { return l.carryRoom() + l.deleteRoom() }

// errLimit stands for a disk of MaxDisk bytes that is full.
var errLimit = fmt.Errorf("MaxDisk is reached: %w", ErrNoSpace)

// tryEvery is how often a refused send lets a full log look for room that others made on the disk.
const tryEvery = time.Second

// openReserve opens or makes the reserve. Where there is no room for it the log is full from the beginning.
func (l *Log) openReserve() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.full, l.lastTry = true, time.Now()
	l.troubled.Store(true)
	err := l.fillReserveLocked()
	if err != nil && IsFull(err) {
		l.o.Logger.Warn("journal: opened on a full disk; nothing new is taken until there is room", "dir", l.dir, "err", err)
		return nil
	}
	return err
}

// fillReserveLocked makes the reserve whole, and ends the state of being full, or brings it as far as it can. The caller
// has the write turn, or is the only one. l.mu is released meanwhile.
func (l *Log) fillReserveLocked() error {
	err := l.growReserveLocked(l.reserveWant())
	if err == nil {
		l.full = false
		l.troubled.Store(l.err != nil || l.closing)
	} else if IsFull(err) && l.reserveSize < l.carryRoom() {
		if e := l.growReserveLocked(l.carryRoom()); e != nil && !IsFull(e) {
			return e
		}
	}
	return err
}

func (l *Log) growReserveLocked(want int64) error {
	if l.o.MaxDisk > 0 && l.bytes+l.pending+want > l.o.MaxDisk {
		return errLimit
	}
	l.mu.Unlock()
	size, err := l.growReserve(want)
	l.mu.Lock()
	l.reserveSize = size
	return err
}

// reserveFor sees to it that what the frame brings can be carried once the disk is full: a segment that is larger than all
// before it takes a larger reserve. Where there is no room for both, the frame has none. The caller has the write turn.
func (l *Log) reserveFor(f *frame) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !f.sends || l.reserveSize >= l.carryRoom() {
		return nil
	}
	n := f.segment.size + f.size // as it will be; later frames do not count yet
	for _, s := range l.segments {
		n = max(n, s.size)
	}
	room := carryRoomFor(max(n, l.o.SegmentSize))
	if l.reserveSize >= room {
		return nil
	}
	return l.growReserveLocked(room + l.deleteRoom())
}

// growReserve returns how large the reserve is then.
func (l *Log) growReserve(want int64) (size int64, err error) {
	if l.reserve == nil {
		name := l.path(reserveName)
		l.reserve, err = l.fs.Open(name, true)
		if errors.Is(err, fs.ErrNotExist) {
			l.reserve, err = l.fs.Create(name)
		}
		if err != nil {
			l.reserve = nil
			return 0, err
		}
	}
	if size, err = l.reserve.Size(); err != nil {
		return 0, err
	}
	if size > want {
		size = want
		if err := l.reserve.Truncate(size); err != nil {
			return 0, err
		}
	}
	err = l.reserve.Allocate(want) // also where the size is right: a copied file may have holes
	if err == nil {
		return want, nil
	}
	if IsFull(err) {
		if err := l.reserve.Truncate(size); err != nil {
			return 0, err
		}
	}
	return size, err
}

// cutReserve gives back to the disk what the frame needs, or some of it, and says whether there was any. The caller has
// the write turn.
func (l *Log) cutReserve(f *frame, why error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fullLocked(why)
	keep := l.carryRoom()
	if f.carry {
		keep = 0
	}
	if l.reserveSize <= keep {
		return false
	}
	size := max(keep, l.reserveSize-f.size-segmentHead-l.deleteRoom()/16)
	if err := l.reserve.Truncate(size); err != nil {
		_ = l.failLocked(fmt.Errorf("cutting the reserve: %w", err))
		return false
	}
	l.reserveSize = size
	return true
}

func (l *Log) fullLocked(why error) {
	if !l.full {
		l.full = true
		l.troubled.Store(true)
		l.o.Logger.Warn("journal: the disk is full; nothing new is taken until there is room", "dir", l.dir, "err", why)
	}
	l.lastTry = time.Now()
}

// withinLimitLocked says whether n bytes more keep the files within MaxDisk.
func (l *Log) withinLimitLocked(n int64) bool {
	return l.o.MaxDisk == 0 || l.bytes+n+segmentHead+l.reserveSize <= l.o.MaxDisk
}

// refillLocked tries to end the state of being full. l.mu is released meanwhile.
func (l *Log) refillLocked() {
	l.lastTry, l.roomier = time.Now(), false
	l.leadLocked(&l.write)
	l.useWriteTurnForLocked(func() {
		if l.err != nil || l.blocked != 0 || !l.full {
			return
		}
		switch err := l.fillReserveLocked(); {
		case err == nil:
			l.o.Logger.Info("journal: there is room again", "dir", l.dir)
		case !IsFull(err):
			_ = l.failLocked(fmt.Errorf("filling the reserve: %w", err))
		}
	})
}
