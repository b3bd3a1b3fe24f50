package conformance_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"
	"testing"

	"example.com/inq"
	"example.com/inq/conformance"
)

// counting is a wrapper: a queue that counts how many messages were received and deleted.
type counting struct {
	inq.Queue
	received, deleted atomic.Int64
}

// Receive binds what it counts to the wrapper. Else the Delete of a delivery would go past it.
func (c *counting) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	ds, err := c.Queue.Receive(ctx, in)
	for i := range ds {
		ds[i].Rebind(c)
	}
	c.received.Add(int64(len(ds)))
	return ds, err
}

// Delete counts.
func (c *counting) Delete(ctx context.Context, receiptHandle string) error {
	err := c.Queue.Delete(ctx, receiptHandle)
	if err == nil {
		c.deleted.Add(1)
	}
	return err
}

// testCounting is TestCounting, the test that such a wrapper is still a queue as inq.Queue and SQS
// have it.
func testCounting(t *testing.T) {
	conformance.RunWrapper(t, func(q inq.Queue) inq.Queue { return &counting{Queue: q} }, nil)
}

// A wrapper has one test for all that it passes on, and tests of its own for what it adds.
func ExampleRunWrapper() {
	ctx := context.Background()
	jobs, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()
	if _, err := jobs.SendBatch(ctx, []inq.Message{{Body: "one"}, {Body: "two"}}); err != nil {
		log.Fatal(err)
	}

	q := &counting{Queue: jobs}
	ds, err := q.Receive(ctx, inq.ReceiveInput{Max: 10})
	if err != nil {
		log.Fatal(err)
	}
	if err := ds[0].Delete(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("received", q.received.Load(), "deleted", q.deleted.Load())
	// Output: received 2 deleted 1
}
