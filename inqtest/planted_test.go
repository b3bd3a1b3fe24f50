package inqtest_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq"
	"example.com/inq/inqtest"
)

// This file has consumers with one mistake each, and for each the test of it that finds the mistake. The
// twin of a consumer, without the mistake, passes that very test.

// ledger is what the consumers are for: customers are charged for orders.
type ledger struct {
	mu      sync.Mutex
	charged map[string]int // how often, by order
}

func (l *ledger) charge(order string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.charged == nil {
		l.charged = map[string]int{}
	}
	l.charged[order]++
}

// check fails the test where an order that was sent was not charged exactly once.
func (l *ledger) check(tb inqtest.TB, log *inqtest.Log) {
	tb.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for sent := range log.All(inqtest.Sent) {
		if n := l.charged[sent.Body]; n != 1 {
			tb.Errorf("%s was charged %d times", sent.Body, n)
		}
	}
}

// A planted is a consumer with a mistake, and a test that finds it.
type planted struct {
	name string
	test func(tb inqtest.TB, mistaken bool)
	want string // what the test says of the mistaken consumer
}

var plantedMistakes = []planted{
	{"deletes before it processes", testDeletesBeforeItProcesses, `
order 2 was charged 0 times
inqtest: faults with seed 1:
  rule 1: On(Delete).Nth(2).Do(LoseAnswer), 3 calls, 1 fault
    0s  call 2 of rule 1: Delete in orders met LoseAnswer`},
	{"is not idempotent", testIsNotIdempotent, `
order 1 was charged 2 times
order 2 was charged 2 times
inqtest: faults with seed 1:
  rule 1: On(Receive).Nth(1).Do(Duplicate), 2 calls, 1 fault
    0s  call 1 of rule 1: Receive in orders met Duplicate`},
	{"ignores failing entries", testIgnoresFailingEntries, `
inqtest: waited 1m0s for sent: 2 of 3
the log:
>      +0s  orders     sent SHORTID "order 1"
>      +0s  orders     sent SHORTID "order 3"
inqtest: faults with seed 1:
  rule 1: On(SendBatch).Nth(1).Do(FailEntries(1)), 1 call, 1 fault
    0s  call 1 of rule 1: SendBatch in orders met FailEntries(1)`},
	{"retries without backoff", testRetriesWithoutBackoff, `
inqtest: 100000 calls have failed at the same instant: the code under test tries again without a pause
inqtest: faults with seed 1:
  rule 1: On(Receive).Between(1s, 1m0s).Do(Throttle), 139999 calls, 139999 faults
    20s  call 1 of rule 1: Receive in orders met Throttle
    20s  call 2 of rule 1: Receive in orders met Throttle
    20s  call 3 of rule 1: Receive in orders met Throttle
    20s  call 4 of rule 1: Receive in orders met Throttle
    20s  call 5 of rule 1: Receive in orders met Throttle
    20s  call 6 of rule 1: Receive in orders met Throttle
    20s  call 7 of rule 1: Receive in orders met Throttle
    20s  call 8 of rule 1: Receive in orders met Throttle
    20s  call 9 of rule 1: Receive in orders met Throttle
    20s  call 10 of rule 1: Receive in orders met Throttle
    and 139989 more`},
	{"forgets the delete", testForgetsTheDelete, `
inqtest: left behind by TestIt:
  orders: 1 message in flight:
    SHORTID "order 2, cancelled" received 1 time, visible again at +30s`},
	{"needs longer than its timeout", testNeedsLongerThanItsTimeout, `
inqtest: left behind by TestIt:
  1 call by handles whose receives were over:
    orders at +45s deleted SHORTID "order 1"`},
	{"extends a lease that has lapsed", testExtendsALeaseThatHasLapsed, `
inqtest: left behind by TestIt:
  2 calls by handles whose receives were over:
    orders at +40s change of visibility without effect for SHORTID "order 1"
    orders at +50s deleted SHORTID "order 1"`},
}

