package inq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Queues are made and dropped while the log is short of room, so that calls are held up until something was
// carried: whoever carries needs the locks under which queues are made and dropped.
func TestJournal_QueuesComeAndGoWhileRoomIsMade(t *testing.T) {
	j, err := OpenJournal("journal", InMemory(), WithSegmentSize(64<<10), WithMaxDisk(1<<20))
	require.NoError(t, err)
	ctx := context.Background()
	fine := func(err error) bool { return err == nil || errors.Is(err, ErrJournalFull) }
	kept, err := NewStandard("kept", WithJournal(j))
	require.NoError(t, err)
	for range 40 {
		_, err := kept.Send(ctx, Message{Body: strings.Repeat("k", 1000)})
		require.NoError(t, err)
	}
	var wg sync.WaitGroup
	for i := range 3 {
		q, err := NewStandard(fmt.Sprint("busy-", i), WithJournal(j))
		require.NoError(t, err)
		wg.Go(func() {
			for range 1000 {
				_, err := q.Send(ctx, Message{Body: strings.Repeat("x", 3000)})
				assert.True(t, fine(err), err)
				ds, err := q.Receive(ctx, ReceiveInput{Max: 10, Wait: Zero})
				assert.True(t, fine(err), err)
				for _, d := range ds {
					err := d.Delete(ctx)
					assert.True(t, fine(err), err)
				}
			}
		})
	}
	for i := range 2 {
		wg.Go(func() {
			for n := range 60 {
				name := fmt.Sprintf("dropped-%d-%d", i, n%3)
				q, err := NewStandard(name, WithJournal(j))
				if assert.True(t, fine(err), err); err != nil {
					continue
				}
				for range 20 {
					_, err = q.Send(ctx, Message{Body: strings.Repeat("x", 1000)})
					assert.True(t, fine(err), err)
				}
				assert.NoError(t, q.Close())
				err = j.Drop(name)
				assert.True(t, fine(err), err)
			}
		})
	}
	wg.Wait()
	ds, err := kept.Receive(ctx, ReceiveInput{Max: 10})
	require.NoError(t, err)
	require.Len(t, ds, 10)
	require.NoError(t, j.Close())
}
