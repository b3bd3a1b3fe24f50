package inq

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"example.com/inq/internal/links"
	"example.com/inq/internal/pq"
)

// checkInvariants fails the test if anything a queue keeps about itself is not so. It may be called
// at any moment, also while others use the queue and after Close. It takes the lock once and costs
// a few microseconds plus some tens of nanoseconds for each message.
func checkInvariants(t testing.TB, q *queue) {
	t.Helper()
	a := audited(q)
	if len(a.faults) != 0 {
		t.Errorf("the invariants of %s do not hold:\n%s", q.name, strings.Join(a.faults, "\n"))
	}
}

// audited audits q. Links may be so wrong that following them panics: that is a fault too.
func audited(q *queue) (a *audit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	a = newAudit(q)
	defer func() {
		if p := recover(); p != nil {
			a.fault("the look at the queue panicked: %v", p)
		}
	}()
	a.run()
	return a
}

// audit is one look at a queue whose lock is held.
type audit struct {
	q       *queue
	faults  []string
	onWheel []bool // by slot: met on the wheel
	inLine  []bool // by slot: met in the line of timeouts
	listed  []bool // by slot: met in the container of its state
	arrived []bool // by slot: met on a list of arrivals
	hidden  int    // FIFO: messages neither ready nor in flight
	next    int64  // the earliest deadline met
}

const mostFaults = 20

func newAudit(q *queue) *audit {
	n := int(q.store.size) + 1
	return &audit{q: q, onWheel: make([]bool, n), inLine: make([]bool, n), listed: make([]bool, n), arrived: make([]bool, n), next: never}
}

// fault notes what is not so. Callers test the condition themselves: a call for each fact would
// take most of the time.
func (a *audit) fault(format string, args ...any) {
	if len(a.faults) < mostFaults {
		a.faults = append(a.faults, fmt.Sprintf(format, args...))
	}
}

func (a *audit) run() {
	if !a.slab() {
		return // what follows needs to know which slots hold a message
	}
	a.wheel()
	a.line()
	a.outbox()
	tenants := a.messages()
	if a.q.fifo != nil {
		a.groups()
		a.remembered()
	} else {
		a.tenants(tenants)
	}
	a.links()
	a.journal()
	a.waits()
	a.deadlines()
	a.ended()
}

// slab checks that each slot is free or holds one message, and that free slots hang together and
// hold nothing.
func (a *audit) slab() (ok bool) {
	s := &a.q.store
	if s.isFIFO != (a.q.fifo != nil) {
		a.fault("the slab was made for the other type of queue")
	}
	if s.size == 0 {
		if s.live != 0 || s.free != 0 || len(s.records) != 0 || len(s.fifo) != 0 || len(s.tenants) != 0 || s.nodes.Len() != 0 {
			a.fault("an empty slab holds something: %d live", s.live)
			return false
		}
		return true
	}
	room := 0
	for _, c := range s.records {
		room += len(c)
	}
	if int(s.size) > room || int(s.size) > s.nodes.Len() || s.isFIFO && len(s.fifo) != len(s.records) {
		a.fault("the slab has %d slots but room for %d", s.size, room)
		return false
	}
	empty, live := 0, 0
	for slot := uint32(1); slot < s.size; slot++ {
		r := s.at(slot)
		if r.state != stateFree {
			live++
			if s := r.state; s != stateCommitting && s != stateLeaving && s > stateAdopted {
				a.fault("slot %d has state %d", slot, r.state)
				return false
			}
			continue
		}
		empty++
		if r.body != "" || r.rare != nil || r.flags != 0 || s.isFIFO && s.part(slot).dedup != "" {
			a.fault("slot %d is free and holds something", slot)
		}
	}
	if live != s.live {
		a.fault("%d messages are live, not %d", live, s.live)
	}
	seen := make([]bool, s.size)
	for slot := s.free; slot != 0; slot = s.nodes.At(slot).Next {
		if slot >= s.size || seen[slot] || s.at(slot).state != stateFree {
			a.fault("slot %d is on the free list and should not", slot)
			return false
		}
		seen[slot] = true
		empty--
	}
	if empty != 0 {
		a.fault("%d free slots are not on the free list", empty)
	}
	return len(a.faults) == 0
}

