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

const textOtherSubscription = "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"

const queueARNPrefix = "arn:aws:sqs:us-east-1:123456789012:"

func TestSUB1To6_EndpointsAndProtocols(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	topic, fifo := w.standard("a"), w.fifo("a.fifo")
	s, err := w.Subscribe(ctx, topic.ARN(), "sqs", queueARNPrefix+"q", nil) // which need not exist
	require.NoError(t, err)
	id, found := strings.CutPrefix(s.ARN(), topic.ARN()+":")
	require.True(t, found)
	require.NoError(t, uuid.Validate(id))
	require.False(t, s.Pending())
	require.Same(t, topic, s.Topic())
	require.Equal(t, []string{"sqs", queueARNPrefix + "q"}, []string{s.Protocol(), s.Endpoint()})

	for _, c := range []struct {
		topic              *Topic
		protocol, endpoint string
		text               string
	}{
		{topic, "carrier-pigeon", "x", "Invalid parameter: Amazon SNS does not support this protocol string: carrier-pigeon"},
		{topic, "lambda", "x", "Invalid parameter: Amazon SNS does not support this protocol string: lambda"},
		{topic, "", "x", "Invalid parameter: Amazon SNS does not support this protocol string: "},
		{topic, "sqs", "q", "Invalid parameter: SQS endpoint ARN"},
		{topic, "sqs", "", "Invalid parameter: SQS endpoint ARN"},
		{topic, "sqs", "http://localhost:9324/123456789012/q", "Invalid parameter: SQS endpoint ARN"},
		{topic, "http", "https://localhost/", "Invalid parameter: Endpoint must match the specified protocol"},
		{topic, "https", "http://localhost/", "Invalid parameter: Endpoint must match the specified protocol"},
		{topic, "http", "http://", "Invalid parameter: Endpoint"},
		{topic, "email", "nobody", "Invalid parameter: Email address"},
		{topic, "application", "arn:aws:sns:us-east-1:123456789012:endpoint/GCM/app/1", "Invalid parameter: Endpoint Reason: Endpoint does not exist for endpoint arnarn:aws:sns:us-east-1:123456789012:endpoint/GCM/app/1"},
		{topic, "sqs", queueARNPrefix + "q.fifo", "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"},
		{fifo, "http", "http://localhost/", "Invalid parameter: Endpoint Reason: FIFO topics deliver to queues only, not to the protocol http"},
		{fifo, "email", "a@b", "Invalid parameter: Endpoint Reason: FIFO topics deliver to queues only, not to the protocol email"},
	} {
		_, err := w.Subscribe(ctx, c.topic.ARN(), c.protocol, c.endpoint, nil)
		refused(t, err, ErrInvalidParameter, c.text)
	}
	_, err = w.Subscribe(ctx, fifo.ARN(), "sqs", queueARNPrefix+"q", nil) // SUB-6
	require.NoError(t, err)
	_, err = w.Subscribe(ctx, fifo.ARN(), "sqs", queueARNPrefix+"q.fifo", nil)
	require.NoError(t, err)

	var noQueue *inq.Standard
	var noFunc Func
	_, err = topic.Subscribe(Queue(w.queue("alive")), WithDeadLetter(noQueue))
	require.ErrorIs(t, err, ErrInvalidParameter)
	for _, bad := range []Target{nil, noFunc, Queue(nil), Queue(noQueue), URL("ftp://x"), URL(""), QueueARN("")} {
		_, err := topic.Subscribe(bad)
		require.ErrorIs(t, err, ErrInvalidParameter, "%T", bad)
	}
}

func TestSMS2_PhoneNumbers(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	arn := w.standard("a").ARN()
	for _, good := range []string{"+12", "12", "+12/34-567.890", "+123456789012345"} {
		s, err := w.Subscribe(ctx, arn, "sms", good, nil)
		require.NoError(t, err, good)
		require.False(t, s.Pending()) // SMS-1
	}
	for _, bad := range []string{"", "+", "1", "+0123", "+12..34", "+12-/34", ".12", "12.", "+12a", "+1234567890123456", "1+2", "++12", "+1 2"} {
		_, err := w.Subscribe(ctx, arn, "sms", bad, nil)
		refused(t, err, ErrInvalidParameter, "Invalid SMS endpoint: "+bad)
	}
	_, err := w.Subscribe(ctx, arn, "sms", "+12", attributes{"FilterPolicy": `{"k":"v"}`}) // SUB-24
	refused(t, err, ErrInvalidParameter, `Invalid parameter: Attributes Reason: FilterPolicy: "k" must be an object or an array`)
}

