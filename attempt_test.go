package inq

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// attempt receives under an attempt id.
func (s steps) attempt(id string, most int, visibility time.Duration) []Delivery {
	s.Helper()
	ds, err := s.q.Receive(context.Background(), ReceiveInput{Max: most, Wait: Zero, VisibilityTimeout: visibility, AttemptID: id})
	require.NoError(s, err)
	return ds
}

// handlesOf returns the receipt handles in order.
func handlesOf(ds []Delivery) (handles []string) {
	for i := range ds {
		handles = append(handles, ds[i].ReceiptHandle())
	}
	return handles
}

// onFIFOs runs f on a FIFO queue without and with a dead-letter target, which receives in another
// way.
func onFIFOs(t *testing.T, f func(s steps)) {
	scene(t, "plain", func(t *testing.T) { f(fifoSteps(t)) })
	scene(t, "with a dead-letter target", func(t *testing.T) {
		f(fifoSteps(t, WithDeadLetter(testFIFO(t), 5)))
	})
}

func TestRCV16_1_ARepeatReturnsTheSameMessagesAndHandlesAndRestartsTheirTimeout(t *testing.T) {
	onFIFOs(t, func(s steps) {
		s.send("a-1", "a-2", "b-1")
		first := s.attempt("x", 10, 0)
		require.Equal(s, []string{"a-1", "a-2", "b-1"}, bodiesOf(first))
		s.counts(0, 3, 0)
		time.Sleep(20 * time.Second)
		again := s.attempt("x", 10, 0)
		require.Equal(s, bodiesOf(first), bodiesOf(again))
		require.Equal(s, handlesOf(first), handlesOf(again))
		require.Equal(s, time.Now().Add(30*time.Second), again[0].VisibleAt())
		// RCV-16 (4): not counted again.
		require.Equal(s, 1, again[0].ReceiveCount)
		time.Sleep(30*time.Second - 1)
		s.counts(0, 3, 0)
		time.Sleep(time.Nanosecond)
		s.counts(3, 0, 0)
		require.Equal(s, 2, s.one(0).ReceiveCount)
	})
}

func TestRCV16_1_AHandleOfARepeatDeletes(t *testing.T) {
	onFIFOs(t, func(s steps) {
		s.send("a-1")
		s.attempt("x", 1, 10*time.Second)
		time.Sleep(9 * time.Second)
		again := s.attempt("x", 1, 10*time.Second)
		time.Sleep(9 * time.Second)
		s.delete(again...)
		s.counts(0, 0, 0)
	})
}

func TestRCV16_1_OthersStayUntouched(t *testing.T) {
	onFIFOs(t, func(s steps) {
		s.send("a-1", "b-1")
		s.attempt("x", 1, 0)
		require.Equal(s, []string{"a-1"}, bodiesOf(s.attempt("x", 10, 0)))
		require.Equal(s, []string{"b-1"}, bodiesOf(s.attempt("y", 10, 0)))
		require.Empty(s, s.attempt("z", 10, 0))
		s.send("c-1")
		require.Equal(s, []string{"a-1"}, bodiesOf(s.attempt("x", 10, 0)))
	})
}

func TestRCV16_1_ARepeatCanBeALongPoll(t *testing.T) {
	onFIFOs(t, func(s steps) {
		s.send("a-1")
		first := s.attempt("x", 1, 0)
		start := time.Now()
		ds, err := s.q.Receive(context.Background(), ReceiveInput{Wait: 20 * time.Second, AttemptID: "x"})
		require.NoError(s, err)
		require.Equal(s, handlesOf(first), handlesOf(ds))
		require.Zero(s, time.Since(start))
	})
}

func TestRCV16_1_AReceiveThatWaitedCanBeRepeated(t *testing.T) {
	onFIFOs(t, func(s steps) {
		go func() {
			time.Sleep(time.Second)
			s.send("a-1")
		}()
		ds, err := s.q.Receive(context.Background(), ReceiveInput{Wait: 20 * time.Second, AttemptID: "x"})
		require.NoError(s, err)
		require.Len(s, ds, 1)
		require.Equal(s, handlesOf(ds), handlesOf(s.attempt("x", 1, 0)))
	})
}

