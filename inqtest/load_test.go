package inqtest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
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

// Events of a queue whose observer takes its time come late, and stand in the log where they belong.
func TestLog_IsInTheOrderOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		slow := s.Standard("slow", inq.WithObserver(func([]inq.Event) { time.Sleep(time.Minute) }))
		quick := s.Standard("quick")
		go send(t, slow, "1")
		time.Sleep(10 * time.Second)
		send(t, slow, "2") // is told a minute after the first
		time.Sleep(10 * time.Second)
		send(t, quick, "3")
		assert.Equal(t, []string{"1", "2", "3"}, bodies(s.Log().Wait(3, inqtest.Sent)))
		assert.Equal(t, []string{"1", "2", "3"}, bodies(slices.Collect(s.Log().All())))
		time.Sleep(2 * time.Minute) // the observer is through
	})
}

// Whoever waits sees what comes, however much was dropped before.
func TestLog_DropsBehindAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t, inqtest.WithKept(4))
		q := s.Standard("q")
		var waits sync.WaitGroup
		waits.Go(func() { assert.Len(t, s.Log().Wait(1, inqtest.Body("last")), 1) })
		for range 20 {
			send(t, q, "one")
		}
		synctest.Wait()
		send(t, q, "last")
		waits.Wait()
		assert.Equal(t, 16, s.Log().Dropped()-1)
	})
}

func BenchmarkLog(b *testing.B) {
	for _, watched := range []bool{false, true} {
		b.Run(fmt.Sprintf("watched=%v", watched), func(b *testing.B) {
			ctx := context.Background()
			s := inqtest.New(b)
			q := s.Standard("q")
			if !watched {
				var err error
				q, err = inq.NewStandard("q")
				require.NoError(b, err)
				defer q.Close()
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := q.Send(ctx, inq.Message{Body: "x"}); err != nil {
					b.Fatal(err)
				}
				ds, err := q.Receive(ctx, inq.ReceiveInput{})
				if err != nil {
					b.Fatal(err)
				}
				if err := ds[0].Delete(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
