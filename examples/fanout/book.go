package main

import (
	"fmt"
	"io"
	"sync"
)

var departments = []string{"billing", "fraud", "shipping"}

// A book is what the departments write down.
type book struct {
	mu      sync.Mutex                  // guards entries: shipping is called by several goroutines
	entries map[int]map[string][]string // by order and department
}

func newBook() *book { return &book{entries: map[int]map[string][]string{}} }

func (b *book) write(o order, department, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.entries[o.Number] == nil {
		b.entries[o.Number] = map[string][]string{}
	}
	b.entries[o.Number][department] = append(b.entries[o.Number][department], what)
}

// expected is what has to become of an order, and why. "" is nothing.
func expected(o order, department string) (what, why string) {
	switch department {
	case "billing":
		return "billed", ""
	case "fraud":
		if o.Amount >= expensive {
			return "looked at", ""
		}
		return "", fmt.Sprintf("%d is below %d", o.Amount, expensive)
	}
	if o.To == unreachable {
		return "dead letter", "no way to " + o.To
	}
	return "shipped", ""
}

// print shows who got what, order by order.
func (b *book) print(w io.Writer, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(w, "\n%-28s%-12s%-28s%s\n", "order", "billing", "fraud", "shipping")
	for number := 1; number <= n; number++ {
		o := orderOf(number)
		fmt.Fprintf(w, "%-28s", fmt.Sprintf("%d: %d to %s", number, o.Amount, o.To))
		for _, department := range departments {
			cell := "-"
			for i, what := range b.entries[number][department] {
				if cell = what; i > 0 {
					cell = fmt.Sprintf("%s (%d times!)", what, i+1)
				}
			}
			if _, why := expected(o, department); why != "" {
				cell += " (" + why + ")"
			}
			switch department {
			case "billing":
				fmt.Fprintf(w, "%-12s", cell)
			case "fraud":
				fmt.Fprintf(w, "%-28s", cell)
			default:
				fmt.Fprintln(w, cell)
			}
		}
	}
	fmt.Fprintln(w)
}

// check returns an error unless each department has each of its orders once, and no other.
func (b *book) check(n int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for number := 1; number <= n; number++ {
		for _, department := range departments {
			what, _ := expected(orderOf(number), department)
			got := b.entries[number][department]
			if what == "" && len(got) == 0 || len(got) == 1 && got[0] == what {
				continue
			}
			return fmt.Errorf("%s has %q of order %d instead of %q", department, got, number, what)
		}
	}
	if len(b.entries) != n {
		return fmt.Errorf("there are entries for %d orders instead of %d", len(b.entries), n)
	}
	return nil
}
