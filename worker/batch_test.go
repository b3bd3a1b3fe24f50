package worker_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// batches is a batch handler that notes what it gets.
func batches(log *diary, result func(ds []inq.Delivery) error) func(context.Context, []inq.Delivery) error {
	return func(_ context.Context, ds []inq.Delivery) error {
		text := ""
		for i := range ds {
			text += " " + ds[i].Body + "." + strconv.Itoa(ds[i].ReceiveCount)
		}
		log.add("%d:%s", len(ds), text)
		if result == nil {
			return nil
		}
		return result(ds)
	}
}

func newBatch(t *testing.T, q inq.Queue, h func(context.Context, []inq.Delivery) error, max int, wait time.Duration, opts ...worker.Option) *worker.Runner {
	t.Helper()
	r, err := worker.NewBatch(q, h, max, wait, append([]worker.Option{quiet, after(10 * time.Second)}, opts...)...)
	require.NoError(t, err)
	return r
}

// A batch begins when it is full, or when the first of it has waited long enough.
func TestBatch_IsFullOrHasWaited(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		log := newDiary()
		r := newBatch(t, q, batches(log, nil), 3, 5*time.Second)
		stop := run(t, r)
		for i := range 5 {
			time.Sleep(time.Second)
			send(t, q, strconv.Itoa(i))
		}
		time.Sleep(time.Second)
		require.Equal(t, 2, r.Stats().Waiting)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{"3s 3: 0.1 1.1 2.1", "9s 2: 3.1 4.1"}, log.get())
		require.EqualValues(t, 5, r.Stats().Succeeded)
	})
}

func TestBatch_WithoutAWaitIsWhatOneReceiveBrings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		for i := range 12 {
			send(t, q, strconv.Itoa(i))
		}
		log := newDiary()
		r := newBatch(t, q, batches(log, nil), 100, 0, worker.WithConcurrency(1))
		stop := run(t, r)
		time.Sleep(time.Second)
		stop(nil)
		require.Equal(t, []string{"0s 10: 0.1 1.1 2.1 3.1 4.1 5.1 6.1 7.1 8.1 9.1", "0s 2: 10.1 11.1"}, log.get())
	})
}

// A batch can be larger than what one receive brings, and what waits in it is extended.
func TestBatch_OfManyReceivesKeepsItsLeases(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		for i := range 35 {
			send(t, q, strconv.Itoa(i))
		}
		sizes := []int{}
		r := newBatch(t, q, func(ctx context.Context, ds []inq.Delivery) error {
			sizes = append(sizes, len(ds))
			time.Sleep(2 * time.Minute)
			return ctx.Err()
		}, 50, 5*time.Minute, worker.WithConcurrency(1))
		stop := run(t, r)
		time.Sleep(4 * time.Minute)
		require.Equal(t, 35, counts(t, q).NotVisible)
		time.Sleep(6 * time.Minute)
		stop(nil)
		require.Equal(t, []int{35}, sizes)
		require.EqualValues(t, 35, r.Stats().Succeeded)
		require.Zero(t, r.Stats().Lost)
	})
}

// A batch is collected only while a slot is free for it.
func TestBatch_IsCollectedForAFreeSlot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		for i := range 12 {
			send(t, q, strconv.Itoa(i))
		}
		r := newBatch(t, q, func(context.Context, []inq.Delivery) error {
			time.Sleep(time.Minute)
			return nil
		}, 4, time.Second, worker.WithConcurrency(2))
		stop := run(t, r)
		time.Sleep(30 * time.Second)
		require.Equal(t, inq.Counts{Visible: 4, NotVisible: 8}, counts(t, q))
		time.Sleep(2 * time.Minute)
		stop(nil)
		require.EqualValues(t, 12, r.Stats().Succeeded)
	})
}

func failure(index int, err error) inq.BatchFailure { return inq.BatchFailure{Index: index, Err: err} }

