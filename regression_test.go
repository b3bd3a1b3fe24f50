package inq

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Sequences that once went wrong, as short as they could be made.

func TestStandard_VIS1_ChangeVisibilityBatchCountsFromItsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		q := testStandard(t)
		_, err := q.Send(ctx, Message{Body: "a"})
		require.NoError(t, err)
		ds, err := q.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
		time.Sleep(20 * time.Second) // nothing else tells the queue the time meanwhile
		require.NoError(t, q.ChangeVisibilityBatch(ctx, []VisibilityChange{{ds[0].ReceiptHandle(), 30 * time.Second}}))
		start := time.Now()
		ds, err = q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Empty(t, ds)
		ds, err = q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		require.Equal(t, 30*time.Second, time.Since(start))
	})
}

func TestFIFO_RCV16_AttemptIsRepeatedWhenNothingElseIsVisible(t *testing.T) {
	for _, others := range []int{0, 1, 5} {
		synctest.Test(t, func(t *testing.T) {
			ctx := context.Background()
			q := testFIFO(t)
			for i := range 3 + others {
				_, err := q.Send(ctx, Message{Body: "a", GroupID: "g", DeduplicationID: fmt.Sprint(i)})
				require.NoError(t, err)
			}
			in := ReceiveInput{AttemptID: "x", Max: 3}
			first, err := q.Receive(ctx, in)
			require.NoError(t, err)
			require.Len(t, first, 3)
			again, err := q.Receive(ctx, in)
			require.NoError(t, err)
			require.Equal(t, first, again)
		})
	}
}

func TestWait_AnEndingWaitOfTheLastInTheTableMayOutliveOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		q := testStandard(t)
		for _, wait := range []time.Duration{1, 3, 2, 5, 4, 9, 8, 7, 6, 10} {
			go func() {
				ds, err := q.Receive(ctx, ReceiveInput{Wait: wait * time.Second})
				assert.NoError(t, err)
				assert.Empty(t, ds)
			}()
			synctest.Wait()
		}
		for range 10 {
			time.Sleep(time.Second)
			synctest.Wait()
			checkInvariants(t, &q.queue)
		}
		require.Zero(t, q.Stats().WaitingReceives)
	})
}

func TestFIFO_RCV5_MessagesOfALargeStepBeatTheEndOfAWaitAtTheSameInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const groups, each = 6, 60
		ctx := context.Background()
		q := testFIFO(t, WithoutSQSLimits())
		for g := range groups {
			for i := range each {
				_, err := q.Send(ctx, Message{Body: fmt.Sprint(g), GroupID: fmt.Sprint(g), DeduplicationID: fmt.Sprintf("%d-%d", g, i)})
				require.NoError(t, err)
			}
		}
		for g := range groups {
			ds, err := q.Receive(ctx, ReceiveInput{Max: each, VisibilityTimeout: 10 * time.Second})
			require.NoError(t, err)
			require.Len(t, ds, each)
			if g < groups-1 { // its others come back and stay blocked: only the last message of all is for the wait
				require.NoError(t, ds[0].ChangeVisibility(ctx, time.Minute))
			}
		}
		ds, err := q.Receive(ctx, ReceiveInput{Wait: 10 * time.Second})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		require.Equal(t, "5", ds[0].Body)
	})
}

func stopTimer(q *queue) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.timer != nil {
		q.timer.Stop()
	}
}

func TestLC3_OfManyThatExpireAtOnceNoneIsDelivered(t *testing.T) {
	const n = 4 * stepBudget
	send := func(t *testing.T, q Queue) {
		for i := range n {
			_, err := q.Send(t.Context(), Message{Body: "a", GroupID: fmt.Sprint("g", i%7), DeduplicationID: fmt.Sprint(i)})
			require.NoError(t, err)
		}
	}
	check := func(t *testing.T, q *queue) {
		time.Sleep(time.Minute - time.Nanosecond)
		stopTimer(q)
		time.Sleep(time.Nanosecond)
		ds, err := q.Receive(t.Context(), ReceiveInput{Max: 10})
		require.NoError(t, err)
		require.Empty(t, ds)
		require.EqualValues(t, n, q.Stats().Expired)
		checkInvariants(t, q)
	}
	dead := DeadLetterFunc(func(context.Context, DeadLetter) error { return nil })
	t.Run("plain", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := testStandard(t, WithRetention(time.Minute))
			for range n {
				_, err := q.Send(t.Context(), Message{Body: "a"})
				require.NoError(t, err)
			}
			check(t, &q.queue)
		})
	})
	t.Run("FIFO", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := testFIFO(t, WithRetention(time.Minute))
			send(t, q)
			check(t, &q.queue)
		})
	})
	t.Run("FIFO with a dead-letter target", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := testFIFO(t, WithRetention(time.Minute), WithDeadLetter(dead, 1))
			send(t, q)
			check(t, &q.queue)
		})
	})
}

