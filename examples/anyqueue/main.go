// Anyqueue is one program on two queues: a queue in this process, and then a queue of SQS behind the
// AWS SDK for Go. The program takes an inq.Queue; only the constructor differs.
//
//	go run ./examples/anyqueue
//	go run ./examples/anyqueue -url https://sqs.eu-central-1.amazonaws.com/123456789012/jobs -region eu-central-1
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"example.com/inq"
	"example.com/inq/examples/internal/endpoint"
	"example.com/inq/examples/internal/program"
	"example.com/inq/inqaws"
)

const about = `anyqueue runs the same small program on a queue in this process, and then on one
behind the AWS SDK for Go (v2). Both times it prints the same. Each takes two
seconds.

The second queue is in this process too, at the end of the SDK's HTTP requests.
With -url it is a queue of a server of inq, or of Amazon, with the credentials of
the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN). The
program deletes what it receives there: let it have an empty queue of its own.
`

func main() { program.Main(run) }

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := program.NewFlags("anyqueue", stdout, about)
	queueURL := flags.String("url", "", "`URL` of the second queue (default: one inside this process)")
	region := flags.String("region", "us-east-1", "`region` of that URL")
	if err := flags.Parse(args); err != nil {
		return err
	}

	// In this process.
	local, err := inq.NewStandard("jobs")
	if err != nil {
		return err
	}
	defer local.Close()
	fmt.Fprintln(stdout, "In this process:")
	if err := work(ctx, local, stdout); err != nil {
		return err
	}

	// The same over the SDK.
	remote, closer, err := connect(*queueURL, *region)
	if err != nil {
		return err
	}
	defer closer()
	fmt.Fprintln(stdout, "Over the AWS SDK:")
	return work(ctx, remote, stdout)
}

// connect makes the queue at the URL, or one in a broker of this process.
func connect(queueURL, region string) (q inq.Queue, closer func(), err error) {
	if queueURL != "" {
		u, err := url.Parse(queueURL)
		if err != nil {
			return nil, nil, err
		}
		return inqaws.NewQueue(endpoint.Client(u.Scheme+"://"+u.Host, region), queueURL), func() {}, nil
	}
	b, err := inq.NewBroker()
	if err != nil {
		return nil, nil, err
	}
	if _, err := b.CreateStandard("jobs"); err != nil {
		return nil, nil, err
	}
	return inqaws.NewQueue(inqaws.NewClient(b), b.QueueURL(inqaws.DefaultEndpoint, "jobs")), func() { b.Close() }, nil
}

// work is the program. It does not know what its queue is made of.
func work(ctx context.Context, q inq.Queue, stdout io.Writer) error {
	_, err := q.SendBatch(ctx, []inq.Message{
		{Body: "resize cat.png", Attributes: map[string]inq.Attribute{"width": inq.Number("640")}},
		{Body: "resize dog.png", Delay: time.Second},
		{Body: ""},
	})
	var failed *inq.BatchError
	switch {
	case err == nil:
		return errors.New("a message without a body was not refused")
	case !errors.As(err, &failed): // nothing was sent
		return err
	}
	fmt.Fprintf(stdout, "  %d of 3 messages sent; the one at index %d has no body: %t\n",
		3-len(failed.Failed), failed.Failed[0].Index, errors.Is(err, inq.ErrMissingParameter))

	for left := 2; left > 0; {
		err := consume(ctx, q, &left, stdout)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, inq.ErrQueueDoesNotExist), errors.Is(err, inq.ErrClosed):
			return err
		default: // over a network this can pass, and what was received comes back by its timeout
			fmt.Fprintf(stdout, "  trying again: %v\n", err)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	counts, err := q.Counts(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "  left in %s: %+v\n", q.Name(), counts)
	return nil
}

// consume works until nothing is left to do, or until the first error: that ends a loop over
// Deliveries.
func consume(ctx context.Context, q inq.Queue, left *int, stdout io.Writer) error {
	for d, err := range inq.Deliveries(ctx, q, inq.ReceiveInput{VisibilityTimeout: time.Minute}) {
		if err != nil {
			return err
		}
		if d.Body == "resize cat.png" && d.ReceiveCount == 1 {
			fmt.Fprintf(stdout, "  %s to a width of %s: the disk is full, try again in 2 s\n", d.Body, d.Attributes()["width"].Value)
			if err := d.ChangeVisibility(ctx, 2*time.Second); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(stdout, "  %s: done at receive %d\n", d.Body, d.ReceiveCount)
		if err := d.Delete(ctx); err != nil {
			return err
		}
		if *left--; *left == 0 {
			break
		}
	}
	return nil
}
