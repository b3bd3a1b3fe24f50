package worker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// quiet is for runners whose failures are meant.
var quiet = worker.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))

// nilContext is no context.
var nilContext context.Context

// bubble runs a test in a bubble. Nothing of a runner may be left at its end.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func standard(t *testing.T, opts ...inq.StandardOption) *inq.Standard {
	t.Helper()
	q, err := inq.NewStandard("jobs", opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = q.Close() })
	return q
}

func fifo(t *testing.T, opts ...inq.FIFOOption) *inq.FIFO {
	t.Helper()
	q, err := inq.NewFIFO("jobs.fifo", append(opts, inq.WithContentBasedDeduplication(true))...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = q.Close() })
	return q
}

// send sends bodies, in groups where a body is "group/...".
func send(t *testing.T, q inq.Queue, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		m := inq.Message{Body: body}
		for i := range body {
			if body[i] == '/' {
				m.GroupID = body[:i]
			}
		}
		_, err := q.Send(context.Background(), m)
		require.NoError(t, err)
	}
}

func counts(t *testing.T, q inq.Queue) inq.Counts {
	t.Helper()
	c, err := q.Counts(context.Background())
	require.NoError(t, err)
	return c
}

// run starts a runner. The stop that it returns ends it, and requires that Run returns this error.
func run(t *testing.T, r *worker.Runner) (stop func(want error)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	var err error
	go func() {
		defer close(done)
		err = r.Run(ctx)
	}()
	t.Cleanup(func() { // of a test that failed
		cancel()
		<-done
	})
	return func(want error) {
		t.Helper()
		cancel()
		<-done
		if want == nil {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, want)
		}
	}
}

// diary is what happened when, since the beginning of the test.
type diary struct {
	began time.Time
	mu    sync.Mutex
	lines []string
}

func newDiary() *diary { return &diary{began: time.Now()} }

func (d *diary) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf("%v ", time.Since(d.began))+fmt.Sprintf(format, args...))
}

func (d *diary) get() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lines
}

func newRunner(t *testing.T, q inq.Queue, h worker.HandlerFunc, opts ...worker.Option) *worker.Runner {
	t.Helper()
	r, err := worker.New(q, h, append([]worker.Option{quiet}, opts...)...)
	require.NoError(t, err)
	return r
}

func after(d time.Duration) worker.Option {
	return worker.WithBackoff(func(int) time.Duration { return d })
}

func TestRunner_DeletesWhatSucceedsAndRetriesWhatFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "good", "bad")
		log := newDiary()
		r := newRunner(t, q, func(_ context.Context, d *inq.Delivery) error {
			log.add("%s %d", d.Body, d.ReceiveCount)
			if d.Body == "bad" && d.ReceiveCount < 3 {
				return errors.New("bad")
			}
			return nil
		}, worker.WithConcurrency(1), worker.WithBackoff(func(n int) time.Duration { return time.Duration(n) * time.Second }))
		stop := run(t, r)
		time.Sleep(10 * time.Second)
		stop(nil)
		require.Equal(t, []string{"0s good 1", "0s bad 1", "1s bad 2", "3s bad 3"}, log.get())
		require.Equal(t, inq.Counts{}, counts(t, q))
		s := r.Stats()
		require.EqualValues(t, 2, s.Succeeded)
		require.EqualValues(t, 2, s.Failed)
		require.EqualValues(t, 4, s.Received)
	})
}