func TestSUB9_SubscribeAgain(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	topic := w.standard("a")
	q := w.queue("q")
	given := attributes{"RawMessageDelivery": "True", "FilterPolicy": `{"a": ["b"]}`}
	first, err := w.Subscribe(ctx, topic.ARN(), "sqs", q.ARN(), given)
	require.NoError(t, err)
	for _, same := range []attributes{nil, {}, {"RawMessageDelivery": "true"}, {"FilterPolicyScope": "MessageAttributes"}, {"FilterPolicy": `{"a":["b"]}`}, {"RedrivePolicy": ""}, given} {
		again, err := w.Subscribe(ctx, topic.ARN(), "sqs", q.ARN(), same)
		require.NoError(t, err, same)
		require.Same(t, first, again)
	}
	require.Same(t, first, w.subscribe(topic, Queue(q)), "by reference or by ARN, it is one queue")
	for _, other := range []attributes{{"RawMessageDelivery": "false"}, {"FilterPolicyScope": "MessageBody"}, {"FilterPolicy": `{"a":["c"]}`}, {"FilterPolicy": ""},
		{"RedrivePolicy": `{"deadLetterTargetArn":"` + queueARNPrefix + `d"}`}, {"DeliveryPolicy": `{"throttlePolicy":{"maxReceivesPerSecond":1}}`}} {
		_, err := w.Subscribe(ctx, topic.ARN(), "sqs", q.ARN(), other)
		refused(t, err, ErrInvalidParameter, textOtherSubscription)
	}
	_, err = topic.Subscribe(Queue(q), WithDeadLetter(w.queue("d")))
	refused(t, err, ErrInvalidParameter, textOtherSubscription)
	page, _, err := topic.Subscriptions("")
	require.NoError(t, err)
	require.Equal(t, []*Subscription{first}, page)
	require.NoError(t, first.Unsubscribe())
	require.NotSame(t, first, w.subscribe(topic, Queue(q), WithRawDelivery()))

	nothing := Func(func(context.Context, *Notification) error { return nil })
	require.NotSame(t, w.subscribe(topic, nothing), w.subscribe(topic, nothing), "functions are never the same")
}

