package index_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq/internal/index"
)

// table is an index over ids whose hashes are in a slice.
type table struct {
	index.Index
	hashes []uint64
}

func newTable(hashes []uint64) *table { return &table{hashes: hashes} }

// mixed returns hashes for the ids 1 to n.
func mixed(n int) []uint64 {
	hashes := make([]uint64, n+1)
	for i := range hashes {
		hashes[i] = mix(uint64(i) + 1)
	}
	return hashes
}

func (x *table) insert(from, to int) {
	for id := from; id <= to; id++ {
		x.Insert(x.hashes[id], uint32(id))
	}
}

func (x *table) has(id uint32) bool {
	got, ok := x.Find(x.hashes[id], func(i uint32) bool { return i == id })
	return ok && got == id
}

func TestIndex_EmptyIsSmallAndFindsNothing(t *testing.T) {
	x := newTable(nil)
	assert.LessOrEqual(t, x.Bytes(), 96)
	_, ok := x.Find(0, func(uint32) bool { return true })
	assert.False(t, ok)
	assert.False(t, x.Delete(0, 1))
	assert.Zero(t, x.Len())
	x.Reset()
	x.Check(t)
}

func TestIndex_FindAsksForEachIdOfAHashUntilOneIsRight(t *testing.T) {
	x := newTable([]uint64{0, 7 << 32, 7 << 32, 7 << 32, 8 << 32, 7<<32 + 1<<63})
	x.insert(1, 5)
	for id := range uint32(3) {
		assert.True(t, x.has(id+1))
	}
	asked := map[uint32]bool{}
	_, ok := x.Find(7<<32, func(id uint32) bool { asked[id] = true; return false })
	assert.False(t, ok)
	assert.Equal(t, map[uint32]bool{1: true, 2: true, 3: true}, asked)
	assert.True(t, x.Delete(7<<32, 2))
	assert.False(t, x.Delete(7<<32, 2))
	assert.False(t, x.Delete(9<<32, 1), "the hash must be right too")
	assert.True(t, x.has(1))
	assert.True(t, x.has(3))
	assert.True(t, x.has(4))
	assert.True(t, x.has(5))
	x.Check(t)
}

func TestIndex_InsertAfterAFindThatFoundNothing(t *testing.T) {
	// Ids 1 to 20 share a hash, and so the slot their search starts at; 21 has a hash of its own there.
	hashes := make([]uint64, 22)
	for id := range hashes {
		hashes[id] = 5 << 32
	}
	hashes[21] = 5<<32 + 16<<32
	for name, between := range map[string]func(x *table){
		"nothing":                 func(*table) {},
		"an insert, same hash":    func(x *table) { x.insert(12, 12) },
		"an insert, same slot":    func(x *table) { x.insert(21, 21) },
		"inserts until it grows":  func(x *table) { x.insert(12, 19) },
		"a deletion in front":     func(x *table) { x.Delete(hashes[3], 3) },
		"a failed deletion":       func(x *table) { x.Delete(hashes[3], 19) },
		"a find of what is there": func(x *table) { x.has(2) },
		"a miss of another hash":  func(x *table) { x.has(21) },
		"a reset":                 func(x *table) { x.Reset() },
		"a reset and an insert":   func(x *table) { x.Reset(); x.insert(1, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			for n := range 13 { // a segment of 16 slots is full with 12
				x := newTable(hashes)
				x.insert(1, n)
				_, ok := x.Find(hashes[20], func(uint32) bool { return false })
				require.False(t, ok)
				between(x)
				before := x.Len()
				x.insert(20, 20)
				require.Equal(t, before+1, x.Len())
				require.True(t, x.has(20))
				x.Check(t)
			}
		})
	}
}

func TestIndex_DeletionClosesGapsAcrossTheEndOfASegment(t *testing.T) {
	// All searches start at the last three of 16 slots, so that entries wrap around to the first
	// ones.
	for gone := uint32(1); gone <= 10; gone++ {
		x := newTable([]uint64{0, 13, 15, 14, 14, 15, 13, 15, 0, 1, 14})
		x.insert(1, 10)
		require.True(t, x.Delete(x.hashes[gone], gone))
		x.Check(t)
		for id := uint32(1); id <= 10; id++ {
			require.Equal(t, id != gone, x.has(id), "id %d without %d", id, gone)
		}
	}
}

func TestIndex_ManyEqualHashesNeitherLoopNorGrowTheDirectory(t *testing.T) {
	// biased has ones with a probability of one in eight, so that only every eighth part splits
	// off.
	biased := func(i int) uint64 { return mix(uint64(i)) & mix(uint64(i)+1<<20) & mix(uint64(i)+1<<40) }
	for name, hash := range map[string]func(i int) uint64{
		"biased bits":   biased,
		"all equal":     func(int) uint64 { return 42 },
		"two hashes":    func(i int) uint64 { return uint64(i&1) << 20 },
		"no high bits":  func(i int) uint64 { return uint64(i) },
		"one exception": func(i int) uint64 { return uint64(i/5999) << 63 },
		"halves":        func(i int) uint64 { return ^uint64(0) << (i % 64) },
	} {
		t.Run(name, func(t *testing.T) {
			const n = 6000
			hashes := make([]uint64, n+1)
			for i := range hashes {
				hashes[i] = hash(i)
			}
			x := newTable(hashes)
			x.insert(1, n)
			x.Check(t)
			assert.LessOrEqual(t, 16<<x.Depth(), n, "the directory is out of proportion")
			assert.LessOrEqual(t, x.Bytes(), 32*n)
			if name != "biased bits" {
				assert.LessOrEqual(t, x.Depth(), 1, "splits that do not help")
			}
			for id := uint32(1); id <= n; id += 7 {
				require.True(t, x.has(id))
			}
			for id := uint32(1); id <= n; id++ {
				require.True(t, x.Delete(x.hashes[id], id))
			}
			x.Check(t)
			assert.LessOrEqual(t, x.Bytes(), 320)
		})
	}
}

