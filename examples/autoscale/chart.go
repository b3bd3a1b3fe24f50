package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"example.com/inq"
	"example.com/inq/alarm"
	"example.com/inq/worker"
)

// A chart draws backlog and workers over time, a row at a time, so that it can be read in a file too.
type chart struct {
	stdout io.Writer
	began  time.Time
	most   int // backlog that fills its column

	mu    sync.Mutex // keeps rows whole, and guards everything below
	peak  int        // workers
	steps int
}

const backlogWidth = 36

// watch draws until the burst is over and there is one worker again, or until ctx ends.
func (c *chart) watch(ctx context.Context, queue *inq.Standard, group *worker.Runner) {
	fmt.Fprintf(c.stdout, "   time  %-*s  workers\n", backlogWidth+5, "backlog")
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		backlog, workers := queue.Stats().Visible, group.Stats().Concurrency
		c.row(backlog, workers)
		if c.grown() && workers == 1 && backlog < behind {
			return
		}
		if time.Since(c.began) > quiet+4*idleAfter && !c.grown() && backlog == 0 {
			return // the burst was no burden
		}
	}
}

func (c *chart) row(backlog, workers int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.stdout, "%5.2f s  %-*s %4d  %-*s %2d\n", time.Since(c.began).Seconds(),
		backlogWidth, bar(backlog, c.most, backlogWidth), backlog, most, bar(workers, most, most), workers)
}

// resized notes a change of the number of workers.
func (c *chart) resized(change alarm.Change, from, to int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps++
	c.peak = max(c.peak, to)
	fmt.Fprintf(c.stdout, "%5.2f s  → %s: backlog for each worker is %.1f, %d workers become %d\n",
		time.Since(c.began).Seconds(), change.Alarm, change.Value, from, to)
}

// grown reports whether there ever were more workers than one.
func (c *chart) grown() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peak > 1
}

// bar draws n of most, in eighths of a character.
func bar(n, most, width int) string {
	eighths := min(max(n, 0)*8*width/max(most, 1), 8*width)
	if n > 0 && eighths == 0 {
		eighths = 1
	}
	s := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		s += string([]rune(" ▏▎▍▌▋▊▉")[rest])
	}
	return s
}

// summarize prints the figures, and returns an error where they do not add up.
func (c *chart) summarize(sent int, queue inq.Stats, done worker.Stats) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := queue.Visible + queue.NotVisible
	fmt.Fprintf(c.stdout, "\n%d jobs in %.1f s; one worker alone would have taken %.1f s\n",
		sent, time.Since(c.began).Seconds(), (time.Duration(sent) * handling).Seconds())
	fmt.Fprintf(c.stdout, "  done          %4d\n", done.Succeeded)
	fmt.Fprintf(c.stdout, "  left          %4d\n", left)
	fmt.Fprintf(c.stdout, "  most workers  %4d\n", max(c.peak, 1))
	fmt.Fprintf(c.stdout, "  steps         %4d\n", c.steps)
	fmt.Fprintf(c.stdout, "  half waited   %7v or less\n", done.Wait.Quantile(0.5).Round(time.Millisecond))
	switch {
	case left != 0:
		return fmt.Errorf("stopped before the end, with %d jobs left", left)
	case uint64(sent) != done.Succeeded:
		return errors.New("the figures do not add up")
	}
	return nil
}
