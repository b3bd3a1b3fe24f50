package inq

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Hand-overs to dead-letter targets, seen by those who must not notice them: receives, other groups, other
// consumers.

// hanging is what a target does that waits for the end of its context.
func hanging(ctx context.Context, _ DeadLetter) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestHandOver_AShortPollAnswersAtOnceWhateverTheTargetDoes(t *testing.T) {
	for name, do := range map[string]func(context.Context, DeadLetter) error{
		"hangs":            hanging,
		"ignores its end":  func(context.Context, DeadLetter) error { time.Sleep(24 * time.Hour); return nil },
		"panics":           func(context.Context, DeadLetter) error { panic("oh no") },
		"fails":            failing,
		"is gone":          func(context.Context, DeadLetter) error { return ErrClosed },
		"takes everything": nil,
	} {
		t.Run(name, func(t *testing.T) {
			withTarget(t, 1, func(s steps, target *script) {
				target.do = do
				s.wear("a-1", "b-1", "c-1")
				s.send("d-1")
				start := time.Now()
				s.gets(10, time.Hour, "d-1")
				s.gets(10, time.Hour)
				require.Equal(s, start, time.Now())
				require.NoError(s, s.q.Close())
				time.Sleep(25 * time.Hour)
			})
		})
	}
}

func TestHandOver_GoodMessagesNeverWaitForASlowTarget(t *testing.T) {
	withTarget(t, 1, func(s steps, target *script) {
		target.do = func(context.Context, DeadLetter) error { time.Sleep(10 * time.Second); return nil }
		var bad, good []string
		for i := range 10 {
			bad = append(bad, fmt.Sprintf("p%d-1", i))
		}
		for i := range 9 {
			good = append(good, fmt.Sprintf("g%d-1", i))
		}
		s.wear(bad...)
		s.send(good...)
		first := await(context.Background(), s.q, ReceiveInput{Max: 1, Wait: 20 * time.Second, VisibilityTimeout: time.Hour})
		second := await(context.Background(), s.q, ReceiveInput{Max: 10, Wait: 20 * time.Second, VisibilityTimeout: time.Hour})
		one, two := <-first, <-second
		require.Zero(s, one.at)
		require.Zero(s, two.at)
		require.ElementsMatch(s, good, append(one.bodies(), two.bodies()...))
		time.Sleep(20 * time.Second)
		require.ElementsMatch(s, bad, target.got())
	})
}

