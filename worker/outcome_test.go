package worker_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// attempts runs a handler over one message for a while, and returns when which attempt began.
func attempts(t *testing.T, q inq.Queue, d time.Duration, h func(n int) error, opts ...worker.Option) ([]string, worker.Stats) {
	t.Helper()
	send(t, q, "job")
	log, n := newDiary(), 0
	r := newRunner(t, q, func(_ context.Context, d *inq.Delivery) error {
		n++
		log.add("attempt %d", d.ReceiveCount)
		return h(n)
	}, append([]worker.Option{after(time.Minute)}, opts...)...)
	stop := run(t, r)
	time.Sleep(d)
	stop(nil)
	return log.get(), r.Stats()
}

var errBad = errors.New("bad")

// first returns an error at the first call only.
func first(err error) func(int) error {
	return func(n int) error {
		if n == 1 {
			return err
		}
		return nil
	}
}

func TestOutcome_RetryAfterHasADelayOfItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log, s := attempts(t, standard(t), time.Minute, first(fmt.Errorf("wrapped: %w", worker.RetryAfter(7*time.Second, errBad))))
		require.Equal(t, []string{"0s attempt 1", "7s attempt 2"}, log)
		require.EqualValues(t, 1, s.Failed)
		require.EqualValues(t, 1, s.Succeeded)
	})
}

func TestOutcome_SnoozeIsNoFailureAndNoAttempt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log, s := attempts(t, standard(t), time.Hour, first(fmt.Errorf("wrapped: %w", worker.Snooze(15*time.Minute))))
		require.Equal(t, []string{"0s attempt 1", "15m0s attempt 1"}, log)
		require.EqualValues(t, 1, s.Snoozed)
		require.Zero(t, s.Failed)
	})
}

// A Return has no longer delay, and Amazon has no Return.
func TestOutcome_SnoozeCountsWhereItIsLongOrTheQueueHasNoReturn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log, _ := attempts(t, standard(t), time.Hour, first(worker.Snooze(15*time.Minute+1)))
		require.Equal(t, []string{"0s attempt 1", "15m0.000000001s attempt 2"}, log)
	})
	bubble(t, func(t *testing.T) {
		log, _ := attempts(t, bare{standard(t)}, time.Hour, first(worker.Snooze(time.Minute)))
		require.Equal(t, []string{"0s attempt 1", "1m0s attempt 2"}, log)
	})
}

func TestOutcome_DelaysAreBoundedByThe12HoursOfTheReceive(t *testing.T) {
	for name, err := range map[string]error{
		"snooze": worker.Snooze(100 * time.Hour), "retry": worker.RetryAfter(100*time.Hour, errBad), "backoff": errBad,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				log, _ := attempts(t, standard(t), 13*time.Hour, first(err), after(100*time.Hour))
				require.Equal(t, []string{"0s attempt 1", "11h59m59s attempt 2"}, log)
			})
		})
	}
	bubble(t, func(t *testing.T) {
		log, _ := attempts(t, standard(t), time.Second, first(worker.RetryAfter(-time.Hour, errBad)))
		require.Equal(t, []string{"0s attempt 1", "0s attempt 2"}, log)
	})
}

// buried collects what a queue buries.
func buried(max int) (inq.Option, *[]string) {
	var reasons []string
	return inq.WithDeadLetter(inq.DeadLetterFunc(func(_ context.Context, d inq.DeadLetter) error {
		reasons = append(reasons, d.Body+": "+d.Reason)
		return nil
	}), max), &reasons
}

func TestOutcome_BuryGoesToTheDeadLettersAtOnceWithTheReason(t *testing.T) {
	bubble(t, func(t *testing.T) {
		target, reasons := buried(10)
		log, s := attempts(t, standard(t, target), time.Hour, first(fmt.Errorf("really %w", worker.Bury(errBad))))
		require.Equal(t, []string{"0s attempt 1"}, log)
		require.Equal(t, []string{"job: really bad"}, *reasons)
		require.EqualValues(t, 1, s.Buried)
		require.Zero(t, s.Failed)
	})
}

func TestOutcome_BuryWithoutATargetBacksOffAndCounts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log, s := attempts(t, standard(t), time.Hour, first(worker.Bury(errBad)))
		require.Equal(t, []string{"0s attempt 1", "1m0s attempt 2"}, log)
		require.EqualValues(t, 1, s.Failed)
		require.EqualValues(t, 1, s.BuryErrors)
		require.Zero(t, s.Buried)
	})
	bubble(t, func(t *testing.T) {
		log, _ := attempts(t, bare{standard(t)}, time.Hour, first(worker.Bury(errBad)))
		require.Equal(t, []string{"0s attempt 1", "1m0s attempt 2"}, log)
	})
}

