package inq

import (
	"math"
	"sort"
)

// groups checks the message groups of a FIFO queue, who of them can deliver, and the delayed
// messages.
func (a *audit) groups() {
	q, s, f := a.q, &a.q.store, a.q.fifo
	a.arrivals("arrivals", &q.main.arrivals, 0)
	if q.fair != nil || q.main.ready.head(&q.store) != 0 {
		a.fault("a FIFO queue has what belongs to Standard")
	}
	members := map[uint32]int{}
	for slot := uint32(1); slot < s.size; slot++ {
		if s.at(slot).state != stateFree {
			members[s.part(slot).group]++
		}
	}
	if len(members) != f.groups.live || len(members) != f.names.Len() {
		a.fault("%d groups have messages, %d are kept and %d have names", len(members), f.groups.live, f.names.Len())
	}
	checkSlab(a, "groups", &f.groups, func(g uint32) bool { return members[g] != 0 }, func(g *group) bool { return *g == group{} })
	locked, eligible := 0, 0
	for g, n := range members {
		if g == 0 || g >= f.groups.size {
			a.fault("%d messages are in group %d, which does not exist", n, g)
			return
		}
		if a.group(g, n) > 0 {
			locked++
		}
		if f.groups.at(g).eligible {
			eligible++
		}
	}
	if locked != f.locked {
		a.fault("%d groups have a message in flight, not %d", locked, f.locked)
	}
	if a.hidden != f.hidden {
		a.fault("%d messages are in a delay, not %d", a.hidden, f.hidden)
	}
	prev := uint32(0)
	for g := f.first; g != 0; g = f.groups.at(g).next {
		if members[g] == 0 || !f.groups.at(g).eligible || eligible == 0 {
			a.fault("group %d is on the list of those that can deliver and should not, or twice", g)
			return
		}
		eligible--
		if p := f.groups.at(g).prev; p != prev {
			a.fault("group %d comes after %d and says %d", g, prev, p)
		}
		prev = g
	}
	if f.last != prev || eligible != 0 {
		a.fault("the last group that can deliver is %d, not %d, and %d are missing", prev, f.last, eligible)
	}
	if f.run != 0 && !a.live(f.run) {
		a.fault("the latest run ended with slot %d, which is free", f.run)
	}
	delay, last := q.settings.Load().delay, int64(math.MinInt64)
	a.list("delayed", f.delayed, func(slot uint32) {
		r := s.at(slot)
		if r.state != stateDelayed || r.flags&flagAlone != 0 {
			a.fault("delayed: slot %d in state %d with flags %b does not belong there", slot, r.state, r.flags)
		}
		if r.enqueued < last {
			a.fault("delayed: slot %d is not in order", slot)
		}
		last = r.enqueued
		a.next = min(a.next, after(r.enqueued, delay))
	})
}

