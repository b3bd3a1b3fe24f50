// Package pq is a priority queue of small fixed-size entries: a four-way min-heap kept in pages.
//
// Pages bound the worst step. A heap that grows as one slice copies everything whenever it runs out
// of room, which at a few million entries stops a queue for a fifth of a second; here a step copies
// at most one page, and only while the heap fits in one. Four children per entry halve the depth
// against a binary heap, and they lie side by side in one page.
//
// Nothing in this package locks.
package pq

// Entry is one element of a Heap. The least Key comes first, among equal Keys the least Ord.
// Entries that agree in both are ordered arbitrarily.
type Entry struct {
	Key int64
	Ord uint64
	ID  uint32
}

func (e *Entry) less(o *Entry) bool {
	return e.Key < o.Key || e.Key == o.Key && e.Ord < o.Ord
}

const (
	pageBits = 12
	pageSize = 1 << pageBits
	pageMask = pageSize - 1

	// leastPage is the size the first page starts with.
	leastPage = 8

	// shrinkStep is the number of removals between two looks at what could be given back. A page of
	// four times that size is never made smaller: it would grow again and again in a heap that
	// swings between nothing and a few entries.
	shrinkStep = 16

	// root is the cell of the first entry. Starting there instead of at 0 places the children of
	// cell c at 4(c-2) to 4(c-2)+3, which never straddle a page.
	root = 3
)

// Heap is a min-heap that can tell where each entry is. A position is a number from 0 to Len-1;
// position 0 holds the least entry, and the positions of the others change with every modification.
//
// The zero value is an empty heap that tracks nothing. A Heap must not be copied after its first
// use.
type Heap struct {
	pages [][]Entry // all but the first are whole, and the first is too when there are more
	end   int       // the cell after the last entry; 0 stands for root in the zero value
	track func(id uint32, pos int32)
}

// Track has f called whenever an entry comes to rest at a position, and with position -1 when it
// leaves the heap by Pop, Remove or by being replaced in Fix. During one operation f may be called
// several times for one id; the last call counts. f must not use the heap. With nil, which is the
// default, nothing is called.
func (h *Heap) Track(f func(id uint32, pos int32)) { h.track = f }

// Len returns the number of entries.
func (h *Heap) Len() int { return max(h.end-root, 0) }

// Min returns the least entry. The heap must not be empty.
func (h *Heap) Min() Entry { return h.pages[0][root] }

// At returns the entry at position pos, which must be in the range 0 to Len-1.
func (h *Heap) At(pos int32) Entry { return *h.cell(int(pos) + root) }

// Push adds e.
func (h *Heap) Push(e Entry) {
	if h.end >= len(h.pages)<<pageBits || h.end >= len(h.pages[0]) && len(h.pages) == 1 {
		h.grow()
	}
	at := h.end
	h.end++
	h.up(at, e)
}

// Pop removes the least entry and returns it. The heap must not be empty.
func (h *Heap) Pop() Entry { return h.Remove(0) }

// Remove removes the entry at position pos, which must be in the range 0 to Len-1, and returns it.
func (h *Heap) Remove(pos int32) Entry {
	at := int(pos) + root
	gone := *h.cell(at)
	h.end--
	last := *h.cell(h.end)
	if at != h.end {
		h.place(at, last)
	}
	if h.end%shrinkStep == 0 {
		h.shrink()
	}
	if h.track != nil {
		h.track(gone.ID, -1)
	}
	return gone
}

// Fix replaces the entry at position pos, which must be in the range 0 to Len-1, by e and restores
// the order. Usually e is the same entry with another Key.
func (h *Heap) Fix(pos int32, e Entry) {
	at := int(pos) + root
	gone := h.cell(at).ID
	h.place(at, e)
	if h.track != nil && gone != e.ID {
		h.track(gone, -1)
	}
}

// Reset removes all entries and gives their memory back. Unlike Pop and Remove it does not call the
// function given to Track, which stays in force.
func (h *Heap) Reset() { h.pages, h.end = nil, 0 }

func (h *Heap) cell(c int) *Entry { return &h.pages[c>>pageBits][c&pageMask] }

// place puts e into cell at, whose content is void, or to where the order wants it from there.
func (h *Heap) place(at int, e Entry) {
	if at > root && e.less(h.cell(at/4+2)) {
		h.up(at, e)
	} else {
		h.down(at, e)
	}
}

// up moves the hole at cell at towards the root until e fits into it.
func (h *Heap) up(at int, e Entry) {
	hole := h.cell(at)
	for at > root {
		parent := at/4 + 2
		p := h.cell(parent)
		if !e.less(p) {
			break
		}
		*hole = *p
		if h.track != nil {
			h.track(p.ID, int32(at-root))
		}
		at, hole = parent, p
	}
	*hole = e
	if h.track != nil {
		h.track(e.ID, int32(at-root))
	}
}

// down moves the hole at cell at away from the root until e fits into it.
func (h *Heap) down(at int, e Entry) {
	hole := h.cell(at)
	for {
		child := 4 * (at - 2)
		if child >= h.end {
			break
		}
		kids := h.pages[child>>pageBits][child&pageMask:]
		kids = kids[:min(4, h.end-child)]
		best := 0
		for k := 1; k < len(kids); k++ {
			if kids[k].less(&kids[best]) {
				best = k
			}
		}
		least := &kids[best]
		if !least.less(&e) {
			break
		}
		*hole = *least
		if h.track != nil {
			h.track(least.ID, int32(at-root))
		}
		at, hole = child+best, least
	}
	*hole = e
	if h.track != nil {
		h.track(e.ID, int32(at-root))
	}
}

// grow makes room for one more entry.
func (h *Heap) grow() {
	switch {
	case len(h.pages) == 0:
		h.pages = append(h.pages, make([]Entry, leastPage))
		h.end = root
	case len(h.pages[0]) < pageSize:
		first := make([]Entry, 2*len(h.pages[0]))
		copy(first, h.pages[0])
		h.pages[0] = first
	default:
		h.pages = append(h.pages, make([]Entry, pageSize))
	}
}

// shrink gives back what a smaller heap does not need. One page beyond those in use stays, and the
// first page keeps four times the room it needs, so that a size swinging around a limit does not
// allocate each time.
func (h *Heap) shrink() {
	need := (h.end + pageMask) >> pageBits
	if h.end > pageSize/2 {
		need++
	}
	if len(h.pages) > need {
		clear(h.pages[need:])
		h.pages = h.pages[:need]
		if need == 1 {
			h.pages = append([][]Entry(nil), h.pages...)
		}
	}
	if size := len(h.pages[0]); len(h.pages) == 1 && h.end < size/4 {
		first := make([]Entry, size/2)
		copy(first, h.pages[0][:h.end])
		h.pages[0] = first
	}
}