func TestOutcome_MaxAttemptsBuriesWhatFailsOnceMore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		target, reasons := buried(10)
		log, s := attempts(t, standard(t, target), time.Hour, func(int) error { return errBad }, worker.WithMaxAttempts(2))
		require.Equal(t, []string{"0s attempt 1", "1m0s attempt 2"}, log)
		require.Equal(t, []string{"job: bad"}, *reasons)
		require.EqualValues(t, 1, s.Failed)
		require.EqualValues(t, 1, s.Buried)
	})
	bubble(t, func(t *testing.T) { // the queue's own limit is the outer bound
		target, reasons := buried(1)
		log, _ := attempts(t, standard(t, target), time.Hour, func(int) error { return errBad }, worker.WithMaxAttempts(3))
		require.Equal(t, []string{"0s attempt 1"}, log)
		require.Len(t, *reasons, 1)
	})
	bubble(t, func(t *testing.T) { // a snooze does not fail
		target, reasons := buried(10)
		log, _ := attempts(t, standard(t, target), time.Hour, first(worker.Snooze(time.Second)), worker.WithMaxAttempts(1))
		require.Len(t, log, 2)
		require.Empty(t, *reasons)
	})
}

func TestOutcome_APanicIsAFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var seen error
		note := func(h worker.Handler) worker.Handler {
			return worker.HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
				seen = h.Handle(ctx, d)
				return seen
			})
		}
		target, reasons := buried(10)
		log, s := attempts(t, standard(t, target), time.Hour, func(n int) error {
			if n == 1 {
				panic(worker.Bury(errBad)) // a panic is a panic, whatever is in it
			}
			return nil
		}, worker.WithMiddleware(note))
		require.Equal(t, []string{"0s attempt 1", "1m0s attempt 2"}, log)
		require.EqualValues(t, 1, s.Failed)
		require.EqualValues(t, 1, s.Panicked)
		require.NoError(t, seen, "the second attempt")
		require.Empty(t, *reasons)
	})
	bubble(t, func(t *testing.T) {
		var caught *worker.PanicError
		note := func(h worker.Handler) worker.Handler {
			return worker.HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
				err := h.Handle(ctx, d)
				errors.As(err, &caught)
				panic("in the middleware")
			})
		}
		_, s := attempts(t, standard(t), time.Second, func(int) error { panic(errBad) }, worker.WithMiddleware(note))
		require.EqualValues(t, 1, s.Panicked)
		require.Equal(t, errBad, caught.Value)
		require.ErrorIs(t, caught, errBad)
		require.Contains(t, string(caught.Stack), "TestOutcome_APanicIsAFailure")
		require.Equal(t, "worker: panic: bad", caught.Error())
	})
}

func TestOutcome_AHandlerThatEndsItsGoroutineHasFailed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log, s := attempts(t, standard(t), time.Hour, func(n int) error {
			if n < 3 {
				runtime.Goexit()
			}
			return nil
		}, worker.WithConcurrency(1))
		require.Equal(t, []string{"0s attempt 1", "1m0s attempt 2", "2m0s attempt 3"}, log)
		require.EqualValues(t, 2, s.Failed)
		require.Zero(t, s.Running)
	})
}

// wicked is an error whose methods panic.
type wicked struct{}

func (wicked) Error() string { panic("Error") }
func (wicked) As(any) bool   { panic("As") }

func TestOutcome_ForeignCodeThatPanicsIsSurvived(t *testing.T) {
	bubble(t, func(t *testing.T) {
		target, reasons := buried(10)
		_, s := attempts(t, standard(t, target), time.Minute, func(int) error { return wicked{} },
			worker.WithBackoff(func(int) time.Duration { panic("backoff") }), worker.WithMaxAttempts(2))
		require.EqualValues(t, 1, s.Failed)
		require.EqualValues(t, 1, s.Buried)
		require.Equal(t, []string{"job: worker_test.wicked, whose Error panics"}, *reasons)
	})
}

func TestOutcome_NilStaysNil(t *testing.T) {
	require.NoError(t, worker.Bury(nil))
	require.NoError(t, worker.RetryAfter(time.Second, nil))
	var b *worker.BuryError
	require.ErrorAs(t, worker.Bury(errBad), &b)
	require.ErrorIs(t, worker.Bury(errBad), errBad)
	require.ErrorIs(t, worker.RetryAfter(1, errBad), errBad)
	require.EqualError(t, worker.RetryAfter(1, errBad), "bad")
	require.EqualError(t, worker.Snooze(time.Second), "worker: snoozed for 1s")
}
