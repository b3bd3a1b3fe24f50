package inq

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var errRefused = errors.New("refused")

// script is a dead-letter target that notes what it is given, and when, and does what a test says.
type script struct {
	do func(ctx context.Context, d DeadLetter) error // nil: take it

	mu      sync.Mutex // guards everything below
	letters []DeadLetter
	times   []time.Time
}

func (t *script) DeadLetter(ctx context.Context, d DeadLetter) error {
	t.mu.Lock()
	t.letters, t.times = append(t.letters, d), append(t.times, time.Now())
	t.mu.Unlock()
	if t.do == nil {
		return nil
	}
	return t.do(ctx, d)
}

// got returns the bodies the target was given, in order.
func (t *script) got() (bodies []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range t.letters {
		bodies = append(bodies, d.Body)
	}
	return bodies
}

// withTarget tells a story of a queue with a scripted target.
func withTarget(t *testing.T, maxReceives int, story func(s steps, target *script), opts ...Option) {
	t.Helper()
	onBothTypes(t, func(s steps) {
		target := &script{}
		s.buriesIn(target, maxReceives)
		story(s, target)
	}, opts...)
}

// failing is what a target does that never succeeds.
func failing(context.Context, DeadLetter) error { return errRefused }

// meets receives, so that what was received often enough is met, and waits for the calls of the target that
// do not block.
func (s steps) meets(bodies ...string) []Delivery {
	s.Helper()
	ds := s.gets(10, time.Hour, bodies...)
	synctest.Wait()
	return ds
}

// tries receives until the target was called as often as wanted. No wait is longer than the
// shortest time between two calls.
func (s steps) tries(target *script, n int) {
	s.Helper()
	for len(target.got()) < n {
		ds, err := s.q.Receive(context.Background(), ReceiveInput{Wait: time.Second})
		require.NoError(s, err)
		require.Empty(s, ds)
		synctest.Wait()
	}
}

func TestDeadLetterTarget_IsToldWhatTheQueueKnows(t *testing.T) {
	withTarget(t, 2, func(s steps, target *script) {
		m := s.message("g-1")
		m.Attributes, m.GroupID, m.TraceHeader, m.SenderID = map[string]Attribute{"b": Binary([]byte{0})}, "g", "trace", "them"
		_, err := s.q.Send(context.Background(), m)
		require.NoError(s, err)
		s.one(Zero)
		time.Sleep(time.Second)
		d := s.one(Zero)
		s.meets()
		require.Len(s, target.letters, 1)
		l := target.letters[0]
		require.Equal(s, []any{d.ID(), "g-1", m.Attributes, "g", d.DeduplicationID(), d.SequenceNumber(), "trace", "them", s.q.Name(), s.q.ARN(), 2},
			[]any{l.ID, l.Body, l.Attributes, l.GroupID, l.DeduplicationID, l.SequenceNumber, l.TraceHeader, l.SenderID, l.Source, l.SourceARN, l.ReceiveCount})
		require.WithinDuration(s, d.SentAt(), l.SentAt, 0)
		require.WithinDuration(s, d.FirstReceivedAt(), l.FirstReceivedAt, 0)
		require.NotEmpty(s, l.Reason)
		s.counts(0, 0, 0)
	})
}

func TestDeadLetterTarget_AFailureIsTriedAgainWithGrowingBackoff(t *testing.T) {
	var j observed
	withTarget(t, 1, func(s steps, target *script) {
		target.do = failing
		s.wear("g-1")
		j.take()
		start := time.Now()
		s.meets()
		s.counts(0, 1, 0)
		e := j.last()
		require.Equal(s, EventDeadLetterFailed, e.Kind)
		require.ErrorIs(s, e.Err, errRefused)
		at := time.Duration(0)
		for i, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
			s.tries(target, i+2)
			at += wait * time.Second
			require.Equal(s, at, target.times[i+1].Sub(start))
			s.counts(0, 1, 0)
			require.Equal(s, uint64(i+2), s.q.Stats().DeadLetterFailures)
		}
		require.Zero(s, s.q.Stats().DeadLettered)
		target.do = nil
		s.tries(target, 11)
		s.counts(0, 0, 0)
		require.Equal(s, uint64(1), s.q.Stats().DeadLettered)
		var want []EventKind
		for range 10 {
			want = append(want, EventLeaving, EventDeadLetterFailed, EventPutBack)
		}
		require.Equal(s, append(want, EventLeaving, EventDeadLettered), j.take())
	}, WithObserver(j.observe))
}