// live tells whether a link may be followed.
func (a *audit) live(slot uint32) bool {
	return slot != 0 && slot < a.q.store.size && a.q.store.at(slot).state != stateFree
}

// wheel finds what is on the wheel, by its own lists, since that is what fires.
func (a *audit) wheel() {
	s := &a.q.store
	v := reflect.ValueOf(a.q.timeouts.wheel).Elem()
	n := 0
	met := func(slot uint32) bool {
		if !a.live(slot) || a.onWheel[slot] {
			a.fault("slot %d is on the wheel and should not, or twice", slot)
			return false
		}
		a.onWheel[slot] = true
		n++
		return true
	}
	walk := func(head uint32) {
		for slot := head; slot != 0 && met(slot); slot = s.nodes.At(slot).Next {
		}
	}
	first := v.FieldByName("first")
	for i := range first.Len() {
		walk(uint32(first.Index(i).Uint()))
	}
	walk(uint32(v.FieldByName("work").Uint()))
	walk(uint32(v.FieldByName("run").Uint()))
	heap := (*pq.Heap)(unsafe.Pointer(v.FieldByName("heap").UnsafeAddr()))
	for pos := range int32(heap.Len()) {
		if e := heap.At(pos); met(e.ID) && e.Key != s.nodes.At(e.ID).Deadline {
			a.fault("slot %d is in the heap of the wheel with another deadline", e.ID)
		}
	}
	if n != a.q.timeouts.wheel.Len() {
		a.fault("the wheel counts %d, its lists hold %d", a.q.timeouts.wheel.Len(), n)
	}
}

// line checks that deadlines in line ascend.
func (a *audit) line() {
	s := &a.q.store
	last := int64(math.MinInt64)
	a.list("the line of timeouts", a.q.timeouts.line, func(slot uint32) {
		a.inLine[slot] = true
		if at := s.nodes.At(slot).Deadline; at < last {
			a.fault("slot %d stands in line with deadline %d, behind one with %d", slot, at, last)
		} else {
			last = at
		}
	})
}

// outbox checks what is on its way to a foreign target, and that no letter is forgotten.
func (a *audit) outbox() {
	q, o := a.q, &a.q.outbox
	a.list("the outbox", o.waiting, func(slot uint32) {
		if r := q.store.at(slot); r.state != stateBurying || r.flags&flagOutbox == 0 {
			a.fault("slot %d waits for a call in state %d with flags %b", slot, r.state, r.flags)
		}
	})
	if len(q.letters) != 0 && q.errands&errandLetters == 0 {
		a.fault("%d letters are left behind", len(q.letters))
	}
	taken := 0
	if o.places != nil {
		for _, end := range o.places.ends {
			if end != 0 {
				taken++
			}
		}
		if taken != o.places.taken || taken == 0 {
			a.fault("%d places are taken, not %d", taken, o.places.taken)
		}
	}
	if !o.waiting.Empty() && taken < callsAtOnce && q.errands&errandCalls == 0 {
		a.fault("somebody waits for a call without need")
	}
	for slot, c := range o.calls {
		if !a.live(slot) || q.store.at(slot).state != stateBurying || c.places != nil && c.places.ends[c.place] == 0 {
			a.fault("slot %d is in a call and should not", slot)
		}
	}
	a.next = min(a.next, o.stuckAt())
}

// sums are numbers that follow from the messages.
type sums struct {
	counts [classes]int
	hidden int
	bytes  int64
	expiry int
}

