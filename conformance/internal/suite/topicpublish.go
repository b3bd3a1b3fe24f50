package suite

import (
	"fmt"
	"strings"
	"time"
)

// publishing is section 5, publish.
var publishing = Chapter{Cases: []Case{
	{"PUB-1", "a target can be a topic", 0, func(t *T) {
		topic := t.Topic("topic")
		q := t.Raw(topic)
		t.MustAsk("Publish", M{"TargetArn": topic, "Message": "m"}, nil)
		t.Equal([]string{"m"}, q.Bodies(10))
	}},
	{"PUB-2", "an empty message", 0, func(t *T) {
		t.Invalid("Empty message", "Publish", M{"TopicArn": t.Topic("topic"), "Message": ""})
	}},
	{"PUB-3", "subjects", 0, func(t *T) {
		topic := t.Topic("topic")
		t.Publish(topic, "m", M{"Subject": strings.Repeat("x", 100)})
		for _, subject := range []string{"a\nb", "\x00", strings.Repeat("x", 101)} {
			t.Invalid("Subject", "Publish", M{"TopicArn": topic, "Message": "m", "Subject": subject})
		}
	}},
	{"PUB-3", "an explicit empty subject", Unchecked, func(t *T) {
		t.Invalid("Subject", "Publish", M{"TopicArn": t.Topic("topic"), "Message": "m", "Subject": ""})
	}},
	{"PUB-4", "the longest message", 0, func(t *T) {
		topic := t.Topic("topic")
		t.Publish(topic, strings.Repeat("x", 262_144))
		t.Invalid("Message too long", "Publish", M{"TopicArn": topic, "Message": strings.Repeat("x", 262_145)})
		with := Attribute("name", "String", "value")
		with["TopicArn"], with["Message"] = topic, strings.Repeat("x", 262_144-len("nameStringvalue"))
		t.MustAsk("Publish", with, nil)
		with["Message"] = with["Message"].(string) + "x"
		t.Invalid("Message too long", "Publish", with)
	}},
	{"PUB-5", "a group on FIFO", 0, func(t *T) {
		t.Invalid("The MessageGroupId parameter is required for FIFO topics", "Publish", M{"TopicArn": t.FIFOTopic(), "Message": "m", "MessageDeduplicationId": "d"})
	}},
	{"PUB-6", "a deduplication id on FIFO", 0, func(t *T) {
		topic := t.FIFOTopic()
		t.Invalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly", "Publish",
			M{"TopicArn": topic, "Message": "m", "MessageGroupId": "g"})
		t.SetOf(topic, "ContentBasedDeduplication", "true")
		t.Publish(topic, "m", M{"MessageGroupId": "g"})
	}},
	{"PUB-7", "no deduplication id on a standard topic", 0, func(t *T) {
		t.Invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type", "Publish",
			M{"TopicArn": t.Topic("topic"), "Message": "m", "MessageDeduplicationId": "d"})
	}},
	{"PUB-8", "a group on a standard topic goes to the queue", Account, func(t *T) {
		topic := t.Topic("topic")
		q := t.Raw(topic)
		t.Publish(topic, "m", M{"MessageGroupId": "g"})
		ms, err := q.Take(ReceiveMessage{AttributeNames: []string{"All"}})
		t.NoError(err)
		t.Equal("g", ms[0].Attributes["MessageGroupId"])
		for _, id := range []string{"a b", strings.Repeat("x", 129)} {
			t.RefusedBySNS("InvalidParameter", "", "Publish", M{"TopicArn": topic, "Message": "m", "MessageGroupId": id})
		}
	}},
	{"PUB-9", "what a publish returns", 0, func(t *T) {
		out := t.Publish(t.Topic("topic"), "m")
		t.Regexp(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, out.MessageId)
		t.Empty(out.SequenceNumber)
		fifo := t.FIFOTopic()
		first := t.Publish(fifo, "m", M{"MessageGroupId": "g", "MessageDeduplicationId": "1"})
		second := t.Publish(fifo, "m", M{"MessageGroupId": "g", "MessageDeduplicationId": "2"})
		t.Greater(second.SequenceNumber, first.SequenceNumber)
	}},
	{"PUB-10", "structures there are not", 0, func(t *T) {
		t.RefusedBySNS("InvalidParameter", "", "Publish", M{"TopicArn": t.Topic("topic"), "Message": "{}", "MessageStructure": "xml"})
	}},
	{"PUB-11", "types of attributes", 0, func(t *T) {
		topic := t.Topic("topic")
		for _, dataType := range []string{"Stringx", "String.", "Text", "string"} {
			refusedAttribute(t, topic, Attribute("k", dataType, "v"), "The message attribute 'k' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.")
		}
		t.Publish(topic, "m", Attribute("k", "String.  x.", "v"))
	}},
	{"PUB-12", "an attribute without a type", Unchecked, func(t *T) {
		in := Attribute("k", "", "v")
		in["TopicArn"], in["Message"] = t.Topic("topic"), "m"
		t.RefusedBySNS("ValidationError", "1 validation error detected: Value null at 'messageAttributes.k.member.dataType' failed to satisfy constraint: Member must not be null", "Publish", in)
	}},
	{"PUB-13", "an attribute without a value", 0, func(t *T) {
		refusedAttribute(t, t.Topic("topic"), Attribute("k", "String", ""), "The message attribute 'k' must contain non-empty message attribute value for message attribute type 'String'.")
	}},
	{"PUB-14", "a value in the wrong member", 0, func(t *T) {
		topic := t.Topic("topic")
		refusedAttribute(t, topic, Attribute("k", "Binary", "v"), "The message attribute 'k' with type 'Binary' must use field 'Binary'.")
		refusedAttribute(t, topic, M{"MessageAttributes": map[string]AttributeValue{"k": {DataType: "String", BinaryValue: []byte("v")}}},
			"The message attribute 'k' with type 'String' must use field 'String'.")
	}},
	{"PUB-15", "long names of attributes", 0, func(t *T) {
		refusedAttribute(t, t.Topic("topic"), Attribute(strings.Repeat("x", 257), "String", "v"), "Length of message attribute name must be less than 256 bytes.")
	}},
	{"PUB-16", "characters in names of attributes", 0, func(t *T) {
		refusedAttribute(t, t.Topic("topic"), Attribute("a^b", "String", "v"),
			"Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.")
	}},
	{"PUB-17", "dots at the ends of names", 0, func(t *T) {
		topic := t.Topic("topic")
		refusedAttribute(t, topic, Attribute(".a", "String", "v"), "Invalid message attribute name starting with character '.' was found.")
		refusedAttribute(t, topic, Attribute("a.", "String", "v"), "Invalid message attribute name ending with character '.' was found.")
	}},
	{"PUB-18", "dots in a row", 0, func(t *T) {
		refusedAttribute(t, t.Topic("topic"), Attribute("a..b", "String", "v"), "Message attribute name can not have successive '.' character.")
	}},
	{"PUB-19", "numbers that are none", 0, func(t *T) {
		refusedAttribute(t, t.Topic("topic"), Attribute("k", "Number", "x"), "Could not cast message attribute 'k' value to number.")
	}},
	{"MSJ-1", "a structured message is a JSON object", 0, func(t *T) {
		topic := t.Topic("topic")
		for _, message := range []string{"x", "[]", `"a"`} {
			t.Invalid("Message Structure - JSON message body failed to parse", "Publish", M{"TopicArn": topic, "Message": message, "MessageStructure": "json"})
		}
	}},
	{"MSJ-2", "it has a default that is a string", 0, func(t *T) {
		topic := t.Topic("topic")
		for _, message := range []string{`{}`, `{"sqs":"x"}`, `{"default":{"a":1}}`} {
			t.Invalid("Message Structure - No default entry in JSON message body", "Publish", M{"TopicArn": topic, "Message": message, "MessageStructure": "json"})
		}
	}},
	{"MSJ-3", "each protocol has its own text", 0, func(t *T) {
		topic := t.Topic("topic")
		q := t.Raw(topic)
		json := M{"MessageStructure": "json"}
		t.Publish(topic, `{"default":"d","sqs":"for queues","http":"h"}`, json)
		t.Publish(topic, `{"default":"d","http":"h"}`, json)
		t.Equal([]string{"for queues", "d"}, q.Bodies(10))
	}},
	{"MSJ-4", "other values are ignored", 0, func(t *T) {
		topic := t.Topic("topic")
		q := t.Raw(topic)
		t.Publish(topic, `{"default":"d","sqs":{"a":1},"nobody":"n"}`, M{"MessageStructure": "json"})
		t.Equal([]string{"d"}, q.Bodies(10))
	}},
}}