func TestDeadLetterTarget_NobodyReceivesTheMessageMeanwhile(t *testing.T) {
	withTarget(t, 1, func(s steps, target *script) {
		target.do = failing
		s.wear("g-1")
		s.meets()
		s.counts(0, 1, 0)
		s.send("g-2", "h-1")
		rest := []string{"g-2", "h-1"}
		if s.q.fifo != nil {
			rest = rest[1:] // its group waits
		}
		s.meets(rest...)
		time.Sleep(time.Second - time.Nanosecond)
		s.meets()
		require.Len(s, target.got(), 1)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Len(s, target.got(), 1, "it is offered again when a receive meets it")
		s.meets()
		require.Len(s, target.got(), 2)
		target.do = nil
		time.Sleep(2 * time.Second)
		s.meets()
		require.Len(s, target.got(), 3)
		if s.q.fifo != nil {
			s.meets("g-2")
		}
	})
}

func TestDeadLetterTarget_TheBackoffStartsAnewAfterADelivery(t *testing.T) {
	withTarget(t, 1, func(s steps, target *script) {
		target.do = failing
		s.wear("g-1")
		s.meets()
		s.tries(target, 3) // 1 s, 2 s, and now 4 s
		s.buriesIn(nil, 0)
		s.meets()
		time.Sleep(4 * time.Second)
		require.Equal(s, 2, s.one(Zero).ReceiveCount)
		s.buriesIn(target, 2)
		start := time.Now()
		s.meets()
		s.tries(target, 6)
		require.Equal(s, []time.Duration{0, time.Second, 3 * time.Second},
			[]time.Duration{target.times[3].Sub(start), target.times[4].Sub(start), target.times[5].Sub(start)})
	})
}

func TestDeadLetterTarget_AFullQueueTakesTheLetterLater(t *testing.T) {
	withDeadLetters(t, 1, func(s, dead steps) {
		s.wear("g-1", "h-1")
		s.gets(10, 0)
		s.counts(0, 1, 0)
		dead.counts(1, 0, 0)
		require.Equal(s, uint64(1), s.q.Stats().DeadLetterFailures)
		time.Sleep(time.Second)
		s.gets(10, 0)
		s.counts(0, 1, 0)
		dead.delete(*dead.one(time.Minute))
		time.Sleep(2 * time.Second)
		s.gets(10, 0)
		s.counts(0, 0, 0)
		dead.gets(10, 0, "h-1")
	}, WithCapacity(1, 0))
}

func TestDeadLetterTarget_HasThirtySecondsAndNotTheEndOfTheReceive(t *testing.T) {
	for name, wait := range map[string]time.Duration{"short poll": Zero, "long poll": longest} {
		t.Run(name, func(t *testing.T) {
			withTarget(t, 1, func(s steps, target *script) {
				target.do = func(ctx context.Context, _ DeadLetter) error {
					end, ok := ctx.Deadline()
					require.True(s, ok)
					require.Equal(s, 30*time.Second, time.Until(end))
					<-ctx.Done()
					require.Equal(s, context.DeadlineExceeded, ctx.Err())
					return ctx.Err()
				}
				s.wear("g-1")
				start := time.Now()
				ctx, cancel := context.WithCancel(context.Background())
				c := await(ctx, s.q, ReceiveInput{Wait: wait})
				time.Sleep(time.Second)
				cancel()
				a := <-c
				require.Empty(s, a.ds)
				s.counts(0, 1, 0)
				require.Zero(s, s.q.Stats().DeadLetterFailures)
				time.Sleep(time.Until(start.Add(30 * time.Second)))
				synctest.Wait()
				require.Equal(s, uint64(1), s.q.Stats().DeadLetterFailures)
				s.counts(0, 1, 0)
				time.Sleep(time.Second)
				s.counts(1, 0, 0)
			})
		})
	}
}

