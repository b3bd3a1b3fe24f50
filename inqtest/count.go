package inqtest

import (
	"context"
	"errors"
	"time"

	"example.com/inq"
)

// Count returns q with its calls counted in [Server.Calls], by the operations of SQS that they are: for
// code that is written against [inq.Queue] or [inq.Local], whose calls would be requests on Amazon. All
// that is done with the deliveries of it is counted as well. Everything else is as with q.
//
// Calls that SQS does not have count as what they would be there: ReceiveInto as a receive, DeleteAll and
// ExtendAll as batches of ten, Return as a change of visibility, Counts as GetQueueAttributes. Bury,
// Redrive and looking at messages do not count.
func (s *Server) Count(q inq.Local) inq.Local {
	s.tb.Helper()
	if isNil(q) {
		s.tb.Fatalf("inqtest: Count(nil)")
	}
	return &counted{q, s}
}

// counted is a queue whose calls are counted.
type counted struct {
	inq.Local
	server *Server
}

var _ inq.Local = (*counted)(nil)

// note counts one call, with its error.
func (c *counted) note(call Call, err error) {
	call.Queue = c.Name()
	var some *inq.BatchError
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		if call.Operation != "ReceiveMessage" {
			return // nothing is asked of anybody under a context that has ended
		}
	case errors.As(err, &some):
		call.Failed = len(some.Failed)
	case err != nil:
		call.Code = err.Error()
	}
	c.server.called(call)
}

// inTens counts a call for any number of entries as batches.
func (c *counted) inTens(operation string, entries int, err error) {
	for ; entries > 0; entries -= 10 {
		c.note(Call{Operation: operation, Entries: min(entries, 10)}, err)
		if errors.As(err, new(*inq.BatchError)) {
			err = nil // its failures count once
		}
	}
}

func (c *counted) Send(ctx context.Context, m inq.Message) (inq.Sent, error) {
	sent, err := c.Local.Send(ctx, m)
	c.note(Call{Operation: "SendMessage", Entries: 1, Payload: size(m.Body, m.Attributes)}, err)
	return sent, err
}

func (c *counted) SendBatch(ctx context.Context, ms []inq.Message) ([]inq.Sent, error) {
	sent, err := c.Local.SendBatch(ctx, ms)
	call := Call{Operation: "SendMessageBatch", Entries: len(ms)}
	for i := range ms {
		call.Payload += size(ms[i].Body, ms[i].Attributes)
	}
	c.note(call, err)
	return sent, err
}

// size is the payload of a message.
func size(body string, attributes map[string]inq.Attribute) int {
	n := len(body)
	for name, a := range attributes {
		n += len(name) + len(a.Type) + len(a.Value) + len(a.Binary)
	}
	return n
}

func (c *counted) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	ds, err := c.Local.Receive(ctx, in)
	c.received(ds, err)
	return ds, err
}

func (c *counted) ReceiveInto(ctx context.Context, dst []inq.Delivery, in inq.ReceiveInput) (int, error) {
	n, err := c.Local.ReceiveInto(ctx, dst, in)
	c.received(dst[:n], err)
	return n, err
}

// received counts a receive, and has the deliveries come back to c.
func (c *counted) received(ds []inq.Delivery, err error) {
	call := Call{Operation: "ReceiveMessage", Received: len(ds)}
	for i := range ds {
		call.Payload += size(ds[i].Body, ds[i].Attributes())
		ds[i].Rebind(c)
	}
	c.note(call, err)
}

func (c *counted) Delete(ctx context.Context, receiptHandle string) error {
	err := c.Local.Delete(ctx, receiptHandle)
	c.note(Call{Operation: "DeleteMessage", Entries: 1}, err)
	return err
}

func (c *counted) DeleteBatch(ctx context.Context, receiptHandles []string) error {
	err := c.Local.DeleteBatch(ctx, receiptHandles)
	c.note(Call{Operation: "DeleteMessageBatch", Entries: len(receiptHandles)}, err)
	return err
}

func (c *counted) DeleteAll(ctx context.Context, ds []inq.Delivery) error {
	err := c.Local.DeleteAll(ctx, ds)
	c.inTens("DeleteMessageBatch", len(ds), err)
	return err
}

func (c *counted) ChangeVisibility(ctx context.Context, receiptHandle string, timeout time.Duration) error {
	err := c.Local.ChangeVisibility(ctx, receiptHandle, timeout)
	c.note(Call{Operation: "ChangeMessageVisibility", Entries: 1}, err)
	return err
}

func (c *counted) ChangeVisibilityBatch(ctx context.Context, changes []inq.VisibilityChange) error {
	err := c.Local.ChangeVisibilityBatch(ctx, changes)
	c.note(Call{Operation: "ChangeMessageVisibilityBatch", Entries: len(changes)}, err)
	return err
}

func (c *counted) ExtendAll(ctx context.Context, ds []inq.Delivery, timeout time.Duration) error {
	err := c.Local.ExtendAll(ctx, ds, timeout)
	c.inTens("ChangeMessageVisibilityBatch", len(ds), err)
	return err
}

func (c *counted) Return(ctx context.Context, receiptHandle string, delay time.Duration) error {
	err := c.Local.Return(ctx, receiptHandle, delay)
	c.note(Call{Operation: "ChangeMessageVisibility", Entries: 1}, err)
	return err
}

func (c *counted) Purge(ctx context.Context) error {
	err := c.Local.Purge(ctx)
	c.note(Call{Operation: "PurgeQueue"}, err)
	return err
}

func (c *counted) Counts(ctx context.Context) (inq.Counts, error) {
	n, err := c.Local.Counts(ctx)
	c.note(Call{Operation: "GetQueueAttributes"}, err)
	return n, err
}
