package sqsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/internal/wire"
)

func TestWIRE2_JSONIsServedOnEveryPath(t *testing.T) {
	c := newClient(t)
	c.standard("q")
	req := jsonRequest("SendMessage", `{"QueueUrl":"`+base+`/000000000000/q","MessageBody":"b"}`)
	req.URL.Path = "/000000000000/other"
	c.do(req).ok()
	assert.Len(t, c.receive("q", ""), 1)
	req = jsonRequest("SendMessage", `{"MessageBody":"b"}`)
	req.URL.Path = "/000000000000/q"
	c.do(req).missingParameter("QueueUrl")
}

func TestWIRE8_WhatIsNoJSONRequestIsRefused(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	for _, body := range []string{`{`, `[]`, `"x"`, `{'QueueUrl':1}`, `{'QueueUrl':'q'} x`, `{'DelaySeconds':'5'}`, `{'DelaySeconds':1.5}`, `{'DelaySeconds':3000000000}`,
		`{'MessageAttributes':[]}`, `{'MessageAttributes':{'k':{'BinaryValue':'!'}}}`, "{'MessageBody':'\xff'}", `{'MessageBody':'\ud800'}`,
		`{'MessageBody':'\ud800\u0041'}`, `{'MessageBody':'\udc00'}`, `{'MessageBody':'\\\ud83d'}`} {
		r := c.json("SendMessage", body)
		assert.Equal(t, 400, r.status, body)
		assert.Contains(t, r.body, `"__type":"com.amazon.coral.service#SerializationException"`, body)
		assert.Equal(t, "MalformedInput;Sender", r.header.Get("x-amzn-query-error"), body)
	}
	for body, want := range map[string]string{`\ud834\udd1e`: "𝄞", `\\ud800`: `\ud800`, `\uD83D\uDE00\\`: `😀\`, `a\/b`: "a/b"} {
		c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'`+body+`'}`).ok()
		assert.Equal(t, want, c.receive(url, "")[0].Body)
	}
	assert.Equal(t, `{"QueueUrls":["`+url+`"]}`, c.json("ListQueues", ``).ok(), "an empty body is an empty request")
	assert.Equal(t, `{"QueueUrls":["`+url+`"]}`, c.json("ListQueues", `null`).ok())
	assert.Equal(t, `{"QueueUrls":["`+url+`"]}`, c.json("ListQueues", `{'Unknown':1}`).ok())

	unknown := framing + "UnknownOperationException"
	c.json("Dance", `{}`).fails(400, unknown, "InvalidAction", `The target "AmazonSQS.Dance" is not known.`)
	req := jsonRequest("ListQueues", `{}`)
	req.Header.Set("X-Amz-Target", "DynamoDB.ListQueues")
	c.do(req).fails(400, unknown, "InvalidAction", `The target "DynamoDB.ListQueues" is not known.`)
	req = jsonRequest("ListQueues", `{}`)
	req.Header.Del("X-Amz-Target")
	c.do(req).fails(400, unknown, "InvalidAction", `The header X-Amz-Target is missing. It names the operation, such as AmazonSQS.SendMessage.`)
	req = jsonRequest("ListQueues", `{}`)
	req.Method = http.MethodGet
	c.do(req).fails(400, unknown, "InvalidAction", `The method must be POST.`)
	req = jsonRequest("ListQueues", `{}`)
	req.Header.Del("Content-Type")
	c.do(req).ok()
}

func TestWIRE10_QueryTakesPOSTAndGETAndAnExplicitQueueUrlWins(t *testing.T) {
	c := newClient(t)
	q, other := c.standard("q"), c.standard("other")
	c.query(q, "SendMessage", "MessageBody=b", "QueueUrl="+other).ok()
	assert.Empty(t, c.receive(q, ""))
	req, err := http.NewRequest(http.MethodGet, other+"?Action=ReceiveMessage&VisibilityTimeout=0", nil)
	require.NoError(t, err)
	assert.Contains(t, c.do(req).ok(), "<Body>b</Body>")
	req, err = http.NewRequest(http.MethodGet, base+"/?Action=ReceiveMessage&Version=2012-11-05&QueueUrl=other", nil)
	require.NoError(t, err)
	assert.Contains(t, c.do(req).ok(), "<Body>b</Body>")
	req = queryRequest(q+"?Action=SendMessage&MessageBody=url", "MessageBody=body&&")
	c.do(req).ok()
	assert.Equal(t, "body", c.receive(q, "")[0].Body)
}

