package inqaws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestSeconds_RoundsUpAndKeepsWhatIsRefusedOutOfRange(t *testing.T) {
	for d, want := range map[time.Duration]int32{
		0:                                 0,
		inq.Zero:                          0,
		1:                                 1,
		time.Second:                       1,
		time.Second + 1:                   2,
		12 * time.Hour:                    43200,
		-1:                                -1,
		-time.Hour:                        -1,
		inq.Zero + 1:                      -1,
		inq.Forever:                       math.MaxInt32,
		math.MaxInt32 * time.Second:       math.MaxInt32,
		math.MaxInt32*time.Second + 1:     math.MaxInt32,
		(math.MaxInt32 - 1) * time.Second: math.MaxInt32 - 1,
	} {
		assert.Equal(t, want, seconds(d), "%d", d)
	}
}

// The numbers that a call leaves out are the queue's own, and those of an explicit zero are there.
func TestZero_IsAZeroOnTheWire(t *testing.T) {
	w := new(wire)
	b := newBroker(t)
	_, err := b.CreateStandard("q")
	require.NoError(t, err)
	_, err = b.CreateFIFO("q.fifo", inq.WithContentBasedDeduplication(true))
	require.NoError(t, err)
	client := NewClient(b, through(w))
	q := NewQueue(client, b.QueueURL(DefaultEndpoint, "q"))
	f := NewQueue(client, b.QueueURL(DefaultEndpoint, "q.fifo"))
	ctx := t.Context()

	for _, c := range []struct {
		in   inq.ReceiveInput
		want map[string]any
	}{
		{inq.ReceiveInput{}, map[string]any{}},
		{inq.ReceiveInput{Wait: inq.Zero}, map[string]any{"WaitTimeSeconds": 0.0}},
		{inq.ReceiveInput{VisibilityTimeout: inq.Zero}, map[string]any{"VisibilityTimeout": 0.0}},
		{inq.ReceiveInput{Wait: inq.Zero, VisibilityTimeout: inq.Zero}, map[string]any{"WaitTimeSeconds": 0.0, "VisibilityTimeout": 0.0}},
		{inq.ReceiveInput{Wait: inq.Zero, VisibilityTimeout: 1, Max: 10}, map[string]any{"WaitTimeSeconds": 0.0, "VisibilityTimeout": 1.0, "MaxNumberOfMessages": 10.0}},
	} {
		_, err := q.Receive(ctx, c.in)
		require.NoError(t, err)
		c.want["MessageAttributeNames"], c.want["MessageSystemAttributeNames"] = []any{"All"}, []any{"All"}
		assert.Equal(t, c.want, w.last())
	}

	for delay, want := range map[time.Duration]map[string]any{
		0:                 {"MessageBody": "a"},
		inq.Zero:          {"MessageBody": "a", "DelaySeconds": 0.0},
		time.Millisecond:  {"MessageBody": "a", "DelaySeconds": 1.0},
		900 * time.Second: {"MessageBody": "a", "DelaySeconds": 900.0},
	} {
		_, err := q.Send(ctx, inq.Message{Body: "a", Delay: delay})
		require.NoError(t, err)
		assert.Equal(t, want, w.last())
	}

	_, err = q.SendBatch(ctx, []inq.Message{{Body: "a"}, {Body: "b", Delay: inq.Zero}, {Body: "c", Delay: 2 * time.Second}})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"Entries": []any{
		map[string]any{"Id": "0", "MessageBody": "a"},
		map[string]any{"Id": "1", "MessageBody": "b", "DelaySeconds": 0.0},
		map[string]any{"Id": "2", "MessageBody": "c", "DelaySeconds": 2.0},
	}}, w.last())

	// A FIFO queue refuses a delay of a single message, and takes Zero for its own.
	_, err = f.Send(ctx, inq.Message{Body: "a", GroupID: "g", Delay: inq.Zero})
	require.NoError(t, err)
	assert.NotContains(t, w.last(), "DelaySeconds")
	_, err = f.SendBatch(ctx, []inq.Message{{Body: "b", GroupID: "g", Delay: inq.Zero}})
	require.NoError(t, err)
	assert.NotContains(t, w.last()["Entries"].([]any)[0], "DelaySeconds")

	d := receive(t, f)[0]
	for _, timeout := range []time.Duration{0, inq.Zero} {
		require.NoError(t, q.ChangeVisibility(ctx, receive(t, q)[0].ReceiptHandle(), timeout))
		assert.Equal(t, 0.0, w.last()["VisibilityTimeout"])
		require.NoError(t, f.ChangeVisibilityBatch(ctx, []inq.VisibilityChange{{ReceiptHandle: d.ReceiptHandle(), Timeout: timeout}}))
		assert.Equal(t, 0.0, w.last()["Entries"].([]any)[0].(map[string]any)["VisibilityTimeout"])
		d = receive(t, f)[0]
	}
}

