package sqsapi

import (
	"bytes"
	"net/http"
)

// operation is one of the 23 operations (SQS: section 9.3). What it does is written once, in terms
// of a request and a result that are structs; the codecs fill the one and write the other.
type operation struct {
	name    string
	account bool       // about no queue, and refused at the URL of one (SQS: WIRE-11)
	input   func() any // a new request, a pointer to a struct
	run     func(c *call, in any) (out any, err error)
}

// codec is a request in one of the protocols: it reads what is asked and writes the answer.
type codec interface {
	// read fills the struct that in points to.
	read(in any) error
	// result writes the struct that out points to; nil is the result of an operation that has none.
	result(b *bytes.Buffer, out any, id string)
	fault(b *bytes.Buffer, head http.Header, f *fault, id string)
	contentType() []string
}

// answering makes an operation that has a result.
func answering[In, Out any](name string, run func(*call, *In) (*Out, error)) operation {
	return operation{
		name:  name,
		input: func() any { return new(In) },
		run: func(c *call, in any) (any, error) {
			out, err := run(c, in.(*In))
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
}

// acting makes an operation whose success says it all.
func acting[In any](name string, run func(*call, *In) error) operation {
	return operation{
		name:  name,
		input: func() any { return new(In) },
		run:   func(c *call, in any) (any, error) { return nil, run(c, in.(*In)) },
	}
}

// ofAccount marks an operation that is about no queue.
func ofAccount(o operation) operation {
	o.account = true
	return o
}

// operations are all there are, by name.
var operations = func() map[string]*operation {
	byName := map[string]*operation{}
	for _, o := range []operation{
		answering("SendMessage", (*call).sendMessage),
		answering("ReceiveMessage", (*call).receiveMessage),
		acting("DeleteMessage", (*call).deleteMessage),
		acting("ChangeMessageVisibility", (*call).changeMessageVisibility),

		answering("SendMessageBatch", (*call).sendMessageBatch),
		answering("DeleteMessageBatch", (*call).deleteMessageBatch),
		answering("ChangeMessageVisibilityBatch", (*call).changeMessageVisibilityBatch),

		ofAccount(answering("CreateQueue", (*call).createQueue)),
		ofAccount(answering("ListQueues", (*call).listQueues)),
		answering("GetQueueUrl", (*call).getQueueURL),
		answering("GetQueueAttributes", (*call).getQueueAttributes),
		acting("SetQueueAttributes", (*call).setQueueAttributes),
		acting("PurgeQueue", (*call).purgeQueue),
		acting("DeleteQueue", (*call).deleteQueue),
		answering("ListDeadLetterSourceQueues", (*call).listDeadLetterSourceQueues),

		answering("ListQueueTags", (*call).listQueueTags),
		acting("TagQueue", (*call).tagQueue),
		acting("UntagQueue", (*call).untagQueue),
		acting("AddPermission", (*call).addPermission),
		acting("RemovePermission", (*call).removePermission),

		answering("StartMessageMoveTask", (*call).startMessageMoveTask),
		answering("ListMessageMoveTasks", (*call).listMessageMoveTasks),
		answering("CancelMessageMoveTask", (*call).cancelMessageMoveTask),
	} {
		byName[o.name] = &o
	}
	return byName
}()
