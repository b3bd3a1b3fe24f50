package main

import (
	"fmt"
	"slices"
	"strconv"
	"sync"

	"example.com/inq"
)

// An order is one message of the queue.
type order struct {
	customer string
	number   int // 1 for the customer's first
}

func orderOf(d *inq.Delivery) (order, error) {
	number, err := strconv.Atoi(d.Body)
	return order{d.GroupID, number}, err
}

// A ledger is what the consumers write down of handled orders, in the order they happen.
type ledger struct {
	want int // how many orders there are

	mu      sync.Mutex // guards entries
	entries []order
}

// write adds an order, unless the ledger has it. A queue delivers at least once: a consumer that was held up for longer
// than the visibility timeout would meet its order in another's hands. Work that may be done twice without harm is the
// consumer's part of the bargain.
func (l *ledger) write(o order) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.entries, o) {
		l.entries = append(l.entries, o)
	}
}

func (l *ledger) complete() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries) == l.want
}

// check returns an error unless each customer has the orders 1 to n, each once and in order.
func (l *ledger) check(n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := map[string]int{}
	for _, o := range l.entries {
		if o.number != last[o.customer]+1 {
			return fmt.Errorf("%s's order %d was handled after order %d", o.customer, o.number, last[o.customer])
		}
		last[o.customer] = o.number
	}
	for _, customer := range customers {
		if last[customer] != n {
			return fmt.Errorf("%s's orders after %d were lost", customer, last[customer])
		}
	}
	return nil
}
