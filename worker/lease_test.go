package worker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// take receives what is visible now, for another consumer.
func take(t *testing.T, q inq.Queue) []inq.Delivery {
	t.Helper()
	ds, err := q.Receive(context.Background(), inq.ReceiveInput{Max: 10, Wait: inq.Zero, VisibilityTimeout: time.Hour})
	require.NoError(t, err)
	return ds
}

// A lease of 30 seconds is extended when a third is left: 20 seconds after the receive or the
// extension before.
func TestLease_IsExtendedWhileTheHandlerRuns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := newDiary()
		q := &hooked{Standard: standard(t)}
		q.change = func(ctx context.Context, changes []inq.VisibilityChange) error {
			log.add("extend %d by %v", len(changes), changes[0].Timeout)
			return q.Standard.ChangeVisibilityBatch(ctx, changes)
		}
		send(t, q, "long")
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error {
			time.Sleep(65 * time.Second)
			return nil
		})
		stop := run(t, r)
		for range 64 {
			time.Sleep(time.Second)
			require.Empty(t, take(t, q), "the lease holds")
		}
		time.Sleep(2 * time.Second)
		stop(nil)
		require.Equal(t, []string{"20s extend 1 by 30s", "40s extend 1 by 30s", "1m0s extend 1 by 30s"}, log.get())
		require.EqualValues(t, 3, r.Stats().ExtendCalls)
		require.EqualValues(t, 1, r.Stats().Succeeded)
	})
}

// The lease counts from when the receive left, so that of a message that came late in a long poll
// is extended earlier than one that was there.
func TestLease_CountsFromWhenTheReceiveLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := newDiary()
		q := &hooked{Standard: standard(t)}
		q.change = func(ctx context.Context, changes []inq.VisibilityChange) error {
			log.add("extend")
			return q.Standard.ChangeVisibilityBatch(ctx, changes)
		}
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error {
			time.Sleep(10 * time.Second)
			return nil
		})
		stop := run(t, r) // receives wait 15 seconds
		time.Sleep(14 * time.Second)
		send(t, q, "late in the first poll")
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{"20s extend"}, log.get())
	})
}

func TestLease_ManyAreExtendedInBatchesOfTen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := newDiary()
		q := &hooked{Standard: standard(t)}
		q.change = func(ctx context.Context, changes []inq.VisibilityChange) error {
			log.add("extend %d", len(changes))
			return q.Standard.ChangeVisibilityBatch(ctx, changes)
		}
		r := newRunner(t, q, func(_ context.Context, d *inq.Delivery) error {
			time.Sleep(30 * time.Second)
			return nil
		}, worker.WithConcurrency(100))
		stop := run(t, r)
		for i := range 25 { // one receive each; those within a twelfth of the timeout go along
			send(t, q, fmt.Sprint(i))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{"20s extend 10", "20.9s extend 10", "21.9s extend 5"}, log.get())
	})
}

// A failed extension is tried again until the lease is over by the clock of the runner; after that
// nothing is sent for it, and what the handler returns is dropped.
func TestLease_LostWhenItCannotBeExtended(t *testing.T) {
	for name, result := range map[string]error{"success": nil, "failure": errBad, "snooze": worker.Snooze(0), "bury": worker.Bury(errBad)} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				log := newDiary()
				target, reasons := buried(10)
				q := &hooked{Standard: standard(t, target)}
				q.change = func(context.Context, []inq.VisibilityChange) error {
					log.add("extend")
					return errBad
				}
				send(t, q, "job")
				r := newRunner(t, q, func(ctx context.Context, _ *inq.Delivery) error {
					<-ctx.Done()
					log.add("%v, %v", context.Cause(ctx), ctx.Err())
					// Another consumer has it now, by a receive of an hour.
					require.Len(t, take(t, q), 1)
					return result
				}, worker.WithConcurrency(1))
				stop := run(t, r)
				time.Sleep(time.Minute)
				stop(nil)
				want := []string{}
				for i := range 10 {
					want = append(want, fmt.Sprintf("%ds extend", 20+i))
				}
				require.Equal(t, append(want, "30s worker: the lease of the message was lost, context canceled"), log.get())
				require.Equal(t, inq.Counts{NotVisible: 1}, counts(t, q), "the receive of the other consumer stands")
				s := r.Stats()
				require.EqualValues(t, 1, s.Lost)
				require.Zero(t, s.Succeeded+s.Failed+s.Snoozed+s.Buried+s.Returned)
				require.EqualValues(t, 10, s.ExtendErrors)
				require.Empty(t, *reasons)
			})
		})
	}
}

