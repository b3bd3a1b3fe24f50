package suite

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/inq"
)

// askQuery posts parameters "name", "value", ... to a path or the URL of a queue. Nothing is added.
func askQuery(t *T, target string, parameters ...string) Reply {
	t.Helper()
	return t.Exchange(t.Request("POST", target, form(parameters...), "Content-Type", "application/x-www-form-urlencoded"))
}

// getQuery is askQuery with a query string.
func getQuery(t *T, target string, parameters ...string) *http.Request {
	t.Helper()
	return t.Request("GET", target+"?"+form(parameters...), "")
}

// form encodes parameters "name", "value", ... in their order.
func form(parameters ...string) string {
	var pairs []string
	for i := 0; i < len(parameters); i += 2 {
		pairs = append(pairs, url.QueryEscape(parameters[i])+"="+url.QueryEscape(parameters[i+1]))
	}
	return strings.Join(pairs, "&")
}

// element is an element of XML.
type element struct {
	XMLName xml.Name
	Text    string    `xml:",chardata"`
	Inner   []element `xml:",any"`
}

// readXML reads a whole answer.
func readXML(t *T, text string) (root element) {
	t.Helper()
	t.NoError(xml.Unmarshal([]byte(text), &root), text)
	t.Equal("http://queue.amazonaws.com/doc/2012-11-05/", root.XMLName.Space)
	return root
}

// names are those of the elements right inside e.
func (e element) names() (names []string) {
	for _, inner := range e.Inner {
		names = append(names, inner.XMLName.Local)
	}
	return names
}

// all returns the elements right inside e that have a name.
func (e element) all(name string) (found []element) {
	for _, inner := range e.Inner {
		if inner.XMLName.Local == name {
			found = append(found, inner)
		}
	}
	return found
}

// text is that of the first element of a name right inside e, "" without one.
func (e element) text(name string) string {
	for _, inner := range e.all(name) {
		return inner.Text
	}
	return ""
}

// failsQuery checks an error in XML.
func failsQuery(t *T, r Reply, status int, code, text string) {
	t.Helper()
	t.Equal(status, r.Status, r.Body)
	t.Equal("text/xml", r.Header.Get("Content-Type"))
	e := readXML(t, r.Body)
	t.Equal("ErrorResponse", e.XMLName.Local)
	t.Equal(code, e.all("Error")[0].text("Code"))
	if text != "" {
		t.Equal(text, e.all("Error")[0].text("Message"))
	}
}

// queryProtocol is section 9.2, Query and XML.
var queryProtocol = Chapter{
	Differs: map[string]string{
		"WIRE-18": "Queue URLs have the scheme and the host of the request, or of the configuration, so that clients reach the service (WIRE-20). " +
			"The forms of SQS are understood, whatever account they name.",
	},
	Cases: slices.Concat(queryRequestCases, flatteningCases, answerCases, clientCases),
}

