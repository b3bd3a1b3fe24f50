package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq/internal/journal"
	"example.com/inq/internal/journal/faultfs"
	"github.com/stretchr/testify/require"
)

// Many send, take notes and delete at the same time while segments come and go. What is there in the end, and after
// reopening, is what was not deleted; everybody was told once, in the order of frames, before Wait returned.
func TestLog_ManyAtOnce(t *testing.T) {
	for name, op := range modes() {
		for _, place := range []string{"memory", "disk"} {
			t.Run(name+"/"+place, func(t *testing.T) {
				op := op
				if place == "memory" {
					op.FS = journal.Memory()
				}
				op.SegmentSize = 64 << 10
				if op.Sync == journal.Interval {
					op.Interval = time.Millisecond
				}
				dir := t.TempDir()
				o := open(t, dir, op)
				var kept sync.Map
				var wg sync.WaitGroup
				for w := range uint64(16) {
					wg.Go(func() {
						r := rand.New(rand.NewPCG(w, 1))
						for i := range uint64(60) {
							id := w<<32 | i
							body := fmt.Sprint(id, strings.Repeat("b", r.IntN(3000)))
							mark, err := o.put(id, uint32(w), body)
							require.NoError(t, err)
							require.NoError(t, o.log.Wait(mark, true))
							require.True(t, o.told(uint32(w), mark), "before Wait returned")
							var b journal.Batch
							b.End(append(b.Begin(uint32(w), kindNote), 1, 2, 3), 0)
							_, mark, err = o.log.Append(&b, journal.Note)
							require.NoError(t, err)
							require.NoError(t, o.log.Wait(mark, false))
							if i%8 == 0 {
								kept.Store(id, body)
								continue
							}
							mark, err = o.gone(id)
							require.NoError(t, err)
							require.NoError(t, o.log.Wait(mark, true))
							o.drop(id)
							if r.IntN(50) == 0 {
								require.NoError(t, o.log.Sync())
							}
						}
					})
				}
				wg.Wait()
				require.NoError(t, o.log.Close())
				require.True(t, o.ordered(), "in the order of frames")
				want := map[uint64]string{}
				kept.Range(func(k, v any) bool { want[k.(uint64)] = v.(string); return true })
				require.Equal(t, want, o.bodies())
				o = open(t, dir, op)
				require.Equal(t, want, o.bodies())
				require.NoError(t, o.log.Close())
			})
		}
	}
}

func TestLog_RecordsOfAnySize(t *testing.T) {
	for _, key := range [][]byte{nil, keyA} {
		op := journal.Options{FS: journal.Memory(), SegmentSize: 1 << 20, Key: key}
		w, err := openWorld("dir", op)
		require.NoError(t, err)
		want := map[uint64]string{}
		for i, n := range []int{0, 1, 0xfffc, 0xfffd, 0xfffe, 0xffff, 0x10000, 1 << 20, 5 << 20, 10} {
			body := strings.Repeat(string(rune('a'+i)), n)
			require.NoError(t, w.one(step{puts: map[uint64]string{uint64(i): body}}, journal.Send))
			want[uint64(i)] = body
		}
		require.NoError(t, w.log.Close())
		got, err := found(op)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestAppend_ABatchThatIsTooLargeIsRefusedAndKept(t *testing.T) {
	w, err := openWorld("dir", journal.Options{FS: journal.Memory()})
	require.NoError(t, err)
	var b journal.Batch
	b.End(append(b.Begin(1, kindPut), make([]byte, journal.MaxBatch)...), 1)
	n := b.Len()
	_, _, err = w.log.Append(&b, journal.Send)
	require.ErrorIs(t, err, journal.ErrTooLarge)
	require.Equal(t, n, b.Len())
	b.Reset()
	_, mark, err := w.log.Append(&b, journal.Send)
	require.NoError(t, err, "an empty one is nothing")
	require.NoError(t, w.log.Wait(mark, true))
	require.NoError(t, w.log.Close())
}

func TestClose_WhileOthersAppend(t *testing.T) {
	for name, op := range modes() {
		t.Run(name, func(t *testing.T) {
			op.FS = journal.Memory()
			op.SegmentSize = journal.MinSegmentSize
			o := open(t, "dir", op)
			var acked atomic.Int64
			var wg sync.WaitGroup
			for w := range uint64(8) {
				wg.Go(func() {
					for i := uint64(0); ; i++ {
						if o.log.Room(journal.Send) != nil {
							return
						}
						mark, err := o.put(w<<32|i, 1, "body")
						require.NoError(t, err)
						if err := o.log.Wait(mark, true); err != nil {
							require.ErrorIs(t, err, journal.ErrClosed)
							return
						}
						acked.Add(1)
					}
				})
			}
			for acked.Load() < 100 {
				runtime.Gosched()
			}
			require.NoError(t, o.log.Close())
			wg.Wait()
			got, err := openWorld("dir", op)
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(got.base), int(acked.Load()))
			require.ErrorIs(t, o.log.Room(journal.Delete), journal.ErrClosed)
			require.ErrorIs(t, o.log.Sync(), journal.ErrClosed)
			require.NoError(t, got.log.Close())
		})
	}
}

func TestLog_TheDirectoryIsRemovedWhileOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	w, err := openWorld(dir, journal.Options{SegmentSize: journal.MinSegmentSize})
	require.NoError(t, err)
	require.NoError(t, w.send(100))
	require.NoError(t, os.RemoveAll(dir))
	for range 100 {
		if err = w.send(1000); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, journal.ErrFailed)
	require.ErrorIs(t, w.log.Close(), journal.ErrFailed)
}

