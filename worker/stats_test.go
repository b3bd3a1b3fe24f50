package worker_test

import (
	"context"
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
}
