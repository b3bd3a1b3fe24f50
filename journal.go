package inq

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/inq/internal/journal"
)

// Journal keeps queues over the end of the process: what was accepted is there after a crash, and after a
// power cut as far as its mode says. Open one with [OpenJournal], and give it to queues by [WithJournal]; one
// journal serves any number of queues, and what all of them do at the same time shares one sync of the disk.
// All methods are safe for concurrent use.
//
// A queue with a journal behaves like any other, with these exceptions:
//
//   - A message can be received when it is kept and not before, and it is gone when its delete is kept.
//   - Send, SendBatch, Delete, DeleteBatch, DeleteAll, Bury and Purge wait until what they did is as safe as
//     the mode of the journal says ([SyncMode]). Receive, ChangeVisibility and Return wait until it is
//     written, which a crash of the process does not undo, and never for the disk. The end of a call's
//     context does not end that wait: whether the call took place could not be told then.
//   - While there is no room, sends fail with [ErrJournalFull], and their messages never were in the queue.
//     Receives, changes and deletes go on from a reserve. When that is used up they fail with ErrJournalFull
//     as well, and a message that was about to be received or deleted comes back after its timeout. When
//     there is room again, all goes on by itself.
//   - Once a write or a sync failed, everything fails with [ErrJournalFailed] for good, receives that wait
//     too; Counts, Stats and Messages still answer. What the disk really has is known when the journal is
//     opened anew. A send or delete that returned this error may have taken place.
//   - Close leaves the messages in the journal instead of dropping them.
//
// Kept are messages with all that is known of them, receipt handles, delays, visibility timeouts, receive
// counts and the deduplication window of FIFO queues. Not kept are receive attempt ids, move tasks, events
// and [Stats], which begin anew, and the options of a queue, which are in the program.
type Journal struct {
	log       *journal.Log
	release   bool        // what was in flight is visible at once when a queue is opened for the first time
	onFailure func(error) // tells the queues
	base      uint64

	failed atomic.Bool // queues were told
	cursor carryCursor // of the one goroutine that carries

	mu      sync.Mutex // guards everything below, and is never taken under the lock of a queue or a stream
	streams map[string]*stream
	next    uint32 // number of the next stream
	based   uint32 // segment that holds the base
	closed  bool

	byNumber sync.Map // of the streams, for those who hold locks
}

// A JournalOption configures a [Journal].
type JournalOption interface{ applyJournal(*journalSettings) }

type journalOption func(*journalSettings)

func (o journalOption) applyJournal(s *journalSettings) { o(s) }

type journalSettings struct {
	journal.Options
	release bool
}

// A SyncMode says what a call waits for before it returns.
type SyncMode uint8

// The modes of a journal. In each of them nothing is lost when the process ends, however it ends.
const (
	// SyncAlways is the default: what waits to be safe returns when the disk has it. A power cut loses
	// nothing that was acknowledged. Calls that are under way at the same time share one sync.
	SyncAlways SyncMode = iota
	// SyncOS leaves it to the operating system when the disk gets what was written, on Linux within about
	// 30 seconds. A power cut loses what came last, and what is left is without a gap.
	SyncOS
)

// WithSync sets the mode of the journal. Default [SyncAlways].
func WithSync(m SyncMode) JournalOption {
	return journalOption(func(s *journalSettings) {
		s.Sync = journal.Always
		if m != SyncAlways {
			s.Sync = journal.OS
		}
		if m > SyncOS {
			s.Sync = journal.Sync(255) // refused by OpenJournal
		}
	})
}

// WithSyncInterval has the disk synced every d while there is something to sync, and no call waits for that:
// a power cut loses what came in the last d at most. It takes the place of [WithSync]. d must be more than 0.
func WithSyncInterval(d time.Duration) JournalOption {
	return journalOption(func(s *journalSettings) { s.Sync, s.Interval = journal.Interval, d })
}

// WithSegmentSize sets the size in bytes of the files that the journal consists of, from 16 KiB to 1 GiB. 0,
// the default, is 16 MiB, or a sixteenth of what [WithMaxDisk] says where that is less. Room comes back in
// steps of this size, and the reserve is a third larger than one file.
func WithSegmentSize(bytes int64) JournalOption {
	return journalOption(func(s *journalSettings) { s.SegmentSize = bytes })
}

// WithMaxDisk bounds what the journal takes of the disk, its reserve included: beyond it sends are refused
// with [ErrJournalFull]. It must be at least 256 KiB, and eight files of [WithSegmentSize]. 0, the default, is
// as much as the disk has.
func WithMaxDisk(bytes int64) JournalOption {
	return journalOption(func(s *journalSettings) { s.MaxDisk = bytes })
}

// WithJournalKey encrypts what is written from now on with AES-256-GCM under a key of 32 bytes. Old keys are
// those that files still in the directory were written with; what lives in such files stays under the old key
// until they are removed. Without its key a journal is not opened: [ErrJournalKey]. A nil key, the default,
// does not encrypt.
func WithJournalKey(key []byte, old ...[]byte) JournalOption {
	return journalOption(func(s *journalSettings) { s.Key, s.OldKeys = key, old })
}

