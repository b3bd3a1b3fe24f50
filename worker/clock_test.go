package worker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A lease must not seem to hold because a clock stood still or was set back.
func TestClock_GoesByTheClockThatWasEverAhead(t *testing.T) {
	c := clock{start: time.Now()}
	require.Equal(t, time.Second, c.advance(time.Second, time.Second))
	require.Equal(t, 2*time.Second, c.advance(2*time.Second, 2*time.Second+time.Microsecond), "clocks are not read at once")
	require.Equal(t, time.Hour+3*time.Second, c.advance(3*time.Second, time.Hour+3*time.Second), "suspended for an hour")
	require.Equal(t, time.Hour+4*time.Second, c.advance(4*time.Second, 4*time.Second), "set back")
	require.Equal(t, time.Hour+5*time.Second, c.advance(5*time.Second, -time.Hour))
	require.Equal(t, time.Hour+2*time.Second, c.at(c.start.Add(2*time.Second)))
	require.GreaterOrEqual(t, c.roughly(), time.Hour)
	require.Equal(t, c.start.Add(time.Second), c.time(time.Hour+time.Second))
}
