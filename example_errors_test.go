package inq_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/inq"
)

// What is refused matches a sentinel, and a ParamError tells the rest: enough to put a value right
// instead of giving up.
func ExampleParamError() {
	ctx := context.Background()
	q := must(inq.NewStandard("jobs"))
	defer q.Close()

	m := inq.Message{Body: "pay the rent", Delay: time.Hour}
	_, err := q.Send(ctx, m)
	fmt.Println(err)
	fmt.Println("invalid parameter:", errors.Is(err, inq.ErrInvalidParameter))

	var refused *inq.ParamError
	if errors.As(err, &refused) {
		m.Delay = refused.Max.(time.Duration)
		_, err = q.Send(ctx, m)
		fmt.Println("with a delay of", m.Delay, "the error is", err)
	}
	// Output:
	// inq: invalid parameter value: DelaySeconds (Message.Delay or delay of Return) 1h0m0s: must be from 0s to 15m0s; a limit of SQS, which WithoutSQSLimits lifts
	// invalid parameter: true
	// with a delay of 15m0s the error is <nil>
}

// A batch can fail in part. The error says which entries; the others are in the queue, and to send
// them again would double them.
func ExampleBatchError() {
	ctx := context.Background()
	q := must(inq.NewStandard("jobs"))
	defer q.Close()

	batch := []inq.Message{{Body: "one"}, {Body: ""}, {Body: "three"}, {Body: "bell \a"}}
	_, err := q.SendBatch(ctx, batch)

	var partly *inq.BatchError
	if errors.As(err, &partly) {
		for _, f := range partly.Failed {
			fmt.Printf("entry %d %q: missing %v, bad contents %v\n", f.Index, batch[f.Index].Body,
				errors.Is(f.Err, inq.ErrMissingParameter), errors.Is(f.Err, inq.ErrInvalidMessageContents))
		}
	}
	fmt.Println("in the queue:", bodies(must(q.Receive(ctx, inq.ReceiveInput{Max: 10}))))
	// Output:
	// entry 1 "": missing true, bad contents false
	// entry 3 "bell \a": missing false, bad contents true
	// in the queue: [one three]
}

// A queue with a capacity tells producers when the consumers do not keep up. What to do is theirs:
// here a web server would answer "try again later" instead of running out of memory.
func ExampleWithCapacity() {
	ctx := context.Background()
	q := must(inq.NewStandard("uploads", inq.WithCapacity(2, 0)))
	defer q.Close()

	for i := range 3 {
		_, err := q.Send(ctx, inq.Message{Body: fmt.Sprint("upload ", i)})
		fmt.Println("upload", i, "full:", errors.Is(err, inq.ErrFull))
	}

	d := must(q.Receive(ctx, inq.ReceiveInput{}))[0] // still in the queue, and counts
	check(d.Delete(ctx))                             // now there is room
	_, err := q.Send(ctx, inq.Message{Body: "upload 2"})
	fmt.Println("upload 2 again:", err)
	// Output:
	// upload 0 full: false
	// upload 1 full: false
	// upload 2 full: true
	// upload 2 again: <nil>
}

// Send never waits for room, so a producer that wants to does it itself. Here the observer, who sees
// everything that makes room, tells it when to try again. A worker must not wait like this for room
// in the queue whose message it holds: that message may be what fills it.
func ExampleWithCapacity_waitForRoom() {
	ctx := context.Background()
	room := make(chan struct{}, 1)
	q := must(inq.NewStandard("uploads", inq.WithCapacity(2, 0), inq.WithObserver(func(events []inq.Event) {
		for _, e := range events {
			switch e.Kind {
			case inq.EventDeleted, inq.EventDeadLettered, inq.EventExpired, inq.EventMovedOut, inq.EventPurged, inq.EventClosed:
				select {
				case room <- struct{}{}:
				default: // the producer will look anyway
				}
			}
		}
	})))
	defer q.Close()

	sendWhenThereIsRoom := func(m inq.Message) error {
		for {
			_, err := q.Send(ctx, m)
			if !errors.Is(err, inq.ErrFull) {
				return err
			}
			select {
			case <-room:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	go func() { // with several producers, each would need a channel, or a timer, of its own
		for i := range 5 {
			check(sendWhenThereIsRoom(inq.Message{Body: fmt.Sprint("upload ", i)}))
		}
	}()

	left := 5
	for d, err := range inq.Deliveries(ctx, q, inq.ReceiveInput{}) {
		check(err)
		fmt.Println(d.Body)
		check(d.Delete(ctx))
		if left--; left == 0 {
			break
		}
	}
	// Output:
	// upload 0
	// upload 1
	// upload 2
	// upload 3
	// upload 4
}

// The limits of SQS hold, so that what runs here runs there. A program that will never run there
// can do without them.
func ExampleWithoutSQSLimits() {
	ctx := context.Background()
	book := inq.Message{Body: strings.Repeat("a long story ", 100_000)}

	usual := must(inq.NewStandard("books"))
	defer usual.Close()
	_, err := usual.Send(ctx, book)
	fmt.Println("with limits:", errors.Is(err, inq.ErrInvalidParameter))

	free := must(inq.NewStandard("books", inq.WithoutSQSLimits(), inq.WithMaxMessageSize(16<<20)))
	defer free.Close()
	_, err = free.SendBatch(ctx, slices.Repeat([]inq.Message{book}, 20))
	fmt.Println("without:", err, must(free.Counts(ctx)).Visible)
	fmt.Println("kept for ever:", free.Config().Retention == inq.Forever)
	// Output:
	// with limits: true
	// without: <nil> 20
	// kept for ever: true
}
