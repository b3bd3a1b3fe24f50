package inq

import (
	"time"
)

// Stats is what a queue tells of itself: the CloudWatch metrics of SQS, as they are now or as
// totals since the queue was made, and what SQS does not tell.
//
// On Standard a group is noisy, as in the fair queues of SQS, while it has at least 30 messages in
// flight, which are more than a tenth of all that the queue has in flight, and others that wait (SQS:
// FAIR-3). One for which nothing was sent for five minutes is not.
type Stats struct {
	Counts
	OldestAge time.Duration // of the oldest message; on Standard without those received three or more times; in a dead-letter queue since the move

	Sent          uint64 // messages added by sends
	SentBytes     uint64 // their bodies and attributes
	Deduplicated  uint64 // sends that were duplicates (FIFO)
	Received      uint64 // messages handed out; redeliveries count again
	ReceivedAgain uint64 // those of them that were not the first receive of their message
	TimedOut      uint64 // receives whose visibility timeout ended before the message was deleted
	EmptyReceives uint64 // receives that returned nothing
	Deleted       uint64 // deletes that succeeded; repeated ones count again

	GroupsInFlight int           // groups with a message in flight (FIFO)
	NoisyGroups    int           // groups classed as noisy now (Standard)
	Quiet          Counts        // without the noisy groups
	QuietOldestAge time.Duration // without the noisy groups

	Expired            uint64 // messages whose retention ended
	Purged             uint64 // messages removed by Purge
	DeadLettered       uint64 // messages taken by the dead-letter target
	DeadLetterFailures uint64 // hand-overs that the target refused or failed
	MovedIn            uint64 // messages that came from other queues
	MovedOut           uint64 // messages taken away by move tasks
	Bytes              int64  // bodies and attributes of the messages in the queue
	Groups             int    // message groups with messages
	WaitingReceives    int    // long polls waiting now
}

// metrics are the counters of Stats that only grow.
type metrics struct {
	sent, sentBytes, received, deleted        uint64
	deduplicated, emptyReceives               uint64
	expired, purged, deadLettered, deadFailed uint64
	movedIn, movedOut                         uint64
	timedOut, receivedAgain                   uint64
}

// Stats returns the numbers as they are at this instant, all of the same one. It costs about as
// much as a receive. After Close it returns the totals with an empty queue.
func (q *queue) Stats() Stats {
	now, err := q.enterSettled()
	if err != nil {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.statsLocked(q.last)
	}
	s := q.statsLocked(now)
	_ = q.leave(now)
	return s
}

func (q *queue) statsLocked(now int64) Stats {
	m := &q.metrics
	s := Stats{
		Counts: countsOf(&q.counts), OldestAge: q.ageLocked(now),
		Sent: m.sent, SentBytes: m.sentBytes, Deduplicated: m.deduplicated,
		Received: m.received, ReceivedAgain: m.receivedAgain, TimedOut: m.timedOut, EmptyReceives: m.emptyReceives, Deleted: m.deleted,
		Expired: m.expired, Purged: m.purged, DeadLettered: m.deadLettered, DeadLetterFailures: m.deadFailed,
		MovedIn: m.movedIn, MovedOut: m.movedOut, Bytes: q.bytes, WaitingReceives: q.waiters.len,
	}
	s.NoisyGroups, s.Quiet, s.QuietOldestAge = q.quietLocked(now)
	if q.fifo != nil {
		s.GroupsInFlight, s.Groups = q.fifo.locked, q.fifo.groups.live
	} else if q.fair != nil {
		s.Groups = q.fair.tenants.live
	}
	return s
}

// quietLocked returns what is left of the queue's numbers without its noisy tenants (SQS: section
// 10).
func (q *queue) quietLocked(now int64) (noisyGroups int, c Counts, age time.Duration) {
	c = countsOf(&q.counts)
	age = q.ageLocked(now)
	if q.fair == nil || q.fair.busy.Len() == 0 {
		return 0, c, age
	}
	loud := q.fair.noisy(now)
	for _, t := range loud.ids[:loud.n] {
		its := countsOf(&q.fair.tenants.at(t).counts)
		c.Visible -= its.Visible
		c.NotVisible -= its.NotVisible
		c.Delayed -= its.Delayed
	}
	since := now
	if h := q.main.arrivals.head; h != 0 {
		since = q.store.at(h).came()
	}
	if e, ok := q.fair.oldest.LeastExcept(loud.has); ok {
		since = min(since, e.Key)
	}
	return loud.n, c, time.Duration(now - since)
}
