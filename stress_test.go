package inq

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The stress test does everything at once from several goroutines in real time, and asks
// afterwards, and on the way, that
//
//   - every message that was accepted is in one queue, once, or was deleted, or was purged or expired;
//   - the events of a queue account for every message in it: what came, less what went, is there;
//   - a message that was deleted in the queue it is in never comes back;
//   - on FIFO a message is delivered only when all older ones of its group are gone or are delivered with it;
//   - the invariants hold at any moment;
//   - no call fails for a reason that it may not have;
//   - nothing deadlocks: the test ends.
//
// INQ_STRESS sets how long each of the queues is put under stress, as in INQ_STRESS=30s.

const (
	stressDefault = 300 * time.Millisecond
	stressWorkers = 6
)

func TestStress_NothingIsLostOrDoubled(t *testing.T) {
	duration := stressDefault
	if s := os.Getenv("INQ_STRESS"); s != "" {
		var err error
		duration, err = time.ParseDuration(s)
		require.NoError(t, err)
	}
	for _, c := range []struct {
		name  string
		queue func(r *stress)
	}{
		{"Standard", func(r *stress) {
			r.standard(WithoutSQSLimits())
			r.expires = true
		}},
		{"Standard with tenants", func(r *stress) {
			r.standard()
			r.tenants = 5
		}},
		{"Standard with a dead-letter queue", func(r *stress) {
			dead := r.standard()
			r.standard(WithDeadLetter(dead.self.(*Standard), 2))
			r.tenants = 2
		}},
		{"Standard queues that are each other's dead-letter queue", func(r *stress) {
			a := r.standard().self.(*Standard)
			b := r.standard(WithDeadLetter(a, 2)).self.(*Standard)
			require.NoError(r.t, a.Configure(WithDeadLetter(b, 3)))
		}},
		{"FIFO", func(r *stress) {
			r.fifo()
			r.tenants = 4
		}},
		{"FIFO with a dead-letter queue", func(r *stress) {
			dead := r.fifo()
			r.fifo(WithDeadLetter(dead.self.(*FIFO), 2))
			r.tenants = 4
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &stress{t: t, seed: rand.Uint64(), accepted: map[string]bool{}, deleted: map[string]bool{}}
			t.Logf("seed %d", r.seed)
			c.queue(r)
			r.run(duration)
			r.settle()
		})
	}
}

// stress is one set of queues under stress and what is known of their messages.
type stress struct {
	t       *testing.T
	seed    uint64
	queues  []*queue
	logs    []*stressLog
	tenants int
	expires bool

	mu       sync.Mutex // guards everything below
	accepted map[string]bool
	deleted  map[string]bool
	tasks    []*MoveTask
}

// stressLog follows one queue by its events, which come in order and one call at a time.
type stressLog struct {
	t      *testing.T
	fifo   bool
	events uint64
	closed chan struct{}
	live   map[uint64]bool             // messages in the queue, by number
	groups map[string]map[uint64]int64 // FIFO: the same by group, with the time of the receive that has them, else -1
}

func (l *stressLog) observe(events []Event) {
	for i := range events {
		e := &events[i]
		if l.events++; e.Seq != l.events {
			l.t.Errorf("event %d comes as number %d", e.Seq, l.events)
		}
		g := l.groups[e.GroupID]
		switch e.Kind {
		case EventSent, EventMovedIn:
			if g == nil {
				g = map[uint64]int64{}
				l.groups[e.GroupID] = g
			}
			l.live[e.seq], g[e.seq] = true, -1
		case EventReceived:
			at := e.Time.UnixNano()
			for seq, since := range g {
				if l.fifo && seq < e.seq && since != at {
					l.t.Errorf("message %d of group %q was delivered before %d", e.seq, e.GroupID, seq)
				}
			}
			g[e.seq] = at
		case EventTimedOut, EventReleased, EventReturned, EventPutBack:
			g[e.seq] = -1
		case EventDeleted, EventDeadLettered, EventMovedOut, EventExpired:
			if !l.live[e.seq] {
				l.t.Errorf("message %d went twice: %s", e.seq, e.Kind)
			}
			delete(l.live, e.seq)
			delete(g, e.seq)
		case EventPurged:
			if len(l.live) != e.Count {
				l.t.Errorf("%d messages were purged of %d", e.Count, len(l.live))
			}
			clear(l.live)
			clear(l.groups)
		case EventClosed:
			close(l.closed)
		}
	}
}

func (r *stress) log(fifo bool) *stressLog {
	l := &stressLog{t: r.t, fifo: fifo, closed: make(chan struct{}), live: map[uint64]bool{}, groups: map[string]map[uint64]int64{}}
	r.logs = append(r.logs, l)
	return l
}

func (r *stress) standard(opts ...StandardOption) *queue {
	q := testStandard(r.t, append(opts, WithObserver(r.log(false).observe), WithCapacity(2000, 0), WithVisibilityTimeout(10*time.Millisecond))...)
	r.queues = append(r.queues, &q.queue)
	return &q.queue
}

