package snsapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// publisher is a client with a topic whose messages go raw to the queue "q".
func publisher(t *testing.T) (c *client, on string) {
	c = newClient(t)
	on = "TopicArn=" + c.topic("t")
	c.call("Subscribe", on, "Protocol=sqs", "Endpoint="+c.queue("q", nil), "Attributes.entry.1.key=RawMessageDelivery", "Attributes.entry.1.value=true").ok()
	return c, on
}

func TestPublish_ReachesAQueue(t *testing.T) {
	c, on := publisher(t)
	assert.Equal(t, `<PublishResponse`+xmlns+`><PublishResult><MessageId>{id}</MessageId></PublishResult>`+
		`<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></PublishResponse>`, c.call("Publish", on, "Message=hello").ok())
	req := request(form("Action=Publish", "TargetArn="+arn+"t", "Message=again", "Subject=s",
		"MessageAttributes.entry.1.Name=k", "MessageAttributes.entry.1.Value.DataType=String", "MessageAttributes.entry.1.Value.StringValue=v",
		"MessageAttributes.entry.2.Name=b", "MessageAttributes.entry.2.Value.DataType=Binary", "MessageAttributes.entry.2.Value.BinaryValue="+base64.StdEncoding.EncodeToString([]byte{1, 2})))
	req.Header.Set("X-Amzn-Trace-Id", "Root=1-2-3")
	c.do(req).ok()
	q, err := c.broker.Queue("q")
	require.NoError(t, err)
	ds, err := q.Receive(t.Context(), inq.ReceiveInput{Max: 10})
	require.NoError(t, err)
	require.Len(t, ds, 2)
	assert.Equal(t, "hello", ds[0].Body)
	assert.Equal(t, map[string]inq.Attribute{"k": {Type: "String", Value: "v"}, "b": {Type: "Binary", Binary: []byte{1, 2}}}, ds[1].Attributes())
	assert.Equal(t, "Root=1-2-3", ds[1].TraceHeader())
}

func TestPublish_Envelope(t *testing.T) {
	c := newClient(t)
	on := "TopicArn=" + c.topic("t")
	c.call("Subscribe", on, "Protocol=sqs", "Endpoint="+c.queue("q", nil)).ok()
	id := c.call("Publish", on, "Message=hello").value("MessageId")
	var envelope map[string]any
	require.NoError(t, json.Unmarshal([]byte(c.received("q")[0]), &envelope))
	assert.Equal(t, id, envelope["MessageId"])
	assert.Equal(t, "hello", envelope["Message"])
	assert.Contains(t, envelope["UnsubscribeURL"], base+"/?Action=Unsubscribe&SubscriptionArn="+arn+"t:")
}

