package worker_test

import (
	"context"
	"fmt"
	"log"

	"example.com/inq"
	"example.com/inq/worker"
)

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

// A message that came through a topic of Amazon SNS has an envelope around it, unless the
// subscription asks for raw delivery.
func ExampleWithSNSEnvelopes() {
	q, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	envelope := `{"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:000000000000:pictures",
		"Message": "{\"picture\":\"cat.png\",\"width\":100}",
		"MessageAttributes": {"kind": {"Type": "String", "Value": "picture.resize"}}}`
	if _, err := q.Send(context.Background(), inq.Message{Body: envelope}); err != nil {
		log.Fatal(err)
	}

	done := make(chan struct{})
	mux := worker.NewMux(worker.WithSNSEnvelopes())
	worker.NewKind[Resize]("picture.resize").Handle(mux, func(ctx context.Context, j worker.Job[Resize]) error {
		fmt.Println(j.Args.Picture, j.Args.Width)
		close(done)
		return nil
	})
	r, err := worker.New(q, mux)
	if err != nil {
		log.Fatal(err)
	}
	until(done, r)
	// Output: cat.png 100
}
