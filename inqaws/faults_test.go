package inqaws_test

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqaws"
	"example.com/inq/inqtest"
)

// TestFaults_TheSDKTriesAgain has the retryer of the SDK meet each fault on the first try of a call, and
// compares how many tries it makes and what it tells in the end.
func TestFaults_TheSDKTriesAgain(t *testing.T) {
	for _, c := range []struct {
		fault   inqtest.Fault
		tries   int   // where only the first try meets it
		as      error // where all do
		inQueue int   // messages, where only the first try meets it
	}{
		{inqtest.Throttle, 2, inq.ErrThrottled, 1},
		{inqtest.ServerError, 2, inq.ErrUnavailable, 1},
		{inqtest.Reset, 2, syscall.ECONNRESET, 1},
		{inqtest.LoseAnswer, 2, syscall.ECONNRESET, 2}, // the first try took effect
		{inqtest.Deny, 1, nil, 0},
	} {
		t.Run(c.fault.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := inqtest.New(t)
				q := s.Standard("orders")
				client, url := sqs.NewFromConfig(inqaws.Config(s.HTTPClient())), s.QueueURL("orders")
				send := func() error {
					_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("b")})
					return err
				}
				p := s.Faults(1, inqtest.On(inqtest.Send).In("orders").Nth(1).Do(c.fault))
				err := send()
				require.Len(t, p.Did(), 1)
				require.Equal(t, c.tries, s.Calls().Of("SendMessage").Calls)
				require.Equal(t, c.inQueue, q.Stats().Visible)
				if c.as == nil {
					var denied smithy.APIError
					require.ErrorAs(t, err, &denied)
					require.Equal(t, "AccessDenied", denied.ErrorCode())
					return
				}
				require.NoError(t, err)
				p = s.Faults(1, inqtest.On(inqtest.Send).Do(c.fault))
				require.ErrorIs(t, inqaws.Translate(send()), c.as)
				require.Len(t, p.Did(), 3, "the SDK tries three times")
			})
			t.Run("over a socket", func(t *testing.T) {
				s := inqtest.New(t)
				s.Standard("orders")
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				client := sqs.NewFromConfig(inqaws.Config(&http.Client{Transport: transport}), func(o *sqs.Options) {
					o.BaseEndpoint = aws.String(s.URL())
					o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
				})
				p := s.Faults(1, inqtest.On(inqtest.Send).Nth(1).Do(c.fault))
				_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(s.QueueURL("orders")), MessageBody: aws.String("b")})
				require.Equal(t, c.as == nil, err != nil, err)
				require.Len(t, p.Did(), 1)
				require.Equal(t, c.tries, s.Calls().Of("SendMessage").Calls)
			})
		})
	}
}

func TestFaults_AnswersAreLostAfterTheChangeTookEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		standard, fifo := s.Standard("orders"), s.FIFO("orders.fifo")
		client := sqs.NewFromConfig(inqaws.Config(s.HTTPClient()))
		lose := func() {
			s.Faults(1, inqtest.On(inqtest.Send, inqtest.Receive, inqtest.Delete).Nth(1).Do(inqtest.LoseAnswer))
		}
		in := &sqs.SendMessageInput{QueueUrl: aws.String(s.QueueURL("orders.fifo")), MessageBody: aws.String("b"), MessageGroupId: aws.String("g"),
			MessageDeduplicationId: aws.String("order-1")}
		lose()
		_, err := client.SendMessage(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, 1, fifo.Stats().Visible, "the deduplication id makes it one")
		require.EqualValues(t, 1, fifo.Stats().Deduplicated)
		require.NoError(t, fifo.Purge(t.Context()))

		_, err = standard.Send(t.Context(), inq.Message{Body: "b"})
		require.NoError(t, err)
		lose()
		url := aws.String(s.QueueURL("orders"))
		began := time.Now()
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 20})
		require.NoError(t, err)
		require.Empty(t, out.Messages, "the second try of the SDK finds nothing: the message is in flight")
		out, err = client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 20,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount}})
		require.NoError(t, err)
		require.Equal(t, "2", out.Messages[0].Attributes["ApproximateReceiveCount"])
		require.Equal(t, 30*time.Second, time.Since(began), "when its visibility timeout is over")

		lose()
		_, err = client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: out.Messages[0].ReceiptHandle})
		require.NoError(t, err, "the second try deletes what is gone")
		inqtest.WaitDrained(t, standard)
	})
}