// refusedAttribute checks that a message with these attributes is refused, and that nothing was sent.
func refusedAttribute(t *T, topic string, attributes M, text string) {
	t.Helper()
	in := M{"TopicArn": topic, "Message": "m"}
	for name, value := range attributes {
		in[name] = value
	}
	t.RefusedBySNS("ParameterValueInvalid", text, "Publish", in)
}

// batch is the request to publish entries to a topic.
func batch(topic string, entries ...M) M {
	for i, e := range entries {
		if e["Id"] == nil {
			e["Id"] = fmt.Sprint(i)
		}
	}
	return M{"TopicArn": topic, "PublishBatchRequestEntries": entries}
}

// publishBatches is section 6.
var publishBatches = Chapter{Cases: []Case{
	{"BAT-1", "ten entries at most", 0, func(t *T) {
		topic := t.Topic("topic")
		var entries []M
		for range 11 {
			entries = append(entries, M{"Message": "m"})
		}
		t.RefusedBySNS("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.", "PublishBatch", batch(topic, entries...))
		var out PublishedBatch
		t.MustAsk("PublishBatch", batch(topic, entries[:10]...), &out)
		t.Len(out.Successful, 10)
		t.Empty(out.Failed)
	}},
	{"BAT-2", "ids differ", Members, func(t *T) {
		t.RefusedBySNS("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.", "PublishBatch",
			batch(t.Topic("topic"), M{"Id": "a", "Message": "m"}, M{"Id": "a", "Message": "n"}))
	}},
	{"BAT-3", "ids", Members, func(t *T) {
		topic := t.Topic("topic")
		long := strings.Repeat("x", 81)
		t.RefusedBySNS("InvalidBatchEntryId", "The Id of a batch entry in the batch request is too long: "+long, "PublishBatch", batch(topic, M{"Id": long, "Message": "m"}))
		t.RefusedBySNS("InvalidBatchEntryId", "The Id of a batch entry in the batch request contains an impermissible character: a b", "PublishBatch", batch(topic, M{"Id": "a b", "Message": "m"}))
	}},
	{"BAT-4", "the sum of the sizes", 0, func(t *T) {
		topic := t.Topic("topic")
		half := strings.Repeat("x", 131_072)
		t.MustAsk("PublishBatch", batch(topic, M{"Message": half}, M{"Message": half}), nil)
		t.RefusedBySNS("BatchRequestTooLong", "The length of all the messages put together is more than the limit.", "PublishBatch", batch(topic, M{"Message": half}, M{"Message": half + "x"}))
	}},
	{"BAT-5", "no entries", 0, func(t *T) {
		t.RefusedBySNS("EmptyBatchRequest", "", "PublishBatch", M{"TopicArn": t.Topic("topic"), "PublishBatchRequestEntries": []M{}})
	}},
	{"BAT-6", "one fault refuses the whole", 0, func(t *T) {
		topic := t.Topic("topic")
		q := t.Raw(topic)
		bad := Attribute("k", "String", "")
		bad["Message"] = "n"
		t.RefusedBySNS("ParameterValueInvalid", "The message attribute 'k' must contain non-empty message attribute value for message attribute type 'String'.", "PublishBatch", batch(topic, M{"Message": "m"}, bad))
		t.Empty(q.Bodies(10))
	}},
	{"BAT-7", "a topic that there is not", 0, func(t *T) {
		t.RefusedBySNS("NotFound", "Topic does not exist", "PublishBatch", batch(t.Topic("topic")+"x", M{"Message": "m"}))
	}},
	{"BAT-8", "order and sequence numbers", 0, func(t *T) {
		topic, q := t.FIFOTopic("ContentBasedDeduplication", "true"), t.FIFO()
		t.Subscribe(topic, q, "RawMessageDelivery", "true")
		var out PublishedBatch
		t.MustAsk("PublishBatch", batch(topic, M{"Message": "a", "MessageGroupId": "g"}, M{"Message": "b", "MessageGroupId": "g"}), &out)
		t.Greater(out.Successful[1].SequenceNumber, out.Successful[0].SequenceNumber)
		t.Equal([]string{"a", "b"}, q.Bodies(10))
	}},
	{"BAT-9", "the order of the checks", Members, func(t *T) {
		topic := t.FIFOTopic()
		t.RefusedBySNS("BatchEntryIdsNotDistinct", "", "PublishBatch", batch(topic, M{"Id": "a", "Message": "m"}, M{"Id": "a", "Message": "m"}))
		t.Invalid("Message Structure - No default entry in JSON message body", "PublishBatch", batch(topic, M{"Message": "{}", "MessageStructure": "json"}))
	}},
}}

