package main

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/examples/internal/narrator"
	"example.com/inq/inqtest"
	"example.com/inq/worker"
)

// seeds are how many plans of faults a consumer is run under.
const seeds = 1000

// TestEveryEventIsDeliveredOrDeadWhateverTheQueueDoes runs the consumer on a queue where all that can go
// wrong does so now and then.
func TestEveryEventIsDeliveredOrDeadWhateverTheQueueDoes(t *testing.T) {
	const events = 10
	faults := map[string]int{}
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) {
			s := inqtest.New(t)
			dead := s.Standard("dead")
			queue := s.Standard("webhooks", inq.WithDeadLetter(dead, 100))
			for i := range events {
				_, err := deliver.Send(t.Context(), queue, newEvent(i))
				require.NoError(t, err)
			}
			var rules []inqtest.Rule
			for _, f := range []inqtest.Fault{inqtest.Throttle, inqtest.ServerError, inqtest.Deny, inqtest.Reset, inqtest.LoseAnswer,
				inqtest.OverLimit, inqtest.Duplicate, inqtest.Reorder, inqtest.ExpireHandle, inqtest.FailEntries(0, 3),
				inqtest.Slow(time.Second), inqtest.Sample(0.5)} {
				rules = append(rules, inqtest.On().Chance(0.05).Do(f))
			}
			plan := inqtest.NewPlan(t, seed, rules...)

			servers := newServers()
			servers.repair()
			mux := worker.NewMux()
			deliver.Handle(mux, (&sender{client: &http.Client{Transport: direct{servers}}, url: "http://customers", show: narrator.New(io.Discard)}).post)
			runner, err := worker.New(inqtest.Disturb(queue, plan), mux, worker.WithConcurrency(4), worker.WithMaxAttempts(50), worker.WithLogger(quiet))
			require.NoError(t, err)
			ctx, stop := context.WithCancel(t.Context())
			stopped := make(chan error, 1)
			go func() { stopped <- runner.Run(ctx) }()
			inqtest.WaitDrained(t, queue)
			stop()
			require.NoError(t, <-stopped)

			died := map[string]bool{}
			for m := range dead.Messages() {
				died[m.ID] = true
			}
			delivered, _ := servers.counts()
			require.Equal(t, events-1, delivered, plan) // all but that for fax,
			require.Len(t, died, 1, plan)               // which is dead
			require.NoError(t, dead.Purge(t.Context()))
			for _, a := range plan.Did() {
				faults[a.Fault]++
			}
		})
	}
	require.Len(t, faults, 12, "each fault struck: %v", faults)
}
