package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/examples/internal/progress"
	"example.com/inq/worker"
)

// startWork makes a queue with n pictures, and a worker for them. stop ends ctx, as does the last picture.
func startWork(t *testing.T, n, concurrency int, work func(picture string) error) (ctx context.Context, stop context.CancelFunc, q *inq.Standard, r *worker.Runner) {
	ctx, stop = context.WithCancel(t.Context())
	t.Cleanup(stop)
	shown := progress.New(new(bytes.Buffer), "done", n)
	bin := inq.DeadLetterFunc(func(context.Context, inq.DeadLetter) error { return nil })
	q, err := inq.NewStandard("thumbnails", inq.WithDeadLetter(bin, maxReceives), inq.WithObserver(countDown(n, shown, stop)))
	require.NoError(t, err)
	t.Cleanup(func() { q.Close() })
	for i := range n {
		_, err := q.Send(ctx, inq.Message{Body: fmt.Sprint(i)})
		require.NoError(t, err)
	}
	r, err = newRunner(q, &maker{work: work, note: shown.Note}, concurrency)
	require.NoError(t, err)
	return ctx, stop, q, r
}

func TestSlowPicturesStayWithTheirWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts atomic.Int64
		ctx, _, q, r := startWork(t, 2, 3, func(string) error {
			attempts.Add(1)
			time.Sleep(4*visibility + time.Second/2)
			return nil
		})

		require.NoError(t, r.Run(ctx))

		require.EqualValues(t, 2, attempts.Load(), "nobody else received a picture that was in work")
		require.EqualValues(t, 2, q.Stats().Deleted)
		require.NotZero(t, r.Stats().ExtendCalls)
	})
}

func TestStoppingFinishesWhatIsBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop, q, r := startWork(t, 7, 2, func(string) error {
			time.Sleep(time.Second)
			return nil
		})
		time.AfterFunc(500*time.Millisecond, stop)
		began := time.Now()

		require.NoError(t, r.Run(ctx))

		require.Equal(t, time.Second, time.Since(began))
		require.EqualValues(t, 2, q.Stats().Deleted)
		require.Equal(t, inq.Counts{Visible: 5}, q.Stats().Counts)
		for m := range q.Messages() {
			require.Zero(t, m.ReceiveCount)
		}
		var output bytes.Buffer
		require.EqualError(t, summarize(settings{}, &output, q.Stats(), r.Stats(), &maker{}, time.Second), "stopped before the end, with 5 pictures left")
		require.Regexp(t, `left +5 `, output.String())
	})
}

func TestRetriesWaitALittleLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var attempts []time.Duration
		ctx, _, q, r := startWork(t, 1, 1, func(string) error {
			attempts = append(attempts, time.Since(began))
			return errors.New("no room on the disk")
		})

		require.NoError(t, r.Run(ctx))

		require.Equal(t, []time.Duration{0, backoff(1), backoff(1) + backoff(2)}, attempts)
		require.EqualValues(t, 1, q.Stats().DeadLettered)
	})
}

func TestADeadLetterFileThatFailsLosesNoPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, _, q, r := startWork(t, 1, 1, func(string) error { return errTooLarge })
		failures := 2
		require.NoError(t, q.Configure(inq.WithDeadLetter(inq.DeadLetterFunc(func(context.Context, inq.DeadLetter) error {
			if failures--; failures >= 0 {
				return errors.New("no room on the disk")
			}
			return nil
		}), maxReceives)))

		require.NoError(t, r.Run(ctx))

		require.EqualValues(t, 1, q.Stats().DeadLettered)
		require.EqualValues(t, 2, q.Stats().DeadLetterFailures)
	})
}
