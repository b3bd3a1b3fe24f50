package wheel

import (
	"math/bits"

	"github.com/stretchr/testify/require"
)

// Busy reports whether entries wait on the work list.
func (w *Wheel) Busy() bool { return w.work != 0 }

func (w *Wheel) list(head uint32) []uint32 {
	var ids []uint32
	for id := head; id != 0; id = w.nodes.At(id).Next {
		ids = append(ids, id)
	}
	return ids
}

// Check fails the test if the wheel is not in order.
func (w *Wheel) Check(t require.TestingT) {
	n := w.heap.Len()
	walk := func(head uint32, check func(tick uint64)) {
		prev := uint32(0)
		for id := head; id != 0; id = w.nodes.At(id).Next {
			if prev != 0 {
				require.Equal(t, prev, w.nodes.At(id).Prev)
			}
			prev = id
			n++
			require.LessOrEqual(t, n, w.n, "a list runs in a circle")
			check(uint64(w.nodes.At(id).Deadline) >> tickBits)
		}
		if head != 0 {
			require.Equal(t, prev, w.nodes.At(head).Prev)
		}
	}
	for level := range uint(allLevels) {
		for slot := range uint(slots) {
			if level == levels && slot > 1 {
				require.Zero(t, w.bitmap[level]>>slot)
				break
			}
			head := w.first[level*slots+slot]
			if set := w.bitmap[level]>>slot&1 == 1; set != (head != 0) {
				require.Fail(t, "the bitmap is wrong")
			}
			if head == 0 {
				continue
			}
			walk(head, func(tick uint64) {
				require.GreaterOrEqual(t, tick, w.cur)
				l, s := w.locate(tick)
				require.Equal(t, [2]uint{level, slot}, [2]uint{l, s})
			})
		}
	}
	walk(w.work, func(tick uint64) {
		require.GreaterOrEqual(t, tick, w.cur)
		require.LessOrEqual(t, bits.Len64(tick^w.cur), int(w.workLevel)*digitBits)
	})
	last := int64(0)
	walk(w.run, func(tick uint64) { require.Equal(t, w.cur, tick) })
	for _, id := range w.list(w.run) {
		require.GreaterOrEqual(t, w.nodes.At(id).Deadline, last)
		last = w.nodes.At(id).Deadline
	}
	require.True(t, w.run == 0 || last <= w.runMax)
	for pos := range int32(w.heap.Len()) {
		e := w.heap.At(pos)
		require.LessOrEqual(t, uint64(e.Key)>>tickBits, w.cur)
		require.EqualValues(t, pos, w.nodes.At(e.ID).Next)
		require.Equal(t, inHeap, w.nodes.At(e.ID).Prev)
		require.True(t, w.run == 0 || e.Key < w.runMax)
		require.Equal(t, e.Key, w.nodes.At(e.ID).Deadline)
	}
	require.Equal(t, n, w.n)
}

// Heaped returns the number of ids in the heap.
func (w *Wheel) Heaped() int { return w.heap.Len() }
