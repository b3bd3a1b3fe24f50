package inq

import (
	"context"
	"iter"
	"time"
)

// Local is a queue of this process, of either type: what [*Standard] and [*FIFO] have in common, and
// what a [Broker] returns its queues as. Their Configure is not part of it, because the two take
// different options; nor can any other package implement Local, except by a type that embeds one of
// the two, as wrappers do. The methods are described where those types have them.
type Local interface {
	Queue
	DeadLetterTarget
	// ARN returns the queue's Amazon resource name.
	ARN() string
	// Config returns what the queue is set to.
	Config() Config
	// Stats returns the queue's numbers as they are now.
	Stats() Stats
	// Watch tells what happens to the queue's messages from now on.
	Watch(f func([]Event)) (stop func())
	// Messages looks at all messages without touching them.
	Messages() iter.Seq[Snapshot]
	// Explain tells why a message is not delivered at this moment.
	Explain(ctx context.Context, messageID string) (Explanation, error)
	// ReceiveInto is Receive into a slice of the caller.
	ReceiveInto(ctx context.Context, dst []Delivery, in ReceiveInput) (int, error)
	// DeleteAll deletes the messages of deliveries, any number of them.
	DeleteAll(ctx context.Context, ds []Delivery) error
	// ExtendAll changes the visibility of deliveries, any number of them.
	ExtendAll(ctx context.Context, ds []Delivery, timeout time.Duration) error
	// Return gives a message back as if it had not been received.
	Return(ctx context.Context, receiptHandle string, delay time.Duration) error
	// Bury hands a message to the dead-letter target now.
	Bury(ctx context.Context, receiptHandle, reason string) error
	// Redrive starts a task that moves the messages of a dead-letter queue elsewhere.
	Redrive(ctx context.Context, in RedriveInput) (*MoveTask, error)
	// MoveTasks returns the last move tasks, newest first.
	MoveTasks() []*MoveTask
	// Close ends the queue.
	Close() error

	local()
}

var (
	_ Local = (*Standard)(nil)
	_ Local = (*FIFO)(nil)
)

func (q *queue) local() {}

// localQueue returns the engine of v where v is a *Standard or *FIFO itself. It is nil for
// everything else, also for a wrapper that embeds one: its methods must be called, not those of the
// queue inside. A nil *Standard or *FIFO is as good as one that no constructor made, which has no
// ids.
func localQueue(v any) *queue {
	switch v := v.(type) {
	case *Standard:
		if v != nil {
			return &v.queue
		}
	case *FIFO:
		if v != nil {
			return &v.queue
		}
	default:
		return nil
	}
	return new(queue)
}
