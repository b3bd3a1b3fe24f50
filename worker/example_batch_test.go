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

// A batch handler gets several messages at once, and names those that failed.
func ExampleNewBatch() {
	q, err := inq.NewStandard("rows")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	for _, body := range []string{"1", "2", "x", "4"} {
		if _, err := q.Send(context.Background(), inq.Message{Body: body}); err != nil {
			log.Fatal(err)
		}
	}

	done := make(chan struct{})
	r, err := worker.NewBatch(q, func(ctx context.Context, ds []inq.Delivery) error {
		defer close(done)
		var failed inq.BatchError
		for i := range ds {
			if ds[i].Body == "x" {
				failed.Failed = append(failed.Failed, inq.BatchFailure{Index: i, Err: errors.New("not a number")})
			}
		}
		fmt.Println("rows:", len(ds))
		return &failed
	}, 100, 50*time.Millisecond, worker.WithBackoff(func(int) time.Duration { return time.Minute }), worker.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	until(done, r)
	s := r.Stats()
	fmt.Println("succeeded:", s.Succeeded, "failed:", s.Failed)
	// Output:
	// rows: 4
	// succeeded: 3 failed: 1
}
