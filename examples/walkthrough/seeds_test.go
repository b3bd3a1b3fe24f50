package main

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqaws"
	"example.com/inq/inqtest"
)

// troubles is what a service does to the program, most of it by chance. It is done over HTTP, so that the SDK
// really tries again.
var troubles = []inqtest.Rule{
	inqtest.On(inqtest.Receive).Chance(0.3).Do(inqtest.Duplicate),
	inqtest.On(inqtest.Receive).Chance(0.3).Do(inqtest.Reorder),
	inqtest.On(inqtest.Receive).Chance(0.05).Do(inqtest.OverLimit),
	inqtest.On(inqtest.Receive, inqtest.Delete).Chance(0.2).Do(inqtest.ExpireHandle),
	inqtest.On().Chance(0.1).Do(inqtest.LoseAnswer),
	inqtest.On().Chance(0.1).Do(inqtest.Throttle),
	inqtest.On().Chance(0.02).Do(inqtest.Deny),
	inqtest.On().Chance(0.1).Do(inqtest.Reset),
	inqtest.On().Chance(0.2).Do(inqtest.Slow(2 * time.Second)),
	inqtest.On().Between(5*time.Second, 20*time.Second).Do(inqtest.ServerError),
}

// TestNothingIsLostWhateverTheServiceDoes runs the program under one plan after another. A seed that fails
// can be run alone: -run 'WhateverTheServiceDoes/17$'.
func TestNothingIsLostWhateverTheServiceDoes(t *testing.T) {
	seeds := 1000
	if testing.Short() {
		seeds = 100
	}
	ran, met := 0, map[string]int{}
	for seed := range seeds {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, act := range walkUnder(t, uint64(seed)) {
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

// walkUnder runs the program under a plan with this seed, again and again until it has come to its end and
// has received what it sent before it failed. It returns what the plan did.
func walkUnder(t *testing.T, seed uint64) []inqtest.Act {
	s := inqtest.New(t)
	plan := s.Faults(seed, troubles...)
	var output bytes.Buffer
	w := &walkthrough{client: sqs.NewFromConfig(inqaws.Config(s.HTTPClient())), prefix: "w", stdout: &output}
	for w.run(t.Context()) != nil {
		time.Sleep(time.Second)
	}
	jobs := s.Standard("w-jobs", inq.WithVisibilityTimeout(time.Minute))
	for c := jobs.Stats().Counts; c != (inq.Counts{}); c = jobs.Stats().Counts {
		_ = w.receive(t.Context(), s.QueueURL("w-jobs"))
	}

	sent := 0 // more than one where the program failed after that
	for m := range s.Log().All(inqtest.Sent) {
		sent++
		s.Log().Wait(1, inqtest.Deleted, inqtest.ID(m.ID))
	}
	require.NotZero(t, sent)
	assert.GreaterOrEqual(t, strings.Count(output.String(), "Received \"resize cat.png\""), sent, output.String())
	for w.cleanUp(t.Context()) != nil {
		time.Sleep(time.Second)
	}
	left, err := s.Broker().List("", "", 0)
	require.NoError(t, err)
	assert.Empty(t, left)
	return plan.Did()
}
