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

// Delete removes the message of a receive for good. A consumer calls it when it has finished the
// work, not before, and so that the call takes place:
//
//   - A consumer that forgets it, fails or panics has the message come back when its visibility
//     timeout is over, with a ReceiveCount one higher, again and again until the retention ends or
//     the dead-letter target takes it, see [WithDeadLetter]. On FIFO its group waits meanwhile.
//   - A consumer that is late, whose work takes longer than the visibility timeout, does it beside
//     somebody else: the message is visible again and is received once more. ChangeVisibility in
//     time prevents that.
//   - A consumer that is told to stop by the end of its ctx must not delete under it: a call with
//     an ended ctx does nothing, and the work that has just been finished would be done again. Use
//     [context.WithoutCancel].
//
// On Standard any handle the queue issued for the message deletes it, also after its visibility
// timeout and after later receives: who is late deletes it all the same. On FIFO only the latest
// handle does, and only while the message is in flight: otherwise the call is refused with
// [ErrReceiptHandleExpired], and the message stays with whoever has it now. On both, deleting a
// message that is gone succeeds. A handle that this queue did not issue is refused with
// [ErrReceiptHandleInvalid], an empty one with [ErrMissingParameter].
//
// With a [Journal] Delete returns when the end of the message is as safe as the journal's mode says, and ctx
// does not end that wait; handles of receives before a restart are good after it. Until then the message
// stays in flight. [ErrJournalFull], when even the reserve is used up, leaves it in flight, and it comes back
// after its timeout; after [ErrJournalFailed] it may be gone or not when the journal is opened anew.
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
	if q.fifo != nil {
		return q.enter()
	}
	q.mu.Lock()
	if q.gone != nil {
		err = q.gone
		q.mu.Unlock()
		return 0, err
	}
	if q.waiters.head != nil || q.heard { // room in flight may let one of them have a message
		q.last = max(q.last, int64(time.Since(q.ids.epoch)))
	}
	return q.last, nil
}

// deleteLocked deletes by the rules of the queue's type (SQS: DEL-1, receipt-handle table).
func (q *queue) deleteLocked(now int64, rc receipt) error {
	r := q.findLocked(now, rc)
	if r != nil && q.fifo != nil && !q.currentLocked(now, rc, r) {
		return q.refuseLapsedLocked(now, rc)
	}
	q.metrics.deleted++
	switch {
	case r == nil:
		if q.journal != nil { // it may be about to be gone, and then this call is as good as the one that did that
			q.joinLocked(rc.seq)
		}
	case q.heard && r.flags&flagTwice == 0 && q.lateLocked(now, rc, r):
		q.ackLocked(now, rc.slot, r, true)
	case q.plain && r.rare == nil && r.state == stateInFlight && r.flags == flagLine:
		q.deletePlainLocked(now, rc.slot, r)
	case q.ordered && r.rare == nil && r.state == stateInFlight:
		q.deleteOrderedLocked(now, rc.slot, r)
	case r.flags&flagTwice != 0:
	default:
		q.ackLocked(now, rc.slot, r, false)
	}
	return nil
}