func TestWIRE10_ASlashMayFollowTheURLOfAQueue(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	req, err := http.NewRequest(http.MethodGet, url+"/?Action=SendMessage&MessageBody=b", nil)
	require.NoError(t, err)
	c.do(req).ok()
	assert.Len(t, c.receive(url, ""), 1)
	c.query(url+"/", "CreateQueue", "QueueName=r").failsQuery(400, "InvalidAction", "The action CreateQueue is not valid for this endpoint.")
	c.query(base+"/sqs/", "CreateQueue", "QueueName=r").ok()
	c.query(base+"//", "ListQueues").ok()
}

func TestWIRE11_ActionsThatAreNotOfAQueue(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	for _, action := range []string{"CreateQueue", "ListQueues", "Dance"} {
		c.query(url, action).failsQuery(400, "InvalidAction", "The action "+action+" is not valid for this endpoint.")
	}
	c.query(base, "Dance<").failsQuery(400, "InvalidAction", "The action Dance< is not valid for this endpoint.")
	for _, req := range []*http.Request{
		queryRequest(base, "Version=2012-11-05"),
		queryRequest(url, ""),
		httptest.NewRequest(http.MethodGet, base+"/", nil),
		httptest.NewRequest(http.MethodPut, base+"/?Action=ListQueues", nil),
	} {
		req.Header.Set("Accept", "application/json")
		r := c.do(req)
		assert.Equal(t, 404, r.status)
		assert.Equal(t, "<UnknownOperationException/>\n", r.body)
		assert.Equal(t, "text/xml", r.header.Get("Content-Type"))
	}
}

func TestWIRE12_ListsAreInTheOrderOfTheirNumbers(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	entry := "SendMessageBatchRequestEntry."
	body := c.query(url, "SendMessageBatch", entry+"10.Id=c", entry+"10.MessageBody=3", entry+"2.Id=b", entry+"2.MessageBody=2", entry+"1.Id=a", entry+"1.MessageBody=1",
		"a.b.c.d.e.f.g.h.i.j=unknown").ok()
	assert.Less(t, strings.Index(body, "<Id>a<"), strings.Index(body, "<Id>b<"))
	assert.Less(t, strings.Index(body, "<Id>b<"), strings.Index(body, "<Id>c<"))
	assert.Equal(t, 3, strings.Count(body, "<Id>"))
}

func TestWIRE12_ANumberIsWrittenInOneWay(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	entry := "SendMessageBatchRequestEntry."
	for _, number := range []string{"01", "+1", "-1", "0", "x", "", "4294967297"} {
		c.query(url, "SendMessageBatch", entry+"1.Id=a", entry+"1.MessageBody=1", entry+number+".Id=b").
			failsQuery(400, "MalformedInput", "The request has the parameter "+entry+number+".Id, which the operation does not have.")
	}
}

func TestWIRE12_ASingleElementNeedsNoNumber(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	c.query(url, "SetQueueAttributes", "Attribute.Name=VisibilityTimeout", "Attribute.Value=35").ok()
	assert.Contains(t, c.query(url, "GetQueueAttributes", "AttributeName=VisibilityTimeout").ok(), "<Value>35</Value>")
	c.query(url, "SendMessage", "MessageBody=b", "MessageAttribute.Name=k", "MessageAttribute.Value.DataType=String", "MessageAttribute.Value.StringValue=x").ok()
	assert.Len(t, c.receive(url, `,'MessageAttributeNames':['k']`)[0].MessageAttributes, 1)
	c.query(url, "SetQueueAttributes", "Attribute.Value=35").failsQuery(400, "MissingParameter", "The request must contain the parameter Attribute.Name.")
	c.query(url, "SetQueueAttributes", "Attribute.1.Name=DelaySeconds", "Attribute.1.Value=1", "Attribute.Name=Nonsense", "Attribute.Value=1").
		failsQuery(400, "InvalidAttributeName", "Unknown Attribute Nonsense.")
	assert.Contains(t, c.query(url, "GetQueueAttributes", "AttributeName=VisibilityTimeout", "AttributeName.1=DelaySeconds").ok(),
		"<Attribute><Name>DelaySeconds</Name><Value>0</Value></Attribute><Attribute><Name>VisibilityTimeout</Name><Value>35</Value></Attribute>")
}

