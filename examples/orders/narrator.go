package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	narrate "example.com/inq/examples/internal/narrator"
)

// A narrator prints what happens, with a column for each customer, so that one look along a column shows whether its
// orders came in order.
type narrator struct{ *narrate.Narrator }

func newNarrator(stdout io.Writer) *narrator { return &narrator{narrate.New(stdout)} }

// line prints what a consumer did with an order.
func (n *narrator) line(who string, o order, what string) {
	column := max(0, slices.Index(customers, o.customer))
	n.Line("%-12s  %s%-*s %s", who,
		strings.Repeat(" ", 7*column), 7*(len(customers)-column), fmt.Sprintf("%s %d", o.customer, o.number), what)
}
