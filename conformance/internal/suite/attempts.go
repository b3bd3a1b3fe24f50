package suite

import (
	"strings"
	"time"
)

// receiveAttempts is section 3, rule RCV-16.
var receiveAttempts = Chapter{
	Cases: []Case{
		{"RCV-16", "a repeat returns the same messages with the same handles, and counts no receive", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g1", "m1", "m2")
			q.SendTo("g2", "m3")
			first := q.attempt("a", nil)
			t.Equal([]string{"m1", "m2", "m3"}, Bodies(first))
			for range 3 {
				again := q.attempt("a", nil)
				t.Equal(first, again)
				t.Equal("1", again[0].Attributes["ApproximateReceiveCount"])
			}
			t.Equal([3]int{0, 3, 0}, q.Counts())
		}},
		{"RCV-16", "another id, or none, replays nothing", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1", "m2")
			t.Len(q.attempt("a", Int(600)), 2)
			t.Empty(q.attempt("b", nil))
			q.Empty()
		}},
		{"RCV-16", "a handle deletes after a replay", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1")
			first := q.attempt("a", nil)
			q.attempt("a", nil)
			q.DeleteAll(first...)
			t.Equal([3]int{}, q.Counts())
		}},
		{"RCV-16", "messages sent since the receive are not in its replay", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g1", "m1")
			q.attempt("a", nil)
			q.SendTo("g2", "m2")
			t.Equal([]string{"m1"}, Bodies(q.attempt("a", nil)))
			t.Equal([]string{"m2"}, q.Bodies(10))
		}},
		{"RCV-16", "a replay restarts the visibility timeout", Time, func(t *T) {
			q := t.FIFO("VisibilityTimeout", "30")
			q.SendTo("g", "m1", "m2")
			q.attempt("a", nil)
			t.Sleep(20 * time.Second)
			t.Len(q.attempt("a", nil), 2)
			t.Sleep(30*time.Second - time.Millisecond)
			t.Equal([3]int{0, 2, 0}, q.Counts())
			t.Sleep(time.Millisecond)
			t.Equal([3]int{2, 0, 0}, q.Counts())
		}},
		{"RCV-16", "the timeout of the replay is what its request says", Time, func(t *T) {
			q := t.FIFO("VisibilityTimeout", "30")
			q.SendTo("g", "m1")
			q.attempt("a", nil)
			t.Sleep(10 * time.Second)
			q.attempt("a", Int(5))
			t.Sleep(5 * time.Second)
			t.Equal([3]int{1, 0, 0}, q.Counts())
		}},
		{"RCV-16", "a replay restarts the 12 hours a receive can last", Time, func(t *T) {
			q := t.FIFO("VisibilityTimeout", "600")
			q.SendTo("g", "m1")
			m := q.attempt("a", nil)[0]
			t.Sleep(time.Minute)
			q.attempt("a", nil)
			t.NoError(q.Change(m.ReceiptHandle, 43200))
		}},
		{"RCV-16", "the id is forgotten 5 minutes after the first receive, whatever replays there were", Time, func(t *T) {
			q := t.FIFO("VisibilityTimeout", "600")
			q.SendTo("g", "m1")
			q.attempt("a", nil)
			t.Sleep(4 * time.Minute)
			t.Len(q.attempt("a", nil), 1)
			t.Sleep(time.Minute - time.Millisecond)
			t.Len(q.attempt("a", nil), 1)
			t.Sleep(time.Millisecond)
			t.Empty(q.attempt("a", nil))
		}},
		{"RCV-16", "after a delete the receive is not repeatable, and nothing is received", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g1", "m1")
			q.SendTo("g2", "m2")
			q.DeleteAll(q.attempt("a", nil)[0])
			q.SendTo("g3", "m3")
			q.notRetryable("a")
			t.Equal([]string{"m3"}, Bodies(q.attempt("b", nil)))
		}},
		{"RCV-16", "after a change of visibility the receive is not repeatable", 0, func(t *T) {
			for _, seconds := range []int{0, 600} {
				q := t.FIFO()
				q.SendTo("g1", "m1")
				q.SendTo("g2", "m2")
				t.NoError(q.Change(q.attempt("a", nil)[1].ReceiptHandle, seconds))
				q.notRetryable("a")
			}
		}},
		{"RCV-16", "what was deleted after the timeout is no matter of the receive", Time, func(t *T) {
			q := t.FIFO("VisibilityTimeout", "10")
			q.SendTo("g", "m1", "m2")
			q.attempt("a", nil)
			t.Sleep(10 * time.Second)
			q.DeleteAll(q.Receive(10)...)
			q.SendTo("g", "m3")
			t.Equal([]string{"m3"}, Bodies(q.attempt("a", nil)))
		}},
		{"RCV-16", "a change of visibility before the receive is none of it", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1")
			q.back(q.One())
			first := q.attempt("a", nil)
			t.Equal([]string{"m1"}, Bodies(first))
			t.Equal(first, q.attempt("a", nil))
		}},
		{"RCV-16", "after the timeout the id makes a fresh receive", Time, func(t *T) {
			q := t.FIFO("VisibilityTimeout", "10")
			q.SendTo("g", "m1")
			first := q.attempt("a", nil)
			t.Sleep(10 * time.Second)
			again := q.attempt("a", nil)
			t.Equal([]string{"m1"}, Bodies(again))
			t.NotEqual(first[0].ReceiptHandle, again[0].ReceiptHandle)
			t.Equal("2", again[0].Attributes["ApproximateReceiveCount"])
		}},
		{"RCV-16", "ids have 1 to 128 printable characters of ASCII without the space", 0, func(t *T) {
			q := t.FIFO()
			for _, id := range []string{"a", "!~", strings.Repeat("x", 128)} {
				_, err := q.Take(ReceiveMessage{ReceiveRequestAttemptId: id})
				t.NoError(err, id)
			}
			for _, id := range []string{" ", "a b", "ä", "a\n", strings.Repeat("x", 129)} {
				_, err := q.Take(ReceiveMessage{ReceiveRequestAttemptId: id})
				t.Refused(err, "InvalidParameterValue", "")
			}
		}},
		{"RCV-16", "an empty id is one that is given", Members, func(t *T) {
			err := t.Call("ReceiveMessage", map[string]any{"QueueUrl": t.FIFO().URL, "ReceiveRequestAttemptId": ""}, nil)
			t.Refused(err, "InvalidParameterValue", "Value  for parameter ReceiveRequestAttemptId is invalid. ...")
		}},
		{"RCV-16", "a standard queue ignores the id", 0, func(t *T) {
			q := t.Standard()
			q.Send("m1", "m2")
			for _, body := range []string{"m1", "m2"} {
				ms, err := q.Take(ReceiveMessage{ReceiveRequestAttemptId: "a"})
				t.NoError(err)
				t.Equal([]string{body}, Bodies(ms))
			}
		}},
	},
}

// notRetryable expects that a receive under the id is refused.
func (q *Q) notRetryable(id string) {
	q.t.Helper()
	_, err := q.Take(ReceiveMessage{ReceiveRequestAttemptId: id, MaxNumberOfMessages: Int(10)})
	q.t.Refused(err, "InvalidParameterValue", "Value "+id+" for parameter ReceiveRequestAttemptId is invalid. Reason: "+
		"The receiveRequestAttemptId is not valid anymore since the receive call is not retryable.")
}

// attempt receives up to ten messages under an attempt id; timeout is the visibility timeout or nil.
func (q *Q) attempt(id string, timeout *int) []Message {
	q.t.Helper()
	ms, err := q.Take(ReceiveMessage{
		ReceiveRequestAttemptId: id, VisibilityTimeout: timeout, MaxNumberOfMessages: Int(10), MessageSystemAttributeNames: []string{"All"},
	})
	q.t.NoError(err)
	return ms
}