func TestDeadLetterTarget_ASlowOneHoldsUpNobody(t *testing.T) {
	withTarget(t, 1, func(s steps, target *script) {
		let := make(chan struct{})
		target.do = func(context.Context, DeadLetter) error {
			<-let
			return nil
		}
		s.wear("g-1")
		s.send("g-2", "h-1", "i-1")
		rest := []string{"g-2", "h-1", "i-1"}
		if s.q.fifo != nil {
			rest = rest[1:] // the group waits for the outcome
		}
		start := time.Now()
		s.gets(10, time.Hour, rest...)
		require.Equal(s, start, time.Now())
		time.Sleep(10 * time.Minute)
		s.counts(4-1-len(rest), 1+len(rest), 0)
		close(let)
		synctest.Wait()
		if s.q.fifo != nil {
			s.gets(10, time.Hour, "g-2")
		}
		s.counts(0, 3, 0)
	})
}

func TestDeadLetterTarget_APanicIsAFailure(t *testing.T) {
	var j observed
	withTarget(t, 1, func(s steps, target *script) {
		target.do = func(context.Context, DeadLetter) error { panic("oh no") }
		s.wear("g-1")
		s.meets()
		s.counts(0, 1, 0)
		require.ErrorContains(s, j.last().Err, "oh no")
		target.do = nil
		time.Sleep(time.Second)
		s.meets()
		s.counts(0, 0, 0)
	}, WithObserver(j.observe))
}

func TestDeadLetterTarget_OneThatEndsItsGoroutineLosesNothing(t *testing.T) {
	withTarget(t, 1, func(s steps, target *script) {
		target.do = func(context.Context, DeadLetter) error {
			runtime.Goexit()
			return nil
		}
		s.wear("g-1", "h-1", "i-1")
		s.meets()
		require.ElementsMatch(s, []string{"g-1", "h-1", "i-1"}, target.got())
		s.counts(0, 3, 0)
		require.Equal(s, uint64(3), s.q.Stats().DeadLetterFailures)
		target.do = nil
		time.Sleep(time.Second)
		s.meets()
		s.counts(0, 0, 0)
		require.Len(s, target.got(), 6)
	})
}

func TestDeadLetterTarget_MayUseTheQueueItself(t *testing.T) {
	withTarget(t, 1, func(s steps, target *script) {
		target.do = func(ctx context.Context, d DeadLetter) error {
			require.Equal(s, 3, s.q.Stats().Visible+s.q.Stats().NotVisible)
			_, err := s.q.Send(ctx, s.message("j-1"))
			require.NoError(s, err)
			s.delete(s.gets(10, time.Minute, "i-1", "j-1")...)
			return nil
		}
		s.wear("g-1")
		s.send("h-1", "i-1")
		s.gets(1, time.Minute, "h-1")
		synctest.Wait()
		s.counts(0, 1, 0)
	})
}

func TestStandard_DeadLetterTarget_AnOldHandleDeletesDuringTheHandOver(t *testing.T) {
	for name, answer := range map[string]error{"taken": nil, "failed": errRefused, "gone": ErrClosed} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := standardSteps(t)
				old := s.wear("1")
				s.buriesIn(DeadLetterFunc(func(context.Context, DeadLetter) error {
					s.delete(old...)
					s.counts(0, 0, 0)
					return answer
				}), 1)
				s.meets()
				s.counts(0, 0, 0)
				time.Sleep(time.Hour)
				s.meets()
				s.counts(0, 0, 0)
			})
		})
	}
}

