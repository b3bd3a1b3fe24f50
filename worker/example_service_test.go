package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"example.com/inq"
	"example.com/inq/worker"
)

type Parcel struct{ Customer, Street string }

var deliver = worker.NewKind[Parcel]("parcel.deliver")
var daily = worker.NewKind[time.Time]("report.daily")
var errNoSuchStreet = errors.New("no such street")

// serve delivers parcels until ctx ends, those of a customer in order, and writes a report a day.
func serve(ctx context.Context, q inq.Queue, drive func(ctx context.Context, street string) error) error {
	mux := worker.NewMux()
	deliver.Handle(mux, func(ctx context.Context, j worker.Job[Parcel]) error {
		err := drive(ctx, j.Args.Street)
		if errors.Is(err, errNoSuchStreet) {
			return worker.Bury(err) // no retry will help
		}
		return err
	})
	daily.Handle(mux, func(ctx context.Context, j worker.Job[time.Time]) error {
		fmt.Println("report of", j.Args.Format(time.DateOnly))
		return nil
	})
	r, err := worker.New(q, mux,
		worker.WithTimeout(time.Hour), // leases are extended for as long as a van drives
		worker.WithBackoff(worker.Exponential(time.Second, 5*time.Minute)),
		worker.WithMaxAttempts(5),
		worker.WithGrace(5*time.Second), // and 5 more for those that it cuts off: a stop within 10
	)
	if err != nil {
		return err
	}
	go worker.Every(daily, worker.Interval(24*time.Hour), time.Time.UTC).Run(ctx, q)
	return r.Run(ctx)
}

// A delivery service. With a queue of module inqaws it runs on Amazon SQS.
func Example_deliveryService() {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute) // by a signal, in a program
	q, err := inq.NewFIFO("parcels.fifo", inq.WithDeadLetter(inq.DeadLetterLog(nil, 0), 10))
	for i, street := range []string{"Oak Street", "Elm Street", "Ash Street"} {
		_, failure := deliver.Send(ctx, q, Parcel{"ann", street}, worker.Group("ann"), worker.Dedup(fmt.Sprint(i)))
		err = errors.Join(err, failure)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(serve(ctx, q, func(_ context.Context, street string) error {
		fmt.Println("driving to", street)
		if street == "Ash Street" {
			stop()
		}
		return nil
	}))
	// Output:
	// driving to Oak Street
	// driving to Elm Street
	// driving to Ash Street
	// <nil>
}
