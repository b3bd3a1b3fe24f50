package sqsapi

import (
	"reflect"
	"strings"
	"time"
)

// Answer is what became of a request, see Options.Answered. It holds nothing of a message.
type Answer struct {
	Operation string // such as "SendMessage"; "" where the request names none that exists
	// Queue is the name of the queue the request is about, whether it exists or not; one that is too
	// long for a name is cut. "" where the request is about none, or cannot be read.
	Queue        string
	Status       int    // of HTTP
	Code         string // of the error, as the Query protocol spells it; "" for success
	RequestBytes int64  // size of the request's body; -1 where the client did not tell it before
	Bytes        int    // size of the answer's body
	Duration     time.Duration
}

// maxQueueShown is the longest name of a queue (SQS: section 1.2).
const maxQueueShown = 80

// about fills in what a request was about, as far as that was understood.
func (a *Answer) about(op *operation, in any, path string) {
	if op == nil {
		return
	}
	a.Operation = op.name
	defer func() { a.Queue = cut(a.Queue, maxQueueShown) }()
	if !op.account {
		a.Queue = path
	}
	if in == nil {
		return
	}
	members := reflect.ValueOf(in).Elem()
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
}
