package worker

import (
	"math"
	"sync/atomic"
	"time"
)

// instant is a time by the clock of a runner: what has passed since Run began.
type instant = time.Duration

// never is an instant, and a duration, that does not come.
const never time.Duration = math.MaxInt64

// clock tells how much time has passed. A machine that was suspended, or a virtual one that was
// moved, has a monotonic clock that stood still meanwhile, while the queue's went on. The wall clock
// knows of that, though it can be set back. So it goes by the monotonic clock and by how much the
// wall clock was ever ahead of it: a lease must never seem to hold when it does not.
type clock struct {
	start time.Time
	ahead atomic.Int64 // of the wall clock, in nanoseconds
}

// now returns the time.
func (c *clock) now() instant { return c.at(time.Now()) }

// at returns a time that has just been read.
func (c *clock) at(t time.Time) instant {
	return c.advance(t.Sub(c.start), t.Round(0).Sub(c.start.Round(0)))
}

// advance returns the time at which so much has passed by the monotonic clock and by the wall clock.
func (c *clock) advance(monotonic, wall time.Duration) instant {
	// Two clocks are read one after the other, and never agree to the nanosecond.
	known := c.ahead.Load()
	if ahead := int64(wall - monotonic); ahead > known+int64(time.Millisecond) {
		c.ahead.CompareAndSwap(known, ahead)
	}
	return monotonic + time.Duration(c.ahead.Load())
}

// roughly returns the time without a look at the wall clock, which costs half as much.
func (c *clock) roughly() instant { return time.Since(c.start) + time.Duration(c.ahead.Load()) }

// time returns an instant as others understand it: by the monotonic clock.
func (c *clock) time(i instant) time.Time { return c.start.Add(i - time.Duration(c.ahead.Load())) }
