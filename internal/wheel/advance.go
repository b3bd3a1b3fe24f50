package wheel

// Advance moves time to now, removes every id whose deadline is not after now and calls fire for
// each, in this order: ticks in the order of time; within a tick that the wheel had already reached
// before, by deadline; within any other tick by the order of Add. Ids with the same deadline always
// fire in the order of Add.
//
// One call looks at no more than budget entries, to fire them or to move them on. It returns true
// if it has done all there is to do at now, and false if it must be called again; what remains can
// be removed meanwhile as usual.
//
// fire may add and remove ids. It must not call Advance or Reset. A now that is before that of an
// earlier call fires what is due then and changes nothing else.
func (w *Wheel) Advance(now int64, budget int, fire func(id uint32)) (done bool) {
	w.workNow = min(w.workNow, now)
	for {
		if w.work != 0 {
			if budget <= 0 {
				return false
			}
			budget--
			if w.late(now) {
				w.fireSoonest(fire)
			} else {
				w.step(fire)
			}
			continue
		}
		if id, at := w.soonest(); id != 0 && at <= now {
			if budget <= 0 {
				return false
			}
			budget--
			w.fireSoonest(fire)
			continue
		}
		if !w.take(now) {
			return true
		}
	}
}

// late reports whether an entry is due whose tick had passed when it was added. Such entries come
// before the work list, while those of the current tick in the run and the heap come after it: they
// are younger, or not due at workNow.
func (w *Wheel) late(now int64) bool {
	if w.heap.Len() == 0 {
		return false
	}
	key := w.heap.Min().Key
	return key <= now && uint64(key)>>tickBits < w.cur
}

// fireSoonest fires the first entry of the run and the heap.
func (w *Wheel) fireSoonest(fire func(id uint32)) {
	id, _ := w.soonest()
	if id == w.run {
		w.pop(&w.run)
	} else {
		w.heap.Pop()
	}
	e := w.nodes.At(id)
	e.Next, e.Prev = 0, 0
	w.n--
	fire(id)
}

// step takes the first entry off the work list and does with it what its deadline asks for.
func (w *Wheel) step(fire func(id uint32)) {
	id, e := w.pop(&w.work)
	switch {
	case w.workLevel > 0:
		w.insert(id, e, uint64(e.Deadline)>>tickBits)
	case e.Deadline <= w.workNow:
		e.Next, e.Prev = 0, 0
		w.n--
		fire(id)
	default:
		w.hold(id, e, w.cur)
	}
}

// take makes the next slot that begins by now the work list and its first tick the current one. If
// there is none it makes now the current tick and returns false. The work list must be empty, and
// nothing in the run and the heap may be due.
func (w *Wheel) take(now int64) bool {
	tick := max(uint64(max(now, 0))>>tickBits, w.cur)
	if w.bitmap != [allLevels]uint64{} {
		if level, slot, start := w.nextSlot(); start <= tick {
			list := &w.first[level*slots+slot]
			w.work, *list = *list, 0
			w.bitmap[level] &^= 1 << slot
			// A later call may come with a later time, but must not fire an entry of this list on
			// the spot when others of the same deadline have gone to the run or the heap.
			w.workLevel, w.workNow = level, now
			w.cur = start
			return true
		}
	}
	w.cur = tick
	return false
}
