package inq

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBury_HandsTheMessageOverNow(t *testing.T) {
	var j observed
	withTarget(t, 5, func(s steps, target *script) {
		s.send("g-1", "g-2")
		d := s.one(time.Minute)
		require.NoError(s, s.q.Bury(context.Background(), d.ReceiptHandle(), "cannot be parsed"))
		require.Equal(s, []string{"g-1"}, target.got())
		l := target.letters[0]
		require.Equal(s, []any{d.ID(), "cannot be parsed", 1}, []any{l.ID, l.Reason, l.ReceiveCount})
		s.counts(1, 0, 0)
		require.Equal(s, uint64(1), s.q.Stats().DeadLettered)
		require.Equal(s, EventDeadLettered, j.last().Kind)
		require.ErrorIs(s, s.q.Bury(context.Background(), d.ReceiptHandle(), ""), ErrNotInFlight)
		s.gets(10, 0, "g-2") // its group goes on
	}, WithObserver(j.observe))
}

func TestBury_IntoAQueueIsAsIfItWasReceivedTooOften(t *testing.T) {
	withDeadLetters(t, 5, func(s, dead steps) {
		s.send("g-1")
		d := s.one(time.Minute)
		require.NoError(s, d.Bury(context.Background(), "why"))
		s.counts(0, 0, 0)
		b := dead.one(time.Minute)
		require.Equal(s, []any{d.ID(), 2, s.q.ARN()}, []any{b.ID(), b.ReceiveCount, b.DeadLetterSourceARN()})
	})
}

func TestBury_AFailureLeavesTheMessageInFlight(t *testing.T) {
	ctx := context.Background()
	quits := func(context.Context, DeadLetter) error {
		runtime.Goexit()
		return nil
	}
	for name, do := range map[string]func(context.Context, DeadLetter) error{
		"failed": failing,
		"gone":   func(context.Context, DeadLetter) error { return ErrQueueDoesNotExist },
		"panics": func(context.Context, DeadLetter) error { panic("oh no") },
		"quits":  quits,
	} {
		t.Run(name, func(t *testing.T) {
			var j observed
			withTarget(t, 5, func(s steps, target *script) {
				target.do = do
				s.send("g-1", "g-2")
				d := s.one(30 * time.Second)
				time.Sleep(10 * time.Second)
				ended := make(chan error, 1)
				go func() {
					defer close(ended)
					ended <- d.Bury(ctx, "why")
				}()
				err := <-ended
				require.Equal(s, name == "quits", err == nil)
				if name == "failed" {
					require.ErrorIs(s, err, errRefused)
				}
				require.Equal(s, EventDeadLetterFailed, j.last().Kind)
				require.Equal(s, uint64(1), s.q.Stats().DeadLetterFailures)
				s.counts(1, 1, 0)
				if s.q.fifo != nil {
					s.gets(1, 0)
				}
				require.NoError(s, d.ChangeVisibility(ctx, 40*time.Second)) // the same handle does
				time.Sleep(40 * time.Second)
				s.counts(2, 0, 0)
			}, WithObserver(j.observe))
		})
	}
}

func TestBury_AFailureKeepsTheTimeoutThatWas(t *testing.T) {
	ctx := context.Background()
	withTarget(t, 5, func(s steps, target *script) {
		target.do = failing
		s.send("g-1")
		d := s.one(30 * time.Second)
		time.Sleep(10 * time.Second)
		require.Error(s, d.Bury(ctx, "why"))
		time.Sleep(20*time.Second - time.Nanosecond)
		s.counts(0, 1, 0)
		time.Sleep(time.Nanosecond)
		s.counts(1, 0, 0)
		require.Equal(s, 2, s.one(time.Minute).ReceiveCount)
	})
}

func TestBury_WhereTheTimeoutPassedMeanwhileTheMessageIsReceivableAgain(t *testing.T) {
	ctx := context.Background()
	for name, took := range map[string]time.Duration{"at its end": 10 * time.Second, "past its end": 29 * time.Second} {
		t.Run(name, func(t *testing.T) {
			withTarget(t, 5, func(s steps, target *script) {
				target.do = func(context.Context, DeadLetter) error {
					time.Sleep(took - time.Nanosecond)
					s.counts(0, 1, 0)
					time.Sleep(time.Nanosecond)
					s.gets(1, 0) // nobody else meanwhile
					return errRefused
				}
				s.send("g-1")
				d := s.one(10 * time.Second)
				require.ErrorIs(s, d.Bury(ctx, "why"), errRefused)
				s.counts(1, 0, 0)
				require.ErrorIs(s, d.Bury(ctx, "why"), ErrReceiptHandleExpired)
				require.Equal(s, 2, s.one(time.Minute).ReceiveCount)
			})
		})
	}
}

