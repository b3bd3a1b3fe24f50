package worker_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// Messages are received for free slots only.
func TestPoll_NothingIsReceivedWithoutASlot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		for i := range 20 {
			send(t, q, strconv.Itoa(i))
		}
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error {
			time.Sleep(time.Minute)
			return nil
		}, worker.WithConcurrency(3))
		stop := run(t, r)
		for range 7 { // not in the tenth of a second in which a delete waits for others
			time.Sleep(31 * time.Second)
			require.LessOrEqual(t, counts(t, q).NotVisible, 3)
			require.Equal(t, 3, r.Stats().Running)
		}
		stop(nil)
		require.EqualValues(t, 12, r.Stats().Succeeded)
	})
}

func TestPoll_PauseAndResume(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		log := newDiary()
		r := newRunner(t, q, func(_ context.Context, d *inq.Delivery) error {
			log.add("%s.%d", d.Body, d.ReceiveCount)
			time.Sleep(time.Second)
			return nil
		})
		r.Pause() // before Run, and twice
		r.Pause()
		stop := run(t, r)
		send(t, q, "1")
		time.Sleep(10 * time.Second)
		require.True(t, r.Stats().Paused)
		require.Equal(t, inq.Counts{Visible: 1}, counts(t, q))
		r.Resume()
		time.Sleep(10*time.Second + time.Second/2)
		send(t, q, "2")
		time.Sleep(time.Second / 2)
		r.Pause() // while a handler runs and a receive waits
		synctest.Wait()
		send(t, q, "3")
		time.Sleep(10 * time.Second)
		require.Equal(t, inq.Counts{Visible: 1}, counts(t, q))
		r.Resume()
		r.Resume()
		time.Sleep(2 * time.Second)
		require.Equal(t, []string{"10s 1.1", "20.5s 2.1", "31s 3.1"}, log.get())
		r.Pause()
		stop(nil)
		require.EqualValues(t, 3, r.Stats().Succeeded)
		require.Zero(t, r.Stats().Lost+r.Stats().Returned)
	})
}

func TestPoll_PauseGivesBackWhatHasNotBegun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		send(t, q, "a/1", "a/2", "a/3")
		log := newDiary()
		r := newRunner(t, q, pages(log, nil))
		stop := run(t, r)
		time.Sleep(time.Second / 2)
		r.Pause()
		time.Sleep(10 * time.Second)
		require.Equal(t, inq.Counts{Visible: 2}, counts(t, q))
		r.Resume()
		time.Sleep(10 * time.Second)
		stop(nil)
		require.Equal(t, []string{"0s 1.1", "10.5s 2.1", "11.5s 3.1"}, of("a", log.get()))
	})
}

func TestPoll_SetConcurrency(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		for i := range 60 {
			send(t, q, strconv.Itoa(i))
		}
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error {
			time.Sleep(10 * time.Second)
			return nil
		}, worker.WithConcurrency(1))
		r.SetConcurrency(2) // before Run
		stop := run(t, r)
		want := func(running, limit int) {
			t.Helper()
			synctest.Wait()
			require.Equal(t, running, r.Stats().Running)
			require.Equal(t, limit, r.Stats().Concurrency)
		}
		want(2, 2)
		time.Sleep(5 * time.Second)
		r.SetConcurrency(20)
		want(20, 20)
		r.SetConcurrency(-5)
		want(20, 1)
		time.Sleep(5*time.Second + time.Second/2)
		want(18, 1)
		time.Sleep(5 * time.Second)
		want(1, 1)
		r.SetConcurrency(10_000_000)
		synctest.Wait()
		require.Equal(t, 1_000_000, r.Stats().Concurrency)
		time.Sleep(30 * time.Second)
		stop(nil)
		require.EqualValues(t, 60, r.Stats().Succeeded)
	})
}

