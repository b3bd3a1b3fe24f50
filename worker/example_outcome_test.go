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

// What a handler returns decides what becomes of the message.
func ExampleBury() {
	var letters []string
	dead := inq.DeadLetterFunc(func(_ context.Context, d inq.DeadLetter) error {
		letters = append(letters, d.Body+": "+d.Reason)
		return nil
	})
	q, err := inq.NewStandard("jobs", inq.WithDeadLetter(dead, 10))
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	for _, body := range []string{"busy", "broken", "early"} {
		if _, err := q.Send(context.Background(), inq.Message{Body: body}); err != nil {
			log.Fatal(err)
		}
	}

	done := make(chan struct{})
	left := 5
	r, err := worker.New(q, worker.HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
		fmt.Printf("%s, attempt %d\n", d.Body, d.ReceiveCount)
		if left--; left == 0 {
			close(done)
		}
		switch {
		case d.Body == "broken":
			return worker.Bury(errors.New("no picture"))
		case d.Body == "busy" && d.ReceiveCount == 1:
			return worker.RetryAfter(10*time.Millisecond, errors.New("429 Too Many Requests"))
		case d.Body == "early" && left > 0:
			return worker.Snooze(50 * time.Millisecond) // not a failure: the next attempt is the first again
		}
		return nil
	}), worker.WithConcurrency(1), worker.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	until(done, r)
	fmt.Println(letters)
	// Output:
	// busy, attempt 1
	// broken, attempt 1
	// early, attempt 1
	// busy, attempt 2
	// early, attempt 1
	// [broken: no picture]
}

// Middleware is what all handlers have around them. A panic reaches it as an error.
func ExampleMiddleware() {
	timed := func(next worker.Handler) worker.Handler {
		return worker.HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
			err := next.Handle(ctx, d)
			fmt.Printf("%s: %v\n", d.Body, err)
			return err
		})
	}
	q, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	if _, err := q.Send(context.Background(), inq.Message{Body: "job"}); err != nil {
		log.Fatal(err)
	}

	done := make(chan struct{})
	r, err := worker.New(q, worker.HandlerFunc(func(_ context.Context, d *inq.Delivery) error {
		if d.ReceiveCount == 1 {
			panic("out of luck")
		}
		close(done)
		return nil
	}), worker.WithMiddleware(timed), worker.WithBackoff(worker.Exponential(time.Millisecond, time.Millisecond)),
		worker.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	until(done, r)
	fmt.Println("panicked:", r.Stats().Panicked)
	// Output:
	// job: worker: panic: out of luck
	// job: <nil>
	// panicked: 1
}
