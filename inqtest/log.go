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
	chunks  [][]Entry // as they came; all but the last are full, and an entry never changes
	count   int       // entries in chunks
	mixed   bool      // some are not in the order of their times
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

// chunkSize is how many entries are dropped at once: few where few are kept.
func (l *Log) chunkSize() int { return min(1024, l.keep/4+1) }

// add appends entries, and drops the oldest where there are too many.
func (l *Log) add(entries ...Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		n := len(l.chunks)
		if n == 0 || len(l.chunks[n-1]) == l.chunkSize() {
			l.chunks = append(l.chunks, nil)
			n++
		}
		last := &l.chunks[n-1]
		if before := l.lastLocked(); before != nil && e.Time.Before(before.Time) {
			l.mixed = true
		}
		*last = append(*last, e)
		l.count++
		if e.Late || e.Kind == Lapsed {
			l.lates++
			if len(l.late) < mostListed {
				l.late = append(l.late, e)
			}
		}
	}
	for l.count-len(l.chunks[0]) >= l.keep {
		l.dropped += len(l.chunks[0])
		l.count -= len(l.chunks[0])
		l.chunks[0] = nil
		l.chunks = l.chunks[1:]
	}
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// lastLocked returns the entry that came last, nil where there is none. l.mu must be held.
func (l *Log) lastLocked() *Entry {
	for i := len(l.chunks) - 1; i >= 0; i-- {
		if c := l.chunks[i]; len(c) != 0 {
			return &c[len(c)-1]
		}
	}
	return nil
}

// reset forgets everything.
func (l *Log) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun = time.Now()
	l.chunks, l.count, l.mixed, l.dropped, l.late, l.lates = nil, 0, false, 0, nil, 0
}

// view is the log at one moment.
type view struct {
	begun   time.Time
	chunks  [][]Entry // in order
	count   int
	dropped int
}

// all yields the entries, which are shared and not to be changed.
func (v *view) all() iter.Seq[*Entry] { return entriesOf(v.chunks, 0) }

// entriesOf yields the entries of chunks but for the first few.
func entriesOf(chunks [][]Entry, skip int) iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		for _, c := range chunks {
			for i := min(skip, len(c)); i < len(c); i++ {
				if !yield(&c[i]) {
					return
				}
			}
			skip = max(skip-len(c), 0)
		}
	}
}

// look returns what there is.
func (l *Log) look() view {
	l.mu.Lock()
	v := view{l.begun, slices.Clone(l.chunks), l.count, l.dropped}
	mixed := l.mixed
	l.mu.Unlock()
	if excess := v.count - l.keep; excess > 0 { // less than the first chunk
		v.chunks[0] = v.chunks[0][excess:]
		v.count -= excess
		v.dropped += excess
	}
	if mixed {
		v.chunks = [][]Entry{inOrder(slices.Concat(v.chunks...))}
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
func (l *Log) after(seen int) (entries iter.Seq[*Entry], now int, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	size := l.chunkSize()
	from := max(seen-l.dropped, 0)
	first := min(from/size, len(l.chunks))
	return entriesOf(slices.Clone(l.chunks[first:]), from-first*size), l.dropped + l.count, l.changed
}

// All yields the entries that all filters pick, in order. Those that come during the loop are not in it,
// and the loop may do anything with the server.
func (l *Log) All(filters ...Filter) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		q := newQuery(filters)
		v := l.look()
		for e := range v.all() {
			if q.picks(e) && !yield(*e) {
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
	v.write(&b, v.count, nil)
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
	last := min(v.count, shownEntries)
	switch {
	case v.count == 0 && v.dropped == 0:
		return "the log is empty"
	case last < v.count+v.dropped:
		fmt.Fprintf(&b, "the last %d of %d entries of the log:\n", last, v.count+v.dropped)
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

// write writes the last n entries as lines, with a mark before those that q picks.
func (v *view) write(b *strings.Builder, n int, q *query) {
	width := 8
	for e := range entriesOf(v.chunks, v.count-n) {
		width = max(width, len(since(v.begun, e.Time)))
	}
	for e := range entriesOf(v.chunks, v.count-n) {
		mark := " "
		if q != nil && q.picks(e) {
			mark = ">"
		}
		fmt.Fprintf(b, "%s %*s  %s\n", mark, width, since(v.begun, e.Time), e)
	}
}
