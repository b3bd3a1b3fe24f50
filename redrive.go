package inq

import (
	"context"
	"fmt"
	"time"
)

// A DeadLetterTarget takes messages that were received too often without being deleted. [*Standard]
// and [*FIFO] are targets, and so are a function, converted to [DeadLetterFunc], and what
// [NewDeadLetterFile] and [DeadLetterLog] make.
//
// The message stays in its queue, where nobody can receive it, until DeadLetter returns: on nil it
// is removed. Where the error matches [ErrClosed] or [ErrQueueDoesNotExist] the target is gone, and the
// message is delivered as if there were none. On any other error, and when DeadLetter panics, the
// message stays, is offered again after 1 second, then 2, up to once a minute, and is not delivered
// meanwhile; in a FIFO queue its group waits. So a message is always in at least one place. A target
// that fails after it stored the message will see it again.
//
// No receive waits for a target. DeadLetter is called in goroutines of the queue, which exist only while
// there is something to hand over: at most 16 calls at once, and for one message of a FIFO group after
// the other. Its ctx ends after 30 seconds, when the queue is closed, and when the message is deleted
// meanwhile: then a target that has it already may keep it. A target that does not heed its ctx keeps
// one of the 16 places; with all of them taken like that, other messages wait as if it had failed.
// Another target that Configure sets has places of its own.
//
// [Counts].NotVisible counts messages on their way, and those that wait for the next try. A program that
// ends when all work is done waits until all three counts are zero; a test in a [testing/synctest]
// bubble calls synctest.Wait, and sleeps where the target fails.
type DeadLetterTarget interface {
	DeadLetter(ctx context.Context, d DeadLetter) error
}

// DeadLetter is a message on its way to a dead-letter target, with what its queue knows of it. The
// JSON form is what [DeadLetterFile] writes; a body that is not valid UTF-8 is in base64 there, as
// bodyBase64.
type DeadLetter struct {
	ID              string               `json:"id"`
	Body            string               `json:"body"`
	Attributes      map[string]Attribute `json:"attributes,omitempty"` // shared and read only
	GroupID         string               `json:"groupId,omitempty"`
	DeduplicationID string               `json:"deduplicationId,omitempty"`
	SequenceNumber  string               `json:"sequenceNumber,omitempty"`
	TraceHeader     string               `json:"traceHeader,omitempty"`
	SenderID        string               `json:"senderId,omitempty"`
	Source          string               `json:"source"` // name of the queue
	SourceARN       string               `json:"sourceArn"`
	Reason          string               `json:"reason"`
	ReceiveCount    int                  `json:"receiveCount"`
	SentAt          time.Time            `json:"sentAt"`
	FirstReceivedAt time.Time            `json:"firstReceivedAt"`

	from *queue // where the hand-over began, so that a move task finds the way back
	lent string // SenderID where the sender gave none and it is that of the queue
}

// Bury hands the message of a receive to the dead-letter target now, and tells it the reason. It is
// beyond SQS: for messages of which the consumer knows that no retry will help.
//
// When it returns nil the target has the message and the queue has it no more. Where the target
// fails, its error is returned, wrapped, and the message is in flight as before; if its timeout
// passed meanwhile, it can be received again. Until then the handle is good for ChangeVisibility, which
// acts should the target fail, and for Delete, which ends the call of the target. The target is called
// with the values of ctx, not its end, and has 30 seconds.
//
// Only the latest handle of a message in flight will do: [ErrReceiptHandleExpired] otherwise,
// [ErrNotInFlight] where the message is gone or was deleted meanwhile, [ErrNoDeadLetterTarget] where the
// queue has no target. Handles that are empty or of another queue are refused as by Delete.
func (q *queue) Bury(ctx context.Context, receiptHandle, reason string) error {
	rc, err := q.ids.parse(receiptHandle)
	if err != nil {
		return q.refusedHandle(ctx, err)
	}
	return q.buryReceipt(ctx, rc, reason)
}

func (q *queue) buryReceipt(ctx context.Context, rc receipt, reason string) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	now, err := q.enter()
	if err != nil {
		return err
	}
	s := q.settings.Load()
	r, err := q.findCurrentLocked(now, rc)
	if err == nil && s.target == nil {
		err = &ParamError{Err: ErrNoDeadLetterTarget, Param: "RedrivePolicy", Reason: "set one with WithDeadLetter"}
	}
	if err != nil {
		return q.done(now, err)
	}
	a := s.address()
	if a.gone != nil {
		q.failedLocked(now, rc.slot, a.gone)
		return q.done(now, targetFailed(a.gone))
	}
	q.buryLocked(now, rc.slot, r)
	l := q.letterLocked(rc.slot, r, a.to, byBury, reason)
	if a.abroad != nil {
		return q.buryAbroad(ctx, now, a.abroad, &l)
	}
	q.errands |= errandLook // there is room in flight now
	q.pause(now)
	var c carrier
	kept, err := c.deliver(&l)
	c.finish()
	c.tell()
	switch {
	case err != nil:
		return targetFailed(err)
	case !kept:
		return q.goneMessage(rc)
	}
	return nil
}

// buryAbroad is the rest of a Bury whose target is no queue of this process: it unlocks and calls the
// target.
func (q *queue) buryAbroad(ctx context.Context, now int64, t DeadLetterTarget, l *letter) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handOverTime)
	defer cancel()
	l.call = q.outbox.begin(l.slot, cancel)
	err = errTargetQuit
	defer func() { // also where the target, or an observer, ends the goroutine
		lost := q.settleCall(l, err)
		if err = targetFailed(err); err == nil {
			err = lost
		}
	}()
	_ = q.leave(now) // the message counts as in flight no more, so a receive that waits may have another
	err = callTarget(ctx, t, &l.DeadLetter)
	return err
}

// targetFailed says whose error it is that Bury returns.
func targetFailed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("inq: dead-letter target: %w", err)
}

// DeadLetter takes a dead letter of another queue, which makes a queue a [DeadLetterTarget]. The
// message keeps its id, body, attributes, trace header, sender, receive count and time of its first
// receive; on Standard also the time it was sent. It has no delay, is never dropped as a duplicate,
// and does not count as sent (SQS: DLQ-5..7, FIFO-24). The errors are those of Send for the
// content and the size, [ErrFull] where the queue is at its capacity, and [ErrInvalidParameter] where it
// comes from the other type of queue. What a queue of this process hands over by itself may be larger
// than the maximum of this one: a FIFO group would wait for ever otherwise.
func (q *queue) DeadLetter(ctx context.Context, d DeadLetter) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	// A function may have changed what a queue of this process gave it, so that d.from proves
	// nothing.
	m := Message{Body: d.Body, Attributes: d.Attributes, GroupID: d.GroupID, TraceHeader: d.TraceHeader, SenderID: d.SenderID}
	s := q.settings.Load()
	size, err := m.check(s)
	if err == nil {
		err = checkSize(size, s)
	}
	if err != nil {
		return q.refused(err)
	}
	d.Attributes = cloneAttributes(d.Attributes)
	l := letter{DeadLetter: d}
	adopted, err := q.adopt(&l)
	if err == nil {
		q.finishAdoption(&l, adopted, true, l.at)
	}
	c := carrier{queues: []*queue{q}}
	c.finish()
	c.tell()
	return err
}
