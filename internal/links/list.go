package links

// List is a doubly linked list of ids over a slab of nodes. The zero value is an empty list.
//
// All calls on one list must be given the same Nodes. An id may be on one list only, and must not
// be in a wheel meanwhile.
type List struct {
	// Head and Tail are the first and the last id, both 0 when the list is empty. They are for
	// reading: a walk starts at one of them and follows Next or Prev, which are 0 at the ends.
	Head, Tail uint32
}

// Empty reports whether the list holds no id.
func (l *List) Empty() bool { return l.Head == 0 }

// PushBack makes id the last of the list. It overwrites whatever links id had.
func (l *List) PushBack(n *Nodes, id uint32) {
	e := n.At(id)
	e.Next, e.Prev = 0, l.Tail
	if l.Tail != 0 {
		n.At(l.Tail).Next = id
	} else {
		l.Head = id
	}
	l.Tail = id
}

// PushFront makes id the first of the list. It overwrites whatever links id had.
func (l *List) PushFront(n *Nodes, id uint32) {
	e := n.At(id)
	e.Next, e.Prev = l.Head, 0
	if l.Head != 0 {
		n.At(l.Head).Prev = id
	} else {
		l.Tail = id
	}
	l.Head = id
}

// Remove takes id, which must be on the list, out of it. The links of id mean nothing afterwards;
// leaving them as they are keeps Remove small enough to be inlined.
func (l *List) Remove(n *Nodes, id uint32) {
	e := n.At(id)
	if e.Prev != 0 {
		n.At(e.Prev).Next = e.Next
	} else {
		l.Head = e.Next
	}
	if e.Next != 0 {
		n.At(e.Next).Prev = e.Prev
	} else {
		l.Tail = e.Prev
	}
}

// MoveFront moves the ids from the head up to last, which must be on l, to the end of another list, in
// their order. With 0 there is nothing to move.
func (l *List) MoveFront(n *Nodes, last uint32, to *List) {
	if last == 0 {
		return
	}
	first, e := l.Head, n.At(last)
	if l.Head = e.Next; l.Head != 0 {
		n.At(l.Head).Prev = 0
	} else {
		l.Tail = 0
	}
	e.Next = 0
	n.At(first).Prev = to.Tail
	if to.Tail != 0 {
		n.At(to.Tail).Next = first
	} else {
		to.Head = first
	}
	to.Tail = last
}

// PopFront takes the first id out of the list, clears its links and returns it. It returns 0 when
// the list is empty.
func (l *List) PopFront(n *Nodes) uint32 {
	id := l.Head
	if id == 0 {
		return 0
	}
	e := n.At(id)
	l.Head = e.Next
	if e.Next != 0 {
		n.At(e.Next).Prev = 0
	} else {
		l.Tail = 0
	}
	e.Next = 0
	return id
}
