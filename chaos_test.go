package inq

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq/internal/journal/faultfs"
	"github.com/stretchr/testify/require"
)

// The chaos test lets several goroutines use queues that are each other's dead-letter queues, or have
// targets that hang, fail, panic, quit or call back, in virtual time and with observers that are
// slow, quit or call back too. Much happens at the same instant, since all times are few round
// numbers. Whenever nothing moves any more it asks that
//
//   - the invariants hold, nothing is half done, and no receive waits for what it could have;
//   - the state of each message is what an observer was told, and what a journal holds, where there is one;
//   - every message that was accepted was deleted, taken by a target, or is in one queue, once;
//   - what was deleted is in no queue, and was not received later;
//   - in the end, no goroutine is left.
//
// INQ_SEED repeats a run, and INQ_ROUNDS sets how many there are.

func TestChaos_NothingIsLostDoubledOrLeftHalfDone(t *testing.T) {
	first, rounds := rand.Uint64(), 30
	if testing.Short() {
		rounds = 8
	}
	if s := os.Getenv("INQ_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(t, err)
		rounds = n
	}
	if s := os.Getenv("INQ_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		first, rounds = seed, 1
	}
	for round := 0; round < rounds && !t.Failed(); round++ {
		seed := first + uint64(round)
		synctest.Test(t, func(t *testing.T) {
			c := &chaos{t: t, rng: rand.New(rand.NewPCG(seed, 1)), fifo: seed%2 == 1, rough: seed%4 >= 2, kept: seed%8 >= 4,
				accepted: map[string]bool{}, taken: map[string]bool{}, deleted: map[string]time.Time{}, removed: map[string]bool{}, copied: map[string]bool{}}
			defer func() {
				if t.Failed() {
					t.Logf("INQ_SEED=%d", seed)
				}
			}()
			c.run()
		})
	}
}

type chaos struct {
	t       *testing.T
	fifo    bool
	mirrors []mirror
	kept    bool // in a journal
	disk    *faultfs.FS
	journal *Journal
	rough   bool // queues are purged and closed too
	queues  []*queue

	mu       sync.Mutex // guards everything below
	calm     bool       // targets and observers do nothing special
	rng      *rand.Rand
	sent     int
	accepted map[string]bool
	taken    map[string]bool      // by a target that is no queue
	deleted  map[string]time.Time // by a consumer
	removed  map[string]bool      // purged or expired, or may have been
	copied   map[string]bool      // forwarded by a target: may be there twice
	have     []Delivery
}

func (c *chaos) draw(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rng.IntN(n)
}

// moment is one of few times, so that much coincides.
func (c *chaos) moment() time.Duration {
	return []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second}[c.draw(5)]
}

const chaosQueues, chaosActors, chaosActs = 4, 6, 60

func (c *chaos) run() {
	c.calm = true
	c.mirrors = make([]mirror, chaosQueues)
	if c.kept {
		c.disk = faultfs.New()
		j, err := OpenJournal("journal", onFiles(c.disk), WithSegmentSize(16<<10))
		require.NoError(c.t, err)
		c.journal = j
	}
	for i := range chaosQueues {
		observe := func(es []Event) {
			c.mirrors[i].observe(es)
			c.observe(es)
		}
		opts := []Option{WithObserver(observe), WithVisibilityTimeout(5 * time.Second), WithoutSQSLimits()}
		if c.kept {
			opts = append(opts, WithJournal(c.journal))
		}
		if c.draw(3) == 0 {
			opts = append(opts, WithInFlightLimit(1+c.draw(100)))
		}
		if c.draw(4) == 0 {
			opts = append(opts, WithCapacity(20+c.draw(200), 0))
		}
		if c.rough && c.draw(2) == 0 {
			opts = append(opts, WithRetention(time.Duration(1+c.draw(12))*10*time.Second))
		}
		if c.fifo {
			q, err := NewFIFO(fmt.Sprintf("q%d.fifo", i), Options(opts...))
			require.NoError(c.t, err)
			c.queues = append(c.queues, &q.queue)
		} else {
			q, err := NewStandard(fmt.Sprintf("q%d", i), Options(opts...))
			require.NoError(c.t, err)
			c.queues = append(c.queues, &q.queue)
		}
	}
	for _, q := range c.queues {
		c.retarget(q)
	}
	c.calm = false
	var wg sync.WaitGroup
	for range chaosActors {
		wg.Go(func() {
			for range chaosActs {
				ended := make(chan struct{})
				go func() { // an observer may end it
					defer close(ended)
					c.act()
				}()
				<-ended
			}
		})
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		case <-time.After(7 * time.Second):
		}
		synctest.Wait()
		c.check()
	}
	c.settle()
}

