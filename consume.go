package inq

import (
	"context"
	"time"
)

// VisibilityChange is one entry of ChangeVisibilityBatch: what ChangeVisibility takes.
type VisibilityChange struct {
	ReceiptHandle string
	Timeout       time.Duration // up to 12 hours; 0 or Zero: visible at once
}

// Delete removes the message of a receive for good (SQS: DEL-1, receipt-handle table).
//
// On Standard any handle the queue issued for the message deletes it, also after its visibility
// timeout and after later receives. On FIFO only the latest handle does, and only while the message
// is in flight: otherwise the call is refused with [ErrReceiptHandleExpired]. On both, deleting a
// message that is gone succeeds. A handle that this queue did not issue is refused with
// [ErrReceiptHandleInvalid], an empty one with [ErrMissingParameter].
func (q *queue) Delete(ctx context.Context, receiptHandle string) error {
	rc, err := q.ids.parse(receiptHandle)
	if err != nil {
		return q.refusedHandle(ctx, err)
	}
	return q.deleteReceipt(ctx, rc)
}

// refusedHandle is refused for calls that read the handle before they look at ctx.
func (q *queue) refusedHandle(ctx context.Context, err error) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	return q.refused(err)
}

func (q *queue) deleteReceipt(ctx context.Context, rc receipt) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	now, err := q.enterToDelete()
	if err != nil {
		return err
	}
	err = q.deleteLocked(now, rc)
	return q.done(now, err)
}

// done leaves at the end of a call about one receive.
func (q *queue) done(now int64, err error) error {
	if q.waiters.head == nil && q.errands == 0 {
		q.mu.Unlock()
		return err
	}
	if lost := q.leave(now); err == nil {
		err = lost
	}
	return err
}

// enterToDelete is enter without reading the clock where nothing asks for the time: on Standard a
// delete does not depend on it, and the clock costs as much as the rest of the call.
func (q *queue) enterToDelete() (now int64, err error) {
	if q.fifo != nil || q.settings.Load().observer != nil {
		return q.enter()
	}
	q.mu.Lock()
	if q.gone != nil {
		err = q.gone
		q.mu.Unlock()
		return 0, err
	}
	if q.waiters.head != nil { // room in flight may let one of them have a message
		q.last = max(q.last, int64(time.Since(q.ids.epoch)))
	}
	return q.last, nil
}

// deleteLocked deletes by the rules of the queue's type.
func (q *queue) deleteLocked(now int64, rc receipt) error {
	r := q.findLocked(now, rc)
	if r != nil && q.fifo != nil && !q.currentLocked(now, rc, r) {
		return q.expiredHandle(rc)
	}
	q.metrics.deleted++
	switch {
	case r == nil:
	case q.plain && r.rare == nil && r.state == stateInFlight && r.flags == flagLine:
		// ackLocked, spelled out.
		q.tellLocked(now, EventDeleted, rc.slot)
		q.timeouts.line.Remove(&q.store.nodes, rc.slot)
		q.main.arrivals.remove(&q.store, r)
		q.counts[classInFlight]--
		q.counts[classNone]++
		r.state = stateFree
		q.bytes -= int64(len(r.body))
		q.store.release(rc.slot)
	default:
		q.ackLocked(now, rc.slot, r)
	}
	return nil
}

// findLocked returns the message that rc names, nil where it is gone or its retention is over, be
// the timer late or not.
func (q *queue) findLocked(now int64, rc receipt) *record {
	r := q.store.find(rc.slot, rc.seq)
	if r == nil || after(r.enqueued, q.settings.Load().retention) <= now {
		return nil
	}
	return r
}

// leasedLocked reports whether a message is with a consumer whose timeout is not over, be the timer late
// or not. That goes on while the target has it by the consumer's Bury.
func (q *queue) leasedLocked(now int64, slot uint32, r *record) bool {
	return (r.state == stateInFlight || r.flags&flagLeased != 0) && q.store.nodes.At(slot).Deadline > now
}

