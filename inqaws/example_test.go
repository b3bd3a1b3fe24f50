package inqaws_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"example.com/inq"
	"example.com/inq/inqaws"
	"example.com/inq/sqsapi"
)

// A client of the AWS SDK without Amazon, a server, or a socket.
func ExampleNewClient() {
	ctx := context.Background()
	broker, err := inq.NewBroker()
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()
	client := inqaws.NewClient(broker)

	created, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("jobs")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*created.QueueUrl)
	if _, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: created.QueueUrl, MessageBody: aws.String("resize cat.png")}); err != nil {
		log.Fatal(err)
	}
	out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: created.QueueUrl, WaitTimeSeconds: 20})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range out.Messages {
		fmt.Println(*m.Body)
		if _, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: created.QueueUrl, ReceiptHandle: m.ReceiptHandle}); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// http://sqs.invalid/000000000000/jobs
	// resize cat.png
}

// work is a program that does not know what its queue is made of.
func work(ctx context.Context, q inq.Queue) {
	if _, err := q.Send(ctx, inq.Message{Body: "resize cat.png"}); err != nil {
		log.Fatal(err)
	}
	for d, err := range inq.Deliveries(ctx, q, inq.ReceiveInput{VisibilityTimeout: 30 * time.Second}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(q.Name(), "gave", d.Body)
		if err := d.Delete(ctx); err != nil {
			log.Fatal(err)
		}
		break
	}
}

// The same program on a queue in this process, and on one behind the AWS SDK. A client for Amazon
// comes from the SDK: sqs.NewFromConfig.
func ExampleNewQueue() {
	ctx := context.Background()
	local, err := inq.NewStandard("local")
	if err != nil {
		log.Fatal(err)
	}
	defer local.Close()
	work(ctx, local)

	broker, err := inq.NewBroker()
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()
	client := inqaws.NewClient(broker)
	created, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("remote")})
	if err != nil {
		log.Fatal(err)
	}
	work(ctx, inqaws.NewQueue(client, *created.QueueUrl))
	// Output:
	// local gave resize cat.png
	// remote gave resize cat.png
}

// outage fails a number of requests as a network does.
type outage struct {
	sqs.HTTPClient
	requests int
}

func (o *outage) Do(r *http.Request) (*http.Response, error) {
	if o.requests > 0 {
		o.requests--
		return nil, syscall.ECONNREFUSED
	}
	return o.HTTPClient.Do(r)
}

// consume works until ctx ends or the queue is gone for good. Whatever else fails between here and
// SQS ends one iteration, and after a pause there is another.
func consume(ctx context.Context, q inq.Queue, pause time.Duration, work func(body string)) error {
	for {
		for d, err := range inq.Deliveries(ctx, q, inq.ReceiveInput{}) {
			switch {
			case errors.Is(err, inq.ErrQueueDoesNotExist), errors.Is(err, inq.ErrClosed):
				return err
			case err != nil:
				if ctx.Err() == nil {
					fmt.Println("unavailable:", errors.Is(err, inq.ErrUnavailable))
				}
				continue // and with this the iteration ends
			}
			work(d.Body)
			if err := d.Delete(context.WithoutCancel(ctx)); err != nil {
				fmt.Println("will come again:", d.Body)
			}
		}
		select {
		case <-time.After(pause): // a second or more on a real network
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// A loop over inq.Deliveries ends with the first error. A consumer that is to outlive the troubles
// of a network has a loop around it. The SDK retries by itself, too, but not for ever; the client
// here does not at all.
func ExampleQueue_outage() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	broker, err := inq.NewBroker()
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()
	jobs, err := broker.CreateStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := jobs.Send(ctx, inq.Message{Body: "resize cat.png"}); err != nil {
		log.Fatal(err)
	}
	client := inqaws.NewClient(broker, func(o *sqs.Options) { o.HTTPClient = &outage{o.HTTPClient, 2} })
	remote := inqaws.NewQueue(client, broker.QueueURL(inqaws.DefaultEndpoint, "jobs"))

	err = consume(ctx, remote, time.Millisecond, func(body string) {
		fmt.Println(body)
		stop()
	})
	fmt.Println(err)
	// Output:
	// unavailable: true
	// unavailable: true
	// resize cat.png
	// context canceled
}

// Errors can be told apart in the terms of inq, and in those of the SDK.
func ExampleQueue_errors() {
	ctx := context.Background()
	broker, err := inq.NewBroker()
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()
	q := inqaws.NewQueue(inqaws.NewClient(broker), broker.QueueURL(inqaws.DefaultEndpoint, "jobs"))

	_, err = q.Send(ctx, inq.Message{Body: "resize cat.png"})
	var missing *types.QueueDoesNotExist
	fmt.Println(errors.Is(err, inq.ErrQueueDoesNotExist), errors.As(err, &missing))

	if _, err := broker.CreateStandard("jobs"); err != nil {
		log.Fatal(err)
	}
	_, err = q.Send(ctx, inq.Message{Body: "resize cat.png", Delay: time.Hour})
	var p *inq.ParamError
	if errors.As(err, &p) {
		fmt.Printf("%s %v: %s\n", p.Param, p.Value, p.Reason)
	}
	// Output:
	// true true
	// DelaySeconds 3600: DelaySeconds must be >= 0 and <= 900.
}

// The SDK over a socket to a server nearby.
func ExampleNewHTTPClient() {
	broker, err := inq.NewBroker()
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()
	server := httptest.NewServer(sqsapi.NewHandler(broker, sqsapi.Options{}))
	defer server.Close()

	client := sqs.New(sqs.Options{
		Region:       broker.Region(),
		BaseEndpoint: &server.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		}),
		HTTPClient: inqaws.NewHTTPClient(nil),
	})
	created, err := client.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: aws.String("jobs")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*created.QueueUrl == broker.QueueURL(server.URL, "jobs"))
	// Output: true
}

// Calls that are not part of a Queue can be given the errors of inq, too.
func ExampleTranslate() {
	ctx := context.Background()
	broker, err := inq.NewBroker()
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()
	_, err = inqaws.NewClient(broker).GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("jobs")})
	fmt.Println(errors.Is(inqaws.Translate(err), inq.ErrQueueDoesNotExist))
	// Output: true
}
