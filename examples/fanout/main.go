// Fanout publishes orders to a topic once each, and three departments get what concerns them: billing every order,
// fraud the expensive ones by a filter policy, shipping every order, of which it cannot handle one, which ends up among
// its dead letters. The program shows who gets what and why, and checks that the numbers add up.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"example.com/inq"
	"example.com/inq/examples/internal/program"
	"example.com/inq/topic"
)

const about = `fanout shows how one message becomes work for several subscribers.

A shop publishes its orders to a topic. It does not know who listens:

  billing   a queue that gets every order
  fraud     a queue with a filter policy: it gets orders of 500 and more
  shipping  a function that is called with every order. It has no way to
            Atlantis; the topic tries twice more, a second apart, and then puts
            the order into shipping's dead-letter queue

At the end the program prints who got what, and fails unless every copy of
every order is where it belongs. It takes a few seconds.
`

const (
	// expensive is what fraud wants to see, from this amount on.
	expensive = 500
	// unreachable is the destination that shipping fails for.
	unreachable = "Atlantis"
	// pause is between two orders, so that one can watch.
	pause = 200 * time.Millisecond
)

// retries is how often shipping is tried again: two retries, a second apart.
const retries = `{"healthyRetryPolicy": {"numRetries": 2, "minDelayTarget": 1, "maxDelayTarget": 1}}`

// An order is what the shop publishes.
type order struct {
	Number int    `json:"number"`
	Amount int    `json:"amount"`
	To     string `json:"to"`
}

var (
	amounts      = []int{20, 750, 480, 1200, 75}
	destinations = []string{"Lisbon", "Oslo", unreachable, "Vienna"}
)

// orderOf makes up an order. The third is the first one that shipping fails for.
func orderOf(number int) order {
	return order{number, amounts[(number-1)%len(amounts)], destinations[(number-1)%len(destinations)]}
}

