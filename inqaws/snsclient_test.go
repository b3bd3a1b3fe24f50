package inqaws

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq/topic"
)

// newSNS makes both clients on one broker.
func newSNS(t *testing.T, opts ...topic.AccountOption) (*sns.Client, *sqs.Client, *topic.Account) {
	t.Helper()
	b := newBroker(t)
	a, err := topic.NewAccount(append([]topic.AccountOption{topic.WithBroker(b)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.Close() })
	return NewSNSClient(a), NewClient(b), a
}

func TestNewSNSClient_SpeaksToItsAccountOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where a goroutine that is left fails the test
		t.Setenv("AWS_ENDPOINT_URL", "http://somewhere.else")
		a, err := topic.NewAccount(topic.WithRegion("eu-west-1"))
		require.NoError(t, err)
		defer a.Close()
		client := NewSNSClient(a, nil)
		assert.Equal(t, "eu-west-1", client.Options().Region)
		created, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("orders")})
		require.NoError(t, err)
		assert.Equal(t, "arn:aws:sns:eu-west-1:000000000000:orders", *created.TopicArn)
		list, err := NewSNSClient(a).ListTopics(t.Context(), &sns.ListTopicsInput{})
		require.NoError(t, err)
		assert.Len(t, list.Topics, 1)
	})
}

func TestNewSNSClient_WithoutAnAccount(t *testing.T) {
	_, err := NewSNSClient(nil).ListTopics(t.Context(), &sns.ListTopicsInput{})
	assert.ErrorIs(t, err, topic.ErrMissingValue)
}

func TestNewSNSClient_ErrorsHaveTheTypesOfTheSDK(t *testing.T) {
	client, _, a := newSNS(t)
	ctx := t.Context()
	const none = "arn:aws:sns:us-east-1:000000000000:none"
	_, err := client.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(none), Message: aws.String("m")})
	assert.ErrorAs(t, err, new(*types.NotFoundException))
	_, err = client.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("a b")})
	assert.ErrorAs(t, err, new(*types.InvalidParameterException))
	created, err := client.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("t")})
	require.NoError(t, err)
	_, err = client.Publish(ctx, &sns.PublishInput{TopicArn: created.TopicArn, Message: aws.String("m"),
		MessageAttributes: map[string]types.MessageAttributeValue{"k": {DataType: aws.String("Text"), StringValue: aws.String("v")}}})
	assert.ErrorAs(t, err, new(*types.InvalidParameterValueException))
	_, err = client.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: created.TopicArn, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{}})
	assert.ErrorAs(t, err, new(*types.EmptyBatchRequestException))
	_, err = client.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: aws.String(none)})
	assert.ErrorAs(t, err, new(*types.ResourceNotFoundException))
	_, err = client.CreatePlatformApplication(ctx, &sns.CreatePlatformApplicationInput{Name: aws.String("a"), Platform: aws.String("GCM"), Attributes: map[string]string{}})
	var e smithy.APIError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "ValidationError", e.ErrorCode())
	require.NoError(t, a.Close())
	_, err = client.ListTopics(ctx, &sns.ListTopicsInput{})
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "ServiceUnavailable", e.ErrorCode())
}

func TestNewSNSClient_EveryOperationIsUnderstood(t *testing.T) {
	client, _, a := newSNS(t)
	ctx := t.Context()
	created, err := client.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("t"), Attributes: map[string]string{"DisplayName": "d"},
		Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("")}}})
	require.NoError(t, err)
	arn := created.TopicArn
	tags, err := client.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: arn})
	require.NoError(t, err)
	require.Len(t, tags.Tags, 1)
	assert.Empty(t, *tags.Tags[0].Value)
	_, err = client.TagResource(ctx, &sns.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("l"), Value: aws.String("v")}}})
	require.NoError(t, err)
	_, err = client.UntagResource(ctx, &sns.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"k", "l"}})
	require.NoError(t, err)
	tags, err = client.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: arn})
	require.NoError(t, err)
	assert.NotNil(t, tags.Tags, "empty, not missing")
	attributes, err := client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: arn})
	require.NoError(t, err)
	assert.Equal(t, "d", attributes.Attributes["DisplayName"])
	_, err = client.AddPermission(ctx, &sns.AddPermissionInput{TopicArn: arn, Label: aws.String("l"), AWSAccountId: []string{"111111111111"}, ActionName: []string{"Publish"}})
	require.NoError(t, err)
	_, err = client.PutDataProtectionPolicy(ctx, &sns.PutDataProtectionPolicyInput{ResourceArn: arn, DataProtectionPolicy: aws.String("{}")})
	require.NoError(t, err)

	app, err := client.CreatePlatformApplication(ctx, &sns.CreatePlatformApplicationInput{Name: aws.String("app"), Platform: aws.String("GCM"), Attributes: map[string]string{"PlatformCredential": "x"}})
	require.NoError(t, err)
	endpoint, err := client.CreatePlatformEndpoint(ctx, &sns.CreatePlatformEndpointInput{PlatformApplicationArn: app.PlatformApplicationArn, Token: aws.String("tok"), CustomUserData: aws.String("u")})
	require.NoError(t, err)
	endpoints, err := client.ListEndpointsByPlatformApplication(ctx, &sns.ListEndpointsByPlatformApplicationInput{PlatformApplicationArn: app.PlatformApplicationArn})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"Enabled": "true", "Token": "tok", "CustomUserData": "u"}, endpoints.Endpoints[0].Attributes)
	_, err = client.Publish(ctx, &sns.PublishInput{TargetArn: endpoint.EndpointArn, Message: aws.String("push")})
	require.NoError(t, err)
	_, err = client.Publish(ctx, &sns.PublishInput{PhoneNumber: aws.String("+15551234567"), Message: aws.String("text")})
	require.NoError(t, err)
	assert.Len(t, a.Outbox().Take(), 2)

	_, err = client.SetSMSAttributes(ctx, &sns.SetSMSAttributesInput{Attributes: map[string]string{"DefaultSenderID": "me"}})
	require.NoError(t, err)
	sms, err := client.GetSMSAttributes(ctx, &sns.GetSMSAttributesInput{Attributes: []string{"DefaultSenderID"}})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"DefaultSenderID": "me"}, sms.Attributes)
	require.NoError(t, a.OptOut("+15551234567"))
	out, err := client.CheckIfPhoneNumberIsOptedOut(ctx, &sns.CheckIfPhoneNumberIsOptedOutInput{PhoneNumber: aws.String("+15551234567")})
	require.NoError(t, err)
	assert.True(t, out.IsOptedOut)
	numbers, err := client.ListPhoneNumbersOptedOut(ctx, &sns.ListPhoneNumbersOptedOutInput{})
	require.NoError(t, err)
	assert.Equal(t, []string{"+15551234567"}, numbers.PhoneNumbers)
	_, err = client.OptInPhoneNumber(ctx, &sns.OptInPhoneNumberInput{PhoneNumber: aws.String("+15551234567")})
	require.NoError(t, err)
	sandbox, err := client.ListSMSSandboxPhoneNumbers(ctx, &sns.ListSMSSandboxPhoneNumbersInput{})
	require.NoError(t, err)
	assert.Empty(t, sandbox.PhoneNumbers)
	_, err = client.GetSMSSandboxAccountStatus(ctx, &sns.GetSMSSandboxAccountStatusInput{})
	assert.ErrorContains(t, err, "InvalidAction")

	var pages int
	for i := range 120 {
		_, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: arn, Protocol: aws.String("sms"), Endpoint: aws.String(fmt.Sprintf("+1555%07d", i))})
		require.NoError(t, err)
	}
	for p := sns.NewListSubscriptionsByTopicPaginator(client, &sns.ListSubscriptionsByTopicInput{TopicArn: arn}); p.HasMorePages(); pages++ {
		_, err := p.NextPage(ctx)
		require.NoError(t, err)
	}
	assert.Equal(t, 2, pages)
}

