package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// A narrator prints what happens when.
type narrator struct {
	stdout io.Writer
	began  time.Time
	mu     sync.Mutex // keeps lines whole and in order of their times
}

func newNarrator(stdout io.Writer) *narrator { return &narrator{stdout: stdout, began: time.Now()} }

// order prints what happens to an order.
func (n *narrator) order(o order, what string) {
	n.line("%-28s%s", fmt.Sprintf("%d: %d to %s", o.Number, o.Amount, o.To), what)
}

// text prints an explanation.
func (n *narrator) text(format string, args ...any) { n.line("→ "+format, args...) }

func (n *narrator) line(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.stdout, "%6.2f s  %s\n", time.Since(n.began).Seconds(), fmt.Sprintf(format, args...))
}