func TestSUB10To17_Attributes(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	topic, fifo := w.standard("a"), w.fifo("a.fifo")
	s := w.subscribe(topic, Queue(w.queue("q")))
	ordered := w.subscribe(fifo, Queue(w.fifoQueue("q.fifo")))
	loose := w.subscribe(fifo, Queue(w.queue("q")))
	dead := func(arn string) string { return `{"deadLetterTargetArn":"` + arn + `"}` }
	n := 0
	for _, c := range []struct {
		s                 *Subscription
		name, value, text string
	}{
		{s, "RawMessageDelivery", "yes", "RawMessageDelivery: Invalid value [yes]. Must be true or false."},
		{s, "RawMessageDelivery", "", "RawMessageDelivery: Invalid value []. Must be true or false."},
		{s, "FilterPolicyScope", "Body", "FilterPolicyScope: Invalid value [Body]. Please use either MessageBody or MessageAttributes"},
		{s, "Nothing", "x", "AttributeName"},
		{s, "FilterPolicy", `{"k":"v"}`, `FilterPolicy: "k" must be an object or an array`},
		{s, "FilterPolicy", `{"o":{"k":["v"]}}`, "Filter policy scope MessageAttributes does not support nested filter policy"},
		{s, "RedrivePolicy", "{x", "RedrivePolicy: failed to parse JSON."},
		{s, "RedrivePolicy", dead("x"), "RedrivePolicy: deadLetterTargetArn is an invalid arn"},
		{s, "RedrivePolicy", `{"deadLetterTargetArn":1}`, "RedrivePolicy: deadLetterTargetArn is an invalid arn"},
		{ordered, "RedrivePolicy", dead(queueARNPrefix + "d"), "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."},
		{s, "DeliveryPolicy", "{x", "DeliveryPolicy: failed to parse JSON."},
		{s, "ReplayPolicy", `{"PointType":"Timestamp"}`, "ReplayPolicy: message replay is not supported"},
		{s, "SubscriptionRoleArn", "\x01", "SubscriptionRoleArn: must be text"},
	} {
		before, _ := c.s.Attributes()
		refused(t, c.s.SetAttribute(c.name, c.value), ErrInvalidParameter, "Invalid parameter: "+c.text)
		after, _ := c.s.Attributes()
		require.Equal(t, before, after)
		n++
		suffix := ""
		if c.s == ordered {
			suffix = ".fifo"
		}
		_, err := w.Subscribe(ctx, c.s.topic.ARN(), "sqs", fmt.Sprint(queueARNPrefix, "new", n, suffix), attributes{c.name: c.value})
		refused(t, err, ErrInvalidParameter, "Invalid parameter: Attributes Reason: "+c.text)
	}
	require.NoError(t, loose.SetAttribute("RedrivePolicy", dead(queueARNPrefix+"d")))
	require.NoError(t, ordered.SetAttribute("RedrivePolicy", dead(queueARNPrefix+"d.fifo")))

	show := func(name string) string {
		values, err := s.Attributes()
		require.NoError(t, err)
		v, ok := values[name]
		if !ok {
			return "absent"
		}
		return v
	}
	set := func(name, value string) {
		t.Helper()
		require.NoError(t, s.SetAttribute(name, value))
	}
	set("FilterPolicyScope", "MessageBody")
	require.Equal(t, "absent", show("FilterPolicyScope")) // SUB-14
	set("FilterPolicy", `{"o": {"k": ["v"]}}`)
	require.Equal(t, "MessageBody", show("FilterPolicyScope"))
	require.Equal(t, `{"o": {"k": ["v"]}}`, show("FilterPolicy")) // SUB-26
	refused(t, s.SetAttribute("FilterPolicyScope", "MessageAttributes"), ErrInvalidParameter, "Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy")
	set("FilterPolicy", "{}")
	require.Equal(t, "absent", show("FilterPolicy")) // SUB-15
	set("FilterPolicy", `{"k":["v"]}`)
	set("FilterPolicyScope", "MessageAttributes")
	require.Equal(t, "MessageAttributes", show("FilterPolicyScope"))
	set("FilterPolicy", "")
	require.Equal(t, "absent", show("FilterPolicy"))
	set("RawMessageDelivery", "TRUE")
	require.Equal(t, "true", show("RawMessageDelivery"))
	set("RedrivePolicy", `{ "deadLetterTargetArn": "`+queueARNPrefix+`d" }`)
	require.JSONEq(t, dead(queueARNPrefix+"d"), show("RedrivePolicy"))
	for _, none := range []string{"", "{}"} {
		set("RedrivePolicy", none)
		require.Equal(t, "absent", show("RedrivePolicy"))
	}
	set("DeliveryPolicy", `{"healthyRetryPolicy":{"numRetries":1}}`) // SUB-22
	require.JSONEq(t, `{"healthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":1,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},
		"sicklyRetryPolicy":null,"throttlePolicy":null,"requestPolicy":null,"guaranteed":false}`, show("DeliveryPolicy"))
	_, err := w.Subscribe(ctx, topic.ARN(), "sqs", queueARNPrefix+"scoped", attributes{"FilterPolicy": "", "FilterPolicyScope": "MessageBody"})
	require.NoError(t, err)
	_, err = w.Subscribe(ctx, topic.ARN(), "sqs", queueARNPrefix+"nested", attributes{"FilterPolicy": `{"a":{"b":[1]}}`, "FilterPolicyScope": "MessageBody", "DeliveryPolicy": ""})
	require.NoError(t, err, "the scope counts, wherever it stands") // FLT-3
}

func TestSUB18_19_ARNs(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	topic := w.standard("a")
	s := w.subscribe(topic, Queue(w.queue("q")))
	missing := topic.ARN() + ":" + uuid.NewString()
	_, err := w.Subscription(missing)
	refused(t, err, ErrSubscriptionDoesNotExist, "Subscription does not exist")
	_, err = w.Subscription(topic.ARN() + ":x")
	require.ErrorIs(t, err, ErrSubscriptionDoesNotExist)
	found, err := w.Subscription(s.ARN())
	require.NoError(t, err)
	require.Same(t, s, found)
	require.NoError(t, w.Unsubscribe(ctx, missing))
	for arn, text := range map[string]string{
		"x":                    "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1",
		"pending confirmation": "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1",
		topic.ARN():            "Invalid parameter: SubscriptionId",
	} {
		refused(t, w.Unsubscribe(ctx, arn), ErrInvalidParameter, text)
	}
	require.NoError(t, w.Unsubscribe(ctx, s.ARN()))
	require.NoError(t, w.Unsubscribe(ctx, s.ARN()))
	require.NoError(t, s.Unsubscribe())
	refused(t, s.SetAttribute("RawMessageDelivery", "true"), ErrSubscriptionDoesNotExist, "Subscription does not exist")
}

