package inq_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"example.com/inq"
)

// A received message is still in the queue, out of sight. Only a delete ends it.
func ExampleNewStandard() {
	ctx := context.Background()
	q := must(inq.NewStandard("jobs"))
	defer q.Close()

	must(q.Send(ctx, inq.Message{Body: "resize cat.png"}))
	fmt.Printf("sent:     %+v\n", must(q.Counts(ctx)))

	ds := must(q.Receive(ctx, inq.ReceiveInput{}))
	fmt.Printf("received: %+v\n", must(q.Counts(ctx)))

	check(ds[0].Delete(ctx))
	fmt.Printf("deleted:  %+v\n", must(q.Counts(ctx)))
	// Output:
	// sent:     {Visible:1 NotVisible:0 Delayed:0}
	// received: {Visible:0 NotVisible:1 Delayed:0}
	// deleted:  {Visible:0 NotVisible:0 Delayed:0}
}

// Attributes travel beside the body, so that a consumer can decide without parsing it.
func ExampleMessage_attributes() {
	ctx := context.Background()
	q := must(inq.NewStandard("pictures"))
	defer q.Close()

	must(q.Send(ctx, inq.Message{Body: "cat.png", Attributes: map[string]inq.Attribute{
		"format":   inq.String("png"),
		"width":    inq.Number("640"),
		"checksum": inq.Binary([]byte{0xca, 0x7}),
		"price":    {Type: "Number.EUR", Value: "0.10"}, // a label of your own behind the dot
	}}))

	ds := must(q.Receive(ctx, inq.ReceiveInput{}))
	attributes := ds[0].Attributes()
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		fmt.Printf("%s is a %s: %s%x\n", name, a.Type, a.Value, a.Binary)
	}
	// Output:
	// checksum is a Binary: ca07
	// format is a String: png
	// price is a Number.EUR: 0.10
	// width is a Number: 640
}

// Purge empties a queue, whatever state its messages are in.
func ExampleStandard_Purge() {
	ctx := context.Background()
	q := must(inq.NewStandard("jobs"))
	defer q.Close()

	must(q.Send(ctx, inq.Message{Body: "ready"}))
	must(q.Receive(ctx, inq.ReceiveInput{})) // now it is in flight
	must(q.Send(ctx, inq.Message{Body: "for later", Delay: time.Minute}))
	must(q.Send(ctx, inq.Message{Body: "ready"}))
	fmt.Printf("before: %+v\n", must(q.Counts(ctx)))

	check(q.Purge(ctx))
	fmt.Printf("after:  %+v\n", must(q.Counts(ctx)))
	// Output:
	// before: {Visible:1 NotVisible:1 Delayed:1}
	// after:  {Visible:0 NotVisible:0 Delayed:0}
}

// ReceiveInto and DeleteAll are for hot loops: one slice for all receives, no receipt handles made,
// and more than 10 deletes in a call.
func ExampleStandard_ReceiveInto() {
	ctx := context.Background()
	q := must(inq.NewStandard("clicks"))
	defer q.Close()
	for i := range 25 {
		must(q.Send(ctx, inq.Message{Body: fmt.Sprint("click ", i)}))
	}

	buffer := make([]inq.Delivery, 10)
	for {
		n := must(q.ReceiveInto(ctx, buffer, inq.ReceiveInput{Max: len(buffer)}))
		if n == 0 {
			break
		}
		check(q.DeleteAll(ctx, buffer[:n]))
		fmt.Println("done with", n)
	}
	// Output:
	// done with 10
	// done with 10
	// done with 5
}

// Messages live as long as the process. To have them survive it, save what is there when it ends,
// and send that at the next start.
func ExampleStandard_Messages() {
	ctx := context.Background()
	before := must(inq.NewStandard("jobs"))
	must(before.Send(ctx, inq.Message{Body: "resize cat.png", Attributes: map[string]inq.Attribute{"width": inq.Number("640")}}))
	must(before.Send(ctx, inq.Message{Body: "resize dog.png"}))
	must(before.Receive(ctx, inq.ReceiveInput{}))

	var saved []inq.Message // encode these as you like
	for s := range before.Messages() {
		fmt.Println(s.Body, "is", s.State)
		saved = append(saved, s.Message())
	}
	check(before.Close())

	after := must(inq.NewStandard("jobs"))
	defer after.Close()
	for _, m := range saved {
		must(after.Send(ctx, m))
	}
	fmt.Println("again there:", must(after.Counts(ctx)).Visible)
	// Output:
	// resize cat.png is not visible
	// resize dog.png is visible
	// again there: 2
}

// A loop over Deliveries is a worker: it waits by long polls and never ends by itself.
func ExampleDeliveries() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	q := must(inq.NewStandard("jobs"))
	defer q.Close()
	for _, body := range []string{"resize cat.png", "resize dog.png", "last one"} {
		must(q.Send(ctx, inq.Message{Body: body}))
	}

	for d, err := range inq.Deliveries(ctx, q, inq.ReceiveInput{Max: 10}) {
		if err != nil {
			fmt.Println("stopped:", err)
			break
		}
		fmt.Println(d.Body)
		check(d.Delete(ctx))
		if d.Body == "last one" {
			stop() // in a service, a signal does this
		}
	}
	// Output:
	// resize cat.png
	// resize dog.png
	// last one
	// stopped: context canceled
}
