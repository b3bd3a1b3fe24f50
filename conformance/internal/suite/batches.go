package suite

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// batches is section 1.4, batches.
var batches = Chapter{
	Cases: []Case{
		{"BAT-1", "one entry and ten, in each batch", 0, func(t *T) {
			for _, n := range []int{1, 10} {
				q := t.Standard()
				sent, err := q.SendBatch(numbered(n)...)
				t.NoError(err)
				t.Len(sent.Successful, n)
				var changes []ChangeMessageVisibility
				var deletes []DeleteMessage
				for i, m := range q.Receive(n) {
					id := strconv.Itoa(i)
					changes = append(changes, ChangeMessageVisibility{Id: id, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: Int(60)})
					deletes = append(deletes, DeleteMessage{Id: id, ReceiptHandle: m.ReceiptHandle})
				}
				var changed VisibilityBatchResult
				t.Must("ChangeMessageVisibilityBatch", Batch[ChangeMessageVisibility]{q.URL, changes}, &changed)
				t.Len(changed.Successful, n)
				var deleted DeleteBatchResult
				t.Must("DeleteMessageBatch", Batch[DeleteMessage]{q.URL, deletes}, &deleted)
				t.Len(deleted.Successful, n)
				t.Equal([3]int{}, q.Counts())
			}
		}},
		{"BAT-1", "no entry", 0, func(t *T) {
			q := t.Standard()
			for operation, in := range map[string]any{
				"SendMessage":             Batch[SendMessage]{q.URL, []SendMessage{}},
				"DeleteMessage":           Batch[DeleteMessage]{q.URL, []DeleteMessage{}},
				"ChangeMessageVisibility": Batch[ChangeMessageVisibility]{q.URL, []ChangeMessageVisibility{}},
			} {
				t.Refused(t.Call(operation+"Batch", in, nil), "AWS.SimpleQueueService.EmptyBatchRequest",
					"There should be at least one "+operation+"BatchRequestEntry in the request.")
			}
		}},
		{"BAT-1", "eleven entries and more", 0, func(t *T) {
			q := t.Standard()
			q.Send("x")
			handle := q.One().ReceiptHandle
			for _, n := range []int{11, 25} {
				var changes []ChangeMessageVisibility
				var deletes []DeleteMessage
				for i := range n {
					id := strconv.Itoa(i)
					changes = append(changes, ChangeMessageVisibility{Id: id, ReceiptHandle: handle, VisibilityTimeout: Int(0)})
					deletes = append(deletes, DeleteMessage{Id: id, ReceiptHandle: handle})
				}
				for operation, in := range map[string]any{
					"SendMessageBatch":             Batch[SendMessage]{q.URL, numbered(n)},
					"DeleteMessageBatch":           Batch[DeleteMessage]{q.URL, deletes},
					"ChangeMessageVisibilityBatch": Batch[ChangeMessageVisibility]{q.URL, changes},
				} {
					t.Refused(t.Call(operation, in, nil), "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
						fmt.Sprintf("Maximum number of entries per request are 10. You have sent %d.", n))
				}
			}
			t.Equal([3]int{0, 1, 0}, q.Counts())
		}},

		{"BAT-2", "the first id that is seen again is told, in each batch", Members, func(t *T) {
			q := t.Standard()
			for ids, repeated := range map[string]string{"1221": "2", "aba": "a", "abcb": "b", "xx": "x"} {
				var sends []SendMessage
				var changes []ChangeMessageVisibility
				var deletes []DeleteMessage
				for _, id := range strings.Split(ids, "") {
					sends = append(sends, SendMessage{Id: id, MessageBody: "x"})
					changes = append(changes, ChangeMessageVisibility{Id: id, ReceiptHandle: "x", VisibilityTimeout: Int(0)})
					deletes = append(deletes, DeleteMessage{Id: id, ReceiptHandle: "x"})
				}
				for operation, in := range map[string]any{
					"SendMessageBatch":             Batch[SendMessage]{q.URL, sends},
					"DeleteMessageBatch":           Batch[DeleteMessage]{q.URL, deletes},
					"ChangeMessageVisibilityBatch": Batch[ChangeMessageVisibility]{q.URL, changes},
				} {
					t.Refused(t.Call(operation, in, nil), "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id "+repeated+" repeated.")
				}
			}
			q.Empty()
		}},

		{"BAT-3", "1 MiB in sum, attributes included", 0, func(t *T) {
			for _, q := range []*Q{t.Standard(), t.FIFO()} {
				entries := numbered(9)
				for i := range entries {
					entries[i].MessageBody = xs(100_000)
				}
				rest := 1<<20 - 900_000
				entries = append(entries, SendMessage{MessageBody: xs(rest - 11), MessageAttributes: valued("name", Text("v"))})
				addressed(q, entries)
				out, err := q.SendBatch(entries...)
				t.NoError(err)
				t.Len(out.Successful, 10)
			}
		}},
		{"BAT-3", "one byte more", 0, func(t *T) {
			for _, q := range []*Q{t.Standard(), t.FIFO()} {
				entries := []SendMessage{
					{MessageBody: xs(1 << 19)}, {MessageBody: xs(1<<19 - 11), MessageAttributes: valued("name", Text("v1"))},
				}
				addressed(q, entries)
				_, err := q.SendBatch(entries...)
				t.Refused(err, "AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.")
				q.Empty()
			}
		}},
		{"BAT-3", "one entry alone", 0, func(t *T) {
			q := t.Standard()
			_, err := q.SendBatch(SendMessage{MessageBody: xs(1<<20 + 1)})
			t.Refused(err, "AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.")
			q.Empty()
		}},
		{"BAT-3", "the maximum size of a message is not the bound", 0, func(t *T) {
			q := t.Standard("MaximumMessageSize", "1024")
			entries := numbered(10)
			for i := range entries {
				entries[i].MessageBody = xs(1024)
			}
			out, err := q.SendBatch(entries...)
			t.NoError(err)
			t.Len(out.Successful, 10)
			_, err = q.SendBatch(SendMessage{MessageBody: xs(1 << 20)}, SendMessage{MessageBody: "x"})
			t.Refused(err, "AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.")
			t.Equal([3]int{10, 0, 0}, q.Counts())
		}},

		{"BAT-4", "entries beyond the maximum size of a message", 0, func(t *T) {
			q := t.Standard("MaximumMessageSize", "1024")
			out, err := q.SendBatch(
				SendMessage{MessageBody: xs(1025)}, SendMessage{MessageBody: xs(1024)}, SendMessage{MessageBody: xs(1014), MessageAttributes: valued("name", Text("v"))},
			)
			t.NoError(err)
			t.Len(out.Failed, 2)
			for i, id := range []string{"0", "2"} {
				t.Failed(out.Failed[i], id, "InvalidParameterValue")
				if t.Has(Texts) {
					t.Equal("One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.", out.Failed[i].Message)
				}
			}
			t.Equal([]string{xs(1024)}, q.Bodies(10))
		}},

		{"BAT-5", "invalid characters, on both types", 0, func(t *T) {
			for _, q := range []*Q{t.Standard(), t.FIFO()} {
				entries := []SendMessage{{MessageBody: "a"}, {MessageBody: "\x00"}, {MessageBody: "c"}, {MessageBody: "d\uffff"}}
				addressed(q, entries)
				out, err := q.SendBatch(entries...)
				t.NoError(err)
				t.Len(out.Successful, 2)
				t.Len(out.Failed, 2)
				t.Failed(out.Failed[0], "1", "InvalidMessageContents")
				t.Failed(out.Failed[1], "3", "InvalidMessageContents")
				t.Equal([]string{"a", "c"}, q.Bodies(10))
			}
		}},
		{"BAT-5", "each other fault of an entry fails it alone", 0, func(t *T) {
			q := t.Standard("MaximumMessageSize", "1024")
			for _, faults := range [][]SendMessage{
				{
					{MessageBody: xs(1025)}, {MessageBody: "x", DelaySeconds: Int(901)}, {MessageBody: "x", DelaySeconds: Int(-1)},
					{MessageBody: "x", MessageGroupId: "a b"}, {MessageBody: "x", MessageDeduplicationId: "d"},
					{MessageBody: "x", MessageAttributes: valued("a!", Text("x"))}, {MessageBody: "x", MessageAttributes: valued("a", AttributeValue{DataType: "Text", StringValue: "x"})},
					{MessageBody: "x", MessageAttributes: valued("a", Text("\x00"))}, {MessageBody: "x", MessageAttributes: valued("a", AttributeValue{DataType: "Number", StringValue: "one"})},
				},
				{
					{MessageBody: "x", MessageAttributes: valued("a", AttributeValue{DataType: "String"})}, {MessageBody: "x", MessageAttributes: valued("a", AttributeValue{StringValue: "x"})},
					{MessageBody: "x", MessageAttributes: valued("a", AttributeValue{DataType: "Binary", StringValue: "x"})},
					{MessageBody: "x", MessageAttributes: map[string]AttributeValue{
						"a": Text("x"), "b": Text("x"), "c": Text("x"), "d": Text("x"), "e": Text("x"), "f": Text("x"), "g": Text("x"), "h": Text("x"), "i": Text("x"), "j": Text("x"), "k": Text("x"),
					}},
				},
			} {
				out, err := q.SendBatch(append(faults, SendMessage{MessageBody: "fine"})...)
				t.NoError(err)
				t.Len(out.Successful, 1)
				t.Equal(strconv.Itoa(len(faults)), out.Successful[0].Id)
				t.Len(out.Failed, len(faults))
				for i, f := range out.Failed {
					t.Failed(f, strconv.Itoa(i), "InvalidParameterValue")
				}
				t.Equal([]string{"fine"}, q.Bodies(10))
			}
		}},
		{"BAT-5", "a fault of an entry fails it alone when visibility is changed", 0, func(t *T) {
			q := t.Standard()
			q.Send("fine", "late", "gone")
			ms := q.Receive(3)
			q.DeleteAll(ms[2])
			var out VisibilityBatchResult
			t.Must("ChangeMessageVisibilityBatch", Batch[ChangeMessageVisibility]{q.URL, []ChangeMessageVisibility{
				{Id: "late", ReceiptHandle: ms[1].ReceiptHandle, VisibilityTimeout: Int(43201)}, {Id: "gone", ReceiptHandle: ms[2].ReceiptHandle, VisibilityTimeout: Int(1)},
				{Id: "no", ReceiptHandle: "x", VisibilityTimeout: Int(1)}, {Id: "fine", ReceiptHandle: ms[0].ReceiptHandle, VisibilityTimeout: Int(0)},
			}}, &out)
			t.Equal([]Done{{"fine"}}, out.Successful)
			t.Len(out.Failed, 3)
			t.Failed(out.Failed[0], "late", "InvalidParameterValue")
			t.Failed(out.Failed[1], "gone", "ReceiptHandleIsInvalid") // (SQS: CAP-9)
			t.Failed(out.Failed[2], "no", "ReceiptHandleIsInvalid")
			t.Equal([]string{"fine"}, q.Bodies(10))
		}},
		{"BAT-5", "a fault of an entry fails it alone when messages are deleted", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "a")
			q.SendTo("h", "b")
			ms := q.Receive(2)
			t.NoError(q.Change(ms[0].ReceiptHandle, 0))
			var out DeleteBatchResult
			t.Must("DeleteMessageBatch", Batch[DeleteMessage]{q.URL, []DeleteMessage{
				{Id: "lapsed", ReceiptHandle: ms[0].ReceiptHandle}, {Id: "no", ReceiptHandle: "x"}, {Id: "fine", ReceiptHandle: ms[1].ReceiptHandle},
			}}, &out)
			t.Equal([]Done{{"fine"}}, out.Successful)
			t.Len(out.Failed, 2)
			t.Failed(out.Failed[0], "lapsed", "ReceiptHandleIsInvalid") // (SQS: CAP-8)
			t.Failed(out.Failed[1], "no", "ReceiptHandleIsInvalid")
			t.Equal([3]int{1, 0, 0}, q.Counts())
		}},

		{"BAT-6", "what fails the request stores nothing", 0, func(t *T) {
			q := t.Standard()
			_, err := q.SendBatch(numbered(11)...)
			t.Refused(err, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "")
			_, err = q.SendBatch(SendMessage{MessageBody: "x"}, SendMessage{MessageBody: xs(1 << 20)})
			t.Refused(err, "AWS.SimpleQueueService.BatchRequestTooLong", "")
			t.Equal([3]int{}, q.Counts())
		}},
		{"BAT-6", "a bad or repeated id stores nothing", Members, func(t *T) {
			q := t.Standard()
			_, err := q.SendBatch(SendMessage{Id: "a", MessageBody: "x"}, SendMessage{Id: "a", MessageBody: "x"})
			t.Refused(err, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "")
			_, err = q.SendBatch(SendMessage{Id: "a", MessageBody: "x"}, SendMessage{Id: "b!", MessageBody: "x"})
			t.Refused(err, "AWS.SimpleQueueService.InvalidBatchEntryId", "")
			t.Equal([3]int{}, q.Counts())
		}},
		{"BAT-6", "it is told before a fault of an entry", 0, func(t *T) {
			q := t.Standard()
			_, err := q.SendBatch(SendMessage{MessageBody: ""}, SendMessage{MessageBody: "\x00", DelaySeconds: Int(901)}, SendMessage{MessageBody: xs(1 << 20)})
			t.Refused(err, "AWS.SimpleQueueService.BatchRequestTooLong", "")
		}},

		{"BAT-7", "an id that is missing fails a FIFO batch", 0, func(t *T) {
			q := t.FIFO()
			good := SendMessage{MessageBody: "x", MessageGroupId: "g", MessageDeduplicationId: "d"}
			_, err := q.SendBatch(good, SendMessage{MessageBody: "x", MessageGroupId: "g"})
			t.Refused(err, "InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
			_, err = q.SendBatch(good, SendMessage{MessageBody: "x", MessageDeduplicationId: "e"})
			t.Refused(err, "InvalidParameterValue", "The request must contain the parameter MessageGroupId.")
			t.Equal([3]int{}, q.Counts())
		}},
		{"BAT-7", "a delay or too many bytes fail a FIFO batch", 0, func(t *T) {
			q := t.FIFO("MaximumMessageSize", "1024", "ContentBasedDeduplication", "true")
			good := SendMessage{MessageBody: "x", MessageGroupId: "g"}
			_, err := q.SendBatch(good, SendMessage{MessageBody: "y", MessageGroupId: "g", DelaySeconds: Int(1)})
			t.Refused(err, "InvalidParameterValue", "")
			_, err = q.SendBatch(good, SendMessage{MessageBody: xs(1025), MessageGroupId: "g"})
			t.Refused(err, "InvalidParameterValue", "")
			t.Equal([3]int{}, q.Counts())
			out, err := q.SendBatch(good, SendMessage{MessageBody: xs(1024), MessageGroupId: "g"})
			t.NoError(err)
			t.Len(out.Successful, 2)
		}},

		{"BAT-8", "results follow the request", 0, func(t *T) {
			q := t.Standard()
			entries := numbered(10)
			for i := 1; i < 10; i += 3 {
				entries[i].MessageBody = "\x00"
			}
			out, err := q.SendBatch(entries...)
			t.NoError(err)
			var successful, failed []string
			for _, s := range out.Successful {
				successful = append(successful, s.Id)
			}
			for _, f := range out.Failed {
				failed = append(failed, f.Id)
			}
			t.Equal([]string{"0", "2", "3", "5", "6", "8", "9"}, successful)
			t.Equal([]string{"1", "4", "7"}, failed)
			for i, m := range q.Receive(7) {
				t.Equal(out.Successful[i].MessageId, m.MessageId)
			}
		}},
		{"BAT-8", "an empty list is left out of each answer in JSON", HTTP | JSON, func(t *T) {
			q := t.Standard()
			for want, good := range map[string]bool{"Successful": true, "Failed": false} {
				for operation, in := range eachBatch(q, good) {
					r := askJSON(t, operation, in)
					t.Equal(http.StatusOK, r.Status, operation)
					var lists map[string][]json.RawMessage
					t.NoError(json.Unmarshal([]byte(r.Body), &lists))
					t.Len(lists, 1, operation)
					t.Len(lists[want], 1, operation)
				}
			}
		}},
		{"BAT-8", "an empty list is left out of each answer in Query", HTTP | Query, func(t *T) {
			q := t.Standard()
			for good, element := range map[bool]string{true: "ResultEntry", false: "BatchResultErrorEntry"} {
				for operation, in := range eachBatch(q, good) {
					want := element
					if good {
						want = operation + element
					}
					var parameters []string
					for name, value := range in["Entries"].([]map[string]any)[0] {
						parameters = append(parameters, operation+"RequestEntry.1."+name, fmt.Sprint(value))
					}
					t.Equal([]string{want}, ok(t, q.URL, append(parameters, "Action", operation)...).names())
				}
			}
		}},
		{"BAT-8", "a batch of which every entry failed succeeds", 0, func(t *T) {
			q := t.Standard()
			out, err := q.SendBatch(SendMessage{MessageBody: ""}, SendMessage{MessageBody: "\x00"})
			t.NoError(err)
			t.Empty(out.Successful)
			t.Len(out.Failed, 2)
			var deleted DeleteBatchResult
			t.Must("DeleteMessageBatch", Batch[DeleteMessage]{q.URL, []DeleteMessage{{Id: "a", ReceiptHandle: "x"}}}, &deleted)
			t.Empty(deleted.Successful)
			t.Len(deleted.Failed, 1)
		}},
	},
}

