package topic

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

const (
	textTopicName       = "Invalid parameter: Topic Name"
	textOtherAttributes = "Invalid parameter: Attributes Reason: Topic already exists with different attributes"
	textOtherTags       = "Invalid parameter: Tags Reason: Topic already exists with different tags"
)

type attributes = map[string]string

func TestTOP1_Names(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"", strings.Repeat("x", 257), "a b", "a:b", "a;b", "a!b", "a@b", "a|b", "a^b", "a%b", "a.b", ".fifo", "a.fifo"} {
		_, err := w.CreateStandard(name)
		refused(t, err, ErrInvalidParameter, textTopicName)
	}
	for _, name := range []string{"a", ".fifo", "a b.fifo", strings.Repeat("x", 252) + ".fifo"} {
		_, err := w.CreateFIFO(name)
		refused(t, err, ErrInvalidParameter, textTopicName)
	}
	long := w.standard(strings.Repeat("x", 256))
	require.Equal(t, "arn:aws:sns:us-east-1:123456789012:"+long.Name(), long.ARN())
	require.False(t, long.FIFO())
	require.True(t, w.fifo(strings.Repeat("x", 251)+".fifo").FIFO())
}

func TestTOP2To5_CreateAgain(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	create := func(name string, a, tags attributes) (*Topic, error) { return w.CreateTopic(ctx, name, a, tags) }
	first, err := create("a", attributes{"DisplayName": "A", "DeliveryPolicy": `{"http":{"defaultHealthyRetryPolicy":{"numRetries":1}}}`}, attributes{"k": "v", "l": "w"})
	require.NoError(t, err)
	for _, given := range []attributes{nil, {"DisplayName": "A"}, {"FifoTopic": "false"}, {"DeliveryPolicy": `{ "http": {"defaultHealthyRetryPolicy":{"numRetries": 1}}}`}} {
		again, err := create("a", given, nil)
		require.NoError(t, err, given)
		require.Same(t, first, again)
	}
	for _, given := range []attributes{{"DisplayName": "B"}, {"SignatureVersion": "2"}, {"DisplayName": "A", "TracingConfig": "Active"}} {
		_, err := create("a", given, nil)
		refused(t, err, ErrInvalidParameter, textOtherAttributes)
	}
	for _, tags := range []attributes{{}, {"k": "v"}, {"k": "v", "l": "w"}} {
		_, err := create("a", nil, tags)
		require.NoError(t, err)
	}
	for _, tags := range []attributes{{"k": "x"}, {"m": "v"}, {"k": "v", "m": ""}} {
		_, err := create("a", nil, tags)
		refused(t, err, ErrInvalidParameter, textOtherTags)
	}
	require.NoError(t, first.SetAttribute("DisplayName", "B"))
	again, err := create("a", nil, nil)
	require.NoError(t, err)
	require.Same(t, first, again)
	_, err = create("a", attributes{"FifoTopic": "true"}, nil)
	refused(t, err, ErrInvalidParameter, textTopicName)

	require.NoError(t, w.DeleteTopic(ctx, first.ARN()))
	again, err = create("a", nil, attributes{"m": "1"})
	require.NoError(t, err)
	require.NotSame(t, first, again)
	tags, err := w.Tags(ctx, again.ARN())
	require.NoError(t, err)
	require.Equal(t, attributes{"m": "1"}, tags)
}

