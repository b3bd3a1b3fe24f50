// Orders handles the orders of several customers through a FIFO queue. Each customer is a message group: orders of one
// customer are handled in order, orders of different customers at the same time. One consumer crashes
// in the middle of an order, and one order is sent twice; the program checks that neither does harm.
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

const about = `orders shows what a FIFO queue guarantees.

Three customers send orders. Each customer is a message group, so the orders of
one customer are handled strictly one after the other, while those of different
customers are handled at the same time. In the middle a consumer crashes
with an order in its hands, and a producer sends an order twice. At the end the
program checks that no order is missing or there twice and that each customer's
are in order, and fails if not. It takes a few seconds.
`

const (
	// visibility is how long a received order is hidden and its customer's later orders wait. A crashed consumer is
	// noticed when it is over.
	visibility = 1500 * time.Millisecond
	// handling is how long a consumer works on one order.
	handling = 100 * time.Millisecond
)

var customers = []string{"ann", "bob", "cem"}

// The consumer that gets this order first crashes with it.
const (
	crashCustomer = "bob"
	crashNumber   = 3
)

func main() { program.Main(run) }

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := program.NewFlags("orders", stdout, about)
	consumers := flags.Int("consumers", 4, "how many consumers there are; one of them crashes")
	orders := flags.Int("orders", 5, "how many orders each customer sends")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case *consumers < 2 || *consumers > 100:
		return program.Usagef("-consumers is %d and must be from 2 to 100", *consumers)
	case *orders < crashNumber || *orders > 100:
		return program.Usagef("-orders is %d and must be from %d to 100", *orders, crashNumber)
	}

	queue, err := inq.NewFIFO("orders.fifo", inq.WithVisibilityTimeout(visibility))
	if err != nil {
		return err
	}
	defer queue.Close()
	show := newNarrator(stdout)
	if err := produce(ctx, queue, *orders, show); err != nil {
		return err
	}

	show.Text("%d consumers start. Watch %s: nobody gets his next order while one of his orders is in somebody's hands.", *consumers, crashCustomer)
	var (
		book             = ledger{want: *orders * len(customers)}
		all              sync.WaitGroup
		working, allDone = context.WithCancel(ctx)
		failed           = make([]error, *consumers)
	)
	defer allDone()
	for i := range *consumers {
		c := consumer{name: fmt.Sprintf("consumer %d", i+1), queue: queue, book: &book, allDone: allDone, show: show}
		all.Go(func() { failed[i] = c.run(working) })
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if ctx.Err() != nil {
		left, _ := queue.Counts(context.WithoutCancel(ctx))
		return fmt.Errorf("stopped before the end, with %d orders left", left.Visible+left.NotVisible)
	}
	if err := book.check(*orders); err != nil {
		return fmt.Errorf("the queue broke its promise: %w", err)
	}
	show.Text("Checked: %d orders are in the book, none is missing, none is there twice, and each customer's are in order.", book.want)
	return nil
}

// produce sends all orders, and one of them twice.
func produce(ctx context.Context, queue inq.Queue, orders int, show *narrator) error {
	for number := 1; number <= orders; number++ {
		for _, customer := range customers {
			if _, err := queue.Send(ctx, message(customer, number)); err != nil {
				return err
			}
		}
	}
	show.Text("%d customers have sent %d orders each: %d messages in %d groups.", len(customers), orders, orders*len(customers), len(customers))

	// A producer whose connection broke does not know whether its order arrived, so it sends it again. The
	// deduplication id tells the queue that it is the same order; it is remembered for five minutes.
	again, err := queue.Send(ctx, message(customers[0], 2))
	if err != nil {
		return err
	}
	if !again.Duplicate() {
		return errors.New("the queue broke its promise: it took an order twice")
	}
	show.Text("%s's order 2 is sent once more, to be sure. The queue knows its deduplication id and adds nothing.", customers[0])
	return nil
}

func message(customer string, number int) inq.Message {
	return inq.Message{
		Body:            fmt.Sprint(number),
		GroupID:         customer,
		DeduplicationID: fmt.Sprintf("%s-%d", customer, number),
	}
}

// A consumer receives orders, handles them and deletes them.
type consumer struct {
	name    string
	queue   inq.Queue
	book    *ledger
	allDone func()
	show    *narrator
}

// run handles orders until ctx ends, or until it crashes.
func (c *consumer) run(ctx context.Context) error {
	for d, err := range inq.Deliveries(ctx, c.queue, inq.ReceiveInput{}) {
		if ctx.Err() != nil {
			return nil // an order received in that instant comes back by its timeout
		}
		if err != nil {
			return err
		}
		o, err := orderOf(&d)
		if err != nil {
			return err
		}
		if o == (order{crashCustomer, crashNumber}) && d.ReceiveCount == 1 {
			c.show.line(c.name, o, "crashes in the middle, without deleting it")
			c.show.Text("Nobody told the queue. It hides the order until its visibility timeout of %v is over, and keeps %s's later orders back.", visibility, o.customer)
			return nil
		}
		if d.ReceiveCount > 1 {
			c.show.Text("The timeout is over. %s's order is delivered once more, still before his later ones.", o.customer)
		}
		c.handle(&d, o)
	}
	return nil
}

func (c *consumer) handle(d *inq.Delivery, o order) {
	time.Sleep(handling) // what a real consumer does here takes time as well

	// The book is written before the message is deleted. The other way round, a crash in between would lose the order.
	c.book.write(o)
	c.show.line(c.name, o, fmt.Sprintf("done, received %d×", d.ReceiveCount))
	// Ctrl-C must not keep a finished order from being deleted.
	if err := d.Delete(context.Background()); err != nil {
		c.show.line(c.name, o, err.Error())
		return
	}
	if c.book.complete() {
		c.allDone()
	}
}
