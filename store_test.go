package inq

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/require"
)

func TestStore_KeepsRecordsWhileItGrowsAndFindsThemByNumberOnly(t *testing.T) {
	for _, fifo := range []bool{false, true} {
		s := &store{isFIFO: fifo}
		const n = 3*chunkSize + 7
		for i := range n {
			slot := s.alloc()
			require.EqualValues(t, i+1, slot)
			r := s.at(slot)
			r.seq, r.state, r.body = uint64(i+100), stateReady, fmt.Sprint(i)
			if fifo {
				s.part(slot).dedup = r.body
			}
		}
		require.Equal(t, n, s.live)
		for i := range n {
			r := s.find(uint32(i+1), uint64(i+100))
			require.NotNil(t, r)
			require.Equal(t, fmt.Sprint(i), r.body)
			require.Nil(t, s.find(uint32(i+1), uint64(i+101)), "another message was there")
		}
		require.Nil(t, s.find(0, 0))
		require.Nil(t, s.find(n+1, 0))
		require.Nil(t, s.find(1<<31, 100))
		s.at(5).state = stateFree
		s.release(5)
		require.Nil(t, s.find(5, 104))
		require.EqualValues(t, 5, s.alloc(), "the slot freed last is used first")
		require.Empty(t, s.at(5).body)
	}
}

func TestStore_TenantsCostNothingWithoutGroups(t *testing.T) {
	s := &store{}
	for range 2 * chunkSize {
		s.setTenant(s.alloc(), 0)
	}
	require.Nil(t, s.tenants)
	last := uint32(2 * chunkSize)
	s.setTenant(last, 7)
	require.EqualValues(t, 7, s.tenant(last))
	require.Zero(t, s.tenant(1))
	require.Nil(t, s.tenants[0], "no message of this chunk has a group")
	s.setTenant(last, 0)
	require.Zero(t, s.tenant(last))
}

// watch collects weak pointers to what must be gone in the end.
type watch struct {
	names []string
	bytes []weak.Pointer[byte]
}

// text makes a string of its own and watches it.
func (w *watch) text(name string) string {
	s := fmt.Sprintf("%s-%d-%s", name[:1], len(w.names), strings.Repeat("x", 90)) // long enough to be an object of its own
	w.names = append(w.names, name)
	w.bytes = append(w.bytes, weak.Make(unsafe.StringData(s)))
	return s
}

func (w *watch) binary(name string) []byte {
	b := make([]byte, 100)
	w.names = append(w.names, name)
	w.bytes = append(w.bytes, weak.Make(&b[0]))
	return b
}

// left names what is still reachable after a collection.
func (w *watch) left() (names []string) {
	runtime.GC()
	runtime.GC()
	for i, p := range w.bytes {
		if p.Value() != nil {
			names = append(names, w.names[i])
		}
	}
	return names
}

// pass sends one message, all parts of which are watched, and has it gone. It is a function of its
// own so that nothing of it is left on the stack.
//
//go:noinline
func pass(t *testing.T, q *queue, w *watch, leave func(d *Delivery)) {
	ctx := context.Background()
	m := Message{Body: w.text("body"), TraceHeader: w.text("trace header"), SenderID: w.text("sender"), GroupID: w.text("group"),
		Attributes: map[string]Attribute{w.text("name"): {Type: "Binary", Binary: w.binary("value")}}}
	in := ReceiveInput{VisibilityTimeout: time.Second}
	if q.fifo != nil {
		m.DeduplicationID = w.text("deduplication id")
		in.AttemptID = w.text("attempt id")
	}
	s, err := q.Send(ctx, m)
	require.NoError(t, err)
	require.NotEmpty(t, s.ID())
	dst := make([]Delivery, 1)
	w.names = append(w.names, "room of the receive")
	w.bytes = append(w.bytes, weak.Make((*byte)(unsafe.Pointer(&dst[0]))))
	n, err := q.ReceiveInto(ctx, dst, in)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	// A long poll finds nothing and must keep nothing either.
	room := make([]Delivery, 4)
	w.names = append(w.names, "room of a wait")
	w.bytes = append(w.bytes, weak.Make((*byte)(unsafe.Pointer(&room[0]))))
	n, err = q.ReceiveInto(ctx, room, ReceiveInput{Wait: time.Millisecond})
	require.NoError(t, err)
	require.Zero(t, n)
	leave(&dst[0])
}

func TestStore_NothingOfAMessageThatIsGoneStaysReachable(t *testing.T) {
	ctx := context.Background()
	taken := DeadLetterFunc(func(context.Context, DeadLetter) error { return nil })
	for _, c := range []struct {
		name  string
		leave func(t *testing.T, q *queue, d *Delivery)
	}{
		{"deleted", func(t *testing.T, q *queue, d *Delivery) { require.NoError(t, d.Delete(ctx)) }},
		{"purged", func(t *testing.T, q *queue, _ *Delivery) { require.NoError(t, q.Purge(ctx)) }},
		{"expired", func(_ *testing.T, q *queue, _ *Delivery) { time.Sleep(time.Hour) }},
		{"buried", func(t *testing.T, q *queue, d *Delivery) { require.NoError(t, d.Bury(ctx, "test")) }},
		{"expired as poison", func(t *testing.T, q *queue, d *Delivery) {
			require.NoError(t, d.Return(ctx, 0))
			for range 4 {
				for _, d := range take(t, q, ReceiveInput{Max: 10}) {
					require.NoError(t, d.ChangeVisibility(ctx, 0))
				}
			}
			time.Sleep(time.Hour)
		}},
		{"closed", func(t *testing.T, q *queue, _ *Delivery) { require.NoError(t, q.Close()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, q *queue) {
				w := &watch{}
				kept := Message{Body: "stays", GroupID: "other", Delay: Zero} // so that the slab does
				sendAll(t, q, kept)
				take(t, q, ReceiveInput{VisibilityTimeout: time.Hour})
				for range 3 {
					if q.gone == nil {
						pass(t, q, w, func(d *Delivery) { c.leave(t, q, d) })
					}
				}
				time.Sleep(6 * time.Minute) // the ids of FIFO are remembered for five
				synctest.Wait()
				require.Empty(t, w.left())
				runtime.KeepAlive(q)
			}, WithRetention(30*time.Minute), WithDeadLetter(taken, 100), WithObserver(func([]Event) {}))
		})
	}
}

func TestStore_MemoryComesBackWhenALargeBacklogIsGone(t *testing.T) {
	heap := func() int {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	onBoth(t, func(t *testing.T, q *queue) {
		const n = 100_000
		ctx := context.Background()
		before := heap()
		for i := range n {
			m := Message{Body: fmt.Sprintf("%0100d", i), GroupID: fmt.Sprint("g", i)}
			if q.fifo == nil && i%3 == 0 {
				m.Delay = time.Minute
			}
			sendAll(t, q, m)
		}
		full := heap()
		require.Greater(t, full-before, 100*n, "the bodies alone")
		time.Sleep(2 * time.Minute)
		dst := make([]Delivery, 10)
		for left := n; left > 0; {
			k, err := q.ReceiveInto(ctx, dst, ReceiveInput{Max: 10})
			require.NoError(t, err)
			require.NotZero(t, k)
			require.NoError(t, q.DeleteAll(ctx, dst[:k]))
			left -= k
		}
		clear(dst)
		time.Sleep(10 * time.Minute)
		require.Zero(t, liveIn(q))
		require.Less(t, heap()-before, 256<<10, "of %d bytes", full-before)
		runtime.KeepAlive(q)
	})
}
