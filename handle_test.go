package inq

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The receipt-handle table of the rules: what each call does with each kind of handle, on each type
// of queue.
func TestReceiptHandles_TheTable(t *testing.T) {
	const timeout = 30 * time.Second
	// A prepared handle is that of the story's only message g-1. The case says what became of it.
	prepare := map[string]func(s steps) (handle string){
		"latest, in flight": func(s steps) string { return s.one(timeout).ReceiptHandle() },
		"lapsed, ready": func(s steps) string {
			h := s.one(timeout).ReceiptHandle()
			time.Sleep(timeout)
			return h
		},
		"visibility set to 0": func(s steps) string {
			d := s.one(timeout)
			s.change(d, 0)
			return d.ReceiptHandle()
		},
		"received with visibility 0": func(s steps) string { return s.one(Zero).ReceiptHandle() },
		"older, received again": func(s steps) string {
			h := s.one(timeout).ReceiptHandle()
			time.Sleep(timeout)
			s.one(timeout)
			return h
		},
		"extended, old end passed": func(s steps) string {
			d := s.one(timeout)
			s.change(d, 2*timeout)
			time.Sleep(timeout + time.Second)
			return d.ReceiptHandle()
		},
		"used": func(s steps) string {
			d := s.one(timeout)
			s.delete(*d)
			return d.ReceiptHandle()
		},
		"expired message": func(s steps) string {
			h := s.one(timeout).ReceiptHandle()
			time.Sleep(4 * 24 * time.Hour)
			return h
		},
		"purged message": func(s steps) string {
			h := s.one(timeout).ReceiptHandle()
			require.NoError(s, s.q.Purge(context.Background()))
			return h
		},
		"another queue": func(s steps) string {
			o := standardSteps(s)
			o.send("x")
			return o.one(timeout).ReceiptHandle()
		},
		"malformed": func(steps) string { return "no handle" },
		"empty":     func(steps) string { return "" },
	}
	// counts after the call: visible, not visible
	type outcome struct {
		err               error
		visible, inFlight int
	}
	gone := outcome{}
	ready := outcome{nil, 1, 0}
	hidden := outcome{nil, 0, 1}
	with := func(o outcome, err error) outcome { o.err = err; return o }

	for _, c := range []struct {
		handle string
		call   string // delete, hide (for a minute), release (at once), return
		std    outcome
		fifo   outcome
	}{
		{"latest, in flight", "delete", gone, gone},
		{"lapsed, ready", "delete", gone, with(ready, ErrReceiptHandleExpired)},
		{"visibility set to 0", "delete", gone, with(ready, ErrReceiptHandleExpired)},
		{"received with visibility 0", "delete", gone, with(ready, ErrReceiptHandleExpired)},
		{"older, received again", "delete", gone, with(hidden, ErrReceiptHandleExpired)},
		{"extended, old end passed", "delete", gone, gone},
		{"used", "delete", gone, gone},
		{"expired message", "delete", gone, gone},
		{"purged message", "delete", gone, gone},
		{"another queue", "delete", with(ready, ErrReceiptHandleInvalid), with(ready, ErrReceiptHandleInvalid)},
		{"malformed", "delete", with(ready, ErrReceiptHandleInvalid), with(ready, ErrReceiptHandleInvalid)},
		{"empty", "delete", with(ready, ErrMissingParameter), with(ready, ErrMissingParameter)},

		{"latest, in flight", "hide", hidden, hidden},
		{"lapsed, ready", "hide", ready, with(ready, ErrReceiptHandleExpired)},
		{"visibility set to 0", "hide", ready, with(ready, ErrReceiptHandleExpired)},
		{"received with visibility 0", "hide", ready, with(ready, ErrReceiptHandleExpired)},
		{"older, received again", "hide", hidden, with(hidden, ErrReceiptHandleExpired)},
		{"extended, old end passed", "hide", hidden, hidden},
		{"used", "hide", with(gone, ErrNotInFlight), with(gone, ErrNotInFlight)},
		{"expired message", "hide", with(gone, ErrNotInFlight), with(gone, ErrNotInFlight)},
		{"purged message", "hide", with(gone, ErrNotInFlight), with(gone, ErrNotInFlight)},
		{"another queue", "hide", with(ready, ErrReceiptHandleInvalid), with(ready, ErrReceiptHandleInvalid)},
		{"malformed", "hide", with(ready, ErrReceiptHandleInvalid), with(ready, ErrReceiptHandleInvalid)},
		{"empty", "hide", with(ready, ErrMissingParameter), with(ready, ErrMissingParameter)},

		{"latest, in flight", "release", ready, ready},
		{"lapsed, ready", "release", ready, with(ready, ErrReceiptHandleExpired)},
		{"older, received again", "release", ready, with(hidden, ErrReceiptHandleExpired)},
		{"extended, old end passed", "release", ready, ready},
		{"used", "release", with(gone, ErrNotInFlight), with(gone, ErrNotInFlight)},

		{"latest, in flight", "return", ready, ready},
		{"lapsed, ready", "return", with(ready, ErrReceiptHandleExpired), with(ready, ErrReceiptHandleExpired)},
		{"visibility set to 0", "return", with(ready, ErrReceiptHandleExpired), with(ready, ErrReceiptHandleExpired)},
		{"received with visibility 0", "return", with(ready, ErrReceiptHandleExpired), with(ready, ErrReceiptHandleExpired)},
		{"older, received again", "return", with(hidden, ErrReceiptHandleExpired), with(hidden, ErrReceiptHandleExpired)},
		{"extended, old end passed", "return", ready, ready},
		{"used", "return", with(gone, ErrNotInFlight), with(gone, ErrNotInFlight)},
		{"expired message", "return", with(gone, ErrNotInFlight), with(gone, ErrNotInFlight)},
		{"purged message", "return", with(gone, ErrNotInFlight), with(gone, ErrNotInFlight)},
		{"another queue", "return", with(ready, ErrReceiptHandleInvalid), with(ready, ErrReceiptHandleInvalid)},
		{"malformed", "return", with(ready, ErrReceiptHandleInvalid), with(ready, ErrReceiptHandleInvalid)},
		{"empty", "return", with(ready, ErrMissingParameter), with(ready, ErrMissingParameter)},
	} {
		for _, fifo := range []bool{false, true} {
			want, kind := c.std, "standard"
			if fifo {
				want, kind = c.fifo, "fifo"
			}
			scene(t, c.call+"/"+c.handle+"/"+kind, func(t *testing.T) {
				ctx := context.Background()
				s := standardSteps(t)
				if fifo {
					s = fifoSteps(t)
				}
				s.send("g-1")
				handle := prepare[c.handle](s)

				var single, batch func() error
				switch c.call {
				case "delete":
					single = func() error { return s.q.Delete(ctx, handle) }
					batch = func() error { return s.q.DeleteBatch(ctx, []string{handle}) }
				case "hide", "release":
					timeout := time.Minute
					if c.call == "release" {
						timeout = 0
					}
					single = func() error { return s.q.ChangeVisibility(ctx, handle, timeout) }
					batch = func() error {
						return s.q.ChangeVisibilityBatch(ctx, []VisibilityChange{{handle, timeout}})
					}
				case "return":
					single = func() error { return s.q.Return(ctx, handle, 0) }
				}
				err := single()
				if want.err == nil {
					require.NoError(t, err)
				} else {
					requireRefusal(t, err, want.err)
				}
				s.counts(want.visible, want.inFlight, 0)
				if c.call == "hide" && want == hidden {
					time.Sleep(time.Minute - 1)
					s.counts(0, 1, 0)
					time.Sleep(time.Nanosecond)
					s.counts(1, 0, 0)
				}
				if want.err != nil && batch != nil {
					// DEL-3, VIS-8: in a batch the same refusal fails its entry alone.
					var be *BatchError
					require.ErrorAs(t, batch(), &be)
					require.Len(t, be.Failed, 1)
					require.Zero(t, be.Failed[0].Index)
					requireRefusal(t, be.Failed[0].Err, want.err)
				}
			})
		}
	}
}

