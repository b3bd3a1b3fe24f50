package suite

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"time"

	"example.com/inq"
)

// OverQueue carries the operations on messages, PurgeQueue, and GetQueueAttributes where it asks for
// counters only, over implementations of inq.Queue, found by queue URL. Every other operation goes
// to admin.
func OverQueue(queue func(url string) (inq.Queue, error), admin API) API {
	return &overQueue{queue, admin}
}

type overQueue struct {
	queue func(url string) (inq.Queue, error)
	admin API
}

// batchOf are the entries of a batch request as far as all three operations have them.
type batchOf[E any] struct {
	QueueUrl string
	Entries  []E
}

// Call implements API.
func (o *overQueue) Call(ctx context.Context, operation string, in, out any) error {
	do, ok := map[string]func(ctx context.Context, q inq.Queue, in any) (any, error){
		"SendMessage":                  sendMessage,
		"SendMessageBatch":             sendMessageBatch,
		"ReceiveMessage":               receiveMessage,
		"DeleteMessage":                deleteMessage,
		"DeleteMessageBatch":           deleteMessageBatch,
		"ChangeMessageVisibility":      changeMessageVisibility,
		"ChangeMessageVisibilityBatch": changeMessageVisibilityBatch,
		"PurgeQueue":                   purgeQueue,
		"GetQueueAttributes":           getCounters,
	}[operation]
	if !ok || operation == "GetQueueAttributes" && !asksForCounters(in) {
		return o.admin.Call(ctx, operation, in, out)
	}
	var at QueueURL
	if err := Copy(&at, in); err != nil {
		return err
	}
	q, err := o.queue(at.QueueUrl)
	if err != nil {
		return err
	}
	result, err := do(ctx, q, in)
	if err != nil {
		return err
	}
	return Copy(out, result)
}

// duration is a number of seconds where inq takes 0 for "the queue's own".
func duration(seconds *int) time.Duration {
	switch {
	case seconds == nil:
		return 0
	case *seconds == 0:
		return inq.Zero
	}
	return time.Duration(*seconds) * time.Second
}

func (m SendMessage) message() inq.Message {
	out := inq.Message{
		Body: m.MessageBody, Delay: duration(m.DelaySeconds), GroupID: m.MessageGroupId, DeduplicationID: m.MessageDeduplicationId,
		TraceHeader: m.MessageSystemAttributes["AWSTraceHeader"].StringValue,
	}
	for name, v := range m.MessageAttributes {
		if out.Attributes == nil {
			out.Attributes = map[string]inq.Attribute{}
		}
		out.Attributes[name] = inq.Attribute{Type: v.DataType, Value: v.StringValue, Binary: v.BinaryValue}
	}
	return out
}

func sendMessage(ctx context.Context, q inq.Queue, in any) (any, error) {
	var m SendMessage
	if err := Copy(&m, in); err != nil {
		return nil, err
	}
	s, err := q.Send(ctx, m.message())
	return Sent{MessageId: s.ID(), SequenceNumber: s.SequenceNumber()}, err
}

// failures turns the failed entries of a batch into those of an answer; done is called for the
// others.
func failures(err error, ids []string, done func(i int)) ([]BatchFailure, error) {
	failed := map[int]error{}
	if err != nil {
		var b *inq.BatchError
		if !errors.As(err, &b) {
			return nil, err
		}
		for _, f := range b.Failed {
			failed[f.Index] = f.Err
		}
	}
	var list []BatchFailure
	for i, id := range ids {
		if failed[i] == nil {
			done(i)
			continue
		}
		code := codes.code(failed[i])
		if code == "" {
			return nil, failed[i]
		}
		list = append(list, BatchFailure{Id: id, Code: code, SenderFault: true})
	}
	return list, nil
}

func sendMessageBatch(ctx context.Context, q inq.Queue, in any) (any, error) {
	var batch batchOf[SendMessage]
	if err := Copy(&batch, in); err != nil {
		return nil, err
	}
	var messages []inq.Message
	var ids []string
	for _, m := range batch.Entries {
		messages, ids = append(messages, m.message()), append(ids, m.Id)
	}
	sent, err := q.SendBatch(ctx, messages)
	var out SendBatchResult
	out.Failed, err = failures(err, ids, func(i int) {
		out.Successful = append(out.Successful, Sent{Id: ids[i], MessageId: sent[i].ID(), SequenceNumber: sent[i].SequenceNumber()})
	})
	return out, err
}

func receiveMessage(ctx context.Context, q inq.Queue, in any) (any, error) {
	var r ReceiveMessage
	if err := Copy(&r, in); err != nil {
		return nil, err
	}
	input := inq.ReceiveInput{Wait: duration(r.WaitTimeSeconds), VisibilityTimeout: duration(r.VisibilityTimeout), AttemptID: r.ReceiveRequestAttemptId}
	if r.MaxNumberOfMessages != nil {
		input.Max = *r.MaxNumberOfMessages
	}
	ds, err := q.Receive(ctx, input)
	var out Received
	for _, d := range ds {
		out.Messages = append(out.Messages, message(d))
	}
	return out, err
}