// fanOut is section 7.
var fanOut = Chapter{Cases: []Case{
	{"FAN-1", "one copy for each subscription", 0, func(t *T) {
		topic := t.Topic("topic")
		one, two := t.Raw(topic), t.Raw(topic)
		t.MustAsk("Subscribe", M{"TopicArn": topic, "Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:000000000000:nowhere"}, nil)
		t.Publish(topic, "m")
		t.Equal([]string{"m"}, one.Bodies(10))
		t.Equal([]string{"m"}, two.Bodies(10))
	}},
	{"FAN-2", "the id in the envelope", 0, func(t *T) {
		topic, q := t.Topic("topic"), t.Standard()
		t.Subscribe(topic, q)
		out := t.Publish(topic, "m")
		ms := q.Receive(10)
		t.True(strings.Contains(ms[0].Body, out.MessageId), "the id that Publish returned")
		t.NotEqual(out.MessageId, ms[0].MessageId)
	}},
	{"FAN-4", "what a filter rejects is no error", 0, func(t *T) {
		topic := t.Topic("topic")
		q := t.Raw(topic, "FilterPolicy", `{"k":["v"]}`)
		t.Publish(topic, "rejected", With("k", "w"))
		t.Empty(q.Bodies(10))
	}},
	{"FAN-6", "deleting a queue leaves its subscription", Account, func(t *T) {
		topic, q := t.Topic("topic"), t.Standard()
		sub := t.Subscribe(topic, q)
		t.NoError(q.Drop())
		t.Publish(topic, "lost")
		t.Equal(sub, t.AttributesOf(sub)["SubscriptionArn"])
	}},
	{"FAN-8", "the longest message in an envelope", 0, func(t *T) {
		topic, q := t.Topic("topic"), t.Standard()
		t.Subscribe(topic, q)
		t.Publish(topic, strings.Repeat("x", 262_144))
		t.Len(q.Envelopes(10)[0].Message, 262_144)
	}},
}}