func TestSUB21_AttributesOfAConfirmedQueue(t *testing.T) {
	w := newWorld(t)
	topic := w.standard("a")
	s := w.subscribe(topic, Queue(w.queue("q")), WithDeadLetter(w.queue("d")))
	values, err := s.Attributes()
	require.NoError(t, err)
	require.Equal(t, attributes{
		"SubscriptionArn": s.ARN(), "TopicArn": topic.ARN(), "Owner": "123456789012", "Protocol": "sqs", "Endpoint": queueARNPrefix + "q",
		"RawMessageDelivery": "false", "PendingConfirmation": "false", "ConfirmationWasAuthenticated": "true",
		"SubscriptionPrincipal": "arn:aws:iam::123456789012:user/inq", "RedrivePolicy": `{"deadLetterTargetArn":"` + queueARNPrefix + `d"}`,
	}, values)
	values, err = w.subscribe(topic, URL("http://127.0.0.1:1/")).Attributes()
	require.NoError(t, err)
	require.Equal(t, []string{"true", "false"}, []string{values["PendingConfirmation"], values["ConfirmationWasAuthenticated"]})
	require.JSONEq(t, `{"healthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},
		"sicklyRetryPolicy":null,"throttlePolicy":null,"requestPolicy":{"headerContentType":"text/plain; charset=UTF-8"},"guaranteed":false}`, values["EffectiveDeliveryPolicy"])
}

func TestRET7_WhatHoldsForASubscriptionFollowsItsTopic(t *testing.T) {
	w := newWorld(t)
	topic := w.standard("a")
	s := w.subscribe(topic, URL("http://127.0.0.1:1/"))
	effective := func() string {
		values, err := s.Attributes()
		require.NoError(t, err)
		return values["EffectiveDeliveryPolicy"]
	}
	require.NoError(t, topic.SetAttribute("DeliveryPolicy", `{"http":{"defaultHealthyRetryPolicy":{"numRetries":7},"defaultRequestPolicy":{"headerContentType":"text/xml"},"defaultThrottlePolicy":{"maxReceivesPerSecond":9}}}`))
	require.Contains(t, effective(), `"numRetries":7`)
	require.Contains(t, effective(), `text/xml`)
	require.Contains(t, effective(), `"maxReceivesPerSecond":9`)
	require.NoError(t, s.SetAttribute("DeliveryPolicy", `{"healthyRetryPolicy":{"numRetries":5},"requestPolicy":{"headerContentType":"application/json"},"throttlePolicy":{"maxReceivesPerSecond":8}}`))
	require.Contains(t, effective(), `"numRetries":5`)
	require.Contains(t, effective(), `application/json`)
	require.Contains(t, effective(), `"maxReceivesPerSecond":8`)
	require.NoError(t, topic.SetAttribute("DeliveryPolicy", `{"http":{"disableSubscriptionOverrides":true}}`))
	require.Contains(t, effective(), `"numRetries":3`)
	require.Contains(t, effective(), `"throttlePolicy":null`)
}

func TestSMS4_PendingSubscriptionsCountForPaging(t *testing.T) {
	w := newWorld(t)
	topic := w.standard("a")
	for i := range 120 {
		w.subscribe(topic, Email(fmt.Sprint("a", i, "@example.com")))
	}
	for _, list := range []func(string) ([]*Subscription, string, error){topic.Subscriptions, w.Subscriptions} {
		page, next, err := list("")
		require.NoError(t, err)
		require.Len(t, page, 100)
		require.True(t, page[0].Pending())
		page, next, err = list(next)
		require.NoError(t, err)
		require.Len(t, page, 20)
		require.Empty(t, next)
	}
}

func TestSUB20_OnlyWhatIsPublishedAfterwards(t *testing.T) {
	w := newWorld(t)
	topic, q := w.standard("a"), w.queue("q")
	w.publish(topic, Message{Body: "before"})
	s := w.subscribe(topic, Queue(q), WithRawDelivery())
	w.publish(topic, Message{Body: "during"})
	require.NoError(t, s.Unsubscribe())
	w.publish(topic, Message{Body: "after"})
	require.Equal(t, []string{"during"}, bodies(t, q))
}

// A place in a list of many can be found, and lists of many that go need no more than what is left.
func TestRoster_KeepsOrderAndPlacesWhileItemsGo(t *testing.T) {
	var r roster[int]
	numbers := map[int]uint64{}
	for i := range 1000 {
		numbers[i] = r.add(&i)
	}
	for i := range 1000 {
		if i%3 != 0 {
			r.remove(numbers[i])
			r.remove(numbers[i])
		}
	}
	require.Equal(t, 334, r.len())
	require.Less(t, len(r.places), 2*334+1)
	last := -1
	for _, item := range r.all() {
		require.Zero(t, *item%3)
		require.Greater(t, *item, last)
		last = *item
	}
	page, next := r.page(numbers[3], 2)
	require.Equal(t, []int{6, 9}, []int{*page[0], *page[1]})
	require.Equal(t, numbers[9], next)
	page, next = r.page(numbers[996], 5)
	require.Len(t, page, 1)
	require.Zero(t, next)
	page, next = r.page(numbers[993], 2) // exactly the rest
	require.Len(t, page, 2)
	require.Zero(t, next)
}
