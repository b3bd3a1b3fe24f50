package suite

import (
	"time"

	"example.com/inq"
)

// metrics is section 10, metrics.
var metrics = Chapter{
	Tables: map[string]string{"TABLE-METRICS": "Metrics"},
	Cases: []Case{
		{"TABLE-METRICS", "ApproximateAgeOfOldestMessage, of what is not deleted", Time | Engine, func(t *T) {
			for _, q := range either(t) {
				t.Zero(q.stats().OldestAge)
				q.SendAny("m1")
				t.Sleep(10 * time.Second)
				q.SendAny("m2")
				t.Sleep(time.Second)
				m := q.One()
				t.Equal(11*time.Second, q.stats().OldestAge)
				q.DeleteAll(m)
				t.Equal(time.Second, q.stats().OldestAge)
			}
		}},
		{"TABLE-METRICS", "ApproximateAgeOfOldestMessage, without what failed three times on a standard queue", Time | Engine, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("failing")
				t.Sleep(10 * time.Second)
				q.SendAny("m")
				for range 3 {
					t.Equal(10*time.Second, q.stats().OldestAge)
					t.NoError(q.Change(q.One().ReceiptHandle, 0))
				}
				t.Sleep(time.Second)
				if q.isFIFO() {
					t.Equal(11*time.Second, q.stats().OldestAge)
				} else {
					t.Equal(time.Second, q.stats().OldestAge)
				}
			}
		}},
		{"TABLE-METRICS", "ApproximateAgeOfOldestMessage, in a dead-letter queue since the move", Time | Engine, func(t *T) {
			for source, dead := range bothWithDead(t) {
				source.SendAny("m")
				t.Sleep(time.Minute)
				source.One()
				source.Empty()
				t.Zero(dead.stats().OldestAge)
				t.Sleep(3 * time.Second)
				t.Equal(3*time.Second, dead.stats().OldestAge)
			}
		}},
		{"TABLE-METRICS", "messages visible, not visible and delayed", Engine, func(t *T) {
			q := t.Standard()
			q.Send("m1", "m2", "m3")
			q.One()
			_, err := q.Post(SendMessage{MessageBody: "late", DelaySeconds: Int(900)})
			t.NoError(err)
			t.Equal(inq.Counts{Visible: 2, NotVisible: 1, Delayed: 1}, q.stats().Counts)
		}},
		{"TABLE-METRICS", "NumberOfMessagesSent and SentMessageSize", Engine, func(t *T) {
			q := t.Standard()
			t.Equal([2]uint64{}, [2]uint64{q.stats().Sent, q.stats().SentBytes})
			q.Send("12345")
			_, err := q.Post(SendMessage{MessageBody: "123", MessageAttributes: map[string]AttributeValue{"ab": Text("cd")}}) // 2+6+2 bytes more
			t.NoError(err)
			_, err = q.SendBatch(SendMessage{MessageBody: "1"}, SendMessage{MessageBody: "é"})
			t.NoError(err)
			t.Equal([2]uint64{4, 21}, [2]uint64{q.stats().Sent, q.stats().SentBytes})
		}},
		{"TABLE-METRICS", "NumberOfMessagesSent counts what is sent to a dead-letter queue, not what is moved there", Engine, func(t *T) {
			for source, dead := range bothWithDead(t) {
				source.SendAny("m")
				source.One()
				source.Empty()
				t.Zero(dead.stats().Sent)
				t.Zero(dead.stats().SentBytes)
				t.EqualValues(1, dead.stats().MovedIn)
				dead.SendAny("manually")
				t.EqualValues(1, dead.stats().Sent)
			}
		}},
		{"TABLE-METRICS", "NumberOfMessagesSent and NumberOfMessagesDeleted without what a move task moves", Engine, func(t *T) {
			for _, kind := range []func(...string) *Q{t.Standard, t.FIFO} {
				source, dead := t.buried(kind, 3)
				before := source.stats()
				dead.start(nil, 0)
				t.Equal(3, dead.ended().ApproximateNumberOfMessagesMoved)
				t.Equal([2]uint64{before.Sent, before.SentBytes}, [2]uint64{source.stats().Sent, source.stats().SentBytes})
				t.EqualValues(3, source.stats().MovedIn)
				t.Zero(dead.stats().Deleted)
			}
		}},
		{"TABLE-METRICS", "NumberOfEmptyReceives, of long polls that found nothing", Time | Engine, func(t *T) {
			for _, q := range either(t) {
				t.Empty((<-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(3)})).Messages)
				t.EqualValues(1, q.stats().EmptyReceives)
				poll := q.Poll(ReceiveMessage{WaitTimeSeconds: Int(3)})
				t.Sleep(time.Second)
				q.SendAny("m")
				t.Len((<-poll).Messages, 1)
				t.Equal([2]uint64{1, 1}, [2]uint64{q.stats().Received, q.stats().EmptyReceives})
			}
		}},
		{"TABLE-METRICS", "NumberOfMessagesReceived counts what the same attempt returns again", Engine, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1", "m2")
			for range 3 {
				t.Len(q.attempt("a", nil), 2)
			}
			t.EqualValues(6, q.stats().Received)
		}},
		{"TABLE-METRICS", "NumberOfMessagesReceived and NumberOfEmptyReceives", Engine, func(t *T) {
			for _, q := range either(t, "VisibilityTimeout", "0") {
				q.Empty()
				q.SendAny("m1", "m2")
				t.Len(q.Receive(2), 2)
				t.Len(q.Receive(2), 2)
				t.Equal([2]uint64{4, 1}, [2]uint64{q.stats().Received, q.stats().EmptyReceives})
			}
		}},
		{"TABLE-METRICS", "NumberOfMessagesReceived without what a receive moves away", Engine, func(t *T) {
			for source := range bothWithDead(t) {
				source.SendAny("m")
				source.One()
				source.Empty()
				t.Equal([2]uint64{1, 1}, [2]uint64{source.stats().Received, source.stats().EmptyReceives})
			}
		}},
		{"TABLE-METRICS", "NumberOfMessagesDeleted counts deletes, not messages", Engine, func(t *T) {
			q := t.Standard()
			older, latest := received2(q)
			for range 2 {
				t.NoError(q.Delete(older))
				t.NoError(q.Delete(latest))
			}
			t.EqualValues(4, q.stats().Deleted)
			t.Error(q.Delete("x"))
			t.EqualValues(4, q.stats().Deleted)
		}},
		{"TABLE-METRICS", "NumberOfMessagesDeleted counts the entries of a batch that succeeded", Engine, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m1", "m2")
				ms := q.Hold(2)
				t.Must("DeleteMessageBatch", Batch[DeleteMessage]{q.URL, []DeleteMessage{
					{Id: "a", ReceiptHandle: ms[0].ReceiptHandle}, {Id: "b", ReceiptHandle: "x"}, {Id: "c", ReceiptHandle: ms[1].ReceiptHandle},
				}}, nil)
				t.EqualValues(2, q.stats().Deleted)
			}
		}},
		{"TABLE-METRICS", "NumberOfMessagesDeleted without purges and moves", Engine, func(t *T) {
			for source := range bothWithDead(t) {
				source.SendAny("moved")
				source.One()
				source.Empty()
				source.SendAny("purged")
				t.NoError(source.Purge())
				t.Zero(source.stats().Deleted)
			}
		}},
		{"TABLE-METRICS", "NumberOfMessagesDeleted without what expired", Time | Engine, func(t *T) {
			q := t.Standard("MessageRetentionPeriod", "60")
			q.Send("m")
			t.Sleep(time.Hour)
			t.Zero(q.stats().Deleted)
			t.EqualValues(1, q.stats().Expired)
		}},
		{"TABLE-METRICS", "NumberOfDeduplicatedSentMessages", Engine, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "a", "b", "a", "a")
			t.EqualValues(2, q.stats().Deduplicated)
		}},
		{"TABLE-METRICS", "ApproximateNumberOfGroupsWithInflightMessages", Engine, func(t *T) {
			q := t.FIFO()
			q.SendTo("g1", "a1", "a2", "a3")
			q.SendTo("g2", "b1")
			q.SendTo("g3", "c1")
			ms := q.Hold(4)
			t.Equal(2, q.stats().GroupsInFlight)
			q.DeleteAll(ms[3])
			t.Equal(1, q.stats().GroupsInFlight)
			q.DeleteAll(ms[0], ms[1])
			t.Equal(1, q.stats().GroupsInFlight)
			t.NoError(q.Change(ms[2].ReceiptHandle, 0))
			t.Equal(0, q.stats().GroupsInFlight)
		}},
		{"TABLE-METRICS", "noisy groups, and messages without theirs", Engine, func(t *T) {
			q := noisyQueue(t)
			q.SendAs("quiet", "q1", "q2")
			q.SendAs("", "alone")
			t.Equal("q1", q.One().Body)
			for _, group := range []string{"quiet", "loud"} {
				_, err := q.Post(SendMessage{MessageBody: "late", MessageGroupId: group, DelaySeconds: Int(900)})
				t.NoError(err)
			}
			s := q.stats()
			t.Equal(1, s.NoisyGroups)
			t.Equal(inq.Counts{Visible: 12, NotVisible: 31, Delayed: 2}, s.Counts)
			t.Equal(inq.Counts{Visible: 2, NotVisible: 1, Delayed: 1}, s.Quiet)
		}},
		{"TABLE-METRICS", "ApproximateAgeOfOldestMessageInQuietGroups", Time | Engine, func(t *T) {
			q := noisyQueue(t, "VisibilityTimeout", "600")
			t.Sleep(10 * time.Second)
			q.SendAs("quiet", "q")
			t.Sleep(time.Second)
			t.Equal(11*time.Second, q.stats().OldestAge)
			t.Equal(time.Second, q.stats().QuietOldestAge)
		}},
		{"MET-1", "figures are there at any time, however long nobody called", Time | Engine, func(t *T) {
			q := t.Standard()
			q.Send("m")
			q.DeleteAll(q.One())
			t.Sleep(7 * time.Hour)
			t.Equal(inq.Stats{Sent: 1, SentBytes: 1, Received: 1, Deleted: 1}, q.stats())
		}},
		{"MET-1", "nothing is negative, whatever is deleted and given back twice", Engine, func(t *T) {
			q := t.Standard()
			older, latest := received2(q)
			t.NoError(q.Change(older, 0))
			t.NoError(q.Change(latest, 0))
			t.NoError(q.Delete(older))
			t.NoError(q.Delete(latest))
			t.Equal(inq.Stats{Sent: 1, SentBytes: 1, Received: 2, ReceivedAgain: 1, Deleted: 2}, q.stats())
		}},
		{"MET-2", "a duplicate is not counted as sent", Engine, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "a", "a", "b")
			t.Equal([3]uint64{2, 2, 1}, [3]uint64{q.stats().Sent, q.stats().SentBytes, q.stats().Deduplicated})
		}},
	},
	Differs: map[string]string{
		"MET-1": "CloudWatch has a point a minute, and none of a queue nobody uses. Stats tells the same figures at any time, exact; they are never negative either.",
	},
}

// stats returns what the queue tells of itself.
func (q *Q) stats() inq.Stats {
	q.t.Helper()
	q.t.mustNeed(Engine, "reads figures")
	queue, err := q.t.Broker.Queue(q.Name)
	q.t.NoError(err)
	return queue.(interface{ Stats() inq.Stats }).Stats()
}
