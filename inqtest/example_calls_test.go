package inqtest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"example.com/inq"
	"example.com/inq/inqtest"
	"example.com/inq/topic"
	"example.com/inq/worker"
)

// A consumer that takes one message at a time, and polls without waiting, costs more requests than
// messages.
func ExampleServer_Count() {
	t := new(example)
	defer t.end()
	ctx := context.Background()
	s := inqtest.New(t)
	orders := s.Count(s.Standard("orders"))
	if _, err := orders.SendBatch(ctx, []inq.Message{{Body: "order 17"}, {Body: "order 18"}}); err != nil {
		log.Panic(err)
	}
	for range 4 {
		ds, err := orders.Receive(ctx, inq.ReceiveInput{})
		if err != nil {
			log.Panic(err)
		}
		for _, d := range ds {
			if err := d.Delete(ctx); err != nil {
				log.Panic(err)
			}
		}
	}
	fmt.Println(s.Calls())
	fmt.Println("empty receives:", s.Calls().In("orders").Of("ReceiveMessage").Empty)
	// Output:
	// queue   operation         calls  billed  refused  empty  messages  batches
	// orders  DeleteMessage     2      2       0        0      2
	// orders  ReceiveMessage    4      4       0        2      2
	// orders  SendMessageBatch  1      1       0        0      2         1×2
	// all                       7      7       0        2      6         1×2
	//
	// empty receives: 2
}

// Requests over HTTP end in the server without a socket. Module inqaws makes clients of the AWS SDK of
// it.
func ExampleServer_HTTPClient() {
	t := new(example)
	defer t.end()
	s := inqtest.New(t)
	s.Standard("orders")
	answer, err := s.HTTPClient().PostForm(s.QueueURL("orders"), map[string][]string{"Action": {"SendMessage"}, "MessageBody": {"order 17"}})
	if err != nil {
		log.Panic(err)
	}
	defer answer.Body.Close()
	fmt.Println(answer.StatusCode, s.Log().Wait(1, inqtest.Sent)[0].Body)
	// Output: 200 order 17
}

// Clients that bring their own transport get a socket.
func ExampleServer_URL() {
	t := new(example)
	defer t.end()
	s := inqtest.New(t)
	s.Standard("orders")
	answer, err := http.PostForm(s.URL(), map[string][]string{"Action": {"ReceiveMessage"}, "QueueUrl": {s.QueueURL("orders")}})
	if err != nil {
		log.Panic(err)
	}
	defer answer.Body.Close()
	fmt.Println(answer.StatusCode, s.Calls().Of("ReceiveMessage").Empty)
	http.DefaultClient.CloseIdleConnections()
	// Output: 200 1
}

// Why is it not delivered?
func ExampleServer_Story() {
	t := new(example)
	defer t.end()
	s := inqtest.New(t)
	orders := s.FIFO("orders.fifo", inq.WithContentBasedDeduplication(true))
	ctx := context.Background()
	var sent inq.Sent
	for _, body := range []string{"order 17", "order 18"} {
		var err error
		if sent, err = orders.Send(ctx, inq.Message{Body: body, GroupID: "ann"}); err != nil {
			log.Panic(err)
		}
	}
	ds, err := orders.Receive(ctx, inq.ReceiveInput{})
	if err != nil {
		log.Panic(err)
	}
	story := s.Story(sent.ID())
	_, now, _ := strings.Cut(masked(story), "now in ")
	now, _, _ = strings.Cut(now, " is in flight") // for how long is never the same
	fmt.Println(now)
	if err := ds[0].Delete(ctx); err != nil {
		log.Panic(err)
	}
	// Output: orders.fifo: The message waits for message LONGID of its group "ann", which
}

// Work shows what a runner makes of what a handler returns.
func ExampleWork() {
	t := new(example)
	defer t.end()
	s := inqtest.New(t)
	orders := s.Standard("orders", inq.WithDeadLetter(s.Standard("dead"), 3))
	for _, err := range []error{
		nil,
		worker.RetryAfter(time.Minute, errors.New("the printer is out of paper")),
		worker.Snooze(10 * time.Minute),
		worker.Bury(errors.New("there is no such product")),
	} {
		order(orders, "order 17")
		r := inqtest.Work(t, orders, worker.HandlerFunc(func(context.Context, *inq.Delivery) error { return err }))
		fmt.Println(r)
		s.Reset()
	}
	// Output:
	// succeeded
	// retried, comes again after 1m0s: the printer is out of paper
	// snoozed, comes again after 10m0s
	// buried: there is no such product
}

// The body that a queue gets from a topic, for tests of what reads it.
func ExampleSNSBody() {
	t := new(example)
	defer t.end()
	body := inqtest.SNSBody(t, "events", topic.Message{Subject: "paid", Body: "order 17"})
	for line := range strings.Lines(body) {
		if strings.Contains(line, `"Message"`) || strings.Contains(line, `"Subject"`) {
			fmt.Println(strings.TrimSpace(line))
		}
	}
	// Output:
	// "Subject" : "paid",
	// "Message" : "order 17",
}

// The message of S3 about a new object.
func ExampleS3Event() {
	body := inqtest.S3Event(inqtest.S3Object{Bucket: "photos", Key: "summer 2026/beach.jpg", Size: 2048})
	fmt.Println(strings.Contains(body, `"object":{"key":"summer+2026/beach.jpg","size":2048,`))
	// Output: true
}
