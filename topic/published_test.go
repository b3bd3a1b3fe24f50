package topic

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestWithPublished_TellsBeforeSubscribersHaveIt(t *testing.T) {
	ctx := context.Background()
	for _, fifo := range []bool{false, true} {
		var told []string
		a, err := NewAccount(WithPublished(func(at *Topic, m *Message, p Published) {
			text := at.Name() + " " + m.Body
			if p.Duplicate() {
				text += " duplicate"
			}
			told = append(told, text)
			assert.NotEmpty(t, p.MessageID())
		}))
		require.NoError(t, err)
		var q inq.Local
		var top *Topic
		m := Message{Body: "one"}
		if fifo {
			q, err = inq.NewFIFO("q.fifo", inq.WithObserver(func([]inq.Event) { told = append(told, "in the queue") }))
			require.NoError(t, err)
			top, err = a.CreateFIFO("t.fifo")
			m.GroupID, m.DeduplicationID = "g", "d"
		} else {
			q, err = inq.NewStandard("q", inq.WithObserver(func([]inq.Event) { told = append(told, "in the queue") }))
			require.NoError(t, err)
			top, err = a.CreateStandard("t")
		}
		require.NoError(t, err)
		_, err = top.Subscribe(Queue(q))
		require.NoError(t, err)
		_, err = top.Publish(ctx, m)
		require.NoError(t, err)
		_, err = top.PublishBatch(ctx, []Message{m})
		require.NoError(t, err)
		if fifo {
			assert.Equal(t, []string{"t.fifo one", "in the queue", "t.fifo one duplicate"}, told)
		} else {
			assert.Equal(t, []string{"t one", "in the queue", "t one", "in the queue"}, told)
		}
		_, err = top.Publish(ctx, Message{})
		require.Error(t, err)
		assert.Len(t, told, map[bool]int{true: 3, false: 4}[fifo], "what is refused was not published")
		require.NoError(t, a.Close())
		require.NoError(t, q.Close())
	}
}
