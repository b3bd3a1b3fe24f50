package topic

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// world is an account beside a broker, with what it logs.
type world struct {
	*testing.T
	*Account
	broker *inq.Broker
	log    *logText
}

// logText is a log that tests can read while it is written.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// count is how many lines there are with a text in them.
func (l *logText) count(text string) int {
	n := 0
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// newWorld makes an account that is checked and closed at the end of the test.
func newWorld(t *testing.T, opts ...AccountOption) *world {
	b, err := inq.NewBroker(inq.WithAccount("123456789012"), inq.WithoutCooldowns())
	require.NoError(t, err)
	w := &world{T: t, broker: b, log: &logText{}}
	opts = append([]AccountOption{WithBroker(b), WithLogger(slog.New(slog.NewTextHandler(w.log, nil)))}, opts...)
	w.Account, err = NewAccount(opts...)
	require.NoError(t, err)
	t.Cleanup(func() {
		checkInvariants(t, w.Account)
		require.NoError(t, w.Account.Close())
		checkInvariants(t, w.Account)
		require.NoError(t, b.Close())
	})
	return w
}

// checkInvariants checks what the comments of the structs say.
func checkInvariants(t testing.TB, a *Account) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	require.Equal(t, len(a.topics), a.topicList.len())
	fifo, filters, live := 0, 0, 0
	for name, tp := range a.topics {
		require.Equal(t, name, tp.name)
		if tp.fifo != nil {
			fifo++
		}
		tp.mu.RLock()
		subscriptions := tp.subscriptions.all()
		require.Equal(t, len(tp.byEndpoint), len(subscriptions))
		pending, filtered, indexed := 0, 0, 0
		for _, s := range subscriptions {
			live++
			settings := s.settings.Load()
			require.Same(t, s, tp.byEndpoint[endpointKey{s.protocol, s.endpoint}])
			require.Same(t, s, a.subscriptions[s.id])
			require.False(t, s.ended || s.orphan)
			if !settings.confirmed {
				pending++
			}
			if settings.filter != nil {
				filtered++
			}
			require.Equal(t, settings.filter != nil && settings.confirmed, s.entry != nil)
			if s.entry != nil {
				indexed++
			}
			require.Equal(t, settings.straight != nil, settings.raw && settings.confirmed && tp.fifo == nil && s.protocol == "sqs")
		}
		require.Equal(t, pending, tp.pending)
		require.Equal(t, filtered, tp.filtered)
		if indexed == 0 {
			require.Zero(t, tp.filters[0].Len()+tp.filters[1].Len())
		}
		filters += filtered
		if aud := tp.audience.Load(); aud != nil {
			open := 0
			for _, s := range subscriptions {
				if s.entry == nil && s.settings.Load().confirmed {
					require.Contains(t, aud.open, s)
					open++
				}
			}
			require.Len(t, aud.open, open)
			require.Equal(t, filtered > 0, aud.filtered)
		}
		tp.mu.RUnlock()
	}
	require.Equal(t, fifo, a.fifoTopics)
	require.Equal(t, filters, a.filters)
	require.Equal(t, len(a.subscriptions), a.list.len())
	require.Equal(t, live+orphans(a), len(a.subscriptions))
	for _, s := range a.subscriptions {
		checkPipe(t, &s.pipe)
	}
	for p := range a.leaving {
		checkPipe(t, p)
	}
}

func orphans(a *Account) (n int) {
	for _, s := range a.subscriptions {
		if s.orphan {
			n++
		}
	}
	return n
}

// checkPipe checks that each parcel that waits is in one place.
func checkPipe(t testing.TB, p *pipe) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	n, size := len(p.later), int64(0)
	for x := range p.later {
		require.NotNil(t, x.timer)
		size += x.bytes()
	}
	walk := func(l parcels) {
		for x := l.head; x != nil; x = x.next {
			require.Nil(t, x.timer)
			size += x.bytes()
			n++
		}
	}
	walk(p.ready)
	for group, l := range p.lines {
		require.Equal(t, group, l.group)
		walk(l.behind)
	}
	// A parcel under way is in no list, and a worker that ends may still count as running.
	require.LessOrEqual(t, n, p.waiting)
	require.LessOrEqual(t, p.waiting-n, p.running)
	if p.running == 0 {
		require.Equal(t, p.bytes, size)
	}
	if p.waiting == 0 {
		require.Empty(t, p.lines)
		require.Zero(t, p.bytes)
	}
}

func (w *world) standard(name string, opts ...TopicOption) *Topic {
	w.Helper()
	t, err := w.CreateStandard(name, opts...)
	require.NoError(w, err)
	return t
}

func (w *world) fifo(name string, opts ...TopicOption) *Topic {
	w.Helper()
	t, err := w.CreateFIFO(name, opts...)
	require.NoError(w, err)
	return t
}

func (w *world) queue(name string, opts ...inq.StandardOption) *inq.Standard {
	w.Helper()
	q, err := w.broker.CreateStandard(name, opts...)
	require.NoError(w, err)
	return q
}

func (w *world) fifoQueue(name string, opts ...inq.FIFOOption) *inq.FIFO {
	w.Helper()
	q, err := w.broker.CreateFIFO(name, opts...)
	require.NoError(w, err)
	return q
}

func (w *world) subscribe(t *Topic, target Target, opts ...SubscribeOption) *Subscription {
	w.Helper()
	s, err := t.Subscribe(target, opts...)
	require.NoError(w, err)
	return s
}

func (w *world) publish(t *Topic, m Message) Published {
	w.Helper()
	p, err := t.Publish(context.Background(), m)
	require.NoError(w, err)
	return p
}

// bodies receives and deletes everything that is visible in a queue.
func bodies(t testing.TB, q inq.Queue) (all []string) {
	t.Helper()
	for _, d := range deliveries(t, q) {
		all = append(all, d.Body)
	}
	return all
}

func deliveries(t testing.TB, q inq.Queue) (all []inq.Delivery) {
	t.Helper()
	for {
		ds, err := q.Receive(context.Background(), inq.ReceiveInput{Max: 10})
		require.NoError(t, err)
		if len(ds) == 0 {
			return all
		}
		for _, d := range ds {
			require.NoError(t, d.Delete(context.Background()))
		}
		all = append(all, ds...)
	}
}

// refused requires an error with a sentinel and the text of SNS.
func refused(t testing.TB, err, sentinel error, text string) {
	t.Helper()
	require.ErrorIs(t, err, sentinel)
	var p *ParamError
	require.ErrorAs(t, err, &p)
	require.Equal(t, text, p.Text)
	require.NotEmpty(t, p.Param)
}
