package inq_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"example.com/inq"
)

// A producer sends jobs, and a worker waits for them, does them and deletes them. A job that fails
// is not deleted, so it comes again.
func Example() {
	ctx := context.Background()
	jobs, err := inq.NewStandard("jobs", inq.WithVisibilityTimeout(time.Minute))
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()

	go func() {
		for _, picture := range []string{"cat.png", "dog.png", "owl.png"} {
			if _, err := jobs.Send(ctx, inq.Message{Body: picture}); err != nil {
				log.Fatal(err)
			}
		}
	}()

	for left := 3; left > 0; {
		// A long poll: it returns as soon as there is a job, and with none after 20 seconds.
		batch, err := jobs.Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second})
		if err != nil {
			log.Fatal(err)
		}
		for _, job := range batch {
			if err := resize(job.Body, job.ReceiveCount); err != nil {
				fmt.Println(job.Body, "failed:", err)
				// Left alone, it would come again in a minute. This brings it back at once.
				if err := job.ChangeVisibility(ctx, 0); err != nil {
					log.Fatal(err)
				}
				continue
			}
			fmt.Println(job.Body, "is done")
			if err := job.Delete(ctx); err != nil {
				log.Fatal(err)
			}
			left--
		}
	}

	// Output:
	// cat.png is done
	// dog.png failed: not now
	// dog.png is done
	// owl.png is done
}

// resize stands for the work. It does not like dogs at first sight.
func resize(picture string, attempt int) error {
	if picture == "dog.png" && attempt == 1 {
		return errors.New("not now")
	}
	return nil
}
