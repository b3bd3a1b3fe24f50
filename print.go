package inq

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// This file says how values look when they are printed or logged: what tells one from another, never
// what they are made of. Queues are guarded by locks that package fmt does not take, and a body can
// have a megabyte.

// shownBody is how much of a body is shown, in bytes.
const shownBody = 128

// shown are the attributes of a value that are not empty.
type shown []slog.Attr

func (s *shown) text(name, value string) {
	if value != "" {
		*s = append(*s, slog.String(name, value))
	}
}

func (s *shown) number(name string, value int) {
	if value != 0 {
		*s = append(*s, slog.Int(name, value))
	}
}

// body shows the beginning of a body and, where that is not all, how long it is.
func (s *shown) body(body string) {
	if len(body) <= shownBody {
		s.text("body", body)
		return
	}
	end := shownBody
	for end > shownBody-utf8.UTFMax && !utf8.RuneStart(body[end]) {
		end--
	}
	*s = append(*s, slog.String("body", body[:end]+"..."), slog.Int("bodyBytes", len(body)))
}

// in joins the attributes as text, behind the name of a type.
func (s shown) in(name string) string {
	var b strings.Builder
	b.WriteString(name + "{")
	for i, a := range s {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(a.Key + "=")
		if a.Value.Kind() == slog.KindString {
			b.WriteString(strconv.Quote(a.Value.String()))
		} else {
			b.WriteString(a.Value.String())
		}
	}
	return b.String() + "}"
}

func (d *Delivery) shown() (s shown) {
	s.text("id", d.ID())
	s.text("group", d.GroupID)
	s.number("receiveCount", d.ReceiveCount)
	s.body(d.Body)
	return s
}

// String shows the id, the group, the receive count and the beginning of the body.
func (d Delivery) String() string { return d.shown().in("Delivery") }

// LogValue is what String shows as a group of attributes: id, group, receiveCount and body, those
// that are not empty.
func (d Delivery) LogValue() slog.Value { return slog.GroupValue(d.shown()...) }

func (s Sent) shown() (a shown) {
	a.text("id", s.ID())
	a.text("sequenceNumber", s.SequenceNumber())
	if s.duplicate {
		a = append(a, slog.Bool("duplicate", true))
	}
	return a
}

// String shows the id, the sequence number, and whether the message is a duplicate.
func (s Sent) String() string { return s.shown().in("Sent") }

// LogValue is what String shows as a group of attributes: id, sequenceNumber and duplicate, those
// that are not empty.
func (s Sent) LogValue() slog.Value { return slog.GroupValue(s.shown()...) }

func (s *Snapshot) shown() (a shown) {
	a.text("id", s.ID)
	a.text("group", s.GroupID)
	a.text("state", string(s.State))
	a.number("receiveCount", s.ReceiveCount)
	a.body(s.Body)
	return a
}

// String shows the id, the group, the state, the receive count and the beginning of the body.
func (s Snapshot) String() string { return s.shown().in("Snapshot") }

// LogValue is what String shows as a group of attributes: id, group, state, receiveCount and body,
// those that are not empty.
func (s Snapshot) LogValue() slog.Value { return slog.GroupValue(s.shown()...) }

func (d *DeadLetter) shown() (s shown) {
	s.text("id", d.ID)
	s.text("queue", d.Source)
	s.text("reason", d.Reason)
	s.text("group", d.GroupID)
	s.number("receiveCount", d.ReceiveCount)
	s.body(d.Body)
	return s
}

// String shows the id, the queue, the reason, the group, the receive count and the beginning of the
// body.
func (d DeadLetter) String() string { return d.shown().in("DeadLetter") }

// LogValue is what String shows as a group of attributes: id, queue, reason, group, receiveCount and
// body, those that are not empty.
func (d DeadLetter) LogValue() slog.Value { return slog.GroupValue(d.shown()...) }

func (e *Event) shown() (s shown) {
	s = append(s, slog.Uint64("seq", e.Seq))
	if !e.Time.IsZero() {
		s.text("at", e.Time.Format(time.RFC3339Nano))
	}
	s.text("kind", e.Kind.String())
	s.text("id", e.MessageID())
	s.text("group", e.GroupID)
	s.number("receiveCount", e.ReceiveCount)
	s.number("count", e.Count)
	if e.Err != nil {
		s.text("error", e.Err.Error())
	}
	s.body(e.Body)
	return s
}

// String shows the number, the time and the kind, and what there is of message id, group, receive
// count, count, error and the beginning of the body.
func (e Event) String() string { return e.shown().in("Event") }

// LogValue is what String shows as a group of attributes: seq, at, kind, id, group, receiveCount,
// count, error and body, those that are not empty.
func (e Event) LogValue() slog.Value { return slog.GroupValue(e.shown()...) }

// String shows the type and the name.
func (q *queue) String() string { return Config{Name: q.name, FIFO: q.fifo != nil}.String() }

// LogValue is what String shows.
func (q *queue) LogValue() slog.Value { return slog.StringValue(q.String()) }

// String shows the region and the account.
func (b *Broker) String() string { return "broker of account " + b.account + " in " + b.region }

// LogValue is what String shows.
func (b *Broker) LogValue() slog.Value { return slog.StringValue(b.String()) }

// String shows the id, the source, the status, and how many messages were moved.
func (t *MoveTask) String() string {
	return fmt.Sprintf("move task %s of queue %s, %s, %d of %d moved", t.id, t.Source(), t.Status(), t.Moved(), t.toMove)
}

// LogValue is what String shows.
func (t *MoveTask) LogValue() slog.Value { return slog.StringValue(t.String()) }

// String shows the path.
func (t *DeadLetterFile) String() string { return "dead-letter file " + t.path }

// String shows the ARN.
func (t deadLetterARN) String() string { return t.arn }
