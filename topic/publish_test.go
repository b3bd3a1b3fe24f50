package topic

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestPUB2To10_Refusals(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	topic, q := w.standard("a"), w.queue("q")
	w.subscribe(topic, Queue(q))
	sized := func(n int) Message { return Message{Body: strings.Repeat("x", n)} }
	for _, c := range []struct {
		m    Message
		text string
	}{
		{Message{}, "Invalid parameter: Empty message"},
		{Message{Body: "x", Subject: "a\nb"}, "Invalid parameter: Subject"},
		{Message{Body: "x", Subject: strings.Repeat("s", 101)}, "Invalid parameter: Subject"},
		{Message{Body: "x", Subject: "\xff"}, "Invalid parameter: Subject"},
		{sized(262_145), "Invalid parameter: Message too long"},
		{Message{Body: strings.Repeat("x", 262_144-10), Attributes: map[string]inq.Attribute{"name": inq.String("v")}}, "Invalid parameter: Message too long"},
		{Message{Body: "\xff"}, "Invalid parameter: Message Reason: must be valid UTF-8"},
		{Message{Body: "x", DeduplicationID: "d"}, "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type"},
		{Message{Body: "x", GroupID: "a b"}, "Invalid parameter: MessageGroupId Reason: must have 1 to 128 alphanumeric or punctuation characters"},
		{Message{Body: "x", Structure: "xml"}, `Invalid parameter: MessageStructure Reason: must be "json" if it is given`},
		{Message{Body: "x", Structure: "json"}, "Invalid parameter: Message Structure - JSON message body failed to parse"},
		{Message{Body: `["default"]`, Structure: "json"}, "Invalid parameter: Message Structure - JSON message body failed to parse"},
		{Message{Body: `{"sqs":"x"}`, Structure: "json"}, "Invalid parameter: Message Structure - No default entry in JSON message body"},
		{Message{Body: `{"default":{"a":"b"}}`, Structure: "json"}, "Invalid parameter: Message Structure - No default entry in JSON message body"},
		{Message{Body: "x", TraceHeader: "a\x00"}, "Invalid parameter: AWSTraceHeader Reason: must be text without control characters"},
	} {
		_, err := topic.Publish(ctx, c.m)
		refused(t, err, ErrInvalidParameter, c.text)
	}
	require.Zero(t, topic.Stats().Published)
	for _, m := range []Message{sized(262_144), {Body: strings.Repeat("x", 262_144-11), Attributes: map[string]inq.Attribute{"name": inq.String("v")}},
		{Body: "x", Subject: strings.Repeat("ü", 100), GroupID: "g"}} {
		w.publish(topic, m)
	}
	require.Equal(t, uint64(3), topic.Stats().Published)
	require.Len(t, bodies(t, q), 3)

	fifo := w.fifo("a.fifo")
	_, err := fifo.Publish(ctx, Message{Body: "x"})
	refused(t, err, ErrInvalidParameter, "Invalid parameter: The MessageGroupId parameter is required for FIFO topics")
	_, err = fifo.Publish(ctx, Message{Body: "x", GroupID: "g"})
	refused(t, err, ErrInvalidParameter, "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	_, err = fifo.Publish(ctx, Message{Body: "x", GroupID: "g", DeduplicationID: strings.Repeat("x", 129)})
	require.ErrorIs(t, err, ErrInvalidParameter)

	unlimited := newWorld(t, WithoutSNSLimits())
	unlimited.publish(unlimited.standard("a"), sized(1<<20))
}

func TestPUB9_NoSubscribersIsSuccess(t *testing.T) {
	w := newWorld(t)
	p := w.publish(w.standard("a"), Message{Body: "x"})
	require.NoError(t, uuid.Validate(p.MessageID()))
	require.Equal(t, p.MessageID(), p.MessageID())
	require.Empty(t, p.SequenceNumber())
	require.False(t, p.Duplicate())
}

func TestPUB11To20_MessageAttributes(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	topic, q := w.standard("a"), w.queue("q")
	w.subscribe(topic, Queue(q))
	kind := func(name string) string {
		return "The message attribute '" + name + "' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
	}
	missing := "1 validation error detected: Value null at 'messageAttributes.n.member.dataType' failed to satisfy constraint: Member must not be null"
	for _, c := range []struct {
		name string
		a    inq.Attribute
		is   error
		text string
	}{
		{"n", inq.Attribute{Type: "String.", Value: "x"}, ErrInvalidMessageAttribute, kind("n")},
		{"n", inq.Attribute{Type: "Stringx", Value: "x"}, ErrInvalidMessageAttribute, kind("n")},
		{"n", inq.Attribute{Type: "string", Value: "x"}, ErrInvalidMessageAttribute, kind("n")},
		{"n", inq.Attribute{Value: "x"}, ErrMissingValue, missing},
		{"n", inq.Attribute{Type: "String"}, ErrInvalidMessageAttribute, "The message attribute 'n' must contain non-empty message attribute value for message attribute type 'String'."},
		{"n", inq.Attribute{Type: "Binary"}, ErrInvalidMessageAttribute, "The message attribute 'n' must contain non-empty message attribute value for message attribute type 'Binary'."},
		{"n", inq.Attribute{Type: "String", Binary: []byte("x")}, ErrInvalidMessageAttribute, "The message attribute 'n' with type 'String' must use field 'String'."},
		{"n", inq.Attribute{Type: "Binary.png", Value: "x"}, ErrInvalidMessageAttribute, "The message attribute 'n' with type 'Binary.png' must use field 'Binary'."},
		{strings.Repeat("n", 257), inq.String("x"), ErrInvalidMessageAttribute, "Length of message attribute name must be less than 256 bytes."},
		{"", inq.String("x"), ErrInvalidMessageAttribute, "Length of message attribute name must be greater than 0."},
		{"a^b", inq.String("x"), ErrInvalidMessageAttribute, "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots."},
		{".n", inq.String("x"), ErrInvalidMessageAttribute, "Invalid message attribute name starting with character '.' was found."},
		{"n.", inq.String("x"), ErrInvalidMessageAttribute, "Invalid message attribute name ending with character '.' was found."},
		{"n..m", inq.String("x"), ErrInvalidMessageAttribute, "Message attribute name can not have successive '.' character."},
		{"aws.n", inq.String("x"), ErrInvalidMessageAttribute, "Message attribute name can not start with 'AWS.' or 'Amazon.'."},
		{"Amazon.n", inq.String("x"), ErrInvalidMessageAttribute, "Message attribute name can not start with 'AWS.' or 'Amazon.'."},
		{"n", inq.Number("1x"), ErrInvalidMessageAttribute, "Could not cast message attribute 'n' value to number."},
		{"n", inq.String("a\x00"), ErrInvalidMessageAttribute, "The message attribute 'n' must contain valid text."},
	} {
		_, err := topic.Publish(ctx, Message{Body: "x", Attributes: map[string]inq.Attribute{c.name: c.a}})
		refused(t, err, c.is, c.text)
	}
	w.publish(topic, Message{Body: "x", Attributes: map[string]inq.Attribute{
		"a.b-c_D9": {Type: "String.  x.", Value: "x"}, "n": {Type: "Number.float", Value: "-1.5e3"}, "b": {Type: "Binary.png", Binary: []byte{2, 3, 4}}, "awsome": inq.String("x")}})
	require.Len(t, bodies(t, q), 1)
}

func TestMSJ_TextsByProtocol(t *testing.T) {
	w := newWorld(t)
	topic, q, raw := w.standard("a"), w.queue("q"), w.queue("raw")
	w.subscribe(topic, Queue(q))
	w.subscribe(topic, Queue(raw), WithRawDelivery())
	w.subscribe(topic, SMS("+123"))
	w.publish(topic, Message{Structure: StructureJSON, Body: `{"default":"d","default":"D","sqs":"for queues","sms":{"not":"text"},"other":1}`})
	require.Equal(t, []string{"for queues"}, bodies(t, raw))
	require.Contains(t, bodies(t, q)[0], `"Message" : "for queues"`)
	require.Equal(t, "D", w.Outbox().Take()[0].Body)

	// A body filter looks at the text of the protocol.
	filtered := w.queue("filtered")
	w.subscribe(topic, Queue(filtered), WithRawDelivery(), WithBodyFilter(`{"k":["sqs"]}`))
	phone := w.subscribe(topic, SMS("+124"), WithBodyFilter(`{"k":["sms"]}`))
	w.publish(topic, Message{Structure: StructureJSON, Body: `{"default":"{}","sqs":"{\"k\":\"sqs\"}","sms":"{\"k\":\"sqs\"}"}`})
	w.publish(topic, Message{Structure: StructureJSON, Body: `{"default":"{\"k\":\"sms\"}","sqs":"{\"k\":\"sms\"}"}`})
	w.publish(topic, Message{Structure: StructureJSON, Body: `{"default":"{\"k\":\"sms\"}","sqs":"{\"k\":\"sms\"}","sms":"{\"k\":\"other\"}"}`})
	require.Equal(t, []string{`{"k":"sqs"}`}, bodies(t, filtered))
	require.Equal(t, uint64(1), phone.Stats().Delivered)
}

func TestBAT_Batches(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	topic, q := w.standard("a"), w.queue("q")
	w.subscribe(topic, Queue(q), WithRawDelivery(), WithFilter(`{"k":["v"]}`))
	fifo := w.fifo("a.fifo")
	many := make([]Message, 11)
	for i := range many {
		many[i] = Message{Body: fmt.Sprint(i)}
	}
	_, err := fifo.PublishBatch(ctx, many)
	refused(t, err, ErrTooManyEntries, "The batch request contains more entries than permissible.")
	_, err = topic.PublishBatch(ctx, nil)
	require.ErrorIs(t, err, ErrEmptyBatch)
	_, err = topic.PublishBatch(ctx, []Message{{Body: strings.Repeat("x", 200_000)}, {Body: strings.Repeat("x", 62_145)}})
	refused(t, err, ErrBatchTooLong, "The length of all the messages put together is more than the limit.")
	for _, c := range []struct {
		topic *Topic
		m     Message
		is    error
		text  string
	}{
		{topic, Message{}, ErrInvalidParameter, "Invalid parameter: Empty message"},
		{topic, Message{Body: "x", Attributes: map[string]inq.Attribute{"n": {Value: "v"}}}, ErrMissingValue,
			"1 validation error detected: Value null at 'publishBatchRequestEntries.2.member.messageAttributes.n.member.dataType' failed to satisfy constraint: Member must not be null"},
		{fifo, Message{Body: "{}", Structure: "json"}, ErrInvalidParameter, "Invalid parameter: Message Structure - No default entry in JSON message body"}, // BAT-9
		{fifo, Message{Body: "x"}, ErrInvalidParameter, "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"},
		{fifo, Message{Body: "x", GroupID: "g"}, ErrInvalidParameter, "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"},
	} {
		good := Message{Body: "fine", Attributes: map[string]inq.Attribute{"k": inq.String("v")}}
		if c.topic == fifo {
			good.GroupID, good.DeduplicationID = "g", "d"
		}
		_, err := c.topic.PublishBatch(ctx, []Message{good, c.m})
		refused(t, err, c.is, c.text)
		require.ErrorContains(t, err, "entry 2")
		require.Zero(t, c.topic.Stats().Published)
	}
	var ms []Message
	for i := range 10 {
		ms = append(ms, Message{Body: fmt.Sprint(i), Attributes: map[string]inq.Attribute{"k": inq.String([]string{"v", "w"}[i%2])}})
	}
	published, err := topic.PublishBatch(ctx, ms)
	require.NoError(t, err)
	require.Len(t, published, 10)
	require.NotEqual(t, published[0].MessageID(), published[1].MessageID())
	require.Equal(t, []string{"0", "2", "4", "6", "8"}, bodies(t, q)) // BAT-8: filters are evaluated per entry
}

func TestFAN_WhatQueuesGet(t *testing.T) {
	w := newWorld(t)
	topic, q, raw := w.standard("a"), w.queue("q"), w.queue("raw")
	w.subscribe(topic, Queue(q))
	w.subscribe(topic, QueueARN(raw.ARN()), WithRawDelivery())
	m := Message{Body: "<text> & \"more\"\u2028", Subject: "S", GroupID: "tenant", TraceHeader: "Root=1", Attributes: map[string]inq.Attribute{
		"s": inq.String("x"), "n": inq.Number("99.12"), "b": inq.Binary([]byte{2, 3, 4}), "l": {Type: "String.label", Value: "y"}}}
	p := w.publish(topic, m)
	enveloped, native := deliveries(t, q)[0], deliveries(t, raw)[0]

	require.Empty(t, enveloped.Attributes())
	require.Equal(t, []string{"tenant", "Root=1"}, []string{enveloped.GroupID, enveloped.TraceHeader()}) // PUB-8, FAN-7
	require.NotEqual(t, p.MessageID(), enveloped.ID())                                                   // FAN-2
	require.Contains(t, enveloped.Body, `"MessageId" : "`+p.MessageID()+`"`)

	require.Equal(t, m.Body, native.Body)
	require.Equal(t, m.Attributes, native.Attributes())
	require.Equal(t, []string{"tenant", "Root=1"}, []string{native.GroupID, native.TraceHeader()})

	m.Attributes["b"].Binary[0] = 9 // the publisher's own
	require.Equal(t, []byte{2, 3, 4}, native.Attributes()["b"].Binary)
}

func TestFAN1_OneFailureDoesNotTouchOthers(t *testing.T) {
	w := newWorld(t)
	topic, a, b := w.standard("a"), w.queue("a"), w.queue("b")
	gone := w.subscribe(topic, QueueARN(queueARNPrefix+"gone"), WithRawDelivery())
	dead := w.queue("dead")
	broken := w.subscribe(topic, Func(func(context.Context, *Notification) error { panic("no") }), WithDeadLetter(dead),
		WithDeliveryPolicy(`{"healthyRetryPolicy":{"numRetries":0}}`))
	w.subscribe(topic, Queue(a), WithRawDelivery())
	w.subscribe(topic, Queue(b), WithRawDelivery())
	w.publish(topic, Message{Body: "x"})
	require.Equal(t, []string{"x"}, bodies(t, a))
	require.Equal(t, []string{"x"}, bodies(t, b))
	require.NoError(t, w.Shutdown(context.Background()))
	require.Equal(t, SubscriptionStats{Failed: 1}, gone.Stats())
	require.Equal(t, SubscriptionStats{DeadLettered: 1}, broken.Stats())
	require.Contains(t, bodies(t, dead)[0], `"Message" : "x"`)
	require.Equal(t, 1, w.log.count("lost"))
}

func TestFAN6_AQueueThatIsGone(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	for _, opts := range [][]SubscribeOption{nil, {WithRawDelivery()}} {
		topic, q, dead := w.standard("a"), w.queue("q"), w.queue("dead")
		s := w.subscribe(topic, Queue(q), append(opts, WithSubscriptionAttribute("RedrivePolicy", `{"deadLetterTargetArn":"`+dead.ARN()+`"}`))...)
		w.publish(topic, Message{Body: "1"})
		require.NoError(t, w.broker.DeleteQueue(ctx, "q"))
		w.publish(topic, Message{Body: "2"})
		again := w.queue("q") // the next one of the name takes over
		w.publish(topic, Message{Body: "3"})
		require.Len(t, bodies(t, dead), 1)
		require.Len(t, bodies(t, again), 1)
		require.NoError(t, again.Close()) // it is still the queue of that name
		w.publish(topic, Message{Body: "4"})
		require.Len(t, bodies(t, dead), 1)
		require.NoError(t, s.SetAttribute("RedrivePolicy", "")) // DLQ-3
		w.publish(topic, Message{Body: "5"})
		require.Equal(t, SubscriptionStats{Delivered: 2, DeadLettered: 2, Failed: 1}, s.Stats())
		require.NoError(t, w.broker.DeleteQueue(ctx, "q"))
		require.NoError(t, w.DeleteTopic(ctx, topic.ARN()))
	}
}

func TestFAN_MoreThanTenAttributes(t *testing.T) {
	w := newWorld(t)
	topic, q, raw, dead := w.standard("a"), w.queue("q"), w.queue("raw"), w.queue("dead")
	w.subscribe(topic, Queue(q))
	s := w.subscribe(topic, Queue(raw), WithRawDelivery(), WithDeadLetter(dead))
	m := Message{Body: "x", Attributes: map[string]inq.Attribute{}}
	for i := range 11 {
		m.Attributes[fmt.Sprint("a", i)] = inq.String("v")
	}
	w.publish(topic, m)
	require.Equal(t, 11, strings.Count(bodies(t, q)[0], `{"Type":"String","Value":"v"}`))
	require.Empty(t, bodies(t, raw))
	require.Empty(t, bodies(t, dead), "the dead-letter queue cannot take it either")
	require.Equal(t, SubscriptionStats{Failed: 1}, s.Stats())
	require.Equal(t, 1, w.log.count("lost"))
}

func TestFAN8_AMaximalMessageFitsIntoAnEnvelope(t *testing.T) {
	w := newWorld(t)
	topic, q := w.standard("a"), w.queue("q")
	w.subscribe(topic, Queue(q))
	w.publish(topic, Message{Body: strings.Repeat(`"`, 262_144)})
	require.Len(t, bodies(t, q), 1)
}

func TestFilters_AndStats(t *testing.T) {
	w := newWorld(t)
	topic := w.standard("a")
	attr := func(v string) Message {
		return Message{Body: `{"kind":"` + v + `"}`, Attributes: map[string]inq.Attribute{"kind": inq.String(v)}}
	}
	all, one, body := w.queue("all"), w.queue("one"), w.queue("body")
	w.publish(topic, attr("before"))
	everything := w.subscribe(topic, Queue(all), WithRawDelivery())
	s := w.subscribe(topic, Queue(one), WithRawDelivery(), WithFilter(`{"kind":["paid"]}`))
	w.subscribe(topic, Queue(body), WithRawDelivery(), WithBodyFilter(`{"kind":[{"prefix":"p"}]}`))
	for _, v := range []string{"paid", "placed", "sent"} {
		w.publish(topic, attr(v))
	}
	require.Len(t, bodies(t, all), 3)
	require.Equal(t, []string{`{"kind":"paid"}`}, bodies(t, one))
	require.Equal(t, []string{`{"kind":"paid"}`, `{"kind":"placed"}`}, bodies(t, body))
	require.Equal(t, SubscriptionStats{Delivered: 1, Filtered: 2}, s.Stats())
	require.Equal(t, SubscriptionStats{Delivered: 3}, everything.Stats())
	require.NoError(t, s.SetAttribute("FilterPolicy", `{"kind":["sent"]}`))
	w.publish(topic, attr("sent"))
	require.NoError(t, s.SetAttribute("FilterPolicy", ""))
	w.publish(topic, attr("anything"))
	require.NoError(t, s.SetAttribute("FilterPolicy", `{"kind":["never"]}`))
	w.publish(topic, attr("anything"))
	require.Equal(t, []string{`{"kind":"sent"}`, `{"kind":"anything"}`}, bodies(t, one))
	require.Equal(t, TopicStats{Published: 7, Subscriptions: 3}, topic.Stats())
}
