package inq_test

import (
	"context"
	"fmt"
	"time"

	"example.com/inq"
)

// A group is what must stay in order, here one account. Different groups do not wait for each
// other.
func ExampleNewFIFO() {
	ctx := context.Background()
	q := must(inq.NewFIFO("bookings.fifo", inq.WithContentBasedDeduplication(true)))
	defer q.Close()

	for _, m := range []inq.Message{
		{GroupID: "ann", Body: "ann opens an account"},
		{GroupID: "ann", Body: "ann pays in 100"},
		{GroupID: "bob", Body: "bob opens an account"},
		{GroupID: "ann", Body: "ann takes out 30"},
	} {
		must(q.Send(ctx, m))
	}

	// Two workers at once never have two messages of one account.
	one := must(q.Receive(ctx, inq.ReceiveInput{}))[0]
	two := must(q.Receive(ctx, inq.ReceiveInput{}))[0]
	fmt.Println("worker one:", one.Body)
	fmt.Println("worker two:", two.Body)

	check(one.Delete(ctx)) // only now the next one of ann
	one = must(q.Receive(ctx, inq.ReceiveInput{}))[0]
	fmt.Println("worker one:", one.Body)
	// Output:
	// worker one: ann opens an account
	// worker two: bob opens an account
	// worker one: ann pays in 100
}

// A message in flight locks its group. If its worker dies, the group waits for the visibility
// timeout, and then goes on with the very same message: order is worth more than speed. Choose a
// short timeout.
func ExampleFIFO_Receive_lockedGroup() {
	virtually(func(ctx context.Context) {
		q := must(inq.NewFIFO("bookings.fifo", inq.WithVisibilityTimeout(10*time.Second)))
		defer q.Close()
		must(q.Send(ctx, inq.Message{GroupID: "ann", DeduplicationID: "1", Body: "ann pays in 100"}))
		must(q.Send(ctx, inq.Message{GroupID: "ann", DeduplicationID: "2", Body: "ann takes out 30"}))

		start := time.Now()
		must(q.Receive(ctx, inq.ReceiveInput{})) // a worker takes the first one, and dies
		for range 2 {
			ds := must(q.Receive(ctx, inq.ReceiveInput{Max: 10, Wait: 6 * time.Second}))
			fmt.Println(time.Since(start), bodies(ds))
		}
	})
	// Output:
	// 6s []
	// 10s [ann pays in 100 ann takes out 30]
}

// A producer that does not know whether its message arrived sends it again with the same id: within
// five minutes that adds nothing.
func ExampleSent_Duplicate() {
	virtually(func(ctx context.Context) {
		q := must(inq.NewFIFO("payments.fifo"))
		defer q.Close()
		payment := inq.Message{GroupID: "ann", DeduplicationID: "order-17", Body: "pay 100"}

		first := must(q.Send(ctx, payment))
		again := must(q.Send(ctx, payment))
		fmt.Println("the same message:", again.Duplicate() && again.ID() == first.ID())

		time.Sleep(5 * time.Minute)
		late := must(q.Send(ctx, payment))
		fmt.Println("after five minutes:", late.Duplicate())
		fmt.Println("in the queue:", must(q.Counts(ctx)).Visible)
	})
	// Output:
	// the same message: true
	// after five minutes: false
	// in the queue: 2
}

// Where equal bodies mean the same thing, the queue can make the id itself: it is a hash of the
// body, and of the body alone.
func ExampleWithContentBasedDeduplication() {
	ctx := context.Background()
	q := must(inq.NewFIFO("alarms.fifo", inq.WithContentBasedDeduplication(true)))
	defer q.Close()

	for _, m := range []inq.Message{
		{GroupID: "fire", Body: "room 5 burns"},
		{GroupID: "fire", Body: "room 5 burns"},
		{GroupID: "fire", Body: "room 6 burns"},
		{GroupID: "fire", Body: "room 6 burns", DeduplicationID: "really"}, // an id of its own goes first
	} {
		fmt.Println(m.Body, "duplicate:", must(q.Send(ctx, m)).Duplicate())
	}
	// Output:
	// room 5 burns duplicate: false
	// room 5 burns duplicate: true
	// room 6 burns duplicate: false
	// room 6 burns duplicate: false
}

// A consumer that lost the answer to a receive, say on a network, asks again with the same attempt
// id: it gets the same messages, and need not wait until their groups are unlocked.
func ExampleReceiveInput_attemptID() {
	ctx := context.Background()
	q := must(inq.NewFIFO("bookings.fifo"))
	defer q.Close()
	must(q.Send(ctx, inq.Message{GroupID: "ann", DeduplicationID: "1", Body: "ann pays in 100"}))

	must(q.Receive(ctx, inq.ReceiveInput{AttemptID: "attempt-1"})) // the answer is lost
	fmt.Println("another attempt:", bodies(must(q.Receive(ctx, inq.ReceiveInput{AttemptID: "attempt-2"}))))

	d := must(q.Receive(ctx, inq.ReceiveInput{AttemptID: "attempt-1"}))[0]
	fmt.Println("the same again: ", d.Body, "with count", d.ReceiveCount)
	// Output:
	// another attempt: []
	// the same again:  ann pays in 100 with count 1
}

// On a Standard queue a group names a tenant. A tenant with much in flight does not delay one with
// little: the quiet one comes first, though its message is the youngest.
func ExampleMessage_fairQueue() {
	ctx := context.Background()
	q := must(inq.NewStandard("reports"))
	defer q.Close()
	for i := range 100 {
		must(q.Send(ctx, inq.Message{GroupID: "noisy", Body: fmt.Sprint("noisy ", i)}))
	}
	for range 5 { // all workers are busy for the noisy tenant
		must(q.Receive(ctx, inq.ReceiveInput{Max: 10}))
	}
	must(q.Send(ctx, inq.Message{GroupID: "quiet", Body: "quiet 0"}))

	fmt.Println("noisy tenants:", q.Stats().NoisyGroups)
	fmt.Println(bodies(must(q.Receive(ctx, inq.ReceiveInput{Max: 3}))))
	// Output:
	// noisy tenants: 1
	// [quiet 0 noisy 50 noisy 51]
}
