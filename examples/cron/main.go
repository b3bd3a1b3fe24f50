// Cron has three processes send the jobs of one schedule. Each time makes one job, although none of the processes leads and
// one of them is killed on the way.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"example.com/inq"
	"example.com/inq/examples/internal/endpoint"
	"example.com/inq/examples/internal/narrator"
	"example.com/inq/examples/internal/program"
	"example.com/inq/inqaws"
	"example.com/inq/sqsapi"
	"example.com/inq/worker"
)

const about = `cron runs a schedule in three processes at once, and each time makes one job.

This process serves a FIFO queue over HTTP, as Amazon SQS does, and starts itself
three more times. Those run the same schedule, a job every second, and know
nothing of each other. Each sends the job of a time under the same deduplication
id, its kind and the time, and the queue takes it once. In the middle the first
is killed; the others go on as if nothing had happened. A worker in this process
does the jobs. At the end the program checks that no time is missing and none
was there twice, and fails if not. It takes about seven seconds.
`

const (
	processes = 3
	region    = "us-east-1"
)

func main() { program.Main(run) }

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := program.NewFlags("cron", stdout, about)
	ticks := flags.Int("ticks", 5, "how many times of the schedule to wait for")
	join := flags.String("join", "", "be one more process that sends to the queue with this `URL`, until the standard input ends (the program starts itself with it)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *ticks < 3 || *ticks > 60 {
		return program.Usagef("-ticks is %d and must be from 3 to 60", *ticks)
	}
	if *join != "" {
		host, err := origin(*join)
		if err != nil {
			return err
		}
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
		return offer(ctx, inqaws.NewQueue(endpoint.Client(host, region), *join), stdout)
	}

	broker, err := inq.NewBroker()
	if err != nil {
		return err
	}
	defer broker.Close()
	queue, err := broker.CreateFIFO("reports.fifo")
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	server := &http.Server{Handler: sqsapi.NewHandler(broker, sqsapi.Options{}), ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener)
	defer server.Close()
	fmt.Fprintf(stdout, "The queue is served on %s\n", url)
	return watch(ctx, queue, func(say func(string)) (*process, error) {
		return start(broker.QueueURL(url, queue.Name()), say)
	}, *ticks, stdout)
}

// report is the job of a time of the schedule.
var report = worker.NewKind[time.Time]("report")

const second = time.Second

// offer is what each of the processes does: it sends the job of each time, whoever else may do so.
func offer(ctx context.Context, queue inq.Queue, stdout io.Writer) error {
	ticker := worker.Every(report, worker.Interval(second), func(tick time.Time) time.Time {
		fmt.Fprintf(stdout, "%s\n", tick.Format(time.TimeOnly))
		return tick
	})
	fmt.Fprintln(stdout, ready)
	return ticker.Run(ctx, queue)
}

// ready is what a process says first.
const ready = "ready"

// A process is one that offers. stop ends it well, kill at once.
type process struct {
	stop func() error
	kill func()
}

// watch starts the processes and has a worker do the jobs that come, until there were so many.
func watch(ctx context.Context, queue *inq.FIFO, start func(say func(string)) (*process, error), ticks int, stdout io.Writer) error {
	show := narrator.New(stdout)
	var (
		mu   sync.Mutex // guards done
		done []time.Time
	)
	progress := make(chan int, ticks+1000)
	mux := worker.NewMux()
	report.Handle(mux, func(_ context.Context, j worker.Job[time.Time]) error {
		mu.Lock()
		defer mu.Unlock()
		done = append(done, j.Args)
		show.Text("%d of %d: the report of %s is written", len(done), ticks, j.Args.Format(time.TimeOnly))
		select {
		case progress <- len(done):
		default:
		}
		return nil
	})
	w, err := worker.New(queue, mux, worker.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- w.Run(working) }()

	var crew []*process
	killed := 0
	stopCrew := func() (err error) {
		for _, p := range crew {
			err = errors.Join(err, p.stop())
		}
		crew = nil
		return err
	}
	defer stopCrew()
	for i := range processes {
		p, err := start(func(line string) {
			if line == ready {
				show.Line("process %d begins", i+1)
			} else {
				show.Line("process %d offers %s", i+1, line)
			}
		})
		if err != nil {
			return err
		}
		crew = append(crew, p)
	}

	for n := 0; n < ticks && ctx.Err() == nil; {
		select {
		case <-ctx.Done():
			continue
		case n = <-progress:
		}
		if n != 2 && n != ticks {
			continue
		}
		select { // what follows is to happen between two times
		case <-ctx.Done():
		case <-time.After(second / 2):
			if n == 2 && killed == 0 {
				crew[0].kill()
				crew, killed = crew[1:], 1
				show.Text("process 1 is killed")
			}
		}
	}
	err = stopCrew()
	for ctx.Err() == nil && queue.Stats().Visible+queue.Stats().NotVisible > 0 {
		time.Sleep(10 * time.Millisecond) // a job that came at the last moment
	}
	stop()
	err = errors.Join(err, <-ended)
	mu.Lock()
	defer mu.Unlock()
	return errors.Join(err, summarize(stdout, queue.Stats(), w.Stats(), done, ticks, killed))
}

// summarize prints the figures, and returns an error unless each time made one job.
func summarize(stdout io.Writer, queue inq.Stats, work worker.Stats, done []time.Time, ticks, killed int) error {
	var missing, twice int
	for i := 1; i < len(done); i++ {
		switch gap := done[i].Sub(done[i-1]); {
		case gap <= 0:
			twice++
		case gap > second:
			missing += int(gap/second) - 1
		}
	}
	fmt.Fprintf(stdout, "\n%d times of the schedule\n", len(done)+missing-twice)
	fmt.Fprintf(stdout, "  offers      %4d  by %d processes, %d of them killed on the way\n", queue.Sent+queue.Deduplicated, processes, killed)
	fmt.Fprintf(stdout, "  duplicates  %4d\n", queue.Deduplicated)
	fmt.Fprintf(stdout, "  jobs        %4d\n", queue.Sent)
	fmt.Fprintf(stdout, "  done        %4d  %d missing, %d twice\n", work.Succeeded, missing, twice)
	switch {
	case missing+twice > 0, int(queue.Sent) != len(done), work.Succeeded != queue.Sent:
		return errors.New("the figures do not add up")
	case len(done) < ticks:
		return fmt.Errorf("stopped before the end, after %d of %d times", len(done), ticks)
	}
	return nil
}
