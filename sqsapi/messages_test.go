package sqsapi

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

const (
	sdkError = "com.amazonaws.sqs#"
	framing  = "com.amazon.coral.service#"
	xmlns    = ` xmlns="http://queue.amazonaws.com/doc/2012-11-05/"`
	metadata = `<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>`
	ipv      = "InvalidParameterValue"
)

// invalidParameter checks an InvalidParameterValue, the most frequent error.
func (r reply) invalidParameter(message string) {
	r.t.Helper()
	r.fails(400, framing+"InvalidParameterValueException", ipv, message)
}

func (r reply) missingParameter(name string) {
	r.t.Helper()
	r.fails(400, framing+"MissingRequiredParameterException", "MissingParameter", "The request must contain the parameter "+name+".")
}

func TestSendMessage_AnswersInBothProtocols(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	assert.Equal(t, `{"MessageId":"{id}","MD5OfMessageBody":"78e731027d8fd50ed642340b7c9a63b3"}`,
		c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'message'}`).ok())
	assert.Equal(t, `<?xml version="1.0"?><SendMessageResponse`+xmlns+`><SendMessageResult>`+
		`<MessageId>{id}</MessageId><MD5OfMessageBody>78e731027d8fd50ed642340b7c9a63b3</MD5OfMessageBody></SendMessageResult>`+
		metadata+`</SendMessageResponse>`,
		c.query(base, "SendMessage", "QueueUrl="+url, "MessageBody=message").ok())

	fifo := c.fifo("q.fifo")
	assert.Equal(t, `{"MessageId":"{id}","MD5OfMessageBody":"78e731027d8fd50ed642340b7c9a63b3",`+
		`"MD5OfMessageAttributes":"a45daa70926828a2f0a1db3418e6feb4","MD5OfMessageSystemAttributes":"5ae4d5d7636402d80f4eb6d213245a88",`+
		`"SequenceNumber":"{sequence}"}`,
		c.json("SendMessage", `{'QueueUrl':'`+fifo+`','MessageBody':'message','MessageGroupId':'g','MessageDeduplicationId':'1','DelaySeconds':0,`+
			`'MessageAttributes':{'k':{'DataType':'String','StringValue':'x'}},'MessageSystemAttributes':{'AWSTraceHeader':`+
			`{'DataType':'String','StringValue':'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'}}}`).ok())
	assert.Equal(t, `<?xml version="1.0"?><SendMessageResponse`+xmlns+`><SendMessageResult>`+
		`<MessageId>{id}</MessageId><MD5OfMessageBody>78e731027d8fd50ed642340b7c9a63b3</MD5OfMessageBody>`+
		`<MD5OfMessageAttributes>96f38bfa55199109d94e1ae1c9489278</MD5OfMessageAttributes>`+
		`<MD5OfMessageSystemAttributes>5ae4d5d7636402d80f4eb6d213245a88</MD5OfMessageSystemAttributes>`+
		`<SequenceNumber>{sequence}</SequenceNumber></SendMessageResult>`+metadata+`</SendMessageResponse>`,
		c.query(fifo, "SendMessage", "MessageBody=message", "MessageGroupId=g", "MessageDeduplicationId=2",
			"MessageAttribute.1.Name=city", "MessageAttribute.1.Value.DataType=String", "MessageAttribute.1.Value.StringValue=Zürich",
			"MessageAttribute.2.Name=price.eur", "MessageAttribute.2.Value.DataType=Number.float", "MessageAttribute.2.Value.StringValue=12.50",
			"MessageAttribute.3.Name=raw", "MessageAttribute.3.Value.DataType=Binary", "MessageAttribute.3.Value.BinaryValue=AAH/",
			"MessageSystemAttribute.1.Name=AWSTraceHeader", "MessageSystemAttribute.1.Value.DataType=String",
			"MessageSystemAttribute.1.Value.StringValue=Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1").ok())
}

func TestReceiveMessage_AnswersInBothProtocols(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q")
		assert.Equal(t, `{}`, c.json("ReceiveMessage", `{'QueueUrl':'`+url+`'}`).ok())
		assert.Equal(t, `<?xml version="1.0"?><ReceiveMessageResponse`+xmlns+`><ReceiveMessageResult/>`+metadata+`</ReceiveMessageResponse>`,
			c.query(url, "ReceiveMessage").ok())

		c.query(url, "SendMessage", "MessageBody=a <b> & \"c\"\r\n", "MessageGroupId=g",
			"MessageAttribute.1.Name=k", "MessageAttribute.1.Value.DataType=String", "MessageAttribute.1.Value.StringValue=x",
			"MessageAttribute.2.Name=raw", "MessageAttribute.2.Value.DataType=Binary.gif", "MessageAttribute.2.Value.BinaryValue=AAH/").ok()
		time.Sleep(1500 * time.Millisecond)
		assert.Equal(t, `{"Messages":[{"MessageId":"{id}","ReceiptHandle":"{handle}","MD5OfBody":"3f14b77e4cf77ef971379e5ac770986c",`+
			`"Body":"a <b> & \"c\"\r\n","Attributes":{"ApproximateFirstReceiveTimestamp":"946684801500","ApproximateReceiveCount":"1",`+
			`"MessageGroupId":"g","SenderId":"inq","SentTimestamp":"946684800000"},"MD5OfMessageAttributes":"a45daa70926828a2f0a1db3418e6feb4",`+
			`"MessageAttributes":{"k":{"StringValue":"x","DataType":"String"}}}]}`,
			c.json("ReceiveMessage", `{'QueueUrl':'`+url+`','AttributeNames':['All'],'MessageAttributeNames':['k'],'VisibilityTimeout':0}`).ok())
		assert.Equal(t, `<?xml version="1.0"?><ReceiveMessageResponse`+xmlns+`><ReceiveMessageResult><Message><MessageId>{id}</MessageId>`+
			`<ReceiptHandle>{handle}</ReceiptHandle><MD5OfBody>3f14b77e4cf77ef971379e5ac770986c</MD5OfBody>`+
			"<Body>a &lt;b&gt; &amp; &quot;c&quot;&#xD;\n</Body>"+
			`<Attribute><Name>ApproximateReceiveCount</Name><Value>2</Value></Attribute><Attribute><Name>SentTimestamp</Name><Value>946684800000</Value></Attribute>`+
			`<MD5OfMessageAttributes>`+attributesDigest(map[string]inq.Attribute{"raw": {Type: "Binary.gif", Binary: []byte{0, 1, 0xff}}})+`</MD5OfMessageAttributes>`+
			`<MessageAttribute><Name>raw</Name><Value><BinaryValue>AAH/</BinaryValue><DataType>Binary.gif</DataType></Value></MessageAttribute>`+
			`</Message></ReceiveMessageResult>`+metadata+`</ReceiveMessageResponse>`,
			c.query(url, "ReceiveMessage", "AttributeName.1=SentTimestamp", "MessageSystemAttributeName.1=ApproximateReceiveCount",
				"MessageAttributeName.1=r.*", "MessageAttributeName.2=raw", "VisibilityTimeout=0").ok())
	})
}

func TestReceiveMessage_OnFIFOTellsGroupAndSequence(t *testing.T) {
	c := newClient(t)
	url := c.fifo("q.fifo", inq.WithContentBasedDeduplication(true))
	c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'{\'foo\': \'bar\'}','MessageGroupId':'g'}`).ok()
	m := c.receive(url, `,'MessageSystemAttributeNames':['MessageGroupId','SequenceNumber','MessageDeduplicationId','AWSTraceHeader','Unknown']`)[0]
	assert.Len(t, m.Attributes["SequenceNumber"], 20)
	delete(m.Attributes, "SequenceNumber")
	assert.Equal(t, map[string]string{"MessageGroupId": "g",
		"MessageDeduplicationId": "426fc04f04bf8fdb5831dc37bbb6dcf70f63a37e05a68c6ea5f63e85ae579376"}, m.Attributes)
}

