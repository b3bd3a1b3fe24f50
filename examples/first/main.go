// Command first sends a job and does it.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"example.com/inq"
	"example.com/inq/worker"
)

// Resize is what a job is told, and resize the kind of job: producers and workers share the two.
type Resize struct{ Picture string }

var resize = worker.NewKind[Resize]("picture.resize")

func main() {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute) // in a service: signal.NotifyContext
	defer stop()
	jobs, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()
	if _, err := resize.Send(ctx, jobs, Resize{"cat.png"}); err != nil {
		log.Fatal(err)
	}

	mux := worker.NewMux()
	resize.Handle(mux, func(ctx context.Context, j worker.Job[Resize]) error {
		fmt.Println("resizing", j.Args.Picture) // an error would make the job come again
		stop()                                  // a service would go on
		return nil
	})
	r, err := worker.New(jobs, mux)
	if err != nil {
		log.Fatal(err)
	}
	if err := r.Run(ctx); err != nil { // until ctx ends; what is done by then is deleted
		log.Fatal(err)
	}
}
