package journal

import (
	"errors"
	"fmt"
	"path"
	"slices"
)

// surveyed is what was found in a directory.
type surveyed struct {
	id        logID
	segments  []surveyedSegment // by number
	encrypted bool              // at least one of them is
	known     position          // all before it was on disk, as the frames say
}

type surveyedSegment struct {
	number  uint32
	refused error // why its frames cannot be read: a key that is missing
	size    int64
	header  segmentHeader
	headed  bool // the header is whole, and that of this segment
	end     int64
	proven  bool  // the last frame before end is empty, and says that all before it was on disk
	foreign bool  // the header is whole, but that of another segment
	frames  int64 // those behind damage included
	records int64
	damages []damage
}

// damage is a place without a whole frame, up to the next whole frame or the end of the segment.
type damage struct {
	offset, length int64
	reason         string
}

// survey reads all segments of the directory. It returns an error where one cannot be read for another reason than
// damage. each is called for every whole frame with the segment and the decrypted payload, unless it is nil.
func survey(files FS, dir string, keys keyring, progress func(done, total int64), each func(number uint32, payload []byte) error) (*surveyed, error) {
	names, err := files.Names(dir)
	if err != nil {
		return nil, err
	}
	v := &surveyed{}
	for _, name := range names {
		if number, ok := segmentNumber(name); ok {
			v.segments = append(v.segments, surveyedSegment{number: number})
		}
	}
	slices.SortFunc(v.segments, func(a, b surveyedSegment) int { return int(int64(a.number) - int64(b.number)) })
	var done, total int64
	for i := range v.segments {
		s := &v.segments[i]
		err := reading(files, dir, s.number, func(f File) error { return v.readHeader(s, f, keys) })
		if err != nil {
			return nil, err
		}
		total += s.size
	}
	var buf []byte
	for i := range v.segments {
		s := &v.segments[i]
		err := reading(files, dir, s.number, func(f File) (err error) {
			buf, err = v.readFrames(s, f, keys, buf, each)
			return err
		})
		if err != nil {
			return nil, err
		}
		if done += s.size; progress != nil {
			progress(done, total)
		}
	}
	return v, nil
}

// reading opens a segment for as long as f runs: a log has more segments than a process may have files.
func reading(files FS, dir string, number uint32, f func(File) error) error {
	file, err := files.Open(path.Join(dir, segmentName(number)), false)
	if err != nil {
		return err
	}
	return errors.Join(f(file), file.Close())
}

func (v *surveyed) readHeader(s *surveyedSegment, f File, keys keyring) (err error) {
	name := segmentName(s.number)
	if s.size, err = f.Size(); err != nil {
		return err
	}
	sc := scanner{file: f, size: s.size}
	b, err := sc.window(0, segmentHead)
	if err != nil {
		return err
	}
	s.header, s.headed = parseSegmentHeader(b)
	reason := ""
	switch h := s.header; {
	case !s.headed:
		reason = "the header of the segment is not whole"
	case h.version > formatVersion || h.cipher > cipherAES:
		return fmt.Errorf("%w: %s has version %d and cipher %d, known are %d and %d", ErrNewer, name, h.version, h.cipher,
			formatVersion, cipherAES)
	case h.number != uint64(s.number):
		reason = fmt.Sprintf("the header is that of segment %d", h.number)
	case v.id != logID{} && v.id != h.id:
		reason = "the segment belongs to another log"
	case h.cipher == cipherAES && keys.byID[h.key] == nil && len(keys.byID) == 0:
		s.refused = fmt.Errorf("%w: %s is encrypted and no key was given", ErrKey, name)
	case h.cipher == cipherAES && keys.byID[h.key] == nil:
		s.refused = fmt.Errorf("%w: %s is encrypted with the key of id %x, which was not given", ErrKey, name, h.key)
	}
	if reason != "" {
		s.foreign, s.headed = s.headed, false
		s.damages = append(s.damages, damage{0, min(segmentHead, s.size), reason})
		return nil
	}
	v.id = s.header.id
	v.encrypted = v.encrypted || s.header.cipher == cipherAES
	return nil
}

