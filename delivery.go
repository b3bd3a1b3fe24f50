package inq

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A Delivery is one receive of one message. It can be copied, and what it says never changes, not
// even when the message is gone. Apart from Rebind its methods are safe for concurrent use.
//
// Body, GroupID and ReceiveCount, which nearly every consumer reads, are fields. All else it tells, such
// as ID, ReceiptHandle, SentAt and Attributes, are methods: they make strings on demand, so that a
// consumer that only reads the body and deletes pays for none of them. Delete, ChangeVisibility, Return and Bury act on the queue it came from; on the
// zero Delivery they return [ErrMissingParameter].
type Delivery struct {
	// Body is the text of the message as it was sent.
	Body string
	// GroupID is the message group, "" on Standard if the sender gave none.
	GroupID string
	// ReceiveCount tells how often the message was received, this time included, over all queues it
	// was dead-lettered through.
	ReceiveCount int

	source  *queue
	outside *outside // nil for a delivery as this package's queues make it
	rare    *rare
	dedup   string // contentMark: the hash of the body
	receipt receipt
	sent    int64
	first   int64
	visible int64
}

// outside is what NewDelivery and Rebind add to a Delivery.
type outside struct {
	queue  Queue           // where the methods go
	fields *DeliveryFields // what NewDelivery was given, else nil
}

// contentMark stands for a deduplication id that is the hash of the body. No id can hold this
// character.
const contentMark = "\x00"

// DeliveryFields is what [NewDelivery] makes a Delivery of.
type DeliveryFields struct {
	ID                  string
	Body                string
	ReceiptHandle       string
	GroupID             string
	DeduplicationID     string
	SequenceNumber      string
	TraceHeader         string
	SenderID            string
	DeadLetterSourceARN string // of the queue it was dead-lettered from
	DeadLetterReason    string
	Attributes          map[string]Attribute
	ReceiveCount        int
	SentAt              time.Time
	FirstReceivedAt     time.Time
	VisibleAt           time.Time

	// Held, if not nil, is asked by Return before anything is sent, also after Rebind and by
	// Deliveries. It returns nil while the message is in flight for this receive and otherwise why
	// it is not, such as ErrReceiptHandleExpired, which Return then returns. It is for services
	// where a call with a handle that has lapsed changes a later receive, of another consumer.
	Held func(ctx context.Context) error
}

// NewDelivery makes a Delivery for other implementations of [Queue]. Its methods call q; where that
// is nil they return [ErrMissingParameter].
func NewDelivery(q Queue, f DeliveryFields) Delivery {
	return Delivery{Body: f.Body, GroupID: f.GroupID, ReceiveCount: f.ReceiveCount, outside: &outside{queue: q, fields: &f}}
}

// Rebind makes the methods of d go through q, for wrappers that watch or disturb what a consumer
// does. Everything d says stays the same. Return and Bury need methods of their own in q: embed a
// *Standard or *FIFO rather than a Queue.
func (d *Delivery) Rebind(q Queue) { d.outside = &outside{queue: q, fields: d.foreign()} }

// foreign returns what NewDelivery was given, or nil.
func (d *Delivery) foreign() *DeliveryFields {
	if d.outside == nil {
		return nil
	}
	return d.outside.fields
}

// fillLocked writes what a receive tells of a message.
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

// ID returns the message id, a lower-case UUID for messages of this package's queues. It survives
// the move to a dead-letter queue.
func (d *Delivery) ID() string {
	switch {
	case d.foreign() != nil:
		return d.foreign().ID
	case d.source == nil:
		return ""
	}
	id := d.source.ids.messageID(d.receipt.seq)
	if d.rare != nil && d.rare.id != uuid.Nil {
		id = d.rare.id
	}
	return id.String()
}

// ReceiptHandle returns the handle that names this receive: 32 characters for queues of this
// package.
func (d *Delivery) ReceiptHandle() string {
	switch {
	case d.foreign() != nil:
		return d.foreign().ReceiptHandle
	case d.source == nil:
		return ""
	}
	return d.source.ids.handle(d.receipt) // (SQS: RCV-13)
}

// SequenceNumber returns the place of a FIFO message, "" on Standard.
func (d *Delivery) SequenceNumber() string {
	switch {
	case d.foreign() != nil:
		return d.foreign().SequenceNumber
	case d.source == nil || d.source.fifo == nil:
		return ""
	}
	return d.source.ids.sequenceNumber(d.receipt.seq)
}

