package inq

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// mirror is a recorder that knows the state of every message from what it is told alone, and finds what was
// not told: a transition that begins where no earlier one ended, and a message in a state that nobody
// announced.
type mirror struct {
	states map[uint64]state
	marks  uint64
	kept   atomic.Uint64 // calls keep what they caused when they hold the lock no more
	fails  error         // of keep, for marks beyond
	intact uint64
	faults []string
}

// watch makes m the recorder of q.
func (m *mirror) watch(q *queue) {
	m.states = map[uint64]state{}
	q.mu.Lock()
	q.recorder, q.watched = m, true
	q.mu.Unlock()
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

func (m *mirror) transition(q *queue, now int64, kind EventKind, slot uint32) {
	m.marks++
	r := q.store.at(slot)
	a, known := arrows[kind]
	in := func(states []state, s state) bool {
		for _, o := range states {
			if o == s {
				return true
			}
		}
		return false
	}
	from := m.states[r.seq]
	switch {
	case !known || !in(a.from, from):
		m.fault("message %d: %s from state %d", r.seq, kind, from)
	case !a.gone && !in(a.to, r.state):
		m.fault("message %d: %s to state %d", r.seq, kind, r.state)
	}
	switch {
	case a.gone:
		delete(m.states, r.seq)
	case kind == EventReceived && q.store.nodes.At(slot).Deadline <= now:
		m.states[r.seq] = stateReady // with visibility timeout 0 nobody sees it leave
	default:
		m.states[r.seq] = r.state
	}
}

func (m *mirror) change(_ *queue, _ int64, kind EventKind) {
	m.marks++
	if kind == EventPurged || kind == EventClosed {
		clear(m.states)
	}
}

func (m *mirror) mark() uint64 { return m.marks }

func (m *mirror) keep(mark uint64) error {
	for {
		kept := m.kept.Load()
		if mark <= kept || m.kept.CompareAndSwap(kept, mark) {
			if mark <= m.intact {
				return nil
			}
			return m.fails
		}
	}
}

func (m *mirror) fault(format string, args ...any) {
	m.faults = append(m.faults, fmt.Sprintf(format, args...))
}

// compare fails the test where the queue is not what the recorder was told.
func (m *mirror) compare(t testing.TB, q *queue) {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	live := 0
	for slot := uint32(1); slot < q.store.size; slot++ {
		r := q.store.at(slot)
		if r.state == stateFree {
			continue
		}
		live++
		if m.states[r.seq] != r.state {
			m.fault("message %d is in state %d, and was told to be in %d", r.seq, r.state, m.states[r.seq])
		}
	}
	if live != len(m.states) {
		m.fault("%d messages are there, and %d were told", live, len(m.states))
	}
	if q.errands&errandKeep != 0 {
		m.fault("somebody unlocked and did not wait for the recorder")
	}
	require.Empty(t, m.faults)
}

func TestRecorder_ACallWaitsForWhatItsTransitionWasRecordedAs(t *testing.T) {
	onBothTypes(t, func(s steps) {
		var m mirror
		m.watch(s.q)
		s.send("a-1")
		require.EqualValues(s, 1, m.kept.Load())
		s.counts(1, 0, 0)
		require.EqualValues(s, 1, m.kept.Load()) // nothing was told since
		d := s.one(0)
		require.EqualValues(s, 2, m.kept.Load())
		s.delete(*d)
		require.EqualValues(s, 3, m.kept.Load())
		m.compare(s, s.q)
	})
}

func TestRecorder_WhatCouldNotBeKeptIsNotAccepted(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx := s.Context()
		lost := errors.New("the disk is gone")
		var m mirror
		m.watch(s.q)
		s.send("a-1")
		d := s.one(0)
		m.fails = lost
		_, err := s.q.Send(ctx, s.message("b-1"))
		require.Equal(s, lost, err)
		sent, err := s.q.SendBatch(ctx, []Message{s.message("c-1"), s.message("d-1")})
		if sent == nil {
			require.Equal(s, lost, err)
		} else {
			var be *BatchError
			require.ErrorAs(s, err, &be)
			require.Len(s, be.Failed, 2)
			require.ErrorIs(s, be.Failed[0].Err, lost)
			require.Equal(s, []Sent{{}, {}}, sent)
		}
		require.Equal(s, lost, d.ChangeVisibility(ctx, 0))
		require.Equal(s, lost, s.q.Purge(ctx))
		_, err = s.q.Send(ctx, s.message("e-1"))
		require.Equal(s, lost, err)
		_, err = s.q.Receive(ctx, ReceiveInput{})
		require.Equal(s, lost, err)
	})
}