// retriedOnce answers the first request with a status of 500, and checks what each is signed over.
type retriedOnce struct {
	t    *testing.T
	wire *wire
	hash string
}

func (r *retriedOnce) SignHTTP(_ context.Context, _ aws.Credentials, _ *http.Request, hash, _, _ string, _ time.Time, _ ...func(*v4.SignerOptions)) error {
	r.hash = hash
	return nil
}

func (r *retriedOnce) Do(req *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(req.Body)
	assert.NoError(r.t, err)
	assert.Equal(r.t, fmt.Sprintf("%x", sha256.Sum256(text)), r.hash)
	assert.Equal(r.t, int64(len(text)), req.ContentLength)
	req.Body = io.NopCloser(bytes.NewReader(text))
	resp, err := r.wire.Do(req)
	if len(r.wire.bodies) == 1 {
		resp = answer(req, http.StatusInternalServerError, "{}", "")
	}
	return resp, err
}

func TestZero_IsInEveryAttemptOfACallAndSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &retriedOnce{t: t, wire: new(wire)}
		q := NewQueue(NewClient(newBroker(t), func(o *sqs.Options) {
			o.HTTPClient, o.HTTPSignerV4, o.Retryer = r, r, retry.NewStandard()
		}), "q")
		_, err := q.Receive(t.Context(), inq.ReceiveInput{Wait: inq.Zero})
		require.NoError(t, err)
		require.Len(t, r.wire.bodies, 2)
		assert.Equal(t, 0.0, r.wire.bodies[0]["WaitTimeSeconds"])
		assert.Equal(t, r.wire.bodies[0], r.wire.bodies[1])
	})
}

// replacing is middleware of a client that puts another input in the place of the one it finds, as
// those do that add the context of a trace.
func replacing(input func(found any) any) func(*sqs.Options) {
	return func(o *sqs.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("replacing",
				func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
					middleware.InitializeOutput, middleware.Metadata, error) {

					in.Parameters = input(in.Parameters)
					return next.HandleInitialize(ctx, in)
				}), middleware.After)
		})
	}
}

func TestZero_KeepsWhatMiddlewareHasMadeOfTheInput(t *testing.T) {
	traced := map[string]types.MessageAttributeValue{"trace": {DataType: aws.String("String"), StringValue: aws.String("t")}}
	w := new(wire)
	q := NewQueue(NewClient(newBroker(t), func(o *sqs.Options) { o.HTTPClient = w }, replacing(func(found any) any {
		switch in := found.(type) {
		case *sqs.SendMessageInput:
			other := *in
			other.MessageAttributes = traced
			return &other
		case *sqs.SendMessageBatchInput:
			other := *in
			other.Entries = slices.Clone(in.Entries)
			slices.Reverse(other.Entries)
			return &other
		case *sqs.ReceiveMessageInput:
			other := *in
			other.MaxNumberOfMessages = 7
			return &other
		}
		return found
	})), "q")
	_, err := q.Send(t.Context(), inq.Message{Body: "a", Delay: inq.Zero})
	require.NoError(t, err)
	assert.Equal(t, 0.0, w.last()["DelaySeconds"])
	assert.Contains(t, w.last()["MessageAttributes"], "trace")

	_, _ = q.SendBatch(t.Context(), []inq.Message{{Body: "a"}, {Body: "b", Delay: inq.Zero}, {Body: "c"}})
	assert.Equal(t, map[string]any{"Entries": []any{
		map[string]any{"Id": "2", "MessageBody": "c"},
		map[string]any{"Id": "1", "MessageBody": "b", "DelaySeconds": 0.0},
		map[string]any{"Id": "0", "MessageBody": "a"},
	}}, w.last())

	_, err = q.Receive(t.Context(), inq.ReceiveInput{Wait: inq.Zero})
	require.NoError(t, err)
	assert.Equal(t, 0.0, w.last()["WaitTimeSeconds"])
	assert.Equal(t, 7.0, w.last()["MaxNumberOfMessages"])
}

