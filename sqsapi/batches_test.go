package sqsapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestSendMessageBatch_AnswersInBothProtocols(t *testing.T) {
	c := newClient(t)
	url := c.standard("q", inq.WithMaxMessageSize(1024))
	long := strings.Repeat("x", 1025)
	assert.Equal(t, `{"Successful":[{"Id":"a","MessageId":"{id}","MD5OfMessageBody":"78e731027d8fd50ed642340b7c9a63b3"},`+
		`{"Id":"e","MessageId":"{id}","MD5OfMessageBody":"78e731027d8fd50ed642340b7c9a63b3","MD5OfMessageAttributes":"a45daa70926828a2f0a1db3418e6feb4",`+
		`"MD5OfMessageSystemAttributes":"`+attributesDigest(map[string]inq.Attribute{"AWSTraceHeader": inq.String("Root=1")})+`"}],`+
		`"Failed":[{"Id":"b","SenderFault":true,"Code":"InvalidParameterValue",`+
		`"Message":"One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes."},`+
		`{"Id":"c","SenderFault":true,"Code":"InvalidMessageContents","Message":"`+badCharacter("1")+`"},`+
		`{"Id":"d","SenderFault":true,"Code":"EmptyValue","Message":"The request must contain the parameter MessageBody."},`+
		`{"Id":"f","SenderFault":true,"Code":"InvalidParameterValue",`+
		`"Message":"Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."}]}`,
		c.json("SendMessageBatch", `{'QueueUrl':'`+url+`','Entries':[{'Id':'a','MessageBody':'message'},{'Id':'b','MessageBody':'`+long+`'},`+
			`{'Id':'c','MessageBody':'\u0001'},{'Id':'d'},{'Id':'e','MessageBody':'message','MessageAttributes':{'k':{'DataType':'String','StringValue':'x'}},`+
			`'MessageSystemAttributes':{'AWSTraceHeader':{'DataType':'String','StringValue':'Root=1'}}},`+
			`{'Id':'f','MessageBody':'message','DelaySeconds':901}]}`).ok())

	entry := "SendMessageBatchRequestEntry."
	assert.Equal(t, `<?xml version="1.0"?><SendMessageBatchResponse`+xmlns+`><SendMessageBatchResult><SendMessageBatchResultEntry><Id>a</Id><MessageId>{id}</MessageId>`+
		`<MD5OfMessageBody>78e731027d8fd50ed642340b7c9a63b3</MD5OfMessageBody><MD5OfMessageAttributes>a45daa70926828a2f0a1db3418e6feb4</MD5OfMessageAttributes>`+
		`</SendMessageBatchResultEntry><BatchResultErrorEntry><Id>b</Id><SenderFault>true</SenderFault><Code>EmptyValue</Code>`+
		`<Message>The request must contain the parameter MessageBody.</Message></BatchResultErrorEntry></SendMessageBatchResult>`+metadata+`</SendMessageBatchResponse>`,
		c.query(url, "SendMessageBatch", entry+"2.Id=b", entry+"2.MessageBody=", entry+"1.Id=a", entry+"1.MessageBody=message",
			entry+"1.MessageAttribute.1.Name=k", entry+"1.MessageAttribute.1.Value.DataType=String", entry+"1.MessageAttribute.1.Value.StringValue=x").ok())

	assert.NotContains(t, c.json("SendMessageBatch", `{'QueueUrl':'`+url+`','Entries':[{'Id':'a','MessageBody':'message'}]}`).ok(), "Failed")
	assert.NotContains(t, c.json("SendMessageBatch", `{'QueueUrl':'`+url+`','Entries':[{'Id':'a'}]}`).ok(), "Successful")
	assert.Len(t, c.receive(url, `,'MaxNumberOfMessages':10`), 4)
}

