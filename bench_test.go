package inq

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// All benchmarks of one run are meant to be read as ratios to BenchmarkChannel and its kin in the
// same run: the machines they run on differ, and so does one machine from minute to minute.

var benchBody = strings.Repeat("x", 256)

func benchStandard(b *testing.B, opts ...StandardOption) *Standard {
	q, err := NewStandard("bench", opts...)
	must(b, err)
	b.Cleanup(func() { must(b, q.Close()) })
	return q
}

func benchFIFO(b *testing.B, opts ...FIFOOption) *FIFO {
	q, err := NewFIFO("bench.fifo", opts...)
	must(b, err)
	b.Cleanup(func() { must(b, q.Close()) })
	return q
}

func must(tb testing.TB, err error) {
	if err != nil {
		tb.Helper()
		tb.Fatal(err)
	}
}

// small shrinks a benchmark that takes long to set up where only its code is to be tried.
func small(n int) int {
	if testing.Short() {
		return min(n, 10_000)
	}
	return n
}

// BenchmarkChannel is the yardstick: a message through a plain buffered channel.
func BenchmarkChannel(b *testing.B) {
	ch := make(chan string, 16)
	for b.Loop() {
		ch <- benchBody
		<-ch
	}
}

func BenchmarkStandardLifecycle(b *testing.B) {
	q, ctx := benchStandard(b), context.Background()
	b.ReportAllocs()
	for b.Loop() {
		_, err := q.Send(ctx, Message{Body: benchBody})
		must(b, err)
		ds, err := q.Receive(ctx, ReceiveInput{})
		if err != nil || len(ds) != 1 {
			b.Fatal(len(ds), err)
		}
		must(b, ds[0].Delete(ctx))
	}
}

// BenchmarkStandardLifecycleStrings is the lifecycle of a program that wants the id and deletes by
// the handle.
func BenchmarkStandardLifecycleStrings(b *testing.B) {
	q, ctx := benchStandard(b), context.Background()
	b.ReportAllocs()
	for b.Loop() {
		sent, err := q.Send(ctx, Message{Body: benchBody})
		must(b, err)
		if sent.ID() == "" {
			b.Fatal("no id")
		}
		ds, err := q.Receive(ctx, ReceiveInput{})
		if err != nil || len(ds) != 1 {
			b.Fatal(len(ds), err)
		}
		must(b, q.Delete(ctx, ds[0].ReceiptHandle()))
	}
}

func BenchmarkStandardLifecycleInto(b *testing.B) {
	q, ctx := benchStandard(b), context.Background()
	dst := make([]Delivery, 1)
	b.ReportAllocs()
	for b.Loop() {
		lifecycleInto(b, ctx, q, dst)
	}
}

func lifecycleInto(b *testing.B, ctx context.Context, q *Standard, dst []Delivery) {
	_, err := q.Send(ctx, Message{Body: benchBody})
	must(b, err)
	n, err := q.ReceiveInto(ctx, dst, ReceiveInput{})
	if err != nil || n != 1 {
		b.Fatal(n, err)
	}
	must(b, dst[0].Delete(ctx))
}

func BenchmarkStandardBatch10(b *testing.B) {
	q, ctx := benchStandard(b), context.Background()
	ms := make([]Message, 10)
	for i := range ms {
		ms[i].Body = benchBody
	}
	dst := make([]Delivery, 10)
	b.ReportAllocs()
	for b.Loop() {
		_, err := q.SendBatch(ctx, ms)
		must(b, err)
		n, err := q.ReceiveInto(ctx, dst, ReceiveInput{Max: 10})
		if err != nil || n != 10 {
			b.Fatal(n, err)
		}
		must(b, q.DeleteAll(ctx, dst))
	}
	perMessage(b, b.N*len(ms))
}

func perMessage(b *testing.B, messages int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(messages), "ns/msg")
}

