package inqtest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"example.com/inq"
)

// Story returns the life of one message: a line for everything that happened to it, in all queues it was
// in, with the time since the server was made, and a last one that tells why it is not delivered now, see
// [inq.Standard.Explain]. An id can be cut to what is unique, such as the eight characters that a log
// shows. What the log does not know, or no longer, is said.
func (s *Server) Story(id string) string {
	v := s.log.look()
	var ids []string
	for e := range v.all() {
		if id != "" && strings.HasPrefix(e.ID, id) && !slices.Contains(ids, e.ID) {
			ids = append(ids, e.ID)
		}
	}
	switch {
	case len(ids) == 0:
		return fmt.Sprintf("The log knows no message %q.", id)
	case len(ids) > 1:
		return fmt.Sprintf("The log knows %d messages that begin with %q.", len(ids), id)
	}
	id = ids[0]
	var b strings.Builder
	var queues []string
	width := 8
	for e := range v.all() {
		if e.ID == id {
			width = max(width, len(since(v.begun, e.Time)))
		}
	}
	fmt.Fprintf(&b, "message %s\n", id)
	for e := range v.all() {
		if e.ID == id {
			fmt.Fprintf(&b, "%*s  %s\n", width, since(v.begun, e.Time), e.line(""))
			if i := slices.Index(queues, e.Queue); i >= 0 {
				queues = slices.Delete(queues, i, i+1)
			}
			queues = append(queues, e.Queue)
		}
	}
	slices.Reverse(queues)
	b.WriteString(s.now(id, queues))
	return b.String()
}

// now tells where the message is, of queues that had it, the last one first.
func (s *Server) now(id string, queues []string) string {
	for _, name := range queues {
		for q := range s.queues() {
			if q.Name() != name {
				continue
			}
			e, err := q.Explain(context.Background(), id)
			if err == nil && e.Obstacle != inq.ObstacleGone {
				return fmt.Sprintf("now in %s: %s", name, e)
			}
		}
	}
	return "now: The message is gone."
}