func TestTOP6To9_DeleteAndARNs(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	q := w.queue("q")
	topic := w.standard("a")
	s := w.subscribe(topic, Queue(q))
	arn := topic.ARN()
	require.NoError(t, w.DeleteTopic(ctx, arn))
	require.NoError(t, w.DeleteTopic(ctx, arn))
	_, err := topic.Attributes()
	refused(t, err, ErrTopicDoesNotExist, "Topic does not exist")
	_, err = topic.Publish(ctx, Message{Body: "x"})
	refused(t, err, ErrTopicDoesNotExist, "Topic does not exist")
	_, err = w.Subscribe(ctx, arn, "sqs", q.ARN(), nil)
	refused(t, err, ErrTopicDoesNotExist, "Topic does not exist")
	_, err = w.ByARN(arn)
	require.ErrorIs(t, err, ErrTopicDoesNotExist)
	_, err = w.Topic("a")
	require.ErrorIs(t, err, ErrTopicDoesNotExist)
	require.ErrorIs(t, topic.SetAttribute("DisplayName", "x"), ErrTopicDoesNotExist)
	_, _, err = topic.Subscriptions("")
	require.ErrorIs(t, err, ErrTopicDoesNotExist)

	values, err := s.Attributes() // it lingers
	require.NoError(t, err)
	require.Equal(t, arn, values["TopicArn"])
	w.standard("a")
	w.publish(w.standard("a"), Message{Body: "x"})
	require.Empty(t, bodies(t, q), "a topic of the same name does not inherit subscriptions")
	require.NoError(t, s.Unsubscribe())
	_, err = s.Attributes()
	refused(t, err, ErrSubscriptionDoesNotExist, "Subscription does not exist")

	for arn, text := range map[string]string{
		"":                                     "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1",
		"a:b:c":                                "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 3",
		"arn:aws:sns:eu-west-1:123456789012:a": "Invalid parameter: TopicArn",
	} {
		_, err := w.ByARN(arn)
		refused(t, err, ErrInvalidParameter, text)
		refused(t, w.DeleteTopic(ctx, arn), ErrInvalidParameter, text)
		for _, protocol := range []string{"sqs", "sms", "nothing"} { // SUB-23
			_, err = w.Subscribe(ctx, arn, protocol, "x", nil)
			refused(t, err, ErrInvalidParameter, text)
		}
		_, err = w.Publish(ctx, arn, Message{Body: "x"})
		refused(t, err, ErrInvalidParameter, text)
	}
}

func TestTOP7_SubscriptionsOfDeletedTopicsDoNotPileUp(t *testing.T) {
	w, ctx := newWorld(t, WithoutSNSLimits()), context.Background()
	for i := range maxOrphans + 10 {
		topic := w.standard(fmt.Sprint("t", i))
		w.subscribe(topic, QueueARN("arn:aws:sqs:us-east-1:123456789012:q"))
		require.NoError(t, w.DeleteTopic(ctx, topic.ARN()))
	}
	require.Len(t, w.subscriptions, maxOrphans)
}

func TestTOP10_Pages(t *testing.T) {
	w := newWorld(t)
	for i := range 250 {
		w.standard(fmt.Sprint("t", i))
	}
	require.NoError(t, w.DeleteTopic(context.Background(), w.topics["t0"].ARN()))
	var names []string
	token, pages := "", 0
	for {
		page, next, err := w.Topics(token)
		require.NoError(t, err)
		pages++
		for _, topic := range page {
			names = append(names, topic.Name())
		}
		if pages == 1 { // what comes and goes does not disturb the others
			require.NoError(t, w.DeleteTopic(context.Background(), page[99].ARN()))
			w.standard("late")
		}
		if token = next; token == "" {
			break
		}
		require.Len(t, page, 100)
	}
	require.Equal(t, 3, pages)
	require.Len(t, names, 250)
	require.Equal(t, "t1", names[0])
	require.Equal(t, "late", names[249])
	for _, bad := range []string{"x", "AAAA"} {
		_, _, err := w.Topics(bad)
		refused(t, err, ErrInvalidParameter, "Invalid parameter: NextToken")
	}
	page, next, err := w.Topics("//////////8=") // 0xff eight times
	require.NoError(t, err)
	require.Empty(t, page)
	require.Empty(t, next)
}

