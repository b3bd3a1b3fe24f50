// Package journal is an append-only log in a directory. It knows bytes, streams and segments, and nothing of what they
// mean: its owner turns events into records, and records back into its state.
//
// # Files
//
// A log is a row of segments, which are written one after another and removed from the oldest on. A segment is a header
// and a row of frames; a frame is the atomic unit, and holds records of any number of streams. Each frame carries a
// checksum over its content and its place, so that bytes of another place, file or log do not pass, and says up to where
// the log was known to be on disk when it was written.
//
// # Commits
//
// Append copies a [Batch] into the frame that is being built and waits for nothing. Wait sees to it that a frame is
// written and, in mode Always, on disk: the first who waits becomes the leader, writes and syncs for all who came by
// then, and hands the lead to one of those who came since. No goroutine exists while nobody waits and nothing is to be
// cleaned.
//
// # What a crash leaves
//
// After a crash a log holds a prefix of its frames that includes every frame whose Wait returned nil, as far as the mode
// promises. What was torn at the end is cut by Open. Damage before a place that was known to be on disk is reported as
// ErrCorrupt with file and offset and never skipped; [Salvage] copies what is whole.
//
// # Room
//
// Segments in which nothing lives any more are removed. When a log has grown to twice what lives in it, the owner is asked
// to append anew what lives in its oldest segment (see [Owner]). A reserve file keeps room for deletes and for cleaning on
// a full disk.
package journal