// check asks what must hold while nothing moves.
func (c *chaos) check() {
	for i, q := range c.queues {
		checkInvariants(c.t, q)
		c.mirrors[i].compare(c.t, q)
		q.mu.Lock()
		if q.errands&^(errandTask|errandTell) != 0 || len(q.letters) != 0 || q.behind || q.adopting != 0 || q.marked != 0 {
			c.t.Errorf("%s: errands %b, %d letters, behind %v, adopting %d, marked %d are left", q.name, q.errands, len(q.letters), q.behind, q.adopting, q.marked)
		}
		q.mu.Unlock()
	}
}

// settle waits for the end of all that is under way, and asks where the messages are.
func (c *chaos) settle() {
	c.mu.Lock()
	c.calm = true
	c.mu.Unlock()
	time.Sleep(10 * time.Minute)
	synctest.Wait()
	c.check()
	there := map[string]string{}
	for _, q := range c.queues {
		for m := range q.Messages() {
			if at, twice := there[m.Body]; twice && !c.copied[m.Body] {
				c.t.Errorf("%s is in %s and in %s", m.Body, at, q.name)
			}
			there[m.Body] = q.name
			if _, ok := c.deleted[m.Body]; ok && !c.copied[m.Body] {
				c.t.Errorf("%s was deleted and is in %s", m.Body, q.name)
			}
			if !c.accepted[m.Body] {
				c.t.Errorf("%s was not sent", m.Body)
			}
		}
	}
	for body := range c.accepted {
		_, deleted := c.deleted[body]
		if there[body] == "" && !deleted && !c.taken[body] && !c.removed[body] && !c.rough {
			c.t.Errorf("%s is lost", body)
		}
	}
	if c.kept {
		require.NoError(c.t, c.journal.log.Sync())
		for _, q := range c.queues {
			if q.gone == nil {
				compareJournal(c.t, c.disk, q)
			}
		}
	}
	for _, q := range c.queues {
		require.NoError(c.t, q.Close())
	}
	if c.kept {
		require.NoError(c.t, c.journal.Close())
	}
}

// target makes a target that is no queue.
func (c *chaos) target() DeadLetterTarget {
	kind := c.draw(9)
	take := func(d DeadLetter) {
		c.mu.Lock()
		c.taken[d.Body] = true
		c.mu.Unlock()
	}
	calls := 0
	return DeadLetterFunc(func(ctx context.Context, d DeadLetter) error {
		c.mu.Lock()
		calls++
		n := calls
		calm := c.calm
		c.mu.Unlock()
		if calm {
			take(d)
			return nil
		}
		switch kind {
		case 0:
			return errRefused
		case 1: // hangs
			<-ctx.Done()
			return ctx.Err()
		case 2: // does not heed its context
			time.Sleep(2 * time.Minute)
			return errRefused
		case 3:
			panic("chaos")
		case 4:
			if n%2 == 0 {
				runtime.Goexit()
			}
		case 5: // is gone now and then
			if n%2 == 0 {
				return ErrClosed
			}
		case 6: // calls back
			c.act()
			c.act()
		case 7: // forwards, which may fail after the message was stored, and outlast a delete of it
			c.mu.Lock()
			c.copied[d.Body] = true
			c.mu.Unlock()
			return c.queues[c.draw(len(c.queues))].DeadLetter(ctx, d)
		case 8:
			time.Sleep(c.moment())
		}
		take(d)
		return nil
	})
}

// retarget changes the dead-letter target of a queue.
func (c *chaos) retarget(q *queue) {
	p := patch{set: setDeadLetter, settings: settings{maxReceives: 1 + c.draw(3)}}
	switch n := c.draw(10); {
	case n == 0:
	case n < 6:
		p.target = c.queues[c.draw(len(c.queues))].self
	default:
		p.target = c.target()
	}
	c.may(q.configure(&p))
}

func (c *chaos) may(err error) {
	var be *BatchError
	if errors.As(err, &be) {
		for _, f := range be.Failed {
			c.may(f.Err)
		}
		return
	}
	for _, ok := range []error{nil, ErrFull, ErrReceiptHandleExpired, ErrNotInFlight, ErrNoDeadLetterTarget, ErrTaskRunning, ErrAttemptNotRetryable,
		ErrOverLimit, context.Canceled, context.DeadlineExceeded, errRefused, ErrClosed, ErrQueueDoesNotExist} {
		if errors.Is(err, ok) {
			return
		}
	}
	if err.Error() != "inq: dead-letter target: inq: dead-letter target panicked: chaos" {
		c.t.Error(err)
	}
}

