package inqtest_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"example.com/inq"
	"example.com/inq/inqtest"
)

// example is the TB of examples, which have no test: it prints what a test would say.
type example struct{ cleanups []func() }

func (*example) Helper()            {}
func (*example) Name() string       { return "TestOrders" }
func (*example) Failed() bool       { return false }
func (e *example) Cleanup(f func()) { e.cleanups = append(e.cleanups, f) }

func (*example) Logf(format string, args ...any) {
	fmt.Println("log:", masked(fmt.Sprintf(format, args...)))
}
func (*example) Errorf(format string, args ...any) {
	fmt.Println("FAIL:", masked(fmt.Sprintf(format, args...)))
}
func (*example) Fatalf(format string, args ...any) { log.Panicf(format, args...) }

// end is the end of the test.
func (e *example) end() {
	for i := len(e.cleanups) - 1; i >= 0; i-- {
		e.cleanups[i]()
	}
}

// ship is a service: it ships orders until ctx ends, and buries what it cannot ship.
func ship(ctx context.Context, orders inq.Queue) {
	for d, err := range inq.Deliveries(ctx, orders, inq.ReceiveInput{}) {
		if err != nil {
			return
		}
		if d.Body == "nothing" {
			_ = d.Bury(context.WithoutCancel(ctx), "nothing was ordered")
		} else {
			_ = d.Delete(context.WithoutCancel(ctx))
		}
	}
}

// order sends orders.
func order(orders inq.Queue, what ...string) {
	for _, body := range what {
		if _, err := orders.Send(context.Background(), inq.Message{Body: body}); err != nil {
			log.Panic(err)
		}
	}
}

// A test starts a server in one line, has the service work, waits until all is done, and asserts.
func Example() {
	t := new(example)
	defer t.end()
	s := inqtest.New(t)
	ctx, stop := context.WithCancel(context.Background()) // in a test: t.Context()
	t.Cleanup(stop)

	orders := s.Standard("orders")
	go ship(ctx, orders)
	order(orders, "order 17", "order 18")

	inqtest.WaitDrained(t, orders)
	for _, e := range s.Log().Wait(2, inqtest.Deleted, inqtest.In("orders")) {
		fmt.Println(e.Body, e.Kind)
	}
	s.Log().Never(inqtest.TimedOut, inqtest.Within(time.Millisecond)) // in a bubble without Within
	// Output:
	// order 17 deleted
	// order 18 deleted
}

// What is wrong with a consumer is told when the test ends, as a failure where the server is Strict.
func ExampleNew_leaks() {
	t := new(example)
	s := inqtest.New(t, inqtest.Strict())
	orders := s.Standard("orders")
	order(orders, "order 17")
	if _, err := orders.Receive(context.Background(), inq.ReceiveInput{VisibilityTimeout: inq.Zero}); err != nil {
		log.Panic(err)
	}
	t.end()
	// Output:
	// FAIL: inqtest: left behind by TestOrders:
	//   orders: 1 message received and never deleted:
	//     SHORTID "order 17" received 1 time
}

// Wait returns what it waited for.
func ExampleLog_Wait() {
	t := new(example)
	defer t.end()
	s := inqtest.New(t)
	orders := s.Standard("orders")
	go order(orders, "order 17")
	sent := s.Log().Wait(1, inqtest.Sent, inqtest.In("orders"))
	fmt.Println(sent[0].Body)
	// Output: order 17
}

// Outside a bubble Never is told how long to wait for what must not come.
func ExampleLog_Never() {
	t := new(example)
	defer t.end()
	s := inqtest.New(t)
	orders := s.Standard("orders")
	s.Log().Never(inqtest.Sent, inqtest.Within(time.Millisecond))
	order(orders, "order 17")
	s.Log().Never(inqtest.DeadLettered, inqtest.Within(0))
	fmt.Println("never")
	// Output: never
}

// Filters are combined: kinds are alternatives, everything else holds too.
func ExampleLog_All() {
	t := new(example)
	defer t.end()
	s := inqtest.New(t)
	order(s.Standard("orders"), "order 17", "order 18")
	order(s.Standard("other"), "order 17")
	long := inqtest.Match("an order above 17", func(e inqtest.Entry) bool { return e.Body > "order 17" })
	for e := range s.Log().All(inqtest.Sent, inqtest.Published, inqtest.In("orders"), long) {
		fmt.Println(e.Queue, e.Body)
	}
	// Output: orders order 18
}

// WaitIdle leaves what is to be done later.
func ExampleWaitIdle() {
	t := new(example)
	defer t.end()
	s := inqtest.New(t)
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	orders := s.Standard("orders")
	if _, err := orders.Send(ctx, inq.Message{Body: "order 18", Delay: time.Minute}); err != nil {
		log.Panic(err)
	}
	order(orders, "order 17")
	go ship(ctx, orders)
	inqtest.WaitIdle(t, orders)
	counts, err := orders.Counts(ctx)
	fmt.Println(counts.Delayed, err)
	// Output: 1 <nil>
}

// WaitDrained wants the dead-letter queue empty too only where it is given.
func ExampleWaitDrained() {
	t := new(example)
	defer t.end()
	s := inqtest.New(t)
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	dead := s.Standard("dead")
	orders := s.Standard("orders", inq.WithDeadLetter(dead, 3))
	order(orders, "nothing", "order 17")
	go ship(ctx, orders)
	inqtest.WaitDrained(t, orders)
	fmt.Println(s.Log().Wait(1, inqtest.MovedIn, inqtest.In("dead"))[0].Body)
	// Output: nothing
}

// Golden compares the timeline with a file. In a bubble the lines begin with their times.
func ExampleServer_Golden() {
	t := new(example)
	defer t.end()
	s := inqtest.New(t)
	orders := s.Standard("orders")
	order(orders, "order 17")
	ds, err := orders.Receive(context.Background(), inq.ReceiveInput{})
	if err != nil {
		log.Panic(err)
	}
	s.Golden("testdata/order.txt", inqtest.In("orders")) // differs: the delete is missing
	if err := ds[0].Delete(context.Background()); err != nil {
		log.Panic(err)
	}
	s.Golden("testdata/order.txt", inqtest.In("orders"))
	// Output:
	// FAIL: inqtest: the log differs from testdata/order.txt; -inqtest.update writes it anew
	//        orders     sent #1 "order 17"
	//        orders     received #1 "order 17" receive 1
	//   want orders     deleted #1 "order 17" receive 1
	//   got  (nothing more)
}

// A queue that the test made itself is in the log and the report as well.
func ExampleServer_Watch() {
	t := new(example)
	s := inqtest.New(t)
	q, err := inq.NewStandard("own")
	if err != nil {
		log.Panic(err)
	}
	s.Watch(q)
	order(q, "order 17")
	fmt.Println(s.Log().Wait(1, inqtest.Sent, inqtest.In("own"))[0].Body)
	t.end()
	_ = q.Close()
	// Output:
	// order 17
	// log: inqtest: left behind by TestOrders:
	//   own: never closed
}

// One server for all cases of a table.
func ExampleServer_Reset() {
	t := new(example)
	defer t.end()
	s := inqtest.New(t)
	orders := s.Standard("orders")
	for _, body := range []string{"order 17", "order 18"} {
		s.Reset()
		order(orders, body)
		fmt.Println(len(s.Log().Wait(1)), orders.Stats().Visible)
	}
	// Output:
	// 1 1
	// 1 1
}
