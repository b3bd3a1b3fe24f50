package inq

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// redrive starts a move task.
func (s steps) redrive(in RedriveInput) *MoveTask {
	s.Helper()
	task, err := s.q.Redrive(context.Background(), in)
	require.NoError(s, err)
	return task
}

// moves runs a move task to its end, which must be the wanted one.
func (s steps) moves(in RedriveInput, status MoveStatus, moved int) *MoveTask {
	s.Helper()
	task := s.redrive(in)
	<-task.Done()
	require.Equal(s, status, task.Status())
	require.Equal(s, moved, task.Moved())
	require.Equal(s, status == MoveFailed, task.Err() != nil)
	return task
}

// bury sends messages and lets them become dead letters. The queue must bury after one receive.
func (s steps) bury(bodies ...string) {
	s.Helper()
	s.wear(bodies...)
	s.gets(1, 0)
}

// has takes everything and compares. Between groups of a FIFO queue there is no order.
func (s steps) has(want ...string) {
	s.Helper()
	got := bodiesOf(s.receive(10, time.Minute))
	if s.q.fifo != nil {
		require.ElementsMatch(s, want, got)
	} else {
		require.Equal(s, want, got)
	}
}

// collector is a destination of somebody else's making.
type collector struct {
	Queue
	got []Message
	do  func(ctx context.Context, m Message) error
}

func (c *collector) Send(ctx context.Context, m Message) (Sent, error) {
	if c.do != nil {
		if err := c.do(ctx, m); err != nil {
			return Sent{}, err
		}
	}
	c.got = append(c.got, m)
	return NewSent(SentFields{ID: fmt.Sprint(len(c.got))}), nil
}

func TestMOV1_ATaskTellsWhatItIs(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("g-1")
		require.Empty(s, dead.q.MoveTasks())
		in := RedriveInput{Destination: s.q.self, PerSecond: 7}
		start := time.Now()
		task := dead.redrive(in)
		require.NoError(s, uuid.Validate(task.ID()))
		require.Equal(s, []any{dead.q.Name(), in, 1}, []any{task.Source(), task.Input(), task.ToMove()})
		require.WithinDuration(s, start, task.StartedAt(), 0)
		<-task.Done()
		require.Equal(s, []any{MoveCompleted, 1, nil}, []any{task.Status(), task.Moved(), task.Err()})
		require.Equal(s, []*MoveTask{task}, dead.q.MoveTasks())
	})
}

func TestMOV1_ATaskOutlivesTheContextItWasStartedWith(t *testing.T) {
	type key struct{}
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("g-1", "h-1")
		ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "value"))
		c := &collector{do: func(ctx context.Context, _ Message) error {
			require.Equal(s, "value", ctx.Value(key{}))
			return ctx.Err()
		}}
		task, err := dead.q.Redrive(ctx, RedriveInput{Destination: c, PerSecond: 1})
		require.NoError(s, err)
		cancel()
		<-task.Done()
		require.Equal(s, []any{MoveCompleted, 2}, []any{task.Status(), task.Moved()})
		_, err = dead.q.Redrive(ctx, RedriveInput{})
		require.Equal(s, context.Canceled, err)
	})
}

func TestMOV3_AQueueThatIsGoneHasNoTasks(t *testing.T) {
	ctx := context.Background()
	onBothTypes(t, func(s steps) {
		require.NoError(s, s.q.Close())
		for _, in := range []RedriveInput{{}, {PerSecond: -1}, {Destination: s.q.self}} {
			_, err := s.q.Redrive(ctx, in)
			require.Equal(s, ErrClosed, err)
		}
	})
	scene(t, "in a broker", func(t *testing.T) {
		b, err := NewBroker()
		require.NoError(t, err)
		q, err := b.CreateStandard("q")
		require.NoError(t, err)
		require.NoError(t, b.DeleteQueue(ctx, "q"))
		_, err = q.Redrive(ctx, RedriveInput{})
		require.Equal(t, ErrQueueDoesNotExist, err)
		require.NoError(t, b.Close())
	})
}

