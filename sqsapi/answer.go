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
