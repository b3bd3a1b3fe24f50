package topic

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// What the stress test proves, of Standard and of FIFO topics, while publishers, changes of
// subscriptions, failing targets and a consumer of a small queue run at once:
//
//   - Every copy ends once: Delivered, Deduplicated, DeadLettered and Failed add up to what was published.
//   - What a target or a queue was given is what is counted as delivered, and dead letters likewise.
//   - On a FIFO topic no target gets messages of a group out of order, however they fail.
//   - Nobody waits for ever, and nothing races.
//
// It runs in a bubble, since retries take their time. STRESS_TEST_PUBLISHES is how many messages each
// publisher publishes.
func TestStress(t *testing.T) {
	publishes := 400
	if text := os.Getenv("STRESS_TEST_PUBLISHES"); text != "" {
		var err error
		publishes, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	for _, fifo := range []bool{false, true} {
		t.Run(fmt.Sprint("fifo=", fifo), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { stress(t, fifo, publishes) })
		})
	}
}

// stressTarget counts, fails now and then, and watches the order of groups.
type stressTarget struct {
	fifo  bool
	mu    sync.Mutex
	last  map[string]int
	taken map[string]int
}

func (s *stressTarget) Deliver(_ context.Context, n *Notification) error {
	switch rand.IntN(10) {
	case 0:
		return errors.New("fails")
	case 1:
		if n.Attempt > 1 {
			return ErrRejected
		}
	case 2:
		panic("breaks")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken[n.Message]++
	if s.fifo {
		var number int
		_, _ = fmt.Sscan(n.Message, &number)
		if number <= s.last[n.GroupID] {
			s.last["wrong"]++
		}
		s.last[n.GroupID] = number
	}
	return nil
}

func stress(t *testing.T, fifo bool, publishes int) {
	ctx := context.Background()
	b, err := inq.NewBroker(inq.WithoutCooldowns())
	require.NoError(t, err)
	defer b.Close()
	a, err := NewAccount(WithBroker(b), WithoutSNSLimits(), WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	var topic *Topic
	var full, dead inq.Queue
	retry := WithDeliveryPolicy(`{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":1,"numRetries":2,"numNoDelayRetries":2}}`)
	if fifo {
		topic, err = a.CreateFIFO("t.fifo")
		require.NoError(t, err)
		full, err = b.CreateFIFO("full.fifo", inq.WithCapacity(50, 0))
		require.NoError(t, err)
		dead, err = b.CreateFIFO("dead.fifo", inq.WithDeduplicationScope(inq.ScopeMessageGroup))
		require.NoError(t, err)
	} else {
		topic, err = a.CreateStandard("t")
		require.NoError(t, err)
		full, err = b.CreateStandard("full", inq.WithCapacity(50, 0))
		require.NoError(t, err)
		dead, err = b.CreateStandard("dead")
		require.NoError(t, err)
	}
	target := &stressTarget{fifo: fifo, last: map[string]int{}, taken: map[string]int{}}
	steady, err := topic.Subscribe(target, retry, WithDeadLetter(dead), WithRawDelivery())
	require.NoError(t, err)
	filtered, err := topic.Subscribe(&stressTarget{fifo: fifo, last: map[string]int{}, taken: map[string]int{}}, retry, WithFilter(`{"k":["1"]}`))
	require.NoError(t, err)
	queued, err := topic.Subscribe(Queue(full), WithRawDelivery())
	require.NoError(t, err)

	var publishing, others sync.WaitGroup
	var over atomic.Bool
	var published, matching atomic.Uint64
	var number atomic.Int64
	numbering := make([]sync.Mutex, 4) // by group: its messages have to be published in the order of their numbers
	for range 4 {
		publishing.Go(func() {
			for range publishes {
				group := rand.IntN(4)
				if fifo {
					numbering[group].Lock()
				}
				n := number.Add(1)
				k := fmt.Sprint(rand.IntN(3))
				m := Message{Body: fmt.Sprint(n), GroupID: fmt.Sprint("g", group), Attributes: map[string]inq.Attribute{"k": inq.String(k)}}
				if fifo {
					m.DeduplicationID = m.Body
				}
				_, err := topic.Publish(ctx, m)
				if fifo {
					numbering[group].Unlock()
				}
				if err != nil {
					t.Error(err)
					return
				}
				published.Add(1)
				if k == "1" {
					matching.Add(1)
				}
			}
		})
	}
	consumed := 0
	stop := make(chan struct{})
	others.Go(func() { // the consumer of the small queue
		for {
			ds, err := full.Receive(ctx, inq.ReceiveInput{Max: 10})
			if err != nil {
				t.Error(err)
				return
			}
			for _, d := range ds {
				consumed++
				if err := d.Delete(ctx); err != nil {
					t.Error(err)
				}
			}
			if len(ds) > 0 {
				continue
			}
			select {
			case <-stop: // nothing comes any more
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	var changing sync.WaitGroup
	for i := range 2 { // subscriptions that come, change and go
		changing.Go(func() {
			for !over.Load() {
				s, err := topic.Subscribe(&stressTarget{last: map[string]int{}, taken: map[string]int{}}, WithFilter(fmt.Sprintf(`{"k":["%d"]}`, i)), retry)
				if err != nil {
					t.Error(err)
					return
				}
				for _, policy := range []string{`{"k":["2"]}`, "", `{"k":[{"anything-but":"1"}]}`} {
					if err := s.SetAttribute("FilterPolicy", policy); err != nil {
						t.Error(err)
					}
					s.Stats()
				}
				if err := s.Unsubscribe(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	publishing.Wait()
	over.Store(true)
	changing.Wait()
	require.NoError(t, a.Shutdown(ctx))
	time.Sleep(time.Second)
	close(stop)
	others.Wait()
	checkInvariants(t, a)

	total := func(s SubscriptionStats) uint64 { return s.Delivered + s.Deduplicated + s.DeadLettered + s.Failed }
	require.Zero(t, steady.Stats().Waiting+filtered.Stats().Waiting+queued.Stats().Waiting)
	require.Equal(t, published.Load(), total(steady.Stats()))
	require.Equal(t, matching.Load(), total(filtered.Stats()))
	require.Equal(t, published.Load()-matching.Load(), filtered.Stats().Filtered)
	require.Equal(t, published.Load(), total(queued.Stats()))
	require.Equal(t, SubscriptionStats{Delivered: uint64(consumed), Retries: queued.Stats().Retries, Failed: queued.Stats().Failed}, queued.Stats())
	taken := 0
	for _, n := range target.taken {
		taken += n
	}
	require.Equal(t, steady.Stats().Delivered, uint64(taken))
	require.Zero(t, target.last["wrong"])
	counts, err := dead.Counts(ctx)
	require.NoError(t, err)
	require.Equal(t, steady.Stats().DeadLettered, uint64(counts.Visible))
}
