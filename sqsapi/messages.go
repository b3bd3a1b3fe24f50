package sqsapi

import (
	"context"
	"strings"
	"time"

	"example.com/inq"
	"example.com/inq/internal/wire"
)

type sendMessageRequest struct {
	QueueUrl *string
	sendMembers
}

// sendMembers are common to SendMessage and the entries of its batch.
type sendMembers struct {
	MessageBody             *string
	DelaySeconds            *int32
	MessageAttributes       wire.Attributes `query:"MessageAttribute,Name,Value"`
	MessageSystemAttributes wire.Attributes `query:"MessageSystemAttribute,Name,Value"`
	MessageDeduplicationId  *string
	MessageGroupId          *string
}

type sendMessageResult struct {
	MessageId                    string
	MD5OfMessageBody             string
	MD5OfMessageAttributes       string `json:",omitempty"`
	MD5OfMessageSystemAttributes string `json:",omitempty"`
	SequenceNumber               string `json:",omitempty"`
}

func (c call) sendMessage(in *sendMessageRequest) (*sendMessageResult, error) {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if in.MessageBody == nil || *in.MessageBody == "" {
		return nil, missing("MessageBody")
	}
	m, digest, err := in.message(isFIFO(q), traceOf(c.Request), "SendMessage")
	if err == nil && !hasLimits(q) {
		err = checkBody(m.Body)
	}
	if err != nil {
		return nil, err
	}
	sent, err := q.Send(c.Context(), m)
	if err != nil {
		return nil, aboutBody(err, m.Body)
	}
	return &sendMessageResult{
		MessageId:                    sent.ID(),
		MD5OfMessageBody:             bodyDigest(m.Body),
		MD5OfMessageAttributes:       attributesDigest(m.Attributes),
		MD5OfMessageSystemAttributes: digest,
		SequenceNumber:               sent.SequenceNumber(),
	}, nil
}

// message turns a request, or an entry of a batch, into the message it asks to send. trace is the
// request's own trace header; digest is that of the system attributes. Where a member is refused
// the message has all the others, so that a batch can be checked on.
func (in *sendMembers) message(fifo bool, trace, operation string) (m inq.Message, digest string, err error) {
	if in.MessageBody != nil {
		m.Body = *in.MessageBody
	}
	if in.DelaySeconds != nil {
		m.Delay = toDuration(*in.DelaySeconds)
	}
	m.Attributes, err = toAttributes(in.MessageAttributes, operation)
	m.TraceHeader = trace
	header, digest, systemErr := toTraceHeader(in.MessageSystemAttributes, operation)
	if header != "" {
		m.TraceHeader = header
	}
	if err == nil {
		err = systemErr
	}
	// An empty id is one that is given (SQS: NAM-3).
	if in.MessageGroupId != nil {
		m.GroupID = *in.MessageGroupId
		if m.GroupID == "" && err == nil {
			err = badID("", "MessageGroupId")
		}
	}
	if in.MessageDeduplicationId != nil {
		m.DeduplicationID = *in.MessageDeduplicationId
		switch {
		case err != nil:
		case !fifo && operation == "SendMessageBatch": // (SQS: CAP-7)
			err = &fault{Kind: kindInvalidParameter, Message: strings.TrimSuffix(textWrongQueueType, ".")}
		case !fifo: // (SQS: MSG-15)
			err = invalid(m.DeduplicationID, "MessageDeduplicationId", textWrongQueueType)
		case m.DeduplicationID == "":
			err = badID("", "MessageDeduplicationId")
		}
	}
	return m, digest, err
}

// isFIFO goes by the name, which tells the type (SQS: NAM-2): q can be around a queue.
func isFIFO(q inq.Local) bool { return strings.HasSuffix(q.Name(), ".fifo") }

// toDuration turns seconds of a call into a duration where 0 is not the queue's own setting (SQS:
// LC-1, RCV-4, RCV-9).
func toDuration(seconds int32) time.Duration {
	if seconds == 0 {
		return inq.Zero
	}
	return time.Duration(seconds) * time.Second
}

type receiveMessageRequest struct {
	QueueUrl                    *string
	AttributeNames              []string `query:"AttributeName"`
	MessageSystemAttributeNames []string `query:"MessageSystemAttributeName"`
	MessageAttributeNames       []string `query:"MessageAttributeName"`
	MaxNumberOfMessages         *int32
	VisibilityTimeout           *int32
	WaitTimeSeconds             *int32
	ReceiveRequestAttemptId     *string
}