func TestBury_AWaitingReceiveGetsWhatAFailedBurialLetsGo(t *testing.T) {
	withTarget(t, 5, func(s steps, target *script) {
		target.do = func(context.Context, DeadLetter) error {
			time.Sleep(10 * time.Second)
			return errRefused
		}
		s.send("g-1")
		d := s.one(5 * time.Second)
		c := await(context.Background(), s.q, ReceiveInput{Wait: longest})
		require.Error(s, d.Bury(context.Background(), "why"))
		a := <-c
		require.Equal(s, []string{"g-1"}, a.bodies())
		require.Equal(s, 10*time.Second, a.at)
	})
}

func TestBury_RefusesWrongHandlesAndQueuesWithoutTarget(t *testing.T) {
	ctx := context.Background()
	withTarget(t, 5, func(s steps, target *script) {
		s.send("g-1", "h-1")
		other := s.another("other")
		other.send("g-1")
		require.ErrorIs(s, s.q.Bury(ctx, other.one(time.Minute).ReceiptHandle(), ""), ErrReceiptHandleInvalid)
		require.ErrorIs(s, s.q.Bury(ctx, "junk", ""), ErrReceiptHandleInvalid)
		d := s.one(5 * time.Second)
		time.Sleep(5 * time.Second)
		require.ErrorIs(s, d.Bury(ctx, ""), ErrReceiptHandleExpired, "visible again")
		e := s.receive(10, time.Minute)
		require.ErrorIs(s, d.Bury(ctx, ""), ErrReceiptHandleExpired, "received again")
		for i := range e {
			if e[i].Body == d.Body {
				s.delete(e[i])
			}
		}
		require.ErrorIs(s, d.Bury(ctx, ""), ErrNotInFlight)
		var live Delivery
		for i := range e {
			if e[i].Body != d.Body {
				live = e[i]
			}
		}
		over, cancel := context.WithCancel(ctx)
		cancel()
		require.Equal(s, context.Canceled, live.Bury(over, ""))
		require.Empty(s, target.got())
		s.buriesIn(nil, 0)
		require.ErrorIs(s, live.Bury(ctx, ""), ErrNoDeadLetterTarget)
		s.counts(0, 1, 0)
		require.NoError(s, live.ChangeVisibility(ctx, 0))
		require.NoError(s, s.q.Close())
		require.Equal(s, ErrClosed, live.Bury(ctx, ""))
		require.Equal(s, ErrClosed, s.q.Bury(ctx, "junk", ""))
	})
}

func TestBury_WhatHappensToTheMessageDuringTheHandOver(t *testing.T) {
	ctx := context.Background()
	for name, answer := range map[string]error{"taken": nil, "failed": errRefused} {
		for what, act := range map[string]func(s steps, d *Delivery){
			"purged":  func(s steps, _ *Delivery) { require.NoError(s, s.q.Purge(ctx)) },
			"closed":  func(s steps, _ *Delivery) { require.NoError(s, s.q.Close()) },
			"expired": func(steps, *Delivery) { time.Sleep(time.Minute) },
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				withTarget(t, 5, func(s steps, target *script) {
					s.send("g-1")
					d := s.one(time.Hour)
					target.do = func(context.Context, DeadLetter) error {
						act(s, d)
						return answer
					}
					require.ErrorIs(s, d.Bury(ctx, "why"), answer)
					require.Zero(s, s.q.Stats().Counts)
					time.Sleep(time.Hour)
					require.Zero(s, s.q.Stats().Counts)
				}, WithRetention(time.Minute))
			})
		}
	}
}

func TestBury_TheMessageIsTheTargetsAloneDuringTheHandOver(t *testing.T) {
	ctx := context.Background()
	withTarget(t, 5, func(s steps, target *script) {
		s.send("g-1")
		d := s.one(time.Hour)
		target.do = func(context.Context, DeadLetter) error {
			require.Error(s, d.Bury(ctx, "twice"))
			require.Error(s, d.Return(ctx, 0))
			s.gets(1, 0)
			s.counts(0, 1, 0)
			return errRefused
		}
		require.ErrorIs(s, d.Bury(ctx, "why"), errRefused)
		require.Len(s, target.got(), 1)
		require.NoError(s, d.Delete(ctx))
		s.counts(0, 0, 0)
	})
}

func TestBury_HasThirtySecondsAndNotTheEndOfItsContext(t *testing.T) {
	withTarget(t, 5, func(s steps, target *script) {
		target.do = func(ctx context.Context, _ DeadLetter) error {
			<-ctx.Done()
			return ctx.Err()
		}
		s.send("g-1")
		d := s.one(time.Hour)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		start := time.Now()
		go func() { done <- d.Bury(ctx, "why") }()
		synctest.Wait()
		cancel()
		require.ErrorIs(s, <-done, context.DeadlineExceeded)
		require.Equal(s, 30*time.Second, time.Since(start))
	})
}
