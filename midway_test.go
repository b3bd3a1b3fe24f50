package inq

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// closesAt makes a queue that closes at its first event of a kind.
func closesAt(kind EventKind, q **queue) Option {
	return WithObserver(func(es []Event) {
		for _, e := range es {
			if e.Kind == kind {
				_ = (*q).Close()
			}
		}
	})
}

func TestBatch_ACloseMidwayTellsWhichEntriesWereNotTried(t *testing.T) {
	const n = entriesAtOnce + 36
	ctx := context.Background()
	for name, c := range map[string]struct {
		kind EventKind
		do   func(q *queue, ds []Delivery) error
	}{
		"DeleteAll": {EventDeleted, func(q *queue, ds []Delivery) error { return q.DeleteAll(ctx, ds) }},
		"ExtendAll": {EventExtended, func(q *queue, ds []Delivery) error { return q.ExtendAll(ctx, ds, time.Hour) }},
		"DeleteBatch": {EventDeleted, func(q *queue, ds []Delivery) error {
			var handles []string
			for i := range ds {
				handles = append(handles, ds[i].ReceiptHandle())
			}
			return q.DeleteBatch(ctx, handles)
		}},
		"ChangeVisibilityBatch": {EventExtended, func(q *queue, ds []Delivery) error {
			var changes []VisibilityChange
			for i := range ds {
				changes = append(changes, VisibilityChange{ds[i].ReceiptHandle(), time.Hour})
			}
			return q.ChangeVisibilityBatch(ctx, changes)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var q *queue
			onBothTypes(t, func(s steps) {
				q = s.q
				for i := range n {
					s.send(fmt.Sprintf("g%d-1", i))
				}
				ds := s.all(time.Minute)
				require.Len(s, ds, n)
				var batch *BatchError
				require.ErrorAs(s, c.do(s.q, ds), &batch)
				require.Len(s, batch.Failed, n-entriesAtOnce)
				for i, f := range batch.Failed {
					require.Equal(s, BatchFailure{Index: entriesAtOnce + i, Err: ErrClosed}, f)
				}
				require.Equal(s, ErrClosed, c.do(s.q, ds), "nothing was tried")
			}, WithoutSQSLimits(), closesAt(c.kind, &q))
		})
	}
}

// batchOf makes n messages for both types of queue; where they are not plain, one of them has a sender.
func batchOf(s steps, n int, plain bool) []Message {
	ms := make([]Message, n)
	for i := range ms {
		ms[i] = s.message(fmt.Sprintf("g%d-1", i))
	}
	if !plain {
		ms[0].SenderID = "somebody"
	}
	return ms
}

func TestSendBatch_ACloseMidwayTellsWhichEntriesWereNotTried(t *testing.T) {
	const n, invalid = entriesAtOnce + 36, entriesAtOnce + 10
	for _, plain := range []bool{true, false} {
		var q *queue
		onBothTypes(t, func(s steps) {
			q = s.q
			ms := batchOf(s, n, plain)
			if plain && q.fifo == nil {
				ms[invalid].Body = strings.Repeat("x", 65) // and plain it stays
			} else {
				ms[invalid].Attributes = map[string]Attribute{"a": {}}
			}
			sent, err := s.q.SendBatch(context.Background(), ms)
			var batch *BatchError
			require.ErrorAs(s, err, &batch)
			require.Len(s, batch.Failed, n-entriesAtOnce)
			for i, f := range batch.Failed {
				require.Equal(s, entriesAtOnce+i, f.Index)
				want := ErrClosed
				if f.Index == invalid {
					want = ErrInvalidParameter
				}
				require.ErrorIs(s, f.Err, want)
			}
			for i := range sent {
				require.Equal(s, i >= entriesAtOnce, sent[i].ID() == "")
			}
			sent, err = s.q.SendBatch(context.Background(), ms)
			require.Equal(s, ErrClosed, err, "nothing was tried")
			require.Nil(s, sent)
		}, WithoutSQSLimits(), WithMaxMessageSize(64), closesAt(EventSent, &q))
	}
}

