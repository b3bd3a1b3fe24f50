package topic

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync/atomic"

	"example.com/inq"
)

// counts are what became of the copies for one subscription.
type counts struct {
	delivered, deduplicated, retries, deadLettered, failed atomic.Uint64
}

// SubscriptionStats tells what became of the copies for a subscription since it was made. Each copy
// is counted once, in one of Delivered, Deduplicated, DeadLettered, Failed and Waiting.
type SubscriptionStats struct {
	Delivered    uint64 // taken by the target
	Deduplicated uint64 // taken by a FIFO queue for duplicates: a retry came when the first try had arrived after all, or the queue has ids of its own
	DeadLettered uint64 // taken by the dead-letter queue
	Failed       uint64 // lost: no dead-letter queue, or it failed too; each is logged
	Waiting      int    // on their way, or waiting for their next try
	Retries      uint64 // attempts that were not the first
	Filtered     uint64 // messages published since it was confirmed that its filter policy did not take
}

// Stats returns the numbers as they are now.
func (s *Subscription) Stats() SubscriptionStats {
	if s.topic == nil {
		return SubscriptionStats{}
	}
	published := s.topic.number.Load() - s.since.Load()
	s.pipe.mu.Lock()
	waiting := s.pipe.waiting
	s.pipe.mu.Unlock()
	c := &s.counts
	out := SubscriptionStats{
		Delivered: c.delivered.Load(), Deduplicated: c.deduplicated.Load(), DeadLettered: c.deadLettered.Load(), Failed: c.failed.Load(),
		Waiting: waiting, Retries: c.retries.Load(),
	}
	copies := out.Delivered + out.Deduplicated + out.DeadLettered + out.Failed + uint64(out.Waiting)
	if s.settings.Load().confirmed && published > copies {
		out.Filtered = published - copies
	}
	return out
}

// accept takes a copy of a message of a Standard topic and delivers it: at once where that is a matter
// of microseconds, else by a goroutine.
func (s *Subscription) accept(p *publication, settings *subscriptionSettings) {
	x := &parcel{publication: p}
	if !s.tryAtOnce(x) {
		s.enqueue(x, new(pendings))
	}
}

// tryAtOnce makes an attempt where that is a matter of microseconds, and reports whether the copy of a
// message of a Standard topic has come to its end.
func (s *Subscription) tryAtOnce(x *parcel) bool {
	if !s.target.atOnce() {
		return false
	}
	_, err := s.pipe.attempt(x) // no queue behind a Standard topic knows duplicates
	switch {
	case err == nil:
		s.counts.delivered.Add(1)
		return true
	case !errors.Is(err, ErrRejected):
		x.attempts = 1
	case s.buriesAtOnce():
		s.bury(x, err)
		return true
	default:
		x.doomed = err
	}
	return false
}

// enqueue gives a copy to the pipe. What the caller has to wait for is added to waits.
func (s *Subscription) enqueue(x *parcel, waits *pendings) {
	turn, reason := s.pipe.add(x)
	switch {
	case reason != nil:
		s.refuse(x, reason)
		waits.take(x)
	case turn:
		go s.pipe.work(0, nil)
	}
}

// refuse buries a copy that the pipe did not take. Its publisher must not wait for a dead-letter queue
// elsewhere.
func (s *Subscription) refuse(x *parcel, reason error) {
	if s.pipe.staysLocked(x, reason) {
		return
	}
	defer s.topic.account.letGo(x)
	if s.buriesAtOnce() {
		s.bury(x, reason)
		return
	}
	s.lose(x, reason, errors.New("the dead-letter queue is not in this process, and too much waits for it already"))
}

// buriesAtOnce reports that giving a copy to the dead-letter queue is a matter of microseconds.
func (s *Subscription) buriesAtOnce() bool {
	settings := s.settings.Load()
	if settings.deadLetterARN == "" {
		return true
	}
	q, err := s.deadLetterQueue(settings)
	return err != nil || newFoundQueue(q).local
}

// bury gives a copy that cannot be delivered to the dead-letter queue of the subscription. Without
// one, and where that fails too, it is lost: counted and logged (SNS: section 12).
func (s *Subscription) bury(x *parcel, why error) {
	if x.confirmation != nil { // never a dead letter (SNS: HTTP-5)
		s.topic.account.log().Warn("a confirmation could not be delivered", s.about(x, why)...)
		return
	}
	err := s.deadLetter(x)
	if err == nil {
		s.counts.deadLettered.Add(1)
		return
	}
	s.lose(x, why, err)
}

// lose counts and logs a copy that nobody gets.
func (s *Subscription) lose(x *parcel, why, err error) {
	s.counts.failed.Add(1)
	about := s.about(x, why)
	if !errors.Is(err, errNoDeadLetter) {
		about = append(about, slog.Any("deadLetterError", err))
	}
	s.topic.account.log().Warn("a message could not be delivered and is lost", about...)
}

func (s *Subscription) about(x *parcel, why error) []any {
	about := []any{slog.String("subscription", s.ARN()), slog.String("protocol", s.protocol), slog.String("endpoint", s.endpoint),
		slog.Int("attempts", x.attempts+1), slog.Any("error", why)}
	if x.publication != nil {
		about = append(about, slog.String("message", x.id()))
	}
	return about
}

var errNoDeadLetter = errors.New("topic: subscription has no dead-letter queue")

// deadLetterQueue finds the dead-letter queue, which is set.
func (s *Subscription) deadLetterQueue(settings *subscriptionSettings) (q inq.Queue, err error) {
	if settings.deadLetter != nil {
		return settings.deadLetter, nil
	}
	q, err = s.topic.account.queues(settings.deadLetterARN)
	if err == nil && (q == nil || isNilQueue(q)) {
		err = inq.ErrQueueDoesNotExist
	}
	return q, err
}

// deadLetter sends to the dead-letter queue what the target would have got (SNS: DLQ-2, FIFO-10).
func (s *Subscription) deadLetter(x *parcel) (err error) {
	settings := s.settings.Load()
	if settings.deadLetterARN == "" {
		return errNoDeadLetter
	}
	q, err := s.deadLetterQueue(settings)
	if err != nil {
		return err
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the dead-letter queue panicked: %v", r)
		}
	}()
	m := s.queueMessage(x)
	if isFIFOName(settings.deadLetterARN) {
		m.GroupID, m.DeduplicationID = x.message.GroupID, x.deduplicationID()
		if m.GroupID == "" { // of a Standard topic
			m.GroupID = s.id.String()
		}
	} else {
		m.DeduplicationID = ""
		if s.topic.fifo != nil {
			m.GroupID = ""
		}
	}
	ctx := context.Background()
	if !newFoundQueue(q).local { // one elsewhere is not waited for when the account is closed
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(s.topic.account.running, attemptTime)
		defer cancel()
	}
	_, err = x.sendTo(ctx, s.topic.account, q, m)
	return err
}

// deduplicationID is one for a dead letter in a FIFO queue.
func (p *publication) deduplicationID() string {
	if p.dedup != "" {
		return p.dedup
	}
	return p.id()
}

// sortByNumber puts parcels in the order in which they were published, and confirmations last.
func sortByNumber(xs []*parcel) {
	number := func(x *parcel) uint64 {
		if x.publication == nil {
			return math.MaxUint64
		}
		return x.number
	}
	slices.SortFunc(xs, func(x, y *parcel) int { return cmp.Compare(number(x), number(y)) })
}
