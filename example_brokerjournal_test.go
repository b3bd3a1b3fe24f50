package inq_test

import (
	"context"
	"fmt"

	"example.com/inq"
)

// A broker with a journal has its queues again when the program starts the next time: with their messages,
// settings and tags, and with receipt handles that are still good. Here the directory is in memory, and the
// second start is a function call.
func ExampleWithBrokerJournal() {
	ctx := context.Background()
	directory := inq.InMemory() // a program leaves this option out, and names a directory
	start := func() (*inq.Broker, *inq.Journal) {
		j, err := inq.OpenJournal("queues", directory)
		if err != nil {
			panic(err)
		}
		b, err := inq.NewBroker(inq.WithBrokerJournal(j))
		if err != nil {
			panic(err)
		}
		return b, j
	}

	broker, journal := start()
	jobs, err := broker.CreateStandard("jobs", inq.WithMaxMessageSize(4096))
	if err != nil {
		panic(err)
	}
	for _, body := range []string{"one", "two"} {
		if _, err := jobs.Send(ctx, inq.Message{Body: body}); err != nil {
			panic(err)
		}
	}
	taken, err := jobs.Receive(ctx, inq.ReceiveInput{})
	if err != nil {
		panic(err)
	}
	if err := journal.Close(); err != nil { // after a crash the next start would find the same
		panic(err)
	}

	broker, journal = start()
	defer journal.Close()
	back, err := broker.Queue("jobs")
	if err != nil {
		panic(err)
	}
	fmt.Println(back.Config().MaxMessageSize, back.Stats().Visible, back.Stats().NotVisible)
	fmt.Println(back.Delete(ctx, taken[0].ReceiptHandle()), back.Stats().NotVisible)
	// Output:
	// 4096 1 1
	// <nil> 0
}