func TestBatch_FailuresOneByOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		target, reasons := buried(10)
		q := standard(t, target)
		send(t, q, "0", "1", "2", "3", "4")
		log := newDiary()
		r := newBatch(t, q, batches(log, func(ds []inq.Delivery) error {
			if len(ds) < 5 {
				return nil
			}
			return errors.Join(&inq.BatchError{Failed: []inq.BatchFailure{
				failure(0, errBad), failure(1, worker.Snooze(time.Minute)), failure(3, worker.Bury(errBad)), failure(4, worker.RetryAfter(3*time.Second, errBad)),
			}})
		}), 10, time.Second)
		stop := run(t, r)
		time.Sleep(5 * time.Minute)
		stop(nil)
		require.Equal(t, []string{"1s 5: 0.1 1.1 2.1 3.1 4.1", "5s 1: 4.2", "12s 1: 0.2", "1m2s 1: 1.1"}, log.get())
		require.Equal(t, []string{"3: bad"}, *reasons)
		s := r.Stats()
		require.EqualValues(t, []uint64{4, 2, 1, 1}, []uint64{s.Succeeded, s.Failed, s.Snoozed, s.Buried})
	})
}

func TestBatch_AnyOtherErrorFailsAll(t *testing.T) {
	for name, result := range map[string]func() error{
		"error":         func() error { return errBad },
		"panic":         func() error { panic(errBad) },
		"unknown index": func() error { return &inq.BatchError{Failed: []inq.BatchFailure{failure(7, errBad)}} },
		"no reason":     func() error { return &inq.BatchError{Failed: []inq.BatchFailure{failure(0, nil), failure(1, nil)}} },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				q := standard(t)
				send(t, q, "0", "1")
				log := newDiary()
				r := newBatch(t, q, batches(log, func(ds []inq.Delivery) error {
					if ds[0].ReceiveCount > 1 {
						return nil
					}
					return result()
				}), 10, time.Second)
				stop := run(t, r)
				time.Sleep(time.Minute)
				stop(nil)
				require.Equal(t, "1s 2: 0.1 1.1", log.get()[0])
				require.EqualValues(t, 2, r.Stats().Failed)
				require.EqualValues(t, 2, r.Stats().Succeeded)
			})
		})
	}
	bubble(t, func(t *testing.T) { // one without failures fails none, as with Lambda
		q := standard(t)
		send(t, q, "0", "1")
		r := newBatch(t, q, func(context.Context, []inq.Delivery) error { return &inq.BatchError{} }, 10, time.Second)
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.EqualValues(t, 2, r.Stats().Succeeded)
	})
}

// On FIFO everything behind a failure in its group comes again after it; other groups do not.
func TestBatch_OnFIFOWhatIsBehindAFailureFailsWithIt(t *testing.T) {
	for _, delay := range []time.Duration{0, 10 * time.Second} {
		bubble(t, func(t *testing.T) {
			q := fifo(t)
			send(t, q, "a/1", "a/2", "b/1", "a/3", "b/2")
			log := newDiary()
			first := true
			r := newBatch(t, q, batches(log, func(ds []inq.Delivery) error {
				if !first {
					return nil
				}
				first = false
				require.Equal(t, "a/2", ds[1].Body)
				return &inq.BatchError{Failed: []inq.BatchFailure{failure(1, errBad)}}
			}), 10, time.Second, after(delay))
			stop := run(t, r)
			time.Sleep(time.Minute)
			stop(nil)
			require.Equal(t, "1s 5: a/1.1 a/2.1 a/3.1 b/1.1 b/2.1", log.get()[0])
			require.Contains(t, log.get()[1], "2: a/2.2 a/3.2")
			require.EqualValues(t, 5, r.Stats().Succeeded)
			require.EqualValues(t, 2, r.Stats().Failed)
		})
	}
}

// The outcomes of a large batch take their time, and what waits for its turn keeps its lease.
func TestBatch_OutcomesThatTakeLongerThanALease(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		q.delete = func(ctx context.Context, handles []string) error {
			time.Sleep(time.Second)
			return q.Standard.DeleteBatch(ctx, handles)
		}
		for i := range 1000 {
			send(t, q, strconv.Itoa(i))
		}
		r := newBatch(t, q, func(_ context.Context, ds []inq.Delivery) error {
			var failed inq.BatchError
			for i := range ds {
				if i%2 == 0 && ds[i].ReceiveCount == 1 {
					failed.Failed = append(failed.Failed, failure(i, errBad))
				}
			}
			return &failed
		}, 1000, time.Second, worker.WithConcurrency(1))
		stop := run(t, r)
		time.Sleep(10 * time.Minute)
		stop(nil)
		s := r.Stats()
		require.EqualValues(t, []uint64{1000, 500, 0}, []uint64{s.Succeeded, s.Failed, s.Lost})
	})
}

