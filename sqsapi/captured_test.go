package sqsapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/inq"
)

func TestCAP3_ListsAreTakenUnderTheNamesOfTheirMembersToo(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	c.query(base, "CreateQueue", "QueueName=tagged", "Tags.1.Key=a", "Tags.1.Value=1", "Attributes.1.Name=DelaySeconds", "Attributes.1.Value=7").ok()
	assert.Equal(t, `{"Tags":{"a":"1"}}`, c.json("ListQueueTags", `{'QueueUrl':'tagged'}`).ok())
	assert.Contains(t, c.query(url, "GetQueueAttributes", "QueueUrl=tagged", "AttributeNames.1=DelaySeconds").ok(), "<Value>7</Value>")
	c.query(url, "TagQueue", "Tags.1.Key=a", "Tags.1.Value=1", "Tags.2.Key=b", "Tags.2.Value=2").ok()
	c.query(url, "UntagQueue", "TagKeys.1=a").ok()
	assert.Equal(t, `{"Tags":{"b":"2"}}`, c.json("ListQueueTags", `{'QueueUrl':'`+url+`'}`).ok())
	c.query(url, "SendMessage", "MessageBody=b", "MessageAttributes.1.Name=k", "MessageAttributes.1.Value.DataType=String", "MessageAttributes.1.Value.StringValue=x").ok()
	assert.Contains(t, c.query(url, "ReceiveMessage", "MessageAttributeNames.1=All", "VisibilityTimeout=0").ok(), "<Name>k</Name>")
	c.query(url, "SendMessageBatch", "Entries.1.Id=a", "Entries.1.MessageBody=b").ok()
}

