package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// A narrator prints what happens, with a column for each customer, so that one look along a column shows whether its
// orders came in order.
type narrator struct {
	stdout io.Writer
	began  time.Time
	mu     sync.Mutex // keeps lines whole and in order of their times
}

func newNarrator(stdout io.Writer) *narrator {
	return &narrator{stdout: stdout, began: time.Now()}
}

// line prints what a consumer did with an order.
func (n *narrator) line(who string, o order, what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	column := max(0, slices.Index(customers, o.customer))
	fmt.Fprintf(n.stdout, "%6.2f s  %-12s  %s%-*s %s\n", time.Since(n.began).Seconds(), who,
		strings.Repeat(" ", 7*column), 7*(len(customers)-column), fmt.Sprintf("%s %d", o.customer, o.number), what)
}

// text prints an explanation.
func (n *narrator) text(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.stdout, "%6.2f s  → %s\n", time.Since(n.began).Seconds(), fmt.Sprintf(format, args...))
}