type receiveMessageResult struct {
	Messages []message `json:",omitempty" query:"Message"` // (SQS: RCV-7)
}

// message is one received message (SQS: RCV-14, SYS-1).
type message struct {
	MessageId              string
	ReceiptHandle          string
	MD5OfBody              string
	Body                   string
	Attributes             map[string]string              `json:",omitempty" query:"Attribute,Name,Value"`
	MD5OfMessageAttributes string                         `json:",omitempty"`
	MessageAttributes      map[string]wire.AttributeValue `json:",omitempty" query:"MessageAttribute,Name,Value"`
}

func (c call) receiveMessage(in *receiveMessageRequest) (*receiveMessageResult, error) {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	var input inq.ReceiveInput
	if in.MaxNumberOfMessages != nil {
		input.Max = int(*in.MaxNumberOfMessages)
		if input.Max == 0 { // a queue takes it for 1 (SQS: RCV-1)
			return nil, invalid(input.Max, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
		}
	}
	if in.WaitTimeSeconds != nil {
		input.Wait = toDuration(*in.WaitTimeSeconds)
	}
	if in.VisibilityTimeout != nil {
		input.VisibilityTimeout = toDuration(*in.VisibilityTimeout)
	}
	if in.ReceiveRequestAttemptId != nil && isFIFO(q) { // (SQS: RCV-16)
		input.AttemptID = *in.ReceiveRequestAttemptId
		if input.AttemptID == "" {
			return nil, badID("", "ReceiveRequestAttemptId")
		}
	}
	c.Hold(in.held())
	deliveries, err := c.receive(q, input)
	if err != nil {
		return nil, toFault(err, origin{receive: true})
	}
	out := &receiveMessageResult{}
	if len(deliveries) == 0 {
		return out, nil
	}
	if err := c.Need(sizeOf(deliveries)); err != nil {
		giveBack(input, deliveries)
		return nil, err
	}
	filter := newAttributeFilter(in.MessageAttributeNames)
	out.Messages = make([]message, len(deliveries))
	for i := range deliveries {
		d, m := &deliveries[i], &out.Messages[i]
		body := shownBody(d.Body)
		m.MessageId, m.ReceiptHandle, m.Body, m.MD5OfBody = d.ID(), d.ReceiptHandle(), body, bodyDigest(body)
		m.Attributes = pickSystem(d, in.MessageSystemAttributeNames, in.AttributeNames)
		m.MessageAttributes, m.MD5OfMessageAttributes = filter.pick(d.Attributes())
	}
	return out, nil
}

// held is what the request keeps in memory while it waits: the names it asks for.
func (in *receiveMessageRequest) held() (n int64) {
	for _, names := range [][]string{in.AttributeNames, in.MessageSystemAttributeNames, in.MessageAttributeNames} {
		for _, name := range names {
			n += int64(len(name))
		}
	}
	return n
}

// sizeOf is the size of messages as they lie in memory.
func sizeOf(deliveries []inq.Delivery) (n int64) {
	for i := range deliveries {
		d := &deliveries[i]
		n += int64(size(&inq.Message{Body: d.Body, Attributes: d.Attributes()}))
	}
	return n
}

// giveBack returns messages that their receiver will not see, as if they had not been received. What
// timed out meanwhile has returned by itself. Those of a receive with an attempt id stay: the client can
// have them again by it, and must not find them changed.
func giveBack(in inq.ReceiveInput, deliveries []inq.Delivery) {
	if in.AttemptID != "" {
		return
	}
	for i := len(deliveries) - 1; i >= 0; i-- { // the first of a FIFO group last, so that none overtakes it
		_ = deliveries[i].Return(context.Background(), 0)
	}
}

type deleteMessageRequest struct {
	QueueUrl      *string
	ReceiptHandle *string
}

func (c call) deleteMessage(in *deleteMessageRequest) error {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return err
	}
	if in.ReceiptHandle == nil {
		return missing("ReceiptHandle")
	}
	return q.Delete(c.Context(), *in.ReceiptHandle)
}

type changeMessageVisibilityRequest struct {
	QueueUrl          *string
	ReceiptHandle     *string
	VisibilityTimeout *int32
}

func (c call) changeMessageVisibility(in *changeMessageVisibilityRequest) error {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return err
	}
	if in.ReceiptHandle == nil {
		return missing("ReceiptHandle")
	}
	if in.VisibilityTimeout == nil {
		return missing("VisibilityTimeout")
	}
	return q.ChangeVisibility(c.Context(), *in.ReceiptHandle, toDuration(*in.VisibilityTimeout))
}
