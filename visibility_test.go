package inq

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestVIS1_TheDeadlineIsNowPlusTheTimeoutNotAddedToTheOldOne(t *testing.T) {
	for _, timeout := range []time.Duration{1, 5 * time.Second, 20 * time.Second, time.Hour} {
		for _, way := range []string{"single", "delivery", "batch", "all"} {
			t.Run(fmt.Sprint(way, timeout), func(t *testing.T) {
				onBothTypes(t, func(s steps) {
					ctx := context.Background()
					s.send("g-1")
					d := s.one(30 * time.Second)
					time.Sleep(10 * time.Second)
					switch way {
					case "single":
						s.change(d, timeout)
					case "delivery":
						require.NoError(s, d.ChangeVisibility(ctx, timeout))
					case "batch":
						require.NoError(s, s.q.ChangeVisibilityBatch(ctx, []VisibilityChange{{d.ReceiptHandle(), timeout}}))
					case "all":
						require.NoError(s, s.q.ExtendAll(ctx, []Delivery{*d}, timeout))
					}
					time.Sleep(timeout - 1)
					s.counts(0, 1, 0)
					s.gets(1, 0)
					time.Sleep(time.Nanosecond)
					s.gets(1, 0, "g-1")
				})
			})
		}
	}
}

func TestVIS1_ZeroMakesTheMessageVisibleAtOnce(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx := context.Background()
		s.send("g-1")
		for _, release := range []func(d *Delivery) error{
			func(d *Delivery) error { return s.q.ChangeVisibility(ctx, d.ReceiptHandle(), 0) },
			func(d *Delivery) error { return s.q.ChangeVisibility(ctx, d.ReceiptHandle(), Zero) },
			func(d *Delivery) error { return d.ChangeVisibility(ctx, 0) },
			func(d *Delivery) error { return s.q.ExtendAll(ctx, []Delivery{*d}, Zero) },
			func(d *Delivery) error {
				return s.q.ChangeVisibilityBatch(ctx, []VisibilityChange{{ReceiptHandle: d.ReceiptHandle()}})
			},
		} {
			d := s.one(0)
			s.counts(0, 1, 0)
			require.NoError(s, release(d))
			s.counts(1, 0, 0)
		}
		require.Equal(s, 6, s.one(0).ReceiveCount)
	})
}

func TestVIS2_AChangeHoldsForOneReceiveOnly(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		s.change(s.one(0), time.Hour)
		time.Sleep(time.Hour)
		s.one(0) // the queue's 30 seconds again
		time.Sleep(30*time.Second - 1)
		s.gets(1, 0)
		time.Sleep(time.Nanosecond)
		s.one(0)
	})
}

func TestVIS3_TheTotalSinceTheReceiveIsBoundTo12Hours(t *testing.T) {
	const bound = 12 * time.Hour
	for _, after := range []time.Duration{0, 1, time.Second, bound - time.Second, bound - 1} {
		scene(t, fmt.Sprint(after), func(t *testing.T) {
			for _, fifo := range []bool{false, true} {
				s := standardSteps(t)
				if fifo {
					s = fifoSteps(t)
				}
				s.send("g-1")
				d := s.one(bound)
				time.Sleep(after)
				left := bound - after
				for _, timeout := range []time.Duration{left + 1, left + time.Second, bound + 1, bound + time.Second} {
					longest := left
					if timeout > bound {
						longest = bound // refused before the message is looked at
					}
					err := s.q.ChangeVisibility(context.Background(), d.ReceiptHandle(), timeout)
					requireRefusal(t, err, ErrInvalidParameter)
					p := requireParamError(t, err)
					require.Equal(t, "VisibilityTimeout", p.Param)
					require.Equal(t, timeout, p.Value)
					require.Equal(t, longest, p.Max)
					require.ErrorAs(t, s.q.ChangeVisibilityBatch(context.Background(), []VisibilityChange{{d.ReceiptHandle(), timeout}}), new(*BatchError))
				}
				if left > 1 {
					s.change(d, left-1)
				}
				s.change(d, left) // extensions do not reset the bound, and the bound itself is allowed
				requireRefusal(t, s.q.ChangeVisibility(context.Background(), d.ReceiptHandle(), left+1), ErrInvalidParameter)
				time.Sleep(left - 1)
				s.counts(0, 1, 0)
				time.Sleep(time.Nanosecond)
				s.counts(1, 0, 0)
				// The bound counts from the latest receive.
				d = s.one(0)
				s.change(d, bound)
				requireRefusal(t, s.q.ChangeVisibility(context.Background(), d.ReceiptHandle(), bound+1), ErrInvalidParameter)
			}
		})
	}
}