func TestMOV4_OneTaskOfAQueueAtATime(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("g-1", "h-1")
		task := dead.redrive(RedriveInput{PerSecond: 1})
		synctest.Wait()
		_, err := dead.q.Redrive(context.Background(), RedriveInput{})
		require.ErrorIs(s, err, ErrTaskRunning)
		require.Equal(s, MoveRunning, task.Status())
		require.Len(s, dead.q.MoveTasks(), 1)
		other := s.another("other")
		other.moves(RedriveInput{}, MoveCompleted, 0) // another queue's own
		<-task.Done()
		dead.moves(RedriveInput{}, MoveCompleted, 0)
	})
}

func TestMOV5_EachMessageGoesBackToItsOwnSource(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		o := s.another("other")
		o.buriesIn(dead.asTarget(), 1)
		s.bury("a-1")
		o.bury("b-1", "c-1")
		s.bury("d-1")
		dead.moves(RedriveInput{}, MoveCompleted, 4)
		s.has("a-1", "d-1")
		o.has("b-1", "c-1")
		dead.counts(0, 0, 0)
		require.Equal(s, uint64(4), dead.q.Stats().MovedOut)
		require.Equal(s, uint64(2), s.q.Stats().MovedIn)
	})
}

func TestMOV5_AGivenDestinationTakesThemAll(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1")
		dead.send("b-1") // no dead letter
		to := s.another("to")
		dead.moves(RedriveInput{Destination: to.q.self}, MoveCompleted, 2)
		to.has("a-1", "b-1")
		s.counts(0, 0, 0)
	})
}

func TestMOV5_ADestinationOfSomebodyElseGetsWhatWasSent(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		m := s.message("g-1")
		m.Attributes, m.GroupID, m.TraceHeader, m.SenderID = map[string]Attribute{"b": Binary([]byte{0})}, "g", "trace", "them"
		_, err := s.q.Send(context.Background(), m)
		require.NoError(s, err)
		s.one(Zero)
		s.gets(1, 0)
		c := &collector{}
		dead.moves(RedriveInput{Destination: c}, MoveCompleted, 1)
		require.Len(s, c.got, 1)
		got := c.got[0]
		if s.q.fifo != nil {
			require.NotEmpty(s, got.DeduplicationID)
			require.NotEqual(s, m.DeduplicationID, got.DeduplicationID, "never a duplicate")
		}
		got.DeduplicationID = m.DeduplicationID
		require.Equal(s, m, got)
	})
}

func TestMOV5_WrongDestinationsAreRefused(t *testing.T) {
	ctx := context.Background()
	onBothTypes(t, func(s steps) {
		destinations := map[string]Queue{"itself": s.q.self, "nil Standard": (*Standard)(nil), "nil FIFO": (*FIFO)(nil)}
		if s.q.fifo != nil {
			destinations["other type"] = testStandard(s)
		} else {
			destinations["other type"] = testFIFO(s)
		}
		for name, d := range destinations {
			_, err := s.q.Redrive(ctx, RedriveInput{Destination: d})
			refusal := refusedAs(s, err, ErrInvalidParameter)
			require.Equal(s, "DestinationArn", refusal.Param, name)
			require.Equal(s, targetARN(d.(DeadLetterTarget)), refusal.Value, name)
		}
		require.Empty(s, s.q.MoveTasks())
		var none context.Context
		_, err := s.q.Redrive(none, RedriveInput{})
		require.ErrorIs(s, err, ErrMissingParameter)
	})
}

func TestMOV5_AMessageWithoutAKnownSourceStaysAndTheTaskFails(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1")
		dead.send("b-1")
		s.bury("c-1")
		task := dead.moves(RedriveInput{}, MoveFailed, 1)
		require.ErrorIs(s, task.Err(), ErrNoSource)
		require.Equal(s, 3, task.ToMove())
		s.has("a-1")
		dead.has("b-1", "c-1")
	})
}

