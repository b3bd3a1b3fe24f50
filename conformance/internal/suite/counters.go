package suite

import (
	"slices"
	"time"
)

// counters is section 2.2, counters.
var counters = Chapter{
	Tables: map[string]string{"TABLE-COUNTERS": "Counters"},
	Cases: []Case{
		{"TABLE-COUNTERS", "visible, in flight and delayed messages are told apart", 0, func(t *T) {
			q := t.Standard()
			q.Send("deleted", "in flight", "ready", "ready too")
			q.DeleteAll(q.One())
			q.One()
			_, err := q.Post(SendMessage{MessageBody: "delayed", DelaySeconds: Int(900)})
			t.NoError(err)
			t.Equal([3]int{2, 1, 1}, q.Counts())
		}},
		{"TABLE-COUNTERS", "messages of a FIFO queue behind one in flight are visible ones", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1", "m2", "m3")
			q.One()
			q.Empty()
			t.Equal([3]int{2, 1, 0}, q.Counts())
		}},
		{"TABLE-COUNTERS", "the delay of a FIFO queue counts its messages as delayed", 0, func(t *T) {
			q := t.FIFO("DelaySeconds", "900")
			q.SendTo("g", "m1", "m2")
			t.Equal([3]int{0, 0, 2}, q.Counts())
		}},
		{"TABLE-COUNTERS", "a delayed message becomes a visible one, not one in flight", Time, func(t *T) {
			q := t.Standard("DelaySeconds", "5")
			q.Send("m")
			t.Sleep(5*time.Second - time.Millisecond)
			t.Equal([3]int{0, 0, 1}, q.Counts())
			t.Sleep(time.Millisecond)
			t.Equal([3]int{1, 0, 0}, q.Counts())
		}},
		{"TABLE-COUNTERS", "expired messages are not counted", Time, func(t *T) {
			for _, q := range either(t, "MessageRetentionPeriod", "60") {
				q.SendAny("m1", "m2")
				q.One()
				t.Sleep(time.Minute)
				t.Equal([3]int{}, q.Counts())
			}
		}},
		{"TABLE-COUNTERS", "a message whose visibility is set to 0 is visible again", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				m := q.One()
				t.Equal([3]int{0, 1, 0}, q.Counts())
				t.NoError(q.Change(m.ReceiptHandle, 0))
				t.Equal([3]int{1, 0, 0}, q.Counts())
			}
		}},
		{"CNT-1", "only the messages received are in flight, not the rest of their groups", 0, func(t *T) {
			q := t.FIFO()
			ms := threeGroups(q)
			t.Equal([3]int{4, 2, 0}, q.Counts())
			for _, m := range ms {
				t.NoError(q.Change(m.ReceiptHandle, 0))
			}
			t.Equal([3]int{6, 0, 0}, q.Counts())
		}},
		{"CNT-1", "after their timeout all are visible", Time, func(t *T) {
			q := t.FIFO("VisibilityTimeout", "5")
			threeGroups(q)
			t.Sleep(5*time.Second - time.Millisecond)
			t.Equal([3]int{4, 2, 0}, q.Counts())
			t.Sleep(time.Millisecond)
			t.Equal([3]int{6, 0, 0}, q.Counts())
		}},
		{"CNT-2", "deleting what is in flight leaves the visible messages", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1", "m2", "m3", "m4", "m5")
			ms := q.Receive(4)
			t.Len(ms, 4)
			t.Equal(1, q.Counts()[0])
			q.DeleteAll(ms...)
			t.Equal([3]int{1, 0, 0}, q.Counts())
		}},
		{"CNT-3", "counters are exact after every call", 0, func(t *T) {
			for _, q := range either(t) {
				var bodies []string
				for i := range 10 {
					bodies = append(bodies, string(rune('a'+i)))
					q.SendAny(bodies[i])
					t.Equal([3]int{i + 1, 0, 0}, q.Counts())
				}
				ms := q.Receive(10)
				t.Equal([3]int{0, 10, 0}, q.Counts())
				for i, m := range slices.Backward(ms) {
					q.DeleteAll(m)
					t.Equal([3]int{0, i, 0}, q.Counts())
				}
			}
		}},
	},
	Differs: map[string]string{
		"CNT-3": "Counters of standard queues on SQS lag by up to a minute; here they are exact at every moment, as on FIFO.",
	},
}

// threeGroups sends two messages to each of three groups and receives the first of two of them.
func threeGroups(q *Q) []Message {
	q.t.Helper()
	for _, group := range []string{"g1", "g2", "g3"} {
		q.SendTo(group, group+"-m1", group+"-m2")
	}
	ms := []Message{q.One(), q.One()}
	q.t.NotEqual(ms[0].Attributes["MessageGroupId"], ms[1].Attributes["MessageGroupId"])
	return ms
}