func (r *stress) fifo(opts ...FIFOOption) *queue {
	q := testFIFO(r.t, append(opts, WithObserver(r.log(true).observe), WithCapacity(2000, 0), WithVisibilityTimeout(10*time.Millisecond))...)
	r.queues = append(r.queues, &q.queue)
	return &q.queue
}

func (r *stress) run(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	var wg sync.WaitGroup
	for n := range stressWorkers {
		wg.Go(func() {
			w := &stressWorker{stress: r, name: fmt.Sprint("w", n), rng: rand.New(rand.NewPCG(r.seed, uint64(n)))}
			for ctx.Err() == nil {
				w.act()
			}
		})
	}
	wg.Wait()
	for _, task := range r.tasks {
		<-task.Done()
	}
}

// handsOver reports whether a message of q is on its way to another queue, or into q. The timer goes on with
// what a call had no time for.
func handsOver(q *queue) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for slot := uint32(1); slot < q.store.size; slot++ {
		if s := q.store.at(slot).state; s == stateBurying || s == stateAdopted {
			return true
		}
	}
	return len(q.letters) != 0
}

// settle asks what must hold in the end, and empties the queues.
func (r *stress) settle() {
	t, ctx := r.t, context.Background()
	// A look at one queue after the other would miss what moves from the one to the other meanwhile.
	for slices.ContainsFunc(r.queues, handsOver) {
		runtime.Gosched()
	}
	there := map[string]bool{}
	removed := uint64(0)
	for _, q := range r.queues {
		require.NoError(t, q.configure(&patch{settings: settings{retention: maxRetention}, set: setDelay | setRetention}))
		checkInvariants(t, q)
		for s := range q.Messages() {
			require.False(t, there[s.Body], "%s is there twice", s.Body)
			require.True(t, r.accepted[s.Body], "%s was not sent", s.Body)
			require.False(t, r.deleted[s.Body] && len(r.queues) == 1, "%s was deleted", s.Body)
			there[s.Body] = true
		}
		st := q.Stats()
		removed += st.Purged + st.Expired
	}
	missing := uint64(0)
	for body := range r.accepted {
		if !there[body] && !r.deleted[body] {
			missing++
		}
	}
	require.LessOrEqual(t, missing, removed, "messages are lost")
	for left := len(there); left > 0; {
		for _, q := range r.queues {
			ds, err := q.Receive(ctx, ReceiveInput{Max: 10, Wait: 5 * time.Millisecond, VisibilityTimeout: time.Hour})
			require.NoError(t, err)
			for i := range ds {
				require.True(t, there[ds[i].Body], "%s came from nowhere", ds[i].Body)
				delete(there, ds[i].Body)
				left--
			}
			require.NoError(t, q.DeleteAll(ctx, ds))
		}
	}
	for i, q := range r.queues {
		c, err := q.Counts(ctx)
		require.NoError(t, err)
		require.Equal(t, Counts{}, c)
		checkInvariants(t, q)
		require.NoError(t, q.Close())
		<-r.logs[i].closed // another goroutine may have been delivering events
		require.Empty(t, r.logs[i].live, "what came, less what went")
	}
}

// stressWorker is one goroutine.
type stressWorker struct {
	*stress
	name string
	rng  *rand.Rand
	sent int
	have []Delivery // received lately; most are still in flight
}

func (w *stressWorker) ms(n int) time.Duration {
	return time.Duration(w.rng.IntN(n*1000)) * time.Microsecond
}

// may fails the test where a call failed for a reason it may not have.
func (w *stressWorker) may(err error) {
	if err == nil {
		return
	}
	var be *BatchError
	if errors.As(err, &be) {
		for _, f := range be.Failed {
			w.may(f.Err)
		}
		return
	}
	for _, ok := range []error{ErrFull, ErrReceiptHandleExpired, ErrNotInFlight, ErrNoDeadLetterTarget, ErrTaskRunning, ErrAttemptNotRetryable, context.Canceled} {
		if errors.Is(err, ok) {
			return
		}
	}
	w.t.Errorf("%s: %v", w.name, err)
}

func (w *stressWorker) message(q *queue) Message {
	w.sent++
	m := Message{Body: fmt.Sprintf("%s-%d", w.name, w.sent)}
	if w.tenants != 0 {
		m.GroupID = fmt.Sprint("g", w.rng.IntN(w.tenants))
	}
	switch {
	case q.fifo != nil:
		m.DeduplicationID = m.Body
	case w.rng.IntN(4) == 0:
		m.Delay = 1 + w.ms(5)
	}
	if w.rng.IntN(4) == 0 {
		m.Attributes = map[string]Attribute{"a": Number("1")}
	}
	return m
}

func (w *stressWorker) accept(s Sent, m Message) {
	if s.ID() == "" {
		return
	}
	w.stress.mu.Lock()
	w.accepted[m.Body] = true
	w.stress.mu.Unlock()
}

// one returns a delivery to act on, nil if there is none.
func (w *stressWorker) one() *Delivery {
	if len(w.have) == 0 {
		return &Delivery{}
	}
	return &w.have[w.rng.IntN(len(w.have))]
}

