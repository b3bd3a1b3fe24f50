package wheel

import (
	"math/bits"

	"github.com/stretchr/testify/require"
)

// Busy reports whether entries wait on the work list.
func (w *Wheel) Busy() bool { return w.work != 0 }

// Check fails the test if the wheel is not in order.
func (w *Wheel) Check(t require.TestingT) {
	// Calling require for each fact would take most of the time of the tests.
	must := func(ok bool, format string, args ...any) {
		if !ok {
			require.Failf(t, "the wheel is not in order", format, args...)
		}
	}
	n := w.heap.Len()
	walk := func(head uint32, check func(deadline int64, tick uint64)) {
		prev := uint32(0)
		for id := head; id != 0; id = w.nodes.At(id).Next {
			e := w.nodes.At(id)
			must(prev == 0 || e.Prev == prev, "Prev of %d is %d, not %d", id, e.Prev, prev)
			prev = id
			n++
			must(n <= w.n, "a list runs in a circle, or Len %d is too small", w.n)
			check(e.Deadline, uint64(e.Deadline)>>tickBits)
		}
		must(head == 0 || w.nodes.At(head).Prev == prev, "Prev of the first is not the last")
	}
	for level := range uint(allLevels) {
		for slot := range uint(slots) {
			set := w.bitmap[level]>>slot&1 == 1
			if level == levels && slot > 1 {
				must(!set, "a slot that does not exist is in the bitmap")
				continue
			}
			head := w.first[level*slots+slot]
			must(set == (head != 0), "the bitmap is wrong for slot %d of level %d", slot, level)
			if head != 0 {
				walk(head, func(_ int64, tick uint64) {
					l, s := w.locate(tick)
					must(tick >= w.cur && l == level && s == slot, "tick %d is in slot %d of level %d", tick, slot, level)
				})
			}
		}
	}
	walk(w.work, func(_ int64, tick uint64) {
		must(tick >= w.cur && bits.Len64(tick^w.cur) <= int(w.workLevel)*digitBits, "tick %d is on the work list", tick)
	})
	last := int64(0)
	walk(w.run, func(deadline int64, tick uint64) {
		must(tick == w.cur && deadline >= last && deadline <= w.runMax, "deadline %d is in the run after %d", deadline, last)
		last = deadline
	})
	for pos := range int32(w.heap.Len()) {
		h := w.heap.At(pos)
		e := w.nodes.At(h.ID)
		must(e.Next == uint32(pos) && e.Prev == inHeap && e.Deadline == h.Key, "%d in the heap has a wrong node", h.ID)
		must(uint64(h.Key)>>tickBits <= w.cur, "deadline %d is in the heap", h.Key)
		must(w.run == 0 || h.Key < w.runMax, "deadline %d may be both in the heap and in the run", h.Key)
	}
	must(n == w.n, "Len is %d with %d entries", w.n, n)
}

// Heaped returns the number of ids in the heap.
func (w *Wheel) Heaped() int { return w.heap.Len() }
