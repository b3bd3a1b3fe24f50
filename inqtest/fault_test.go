package inqtest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqtest"
)

// bent is a Standard queue under a plan, with what a test looks at.
type bent struct {
	*testing.T
	inq.Queue               // under the plan
	under     *inq.Standard // without it
	plan      *inqtest.Plan
}

// bend runs a story of a Standard queue under these rules, in a bubble.
func bend(t *testing.T, name string, story func(b bent), rules ...inqtest.Rule) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, err := inq.NewStandard("orders")
			require.NoError(t, err)
			defer q.Close()
			p := inqtest.NewPlan(t, 7, rules...)
			story(bent{t, inqtest.Disturb(q, p), q, p})
		})
	})
}

func (b bent) send(bodies ...string) {
	b.Helper()
	for _, body := range bodies {
		_, err := b.under.Send(context.Background(), inq.Message{Body: body})
		require.NoError(b, err)
	}
}

// gets receives with a short poll, which must succeed.
func (b bent) gets(want ...string) []inq.Delivery {
	b.Helper()
	ds, err := b.Receive(context.Background(), inq.ReceiveInput{Max: 10, Wait: inq.Zero})
	require.NoError(b, err)
	var got []string
	for _, d := range ds {
		got = append(got, d.Body)
	}
	require.Equal(b, want, got)
	return ds
}

func (b bent) counts(visible, notVisible int) {
	b.Helper()
	c, err := b.under.Counts(context.Background())
	require.NoError(b, err)
	require.Equal(b, inq.Counts{Visible: visible, NotVisible: notVisible}, c)
}

func TestFault_EndsTheCallBeforeAnythingIsDone(t *testing.T) {
	for _, c := range []struct {
		fault inqtest.Fault
		is    []error
		text  string
	}{
		{inqtest.Throttle, []error{inq.ErrThrottled}, "inqtest: throttled on purpose: inq: too many requests"},
		{inqtest.ServerError, []error{inq.ErrUnavailable}, "inqtest: server error on purpose: inq: service is unavailable"},
		{inqtest.Deny, []error{inqtest.ErrDenied}, "inqtest: denied on purpose: inqtest: access denied"},
		{inqtest.Reset, []error{inq.ErrUnavailable, syscall.ECONNRESET}, "inqtest: connection reset on purpose: inq: service is unavailable"},
	} {
		bend(t, c.fault.String(), func(b bent) {
			ctx := context.Background()
			b.send("1")
			sent, sendErr := b.Send(ctx, inq.Message{Body: "2"})
			batch, batchErr := b.SendBatch(ctx, []inq.Message{{Body: "3"}})
			ds, receiveErr := b.Receive(ctx, inq.ReceiveInput{})
			n, countsErr := b.Counts(ctx)
			require.Zero(b, sent)
			require.Nil(b, batch)
			require.Nil(b, ds)
			require.Zero(b, n)
			for _, err := range []error{sendErr, batchErr, receiveErr, countsErr, b.Delete(ctx, "h"), b.DeleteBatch(ctx, []string{"h"}),
				b.ChangeVisibility(ctx, "h", 0), b.ChangeVisibilityBatch(ctx, []inq.VisibilityChange{{}}), b.Purge(ctx)} {
				require.EqualError(b, err, c.text)
				for _, as := range c.is {
					require.ErrorIs(b, err, as)
				}
			}
			b.counts(1, 0)
		}, inqtest.On().Do(c.fault))
	}
	bend(t, "OverLimit", func(b bent) {
		b.send("1")
		_, err := b.Receive(context.Background(), inq.ReceiveInput{})
		require.ErrorIs(b, err, inq.ErrOverLimit)
		b.gets("1")
	}, inqtest.On().Nth(1).Do(inqtest.OverLimit))
}

