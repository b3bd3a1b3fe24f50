// Polling compares short polls with long ones: how many calls they make, and how long messages wait.
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
)

const about = `polling counts what asking for messages costs.

The same few messages are sent to three queues. The consumer of the first asks
for messages every 20 ms and takes no for an answer (short polls), that of the
second every second; the third waits at the queue until a message comes, for up
to 20 seconds (a long poll). The program counts their calls of ReceiveMessage
and measures how long messages waited. It takes about five seconds.

On Amazon SQS each call costs the same, with a message or without.
`

func main() { program.Main(run) }

// A way is how a consumer asks for messages.
type way struct {
	name  string
	wait  time.Duration // of a receive
	pause time.Duration // after a receive that brought nothing
}

var ways = []way{
	{"short polls, every 20 ms", inq.Zero, 20 * time.Millisecond},
	{"short polls, every second", inq.Zero, time.Second},
	{"long polls of 20 s", 20 * time.Second, 0},
}

// gap is the time from one message to the next. It is not a multiple of any pause.
const gap = 333 * time.Millisecond

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := program.NewFlags("polling", stdout, about)
	messages := flags.Int("messages", 12, "how many messages each queue gets")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *messages < 1 || *messages > 100 {
		return program.Usagef("-messages is %d and must be from 1 to 100", *messages)
	}
	results := make([]*result, len(ways))
	errs := make([]error, len(ways)+1)
	for i, w := range ways {
		queue, err := inq.NewStandard(fmt.Sprint("queue-", i+1))
		if err != nil {
			return err
		}
		defer queue.Close()
		results[i] = &result{way: w, queue: &counted{Queue: queue}}
	}

	fmt.Fprintf(stdout, "A message comes every %v, %d in all.\n", gap, *messages)
	consuming, stop := context.WithCancel(ctx)
	defer stop()
	var consumers sync.WaitGroup
	for i, r := range results {
		consumers.Go(func() { errs[i] = r.consume(consuming, *messages) })
	}
	began := time.Now()
	errs[len(ways)] = send(ctx, results, *messages, stdout)
	if errs[len(ways)] != nil {
		stop()
	}
	consumers.Wait()
	if err := errors.Join(errs...); err != nil && ctx.Err() == nil {
		return err
	}
	return summarize(stdout, results, *messages, time.Since(began))
}

// send sends each message to all queues at once.
func send(ctx context.Context, results []*result, messages int, stdout io.Writer) error {
	next := time.NewTicker(gap)
	defer next.Stop()
	for n := range messages {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-next.C:
		}
		for _, r := range results {
			if _, err := r.queue.Send(ctx, inq.Message{Body: fmt.Sprint("message ", n+1)}); err != nil {
				return err
			}
		}
		fmt.Fprintf(stdout, "%d of %d sent;", n+1, messages)
		for _, r := range results {
			fmt.Fprintf(stdout, " %4d", r.queue.Calls())
		}
		fmt.Fprintln(stdout, " calls so far")
	}
	return nil
}

// result is what came of one way to poll.
type result struct {
	way
	queue   *counted
	waited  time.Duration // all messages together
	handled int
}

// consume receives and deletes until it has had all messages.
func (r *result) consume(ctx context.Context, messages int) error {
	for r.handled < messages {
		ds, err := r.queue.Receive(ctx, inq.ReceiveInput{Max: 10, Wait: r.wait})
		if err != nil {
			return err
		}
		for i := range ds {
			r.waited += time.Since(ds[i].SentAt())
			if err := ds[i].Delete(ctx); err != nil {
				return err
			}
			r.handled++
		}
		if len(ds) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(r.pause):
		}
	}
	return nil
}

// counted is a queue whose receives are counted. All else goes through.
type counted struct {
	inq.Queue
	mu           sync.Mutex
	calls, empty int
}

// Receive counts a call that begins, and whether it brings anything.
func (c *counted) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	c.mu.Lock()
	c.calls++
	c.mu.Unlock()
	ds, err := c.Queue.Receive(ctx, in)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(ds) == 0 {
		c.empty++
	}
	return ds, err
}

// Calls returns how many receives there were so far.
func (c *counted) Calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

// summarize prints the table, and returns an error where a message is missing.
func summarize(stdout io.Writer, results []*result, messages int, took time.Duration) error {
	fmt.Fprintf(stdout, "\n%-26s  %8s  %5s  %5s  %9s  %14s\n", "", "messages", "calls", "empty", "mean wait", "calls in a day")
	lost := 0
	for _, r := range results {
		mean := time.Duration(0)
		if r.handled > 0 {
			mean = r.waited / time.Duration(r.handled)
		}
		day := float64(r.queue.calls) * (24 * time.Hour).Seconds() / took.Seconds()
		fmt.Fprintf(stdout, "%-26s  %8d  %5d  %5d  %6d ms  %14.0f\n", r.name, r.handled, r.queue.calls, r.queue.empty, mean.Milliseconds(), day)
		lost += messages - r.handled
	}
	fmt.Fprintf(stdout, "\nA long poll makes about a call a message, and one every 20 s when there is none; its messages do not wait.\n")
	if lost != 0 {
		return fmt.Errorf("stopped before the end, with %d messages that were not received", lost)
	}
	return nil
}