func TestTopicAttributes(t *testing.T) {
	w := newWorld(t)
	topic := w.standard("a")
	values, err := topic.Attributes()
	require.NoError(t, err)
	policy := values["Policy"]
	delete(values, "Policy")
	require.Equal(t, attributes{
		"TopicArn": topic.ARN(), "Owner": "123456789012", "DisplayName": "",
		"SubscriptionsConfirmed": "0", "SubscriptionsPending": "0", "SubscriptionsDeleted": "0",
		"EffectiveDeliveryPolicy": `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`, // RET-5
	}, values)
	require.JSONEq(t, `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},
		"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],
		"Resource":"arn:aws:sns:us-east-1:123456789012:a","Condition":{"StringEquals":{"AWS:SourceOwner":"123456789012"}}}]}`, policy)

	q := w.queue("q")
	s := w.subscribe(topic, Queue(q))
	w.subscribe(topic, Email("a@example.com"))
	require.NoError(t, s.Unsubscribe())
	w.subscribe(topic, Queue(q))
	values, _ = topic.Attributes()
	require.Equal(t, []string{"1", "1", "1"}, []string{values["SubscriptionsConfirmed"], values["SubscriptionsPending"], values["SubscriptionsDeleted"]})

	fifo := w.fifo("a.fifo")
	values, _ = fifo.Attributes()
	require.Equal(t, "true", values["FifoTopic"])
	require.Equal(t, "false", values["ContentBasedDeduplication"])
	require.NotContains(t, values, "FifoThroughputScope")
	require.NotContains(t, values, "SignatureVersion")
	created, err := w.CreateTopic(context.Background(), "b.fifo", attributes{"FifoTopic": "True", "ContentBasedDeduplication": "TRUE", "SignatureVersion": "2"}, nil)
	require.NoError(t, err)
	values, _ = created.Attributes()
	require.Equal(t, []string{"true", "true", "2"}, []string{values["FifoTopic"], values["ContentBasedDeduplication"], values["SignatureVersion"]})
	created, err = w.CreateTopic(context.Background(), "c", attributes{"FifoTopic": "false"}, nil)
	require.NoError(t, err)
	values, _ = created.Attributes()
	require.NotContains(t, values, "FifoTopic")
}

func TestTOP11_12_SetAttributes(t *testing.T) {
	w := newWorld(t)
	topic, fifo := w.standard("a"), w.fifo("a.fifo")
	for _, name := range []string{"FifoTopic", "Nothing", "TopicArn", "Owner", "ContentBasedDeduplication", ""} {
		refused(t, topic.SetAttribute(name, "true"), ErrInvalidParameter, "Invalid parameter: AttributeName")
	}
	refused(t, fifo.SetAttribute("FifoTopic", "true"), ErrInvalidParameter, "Invalid parameter: AttributeName")
	for name, bad := range map[string]string{
		"DisplayName": strings.Repeat("x", 101), "Policy": "[]", "SignatureVersion": "3", "TracingConfig": "x", "HTTPSuccessFeedbackSampleRate": "101",
		"DeliveryPolicy": "{}", "KmsMasterKeyId": "\x00",
	} {
		err := topic.SetAttribute(name, bad)
		require.ErrorIs(t, err, ErrInvalidParameter, name)
		require.ErrorContains(t, err, name)
	}
	refused(t, fifo.SetAttribute("ArchivePolicy", `{"MessageRetentionPeriod":"1"}`), ErrInvalidParameter, "Invalid parameter: ArchivePolicy: message archiving is not supported")
	before, _ := topic.Attributes()
	for name, good := range map[string]string{
		"DisplayName": strings.Repeat("ü", 100), "Policy": `{"Statement":[]}`, "SignatureVersion": "2", "TracingConfig": "PassThrough",
		"HTTPSuccessFeedbackSampleRate": "100", "KmsMasterKeyId": "alias/aws/sns", "SQSFailureFeedbackRoleArn": "arn:aws:iam::1:role/x",
	} {
		require.NoError(t, topic.SetAttribute(name, good))
		values, _ := topic.Attributes()
		require.Equal(t, good, values[name])
		require.NoError(t, topic.SetAttribute(name, map[string]string{"SignatureVersion": "1", "TracingConfig": "Active"}[name]))
	}
	values, _ := topic.Attributes()
	require.Equal(t, "1", values["SignatureVersion"])
	delete(values, "SignatureVersion")
	delete(values, "TracingConfig")
	require.Equal(t, before, values)

	show := func() (own, effective string) {
		values, err := topic.Attributes()
		require.NoError(t, err)
		return values["DeliveryPolicy"], values["EffectiveDeliveryPolicy"]
	}
	set := func(policy string) {
		t.Helper()
		require.NoError(t, topic.SetAttribute("DeliveryPolicy", policy))
	}
	set(`{"http":{"defaultRequestPolicy":{"headerContentType":"application/json"}}}`)
	own, effective := show()
	require.JSONEq(t, `{"http":{"defaultRequestPolicy":{"headerContentType":"application/json"},"disableSubscriptionOverrides":false}}`, own)
	require.Contains(t, effective, `"headerContentType":"application/json"`)
	set(`{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":6,"numRetries":1}}}`)
	own, effective = show()
	require.JSONEq(t, `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":6,"numRetries":1},"disableSubscriptionOverrides":false}}`, own)
	require.Contains(t, effective, `{"minDelayTarget":5,"maxDelayTarget":6,"numRetries":1,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"}`)
	require.Contains(t, effective, `text/plain`)
	set(`{"http":{"defaultHealthyRetryPolicy":null}}`)
	own, _ = show()
	require.JSONEq(t, `{"http":{"disableSubscriptionOverrides":false}}`, own)
	set("")
	own, _ = show()
	require.Empty(t, own)
}