var queryRequestCases = []Case{
	{"WIRE-10", "POST and GET, to the root and to the queue", HTTP, func(t *T) {
		q := t.Standard()
		for _, r := range []Reply{
			askQuery(t, "/", "Action", "SendMessage", "Version", "2012-11-05", "QueueUrl", q.URL, "MessageBody", "POST to the root"),
			askQuery(t, q.URL, "Action", "SendMessage", "Version", "2012-11-05", "MessageBody", "POST to the queue"),
			t.Exchange(getQuery(t, "/", "Action", "SendMessage", "Version", "2012-11-05", "QueueUrl", q.URL, "MessageBody", "GET of the root")),
			t.Exchange(getQuery(t, q.URL, "Action", "SendMessage", "Version", "2012-11-05", "MessageBody", "GET of the queue")),
		} {
			t.Equal(200, r.Status, r.Body)
			t.Equal("SendMessageResponse", readXML(t, r.Body).XMLName.Local)
		}
		t.Equal([]string{"POST to the root", "POST to the queue", "GET of the root", "GET of the queue"}, q.Bodies(10))
	}},
	{"WIRE-10", "a QueueUrl wins over the path", HTTP, func(t *T) {
		path, named := t.Standard(), t.Standard()
		askQuery(t, path.URL, "Action", "SendMessage", "MessageBody", "post", "QueueUrl", named.URL)
		t.Exchange(getQuery(t, path.URL, "Action", "SendMessage", "MessageBody", "get", "QueueUrl", named.URL))
		t.Equal([]string{"post", "get"}, named.Bodies(10))
		path.Empty()
		failsQuery(t, askQuery(t, path.URL, "Action", "SendMessage", "MessageBody", "b", "QueueUrl", path.URL+"-2"), 400, "AWS.SimpleQueueService.NonExistentQueue", "")
	}},
	{"WIRE-10", "without a QueueUrl and away from a queue", HTTP, func(t *T) {
		failsQuery(t, askQuery(t, "/", "Action", "SendMessage", "MessageBody", "b"), 400, "MissingParameter", "The request must contain the parameter QueueUrl.")
		failsQuery(t, askQuery(t, "/000000000000/nobody", "Action", "SendMessage", "MessageBody", "b"), 400, "AWS.SimpleQueueService.NonExistentQueue",
			"The specified queue does not exist for this wsdl version.")
	}},
	{"WIRE-10", "a slash may follow the path of a queue", HTTP, func(t *T) {
		q := t.Standard()
		ok(t, q.URL+"/", "Action", "SendMessage", "MessageBody", "post")
		t.Equal(200, t.Exchange(getQuery(t, q.URL+"/", "Action", "SendMessage", "MessageBody", "get")).Status)
		t.Equal([]string{"post", "get"}, q.Bodies(10))
	}},
	{"WIRE-10", "the content type may have parameters", HTTP, func(t *T) {
		q := t.Standard()
		t.Exchange(t.Request("POST", q.URL, form("Action", "SendMessage", "MessageBody", "ü"), "Content-Type", "application/x-www-form-urlencoded; charset=utf-8"))
		t.Equal([]string{"ü"}, q.Bodies(10))
	}},
	{"WIRE-11", "what is no action of a queue is refused on the path of one", HTTP, func(t *T) {
		q := t.Standard()
		for _, action := range []string{"CreateQueue", "ListQueues", "Dance", "sendMessage"} {
			text := "The action " + action + " is not valid for this endpoint."
			failsQuery(t, askQuery(t, q.URL, "Action", action, "QueueName", "new"), 400, "InvalidAction", text)
			failsQuery(t, t.Exchange(getQuery(t, q.URL, "Action", action, "QueueName", "new")), 400, "InvalidAction", text)
		}
		t.Equal([]string{q.URL}, listed(t, ListQueues{}).QueueUrls)
	}},
	{"WIRE-11", "an unknown action is refused elsewhere too", HTTP, func(t *T) {
		failsQuery(t, askQuery(t, "/", "Action", "Dance"), 400, "InvalidAction", "The action Dance is not valid for this endpoint.")
	}},
	{"WIRE-11", "the URL of another queue can be asked for on the path of a queue", HTTP, func(t *T) {
		q, other := t.Standard(), t.Standard()
		for _, named := range []*Q{q, other} {
			r := readXML(t, askQuery(t, q.URL, "Action", "GetQueueUrl", "QueueName", named.Name).Body)
			t.Equal(named.URL, r.Inner[0].text("QueueUrl"))
		}
	}},
	{"WIRE-11", "without an action there is no operation", HTTP, func(t *T) {
		q := t.Standard()
		for _, req := range []*http.Request{
			getQuery(t, "/"), getQuery(t, q.URL, "Version", "2012-11-05"), t.Request("POST", q.URL, "", "Content-Type", "application/x-www-form-urlencoded"),
		} {
			r := t.Exchange(req)
			t.Equal(404, r.Status)
			t.Contains(r.Body, "<UnknownOperationException")
		}
	}},
	{"WIRE-11", "the version may be left out", HTTP, func(t *T) {
		q := t.Standard()
		for _, version := range [][]string{nil, {"Version", "2012-11-05"}} {
			r := askQuery(t, "/", append([]string{"Action", "ListQueues"}, version...)...)
			t.Equal(q.URL, readXML(t, r.Body).Inner[0].text("QueueUrl"))
		}
	}},
}

// ok posts parameters, checks the status, and returns the result, which is empty where the
// operation has none.
func ok(t *T, target string, parameters ...string) element {
	t.Helper()
	r := askQuery(t, target, parameters...)
	t.Equal(200, r.Status, r.Body)
	response := readXML(t, r.Body)
	if len(response.Inner) < 2 {
		return element{}
	}
	return response.Inner[0]
}

