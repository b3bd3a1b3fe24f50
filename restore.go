package inq

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"
)

// This file is how a queue that has a journal gets its messages when it is made, gives them back when it is
// closed, and drops them when it is purged.

// came returns when a message came into its queue.
func (k *kept) came() int64 {
	if k.rare != nil && k.rare.movedIn {
		return k.rare.came
	}
	return k.enqueued
}

// since makes times that lie in the future those of now. What came into the queue did not come before others
// with lower numbers: where the clock says so it was set back meanwhile.
func (k *kept) since(now, others int64) {
	if came := max(min(k.came(), now), others); k.rare != nil && k.rare.movedIn {
		k.rare.came = came
		k.enqueued = min(k.enqueued, came)
	} else {
		k.enqueued = came
	}
	k.received = min(k.received, now)
	if k.first != never {
		k.first = min(k.first, now)
	}
	if k.moved {
		k.rare.place.at = min(k.rare.place.at, now)
	}
}

// deadline returns when what is left of the delay or the visibility timeout ends: after the time that was
// left then at the latest, whatever has become of the clock.
func (k *kept) deadline(now int64) int64 {
	if k.left == never {
		return never
	}
	return after(now, time.Duration(max(k.left-max(now-k.at, 0), 0)))
}

// restoreTurnsLocked puts the groups that can deliver in the order they had. Those come last that are back
// from where they could not.
func (q *queue) restoreTurnsLocked(s *stream) {
	if q.fifo == nil || q.fifo.first == 0 {
		return
	}
	f := q.fifo
	var groups, back []uint32
	for g := f.first; g != 0; g = f.groups.at(g).next {
		head := f.groups.at(g).head
		k := s.kept.find(head, q.store.at(head).seq)
		if k.back {
			back = append(back, g)
			continue
		}
		if f.turns[g] = k.turn; k.turn == (turn{}) {
			f.turns[g] = turn{number: k.seq}
		}
		groups = append(groups, g)
	}
	slices.SortStableFunc(groups, func(a, b uint32) int {
		x, y := f.turns[a], f.turns[b]
		return cmp.Or(cmp.Compare(x.number, y.number), cmp.Compare(x.after, y.after))
	})
	f.first, f.last = 0, 0
	for _, g := range groups {
		t := f.turns[g]
		f.lineUp(g, f.groups.at(g))
		f.turns[g], f.turn = t, t
	}
	for _, g := range back {
		f.lineUp(g, f.groups.at(g))
		f.takeTurn(g)
		q.noteTurnLocked(g)
		q.errands |= errandKeep
	}
}

// restoreLocked puts messages into a queue that is empty. With release what was in flight times out at once.
func (q *queue) restoreLocked(now int64, s *stream, release bool) {
	q.seq = s.seq
	refs := make([]ref, 0, s.kept.live)
	size := uint32(0)
	s.kept.each(func(k *kept) bool {
		refs = append(refs, ref{k.slot, k.seq})
		size = max(size, k.slot+1)
		return true
	})
	bySeq := func(a, b ref) int { return cmp.Compare(a.seq, b.seq) }
	if !slices.IsSortedFunc(refs, bySeq) {
		slices.SortFunc(refs, bySeq)
	}
	q.store.reserve(size)
	set := q.settings.Load()
	others := int64(math.MinInt64)
	for _, rf := range refs {
		k := s.kept.find(rf.slot, rf.seq)
		k.shift(-q.journal.shift)
		k.since(now, others)
		others = k.came()
		q.restoreOneLocked(now, k, set, release)
	}
	q.store.linkFree()
	q.restoreTurnsLocked(s)
	q.restoreDedupLocked(now, s.remembered)
	if len(refs) != 0 || len(s.remembered) != 0 {
		q.scheduleLocked(q.nextLocked())
	}
}

// restoreOneLocked puts a message into its slot, behind all that came before.
func (q *queue) restoreOneLocked(now int64, k *kept, s *settings, release bool) {
	slot := k.slot
	r := q.store.at(slot)
	q.store.live++
	r.body, r.rare, r.seq = k.body, k.rare, k.seq
	r.enqueued, r.received, r.first, r.receive = k.enqueued, k.received, k.first, k.receive
	q.bytes += int64(r.size())
	if q.fifo != nil {
		q.fifo.join(&q.store, slot, &payload{group: k.group, hash: q.fifo.groupHash(k.group), dedup: k.dedup})
	} else if k.group != "" {
		q.joinTenantLocked(k.came(), slot, k.group)
	} else if q.fair != nil {
		q.store.setTenant(slot, 0)
	}
	q.enlistLocked(slot, r, s)
	if k.moved {
		r.flags |= flagMoved
		q.poisonLocked(slot, r)
	}
	*q.journal.segment(slot) = k.segment
	switch k.state {
	case durableReady:
		q.readyLocked(slot, r)
	case durableAdopted:
		q.setStateLocked(slot, r, stateAdopted)
		q.adopting++
	case durableInFlight:
		q.setStateLocked(slot, r, stateInFlight)
		deadline := k.deadline(now)
		if release {
			deadline = now
		}
		q.deadlineLocked(slot, r, deadline)
	case durableDelayed:
		q.setStateLocked(slot, r, stateDelayed)
		if q.fifo != nil && !k.alone {
			q.fifo.delayed.PushBack(&q.store.nodes, slot)
			return
		}
		if k.alone {
			r.flags |= flagAlone
		}
		q.deadlineLocked(slot, r, k.deadline(now))
	}
}

// restoreDedupLocked fills the deduplication window.
func (q *queue) restoreDedupLocked(now int64, ids []rememberedID) {
	if q.fifo == nil {
		return
	}
	d := &q.fifo.dedup
	others := int64(math.MinInt64)
	for i := range ids {
		e := &ids[i]
		e.at = max(min(e.at-q.journal.shift, now), others)
		others = e.at
		d.add(e.key, e.seq, e.at)
		q.journal.dedup.add(d.end-1, e.segment)
	}
}

// restLocked gives the messages of a queue that is closed to its stream, which keeps them until the queue is
// opened again. The lock is released while what is under way gets its outcome. Where two close the queue, both
// wait, and whoever comes first does it.
func (q *queue) restLocked(now int64) (int64, error) {
	k := q.journal
	q.pauseLocked(now)
	q.takeDueLocked()
	newest := k.newest
	q.mu.Unlock()
	err := k.wait(&due{mark: newest, synced: true})
	if errors.Is(err, ErrJournalFull) {
		err = nil // whose batch that was knows
	}
	s := k.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	q.mu.Lock()
	now = q.clockLocked()
	if k.rested {
		return now, err
	}
	k.rested = true
	s.seq = q.seq
	s.kept, s.remembered = keptMessages{}, nil
	for slot := uint32(1); slot < q.store.size; slot++ {
		r := q.store.at(slot)
		if r.state == stateFree || r.state == stateCommitting {
			continue
		}
		m := q.keptLocked(now, slot, r)
		m.shift(k.shift)
		m.segment = *k.segment(slot)
		m.back = r.state == stateBackoff || r.state == stateBurying && m.state == durableReady
		s.kept.put(m)
	}
	if q.fifo != nil {
		d := &q.fifo.dedup
		k.releaseDedup(d)
		k.tellReleased()
		for number := d.begin; number != d.end; number++ {
			e := *d.at(number)
			e.at += k.shift
			s.remembered = append(s.remembered, rememberedID{e, k.dedup.at(number)})
		}
	}
	k.segments, k.dedup = nil, dedupRuns{}
	s.queue.Store(nil)
	return now, err
}
