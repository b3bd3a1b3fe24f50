package journal_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/inq/internal/journal"
	"example.com/inq/internal/journal/faultfs"
	"github.com/stretchr/testify/require"
)

const crashSteps = 260

// crashAt makes the system stop at call n. Half of a write is done then, if it is one.
func crashAt(n int) func(faultfs.Call) faultfs.Fault {
	return func(c faultfs.Call) faultfs.Fault {
		return faultfs.Fault{Crash: c.N == n, Part: c.N == n && c.Op == faultfs.Write}
	}
}

// crashed runs the steps until the crash at call n, or to the end where n is 0.
func crashed(t *testing.T, op journal.Options, f *faultfs.FS, n int) *world {
	op.FS = f
	var w *world
	synctest.Test(t, func(t *testing.T) {
		if n > 0 {
			f.Inject(crashAt(n))
		}
		var err error
		if w, err = openWorld("dir", op); err != nil {
			require.ErrorIs(t, err, faultfs.ErrCrashed)
			w = &world{owner: newOwner()}
			return
		}
		pause := synctest.Wait
		if op.Sync == journal.Interval {
			pause = func() { pauseForInterval(); synctest.Wait() }
		}
		err = w.run(42, crashSteps, pause)
		synctest.Wait()
		if n > 0 {
			_ = w.log.Close()
			return
		}
		require.NoError(t, err)
		stats := w.log.Stats()
		require.Greater(t, stats.Removed, uint64(1), "segments are removed")
		require.Greater(t, w.carried, 5, "and carried")
		f.Crash()
		_ = w.log.Close()
	})
	return w
}

func TestCrash_AtEveryCallLeavesWhatWasAcknowledged(t *testing.T) {
	for name, op := range crashModes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := faultfs.New()
			crashed(t, op, f, 0)
			total, points, again := f.Calls(), 0, 0
			every := stride
			if op.Key != nil {
				every = 3 * stride // the calls are those of the mode without a key
			}
			for n := 1; n <= total; n += every {
				f := faultfs.New()
				w := crashed(t, op, f, n)
				for policy := range 4 {
					g, promised := f.AfterKill(), true
					if policy > 0 {
						var r *rand.Rand
						if policy > 1 {
							r = rand.New(rand.NewPCG(uint64(n), uint64(policy)))
						}
						g, promised = f.AfterPowerLoss(r), op.Sync == journal.Always
					}
					points++
					again += recovered(t, op, w, g, promised, fmt.Sprint("call ", n, " policy ", policy), n%64 == 0, policy == 2)
				}
			}
			t.Logf("%s: %d crash points, %d crashes inside the recovery", name, points, again)
		})
	}
}

// recovered judges what the file system holds, then lets the recovery crash: at every one of its calls, at one, or not.
func recovered(t *testing.T, op journal.Options, w *world, g *faultfs.FS, promised bool, at string, every, once bool) int {
	t.Helper()
	base, calm := g.AfterKill(), g.Unsynced() == 0
	op.FS = g
	got, err := found(op)
	require.NoError(t, err, at)
	require.NoError(t, w.judge(got, promised), at)
	calls := g.Calls()
	if !calm {
		op.FS = g.AfterPowerLoss(nil)
		again, err := found(op)
		require.NoError(t, err, at)
		require.True(t, maps.Equal(got, again), "%s, and what was opened is on disk", at)
	}
	if !every && !once {
		return 0
	}
	r := rand.New(rand.NewPCG(uint64(calls), uint64(len(at))))
	first, last := 1, calls
	if !every {
		first = 1 + r.IntN(calls)
		last = first
	}
	for m := first; m <= last; m++ {
		h := base.AfterKill()
		h.Inject(crashAt(m))
		op.FS = h
		_, err := found(op)
		if err != nil {
			require.ErrorIs(t, err, faultfs.ErrCrashed)
		}
		if op.FS = h.AfterPowerLoss(r); !calm {
			op.FS = h.AfterKill()
		}
		again, err := found(op)
		require.NoError(t, err, "%s, then call %d of the recovery", at, m)
		require.True(t, maps.Equal(got, again), "%s, then call %d of the recovery", at, m)
	}
	return last - first + 1
}

