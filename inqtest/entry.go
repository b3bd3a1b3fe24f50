package inqtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.com/inq"
)

// An Entry is one thing that happened.
type Entry struct {
	Time         time.Time
	Kind         Kind
	Queue        string // the name of the queue or, of Published, the topic
	ID           string // of the message; "" where a whole queue is meant, and of Refused
	Body         string
	Attributes   map[string]inq.Attribute // shared and read only
	Group        string                   // message group
	ReceiveCount int                      // receives of the message so far
	Count        int                      // messages concerned, where a whole queue is meant
	Late         bool                     // see [inq.Event]: the receive of the handle was over
	Operation    string                   // of Refused: the call, such as "SendMessage"
	Err          error                    // of Refused, Lapsed and DeadLetterFailed: why
}

// String returns the entry as a line of a log, without the time.
func (e Entry) String() string {
	return e.line(short(e.ID))
}

// shownID is how much of an id tells messages apart when one looks at them.
const shownID = 8

// shownBody is how much of a body is shown.
const shownBody = 60

// line is the entry with something in the place of its id.
func (e *Entry) line(id string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-10s %s", e.Queue, e.Kind)
	if e.Operation != "" {
		b.WriteString(" " + e.Operation)
	}
	if id != "" {
		b.WriteString(" " + id)
	}
	if e.Body != "" {
		b.WriteString(" " + shown(e.Body))
	}
	if e.Group != "" {
		b.WriteString(" group " + strconv.Quote(e.Group))
	}
	if e.ReceiveCount > 0 {
		fmt.Fprintf(&b, " receive %d", e.ReceiveCount)
	}
	if e.Count > 0 {
		b.WriteString(" " + plural(e.Count, "message"))
	}
	switch {
	case e.Kind == Lapsed && e.Err != nil: // whose text has the handle in it, which is never the same
		b.WriteString(": a call by a handle whose receive was over, refused")
	case e.Kind == Lapsed:
		b.WriteString(": a call by a handle whose receive was over, without effect")
	case e.Late:
		b.WriteString(" by a handle whose receive was over")
	case e.Err != nil:
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// shown is a body in quotes, cut where it is long.
func shown(body string) string {
	if len(body) <= shownBody {
		return quoted(body)
	}
	return fmt.Sprintf("%s… (%d bytes)", quoted(strings.ToValidUTF8(body[:shownBody], "")), len(body))
}

// quoted is a text as Go would have it: JSON, which is full of quotes, between back quotes.
func quoted(text string) string {
	if strings.Contains(text, `"`) && strconv.CanBackquote(text) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}

// countEntries is a number of them in words.
func countEntries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// since is a time after another, as it is shown.
func since(from, to time.Time) string { return "+" + to.Sub(from).String() }