func TestIndex_NeedsSixteenBytesPerEntryOnAverage(t *testing.T) {
	const most = 400_000
	x := newTable(mixed(most))
	sum, n := 0.0, 0
	for size := 0; size < most; size += 5000 {
		x.insert(size+1, size+5000)
		if size >= most/4 {
			per := float64(x.Bytes()) / float64(x.Len())
			require.LessOrEqual(t, per, 23.0, "right after all segments have split")
			sum += per
			n++
		}
	}
	x.Check(t)
	assert.LessOrEqual(t, sum/float64(n), 16.0)
}

func TestIndex_LosesNothingWhenOnlyOnePartEmpties(t *testing.T) {
	const n = 30_000
	for _, backwards := range []bool{false, true} {
		x := newTable(mixed(n))
		x.insert(1, n)
		order := make([]uint32, n)
		for i := range order {
			order[i] = uint32(i + 1)
		}
		slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(x.hashes[a], x.hashes[b]) })
		if backwards {
			slices.Reverse(order)
		}
		for i, id := range order {
			require.True(t, x.Delete(x.hashes[id], id))
			if i%100 == 0 {
				x.Check(t)
			}
		}
		assert.LessOrEqual(t, x.Bytes(), 320)
	}
}

func TestIndex_GivesMemoryBackAfterDeletion(t *testing.T) {
	const n = 200_000
	x := newTable(mixed(n))
	x.insert(1, n)
	full := x.Bytes()
	for id := uint32(1); id <= n; id++ {
		if !x.Delete(x.hashes[id], id) {
			t.Fatal("not deleted:", id)
		}
		if id%10_000 == 0 && id < n {
			require.LessOrEqual(t, x.Bytes()/x.Len(), 80, "after %d deletions", id)
		}
	}
	x.Check(t)
	assert.LessOrEqual(t, x.Bytes(), 320)
	assert.Greater(t, full, 1_000_000)
	x.insert(1, n)
	x.Check(t)
	x.Reset()
	assert.LessOrEqual(t, x.Bytes(), 96)
	assert.Zero(t, x.Len())
	x.insert(1, 10)
	assert.True(t, x.has(10))
}

func TestIndex_NoStepRehashesMoreThanAboutOneSegment(t *testing.T) {
	const n = 300_000
	x := newTable(mixed(n))
	// A step moves the entries of one segment, or of two that it merges into one.
	for id := 1; id <= n; id++ {
		x.insert(id, id)
		if id%1000 == 0 {
			require.LessOrEqual(t, x.Largest(), 1024)
		}
	}
	for id := uint32(1); id <= n; id++ {
		x.Delete(x.hashes[id], id)
		if id%1000 == 0 {
			require.LessOrEqual(t, x.Largest(), 1024)
		}
	}
}

func TestIndex_SteadyStateDoesNotAllocate(t *testing.T) {
	const most = 20_000
	for _, n := range []int{0, 1, 11, 12, 13, 500, 768, 5000, most} {
		x := newTable(mixed(most + 10))
		x.insert(1, n)
		at := 0
		run := func() {
			// The oldest of n+3 keys make room for the next ones, as in a window.
			for k := range 3 {
				id := uint32(n + 1 + (at+k)%10)
				x.Insert(x.hashes[id], id)
			}
			for k := range 3 {
				id := uint32(n + 1 + (at+k)%10)
				if !x.has(id) || !x.Delete(x.hashes[id], id) {
					t.Error("not found")
				}
			}
			at++
		}
		for range 10 {
			run()
		}
		assert.Zero(t, testing.AllocsPerRun(100, run), "n=%d", n)
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 129, 130, 131, 132}, uint8(60))
	f.Add([]byte("insert and delete some entries of few hashes"), uint8(3))
	f.Fuzz(func(t *testing.T, ops []byte, shift uint8) {
		var hashes [128 * 16]uint64
		live := map[uint32]bool{}
		for i := range hashes {
			hashes[i] = mix(uint64(i)) << (shift & 63)
		}
		x := newTable(hashes[:])
		for _, op := range ops {
			// One operation inserts or deletes sixteen ids.
			for k := range uint32(16) {
				id := uint32(op&127)*16 + k
				if id == 0 {
					continue
				}
				if op < 128 && !live[id] {
					x.Insert(hashes[id], id)
					live[id] = true
				} else if op >= 128 {
					if x.Delete(hashes[id], id) != live[id] {
						t.Fatalf("Delete of %d must report %v", id, live[id])
					}
					delete(live, id)
				}
			}
			x.Check(t)
		}
		if x.Len() != len(live) {
			t.Fatal("Len", x.Len(), len(live))
		}
		for id := range uint32(len(hashes)) {
			if id > 0 && x.has(id) != live[id] {
				t.Fatalf("%d must be found: %v", id, live[id])
			}
		}
	})
}