var flatteningCases = []Case{
	{"WIRE-12", "Attributes", HTTP, func(t *T) {
		ok(t, "/", "Action", "CreateQueue", "QueueName", "q", "Attribute.1.Name", "DelaySeconds", "Attribute.1.Value", "7",
			"Attribute.2.Name", "VisibilityTimeout", "Attribute.2.Value", "8")
		q := t.Create("q")
		t.Equal(map[string]string{"DelaySeconds": "7", "VisibilityTimeout": "8"}, q.Attributes("DelaySeconds", "VisibilityTimeout"))
		ok(t, q.URL, "Action", "SetQueueAttributes", "Attribute.1.Name", "DelaySeconds", "Attribute.1.Value", "0", "Attribute.2.Name", "Policy", "Attribute.2.Value", "{}")
		t.Equal(map[string]string{"DelaySeconds": "0", "Policy": "{}"}, q.Attributes("DelaySeconds", "Policy"))
	}},
	{"WIRE-12", "AttributeNames", HTTP, func(t *T) {
		q := t.Standard()
		result := ok(t, q.URL, "Action", "GetQueueAttributes", "AttributeName.1", "DelaySeconds", "AttributeName.2", "VisibilityTimeout")
		t.Len(result.all("Attribute"), 2)
		q.Send("b")
		for _, parameter := range []string{"AttributeName", "MessageSystemAttributeName"} {
			message := ok(t, q.URL, "Action", "ReceiveMessage", "VisibilityTimeout", "0", parameter+".1", "SentTimestamp", parameter+".2", "SenderId").all("Message")[0]
			t.Len(message.all("Attribute"), 2, parameter)
		}
	}},
	{"WIRE-12", "MessageAttributeNames", HTTP, func(t *T) {
		q := t.Standard()
		_, err := q.Post(SendMessage{MessageBody: "b", MessageAttributes: map[string]AttributeValue{"one": Text("1"), "two": Text("2"), "three": Text("3")}})
		t.NoError(err)
		message := ok(t, q.URL, "Action", "ReceiveMessage", "MessageAttributeName.1", "one", "MessageAttributeName.2", "two").all("Message")[0]
		t.Len(message.all("MessageAttribute"), 2)
	}},
	{"WIRE-12", "MessageAttributes and MessageSystemAttributes", HTTP, func(t *T) {
		q := t.Standard()
		ok(t, q.URL, "Action", "SendMessage", "MessageBody", "b",
			"MessageAttribute.1.Name", "text", "MessageAttribute.1.Value.DataType", "String.x", "MessageAttribute.1.Value.StringValue", "ü &",
			"MessageAttribute.2.Name", "raw", "MessageAttribute.2.Value.DataType", "Binary", "MessageAttribute.2.Value.BinaryValue", "AAH/",
			"MessageSystemAttribute.1.Name", "AWSTraceHeader", "MessageSystemAttribute.1.Value.DataType", "String", "MessageSystemAttribute.1.Value.StringValue", traceVector)
		m := q.One()
		t.Equal(ValueMap{"text": {DataType: "String.x", StringValue: "ü &"}, "raw": {DataType: "Binary", BinaryValue: []byte{0, 1, 255}}}, m.MessageAttributes)
		t.Equal(traceVector, m.Attributes["AWSTraceHeader"])
	}},
	{"WIRE-12", "entries of batches", HTTP, func(t *T) {
		q := t.Standard()
		entry := "SendMessageBatchRequestEntry."
		ok(t, q.URL, "Action", "SendMessageBatch", entry+"1.Id", "a", entry+"1.MessageBody", "one",
			entry+"1.MessageAttribute.1.Name", "k", entry+"1.MessageAttribute.1.Value.DataType", "String", entry+"1.MessageAttribute.1.Value.StringValue", "x",
			entry+"2.Id", "b", entry+"2.MessageBody", "two", entry+"3.Id", "c", entry+"3.MessageBody", "three", entry+"3.DelaySeconds", "900")
		ms := q.Receive(10)
		t.Equal([]string{"one", "two"}, Bodies(ms))
		t.Equal(ValueMap{"k": Text("x")}, ms[0].MessageAttributes)
		t.Equal([3]int{0, 2, 1}, q.Counts())
		entry = "ChangeMessageVisibilityBatchRequestEntry.1."
		ok(t, q.URL, "Action", "ChangeMessageVisibilityBatch", entry+"Id", "a", entry+"ReceiptHandle", ms[0].ReceiptHandle, entry+"VisibilityTimeout", "0")
		t.Equal([3]int{1, 1, 1}, q.Counts())
		entry = "DeleteMessageBatchRequestEntry."
		ok(t, q.URL, "Action", "DeleteMessageBatch", entry+"1.Id", "a", entry+"1.ReceiptHandle", ms[0].ReceiptHandle, entry+"2.Id", "b", entry+"2.ReceiptHandle", ms[1].ReceiptHandle)
		t.Equal([3]int{0, 0, 1}, q.Counts())
	}},
	{"WIRE-12", "Tags and TagKeys", HTTP, func(t *T) {
		ok(t, "/", "Action", "CreateQueue", "QueueName", "q", "Tag.1.Key", "a", "Tag.1.Value", "1", "Tag.2.Key", "b", "Tag.2.Value", "")
		q := t.Create("q")
		t.Equal(StringMap{"a": "1", "b": ""}, tagsOf(q))
		ok(t, q.URL, "Action", "TagQueue", "Tag.1.Key", "c", "Tag.1.Value", "3", "Tag.2.Key", "a", "Tag.2.Value", "4")
		t.Equal(StringMap{"a": "4", "b": "", "c": "3"}, tagsOf(q))
		ok(t, q.URL, "Action", "UntagQueue", "TagKey.1", "a", "TagKey.2", "b")
		t.Equal(StringMap{"c": "3"}, tagsOf(q))
	}},
	{"WIRE-12", "AWSAccountIds and Actions", HTTP, func(t *T) {
		q := t.Standard()
		ok(t, q.URL, "Action", "AddPermission", "Label", "l", "AWSAccountId.1", "111111111111", "AWSAccountId.2", "222222222222",
			"ActionName.1", "SendMessage", "ActionName.2", "PurgeQueue")
		t.JSONEq(policyOf(q, statementOf("l", `["arn:aws:iam::111111111111:root","arn:aws:iam::222222222222:root"]`, `["SQS:SendMessage","SQS:PurgeQueue"]`, q.ARN())),
			q.Attribute("Policy"))
	}},
	{"WIRE-12", "a single element may come without a number", HTTP, func(t *T) {
		q := t.Standard()
		ok(t, q.URL, "Action", "SetQueueAttributes", "Attribute.Name", "DelaySeconds", "Attribute.Value", "7")
		t.Equal("7", q.Attribute("DelaySeconds"))
		t.Len(ok(t, q.URL, "Action", "GetQueueAttributes", "AttributeName", "DelaySeconds").all("Attribute"), 1)
		ok(t, q.URL, "Action", "TagQueue", "Tag.Key", "k", "Tag.Value", "v")
		t.Equal(StringMap{"k": "v"}, tagsOf(q))
	}},
	{"WIRE-12", "elements are in the order of their numbers", HTTP, func(t *T) {
		q := t.Standard()
		entry := "SendMessageBatchRequestEntry."
		ok(t, q.URL, entry+"10.Id", "c", entry+"10.MessageBody", "third", entry+"2.MessageBody", "second", entry+"2.Id", "b", entry+"1.Id", "a", entry+"1.MessageBody", "first",
			"Action", "SendMessageBatch")
		t.Equal([]string{"first", "second", "third"}, q.Bodies(10))
	}},
}

