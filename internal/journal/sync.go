package journal

import (
	"fmt"
	"time"
)

// syncLocked brings all that was appended so far to disk and tells the owner. The caller has the sync turn, which ends
// with it; l.mu is released meanwhile. A sync that failed is not tried again: the system may have dropped what it could
// not write, and would report success.
func (l *Log) syncLocked() {
	l.waitWrittenLocked(l.last)
	upto := l.write.done
	l.sync.takeLocked(upto)
	l.syncRotatedLocked()
	if l.err == nil {
		tail, end := l.tail, l.tail.size
		if l.synced.before(position{tail.number, end}) {
			if l.syncedFileLocked(tail) {
				l.synced = position{tail.number, end}
			}
		}
	}
	if l.err == nil {
		l.okSynced = upto
	}
	if l.o.Sync == Always {
		l.settleLocked(upto)
	}
	l.passLocked(&l.sync)
	l.afterWriteLocked()
}

// syncRotatedLocked syncs the segments before the tail, and the directory. Frames that were written meanwhile do not say
// that these are on disk, and may be acknowledged before a frame that does is written: an empty one is written for that.
func (l *Log) syncRotatedLocked() {
	for l.err == nil && (len(l.rotated) > 0 || l.newFile) {
		due, tail, dir := l.rotated, l.tail, l.newFile
		l.rotated, l.newFile = nil, false
		for _, s := range due {
			if !l.syncedFileLocked(s) {
				return
			}
			if err := s.file.Close(); err != nil {
				_ = l.failLocked(fmt.Errorf("closing %s: %w", segmentName(s.number), err))
				return
			}
			s.file = nil
		}
		if dir {
			l.mu.Unlock()
			err := l.fs.SyncDir(l.dir)
			l.mu.Lock()
			if err != nil {
				_ = l.failLocked(fmt.Errorf("syncing the directory: %w", err))
				return
			}
		}
		if p := (position{tail.number, 0}); l.synced.before(p) {
			l.synced = p
			l.proveLocked()
		}
	}
}

// proveLocked writes an empty frame, which says what is on disk.
func (l *Log) proveLocked() {
	if n := len(l.queue); n > 0 {
		l.queue[n-1].sealed = true
	}
	f := l.newFrameLocked(false, false)
	f.sealed = true
	l.waitWrittenLocked(f.mark)
}

// syncedFileLocked syncs the file of a segment, without l.mu, and says whether that went well.
func (l *Log) syncedFileLocked(s *segment) bool {
	file := s.file
	l.mu.Unlock()
	began := time.Now()
	err := file.Sync()
	took := time.Since(began)
	l.mu.Lock()
	if err != nil {
		_ = l.failLocked(fmt.Errorf("syncing %s: %w", segmentName(s.number), err))
		return false
	}
	l.stats.synced(took)
	return true
}

// afterWriteLocked starts what follows from frames that were written: syncs in the background, and cleaning.
func (l *Log) afterWriteLocked() {
	if l.err != nil || l.closing {
		return
	}
	if l.o.Sync == Interval && !l.armed && l.synced.before(position{l.tail.number, l.tail.size}) {
		l.armed = true
		if l.timer == nil {
			l.timer = time.AfterFunc(l.o.Interval, l.intervalEnds)
		} else {
			l.timer.Reset(l.o.Interval)
		}
	}
	if n := len(l.rotated); !l.behind && (n > 1 || n > 0 && l.o.Sync != Always) {
		l.behind = true
		l.workers.Go(l.catchUp)
	}
	l.kickLocked()
}

// catchUp syncs segments that are no longer written, in modes that do not sync for Wait. Without it the operating system
// might bring a later segment to disk and lose an earlier one with the power.
func (l *Log) catchUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.err == nil && len(l.rotated) > 0 {
		l.leadLocked(&l.sync)
		l.syncRotatedLocked()
		l.passLocked(&l.sync)
	}
	l.behind = false
	l.afterWriteLocked()
}

func (l *Log) intervalEnds() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = false
	if l.err == nil && !l.closing {
		_ = l.waitSyncedLocked(l.last)
		l.afterWriteLocked()
	}
}
