package suite

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"example.com/inq"
)

// systemAttributes is section 2.3, system attributes on receive.
var systemAttributes = Chapter{
	Tables: map[string]string{"TABLE-SYSTEM-ATTRIBUTES": "System attributes"},
	Differs: map[string]string{
		"TABLE-SYSTEM-ATTRIBUTES": "SenderId is what the message or its queue was given in Go, not who calls: callers are not told apart (MGT-14). All else is as in SQS.",
	},
	Cases: []Case{
		{"TABLE-SYSTEM-ATTRIBUTES", "SenderId is the same for all messages of a sender", 0, func(t *T) {
			q := t.Standard()
			q.Send("m1", "m2")
			ms := q.Receive(2)
			t.NotEmpty(ms[0].Attributes["SenderId"])
			t.Equal(ms[0].Attributes["SenderId"], ms[1].Attributes["SenderId"])
		}},
		{"TABLE-SYSTEM-ATTRIBUTES", "SenderId is what the sender gave", Engine, func(t *T) {
			for _, q := range either(t) {
				queue, err := t.Broker.Queue(q.Name)
				t.NoError(err)
				m := inq.Message{Body: "m", SenderID: "AROAEXAMPLE:me"}
				if q.isFIFO() {
					m.GroupID, m.DeduplicationID = "g", "d"
				}
				_, err = queue.Send(t.Context(), m)
				t.NoError(err)
				t.Equal("AROAEXAMPLE:me", q.One().Attributes["SenderId"])
			}
		}},
		{"TABLE-SYSTEM-ATTRIBUTES", "SentTimestamp is the milliseconds of the send", Time, func(t *T) {
			for _, q := range either(t, "DelaySeconds", "3", "VisibilityTimeout", "1") {
				t.Sleep(1234 * time.Millisecond)
				sent := milliseconds()
				q.SendAny("m")
				t.Sleep(4321 * time.Millisecond)
				t.Equal(sent, q.One().Attributes["SentTimestamp"])
				t.Sleep(time.Second)
				t.Equal(sent, q.One().Attributes["SentTimestamp"])
			}
		}},
		{"TABLE-SYSTEM-ATTRIBUTES", "SentTimestamp stays in a standard dead-letter queue", Time, func(t *T) {
			q, dead := t.Standard("VisibilityTimeout", "1"), t.Standard()
			q.Redrive(dead, 1)
			sent := milliseconds()
			q.Send("m")
			q.One()
			t.Sleep(time.Second)
			q.Empty()
			t.Equal(sent, dead.One().Attributes["SentTimestamp"])
		}},
		{"TABLE-SYSTEM-ATTRIBUTES", "ApproximateReceiveCount counts receives", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				for _, count := range []string{"1", "2", "3"} {
					m := q.One()
					t.Equal(count, m.Attributes["ApproximateReceiveCount"])
					t.NoError(q.Change(m.ReceiptHandle, 0))
				}
			}
		}},
		{"TABLE-SYSTEM-ATTRIBUTES", "ApproximateReceiveCount goes on in the dead-letter queue, without the receive that moved it", 0, func(t *T) {
			for source, dead := range bothWithDead(t) {
				source.SendAny("m")
				t.Equal("1", source.One().Attributes["ApproximateReceiveCount"])
				source.Empty()
				t.Equal("2", dead.One().Attributes["ApproximateReceiveCount"])
			}
		}},
		{"TABLE-SYSTEM-ATTRIBUTES", "ApproximateFirstReceiveTimestamp is the first receive's for good", Time, func(t *T) {
			for source, dead := range bothWithDead(t) {
				t.NoError(source.Set("RedrivePolicy", ""))
				source.SendAny("m")
				t.Sleep(1500 * time.Millisecond)
				first := milliseconds()
				for range 2 {
					t.Equal(first, source.One().Attributes["ApproximateFirstReceiveTimestamp"])
					t.Sleep(time.Second)
				}
				source.Redrive(dead, 1)
				source.Empty()
				t.Equal(first, dead.One().Attributes["ApproximateFirstReceiveTimestamp"])
			}
		}},
		{"TABLE-SYSTEM-ATTRIBUTES", "a FIFO message has its sequence number, group and deduplication id", 0, func(t *T) {
			q := t.FIFO()
			sent, err := q.Post(SendMessage{MessageBody: "m", MessageGroupId: "group", MessageDeduplicationId: "dedup"})
			t.NoError(err)
			a := q.One().Attributes
			t.Equal("group", a["MessageGroupId"])
			t.Equal("dedup", a["MessageDeduplicationId"])
			t.NotEmpty(a["SequenceNumber"])
			t.Equal(sent.SequenceNumber, a["SequenceNumber"])
		}},
		{"TABLE-SYSTEM-ATTRIBUTES", "the deduplication id of content is shown", 0, func(t *T) {
			q := t.FIFO("ContentBasedDeduplication", "true")
			_, err := q.Post(SendMessage{MessageBody: `{"foo": "bar"}`, MessageGroupId: "g"})
			t.NoError(err)
			t.Equal("426fc04f04bf8fdb5831dc37bbb6dcf70f63a37e05a68c6ea5f63e85ae579376", q.One().Attributes["MessageDeduplicationId"])
		}},
		{"TABLE-SYSTEM-ATTRIBUTES", "a standard message has a group only if it was sent with one", 0, func(t *T) {
			q := t.Standard()
			_, err := q.Post(SendMessage{MessageBody: "m1", MessageGroupId: "tenant"})
			t.NoError(err)
			q.Send("m2")
			ms := q.Receive(2)
			t.Equal("tenant", ms[0].Attributes["MessageGroupId"])
			t.NotContains(ms[1].Attributes, "MessageGroupId")
			for _, m := range ms {
				t.NotContains(m.Attributes, "SequenceNumber")
				t.NotContains(m.Attributes, "MessageDeduplicationId")
			}
		}},
		{"TABLE-SYSTEM-ATTRIBUTES", "AWSTraceHeader is what the sender gave, else absent", 0, func(t *T) {
			q := t.Standard()
			_, err := q.Post(SendMessage{MessageBody: "m1", MessageSystemAttributes: map[string]AttributeValue{"AWSTraceHeader": Text("Root=1-2-3")}})
			t.NoError(err)
			q.Send("m2")
			ms := q.Receive(2)
			t.Equal("Root=1-2-3", ms[0].Attributes["AWSTraceHeader"])
			t.NotContains(ms[1].Attributes, "AWSTraceHeader")
		}},
		{"TABLE-SYSTEM-ATTRIBUTES", "AWSTraceHeader comes from the HTTP header where the request does not give it", HTTP, func(t *T) {
			q := t.Standard()
			for _, own := range []string{"", "&MessageSystemAttribute.1.Name=AWSTraceHeader&MessageSystemAttribute.1.Value.DataType=String&MessageSystemAttribute.1.Value.StringValue=own"} {
				reply := t.Exchange(t.Request("POST", "/", "Action=SendMessage&MessageBody=m&QueueUrl="+q.URL+own,
					"Content-Type", "application/x-www-form-urlencoded", "X-Amzn-Trace-Id", "Root=1-5759e988"))
				t.Equal(200, reply.Status, reply.Body)
			}
			ms := q.Receive(2)
			t.Equal("Root=1-5759e988", ms[0].Attributes["AWSTraceHeader"])
			t.Equal("own", ms[1].Attributes["AWSTraceHeader"])
		}},
		{"TABLE-SYSTEM-ATTRIBUTES", "DeadLetterQueueSourceArn is there only in a dead-letter queue", 0, func(t *T) {
			for source, dead := range bothWithDead(t) {
				source.SendAny("m")
				t.NotContains(source.One().Attributes, "DeadLetterQueueSourceArn")
				source.Empty()
				t.Equal(source.ARN(), dead.One().Attributes["DeadLetterQueueSourceArn"])
			}
		}},
		{"SYS-1", "names that do not apply are left out", Members, func(t *T) {
			q := t.Standard()
			q.Send("m")
			ms, err := q.Take(ReceiveMessage{MessageSystemAttributeNames: []string{"SequenceNumber", "ApproximateReceiveCount", "AWSTraceHeader", "MessageDeduplicationId"}})
			t.NoError(err)
			t.Len(ms, 1)
			t.Equal(StringMap{"ApproximateReceiveCount": "1"}, ms[0].Attributes)
		}},
		{"SYS-1", "Attributes is left out where nothing was asked for, or nothing applies", Members, func(t *T) {
			q := t.Standard("VisibilityTimeout", "0")
			q.Send("m")
			for _, names := range [][]string{nil, {"SequenceNumber", "MessageGroupId", "DeadLetterQueueSourceArn"}} {
				ms, err := q.Take(ReceiveMessage{MessageSystemAttributeNames: names})
				t.NoError(err)
				t.Len(ms, 1)
				t.Nil(ms[0].Attributes)
			}
		}},
		{"SYS-2", "All on a standard queue gives four attributes", Members, func(t *T) {
			q := t.Standard()
			q.Send("m")
			t.Equal(alwaysPresent(), slices.Sorted(maps.Keys(q.One().Attributes)))
		}},
		{"SYS-2", "All gives those besides that the message has", Members, func(t *T) {
			q, dead := t.Standard("VisibilityTimeout", "0"), t.Standard()
			q.Redrive(dead, 1)
			_, err := q.Post(SendMessage{
				MessageBody: "m", MessageGroupId: "tenant", MessageSystemAttributes: map[string]AttributeValue{"AWSTraceHeader": Text("Root=1-2-3")},
			})
			t.NoError(err)
			t.Equal(alwaysPresent("AWSTraceHeader", "MessageGroupId"), slices.Sorted(maps.Keys(q.One().Attributes)))
			q.Empty()
			t.Equal(alwaysPresent("AWSTraceHeader", "DeadLetterQueueSourceArn", "MessageGroupId"), slices.Sorted(maps.Keys(dead.One().Attributes)))
		}},
	},
}

// milliseconds is the time of the case as messages tell it.
func milliseconds() string { return strconv.FormatInt(time.Now().UnixMilli(), 10) }

// alwaysPresent are the system attributes every message has, and more, in order.
func alwaysPresent(more ...string) []string {
	return slices.Sorted(slices.Values(append(more, "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "SenderId", "SentTimestamp")))
}

// bothWithDead are a queue of each type, whose messages are moved to its dead-letter queue at
// their second receive, with that.
func bothWithDead(t *T) map[*Q]*Q {
	t.Helper()
	queues := map[*Q]*Q{}
	dead := either(t)
	for i, q := range either(t, "VisibilityTimeout", "0") {
		q.Redrive(dead[i], 1)
		queues[q] = dead[i]
	}
	return queues
}
