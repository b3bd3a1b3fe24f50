package worker_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

func TestStats_HistogramsOfWaitAndRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "one", "two")
		time.Sleep(10 * time.Second)
		r := newRunner(t, q, func(_ context.Context, d *inq.Delivery) error {
			time.Sleep(2 * time.Second)
			if d.Body == "two" && d.ReceiveCount == 1 {
				return errBad
			}
			return nil
		}, worker.WithConcurrency(1), after(time.Minute))
		stop := run(t, r)
		time.Sleep(5 * time.Minute)
		stop(nil)
		s := r.Stats()
		require.EqualValues(t, 2, s.Wait.Count, "first attempts alone: a retry waits because it is told to")
		require.Equal(t, 22*time.Second, s.Wait.Sum)
		require.EqualValues(t, 3, s.Run.Count)
		require.Equal(t, 6*time.Second, s.Run.Sum)
		require.Equal(t, 2*time.Second, s.Run.Mean())
		median := s.Run.Quantile(0.5)
		require.Greater(t, median, 2*time.Second)
		require.LessOrEqual(t, median, 4*time.Second)
	})
}

func TestHistogram_Bounds(t *testing.T) {
	var h worker.Histogram
	require.Equal(t, 1024*time.Nanosecond, h.Bound(0))
	require.Equal(t, 2048*time.Nanosecond, h.Bound(1))
	require.Equal(t, time.Duration(1)<<48, h.Bound(38))
	require.Equal(t, h.Bound(38), h.Bound(39), "the last bucket has no bound")
	require.Equal(t, h.Bound(0), h.Bound(-1))
	require.Zero(t, h.Mean())
	require.Zero(t, h.Quantile(0.5))
	for _, d := range []time.Duration{-1, 0, 1023, 1024, 2047, 1 << 47, 1 << 48, 1 << 62} {
		h.Observe(d)
	}
	require.EqualValues(t, 3, h.Buckets[0])
	require.EqualValues(t, 2, h.Buckets[1])
	require.EqualValues(t, 1, h.Buckets[38])
	require.EqualValues(t, 2, h.Buckets[39])
	require.EqualValues(t, 8, h.Count)
	require.Equal(t, h.Bound(0), h.Quantile(0))
	require.Equal(t, h.Bound(1), h.Quantile(0.6))
	require.Equal(t, h.Bound(39), h.Quantile(1))
	for _, share := range []float64{-0.1, 1.01, math.NaN(), math.Inf(1), math.Inf(-1)} {
		require.Zero(t, h.Quantile(share), share)
	}
	require.Len(t, h.Buckets, 40)
}

// Printed, the numbers are a line, not forty buckets twice.
func TestStats_Print(t *testing.T) {
	s := worker.Stats{Received: 21, Succeeded: 1, Failed: 2, Snoozed: 3, Buried: 4, Returned: 5, Lost: 6, Running: 7, Concurrency: 8, Waiting: 9}
	const want = "received 21: succeeded 1, failed 2, snoozed 3, buried 4, returned 5, lost 6; now running 7 of 8, waiting 9"
	require.Equal(t, want, fmt.Sprint(s))
	require.Equal(t, want, fmt.Sprintf("%+v", s))
	s.Stuck, s.Paused = 1, true
	require.Equal(t, want+", 1 stuck, paused", s.String())

	var h worker.Histogram
	require.Equal(t, "0, mean 0s, 99% below 0s", h.String())
	h.Observe(time.Second)
	require.Equal(t, "1, mean 1s, 99% below 1.073741824s", h.String())

	require.Equal(t, "sent 1, duplicates 2, skipped 3, errors 4", fmt.Sprint(worker.TickerStats{Sent: 1, Duplicates: 2, Skipped: 3, Errors: 4}))
}
