package topic

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/internal/durable"
)

// TestJournal_Stress publishes, subscribes and changes from many goroutines, with segments so small that
// the journal is cleaned all the time, and looks whether each message arrives once in the process or in
// the next.
func TestJournal_Stress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const publishers, each = 8, 150
		files := inq.InMemory()
		open := func() (*world, *inq.Journal) {
			j, err := inq.OpenJournal("dir", files, inq.WithSync(inq.SyncOS), inq.WithSegmentSize(64<<10))
			require.NoError(t, err)
			w := &world{T: t, log: &logText{}}
			w.broker, err = inq.NewBroker(inq.WithAccount("123456789012"), inq.WithoutCooldowns(), inq.WithBrokerJournal(j))
			require.NoError(t, err)
			w.Account, err = NewAccount(WithBroker(w.broker), WithLogger(slog.New(slog.NewTextHandler(w.log, nil))))
			require.NoError(t, err)
			return w, j
		}
		w, j := open()
		ctx := t.Context()
		standard, fifo := w.standard("s"), w.fifo("f.fifo")
		w.subscribe(standard, Queue(w.queue("wide")), WithRawDelivery())
		w.subscribe(standard, Queue(w.queue("narrow", inq.WithCapacity(40, 0))), WithRawDelivery())
		w.subscribe(fifo, Queue(w.fifoQueue("q.fifo")), WithRawDelivery())
		w.subscribe(fifo, Queue(w.queue("plain", inq.WithCapacity(40, 0))), WithRawDelivery())
		arrived := map[string][]string{}
		drain := func(w *world) {
			for _, name := range []string{"wide", "narrow", "q.fifo", "plain"} {
				q, err := w.broker.Queue(name)
				require.NoError(t, err)
				arrived[name] = append(arrived[name], bodies(t, q)...)
			}
		}
		var all sync.WaitGroup
		for p := range publishers {
			all.Go(func() {
				for i := range each {
					body := fmt.Sprintf("%d %03d", p, i)
					_, err := standard.Publish(ctx, Message{Body: body})
					require.NoError(t, err)
					m := Message{Body: body, GroupID: fmt.Sprint(p), DeduplicationID: fmt.Sprintf("%d-%d", p, i)}
					_, err = fifo.PublishBatch(ctx, []Message{m, m})
					require.NoError(t, err)
					time.Sleep(time.Millisecond)
				}
			})
		}
		all.Go(func() {
			for i := range 200 {
				s, err := standard.Subscribe(QueueARN(fmt.Sprintf("arn:aws:sqs:us-east-1:123456789012:none%d", i%7)))
				require.NoError(t, err)
				require.NoError(t, s.SetAttribute("RawMessageDelivery", "true"))
				require.NoError(t, w.SetTags(ctx, fifo.ARN(), map[string]string{"i": fmt.Sprint(i)}))
				if i%2 == 1 {
					require.NoError(t, s.Unsubscribe())
				}
				time.Sleep(time.Millisecond)
			}
		})
		all.Go(func() {
			for range 20 {
				time.Sleep(10 * time.Millisecond)
				for _, name := range []string{"narrow", "plain"} { // which lets copies in that wait
					q, err := w.broker.Queue(name)
					require.NoError(t, err)
					ds, err := q.Receive(context.Background(), inq.ReceiveInput{Max: 10})
					require.NoError(t, err)
					for i := range ds {
						require.NoError(t, ds[i].Delete(context.Background()))
					}
					if len(ds) > 0 {
						for i := range ds {
							arrived[name] = append(arrived[name], ds[i].Body)
						}
					}
				}
			}
		})
		all.Wait()
		synctest.Wait()
		drain(w)
		checkInvariants(t, w.Account)
		require.NoError(t, w.Account.Close())
		require.NoError(t, w.broker.Close())
		require.NoError(t, j.Close())

		w, j = open()
		for range 200 {
			time.Sleep(30 * time.Second)
			synctest.Wait()
			drain(w)
		}
		for name, got := range arrived {
			require.Len(t, got, publishers*each, name)
			slices.Sort(got)
			require.Len(t, slices.Compact(got), publishers*each, name)
		}
		left := map[durable.Kind]int{}
		store := w.Account.journal
		require.NoError(t, store.Load(func(o durable.Object) error { left[o.Kind]++; return nil }))
		require.Zero(t, left[kindCopy]+left[kindPublication]+left[kindDedup], "%v", left)
		require.Less(t, j.Stats().Bytes, int64(600<<10))
		require.NoError(t, w.Account.Close())
		require.NoError(t, w.broker.Close())
		require.NoError(t, j.Close())
	})
}
