package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/examples/internal/narrator"
	"example.com/inq/inqtest"
)

// troubles is what a queue does to the program, most of it by chance: what SQS says it may do, and what
// networks do.
var troubles = []inqtest.Rule{
	inqtest.On(inqtest.Receive).Chance(0.2).Do(inqtest.Duplicate),
	inqtest.On(inqtest.Receive).Chance(0.2).Do(inqtest.Reorder),
	inqtest.On(inqtest.Receive).Chance(0.2).Do(inqtest.Sample(0.5)),
	inqtest.On(inqtest.Receive).Chance(0.05).Do(inqtest.OverLimit),
	inqtest.On(inqtest.Receive, inqtest.Delete, inqtest.ChangeVisibility).Chance(0.1).Do(inqtest.ExpireHandle),
	inqtest.On(inqtest.DeleteBatch, inqtest.ChangeVisibilityBatch).Chance(0.2).Do(inqtest.FailEntries(0, 3)),
	inqtest.On().Chance(0.1).Do(inqtest.LoseAnswer),
	inqtest.On().Chance(0.1).Do(inqtest.Slow(3 * time.Second)),
	inqtest.On().Chance(0.05).Do(inqtest.Throttle),
	inqtest.On().Chance(0.05).Do(inqtest.Deny),
	inqtest.On().Chance(0.05).Do(inqtest.Reset),
	inqtest.On().Between(5*time.Second, 20*time.Second).Do(inqtest.ServerError),
}

// TestNoEventIsLostWhateverTheQueueDoes runs the program's worker under one plan after another. A seed that
// fails can be run alone: -run 'WhateverTheQueueDoes/17$'.
func TestNoEventIsLostWhateverTheQueueDoes(t *testing.T) {
	seeds := 1000
	if testing.Short() {
		seeds = 100
	}
	ran, met := 0, map[string]int{}
	for seed := range seeds {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, act := range deliverUnder(t, uint64(seed)) {
					met[act.Fault]++
				}
				ran++
			})
		})
	}
	if ran == seeds {
		assert.Len(t, met, len(troubles), "some fault was never met: %v", met)
	}
}

// deliverUnder has the worker deliver events from a queue under a plan with this seed, and returns what the
// plan did.
func deliverUnder(t *testing.T, seed uint64) []inqtest.Act {
	const events = 20
	s := inqtest.New(t)
	dead := s.Standard("webhooks-dead")
	queue := s.Standard("webhooks", inq.WithDeadLetter(dead, 100))
	plan := inqtest.NewPlan(t, seed, troubles...)
	disturbed := inqtest.Disturb(queue, plan)

	servers := newServers()
	client := &http.Client{Transport: direct{servers}}
	runner, err := newRunner(disturbed, &sender{client: client, url: "http://customers", show: narrator.New(io.Discard)})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	stopped := make(chan error, 1)
	go func() { stopped <- runner.Run(ctx) }()

	for i := range events {
		_, err := deliver.Send(ctx, disturbed, newEvent(i))
		for err != nil { // where only the answer was lost, the event is sent twice
			time.Sleep(time.Second)
			_, err = deliver.Send(ctx, disturbed, newEvent(i))
		}
	}
	inqtest.WaitDrained(t, queue)
	stop()
	require.NoError(t, <-stopped)

	settled := map[string]bool{}
	for m := range dead.Messages() {
		var e event
		require.NoError(t, json.Unmarshal([]byte(m.Body), &e))
		require.NotEmpty(t, m.DeadLetterReason, "of %s", e.ID)
		settled[e.ID] = true
	}
	for id := range servers.taken {
		settled[id] = true
	}
	for i := range events {
		assert.True(t, settled[newEvent(i).ID], "%s was neither delivered nor is it a dead letter", newEvent(i).ID)
	}
	return plan.Did()
}
