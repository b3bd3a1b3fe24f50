package inq

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answer is what a receive in another goroutine returned, and when.
type answer struct {
	ds  []Delivery
	err error
	at  time.Duration
}

func (a answer) bodies() (out []string) {
	for i := range a.ds {
		out = append(out, a.ds[i].Body)
	}
	return out
}

// await starts a long poll and returns once it waits. Times count from then.
func await(ctx context.Context, q *queue, in ReceiveInput) <-chan answer {
	c := make(chan answer, 1)
	start := time.Now()
	go func() {
		ds, err := q.Receive(ctx, in)
		c <- answer{ds, err, time.Since(start)}
	}()
	synctest.Wait()
	return c
}

var dedupIDs atomic.Int64

// sendAll sends messages; on FIFO none is a duplicate, and the group is g where none is given.
func sendAll(t testing.TB, q *queue, ms ...Message) {
	t.Helper()
	for _, m := range ms {
		if q.fifo != nil {
			m.DeduplicationID = fmt.Sprint("sendAll-", dedupIDs.Add(1))
			if m.GroupID == "" {
				m.GroupID = "g"
			}
		}
		_, err := q.Send(context.Background(), m)
		require.NoError(t, err)
	}
}

func take(t testing.TB, q *queue, in ReceiveInput) []Delivery {
	t.Helper()
	ds, err := q.Receive(context.Background(), in)
	require.NoError(t, err)
	return ds
}

// onBoth runs a test on either type of queue, each in a bubble.
func onBoth(t *testing.T, test func(t *testing.T, q *queue), opts ...Option) {
	t.Run("Standard", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var so []StandardOption
			for _, o := range opts {
				so = append(so, o)
			}
			test(t, &testStandard(t, so...).queue)
		})
	})
	t.Run("FIFO", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var fo []FIFOOption
			for _, o := range opts {
				fo = append(fo, o)
			}
			test(t, &testFIFO(t, fo...).queue)
		})
	})
}

const longest = 20 * time.Second

func TestWait_ReceivesAreServedInTheOrderTheyCame(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		var waits []<-chan answer
		for range 5 {
			waits = append(waits, await(context.Background(), q, ReceiveInput{Wait: longest}))
			time.Sleep(time.Second)
		}
		for i, c := range waits {
			sendAll(t, q, Message{Body: fmt.Sprint(i), GroupID: fmt.Sprint(i)})
			a := <-c
			require.NoError(t, a.err)
			require.Equal(t, []string{fmt.Sprint(i)}, a.bodies())
			checkInvariants(t, q)
		}
	})
}

func TestWait_CancellingOneDelaysNoOther(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		for _, gone := range []int{0, 2, 4} {
			ctx, cancel := context.WithCancel(context.Background())
			var waits []<-chan answer
			for i := range 5 {
				c := context.Background()
				if i == gone {
					c = ctx
				}
				waits = append(waits, await(c, q, ReceiveInput{Wait: longest}))
			}
			cancel()
			require.Equal(t, context.Canceled, (<-waits[gone]).err)
			checkInvariants(t, q)
			for i, c := range waits {
				if i == gone {
					continue
				}
				sendAll(t, q, Message{Body: fmt.Sprint(i), GroupID: fmt.Sprint(i)})
				a := <-c
				require.Equal(t, []string{fmt.Sprint(i)}, a.bodies())
				require.Zero(t, a.at)
				require.NoError(t, a.ds[0].Delete(context.Background()))
			}
		}
	})
}

