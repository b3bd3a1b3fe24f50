package inqaws_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqaws"
	"example.com/inq/inqtest"
	"example.com/inq/worker"
)

// This file is an example to copy from: a test of a service that makes its own clients of the SDK, with
// a server of package inqtest under them.

// shipping is the service: it ships what is ordered, until ctx ends.
func shipping(ctx context.Context, cfg aws.Config, url string, ship func(order string) error) {
	client := sqs.NewFromConfig(cfg)
	for ctx.Err() == nil {
		out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: 20})
		if err != nil {
			continue
		}
		for _, m := range out.Messages {
			if ship(*m.Body) == nil {
				_, _ = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
			}
		}
	}
}

func TestShipping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t, inqtest.Strict())
		orders := s.Standard("orders", inq.WithDeadLetter(s.Standard("dead"), 3))
		cfg, url := inqaws.Config(s.HTTPClient()), s.QueueURL("orders")
		ctx, stop := context.WithCancel(t.Context())
		t.Cleanup(synctest.Wait) // the service has stopped
		t.Cleanup(stop)
		go shipping(ctx, cfg, url, func(order string) error {
			if order == "order 3" {
				return fmt.Errorf("%s is sold out", order)
			}
			return nil
		})

		client := sqs.NewFromConfig(cfg)
		for i := range 5 {
			_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(fmt.Sprint("order ", i))})
			require.NoError(t, err)
		}
		inqtest.WaitDrained(t, orders) // after three visibility timeouts of 30 seconds

		s.Log().Wait(4, inqtest.Deleted, inqtest.In("orders"))
		s.Log().Wait(1, inqtest.MovedIn, inqtest.In("dead"), inqtest.Body("order 3"))
		s.Log().Never(inqtest.Deleted, inqtest.Body("order 3"))
		assert.Equal(t, 3, len(s.Log().Wait(3, inqtest.Received, inqtest.Body("order 3"))))
		assert.Equal(t, 5, s.Calls().Of("SendMessage").Calls)
	})
}

// exampleTB is what a test would pass.
type exampleTB struct{ testing.TB }

func (exampleTB) Helper()                   {}
func (exampleTB) Name() string              { return "Example" }
func (exampleTB) Failed() bool              { return false }
func (exampleTB) Cleanup(func())            {}
func (exampleTB) Logf(f string, a ...any)   { log.Printf(f, a...) }
func (exampleTB) Errorf(f string, a ...any) { log.Printf(f, a...) }
func (exampleTB) Fatalf(f string, a ...any) { log.Fatalf(f, a...) }

// Clients of both services on one server, made as a program makes them.
func ExampleConfig() {
	ctx := context.Background()
	s := inqtest.New(exampleTB{}) // in a test: inqtest.New(t)
	cfg := inqaws.Config(s.HTTPClient())
	queues, topics := sqs.NewFromConfig(cfg), sns.NewFromConfig(cfg)

	q := s.Standard("orders")
	topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("events")})
	if err != nil {
		log.Fatal(err)
	}
	_, err = topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(q.ARN()),
		Attributes: map[string]string{"RawMessageDelivery": "true"}})
	if err != nil {
		log.Fatal(err)
	}
	if _, err = topics.Publish(ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("order 17")}); err != nil {
		log.Fatal(err)
	}
	out, err := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String(s.QueueURL("orders"))})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*out.Messages[0].Body)
	for e := range s.Log().All(inqtest.Published, inqtest.Sent, inqtest.Received) {
		fmt.Println(e.Queue, e.Kind)
	}
	// Output:
	// order 17
	// events published
	// orders sent
	// orders received
}

func TestConfig_RetriesAsTheSDKDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		s.Standard("q")
		failures := 2
		client := sqs.NewFromConfig(inqaws.Config(doer(func(r *http.Request) (*http.Response, error) {
			if failures--; failures >= 0 {
				return nil, fmt.Errorf("no answer")
			}
			return s.HTTPClient().Do(r)
		})))
		began := time.Now()
		_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(s.QueueURL("q")), MessageBody: aws.String("one")})
		require.NoError(t, err)
		assert.NotZero(t, time.Since(began), "of the bubble")
		s.Log().Wait(1, inqtest.Sent)
	})
}

// doer is a function as an HTTP client.
type doer func(*http.Request) (*http.Response, error)

func (f doer) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestConfig_WithoutAClient(t *testing.T) {
	for _, c := range []aws.HTTPClient{nil, (*http.Client)(nil)} {
		_, err := sqs.NewFromConfig(inqaws.Config(c), func(o *sqs.Options) { o.Retryer = aws.NopRetryer{} }).
			ListQueues(t.Context(), &sqs.ListQueuesInput{})
		require.ErrorIs(t, err, inq.ErrMissingParameter)
	}
}

// A job of a queue that is far away is buried by a send and a delete.
func TestWork_OverTheSDK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t, inqtest.Strict())
		dead := s.Standard("dead")
		s.Standard("jobs", inq.WithDeadLetter(dead, 3))
		q := inqaws.NewQueue(sqs.NewFromConfig(inqaws.Config(s.HTTPClient())), s.QueueURL("jobs"))
		for _, c := range []struct {
			err  error
			want string
		}{
			{nil, "succeeded"},
			{worker.Bury(errors.New("no use")), "buried: no use"},
			{worker.Snooze(time.Minute), "snoozed, comes again after 1m0s"},
			{worker.RetryAfter(time.Hour, errors.New("busy")), "retried, comes again after 1h0m0s: busy"},
		} {
			s.Reset()
			_, err := q.Send(t.Context(), inq.Message{Body: "one"})
			require.NoError(t, err)
			r := inqtest.Work(t, q, worker.HandlerFunc(func(context.Context, *inq.Delivery) error { return c.err }))
			assert.Equal(t, c.want, r.String())
			if r.Outcome == inqtest.Buried {
				inqtest.WaitDrained(t, q)
				s.Log().Wait(1, inqtest.Sent, inqtest.In("dead"), inqtest.Body("one"))
			}
		}
		s.Reset()
	})
}