// start runs a consumer until the test ends.
func start(tb inqtest.TB, consumer func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		consumer(ctx)
	}()
	tb.Cleanup(func() {
		cancel()
		<-done
	})
}

// consume hands the messages of a queue to do, one after another, until the test ends. When it can not
// receive it waits a little.
func consume(tb inqtest.TB, q inq.Queue, do func(ctx context.Context, d *inq.Delivery)) {
	start(tb, func(ctx context.Context) {
		for ctx.Err() == nil {
			deliveries, err := q.Receive(ctx, inq.ReceiveInput{Max: 10, Wait: 20 * time.Second})
			if err != nil {
				sleep(ctx, time.Second)
			}
			for i := range deliveries {
				do(ctx, &deliveries[i])
			}
		}
	})
}

// sleep sleeps for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// place sends orders to a queue.
func place(tb inqtest.TB, q inq.Queue, orders ...string) {
	tb.Helper()
	for _, o := range orders {
		if _, err := q.Send(context.Background(), inq.Message{Body: o}); err != nil {
			tb.Fatalf("%v", err)
		}
	}
}

// Not every way through the consumer ends in a delete: what it has nothing to do for comes again and again.
// The report of what was left behind finds it.
func testForgetsTheDelete(tb inqtest.TB, mistaken bool) {
	s := inqtest.New(tb, inqtest.Strict())
	orders := s.Standard("orders")
	var l ledger
	consume(tb, orders, func(ctx context.Context, d *inq.Delivery) {
		if strings.HasSuffix(d.Body, ", cancelled") {
			if mistaken {
				return
			}
		} else {
			l.charge(d.Body)
		}
		_ = d.Delete(ctx)
	})
	place(tb, orders, "order 1", "order 2, cancelled", "order 3")
	s.Log().Wait(3, inqtest.Received)
}

// The work takes longer than the visibility timeout. The delete succeeds, as Standard queues have it, and
// nobody hears that the message was free for others for 15 seconds. The report finds the late delete.
func testNeedsLongerThanItsTimeout(tb inqtest.TB, mistaken bool) {
	s := inqtest.New(tb, inqtest.Strict())
	orders := s.Standard("orders", inq.WithVisibilityTimeout(30*time.Second))
	consume(tb, orders, func(ctx context.Context, d *inq.Delivery) {
		if !mistaken {
			_ = d.ChangeVisibility(ctx, 2*time.Minute)
		}
		time.Sleep(45 * time.Second)
		_ = d.Delete(ctx)
	})
	place(tb, orders, "order 1")
	inqtest.WaitDrained(tb, orders)
}

// The consumer extends its lease, but not soon enough: the lease is over by then. The report finds the
// extension.
func testExtendsALeaseThatHasLapsed(tb inqtest.TB, mistaken bool) {
	s := inqtest.New(tb, inqtest.Strict())
	orders := s.Standard("orders", inq.WithVisibilityTimeout(30*time.Second))
	every := 20 * time.Second
	if mistaken {
		every = 40 * time.Second
	}
	consume(tb, orders, func(ctx context.Context, d *inq.Delivery) {
		beats := time.NewTicker(every)
		defer beats.Stop()
		for done := time.After(50 * time.Second); ; {
			select {
			case <-beats.C:
				_ = d.ChangeVisibility(ctx, 30*time.Second)
				continue
			case <-done:
			}
			_ = d.Delete(ctx)
			return
		}
	})
	place(tb, orders, "order 1")
	inqtest.WaitDrained(tb, orders)
}

// The message is deleted first, and only who has seen the delete succeed goes on. Where the answer to the
// delete gets lost, nobody ever does the work. So it is with a process that dies between the two.
func testDeletesBeforeItProcesses(tb inqtest.TB, mistaken bool) {
	s := inqtest.New(tb, inqtest.Strict())
	plan := inqtest.NewPlan(tb, 1, inqtest.On(inqtest.Delete).Nth(2).Do(inqtest.LoseAnswer))
	orders := s.Standard("orders")
	var l ledger
	consume(tb, inqtest.Disturb(orders, plan), func(ctx context.Context, d *inq.Delivery) {
		if mistaken {
			if err := d.Delete(ctx); err != nil {
				return // somebody will get it again
			}
			l.charge(d.Body)
			return
		}
		l.charge(d.Body)
		_ = d.Delete(ctx) // or it comes again
	})
	place(tb, orders, "order 1", "order 2", "order 3")
	inqtest.WaitDrained(tb, orders)
	l.check(tb, s.Log())
}

