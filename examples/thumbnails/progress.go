package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a stage of the program is. It is safe for concurrent use.
type progress interface {
	step()                           // one more is done
	note(format string, args ...any) // a line about something on the way
	end()                            // nothing follows
}

// newProgress makes a bar where somebody watches, and plain lines where the output goes to a file or another program.
func newProgress(stdout io.Writer, stage string, total int) progress {
	if f, ok := stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
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

func (b *bar) step() { _ = b.bar.Add(1) }
func (b *bar) note(format string, args ...any) {
	_, _ = progressbar.Bprintln(b.bar, fmt.Sprintf(format, args...))
}
func (b *bar) end() { _ = b.bar.Exit() }

// lines prints a line for each tenth of the work.
type lines struct {
	stdout io.Writer
	stage  string
	total  int

	mu   sync.Mutex // guards done, and keeps lines whole
	done int
}

func (l *lines) step() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done++
	if l.done*10/l.total != (l.done-1)*10/l.total {
		fmt.Fprintf(l.stdout, "%s: %d of %d\n", l.stage, l.done, l.total)
	}
}

func (l *lines) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.stdout, format+"\n", args...)
}

func (l *lines) end() {}
