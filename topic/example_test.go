package topic_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"example.com/inq"
	"example.com/inq/topic"
)

// One message reaches two queues. Each has a copy of its own.
func Example() {
	ctx := context.Background()
	broker, err := inq.NewBroker()
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()
	account, err := topic.NewAccount(topic.WithBroker(broker))
	if err != nil {
		log.Fatal(err)
	}
	defer account.Close()
	orders, err := account.CreateStandard("orders")
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"billing", "shipping"} {
		q, err := broker.CreateStandard(name)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := orders.Subscribe(topic.Queue(q), topic.WithRawDelivery()); err != nil {
			log.Fatal(err)
		}
	}
	if _, err := orders.Publish(ctx, topic.Message{Body: "order 17"}); err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"billing", "shipping"} {
		q, _ := broker.Queue(name)
		ds, err := q.Receive(ctx, inq.ReceiveInput{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, "got", ds[0].Body)
	}
	// Output:
	// billing got order 17
	// shipping got order 17
}

// A filter policy looks at the attributes of a message, or at its body.
func ExampleWithFilter() {
	ctx := context.Background()
	account, err := topic.NewAccount()
	if err != nil {
		log.Fatal(err)
	}
	orders, err := account.CreateStandard("orders")
	if err != nil {
		log.Fatal(err)
	}
	q, err := inq.NewStandard("large")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	_, err = orders.Subscribe(topic.Queue(q), topic.WithRawDelivery(),
		topic.WithFilter(`{"event": ["placed", {"prefix": "paid"}], "amount": [{"numeric": [">=", 100]}]}`))
	if err != nil {
		log.Fatal(err)
	}
	for _, order := range []struct{ event, amount string }{{"placed", "20"}, {"placed", "250"}, {"sent", "250"}, {"paid-by-card", "100"}} {
		_, err := orders.Publish(ctx, topic.Message{Body: order.event + " " + order.amount, Attributes: map[string]inq.Attribute{
			"event": inq.String(order.event), "amount": inq.Number(order.amount)}})
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := account.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	ds, err := q.Receive(ctx, inq.ReceiveInput{Max: 10})
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range ds {
		fmt.Println(d.Body)
	}
	// Output:
	// placed 250
	// paid-by-card 100
}

// A function can be a subscriber. What it fails at is tried again and goes to the dead letters in the
// end.
func ExampleFunc() {
	ctx := context.Background()
	account, err := topic.NewAccount()
	if err != nil {
		log.Fatal(err)
	}
	orders, err := account.CreateStandard("orders")
	if err != nil {
		log.Fatal(err)
	}
	dead, err := inq.NewStandard("dead")
	if err != nil {
		log.Fatal(err)
	}
	defer dead.Close()
	s, err := orders.Subscribe(topic.Func(func(ctx context.Context, n *topic.Notification) error {
		if n.Message == "order 13" {
			return fmt.Errorf("%w: unlucky", topic.ErrRejected) // without ErrRejected it would be tried again
		}
		return nil
	}), topic.WithDeadLetter(dead), topic.WithRawDelivery())
	if err != nil {
		log.Fatal(err)
	}
	for n := 12; n <= 14; n++ {
		if _, err := orders.Publish(ctx, topic.Message{Body: fmt.Sprint("order ", n)}); err != nil {
			log.Fatal(err)
		}
	}
	if err := account.Shutdown(ctx); err != nil { // waits until all is delivered
		log.Fatal(err)
	}
	stats := s.Stats()
	ds, err := dead.Receive(ctx, inq.ReceiveInput{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(stats.Delivered, "delivered,", stats.DeadLettered, "dead-lettered:", ds[0].Body)
	// Output: 2 delivered, 1 dead-lettered: order 13
}

// A FIFO topic in front of FIFO queues keeps the messages of a group in order, and takes each
// deduplication id once.
func ExampleAccount_CreateFIFO() {
	ctx := context.Background()
	account, err := topic.NewAccount()
	if err != nil {
		log.Fatal(err)
	}
	defer account.Close()
	orders, err := account.CreateFIFO("orders.fifo", topic.WithContentBasedDeduplication(true))
	if err != nil {
		log.Fatal(err)
	}
	q, err := inq.NewFIFO("ledger.fifo")
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	if _, err := orders.Subscribe(topic.Queue(q), topic.WithRawDelivery()); err != nil {
		log.Fatal(err)
	}
	for _, body := range []string{"placed", "paid", "paid", "sent"} {
		p, err := orders.Publish(ctx, topic.Message{Body: body, GroupID: "order-17"})
		if err != nil {
			log.Fatal(err)
		}
		if p.Duplicate() {
			fmt.Println(body, "was published before")
		}
	}
	ds, err := q.Receive(ctx, inq.ReceiveInput{Max: 10})
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range ds {
		fmt.Println(d.Body)
	}
	// Output:
	// paid was published before
	// placed
	// paid
	// sent
}

// An HTTP endpoint confirms its subscription by the link it is sent, and then gets messages.
func ExampleURL() {
	ctx := context.Background()
	account, err := topic.NewAccount()
	if err != nil {
		log.Fatal(err)
	}
	links := httptest.NewServer(account.Links()) // where the links in envelopes lead
	defer links.Close()
	account.SetBaseURL(links.URL)

	confirmed := make(chan struct{})
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var envelope struct{ Type, Message, SubscribeURL string }
		if err := json.NewDecoder(r.Body).Decode(&envelope); err != nil {
			log.Fatal(err)
		}
		fmt.Println(envelope.Type)
		if envelope.Type == "Notification" {
			fmt.Println(envelope.Message)
			return
		}
		answer, err := http.Get(envelope.SubscribeURL)
		if err != nil {
			log.Fatal(err)
		}
		answer.Body.Close()
		close(confirmed)
	}))
	defer endpoint.Close()

	orders, err := account.CreateStandard("orders")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := orders.Subscribe(topic.URL(endpoint.URL)); err != nil {
		log.Fatal(err)
	}
	<-confirmed
	if _, err := orders.Publish(ctx, topic.Message{Body: "order 17"}); err != nil {
		log.Fatal(err)
	}
	if err := account.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// SubscriptionConfirmation
	// Notification
	// order 17
}

// What is refused says why, and what SNS would answer.
func ExampleParamError() {
	account, err := topic.NewAccount(topic.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	defer account.Close()
	orders, err := account.CreateStandard("orders")
	if err != nil {
		log.Fatal(err)
	}
	_, err = orders.Publish(context.Background(), topic.Message{Body: "x", Subject: "two\nlines"})
	var refusal *topic.ParamError
	if errors.As(err, &refusal) {
		fmt.Println(errors.Is(err, topic.ErrInvalidParameter))
		fmt.Println(refusal)
		fmt.Println(refusal.Text)
	}
	// Output:
	// true
	// topic: invalid parameter: Subject "two\nlines": must have at most 100 characters, none of them a line break or another control character
	// Invalid parameter: Subject
}