func TestDeadLetterTarget_WhatHappensToTheQueueDuringTheHandOver(t *testing.T) {
	ctx := context.Background()
	for name, answer := range map[string]error{"taken": nil, "failed": errRefused, "gone": ErrClosed} {
		t.Run(name+", purged", func(t *testing.T) {
			withTarget(t, 1, func(s steps, target *script) {
				target.do = func(context.Context, DeadLetter) error {
					require.NoError(s, s.q.Purge(ctx))
					return answer
				}
				s.wear("g-1", "h-1")
				s.meets()
				time.Sleep(time.Hour)
				s.meets()
				s.counts(0, 0, 0)
			})
		})
		t.Run(name+", closed", func(t *testing.T) {
			withTarget(t, 1, func(s steps, target *script) {
				target.do = func(context.Context, DeadLetter) error {
					require.NoError(s, s.q.Close())
					return answer
				}
				s.wear("g-1")
				s.meets()
				_, err := s.q.Receive(ctx, ReceiveInput{})
				require.Equal(s, ErrClosed, err)
			})
		})
		t.Run(name+", expired", func(t *testing.T) {
			withTarget(t, 1, func(s steps, target *script) {
				target.do = func(context.Context, DeadLetter) error {
					time.Sleep(20 * time.Second)
					return answer
				}
				s.wear("g-1")
				time.Sleep(50 * time.Second)
				s.meets()
				time.Sleep(20 * time.Second)
				s.counts(0, 0, 0)
				require.Equal(s, uint64(1), s.q.Stats().Expired)
			}, WithRetention(time.Minute))
		})
	}
	t.Run("another target", func(t *testing.T) {
		withTarget(t, 1, func(s steps, target *script) {
			next := &script{}
			target.do = func(context.Context, DeadLetter) error {
				s.buriesIn(next, 1)
				return errRefused
			}
			s.wear("g-1")
			s.meets()
			time.Sleep(time.Second)
			s.meets()
			s.counts(0, 0, 0)
			require.Equal(s, []string{"g-1"}, target.got())
			require.Equal(s, []string{"g-1"}, next.got())
		})
	})
	t.Run("no target any more", func(t *testing.T) {
		withTarget(t, 1, func(s steps, target *script) {
			target.do = func(context.Context, DeadLetter) error {
				s.buriesIn(nil, 0)
				return errRefused
			}
			s.wear("g-1")
			s.meets()
			s.counts(0, 1, 0)
			time.Sleep(time.Second)
			require.Equal(s, 2, s.one(time.Minute).ReceiveCount)
		})
	})
}

func TestDeadLetterTarget_WorkersAndAFailingTargetLoseAndDoubleNothing(t *testing.T) {
	const messages = 200
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	onBothTypes(t, func(s steps) {
		var mu sync.Mutex
		random := rand.New(rand.NewPCG(seed, 0))
		chance := func(n int) bool {
			mu.Lock()
			defer mu.Unlock()
			return random.IntN(n) == 0
		}
		ended := map[string]int{} // deleted or taken
		end := func(body string) {
			mu.Lock()
			defer mu.Unlock()
			ended[body]++
		}
		s.buriesIn(DeadLetterFunc(func(ctx context.Context, d DeadLetter) error {
			switch {
			case chance(5):
				return errRefused
			case chance(20):
				return ErrClosed
			case chance(20):
				panic("oh no")
			case chance(10):
				<-ctx.Done()
				return ctx.Err()
			}
			end(d.Body)
			return nil
		}), 2)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for {
					ds, err := s.q.Receive(context.Background(), ReceiveInput{Max: 5, Wait: longest, VisibilityTimeout: 5 * time.Second})
					if err != nil {
						return
					}
					for i := range ds {
						if chance(3) && ds[i].Delete(context.Background()) == nil {
							end(ds[i].Body)
						}
					}
				}
			})
		}
		for i := range messages {
			s.send(fmt.Sprintf("g%d-%d", i%20, i))
			time.Sleep(100 * time.Millisecond)
		}
		for c := (Counts{NotVisible: 1}); c != (Counts{}); c = s.q.Stats().Counts {
			time.Sleep(time.Minute)
		}
		require.NoError(s, s.q.Close())
		wg.Wait()
		require.Len(s, ended, messages)
		for body, n := range ended {
			require.Equal(s, 1, n, body)
		}
	})
}

func TestFIFO_RCV16_AnAttemptIsRepeatedBesideDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		s := fifoSteps(t)
		target := &script{}
		s.buriesIn(target, 1)
		s.wear("g-1")
		s.send("h-1", "h-2")
		in := ReceiveInput{Max: 10, AttemptID: "x", Wait: longest}
		first, err := s.q.Receive(ctx, in)
		require.NoError(t, err)
		require.Equal(t, []string{"h-1", "h-2"}, bodiesOf(first))
		synctest.Wait()
		require.Equal(t, []string{"g-1"}, target.got())
		again, err := s.q.Receive(ctx, in)
		require.NoError(t, err)
		require.Equal(t, first, again)
		require.Len(t, target.got(), 1)
	})
}
