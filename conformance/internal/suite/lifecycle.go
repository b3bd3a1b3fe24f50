package suite

import (
	"errors"
	"io"
	"strings"
	"time"
)

// either returns a queue of each type, with attributes "name", "value", ...; of one type where the
// way may lack the other and does.
func either(t *T, attributes ...string) (queues []*Q) {
	t.Helper()
	var lacking error
	for _, create := range []func() (*Q, error){
		func() (*Q, error) { return t.create(t.standardName(), attributes) },
		func() (*Q, error) { return t.create(t.fifoName(), fifoAttributes(attributes)) },
	} {
		q, err := create()
		if t.lacks != nil && errors.Is(err, errors.ErrUnsupported) {
			lacking = err
			continue
		}
		t.NoError(err)
		queues = append(queues, q)
	}
	if queues == nil {
		t.NoError(lacking)
	}
	return queues
}

// isFIFO tells the type of the queue by its name.
func (q *Q) isFIFO() bool { return strings.HasSuffix(q.Name, ".fifo") }

// SendAny sends bodies, one call each, to a queue of either type; on FIFO to one group.
func (q *Q) SendAny(bodies ...string) Sent {
	q.t.Helper()
	if q.isFIFO() {
		return q.SendTo("g", bodies...)
	}
	return q.Send(bodies...)
}

