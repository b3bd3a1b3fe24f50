package inq

// kept is a message that is in no queue at the moment: all that is known of it, as a journal has it. Its
// times are those of one clock, the queue's or the wall clock, and never tells that there is none.
type kept struct {
	body, group string
	dedup       string // the sender's deduplication id
	rare        *rare
	seq         uint64
	slot        uint32
	segment     uint32 // of the journal, where its record is; not part of that
	receive     uint32
	state       durableState
	alone       bool  // its delay is not the queue's
	moved       bool  // rare.place holds its place in the order
	back        bool  // it was about to leave, and is ready again when its queue is opened; not part of a record
	enqueued    int64 // when it was sent
	at          int64 // when this was so,
	left        int64 // and how much of its delay or visibility timeout was left then
	turn        turn  // FIFO: that of its group, if it is the first one there; else zero
	received    int64
	first       int64
}

// keptLocked tells all about a message, in times of the queue. The rare part is the message's own.
func (q *queue) keptLocked(now int64, slot uint32, r *record) (k kept) {
	k = kept{body: r.body, group: q.groupLocked(slot), rare: r.rare, seq: r.seq, slot: slot, receive: r.receive,
		alone: r.flags&flagAlone != 0, moved: r.flags&flagMoved != 0,
		enqueued: r.enqueued, at: now, received: r.received, first: r.first}
	if q.fifo != nil {
		part := q.store.part(slot)
		k.dedup = part.dedup
		if gr := q.fifo.groups.at(part.group); gr.eligible && gr.head == slot {
			if k.turn = q.fifo.turns[part.group]; k.turn == (turn{number: r.seq}) {
				k.turn = turn{}
			}
		}
	}
	deadline := q.store.nodes.At(slot).Deadline
	switch r.state {
	case stateDelayed:
		k.state = durableDelayed
		if q.fifo != nil && !k.alone { // the queue's delay in force applies
			deadline = now
		}
	case stateCommitting:
		if q.fifo == nil && deadline > now {
			k.state = durableDelayed
		} else if q.fifo != nil && q.settings.Load().delay > 0 {
			k.state, deadline = durableDelayed, now
		}
	case stateAdopted:
		k.state = durableAdopted
	case stateInFlight:
		k.state = durableInFlight
	case stateBurying:
		if r.flags&flagLeased != 0 {
			k.state = durableInFlight
		}
	}
	switch {
	case k.state == durableReady || k.state == durableAdopted:
	case deadline == never:
		k.left = never
	default:
		k.left = max(deadline-now, 0)
	}
	return k
}

// shift makes the times of k those of another clock, and the rare part its own.
func (k *kept) shift(by int64) {
	move := func(at *int64) {
		if *at != never {
			*at += by
		}
	}
	move(&k.enqueued)
	move(&k.at)
	if k.receive != 0 {
		move(&k.received)
	}
	move(&k.first)
	if k.rare == nil {
		return
	}
	ra := *k.rare
	ra.expiry, ra.failures, ra.failedAt = -1, 0, 0
	if ra.movedIn {
		move(&ra.came)
	}
	if k.moved {
		move(&ra.place.at)
	}
	k.rare = &ra
}

// Weights in a journal: about the bytes of a record.
const (
	messageWeight = 48
	dedupWeight   = 40
)

// weightOf is what a message weighs in the journal. It does not change while the message lives.
func weightOf(body, group string, ra *rare) int64 {
	n := messageWeight + len(body) + len(group)
	if ra != nil {
		n += ra.attrBytes + len(ra.traceHeader) + len(ra.senderID) + len(ra.dedupID) + len(ra.sourceARN) + len(ra.reason)
	}
	return int64(n)
}

// keptMessages are kept messages by their slots, in chunks that exist where there is one.
type keptMessages struct {
	chunks [][]kept
	live   int
}

// keptChunk is smaller than the chunks of a store: of what is spread over many slots little is kept in vain.
const keptChunk = 256

// find returns the message number seq if it is the one in slot.
func (m *keptMessages) find(slot uint32, seq uint64) *kept {
	c := int(slot / keptChunk)
	if c >= len(m.chunks) || m.chunks[c] == nil {
		return nil
	}
	if k := &m.chunks[c][slot%keptChunk]; k.slot != 0 && k.seq == seq {
		return k
	}
	return nil
}

// put adds a message. Where another one is in its slot that one is gone, and whether it is that which goes
// depends on which came first.
func (m *keptMessages) put(k kept) {
	c := int(k.slot / keptChunk)
	for c >= len(m.chunks) {
		m.chunks = append(m.chunks, nil)
	}
	if m.chunks[c] == nil {
		m.chunks[c] = make([]kept, keptChunk)
	}
	at := &m.chunks[c][k.slot%keptChunk]
	switch {
	case at.slot == 0:
		m.live++
	case at.seq > k.seq:
		return
	}
	*at = k
}

// remove drops a message.
func (m *keptMessages) remove(k *kept) {
	*k = kept{}
	m.live--
}

// each calls f for every message, by slots, as long as it returns true.
func (m *keptMessages) each(f func(k *kept) bool) {
	for _, c := range m.chunks {
		for i := range c {
			if c[i].slot != 0 && !f(&c[i]) {
				return
			}
		}
	}
}
