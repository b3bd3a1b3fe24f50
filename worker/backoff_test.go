package worker_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq/worker"
)

func TestExponential_BoundsDoubleUpToTheLongest(t *testing.T) {
	var bound time.Duration
	pick := func(n int64) int64 { bound = time.Duration(n - 1); return n - 1 }
	b := worker.ExponentialFrom(time.Second, time.Minute, pick)
	for attempt, want := range map[int]time.Duration{
		-5: time.Second, 0: time.Second, 1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 6: 32 * time.Second,
		7: time.Minute, 8: time.Minute, 63: time.Minute, 64: time.Minute, 65: time.Minute, math.MaxInt: time.Minute,
	} {
		require.Equal(t, want, b(attempt), attempt)
		require.Equal(t, want, bound, attempt)
	}
	b = worker.ExponentialFrom(1, math.MaxInt64, pick)
	require.Equal(t, time.Duration(1)<<61, b(62))
	require.Equal(t, time.Duration(1)<<62, b(63))
	require.Equal(t, time.Duration(math.MaxInt64-1), b(64))
	require.Zero(t, worker.ExponentialFrom(-time.Second, time.Minute, pick)(10))
	require.Zero(t, worker.ExponentialFrom(time.Second, -time.Minute, pick)(10))
}

func TestExponential_JitterIsOverTheWholeRange(t *testing.T) {
	b := worker.Exponential(time.Second, time.Hour)
	low, high := 0, 0
	for range 1000 {
		d := b(4)
		require.GreaterOrEqual(t, d, time.Duration(0))
		require.LessOrEqual(t, d, 8*time.Second)
		if d < 4*time.Second {
			low++
		} else {
			high++
		}
	}
	// Each half has 500 of 1000 expected; fewer than 350 happens once in 10^20 runs.
	require.Greater(t, low, 350)
	require.Greater(t, high, 350)
}