// lifeCycle is section 2.1, states.
var lifeCycle = Chapter{
	Cases: []Case{
		{"LC-1", "the delay of a message overrides the queue's, an explicit 0 included", Time | Zeros, func(t *T) {
			q := t.Standard("DelaySeconds", "5")
			_, err := q.Post(SendMessage{MessageBody: "now", DelaySeconds: Int(0)})
			t.NoError(err)
			_, err = q.Post(SendMessage{MessageBody: "in 3", DelaySeconds: Int(3)})
			t.NoError(err)
			q.Send("in 5")
			t.Equal([]string{"now"}, q.Bodies(10))
			t.Sleep(3*time.Second - time.Millisecond)
			q.Empty()
			t.Sleep(time.Millisecond)
			t.Equal([]string{"in 3"}, q.Bodies(10))
			t.Sleep(2 * time.Second)
			t.Equal([]string{"in 5"}, q.Bodies(10))
		}},
		{"LC-1", "one message of a queue without delay is delayed", 0, func(t *T) {
			q := t.Standard()
			_, err := q.Post(SendMessage{MessageBody: "late", DelaySeconds: Int(900)})
			t.NoError(err)
			q.Send("now")
			t.Equal([3]int{1, 0, 1}, q.Counts())
			t.Equal([]string{"now"}, q.Bodies(10))
		}},
		{"LC-1", "an explicit 0 cancels the delay of the queue", Zeros, func(t *T) {
			q := t.Standard("DelaySeconds", "900")
			_, err := q.Post(SendMessage{MessageBody: "now", DelaySeconds: Int(0)})
			t.NoError(err)
			q.Send("late")
			t.Equal([]string{"now"}, q.Bodies(10))
		}},
		{"LC-1", "a changed delay of a standard queue leaves waiting messages alone", 0, func(t *T) {
			q := t.Standard("DelaySeconds", "900")
			q.Send("waits")
			t.NoError(q.Set("DelaySeconds", "0"))
			q.Send("does not")
			t.Equal([]string{"does not"}, q.Bodies(10))
			t.Equal([3]int{0, 1, 1}, q.Counts())
		}},
		{"LC-1", "a changed delay of a FIFO queue applies to waiting messages", 0, func(t *T) {
			q := t.FIFO("DelaySeconds", "900")
			q.SendTo("g", "waited")
			t.NoError(q.Set("DelaySeconds", "0"))
			t.Equal([]string{"waited"}, q.Bodies(10))
		}},
		{"LC-1", "a longer delay of a FIFO queue holds waiting messages back from their send on", Time, func(t *T) {
			q := t.FIFO("DelaySeconds", "5")
			q.SendTo("g", "waits")
			t.Sleep(3 * time.Second)
			t.NoError(q.Set("DelaySeconds", "10"))
			t.Sleep(7*time.Second - time.Millisecond)
			q.Empty()
			t.Sleep(time.Millisecond)
			t.Equal([]string{"waits"}, q.Bodies(10))
		}},
		{"LC-2", "a delayed message ends a long poll when its delay ends", Time, func(t *T) {
			q := t.Standard()
			_, err := q.Post(SendMessage{MessageBody: "late", DelaySeconds: Int(7)})
			t.NoError(err)
			p := <-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
			t.NoError(p.Err)
			t.Equal([]string{"late"}, Bodies(p.Messages))
			t.Equal(7*time.Second, p.Took)
		}},
		{"LC-2", "a delayed message of a FIFO queue ends a long poll when its delay ends", Time, func(t *T) {
			q := t.FIFO("DelaySeconds", "7")
			q.SendTo("g", "late")
			p := <-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
			t.NoError(p.Err)
			t.Equal([]string{"late"}, Bodies(p.Messages))
			t.Equal(7*time.Second, p.Took)
		}},
		{"LC-2", "a delayed message is not receivable", 0, func(t *T) {
			for _, q := range either(t, "DelaySeconds", "900") {
				q.SendAny("late")
				q.Empty()
			}
		}},
		{"LC-3", "retention runs from the send, whatever is received", Time, func(t *T) {
			for _, q := range either(t, "MessageRetentionPeriod", "60") {
				q.SendAny("m")
				t.Sleep(50 * time.Second)
				_, err := q.Take(ReceiveMessage{VisibilityTimeout: Int(5)})
				t.NoError(err)
				t.Sleep(10*time.Second - time.Millisecond)
				t.Equal([3]int{1, 0, 0}, q.Counts())
				t.Sleep(time.Millisecond)
				t.Equal([3]int{}, q.Counts())
				q.Empty()
			}
		}},
		{"LC-3", "retention ends messages in flight and delayed ones", Time, func(t *T) {
			q := t.Standard("MessageRetentionPeriod", "60", "VisibilityTimeout", "600")
			q.Send("in flight")
			q.One()
			_, err := q.Post(SendMessage{MessageBody: "delayed", DelaySeconds: Int(90)})
			t.NoError(err)
			t.Sleep(time.Minute - time.Millisecond)
			t.Equal([3]int{0, 1, 1}, q.Counts())
			t.Sleep(time.Millisecond)
			t.Equal([3]int{}, q.Counts())
			t.Sleep(time.Hour)
			q.Empty()
		}},
		{"LC-3", "a group whose head expires in flight goes on, and ends a long poll", Time, func(t *T) {
			q := t.FIFO("MessageRetentionPeriod", "60", "VisibilityTimeout", "600")
			q.SendTo("g", "head")
			t.Sleep(50 * time.Second)
			q.SendTo("g", "next")
			t.Equal("head", q.One().Body)
			p := <-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
			t.NoError(p.Err)
			t.Equal([]string{"next"}, Bodies(p.Messages))
			t.Equal(10*time.Second, p.Took)
		}},
		{"LC-3", "deleting a message that expired succeeds", Time, func(t *T) {
			q := t.Standard("MessageRetentionPeriod", "60", "VisibilityTimeout", "600")
			q.Send("m")
			m := q.One()
			t.Sleep(61 * time.Second)
			t.NoError(q.Delete(m.ReceiptHandle))
		}},
		{"LC-4", "an older message that timed out comes before a newer one", Time, func(t *T) {
			q := t.Standard("VisibilityTimeout", "5")
			q.Send("m1")
			q.One()
			q.Send("m2")
			t.Sleep(5*time.Second - time.Millisecond)
			t.Equal([3]int{1, 1, 0}, q.Counts())
			t.Sleep(time.Millisecond)
			t.Equal("m1", q.One().Body)
		}},
		{"LC-4", "an older message that was given back comes before a newer one", 0, func(t *T) {
			q := t.Standard()
			q.Send("m1")
			m := q.One()
			q.Send("m2")
			t.NoError(q.Change(m.ReceiptHandle, 0))
			t.Equal([]string{"m1", "m2"}, q.Bodies(2))
		}},
		{"LC-5", "a message received three times goes behind all others", 0, func(t *T) {
			q := t.Standard()
			q.Send("failing", "m1", "m2")
			for range 3 {
				m := q.One()
				t.Equal("failing", m.Body)
				t.NoError(q.Change(m.ReceiptHandle, 0))
			}
			t.Equal([]string{"m1", "m2", "failing"}, q.Bodies(3))
		}},
		{"LC-5", "a message that timed out three times goes behind all others", Time, func(t *T) {
			q := t.Standard("VisibilityTimeout", "1")
			q.Send("failing", "m1", "m2")
			for range 3 {
				t.Equal("failing", q.One().Body)
				t.Sleep(time.Second)
			}
			t.Equal([]string{"m1", "m2", "failing"}, q.Bodies(3))
		}},
		{"LC-5", "it goes to the back with a redrive policy too", 0, func(t *T) {
			q := t.Standard()
			q.Redrive(t.Standard(), 10)
			q.Send("failing", "m1")
			for range 3 {
				t.NoError(q.Change(q.One().ReceiptHandle, 0))
			}
			t.Equal([]string{"m1", "failing"}, q.Bodies(2))
		}},
		{"LC-5", "receives before the move to a dead-letter queue do not count", 0, func(t *T) {
			q, dead := t.Standard("VisibilityTimeout", "0"), t.Standard("VisibilityTimeout", "0")
			q.Redrive(dead, 3)
			q.Send("failing")
			t.Len(q.Receive(4), 3)
			dead.Send("later")
			for _, body := range []string{"failing", "failing", "failing", "later"} {
				t.Equal(body, dead.One().Body)
			}
		}},
		{"LC-5", "a FIFO queue never reorders", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "failing", "m1")
			for range 5 {
				m := q.One()
				t.Equal("failing", m.Body)
				t.NoError(q.Change(m.ReceiptHandle, 0))
			}
			t.Equal([]string{"failing", "m1"}, q.Bodies(2))
		}},
		{"LC-6", "a deleted message never comes back", Time, func(t *T) {
			q := t.Standard("VisibilityTimeout", "1")
			q.Send("m1", "m2", "m3")
			ms := q.Receive(3)
			q.DeleteAll(ms[1])
			t.Sleep(time.Second)
			q.DeleteAll(ms[0])
			for range 10 {
				t.Equal([]string{"m3"}, q.Bodies(10))
				t.Sleep(time.Second)
			}
		}},
		{"LC-6", "messages are received oldest first", 0, func(t *T) {
			q := t.Standard()
			var sent []string
			for i := range 50 {
				sent = append(sent, string(rune('A'+i)))
			}
			q.Send(sent...)
			t.Equal(sent, q.Bodies(50))
		}},
		{"LC-7", "a message received with visibility 0 stays receivable and its count rises", 0, func(t *T) {
			for _, q := range either(t, "VisibilityTimeout", "0") {
				q.SendAny("m")
				for _, count := range []string{"1", "2", "3", "4"} {
					t.Equal(count, q.One().Attributes["ApproximateReceiveCount"])
					t.Equal([3]int{1, 0, 0}, q.Counts())
				}
			}
		}},
		{"LC-7", "its handle deletes on a standard queue", 0, func(t *T) {
			q := t.Standard("VisibilityTimeout", "0")
			q.Send("m")
			q.DeleteAll(q.One())
			t.Equal([3]int{}, q.Counts())
		}},
		{"LC-7", "its handle is born expired on a FIFO queue", 0, func(t *T) {
			q := t.FIFO("VisibilityTimeout", "0")
			q.SendTo("g", "m")
			m := q.One()
			t.Refused(q.Delete(m.ReceiptHandle), "InvalidParameterValue", expiredHandle(m.ReceiptHandle))
			t.Equal([3]int{1, 0, 0}, q.Counts())
		}},
		{"LC-8", "a receive whose answer nobody reads has delivered", 0, func(t *T) {
			q := t.Standard("VisibilityTimeout", "0")
			q.Send("m")
			t.Must("ReceiveMessage", ReceiveMessage{QueueUrl: q.URL, VisibilityTimeout: Int(600)}, nil)
			t.Equal([3]int{0, 1, 0}, q.Counts())
			q.Empty()
		}},
		{"LC-8", "a message that was handed to a client which is gone comes back when its time is over", Time | HTTP, func(t *T) {
			q := t.Standard("VisibilityTimeout", "5")
			q.Send("m")
			req := t.Request("POST", "/", "Action=ReceiveMessage&QueueUrl="+q.URL, "Content-Type", "application/x-www-form-urlencoded")
			resp, err := t.Do(req)
			t.NoError(err)
			one, err := io.ReadAll(io.LimitReader(resp.Body, 1))
			t.NoError(err)
			t.Len(one, 1)
			t.NoError(resp.Body.Close())
			t.Sleep(5*time.Second - time.Millisecond)
			q.Empty()
			t.Sleep(time.Millisecond)
			t.Equal("2", q.One().Attributes["ApproximateReceiveCount"])
		}},
	},
	Differs: map[string]string{
		"LC-6": "SQS may deliver a standard message again after its delete, and may reorder messages. Here a deleted message never comes back and order is oldest first, but for LC-5 and fair queues.",
	},
}