func main() { program.Main(run) }

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := program.NewFlags("fanout", stdout, about)
	n := flags.Int("orders", 6, "how many orders are published")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *n < 3 || *n > 100 {
		return program.Usagef("-orders is %d and must be from 3 to 100", *n)
	}
	s, err := open(newNarrator(stdout))
	if err != nil {
		return err
	}
	defer s.broker.Close()
	defer s.account.Close()

	s.show.text("Three subscribers: billing takes everything, fraud what costs %d and more, shipping everything.", expensive)
	published := 0
	for ; published < *n && ctx.Err() == nil; published++ {
		if err := s.publish(ctx, orderOf(published+1)); err != nil {
			return stopped(ctx, err, published)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	s.show.text("All is published. What shipping failed for is still tried again; Shutdown waits for that.")
	if err := s.account.Shutdown(ctx); err != nil {
		return stopped(ctx, err, published)
	}
	if ctx.Err() != nil {
		return stopped(ctx, ctx.Err(), published)
	}

	// The queues keep their copies until somebody has the time to work on them.
	if err := s.work(); err != nil {
		return err
	}
	s.book.print(stdout, published)
	return s.check(published)
}

// stopped is the error of a program that Ctrl-C has ended. Whatever was accepted is in a queue by then.
func stopped(ctx context.Context, err error, published int) error {
	if ctx.Err() != nil {
		return fmt.Errorf("stopped before the end, after %d orders", published)
	}
	return err
}

// A shop is the topic with its subscribers.
type shop struct {
	broker  *inq.Broker
	account *topic.Account
	orders  *topic.Topic
	queues  map[string]*inq.Standard
	subs    map[string]*topic.Subscription
	show    *narrator
	book    *book
}

// open makes a queue for each department that has one, and subscribes all three to the topic.
func open(show *narrator) (*shop, error) {
	broker, err := inq.NewBroker()
	if err != nil {
		return nil, err
	}
	account, err := topic.NewAccount(topic.WithBroker(broker))
	if err != nil {
		return nil, err
	}
	s := &shop{broker: broker, account: account, queues: map[string]*inq.Standard{}, subs: map[string]*topic.Subscription{}, show: show, book: newBook()}
	for _, name := range []string{"billing", "fraud", "shipping-dead-letters"} {
		if s.queues[name], err = broker.CreateStandard(name); err != nil {
			return nil, err
		}
	}
	if s.orders, err = account.CreateStandard("orders"); err != nil {
		return nil, err
	}
	for _, d := range []struct {
		name   string
		target topic.Target
		opts   []topic.SubscribeOption
	}{
		{"billing", topic.Queue(s.queues["billing"]), nil},
		// The filter policy looks at the attributes of a message, not at its body: nobody has to open the envelope to
		// know that a copy is not wanted.
		{"fraud", topic.Queue(s.queues["fraud"]), []topic.SubscribeOption{
			topic.WithFilter(fmt.Sprintf(`{"amount": [{"numeric": [">=", %d]}]}`, expensive))}},
		{"shipping", topic.Func(s.ship), []topic.SubscribeOption{
			topic.WithDeliveryPolicy(retries), topic.WithDeadLetter(s.queues["shipping-dead-letters"])}},
	} {
		// Raw delivery: the message itself. Without it each copy is an envelope that tells the topic, the time and more.
		if s.subs[d.name], err = s.orders.Subscribe(d.target, append(d.opts, topic.WithRawDelivery())...); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// publish publishes an order once, whoever listens.
func (s *shop) publish(ctx context.Context, o order) error {
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	s.show.order(o, "published")
	_, err = s.orders.Publish(ctx, topic.Message{
		Body:       string(body),
		Attributes: map[string]inq.Attribute{"amount": inq.Number(strconv.Itoa(o.Amount))},
	})
	return err
}

// ship is shipping: it is called with each order, and again if it fails.
func (s *shop) ship(_ context.Context, n *topic.Notification) error {
	o, err := parse(n.Message)
	if err != nil {
		return err
	}
	if o.To == unreachable {
		s.show.order(o, fmt.Sprintf("shipping fails, attempt %d", n.Attempt))
		return errors.New("no way to " + o.To)
	}
	s.book.write(o, "shipping", "shipped")
	return nil
}

// work empties the queues, and writes down what was in them.
func (s *shop) work() error {
	for _, in := range []struct{ queue, department, what string }{
		{"billing", "billing", "billed"},
		{"fraud", "fraud", "looked at"},
		{"shipping-dead-letters", "shipping", "dead letter"},
	} {
		for {
			ds, err := s.queues[in.queue].Receive(context.Background(), inq.ReceiveInput{Max: 10})
			if err != nil {
				return err
			}
			if len(ds) == 0 {
				break
			}
			for _, d := range ds {
				o, err := parse(d.Body)
				if err != nil {
					return err
				}
				s.book.write(o, in.department, in.what)
				if err := d.Delete(context.Background()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func parse(body string) (o order, err error) {
	err = json.Unmarshal([]byte(body), &o)
	return o, err
}

// check compares what the departments have written down with what the topic says, and with what was to be expected.
func (s *shop) check(published int) error {
	if err := s.book.check(published); err != nil {
		return fmt.Errorf("the topic broke its promise: %w", err)
	}
	for _, name := range departments {
		stats := s.subs[name].Stats()
		if sum := stats.Delivered + stats.DeadLettered + stats.Filtered; sum != uint64(published) || stats.Failed+uint64(stats.Waiting) != 0 {
			return fmt.Errorf("the topic broke its promise: of %d orders for %s it knows of %+v", published, name, stats)
		}
		s.show.text("%-8s  %2d delivered + %d filtered out + %d dead-lettered = %d orders", name, stats.Delivered, stats.Filtered, stats.DeadLettered, published)
	}
	s.show.text("Checked: every order is where it belongs, once in each place.")
	return nil
}
