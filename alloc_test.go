package inq

import (
	"context"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestAllocations_PerMessage holds what a message costs the garbage collector. The queues are warm:
// a first message pays for the slab.
func TestAllocations_PerMessage(t *testing.T) {
	ctx := context.Background()
	dst := make([]Delivery, 10)
	batch := make([]Message, 10)
	for i := range batch {
		batch[i].Body = benchBody
	}
	receiveAndDelete := func(q *queue) {
		n, err := q.ReceiveInto(ctx, dst, ReceiveInput{Max: 10})
		must(t, err)
		must(t, q.DeleteAll(ctx, dst[:n]))
	}
	fifo := testFIFO(t)
	standard := testStandard(t)
	fair := testStandard(t)
	id := 0
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = string(rune('!'+i/90)) + string(rune('!'+i%90))
	}
	for _, c := range []struct {
		name string
		want float64
		run  func()
	}{
		{"send, ReceiveInto, Delivery.Delete", 0, func() {
			_, err := standard.Send(ctx, Message{Body: benchBody})
			must(t, err)
			n, err := standard.ReceiveInto(ctx, dst, ReceiveInput{})
			must(t, err)
			require.Equal(t, 1, n)
			must(t, dst[0].Delete(ctx))
		}},
		{"send, Receive, Delivery.Delete: the slice", 1, func() {
			_, err := standard.Send(ctx, Message{Body: benchBody})
			must(t, err)
			ds, err := standard.Receive(ctx, ReceiveInput{})
			must(t, err)
			must(t, ds[0].Delete(ctx))
		}},
		{"send with the id, Receive, Delete by the handle: the slice and two strings", 3, func() {
			sent, err := standard.Send(ctx, Message{Body: benchBody})
			must(t, err)
			if sent.ID() == "" {
				t.Fatal("no id")
			}
			ds, err := standard.Receive(ctx, ReceiveInput{})
			must(t, err)
			must(t, standard.Delete(ctx, ds[0].ReceiptHandle()))
		}},
		{"batch of ten: the slice of Sent", 1, func() {
			_, err := standard.SendBatch(ctx, batch)
			must(t, err)
			receiveAndDelete(&standard.queue)
		}},
		{"ChangeVisibility", 0, func() {
			_, err := standard.Send(ctx, Message{Body: benchBody})
			must(t, err)
			_, err = standard.ReceiveInto(ctx, dst, ReceiveInput{})
			must(t, err)
			must(t, dst[0].ChangeVisibility(ctx, time.Minute))
			must(t, dst[0].Delete(ctx))
		}},
		{"a message of a tenant that has others", 0, func() {
			_, err := fair.Send(ctx, Message{Body: benchBody, GroupID: "tenant"})
			must(t, err)
			receiveAndDelete(&fair.queue)
		}},
		{"FIFO with an id of its own: room for the window", 1, func() {
			_, err := fifo.Send(ctx, Message{Body: benchBody, GroupID: "group", DeduplicationID: ids[id]})
			must(t, err)
			id++
			receiveAndDelete(&fifo.queue)
		}},
		{"FIFO duplicate", 0, func() {
			_, err := fifo.Send(ctx, Message{Body: benchBody, GroupID: "group", DeduplicationID: ids[0]})
			must(t, err)
		}},
	} {
		c.run()
		require.LessOrEqual(t, testing.AllocsPerRun(200, c.run), c.want, c.name)
	}
}

func TestAllocations_AWaitThatIsServedOrEndsAllocatesNothing(t *testing.T) {
	q, ctx := testStandard(t), context.Background()
	dst := make([]Delivery, 1)
	run := func() {
		n, err := q.ReceiveInto(ctx, dst, ReceiveInput{Wait: time.Microsecond})
		must(t, err)
		require.Zero(t, n)
	}
	run()
	require.Zero(t, testing.AllocsPerRun(50, run))
}

// TestMemory_BytesPerMessage holds what a message costs beyond its body: see BenchmarkMemory for a
// million of them.
func TestMemory_BytesPerMessage(t *testing.T) {
	const n = 200_000
	require.LessOrEqual(t, standardBytes(t, n), 112.0)
	require.LessOrEqual(t, fifoBytes(t, n), 280.0)
	require.LessOrEqual(t, unsafe.Sizeof(Delivery{}), uintptr(128))
	// A record has three words that hold addresses or lengths, a group two.
	const word = unsafe.Sizeof(uintptr(0))
	require.Equal(t, 48+3*word, unsafe.Sizeof(record{}))
	require.Equal(t, 32+2*word, unsafe.Sizeof(group{}))
}
