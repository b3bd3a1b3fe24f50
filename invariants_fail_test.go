package inq

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq/internal/pq"
)

// recordingTB notes what a check reports instead of failing the test.
type recordingTB struct {
	testing.TB
	text string
}

func (r *recordingTB) Helper() {}

func (r *recordingTB) Errorf(format string, args ...any) { r.text += fmt.Sprintf(format, args...) }

// corruption breaks one thing in a live queue. It returns how to mend it, so that the queue can be
// closed.
type corruption struct {
	name  string
	apply func(q *queue) (undo func())
}

// swap sets a value and returns how to set it back.
func swap[T any](p *T, v T) (undo func()) {
	old := *p
	*p = v
	return func() { *p = old }
}

// pick returns the first message in slot order of which is says true.
func pick(q *queue, is func(slot uint32, r *record) bool) uint32 {
	for slot := uint32(1); slot < q.store.size; slot++ {
		if r := q.store.at(slot); r.state != stateFree && is(slot, r) {
			return slot
		}
	}
	panic("the queue has no such message")
}

func inState(s state) func(uint32, *record) bool {
	return func(_ uint32, r *record) bool { return r.state == s }
}

// richStandard makes a queue in which every container of a Standard queue holds something.
func richStandard(t *testing.T) *queue {
	ctx := context.Background()
	q := testStandard(t, WithDeadLetter(DeadLetterFunc(func(context.Context, DeadLetter) error { return ErrFull }), 10))
	send := func(m Message) {
		m.Body = "body"
		_, err := q.Send(ctx, m)
		require.NoError(t, err)
	}
	receive := func(n int, timeout time.Duration) []Delivery {
		ds, err := q.Receive(ctx, ReceiveInput{Max: n, VisibilityTimeout: timeout})
		require.NoError(t, err)
		require.Len(t, ds, n)
		return ds
	}
	for range 8 {
		send(Message{Attributes: map[string]Attribute{"a": String("b")}})
		time.Sleep(time.Second)
	}
	ds := receive(7, time.Hour)
	for range 40 {
		send(Message{GroupID: "busy"})
	}
	send(Message{})
	send(Message{})
	for range 3 {
		send(Message{GroupID: "quiet"})
		send(Message{Delay: time.Minute})
	}
	receive(10, time.Hour)
	for range 3 {
		receive(10, 2*time.Hour)
	}
	for range 6 {
		send(Message{})
	}
	require.NoError(t, q.DeadLetter(ctx, DeadLetter{Body: "came", SentAt: time.Now().Add(-time.Hour)}))
	require.NoError(t, q.DeadLetter(ctx, DeadLetter{Body: "went", SentAt: time.Now().Add(-time.Minute)}))
	for range 3 {
		for _, d := range receive(1, time.Minute) {
			require.Equal(t, "came", d.Body)
			require.NoError(t, d.ChangeVisibility(ctx, 0))
		}
	}
	send(Message{Delay: 10 * time.Minute})
	for range 3 {
		send(Message{})
		send(Message{GroupID: "quiet"})
	}
	for d := range q.Messages() {
		require.NotEmpty(t, d.Body)
	}
	for _, i := range []int{3, 5, 4, 2} { // after one another in the list, the third in the heap
		require.NoError(t, ds[i].ChangeVisibility(ctx, 0))
	}
	require.NoError(t, ds[0].Delete(ctx))
	require.NoError(t, ds[1].Delete(ctx))
	q.mu.Lock()
	q.limit = q.counts[classInFlight]
	q.mu.Unlock()
	park(t, &q.queue)
	return &q.queue
}

// park leaves three receives waiting and a spare one.
func park(t *testing.T, q *queue) {
	for i := range 4 {
		wait := 10 * time.Second
		if i == 1 {
			wait = time.Second
		}
		go func() {
			_, err := q.Receive(context.Background(), ReceiveInput{Wait: wait, Max: 2})
			if i != 1 {
				assert.ErrorIs(t, err, ErrClosed)
			}
		}()
		synctest.Wait()
	}
	time.Sleep(time.Second)
	synctest.Wait()
	require.Equal(t, 3, q.Stats().WaitingReceives)
	require.NotNil(t, q.spare.Load())
}

