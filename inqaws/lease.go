package inqaws

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"example.com/inq"
)

// SQS takes the handle of a receive that has ended: on Standard, ChangeMessageVisibility with it
// changes the receive of whoever has the message by then. So a Return must not be sent after the
// end, and this file keeps the end of each receive of a Queue. It is reckoned by the clock of this
// process from when the receive left, or the change of visibility did, which is no later than when
// SQS began to count. What is uncertain makes it earlier: the end that is kept is never later than
// the true one, as far as the calls of this Queue tell. A Return that is refused for nothing leaves
// the message to its timeout.

// grant is one ReceiveMessage, whose messages were given one timeout.
type grant struct {
	q    *Queue
	left time.Time

	mu      sync.Mutex
	known   bool // false while it is the queue's own timeout, and nobody has asked for that
	timeout time.Duration
}

// end returns when the messages of the receive were to be visible again.
func (g *grant) end() (at time.Time, known bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.left.Add(g.timeout), g.known
}

// ask is end, and asks the other side for the queue's own timeout where that is not known.
func (g *grant) ask(ctx context.Context) (time.Time, error) {
	if at, known := g.end(); known {
		return at, nil
	}
	timeout, err := g.q.ownTimeout(ctx)
	if err != nil {
		return time.Time{}, err
	}
	g.mu.Lock()
	g.known, g.timeout = true, timeout
	g.mu.Unlock()
	at, _ := g.end()
	return at, nil
}

// ownTimeout asks for the visibility timeout of receives that give none.
func (q *Queue) ownTimeout(ctx context.Context) (time.Duration, error) {
	const name = types.QueueAttributeNameVisibilityTimeout
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		return 0, q.translate(ctx, other, err)
	}
	if out == nil {
		return 0, lacks("VisibilityTimeout")
	}
	seconds, err := strconv.ParseInt(out.Attributes[string(name)], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("inqaws: attribute %s of queue %s: %w", name, q.name, err)
	}
	return time.Duration(max(0, min(seconds, int64(inq.Forever/time.Second)))) * time.Second, nil
}

// lease is what is known of one receive of one message.
type lease struct {
	q          *Queue
	id, handle string

	// Guarded by q.leases.mu.
	of      *grant
	changed bool      // by ChangeVisibility with this handle
	since   time.Time // changed: when the first change was answered
	until   time.Time // changed: the end that the last change has made
	bound   time.Time // not the zero time: the end is not later than this
	settled time.Time // when the latest call that changed one of these was answered
	over    bool      // whatever the clock says
}

// end returns when a lease ends, as far as that is known without a call. q.leases.mu must be held.
func (l *lease) end() (at time.Time, known bool) {
	at, known = l.until, true
	if !l.changed {
		at, known = l.of.end()
	}
	if !l.bound.IsZero() && (!known || l.bound.Before(at)) {
		return l.bound, true
	}
	return at, known
}

// leases are those of a Queue that may not be over. The zero value is ready to use.
type leases struct {
	mu       sync.Mutex
	byHandle map[string]*lease
	byID     map[string]*lease // the latest receive of each message
	sweepAt  int
}

// minSweep is how many leases are kept without a look for those that are over.
const minSweep = 1024

// longestLease is when a lease is forgotten whose end nobody has asked for: what SQS allows.
const longestLease = 12 * time.Hour

// received notes a receive and returns its lease. A receive that is repeated by its attempt id has
// the handles that it had, and its timeout starts anew.
func (s *leases) received(now time.Time, g *grant, id, handle string) *lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.byHandle[handle]
	if l == nil {
		if len(s.byHandle) >= s.sweepAt {
			s.sweep(now)
		}
		l = &lease{q: g.q, id: id, handle: handle}
		s.byHandle[handle] = l
	}
	if before := s.byID[id]; before != nil && before != l {
		before.over = true // or the message would not have come
	}
	s.byID[id] = l
	l.of, l.changed, l.bound, l.over = g, false, time.Time{}, false
	return l
}

// sweep forgets what is over. s.mu must be held.
func (s *leases) sweep(now time.Time) {
	if s.byHandle == nil {
		s.byHandle, s.byID = map[string]*lease{}, map[string]*lease{}
	}
	for _, l := range s.byHandle {
		end, known := l.end()
		if l.over || known && !now.Before(end) || !known && now.Sub(l.of.left) > longestLease {
			s.drop(l)
		}
	}
	s.sweepAt = max(minSweep, 2*len(s.byHandle))
}

// drop forgets a lease. s.mu must be held.
func (s *leases) drop(l *lease) {
	delete(s.byHandle, l.handle)
	if s.byID[l.id] == l {
		delete(s.byID, l.id)
	}
}

// deleted forgets the receive of a message that is gone.
func (s *leases) deleted(handle string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.byHandle[handle]; l != nil {
		s.drop(l)
	}
}

// changed notes what became of a change of visibility that left at a time.
func (s *leases) changed(handle string, left time.Time, timeout time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.byHandle[handle]
	if l == nil {
		return
	}
	until, now := left.Add(timeout), time.Now()
	latest := s.byID[l.id]
	switch {
	case err == nil && l == latest && l.inForce(now):
		switch {
		case !left.Before(l.settled):
			l.bound = time.Time{}
		case l.changed && l.until.Before(until):
			until = l.until // of two at once, either may have been the last
		}
		if !l.changed {
			l.changed, l.since = true, now
		}
		l.until, l.settled = until, now
	case latest != nil && (err == nil || !refusesCall(err)):
		// By a handle that has lapsed, or perhaps not carried out: then the change can have
		// shortened the latest receive, and nothing says that it has prolonged it.
		if latest.bound.IsZero() || until.Before(latest.bound) {
			latest.bound = until
		}
		latest.settled = now
	}
}

// inForce reports whether a change that was answered by now was of a receive that still had its
// message. FIFO queues refuse it otherwise; where the end is not known, held looks at since.
// q.leases.mu must be held.
func (l *lease) inForce(now time.Time) bool {
	if l.q.fifo {
		return true
	}
	end, known := l.end()
	return !l.over && (!known || now.Before(end))
}

// held returns nil while the receive has its message, and otherwise the error that says that it has
// not, or that this cannot be told.
func (l *lease) held(ctx context.Context) error {
	s := &l.q.leases
	s.mu.Lock()
	of, changed, since, over := l.of, l.changed, l.since, l.over
	end, known := l.end()
	s.mu.Unlock()
	if over || known && !time.Now().Before(end) {
		return l.expired()
	}
	if changed && l.q.fifo {
		return nil
	}
	granted, err := of.ask(ctx)
	if err != nil {
		return fmt.Errorf("inqaws: whether the message is still in flight for this receive cannot be told without the visibility timeout: %w", err)
	}
	begun := since // when there was no doubt that the receive had the message
	if !changed {
		begun = time.Now()
	}
	if !begun.Before(granted) || known && !time.Now().Before(end) {
		return l.expired()
	}
	return nil
}

func (l *lease) expired() error {
	return &inq.ParamError{Err: inq.ErrReceiptHandleExpired, Param: "ReceiptHandle", Value: l.handle,
		Reason: "the message is no longer in flight for this receive, or may not be"}
}