// envelopes is section 8.
var envelopes = Chapter{Cases: []Case{
	{"ENV-1", "an envelope of a standard topic", 0, func(t *T) {
		topic, q := t.Topic("topic"), t.Standard()
		sub := t.Subscribe(topic, q)
		in := Attribute("n", "Number", "99.12")
		in["Subject"] = "s"
		out := t.Publish(topic, `{"a":1}`, in)
		e := q.Envelopes(10)[0]
		t.Equal("Notification", e.Type)
		t.Equal(out.MessageId, e.MessageId)
		t.Equal(topic, e.TopicArn)
		t.Equal("s", e.Subject)
		t.Equal(`{"a":1}`, e.Message)
		t.Equal(map[string]struct{ Type, Value string }{"n": {"Number", "99.12"}}, e.MessageAttributes)
		t.True(strings.HasSuffix(e.UnsubscribeURL, "/?Action=Unsubscribe&SubscriptionArn="+sub), e.UnsubscribeURL)
	}},
	{"ENV-2", "an envelope of a FIFO topic", 0, func(t *T) {
		topic, q := t.FIFOTopic(), t.FIFO()
		t.Subscribe(topic, q)
		out := t.Publish(topic, "m", M{"MessageGroupId": "g", "MessageDeduplicationId": "d"})
		body := q.Bodies(1)[0]
		t.True(strings.Contains(body, out.SequenceNumber), body)
		for _, name := range []string{"SignatureVersion", `"Signature"`, "SigningCertURL"} {
			t.True(!strings.Contains(body, name), body)
		}
	}},
	{"ENV-4", "the time of the publish", Time, func(t *T) {
		topic, q := t.Topic("topic"), t.Standard()
		t.Subscribe(topic, q)
		t.Publish(topic, "m")
		t.Equal(time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), q.Envelopes(1)[0].Timestamp)
	}},
	{"ENV-6", "keys are in the order of SNS", 0, func(t *T) {
		topic, q := t.Topic("topic"), t.Standard()
		t.Subscribe(topic, q)
		t.Publish(topic, "m", M{"Subject": "s"})
		at := 0
		for _, key := range []string{"Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature", "SigningCertURL", "UnsubscribeURL"} {
			body := q.peeked()
			next := strings.Index(body[at:], `"`+key+`"`)
			t.True(next >= 0, key)
			at += next
		}
	}},
}}

