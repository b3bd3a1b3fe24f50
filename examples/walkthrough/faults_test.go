package main

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"example.com/inq/inqaws"
	"example.com/inq/inqtest"
)

// TestNoMessageIsLostWhateverTheServiceDoes runs the program, with the retries of the SDK, against a service
// in trouble. It may end with an error; what it sent is then in the queue, or was received and deleted.
func TestNoMessageIsLostWhateverTheServiceDoes(t *testing.T) {
	const seeds = 1000
	succeeded := 0
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) {
			s := inqtest.New(t)
			var rules []inqtest.Rule
			for _, f := range []inqtest.Fault{inqtest.Throttle, inqtest.ServerError, inqtest.Deny, inqtest.Reset, inqtest.LoseAnswer,
				inqtest.OverLimit, inqtest.Duplicate, inqtest.Reorder, inqtest.ExpireHandle, inqtest.Slow(time.Second)} {
				rules = append(rules, inqtest.On().Chance(0.05).Do(f))
			}
			plan := s.Faults(seed, rules...)
			w := &walkthrough{client: sqs.NewFromConfig(inqaws.Config(s.HTTPClient())), prefix: "w", stdout: io.Discard}
			err := w.run(t.Context())
			synctest.Wait() // the log has what has happened
			sent := map[string]bool{}
			for e := range s.Log().All(inqtest.Sent) {
				sent[e.ID] = true
			}
			for e := range s.Log().All(inqtest.Deleted) {
				require.True(t, sent[e.ID])
				delete(sent, e.ID)
			}
			if q, none := s.Broker().Queue("w-jobs"); none == nil {
				for m := range q.Messages() {
					delete(sent, m.ID)
				}
				require.NoError(t, q.Purge(t.Context()))
			}
			require.Empty(t, sent, "%v\n%v", err, plan)
			if err == nil {
				s.Log().Wait(1, inqtest.Received)
				succeeded++
			}
		})
	}
	require.Greater(t, succeeded, seeds/2)
}
