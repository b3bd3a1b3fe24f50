package suite

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// errorVocabulary is section 0, the vocabulary of errors.
var errorVocabulary = Chapter{
	Tables: map[string]string{
		"TABLE-ERRORS":        "Vocabulary of errors: codes, shapes and statuses",
		"TABLE-ERRORS-UNUSED": "Vocabulary of errors: throttling, keys, security, access, and what SQS itself does not use",
	},
	Differs: map[string]string{
		"TABLE-ERRORS-UNUSED": "Requests are not authenticated and policies are not evaluated, so that InvalidSecurity does not occur; " +
			"AccessDenied is for GET requests that a server does not allow, and RequestThrottled for large requests that find no room beside others. " +
			"Nothing is encrypted: a key is only kept and shown, and no error of KMS occurs. " +
			"MessageNotInflight has no occasion (VIS-6); InvalidIdFormat is deprecated.",
	},
	Cases: []Case{
		{"TABLE-ERRORS", "each refusal has its code", Texts, func(t *T) {
			for _, row := range errorRows(t) {
				t.Refused(t.Call(row.operation, row.in, nil), row.code, "")
			}
		}},
		{"TABLE-ERRORS", "each refusal has its shape and status in JSON", HTTP | JSON, func(t *T) {
			for _, row := range errorRows(t) {
				f := faultOverJSON(t, row.operation, row.in)
				t.Equal(row.status, f.status, row.code)
				t.Equal(row.shape, f.shape, row.code)
				t.Equal(row.code+";Sender", f.header, row.code)
			}
		}},
		{"TABLE-ERRORS", "each refusal has its code and status in Query", HTTP | Query, func(t *T) {
			for _, row := range errorRows(t) {
				f := faultOverQuery(t, row.operation, row.query)
				t.Equal(row.status, f.status, row.code)
				t.Equal(row.code, f.code)
				t.Equal("Sender", f.side, row.code)
			}
			f := faultOverQuery(t, "FlyToTheMoon", "")
			t.Equal(http.StatusBadRequest, f.status)
			t.Equal("InvalidAction", f.code)
		}},
		{"TABLE-ERRORS-UNUSED", "calls in quick succession with a key that nobody knows succeed", 0, func(t *T) {
			q := t.Standard("KmsMasterKeyId", "alias/nobody", "Policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"SQS:*","Resource":"*"}]}`)
			for range 50 {
				q.Send("x")
				q.DeleteAll(q.One())
			}
		}},

		{"ERR-1", "the shapes of the two most frequent errors end in Exception, the codes do not", HTTP | JSON, func(t *T) {
			q := t.Standard()
			f := faultOverJSON(t, "SendMessage", SendMessage{QueueUrl: q.URL, MessageBody: "x", DelaySeconds: Int(901)})
			t.Equal("com.amazon.coral.service#InvalidParameterValueException", f.typ)
			t.Equal("InvalidParameterValue;Sender", f.header)
			f = faultOverJSON(t, "SendMessage", map[string]string{"QueueUrl": q.URL})
			t.Equal("com.amazon.coral.service#MissingRequiredParameterException", f.typ)
			t.Equal("MissingParameter;Sender", f.header)
		}},
		{"ERR-1", "Query has the codes without Exception", HTTP | Query, func(t *T) {
			q := t.Standard()
			at := "QueueUrl=" + url.QueryEscape(q.URL)
			t.Equal("InvalidParameterValue", faultOverQuery(t, "SendMessage", at+"&MessageBody=x&DelaySeconds=901").code)
			t.Equal("MissingParameter", faultOverQuery(t, "SendMessage", at).code)
		}},

		{"ERR-2", "a queue that does not exist", Account, func(t *T) {
			text := "The specified queue does not exist."
			if t.Has(Query) {
				text = "The specified queue does not exist for this wsdl version."
			}
			q := t.Standard()
			t.NoError(q.Drop())
			const code = "AWS.SimpleQueueService.NonExistentQueue"
			t.Refused(t.Call("GetQueueUrl", GetQueueURL{QueueName: "nowhere"}, nil), code, text)
			for operation, in := range map[string]any{
				"SendMessage":                  SendMessage{QueueUrl: q.URL, MessageBody: "x"},
				"SendMessageBatch":             Batch[SendMessage]{q.URL, []SendMessage{{Id: "a", MessageBody: "x"}}},
				"ReceiveMessage":               ReceiveMessage{QueueUrl: q.URL},
				"DeleteMessage":                DeleteMessage{QueueUrl: q.URL, ReceiptHandle: "x"},
				"DeleteMessageBatch":           Batch[DeleteMessage]{q.URL, []DeleteMessage{{Id: "a", ReceiptHandle: "x"}}},
				"ChangeMessageVisibility":      ChangeMessageVisibility{QueueUrl: q.URL, ReceiptHandle: "x", VisibilityTimeout: Int(1)},
				"ChangeMessageVisibilityBatch": Batch[ChangeMessageVisibility]{q.URL, []ChangeMessageVisibility{{Id: "a", ReceiptHandle: "x", VisibilityTimeout: Int(1)}}},
				"PurgeQueue":                   QueueURL{q.URL},
				"DeleteQueue":                  QueueURL{q.URL},
				"GetQueueAttributes":           GetQueueAttributes{QueueUrl: q.URL},
				"SetQueueAttributes":           SetQueueAttributes{q.URL, Pairs("DelaySeconds", "1")},
				"ListQueueTags":                QueueURL{q.URL},
				"TagQueue":                     TagQueue{q.URL, StringMap{"a": "b"}},
				"UntagQueue":                   UntagQueue{q.URL, []string{"a"}},
				"ListDeadLetterSourceQueues":   ListDeadLetterSourceQueues{QueueUrl: q.URL},
			} {
				t.Refused(t.Call(operation, in, nil), code, text)
			}
		}},

		{"ERR-3", "a missing required member is named", Texts | Unchecked, func(t *T) {
			q := t.Standard()
			for _, c := range []struct{ operation, missing string }{
				{"SendMessage", "MessageBody"}, {"DeleteMessage", "ReceiptHandle"}, {"ChangeMessageVisibility", "ReceiptHandle"},
				{"SetQueueAttributes", "Attributes"}, {"TagQueue", "Tags"}, {"UntagQueue", "TagKeys"}, {"RemovePermission", "Label"},
			} {
				if c.missing == "Attributes" && t.Has(Query) { // where an empty map is no map (SQS: CAP-1)
					c.missing = "Attribute.Name"
				}
				t.Refused(t.Call(c.operation, QueueURL{q.URL}, nil), "MissingParameter", "The request must contain the parameter "+c.missing+".")
			}
			err := t.Call("ChangeMessageVisibility", map[string]string{"QueueUrl": q.URL, "ReceiptHandle": "x"}, nil)
			t.Refused(err, "MissingParameter", "The request must contain the parameter VisibilityTimeout.")
			for _, operation := range []string{"SendMessage", "ReceiveMessage", "PurgeQueue", "DeleteMessageBatch"} {
				t.Refused(t.Call(operation, map[string]string{}, nil), "MissingParameter", "The request must contain the parameter QueueUrl.")
			}
		}},
		{"ERR-3", "an empty body is a missing one", 0, func(t *T) {
			_, err := t.Standard().Post(SendMessage{MessageBody: ""})
			t.Refused(err, "MissingParameter", "The request must contain the parameter MessageBody.")
		}},

		{"ERR-4", "a parameter out of range is told with its value and the reason", 0, func(t *T) {
			q := t.Standard()
			_, err := q.Post(SendMessage{MessageBody: "x", DelaySeconds: Int(901)})
			t.Refused(err, "InvalidParameterValue", "Value 901 for parameter DelaySeconds is invalid. Reason: ...")
			_, err = q.Take(ReceiveMessage{WaitTimeSeconds: Int(-1)})
			t.Refused(err, "InvalidParameterValue", "Value -1 for parameter WaitTimeSeconds is invalid. Reason: ...")
			q.Send("x")
			t.Refused(q.Change(q.One().ReceiptHandle, 43201), "InvalidParameterValue", "Value 43201 for parameter VisibilityTimeout is invalid. Reason: ...")
		}},
		{"ERR-4", "a queue attribute out of range", Account, func(t *T) {
			t.Refused(t.Standard().Set("DelaySeconds", "901"), "InvalidAttributeValue", "Invalid value for the parameter DelaySeconds.")
			err := t.Call("CreateQueue", CreateQueue{QueueName: "q", Attributes: Pairs("MaximumMessageSize", "1023")}, nil)
			t.Refused(err, "InvalidAttributeValue", "Invalid value for the parameter MaximumMessageSize.")
		}},
		{"ERR-4", "a queue attribute that SQS does not have or that does not apply", Account, func(t *T) {
			q := t.Standard()
			t.Refused(q.Set("Colour", "red"), "InvalidAttributeName", "Unknown Attribute Colour.")
			t.Refused(q.Set("ContentBasedDeduplication", "true"), "InvalidAttributeName", "Unknown Attribute ContentBasedDeduplication.")
			err := t.Call("CreateQueue", CreateQueue{QueueName: "q", Attributes: Pairs("Colour", "red")}, nil)
			t.Refused(err, "InvalidAttributeName", "Unknown Attribute Colour.")
		}},

		{"ERR-5", "the sender is at fault for each failed entry of each batch", Members, func(t *T) {
			q := t.Standard()
			sent, err := q.SendBatch(SendMessage{MessageBody: ""}, SendMessage{MessageBody: "\x01"})
			t.NoError(err)
			t.Len(sent.Failed, 2)
			var deleted DeleteBatchResult
			t.Must("DeleteMessageBatch", Batch[DeleteMessage]{q.URL, []DeleteMessage{{Id: "a", ReceiptHandle: "x"}}}, &deleted)
			t.Len(deleted.Failed, 1)
			var changed VisibilityBatchResult
			t.Must("ChangeMessageVisibilityBatch", Batch[ChangeMessageVisibility]{q.URL, []ChangeMessageVisibility{{Id: "a", ReceiptHandle: "x", VisibilityTimeout: Int(1)}}}, &changed)
			t.Len(changed.Failed, 1)
			for _, f := range append(append(sent.Failed, deleted.Failed...), changed.Failed...) {
				t.True(f.SenderFault, f.Code)
			}
		}},
	},
}

// errorRow is one row of the vocabulary, and a request that is refused so.
type errorRow struct {
	shape, code string
	status      int
	operation   string
	in          any
	query       string // in, as parameters
}

// errorRows has the rows that occur, in an order in which none disturbs another.
func errorRows(t *T) []errorRow {
	q, gone := t.Standard(), t.Standard()
	t.NoError(gone.Drop())
	t.NoError(q.Purge())
	at := "QueueUrl=" + url.QueryEscape(q.URL)
	var eleven []DeleteMessage
	elevenQuery := at
	for i := range 11 {
		eleven = append(eleven, DeleteMessage{Id: fmt.Sprint(i), ReceiptHandle: "x"})
		elevenQuery += fmt.Sprintf("&DeleteMessageBatchRequestEntry.%d.Id=%[1]d&DeleteMessageBatchRequestEntry.%[1]d.ReceiptHandle=x", i+1)
	}
	const entry = "&SendMessageBatchRequestEntry."
	batch := func(entries ...SendMessage) Batch[SendMessage] { return Batch[SendMessage]{q.URL, entries} }
	long := strings.Repeat("x", 1<<20+1)
	const strange = "https://sqs.mars-north-1.amazonaws.com/123456789012/q"
	const prefix = "AWS.SimpleQueueService."
	return []errorRow{
		{"QueueDoesNotExist", prefix + "NonExistentQueue", 400, "GetQueueUrl", GetQueueURL{"nowhere"}, "QueueName=nowhere"},
		{"QueueNameExists", "QueueAlreadyExists", 400, "CreateQueue", CreateQueue{QueueName: q.Name, Attributes: Pairs("DelaySeconds", "1")},
			"QueueName=" + q.Name + "&Attribute.1.Name=DelaySeconds&Attribute.1.Value=1"},
		{"QueueDeletedRecently", prefix + "QueueDeletedRecently", 400, "CreateQueue", CreateQueue{QueueName: gone.Name}, "QueueName=" + gone.Name},
		{"PurgeQueueInProgress", prefix + "PurgeQueueInProgress", 403, "PurgeQueue", QueueURL{q.URL}, at},
		{"EmptyBatchRequest", prefix + "EmptyBatchRequest", 400, "SendMessageBatch", batch([]SendMessage{}...), at},
		{"TooManyEntriesInBatchRequest", prefix + "TooManyEntriesInBatchRequest", 400, "DeleteMessageBatch", Batch[DeleteMessage]{q.URL, eleven}, elevenQuery},
		{"BatchEntryIdsNotDistinct", prefix + "BatchEntryIdsNotDistinct", 400, "SendMessageBatch", batch(SendMessage{Id: "a", MessageBody: "x"}, SendMessage{Id: "a", MessageBody: "x"}),
			at + entry + "1.Id=a" + entry + "1.MessageBody=x" + entry + "2.Id=a" + entry + "2.MessageBody=x"},
		{"InvalidBatchEntryId", prefix + "InvalidBatchEntryId", 400, "SendMessageBatch", batch(SendMessage{Id: "!", MessageBody: "x"}), at + entry + "1.Id=!" + entry + "1.MessageBody=x"},
		{"BatchRequestTooLong", prefix + "BatchRequestTooLong", 400, "SendMessageBatch", batch(SendMessage{Id: "a", MessageBody: long}), at + entry + "1.Id=a" + entry + "1.MessageBody=" + long},
		{"ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 404, "DeleteMessage", DeleteMessage{QueueUrl: q.URL, ReceiptHandle: "x"}, at + "&ReceiptHandle=x"},
		{"ResourceNotFoundException", "ResourceNotFoundException", 404, "StartMessageMoveTask", StartMessageMoveTask{SourceArn: q.ARN() + "-2"}, "SourceArn=" + q.ARN() + "-2"},
		{"InvalidAddress", "InvalidAddress", 404, "GetQueueAttributes", GetQueueAttributes{QueueUrl: strange}, "QueueUrl=" + url.QueryEscape(strange)},
		{"OverLimit", "OverLimit", 403, "AddPermission", AddPermission{q.URL, "l", []string{"123456789012"}, []string{
			"SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl", "PurgeQueue", "ListDeadLetterSourceQueues",
		}}, at + "&Label=l&AWSAccountId.1=123456789012&ActionName.1=SendMessage&ActionName.2=ReceiveMessage&ActionName.3=DeleteMessage" +
			"&ActionName.4=ChangeMessageVisibility&ActionName.5=GetQueueAttributes&ActionName.6=GetQueueUrl&ActionName.7=PurgeQueue&ActionName.8=ListDeadLetterSourceQueues"},
		{"InvalidAttributeName", "InvalidAttributeName", 400, "GetQueueAttributes", GetQueueAttributes{q.URL, []string{"Colour"}}, at + "&AttributeName.1=Colour"},
		{"InvalidAttributeValue", "InvalidAttributeValue", 400, "SetQueueAttributes", SetQueueAttributes{q.URL, Pairs("DelaySeconds", "901")},
			at + "&Attribute.1.Name=DelaySeconds&Attribute.1.Value=901"},
		{"InvalidMessageContents", "InvalidMessageContents", 400, "SendMessage", SendMessage{QueueUrl: q.URL, MessageBody: "\x01"}, at + "&MessageBody=%01"},
		{"InvalidParameterValueException", "InvalidParameterValue", 400, "ReceiveMessage", ReceiveMessage{QueueUrl: q.URL, MaxNumberOfMessages: Int(11)}, at + "&MaxNumberOfMessages=11"},
		{"MissingRequiredParameterException", "MissingParameter", 400, "SendMessage", SendMessage{QueueUrl: q.URL}, at},
	}
}

// wireFault is a refusal as it goes over the wire.
type wireFault struct {
	status             int
	typ, shape, header string // JSON: __type, what stands behind its #, and x-amzn-query-error
	code, side         string // Query
}

func faultOverJSON(t *T, operation string, in any) wireFault {
	t.Helper()
	text, err := json.Marshal(in)
	t.NoError(err)
	r := t.Exchange(t.Request(http.MethodPost, "/", string(text), "Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "AmazonSQS."+operation))
	var body struct {
		Type string `json:"__type"`
	}
	t.NoError(json.Unmarshal([]byte(r.Body), &body), r.Body)
	_, shape, _ := strings.Cut(body.Type, "#")
	return wireFault{status: r.Status, typ: body.Type, shape: shape, header: r.Header.Get("x-amzn-query-error")}
}

func faultOverQuery(t *T, action, parameters string) wireFault {
	t.Helper()
	r := t.Exchange(t.Request(http.MethodPost, "/", "Action="+action+"&"+parameters, "Content-Type", "application/x-www-form-urlencoded"))
	var body struct {
		Error struct{ Type, Code string }
	}
	t.NoError(xml.Unmarshal([]byte(r.Body), &body), r.Body)
	return wireFault{status: r.Status, code: body.Error.Code, side: body.Error.Type}
}
