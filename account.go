package inq

import (
	"context"
	"strings"
	"time"
)

// account is what the engine knows of whoever holds a queue under its name, together with others:
// a [Broker], or what keeps one on disk. A bare queue has none. Except for queueOf the methods lock the
// account and may lock a queue inside, so they are called with no queue's lock held.
type account interface {
	// queueOf returns the queue that has the ARN now. It is [ErrQueueDoesNotExist] where there is
	// none, and [ErrClosed] where the account has ended. It waits for no lock: it is called under that
	// of a queue.
	queueOf(arn string) (*queue, error)
	// admit refuses a change to q where the account does not let q have the dead-letter target in
	// it. A target that is a queue of the account it replaces by the ARN.
	admit(q *queue, p *patch) error
	// retargeted is called after the dead-letter target of q has changed.
	retargeted(q *queue)
	// isDeadLetterQueue reports whether a queue of the account names q in its redrive policy (SQS:
	// MOV-2).
	isDeadLetterQueue(q *queue) bool
	// purgeCooldown is how long a purged queue cannot be purged again (SQS: MGT-4).
	purgeCooldown() time.Duration
}

// deadLetterARN is the dead-letter target of a queue that belongs to an account. It names the
// target queue, so that a queue may come after the one of its name that was deleted, and nothing
// keeps the deleted one alive (SQS: DLQ-8).
type deadLetterARN struct {
	account account
	arn     string
}

// fifo tells the type of the queue, which its name determines.
func (t deadLetterARN) fifo() bool { return strings.HasSuffix(t.arn, ".fifo") }

// shown returns the target as a user knows it: the queue, or t itself while there is none.
func (t deadLetterARN) shown() DeadLetterTarget {
	q, err := t.account.queueOf(t.arn)
	if err != nil {
		return t
	}
	return q.self
}

// DeadLetter gives d to the queue that has the ARN now.
func (t deadLetterARN) DeadLetter(ctx context.Context, d DeadLetter) error {
	q, err := t.account.queueOf(t.arn)
	if err != nil {
		return err
	}
	return q.self.DeadLetter(ctx, d)
}