// A failure that passes costs nothing.
func TestLease_AFailedExtensionIsNoLoss(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		calls := 0
		q.change = func(ctx context.Context, changes []inq.VisibilityChange) error {
			if calls++; calls < 10 {
				return &inq.BatchError{Failed: []inq.BatchFailure{{Index: 0, Err: inq.ErrNotInFlight}}}
			}
			return q.Standard.ChangeVisibilityBatch(ctx, changes)
		}
		send(t, q, "job")
		r := newRunner(t, q, func(ctx context.Context, _ *inq.Delivery) error {
			time.Sleep(45 * time.Second)
			return ctx.Err()
		})
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.EqualValues(t, 1, r.Stats().Succeeded)
		require.EqualValues(t, 10, calls, "nine failures, and at 29s the one that holds until 59s")
	})
}

// The answer to a receive that was longer under way than the visibility timeout says nothing about
// who has the messages now.
func TestLease_AReceiveThatTookTooLongIsLeftAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		q.receive = func(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
			ds, err := q.Standard.Receive(ctx, in)
			if len(ds) > 0 && ds[0].ReceiveCount == 1 {
				time.Sleep(30 * time.Second)
			}
			return ds, err
		}
		send(t, q, "job")
		log := newDiary()
		r := newRunner(t, q, func(_ context.Context, d *inq.Delivery) error {
			log.add("attempt %d", d.ReceiveCount)
			return nil
		})
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{"30s attempt 2"}, log.get())
		require.EqualValues(t, 1, r.Stats().Lost)
		require.EqualValues(t, 1, r.Stats().Succeeded)
	})
}

// Twelve hours is the longest a receive can last. The runner keeps a second of it for the way.
func TestLease_EndsAfterTwelveHours(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "job")
		log := newDiary()
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			if d.ReceiveCount > 1 {
				return nil
			}
			<-ctx.Done()
			log.add("%v", context.Cause(ctx))
			return nil
		}, worker.WithVisibility(time.Hour))
		stop := run(t, r)
		time.Sleep(13 * time.Hour)
		stop(nil)
		require.Equal(t, []string{"11h59m59s worker: the lease of the message was lost"}, log.get())
		require.Zero(t, r.Stats().ExtendErrors, "never asked for more than there is")
		require.EqualValues(t, 1, r.Stats().Lost)
		require.EqualValues(t, 1, r.Stats().Succeeded)
	})
}

// An extension that hangs delays neither others nor the loss of its lease, and an outcome that hands
// the message back waits for it: arriving later it would change the receive of somebody else.
func TestLease_AnExtensionUnderWayIsWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := newDiary()
		q := &hooked{Standard: standard(t)}
		q.change = func(ctx context.Context, changes []inq.VisibilityChange) error {
			if changes[0].Timeout == 30*time.Second {
				time.Sleep(5 * time.Second)
				log.add("extended")
			} else {
				log.add("handed back")
			}
			return q.Standard.ChangeVisibilityBatch(ctx, changes)
		}
		send(t, q, "job")
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			if d.ReceiveCount == 1 {
				time.Sleep(21 * time.Second)
				return errBad
			}
			log.add("attempt %d", d.ReceiveCount)
			return nil
		}, after(time.Second))
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{"25s extended", "25s handed back", "26s attempt 2"}, log.get())
	})
}

func TestLease_AHangingExtensionHoldsUpNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := newDiary()
		q := &hooked{Standard: standard(t)}
		q.change = func(ctx context.Context, changes []inq.VisibilityChange) error {
			if len(changes) == 1 {
				<-ctx.Done() // the first job's
				log.add("gives up")
				return ctx.Err()
			}
			return q.Standard.ChangeVisibilityBatch(ctx, changes)
		}
		var lost atomic.Int64
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			if d.ReceiveCount > 1 {
				return nil
			}
			select {
			case <-ctx.Done():
				log.add("%s: %v", d.Body, context.Cause(ctx))
				lost.Add(1)
			case <-time.After(time.Minute):
			}
			return nil
		})
		send(t, q, "one")
		stop := run(t, r)
		time.Sleep(16 * time.Second)
		send(t, q, "two", "three")
		time.Sleep(2 * time.Minute)
		stop(nil)
		require.ElementsMatch(t, []string{"30s gives up", "30s one: worker: the lease of the message was lost"}, log.get())
		require.EqualValues(t, 1, lost.Load())
		require.EqualValues(t, 3, r.Stats().Succeeded)
	})
}

