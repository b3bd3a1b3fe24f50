package inq

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFIFO8_AReceiveTakesTheRunFromTheHeadOfOneGroupThenTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		s.send("g1-m1", "g2-m1", "g1-m2", "g1-m3")
		s.gets(10, 0, "g1-m1", "g1-m2", "g1-m3", "g2-m1")
	})
}

func TestFIFO9_NothingBehindAHeadInFlightIsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		s.send("g1-m1", "g1-m2")
		head := s.gets(1, 0, "g1-m1")
		s.gets(10, 0)
		s.send("g1-m3")
		s.gets(10, 0)
		s.send("g2-m1")
		s.gets(10, 0, "g2-m1")
		s.delete(head...)
		s.gets(10, 0, "g1-m2", "g1-m3")
	})
}

func TestFIFO9_NothingBehindADelayedHeadIsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		s.send("g1-m1", "g1-m2")
		head := s.one(0)
		require.NoError(t, s.q.Return(context.Background(), head.ReceiptHandle(), 5*time.Second))
		s.counts(1, 0, 1)
		s.gets(10, 0)
		time.Sleep(5 * time.Second)
		s.gets(10, 0, "g1-m1", "g1-m2")
	})
}

func TestFIFO10_AGroupOpensWhenAllOfItsMessagesInFlightAreDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		s.send("g-m1", "g-m2", "g-m3", "g-m4")
		two := s.gets(2, 0, "g-m1", "g-m2")
		s.delete(two[0])
		s.gets(10, 0)
		s.delete(two[1])
		s.gets(10, 0, "g-m3", "g-m4")
	})
}

func TestFIFO11_AMessageReleasedBeforeOneInFlightIsReceivableAlone(t *testing.T) {
	for _, c := range []struct {
		name    string
		release func(s steps, two []Delivery)
	}{
		{"set to 0", func(s steps, two []Delivery) { s.change(&two[0], 0) }},
		{"set to Zero", func(s steps, two []Delivery) { s.change(&two[0], Zero) }},
		{"lapsed", func(s steps, two []Delivery) {
			s.change(&two[1], time.Hour)
			time.Sleep(30 * time.Second)
		}},
	} {
		scene(t, c.name, func(t *testing.T) {
			s := fifoSteps(t)
			s.send("g1-m1", "g1-m2", "g1-m3", "g2-m1")
			two := s.gets(2, 0, "g1-m1", "g1-m2")
			c.release(s, two)
			s.counts(3, 1, 0)
			s.gets(3, 0, "g2-m1", "g1-m1")
			s.gets(3, 0)
		})
	}
}

func TestFIFO12_ExtendingOneOfThreeMessages(t *testing.T) {
	for extended, want := range [][]string{0: nil, 1: {"g-foo"}, 2: {"g-foo", "g-bar"}} {
		scene(t, fmt.Sprintf("message %d", extended+1), func(t *testing.T) {
			s := fifoSteps(t)
			s.send("g-foo", "g-bar", "g-baz")
			ds := s.gets(10, time.Second, "g-foo", "g-bar", "g-baz")
			s.change(&ds[extended], 4*time.Second)
			time.Sleep(2500 * time.Millisecond)
			s.counts(2, 1, 0)
			s.gets(10, 0, want...)
		})
	}
}

func TestFIFO13_AfterAllTimeoutsTheGroupComesAgainInItsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		s.send("g-1", "g-2", "g-3", "g-4")
		ds := s.gets(3, time.Second, "g-1", "g-2", "g-3")
		// The first comes back last: the order is that of the sends, not of the releases.
		s.change(&ds[0], 3*time.Second)
		s.change(&ds[2], 2*time.Second)
		time.Sleep(3 * time.Second)
		again := s.gets(10, 0, "g-1", "g-2", "g-3", "g-4")
		require.Equal(t, []int{2, 2, 2, 1}, []int{again[0].ReceiveCount, again[1].ReceiveCount, again[2].ReceiveCount, again[3].ReceiveCount})
	})
}