func TestLC3_ASendThatBeganBeforeConfigureExpiresByTheNewRetention(t *testing.T) {
	for name, send := range map[string]func(q *queue, s *settings) error{
		"any": func(q *queue, s *settings) error {
			_, err := q.sendPrepared(&Message{Body: "a", SenderID: "b"}, s)
			return err
		},
		"plain batch": func(q *queue, s *settings) error {
			return q.sendPlainPart(&batchPart{ms: []Message{{Body: "a"}}, sent: make([]Sent, 1)}, s, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := testStandard(t)
				old := q.settings.Load()
				require.NoError(t, q.Configure(WithRetention(time.Minute)))
				require.NoError(t, send(&q.queue, old))
				checkInvariants(t, &q.queue)
				time.Sleep(time.Minute)
				require.EqualValues(t, 1, q.Stats().Expired)
			})
		})
	}
}

func TestLC1_ASendThatBeganBeforeConfigureHasTheNewDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := testFIFO(t, WithDelay(time.Minute))
		old := q.settings.Load()
		require.NoError(t, q.Configure(WithDelay(time.Second)))
		_, err := q.sendPrepared(&Message{Body: "a", GroupID: "g", DeduplicationID: "1"}, old)
		require.NoError(t, err)
		ds, err := q.Receive(t.Context(), ReceiveInput{Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Len(t, ds, 1)
	})
}

func TestDLQ6_ALetterOlderThanTheRetentionReachesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := testStandard(t, WithRetention(time.Minute))
		sent := time.Now()
		time.Sleep(time.Minute)
		got := make(chan int, 1)
		go func() {
			ds, _ := q.Receive(t.Context(), ReceiveInput{Wait: 20 * time.Second})
			got <- len(ds)
		}()
		synctest.Wait()
		require.NoError(t, q.DeadLetter(t.Context(), DeadLetter{Body: "a", SentAt: sent}))
		require.Zero(t, <-got)
		s := q.Stats()
		require.EqualValues(t, 1, s.MovedIn)
		require.EqualValues(t, 1, s.Expired)
		checkInvariants(t, &q.queue)
	})
}

type quitter struct{ Queue }

func (quitter) Send(context.Context, Message) (Sent, error) {
	runtime.Goexit()
	return Sent{}, nil
}

func TestMOV7_ATaskFailsWhoseDestinationEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := testStandard(t)
		_, err := q.Send(t.Context(), Message{Body: "a"})
		require.NoError(t, err)
		task, err := q.Redrive(t.Context(), RedriveInput{Destination: quitter{}})
		require.NoError(t, err)
		<-task.Done()
		require.Equal(t, MoveFailed, task.Status())
		require.Error(t, task.Err())
		again, err := q.Redrive(t.Context(), RedriveInput{Destination: testStandard(t)})
		require.NoError(t, err)
		<-again.Done()
		require.Equal(t, 1, again.Moved())
	})
}

func TestMoveTask_FindsItsQueueClosedAndIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := testStandard(t)
		_, err := q.Send(t.Context(), Message{Body: "a"})
		require.NoError(t, err)
		q.mu.Lock()
		q.gone = ErrClosed // where Close is, before it comes to the task
		q.mu.Unlock()
		task := &MoveTask{source: &q.queue, toMove: 1, done: make(chan struct{}), status: MoveRunning}
		task.ctx, task.cancel = context.WithCancel(context.Background())
		task.run()
		require.Equal(t, MoveCancelled, task.Status())
		require.NoError(t, task.Err())
		q.mu.Lock()
		q.gone = nil
		q.mu.Unlock()
	})
}

func TestObserver_ThatTakesItsTimeDoesNotHoldUpTheTimer(t *testing.T) {
	for name, hold := range map[string]func(release chan struct{}){
		"waits":              func(release chan struct{}) { <-release },
		"ends the goroutine": func(chan struct{}) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				held := false
				q := testStandard(t, WithRetention(time.Minute), WithObserver(func(es []Event) {
					for _, e := range es {
						if e.Kind == EventExpired && !held {
							held = true
							hold(release)
						}
					}
				}))
				ms := make([]Message, 10)
				for i := range ms {
					ms[i].Body = "a"
				}
				for range 2 * stepBudget / 10 * 2 {
					_, err := q.SendBatch(t.Context(), ms)
					require.NoError(t, err)
					ds, err := q.Receive(t.Context(), ReceiveInput{Max: 10, VisibilityTimeout: time.Hour})
					require.NoError(t, err)
					require.Len(t, ds, 10)
				}
				time.Sleep(50 * time.Second)
				ds, err := q.Receive(t.Context(), ReceiveInput{Wait: 20 * time.Second})
				require.NoError(t, err)
				require.Empty(t, ds)
				require.EqualValues(t, 2*stepBudget/10*20, q.Stats().Expired)
				close(release)
			})
		})
	}
}

