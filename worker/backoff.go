package worker

import (
	"math/rand/v2"
	"time"
)

// A Backoff tells how long a message waits after its attempt, which counts from 1, has failed.
type Backoff func(attempt int) time.Duration

// Exponential returns a [Backoff] with full jitter: any time from 0 to a bound, all equally likely.
// The bound is base after the first attempt, doubles with each, and is never above longest. Jitter
// over the whole range keeps messages that failed together from coming back together. A base or
// longest below 0 counts as 0.
func Exponential(base, longest time.Duration) Backoff {
	return exponential(base, longest, rand.Int64N)
}

// exponential draws from pick, which returns a number from 0 to below its argument.
func exponential(base, longest time.Duration, pick func(int64) int64) Backoff {
	base, longest = max(base, 0), max(longest, 0)
	return func(attempt int) time.Duration {
		bound := longest
		if shift := max(attempt, 1) - 1; shift < 63 && base <= longest>>shift {
			bound = base << shift
		}
		if bound == never { // so that one more is still a number
			bound--
		}
		return time.Duration(pick(int64(bound) + 1))
	}
}
