package inq

// journal checks that messages wait for their commit exactly if they say so, and that the journal has a record
// of every other one.
func (a *audit) journal() {
	q, k := a.q, a.q.journal
	waits := map[uint64]EventKind{}
	if k != nil {
		last := uint64(0)
		for _, it := range k.pending.items[k.pending.from:] {
			if it.mark < last {
				a.fault("message %d waits for mark %d behind one that waits for %d", it.seq, it.mark, last)
			}
			last = it.mark
			waits[it.seq] = it.end
		}
		for class := range k.begun {
			if len(k.begun[class]) != 0 || k.batches[class].Len() != 0 {
				a.fault("somebody unlocked with %d records not handed over", len(k.begun[class]))
			}
		}
		if k.purges < 0 || k.due.mark != 0 || k.due.err != nil || k.due.others != nil || q.errands&errandKeep != 0 {
			a.fault("somebody unlocked and left to others what was to be waited for")
		}
		if k.released.weight != 0 {
			a.fault("the log was not told that %d live no more", k.released.weight)
		}
	}
	for slot := uint32(1); slot < q.store.size; slot++ {
		r := q.store.at(slot)
		end, waiting := waits[r.seq]
		switch r.state {
		case stateFree:
			if k != nil && *k.segment(slot) != 0 {
				a.fault("slot %d is free, and the journal has a record of it", slot)
			}
		case stateCommitting:
			if !waiting || end != EventSent {
				a.fault("slot %d waits for a commit that does not come", slot)
			}
		case stateLeaving:
			if !waiting || end == EventSent {
				a.fault("slot %d is to be gone, and nobody waits for that", slot)
			}
		case stateAdopted:
		default:
			if k != nil && *k.segment(slot) == 0 {
				a.fault("slot %d is in state %d, and the journal has no record of it", slot, r.state)
			}
		}
	}
	if k == nil || q.fifo == nil {
		return
	}
	d := &q.fifo.dedup
	last := dedupRun{}
	for i, run := range k.dedup.runs {
		if i > 0 && run.from <= last.from || run.from >= d.end {
			a.fault("run %d of the ids begins with entry %d, behind %d", i, run.from, last.from)
		}
		last = run
	}
	if d.begin != d.end && (len(k.dedup.runs) == 0 || k.dedup.runs[0].from > d.begin) {
		a.fault("nobody knows where the first ids are")
	}
}