// A receive that is answered after more slots than there are now asked for messages has brought
// more than may run: they wait, with their leases kept.
func TestPoll_FewerSlotsThanWereAskedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		log := newDiary()
		r := newRunner(t, q, func(_ context.Context, d *inq.Delivery) error {
			log.add("%s.%d", d.Body, d.ReceiveCount)
			time.Sleep(time.Minute)
			return nil
		}, worker.WithConcurrency(10))
		stop := run(t, r)
		synctest.Wait() // ten are asked for
		r.SetConcurrency(1)
		_, err := q.SendBatch(t.Context(), []inq.Message{{Body: "1"}, {Body: "2"}, {Body: "3"}})
		require.NoError(t, err)
		time.Sleep(5 * time.Minute)
		stop(nil)
		require.Equal(t, []string{"0s 1.1", "1m0s 2.1", "2m0s 3.1"}, log.get())
	})
}

// One that waits for a slot until its lease is lost does not run.
func TestPoll_WhatLosesItsLeaseBeforeItBeginsDoesNotRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		q.change = func(context.Context, []inq.VisibilityChange) error { return errBad }
		log := newDiary()
		r := newRunner(t, q, func(ctx context.Context, d *inq.Delivery) error {
			log.add("%s.%d", d.Body, d.ReceiveCount)
			if d.ReceiveCount == 1 {
				<-ctx.Done()
			}
			return nil
		}, worker.WithConcurrency(10))
		stop := run(t, r)
		synctest.Wait()
		r.SetConcurrency(1)
		_, err := q.SendBatch(t.Context(), []inq.Message{{Body: "1"}, {Body: "2"}, {Body: "3"}})
		require.NoError(t, err)
		time.Sleep(5 * time.Minute)
		stop(nil)
		require.Equal(t, []string{"0s 1.1", "30s 1.2", "30s 2.2", "30s 3.2"}, log.get())
		require.EqualValues(t, 3, r.Stats().Lost)
	})
}

// Over a network one receive at a time would bring ten messages per way there and back. As long as
// receives come back full there are more of them.
func TestPoll_FarAwayQueuesAreAskedInParallel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &hooked{Standard: standard(t)}
		var polls, most atomic.Int64
		q.receive = func(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
			n := polls.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			defer polls.Add(-1)
			time.Sleep(20 * time.Millisecond)
			return q.Standard.Receive(ctx, in)
		}
		for i := range 10_000 {
			send(t, q, strconv.Itoa(i))
		}
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error {
			time.Sleep(time.Second)
			return nil
		}, worker.WithConcurrency(1000))
		stop := run(t, r)
		time.Sleep(12 * time.Second)
		require.EqualValues(t, 10, most.Load())
		require.EqualValues(t, 10_000, r.Stats().Succeeded, "one poll would bring 6000 in this time")
		time.Sleep(time.Minute)
		require.EqualValues(t, 1, polls.Load(), "an idle queue is asked by one")
		stop(nil)
	})
}

// An idle runner asks four times a minute by default: half of its visibility timeout is the wait.
func TestPoll_IdleCalls(t *testing.T) {
	for visibility, want := range map[time.Duration]uint64{30 * time.Second: 240, time.Minute: 180, 3 * time.Second: 3600, time.Second: 7200} {
		bubble(t, func(t *testing.T) {
			r := newRunner(t, standard(t), func(context.Context, *inq.Delivery) error { return nil }, worker.WithVisibility(visibility))
			stop := run(t, r)
			time.Sleep(time.Hour + 1)
			require.Equal(t, want, r.Stats().EmptyReceives, visibility)
			stop(nil)
		})
	}
}

// limit lets one through every so often, like a rate.Limiter with a burst: it refuses to wait
// beyond the deadline of a ctx.
type limit struct {
	every time.Duration
	burst int
	from  time.Time
	taken int
	asked int
}