func TestPublish_WhatIsRefused(t *testing.T) {
	c, on := publisher(t)
	c.call("Publish", "Message=m").invalid("Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter")
	c.call("Publish", on, "PhoneNumber=+15551234", "Message=m").invalid("Invalid parameter: TopicArn Reason: only one of TopicArn, TargetArn and PhoneNumber can be given")
	c.call("Publish", "TopicArn="+arn+"none").fails(404, "NotFound", "Topic does not exist")
	c.call("Publish", on).invalid("Invalid parameter: Message Reason: no value for required parameter")
	c.call("Publish", on, "Message=").invalid("Invalid parameter: Empty message")
	c.call("Publish", on, "Message=m", "Subject=").invalid("Invalid parameter: Subject")
	c.call("Publish", on, "Message=m", "MessageStructure=").invalid(`Invalid parameter: MessageStructure Reason: must be "json" if it is given`)
	c.call("Publish", on, "Message="+strings.Repeat("x", 262_145)).invalid("Invalid parameter: Message too long")
	c.call("Publish", on, "Message=m", "MessageDeduplicationId=d").
		invalid("Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
	attribute := func(more ...string) reply {
		var parameters []string
		for _, p := range more {
			parameters = append(parameters, "MessageAttributes.entry.1."+p)
		}
		return c.call("Publish", append(parameters, on, "Message=m")...)
	}
	attribute("Name=k", "Value.StringValue=v").fails(400, "ValidationError",
		"1 validation error detected: Value null at 'messageAttributes.k.member.dataType' failed to satisfy constraint: Member must not be null")
	attribute("Name=k", "Value.DataType=Stringx", "Value.StringValue=v").fails(400, "ParameterValueInvalid",
		"The message attribute 'k' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.")
	attribute("Name=k", "Value.DataType=String", "Value.BinaryValue=AQ==").fails(400, "ParameterValueInvalid", "The message attribute 'k' with type 'String' must use field 'String'.")
	attribute("Name=k", "Value.DataType=Binary", "Value.BinaryValue=!").fails(400, "MalformedInput", "The value of parameter BinaryValue is not base64.")
	attribute("Name=k", "Value.DataType=String", "Value.StringListValue.1=x").fails(400, "ParameterValueInvalid", "The message attribute 'k' has a list of values, which is not supported.")
	c.call("Publish", on, "Message=m", "MessageAttributes.entry.1.Name=k", "MessageAttributes.entry.1.Value.DataType=String", "MessageAttributes.entry.1.Value.StringValue=v",
		"MessageAttributes.entry.2.Name=k", "MessageAttributes.entry.2.Value.DataType=String", "MessageAttributes.entry.2.Value.StringValue=w").
		fails(400, "ParameterValueInvalid", "The message attribute 'k' is given more than once.")
	assert.Empty(t, c.received("q"))
}

func TestPublish_ManyAttributesAreKeptAll(t *testing.T) {
	c := newClient(t)
	on := "TopicArn=" + c.topic("t")
	c.call("Subscribe", on, "Protocol=sqs", "Endpoint="+c.queue("q", nil)).ok()
	parameters := []string{on, "Message=m"}
	for i := range 500 {
		of := fmt.Sprintf("MessageAttributes.entry.%d.", i+1)
		parameters = append(parameters, of+fmt.Sprint("Name=k", i), of+"Value.DataType=String", of+"Value.StringValue=v")
	}
	c.call("Publish", parameters...).ok()
	var envelope struct{ MessageAttributes map[string]any }
	require.NoError(t, json.Unmarshal([]byte(c.received("q")[0]), &envelope))
	assert.Len(t, envelope.MessageAttributes, 500)
	for i := range 3500 {
		of := fmt.Sprintf("MessageAttributes.entry.%d.", i+501)
		parameters = append(parameters, of+fmt.Sprint("Name=l", i), of+"Value.DataType=String", of+"Value.StringValue=v")
	}
	c.call("Publish", parameters...).fails(400, "MalformedInput", "The request has too many parameters.")
	assert.Empty(t, c.received("q"))
}

func TestPublishBatch(t *testing.T) {
	c, on := publisher(t)
	entries := func(parts ...string) reply {
		parameters := []string{on}
		for _, p := range parts {
			parameters = append(parameters, "PublishBatchRequestEntries.member."+p)
		}
		return c.call("PublishBatch", parameters...)
	}
	assert.Equal(t, `<PublishBatchResponse`+xmlns+`><PublishBatchResult><Successful><member><Id>a</Id><MessageId>{id}</MessageId></member>`+
		`<member><Id>b</Id><MessageId>{id}</MessageId></member></Successful><Failed/></PublishBatchResult>`+
		`<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></PublishBatchResponse>`, entries("1.Id=a", "1.Message=1", "2.Id=b", "2.Message=2").ok())
	assert.Equal(t, []string{"1", "2"}, c.received("q"))
	entries().fails(400, "EmptyBatchRequest", "The batch request doesn't contain any entries.")
	var eleven, hundred []string
	for i := range 100 {
		hundred = append(hundred, fmt.Sprintf("%d.Id=%d", i+1, i), fmt.Sprintf("%d.Message=m", i+1))
	}
	eleven = hundred[:22]
	for _, many := range [][]string{eleven, hundred} {
		entries(many...).fails(400, "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
	}
	entries("1.Id=a", "1.Message=1", "2.Id=a", "2.Message=2").fails(400, "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
	entries("1.Id=a b", "1.Message=1").fails(400, "InvalidBatchEntryId", "The Id of a batch entry in the batch request contains an impermissible character: a b")
	long := strings.Repeat("x", 81)
	entries("1.Id="+long, "1.Message=1").fails(400, "InvalidBatchEntryId", "The Id of a batch entry in the batch request is too long: "+long)
	const null = "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null"
	entries("1.Message=1").fails(400, "ValidationError", fmt.Sprintf(null, "publishBatchRequestEntries.1.member.id"))
	entries("1.Id=a").fails(400, "ValidationError", fmt.Sprintf(null, "publishBatchRequestEntries.1.member.message"))
	entries("1.Id=a", "1.Message=1", "2.Id=b", "2.Message=2", "2.Subject=").invalid("Invalid parameter: Subject")
	entries("1.Id=a", "1.Message=1", "2.Id=b", "2.Message=2", "2.MessageAttributes.entry.1.Name=k", "2.MessageAttributes.entry.1.Value.StringValue=x").
		fails(400, "ValidationError", fmt.Sprintf(null, "publishBatchRequestEntries.2.member.messageAttributes.k.member.dataType"))
	half := strings.Repeat("x", 131_073)
	entries("1.Id=a", "1.Message="+half, "2.Id=b", "2.Message="+half).fails(400, "BatchRequestTooLong", "The length of all the messages put together is more than the limit.")
	assert.Empty(t, c.received("q"))
}

func TestPublish_FIFO(t *testing.T) {
	c := newClient(t)
	on := "TopicArn=" + c.topic("t.fifo", "Attributes.entry.1.key=FifoTopic", "Attributes.entry.1.value=true")
	c.call("Subscribe", on, "Protocol=sqs", "Endpoint="+c.queue("q.fifo", map[string]string{"FifoQueue": "true"}),
		"Attributes.entry.1.key=RawMessageDelivery", "Attributes.entry.1.value=true").ok()
	c.call("Publish", on, "Message=m").invalid("Invalid parameter: The MessageGroupId parameter is required for FIFO topics")
	c.call("Publish", on, "Message=m", "MessageGroupId=g").
		invalid("Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	publish := []string{on, "Message=m", "MessageGroupId=g", "MessageDeduplicationId=d"}
	first := c.call("Publish", publish...)
	assert.Contains(t, first.ok(), "<SequenceNumber>{sequence}</SequenceNumber>")
	assert.Equal(t, first.value("MessageId"), c.call("Publish", publish...).value("MessageId"))
	assert.Equal(t, []string{"m"}, c.received("q.fifo"))
}
