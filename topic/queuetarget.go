package topic

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"example.com/inq"
)

// queueTarget delivers to a queue. It keeps what it found under the ARN, until the queue turns out to
// be gone: then there may be another one of the name.
type queueTarget struct {
	account *Account
	arn     string
	found   atomic.Pointer[foundQueue]

	// detached tells that the queue was given by reference to an earlier process, and not yet to this
	// one. What is not found is tried again until it is.
	detached atomic.Bool
}

// foundQueue is a queue, and as what it can be reached.
type foundQueue struct {
	inq.Queue
	standard *inq.Standard // nil: not a Standard queue of this process
	local    bool
}

func newFoundQueue(q inq.Queue) *foundQueue {
	f := &foundQueue{Queue: q}
	// A wrapper around a queue of this process is none: its Send can do what it likes, and take its time.
	if f.standard, f.local = q.(*inq.Standard); !f.local {
		_, f.local = q.(*inq.FIFO)
	}
	return f
}

// queueARN is the ARN of a queue by reference. Queues that do not tell theirs have one that is made
// of their name.
func queueARN(a *Account, q inq.Queue) string {
	if q, ok := q.(interface{ ARN() string }); ok && isQueueARN(q.ARN()) {
		return q.ARN()
	}
	return "arn:aws:sqs:" + a.region + ":" + a.id + ":" + q.Name()
}

// isQueueARN reports whether text has the form arn:<partition>:sqs:<region>:<account>:<name>.
func isQueueARN(text string) bool {
	parts := strings.Split(text, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[1] == "" || parts[2] != "sqs" || parts[3] == "" || parts[4] == "" {
		return false
	}
	base := strings.TrimSuffix(parts[5], ".fifo")
	return base != "" && len(parts[5]) <= 80 &&
		strings.Trim(base, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// bindQueue makes a subscription of a queue (SNS: SUB-3, SUB-5 to SUB-8).
func (s *Subscription) bindQueue(p protocolTarget, settings *subscriptionSettings) *ParamError {
	a := s.topic.account
	q := &queueTarget{account: a, arn: p.endpoint}
	if p.queue != nil {
		q.found.Store(newFoundQueue(p.queue))
	}
	if !isQueueARN(q.arn) {
		return &ParamError{Err: ErrInvalidParameter, Param: "Endpoint", Value: q.arn, Reason: "must be the ARN of a queue",
			Text: "Invalid parameter: SQS endpoint ARN"}
	}
	if s.topic.fifo == nil && isFIFOName(q.arn) {
		return &ParamError{Err: ErrInvalidParameter, Param: "Endpoint", Value: q.arn, Reason: "a Standard topic takes Standard queues only",
			Text: "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"}
	}
	s.endpoint, s.target = q.arn, q
	if p.queue == nil && strings.Split(q.arn, ":")[4] != a.id {
		settings.confirmed, settings.authenticated = false, false // the owner of the queue confirms
	}
	return nil
}

func isNilQueue(q inq.Queue) bool {
	switch q := q.(type) {
	case *inq.Standard:
		return q == nil
	case *inq.FIFO:
		return q == nil
	}
	return q == nil
}

// isFIFOName tells the type of a queue by its name or ARN.
func isFIFOName(name string) bool { return strings.HasSuffix(name, ".fifo") }

// fifoQueue reports that the subscription's target is a FIFO queue.
func (s *Subscription) fifoQueue() bool {
	return s.protocol == "sqs" && isFIFOName(s.endpoint)
}

// finish derives what depends on several settings.
func (settings *subscriptionSettings) finish(s *Subscription) {
	settings.straight = nil
	q, ok := s.target.(*queueTarget)
	if ok && settings.raw && settings.confirmed && s.topic.fifo == nil {
		settings.straight = q
	}
}

// resolve finds the queue.
func (q *queueTarget) resolve() (*foundQueue, error) {
	if f := q.found.Load(); f != nil {
		return f, nil
	}
	found, err := q.account.queues(q.arn)
	if err != nil {
		return nil, err
	}
	if found == nil || isNilQueue(found) {
		return nil, inq.ErrQueueDoesNotExist
	}
	f := newFoundQueue(found)
	q.found.Store(f)
	return f, nil
}

// sendStraight sends a raw copy to a Standard queue of this process, and reports whether that went
// well. It is what publish does first, and mostly all.
func (s *Subscription) sendStraight(q *queueTarget, m *Message) bool {
	f := q.found.Load()
	if f == nil {
		f, _ = q.resolve()
	}
	if f == nil || f.standard == nil {
		return false
	}
	_, err := f.standard.Send(context.Background(), inq.Message{Body: m.Body, Attributes: m.Attributes, GroupID: m.GroupID, TraceHeader: m.TraceHeader})
	if err != nil {
		return false
	}
	s.counts.delivered.Add(1)
	return true
}

func (q *queueTarget) atOnce() bool {
	f, err := q.resolve()
	return err != nil || f.local // a queue that is not there fails at once
}

func (*queueTarget) retries(*Subscription) *retryPolicy { return &queueRetries }

// deliver sends a copy. A queue that is gone may have a successor of its name.
func (q *queueTarget) deliver(ctx context.Context, s *Subscription, x *parcel) (duplicate bool, err error) {
	f, err := q.resolve()
	if err == nil {
		duplicate, err = s.send(ctx, f, x)
		if isGone(err) && q.found.CompareAndSwap(f, nil) {
			if next, _ := q.resolve(); next != nil && next.Queue != f.Queue {
				duplicate, err = s.send(ctx, next, x)
			} else {
				q.found.CompareAndSwap(next, f)
			}
		}
	}
	if isGone(err) && q.detached.Load() {
		return false, err
	}
	return duplicate, asRejected(err)
}

// send sends what the subscription delivers to a queue.
func (s *Subscription) send(ctx context.Context, q *foundQueue, x *parcel) (duplicate bool, err error) {
	sent, err := x.sendTo(ctx, s.topic.account, q.Queue, s.queueMessage(x))
	return sent.Duplicate(), err
}

// queueMessage is a copy as a queue gets it (SNS: section 7). A standard queue behind a FIFO topic
// gets neither group nor deduplication id (SNS: FIFO-9).
func (s *Subscription) queueMessage(x *parcel) inq.Message {
	if x.confirmation != nil {
		return inq.Message{Body: s.notification(x).Body()}
	}
	p, settings := x.publication, s.settings.Load()
	m := inq.Message{Body: s.body(p, settings.raw), TraceHeader: p.message.TraceHeader}
	if settings.raw {
		m.Attributes = p.message.Attributes
	}
	switch {
	case s.topic.fifo == nil:
		if s.protocol == "sqs" {
			m.GroupID = p.message.GroupID
		}
	case s.protocol != "sqs" || s.fifoQueue():
		m.GroupID, m.DeduplicationID = p.message.GroupID, p.dedup
	}
	return m
}

func isGone(err error) bool {
	return errors.Is(err, inq.ErrQueueDoesNotExist) || errors.Is(err, inq.ErrClosed)
}

// asRejected marks the errors of queues that a retry does not change: the queue is gone, or it does not
// take what it is given (SNS: RET-6).
func asRejected(err error) error {
	if isGone(err) || errors.Is(err, inq.ErrInvalidParameter) || errors.Is(err, inq.ErrMissingParameter) || errors.Is(err, inq.ErrInvalidMessageContents) {
		return fmt.Errorf("%w: %w", ErrRejected, err)
	}
	return err
}