// peeked is the body of the first message, which stays visible.
func (q *Q) peeked() string {
	q.t.Helper()
	ms := q.Receive(1)
	q.t.NoError(q.Change(ms[0].ReceiptHandle, 0))
	return ms[0].Body
}

// fifoTopics is section 10.
var fifoTopics = Chapter{Cases: []Case{
	{"FIFO-1", "a group keeps its order in every queue", 0, func(t *T) {
		topic, one, two := t.FIFOTopic("ContentBasedDeduplication", "true"), t.FIFO(), t.FIFO()
		t.Subscribe(topic, one, "RawMessageDelivery", "true")
		t.Subscribe(topic, two, "RawMessageDelivery", "true")
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprint(i))
			t.Publish(topic, want[i], M{"MessageGroupId": "g"})
		}
		t.Equal(want, one.Bodies(10))
		t.Equal(want, two.Bodies(10))
	}},
	{"FIFO-2", "a repeat within five minutes is not delivered", Time, func(t *T) {
		topic := t.FIFOTopic()
		q := t.Raw(topic)
		id := M{"MessageGroupId": "g", "MessageDeduplicationId": "d"}
		t.Publish(topic, "a", id)
		t.Sleep(5*time.Minute - time.Nanosecond)
		t.Publish(topic, "b", id)
		t.Sleep(time.Nanosecond)
		t.Publish(topic, "c", id)
		t.ElementsMatch([]string{"a", "c"}, q.Bodies(10))
	}},
	{"FIFO-3", "a duplicate has the ids of the original", 0, func(t *T) {
		topic := t.FIFOTopic()
		id := M{"MessageGroupId": "g", "MessageDeduplicationId": "d"}
		t.Equal(t.Publish(topic, "a", id), t.Publish(topic, "b", id))
	}},
	{"FIFO-4", "the hash of the message is its id", 0, func(t *T) {
		topic := t.FIFOTopic("ContentBasedDeduplication", "true")
		q := t.Raw(topic)
		t.Publish(topic, "a", M{"MessageGroupId": "g", "Subject": "one"})
		t.Publish(topic, "a", M{"MessageGroupId": "g", "Subject": "two"})
		t.Publish(topic, "a", M{"MessageGroupId": "g", "MessageDeduplicationId": "explicit"})
		t.Len(q.Bodies(10), 2)
	}},
	{"FIFO-5", "the scope of an id", 0, func(t *T) {
		publish := func(topic string) {
			for _, group := range []string{"g", "h"} {
				t.Publish(topic, "m", M{"MessageGroupId": group, "MessageDeduplicationId": "d"})
			}
		}
		whole := t.FIFOTopic()
		q := t.Raw(whole)
		publish(whole)
		t.Len(q.Bodies(10), 1)
		groups := t.Topic("groups.fifo", "FifoTopic", "true", "FifoThroughputScope", "MessageGroup")
		r := t.Raw(groups)
		publish(groups)
		t.Len(r.Bodies(10), 2)
	}},
	{"FIFO-6", "the id goes along to FIFO queues", 0, func(t *T) {
		topic, q := t.FIFOTopic("ContentBasedDeduplication", "true"), t.FIFO()
		t.Subscribe(topic, q, "RawMessageDelivery", "true")
		t.Publish(topic, "m", M{"MessageGroupId": "g"})
		t.Equal([]string{"m"}, q.Bodies(10))
	}},
	{"FIFO-9", "a standard queue gets no group", Account, func(t *T) {
		topic := t.FIFOTopic()
		q := t.Raw(topic)
		t.Publish(topic, "m", M{"MessageGroupId": "g", "MessageDeduplicationId": "d"})
		ms, err := q.Take(ReceiveMessage{AttributeNames: []string{"All"}})
		t.NoError(err)
		t.Empty(ms[0].Attributes["MessageGroupId"])
		t.Empty(ms[0].Attributes["MessageDeduplicationId"])
	}},
}}

