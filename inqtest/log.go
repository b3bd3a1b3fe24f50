package inqtest

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/inq"
	"example.com/inq/topic"
)

// Log is everything that happened in the queues and topics of a [Server], in order: in a queue in the
// order it happened, and over all of them by time. It is kept from the first moment on, of queues that
// code under test creates as well, beside whatever observers these have. It is safe for concurrent use.
//
// Kept are the newest entries, see [WithKept], with the bodies and attributes of their messages, which
// so outlive them.
type Log struct {
	// Set by the constructor.
	tb     TB
	bubble bool
	keep   int

	mu      sync.Mutex // guards everything below
	begun   time.Time
	entries []Entry // as they came; what is in it never changes
	mixed   bool    // some are not in the order of their times
	dropped int
	changed chan struct{} // closed when entries come; nil: nobody waits
	late    []Entry       // of deletes and extensions by handles whose receives were over, the first ones
	lates   int           // how many there were
	shown   bool          // a failure has shown the end
}

func newLog(tb TB, bubble bool, keep int) *Log {
	return &Log{tb: tb, bubble: bubble, keep: keep, begun: time.Now()}
}

// watch takes events of a queue down.
func (l *Log) watch(q inq.Local, events []inq.Event) {
	entries := make([]Entry, len(events))
	for i := range events {
		e := &events[i]
		entries[i] = Entry{Time: e.Time, Kind: Kind(e.Kind.String()), Queue: q.Name(), ID: e.MessageID(), Body: e.Body,
			Attributes: e.Attributes, Group: e.GroupID, ReceiveCount: e.ReceiveCount, Count: e.Count, Late: e.Late, Err: e.Err}
	}
	l.add(entries...)
}

// published takes a publish down.
func (l *Log) published(t *topic.Topic, m *topic.Message, p topic.Published) {
	kind := Published
	if p.Duplicate() {
		kind = Deduplicated
	}
	l.add(Entry{Time: time.Now(), Kind: kind, Queue: t.Name(), ID: p.MessageID(), Body: m.Body, Group: m.GroupID})
}

// add appends entries, and drops the oldest where there are too many.
func (l *Log) add(entries ...Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		if n := len(l.entries); n != 0 && e.Time.Before(l.entries[n-1].Time) {
			l.mixed = true
		}
		l.entries = append(l.entries, e)
		if e.Late || e.Kind == Lapsed {
			l.lates++
			if len(l.late) < mostListed {
				l.late = append(l.late, e)
			}
		}
	}
	if excess := len(l.entries) - l.keep; excess > l.keep/4 {
		l.entries = slices.Clone(l.entries[excess:]) // not in place: others may be reading
		l.dropped += excess
	}
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// reset forgets everything.
func (l *Log) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun = time.Now()
	l.entries, l.mixed, l.dropped, l.late, l.lates = nil, false, 0, nil, 0
}

// view is the log at one moment.
type view struct {
	begun   time.Time
	entries []Entry // in order
	dropped int
	seen    int // entries that came until now, the dropped ones included
}

// look returns what there is. Its entries are shared and not to be changed.
func (l *Log) look() view {
	l.mu.Lock()
	v := view{l.begun, slices.Clip(l.entries), l.dropped, l.dropped + len(l.entries)}
	mixed := l.mixed
	l.mu.Unlock()
	if excess := len(v.entries) - l.keep; excess > 0 {
		v.entries = v.entries[excess:]
		v.dropped += excess
	}
	if mixed {
		v.entries = inOrder(slices.Clone(v.entries))
	}
	return v
}

// inOrder sorts entries by time. Those of the same instant stay as they came.
func inOrder(entries []Entry) []Entry {
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.Time.Compare(b.Time) })
	return entries
}

// after returns the entries that came after the first seen ones, and a channel that is closed when there
// are more.
func (l *Log) after(seen int) (entries []Entry, now int, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	from := max(seen-l.dropped, 0)
	return slices.Clip(l.entries[min(from, len(l.entries)):]), l.dropped + len(l.entries), l.changed
}

// All yields the entries that all filters pick, in order. Those that come during the loop are not in it,
// and the loop may do anything with the server.
func (l *Log) All(filters ...Filter) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		q := newQuery(filters)
		v := l.look()
		for i := range v.entries {
			if q.picks(&v.entries[i]) && !yield(v.entries[i]) {
				return
			}
		}
	}
}

// Dropped returns how many entries, the oldest, were dropped because there were too many: see
// [WithKept].
func (l *Log) Dropped() int { return l.look().dropped }

// String returns the log as text: a line for each entry, with the time since the server was made.
func (l *Log) String() string {
	v := l.look()
	var b strings.Builder
	v.write(&b, v.entries, nil)
	return b.String()
}

// shownEntries is how many entries a failure shows, the last ones.
const shownEntries = 20

// tail is the end of the log, as failures show it; a > is before what q picks.
func (l *Log) tail(q *query) string {
	l.mu.Lock()
	l.shown = true
	l.mu.Unlock()
	v := l.look()
	var b strings.Builder
	n := len(v.entries)
	last := v.entries[max(0, n-shownEntries):]
	switch {
	case n == 0 && v.dropped == 0:
		return "the log is empty"
	case len(last) < n+v.dropped:
		fmt.Fprintf(&b, "the last %d of %d entries of the log:\n", len(last), n+v.dropped)
	default:
		b.WriteString("the log:\n")
	}
	v.write(&b, last, q)
	return strings.TrimSuffix(b.String(), "\n")
}

func (l *Log) wasShown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shown
}

// write writes entries as lines, with a mark before those that q picks.
func (v *view) write(b *strings.Builder, entries []Entry, q *query) {
	for i := range entries {
		mark := " "
		if q != nil && q.picks(&entries[i]) {
			mark = ">"
		}
		fmt.Fprintf(b, "%s %8s  %s\n", mark, since(v.begun, entries[i].Time), entries[i])
	}
}