func TestCAP5_AnAttributeWithoutANameIsRefused(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	const nameless = "The request must contain non-empty message attribute name."
	for _, parameters := range [][]string{
		{"MessageAttribute.1.Value.DataType=String"},
		{"MessageAttribute.1.Name=", "MessageAttribute.1.Value.DataType=String", "MessageAttribute.1.Value.StringValue=x"},
		{"MessageAttribute.1.key=k", "MessageAttribute.1.value.DataType=String", "MessageAttribute.1.value.StringValue=x"},
		{"MessageAttributes.1.key=k", "MessageAttributes.1.Value.DataType=String", "MessageAttributes.1.Value.StringValue=x"},
		{"MessageAttribute.1.Name=k", "MessageAttribute.1.Value.DataType=String", "MessageAttribute.1.Value.StringValue=x", "MessageAttribute.2.Name="},
	} {
		c.query(url, "SendMessage", append(parameters, "MessageBody=b")...).failsQuery(400, ipv, nameless)
		var entry []string
		for _, p := range parameters {
			entry = append(entry, "SendMessageBatchRequestEntry.1."+p)
		}
		body := c.query(url, "SendMessageBatch", append(entry, "SendMessageBatchRequestEntry.1.Id=a", "SendMessageBatchRequestEntry.1.MessageBody=b",
			"SendMessageBatchRequestEntry.2.Id=b", "SendMessageBatchRequestEntry.2.MessageBody=sent")...).ok()
		assert.Contains(t, body, "<Id>a</Id><SenderFault>true</SenderFault><Code>InvalidParameterValue</Code><Message>"+nameless+"</Message>")
		assert.Equal(t, "sent", c.receive(url, "")[0].Body)
	}
	c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'b','MessageAttributes':{'':{'DataType':'String','StringValue':'x'}}}`).invalidParameter(nameless)
	assert.Empty(t, c.receive(url, ""))
}

func TestQuery_NoPartOfARequestIsLostInSilence(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	attribute := []string{"MessageBody=b", "MessageAttribute.1.Name=k", "MessageAttribute.1.Value.DataType=String", "MessageAttribute.1.Value.StringValue=x"}
	for _, stray := range []string{"MessageAttribute.1.Type=String", "MessageAttribute.1.Value.Foo=x", "MessageAttribute.1.Name.x=k", "MessageAttribute.x.Name=k",
		"MessageAttribute.entry.1.Name=k", "MessageAttribute=k", "MessageAttribute.1=k", "MessageBody.1=b", "DelaySeconds.1=5", "MessageAttribute.01.Name=j", "MessageAttribute.1.Value=x"} {
		name, _, _ := strings.Cut(stray, "=")
		c.query(url, "SendMessage", append([]string{stray}, attribute...)...).
			failsQuery(400, "MalformedInput", "The request has the parameter "+name+", which the operation does not have.")
	}
	for _, twice := range [][]string{{"MessageBody=c"}, {"MessageAttribute.1.Value.StringValue=y"}} {
		name, _, _ := strings.Cut(twice[0], "=")
		c.query(url, "SendMessage", append(twice, attribute...)...).failsQuery(400, "MalformedInput", "The request has "+name+" more than once.")
	}
	for _, list := range []string{"AttributeName.member.1=All", "AttributeName.x=All", "AttributeName.1.x=All"} {
		name, _, _ := strings.Cut(list, "=")
		c.query(url, "GetQueueAttributes", list).failsQuery(400, "MalformedInput", "The request has the parameter "+name+", which the operation does not have.")
	}
	c.query(url, "TagQueue", "Tag.1.Key=a", "Tag.1.Value=1", "Tag.1.Extra=x").
		failsQuery(400, "MalformedInput", "The request has the parameter Tag.1.Extra, which the operation does not have.")
	c.query(url, "TagQueue", "Tag.1.Key=a", "Tag.1.Value=1", "Tag.2.Key=a", "Tag.2.Value=2").failsQuery(400, "MalformedInput", "The request has Tag.Key a more than once.")
	c.query(url, "TagQueue", "Tag.1.Name=a").failsQuery(400, "MissingParameter", "The request must contain the parameter Tag.Key.")
	c.query(url, "SendMessage", strings.Repeat("x", 513)+"=y").failsQuery(400, "MalformedInput", "The name of a parameter is longer than 512 bytes.")
	c.do(queryRequest(url, "Action=SendMessage&MessageBody=b&Unknown=%")).failsQuery(400, "MalformedInput", `The request is not URL-encoded: invalid URL escape "%"`)
	assert.Empty(t, c.receive(url, ""), "nothing of it was sent")

	// What stands alone, and what an entry does not have, is ignored as in JSON.
	c.query(url, "SendMessage", append([]string{"MessageBody=b", "Timestamp=now", "Unknown.1.x=y"}, attribute...)...).ok()
	assert.Len(t, c.receive(url, `,'MessageAttributeNames':['All']`)[0].MessageAttributes, 1)
	c.query(url, "SendMessageBatch", "SendMessageBatchRequestEntry.1.Id=a", "SendMessageBatchRequestEntry.1.MessageBody=b", "SendMessageBatchRequestEntry.1.ReceiptHandle=h").ok()

	// An empty list is written as its name alone.
	c.query(url, "TagQueue", "Tag=").failsQuery(400, "MissingParameter", "The request must contain the parameter Tags.")
	c.query(url, "UntagQueue", "TagKey=").failsQuery(400, "MissingParameter", "The request must contain the parameter TagKeys.")
	c.query(url, "GetQueueAttributes", "AttributeName=").ok()
	c.query(url, "SetQueueAttributes", "Attribute=").failsQuery(400, "MissingParameter", "The request must contain the parameter Attribute.Name.")
}

func TestMSG12_ReservedListsAreRefused(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	const unsupported = "AWS.SimpleQueueService.UnsupportedOperation"
	for _, list := range []string{`'StringListValues':['a']`, `'BinaryListValues':[]`, `'StringListValues':{'x':1}`} {
		value := `{'DataType':'String','StringValue':'x',` + list + `}`
		for _, member := range []string{"MessageAttributes':{'k'", "MessageSystemAttributes':{'AWSTraceHeader'"} {
			c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'b','`+member+`:`+value+`}}`).
				fails(400, sdkError+"UnsupportedOperation", unsupported, "Message attribute list values in SendMessage operation are not supported.")
			c.json("SendMessageBatch", `{'QueueUrl':'`+url+`','Entries':[{'Id':'a','MessageBody':'b'},{'Id':'b','MessageBody':'b','`+member+`:`+value+`}}]}`).
				fails(400, sdkError+"UnsupportedOperation", unsupported, "Message attribute list values in SendMessageBatch operation are not supported.")
		}
	}
	c.query(url, "SendMessage", "MessageBody=b", "MessageAttribute.1.Name=k", "MessageAttribute.1.Value.DataType=String", "MessageAttribute.1.Value.StringListValue.1=x").
		failsQuery(400, unsupported, "Message attribute list values in SendMessage operation are not supported.")
	assert.Empty(t, c.receive(url, ""), "nothing was sent")
	c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'b','MessageAttributes':{'k':{'DataType':'String','StringValue':'x','StringListValues':null}}}`).ok()
}

func TestCAP7_ADeduplicationIdInABatchToAStandardQueue(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	assert.Contains(t, c.json("SendMessageBatch", `{'QueueUrl':'`+url+`','Entries':[{'Id':'a','MessageBody':'b','MessageDeduplicationId':'d'}]}`).ok(),
		`"Code":"InvalidParameterValue","Message":"The request include parameter that is not valid for this queue type"`)
	c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'b','MessageDeduplicationId':'d'}`).
		invalidParameter("Value d for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not valid for this queue type.")
}

