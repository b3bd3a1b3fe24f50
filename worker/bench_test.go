package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

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

// measure reports the processor time per operation between this call and that of what it returns.
func measure(b *testing.B) (end func()) {
	from := cpuTime()
	b.ReportAllocs()
	b.ResetTimer()
	return func() {
		b.StopTimer()
		b.ReportMetric(float64(cpuTime()-from)/float64(b.N), "cpu-ns/op")
	}
}

// BenchmarkNoop is the price of a job that does nothing: received, handled and deleted by a runner
// with eight slots, to a loop that does it by hand in batches of ten. Both find all messages in the
// queue.
func BenchmarkNoop(b *testing.B) {
	b.Run("by=loop", func(b *testing.B) {
		q := fill(b, b.N)
		ctx := context.Background()
		defer measure(b)()
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
		end := measure(b)
		if err := r.Run(ctx); err != nil {
			b.Fatal(err)
		}
		end()
		require.EqualValues(b, n, q.Stats().Deleted)
		b.ReportMetric(float64(r.Stats().Receives)/float64(n), "receives/op")
	})
}

// BenchmarkHeartbeat is the price of one extension of one lease among 100,000 handlers that run. A
// visibility timeout of 30 seconds needs one every 20 seconds for each.
func BenchmarkHeartbeat(b *testing.B) {
	const jobs = 100_000
	q := fill(b, jobs)
	ctx, cancel := context.WithCancel(context.Background())
	var running atomic.Int64
	r, err := worker.New(q, worker.HandlerFunc(func(ctx context.Context, _ *inq.Delivery) error {
		running.Add(1)
		<-ctx.Done()
		return ctx.Err()
	}), worker.WithConcurrency(jobs), worker.WithVisibility(3*time.Second), worker.WithGrace(0))
	require.NoError(b, err)
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	for running.Load() < jobs {
		time.Sleep(time.Millisecond)
	}
	extended := func() int { return int(r.Stats().Extended) }
	before := extended()
	end := measure(b)
	for extended() < before+b.N {
		time.Sleep(time.Millisecond)
	}
	end()
	require.Zero(b, r.Stats().Lost)
	cancel()
	require.NoError(b, <-done)
}
