package inqaws

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"example.com/inq"
)

// API is what a [Queue] needs of an SQS client. *sqs.Client has it, and a fake in a test can.
//
// A fake must give what SQS always gives: the ids of what was sent, and of what is received the
// MessageId, Body and ReceiptHandle. It may return an error of SQS by itself, such as a
// *types.QueueDoesNotExist, without what a client wraps it in. The inputs of the SDK have no place
// for a zero that is meant: the options of a call carry it, and a fake that ignores these takes
// [inq.Zero] for the queue's own setting.
type API interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
	DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
	ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error)
	ChangeMessageVisibilityBatch(context.Context, *sqs.ChangeMessageVisibilityBatchInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error)
	PurgeQueue(context.Context, *sqs.PurgeQueueInput, ...func(*sqs.Options)) (*sqs.PurgeQueueOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

var _ API = (*sqs.Client)(nil)

// Queue is a queue behind the API of SQS: Amazon's own, that of a server with a
// [example.com/inq/sqsapi.Handler], or that of a client made by [NewClient]. It is to a program
// what an *inq.Standard or *inq.FIFO is; the package documentation lists what differs. Create one
// with [NewQueue]. It is safe for concurrent use if its client is, and has nothing to close. It
// remembers of its receives when they end, until then, so that no Return takes another's away.
//
// Durations are rounded up to whole seconds. The limits are those of the other side, which refuses
// what is beyond them. What is not valid UTF-8 is refused before anything is sent, with the error of
// a queue in the process, because the SDK would alter it; in a batch that entry fails and the others
// go, for which alone the limits of a batch hold then.
type Queue struct {
	client API
	url    string
	name   string
	fifo   bool
	leases leases
}

var _ inq.Queue = (*Queue)(nil)

// NewQueue makes a Queue of the queue that has this URL, which CreateQueue and GetQueueUrl return.
// It makes no call: where there is no such queue the first one fails with
// [inq.ErrQueueDoesNotExist], and where client is nil, a nil pointer or an sqs.Client that sqs.New
// has not made, each with [inq.ErrMissingParameter]. A queue whose URL ends in ".fifo" is taken for
// FIFO, as on SQS.
func NewQueue(client API, queueURL string) *Queue {
	path := withoutQuery(queueURL)
	name := path[strings.LastIndexByte(path, '/')+1:]
	if c, ok := client.(*sqs.Client); isNil(client) || ok && c.Options().HTTPClient == nil {
		client = nil
	}
	return &Queue{client: client, url: queueURL, name: name, fifo: strings.HasSuffix(name, ".fifo")}
}

// Name returns the queue's name, which is the last element of the path of its URL.
func (q *Queue) Name() string {
	if q == nil {
		return ""
	}
	return q.name
}

// URL returns what NewQueue was given.
func (q *Queue) URL() string {
	if q == nil {
		return ""
	}
	return q.url
}

// check refuses what every call refuses.
func (q *Queue) check(ctx context.Context) error {
	if ctx == nil {
		return &inq.ParamError{Err: inq.ErrMissingParameter, Param: "ctx", Reason: "must not be nil"}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if q == nil {
		return &inq.ParamError{Err: inq.ErrMissingParameter, Param: "Queue", Reason: "must not be nil"}
	}
	if q.client == nil {
		return &inq.ParamError{Err: inq.ErrMissingParameter, Param: "client", Reason: "must not be nil"}
	}
	return nil
}

// Send adds one message. SenderID is left out, because SQS names the sender itself. What Sent tells
// is the message id and on FIFO the sequence number; whether the message is a duplicate SQS does
// not say, so that Duplicate is always false. A duplicate has the id and number of the original.
//
// An answer without a message id, which SQS always gives, is an error. A client that retries may have
// been heard the first time. On FIFO the deduplication id makes up
// for that; on Standard the message is in the queue twice then, with two ids.
func (q *Queue) Send(ctx context.Context, m inq.Message) (inq.Sent, error) {
	if err := q.check(ctx); err != nil {
		return inq.Sent{}, err
	}
	if err := checkMessage(&m); err != nil {
		return inq.Sent{}, err
	}
	e, zero := q.entry(&m, "")
	in := &sqs.SendMessageInput{
		QueueUrl:                &q.url,
		MessageBody:             e.MessageBody,
		DelaySeconds:            e.DelaySeconds,
		MessageAttributes:       e.MessageAttributes,
		MessageSystemAttributes: e.MessageSystemAttributes,
		MessageGroupId:          e.MessageGroupId,
		MessageDeduplicationId:  e.MessageDeduplicationId,
	}
	var opts []func(*sqs.Options)
	if zero {
		opts = append(opts, written(func(in *sqs.SendMessageInput) smithy.Serializable { return explicitSend{in} }))
	}
	out, err := q.client.SendMessage(ctx, in, opts...)
	if err != nil {
		return inq.Sent{}, q.translate(ctx, sending, err)
	}
	if out == nil || aws.ToString(out.MessageId) == "" {
		return inq.Sent{}, lacks("MessageId")
	}
	return inq.NewSent(inq.SentFields{ID: aws.ToString(out.MessageId), SequenceNumber: aws.ToString(out.SequenceNumber)}), nil
}

// entry is m as an entry of a batch, which has the members of a single message. zero tells that its
// delay has to be written although it is 0.
func (q *Queue) entry(m *inq.Message, id string) (e types.SendMessageBatchRequestEntry, zero bool) {
	e = types.SendMessageBatchRequestEntry{
		Id:                     &id,
		MessageBody:            &m.Body,
		MessageAttributes:      toAttributeValues(m.Attributes),
		MessageGroupId:         optional(m.GroupID),
		MessageDeduplicationId: optional(m.DeduplicationID),
	}
	if m.TraceHeader != "" {
		e.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			string(types.MessageSystemAttributeNameForSendsAWSTraceHeader): {DataType: aws.String("String"), StringValue: &m.TraceHeader},
		}
	}
	// FIFO queues have no delay of a single message, and take Zero for their own (SQS: FIFO-5).
	if m.Delay != 0 && !(q.fifo && m.Delay == inq.Zero) {
		e.DelaySeconds = seconds(m.Delay)
		zero = e.DelaySeconds == 0
	}
	return e, zero
}

// optional leaves "" out.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Receive takes messages for processing, as a queue of inq does. It asks for everything SQS tells
// about them.
//
// Where ctx ends while it waits, its bare error is returned. A message that was on its way at that
// instant is in flight with nobody, and comes back by its visibility timeout.
//
// VisibleAt of the deliveries is known where in.VisibilityTimeout was given: it is counted by the
// clock of this process from when the receive left, so that it is never late, and early by as long
// as the receive took, its wait included. Otherwise it is the zero time. AttemptID is left out on
// Standard, which ignores it. An answer whose messages lack what SQS always gives is an error.
func (q *Queue) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	if err := q.check(ctx); err != nil {
		return nil, err
	}
	if reason := invalid(in.AttemptID); reason != "" && q.fifo {
		return nil, &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "ReceiveRequestAttemptId", Value: in.AttemptID, Reason: reason}
	}
	input := &sqs.ReceiveMessageInput{
		QueueUrl:                    &q.url,
		MaxNumberOfMessages:         int32(max(-1, min(in.Max, math.MaxInt32))),
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		WaitTimeSeconds:             seconds(in.Wait),
		VisibilityTimeout:           seconds(in.VisibilityTimeout),
	}
	if q.fifo {
		input.ReceiveRequestAttemptId = optional(in.AttemptID)
	}
	wait, visibility := in.Wait == inq.Zero, in.VisibilityTimeout == inq.Zero
	var opts []func(*sqs.Options)
	if wait || visibility {
		opts = append(opts, written(func(in *sqs.ReceiveMessageInput) smithy.Serializable {
			return explicitReceive{in, wait, visibility}
		}))
	}
	g := &grant{q: q, left: time.Now()}
	if in.VisibilityTimeout != 0 {
		g.known, g.timeout = true, time.Duration(input.VisibilityTimeout)*time.Second
	}
	out, err := q.client.ReceiveMessage(ctx, input, opts...)
	if err != nil {
		return nil, q.translate(ctx, other, err)
	}
	if out == nil || len(out.Messages) == 0 {
		return nil, nil
	}
	for i := range out.Messages {
		if name := missing(&out.Messages[i]); name != "" {
			return nil, lacks(name)
		}
	}
	now := time.Now()
	ds := make([]inq.Delivery, len(out.Messages))
	for i := range out.Messages {
		ds[i] = q.delivery(&out.Messages[i], g, now)
	}
	return ds, nil
}

