package journal_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq/internal/journal"
	"example.com/inq/internal/journal/faultfs"
	"github.com/stretchr/testify/require"
)

// one appends a step and waits for it.
func (w *world) one(s step, class journal.Class) error {
	from := len(w.steps)
	mark, err := w.do(s, class)
	if err != nil {
		return err
	}
	if err := w.settle(from, []uint64{mark}); err != nil {
		return err
	}
	if w.steps[from].refused {
		return journal.ErrFull
	}
	return nil
}

func (w *world) send(length int) error {
	id := w.next
	w.next++
	return w.one(step{puts: map[uint64]string{id: strings.Repeat(string(rune('a'+id%26)), length)}}, journal.Send)
}

func (w *world) delete(id uint64) error { return w.one(step{gone: []uint64{id}}, journal.Delete) }

// fill sends until the log is full.
func (w *world) fill(t *testing.T, length int) int {
	t.Helper()
	for n := 0; ; n++ {
		require.Less(t, n, 1_000_000)
		if err := w.send(length); err != nil {
			require.ErrorIs(t, err, journal.ErrFull)
			require.NoError(t, w.log.Room(journal.Note))
			require.NoError(t, w.log.Room(journal.Delete))
			return n
		}
	}
}

// limited are the two ways in which a log can meet its end.
func limited(t *testing.T, f func(t *testing.T, files *faultfs.FS, op journal.Options)) {
	const limit = 2 << 20
	t.Run("disk", func(t *testing.T) {
		files := faultfs.New()
		files.SetLimit(limit)
		f(t, files, journal.Options{FS: files, SegmentSize: 64 << 10})
	})
	t.Run("MaxDisk", func(t *testing.T) {
		files := faultfs.New()
		f(t, files, journal.Options{FS: files, SegmentSize: 64 << 10, MaxDisk: limit})
		require.LessOrEqual(t, files.Most(), int64(limit))
	})
	t.Run("encrypted", func(t *testing.T) {
		files := faultfs.New()
		files.SetLimit(limit)
		f(t, files, journal.Options{FS: files, SegmentSize: 64 << 10, Key: keyA})
	})
}

// deleteInTime is delete for a caller that goes on as fast as it can: where deletes come faster than the
// cleaner makes room, one is refused, and is taken when the cleaner is done.
func (w *world) deleteInTime(id uint64) error {
	err := w.delete(id)
	if errors.Is(err, journal.ErrFull) {
		synctest.Wait()
		err = w.delete(id)
	}
	return err
}

func TestFull_DeletesGoOnAndSendsComeBackByThemselves(t *testing.T) {
	orders := map[string]func(ids []uint64){
		"oldest first": func([]uint64) {},
		"newest first": slices.Reverse[[]uint64],
		"any order": func(ids []uint64) {
			rand.New(rand.NewPCG(1, 1)).Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		},
	}
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			limited(t, func(t *testing.T, f *faultfs.FS, op journal.Options) {
				synctest.Test(t, func(t *testing.T) {
					w, err := openWorld("dir", op)
					require.NoError(t, err)
					for range 3 {
						w.fill(t, 900)
						ids := slices.Sorted(maps.Keys(w.bodies()))
						require.Greater(t, len(ids), 1200, "the room is used")
						order(ids)
						for _, id := range ids[:len(ids)/2] {
							require.NoError(t, w.deleteInTime(id))
						}
						time.Sleep(time.Second)
						synctest.Wait()
						require.NoError(t, w.log.Room(journal.Send), "half of the room is free")
						n := w.fill(t, 900)
						time.Sleep(2 * time.Second)
						synctest.Wait()
						n += w.fill(t, 900) // where the first were refused while room was made

						require.Greater(t, n, 300)
						ids = slices.Sorted(maps.Keys(w.bodies()))
						order(ids)
						for _, id := range ids {
							require.NoError(t, w.deleteInTime(id), "all can be deleted")
						}
						time.Sleep(time.Second)
						synctest.Wait()
						require.NoError(t, w.send(900))
						require.False(t, w.log.Stats().Full)
					}
					want := w.bodies()
					require.NoError(t, w.log.Close())
					got, err := found(op)
					require.NoError(t, err)
					require.Equal(t, want, got)
				})
			})
		})
	}
}

