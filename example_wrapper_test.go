package inq_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"

	"example.com/inq"
)

// counting is a queue that counts deletes. It embeds a whole *Standard and not just a Queue, so
// that Return and Bury of a delivery work through it too.
type counting struct {
	*inq.Standard
	deletes atomic.Int64
}

// Receive binds the deliveries to the wrapper. Otherwise their Delete would go past it.
func (c *counting) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	ds, err := c.Standard.Receive(ctx, in)
	for i := range ds {
		ds[i].Rebind(c)
	}
	return ds, err
}

// Delete counts.
func (c *counting) Delete(ctx context.Context, receiptHandle string) error {
	c.deletes.Add(1)
	return c.Standard.Delete(ctx, receiptHandle)
}

// A wrapper watches or disturbs what a consumer does, and the consumer does not know.
func ExampleDelivery_Rebind() {
	ctx := context.Background()
	jobs, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()
	if _, err := jobs.SendBatch(ctx, []inq.Message{{Body: "one"}, {Body: "two"}}); err != nil {
		log.Fatal(err)
	}

	q := &counting{Standard: jobs}
	ds, err := q.Receive(ctx, inq.ReceiveInput{Max: 10})
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range ds {
		if err := d.Delete(ctx); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("deletes:", q.deletes.Load())
	// Output: deletes: 2
}