// currentLocked reports whether rc names the latest receive and that is leased.
func (q *queue) currentLocked(now int64, rc receipt, r *record) bool {
	return r.receive == rc.receive && q.leasedLocked(now, rc.slot, r)
}

func (q *queue) expiredHandle(rc receipt) error {
	return &ParamError{Err: ErrReceiptHandleExpired, Param: "ReceiptHandle", Value: q.ids.handle(rc),
		Reason: "the message is no longer in flight for this receive"}
}

func (q *queue) goneMessage(rc receipt) error {
	return &ParamError{Err: ErrNotInFlight, Param: "ReceiptHandle", Value: q.ids.handle(rc),
		Reason: "the message is gone: deleted, expired, purged or moved"}
}

// DeleteBatch is Delete for 1 to 10 handles (SQS: DEL-3). Entries that fail are in the
// [*BatchError]; the others are deleted. A batch of another length is refused whole with
// [ErrEmptyBatch] or [ErrTooManyEntries].
func (q *queue) DeleteBatch(ctx context.Context, receiptHandles []string) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	if err := checkBatch("DeleteMessageBatch", len(receiptHandles), q.settings.Load()); err != nil {
		return q.refused(err)
	}
	return q.eachReceipt(len(receiptHandles), (*queue).enterToDelete,
		func(i int) (receipt, error) { return q.ids.parse(receiptHandles[i]) },
		func(_ int, now int64, rc receipt) error { return q.deleteLocked(now, rc) })
}

// entriesAtOnce bounds what one critical section does for a batch beyond SQS limits.
const entriesAtOnce = 64

// eachReceipt applies do to entries of a batch, in order, and collects what fails. enter locks and
// tells the time.
func (q *queue) eachReceipt(n int, enter func(*queue) (int64, error), parse func(i int) (receipt, error),
	do func(i int, now int64, rc receipt) error) error {

	var failures batchFailures
	var receipts [entriesAtOnce]receipt
	var bad [entriesAtOnce]error
	for from := 0; from < n; from += entriesAtOnce {
		part := min(n-from, entriesAtOnce)
		for i := range part {
			receipts[i], bad[i] = parse(from + i)
		}
		now, err := enter(q)
		if err != nil {
			return failures.ended(from, n, err)
		}
		for i := range part {
			err := bad[i]
			if err == nil {
				err = do(from+i, now, receipts[i])
			}
			if err != nil {
				failures.add(from+i, err)
			}
		}
		if err := q.leave(now); err != nil {
			return failures.ended(from, n, err)
		}
	}
	return failures.err()
}

// DeleteAll deletes the messages of deliveries, as DeleteBatch does, without making their handles,
// and in any number; none at all is no error. It is beyond SQS. Deliveries of other queues fail
// with [ErrReceiptHandleInvalid].
func (q *queue) DeleteAll(ctx context.Context, ds []Delivery) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	if len(ds) == 0 {
		return q.refused(nil)
	}
	var failures batchFailures
	for from := 0; from < len(ds); from += entriesAtOnce {
		part := ds[from:min(len(ds), from+entriesAtOnce)]
		now, err := q.enterToDelete()
		if err != nil {
			return failures.ended(from, len(ds), err)
		}
		for i := range part {
			err := q.checkOwn(&part[i])
			if err == nil {
				err = q.deleteLocked(now, part[i].receipt)
			}
			if err != nil {
				failures.add(from+i, err)
			}
		}
		if err := q.leave(now); err != nil {
			return failures.ended(from, len(ds), err)
		}
	}
	return failures.err()
}

// checkOwn refuses a delivery that did not come from this queue.
func (q *queue) checkOwn(d *Delivery) error {
	if d.source == q {
		return nil
	}
	return &ParamError{Err: ErrReceiptHandleInvalid, Param: "ReceiptHandle", Value: d.ReceiptHandle(), Reason: "a delivery of another queue"}
}