func TestReceiptHandles_AHandleDeletesRepeatedlyAndEachDeleteCounts(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		d := s.one(0)
		s.delete(*d, *d, *d)
		require.Equal(s, uint64(3), s.q.Stats().Deleted)
	})
}

func TestReceiptHandles_EveryAlterationIsRefused(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx := context.Background()
		s.send("g-1")
		h := s.one(time.Hour).ReceiptHandle()
		require.Len(s, h, 32)
		var forged []string
		for i := range len(h) {
			for bit := range 8 {
				b := []byte(h)
				b[i] ^= 1 << bit
				forged = append(forged, string(b))
			}
			forged = append(forged, h[:i], h[:i]+"\n"+h[i+1:], h[i:]+strings.Repeat("A", i+1))
		}
		forged = append(forged, h+"A", h+h, " "+h, h+"\n", h+"=", strings.Repeat("A", 32), strings.Repeat("\n", 32),
			strings.Repeat("_", 32), base64.RawURLEncoding.EncodeToString(make([]byte, 24)))
		for _, f := range forged {
			want := ErrReceiptHandleInvalid
			if f == "" {
				want = ErrMissingParameter
			}
			for _, err := range []error{s.q.Delete(ctx, f), s.q.ChangeVisibility(ctx, f, 0), s.q.Return(ctx, f, 0), s.q.Bury(ctx, f, "")} {
				requireRefusal(s, err, want)
				require.Equal(s, "ReceiptHandle", requireParamError(s, err).Param)
				require.Equal(s, f, requireParamError(s, err).Value)
			}
		}
		s.counts(0, 1, 0)
		require.NoError(s, s.q.Delete(ctx, h))
	})
}

