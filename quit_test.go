package inq

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Observers that end the goroutine they are called in, as a test's FailNow does, at the worst
// moment: nothing that goroutine was about to do may stay half done.

// quitsAt makes an observer that ends the goroutine at the next event of a kind once armed is set.
func quitsAt(kind EventKind, armed *bool) Option {
	return WithObserver(func(es []Event) {
		for _, e := range es {
			if *armed && e.Kind == kind {
				*armed = false
				runtime.Goexit()
			}
		}
	})
}

// untilDue sleeps to where a timeout is due, with the timer late.
func untilDue(q *queue, d time.Duration) {
	time.Sleep(d - time.Nanosecond)
	stopTimer(q)
	time.Sleep(time.Nanosecond)
}

// apart runs f in a goroutine that something in f may end.
func apart(f func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f()
	}()
	<-ended
}

func TestWait_AnObserverThatEndsTheGoroutineLeavesNoWaiterBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		armed := false
		q := testFIFO(t, quitsAt(EventTimedOut, &armed))
		for i := range 2 {
			_, err := q.Send(ctx, Message{Body: "a", GroupID: "g", DeduplicationID: fmt.Sprint(i)})
			require.NoError(t, err)
		}
		ds, err := q.Receive(ctx, ReceiveInput{Max: 2})
		require.NoError(t, err)
		require.NoError(t, ds[0].ChangeVisibility(ctx, time.Minute))
		untilDue(&q.queue, 30*time.Second)
		armed = true // the second message comes back and is blocked by the first
		apart(func() { _, _ = q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second}) })
		require.Zero(t, q.Stats().WaitingReceives)
		time.Sleep(30 * time.Second)
		ds, err = q.Receive(ctx, ReceiveInput{Max: 2, Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Len(t, ds, 2)
	})
}

func TestDLQ4_AnObserverThatEndsTheGoroutineOfAHandOverLeavesNothingHalfDone(t *testing.T) {
	for _, kind := range []EventKind{EventTimedOut, EventLeaving, EventDeadLettered, EventMovedIn} {
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := context.Background()
				armed := false
				to := testStandard(t, quitsAt(kind, &armed))
				q := testStandard(t, quitsAt(kind, &armed), WithDeadLetter(to, 1))
				_, err := q.SendBatch(ctx, []Message{{Body: "a"}, {Body: "b"}, {Body: "c"}})
				require.NoError(t, err)
				_, err = q.Receive(ctx, ReceiveInput{Max: 2})
				require.NoError(t, err)
				untilDue(&q.queue, 30*time.Second)
				armed = true
				apart(func() { _, _ = q.Receive(ctx, ReceiveInput{Max: 2}) })
				require.False(t, armed)
				c, err := q.Counts(ctx)
				require.NoError(t, err)
				require.Equal(t, Counts{NotVisible: 1}, c) // c, received by nobody, comes back by its timeout
				c, err = to.Counts(ctx)
				require.NoError(t, err)
				require.Equal(t, Counts{Visible: 2}, c)
			})
		})
	}
}

func TestDLQ4_AForeignTargetThatEndsItsGoroutineFreesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		calls := 0
		q := testStandard(t, WithVisibilityTimeout(0), WithDeadLetter(DeadLetterFunc(func(context.Context, DeadLetter) error {
			calls++
			runtime.Goexit()
			return nil
		}), 1))
		_, err := q.Send(ctx, Message{Body: "a"})
		require.NoError(t, err)
		for range 2 * callsAtOnce {
			_, err = q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
			require.NoError(t, err)
			synctest.Wait()
			time.Sleep(time.Minute)
		}
		require.Greater(t, calls, callsAtOnce)
		require.Nil(t, q.outbox.places)
	})
}

func TestMOV7_AnObserverThatEndsTheGoroutineLeavesNothingOfATaskBehind(t *testing.T) {
	begin := func(t *testing.T, armed *bool) (q, to *Standard) {
		ctx := context.Background()
		q, to = testStandard(t, quitsAt(EventTimedOut, armed)), testStandard(t)
		for range 3 {
			_, err := q.Send(ctx, Message{Body: "a"})
			require.NoError(t, err)
		}
		_, err := q.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
		return q, to
	}
	t.Run("at its start", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			armed := false
			q, to := begin(t, &armed)
			untilDue(&q.queue, 30*time.Second)
			armed = true
			apart(func() { _, _ = q.Redrive(context.Background(), RedriveInput{Destination: to}) })
			task := q.MoveTasks()[0]
			<-task.Done()
			require.Equal(t, 3, task.Moved())
		})
	})
	t.Run("at a message", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			armed := false
			q, to := begin(t, &armed)
			time.Sleep(29 * time.Second)
			task, err := q.Redrive(context.Background(), RedriveInput{Destination: to, PerSecond: 1})
			require.NoError(t, err)
			synctest.Wait()
			require.Equal(t, 1, task.Moved())
			armed = true
			stopTimer(&q.queue)
			<-task.Done()
			require.Equal(t, MoveFailed, task.Status())
			require.Equal(t, 2, task.Moved()) // what was under way arrives
			c, err := q.Counts(context.Background())
			require.NoError(t, err)
			require.Equal(t, Counts{Visible: 1}, c)
		})
	})
}

func TestMOV8_AMessageCountsAsMovedWhereAnObserverEndsTheGoroutineAtIt(t *testing.T) {
	ctx := context.Background()
	armed := true
	q, to := testStandard(t, quitsAt(EventMovedOut, &armed)), testStandard(t)
	for range 2 {
		_, err := q.Send(ctx, Message{Body: "a"})
		require.NoError(t, err)
	}
	task, err := q.Redrive(ctx, RedriveInput{Destination: to})
	require.NoError(t, err)
	<-task.Done()
	require.Equal(t, MoveFailed, task.Status())
	require.Equal(t, 1, task.Moved())
	c, err := to.Counts(ctx)
	require.NoError(t, err)
	require.Equal(t, Counts{Visible: 1}, c)
}

func TestObserver_WhatGathersWhileOneEndsItsGoroutineIsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		release := make(chan struct{})
		n := 0
		q := testStandard(t, WithObserver(func(es []Event) {
			n += len(es)
			if n == 1 {
				<-release
				runtime.Goexit()
			}
		}))
		go func() { _, _ = q.Send(ctx, Message{Body: "a"}) }()
		synctest.Wait()
		_, err := q.Send(ctx, Message{Body: "b"})
		require.NoError(t, err)
		close(release)
		synctest.Wait()
		require.Equal(t, 2, n)
	})
}