// topicRetries is section 11.
var topicRetries = Chapter{Cases: []Case{
	{"RET-5", "what a topic does without a delivery policy", 0, func(t *T) {
		t.JSONEq(`{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,`+
			`"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`,
			t.AttributesOf(t.Topic("topic"))["EffectiveDeliveryPolicy"])
	}},
	{"RET-6", "what has no queue is not tried again", Time, func(t *T) {
		topic, dead := t.Topic("topic"), t.Standard()
		t.MustAsk("Subscribe", M{"TopicArn": topic, "Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:000000000000:nowhere",
			"Attributes": Pairs("RedrivePolicy", `{"deadLetterTargetArn":"`+dead.ARN()+`"}`, "RawMessageDelivery", "true")}, nil)
		began := time.Now()
		t.Publish(topic, "m")
		t.Wait()
		t.Equal([]string{"m"}, dead.Bodies(10))
		t.Zero(time.Since(began))
	}},
	{"RET-7", "the parts of a delivery policy are put in", 0, func(t *T) {
		topic := t.Topic("topic", "DeliveryPolicy", `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":6,"numRetries":1}}}`)
		effective := t.AttributesOf(topic)["EffectiveDeliveryPolicy"]
		for _, part := range []string{`"minDelayTarget":5`, `"maxDelayTarget":6`, `"numRetries":1`, `"backoffFunction":"linear"`, `"disableSubscriptionOverrides":false`} {
			t.True(strings.Contains(effective, part), effective)
		}
	}},
}}

// topicDeadLetters is section 12.
var topicDeadLetters = Chapter{Cases: []Case{
	{"DLQ-1", "what finds no queue goes to the dead letters", 0, func(t *T) {
		topic, dead := t.Topic("topic"), t.Standard()
		t.MustAsk("Subscribe", M{"TopicArn": topic, "Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:000000000000:nowhere",
			"Attributes": Pairs("RedrivePolicy", `{"deadLetterTargetArn":"`+dead.ARN()+`"}`, "RawMessageDelivery", "true")}, nil)
		t.Publish(topic, "m")
		t.Equal([]string{"m"}, dead.Bodies(10))
	}},
	{"DLQ-2", "they get what the endpoint would have got", 0, func(t *T) {
		topic, dead := t.Topic("topic"), t.Standard()
		t.MustAsk("Subscribe", M{"TopicArn": topic, "Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:000000000000:nowhere",
			"Attributes": Pairs("RedrivePolicy", `{"deadLetterTargetArn":"`+dead.ARN()+`"}`)}, nil)
		out := t.Publish(topic, "m")
		e := dead.Envelopes(10)
		t.Len(e, 1)
		t.Equal(out.MessageId, e[0].MessageId)
		t.Equal("m", e[0].Message)
	}},
}}
