package journal

import "fmt"

// Class says what a batch is for, and so what happens to it while there is no room.
type Class uint8

const (
	// Send is refused with ErrFull while the disk is full, or MaxDisk reached.
	Send Class = iota
	// Delete may use the reserve. It is refused with ErrFull when that is used up within MaxDisk; on a full disk Wait
	// returns ErrFull.
	Delete
	// Note is for what rides along, such as leases: as Delete, and never refused by Append for want of room.
	Note
	// Carry is for what the owner appends anew when it is asked to. It is never refused for want of room and never
	// lost: nothing is written after it before it is.
	Carry
)

// Append copies the batch into the frame that is being built, and empties it. It never waits. The segment is where all
// records of the batch will be, and mark is what [Log.Wait] takes. An empty batch returns the mark of the newest frame.
//
// It returns ErrFull as the class says, ErrFailed, ErrClosed, ErrReadOnly or ErrTooLarge; the batch is then as it was, and
// nothing was appended.
func (l *Log) Append(b *Batch, class Class) (segment uint32, mark uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := int64(len(b.buf))
	if err := l.roomLocked(class, n); err != nil {
		return 0, 0, err
	}
	if n > MaxBatch {
		return 0, 0, fmt.Errorf("%w: it has %d bytes, at most %d are allowed", ErrTooLarge, n, int64(MaxBatch))
	}
	if n == 0 {
		return l.segments[len(l.segments)-1].number, l.last, nil
	}
	f := l.frameLocked(n, class == Carry)
	f.buf = append(f.buf, b.buf...)
	f.size += n
	f.segment.planned += n
	l.pending += n
	f.weight += b.weight
	f.segment.live += b.weight
	l.live += b.weight
	f.settles(b.settle)
	b.Reset()
	if l.pending > flushAt && !l.write.busy {
		l.write.busy = true
		l.workers.Go(l.flush)
	}
	return f.segment.number, f.mark, nil
}

// flushAt is how much may gather while nobody waits for it.
const flushAt = 4 << 20

// Room says what Append would return for a small batch of the class. It is asked before anything is changed, under the
// owner's lock.
func (l *Log) Room(class Class) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.roomLocked(class, 0)
}

func (l *Log) roomLocked(class Class, n int64) error {
	if err := l.usableLocked(); err != nil {
		return err
	}
	if l.owner == nil {
		panic("bug: Append before Start")
	}
	if class == Send && (l.full || l.o.MaxDisk > 0 && l.bytes+l.pending+n+frameHead+payloadOverhead+l.reserveWant() > l.o.MaxDisk) {
		l.kickLocked()
		return ErrFull
	}
	if class == Delete && l.o.MaxDisk > 0 && l.bytes+l.pending+n+frameHead+payloadOverhead > l.o.MaxDisk {
		l.kickLocked()
		return ErrFull
	}
	return nil
}

func (l *Log) usableLocked() error {
	switch {
	case l.o.ReadOnly:
		return ErrReadOnly
	case l.err != nil:
		return l.err
	case l.closing:
		return ErrClosed
	}
	return nil
}

// frameLocked returns the frame that takes n bytes more: the one being built, or a new one. What is carried has frames of
// its own, since those are kept until there is room for them.
func (l *Log) frameLocked(n int64, carry bool) *frame {
	seg := l.segments[len(l.segments)-1]
	over := seg.planned+n > l.o.SegmentSize
	if q := len(l.queue); q > 0 {
		f := l.queue[q-1]
		if !f.sealed && f.carry == carry && !over && f.size+n <= int64(l.frameLimit()) {
			return f
		}
		f.sealed = true
	}
	return l.newFrameLocked(over, carry)
}

func (l *Log) newFrameLocked(over, carry bool) *frame {
	seg := l.segments[len(l.segments)-1]
	if l.rotate || over && seg.planned > segmentHead && seg.number-l.synced.segment < maxLag {
		seg = l.newSegment(seg.number + 1)
		l.segments = append(l.segments, seg)
		l.rotate = false
	}
	var f *frame
	if k := len(l.free); k > 0 {
		f, l.free = l.free[k-1], l.free[:k-1]
	} else {
		f = &frame{buf: make([]byte, frameHead, 4<<10)}
	}
	l.last++
	f.mark, f.segment, f.carry, f.size = l.last, seg, carry, frameHead
	if seg.cipher != nil {
		f.size += payloadOverhead
	}
	seg.planned += f.size
	l.pending += f.size
	l.queue = append(l.queue, f)
	l.proven = false
	return f
}

// maxLag is the most segments behind the newest that wait for a sync. It is a bound for a disk that stopped answering;
// segments then grow instead.
const maxLag = 1000

func (l *Log) newSegment(number uint32) *segment {
	s := &segment{number: number, planned: segmentHead, place: place(l.id, number)}
	if l.keys.current != nil {
		s.cipher = newPayloadCipher(l.keys.current, l.id, number)
	}
	return s
}

// segmentLocked returns the segment of the number, or nil.
func (l *Log) segmentLocked(number uint32) *segment {
	if len(l.segments) == 0 {
		return nil
	}
	i := int64(number) - int64(l.segments[0].number)
	if i < 0 || i >= int64(len(l.segments)) {
		return nil
	}
	return l.segments[i]
}

// Release says that something of this weight in the segment lives no more. What was in a frame that is not in the log, so
// that Wait returned ErrFull for it, is not released.
func (l *Log) Release(segment uint32, weight int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.segmentLocked(segment)
	if s == nil || s.live < weight {
		if l.err != nil {
			return // what is alive is no longer known
		}
		panic(fmt.Sprintf("bug: Release of %d in segment %d, where less lives", weight, segment))
	}
	s.live -= weight
	l.live -= weight
	l.kickLocked()
}