func TestRCV11_MessageAttributesAreFiltered(t *testing.T) {
	c := newClient(t)
	url := c.standard("q", inq.WithVisibilityTimeout(0))
	c.jsonOf("SendMessage", map[string]any{"QueueUrl": url, "MessageBody": "b", "MessageAttributes": map[string]any{
		"Help.Me": map[string]string{"DataType": "String", "StringValue": "Me"},
		"Hello":   map[string]string{"DataType": "String", "StringValue": "There"},
		"General": map[string]string{"DataType": "String", "StringValue": "Kenobi"},
	}}).ok()
	for names, want := range map[string]struct {
		names  []string
		digest string
	}{
		`[]`:                         {nil, ""},
		`['All']`:                    {[]string{"General", "Hello", "Help.Me"}, "4c360f3fdafd970e05fae2f149d997f5"},
		`['.*']`:                     {[]string{"General", "Hello", "Help.Me"}, "4c360f3fdafd970e05fae2f149d997f5"},
		`['*']`:                      {[]string{"General", "Hello", "Help.Me"}, "4c360f3fdafd970e05fae2f149d997f5"},
		`['Hel.*']`:                  {[]string{"Hello", "Help.Me"}, attributesDigest(map[string]inq.Attribute{"Hello": inq.String("There"), "Help.Me": inq.String("Me")})},
		`['Help']`:                   {nil, ""},
		`['Hello','General']`:        {[]string{"General", "Hello"}, "fca026605781cb4126a1e9044df24232"},
		`['Hello','AWS.','..foo']`:   {[]string{"Hello"}, "a311262e065454b75da111d535b8dacd"},
		`['hello']`:                  {nil, ""},
		`['Hello','Hel.*','Nobody']`: {[]string{"Hello", "Help.Me"}, attributesDigest(map[string]inq.Attribute{"Hello": inq.String("There"), "Help.Me": inq.String("Me")})},
	} {
		m := c.receive(url, `,'MessageAttributeNames':`+names)[0]
		var got []string
		for name := range m.MessageAttributes {
			got = append(got, name)
		}
		assert.ElementsMatch(t, want.names, got, names)
		assert.Equal(t, want.digest, m.MD5OfMessageAttributes, names)
	}
}