func TestHandOver_UnderLoadAHangingTargetCostsNoGoodMessage(t *testing.T) {
	withTarget(t, 1, func(s steps, target *script) {
		target.do = hanging
		var bad []string
		for i := range 50 {
			bad = append(bad, fmt.Sprintf("p%d-1", i))
		}
		s.wear(bad...)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		var done atomic.Int32
		for range 4 {
			go func() {
				for d, err := range Deliveries(ctx, s.q, ReceiveInput{Max: 10}) {
					if err != nil {
						return
					}
					if d.Delete(context.Background()) == nil {
						done.Add(1)
					}
				}
			}()
		}
		for i := range 6000 {
			s.send(fmt.Sprintf("g%d-%d", i%7, i))
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		require.EqualValues(s, 6000, done.Load())
		s.counts(0, 50, 0)
		require.NoError(s, s.q.Close())
	})
}

func TestDLQ8_AMessageWhoseTargetIsGoneHasItsTurn(t *testing.T) {
	var j observed
	withDeadLetters(t, 1, func(s, dead steps) {
		var p patch
		WithObserver(j.observe).applyFIFO(&p)
		require.NoError(s, s.q.configure(&p))
		require.NoError(s, dead.q.Close())
		s.wear("p-1")
		s.send("a-1", "b-1", "c-1")
		j.take()
		require.Equal(s, []string{"p-1", "a-1"}, bodiesOf(s.receive(2, time.Minute)))
		require.Equal(s, uint64(1), s.q.Stats().DeadLetterFailures)
		require.Equal(s, []EventKind{EventDeadLetterFailed, EventReceived, EventReceived}, j.take())
	})
}

func TestBury_AChangeOfVisibilityMeanwhileActsWhenTheTargetFails(t *testing.T) {
	withTarget(t, 5, func(s steps, target *script) {
		ctx := context.Background()
		target.do = func(context.Context, DeadLetter) error { time.Sleep(25 * time.Second); return errRefused }
		s.send("a-1")
		d := s.one(30 * time.Second)
		start := time.Now()
		failed := make(chan error, 1)
		go func() {
			time.Sleep(10 * time.Second)
			failed <- d.Bury(ctx, "no")
		}()
		time.Sleep(20 * time.Second)
		require.NoError(s, d.ChangeVisibility(ctx, time.Minute))
		require.ErrorIs(s, <-failed, errRefused)
		require.Equal(s, 35*time.Second, time.Since(start))
		s.counts(0, 1, 0)
		a := <-await(ctx, s.q, ReceiveInput{Wait: 20 * time.Second})
		require.Empty(s, a.ds)
		a = <-await(ctx, s.q, ReceiveInput{Wait: 20 * time.Second})
		require.Empty(s, a.ds)
		a = <-await(ctx, s.q, ReceiveInput{Wait: 20 * time.Second})
		require.Len(s, a.ds, 1)
		require.Equal(s, 80*time.Second, time.Since(start))
	})
}

func TestBury_AVisibilityOfZeroMeanwhileReleasesWhenTheTargetFails(t *testing.T) {
	withTarget(t, 5, func(s steps, target *script) {
		ctx := context.Background()
		target.do = func(context.Context, DeadLetter) error { time.Sleep(5 * time.Second); return errRefused }
		s.send("a-1")
		d := s.one(time.Hour)
		failed := make(chan error, 1)
		go func() { failed <- d.Bury(ctx, "no") }()
		time.Sleep(time.Second)
		require.NoError(s, d.ChangeVisibility(ctx, 0))
		s.gets(1, 0)
		require.ErrorIs(s, d.Return(ctx, 0), ErrReceiptHandleExpired)
		require.ErrorIs(s, <-failed, errRefused)
		s.gets(1, 0, "a-1")
	})
}

func TestBury_ADeleteMeanwhileEndsTheCall(t *testing.T) {
	withTarget(t, 5, func(s steps, target *script) {
		ctx := context.Background()
		target.do = hanging
		s.send("a-1")
		d := s.one(time.Hour)
		failed := make(chan error, 1)
		go func() { failed <- d.Bury(ctx, "no") }()
		time.Sleep(time.Second)
		require.NoError(s, d.Delete(ctx))
		require.ErrorIs(s, <-failed, context.Canceled)
		s.counts(0, 0, 0)
		require.Empty(s, s.q.outbox.calls)
	})
}

func TestHandOver_WhatIsDeletedMeanwhileIsDeliveredNowhere(t *testing.T) {
	scene(t, "to a queue", func(t *testing.T) {
		ctx := context.Background()
		s := standardSteps(t)
		old := s.wear("1")
		dead := s.another("dead")
		s.buriesIn(dead.asTarget(), 1)
		// The three steps of a hand-over, with what others may do in between.
		now, err := s.q.enter()
		require.NoError(t, err)
		slot := s.q.main.ready.head(&s.q.store)
		r := s.q.store.at(slot)
		s.q.buryLocked(now, slot, r)
		l := s.q.letterLocked(slot, r, dead.q, byReceive, "why")
		s.q.pause(now)
		adopted, err := dead.q.adopt(&l)
		require.NoError(t, err)
		dead.counts(0, 1, 0)
		dead.gets(1, 0)
		checkInvariants(t, dead.q)
		s.delete(old...)
		s.counts(0, 0, 0)
		kept, _ := s.q.settle(&l, nil)
		require.False(t, kept)
		dead.q.finishAdoption(&l, adopted, kept, 0)
		dead.counts(0, 0, 0)
		require.Zero(t, dead.q.Stats().MovedIn)
		require.NoError(t, s.q.Purge(ctx))
	})
	scene(t, "to a function, whose context ends", func(t *testing.T) {
		s := standardSteps(t)
		old := s.wear("1")
		target := &script{do: hanging}
		s.buriesIn(target, 1)
		s.meets()
		s.delete(old...)
		synctest.Wait()
		s.counts(0, 0, 0)
		require.Nil(t, s.q.outbox.places)
		require.Zero(t, s.q.Stats().DeadLetterFailures)
	})
}

func TestHandOver_APurgeOfTheTargetTakesWhatComesInAtThatMoment(t *testing.T) {
	var j observed
	ctx := context.Background()
	s := steps{t, &testStandard(t).queue}
	dead := testStandard(t, WithObserver(j.observe))
	s.send("1")
	d := s.one(time.Minute)
	s.buriesIn(dead, 1)
	now, err := s.q.enter()
	require.NoError(t, err)
	r, err := s.q.findCurrentLocked(now, d.receipt)
	require.NoError(t, err)
	s.q.buryLocked(now, d.receipt.slot, r)
	l := s.q.letterLocked(d.receipt.slot, r, &dead.queue, byBury, "why")
	s.q.pause(now)
	adopted, err := dead.adopt(&l)
	require.NoError(t, err)
	require.NoError(t, dead.Purge(ctx))
	kept, _ := s.q.settle(&l, nil)
	dead.finishAdoption(&l, adopted, kept, 0)
	require.Equal(t, []EventKind{EventMovedIn, EventPurged}, j.take())
	require.Equal(t, uint64(1), dead.Stats().MovedIn)
	require.Equal(t, uint64(1), dead.Stats().Purged)
	s.counts(0, 0, 0)
}

func TestReceive_AnErrorMeansThatNothingWasLeased(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.wear("p-1")
		ctx, cancel := context.WithCancel(context.Background())
		c := await(ctx, s.q, ReceiveInput{Wait: 20 * time.Second})
		synctest.Wait()
		dead.counts(1, 0, 0) // the queue's own doing
		cancel()
		a := <-c
		require.Equal(s, context.Canceled, a.err)
		s.counts(0, 0, 0)
		s.stats(func(st *Stats) any { return st.Received }, uint64(1))
	})
}

