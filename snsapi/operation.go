package snsapi

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
	return wire.Answering(name, ownCall, run)
}

// acting makes an operation without a result (SNS: WIRE-6).
func acting[In any](name string, run func(call, *In) error) *wire.Operation {
	return wire.Acting(name, ownCall, run)
}

// emptily makes an operation whose result is there and has no members (SNS: WIRE-6).
func emptily[In any](name string, run func(call, *In) error) *wire.Operation {
	return answering(name, func(c call, in *In) (*struct{}, error) { return &struct{}{}, run(c, in) })
}

// reading marks an operation that changes nothing.
func reading(o *wire.Operation) *wire.Operation {
	o.Reads = true
	return o
}

// linked marks an operation that links in envelopes lead to.
func linked(o *wire.Operation) *wire.Operation {
	o.Link = true
	return o
}

// creating marks an operation that a region begins with.
func creating(o *wire.Operation) *wire.Operation {
	o.Creates = true
	return o
}

// unsupported makes an operation that is known and not carried out (SNS: OUT-6).
func unsupported(name string) *wire.Operation {
	return acting(name, func(call, *struct{}) error {
		return wire.Faultf(wire.KindUnknownOperation, "The action %s is not supported here: there is no sandbox for text messages.", name)
	})
}

// operations are all 42 there are, by name (SNS: section 2).
var operations = wire.ByName(
	creating(answering("CreateTopic", call.createTopic)),
	acting("DeleteTopic", call.deleteTopic),
	reading(answering("ListTopics", call.listTopics)),
	reading(answering("GetTopicAttributes", call.getTopicAttributes)),
	acting("SetTopicAttributes", call.setTopicAttributes),
	acting("AddPermission", call.addPermission),
	acting("RemovePermission", call.removePermission),
	reading(answering("GetDataProtectionPolicy", call.getDataProtectionPolicy)),
	acting("PutDataProtectionPolicy", call.putDataProtectionPolicy),
	emptily("TagResource", call.tagResource),
	emptily("UntagResource", call.untagResource),
	reading(answering("ListTagsForResource", call.listTagsForResource)),

	answering("Subscribe", call.subscribe),
	linked(answering("ConfirmSubscription", call.confirmSubscription)),
	linked(acting("Unsubscribe", call.unsubscribe)),
	reading(answering("ListSubscriptions", call.listSubscriptions)),
	reading(answering("ListSubscriptionsByTopic", call.listSubscriptionsByTopic)),
	reading(answering("GetSubscriptionAttributes", call.getSubscriptionAttributes)),
	acting("SetSubscriptionAttributes", call.setSubscriptionAttributes),

	answering("Publish", call.publish),
	answering("PublishBatch", call.publishBatch),

	creating(answering("CreatePlatformApplication", call.createPlatformApplication)),
	acting("DeletePlatformApplication", call.deletePlatformApplication),
	reading(answering("ListPlatformApplications", call.listPlatformApplications)),
	reading(answering("GetPlatformApplicationAttributes", call.getPlatformApplicationAttributes)),
	acting("SetPlatformApplicationAttributes", call.setPlatformApplicationAttributes),
	answering("CreatePlatformEndpoint", call.createPlatformEndpoint),
	acting("DeleteEndpoint", call.deleteEndpoint),
	reading(answering("ListEndpointsByPlatformApplication", call.listEndpointsByPlatformApplication)),
	reading(answering("GetEndpointAttributes", call.getEndpointAttributes)),
	acting("SetEndpointAttributes", call.setEndpointAttributes),

	reading(answering("GetSMSAttributes", call.getSMSAttributes)),
	creating(emptily("SetSMSAttributes", call.setSMSAttributes)),
	reading(answering("CheckIfPhoneNumberIsOptedOut", call.checkIfPhoneNumberIsOptedOut)),
	reading(answering("ListPhoneNumbersOptedOut", call.listPhoneNumbersOptedOut)),
	emptily("OptInPhoneNumber", call.optInPhoneNumber),
	reading(answering("ListOriginationNumbers", call.listNoNumbers)),
	reading(answering("ListSMSSandboxPhoneNumbers", call.listNoNumbers)),
	unsupported("CreateSMSSandboxPhoneNumber"),
	unsupported("DeleteSMSSandboxPhoneNumber"),
	unsupported("VerifySMSSandboxPhoneNumber"),
	reading(unsupported("GetSMSSandboxAccountStatus")),
)
