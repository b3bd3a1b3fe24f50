package links_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq/internal/links"
)

func TestNode_IsSixteenBytes(t *testing.T) {
	assert.EqualValues(t, 16, unsafe.Sizeof(links.Node{}))
}

func TestNodes_GrowInDoublingStepsAndThenInWholeChunks(t *testing.T) {
	var n links.Nodes
	assert.Zero(t, n.Len())
	for _, step := range []struct{ size, want int }{
		{0, 0}, {1, 32}, {32, 32}, {33, 64}, {2000, 2048}, {2048, 2048}, {2049, 4096}, {100, 4096}, {9000, 10240},
	} {
		n.Grow(step.size)
		assert.Equal(t, step.want, n.Len(), "after Grow(%d)", step.size)
	}
	n.Reset()
	assert.Zero(t, n.Len())
	n.Grow(5000)
	assert.Equal(t, 6144, n.Len())
}

func TestNodes_GrowKeepsContentAndZeroesTheRest(t *testing.T) {
	var n links.Nodes
	for size := 1; size < 3*links.ChunkSize; size += 37 {
		before := n.Len()
		n.Grow(size)
		for id := range n.Len() {
			e := n.At(uint32(id))
			if id >= before {
				require.Equal(t, links.Node{}, *e, "new id %d", id)
				*e = links.Node{Deadline: int64(id) * 3, Next: uint32(id) + 1, Prev: uint32(id) + 2}
			}
			if *e != (links.Node{Deadline: int64(id) * 3, Next: uint32(id) + 1, Prev: uint32(id) + 2}) {
				t.Fatal("content lost:", id, *e)
			}
		}
	}
}

func TestNodes_ResetForgetsContent(t *testing.T) {
	var n links.Nodes
	n.Grow(10)
	n.At(3).Deadline = 7
	n.Reset()
	n.Grow(10)
	assert.Equal(t, links.Node{}, *n.At(3))
}

// ids walks the list in both directions and returns what it holds.
func ids(t *testing.T, n *links.Nodes, l *links.List) []uint32 {
	t.Helper()
	forth, back := []uint32{}, []uint32{}
	for id := l.Head; id != 0; id = n.At(id).Next {
		forth = append(forth, id)
		require.LessOrEqual(t, len(forth), n.Len(), "the list runs in a circle")
	}
	for id := l.Tail; id != 0; id = n.At(id).Prev {
		back = append(back, id)
		require.LessOrEqual(t, len(back), n.Len(), "the list runs in a circle backwards")
	}
	slices.Reverse(back)
	require.Equal(t, forth, back)
	require.Equal(t, len(forth) == 0, l.Empty())
	return forth
}

func TestList_RemovesHeadTailMiddleAndOnly(t *testing.T) {
	for _, c := range []struct {
		remove uint32
		want   []uint32
	}{{1, []uint32{2, 3}}, {2, []uint32{1, 3}}, {3, []uint32{1, 2}}} {
		var n links.Nodes
		n.Grow(4)
		var l links.List
		for id := range uint32(3) {
			l.PushBack(&n, id+1)
		}
		l.Remove(&n, c.remove)
		assert.Equal(t, c.want, ids(t, &n, &l))
		for _, id := range c.want {
			l.Remove(&n, id)
		}
		assert.Equal(t, links.List{}, l)
	}
}

func TestList_PopFrontOfAnEmptyListIsZero(t *testing.T) {
	var n links.Nodes
	var l links.List
	assert.Zero(t, l.PopFront(&n))
	n.Grow(2)
	l.PushFront(&n, 1)
	assert.EqualValues(t, 1, l.PopFront(&n))
	assert.Zero(t, l.PopFront(&n))
	assert.Equal(t, links.List{}, l)
}

func TestList_LeavesTheDeadlineAlone(t *testing.T) {
	var n links.Nodes
	n.Grow(2)
	n.At(1).Deadline = 42
	var l links.List
	l.PushBack(&n, 1)
	l.Remove(&n, 1)
	l.PushFront(&n, 1)
	l.PopFront(&n)
	assert.Equal(t, links.Node{Deadline: 42}, *n.At(1))
}

func TestList_AgreesWithASlice(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var n links.Nodes
		n.Grow(65)
		// Two lists share the nodes, and an id is on one of them or on none.
		var lists [2]links.List
		model := [2][]uint32{{}, {}}
		for step := range 2000 {
			k := rng.IntN(2)
			l, m := &lists[k], &model[k]
			id := 1 + rng.Uint32N(64)
			at := slices.Index(*m, id)
			free := at < 0 && !slices.Contains(model[1-k], id)
			switch op := rng.IntN(5); {
			case op == 0 && free:
				l.PushBack(&n, id)
				*m = append(*m, id)
			case op == 1 && free:
				l.PushFront(&n, id)
				*m = slices.Insert(*m, 0, id)
			case op == 2 && at >= 0:
				l.Remove(&n, id)
				*m = slices.Delete(*m, at, at+1)
			case op == 3:
				got := l.PopFront(&n)
				if len(*m) == 0 {
					require.Zero(t, got, "seed %d step %d", seed, step)
					break
				}
				require.Equal(t, (*m)[0], got, "seed %d step %d", seed, step)
				require.Equal(t, links.Node{}, *n.At(got))
				*m = slices.Delete(*m, 0, 1)
			case op == 4: // all up to id, or nothing
				last := uint32(0)
				if at >= 0 {
					last = id
				}
				l.MoveFront(&n, last, &lists[1-k])
				model[1-k] = append(model[1-k], (*m)[:at+1]...)
				*m = slices.Delete(*m, 0, at+1)
			}
			for i := range lists {
				require.Equal(t, model[i], ids(t, &n, &lists[i]), "seed %d step %d", seed, step)
			}
		}
	}
}

func TestList_OperationsDoNotAllocate(t *testing.T) {
	var n links.Nodes
	n.Grow(100)
	var l links.List
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		l.PushBack(&n, 1)
		l.PushFront(&n, 2)
		n.Grow(100)
		l.Remove(&n, 1)
		l.PopFront(&n)
	}))
}

func BenchmarkList_PushBackPopFront(b *testing.B) {
	var n links.Nodes
	n.Grow(100)
	var l links.List
	l.PushBack(&n, 1)
	for i := range b.N {
		l.PushBack(&n, uint32(2+i&1))
		l.PopFront(&n)
	}
}
