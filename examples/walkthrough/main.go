// Walkthrough shows the life of a queue in the calls of version 2 of the AWS SDK for Go: create,
// list, look up, send, receive, delete. Unless it is told otherwise it needs no network, no account
// and no server: the SQS is in the process.
//
//	go run ./examples/walkthrough                                   # in memory
//	go run ./examples/walkthrough -endpoint http://127.0.0.1:9324   # a server of inq
//	go run ./examples/walkthrough -endpoint https://sqs.eu-central-1.amazonaws.com -region eu-central-1
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"example.com/inq"
	"example.com/inq/examples/internal/endpoint"
	"example.com/inq/examples/internal/program"
	"example.com/inq/inqaws"
)

const about = `walkthrough creates two queues with the AWS SDK for Go (v2), lists them, looks one
up, sends a message with a delay, waits for it in long polls, and deletes all of
it again. It runs for three seconds.

Without -endpoint the SDK talks to an SQS inside this process. With -endpoint it
talks to a server of inq, or to Amazon, with the credentials of the environment
(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN). Amazon refuses to
create queues within 60 seconds of deleting them: give another -prefix then.
`

// patience is how long to wait for the message, which is hidden for a minute each time an answer is
// lost.
const patience = 5 * time.Minute

func main() { program.Main(run) }

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := program.NewFlags("walkthrough", stdout, about)
	url := flags.String("endpoint", "", "`URL` of the SQS to use (default: one inside this process)")
	region := flags.String("region", "us-east-1", "`region` of the endpoint")
	prefix := flags.String("prefix", "walkthrough", "what the names of the queues begin with")
	if err := flags.Parse(args); err != nil {
		return err
	}
	w := &walkthrough{prefix: *prefix, stdout: stdout}
	if *url != "" {
		w.say("Using the SQS at %s.", *url)
		w.client = endpoint.Client(*url, *region)
	} else {
		w.say("Using an SQS inside this process.")
		b, err := inq.NewBroker(inq.WithRegion(*region))
		if err != nil {
			return err
		}
		defer b.Close()
		w.client = inqaws.NewClient(b)
	}
	err := w.run(ctx)
	return errors.Join(err, w.cleanUp(context.WithoutCancel(ctx)))
}

// walkthrough is one run of the program.
type walkthrough struct {
	client  *sqs.Client
	prefix  string
	stdout  io.Writer
	created []string // URLs of queues that are still there
}

func (w *walkthrough) say(format string, args ...any) { fmt.Fprintf(w.stdout, format+"\n", args...) }

func (w *walkthrough) run(ctx context.Context) error {
	jobs, mail := w.prefix+"-jobs", w.prefix+"-mail"
	for _, name := range []string{jobs, mail} {
		if err := w.create(ctx, name); err != nil {
			return err
		}
	}
	if err := w.list(ctx, ""); err != nil {
		return err
	}
	if err := w.list(ctx, mail); err != nil {
		return err
	}
	found, err := w.client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &jobs})
	if err != nil {
		return err
	}
	w.say("The URL of %s is %s.", jobs, *found.QueueUrl)
	if err := w.send(ctx, *found.QueueUrl); err != nil {
		return err
	}
	return w.receive(ctx, *found.QueueUrl)
}

func (w *walkthrough) create(ctx context.Context, name string) error {
	out, err := w.client.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName:  &name,
		Attributes: map[string]string{string(types.QueueAttributeNameVisibilityTimeout): "60"},
	})
	if err != nil {
		return err
	}
	w.created = append(w.created, *out.QueueUrl)
	w.say("Created %s.", name)
	return nil
}

// list shows queues page by page, all of them without a prefix. Amazon shows a new queue with a little
// delay.
func (w *walkthrough) list(ctx context.Context, prefix string) error {
	if prefix == "" {
		w.say("All queues:")
	} else {
		w.say("Queues whose names begin with %q:", prefix)
	}
	pages := sqs.NewListQueuesPaginator(w.client, &sqs.ListQueuesInput{QueueNamePrefix: &prefix, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, url := range page.QueueUrls {
			w.say("  %s", url)
		}
	}
	return nil
}

func (w *walkthrough) send(ctx context.Context, url string) error {
	_, err := w.client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl:     &url,
		MessageBody:  aws.String("resize cat.png"),
		DelaySeconds: 3,
		MessageAttributes: map[string]types.MessageAttributeValue{
			"width": {DataType: aws.String("Number"), StringValue: aws.String("640")},
		},
	})
	if err != nil {
		return err
	}
	w.say("Sent a message that comes in 3 seconds.")
	return nil
}

// receive waits for the message, and deletes it. A long poll that brings nothing is no failure: the
// answer of an earlier one may have been lost on its way, and what was in it comes again when its
// visibility timeout is over.
func (w *walkthrough) receive(ctx context.Context, url string) error {
	began := time.Now()
	var m types.Message
	for {
		out, err := w.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl:              &url,
			WaitTimeSeconds:       20,
			MessageAttributeNames: []string{"All"},
		})
		if err != nil {
			return err
		}
		if len(out.Messages) != 0 {
			m = out.Messages[0]
			break
		}
		if time.Since(began) > patience {
			return fmt.Errorf("no message came in %v", patience)
		}
	}
	w.say("Received %q with width %s after %v.", *m.Body, *m.MessageAttributes["width"].StringValue, time.Since(began).Round(time.Second))
	if _, err := w.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle}); err != nil {
		return err
	}
	w.say("Deleted the message.")
	return nil
}

// cleanUp deletes what the program has made, also after an error or Ctrl-C.
func (w *walkthrough) cleanUp(ctx context.Context) error {
	var errs []error
	for _, url := range w.created {
		_, err := w.client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &url})
		var gone *types.QueueDoesNotExist
		if errors.As(err, &gone) { // by a call whose answer was lost, and which the SDK made again
			err = nil
		}
		if err == nil {
			w.say("Deleted the queue %s.", url)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
