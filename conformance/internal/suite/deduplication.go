package suite

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// A body and its SHA-256, from FIFO-18.
const (
	hashedBody = `{"foo": "bar"}`
	bodyHash   = "426fc04f04bf8fdb5831dc37bbb6dcf70f63a37e05a68c6ea5f63e85ae579376"
)

// sendUnder sends a message with a deduplication id, "" for none, and returns the answer.
func (q *Q) sendUnder(id, group, body string) Sent {
	q.t.Helper()
	sent, err := q.Post(SendMessage{MessageBody: body, MessageGroupId: group, MessageDeduplicationId: id})
	q.t.NoError(err)
	return sent
}

// deduplication is section 5.3.
var deduplication = Chapter{
	Cases: []Case{
		{"FIFO-18", "messages are duplicates by their explicit id, whatever they say", 0, func(t *T) {
			for _, content := range []string{"true", "false"} {
				q := t.FIFO("ContentBasedDeduplication", content)
				q.sendUnder("id", "g", "first")
				q.sendUnder("id", "g", "second")
				q.sendUnder("ID", "g", "first")
				q.sendUnder("id2", "g", "first")
				t.Equal([]string{"first", "first", "first"}, q.Bodies(10))
			}
		}},
		{"FIFO-18", "without an id the hash of the body is the id", 0, func(t *T) {
			q := t.FIFO("ContentBasedDeduplication", "true")
			q.sendUnder("", "g", hashedBody)
			q.sendUnder("", "g", hashedBody)
			q.sendUnder("", "g", hashedBody+" ")
			ms := q.Receive(10)
			t.Equal([]string{hashedBody, hashedBody + " "}, Bodies(ms))
			t.Equal(bodyHash, ms[0].Attributes["MessageDeduplicationId"])
		}},
		{"FIFO-18", "attributes are no part of the content", 0, func(t *T) {
			q := t.FIFO("ContentBasedDeduplication", "true")
			first := q.sendUnder("", "g", "m")
			again, err := q.Post(SendMessage{MessageBody: "m", MessageGroupId: "g", MessageAttributes: map[string]AttributeValue{"a": Text("b")}})
			t.NoError(err)
			t.Equal(first.MessageId, again.MessageId)
			t.Empty(q.Receive(10)[0].MessageAttributes)
			q.Empty()
		}},
		{"FIFO-18", "the group is no part of the content", 0, func(t *T) {
			q := t.FIFO("ContentBasedDeduplication", "true")
			q.sendUnder("", "g", "m")
			q.sendUnder("", "h", "m")
			t.Len(q.Receive(10), 1)
		}},
		{"FIFO-18", "an explicit id that equals the hash of an earlier body is a duplicate", 0, func(t *T) {
			q := t.FIFO("ContentBasedDeduplication", "true")
			first := q.sendUnder("", "g", hashedBody)
			t.Equal(first.MessageId, q.sendUnder(bodyHash, "g", "other").MessageId)
			t.NotEqual(first.MessageId, q.sendUnder(strings.ToUpper(bodyHash), "g", "other").MessageId)
			t.Equal([]string{hashedBody, "other"}, q.Bodies(10))
		}},
		{"FIFO-18", "a body whose hash was an explicit id is a duplicate", 0, func(t *T) {
			q := t.FIFO("ContentBasedDeduplication", "true")
			first := q.sendUnder(bodyHash, "g", "other")
			t.Equal(first.MessageId, q.sendUnder("", "g", hashedBody).MessageId)
			t.Equal([]string{"other"}, q.Bodies(10))
		}},
		{"FIFO-18", "entries of one batch are duplicates of each other", 0, func(t *T) {
			q := t.FIFO()
			again := fifoEntry("g", "a")
			again.MessageBody = "again"
			out, err := q.SendBatch(fifoEntry("g", "a"), again, fifoEntry("g", "b"))
			t.NoError(err)
			t.Len(out.Successful, 3)
			t.Equal(out.Successful[0].MessageId, out.Successful[1].MessageId)
			t.Equal([]string{"a", "b"}, q.Bodies(10))
		}},
		{"FIFO-19", "an id is free five minutes after the first send", Time, func(t *T) {
			q := t.FIFO()
			first := q.sendUnder("id", "g", "first")
			t.Sleep(5*time.Minute - time.Millisecond)
			t.Equal(first.MessageId, q.sendUnder("id", "g", "second").MessageId)
			t.Sleep(time.Millisecond)
			t.NotEqual(first.MessageId, q.sendUnder("id", "g", "third").MessageId)
			t.Equal([]string{"first", "third"}, q.Bodies(10))
		}},
		{"FIFO-19", "duplicates do not extend the five minutes", Time, func(t *T) {
			q := t.FIFO()
			first := q.sendUnder("id", "g", "first")
			for range 4 {
				t.Sleep(time.Minute)
				t.Equal(first.MessageId, q.sendUnder("id", "g", "again").MessageId)
			}
			t.Sleep(time.Minute)
			second := q.sendUnder("id", "g", "second")
			t.NotEqual(first.MessageId, second.MessageId)
			t.Sleep(5*time.Minute - time.Millisecond)
			t.Equal(second.MessageId, q.sendUnder("id", "g", "again").MessageId)
		}},
		{"FIFO-19", "an id stays taken after receive and delete", 0, func(t *T) {
			q := t.FIFO()
			first := q.sendUnder("id", "g", "first")
			m := q.One()
			t.Equal(first.MessageId, q.sendUnder("id", "g", "second").MessageId)
			q.DeleteAll(m)
			t.Equal(first.MessageId, q.sendUnder("id", "g", "third").MessageId)
			q.Empty()
			t.Equal([3]int{}, q.Counts())
		}},
		{"FIFO-19", "an id stays taken for the rest of the five minutes after a delete", Time, func(t *T) {
			q := t.FIFO()
			q.sendUnder("id", "g", "first")
			t.Sleep(time.Minute)
			q.DeleteAll(q.One())
			t.Sleep(4*time.Minute - time.Millisecond)
			q.sendUnder("id", "g", "second")
			q.Empty()
			t.Sleep(time.Millisecond)
			q.sendUnder("id", "g", "third")
			t.Equal([]string{"third"}, q.Bodies(10))
		}},
		{"FIFO-20", "a duplicate gets the id and the number of the original, and is not stored", 0, func(t *T) {
			q := t.FIFO()
			first := q.sendUnder("id", "g", "first")
			q.sendUnder("other", "g", "between")
			again := q.sendUnder("id", "g", "second")
			t.Equal(first.MessageId, again.MessageId)
			t.Equal(first.SequenceNumber, again.SequenceNumber)
			t.Equal([]string{"first", "between"}, q.Bodies(10))
		}},
		{"FIFO-20", "the digest is that of the duplicate's own body", Members, func(t *T) {
			q := t.FIFO()
			for _, body := range []string{"first", "second"} {
				sum := md5.Sum([]byte(body))
				t.Equal(hex.EncodeToString(sum[:]), q.sendUnder("id", "g", body).MD5OfMessageBody)
			}
		}},
		{"FIFO-20", "duplicates are counted by a metric of their own", Engine, func(t *T) {
			q := t.FIFO()
			for range 3 {
				q.sendUnder("id", "g", "m")
			}
			t.EqualValues(2, q.stats().Deduplicated)
		}},
		{"FIFO-21", "of scope queue an id counts across groups", 0, func(t *T) {
			for _, q := range []*Q{t.FIFO(), t.FIFO("DeduplicationScope", "queue")} {
				first := q.sendUnder("id", "g", "m")
				t.Equal(first.MessageId, q.sendUnder("id", "h", "m").MessageId)
				t.Len(q.Receive(10), 1)
			}
		}},
		{"FIFO-21", "of scope messageGroup an id counts within its group", 0, func(t *T) {
			for _, limit := range []string{"perQueue", "perMessageGroupId"} {
				q := t.FIFO("DeduplicationScope", "messageGroup", "FifoThroughputLimit", limit, "ContentBasedDeduplication", "true")
				first := q.sendUnder("id", "g", "g1")
				t.NotEqual(first.MessageId, q.sendUnder("id", "h", "h1").MessageId)
				t.Equal(first.MessageId, q.sendUnder("id", "g", "g2").MessageId)
				q.sendUnder("", "g", "both")
				q.sendUnder("", "h", "both")
				q.sendUnder("", "h", "both")
				t.Equal([]string{"g1", "both", "h1", "both"}, q.Bodies(10))
			}
		}},
		{"FIFO-22", "a scope set later is shown and does not act", 0, func(t *T) {
			for _, scope := range []struct {
				is, becomes string
				want        int
			}{{"queue", "messageGroup", 1}, {"messageGroup", "queue", 2}} {
				q := t.FIFO("DeduplicationScope", scope.is)
				t.NoError(q.Set("DeduplicationScope", scope.becomes))
				t.Equal(scope.becomes, q.Attribute("DeduplicationScope"))
				q.sendUnder("id", "g", "m")
				q.sendUnder("id", "h", "m")
				t.Len(q.Receive(10), scope.want, scope.is)
			}
		}},
		{"FIFO-23", "a purge frees the ids", 0, func(t *T) {
			q := t.FIFO()
			first := q.sendUnder("id", "g", "first")
			t.NoError(q.Purge())
			t.NotEqual(first.MessageId, q.sendUnder("id", "g", "second").MessageId)
			t.Equal([]string{"second"}, q.Bodies(10))
		}},
		{"FIFO-24", "in the dead-letter queue the message id is the deduplication id", 0, func(t *T) {
			q, dead := t.FIFO(), t.FIFO()
			q.Redrive(dead, 1)
			sent := q.sendUnder("id", "g", "m")
			q.back(q.One())
			q.Empty()
			m := dead.One()
			t.Equal(sent.MessageId, m.MessageId)
			t.Equal(sent.MessageId, m.Attributes["MessageDeduplicationId"])
		}},
		{"FIFO-24", "a dead letter is never dropped as a duplicate", 0, func(t *T) {
			q, other, dead := t.FIFO(), t.FIFO(), t.FIFO("ContentBasedDeduplication", "true")
			q.Redrive(dead, 1)
			other.Redrive(dead, 1)
			ids := []string{dead.sendUnder("id", "g", "m").MessageId}
			dead.sendUnder("", "g", "m")
			for _, q := range []*Q{q, other} {
				sent := q.sendUnder("id", "g", "m")
				dead.sendUnder(sent.MessageId, "g", "taken before")
				ids = append(ids, sent.MessageId)
				q.back(q.One())
				q.Empty()
			}
			var found []string
			for _, m := range dead.Receive(10) {
				if m.Body == "m" {
					found = append(found, m.MessageId)
				}
			}
			for _, id := range ids {
				t.Contains(found, id)
			}
			t.Len(found, 4)
		}},
		{"FIFO-25", "the dead-letter queue is of the type of its source", 0, func(t *T) {
			standard, fifo := t.Standard(), t.FIFO()
			for _, pair := range [][2]*Q{{standard, fifo}, {fifo, standard}} {
				policy := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":1}`, pair[1].ARN())
				t.Refused(pair[0].Set("RedrivePolicy", policy), "InvalidParameterValue", "Value "+policy+
					" for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must be same type of queue as the source.")
				t.Empty(pair[0].Attribute("RedrivePolicy"))
			}
			standard.Redrive(t.Standard(), 1)
			fifo.Redrive(t.FIFO(), 1)
		}},
		{"FIFO-25", "the group is kept in the dead-letter queue", 0, func(t *T) {
			q, dead := t.FIFO(), t.FIFO()
			q.Redrive(dead, 1)
			q.SendTo("g1", "g1-m1", "g1-m2")
			q.SendTo("g2", "g2-m1")
			q.back(q.Receive(3)...)
			q.Empty()
			groups := map[string][]string{}
			for _, m := range dead.Receive(10) {
				groups[m.Attributes["MessageGroupId"]] = append(groups[m.Attributes["MessageGroupId"]], m.Body)
			}
			t.Equal(map[string][]string{"g1": {"g1-m1", "g1-m2"}, "g2": {"g2-m1"}}, groups)
			dead.SendTo("g1", "g1-m3")
			dead.Empty()
		}},
	},
}