// A lost lease drops the result of its message alone, and the context ends when all are lost.
func TestBatch_LostLeases(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		q.change = func(ctx context.Context, changes []inq.VisibilityChange) error {
			if err := q.Standard.ChangeVisibilityBatch(ctx, changes[1:]); err != nil {
				return err
			}
			return &inq.BatchError{Failed: []inq.BatchFailure{failure(0, errBad)}}
		}
		send(t, q, "0", "1", "2")
		var n int
		var cause error
		r := newBatch(t, q, func(ctx context.Context, ds []inq.Delivery) error {
			n++
			if n > 1 {
				return nil
			}
			time.Sleep(35 * time.Second)
			require.NoError(t, ctx.Err())
			<-ctx.Done()
			cause = context.Cause(ctx)
			return nil
		}, 3, time.Second, worker.WithConcurrency(1))
		stop := run(t, r)
		time.Sleep(35 * time.Second)
		require.EqualValues(t, 1, r.Stats().Lost)
		time.Sleep(10 * time.Minute)
		stop(nil)
		require.Equal(t, worker.ErrLeaseLost, cause)
		require.EqualValues(t, 3, r.Stats().Lost)
		require.EqualValues(t, 3, r.Stats().Succeeded)
	})
}

// On FIFO what is behind a message that lost its lease while the batch was collected comes again
// after it.
func TestBatch_OnFIFOALeaseLostBeforeItBegins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &onFIFO{FIFO: fifo(t)}
		first := ""
		q.seen = func(d inq.Delivery) {
			if d.Body == "a/1" && d.ReceiveCount == 1 {
				first = d.ReceiptHandle()
			}
		}
		q.change = q.except(&first)
		send(t, q, "a/1", "a/2", "b/1")
		log := newDiary()
		r := newBatch(t, q, batches(log, nil), 10, time.Minute, worker.WithConcurrency(1))
		stop := run(t, r)
		time.Sleep(5 * time.Minute)
		stop(nil)
		// a/1 comes again at 30s, into the same batch and behind a/2: neither of the two runs now. Both
		// are given back, and come together or one by one.
		require.Equal(t, "1m0s 1: b/1.1", log.get()[0])
		later := strings.Join(log.get()[1:], " ")
		require.Less(t, strings.Index(later, "a/1.2"), strings.Index(later, "a/2.1"))
		require.EqualValues(t, 3, r.Stats().Succeeded)
	})
}

func TestBatch_StopAndPauseGiveBackWhatHasNotBegun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "0", "1")
		log := newDiary()
		r := newBatch(t, q, batches(log, nil), 10, time.Minute)
		stop := run(t, r)
		time.Sleep(time.Second)
		require.Equal(t, inq.Counts{NotVisible: 2}, counts(t, q))
		r.Pause()
		synctest.Wait()
		require.Equal(t, inq.Counts{Visible: 2}, counts(t, q))
		r.Resume()
		time.Sleep(time.Second)
		require.Equal(t, inq.Counts{NotVisible: 2}, counts(t, q))
		stop(nil)
		require.Equal(t, inq.Counts{Visible: 2}, counts(t, q))
		require.Empty(t, log.get())
		require.EqualValues(t, 4, r.Stats().Returned)
		require.Equal(t, 1, take(t, q)[0].ReceiveCount)
	})
	bubble(t, func(t *testing.T) { // where it would cost a try, it begins instead; a stop gives it back all the same
		q := standard(t)
		send(t, q, "0", "1")
		log := newDiary()
		r := newBatch(t, bare{q}, batches(log, nil), 10, time.Minute)
		stop := run(t, r)
		time.Sleep(time.Second)
		r.Pause()
		synctest.Wait()
		require.Equal(t, []string{"1s 2: 0.1 1.1"}, log.get())
		r.Resume()
		send(t, q, "2")
		time.Sleep(time.Second)
		stop(nil)
		require.Equal(t, inq.Counts{Visible: 1}, counts(t, q))
		require.Equal(t, 2, take(t, q)[0].ReceiveCount)
	})
}

func TestBatch_CutOffByTheEndOfTheGrace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		send(t, q, "a/1", "a/2")
		r := newBatch(t, q, func(ctx context.Context, _ []inq.Delivery) error {
			<-ctx.Done()
			return ctx.Err()
		}, 10, time.Second)
		stop := run(t, r)
		time.Sleep(2 * time.Second)
		stop(nil)
		require.EqualValues(t, 2, r.Stats().Returned)
		ds := take(t, q)
		require.Len(t, ds, 2)
		require.Equal(t, 1, ds[0].ReceiveCount)
	})
}