func TestRET4_BoundsOfDeliveryPolicies(t *testing.T) {
	w := newWorld(t)
	topic := w.standard("a")
	set := func(retries string) error {
		return topic.SetAttribute("DeliveryPolicy", `{"http":{"defaultHealthyRetryPolicy":`+retries+`}}`)
	}
	for _, retries := range []string{
		`{"minDelayTarget":0}`, `{"minDelayTarget":21}`, `{"maxDelayTarget":3601}`, `{"numRetries":-1}`, `{"numRetries":101}`,
		`{"numNoDelayRetries":-1}`, `{"numNoDelayRetries":2,"numMinDelayRetries":2}`, `{"backoffFunction":"x"}`,
		`{"numRetries":100,"maxDelayTarget":3600,"backoffFunction":"linear"}`, `{"x":1}`, `{"numRetries":"1"}`, `[]`, `{"numMaxDelayRetries":9223372036854775807,"numMinDelayRetries":1}`,
	} {
		err := set(retries)
		require.ErrorIs(t, err, ErrInvalidParameter, retries)
		require.ErrorContains(t, err, "DeliveryPolicy")
	}
	for _, retries := range []string{
		`{"minDelayTarget":20}`, `{"maxDelayTarget":3600,"numRetries":0}`, `{"numRetries":100,"minDelayTarget":1,"maxDelayTarget":1}`,
		`{"numNoDelayRetries":1,"numMinDelayRetries":1,"numMaxDelayRetries":1}`, `{"backoffFunction":"geometric"}`, `{}`,
	} {
		require.NoError(t, set(retries), retries)
	}
	for _, policy := range []string{`{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":0}}}`, `{"http":{"defaultRequestPolicy":{"headerContentType":"a\nb"}}}`, `x`, `{"sqs":{}}`, `{"http":{}} x`} {
		require.ErrorIs(t, topic.SetAttribute("DeliveryPolicy", policy), ErrInvalidParameter, policy)
	}
}

func TestPERM_Permissions(t *testing.T) {
	w := newWorld(t)
	topic := w.standard("a")
	statements := func() string {
		values, err := topic.Attributes()
		require.NoError(t, err)
		return values["Policy"]
	}
	require.NoError(t, topic.AddPermission("one", []string{"111111111111"}, []string{"Publish"}))
	require.Contains(t, statements(), `{"Sid":"one","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"SNS:Publish","Resource":"`+topic.ARN()+`"}`)
	require.Contains(t, statements(), "__default_statement_ID")
	require.NoError(t, topic.AddPermission("two", []string{"111111111111", "222222222222"}, []string{"Publish", "Receive"}))
	require.Contains(t, statements(), `"Principal":{"AWS":["arn:aws:iam::111111111111:root","arn:aws:iam::222222222222:root"]},"Action":["SNS:Publish","SNS:Receive"]`)
	refused(t, topic.AddPermission("two", []string{"1"}, []string{"Publish"}), ErrInvalidParameter, "Invalid parameter: Statement already exists")
	refused(t, topic.AddPermission("three", []string{"1"}, []string{"Fly"}), ErrInvalidParameter, "Invalid parameter: Policy statement action out of service scope!")
	for _, err := range []error{topic.AddPermission("", []string{"1"}, []string{"Publish"}), topic.AddPermission("x", nil, []string{"Publish"}), topic.AddPermission("x", []string{"1"}, nil)} {
		require.ErrorIs(t, err, ErrInvalidParameter)
	}
	require.NoError(t, topic.RemovePermission("one"))
	require.NoError(t, topic.RemovePermission("one"))
	require.NotContains(t, statements(), `"one"`)
	require.NoError(t, topic.SetAttribute("Policy", `{"Statement":{"Sid":"only"},"Keep":"<me>"}`))
	require.NoError(t, topic.AddPermission("four", []string{"1"}, []string{"*"}))
	require.JSONEq(t, `{"Keep":"<me>","Statement":[{"Sid":"only"},{"Sid":"four","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"SNS:*","Resource":"`+topic.ARN()+`"}]}`, statements())
	for i := range maxStatements - 2 {
		require.NoError(t, topic.AddPermission(fmt.Sprint("s", i), []string{"1"}, []string{"Publish"}))
	}
	require.ErrorContains(t, topic.AddPermission("more", []string{"1"}, []string{"Publish"}), "100 statements")
	require.ErrorIs(t, topic.SetAttribute("Policy", `{"a":"`+strings.Repeat("x", maxPolicy)+`"}`), ErrInvalidParameter)
	require.NoError(t, w.DeleteTopic(context.Background(), topic.ARN()))
	refused(t, topic.AddPermission("x", []string{"1"}, []string{"Publish"}), ErrTopicDoesNotExist, "Topic does not exist")
	refused(t, topic.RemovePermission("x"), ErrTopicDoesNotExist, "Topic does not exist")
}

