package inq

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// liveIn looks at a queue without settling what is due: what it sees is the timer's work alone.
func liveIn(q *queue) int {
	synctest.Wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.store.live
}

func TestRetention_LC3_EndsAtTheExactInstantInEveryState(t *testing.T) {
	ctx := context.Background()
	const retention = time.Minute
	fails := DeadLetterFunc(func(context.Context, DeadLetter) error { return ErrFull })
	take1 := func(t *testing.T, q *queue, timeout time.Duration) Delivery {
		ds := take(t, q, ReceiveInput{VisibilityTimeout: timeout})
		require.Len(t, ds, 1)
		return ds[0]
	}
	for _, c := range []struct {
		name string
		opts []Option
		set  func(t *testing.T, q *queue)
	}{
		{"ready", nil, func(*testing.T, *queue) {}},
		{"delayed", []Option{WithDelay(10 * time.Minute)}, func(*testing.T, *queue) {}},
		{"in flight", nil, func(t *testing.T, q *queue) { take1(t, q, time.Hour) }},
		{"in flight and extended", nil, func(t *testing.T, q *queue) {
			d := take1(t, q, time.Second)
			require.NoError(t, d.ChangeVisibility(ctx, time.Hour))
		}},
		{"received and ready again", nil, func(t *testing.T, q *queue) {
			take1(t, q, time.Second)
			time.Sleep(2 * time.Second)
		}},
		{"received three times", nil, func(t *testing.T, q *queue) {
			for range 3 {
				d := take1(t, q, time.Hour)
				require.NoError(t, d.ChangeVisibility(ctx, 0))
			}
		}},
		{"received four times and in flight", nil, func(t *testing.T, q *queue) {
			for range 3 {
				take1(t, q, time.Second)
				time.Sleep(time.Second)
			}
			take1(t, q, time.Hour)
		}},
		{"returned with a delay", nil, func(t *testing.T, q *queue) {
			d := take1(t, q, time.Hour)
			require.NoError(t, d.Return(ctx, 10*time.Minute))
		}},
		{"waiting for the next try of its target", []Option{WithDeadLetter(fails, 1)}, func(t *testing.T, q *queue) {
			d := take1(t, q, time.Hour)
			require.NoError(t, d.ChangeVisibility(ctx, 0))
			for range 5 {
				require.Empty(t, take(t, q, ReceiveInput{Wait: time.Nanosecond}))
				time.Sleep(time.Second)
			}
		}},
		{"on its way to its target", []Option{WithDeadLetter(DeadLetterFunc(func(ctx context.Context, _ DeadLetter) error {
			time.Sleep(2 * time.Minute)
			return ErrFull
		}), 5)}, func(t *testing.T, q *queue) {
			d := take1(t, q, time.Hour)
			done := make(chan struct{})
			t.Cleanup(func() { <-done })
			go func() {
				defer close(done)
				_ = d.Bury(ctx, "for this test") // fails, when the message is gone
			}()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, q *queue) {
				start := time.Now()
				sendAll(t, q, Message{Body: "m", GroupID: "g"})
				c.set(t, q)
				time.Sleep(time.Until(start.Add(retention - 1)))
				require.Equal(t, 1, liveIn(q), "one nanosecond before")
				checkInvariants(t, q)
				time.Sleep(time.Nanosecond)
				require.Zero(t, liveIn(q), "at the instant, without a call")
				require.EqualValues(t, 1, q.Stats().Expired)
				require.Zero(t, q.Stats().Bytes)
			}, append(c.opts, WithRetention(retention))...)
		})
	}
}

func TestRetention_DLQ6_AStandardDeadLetterQueueGoesByTheSendAndAFIFOOneByTheMove(t *testing.T) {
	ctx := context.Background()
	const retention = time.Minute
	onBoth(t, func(t *testing.T, q *queue) {
		var dead *queue
		want := retention
		if q.fifo != nil {
			d := testFIFO(t, WithRetention(retention))
			dead, want = &d.queue, retention+20*time.Second
			require.NoError(t, q.self.(*FIFO).Configure(WithDeadLetter(d, 1)))
		} else {
			d := testStandard(t, WithRetention(retention))
			dead = &d.queue
			require.NoError(t, q.self.(*Standard).Configure(WithDeadLetter(d, 1)))
		}
		start := time.Now()
		sendAll(t, q, Message{Body: "m"})
		sendAll(t, dead, Message{Body: "own"})
		time.Sleep(10 * time.Second)
		sendAll(t, dead, Message{Body: "own, later"})
		take(t, q, ReceiveInput{VisibilityTimeout: 10 * time.Second})
		time.Sleep(10 * time.Second)
		require.Empty(t, take(t, q, ReceiveInput{}))
		require.Equal(t, 3, liveIn(dead))
		for range 3 { // LC-5 moves them to the back, which does not change when they end
			for _, d := range take(t, dead, ReceiveInput{Max: 10}) {
				require.NoError(t, d.ChangeVisibility(ctx, 0))
			}
		}
		left := map[time.Duration]int{0: 3}
		for _, at := range []time.Duration{retention, want, retention + 10*time.Second} {
			left[at]--
		}
		n := 3
		for _, at := range []time.Duration{retention, retention + 10*time.Second, retention + 20*time.Second} {
			time.Sleep(time.Until(start.Add(at - 1)))
			require.Equal(t, n, liveIn(dead), "before %v", at)
			time.Sleep(time.Nanosecond)
			n += left[at]
			require.Equal(t, n, liveIn(dead), "at %v", at)
			checkInvariants(t, dead)
		}
		require.Zero(t, n)
	})
}