func (c *chaos) observe(es []Event) {
	c.mu.Lock()
	for i := range es {
		switch e := &es[i]; e.Kind {
		case EventDeleted:
			c.deleted[e.Body] = e.Time
		case EventReceived:
			if at, ok := c.deleted[e.Body]; ok && e.Time.After(at) && !c.copied[e.Body] {
				c.t.Errorf("%s was deleted and received later", e.Body)
			}
		case EventExpired:
			c.removed[e.Body] = true
		}
	}
	calm, n := c.calm, c.rng.IntN(60)
	c.mu.Unlock()
	if calm {
		return
	}
	switch n {
	case 0:
		time.Sleep(c.moment())
	case 1:
		runtime.Goexit()
	case 2:
		c.act()
	}
}

// act does one thing.
func (c *chaos) act() {
	ctx := context.Background()
	q := c.queues[c.draw(len(c.queues))]
	d := c.one()
	switch n := c.draw(102); {
	case n == 100 && c.rough && c.draw(5) == 0:
		c.may(q.Purge(ctx))
	case n == 101 && c.rough && c.draw(20) == 0:
		c.may(q.Close())
	case n >= 100:
		c.burst(q)
	case n < 22:
		c.mu.Lock()
		c.sent++
		m := steps{c.t, q}.message(fmt.Sprintf("%c-%d", 'a'+c.rng.IntN(4), c.sent))
		c.mu.Unlock()
		if !c.fifo && c.draw(3) == 0 {
			m.GroupID = "t"
		}
		c.mu.Lock()
		c.accepted[m.Body], c.removed[m.Body] = true, true // an observer may end this goroutine, and then nobody knows
		c.mu.Unlock()
		_, err := q.Send(ctx, m)
		c.may(err)
		c.mu.Lock()
		delete(c.removed, m.Body)
		if err != nil {
			delete(c.accepted, m.Body)
		}
		c.mu.Unlock()
	case n < 52:
		in := ReceiveInput{Max: 1 + c.draw(10), VisibilityTimeout: c.moment(), Wait: []time.Duration{Zero, time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second}[c.draw(5)]}
		if c.draw(4) == 0 {
			in.VisibilityTimeout = Zero
		}
		if c.draw(6) == 0 {
			in.AttemptID = fmt.Sprint("x", c.draw(3))
		}
		cut, cancel := ctx, func() {}
		if c.draw(5) == 0 {
			cut, cancel = context.WithTimeout(ctx, c.moment())
		}
		ds, err := q.Receive(cut, in)
		cancel()
		c.may(err)
		c.mu.Lock()
		c.have = append(c.have, ds...)
		if len(c.have) > 30 {
			c.have = append(c.have[:0], c.have[15:]...)
		}
		c.mu.Unlock()
	case n < 58:
		time.Sleep(c.moment())
	case d == nil:
	case n < 66:
		c.may(d.Delete(ctx))
	case n < 74:
		c.may(d.ChangeVisibility(ctx, []time.Duration{0, 0, time.Second, 5 * time.Second, 10 * time.Second}[c.draw(5)]))
	case n < 80:
		c.may(d.Return(ctx, []time.Duration{0, time.Second, 5 * time.Second}[c.draw(3)]))
	case n < 88:
		c.may(d.Bury(ctx, "chaos"))
	case n < 93:
		c.retarget(q)
	case n < 97:
		in := RedriveInput{PerSecond: c.draw(3)}
		if c.draw(2) == 0 {
			in.Destination = c.queues[c.draw(len(c.queues))].self
		}
		task, err := q.Redrive(ctx, in)
		if err == nil && c.draw(3) == 0 {
			time.Sleep(c.moment())
			_, _ = task.Cancel()
		}
	default:
		_, err := q.Counts(ctx)
		c.may(err)
	}
}

// burst sends more messages than one critical section takes, and receives them so that they come back
// at one instant.
func (c *chaos) burst(q *queue) {
	ctx := context.Background()
	n := 1 + c.draw(3*marksAtOnce)
	visibility := c.moment()
	var ms []Message
	c.mu.Lock()
	for range n {
		c.sent++
		m := steps{c.t, q}.message(fmt.Sprintf("%c-%d", 'a'+c.rng.IntN(4), c.sent))
		c.accepted[m.Body], c.removed[m.Body] = true, true
		ms = append(ms, m)
	}
	c.mu.Unlock()
	sent, err := q.SendBatch(ctx, ms)
	c.may(err)
	c.mu.Lock()
	for i := range ms {
		delete(c.removed, ms[i].Body)
		if sent == nil || sent[i].ID() == "" {
			delete(c.accepted, ms[i].Body)
		}
	}
	c.mu.Unlock()
	for range 4 {
		_, err := q.Receive(ctx, ReceiveInput{Max: mostAtOnce, Wait: Zero, VisibilityTimeout: visibility})
		c.may(err)
	}
}

func (c *chaos) one() *Delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.have) == 0 {
		return nil
	}
	d := c.have[c.rng.IntN(len(c.have))]
	return &d
}