// richFIFO is the same for FIFO.
func richFIFO(t *testing.T) *queue {
	ctx := context.Background()
	q := testFIFO(t)
	n := 0
	send := func(group string, times int) {
		for range times {
			n++
			_, err := q.Send(ctx, Message{Body: "body", GroupID: group, DeduplicationID: fmt.Sprint(n)})
			require.NoError(t, err)
		}
	}
	send("gone", 1)
	send("locked", 5)
	send("other", 3)
	send("third", 2)
	send("fourth", 2)
	ds, err := q.Receive(ctx, ReceiveInput{Max: 4, AttemptID: "attempt", VisibilityTimeout: time.Hour})
	require.NoError(t, err)
	require.Len(t, ds, 4)
	require.NoError(t, ds[0].Delete(ctx))
	require.NoError(t, ds[3].Return(ctx, 10*time.Minute))
	require.NoError(t, q.Configure(WithDelay(time.Minute)))
	send("delayed", 3)
	require.NoError(t, ds[1].Delete(ctx))
	q.mu.Lock()
	q.limit = q.counts[classInFlight]
	q.mu.Unlock()
	park(t, &q.queue)
	return &q.queue
}

// corrupt applies each corruption to a queue of its own, and asks that it is noticed and was not
// there before.
func corrupt(t *testing.T, rich func(t *testing.T) *queue, table []corruption) {
	for _, c := range table {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := rich(t)
				checkInvariants(t, q)
				locked := func(f func()) {
					q.mu.Lock()
					defer q.mu.Unlock()
					f()
				}
				var undo func()
				locked(func() { undo = c.apply(q) })
				r := &recordingTB{}
				checkInvariants(r, q)
				locked(undo)
				require.NotEmpty(t, r.text, "nobody noticed")
			})
		})
	}
}