func TestRCV16_1_RepeatsThatWaitAreAnsweredTogether(t *testing.T) {
	onFIFOs(t, func(s steps) {
		in := ReceiveInput{Max: 2, Wait: 20 * time.Second, AttemptID: "x"}
		first := await(context.Background(), s.q, in)
		other := await(context.Background(), s.q, ReceiveInput{Wait: 20 * time.Second, AttemptID: "y"})
		second, third := await(context.Background(), s.q, in), await(context.Background(), s.q, in)
		time.Sleep(time.Second)
		s.send("a-1")
		want := <-first
		require.Equal(s, []string{"a-1"}, want.bodies())
		for _, c := range []<-chan answer{second, third} {
			got := <-c
			require.NoError(s, got.err)
			require.Equal(s, handlesOf(want.ds), handlesOf(got.ds))
			require.Equal(s, time.Second, got.at)
		}
		require.Equal(s, 1, s.q.Stats().WaitingReceives)
		s.counts(0, 1, 0)
		s.send("b-1")
		require.Equal(s, []string{"b-1"}, (<-other).bodies())
		require.Nil(s, s.q.waiters.attempts)
	})
}

func TestRCV16_1_ARepeatThatWaitsWithTooLittleRoomWaitsOn(t *testing.T) {
	onFIFOs(t, func(s steps) {
		s.send("a-1", "b-1")
		s.receive(10, 10*time.Second)
		first := await(context.Background(), s.q, ReceiveInput{Max: 2, Wait: 20 * time.Second, AttemptID: "x"})
		second := await(context.Background(), s.q, ReceiveInput{Max: 1, Wait: 20 * time.Second, AttemptID: "x"})
		require.Equal(s, []string{"a-1", "b-1"}, (<-first).bodies())
		got := <-second
		require.Empty(s, got.ds)
		require.Equal(s, 20*time.Second, got.at)
	})
}

func TestRCV16_1_ARepeatThatWaitsIsAnsweredAfterAHandOver(t *testing.T) {
	scene(t, "by the receive that hands over", func(t *testing.T) {
		s := fifoSteps(t, WithDeadLetter(testFIFO(t), 2))
		s.send("a-1")
		s.receive(10, Zero)
		s.send("b-1")
		require.Len(t, s.receive(10, 10*time.Second), 2)
		in := ReceiveInput{Max: 2, Wait: 20 * time.Second, AttemptID: "x"}
		first, second := await(context.Background(), s.q, in), await(context.Background(), s.q, in)
		one, two := <-first, <-second // a-1 is handed over
		require.Equal(t, []string{"b-1"}, one.bodies())
		require.Equal(t, handlesOf(one.ds), handlesOf(two.ds))
		require.Equal(t, 10*time.Second, one.at)
		require.Equal(t, 10*time.Second, two.at)
	})
	scene(t, "by another while that hands over", func(t *testing.T) {
		var s steps
		s = fifoSteps(t, WithDeadLetter(DeadLetterFunc(func(context.Context, DeadLetter) error {
			s.send("b-1")
			return nil
		}), 1))
		s.send("a-1")
		s.receive(10, 10*time.Second)
		in := ReceiveInput{Max: 2, Wait: 20 * time.Second, AttemptID: "x"}
		first, second := await(context.Background(), s.q, in), await(context.Background(), s.q, in)
		one, two := <-first, <-second // the first hands over, and the second is served meanwhile
		require.Equal(t, []string{"b-1"}, two.bodies())
		require.Equal(t, handlesOf(two.ds), handlesOf(one.ds))
		require.Equal(t, 10*time.Second, one.at)
	})
}

func TestRCV16_1_ARepeatRestartsThe12Hours(t *testing.T) {
	onFIFOs(t, func(s steps) {
		s.send("a-1")
		s.attempt("x", 1, 12*time.Hour)
		time.Sleep(4 * time.Minute)
		d := s.attempt("x", 1, 12*time.Hour)
		s.change(&d[0], 12*time.Hour)
		requireRefusal(s, d[0].ChangeVisibility(context.Background(), 12*time.Hour+1), ErrInvalidParameter)
	})
}

