package suite

import (
	"maps"
	"slices"
	"strconv"
)

// operation is a row of the table of operations.
type operation struct {
	name     string
	required []string // members of the request
	members  []string // members of the answer, optional ones included

	// ask prepares the service and returns a request of each protocol that has all these members in
	// its answer.
	ask func(t *T) (in map[string]any, form []string)
}

// elementsOf are the elements of an XML answer for members that are lists or maps.
var elementsOf = map[string]string{
	"Attributes": "Attribute", "QueueUrls": "QueueUrl", "queueUrls": "QueueUrl", "Tags": "Tag", "Messages": "Message",
	"Results": "ListMessageMoveTasksResultEntry", "Failed": "BatchResultErrorEntry",
}

// operations is section 9.3.
var operations = Chapter{
	Tables: map[string]string{"TABLE-OPERATIONS": "The 23 operations of section 9.3, their required members and what they answer"},
	Cases:  slices.Concat(operationCases(), failureCases),
}

func operationCases() (cases []Case) {
	for _, o := range operationTable {
		cases = append(cases,
			Case{"TABLE-OPERATIONS", o.name + " in JSON", HTTP, o.inJSON},
			Case{"TABLE-OPERATIONS", o.name + " in Query", HTTP, o.inQuery})
		if o.required != nil {
			cases = append(cases, Case{"TABLE-OPERATIONS", o.name + " without a required member", HTTP, o.incomplete})
		}
		if slices.Contains(o.required, "QueueUrl") {
			cases = append(cases, Case{"TABLE-OPERATIONS", o.name + " on a queue that is not there", HTTP, o.astray})
		}
	}
	return cases
}

func (o operation) inJSON(t *T) {
	in, _ := o.ask(t)
	r := askJSON(t, o.name, in)
	t.Equal(200, r.Status, r.Body)
	if o.name == "SetQueueAttributes" || o.name == "DeleteQueue" { // (SQS: CAP-16)
		t.Empty(r.Body)
		return
	}
	t.ElementsMatch(o.members, slices.Collect(maps.Keys(members(t, r.Body))))
}

func (o operation) inQuery(t *T) {
	_, form := o.ask(t)
	r := askQuery(t, "/", append(form, "Action", o.name)...)
	t.Equal(200, r.Status, r.Body)
	response := readXML(t, r.Body)
	t.Equal(o.name+"Response", response.XMLName.Local)
	if o.members == nil {
		t.Equal([]string{"ResponseMetadata"}, response.names())
		return
	}
	t.Equal([]string{o.name + "Result", "ResponseMetadata"}, response.names())
	var want []string
	for _, name := range o.members {
		switch element := elementsOf[name]; {
		case name == "Successful":
			want = append(want, o.name+"ResultEntry")
		case element != "":
			want = append(want, element)
		default:
			want = append(want, name)
		}
	}
	names := response.Inner[0].names()
	slices.Sort(names)
	t.ElementsMatch(want, slices.Compact(names))
}

// incomplete leaves out one required member at a time.
func (o operation) incomplete(t *T) {
	in, _ := o.ask(t)
	for _, name := range o.required {
		code := "MissingParameter"
		switch name {
		case "Entries": // (SQS: BAT-1)
			code = "AWS.SimpleQueueService.EmptyBatchRequest"
		case "QueueName":
			if o.name == "CreateQueue" { // (SQS: NAM-0)
				code = "InvalidParameterValue"
			}
		}
		r := askJSON(t, o.name, without(in, name))
		t.Equal(400, r.Status, name)
		t.Equal(code+";Sender", r.Header.Get("x-amzn-query-error"), name)
		if code == "MissingParameter" {
			t.Equal("The request must contain the parameter "+name+".", members(t, r.Body)["message"])
		}
	}
}

