package worker_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// pages is a handler that notes begin and end, and takes a second.
func pages(log *diary, result func(d *inq.Delivery) error) worker.HandlerFunc {
	return func(ctx context.Context, d *inq.Delivery) error {
		log.add("%s.%d", d.Body, d.ReceiveCount)
		time.Sleep(time.Second)
		if result == nil {
			return nil
		}
		return result(d)
	}
}

// of returns the lines that tell of a group, without its name.
func of(group string, lines []string) (its []string) {
	for _, line := range lines {
		if strings.Contains(line, " "+group+"/") {
			its = append(its, strings.Replace(line, group+"/", "", 1))
		}
	}
	return its
}

func TestFIFO_GroupsInParallelMessagesInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		send(t, q, "a/1", "a/2", "b/1", "a/3", "b/2", "c/1")
		log := newDiary()
		r := newRunner(t, q, pages(log, nil))
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{"0s 1.1", "1s 2.1", "2s 3.1"}, of("a", log.get()))
		require.Equal(t, []string{"0s 1.1", "1s 2.1"}, of("b", log.get()))
		require.Equal(t, []string{"0s 1.1"}, of("c", log.get()))
		require.Equal(t, inq.Counts{}, counts(t, q))
		require.EqualValues(t, 6, r.Stats().Succeeded)
	})
}

// A failure holds back its group and only it, and costs those behind it no try.
func TestFIFO_AFailureHoldsBackItsGroupOnly(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		second int // attempt
	}{
		"failure":     {errBad, 2},
		"retry after": {worker.RetryAfter(10*time.Second, errBad), 2},
		"snooze":      {worker.Snooze(10 * time.Second), 1},
		"bury":        {worker.Bury(errBad), 2}, // into nothing
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				q := fifo(t)
				send(t, q, "a/1", "a/2", "a/3", "b/1", "b/2")
				log := newDiary()
				n := 0
				r := newRunner(t, q, pages(log, func(d *inq.Delivery) error {
					if d.Body == "a/1" {
						if n++; n == 1 {
							return c.err
						}
					}
					return nil
				}), after(10*time.Second))
				stop := run(t, r)
				time.Sleep(time.Minute)
				stop(nil)
				again := "11s 1.2"
				if c.second == 1 {
					again = "11s 1.1"
				}
				require.Equal(t, []string{"0s 1.1", again, "12s 2.1", "13s 3.1"}, of("a", log.get()))
				require.Equal(t, []string{"0s 1.1", "1s 2.1"}, of("b", log.get()))
				require.EqualValues(t, 2, r.Stats().Returned)
			})
		})
	}
}

// A retry at once still comes before what is behind.
func TestFIFO_ARetryAtOnceKeepsTheOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		send(t, q, "a/1", "a/2", "a/3")
		log := newDiary()
		r := newRunner(t, q, pages(log, func(d *inq.Delivery) error {
			if d.ReceiveCount == 1 {
				return errBad
			}
			return nil
		}), after(0))
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{"0s 1.1", "1s 1.2", "2s 2.1", "3s 2.2", "4s 3.1", "5s 3.2"}, of("a", log.get()))
		require.EqualValues(t, 4, r.Stats().Receives-r.Stats().EmptyReceives, "all that is left comes at once, but for what was behind in a line")
	})
}

func TestFIFO_WhatIsBuriedIsOutOfTheWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		target, reasons := buried(10)
		q := fifo(t, target)
		send(t, q, "a/1", "a/2")
		log := newDiary()
		r := newRunner(t, q, pages(log, func(d *inq.Delivery) error {
			if d.Body == "a/1" {
				return worker.Bury(errBad)
			}
			return nil
		}))
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{"0s 1.1", "1s 2.1"}, of("a", log.get()))
		require.Len(t, *reasons, 1)
	})
}

// Where nothing can be given back uncounted, messages are received one at a time.
func TestFIFO_WithoutReturnOneAtATime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		send(t, q, "a/1", "a/2", "a/3", "b/1", "b/2")
		log := newDiary()
		r := newRunner(t, bare{q}, pages(log, func(d *inq.Delivery) error {
			if d.Body == "a/1" && d.ReceiveCount == 1 {
				return errBad
			}
			return nil
		}), after(10*time.Second))
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{"0s 1.1", "11s 1.2", "12s 2.1", "13s 3.1"}, of("a", log.get()))
		require.Equal(t, []string{"0s 1.1", "1s 2.1"}, of("b", log.get()))
		require.Zero(t, r.Stats().Returned)
		require.Equal(t, r.Stats().Received, r.Stats().Receives-r.Stats().EmptyReceives)
	})
}