func TestCAP15_AHostMayBeARegionAlone(t *testing.T) {
	c := newClient(t, inq.WithRegion("eu-west-1"))
	c.standard("q")
	c.json("ListQueueTags", `{'QueueUrl':'https://eu-west-1.amazonaws.com/123456789012/q'}`).ok()
	c.json("ListQueueTags", `{'QueueUrl':'https://eu-west-1.amazonaws.com/123456789012/none'}`).queueDoesNotExist()
	for _, host := range []string{"us-east-1", "s3", "sqs", "a.b"} {
		url := "https://" + host + ".amazonaws.com/1/q"
		c.json("ListQueueTags", `{'QueueUrl':'`+url+`'}`).fails(404, sdkError+"InvalidAddress", "InvalidAddress", "The address "+url+" is not valid for this endpoint.")
	}
}

func TestProtocol_TheContentTypeDecides(t *testing.T) {
	c := newClient(t)
	c.standard("q")
	for _, kind := range []string{"application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded; charset=utf-8"} {
		req := queryRequest(base, "Action=ListQueues")
		req.Header.Set("Content-Type", kind)
		req.Header.Set("X-Amz-Target", "AmazonSQS.ListQueues")
		assert.Contains(t, c.do(req).ok(), "<ListQueuesResponse")
	}
	for _, kind := range []string{"application/x-amz-json-1.0", "application/X-AMZ-json-1.1; charset=utf-8", "text/plain", ""} {
		req := jsonRequest("ListQueues", "{}")
		req.Header.Set("Content-Type", kind)
		assert.Contains(t, c.do(req).ok(), `{"QueueUrls"`)
	}
	req := jsonRequest("ListQueues", "{}")
	req.Header.Del("X-Amz-Target")
	c.do(req).fails(400, framing+"UnknownOperationException", "InvalidAction", "The header X-Amz-Target is missing. It names the operation, such as AmazonSQS.SendMessage.")
}

func TestCAP16_TwoOperationsAnswerJSONWithoutABody(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	for operation, body := range map[string]string{"TagQueue": `,'Tags':{'a':'b'}`, "UntagQueue": `,'TagKeys':['a']`, "PurgeQueue": ``} {
		assert.Equal(t, "{}", c.json(operation, `{'QueueUrl':'`+url+`'`+body+`}`).ok(), operation)
	}
	for _, r := range []reply{
		c.json("SetQueueAttributes", `{'QueueUrl':'`+url+`','Attributes':{'DelaySeconds':'0'}}`),
		c.json("DeleteQueue", `{'QueueUrl':'`+url+`'}`),
	} {
		assert.Empty(t, r.ok())
		assert.Equal(t, "0", r.header.Get("Content-Length"))
	}
}

func TestOptions_AdviceStandsBehindTheErrorsOfThe60SecondRules(t *testing.T) {
	c := newClient(t)
	c.rt = NewRoundTripper(NewHandler(c.broker, Options{CooldownAdvice: "Wait."}))
	url := c.standard("q")
	c.json("PurgeQueue", `{'QueueUrl':'`+url+`'}`).ok()
	c.json("PurgeQueue", `{'QueueUrl':'`+url+`'}`).fails(403, sdkError+"PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress",
		"Only one PurgeQueue operation on q is allowed every 60 seconds. Wait.")
	c.json("DeleteQueue", `{'QueueUrl':'`+url+`'}`).ok()
	c.query(base, "CreateQueue", "QueueName=q").failsQuery(400, "AWS.SimpleQueueService.QueueDeletedRecently",
		"You must wait 60 seconds after deleting a queue before you can create another with the same name. Wait.")
	c.json("PurgeQueue", `{'QueueUrl':'`+url+`'}`).queueDoesNotExist()
}

func TestOptions_AllowGetIsAskedBeforeAGetChangesSomething(t *testing.T) {
	c := newClient(t)
	c.rt = NewRoundTripper(NewHandler(c.broker, Options{AllowGet: func(r *http.Request) bool { return r.Header.Get("Authorization") != "" }}))
	url := c.standard("q")
	get := func(query string) *http.Request {
		req, err := http.NewRequest(http.MethodGet, url+"?"+query, nil)
		if err != nil {
			panic(err)
		}
		return req
	}
	reads := map[string]bool{"GetQueueUrl": true, "GetQueueAttributes": true, "ListQueues": true, "ListQueueTags": true, "ListDeadLetterSourceQueues": true, "ListMessageMoveTasks": true}
	for name, op := range operations {
		assert.Equal(t, reads[name], op.Reads, name)
		if op.AtRoot {
			continue
		}
		r := c.do(get("Action=" + name))
		refused := strings.Contains(r.body, "<Code>AccessDenied</Code>")
		assert.Equal(t, !op.Reads, refused, name)
		if refused {
			r.failsQuery(403, "AccessDenied", "A GET request that changes something is refused: a page in a browser can make it send one. Use POST.")
		}
	}
	assert.Len(t, reads, 6)
	signed := get("Action=SendMessage&MessageBody=b")
	signed.Header.Set("Authorization", "AWS4-HMAC-SHA256 x")
	c.do(signed).ok()
	c.query(url, "SendMessage", "MessageBody=b").ok()
	assert.Len(t, c.receive(url, `,'MaxNumberOfMessages':10`), 2)
}
