package journal

import "fmt"

// writeLocked writes all frames that are queued. The caller has the write turn; l.mu is released meanwhile. On a log that
// failed it only accounts for them, so that their owner is told.
func (l *Log) writeLocked() {
	l.write.takeLocked(l.last)
	frames, synced := l.queue, l.synced
	var kept []*frame
	l.queue = l.written[:0]
	for _, f := range frames {
		f.sealed = true
	}
	for _, f := range frames {
		var err error
		switch {
		case l.err != nil:
			err = l.err
		case l.blocked != 0 && f.mark != l.blocked:
			err = ErrFull
		default:
			l.mu.Unlock()
			err = l.writeFrame(f, synced)
			l.mu.Lock()
		}
		if err != nil && f.carry && l.err == nil {
			// What was carried must not be missing before what comes after it, or a delete of it would be read first. It
			// is tried again, and nothing is written until it is.
			if l.blocked == 0 {
				l.blocked = f.mark
			}
			kept = append(kept, f)
			continue
		}
		if err != nil && l.err == nil {
			err = ErrFull
		}
		l.wroteLocked(f, err)
	}
	clear(frames)
	l.written = frames[:0]
	if kept != nil {
		l.queue = append(kept, l.queue...)
	}
	if l.err == nil {
		l.okWritten = l.write.taking
	}
}

// wroteLocked accounts for a frame that is written, or is not in the log.
func (l *Log) wroteLocked(f *frame, err error) {
	l.pending -= f.size
	if f.mark == l.blocked {
		l.blocked = 0
	}
	switch {
	case err == nil:
		l.stats.Frames++
	case l.err != nil: // unknown
	default:
		f.segment.planned -= f.size
		l.largest = l.largestLocked()
		f.segment.live -= f.weight
		l.live -= f.weight
		l.lost.add(f.mark)
	}
	if len(f.settle) > 0 {
		l.unsettled = append(l.unsettled, settlement{f.mark, f.settle, err})
	}
	if cap(f.buf) <= 2*l.frameLimit() && len(l.free) < 4 {
		*f = frame{buf: f.buf[:frameHead]}
		l.free = append(l.free, f)
	}
}

// writeFrame writes one frame, from the reserve if it has to. It returns an error that matches ErrFull where there is no
// room for it, and what was written of it is cut off again; after any other error the log has failed. The caller has the
// write turn, but not l.mu.
func (l *Log) writeFrame(f *frame, synced position) error {
	err := l.reserveFor(f)
	if err != nil && IsFull(err) {
		l.mu.Lock()
		l.fullLocked(err)
		l.mu.Unlock()
		return err
	}
	if err == nil {
		err = l.tryFrame(f, synced)
	}
	for err != nil && IsFull(err) && l.cutReserve(f, err) {
		err = l.tryFrame(f, synced)
	}
	if err == nil || IsFull(err) {
		return err
	}
	return l.fail(fmt.Errorf("writing: %w", err))
}

func (l *Log) tryFrame(f *frame, synced position) error {
	s := f.segment
	for {
		next, err := l.missing(f)
		if err != nil {
			return err
		}
		if next == nil {
			break
		}
		if err := l.begin(next); err != nil {
			return err
		}
	}
	b := f.buf
	if s.cipher != nil && len(b) > frameHead {
		b = s.cipher.seal(b[:frameHead:frameHead], b[frameHead:], s.number, s.size)
	}
	l.sums.putHead(b, s.place, s.size, claim(synced, s.number))
	if _, err := s.file.WriteAt(b, s.size); err != nil {
		if IsFull(err) {
			if err := s.file.Truncate(s.size); err != nil {
				return fmt.Errorf("cutting off a frame that found no room: %w", err)
			}
		}
		return err
	}
	l.mu.Lock()
	s.size += int64(len(b))
	l.bytes += int64(len(b))
	l.mu.Unlock()
	return nil
}

// missing returns the first segment that has no file yet of those up to the frame's, or nil. There are some before it
// where nothing that was to be in them found room: a log has no gaps.
func (l *Log) missing(f *frame) (*segment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.withinLimitLocked(f.size):
		return nil, errLimit
	case f.segment.file != nil:
		return nil, nil
	case l.tail == nil:
		return f.segment, nil
	}
	return l.segmentLocked(l.tail.number + 1), nil
}

// begin makes the file of a segment, which becomes the tail. The file that was it so far is left to the next sync.
func (l *Log) begin(s *segment) error {
	name := l.path(segmentName(s.number))
	f, err := l.fs.Create(name)
	if err != nil {
		return err
	}
	h := segmentHeader{version: formatVersion, id: l.id, number: uint64(s.number)}
	if s.cipher != nil {
		h.cipher, h.key = cipherAES, s.cipher.key
	}
	if l.tail != nil {
		h.before = l.tail.size // nothing is written to it any more
	}
	if _, err := f.WriteAt(h.encode(), 0); err != nil {
		_ = f.Close()
		if IsFull(err) {
			if err := l.fs.Remove(name); err != nil {
				return fmt.Errorf("removing a segment that found no room: %w", err)
			}
		}
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tail != nil {
		l.rotated = append(l.rotated, l.tail)
	}
	s.file, s.size = f, segmentHead
	l.bytes += segmentHead
	l.tail, l.newFile = s, true
	return nil
}

// fail makes the log fail for good.
func (l *Log) fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failLocked(err)
}

func (l *Log) failLocked(err error) error {
	if l.err == nil {
		l.err = fmt.Errorf("%w: %w", ErrFailed, err)
		l.troubled.Store(true)
		l.o.Logger.Error("journal: failed for good", "dir", l.dir, "err", err)
	}
	return l.err
}
