package inq

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// journal collects what an observer is told.
type journal struct {
	mu     sync.Mutex // guards everything below
	events []Event
	seq    uint64 // of the newest event
	gaps   bool
}

func (j *journal) observe(events []Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, events...)
	for _, e := range events {
		j.seq++
		j.gaps = j.gaps || e.Seq != j.seq
	}
}

// take returns the kinds seen since the last call.
func (j *journal) take() (kinds []EventKind) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.events {
		kinds = append(kinds, e.Kind)
	}
	j.events = nil
	return kinds
}

// last returns the newest event.
func (j *journal) last() Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.events[len(j.events)-1]
}

func TestObserver_EveryKindOfEvent(t *testing.T) {
	ctx := context.Background()
	var j journal
	onBothTypes(t, func(s steps) {
		j.seq = 0
		told := func(want ...EventKind) {
			s.Helper()
			require.Equal(s, want, j.take())
		}
		before := uint64(len(j.take()))
		s.send("g-1")
		e := j.last()
		require.Equal(s, time.Now(), e.Time)
		require.Equal(s, 0, e.ReceiveCount)
		require.Equal(s, before+1, e.Seq)
		require.Equal(s, "g-1", e.Body)
		told(EventSent)
		d := s.one(0)
		e = j.last()
		require.Equal(s, d.ID(), e.MessageID())
		require.Equal(s, d.GroupID, e.GroupID)
		require.Equal(s, 1, e.ReceiveCount)
		told(EventReceived)
		s.change(d, time.Hour)
		told(EventExtended)
		s.change(d, 0)
		told(EventReleased)
		s.one(time.Second)
		told(EventReceived)
		time.Sleep(time.Second)
		s.counts(1, 0, 0)
		told(EventTimedOut)
		s.one(Zero)
		if s.q.fifo == nil {
			told(EventReceived, EventMovedBack)
		} else {
			told(EventReceived)
		}
		d = s.one(0)
		require.NoError(s, d.Return(ctx, 0))
		e = j.last()
		require.Equal(s, 3, e.ReceiveCount)
		told(EventReceived, EventReturned)
		d = s.one(0)
		require.NoError(s, d.Return(ctx, time.Second))
		told(EventReceived, EventReturned)
		time.Sleep(time.Second)
		s.counts(1, 0, 0)
		told(EventArrived)
		d = s.one(0)
		s.delete(*d)
		e = j.last()
		require.Equal(s, d.ID(), e.MessageID())
		told(EventReceived, EventDeleted)
		s.delete(*d) // nothing happens to a message
		told()
		require.NoError(s, s.q.DeadLetter(ctx, DeadLetter{ID: "0b0e1c2a-6d7e-4f80-9a1b-2c3d4e5f6071", Body: "b", GroupID: "g"}))
		e = j.last()
		require.Equal(s, "0b0e1c2a-6d7e-4f80-9a1b-2c3d4e5f6071", e.MessageID())
		told(EventMovedIn)
		time.Sleep(4 * 24 * time.Hour)
		s.counts(0, 0, 0)
		told(EventExpired)
		s.send("g-3", "g-4")
		require.NoError(s, s.q.Purge(ctx))
		e = j.last()
		require.Equal(s, 2, e.Count)
		require.Empty(s, e.MessageID())
		told(EventSent, EventSent, EventPurged)
		var p patch
		WithVisibilityTimeout(time.Minute).applyFIFO(&p)
		require.NoError(s, s.q.configure(&p))
		told(EventConfigured)
		s.send("g-5")
		require.NoError(s, s.q.Close())
		e = j.last()
		require.Equal(s, 1, e.Count)
		told(EventSent, EventClosed)
		require.False(s, j.gaps)
	}, WithObserver(j.observe))
}

