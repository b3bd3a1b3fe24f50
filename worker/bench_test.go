package worker_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// fill puts n messages into a new queue.
func fill(b *testing.B, n int) *inq.Standard {
	b.Helper()
	q, err := inq.NewStandard("jobs", inq.WithoutSQSLimits())
	require.NoError(b, err)
	b.Cleanup(func() { _ = q.Close() })
	ms := make([]inq.Message, 1000)
	for i := range ms {
		ms[i].Body = "a job that does nothing"
	}
	for n > 0 {
		some := min(n, len(ms))
		_, err := q.SendBatch(context.Background(), ms[:some])
		require.NoError(b, err)
		n -= some
	}
	return q
}

// BenchmarkNoop is the price of a job that does nothing: received, handled and deleted by a runner
// with eight slots, to a loop that does it by hand. Both find all messages in the queue.
func BenchmarkNoop(b *testing.B) {
	b.Run("by=loop", func(b *testing.B) {
		q := fill(b, b.N)
		ctx := context.Background()
		b.ReportAllocs()
		b.ResetTimer()
		for done := 0; done < b.N; {
			ds, err := q.Receive(ctx, inq.ReceiveInput{Max: 10})
			if err != nil {
				b.Fatal(err)
			}
			handles := make([]string, len(ds))
			for i := range ds {
				handles[i] = ds[i].ReceiptHandle()
			}
			if err := q.DeleteBatch(ctx, handles); err != nil {
				b.Fatal(err)
			}
			done += len(ds)
		}
	})
	b.Run("by=worker", func(b *testing.B) {
		q := fill(b, b.N)
		ctx, cancel := context.WithCancel(context.Background())
		var done atomic.Int64
		n := int64(b.N)
		r, err := worker.New(q, worker.HandlerFunc(func(context.Context, *inq.Delivery) error {
			if done.Add(1) == n {
				cancel()
			}
			return nil
		}), worker.WithConcurrency(8))
		require.NoError(b, err)
		b.ReportAllocs()
		b.ResetTimer()
		if err := r.Run(ctx); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		require.EqualValues(b, n, q.Stats().Deleted)
		s := r.Stats()
		b.ReportMetric(float64(s.Receives)/float64(n), "receives/op")
	})
}