func TestRecorder_NoCallSucceedsWhoseTransitionCouldNotBeKept(t *testing.T) {
	lost := errors.New("the disk is gone")
	ctx := context.Background()
	fails := func(s steps, err error) {
		s.q.mu.Lock()
		defer s.q.mu.Unlock()
		s.q.recorder.(*mirror).fails = err
	}
	// finding receives when nothing is left but what was received too often.
	finding := func(in ReceiveInput) func(s steps, d *Delivery) error {
		return func(s steps, d *Delivery) error {
			fails(s, nil)
			s.change(d, 0)
			s.receive(10, Zero)
			s.receive(10, Zero)
			fails(s, lost)
			_, err := s.q.Receive(ctx, in)
			return err
		}
	}
	for name, do := range map[string]func(s steps, d *Delivery) error{
		"Send": func(s steps, _ *Delivery) error { _, err := s.q.Send(ctx, s.message("x-1")); return err },
		"SendBatch": func(s steps, _ *Delivery) error {
			_, err := s.q.SendBatch(ctx, []Message{s.message("x-1")})
			return err
		},
		"Receive": func(s steps, _ *Delivery) error { _, err := s.q.Receive(ctx, ReceiveInput{}); return err },
		"ReceiveInto": func(s steps, _ *Delivery) error {
			_, err := s.q.ReceiveInto(ctx, make([]Delivery, 1), ReceiveInput{})
			return err
		},
		"Receive that finds nothing":     finding(ReceiveInput{}),
		"Receive that waits for nothing": finding(ReceiveInput{Wait: time.Second}),
		"Delete":                         func(_ steps, d *Delivery) error { return d.Delete(ctx) },
		"DeleteBatch":                    func(s steps, d *Delivery) error { return s.q.DeleteBatch(ctx, []string{d.ReceiptHandle()}) },
		"DeleteAll":                      func(s steps, d *Delivery) error { return s.q.DeleteAll(ctx, []Delivery{*d}) },
		"ExtendAll":                      func(s steps, d *Delivery) error { return s.q.ExtendAll(ctx, []Delivery{*d}, time.Minute) },
		"ChangeVisibility":               func(_ steps, d *Delivery) error { return d.ChangeVisibility(ctx, time.Minute) },
		"ChangeVisibility to zero":       func(_ steps, d *Delivery) error { return d.ChangeVisibility(ctx, 0) },
		"ChangeVisibilityBatch": func(s steps, d *Delivery) error {
			return s.q.ChangeVisibilityBatch(ctx, []VisibilityChange{{d.ReceiptHandle(), time.Minute}})
		},
		"Return": func(_ steps, d *Delivery) error { return d.Return(ctx, 0) },
		"Bury":   func(_ steps, d *Delivery) error { return d.Bury(ctx, "why") },
		"Bury in a queue": func(s steps, d *Delivery) error {
			fails(s, nil)
			s.buriesIn(s.another("dead").asTarget(), 1)
			fails(s, lost)
			return d.Bury(ctx, "why")
		},
		"DeadLetter": func(s steps, _ *Delivery) error { return s.q.DeadLetter(ctx, DeadLetter{Body: "x", GroupID: "g"}) },
		"Purge":      func(s steps, _ *Delivery) error { return s.q.Purge(ctx) },
		"Configure": func(s steps, _ *Delivery) error {
			return s.q.configure(&patch{settings: settings{visibility: time.Minute}, set: setVisibility})
		},
		"a move task": func(s steps, _ *Delivery) error {
			task := s.redrive(RedriveInput{Destination: s.another("to").q.self})
			<-task.Done()
			return task.Err()
		},
		"a move task to somewhere else": func(s steps, _ *Delivery) error {
			task := s.redrive(RedriveInput{Destination: &collector{}})
			<-task.Done()
			return task.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBothTypes(t, func(s steps) {
				var m mirror
				m.watch(s.q)
				s.buriesIn(&script{}, 2)
				s.send("a-1", "b-1", "c-1")
				d := s.one(time.Hour)
				fails(s, lost)
				require.ErrorIs(s, do(s, d), lost)
				synctest.Wait()
				m.compare(s, s.q)
				require.Equal(s, m.marks, m.kept.Load())
			})
		})
	}
}

func TestRecorder_EachEntryOfABatchFailsOnceWhereItsPartCouldNotBeKept(t *testing.T) {
	lost := errors.New("the disk is gone")
	const n = 2*entriesAtOnce + 10
	onBothTypes(t, func(s steps) {
		var m mirror
		m.watch(s.q)
		s.send(many(n)...)
		var ds []Delivery
		for len(ds) < n {
			ds = append(ds, s.receive(mostAtOnce, time.Hour)...)
		}
		ds[3], ds[entriesAtOnce+3] = Delivery{source: &testStandard(s).queue}, Delivery{source: &testStandard(s).queue}
		m.intact, m.fails = m.marks+entriesAtOnce, lost
		var batch *BatchError
		require.ErrorAs(s, s.q.DeleteAll(context.Background(), ds), &batch)
		require.Equal(s, 1+n-entriesAtOnce, len(batch.Failed))
		require.Equal(s, 3, batch.Failed[0].Index)
		for i, f := range batch.Failed[1:] {
			require.Equal(s, BatchFailure{Index: entriesAtOnce + i, Err: lost}, f)
		}
	}, WithoutSQSLimits())
}
