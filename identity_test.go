package inq

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// identities are what a queue names its messages with, as one value.
type identities struct {
	id, number, handle string
	dedup              [2]uint64
}

func identitiesOf(n *identity, scope DeduplicationScope) identities {
	f := newFIFOState(scope)
	f.identify(n)
	return identities{
		id:     n.messageID(7).String(),
		number: n.sequenceNumber(7),
		handle: n.handle(receipt{seq: 7, slot: 3, receive: 2}),
		dedup:  f.dedupKey([]byte("order-1"), "customer-1"),
	}
}

func TestIdentity_OfAStoredKeyIsTheSame(t *testing.T) {
	for _, scope := range []DeduplicationScope{ScopeQueue, ScopeMessageGroup} {
		old := newIdentity(true)
		key, first := old.key, old.first
		again := storedIdentity(key, first, true)
		require.Equal(t, identitiesOf(old, scope), identitiesOf(again, scope))
		rc := receipt{seq: 1 << 40, slot: 9, receive: 4}
		got, err := again.parse(old.handle(rc))
		require.NoError(t, err)
		require.Equal(t, rc, got)
	}
}

// What a key makes is stored outside of this program too: this test fails where a change of the code
// would make former ids, handles or deduplication keys unknown.
func TestIdentity_NeverChangesItsMeaning(t *testing.T) {
	n := storedIdentity(sipKey{0x0706050403020100, 0x0f0e0d0c0b0a0908}, sequenceBase, true)
	want := identities{
		id:     "8932fd9d-71b2-47ba-8434-b91a7ff98a6b",
		number: "10000000000000000469",
		handle: "BwAAAAAAAAADAAAAAgAAAObyM8mTXfxS",
		dedup:  [2]uint64{0x2440a9a7b22656a0, 0xb0b8ff25368573f3},
	}
	require.Equal(t, want, identitiesOf(n, ScopeQueue))
	want.dedup = [2]uint64{0x4f707a581d0e714, 0x21c6322f55a79fc1}
	require.Equal(t, want, identitiesOf(n, ScopeMessageGroup))
}

func TestIdentity_NothingIsSharedWithAnotherKeyOrUse(t *testing.T) {
	a, b := newIdentity(true), newIdentity(true)
	x, y := identitiesOf(a, ScopeQueue), identitiesOf(b, ScopeQueue)
	require.NotEqual(t, x.id, y.id)
	require.NotEqual(t, x.handle, y.handle)
	require.NotEqual(t, x.dedup, y.dedup)
	require.NotEqual(t, x.dedup, identitiesOf(a, ScopeMessageGroup).dedup)

	f := newFIFOState(ScopeMessageGroup)
	f.identify(a)
	keys := map[sipKey]bool{}
	for _, k := range []sipKey{a.key, a.names, a.gaps, a.checks, f.dedupIDs, f.dedupIn} {
		require.False(t, keys[k])
		keys[k] = true
	}
	// An id in one group is not the other's name in a group of that id.
	require.NotEqual(t, f.dedupKey([]byte("a"), "b"), f.dedupKey([]byte("b"), "a"))
	require.NotEqual(t, f.dedupKey([]byte("a"), "a"), f.dedupKey([]byte("b"), "b"))
}

func TestIdentity_NumbersOfALaterQueueAreHigher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := newIdentity(true)
		time.Sleep(time.Millisecond)
		later := newIdentity(true)
		require.Equal(t, old.first+uint64(time.Millisecond), later.first)
		require.Len(t, later.sequenceNumber(0), 20)
	})
}

func TestIdentity_NoHashAllocates(t *testing.T) {
	n := newIdentity(true)
	f := newFIFOState(ScopeMessageGroup)
	f.identify(n)
	id, handle := strings.Repeat("x", 128), n.handle(receipt{seq: 1, slot: 1, receive: 1})
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_ = n.messageID(5)
		_, _ = n.parse(handle)
		_ = f.dedupKey([]byte(id), id)
	}))
}