// TestFaults_ReachQueuesOfThisModuleOverTheSDK has an inqaws.Queue tell what a queue of this process tells.
func TestFaults_ReachQueuesOfThisModuleOverTheSDK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		s.Standard("orders")
		q := inqaws.NewQueue(sqs.NewFromConfig(inqaws.Config(s.HTTPClient()), func(o *sqs.Options) { o.Retryer = aws.NopRetryer{} }), s.QueueURL("orders"))
		s.Faults(1, inqtest.On(inqtest.SendBatch).Nth(1).Do(inqtest.FailEntries(1)), inqtest.On(inqtest.Receive).Nth(1).Do(inqtest.OverLimit),
			inqtest.On(inqtest.Receive).Nth(2).Do(inqtest.Throttle), inqtest.On(inqtest.Receive).Nth(1).Do(inqtest.Duplicate),
			inqtest.On(inqtest.Delete).Nth(3).Do(inqtest.ServerError))
		_, err := q.SendBatch(t.Context(), []inq.Message{{Body: "0"}, {Body: "1"}})
		var some *inq.BatchError
		require.ErrorAs(t, err, &some)
		require.Len(t, some.Failed, 1)
		require.Equal(t, 1, some.Failed[0].Index)
		require.ErrorIs(t, some.Failed[0].Err, inq.ErrUnavailable)
		_, err = q.Receive(t.Context(), inq.ReceiveInput{})
		require.ErrorIs(t, err, inq.ErrOverLimit)
		_, err = q.Receive(t.Context(), inq.ReceiveInput{})
		require.ErrorIs(t, err, inq.ErrThrottled)
		for range 2 {
			ds, err := q.Receive(t.Context(), inq.ReceiveInput{})
			require.NoError(t, err)
			require.Equal(t, "0", ds[0].Body)
			require.NoError(t, ds[0].Delete(t.Context()))
		}
		require.ErrorIs(t, q.Delete(t.Context(), "h"), inq.ErrUnavailable)
		inqtest.WaitDrained(t, s.Standard("orders"))
	})
}

// TestFaults_EveryThirdAnswerIsLost is the test of the example once more, where things go wrong.
func TestFaults_EveryThirdAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t, inqtest.Strict())
		orders := s.Standard("orders")
		plan := s.Faults(1, inqtest.On().In("orders").Every(3).Do(inqtest.LoseAnswer))
		ctx, stop := context.WithCancel(t.Context())
		t.Cleanup(synctest.Wait)
		t.Cleanup(stop)
		client := sqs.NewFromConfig(inqaws.Config(s.HTTPClient()))
		for i := range 5 {
			_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(s.QueueURL("orders")), MessageBody: aws.String(fmt.Sprint("order ", i))})
			require.NoError(t, err)
		}
		shipped := map[string]int{}
		go shipping(ctx, inqaws.Config(s.HTTPClient()), s.QueueURL("orders"), func(order string) error {
			shipped[order]++
			return nil
		})
		inqtest.WaitDrained(t, orders)
		// The answers to two sends were lost, and the SDK sent once more.
		require.Equal(t, map[string]int{"order 0": 1, "order 1": 1, "order 2": 2, "order 3": 1, "order 4": 2}, shipped, plan)
	})
}

// TestFaults_AServiceOfTheSDKSurvives runs the service of the example, whose client retries, under plans of
// all that can go wrong.
func TestFaults_AServiceOfTheSDKSurvives(t *testing.T) {
	const seeds, orders = 200, 8
	faults := map[string]bool{}
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) {
			s := inqtest.New(t)
			q := s.Standard("orders", inq.WithDeadLetter(s.Standard("dead"), 20))
			var rules []inqtest.Rule
			for _, f := range []inqtest.Fault{inqtest.Throttle, inqtest.ServerError, inqtest.Reset, inqtest.LoseAnswer, inqtest.OverLimit,
				inqtest.Duplicate, inqtest.Reorder, inqtest.ExpireHandle, inqtest.Slow(time.Second)} {
				rules = append(rules, inqtest.On().Chance(0.05).Do(f))
			}
			p := s.Faults(seed, rules...)
			ctx, stop := context.WithCancel(t.Context())
			shipped := map[string]bool{}
			done := make(chan struct{})
			go func() {
				defer close(done)
				shipping(ctx, inqaws.Config(s.HTTPClient()), s.QueueURL("orders"), func(order string) error {
					shipped[order] = true
					return nil
				})
			}()
			client := sqs.NewFromConfig(inqaws.Config(s.HTTPClient()))
			for i := range orders {
				for {
					_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(s.QueueURL("orders")), MessageBody: aws.String(fmt.Sprint("order ", i))})
					if err == nil {
						break
					}
				}
			}
			inqtest.WaitDrained(t, q)
			stop()
			<-done
			for m := range s.Standard("dead").Messages() {
				shipped[m.Body] = true
			}
			assert.Len(t, shipped, orders, p)
			for _, a := range p.Did() {
				faults[a.Fault] = true
			}
		})
	}
	require.Len(t, faults, 9, "each struck")
}