func TestRetention_LIM8_AChangeActsAtOnceOnStoredMessages(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		change := func(d time.Duration) {
			require.NoError(t, q.configure(&patch{settings: settings{retention: d}, set: setRetention}))
			checkInvariants(t, q)
		}
		start := time.Now()
		sendAll(t, q, Message{Body: "ready", GroupID: "a"}, Message{Body: "in flight", GroupID: "b"})
		take(t, q, ReceiveInput{VisibilityTimeout: 12 * time.Hour})
		change(2 * time.Minute)
		time.Sleep(90 * time.Second)
		require.Equal(t, 2, liveIn(q))
		change(3 * time.Minute)
		time.Sleep(time.Until(start.Add(3*time.Minute - 1)))
		require.Equal(t, 2, liveIn(q), "the longer one counts")
		change(time.Hour)
		time.Sleep(10 * time.Minute)
		require.Equal(t, 2, liveIn(q))
		change(time.Minute)
		require.Zero(t, liveIn(q), "they are older than that")
		sendAll(t, q, Message{Body: "new"})
		time.Sleep(time.Minute - 1)
		require.Equal(t, 1, liveIn(q))
		time.Sleep(time.Nanosecond)
		require.Zero(t, liveIn(q))
	}, WithRetention(time.Minute))
}

func TestRetention_ForeverEndsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		sendAll(t, q, Message{Body: "m"})
		time.Sleep(100 * 365 * 24 * time.Hour)
		require.Equal(t, 1, liveIn(q))
	}, WithoutSQSLimits())
}

// Several messages expire in the order they were sent, whatever happened to them.
func TestRetention_LC3_MessagesEndOneByOneWhateverTheirOrderIs(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		const n = 30
		start := time.Now()
		for i := range n {
			sendAll(t, q, Message{Body: fmt.Sprint(i), GroupID: fmt.Sprint("g", i%4)})
			for _, d := range take(t, q, ReceiveInput{Max: 1 + i%3, VisibilityTimeout: time.Duration(i%7+1) * time.Second}) {
				if i%2 == 0 {
					require.NoError(t, d.ChangeVisibility(context.Background(), 0))
				}
			}
			time.Sleep(time.Second)
		}
		for i := range n {
			time.Sleep(time.Until(start.Add(time.Minute + time.Duration(i)*time.Second - 1)))
			require.Equal(t, n-i, liveIn(q))
			time.Sleep(time.Nanosecond)
			require.Equal(t, n-i-1, liveIn(q))
			checkInvariants(t, q)
		}
	}, WithRetention(time.Minute))
}

func TestRetention_AMassThatEndsAtOneInstantIsCarriedOutInBoundedSteps(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		const n = 100_000
		q.onTimer = func() {} // the steps are taken here
		for i := range n {
			sendAll(t, q, Message{Body: "m", GroupID: fmt.Sprint("g", i%1000)})
		}
		time.Sleep(time.Minute)
		steps := 0
		for more := true; more; steps++ {
			now, err := q.enter()
			require.NoError(t, err)
			before := q.store.live
			more = q.stepLocked(now)
			require.LessOrEqual(t, before-q.store.live, stepBudget)
			_ = q.unlock(now)
		}
		require.Zero(t, liveIn(q))
		require.GreaterOrEqual(t, steps, n/stepBudget)
		require.LessOrEqual(t, steps, n/stepBudget+2)
	}, WithRetention(time.Minute))
}

func TestTimer_AnIdleQueueIsNotWokenUp(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		var wakes atomic.Int64
		q.onTimer = func() {
			wakes.Add(1)
			q.timerFired()
		}
		time.Sleep(1000 * time.Hour)
		require.Nil(t, q.timer, "nothing was scheduled yet")
		for range 1000 {
			sendAll(t, q, Message{Body: "m"})
			ds := take(t, q, ReceiveInput{})
			require.NoError(t, ds[0].Delete(context.Background()))
		}
		require.Zero(t, wakes.Load())
		time.Sleep(1000 * time.Hour)
		synctest.Wait()
		require.LessOrEqual(t, wakes.Load(), int64(8), "one for what was cancelled, and at most one for each level of the wheel")
		q.mu.Lock()
		require.Equal(t, never, q.armed)
		require.False(t, q.timer.Stop(), "it is not running")
		q.mu.Unlock()
		before := wakes.Load()
		time.Sleep(1000 * time.Hour)
		require.Equal(t, before, wakes.Load())
	})
}