// An extension counts from when it left, however late its answer is.
func TestLease_AnExtensionCountsFromWhenItLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		n := 0
		q.change = func(ctx context.Context, changes []inq.VisibilityChange) error {
			if n++; n > 1 {
				return errBad
			}
			err := q.Standard.ChangeVisibilityBatch(ctx, changes)
			time.Sleep(5 * time.Second)
			return err
		}
		send(t, q, "job")
		log := newDiary()
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			if d.ReceiveCount == 1 {
				<-ctx.Done()
				log.add("lost")
			}
			return nil
		})
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{"50s lost"}, log.get(), "extended at 20s")
	})
}

// However many leases there are, and however slow the queue is, no more than sixteen calls are under
// way, and a lease that was not extended in time is lost in time.
func TestLease_ExtensionsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		var mu sync.Mutex
		under, most := 0, 0
		q.change = func(ctx context.Context, changes []inq.VisibilityChange) error {
			mu.Lock()
			under++
			most = max(most, under)
			mu.Unlock()
			<-ctx.Done()
			mu.Lock()
			under--
			mu.Unlock()
			return ctx.Err()
		}
		for i := range 500 {
			send(t, q, fmt.Sprint(i))
		}
		began := time.Now()
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			if d.ReceiveCount == 1 {
				<-ctx.Done()
				require.Equal(t, worker.ErrLeaseLost, context.Cause(ctx))
				require.Equal(t, 30*time.Second, time.Since(began))
			}
			return nil
		}, worker.WithConcurrency(500))
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, 16, most)
		require.EqualValues(t, 500, r.Stats().Lost)
		require.EqualValues(t, 500, r.Stats().Succeeded)
	})
}

// A middleware may bind the delivery to another queue while its lease is extended.
func TestLease_TheDeliveryMayBeRebound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := bare{standard(t)}
		send(t, q, "job")
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			for range 65 {
				time.Sleep(time.Second)
				d.Rebind(q.Queue)
			}
			return ctx.Err()
		})
		stop := run(t, r)
		time.Sleep(2 * time.Minute)
		stop(nil)
		require.EqualValues(t, 1, r.Stats().Succeeded)
		require.EqualValues(t, 3, r.Stats().Extended)
	})
}

// A call that extends is refused by its context when the lease is over, whatever the network does.
func TestLease_CallsEndWithTheLease(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		began := time.Now()
		q.change = func(ctx context.Context, _ []inq.VisibilityChange) error {
			at, ok := ctx.Deadline()
			require.True(t, ok)
			require.Equal(t, 30*time.Second, at.Sub(began))
			return errBad
		}
		send(t, q, "job")
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			time.Sleep(25 * time.Second)
			return errBad
		}, after(time.Hour))
		stop := run(t, r)
		time.Sleep(29 * time.Second)
		stop(nil)
		require.EqualValues(t, 1, r.Stats().Failed)
	})
}

// The contexts of handlers have the values of that of Run, and a deadline where there is a timeout.
func TestContext_OfAHandler(t *testing.T) {
	type key struct{}
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "job")
		var leaked context.Context
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			require.Equal(t, "value", ctx.Value(key{}))
			at, ok := ctx.Deadline()
			require.True(t, ok)
			require.Equal(t, time.Minute, time.Until(at))
			require.NoError(t, ctx.Err())
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			leaked = ctx
			<-child.Done()
			require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
			require.Equal(t, worker.ErrTimeout, context.Cause(child))
			return errors.New("timed out")
		}, worker.WithTimeout(time.Minute), after(time.Hour))
		ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "value"))
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(2 * time.Minute)
		cancel()
		require.NoError(t, <-done)
		require.EqualValues(t, 1, r.Stats().TimedOut)
		require.EqualValues(t, 1, r.Stats().Failed)
		require.ErrorIs(t, leaked.Err(), context.DeadlineExceeded)
	})
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "job")
		var leaked context.Context
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			leaked = ctx
			_, ok := ctx.Deadline()
			require.False(t, ok)
			return nil
		})
		stop := run(t, r)
		synctest.Wait()
		stop(nil)
		require.ErrorIs(t, leaked.Err(), context.Canceled, "a context ends with its handler, also where it was never asked")
		<-leaked.Done()
	})
}
