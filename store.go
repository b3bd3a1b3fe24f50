package inq

import (
	"example.com/inq/internal/links"
)

// record is one message in the slab. Its deadline and links are in the links.Node of the same slot:
// they belong to one list or to the timer wheel, never to two, according to the state:
//
//	delayed         the wheel; on FIFO the list of delayed messages, unless Return gave a delay of its own
//	ready           Standard: the ready store of its tenant. FIFO: no links, the group's list is enough
//	in flight       the wheel or the line of timeouts, unless it never times out
//	burying         the list of those that wait for their turn (see outbox), or no links
//	backoff         the wheel
//	adopted         no links
//
// Beside that every message is on exactly one list of arrivals (see arrivals), and on FIFO on the
// list of its group, with links of their own.
type record struct {
	body     string
	rare     *rare
	seq      uint64 // number of arrival: the identity of what sits in the slot, and the last word in the order
	enqueued int64  // when it was sent: its age and retention; from before it came here for Standard dead letters
	received int64  // latest receive
	first    int64  // first receive
	arrNext  uint32 // links of the list of arrivals
	arrPrev  uint32
	receive  uint32 // number of the latest receive here; grows with each, also when Return takes one back
	state    state
	flags    flags
}

type flags uint16

const (
	flagFresh   flags = 1 << iota // ready, in the fresh list (Standard)
	flagBack                      // ready, in the returned list (Standard)
	flagMoved                     // rare.place holds its place in the order, see LC-5
	flagChanged                   // its visibility was changed since the latest receive (RCV-16)
	flagLine                      // its deadline stands in line
	flagAlone                     // delayed by Return: not on the FIFO list of delayed messages
	flagPoison                    // on the list of messages received three or more times
	flagWheel                     // its deadline is on the wheel
	flagOutbox                    // burying, and waits for a call of the target
	flagLeased                    // burying by a consumer's Bury: its timeout goes on, and is in Node.Deadline
	flagTwice                     // ready, and with a consumer all the same: a duplicate that a test asked for (Standard)
)

// fifoPart is what a message of a FIFO queue has besides.
type fifoPart struct {
	dedup string // the sender's deduplication id
	group uint32
	next  uint32 // links of the group's list, in order of seq
	prev  uint32
}

const chunkSize = links.ChunkSize

// store is the slab: records in chunks that never move once they are whole, so that growing costs
// the same at any size. Slot 0 is the nil slot.
//
// A slot is free or holds one live message; free slots hang together by their Next links.
type store struct {
	nodes   links.Nodes
	records [][]record
	free    uint32
	size    uint32 // slots in use or free, the nil slot included
	live    int
	isFIFO  bool
	fifo    [][]fifoPart // FIFO only
	tenants [][]uint32   // Standard only: tenant of each slot; a chunk without grouped messages is nil
}

// forgetSize is from how many slots on an empty queue gives its slab back.
const forgetSize = 32 * chunkSize

func (s *store) at(slot uint32) *record { return &s.records[slot/chunkSize][slot%chunkSize] }

func (s *store) part(slot uint32) *fifoPart { return &s.fifo[slot/chunkSize][slot%chunkSize] }

// tenant returns the tenant of a message on Standard, 0 for messages without a group.
func (s *store) tenant(slot uint32) uint32 {
	if s.tenants == nil {
		return 0
	}
	c := s.tenants[slot/chunkSize]
	if c == nil {
		return 0
	}
	return c[slot%chunkSize]
}

func (s *store) setTenant(slot, tenant uint32) {
	if tenant == 0 && s.tenants == nil {
		return
	}
	for len(s.tenants) < len(s.records) {
		s.tenants = append(s.tenants, nil)
	}
	c := &s.tenants[slot/chunkSize]
	if *c == nil {
		if tenant == 0 {
			return
		}
		*c = make([]uint32, chunkSize)
	}
	(*c)[slot%chunkSize] = tenant
}

// find returns the message number seq if it still sits in slot.
func (s *store) find(slot uint32, seq uint64) *record {
	if slot == 0 || slot >= s.size {
		return nil
	}
	r := s.at(slot)
	if r.state == stateFree || r.seq != seq {
		return nil
	}
	return r
}