func TestWIRE16_ErrorsInXML(t *testing.T) {
	c := newClient(t)
	r := c.query(base, "SendMessage", "QueueUrl=nobody")
	assert.Equal(t, `<?xml version="1.0"?><ErrorResponse`+xmlns+`><Error><Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code>`+
		`<Message>The specified queue does not exist for this wsdl version.</Message><Detail/></Error><RequestId>{id}</RequestId></ErrorResponse>`, r.masked())
	c.do(queryRequest(base, "Action=%zz")).failsQuery(400, "MalformedInput", `The request is not URL-encoded: invalid URL escape "%zz"`)
	c.do(queryRequest(base, strings.Repeat("a&", 10_000))).failsQuery(400, "MalformedInput", "The request has too many parameters.")
	c.query(c.standard("q"), "DeleteMessage", "ReceiptHandle=\x00\xff\ufffe\r").
		failsQuery(404, "ReceiptHandleIsInvalid", "The input receipt handle \"\ufffd\ufffd\ufffd\r\" is not a valid receipt handle.")
}

func TestWIRE17_QueryAnswersInJSONWhereTheClientAcceptsIt(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	get := func(target string, parameters ...string) string {
		req, err := http.NewRequest(http.MethodGet, target+"?"+form(parameters...), nil)
		require.NoError(t, err)
		req.Header.Set("Accept", "application/json")
		r := c.do(req)
		assert.Equal(t, "application/json", r.header.Get("Content-Type"))
		return r.masked()
	}
	meta := `"ResponseMetadata":{"RequestId":"{id}"}`
	assert.JSONEq(t, `{"ListQueuesResponse":{"ListQueuesResult":{"queueUrls":["`+url+`"]},`+meta+`}}`, get(base, "Action=ListQueues"))
	assert.JSONEq(t, `{"GetQueueUrlResponse":{"GetQueueUrlResult":{"QueueUrl":"`+url+`"},`+meta+`}}`, get(base, "Action=GetQueueUrl", "QueueName=q"))
	assert.JSONEq(t, `{"GetQueueAttributesResponse":{"GetQueueAttributesResult":{"Attributes":[{"Name":"DelaySeconds","Value":"0"},{"Name":"VisibilityTimeout","Value":"30"}]},`+meta+`}}`,
		get(url, "Action=GetQueueAttributes", "AttributeName.1=VisibilityTimeout", "AttributeName.2=DelaySeconds"))
	assert.JSONEq(t, `{"ReceiveMessageResponse":{"ReceiveMessageResult":{},`+meta+`}}`, get(url, "Action=ReceiveMessage"))
	c.query(url, "SendMessage", "MessageBody=b", "MessageAttribute.1.Name=k", "MessageAttribute.1.Value.DataType=String", "MessageAttribute.1.Value.StringValue=x").ok()
	assert.JSONEq(t, `{"ReceiveMessageResponse":{"ReceiveMessageResult":{"messages":[{"MessageId":"{id}","ReceiptHandle":"{handle}","Body":"b",`+
		`"MD5OfBody":"`+bodyDigest("b")+`","Attributes":[{"Name":"SenderId","Value":"inq"}],"MD5OfMessageAttributes":"a45daa70926828a2f0a1db3418e6feb4",`+
		`"MessageAttributes":[{"Name":"k","Value":{"DataType":"String","StringValue":"x"}}]}]},`+meta+`}}`,
		get(url, "Action=ReceiveMessage", "AttributeName.1=SenderId", "MessageAttributeName.1=All"))
	assert.JSONEq(t, `{"PurgeQueueResponse":{`+meta+`}}`, get(url, "Action=PurgeQueue"))
	assert.JSONEq(t, `{"Error":{"Type":"Sender","Code":"AWS.SimpleQueueService.NonExistentQueue","Message":"The specified queue does not exist for this wsdl version.","Detail":null},`+
		`"RequestId":"{id}"}`, get(base+"/0/nobody", "Action=PurgeQueue"))
	assert.Contains(t, get(url, "Action=SendMessageBatch", "SendMessageBatchRequestEntry.1.Id=a"), `"failed":[{"Id":"a","SenderFault":true,"Code":"EmptyValue"`)
}