func BenchmarkFIFOLifecycle(b *testing.B) {
	const window, groups = 100_000, 1000
	b.Run("window=100k", func(b *testing.B) {
		q, ctx := benchFIFO(b), context.Background()
		ids := make([]string, window)
		for i := range ids {
			ids[i] = "order-" + strconv.Itoa(i)
		}
		names := make([]string, groups)
		for i := range names {
			names[i] = "customer-" + strconv.Itoa(i)
		}
		dst := make([]Delivery, 1)
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			if i == window {
				b.StopTimer()
				must(b, q.Purge(ctx))
				i = 0
				b.StartTimer()
			}
			sent, err := q.Send(ctx, Message{Body: benchBody, GroupID: names[i%groups], DeduplicationID: ids[i]})
			if err != nil || sent.Duplicate() {
				b.Fatal(sent, err)
			}
			n, err := q.ReceiveInto(ctx, dst, ReceiveInput{})
			if err != nil || n != 1 {
				b.Fatal(n, err)
			}
			must(b, dst[0].Delete(ctx))
			i++
		}
	})
}

// BenchmarkFIFOGroups is the lifecycle with one message waiting in each of n groups, which take turns
// in the order they lie in memory in, or in one that has nothing to do with it. How much slower a
// million are than a thousand is how much of the time goes to memory that no cache holds.
func BenchmarkFIFOGroups(b *testing.B) {
	const window = 100_000 // deduplication ids remembered besides those of the waiting messages
	for _, size := range []struct {
		name string
		n    int
	}{{"groups=1k", 1000}, {"groups=1M", 1_000_000}} {
		n := small(size.n)
		groups, ids := make([]string, n), make([]string, window)
		for i := range groups {
			groups[i] = "customer-" + strconv.Itoa(i)
		}
		for i := range ids {
			ids[i] = "order-" + strconv.Itoa(i)
		}
		for _, order := range []struct {
			name string
			step int
		}{{"order=memory", 1}, {"order=scattered", 611_953}} { // a prime
			// A producer has strings of its own for groups that are there already.
			senders := make([]string, min(n, window))
			for i := range senders {
				senders[i] = strings.Clone(groups[i*order.step%n])
			}
			b.Run(size.name+"/"+order.name, func(b *testing.B) {
				q, ctx := benchFIFO(b, WithoutSQSLimits()), context.Background()
				dst := make([]Delivery, 1)
				i := window
				b.ReportAllocs()
				for b.Loop() {
					if i == window {
						b.StopTimer()
						must(b, q.Purge(ctx))
						waitInEach(b, q, groups, order.step)
						i = 0
						b.StartTimer()
					}
					sent, err := q.Send(ctx, Message{Body: benchBody, GroupID: senders[i%len(senders)], DeduplicationID: ids[i]})
					if err != nil || sent.Duplicate() {
						b.Fatal(sent, err)
					}
					n, err := q.ReceiveInto(ctx, dst, ReceiveInput{})
					if err != nil || n != 1 {
						b.Fatal(n, err)
					}
					must(b, dst[0].Delete(ctx))
					i++
				}
			})
		}
	}
}

// waitInEach sends one message to each group and lets the groups take turns in steps.
func waitInEach(b *testing.B, q *FIFO, groups []string, step int) {
	ctx := context.Background()
	for _, g := range groups {
		_, err := q.Send(ctx, Message{Body: benchBody, GroupID: g, DeduplicationID: g})
		must(b, err)
	}
	var all []Delivery
	dst := make([]Delivery, mostAtOnce)
	for len(all) < len(groups) {
		n, err := q.ReceiveInto(ctx, dst, ReceiveInput{Max: mostAtOnce})
		must(b, err)
		all = append(all, dst[:n]...)
	}
	for i := range all {
		must(b, all[i*step%len(all)].ChangeVisibility(ctx, 0))
	}
	runtime.GC()
}

// inFlightOne returns a queue and the delivery of its one message.
func inFlightOne(b *testing.B) (*Standard, *Delivery) {
	q, ctx := benchStandard(b), context.Background()
	_, err := q.Send(ctx, Message{Body: benchBody})
	must(b, err)
	ds, err := q.Receive(ctx, ReceiveInput{})
	must(b, err)
	b.ReportAllocs()
	return q, &ds[0]
}

func BenchmarkChangeVisibility(b *testing.B) {
	_, d := inFlightOne(b)
	ctx := context.Background()
	for b.Loop() {
		must(b, d.ChangeVisibility(ctx, 30*time.Second))
	}
}

// BenchmarkChangeVisibilityLonger asks for more than the queue's own timeout, which goes over the
// timer wheel.
func BenchmarkChangeVisibilityLonger(b *testing.B) {
	_, d := inFlightOne(b)
	ctx := context.Background()
	for b.Loop() {
		must(b, d.ChangeVisibility(ctx, time.Minute))
	}
}