func TestRCV10_BothListsOfSystemAttributesCount(t *testing.T) {
	c := newClient(t)
	url := c.standard("q", inq.WithVisibilityTimeout(0))
	c.send(url, "b")
	assert.Nil(t, c.receive(url, "")[0].Attributes)
	assert.Nil(t, c.receive(url, `,'AttributeNames':['SequenceNumber']`)[0].Attributes)
	assert.Len(t, c.receive(url, `,'AttributeNames':['SenderId'],'MessageSystemAttributeNames':['All']`)[0].Attributes, 4)
	assert.Equal(t, map[string]string{"SenderId": "inq", "ApproximateReceiveCount": "4"},
		c.receive(url, `,'AttributeNames':['SenderId'],'MessageSystemAttributeNames':['ApproximateReceiveCount']`)[0].Attributes)
	assert.Contains(t, c.query(url, "ReceiveMessage", "AttributeName=All").ok(), "<Name>SenderId</Name>")
}

func TestTraceHeader_ComesFromTheRequestOrTheMessage(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	c.header.Set("X-Amzn-Trace-Id", "Root=1")
	assert.NotContains(t, c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'m1'}`).ok(), "SystemAttributes")
	c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'m2','MessageSystemAttributes':{'AWSTraceHeader':{'DataType':'String','StringValue':'Root=2'}}}`).ok()
	c.query(url, "SendMessageBatch", "SendMessageBatchRequestEntry.1.Id=a", "SendMessageBatchRequestEntry.1.MessageBody=m3").ok()
	c.header.Set("X-Amzn-Trace-Id", "\x01")
	c.send(url, "m4")
	got := map[string]string{}
	for _, m := range c.receive(url, `,'MaxNumberOfMessages':10,'MessageSystemAttributeNames':['AWSTraceHeader']`) {
		got[m.Body] = m.Attributes["AWSTraceHeader"]
	}
	assert.Equal(t, map[string]string{"m1": "Root=1", "m2": "Root=2", "m3": "Root=1", "m4": ""}, got)
}

func TestMSG3_BodiesComeBackByteForByte(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	for _, body := range []string{"\r", "\r\n\t", `&quot; " ' <>&`, "snow ☃ and 𝄞", "a+b c%20d&e=f", "]]>", " "} {
		c.query(url, "SendMessage", "MessageBody="+body).ok()
		assert.Equal(t, body, c.receive(url, "")[0].Body)
		c.send(url, body)
		assert.Equal(t, body, receivedBody(t, c.query(url, "ReceiveMessage").body))
	}
}

