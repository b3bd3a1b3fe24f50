package inq

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/inq/internal/journal"
)

func benchJournal(b *testing.B, opts ...JournalOption) *Journal {
	j, err := OpenJournal(b.TempDir(), opts...)
	must(b, err)
	b.Cleanup(func() { must(b, j.Close()) })
	return j
}

// BenchmarkJournalLifecycle is a message sent, received and deleted by one goroutine, where the journal writes
// and does not sync. What it costs is to be seen beside a queue in memory whose calls write as many bytes each.
func BenchmarkJournalLifecycle(b *testing.B) {
	lifecycle := func(b *testing.B, q *Standard, after func()) {
		ctx := context.Background()
		dst := make([]Delivery, 1)
		b.ReportAllocs()
		for b.Loop() {
			_, err := q.Send(ctx, Message{Body: benchBody})
			must(b, err)
			after()
			_, err = q.ReceiveInto(ctx, dst, ReceiveInput{})
			must(b, err)
			after()
			must(b, dst[0].Delete(ctx))
			after()
		}
	}
	b.Run("OS", func(b *testing.B) {
		lifecycle(b, benchStandard(b, WithJournal(benchJournal(b, WithSync(SyncOS)))), func() {})
	})
	b.Run("memory", func(b *testing.B) { lifecycle(b, benchStandard(b), func() {}) })
	b.Run("memory and a write per call", func(b *testing.B) {
		f, err := os.Create(b.TempDir() + "/f")
		must(b, err)
		defer f.Close()
		n := 0
		sizes := [3]int{len(benchBody) + 50, 60, 40} // as the frames of the three
		buf := make([]byte, 1024)
		lifecycle(b, benchStandard(b), func() {
			_, err := f.Write(buf[:sizes[n%3]])
			must(b, err)
			n++
		})
	})
}

// bySenders runs n goroutines that share b.N calls.
func bySenders(b *testing.B, n int, call func()) {
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				call()
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sends/s")
}

// BenchmarkJournalSenders is sends that each wait for the disk, by 1, 100 and 1,000 senders: of a queue, and of
// the bare log with as many bytes.
func BenchmarkJournalSenders(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("queue/%d", n), func(b *testing.B) {
			q, ctx := benchStandard(b, WithJournal(benchJournal(b))), context.Background()
			bySenders(b, n, func() {
				_, err := q.Send(ctx, Message{Body: benchBody})
				must(b, err)
			})
		})
		b.Run(fmt.Sprintf("log/%d", n), func(b *testing.B) {
			log, err := journal.Open(b.TempDir(), journal.Options{})
			must(b, err)
			defer log.Close()
			log.Start(nobody{})
			body := make([]byte, len(benchBody)+20)
			bySenders(b, n, func() {
				var batch journal.Batch
				batch.End(append(batch.Begin(1, 1), body...), 0)
				_, mark, err := log.Append(&batch, journal.Send)
				must(b, err)
				must(b, log.Wait(mark, true))
			})
		})
	}
}

// nobody owns a log and has nothing.
type nobody struct{}

func (nobody) Committed(uint32, uint64, error) {}
func (nobody) Carry(uint32) bool               { return false }

// BenchmarkJournalRecovery is the opening of a journal with a million messages that live, among as many that do
// not, and of their queue.
func BenchmarkJournalRecovery(b *testing.B) {
	const live = 1_000_000
	dir := b.TempDir()
	j, err := OpenJournal(dir, WithSync(SyncOS))
	must(b, err)
	q := benchStandard(b, WithJournal(j), WithoutSQSLimits())
	ctx := context.Background()
	ms := make([]Message, entriesAtOnce)
	for i := range ms {
		ms[i].Body = strings.Repeat("x", 256)
	}
	for n := 0; n < small(2*live); n += len(ms) {
		_, err := q.SendBatch(ctx, ms)
		must(b, err)
		if n%(2*len(ms)) == 0 {
			ds, err := q.Receive(ctx, ReceiveInput{Max: len(ms)})
			must(b, err)
			must(b, q.DeleteAll(ctx, ds))
		}
	}
	must(b, j.Close())
	for b.Loop() {
		runtime.GC()
		before := heapBytes()
		peak := peakHeap()
		start := time.Now()
		j, err := OpenJournal(dir, WithSync(SyncOS))
		must(b, err)
		read := time.Since(start)
		q := benchStandard(b, WithJournal(j), WithoutSQSLimits())
		all := time.Since(start)
		most := peak()
		b.ReportMetric(read.Seconds(), "s-to-read")
		b.ReportMetric(all.Seconds(), "s-in-all")
		b.ReportMetric(float64(q.store.live), "messages")
		after := heapBytes() - before
		b.ReportMetric(float64(most-before)/float64(after), "peak/final")
		b.ReportMetric(float64(after)/float64(q.store.live), "B/msg")
		must(b, j.Close())
	}
}

// peakHeap looks at the heap until the function it returns is called, which tells the most.
func peakHeap() func() int64 {
	stop, most := make(chan struct{}), make(chan int64)
	go func() {
		peak := int64(0)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, int64(m.HeapInuse))
			select {
			case <-stop:
				most <- peak
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-most
	}
}
