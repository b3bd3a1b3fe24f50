package journal

import "fmt"

// Class says what a batch is for, and so what becomes of it while there is no room.
type Class uint8

const (
	// Send is refused by Room while the disk is full, or MaxDisk reached.
	Send Class = iota
	// Delete may use the reserve.
	Delete
	// Note is for what rides along, such as leases. It may use the reserve as well.
	Note
	// Carry is for what [Owner.Carry] appends anew. It is never lost: nothing is written after it before it is.
	Carry
)

// Append copies the batch into the frame that is being built, and empties it. It never waits. The segment is where all
// records of the batch will be, and mark is what [Log.Wait] takes. An empty batch returns the mark of the newest frame.
//
// Append does not refuse for want of room, nor on a log that failed or was closed: [Log.Room] does, before anything is
// changed, and what happens after that is told by Wait and [Owner.Committed] alone. It returns ErrReadOnly, and
// ErrTooLarge for a batch of more than MaxBatch bytes; the batch is then as it was, and nothing was appended.
func (l *Log) Append(b *Batch, class Class) (segment uint32, mark uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := int64(len(b.buf))
	switch {
	case l.o.ReadOnly:
		return 0, 0, ErrReadOnly
	case n > MaxBatch:
		return 0, 0, fmt.Errorf("%w: it has %d bytes, at most %d are allowed", ErrTooLarge, n, int64(MaxBatch))
	case l.owner == nil:
		panic("bug: Append before Start")
	case n == 0:
		return l.segments[len(l.segments)-1].number, l.last, nil
	}
	f := l.frameLocked(n, class == Carry)
	f.buf = append(f.buf, b.buf...)
	f.size += n
	f.segment.planned += n
	l.largest = max(l.largest, f.segment.planned)
	l.pending += n
	if b.weight > 0 {
		f.weight += b.weight
		f.segment.live += b.weight
		l.live += b.weight
		l.density.add(n, b.weight)
	} else {
		l.died += n
	}
	if class == Carry {
		l.died -= b.weight // its old place is released as if it had died
	}
	f.sends = f.sends || class == Send
	f.settles(b.settle)
	b.Reset()
	if l.pending > flushAt && !l.write.busy && l.usableLocked() == nil {
		l.write.busy = true
		l.workers.Go(l.flush)
	}
	return f.segment.number, f.mark, nil
}

// Room says whether a batch of the class may be appended: it is asked before anything is changed, under the owner's lock.
// It returns ErrFull for class Send while there is no room, and ErrFailed, ErrClosed or ErrReadOnly.
func (l *Log) Room(class Class) error {
	if !l.troubled.Load() && (class != Send || l.o.MaxDisk == 0) && !l.o.ReadOnly {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usableLocked(); err != nil {
		return err
	}
	if class == Send && (l.full || l.o.MaxDisk > 0 && l.bytes+l.pending+l.reserveWant() > l.o.MaxDisk) {
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

// flushAt is how much may gather while nobody waits for it.
const flushAt = 4 << 20

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
	wait := seg.number-l.synced.segment >= maxLag && seg.planned < MaxSegmentSize
	if l.rotate || over && seg.planned > segmentHead && !wait {
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
	if k := len(l.streams); k > 0 && f.settle == nil {
		f.settle, l.streams = l.streams[k-1], l.streams[:k-1]
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

// maxLag is the most segments, each with a file open, that wait for a sync. Where a disk is that slow, segments grow
// instead.
const maxLag = 64

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
	l.died += weight
	l.kickLocked()
}