func TestWait_RCV5_IsWokenByWhateverMakesAMessageReceivableAtThatVeryInstant(t *testing.T) {
	ctx := context.Background()
	const at = 3*time.Second + 7
	// later does something while a receive waits.
	later := func(f func()) {
		go func() {
			time.Sleep(at)
			f()
		}()
	}
	type story struct {
		name string
		only string // "" for both types
		opts []Option
		set  func(t *testing.T, q *queue)
		want time.Duration
	}
	flying := func(t *testing.T, q *queue, timeout time.Duration) Delivery {
		sendAll(t, q, Message{Body: "m"})
		return take(t, q, ReceiveInput{VisibilityTimeout: timeout})[0]
	}
	for _, c := range []story{
		{name: "a send", want: at, set: func(t *testing.T, q *queue) {
			later(func() { sendAll(t, q, Message{Body: "m"}) })
		}},
		{name: "the end of a delay", only: "Standard", want: at, set: func(t *testing.T, q *queue) {
			sendAll(t, q, Message{Body: "m", Delay: at})
		}},
		{name: "the end of the queue's delay", want: at, opts: []Option{WithDelay(at)}, set: func(t *testing.T, q *queue) {
			sendAll(t, q, Message{Body: "m"})
		}},
		{name: "a shorter delay of the queue", only: "FIFO", want: at, opts: []Option{WithDelay(time.Minute)}, set: func(t *testing.T, q *queue) {
			sendAll(t, q, Message{Body: "m"})
			later(func() { require.NoError(t, q.configure(&patch{set: setDelay})) })
		}},
		{name: "a visibility timeout", want: at, set: func(t *testing.T, q *queue) { flying(t, q, at) }},
		{name: "an extended visibility timeout", want: at, set: func(t *testing.T, q *queue) {
			d := flying(t, q, time.Second)
			require.NoError(t, d.ChangeVisibility(ctx, at))
		}},
		{name: "a visibility changed to zero", want: at, set: func(t *testing.T, q *queue) {
			d := flying(t, q, time.Hour)
			later(func() { require.NoError(t, d.ChangeVisibility(ctx, 0)) })
		}},
		{name: "a visibility changed to zero in a batch", want: at, set: func(t *testing.T, q *queue) {
			d := flying(t, q, time.Hour)
			later(func() { require.NoError(t, q.ChangeVisibilityBatch(ctx, []VisibilityChange{{d.ReceiptHandle(), 0}})) })
		}},
		{name: "a return", want: at, set: func(t *testing.T, q *queue) {
			d := flying(t, q, time.Hour)
			later(func() { require.NoError(t, d.Return(ctx, 0)) })
		}},
		{name: "the delay of a return", want: at, set: func(t *testing.T, q *queue) {
			d := flying(t, q, time.Hour)
			require.NoError(t, d.Return(ctx, at))
		}},
		{name: "a delete that unlocks the group", only: "FIFO", want: at, set: func(t *testing.T, q *queue) {
			d := flying(t, q, time.Hour)
			sendAll(t, q, Message{Body: "m"})
			later(func() { require.NoError(t, d.Delete(ctx)) })
		}},
		{name: "an expiry that unlocks the group", only: "FIFO", want: at, opts: []Option{WithRetention(time.Minute)}, set: func(t *testing.T, q *queue) {
			flying(t, q, time.Hour)
			time.Sleep(time.Minute - at)
			sendAll(t, q, Message{Body: "m"})
		}},
		{name: "a delete where the limit in flight was reached", want: at, set: func(t *testing.T, q *queue) {
			q.limit = 1
			d := flying(t, q, time.Hour)
			sendAll(t, q, Message{Body: "m", GroupID: "other"})
			later(func() { require.NoError(t, d.Delete(ctx)) })
		}},
		{name: "a batch of deletes where the limit in flight was reached", want: at, set: func(t *testing.T, q *queue) {
			q.limit = 1
			d := flying(t, q, time.Hour)
			sendAll(t, q, Message{Body: "m", GroupID: "other"})
			later(func() { require.NoError(t, q.DeleteAll(ctx, []Delivery{d})) })
		}},
		{name: "an expiry where the limit in flight was reached", want: at, opts: []Option{WithRetention(time.Minute)}, set: func(t *testing.T, q *queue) {
			q.limit = 1
			flying(t, q, time.Hour)
			time.Sleep(time.Minute - at)
			sendAll(t, q, Message{Body: "m", GroupID: "other"})
		}},
		{name: "a dead letter", want: at, set: func(t *testing.T, q *queue) {
			later(func() { require.NoError(t, q.DeadLetter(ctx, DeadLetter{Body: "m", GroupID: "g"})) })
		}},
		{name: "a move task", want: at, set: func(t *testing.T, q *queue) {
			var from *queue
			if q.fifo != nil {
				from = &testFIFO(t).queue
			} else {
				from = &testStandard(t).queue
			}
			sendAll(t, from, Message{Body: "m"})
			later(func() {
				task, err := from.Redrive(ctx, RedriveInput{Destination: q.self})
				require.NoError(t, err)
				<-task.Done()
				require.NoError(t, task.Err())
			})
		}},
		{name: "the next try of a dead letter whose target is gone by then", want: time.Second, set: func(t *testing.T, q *queue) {
			err := ErrFull
			target := DeadLetterFunc(func(context.Context, DeadLetter) error {
				defer func() { err = ErrClosed }()
				return err
			})
			d := flying(t, q, time.Hour)
			require.NoError(t, q.configure(&patch{settings: settings{target: target, maxReceives: 1}, set: setDeadLetter}))
			require.NoError(t, d.ChangeVisibility(ctx, 0))
		}},
	} {
		if c.only == "FIFO" {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					q := &testFIFO(t, FIFOOptions(Options(c.opts...))).queue
					c.set(t, q)
					a := <-await(ctx, q, ReceiveInput{Wait: longest})
					require.Equal(t, []string{"m"}, a.bodies())
					require.Equal(t, c.want, a.at)
				})
			})
			continue
		}
		if c.only == "Standard" {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					q := &testStandard(t, StandardOptions(Options(c.opts...))).queue
					c.set(t, q)
					a := <-await(ctx, q, ReceiveInput{Wait: longest})
					require.Equal(t, []string{"m"}, a.bodies())
					require.Equal(t, c.want, a.at)
				})
			})
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, q *queue) {
				c.set(t, q)
				a := <-await(ctx, q, ReceiveInput{Wait: longest})
				require.NoError(t, a.err)
				require.Equal(t, []string{"m"}, a.bodies())
				require.Equal(t, c.want, a.at)
			}, c.opts...)
		})
	}
}

