package inqtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq"
	"example.com/inq/inqtest"
)

// inBubble runs an example in a bubble of virtual time.
func inBubble(f func(t *example)) {
	synctest.Test(new(testing.T), func(*testing.T) {
		t := new(example)
		defer t.end()
		f(t)
	})
}

// A consumer whose delete is lost does not know that it was carried out, and the third receive is
// refused. Disturb puts that around the queue that the code under test is given.
func ExampleDisturb() {
	inBubble(func(t *example) {
		ctx := context.Background()
		orders, _ := inq.NewStandard("orders")
		defer orders.Close()
		plan := inqtest.NewPlan(t, 1,
			inqtest.On(inqtest.Delete).In("orders").Nth(1).Do(inqtest.LoseAnswer),
			inqtest.On(inqtest.Receive).In("orders").Nth(3).Do(inqtest.Throttle))
		q := inqtest.Disturb(orders, plan)

		order(q, "order 17", "order 18")
		for range 3 {
			ds, err := q.Receive(ctx, inq.ReceiveInput{})
			if errors.Is(err, inq.ErrThrottled) {
				fmt.Println(err)
				continue
			}
			fmt.Println(ds[0].Body, "deleted:", ds[0].Delete(ctx))
		}
		fmt.Println(plan)
	})
	// Output:
	// order 17 deleted: inqtest: answer lost on purpose: inq: service is unavailable
	// order 18 deleted: <nil>
	// inqtest: throttled on purpose: inq: too many requests
	// inqtest: faults with seed 1:
	//   rule 1: On(Delete).In("orders").Nth(1).Do(LoseAnswer), 2 calls, 1 fault
	//   rule 2: On(Receive).In("orders").Nth(3).Do(Throttle), 3 calls, 1 fault
	//     0s  call 1 of rule 1: Delete in orders met LoseAnswer
	//     0s  call 3 of rule 2: Receive in orders met Throttle
}

// Over HTTP a plan is the server's. Clients see what SQS would answer, or a connection that breaks.
func ExampleServer_Faults() {
	inBubble(func(t *example) {
		s := inqtest.New(t)
		s.Standard("orders")
		s.Faults(1,
			inqtest.On(inqtest.Send).Nth(1).Do(inqtest.Throttle),
			inqtest.On(inqtest.Send).Nth(2).Do(inqtest.ServerError),
			inqtest.On(inqtest.Send).Nth(3).Do(inqtest.Reset))

		for range 4 { // as an SDK does that tries again
			res, err := s.HTTPClient().Post(s.QueueURL("orders"), "application/x-www-form-urlencoded",
				strings.NewReader("Action=SendMessage&MessageBody=order+17"))
			if err != nil {
				fmt.Println(err)
				continue
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			fmt.Println(res.StatusCode, http.StatusText(res.StatusCode))
		}
		s.Log().Wait(1, inqtest.Sent)
		_ = s.Standard("orders").Purge(context.Background())
	})
	// Output:
	// 403 Forbidden
	// 500 Internal Server Error
	// Post "http://sqs.invalid/000000000000/orders": read tcp: read: connection reset by peer
	// 200 OK
}

// An outage of a minute, from when the plan was made. A consumer that pauses between two tries gets over
// it with few of them.
func ExampleRule_Between() {
	inBubble(func(t *example) {
		orders, _ := inq.NewStandard("orders")
		defer orders.Close()
		plan := inqtest.NewPlan(t, 1, inqtest.On().Between(0, time.Minute).Do(inqtest.ServerError))
		q := inqtest.Disturb(orders, plan)
		began := time.Now()
		for pause := time.Second; ; pause *= 2 {
			_, err := q.Send(context.Background(), inq.Message{Body: "order 17"})
			if err == nil {
				break
			}
			time.Sleep(pause)
		}
		fmt.Println("sent after", time.Since(began), "and", len(plan.Did()), "tries in vain")
	})
	// Output: sent after 1m3s and 6 tries in vain
}

// Amazon SQS may deliver a message twice, also to who has deleted it. A consumer that charges twice then
// is caught.
func ExampleFaultKind_duplicate() {
	inBubble(func(t *example) {
		ctx := context.Background()
		orders, _ := inq.NewStandard("orders")
		defer orders.Close()
		q := inqtest.Disturb(orders, inqtest.NewPlan(t, 1, inqtest.On(inqtest.Receive).Nth(1).Do(inqtest.Duplicate)))
		order(q, "order 17")

		charged := map[string]int{}
		for range 2 {
			ds, _ := q.Receive(ctx, inq.ReceiveInput{Wait: inq.Zero})
			for _, d := range ds {
				charged[d.Body]++
				_ = d.Delete(ctx)
			}
		}
		fmt.Println(charged)
	})
	// Output: map[order 17:2]
}

// Messages of a Standard queue come in any order, and a short poll may see some of them only.
func ExampleSample() {
	inBubble(func(t *example) {
		orders, _ := inq.NewStandard("orders")
		defer orders.Close()
		q := inqtest.Disturb(orders, inqtest.NewPlan(t, 1,
			inqtest.On(inqtest.Receive).Nth(1).Do(inqtest.Sample(0.5)),
			inqtest.On(inqtest.Receive).Nth(2).Do(inqtest.Reorder)))
		order(q, "1", "2", "3", "4", "5", "6")
		for range 2 {
			ds, _ := q.Receive(context.Background(), inq.ReceiveInput{Max: 10, Wait: inq.Zero})
			var bodies []string
			for _, d := range ds {
				bodies = append(bodies, d.Body)
			}
			fmt.Println(bodies)
		}
	})
	// Output:
	// [1 5 6]
	// [4 3 2]
}

// Entries of a batch fail alone. Who looks at the error of the call alone loses them.
func ExampleFailEntries() {
	inBubble(func(t *example) {
		orders, _ := inq.NewStandard("orders")
		defer orders.Close()
		q := inqtest.Disturb(orders, inqtest.NewPlan(t, 1, inqtest.On(inqtest.SendBatch).Nth(1).Do(inqtest.FailEntries(1))))
		ms := []inq.Message{{Body: "order 17"}, {Body: "order 18"}}
		_, err := q.SendBatch(context.Background(), ms)
		var some *inq.BatchError
		if errors.As(err, &some) {
			for _, f := range some.Failed {
				fmt.Println("once more:", ms[f.Index].Body)
			}
		}
	})
	// Output: once more: order 18
}

// A handle lapses before its time: the consumer works on, and somebody else has the message.
func ExampleFaultKind_expireHandle() {
	inBubble(func(t *example) {
		ctx := context.Background()
		s := inqtest.New(t)
		q := inqtest.Disturb(s.Standard("orders"), inqtest.NewPlan(t, 1, inqtest.On(inqtest.Receive).Nth(1).Do(inqtest.ExpireHandle)))
		order(q, "order 17")
		first, _ := q.Receive(ctx, inq.ReceiveInput{})
		second, _ := q.Receive(ctx, inq.ReceiveInput{})
		fmt.Println(first[0].Body, second[0].Body)
		_ = first[0].Delete(ctx) // Standard takes it, and the report tells
	})
	// Output:
	// order 17 order 17
	// log: inqtest: left behind by TestOrders:
	//   1 call by handles whose receives were over:
	//     orders at +0s deleted SHORTID "order 17"
}