func TestDeleteMessage_AnswersInBothProtocols(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	c.send(url, "a")
	handle := c.receive(url, "")[0].ReceiptHandle
	want := `<?xml version="1.0"?><DeleteMessageResponse` + xmlns + `>` + metadata + `</DeleteMessageResponse>`
	assert.Equal(t, `{}`, c.json("DeleteMessage", `{'QueueUrl':'`+url+`','ReceiptHandle':'`+handle+`'}`).ok())
	assert.Equal(t, want, c.query(url, "DeleteMessage", "ReceiptHandle="+handle).ok(), "a repeated delete succeeds")
	c.json("DeleteMessage", `{'QueueUrl':'`+url+`'}`).missingParameter("ReceiptHandle")
	c.json("DeleteMessage", `{'QueueUrl':'`+url+`','ReceiptHandle':''}`).missingParameter("ReceiptHandle")
	c.json("DeleteMessage", `{'QueueUrl':'`+url+`','ReceiptHandle':'nonsense'}`).
		fails(404, sdkError+"ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", `The input receipt handle "nonsense" is not a valid receipt handle.`)
	c.query(url, "DeleteMessage", "ReceiptHandle=<>").
		failsQuery(404, "ReceiptHandleIsInvalid", `The input receipt handle "<>" is not a valid receipt handle.`)
	c.send(url, "b")
	other := c.standard("other")
	handle = c.receive(url, "")[0].ReceiptHandle
	c.json("DeleteMessage", `{'QueueUrl':'`+other+`','ReceiptHandle':'`+handle+`'}`).
		fails(404, sdkError+"ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", `The receipt handle "`+handle+`" is not valid for this queue.`)
}

func TestFIFODelete_RefusesALapsedHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.fifo("q.fifo")
		c.sendTo(url, "g", "1", "a")
		handle := c.receive(url, `,'VisibilityTimeout':2`)[0].ReceiptHandle
		time.Sleep(2 * time.Second)
		c.json("DeleteMessage", `{'QueueUrl':'`+url+`','ReceiptHandle':'`+handle+`'}`).
			invalidParameter("Value " + handle + " for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.")
		c.query(url, "DeleteMessage", "ReceiptHandle="+handle).
			failsQuery(400, ipv, "Value "+handle+" for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.")
	})
}

func TestChangeMessageVisibility_MovesTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q")
		c.send(url, "a")
		handle := c.receive(url, "")[0].ReceiptHandle
		assert.Equal(t, `{}`, c.json("ChangeMessageVisibility", `{'QueueUrl':'`+url+`','ReceiptHandle':'`+handle+`','VisibilityTimeout':60}`).ok())
		time.Sleep(59 * time.Second)
		assert.Empty(t, c.receive(url, ""))
		assert.Equal(t, `<?xml version="1.0"?><ChangeMessageVisibilityResponse`+xmlns+`>`+metadata+`</ChangeMessageVisibilityResponse>`,
			c.query(url, "ChangeMessageVisibility", "ReceiptHandle="+handle, "VisibilityTimeout=0").ok())
		handle = c.receive(url, "")[0].ReceiptHandle

		change := func(seconds string) reply {
			return c.json("ChangeMessageVisibility", `{'QueueUrl':'`+url+`','ReceiptHandle':'`+handle+`','VisibilityTimeout':`+seconds+`}`)
		}
		time.Sleep(time.Second)
		change("43200").invalidParameter("Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
		change("43201").invalidParameter("Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200.")
		change("-1").invalidParameter("Value -1 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200.")
		change("null").missingParameter("VisibilityTimeout")
		c.json("ChangeMessageVisibility", `{'QueueUrl':'`+url+`','VisibilityTimeout':1}`).missingParameter("ReceiptHandle")
		c.json("DeleteMessage", `{'QueueUrl':'`+url+`','ReceiptHandle':'`+handle+`'}`).ok()
		change("1").invalidParameter("Value " + handle + " for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.")
	})
}

