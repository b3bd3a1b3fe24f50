package inqtest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqtest"
)

// A hundred thousand entries cost no more each than a hundred do: whoever waits looks at each once.
func TestLog_OfAHundredThousandEntries(t *testing.T) {
	t.Parallel()
	s := inqtest.New(t)
	q := s.Standard("q")
	const n = 50_000
	var consumers sync.WaitGroup
	for range 4 {
		consumers.Go(func() {
			batch := make([]inq.Message, 10)
			for i := range batch {
				batch[i].Body = "x"
			}
			for range n / 4 / len(batch) {
				_, err := q.SendBatch(context.Background(), batch)
				assert.NoError(t, err)
			}
		})
		consumers.Go(func() {
			for range n / 4 {
				ds, err := q.Receive(context.Background(), inq.ReceiveInput{Wait: 20 * time.Second})
				assert.NoError(t, err)
				for i := range ds {
					assert.NoError(t, ds[i].Delete(context.Background()))
				}
			}
		})
	}
	consumers.Go(func() { assert.Len(t, s.Log().Wait(n, inqtest.Sent, inqtest.Within(time.Minute)), n) })
	consumers.Wait()
	assert.Len(t, s.Log().Wait(n, inqtest.Deleted), n)
	inqtest.WaitDrained(t, q)
	assert.True(t, slices.IsSortedFunc(slices.Collect(s.Log().All()), func(a, b inqtest.Entry) int { return a.Time.Compare(b.Time) }))
	assert.Empty(t, s.Leaks())
}

// What is seen in a queue is in the order of the queue, whoever delivers the events.
func TestServers_InParallel(t *testing.T) {
	for i := range 100 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			s := inqtest.New(t, inqtest.Strict())
			q := s.FIFO("q.fifo", inq.WithContentBasedDeduplication(true))
			var senders sync.WaitGroup
			for j := range 10 {
				senders.Go(func() { send(t, q, fmt.Sprint(j)) })
			}
			go func() {
				for range 10 {
					ds, err := q.Receive(context.Background(), inq.ReceiveInput{Wait: 20 * time.Second})
					if assert.NoError(t, err) && assert.Len(t, ds, 1) {
						assert.NoError(t, ds[0].Delete(context.Background()))
					}
				}
			}()
			senders.Wait()
			inqtest.WaitDrained(t, q)
			s.Log().Wait(10, inqtest.Deleted)
			sent := bodies(slices.Collect(s.Log().All(inqtest.Sent)))
			require.Len(t, sent, 10)
			assert.Equal(t, sent, bodies(slices.Collect(s.Log().All(inqtest.Deleted))))
			s.Log().Never(inqtest.Deduplicated, inqtest.Within(0))
		})
	}
}
