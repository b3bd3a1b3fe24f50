package worker

import (
	"math/bits"
	"time"
)

// Stats is what a Runner has done since it was made, and does now. Every message received ends in
// one of the outcomes, so that Received is their sum plus what is still in hand: running, waiting,
// or about to be deleted.
type Stats struct {
	Received uint64 // messages; one that came several times counts each time

	// Outcomes.
	Succeeded uint64 // processed and deleted
	Failed    uint64 // to be tried again after the backoff, or after what RetryAfter said
	Snoozed   uint64 // by Snooze
	Buried    uint64 // handed to the dead letters: by Bury, WithMaxAttempts, or a body that does not decode
	Returned  uint64 // given back: not begun when the runner stopped or was paused, behind a failure in its group, or cut off by the end of the grace
	Lost      uint64 // the lease ended before the queue knew the outcome; the message comes again

	// Among the failures.
	Panicked   uint64 // handlers that panicked
	TimedOut   uint64 // handlers that failed after WithTimeout had ended their context
	BuryErrors uint64 // messages that could not be buried and are tried again

	// Calls to the queue, which Amazon charges for.
	Receives      uint64 // that succeeded
	EmptyReceives uint64 // of these, that brought nothing
	ReceiveErrors uint64
	DeleteErrors  uint64
	ExtendCalls   uint64 // each for up to ten leases
	Extended      uint64 // leases that were extended
	ExtendErrors  uint64 // of these, that failed at least for one lease

	// Now.
	Concurrency int // slots
	Running     int // handlers that run, those that are stuck included
	Waiting     int // messages received that wait for their turn in a group, or for a batch to close
	Stuck       int // handlers that ignore their cancelled context
	Paused      bool

	Wait Histogram // from the send of a message to the begin of its first attempt, by the queue's clock and ours
	Run  Histogram // how long handlers ran

	Decisions uint64   // about scaling
	Decision  Decision // the last one
}

// Stats returns the numbers as they are at this instant.
func (r *Runner) Stats() Stats {
	r.mu.Lock()
	defer r.unlock()
	s := r.stats
	s.Concurrency, s.Running, s.Stuck, s.Paused = r.limit, r.active, r.stuck, r.paused
	for c := r.pending.first; c != nil; c = c.next {
		s.Waiting += len(c.jobs)
	}
	for _, l := range r.lines {
		s.Waiting += len(l.next) + len(l.anew)
	}
	s.Waiting += r.windowLen()
	return s
}

// A Histogram counts durations in buckets that double: Buckets[i] holds those below Bound(i) and not
// below Bound(i-1), the last one all that are longer.
type Histogram struct {
	Count   uint64
	Sum     time.Duration
	Buckets [histogramBuckets]uint64
}

const (
	histogramBuckets = 40
	firstBound       = 10 // as a power of two: 1.024 µs
)

// Bound returns what the durations in bucket i are below: 1.024 µs for the first, twice as much for
// each further one, up to 3.3 days.
func (Histogram) Bound(i int) time.Duration {
	return 1 << (firstBound + min(max(i, 0), histogramBuckets-2))
}

// Mean returns the mean, 0 where nothing was counted.
func (h Histogram) Mean() time.Duration {
	if h.Count == 0 {
		return 0
	}
	return h.Sum / time.Duration(h.Count)
}

// Quantile returns a duration that the given share of all, from 0 to 1, is below: the bound of a
// bucket, so at most twice too much. It is 0 where nothing was counted.
func (h Histogram) Quantile(share float64) time.Duration {
	rank := uint64(share * float64(h.Count))
	for i, n := range h.Buckets {
		if n > 0 && rank <= n {
			return h.Bound(i)
		}
		rank -= min(rank, n)
	}
	return 0
}

// observe counts a duration. Clocks of two machines may make one negative, which counts as none.
func (h *Histogram) observe(d time.Duration) {
	d = max(d, 0)
	h.Count++
	h.Sum += d
	h.Buckets[min(max(bits.Len64(uint64(d))-firstBound, 0), histogramBuckets-1)]++
}

// moving is a mean that follows what it is the mean of: each value counts a sixteenth.
type moving struct {
	mean  time.Duration
	begun bool
}

func (m *moving) add(d time.Duration) {
	if !m.begun {
		m.mean, m.begun = d, true
		return
	}
	m.mean += (d - m.mean) / 16
}
