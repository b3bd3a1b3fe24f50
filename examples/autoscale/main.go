// Autoscale has a burst of jobs come to a worker with one slot. Alarms on its backlog make it grow while it is behind, and
// shrink when it has nothing to do, as an auto-scaling group does with machines.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"example.com/inq"
	"example.com/inq/alarm"
	"example.com/inq/examples/internal/program"
	"example.com/inq/worker"
)

const about = `autoscale shows how workers follow the work.

A few jobs a second keep one worker half busy. Then a burst comes. An alarm on
the backlog for each worker doubles the workers, and again while it lasts; when
there was little to do for a second, another alarm takes half of them away, step
by step. Each row of the chart is a quarter of a second. At the end the program
compares the jobs that were sent with those that were done, and fails where that
does not add up. It takes about seven seconds.

Where the worker's own rules will do, its option WithAutoscale is less to write.
This is how to make others.
`

const (
	most      = 16                    // workers
	handling  = 20 * time.Millisecond // how long a job takes
	trickle   = 40 * time.Millisecond // from one job to the next, before and after the burst
	quiet     = time.Second           // before the burst
	look      = 250 * time.Millisecond
	behind    = 10 // jobs for each worker that are too many
	patience  = 2 * look
	idleAfter = 4 * look
)

func main() { program.Main(run) }

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := program.NewFlags("autoscale", stdout, about)
	burst := flags.Int("burst", 600, "how many jobs come at once")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *burst < 1 || *burst > 2000 {
		return program.Usagef("-burst is %d and must be from 1 to 2000", *burst)
	}
	queue, err := inq.NewStandard("jobs")
	if err != nil {
		return err
	}
	defer queue.Close()
	return scale(ctx, queue, *burst, stdout)
}

// job is what there is to do; it is always the same.
var job = worker.NewKind[int]("job")

func scale(ctx context.Context, queue *inq.Standard, burst int, stdout io.Writer) error {
	mux := worker.NewMux()
	job.Handle(mux, func(context.Context, worker.Job[int]) error {
		time.Sleep(handling) // what a real job does takes time as well
		return nil
	})
	group, err := worker.New(queue, mux, worker.WithConcurrency(1), worker.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	c := &chart{stdout: stdout, began: time.Now(), most: burst}
	alarms, err := newAlarms(queue, group, c)
	if err != nil {
		return err
	}

	working, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 2+len(alarms))
	go func() { ended <- group.Run(working) }()
	for _, a := range alarms {
		go func() { ended <- a.Run(working) }()
	}
	var sent atomic.Int64
	sending, stopSending := context.WithCancel(working)
	defer stopSending()
	go func() { ended <- produce(sending, queue, burst, &sent) }()

	c.watch(ctx, queue, group)

	// First nothing more comes, then what is left is done, then the workers go.
	stopSending()
	err = <-ended
	for ctx.Err() == nil && queue.Stats().Visible+queue.Stats().NotVisible > 0 {
		time.Sleep(handling)
	}
	stop()
	for range 1 + len(alarms) {
		err = errors.Join(err, <-ended)
	}
	return errors.Join(err, c.summarize(int(sent.Load()), queue.Stats(), group.Stats()))
}

// newAlarms makes the alarms that change the number of workers.
func newAlarms(queue *inq.Standard, group *worker.Runner, c *chart) ([]*alarm.Alarm, error) {
	backlog := alarm.Gauge(func() float64 {
		return float64(queue.Stats().Visible) / float64(group.Stats().Concurrency)
	})
	// resize returns the action of an alarm.
	resize := func(to func(now int) int) func(alarm.Change) {
		return func(change alarm.Change) {
			if change.To != alarm.InAlarm {
				return
			}
			now := group.Stats().Concurrency
			if want := min(max(to(now), 1), most); want != now {
				group.SetConcurrency(want)
				c.resized(change, now, want)
			}
		}
	}
	scaleOut, err := alarm.New(alarm.Config{
		Name: "scale out", Metric: backlog, Comparison: alarm.GreaterThan, Threshold: behind,
		Period: look, EvaluationPeriods: int(patience / look),
		Repeat: look, OnChange: resize(func(now int) int { return 2 * now }),
	})
	if err != nil {
		return nil, err
	}
	scaleIn, err := alarm.New(alarm.Config{
		Name: "scale in", Metric: backlog, Comparison: alarm.LessThan, Threshold: 1,
		Period: look, EvaluationPeriods: int(idleAfter / look),
		Repeat: 2 * look, OnChange: resize(func(now int) int { return now / 2 }),
	})
	return []*alarm.Alarm{scaleOut, scaleIn}, err
}

// produce sends jobs until ctx ends: a few all the time, and many at once.
func produce(ctx context.Context, queue inq.Queue, burst int, sent *atomic.Int64) error {
	send := func() error {
		_, err := job.Send(context.WithoutCancel(ctx), queue, int(sent.Load()))
		if err == nil {
			sent.Add(1)
		}
		return err
	}
	few, many := time.NewTicker(trickle), time.After(quiet)
	defer few.Stop()
	for {
		n := 1
		select {
		case <-ctx.Done():
			return nil
		case <-few.C:
		case <-many:
			n = burst
		}
		for range n {
			if err := send(); err != nil {
				return fmt.Errorf("sending: %w", err)
			}
		}
	}
}
