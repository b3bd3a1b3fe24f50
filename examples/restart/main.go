// Restart is a small service whose queue survives a restart: when it is told to stop, it saves the messages that are left
// to a file, and sends them again when it starts the next time.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"example.com/inq"
	"example.com/inq/examples/internal/program"
	"example.com/inq/worker"
)

const about = `restart is a small service that keeps its queue across restarts.

A queue of inq lives in memory. This service takes new jobs at each start, more
than it can do in a few seconds. On SIGTERM or Ctrl-C its worker stops
receiving and finishes the jobs in work; then it saves what is left in the queue
to a file. Its next start sends the jobs of the file again, before the new ones.
Start it twice to see it:

    go run ./examples/restart -for 3s
    go run ./examples/restart -for 3s

Bodies, attributes, the order of the messages and what is left of a delay are
kept. Message ids, receive counts and times of sending are new.
`

const (
	handling    = 400 * time.Millisecond // how long a job takes
	concurrency = 2
	reminder    = 5 * time.Second // the delay of every fifth job
)

func main() { program.Main(run) }

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := program.NewFlags("restart", stdout, about)
	file := flags.String("file", "backlog.jsonl", "`file` that keeps the messages between two runs")
	jobs := flags.Int("jobs", 20, "how many new jobs come in at the start")
	bound := flags.Duration("for", 0, "stop by itself after this `time` (default: run until told to stop)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case *jobs < 0 || *jobs > 1000:
		return program.Usagef("-jobs is %d and must be from 0 to 1000", *jobs)
	case *bound < 0:
		return program.Usagef("-for is %v and must not be negative", *bound)
	case *bound > 0:
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *bound)
		defer cancel()
	}
	queue, err := inq.NewStandard("jobs")
	if err != nil {
		return err
	}
	defer queue.Close()
	s := &service{queue: queue, stdout: stdout}
	if err := s.start(*file, *jobs); err != nil {
		return err
	}
	return errors.Join(s.work(ctx), s.stop(*file))
}

type service struct {
	queue *inq.Standard

	mu     sync.Mutex // keeps lines whole
	stdout io.Writer
}

// start fills the queue: first what the last run left, then what is new. An error leaves the file as it is. A signal that
// comes meanwhile has to wait, because stopping now would save half of the messages over all of them.
func (s *service) start(file string, jobs int) error {
	ctx := context.Background()
	restored, err := restore(ctx, s.queue, file)
	if err != nil {
		return err
	}
	s.printf("Started. %d jobs of the last run are sent again from %s, and %d new ones come in.", restored, file, jobs)
	started := time.Now().Format("15:04:05")
	for i := 1; i <= jobs; i++ {
		job := inq.Message{
			Body:       fmt.Sprintf("job %d of the run of %s", i, started),
			Attributes: map[string]inq.Attribute{"kind": inq.String("letter")},
		}
		if i%5 == 0 {
			job.Attributes["kind"] = inq.String("reminder")
			job.Delay = reminder
		}
		if _, err := s.queue.Send(ctx, job); err != nil {
			return err
		}
	}
	return nil
}

// work handles jobs until ctx ends. When it returns, no job is in anybody's hands: the worker has finished what was begun,
// and has deleted it although ctx has ended.
func (s *service) work(ctx context.Context) error {
	w, err := worker.New(s.queue, worker.HandlerFunc(s.handle), worker.WithConcurrency(concurrency))
	if err != nil {
		return err
	}
	return w.Run(ctx)
}

// handle does one job. A longer one would look at its ctx: that ends when the grace of the worker is over.
func (s *service) handle(_ context.Context, d *inq.Delivery) error {
	time.Sleep(handling) // what a real job does takes time as well
	s.printf("done: %s (%s)", d.Body, d.Attributes()["kind"].Value)
	return nil
}

// stop saves what is left. Nobody sends or receives any more, so nothing changes while it looks.
func (s *service) stop(file string) error {
	left, err := save(file, s.queue.Messages())
	if err != nil {
		return fmt.Errorf("the queue could not be saved, and %d jobs are lost: %w", s.queue.Stats().Visible, err)
	}
	s.printf("Stopped. %d jobs are saved in %s; the next start sends them again.", left, file)
	return nil
}

func (s *service) printf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.stdout, format+"\n", args...)
}