// ExtendAll changes the visibility of deliveries, as ChangeVisibilityBatch does, without making
// their handles, and in any number; none at all is no error. It is beyond SQS. A timeout out of
// range is refused whole with [ErrInvalidParameter]. Deliveries of other queues fail with
// [ErrReceiptHandleInvalid].
func (q *queue) ExtendAll(ctx context.Context, ds []Delivery, timeout time.Duration) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	timeout, err := q.checkTimeout(timeout)
	if err != nil {
		return q.refused(err)
	}
	if len(ds) == 0 {
		return q.refused(nil)
	}
	var failures batchFailures
	for from := 0; from < len(ds); from += entriesAtOnce {
		part := ds[from:min(len(ds), from+entriesAtOnce)]
		now, err := q.enter()
		if err != nil {
			return failures.ended(from, len(ds), err)
		}
		for i := range part {
			err := q.checkOwn(&part[i])
			if err == nil {
				err = q.changeLocked(now, part[i].receipt, timeout)
			}
			if err != nil {
				failures.add(from+i, err)
			}
		}
		if err := q.leave(now); err != nil {
			return failures.ended(from, len(ds), err)
		}
	}
	return failures.err()
}

// ChangeVisibility makes the message of a receive visible again timeout from now, whatever was left
// of the old timeout; 0 or [Zero] at once (SQS: VIS-1..7). It holds for this receive only.
//
// On Standard an older handle changes the current receive, and the handle of a message that is
// visible again changes nothing; both succeed. On FIFO both are refused with
// [ErrReceiptHandleExpired]. On both types the handle of a message that is gone is refused with
// [ErrNotInFlight], one that this queue did not issue with [ErrReceiptHandleInvalid], and an empty one
// with [ErrMissingParameter].
// timeout is at most 12 hours, and so is the time from the receive to the new end; beyond that the
// call is refused with [ErrInvalidParameter] (SQS: VIS-3).
func (q *queue) ChangeVisibility(ctx context.Context, receiptHandle string, timeout time.Duration) error {
	rc, err := q.ids.parse(receiptHandle)
	if err != nil {
		return q.refusedHandle(ctx, err)
	}
	return q.changeReceipt(ctx, rc, timeout)
}

func (q *queue) changeReceipt(ctx context.Context, rc receipt, timeout time.Duration) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	timeout, err := q.checkTimeout(timeout)
	if err != nil {
		return q.refused(err)
	}
	now, err := q.enter()
	if err != nil {
		return err
	}
	err = q.changeLocked(now, rc, timeout)
	return q.done(now, err)
}

// checkTimeout applies the range of VIS-3.
func (q *queue) checkTimeout(timeout time.Duration) (time.Duration, error) {
	timeout = plainZero(timeout)
	longest := maxVisibility
	if q.settings.Load().unlimited {
		longest = Forever
	}
	if timeout < 0 || timeout > longest {
		return 0, &ParamError{Err: ErrInvalidParameter, Param: "VisibilityTimeout", Value: timeout, Min: time.Duration(0), Max: longest}
	}
	return timeout, nil
}

// changeLocked changes a visibility by the rules of the queue's type.
func (q *queue) changeLocked(now int64, rc receipt, timeout time.Duration) error {
	r := q.findLocked(now, rc)
	switch {
	case r == nil:
		return q.goneMessage(rc)
	case q.fifo != nil && !q.currentLocked(now, rc, r):
		return q.expiredHandle(rc)
	}
	if !q.leasedLocked(now, rc.slot, r) {
		return nil // visible again: nothing to change
	}
	if err := q.checkTotal(now, r, timeout); err != nil {
		return err
	}
	if timeout != 0 || r.state == stateBurying {
		q.extendLocked(now, rc.slot, r, timeout)
		return nil
	}
	r.flags |= flagChanged
	q.timeouts.remove(&q.store, rc.slot, r)
	q.releaseLocked(now, rc.slot, r, EventReleased)
	return nil
}

