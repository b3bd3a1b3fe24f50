package suite

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// askJSON makes a request of the JSON protocol of in, which is JSON where it is a string; header
// is "name", "value", ...
func askJSON(t *T, operation string, in any, header ...string) Reply {
	t.Helper()
	text, ok := in.(string)
	if !ok {
		b, err := json.Marshal(in)
		t.NoError(err)
		text = string(b)
	}
	return t.Exchange(jsonRequest(t, "/", operation, text, header...))
}

func jsonRequest(t *T, target, operation, body string, header ...string) *http.Request {
	t.Helper()
	return t.Request("POST", target, body, append(slices.Clone(header), "Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "AmazonSQS."+operation)...)
}

// without is a request that misses a member.
func without(in map[string]any, name string) map[string]any {
	in = maps.Clone(in)
	delete(in, name)
	return in
}

// members reads a JSON object.
func members(t *T, text string) (object map[string]any) {
	t.Helper()
	t.NoError(json.Unmarshal([]byte(text), &object), text)
	return object
}

// failsJSON checks a whole error: its status, its type with the namespace, its code, and a text
// that is compared as T.Refused does.
func failsJSON(t *T, r Reply, status int, shape, code, text string) {
	t.Helper()
	t.Equal(status, r.Status, r.Body)
	t.Equal("application/x-amz-json-1.0", r.Header.Get("Content-Type"))
	t.Equal(code+";Sender", r.Header.Get("x-amzn-query-error"))
	e := members(t, r.Body)
	t.ElementsMatch([]string{"__type", "message"}, slices.Collect(maps.Keys(e)))
	t.Equal(shape, e["__type"])
	if text != "" {
		t.Equal(text, e["message"])
	}
}

const (
	modelled  = "com.amazonaws.sqs#"
	framework = "com.amazon.coral.service#"
	uuidText  = `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`
)

// jsonProtocol is section 9.1, AWS JSON 1.0.
var jsonProtocol = Chapter{
	Differs: map[string]string{
		"WIRE-1": "Requests need not be signed, and signatures are not looked at: every caller is the owner of the queues.",
		"WIRE-9": "The statuses 403 and 404 are given whether or not the client sends x-amzn-query-mode, so that all clients can tell refusals by them.",
	},
	Cases: []Case{
		{"WIRE-1", "a target, a content type and a JSON object are a request", HTTP, func(t *T) {
			r := t.Exchange(t.Request("POST", "/", `{"QueueName":"q"}`,
				"Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "AmazonSQS.CreateQueue", "X-Amz-Date", "20260701T120000Z",
				"Authorization", "AWS4-HMAC-SHA256 Credential=key/20260701/us-east-1/sqs/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature="+strings.Repeat("0", 64)))
			t.Equal(200, r.Status, r.Body)
			t.JSONEq(`{"QueueUrl":"`+t.Base+`/000000000000/q"}`, r.Body)
		}},
		{"WIRE-1", "no signature is needed", HTTP, func(t *T) {
			t.Equal(200, askJSON(t, "CreateQueue", `{"QueueName":"q"}`).Status)
			t.Equal(200, askJSON(t, "CreateQueue", `{"QueueName":"q"}`, "Authorization", "Nonsense").Status)
		}},
		{"WIRE-1", "an empty request is an empty object", HTTP, func(t *T) {
			q := t.Standard()
			for _, body := range []string{`{}`, ` { } `} {
				t.JSONEq(`{"QueueUrls":["`+q.URL+`"]}`, askJSON(t, "ListQueues", body).Body)
			}
		}},
		{"WIRE-2", "the content type decides, not a target beside it", HTTP, func(t *T) {
			r := t.Exchange(t.Request("POST", "/", "Action=ListQueues", "Content-Type", "application/x-www-form-urlencoded", "X-Amz-Target", "AmazonSQS.ListQueues"))
			t.Equal(200, r.Status, r.Body)
			t.Equal("text/xml", r.Header.Get("Content-Type"))
		}},
		{"WIRE-2", "the path of another queue does not matter", HTTP, func(t *T) {
			q, other := t.Standard(), t.Standard()
			body := `{"QueueUrl":"` + q.URL + `","MessageBody":"b"}`
			for _, target := range []string{q.URL, other.URL, "/000000000000/nobody", "/any/where", "/"} {
				t.Equal(200, t.Exchange(jsonRequest(t, target, "SendMessage", body)).Status, target)
			}
			t.Len(q.Bodies(10), 5)
			other.Empty()
		}},
		{"WIRE-2", "the path names no queue to a JSON request", HTTP, func(t *T) {
			q := t.Standard()
			r := t.Exchange(jsonRequest(t, q.URL, "SendMessage", `{"MessageBody":"b"}`))
			failsJSON(t, r, 400, framework+"MissingRequiredParameterException", "MissingParameter", "The request must contain the parameter QueueUrl.")
			q.Empty()
		}},
		{"WIRE-2", "operations of the account are served on the path of a queue", HTTP, func(t *T) {
			q := t.Standard()
			t.JSONEq(`{"QueueUrls":["`+q.URL+`"]}`, t.Exchange(jsonRequest(t, q.URL, "ListQueues", `{}`)).Body)
			t.Equal(200, t.Exchange(jsonRequest(t, q.URL, "CreateQueue", `{"QueueName":"another"}`)).Status)
		}},
		{"WIRE-3", "an answer has a status, a content type and an id of its own", HTTP, func(t *T) {
			q := t.Standard()
			seen := map[string]bool{}
			for operation, in := range map[string]any{
				"ListQueues": ListQueues{}, "PurgeQueue": QueueURL{q.URL}, "SendMessage": SendMessage{QueueUrl: q.URL, MessageBody: "b"}, "ReceiveMessage": ReceiveMessage{QueueUrl: q.URL},
			} {
				r := askJSON(t, operation, in)
				t.Equal(200, r.Status, r.Body)
				t.Equal("application/x-amz-json-1.0", r.Header.Get("Content-Type"))
				t.Regexp(uuidText, r.Header.Get("x-amzn-RequestId"))
				seen[r.Header.Get("x-amzn-RequestId")] = true
			}
			t.Len(seen, 4)
			t.Regexp(uuidText, askJSON(t, "Dance", `{}`).Header.Get("x-amzn-RequestId"), "of an error")
		}},
		{"WIRE-3", "an operation without a result answers with an empty object", HTTP, func(t *T) {
			q := t.Standard()
			t.Equal(`{}`, askJSON(t, "TagQueue", TagQueue{q.URL, StringMap{"k": "v"}}).Body)
			t.Equal(`{}`, askJSON(t, "PurgeQueue", QueueURL{q.URL}).Body)
		}},
		{"WIRE-4", "numbers of requests are numbers, and text is refused", HTTP, func(t *T) {
			q := t.Standard()
			send := func(delay string) Reply {
				return askJSON(t, "SendMessage", `{"QueueUrl":"`+q.URL+`","MessageBody":"b","DelaySeconds":`+delay+`}`)
			}
			t.Equal(200, send(`900`).Status)
			t.Equal([3]int{0, 0, 1}, q.Counts())
			for _, delay := range []string{`"900"`, `1.5`, `true`, `[1]`} {
				r := send(delay)
				t.Equal(400, r.Status, delay)
				t.Contains(r.Body, "SerializationException", delay)
			}
		}},
		{"WIRE-4", "attributes and timestamps are text", HTTP, func(t *T) {
			q := t.Standard("VisibilityTimeout", "90")
			all := askJSON(t, "GetQueueAttributes", GetQueueAttributes{QueueUrl: q.URL, AttributeNames: []string{"All"}})
			for name, value := range members(t, all.Body)["Attributes"].(map[string]any) {
				t.Equal("string", fmt.Sprintf("%T", value), name)
			}
			t.Contains(all.Body, `"VisibilityTimeout":"90"`)
			q.Send("b")
			received := askJSON(t, "ReceiveMessage", ReceiveMessage{QueueUrl: q.URL, MessageSystemAttributeNames: []string{"All"}})
			t.Regexp(`"SentTimestamp":"[0-9]+"`, received.Body)
			t.Contains(received.Body, `"ApproximateReceiveCount":"1"`)
			r := askJSON(t, "SetQueueAttributes", `{"QueueUrl":"`+q.URL+`","Attributes":{"DelaySeconds":5}}`)
			t.Equal(400, r.Status, "a number is no text")
		}},
		{"WIRE-4", "bytes are base64", HTTP, func(t *T) {
			q := t.Standard()
			r := askJSON(t, "SendMessage", `{"QueueUrl":"`+q.URL+`","MessageBody":"b","MessageAttributes":{"raw":{"DataType":"Binary","BinaryValue":"AAH/"}}}`)
			t.Equal(200, r.Status, r.Body)
			t.Equal([]byte{0, 1, 255}, q.One().MessageAttributes["raw"].BinaryValue)
			t.NoError(q.Purge())
			_, err := q.Post(SendMessage{MessageBody: "b", MessageAttributes: map[string]AttributeValue{"raw": {DataType: "Binary", BinaryValue: []byte{0, 1, 255}}}})
			t.NoError(err)
			received := askJSON(t, "ReceiveMessage", ReceiveMessage{QueueUrl: q.URL, MessageAttributeNames: []string{"All"}})
			m := members(t, received.Body)["Messages"].([]any)[0].(map[string]any)
			t.Equal(map[string]any{"raw": map[string]any{"DataType": "Binary", "BinaryValue": "AAH/"}}, m["MessageAttributes"])
		}},
		{"WIRE-4", "flags and counts of results are no text", HTTP, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			r := askJSON(t, "DeleteMessageBatch", Batch[DeleteMessage]{q.URL, []DeleteMessage{{Id: "a", ReceiptHandle: "nonsense"}}})
			t.Contains(r.Body, `"SenderFault":true`)
			q.Redrive(dead, 1)
			t.Must("StartMessageMoveTask", StartMessageMoveTask{SourceArn: dead.ARN(), MaxNumberOfMessagesPerSecond: Int(7)}, nil)
			list := askJSON(t, "ListMessageMoveTasks", ListMessageMoveTasks{SourceArn: dead.ARN()})
			task := members(t, list.Body)["Results"].([]any)[0].(map[string]any)
			for _, name := range []string{"ApproximateNumberOfMessagesMoved", "ApproximateNumberOfMessagesToMove", "MaxNumberOfMessagesPerSecond", "StartedTimestamp"} {
				t.Equal("float64", fmt.Sprintf("%T", task[name]), name)
			}
		}},
		{"WIRE-4", "absent members are left out", HTTP, func(t *T) {
			q := t.Standard()
			sent := askJSON(t, "SendMessage", SendMessage{QueueUrl: q.URL, MessageBody: "b"})
			t.ElementsMatch([]string{"MessageId", "MD5OfMessageBody"}, slices.Collect(maps.Keys(members(t, sent.Body))))
			received := askJSON(t, "ReceiveMessage", ReceiveMessage{QueueUrl: q.URL})
			m := members(t, received.Body)["Messages"].([]any)[0].(map[string]any)
			t.ElementsMatch([]string{"MessageId", "ReceiptHandle", "MD5OfBody", "Body"}, slices.Collect(maps.Keys(m)))
			t.Equal(`{}`, askJSON(t, "ReceiveMessage", ReceiveMessage{QueueUrl: q.URL}).Body)
			batch := askJSON(t, "SendMessageBatch", Batch[SendMessage]{q.URL, []SendMessage{{Id: "a", MessageBody: "b"}}})
			t.ElementsMatch([]string{"Successful"}, slices.Collect(maps.Keys(members(t, batch.Body))))
		}},
		{"WIRE-4", "null is an absent member", HTTP, func(t *T) {
			q := t.Standard()
			r := askJSON(t, "SendMessage", `{"QueueUrl":"`+q.URL+`","MessageBody":"b","DelaySeconds":null,"MessageAttributes":null,"MessageSystemAttributes":null,
				"MessageGroupId":null,"MessageDeduplicationId":null}`)
			t.Equal(200, r.Status, r.Body)
			t.Equal([]string{"b"}, q.Bodies(10))
			r = askJSON(t, "SendMessage", `{"QueueUrl":"`+q.URL+`","MessageBody":null}`)
			failsJSON(t, r, 400, framework+"MissingRequiredParameterException", "MissingParameter", "The request must contain the parameter MessageBody.")
			t.Equal(`{}`, askJSON(t, "GetQueueAttributes", `{"QueueUrl":"`+q.URL+`","AttributeNames":null}`).Body)
		}},
		{"WIRE-4", "names are case sensitive, and unknown ones are ignored", HTTP, func(t *T) {
			q := t.Standard()
			r := askJSON(t, "SendMessage", `{"QueueUrl":"`+q.URL+`","MessageBody":"right","messageBody":"wrong","delayseconds":900,"Unknown":[{}]}`)
			t.Equal(200, r.Status, r.Body)
			t.Equal([]string{"right"}, q.Bodies(10))
			r = askJSON(t, "SendMessage", `{"QueueUrl":"`+q.URL+`","messagebody":"b"}`)
			failsJSON(t, r, 400, framework+"MissingRequiredParameterException", "MissingParameter", "The request must contain the parameter MessageBody.")
		}},
		{"WIRE-4", "a member that is given twice is refused", HTTP, func(t *T) {
			q := t.Standard()
			for operation, body := range map[string]string{
				"SendMessage":      `{"MessageBody":"first","QueueUrl":"` + q.URL + `","MessageBody":"last"}`,
				"SendMessageBatch": `{"QueueUrl":"` + q.URL + `","Entries":[{"Id":"a","MessageBody":"first"}],"Entries":[{"Id":"c","MessageBody":"last"}]}`,
				"TagQueue":         `{"QueueUrl":"` + q.URL + `","Tags":{"a":"first","a":"last"}}`,
			} {
				failsJSON(t, askJSON(t, operation, body), 400, framework+"SerializationException", "MalformedInput", "")
			}
			q.Empty()
		}},
		{"WIRE-5", "an error has its type and its text", HTTP, func(t *T) {
			r := askJSON(t, "PurgeQueue", QueueURL{t.Base + "/000000000000/nobody"})
			t.Equal(400, r.Status)
			t.JSONEq(`{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}`, r.Body)
		}},
		{"WIRE-5", "errors that are no shapes of the service have another namespace", HTTP, func(t *T) {
			q := t.Standard()
			r := askJSON(t, "ReceiveMessage", ReceiveMessage{QueueUrl: q.URL, MaxNumberOfMessages: Int(11)})
			failsJSON(t, r, 400, framework+"InvalidParameterValueException", "InvalidParameterValue",
				"Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.")
			r = askJSON(t, "SendMessage", QueueURL{q.URL})
			failsJSON(t, r, 400, framework+"MissingRequiredParameterException", "MissingParameter", "The request must contain the parameter MessageBody.")
		}},
		{"WIRE-6", "a header has the code of the Query protocol", HTTP, func(t *T) {
			q := t.Standard()
			t.NoError(q.Purge())
			failsJSON(t, askJSON(t, "PurgeQueue", QueueURL{q.URL}), 403, modelled+"PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", "")
			failsJSON(t, askJSON(t, "PurgeQueue", QueueURL{"nobody"}), 400, modelled+"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "")
			failsJSON(t, askJSON(t, "DeleteMessage", DeleteMessage{QueueUrl: q.URL, ReceiptHandle: "x"}), 404, modelled+"ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", "")
			failsJSON(t, askJSON(t, "CreateQueue", CreateQueue{QueueName: q.Name, Attributes: Pairs("DelaySeconds", "1")}), 400,
				modelled+"QueueNameExists", "QueueAlreadyExists", "")
		}},
		{"WIRE-6", "a fault of the service is the receiver's", HTTP | Engine, func(t *T) {
			t.NoError(t.Broker.Close())
			r := askJSON(t, "ListQueues", `{}`)
			t.Equal(503, r.Status)
			t.Equal("ServiceUnavailable;Receiver", r.Header.Get("x-amzn-query-error"))
		}},
		{"WIRE-7", "the type has the suffix Exception, the header has not", HTTP, func(t *T) {
			q := t.Standard()
			for body, names := range map[string][2]string{
				`{"QueueUrl":"` + q.URL + `","MessageBody":"b","DelaySeconds":901}`: {"InvalidParameterValueException", "InvalidParameterValue"},
				`{"QueueUrl":"` + q.URL + `"}`:                                      {"MissingRequiredParameterException", "MissingParameter"},
			} {
				failsJSON(t, askJSON(t, "SendMessage", body), 400, framework+names[0], names[1], "")
			}
		}},
		{"WIRE-8", "an unknown target is refused", HTTP, func(t *T) {
			t.Standard()
			for _, target := range []string{"AmazonSQS.Dance", "AmazonSQS.listQueues", "AmazonSQS.", "DynamoDB_20120810.ListTables", "ListQueues"} {
				r := t.Exchange(t.Request("POST", "/", `{}`, "Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", target))
				failsJSON(t, r, 400, framework+"UnknownOperationException", "InvalidAction", "")
			}
			r := t.Exchange(t.Request("POST", "/", `{}`, "Content-Type", "application/x-amz-json-1.0"))
			failsJSON(t, r, 400, framework+"UnknownOperationException", "InvalidAction", "")
		}},
		{"WIRE-8", "what is not JSON is refused", HTTP, func(t *T) {
			for _, body := range []string{`{`, `}`, `{"QueueName":"q"`, `{'QueueName':'q'}`, `{"QueueName":"q"} x`, `QueueName=q`, "{\"QueueName\":\"\xff\"}", `{"QueueName":"\ud800"}`} {
				failsJSON(t, askJSON(t, "CreateQueue", body), 400, framework+"SerializationException", "MalformedInput", "")
			}
			t.JSONEq(`{}`, askJSON(t, "ListQueues", `{}`).Body, "nothing was created")
		}},
		{"WIRE-8", "a member of another type is refused", HTTP, func(t *T) {
			for _, body := range []string{`[]`, `"x"`, `1`, `{"QueueName":1}`, `{"QueueName":["q"]}`, `{"QueueName":"q","Attributes":[]}`, `{"QueueName":"q","tags":{"k":1}}`} {
				failsJSON(t, askJSON(t, "CreateQueue", body), 400, framework+"SerializationException", "MalformedInput", "")
			}
			t.JSONEq(`{}`, askJSON(t, "ListQueues", `{}`).Body, "nothing was created")
		}},
		{"WIRE-9", "statuses are the same in every mode", HTTP, func(t *T) {
			q := t.Standard()
			t.NoError(q.Purge())
			for _, header := range [][]string{nil, {"x-amzn-query-mode", "true"}, {"x-amzn-query-mode", "false"}} {
				failsJSON(t, askJSON(t, "PurgeQueue", QueueURL{q.URL}, header...), 403, modelled+"PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", "")
				failsJSON(t, askJSON(t, "DeleteMessage", DeleteMessage{QueueUrl: q.URL, ReceiptHandle: "x"}, header...), 404,
					modelled+"ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", "")
				failsJSON(t, askJSON(t, "ListMessageMoveTasks", ListMessageMoveTasks{SourceArn: q.ARN() + "-2"}, header...), 404,
					modelled+"ResourceNotFoundException", "ResourceNotFoundException", "")
				failsJSON(t, askJSON(t, "PurgeQueue", QueueURL{"https://sqs.nowhere-9.amazonaws.com/0/q"}, header...), 404, modelled+"InvalidAddress", "InvalidAddress", "")
				failsJSON(t, askJSON(t, "PurgeQueue", QueueURL{"nobody"}, header...), 400, modelled+"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "")
			}
		}},
	},
}
