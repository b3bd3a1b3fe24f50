package inq

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// What a hand-over leads to, and who does it: receives that wait have their turn, calls and timers do
// a bounded part, and who is answered has had what it did recorded.

// poison sends n messages, receives them once and leaves them in flight for a time.
func (s steps) poison(n int, visibility time.Duration) (ds []Delivery) {
	s.Helper()
	for range n {
		s.send("p")
	}
	for len(ds) < n {
		ds = append(ds, s.receive(mostAtOnce, visibility)...)
	}
	return ds
}

// later sends a message with a delay.
func (s steps) later(body string, delay time.Duration) {
	s.Helper()
	_, err := s.q.Send(context.Background(), Message{Body: body, Delay: delay})
	require.NoError(s, err)
}

// many makes n bodies, on FIFO of a group each.
func many(n int) (bodies []string) {
	for i := range n {
		bodies = append(bodies, fmt.Sprintf("p%d-1", i))
	}
	return bodies
}

func TestBury_RoomInFlightIsGivenAwayWhileTheTargetIsCalled(t *testing.T) {
	var j observed
	withTarget(t, 5, func(s steps, target *script) {
		target.do = func(context.Context, DeadLetter) error { time.Sleep(10 * time.Second); return errRefused }
		s.send("a-1", "b-1")
		d := s.one(time.Hour)
		c := await(context.Background(), s.q, ReceiveInput{Wait: 20 * time.Second})
		j.take()
		failed := make(chan error, 1)
		go func() { failed <- d.Bury(context.Background(), "no") }()
		synctest.Wait()
		require.Equal(s, []EventKind{EventLeaving, EventReceived}, j.take())
		a := <-c
		require.Equal(s, []string{"b-1"}, a.bodies())
		require.Zero(s, a.at)
		require.ErrorIs(s, <-failed, errRefused)
	}, WithInFlightLimit(1), WithObserver(j.observe))
}

func TestMOV7_NothingIsLeftUndoneWhileADestinationIsSlow(t *testing.T) {
	scene(t, "events", func(t *testing.T) {
		var j observed
		s := standardSteps(t, WithObserver(j.observe))
		s.send("a")
		j.take()
		let := make(chan struct{})
		task := s.redrive(RedriveInput{Destination: &collector{do: func(context.Context, Message) error { <-let; return nil }}})
		synctest.Wait()
		require.Equal(t, []EventKind{EventLeaving}, j.take())
		close(let)
		<-task.Done()
	})
	scene(t, "letters", func(t *testing.T) {
		s := standardSteps(t, WithInFlightLimit(1))
		dead := s.another("dead")
		s.buriesIn(dead.asTarget(), 1)
		s.send("p-1", "a-1", "b-1", "c-1")
		p := s.one(30 * time.Second) // in flight: the limit
		c := await(context.Background(), s.q, ReceiveInput{Wait: 20 * time.Second, VisibilityTimeout: time.Hour})
		time.Sleep(15 * time.Second)
		_ = p
		let := make(chan struct{})
		n := 0
		task := s.redrive(RedriveInput{PerSecond: 1, Destination: &collector{do: func(context.Context, Message) error {
			if n++; n == 2 {
				<-let
			}
			return nil
		}}})
		synctest.Wait()
		s.change(p, time.Second) // times out with the second tick of the task, before which the timer is stopped
		time.Sleep(time.Second - 1)
		s.loseTimer()
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(s, 2, n)
		dead.counts(1, 0, 0)
		require.Len(s, (<-c).ds, 1)
		close(let)
		<-task.Done()
	})
}

func TestWait_MessagesBehindDeadLettersBeatTheEndOfAWaitAtTheSameInstant(t *testing.T) {
	scene(t, "standard", func(t *testing.T) {
		s := standardSteps(t, WithoutSQSLimits())
		dead := s.another("dead")
		s.buriesIn(dead.asTarget(), 1)
		s.poison(3*marksAtOnce+1, 10*time.Second)
		s.later("good", 10*time.Second)
		a := <-await(context.Background(), s.q, ReceiveInput{Wait: 10 * time.Second})
		require.Equal(t, []string{"good"}, a.bodies())
	})
	scene(t, "FIFO", func(t *testing.T) {
		s := fifoSteps(t)
		dead := s.another("dead")
		s.buriesIn(dead.asTarget(), 1)
		s.send("g-1", "g-2")
		s.one(10 * time.Second)
		a := <-await(context.Background(), s.q, ReceiveInput{Wait: 10 * time.Second})
		require.Equal(t, []string{"g-2"}, a.bodies())
	})
}

