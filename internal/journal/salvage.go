package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Report is what [Check] or [Salvage] found.
type Report struct {
	Segments []SegmentReport // from the oldest to the newest
	// Err is what Open would return: nil where it would open the log.
	Err error
	// Torn says that Open would cut all from the first damage on: it is what a crash left.
	Torn bool
}

// SegmentReport is what was found in one segment.
type SegmentReport struct {
	File      string // name in the directory
	Bytes     int64
	Frames    int64 // that are whole, those behind damage included
	Records   int64 // in them; 0 where they are encrypted with a key that was not given
	Encrypted bool
	KeyID     string // in hexadecimal digits, where it is encrypted
	Damages   []Damage
}

// Damage is a place that holds no whole frame.
type Damage struct {
	Offset, Length int64
	Reason         string
}

func (v *surveyed) report() Report {
	var r Report
	if !v.unborn() {
		_, r.Torn, r.Err = v.verdict()
	}
	for _, s := range v.segments {
		out := SegmentReport{File: segmentName(s.number), Bytes: s.size, Frames: s.frames, Records: s.records}
		if s.headed && s.header.cipher == cipherAES {
			out.Encrypted, out.KeyID = true, fmt.Sprintf("%x", s.header.key)
		}
		for _, d := range s.damages {
			out.Damages = append(out.Damages, Damage{d.offset, d.length, d.reason})
		}
		r.Segments = append(r.Segments, out)
	}
	return r
}

// Check reads the whole log in the directory and changes nothing. It works on a damaged one, and without the key of an
// encrypted one, whose checksums can be told from outside. It returns an error where the directory cannot be read, ErrInUse
// while a process has it open, and ErrNewer. Of the options FS, Key, OldKeys and Progress count.
func Check(dir string, o Options) (Report, error) {
	v, done, err := look(dir, o, nil)
	if err != nil {
		return Report{}, err
	}
	return v.report(), done()
}

// look surveys a directory that nobody has open.
func look(dir string, o Options, each func(uint32, []byte) error) (v *surveyed, done func() error, err error) {
	if o, err = o.withDefaults(); err != nil {
		return nil, nil, err
	}
	keys, err := newKeyring(o.Key, o.OldKeys)
	if err != nil {
		return nil, nil, err
	}
	l := &Log{fs: o.FS, dir: dir}
	lock, err := o.FS.Lock(l.path(lockName), true)
	if errors.Is(err, fs.ErrNotExist) {
		lock, err = io.NopCloser(nil), nil // a copy of the segments alone
	}
	if err == nil {
		if v, err = survey(o.FS, dir, keys, o.Progress, each); err != nil {
			err = errors.Join(err, lock.Close())
		}
	}
	if err != nil {
		return nil, nil, err
	}
	return v, lock.Close, nil
}

// Salvage copies all frames that are whole from the directory into a new log in another one, which must be empty or not
// there yet: those behind damage as well, and those that Open would cut. It changes nothing in the first. The report is
// about the first; what its damages held is missing from the copy, which may bring back what was deleted there. Key
// encrypts the copy; Key and OldKeys read. It returns ErrKey where frames are encrypted with a key that was not given,
// and what Check returns.
func Salvage(from, to string, o Options) (Report, error) {
	r, err := Check(from, o)
	if err != nil {
		return r, err
	}
	if errors.Is(r.Err, ErrKey) {
		return r, r.Err
	}
	if o, err = o.withDefaults(); err != nil {
		return r, err
	}
	names, err := o.FS.Names(to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	if len(names) > 0 {
		return r, fmt.Errorf("journal: %s is not empty", to)
	}
	write := o
	write.Sync, write.Progress, write.ReadOnly, write.MaxDisk = OS, nil, false, 0
	l, err := Open(to, write)
	if err != nil {
		return r, err
	}
	l.Start(still{})
	var b Batch
	_, done, err := look(from, o, func(_ uint32, payload []byte) error {
		b.buf = append(b.buf[:0], payload...)
		_, mark, err := l.Append(&b, Send)
		if err != nil {
			return err
		}
		return l.Wait(mark, true)
	})
	if err == nil {
		err = errors.Join(l.Sync(), done())
	}
	return r, errors.Join(err, l.Close())
}

// still is an owner that knows nothing and lets all live.
type still struct{}

func (still) Committed(uint32, uint64, error) {}
func (still) Carry(uint32) bool               { return false }