// message has all that a delivery says.
func message(d inq.Delivery) Message {
	m := Message{MessageId: d.ID(), ReceiptHandle: d.ReceiptHandle(), Body: d.Body, Attributes: StringMap{
		"SenderId":                         d.SenderID(),
		"SentTimestamp":                    strconv.FormatInt(d.SentAt().UnixMilli(), 10),
		"ApproximateReceiveCount":          strconv.Itoa(d.ReceiveCount),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(d.FirstReceivedAt().UnixMilli(), 10),
	}}
	for name, value := range map[string]string{
		"MessageGroupId": d.GroupID, "MessageDeduplicationId": d.DeduplicationID(), "SequenceNumber": d.SequenceNumber(),
		"AWSTraceHeader": d.TraceHeader(), "DeadLetterQueueSourceArn": d.DeadLetterSourceARN(),
	} {
		if value != "" {
			m.Attributes[name] = value
		}
	}
	for name, a := range d.Attributes() {
		if m.MessageAttributes == nil {
			m.MessageAttributes = ValueMap{}
		}
		m.MessageAttributes[name] = AttributeValue{DataType: a.Type, StringValue: a.Value, BinaryValue: a.Binary}
	}
	return m
}

func deleteMessage(ctx context.Context, q inq.Queue, in any) (any, error) {
	var d DeleteMessage
	if err := Copy(&d, in); err != nil {
		return nil, err
	}
	return nil, q.Delete(ctx, d.ReceiptHandle)
}

func deleteMessageBatch(ctx context.Context, q inq.Queue, in any) (any, error) {
	var batch batchOf[DeleteMessage]
	if err := Copy(&batch, in); err != nil {
		return nil, err
	}
	var handles, ids []string
	for _, e := range batch.Entries {
		handles, ids = append(handles, e.ReceiptHandle), append(ids, e.Id)
	}
	var out DeleteBatchResult
	err := q.DeleteBatch(ctx, handles)
	out.Failed, err = failures(err, ids, func(i int) { out.Successful = append(out.Successful, Done{ids[i]}) })
	return out, err
}

func (c ChangeMessageVisibility) change() inq.VisibilityChange {
	return inq.VisibilityChange{ReceiptHandle: c.ReceiptHandle, Timeout: duration(c.VisibilityTimeout)}
}

func changeMessageVisibility(ctx context.Context, q inq.Queue, in any) (any, error) {
	var c ChangeMessageVisibility
	if err := Copy(&c, in); err != nil {
		return nil, err
	}
	return nil, q.ChangeVisibility(ctx, c.ReceiptHandle, c.change().Timeout)
}

func changeMessageVisibilityBatch(ctx context.Context, q inq.Queue, in any) (any, error) {
	var batch batchOf[ChangeMessageVisibility]
	if err := Copy(&batch, in); err != nil {
		return nil, err
	}
	var changes []inq.VisibilityChange
	var ids []string
	for _, e := range batch.Entries {
		changes, ids = append(changes, e.change()), append(ids, e.Id)
	}
	var out VisibilityBatchResult
	err := q.ChangeVisibilityBatch(ctx, changes)
	out.Failed, err = failures(err, ids, func(i int) { out.Successful = append(out.Successful, Done{ids[i]}) })
	return out, err
}

func purgeQueue(ctx context.Context, q inq.Queue, _ any) (any, error) { return nil, q.Purge(ctx) }

// counterNames are the attributes that inq.Counts has.
var counterNames = []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"}

func asksForCounters(in any) bool {
	r, ok := in.(GetQueueAttributes)
	return ok && len(r.AttributeNames) > 0 &&
		!slices.ContainsFunc(r.AttributeNames, func(name string) bool { return !slices.Contains(counterNames, name) })
}

func getCounters(ctx context.Context, q inq.Queue, in any) (any, error) {
	c, err := q.Counts(ctx)
	if err != nil {
		return nil, err
	}
	counts := StringMap{}
	for i, n := range []int{c.Visible, c.NotVisible, c.Delayed} {
		if slices.Contains(in.(GetQueueAttributes).AttributeNames, counterNames[i]) {
			counts[counterNames[i]] = strconv.Itoa(n)
		}
	}
	return AttributeMap{counts}, nil
}

// queueName is the last part of a queue URL.
func queueName(url string) string { return path.Base(url) }

// unknown is for operations that a way to a service does not have.
func unknown(operation string) error {
	return fmt.Errorf("bug: %s cannot be carried out by this harness: the case needs more", operation)
}