func TestFull_AtOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := faultfs.New()
		op := journal.Options{FS: f, SegmentSize: 64 << 10}
		w, err := openWorld("dir", op)
		require.NoError(t, err)
		for range 100 {
			require.NoError(t, w.send(900))
		}
		want := w.bodies()
		f.Crash()
		_ = w.log.Close()
		files := f.AfterKill().Files()

		f = faultfs.With(files)
		f.SetLimit(f.Used())
		op.FS = f
		w, err = openWorld("dir", op)
		require.NoError(t, err, "opening needs no room")
		require.Equal(t, want, w.base)
		require.ErrorIs(t, errors.Join(w.send(900), w.send(900)), journal.ErrFull)
		require.NoError(t, w.delete(5), "from the reserve")
		want = w.bodies()
		f.Crash()
		_ = w.log.Close()

		files = f.AfterPowerLoss(nil).Files()
		delete(files, "dir/reserve") // and nothing is left of it
		f = faultfs.With(files)
		f.SetLimit(f.Used())
		op.FS = f
		w, err = openWorld("dir", op)
		require.NoError(t, err)
		require.Equal(t, want, w.base)
		require.ErrorIs(t, w.log.Room(journal.Send), journal.ErrFull)
		require.ErrorIs(t, w.send(900), journal.ErrFull)
		require.ErrorIs(t, w.delete(6), journal.ErrFull, "not even a delete has room")
		require.Contains(t, w.bodies(), uint64(6))

		f.SetLimit(0) // others made room
		require.NoError(t, w.delete(6))
		require.ErrorIs(t, w.send(900), journal.ErrFull)
		time.Sleep(time.Second)
		require.ErrorIs(t, w.send(900), journal.ErrFull, "this one has it looked for")
		synctest.Wait()
		require.NoError(t, w.send(900))
		want = w.bodies()
		require.NoError(t, w.log.Close())
		got, err := found(op)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestFull_ADiskOfHardlyMoreThanASegment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := faultfs.New()
		f.SetLimit(128 << 10)
		op := journal.Options{FS: f, SegmentSize: 64 << 10}
		w, err := openWorld("dir", op)
		require.NoError(t, err)
		for range 5 {
			n := w.fill(t, 900)
			time.Sleep(time.Second)
			synctest.Wait()
			n += w.fill(t, 900) // where the first were refused while room was made
			require.Greater(t, n, 20)
			ids := slices.Sorted(maps.Keys(w.bodies()))
			for _, id := range ids[3:] {
				require.NoError(t, w.delete(id))
			}
			time.Sleep(time.Second)
			synctest.Wait()
			require.NoError(t, w.log.Room(journal.Send))
			for _, id := range ids[:3] {
				require.NoError(t, w.delete(id))
			}
		}
		require.NoError(t, w.log.Close())
		got, err := found(op)
		require.NoError(t, err)
		require.Empty(t, got)
	})
}

func TestFull_NothingIsWrittenBehindWhatWasCarried(t *testing.T) {
	f := faultfs.New()
	op := journal.Options{FS: f, SegmentSize: journal.MinSegmentSize}
	w, err := openWorld("dir", op)
	require.NoError(t, err)
	require.NoError(t, w.send(100))
	live := w.log.Stats().Live

	f.SetLimit(int64(len(f.Files()["dir/0000000000000001.inqj"])) + 100) // with all of the reserve gone
	large := strings.Repeat("carried", 300)
	var b journal.Batch
	it := w.items[1]
	addPut(&b, 1, &item{stream: it.stream, weight: it.weight, body: large})
	segment, carried, err := w.log.Append(&b, journal.Carry)
	require.NoError(t, err)
	require.ErrorIs(t, w.log.Wait(carried, true), journal.ErrFull)
	w.log.Release(it.segment, it.weight)
	it.segment = segment
	require.ErrorIs(t, w.delete(1), journal.ErrFull, "a delete, although it would have been small")
	require.ErrorIs(t, w.log.Wait(carried, true), journal.ErrFull)
	addPut(&b, 9, &item{weight: 1000, body: "lost"})
	_, mark, err := w.log.Append(&b, journal.Note)
	require.NoError(t, err)
	require.Equal(t, live+1000, w.log.Stats().Live)
	require.ErrorIs(t, w.log.Wait(mark, false), journal.ErrFull)
	require.Equal(t, live, w.log.Stats().Live, "what is not in the log does not live there")

	f.SetLimit(0)
	addPut(&b, 2, &item{body: "later"})
	_, mark, err = w.log.Append(&b, journal.Note)
	require.NoError(t, err)
	require.NoError(t, w.log.Wait(mark, true))
	require.NoError(t, w.log.Wait(carried, true))
	require.NoError(t, w.log.Close())
	l, err := journal.Open("dir", journal.Options{FS: f, ReadOnly: true})
	require.NoError(t, err)
	var order []string
	require.NoError(t, l.Replay(func(r journal.Record) error {
		order = append(order, string(r.Data[1:]))
		return nil
	}))
	require.Equal(t, []string{strings.Repeat("b", 100), large, "later"}, order)
	require.NoError(t, l.Close())
}

