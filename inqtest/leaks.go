package inqtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/inq"
)

// mostListed is how many cases of one thing a report lists.
const mostListed = 5

// Leaks returns what was left behind in the queues, as it is told at the end of the test: by Logf, or
// by Errorf of a server that is [Strict]. "" is nothing. It tells of
//
//   - messages in flight: whoever received them has neither deleted nor returned them, or has them wait
//     for another try;
//   - messages that were received, came back, and were not deleted since; dead letters that nobody has
//     received from their queue are none;
//   - deletes and extensions by handles whose receives were over, which Standard takes without an error:
//     a consumer that needs longer than its visibility timeout;
//   - long polls that still wait, at the end of a test a tenth of a second later outside a bubble;
//   - queues given to [Server.Watch] that nobody closed.
//
// Call it for a look in between. It looks at all messages, and in a bubble at what has happened so far.
func (s *Server) Leaks() string {
	r := report{begun: s.log.look().begun}
	for q := range s.queues() {
		r.messages(q, s.log)
		if n := q.Stats().WaitingReceives; n != 0 {
			r.line(q.Name(), fmt.Sprintf("%s still open", plural(n, "long poll")))
		}
	}
	r.lapses(s.log)
	s.mu.Lock()
	watched := s.watched
	s.mu.Unlock()
	for _, w := range watched {
		if _, err := w.queue.Counts(context.Background()); !errors.Is(err, inq.ErrClosed) && !errors.Is(err, inq.ErrQueueDoesNotExist) {
			r.line(w.queue.Name(), "never closed")
		}
	}
	if r.text.Len() == 0 {
		return ""
	}
	return "inqtest: left behind by " + s.tb.Name() + ":\n" + strings.TrimSuffix(r.text.String(), "\n")
}

// report is text about queues.
type report struct {
	begun time.Time
	text  strings.Builder
}

func (r *report) line(queue, text string) { fmt.Fprintf(&r.text, "  %s: %s\n", queue, text) }

// list writes a heading and the first few of n cases.
func (r *report) list(queue, heading string, cases []string, n int) {
	if n == 0 {
		return
	}
	r.line(queue, heading)
	for _, c := range cases {
		r.text.WriteString("    " + c + "\n")
	}
	if more := n - len(cases); more > 0 {
		fmt.Fprintf(&r.text, "    and %d more\n", more)
	}
}

// messages tells of messages that somebody has or had.
func (r *report) messages(q inq.Local, l *Log) {
	var inFlight, had []string
	nInFlight, nHad := 0, 0
	var here map[string]bool // ids of messages that were received in this queue; nil: nobody asked yet
	add := func(list *[]string, n *int, text string) {
		if *n++; *n <= mostListed {
			*list = append(*list, text)
		}
	}
	for m := range q.Messages() {
		switch about := fmt.Sprintf("%s %s received %s", short(m.ID), shown(m.Body), plural(m.ReceiveCount, "time")); {
		case m.State == inq.StateNotVisible && m.VisibleAt.IsZero():
			add(&inFlight, &nInFlight, about)
		case m.State == inq.StateNotVisible:
			add(&inFlight, &nInFlight, about+", visible again at "+since(r.begun, m.VisibleAt))
		case m.ReceiveCount > 0:
			if m.DeadLetterSourceARN != "" && here == nil {
				here = l.receivedIn(q.Name())
			}
			if m.DeadLetterSourceARN == "" || here[m.ID] {
				add(&had, &nHad, about)
			}
		}
	}
	r.list(q.Name(), plural(nInFlight, "message")+" in flight:", inFlight, nInFlight)
	r.list(q.Name(), plural(nHad, "message")+" received and never deleted:", had, nHad)
}

// receivedIn returns the ids of the messages that were received in a queue since they came there.
func (l *Log) receivedIn(queue string) map[string]bool {
	ids := map[string]bool{}
	v := l.look()
	for e := range v.all() {
		switch {
		case e.Queue != queue:
		case e.Kind == MovedIn:
			delete(ids, e.ID)
		case e.Kind == Received:
			ids[e.ID] = true
		}
	}
	return ids
}

// lapses tells of handles whose receives were over.
func (r *report) lapses(l *Log) {
	l.mu.Lock()
	late, n := l.late, l.lates
	l.mu.Unlock()
	if n == 0 {
		return
	}
	fmt.Fprintf(&r.text, "  %s by handles whose receives were over:\n", plural(n, "call"))
	for i := range late {
		e := &late[i]
		what := map[Kind]string{
			Deleted: "deleted", Extended: "extended", Released: "released",
		}[e.Kind]
		switch {
		case what != "":
		case e.Err != nil:
			what = "delete or change of visibility refused for"
		default:
			what = "change of visibility without effect for"
		}
		fmt.Fprintf(&r.text, "    %s at %s %s %s\n", e.Queue, since(r.begun, e.Time), what, strings.TrimSpace(short(e.ID)+" "+shown(e.Body)))
	}
	if more := n - len(late); more > 0 {
		fmt.Fprintf(&r.text, "    and %d more\n", more)
	}
}

// plural is a number of things in words.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