// missing names what SQS always tells of a message and did not of this one, "" if nothing is missing
// (SQS: RCV-14).
func missing(m *types.Message) string {
	switch {
	case aws.ToString(m.MessageId) == "":
		return "MessageId"
	case m.Body == nil: // a broker without the limits of SQS has empty ones
		return "Body"
	case aws.ToString(m.ReceiptHandle) == "":
		return "ReceiptHandle"
	}
	return ""
}

// delivery is a received message. System attributes that are absent leave their fields empty.
func (q *Queue) delivery(m *types.Message, g *grant, now time.Time) inq.Delivery {
	l := q.leases.received(now, g, *m.MessageId, *m.ReceiptHandle)
	visibleAt, known := g.end()
	if !known {
		visibleAt = time.Time{}
	}
	system := func(name types.MessageSystemAttributeName) string { return m.Attributes[string(name)] }
	receives, _ := strconv.Atoi(system(types.MessageSystemAttributeNameApproximateReceiveCount))
	return inq.NewDelivery(q, inq.DeliveryFields{
		ID:                  *m.MessageId,
		Body:                *m.Body,
		ReceiptHandle:       *m.ReceiptHandle,
		GroupID:             system(types.MessageSystemAttributeNameMessageGroupId),
		DeduplicationID:     system(types.MessageSystemAttributeNameMessageDeduplicationId),
		SequenceNumber:      system(types.MessageSystemAttributeNameSequenceNumber),
		TraceHeader:         system(types.MessageSystemAttributeNameAWSTraceHeader),
		SenderID:            system(types.MessageSystemAttributeNameSenderId),
		DeadLetterSourceARN: system(types.MessageSystemAttributeNameDeadLetterQueueSourceArn),
		Attributes:          fromAttributeValues(m.MessageAttributes),
		ReceiveCount:        receives,
		SentAt:              milliseconds(system(types.MessageSystemAttributeNameSentTimestamp)),
		FirstReceivedAt:     milliseconds(system(types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp)),
		VisibleAt:           visibleAt,
		Held:                l.held,
	})
}

