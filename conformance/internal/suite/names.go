package suite

import (
	"fmt"
	"strings"
)

// queueNames is section 1.2, names and ids.
var queueNames = Chapter{
	Tables: map[string]string{"TABLE-NAMES": "Names and ids: characters and lengths"},
	Cases: []Case{
		{"TABLE-NAMES", "queue names of each character and of 80 characters", 0, func(t *T) {
			for _, name := range []string{"a", "0", "-", "_", nameCharacters, xs(80)} {
				q := t.Create(name)
				t.True(strings.HasSuffix(q.ARN(), ":"+name), q.ARN())
			}
			for _, base := range []string{"a", nameCharacters, xs(75)} {
				q := t.Create(base+".fifo", "FifoQueue", "true")
				t.True(strings.HasSuffix(q.ARN(), ":"+base+".fifo"), q.ARN())
			}
		}},
		{"TABLE-NAMES", "queue names are case sensitive", 0, func(t *T) {
			upper, lower := t.Create("Orders"), t.Create("orders")
			upper.Send("x")
			lower.Empty()
			t.Equal("x", upper.One().Body)
			t.Refused(t.Call("GetQueueUrl", GetQueueURL{"ORDERS"}, nil), "AWS.SimpleQueueService.NonExistentQueue", "")
		}},
		{"TABLE-NAMES", "ids of entries of each character and of 80 characters", Members, func(t *T) {
			out, err := t.Standard().SendBatch(
				SendMessage{Id: nameCharacters, MessageBody: "x"}, SendMessage{Id: xs(80), MessageBody: "x"}, SendMessage{Id: "a", MessageBody: "x"}, SendMessage{Id: "A", MessageBody: "x"},
			)
			t.NoError(err)
			t.Equal([]string{nameCharacters, xs(80), "a", "A"}, []string{out.Successful[0].Id, out.Successful[1].Id, out.Successful[2].Id, out.Successful[3].Id})
		}},
		{"TABLE-NAMES", "group, deduplication and attempt ids of each character and of 128 characters", 0, func(t *T) {
			for _, id := range []string{"!", "~", idCharacters, xs(128)} {
				q := t.FIFO()
				_, err := q.Post(SendMessage{MessageBody: "x", MessageGroupId: id, MessageDeduplicationId: id})
				t.NoError(err)
				ms, err := q.Take(ReceiveMessage{ReceiveRequestAttemptId: id, MessageSystemAttributeNames: []string{"All"}})
				t.NoError(err)
				t.Len(ms, 1)
				t.Equal(id, ms[0].Attributes["MessageGroupId"])
				t.Equal(id, ms[0].Attributes["MessageDeduplicationId"])
			}
		}},
		{"TABLE-NAMES", "attempt ids of other characters or lengths are refused", 0, func(t *T) {
			q := t.FIFO()
			for _, id := range badIDs {
				_, err := q.Take(ReceiveMessage{ReceiveRequestAttemptId: id})
				t.Refused(err, "InvalidParameterValue", "Value "+id+" for parameter ReceiveRequestAttemptId is invalid. Reason: "+
					"ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
			}
		}},
		{"TABLE-NAMES", "message ids, receipt handles and sequence numbers", 0, func(t *T) {
			for _, q := range []*Q{t.Standard(), t.FIFO()} {
				m := SendMessage{MessageBody: "x"}
				if q.isFIFO() {
					m.MessageGroupId, m.MessageDeduplicationId = "g", "d"
				}
				sent, err := q.Post(m)
				t.NoError(err)
				t.Regexp(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`, sent.MessageId)
				if m.MessageGroupId != "" {
					t.Regexp(`^\d{20}$`, sent.SequenceNumber)
				} else {
					t.Empty(sent.SequenceNumber)
				}
				got := q.One()
				t.Equal(sent.MessageId, got.MessageId)
				t.Equal(sent.SequenceNumber, got.Attributes["SequenceNumber"])
				t.NotEmpty(got.ReceiptHandle)
				t.LessOrEqual(len(got.ReceiptHandle), 1024)
			}
		}},
		{"TABLE-NAMES", "labels of permissions", Texts, func(t *T) {
			q := t.Standard()
			add := func(label string) error {
				return t.Call("AddPermission", AddPermission{q.URL, label, []string{"123456789012"}, []string{"SendMessage"}}, nil)
			}
			t.NoError(add(nameCharacters))
			t.NoError(add(xs(80)))
			for _, label := range []string{xs(81), "a b", "a.b", "ä"} {
				t.Refused(add(label), "InvalidParameterValue", "")
			}
		}},
		{"TABLE-NAMES", "tags of each character and of full length", Account, func(t *T) {
			q := t.Standard()
			tags := StringMap{
				"aZ09 _.:/=+-@": "aZ09 _.:/=+-@", "äλ漢٣": "äλ漢٣", strings.Repeat("ä", 128): strings.Repeat("ä", 256),
				"case": "1", "Case": "2", "empty": "", "x aws:": "aws:x",
			}
			t.Must("TagQueue", TagQueue{q.URL, tags}, nil)
			var out TagQueue
			t.Must("ListQueueTags", QueueURL{q.URL}, &out)
			t.Equal(tags, out.Tags)
		}},
		{"TABLE-NAMES", "tags of other characters or lengths are refused", Account, func(t *T) {
			q := t.Standard()
			for key, value := range map[string]string{
				"": "x", xs(129): "x", "a": xs(257), "aws:x": "x", "AWS:x": "x", "a!": "x", "b": "#", "c\x01": "x", "d\U0001f600": "x",
			} {
				t.Refused(t.Call("TagQueue", TagQueue{q.URL, StringMap{key: value}}, nil), "InvalidParameterValue", "")
				err := t.Call("CreateQueue", CreateQueue{QueueName: "other", Tags: Pairs(key, value)}, nil)
				t.Refused(err, "InvalidParameterValue", "")
			}
			var out TagQueue
			t.Must("ListQueueTags", QueueURL{q.URL}, &out)
			t.Empty(out.Tags)
		}},
		{"TABLE-NAMES", "a queue has 50 tags at most", Account, func(t *T) {
			q := t.Standard()
			tags := StringMap{}
			for i := range 50 {
				tags[fmt.Sprint(i)] = "x"
			}
			t.Must("TagQueue", TagQueue{q.URL, tags}, nil)
			t.Refused(t.Call("TagQueue", TagQueue{q.URL, StringMap{"one more": "x"}}, nil), "InvalidParameterValue", "Too many tags added for queue "+q.Name+".")
			t.Must("TagQueue", TagQueue{q.URL, StringMap{"7": "y"}}, nil)
		}},

		{"NAM-0", "no name", Unchecked | Account, func(t *T) {
			err := t.Call("CreateQueue", map[string]any{}, nil)
			t.Refused(err, "InvalidParameterValue", "Value for parameter QueueName is invalid. Reason: Must specify a queue name.")
		}},
		{"NAM-0", "an empty name", Account, func(t *T) {
			t.Refused(t.Call("CreateQueue", CreateQueue{QueueName: ""}, nil), "InvalidParameterValue", "Queue name cannot be empty")
		}},
		{"NAM-1", "bad names of standard queues", Account, func(t *T) {
			for _, name := range []string{xs(81), "a b", "a.b", "a/b", "a:b", "ä", "queue.fifo", ".fifo", "a\n"} {
				err := t.Call("CreateQueue", CreateQueue{QueueName: name}, nil)
				t.Refused(err, "InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
			}
		}},
		{"NAM-2", "bad names of FIFO queues", Account, func(t *T) {
			for _, name := range []string{"queue", "queue.FIFO", ".fifo", "a.b.fifo", "a b.fifo", "queuefifo", "queue.fifo.fifo", xs(76) + ".fifo"} {
				err := t.Call("CreateQueue", CreateQueue{QueueName: name, Attributes: Pairs("FifoQueue", "true")}, nil)
				t.Refused(err, "InvalidParameterValue", "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "+
					"must end with .fifo suffix and be 1 to 80 in length")
			}
		}},

		{"NAM-3", "bad group ids, on both types", 0, func(t *T) {
			for _, q := range []*Q{t.Standard(), t.FIFO("ContentBasedDeduplication", "true")} {
				for _, id := range badIDs {
					_, err := q.Post(SendMessage{MessageBody: "x", MessageGroupId: id})
					t.Refused(err, "InvalidParameterValue", "Value "+id+" for parameter MessageGroupId is invalid. Reason: "+
						"MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
				}
				q.Empty()
			}
		}},
		{"NAM-3", "bad deduplication ids", 0, func(t *T) {
			q := t.FIFO()
			for _, id := range badIDs {
				_, err := q.Post(SendMessage{MessageBody: "x", MessageGroupId: "g", MessageDeduplicationId: id})
				t.Refused(err, "InvalidParameterValue", "Value "+id+" for parameter MessageDeduplicationId is invalid. Reason: "+
					"MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
			}
			q.Empty()
		}},
		{"NAM-3", "an empty id is a bad one", Members, func(t *T) {
			const reason = " can only include alphanumeric and punctuation characters. 1 to 128 in length."
			q, f := t.Standard(), t.FIFO("ContentBasedDeduplication", "true")
			err := t.Call("SendMessage", map[string]string{"QueueUrl": q.URL, "MessageBody": "x", "MessageGroupId": ""}, nil)
			t.Refused(err, "InvalidParameterValue", "Value  for parameter MessageGroupId is invalid. Reason: MessageGroupId"+reason)
			err = t.Call("SendMessage", map[string]string{"QueueUrl": f.URL, "MessageBody": "x", "MessageGroupId": ""}, nil)
			t.Refused(err, "InvalidParameterValue", "Value  for parameter MessageGroupId is invalid. Reason: MessageGroupId"+reason)
			err = t.Call("SendMessage", map[string]string{"QueueUrl": f.URL, "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": ""}, nil)
			t.Refused(err, "InvalidParameterValue", "Value  for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId"+reason)
			err = t.Call("ReceiveMessage", map[string]string{"QueueUrl": f.URL, "ReceiveRequestAttemptId": ""}, nil)
			t.Refused(err, "InvalidParameterValue", "Value  for parameter ReceiveRequestAttemptId is invalid. Reason: ReceiveRequestAttemptId"+reason)
		}},

		{"NAM-4", "bad ids of entries, in each batch", Members, func(t *T) {
			const code, text = "AWS.SimpleQueueService.InvalidBatchEntryId",
				"A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
			q := t.Standard()
			q.Send("x")
			handle := q.One().ReceiptHandle
			for _, id := range []string{"", xs(81), "a b", "a.b", "a/b", "ä", "!"} {
				err := t.Call("SendMessageBatch", map[string]any{"QueueUrl": q.URL, "Entries": []any{
					Pairs("Id", "fine", "MessageBody", "y"), Pairs("Id", id, "MessageBody", "y"),
				}}, nil)
				t.Refused(err, code, text)
				err = t.Call("DeleteMessageBatch", map[string]any{"QueueUrl": q.URL, "Entries": []any{Pairs("Id", id, "ReceiptHandle", handle)}}, nil)
				t.Refused(err, code, text)
				err = t.Call("ChangeMessageVisibilityBatch", map[string]any{"QueueUrl": q.URL, "Entries": []any{
					map[string]any{"Id": id, "ReceiptHandle": handle, "VisibilityTimeout": 0},
				}}, nil)
				t.Refused(err, code, text)
			}
			t.Equal([3]int{0, 1, 0}, q.Counts())
		}},
	},
}

// nameCharacters are those of queue names, labels and ids of entries: 64.
const nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// idCharacters are those of the ids of messages: 94.
const idCharacters = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"

// badIDs are what group, deduplication and attempt ids cannot be.
var badIDs = []string{" ", "a b", "a\t", "a\n", "a\x7f", "ä", "a\u00a0b", xs(129)}

// xs is a text of n bytes.
func xs(n int) string { return strings.Repeat("x", n) }
