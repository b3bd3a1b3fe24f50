package inq

import (
	"context"
	"fmt"
	"iter"
	"math"
	"reflect"
	"runtime"
	"time"

	"example.com/inq/internal/disturbance"
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
	inLine     bool                 // visibility is not longer than the queue's own
	moves      bool                 // a move task takes one message away
	waits      bool                 // it has looked once, and waits
	disturbed  *disturbance.Receive // nil: as queues are
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
// With messages ready it never waits, save with a [Journal] until the receive is written there. Otherwise it
// waits up to Wait for the first one, whatever makes it receivable, and returns nothing and nil when the time
// is over. Receives that wait are served in the order they came. When ctx ends the wait, its bare error is
// returned; a message handed over in that instant is returned with nil instead. When the queue is closed, the
// wait ends with [ErrClosed], when its journal fails, with [ErrJournalFailed]. An error means that this call
// received no message.
//
// A message that was received often enough goes to the dead-letter target instead of to this call, see
// [WithDeadLetter]. That is the queue's own doing: no receive waits for it, and it may have happened in
// a receive that returns nothing, or an error.
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

// receive does the work of Receive and ReceiveInto. It allocates a result where dst is nil. What nearly
// all receives need is here; receiveLong does the same for the others.
func (q *queue) receive(ctx context.Context, c *receiveCall, dst []Delivery) ([]Delivery, error) {
	now, err := q.enter()
	if err != nil {
		return nil, err
	}
	more := q.settleLocked(now)
	if q.fifo == nil && c.wait == 0 && q.counts[classInFlight] >= q.limit {
		err := q.overLimit()
		_ = q.leave(now)
		return nil, err
	}
	if q.waiters.head == nil && c.attempt == "" {
		room := dst
		if room == nil {
			room = q.roomLocked(c)
		}
		if n, _ := q.takeLocked(now, c, room); n > 0 && q.errands == 0 {
			q.mu.Unlock()
			return room[:n], nil
		} else if n > 0 {
			if err := q.unlock(now); err != nil {
				return nil, err
			}
			return room[:n], nil
		}
	}
	return q.receiveLong(ctx, now, more, c, dst)
}

// receiveLong is the rest of a receive that found nothing at once, that can be repeated, or that comes
// while others wait. It is called with q.mu held, and unlocks it; more says that more is due than was
// carried out.
func (q *queue) receiveLong(ctx context.Context, now int64, more bool, c *receiveCall, dst []Delivery) ([]Delivery, error) {
	end := after(now, c.wait)
	for {
		n, room := 0, dst
		var err error
		if q.waiters.head != nil && (q.behind || q.errands&errandLook != 0) {
			q.errands |= errandLook // those who wait were there before, and unlock serves them
		} else {
			if room == nil {
				room = q.roomLocked(c)
			}
			n, err = q.takeLocked(now, c, room)
		}
		switch {
		case n > 0:
			q.answerRepeatsLocked(now, c.attempt)
			if err := q.unlock(now); err != nil {
				return nil, err
			}
			return room[:n], nil
		case err != nil:
			_ = q.unlock(now)
			return nil, err
		case !more && q.errands&(errandLetters|errandLook) == 0:
			return q.wait(ctx, now, end, c, dst)
		}
		// A lot timed out at once and is carried out in steps, or what it met is handed to another queue
		// and a message of the same group may be next: look again after that.
		if err := q.unlock(now); err != nil {
			return nil, err
		}
		runtime.Gosched()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if now, err = q.enter(); err != nil {
			return nil, err
		}
		more = q.settleLocked(now)
	}
}

// roomLocked makes room for what is worth it, nil where that is nothing. What a receive repeats by its
// attempt id is not visible.
func (q *queue) roomLocked(c *receiveCall) []Delivery {
	n := c.max
	if c.attempt == "" {
		n = min(n, q.counts[classVisible])
	}
	if n == 0 {
		return nil
	}
	return make([]Delivery, n)
}

// wait answers a receive that found nothing: a short poll at once, a long poll with what it is
// handed while it is parked until end. It is called with q.mu held, and unlocks it.
func (q *queue) wait(ctx context.Context, now, end int64, c *receiveCall, dst []Delivery) ([]Delivery, error) {
	if c.wait == 0 {
		q.metrics.emptyReceives++
		return nil, q.unlock(now)
	}
	w := q.newWaiterLocked(c, dst)
	defer q.dropWaiter(w)
	answered := false
	defer func() {
		if !answered { // an observer has ended the goroutine
			q.forsake(w)
		}
	}()
	q.parkLocked(w, end)
	err := q.unlock(now)
	if err == nil {
		select {
		case <-w.wake:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	answered = true
	if err != nil && !q.abandon(w) {
		return nil, err
	}
	if w.err != nil || w.n == 0 {
		return nil, w.err
	}
	if q.journal != nil {
		if err := q.waitWritten(w); err != nil {
			return nil, err
		}
	}
	return w.dst[:w.n], nil
}

// forsake takes w out of line for good, wherever it is in its wait. What it was handed is in flight
// for nobody and comes back by its timeout.
func (q *queue) forsake(w *waiter) {
	now, err := q.enter()
	if err == nil && w.parked {
		q.unparkLocked(w)
	}
	select {
	case <-w.wake:
	default:
	}
	if err == nil {
		_ = q.leave(now)
	}
}

// abandon takes w out of line before its time, and reports whether it had been woken already: what it
// was handed in that instant is never dropped.
func (q *queue) abandon(w *waiter) (woken bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.parked {
		q.unparkLocked(w)
		return false
	}
	<-w.wake
	return true
}

// overLimit is why a short poll is refused.
func (q *queue) overLimit() error {
	n := q.counts[classInFlight]
	return &ParamError{Err: ErrOverLimit, Param: "MessagesInFlight", Value: n, Max: q.limit,
		Reason: fmt.Sprintf("%d messages are in flight; delete some before receiving more", n)}
}

// Deliveries receives from q until an error ends it, and yields each message in turn.
//
// Where in.Wait is 0 it waits 20 seconds per receive, so that an idle loop costs nothing; with
// [Zero] it polls without a pause. An error of Receive, that of an ended ctx included, is yielded
// once and ends the iteration; over a network, where errors pass, a loop around it goes on. A nil q
// is refused with [ErrMissingParameter], an AttemptID, which names a single receive, with
// [ErrInvalidParameter].
//
// When ctx ends or the loop is left, be it by a panic or by [runtime.Goexit], what was received with
// in.Max above 1 and not yet yielded is given back as by [Delivery.Return]: uncounted where q is a
// queue of this package. Over a network that is one call for up to ten messages and takes five
// seconds at most. What cannot be given back comes back by its visibility timeout, and so does the
// message whose processing panicked.
func Deliveries(ctx context.Context, q Queue, in ReceiveInput) iter.Seq2[Delivery, error] {
	if in.Wait == 0 {
		in.Wait = maxWait
	}
	return func(yield func(Delivery, error) bool) {
		if err := checkDeliveries(ctx, q, &in); err != nil {
			yield(Delivery{}, err)
			return
		}
		for {
			ds, err := q.Receive(ctx, in)
			if err != nil {
				yield(Delivery{}, err)
				return
			}
			if !yieldEach(ctx, ds, yield) {
				return
			}
		}
	}
}

// checkDeliveries refuses what Deliveries cannot loop over.
func checkDeliveries(ctx context.Context, q Queue, in *ReceiveInput) error {
	switch {
	case ctx == nil:
		return errNoContext()
	case q == nil:
		return &ParamError{Err: ErrMissingParameter, Param: "q", Reason: "must not be nil"}
	case in.AttemptID != "":
		return &ParamError{Err: ErrInvalidParameter, Param: "ReceiveRequestAttemptId", Value: in.AttemptID,
			Reason: "must be empty for Deliveries: an id is for one receive and its repetitions"}
	}
	return nil
}

// yieldEach yields the deliveries of one receive. However it ends, those not yielded are given back.
func yieldEach(ctx context.Context, ds []Delivery, yield func(Delivery, error) bool) (more bool) {
	next := 0
	defer func() { giveBack(ds[next:]) }()
	for next < len(ds) {
		if next > 0 && ctx.Err() != nil {
			return true // the next Receive tells why
		}
		next++
		if !yield(ds[next-1], nil) {
			return false
		}
	}
	return true
}

// giveBackTime bounds the giving back in all, since a network may be dead and the loop's ctx has
// often ended by then.
const giveBackTime = 5 * time.Second

// giveBack returns deliveries that nobody will process. One that fails comes back by its timeout.
func giveBack(ds []Delivery) {
	if len(ds) == 0 {
		return
	}
	ctx := context.Background()
	if ds[0].outside != nil {
		bounded, cancel := context.WithTimeout(ctx, giveBackTime)
		defer cancel()
		ctx = bounded
	}
	var q Queue // of changes
	var changes []VisibilityChange
	flush := func() {
		if len(changes) != 0 {
			_ = q.ChangeVisibilityBatch(ctx, changes)
			changes = changes[:0]
		}
	}
	// In reverse, so that a FIFO group is unlocked by its first message, when the others are ready
	// again.
	for i := len(ds) - 1; i >= 0; i-- {
		d := &ds[i]
		to := d.batchQueue()
		if to == nil {
			_ = d.Return(ctx, 0)
			continue
		}
		if d.held(ctx) != nil {
			continue
		}
		if len(changes) == maxBatch || !sameQueue(q, to) {
			flush()
		}
		q = to
		changes = append(changes, VisibilityChange{ReceiptHandle: d.ReceiptHandle()})
	}
	flush()
}

// batchQueue is where a delivery is returned by a change of its visibility, which can be one call
// for several; nil where Return has another way.
func (d *Delivery) batchQueue() Queue {
	if d.outside == nil {
		return nil
	}
	if _, ok := d.outside.queue.(returner); ok {
		return nil
	}
	return d.outside.queue
}

// sameQueue reports whether both are known to be the same. The type of a foreign one may be one that
// cannot be compared.
func sameQueue(a, b Queue) bool {
	return a != nil && reflect.ValueOf(a).Comparable() && a == b
}
