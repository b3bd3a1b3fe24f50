package suite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// back makes messages visible again, in this order.
func (q *Q) back(ms ...Message) {
	q.t.Helper()
	for _, m := range ms {
		q.t.NoError(q.Change(m.ReceiptHandle, 0), m.Body)
	}
}

// fifoOrder is section 5.2.
var fifoOrder = Chapter{
	Cases: []Case{
		{"FIFO-8", "a receive takes one group as far as it goes, then the next", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g1", "g1-m1")
			q.SendTo("g2", "g2-m1")
			q.SendTo("g1", "g1-m2", "g1-m3")
			t.Equal([]string{"g1-m1", "g1-m2", "g1-m3", "g2-m1"}, q.Bodies(10))
		}},
		{"FIFO-8", "a receive stops inside a group at its maximum", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g1", "g1-m1", "g1-m2")
			q.SendTo("g2", "g2-m1", "g2-m2", "g2-m3")
			t.Equal([]string{"g1-m1", "g1-m2", "g2-m1", "g2-m2"}, q.Bodies(4))
			q.Empty()
		}},
		{"FIFO-8", "the run from the head ends at a message in flight", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1", "m2", "m3", "m4")
			ms := q.Receive(4)
			q.back(ms[0], ms[1], ms[3])
			t.Equal([]string{"m1", "m2"}, q.Bodies(10))
			q.back(ms[2])
			q.Empty()
		}},
		{"FIFO-9", "nothing passes a head in flight, but other groups do", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g1", "g1-m1", "g1-m2")
			t.Equal([]string{"g1-m1"}, q.Bodies(1))
			q.Empty()
			q.SendTo("g1", "g1-m3")
			q.Empty()
			q.SendTo("g2", "g2-m1")
			t.Equal([]string{"g2-m1"}, q.Bodies(10))
			t.Equal([3]int{2, 2, 0}, q.Counts())
		}},
		{"FIFO-9", "a send to a locked group does not end a long poll", Time, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1")
			q.One()
			poll := q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
			q.SendTo("g", "m2")
			p := <-poll
			t.NoError(p.Err)
			t.Empty(p.Messages)
			t.Equal(20*time.Second, p.Took)
		}},
		{"FIFO-9", "nothing passes a head that is delayed", Time, func(t *T) {
			q := t.FIFO("DelaySeconds", "5")
			q.SendTo("g", "m1")
			t.Sleep(4 * time.Second)
			q.SendTo("g", "m2")
			t.Sleep(time.Second)
			head := q.One()
			t.Equal("m1", head.Body)
			t.Sleep(4 * time.Second)
			q.Empty()
			q.DeleteAll(head)
			t.Equal([]string{"m2"}, q.Bodies(10))
		}},
		{"FIFO-10", "a group stays locked until all of it in flight is deleted", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1", "m2", "m3", "m4")
			ms := q.Receive(2)
			q.DeleteAll(ms[0])
			q.Empty()
			q.DeleteAll(ms[1])
			t.Equal([]string{"m3", "m4"}, q.Bodies(10))
		}},
		{"FIFO-10", "a group stays locked when its messages in flight are deleted from behind", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1", "m2", "m3")
			ms := q.Receive(2)
			q.DeleteAll(ms[1])
			q.Empty()
			q.DeleteAll(ms[0])
			t.Equal([]string{"m3"}, q.Bodies(10))
		}},
		{"FIFO-11", "a head made visible comes alone, behind other groups", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g1", "g1-m1", "g1-m2", "g1-m3")
			q.SendTo("g2", "g2-m1")
			ms := q.Receive(2)
			q.back(ms[0])
			t.Equal([]string{"g2-m1", "g1-m1"}, q.Bodies(3))
			q.Empty()
		}},
		{"FIFO-11", "a head whose timeout lapses comes alone, behind other groups", Time, func(t *T) {
			q := t.FIFO()
			q.SendTo("g1", "g1-m1", "g1-m2", "g1-m3")
			q.SendTo("g2", "g2-m1")
			ms := q.Receive(2)
			t.NoError(q.Change(ms[0].ReceiptHandle, 1))
			t.Sleep(time.Second)
			t.Equal([]string{"g2-m1", "g1-m1"}, q.Bodies(3))
			q.Empty()
		}},
		{"FIFO-12", "an extended message holds back what is behind it", Time, func(t *T) {
			for extended, want := range [][]string{nil, {"foo"}, {"foo", "bar"}} {
				q := t.FIFO("VisibilityTimeout", "1")
				q.SendTo("g", "foo", "bar", "baz")
				ms := q.Receive(3)
				t.NoError(q.Change(ms[extended].ReceiptHandle, 4))
				t.Sleep(2500 * time.Millisecond)
				t.Equal(want, q.Bodies(3), "%s is extended", ms[extended].Body)
			}
		}},
		{"FIFO-13", "after all timeouts a group comes again in its order", Time, func(t *T) {
			q := t.FIFO("VisibilityTimeout", "5")
			q.SendTo("g", "m1", "m2", "m3", "m4")
			ms := q.Receive(3)
			t.NoError(q.Change(ms[0].ReceiptHandle, 7))
			t.NoError(q.Change(ms[2].ReceiptHandle, 3))
			t.Sleep(7 * time.Second)
			t.Equal([]string{"m1", "m2", "m3", "m4"}, q.Bodies(10))
		}},
		{"FIFO-13", "a group made visible from behind comes again in its order", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1", "m2", "m3", "m4")
			ms := q.Receive(3)
			q.back(ms[2], ms[1])
			q.Empty()
			q.back(ms[0])
			t.Equal([]string{"m1", "m2", "m3", "m4"}, q.Bodies(10))
		}},
		{"FIFO-14", "groups that timed out come behind those never touched", Time, func(t *T) {
			q := t.FIFO("VisibilityTimeout", "2")
			q.SendTo("g1", "g1-m1", "g1-m2", "g1-m3", "g1-m4")
			q.SendTo("g2", "g2-m1")
			q.SendTo("g3", "g3-m1")
			t.Equal([]string{"g1-m1", "g1-m2"}, q.Bodies(2))
			t.Equal([]string{"g2-m1"}, q.Bodies(1))
			t.Sleep(2 * time.Second)
			t.Equal([]string{"g3-m1", "g1-m1", "g1-m2", "g1-m3", "g1-m4", "g2-m1"}, q.Bodies(10))
		}},
		{"FIFO-14", "a receive that hides nothing moves its groups behind the others", Zeros, func(t *T) {
			q := t.FIFO()
			for _, body := range []string{"g1-m1", "g2-m1", "g2-m2", "g3-m1", "g1-m2"} {
				q.SendTo(body[:2], body)
			}
			for _, round := range []struct {
				most int
				want []string
			}{{3, []string{"g1-m1", "g1-m2", "g2-m1"}}, {10, []string{"g3-m1", "g1-m1", "g1-m2", "g2-m1", "g2-m2"}}} {
				ms, err := q.Take(ReceiveMessage{MaxNumberOfMessages: Int(round.most), VisibilityTimeout: Int(0)})
				t.NoError(err)
				t.Equal(round.want, Bodies(ms))
			}
		}},
		{"FIFO-14", "groups made visible come behind those never touched", 0, func(t *T) {
			q := t.FIFO()
			for _, body := range []string{"g1-m1", "g2-m1", "g2-m2", "g3-m1", "g1-m2"} {
				q.SendTo(body[:2], body)
			}
			ms := q.Receive(3)
			t.Equal([]string{"g1-m1", "g1-m2", "g2-m1"}, Bodies(ms))
			q.back(ms...)
			t.Equal([]string{"g3-m1", "g1-m1", "g1-m2", "g2-m1", "g2-m2"}, q.Bodies(10))
		}},
		{"FIFO-14", "after deletes every group goes on in its own order", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g1", "g1-m1", "g1-m2", "g1-m3", "g1-m4")
			q.SendTo("g2", "g2-m1", "g2-m2")
			q.SendTo("g3", "g3-m1")
			q.DeleteAll(q.Receive(2)...)
			rest := q.Bodies(10)
			t.ElementsMatch([]string{"g1-m3", "g1-m4", "g2-m1", "g2-m2", "g3-m1"}, rest)
			slices.SortStableFunc(rest, func(a, b string) int { return strings.Compare(a[:2], b[:2]) })
			t.Equal([]string{"g1-m3", "g1-m4", "g2-m1", "g2-m2", "g3-m1"}, rest)
		}},
		{"FIFO-15", "a group that became empty takes new messages", 0, func(t *T) {
			q := t.FIFO()
			for _, body := range []string{"a", "b", "c"} {
				q.SendTo("g", body)
				m := q.One()
				t.Equal(body, m.Body)
				q.DeleteAll(m)
				q.Empty()
			}
		}},
		{"FIFO-15", "a group whose only message was dead-lettered takes new messages", 0, func(t *T) {
			q, dead := t.FIFO(), t.FIFO()
			q.Redrive(dead, 1)
			q.SendTo("g", "bad")
			q.back(q.One())
			q.Empty()
			t.Equal([]string{"bad"}, dead.Bodies(10))
			q.SendTo("g", "a", "b")
			t.Equal([]string{"a", "b"}, q.Bodies(10))
		}},
		{"FIFO-16", "one receive has messages of several groups", 0, func(t *T) {
			q := t.FIFO()
			var want []string
			for i := range 10 {
				q.SendTo(fmt.Sprintf("g%d", i), fmt.Sprintf("m%d", i))
				want = append(want, fmt.Sprintf("m%d", i))
			}
			ms, err := q.Take(ReceiveMessage{MaxNumberOfMessages: Int(10)})
			t.NoError(err)
			t.Equal(want, Bodies(ms))
		}},
		{"FIFO-16", "consumers hold different groups at once", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g1", "g1-m1", "g1-m2")
			q.SendTo("g2", "g2-m1", "g2-m2")
			one, other := q.One(), q.One()
			t.Equal([]string{"g1-m1", "g2-m1"}, Bodies([]Message{one, other}))
			q.Empty()
			q.DeleteAll(other)
			t.Equal([]string{"g2-m2"}, q.Bodies(10))
			q.DeleteAll(one)
			t.Equal([]string{"g1-m2"}, q.Bodies(10))
		}},
		{"FIFO-16", "a receive does not take a group", HTTP | JSON, func(t *T) {
			q := t.FIFO()
			q.SendTo("g1", "g1-m1")
			q.SendTo("g2", "g2-m1")
			reply := t.Exchange(t.Request("POST", "/", fmt.Sprintf(`{"QueueUrl":%q,"MessageGroupId":"g2"}`, q.URL),
				"Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "AmazonSQS.ReceiveMessage"))
			t.Equal(200, reply.Status)
			t.Contains(reply.Body, "g1-m1")
			t.NotContains(reply.Body, "g2-m1")
		}},
		{"FIFO-17", "with 120,000 messages in flight a receive takes none and is no error", Time | Engine, func(t *T) {
			const most = 120_000
			q := t.FIFO("VisibilityTimeout", "60")
			fill(t, q, most+10, strconv.Itoa)
			drain(t, q, most-10)
			t.Len(q.Receive(3), 3)
			ms, err := q.Take(ReceiveMessage{MaxNumberOfMessages: Int(10)})
			t.NoError(err)
			t.Len(ms, 7)
			q.Empty()
			p := <-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(5)})
			t.NoError(p.Err)
			t.Empty(p.Messages)
			t.Equal([3]int{10, most, 0}, q.Counts())
			q.DeleteAll(ms[0])
			t.Equal([]string{"120000"}, q.Bodies(10))
			t.Sleep(55 * time.Second)
			t.Len(q.Receive(10), 10)
		}},
	},
}
