package inq_test

import (
	"context"
	"fmt"
	"log"

	"example.com/inq"
)

// A console looks at all queues of a broker, also those that are made later, and leaves their observers
// alone.
func ExampleWithWatcher() {
	ctx := context.Background()
	broker, err := inq.NewBroker(inq.WithWatcher(func(q inq.Local, events []inq.Event) {
		for _, e := range events {
			fmt.Println(q.Name(), e.Kind, e.Body)
		}
	}))
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"orders", "mails"} {
		q, err := broker.CreateStandard(name)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := q.Send(ctx, inq.Message{Body: "17"}); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// orders sent 17
	// mails sent 17
}

// A consumer that takes longer than its visibility timeout deletes late: on Standard that works, and
// somebody else may have the message by then.
func ExampleStandard_Watch() {
	ctx := context.Background()
	orders, err := inq.NewStandard("orders")
	if err != nil {
		log.Fatal(err)
	}
	defer orders.Close()
	if _, err := orders.Send(ctx, inq.Message{Body: "17"}); err != nil {
		log.Fatal(err)
	}
	ds, err := orders.Receive(ctx, inq.ReceiveInput{VisibilityTimeout: 1}) // a nanosecond
	if err != nil {
		log.Fatal(err)
	}

	stop := orders.Watch(func(events []inq.Event) {
		for _, e := range events {
			if e.Late {
				fmt.Println(e.Kind, e.Body, "too late")
			}
		}
	})
	if err := ds[0].Delete(ctx); err != nil {
		log.Fatal(err)
	}
	stop()
	// Output: deleted 17 too late
}