func TestReceive_DoesNotOvertakeOneThatWaitsForWhatStandsBehindDeadLetters(t *testing.T) {
	scene(t, "standard", func(t *testing.T) {
		s := standardSteps(t, WithoutSQSLimits())
		dead := s.another("dead")
		s.buriesIn(dead.asTarget(), 1)
		s.poison(marksAtOnce+1, 10*time.Second)
		s.later("good", 10*time.Second)
		c := await(context.Background(), s.q, ReceiveInput{Wait: time.Hour})
		time.Sleep(10*time.Second - 1)
		s.loseTimer()
		time.Sleep(time.Nanosecond)
		s.gets(10, 0)
		require.Equal(t, []string{"good"}, (<-c).bodies())
	})
}

func TestConfigure_WithoutATargetGivesBackWhatWaitsForACall(t *testing.T) {
	withTarget(t, 1, func(s steps, target *script) {
		let := make(chan struct{})
		target.do = func(context.Context, DeadLetter) error { <-let; return nil }
		s.wear(many(40)...)
		s.meets()
		s.counts(0, 40, 0)
		s.buriesIn(nil, 0)
		s.counts(40-callsAtOnce, callsAtOnce, 0)
		close(let)
		synctest.Wait()
		s.counts(40-callsAtOnce, 0, 0)
	})
}

func TestConfigure_AQueueAsTargetTakesWhatWaitsForACall(t *testing.T) {
	withTarget(t, 1, func(s steps, target *script) {
		let := make(chan struct{})
		target.do = func(context.Context, DeadLetter) error { <-let; return nil }
		s.wear(many(40)...)
		s.meets()
		dead := s.another("dead")
		s.buriesIn(dead.asTarget(), 1)
		dead.counts(40-callsAtOnce, 0, 0)
		close(let)
	})
}

func TestConfigure_AnotherTargetIsCalledThoughTheOldOneHangs(t *testing.T) {
	withTarget(t, 1, func(s steps, target *script) {
		let := make(chan struct{})
		target.do = func(context.Context, DeadLetter) error { <-let; return nil }
		s.wear(many(40)...)
		s.meets()
		s.buriesIn(target, 1) // the same, and no more calls at once for it
		synctest.Wait()
		require.Len(s, target.got(), callsAtOnce)
		other := &script{}
		s.buriesIn(other, 1)
		synctest.Wait()
		require.Len(s, other.got(), 40-callsAtOnce)
		close(let)
		synctest.Wait()
		s.counts(0, 0, 0)
	})
}

func TestHandOver_ADeleterHandsOverAFewAndLeavesTheRestToTheTimer(t *testing.T) {
	scene(t, "standard", func(t *testing.T) {
		const n = 2000
		s := standardSteps(t, WithoutSQSLimits())
		s.q.onTimer = func() {}
		dead := s.another("dead")
		ds := s.poison(n, time.Hour)
		require.NoError(t, s.q.ExtendAll(context.Background(), ds[1:], 0))
		s.send("good")
		limit := func(target DeadLetterTarget, maxReceives int) {
			require.NoError(t, s.q.configure(&patch{settings: settings{target: target, maxReceives: maxReceives, inFlight: 1}, set: setDeadLetter | setInFlight}))
		}
		limit(nil, 0)
		c := await(context.Background(), s.q, ReceiveInput{Wait: time.Hour, VisibilityTimeout: time.Hour})
		limit(dead.asTarget(), 1)
		dead.counts(0, 0, 0)
		s.delete(ds[0])
		require.LessOrEqual(t, dead.q.Stats().Visible, 2*carryAtOnce)
		before := dead.q.Stats().Visible
		s.send("another") // is not asked to take part
		require.Equal(t, before, dead.q.Stats().Visible)
		for range n/carryAtOnce + 1 {
			s.q.timerFired()
		}
		dead.counts(n-1, 0, 0)
		require.Equal(t, []string{"good"}, (<-c).bodies())
	})
}

func TestDLQ2_AFullQueueThatIsItsOwnTargetGoesOn(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.buriesIn(s.asTarget(), 1)
		s.send("a-1")
		s.one(Zero)
		require.Equal(s, 2, s.one(Zero).ReceiveCount)
		require.Zero(s, s.q.Stats().DeadLetterFailures)
		s.counts(1, 0, 0)
	}, WithCapacity(1, 0))
}

