package journal

import (
	"math/bits"
	"time"
)

// Stats are figures of a log at one moment.
type Stats struct {
	Bytes    int64 // of all segments
	Live     int64 // weight of all that lives in them
	Reserve  int64 // bytes of the reserve; 0 while it is used up
	Segments int
	// SegmentSize is the size at which a segment ends.
	SegmentSize int64
	Frames      uint64 // written since Open
	Syncs       uint64 // of files since Open
	Removed     uint64 // segments removed since Open
	// SyncP50 and SyncP99 are the times that half, and 99 of 100, syncs took at most, rounded up by less than a quarter.
	SyncP50, SyncP99 time.Duration
	Full             bool  // class Send is refused
	Err              error // why the log failed, nil while it did not
}

type counters struct {
	Frames, Syncs, Removed uint64
	times                  [64 * 4]uint64 // syncs by their time in ns: four steps for each power of two
}

func (c *counters) synced(took time.Duration) {
	c.Syncs++
	c.times[timeStep(took)]++
}

func timeStep(d time.Duration) int {
	n := uint64(max(d, 4))
	e := bits.Len64(n) - 1
	return e*4 + int(n>>(e-2)&3)
}

func (c *counters) quantile(part, of uint64) time.Duration {
	rest := (c.Syncs*part + of - 1) / of
	for i, n := range c.times {
		if rest <= n && n > 0 {
			return time.Duration(uint64(4+i%4+1)<<(i/4)>>2 - 1)
		}
		rest -= n
	}
	return 0
}

// Stats returns the figures of now.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{
		Bytes: l.bytes, Live: l.live, Reserve: l.reserveSize, Segments: len(l.segments), Frames: l.stats.Frames,
		SegmentSize: l.o.SegmentSize, Syncs: l.stats.Syncs, Removed: l.stats.Removed, SyncP50: l.stats.quantile(1, 2), SyncP99: l.stats.quantile(99, 100),
		Full: l.full, Err: l.err,
	}
	return s
}