// WithJournalLogger has l told of what an administrator wants to know: what a crash left torn and was cut, a
// full disk and its end, a failure. The default, and nil, is nobody.
func WithJournalLogger(l *slog.Logger) JournalOption {
	return journalOption(func(s *journalSettings) { s.Logger = l })
}

// WithJournalProgress has f called while OpenJournal reads, after each file, with the bytes read so far and
// the bytes of all files. The default, and nil, is nobody.
func WithJournalProgress(f func(done, total int64)) JournalOption {
	return journalOption(func(s *journalSettings) { s.Progress = f })
}

// WithReleaseOnOpen makes messages visible that were in flight when the process ended, as if their visibility
// timeouts had passed in that moment; the receives count. It is for programs whose consumers are in the
// process and are known to be dead. Without it such a message is visible when its timeout is over.
func WithReleaseOnOpen() JournalOption {
	return journalOption(func(s *journalSettings) { s.release = true })
}

// InMemory keeps the files of the journal in memory, for as long as the value is: OpenJournal finds in it what
// an earlier journal with the same value left, whatever directory it is given, "" among them. It is for
// tests, in a [testing/synctest] bubble too.
func InMemory() JournalOption {
	fs := journal.Memory()
	return journalOption(func(s *journalSettings) { s.FS = fs })
}

// OpenJournal opens the journal in a directory, which it makes where there is none. It reads all of it, and
// what the process before left torn at the end it cuts. It needs no room on the disk. Queues get their
// messages when they are made with [WithJournal].
//
// It returns [ErrJournalInUse] at once where another process, or another Journal of this one, has the directory
// open; [ErrJournalCorrupt] with file and offset where the journal is damaged; [ErrJournalKey] where a key is
// missing or wrong; [ErrJournalVersion] where a later version wrote it; [ErrMissingParameter] where the directory is
// ""; [ErrInvalidParameter] for an option out of range; and errors of the file system with the path. Then nothing was changed.
func OpenJournal(dir string, opts ...JournalOption) (*Journal, error) {
	var s journalSettings
	for _, o := range opts {
		if o != nil {
			o.applyJournal(&s)
		}
	}
	if dir == "" && s.FS == nil {
		return nil, &ParamError{Err: ErrMissingParameter, Param: "Directory", Reason: "only a journal InMemory has none"}
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	log, err := journal.Open(dir, s.Options)
	if err != nil {
		return nil, openError(dir, err)
	}
	j := &Journal{log: log, release: s.release, streams: map[string]*stream{}}
	j.onFailure = journalOwner{j}.tellFailure
	if err := j.replay(); err != nil {
		_ = log.Close()
		return nil, openError(dir, err)
	}
	log.Start(journalOwner{j})
	if err := j.begin(); err != nil {
		_ = log.Close()
		return nil, openError(dir, err)
	}
	return j, nil
}

// check refuses options out of range.
func (s *journalSettings) check() error {
	refuse := func(param string, value, least, most any, reason string) error {
		return &ParamError{Err: ErrInvalidParameter, Param: param, Value: value, Min: least, Max: most, Reason: reason}
	}
	segment := s.SegmentSize
	if segment == 0 {
		segment = journal.DefaultSegmentSize
		if s.MaxDisk > 0 {
			segment = min(segment, s.MaxDisk/16)
		}
	}
	switch {
	case s.Sync > journal.OS:
		return refuse("WithSync", nil, nil, nil, "must be SyncAlways or SyncOS")
	case s.Sync == journal.Interval && s.Interval <= 0:
		return refuse("WithSyncInterval", s.Interval, time.Duration(1), nil, "")
	case s.SegmentSize != 0 && (s.SegmentSize < journal.MinSegmentSize || s.SegmentSize > journal.MaxSegmentSize):
		return refuse("WithSegmentSize", s.SegmentSize, int64(journal.MinSegmentSize), int64(journal.MaxSegmentSize), "bytes; or 0")
	case s.MaxDisk != 0 && s.MaxDisk < max(journal.MinMaxDisk, 8*segment):
		return refuse("WithMaxDisk", s.MaxDisk, max(journal.MinMaxDisk, 8*segment), nil, "bytes; or 0")
	}
	for _, key := range append([][]byte{s.Key}, s.OldKeys...) {
		if key != nil && len(key) != journal.KeySize {
			return refuse("WithJournalKey", nil, nil, nil, fmt.Sprintf("a key has %d bytes, not %d", journal.KeySize, len(key)))
		}
	}
	return nil
}

// begin writes down from where messages are numbered from now on.
func (j *Journal) begin() error {
	mark, err := j.writeBase()
	if err == nil {
		err = j.log.Wait(mark, true)
	}
	if err == nil {
		err = j.log.Sync()
	}
	return err
}

// writeBase writes the record of that. The log may be cleaning already, and carry the old one.
func (j *Journal) writeBase() (mark uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var b journal.Batch
	b.End(appendBase(b.Begin(0, recordBase), j.base, j.next), baseWeight)
	// Of the class that may use all of the reserve: opening needs no room, and is how room is made again.
	segment, mark, err := j.log.Append(&b, journal.Carry)
	if err != nil {
		return 0, err
	}
	if j.based != 0 {
		j.log.Release(j.based, baseWeight)
	}
	j.based = segment
	return mark, nil
}

// WithJournal has the queue kept in j; see [Journal] for what that changes. The default is none. If j has a
// queue of this name and type, the new queue has its messages; what was due meanwhile happens at once: a
// message whose retention has passed is gone.
//
// NewStandard and NewFIFO refuse a nil j with [ErrMissingParameter], as where the error of [OpenJournal] was
// missed; with [ErrInvalidParameter] while another queue of this name is open in j; with [ErrClosed] after
// Close of j; and for a queue that j does not have yet with [ErrJournalFull] and
// [ErrJournalFailed]. Configure refuses it. For queues of a broker there is [WithBrokerJournal].
//
// Close, and Close of the journal, leave the messages in the journal, from where the queue has them when it
// is made again; [Journal.Drop] removes them.
func WithJournal(j *Journal) Option {
	return option(func(p *patch) { p.journal, p.set = j, p.set|setJournal })
}

// Queues returns what the journal has, whether it is open or not, in byte order: the names of queues that
// belong to no broker, and the ARNs of those of brokers. Drop takes the same.
func (j *Journal) Queues() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var names []string
	for arn, s := range j.streams {
		if s.objects == nil {
			names = append(names, shownName(arn))
		}
	}
	slices.Sort(names)
	return names
}