func TestFault_ARulePicks(t *testing.T) {
	// picks is what of ten receives fails, one second apart.
	picks := func(t *testing.T, want []int, rule inqtest.Rule) {
		t.Helper()
		bend(t, rule.String(), func(b bent) {
			var got []int
			for n := range 10 {
				if _, err := b.Receive(context.Background(), inq.ReceiveInput{Wait: inq.Zero}); err != nil {
					got = append(got, n+1)
				}
				_, err := b.Counts(context.Background())
				require.NoError(b, err)
				time.Sleep(time.Second)
			}
			require.Equal(b, want, got)
			require.Len(b, b.plan.Did(), len(want))
		}, rule)
	}
	receive := inqtest.On(inqtest.Receive)
	picks(t, []int{3}, receive.Nth(3).Do(inqtest.Throttle))
	picks(t, []int{1, 9}, receive.Nth(9, 1).Do(inqtest.Throttle))
	picks(t, []int{5, 10}, receive.Every(5).Do(inqtest.Throttle))
	picks(t, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, receive.Do(inqtest.Throttle))
	picks(t, []int{4, 5, 6}, receive.Between(3*time.Second, 6*time.Second).Do(inqtest.Throttle))
	picks(t, []int{4, 6}, receive.Between(3*time.Second, 6*time.Second).Nth(1, 3).Do(inqtest.Throttle)) // counts those of that time
	picks(t, []int{6}, receive.Every(2).Nth(5, 6).Do(inqtest.Throttle))
	picks(t, nil, receive.In("others").Do(inqtest.Throttle))
	picks(t, []int{2}, receive.In("others", "orders").Nth(2).Do(inqtest.Throttle))
	picks(t, []int{2, 4, 5, 6, 7, 8, 9}, receive.Chance(0.3).Do(inqtest.Throttle))
	picks(t, nil, inqtest.On(inqtest.Send, inqtest.Delete).Do(inqtest.Throttle))
}

func TestFault_TheFirstThatEndsACallIsItsLast(t *testing.T) {
	bend(t, "and the others count on", func(b bent) {
		for _, want := range []error{inq.ErrThrottled, inq.ErrUnavailable, nil} {
			began := time.Now()
			_, err := b.Receive(context.Background(), inq.ReceiveInput{Wait: inq.Zero})
			require.ErrorIs(b, err, want)
			require.Equal(b, time.Second, time.Since(began), "which it meets before")
		}
		require.Len(b, b.plan.Did(), 5)
	}, inqtest.On().Do(inqtest.Slow(time.Second)), inqtest.On().Nth(1).Do(inqtest.Throttle), inqtest.On().Nth(1, 2).Do(inqtest.ServerError),
		inqtest.On().Nth(1).Do(inqtest.LoseAnswer).In("nowhere"), inqtest.On().Nth(1).Do(inqtest.Sample(0)))
}

func TestFault_ChanceDependsOnSeedRuleAndNumberAlone(t *testing.T) {
	throttled := func(seed uint64, rules ...inqtest.Rule) (n []int) {
		q, err := inq.NewStandard("q")
		require.NoError(t, err)
		defer q.Close()
		d := inqtest.Disturb(q, inqtest.NewPlan(t, seed, rules...))
		for i := range 1000 {
			if _, err := d.Receive(context.Background(), inq.ReceiveInput{Wait: inq.Zero}); errors.Is(err, inq.ErrThrottled) {
				n = append(n, i)
			}
			_, _ = d.Counts(context.Background())
		}
		return n
	}
	rule := inqtest.On(inqtest.Receive).Chance(0.1).Do(inqtest.Throttle)
	got := throttled(1, rule)
	assert.InDelta(t, 100, len(got), 30)
	assert.Equal(t, got, throttled(1, rule))
	assert.Equal(t, got, throttled(1, rule, inqtest.On(inqtest.Counts).Chance(0.5).Do(inqtest.Throttle)))
	assert.NotEqual(t, got, throttled(2, rule))
}

func TestFault_Slow(t *testing.T) {
	bend(t, "waits", func(b bent) {
		began := time.Now()
		_, err := b.Send(context.Background(), inq.Message{Body: "1"})
		require.NoError(b, err)
		require.Equal(b, 3*time.Second, time.Since(began))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err = b.Send(ctx, inq.Message{Body: "2"})
		require.Equal(b, context.DeadlineExceeded, err)
		require.Equal(b, 4*time.Second, time.Since(began))
		_, err = b.Send(context.Background(), inq.Message{Body: "3"})
		require.ErrorIs(b, err, inq.ErrThrottled)
		require.Equal(b, 7*time.Second, time.Since(began))
		b.counts(1, 0)
	}, inqtest.On(inqtest.Send).Do(inqtest.Slow(3*time.Second)), inqtest.On(inqtest.Send).Nth(3).Do(inqtest.Throttle))
}

