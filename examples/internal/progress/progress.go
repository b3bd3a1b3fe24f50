// Package progress shows how far an example program is.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress shows how far a stage of a program is. It is safe for concurrent use.
type Progress interface {
	Step()                           // one more is done
	Note(format string, args ...any) // a line about something on the way
	End()                            // nothing follows
}

// IsTerminal reports whether somebody watches what is written to stdout.
func IsTerminal(stdout io.Writer) bool {
	f, ok := stdout.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// New makes a bar where somebody watches, and plain lines where the output goes to a file or another program.
func New(stdout io.Writer, stage string, total int) Progress {
	if IsTerminal(stdout) {
		return &bar{progressbar.NewOptions(total,
			progressbar.OptionSetWriter(stdout),
			progressbar.OptionSetDescription(stage),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
		)}
	}
	return &lines{stdout: stdout, stage: stage, total: total}
}

type bar struct{ bar *progressbar.ProgressBar }

// What a terminal refuses to show is no reason to stop the work: errors are dropped.

func (b *bar) Step() { _ = b.bar.Add(1) }
func (b *bar) Note(format string, args ...any) {
	_, _ = progressbar.Bprintln(b.bar, fmt.Sprintf(format, args...))
}
func (b *bar) End() { _ = b.bar.Exit() }

// lines prints a line for each tenth of the work.
type lines struct {
	stdout io.Writer
	stage  string
	total  int

	mu   sync.Mutex // guards done, and keeps lines whole
	done int
}

func (l *lines) Step() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done++
	if l.done*10/l.total != (l.done-1)*10/l.total {
		fmt.Fprintf(l.stdout, "%s: %d of %d\n", l.stage, l.done, l.total)
	}
}

func (l *lines) Note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.stdout, format+"\n", args...)
}

func (l *lines) End() {}