func TestMGT13_FormsOfAQueueUrl(t *testing.T) {
	c := newClient(t, inq.WithRegion("eu-west-1"))
	c.standard("q")
	for _, url := range []string{"q", "/q", "/000000000000/q", "http://localhost:9324/000000000000/q", "https://sqs.eu-west-1.amazonaws.com/123456789012/q",
		"https://eu-west-1.queue.amazonaws.com/123456789012/q", "http://[::1]:80/q", "https://sqs.us-east-1.localhost:4566/0/q", "http://h/queue/q?x=/y#/z",
		"https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/q", "https://SQS-FIPS.EU-WEST-1.amazonaws.com:443/1/q", "https://sqs.eu-west-1.amazonaws.com.cn/1/q"} {
		c.json("ListQueueTags", `{'QueueUrl':'`+url+`'}`).ok()
	}
	for _, url := range []string{"Q", "q/", "http://localhost", "http://localhost/", "http://localhost/q/", "/", "?", "q2"} {
		c.json("ListQueueTags", `{'QueueUrl':'`+url+`'}`).queueDoesNotExist()
	}
	for _, url := range []string{"https://sqs.us-east-1.amazonaws.com/123456789012/q", "https://queue.amazonaws.com/123456789012/q", "https://x.amazonaws.com/1/q",
		"https://sqs.fake.amazonaws.com/1/q", "https://us-east-1.queue.amazonaws.com/1/q"} {
		c.json("ListQueueTags", `{'QueueUrl':'`+url+`'}`).fails(404, sdkError+"InvalidAddress", "InvalidAddress", "The address "+url+" is not valid for this endpoint.")
		c.query(base, "ListQueueTags", "QueueUrl="+url).failsQuery(404, "InvalidAddress", "The address "+url+" is not valid for this endpoint.")
	}
}

func TestWIRE20_QueueUrlsFollowTheRequest(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	urlFor := func(o Options, change func(*http.Request)) string {
		req := jsonRequest("CreateQueue", `{"QueueName":"q"}`)
		change(req)
		w := httptest.NewRecorder()
		NewHandler(b, o).ServeHTTP(w, req)
		return w.Body.String()
	}
	answer := func(url string) string { return `{"QueueUrl":"` + url + `/000000000000/q"}` }
	assert.Equal(t, answer("http://localhost:9324"), urlFor(Options{}, func(*http.Request) {}))
	assert.Equal(t, answer("http://queue:80"), urlFor(Options{}, func(r *http.Request) { r.Host = "queue:80" }))
	assert.Equal(t, answer("http://localhost:9324"), urlFor(Options{}, func(r *http.Request) {
		r.Header.Set("X-Forwarded-Host", "evil")
		r.Header.Set("X-Forwarded-Proto", "https")
	}))
	assert.Equal(t, answer("https://sqs.us-east-1.amazonaws.com"), urlFor(Options{}, func(r *http.Request) { r.Host = "" }))
	assert.Equal(t, answer("https://example.com/sqs"), urlFor(Options{BaseURL: "https://example.com/sqs/"}, func(*http.Request) {}))
	req := httptest.NewRequest(http.MethodGet, "https://secure/?Action=GetQueueUrl&QueueName=q", nil)
	resp, err := NewRoundTripper(NewHandler(b, Options{})).Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), "<QueueUrl>https://secure/000000000000/q</QueueUrl>")
}

func TestBodies_OverTheLimitAreRefusedUnread(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	tooLarge := func(r reply) {
		t.Helper()
		r.fails(413, framing+"RequestEntityTooLargeException", "RequestEntityTooLarge", fmt.Sprintf("Request must not be longer than %d bytes.", DefaultMaxBytes))
	}
	req := jsonRequest("SendMessage", "")
	unread := &countingBody{}
	req.Body, req.ContentLength = unread, DefaultMaxBytes+1
	tooLarge(c.do(req))
	assert.Zero(t, unread.read)
	req = jsonRequest("SendMessage", "")
	unread = &countingBody{}
	req.Body, req.ContentLength = unread, -1
	tooLarge(c.do(req))
	assert.Less(t, unread.read, DefaultMaxBytes+1<<20)
	assert.True(t, unread.closed)

	// The longest body, in the form that takes most room.
	body := strings.Repeat("ä", 1<<19)
	c.query(url, "SendMessage", "MessageBody="+body).ok()
	assert.True(t, body == c.receive(url, "")[0].Body)
}

