package suite

import (
	"slices"
	"strconv"
	"time"
)

// fairQueues is section 11, fair queues.
var fairQueues = Chapter{
	Cases: []Case{
		{"FAIR-1", "a group id is all it takes, and it comes back", 0, func(t *T) {
			q := t.Standard()
			sent, err := q.Post(SendMessage{MessageBody: "m", MessageGroupId: "tenant"})
			t.NoError(err)
			t.Empty(sent.SequenceNumber)
			m := q.One()
			t.Equal("tenant", m.Attributes["MessageGroupId"])
			t.NotContains(m.Attributes, "SequenceNumber")
			t.NotContains(m.Attributes, "MessageDeduplicationId")
		}},
		{"FAIR-1", "no group is locked and nothing is a duplicate", 0, func(t *T) {
			q := t.Standard()
			q.SendAs("tenant", "m", "m", "m")
			for range 3 {
				t.Equal("m", q.One().Body)
			}
			t.Equal([3]int{0, 3, 0}, q.Counts())
		}},
		{"FAIR-2", "messages without a group are a tenant each", 0, func(t *T) {
			q := t.Standard()
			q.SendAs("", series("a", 40)...)
			q.Hold(35)
			q.SendAs("quiet", "q")
			t.Equal([]string{"a36", "a37", "a38", "a39", "a40", "q"}, q.Bodies(10))
		}},
		{"FAIR-2", "messages with and without a group come before those of a noisy tenant", 0, func(t *T) {
			q := noisyQueue(t)
			q.SendAs("", "alone")
			q.SendAs("quiet", "q")
			q.SendAs("", "alone too")
			t.Equal([]string{"alone", "q", "alone too", "loud31", "loud32"}, q.Bodies(5))
		}},
		{"FAIR-2", "there may be a great many tenants", 0, func(t *T) {
			q := t.Standard()
			bodies := series("m", 500)
			for chunk := range slices.Chunk(bodies, 10) {
				var entries []SendMessage
				for _, body := range chunk {
					entries = append(entries, SendMessage{MessageBody: body, MessageGroupId: "tenant-" + body})
				}
				_, err := q.SendBatch(entries...)
				t.NoError(err)
			}
			t.Equal(bodies, q.Bodies(500))
		}},
		{"FAIR-3", "with 30 in flight, all there are, a tenant is noisy", 0, func(t *T) {
			q := t.Standard()
			q.SendAs("loud", series("loud", 40)...)
			q.SendAs("quiet", "q1", "q2")
			q.Hold(29)
			t.Equal("loud30", q.One().Body)
			t.Equal([]string{"q1", "q2", "loud31"}, q.Bodies(3))
		}},
		{"FAIR-3", "with no more than a tenth of all in flight it is not", 0, func(t *T) {
			q := t.Standard()
			q.SendAs("loud", series("loud", 40)...)
			q.SendAs("", series("other", 280)...)
			q.Hold(30)
			for _, m := range q.Hold(269) {
				t.Contains(m.Body, "other")
			}
			t.Equal("other270", q.One().Body, "30 of 299 are more than a tenth")
			t.Equal("loud31", q.One().Body, "30 of 300 are a tenth")
		}},
		{"FAIR-3", "long processing alone does not make a tenant noisy", Time, func(t *T) {
			q := t.Standard()
			q.SendAs("slow", series("slow", 31)...)
			for range 29 {
				_, err := q.Take(ReceiveMessage{VisibilityTimeout: Int(43200)})
				t.NoError(err)
			}
			t.Sleep(11 * time.Hour)
			q.SendAs("slow", "slow32")
			q.SendAs("quiet", "q")
			t.Equal("slow30", q.One().Body)
		}},
		{"FAIR-4", "quiet tenants come first, and noisy ones get what capacity is left", 0, func(t *T) {
			q := noisyQueue(t)
			q.SendAs("q1", "a", "b")
			q.SendAs("q2", "c")
			t.Equal([]string{"a", "b", "c", "loud31", "loud32", "loud33", "loud34", "loud35", "loud36", "loud37"}, q.Bodies(10))
			t.Equal([]string{"loud38", "loud39", "loud40"}, q.Bodies(10))
			t.Equal([3]int{0, 43, 0}, q.Counts())
		}},
		{"FAIR-4", "a message of a quiet tenant that is in flight holds no noisy one up", 0, func(t *T) {
			q := noisyQueue(t)
			q.SendAs("quiet", "q1", "q2")
			t.Equal("q1", q.One().Body)
			t.Equal("q2", q.One().Body)
			t.Equal("loud31", q.One().Body)
		}},
		{"FAIR-4", "when its share falls a tenant is as good as others", 0, func(t *T) {
			q := t.Standard()
			q.SendAs("loud", series("loud", 40)...)
			held := q.Hold(30)
			q.SendAs("quiet", "q1", "q2")
			t.Equal("q1", q.One().Body)
			q.DeleteAll(held[0])
			t.Equal("loud31", q.One().Body)
		}},
		{"FAIR-5", "of several noisy tenants the one with the fewest in flight goes first", 0, func(t *T) {
			q := t.Standard()
			q.SendAs("more", series("more", 45)...)
			q.Hold(35)
			q.SendAs("fewer", series("fewer", 40)...)
			q.Hold(30)
			for _, body := range []string{"fewer31", "fewer32", "fewer33", "fewer34", "fewer35"} {
				t.Equal(body, q.One().Body)
			}
		}},
		{"FAIR-6", "a tenant that sent nothing for 5 minutes is not noisy", Time, func(t *T) {
			q := t.Standard("VisibilityTimeout", "43200")
			q.SendAs("loud", series("loud", 40)...)
			q.Hold(30)
			q.SendAs("quiet", "q1", "q2")
			t.Sleep(5*time.Minute - time.Millisecond)
			t.Equal("q1", q.One().Body)
			t.Sleep(time.Millisecond)
			t.Equal("loud31", q.One().Body)
			q.SendAs("loud", "more")
			t.Equal("q2", q.One().Body)
		}},
		{"FAIR-6", "a tenant without a backlog is not noisy", Engine, func(t *T) {
			q := noisyQueue(t)
			t.Equal(1, q.stats().NoisyGroups)
			q.Hold(10)
			t.Equal(0, q.stats().NoisyGroups)
			q.SendAs("loud", "again")
			t.Equal(1, q.stats().NoisyGroups)
		}},
		{"FAIR-7", "with fewer than 30 in flight no tenant is noisy", 0, func(t *T) {
			q := t.Standard()
			q.SendAs("loud", series("loud", 31)...)
			q.SendAs("quiet", "q")
			q.Hold(29)
			t.Equal([]string{"loud30"}, q.Bodies(1))
		}},
		{"FAIR-8", "within a tenant messages come oldest first, what was given back included", 0, func(t *T) {
			q := t.Standard()
			q.SendAs("loud", series("loud", 40)...)
			held := q.Hold(33)
			t.NoError(q.Change(held[7].ReceiptHandle, 0))
			t.NoError(q.Change(held[2].ReceiptHandle, 0))
			t.Equal([]string{"loud3", "loud8", "loud34"}, q.Bodies(3))
		}},
		{"FAIR-8", "a dead letter keeps its group", 0, func(t *T) {
			q, dead := t.Standard("VisibilityTimeout", "0"), t.Standard()
			q.Redrive(dead, 1)
			q.SendAs("tenant", "m")
			q.One()
			q.Empty()
			t.Equal("tenant", dead.One().Attributes["MessageGroupId"])
		}},
		{"FAIR-8", "a message of a quiet tenant is delayed and expires as any other", Time, func(t *T) {
			q := noisyQueue(t, "MessageRetentionPeriod", "60", "VisibilityTimeout", "600")
			_, err := q.Post(SendMessage{MessageBody: "q", MessageGroupId: "quiet", DelaySeconds: Int(10)})
			t.NoError(err)
			t.Equal("loud31", q.One().Body)
			t.Sleep(10 * time.Second)
			_, err = q.Take(ReceiveMessage{VisibilityTimeout: Int(20)})
			t.NoError(err)
			t.Equal("loud32", q.One().Body)
			t.Sleep(20 * time.Second)
			t.Equal("q", q.One().Body)
			t.Sleep(30 * time.Second)
			t.Equal([3]int{}, q.Counts())
		}},
		{"FAIR-9", "a tenant with all the processing time but few in flight is quiet", Time | Engine, func(t *T) {
			q := t.Standard("VisibilityTimeout", "43200")
			q.SendAs("slow", series("slow", 40)...)
			q.Hold(29)
			t.Sleep(4 * time.Minute)
			t.Equal(0, q.stats().NoisyGroups)
		}},
	},
	Differs: map[string]string{
		"FAIR-3": "Measure (a), the share of messages in flight, is applied exactly as given; measure (b), the share of processing time, is left out because its window and formula are not published.",
		"FAIR-9": "Processing time is not measured, see FAIR-3.",
	},
}

// SendAs sends bodies to a group of a standard queue, or to none where the group is "".
func (q *Q) SendAs(group string, bodies ...string) {
	q.t.Helper()
	for chunk := range slices.Chunk(bodies, 10) {
		var entries []SendMessage
		for _, body := range chunk {
			entries = append(entries, SendMessage{MessageBody: body, MessageGroupId: group})
		}
		out, err := q.SendBatch(entries...)
		q.t.NoError(err)
		q.t.Len(out.Successful, len(chunk))
	}
}

// Hold receives exactly n messages.
func (q *Q) Hold(n int) []Message {
	q.t.Helper()
	ms := q.Receive(n)
	q.t.Len(ms, n)
	return ms
}

// noisyQueue is a queue with the messages loud1 to loud40 of one tenant, of which 30 are in flight.
func noisyQueue(t *T, attributes ...string) *Q {
	t.Helper()
	q := t.Standard(attributes...)
	q.SendAs("loud", series("loud", 40)...)
	q.Hold(30)
	return q
}

// series returns name1, name2, ...
func series(name string, n int) []string {
	var list []string
	for i := range n {
		list = append(list, name+strconv.Itoa(i+1))
	}
	return list
}