// milliseconds reads a time as SQS writes it. What is none is the zero time.
func milliseconds(text string) time.Time {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// Delete removes the message of a receive for good.
func (q *Queue) Delete(ctx context.Context, receiptHandle string) error {
	if err := q.check(ctx); err != nil {
		return err
	}
	if err := checkHandle(receiptHandle); err != nil {
		return err
	}
	_, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: &receiptHandle})
	if err == nil {
		q.leases.deleted(receiptHandle)
	}
	return q.translate(ctx, other, err)
}

// ChangeVisibility makes the message visible again timeout from now; 0 or [inq.Zero] at once.
func (q *Queue) ChangeVisibility(ctx context.Context, receiptHandle string, timeout time.Duration) error {
	if err := q.check(ctx); err != nil {
		return err
	}
	if err := checkHandle(receiptHandle); err != nil {
		return err
	}
	left, s := time.Now(), seconds(timeout)
	_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl:          &q.url,
		ReceiptHandle:     &receiptHandle,
		VisibilityTimeout: s,
	})
	err = q.translate(ctx, other, err)
	q.leases.changed(receiptHandle, left, time.Duration(s)*time.Second, err)
	return err
}

// Purge removes all messages, in whatever state. Amazon takes up to 60 seconds for that, and
// refuses another purge meanwhile with [inq.ErrPurgeInProgress].
func (q *Queue) Purge(ctx context.Context) error {
	if err := q.check(ctx); err != nil {
		return err
	}
	_, err := q.client.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: &q.url})
	return q.translate(ctx, other, err)
}

// Counts tells how many messages there are in each state. Amazon's counts are approximate, and
// settle a minute after the last change.
func (q *Queue) Counts(ctx context.Context) (inq.Counts, error) {
	if err := q.check(ctx); err != nil {
		return inq.Counts{}, err
	}
	names := []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: names})
	if err != nil {
		return inq.Counts{}, q.translate(ctx, other, err)
	}
	if out == nil {
		return inq.Counts{}, lacks(string(names[0]))
	}
	var c inq.Counts
	for i, n := range []*int{&c.Visible, &c.NotVisible, &c.Delayed} {
		if *n, err = strconv.Atoi(out.Attributes[string(names[i])]); err != nil {
			return inq.Counts{}, fmt.Errorf("inqaws: attribute %s of queue %s: %w", names[i], q.name, err)
		}
	}
	return c, nil
}
