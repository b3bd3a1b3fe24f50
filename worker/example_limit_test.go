package worker_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"

	"example.com/inq"
	"example.com/inq/worker"
)

// bucket is a limit made of a channel of tokens. The *rate.Limiter of golang.org/x/time/rate fits as
// it is.
type bucket chan struct{}

func (b bucket) Wait(ctx context.Context) error {
	select {
	case <-b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A limit is asked before a message is received: what may not run yet stays in the queue, for
// others to take.
func ExampleWithLimit() {
	q, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	for range 5 {
		if _, err := q.Send(context.Background(), inq.Message{Body: "job"}); err != nil {
			log.Fatal(err)
		}
	}

	tokens := make(bucket, 3)
	for range cap(tokens) {
		tokens <- struct{}{}
	}
	done := make(chan struct{})
	var jobs atomic.Int64
	r, err := worker.New(q, worker.HandlerFunc(func(context.Context, *inq.Delivery) error {
		if jobs.Add(1) == 3 {
			close(done)
		}
		return nil
	}), worker.WithLimit(tokens))
	if err != nil {
		log.Fatal(err)
	}
	until(done, r)
	fmt.Println("done:", r.Stats().Succeeded, "left:", q.Stats().Visible)
	// Output: done: 3 left: 2
}
