package worker_test

import (
	"context"
	"fmt"
	"log"
	"sync"
	"time"

	"example.com/inq"
	"example.com/inq/worker"
)

// Three processes run the same schedule, and each of its times makes one job.
func ExampleEvery() {
	q, err := inq.NewFIFO("reports.fifo")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	report := worker.NewKind[time.Time]("report")
	ctx, cancel := context.WithCancel(context.Background())
	var processes sync.WaitGroup
	for range 3 {
		ticker := worker.Every(report, worker.Interval(50*time.Millisecond), time.Time.UTC)
		processes.Go(func() {
			if err := ticker.Run(ctx, q); err != nil {
				log.Fatal(err)
			}
		})
	}

	mux := worker.NewMux()
	jobs, times := 0, map[time.Time]bool{}
	report.Handle(mux, func(_ context.Context, j worker.Job[time.Time]) error {
		jobs++ // a group has one handler at a time
		if times[j.Args] = true; len(times) >= 3 {
			cancel()
		}
		return nil
	})
	r, err := worker.New(q, mux)
	if err != nil {
		log.Fatal(err)
	}
	if err := r.Run(ctx); err != nil {
		log.Fatal(err)
	}
	processes.Wait()
	fmt.Println("each time has made one job:", jobs == len(times))
	// Output: each time has made one job: true
}
