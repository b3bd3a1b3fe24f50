package inq

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// testStandard makes a queue whose invariants are checked when the test ends.
func testStandard(t testing.TB, opts ...StandardOption) *Standard {
	t.Helper()
	q, err := NewStandard("queue", opts...)
	require.NoError(t, err)
	t.Cleanup(func() {
		checkInvariants(t, &q.queue)
		require.NoError(t, q.Close())
	})
	return q
}

// testFIFO makes a queue whose invariants are checked when the test ends.
func testFIFO(t testing.TB, opts ...FIFOOption) *FIFO {
	t.Helper()
	q, err := NewFIFO("queue.fifo", opts...)
	require.NoError(t, err)
	t.Cleanup(func() {
		checkInvariants(t, &q.queue)
		require.NoError(t, q.Close())
	})
	return q
}

// TestQueue_ThatNoConstructorMadeIsClosed calls everything on zero values: they are refused, not
// dereferenced.
func TestQueue_ThatNoConstructorMadeIsClosed(t *testing.T) {
	ctx := context.Background()
	for name, q := range map[string]*queue{"Standard": &(&Standard{}).queue, "FIFO": &(&FIFO{}).queue} {
		for call, err := range map[string]error{
			"Send":                  second(q.Send(ctx, Message{Body: "x", GroupID: "g", DeduplicationID: "d"})),
			"SendBatch":             second(q.SendBatch(ctx, []Message{{Body: "x"}})),
			"Receive":               second(q.Receive(ctx, ReceiveInput{})),
			"ReceiveInto":           second(q.ReceiveInto(ctx, make([]Delivery, 1), ReceiveInput{Max: 3})),
			"Delete":                q.Delete(ctx, "handle"),
			"DeleteBatch":           q.DeleteBatch(ctx, []string{"handle"}),
			"DeleteAll":             q.DeleteAll(ctx, nil),
			"ExtendAll":             q.ExtendAll(ctx, nil, 0),
			"ChangeVisibility":      q.ChangeVisibility(ctx, "handle", 0),
			"ChangeVisibilityBatch": q.ChangeVisibilityBatch(ctx, []VisibilityChange{{}}),
			"Return":                q.Return(ctx, "handle", 0),
			"Bury":                  q.Bury(ctx, "handle", ""),
			"Redrive":               second(q.Redrive(ctx, RedriveInput{})),
			"Purge":                 q.Purge(ctx),
			"Counts":                second(q.Counts(ctx)),
			"Explain":               second(q.Explain(ctx, "")),
			"DeadLetter":            q.DeadLetter(ctx, DeadLetter{Body: "x"}),
		} {
			require.ErrorIs(t, err, ErrClosed, "%s.%s", name, call)
		}
		require.Equal(t, Stats{}, q.Stats())
		require.Equal(t, Config{}, q.Config())
		require.Empty(t, q.MoveTasks())
		for range q.Messages() {
			t.Fatal("a message")
		}
		require.NoError(t, q.Close())
	}
	require.ErrorIs(t, (&Standard{}).Configure(WithDelay(0)), ErrClosed)
	source := testStandard(t)
	require.ErrorIs(t, source.Configure(WithDeadLetter(&Standard{}, 1)), ErrInvalidParameter)
	_, err := source.Redrive(ctx, RedriveInput{Destination: &Standard{}})
	require.ErrorIs(t, err, ErrInvalidParameter)
}

func second[T any](_ T, err error) error { return err }
