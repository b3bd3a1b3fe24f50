package suite

import (
	"slices"
	"strconv"
	"time"
)

// The texts of FIFO-2 and FIFO-3, which batches share.
const (
	textNoGroup         = "The request must contain the parameter MessageGroupId."
	textNoDeduplication = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
	textNotForFIFO      = "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type."
)

// fifoEntry is a message whose body is its deduplication id as well.
func fifoEntry(group, body string) SendMessage {
	return SendMessage{MessageBody: body, MessageGroupId: group, MessageDeduplicationId: body}
}

// fifoSending is section 5.1.
var fifoSending = Chapter{
	Cases: []Case{
		{"FIFO-1", "sends answer with numbers of 20 digits that grow", 0, func(t *T) {
			q := t.FIFO()
			var numbers []string
			for _, body := range []string{"a", "b", "c"} {
				numbers = append(numbers, q.SendTo("g", body).SequenceNumber)
			}
			out, err := q.SendBatch(fifoEntry("g", "d"), fifoEntry("other", "e"), fifoEntry("g", "f"))
			t.NoError(err)
			t.Empty(out.Failed)
			for _, sent := range out.Successful {
				numbers = append(numbers, sent.SequenceNumber)
			}
			numbers = append(numbers, q.SendTo("g", "g").SequenceNumber)
			t.Len(numbers, 7)
			for i, number := range numbers {
				t.Regexp(`^[0-9]{20}$`, number)
				if i > 0 {
					t.Greater(number, numbers[i-1])
				}
			}
		}},
		{"FIFO-1", "the numbers leave some out, and not always the same number", 0, func(t *T) {
			q := t.FIFO()
			var steps []uint64
			var last uint64
			for i := range 20 {
				number, err := strconv.ParseUint(q.SendTo("g", strconv.Itoa(i)).SequenceNumber, 10, 64)
				t.NoError(err)
				steps = append(steps, number-last)
				last = number
			}
			slices.Sort(steps)
			t.Greater(len(slices.Compact(steps)), 2) // the first is no step
		}},
		{"FIFO-1", "a receive shows the number that the send answered", 0, func(t *T) {
			q := t.FIFO()
			sent := q.SendTo("g", "m")
			t.Equal(sent.SequenceNumber, q.One().Attributes["SequenceNumber"])
		}},
		{"FIFO-1", "standard queues give no number", 0, func(t *T) {
			q := t.Standard()
			t.Empty(q.Send("one").SequenceNumber)
			sent, err := q.Post(SendMessage{MessageBody: "of a group", MessageGroupId: "g"})
			t.NoError(err)
			t.Empty(sent.SequenceNumber)
			for _, m := range q.Receive(2) {
				t.NotContains(m.Attributes, "SequenceNumber")
			}
		}},
		{"FIFO-2", "a send without a group is refused", 0, func(t *T) {
			for _, q := range []*Q{t.FIFO(), t.FIFO("ContentBasedDeduplication", "true")} {
				_, err := q.Post(SendMessage{MessageBody: "m", MessageDeduplicationId: "id"})
				t.Refused(err, "MissingParameter", textNoGroup)
				q.Empty()
			}
		}},
		{"FIFO-3", "a send without a deduplication id is refused unless the content serves for it", 0, func(t *T) {
			m := SendMessage{MessageBody: "m", MessageGroupId: "g"}
			for _, q := range []*Q{t.FIFO(), t.FIFO("ContentBasedDeduplication", "false")} {
				_, err := q.Post(m)
				t.Refused(err, "InvalidParameterValue", textNoDeduplication)
				q.Empty()
				t.NoError(q.Set("ContentBasedDeduplication", "true"))
				_, err = q.Post(m)
				t.NoError(err)
				t.NoError(q.Set("ContentBasedDeduplication", "false"))
				_, err = q.Post(m)
				t.Refused(err, "InvalidParameterValue", textNoDeduplication)
			}
		}},
		{"FIFO-4", "an entry without a group fails the whole batch", 0, func(t *T) {
			q := t.FIFO()
			_, err := q.SendBatch(fifoEntry("g", "good"), SendMessage{MessageBody: "bad", MessageDeduplicationId: "bad"})
			t.Refused(err, "InvalidParameterValue", textNoGroup)
			q.Empty()
		}},
		{"FIFO-4", "an entry without a deduplication id fails the whole batch", 0, func(t *T) {
			q := t.FIFO()
			_, err := q.SendBatch(fifoEntry("g", "good"), SendMessage{MessageBody: "bad", MessageGroupId: "g"})
			t.Refused(err, "InvalidParameterValue", textNoDeduplication)
			q.Empty()
		}},
		{"FIFO-5", "a delay of a message is refused", 0, func(t *T) {
			q := t.FIFO()
			m := fifoEntry("g", "m")
			m.DelaySeconds = Int(2)
			_, err := q.Post(m)
			t.Refused(err, "InvalidParameterValue", textNotForFIFO)
			q.Empty()
		}},
		{"FIFO-5", "a delay of an entry fails the whole batch", 0, func(t *T) {
			q := t.FIFO()
			late := fifoEntry("g", "late")
			late.DelaySeconds = Int(2)
			_, err := q.SendBatch(fifoEntry("g", "a"), late, fifoEntry("g", "b"))
			t.Refused(err, "InvalidParameterValue", textNotForFIFO)
			q.Empty()
		}},
		{"FIFO-5", "a delay of 0 is accepted", Zeros, func(t *T) {
			q := t.FIFO("DelaySeconds", "900")
			m := fifoEntry("g", "m")
			m.DelaySeconds = Int(0)
			_, err := q.Post(m)
			t.NoError(err)
			t.Equal([3]int{0, 0, 1}, q.Counts())
			q.Empty()
		}},
		{"FIFO-5", "a delay of 0 does not cancel the delay of the queue", Zeros | Time, func(t *T) {
			q := t.FIFO("DelaySeconds", "5")
			m := fifoEntry("g", "m")
			m.DelaySeconds = Int(0)
			_, err := q.Post(m)
			t.NoError(err)
			p := <-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
			t.Equal([]string{"m"}, Bodies(p.Messages))
			t.Equal(5*time.Second, p.Took)
		}},
		{"FIFO-6", "a group comes in the order it was sent", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "3", "1", "2")
			out, err := q.SendBatch(fifoEntry("g", "9"), fifoEntry("g", "7"), fifoEntry("g", "8"))
			t.NoError(err)
			t.Empty(out.Failed)
			q.SendTo("g", "0")
			t.Equal([]string{"3", "1", "2", "9", "7", "8", "0"}, q.Bodies(10))
		}},
		{"FIFO-6", "a batch of several groups is enqueued in the order of its list", 0, func(t *T) {
			q := t.FIFO()
			_, err := q.SendBatch(fifoEntry("a", "a1"), fifoEntry("b", "b1"), fifoEntry("a", "a2"), fifoEntry("b", "b2"), fifoEntry("a", "a3"))
			t.NoError(err)
			t.Equal([]string{"a1", "a2", "a3", "b1", "b2"}, q.Bodies(10))
		}},
		{"FIFO-6", "an entry that fails leaves no gap", 0, func(t *T) {
			q := t.FIFO()
			bad := fifoEntry("g", "bad")
			bad.MessageBody = "\x01"
			out, err := q.SendBatch(fifoEntry("g", "a"), bad, fifoEntry("g", "b"))
			t.NoError(err)
			t.Len(out.Failed, 1)
			t.Failed(out.Failed[0], "1", "InvalidMessageContents")
			q.SendTo("g", "c")
			t.Equal([]string{"a", "b", "c"}, q.Bodies(10))
		}},
		{"FIFO-7", "the delay of the queue holds every message back and keeps the order", Time, func(t *T) {
			q := t.FIFO("DelaySeconds", "5")
			q.SendTo("g", "a", "b")
			t.Sleep(3 * time.Second)
			q.SendTo("g", "c")
			t.Sleep(2*time.Second - time.Millisecond)
			q.Empty()
			t.Sleep(time.Millisecond)
			t.Equal([3]int{2, 0, 1}, q.Counts())
			ms := q.Receive(10)
			t.Equal([]string{"a", "b"}, Bodies(ms))
			q.DeleteAll(ms...)
			p := <-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
			t.Equal([]string{"c"}, Bodies(p.Messages))
			t.Equal(3*time.Second, p.Took)
		}},
		{"FIFO-7", "messages of a queue with a delay count as delayed", 0, func(t *T) {
			q := t.FIFO("DelaySeconds", "900")
			q.SendTo("g", "a", "b")
			q.SendTo("h", "c")
			q.Empty()
			t.Equal([3]int{0, 0, 3}, q.Counts())
		}},
		{"FIFO-7", "a delay that is taken away frees what waits", 0, func(t *T) {
			q := t.FIFO("DelaySeconds", "900")
			q.SendTo("g", "a", "b")
			q.Empty()
			t.NoError(q.Set("DelaySeconds", "0"))
			t.Equal([]string{"a", "b"}, q.Bodies(10))
		}},
		{"FIFO-7", "a delay that comes later leaves visible what is visible", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "a", "b")
			t.NoError(q.Set("DelaySeconds", "900"))
			q.SendTo("g", "c")
			t.Equal([3]int{2, 0, 1}, q.Counts())
			ms := q.Receive(10)
			t.Equal([]string{"a", "b"}, Bodies(ms))
			q.DeleteAll(ms...)
			q.Empty()
		}},
		{"FIFO-7", "a changed delay counts from when messages were sent", Time, func(t *T) {
			for _, delay := range []struct {
				is, becomes string
				at          time.Duration
			}{{"60", "10", 10 * time.Second}, {"10", "60", time.Minute}, {"60", "2", 4 * time.Second}} {
				q := t.FIFO("DelaySeconds", delay.is)
				q.SendTo("g", "m")
				t.Sleep(4 * time.Second)
				t.NoError(q.Set("DelaySeconds", delay.becomes))
				if delay.at > 4*time.Second {
					t.Sleep(delay.at - 4*time.Second - time.Millisecond)
					q.Empty()
					t.Sleep(time.Millisecond)
				}
				t.Equal([]string{"m"}, q.Bodies(1))
			}
		}},
	},
}