func bothTypes() []corruption {
	return []corruption{
		{"one live message more", func(q *queue) func() { return swap(&q.store.live, q.store.live+1) }},
		{"one visible message more", func(q *queue) func() { return swap(&q.counts[classVisible], q.counts[classVisible]+1) }},
		{"one message not visible less", func(q *queue) func() { return swap(&q.counts[classInFlight], q.counts[classInFlight]-1) }},
		{"one byte more", func(q *queue) func() { return swap(&q.bytes, q.bytes+1) }},
		{"no free slots", func(q *queue) func() { return swap(&q.store.free, 0) }},
		{"a message on the free list", func(q *queue) func() { return swap(&q.store.free, pick(q, inState(stateReady))) }},
		{"a free slot with a body", func(q *queue) func() { return swap(&q.store.at(q.store.free).body, "x") }},
		{"a free slot with a rare part", func(q *queue) func() { return swap(&q.store.at(q.store.free).rare, &rare{}) }},
		{"in flight said to be ready", func(q *queue) func() { return swap(&q.store.at(pick(q, inState(stateInFlight))).state, stateReady) }},
		{"ready said to be in flight", func(q *queue) func() { return swap(&q.store.at(pick(q, inState(stateReady))).state, stateInFlight) }},
		{"delayed said to be burying", func(q *queue) func() { return swap(&q.store.at(pick(q, inState(stateDelayed))).state, stateBurying) }},
		{"a state that does not exist", func(q *queue) func() { return swap(&q.store.at(pick(q, inState(stateReady))).state, stateAdopted+1) }},
		{"in flight without the flag of the wheel", func(q *queue) func() {
			return swap(&q.store.at(pick(q, inState(stateInFlight))).flags, 0)
		}},
		{"in flight and off the wheel", func(q *queue) func() {
			slot := pick(q, inState(stateInFlight))
			r := q.store.at(slot)
			q.timeouts.remove(&q.store, slot, r)
			return func() { q.timeouts.add(&q.store, slot, r, q.store.nodes.At(slot).Deadline) }
		}},
		{"a deadline before the wheel's next", func(q *queue) func() {
			return swap(&q.store.nodes.At(pick(q, inState(stateInFlight))).Deadline, q.last+1)
		}},
		{"a message older than the timer knows", func(q *queue) func() {
			return swap(&q.store.at(pick(q, inState(stateReady))).enqueued, -int64(defaultRetention))
		}},
		{"a message of the future", func(q *queue) func() { return swap(&q.store.at(pick(q, inState(stateReady))).enqueued, q.last+1) }},
		{"a message with a number yet to come", func(q *queue) func() { return swap(&q.store.at(pick(q, inState(stateInFlight))).seq, q.seq+1) }},
		{"returned with a delay, but in flight", func(q *queue) func() {
			r := q.store.at(pick(q, inState(stateInFlight)))
			return swap(&r.flags, r.flags|flagAlone)
		}},
		{"arrivals without the first", func(q *queue) func() {
			return swap(&q.main.arrivals.head, q.store.at(q.main.arrivals.head).arrNext)
		}},
		{"arrivals without the last", func(q *queue) func() {
			return swap(&q.main.arrivals.tail, q.store.at(q.main.arrivals.tail).arrPrev)
		}},
		{"arrivals in a circle", func(q *queue) func() {
			return swap(&q.store.at(q.main.arrivals.tail).arrNext, q.main.arrivals.head)
		}},
		{"arrivals in the wrong order", func(q *queue) func() {
			return swap(&q.store.at(q.main.arrivals.head).seq, q.seq)
		}},
		{"an arrival with a wrong link back", func(q *queue) func() { return swap(&q.store.at(q.main.arrivals.tail).arrPrev, 0) }},
		{"the timer too late", func(q *queue) func() { return swap(&q.armed, never) }},
		{"the timer later than a wait", func(q *queue) func() { return swap(&q.armed, q.deadlines.Min().Key+1) }},
		{"the timer forgotten", func(q *queue) func() { return swap(&q.errands, errandArm) }},
		{"no timer", func(q *queue) func() { return swap(&q.timer, nil) }},
		{"one receive in line more", func(q *queue) func() { return swap(&q.waiters.len, 4) }},
		{"the last receive in line unknown", func(q *queue) func() { return swap(&q.waiters.tail, q.waiters.head) }},
		{"a receive in line that says it is not", func(q *queue) func() { return swap(&q.waiters.head.parked, false) }},
		{"a receive in line without its place", func(q *queue) func() { return swap(&q.waiters.head.ticket, q.waiters.ticket) }},
		{"a receive with a wrong link back", func(q *queue) func() { return swap(&q.waiters.tail.prev, nil) }},
		{"a receive with the id of another", func(q *queue) func() { return swap(&q.waiters.head.id, q.waiters.tail.id) }},
		{"a receive with the end of another", func(q *queue) func() { return swap(&q.waiters.head.pos, q.waiters.tail.pos) }},
		{"a wait without its end", func(q *queue) func() { return swap(&q.waiters.head.pos, -1) }},
		{"a receive in line with an attempt id that is not counted", func(q *queue) func() { return swap(&q.waiters.head.call.attempt, "x") }},
		{"a receive in line without room", func(q *queue) func() { return swap(&q.waiters.head.dst, nil) }},
		{"an id without a receive", func(q *queue) func() { return swap(&q.waitSlots[0], nil) }},
		{"a receive too many", func(q *queue) func() { return swap(&q.waitSlots, append(q.waitSlots, q.waitSlots[0])) }},
		{"the spare receive in line", func(q *queue) func() {
			w := q.spare.Swap(q.waiters.head)
			return func() { q.spare.Store(w) }
		}},
		{"the spare receive with room for deliveries", func(q *queue) func() { return swap(&q.spare.Load().dst, make([]Delivery, 1)) }},
		{"the spare receive without an id", func(q *queue) func() {
			w := q.spare.Swap(&waiter{pos: -1, wake: make(chan struct{}, 1)})
			return func() { q.spare.Store(w) }
		}},
		{"an adopted message that is not there", func(q *queue) func() { return swap(&q.adopting, 1) }},
		{"a call that nobody makes", func(q *queue) func() { return swap(&q.outbox.places, &places{taken: 1}) }},
		{"a letter that nobody carries", func(q *queue) func() { return swap(&q.letters, make([]letter, 1)) }},
		{"a receive that could have a message", func(q *queue) func() { return swap(&q.limit, q.limit+1) }},
		{"closed and full", func(q *queue) func() { return swap(&q.gone, ErrClosed) }},
	}
}