func TestRCV16_2_WhatWasDeletedOrChangedIsNotRepeated(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(s steps, ds []Delivery)
		want []string // of a receive under the id then, one more message being ready; nil: it is refused
	}{
		{"deleted", func(s steps, ds []Delivery) { s.delete(ds[1]) }, nil},
		{"extended", func(s steps, ds []Delivery) { s.change(&ds[0], time.Hour) }, nil},
		{"extended by the same time", func(s steps, ds []Delivery) { s.change(&ds[1], 30*time.Second) }, nil},
		{"released", func(s steps, ds []Delivery) { s.change(&ds[0], 0) }, nil},
		{"released and received by another", func(s steps, ds []Delivery) {
			s.change(&ds[0], 0)
			s.receive(10, 0)
			s.send("y-1")
		}, nil},
		{"returned", func(s steps, ds []Delivery) {
			require.NoError(s, ds[0].Return(context.Background(), 0))
		}, nil},
		{"lapsed and deleted", func(s steps, ds []Delivery) {
			time.Sleep(30 * time.Second)
			s.delete(s.receive(10, 0)...)
			s.send("y-1")
		}, []string{"y-1"}},
		{"lapsed", func(s steps, ds []Delivery) { time.Sleep(30 * time.Second) }, []string{"z-1", "a-1", "b-1"}}, // RCV-16 (3)
		{"purged", func(s steps, ds []Delivery) {
			require.NoError(s, s.q.Purge(context.Background()))
			s.send("z-1")
		}, []string{"z-1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onFIFOs(t, func(s steps) {
				s.send("a-1", "b-1")
				first := s.attempt("x", 10, 0)
				s.send("z-1")
				c.do(s, first)
				if c.want == nil {
					before, err := s.q.Counts(context.Background())
					require.NoError(s, err)
					for _, wait := range []time.Duration{Zero, 20 * time.Second} {
						ds, err := s.q.Receive(context.Background(), ReceiveInput{Max: 10, Wait: wait, AttemptID: "x"})
						require.Empty(s, ds)
						requireRefusal(s, err, ErrAttemptNotRetryable)
					}
					s.counts(before.Visible, before.NotVisible, before.Delayed)
					time.Sleep(30 * time.Second) // that long the receive would have lasted
					require.NotEmpty(s, s.attempt("x", 10, time.Hour))
					return
				}
				fresh := s.attempt("x", 10, time.Hour)
				require.Equal(s, c.want, bodiesOf(fresh))
				for _, h := range handlesOf(fresh) {
					require.NotContains(s, handlesOf(first), h)
				}
				// The id is bound anew.
				require.Equal(s, handlesOf(fresh), handlesOf(s.attempt("x", 10, time.Hour)))
			})
		})
	}
}

func TestRCV16_3_AfterFiveMinutesTheIdIsForgotten(t *testing.T) {
	onFIFOs(t, func(s steps) {
		s.send("a-1", "b-1")
		first := s.attempt("x", 1, time.Hour)
		time.Sleep(5*time.Minute - 1)
		require.Equal(s, handlesOf(first), handlesOf(s.attempt("x", 1, time.Hour)))
		time.Sleep(time.Nanosecond) // a repeat does not make it last longer
		require.Equal(s, []string{"b-1"}, bodiesOf(s.attempt("x", 1, time.Hour)))
		// Bound anew, it lasts five minutes from then.
		time.Sleep(5*time.Minute - 1)
		require.Equal(s, []string{"b-1"}, bodiesOf(s.attempt("x", 1, time.Hour)))
		time.Sleep(time.Nanosecond)
		require.Empty(s, s.attempt("x", 1, time.Hour))
	})
}

func TestRCV16_3_IdsThatAreForgottenTakeNoMemory(t *testing.T) {
	onFIFOs(t, func(s steps) {
		for i := range 1000 {
			b := fmt.Sprintf("g-%d", i)
			s.send(b)
			s.delete(s.attempt(b, 1, 0)...)
		}
		look := func() (a attempts, n int) { // under the lock: the timer forgets in a goroutine of its own
			s.q.mu.Lock()
			defer s.q.mu.Unlock()
			return s.q.fifo.attempts, len(s.q.fifo.attempts.byID)
		}
		_, n := look()
		require.Equal(s, 1000, n)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		s.counts(0, 0, 0)
		a, _ := look()
		require.Zero(s, a.byID)
		require.Zero(s, a.order)
	})
}

func TestRCV16_AnEmptyReceiveBindsNothing(t *testing.T) {
	onFIFOs(t, func(s steps) {
		require.Empty(s, s.attempt("x", 1, 0))
		s.send("a-1")
		require.Len(s, s.attempt("x", 1, 0), 1)
	})
}

func TestRCV16_WithVisibilityZeroThereIsNothingToRepeat(t *testing.T) {
	onFIFOs(t, func(s steps) {
		s.send("a-1")
		first := s.attempt("x", 1, Zero)
		again := s.attempt("x", 1, Zero)
		require.NotEqual(s, handlesOf(first), handlesOf(again))
		require.Equal(s, 2, again[0].ReceiveCount)
	})
}

func TestRCV16_OnStandardTheIdIsIgnored(t *testing.T) {
	s := standardSteps(t)
	s.send("1", "2")
	require.Equal(t, []string{"1"}, bodiesOf(s.attempt("x", 1, 0)))
	require.Equal(t, []string{"2"}, bodiesOf(s.attempt("x", 1, 0)))
}
