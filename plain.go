package inq

// This file holds the paths that most calls take, spelled out: messages without anything special, sent to
// a queue without anything special, received as the queue is set, deleted in time. They do what the
// transitions of visibility.go do without the calls in between, change together with them, and the model
// test runs both. A path stays here only while a benchmark shows that it gains a tenth or more.

// acceptPlainLocked is acceptLocked and what it calls, spelled out for a message that is nothing but
// a body, and returns its number. The queue must be plain.
func (q *queue) acceptPlainLocked(now int64, body string, s *settings) (seq uint64) {
	slot := q.store.alloc()
	r := q.store.at(slot)
	q.seq++
	seq = q.seq
	r.body, r.seq, r.enqueued, r.first, r.receive = body, seq, now, never, 0
	r.state = stateReady
	q.counts[classNone]--
	q.counts[classVisible]++
	q.bytes += int64(len(body))
	q.main.arrivals.push(&q.store, slot, r)
	q.main.ready.pushNewest(&q.store, slot, r)
	q.scheduleLocked(after(now, s.retention))
	q.metrics.sent++
	q.metrics.sentBytes += uint64(len(body))
	q.tellLocked(now, EventSent, slot)
	return seq
}

// takePlainLocked is takeLocked with all it calls, spelled out for a plain queue where nothing is due
// and a visibility timeout that stands in line.
//
// Messages that were sent one after another hang together in the fresh list, and what is received now
// times out last: as long as that is so the whole run moves to the line of timeouts in one piece.
func (q *queue) takePlainLocked(now int64, c *receiveCall, dst []Delivery) (n int) {
	deadline := after(now, c.visibility)
	rd, nodes := &q.main.ready, &q.store.nodes
	inRun := rd.back.Head == 0 && rd.heap.Len() == 0 && q.timeouts.endsBy(&q.store, deadline)
	slot, last := rd.fresh.Head, uint32(0) // last of the run
	for most := min(c.max, len(dst), q.limit-q.counts[classInFlight]); n < most; n++ {
		if !inRun {
			slot = rd.head(&q.store)
		}
		if slot == 0 {
			break
		}
		r := q.store.at(slot)
		if inRun && r.receive >= poisonReceives-1 {
			inRun = false
			rd.fresh.MoveFront(nodes, last, &q.timeouts.line)
			last = 0
		}
		r.state = stateInFlight
		q.receiveLocked(now, r)
		d := &dst[n]
		d.Body, d.GroupID, d.ReceiveCount = r.body, "", r.receiveCount()
		d.source, d.outside, d.rare, d.dedup = q, nil, r.rare, ""
		d.receipt = receipt{seq: r.seq, slot: slot, receive: r.receive}
		d.sent, d.first, d.visible = r.enqueued, r.first, deadline
		if inRun {
			r.flags = r.flags&^flagFresh | flagLine
			node := nodes.At(slot)
			node.Deadline = deadline
			last, slot = slot, node.Next
		} else {
			rd.remove(&q.store, slot, r)
			if r.receive < poisonReceives {
				q.timeouts.addInLine(&q.store, slot, r, deadline)
			} else {
				q.timeouts.add(&q.store, slot, r, deadline)
			}
		}
		q.tellLocked(now, EventReceived, d.receipt.slot)
	}
	if n > 0 {
		rd.fresh.MoveFront(nodes, last, &q.timeouts.line)
		q.counts[classVisible] -= n
		q.counts[classInFlight] += n
		q.scheduleLocked(deadline)
	}
	return n
}

// deletePlainLocked is ackLocked, spelled out for a message of a plain queue whose deadline is in line.
func (q *queue) deletePlainLocked(now int64, slot uint32, r *record) {
	q.tellLocked(now, EventDeleted, slot)
	q.timeouts.line.Remove(&q.store.nodes, slot)
	q.main.arrivals.remove(&q.store, r)
	q.counts[classInFlight]--
	q.counts[classNone]++
	r.state = stateFree
	q.bytes -= int64(len(r.body))
	q.store.release(slot)
}

// acceptOrderedLocked is enqueueLocked, spelled out for a FIFO queue without a delay and a message that is
// nothing but a body in a group.
func (q *queue) acceptOrderedLocked(now int64, p *payload, s *settings) {
	slot := q.store.alloc()
	r := q.store.at(slot)
	q.seq++
	r.body, r.seq, r.enqueued, r.received, r.first, r.receive = p.body, q.seq, now, 0, never, 0
	r.state = stateReady
	q.counts[classNone]--
	q.counts[classVisible]++
	q.bytes += int64(p.size)
	q.main.arrivals.push(&q.store, slot, r)
	if g, gr := q.fifo.join(&q.store, slot, p); gr.head == slot {
		gr.ready = true
		q.fifo.lineUp(g, gr)
	}
	q.scheduleLocked(after(now, s.retention))
	q.tellLocked(now, EventSent, slot)
}

// takeOrderedLocked is takeLocked, spelled out for a FIFO queue without a dead-letter target where nothing
// is due, and a receive without an attempt id whose visibility timeout is not longer than the queue's own.
func (q *queue) takeOrderedLocked(now int64, c *receiveCall, dst []Delivery) (n int) {
	f := q.fifo
	f.run = 0
	deadline := after(now, c.visibility)
	for most := min(c.max, len(dst), q.limit-q.counts[classInFlight]); n < most; n++ {
		slot := f.peek(&q.store)
		if slot == 0 {
			break
		}
		r, part := q.store.at(slot), q.store.part(slot)
		gr := f.groups.at(part.group)
		r.state = stateInFlight
		if gr.head == slot {
			gr.ready = false
			f.stepOut(gr)
		}
		if gr.inFlight++; gr.inFlight == 1 {
			f.locked++
		}
		f.run = slot
		q.receiveLocked(now, r)
		q.timeouts.addOrdered(&q.store, slot, r, deadline)
		d := &dst[n]
		d.Body, d.GroupID, d.ReceiveCount = r.body, gr.name, r.receiveCount()
		d.source, d.outside, d.rare, d.dedup = q, nil, r.rare, part.dedup
		d.receipt = receipt{seq: r.seq, slot: slot, receive: r.receive}
		d.sent, d.first, d.visible = r.enqueued, r.first, deadline
		q.tellLocked(now, EventReceived, slot)
	}
	if n > 0 {
		q.counts[classVisible] -= n
		q.counts[classInFlight] += n
		q.scheduleLocked(deadline)
	}
	return n
}

// deleteOrderedLocked is ackLocked, spelled out for a message of a FIFO queue that is in flight and has
// nothing rare.
func (q *queue) deleteOrderedLocked(now int64, slot uint32, r *record) {
	f := q.fifo
	q.tellLocked(now, EventDeleted, slot)
	q.timeouts.remove(&q.store, slot, r)
	q.main.arrivals.remove(&q.store, r)
	q.counts[classInFlight]--
	q.counts[classNone]++
	q.bytes -= int64(len(r.body))
	r.state = stateFree
	gr := f.groups.at(q.store.part(slot).group)
	if gr.inFlight--; gr.inFlight == 0 {
		f.locked--
	}
	f.leave(&q.store, slot)
	q.store.release(slot)
}