func TestHandOver_OneCriticalSectionMarksABoundedNumberForAllThatWait(t *testing.T) {
	scene(t, "standard", func(t *testing.T) {
		s := standardSteps(t, WithoutSQSLimits())
		s.q.onTimer = func() {}
		dead := s.another("dead")
		s.buriesIn(dead.asTarget(), 1)
		const waiting = 5
		for range waiting {
			s.poison(marksAtOnce, 10*time.Second)
			s.later("good", 10*time.Second)
		}
		for range waiting {
			await(context.Background(), s.q, ReceiveInput{Wait: time.Hour})
		}
		time.Sleep(10 * time.Second)
		now, err := s.q.enter()
		require.NoError(t, err)
		for s.q.stepLocked(now) {
		}
		s.q.serveLocked(now)
		require.LessOrEqual(t, s.q.counts[classAside], marksAtOnce)
		_ = s.q.leave(now)
		for range waiting {
			s.q.timerFired()
		}
		synctest.Wait()
		require.Zero(t, s.q.Stats().WaitingReceives)
	})
}

func TestTimer_SurvivesAnObserverOfTheTargetThatQuits(t *testing.T) {
	scene(t, "standard", func(t *testing.T) {
		s := standardSteps(t, WithoutSQSLimits())
		armed := true
		dead := s.another("dead", WithObserver(func([]Event) {
			if armed {
				armed = false
				runtime.Goexit()
			}
		}))
		s.buriesIn(dead.asTarget(), 1)
		const n = 5 * stepBudget
		s.poison(n, 10*time.Second)
		s.later("good", 11*time.Second)
		a := <-await(context.Background(), s.q, ReceiveInput{Wait: 20 * time.Second})
		require.Equal(t, []string{"good"}, a.bodies())
		dead.counts(n, 0, 0)
	})
}

// fading is an account in which a queue is found a number of times, and then no more.
type fading struct {
	account
	q    *queue
	left int
}

func (a *fading) queueOf(string) (*queue, error) {
	if a.left--; a.left < 0 {
		return nil, ErrQueueDoesNotExist
	}
	return a.q, nil
}

func TestDLQ8_ATargetMayGoAtAnyMoment(t *testing.T) {
	for left := range 4 {
		onBothTypes(t, func(s steps) {
			dead := s.another("dead")
			s.wear("p-1")
			s.buriesIn(deadLetterARN{&fading{q: dead.q, left: left}, dead.q.arn}, 1)
			require.Equal(s, 1, len(s.receive(10, 0))+dead.q.Stats().Visible, left)
		})
		onBothTypes(t, func(s steps) {
			dead := s.another("dead")
			s.send("p-1")
			d := s.one(time.Minute)
			s.buriesIn(deadLetterARN{&fading{q: dead.q, left: left}, dead.q.arn}, 1)
			err := d.Bury(context.Background(), "why")
			require.Equal(s, err == nil, dead.q.Stats().Visible == 1)
		})
	}
}

func TestBury_TheRoomItLeavesInFlightIsForThoseWhoWaitedFirst(t *testing.T) {
	s := standardSteps(t, WithInFlightLimit(1))
	dead := s.another("dead")
	s.buriesIn(dead.asTarget(), 5)
	s.send("a", "b")
	d := s.one(time.Hour)
	first := make(chan []Delivery)
	go func() {
		ds, _ := s.q.Receive(context.Background(), ReceiveInput{Wait: 20 * time.Second})
		first <- ds
	}()
	until := func(what func() bool) {
		for done := false; !done; runtime.Gosched() {
			s.q.mu.Lock()
			done = what()
			s.q.mu.Unlock()
		}
	}
	until(func() bool { return s.q.waiters.head != nil })
	dead.q.mu.Lock() // the hand-over stops before the adoption
	buried := make(chan error)
	go func() { buried <- d.Bury(context.Background(), "why") }()
	until(func() bool { return s.q.counts[classAside] == 1 })
	_, err := s.q.Receive(context.Background(), ReceiveInput{Wait: Zero})
	dead.q.mu.Unlock()
	require.NoError(t, <-buried)
	require.True(t, err == nil || errors.Is(err, ErrOverLimit))
	require.Equal(t, []string{"b"}, bodiesOf(<-first))
}