func TestMOV5_ASourceThatIsGoneFailsTheTask(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1")
		require.NoError(s, s.q.Close())
		task := dead.moves(RedriveInput{}, MoveFailed, 0)
		require.ErrorIs(s, task.Err(), ErrClosed)
		dead.has("a-1")
	})
}

func TestMOV6_TheRateIsKept(t *testing.T) {
	for _, c := range []struct {
		rate, messages int
		want           time.Duration
	}{
		{1, 4, 3 * time.Second}, {2, 4, 1500 * time.Millisecond}, {500, 101, 200 * time.Millisecond}, {0, 101, 0}, {1, 1, 0}, {1, 0, 0},
	} {
		t.Run(fmt.Sprintf("%d messages at %d", c.messages, c.rate), func(t *testing.T) {
			withDeadLetters(t, 1, func(s, dead steps) {
				var bodies []string
				for i := range c.messages {
					bodies = append(bodies, fmt.Sprintf("g%d-1", i))
				}
				s.bury(bodies...)
				start := time.Now()
				dead.moves(RedriveInput{PerSecond: c.rate}, MoveCompleted, c.messages)
				require.Equal(s, c.want, time.Since(start))
				s.counts(c.messages, 0, 0)
			})
		})
	}
}

func TestMOV6_TheRateIsFrom1To500(t *testing.T) {
	onBothTypes(t, func(s steps) {
		for _, rate := range []int{-1, 501} {
			_, err := s.q.Redrive(context.Background(), RedriveInput{PerSecond: rate})
			p := refusedAs(s, err, ErrInvalidParameter)
			require.Equal(s, []any{"MaxNumberOfMessagesPerSecond", rate, 1, 500}, []any{p.Param, p.Value, p.Min, p.Max})
		}
		for _, rate := range []int{0, 1, 500} {
			s.moves(RedriveInput{PerSecond: rate}, MoveCompleted, 0)
		}
	})
}

func TestMOV7_ADestinationThatEndsMidwayFailsTheTask(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1", "b-1", "c-1")
		to := s.another("to")
		task := dead.redrive(RedriveInput{Destination: to.q.self, PerSecond: 1})
		time.Sleep(500 * time.Millisecond)
		require.Equal(s, []any{MoveRunning, 1}, []any{task.Status(), task.Moved()})
		require.NoError(s, to.q.Close())
		<-task.Done()
		require.Equal(s, []any{MoveFailed, 1, 3}, []any{task.Status(), task.Moved(), task.ToMove()})
		require.ErrorIs(s, task.Err(), ErrClosed)
		dead.has("b-1", "c-1")
	})
}

func TestMOV7_AFullDestinationFailsTheTask(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1", "b-1")
		to := s.another("to", WithCapacity(1, 0))
		task := dead.moves(RedriveInput{Destination: to.q.self}, MoveFailed, 1)
		require.ErrorIs(s, task.Err(), ErrFull)
		dead.has("b-1")
	})
}

func TestMOV7_ADestinationThatPanicsOrQuitsFailsTheTask(t *testing.T) {
	for name, do := range map[string]func(context.Context, Message) error{
		"panics": func(context.Context, Message) error { panic("oh no") },
		"quits": func(context.Context, Message) error {
			runtime.Goexit()
			return nil
		},
		"fails": func(context.Context, Message) error { return errRefused },
	} {
		t.Run(name, func(t *testing.T) {
			withDeadLetters(t, 1, func(s, dead steps) {
				s.bury("a-1", "b-1")
				task := dead.moves(RedriveInput{Destination: &collector{do: do}}, MoveFailed, 0)
				if name == "panics" {
					require.ErrorContains(s, task.Err(), "oh no")
				}
				if name == "quits" {
					require.ErrorContains(s, task.Err(), "did not return")
				}
				dead.counts(2, 0, 0)
				dead.moves(RedriveInput{}, MoveCompleted, 2) // another can start
				s.has("a-1", "b-1")
			})
		})
	}
}