func TestObserver_DelaysDuplicatesAndDeadLetters(t *testing.T) {
	ctx := context.Background()
	scene(t, "a delay", func(t *testing.T) {
		for _, fifo := range []bool{false, true} {
			var j journal
			s := standardSteps(t, WithDelay(time.Second), WithObserver(j.observe))
			if fifo {
				s = fifoSteps(t, WithDelay(time.Second), WithObserver(j.observe))
			}
			s.send("g-1")
			time.Sleep(time.Second)
			s.counts(1, 0, 0)
			require.Equal(t, []EventKind{EventSent, EventArrived}, j.take())
		}
	})
	scene(t, "a duplicate", func(t *testing.T) {
		var j journal
		s := fifoSteps(t, WithObserver(j.observe))
		first := s.sendID("b", "g", "x")
		s.sendID("c", "h", "x")
		e := j.last()
		require.Equal(t, first.ID(), e.MessageID()) // of the message named
		require.Equal(t, "h", e.GroupID)
		require.Equal(t, []EventKind{EventSent, EventDeduplicated}, j.take())
	})
	scene(t, "a dead letter and back", func(t *testing.T) {
		var j, k journal
		dlq := testStandard(t, WithObserver(k.observe))
		s := standardSteps(t, WithDeadLetter(dlq, 1), WithObserver(j.observe))
		s.send("1")
		d := s.one(Zero)
		s.gets(1, 0)
		e := j.last()
		require.Equal(t, d.ID(), e.MessageID())
		e = k.last()
		require.Equal(t, d.ID(), e.MessageID())
		require.Equal(t, 1, e.ReceiveCount)
		require.Equal(t, []EventKind{EventSent, EventReceived, EventLeaving, EventDeadLettered}, j.take())
		task, err := dlq.Redrive(ctx, RedriveInput{})
		require.NoError(t, err)
		<-task.Done()
		require.Equal(t, []EventKind{EventMovedIn, EventLeaving, EventMovedOut}, k.take())
		require.Equal(t, []EventKind{EventMovedIn}, j.take())
	})
	scene(t, "a failure", func(t *testing.T) {
		var j journal
		oops := errors.New("oops")
		s := standardSteps(t, WithObserver(j.observe),
			WithDeadLetter(DeadLetterFunc(func(context.Context, DeadLetter) error { return oops }), 1))
		s.send("1")
		s.one(Zero)
		s.gets(1, 0)
		synctest.Wait()
		require.ErrorIs(t, j.last().Err, oops)
		require.Equal(t, []EventKind{EventSent, EventReceived, EventLeaving, EventDeadLetterFailed}, j.take())
		time.Sleep(time.Second)
		s.gets(1, 0)
		synctest.Wait()
		require.Equal(t, []EventKind{EventPutBack, EventLeaving, EventDeadLetterFailed}, j.take())
	})
}

func TestEventKind_HasAName(t *testing.T) {
	seen := map[string]bool{}
	for k := EventSent; k <= EventLapsed; k++ {
		require.NotEmpty(t, k.String())
		require.NotEqual(t, "unknown", k.String())
		require.False(t, seen[k.String()])
		seen[k.String()] = true
	}
	require.Equal(t, "unknown", EventKind(0).String())
	require.Equal(t, "unknown", (EventLapsed + 1).String())
	require.Equal(t, "unknown", EventKind(255).String())
	require.Equal(t, "dead-letter failed", EventDeadLetterFailed.String())
	require.Equal(t, "closed", EventClosed.String())
}

func TestObserver_EventsAreOneGapFreeOrderUnderConcurrency(t *testing.T) {
	const workers, each = 6, 200
	var inside, calls int // not guarded: at most one goroutine is in the observer
	var events []Event
	observe := func(batch []Event) {
		inside++
		if inside != 1 {
			panic("two at once")
		}
		runtime.Gosched()
		calls++
		events = append(events, batch...)
		inside--
	}
	for _, fifo := range []bool{false, true} {
		events = nil
		s := standardSteps(t, WithObserver(observe))
		if fifo {
			s = fifoSteps(t, WithObserver(observe))
		}
		errs := make(chan error, workers)
		for w := range workers {
			go func() {
				errs <- func() error {
					for i := range each {
						if _, err := s.q.Send(context.Background(), s.message(fmt.Sprintf("g%d-%d", w, i))); err != nil {
							return err
						}
						ds, err := s.q.Receive(context.Background(), ReceiveInput{Max: 3, VisibilityTimeout: time.Hour})
						if err != nil {
							return err
						}
						if err := s.q.DeleteAll(context.Background(), ds); err != nil {
							return err
						}
					}
					return nil
				}()
			}()
		}
		for range workers {
			require.NoError(t, <-errs)
		}
		for ds := s.receive(10, time.Hour); len(ds) > 0; ds = s.receive(10, time.Hour) {
			s.delete(ds...)
		}
		require.NoError(t, s.q.Close()) // its event is delivered last, by whoever is delivering
		s.q.mu.Lock()
		require.Empty(t, s.q.events)
		require.False(t, s.q.delivering)
		s.q.mu.Unlock()

		require.Len(t, events, 3*workers*each+1)
		life := map[string]EventKind{}
		for i, e := range events {
			require.Equal(t, uint64(i+1), e.Seq)
			if i > 0 {
				require.False(t, e.Time.Before(events[i-1].Time))
			}
			if e.Kind == EventClosed {
				require.Equal(t, len(events)-1, i)
				require.Zero(t, e.Count)
				continue
			}
			// The order is the true one: each message is sent, received and deleted.
			id := e.MessageID()
			want := map[EventKind]EventKind{0: EventSent, EventSent: EventReceived, EventReceived: EventDeleted}[life[id]]
			require.Equal(t, want, e.Kind)
			life[id] = e.Kind
		}
		require.Len(t, life, workers*each)
		require.Positive(t, calls)
	}
}

