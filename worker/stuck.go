package worker

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"runtime/pprof"
	"slices"
	"strings"
)

// tendCancelledLocked finds handlers that should have returned long ago. They keep their slots,
// because they take up what the slots are there to bound, but their messages are let go.
func (r *Runner) tendCancelledLocked(now instant) {
	var found []*call
	for c := r.cancelled.first; c != nil && c.cancelled+patience <= now; c = r.cancelled.first {
		r.cancelled.remove(c)
		r.stucks.add(c)
		c.stage = stuck
		r.stuck++
		r.workers--
		for _, j := range c.jobs {
			j.final = true
		}
		if l := c.line; l != nil {
			// Its group goes on without it.
			next := r.nextInLineLocked(c, false)
			c.line = nil
			if next != nil {
				r.pending.add(next)
				r.waiting++
			}
		}
		found = append(found, c)
	}
	if len(found) > 0 {
		r.afterLocked(func() { r.logStuck(found) })
	}
}

// logStuck logs stuck calls with their stacks, for which the program is stopped once for all.
func (r *Runner) logStuck(found []*call) {
	var profile bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1)
	records := strings.Split(profile.String(), "\n\n")
	for _, c := range found {
		stack := ""
		for _, record := range records {
			if strings.Contains(record, fmt.Sprintf("%q:%q", labelKey, c.worker.label)) {
				stack = record
				break
			}
		}
		r.log(slog.LevelError, "a handler ignores its cancelled context and keeps its slot",
			r.about(c.jobs[0], slog.String("cause", text(c.cause)), slog.String("stack", stack))...)
	}
}

// stuckErrorLocked names the kinds whose handlers still run.
func (r *Runner) stuckErrorLocked() error {
	if r.stuck == 0 {
		return nil
	}
	kinds := make(map[string]int)
	for c := r.stucks.first; c != nil; c = c.next {
		kinds[r.describe(c.jobs[0].delivery)]++
	}
	var names []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		names = append(names, fmt.Sprintf("%s (%d)", kind, kinds[kind]))
	}
	return fmt.Errorf("%w: queue %s: %s", ErrStuck, r.name, strings.Join(names, ", "))
}