// countingBody is endless.
type countingBody struct {
	read   int
	closed bool
}

func (b *countingBody) Read(p []byte) (int, error) { b.read += len(p); return len(p), nil }
func (b *countingBody) Close() error               { b.closed = true; return nil }

func TestBodies_ThatEndEarlyAreRefused(t *testing.T) {
	c := newClient(t)
	for err, message := range map[error]string{
		io.ErrUnexpectedEOF: "The request ended before its body was complete.",
		io.ErrClosedPipe:    "The body of the request could not be read.",
	} {
		req := jsonRequest("CreateQueue", "")
		req.Body, req.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(`{"QueueName":"q"}`), failing{err})), 100
		c.do(req).fails(400, framing+"SerializationException", "MalformedInput", message)
	}
	c.json("GetQueueUrl", `{'QueueName':'q'}`).queueDoesNotExist()
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestAClosedBroker_IsUnavailable(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	q := c.queue("q")
	require.NoError(t, q.Close())
	unavailable := func(r reply) {
		t.Helper()
		assert.Equal(t, 503, r.status)
		assert.JSONEq(t, `{"__type":"`+framing+`ServiceUnavailableException","message":"`+textClosed+`"}`, r.body)
		assert.Equal(t, "ServiceUnavailable;Receiver", r.header.Get("x-amzn-query-error"))
	}
	unavailable(c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'b'}`))
	unavailable(c.json("SendMessageBatch", `{'QueueUrl':'`+url+`','Entries':[{'Id':'a','MessageBody':'b'}]}`))
	require.NoError(t, c.broker.Close())
	unavailable(c.json("ListQueues", `{}`))
	unavailable(c.json("ListMessageMoveTasks", `{'SourceArn':'x'}`))
	r := c.query(url, "SendMessage")
	assert.Equal(t, 503, r.status)
	assert.Contains(t, r.body, "<Type>Receiver</Type><Code>ServiceUnavailable</Code>")
	assert.Contains(t, r.body, "the broker, or this queue of it, was closed")
}

func TestErrorTable_KnowsEveryErrorOfTheBroker(t *testing.T) {
	for _, row := range kinds {
		for _, from := range []origin{{}, {batch: true}, {batch: true, entry: true}, {receive: true}} {
			f := toFault(fmt.Errorf("wrapped: %w", row.err), from)
			assert.NotEmpty(t, f.Kind.Code)
			assert.True(t, errors.Is(f, row.err) || f.Cause == nil)
			assert.Equal(t, row.kind, f.Kind)
		}
	}
	f := toFault(errors.New("disk on fire"), origin{})
	assert.Equal(t, &fault{Kind: kindServiceUnavailable, Message: "The request failed: disk on fire", Cause: f.Cause}, f)
	assert.ErrorIs(t, toFault(context.Canceled, origin{}), context.Canceled)
	assert.Equal(t, textGivenUp, toFault(context.DeadlineExceeded, origin{}).Message)
	assert.Equal(t, textClosed, toFault(fmt.Errorf("wrapped: %w", inq.ErrClosed), origin{}).Message)
	assert.Equal(t, "EmptyValue: x", (&fault{Kind: kindEmptyValue, Message: "x"}).Error())
	assert.True(t, slices.ContainsFunc(kinds, func(r struct {
		err  error
		kind *kind
	}) bool {
		return r.err == inq.ErrOverLimit
	}))
}

func TestErrors_DoNotRepeatALongValueWhole(t *testing.T) {
	c := newClient(t)
	r := c.json("GetQueueAttributes", `{'QueueUrl':'`+c.standard("q")+`','AttributeNames':['`+strings.Repeat("x", 1<<20)+`']}`)
	r.fails(400, sdkError+"InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute "+strings.Repeat("x", wire.MaxMessage-len("Unknown Attribute "))+"...")
	assert.Equal(t, strings.Repeat("ä", wire.MaxShown/2)+"...", wire.Shown(strings.Repeat("ä", wire.MaxShown)))
	assert.Equal(t, "x"+strings.Repeat("ä", wire.MaxShown/2-1)+"...", wire.Shown("x"+strings.Repeat("ä", wire.MaxShown)))
}
