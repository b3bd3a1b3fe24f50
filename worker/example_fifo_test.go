package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"time"

	"example.com/inq"
	"example.com/inq/worker"
)

// Of a FIFO queue the messages of one group are handled one after another. One that fails holds back
// those behind it, and costs them no attempt.
func ExampleNew_fifo() {
	q, err := inq.NewFIFO("orders.fifo", inq.WithContentBasedDeduplication(true))
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	for _, body := range []string{"ann: pay", "ann: ship", "ann: thank"} {
		if _, err := q.Send(context.Background(), inq.Message{Body: body, GroupID: "ann"}); err != nil {
			log.Fatal(err)
		}
	}

	done := make(chan struct{})
	r, err := worker.New(q, worker.HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
		fmt.Printf("%s, attempt %d\n", d.Body, d.ReceiveCount)
		switch {
		case d.Body == "ann: ship" && d.ReceiveCount == 1:
			return worker.RetryAfter(10*time.Millisecond, errors.New("no stamps"))
		case d.Body == "ann: thank":
			close(done)
		}
		return nil
	}), worker.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	until(done, r)
	// Output:
	// ann: pay, attempt 1
	// ann: ship, attempt 1
	// ann: ship, attempt 2
	// ann: thank, attempt 1
}
