package journal_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq/internal/journal"
	"example.com/inq/internal/journal/faultfs"
	"github.com/stretchr/testify/require"
)

// A full log is killed at any call of its cleaner, and opened again on a disk as full as it was.
func TestFull_OpensAfterAKillInTheMiddleOfCleaning(t *testing.T) {
	for _, bounded := range []bool{false, true} {
		for at := 1; ; at += 3 {
			more := false
			synctest.Test(t, func(t *testing.T) {
				files := faultfs.New()
				op := journal.Options{FS: files, SegmentSize: 64 << 10}
				if bounded {
					op.MaxDisk = 1 << 20
				} else {
					files.SetLimit(1 << 20)
				}
				w, err := openWorld("dir", op)
				require.NoError(t, err)
				w.fill(t, 900)
				from := files.Calls()
				files.Inject(func(c faultfs.Call) faultfs.Fault {
					return faultfs.Fault{Crash: c.N == from+at}
				})
				for id := uint64(2); id < w.next; id += 3 {
					if err := w.delete(id); err != nil {
						more = true
						break
					}
				}
				time.Sleep(time.Second)
				synctest.Wait()
				_ = w.log.Close()
				next := files.AfterKill()
				if !bounded {
					next.SetLimit(1 << 20)
				}
				op.FS = next
				w, err = openWorld("dir", op)
				require.NoError(t, err)
				var b journal.Batch
				b.End(append(b.Begin(7, kindNote), strings.Repeat("b", 30)...), 0)
				_, mark, err := w.log.Append(&b, journal.Note)
				require.NoError(t, err)
				s := w.log.Stats()
				require.NoError(t, w.log.Wait(mark, true), "killed at %d, %+v", at, s)
				require.NoError(t, w.log.Close())
			})
			if !more {
				break
			}
		}
	}
}

// What is larger than a segment takes a reserve as large before it is accepted: a full log would come to its
// oldest segment, find no room to carry that, and refuse all deletes for good.
func TestFull_WhatIsLargeCanBeCarriedWhenTheDiskIsFull(t *testing.T) {
	for _, large := range []int{150_000, 250_000, 400_000} {
		limited(t, func(t *testing.T, files *faultfs.FS, op journal.Options) {
			synctest.Test(t, func(t *testing.T) {
				w, err := openWorld("dir", op)
				require.NoError(t, err)
				for range 10 {
					require.NoError(t, w.send(900))
				}
				w.fill(t, 900)
				if op.MaxDisk == 0 {
					files.SetLimit(files.Used() + int64(large) + 100_000)
				}
				for w.log.Room(journal.Send) != nil || w.send(large) != nil {
					ids := slices.Sorted(maps.Keys(w.bodies()))
					require.Greater(t, len(ids), 50)
					for _, id := range ids[10:40] {
						require.NoError(t, w.delete(id))
					}
					time.Sleep(2 * time.Second)
				}
				w.fill(t, 900)
				ids := slices.Sorted(maps.Keys(w.bodies()))
				rand.New(rand.NewPCG(1, 1)).Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
				for i, id := range ids {
					require.NoError(t, w.delete(id), "%d of %d, %+v", i, len(ids), w.log.Stats())
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				_ = w.log.Room(journal.Send)
				time.Sleep(2 * time.Second)
				require.NoError(t, w.send(900))
				require.NoError(t, w.log.Close())
			})
		})
	}
}
