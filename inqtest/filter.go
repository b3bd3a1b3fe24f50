package inqtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Filter picks entries of a log. Several filters given at once must all hold, except that kinds are
// alternatives: Sent, Deleted, In("orders") are sends and deletes in orders. A nil Filter picks all.
type Filter interface {
	// String describes what is picked.
	String() string
	picks(e *Entry) bool
}

// A Kind says what happened, in words. As a [Filter] it picks entries of its kind.
type Kind string

// What can happen. Except for the last two these are the kinds of [inq.Event], which says more.
const (
	Sent             Kind = "sent"               // accepted from a producer, or from a topic
	Deduplicated     Kind = "deduplicated"       // a send that was a duplicate
	MovedIn          Kind = "moved in"           // came from another queue
	Arrived          Kind = "arrived"            // its delay is over
	Received         Kind = "received"           // handed to a consumer
	Repeated         Kind = "repeated"           // handed out again under the attempt id of its receive
	Extended         Kind = "extended"           // visibility timeout changed
	TimedOut         Kind = "timed out"          // receivable again: its visibility timeout ended
	Released         Kind = "released"           // receivable again: its consumer set the timeout to zero
	Returned         Kind = "returned"           // given back as if it had not been received
	MovedBack        Kind = "moved back"         // behind all others from now on
	Deleted          Kind = "deleted"            // deleted
	Leaving          Kind = "leaving"            // on its way to the dead-letter target, or by a move task
	DeadLettered     Kind = "dead-lettered"      // taken by the dead-letter target
	DeadLetterFailed Kind = "dead-letter failed" // the dead-letter target failed
	PutBack          Kind = "put back"           // ready again where it stood
	MovedOut         Kind = "moved out"          // taken away by a move task
	Expired          Kind = "expired"            // its retention is over
	Purged           Kind = "purged"             // all messages of a queue removed
	Configured       Kind = "configured"         // an option of a queue changed
	Closed           Kind = "closed"             // a queue ended
	Lapsed           Kind = "lapsed"             // a handle changed nothing: its receive was over

	Published Kind = "published" // accepted by a topic
	Refused   Kind = "refused"   // a call that was answered with an error, as far as calls are seen: see [Calls]
)

// String returns the kind.
func (k Kind) String() string { return string(k) }

func (k Kind) picks(e *Entry) bool { return e.Kind == k }

// filter is a filter made of a function.
type filter struct {
	text string
	f    func(e *Entry) bool
}

func (f *filter) String() string      { return f.text }
func (f *filter) picks(e *Entry) bool { return f.f(e) }

// In picks what happened in one of the queues, or topics, of these names.
func In(names ...string) Filter {
	names = slices.Clone(names)
	return &filter{"in " + strings.Join(names, " or "), func(e *Entry) bool { return slices.Contains(names, e.Queue) }}
}

// ID picks what happened to the message of that id. The copies of a published message have ids of their
// own; a dead letter keeps the one it had.
func ID(id string) Filter {
	return &filter{"of " + id, func(e *Entry) bool { return e.ID == id }}
}

// Body picks what happened to messages with exactly this body. Entries of kinds Deduplicated and Refused
// have none.
func Body(body string) Filter {
	return &filter{"with body " + shown(body), func(e *Entry) bool { return e.Body == body }}
}

// Group picks what happened to messages of that message group.
func Group(id string) Filter {
	return &filter{"of group " + strconv.Quote(id), func(e *Entry) bool { return e.Group == id }}
}

// Match picks the entries for which f returns true; name says in a failure what that is about. f is
// called by the goroutine that waits, and may be called for an entry more than once.
func Match(name string, f func(Entry) bool) Filter {
	return &filter{"matching " + name, func(e *Entry) bool { return f(*e) }}
}

// Since picks what happened at t or later.
func Since(t time.Time) Filter {
	return &filter{"since " + t.Format(clock), func(e *Entry) bool { return !e.Time.Before(t) }}
}

// clock is how times of day are shown.
const clock = "15:04:05.000"

// within is no filter, but travels with them.
type within time.Duration

// Within picks everything, and sets how long [Log.Wait] and [Log.Never] wait: from now on, in the time
// of the bubble if there is one. 0 or less is not at all. All ignores it.
func Within(d time.Duration) Filter { return within(d) }

func (w within) String() string    { return "within " + time.Duration(w).String() }
func (w within) picks(*Entry) bool { return true }

// query is filters, read.
type query struct {
	kinds  []Kind
	others []Filter
	within *time.Duration
}

func newQuery(filters []Filter) (q query) {
	for _, f := range filters {
		switch f := f.(type) {
		case nil:
		case Kind:
			q.kinds = append(q.kinds, f)
		case within:
			d := time.Duration(f)
			q.within = &d
		default:
			q.others = append(q.others, f)
		}
	}
	return q
}

func (q *query) picks(e *Entry) bool {
	if len(q.kinds) != 0 && !slices.Contains(q.kinds, e.Kind) {
		return false
	}
	for _, f := range q.others {
		if !f.picks(e) {
			return false
		}
	}
	return true
}

// String describes what is looked for.
func (q *query) String() string {
	var parts []string
	for _, k := range q.kinds {
		parts = append(parts, string(k))
	}
	text := strings.Join(parts, " or ")
	if text == "" {
		text = "anything"
	}
	for _, f := range q.others {
		text = fmt.Sprintf("%s %s", text, f)
	}
	return text
}