func BenchmarkChangeVisibilityHandle(b *testing.B) {
	q, d := inFlightOne(b)
	ctx, handle := context.Background(), d.ReceiptHandle()
	for b.Loop() {
		must(b, q.ChangeVisibility(ctx, handle, 30*time.Second))
	}
}

// fourByFour runs 4 producers and 4 consumers until n messages went through.
func fourByFour(b *testing.B, send func(), receive func(worker int) (got bool)) {
	const workers = 4
	n := max(b.N, workers)
	var received atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for w := range workers {
		share := n / workers
		if w == 0 {
			share += n % workers
		}
		wg.Go(func() {
			for range share {
				send()
			}
		})
		wg.Go(func() {
			for received.Load() < int64(n) {
				if receive(w) {
					received.Add(1)
				} else {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	perMessage(b, n)
}

func BenchmarkChannel4x4(b *testing.B) {
	ch := make(chan string, 1024)
	fourByFour(b, func() { ch <- benchBody }, func(int) bool {
		select {
		case <-ch:
			return true
		default:
			return false
		}
	})
}

func BenchmarkStandard4x4(b *testing.B) {
	q, ctx := benchStandard(b, WithoutSQSLimits()), context.Background()
	var dst [4][1]Delivery
	fourByFour(b, func() {
		_, err := q.Send(ctx, Message{Body: benchBody})
		if err != nil {
			panic(err)
		}
	}, func(w int) bool {
		n, err := q.ReceiveInto(ctx, dst[w][:], ReceiveInput{Wait: Zero})
		if err != nil {
			panic(err)
		}
		if n == 0 {
			return false
		}
		if err := dst[w][0].Delete(ctx); err != nil {
			panic(err)
		}
		return true
	})
}

// BenchmarkStandardBacklog is the lifecycle with n messages waiting, so that each receive takes an
// older one.
func BenchmarkStandardBacklog(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"n=1k", 1000}, {"n=100k", 100_000}, {"n=5M", 5_000_000}} {
		b.Run(size.name, func(b *testing.B) {
			q, ctx := benchStandard(b, WithoutSQSLimits()), context.Background()
			for range small(size.n) {
				_, err := q.Send(ctx, Message{Body: benchBody})
				must(b, err)
			}
			runtime.GC()
			dst := make([]Delivery, 1)
			for b.Loop() {
				lifecycleInto(b, ctx, q, dst)
			}
		})
	}
}

// BenchmarkMassExpiry lets a million messages in flight time out at one instant and reports how
// long two senders had to wait meanwhile, and when all messages were receivable again.
func BenchmarkMassExpiry(b *testing.B) {
	n := small(1_000_000)
	for range b.N {
		b.StopTimer()
		q, ctx := benchStandard(b, WithoutSQSLimits()), context.Background()
		deadline := leaseAll(b, q, n)
		var stop atomic.Bool
		var waits [2][]time.Duration
		var wg sync.WaitGroup
		for w := range waits {
			waits[w] = make([]time.Duration, 0, 4_000_000)
			wg.Go(func() {
				for !stop.Load() && len(waits[w]) < cap(waits[w]) {
					began := time.Now()
					_, err := q.Send(ctx, Message{Body: benchBody})
					if err != nil {
						panic(err)
					}
					if ended := time.Now(); ended.After(deadline) {
						waits[w] = append(waits[w], ended.Sub(began))
					} else {
						runtime.Gosched()
					}
				}
			})
		}
		<-time.After(time.Until(deadline))
		b.StartTimer()
		poll := time.NewTicker(100 * time.Microsecond)
		for inFlight(q) > 0 {
			<-poll.C
		}
		total := time.Since(deadline)
		poll.Stop()
		stop.Store(true)
		wg.Wait()
		b.StopTimer()
		all := append(waits[0], waits[1]...)
		slices.Sort(all)
		if len(all) > 0 {
			b.ReportMetric(float64(all[len(all)*99/100].Nanoseconds())/1e3, "p99-µs")
			b.ReportMetric(float64(all[len(all)-1].Nanoseconds())/1e3, "max-µs")
		}
		b.ReportMetric(float64(total.Microseconds())/1e3, "total-ms")
		must(b, q.Close())
	}
}

// leaseAll puts n messages in flight until one and the same nanosecond, which it returns.
func leaseAll(b *testing.B, q *Standard, n int) time.Time {
	ctx := context.Background()
	for range n {
		_, err := q.Send(ctx, Message{Body: benchBody})
		must(b, err)
	}
	dst := make([]Delivery, mostAtOnce)
	var all []receipt
	for len(all) < n {
		got, err := q.ReceiveInto(ctx, dst, ReceiveInput{Max: mostAtOnce, VisibilityTimeout: time.Hour})
		must(b, err)
		for i := range got {
			all = append(all, dst[i].receipt)
		}
	}
	runtime.GC()
	now, err := q.enter()
	must(b, err)
	timeout := time.Second
	for _, rc := range all {
		must(b, q.changeLocked(now, rc, timeout))
	}
	_ = q.leave(now)
	return q.ids.time(now).Add(timeout)
}

// inFlight looks without carrying out what is due.
func inFlight(q *Standard) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.counts[classInFlight]
}

// BenchmarkMemory reports what a message costs beyond its body.
func BenchmarkMemory(b *testing.B) {
	n := 1_000_000
	b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
		n := small(n)
		for range b.N {
			b.ReportMetric(standardBytes(b, n), "B/msg-standard")
			b.ReportMetric(fifoBytes(b, n), "B/msg-fifo")
		}
	})
}

