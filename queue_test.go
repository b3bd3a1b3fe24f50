package inq

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// testStandard makes a queue whose invariants are checked when the test ends.
func testStandard(t testing.TB, opts ...StandardOption) *Standard {
	t.Helper()
	q, err := NewStandard("queue", opts...)
	require.NoError(t, err)
	t.Cleanup(func() {
		checkInvariants(t, &q.queue)
		require.NoError(t, q.Close())
	})
	return q
}

// testFIFO makes a queue whose invariants are checked when the test ends.
func testFIFO(t testing.TB, opts ...FIFOOption) *FIFO {
	t.Helper()
	q, err := NewFIFO("queue.fifo", opts...)
	require.NoError(t, err)
	t.Cleanup(func() {
		checkInvariants(t, &q.queue)
		require.NoError(t, q.Close())
	})
	return q
}