func TestObserver_MayUseTheQueueAndIsCalledWithoutItsLock(t *testing.T) {
	ctx := context.Background()
	var q *Standard
	var seen []EventKind
	depth := 0
	observe := func(events []Event) {
		depth++
		require.Equal(t, 1, depth) // not called inside itself
		require.True(t, q.mu.TryLock())
		q.mu.Unlock()
		for _, e := range events {
			seen = append(seen, e.Kind)
			if e.Kind == EventSent && len(seen) == 1 {
				// What it causes itself it is told after it returned.
				_, err := q.Send(ctx, Message{Body: "from the observer"})
				require.NoError(t, err)
				ds, err := q.Receive(ctx, ReceiveInput{Max: 10, Wait: time.Second})
				require.NoError(t, err)
				require.Len(t, ds, 2)
				require.NoError(t, q.DeleteAll(ctx, ds))
				require.Equal(t, 0, q.Stats().Visible)
				for range q.Messages() {
				}
				require.NoError(t, q.Configure(WithDelay(time.Second)))
				require.Len(t, seen, 1)
			}
			if e.Kind == EventPurged {
				require.NoError(t, q.Close())
			}
		}
		depth--
	}
	q = testStandard(t, WithObserver(observe))
	_, err := q.Send(ctx, Message{Body: "1"})
	require.NoError(t, err)
	require.Equal(t, []EventKind{EventSent, EventSent, EventReceived, EventReceived, EventDeleted, EventDeleted, EventConfigured}, seen)
	require.NoError(t, q.Purge(ctx))
	require.Equal(t, EventClosed, seen[len(seen)-1])
}

func TestObserver_OneThatPanicsDoesNotWedgeTheQueue(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx := context.Background()
		var told []uint64
		boom := true
		observe := func(events []Event) {
			for _, e := range events {
				told = append(told, e.Seq)
			}
			if boom {
				panic("observer")
			}
		}
		var p patch
		WithObserver(observe).applyFIFO(&p)
		require.PanicsWithValue(s, "observer", func() { _ = s.q.configure(&p) }) // it is told of the change that brings it
		require.PanicsWithValue(s, "observer", func() { s.send("g-1") })
		require.PanicsWithValue(s, "observer", func() { s.send("g-2") })
		s.counts(2, 0, 0) // both are in
		boom = false
		s.gets(10, 0, "g-1", "g-2")
		require.Equal(s, []uint64{1, 2, 3, 4, 5}, told)

		// A goroutine that the observer ends is no worse.
		quit := false
		WithObserver(func(events []Event) {
			if quit {
				runtime.Goexit()
			}
		}).applyFIFO(&p)
		require.NoError(s, s.q.configure(&p))
		quit = true
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = s.q.Purge(ctx)
		}()
		<-done
		WithObserver(observe).applyFIFO(&p)
		require.NoError(s, s.q.configure(&p))
		s.send("g-3")
		require.Equal(s, []uint64{1, 2, 3, 4, 5, 8, 9}, told)
	})
}

func TestObserver_ComesAndGoes(t *testing.T) {
	q := testStandard(t)
	s := steps{t, &q.queue}
	var j journal
	s.send("1")
	require.NoError(t, q.Configure(WithObserver(j.observe)))
	s.send("2")
	require.Equal(t, uint64(2), j.last().Seq) // the first one was the change that brought the observer
	require.NoError(t, q.Configure(WithObserver(nil)))
	s.send("3")
	require.Equal(t, []EventKind{EventConfigured, EventSent}, j.take())
	require.NoError(t, q.Configure(WithObserver(j.observe)))
	s.send("4")
	require.Equal(t, uint64(4), j.last().Seq)
}