func TestLog_NothingGathersWithoutEnd(t *testing.T) {
	o := open(t, "dir", journal.Options{FS: journal.Memory()})
	for range 200 {
		var b journal.Batch
		b.End(append(b.Begin(1, kindNote), bytes.Repeat([]byte{1}, 100_000)...), 0)
		_, _, err := o.log.Append(&b, journal.Note)
		require.NoError(t, err)
	}
	for o.log.Stats().Bytes < 10_000_000 { // nobody waits, and most is written all the same
		runtime.Gosched()
	}
	require.NoError(t, o.log.Close())
}

// idler is an owner that carries nothing and says that there is more.
type idler struct{ asked atomic.Int64 }

func (*idler) Committed(uint32, uint64, error) {}
func (i *idler) Carry(uint32) bool             { i.asked.Add(1); return true }

func TestClean_AnOwnerThatCarriesNothingIsNotAskedOnAndOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := journal.Open("dir", journal.Options{FS: journal.Memory(), SegmentSize: journal.MinSegmentSize})
		require.NoError(t, err)
		var o idler
		l.Start(&o)
		for range 100 {
			var b journal.Batch
			b.End(append(b.Begin(1, kindPut), make([]byte, 2000)...), 2000)
			segment, mark, err := l.Append(&b, journal.Send)
			require.NoError(t, err)
			require.NoError(t, l.Wait(mark, true))
			l.Release(segment, 1900) // a little lives in each segment
		}
		synctest.Wait()
		require.Positive(t, o.asked.Load())
		require.Less(t, o.asked.Load(), int64(100), "a few times for each segment that was filled")
		require.NoError(t, l.Close())
	})
}

func TestStats_TellTheTimesOfSyncs(t *testing.T) {
	f := faultfs.New()
	w, err := openWorld("dir", journal.Options{FS: f, SegmentSize: journal.MinSegmentSize})
	require.NoError(t, err)
	for range 100 {
		require.NoError(t, w.send(10))
	}
	s := w.log.Stats()
	require.Equal(t, uint64(100), s.Syncs)
	require.Equal(t, uint64(100), s.Frames)
	require.Positive(t, s.SyncP50)
	require.GreaterOrEqual(t, s.SyncP99, s.SyncP50)
	require.Equal(t, int64(100*18), s.Live)
	require.Equal(t, 1, s.Segments)
	require.NoError(t, w.log.Close())
	require.True(t, errors.Is(w.log.Stats().Err, journal.ErrClosed))
}
