// Package narrator tells what happens in an example program, each line with the time since its begin.
package narrator

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// A Narrator prints lines. It is safe for concurrent use.
type Narrator struct {
	stdout io.Writer
	began  time.Time
	mu     sync.Mutex // keeps lines whole and in order of their times
}

// New makes a Narrator, whose time begins now.
func New(stdout io.Writer) *Narrator { return &Narrator{stdout: stdout, began: time.Now()} }

// Line prints what has happened.
func (n *Narrator) Line(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.stdout, "%6.2f s  %s\n", time.Since(n.began).Seconds(), fmt.Sprintf(format, args...))
}

// Text prints an explanation.
func (n *Narrator) Text(format string, args ...any) { n.Line("→ "+format, args...) }
