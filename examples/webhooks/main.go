// Webhooks delivers events to the servers of customers over HTTP. The servers are flaky, slow down their callers, are out of
// order for a while, or gone for good; the worker retries, waits as it is told, gives up in time, and delivers what it gave
// up on when the server is repaired.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"example.com/inq"
	"example.com/inq/examples/internal/narrator"
	"example.com/inq/examples/internal/program"
	"example.com/inq/worker"
)

const about = `webhooks delivers events to the servers of customers over HTTP.

The servers are in this program too, on a port of this machine:

    shop     answers every fourth event with 500 the first time
    crm      takes 10 events a second, and answers others with 429 and Retry-After
    billing  is out of order and answers 503
    fax      is gone for good and answers 410

A delivery that fails is tried again after a backoff with jitter, or when
Retry-After says. What fails 8 times becomes a dead letter, and what gets a 410
does so at once. Then billing is repaired, and all dead letters are sent back to
be delivered. At the end the program compares what was sent with what the
servers have taken, and fails where that does not add up. It takes some seconds.
`

const (
	concurrency = 8
	maxAttempts = 8
	timeout     = 10 * time.Second // for one request
)

func main() { program.Main(run) }

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := program.NewFlags("webhooks", stdout, about)
	events := flags.Int("events", 60, "how many events there are")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *events < 10 || *events > 150 {
		return program.Usagef("-events is %d and must be from 10 to 150", *events)
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	servers := newServers()
	server := &http.Server{Handler: servers, ReadHeaderTimeout: timeout}
	go server.Serve(listener)
	defer server.Close()
	fmt.Fprintf(stdout, "The customers' servers listen on http://%s\n", listener.Addr())
	return deliverAll(ctx, *events, servers, &http.Client{Timeout: timeout}, "http://"+listener.Addr().String(), stdout)
}

// deliverAll sends events and has them delivered, in two acts.
func deliverAll(ctx context.Context, events int, servers *servers, client *http.Client, url string, stdout io.Writer) error {
	// What is dead goes to a queue, from which it can be sent back.
	dead, err := inq.NewStandard("webhooks-dead")
	if err != nil {
		return err
	}
	defer dead.Close()
	queue, err := inq.NewStandard("webhooks", inq.WithDeadLetter(dead, 100))
	if err != nil {
		return err
	}
	defer queue.Close()
	for i := range events {
		if _, err := deliver.Send(ctx, queue, newEvent(i)); err != nil {
			return err
		}
	}

	show := narrator.New(stdout)
	sender := &sender{client: client, url: url, show: show}
	runner, err := newRunner(queue, sender)
	if err != nil {
		return err
	}
	stopped := make(chan error, 1)
	working, stop := context.WithCancel(ctx)
	defer stop()

	show.Text("%d events wait to be delivered, by %d workers.", events, concurrency)
	first, err := settle(queue, events, show)
	if err != nil {
		return err
	}
	go func() { stopped <- runner.Run(working) }()
	first.wait(working)

	var moved int
	if ctx.Err() == nil {
		died := dead.Stats().Visible
		show.Text("All are delivered, save for %d dead letters:", died)
		reasons := map[string]int{}
		for m := range dead.Messages() {
			reasons[m.DeadLetterReason]++
		}
		for _, reason := range slices.Sorted(maps.Keys(reasons)) {
			show.Line("  %d times %s", reasons[reason], reason)
		}
		servers.repair()
		show.Text("billing is repaired. The dead letters are sent back, to be tried anew.")
		second, err := settle(queue, died, show)
		if err != nil {
			return err
		}
		task, err := dead.Redrive(working, inq.RedriveInput{})
		if err != nil {
			return err
		}
		second.wait(working)
		moved = task.Moved()
	}
	stop()
	err = <-stopped
	return errors.Join(err, summarize(stdout, events, moved, queue, dead, runner, sender, servers))
}

// newRunner makes the worker that takes events from a queue and has sender deliver them.
func newRunner(queue inq.Queue, sender *sender) (*worker.Runner, error) {
	mux := worker.NewMux()
	deliver.Handle(mux, sender.post)
	return worker.New(queue, mux,
		worker.WithConcurrency(concurrency),
		worker.WithTimeout(timeout),
		worker.WithMaxAttempts(maxAttempts),
		worker.WithBackoff(worker.Exponential(50*time.Millisecond, 400*time.Millisecond)),
		worker.WithLogger(quiet), // one line for each of many retries; the summary counts them
	)
}

// summarize prints the figures, and returns an error where they do not add up.
func summarize(stdout io.Writer, events, moved int, queue, dead *inq.Standard, runner *worker.Runner, sender *sender, servers *servers) error {
	done := runner.Stats()
	left := queue.Stats().Visible + queue.Stats().NotVisible
	gone := dead.Stats().Visible
	delivered, again := servers.counts()
	requests := sender.requests.Load()

	fmt.Fprintf(stdout, "\n%d events\n", events)
	fmt.Fprintf(stdout, "  delivered     %4d  as the servers have counted, %d of them more than once\n", delivered, again)
	fmt.Fprintf(stdout, "  dead letters  %4d  after %d were sent back\n", gone, moved)
	fmt.Fprintf(stdout, "  left          %4d\n", left)
	fmt.Fprintf(stdout, "%d requests\n", requests)
	fmt.Fprintf(stdout, "  taken         %4d\n", done.Succeeded)
	fmt.Fprintf(stdout, "  failed        %4d  and tried again, of these %d when Retry-After said\n", done.Failed, sender.told.Load())
	fmt.Fprintf(stdout, "  given up on   %4d\n", done.Buried)
	switch {
	case left != 0:
		return fmt.Errorf("stopped before the end, with %d events left", left)
	case delivered+gone != events, uint64(delivered) != done.Succeeded,
		requests != done.Succeeded+done.Failed+done.Buried:
		return errors.New("the figures do not add up")
	}
	return nil
}

// A countdown tells when so many messages have left a queue.
type countdown struct {
	total, left int
	show        *narrator.Narrator
	zero        chan struct{}
}

// settle has the queue count down from now on.
func settle(queue *inq.Standard, n int, show *narrator.Narrator) (*countdown, error) {
	c := &countdown{total: n, left: n, show: show, zero: make(chan struct{})}
	if n == 0 {
		close(c.zero)
	}
	return c, queue.Configure(inq.WithObserver(c.observe))
}

// observe counts what is delivered or given up on. A queue calls its observer from one goroutine at a time.
func (c *countdown) observe(events []inq.Event) {
	for _, e := range events {
		if c.left == 0 || e.Kind != inq.EventDeleted && e.Kind != inq.EventDeadLettered {
			continue
		}
		c.left--
		if done := c.total - c.left; done*5/c.total != (done-1)*5/c.total {
			c.show.Line("%d of %d settled", done, c.total)
		}
		if c.left == 0 {
			close(c.zero)
		}
	}
}

func (c *countdown) wait(ctx context.Context) {
	select {
	case <-c.zero:
	case <-ctx.Done():
	}
}
