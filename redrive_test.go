package inq

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// another makes a queue of the same type with a name of its own.
func (s steps) another(name string, opts ...Option) steps {
	s.Helper()
	var o *queue
	if s.q.fifo != nil {
		q, err := NewFIFO(name+".fifo", Options(opts...))
		require.NoError(s, err)
		o = &q.queue
	} else {
		q, err := NewStandard(name, Options(opts...))
		require.NoError(s, err)
		o = &q.queue
	}
	s.Cleanup(func() {
		checkInvariants(s, o)
		require.NoError(s, o.Close())
	})
	return steps{s.TB, o}
}

// buriesIn sets a target on the living queue.
func (s steps) buriesIn(t DeadLetterTarget, maxReceives int) {
	s.Helper()
	require.NoError(s, s.q.configure(&patch{settings: settings{target: t, maxReceives: maxReceives}, set: setDeadLetter}))
}

// asTarget is the queue as a dead-letter target.
func (s steps) asTarget() DeadLetterTarget { return s.q.self }

// wear sends messages and receives each once; they are visible again at once.
func (s steps) wear(bodies ...string) (ds []Delivery) {
	s.Helper()
	s.send(bodies...)
	for range bodies {
		ds = append(ds, *s.one(time.Hour))
	}
	for i := range ds {
		s.change(&ds[i], 0)
	}
	return ds
}

// withDeadLetters tells a story of a queue that buries after maxReceives in another one of its
// type.
func withDeadLetters(t *testing.T, maxReceives int, story func(s, dead steps), deadOpts ...Option) {
	t.Helper()
	onBothTypes(t, func(s steps) {
		dead := s.another("dead", deadOpts...)
		s.buriesIn(dead.asTarget(), maxReceives)
		story(s, dead)
	})
}

func TestDLQ4_TheReceiveAfterTheLastAllowedOneMovesTheMessage(t *testing.T) {
	for _, n := range []int{1, 2, 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			withDeadLetters(t, n, func(s, dead steps) {
				s.send("g-1")
				for i := range n {
					require.Equal(s, i+1, s.one(30*time.Second).ReceiveCount)
					s.gets(1, 0)
					time.Sleep(30 * time.Second)
				}
				s.counts(1, 0, 0)
				dead.counts(0, 0, 0)
				s.gets(10, 0)
				s.counts(0, 0, 0)
				dead.counts(1, 0, 0)
				require.Equal(s, n+1, dead.one(time.Minute).ReceiveCount)
			})
		})
	}
}

func TestDLQ4_NothingMovesWithoutAReceive(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.wear("g-1")
		time.Sleep(time.Hour)
		s.send("h-1")
		s.counts(2, 0, 0)
		s.q.Stats()
		for range s.q.Messages() {
			continue
		}
		dead.counts(0, 0, 0)
	})
}

func TestDLQ4_AMessageDeletedInTimeNeverMoves(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.send("g-1")
		s.delete(*s.one(time.Minute))
		s.gets(1, 0)
		dead.counts(0, 0, 0)
	})
}

func TestDLQ4_TheReceiveGoesOnToOtherMessages(t *testing.T) {
	for name, worn := range map[string]int{"front": 0, "middle": 1, "end": 2} {
		t.Run(name, func(t *testing.T) {
			withDeadLetters(t, 1, func(s, dead steps) {
				bodies := []string{"a-1", "b-1", "c-1"}
				s.send(bodies...)
				ds := s.gets(10, time.Minute, bodies...)
				for i := range ds {
					if i == worn {
						s.change(&ds[i], 0)
					} else {
						require.NoError(s, ds[i].Return(context.Background(), 0))
					}
				}
				got := bodiesOf(s.receive(10, time.Minute))
				require.ElementsMatch(s, slices.Delete(slices.Clone(bodies), worn, worn+1), got)
				if s.q.fifo == nil {
					require.True(s, slices.IsSorted(got))
				}
				dead.gets(10, 0, bodies[worn])
			})
		})
	}
}

func TestDLQ4_OneReceiveMovesAllItMeets(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		var bodies []string
		for i := range 50 {
			bodies = append(bodies, fmt.Sprintf("g%d-1", i))
		}
		s.wear(bodies...)
		s.send("live-1")
		s.gets(1, time.Minute, "live-1")
		s.gets(1, time.Minute)
		dead.counts(50, 0, 0)
		got := dead.receive(10, time.Minute)
		require.Equal(s, bodies[:10], bodiesOf(got))
	})
}

