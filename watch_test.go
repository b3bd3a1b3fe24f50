package inq_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// seen is what somebody was told of events.
func seen(to *[]string) func([]inq.Event) {
	return func(events []inq.Event) {
		for _, e := range events {
			text := e.Kind.String()
			if e.Late {
				text += " late"
			}
			if e.Err != nil {
				text += " refused"
			}
			*to = append(*to, text)
		}
	}
}

func TestWatch_TellsBesideTheObserverFromNowOn(t *testing.T) {
	ctx := context.Background()
	var observed, first, second []string
	q, err := inq.NewStandard("q", inq.WithObserver(seen(&observed)))
	require.NoError(t, err)
	defer q.Close()
	_, err = q.Send(ctx, inq.Message{Body: "a"})
	require.NoError(t, err)
	stop := q.Watch(seen(&first))
	q.Watch(seen(&second))
	_, err = q.Send(ctx, inq.Message{Body: "b"})
	require.NoError(t, err)
	stop()
	stop()
	require.NoError(t, q.Purge(ctx))
	assert.Equal(t, []string{"sent", "sent", "purged"}, observed)
	assert.Equal(t, []string{"sent"}, first)
	assert.Equal(t, []string{"sent", "purged"}, second)

	require.NoError(t, q.Configure(inq.WithObserver(nil)))
	_, err = q.Send(ctx, inq.Message{Body: "c"})
	require.NoError(t, err)
	assert.Equal(t, []string{"sent", "purged", "configured", "sent"}, second, "an observer that goes takes no watcher along")
}

func TestWatch_OnWhatIsNoQueue(t *testing.T) {
	new(inq.Standard).Watch(func([]inq.Event) {})()
	q, err := inq.NewStandard("q")
	require.NoError(t, err)
	q.Watch(nil)()
	require.NoError(t, q.Close())
	q.Watch(func([]inq.Event) { t.Error("told of a closed queue") })()
	require.NoError(t, q.Close())
}

func TestWithWatcher_TellsOfEveryQueue(t *testing.T) {
	ctx := context.Background()
	var told []string
	b, err := inq.NewBroker(inq.WithWatcher(func(q inq.Local, events []inq.Event) {
		for _, e := range events {
			told = append(told, q.Name()+" "+e.Kind.String())
		}
	}))
	require.NoError(t, err)
	defer b.Close()
	dead, err := b.CreateStandard("dead")
	require.NoError(t, err)
	q, err := b.CreateStandard("q", inq.WithDeadLetter(dead, 1), inq.WithVisibilityTimeout(0))
	require.NoError(t, err)
	_, err = q.Send(ctx, inq.Message{Body: "a"})
	require.NoError(t, err)
	for range 2 {
		_, err = q.Receive(ctx, inq.ReceiveInput{})
		require.NoError(t, err)
	}
	assert.ElementsMatch(t, []string{"q sent", "q received", "q leaving", "q dead-lettered", "dead moved in"}, told)
}

// Late is what a consumer that takes too long looks like.
func TestEvent_LateIsAHandleWhoseReceiveIsOver(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(ctx context.Context, q inq.Local, first, second inq.Delivery) error
		want []string
		fifo []string
	}{
		{"delete by the first", func(ctx context.Context, _ inq.Local, first, _ inq.Delivery) error { return first.Delete(ctx) },
			[]string{"deleted late"}, []string{"lapsed refused"}},
		{"delete by the second", func(ctx context.Context, _ inq.Local, _, second inq.Delivery) error { return second.Delete(ctx) },
			[]string{"deleted"}, []string{"deleted"}},
		{"batch by the first", func(ctx context.Context, q inq.Local, first, _ inq.Delivery) error {
			return q.DeleteBatch(ctx, []string{first.ReceiptHandle()})
		}, []string{"deleted late"}, []string{"lapsed refused"}},
		{"extend by the first", func(ctx context.Context, _ inq.Local, first, _ inq.Delivery) error {
			return first.ChangeVisibility(ctx, time.Minute)
		}, []string{"extended late"}, []string{"lapsed refused"}},
		{"extend all by the first", func(ctx context.Context, q inq.Local, first, _ inq.Delivery) error {
			return q.ExtendAll(ctx, []inq.Delivery{first}, time.Minute)
		}, []string{"extended late"}, []string{"lapsed refused"}},
		{"release by the first", func(ctx context.Context, _ inq.Local, first, _ inq.Delivery) error {
			return first.ChangeVisibility(ctx, 0)
		},
			[]string{"released late"}, []string{"lapsed refused"}},
		{"extend when visible", func(ctx context.Context, _ inq.Local, _, second inq.Delivery) error {
			time.Sleep(30 * time.Second)
			synctest.Wait() // the timer was there before
			return second.ChangeVisibility(ctx, time.Minute)
		}, []string{"timed out", "lapsed"}, []string{"timed out", "lapsed refused"}},
		{"delete when visible", func(ctx context.Context, _ inq.Local, _, second inq.Delivery) error {
			time.Sleep(30 * time.Second)
			synctest.Wait() // the timer was there before
			return second.Delete(ctx)
		}, []string{"timed out", "deleted late"}, []string{"timed out", "lapsed refused"}},
	} {
		for _, fifo := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx := t.Context()
					var q inq.Local
					var err error
					want := c.want
					if fifo {
						want = c.fifo
						q, err = inq.NewFIFO("q.fifo", inq.WithContentBasedDeduplication(true))
					} else {
						q, err = inq.NewStandard("q")
					}
					require.NoError(t, err)
					defer q.Close()
					_, err = q.Send(ctx, inq.Message{Body: "a", GroupID: "g"})
					require.NoError(t, err)
					first, err := q.Receive(ctx, inq.ReceiveInput{})
					require.NoError(t, err)
					time.Sleep(30 * time.Second)
					second, err := q.Receive(ctx, inq.ReceiveInput{})
					require.NoError(t, err)
					var told []string
					q.Watch(seen(&told))
					err = c.do(ctx, q, first[0], second[0])
					if fifo && want[len(want)-1] == "lapsed refused" {
						require.ErrorIs(t, err, inq.ErrReceiptHandleExpired)
					} else {
						require.NoError(t, err)
					}
					assert.Equal(t, want, told)
				})
			})
		}
	}
}
