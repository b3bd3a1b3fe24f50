package worker_test

import (
	"context"
	"encoding/json"
	"expvar"
	"fmt"
	"log"
	"time"

	"example.com/inq"
	"example.com/inq/worker"
)

// The figures of a runner on the page /debug/vars of package expvar.
func ExampleRunner_Stats() {
	q, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	for range 3 {
		if _, err := q.Send(context.Background(), inq.Message{Body: "job"}); err != nil {
			log.Fatal(err)
		}
	}
	done := make(chan struct{}, 3)
	r, err := worker.New(q, worker.HandlerFunc(func(context.Context, *inq.Delivery) error {
		done <- struct{}{}
		return nil
	}))
	if err != nil {
		log.Fatal(err)
	}
	expvar.Publish("worker", expvar.Func(func() any { return r.Stats() }))

	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for range 3 {
			<-done
		}
		cancel()
	}()
	if err := r.Run(ctx); err != nil {
		log.Fatal(err)
	}

	var seen worker.Stats
	if err := json.Unmarshal([]byte(expvar.Get("worker").String()), &seen); err != nil {
		log.Fatal(err)
	}
	fmt.Println("succeeded:", seen.Succeeded, "runs:", seen.Run.Count, "lost:", seen.Lost)
	fmt.Println("half of them ran for less than a second:", seen.Run.Quantile(0.5) < time.Second)
	// Output:
	// succeeded: 3 runs: 3 lost: 0
	// half of them ran for less than a second: true
}

// A policy is a function of the load: here as many workers as the backlog has hundreds.
func ExamplePolicy() {
	hundreds := func(l worker.Load) int { return l.Visible / 100 }
	q, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	_, err = worker.New(q, worker.HandlerFunc(noop), worker.WithAutoscale(1, 50, hundreds))
	fmt.Println(hundreds(worker.Load{Visible: 1234}), err)

	// Or as many as clear the backlog within half a minute.
	fmt.Println(worker.TargetDelay(30 * time.Second)(worker.Load{Visible: 1234, MeanRun: 200 * time.Millisecond}))
	// Output:
	// 12 <nil>
	// 9
}