func TestDLQ4_ReceivesCountedElsewhereDoNotCountForTheThreshold(t *testing.T) {
	onBothTypes(t, func(s steps) {
		b, c := s.another("b"), s.another("c")
		s.buriesIn(b.asTarget(), 1)
		b.buriesIn(c.asTarget(), 2)
		s.wear("g-1")
		s.gets(1, 0)
		for _, want := range []int{2, 3} {
			d := b.one(Zero)
			require.Equal(s, want, d.ReceiveCount)
			require.Equal(s, s.q.ARN(), d.DeadLetterSourceARN())
		}
		b.gets(1, 0)
		d := c.one(time.Minute)
		require.Equal(s, 4, d.ReceiveCount)
		require.Equal(s, b.q.ARN(), d.DeadLetterSourceARN(), "the last one it was in")
	})
}

func TestDLQ2_AQueueMayBeItsOwnDeadLetterQueue(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.buriesIn(s.asTarget(), 2)
		s.send("g-1")
		id := ""
		for want := 1; want <= 7; want++ {
			d := s.one(Zero)
			require.Equal(s, want, d.ReceiveCount)
			if want == 1 {
				id = d.ID()
			}
			require.Equal(s, id, d.ID())
			require.Equal(s, want > 2, d.DeadLetterSourceARN() == s.q.ARN())
			s.counts(1, 0, 0)
		}
		require.Equal(s, uint64(3), s.q.Stats().DeadLettered)
	})
}

func TestDLQ4_TwoQueuesCanBeEachOthersTarget(t *testing.T) {
	onBothTypes(t, func(s steps) {
		o := s.another("other")
		s.buriesIn(o.asTarget(), 1)
		o.buriesIn(s.asTarget(), 1)
		s.send("g-1")
		at, next := s, o
		for want := 1; want <= 6; want++ {
			require.Equal(s, want, at.one(Zero).ReceiveCount)
			at.gets(1, 0)
			at.counts(0, 0, 0)
			next.counts(1, 0, 0)
			at, next = next, at
		}
	})
}

func TestDLQ5_TheMovedMessageIsTheSame(t *testing.T) {
	withDeadLetters(t, 2, func(s, dead steps) {
		m := s.message("g-1")
		m.Attributes = map[string]Attribute{"b": Binary([]byte{0, 255}), "n": Number("1.0")}
		m.GroupID, m.TraceHeader, m.SenderID = "g", "trace", "them"
		_, err := s.q.Send(context.Background(), m)
		require.NoError(s, err)
		time.Sleep(time.Second)
		s.one(Zero)
		time.Sleep(time.Second)
		before := said(s.one(Zero))
		time.Sleep(time.Second)
		s.gets(1, 0)
		time.Sleep(time.Second)
		moved := time.Now().Add(-time.Second)
		after := said(dead.one(time.Minute))

		want := before
		want.ReceiveCount, want.DeadLetterSourceARN = 3, s.q.ARN()
		want.ReceiptHandle, want.VisibleAt, want.SequenceNumber = after.ReceiptHandle, after.VisibleAt, after.SequenceNumber
		if s.q.fifo != nil { // DLQ-6, FIFO-24
			require.WithinDuration(s, moved, after.SentAt, 0)
			want.SentAt = after.SentAt
			want.DeduplicationID = want.ID
		}
		require.WithinDuration(s, want.SentAt, after.SentAt, 0)
		require.WithinDuration(s, want.FirstReceivedAt, after.FirstReceivedAt, 0)
		after.SentAt, after.FirstReceivedAt = want.SentAt, want.FirstReceivedAt
		require.Equal(s, want, after)
		require.NotEqual(s, before.ReceiptHandle, after.ReceiptHandle)
		require.ErrorIs(s, dead.q.Delete(context.Background(), before.ReceiptHandle), ErrReceiptHandleInvalid)
	})
}

func TestDLQ6_RetentionInTheDeadLetterQueue(t *testing.T) {
	const day = 24 * time.Hour
	withDeadLetters(t, 1, func(s, dead steps) {
		s.wear("g-1")
		time.Sleep(day)
		s.gets(1, 0)
		rest := 3 * day // of 4 since the send
		if s.q.fifo != nil {
			rest = 4 * day // since the move
		}
		time.Sleep(rest - time.Nanosecond)
		dead.counts(1, 0, 0)
		require.Equal(s, rest-time.Nanosecond, dead.q.Stats().OldestAge, "the age counts from the move")
		time.Sleep(time.Nanosecond)
		dead.counts(0, 0, 0)
		require.Equal(s, uint64(1), dead.q.Stats().Expired)
	})
}

func TestStandard_DLQ6_AMessageOlderThanTheRetentionOfTheDeadLetterQueueIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standardSteps(t)
		dead := s.another("dead", WithRetention(time.Hour))
		s.buriesIn(dead.asTarget(), 1)
		s.wear("1")
		time.Sleep(time.Hour)
		s.gets(1, 0)
		s.counts(0, 0, 0)
		dead.counts(0, 0, 0)
		require.Equal(t, uint64(1), dead.q.Stats().Expired)
	})
}