func TestReceiveMessage_RefusesWhatIsOutOfRange(t *testing.T) {
	c := newClient(t)
	url, fifo := c.standard("q"), c.fifo("q.fifo")
	for members, message := range map[string]string{
		`'MaxNumberOfMessages':11`:  "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
		`'MaxNumberOfMessages':0`:   "Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
		`'MaxNumberOfMessages':-1`:  "Value -1 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
		`'WaitTimeSeconds':21`:      "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
		`'WaitTimeSeconds':-1`:      "Value -1 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
		`'VisibilityTimeout':43201`: "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided.",
		`'VisibilityTimeout':-5`:    "Value -5 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided.",
	} {
		c.json("ReceiveMessage", `{'QueueUrl':'`+url+`',`+members+`}`).invalidParameter(message)
	}
	c.query(url, "ReceiveMessage", "MaxNumberOfMessages=11").
		failsQuery(400, ipv, "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.")
	for _, id := range []string{"", "a b", strings.Repeat("x", 129)} {
		c.json("ReceiveMessage", `{'QueueUrl':'`+fifo+`','ReceiveRequestAttemptId':'`+id+`'}`).invalidParameter("Value " + id +
			" for parameter ReceiveRequestAttemptId is invalid. Reason: ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
		c.json("ReceiveMessage", `{'QueueUrl':'`+url+`','ReceiveRequestAttemptId':'`+id+`'}`).ok()
	}
}

func TestRCV16_AnAttemptIsRepeatable(t *testing.T) {
	c := newClient(t)
	url := c.fifo("q.fifo")
	c.sendTo(url, "g", "1", "a")
	first := c.receive(url, `,'ReceiveRequestAttemptId':'try'`)
	assert.Equal(t, first, c.receive(url, `,'ReceiveRequestAttemptId':'try'`))
	assert.Empty(t, c.receive(url, ""))
}

func TestSendMessage_RefusesWhatIsWrong(t *testing.T) {
	c := newClient(t)
	url, fifo := c.standard("q", inq.WithMaxMessageSize(1024)), c.fifo("q.fifo")
	long := strings.Repeat("x", 129)
	badGroup := " for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length."
	badDedup := strings.ReplaceAll(badGroup, "MessageGroupId", "MessageDeduplicationId")
	wrongType := " is invalid. Reason: The request include parameter that is not valid for this queue type."
	for _, tt := range []struct{ url, members, message string }{
		{url, `'MessageBody':'` + strings.Repeat("x", 1025) + `'`, "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes."},
		{url, `'MessageBody':'b','DelaySeconds':901`, "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."},
		{url, `'MessageBody':'b','DelaySeconds':-1`, "Value -1 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."},
		{url, `'MessageBody':'b','MessageGroupId':'a b'`, "Value a b" + badGroup},
		{url, `'MessageBody':'b','MessageGroupId':''`, "Value " + badGroup},
		{url, `'MessageBody':'b','MessageGroupId':'` + long + `'`, "Value " + long + badGroup},
		{url, `'MessageBody':'b','MessageDeduplicationId':'1'`, "Value 1 for parameter MessageDeduplicationId" + wrongType},
		{url, `'MessageBody':'b','MessageDeduplicationId':''`, "Value  for parameter MessageDeduplicationId" + wrongType},
		{fifo, `'MessageBody':'b','MessageGroupId':'','MessageDeduplicationId':'1'`, "Value " + badGroup},
		{fifo, `'MessageBody':'b','MessageGroupId':'g','MessageDeduplicationId':''`, "Value " + badDedup},
		{fifo, `'MessageBody':'b','MessageGroupId':'g','MessageDeduplicationId':'a b'`, "Value a b" + badDedup},
		{fifo, `'MessageBody':'b','MessageGroupId':'g'`, "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"},
		{fifo, `'MessageBody':'b','MessageGroupId':'g','MessageDeduplicationId':'1','DelaySeconds':2`, "Value 2 for parameter DelaySeconds" + wrongType},
		{fifo, `'MessageBody':'b','MessageGroupId':'g','MessageDeduplicationId':'1','DelaySeconds':-2`, "Value -2 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."},
		{url, `'MessageBody':'b','MessageSystemAttributes':{'Foo':{'DataType':'String','StringValue':'x'}}`, "Message system attribute name 'Foo' is invalid."},
		{url, `'MessageBody':'b','MessageSystemAttributes':{'AWSTraceHeader':{'DataType':'Number','StringValue':'1'}}`, "Message system attribute 'AWSTraceHeader' must be of type 'String'."},
		{url, `'MessageBody':'b','MessageSystemAttributes':{'AWSTraceHeader':{'DataType':'String','StringValue':''}}`, "Message system attribute 'AWSTraceHeader' must contain a non-empty value of type 'String'."},
		{url, `'MessageBody':'b','MessageSystemAttributes':{'AWSTraceHeader':{'DataType':'String','StringValue':'\u0001'}}`, textCharacters},
	} {
		c.json("SendMessage", `{'QueueUrl':'`+tt.url+`',`+tt.members+`}`).invalidParameter(tt.message)
	}
	c.json("SendMessage", `{'QueueUrl':'`+url+`'}`).missingParameter("MessageBody")
	c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':''}`).missingParameter("MessageBody")
	c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':null}`).missingParameter("MessageBody")
	c.json("SendMessage", `{'QueueUrl':'`+fifo+`','MessageBody':'b'}`).missingParameter("MessageGroupId")
	c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'a\u0000b'}`).
		fails(400, sdkError+"InvalidMessageContents", "InvalidMessageContents", badCharacter("0"))
	for body, character := range map[string]string{"\xff": "FF", "\ufffd\x07": "7", "ä\ufffe": "FFFE", "\x1f\x00": "1F", "\ufffd\xc3": "C3"} {
		c.query(url, "SendMessage", "MessageBody="+body).failsQuery(400, "InvalidMessageContents", badCharacter(character))
	}
	for _, q := range []string{"q", "q.fifo"} {
		attributes, err := c.broker.Attributes(t.Context(), q, "ApproximateNumberOfMessages")
		require.NoError(t, err)
		assert.Equal(t, "0", attributes["ApproximateNumberOfMessages"])
	}
}

func TestSendMessage_RefusesWrongAttributes(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	for value, message := range map[string]string{
		`{}`:                                         "The message (user) attribute 'k' must contain a non-empty message attribute type.",
		`{'StringValue':'x'}`:                        "The message (user) attribute 'k' must contain a non-empty message attribute type.",
		`{'DataType':'string'}`:                      "The type of message (user) attribute 'k' is invalid. You must use only the following supported type prefixes: Binary, Number, String.",
		`{'DataType':'String.'}`:                     "The type of message (user) attribute 'k' is invalid. You must use only the following supported type prefixes: Binary, Number, String.",
		`{'DataType':'String'}`:                      "Message (user) attribute 'k' must contain a non-empty value of type 'String'.",
		`{'DataType':'Number.int'}`:                  "Message (user) attribute 'k' must contain a non-empty value of type 'Number'.",
		`{'DataType':'Binary','BinaryValue':''}`:     "Message (user) attribute 'k' must contain a non-empty value of type 'Binary'.",
		`{'DataType':'Binary','StringValue':'x'}`:    "Message (user) attribute 'k' with type 'Binary' must use field 'Binary'.",
		`{'DataType':'String','BinaryValue':'AAAA'}`: "Message (user) attribute 'k' with type 'String' must use field 'String'.",
		`{'DataType':'String','BinaryValue':'AA==','StringValue':''}`:              "Message (user) attribute 'k' must have a single value.",
		`{'DataType':'Number','StringValue':'1x'}`:                                 "Can't cast the value of message (user) attribute 'k' to a number.",
		`{'DataType':'Number','StringValue':'1e500'}`:                              "Can't cast the value of message (user) attribute 'k' to a number.",
		`{'DataType':'String','StringValue':'\u0000'}`:                             textCharacters,
		`{'DataType':'String.` + strings.Repeat("x", 255) + `','StringValue':'a'}`: "The type of message (user) attribute 'k' must not be longer than 256 bytes.",
	} {
		c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'b','MessageAttributes':{'k':`+value+`}}`).invalidParameter(message)
	}
	many := map[string]any{}
	for _, name := range strings.Split("a b c d e f g h i j k", " ") {
		many[name] = map[string]string{"DataType": "String", "StringValue": "x"}
	}
	c.jsonOf("SendMessage", map[string]any{"QueueUrl": url, "MessageBody": "b", "MessageAttributes": many}).
		invalidParameter("Number of message attributes [11] exceeds the allowed maximum [10].")
	for _, name := range []string{"a!", ".a", "a.", "AWS.a", "Amazon.b", "a..b"} {
		r := c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'b','MessageAttributes':{'`+name+`':{'DataType':'String','StringValue':'x'}}}`)
		assert.Equal(t, "InvalidParameterValue;Sender", r.header.Get("x-amzn-query-error"), name)
		assert.Contains(t, r.body, "The message attribute name '"+name+"' is invalid.")
	}
	c.query(url, "SendMessage", "MessageBody=b", "MessageAttribute.1.Name=k", "MessageAttribute.2.Name=k").
		failsQuery(400, ipv, "Message (user) attribute 'k' is given more than once.")
	c.query(url, "SendMessage", "MessageBody=b", "MessageAttribute.1.Name=k", "MessageAttribute.1.Value.BinaryValue=!").
		failsQuery(400, "MalformedInput", "The value of parameter BinaryValue is not base64.")
	c.query(url, "SendMessage", "MessageBody=b", "DelaySeconds=1.5").
		failsQuery(400, "MalformedInput", "Value 1.5 for parameter DelaySeconds is not an integer.")
	assert.Empty(t, c.receive(url, ""))
}

func TestExplicitZeros_AreNotTheQueuesOwnSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q", inq.WithDelay(time.Minute), inq.WithReceiveWait(20*time.Second))
		began := time.Now()
		assert.Empty(t, c.receive(url, `,'WaitTimeSeconds':0`))
		assert.Zero(t, time.Since(began))
		assert.Empty(t, c.receive(url, ""))
		assert.Equal(t, 20*time.Second, time.Since(began))
		c.send(url, "delayed")
		assert.Empty(t, c.receive(url, `,'WaitTimeSeconds':0`))
		c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'now','DelaySeconds':0}`).ok()
		assert.Equal(t, "now", c.receive(url, `,'VisibilityTimeout':0`)[0].Body)
		assert.Equal(t, "now", c.receive(url, "")[0].Body)
		assert.Empty(t, c.receive(url, `,'WaitTimeSeconds':0`))

		fifo := c.fifo("q.fifo", inq.WithDelay(time.Minute))
		c.json("SendMessage", `{'QueueUrl':'`+fifo+`','MessageBody':'b','MessageGroupId':'g','MessageDeduplicationId':'1','DelaySeconds':0}`).ok()
		assert.Empty(t, c.receive(fifo, ""), "a FIFO message has the delay of its queue")
	})
}