func TestObserver_IsToldOfARepeatedReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j observed
		s := fifoSteps(t, WithObserver(j.observe))
		s.send("a-1", "a-2")
		s.attempt("x", 10, 0)
		j.take()
		s.attempt("x", 10, 0)
		require.Equal(t, []EventKind{EventRepeated, EventRepeated}, j.take())
		s.stats(func(st *Stats) any { return []uint64{st.Received, st.ReceivedAgain} }, []uint64{4, 2})
	})
}

func TestDeadLetter_RefusesWhatIsTooLargeButARedriveGoesThrough(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		large := strings.Repeat("x", 2000)
		err := dead.q.DeadLetter(context.Background(), DeadLetter{Body: large, GroupID: "g"})
		requireRefusal(s, err, ErrInvalidParameter)
		require.ErrorContains(s, err, "MessageSize")
		dead.counts(0, 0, 0)
		m := s.message("g-1")
		m.Body, m.GroupID = large, "g"
		_, err = s.q.Send(context.Background(), m)
		require.NoError(s, err)
		s.one(Zero)
		s.gets(1, 0)
		dead.counts(1, 0, 0)
	}, WithMaxMessageSize(1024))
}

func TestFIFO_MOV8_ATaskWaitsForWhatStandsBehindAMessageInFlight(t *testing.T) {
	begin := func(t *testing.T) (s, to steps, task *MoveTask, head Delivery) {
		s = fifoSteps(t)
		to = s.another("to")
		s.send("g-1", "g-2", "g-3")
		head = *s.one(time.Minute)
		task, err := s.q.Redrive(context.Background(), RedriveInput{Destination: to.q.self})
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, MoveRunning, task.Status())
		require.Equal(t, 2, task.ToMove())
		s.counts(2, 1, 0)
		return s, to, task, head
	}
	scene(t, "that is deleted", func(t *testing.T) {
		s, to, task, head := begin(t)
		time.Sleep(time.Second)
		s.delete(head)
		<-task.Done()
		require.Equal(t, []any{MoveCompleted, 2}, []any{task.Status(), task.Moved()})
		s.counts(0, 0, 0)
		to.gets(10, 0, "g-2", "g-3")
	})
	scene(t, "that times out", func(t *testing.T) {
		s, to, task, _ := begin(t)
		start := time.Now()
		<-task.Done()
		require.Equal(t, time.Minute, time.Since(start))
		require.Equal(t, []any{MoveCompleted, 2}, []any{task.Status(), task.Moved()})
		to.gets(10, 0, "g-1", "g-2")
		s.counts(1, 0, 0)
	})
	scene(t, "until it is cancelled", func(t *testing.T) {
		s, _, task, head := begin(t)
		moved, err := task.Cancel()
		require.NoError(t, err)
		require.Zero(t, moved)
		<-task.Done()
		require.Equal(t, MoveCancelled, task.Status())
		s.delete(head)
		require.Zero(t, s.q.errands)
	})
	scene(t, "until nothing is visible any more", func(t *testing.T) {
		s, _, task, _ := begin(t)
		require.NoError(t, s.q.Purge(context.Background()))
		<-task.Done()
		require.Equal(t, []any{MoveCompleted, 0}, []any{task.Status(), task.Moved()})
	})
	scene(t, "until the queue is closed", func(t *testing.T) {
		s, _, task, _ := begin(t)
		require.NoError(t, s.q.Close())
		<-task.Done()
		require.Equal(t, MoveCancelled, task.Status())
	})
}