func TestTOP14_DataProtectionPolicy(t *testing.T) {
	w := newWorld(t)
	topic := w.standard("a")
	policy, err := topic.DataProtectionPolicy()
	require.NoError(t, err)
	require.Empty(t, policy)
	require.NoError(t, topic.SetDataProtectionPolicy(`{"Name":"p"}`))
	policy, _ = topic.DataProtectionPolicy()
	require.Equal(t, `{"Name":"p"}`, policy)
	values, _ := topic.Attributes()
	require.NotContains(t, values, "DataProtectionPolicy")
	for _, bad := range []string{"x", "[]", `{"a":"` + strings.Repeat("x", maxPolicy) + `"}`} {
		require.ErrorIs(t, topic.SetDataProtectionPolicy(bad), ErrInvalidParameter)
	}
	require.NoError(t, topic.SetDataProtectionPolicy(""))
	policy, _ = topic.DataProtectionPolicy()
	require.Empty(t, policy)
	require.NoError(t, w.DeleteTopic(context.Background(), topic.ARN()))
	require.ErrorIs(t, topic.SetDataProtectionPolicy(""), ErrTopicDoesNotExist)
	_, err = topic.DataProtectionPolicy()
	require.ErrorIs(t, err, ErrTopicDoesNotExist)
}

func TestTAG_Tags(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	arn := w.standard("a").ARN()
	tags, err := w.Tags(ctx, arn)
	require.NoError(t, err)
	require.Equal(t, attributes{}, tags)
	require.NoError(t, w.SetTags(ctx, arn, attributes{"k": "1", "K": "2"}))
	require.NoError(t, w.SetTags(ctx, arn, attributes{"k": "3", strings.Repeat("ü", 128): strings.Repeat("ü", 256)}))
	require.NoError(t, w.RemoveTags(ctx, arn, "K", "unknown"))
	tags, _ = w.Tags(ctx, arn)
	require.Equal(t, attributes{"k": "3", strings.Repeat("ü", 128): strings.Repeat("ü", 256)}, tags)
	for _, bad := range []attributes{{"": "x"}, {strings.Repeat("x", 129): ""}, {"new": strings.Repeat("x", 257)}, {"\xff": ""}} {
		require.ErrorIs(t, w.SetTags(ctx, arn, bad), ErrInvalidParameter)
	}
	many := attributes{}
	for i := range 49 {
		many[fmt.Sprint(i)] = ""
	}
	refused(t, w.SetTags(ctx, arn, many), ErrTagLimit, "Could not complete request: tag quota of per resource exceeded")
	after, _ := w.Tags(ctx, arn)
	require.Equal(t, tags, after)
	delete(many, "0")
	require.NoError(t, w.SetTags(ctx, arn, many))
	maps.Copy(many, attributes{"50": "", "51": ""})
	_, err = w.CreateTopic(ctx, "b", nil, maps.Clone(many))
	require.NoError(t, err)
	many["52"] = ""
	_, err = w.CreateTopic(ctx, "c", nil, many)
	require.ErrorIs(t, err, ErrTagLimit)

	missing := strings.TrimSuffix(arn, "a") + "missing"
	_, err = w.Tags(ctx, missing)
	refused(t, err, ErrResourceDoesNotExist, "Resource does not exist")
	require.ErrorIs(t, w.SetTags(ctx, missing, nil), ErrResourceDoesNotExist)
	require.ErrorIs(t, w.RemoveTags(ctx, missing), ErrResourceDoesNotExist)
}