func TestDeliveries_ABreakReturnsTheRestUncounted(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1", "g-2", "g-3", "h-1", "h-2")
		var got []string
		for d, err := range Deliveries(context.Background(), s.q, ReceiveInput{Max: 10}) {
			require.NoError(s, err)
			got = append(got, d.Body)
			if len(got) == 2 {
				require.NoError(s, d.Delete(context.Background()))
				break
			}
		}
		require.Equal(s, []string{"g-1", "g-2"}, got)
		s.counts(3, 1, 0)
		for m := range s.q.Messages() {
			want := 0
			if m.Body == "g-1" {
				want = 1
			}
			require.Equal(s, want, m.ReceiveCount, m.Body)
		}
		time.Sleep(30 * time.Second)
		byGroup := map[byte][]string{}
		for _, b := range bodiesOf(s.receive(10, 0)) {
			byGroup[b[0]] = append(byGroup[b[0]], b)
		}
		require.Equal(s, map[byte][]string{'g': {"g-1", "g-3"}, 'h': {"h-1", "h-2"}}, byGroup)
	})
}

func TestDeliveries_ABreakGivesTheRestBackInOnePiece(t *testing.T) {
	scene(t, "to a receive that waits", func(t *testing.T) {
		s := fifoSteps(t)
		s.send("g-1", "g-2", "h-1", "h-2")
		got := make(chan []string, 1)
		go func() {
			time.Sleep(time.Second)
			ds, err := s.q.Receive(context.Background(), ReceiveInput{Max: 10, Wait: 20 * time.Second})
			assert.NoError(t, err)
			got <- bodiesOf(ds)
		}()
		for range Deliveries(context.Background(), s.q, ReceiveInput{Max: 10}) {
			time.Sleep(2 * time.Second)
			break
		}
		// Not h-1 alone, with h-2 waiting behind it.
		require.Equal(t, []string{"h-1", "h-2"}, <-got)
	})
}

func TestDeliveries_GoOnUntilTheContextEnds(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour+5*time.Second)
		defer cancel()
		began := time.Now()
		go func() {
			for i := range 3 {
				time.Sleep(61 * time.Second)
				s.send(fmt.Sprintf("g%d-1", i))
			}
		}()
		var at []time.Duration
		errs := 0
		for d, err := range Deliveries(ctx, s.q, ReceiveInput{}) {
			at = append(at, time.Since(began))
			if err != nil {
				require.Equal(s, context.DeadlineExceeded, err)
				require.Zero(s, d)
				errs++
				continue
			}
			require.NoError(s, d.Delete(ctx))
		}
		require.Equal(s, 1, errs) // once, and it is the last
		require.Equal(s, []time.Duration{61 * time.Second, 122 * time.Second, 183 * time.Second, time.Hour + 5*time.Second}, at)
		// It polled for 20 seconds at a time.
		require.Equal(s, uint64(3+3+3+171), s.q.Stats().EmptyReceives)
	})
}

func TestDeliveries_AnErrorIsYieldedOnceAndEndsIt(t *testing.T) {
	onBothTypes(t, func(s steps) {
		n := 0
		for d, err := range Deliveries(context.Background(), s.q, ReceiveInput{Max: -1}) {
			requireRefusal(s, err, ErrInvalidParameter)
			require.Zero(s, d)
			n++
		}
		require.Equal(s, 1, n)
		go func() {
			time.Sleep(time.Minute)
			assert.NoError(s, s.q.Close())
		}()
		for _, err := range Deliveries(context.Background(), s.q, ReceiveInput{}) {
			require.Equal(s, ErrClosed, err)
			n++
		}
		require.Equal(s, 2, n)
	})
}

func TestDeliveries_AShortWaitOfTheCallerStands(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for _, err := range Deliveries(ctx, s.q, ReceiveInput{Wait: 4 * time.Second}) {
			require.Equal(s, context.DeadlineExceeded, err)
		}
		require.Equal(s, uint64(2), s.q.Stats().EmptyReceives)
	})
}