func TestVIS3_TheRangeOfTheTimeout(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		d := s.one(0)
		for _, timeout := range []time.Duration{-1, -time.Second, 12*time.Hour + 1, Forever, Zero + 1} {
			for _, err := range []error{
				s.q.ChangeVisibility(context.Background(), d.ReceiptHandle(), timeout),
				s.q.ExtendAll(context.Background(), []Delivery{*d}, timeout),
			} {
				requireRefusal(s, err, ErrInvalidParameter)
				require.Equal(s, ParamError{Err: ErrInvalidParameter, Param: "VisibilityTimeout", Value: timeout,
					Min: time.Duration(0), Max: 12 * time.Hour}, *requireParamError(s, err))
			}
		}
		s.counts(0, 1, 0)
		time.Sleep(30 * time.Second)
		s.counts(1, 0, 0)
	})
}

func TestVIS3_WithoutSQSLimitsThereIsNoTotal(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		d := s.one(100 * time.Hour)
		time.Sleep(100*time.Hour - 1)
		s.change(d, 1000*time.Hour)
		time.Sleep(1000*time.Hour - 1)
		s.change(d, Forever)
		time.Sleep(50 * 365 * 24 * time.Hour)
		s.counts(0, 1, 0)
		s.change(d, 0)
		s.counts(1, 0, 0)
	}, WithoutSQSLimits())
}

func TestVIS4_ExtendingWorksRepeatedly(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		d := s.one(0)
		for range 4 {
			time.Sleep(time.Second)
			s.change(d, 2*time.Second)
			s.gets(1, 0)
		}
		time.Sleep(2*time.Second - 1)
		s.gets(1, 0)
		time.Sleep(time.Nanosecond)
		s.gets(1, 0, "g-1")
	}, WithVisibilityTimeout(2*time.Second))
}

func TestVIS6_ALapsedHandleChangesNothingOnStandard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standardSteps(t)
		s.send("1")
		d := s.one(time.Second)
		s.loseTimer()
		time.Sleep(time.Second)
		s.change(d, time.Hour)
		s.counts(1, 0, 0)
		// Nor is the 12-hour total looked at.
		time.Sleep(13 * time.Hour)
		s.change(d, 12*time.Hour)
		s.gets(1, 0, "1")
	})
}

func TestVIS7_ChangingOneMessageOfAGroupLeavesItsSiblings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t, WithVisibilityTimeout(10*time.Second))
		s.send("g-1", "g-2", "g-3")
		ds := s.receive(3, 0)
		s.change(&ds[1], time.Hour)
		time.Sleep(10 * time.Second)
		s.counts(2, 1, 0)
	})
}

func TestVIS9_AReceiveWithAnExplicitZeroCountsForTheDeadLetterQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dlq := testStandard(t)
		s := standardSteps(t, WithDeadLetter(dlq, 2))
		s.send("1")
		s.change(s.one(0), 0)
		s.one(time.Second)
		time.Sleep(time.Minute)
		s.counts(1, 0, 0) // nothing moves until the next receive
		require.Zero(t, dlq.Stats().Visible)
		s.gets(1, 0)
		s.counts(0, 0, 0)
		require.Equal(t, 1, dlq.Stats().Visible)
	})
}