// eachBatch has a request of each batch operation, with one entry that is good, or one that fails.
func eachBatch(q *Q, good bool) map[string]map[string]any {
	q.t.Helper()
	body, handles := "\x01", []string{"nonsense", "nonsense"}
	if good {
		q.Send("a", "b")
		ms := q.Receive(2)
		body, handles = "b", []string{ms[0].ReceiptHandle, ms[1].ReceiptHandle}
	}
	batch := func(entry map[string]any) map[string]any {
		entry["Id"] = "a"
		return map[string]any{"QueueUrl": q.URL, "Entries": []map[string]any{entry}}
	}
	return map[string]map[string]any{
		"SendMessageBatch":             batch(map[string]any{"MessageBody": body}),
		"DeleteMessageBatch":           batch(map[string]any{"ReceiptHandle": handles[0]}),
		"ChangeMessageVisibilityBatch": batch(map[string]any{"ReceiptHandle": handles[1], "VisibilityTimeout": 60}),
	}
}

// numbered are n entries with the bodies 0, 1, ...
func numbered(n int) (entries []SendMessage) {
	for i := range n {
		entries = append(entries, SendMessage{Id: strconv.Itoa(i), MessageBody: strconv.Itoa(i)})
	}
	return entries
}

// addressed fills in what a FIFO queue demands, if q is one.
func addressed(q *Q, entries []SendMessage) {
	if !q.isFIFO() {
		return
	}
	for i := range entries {
		entries[i].MessageGroupId, entries[i].MessageDeduplicationId = "g", strconv.Itoa(i)
	}
}