func TestDeadLetter_AWrapperIsCheckedLikeAnyCaller(t *testing.T) {
	ctx := context.Background()
	dlq := testStandard(t)
	handedOver := make(chan struct{})
	var changed map[string]Attribute
	q := testStandard(t, WithVisibilityTimeout(0), WithDeadLetter(DeadLetterFunc(func(ctx context.Context, d DeadLetter) error {
		empty := d
		empty.Body = ""
		require.ErrorIs(t, dlq.DeadLetter(ctx, empty), ErrMissingParameter)
		changed = map[string]Attribute{"why": String("it failed")}
		d.Attributes = changed
		defer close(handedOver)
		return dlq.DeadLetter(ctx, d)
	}), 1))
	_, err := q.Send(ctx, Message{Body: "a"})
	require.NoError(t, err)
	for range 2 {
		_, err = q.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
	}
	<-handedOver
	changed["why"] = String("the caller's map")
	ds, err := dlq.Receive(ctx, ReceiveInput{})
	require.NoError(t, err)
	require.Len(t, ds, 1)
	require.Equal(t, "it failed", ds[0].Attributes()["why"].Value)
}

func TestNewDelivery_WithoutAQueueRefusesWhatNeedsOne(t *testing.T) {
	ctx := context.Background()
	rebound := Delivery{}
	rebound.Rebind(nil)
	for _, d := range []Delivery{NewDelivery(nil, DeliveryFields{ReceiptHandle: "h"}), rebound} {
		require.ErrorIs(t, d.Delete(ctx), ErrMissingParameter)
		require.ErrorIs(t, d.ChangeVisibility(ctx, 0), ErrMissingParameter)
		require.ErrorIs(t, d.Return(ctx, 0), ErrMissingParameter)
		require.ErrorIs(t, d.Bury(ctx, ""), ErrMissingParameter)
	}
}

func TestMOV2_AQueueThatIsGoneIsToldFirst(t *testing.T) {
	ctx := context.Background()
	b, err := NewBroker()
	require.NoError(t, err)
	q, err := b.CreateStandard("a")
	require.NoError(t, err)
	require.NoError(t, b.DeleteQueue(ctx, "a"))
	_, err = q.Redrive(ctx, RedriveInput{})
	require.ErrorIs(t, err, ErrQueueDoesNotExist)
}

func TestFIFO_RCV16_AWaitDoesNotRepeatMoreThanItAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		q := testFIFO(t, WithDeadLetter(testFIFO(t), 5))
		for i := range 5 {
			_, err := q.Send(ctx, Message{Body: "x", GroupID: "a", DeduplicationID: fmt.Sprint(i)})
			require.NoError(t, err)
		}
		dst := make([]Delivery, 11)
		n, err := q.ReceiveInto(ctx, dst, ReceiveInput{Max: 10, AttemptID: "attempt"})
		require.NoError(t, err)
		require.Equal(t, 5, n)
		go func() {
			time.Sleep(time.Second)
			_, err := q.Send(ctx, Message{Body: "new", GroupID: "b", DeduplicationID: "new"})
			assert.NoError(t, err)
		}()
		n, err = q.ReceiveInto(ctx, dst, ReceiveInput{Max: 3, AttemptID: "attempt", Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, "new", dst[0].Body)
	})
}

func TestWait_ATargetThatEndsTheGoroutineLeavesNoWaiterBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		target := DeadLetterFunc(func(context.Context, DeadLetter) error {
			runtime.Goexit()
			return nil
		})
		q := testStandard(t, WithDeadLetter(target, 1), WithVisibilityTimeout(time.Second))
		_, err := q.Send(ctx, Message{Body: "poison"})
		require.NoError(t, err)
		_, err = q.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
		for range 3 {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, _ = q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
			}()
			<-ended
			q.mu.Lock()
			slots := len(q.waitSlots)
			q.mu.Unlock()
			require.Equal(t, 1, slots, "the spare one")
		}
	})
}