func TestLC1_TheDelayOfAMessageComesBeforeThatOfTheQueue(t *testing.T) {
	for _, c := range []struct {
		queue, message, want time.Duration
	}{
		{0, 0, 0}, {0, Zero, 0}, {0, 1, 1}, {0, 15 * time.Minute, 15 * time.Minute},
		{10 * time.Second, 0, 10 * time.Second}, {10 * time.Second, Zero, 0},
		{10 * time.Second, time.Second, time.Second}, {10 * time.Second, time.Minute, time.Minute},
	} {
		scene(t, fmt.Sprint(c), func(t *testing.T) {
			q := testStandard(t, WithDelay(c.queue))
			s := steps{t, &q.queue}
			_, err := q.Send(context.Background(), Message{Body: "1", Delay: c.message})
			require.NoError(t, err)
			// On Standard a change is for later messages only.
			require.NoError(t, q.Configure(WithDelay(c.queue+time.Minute)))
			if c.want > 0 {
				s.counts(0, 0, 1)
				time.Sleep(c.want - 1)
				s.gets(1, 0)
				time.Sleep(time.Nanosecond)
			}
			s.gets(1, 0, "1")
		})
	}
}

func TestLC2_ALongPollReturnsADelayedMessageTheMomentItArrives(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		start := time.Now()
		ds, err := s.q.Receive(context.Background(), ReceiveInput{Wait: 20 * time.Second})
		require.NoError(s, err)
		require.Equal(s, []string{"g-1"}, bodiesOf(ds))
		require.Equal(s, 20*time.Second, time.Since(start)) // also when the wait ends at the same moment
	}, WithDelay(20*time.Second))
}

func TestLC3_RetentionRunsFromTheSendInEveryState(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("a-1", "b-1") // will be ready, in flight
		d := s.receive(1, time.Hour)[0]
		s.send("c-1") // will be delayed
		ds := s.receive(2, 0)
		require.NoError(s, s.q.Return(context.Background(), ds[1].ReceiptHandle(), 10*time.Minute))
		s.change(&ds[0], 0)
		s.counts(1, 1, 1)
		time.Sleep(time.Minute - 1)
		s.counts(1, 1, 1)
		time.Sleep(time.Nanosecond)
		s.counts(0, 0, 0)
		require.Equal(s, uint64(3), s.q.Stats().Expired)
		require.NoError(s, s.q.Delete(context.Background(), d.ReceiptHandle()))
		requireRefusal(s, d.ChangeVisibility(context.Background(), 0), ErrNotInFlight)
	}, WithRetention(time.Minute))
}

func TestLC3_AtTheInstantOfExpiryAMessageIsGoneForEveryCall(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name string
		do   func(s steps, d *Delivery)
	}{
		{"receive", func(s steps, _ *Delivery) { s.gets(10, 0) }},
		{"counts", func(s steps, _ *Delivery) { s.counts(0, 0, 0) }},
		{"messages", func(s steps, _ *Delivery) {
			for range s.q.Messages() {
				require.Fail(s, "an expired message")
			}
		}},
		{"delete", func(s steps, d *Delivery) { require.NoError(s, d.Delete(ctx)) }},
		{"change", func(s steps, d *Delivery) { requireRefusal(s, d.ChangeVisibility(ctx, time.Second), ErrNotInFlight) }},
		{"return", func(s steps, d *Delivery) { requireRefusal(s, d.Return(ctx, 0), ErrNotInFlight) }},
		{"send into a full queue", func(s steps, _ *Delivery) { s.send("g-2") }},
		{"configure", func(s steps, _ *Delivery) {
			var p patch
			WithRetention(time.Hour).applyFIFO(&p)
			require.NoError(s, s.q.configure(&p))
			s.counts(0, 0, 0)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBothTypes(t, func(s steps) {
				s.send("g-1")
				d := s.one(time.Hour)
				s.loseTimer()
				time.Sleep(time.Minute)
				c.do(s, d)
			}, WithRetention(time.Minute), WithCapacity(1, 0))
		})
	}
}

func TestLC4_AMessageThatLapsedComesBeforeYoungerOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standardSteps(t)
		s.send("1")
		s.one(time.Second)
		s.send("2")
		time.Sleep(time.Second)
		s.gets(1, 0, "1")
		s.gets(1, 0, "2")
	})
}

