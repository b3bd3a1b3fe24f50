package worker_test

import (
	"context"
	"errors"
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
		ticker := worker.Every(report, worker.Interval(50*time.Millisecond), func(tick time.Time) time.Time { return tick })
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

// A service that ends when its schedule does, and returns what was wrong: here the ticker is given a
// queue that is not FIFO.
func ExampleTicker_Run() {
	q, err := inq.NewStandard("reports")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	report := worker.NewKind[time.Time]("report")
	mux := worker.NewMux()
	report.Handle(mux, func(context.Context, worker.Job[time.Time]) error { return nil })
	r, err := worker.New(q, mux)
	if err != nil {
		log.Fatal(err)
	}
	ticker := worker.Every(report, worker.Interval(time.Hour), func(tick time.Time) time.Time { return tick })

	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 1)
	go func() {
		failed <- ticker.Run(ctx, q)
		cancel()
	}()
	err = r.Run(ctx)
	cancel()
	fmt.Println(errors.Join(err, <-failed))
	// Output: inq: invalid parameter value: q "reports": a schedule needs a FIFO queue, which accepts each of its times once
}