func TestReceiptHandles_HaveNoHyphen(t *testing.T) {
	// A command line would take a handle that begins with one for an option.
	onBothTypes(t, func(s steps) {
		for i := range 300 { // more than the values of a byte
			s.send(fmt.Sprintf("g-%d", i))
			d := s.one(time.Hour)
			require.Regexp(s, "^[A-Za-z0-9._]{32}$", d.ReceiptHandle())
			s.delete(*d)
		}
	})
}

func TestReceiptHandles_ASlotUsedAgainDoesNotAcceptTheHandleOfItsFormerMessage(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx := context.Background()
		s.send("g-1")
		old := *s.one(0)
		s.delete(old)
		s.send("g-2")
		s.one(0)
		s.delete(old)
		requireRefusal(s, s.q.ChangeVisibility(ctx, old.ReceiptHandle(), 0), ErrNotInFlight)
		s.counts(0, 1, 0)
		// The numbers of messages are not used again after a purge either.
		require.NoError(s, s.q.Purge(ctx))
		s.send("g-3")
		s.one(0)
		s.delete(old)
		s.counts(0, 1, 0)
	})
}

func TestReceiptHandles_BatchesCarryOutWhatTheyCan(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx := context.Background()
		s.send("a-1", "b-1", "c-1", "d-1")
		ds := s.receive(10, 0)
		require.Len(s, ds, 4)
		var be *BatchError

		changes := []VisibilityChange{{"junk", 0}, {ds[0].ReceiptHandle(), 0}, {ds[1].ReceiptHandle(), 12*time.Hour + 1}, {"", 0}, {ds[1].ReceiptHandle(), Zero}}
		require.ErrorAs(s, s.q.ChangeVisibilityBatch(ctx, changes), &be)
		require.Len(s, be.Failed, 3)
		for i, want := range []struct {
			index int
			err   error
		}{{0, ErrReceiptHandleInvalid}, {2, ErrInvalidParameter}, {3, ErrMissingParameter}} {
			require.Equal(s, want.index, be.Failed[i].Index)
			requireRefusal(s, be.Failed[i].Err, want.err)
		}
		s.counts(2, 2, 0)

		require.ErrorAs(s, s.q.DeleteBatch(ctx, []string{ds[2].ReceiptHandle(), "junk", ds[3].ReceiptHandle()}), &be)
		require.Len(s, be.Failed, 1)
		require.Equal(s, 1, be.Failed[0].Index)
		s.counts(2, 0, 0)
	})
}

func TestRCV13_EveryReceiveHasANewHandle(t *testing.T) {
	onBothTypes(t, func(s steps) {
		seen := map[string]bool{}
		for i := range 5 {
			s.send(fmt.Sprintf("g%d-1", i))
		}
		for range 4 {
			for _, d := range s.receive(10, Zero) {
				require.False(s, seen[d.ReceiptHandle()])
				require.Equal(s, d.ReceiptHandle(), d.ReceiptHandle())
				seen[d.ReceiptHandle()] = true
			}
		}
		require.Len(s, seen, 20)
	})
}

