package inqaws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// mapping is what stands between a queue and a function: it receives, calls, and deletes what has not
// failed, with partial batch responses.
type mapping struct {
	t      *testing.T
	client *sqs.Client
	url    string
	arn    string
}

func mappingOf(t *testing.T, b *inq.Broker, q inq.Local) *mapping {
	return &mapping{t, NewClient(b), b.QueueURL(DefaultEndpoint, q.Name()), q.ARN()}
}

// invoke hands one batch to a function, and returns the error of the invocation and how many were deleted.
func (m *mapping) invoke(f func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)) (deleted []string, err error) {
	out, err := m.client.ReceiveMessage(m.t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &m.url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	require.NoError(m.t, err)
	event := events.SQSEvent{}
	for _, r := range out.Messages {
		record := events.SQSMessage{MessageId: *r.MessageId, ReceiptHandle: *r.ReceiptHandle, Body: *r.Body, Attributes: r.Attributes,
			EventSource: "aws:sqs", EventSourceARN: m.arn, MessageAttributes: map[string]events.SQSMessageAttribute{}}
		for name, a := range r.MessageAttributes {
			record.MessageAttributes[name] = events.SQSMessageAttribute{StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: aws.ToString(a.DataType)}
		}
		event.Records = append(event.Records, record)
	}
	answer, err := f(m.t.Context(), event)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(answer) // as it leaves the function
	require.NoError(m.t, err)
	for _, r := range event.Records {
		if !strings.Contains(string(text), r.MessageId) {
			_, err := m.client.DeleteMessage(m.t.Context(), &sqs.DeleteMessageInput{QueueUrl: &m.url, ReceiptHandle: &r.ReceiptHandle})
			require.NoError(m.t, err)
			deleted = append(deleted, r.Body)
		}
	}
	return deleted, nil
}

// failing is a handler that fails messages by their body.
func failing(errs map[string]error) func(context.Context, []inq.Delivery) error {
	return func(_ context.Context, ds []inq.Delivery) error {
		batch := &inq.BatchError{}
		for i, d := range ds {
			if err := errs[d.Body]; err != nil {
				batch.Failed = append(batch.Failed, inq.BatchFailure{Index: i, Err: err})
			}
		}
		if batch.Failed == nil {
			return nil
		}
		return fmt.Errorf("some: %w", batch)
	}
}

func TestLambda_DeletesWhatHasNotFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		local, q := standard(t, b, "jobs")
		for _, body := range []string{"a", "bad", "c", "later"} {
			_, err := local.Send(t.Context(), inq.Message{Body: body, GroupID: "tenant"})
			require.NoError(t, err)
		}
		m := mappingOf(t, b, local)
		deleted, err := m.invoke(Lambda(q, failing(map[string]error{
			"bad": errors.New("no"), "later": worker.RetryAfter(5*time.Second, errors.New("busy"))})))
		require.NoError(t, err)
		require.Equal(t, []string{"a", "c"}, deleted, "a tenant of a Standard queue is no group")

		for _, c := range []struct {
			at   time.Duration
			body string
		}{{5 * time.Second, "later"}, {25 * time.Second, "bad"}} {
			time.Sleep(c.at - 1)
			require.Zero(t, local.Stats().Visible)
			time.Sleep(time.Nanosecond)
			deleted, err = m.invoke(Lambda(nil, failing(nil)))
			require.NoError(t, err)
			require.Equal(t, []string{c.body}, deleted)
		}
	})
}

func TestLambda_ABatchThatFailsAsAWhole(t *testing.T) {
	why := errors.New("no database")
	for name, h := range map[string]func(context.Context, []inq.Delivery) error{
		"error": func(context.Context, []inq.Delivery) error { return why },
		"unknown message": func(context.Context, []inq.Delivery) error {
			return &inq.BatchError{Failed: []inq.BatchFailure{{Index: 2, Err: why}}}
		},
		"negative": func(context.Context, []inq.Delivery) error {
			return &inq.BatchError{Failed: []inq.BatchFailure{{Index: -1, Err: why}}}
		},
		"nil *BatchError":   func(context.Context, []inq.Delivery) error { return (*inq.BatchError)(nil) },
		"not even a reason": func(context.Context, []inq.Delivery) error { return errors.Join(why, (*inq.BatchError)(nil)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBroker(t)
				local, _ := standard(t, b, "jobs")
				for range 2 {
					_, err := local.Send(t.Context(), inq.Message{Body: "x"})
					require.NoError(t, err)
				}
				deleted, err := mappingOf(t, b, local).invoke(Lambda(nil, h))
				require.Error(t, err)
				require.Empty(t, deleted)
				require.Equal(t, 2, local.Stats().NotVisible)
			})
		})
	}
}