// SQS delivers at least once, and now and then it is twice. The plan does it to the first receive.
func testIsNotIdempotent(tb inqtest.TB, mistaken bool) {
	s := inqtest.New(tb, inqtest.Strict())
	plan := inqtest.NewPlan(tb, 1, inqtest.On(inqtest.Receive).Nth(1).Do(inqtest.Duplicate))
	orders := s.Standard("orders")
	var l ledger
	done := map[string]bool{}
	consume(tb, inqtest.Disturb(orders, plan), func(ctx context.Context, d *inq.Delivery) {
		if mistaken || !done[d.ID()] {
			l.charge(d.Body)
		}
		done[d.ID()] = true
		_ = d.Delete(ctx)
	})
	place(tb, orders, "order 1", "order 2")
	inqtest.WaitDrained(tb, orders)
	s.Log().Wait(3, inqtest.Received)
	l.check(tb, s.Log())
}

// A batch succeeds as a whole and fails by entry. Who looks at the whole alone loses what the plan makes
// fail.
func testIgnoresFailingEntries(tb inqtest.TB, mistaken bool) {
	s := inqtest.New(tb, inqtest.Strict())
	plan := inqtest.NewPlan(tb, 1, inqtest.On(inqtest.SendBatch).Nth(1).Do(inqtest.FailEntries(1)))
	orders := s.Standard("orders")
	start(tb, func(ctx context.Context) {
		q := inqtest.Disturb(orders, plan)
		batch := []inq.Message{{Body: "order 1"}, {Body: "order 2"}, {Body: "order 3"}}
		for len(batch) != 0 {
			var some *inq.BatchError
			if _, err := q.SendBatch(ctx, batch); mistaken || !errors.As(err, &some) {
				return
			}
			failed := make([]inq.Message, len(some.Failed))
			for i, f := range some.Failed {
				failed[i] = batch[f.Index]
			}
			batch = failed
		}
	})
	s.Log().Wait(3, inqtest.Sent, inqtest.Within(time.Minute))
}

// When SQS has enough of it, it says so, and who comes again at once makes it worse. In a bubble, where
// that takes no time at all, the plan finds it before the minute is over.
func testRetriesWithoutBackoff(tb inqtest.TB, mistaken bool) {
	s := inqtest.New(tb, inqtest.Strict())
	plan := inqtest.NewPlan(tb, 1, inqtest.On(inqtest.Receive).Between(time.Second, time.Minute).Do(inqtest.Throttle))
	orders := s.Standard("orders")
	start(tb, func(ctx context.Context) {
		q, backoff := inqtest.Disturb(orders, plan), time.Duration(0)
		for ctx.Err() == nil {
			deliveries, err := q.Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second})
			switch {
			case err == nil:
				backoff = 100 * time.Millisecond
			case !mistaken:
				sleep(ctx, backoff)
				backoff = min(2*backoff, 20*time.Second)
			}
			for i := range deliveries {
				_ = deliveries[i].Delete(ctx)
			}
		}
	})
	place(tb, orders, "order 1")
	inqtest.WaitDrained(tb, orders)
	time.Sleep(30 * time.Second)
	place(tb, orders, "order 2")
	inqtest.WaitDrained(tb, orders)
}

func TestPlantedMistakesAreFound(t *testing.T) {
	for _, p := range plantedMistakes {
		t.Run(p.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				passing(t, func(tb inqtest.TB) { p.test(tb, false) })
			})
			synctest.Test(t, func(t *testing.T) {
				failing(t, p.want, func(tb inqtest.TB) { p.test(tb, true) })
			})
		})
	}
}