const (
	openNamespace = ` xmlns="http://queue.amazonaws.com/doc/2012-11-05/">`
	metadata      = `<ResponseMetadata><RequestId>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}</RequestId></ResponseMetadata>`
	declaration   = `^<\?xml version="1\.0"\?>\s*`
)

var answerCases = []Case{
	{"WIRE-12", "what nothing in a list or an attribute takes is refused", HTTP, func(t *T) {
		q := t.Standard()
		message := []string{"Action", "SendMessage", "MessageBody", "b", "MessageAttribute.1.Name", "k", "MessageAttribute.1.Value.DataType", "String", "MessageAttribute.1.Value.StringValue", "v"}
		for _, stray := range []string{"MessageAttribute.01.Name", "MessageAttribute.x.Name", "MessageAttribute.1.Type", "MessageAttribute.1.Value.Text", "DelaySeconds.1", "MessageAttribute"} {
			failsQuery(t, askQuery(t, q.URL, append(message, stray, "x")...), 400, "MalformedInput", "The request has the parameter "+stray+", which the operation does not have.")
		}
		failsQuery(t, askQuery(t, q.URL, append(message, "MessageBody", "c")...), 400, "MalformedInput", "The request has MessageBody more than once.")
		q.Empty()
		ok(t, q.URL, append(message, "Unknown.1.Name", "x")...)
		t.Equal([]string{"b"}, q.Bodies(10))
	}},
	{"WIRE-13", "a result and the id of the request", HTTP, func(t *T) {
		q := t.Standard()
		r := askQuery(t, "/", "Action", "GetQueueUrl", "QueueName", q.Name)
		t.Equal(200, r.Status)
		t.Equal("text/xml", r.Header.Get("Content-Type"))
		t.Regexp(declaration+`<GetQueueUrlResponse`+openNamespace+`<GetQueueUrlResult><QueueUrl>`+q.URL+`</QueueUrl></GetQueueUrlResult>`+metadata+`</GetQueueUrlResponse>$`, r.Body)
		t.Contains(r.Body, r.Header.Get("x-amzn-RequestId"))
	}},
	{"WIRE-13", "an operation without a result has no element for it", HTTP, func(t *T) {
		q := t.Standard()
		for _, action := range []string{"PurgeQueue", "DeleteQueue"} {
			r := askQuery(t, q.URL, "Action", action)
			t.Regexp(declaration+`<`+action+`Response`+openNamespace+metadata+`</`+action+`Response>$`, r.Body)
		}
	}},
	{"WIRE-13", "a receive of nothing has an empty result", HTTP, func(t *T) {
		r := askQuery(t, t.Standard().URL, "Action", "ReceiveMessage")
		t.Equal(200, r.Status)
		t.Contains(r.Body, `<ReceiveMessageResult/>`)
	}},
	{"WIRE-14", "messages with their attributes", HTTP, func(t *T) {
		q := t.Standard()
		for _, body := range []string{"one", "two"} {
			_, err := q.Post(SendMessage{MessageBody: body, MessageAttributes: workedExample})
			t.NoError(err)
		}
		messages := ok(t, q.URL, "Action", "ReceiveMessage", "MaxNumberOfMessages", "10", "AttributeName.1", "SenderId", "AttributeName.2", "ApproximateReceiveCount",
			"MessageAttributeName.1", "All").all("Message")
		t.Len(messages, 2)
		for i, m := range messages {
			t.ElementsMatch([]string{
				"MessageId", "ReceiptHandle", "MD5OfBody", "Body", "Attribute", "Attribute", "MD5OfMessageAttributes", "MessageAttribute", "MessageAttribute", "MessageAttribute",
			}, m.names())
			t.Equal([]string{"one", "two"}[i], m.text("Body"))
			t.Equal(hexMD5([]byte(m.text("Body"))), m.text("MD5OfBody"))
			t.Equal("96f38bfa55199109d94e1ae1c9489278", m.text("MD5OfMessageAttributes"))
			values := map[string]string{}
			for _, a := range m.all("MessageAttribute") {
				t.Equal([]string{"Name", "Value"}, a.names())
				v := a.all("Value")[0]
				values[a.text("Name")] = v.text("DataType") + " " + v.text("StringValue") + v.text("BinaryValue")
			}
			t.Equal(map[string]string{"city": "String Zürich", "price.eur": "Number.float 12.50", "raw": "Binary AAH/"}, values)
			for _, a := range m.all("Attribute") {
				t.Equal([]string{"Name", "Value"}, a.names())
			}
		}
	}},
	{"WIRE-14", "URLs of queues", HTTP, func(t *T) {
		q, dead := t.Standard(), t.Standard()
		q.Redrive(dead, 1)
		t.Equal([]string{"QueueUrl", "QueueUrl"}, ok(t, "/", "Action", "ListQueues").names())
		sources := ok(t, dead.URL, "Action", "ListDeadLetterSourceQueues")
		t.Equal([]string{"QueueUrl"}, sources.names())
		t.Equal(q.URL, sources.text("QueueUrl"))
	}},
	{"WIRE-14", "attributes and tags of queues", HTTP, func(t *T) {
		q := t.Standard()
		attributes := ok(t, q.URL, "Action", "GetQueueAttributes", "AttributeName.1", "DelaySeconds", "AttributeName.2", "QueueArn")
		t.Equal([]string{"Attribute", "Attribute"}, attributes.names())
		values := map[string]string{}
		for _, a := range attributes.Inner {
			t.Equal([]string{"Name", "Value"}, a.names())
			values[a.text("Name")] = a.text("Value")
		}
		t.Equal(map[string]string{"DelaySeconds": "0", "QueueArn": q.ARN()}, values)
		t.NoError(tag(q, "k", "v"))
		tags := ok(t, q.URL, "Action", "ListQueueTags")
		t.Equal([]string{"Tag"}, tags.names())
		t.Equal([]string{"Key", "Value"}, tags.Inner[0].names())
		t.Equal("k v", tags.Inner[0].text("Key")+" "+tags.Inner[0].text("Value"))
	}},
	{"WIRE-14", "entries of batches that succeeded and failed", HTTP, func(t *T) {
		q := t.Standard()
		for action, names := range map[string][]string{
			"SendMessageBatch":             {"Id", "MessageId", "MD5OfMessageBody"},
			"DeleteMessageBatch":           {"Id"},
			"ChangeMessageVisibilityBatch": {"Id"},
		} {
			q.Send("b")
			handle := q.One().ReceiptHandle
			entry := action + "RequestEntry."
			result := ok(t, q.URL, "Action", action,
				entry+"1.Id", "good", entry+"1.MessageBody", "b", entry+"1.ReceiptHandle", handle, entry+"1.VisibilityTimeout", "0",
				entry+"2.Id", "bad", entry+"2.MessageBody", "\x01", entry+"2.ReceiptHandle", "nonsense", entry+"2.VisibilityTimeout", "0")
			t.Equal([]string{action + "ResultEntry", "BatchResultErrorEntry"}, result.names())
			t.ElementsMatch(names, result.Inner[0].names())
			t.Equal("good", result.Inner[0].text("Id"))
			t.ElementsMatch([]string{"Id", "SenderFault", "Code", "Message"}, result.Inner[1].names())
			t.Equal("bad true", result.Inner[1].text("Id")+" "+result.Inner[1].text("SenderFault"))
		}
	}},
	{"WIRE-14", "move tasks", HTTP, func(t *T) {
		dead, handle := moving(t)
		result := ok(t, "/", "Action", "ListMessageMoveTasks", "SourceArn", dead.ARN())
		t.Equal([]string{"ListMessageMoveTasksResultEntry"}, result.names())
		t.Equal(handle, result.Inner[0].text("TaskHandle"))
		t.Equal("RUNNING", result.Inner[0].text("Status"))
	}},
	{"WIRE-15", "quotes and carriage returns are escaped", HTTP, func(t *T) {
		q := t.Standard("VisibilityTimeout", "0")
		body := "\"a\"\r\n\tb\r<c>&amp;&quot;'&#xD;]]>"
		q.Send(body)
		r := askQuery(t, q.URL, "Action", "ReceiveMessage")
		t.Contains(r.Body, "<Body>&quot;a&quot;&#xD;\n\tb&#xD;&lt;c&gt;&amp;amp;&amp;quot;'&amp;#xD;]]&gt;</Body>")
		t.Equal(body, readXML(t, r.Body).Inner[0].Inner[0].text("Body"))
	}},
	{"WIRE-15", "bodies and values come back byte for byte", Members, func(t *T) {
		q := t.Standard()
		for _, text := range []string{"\r", "\r\n", "\n\r", "a\rb", `"`, "&quot;", "&#xD;", "<![CDATA[x]]>", " lead and trail ", "\t", "\uFFFD\uD7FF\uE000\U0010FFFF"} {
			_, err := q.Post(SendMessage{MessageBody: text, MessageAttributes: map[string]AttributeValue{"k": Text(text)}})
			t.NoError(err)
			m := q.One()
			t.Equal(text, m.Body)
			t.Equal(text, m.MessageAttributes["k"].StringValue)
			t.Equal(hexMD5([]byte(text)), m.MD5OfBody)
		}
	}},
	{"WIRE-16", "an error has its type, code and text", HTTP, func(t *T) {
		r := askQuery(t, "/", "Action", "PurgeQueue", "QueueUrl", "nobody")
		t.Equal(400, r.Status)
		t.Equal("text/xml", r.Header.Get("Content-Type"))
		t.Regexp(declaration+`<ErrorResponse`+openNamespace+`<Error><Type>Sender</Type><Code>AWS\.SimpleQueueService\.NonExistentQueue</Code>`+
			`<Message>The specified queue does not exist for this wsdl version\.</Message><Detail/></Error>`+
			`<RequestId>`+strings.Trim(uuidText, "^$")+`</RequestId></ErrorResponse>$`, r.Body)
	}},
	{"WIRE-16", "statuses are those of the vocabulary", HTTP, func(t *T) {
		q := t.Standard()
		t.NoError(q.Purge())
		failsQuery(t, askQuery(t, q.URL, "Action", "PurgeQueue"), 403, "AWS.SimpleQueueService.PurgeQueueInProgress",
			"Only one PurgeQueue operation on "+q.Name+" is allowed every 60 seconds.")
		failsQuery(t, askQuery(t, q.URL, "Action", "DeleteMessage", "ReceiptHandle", "x"), 404, "ReceiptHandleIsInvalid", "")
		failsQuery(t, askQuery(t, q.URL, "Action", "ReceiveMessage", "MaxNumberOfMessages", "11"), 400, "InvalidParameterValue",
			"Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.")
	}},
	{"WIRE-16", "a fault of the service is the receiver's", HTTP | Engine, func(t *T) {
		t.NoError(t.Broker.Close())
		r := askQuery(t, "/", "Action", "ListQueues")
		t.Equal(503, r.Status)
		t.Equal("Receiver", readXML(t, r.Body).all("Error")[0].text("Type"))
	}},
}