func TestNewSNSClient_LargeMessagesPass(t *testing.T) {
	client, queues, _ := newSNS(t, topic.WithoutSNSLimits())
	ctx := t.Context()
	q, arn := subscribed(t, client, queues, "t", "q", nil)
	_, err := client.Publish(ctx, &sns.PublishInput{TopicArn: &arn, Message: aws.String(strings.Repeat("%", 900_000))})
	require.NoError(t, err)
	assert.Len(t, bodies(t, queues, q), 1)
}

// subscribed makes a topic and a queue that gets its messages raw.
func subscribed(t *testing.T, client *sns.Client, queues *sqs.Client, name, queue string, attributes map[string]string) (url, arn string) {
	t.Helper()
	ctx := t.Context()
	created, err := client.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name, Attributes: attributes})
	require.NoError(t, err)
	var queueAttributes map[string]string
	if attributes["FifoTopic"] == "true" {
		queueAttributes = map[string]string{"FifoQueue": "true"}
	}
	q, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &queue, Attributes: queueAttributes})
	require.NoError(t, err)
	_, err = client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: created.TopicArn, Protocol: aws.String("sqs"),
		Endpoint: aws.String("arn:aws:sqs:us-east-1:000000000000:" + queue), Attributes: map[string]string{"RawMessageDelivery": "true"}})
	require.NoError(t, err)
	return *q.QueueUrl, *created.TopicArn
}

func bodies(t *testing.T, queues *sqs.Client, url string) (list []string) {
	t.Helper()
	out, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
	require.NoError(t, err)
	for _, m := range out.Messages {
		list = append(list, *m.Body)
	}
	return list
}

func TestNewSNSClient_FIFOTopicToFIFOQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, queues, _ := newSNS(t)
		one, arn := subscribed(t, client, queues, "t.fifo", "one.fifo", map[string]string{"FifoTopic": "true", "ContentBasedDeduplication": "true"})
		two, _ := subscribed(t, client, queues, "t.fifo", "two.fifo", map[string]string{"FifoTopic": "true"})
		publish := func(text string) *sns.PublishOutput {
			out, err := client.Publish(t.Context(), &sns.PublishInput{TopicArn: &arn, Message: &text, MessageGroupId: aws.String("g")})
			require.NoError(t, err)
			return out
		}
		first := publish("a")
		publish("b")
		assert.Equal(t, *first.SequenceNumber, *publish("a").SequenceNumber)
		out, err := client.PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: &arn, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
			{Id: aws.String("1"), Message: aws.String("c"), MessageGroupId: aws.String("g")},
			{Id: aws.String("2"), Message: aws.String("d"), MessageGroupId: aws.String("g")}}})
		require.NoError(t, err)
		assert.Less(t, *out.Successful[0].SequenceNumber, *out.Successful[1].SequenceNumber)
		assert.NotNil(t, out.Failed)
		for _, url := range []string{one, two} {
			assert.Equal(t, []string{"a", "b", "c", "d"}, bodies(t, queues, url))
		}
		time.Sleep(5 * time.Minute)
		assert.NotEqual(t, *first.MessageId, *publish("a").MessageId)
	})
}

func TestNewSNSClient_ACallThatIsCanceled(t *testing.T) {
	client, _, _ := newSNS(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client.ListTopics(ctx, &sns.ListTopicsInput{})
	assert.True(t, errors.Is(err, context.Canceled), err)
}
