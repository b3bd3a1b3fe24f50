// Twice makes visible what at-least-once means: the same payments, charged by a handler that takes every message for a new
// one, and by one that knows which it has charged.
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
	"example.com/inq/examples/internal/narrator"
	"example.com/inq/examples/internal/program"
	"example.com/inq/worker"
)

const about = `twice shows what "at least once" means.

Payments are sent to a standard queue. Three things go wrong on the way, as they
do in real life:

    a producer does not hear the answer to its send, and sends the payment again
    a consumer charges a payment and crashes before it deletes the message
    a consumer is so slow that its message is handed to another meanwhile

No queue can keep these from happening: it cannot know whether a consumer that
went silent has done its work. The program does it all two times, with a handler
that charges whatever it receives, and with one that first looks whether it has
charged this payment before. It fails unless the second charges each exactly
once. It takes about three seconds.
`

const (
	payments   = 10
	euros      = 10                     // of each payment
	visibility = 600 * time.Millisecond // of the two consumers that go wrong
)

// payment is what a message asks for. ID is the payment's own: a payment that is sent twice is two messages, which have two
// message ids.
type payment struct {
	ID    string
	Euros int
}

var charge = worker.NewKind[payment]("payment.charge")

func main() { program.Main(run) }

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := program.NewFlags("twice", stdout, about)
	if err := flags.Parse(args); err != nil {
		return err
	}
	naive, err := act(ctx, "Without idempotency", &account{}, stdout)
	if err != nil {
		return stopped(ctx, err)
	}
	careful, err := act(ctx, "With idempotency", &account{known: map[string]bool{}}, stdout)
	if err != nil {
		return stopped(ctx, err)
	}

	fmt.Fprintf(stdout, "\n%-22s %8s %8s %8s %8s %10s\n", "", "payments", "messages", "handled", "charged", "euros")
	for _, a := range []*account{naive, careful} {
		fmt.Fprintf(stdout, "%-22s %8d %8d %8d %8d %10d\n", a.name, payments, a.messages, a.handled, a.charged, a.euros)
	}
	fmt.Fprintf(stdout, "%-22s %8d %8s %8s %8d %10d\n", "As it should be", payments, "", "", payments, payments*euros)
	if careful.charged != payments || careful.euros != payments*euros {
		return errors.New("the careful handler has not charged each payment once")
	}
	if naive.charged != payments+3 || naive.handled != naive.charged || careful.handled != naive.handled {
		return errors.New("the figures do not add up")
	}
	return nil
}

// stopped explains an error that Ctrl-C has caused.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("stopped before the end: %w", ctx.Err())
	}
	return err
}

// act plays the story with one account.
func act(ctx context.Context, name string, a *account, stdout io.Writer) (*account, error) {
	fmt.Fprintf(stdout, "\n%s\n", name)
	a.name, a.show = name, narrator.New(stdout)
	queue, err := inq.NewStandard("payments")
	if err != nil {
		return nil, err
	}
	defer queue.Close()

	// The producer. It sends one payment again, since it cannot know that the first send was heard.
	for i := range payments {
		if _, err := charge.Send(ctx, queue, newPayment(i)); err != nil {
			return nil, err
		}
	}
	a.show.Text("The answer to the send of %s got lost. It is sent again, to be sure.", newPayment(9).ID)
	if _, err := charge.Send(ctx, queue, newPayment(9)); err != nil {
		return nil, err
	}
	if err := a.crash(ctx, queue); err != nil {
		return nil, err
	}
	late := make(chan error, 1)
	go func() { late <- a.beLate(ctx, queue) }()
	time.Sleep(visibility / 6) // so that it has its message before the worker takes the rest
	err = errors.Join(a.work(ctx, queue), <-late)
	a.messages = int(queue.Stats().Sent)
	return a, err
}

func newPayment(i int) payment { return payment{ID: fmt.Sprint("payment-", i+1), Euros: euros} }

// crash is a consumer that does its work and never deletes the message.
func (a *account) crash(ctx context.Context, queue inq.Queue) error {
	d, p, err := receive(ctx, queue)
	if err != nil {
		return err
	}
	a.charge(p, d.ReceiveCount)
	a.show.Text("The consumer crashes before it deletes the message. After %v it comes again.", visibility)
	return nil
}

// beLate is a consumer that takes longer than it has asked for. A worker would extend its lease.
func (a *account) beLate(ctx context.Context, queue inq.Queue) error {
	d, p, err := receive(ctx, queue)
	if err != nil {
		return err
	}
	a.show.Text("A slow consumer receives %s and does not say that it takes longer than %v.", p.ID, visibility)
	select {
	case <-time.After(2 * visibility):
	case <-ctx.Done():
		return ctx.Err()
	}
	a.charge(p, d.ReceiveCount)
	return d.Delete(ctx) // on a standard queue an old handle deletes as well
}

// receive takes one payment.
func receive(ctx context.Context, queue inq.Queue) (d inq.Delivery, p payment, err error) {
	ds, err := queue.Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second, VisibilityTimeout: visibility})
	if err != nil {
		return d, p, err
	}
	if len(ds) == 0 {
		return d, p, errors.New("there is no payment to charge")
	}
	p, err = read(&ds[0])
	return ds[0], p, err
}

// work has a worker handle all that there is, until the queue is empty.
func (a *account) work(ctx context.Context, queue *inq.Standard) error {
	mux := worker.NewMux()
	charge.Handle(mux, func(_ context.Context, j worker.Job[payment]) error {
		a.charge(j.Args, j.Attempt())
		return nil
	})
	working, stop := context.WithCancel(ctx)
	defer stop()
	var gone atomic.Int64
	err := queue.Configure(inq.WithObserver(func(events []inq.Event) {
		for _, e := range events {
			// The late consumer deletes a message that the worker has deleted before it.
			if e.Kind == inq.EventDeleted && gone.Add(1) == payments+1 {
				stop()
			}
		}
	}))
	if err != nil {
		return err
	}
	r, err := worker.New(queue, mux, worker.WithConcurrency(1), worker.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	if err := r.Run(working); err != nil {
		return err
	}
	return ctx.Err()
}
