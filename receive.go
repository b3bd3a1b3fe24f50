package inq

import (
	"context"
	"fmt"
	"iter"
	"math"
	"runtime"
	"time"
)

// ReceiveInput says what a receive is to return. The zero value takes one message with the queue's
// own settings.
type ReceiveInput struct {
	// Max is how many messages to take at most, 1 to 10; 0 means 1 (SQS: RCV-1). A receive never
	// waits to fill up. Without SQS limits Max can be larger, and a receive takes at most 64.
	Max int
	// Wait is how long to wait for a first message, up to 20 seconds. 0 means the queue's own wait,
	// [Zero] a short poll that answers at once (SQS: RCV-2, RCV-4).
	Wait time.Duration
	// VisibilityTimeout is how long the messages stay hidden from other receives, up to 12 hours. 0
	// means the queue's own timeout, unlike in [WithVisibilityTimeout] and ChangeVisibility, where it
	// is zero; [Zero] means that they stay visible (SQS: RCV-3, RCV-8, RCV-9).
	VisibilityTimeout time.Duration
	// AttemptID makes a receive on FIFO repeatable: within five minutes another receive with the
	// same id returns the same messages and handles, as long as none was deleted, changed or timed
	// out (SQS: RCV-16). Standard ignores it.
	AttemptID string
}

// receiveCall is a checked ReceiveInput.
type receiveCall struct {
	max        int
	wait       time.Duration
	visibility time.Duration
	inLine     bool // visibility is not longer than the queue's own
	attempt    string
}

// mostAtOnce bounds what one receive takes, so that it neither holds the lock for long nor
// allocates much under it.
const mostAtOnce = 64

// plain reports that in leaves everything to the queue.
func (in *ReceiveInput) plain() bool {
	return in.Wait|in.VisibilityTimeout == 0 && in.Max|len(in.AttemptID) == 0
}

// checkReceive fills c with what in asks for, with the settings of the queue in place of zeros, or
// refuses it (SQS: RCV-1..4, RCV-8).
func (q *queue) checkReceive(c *receiveCall, in *ReceiveInput) error {
	s := q.settings.Load()
	c.max, c.wait, c.visibility = in.Max, in.Wait, in.VisibilityTimeout
	longestWait, longestVisibility, most := maxWait, maxVisibility, maxBatch
	if s.unlimited {
		longestWait, longestVisibility, most = Forever, Forever, math.MaxInt32
	}
	switch {
	case c.max == 0:
		c.max = 1
	case c.max < 1 || c.max > most:
		return &ParamError{Err: ErrInvalidParameter, Param: "MaxNumberOfMessages", Value: c.max, Min: 1, Max: most}
	}
	switch {
	case c.wait == 0:
		c.wait = s.wait
	case c.wait == Zero:
		c.wait = 0
	case c.wait < 0 || c.wait > longestWait:
		return &ParamError{Err: ErrInvalidParameter, Param: "WaitTimeSeconds", Value: c.wait, Min: time.Duration(0), Max: longestWait}
	}
	switch {
	case c.visibility == 0:
		c.visibility = s.visibility
	case c.visibility == Zero:
		c.visibility = 0
	case c.visibility < 0 || c.visibility > longestVisibility:
		return &ParamError{Err: ErrInvalidParameter, Param: "VisibilityTimeout", Value: c.visibility, Min: time.Duration(0), Max: longestVisibility}
	}
	c.max = min(c.max, mostAtOnce)
	c.inLine = c.visibility <= s.visibility
	if in.AttemptID != "" && q.fifo != nil {
		if err := checkID("ReceiveRequestAttemptId", in.AttemptID); err != nil {
			return err
		}
		c.attempt = in.AttemptID
	}
	return nil
}