// alloc returns a slot with a zero record.
func (s *store) alloc() uint32 {
	slot := s.free
	if slot != 0 {
		n := s.nodes.At(slot)
		s.free, n.Next = n.Next, 0
	} else {
		if s.size == 0 {
			s.size = 1
		}
		slot = s.size
		s.grow(int(slot) + 1)
		s.size++
	}
	s.live++
	return slot
}

// grow makes room for n slots. The first chunk doubles, so that a queue of a few messages stays
// small.
func (s *store) grow(n int) {
	s.nodes.Grow(n)
	chunk := (n - 1) / chunkSize
	if chunk < len(s.records) && n-chunk*chunkSize <= len(s.records[chunk]) {
		return
	}
	if chunk > 0 {
		s.records = append(s.records, make([]record, chunkSize))
		if s.isFIFO {
			s.fifo = append(s.fifo, make([]fifoPart, chunkSize))
		}
		return
	}
	size := 32
	for size < n {
		size *= 2
	}
	records := make([]record, size)
	if len(s.records) == 0 {
		s.records = append(s.records, nil)
	}
	copy(records, s.records[0])
	s.records[0] = records
	if s.isFIFO {
		parts := make([]fifoPart, size)
		if len(s.fifo) == 0 {
			s.fifo = append(s.fifo, nil)
		}
		copy(parts, s.fifo[0])
		s.fifo[0] = parts
	}
}

// release takes back a slot whose message is on no list any more and has the state free.
func (s *store) release(slot uint32) {
	r := s.at(slot)
	r.body, r.rare, r.flags = "", nil, 0
	if s.isFIFO {
		s.part(slot).dedup = ""
	}
	s.nodes.At(slot).Next = s.free
	s.free = slot
	s.live--
	if s.live == 0 && s.size > forgetSize {
		s.reset()
	}
}

// reset drops every message.
func (s *store) reset() { *s = store{isFIFO: s.isFIFO} }

// ref is a message that code outside the lock keeps in mind: it may be gone when the lock is held
// again.
type ref struct {
	slot uint32
	seq  uint64
}

// place is where a Standard message stands in the order of delivery: the time, then the number.
type place struct {
	at  int64
	ord uint64
}

func (p place) before(o place) bool { return p.at < o.at || p.at == o.at && p.ord < o.ord }

// place returns where the message stands: by its send, unless LC-5 moved it to the back.
func (s *store) place(slot uint32) place {
	r := s.at(slot)
	if r.flags&flagMoved != 0 {
		return r.rare.place
	}
	return place{r.enqueued, r.seq}
}

// receivesHere counts the receives in this queue that stand: by these dead-lettering and LC-5
// decide.
func (r *record) receivesHere() uint32 {
	if r.rare != nil {
		return r.receive - r.rare.uncounted
	}
	return r.receive
}

// receiveCount is what the consumer sees: receives over all queues.
func (r *record) receiveCount() int {
	if r.rare != nil {
		return int(r.receive - r.rare.uncounted + r.rare.countBefore)
	}
	return int(r.receive)
}

// arrivals lists messages in the order they came into the queue, whatever state they are in. The
// age of the oldest message is the age of its head (SQS: section 10); messages received three or
// more times on Standard are not on it.
type arrivals struct{ head, tail uint32 }

// push adds the message that came last.
func (a *arrivals) push(s *store, slot uint32, r *record) {
	r.arrNext, r.arrPrev = 0, a.tail
	if a.tail == 0 {
		a.head = slot
	} else {
		s.at(a.tail).arrNext = slot
	}
	a.tail = slot
}

func (a *arrivals) remove(s *store, r *record) {
	if r.arrPrev == 0 {
		a.head = r.arrNext
	} else {
		s.at(r.arrPrev).arrNext = r.arrNext
	}
	if r.arrNext == 0 {
		a.tail = r.arrPrev
	} else {
		s.at(r.arrNext).arrPrev = r.arrPrev
	}
	r.arrNext, r.arrPrev = 0, 0
}

// came returns when the message came into this queue.
func (r *record) came() int64 {
	if r.rare != nil && r.rare.movedIn {
		return r.rare.came
	}
	return r.enqueued
}