func TestFull_APartOfAFrameIsCutOffAgain(t *testing.T) {
	f := faultfs.New()
	op := journal.Options{FS: f, SegmentSize: journal.MinSegmentSize}
	w, err := openWorld("dir", op)
	require.NoError(t, err)
	require.NoError(t, w.send(10_000))
	f.Inject(func(c faultfs.Call) (fault faultfs.Fault) {
		if c.Op == faultfs.Write {
			fault = faultfs.Fault{Err: journal.ErrNoSpace, Part: true}
		}
		return fault
	})
	require.ErrorIs(t, w.send(5000), journal.ErrFull)
	f.Inject(nil)
	require.NoError(t, w.one(step{puts: map[uint64]string{7: strings.Repeat("x", 7000)}}, journal.Note), "in the next segment")
	want := w.bodies()
	require.NoError(t, w.log.Close())
	got, err := found(op)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// A disk of any size, whatever the steps: what is refused is not there, and all else is.
func TestFull_AnySizeOfDiskLeavesWhatWasAcknowledged(t *testing.T) {
	refusals := 0
	for limit := int64(30_000); limit < 160_000; limit += 997 {
		f := faultfs.New()
		f.SetLimit(limit)
		op := journal.Options{FS: f, SegmentSize: journal.MinSegmentSize}
		var w *world
		synctest.Test(t, func(t *testing.T) {
			var err error
			w, err = openWorld("dir", op)
			require.NoError(t, err)
			require.NoError(t, w.run(uint64(limit), 400, func() { synctest.Wait(); time.Sleep(50 * time.Millisecond) }))
			synctest.Wait()
			f.Crash()
			_ = w.log.Close()
		})
		for _, s := range w.steps {
			if s.refused {
				refusals++
			}
		}
		for i, g := range []*faultfs.FS{f.AfterKill(), f.AfterPowerLoss(nil), f.AfterPowerLoss(rand.New(rand.NewPCG(1, uint64(limit))))} {
			op.FS = g
			got, err := found(op)
			require.NoError(t, err, "%d bytes, %d", limit, i)
			require.NoError(t, w.judge(got, true), "%d bytes, %d", limit, i)
		}
	}
	require.Positive(t, refusals)
	t.Logf("%d frames found no room", refusals)
}

func TestFail_EveryCallInTurn(t *testing.T) {
	for name, fault := range map[string]faultfs.Fault{
		"no room":       {Err: journal.ErrNoSpace},
		"short write":   {Err: journal.ErrNoSpace, Part: true},
		"broken":        {Err: syscall.EIO},
		"broken midway": {Err: syscall.EIO, Part: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for mode, op := range crashModes() {
				if op.Key != nil || op.Sync == journal.Interval {
					continue // their calls are those of the other two
				}
				f := faultfs.New()
				var ops []faultfs.Op
				f.Inject(func(c faultfs.Call) faultfs.Fault { ops = append(ops, c.Op); return faultfs.Fault{} })
				crashed(t, op, f, 0)
				total, failures := len(ops), 0
				for n := 1; n <= total; n += stride {
					if fault.Part && ops[n-1] != faultfs.Write {
						continue
					}
					f := faultfs.New()
					f.Inject(func(c faultfs.Call) faultfs.Fault {
						if c.N == n {
							return fault
						}
						return faultfs.Fault{}
					})
					op.FS = f
					w := failing(t, op, f, &failures)
					for i, g := range []*faultfs.FS{f.AfterKill(), f.AfterPowerLoss(nil), f.AfterPowerLoss(rand.New(rand.NewPCG(uint64(n), 1)))} {
						op.FS = g
						got, err := found(op)
						require.NoError(t, err, "call %d, %d", n, i)
						require.NoError(t, w.judge(got, i == 0 || op.Sync == journal.Always), "call %d, %d", n, i)
					}
				}
				if fault.Err == syscall.EIO {
					require.Positive(t, failures)
				}
				t.Logf("%s: %d calls, the log failed for good after %d", mode, total, failures)
			}
		})
	}
}

