package sqsapi

import "net/http"

// operation is one of the 23 operations (SQS: section 9.3). What it does is written once, in terms
// of a request and a result that are structs; the codecs fill the one and write the other.
type operation struct {
	name    string
	account bool       // about no queue, and refused at the URL of one (SQS: WIRE-11)
	reads   bool       // changes nothing
	void    bool       // answers JSON without a body (SQS: CAP-16)
	input   func() any // a new request, a pointer to a struct
	run     func(c *call, in any) (out any, err error)
}

// codec is a request in one of the protocols: it reads what is asked and writes the answer.
type codec interface {
	// read fills the struct that in points to.
	read(in any, b batch) error
	// result writes the struct that out points to; nil is the result of an operation that has none.
	// An answer may be written more than once, and each time is the same.
	result(o *output, out any, id string)
	fault(o *output, head http.Header, f *fault, id string)
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

// reading marks an operation that changes nothing.
func reading(o operation) operation {
	o.reads = true
	return o
}

// silent marks an operation that answers JSON without a body.
func silent(o operation) operation {
	o.void = true
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
		ofAccount(reading(answering("ListQueues", (*call).listQueues))),
		reading(answering("GetQueueUrl", (*call).getQueueURL)),
		reading(answering("GetQueueAttributes", (*call).getQueueAttributes)),
		silent(acting("SetQueueAttributes", (*call).setQueueAttributes)),
		acting("PurgeQueue", (*call).purgeQueue),
		silent(acting("DeleteQueue", (*call).deleteQueue)),
		reading(answering("ListDeadLetterSourceQueues", (*call).listDeadLetterSourceQueues)),

		reading(answering("ListQueueTags", (*call).listQueueTags)),
		acting("TagQueue", (*call).tagQueue),
		acting("UntagQueue", (*call).untagQueue),
		acting("AddPermission", (*call).addPermission),
		acting("RemovePermission", (*call).removePermission),

		answering("StartMessageMoveTask", (*call).startMessageMoveTask),
		reading(answering("ListMessageMoveTasks", (*call).listMessageMoveTasks)),
		answering("CancelMessageMoveTask", (*call).cancelMessageMoveTask),
	} {
		byName[o.name] = &o
	}
	return byName
}()