func TestDeadLetter_TellsWhyAndKeepsWhoSentIt(t *testing.T) {
	withDeadLetters(t, 3, func(s, dead steps) {
		ctx := context.Background()
		s.send("a-1")
		m := s.message("b-1")
		m.SenderID = "them"
		_, err := s.q.Send(ctx, m)
		require.NoError(s, err)
		for _, d := range s.receive(10, time.Minute) {
			require.Empty(s, d.DeadLetterReason())
			require.NoError(s, d.Bury(ctx, "no retry helps"))
		}
		for m := range dead.q.Messages() {
			require.Equal(s, "no retry helps", m.DeadLetterReason)
		}
		ds := dead.receive(10, time.Minute)
		require.Len(s, ds, 2)
		for i, sender := range []string{"", "them"} {
			require.Equal(s, "no retry helps", ds[i].DeadLetterReason())
			require.Equal(s, sender, ds[i].Message().SenderID)
		}
		require.Equal(s, []string{"inq", "them"}, []string{ds[0].SenderID(), ds[1].SenderID()})
		s.wear("c-1")
		s.one(Zero)
		s.one(Zero)
		s.gets(1, 0)
		require.Equal(s, "received as often as allowed: 3", dead.one(time.Minute).DeadLetterReason())
	})
}

func TestHandOver_CallsThatDoNotReturnHoldUpNothingElse(t *testing.T) {
	withTarget(t, 1, func(s steps, target *script) {
		const messages = 3 * marksAtOnce
		let := make(chan struct{})
		target.do = func(context.Context, DeadLetter) error { <-let; return nil }
		var bad []string
		for i := range messages {
			bad = append(bad, fmt.Sprintf("p%d-1", i))
		}
		s.wear(bad...)
		start := time.Now()
		s.meets()
		require.Equal(s, start, time.Now())
		require.Len(s, target.got(), callsAtOnce)
		s.counts(0, messages, 0)
		time.Sleep(30*time.Second - time.Nanosecond)
		s.counts(0, messages, 0)
		require.Zero(s, s.q.Stats().DeadLetterFailures)
		time.Sleep(time.Nanosecond)
		s.counts(0, messages, 0)
		require.EqualValues(s, messages-callsAtOnce, s.q.Stats().DeadLetterFailures)
		time.Sleep(time.Second)
		s.counts(messages-callsAtOnce, callsAtOnce, 0) // offered again, and no place is free
		s.meets()
		s.counts(0, messages, 0)
		require.EqualValues(s, 2*(messages-callsAtOnce), s.q.Stats().DeadLetterFailures)
		close(let)
		synctest.Wait()
		time.Sleep(2 * time.Second)
		s.meets()
		require.ElementsMatch(s, bad, target.got())
		s.counts(0, 0, 0)
		require.Nil(s, s.q.outbox.places)
	})
}

func TestHandOver_WhatIsOnItsWayCountsForNoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standardSteps(t)
		target := &script{do: hanging}
		s.wear("1", "2")
		s.buriesIn(target, 1)
		s.q.mu.Lock()
		s.q.limit = 1
		s.q.mu.Unlock()
		s.send("3")
		s.gets(10, time.Minute, "3")
		s.counts(0, 3, 0)
		_, err := s.q.Receive(context.Background(), ReceiveInput{})
		require.ErrorIs(t, err, ErrOverLimit)
		require.NoError(t, s.q.Close())
	})
}

func TestHandOver_CloseEndsTheCallAndWaitsForNone(t *testing.T) {
	withTarget(t, 1, func(s steps, target *script) {
		ended := make(chan error, 1)
		let := make(chan struct{})
		target.do = func(ctx context.Context, _ DeadLetter) error {
			<-ctx.Done()
			ended <- ctx.Err()
			<-let
			return nil
		}
		s.wear("a-1")
		s.meets()
		start := time.Now()
		require.NoError(s, s.q.Close())
		require.Equal(s, start, time.Now())
		require.Equal(s, context.Canceled, <-ended)
		close(let)
	})
}

func TestHandOver_AChainIsGoneThroughWhereReceivesWait(t *testing.T) {
	onBothTypes(t, func(s steps) {
		mid, last := s.another("mid"), s.another("last")
		s.buriesIn(mid.asTarget(), 1)
		mid.buriesIn(last.asTarget(), 1)
		s.wear("a-1")
		// A message of mid that was received often enough, and a receive that waits there.
		mid.wear("b-1")
		waits := await(context.Background(), mid.q, ReceiveInput{Wait: 20 * time.Second, VisibilityTimeout: Zero})
		synctest.Wait()
		last.counts(1, 0, 0)
		time.Sleep(time.Second)
		s.gets(1, 0)
		require.Equal(s, []string{"a-1"}, (<-waits).bodies())
		mid.gets(1, 0)
		last.counts(2, 0, 0)
	})
}