// Attributes returns the message attributes, nil if there are none. The map and the bytes in it are
// shared with the queue and every other Delivery of the message: copy what you want to change.
func (d *Delivery) Attributes() map[string]Attribute {
	switch {
	case d.foreign() != nil:
		return d.foreign().Attributes
	case d.rare != nil:
		return d.rare.attributes
	}
	return nil
}

// DeduplicationID returns the id a FIFO queue deduplicated the message by: the sender's, or the
// SHA-256 of the body in hex if the queue deduplicates by content. A message that came from another
// queue has its message id here. It is "" on Standard.
func (d *Delivery) DeduplicationID() string {
	switch {
	case d.foreign() != nil:
		return d.foreign().DeduplicationID
	case d.dedup == contentMark:
		return contentID(d.Body)
	case d.rare != nil && d.rare.dedupID != "":
		return d.rare.dedupID
	}
	return d.dedup
}

// hashedID returns a deduplication id, made of the body where that is what it is.
func hashedID(id, body string) string {
	if id == contentMark {
		return contentID(body)
	}
	return id
}

// contentID is the deduplication id of a body (SQS: FIFO-18).
func contentID(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// TraceHeader returns the AWSTraceHeader the sender gave, or "".
func (d *Delivery) TraceHeader() string {
	switch {
	case d.foreign() != nil:
		return d.foreign().TraceHeader
	case d.rare != nil:
		return d.rare.traceHeader
	}
	return ""
}

// SenderID returns who sent the message: what the sender gave, or else what the queue was given by
// [WithSenderID].
func (d *Delivery) SenderID() string {
	switch {
	case d.foreign() != nil:
		return d.foreign().SenderID
	case d.rare != nil && d.rare.senderID != "":
		return d.rare.senderID
	case d.source != nil:
		return d.source.senderID
	}
	return ""
}

// DeadLetterSourceARN returns the ARN of the queue the message was dead-lettered from, or "" (SQS:
// DLQ-5).
func (d *Delivery) DeadLetterSourceARN() string {
	switch {
	case d.foreign() != nil:
		return d.foreign().DeadLetterSourceARN
	case d.rare != nil:
		return d.rare.sourceARN
	}
	return ""
}

// DeadLetterReason returns why the message was dead-lettered: what Bury was told, or that it was received
// too often. It is "" for a message that was not, and on Amazon SQS, which keeps no reason.
func (d *Delivery) DeadLetterReason() string {
	switch {
	case d.foreign() != nil:
		return d.foreign().DeadLetterReason
	case d.rare != nil:
		return d.rare.reason
	}
	return ""
}

// SentAt returns when the message was sent. A Standard dead-letter queue keeps the original time, a
// FIFO one starts anew.
func (d *Delivery) SentAt() time.Time {
	if d.foreign() != nil {
		return d.foreign().SentAt
	}
	return d.at(d.sent)
}

// FirstReceivedAt returns when the message was received for the first time.
func (d *Delivery) FirstReceivedAt() time.Time {
	if d.foreign() != nil {
		return d.foreign().FirstReceivedAt
	}
	return d.at(d.first)
}

// VisibleAt returns when the visibility timeout given at this receive ends, the zero time for
// [Forever]. Later calls of ChangeVisibility do not show here.
func (d *Delivery) VisibleAt() time.Time {
	if d.foreign() != nil {
		return d.foreign().VisibleAt
	}
	if d.visible == never {
		return time.Time{}
	}
	return d.at(d.visible)
}

func (d *Delivery) at(t int64) time.Time {
	if d.source == nil {
		return time.Time{}
	}
	return d.source.ids.time(t)
}

// Message returns what a producer would send to have this message once more: body, attributes
// (copied), group, trace header, and the sender where the message itself named one. The
// deduplication id is left out, since it would make the copy a duplicate.
func (d *Delivery) Message() Message {
	m := Message{Body: d.Body, Attributes: cloneAttributes(d.Attributes()), GroupID: d.GroupID, TraceHeader: d.TraceHeader()}
	if d.rare != nil && !d.rare.lentSender {
		m.SenderID = d.rare.senderID
	} else if f := d.foreign(); f != nil {
		m.SenderID = f.SenderID
	}
	return m
}

// Delete removes the message from its queue, as the queue's Delete does with the receipt handle:
// when the work is done, since what is not deleted comes back. Where ctx may have ended, because the
// consumer is to stop, use [context.WithoutCancel]: under an ended ctx nothing is deleted, and the
// work that was just finished is done again.
func (d *Delivery) Delete(ctx context.Context) error {
	if d.outside != nil && d.outside.queue != nil {
		return d.outside.queue.Delete(ctx, d.ReceiptHandle())
	}
	if d.outside != nil || d.source == nil {
		return errZeroDelivery()
	}
	return d.source.deleteReceipt(ctx, d.receipt)
}

// ChangeVisibility makes the message visible again timeout from now, as the queue's
// ChangeVisibility does.
func (d *Delivery) ChangeVisibility(ctx context.Context, timeout time.Duration) error {
	if d.outside != nil && d.outside.queue != nil {
		return d.outside.queue.ChangeVisibility(ctx, d.ReceiptHandle(), timeout)
	}
	if d.outside != nil || d.source == nil {
		return errZeroDelivery()
	}
	return d.source.changeReceipt(ctx, d.receipt, timeout)
}

// Return gives the message back as if this receive had not happened, see [Standard.Return]. It is
// beyond SQS: on a [Queue] that has no Return of its own, ChangeVisibility makes the message
// visible after delay, and the receive counts. There, too, it is refused with
// [ErrReceiptHandleExpired] where the message is known to be no longer in flight for this receive:
// it is always known of a message of this package's queues.
//
// It is not for failures: without a delay the next receive gets the same message at once, for ever,
// and no dead-letter limit applies. To have a message tried again, use ChangeVisibility.
func (d *Delivery) Return(ctx context.Context, delay time.Duration) error {
	if d.outside != nil && d.outside.queue != nil {
		if err := d.held(ctx); err != nil {
			return err
		}
		if r, ok := d.outside.queue.(returner); ok {
			return r.Return(ctx, d.ReceiptHandle(), delay)
		}
		return d.outside.queue.ChangeVisibility(ctx, d.ReceiptHandle(), delay)
	}
	if d.outside != nil || d.source == nil {
		return errZeroDelivery()
	}
	return d.source.returnReceipt(ctx, d.receipt, delay)
}

// returner is a [Queue] that can take a receive back.
type returner interface {
	Return(ctx context.Context, receiptHandle string, delay time.Duration) error
}

// held refuses to return a message that this receive has no more: ChangeVisibility with its handle
// would end the receive of another consumer.
func (d *Delivery) held(ctx context.Context) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	if f := d.foreign(); f != nil {
		if f.Held == nil {
			return nil
		}
		return f.Held(ctx)
	}
	if d.source == nil {
		return nil
	}
	now, err := d.source.enter()
	if err != nil {
		return err
	}
	_, err = d.source.findCurrentLocked(now, d.receipt)
	d.source.leave(now)
	return err
}