// messages checks what each message says of itself, and the queue's numbers against them. It
// returns the sums of each tenant.
func (a *audit) messages() map[uint32]*sums {
	q, s := a.q, &a.q.store
	var all sums
	tenants := map[uint32]*sums{}
	soonest, adopted := never, 0
	for slot := uint32(1); slot < s.size; slot++ {
		r := s.at(slot)
		if r.state == stateFree {
			continue
		}
		a.message(slot, r)
		if r.state == stateAdopted {
			adopted++
		}
		c := r.state.class()
		all.counts[c]++
		all.counts[classNone]--
		all.bytes += int64(len(r.body))
		if r.rare != nil {
			all.bytes += int64(r.rare.attrBytes)
			if r.rare.expiry >= 0 {
				all.expiry++
			}
		}
		if t := q.tenantLocked(slot); t != 0 {
			te := tenants[t]
			if te == nil {
				te = &sums{}
				tenants[t] = te
			}
			te.counts[c]++
			te.counts[classNone]--
			if r.state == stateCommitting {
				te.hidden++
			}
		}
		if a.onWheel[slot] || a.inLine[slot] {
			soonest = min(soonest, s.nodes.At(slot).Deadline)
		}
		if end := after(r.enqueued, q.settings.Load().retention); end > q.last || r.state != stateCommitting {
			a.next = min(a.next, end)
		}
	}
	if all.counts != q.counts {
		a.fault("the counts are %v, not %v", all.counts, q.counts)
	}
	if adopted != q.adopting {
		a.fault("%d messages are adopted, not %d", adopted, q.adopting)
	}
	if all.bytes != q.bytes {
		a.fault("the messages have %d bytes, not %d", all.bytes, q.bytes)
	}
	if all.expiry != q.expiring.Len() {
		a.fault("%d messages expire out of order, not %d", all.expiry, q.expiring.Len())
	}
	if at := q.timeouts.next(s); at > soonest {
		a.fault("the timeouts wait until %d, but a deadline is at %d", at, soonest)
	}
	a.next = min(a.next, soonest)
	return tenants
}

// message checks one message: its state against the wheel, its flags against its state and its rare
// part.
func (a *audit) message(slot uint32, r *record) {
	q, n := a.q, a.q.store.nodes.At(slot)
	fifo := q.fifo != nil
	if (r.flags&flagWheel != 0) != a.onWheel[slot] {
		a.fault("slot %d: on the wheel is %v, its flag says %v", slot, a.onWheel[slot], r.flags&flagWheel != 0)
	}
	if (r.flags&flagLine != 0) != a.inLine[slot] {
		a.fault("slot %d: in line is %v, its flag says %v", slot, a.inLine[slot], r.flags&flagLine != 0)
	}
	timed := false // by a deadline
	has := a.onWheel[slot] || a.inLine[slot]
	switch r.state {
	case stateDelayed:
		timed = !fifo || r.flags&flagAlone != 0
	case stateInFlight, stateBackoff:
		timed = true
	}
	if timed && !has && n.Deadline != never {
		a.fault("slot %d in state %d has deadline %d and is neither in line nor on the wheel", slot, r.state, n.Deadline)
	}
	if !timed && has {
		a.fault("slot %d in state %d has a deadline", slot, r.state)
	}
	a.flags(slot, r, fifo)
	if r.seq == 0 || r.seq > q.seq {
		a.fault("slot %d has number %d, the latest is %d", slot, r.seq, q.seq)
	}
	if r.enqueued > q.last || r.received > q.last {
		a.fault("slot %d has a time in the future", slot)
	}
}

