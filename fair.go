package inq

import (
	"hash/maphash"
	"time"

	"example.com/inq/internal/index"
	"example.com/inq/internal/pq"
)

// fair keeps one tenant's backlog on a Standard queue from delaying the others (SQS: section 11). A
// tenant is a message group. One that has much in flight is noisy and comes after the quiet ones;
// it is neither throttled nor dropped. Messages without a group are a tenant of their own each,
// always quiet, and need no record here.
//
// Whether a tenant is noisy is not a state: it follows from what is in flight at the moment of a
// receive. More than a tenth of all messages in flight is a share that nine tenants can have at
// most, so the noisy ones are found at the top of a heap.
type fair struct {
	seed    maphash.Seed
	tenants slab[tenant]
	names   index.Index // of tenants by the hash of their name
	waiting pq.Heap     // tenants with ready messages, by the place of their oldest
	busy    pq.Heap     // tenants with noisyInFlight or more in flight, most first
	oldest  pq.Heap     // tenants with arrivals, by the oldest
	total   *[classes]int
	track   func(slot uint32, pos int32) // keeps the positions in the heaps of ready messages
}

// tenant is one message group of a Standard queue. It exists while it has messages.
type tenant struct {
	arrivals  arrivals
	ready     ready
	name      string
	counts    [classes]int
	lastSent  int64
	waitPos   int32 // positions in the heaps of fair, -1: not there
	busyPos   int32
	oldestPos int32
}

const (
	noisyInFlight = 30              // a tenant with fewer in flight is quiet (SQS: FAIR-3)
	noisyShare    = 10              // and so is one with at most one in noisyShare of what is in flight
	noisySilence  = 5 * time.Minute // a tenant that sent nothing for this long is quiet (SQS: FAIR-6)
	mostNoisy     = noisyShare - 1
)

// noisy is the set of noisy tenants at one moment, fewest in flight last.
type noisy struct {
	ids [mostNoisy]uint32
	n   int
}

func (o *noisy) has(t uint32) bool {
	for _, id := range o.ids[:o.n] {
		if id == t {
			return true
		}
	}
	return false
}

// joinTenantLocked gives a new message to its tenant.
func (q *queue) joinTenantLocked(now int64, slot uint32, name string) {
	if q.fair == nil {
		q.fair = newFair(&q.counts, q.onPlace)
		q.plain = false
	}
	t := q.fair.tenant(name)
	q.fair.tenants.at(t).lastSent = now
	q.store.setTenant(slot, t)
}

// leaveTenantLocked ends a tenant that has no messages left.
func (q *queue) leaveTenantLocked(t uint32) {
	f := q.fair
	te := f.tenants.at(t)
	if te.counts != [classes]int{} {
		return
	}
	f.names.Delete(maphash.String(f.seed, te.name), t)
	f.tenants.release(t)
}

func newFair(total *[classes]int, track func(uint32, int32)) *fair {
	f := &fair{seed: maphash.MakeSeed(), total: total, track: track}
	f.waiting.Track(func(t uint32, pos int32) { f.tenants.at(t).waitPos = pos })
	f.busy.Track(func(t uint32, pos int32) { f.tenants.at(t).busyPos = pos })
	f.oldest.Track(func(t uint32, pos int32) { f.tenants.at(t).oldestPos = pos })
	return f
}

// tenant finds or makes the tenant of a name.
func (f *fair) tenant(name string) uint32 {
	h := maphash.String(f.seed, name)
	t, ok := f.names.Find(h, func(t uint32) bool { return f.tenants.at(t).name == name })
	if ok {
		return t
	}
	t = f.tenants.alloc()
	te := f.tenants.at(t)
	te.name, te.waitPos, te.busyPos, te.oldestPos = name, -1, -1, -1
	te.ready.heap.Track(f.track)
	f.names.Insert(h, t)
	return t
}

// count keeps the tenant's numbers and its place among the busy.
func (f *fair) count(t uint32, was, is class) {
	te := f.tenants.at(t)
	te.counts[was]--
	te.counts[is]++
	if was != classInFlight && is != classInFlight {
		return
	}
	n := te.counts[classInFlight]
	set(&f.busy, te.busyPos, n >= noisyInFlight, pq.Entry{Key: int64(-n), ID: t})
}

// set puts an entry into a heap, moves it there, or takes it out.
func set(h *pq.Heap, pos int32, in bool, e pq.Entry) {
	switch {
	case in && pos < 0:
		h.Push(e)
	case in:
		h.Fix(pos, e)
	case pos >= 0:
		h.Remove(pos)
	}
}