func TestSendBatch_AfterAnEntryThatFoundNoRoomNoneIsAdded(t *testing.T) {
	const n, room = entriesAtOnce + 36, 10
	var q *queue
	onBothTypes(t, func(s steps) {
		q = s.q
		_, err := s.q.SendBatch(context.Background(), batchOf(s, n, true))
		var batch *BatchError
		require.ErrorAs(s, err, &batch)
		require.Len(s, batch.Failed, n-room)
		for i, f := range batch.Failed {
			require.Equal(s, room+i, f.Index)
			require.ErrorIs(s, f.Err, ErrFull)
		}
		s.counts(0, 0, 0)
	}, WithoutSQSLimits(), WithCapacity(room, 0), WithObserver(func(es []Event) {
		if es[0].Kind == EventSent { // there is room again before the rest of the batch
			_ = q.Purge(context.Background())
		}
	}))
}

func TestMessages_EndWithTheQueue(t *testing.T) {
	onBothTypes(t, func(s steps) {
		for i := range entriesAtOnce + 36 {
			s.send(fmt.Sprintf("g-%d", i))
		}
		n := 0
		for range s.q.Messages() {
			n++
			require.NoError(s, s.q.Close())
		}
		require.Equal(s, entriesAtOnce, n)
	})
}

func TestObserver_OneThatIsTakenAwayWhileItRunsIsNotCalledAgain(t *testing.T) {
	var s steps
	calls := 0
	s = standardSteps(t, WithObserver(func([]Event) {
		calls++
		s.send("2")
		require.NoError(t, s.q.self.(*Standard).Configure(WithObserver(nil)))
	}))
	s.send("1")
	s.send("3")
	require.Equal(t, 1, calls)
	s.gets(10, 0, "1", "2", "3")
}

func TestDeliveries_EndOfTheContextGivesTheRestBack(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1", "g-2", "g-3")
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var got []string
		var last error
		for d, err := range Deliveries(ctx, s.q.self, ReceiveInput{Max: 10}) {
			if last = err; err == nil {
				got = append(got, d.Body)
				require.NoError(s, d.Delete(context.Background()))
				cancel()
			}
		}
		require.Equal(s, []string{"g-1"}, got)
		require.Equal(s, context.Canceled, last)
		s.counts(2, 0, 0)
		for _, d := range s.gets(10, 0, "g-2", "g-3") {
			require.Equal(s, 1, d.ReceiveCount)
		}
	})
}

func TestBroker_DLQ8_TheTargetThatConfigShowsFindsTheQueueOfItsNameByThen(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t, WithoutCooldowns())
	dlq, err := b.CreateStandard("dlq")
	require.NoError(t, err)
	q, err := b.CreateStandard("q", WithDeadLetter(dlq, 1))
	require.NoError(t, err)
	require.NoError(t, b.DeleteQueue(ctx, "dlq"))
	target := q.Config().DeadLetter
	require.ErrorIs(t, target.DeadLetter(ctx, DeadLetter{Body: "b"}), ErrQueueDoesNotExist)
	dlq, err = b.CreateStandard("dlq")
	require.NoError(t, err)
	require.NoError(t, target.DeadLetter(ctx, DeadLetter{Body: "b"}))
	require.Equal(t, []string{"b"}, receiveBodies(t, dlq))
	require.Same(t, dlq, q.Config().DeadLetter)
}

func TestBroker_MGT1_AQueueWithAndWithoutADeadLetterTargetDiffer(t *testing.T) {
	b := testBroker(t)
	far := testFIFO(t)
	q, err := b.CreateFIFO("q.fifo", WithDeadLetter(far, 1))
	require.NoError(t, err)
	again, err := b.CreateFIFO("q.fifo", WithDeadLetter(far, 1))
	require.NoError(t, err)
	require.Same(t, q, again)
	_, err = b.CreateFIFO("q.fifo", WithDeadLetter(nil, 0))
	require.ErrorIs(t, err, ErrQueueExists)
	_, err = b.CreateFIFO("p.fifo", WithDeadLetter(nil, 0))
	require.NoError(t, err)
	_, err = b.CreateFIFO("p.fifo", WithDeadLetter(far, 1))
	require.ErrorIs(t, err, ErrQueueExists)
}
