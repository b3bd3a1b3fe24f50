package inqtest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqtest"
)

// This file plants the mistakes of consumers and producers, and has a plan of faults catch each: the same
// test passes where the mistake is not made.

// caught runs a test twice, with the mistake, when it must fail and say want, and without.
func caught(t *testing.T, want string, test func(tb inqtest.TB, ctx context.Context, planted bool)) {
	t.Helper()
	run := func(planted bool) func(tb inqtest.TB) {
		return func(tb inqtest.TB) {
			done := make(chan struct{})
			go func() { // a failing test ends its goroutine, and must not end the bubble's
				defer close(done)
				synctest.Test(t, func(t *testing.T) {
					var r recorder
					text := r.run(func(inner inqtest.TB) {
						ctx, stop := context.WithCancel(t.Context())
						defer synctest.Wait()
						defer stop()
						test(inner, ctx, planted)
					})
					switch {
					case r.Failed():
						tb.Errorf("%s", text)
					case text != "":
						tb.Logf("%s", text)
					}
				})
			}()
			<-done
		}
	}
	failing(t, want, run(true))
	passing(t, run(false))
}

func TestPlanted_AConsumerThatIsNotIdempotent(t *testing.T) {
	caught(t, `
order 17 was charged 2 times
inqtest: faults with seed 1:
  rule 1: On(Receive).In("orders").Nth(1).Do(Duplicate), 2 calls, 1 fault
    0s  call 1 of rule 1: Receive in orders met Duplicate`, func(tb inqtest.TB, ctx context.Context, planted bool) {
		s := inqtest.New(tb)
		orders := s.Standard("orders")
		plan := inqtest.NewPlan(tb, 1, inqtest.On(inqtest.Receive).In("orders").Nth(1).Do(inqtest.Duplicate))
		charged := map[string]int{}
		go func() {
			for d, err := range inq.Deliveries(ctx, inqtest.Disturb(orders, plan), inq.ReceiveInput{}) {
				if err != nil {
					return
				}
				if planted || charged[d.Body] == 0 {
					charged[d.Body]++
				}
				_ = d.Delete(ctx)
			}
		}()
		order(orders, "order 17")
		inqtest.WaitDrained(tb, orders)
		for what, n := range charged {
			if n != 1 {
				tb.Errorf("%s was charged %d times", what, n)
			}
		}
	})
}

func TestPlanted_AProducerThatIgnoresFailedEntries(t *testing.T) {
	caught(t, `
inqtest: waited 24h0m0s for sent in orders: 1 of 2
the log:
>      +0s  orders     sent SHORTID "order 17"
inqtest: faults with seed 1:
  rule 1: On(SendBatch).Nth(1).Do(FailEntries(1)), 1 call, 1 fault
    0s  call 1 of rule 1: SendBatch in orders met FailEntries(1)`, func(tb inqtest.TB, ctx context.Context, planted bool) {
		s := inqtest.New(tb)
		orders := s.Standard("orders")
		q := inqtest.Disturb(orders, inqtest.NewPlan(tb, 1, inqtest.On(inqtest.SendBatch).Nth(1).Do(inqtest.FailEntries(1))))
		ms := []inq.Message{{Body: "order 17"}, {Body: "order 18"}}
		sent, err := q.SendBatch(ctx, ms)
		var some *inq.BatchError
		switch {
		case sent == nil:
			tb.Fatalf("nothing was sent: %v", err)
		case errors.As(err, &some) && !planted:
			for _, f := range some.Failed {
				order(q, ms[f.Index].Body)
			}
		}
		s.Log().Wait(2, inqtest.Sent, inqtest.In("orders"))
		_ = orders.Purge(ctx)
	})
}

func TestPlanted_AConsumerThatDeletesBeforeItHasDoneTheWork(t *testing.T) {
	caught(t, `
inqtest: waited 24h0m0s for sent in shipped: 0 of 1
the log:
       +0s  orders     sent SHORTID "order 17"
       +0s  orders     received SHORTID "order 17" receive 1
       +0s  orders     deleted SHORTID "order 17" receive 1
inqtest: faults with seed 1:
  rule 1: On(Send).In("shipped").Nth(1).Do(ServerError), 1 call, 1 fault
    0s  call 1 of rule 1: Send in shipped met ServerError`, func(tb inqtest.TB, ctx context.Context, planted bool) {
		s := inqtest.New(tb)
		orders, shipped := s.Standard("orders"), s.Standard("shipped")
		out := inqtest.Disturb(shipped, inqtest.NewPlan(tb, 1, inqtest.On(inqtest.Send).In("shipped").Nth(1).Do(inqtest.ServerError)))
		go func() {
			for d, err := range inq.Deliveries(ctx, orders, inq.ReceiveInput{}) {
				if err != nil {
					return
				}
				if planted {
					_ = d.Delete(ctx)
				}
				if _, err := out.Send(ctx, d.Message()); err == nil {
					_ = d.Delete(ctx)
				}
			}
		}()
		order(orders, "order 17")
		s.Log().Wait(1, inqtest.Sent, inqtest.In("shipped"))
		_ = shipped.Purge(ctx)
	})
}

func TestPlanted_AConsumerThatExtendsALeaseThatHasLapsed(t *testing.T) {
	caught(t, `
inqtest: left behind by TestIt:
  1 call by handles whose receives were over:
    orders.fifo at +0s delete or change of visibility refused for SHORTID "order 17"
inqtest: faults with seed 1:
  rule 1: On(ChangeVisibility).Nth(1).Do(ExpireHandle), 1 call, 1 fault
    0s  call 1 of rule 1: ChangeVisibility in orders.fifo met ExpireHandle`, func(tb inqtest.TB, ctx context.Context, planted bool) {
		plan := inqtest.NewPlan(tb, 1, inqtest.On(inqtest.ChangeVisibility).Nth(1).Do(inqtest.ExpireHandle))
		s := inqtest.New(tb, inqtest.Strict())
		orders := s.FIFO("orders.fifo")
		q := inqtest.Disturb(orders, plan)
		_, _ = q.Send(ctx, inq.Message{Body: "order 17", GroupID: "g", DeduplicationID: "17"})
		ds, _ := q.Receive(ctx, inq.ReceiveInput{})
		if planted { // as if it was still its own; else it asks for a longer timeout in the first place
			_ = ds[0].ChangeVisibility(ctx, time.Minute)
		}
		_ = orders.Purge(ctx)
	})
}

func TestPlanted_AConsumerThatRetriesWithoutAPause(t *testing.T) {
	retries := func(pause time.Duration) string {
		var r recorder
		return r.run(func(tb inqtest.TB) {
			synctest.Test(t, func(t *testing.T) {
				orders, err := inq.NewStandard("orders")
				require.NoError(t, err)
				defer orders.Close()
				q := inqtest.Disturb(orders, inqtest.NewPlan(tb, 1, inqtest.On().Between(0, time.Minute).Do(inqtest.ServerError)))
				for err = inq.ErrUnavailable; err != nil; time.Sleep(pause) {
					_, err = q.Send(t.Context(), inq.Message{Body: "order 17"})
				}
			})
		})
	}
	text := retries(0)
	assert.Contains(t, text, "inqtest: 10000 calls have failed at the same instant: the code under test tries again without a pause\n"+
		"inqtest: faults with seed 1:\n  rule 1: On().Between(0s, 1m0s).Do(ServerError), 69999 calls, 69999 faults\n"+
		"    0s  call 1 of rule 1: Send in orders met ServerError\n")
	assert.Contains(t, text, "\n    and 69949 more")
	assert.Empty(t, retries(time.Second))
}