func TestCrash_TheLogGoesOnAfterwards(t *testing.T) {
	op := crashModes()["always"]
	f := faultfs.New()
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 60 {
		op.FS = f
		n := 1 + r.IntN(150)
		f.Inject(crashAt(n))
		var w *world
		synctest.Test(t, func(t *testing.T) {
			var err error
			if w, err = openWorld("dir", op); err != nil {
				require.ErrorIs(t, err, faultfs.ErrCrashed)
				return
			}
			if err := w.run(uint64(round), 40, synctest.Wait); err != nil {
				require.True(t, errors.Is(err, faultfs.ErrCrashed) || errors.Is(err, journal.ErrFailed))
			}
			_ = w.log.Close()
		})
		if f = f.AfterKill(); r.IntN(2) == 0 {
			f = f.AfterPowerLoss(r)
		}
		if w == nil {
			continue
		}
		op.FS = f
		got, err := found(op)
		require.NoError(t, err, "round %d", round)
		require.NoError(t, w.judge(got, true), "round %d", round)
	}
}

// frames appends one put of the length for each id, and writes it, as a frame of its own.
func frames(t *testing.T, w *world, synced bool, length int, ids ...uint64) {
	t.Helper()
	for _, id := range ids {
		mark, err := w.do(step{puts: map[uint64]string{id: strings.Repeat("x", length)}}, journal.Send)
		require.NoError(t, err)
		require.NoError(t, w.log.Wait(mark, synced))
	}
}

func TestCrash_WhatWasCutDoesNotComeBack(t *testing.T) {
	f := faultfs.New()
	op := journal.Options{FS: f, SegmentSize: journal.MinSegmentSize}
	w, err := openWorld("dir", op)
	require.NoError(t, err)
	frames(t, w, true, 1000, 1)
	frames(t, w, false, 1000, 2, 3) // neither is on disk
	f.Crash()
	_ = w.log.Close()
	files := f.AfterKill().Files()
	tail := files["dir/0000000000000001.inqj"]
	clear(tail[64+1100 : 64+1500]) // the second is torn, the third whole

	g := faultfs.With(files)
	op.FS = g
	w, err = openWorld("dir", op)
	require.NoError(t, err)
	require.Len(t, w.base, 1)
	frames(t, w, true, 1000, 4) // as long as the second was
	g.Crash()
	_ = w.log.Close()

	op.FS = g.AfterKill()
	got, err := found(op)
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 4}, slices.Sorted(maps.Keys(got)))
}

func TestCrash_WhileSegmentsAreRemovedInARow(t *testing.T) {
	run := func(n int) (f *faultfs.FS) {
		f = faultfs.New()
		if n > 0 {
			f.Inject(crashAt(n))
		}
		synctest.Test(t, func(t *testing.T) {
			w, err := openWorld("dir", journal.Options{FS: f, SegmentSize: journal.MinSegmentSize})
			if err != nil {
				return
			}
			defer w.log.Close()
			frames := func(class journal.Class, s step) bool {
				mark, err := w.do(s, class)
				return err == nil && w.log.Wait(mark, true) == nil
			}
			for id := range uint64(40) {
				if !frames(journal.Send, step{puts: map[uint64]string{id: strings.Repeat("x", 3000)}}) {
					return
				}
			}
			for id := uint64(35); id > 0; id-- { // the oldest last: then they all go at once
				if !frames(journal.Delete, step{gone: []uint64{id}}) {
					return
				}
				w.drop(id)
			}
			if frames(journal.Delete, step{gone: []uint64{0}}) {
				w.drop(0)
			}
			synctest.Wait()
			if n == 0 {
				require.Greater(t, w.log.Stats().Removed, uint64(5))
			}
		})
		return f
	}
	total := run(0).Calls()
	for n := total - 40; n <= total; n += stride { // the removals come last
		f := run(n)
		for seed := range uint64(8) {
			op := journal.Options{FS: f.AfterPowerLoss(rand.New(rand.NewPCG(uint64(n), seed)))}
			_, err := found(op)
			require.NoError(t, err, "call %d", n)
		}
	}
}
