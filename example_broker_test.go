package inq_test

import (
	"context"
	"errors"
	"fmt"

	"example.com/inq"
)

// A broker is an account: it knows its queues by name and by ARN.
func ExampleNewBroker() {
	broker := must(inq.NewBroker(inq.WithRegion("eu-central-1"), inq.WithAccount("123456789012")))
	defer broker.Close()
	jobs := must(broker.CreateStandard("jobs"))
	must(broker.CreateFIFO("jobs-in-order.fifo"))
	must(broker.CreateStandard("mail"))

	fmt.Println(must(broker.List("jobs", "", 0)))
	fmt.Println(jobs.ARN())

	found := must(broker.ByARN("arn:aws:sqs:eu-central-1:123456789012:jobs"))
	fmt.Println("the same queue:", found == inq.Queue(jobs))

	_, err := broker.Queue("Jobs")
	fmt.Println("names are case sensitive:", errors.Is(err, inq.ErrQueueDoesNotExist))
	// Output:
	// [jobs jobs-in-order.fifo]
	// arn:aws:sqs:eu-central-1:123456789012:jobs
	// the same queue: true
	// names are case sensitive: true
}

// A broker takes attributes as text, as they stand in the configuration of a queue on SQS, and
// creates a queue as often as it is asked to, as long as nothing differs.
func ExampleBroker_CreateQueue() {
	ctx := context.Background()
	broker := must(inq.NewBroker())
	defer broker.Close()
	must(broker.CreateQueue(ctx, "jobs-dead", nil, nil))

	attributes := map[string]string{
		"VisibilityTimeout": "60",
		"RedrivePolicy":     `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:jobs-dead","maxReceiveCount":5}`,
	}
	must(broker.CreateQueue(ctx, "jobs", attributes, map[string]string{"team": "pictures"}))
	must(broker.CreateQueue(ctx, "jobs", attributes, nil)) // it exists already, as it should be

	_, err := broker.CreateQueue(ctx, "jobs", map[string]string{"VisibilityTimeout": "30"}, nil)
	fmt.Println("with another timeout:", errors.Is(err, inq.ErrQueueExists))

	fmt.Println(must(broker.Attributes(ctx, "jobs", "VisibilityTimeout", "MessageRetentionPeriod")))
	fmt.Println("dead letters of:", must(broker.DeadLetterSources("jobs-dead", "", 0)))
	// Output:
	// with another timeout: true
	// map[MessageRetentionPeriod:345600 VisibilityTimeout:60]
	// dead letters of: [jobs]
}