func TestReturn_TheReceiveIsAsIfItHadNotHappened(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx := context.Background()
		s.send("g-1", "g-2", "g-3")
		time.Sleep(time.Second)
		first := s.gets(2, 0, "g-1", "g-2")
		require.NoError(s, s.q.Return(ctx, first[1].ReceiptHandle(), 0))
		require.NoError(s, s.q.Return(ctx, first[0].ReceiptHandle(), Zero))
		for snapshot := range s.q.Messages() {
			require.Zero(s, snapshot.ReceiveCount)
			require.Zero(s, snapshot.FirstReceivedAt)
			require.Equal(s, StateVisible, snapshot.State)
		}
		time.Sleep(time.Second)
		again := s.gets(10, 0, "g-1", "g-2", "g-3") // at its old place
		for i := range again {
			require.Equal(s, 1, again[i].ReceiveCount)
			require.Equal(s, time.Now(), again[i].FirstReceivedAt())
		}
		// The handle of the receive that was undone is void.
		requireRefusal(s, s.q.Return(ctx, first[0].ReceiptHandle(), 0), ErrReceiptHandleExpired)
		require.NotEqual(s, first[0].ReceiptHandle(), again[0].ReceiptHandle())
		s.counts(0, 3, 0)
	})
}

func TestReturn_KeepsTheReceivesBeforeAndTheFirstTime(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx := context.Background()
		s.send("g-1")
		began := time.Now()
		s.one(time.Second)
		time.Sleep(time.Second)
		require.Equal(s, 2, s.one(0).ReceiveCount)
		time.Sleep(30 * time.Second)
		third := s.one(0)
		require.Equal(s, 3, third.ReceiveCount)
		require.NoError(s, s.q.Return(ctx, third.ReceiptHandle(), 0))
		d := s.one(0)
		require.Equal(s, 3, d.ReceiveCount)
		require.Equal(s, began, d.FirstReceivedAt())
	})
}

func TestReturn_DoesNotCountTowardsTheBackOfTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standardSteps(t)
		s.send("1", "2")
		for range 10 {
			d := s.one(0)
			require.Equal(t, "1", d.Body)
			require.NoError(t, s.q.Return(context.Background(), d.ReceiptHandle(), 0))
		}
	})
}

func TestReturn_WithADelayTheMessageWaits(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx := context.Background()
		s.send("g-1", "h-1")
		d := s.one(0)
		require.NoError(s, s.q.Return(ctx, d.ReceiptHandle(), 15*time.Minute))
		s.counts(1, 0, 1)
		requireRefusal(s, s.q.Return(ctx, d.ReceiptHandle(), 0), ErrReceiptHandleExpired)
		time.Sleep(15*time.Minute - 1)
		s.gets(10, time.Hour, "h-1")
		time.Sleep(time.Nanosecond)
		require.Equal(s, 1, s.gets(10, 0, "g-1")[0].ReceiveCount)
	})
}

func TestReturn_DelaysOutOfRangeAreRefused(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		d := s.one(0)
		for _, delay := range []time.Duration{-1, -time.Second, 15*time.Minute + 1, Forever, Zero + 1} {
			err := s.q.Return(context.Background(), d.ReceiptHandle(), delay)
			requireRefusal(s, err, ErrInvalidParameter)
			p := requireParamError(s, err)
			require.Equal(s, ParamError{Err: ErrInvalidParameter, Param: "DelaySeconds", Value: delay, Min: time.Duration(0), Max: 15 * time.Minute}, *p)
		}
		s.counts(0, 1, 0)
	})
}

func TestReturn_WakesALongPoll(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		d := s.one(0)
		go func() {
			time.Sleep(time.Second)
			assert.NoError(s, d.Return(context.Background(), 0))
		}()
		start := time.Now()
		ds, err := s.q.Receive(context.Background(), ReceiveInput{Wait: 20 * time.Second})
		require.NoError(s, err)
		require.Len(s, ds, 1)
		require.Equal(s, time.Second, time.Since(start))
	})
}