func TestOverLimit_IsAnsweredWith403(t *testing.T) {
	c := newClient(t)
	url := c.standard("q", inq.WithCapacity(1, 0))
	c.send(url, "a")
	c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'b'}`).fails(403, sdkError+"OverLimit", "OverLimit", "The queue is at its capacity.")

	q, err := c.broker.CreateStandard("large")
	require.NoError(t, err)
	batch := make([]inq.Message, 10)
	for i := range batch {
		batch[i].Body = "x"
	}
	for range 12_000 {
		_, err := q.SendBatch(t.Context(), batch)
		require.NoError(t, err)
		_, err = q.Receive(t.Context(), inq.ReceiveInput{Max: 10})
		require.NoError(t, err)
	}
	c.json("ReceiveMessage", `{'QueueUrl':'large'}`).
		fails(403, sdkError+"OverLimit", "OverLimit", "Too many messages have been received without being deleted. "+
			"Please delete your received messages or let them timeout before receiving more.")
}

// badCharacter is the text about a character, given in hexadecimal, that no message can have.
func badCharacter(character string) string {
	return "Invalid binary character '#x" + character + "' was found in the message body, the set of allowed characters is " +
		"#x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]."
}

func receivedBody(t *testing.T, xmlText string) string {
	t.Helper()
	var out struct {
		Body string `xml:"ReceiveMessageResult>Message>Body"`
	}
	require.NoError(t, unmarshalXML(xmlText, &out))
	return out.Body
}

func TestMessages_FromOneProtocolAreReadInTheOther(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	c.query(url, "SendMessage", "MessageBody=b", "MessageAttribute.1.Name=raw", "MessageAttribute.1.Value.DataType=Binary",
		"MessageAttribute.1.Value.BinaryValue=AAH/").ok()
	m := c.receive(url, `,'MessageAttributeNames':['All']`)[0]
	text, err := json.Marshal(m.MessageAttributes)
	require.NoError(t, err)
	assert.JSONEq(t, `{"raw":{"DataType":"Binary","BinaryValue":"AAH/"}}`, string(text))
}