func TestFault_LoseAnswer(t *testing.T) {
	bend(t, "after the change took effect", func(b bent) {
		ctx := context.Background()
		_, err := b.Send(ctx, inq.Message{Body: "1"})
		require.ErrorIs(b, err, inq.ErrUnavailable)
		require.ErrorIs(b, err, syscall.ECONNRESET)
		require.EqualError(b, err, "inqtest: answer lost on purpose: inq: service is unavailable")
		b.counts(1, 0)
		ds, err := b.Receive(ctx, inq.ReceiveInput{})
		require.ErrorIs(b, err, inq.ErrUnavailable)
		require.Nil(b, ds)
		b.counts(0, 1)
		time.Sleep(30*time.Second - 1)
		b.gets()
		time.Sleep(time.Nanosecond)
		d := b.gets("1")[0]
		require.Equal(b, 2, d.ReceiveCount)
		require.ErrorIs(b, d.Delete(ctx), inq.ErrUnavailable)
		b.counts(0, 0)
		require.NoError(b, d.Delete(ctx))
	}, inqtest.On(inqtest.Send, inqtest.Delete, inqtest.Receive).In("orders").Nth(1).Do(inqtest.LoseAnswer),
		inqtest.On(inqtest.Receive).Nth(1).Do(inqtest.LoseAnswer),
		inqtest.On(inqtest.Delete).Nth(1).Do(inqtest.LoseAnswer))
}

func TestFault_FailEntries(t *testing.T) {
	fail := inqtest.FailEntries(0, 2, 9)
	bend(t, "of each batch", func(b bent) {
		ctx := context.Background()
		failed := func(err error, want ...int) {
			b.Helper()
			var some *inq.BatchError
			require.ErrorAs(b, err, &some)
			var got []int
			for _, f := range some.Failed {
				got = append(got, f.Index)
			}
			require.Equal(b, want, got)
			require.ErrorIs(b, some.Failed[0].Err, inq.ErrUnavailable)
		}
		sent, err := b.SendBatch(ctx, []inq.Message{{Body: "0"}, {Body: "1"}, {Body: "2"}, {Body: ""}, {Body: "4"}})
		failed(err, 0, 2, 3)
		require.ErrorIs(b, err, inq.ErrMissingParameter, "an entry that is refused anyway")
		for i, s := range sent {
			require.Equal(b, i == 1 || i == 4, s.ID() != "", i)
		}
		_, err = b.Send(ctx, inq.Message{Body: "5"}) // is no batch
		require.NoError(b, err)
		ds := b.gets("1", "4", "5")
		failed(b.ChangeVisibilityBatch(ctx, []inq.VisibilityChange{{ReceiptHandle: ds[0].ReceiptHandle()}, {ReceiptHandle: ds[1].ReceiptHandle()}}), 0)
		b.counts(1, 2)
		failed(b.DeleteBatch(ctx, []string{ds[0].ReceiptHandle(), ds[1].ReceiptHandle(), ds[2].ReceiptHandle()}), 0, 2)
		b.counts(0, 2)
		failed(b.DeleteBatch(ctx, []string{ds[0].ReceiptHandle()}), 0)
		require.ErrorIs(b, b.DeleteBatch(ctx, nil), inq.ErrEmptyBatch)
		require.ErrorIs(b, b.DeleteBatch(ctx, make([]string, 11)), inq.ErrTooManyEntries)
		require.Len(b, b.plan.Did(), 6)
	}, inqtest.On().Do(fail))
}

func TestFault_Duplicate(t *testing.T) {
	bend(t, "also to who deletes at once", func(b bent) {
		b.gets() // is not counted
		b.send("1", "2")
		for _, d := range b.gets("1", "2") {
			require.NoError(b, d.Delete(context.Background()))
		}
		b.counts(2, 0)
		for _, d := range b.gets("1", "2") {
			require.Equal(b, 2, d.ReceiveCount)
			require.NoError(b, d.Delete(context.Background()))
		}
		b.counts(0, 0)
	}, inqtest.On(inqtest.Receive).Nth(1).Do(inqtest.Duplicate))
	t.Run("FIFO never does", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, err := inq.NewFIFO("orders.fifo", inq.WithContentBasedDeduplication(true))
			require.NoError(t, err)
			defer q.Close()
			p := inqtest.NewPlan(t, 1, inqtest.On(inqtest.Receive).Do(inqtest.Duplicate), inqtest.On(inqtest.Receive).Do(inqtest.Reorder),
				inqtest.On(inqtest.Receive).Do(inqtest.Sample(0)))
			d := inqtest.Disturb(q, p)
			for _, body := range []string{"1", "2", "3"} {
				_, err := d.Send(t.Context(), inq.Message{Body: body, GroupID: "g"})
				require.NoError(t, err)
			}
			ds, err := d.Receive(t.Context(), inq.ReceiveInput{Max: 10})
			require.NoError(t, err)
			require.Len(t, ds, 3)
			require.True(t, slices.IsSortedFunc(ds, func(a, b inq.Delivery) int { return strings.Compare(a.Body, b.Body) }))
			require.Empty(t, p.Did())
			ds, err = d.Receive(t.Context(), inq.ReceiveInput{Wait: inq.Zero})
			require.NoError(t, err)
			require.Empty(t, ds)
		})
	})
}