func TestAccount_Options(t *testing.T) {
	for _, bad := range []AccountOption{WithRegion("EU"), WithRegion(strings.Repeat("a", 64)), WithAccountID("1"), WithAccountID("12345678901x"),
		WithWaiting(0, 1), WithWaiting(1, 0), WithOutboxSize(0)} {
		_, err := NewAccount(bad)
		require.ErrorIs(t, err, ErrInvalidParameter)
	}
	a, err := NewAccount(nil, WithRegion("eu-west-1"), WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	defer a.Close()
	require.Equal(t, "eu-west-1", a.Region())
	require.Equal(t, "000000000000", a.ID())
	topic, err := a.CreateStandard("t", nil)
	require.NoError(t, err)
	s, err := topic.Subscribe(QueueARN("arn:aws:sqs:eu-west-1:000000000000:q"), nil)
	require.NoError(t, err)
	_, err = topic.Publish(context.Background(), Message{Body: "x"})
	require.NoError(t, err)
	require.Equal(t, uint64(1), s.Stats().Failed, "without a broker there are no queues")
}

func TestTopicOptions(t *testing.T) {
	w := newWorld(t, WithExtendedFilters(), WithExternalEndpoints())
	topic := w.standard("a", WithDisplayName("A"), WithSignatureVersion("2"), WithTopicAttribute("TracingConfig", "Active"))
	values, err := topic.Attributes()
	require.NoError(t, err)
	require.Equal(t, []string{"A", "2", "Active"}, []string{values["DisplayName"], values["SignatureVersion"], values["TracingConfig"]})
	found, err := w.Topic("a")
	require.NoError(t, err)
	require.Same(t, topic, found)
	for _, bad := range []TopicOption{WithDisplayName("\x00"), WithSignatureVersion("3"), WithTopicAttribute("Nothing", ""), WithContentBasedDeduplication(true)} {
		_, err := w.CreateStandard("b", bad)
		require.ErrorIs(t, err, ErrInvalidParameter)
	}
	q := w.queue("q")
	w.subscribe(topic, Queue(q), WithRawDelivery(), WithFilter(`{"k":[{"wildcard":"a*c"}]}`)) // FLT-41
	for _, v := range []string{"abc", "abd"} {
		w.publish(topic, Message{Body: v, Attributes: map[string]inq.Attribute{"k": inq.String(v)}})
	}
	require.Equal(t, []string{"abc"}, bodies(t, q))
}

func TestQuotas(t *testing.T) {
	w := newWorld(t)
	for i := range maxFIFOTopics {
		w.fifo(fmt.Sprint(i, ".fifo"))
	}
	_, err := w.CreateFIFO("more.fifo")
	require.ErrorIs(t, err, ErrTopicLimit)
	w.standard("s")
	fifo := w.topics["0.fifo"]
	for i := range maxFIFOSubscriptions {
		w.subscribe(fifo, QueueARN(fmt.Sprint("arn:aws:sqs:us-east-1:123456789012:q", i)))
	}
	_, err = fifo.Subscribe(QueueARN("arn:aws:sqs:us-east-1:123456789012:q"))
	require.ErrorIs(t, err, ErrSubscriptionLimit)

	topic := w.standard("s")
	for i := range maxTopicFilters {
		w.subscribe(topic, QueueARN(fmt.Sprint("arn:aws:sqs:us-east-1:123456789012:q", i)), WithFilter(`{"a":["b"]}`))
	}
	_, err = topic.Subscribe(QueueARN("arn:aws:sqs:us-east-1:123456789012:q"), WithFilter(`{"a":["b"]}`))
	require.ErrorIs(t, err, ErrFilterPolicyLimit)
	s := w.subscribe(topic, QueueARN("arn:aws:sqs:us-east-1:123456789012:q"))
	require.ErrorIs(t, s.SetAttribute("FilterPolicy", `{"a":["b"]}`), ErrFilterPolicyLimit)
	other, _ := w.Subscription(topic.subscriptions.places[0].item.ARN())
	require.NoError(t, other.SetAttribute("FilterPolicy", `{"a":["c"]}`), "one that has a policy can change it")
	require.NoError(t, other.SetAttribute("FilterPolicy", ""))
	require.NoError(t, s.SetAttribute("FilterPolicy", `{"a":["b"]}`))
}

func TestClosedAndZero(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	topic := w.standard("a")
	s := w.subscribe(topic, Queue(w.queue("q")))
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
	require.NoError(t, w.Shutdown(ctx))
	var zero Account
	for _, a := range []*Account{w.Account, &zero} {
		_, err := a.CreateStandard("x")
		require.ErrorIs(t, err, ErrClosed)
		_, err = a.Topic("a")
		require.ErrorIs(t, err, ErrClosed)
		_, _, err = a.Topics("")
		require.ErrorIs(t, err, ErrClosed)
		_, _, err = a.Subscriptions("")
		require.ErrorIs(t, err, ErrClosed)
		_, err = a.Subscribe(ctx, topic.ARN(), "sqs", "x", nil)
		require.ErrorIs(t, err, ErrClosed)
		_, err = a.Publish(ctx, topic.ARN(), Message{Body: "x"})
		require.ErrorIs(t, err, ErrClosed)
		_, err = a.PublishSMS(ctx, "+123", Message{Body: "x"})
		require.ErrorIs(t, err, ErrClosed)
		require.ErrorIs(t, a.DeleteTopic(ctx, topic.ARN()), ErrClosed)
		require.ErrorIs(t, a.Unsubscribe(ctx, s.ARN()), ErrClosed)
		require.ErrorIs(t, a.OptIn("+123"), ErrClosed)
		require.NoError(t, a.Close())
		require.NoError(t, a.Shutdown(ctx))
	}
	for _, topic := range []*Topic{topic, {}} {
		_, err := topic.Publish(ctx, Message{Body: "x"})
		require.ErrorIs(t, err, ErrClosed)
		_, err = topic.PublishBatch(ctx, []Message{{Body: "x"}})
		require.ErrorIs(t, err, ErrClosed)
		_, err = topic.Subscribe(Queue(w.broker0()))
		require.ErrorIs(t, err, ErrClosed)
		_, _, err = topic.Subscriptions("")
		require.ErrorIs(t, err, ErrClosed)
		_, err = topic.Attributes()
		require.ErrorIs(t, err, ErrClosed)
		_, err = topic.DataProtectionPolicy()
		require.ErrorIs(t, err, ErrClosed)
		require.ErrorIs(t, topic.SetAttribute("DisplayName", ""), ErrClosed)
		require.ErrorIs(t, topic.SetDataProtectionPolicy(""), ErrClosed)
		require.ErrorIs(t, topic.RemovePermission("x"), ErrClosed)
		topic.Stats()
	}
	for _, s := range []*Subscription{s, {}} {
		require.ErrorIs(t, s.Unsubscribe(), ErrClosed)
		require.ErrorIs(t, s.SetAttribute("x", ""), ErrClosed)
		_, err := s.Attributes()
		require.ErrorIs(t, err, ErrClosed)
		s.Stats()
	}
	require.Empty(t, (&Subscription{}).ARN())
	require.Empty(t, Published{}.MessageID())
	require.Empty(t, Published{}.SequenceNumber())
	var none context.Context
	_, err := topic.Publish(none, Message{})
	require.ErrorIs(t, err, ErrMissingValue)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = topic.Publish(ended, Message{})
	require.Equal(t, context.Canceled, err)
}

// broker0 is some queue.
func (w *world) broker0() inq.Queue {
	q, err := inq.NewStandard("some")
	require.NoError(w, err)
	w.Cleanup(func() { q.Close() })
	return q
}
