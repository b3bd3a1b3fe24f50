package topic

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// This file is the reference model of delivery: what docs/sns.md says of fan-out, retries, order and
// dead letters, in the plainest code there is. It keeps the copies of a subscription in one slice, and
// shares nothing with the topic but the schedule of retries. TestModel runs both through the same
// random steps and compares when which copy was tried, and what became of it.

// modelCall is one attempt.
type modelCall struct {
	at      time.Duration
	message string
	attempt int
}

// modelCopy is a copy that has not come to its end.
type modelCopy struct {
	message, group string
	attempt        int
	due            time.Duration
}

type modelSubscription struct {
	name    string
	fifo    bool
	filter  string // the value of attribute k that it takes; "" takes all
	retries retryPolicy
	limit   int // copies that may wait
	dead    bool
	copies  []*modelCopy
	calls   []modelCall
	ended   bool

	delivered, deadLettered, failed uint64
}

// outcome is what a target does with an attempt: 0 takes it, 1 fails, 2 rejects. It depends on nothing
// but the attempt, so that target and model agree.
func outcome(name, message string, attempt int) int {
	h := fnv.New32a()
	fmt.Fprint(h, name, message, attempt)
	switch n := h.Sum32() % 10; {
	case n < 5:
		return 0
	case n < 9:
		return 1
	}
	return 2
}

func (m *modelSubscription) bury() {
	if m.dead {
		m.deadLettered++
	} else {
		m.failed++
	}
}

// publish makes a copy where the filter takes the message.
func (m *modelSubscription) publish(now time.Duration, message, group, k string) {
	if m.ended || m.filter != "" && m.filter != k {
		return
	}
	if len(m.copies) >= m.limit {
		m.bury()
		return
	}
	m.copies = append(m.copies, &modelCopy{message, group, 1, now})
}

// first reports that nothing of its group is in front of a copy.
func (m *modelSubscription) first(i int) bool {
	for _, c := range m.copies[:i] {
		if m.fifo && c.group == m.copies[i].group {
			return false
		}
	}
	return true
}

// advance makes all attempts that are due up to a time, in the order of time.
func (m *modelSubscription) advance(to time.Duration) {
	for now := time.Duration(0); ; {
		next := -1
		for i, c := range m.copies {
			if m.first(i) && c.due <= to && (next < 0 || c.due < m.copies[next].due) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		c := m.copies[next]
		now = max(now, c.due)
		m.calls = append(m.calls, modelCall{now, c.message, c.attempt})
		delay, again := m.retries.delay(c.attempt)
		switch result := outcome(m.name, c.message, c.attempt); {
		case result == 0:
			m.delivered++
		case result == 1 && again:
			c.due = now + delay
			c.attempt++
			continue
		default:
			m.bury()
		}
		m.copies = slices.Delete(m.copies, next, next+1)
		for i, c := range m.copies { // the next one of its group starts at this time
			if m.first(i) {
				c.due = max(c.due, now)
			}
		}
	}
}

// end buries what waits.
func (m *modelSubscription) end() {
	for range m.copies {
		m.bury()
	}
	m.copies, m.ended = nil, true
}

// modelTarget is the target beside a model.
type modelTarget struct {
	name  string
	began time.Time
	mu    sync.Mutex
	calls []modelCall
}

func (r *modelTarget) Deliver(_ context.Context, n *Notification) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, modelCall{time.Since(r.began), n.Message, n.Attempt})
	switch outcome(r.name, n.Message, n.Attempt) {
	case 0:
		return nil
	case 1:
		return errors.New("fails")
	}
	return ErrRejected
}

