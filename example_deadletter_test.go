package inq_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"example.com/inq"
)

// A message that kills its workers must not do so for ever. After two receives without a delete it
// goes to another queue, where people look at it. It keeps its id and tells where it came from.
func ExampleWithDeadLetter() {
	virtually(func(ctx context.Context) {
		dead := must(inq.NewStandard("jobs-dead"))
		defer dead.Close()
		q := must(inq.NewStandard("jobs", inq.WithVisibilityTimeout(10*time.Second), inq.WithDeadLetter(dead, 2)))
		defer q.Close()
		sent := must(q.Send(ctx, inq.Message{Body: "divide by zero"}))

		for range 3 {
			fmt.Println("work on", bodies(must(q.Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second}))))
		}

		d := must(dead.Receive(ctx, inq.ReceiveInput{}))[0]
		fmt.Println("dead:", d.Body, d.ID() == sent.ID())
		fmt.Println("from:", d.DeadLetterSourceARN())
		fmt.Println("receives over all queues:", d.ReceiveCount)
	})
	// Output:
	// work on [divide by zero]
	// work on [divide by zero]
	// work on []
	// dead: divide by zero true
	// from: arn:aws:sqs:local:000000000000:jobs
	// receives over all queues: 3
}

// A dead-letter queue can have one itself: retries get rarer, and what fails everywhere ends in the
// last one.
func ExampleWithDeadLetter_chain() {
	virtually(func(ctx context.Context) {
		failed := must(inq.NewStandard("failed"))
		defer failed.Close()
		slow := must(inq.NewStandard("slow", inq.WithVisibilityTimeout(time.Hour), inq.WithDeadLetter(failed, 2)))
		defer slow.Close()
		fast := must(inq.NewStandard("fast", inq.WithVisibilityTimeout(time.Second), inq.WithDeadLetter(slow, 3)))
		defer fast.Close()

		start := time.Now()
		for _, q := range []*inq.Standard{fast, slow} {
			go func() {
				for _, err := range inq.Deliveries(ctx, q, inq.ReceiveInput{}) {
					if err != nil {
						return // the queue is closed
					}
					fmt.Println(time.Since(start), q.Name(), "try failed")
				}
			}()
		}
		must(fast.Send(ctx, inq.Message{Body: "call a server that is down"}))
		time.Sleep(3 * time.Hour)
		fmt.Println("given up:", must(failed.Counts(ctx)).Visible)
	})
	// Output:
	// 0s fast try failed
	// 1s fast try failed
	// 2s fast try failed
	// 3s slow try failed
	// 1h0m3s slow try failed
	// given up: 1
}

// A dead letter can go anywhere a function can put it. While the function fails, the message stays
// and is offered again later, so it is always in at least one place.
func ExampleDeadLetterFunc() {
	virtually(func(ctx context.Context) {
		tries := 0
		page := inq.DeadLetterFunc(func(ctx context.Context, d inq.DeadLetter) error {
			if tries++; tries == 1 {
				return errors.New("the pager is off")
			}
			fmt.Printf("wake up: %q failed in %s\n", d.Body, d.Source)
			return nil
		})
		q := must(inq.NewStandard("jobs", inq.WithDeadLetter(page, 1)))
		defer q.Close()
		must(q.Send(ctx, inq.Message{Body: "divide by zero"}))

		d := must(q.Receive(ctx, inq.ReceiveInput{}))[0]
		check(d.ChangeVisibility(ctx, 0)) // the worker gives up
		must(q.Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second}))
		fmt.Println("failures:", q.Stats().DeadLetterFailures, "taken:", q.Stats().DeadLettered)
	})
	// Output:
	// wake up: "divide by zero" failed in jobs
	// failures: 1 taken: 1
}

// A file keeps dead letters over the end of the process, one line of JSON each.
func ExampleDeadLetterFile() {
	ctx := context.Background()
	dir := must(os.MkdirTemp("", "inq"))
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "dead.jsonl")

	file := must(inq.NewDeadLetterFile(path))
	q := must(inq.NewStandard("jobs", inq.WithDeadLetter(file, 5)))
	for _, body := range []string{"divide by zero", "read a torn page"} {
		must(q.Send(ctx, inq.Message{Body: body}))
		d := must(q.Receive(ctx, inq.ReceiveInput{}))[0]
		check(d.Bury(ctx, "no retry helps"))
	}
	check(q.Close())
	check(file.Close())

	// The lines come back as what they were.
	for line := range bytes.Lines(must(os.ReadFile(path))) {
		var d inq.DeadLetter
		check(json.Unmarshal(line, &d))
		fmt.Printf("%s: %s (%s)\n", d.Source, d.Body, d.Reason)
	}
	// Output:
	// jobs: divide by zero (no retry helps)
	// jobs: read a torn page (no retry helps)
}

// Where a dead letter need only be known, a log takes it.
func ExampleDeadLetterLog() {
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: reproducible}))
	q := must(inq.NewStandard("jobs", inq.WithDeadLetter(inq.DeadLetterLog(log, slog.LevelWarn), 5)))
	defer q.Close()
	must(q.Send(ctx, inq.Message{Body: "divide by zero"}))

	d := must(q.Receive(ctx, inq.ReceiveInput{}))[0]
	check(d.Bury(ctx, "no retry helps"))
	// Output:
	// level=WARN msg="dead letter" queue=jobs reason="no retry helps" receiveCount=1 group="" body="divide by zero"
}

// reproducible leaves out what differs from run to run.
func reproducible(_ []string, a slog.Attr) slog.Attr {
	if a.Key == "id" || a.Value.Kind() == slog.KindTime {
		return slog.Attr{}
	}
	return a
}

// A consumer that knows that no retry will help buries the message: it goes to the dead-letter
// target at once, with the reason.
func ExampleDelivery_Bury() {
	ctx := context.Background()
	show := inq.DeadLetterFunc(func(_ context.Context, d inq.DeadLetter) error {
		fmt.Printf("buried %q after %d receive: %s\n", d.Body, d.ReceiveCount, d.Reason)
		return nil
	})
	q := must(inq.NewStandard("pictures", inq.WithDeadLetter(show, 100)))
	defer q.Close()
	must(q.Send(ctx, inq.Message{Body: "notes.txt"}))

	d := must(q.Receive(ctx, inq.ReceiveInput{}))[0]
	check(d.Bury(ctx, "not a picture"))
	fmt.Printf("%+v\n", must(q.Counts(ctx)))
	// Output:
	// buried "notes.txt" after 1 receive: not a picture
	// {Visible:0 NotVisible:0 Delayed:0}
}

// Once the bug is fixed, a move task sends the dead letters back where they came from, as new
// messages.
func ExampleStandard_Redrive() {
	ctx := context.Background()
	dead := must(inq.NewStandard("jobs-dead"))
	defer dead.Close()
	q := must(inq.NewStandard("jobs", inq.WithDeadLetter(dead, 5)))
	defer q.Close()
	must(q.Send(ctx, inq.Message{Body: "divide by zero"}))
	d := must(q.Receive(ctx, inq.ReceiveInput{}))[0]
	check(d.Bury(ctx, "no retry helps"))

	task := must(dead.Redrive(ctx, inq.RedriveInput{}))
	<-task.Done()
	fmt.Println(task.Status(), task.Moved())

	d = must(q.Receive(ctx, inq.ReceiveInput{}))[0]
	fmt.Printf("%s, receive number %d\n", d.Body, d.ReceiveCount)
	// Output:
	// COMPLETED 1
	// divide by zero, receive number 1
}
