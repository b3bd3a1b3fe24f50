package inq

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// steps tells a story about one queue: each method is one call that must succeed.
type steps struct {
	testing.TB
	q *queue
}

// standardSteps begins a story on a fresh Standard queue.
func standardSteps(t testing.TB, opts ...StandardOption) steps {
	return steps{t, &testStandard(t, opts...).queue}
}

// fifoSteps begins a story on a fresh FIFO queue.
func fifoSteps(t testing.TB, opts ...FIFOOption) steps {
	return steps{t, &testFIFO(t, opts...).queue}
}

// scene runs f in a bubble of virtual time, as a subtest.
func scene(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// onBothTypes runs f on a Standard and on a FIFO queue, each in its own bubble.
func onBothTypes(t *testing.T, f func(s steps), opts ...Option) {
	t.Helper()
	scene(t, "standard", func(t *testing.T) { f(standardSteps(t, Options(opts...))) })
	scene(t, "fifo", func(t *testing.T) { f(fifoSteps(t, Options(opts...))) })
}

// message makes a valid message for the queue. On FIFO the group is what stands before the hyphen,
// and the body is the deduplication id.
func (s steps) message(body string) Message {
	m := Message{Body: body}
	if s.q.fifo != nil {
		m.GroupID, _, _ = strings.Cut(body, "-")
		m.DeduplicationID = body
	}
	return m
}

// send sends messages one by one. Like all of these that return nothing, it may be called in any
// goroutine.
func (s steps) send(bodies ...string) {
	s.Helper()
	for _, b := range bodies {
		_, err := s.q.Send(context.Background(), s.message(b))
		assert.NoError(s, err)
	}
}

// receive takes messages with a short poll.
func (s steps) receive(most int, visibility time.Duration) []Delivery {
	s.Helper()
	ds, err := s.q.Receive(context.Background(), ReceiveInput{Max: most, Wait: Zero, VisibilityTimeout: visibility})
	require.NoError(s, err)
	return ds
}

// gets takes messages with a short poll and compares their bodies.
func (s steps) gets(most int, visibility time.Duration, want ...string) []Delivery {
	s.Helper()
	ds := s.receive(most, visibility)
	require.Equal(s, want, bodiesOf(ds))
	return ds
}

// one takes exactly one message.
func (s steps) one(visibility time.Duration) *Delivery {
	s.Helper()
	ds := s.receive(1, visibility)
	require.Len(s, ds, 1)
	return &ds[0]
}

// delete deletes messages one by one.
func (s steps) delete(ds ...Delivery) {
	s.Helper()
	for i := range ds {
		assert.NoError(s, s.q.Delete(context.Background(), ds[i].ReceiptHandle()))
	}
}

// change changes a visibility timeout.
func (s steps) change(d *Delivery, timeout time.Duration) {
	s.Helper()
	assert.NoError(s, s.q.ChangeVisibility(context.Background(), d.ReceiptHandle(), timeout))
}

// counts compares the three counters.
func (s steps) counts(visible, notVisible, delayed int) {
	s.Helper()
	c, err := s.q.Counts(context.Background())
	require.NoError(s, err)
	require.Equal(s, Counts{Visible: visible, NotVisible: notVisible, Delayed: delayed}, c)
}

// loseTimer makes the timer late without end: what is due must be found by whoever looks.
func (s steps) loseTimer() {
	s.q.mu.Lock()
	defer s.q.mu.Unlock()
	s.q.timer.Stop()
}

// bodiesOf returns the bodies in order, nil for none.
func bodiesOf(ds []Delivery) (bodies []string) {
	for i := range ds {
		bodies = append(bodies, ds[i].Body)
	}
	return bodies
}