// Receive takes messages for processing (SQS: section 3): up to Max of them, the oldest first on
// Standard, in the order of their groups on FIFO. Each becomes invisible for its visibility timeout
// and can then be received again, unless it was deleted.
//
// With messages ready it never waits. Otherwise it waits up to Wait for the first one, whatever
// makes it receivable, and returns nothing and nil when the time is over. Receives that wait are
// served in the order they came. When ctx ends the wait, its bare error is returned and nothing has
// changed; a message handed over in that instant is returned with nil instead. When the queue is
// closed, the wait ends with [ErrClosed].
//
// A message that was received often enough is handed to the dead-letter target in the course of
// this call, see [WithDeadLetter]; a slow target makes this call slow, no other.
//
// Out-of-range values are refused with [ErrInvalidParameter]. A short poll on Standard is refused
// with [ErrOverLimit] while 120,000 messages are in flight; FIFO queues and long polls find nothing
// then (SQS: section 1.5).
func (q *queue) Receive(ctx context.Context, in ReceiveInput) ([]Delivery, error) {
	if err := q.checkContext(ctx); err != nil {
		return nil, err
	}
	if in.plain() {
		return q.receive(ctx, &q.settings.Load().usual, nil)
	}
	var c receiveCall
	if err := q.checkReceive(&c, &in); err != nil {
		return nil, q.refused(err)
	}
	return q.receive(ctx, &c, nil)
}

// ReceiveInto is Receive into a slice of the caller, without an allocation. It takes at most as
// many messages as dst has room for, and returns how many it wrote. An empty dst is refused with
// [ErrInvalidParameter].
func (q *queue) ReceiveInto(ctx context.Context, dst []Delivery, in ReceiveInput) (int, error) {
	if err := q.checkContext(ctx); err != nil {
		return 0, err
	}
	if len(dst) == 0 {
		return 0, q.refused(&ParamError{Err: ErrInvalidParameter, Param: "dst", Value: 0, Min: 1, Reason: "room for deliveries"})
	}
	if in.plain() {
		ds, err := q.receive(ctx, &q.settings.Load().usual, dst)
		return len(ds), err
	}
	var c receiveCall
	if err := q.checkReceive(&c, &in); err != nil {
		return 0, q.refused(err)
	}
	c.max = min(c.max, len(dst))
	ds, err := q.receive(ctx, &c, dst)
	return len(ds), err
}

// receive does the work of Receive and ReceiveInto. It allocates a result where dst is nil.
func (q *queue) receive(ctx context.Context, c *receiveCall, dst []Delivery) ([]Delivery, error) {
	now, err := q.enter()
	if err != nil {
		return nil, err
	}
	more := q.settleLocked(now)
	if q.fifo == nil && c.wait == 0 && q.counts[classNotVisible] >= q.limit {
		err := q.overLimit()
		q.leave(now)
		return nil, err
	}
	if q.settings.Load().target != nil {
		ds, done, now, err := q.takeOrBury(ctx, now, more, c, dst)
		if done {
			return ds, err
		}
		return q.wait(ctx, now, c, dst)
	}
	for {
		room := dst
		if room == nil {
			if n := q.worthLocked(c); n > 0 {
				room = make([]Delivery, n)
			}
		}
		n := q.takeLocked(now, c, room)
		if n > 0 {
			q.unlock(now)
			return room[:n], nil
		}
		if !more {
			break
		}
		// A lot timed out at once and is carried out in steps: look again after the next one.
		q.unlock(now)
		runtime.Gosched()
		if now, err = q.enter(); err != nil {
			return nil, err
		}
		more = q.settleLocked(now)
	}
	return q.wait(ctx, now, c, dst)
}

// overLimit is why a short poll is refused. q.mu must be held.
func (q *queue) overLimit() error {
	n := q.counts[classNotVisible]
	return &ParamError{Err: ErrOverLimit, Param: "MessagesInFlight", Value: n, Max: q.limit,
		Reason: fmt.Sprintf("%d messages are in flight; delete some before receiving more", n)}
}

