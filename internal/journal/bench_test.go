package journal_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/inq/internal/journal"
	"github.com/stretchr/testify/require"
)

// rawCommit is group commit at its barest: the bytes of all who wait are written and synced by one of them.
type rawCommit struct {
	f journal.File

	mu      sync.Mutex
	buf     []byte
	spare   []byte
	at      int64
	busy    bool
	waiting *rawBatch
}

type rawBatch struct {
	done chan struct{}
	lead chan struct{}
	n    int
}

func newRawBatch() *rawBatch { return &rawBatch{make(chan struct{}), make(chan struct{}, 1), 0} }

func (r *rawCommit) commit(record []byte) error {
	r.mu.Lock()
	r.buf = append(r.buf, record...)
	if r.busy {
		b := r.waiting
		b.n++
		r.mu.Unlock()
		select {
		case <-b.done:
			return nil
		case <-b.lead:
		}
		r.mu.Lock()
	}
	r.busy = true
	mine := r.waiting
	buf := r.buf
	r.buf, r.spare, r.waiting = r.spare[:0], nil, newRawBatch()
	at := r.at
	r.at += int64(len(buf))
	r.mu.Unlock()
	_, err := r.f.WriteAt(buf, at)
	if err == nil {
		err = r.f.Sync()
	}
	r.mu.Lock()
	r.spare = buf
	close(mine.done)
	if r.busy = r.waiting.n > 0; r.busy {
		r.waiting.lead <- struct{}{}
	}
	r.mu.Unlock()
	return err
}

// storm lets so many goroutines call f for the time, and returns the calls per second.
func storm(b *testing.B, senders int, length time.Duration, f func() error) float64 {
	var calls atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	end := began.Add(length)
	for range senders {
		wg.Go(func() {
			n := int64(0)
			for time.Now().Before(end) {
				if err := f(); err != nil {
					b.Error(err)
					return
				}
				n++
			}
			calls.Add(n)
		})
	}
	wg.Wait()
	return float64(calls.Load()) / time.Since(began).Seconds()
}

type nobody struct{}

func (nobody) Committed(uint32, uint64, error) {}
func (nobody) Carry(uint32) bool               { return false }

func medianOf(f []float64) float64 {
	slices.Sort(f)
	return f[len(f)/2]
}

// Group commit with sync always, against raw group commit of the same bytes in the same run: ratio is the median of rounds
// that take turns.
func BenchmarkCommit(b *testing.B) {
	for _, senders := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint("senders=", senders), func(b *testing.B) {
			var logs, raws, ratios []float64
			body := make([]byte, 272)
			for b.Loop() {
				dir := b.TempDir()
				f, err := journal.OSFiles().Create(filepath.Join(dir, "raw"))
				require.NoError(b, err)
				raw := &rawCommit{f: f, waiting: newRawBatch()}
				l, err := journal.Open(filepath.Join(dir, "log"), journal.Options{})
				require.NoError(b, err)
				l.Start(nobody{})
				frame := make([]byte, 276+16)
				pool := sync.Pool{New: func() any { return new(journal.Batch) }}
				for range 6 {
					r := storm(b, senders, 150*time.Millisecond, func() error { return raw.commit(frame[:276]) })
					n := storm(b, senders, 150*time.Millisecond, func() error {
						t := pool.Get().(*journal.Batch)
						t.End(append(t.Begin(1, 1), body...), 1)
						_, mark, err := l.Append(t, journal.Send)
						pool.Put(t)
						if err != nil {
							return err
						}
						return l.Wait(mark, true)
					})
					logs, raws, ratios = append(logs, n), append(raws, r), append(ratios, n/r)
				}
				require.NoError(b, l.Close())
				require.NoError(b, f.Close())
			}
			b.ReportMetric(medianOf(logs), "sends/s")
			b.ReportMetric(medianOf(raws), "raw/s")
			b.ReportMetric(medianOf(ratios), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// An append in mode OS with its wait, against one write() of the same bytes.
func BenchmarkAppendOS(b *testing.B) {
	dir := b.TempDir()
	l, err := journal.Open(filepath.Join(dir, "log"), journal.Options{Sync: journal.OS})
	require.NoError(b, err)
	l.Start(nobody{})
	f, err := journal.OSFiles().Create(filepath.Join(dir, "raw"))
	require.NoError(b, err)
	frame := make([]byte, 276+16)
	body := make([]byte, 272)
	var t journal.Batch
	var ours, raws, ratios []float64
	at := int64(0)
	const n = 2000
	for b.Loop() {
		began := time.Now()
		for range n {
			if _, err := f.WriteAt(frame, at); err != nil {
				b.Fatal(err)
			}
			at += int64(len(frame))
		}
		raw := time.Since(began)
		began = time.Now()
		for range n {
			t.End(append(t.Begin(1, 1), body...), 1)
			_, mark, err := l.Append(&t, journal.Send)
			if err == nil {
				err = l.Wait(mark, true)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		took := time.Since(began)
		ours, raws = append(ours, float64(took)/n), append(raws, float64(raw)/n)
		ratios = append(ratios, float64(took)/float64(raw))
	}
	b.ReportMetric(medianOf(ours), "ns/append")
	b.ReportMetric(medianOf(raws), "ns/write")
	b.ReportMetric(medianOf(ratios), "ratio")
	b.ReportMetric(0, "ns/op")
	require.NoError(b, l.Close())
	require.NoError(b, f.Close())
}

// BenchmarkChurn sends eleven million messages of 256 bytes, deletes ten million, and leaves one million spread over all of
// the history: the worst case for a log. It wants 5 GB of writes.
func BenchmarkChurn(b *testing.B) {
	for b.Loop() {
		c := newChurner(b, b.TempDir(), journal.Options{Sync: journal.OS})
		began := time.Now()
		c.churn(b, 11_000_000)
		took := time.Since(began)
		s := c.log.Stats()
		live := float64(s.Live)
		b.ReportMetric(21e6/took.Seconds(), "ops/s")
		b.ReportMetric(float64(s.Bytes)/live, "disk/live")
		b.ReportMetric((float64(s.Bytes)-2.2*live)/journal.DefaultSegmentSize, "segments-over-2.2x")
		b.ReportMetric(c.worst, "worst-segments-over-2.2x")
		b.ReportMetric(float64(c.written)/(11e6*churnWeight), "written/sent")
		require.NoError(b, c.log.Close())
		began = time.Now()
		l, err := journal.Open(c.dir, journal.Options{Sync: journal.OS})
		require.NoError(b, err)
		n := 0
		require.NoError(b, l.Replay(func(journal.Record) error { n++; return nil }))
		b.ReportMetric(time.Since(began).Seconds(), "s/verify+replay")
		b.ReportMetric(float64(n), "records")
		require.NoError(b, l.Close())
	}
}
