package suite

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"
)

// receiving is section 3, receive.
var receiving = Chapter{
	Cases: []Case{
		{"RCV-1", "1 message by default, and up to 10", 0, func(t *T) {
			q := t.Standard("VisibilityTimeout", "0")
			q.Send("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11")
			ms, err := q.Take(ReceiveMessage{})
			t.NoError(err)
			t.Len(ms, 1)
			ms, err = q.Take(ReceiveMessage{MaxNumberOfMessages: Int(10)})
			t.NoError(err)
			t.Len(ms, 10)
		}},
		{"RCV-1", "other numbers are refused", 0, func(t *T) {
			q := t.Standard()
			q.Send("m")
			for _, n := range []int{-1, 11} {
				_, err := q.Take(ReceiveMessage{MaxNumberOfMessages: Int(n)})
				t.Refused(err, "InvalidParameterValue", outOfRange(n, "MaxNumberOfMessages", "Must be between 1 and 10, if provided."))
			}
			t.Equal([3]int{1, 0, 0}, q.Counts())
		}},
		{"RCV-1", "an explicit 0 is refused", Zeros | Members, func(t *T) {
			_, err := t.Standard().Take(ReceiveMessage{MaxNumberOfMessages: Int(0)})
			t.Refused(err, "InvalidParameterValue", outOfRange(0, "MaxNumberOfMessages", "Must be between 1 and 10, if provided."))
		}},
		{"RCV-2", "a wait of 20 seconds is allowed, one out of range is not", 0, func(t *T) {
			q := t.Standard()
			q.Send("m")
			for _, n := range []int{-1, 21} {
				_, err := q.Take(ReceiveMessage{WaitTimeSeconds: Int(n)})
				t.Refused(err, "InvalidParameterValue", outOfRange(n, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided."))
			}
			ms, err := q.Take(ReceiveMessage{WaitTimeSeconds: Int(20)})
			t.NoError(err)
			t.Len(ms, 1)
		}},
		{"RCV-3", "a timeout of 12 hours is allowed, one out of range is not", 0, func(t *T) {
			q := t.Standard()
			q.Send("m")
			for _, n := range []int{-1, 43201} {
				_, err := q.Take(ReceiveMessage{VisibilityTimeout: Int(n)})
				t.Refused(err, "InvalidParameterValue", outOfRange(n, "VisibilityTimeout", "Must be >= 0 and <= 43200, if provided."))
			}
			ms, err := q.Take(ReceiveMessage{VisibilityTimeout: Int(43200)})
			t.NoError(err)
			t.Len(ms, 1)
		}},
		{"RCV-4", "without a wait of its own a receive waits as long as the queue says", Time, func(t *T) {
			q := t.Standard("ReceiveMessageWaitTimeSeconds", "3")
			for _, wait := range []struct {
				own  *int
				took time.Duration
			}{{nil, 3 * time.Second}, {Int(5), 5 * time.Second}} {
				p := <-q.Poll(ReceiveMessage{WaitTimeSeconds: wait.own})
				t.NoError(p.Err)
				t.Empty(p.Messages)
				t.Equal(wait.took, p.Took)
			}
		}},
		{"RCV-4", "an explicit 0 does not wait", Time | Zeros, func(t *T) {
			p := <-t.Standard("ReceiveMessageWaitTimeSeconds", "3").Poll(ReceiveMessage{WaitTimeSeconds: Int(0)})
			t.NoError(p.Err)
			t.Empty(p.Messages)
			t.Zero(p.Took)
		}},
		{"RCV-4", "the wait of the queue is enough to get a message sent later", 0, func(t *T) {
			q := t.Standard("ReceiveMessageWaitTimeSeconds", "20")
			poll := q.Poll(ReceiveMessage{})
			q.Send("m")
			p := <-poll
			t.NoError(p.Err)
			t.Equal([]string{"m"}, Bodies(p.Messages))
		}},
		{"RCV-5", "with messages ready a long poll returns at once, with fewer than asked for", Time, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m1", "m2", "m3")
				p := <-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20), MaxNumberOfMessages: Int(10)})
				t.NoError(p.Err)
				t.Equal([]string{"m1", "m2", "m3"}, Bodies(p.Messages))
				t.Zero(p.Took)
			}
		}},
		{"RCV-5", "one message sent ends a long poll for ten", Time, func(t *T) {
			for _, q := range either(t) {
				poll := q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20), MaxNumberOfMessages: Int(10)})
				t.Sleep(4 * time.Second)
				q.SendAny("m1")
				t.Wait()
				q.SendAny("m2")
				p := <-poll
				t.NoError(p.Err)
				t.Equal([]string{"m1"}, Bodies(p.Messages))
				t.Equal(4*time.Second, p.Took)
			}
		}},
		{"RCV-5", "a timeout ends a long poll", Time, func(t *T) {
			for _, q := range either(t, "VisibilityTimeout", "6") {
				q.SendAny("m")
				q.One()
				p := <-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
				t.NoError(p.Err)
				t.Equal([]string{"m"}, Bodies(p.Messages))
				t.Equal(6*time.Second, p.Took)
			}
		}},
		{"RCV-5", "a long poll that finds nothing ends when its time is over", Time, func(t *T) {
			for _, q := range either(t) {
				p := <-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
				t.NoError(p.Err)
				t.Empty(p.Messages)
				t.Equal(20*time.Second, p.Took)
			}
		}},
		{"RCV-5", "a message sent meanwhile ends a long poll", 0, func(t *T) {
			for _, q := range either(t) {
				poll := q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
				q.SendAny("m")
				p := <-poll
				t.NoError(p.Err)
				t.Equal([]string{"m"}, Bodies(p.Messages))
			}
		}},
		{"RCV-5", "a message made visible ends a long poll", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				m := q.One()
				poll := q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
				t.NoError(q.Change(m.ReceiptHandle, 0))
				p := <-poll
				t.NoError(p.Err)
				t.Equal([]string{"m"}, Bodies(p.Messages))
			}
		}},
		{"RCV-5", "a message that is no longer delayed ends a long poll", 0, func(t *T) {
			q := t.FIFO("DelaySeconds", "900")
			q.SendTo("g", "m")
			poll := q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
			t.NoError(q.Set("DelaySeconds", "0"))
			p := <-poll
			t.NoError(p.Err)
			t.Equal([]string{"m"}, Bodies(p.Messages))
		}},
		{"RCV-5", "an unlocked group ends a long poll", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1", "m2")
			m := q.One()
			poll := q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
			q.DeleteAll(m)
			p := <-poll
			t.NoError(p.Err)
			t.Equal([]string{"m2"}, Bodies(p.Messages))
		}},
		{"RCV-5", "a long poll that was given up takes no message", Time, func(t *T) {
			q := t.Standard()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				done <- t.Service.API.Call(ctx, "ReceiveMessage", ReceiveMessage{QueueUrl: q.URL, WaitTimeSeconds: Int(20)}, nil)
			}()
			t.Wait()
			cancel()
			t.ErrorIs(<-done, context.Canceled)
			q.Send("m")
			t.Equal([3]int{1, 0, 0}, q.Counts())
			t.Equal("1", q.One().Attributes["ApproximateReceiveCount"])
		}},
		{"RCV-6", "a short poll returns all it may", 0, func(t *T) {
			q := t.Standard()
			for i := range 25 {
				q.Send(strconv.Itoa(i))
			}
			for _, n := range []int{10, 10, 5, 0} {
				ms, err := q.Take(ReceiveMessage{MaxNumberOfMessages: Int(10)})
				t.NoError(err)
				t.Len(ms, n)
			}
		}},
		{"RCV-7", "nothing available is a success", 0, func(t *T) {
			for _, q := range either(t) {
				ms, err := q.Take(ReceiveMessage{MaxNumberOfMessages: Int(10)})
				t.NoError(err)
				t.Empty(ms)
			}
		}},
		{"RCV-7", "JSON answers with no member", HTTP | JSON, func(t *T) {
			reply := t.Exchange(t.Request("POST", "/", `{"QueueUrl":"`+t.Standard().URL+`"}`,
				"Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "AmazonSQS.ReceiveMessage"))
			t.Equal(200, reply.Status)
			t.Equal("{}", reply.Body)
		}},
		{"RCV-7", "XML answers with an empty result", HTTP | Query, func(t *T) {
			reply := t.Exchange(t.Request("GET", t.Standard().URL+"?Action=ReceiveMessage", ""))
			t.Equal(200, reply.Status)
			t.Contains(reply.Body, "<ReceiveMessageResult/>")
		}},
		{"RCV-8", "a timeout in the request is for the messages it returns", Time, func(t *T) {
			q := t.Standard("VisibilityTimeout", "10")
			q.Send("m1", "m2")
			_, err := q.Take(ReceiveMessage{VisibilityTimeout: Int(3)})
			t.NoError(err)
			q.One()
			t.Sleep(3*time.Second - time.Millisecond)
			q.Empty()
			t.Sleep(time.Millisecond)
			t.Equal("m1", q.One().Body)
			t.Sleep(7 * time.Second)
			t.Equal("m2", q.One().Body)
			t.Sleep(3 * time.Second)
			t.Equal("m1", q.One().Body)
		}},
		{"RCV-8", "the queue's timeout at the receive is what counts", Time, func(t *T) {
			q := t.Standard("VisibilityTimeout", "10")
			q.Send("m1", "m2")
			q.One()
			t.NoError(q.Set("VisibilityTimeout", "2"))
			q.One()
			t.Sleep(2 * time.Second)
			t.Equal([3]int{1, 1, 0}, q.Counts())
			t.Sleep(8 * time.Second)
			t.Equal([3]int{2, 0, 0}, q.Counts())
		}},
		{"RCV-8", "a timeout in the request overrides the queue's", 0, func(t *T) {
			q := t.Standard("VisibilityTimeout", "0")
			q.Send("m")
			_, err := q.Take(ReceiveMessage{VisibilityTimeout: Int(600)})
			t.NoError(err)
			t.Equal([3]int{0, 1, 0}, q.Counts())
		}},
		{"RCV-9", "with visibility 0 messages stay visible, and their group unlocked", Zeros, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m1", "m2")
				for range 2 {
					ms, err := q.Take(ReceiveMessage{MaxNumberOfMessages: Int(10), VisibilityTimeout: Int(0)})
					t.NoError(err)
					t.Equal([]string{"m1", "m2"}, Bodies(ms))
					t.Equal([3]int{2, 0, 0}, q.Counts())
				}
			}
		}},
		{"RCV-9", "the zero is not sticky", Zeros, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				_, err := q.Take(ReceiveMessage{VisibilityTimeout: Int(0)})
				t.NoError(err)
				q.One()
				t.Equal([3]int{0, 1, 0}, q.Counts())
				q.Empty()
			}
		}},
		{"RCV-9", "a queue whose timeout is 0 does the same", 0, func(t *T) {
			for _, q := range either(t, "VisibilityTimeout", "0") {
				q.SendAny("m1", "m2")
				t.Equal([]string{"m1", "m2"}, q.Bodies(2))
				t.Equal([]string{"m1", "m2"}, q.Bodies(2))
			}
		}},
		{"RCV-10", "system attributes are asked for under either name, and both lists count", Members, func(t *T) {
			q := t.Standard("VisibilityTimeout", "0")
			q.Send("m")
			for _, asked := range []struct{ deprecated, names, want []string }{
				{nil, []string{"SenderId"}, []string{"SenderId"}},
				{[]string{"SentTimestamp"}, nil, []string{"SentTimestamp"}},
				{[]string{"SentTimestamp"}, []string{"SenderId"}, []string{"SenderId", "SentTimestamp"}},
				{[]string{"All"}, []string{"SenderId"}, alwaysPresent()},
				{[]string{"SenderId"}, []string{"All"}, alwaysPresent()},
			} {
				ms, err := q.Take(ReceiveMessage{AttributeNames: asked.deprecated, MessageSystemAttributeNames: asked.names})
				t.NoError(err)
				t.Len(ms, 1)
				t.Equal(asked.want, slices.Sorted(maps.Keys(ms[0].Attributes)), "%v and %v", asked.deprecated, asked.names)
			}
		}},
		{"RCV-11", "message attributes are selected by name, prefix or all at once", Members, func(t *T) {
			q := t.Standard("VisibilityTimeout", "0")
			_, err := q.Post(SendMessage{MessageBody: "m", MessageAttributes: texts("Hello", "Help", "Help.Me", "foo", "foo.bar", "other")})
			t.NoError(err)
			all := []string{"Hello", "Help", "Help.Me", "foo", "foo.bar", "other"}
			for _, asked := range []struct{ names, want []string }{
				{nil, nil},
				{[]string{"All"}, all},
				{[]string{".*"}, all},
				{[]string{"*"}, all},
				{[]string{"other", "All"}, all},
				{[]string{"foo.*"}, []string{"foo", "foo.bar"}},
				{[]string{"Hel.*"}, []string{"Hello", "Help", "Help.Me"}},
				{[]string{"Help"}, []string{"Help"}},
				{[]string{"Help.Me", "foo"}, []string{"Help.Me", "foo"}},
				{[]string{"help", "Hel", "OTHER"}, nil},
				{[]string{"unknown", "AWS.", "..foo", "other"}, []string{"other"}},
			} {
				ms, err := q.Take(ReceiveMessage{MessageAttributeNames: asked.names})
				t.NoError(err)
				t.Len(ms, 1)
				t.Equal(asked.want, slices.Sorted(maps.Keys(ms[0].MessageAttributes)), "%q", asked.names)
				t.Equal(asked.want == nil, ms[0].MessageAttributes == nil, "%q", asked.names)
			}
		}},
		{"RCV-12", "the digest is of the attributes returned, and absent where none is", Members, func(t *T) {
			q := t.Standard("VisibilityTimeout", "0")
			_, err := q.Post(SendMessage{MessageBody: "m", MessageAttributes: texts("a", "b", "c")})
			t.NoError(err)
			for _, asked := range [][]string{{"a"}, {"c", "a"}, {"All"}} {
				ms, err := q.Take(ReceiveMessage{MessageAttributeNames: asked})
				t.NoError(err)
				t.Len(ms, 1)
				// A message with just these attributes has this digest.
				only, err := t.Standard().Post(SendMessage{MessageBody: "m", MessageAttributes: ms[0].MessageAttributes})
				t.NoError(err)
				t.Len(only.MD5OfMessageAttributes, 32)
				t.Equal(only.MD5OfMessageAttributes, ms[0].MD5OfMessageAttributes, "%q", asked)
			}
			for _, asked := range [][]string{nil, {"unknown"}} {
				ms, err := q.Take(ReceiveMessage{MessageAttributeNames: asked})
				t.NoError(err)
				t.Len(ms, 1)
				t.Empty(ms[0].MD5OfMessageAttributes)
			}
		}},
		{"RCV-13", "every receive returns a new handle", 0, func(t *T) {
			for _, q := range either(t, "VisibilityTimeout", "0") {
				q.SendAny("m")
				seen := map[string]bool{}
				for range 5 {
					seen[q.One().ReceiptHandle] = true
				}
				t.Len(seen, 5)
			}
		}},
		{"RCV-14", "id, body and its digest are always there", Members, func(t *T) {
			for _, q := range either(t) {
				sent := q.SendAny("m")
				ms, err := q.Take(ReceiveMessage{})
				t.NoError(err)
				t.Len(ms, 1)
				t.NotEmpty(ms[0].ReceiptHandle)
				ms[0].ReceiptHandle = ""
				t.Equal(Message{MessageId: sent.MessageId, Body: "m", MD5OfBody: "6f8f57715090da2632453988d9a1501b"}, ms[0])
			}
		}},
		{"RCV-14", "a message is received with the id and the body it was sent with", 0, func(t *T) {
			for _, q := range either(t) {
				sent := q.SendAny("m")
				m := q.One()
				t.NotEmpty(m.MessageId)
				t.Equal(sent.MessageId, m.MessageId)
				t.Equal("m", m.Body)
			}
		}},
		{"RCV-15", "a standard queue gives the oldest message first, what was given back included", 0, func(t *T) {
			q := t.Standard()
			q.Send("m1", "m2", "m3", "m4")
			ms := q.Receive(3)
			for _, i := range []int{2, 0} {
				t.NoError(q.Change(ms[i].ReceiptHandle, 0))
			}
			t.Equal([]string{"m1", "m3", "m4"}, q.Bodies(10))
		}},
	},
	Differs: map[string]string{
		"RCV-6": "A short poll on SQS asks a part of its servers and may miss messages. Here there is nothing to sample: it sees the whole queue.",
	},
}

// outOfRange is the text of a refused number.
func outOfRange(n int, parameter, reason string) string {
	return "Value " + strconv.Itoa(n) + " for parameter " + parameter + " is invalid. Reason: " + reason
}

// texts are message attributes, each of which has its name as its value.
func texts(names ...string) map[string]AttributeValue {
	m := map[string]AttributeValue{}
	for _, name := range names {
		m[name] = Text(name)
	}
	return m
}
