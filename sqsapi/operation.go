package sqsapi

import "example.com/inq/internal/wire"

// call is one request under way, with the region it is about.
type call struct {
	*wire.Call
	*region
}

func ownCall(c *wire.Call) call {
	r, _ := c.Own.(*region)
	return call{c, r}
}

// answering makes an operation that has a result.
func answering[In, Out any](name string, run func(call, *In) (*Out, error)) *wire.Operation {
	return disturbed(wire.Answering(name, ownCall, run))
}

// acting makes an operation whose success says it all.
func acting[In any](name string, run func(call, *In) error) *wire.Operation {
	return disturbed(wire.Acting(name, ownCall, run))
}

// ofAccount marks an operation that is about no queue, and refused at the URL of one (SQS: WIRE-11).
func ofAccount(o *wire.Operation) *wire.Operation {
	o.AtRoot = true
	return o
}

// reading marks an operation that changes nothing.
func reading(o *wire.Operation) *wire.Operation {
	o.Reads = true
	return o
}

// silent marks an operation that answers JSON without a body (SQS: CAP-16).
func silent(o *wire.Operation) *wire.Operation {
	o.Void = true
	return o
}

// creating marks the operation that a region begins with.
func creating(o *wire.Operation) *wire.Operation {
	o.Creates = true
	return o
}

// operations are all 23 there are, by name (SQS: section 9.3).
var operations = wire.ByName(
	answering("SendMessage", call.sendMessage),
	answering("ReceiveMessage", call.receiveMessage),
	acting("DeleteMessage", call.deleteMessage),
	acting("ChangeMessageVisibility", call.changeMessageVisibility),

	answering("SendMessageBatch", call.sendMessageBatch),
	answering("DeleteMessageBatch", call.deleteMessageBatch),
	answering("ChangeMessageVisibilityBatch", call.changeMessageVisibilityBatch),

	creating(ofAccount(answering("CreateQueue", call.createQueue))),
	ofAccount(reading(answering("ListQueues", call.listQueues))),
	reading(answering("GetQueueUrl", call.getQueueURL)),
	reading(answering("GetQueueAttributes", call.getQueueAttributes)),
	silent(acting("SetQueueAttributes", call.setQueueAttributes)),
	acting("PurgeQueue", call.purgeQueue),
	silent(acting("DeleteQueue", call.deleteQueue)),
	reading(answering("ListDeadLetterSourceQueues", call.listDeadLetterSourceQueues)),

	reading(answering("ListQueueTags", call.listQueueTags)),
	acting("TagQueue", call.tagQueue),
	acting("UntagQueue", call.untagQueue),
	acting("AddPermission", call.addPermission),
	acting("RemovePermission", call.removePermission),

	answering("StartMessageMoveTask", call.startMessageMoveTask),
	reading(answering("ListMessageMoveTasks", call.listMessageMoveTasks)),
	answering("CancelMessageMoveTask", call.cancelMessageMoveTask),
)
