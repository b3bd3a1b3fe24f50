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

type Resize struct {
	Picture string `json:"picture"`
	Width   int    `json:"width"`
}

// A kind is declared once. Producers send it, consumers handle it, and its old names are still read.
func ExampleKind() {
	resize := worker.NewKind[Resize]("picture.resize", "resize")

	ctx := context.Background()
	q, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	m, err := resize.Message(Resize{Picture: "cat.png", Width: 100})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Attributes["kind"].Value, m.Body)
	if _, err := resize.Send(ctx, q, Resize{Picture: "dog.png", Width: 200}); err != nil {
		log.Fatal(err)
	}

	done := make(chan struct{})
	mux := worker.NewMux()
	resize.Handle(mux, func(ctx context.Context, j worker.Job[Resize]) error {
		fmt.Printf("attempt %d: %s to %d\n", j.Attempt(), j.Args.Picture, j.Args.Width)
		close(done)
		return nil
	})
	r, err := worker.New(q, mux)
	if err != nil {
		log.Fatal(err)
	}
	until(done, r)
	// Output:
	// picture.resize {"picture":"cat.png","width":100}
	// attempt 1: dog.png to 200
}

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
	}, 100, 50*time.Millisecond, worker.WithLogger(slog.New(slog.DiscardHandler)))
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

// A chain of jobs: the last line of a handler sends the next. Its deduplication id is made of the
// message's own, so that a handler that runs twice sends the next job once.
func Example_chain() {
	ctx := context.Background()
	q, err := inq.NewFIFO("pictures.fifo")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	fetch, resize := worker.NewKind[string]("fetch"), worker.NewKind[Resize]("resize")

	done := make(chan struct{})
	mux := worker.NewMux()
	fetch.Handle(mux, func(ctx context.Context, j worker.Job[string]) error {
		fmt.Println("fetch", j.Args)
		_, err := resize.Send(ctx, q, Resize{Picture: j.Args, Width: 100}, worker.Group(j.GroupID), worker.Dedup(j.ID()+"/resize"))
		return err
	})
	resize.Handle(mux, func(ctx context.Context, j worker.Job[Resize]) error {
		fmt.Println("resize", j.Args.Picture)
		close(done)
		return nil
	})
	if _, err := fetch.Send(ctx, q, "cat.png", worker.Group("cat"), worker.Dedup("1")); err != nil {
		log.Fatal(err)
	}
	r, err := worker.New(q, mux)
	if err != nil {
		log.Fatal(err)
	}
	until(done, r)
	// Output:
	// fetch cat.png
	// resize cat.png
}
