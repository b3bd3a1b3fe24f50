// Package wheel is a hierarchical timer wheel that is exact to the nanosecond.
//
// The wheel divides time into ticks of about a millisecond. A deadline that lies ahead waits in a
// slot: a list of all entries whose tick has the same leading digits in base 64. The level of the
// slot is the place of the highest digit in which the tick differs from the current one, so a slot
// that holds entries is always ahead of the current tick and the next one is found by counting zero
// bits, without wrapping around. When time reaches a slot its entries move to lower levels, each at
// most once per level, and at last fire. Only entries of the current tick whose instant has not
// come yet are sorted. So adding and removing cost the same few nanoseconds for any number of
// entries, and an idle span of any length costs nothing.
//
// Times are nanoseconds since an epoch that the owner chooses. Nothing in this package locks or
// reads a clock.
package wheel

import (
	"math/bits"

	"example.com/inq/internal/links"
	"example.com/inq/internal/pq"
)

const (
	tickBits  = 20 // a tick is 2^20 ns, 1.05 ms
	digitBits = 6
	slots     = 1 << digitBits
	digitMask = slots - 1
	levels    = 7

	// A tick has 43 bits, one more than the seven levels of six bits resolve. The last bit is the
	// only digit of a level of its own, whose slots are the last two of the array; this makes every
	// deadline an int64 can hold an ordinary one.
	allLevels = levels + 1
	allSlots  = levels*slots + 2

	// inHeap in Node.Prev marks an entry that is in the heap. No list member has it: there, Prev is
	// an id.
	inHeap = ^uint32(0)

	// peek is the number of entries of a slot that Next reads to find the earliest instead of
	// answering the start of the slot.
	peek = 4
)

// Wheel holds ids until their deadlines. While an id is in the wheel all fields of its node belong
// to the wheel; Deadline may be read.
//
// A list of the wheel is known by its first id alone: Next is 0 at the last node, and Prev of the
// first node is the last id.
//
// The zero value is not usable before Init, and a Wheel must not be copied after it.
type Wheel struct {
	nodes *links.Nodes
	n     int    // entries in slots, on the work list, in the run and in the heap
	cur   uint64 // the current tick; what is in a slot is of a later one, with the exception that curWaits tells

	// work is the list that Advance has taken out of a slot and not finished. If workLevel is 0 its
	// entries are of tick cur; they fire if their deadline is not after workNow and go to the run
	// or the heap otherwise. If workLevel is l > 0 their ticks agree with cur from digit l on, and
	// they go to slots below level l. New entries to which the same applies are appended, so that
	// they stay behind the older ones.
	work      uint32
	workLevel uint
	workNow   int64

	// run and heap hold the entries of tick cur that have been looked at and were not due. The run
	// is a list sorted by deadline, to which an entry is appended if that keeps it sorted; the heap
	// holds the others. Usually entries come in the order of their deadlines, and a million with
	// the same one must not cost a heap operation each. The heap also holds entries that were added
	// when their tick had passed.
	run    uint32
	runMax int64 // nothing earlier goes to the run unless run and heap are empty; so they never have a deadline in common
	heap   pq.Heap
	pushed uint64 // the number of entries that went to the heap, which gives them their order

	bitmap [allLevels]uint64 // bit s of bitmap[l] is set if slot s of level l is not empty
	first  [allSlots]uint32  // the first id of each slot
}

// Init makes w an empty wheel over the given nodes at time 0.
func (w *Wheel) Init(nodes *links.Nodes) {
	*w = Wheel{nodes: nodes}
	w.heap.Track(func(id uint32, pos int32) { nodes.At(id).Next = uint32(pos) })
}

// Len returns the number of ids in the wheel, those included that are due and wait for the next
// Advance.
func (w *Wheel) Len() int { return w.n }

// Add puts id into the wheel, to be fired by the first Advance whose time is not before the
// deadline. A deadline that has passed is allowed, and a negative one counts as 0. The id must not
// be in the wheel or on a list, and must be less than 1<<32 - 1. Add sets the node's Deadline.
func (w *Wheel) Add(id uint32, deadline int64) {
	deadline = max(deadline, 0)
	e := w.nodes.At(id)
	e.Deadline = deadline
	w.n++
	tick := uint64(deadline) >> tickBits
	switch {
	case w.work != 0 && tick >= w.cur && (tick^w.cur)>>(digitBits*w.workLevel) == 0:
		w.append(&w.work, id, e)
	case tick > w.cur || tick == w.cur && w.curWaits():
		w.insert(id, e, tick)
	default:
		w.hold(id, e, tick)
	}
}

// Remove takes id, which must be in the wheel, out of it and clears its links.
func (w *Wheel) Remove(id uint32) {
	e := w.nodes.At(id)
	w.n--
	if e.Prev == inHeap {
		w.heap.Remove(int32(e.Next))
		e.Next, e.Prev = 0, 0
		return
	}
	prev := w.nodes.At(e.Prev)
	if prev.Next != 0 && e.Next != 0 {
		prev.Next = e.Next
		w.nodes.At(e.Next).Prev = e.Prev
		e.Next, e.Prev = 0, 0
		return
	}
	w.removeEnd(id, e, prev)
}

