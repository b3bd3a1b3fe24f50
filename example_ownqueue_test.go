package inq_test

import (
	"context"
	"fmt"
	"log"
	"slices"
	"strconv"

	"example.com/inq"
)

// desk is a queue of its own kind: a pile of notes with the newest on top. It is not safe for
// concurrent use and has no visibility timeout. What it does not implement it inherits from a nil
// Queue, and panics.
type desk struct {
	inq.Queue
	notes []note
	last  int
}

type note struct {
	id   string
	text string
}

// Send puts a note on the pile.
func (p *desk) Send(_ context.Context, m inq.Message) (inq.Sent, error) {
	p.last++
	n := note{id: strconv.Itoa(p.last), text: m.Body}
	p.notes = append(p.notes, n)
	return inq.NewSent(inq.SentFields{ID: n.id}), nil
}

// Receive shows the note on top, as a delivery that comes back to the desk to be deleted.
func (p *desk) Receive(context.Context, inq.ReceiveInput) ([]inq.Delivery, error) {
	if len(p.notes) == 0 {
		return nil, nil
	}
	n := p.notes[len(p.notes)-1]
	return []inq.Delivery{inq.NewDelivery(p, inq.DeliveryFields{ID: n.id, ReceiptHandle: n.id, Body: n.text, ReceiveCount: 1})}, nil
}

// Delete takes a note away.
func (p *desk) Delete(_ context.Context, receiptHandle string) error {
	p.notes = slices.DeleteFunc(p.notes, func(n note) bool { return n.id == receiptHandle })
	return nil
}

// Code that programs against Queue runs on everything that can make a Delivery and a Sent.
func ExampleNewDelivery() {
	ctx := context.Background()
	var q inq.Queue = new(desk)
	for _, text := range []string{"call Ann", "call Bob"} {
		sent, err := q.Send(ctx, inq.Message{Body: text})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("note", sent.ID())
	}

	for d, err := range inq.Deliveries(ctx, q, inq.ReceiveInput{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(d.Body)
		if err := d.Delete(ctx); err != nil {
			log.Fatal(err)
		}
		if d.Body == "call Ann" {
			break
		}
	}
	// Output:
	// note 1
	// note 2
	// call Bob
	// call Ann
}
