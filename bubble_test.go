package inq

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A queue that a package or a TestMain made is used in a bubble, whose clock stands decades before.
func TestQueue_FromOutsideOfABubbleIsRefusedInside(t *testing.T) {
	b, err := NewBroker()
	require.NoError(t, err)
	queues := []Queue{}
	standard, err := b.CreateStandard("standard")
	require.NoError(t, err)
	fifo, err := b.CreateFIFO("fifo.fifo", WithContentBasedDeduplication(true))
	require.NoError(t, err)
	queues = append(queues, standard, fifo)
	for _, q := range queues {
		_, err := q.Send(context.Background(), Message{Body: "sent outside", GroupID: "g"})
		require.NoError(t, err)
		ds, err := q.Receive(context.Background(), ReceiveInput{})
		require.NoError(t, err)
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			began := time.Now()
			_, sendErr := q.Send(ctx, Message{Body: "sent inside", GroupID: "g"})
			_, receiveErr := q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
			_, countErr := q.Counts(ctx)
			for _, err := range []error{sendErr, receiveErr, countErr, q.Purge(ctx), ds[0].ChangeVisibility(ctx, time.Second)} {
				require.ErrorIs(t, err, ErrInvalidParameter)
				require.ErrorContains(t, err, "the queue was made outside of this testing/synctest bubble, whose clock is another; make the queue inside")
			}
			require.Zero(t, time.Since(began))
		})
		c, err := q.Counts(context.Background())
		require.NoError(t, err)
		require.Equal(t, Counts{NotVisible: 1}, c)
	}
	synctest.Test(t, func(*testing.T) { _ = b.Close() })
	_, err = standard.Send(context.Background(), Message{Body: "late"})
	require.ErrorIs(t, err, ErrClosed)
}
