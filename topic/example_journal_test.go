package topic_test

import (
	"context"
	"fmt"

	"example.com/inq"
	"example.com/inq/topic"
)

// An account beside a broker with a journal is in the journal as well. What it accepted reaches the
// subscribers, be it in the next process.
func ExampleWithBroker_journal() {
	ctx := context.Background()
	directory := inq.InMemory() // a program leaves this option out, and names a directory
	start := func() (*inq.Broker, *topic.Account, func()) {
		j, err := inq.OpenJournal("queues", directory)
		if err != nil {
			panic(err)
		}
		b, err := inq.NewBroker(inq.WithBrokerJournal(j))
		if err != nil {
			panic(err)
		}
		a, err := topic.NewAccount(topic.WithBroker(b))
		if err != nil {
			panic(err)
		}
		return b, a, func() {
			a.Close()
			b.Close()
			j.Close()
		}
	}

	broker, account, stop := start()
	billing, err := broker.CreateFIFO("billing.fifo")
	if err != nil {
		panic(err)
	}
	orders, err := account.CreateFIFO("orders.fifo")
	if err != nil {
		panic(err)
	}
	if _, err := orders.Subscribe(topic.Queue(billing), topic.WithRawDelivery()); err != nil {
		panic(err)
	}
	order := topic.Message{Body: "order 17", GroupID: "ann", DeduplicationID: "17"}
	if _, err := orders.Publish(ctx, order); err != nil {
		panic(err)
	}
	stop()

	broker, account, stop = start()
	defer stop()
	if orders, err = account.Topic("orders.fifo"); err != nil {
		panic(err)
	}
	again, err := orders.Publish(ctx, order) // by a publisher that got no answer
	if err != nil {
		panic(err)
	}
	queue, err := broker.Queue("billing.fifo")
	if err != nil {
		panic(err)
	}
	fmt.Println(again.Duplicate(), queue.Stats().Visible)
	// Output: true 1
}