func TestDLQ7_TheMoveHasNoDelayAndIsNotASend(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.wear("g-1")
		s.gets(1, 0)
		dead.counts(1, 0, 0)
		st := dead.q.Stats()
		require.Equal(s, []uint64{0, 0, 1}, []uint64{st.Sent, st.SentBytes, st.MovedIn})
		require.Equal(s, uint64(1), s.q.Stats().DeadLettered)
		dead.gets(1, 0, "g-1")
	}, WithDelay(15*time.Minute))
}

func TestDLQ8_WithoutItsTargetAMessageIsDeliveredAsUsual(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		require.NoError(s, dead.q.Close())
		s.send("g-1", "h-1")
		for i := range 4 {
			ds := s.receive(10, time.Minute)
			require.ElementsMatch(s, []string{"g-1", "h-1"}, bodiesOf(ds))
			for j := range ds {
				require.Equal(s, i+1, ds[j].ReceiveCount)
			}
			s.counts(0, 2, 0)
			time.Sleep(time.Minute)
		}
		st := s.q.Stats()
		require.Equal(s, []uint64{0, 6}, []uint64{st.DeadLettered, st.DeadLetterFailures}, "each delivery instead of a hand-over counts")
		s.send("i-1")
		require.Len(s, s.receive(1, time.Minute), 1, "no more than asked for")
		s.counts(2, 1, 0)
	})
}

func TestDLQ8_ALongPollGetsWhatHasNoTargetAnyMore(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.send("g-1")
		s.one(5 * time.Second)
		require.NoError(s, dead.q.Close())
		a := <-await(context.Background(), s.q, ReceiveInput{Wait: longest})
		require.NoError(s, a.err)
		require.Equal(s, []string{"g-1"}, a.bodies())
		require.Equal(s, 5*time.Second, a.at)
	})
}

func TestFIFO24_TheDeduplicationIDOfADeadLetterIsItsMessageID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		dead := s.another("dead")
		s.buriesIn(dead.asTarget(), 1)
		dead.send("g-1") // takes the deduplication id there
		d := s.wear("g-1")
		s.gets(1, 0)
		dead.counts(2, 0, 0)
		ds := dead.gets(2, time.Minute, "g-1", "g-1")
		require.Equal(t, []string{"g-1", d[0].ID()}, []string{ds[0].DeduplicationID(), ds[1].DeduplicationID()})
		sent, err := s.q.Send(context.Background(), s.message("g-1"))
		require.NoError(t, err)
		require.True(t, sent.Duplicate(), "the source goes on to remember it")
	})
}

func TestFIFO25_SourceAndTargetAreOfOneType(t *testing.T) {
	standard, fifo := testStandard(t), testFIFO(t)
	require.ErrorIs(t, standard.Configure(WithDeadLetter(fifo, 1)), ErrInvalidParameter)
	require.ErrorIs(t, fifo.Configure(WithDeadLetter(standard, 1)), ErrInvalidParameter)
	onBothTypes(t, func(s steps) {
		var wrong DeadLetterTarget = testStandard(s)
		if s.q.fifo == nil {
			wrong = testFIFO(s)
		}
		var failure error
		s.buriesIn(DeadLetterFunc(func(ctx context.Context, d DeadLetter) error {
			failure = wrong.DeadLetter(ctx, d)
			return failure
		}), 1)
		m := s.message("g-1")
		m.GroupID = "g"
		_, err := s.q.Send(context.Background(), m)
		require.NoError(s, err)
		s.one(Zero)
		s.meets()
		require.ErrorIs(s, failure, ErrInvalidParameter)
		s.counts(0, 1, 0)
	})
}

func TestFIFO25_GroupsStayTogetherAndInOrderInTheDeadLetterQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		dead := s.another("dead")
		s.buriesIn(dead.asTarget(), 1)
		s.send("g-1", "g-2", "h-1", "g-3", "h-2")
		for _, d := range s.receive(10, 30*time.Second) {
			require.Equal(t, 1, d.ReceiveCount)
		}
		time.Sleep(30 * time.Second)
		s.gets(10, 0)
		s.counts(0, 0, 0)
		d := dead.one(time.Minute)
		require.Equal(t, "g-1", d.Body)
		dead.gets(1, time.Minute, "h-1") // g waits
		dead.delete(*d)
		dead.gets(10, time.Minute, "g-2", "g-3")
	})
}

func TestFIFO15_AGroupGoesOnAfterItsDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		dead := s.another("dead")
		s.buriesIn(dead.asTarget(), 1)
		s.wear("g-1")
		s.gets(1, 0)
		s.send("g-2")
		s.delete(s.gets(1, time.Minute, "g-2")...)
		s.counts(0, 0, 0)
	})
}

