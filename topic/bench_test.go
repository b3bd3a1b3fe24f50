package topic

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

var benchBody = strings.Repeat("x", 256)

// benchTopic is a topic with n queues behind it that forget what they get.
func benchTopic(b *testing.B, fifo bool, n int, opts ...SubscribeOption) (*Topic, []inq.Queue) {
	a, err := NewAccount(WithAccountID("123456789012"), WithoutSNSLimits(), WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(b, err)
	b.Cleanup(func() { a.Close() })
	create, name := a.CreateStandard, "bench"
	if fifo {
		create, name = a.CreateFIFO, "bench.fifo"
	}
	t, err := create(name)
	require.NoError(b, err)
	queues := benchQueues(b, fifo, n)
	for _, q := range queues {
		_, err := t.Subscribe(Queue(q), opts...)
		require.NoError(b, err)
	}
	return t, queues
}

func benchQueues(b *testing.B, fifo bool, n int) (queues []inq.Queue) {
	for i := range n {
		var q inq.Queue
		var err error
		if fifo {
			q, err = inq.NewFIFO(fmt.Sprint("q", i, ".fifo"))
		} else {
			q, err = inq.NewStandard(fmt.Sprint("q", i))
		}
		require.NoError(b, err)
		queues = append(queues, q)
	}
	b.Cleanup(func() {
		for _, q := range queues {
			q.(interface{ Close() error }).Close()
		}
	})
	return queues
}

// compare calls publish and send in turn, in blocks of a few hundred, so that what happens on the
// machine meanwhile meets both. It reports the cost of a copy either way, as the median of blocks, and
// the ratio. The queues are emptied now and then: one that grows for seconds would be measured, not the
// call.
func compare(b *testing.B, t *Topic, publish, send func(i int), to, yardstick []inq.Queue) {
	block := max(1, 1000/len(to))
	var cost [2][]time.Duration
	calls := 0
	for b.Loop() {
		for way, call := range []func(int){publish, send} {
			began := time.Now()
			for i := range block {
				call(calls + i)
			}
			cost[way] = append(cost[way], time.Since(began))
		}
		calls += block
		if calls%(10*block) == 0 {
			for _, q := range append(slices.Clip(to), yardstick...) {
				must(b, q.Purge(context.Background()))
			}
			if f := t.fifo; f != nil { // a purge forgets the deduplication ids of a queue; a topic has none
				f.window, f.order, f.expired = map[dedupKey]dedupEntry{}, nil, 0
			}
		}
	}
	var median [2]float64
	for way := range cost {
		slices.Sort(cost[way])
		median[way] = float64(cost[way][len(cost[way])/2]) / float64(block*len(to))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median[0], "ns/published")
	b.ReportMetric(median[1], "ns/sent")
	b.ReportMetric(median[0]/median[1], "ratio")
}

func must(b *testing.B, err error) {
	if err != nil {
		b.Helper()
		b.Fatal(err)
	}
}

// BenchmarkPublish compares publishing with sending the same bodies to as many queues oneself.
func BenchmarkPublish(b *testing.B) {
	for _, c := range []struct {
		name   string
		fifo   bool
		queues int
		opts   []SubscribeOption
	}{
		{"queues=1/raw", false, 1, []SubscribeOption{WithRawDelivery()}},
		{"queues=1/envelope", false, 1, nil},
		{"queues=100/raw", false, 100, []SubscribeOption{WithRawDelivery()}},
		{"queues=100/envelope", false, 100, nil},
		{"fifo/queues=1/raw", true, 1, []SubscribeOption{WithRawDelivery()}},
		{"fifo/queues=100/raw", true, 100, []SubscribeOption{WithRawDelivery()}},
	} {
		b.Run(c.name, func(b *testing.B) {
			t, queues := benchTopic(b, c.fifo, c.queues, c.opts...)
			others, ctx := benchQueues(b, c.fifo, c.queues), context.Background()
			group := ""
			if c.fifo {
				group = "g"
			}
			id := func(i int) string {
				if !c.fifo {
					return ""
				}
				return strconv.Itoa(i)
			}
			compare(b, t, func(i int) {
				_, err := t.Publish(ctx, Message{Body: benchBody, GroupID: group, DeduplicationID: id(i)})
				must(b, err)
			}, func(i int) {
				for _, q := range others {
					_, err := q.Send(ctx, inq.Message{Body: benchBody, GroupID: group, DeduplicationID: id(i)})
					must(b, err)
				}
			}, queues, others)
		})
	}
}

// BenchmarkPublishAllocs reports what one publish to one queue allocates.
func BenchmarkPublishAllocs(b *testing.B) {
	for name, opts := range map[string][]SubscribeOption{"raw": {WithRawDelivery()}, "envelope": nil} {
		b.Run(name, func(b *testing.B) {
			t, queues := benchTopic(b, false, 1, opts...)
			ctx := context.Background()
			b.ReportAllocs()
			for i := 1; b.Loop(); i++ {
				_, err := t.Publish(ctx, Message{Body: benchBody})
				must(b, err)
				if i%10_000 == 0 {
					must(b, queues[0].Purge(ctx))
				}
			}
		})
	}
}

// BenchmarkPublishFiltered publishes to 10,000 subscriptions with filter policies of which three
// match. Trying each is in package filter.
func BenchmarkPublishFiltered(b *testing.B) {
	t, queues := benchTopic(b, false, 3)
	for i, q := range queues {
		s, err := t.Subscribe(Queue(q))
		require.NoError(b, err)
		require.NoError(b, s.SetAttribute("RawMessageDelivery", "true"))
		require.NoError(b, s.SetAttribute("FilterPolicy", fmt.Sprintf(`{"event":["order_placed"],"customer":["me","c%d"]}`, i)))
	}
	for i := range 9_997 {
		_, err := t.Subscribe(QueueARN(fmt.Sprint(queueARNPrefix, i)), WithFilter(fmt.Sprintf(`{"event":["order_placed"],"customer":["c%d"]}`, i)))
		require.NoError(b, err)
	}
	m := Message{Body: benchBody, Attributes: map[string]inq.Attribute{"event": inq.String("order_placed"), "customer": inq.String("me")}}
	ctx := context.Background()
	b.ReportAllocs()
	for i := 1; b.Loop(); i++ {
		_, err := t.Publish(ctx, m)
		must(b, err)
		if i%10_000 == 0 {
			for _, q := range queues {
				must(b, q.Purge(ctx))
			}
		}
	}
}

// BenchmarkMemory reports what a subscription takes.
func BenchmarkMemory(b *testing.B) {
	const n = 20_000
	for _, c := range []struct {
		name string
		opts func(i int) []SubscribeOption
	}{
		{"plain", func(int) []SubscribeOption { return nil }},
		{"filter", func(i int) []SubscribeOption {
			return []SubscribeOption{WithFilter(fmt.Sprintf(`{"event":["order_placed"],"customer":["c%d"]}`, i))}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				t, _ := benchTopic(b, false, 0)
				before := heap()
				for i := range n {
					_, err := t.Subscribe(QueueARN(fmt.Sprint(queueARNPrefix, i)), c.opts(i)...)
					require.NoError(b, err)
				}
				b.ReportMetric(float64(heap()-before)/n, "B/subscription")
				runtime.KeepAlive(t)
			}
		})
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
