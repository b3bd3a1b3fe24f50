package worker

import (
	"math"
	"time"
)

// instant is a time by the clock of a runner: what has passed since Run began.
type instant = time.Duration

// never is an instant, and a duration, that does not come.
const never time.Duration = math.MaxInt64

// clock tells how much time has passed. A machine that was suspended, or a virtual one that was
// moved, has a monotonic clock that stood still meanwhile, while the queue's went on; a wall clock
// that was set back tells too little. So it goes by whichever has advanced more: a lease must never
// seem to hold when it does not.
type clock struct {
	start time.Time
	wall  int64 // of start, in nanoseconds
}

func startClock() clock {
	t := time.Now()
	return clock{start: t, wall: t.UnixNano()}
}

func (c *clock) now() instant { return c.at(time.Now()) }

func (c *clock) at(t time.Time) instant {
	return max(t.Sub(c.start), time.Duration(t.UnixNano()-c.wall))
}

// time returns an instant as others understand it.
func (c *clock) time(i instant) time.Time { return c.start.Add(i) }
