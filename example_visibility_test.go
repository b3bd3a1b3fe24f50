package inq_test

import (
	"context"
	"fmt"
	"time"

	"example.com/inq"
)

// A worker that dies deletes nothing. Its message comes back when the visibility timeout is over,
// and says that it was tried before.
func ExampleWithVisibilityTimeout() {
	virtually(func(ctx context.Context) {
		q := must(inq.NewStandard("jobs", inq.WithVisibilityTimeout(30*time.Second)))
		defer q.Close()
		must(q.Send(ctx, inq.Message{Body: "resize cat.png"}))

		start := time.Now()
		must(q.Receive(ctx, inq.ReceiveInput{})) // a worker takes it, and dies
		fmt.Println("meanwhile:", bodies(must(q.Receive(ctx, inq.ReceiveInput{}))))

		for d, err := range inq.Deliveries(ctx, q, inq.ReceiveInput{}) {
			check(err)
			fmt.Printf("after %v: %s, receive number %d\n", time.Since(start), d.Body, d.ReceiveCount)
			break
		}
	})
	// Output:
	// meanwhile: []
	// after 30s: resize cat.png, receive number 2
}

// A heartbeat: a short timeout brings the message of a dead worker back soon, and a worker that
// lives extends it in time.
func ExampleDelivery_ChangeVisibility() {
	virtually(func(ctx context.Context) {
		q := must(inq.NewStandard("videos", inq.WithVisibilityTimeout(30*time.Second)))
		defer q.Close()
		must(q.Send(ctx, inq.Message{Body: "cut cats.mp4"}))
		d := must(q.Receive(ctx, inq.ReceiveInput{}))[0]

		done := time.After(70 * time.Second)
		heartbeat := time.NewTicker(20 * time.Second)
		defer heartbeat.Stop()
		for working := true; working; {
			select {
			case <-heartbeat.C:
				check(d.ChangeVisibility(ctx, 30*time.Second)) // from now, not in addition
				fmt.Println("still at it, nobody else sees it:", must(q.Counts(ctx)).Visible == 0)
			case <-done:
				working = false
			}
		}
		check(d.Delete(ctx))
		fmt.Println("done, receives in all:", q.Stats().Received)
	})
	// Output:
	// still at it, nobody else sees it: true
	// still at it, nobody else sees it: true
	// still at it, nobody else sees it: true
	// done, receives in all: 1
}

// A worker that must stop returns what it cannot do any more. That is better than letting it time
// out: another one has it at once, in its old place, and the attempt does not count.
func ExampleDelivery_Return() {
	ctx := context.Background()
	q := must(inq.NewStandard("jobs"))
	defer q.Close()
	must(q.Send(ctx, inq.Message{Body: "first"}))
	must(q.Send(ctx, inq.Message{Body: "second"}))

	d := must(q.Receive(ctx, inq.ReceiveInput{}))[0]
	check(d.Return(ctx, 0))

	for _, d := range must(q.Receive(ctx, inq.ReceiveInput{Max: 10})) {
		fmt.Println(d.Body, d.ReceiveCount)
	}
	// Output:
	// first 1
	// second 1
}

// A message can wait before it is seen for the first time: for as long as the queue says, or as
// long as it says itself. As 0 stands for the queue's own delay, a message that must not wait at
// all says Zero.
func ExampleMessage_delay() {
	virtually(func(ctx context.Context) {
		q := must(inq.NewStandard("reminders", inq.WithDelay(time.Minute)))
		defer q.Close()
		must(q.Send(ctx, inq.Message{Body: "no delay of its own"}))
		must(q.Send(ctx, inq.Message{Body: "in a quarter of an hour", Delay: 15 * time.Minute}))
		must(q.Send(ctx, inq.Message{Body: "now", Delay: inq.Zero}))

		start := time.Now()
		for d, err := range inq.Deliveries(ctx, q, inq.ReceiveInput{}) {
			check(err)
			fmt.Println(time.Since(start), d.Body)
			check(d.Delete(ctx))
			if must(q.Counts(ctx)) == (inq.Counts{}) {
				break
			}
		}
	})
	// Output:
	// 0s now
	// 1m0s no delay of its own
	// 15m0s in a quarter of an hour
}

// A long poll waits for a message and returns the moment it is there. A short poll answers at once.
// Wait for as long as you can: that costs nothing, and asking again and again does.
func ExampleStandard_Receive_longPoll() {
	virtually(func(ctx context.Context) {
		q := must(inq.NewStandard("jobs"))
		defer q.Close()
		time.AfterFunc(7*time.Second, func() { must(q.Send(ctx, inq.Message{Body: "at last"})) })

		for _, wait := range []time.Duration{inq.Zero, 5 * time.Second, 20 * time.Second} {
			start := time.Now()
			ds := must(q.Receive(ctx, inq.ReceiveInput{Wait: wait}))
			fmt.Println(bodies(ds), "after", time.Since(start))
		}
	})
	// Output:
	// [] after 0s
	// [] after 5s
	// [at last] after 2s
}

// What nobody takes in time goes. Here a price that is older than a minute helps nobody.
func ExampleWithRetention() {
	virtually(func(ctx context.Context) {
		q := must(inq.NewStandard("prices", inq.WithRetention(time.Minute)))
		defer q.Close()
		must(q.Send(ctx, inq.Message{Body: "12:00:00 1.07"}))
		time.Sleep(45 * time.Second)
		must(q.Send(ctx, inq.Message{Body: "12:00:45 1.08"}))
		time.Sleep(15 * time.Second)

		fmt.Println(bodies(must(q.Receive(ctx, inq.ReceiveInput{Max: 10}))))
		fmt.Println("expired:", q.Stats().Expired)
	})
	// Output:
	// [12:00:45 1.08]
	// expired: 1
}