func TestFIFO14_GroupsThatWereTouchedGoBehindTheOthers(t *testing.T) {
	scene(t, "after a timeout", func(t *testing.T) {
		s := fifoSteps(t, WithVisibilityTimeout(time.Second))
		s.send("g1-m1", "g1-m2", "g1-m3", "g1-m4", "g2-m1", "g3-m1")
		s.gets(2, 0, "g1-m1", "g1-m2")
		s.gets(1, 0, "g2-m1")
		time.Sleep(time.Second)
		s.gets(10, 0, "g3-m1", "g1-m1", "g1-m2", "g1-m3", "g1-m4", "g2-m1")
	})
	scene(t, "visibility 0", func(t *testing.T) {
		s := fifoSteps(t)
		s.send("g1-m1", "g2-m1", "g2-m2", "g3-m1", "g1-m2")
		s.gets(3, Zero, "g1-m1", "g1-m2", "g2-m1")
		s.gets(10, Zero, "g3-m1", "g1-m1", "g1-m2", "g2-m1", "g2-m2")
	})
	scene(t, "deletes, groups in any order", func(t *testing.T) {
		s := fifoSteps(t)
		s.send("g1-m1", "g1-m2", "g1-m3", "g1-m4", "g2-m1", "g2-m2", "g3-m1")
		s.delete(s.gets(2, 0, "g1-m1", "g1-m2")...)
		byGroup := map[string][]string{}
		for _, b := range bodiesOf(s.receive(10, 0)) {
			byGroup[b[:2]] = append(byGroup[b[:2]], b)
		}
		require.Equal(t, map[string][]string{"g1": {"g1-m3", "g1-m4"}, "g2": {"g2-m1", "g2-m2"}, "g3": {"g3-m1"}}, byGroup)
	})
}

func TestFIFO15_AGroupThatBecameEmptyWorksOnNewMessages(t *testing.T) {
	scene(t, "deleted", func(t *testing.T) {
		s := fifoSteps(t)
		for _, b := range []string{"g-1", "g-2", "g-3"} {
			s.send(b)
			s.delete(s.gets(10, 0, b)...)
			require.Zero(t, s.q.Stats().Groups)
		}
	})
	scene(t, "dead-lettered", func(t *testing.T) {
		dlq := testFIFO(t)
		s := fifoSteps(t, WithDeadLetter(dlq, 1))
		s.send("g-1")
		s.gets(10, Zero, "g-1")
		s.gets(10, 0)
		require.Equal(t, 1, dlq.Stats().Visible)
		s.send("g-2", "g-3")
		s.gets(10, 0, "g-2", "g-3")
	})
	scene(t, "expired in flight", func(t *testing.T) {
		s := fifoSteps(t, WithRetention(time.Minute))
		s.send("g-1")
		s.gets(10, time.Hour, "g-1")
		time.Sleep(time.Minute)
		s.counts(0, 0, 0)
		s.send("g-2")
		s.gets(10, 0, "g-2")
	})
}

func TestFIFO16_ConsumersHoldDifferentGroupsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		s.send("a-1", "a-2", "b-1", "c-1", "c-2")
		first := s.gets(1, 0, "a-1")
		s.gets(2, 0, "b-1", "c-1")
		require.Equal(t, 3, s.q.Stats().GroupsInFlight)
		s.gets(10, 0)
		s.delete(first...)
		s.gets(10, 0, "a-2")
	})
}

func TestFIFO17_AtTheLimitInFlightReceivesFindNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		s := fifoSteps(t)
		s.q.limit = 3
		s.send("a-1", "a-2", "b-1", "c-1", "d-1")
		ds := s.gets(10, 0, "a-1", "a-2", "b-1") // less than asked for
		s.gets(10, 0)
		start := time.Now()
		none, err := s.q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Empty(t, none)
		require.Equal(t, 20*time.Second, time.Since(start))
		s.delete(ds[2])
		s.gets(10, 0, "c-1")
		time.Sleep(10 * time.Second) // the first ones lapse
		s.gets(10, 0, "d-1", "a-1")
	})
}