func TestFault_ReorderAndSample(t *testing.T) {
	bodies := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
	bend(t, "any order", func(b bent) {
		b.send(bodies...)
		b.gets("1", "0", "3", "2", "7", "5", "9", "4", "8", "6")
		b.gets()
	}, inqtest.On(inqtest.Receive).Nth(1).Do(inqtest.Reorder))
	bend(t, "a share", func(b bent) {
		b.send(bodies...)
		b.gets("0", "1", "2", "3", "5", "7", "8")
		b.gets()
		ds, err := b.Receive(context.Background(), inq.ReceiveInput{Max: 10, Wait: time.Second})
		require.NoError(b, err)
		require.Len(b, ds, 3, "a long poll sees all")
	}, inqtest.On(inqtest.Receive).Do(inqtest.Sample(0.5)))
}

func TestFault_ExpireHandle(t *testing.T) {
	bend(t, "at the receive", func(b bent) {
		b.send("1")
		d := b.gets("1")[0]
		b.counts(1, 0)
		b.gets("1") // somebody else has it
		require.NoError(b, d.Delete(context.Background()))
	}, inqtest.On(inqtest.Receive).Nth(1).Do(inqtest.ExpireHandle))
	bend(t, "at the heartbeat", func(b bent) {
		b.send("1")
		d := b.gets("1")[0]
		require.NoError(b, d.ChangeVisibility(context.Background(), time.Hour), "Standard says nothing")
		b.gets("1")
	}, inqtest.On(inqtest.ChangeVisibility).Nth(1).Do(inqtest.ExpireHandle))
	t.Run("FIFO", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, err := inq.NewFIFO("orders.fifo", inq.WithContentBasedDeduplication(true))
			require.NoError(t, err)
			defer q.Close()
			d := inqtest.Disturb(q, inqtest.NewPlan(t, 1, inqtest.On(inqtest.Delete).Nth(1, 2).Do(inqtest.ExpireHandle)))
			_, err = d.Send(t.Context(), inq.Message{Body: "1", GroupID: "g"})
			require.NoError(t, err)
			for n := range 2 {
				ds, err := d.Receive(t.Context(), inq.ReceiveInput{})
				require.NoError(t, err)
				require.Equal(t, n+1, ds[0].ReceiveCount)
				if n == 0 {
					require.ErrorIs(t, ds[0].Delete(t.Context()), inq.ErrReceiptHandleExpired)
				} else {
					require.ErrorIs(t, d.DeleteBatch(t.Context(), []string{ds[0].ReceiptHandle()}), inq.ErrReceiptHandleExpired)
				}
			}
		})
	})
}

// liar is a queue that answers batches with what makes no sense.
type liar struct{ inq.Queue }

func (liar) SendBatch(context.Context, []inq.Message) ([]inq.Sent, error) {
	return make([]inq.Sent, 7), fmt.Errorf("of a wrapper: %w", &inq.BatchError{Failed: []inq.BatchFailure{{Index: -1}, {Index: 0, Err: inq.ErrFull}, {Index: 99}}})
}