func TestWait_CloseEndsAllAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		var waits []<-chan answer
		for range 100 {
			waits = append(waits, await(context.Background(), q, ReceiveInput{Wait: longest}))
		}
		time.Sleep(5 * time.Second)
		var closers sync.WaitGroup
		for range 100 {
			closers.Go(func() { assert.NoError(t, q.Close()) })
		}
		closers.Wait()
		for _, c := range waits {
			a := <-c
			require.Equal(t, ErrClosed, a.err)
			require.Empty(t, a.ds)
			require.Equal(t, 5*time.Second, a.at)
		}
		checkInvariants(t, q)
	})
}

func TestWait_RCV5_EndsAtTheExactInstant(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		for _, wait := range []time.Duration{1, 999, time.Millisecond, time.Second - 1, time.Second, longest - 1, longest} {
			a := <-await(context.Background(), q, ReceiveInput{Wait: wait})
			require.NoError(t, a.err)
			require.Nil(t, a.ds)
			require.Equal(t, wait, a.at)
		}
		require.EqualValues(t, 7, q.Stats().EmptyReceives)
	})
}

func TestWait_RCV5_AMessageOfTheSameInstantWinsOverTheEndOfTheWait(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		sendAll(t, q, Message{Body: "m"})
		for range 2 {
			require.Len(t, take(t, q, ReceiveInput{VisibilityTimeout: longest}), 1)
			a := <-await(context.Background(), q, ReceiveInput{Wait: longest, VisibilityTimeout: longest})
			require.Equal(t, []string{"m"}, a.bodies())
			require.Equal(t, longest, a.at)
			a = <-await(context.Background(), q, ReceiveInput{Wait: longest - 1})
			require.Empty(t, a.bodies(), "one nanosecond before")
			time.Sleep(time.Nanosecond)
		}
	})
}

func TestWait_ALongPollLeavesNothingBehind(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		for range 50 {
			ctx, cancel := context.WithCancel(context.Background())
			ended := await(context.Background(), q, ReceiveInput{Wait: time.Second})
			cut := await(ctx, q, ReceiveInput{Wait: longest})
			cancel()
			require.Equal(t, context.Canceled, (<-cut).err)
			require.NoError(t, (<-ended).err)
		}
		// The bubble fails where a goroutine is left.
		q.mu.Lock()
		defer q.mu.Unlock()
		require.LessOrEqual(t, len(q.waitSlots), 1, "no more than the spare one")
		require.Zero(t, q.deadlines.Len())
	})
}

func TestWait_AThousandReceivesAndAThousandMessages(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		const n = 1000
		var waits []<-chan answer
		for range n {
			waits = append(waits, await(context.Background(), q, ReceiveInput{Wait: longest}))
		}
		checkInvariants(t, q)
		for i := range n {
			sendAll(t, q, Message{Body: fmt.Sprint(i), GroupID: fmt.Sprint(i)})
		}
		for i, c := range waits {
			require.Equal(t, []string{fmt.Sprint(i)}, (<-c).bodies())
		}
		require.Equal(t, n, q.Stats().NotVisible)
		require.Zero(t, q.Stats().WaitingReceives)
	})
}

func TestWait_AHandOffThatBeatTheCancelIsReturned(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		park := func() *waiter {
			q.mu.Lock()
			defer q.mu.Unlock()
			w := q.newWaiterLocked(&receiveCall{max: 1, visibility: time.Hour}, nil)
			q.parkLocked(w, never)
			return w
		}
		late := park()
		sendAll(t, q, Message{Body: "m"})
		require.True(t, q.abandon(late), "it has the message")
		require.Equal(t, 1, late.n)
		require.Empty(t, late.wake, "the token is taken: it may be used again")
		early := park()
		require.False(t, q.abandon(early))
		q.dropWaiter(late)
		q.dropWaiter(early)
		require.Equal(t, 1, q.Stats().NotVisible)
	})
}

// raceRounds is how often a race is run: fewer times where each round is slow.
func raceRounds(t *testing.T) int {
	if testing.Short() {
		return 1000
	}
	return 20_000
}

