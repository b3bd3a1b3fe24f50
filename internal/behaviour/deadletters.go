package behaviour

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
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
	q.t.Fatal("the list has no end")
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
				`{}`:                         "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.",
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
			sent.MessageAttributes = map[string]AttributeValue{"a": Text("b")}
			answer, err := q.Post(sent)
			t.NoError(err)
			q.bury(q.One())
			is := dead.One()
			t.Equal(answer.MessageId, is.MessageId)
			t.Equal("m", is.Body)
			t.Equal(ValueMap{"a": Text("b")}, is.MessageAttributes)
			t.Equal(q.ARN(), is.Attributes["DeadLetterQueueSourceArn"])
			t.Equal("2", is.Attributes["ApproximateReceiveCount"])
		}},
	},
}

// letter is a message for q, whatever its type.
func (q *Q) letter(body string) SendMessage {
	if strings.HasSuffix(q.Name, ".fifo") {
		return fifoEntry("of-"+body, body)
	}
	return SendMessage{MessageBody: body}
}