// TestPlan_IsSharedByMany has goroutines use one plan at both faces at once.
func TestPlan_IsSharedByMany(t *testing.T) {
	s := inqtest.New(t)
	q := s.Standard("orders")
	p := s.Faults(1, everything()[:9]...)
	const goroutines, calls = 8, 50
	var group sync.WaitGroup
	for g := range goroutines {
		d := inqtest.Disturb(q, p)
		c := web{t, s.HTTPClient(), inqtest.Endpoint, g%2 == 0}
		group.Go(func() {
			for range calls {
				_, _ = d.Send(context.Background(), inq.Message{Body: "b"})
				c.do(context.Background(), "SendMessage", "orders", "MessageBody", "b")
				ds, _ := d.Receive(context.Background(), inq.ReceiveInput{})
				for _, d := range ds {
					_ = d.Delete(context.Background())
				}
				c.do(context.Background(), "ReceiveMessage", "orders")
				_ = p.String()
			}
		})
	}
	group.Wait()
	require.NotEmpty(t, p.Did())
	require.NoError(t, q.Purge(context.Background()))
}

func TestRule_BadOnesAreRefused(t *testing.T) {
	on := inqtest.On(inqtest.Receive)
	throttle := inqtest.Throttle
	for _, c := range []struct {
		rule inqtest.Rule
		want string
	}{
		{inqtest.Rule{}, `Rule{}: a rule begins with On`},
		{on, `On(Receive): a rule ends with Do`},
		{on.Do(nil), `On(Receive).Do(nil): On(Receive).Do(nil): must have a fault`},
		{inqtest.On("Recieve").Do(throttle), `On(Recieve).Do(Throttle): On("Recieve"): no operation of SQS has this name`},
		{on.In().Do(throttle), `On(Receive).In().Do(Throttle): In(): must have the names of queues`},
		{on.In("a", "").Do(throttle), `On(Receive).In("a", "").Do(Throttle): In("a", ""): must have the names of queues`},
		{on.Nth().Do(throttle), `On(Receive).Nth().Do(Throttle): Nth(): calls have numbers from 1 on`},
		{on.Nth(0).Do(throttle), `On(Receive).Nth(0).Do(Throttle): Nth(0): calls have numbers from 1 on`},
		{on.Nth(2, -1).Do(throttle), `On(Receive).Nth(2, -1).Do(Throttle): Nth(2, -1): calls have numbers from 1 on`},
		{on.Every(0).Do(throttle), `On(Receive).Every(0).Do(Throttle): Every(0): must be at least 1`},
		{on.Chance(0).Do(throttle), `On(Receive).Chance(0).Do(Throttle): Chance(0): must be above 0 and at most 1`},
		{on.Chance(2).Do(throttle), `On(Receive).Chance(2).Do(Throttle): Chance(2): must be above 0 and at most 1`},
		{on.Between(-1, 1).Do(throttle), `On(Receive).Between(-1ns, 1ns).Do(Throttle): Between(-1ns, 1ns): must be from 0 on, and end after it starts`},
		{on.Between(1, 1).Do(throttle), `On(Receive).Between(1ns, 1ns).Do(Throttle): Between(1ns, 1ns): must be from 0 on, and end after it starts`},
		{on.Do(inqtest.Slow(0)), `On(Receive).Do(Slow(0s)): Slow(0s): must be more than 0`},
		{on.Do(inqtest.Sample(1.5)), `On(Receive).Do(Sample(1.5)): Sample(1.5): must be from 0 to 1`},
		{inqtest.On(inqtest.Delete).Do(inqtest.FailEntries()), `On(Delete).Do(FailEntries()): FailEntries(): entries have indices from 0 on`},
		{inqtest.On(inqtest.Delete).Do(inqtest.FailEntries(-1)), `On(Delete).Do(FailEntries(-1)): FailEntries(-1): entries have indices from 0 on`},
		{on.Do(inqtest.FailEntries(1)), `On(Receive).Do(FailEntries(1)): FailEntries is for Send, Delete, ChangeVisibility, not for Receive`},
		{inqtest.On(inqtest.Send).Do(inqtest.Duplicate), `On(Send).Do(Duplicate): Duplicate is for Receive, not for Send`},
		{inqtest.On(inqtest.Purge).Do(inqtest.ExpireHandle), `On(Purge).Do(ExpireHandle): ExpireHandle is for Receive, Delete, ChangeVisibility, not for Purge`},
		{on.In("a.fifo").Do(inqtest.Reorder), `On(Receive).In("a.fifo").Do(Reorder): Reorder is for Standard queues, and these are FIFO`},
		{on.Do(inqtest.FaultKind("Explode")), `On(Receive).Do(Explode): Do("Explode"): there is no such fault`},
	} {
		failing(t, "inqtest: rule 2, "+c.want, func(tb inqtest.TB) {
			inqtest.NewPlan(tb, 1, on.Do(throttle), c.rule)
		})
		failing(t, "inqtest: rule 1, "+c.want, func(tb inqtest.TB) { inqtest.New(tb).Faults(1, c.rule) })
	}
}