// bareARN is what ARNs of queues begin with that belong to no broker.
var bareARN = queueARN(localRegion, localAccount, "")

func shownName(arn string) string { return strings.TrimPrefix(arn, bareARN) }

// Drop removes a queue that is not open, with its messages, and returns when that is as safe as the mode of
// the journal says. It is refused with [ErrQueueDoesNotExist] where the journal has no such queue, with
// [ErrInvalidParameter] where it is open, with [ErrClosed] after Close, and with [ErrJournalFull] and
// [ErrJournalFailed] where it cannot be written down.
func (j *Journal) Drop(name string) error {
	arn := name
	if !strings.HasPrefix(arn, "arn:") {
		arn = bareARN + name
	}
	return j.drop(arn)
}

func (j *Journal) drop(arn string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.streams[arn]
	switch {
	case j.closed:
		return ErrClosed
	case s == nil || s.objects != nil:
		return &ParamError{Err: ErrQueueDoesNotExist, Param: "QueueName", Value: shownName(arn)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue.Load() != nil {
		return &ParamError{Err: ErrInvalidParameter, Param: "QueueName", Value: shownName(arn), Reason: "is open; close it first"}
	}
	var b journal.Batch
	b.End(appendDrop(b.Begin(0, recordDrop), s.number), 0)
	_, mark, err := j.log.Append(&b, journal.Delete)
	if err == nil {
		err = j.log.WaitUnderLock(mark)
	}
	if err != nil {
		return j.asError(err)
	}
	s.dropped = true
	s.release(j.log)
	delete(j.streams, arn)
	j.byNumber.Delete(s.number)
	return nil
}

// JournalStats are figures of a journal at one moment. Counts and times are those of this opening, times are
// 0 before the first sync.
type JournalStats struct {
	Bytes    int64         // of its files, without the reserve
	Live     int64         // of them what is still needed, about
	Reserve  int64         // bytes kept free for deletes on a full disk; 0 while they are used up
	Segments int           // files
	Commits  uint64        // since it was opened; what many calls wrote at once counts once
	Syncs    uint64        // since it was opened
	SyncP50  time.Duration // half of the syncs took no longer
	SyncP99  time.Duration // 99 of 100 syncs took no longer
	Full     bool          // sends are refused with ErrJournalFull
	Err      error         // why the journal failed for good; nil: it did not
}

// Stats returns the figures as they are now. It works after Close too.
func (j *Journal) Stats() JournalStats {
	s := j.log.Stats()
	out := JournalStats{Bytes: s.Bytes, Live: s.Live, Reserve: s.Reserve, Segments: s.Segments, Commits: s.Frames, Syncs: s.Syncs,
		SyncP50: s.SyncP50, SyncP99: s.SyncP99, Full: s.Full}
	if s.Err != nil {
		out.Err = journalError(s.Err)
	}
	return out
}

// Close closes all queues that are open, as their own Close does, brings everything to disk in every mode,
// and gives the directory free. It returns what went wrong with that: [ErrJournalFailed], or [ErrJournalFull]
// where the last words about a queue found no room. It can be called again, and returns nil then.
func (j *Journal) Close() error {
	j.mu.Lock()
	closed := j.closed
	j.closed = true
	j.mu.Unlock()
	if closed {
		return nil
	}
	var err error
	for _, q := range j.openQueues() {
		err = errors.Join(err, q.end(ErrClosed))
	}
	if lost := j.log.Close(); err == nil && lost != nil {
		err = journalError(lost)
	}
	return err
}