func (v *surveyed) readFrames(s *surveyedSegment, f File, keys keyring, buf []byte, each func(uint32, []byte) error) ([]byte, error) {
	sc := scanner{file: f, size: s.size, place: place(v.id, s.number), offset: segmentHead, buf: buf[:0], at: -1}
	s.end = segmentHead
	if !s.headed {
		s.end = 0
		if v.id == (logID{}) || s.foreign {
			return buf, nil // frames cannot be told without the id of the log
		}
	}
	open := v.opener(s, keys)
	s.proven = true // nothing is left to be proven where there is no frame
	for sc.offset < s.size {
		at := sc.offset
		h, payload, ok, err := sc.next()
		if err != nil {
			return sc.buf, err
		}
		if !ok {
			next, err := sc.search(at + 1)
			if err != nil {
				return sc.buf, err
			}
			if next < 0 {
				next = s.size
			}
			s.damages = append(s.damages, damage{at, next - at, "no whole frame"})
			sc.offset = next
			continue
		}
		if p := claimed(h.synced, s.number); v.known.before(p) {
			v.known = p
		}
		n := int64(0)
		if s.refused == nil && len(payload) > 0 {
			plain, reason := open(payload, at)
			if reason == "" {
				var whole bool
				whole, err = records(plain, func(uint32, uint8, []byte) error { n++; return nil })
				if !whole || err != nil {
					reason = "the records of the frame are not whole"
				}
			}
			if reason != "" { // no crash leaves that
				s.damages = append(s.damages, damage{at, sc.offset - at, reason})
				v.known = position{s.number, sc.offset}
				continue
			}
			if each != nil {
				if err := each(s.number, plain); err != nil {
					return sc.buf, err
				}
			}
		}
		s.records += n
		s.frames++
		if len(s.damages) == 0 {
			s.end = sc.offset
			s.proven = h.length == 0 && claimed(h.synced, s.number) == position{s.number, at}
		}
	}
	return sc.buf, nil
}

// opener returns what decrypts the payloads of a segment. Where the header is lost, every key is tried, and what no key opens
// is taken for plain only in a log without encryption.
func (v *surveyed) opener(s *surveyedSegment, keys keyring) func(payload []byte, at int64) (plain []byte, reason string) {
	var ciphers []*payloadCipher
	if s.headed && s.header.cipher == cipherAES {
		if s.refused == nil {
			ciphers = append(ciphers, newPayloadCipher(keys.byID[s.header.key], v.id, s.number))
		}
	} else if !s.headed {
		for _, key := range keys.byID {
			ciphers = append(ciphers, newPayloadCipher(key, v.id, s.number))
		}
	}
	return func(payload []byte, at int64) ([]byte, string) {
		for _, c := range ciphers {
			if plain, err := c.open(payload, s.number, at); err == nil {
				return plain, ""
			}
		}
		if s.headed && len(ciphers) > 0 || !s.headed && v.encrypted {
			return nil, "the frame is whole, but was not encrypted with its key"
		}
		return payload, ""
	}
}

// unborn says that no log was made here yet, or that a crash interrupted that.
func (v *surveyed) unborn() bool {
	return len(v.segments) == 0 ||
		len(v.segments) == 1 && v.segments[0].number == 1 && !v.segments[0].headed && v.segments[0].size <= segmentHead
}

// after returns the segment that follows the one of this index, if it is there and has a header.
func (v *surveyed) after(i int) *surveyedSegment {
	if i+1 < len(v.segments) && v.segments[i+1].headed && v.segments[i+1].number == v.segments[i].number+1 {
		return &v.segments[i+1]
	}
	return nil
}

// verdict finds the first place that is not whole. It returns torn where a crash can have left it: no whole frame
// anywhere says that the place was on disk. Otherwise the log is damaged.
func (v *surveyed) verdict() (bad position, torn bool, err error) {
	if v.unborn() {
		return bad, false, nil
	}
	for _, s := range v.segments {
		if s.refused != nil {
			return bad, false, s.refused
		}
	}
	return v.firstBad()
}

func (v *surveyed) firstBad() (bad position, torn bool, err error) {
	for i, s := range v.segments {
		want := v.segments[0].number + uint32(i)
		next := v.after(i)
		switch {
		case s.number != want:
			bad = position{want, 0}
			err = &CorruptError{segmentName(want), 0, "the segment is missing"}
		case len(s.damages) > 0:
			bad = position{s.number, s.damages[0].offset}
			err = &CorruptError{segmentName(s.number), bad.offset, s.damages[0].reason}
		case next != nil && next.header.before != s.size:
			bad = position{s.number, min(s.size, max(next.header.before, segmentHead))}
			err = &CorruptError{segmentName(s.number), bad.offset,
				fmt.Sprintf("the segment has %d bytes, and had %d when the next one was begun", s.size, next.header.before)}
		default:
			continue
		}
		// The header of the oldest segment is on disk before anything else is written.
		if bad.before(v.known) || i == 0 && bad.offset == 0 || s.foreign {
			return bad, false, err
		}
		return bad, true, nil
	}
	return bad, false, nil
}