func (w *stressWorker) remove(ds []Delivery, err error) {
	w.may(err)
	w.stress.mu.Lock()
	defer w.stress.mu.Unlock()
	var be *BatchError
	failed := map[int]bool{}
	if errors.As(err, &be) {
		for _, f := range be.Failed {
			failed[f.Index] = true
		}
	}
	for i := range ds {
		if (err == nil || be != nil) && !failed[i] {
			w.deleted[ds[i].Body] = true
		}
	}
}

func (w *stressWorker) keep(ds []Delivery, err error) {
	w.may(err)
	w.have = append(w.have, ds...)
	if n := len(w.have); n > 40 {
		w.have = append(w.have[:0], w.have[n-20:]...)
	}
}

// act does one thing drawn from the table.
func (w *stressWorker) act() {
	ctx := context.Background()
	q := w.queues[w.rng.IntN(len(w.queues))]
	in := ReceiveInput{Max: 1 + w.rng.IntN(10), VisibilityTimeout: 1 + w.ms(20)}
	if q.fifo == nil && w.rng.IntN(10) == 0 {
		in.VisibilityTimeout = Zero
	}
	d := w.one()
	switch n := w.rng.IntN(100); {
	case n < 20:
		m := w.message(q)
		s, err := q.Send(ctx, m)
		w.may(err)
		w.accept(s, m)
	case n < 28:
		var ms []Message
		for range 1 + w.rng.IntN(10) {
			ms = append(ms, w.message(q))
		}
		ss, err := q.SendBatch(ctx, ms)
		w.may(err)
		for i := range ss {
			w.accept(ss[i], ms[i])
		}
	case n < 38:
		w.keep(q.Receive(ctx, in))
	case n < 48:
		in.Wait = 1 + w.ms(4)
		w.keep(q.Receive(ctx, in))
	case n < 52:
		dst := make([]Delivery, 1+w.rng.IntN(4))
		k, err := q.ReceiveInto(ctx, dst, in)
		w.keep(dst[:k], err)
	case n < 57:
		in.Wait = 20 * time.Second
		cut, cancel := context.WithCancel(ctx)
		stop := time.AfterFunc(w.ms(2), cancel)
		w.keep(q.Receive(cut, in))
		stop.Stop()
		cancel()
	case n < 59:
		in.AttemptID = fmt.Sprint(w.name, w.rng.IntN(3))
		w.keep(q.Receive(ctx, in))
	case n < 60:
		cut, cancel := context.WithCancel(ctx)
		cancel()
		_, err := q.Receive(cut, in)
		if !errors.Is(err, context.Canceled) {
			w.t.Errorf("a receive with a cancelled context returned %v", err)
		}
	case n < 72:
		if d.source != nil {
			w.remove([]Delivery{*d}, d.Delete(ctx))
		}
	case n < 76:
		if d.source != nil {
			w.remove([]Delivery{*d}, d.source.DeleteBatch(ctx, []string{d.ReceiptHandle()}))
		}
	case n < 80:
		if d.source != nil {
			w.may(d.ChangeVisibility(ctx, w.ms(10)))
			w.may(d.source.ChangeVisibilityBatch(ctx, []VisibilityChange{{d.ReceiptHandle(), w.ms(10)}}))
			w.may(d.source.ExtendAll(ctx, []Delivery{*d}, w.ms(10)))
		}
	case n < 85:
		if d.source != nil {
			w.may(d.ChangeVisibility(ctx, 0))
		}
	case n < 89:
		if d.source != nil {
			w.may(d.Return(ctx, w.ms(3)*time.Duration(w.rng.IntN(2))))
		}
	case n < 91:
		if d.source != nil {
			w.may(d.Bury(ctx, "stress"))
		}
	default:
		w.rare(q, n)
	}
}

// rare does what concerns a whole queue.
func (w *stressWorker) rare(q *queue, n int) {
	ctx := context.Background()
	switch n {
	case 91:
		if w.rng.IntN(20) == 0 {
			w.may(q.Purge(ctx))
		}
	case 92:
		p := patch{settings: settings{delay: w.ms(3), retention: maxRetention, visibility: 1 + w.ms(10)}, set: setDelay | setVisibility}
		if w.expires {
			p.set |= setRetention
			if w.rng.IntN(4) == 0 {
				p.retention = 10*time.Millisecond + w.ms(20)
			}
		}
		w.may(q.configure(&p))
	case 93:
		if task, err := q.Redrive(ctx, RedriveInput{}); err == nil {
			w.stress.mu.Lock()
			w.tasks = append(w.tasks, task)
			w.stress.mu.Unlock()
			if w.rng.IntN(3) == 0 {
				_, _ = task.Cancel() // refused where the task has ended
			}
		} else {
			w.may(err)
		}
	case 94:
		_ = q.Stats()
	case 95:
		for s := range q.Messages() {
			if s.Body == "" {
				w.t.Error("a message without a body")
			}
			if w.rng.IntN(50) == 0 {
				break
			}
		}
	case 96:
		_, err := q.Counts(ctx)
		w.may(err)
	case 97, 98:
		checkInvariants(w.t, q)
	case 99:
		_ = q.MoveTasks()
	}
}
