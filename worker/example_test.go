package worker_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"example.com/inq"
	"example.com/inq/worker"
)

// until runs a runner until done is closed, or a test of the example would hang.
func until(done <-chan struct{}, r *worker.Runner) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go func() {
		<-done
		cancel()
	}()
	if err := r.Run(ctx); err != nil {
		log.Fatal(err)
	}
}

// A handler, a queue and a runner.
func Example() {
	q, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	if _, err := q.Send(context.Background(), inq.Message{Body: "resize cat.png"}); err != nil {
		log.Fatal(err)
	}

	done := make(chan struct{})
	r, err := worker.New(q, worker.HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
		fmt.Println(d.Body)
		close(done)
		return nil
	}))
	if err != nil {
		log.Fatal(err)
	}
	until(done, r)
	fmt.Println("succeeded:", r.Stats().Succeeded)
	// Output:
	// resize cat.png
	// succeeded: 1
}

// Two queues, one stop. A queue that matters more gets more slots.
func ExampleRunAll() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var runners []*worker.Runner
	for name, slots := range map[string]int{"urgent": 8, "later": 2} {
		q, err := inq.NewStandard(name)
		if err != nil {
			log.Fatal(err)
		}
		defer q.Close()
		r, err := worker.New(q, worker.HandlerFunc(func(context.Context, *inq.Delivery) error { return nil }), worker.WithConcurrency(slots))
		if err != nil {
			log.Fatal(err)
		}
		runners = append(runners, r)
	}
	time.AfterFunc(10*time.Millisecond, cancel) // a signal, in a program
	fmt.Println(worker.RunAll(ctx, runners...))
	// Output: <nil>
}

// What a stop cuts off is given back, and comes again as if it had not been received.
func ExampleWithGrace() {
	q, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	if _, err := q.Send(context.Background(), inq.Message{Body: "a long job"}); err != nil {
		log.Fatal(err)
	}

	ctx, stop := context.WithCancel(context.Background())
	r, err := worker.New(q, worker.HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
		stop() // as if somebody had pressed Ctrl-C now
		<-ctx.Done()
		fmt.Println(context.Cause(ctx))
		return ctx.Err()
	}), worker.WithGrace(10*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Run(ctx))

	ds, err := q.Receive(context.Background(), inq.ReceiveInput{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ds[0].Body, "attempt", ds[0].ReceiveCount)
	// Output:
	// worker: the runner stops
	// <nil>
	// a long job attempt 1
}

// While a runner is paused, messages stay in the queue.
func ExampleRunner_Pause() {
	q, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	done := make(chan struct{})
	r, err := worker.New(q, worker.HandlerFunc(func(context.Context, *inq.Delivery) error {
		close(done)
		return nil
	}))
	if err != nil {
		log.Fatal(err)
	}
	r.Pause()
	if _, err := q.Send(context.Background(), inq.Message{Body: "job"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("paused:", r.Stats().Paused, "waiting:", q.Stats().Visible)
	r.Resume()
	until(done, r)
	fmt.Println("paused:", r.Stats().Paused, "waiting:", q.Stats().Visible)
	// Output:
	// paused: true waiting: 1
	// paused: false waiting: 0
}
