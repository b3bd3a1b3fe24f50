package conformance_test

import (
	"context"
	"fmt"
	"log"
	"testing"

	"example.com/inq"
	"example.com/inq/conformance"
)

// testShelf is TestShelf, a test of shelf: an implementation of inq.Queue that has no FIFO queues and
// keeps nothing but the body of a message. It says so by errors that match errors.ErrUnsupported.
func testShelf(t *testing.T) {
	conformance.RunQueue(t, conformance.QueueHarness{
		Gives: conformance.Time, // it works in a bubble
		Open: func(testing.TB) conformance.Account {
			return conformance.Account{
				CreateQueue: func(_ context.Context, name string, attributes map[string]string) (inq.Queue, error) {
					return newShelf(name, attributes)
				},
			}
		},
		Differs: conformance.Differs{"LC-5": "a note that is often received keeps its place"},
	})
}

// An implementation of its own is a queue like any other.
func ExampleRunQueue() {
	ctx := context.Background()
	q, err := newShelf("notes", map[string]string{"VisibilityTimeout": "60"})
	if err != nil {
		log.Fatal(err)
	}
	for _, body := range []string{"buy milk", "call Bob"} {
		if _, err := q.Send(ctx, inq.Message{Body: body}); err != nil {
			log.Fatal(err)
		}
	}
	ds, err := q.Receive(ctx, inq.ReceiveInput{Max: 10})
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range ds {
		fmt.Println(d.Body)
	}
	// Output:
	// buy milk
	// call Bob
}