func TestMOV8_TheLastTenTasksAreKeptNewestFirst(t *testing.T) {
	onBothTypes(t, func(s steps) {
		var want []*MoveTask
		for range 13 {
			want = append(want, s.moves(RedriveInput{}, MoveCompleted, 0))
			time.Sleep(time.Second)
		}
		slices.Reverse(want)
		got := s.q.MoveTasks()
		require.Equal(s, want[:10], got)
		got[0] = nil // the slice is the caller's
		require.Equal(s, want[:10], s.q.MoveTasks())
		require.NoError(s, s.q.Close())
		require.Equal(s, want[:10], s.q.MoveTasks())
	})
}

func TestMOV8_ToMoveIsFixedAtTheStart(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1", "b-1")
		task := dead.redrive(RedriveInput{PerSecond: 1})
		synctest.Wait()
		o := s.another("other")
		o.buriesIn(dead.asTarget(), 1)
		o.bury("c-1", "d-1")
		require.Equal(s, 2, task.ToMove())
		<-task.Done()
		require.Equal(s, []any{MoveCompleted, 2, 2}, []any{task.Status(), task.Moved(), task.ToMove()})
		dead.has("c-1", "d-1")
	})
}

func TestMOV9_ACancelledTaskStopsAndWhatMovedStaysMoved(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1", "b-1", "c-1", "d-1")
		task := dead.redrive(RedriveInput{PerSecond: 1})
		time.Sleep(1500 * time.Millisecond)
		moved, err := task.Cancel()
		require.NoError(s, err)
		require.Equal(s, 2, moved)
		<-task.Done()
		require.Equal(s, []any{MoveCancelled, 2, nil}, []any{task.Status(), task.Moved(), task.Err()})
		s.has("a-1", "b-1")
		dead.counts(2, 0, 0)
		moved, err = task.Cancel()
		require.Equal(s, "TaskHandle", refusedAs(s, err, ErrInvalidParameter).Param)
		require.Zero(s, moved)
		require.ErrorContains(s, err, "CANCELLED")
		dead.moves(RedriveInput{}, MoveCompleted, 2)
	})
}

func TestMOV9_OnlyARunningTaskCanBeCancelled(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1", "b-1")
		let := make(chan struct{})
		task := dead.redrive(RedriveInput{Destination: &collector{do: func(context.Context, Message) error {
			<-let
			return nil
		}}})
		synctest.Wait()
		dead.counts(1, 1, 0)
		moved, err := task.Cancel()
		require.NoError(s, err)
		require.Zero(s, moved)
		require.Equal(s, MoveCancelling, task.Status())
		_, err = task.Cancel()
		require.ErrorIs(s, err, ErrInvalidParameter)
		_, err = dead.q.Redrive(context.Background(), RedriveInput{})
		require.ErrorIs(s, err, ErrTaskRunning, "until the message under way has arrived")
		close(let)
		<-task.Done()
		require.Equal(s, []any{MoveCancelled, 1}, []any{task.Status(), task.Moved()})
		dead.has("b-1")
	})
	withDeadLetters(t, 1, func(s, dead steps) {
		for _, task := range []*MoveTask{dead.moves(RedriveInput{}, MoveCompleted, 0), func() *MoveTask {
			dead.send("a-1")
			return dead.moves(RedriveInput{}, MoveFailed, 0)
		}()} {
			before := task.Status()
			_, err := task.Cancel()
			require.ErrorIs(s, err, ErrInvalidParameter)
			require.Equal(s, before, task.Status())
		}
	})
}