func TestModel(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runModel(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func runModel(t *testing.T, r *rand.Rand) {
	limit := 1 + r.IntN(12)
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	a, err := NewAccount(WithBroker(b), WithWaiting(limit, 1<<30), WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	defer a.Close()
	fifo := r.IntN(2) == 0
	create, name := a.CreateStandard, "t"
	if fifo {
		create, name = a.CreateFIFO, "t.fifo"
	}
	topic, err := create(name)
	require.NoError(t, err)
	grave, err := b.CreateStandard("grave")
	require.NoError(t, err)

	began := time.Now()
	var models []*modelSubscription
	var targets []*modelTarget
	var subscriptions []*Subscription
	published := 0
	for range 120 {
		time.Sleep(time.Duration(r.IntN(30)) * time.Second / 2)
		synctest.Wait()
		now := time.Since(began)
		for _, m := range models {
			m.advance(now)
		}
		switch what := r.IntN(20); {
		case what < 2 && len(models) < 6:
			m := &modelSubscription{name: fmt.Sprint("s", len(models)), fifo: fifo, limit: limit, dead: r.IntN(2) == 0, filter: []string{"", "1", "2"}[r.IntN(3)]}
			m.retries = retryPolicy{MinDelayTarget: 1 + r.IntN(3), MaxDelayTarget: 5, NumRetries: r.IntN(6), BackoffFunction: backoffFunctions[r.IntN(4)]}
			m.retries.NumNoDelayRetries = r.IntN(m.retries.NumRetries + 1)
			opts := []SubscribeOption{WithRawDelivery(), WithDeliveryPolicy(`{"healthyRetryPolicy":` + toJSON(m.retries) + `}`)}
			if m.dead {
				opts = append(opts, WithDeadLetter(grave))
			}
			if m.filter != "" {
				opts = append(opts, WithFilter(`{"k":["`+m.filter+`"]}`))
			}
			target := &modelTarget{name: m.name, began: began}
			s, err := topic.Subscribe(target, opts...)
			require.NoError(t, err)
			models, targets, subscriptions = append(models, m), append(targets, target), append(subscriptions, s)
		case what < 3 && len(models) > 0:
			i := r.IntN(len(models))
			require.NoError(t, subscriptions[i].Unsubscribe())
			models[i].end()
		case what < 5 && len(models) > 0:
			i := r.IntN(len(models))
			if models[i].ended {
				break
			}
			models[i].filter = []string{"1", "2"}[r.IntN(2)]
			require.NoError(t, subscriptions[i].SetAttribute("FilterPolicy", `{"k":["`+models[i].filter+`"]}`))
		default:
			published++
			k, group := []string{"1", "2"}[r.IntN(2)], ""
			m := Message{Body: fmt.Sprint("m", published), Attributes: map[string]inq.Attribute{"k": inq.String(k)}}
			if fifo {
				group = fmt.Sprint("g", r.IntN(3))
				m.GroupID, m.DeduplicationID = group, m.Body
			}
			_, err := topic.Publish(t.Context(), m)
			require.NoError(t, err)
			for _, s := range models {
				s.publish(now, m.Body, group, k)
			}
		}
		synctest.Wait()
		for i, m := range models {
			m.advance(now)
			requireModel(t, m, targets[i], subscriptions[i], grave)
		}
		checkInvariants(t, a)
	}
	end := time.Hour
	if r.IntN(2) == 0 {
		require.NoError(t, a.Shutdown(t.Context()))
	} else {
		require.NoError(t, a.Close())
		end = 0
	}
	letters := uint64(0)
	for i, m := range models {
		if end > 0 {
			m.advance(time.Since(began) + end)
		}
		m.end()
		requireModel(t, m, targets[i], subscriptions[i], grave)
		letters += m.deadLettered
	}
	counts, err := grave.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, int(letters), counts.Visible)
}

// requireModel compares a subscription with its model.
func requireModel(t *testing.T, m *modelSubscription, target *modelTarget, s *Subscription, _ *inq.Standard) {
	t.Helper()
	stats := s.Stats()
	require.Equal(t, []uint64{m.delivered, m.deadLettered, m.failed, uint64(len(m.copies))},
		[]uint64{stats.Delivered, stats.DeadLettered, stats.Failed, uint64(stats.Waiting)}, m.name)
	target.mu.Lock()
	defer target.mu.Unlock()
	order := func(calls []modelCall) []modelCall { // at one instant the order is open
		return slices.SortedFunc(slices.Values(calls), func(a, b modelCall) int {
			if a.at != b.at {
				return int(a.at - b.at)
			}
			return strings.Compare(fmt.Sprint(a.message, a.attempt), fmt.Sprint(b.message, b.attempt))
		})
	}
	require.Equal(t, order(m.calls), order(target.calls), m.name)
}
