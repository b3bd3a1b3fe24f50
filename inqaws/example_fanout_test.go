package inqaws_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqaws"
	"example.com/inq/topic"
)

// This file is an example to copy from: a test of a program that tells three others of its orders, by a
// topic that fans out to a queue for each. Both clients of the AWS SDK are the real ones, and everything
// happens in one bubble of testing/synctest.

// shop is the program.
type shop struct {
	client *sns.Client
	topic  string
}

type order struct {
	ID      int
	Country string
	Cents   int
}

// sell publishes an order with what its subscribers choose by.
func (s *shop) sell(ctx context.Context, o order) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = s.client.Publish(ctx, &sns.PublishInput{TopicArn: &s.topic, Message: aws.String(string(text)), MessageAttributes: map[string]snstypes.MessageAttributeValue{
		"country": {DataType: aws.String("String"), StringValue: &o.Country},
		"cents":   {DataType: aws.String("Number"), StringValue: aws.String(fmt.Sprint(o.Cents))},
	}})
	return err
}

func TestOrdersReachWhoeverWantsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		broker, err := inq.NewBroker()
		require.NoError(t, err)
		defer broker.Close()
		account, err := topic.NewAccount(topic.WithBroker(broker))
		require.NoError(t, err)
		defer account.Close()
		topics, queues := inqaws.NewSNSClient(account), inqaws.NewClient(broker)

		orders, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("orders")})
		require.NoError(t, err)
		urls := map[string]string{}
		for name, filter := range map[string]string{
			"billing":  `{"cents": [{"numeric": [">", 0]}]}`,
			"shipping": `{"country": ["NL", "BE"]}`,
			"fraud":    `{"cents": [{"numeric": [">=", 100000]}]}`,
		} {
			q, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
			require.NoError(t, err)
			urls[name] = *q.QueueUrl
			attributes, err := queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: q.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
			require.NoError(t, err)
			_, err = topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: orders.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(attributes.Attributes["QueueArn"]),
				Attributes: map[string]string{"FilterPolicy": filter, "RawMessageDelivery": "true"}})
			require.NoError(t, err)
		}

		s := &shop{client: topics, topic: *orders.TopicArn}
		for _, o := range []order{{1, "NL", 995}, {2, "DE", 250_000}, {3, "BE", 0}} {
			require.NoError(t, s.sell(ctx, o))
		}

		began := time.Now()
		for name, want := range map[string][]int{"billing": {1, 2}, "shipping": {1, 3}, "fraud": {2}} {
			var got []int
			for {
				out, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String(urls[name]), MaxNumberOfMessages: 10, WaitTimeSeconds: 20})
				require.NoError(t, err)
				if len(out.Messages) == 0 {
					break
				}
				for _, m := range out.Messages {
					var o order
					require.NoError(t, json.Unmarshal([]byte(*m.Body), &o))
					got = append(got, o.ID)
					_, err := queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: aws.String(urls[name]), ReceiptHandle: m.ReceiptHandle})
					require.NoError(t, err)
				}
			}
			assert.ElementsMatch(t, want, got, name)
		}
		assert.Equal(t, 60*time.Second, time.Since(began), "three long polls that found nothing more, in no time")
	})
}

// Create a topic, subscribe a queue, publish, receive.
func ExampleNewSNSClient() {
	ctx := context.Background()
	broker, err := inq.NewBroker()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer broker.Close()
	account, err := topic.NewAccount(topic.WithBroker(broker))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer account.Close()
	topics, queues := inqaws.NewSNSClient(account), inqaws.NewClient(broker)

	news, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("news")})
	if err != nil {
		fmt.Println(err)
		return
	}
	inbox, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("inbox")})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: news.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:000000000000:inbox")})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := topics.Publish(ctx, &sns.PublishInput{TopicArn: news.TopicArn, Subject: aws.String("weather"), Message: aws.String("sunny")}); err != nil {
		fmt.Println(err)
		return
	}
	out, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: inbox.QueueUrl})
	if err != nil {
		fmt.Println(err)
		return
	}
	var envelope struct{ Type, Subject, Message string }
	if err := json.Unmarshal([]byte(*out.Messages[0].Body), &envelope); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(envelope.Type, envelope.Subject, envelope.Message)
	// Output: Notification weather sunny
}