func TestMOV9_ACancelReachesADestinationThatHeedsItsContext(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1")
		task := dead.redrive(RedriveInput{Destination: &collector{do: func(ctx context.Context, _ Message) error {
			<-ctx.Done()
			return ctx.Err()
		}}})
		synctest.Wait()
		_, err := task.Cancel()
		require.NoError(s, err)
		<-task.Done()
		require.Equal(s, []any{MoveCancelled, 0, nil}, []any{task.Status(), task.Moved(), task.Err()})
		dead.has("a-1")
	})
}

func TestMOV10_MessagesMoveAsNewOnes(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		m := s.message("g-1")
		m.Attributes, m.GroupID, m.TraceHeader, m.SenderID = map[string]Attribute{"b": Binary([]byte{0})}, "g", "trace", "them"
		_, err := s.q.Send(context.Background(), m)
		require.NoError(s, err)
		before := s.one(Zero)
		s.gets(1, 0)
		time.Sleep(time.Hour)
		dead.moves(RedriveInput{}, MoveCompleted, 1)
		back := time.Now()
		time.Sleep(time.Hour)
		d := s.one(Zero)
		require.NotEqual(s, before.ID(), d.ID())
		require.Equal(s, []any{"g-1", m.Attributes, "g", "trace", "them", 1, ""},
			[]any{d.Body, d.Attributes(), d.GroupID, d.TraceHeader(), d.SenderID(), d.ReceiveCount, d.DeadLetterSourceARN()})
		require.WithinDuration(s, back, d.SentAt(), 0)
		require.WithinDuration(s, time.Now(), d.FirstReceivedAt(), 0)
		if s.q.fifo != nil {
			require.Greater(s, d.SequenceNumber(), before.SequenceNumber())
		}
		s.gets(1, 0) // and it can become a dead letter again
		require.Equal(s, 2, dead.one(time.Minute).ReceiveCount)
	})
}

func TestMOV10_RetentionRestarts(t *testing.T) {
	const day = 24 * time.Hour
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("g-1")
		time.Sleep(3 * day)
		dead.moves(RedriveInput{}, MoveCompleted, 1)
		require.Zero(s, s.q.Stats().OldestAge)
		time.Sleep(4*day - time.Nanosecond)
		s.counts(1, 0, 0)
		time.Sleep(time.Nanosecond)
		s.counts(0, 0, 0)
	})
}

func TestDLQ7_AMoveHasNoDelayAndIsNotASend(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("g-1")
		to := s.another("to", WithDelay(15*time.Minute))
		dead.moves(RedriveInput{Destination: to.q.self}, MoveCompleted, 1)
		to.counts(1, 0, 0)
		st := to.q.Stats()
		require.Equal(s, []uint64{0, 1}, []uint64{st.Sent, st.MovedIn})
	})
}

func TestFIFO_MOV10_GroupsKeepTheirOrderAndNothingIsDroppedAsADuplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		dead := s.another("dead")
		s.buriesIn(dead.asTarget(), 1)
		all := []string{"g-1", "h-1", "g-2", "g-3", "h-2"}
		s.send(all...)
		s.receive(10, time.Second)
		time.Sleep(time.Second)
		s.gets(10, 0)
		dead.moves(RedriveInput{}, MoveCompleted, 5) // within five minutes of the sends
		got := map[string][]string{}
		for _, d := range s.receive(10, time.Second) {
			got[d.GroupID] = append(got[d.GroupID], d.Body)
		}
		require.Equal(t, map[string][]string{"g": {"g-1", "g-2", "g-3"}, "h": {"h-1", "h-2"}}, got)
		time.Sleep(time.Second)
		s.gets(10, 0)
		dead.moves(RedriveInput{}, MoveCompleted, 5) // and once more
		s.counts(5, 0, 0)
	})
}

