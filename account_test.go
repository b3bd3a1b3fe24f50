package inq

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBroker_QueueURL_IsMadeWithoutAQueueAndWithoutARequest(t *testing.T) {
	b := testBroker(t, WithAccount("123456789012"))
	for _, base := range []string{"http://127.0.0.1:9324", "http://127.0.0.1:9324/"} {
		require.Equal(t, "http://127.0.0.1:9324/123456789012/jobs.fifo", b.QueueURL(base, "jobs.fifo"))
	}
	require.Equal(t, "https://example.com/sqs/123456789012/jobs", b.QueueURL("https://example.com/sqs", "jobs"))
	require.NoError(t, b.Close())
	require.Equal(t, "/123456789012/jobs", b.QueueURL("", "jobs"), "also of a closed broker")
}

// holder is an account that is no Broker: one queue, and a say in its dead-letter target.
type holder struct {
	dead     *queue
	refusal  error
	admitted int
	told     int // of a target that has changed
	pause    time.Duration
}

func (h *holder) queueOf(arn string) (*queue, error) {
	if h.dead == nil || h.dead.arn != arn {
		return nil, ErrQueueDoesNotExist
	}
	return h.dead, nil
}

func (h *holder) admit(*queue, *patch) error {
	h.admitted++
	return h.refusal
}

func (h *holder) retargeted(*queue) { h.told++ }

func (h *holder) isDeadLetterQueue(q *queue) bool { return q == h.dead }
func (h *holder) purgeCooldown() time.Duration    { return h.pause }

// TestAccount_IsAllThatAQueueAsksOfWhoeverHoldsIt has a queue of an account that is no broker: what
// a broker can do for its queues goes through the interface.
func TestAccount_IsAllThatAQueueAsksOfWhoeverHoldsIt(t *testing.T) {
	ctx := context.Background()
	h := &holder{pause: time.Minute}
	held := func(name string) *Standard {
		q, err := newStandard(name, queueARN("here", "123456789012", name), h, &patch{})
		require.NoError(t, err)
		t.Cleanup(func() {
			checkInvariants(t, &q.queue)
			require.NoError(t, q.Close())
		})
		return q
	}
	q, dead := held("q"), held("dead")

	to := deadLetterARN{h, dead.ARN()}
	require.NoError(t, q.Configure(WithDeadLetter(to, 1), WithVisibilityTimeout(0)))
	require.Equal(t, [2]int{1, 1}, [2]int{h.admitted, h.told})
	require.Equal(t, DeadLetterTarget(to), q.Config().DeadLetter, "while there is no queue")
	send(t, q, "m")
	require.Equal(t, []string{"m"}, receiveBodies(t, q))
	require.Equal(t, []string{"m"}, receiveBodies(t, q), "and it is delivered from its source")

	h.dead = &dead.queue
	require.Equal(t, DeadLetterTarget(dead), q.Config().DeadLetter)
	require.Empty(t, receiveBodies(t, q))
	require.Equal(t, 1, dead.Stats().Visible)
	require.NoError(t, to.DeadLetter(ctx, DeadLetter{Body: "by hand"}))
	require.Equal(t, 2, dead.Stats().Visible)

	h.refusal = ErrFull
	require.ErrorIs(t, q.Configure(WithDeadLetter(nil, 0)), ErrFull)
	require.Equal(t, 1, q.Config().MaxReceives, "nothing is changed")

	_, err := q.Redrive(ctx, RedriveInput{})
	require.ErrorIs(t, err, ErrNotDeadLetterQueue)
	task, err := dead.Redrive(ctx, RedriveInput{Destination: q})
	require.NoError(t, err)
	<-task.Done()
	require.Equal(t, 2, task.Moved())

	require.NoError(t, q.Purge(ctx))
	require.ErrorIs(t, q.Purge(ctx), ErrPurgeInProgress)
	h.pause = 0
	require.NoError(t, q.Purge(ctx))
}
