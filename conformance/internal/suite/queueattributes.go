package suite

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// queueAttributes is section 1.1, queue attributes.
var queueAttributes = Chapter{
	Needs:  Account,
	Tables: map[string]string{"TABLE-ATTRIBUTES": "Queue attributes: ranges, defaults and what can be set"},
	Differs: map[string]string{
		"LIM-8": "Changes take up to a minute to act in SQS, and those of the retention up to 15 minutes. Here they act at once.",
	},
	Cases: []Case{
		{"TABLE-ATTRIBUTES", "the defaults", 0, func(t *T) {
			a := t.FIFO().Attributes()
			for name, value := range map[string]string{
				"DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0",
				"VisibilityTimeout": "30", "SqsManagedSseEnabled": "true", "FifoQueue": "true", "ContentBasedDeduplication": "false",
				"DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue",
				"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
			} {
				t.Equal(value, a[name], name)
			}
		}},
		{"TABLE-ATTRIBUTES", "numbers are taken up to both bounds, at create and later", 0, func(t *T) {
			for _, r := range numericAttributes {
				for _, n := range []int{r.low, r.high} {
					q := t.Standard(r.name, strconv.Itoa(n))
					t.Equal(strconv.Itoa(n), q.Attribute(r.name), r.name)
					q = t.FIFO()
					t.NoError(q.Set(r.name, strconv.Itoa(n)))
					t.Equal(strconv.Itoa(n), q.Attribute(r.name), r.name)
				}
			}
		}},
		{"TABLE-ATTRIBUTES", "numbers beyond a bound are refused, at create and later", 0, func(t *T) {
			for _, r := range numericAttributes {
				q := t.Standard()
				before := q.Attributes()
				for _, n := range []int{r.low - 1, r.high + 1} {
					text := "Invalid value for the parameter " + r.name + "..."
					t.Refused(q.Set(r.name, strconv.Itoa(n)), "InvalidAttributeValue", text)
					err := t.Call("CreateQueue", CreateQueue{QueueName: "other", Attributes: Pairs(r.name, strconv.Itoa(n))}, nil)
					t.Refused(err, "InvalidAttributeValue", text)
				}
				t.Equal(before, q.Attributes())
			}
			t.Refused(t.Call("GetQueueUrl", GetQueueURL{"other"}, nil), "AWS.SimpleQueueService.NonExistentQueue", "")
		}},
		{"TABLE-ATTRIBUTES", "scope and throughput limit take two values each", 0, func(t *T) {
			q := t.FIFO("DeduplicationScope", "messageGroup", "FifoThroughputLimit", "perMessageGroupId")
			t.Equal("messageGroup", q.Attribute("DeduplicationScope"))
			t.Equal("perMessageGroupId", q.Attribute("FifoThroughputLimit"))
			t.NoError(q.Set("FifoThroughputLimit", "perQueue", "DeduplicationScope", "queue"))
			t.Equal("queue", q.Attribute("DeduplicationScope"))
			t.Equal("perQueue", q.Attribute("FifoThroughputLimit"))
			for _, value := range []string{"", "Queue", "perqueue", "true", "messageGroup "} {
				t.Refused(q.Set("DeduplicationScope", value), "InvalidAttributeValue", "")
				t.Refused(q.Set("FifoThroughputLimit", value), "InvalidAttributeValue", "")
			}
		}},
		{"TABLE-ATTRIBUTES", "booleans take true and false only", 0, func(t *T) {
			q := t.FIFO()
			for _, name := range []string{"ContentBasedDeduplication", "SqsManagedSseEnabled"} {
				for _, value := range []string{"", "1", "yes", " true"} {
					t.Refused(q.Set(name, value), "InvalidAttributeValue", "Invalid value for the parameter "+name+"...")
				}
			}
		}},
		{"TABLE-ATTRIBUTES", "the ARN names the queue in its region and account", 0, func(t *T) {
			q, f := t.Standard(), t.FIFO()
			t.Regexp(`^arn:[a-z-]+:sqs:[a-z0-9-]+:\d{12}:`+q.Name+`$`, q.ARN())
			t.Regexp(`^arn:[a-z-]+:sqs:[a-z0-9-]+:\d{12}:`+f.Name+`$`, f.ARN())
		}},
		{"TABLE-ATTRIBUTES", "timestamps are seconds, and a change moves the second one", Time, func(t *T) {
			t.Sleep(1999 * time.Millisecond)
			created := strconv.FormatInt(time.Now().Unix(), 10)
			q := t.Standard()
			t.Sleep(time.Minute)
			t.Equal(created, q.Attribute("CreatedTimestamp"))
			t.Equal(created, q.Attribute("LastModifiedTimestamp"))
			t.NoError(q.Set("DelaySeconds", "0"))
			t.Equal(created, q.Attribute("CreatedTimestamp"))
			t.Equal(strconv.FormatInt(time.Now().Unix(), 10), q.Attribute("LastModifiedTimestamp"))
		}},
		{"TABLE-ATTRIBUTES", "what is read only cannot be set", 0, func(t *T) {
			q := t.Standard()
			for _, name := range []string{
				"QueueArn", "CreatedTimestamp", "LastModifiedTimestamp",
				"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
			} {
				t.Refused(q.Set(name, q.Attribute(name)), "InvalidAttributeName", "Unknown Attribute "+name+".")
			}
		}},
		{"TABLE-ATTRIBUTES", "one refused attribute keeps the others from being set", 0, func(t *T) {
			q := t.Standard()
			t.Refused(q.Set("DelaySeconds", "3", "VisibilityTimeout", "43201"), "InvalidAttributeValue", "")
			t.Equal("0", q.Attribute("DelaySeconds"))
		}},

		{"LIM-1", "All on a fresh standard queue gives 12 attributes", 0, func(t *T) {
			t.Equal(standardAttributes, slices.Sorted(maps.Keys(t.Standard().Attributes())))
		}},
		{"LIM-1", "All on a fresh FIFO queue gives four more", 0, func(t *T) {
			want := append(slices.Clone(standardAttributes), "ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit")
			slices.Sort(want)
			t.Equal(want, slices.Sorted(maps.Keys(t.FIFO().Attributes())))
		}},
		{"LIM-1", "policies and keys appear once they are set", 0, func(t *T) {
			q := t.Standard()
			set := map[string]string{
				"Policy": `{"Version":"2012-10-17","Statement":[]}`, "RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`,
				"KmsMasterKeyId": "alias/aws/sqs", "KmsDataKeyReusePeriodSeconds": "60",
			}
			t.Must("SetQueueAttributes", SetQueueAttributes{q.URL, set}, nil)
			dead := t.Standard()
			q.Redrive(dead, 3)
			a := q.Attributes()
			t.Len(a, len(standardAttributes)+5)
			for name, value := range set {
				t.Equal(value, a[name])
			}
			t.JSONEq(`{"deadLetterTargetArn":"`+dead.ARN()+`","maxReceiveCount":3}`, a["RedrivePolicy"])
		}},

		{"LIM-2", "booleans are taken in any case and given in lower case", 0, func(t *T) {
			q := t.Create("q.fifo", "FifoQueue", "True", "ContentBasedDeduplication", "TRUE", "SqsManagedSseEnabled", "False")
			t.Equal("true", q.Attribute("FifoQueue"))
			t.Equal("true", q.Attribute("ContentBasedDeduplication"))
			t.Equal("false", q.Attribute("SqsManagedSseEnabled"))
			t.NoError(q.Set("ContentBasedDeduplication", "fAlSe", "SqsManagedSseEnabled", "tRuE"))
			t.Equal("false", q.Attribute("ContentBasedDeduplication"))
			t.Equal("true", q.Attribute("SqsManagedSseEnabled"))
		}},

		{"LIM-3", "attributes of FIFO queues on a standard queue", 0, func(t *T) {
			q := t.Standard()
			for _, c := range [][3]string{
				{"FifoQueue", "true", "Unknown Attribute FifoQueue."},
				{"FifoQueue", "false", "Unknown Attribute FifoQueue."},
				{"ContentBasedDeduplication", "true", "Unknown Attribute ContentBasedDeduplication."},
				{"ContentBasedDeduplication", "false", "Unknown Attribute ContentBasedDeduplication."},
				{"DeduplicationScope", "queue", "You can specify the DeduplicationScope only when FifoQueue is set to true."},
				{"FifoThroughputLimit", "perQueue", "You can specify the FifoThroughputLimit only when FifoQueue is set to true."},
			} {
				t.Refused(q.Set(c[0], c[1]), "InvalidAttributeName", c[2])
				if c[0] == "FifoQueue" && c[1] == "true" {
					continue // would not be a standard queue
				}
				err := t.Call("CreateQueue", CreateQueue{QueueName: "other", Attributes: Pairs(c[0], c[1])}, nil)
				t.Refused(err, "InvalidAttributeName", c[2])
			}
			t.Refused(t.Call("GetQueueUrl", GetQueueURL{"other"}, nil), "AWS.SimpleQueueService.NonExistentQueue", "")
		}},

		{"LIM-4", "a FIFO queue can be set to be one", 0, func(t *T) {
			q := t.FIFO()
			t.NoError(q.Set("FifoQueue", "true"))
			t.Equal("true", q.Attribute("FifoQueue"))
		}},
		{"LIM-4", "a FIFO queue stays one", 0, func(t *T) {
			q := t.FIFO()
			t.Refused(q.Set("FifoQueue", "false"), "InvalidAttributeValue", "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
			t.Equal("true", q.Attribute("FifoQueue"))
		}},

		{"LIM-5", "an empty policy where none is set", 0, func(t *T) {
			q := t.Standard("Policy", "", "RedrivePolicy", "")
			t.NoError(q.Set("Policy", "", "RedrivePolicy", ""))
			t.Equal(standardAttributes, slices.Sorted(maps.Keys(q.Attributes())))
		}},
		{"LIM-5", "an empty policy removes the one that is set", 0, func(t *T) {
			q := t.Standard("Policy", `{"Version":"2012-10-17","Statement":[]}`, "RedriveAllowPolicy", `{"redrivePermission":"allowAll"}`)
			q.Redrive(t.Standard(), 1)
			t.NoError(q.Set("Policy", "", "RedrivePolicy", "", "RedriveAllowPolicy", ""))
			t.Equal(standardAttributes, slices.Sorted(maps.Keys(q.Attributes())))
			q.Send("x")
			for range 3 {
				t.NoError(q.Change(q.One().ReceiptHandle, 0))
			}
		}},

		{"LIM-6", "a key switches the managed encryption off", 0, func(t *T) {
			q := t.Standard()
			t.NoError(q.Set("KmsMasterKeyId", "alias/aws/sqs"))
			t.Equal("false", q.Attribute("SqsManagedSseEnabled"))
			t.Equal("false", t.Standard("KmsMasterKeyId", "alias/aws/sqs").Attribute("SqsManagedSseEnabled"))
		}},
		{"LIM-6", "without the key the managed encryption stays off", 0, func(t *T) {
			q := t.Standard("KmsMasterKeyId", "alias/aws/sqs", "KmsDataKeyReusePeriodSeconds", "600")
			t.NoError(q.Set("KmsMasterKeyId", "", "KmsDataKeyReusePeriodSeconds", "300"))
			a := q.Attributes()
			t.Equal(standardAttributes, slices.Sorted(maps.Keys(a)))
			t.Equal("false", a["SqsManagedSseEnabled"])
		}},

		{"LIM-7", "both kinds of encryption at once", 0, func(t *T) {
			const text = "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."
			both := Pairs("KmsMasterKeyId", "alias/aws/sqs", "SqsManagedSseEnabled", "true")
			t.Refused(t.Call("CreateQueue", CreateQueue{QueueName: "q", Attributes: both}, nil), "InvalidAttributeName", text)
			q := t.Standard()
			t.Refused(t.Call("SetQueueAttributes", SetQueueAttributes{q.URL, both}, nil), "InvalidAttributeName", text)
			t.Empty(q.Attribute("KmsMasterKeyId"))
		}},

		{"LIM-8", "a change acts at once", 0, func(t *T) {
			q := t.Standard()
			t.NoError(q.Set("MaximumMessageSize", "1024", "VisibilityTimeout", "0"))
			_, err := q.Post(SendMessage{MessageBody: xs(1025)})
			t.Refused(err, "InvalidParameterValue", "")
			q.Send("x")
			t.Equal([]string{"x", "x"}, []string{q.One().Body, q.One().Body})
			t.NoError(q.Set("DelaySeconds", "900"))
			q.Send("late")
			t.Equal([3]int{1, 0, 1}, q.Counts())
		}},
		{"LIM-8", "a shorter retention expires what is stored", Time, func(t *T) {
			q := t.Standard()
			q.Send("old")
			t.Sleep(time.Minute)
			q.Send("new")
			t.NoError(q.Set("MessageRetentionPeriod", "60"))
			t.Wait()
			t.Equal([]string{"new"}, q.Bodies(2))
		}},

		{"LIM-9", "a limit per group needs the scope of groups", 0, func(t *T) {
			q := t.FIFO()
			t.Refused(q.Set("FifoThroughputLimit", "perMessageGroupId"), "InvalidAttributeValue", "")
			err := t.Call("CreateQueue", CreateQueue{QueueName: "q.fifo", Attributes: Pairs("FifoQueue", "true", "FifoThroughputLimit", "perMessageGroupId")}, nil)
			t.Refused(err, "InvalidAttributeValue", "")
			t.NoError(q.Set("FifoThroughputLimit", "perMessageGroupId", "DeduplicationScope", "messageGroup"))
			t.Refused(q.Set("DeduplicationScope", "queue"), "InvalidAttributeValue", "")
		}},
		{"LIM-9", "the scope of groups does not need the limit per group", 0, func(t *T) {
			q := t.FIFO("DeduplicationScope", "messageGroup")
			t.Equal("perQueue", q.Attribute("FifoThroughputLimit"))
			t.NoError(q.Set("FifoThroughputLimit", "perQueue"))
		}},

		{"LIM-10", "what is no number in digits", 0, func(t *T) {
			q := t.Standard()
			before := q.Attributes()
			for _, r := range numericAttributes {
				low := strconv.Itoa(r.low)
				for _, value := range []string{"", " " + low, low + " ", low + ".0", low + ".5", "-" + strconv.Itoa(r.high), "1e3", "0x40", "sixty", "99999999999999999999"} {
					t.Refused(q.Set(r.name, value), "InvalidAttributeValue", "Invalid value for the parameter "+r.name+"...")
				}
			}
			t.Equal(before, q.Attributes())
		}},
	},
}

// standardAttributes are those of a fresh standard queue, sorted.
var standardAttributes = []string{
	"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible",
	"CreatedTimestamp", "DelaySeconds", "LastModifiedTimestamp", "MaximumMessageSize", "MessageRetentionPeriod",
	"QueueArn", "ReceiveMessageWaitTimeSeconds", "SqsManagedSseEnabled", "VisibilityTimeout",
}

// numericAttributes are the attributes with a range.
var numericAttributes = []struct {
	name      string
	low, high int
}{
	{"DelaySeconds", 0, 900}, {"MaximumMessageSize", 1024, 1048576}, {"MessageRetentionPeriod", 60, 1209600},
	{"ReceiveMessageWaitTimeSeconds", 0, 20}, {"VisibilityTimeout", 0, 43200}, {"KmsDataKeyReusePeriodSeconds", 60, 86400},
}
