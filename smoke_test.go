package inq

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSmoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		dlq, err := NewStandard("dlq")
		require.NoError(t, err)
		q, err := NewStandard("q", WithDeadLetter(dlq, 2))
		require.NoError(t, err)
		defer q.Close()
		defer dlq.Close()
		s, err := q.Send(ctx, Message{Body: "hello", Delay: time.Second, GroupID: "a"})
		require.NoError(t, err)
		start := time.Now()
		ds, err := q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		require.Equal(t, time.Second, time.Since(start))
		require.Equal(t, s.ID(), ds[0].ID())
		ds, err = q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
		require.Empty(t, ds)
		require.Equal(t, 21*time.Second, time.Since(start))
		ds, err = q.Receive(ctx, ReceiveInput{Wait: 20 * time.Second})
		require.Len(t, ds, 1)
		require.Equal(t, 31*time.Second, time.Since(start))
		time.Sleep(30 * time.Second)
		ds, err = q.Receive(ctx, ReceiveInput{})
		require.Empty(t, ds)
		ds, err = dlq.Receive(ctx, ReceiveInput{})
		require.Len(t, ds, 1)
		require.Equal(t, 3, ds[0].ReceiveCount)
		require.NoError(t, dlq.Delete(ctx, ds[0].ReceiptHandle()))
		require.Equal(t, Counts{}, q.Stats().Counts)

		f, err := NewFIFO("q.fifo", WithContentBasedDeduplication(true))
		require.NoError(t, err)
		defer f.Close()
		for _, m := range []string{"g1-m1", "g2-m1", "g1-m2", "g1-m3"} {
			_, err := f.Send(ctx, Message{Body: m, GroupID: m[:2]})
			require.NoError(t, err)
		}
		ds, err = f.Receive(ctx, ReceiveInput{Max: 10})
		require.NoError(t, err)
		var got []string
		for _, d := range ds {
			got = append(got, d.Body)
		}
		require.Equal(t, []string{"g1-m1", "g1-m2", "g1-m3", "g2-m1"}, got)
	})
}