func TestZero_IsNotLostWhereTheInputIsOfAnotherType(t *testing.T) {
	w := new(wire)
	q := NewQueue(NewClient(newBroker(t), func(o *sqs.Options) { o.HTTPClient = w },
		func(o *sqs.Options) { o.DisableMessageChecksumValidation = true },
		replacing(func(found any) any { return struct{ any }{found} })), "q")
	_, err := q.Send(t.Context(), inq.Message{Body: "a", Delay: inq.Zero})
	assert.ErrorContains(t, err, "inqaws: middleware has made a struct { interface {} } of the input of a call")
	assert.Empty(t, w.bodies)
}

// The same as at the top, seen by what the queue does: its own settings are not zero.
func TestZero_OverridesTheQueuesOwnSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := standard(t, newBroker(t), "q", inq.WithDelay(60*time.Second), inq.WithReceiveWait(20*time.Second), inq.WithVisibilityTimeout(time.Hour))
		ctx, began := t.Context(), time.Now()
		ds, err := q.Receive(ctx, inq.ReceiveInput{Wait: inq.Zero})
		require.NoError(t, err)
		assert.Empty(t, ds)
		assert.Zero(t, time.Since(began), "a short poll")
		_, err = q.Receive(ctx, inq.ReceiveInput{})
		require.NoError(t, err)
		assert.Equal(t, 20*time.Second, time.Since(began), "the queue's own wait")

		send(t, q, "late")
		_, err = q.Send(ctx, inq.Message{Body: "now", Delay: inq.Zero})
		require.NoError(t, err)
		_, err = q.SendBatch(ctx, []inq.Message{{Body: "late too"}, {Body: "now too", Delay: inq.Zero}})
		require.NoError(t, err)
		counts, err := q.Counts(ctx)
		require.NoError(t, err)
		assert.Equal(t, inq.Counts{Visible: 2, Delayed: 2}, counts)

		for range 3 {
			ds, err = q.Receive(ctx, inq.ReceiveInput{Wait: inq.Zero, VisibilityTimeout: inq.Zero, Max: 10})
			require.NoError(t, err)
			assert.Len(t, ds, 2, "they stay visible")
		}
	})
}

func TestRoundingUp_GivesNeverLessThanWasAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := standard(t, newBroker(t), "q")
		ctx, began := t.Context(), time.Now()
		_, err := q.Send(ctx, inq.Message{Body: "a", Delay: 1500 * time.Millisecond})
		require.NoError(t, err)
		ds, err := q.Receive(ctx, inq.ReceiveInput{Wait: 2500 * time.Millisecond, VisibilityTimeout: 100 * time.Millisecond})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		assert.Equal(t, 2*time.Second, time.Since(began))
		require.NoError(t, ds[0].ChangeVisibility(ctx, 2001*time.Millisecond))
		ds, err = q.Receive(ctx, inq.ReceiveInput{Wait: 3 * time.Second})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		assert.Equal(t, 5*time.Second, time.Since(began))
		ds, err = q.Receive(ctx, inq.ReceiveInput{Wait: 1})
		require.NoError(t, err)
		assert.Empty(t, ds)
		assert.Equal(t, 6*time.Second, time.Since(began))
	})
}

// A member that a newer SDK adds would be left out of batches with an explicit zero.
func TestExplicitZeros_ABatchHasNoMembersButTheTwoThatAreWritten(t *testing.T) {
	var members []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[sqs.SendMessageBatchInput]()) {
		if f.IsExported() {
			members = append(members, f.Name)
		}
	}
	assert.ElementsMatch(t, []string{"Entries", "QueueUrl"}, members)
}