// worthLocked returns how many deliveries are worth room for. What a receive repeats by its attempt
// id is not visible. q.mu must be held.
func (q *queue) worthLocked(c *receiveCall) int {
	if c.attempt != "" {
		return c.max
	}
	return min(c.max, q.counts[classVisible])
}

// takePlainLocked is takeLocked with all it calls, spelled out for a plain queue where nothing is due
// and a visibility timeout that stands in line. q.mu must be held.
func (q *queue) takePlainLocked(now int64, c *receiveCall, dst []Delivery) (n int) {
	deadline := after(now, c.visibility)
	for most := min(c.max, len(dst), q.limit-q.counts[classNotVisible]); n < most; n++ {
		slot := q.main.ready.fresh.Head
		if q.main.ready.back.Head != 0 || q.main.ready.heap.Len() != 0 {
			slot = q.main.ready.head(&q.store)
		}
		if slot == 0 {
			break
		}
		r := q.store.at(slot)
		q.main.ready.remove(&q.store, slot, r)
		q.counts[classVisible]--
		q.counts[classNotVisible]++
		r.state = stateInFlight
		q.receiveLocked(now, r)
		if r.receive < poisonReceives {
			q.timeouts.addInLine(&q.store, slot, r, deadline)
		} else {
			q.timeouts.add(&q.store, slot, r, deadline)
		}
		d := &dst[n]
		d.Body, d.GroupID, d.ReceiveCount = r.body, "", r.receiveCount()
		d.source, d.outside, d.rare, d.dedup = q, nil, r.rare, ""
		d.receipt = receipt{seq: r.seq, slot: slot, receive: r.receive}
		d.sent, d.first, d.visible = r.enqueued, r.first, deadline
		q.eventLocked(now, EventReceived, slot)
	}
	if n > 0 {
		q.scheduleLocked(deadline)
	}
	return n
}

// takeLocked leases up to c.max messages into dst, which may be shorter. q.mu must be held, and the
// queue must have no dead-letter target.
func (q *queue) takeLocked(now int64, c *receiveCall, dst []Delivery) (n int) {
	if q.plain && c.inLine && c.visibility > 0 && q.armed > now {
		return q.takePlainLocked(now, c, dst)
	}
	return q.takeAnyLocked(now, c, dst)
}

// takeAnyLocked is takeLocked for any queue. q.mu must be held.
func (q *queue) takeAnyLocked(now int64, c *receiveCall, dst []Delivery) (n int) {
	if c.attempt != "" {
		if n, ok := q.replayLocked(now, c, dst[:min(c.max, len(dst))]); ok {
			return n
		}
	}
	if q.fifo != nil {
		q.fifo.run = 0
	}
	most := min(c.max, len(dst), q.limit-q.counts[classNotVisible])
	for n < most {
		slot := q.peekLocked(now)
		if slot == 0 {
			break
		}
		r := q.store.at(slot)
		q.holdLocked(slot, r)
		q.grantLocked(now, c, &dst[n], slot, r)
		n++
	}
	if c.visibility == 0 || c.attempt != "" {
		q.grantedLocked(now, c, dst[:n])
	}
	return n
}

// peekLocked returns the message that a receive takes next, 0 if there is none. While a lot is
// carried out in steps, and where the timer is late, a message whose retention is over may be yet to
// be removed; where one comes next, there is none before the next step. q.mu must be held.
func (q *queue) peekLocked(now int64) uint32 {
	slot := q.nextReadyLocked(now)
	if slot != 0 && q.armed <= now && after(q.store.at(slot).enqueued, q.settings.Load().retention) <= now {
		return 0
	}
	return slot
}

// nextReadyLocked returns the ready message whose turn it is, 0 if there is none. q.mu must be
// held.
func (q *queue) nextReadyLocked(now int64) uint32 {
	if q.fifo != nil {
		return q.fifo.peek(&q.store)
	}
	main := q.main.ready.head(&q.store)
	if q.fair == nil {
		return main
	}
	return q.fair.peek(now, &q.store, main)
}

