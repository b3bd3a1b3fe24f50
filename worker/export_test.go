package worker

import "time"

// ExponentialFrom is Exponential with jitter that a test chooses.
func ExponentialFrom(base, longest time.Duration, pick func(int64) int64) Backoff {
	return exponential(base, longest, pick)
}

// Observe counts a duration.
func (h *Histogram) Observe(d time.Duration) { h.observe(d) }

// What queues may have beyond inq.Queue.
type (
	Returner = returner
	Burier   = burier
)