// Bury hands the message to the queue's dead-letter target now, see [Standard.Bury]. It is beyond
// SQS: on a [Queue] that has no Bury of its own it returns an error that names the type of the queue
// and matches [ErrNoDeadLetterTarget] and [errors.ErrUnsupported].
func (d *Delivery) Bury(ctx context.Context, reason string) error {
	if d.outside != nil && d.outside.queue != nil {
		if b, ok := d.outside.queue.(interface {
			Bury(ctx context.Context, receiptHandle, reason string) error
		}); ok {
			return b.Bury(ctx, d.ReceiptHandle(), reason)
		}
		return &noBury{d.outside.queue}
	}
	if d.outside != nil || d.source == nil {
		return errZeroDelivery()
	}
	return d.source.buryReceipt(ctx, d.receipt, reason)
}

// noBury is the refusal of Bury for a queue that has no such call.
type noBury struct{ queue Queue }

func (e *noBury) Error() string {
	return fmt.Sprintf("inq: %T has no Bury, which is beyond SQS: the message stays in its queue", e.queue)
}

// Unwrap returns what else callers may look for.
func (e *noBury) Unwrap() []error { return []error{ErrNoDeadLetterTarget, errors.ErrUnsupported} }

// errZeroDelivery refuses the methods of a Delivery that has no queue.
func errZeroDelivery() error {
	return &ParamError{Err: ErrMissingParameter, Param: "ReceiptHandle", Value: "", Reason: "the Delivery is empty"}
}