func (a *audit) flags(slot uint32, r *record, fifo bool) {
	q := a.q
	if r.flags&(flagFresh|flagBack) != 0 && (fifo || r.state != stateReady) ||
		r.flags&flagFresh != 0 && r.flags&flagBack != 0 {
		a.fault("slot %d in state %d says it is on a ready list: flags %b", slot, r.state, r.flags)
	}
	if r.flags&(flagOutbox|flagLeased) != 0 && r.state != stateBurying && (r.state != stateLeaving || r.flags&flagOutbox != 0) || r.flags&flagOutbox != 0 && r.flags&flagLeased != 0 {
		a.fault("slot %d in state %d says it is on its way to the target: flags %b", slot, r.state, r.flags)
	}
	if r.flags&flagTwice != 0 && (fifo || q.plain || r.state != stateReady || r.rare == nil || r.rare.twin == 0) {
		a.fault("slot %d in state %d says it will be delivered twice", slot, r.state)
	}
	if r.flags&flagAlone != 0 && r.state != stateDelayed && r.state != stateLeaving {
		a.fault("slot %d in state %d says it was returned with a delay", slot, r.state)
	}
	if poison, moved := r.flags&flagPoison != 0, r.flags&flagMoved != 0; poison != moved || poison && (fifo || r.rare == nil || r.rare.expiry < 0) {
		a.fault("slot %d: poison %v, moved %v, on FIFO %v, without what belongs to it", slot, poison, moved, fifo)
	}
	if r.came() != r.enqueued && (r.rare == nil || r.rare.expiry < 0) {
		a.fault("slot %d does not expire in the order it arrived in, and is not in the heap for that", slot)
	}
	if r.rare == nil {
		return
	}
	if r.rare.uncounted > r.receive {
		a.fault("slot %d: %d of %d receives were taken back", slot, r.rare.uncounted, r.receive)
	}
	if pos := r.rare.expiry; pos >= 0 {
		if int(pos) >= q.expiring.Len() || q.expiring.At(pos) != (pq.Entry{Key: r.enqueued, Ord: r.seq, ID: slot}) {
			a.fault("slot %d is not where it says in the heap of those that expire out of order", slot)
		}
	}
}

// list walks a list of nodes in both directions and calls visit for each slot.
func (a *audit) list(name string, l links.List, visit func(slot uint32)) {
	prev := uint32(0)
	for slot := l.Head; slot != 0; slot = a.q.store.nodes.At(slot).Next {
		if !a.live(slot) || a.listed[slot] {
			a.fault("%s: slot %d is on it and should not, or twice", name, slot)
			return
		}
		a.listed[slot] = true
		if p := a.q.store.nodes.At(slot).Prev; p != prev {
			a.fault("%s: slot %d comes after %d and says %d", name, slot, prev, p)
		}
		visit(slot)
		prev = slot
	}
	if l.Tail != prev {
		a.fault("%s: the tail is %d, not %d", name, l.Tail, prev)
	}
}

// arrivals checks a list of arrivals of one tenant.
func (a *audit) arrivals(name string, l *arrivals, tenant uint32) {
	s := &a.q.store
	prev, seq, at := uint32(0), uint64(0), int64(math.MinInt64)
	for slot := l.head; slot != 0; slot = s.at(slot).arrNext {
		if !a.live(slot) || a.arrived[slot] {
			a.fault("%s: slot %d is on it and should not, or twice", name, slot)
			return
		}
		a.arrived[slot] = true
		r := s.at(slot)
		if r.arrPrev != prev {
			a.fault("%s: slot %d comes after %d and says %d", name, slot, prev, r.arrPrev)
		}
		if r.seq <= seq || r.came() < at {
			a.fault("%s: slot %d is not in order", name, slot)
		}
		if a.q.tenantLocked(slot) != tenant || r.flags&flagPoison != 0 {
			a.fault("%s: slot %d does not belong there", name, slot)
		}
		prev, seq, at = slot, r.seq, r.came()
	}
	if l.tail != prev {
		a.fault("%s: the tail is %d, not %d", name, l.tail, prev)
	}
}

