package inqtest_test

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

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
	want string // what the test says of the mistaken consumer; ids are shown as ID
}

var plantedMistakes = []planted{
	{"forgets the delete", testForgetsTheDelete, `
inqtest: left behind by the test:
  orders: 1 message in flight:
    ID "order 2, cancelled" received 1 time, visible again at +30s`},
	{"needs longer than its timeout", testNeedsLongerThanItsTimeout, `
inqtest: left behind by the test:
  1 call by handles whose receives were over:
    orders at +45s deleted ID "order 1"`},
	{"extends a lease that has lapsed", testExtendsALeaseThatHasLapsed, `
inqtest: left behind by the test:
  2 calls by handles whose receives were over:
    orders at +40s change of visibility without effect for ID "order 1"
    orders at +50s deleted ID "order 1"`},
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

// send sends orders to a queue.
func send(tb inqtest.TB, q inq.Queue, orders ...string) {
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
	send(tb, orders, "order 1", "order 2, cancelled", "order 3")
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
	send(tb, orders, "order 1")
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
	send(tb, orders, "order 1")
	inqtest.WaitDrained(tb, orders)
}

func TestPlantedMistakesAreFound(t *testing.T) {
	for _, p := range plantedMistakes {
		t.Run(p.name, func(t *testing.T) {
			assert.Empty(t, said(t, p, false), "without the mistake")
			assert.Equal(t, strings.TrimPrefix(p.want, "\n"), said(t, p, true))
		})
	}
}

// said returns what the test of a consumer says in its failure, or "" when it passes.
func said(t *testing.T, p planted, mistaken bool) (text string) {
	synctest.Test(t, func(t *testing.T) {
		var tb speaker
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer tb.end()
			p.test(&tb, mistaken)
		}()
		<-done
		text = tb.said(t)
	})
	return text
}

// speaker is the TB of a test whose failures are compared.
type speaker struct {
	mu       sync.Mutex
	failed   bool
	lines    []string
	cleanups []func()
}

func (s *speaker) Helper()      {}
func (s *speaker) Name() string { return "the test" }

func (s *speaker) Failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

func (s *speaker) Cleanup(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanups = append(s.cleanups, f)
}

func (s *speaker) Logf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

func (s *speaker) Errorf(format string, args ...any) {
	s.Logf(format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = true
}

func (s *speaker) Fatalf(format string, args ...any) {
	s.Errorf(format, args...)
	runtime.Goexit()
}

// end does what was to be done at the end of the test.
func (s *speaker) end() {
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
}

var messageID = regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){0,4}([0-9a-f]{8})?\b`)

// said returns what was said, without the ids of messages, which differ each time.
func (s *speaker) said(t *testing.T) string {
	text := strings.Join(s.lines, "\n")
	if !s.failed {
		assert.Empty(t, text, "said by a test that passed")
		return ""
	}
	return messageID.ReplaceAllString(text, "ID")
}