func TestDLQ4_ALongPollGoesOnWhileItMovesMessages(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.send("g-1", "h-1")
		s.one(5 * time.Second)
		s.one(8 * time.Second)
		c := await(context.Background(), s.q, ReceiveInput{Wait: longest})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		dead.counts(1, 0, 0)
		require.Equal(s, 1, s.q.Stats().WaitingReceives)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		dead.counts(2, 0, 0)
		s.send("i-1")
		a := <-c
		require.NoError(s, a.err)
		require.Equal(s, []string{"i-1"}, a.bodies())
		require.Equal(s, 10*time.Second, a.at)

		s.change(&a.ds[0], 0)
		a = <-await(context.Background(), s.q, ReceiveInput{Wait: longest})
		require.NoError(s, a.err)
		require.Empty(s, a.ds)
		require.Equal(s, longest, a.at, "to the end of its time")
		dead.counts(3, 0, 0)
	})
}

func TestDLQ4_ALongPollThatMovedMessagesKeepsItsPlaceInLine(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.send("g-1")
		s.one(5 * time.Second)
		ctx := context.Background()
		first := await(ctx, s.q, ReceiveInput{Wait: longest})
		second := await(ctx, s.q, ReceiveInput{Wait: longest})
		time.Sleep(6 * time.Second)
		dead.counts(1, 0, 0)
		s.send("h-1")
		require.Equal(s, []string{"h-1"}, (<-first).bodies())
		s.send("i-1")
		require.Equal(s, []string{"i-1"}, (<-second).bodies())
	})
}

func TestDLQ4_DeadLettersWakeTheLongPollsOfTheirQueue(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.wear("g-1")
		c := await(context.Background(), dead.q, ReceiveInput{Wait: longest})
		time.Sleep(3 * time.Second)
		s.gets(1, 0)
		a := <-c
		require.Equal(s, []string{"g-1"}, a.bodies())
		require.Equal(s, 3*time.Second, a.at)
	})
}

func TestDLQ5_EventsOnBothSidesNameTheMessage(t *testing.T) {
	var out observed
	onBothTypes(t, func(s steps) {
		var in observed
		dead := s.another("dead", WithObserver(in.observe))
		s.buriesIn(dead.asTarget(), 1)
		d := s.wear("g-1")
		s.gets(1, 0)
		left, came := out.last(), in.last()
		require.Equal(s, []any{EventDeadLettered, d[0].ID(), 1, d[0].GroupID}, []any{left.Kind, left.MessageID(), left.ReceiveCount, left.GroupID})
		require.Equal(s, []any{EventMovedIn, d[0].ID(), 1, d[0].GroupID}, []any{came.Kind, came.MessageID(), came.ReceiveCount, came.GroupID})
		out.take()
		require.Equal(s, []EventKind{EventMovedIn}, in.take())
	}, WithObserver(out.observe))
}

func TestQueue_DeadLetterTakesLettersOfOtherPrograms(t *testing.T) {
	ctx := context.Background()
	onBothTypes(t, func(s steps) {
		letter := fullLetter()
		letter.SentAt, letter.FirstReceivedAt = time.Now().Add(-time.Hour), time.Now().Add(-time.Minute)
		require.NoError(s, s.asTarget().DeadLetter(ctx, letter))
		letter.Attributes["b"].Binary[0] = 9 // the queue has its own copy
		d := s.one(time.Minute)
		require.Equal(s, []any{letter.ID, letter.Body, 4, letter.SourceARN, "g", "trace", "sender", byte(0)},
			[]any{d.ID(), d.Body, d.ReceiveCount, d.DeadLetterSourceARN(), d.GroupID, d.TraceHeader(), d.SenderID(), d.Attributes()["b"].Binary[0]})
		require.WithinDuration(s, letter.FirstReceivedAt, d.FirstReceivedAt(), 0)
		if s.q.fifo == nil {
			require.WithinDuration(s, letter.SentAt, d.SentAt(), 0)
		} else {
			require.WithinDuration(s, time.Now(), d.SentAt(), 0)
			require.ErrorIs(s, s.asTarget().DeadLetter(ctx, DeadLetter{Body: "b"}), ErrMissingParameter)
		}
		require.ErrorIs(s, s.asTarget().DeadLetter(ctx, DeadLetter{GroupID: "g"}), ErrMissingParameter)
		require.ErrorIs(s, s.asTarget().DeadLetter(ctx, DeadLetter{Body: "\x00", GroupID: "g"}), ErrInvalidMessageContents)
		over, cancel := context.WithCancel(ctx)
		cancel()
		require.Equal(s, context.Canceled, s.asTarget().DeadLetter(over, fullLetter()))
		s.counts(0, 1, 0)
		require.NoError(s, s.q.configure(&patch{settings: settings{capMessages: 1}, set: setCapacity}))
		require.ErrorIs(s, s.asTarget().DeadLetter(ctx, fullLetter()), ErrFull)
	})
}
