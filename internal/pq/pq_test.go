package pq_test

import (
	"cmp"
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq/internal/pq"
)

func order(a, b pq.Entry) int {
	return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Ord, b.Ord))
}

// tracked is a heap together with what its tracking function reported.
type tracked struct {
	pq.Heap
	pos map[uint32]int32
}

func newTracked() *tracked {
	h := &tracked{pos: map[uint32]int32{}}
	h.Track(func(id uint32, pos int32) {
		if pos < 0 {
			delete(h.pos, id)
		} else {
			h.pos[id] = pos
		}
	})
	return h
}

// check compares everything the heap tells with the model, which is sorted.
func (h *tracked) check(t *testing.T, model []pq.Entry) {
	t.Helper()
	require.Equal(t, len(model), h.Len())
	require.Len(t, h.pos, len(model))
	for _, e := range model {
		// Calling require for each would take most of the time of the test.
		if pos, ok := h.pos[e.ID]; !ok || h.At(pos) != e {
			require.Fail(t, "an entry is not where it is said to be", "%v, position %d, %v", e, pos, ok)
		}
	}
	if len(model) > 0 {
		require.Equal(t, model[0], h.Min())
	}
}

func TestHeap_AgreesWithASortedSlice(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 2))
			h := newTracked()
			var model []pq.Entry
			id := uint32(0)
			limit := 1 + rng.IntN(300)
			for range 1500 {
				e := pq.Entry{Key: rng.Int64N(50) - 10, Ord: rng.Uint64(), ID: id}
				switch op := rng.IntN(9); {
				case op < 4 && len(model) < limit:
					id++
					h.Push(e)
					model = append(model, e)
				case len(model) == 0:
				case op == 4:
					require.Equal(t, model[0], h.Pop())
					model = model[1:]
				case op == 5:
					i := rng.IntN(len(model))
					require.Equal(t, model[i], h.Remove(h.pos[model[i].ID]))
					model = slices.Delete(model, i, i+1)
				case op == 6:
					i := rng.IntN(len(model))
					if e.ID = model[i].ID; rng.IntN(2) == 0 {
						e.ID = id
						id++
					}
					h.Fix(h.pos[model[i].ID], e)
					model[i] = e
				case op == 8:
					var got []pq.Entry
					most := rng.IntN(len(model) + 2)
					h.Before(e, func(o pq.Entry) bool {
						got = append(got, o)
						return len(got) < most
					})
					want, _ := slices.BinarySearchFunc(model, e, order)
					if most == 0 {
						most = 1 // it stops after the first
					}
					require.Len(t, got, min(want, most))
					for _, o := range got {
						require.Negative(t, order(o, e))
					}
				case op == 7:
					skipped := map[uint32]bool{}
					for range rng.IntN(40) {
						skipped[model[min(rng.IntN(len(model)), rng.IntN(40))].ID] = true
					}
					asked := map[uint32]bool{}
					got, ok := h.LeastExcept(func(id uint32) bool {
						if asked[id] {
							t.Error("asked twice for", id)
						}
						asked[id] = true
						return skipped[id]
					})
					i := slices.IndexFunc(model, func(e pq.Entry) bool { return !skipped[e.ID] })
					require.Equal(t, i >= 0, ok)
					if ok {
						require.Equal(t, model[i], got)
						require.LessOrEqual(t, len(asked), i+1, "only entries before the answer are looked at")
					}
				}
				slices.SortFunc(model, order)
				h.check(t, model)
			}
		})
	}
}

func TestHeap_SortsMoreThanAFewPages(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	var h pq.Heap
	const n = 50_000
	for i := range n {
		h.Push(pq.Entry{Key: rng.Int64N(1000), Ord: uint64(i), ID: uint32(i)})
	}
	last := h.Pop()
	for range n - 1 {
		e := h.Pop()
		if order(last, e) >= 0 {
			t.Fatal(e, "comes after", last)
		}
		last = e
	}
	assert.Zero(t, h.Len())
}

func TestHeap_ResetEmptiesWithoutReporting(t *testing.T) {
	var h pq.Heap
	calls := 0
	h.Track(func(uint32, int32) { calls++ })
	h.Push(pq.Entry{Key: 1})
	h.Push(pq.Entry{Key: 2})
	calls = 0
	h.Reset()
	assert.Zero(t, h.Len())
	assert.Zero(t, calls)
	_, ok := h.LeastExcept(func(uint32) bool { return false })
	assert.False(t, ok)
	h.Push(pq.Entry{Key: 3, ID: 9})
	assert.Equal(t, pq.Entry{Key: 3, ID: 9}, h.Pop())
	assert.Positive(t, calls, "tracking stays in force")
}

