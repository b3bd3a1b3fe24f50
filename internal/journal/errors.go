package journal

import (
	"errors"
	"fmt"
)

var (
	// ErrInUse is returned by Open when another process, or another Log of this one, has the directory open.
	ErrInUse = errors.New("journal: the directory is in use")
	// ErrCorrupt is returned when the log is damaged at a place that was on disk. The error is a [CorruptError].
	ErrCorrupt = errors.New("journal: the log is damaged")
	// ErrNewer is returned by Open when a segment has a format that this version does not know.
	ErrNewer = errors.New("journal: the format is newer than this version knows")
	// ErrKey is returned by Open when a segment is encrypted with a key that was not given.
	ErrKey = errors.New("journal: the key is missing or wrong")
	// ErrFull is returned when there is no room, on the disk or within MaxDisk.
	ErrFull = errors.New("journal: the disk is full")
	// ErrFailed is returned for good after a write or a sync failed. What became of frames that were not
	// acknowledged is known only after the next Open.
	ErrFailed = errors.New("journal: writing failed")
	// ErrClosed is returned by calls on a log that was closed.
	ErrClosed = errors.New("journal: closed")
	// ErrReadOnly is returned by calls that would write, on a log that was opened read-only.
	ErrReadOnly = errors.New("journal: opened read-only")
	// ErrTooLarge is returned for a batch of more than MaxBatch bytes.
	ErrTooLarge = errors.New("journal: the batch is too large")
)

// CorruptError says where a log is damaged. It matches ErrCorrupt.
type CorruptError struct {
	File   string // name of the segment's file in its directory
	Offset int64  // of the first frame that is damaged; 0 for the header of the segment
	Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%v: %s at offset %d: %s", ErrCorrupt, e.File, e.Offset, e.Reason)
}

// Unwrap makes the error match ErrCorrupt.
func (e *CorruptError) Unwrap() error { return ErrCorrupt }
