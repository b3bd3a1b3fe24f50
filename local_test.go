package inq

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// wrapping is a queue of somebody else around one of ours, which looks into what goes through it.
type wrapping struct {
	*Standard
	letters []DeadLetter
	sent    []Message
}

func (w *wrapping) DeadLetter(ctx context.Context, d DeadLetter) error {
	w.letters = append(w.letters, d)
	return w.Standard.DeadLetter(ctx, d)
}

func (w *wrapping) Send(ctx context.Context, m Message) (Sent, error) {
	w.sent = append(w.sent, m)
	return w.Standard.Send(ctx, m)
}

func TestLocal_OnlyTheQueueItselfIsOneOfOurs(t *testing.T) {
	standard, fifo := testStandard(t), testFIFO(t)
	require.Same(t, &standard.queue, localQueue(standard))
	require.Same(t, &fifo.queue, localQueue(fifo))
	require.Same(t, &standard.queue, localQueue(Local(standard)))
	for _, none := range []any{(*Standard)(nil), (*FIFO)(nil), &Standard{}, &FIFO{}} {
		q := localQueue(none)
		require.NotNil(t, q)
		require.Nil(t, q.ids, "as no constructor made it")
	}
	var wrapper Local = &wrapping{Standard: standard}
	for _, other := range []any{nil, wrapper, struct{ *Standard }{}, &calls{}, DeadLetterFunc(nil), Queue(nil), 7} {
		require.Nil(t, localQueue(other), "%T", other)
	}
}

// TestLocal_AWrapperIsCalledAndNotWhatItWraps has a wrapper take dead letters, and what a move task
// moves.
func TestLocal_AWrapperIsCalledAndNotWhatItWraps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		wrapper := &wrapping{Standard: testStandard(t)}
		q := testStandard(t, WithVisibilityTimeout(0), WithDeadLetter(wrapper, 1))
		require.Equal(t, DeadLetterTarget(wrapper), q.Config().DeadLetter)
		send(t, q, "m")
		require.Equal(t, []string{"m"}, receiveBodies(t, q))
		require.Empty(t, receiveBodies(t, q))
		synctest.Wait()
		require.Len(t, wrapper.letters, 1)
		require.Equal(t, "m", wrapper.letters[0].Body)

		task, err := wrapper.Redrive(ctx, RedriveInput{Destination: q})
		require.NoError(t, err)
		<-task.Done()
		require.Equal(t, 1, task.Moved())
		task, err = q.Redrive(ctx, RedriveInput{Destination: wrapper})
		require.NoError(t, err)
		<-task.Done()
		require.Equal(t, 1, task.Moved())
		require.Len(t, wrapper.sent, 1)
		require.Equal(t, "m", wrapper.sent[0].Body)
	})
}

func TestLocal_ABrokerReturnsWhatNeedsNoAssertion(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	_, err := b.CreateStandard("a")
	require.NoError(t, err)
	_, err = b.CreateFIFO("b.fifo")
	require.NoError(t, err)
	for _, name := range []string{"a", "b.fifo"} {
		q, err := b.Queue(name)
		require.NoError(t, err)
		require.Equal(t, name, q.Config().Name)
		_, err = q.Send(ctx, Message{Body: "m", GroupID: "g", DeduplicationID: map[bool]string{true: "d"}[q.Config().FIFO]})
		require.NoError(t, err)
		for s := range q.Messages() {
			require.Equal(t, "m", s.Body)
		}
		var one [1]Delivery
		n, err := q.ReceiveInto(ctx, one[:], ReceiveInput{})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.NoError(t, q.DeleteAll(ctx, one[:]))
		require.EqualValues(t, 1, q.Stats().Deleted)
		again, err := b.ByARN(q.ARN())
		require.NoError(t, err)
		require.Same(t, q, again)
		require.NoError(t, q.Close())
	}
	q, err := b.Queue("c")
	require.ErrorIs(t, err, ErrQueueDoesNotExist)
	require.Nil(t, q)
}