// TestHandOver_WhateverHappensBetweenItsSteps does one thing in one of the gaps of a hand-over between two
// queues: behind the mark, behind the adoption, behind the letting go.
func TestHandOver_WhateverHappensBetweenItsSteps(t *testing.T) {
	ctx := context.Background()
	things := map[string]func(s, dead steps, d *Delivery){
		"nothing":                func(_, _ steps, _ *Delivery) {},
		"delete":                 func(s, _ steps, d *Delivery) { _ = s.q.Delete(ctx, d.ReceiptHandle()) },
		"change of visibility":   func(s, _ steps, d *Delivery) { _ = d.ChangeVisibility(ctx, time.Second) },
		"return":                 func(s, _ steps, d *Delivery) { require.Error(s, d.Return(ctx, 0)) },
		"second bury":            func(s, _ steps, d *Delivery) { require.Error(s, d.Bury(ctx, "")) },
		"receive":                func(s, _ steps, _ *Delivery) { s.gets(10, 0) },
		"purge of the source":    func(s, _ steps, _ *Delivery) { require.NoError(s, s.q.Purge(ctx)) },
		"close of the source":    func(s, _ steps, _ *Delivery) { require.NoError(s, s.q.Close()) },
		"a minute":               func(_, _ steps, _ *Delivery) { time.Sleep(time.Minute) },
		"purge of the target":    func(_, dead steps, _ *Delivery) { require.NoError(dead, dead.q.Purge(ctx)) },
		"close of the target":    func(_, dead steps, _ *Delivery) { require.NoError(dead, dead.q.Close()) },
		"the target's retention": func(_, _ steps, _ *Delivery) { time.Sleep(time.Hour) },
		"another target":         func(s, _ steps, _ *Delivery) { _ = s.q.configure(&patch{set: setDeadLetter}) },
		"a message to the group": func(_, dead steps, _ *Delivery) { dead.send("g-9") },
	}
	const gone = "gone"
	for name, do := range things {
		for gap := range 3 {
			for _, by := range []way{byReceive, byBury, byMove} {
				t.Run(fmt.Sprintf("%s, gap %d, way %d", name, gap, by), func(t *testing.T) {
					onBothTypes(t, func(s steps) {
						dead := s.another("dead", WithRetention(time.Hour))
						s.send("g-1")
						d := s.one(time.Hour)
						if by != byBury {
							s.change(d, 0)
						}
						s.buriesIn(dead.asTarget(), 1)
						at := func(n int) {
							if n == gap {
								do(s, dead, d)
							}
							checkInvariants(s, s.q)
							checkInvariants(s, dead.q)
						}
						now, err := s.q.enter()
						require.NoError(s, err)
						r := s.q.store.at(d.receipt.slot)
						s.q.buryLocked(now, d.receipt.slot, r)
						l := s.q.letterLocked(d.receipt.slot, r, dead.q, by, "why")
						s.q.pause(now)
						at(0)
						adopted, err := dead.q.adopt(&l)
						at(1)
						kept, _ := s.q.settle(&l, err)
						at(2)
						if err == nil {
							dead.q.finishAdoption(&l, adopted, kept, 0)
						}
						c := carrier{queues: []*queue{s.q, dead.q}}
						c.finish()
						c.tell()
						checkInvariants(s, s.q)
						checkInvariants(s, dead.q)

						where := gone
						for m := range s.q.Messages() {
							require.Equal(s, []string{gone, "g-1"}, []string{where, m.Body})
							where = "source"
						}
						for m := range dead.q.Messages() {
							if m.Body == "g-1" {
								require.Equal(s, gone, where)
								where = "target"
							}
						}
						wanted := "target"
						switch {
						case name == "delete" && gap < 2 && (by == byBury || s.q.fifo == nil): // a handle of FIFO that is over deletes nothing
							wanted = gone
						case name == "purge of the source" && gap < 2, name == "close of the source" && gap < 2:
							wanted = gone
						case name == "purge of the target" && gap > 0:
							wanted = gone
						case name == "close of the target" && gap > 0:
							wanted = gone
						case name == "close of the target":
							wanted = "source"
						case name == "the target's retention" && (s.q.fifo == nil && by != byMove || gap > 0):
							wanted = gone
						}
						require.Equal(s, wanted, where)
						if wanted == "source" {
							require.Equal(s, 1, s.q.Stats().Visible+s.q.Stats().NotVisible)
						}
					}, WithRetention(24*time.Hour))
				})
			}
		}
	}
}