func TestCheckInvariants_NoticesACorruptStandardQueue(t *testing.T) {
	tenant := func(q *queue, name string) *tenant {
		return q.fair.tenants.at(q.fair.tenant(name))
	}
	inHeap := func(_ uint32, r *record) bool { return r.state == stateReady && r.flags&(flagFresh|flagBack) == 0 }
	poison := func(_ uint32, r *record) bool { return r.flags&flagPoison != 0 }
	corrupt(t, richStandard, append(bothTypes(), []corruption{
		{"ready without the first", func(q *queue) func() {
			return swap(&q.main.ready.fresh.Head, q.store.nodes.At(q.main.ready.fresh.Head).Next)
		}},
		{"ready without the last", func(q *queue) func() {
			return swap(&q.main.ready.fresh.Tail, q.store.nodes.At(q.main.ready.fresh.Tail).Prev)
		}},
		{"ready in a circle", func(q *queue) func() {
			return swap(&q.store.nodes.At(q.main.ready.fresh.Tail).Next, q.main.ready.fresh.Head)
		}},
		{"a ready message with a wrong link back", func(q *queue) func() {
			return swap(&q.store.nodes.At(q.main.ready.back.Tail).Prev, 0)
		}},
		{"ready in the wrong order", func(q *queue) func() {
			return swap(&q.store.at(q.main.ready.fresh.Head).enqueued, q.last)
		}},
		{"a ready message that names the other list", func(q *queue) func() {
			return swap(&q.store.at(q.main.ready.fresh.Head).flags, flagBack)
		}},
		{"a ready message that names both lists", func(q *queue) func() {
			return swap(&q.store.at(q.main.ready.fresh.Head).flags, flagBack|flagFresh)
		}},
		{"a ready message at another place of the heap", func(q *queue) func() {
			return swap(&q.store.nodes.At(pick(q, inHeap)).Next, 7)
		}},
		{"a ready message in the heap for another place", func(q *queue) func() {
			return swap(&q.store.at(pick(q, inHeap)).enqueued, 3)
		}},
		{"a poison message without the flag", func(q *queue) func() {
			r := q.store.at(pick(q, poison))
			return swap(&r.flags, r.flags&^flagPoison)
		}},
		{"a poison message without its place", func(q *queue) func() {
			r := q.store.at(pick(q, poison))
			return swap(&r.flags, r.flags&^flagMoved)
		}},
		{"a poison message that does not expire", func(q *queue) func() {
			return swap(&q.store.at(pick(q, poison)).rare.expiry, -1)
		}},
		{"a dead letter that expires elsewhere", func(q *queue) func() {
			r := q.store.at(pick(q, func(_ uint32, r *record) bool { return r.body == "went" }))
			return swap(&r.rare.expiry, 1-r.rare.expiry)
		}},
		{"more receives taken back than made", func(q *queue) func() {
			return swap(&q.store.at(pick(q, poison)).rare.uncounted, 9)
		}},
		{"something in the heap of expiries that is no message", func(q *queue) func() {
			q.expiring.Track(nil)
			q.expiring.Push(pq.Entry{Key: never, ID: 1})
			return q.resetLocked
		}},
		{"a message with the tenant of another", func(q *queue) func() {
			slot, was := q.main.ready.fresh.Head, uint32(0)
			q.store.setTenant(slot, 1)
			return func() { q.store.setTenant(slot, was) }
		}},
		{"a tenant with one visible message more", func(q *queue) func() {
			te := tenant(q, "quiet")
			return swap(&te.counts[classVisible], te.counts[classVisible]+1)
		}},
		{"a tenant with another name", func(q *queue) func() { return swap(&tenant(q, "quiet").name, "quite") }},
		{"a tenant that nobody waits for", func(q *queue) func() { return swap(&tenant(q, "quiet").waitPos, -1) }},
		{"a tenant that waits for another message", func(q *queue) func() {
			te := tenant(q, "quiet")
			e := q.fair.waiting.At(te.waitPos)
			other := e
			other.Key++
			q.fair.waiting.Fix(te.waitPos, other)
			return func() { q.fair.waiting.Fix(te.waitPos, e) }
		}},
		{"a busy tenant said to be quiet", func(q *queue) func() { return swap(&tenant(q, "busy").busyPos, -1) }},
		{"a quiet tenant said to be busy", func(q *queue) func() { return swap(&tenant(q, "quiet").busyPos, 0) }},
		{"a tenant without age", func(q *queue) func() { return swap(&tenant(q, "busy").oldestPos, -1) }},
		{"a tenant without ready messages", func(q *queue) func() { return swap(&tenant(q, "quiet").ready, ready{}) }},
		{"a tenant without arrivals", func(q *queue) func() { return swap(&tenant(q, "quiet").arrivals, arrivals{}) }},
		{"tenants measured against another queue", func(q *queue) func() { return swap(&q.fair.total, new([classes]int)) }},
		{"a tenant without messages", func(q *queue) func() {
			q.fair.tenant("empty")
			return q.resetLocked
		}},
		{"a tenant that is free", func(q *queue) func() { return swap(&q.fair.tenants.free, []uint32{1}) }},
		{"tenants without a home", func(q *queue) func() { return swap(&q.fair, nil) }},
	}...))
}

