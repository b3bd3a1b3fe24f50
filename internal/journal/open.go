package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Open opens the log in the directory, which is made where it does not exist, and locks it: a second Open, in this
// process or another, returns ErrInUse at once. It reads and verifies every frame, and cuts what a crash left torn at the
// end. It needs no free space.
//
// It returns an error that matches ErrCorrupt where the log is damaged at a place that was on disk, ErrNewer for a format of
// a later version, ErrKey where a key is missing, and otherwise what the file system said; the directory is then as it
// was before.
//
// The log takes records after [Log.Start].
func Open(dir string, o Options) (*Log, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	keys, err := newKeyring(o.Key, o.OldKeys)
	if err != nil {
		return nil, err
	}
	l := &Log{fs: o.FS, dir: dir, o: o, keys: keys, died: 1}
	if err := l.open(); err != nil {
		l.closeFiles()
		return nil, err
	}
	return l, nil
}

func (l *Log) open() (err error) {
	if l.o.ReadOnly {
		if l.lock, err = l.fs.Lock(l.path(lockName), true); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	} else {
		if err = l.fs.MakeDir(l.dir); err != nil {
			return err
		}
		if l.lock, err = l.fs.Lock(l.path(lockName), false); err != nil {
			return err
		}
	}
	v, err := survey(l.fs, l.dir, l.keys, l.o.Progress, nil)
	if err != nil {
		return err
	}
	bad, torn, err := v.verdict()
	if err != nil {
		return err
	}
	if l.o.ReadOnly {
		l.adopt(v, bad, torn)
		return nil
	}
	if v.unborn() {
		return l.create(v)
	}
	if torn {
		if err := l.cut(v, bad); err != nil {
			return err
		}
	}
	l.adopt(v, bad, torn)
	return l.resume(v)
}

// create makes the first segment. A file that an earlier try left is none yet.
func (l *Log) create(v *surveyed) error {
	for _, s := range v.segments {
		if err := l.fs.Remove(l.path(segmentName(s.number))); err != nil {
			return err
		}
	}
	_, _ = rand.Read(l.id[:]) // never fails
	first := l.newSegment(1)
	if err := l.begin(first); err != nil {
		return err
	}
	l.segments = append(l.segments, first)
	if err := first.file.Sync(); err != nil {
		return err
	}
	if err := l.fs.SyncDir(l.dir); err != nil {
		return err
	}
	l.newFile, l.proven = false, true
	l.synced = position{first.number, first.size}
	return l.openReserve()
}

// cut removes all from the place on. The newest segments go first, so that a crash in between leaves a log that is torn at
// the same place.
func (l *Log) cut(v *surveyed, at position) error {
	var cut int64
	removed := false
	for _, s := range slices.Backward(v.segments) {
		if s.number < at.segment || s.number == at.segment && at.offset > 0 {
			break
		}
		cut, removed = cut+s.size, true
		if err := l.fs.Remove(l.path(segmentName(s.number))); err != nil {
			return err
		}
	}
	if removed {
		if err := l.fs.SyncDir(l.dir); err != nil {
			return err
		}
	}
	for _, s := range v.segments {
		if s.number == at.segment && at.offset > 0 {
			cut += s.size - at.offset
			f, err := l.fs.Open(l.path(segmentName(s.number)), true)
			if err != nil {
				return err
			}
			err = f.Truncate(at.offset)
			if err == nil {
				err = f.Sync()
			}
			if err = errors.Join(err, f.Close()); err != nil {
				return err
			}
		}
	}
	l.o.Logger.Warn("journal: cut what a crash left torn at the end", "dir", l.dir,
		"file", segmentName(at.segment), "offset", at.offset, "bytes", cut)
	return nil
}

// adopt takes over the segments that are whole.
func (l *Log) adopt(v *surveyed, bad position, torn bool) {
	l.id = v.id
	for _, s := range v.segments {
		at := position{s.number, 0}
		if torn && !at.before(bad) {
			break
		}
		end := s.end
		if torn && s.number == bad.segment {
			end = min(end, bad.offset)
		}
		seg := &segment{number: s.number, size: end, planned: end, place: place(v.id, s.number)}
		if s.header.cipher == cipherAES {
			seg.cipher = newPayloadCipher(l.keys.byID[s.header.key], v.id, s.number)
		}
		l.segments = append(l.segments, seg)
		l.bytes += end
		l.largest = max(l.largest, end)
		l.proven = s.proven && end == s.end
	}
	if n := len(l.segments); n > 0 {
		l.tail = l.segments[n-1]
	}
}

// resume makes the log ready to go on at its end. What the last process wrote may not be on disk yet, although it was
// read: it is brought there, since frames to come say that it is.
func (l *Log) resume(v *surveyed) error {
	for _, s := range l.segments {
		if s != l.tail && s.number < v.known.segment {
			continue
		}
		f, err := l.fs.Open(l.path(segmentName(s.number)), true)
		if err != nil {
			return err
		}
		if s == l.tail {
			s.file = f
		}
		if err := f.Sync(); err != nil {
			return err
		}
		if s != l.tail {
			if err := f.Close(); err != nil {
				return err
			}
		}
	}
	if err := l.fs.SyncDir(l.dir); err != nil {
		return err
	}
	l.synced = position{l.tail.number, l.tail.size}
	if (l.tail.cipher == nil) != (l.keys.current == nil) || l.tail.cipher != nil && l.tail.cipher.key != l.keys.id {
		l.rotate = true
	}
	return l.openReserve()
}

// Replay calls f for every record, from the oldest to the newest, and returns the first error of f. It may be called
// more than once, before [Log.Start].
func (l *Log) Replay(f func(r Record) error) error {
	for _, s := range l.segments {
		err := reading(l.fs, l.dir, s.number, func(file File) error { return l.replaySegment(s, file, f) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) replaySegment(s *segment, file File, f func(r Record) error) error {
	sc := scanner{file: file, size: s.size, place: s.place, offset: segmentHead}
	for sc.offset < s.size {
		at := sc.offset
		_, payload, ok, err := sc.next()
		if err != nil {
			return err
		}
		if ok && s.cipher != nil && len(payload) > 0 {
			payload, err = s.cipher.open(payload, s.number, at)
			ok = err == nil
		}
		if !ok {
			return &CorruptError{segmentName(s.number), at, "the frame changed since the log was opened"}
		}
		whole, err := records(payload, func(stream uint32, kind uint8, data []byte) error {
			return f(Record{stream, kind, s.number, data})
		})
		if err != nil {
			return err
		}
		if !whole {
			return &CorruptError{segmentName(s.number), at, "the records of the frame are not whole"}
		}
	}
	return nil
}

// Start ends the time of Replay and Hold: from now on records are taken, the owner is told of frames, and segments in
// which nothing lives are removed.
func (l *Log) Start(owner Owner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owner = owner
	l.kickLocked()
}

// Hold says that something read by Replay lives in the segment, as [Batch.End] does for what is appended.
func (l *Log) Hold(segment uint32, weight int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.segmentLocked(segment)
	if s == nil {
		panic(fmt.Sprintf("bug: Hold in segment %d, which the log does not have", segment))
	}
	s.live += weight
	l.live += weight
}