// checkTotal applies the bound on the whole time a receive can last (SQS: VIS-3).
func (q *queue) checkTotal(now int64, r *record, timeout time.Duration) error {
	if timeout != 0 && !q.settings.Load().unlimited && now-r.received+int64(timeout) > int64(maxVisibility) {
		return &ParamError{Err: ErrInvalidParameter, Param: "VisibilityTimeout", Value: timeout, Min: time.Duration(0),
			Max:    time.Duration(max(int64(maxVisibility)-(now-r.received), 0)),
			Reason: "the total since the receive must not be beyond 12 hours"}
	}
	return nil
}

// ChangeVisibilityBatch is ChangeVisibility for 1 to 10 receives (SQS: VIS-8). Entries that fail
// are in the [*BatchError]; the others are changed. A batch of another length is refused whole with
// [ErrEmptyBatch] or [ErrTooManyEntries].
func (q *queue) ChangeVisibilityBatch(ctx context.Context, changes []VisibilityChange) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	if err := checkBatch("ChangeMessageVisibilityBatch", len(changes), q.settings.Load()); err != nil {
		return q.refused(err)
	}
	return q.eachReceipt(len(changes), (*queue).enter,
		func(i int) (receipt, error) { return q.ids.parse(changes[i].ReceiptHandle) },
		func(i int, now int64, rc receipt) error {
			timeout, err := q.checkTimeout(changes[i].Timeout)
			if err != nil {
				return err
			}
			return q.changeLocked(now, rc, timeout)
		})
}

// Return gives a message back as if this receive had not happened: it stands where it stood, its
// receive count and the time of its first receive are what they were, and the handle is void. With
// a delay of up to 15 minutes it cannot be received before that has passed; 0 and [Zero] mean none.
// Return is beyond SQS: for a consumer that must stop, or that took more than it can do.
//
// It is not for failures: a consumer that returns a message without a delay and receives again gets
// the same message at once, for ever, and since the receive does not count, no limit of
// [WithDeadLetter] ends that. To have a message tried again, use ChangeVisibility.
//
// Only the latest handle of a message in flight will do: [ErrReceiptHandleExpired] otherwise,
// [ErrNotInFlight] where the message is gone, [ErrInvalidParameter] for a delay out of range.
// Handles that are empty or of another queue are refused as by Delete.
func (q *queue) Return(ctx context.Context, receiptHandle string, delay time.Duration) error {
	rc, err := q.ids.parse(receiptHandle)
	if err != nil {
		return q.refusedHandle(ctx, err)
	}
	return q.returnReceipt(ctx, rc, delay)
}

func (q *queue) returnReceipt(ctx context.Context, rc receipt, delay time.Duration) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	delay = plainZero(delay)
	s := q.settings.Load()
	longest := maxDelay
	if s.unlimited {
		longest = s.retention - 1
	}
	if delay < 0 || delay > longest {
		return q.refused(&ParamError{Err: ErrInvalidParameter, Param: "DelaySeconds", Value: delay, Min: time.Duration(0), Max: longest})
	}
	now, err := q.enter()
	if err != nil {
		return err
	}
	r, err := q.findCurrentLocked(now, rc)
	if err == nil {
		q.returnLocked(now, rc.slot, r, delay)
	}
	return q.done(now, err)
}

// findCurrentLocked returns the message of the latest receive while that is in flight: what Return
// and Bury demand.
func (q *queue) findCurrentLocked(now int64, rc receipt) (*record, error) {
	r := q.findLocked(now, rc)
	if r == nil {
		return nil, q.goneMessage(rc)
	}
	if !q.currentLocked(now, rc, r) || r.state != stateInFlight {
		return nil, q.expiredHandle(rc)
	}
	return r, nil
}