// astray names a queue that does not exist, and one of another region.
func (o operation) astray(t *T) {
	in, form := o.ask(t)
	form = append(form, "Action", o.name)
	at := slices.Index(form, "QueueUrl") + 1
	in["QueueUrl"], form[at] = "nobody", "nobody"
	failsJSON(t, askJSON(t, o.name, in), 400, modelled+"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
	failsQuery(t, askQuery(t, "/", form...), 400, "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist for this wsdl version.")
	const elsewhere = "https://sqs.nowhere-9.amazonaws.com/000000000000/queue-1"
	in["QueueUrl"], form[at] = elsewhere, elsewhere
	failsJSON(t, askJSON(t, o.name, in), 404, modelled+"InvalidAddress", "InvalidAddress", "")
	failsQuery(t, askQuery(t, "/", form...), 404, "InvalidAddress", "")
}

// onQueue is a request that names a queue, and the parameters that say the same.
func onQueue(q *Q, form ...string) (map[string]any, []string) {
	return map[string]any{"QueueUrl": q.URL}, append(form, "QueueUrl", q.URL)
}

// with adds members to a request.
func with(in map[string]any, form []string, more map[string]any) (map[string]any, []string) {
	maps.Copy(in, more)
	return in, form
}

// busy is a queue and the receipt handle of its message.
func busy(t *T) (q *Q, handle string) {
	t.Helper()
	q = t.Standard()
	q.Send("b")
	return q, q.One().ReceiptHandle
}

// moving is a dead-letter queue with a task that moves too slowly to end within a test, and the
// handle of that task.
func moving(t *T) (dead *Q, handle string) {
	t.Helper()
	dead = t.Standard()
	t.Standard().Redrive(dead, 1)
	for i := range 100 {
		dead.Send(strconv.Itoa(i))
	}
	var out TaskHandle
	t.Must("StartMessageMoveTask", StartMessageMoveTask{SourceArn: dead.ARN(), DestinationArn: t.Standard().ARN(), MaxNumberOfMessagesPerSecond: Int(1)}, &out)
	return dead, out.TaskHandle
}

var operationTable = []operation{
	{"AddPermission", []string{"QueueUrl", "Label", "AWSAccountIds", "Actions"}, nil, func(t *T) (map[string]any, []string) {
		in, form := onQueue(t.Standard(), "Label", "l", "AWSAccountId.1", "111111111111", "ActionName.1", "SendMessage")
		return with(in, form, map[string]any{"Label": "l", "AWSAccountIds": []string{"111111111111"}, "Actions": []string{"SendMessage"}})
	}},
	{"CancelMessageMoveTask", []string{"TaskHandle"}, []string{"ApproximateNumberOfMessagesMoved"}, func(t *T) (map[string]any, []string) {
		_, handle := moving(t)
		return map[string]any{"TaskHandle": handle}, []string{"TaskHandle", handle}
	}},
	{"ChangeMessageVisibility", []string{"QueueUrl", "ReceiptHandle", "VisibilityTimeout"}, nil, func(t *T) (map[string]any, []string) {
		q, handle := busy(t)
		in, form := onQueue(q, "ReceiptHandle", handle, "VisibilityTimeout", "60")
		return with(in, form, map[string]any{"ReceiptHandle": handle, "VisibilityTimeout": 60})
	}},
	{"ChangeMessageVisibilityBatch", []string{"QueueUrl", "Entries"}, []string{"Successful", "Failed"}, func(t *T) (map[string]any, []string) {
		q, handle := busy(t)
		entry := "ChangeMessageVisibilityBatchRequestEntry."
		in, form := onQueue(q, entry+"1.Id", "a", entry+"1.ReceiptHandle", handle, entry+"1.VisibilityTimeout", "60",
			entry+"2.Id", "b", entry+"2.ReceiptHandle", "nonsense", entry+"2.VisibilityTimeout", "60")
		return with(in, form, map[string]any{"Entries": []any{
			map[string]any{"Id": "a", "ReceiptHandle": handle, "VisibilityTimeout": 60}, map[string]any{"Id": "b", "ReceiptHandle": "nonsense", "VisibilityTimeout": 60},
		}})
	}},
	{"CreateQueue", []string{"QueueName"}, []string{"QueueUrl"}, func(t *T) (map[string]any, []string) {
		return map[string]any{"QueueName": "q", "Attributes": Pairs("DelaySeconds", "1"), "tags": Pairs("k", "v")},
			[]string{"QueueName", "q", "Attribute.1.Name", "DelaySeconds", "Attribute.1.Value", "1", "Tag.1.Key", "k", "Tag.1.Value", "v"}
	}},
	{"DeleteMessage", []string{"QueueUrl", "ReceiptHandle"}, nil, func(t *T) (map[string]any, []string) {
		q, handle := busy(t)
		in, form := onQueue(q, "ReceiptHandle", handle)
		return with(in, form, map[string]any{"ReceiptHandle": handle})
	}},
	{"DeleteMessageBatch", []string{"QueueUrl", "Entries"}, []string{"Successful", "Failed"}, func(t *T) (map[string]any, []string) {
		q, handle := busy(t)
		entry := "DeleteMessageBatchRequestEntry."
		in, form := onQueue(q, entry+"1.Id", "a", entry+"1.ReceiptHandle", handle, entry+"2.Id", "b", entry+"2.ReceiptHandle", "nonsense")
		return with(in, form, map[string]any{"Entries": []any{map[string]any{"Id": "a", "ReceiptHandle": handle}, map[string]any{"Id": "b", "ReceiptHandle": "nonsense"}}})
	}},
	{"DeleteQueue", []string{"QueueUrl"}, nil, func(t *T) (map[string]any, []string) { return onQueue(t.Standard()) }},
	{"GetQueueAttributes", []string{"QueueUrl"}, []string{"Attributes"}, func(t *T) (map[string]any, []string) {
		in, form := onQueue(t.Standard(), "AttributeName.1", "All")
		return with(in, form, map[string]any{"AttributeNames": []string{"All"}})
	}},
	{"GetQueueUrl", []string{"QueueName"}, []string{"QueueUrl"}, func(t *T) (map[string]any, []string) {
		q := t.Standard()
		return map[string]any{"QueueName": q.Name}, []string{"QueueName", q.Name}
	}},
	{"ListDeadLetterSourceQueues", []string{"QueueUrl"}, []string{"queueUrls", "NextToken"}, func(t *T) (map[string]any, []string) {
		dead := t.Standard()
		t.Standard().Redrive(dead, 1)
		t.Standard().Redrive(dead, 1)
		in, form := onQueue(dead, "MaxResults", "1")
		return with(in, form, map[string]any{"MaxResults": 1})
	}},
	{"ListMessageMoveTasks", []string{"SourceArn"}, []string{"Results"}, func(t *T) (map[string]any, []string) {
		dead, _ := moving(t)
		arn := dead.ARN()
		return map[string]any{"SourceArn": arn, "MaxResults": 10}, []string{"SourceArn", arn, "MaxResults", "10"}
	}},
	{"ListQueues", nil, []string{"QueueUrls", "NextToken"}, func(t *T) (map[string]any, []string) {
		t.Standard()
		t.Standard()
		return map[string]any{"QueueNamePrefix": "queue", "MaxResults": 1}, []string{"QueueNamePrefix", "queue", "MaxResults", "1"}
	}},
	{"ListQueueTags", []string{"QueueUrl"}, []string{"Tags"}, func(t *T) (map[string]any, []string) {
		q := t.Standard()
		t.NoError(tag(q, "k", "v"))
		return onQueue(q)
	}},
	{"PurgeQueue", []string{"QueueUrl"}, nil, func(t *T) (map[string]any, []string) { return onQueue(t.Standard()) }},
	{"ReceiveMessage", []string{"QueueUrl"}, []string{"Messages"}, func(t *T) (map[string]any, []string) {
		q := t.Standard()
		q.Send("b")
		return onQueue(q)
	}},
	{"RemovePermission", []string{"QueueUrl", "Label"}, nil, func(t *T) (map[string]any, []string) {
		q := t.Standard()
		t.NoError(grant(q, "l", []string{"111111111111"}, "SendMessage"))
		in, form := onQueue(q, "Label", "l")
		return with(in, form, map[string]any{"Label": "l"})
	}},
	{
		"SendMessage", []string{"QueueUrl", "MessageBody"},
		[]string{"MessageId", "MD5OfMessageBody", "MD5OfMessageAttributes", "MD5OfMessageSystemAttributes", "SequenceNumber"},
		func(t *T) (map[string]any, []string) {
			in, form := onQueue(t.FIFO(), "MessageBody", "b", "MessageGroupId", "g", "MessageDeduplicationId", "d",
				"MessageAttribute.1.Name", "k", "MessageAttribute.1.Value.DataType", "String", "MessageAttribute.1.Value.StringValue", "x",
				"MessageSystemAttribute.1.Name", "AWSTraceHeader", "MessageSystemAttribute.1.Value.DataType", "String",
				"MessageSystemAttribute.1.Value.StringValue", traceVector)
			return with(in, form, map[string]any{
				"MessageBody": "b", "MessageGroupId": "g", "MessageDeduplicationId": "d", "MessageAttributes": map[string]any{"k": Text("x")},
				"MessageSystemAttributes": map[string]any{"AWSTraceHeader": Text(traceVector)},
			})
		},
	},
	{"SendMessageBatch", []string{"QueueUrl", "Entries"}, []string{"Successful", "Failed"}, func(t *T) (map[string]any, []string) {
		entry := "SendMessageBatchRequestEntry."
		in, form := onQueue(t.Standard(), entry+"1.Id", "a", entry+"1.MessageBody", "b", entry+"2.Id", "b", entry+"2.MessageBody", "\x01")
		return with(in, form, map[string]any{"Entries": []any{map[string]any{"Id": "a", "MessageBody": "b"}, map[string]any{"Id": "b", "MessageBody": "\x01"}}})
	}},
	{"SetQueueAttributes", []string{"QueueUrl", "Attributes"}, nil, func(t *T) (map[string]any, []string) {
		in, form := onQueue(t.Standard(), "Attribute.1.Name", "DelaySeconds", "Attribute.1.Value", "1")
		return with(in, form, map[string]any{"Attributes": Pairs("DelaySeconds", "1")})
	}},
	{"StartMessageMoveTask", []string{"SourceArn"}, []string{"TaskHandle"}, func(t *T) (map[string]any, []string) {
		dead := t.Standard()
		t.Standard().Redrive(dead, 1)
		arn := dead.ARN()
		return map[string]any{"SourceArn": arn}, []string{"SourceArn", arn}
	}},
	{"TagQueue", []string{"QueueUrl", "Tags"}, nil, func(t *T) (map[string]any, []string) {
		in, form := onQueue(t.Standard(), "Tag.1.Key", "k", "Tag.1.Value", "v")
		return with(in, form, map[string]any{"Tags": Pairs("k", "v")})
	}},
	{"UntagQueue", []string{"QueueUrl", "TagKeys"}, nil, func(t *T) (map[string]any, []string) {
		in, form := onQueue(t.Standard(), "TagKey.1", "k")
		return with(in, form, map[string]any{"TagKeys": []string{"k"}})
	}},
}

// failureCases are about the entries of Failed.
var failureCases = []Case{
	{"TABLE-OPERATIONS", "a failed entry has an id, a fault, a code and a text", HTTP, func(t *T) {
		q := t.Standard()
		failed := members(t, askJSON(t, "DeleteMessageBatch", Batch[DeleteMessage]{q.URL, []DeleteMessage{{Id: "a", ReceiptHandle: "nonsense"}}}).Body)["Failed"].([]any)
		t.Equal(map[string]any{
			"Id": "a", "SenderFault": true, "Code": "ReceiptHandleIsInvalid", "Message": `The input receipt handle "nonsense" is not a valid receipt handle.`,
		}, failed[0])
		entry := "DeleteMessageBatchRequestEntry.1."
		result := readXML(t, askQuery(t, q.URL, "Action", "DeleteMessageBatch", entry+"Id", "a", entry+"ReceiptHandle", "nonsense").Body).Inner[0].all("BatchResultErrorEntry")
		t.Len(result, 1)
		t.ElementsMatch([]string{"Id", "SenderFault", "Code", "Message"}, result[0].names())
		t.Equal("a", result[0].text("Id"))
		t.Equal("true", result[0].text("SenderFault"))
		t.Equal("ReceiptHandleIsInvalid", result[0].text("Code"))
	}},
	{"TABLE-OPERATIONS", "codes of failed entries are those of Query", Members, func(t *T) {
		q := t.Standard()
		out, err := q.SendBatch(SendMessage{MessageBody: "b", DelaySeconds: Int(901)}, SendMessage{MessageBody: "\x01"}, SendMessage{}, SendMessage{MessageBody: "b"})
		t.NoError(err)
		t.Len(out.Failed, 3)
		t.Failed(out.Failed[0], "0", "InvalidParameterValue")
		t.Failed(out.Failed[1], "1", "InvalidMessageContents")
		t.Failed(out.Failed[2], "2", "EmptyValue")
		t.Len(out.Successful, 1)
	}},
}
