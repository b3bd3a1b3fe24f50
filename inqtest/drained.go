package inqtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/inq"
)

// WaitDrained waits until all these queues are empty: there is no message in them, visible, in flight or
// delayed, and none is on its way from one of them to another. Give it the dead-letter queues too where
// nothing is to be left anywhere.
//
// It looks at the queue behind what [Disturb] and [Server.Count] return: its looks meet no faults and are
// no calls. Queues of this process are not polled: it returns at the instant the last message goes, and in a bubble
// after everything else of that instant. Others are asked for their Counts, every millisecond first and
// then less often, up to every second; on Amazon SQS these are approximate. What Counts returns as an
// error ends the test, and so does patience, after 10 seconds or in a bubble 24 hours of its time, with
// what is left. Outside a bubble, where that is less than a visibility timeout, [Log.Wait] with [Within]
// waits longer.
func WaitDrained(tb TB, queues ...inq.Queue) {
	tb.Helper()
	waitUntil(tb, "WaitDrained", "to be empty", queues, func(c inq.Counts) bool { return c == inq.Counts{} })
}

// WaitIdle waits like [WaitDrained] until there is nothing to do in these queues now: no message is
// visible or in flight. There may be delayed ones.
func WaitIdle(tb TB, queues ...inq.Queue) {
	tb.Helper()
	waitUntil(tb, "WaitIdle", "to be idle", queues, func(c inq.Counts) bool { return c.Visible == 0 && c.NotVisible == 0 })
}

// Pauses between two looks at a queue that does not tell when it changes.
const (
	firstLook = time.Millisecond
	lastLook  = time.Second
)

func waitUntil(tb TB, name, what string, queues []inq.Queue, done func(inq.Counts) bool) {
	tb.Helper()
	if len(queues) == 0 {
		tb.Fatalf("inqtest: %s needs a queue", name)
		return
	}
	queues = slices.Clone(queues)
	for i := range queues {
		if isNil(queues[i]) {
			tb.Fatalf("inqtest: %s: queue %d is nil", name, i+1)
			return
		}
		queues[i] = bare(queues[i])
	}
	bubble := settle()
	longest := patienceFor(bubble)
	changed := make(chan struct{}, 1)
	far := false
	for _, q := range queues {
		local, ok := q.(inq.Local)
		if !ok {
			far = true
			continue
		}
		defer local.Watch(func([]inq.Event) {
			select {
			case changed <- struct{}{}:
			default:
			}
		})()
	}
	deadline := time.NewTimer(longest)
	defer deadline.Stop()
	pause := firstLook
	for last := false; ; {
		before, ok, err := lookAt(queues, done)
		if ok { // twice the same, or a message has gone round behind the look
			var after []reading
			if after, ok, err = lookAt(queues, done); ok && same(before, after) {
				if bubble {
					settle()
				}
				return
			}
		}
		if err != nil {
			tb.Fatalf("inqtest: %s: %v", name, err)
			return
		}
		if last {
			tb.Fatalf("inqtest: waited %v for %s %s\n%s", longest, names(queues), what, rest(queues, before))
			return
		}
		var again <-chan time.Time
		if far {
			again = time.After(pause)
			pause = min(pause*2, lastLook)
		}
		select {
		case <-changed:
		case <-again:
		case <-deadline.C:
			last = true
		}
	}
}

// reading is what a queue tells of itself at one moment.
type reading struct {
	inq.Counts
	came uint64 // messages that came so far, where that is known
}

// lookAt reads all queues, and tells whether all are done.
func lookAt(queues []inq.Queue, done func(inq.Counts) bool) (readings []reading, all bool, err error) {
	readings, all = make([]reading, len(queues)), true
	for i, q := range queues {
		r := &readings[i]
		if r.Counts, err = q.Counts(context.Background()); err != nil {
			return nil, false, fmt.Errorf("counts of %s: %w", q.Name(), err)
		}
		if local, ok := q.(inq.Local); ok {
			s := local.Stats()
			r.Counts, r.came = s.Counts, s.Sent+s.MovedIn
		}
		all = all && done(r.Counts)
	}
	return readings, all, nil
}

func same(a, b []reading) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func names(queues []inq.Queue) string {
	list := make([]string, len(queues))
	for i, q := range queues {
		list[i] = q.Name()
	}
	return strings.Join(list, " and ")
}

// rest tells what is left in queues, and of some messages why.
func rest(queues []inq.Queue, readings []reading) string {
	var b strings.Builder
	for i, q := range queues {
		c := readings[i].Counts
		if c == (inq.Counts{}) {
			continue
		}
		fmt.Fprintf(&b, "%s: %d visible, %d in flight, %d delayed\n", q.Name(), c.Visible, c.NotVisible, c.Delayed)
		local, ok := q.(inq.Local)
		if !ok {
			continue
		}
		n := 0
		for m := range local.Messages() {
			if n++; n > mostListed {
				b.WriteString("  …\n")
				break
			}
			fmt.Fprintf(&b, "  %s %s: %s\n", short(m.ID), shown(m.Body), whyNot(local, m.ID))
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// whyNot says why a message is not delivered now.
func whyNot(q inq.Local, id string) string {
	e, err := q.Explain(context.Background(), id)
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(e.String(), id, short(id))
}

// short is as much of an id as is shown.
func short(id string) string { return id[:min(len(id), shownID)] }