// holdLocked takes a ready message for a receive. It counts as in flight from now on. q.mu must be
// held.
func (q *queue) holdLocked(slot uint32, r *record) {
	q.unreadyLocked(slot, r)
	q.setStateLocked(slot, r, stateHeld)
	if q.fifo != nil {
		q.fifo.changed(&q.store, q.store.part(slot).group)
		q.fifo.run = slot
	}
}

// grantLocked leases a held message and fills d. With visibility timeout 0 the message stays held
// until grantedLocked, so that one receive does not take it twice. q.mu must be held.
func (q *queue) grantLocked(now int64, c *receiveCall, d *Delivery, slot uint32, r *record) {
	q.receiveLocked(now, r)
	if c.visibility == 0 {
		q.store.nodes.At(slot).Deadline = now
	} else {
		r.state = stateInFlight // counted like held
		if c.inLine {
			q.leaseLocked(slot, r, after(now, c.visibility))
		} else {
			q.deadlineLocked(slot, r, after(now, c.visibility))
		}
	}
	q.fillLocked(d, slot, r)
	q.eventLocked(now, EventReceived, slot)
}

// grantedLocked ends a receive that returns ds. q.mu must be held.
func (q *queue) grantedLocked(now int64, c *receiveCall, ds []Delivery) {
	if c.visibility == 0 {
		for i := range ds {
			slot := ds[i].receipt.slot
			q.passLocked(now, slot, q.store.at(slot))
		}
	}
	if c.attempt != "" && len(ds) != 0 {
		q.fifo.attempts.bind(c.attempt, now, ds)
		q.scheduleLocked(after(now, attemptWindow))
	}
}

// fillLocked writes what a receive tells of a message. q.mu must be held.
func (q *queue) fillLocked(d *Delivery, slot uint32, r *record) {
	d.Body = r.body
	d.ReceiveCount = r.receiveCount()
	d.source, d.outside, d.rare = q, nil, r.rare
	d.receipt = receipt{seq: r.seq, slot: slot, receive: r.receive}
	d.sent, d.first, d.visible = r.enqueued, r.first, q.store.nodes.At(slot).Deadline
	d.GroupID, d.dedup = "", ""
	switch {
	case q.fifo != nil:
		p := q.store.part(slot)
		d.GroupID, d.dedup = q.fifo.groups.at(p.group).name, p.dedup
	case q.fair != nil:
		if t := q.store.tenant(slot); t != 0 {
			d.GroupID = q.fair.tenants.at(t).name
		}
	}
}

// Deliveries receives from q until an error ends it, and yields each message in turn.
//
// Where in.Wait is 0 it waits 20 seconds per receive, so that an idle loop costs nothing; with
// [Zero] it polls without a pause. An error of Receive, that of an ended ctx included, is yielded
// once and ends the iteration; over a network, where errors pass, a loop around it goes on. When
// ctx ends or the loop breaks off, what was received with in.Max above 1 and not yet yielded is
// given back by [Delivery.Return], uncounted where q is a queue of this package.
func Deliveries(ctx context.Context, q Queue, in ReceiveInput) iter.Seq2[Delivery, error] {
	if in.Wait == 0 {
		in.Wait = maxWait
	}
	return func(yield func(Delivery, error) bool) {
		for {
			ds, err := q.Receive(ctx, in)
			if err != nil {
				yield(Delivery{}, err)
				return
			}
			for i := range ds {
				if i > 0 && ctx.Err() != nil {
					giveBack(ds[i:])
					break // Receive tells why
				}
				if !yield(ds[i], nil) {
					giveBack(ds[i+1:])
					return
				}
			}
		}
	}
}

// giveBack returns deliveries that nobody will process. One that fails comes back by its timeout.
func giveBack(ds []Delivery) {
	// In reverse, so that a FIFO group is unlocked by its first message, when the others are ready
	// again.
	for i := len(ds) - 1; i >= 0; i-- {
		_ = ds[i].Return(context.Background(), 0)
	}
}