// failing runs the steps on a file system that fails once, and looks at how the log bears it.
func failing(t *testing.T, op journal.Options, f *faultfs.FS, failures *int) (w *world) {
	synctest.Test(t, func(t *testing.T) {
		var err error
		if w, err = openWorld("dir", op); err != nil {
			w = &world{owner: newOwner()}
			return
		}
		err = w.run(42, crashSteps, synctest.Wait)
		synctest.Wait()
		if failed := w.log.Stats().Err; failed != nil {
			*failures++
			require.ErrorIs(t, failed, journal.ErrFailed)
			for _, class := range []journal.Class{journal.Send, journal.Delete, journal.Note, journal.Carry} {
				require.ErrorIs(t, w.log.Room(class), journal.ErrFailed)
			}
			require.ErrorIs(t, w.log.Sync(), journal.ErrFailed)
			require.ErrorIs(t, w.log.Close(), journal.ErrFailed)
			require.Zero(t, f.SyncsAfterFailure(), "a sync that failed is not tried again")
			return
		}
		require.NoError(t, err)
		f.Crash()
		_ = w.log.Close()
	})
	return w
}

func TestFail_AllWaitersGetTheErrorOfASync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := faultfs.New()
		w, err := openWorld("dir", journal.Options{FS: f, SegmentSize: journal.MinSegmentSize})
		require.NoError(t, err)
		require.NoError(t, w.send(10))
		f.Inject(func(c faultfs.Call) (fault faultfs.Fault) {
			if c.Op == faultfs.Sync {
				fault.Err = syscall.EIO
			}
			return fault
		})
		results := make(chan error, 100)
		for id := range uint64(100) {
			go func() {
				mark, err := w.put(1000+id, uint32(id), "body")
				if err == nil {
					err = w.log.Wait(mark, true)
				}
				results <- err
			}()
		}
		for range 100 {
			err := <-results
			require.ErrorIs(t, err, journal.ErrFailed)
			require.ErrorIs(t, err, syscall.EIO)
		}
		told := 0
		for _, c := range w.committed {
			if strings.Contains(c, "input/output error") {
				told++
			}
		}
		require.Positive(t, told)
		require.Zero(t, f.SyncsAfterFailure())
		require.ErrorIs(t, w.log.Close(), syscall.EIO)
		require.Zero(t, f.SyncsAfterFailure())
	})
}

// A segment whose only frame finds no room is followed by one whose frame does.
func TestFull_ASegmentWithoutAFrameLeavesNoGap(t *testing.T) {
	limited(t, func(t *testing.T, files *faultfs.FS, op journal.Options) {
		synctest.Test(t, func(t *testing.T) {
			w, err := openWorld("dir", op)
			require.NoError(t, err)
			require.NoError(t, w.send(100))
			files.SetLimit(files.Used() + 1000)
			large, err := w.do(step{puts: map[uint64]string{w.next: strings.Repeat("x", 2<<20)}}, journal.Send)
			require.NoError(t, err)
			w.next++
			gone, err := w.do(step{gone: []uint64{1}}, journal.Delete)
			require.NoError(t, err)
			marks := []uint64{large, gone}
			require.NoError(t, w.settle(1, marks))
			require.True(t, w.steps[1].refused)
			require.Empty(t, w.bodies())
			want := w.bodies()
			crashed := files.AfterKill()
			crashed.SetLimit(0)
			after := op
			after.FS = crashed
			got, err := found(after)
			require.NoError(t, err)
			require.Equal(t, want, got)

			files.SetLimit(0)
			time.Sleep(time.Second)
			_ = w.log.Room(journal.Send) // has it look for room
			synctest.Wait()
			require.NoError(t, w.send(100))
			want = w.bodies()
			require.NoError(t, w.log.Close())
			got, err = found(op)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	})
}
