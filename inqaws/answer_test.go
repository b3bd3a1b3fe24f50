package inqaws

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// A status of 200 is no success where the answer does not say what SQS always says.
func TestAnswers_WithoutTheirMembersAreErrors(t *testing.T) {
	ctx := t.Context()
	for _, c := range []struct {
		call func(q *Queue) error
		body string
		want string
	}{
		{func(q *Queue) error { _, err := q.Send(ctx, inq.Message{Body: "a"}); return err }, `{}`, "no MessageId"},
		{func(q *Queue) error { _, err := q.Send(ctx, inq.Message{Body: "a"}); return err }, `{"MessageId":""}`, "no MessageId"},
		{func(q *Queue) error { _, err := q.SendBatch(ctx, []inq.Message{{Body: "a"}}); return err }, `{}`, "does not tell"},
		{func(q *Queue) error { _, err := q.SendBatch(ctx, []inq.Message{{Body: "a"}}); return err }, `{"Successful":[{"Id":"0"}]}`, "no MessageId"},
		{func(q *Queue) error { _, err := q.Receive(ctx, inq.ReceiveInput{}); return err },
			`{"Messages":[{"MessageId":"m","Body":"a"}]}`, "no ReceiptHandle"},
		{func(q *Queue) error { _, err := q.Receive(ctx, inq.ReceiveInput{}); return err },
			`{"Messages":[{"ReceiptHandle":"h","MessageId":"m"}]}`, "no Body"},
		{func(q *Queue) error { _, err := q.Receive(ctx, inq.ReceiveInput{}); return err },
			`{"Messages":[{"MessageId":"m","Body":"a","ReceiptHandle":"h"},{"Body":"a","ReceiptHandle":"h"}]}`, "no MessageId"},
		{func(q *Queue) error { return q.DeleteBatch(ctx, []string{"h"}) }, `{}`, "does not tell"},
		{func(q *Queue) error {
			return q.ChangeVisibilityBatch(ctx, []inq.VisibilityChange{{ReceiptHandle: "h"}})
		}, `{}`, "does not tell"},
		{func(q *Queue) error { _, err := q.Counts(ctx); return err }, `{}`, "ApproximateNumberOfMessages"},
	} {
		err := c.call(NewQueue(answering(t, 200, c.body), "q"))
		require.ErrorContains(t, err, c.want, c.body)
		requireNoSentinel(t, err, c.body)
	}
	ds, err := NewQueue(answering(t, 200, `{}`), "q").Receive(ctx, inq.ReceiveInput{})
	require.NoError(t, err, "nothing was there")
	require.Empty(t, ds)
}

// silent is a fake that returns nothing at all.
type silent struct{}

func (silent) SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	return nil, nil
}

func (silent) SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	return nil, nil
}

func (silent) ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	return nil, nil
}

func (silent) DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error) {
	return nil, nil
}

func (silent) DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	return nil, nil
}

func (silent) ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	return nil, nil
}

func (silent) ChangeMessageVisibilityBatch(context.Context, *sqs.ChangeMessageVisibilityBatchInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	return nil, nil
}

func (silent) PurgeQueue(context.Context, *sqs.PurgeQueueInput, ...func(*sqs.Options)) (*sqs.PurgeQueueOutput, error) {
	return nil, nil
}

func (silent) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	return nil, nil
}

func TestAnswers_OfAFakeThatReturnsNilAreEmpty(t *testing.T) {
	calls := everyCall(t.Context(), NewQueue(silent{}, "q"))
	for _, name := range []string{"Receive", "Delete", "ChangeVisibility", "Purge"} {
		assert.NoError(t, calls[name], name)
		delete(calls, name)
	}
	for name, err := range calls {
		assert.ErrorContains(t, err, "inqaws: the answer ", name)
	}
	_, err := NewQueue(silent{}, "q").ownTimeout(t.Context())
	assert.ErrorContains(t, err, "no VisibilityTimeout")
}

// nothing has every exported function and method called with what is nil and on what is zero.
func TestNothing_IsRefusedInPlainWords(t *testing.T) {
	ctx := t.Context()
	var nilQueue *Queue
	var nilClient *sqs.Client
	var nilFake *fixed
	refused := func(name string, err error, param string) {
		t.Helper()
		var p *inq.ParamError
		require.ErrorAs(t, err, &p, name)
		require.ErrorIs(t, err, inq.ErrMissingParameter, name)
		require.Equal(t, param, p.Param, name)
	}
	for name, q := range map[string]*Queue{"zero": {}, "nil client": NewQueue(nil, "q"), "nil *sqs.Client": NewQueue(nilClient, "q"),
		"zero sqs.Client": NewQueue(&sqs.Client{}, "q"), "nil fake": NewQueue(nilFake, "q")} {
		for call, err := range everyCall(ctx, q) {
			refused(name+" "+call, err, "client")
		}
	}
	for call, err := range everyCall(ctx, nilQueue) {
		refused(call, err, "Queue")
	}
	assert.Empty(t, nilQueue.Name()+nilQueue.URL())
	for _, err := range inq.Deliveries(ctx, nilQueue, inq.ReceiveInput{}) {
		refused("Deliveries", err, "Queue")
	}

	for call, err := range everyCall(ctx, NewQueue(NewClient(nil, nil), "q")) {
		refused(call, err, "broker")
	}
	for call, err := range everyCall(ctx, NewQueue(NewClient(&inq.Broker{}, nil, nil), "q")) {
		require.ErrorIs(t, err, inq.ErrUnavailable, call)
	}

	body := func() *http.Request {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://host.invalid/", strings.NewReader("a"))
		require.NoError(t, err)
		return req
	}
	var nilHTTP *HTTPClient
	for name, c := range map[string]*HTTPClient{"nil": nilHTTP, "zero": {}} {
		closed := &watched{ReadCloser: body().Body}
		req := body()
		req.Body = closed
		_, err := c.Do(req)
		refused(name, err, "HTTPClient")
		assert.True(t, closed.closed)
		_, err = c.Do(&http.Request{})
		refused(name, err, "HTTPClient")
	}
	_, err := NewHTTPClient(nil).Do(nil)
	refused("nil request", err, "req")
	_, err = NewHTTPClient(nil).Do(&http.Request{})
	assert.Error(t, err)
	var nilStd *http.Client
	var nilFunc clientFunc
	for _, c := range []aws.HTTPClient{nil, nilStd, nilFunc, nilHTTP} {
		assert.NotPanics(t, func() {
			req, cancel := canceled(body())
			defer cancel()
			_, err := NewHTTPClient(c).Do(req)
			assert.ErrorIs(t, err, context.Canceled)
		})
	}
	assert.NoError(t, Translate(nil))
	for _, err := range typedNils() {
		assert.NotPanics(t, func() { assert.Equal(t, err, Translate(err)) })
	}
}

func canceled(req *http.Request) (*http.Request, context.CancelFunc) {
	ctx, cancel := context.WithCancel(req.Context())
	cancel()
	return req.WithContext(ctx), cancel
}