// ready checks the ready store of one tenant and returns its oldest message.
func (a *audit) ready(name string, d *ready, tenant uint32) (oldest uint32) {
	s := &a.q.store
	visit := func(flag flags) func(slot uint32) {
		last := place{math.MinInt64, 0}
		return func(slot uint32) {
			r, p := s.at(slot), s.place(slot)
			if r.state != stateReady || r.flags&(flagFresh|flagBack) != flag || a.q.tenantLocked(slot) != tenant {
				a.fault("%s: slot %d in state %d with flags %b does not belong there", name, slot, r.state, r.flags)
			}
			if !last.before(p) {
				a.fault("%s: slot %d at %v comes after %v", name, slot, p, last)
			}
			last = p
			if oldest == 0 || p.before(s.place(oldest)) {
				oldest = slot
			}
		}
	}
	a.list(name+" fresh", d.fresh, visit(flagFresh))
	a.list(name+" returned", d.back, visit(flagBack))
	for pos := range int32(d.heap.Len()) {
		e := d.heap.At(pos)
		if !a.live(e.ID) || a.listed[e.ID] {
			a.fault("%s heap: slot %d is in it and should not, or twice", name, e.ID)
			continue
		}
		a.listed[e.ID] = true
		visit(0)(e.ID)
		if n := s.nodes.At(e.ID); n.Next != uint32(pos) {
			a.fault("%s heap: slot %d is at %d and says %d", name, e.ID, pos, n.Next)
		}
		if (place{e.Key, e.Ord}) != s.place(e.ID) {
			a.fault("%s heap: slot %d is there for another place", name, e.ID)
		}
		a.parent(name+" heap", &d.heap, pos)
	}
	return oldest
}

// parent checks the order of a heap at one position.
func (a *audit) parent(name string, h *pq.Heap, pos int32) {
	if pos == 0 {
		return
	}
	p, e := h.At((pos-1)/4), h.At(pos)
	if e.Key < p.Key || e.Key == p.Key && e.Ord < p.Ord {
		a.fault("%s: position %d is less than its parent", name, pos)
	}
}

// checkSlab checks that every number of a slab is used or free, and that what is free holds
// nothing.
func checkSlab[T any](a *audit, name string, s *slab[T], used func(id uint32) bool, empty func(*T) bool) {
	if s.size == 0 {
		if s.live != 0 || len(s.free) != 0 || len(s.chunks) != 0 {
			a.fault("%s: an empty slab holds something", name)
		}
		return
	}
	free := make([]bool, s.size)
	for _, id := range s.free {
		if id == 0 || id >= s.size || free[id] || used(id) {
			a.fault("%s: %d is free and should not, or twice", name, id)
			return
		}
		free[id] = true
		if !empty(s.at(id)) {
			a.fault("%s: %d is free and holds something", name, id)
		}
	}
	if s.live+len(s.free) != int(s.size)-1 {
		a.fault("%s: %d live and %d free of %d", name, s.live, len(s.free), s.size-1)
	}
}

// links checks that every message was met where its state says.
func (a *audit) links() {
	q := a.q
	for slot := uint32(1); slot < q.store.size; slot++ {
		r := q.store.at(slot)
		if r.state == stateFree {
			continue
		}
		want := r.state == stateReady && q.fifo == nil ||
			r.state == stateDelayed && q.fifo != nil && r.flags&flagAlone == 0 || a.inLine[slot] || r.flags&flagOutbox != 0
		if a.listed[slot] != want {
			a.fault("slot %d in state %d: on a list is %v", slot, r.state, a.listed[slot])
		}
		if poison := r.flags&flagPoison != 0; a.arrived[slot] == poison {
			a.fault("slot %d: on a list of arrivals is %v, poison is %v", slot, a.arrived[slot], poison)
		} else if poison && (r.arrNext != 0 || r.arrPrev != 0) {
			a.fault("slot %d is not among the arrivals and has links", slot)
		}
	}
	for pos := range int32(q.expiring.Len()) {
		a.parent("expiring", &q.expiring, pos)
	}
}