// findLocked returns the message that rc names, nil where it is gone or its retention is over, be
// the timer late or not. What is leaving is as good as gone.
func (q *queue) findLocked(now int64, rc receipt) *record {
	r := q.store.find(rc.slot, rc.seq)
	if r == nil || r.state == stateLeaving || after(r.enqueued, q.settings.Load().retention) <= now {
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

// duplicateOfLocked reports whether the receive of a handle goes on although another came after it: that
// one is its duplicate, or will be.
func (q *queue) duplicateOfLocked(now int64, rc receipt, r *record) bool {
	if r.rare == nil || r.rare.twin == 0 || r.rare.twin != rc.receive {
		return false
	}
	return r.flags&flagTwice != 0 || r.receive == rc.receive+1 && q.leasedLocked(now, rc.slot, r)
}

// lateLocked reports whether the receive of a handle is over, on Standard.
func (q *queue) lateLocked(now int64, rc receipt, r *record) bool {
	return !q.currentLocked(now, rc, r) && !q.duplicateOfLocked(now, rc, r)
}

// refuseLapsedLocked refuses a handle whose receive is over, on FIFO, and tells of it.
func (q *queue) refuseLapsedLocked(now int64, rc receipt) error {
	err := q.expiredHandle(rc)
	q.lapsedLocked(now, rc.slot, err)
	return err
}

// tellLapsedLocked tells of a handle by which there is nothing to change, unless a duplicate is the reason.
func (q *queue) tellLapsedLocked(now int64, rc receipt, r *record) {
	if q.lateLocked(now, rc, r) {
		q.lapsedLocked(now, rc.slot, nil)
	}
}

func (q *queue) expiredHandle(rc receipt) error {
	return &ParamError{Err: ErrReceiptHandleExpired, Param: "ReceiptHandle", Value: q.ids.handle(rc),
		Reason: "the message is no longer in flight for this receive"}
}

func (q *queue) goneMessage(rc receipt) error {
	return &ParamError{Err: ErrNotInFlight, Param: "ReceiptHandle", Value: q.ids.handle(rc),
		Reason: "the message is gone: deleted, expired, purged or moved"}
}

// DeleteBatch is Delete for 1 to 10 handles. Entries that fail are in the [*BatchError]; the others
// are deleted. A batch of another length is refused whole with [ErrEmptyBatch] or
// [ErrTooManyEntries]. With a [Journal] it waits once for all entries, which fail together.
func (q *queue) DeleteBatch(ctx context.Context, receiptHandles []string) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	if err := checkBatch("DeleteMessageBatch", len(receiptHandles), q.settings.Load()); err != nil {
		return q.refused(err)
	}
	var few [maxBatch]parsedHandle
	parsed := few[:0]
	for _, h := range receiptHandles {
		parsed = append(parsed, q.parseHandle(h))
	}
	return q.eachEntry(len(parsed), (*queue).enterToDelete, func(i int, now int64) error {
		if parsed[i].err != nil {
			return parsed[i].err
		}
		return q.deleteLocked(now, parsed[i].receipt)
	})
}

// parsedHandle is a receipt handle that was read, or why it could not be.
type parsedHandle struct {
	receipt
	err error
}

func (q *queue) parseHandle(handle string) (p parsedHandle) {
	p.receipt, p.err = q.ids.parse(handle)
	return p
}

// entriesAtOnce bounds what one critical section does for a batch beyond SQS limits.
const entriesAtOnce = 64

// inParts carries out a call on n entries, at most entriesAtOnce in one critical section: do is
// called with q.mu held for the entries from..to-1. enter locks and tells the time. inParts returns
// how many entries were carried out for good, and why the others were not.
func (q *queue) inParts(n int, enter func(*queue) (int64, error), do func(from, to int, now int64)) (tried int, err error) {
	for from := 0; from < n; from += entriesAtOnce {
		now, err := enter(q)
		if err != nil {
			return from, err
		}
		do(from, min(n, from+entriesAtOnce), now)
		if err := q.leave(now); err != nil {
			return from, err
		}
	}
	return n, nil
}

// eachEntry calls do for n entries of a batch, in order, with q.mu held, and collects what fails
// (SQS: DEL-3, VIS-8).
func (q *queue) eachEntry(n int, enter func(*queue) (int64, error), do func(i int, now int64) error) error {
	var failures batchFailures
	tried, err := q.inParts(n, enter, func(from, to int, now int64) {
		for i := from; i < to; i++ {
			if err := do(i, now); err != nil {
				failures.add(i, err)
			}
		}
	})
	return failures.ended(tried, n, err)
}

// DeleteAll deletes the messages of deliveries, as DeleteBatch does, without making their handles,
// and in any number; none at all is no error. It is beyond SQS. What Delete says of stopping holds
// here too. Deliveries of other queues fail with [ErrReceiptHandleInvalid].
func (q *queue) DeleteAll(ctx context.Context, ds []Delivery) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	if len(ds) == 0 {
		return q.refused(nil)
	}
	// Not by eachEntry: a call for each entry costs one percent of what a message costs in all.
	var failures batchFailures
	tried, err := q.inParts(len(ds), (*queue).enterToDelete, func(from, to int, now int64) {
		part := ds[from:to]
		for i := range part {
			d := &part[i]
			if d.source != q {
				failures.add(from+i, notOwn(d))
			} else if err := q.deleteLocked(now, d.receipt); err != nil {
				failures.add(from+i, err)
			}
		}
	})
	return failures.ended(tried, len(ds), err)
}