import (
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Sync says what Wait waits for.
type Sync uint8

const (
	// Always lets Wait return when the frame is on disk: it outlives the loss of power.
	Always Sync = iota
	// Interval lets Wait return when the frame is written, and syncs every [Options.Interval] while there is something
	// to sync: the loss of power costs at most that time, the end of the process nothing.
	Interval
	// OS lets Wait return when the frame is written, and leaves it to the operating system when that reaches the disk.
	// The end of the process costs nothing.
	OS
)

// Limits of [Options].
const (
	DefaultSegmentSize = 16 << 20
	MinSegmentSize     = 16 << 10
	MaxSegmentSize     = 1 << 30
	// MinMaxDisk is the smallest MaxDisk: sixteen segments of the smallest size.
	MinMaxDisk = 16 * MinSegmentSize
	// MaxBatch is the largest batch that Append takes, in bytes.
	MaxBatch = 256 << 20
	// KeySize is the length of a key in bytes: AES-256.
	KeySize = 32
)

// Options say how a log is kept. The zero value is a log on the operating system's files that syncs always.
type Options struct {
	// FS holds the files. Nil means those of the operating system, [OSFiles].
	FS FS
	// Sync says what Wait waits for. It may differ from one Open to the next.
	Sync Sync
	// Interval is the time between two syncs in mode Interval: more than zero there, ignored elsewhere.
	Interval time.Duration
	// SegmentSize is the size in bytes at which a new segment begins, from MinSegmentSize to MaxSegmentSize. Zero means
	// DefaultSegmentSize, or a sixteenth of MaxDisk where that is less.
	SegmentSize int64
	// MaxDisk is the most that the files of the log take together in bytes, the reserve included, and at least
	// MinMaxDisk. Zero means as much as the disk has.
	MaxDisk int64
	// Key encrypts segments that are begun from now on with AES-256-GCM; it has KeySize bytes. Nil means no encryption.
	// Segments that exist keep the key they were begun with.
	Key []byte
	// OldKeys are further keys, which are used to read only.
	OldKeys [][]byte
	// Logger hears of what was cut at Open, of a full disk and its end, and of failures. Nil means silence.
	Logger *slog.Logger
	// ReadOnly opens the log for Replay alone and changes nothing in the directory, not even a torn tail.
	ReadOnly bool
	// Progress is called during Open with the bytes that were verified and their sum, after each segment. Nil: nobody.
	Progress func(done, total int64)
}

// Record is what Replay hands out.
type Record struct {
	Stream  uint32
	Kind    uint8
	Segment uint32 // the segment that holds it, for Hold and Release
	Data    []byte // valid during the call only
}

// Owner is told by a log what became of the frames, and asked to carry. Its methods are called without any lock of the
// log, and may call Append, Room, Hold, Release and Stats. They must not call Wait, Sync or Close.
type Owner interface {
	// Committed is called once for each stream that was named by [Batch.Settle] in the frame with this mark, when the
	// frame is as durable as the mode promises, or when it is certain that it is not in the log (err is not nil and
	// matches ErrFull) or unknown (err matches ErrFailed). Calls come one at a time, in the order of frames, and before
	// Wait returns for the frame.
	Committed(stream uint32, mark uint64, err error)
	// Carry appends anew, in class Carry, some of what still lives in the segment (about 256 records), and releases it
	// there at once. It leaves out what is about to be deleted, that is, whose delete was appended and is not settled: a
	// delete that is read before what it deletes would be for nothing. It says whether more is left that it could
	// carry. It is called by one goroutine, which exists only while there is something to clean.
	Carry(segment uint32) (more bool)
}

// Log is an open log. Its methods may be called at the same time. Append, Wait and Room may be called from
// [Log.Start] on, Replay and Hold before.
type Log struct {
	fs   FS
	dir  string
	o    Options
	id   logID
	lock io.Closer // nil in a read-only directory without a lock file
	keys keyring

	mu      sync.Mutex // guards everything below
	owner   Owner      // nil until Start
	err     error      // why the log failed for good
	closing bool       // Close was called
	workers sync.WaitGroup

	segments []*segment // oldest first, without a gap; the last ones may not have a file yet
	tail     *segment   // the newest that has a file; its size is changed by the holder of the write turn alone
	bytes    int64      // size of all files of segments
	pending  int64      // bytes of frames that are not written yet
	live     int64      // weight of all that lives
	rotate   bool       // the next frame begins a segment, whatever its size

	queue     []*frame     // frames to be written, in order; the last may still be built
	last      uint64       // mark of the newest frame
	blocked   uint64       // mark of a frame of class Carry that found no room and is tried again first; 0: none
	lost      spans        // marks of frames that found no room
	unsettled []settlement // what Committed is still to be called for, in order
	free      []*frame     // to be used again, as are
	written   []*frame     // the queue before this one
	settled   []settlement // what was unsettled before
	streams   [][]uint32   // of settlements

	sums  sums // belongs to the holder of the write turn
	write turn // to write frames
	sync  turn // to sync files and, in mode Always, to settle frames

	okWritten uint64 // marks up to here were written before the log failed, if it did
	okSynced  uint64 // and up to here synced
	okSettled uint64 // and for up to here the owner was told of success

	synced  position   // all before it is on disk
	rotated []*segment // segments before the tail that have unsynced bytes, in order, their files open
	newFile bool       // a segment was made since the directory was last synced
	timer   *time.Timer
	armed   bool // the timer of mode Interval runs
	behind  bool // a goroutine syncs rotated segments

	troubled    atomic.Bool // full, failed or closing: read without mu by Room, so that it costs next to nothing
	full        bool        // the reserve is cut: nothing is taken in class Send
	reserve     File        // nil where it could not be made yet; belongs to the holder of the write turn
	reserveSize int64
	lastTry     time.Time
	cleaning    bool
	roomier     bool  // a segment was removed since the reserve was last tried
	largest     int64 // size of the largest segment
	stalled     stall
	density     density
	pass        pass
	making      bool          // room, since it was short
	died        int64         // weight that was released, but for what was carried, and bytes without a weight; from 1
	turned      int64         // died when the only segment was last followed by another one
	progress    chan struct{} // closed when the cleaner removed a segment, or ended
	proven      bool          // the newest frame is empty and says that all before it is on disk

	stats counters
}

// position is a place in the log.
type position struct {
	segment uint32
	offset  int64
}

func (p position) before(o position) bool {
	return p.segment < o.segment || p.segment == o.segment && p.offset < o.offset
}

func (o Options) withDefaults() (Options, error) {
	if o.FS == nil {
		o.FS = OSFiles()
	}
	if o.Sync > OS {
		return o, fmt.Errorf("journal: Sync is %d, want 0 (Always) to %d (OS)", o.Sync, OS)
	}
	if o.Sync == Interval && o.Interval <= 0 {
		return o, fmt.Errorf("journal: Interval is %v, want more than 0", o.Interval)
	}
	if o.MaxDisk != 0 && o.MaxDisk < MinMaxDisk {
		return o, fmt.Errorf("journal: MaxDisk is %d, want 0 or at least %d", o.MaxDisk, int64(MinMaxDisk))
	}
	if o.SegmentSize == 0 {
		o.SegmentSize = DefaultSegmentSize
		if o.MaxDisk > 0 {
			o.SegmentSize = min(DefaultSegmentSize, o.MaxDisk/16)
		}
	}
	if o.SegmentSize < MinSegmentSize || o.SegmentSize > MaxSegmentSize {
		return o, fmt.Errorf("journal: SegmentSize is %d, want %d to %d", o.SegmentSize, MinSegmentSize, MaxSegmentSize)
	}
	if o.MaxDisk != 0 && o.MaxDisk < 8*o.SegmentSize {
		return o, fmt.Errorf("journal: MaxDisk is %d, want at least eight segments of %d bytes", o.MaxDisk, o.SegmentSize)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// frameLimit is the size at which a frame is closed and the next one begun. A batch is never divided.
func (l *Log) frameLimit() int { return int(min(1<<20, l.o.SegmentSize/4)) }