// removeEnd removes the first or last id of a list, which needs to know the list.
func (w *Wheel) removeEnd(id uint32, e, prev *links.Node) {
	// The list is the one whose first or last id this is: that of the slot for the deadline or one
	// of the two others.
	first := id
	if prev.Next != 0 {
		first = 0
	}
	level, slot := w.locate(uint64(e.Deadline) >> tickBits)
	list := &w.first[level*slots+slot]
	if !w.isEnd(*list, id, first) {
		if list = &w.work; !w.isEnd(*list, id, first) {
			list = &w.run
		}
	}
	if first == id {
		if *list = e.Next; e.Next != 0 {
			w.nodes.At(e.Next).Prev = e.Prev
		} else if w.first[level*slots+slot] == 0 {
			w.bitmap[level] &^= 1 << slot
		}
	} else {
		w.nodes.At(*list).Prev = e.Prev
		prev.Next = 0
	}
	e.Next, e.Prev = 0, 0
}

// isEnd reports whether the list that starts with head starts with first or, if first is 0, ends
// with id.
func (w *Wheel) isEnd(head, id, first uint32) bool {
	return head != 0 && (head == first || first == 0 && w.nodes.At(head).Prev == id)
}

// Next returns a time to call Advance at, and whether there is any: false means that the wheel is
// empty. The time is not later than the earliest deadline, and Advance at that time either fires
// something or brings the next answer closer to that deadline; a single far deadline is met after
// at most one such empty step per level. Within the current tick the answer is exact. It may lie in
// the past if Advance ran out of budget or a deadline was added late.
func (w *Wheel) Next() (at int64, ok bool) {
	if w.n == 0 {
		return 0, false
	}
	id, at := w.soonest()
	if w.work != 0 {
		if start := int64(w.cur << tickBits); id == 0 || start < at {
			at = start
		}
		return at, true
	}
	if id != 0 {
		return at, true
	}
	level, slot, start := w.nextSlot()
	e := w.nodes.At(w.first[level*slots+slot])
	at = e.Deadline
	for range peek - 1 {
		if e.Next == 0 {
			return at, true
		}
		e = w.nodes.At(e.Next)
		at = min(at, e.Deadline)
	}
	if e.Next != 0 {
		at = int64(start << tickBits)
	}
	return at, true
}

// Reset drops all entries and leaves their nodes as they are. Time stays where it is.
func (w *Wheel) Reset() {
	w.n, w.work, w.run = 0, 0, 0
	w.heap.Reset()
	w.bitmap = [allLevels]uint64{}
	w.first = [allSlots]uint32{}
}

// locate returns the slot for a tick that is not before the current one.
func (w *Wheel) locate(tick uint64) (level, slot uint) {
	level = uint(bits.Len64((tick^w.cur)|1)-1) / digitBits
	return level, uint(tick>>(level*digitBits)) & digitMask
}

// nextSlot returns the earliest slot that holds entries and its first tick. There must be one.
func (w *Wheel) nextSlot() (level, slot uint, start uint64) {
	// All slots of a level share the current digits above it, so those of a lower level come first.
	for w.bitmap[level] == 0 {
		level++
	}
	slot = uint(bits.TrailingZeros64(w.bitmap[level]))
	shift := level * digitBits
	return level, slot, w.cur>>shift>>digitBits<<digitBits<<shift | uint64(slot)<<shift
}

// curWaits reports whether the slot of the current tick holds entries. That is so between the end
// of the work list that filled it and the step of Advance that makes it the work list. New entries
// of the tick have to stay behind them.
func (w *Wheel) curWaits() bool { return w.bitmap[0]>>(w.cur&digitMask)&1 != 0 }

// insert appends id to the slot of a tick that is not before the current one.
func (w *Wheel) insert(id uint32, e *links.Node, tick uint64) {
	level, slot := w.locate(tick)
	w.bitmap[level] |= 1 << slot
	w.append(&w.first[level*slots+slot], id, e)
}

// append puts id at the end of a list.
func (w *Wheel) append(list *uint32, id uint32, e *links.Node) {
	e.Next = 0
	if *list == 0 {
		*list = id
		e.Prev = id
		return
	}
	head := w.nodes.At(*list)
	e.Prev = head.Prev
	w.nodes.At(head.Prev).Next = id
	head.Prev = id
}

// pop takes the first id, which must exist, off a list and leaves its links as they are.
func (w *Wheel) pop(list *uint32) (id uint32, e *links.Node) {
	id = *list
	e = w.nodes.At(id)
	if *list = e.Next; e.Next != 0 {
		w.nodes.At(e.Next).Prev = e.Prev
	}
	return id, e
}

// hold puts id, whose tick is not after the current one, where it waits for its instant.
func (w *Wheel) hold(id uint32, e *links.Node, tick uint64) {
	if tick == w.cur && (e.Deadline >= w.runMax || w.run == 0 && w.heap.Len() == 0) {
		w.runMax = e.Deadline
		w.append(&w.run, id, e)
		return
	}
	e.Prev = inHeap
	w.heap.Push(pq.Entry{Key: e.Deadline, Ord: w.pushed, ID: id})
	w.pushed++
}

// soonest returns the id with the earliest deadline in the run and the heap, which never have one
// in common, and that deadline. The id is 0 if both are empty.
func (w *Wheel) soonest() (id uint32, at int64) {
	if w.run != 0 {
		id, at = w.run, w.nodes.At(w.run).Deadline
	}
	if w.heap.Len() > 0 {
		if min := w.heap.Min(); id == 0 || min.Key < at {
			id, at = min.ID, min.Key
		}
	}
	return id, at
}