// push adds a ready message.
func (f *fair) push(s *store, t, slot uint32) {
	f.tenants.at(t).ready.push(s, slot, s.at(slot))
	f.waits(s, t)
}

// remove takes a ready message out.
func (f *fair) remove(s *store, t, slot uint32) {
	f.tenants.at(t).ready.remove(s, slot, s.at(slot))
	f.waits(s, t)
}

// waits brings the heap of waiting tenants in line with the tenant's oldest ready message.
func (f *fair) waits(s *store, t uint32) {
	te := f.tenants.at(t)
	head := te.ready.head(s)
	var e pq.Entry
	if head != 0 {
		p := s.place(head)
		e = pq.Entry{Key: p.at, Ord: p.ord, ID: t}
		if te.waitPos >= 0 && f.waiting.At(te.waitPos) == e {
			return
		}
	}
	set(&f.waiting, te.waitPos, head != 0, e)
}

// enlist puts a new message on the tenant's list of arrivals, delist takes it off.
func (f *fair) enlist(s *store, t, slot uint32) {
	te := f.tenants.at(t)
	te.arrivals.push(s, slot, s.at(slot))
	f.ages(s, t)
}

func (f *fair) delist(s *store, t, slot uint32) {
	te := f.tenants.at(t)
	te.arrivals.remove(s, s.at(slot))
	f.ages(s, t)
}

// ages brings the heap of oldest arrivals in line with the head of the tenant's list.
func (f *fair) ages(s *store, t uint32) {
	te := f.tenants.at(t)
	head := te.arrivals.head
	var e pq.Entry
	if head != 0 {
		r := s.at(head)
		e = pq.Entry{Key: r.came(), Ord: r.seq, ID: t}
		if te.oldestPos >= 0 && f.oldest.At(te.oldestPos) == e {
			return
		}
	}
	set(&f.oldest, te.oldestPos, head != 0, e)
}

// noisy returns the noisy tenants at this moment (SQS: FAIR-3 a, FAIR-6). Their backlog is what is
// ready or delayed.
func (f *fair) noisy(now int64) (out noisy) {
	var seen noisy
	for seen.n < mostNoisy {
		e, ok := f.busy.LeastExcept(seen.has)
		if !ok || -e.Key*noisyShare <= int64(f.total[classInFlight]) {
			break
		}
		seen.ids[seen.n] = e.ID
		seen.n++
		te := f.tenants.at(e.ID)
		backlog := te.counts[classVisible] + te.counts[classDelayed]
		if backlog > 0 && now < after(te.lastSent, noisySilence) {
			out.ids[out.n] = e.ID
			out.n++
		}
	}
	return out
}

// peek returns the message that comes next: the oldest of the quiet tenants and of main, or, where
// none of them has one, the oldest of the noisy tenant with the fewest in flight (SQS: FAIR-4,
// FAIR-5). 0 if there is none.
func (f *fair) peek(now int64, s *store, main uint32) uint32 {
	if f.waiting.Len() == 0 {
		return main
	}
	var loud noisy
	if f.busy.Len() != 0 {
		loud = f.noisy(now)
	}
	e, ok := f.waiting.Min(), true
	if loud.n != 0 {
		e, ok = f.waiting.LeastExcept(loud.has)
	}
	switch {
	case ok && (main == 0 || (place{e.Key, e.Ord}).before(s.place(main))):
		return f.tenants.at(e.ID).ready.head(s)
	case main != 0:
		return main
	}
	// Only noisy tenants are left.
	var best uint32
	for _, t := range loud.ids[:loud.n] {
		te := f.tenants.at(t)
		if te.waitPos >= 0 && (best == 0 || f.quieter(t, best)) {
			best = t
		}
	}
	return f.tenants.at(best).ready.head(s)
}

// quieter orders noisy tenants: fewer in flight first, then the older message.
func (f *fair) quieter(a, b uint32) bool {
	x, y := f.tenants.at(a), f.tenants.at(b)
	if x.counts[classInFlight] != y.counts[classInFlight] {
		return x.counts[classInFlight] < y.counts[classInFlight]
	}
	p, o := f.waiting.At(x.waitPos), f.waiting.At(y.waitPos)
	return place{p.Key, p.Ord}.before(place{o.Key, o.Ord})
}

// before counts the messages of quiet tenants that stand before p, and stops at most.
func (f *fair) before(s *store, p place, loud *noisy, most int) (n int) {
	if most <= 0 {
		return 0
	}
	f.waiting.Before(pq.Entry{Key: p.at, Ord: p.ord}, func(e pq.Entry) bool {
		if !loud.has(e.ID) {
			n += f.tenants.at(e.ID).ready.before(s, p, most-n)
		}
		return n < most
	})
	return n
}
