package pq

// Room returns the number of entries the heap holds memory for.
func (h *Heap) Room() int {
	n := 0
	for _, p := range h.pages {
		n += len(p)
	}
	return n
}

// PageSlots returns the number of pages the table of pages has memory for.
func (h *Heap) PageSlots() int { return cap(h.pages) }