// group checks one group of n messages and returns how many are in flight.
func (a *audit) group(g uint32, n int) (inFlight uint32) {
	s, f := &a.q.store, a.q.fifo
	gr := f.groups.at(g)
	if found, ok := f.names.Find(f.groupHash(gr.name), func(o uint32) bool { return f.groups.at(o).name == gr.name }); !ok || found != g {
		a.fault("group %q is not found by its name", gr.name)
	}
	if gr.hash != uint32(f.groupHash(gr.name)>>32) {
		a.fault("group %q has the hash of another name", gr.name)
	}
	prev, seq := uint32(0), uint64(0)
	for slot := gr.head; slot != 0; slot = gr.following(s, slot) {
		if !a.live(slot) || n == 0 || s.part(slot).group != g {
			a.fault("group %q: slot %d is in its list and should not, or twice", gr.name, slot)
			return inFlight
		}
		n--
		r := s.at(slot)
		if r.seq <= seq {
			a.fault("group %q: slot %d is not in order", gr.name, slot)
		}
		if p := s.part(slot).prev; p != prev && slot != gr.head {
			a.fault("group %q: slot %d comes after %d and says %d", gr.name, slot, prev, p)
		}
		if notVisible(r.state.class()) {
			inFlight++
		}
		if r.state.class() == classDelayed || r.state == stateCommitting {
			a.hidden++
		}
		prev, seq = slot, r.seq
	}
	if gr.tail != prev || n != 0 {
		a.fault("group %q: the tail is %d, not %d, and %d messages are missing", gr.name, prev, gr.tail, n)
	}
	if inFlight != gr.inFlight {
		a.fault("group %q: %d messages are in flight, not %d", gr.name, inFlight, gr.inFlight)
	}
	if ready := a.live(gr.head) && s.at(gr.head).state == stateReady; ready != gr.ready {
		a.fault("group %q: the head is ready is %v, but it says %v", gr.name, ready, gr.ready)
	}
	if can := a.live(gr.head) && s.at(gr.head).state == stateReady; can != gr.eligible {
		a.fault("group %q: can deliver is %v, but it says %v", gr.name, can, gr.eligible)
	}
	if !gr.eligible && (gr.next != 0 || gr.prev != 0) {
		a.fault("group %q cannot deliver and has links", gr.name)
	}
	return inFlight
}

// remembered checks the deduplication window and the attempt ids.
func (a *audit) remembered() {
	q, d, at := a.q, &a.q.fifo.dedup, &a.q.fifo.attempts
	held := 0
	for i, p := range d.pages {
		held += len(p)
		if i < len(d.pages)-1 && len(p) != dedupPage {
			a.fault("page %d of the deduplication window has %d entries", i, len(p))
		}
	}
	if d.begin < d.origin || d.end < d.begin || uint64(held) != d.end-d.origin || d.begin-d.origin >= dedupPage {
		a.fault("the deduplication window holds %d entries, from %d by %d to %d", held, d.origin, d.begin, d.end)
		return
	}
	if d.ids.Len() != int(d.end-d.begin) {
		a.fault("the deduplication window has %d entries, the index %d", d.end-d.begin, d.ids.Len())
	}
	last := dedupEntry{at: math.MinInt64}
	latest := map[[2]uint64]int64{}
	for n := d.begin; n != d.end; n++ {
		e := d.at(n)
		if e.at < last.at || e.seq <= last.seq || e.at > q.last || e.seq > q.seq {
			a.fault("entry %d of the deduplication window is not in order", n)
		}
		if before, ok := latest[e.key]; ok && e.at < after(before, dedupWindow) {
			a.fault("entry %d of the deduplication window is a duplicate", n)
		}
		latest[e.key] = e.at
		last = *e
		id := d.id(n)
		if _, ok := d.ids.Find(e.key[0], func(x uint32) bool { return x == id }); !ok || d.entry(id) != e {
			a.fault("entry %d of the deduplication window is not in the index", n)
		}
	}
	if d.begin != d.end {
		if at := after(d.at(d.begin).at, dedupWindow); d.oldest != at {
			a.fault("the oldest entry of the deduplication window is past its time at %d, not %d", at, d.oldest)
		}
		a.next = min(a.next, after(last.at, dedupWindow))
	}
	if !sort.SliceIsSorted(at.order, func(i, j int) bool { return at.order[i].at < at.order[j].at }) {
		a.fault("the attempts are not in order")
	}
	bound := map[string]int64{}
	for _, o := range at.order {
		bound[o.id] = o.at
	}
	if len(bound) != len(at.byID) {
		a.fault("%d attempts are in order, %d by id", len(bound), len(at.byID))
	}
	for id, when := range bound {
		if at.byID[id].at != when {
			a.fault("attempt %q was at %d, not %d", id, when, at.byID[id].at)
		}
	}
	if n := len(at.order); n != 0 {
		a.next = min(a.next, after(at.order[n-1].at, attemptWindow))
	}
}