func TestCheckInvariants_NoticesACorruptFIFOQueue(t *testing.T) {
	group := func(q *queue, name string) *group {
		g, _ := q.fifo.names.Find(q.fifo.groupHash(name), func(g uint32) bool { return q.fifo.groups.at(g).name == name })
		return q.fifo.groups.at(g)
	}
	alone := func(_ uint32, r *record) bool { return r.flags&flagAlone != 0 }
	corrupt(t, richFIFO, append(bothTypes(), []corruption{
		{"a group without its first message", func(q *queue) func() {
			g := group(q, "locked")
			return swap(&g.head, g.behind)
		}},
		{"a group without its last message", func(q *queue) func() {
			g := group(q, "locked")
			return swap(&g.tail, q.store.part(g.tail).prev)
		}},
		{"a group in a circle", func(q *queue) func() {
			g := group(q, "locked")
			return swap(&q.store.part(g.behind).next, g.head)
		}},
		{"a group without its second message", func(q *queue) func() {
			g := group(q, "locked")
			return swap(&g.behind, g.tail)
		}},
		{"a message with a wrong link back in its group", func(q *queue) func() {
			return swap(&q.store.part(group(q, "locked").tail).prev, 0)
		}},
		{"a group in the wrong order", func(q *queue) func() {
			return swap(&q.store.at(group(q, "locked").head).seq, q.seq)
		}},
		{"a message of another group", func(q *queue) func() {
			return swap(&q.store.part(group(q, "locked").tail).group, q.fifo.first)
		}},
		{"a message of no group", func(q *queue) func() { return swap(&q.store.part(group(q, "locked").tail).group, 99) }},
		{"a group with one more in flight", func(q *queue) func() {
			g := group(q, "locked")
			return swap(&g.inFlight, g.inFlight+1)
		}},
		{"a group with the hash of another name", func(q *queue) func() {
			return swap(&group(q, "third").hash, group(q, "fourth").hash)
		}},
		{"one more message in a delay", func(q *queue) func() { return swap(&q.fifo.hidden, q.fifo.hidden+1) }},
		{"a group that does not know its head is ready", func(q *queue) func() { return swap(&group(q, "third").ready, false) }},
		{"one locked group more", func(q *queue) func() { return swap(&q.fifo.locked, q.fifo.locked+1) }},
		{"a locked group said to deliver", func(q *queue) func() { return swap(&group(q, "locked").eligible, true) }},
		{"a group that can deliver and says no", func(q *queue) func() { return swap(&group(q, "third").eligible, false) }},
		{"the first group to deliver missing", func(q *queue) func() {
			return swap(&q.fifo.first, q.fifo.groups.at(q.fifo.first).next)
		}},
		{"the last group to deliver missing", func(q *queue) func() { return swap(&q.fifo.last, q.fifo.first) }},
		{"groups to deliver in a circle", func(q *queue) func() {
			return swap(&q.fifo.groups.at(q.fifo.last).next, q.fifo.first)
		}},
		{"a group with a wrong link back", func(q *queue) func() { return swap(&q.fifo.groups.at(q.fifo.last).prev, 0) }},
		{"a locked group with links", func(q *queue) func() { return swap(&group(q, "locked").next, 1) }},
		{"a group with another name", func(q *queue) func() { return swap(&group(q, "third").name, "fourth") }},
		{"a group without messages", func(q *queue) func() {
			g := q.fifo.groups.alloc()
			return func() { q.fifo.groups.release(g) }
		}},
		{"a group that is free", func(q *queue) func() { return swap(&q.fifo.groups.free, []uint32{1}) }},
		{"a run that ended with nothing", func(q *queue) func() { return swap(&q.fifo.run, q.store.free) }},
		{"a delayed message missing", func(q *queue) func() {
			return swap(&q.fifo.delayed.Head, q.store.nodes.At(q.fifo.delayed.Head).Next)
		}},
		{"delayed messages in the wrong order", func(q *queue) func() {
			return swap(&q.store.at(q.fifo.delayed.Head).enqueued, q.last)
		}},
		{"a delayed message that says it was returned", func(q *queue) func() {
			return swap(&q.store.at(q.fifo.delayed.Head).flags, flagAlone)
		}},
		{"a returned message that says it has the queue's delay", func(q *queue) func() {
			return swap(&q.store.at(pick(q, alone)).flags, flagWheel)
		}},
		{"a ready message on a list of Standard", func(q *queue) func() {
			return swap(&q.store.at(pick(q, inState(stateReady))).flags, flagFresh)
		}},
		{"a free slot with a deduplication id", func(q *queue) func() { return swap(&q.store.part(q.store.free).dedup, "x") }},
		{"the window one entry longer", func(q *queue) func() { return swap(&q.fifo.dedup.end, q.fifo.dedup.end+1) }},
		{"the window one entry shorter", func(q *queue) func() { return swap(&q.fifo.dedup.begin, q.fifo.dedup.begin+1) }},
		{"an entry of the window under another key", func(q *queue) func() { return swap(&q.fifo.dedup.at(1).key[0], 1) }},
		{"the same key twice in the window", func(q *queue) func() {
			d := &q.fifo.dedup
			return swap(&d.at(1).key, d.at(0).key)
		}},
		{"the window in the wrong order", func(q *queue) func() { return swap(&q.fifo.dedup.at(1).seq, q.seq) }},
		{"an attempt at another time", func(q *queue) func() { return swap(&q.fifo.attempts.order[0].at, q.last) }},
		{"an attempt that is not kept", func(q *queue) func() { return swap(&q.fifo.attempts.byID, nil) }},
		{"a slab of the other type", func(q *queue) func() { return swap(&q.store.isFIFO, false) }},
		{"something of a Standard queue", func(q *queue) func() { return swap(&q.main.ready.fresh.Head, pick(q, inState(stateReady))) }},
	}...))
}