func TestLC5_FromTheThirdReceiveOnAMessageGoesToTheBack(t *testing.T) {
	for name, fail := range map[string]func(s steps, d *Delivery){
		"lapsed":            func(s steps, d *Delivery) { time.Sleep(time.Second) },
		"visibility set 0":  func(s steps, d *Delivery) { s.change(d, 0) },
		"dead-letter queue": func(s steps, d *Delivery) { s.change(d, 0) },
	} {
		scene(t, name, func(t *testing.T) {
			var opts []StandardOption
			if name == "dead-letter queue" {
				opts = append(opts, WithDeadLetter(testStandard(t), 10))
			}
			s := standardSteps(t, opts...)
			s.send("1", "2")
			for range 3 {
				d := s.one(time.Second)
				require.Equal(t, "1", d.Body)
				fail(s, d)
			}
			for range 3 {
				d := s.one(time.Second)
				require.Equal(t, "2", d.Body)
				fail(s, d)
			}
			s.send("3")
			s.gets(10, 0, "1", "2", "3")
		})
	}
	scene(t, "FIFO never reorders", func(t *testing.T) {
		s := fifoSteps(t)
		s.send("g-1", "g-2")
		for range 5 {
			s.change(&s.gets(1, 0, "g-1")[0], 0)
		}
	})
}

func TestLC6_ADeletedMessageNeverComesBack(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		s.delete(*s.one(time.Second))
		time.Sleep(time.Hour)
		s.gets(10, 0)
	})
}

func TestLC7_VisibilityZeroNeverLeavesReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standardSteps(t)
		s.send("1", "2")
		first := s.gets(10, Zero, "1", "2")
		s.counts(2, 0, 0)
		require.Equal(t, time.Now(), first[0].VisibleAt())
		s.gets(10, Zero, "1", "2")
		require.Equal(t, 3, s.gets(1, Zero, "1")[0].ReceiveCount)
		s.gets(1, Zero, "2") // LC-5: "1" is behind it now
		s.delete(first[0])   // its handle works
		s.counts(1, 0, 0)
	})
}

func TestLC8_AReceiveCountsThoughNobodyHearsOfIt(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		_ = s.receive(1, time.Second)
		time.Sleep(time.Second)
		require.Equal(s, 2, s.one(0).ReceiveCount)
	})
}

func TestExactTimes_OneNanosecondAroundEveryDeadline(t *testing.T) {
	for _, d := range []time.Duration{1, 2, time.Microsecond, time.Millisecond, 1048575, 1048576, 1048577, time.Second, 30 * time.Second,
		10 * time.Minute, 12 * time.Hour} {
		for _, kind := range []string{"delay", "visibility", "extension"} {
			if kind == "delay" && d > maxDelay {
				continue
			}
			t.Run(fmt.Sprint(kind, d), func(t *testing.T) {
				onBothTypes(t, func(s steps) {
					switch kind {
					case "delay":
						var p patch
						WithDelay(d).applyFIFO(&p)
						require.NoError(s, s.q.configure(&p))
						s.send("g-1")
					case "visibility":
						s.send("g-1")
						s.one(d)
					case "extension":
						s.send("g-1")
						s.change(s.one(0), d)
					}
					before := s.q.Stats().Counts
					require.Zero(s, before.Visible)
					time.Sleep(d - 1)
					require.Equal(s, before, s.q.Stats().Counts)
					s.gets(1, 0)
					time.Sleep(time.Nanosecond)
					s.counts(1, 0, 0)
					time.Sleep(time.Nanosecond)
					s.gets(1, 0, "g-1")
				})
				if kind == "delay" {
					return
				}
				onBothTypes(t, func(s steps) { // with nobody asking before, and a timer that is late
					s.send("g-1")
					one := s.one(d)
					if kind == "extension" {
						s.change(one, d)
					}
					s.loseTimer()
					time.Sleep(d)
					s.gets(1, 0, "g-1")
				})
			})
		}
	}
}