// What waits in a line is extended with what runs.
func TestFIFO_WhatWaitsKeepsItsLease(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		send(t, q, "a/1", "a/2", "a/3")
		log := newDiary()
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			log.add("%s.%d", d.Body, d.ReceiveCount)
			time.Sleep(time.Minute)
			return ctx.Err()
		}, worker.WithConcurrency(3))
		stop := run(t, r)
		time.Sleep(10 * time.Second)
		require.Equal(t, 2, r.Stats().Waiting)
		time.Sleep(5 * time.Minute)
		stop(nil)
		require.Equal(t, []string{"0s a/1.1", "1m0s a/2.1", "2m0s a/3.1"}, log.get())
		require.Zero(t, r.Stats().Lost)
	})
}

// Where the lease of one that waits is lost, it and all behind it come again, those behind
// uncounted.
func TestFIFO_OneThatWaitsLosesItsLease(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &onFIFO{FIFO: fifo(t)}
		second := ""
		q.change = q.except(&second)
		q.seen = func(d inq.Delivery) {
			if d.Body == "a/2" && d.ReceiveCount == 1 {
				second = d.ReceiptHandle()
			}
		}
		send(t, q, "a/1", "a/2", "a/3")
		log := newDiary()
		r := newRunner(t, q, func(_ context.Context, d *inq.Delivery) error {
			log.add("%s.%d", d.Body, d.ReceiveCount)
			if d.Body == "a/1" {
				time.Sleep(time.Minute)
			}
			return nil
		})
		stop := run(t, r)
		time.Sleep(2 * time.Minute)
		stop(nil)
		require.Equal(t, []string{"0s a/1.1", "1m0s a/2.2", "1m0s a/3.1"}, log.get())
		require.EqualValues(t, 1, r.Stats().Lost)
		require.EqualValues(t, 1, r.Stats().Returned)
	})
}

// Somebody who waits for what is given back gets all of it at once.
func TestFIFO_WhatIsGivenBackComesTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		send(t, q, "a/1", "a/2", "a/3")
		r := newBatch(t, q, func(context.Context, []inq.Delivery) error { return nil }, 10, time.Minute)
		stop := run(t, r)
		time.Sleep(time.Second)
		var got []inq.Delivery
		done := make(chan error)
		go func() {
			var err error
			got, err = q.Receive(t.Context(), inq.ReceiveInput{Max: 10, Wait: 20 * time.Second})
			done <- err
		}()
		synctest.Wait()
		stop(nil)
		require.NoError(t, <-done)
		require.Len(t, got, 3)
	})
}

func TestFIFO_StopGivesBackWhatWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		send(t, q, "a/1", "a/2", "a/3")
		r := newRunner(t, q, pages(newDiary(), nil))
		stop := run(t, r)
		time.Sleep(time.Second / 2)
		stop(nil)
		require.EqualValues(t, 1, r.Stats().Succeeded)
		require.EqualValues(t, 2, r.Stats().Returned)
		ds := take(t, q)
		require.Len(t, ds, 2)
		for i, body := range []string{"a/2", "a/3"} {
			require.Equal(t, body, ds[i].Body)
			require.Equal(t, 1, ds[i].ReceiveCount)
		}
	})
}

// onFIFO is a FIFO queue of which a test takes over some calls.
type onFIFO struct {
	*inq.FIFO
	change func(ctx context.Context, changes []inq.VisibilityChange) error
	delete func(ctx context.Context, handle string) error
	seen   func(d inq.Delivery)
}

func (q *onFIFO) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	ds, err := q.FIFO.Receive(ctx, in)
	for i := range ds {
		if q.seen != nil {
			q.seen(ds[i])
		}
	}
	return ds, err
}

// except changes everything but the receive with this handle.
func (q *onFIFO) except(handle *string) func(ctx context.Context, changes []inq.VisibilityChange) error {
	return func(ctx context.Context, changes []inq.VisibilityChange) error {
		var failed inq.BatchError
		for i, c := range changes {
			err := errBad
			if c.ReceiptHandle != *handle {
				err = q.ChangeVisibility(ctx, c.ReceiptHandle, c.Timeout)
			}
			if err != nil {
				failed.Failed = append(failed.Failed, inq.BatchFailure{Index: i, Err: err})
			}
		}
		if len(failed.Failed) > 0 {
			return &failed
		}
		return nil
	}
}

func (q *onFIFO) ChangeVisibilityBatch(ctx context.Context, changes []inq.VisibilityChange) error {
	if q.change != nil {
		return q.change(ctx, changes)
	}
	return q.FIFO.ChangeVisibilityBatch(ctx, changes)
}