func TestLC1_AChangedDelayActsOnMessagesThatWait(t *testing.T) {
	scene(t, "longer", func(t *testing.T) {
		q := testFIFO(t, WithDelay(10*time.Second))
		s := steps{t, &q.queue}
		s.send("g-1")
		time.Sleep(5 * time.Second)
		require.NoError(t, q.Configure(WithDelay(20*time.Second)))
		time.Sleep(15*time.Second - 1)
		s.gets(10, 0)
		time.Sleep(time.Nanosecond)
		s.gets(10, 0, "g-1")
	})
	scene(t, "shorter", func(t *testing.T) {
		q := testFIFO(t, WithDelay(10*time.Minute))
		s := steps{t, &q.queue}
		s.send("g-1")
		time.Sleep(5 * time.Second)
		s.send("g-2", "h-1")
		require.NoError(t, q.Configure(WithDelay(7*time.Second)))
		time.Sleep(2*time.Second - 1)
		s.gets(10, 0)
		time.Sleep(time.Nanosecond)
		s.gets(10, 0, "g-1")
		time.Sleep(5 * time.Second)
		s.gets(10, 0, "h-1")
	})
	scene(t, "none, and a long poll is waiting", func(t *testing.T) {
		q := testFIFO(t, WithDelay(10*time.Minute))
		s := steps{t, &q.queue}
		s.send("g-1", "g-2")
		start := time.Now()
		go func() {
			time.Sleep(3 * time.Second)
			assert.NoError(t, q.Configure(WithDelay(0)))
		}()
		ds, err := q.Receive(context.Background(), ReceiveInput{Max: 10, Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Equal(t, []string{"g-1", "g-2"}, bodiesOf(ds))
		require.Equal(t, 3*time.Second, time.Since(start))
	})
	scene(t, "not on those that have arrived", func(t *testing.T) {
		q := testFIFO(t, WithDelay(time.Second))
		s := steps{t, &q.queue}
		s.send("g-1")
		s.loseTimer()
		time.Sleep(time.Second)
		require.NoError(t, q.Configure(WithDelay(time.Minute)))
		s.gets(10, 0, "g-1")
	})
}

func TestLC7_VisibilityZeroLeavesTheGroupOpenAndTheHandleExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		s.send("g-1", "g-2")
		for n := range 3 {
			ds := s.gets(10, Zero, "g-1", "g-2")
			s.counts(2, 0, 0)
			for i := range ds {
				require.Equal(t, n+1, ds[i].ReceiveCount)
				require.ErrorIs(t, s.q.Delete(context.Background(), ds[i].ReceiptHandle()), ErrReceiptHandleExpired)
			}
		}
		s.counts(2, 0, 0)
	})
}

func TestCNT1_SixMessagesInThreeGroupsOfTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t, WithVisibilityTimeout(2*time.Second))
		s.send("g1-1", "g1-2", "g2-1", "g2-2", "g3-1", "g3-2")
		s.counts(6, 0, 0)
		s.gets(1, 0, "g1-1")
		s.gets(1, 0, "g2-1")
		s.counts(4, 2, 0)
		time.Sleep(2*time.Second - 1)
		s.counts(4, 2, 0)
		time.Sleep(time.Nanosecond)
		s.counts(6, 0, 0)
	})
}

func TestCNT2_MessagesBehindOthersInFlightCountAsVisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		s.send("g-1", "g-2", "g-3", "g-4", "g-5")
		ds := s.gets(4, 0, "g-1", "g-2", "g-3", "g-4")
		s.counts(1, 4, 0)
		s.delete(ds...)
		s.counts(1, 0, 0)
	})
}

func TestDEL4_DeletingTheLastInFlightUnlocksTheGroupAndWakesALongPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		s.send("g-1", "g-2", "g-3")
		two := s.gets(2, 0, "g-1", "g-2")
		go func() {
			time.Sleep(time.Second)
			s.delete(two[0])
			time.Sleep(time.Second)
			s.delete(two[1])
		}()
		start := time.Now()
		ds, err := s.q.Receive(context.Background(), ReceiveInput{Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Equal(t, []string{"g-3"}, bodiesOf(ds))
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}
