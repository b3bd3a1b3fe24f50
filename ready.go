package inq

import (
	"example.com/inq/internal/links"
	"example.com/inq/internal/pq"
)

// ready holds the ready messages of a Standard queue, or of one tenant of it, and gives the oldest
// first.
//
// Most messages come in order: those just sent, and those whose equal timeouts lapse in the order
// of their receives. Two lists take these at the cost of a link; only what fits neither goes
// through the heap. Both lists are strictly ascending by place, so the oldest message is the head
// of one of them or the least of the heap. A message is in exactly one of the three, told by its
// flags: flagFresh, flagBack or neither.
type ready struct {
	fresh links.List
	back  links.List
	heap  pq.Heap // its positions are in the Next links
}

// push adds a message that is on no list.
func (d *ready) push(s *store, slot uint32, r *record) {
	if d.fresh.Tail == 0 {
		r.flags |= flagFresh
		d.fresh.PushBack(&s.nodes, slot)
		return
	}
	p := s.place(slot)
	switch {
	case s.place(d.fresh.Tail).before(p):
		r.flags |= flagFresh
		d.fresh.PushBack(&s.nodes, slot)
	case d.back.Tail == 0 || s.place(d.back.Tail).before(p):
		r.flags |= flagBack
		d.back.PushBack(&s.nodes, slot)
	case p.before(s.place(d.back.Head)):
		r.flags |= flagBack
		d.back.PushFront(&s.nodes, slot)
	default:
		d.heap.Push(pq.Entry{Key: p.at, Ord: p.ord, ID: slot})
	}
}

// pushNewest is push for a message whose place is behind all others.
func (d *ready) pushNewest(s *store, slot uint32, r *record) {
	r.flags |= flagFresh
	d.fresh.PushBack(&s.nodes, slot)
}

// head returns the oldest message, 0 if there is none.
func (d *ready) head(s *store) uint32 {
	slot := d.fresh.Head
	if d.back.Head == 0 && d.heap.Len() == 0 {
		return slot
	}
	if b := d.back.Head; b != 0 && (slot == 0 || s.place(b).before(s.place(slot))) {
		slot = b
	}
	if d.heap.Len() != 0 {
		e := d.heap.Min()
		if slot == 0 || (place{e.Key, e.Ord}).before(s.place(slot)) {
			slot = e.ID
		}
	}
	return slot
}

// remove takes a message out.
func (d *ready) remove(s *store, slot uint32, r *record) {
	switch {
	case r.flags&flagFresh != 0:
		d.fresh.Remove(&s.nodes, slot)
	case r.flags&flagBack != 0:
		d.back.Remove(&s.nodes, slot)
	default:
		n := s.nodes.At(slot)
		d.heap.Remove(int32(n.Next))
		n.Next = 0
	}
	r.flags &^= flagFresh | flagBack
}

// before counts the messages that stand before p, and stops at most. It looks at these messages and
// few more.
func (d *ready) before(s *store, p place, most int) (n int) {
	for _, l := range [...]*links.List{&d.fresh, &d.back} {
		for slot := l.Head; slot != 0 && n < most && s.place(slot).before(p); slot = s.nodes.At(slot).Next {
			n++
		}
	}
	if n < most {
		d.heap.Before(pq.Entry{Key: p.at, Ord: p.ord}, func(pq.Entry) bool {
			n++
			return n < most
		})
	}
	return n
}
