package alarm_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"example.com/inq"
	"example.com/inq/alarm"
	"example.com/inq/worker"
)

// An auto-scaling group, as the textbooks have it: an alarm on the backlog of each worker, whose action
// adds workers, again and again while the alarm lasts. A second alarm, LessThan, would take them away.
//
// Where only this is wanted, [worker.WithAutoscale] is less to write.
func Example_autoScalingGroup() {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	jobs, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()
	for range 1000 {
		if _, err := jobs.Send(ctx, inq.Message{Body: "resize cat.png"}); err != nil {
			log.Fatal(err)
		}
	}
	group, err := worker.New(jobs, worker.HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
		<-ctx.Done() // slow enough to need help
		return ctx.Err()
	}), worker.WithConcurrency(1), worker.WithGrace(0))
	if err != nil {
		log.Fatal(err)
	}

	backlogPerWorker := func() float64 { return float64(jobs.Stats().Visible) / float64(group.Stats().Concurrency) }
	scaleOut, err := alarm.New(alarm.Config{
		Name:              "scale out",
		Metric:            alarm.Gauge(backlogPerWorker),
		Comparison:        alarm.GreaterThan,
		Threshold:         100,
		Period:            10 * time.Millisecond, // a minute on Amazon
		EvaluationPeriods: 3,
		Repeat:            10 * time.Millisecond,
		OnChange: func(c alarm.Change) {
			if c.To == alarm.OK {
				stop()
				return
			}
			was := group.Stats().Concurrency
			group.SetConcurrency(min(2*was, 16))
			fmt.Printf("%s: %d -> %d workers\n", c.To, was, group.Stats().Concurrency)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	go scaleOut.Run(ctx)
	if err := group.Run(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// ALARM: 1 -> 2 workers
	// ALARM: 2 -> 4 workers
	// ALARM: 4 -> 8 workers
	// ALARM: 8 -> 16 workers
}
