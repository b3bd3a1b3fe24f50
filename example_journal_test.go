package inq_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"example.com/inq"
)

// A queue that outlives its process: what was accepted is there when it is made again, the number of its
// receives too.
func ExampleOpenJournal() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	ctx := context.Background()
	for life := 1; life <= 3; life++ {
		j, err := inq.OpenJournal(dir, inq.WithReleaseOnOpen()) // the consumers are in this process, and died with it
		if err != nil {
			log.Fatal(err)
		}
		jobs, err := inq.NewStandard("jobs", inq.WithJournal(j))
		if err != nil {
			log.Fatal(err)
		}
		if life == 1 {
			if _, err := jobs.Send(ctx, inq.Message{Body: "resize cat.png"}); err != nil {
				log.Fatal(err)
			}
		}
		ds, err := jobs.Receive(ctx, inq.ReceiveInput{})
		if err != nil {
			log.Fatal(err)
		}
		for _, d := range ds {
			fmt.Printf("life %d: %s, receive %d\n", life, d.Body, d.ReceiveCount)
			if life == 2 {
				_ = d.Delete(ctx)
			}
		}
		if err := j.Close(); err != nil { // or kill -9
			log.Fatal(err)
		}
	}
	// Output:
	// life 1: resize cat.png, receive 1
	// life 2: resize cat.png, receive 2
}

// A test that restarts a queue needs no disk. In a testing/synctest bubble the time between two lives is
// virtual too.
func ExampleInMemory() {
	disk := inq.InMemory()
	ctx := context.Background()

	j, _ := inq.OpenJournal("jobs", disk)
	q, _ := inq.NewFIFO("orders.fifo", inq.WithJournal(j))
	sent, _ := q.Send(ctx, inq.Message{Body: "pay", GroupID: "customer-1", DeduplicationID: "order-7"})
	_ = j.Close()

	j, _ = inq.OpenJournal("jobs", disk)
	q, _ = inq.NewFIFO("orders.fifo", inq.WithJournal(j))
	again, _ := q.Send(ctx, inq.Message{Body: "pay", GroupID: "customer-1", DeduplicationID: "order-7"})
	fmt.Println("duplicate:", again.Duplicate(), "same id:", again.ID() == sent.ID())
	_ = j.Close()
	// Output:
	// duplicate: true same id: true
}

// A producer that meets a full disk tries again: sends go on by themselves when there is room.
func ExampleErrJournalFull() {
	send := func(ctx context.Context, q inq.Queue, m inq.Message) error {
		for {
			_, err := q.Send(ctx, m)
			if !errors.Is(err, inq.ErrJournalFull) {
				return err
			}
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	j, _ := inq.OpenJournal("jobs", inq.InMemory())
	q, _ := inq.NewStandard("jobs", inq.WithJournal(j))
	fmt.Println(send(context.Background(), q, inq.Message{Body: "a"}))
	_ = j.Close()
	// Output:
	// <nil>
}