func (l *limit) Wait(ctx context.Context) error {
	l.asked++
	if l.from.IsZero() {
		l.from = time.Now()
	}
	at := l.from.Add(time.Duration(l.taken-l.burst+1) * l.every)
	if end, ok := ctx.Deadline(); ok && end.Before(at) {
		return errors.New("would exceed the deadline")
	}
	select {
	case <-time.After(time.Until(at)):
		l.taken++
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestLimit_IsAskedBeforeTheReceive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		for i := range 20 {
			send(t, q, strconv.Itoa(i))
		}
		log := newDiary()
		l := &limit{every: time.Second, burst: 4}
		r := newRunner(t, q, func(_ context.Context, d *inq.Delivery) error {
			log.add("%s", d.Body)
			return nil
		}, worker.WithLimit(l), worker.WithConcurrency(5))
		stop := run(t, r)
		time.Sleep(5*time.Second + time.Second/2)
		require.Equal(t, inq.Counts{Visible: 11}, counts(t, q), "nothing is leased that may not run")
		stop(nil)
		require.ElementsMatch(t, []string{"0s 0", "0s 1", "0s 2", "0s 3", "1s 4", "2s 5", "3s 6", "4s 7", "5s 8"}, log.get())
		require.LessOrEqual(t, r.Stats().Receives, uint64(6))
	})
}

// What was granted and not used is not asked for again.
func TestLimit_GrantsAreKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		l := &limit{every: time.Minute, burst: 10}
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error { return nil }, worker.WithLimit(l))
		stop := run(t, r)
		for i := range 10 {
			time.Sleep(time.Second)
			send(t, q, strconv.Itoa(i))
		}
		time.Sleep(time.Second)
		stop(nil)
		require.EqualValues(t, 10, r.Stats().Succeeded)
		require.LessOrEqual(t, l.taken, 11)
	})
}

// A limit that fails or panics is like a receive that fails.
func TestLimit_ErrorsAreRetried(t *testing.T) {
	for name, fail := range map[string]func() error{"error": func() error { return errBad }, "panic": func() error { panic("limit") }} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				q := standard(t)
				send(t, q, "job")
				n := 0
				log := newDiary()
				r := newRunner(t, q, func(context.Context, *inq.Delivery) error { log.add("job"); return nil },
					worker.WithLimit(waiter(func(context.Context) error {
						if n++; n <= 2 {
							return fail()
						}
						return nil
					})))
				stop := run(t, r)
				time.Sleep(time.Minute)
				stop(nil)
				require.Equal(t, []string{"300ms job"}, log.get())
				require.EqualValues(t, 2, r.Stats().ReceiveErrors)
			})
		})
	}
}

type waiter func(ctx context.Context) error

func (w waiter) Wait(ctx context.Context) error { return w(ctx) }

// What a busy runner asks for is what it has slots for. With every slot taken one by one it makes a
// receive for each job; the more slots become free during one receive, the more the next brings.
func TestPoll_BusyCalls(t *testing.T) {
	for _, c := range []struct {
		slots int
		run   time.Duration // each job takes from half of it to one and a half
	}{{10, time.Second}, {10, 50 * time.Millisecond}, {100, time.Second}, {100, 50 * time.Millisecond}} {
		bubble(t, func(t *testing.T) {
			q := &hooked{Standard: standard(t)}
			q.receive = func(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
				time.Sleep(15 * time.Millisecond) // as far as Amazon
				return q.Standard.Receive(ctx, in)
			}
			deletes := 0
			var mu sync.Mutex
			q.delete = func(ctx context.Context, handles []string) error {
				mu.Lock()
				deletes++
				mu.Unlock()
				return q.Standard.DeleteBatch(ctx, handles)
			}
			draw := rand.New(rand.NewPCG(1, 2))
			for i := range 5000 {
				send(t, q, strconv.Itoa(i))
			}
			r := newRunner(t, q, func(context.Context, *inq.Delivery) error {
				mu.Lock()
				d := c.run/2 + time.Duration(draw.Int64N(int64(c.run)))
				mu.Unlock()
				time.Sleep(d)
				return nil
			}, worker.WithConcurrency(c.slots))
			stop := run(t, r)
			for r.Stats().Succeeded < 5000 {
				time.Sleep(time.Second)
			}
			s := r.Stats()
			stop(nil)
			t.Logf("%d slots, jobs of %v: %.2f receives and %.2f deletes per job", c.slots, c.run,
				float64(s.Receives-s.EmptyReceives)/5000, float64(deletes)/5000)
			require.LessOrEqual(t, s.Receives-s.EmptyReceives, s.Succeeded)
			require.LessOrEqual(t, deletes, 5000)
		})
	}
}
