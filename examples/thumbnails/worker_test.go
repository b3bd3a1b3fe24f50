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
)

// startWorkers makes a queue with n pictures, and workers that do nothing yet. stop ends ctx, as does the last picture.
func startWorkers(t *testing.T, n int) (ctx context.Context, stop context.CancelFunc, w *workers) {
	ctx, stop = context.WithCancel(t.Context())
	shown := newProgress(new(bytes.Buffer), "done", n)
	bin := inq.DeadLetterFunc(func(context.Context, inq.DeadLetter) error { return nil })
	q, err := inq.NewStandard("thumbnails",
		inq.WithVisibilityTimeout(visibility), inq.WithDeadLetter(bin, maxReceives), inq.WithObserver(countDown(n, shown, stop)))
	require.NoError(t, err)
	for i := range n {
		_, err := q.Send(ctx, inq.Message{Body: fmt.Sprint(i)})
		require.NoError(t, err)
	}
	return ctx, stop, &workers{queue: q, note: shown.note}
}

func TestAHeartbeatKeepsSlowPicturesWithTheirWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop, w := startWorkers(t, 2)
		defer stop()
		defer w.queue.Close()
		var attempts atomic.Int64
		w.work = func(string) error {
			attempts.Add(1)
			time.Sleep(4*visibility - heartbeat/2)
			return nil
		}

		require.NoError(t, w.run(ctx, 3))

		require.EqualValues(t, 2, attempts.Load(), "nobody else received a picture that was in work or waited for its turn")
		require.Zero(t, w.retries.Load())
		require.EqualValues(t, 2, w.queue.Stats().Deleted)
	})
}

func TestStoppingFinishesWhatIsBegunAndReturnsTheRestUncounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop, w := startWorkers(t, 7)
		defer stop()
		defer w.queue.Close()
		w.work = func(string) error {
			time.Sleep(time.Second)
			return nil
		}
		time.AfterFunc(500*time.Millisecond, stop)
		began := time.Now()

		require.NoError(t, w.run(ctx, 2))

		require.Equal(t, time.Second, time.Since(began))
		stats := w.queue.Stats()
		require.EqualValues(t, 2, stats.Deleted)
		require.EqualValues(t, 2*atOnce, stats.Received)
		require.Equal(t, inq.Counts{Visible: 5}, stats.Counts)
		for m := range w.queue.Messages() {
			require.Zero(t, m.ReceiveCount)
		}
		var output bytes.Buffer
		require.EqualError(t, w.summarize(settings{}, &output, time.Second), "stopped before the end, with 5 pictures left")
		require.Regexp(t, `left +5 `, output.String())
	})
}

func TestRetriesWaitALittleLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop, w := startWorkers(t, 1)
		defer stop()
		defer w.queue.Close()
		began := time.Now()
		var attempts []time.Duration
		w.work = func(string) error {
			attempts = append(attempts, time.Since(began))
			return errors.New("no room on the disk")
		}

		require.NoError(t, w.run(ctx, 1))

		require.Equal(t, []time.Duration{0, backoff, 3 * backoff}, attempts)
		require.EqualValues(t, 1, w.queue.Stats().DeadLettered, "by the queue itself")
		require.Zero(t, w.buried.Load())
	})
}

func TestADeadLetterFileThatFailsLosesNoPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop, w := startWorkers(t, 1)
		defer stop()
		defer w.queue.Close()
		failures := 2
		require.NoError(t, w.queue.Configure(inq.WithDeadLetter(inq.DeadLetterFunc(func(context.Context, inq.DeadLetter) error {
			if failures--; failures >= 0 {
				return errors.New("no room on the disk")
			}
			return nil
		}), maxReceives)))
		w.work = func(string) error { return errTooLarge }

		require.NoError(t, w.run(ctx, 1))

		require.EqualValues(t, 1, w.queue.Stats().DeadLettered)
		require.EqualValues(t, 2, w.queue.Stats().DeadLetterFailures)
	})
}