// notOwn refuses a delivery of another queue.
func notOwn(d *Delivery) error {
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
	return q.eachEntry(len(ds), (*queue).enter, func(i int, now int64) error {
		if d := &ds[i]; d.source == q {
			return q.changeLocked(now, d.receipt, timeout)
		}
		return notOwn(&ds[i])
	})
}

// ChangeVisibility makes the message of a receive visible again timeout from now, whatever was left
// of the old timeout; 0 or [Zero] at once. It holds for this receive only. A consumer calls it to
// have more time, before the timeout is over, or to have a message that failed tried again soon.
//
// On Standard an older handle changes the current receive, and the handle of a message that is
// visible again changes nothing; both succeed. On FIFO both are refused with
// [ErrReceiptHandleExpired]. On both types the handle of a message that is gone is refused with
// [ErrNotInFlight], one that this queue did not issue with [ErrReceiptHandleInvalid], and an empty one
// with [ErrMissingParameter].
// timeout is at most 12 hours, and so is the time from the receive to the new end; beyond that the
// call is refused with [ErrInvalidParameter].
//
// With a [Journal] the change is written when the call returns, but the disk is not waited for: a power cut
// may take it back. An error of the journal comes when the change is made already; a restart may not know it.
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

// changeLocked changes a visibility by the rules of the queue's type (SQS: VIS-1..7,
// receipt-handle table).
func (q *queue) changeLocked(now int64, rc receipt, timeout time.Duration) error {
	r := q.findLocked(now, rc)
	switch {
	case r == nil:
		return q.goneMessage(rc)
	case q.fifo != nil && !q.currentLocked(now, rc, r):
		return q.refuseLapsedLocked(now, rc)
	}
	if !q.leasedLocked(now, rc.slot, r) {
		q.tellLapsedLocked(now, rc, r)
		return nil // visible again: nothing to change
	}
	if err := q.checkTotal(now, r, timeout); err != nil {
		return err
	}
	if timeout != 0 || r.state == stateBurying {
		q.extendLocked(now, rc.slot, r, timeout)
		if q.watched {
			q.tellMessageLocked(now, Event{Kind: EventExtended, Late: q.heard && q.lateLocked(now, rc, r)}, rc.slot)
		}
		return nil
	}
	late := q.heard && q.lateLocked(now, rc, r)
	r.flags |= flagChanged
	q.timeouts.remove(&q.store, rc.slot, r)
	q.releaseLocked(now, rc.slot, r, EventReleased, late)
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

// ChangeVisibilityBatch is ChangeVisibility for 1 to 10 receives. Entries that fail are in the
// [*BatchError]; the others are changed. A batch of another length is refused whole with
// [ErrEmptyBatch] or [ErrTooManyEntries].
func (q *queue) ChangeVisibilityBatch(ctx context.Context, changes []VisibilityChange) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	if err := checkBatch("ChangeMessageVisibilityBatch", len(changes), q.settings.Load()); err != nil {
		return q.refused(err)
	}
	var few [maxBatch]parsedHandle
	parsed := few[:0]
	for i := range changes {
		parsed = append(parsed, q.parseHandle(changes[i].ReceiptHandle))
	}
	return q.eachEntry(len(parsed), (*queue).enter, func(i int, now int64) error {
		if parsed[i].err != nil {
			return parsed[i].err
		}
		timeout, err := q.checkTimeout(changes[i].Timeout)
		if err != nil {
			return err
		}
		return q.changeLocked(now, parsed[i].receipt, timeout)
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
// Handles that are empty or of another queue are refused as by Delete. What ChangeVisibility says of a
// [Journal] holds here too.
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