// getJSON is a GET of a client that accepts JSON, with the id of the request taken out of the
// answer.
func getJSON(t *T, target string, parameters ...string) string {
	t.Helper()
	req := getQuery(t, target, parameters...)
	req.Header.Set("Accept", "application/json")
	r := t.Exchange(req)
	t.Equal("application/json", r.Header.Get("Content-Type"))
	return strings.ReplaceAll(r.Body, r.Header.Get("x-amzn-RequestId"), "ID")
}

var clientCases = []Case{
	{"WIRE-17", "a GET that accepts JSON gets it", HTTP, func(t *T) {
		q := t.Standard()
		t.JSONEq(`{"ListQueuesResponse":{"ListQueuesResult":{"queueUrls":["`+q.URL+`"]},"ResponseMetadata":{"RequestId":"ID"}}}`, getJSON(t, "/", "Action", "ListQueues"))
		t.JSONEq(`{"PurgeQueueResponse":{"ResponseMetadata":{"RequestId":"ID"}}}`, getJSON(t, q.URL, "Action", "PurgeQueue"))
		t.JSONEq(`{"GetQueueAttributesResponse":{"GetQueueAttributesResult":{"Attributes":[{"Name":"DelaySeconds","Value":"0"}]},"ResponseMetadata":{"RequestId":"ID"}}}`,
			getJSON(t, q.URL, "Action", "GetQueueAttributes", "AttributeName.1", "DelaySeconds"))
	}},
	{"WIRE-17", "messages and their attributes are lists", HTTP, func(t *T) {
		q := t.Standard()
		_, err := q.Post(SendMessage{MessageBody: "b", MessageAttributes: map[string]AttributeValue{"k": Text("x")}})
		t.NoError(err)
		text := getJSON(t, q.URL, "Action", "ReceiveMessage", "AttributeName.1", "ApproximateReceiveCount", "MessageAttributeName.1", "All")
		result := members(t, text)["ReceiveMessageResponse"].(map[string]any)["ReceiveMessageResult"].(map[string]any)
		m := result["messages"].([]any)[0].(map[string]any)
		t.Equal("b", m["Body"])
		t.Equal("a45daa70926828a2f0a1db3418e6feb4", m["MD5OfMessageAttributes"])
		t.Equal([]any{map[string]any{"Name": "ApproximateReceiveCount", "Value": "1"}}, m["Attributes"])
		t.Equal([]any{map[string]any{"Name": "k", "Value": map[string]any{"DataType": "String", "StringValue": "x"}}}, m["MessageAttributes"])
	}},
	{"WIRE-17", "errors are JSON too", HTTP, func(t *T) {
		e := members(t, getJSON(t, "/", "Action", "PurgeQueue", "QueueUrl", "nobody"))["Error"].(map[string]any)
		t.Equal("AWS.SimpleQueueService.NonExistentQueue", e["Code"])
		t.Equal("The specified queue does not exist for this wsdl version.", e["Message"])
	}},
	{"WIRE-17", "everything else is XML", HTTP, func(t *T) {
		for _, accept := range []string{"", "*/*", "text/xml"} {
			req := getQuery(t, "/", "Action", "ListQueues")
			req.Header.Set("Accept", accept)
			t.Equal("ListQueuesResponse", readXML(t, t.Exchange(req).Body).XMLName.Local)
		}
		req := getQuery(t, "/", "Version", "2012-11-05")
		req.Header.Set("Accept", "application/json")
		r := t.Exchange(req)
		t.Equal(404, r.Status)
		t.Contains(r.Body, "<UnknownOperationException", "without an action")
	}},
	{"WIRE-18", "a queue URL ends in account and name", HTTP | Engine, func(t *T) {
		t.Reopen(inq.WithAccount("123456789012"))
		req := t.Request("POST", "/", form("Action", "CreateQueue", "QueueName", "q"), "Content-Type", "application/x-www-form-urlencoded")
		req.Host = "sqs.us-east-1.amazonaws.com"
		t.Contains(t.Exchange(req).Body, "<QueueUrl>http://sqs.us-east-1.amazonaws.com/123456789012/q</QueueUrl>")
		t.Equal(t.Base+"/123456789012/q", t.Create("q").URL)
	}},
	{"WIRE-18", "the forms of SQS are understood", HTTP, func(t *T) {
		q := t.Create("q")
		for _, host := range []string{"sqs.us-east-1.amazonaws.com", "us-east-1.queue.amazonaws.com", "queue.amazonaws.com"} {
			ok(t, "/", "Action", "SendMessage", "QueueUrl", "https://"+host+"/123456789012/q", "MessageBody", host)
			t.Equal([]string{host}, q.Bodies(10))
		}
	}},
	{"WIRE-19", "every digest that a client checks is there and right", Members, func(t *T) {
		for _, q := range []*Q{t.Standard(), t.FIFO("ContentBasedDeduplication", "true")} {
			m := SendMessage{MessageBody: "one \r ü", MessageAttributes: workedExample}
			if q.isFIFO() {
				m.MessageGroupId = "g"
			}
			sent, err := q.Post(m)
			t.NoError(err)
			t.Equal(hexMD5([]byte(m.MessageBody)), sent.MD5OfMessageBody)
			t.Equal(digestOf(m.MessageAttributes), sent.MD5OfMessageAttributes)
			m.MessageBody = "two"
			batch, err := q.SendBatch(m)
			t.NoError(err)
			t.Equal(hexMD5([]byte(m.MessageBody)), batch.Successful[0].MD5OfMessageBody)
			t.Equal(digestOf(m.MessageAttributes), batch.Successful[0].MD5OfMessageAttributes)
			for _, name := range []string{"All", "city"} {
				ms, err := q.Take(ReceiveMessage{MessageAttributeNames: []string{name}})
				t.NoError(err)
				t.Len(ms, 1)
				t.Equal(hexMD5([]byte(ms[0].Body)), ms[0].MD5OfBody)
				t.Equal(digestOf(ms[0].MessageAttributes), ms[0].MD5OfMessageAttributes)
				q.DeleteAll(ms...)
			}
		}
	}},
	{"WIRE-20", "queue URLs have the host of the request", HTTP, func(t *T) {
		t.Standard()
		for _, host := range []string{"localhost:9324", "queues.example.com", "[::1]:80"} {
			for _, req := range []*http.Request{
				getQuery(t, "/", "Action", "GetQueueUrl", "QueueName", "queue-1"),
				getQuery(t, "/", "Action", "ListQueues"),
				jsonRequest(t, "/", "ListQueues", `{}`),
				jsonRequest(t, "/", "CreateQueue", `{"QueueName":"queue-1"}`),
			} {
				req.Host = host
				t.Contains(t.Exchange(req).Body, "http://"+host+"/000000000000/queue-1")
			}
		}
	}},
	{"WIRE-20", "a request to the URL of a queue reaches it", HTTP, func(t *T) {
		q := t.Standard()
		t.Equal(200, t.Exchange(jsonRequest(t, q.URL, "SendMessage", `{"QueueUrl":"`+q.URL+`","MessageBody":"json"}`)).Status)
		ok(t, q.URL, "Action", "SendMessage", "MessageBody", "query")
		t.Equal([]string{"json", "query"}, q.Bodies(10))
	}},
	{"WIRE-21", "every error in JSON has the header", HTTP, func(t *T) {
		q := t.Standard()
		for operation, body := range map[string]string{
			"Dance": `{}`, "ListQueues": `{"MaxResults":0}`, "GetQueueUrl": `{"QueueName":"nobody"}`, "CreateQueue": `{`, "PurgeQueue": `{}`,
			"DeleteMessage":      `{"QueueUrl":"` + q.URL + `","ReceiptHandle":"x"}`,
			"SendMessageBatch":   `{"QueueUrl":"` + q.URL + `","Entries":[]}`,
			"GetQueueAttributes": `{"QueueUrl":"` + q.URL + `","AttributeNames":["x"]}`,
		} {
			for _, mode := range [][]string{nil, {"x-amzn-query-mode", "true"}} {
				r := askJSON(t, operation, body, mode...)
				t.Greater(r.Status, 399, operation)
				t.Regexp(`^[A-Za-z.]+;Sender$`, r.Header.Get("x-amzn-query-error"), operation)
			}
		}
	}},
}
