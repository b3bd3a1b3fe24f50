package main

import (
	"encoding/json"
	"sync"

	"example.com/inq"
	"example.com/inq/examples/internal/narrator"
)

// An account is what payments are charged to.
type account struct {
	name     string
	show     *narrator.Narrator
	messages int

	mu      sync.Mutex // guards everything below
	handled int        // calls of charge
	charged int        // of them that moved money
	euros   int
	known   map[string]bool // payments that were charged; nil for an account that does not want to know
}

// charge moves the money of a payment. Where known is kept, it is looked at and written together with the money, under one
// lock; in a database that is one transaction. One after the other would leave a gap, in which a crash makes it twice again.
func (a *account) charge(p payment, attempt int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handled++
	if a.known[p.ID] {
		a.show.Line("%-10s receive %d: was charged before, nothing to do", p.ID, attempt)
		return
	}
	if a.known != nil {
		a.known[p.ID] = true
	}
	a.charged++
	a.euros += p.Euros
	a.show.Line("%-10s receive %d: charged %d euros", p.ID, attempt, p.Euros)
}

// read returns the payment that a message is about.
func read(d *inq.Delivery) (p payment, err error) {
	err = json.Unmarshal([]byte(d.Body), &p)
	return p, err
}