func TestStandard_MOV10_TheOldestMoveFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standardSteps(t)
		dead := s.another("dead")
		s.buriesIn(dead.asTarget(), 1)
		for _, body := range []string{"1", "2", "3"} {
			s.send(body)
			time.Sleep(time.Second)
		}
		ds := s.receive(3, time.Minute)
		for _, i := range []int{2, 0, 1} { // the order of the moves is not that of the sends
			s.change(&ds[i], 0)
			s.gets(1, 0)
		}
		to := s.another("to")
		task := dead.redrive(RedriveInput{Destination: to.q.self, PerSecond: 1})
		<-task.Done()
		to.has("1", "2", "3")
	})
}

func TestMOV11_MessagesInFlightStay(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1", "b-1")
		flying := dead.one(10 * time.Second)
		task := dead.moves(RedriveInput{}, MoveCompleted, 1)
		require.Equal(s, 1, task.ToMove())
		dead.counts(0, 1, 0)
		dead.delete(*flying)
		s.has("b-1")
	})
}

func TestMOV11_ATaskEndsWhenNothingIsVisibleAnyMore(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1", "b-1", "c-1")
		task := dead.redrive(RedriveInput{PerSecond: 1})
		synctest.Wait()
		dead.gets(10, 10*time.Second, "b-1", "c-1")
		start := time.Now()
		<-task.Done()
		require.Equal(s, time.Second, time.Since(start))
		require.Equal(s, []any{MoveCompleted, 1, 3}, []any{task.Status(), task.Moved(), task.ToMove()})
	})
}

func TestMoveTask_EndsWithItsQueue(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1", "b-1", "c-1")
		task := dead.redrive(RedriveInput{PerSecond: 1})
		time.Sleep(500 * time.Millisecond)
		require.NoError(s, dead.q.Close())
		start := time.Now()
		<-task.Done() // at once: no goroutine is left behind
		require.Zero(s, time.Since(start))
		require.Equal(s, []any{MoveCancelled, 1, nil}, []any{task.Status(), task.Moved(), task.Err()})
	})
}

func TestMoveTask_EndsAsCancelledWhenTheDestinationClosesTheSource(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1", "b-1")
		task := dead.redrive(RedriveInput{Destination: &collector{do: func(context.Context, Message) error {
			return dead.q.Close()
		}}})
		<-task.Done()
		require.Equal(s, []any{MoveCancelled, 1, nil}, []any{task.Status(), task.Moved(), task.Err()})
	})
}

func TestMoveTask_APurgeOfTheSourceMidwayLeavesNothingToMove(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1", "b-1")
		c := &collector{do: func(ctx context.Context, _ Message) error { return dead.q.Purge(ctx) }}
		dead.moves(RedriveInput{Destination: c}, MoveCompleted, 1)
		dead.counts(0, 0, 0)
		require.Len(s, c.got, 1)
	})
}

func TestMoveTask_WakesLongPollsOfTheDestination(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1")
		c := await(context.Background(), s.q, ReceiveInput{Wait: longest})
		time.Sleep(2 * time.Second)
		dead.redrive(RedriveInput{})
		a := <-c
		require.Equal(s, []string{"a-1"}, a.bodies())
		require.Equal(s, 2*time.Second, a.at)
	})
}

func TestMoveTask_ALongPollOfTheSourceGetsWhatCouldNotBeMoved(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.bury("a-1")
		let := make(chan struct{})
		task := dead.redrive(RedriveInput{Destination: &collector{do: func(context.Context, Message) error {
			<-let
			return errRefused
		}}})
		synctest.Wait()
		c := await(context.Background(), dead.q, ReceiveInput{Wait: longest})
		time.Sleep(2 * time.Second)
		close(let)
		<-task.Done()
		a := <-c
		require.Equal(s, []string{"a-1"}, a.bodies())
		require.Equal(s, 2*time.Second, a.at)
		require.Equal(s, 2, a.ds[0].ReceiveCount, "the try to move it is no receive")
	})
}