// waits checks the receives that wait, the ends of their waits, and that none of them could have a
// message.
func (a *audit) waits() {
	q, l := a.q, &a.q.waiters
	n := 0
	attempts := map[string]int{}
	var prev *waiter
	for w := l.head; w != nil; w = w.next {
		if n++; n > len(q.waitSlots) {
			a.fault("the line of receives is longer than %d", len(q.waitSlots))
			return
		}
		if w.prev != prev || !w.parked || prev != nil && prev.ticket >= w.ticket {
			a.fault("receive %d in the line has wrong links or a wrong place", w.ticket)
		}
		if int(w.id) >= len(q.waitSlots) || q.waitSlots[w.id] != w {
			a.fault("receive %d in the line has the id of another", w.ticket)
			return
		}
		if len(w.wake) != 0 {
			a.fault("receive %d in the line is awake", w.ticket)
		}
		if w.call.attempt != "" {
			attempts[w.call.attempt]++
		}
		if len(w.dst) == 0 || w.call.max < 1 {
			a.fault("receive %d in the line has no room", w.ticket)
		}
		prev = w
	}
	if !maps.Equal(attempts, l.attempts) {
		a.fault("receives wait under the attempt ids %v, not %v", attempts, l.attempts)
	}
	if l.tail != prev || l.len != n {
		a.fault("%d receives are in line, not %d, or the tail is wrong", n, l.len)
	}
	spare := q.spare.Load()
	known := spare == nil
	ends := 0
	for id, w := range q.waitSlots {
		if w == nil || int(w.id) != id {
			a.fault("id %d of a receive is not its own", id)
			continue
		}
		known = known || w == spare
		if !w.parked {
			n++
			if w.next != nil || w.prev != nil || w.pos >= 0 {
				a.fault("receive %d is not in line and linked", w.ticket)
			}
			continue
		}
		if w.pos >= 0 {
			ends++
			if int(w.pos) >= q.deadlines.Len() || q.deadlines.At(w.pos).ID != w.id || q.deadlines.At(w.pos).Ord != w.ticket {
				a.fault("receive %d is not where it says among the ends of waits", w.ticket)
			}
		}
	}
	if n != len(q.waitSlots) {
		a.fault("%d receives have an id and are not known", len(q.waitSlots)-n)
	}
	if !known || spare != nil && (spare.parked || spare.dst != nil || spare.err != nil || len(spare.wake) != 0) {
		a.fault("the spare receive is in use, holds something or has no id")
	}
	if ends != q.deadlines.Len() {
		a.fault("%d waits end, not %d", q.deadlines.Len(), ends)
	}
	for pos := range int32(q.deadlines.Len()) {
		a.parent("ends of waits", &q.deadlines, pos)
		a.next = min(a.next, q.deadlines.At(pos).Key)
	}
	if l.head != nil && q.errands&(errandLook|errandLetters) == 0 && !q.behind && q.counts[classInFlight] < q.limit {
		if q.fifo == nil && q.counts[classVisible] != 0 || q.fifo != nil && q.fifo.first != 0 {
			a.fault("%d receives wait while there is a message for them", l.len)
		}
	}
}

// deadlines checks that the timer does not sleep over anything.
func (a *audit) deadlines() {
	q := a.q
	if q.errands&errandArm != 0 {
		a.fault("the timer was to be armed and was not")
	}
	if q.gone != nil {
		return
	}
	// While a lot is carried out in steps the timer is set to the time of the latest step, though
	// more is due.
	if q.armed > max(a.next, q.last) {
		a.fault("the timer fires at %d, but something is due at %d", q.armed, a.next)
	}
	if q.timer == nil && q.armed != never {
		a.fault("there is no timer for %d", q.armed)
	}
	if next := q.nextLocked(); next > a.next {
		a.fault("the next thing is thought to be due at %d, but is at %d", next, a.next)
	}
	if len(q.tasks) > moveTasksKept {
		a.fault("%d move tasks are kept", len(q.tasks))
	}
}

// ended checks that a queue that is gone holds nothing.
func (a *audit) ended() {
	q := a.q
	if q.gone == nil {
		return
	}
	if q.store.live != 0 || q.store.size != 0 || q.waiters.head != nil || q.timeouts.next(&q.store) != never || q.armed != never || q.fair != nil {
		a.fault("a closed queue holds something")
	}
	if f := q.fifo; f != nil && (f.groups.size != 0 || f.dedup.ids.Len() != 0 || len(f.dedup.pages) != 0 || len(f.attempts.order) != 0) {
		a.fault("a closed FIFO queue holds something")
	}
	for _, h := range []*pq.Heap{&q.expiring, &q.deadlines, &q.main.ready.heap} {
		if h.Len() != 0 {
			a.fault("a heap of a closed queue holds something")
		}
	}
}
