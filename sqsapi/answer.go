package sqsapi

import (
	"reflect"
	"strings"
	"time"

	"example.com/inq/internal/wire"
)

// Answer is what became of a request, see Options.Answered. It holds nothing of a message.
type Answer struct {
	Operation string // such as "SendMessage"; "" where the request names none that exists
	// Queue is the name of the queue the request is about, whether it exists or not; one that is too
	// long for a name is cut. "" where the request is about none, or cannot be read.
	Queue string
	// Region is the one the request is about; "" where the request names no operation.
	Region       string
	Status       int    // of HTTP
	Code         string // of the error, as the Query protocol spells it; "" for success
	RequestBytes int64  // size of the request's body; -1 where the client did not tell it before
	Bytes        int    // size of the answer's body
	Duration     time.Duration
	// Entries is how many messages the request is about: the entries of a batch, and 1 for
	// SendMessage, DeleteMessage and ChangeMessageVisibility.
	Entries  int
	Failed   int // entries of a batch that failed
	Received int // messages in the answer
	// Payload is the size of the messages in the request and the answer, bodies and attributes, which is
	// what SQS bills in chunks of 64 KiB.
	Payload int
}

// maxQueueShown is the longest name of a queue (SQS: section 1.2).
const maxQueueShown = 80

// describeAnswer tells what a request was about, as far as that was understood.
func describeAnswer(w *wire.Answer) (a Answer) {
	a = Answer{Status: w.Status, Code: w.Code, RequestBytes: w.RequestBytes, Bytes: w.Bytes, Duration: w.Duration}
	if r, ok := w.Call.Own.(*region); ok {
		a.Region = r.broker.Region()
	}
	if w.Operation == nil {
		return a
	}
	a.Operation = w.Operation.Name
	defer func() { a.Queue = wire.Cut(a.Queue, maxQueueShown) }()
	if !w.Operation.AtRoot {
		a.Queue = w.Call.Path
	}
	if w.In == nil {
		return a
	}
	a.weigh(w)
	members := reflect.ValueOf(w.In).Elem()
	text := func(name string) string {
		if field := members.FieldByName(name); field.IsValid() {
			if s, ok := field.Interface().(*string); ok && s != nil {
				return *s
			}
		}
		return ""
	}
	if url := text("QueueUrl"); url != "" {
		a.Queue, _ = splitQueueURL(url)
	} else if name := text("QueueName"); name != "" {
		a.Queue = name
	} else if arn := text("SourceArn"); arn != "" {
		a.Queue = arn[strings.LastIndexByte(arn, ':')+1:]
	}
	return a
}

// weigh counts the messages of a request and its answer.
func (a *Answer) weigh(w *wire.Answer) {
	switch in := w.In.(type) {
	case *sendMessageRequest:
		a.Entries, a.Payload = 1, in.weight()
	case *sendMessageBatchRequest:
		a.Entries = len(in.Entries)
		for i := range in.Entries {
			a.Payload += in.Entries[i].weight()
		}
	case *deleteMessageRequest, *changeMessageVisibilityRequest:
		a.Entries = 1
	case *deleteMessageBatchRequest:
		a.Entries = len(in.Entries)
	case *changeMessageVisibilityBatchRequest:
		a.Entries = len(in.Entries)
	}
	switch out := w.Out.(type) {
	case *receiveMessageResult:
		a.Received = len(out.Messages)
		for i := range out.Messages {
			a.Payload += out.Messages[i].weight()
		}
	case *sendMessageBatchResult:
		a.Failed = len(out.Failed)
	case *deleteMessageBatchResult:
		a.Failed = len(out.Failed)
	case *changeMessageVisibilityBatchResult:
		a.Failed = len(out.Failed)
	}
	a.Entries += w.Call.Left() // 0 but for a batch
}

// weight is the size of the message that is to be sent.
func (in *sendMembers) weight() (n int) {
	n = length(in.MessageBody)
	for name, a := range in.MessageAttributes.Named {
		n += len(name) + length(a.DataType) + length(a.StringValue) + len(a.BinaryValue)
	}
	return n + in.MessageAttributes.LeftBytes
}

// weight is the size of the message as it was received.
func (m *message) weight() int {
	n := len(m.Body)
	for name, a := range m.MessageAttributes {
		n += len(name) + length(a.DataType) + length(a.StringValue) + len(a.BinaryValue)
	}
	return n
}

// length is that of a text which may be missing.
func length(s *string) int {
	if s == nil {
		return 0
	}
	return len(*s)
}