func TestLambda_OnFIFOWhatIsBehindAFailureFailsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		local, q := fifo(t, b, "jobs.fifo")
		for _, body := range []string{"ann-1", "bob-1", "ann-2", "bob-2", "ann-3", "cid-1"} {
			_, err := local.Send(t.Context(), inq.Message{Body: body, GroupID: body[:3], DeduplicationID: body})
			require.NoError(t, err)
		}
		m := mappingOf(t, b, local)
		var order []string
		note := func(errs map[string]error) func(context.Context, []inq.Delivery) error {
			return func(ctx context.Context, ds []inq.Delivery) error {
				for _, d := range ds {
					order = append(order, d.Body)
				}
				return failing(errs)(ctx, ds)
			}
		}
		// What is behind asks for no delay of its own: ann 3 would come early otherwise.
		deleted, err := m.invoke(Lambda(q, note(map[string]error{
			"ann-2": worker.Snooze(10 * time.Second), "ann-3": worker.Snooze(time.Second), "bob-1": errors.New("no")})))
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"ann-1", "cid-1"}, deleted)

		order = nil
		time.Sleep(10 * time.Second)
		deleted, err = m.invoke(Lambda(q, note(nil)))
		require.NoError(t, err)
		require.Equal(t, []string{"ann-2"}, deleted)
		time.Sleep(20 * time.Second)
		_, err = m.invoke(Lambda(q, note(nil)))
		require.NoError(t, err)
		last := map[string]string{}
		for _, body := range order {
			require.Less(t, last[body[:3]], body, "order in a group")
			last[body[:3]] = body
		}
		require.Equal(t, inq.Counts{}, local.Stats().Counts)
	})
}

func TestLambda_HandsOverAllThatTheEventTells(t *testing.T) {
	const event = `{"Records":[{"messageId":"059f36b4-87a3-44ab-83d2-661975830a7d","receiptHandle":"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
		"body":"hello","md5OfBody":"5d41402abc4b2a76b9719d911017c592",
		"attributes":{"ApproximateReceiveCount":"2","SentTimestamp":"1545082649183","SenderId":"AIDAIENQZJOLO23YVJ4VO","SequenceNumber":"18849496460467696128",
		"MessageGroupId":"ann","MessageDeduplicationId":"7","AWSTraceHeader":"Root=1-5759e988-bd862e3fe1be46a994272793","ApproximateFirstReceiveTimestamp":"1545082649185",
		"DeadLetterQueueSourceArn":"arn:aws:sqs:us-east-2:123456789012:source.fifo"},
		"messageAttributes":{"kind":{"stringValue":"email","stringListValues":[],"binaryListValues":[],"dataType":"String"},
		"raw":{"binaryValue":"AP8=","stringListValues":[],"binaryListValues":[],"dataType":"Binary"}},
		"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-2:123456789012:jobs.fifo","awsRegion":"us-east-2"}]}`
	var e events.SQSEvent
	require.NoError(t, json.Unmarshal([]byte(event), &e))
	calls := 0
	f := Lambda(nil, func(ctx context.Context, ds []inq.Delivery) error {
		calls++
		require.Len(t, ds, 1)
		d := &ds[0]
		require.Equal(t, []string{"hello", "ann", "059f36b4-87a3-44ab-83d2-661975830a7d", "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a", "7", "18849496460467696128",
			"Root=1-5759e988-bd862e3fe1be46a994272793", "AIDAIENQZJOLO23YVJ4VO", "arn:aws:sqs:us-east-2:123456789012:source.fifo"},
			[]string{d.Body, d.GroupID, d.ID(), d.ReceiptHandle(), d.DeduplicationID(), d.SequenceNumber(), d.TraceHeader(), d.SenderID(), d.DeadLetterSourceARN()})
		require.Equal(t, 2, d.ReceiveCount)
		require.True(t, time.UnixMilli(1545082649183).Equal(d.SentAt()))
		require.True(t, time.UnixMilli(1545082649185).Equal(d.FirstReceivedAt()))
		require.Equal(t, map[string]inq.Attribute{"kind": inq.String("email"), "raw": inq.Binary([]byte{0, 255})}, d.Attributes())
		require.ErrorIs(t, d.Delete(ctx), inq.ErrMissingParameter)
		return worker.RetryAfter(time.Second, errors.New("busy"))
	})
	_, err := f(t.Context(), e)
	require.EqualError(t, err, "busy")
	require.Equal(t, 1, calls)

	answer, err := f(t.Context(), events.SQSEvent{})
	require.NoError(t, err)
	require.Empty(t, answer.BatchItemFailures)
	require.Equal(t, 1, calls, "nothing to handle")
	_, err = Lambda(nil, nil)(t.Context(), e)
	require.ErrorIs(t, err, inq.ErrMissingParameter)
}
