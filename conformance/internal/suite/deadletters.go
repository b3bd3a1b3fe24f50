package suite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/inq"
)

// policy is a RedrivePolicy; maxReceiveCount is JSON.
func policy(arn, maxReceiveCount string) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%s}`, arn, maxReceiveCount)
}

// bury lets all messages of q, which have been received as often as its policy allows, become dead
// letters.
func (q *Q) bury(ms ...Message) {
	q.t.Helper()
	q.back(ms...)
	q.Empty()
}

// millis is an attribute of a message that is a time.
func (t *T) millis(m Message, attribute string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(m.Attributes[attribute], 10, 64)
	t.NoError(err)
	return n
}

// sources lists the dead-letter sources of q in pages of some size, as names of queues.
func (q *Q) sources(most int) (pages [][]string) {
	q.t.Helper()
	in := ListDeadLetterSourceQueues{QueueUrl: q.URL, MaxResults: Int(most)}
	for range 10 {
		var out QueueURLs
		q.t.Must("ListDeadLetterSourceQueues", in, &out)
		var page []string
		for _, url := range out.QueueUrls {
			page = append(page, queueName(url))
		}
		if in.NextToken = out.NextToken; page != nil {
			pages = append(pages, page)
		}
		if in.NextToken == "" {
			return pages
		}
	}
	q.t.failed(nil, "the list has no end")
	return nil
}

// deadLetters is section 6.
var deadLetters = Chapter{
	Cases: []Case{
		{"DLQ-1", "maxReceiveCount is a number or its text, from 1 to 1000", 0, func(t *T) {
			dead := t.Standard()
			for _, count := range []string{"1", "1000", `"1"`, `"1000"`, `"10"`} {
				q := t.Standard("RedrivePolicy", policy(dead.ARN(), count))
				t.NoError(t.Standard().Set("RedrivePolicy", policy(dead.ARN(), count)))
				var shown struct {
					DeadLetterTargetArn string
					MaxReceiveCount     any
				}
				t.NoError(json.Unmarshal([]byte(q.Attribute("RedrivePolicy")), &shown))
				t.Equal(dead.ARN(), shown.DeadLetterTargetArn)
				t.Equal(strings.Trim(count, `"`), fmt.Sprint(shown.MaxReceiveCount))
			}
		}},
		{"DLQ-1", "maxReceiveCount as text counts like the number", 0, func(t *T) {
			dead := t.Standard()
			q := t.Standard("RedrivePolicy", policy(dead.ARN(), `"2"`))
			q.Send("m")
			q.back(q.One())
			q.bury(q.One())
			t.Equal([]string{"m"}, dead.Bodies(10))
		}},
		{"DLQ-1", "the policy can be taken away", 0, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			q.Redrive(dead, 1)
			t.NoError(q.Set("RedrivePolicy", ""))
			t.Empty(q.Attribute("RedrivePolicy"))
			q.Send("m")
			q.back(q.One())
			t.Equal([]string{"m"}, q.Bodies(10))
			dead.Empty()
		}},
		{"DLQ-2", "a bad policy is refused at create and at set", 0, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			arn := dead.ARN()
			for bad, reason := range map[string]string{
				`{"maxReceiveCount":1}`:      "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.",
				`{}`:                         "Redrive policy does not contain mandatory attribute: maxReceiveCount.", // (SQS: CAP-11)
				policy(arn, "null"):          "Redrive policy does not contain mandatory attribute: maxReceiveCount.",
				policy(arn, "0"):             "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive.",
				policy(arn, `"1001"`):        "Invalid value for maxReceiveCount: 1001, valid values are from 1 to 1000 both inclusive.",
				policy(arn, "-1"):            "Invalid value for maxReceiveCount: -1, valid values are from 1 to 1000 both inclusive.",
				policy(arn, "1.5"):           "Invalid value for maxReceiveCount: 1.5, valid values are from 1 to 1000 both inclusive.",
				policy(arn, `"many"`):        "Invalid value for maxReceiveCount: many, valid values are from 1 to 1000 both inclusive.",
				policy(dead.Name, "1"):       "Dead-letter target ARN should be fully qualified ARN.",
				policy(arn+"-not", "1"):      "Dead letter target does not exist.",
				policy(t.FIFO().ARN(), "1"):  "Dead-letter queue must be same type of queue as the source.",
				policy(arn, `1,"extra":"x"`): "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn].",
			} {
				text := "Value " + bad + " for parameter RedrivePolicy is invalid. Reason: " + reason
				t.Refused(q.Set("RedrivePolicy", bad), "InvalidParameterValue", text)
				t.Refused(t.Call("CreateQueue", CreateQueue{QueueName: "new", Attributes: Pairs("RedrivePolicy", bad)}, nil), "InvalidParameterValue", text)
			}
			t.Empty(q.Attribute("RedrivePolicy"))
			t.Refused(t.Call("GetQueueUrl", GetQueueURL{"new"}, nil), "AWS.SimpleQueueService.NonExistentQueue", "")
		}},
		{"DLQ-2", "a policy that is no JSON object is refused", 0, func(t *T) {
			q := t.Standard()
			for _, bad := range []string{"nonsense", "[]", "7", `"text"`, "{", policy(q.ARN(), "1") + "}"} {
				t.Refused(q.Set("RedrivePolicy", bad), "InvalidParameterValue",
					"Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map.")
			}
		}},
		{"DLQ-2", "the syntax of the ARN is checked before its queue", 0, func(t *T) {
			q := t.Standard()
			for _, arn := range []string{"missing", "arn:aws:sqs:us-east-1:missing", "arn:aws:sns:us-east-1:000000000000:missing"} {
				bad := policy(arn, "1")
				t.Refused(q.Set("RedrivePolicy", bad), "InvalidParameterValue",
					"Value "+bad+" for parameter RedrivePolicy is invalid. Reason: Dead-letter target ARN should be fully qualified ARN.")
			}
		}},
		{"DLQ-2", "a refused policy leaves the one before", 0, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			q.Redrive(dead, 7)
			before := q.Attribute("RedrivePolicy")
			t.Refused(q.Set("RedrivePolicy", policy(dead.ARN(), "0"), "VisibilityTimeout", "9"), "InvalidParameterValue", "")
			t.Equal(before, q.Attribute("RedrivePolicy"))
			t.Equal("30", q.Attribute("VisibilityTimeout"))
		}},
		{"DLQ-2", "a queue may be its own dead-letter queue", 0, func(t *T) {
			for _, q := range []*Q{t.Standard(), t.FIFO()} {
				q.Redrive(q, 2)
				t.Equal([][]string{{q.Name}}, q.sources(10))
			}
		}},
		{"DLQ-3", "a queue of another account or region is refused", 0, func(t *T) {
			q := t.Standard()
			parts := strings.Split(t.Standard().ARN(), ":")
			for i, other := range map[int]string{3: "mars-north-1", 4: "999999999999"} {
				elsewhere := append([]string(nil), parts...)
				elsewhere[i] = other
				t.Refused(q.Set("RedrivePolicy", policy(strings.Join(elsewhere, ":"), "1")), "InvalidParameterValue", "")
			}
			t.NoError(q.Set("RedrivePolicy", policy(strings.Join(parts, ":"), "1")))
		}},
		{"DLQ-4", "the move happens at a receive, which returns nothing", 0, func(t *T) {
			for _, kind := range []func(...string) *Q{t.Standard, t.FIFO} {
				q, dead := kind(), kind()
				q.Redrive(dead, 1)
				_, err := q.Post(q.letter("m"))
				t.NoError(err)
				m := q.One()
				t.Equal("1", m.Attributes["ApproximateReceiveCount"])
				q.back(m)
				t.Equal([3]int{1, 0, 0}, q.Counts())
				t.Equal([3]int{}, dead.Counts())
				q.Empty()
				t.Equal([3]int{}, q.Counts())
				t.Equal([]string{"m"}, dead.Bodies(10))
			}
		}},
		{"DLQ-4", "a timeout that lapses moves nothing before the next receive", Time, func(t *T) {
			q, dead := t.Standard("VisibilityTimeout", "5"), t.Standard()
			q.Redrive(dead, 1)
			q.Send("m")
			q.One()
			t.Sleep(time.Hour)
			t.Equal([3]int{1, 0, 0}, q.Counts())
			dead.Empty()
			q.Empty()
			t.Equal([]string{"m"}, dead.Bodies(10))
		}},
		{"DLQ-4", "a message is delivered as often as the policy says", 0, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			q.Redrive(dead, 3)
			q.Send("m")
			for n := range 3 {
				m := q.One()
				t.Equal(strconv.Itoa(n+1), m.Attributes["ApproximateReceiveCount"])
				q.back(m)
			}
			q.Empty()
			t.Equal([]string{"m"}, dead.Bodies(10))
		}},
		{"DLQ-4", "a policy that comes later counts the receives before it", 0, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			q.Send("m")
			q.back(q.One())
			m := q.One()
			q.Redrive(dead, 2)
			q.bury(m)
			t.Equal([]string{"m"}, dead.Bodies(10))
		}},
		{"DLQ-4", "the receive goes on to other messages", 0, func(t *T) {
			for _, kind := range []func(...string) *Q{t.Standard, t.FIFO} {
				q, dead := kind(), kind()
				q.Redrive(dead, 1)
				for _, body := range []string{"bad1", "bad2", "good1", "good2"} {
					_, err := q.Post(q.letter(body))
					t.NoError(err)
				}
				q.back(q.Receive(2)...)
				t.Equal([]string{"good1", "good2"}, q.Bodies(10))
				t.Equal([]string{"bad1", "bad2"}, dead.Bodies(10))
			}
		}},
		{"DLQ-4", "the receive goes on inside the group", 0, func(t *T) {
			q, dead := t.FIFO(), t.FIFO()
			q.Redrive(dead, 1)
			q.SendTo("g", "bad1", "bad2", "good1", "good2")
			q.back(q.Receive(2)...)
			t.Equal([]string{"good1", "good2"}, q.Bodies(10))
			t.Equal([]string{"bad1", "bad2"}, dead.Bodies(10))
		}},
		{"DLQ-4", "one receive moves more messages than it could return", 0, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			q.Redrive(dead, 1)
			for i := range 25 {
				q.Send(fmt.Sprint(i))
			}
			q.back(q.Receive(25)...)
			q.Send("good")
			t.Equal("good", q.One().Body)
			t.Equal([3]int{25, 0, 0}, dead.Counts())
		}},
		{"DLQ-4", "a long poll that moves a message keeps waiting", Time, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			q.Redrive(dead, 1)
			q.Send("bad")
			q.back(q.One())
			poll := q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
			t.Equal([]string{"bad"}, dead.Bodies(10))
			t.Sleep(7 * time.Second)
			q.Send("good")
			p := <-poll
			t.Equal([]string{"good"}, Bodies(p.Messages))
			t.Equal(7*time.Second, p.Took)
		}},
		{"DLQ-4", "a long poll on a dead-letter queue gets what comes", Time, func(t *T) {
			q, dead := t.Standard("VisibilityTimeout", "3"), t.Standard()
			q.Redrive(dead, 1)
			q.Send("bad")
			q.One()
			poll := dead.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
			t.Empty((<-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(10)})).Messages)
			p := <-poll
			t.Equal([]string{"bad"}, Bodies(p.Messages))
			t.Equal(3*time.Second, p.Took)
		}},
		{"DLQ-4", "in a chain each queue counts its own receives", 0, func(t *T) {
			first, second, third := t.Standard(), t.Standard(), t.Standard()
			first.Redrive(second, 2)
			second.Redrive(third, 2)
			first.Send("m")
			for i, q := range []*Q{first, second} {
				q.back(q.One())
				m := q.One()
				t.Equal(strconv.Itoa(2*i+2), m.Attributes["ApproximateReceiveCount"])
				q.bury(m)
			}
			t.Equal("5", third.One().Attributes["ApproximateReceiveCount"])
		}},
		{"DLQ-4", "a queue that is its own dead-letter queue goes on delivering", 0, func(t *T) {
			q := t.Standard()
			q.Redrive(q, 1)
			q.Send("m")
			for n := range 3 {
				m := q.Receive(1)
				if len(m) == 0 { // whether the receive that moves it returns it as well is open
					m = q.Receive(1)
				}
				t.Len(m, 1)
				t.Equal(strconv.Itoa(n+1), m[0].Attributes["ApproximateReceiveCount"])
				q.back(m[0])
			}
		}},
		{"DLQ-5", "a dead letter is the same message, and says where it was", 0, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			q.Redrive(dead, 1)
			const trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
			_, err := q.Post(SendMessage{
				MessageBody:             "m",
				MessageAttributes:       map[string]AttributeValue{"a": Text("b"), "c": {DataType: "Binary.x", BinaryValue: []byte{0, 255}}},
				MessageSystemAttributes: map[string]AttributeValue{"AWSTraceHeader": Text(trace)},
			})
			t.NoError(err)
			was := q.One()
			t.NotContains(was.Attributes, "DeadLetterQueueSourceArn")
			q.bury(was)
			is := dead.One()
			t.Equal(was.MessageId, is.MessageId)
			t.Equal("m", is.Body)
			t.Equal(was.MessageAttributes, is.MessageAttributes)
			t.Len(is.MessageAttributes, 2)
			t.Equal(q.ARN(), is.Attributes["DeadLetterQueueSourceArn"])
			t.Equal("2", is.Attributes["ApproximateReceiveCount"])
			t.Equal(trace, is.Attributes["AWSTraceHeader"])
			t.NotEmpty(is.Attributes["SenderId"])
			for _, name := range []string{"SenderId", "SentTimestamp"} {
				t.Equal(was.Attributes[name], is.Attributes[name], name)
			}
		}},
		{"DLQ-5", "a dead letter of a FIFO queue keeps its id, body and attributes", 0, func(t *T) {
			q, dead := t.FIFO(), t.FIFO()
			q.Redrive(dead, 1)
			sent := q.letter("m")
			const trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
			sent.MessageAttributes = map[string]AttributeValue{"a": Text("b")}
			sent.MessageSystemAttributes = map[string]AttributeValue{"AWSTraceHeader": Text(trace)}
			answer, err := q.Post(sent)
			t.NoError(err)
			q.bury(q.One())
			is := dead.One()
			t.Equal(answer.MessageId, is.MessageId)
			t.Equal("m", is.Body)
			t.Equal(ValueMap{"a": Text("b")}, is.MessageAttributes)
			t.Equal(trace, is.Attributes["AWSTraceHeader"])
			t.Equal(q.ARN(), is.Attributes["DeadLetterQueueSourceArn"])
			t.Equal("2", is.Attributes["ApproximateReceiveCount"])
		}},
		{"DLQ-6", "the retention of a standard dead letter counts from its send", Time, func(t *T) {
			q, dead := t.Standard("VisibilityTimeout", "0"), t.Standard()
			q.Redrive(dead, 1)
			q.Send("m")
			t.Sleep(24 * time.Hour)
			q.One()
			q.Empty()
			t.Sleep(72*time.Hour - time.Millisecond)
			t.Equal([3]int{1, 0, 0}, dead.Counts())
			t.Sleep(time.Millisecond)
			t.Equal([3]int{}, dead.Counts())
		}},
		{"DLQ-6", "the retention of a FIFO dead letter counts from the move", Time, func(t *T) {
			q, dead := t.FIFO("VisibilityTimeout", "0"), t.FIFO()
			q.Redrive(dead, 1)
			q.SendTo("g", "m")
			t.Sleep(24 * time.Hour)
			was := q.One()
			q.Empty()
			t.Sleep(96*time.Hour - time.Millisecond)
			is := dead.One()
			t.Equal(t.millis(was, "SentTimestamp")+24*time.Hour.Milliseconds(), t.millis(is, "SentTimestamp"))
			t.Sleep(time.Millisecond)
			t.Equal([3]int{}, dead.Counts())
		}},
		{"DLQ-6", "the age of the oldest message of a dead-letter queue counts from the move", Time | Engine, func(t *T) {
			for _, kind := range []func(...string) *Q{t.Standard, t.FIFO} {
				q, dead := kind("VisibilityTimeout", "0"), kind()
				q.Redrive(dead, 1)
				_, err := q.Post(q.letter("m"))
				t.NoError(err)
				t.Sleep(time.Hour)
				q.One()
				t.Equal(time.Hour, q.stats().OldestAge)
				q.Empty()
				t.Zero(dead.stats().OldestAge)
				t.Sleep(time.Minute)
				t.Equal(time.Minute, dead.stats().OldestAge)
			}
		}},
		{"DLQ-7", "a dead letter is not counted as sent", Engine, func(t *T) {
			for _, kind := range []func(...string) *Q{t.Standard, t.FIFO} {
				q, dead := kind(), kind()
				q.Redrive(dead, 1)
				_, err := q.Post(q.letter("m"))
				t.NoError(err)
				q.bury(q.One())
				t.EqualValues(1, q.stats().Sent)
				t.Zero(dead.stats().Sent)
				t.EqualValues(1, dead.stats().MovedIn)
				_, err = dead.Post(dead.letter("sent"))
				t.NoError(err)
				t.EqualValues(1, dead.stats().Sent)
			}
		}},
		{"DLQ-7", "the delay of the dead-letter queue does not hold dead letters back", 0, func(t *T) {
			for _, kind := range []func(...string) *Q{t.Standard, t.FIFO} {
				q, dead := kind(), kind("DelaySeconds", "900")
				q.Redrive(dead, 1)
				_, err := q.Post(q.letter("m"))
				t.NoError(err)
				q.bury(q.One())
				t.Equal([]string{"m"}, dead.Bodies(10))
			}
		}},
		{"DLQ-8", "without its dead-letter queue a message is delivered on", 0, func(t *T) {
			for _, kind := range []func(...string) *Q{t.Standard, t.FIFO} {
				q, dead := kind(), kind()
				q.Redrive(dead, 1)
				_, err := q.Post(q.letter("m"))
				t.NoError(err)
				t.NoError(dead.Drop())
				for n := range 4 {
					m := q.One()
					t.Equal(strconv.Itoa(n+1), m.Attributes["ApproximateReceiveCount"])
					q.back(m)
				}
				q.DeleteAll(q.One())
				t.Equal([3]int{}, q.Counts())
			}
		}},
		{"DLQ-8", "a dead-letter queue that is made again takes the message", Engine, func(t *T) {
			t.Reopen(inq.WithoutCooldowns())
			q, dead := t.Standard(), t.Standard()
			q.Redrive(dead, 1)
			q.Send("m")
			t.NoError(dead.Drop())
			q.back(q.One())
			q.back(q.One())
			again := t.Create(dead.Name)
			q.Empty()
			t.Equal([]string{"m"}, again.Bodies(10))
		}},
		{"DLQ-9", "the list has the queues whose policy names this queue", 0, func(t *T) {
			dead, other := t.Standard(), t.Standard()
			a, b, c := t.Standard(), t.Standard(), t.Standard()
			a.Redrive(dead, 5)
			b.Redrive(dead, 6)
			c.Redrive(other, 5)
			t.ElementsMatch([]string{a.Name, b.Name}, slices.Concat(dead.sources(1000)...))
			c.Redrive(dead, 7)
			a.Redrive(other, 5)
			t.NoError(b.Drop())
			t.Equal([][]string{{c.Name}}, dead.sources(1000))
			t.Equal([][]string{{a.Name}}, other.sources(1000))
		}},
		{"DLQ-9", "the list comes in pages", 0, func(t *T) {
			dead := t.Standard()
			var names []string
			for range 5 {
				q := t.Standard()
				q.Redrive(dead, 5)
				names = append(names, q.Name)
			}
			for _, most := range []int{1, 2, 5, 1000} {
				pages := dead.sources(most)
				t.Len(pages, (5+most-1)/most)
				t.Len(pages[0], min(most, 5))
				t.ElementsMatch(names, slices.Concat(pages...))
			}
		}},
		{"DLQ-9", "MaxResults is from 1 to 1000", Texts, func(t *T) {
			dead := t.Standard()
			for _, most := range []int{-1, 0, 1001} {
				t.Refused(t.Call("ListDeadLetterSourceQueues", ListDeadLetterSourceQueues{QueueUrl: dead.URL, MaxResults: Int(most)}, nil),
					"InvalidParameterValue", "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.")
			}
		}},
		{"DLQ-9", "a token that no answer gave is refused", Texts, func(t *T) {
			dead := t.Standard()
			t.Refused(t.Call("ListDeadLetterSourceQueues", ListDeadLetterSourceQueues{QueueUrl: dead.URL, MaxResults: Int(1), NextToken: "nonsense"}, nil),
				"InvalidParameterValue", "Invalid or expired next token.")
		}},
		{"DLQ-9", "a queue that does not exist has no list", 0, func(t *T) {
			dead := t.Standard()
			t.NoError(dead.Drop())
			t.Refused(t.Call("ListDeadLetterSourceQueues", ListDeadLetterSourceQueues{QueueUrl: dead.URL}, nil), "AWS.SimpleQueueService.NonExistentQueue", "")
		}},
		{"DLQ-9", "the member begins with a small letter, and is there without sources", HTTP | JSON, func(t *T) {
			dead, q := t.Standard(), t.Standard()
			list := func() string {
				return t.Exchange(t.Request("POST", "/", fmt.Sprintf(`{"QueueUrl":%q}`, dead.URL),
					"Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "AmazonSQS.ListDeadLetterSourceQueues")).Body
			}
			t.Equal(`{"queueUrls":[]}`, list())
			q.Redrive(dead, 1)
			t.Equal(fmt.Sprintf(`{"queueUrls":[%q]}`, q.URL), list())
		}},
		{"DLQ-9", "the XML has an element for each source", HTTP | Query, func(t *T) {
			dead, q, r := t.Standard(), t.Standard(), t.Standard()
			q.Redrive(dead, 1)
			r.Redrive(dead, 1)
			t.Contains(t.Exchange(t.Request("GET", dead.URL+"?Action=ListDeadLetterSourceQueues", "")).Body,
				"<ListDeadLetterSourceQueuesResult><QueueUrl>"+q.URL+"</QueueUrl><QueueUrl>"+r.URL+"</QueueUrl></ListDeadLetterSourceQueuesResult>")
		}},
		{"DLQ-10", "the dead-letter queue says which sources it takes", 0, func(t *T) {
			q, other := t.Standard(), t.Standard()
			for allow, takes := range map[string][2]bool{
				`{"redrivePermission":"allowAll"}`:                                             {true, true},
				`{"redrivePermission":"denyAll"}`:                                              {false, false},
				fmt.Sprintf(`{"redrivePermission":"byQueue","sourceQueueArns":[%q]}`, q.ARN()): {true, false},
				fmt.Sprintf(`{"redrivePermission":"byQueue","sourceQueueArns":["%s-not",%q,%q]}`, q.ARN(), other.ARN(), q.ARN()): {true, true},
			} {
				dead := t.Standard("RedriveAllowPolicy", allow)
				t.JSONEq(allow, dead.Attribute("RedriveAllowPolicy"))
				for i, source := range []*Q{q, other} {
					err := source.Set("RedrivePolicy", policy(dead.ARN(), "1"))
					if takes[i] {
						t.NoError(err, allow)
						continue
					}
					t.Refused(err, "InvalidParameterValue", "")
					t.NotContains(source.Attribute("RedrivePolicy"), dead.ARN())
				}
			}
		}},
		{"DLQ-10", "a new queue is refused as a source as well", 0, func(t *T) {
			dead := t.Standard("RedriveAllowPolicy", `{"redrivePermission":"denyAll"}`)
			t.Refused(t.Call("CreateQueue", CreateQueue{QueueName: "new", Attributes: Pairs("RedrivePolicy", policy(dead.ARN(), "1"))}, nil), "InvalidParameterValue", "")
		}},
		{"DLQ-10", "an allow policy that comes later does not act on sources there are", 0, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			q.Redrive(dead, 1)
			t.NoError(dead.Set("RedriveAllowPolicy", `{"redrivePermission":"denyAll"}`))
			q.Send("m")
			q.bury(q.One())
			t.Equal([]string{"m"}, dead.Bodies(10))
			t.Refused(t.Standard().Set("RedrivePolicy", policy(dead.ARN(), "1")), "InvalidParameterValue", "")
			t.NoError(dead.Set("RedriveAllowPolicy", `{"redrivePermission":"allowAll"}`))
			t.Standard().Redrive(dead, 1)
		}},
		{"DLQ-10", "a bad allow policy is refused", 0, func(t *T) {
			q := t.Standard()
			arns := func(n int) string {
				return "[" + strings.TrimSuffix(strings.Repeat(strconv.Quote(q.ARN())+",", n), ",") + "]"
			}
			const none = "When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values."
			const notByQueue = "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."
			for bad, reason := range map[string]string{
				`{"redrivePermission":"byQueue"}`:                                    none,
				`{"redrivePermission":"byQueue","sourceQueueArns":[]}`:               none,
				`{"redrivePermission":"allowAll","sourceQueueArns":` + arns(1) + `}`: notByQueue,
				`{"redrivePermission":"denyAll","sourceQueueArns":` + arns(1) + `}`:  notByQueue,
				`{"redrivePermission":"byQueue","sourceQueueArns":` + arns(11) + `}`: "The maximum number of source queue ARNs you can specify is 10.",
			} {
				t.Refused(q.Set("RedriveAllowPolicy", bad), "InvalidParameterValue",
					"Value "+bad+" for parameter RedriveAllowPolicy is invalid. Reason: Amazon SQS can't create the redrive allow policy. "+reason)
			}
			for _, bad := range []string{"nonsense", "{}", `{"redrivePermission":"some"}`, `{"redrivePermission":"denyAll","extra":1}`} {
				t.Refused(q.Set("RedriveAllowPolicy", bad), "InvalidParameterValue", "")
			}
			t.NoError(q.Set("RedriveAllowPolicy", `{"redrivePermission":"byQueue","sourceQueueArns":`+arns(10)+`}`))
		}},
	},
}

// letter is a message for q, whatever its type.
func (q *Q) letter(body string) SendMessage {
	if q.isFIFO() {
		return fifoEntry("of-"+body, body)
	}
	return SendMessage{MessageBody: body}
}
