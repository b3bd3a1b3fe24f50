package inq

import (
	"hash/maphash"

	"example.com/inq/internal/pq"
)

// heap checks the order of a heap of tenants and that they know their positions.
func (a *audit) heap(name string, h *pq.Heap, where func(id uint32) int32) {
	for pos := range int32(h.Len()) {
		a.parent(name, h, pos)
		if at := where(h.At(pos).ID); at != pos {
			a.fault("%s: %d is at %d and says %d", name, h.At(pos).ID, pos, at)
		}
	}
}

// tenants checks the ready messages, arrivals and tenants of a Standard queue.
func (a *audit) tenants(live map[uint32]*sums) {
	q, s := a.q, &a.q.store
	a.ready("main", &q.main.ready, 0)
	a.arrivals("main arrivals", &q.main.arrivals, 0)
	f := q.fair
	if f == nil {
		if len(live) != 0 {
			a.fault("there are %d tenants and nothing to hold them", len(live))
		}
		return
	}
	if f.total != &q.counts {
		a.fault("the tenants are measured against other counts")
	}
	if len(live) != f.tenants.live || len(live) != f.names.Len() {
		a.fault("%d tenants have messages, %d are kept and %d have names", len(live), f.tenants.live, f.names.Len())
	}
	checkSlab(a, "tenants", &f.tenants, func(t uint32) bool { return live[t] != nil },
		func(te *tenant) bool { return te.name == "" && te.counts == [classes]int{} && te.hidden == 0 })
	waiting, busy, oldest := 0, 0, 0
	for t, sum := range live {
		te := f.tenants.at(t)
		name := "tenant " + te.name
		if found, ok := f.names.Find(maphash.String(f.seed, te.name), func(o uint32) bool { return f.tenants.at(o).name == te.name }); !ok || found != t {
			a.fault("%s is not found by its name", name)
		}
		if te.counts != sum.counts || te.hidden != sum.hidden {
			a.fault("%s: the counts are %v and %d, not %v and %d", name, sum.counts, sum.hidden, te.counts, te.hidden)
		}
		head := a.ready(name, &te.ready, t)
		a.arrivals(name+" arrivals", &te.arrivals, t)
		if a.entry(name+" waiting", &f.waiting, te.waitPos, head != 0, func() pq.Entry {
			p := s.place(head)
			return pq.Entry{Key: p.at, Ord: p.ord, ID: t}
		}) {
			waiting++
		}
		n := sum.counts[classInFlight]
		if a.entry(name+" busy", &f.busy, te.busyPos, n >= noisyInFlight, func() pq.Entry { return pq.Entry{Key: int64(-n), ID: t} }) {
			busy++
		}
		if a.entry(name+" oldest", &f.oldest, te.oldestPos, te.arrivals.head != 0, func() pq.Entry {
			r := s.at(te.arrivals.head)
			return pq.Entry{Key: r.came(), Ord: r.seq, ID: t}
		}) {
			oldest++
		}
	}
	if waiting != f.waiting.Len() || busy != f.busy.Len() || oldest != f.oldest.Len() {
		a.fault("the heaps of tenants have %d, %d and %d entries, not %d, %d and %d",
			f.waiting.Len(), f.busy.Len(), f.oldest.Len(), waiting, busy, oldest)
	}
	a.heap("waiting tenants", &f.waiting, func(t uint32) int32 { return f.tenants.at(t).waitPos })
	a.heap("busy tenants", &f.busy, func(t uint32) int32 { return f.tenants.at(t).busyPos })
	a.heap("oldest of tenants", &f.oldest, func(t uint32) int32 { return f.tenants.at(t).oldestPos })
}

// entry checks that something is in a heap exactly if it should, and with the right key. It returns
// whether it should.
func (a *audit) entry(name string, h *pq.Heap, pos int32, in bool, want func() pq.Entry) bool {
	switch {
	case !in && pos != -1:
		a.fault("%s: at position %d and should not", name, pos)
	case in && (pos < 0 || int(pos) >= h.Len()):
		a.fault("%s: not in the heap", name)
	case in && h.At(pos) != want():
		a.fault("%s: %v in the heap, not %v", name, h.At(pos), want())
	}
	return in
}
