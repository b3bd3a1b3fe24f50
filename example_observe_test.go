package inq_test

import (
	"context"
	"fmt"
	"time"

	"example.com/inq"
)

// An observer sees what happens to messages, in order and without gaps: for logs, metrics and
// tests.
func ExampleWithObserver() {
	virtually(func(ctx context.Context) {
		start := time.Now()
		q := must(inq.NewStandard("jobs", inq.WithVisibilityTimeout(10*time.Second), inq.WithObserver(func(events []inq.Event) {
			for _, e := range events {
				fmt.Println(e.Seq, e.Time.Sub(start), e.Kind)
			}
		})))
		must(q.Send(ctx, inq.Message{Body: "resize cat.png", Delay: 5 * time.Second}))
		for range 2 { // the first worker dies, the second does the work
			ds := must(q.Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second}))
			if ds[0].ReceiveCount == 2 {
				check(ds[0].Delete(ctx))
			}
		}
		check(q.Close())
	})
	// Output:
	// 1 0s sent
	// 2 5s arrived
	// 3 5s received
	// 4 15s timed out
	// 5 15s received
	// 6 15s deleted
	// 7 15s closed
}

// The age of the oldest message tells best whether consumers keep up. It grows while they do not,
// however many messages there are.
func ExampleStandard_Stats() {
	virtually(func(ctx context.Context) {
		q := must(inq.NewStandard("jobs"))
		defer q.Close()
		must(q.Send(ctx, inq.Message{Body: "resize cat.png"}))
		time.Sleep(90 * time.Second)
		must(q.Send(ctx, inq.Message{Body: "resize dog.png"}))
		fmt.Println("oldest:", q.Stats().OldestAge)

		d := must(q.Receive(ctx, inq.ReceiveInput{}))[0]
		check(d.Delete(ctx))
		s := q.Stats()
		fmt.Println("oldest:", s.OldestAge)
		fmt.Printf("sent %d, received %d, deleted %d, here %d with %d bytes\n", s.Sent, s.Received, s.Deleted, s.Visible, s.Bytes)
	})
	// Output:
	// oldest: 1m30s
	// oldest: 0s
	// sent 2, received 1, deleted 1, here 1 with 14 bytes
}

// Settings change while the queue runs: all of those given, or none.
func ExampleStandard_Configure() {
	q := must(inq.NewStandard("jobs"))
	defer q.Close()

	err := q.Configure(inq.WithVisibilityTimeout(time.Minute), inq.WithDelay(time.Hour))
	fmt.Println(err)
	fmt.Println("visibility timeout:", q.Config().VisibilityTimeout)

	check(q.Configure(inq.WithVisibilityTimeout(time.Minute), inq.WithDelay(time.Second)))
	fmt.Println("visibility timeout:", q.Config().VisibilityTimeout)
	// Output:
	// inq: invalid attribute value: DelaySeconds (WithDelay) 1h0m0s: must be from 0s to 15m0s; a limit of SQS, which WithoutSQSLimits lifts
	// visibility timeout: 30s
	// visibility timeout: 1m0s
}