func TestHeap_FixReportsTheReplacedIdOnly(t *testing.T) {
	h := newTracked()
	h.Push(pq.Entry{Key: 5, ID: 1})
	h.Fix(0, pq.Entry{Key: 6, ID: 1})
	assert.Equal(t, map[uint32]int32{1: 0}, h.pos)
	h.Fix(0, pq.Entry{Key: 6, ID: 2})
	assert.Equal(t, map[uint32]int32{2: 0}, h.pos)
}

func TestHeap_StartsSmallAndGivesPagesBack(t *testing.T) {
	var h pq.Heap
	assert.Equal(t, 0, h.Room())
	h.Push(pq.Entry{})
	assert.Equal(t, 8, h.Room())
	const n = 100_000
	for i := range n {
		h.Push(pq.Entry{Key: int64(i)})
	}
	assert.LessOrEqual(t, h.Room(), n+4096)
	for h.Len() > 0 {
		h.Pop()
		require.LessOrEqual(t, h.Room(), max(h.Len()+3*4096, 64))
		if h.Len() < 1000 {
			require.LessOrEqual(t, h.Room(), max(5*h.Len()+100, 64))
		}
	}
	assert.Equal(t, 64, h.Room())
	assert.LessOrEqual(t, h.PageSlots(), 4, "the table of pages shrinks too")
}

func TestHeap_SteadyStateDoesNotAllocate(t *testing.T) {
	for _, n := range []int{0, 1, 64, 1000, 4092, 4093, 4094, 8189, 20_000} {
		var h pq.Heap
		h.Track(func(uint32, int32) {})
		for i := range n {
			h.Push(pq.Entry{Key: int64(i)})
		}
		run := func() {
			for range 20 {
				h.Push(pq.Entry{Key: int64(n / 2)})
			}
			h.Fix(3, pq.Entry{Key: 1})
			h.Remove(int32(h.Len() / 2))
			for range 19 {
				h.Pop()
			}
		}
		run()
		assert.Zero(t, testing.AllocsPerRun(50, run), "n=%d", n)
	}
}

func TestHeap_LeastExceptDoesNotAllocateForSixteenSkipped(t *testing.T) {
	var h pq.Heap
	for i := range 1000 {
		h.Push(pq.Entry{Key: int64(i), ID: uint32(i)})
	}
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		e, ok := h.LeastExcept(func(id uint32) bool { return id < 16 })
		if !ok || e.ID != 16 {
			t.Error("wrong answer", e, ok)
		}
	}))
	_, ok := h.LeastExcept(func(uint32) bool { return true })
	assert.False(t, ok)
}

// standard is what one gets from container/heap, with positions as they are needed for removal.
type standard struct {
	entries []pq.Entry
	pos     []int32
}

func (s *standard) Len() int           { return len(s.entries) }
func (s *standard) Less(i, j int) bool { return order(s.entries[i], s.entries[j]) < 0 }
func (s *standard) Swap(i, j int) {
	s.entries[i], s.entries[j] = s.entries[j], s.entries[i]
	s.pos[s.entries[i].ID], s.pos[s.entries[j].ID] = int32(i), int32(j)
}
func (s *standard) Push(x any) {
	e := x.(pq.Entry)
	s.pos[e.ID] = int32(len(s.entries))
	s.entries = append(s.entries, e)
}
func (s *standard) Pop() any {
	e := s.entries[len(s.entries)-1]
	s.entries = s.entries[:len(s.entries)-1]
	s.pos[e.ID] = -1
	return e
}

func BenchmarkHeap_PopPush(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("n=%d/impl=paged", n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 4))
			var h pq.Heap
			for i := range n {
				h.Push(pq.Entry{Key: rng.Int64N(1 << 40), ID: uint32(i)})
			}
			b.ReportAllocs()
			for b.Loop() {
				e := h.Pop()
				e.Key += rng.Int64N(1 << 40)
				h.Push(e)
			}
		})
		b.Run(fmt.Sprintf("n=%d/impl=paged-tracked", n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 4))
			var h pq.Heap
			pos := make([]int32, n)
			h.Track(func(id uint32, p int32) { pos[id] = p })
			for i := range n {
				h.Push(pq.Entry{Key: rng.Int64N(1 << 40), ID: uint32(i)})
			}
			b.ReportAllocs()
			for b.Loop() {
				e := h.Pop()
				e.Key += rng.Int64N(1 << 40)
				h.Push(e)
			}
		})
		b.Run(fmt.Sprintf("n=%d/impl=container", n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 4))
			h := &standard{pos: make([]int32, n)}
			for i := range n {
				heap.Push(h, pq.Entry{Key: rng.Int64N(1 << 40), ID: uint32(i)})
			}
			b.ReportAllocs()
			for b.Loop() {
				e := heap.Pop(h).(pq.Entry)
				e.Key += rng.Int64N(1 << 40)
				heap.Push(h, e)
			}
		})
	}
}