// slowRefusal is a destination that takes its time and then refuses.
type slowRefusal struct {
	Queue
	time time.Duration
}

func (d slowRefusal) Send(context.Context, Message) (Sent, error) {
	time.Sleep(d.time)
	return Sent{}, ErrFull
}

func TestLC3_AMessagePutBackAfterItsRetentionReachesNoReceiveThatWaits(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		ctx := context.Background()
		sendAll(t, q, Message{Body: "a", GroupID: "g"})
		task, err := q.Redrive(ctx, RedriveInput{Destination: slowRefusal{time: time.Minute}})
		require.NoError(t, err)
		time.Sleep(50 * time.Second)
		got := make(chan int, 1)
		go func() {
			ds, _ := q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
			got <- len(ds)
		}()
		untilDue(q, 10*time.Second)
		<-task.Done()
		q.timerFired()
		require.Zero(t, <-got)
		require.EqualValues(t, 1, q.Stats().Expired)
	}, WithRetention(time.Minute))
}

func TestWithCapacity_WhatExpiredAtOnceTakesNoRoomHoweverManyThatIs(t *testing.T) {
	const n = 8 * stepBudget
	ctx := context.Background()
	body := strings.Repeat("b", n)
	message := func(q *queue, body string) Message {
		if q.fifo == nil {
			return Message{Body: body}
		}
		return Message{Body: body, GroupID: "g", DeduplicationID: fmt.Sprint(len(body))}
	}
	for name, send := range map[string]func(q *queue) error{
		"Send":       func(q *queue) error { return second(q.Send(ctx, message(q, body))) },
		"DeadLetter": func(q *queue) error { return q.DeadLetter(ctx, DeadLetter{Body: body, GroupID: "g"}) },
		"SendBatch": func(q *queue) error {
			return second(q.SendBatch(ctx, []Message{message(q, body[:n/4]), message(q, body[n/4:])}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, q *queue) {
				for range n {
					sendAll(t, q, Message{Body: "a"})
				}
				more := DeadLetter{Body: "a", GroupID: "g"}
				require.ErrorIs(t, q.DeadLetter(ctx, more), ErrFull)
				untilDue(q, time.Minute)
				require.NoError(t, send(q))
				require.EqualValues(t, n, q.Stats().Bytes)
				require.ErrorIs(t, q.DeadLetter(ctx, more), ErrFull)
			}, WithRetention(time.Minute), WithCapacity(0, n))
		})
	}
}

func TestLC3_RetentionEndsWhateverAMessageIsDoing(t *testing.T) {
	ctx := context.Background()
	for name, begin := range map[string]func(s steps, target *script){
		"waits for a call": func(s steps, target *script) {
			s.wear(many(20)...)
			s.meets()
		},
		"is with the target": func(s steps, target *script) {
			s.wear("g-1")
			s.meets()
		},
		"is with the target by its consumer": func(s steps, target *script) {
			s.send("g-1")
			d := s.one(time.Hour)
			time.Sleep(40 * time.Second)
			go func() { require.ErrorIs(s, d.Bury(ctx, ""), context.Canceled) }()
			synctest.Wait()
		},
		"waits for the next try": func(s steps, target *script) {
			target.do = failing
			s.wear("g-1")
			s.meets()
			for range 6 {
				time.Sleep(5 * time.Second)
				s.meets()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			withTarget(t, 1, func(s steps, target *script) {
				target.do = func(ctx context.Context, _ DeadLetter) error {
					select {
					case <-ctx.Done():
						return context.Canceled
					case <-time.After(25 * time.Second):
						return errRefused
					}
				}
				start := time.Now()
				begin(s, target)
				n := s.q.Stats().NotVisible + s.q.Stats().Visible
				time.Sleep(time.Until(start.Add(time.Minute - 1)))
				synctest.Wait()
				s.meets()
				require.Equal(s, n, s.q.Stats().NotVisible+s.q.Stats().Visible)
				time.Sleep(time.Nanosecond)
				synctest.Wait()
				s.counts(0, 0, 0)
				require.EqualValues(s, n, s.q.Stats().Expired)
				require.Nil(s, s.q.outbox.places)
				require.Empty(s, s.q.outbox.calls)
				s.send("g-2")
				s.gets(1, 0, "g-2")
			}, WithRetention(time.Minute))
		})
	}
}
