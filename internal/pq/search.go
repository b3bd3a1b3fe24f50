package pq

// skippedOnStack is the number of skipped entries up to which LeastExcept needs no memory from the
// heap of the process.
const skippedOnStack = 16

// LeastExcept returns the least entry for whose id skip reports false, and whether there is one. It
// looks at the skipped entries that are less and at their children only, so its cost depends on how
// many are skipped and not on Len. skip is called at most once per entry and must not use the heap.
// Nothing is allocated while at most 16 entries are skipped.
func (h *Heap) LeastExcept(skip func(id uint32) bool) (Entry, bool) {
	if h.Len() == 0 {
		return Entry{}, false
	}
	if min := h.Min(); !skip(min.ID) {
		return min, true
	}
	return h.search(skip)
}

// search continues LeastExcept below a skipped root. The cells that may come next form a binary
// heap of their own: every entry outside it has either been skipped or has an ancestor in it.
func (h *Heap) search(skip func(id uint32) bool) (Entry, bool) {
	// Each skipped entry takes its own place in the frontier and brings at most four.
	var room [1 + 3*skippedOnStack]int32
	front := h.extend(room[:0], root)
	for len(front) > 0 {
		at := int(front[0])
		if e := h.cell(at); !skip(e.ID) {
			return *e, true
		}
		front = h.extend(h.cut(front), at)
	}
	return Entry{}, false
}

// extend adds the children of cell at to the frontier.
func (h *Heap) extend(front []int32, at int) []int32 {
	child := 4 * (at - 2)
	for c := child; c < min(child+4, h.end); c++ {
		front = append(front, int32(c))
		i := len(front) - 1
		for i > 0 && h.cell(c).less(h.cell(int(front[(i-1)/2]))) {
			front[i] = front[(i-1)/2]
			i = (i - 1) / 2
		}
		front[i] = int32(c)
	}
	return front
}

// cut removes the least cell of the frontier.
func (h *Heap) cut(front []int32) []int32 {
	n := len(front) - 1
	last := front[n]
	front = front[:n]
	if n == 0 {
		return front
	}
	e := h.cell(int(last))
	i := 0
	for {
		c := 2*i + 1
		if c >= n {
			break
		}
		if c+1 < n && h.cell(int(front[c+1])).less(h.cell(int(front[c]))) {
			c++
		}
		if !h.cell(int(front[c])).less(e) {
			break
		}
		front[i] = front[c]
		i = c
	}
	front[i] = last
	return front
}

// Before calls visit for each entry that comes before e, in no order, until visit returns false. It
// looks at these entries and their children only. visit must not modify the heap.
func (h *Heap) Before(e Entry, visit func(Entry) bool) {
	if h.Len() != 0 {
		h.before(root, &e, visit)
	}
}

// before is Before from one cell on; it reports whether to go on.
func (h *Heap) before(at int, e *Entry, visit func(Entry) bool) bool {
	c := h.cell(at)
	if !c.less(e) {
		return true
	}
	if !visit(*c) {
		return false
	}
	child := 4 * (at - 2)
	for k := child; k < min(child+4, h.end); k++ {
		if !h.before(k, e, visit) {
			return false
		}
	}
	return true
}