// standardBytes returns the bytes per message beyond a body of 256 bytes, with n messages in a
// Standard queue.
func standardBytes(tb testing.TB, n int) float64 {
	ctx := context.Background()
	q, err := NewStandard("memory", WithoutSQSLimits())
	must(tb, err)
	defer q.Close()
	before := heapBytes()
	for range n {
		_, err := q.Send(ctx, Message{Body: strings.Clone(benchBody)})
		must(tb, err)
	}
	used := heapBytes() - before
	runtime.KeepAlive(q)
	return float64(used)/float64(n) - float64(len(benchBody))
}

// fifoBytes returns the same for a FIFO queue in which each message has a group and a deduplication
// id of its own. The strings of the ids belong to the producer and are not counted.
func fifoBytes(tb testing.TB, n int) float64 {
	ctx := context.Background()
	q, err := NewFIFO("memory.fifo", WithoutSQSLimits())
	must(tb, err)
	defer q.Close()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	before := heapBytes()
	for _, id := range ids {
		_, err := q.Send(ctx, Message{Body: strings.Clone(benchBody), GroupID: id, DeduplicationID: id})
		must(tb, err)
	}
	used := heapBytes() - before
	runtime.KeepAlive(q)
	runtime.KeepAlive(ids)
	return float64(used)/float64(n) - float64(len(benchBody))
}

func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// wakeups measures the time from a send to the return of a receiver that is surely parked: the
// sender gives it 20 µs for that, during which it yields the processor and keeps the caches warm.
func wakeups(b *testing.B, send, receive, after func()) {
	took := make([]time.Duration, 0, b.N)
	var began atomic.Int64
	epoch := time.Now()
	ready, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for range b.N {
			ready <- struct{}{}
			receive()
			took = append(took, time.Since(epoch)-time.Duration(began.Load()))
			after()
		}
	}()
	for range b.N {
		<-ready
		for from := time.Now(); time.Since(from) < 20*time.Microsecond; {
			runtime.Gosched()
		}
		began.Store(int64(time.Since(epoch)))
		send()
	}
	<-done
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
}

func BenchmarkWakeup(b *testing.B) {
	q := benchStandard(b)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dst := make([]Delivery, 1)
	wakeups(b, func() {
		_, err := q.Send(ctx, Message{Body: benchBody})
		must(b, err)
	}, func() {
		n, err := q.ReceiveInto(ctx, dst, ReceiveInput{Wait: 20 * time.Second})
		if err != nil || n != 1 {
			panic(fmt.Sprint(n, err))
		}
	}, func() {
		if err := dst[0].Delete(ctx); err != nil {
			panic(err)
		}
	})
}

// BenchmarkChannelWakeup is what a program does to wait for a message with a time limit and a
// context.
func BenchmarkChannelWakeup(b *testing.B) {
	ch := make(chan string, 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	wakeups(b, func() { ch <- benchBody }, func() {
		limit := time.NewTimer(20 * time.Second)
		defer limit.Stop()
		select {
		case <-ch:
		case <-limit.C:
		case <-ctx.Done():
		}
	}, func() {})
}
