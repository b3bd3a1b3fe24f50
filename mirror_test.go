package inq

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// mirror is an observer that knows in which states every message can be from the events alone, and finds what
// was not told: a transition that begins where no earlier one ended, and a message in a state that nobody
// announced.
type mirror struct {
	mu     sync.Mutex // guards everything below
	states map[uint64][]state
	faults []string
}

// watch makes m the observer of q.
func (m *mirror) watch(q *queue) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := *q.settings.Load()
	s.observer = m.observe
	q.settings.Store(&s)
	q.watched, q.heard = true, true
}

// arrows are the states that a transition may begin in, the states it may end in, and whether the message
// is gone after it.
var arrows = map[EventKind]struct {
	from, to []state
	gone     bool
}{
	EventSent:             {from: []state{stateFree}, to: []state{stateDelayed, stateReady}},
	EventMovedIn:          {from: []state{stateFree}, to: []state{stateReady, stateAdopted}},
	EventArrived:          {from: []state{stateDelayed}, to: []state{stateReady}},
	EventReceived:         {from: []state{stateReady}, to: []state{stateInFlight}},
	EventRepeated:         {from: []state{stateInFlight}, to: []state{stateInFlight}},
	EventExtended:         {from: []state{stateInFlight, stateBurying}, to: []state{stateInFlight, stateBurying}},
	EventTimedOut:         {from: []state{stateInFlight, stateBurying}, to: []state{stateReady}},
	EventReleased:         {from: []state{stateInFlight}, to: []state{stateReady}},
	EventMovedBack:        {from: []state{stateReady}, to: []state{stateReady}},
	EventReturned:         {from: []state{stateInFlight}, to: []state{stateReady, stateDelayed}},
	EventDeleted:          {from: []state{stateReady, stateDelayed, stateInFlight, stateBurying, stateBackoff}, gone: true},
	EventLeaving:          {from: []state{stateReady, stateInFlight}, to: []state{stateBurying}},
	EventDeadLettered:     {from: []state{stateBurying}, gone: true},
	EventDeadLetterFailed: {from: []state{stateBurying, stateReady, stateInFlight}, to: []state{stateBackoff, stateInFlight, stateBurying, stateReady}},
	EventPutBack:          {from: []state{stateBurying, stateBackoff}, to: []state{stateReady}},
	EventMovedOut:         {from: []state{stateBurying}, gone: true},
	EventExpired:          {from: []state{stateReady, stateDelayed, stateInFlight, stateBurying, stateBackoff}, gone: true},
}

func (m *mirror) observe(events []Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.states == nil {
		m.states = map[uint64][]state{}
	}
	for i := range events {
		m.note(&events[i])
	}
}

// note follows one event. Where it can end in several states, what comes next tells which it was.
func (m *mirror) note(e *Event) {
	switch e.Kind {
	case EventPurged, EventClosed:
		clear(m.states)
		return
	case EventConfigured, EventDeduplicated, EventLapsed:
		return
	}
	a, known := arrows[e.Kind]
	from, here := m.states[e.seq]
	if !here {
		from = []state{stateFree}
	}
	from = common(from, a.from)
	if !known || len(from) == 0 {
		m.fault("message %d: %s from %v", e.seq, e.Kind, m.states[e.seq])
	}
	switch {
	case a.gone:
		delete(m.states, e.seq)
	case e.Kind == EventReceived: // with visibility timeout 0 nobody sees it leave
		m.states[e.seq] = []state{stateInFlight, stateReady}
	case e.Kind == EventExtended:
		m.states[e.seq] = from
	default:
		m.states[e.seq] = a.to
	}
}

func common(a, b []state) (c []state) {
	for _, s := range a {
		if slices.Contains(b, s) {
			c = append(c, s)
		}
	}
	return c
}

func (m *mirror) fault(format string, args ...any) {
	m.faults = append(m.faults, fmt.Sprintf(format, args...))
}

// compare fails the test where the queue is not what the observer was told, once it was told all.
func (m *mirror) compare(t testing.TB, q *queue) {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.delivering || len(q.events) != 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	live := 0
	for slot := uint32(1); slot < q.store.size; slot++ {
		r := q.store.at(slot)
		if r.state == stateFree {
			continue
		}
		live++
		if !slices.Contains(m.states[r.seq], r.state) {
			m.fault("message %d is in state %d, and was told to be in one of %d", r.seq, r.state, m.states[r.seq])
		}
	}
	if live != len(m.states) {
		m.fault("%d messages are there, and %d were told", live, len(m.states))
	}
	require.Empty(t, m.faults)
}