func TestPlan_IsLoggedWhenTheTestFails(t *testing.T) {
	story := func(tb inqtest.TB, fail bool) {
		synctest.Test(t, func(t *testing.T) {
			q, err := inq.NewStandard("orders")
			require.NoError(t, err)
			defer q.Close()
			d := inqtest.Disturb(q, inqtest.NewPlan(tb, 7,
				inqtest.On(inqtest.Receive).In("orders").Nth(2).Do(inqtest.Throttle),
				inqtest.On().Between(time.Second, time.Minute).Do(inqtest.LoseAnswer),
				inqtest.On(inqtest.Send).In("order").Every(2).Do(inqtest.Slow(time.Second))))
			for range 3 {
				_, _ = d.Receive(t.Context(), inq.ReceiveInput{Wait: inq.Zero})
				_, _ = d.Send(t.Context(), inq.Message{Body: "b"})
				time.Sleep(600 * time.Millisecond)
			}
		})
		if fail {
			tb.Fatalf("too bad")
		}
	}
	passing(t, func(tb inqtest.TB) { story(tb, false) })
	failing(t, `
too bad
inqtest: faults with seed 7:
  rule 1: On(Receive).In("orders").Nth(2).Do(Throttle), 3 calls, 1 fault
  rule 2: On().Between(1s, 1m0s).Do(LoseAnswer), 2 calls, 2 faults
  rule 3: On(Send).In("order").Every(2).Do(Slow(1s)), 0 calls, 0 faults
    600ms  call 2 of rule 1: Receive in orders met Throttle
    1.2s  call 1 of rule 2: Receive in orders met LoseAnswer
    1.2s  call 2 of rule 2: Send in orders met LoseAnswer`, func(tb inqtest.TB) { story(tb, true) })
	var none *inqtest.Plan
	assert.Empty(t, none.Did())
	assert.Equal(t, "inqtest: no plan", none.String())
}

// TestPlan_NothingIsLostWhateverGoesWrong processes messages under a plan of everything, over many seeds.
func TestPlan_NothingIsLostWhateverGoesWrong(t *testing.T) {
	for seed := range uint64(200) {
		for _, fifo := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				s := inqtest.New(t)
				var under inq.Queue = s.Standard("orders", inq.WithVisibilityTimeout(5*time.Second))
				if fifo {
					under = s.FIFO("orders.fifo", inq.WithVisibilityTimeout(5*time.Second))
				}
				p := inqtest.NewPlan(t, seed, everything()...)
				q := inqtest.Disturb(under, p)
				const n = 20
				sent := 0
				done := map[string]int{}
				for round := 0; sent < n || left(t, under); round++ {
					require.Less(t, round, 5000)
					if sent < n {
						m := inq.Message{Body: fmt.Sprint(sent)}
						if fifo {
							m.GroupID, m.DeduplicationID = fmt.Sprint(sent%3), m.Body
						}
						if _, err := q.Send(t.Context(), m); err == nil {
							sent++ // else once more: on Standard it may be there twice
						}
					}
					ds, _ := q.Receive(t.Context(), inq.ReceiveInput{Max: 3, Wait: inq.Zero})
					for _, d := range ds {
						done[d.Body]++
						_ = d.Delete(t.Context())
					}
					time.Sleep(time.Second)
				}
				require.Len(t, done, n, p)
				require.NotEmpty(t, p.Did())
				runtime.KeepAlive(s)
			})
		}
	}
}

// everything is a plan in which each fault strikes now and then.
func everything() (rules []inqtest.Rule) {
	for _, f := range []inqtest.Fault{inqtest.Throttle, inqtest.ServerError, inqtest.Deny, inqtest.Reset, inqtest.LoseAnswer,
		inqtest.OverLimit, inqtest.Duplicate, inqtest.Reorder, inqtest.ExpireHandle, inqtest.Slow(time.Second),
		inqtest.FailEntries(0, 2), inqtest.Sample(0.5)} {
		rules = append(rules, inqtest.On().Chance(0.1).Do(f))
	}
	return rules
}

func left(t *testing.T, q inq.Queue) bool {
	c, err := q.Counts(t.Context())
	require.NoError(t, err)
	return c != inq.Counts{}
}