func (q *onFIFO) Delete(ctx context.Context, handle string) error {
	if q.delete != nil {
		return q.delete(ctx, handle)
	}
	return q.FIFO.Delete(ctx, handle)
}

// A message of which the lease was lost comes again while its first handler still runs. The two do
// not overlap in one runner, and what was behind comes after.
func TestFIFO_ALostLeaseDoesNotMakeAGroupOverlap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &onFIFO{FIFO: fifo(t)}
		broken := true
		q.change = func(ctx context.Context, changes []inq.VisibilityChange) error {
			if broken {
				return errBad
			}
			return q.FIFO.ChangeVisibilityBatch(ctx, changes)
		}
		send(t, q, "a/1", "a/2")
		log := newDiary()
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			log.add("%s.%d begins", d.Body, d.ReceiveCount)
			if d.ReceiveCount == 1 && d.Body == "a/1" {
				<-ctx.Done()
				time.Sleep(2 * time.Second)
				broken = false
			}
			log.add("%s.%d ends", d.Body, d.ReceiveCount)
			return nil
		})
		stop := run(t, r)
		time.Sleep(2 * time.Minute)
		stop(nil)
		require.Equal(t, []string{"0s a/1.1 begins", "32s a/1.1 ends", "32s a/1.2 begins", "32s a/1.2 ends", "32s a/2.2 begins", "32s a/2.2 ends"}, log.get())
		require.Zero(t, r.Stats().Returned)
	})
}

func TestFIFO_AStuckHandlerHoldsUpItsGroupNoLongerThanItsLease(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		send(t, q, "a/1", "a/2")
		log := newDiary()
		release := make(chan struct{})
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			log.add("%s.%d", d.Body, d.ReceiveCount)
			if d.ReceiveCount == 1 && d.Body == "a/1" {
				<-release
			}
			return nil
		}, worker.WithTimeout(10*time.Second))
		stop := run(t, r)
		time.Sleep(2 * time.Minute)
		// Stuck at 15s: what was behind is given back. The lease ends at 30s.
		require.Equal(t, []string{"0s a/1.1", "30s a/1.2", "30s a/2.1"}, log.get())
		close(release)
		synctest.Wait()
		stop(nil)
		require.EqualValues(t, 1, r.Stats().Lost)
		require.EqualValues(t, 2, r.Stats().Succeeded)
	})
}

// The next of a group begins when its predecessor is deleted, and not before.
func TestFIFO_TheDeleteComesFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &onFIFO{FIFO: fifo(t)}
		n := 0
		q.delete = func(ctx context.Context, handle string) error {
			if n++; n <= 3 {
				return errBad
			}
			return q.FIFO.Delete(ctx, handle)
		}
		send(t, q, "a/1", "a/2")
		log := newDiary()
		r := newRunner(t, q, pages(log, nil))
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{"0s a/1.1", "1.7s a/2.1"}, log.get())
	})
	bubble(t, func(t *testing.T) { // and where it fails until the lease is over, the group comes again
		q := &onFIFO{FIFO: fifo(t)}
		q.delete = func(ctx context.Context, handle string) error {
			if time.Now().Second() < 30 {
				return errBad
			}
			return q.FIFO.Delete(ctx, handle)
		}
		send(t, q, "a/1", "a/2")
		log := newDiary()
		r := newRunner(t, q, pages(log, nil))
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{"0s a/1.1", "30s a/1.2", "31s a/2.1"}, log.get())
	})
}

// Groups of one runner never have two handlers at once, however many there are.
func TestFIFO_ManyGroups(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		groups := "abcdefghijklmnopqrstuvwxyz"
		for n := range 40 {
			for _, g := range groups {
				send(t, q, string(g)+"/"+string(rune('0'+n)))
			}
		}
		var mu sync.Mutex
		inside, last := map[string]bool{}, map[string]string{}
		r := newRunner(t, q, func(_ context.Context, d *inq.Delivery) error {
			mu.Lock()
			require.False(t, inside[d.GroupID])
			require.Less(t, last[d.GroupID], d.Body)
			inside[d.GroupID], last[d.GroupID] = true, d.Body
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			inside[d.GroupID] = false
			mu.Unlock()
			return nil
		}, worker.WithConcurrency(26))
		stop := run(t, r)
		time.Sleep(40*time.Second + 1)
		stop(nil)
		require.EqualValues(t, 26*40, r.Stats().Succeeded, "all groups were busy all the time")
	})
}