// entries is a list of n entries with members in common.
func entries(n int, members string) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{'Id':'id-%d'%s}`, i, members))
	}
	return "[" + strings.Join(list, ",") + "]"
}

func TestBatches_AreRefusedWhole(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	c.send(url, "a")
	handle := c.receive(url, "")[0].ReceiptHandle
	for operation, members := range map[string]string{
		"SendMessageBatch":             `,'MessageBody':'b'`,
		"DeleteMessageBatch":           `,'ReceiptHandle':'` + handle + `'`,
		"ChangeMessageVisibilityBatch": `,'VisibilityTimeout':0,'ReceiptHandle':'` + handle + `'`,
	} {
		batch := func(entries string) reply { return c.json(operation, `{'QueueUrl':'`+url+`','Entries':`+entries+`}`) }
		empty := "There should be at least one " + operation + "RequestEntry in the request."
		for _, none := range []string{"[]", "null"} {
			batch(none).fails(400, sdkError+"EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", empty)
		}
		c.query(url, operation).failsQuery(400, "AWS.SimpleQueueService.EmptyBatchRequest", empty)
		batch(entries(11, members)).fails(400, sdkError+"TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
			"Maximum number of entries per request are 10. You have sent 11.")
		for _, id := range []string{"", "a.b", "a b", "ä", strings.Repeat("x", 81)} {
			batch(`[{'Id':'`+id+`'`+members+`}]`).fails(400, sdkError+"InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId",
				"A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		batch(`[{'Id':'1'`+members+`},{'Id':'2'`+members+`},{'Id':'2'`+members+`},{'Id':'1'`+members+`}]`).
			fails(400, sdkError+"BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id 2 repeated.")
		batch(`[{'Id':'1'` + members + `},{` + members[1:] + `}]`).missingParameter(operation + "RequestEntry.2.Id")
	}
	assert.Empty(t, c.receive(url, ""), "nothing was done")
}

func TestBAT3_ABatchOfMoreThan1MiBIsRefusedWhole(t *testing.T) {
	c := newClient(t)
	url := c.standard("q", inq.WithMaxMessageSize(1024))
	body := strings.Repeat("x", 1<<19)
	batch := func(second string) reply {
		return c.jsonOf("SendMessageBatch", map[string]any{"QueueUrl": url, "Entries": []map[string]any{
			{"Id": "a", "MessageBody": body}, {"Id": "b", "MessageBody": second},
		}})
	}
	batch(body+"x").fails(400, sdkError+"BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong",
		"Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.")
	assert.Contains(t, batch(body).ok(), "cannot be validated", "the bound is not MaximumMessageSize")
	c.jsonOf("SendMessageBatch", map[string]any{"QueueUrl": url, "Entries": []map[string]any{{"Id": "a", "MessageBody": body + body[1:],
		"MessageAttributes": map[string]any{"n": map[string]string{"DataType": "String", "StringValue": "v"}}}}}).
		fails(400, sdkError+"BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong",
			"Batch requests cannot be longer than 1048576 bytes. You have sent 1048583 bytes.")
}

func TestFIFO4_AFIFOBatchWithoutIdsIsRefusedWhole(t *testing.T) {
	c := newClient(t)
	url := c.fifo("q.fifo", inq.WithMaxMessageSize(1024))
	good := `{'Id':'a','MessageBody':'b','MessageGroupId':'g','MessageDeduplicationId':'1'},`
	batch := func(entry string) reply {
		return c.json("SendMessageBatch", `{'QueueUrl':'`+url+`','Entries':[`+good+`{'Id':'b',`+entry+`}]}`)
	}
	batch(`'MessageBody':'b','MessageDeduplicationId':'2'`).invalidParameter("The request must contain the parameter MessageGroupId.")
	batch(`'MessageBody':'b','MessageGroupId':'','MessageDeduplicationId':'2'`).invalidParameter("The request must contain the parameter MessageGroupId.")
	batch(`'MessageBody':'b','MessageGroupId':'g'`).
		invalidParameter("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	batch(`'MessageBody':'b','MessageGroupId':'g','MessageDeduplicationId':'2','DelaySeconds':2`).
		invalidParameter("Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.")
	batch(`'MessageBody':'` + strings.Repeat("x", 1025) + `','MessageGroupId':'g','MessageDeduplicationId':'2'`).
		invalidParameter("One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.")
	batch(`'MessageBody':'b','MessageAttributes':{'k':{}},'MessageDeduplicationId':'2'`).
		invalidParameter("The request must contain the parameter MessageGroupId.")
	assert.Empty(t, c.receive(url, ""), "nothing was sent")

	var out sendMessageBatchResult
	r := batch(`'MessageBody':'b','MessageAttributes':{'k':{}},'MessageGroupId':'g','MessageDeduplicationId':'2'`)
	require.NoError(t, json.Unmarshal([]byte(r.body), &out))
	require.Len(t, out.Successful, 1)
	assert.Len(t, out.Successful[0].SequenceNumber, 20)
	assert.Equal(t, []batchFailure{{"b", true, ipv, "The message (user) attribute 'k' must contain a non-empty message attribute type."}}, out.Failed)
}

func TestDeleteMessageBatch_FailsEntriesSingly(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	c.send(url, "a")
	c.send(url, "b")
	got := c.receive(url, `,'MaxNumberOfMessages':2`)
	require.Len(t, got, 2)
	assert.Equal(t, `{"Successful":[{"Id":"a"}],"Failed":[{"Id":"b","SenderFault":true,"Code":"ReceiptHandleIsInvalid",`+
		`"Message":"The input receipt handle \"x\" is not a valid receipt handle."},{"Id":"c","SenderFault":true,"Code":"MissingParameter",`+
		`"Message":"The request must contain the parameter DeleteMessageBatchRequestEntry.3.ReceiptHandle."}]}`,
		c.json("DeleteMessageBatch", `{'QueueUrl':'`+url+`','Entries':[{'Id':'a','ReceiptHandle':'`+got[0].ReceiptHandle+`'},{'Id':'b','ReceiptHandle':'x'},{'Id':'c'}]}`).ok())
	assert.Equal(t, `<?xml version="1.0"?><DeleteMessageBatchResponse`+xmlns+`><DeleteMessageBatchResult><DeleteMessageBatchResultEntry><Id>a</Id></DeleteMessageBatchResultEntry>`+
		`<BatchResultErrorEntry><Id>b</Id><SenderFault>true</SenderFault><Code>ReceiptHandleIsInvalid</Code><Message>The input receipt handle &quot;x&quot; is not a valid receipt handle.</Message>`+
		`</BatchResultErrorEntry></DeleteMessageBatchResult>`+metadata+`</DeleteMessageBatchResponse>`,
		c.query(url, "DeleteMessageBatch", "DeleteMessageBatchRequestEntry.1.Id=a", "DeleteMessageBatchRequestEntry.1.ReceiptHandle="+got[1].ReceiptHandle,
			"DeleteMessageBatchRequestEntry.2.Id=b", "DeleteMessageBatchRequestEntry.2.ReceiptHandle=x").ok())
	counts, err := c.queue("q").Counts(t.Context())
	require.NoError(t, err)
	assert.Zero(t, counts)
}

func (c *client) queue(name string) inq.Local {
	c.t.Helper()
	q, err := c.broker.Queue(name)
	require.NoError(c.t, err)
	return q
}

func TestVIS8_VisibilityBatchFailsEntriesSingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q")
		c.send(url, "a")
		c.send(url, "b")
		got := c.receive(url, `,'MaxNumberOfMessages':2`)
		assert.Equal(t, `{"Successful":[{"Id":"c"}],"Failed":[{"Id":"a","SenderFault":true,"Code":"MissingParameter","Message":"The request must contain the parameter ChangeMessageVisibilityBatchRequestEntry.1.VisibilityTimeout."},`+
			`{"Id":"b","SenderFault":true,"Code":"MissingParameter","Message":"The request must contain the parameter ChangeMessageVisibilityBatchRequestEntry.2.ReceiptHandle."},`+
			`{"Id":"d","SenderFault":true,"Code":"InvalidParameterValue","Message":"Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200."}]}`,
			c.json("ChangeMessageVisibilityBatch", `{'QueueUrl':'`+url+`','Entries':[{'Id':'a','ReceiptHandle':'`+got[0].ReceiptHandle+`'},`+
				`{'Id':'b','VisibilityTimeout':1},{'Id':'c','ReceiptHandle':'`+got[0].ReceiptHandle+`','VisibilityTimeout':100},`+
				`{'Id':'d','ReceiptHandle':'`+got[1].ReceiptHandle+`','VisibilityTimeout':43201}]}`).ok())
		time.Sleep(30 * time.Second)
		assert.Equal(t, "b", c.receive(url, `,'MaxNumberOfMessages':2,'VisibilityTimeout':0`)[0].Body)
		entry := "ChangeMessageVisibilityBatchRequestEntry."
		assert.Equal(t, `<?xml version="1.0"?><ChangeMessageVisibilityBatchResponse`+xmlns+`><ChangeMessageVisibilityBatchResult>`+
			`<ChangeMessageVisibilityBatchResultEntry><Id>x</Id></ChangeMessageVisibilityBatchResultEntry></ChangeMessageVisibilityBatchResult>`+
			metadata+`</ChangeMessageVisibilityBatchResponse>`,
			c.query(url, "ChangeMessageVisibilityBatch", entry+"1.Id=x", entry+"1.ReceiptHandle="+got[0].ReceiptHandle, entry+"1.VisibilityTimeout=0").ok())
		assert.Len(t, c.receive(url, `,'MaxNumberOfMessages':2`), 2)
	})
}

func TestBatches_WithoutSQSLimitsTakeMore(t *testing.T) {
	c := newClient(t, inq.WithQueueDefaults(inq.WithoutSQSLimits()))
	url := c.standard("q")
	assert.NotContains(t, c.json("SendMessageBatch", `{'QueueUrl':'`+url+`','Entries':`+entries(20, `,'MessageBody':'b'`)+`}`).ok(), "Failed")
	assert.Len(t, c.receive(url, `,'MaxNumberOfMessages':20`), 20)
}

func TestSendMessageBatch_SendsNoEntryThatTheWireRefuses(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	// A queue would take both: to it, an empty group is none, and it knows one system attribute
	// only.
	body := c.json("SendMessageBatch", `{'QueueUrl':'`+url+`','Entries':[{'Id':'a','MessageBody':'b','MessageGroupId':''},`+
		`{'Id':'b','MessageBody':'b','MessageSystemAttributes':{'Foo':{'DataType':'String','StringValue':'x'}}}]}`).ok()
	assert.Equal(t, `{"Failed":[{"Id":"a","SenderFault":true,"Code":"InvalidParameterValue","Message":"Value  for parameter MessageGroupId is invalid. `+
		`Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length."},`+
		`{"Id":"b","SenderFault":true,"Code":"InvalidParameterValue","Message":"Message system attribute name 'Foo' is invalid."}]}`, body)
	assert.Empty(t, c.receive(url, ""))
}
