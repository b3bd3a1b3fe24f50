package inq_test

import (
	"context"
	"fmt"
	"time"

	"example.com/inq"
)

// Why is my message not delivered? The queue tells, also in production.
func ExampleFIFO_Explain() {
	virtually(func(ctx context.Context) {
		q := must(inq.NewFIFO("orders.fifo", inq.WithContentBasedDeduplication(true)))
		defer q.Close()
		must(q.Send(ctx, inq.Message{Body: "order 1", GroupID: "customer"}))
		pay := must(q.Send(ctx, inq.Message{Body: "pay 1", GroupID: "customer"}))
		must(q.Receive(ctx, inq.ReceiveInput{})) // a worker takes the order, and dies
		time.Sleep(10 * time.Second)

		why := must(q.Explain(ctx, pay.ID()))
		fmt.Println(why.Obstacle)
		fmt.Printf("The message of its group is %v for another %v.\n", why.Blocker.Obstacle, time.Until(why.Blocker.Until))

		time.Sleep(20 * time.Second)
		fmt.Println(must(q.Explain(ctx, pay.ID())))
	})
	// Output:
	// group blocked
	// The message of its group is in flight for another 20s.
	// The message is receivable now, behind 1 other of its group "customer".
}