func TestWait_CancellingWhileAMessageComesLosesAndDoublesNothing(t *testing.T) {
	q := testStandard(t)
	ctx := context.Background()
	type result struct {
		ds  []Delivery
		err error
	}
	calls := make(chan context.Context)
	results := make(chan result)
	go func() {
		for c := range calls {
			ds, err := q.Receive(c, ReceiveInput{Wait: longest, VisibilityTimeout: time.Hour})
			results <- result{ds, err}
		}
	}()
	defer close(calls)
	got, cancelled := 0, 0
	for round := range raceRounds(t) {
		c, cancel := context.WithCancel(ctx)
		calls <- c
		body := fmt.Sprint(round)
		go cancel()
		if round%3 == 0 {
			runtime.Gosched()
		}
		_, err := q.Send(ctx, Message{Body: body})
		require.NoError(t, err)
		r := <-results
		if r.err != nil {
			require.Equal(t, context.Canceled, r.err)
			cancelled++
			r.ds = take(t, &q.queue, ReceiveInput{})
		} else {
			got++
		}
		require.Len(t, r.ds, 1, "round %d", round)
		require.Equal(t, body, r.ds[0].Body)
		require.Equal(t, 1, r.ds[0].ReceiveCount, "a cancelled receive must not count")
		require.NoError(t, r.ds[0].Delete(ctx))
		cancel()
	}
	t.Logf("%d received, %d cancelled", got, cancelled)
	require.Equal(t, Counts{}, q.Stats().Counts)
}

func TestWait_WaitersAreUsedAgainWithoutMixingThemUp(t *testing.T) {
	q := testFIFO(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	const workers = 4
	rounds := raceRounds(t) / 10
	var got atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				cut, cancel := context.WithTimeout(ctx, time.Millisecond)
				ds, err := q.Receive(cut, ReceiveInput{Wait: longest, VisibilityTimeout: time.Hour})
				cancel()
				if err == nil && len(ds) == 1 {
					if ds[0].Delete(context.Background()) != nil || ds[0].ReceiveCount != 1 {
						t.Errorf("%s is not this receive's own", ds[0].Body)
					}
					if got.Add(1) == int64(rounds) {
						stop()
					}
				}
				if ctx.Err() != nil {
					return
				}
			}
		})
	}
	for i := range rounds {
		sendAll(t, &q.queue, Message{Body: fmt.Sprint(i), GroupID: fmt.Sprint(i % 7)})
	}
	wg.Wait()
	require.Equal(t, Counts{}, q.Stats().Counts)
}

func TestWait_CloseInTheMiddleOfEverything(t *testing.T) {
	for range 20 {
		onBoth(t, func(t *testing.T, q *queue) {
			ctx := context.Background()
			var wg sync.WaitGroup
			for w := 1; w <= 6; w++ {
				wg.Go(func() {
					for i := 0; ; i++ {
						m := Message{Body: "m"}
						if q.fifo != nil {
							m.GroupID, m.DeduplicationID = fmt.Sprint("g", w), fmt.Sprint(w, "-", i)
						}
						if _, err := q.Send(ctx, m); err != nil {
							assert.ErrorIs(t, err, ErrClosed)
							return
						}
						ds, err := q.Receive(ctx, ReceiveInput{Max: 3, Wait: time.Duration(w) * time.Second})
						if err != nil {
							assert.ErrorIs(t, err, ErrClosed)
							return
						}
						for i := range ds {
							if err := ds[i].Return(ctx, time.Duration(w)); err != nil {
								assert.ErrorIs(t, err, ErrClosed)
								return
							}
						}
						time.Sleep(time.Duration(w) * time.Millisecond)
					}
				})
			}
			time.Sleep(10 * time.Millisecond)
			require.NoError(t, q.Close())
			wg.Wait()
			checkInvariants(t, q)
			_, err := q.Receive(ctx, ReceiveInput{})
			require.Equal(t, ErrClosed, err)
		})
	}
}

func TestWait_ManyThatEndAtOneInstantEndInBoundedSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 2*stepBudget + 10
		q := testStandard(t)
		for range n {
			go func() { _, _ = q.Receive(context.Background(), ReceiveInput{Wait: 20 * time.Second}) }()
		}
		synctest.Wait()
		untilDue(&q.queue, 20*time.Second)
		now, err := q.enter()
		require.NoError(t, err)
		more, left := q.endWaitsLocked(now, false), q.waiters.len
		_ = q.leave(now)
		require.True(t, more)
		require.Equal(t, n-stepBudget, left)
		q.timerFired()
		s := q.Stats()
		require.Zero(t, s.WaitingReceives)
		require.EqualValues(t, n, s.EmptyReceives)
	})
}
