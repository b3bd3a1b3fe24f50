package inqaws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
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
	"example.com/inq/sqsapi"
)

func TestQueue_DeliversAllThatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := standard(t, newBroker(t), "q", inq.WithSenderID("AIDAME"))
		m := inq.Message{
			Body:        "<body> & \"ü\" \U0001F600\n",
			GroupID:     "tenant",
			TraceHeader: "Root=1-5759e988-bd862e3fe1be46a994272793",
			SenderID:    "is not sent",
			Attributes: map[string]inq.Attribute{
				"text": inq.String("a\tb"), "number": inq.Number("1.50"), "bytes": inq.Binary([]byte{0, 255, 1}),
				"labelled": {Type: "Binary.png", Binary: []byte("x")}, "n.float": {Type: "Number.float", Value: "-0.1"},
			},
		}
		for i := range 5 {
			m.Attributes[fmt.Sprint("more", i)] = inq.String("v")
		}
		time.Sleep(1234 * time.Millisecond)
		sentAt := time.Now()
		sent, err := q.Send(t.Context(), m)
		require.NoError(t, err)
		assert.Regexp(t, `^[0-9a-f-]{36}$`, sent.ID())
		assert.Empty(t, sent.SequenceNumber())
		assert.False(t, sent.Duplicate())
		time.Sleep(time.Second)

		ds, err := q.Receive(t.Context(), inq.ReceiveInput{VisibilityTimeout: 10 * time.Second})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		d := &ds[0]
		assert.Equal(t, sent.ID(), d.ID())
		assert.Equal(t, m.Body, d.Body)
		assert.Equal(t, m.Attributes, d.Attributes())
		assert.Equal(t, m.TraceHeader, d.TraceHeader())
		assert.Equal(t, "tenant", d.GroupID)
		assert.Equal(t, "AIDAME", d.SenderID())
		assert.Equal(t, 1, d.ReceiveCount)
		assert.True(t, sentAt.Equal(d.SentAt()), d.SentAt())
		assert.True(t, time.Now().Equal(d.FirstReceivedAt()))
		assert.True(t, time.Now().Add(10*time.Second).Equal(d.VisibleAt()))
		assert.Empty(t, d.SequenceNumber()+d.DeduplicationID()+d.DeadLetterSourceARN())

		// A program that sends on what it received does not trip over the sender.
		require.NoError(t, d.Delete(t.Context()))
		_, err = q.Send(t.Context(), d.Message())
		require.NoError(t, err)
		d = &receive(t, q)[0]
		assert.Equal(t, m.Attributes, d.Attributes())
		assert.Equal(t, 1, d.ReceiveCount)
		assert.True(t, d.VisibleAt().IsZero(), "the queue's own timeout is not known")
	})
}

func TestQueue_ABareMessageHasNothingMore(t *testing.T) {
	_, q := standard(t, newBroker(t), "q")
	send(t, q, "a")
	d := receive(t, q)[0]
	assert.Nil(t, d.Attributes())
	assert.Empty(t, d.GroupID+d.TraceHeader())
}

func TestQueue_NameIsTheEndOfTheURL(t *testing.T) {
	for url, want := range map[string]string{
		"https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo": "orders.fifo",
		"http://localhost:9324/000000000000/jobs":                         "jobs",
		"http://localhost:9324/queue/jobs/":                               "jobs",
		"http://localhost:9324/000000000000/jobs.fifo?Action=x/y#/z":      "jobs.fifo",
		"http://localhost:9324/000000000000/jobs.fifo/#z":                 "jobs.fifo",
		"jobs": "jobs",
		"":     "",
	} {
		q := NewQueue(nil, url)
		assert.Equal(t, want, q.Name())
		assert.Equal(t, url, q.URL())
		assert.Equal(t, strings.HasSuffix(want, ".fifo"), q.fifo)
	}
}

// everyCall has all methods that take a ctx.
func everyCall(ctx context.Context, q inq.Queue) map[string]error {
	calls := map[string]error{}
	_, calls["Send"] = q.Send(ctx, inq.Message{Body: "a"})
	_, calls["SendBatch"] = q.SendBatch(ctx, []inq.Message{{Body: "a"}})
	_, calls["Receive"] = q.Receive(ctx, inq.ReceiveInput{})
	calls["Delete"] = q.Delete(ctx, "h")
	calls["DeleteBatch"] = q.DeleteBatch(ctx, []string{"h"})
	calls["ChangeVisibility"] = q.ChangeVisibility(ctx, "h", 0)
	calls["ChangeVisibilityBatch"] = q.ChangeVisibilityBatch(ctx, []inq.VisibilityChange{{ReceiptHandle: "h"}})
	calls["Purge"] = q.Purge(ctx)
	_, calls["Counts"] = q.Counts(ctx)
	return calls
}

func TestQueue_RefusesANilAndAnEndedContextAndDoesNothing(t *testing.T) {
	q := NewQueue(struct{ API }{}, "q") // a call would panic
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), -1)
	defer cancel()
	var none context.Context
	for name, err := range everyCall(none, q) {
		var p *inq.ParamError
		require.ErrorAs(t, err, &p, name)
		assert.Equal(t, inq.ParamError{Err: inq.ErrMissingParameter, Param: "ctx", Reason: "must not be nil"}, *p, name)
	}
	for name, err := range everyCall(ended, q) {
		assert.Equal(t, context.Canceled, err, name)
	}
	for name, err := range everyCall(late, q) {
		assert.Equal(t, context.DeadlineExceeded, err, name)
	}
}

func TestQueue_RefusesToWorkWithoutAClient(t *testing.T) {
	for _, q := range []*Queue{NewQueue(nil, "q"), {}} {
		for name, err := range everyCall(t.Context(), q) {
			var p *inq.ParamError
			require.ErrorAs(t, err, &p, name)
			assert.Equal(t, inq.ParamError{Err: inq.ErrMissingParameter, Param: "client", Reason: "must not be nil"}, *p, name)
		}
	}
}

func TestQueue_GivesTheBareErrorOfAContextThatEndsDuringACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := standard(t, newBroker(t), "q")
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		_, err := q.Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second})
		assert.Equal(t, context.Canceled, err)
		assert.Equal(t, 3*time.Second, time.Since(began))
		ctx, cancel = context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err = q.Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second})
		assert.Equal(t, context.DeadlineExceeded, err)
		assert.Equal(t, 5*time.Second, time.Since(began))
		send(t, q, "a")
		assert.Equal(t, 1, receive(t, q)[0].ReceiveCount, "nobody had it")

		// Every method, over a client that waits until the context ends.
		w := &wire{next: clientFunc(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, fmt.Errorf("torn: %w", req.Context().Err())
		})}
		stuck := NewQueue(NewClient(newBroker(t), func(o *sqs.Options) { o.HTTPClient = w }), "http://sqs.invalid/1/q")
		for i := range len(everyCall(ctx, q)) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			for name, err := range everyCall(ctx, stuck) {
				assert.Equal(t, context.DeadlineExceeded, err, name)
			}
			assert.Len(t, w.bodies, i+1, "only the first call was sent")
			cancel()
		}
	})
}

type clientFunc func(*http.Request) (*http.Response, error)

func (f clientFunc) Do(req *http.Request) (*http.Response, error) { return f(req) }

func TestQueue_AnAnswerBeatsTheEndOfTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := NewClient(newBroker(t), func(o *sqs.Options) {
		o.HTTPClient = clientFunc(func(req *http.Request) (*http.Response, error) {
			cancel()
			return answer(req, 400, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no"}`, ""), nil
		})
	})
	assert.ErrorIs(t, NewQueue(client, "q").Purge(ctx), inq.ErrQueueDoesNotExist)
}

func TestQueue_ALongPollEndsAtTheInstantOfTheSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		local, q := standard(t, newBroker(t), "q")
		began := time.Now()
		time.AfterFunc(7*time.Second+1, func() { _, _ = local.Send(t.Context(), inq.Message{Body: "a"}) })
		ds, err := q.Receive(t.Context(), inq.ReceiveInput{Wait: 20 * time.Second})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		assert.Equal(t, 7*time.Second+1, time.Since(began))
	})
}

func TestQueue_WorksAsASourceOfDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := standard(t, newBroker(t), "q")
		send(t, q, "a", "b", "c")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		var bodies []string
		var last error
		for d, err := range inq.Deliveries(ctx, q, inq.ReceiveInput{Max: 10, VisibilityTimeout: 30 * time.Second}) {
			if err != nil {
				last = err
				continue
			}
			bodies = append(bodies, d.Body)
			switch {
			case d.Body == "c" && d.ReceiveCount == 1:
				require.NoError(t, d.Return(ctx, 5*time.Second))
			case d.Body == "b" && d.ReceiveCount == 1:
				require.NoError(t, d.ChangeVisibility(ctx, 10*time.Second))
			default:
				require.NoError(t, d.Delete(ctx))
			}
		}
		assert.Equal(t, []string{"a", "b", "c", "c", "b"}, bodies)
		assert.Equal(t, context.Canceled, last)
		c, err := q.Counts(t.Context())
		require.NoError(t, err)
		assert.Equal(t, inq.Counts{}, c)
		send(t, q, "d")
		d := receive(t, q)[0]
		err = d.Bury(t.Context(), "why")
		assert.ErrorIs(t, err, inq.ErrNoDeadLetterTarget)
		assert.ErrorIs(t, err, errors.ErrUnsupported)
		assert.ErrorContains(t, err, "*inqaws.Queue has no Bury")
	})
}

func TestQueue_FIFO18_DeduplicatesAndNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := fifo(t, newBroker(t), "q.fifo")
		ctx := t.Context()
		first, err := q.Send(ctx, inq.Message{Body: "a", GroupID: "g", DeduplicationID: "1"})
		require.NoError(t, err)
		assert.Regexp(t, `^\d{20}$`, first.SequenceNumber())
		again, err := q.Send(ctx, inq.Message{Body: "a", GroupID: "g", DeduplicationID: "1"})
		require.NoError(t, err)
		assert.Equal(t, first.ID(), again.ID())
		assert.Equal(t, first.SequenceNumber(), again.SequenceNumber())
		assert.False(t, again.Duplicate(), "SQS does not tell")
		batch, err := q.SendBatch(ctx, []inq.Message{
			{Body: "b", GroupID: "g", DeduplicationID: "2"}, {Body: "c", GroupID: "h", DeduplicationID: "3"}})
		require.NoError(t, err)
		assert.Less(t, first.SequenceNumber(), batch[0].SequenceNumber())
		assert.Less(t, batch[0].SequenceNumber(), batch[1].SequenceNumber())

		attempt := inq.ReceiveInput{Max: 10, Wait: inq.Zero, AttemptID: "try"}
		ds, err := q.Receive(ctx, attempt)
		require.NoError(t, err)
		require.Len(t, ds, 3)
		assert.Equal(t, first.SequenceNumber(), ds[0].SequenceNumber())
		assert.Equal(t, "1", ds[0].DeduplicationID())
		assert.Equal(t, "g", ds[0].GroupID)
		repeated, err := q.Receive(ctx, attempt)
		require.NoError(t, err)
		require.Len(t, repeated, 3)
		assert.Equal(t, ds[2].ReceiptHandle(), repeated[2].ReceiptHandle())
		for i := range ds {
			require.NoError(t, ds[i].Delete(ctx))
		}

		time.Sleep(5 * time.Minute)
		later, err := q.Send(ctx, inq.Message{Body: "a", GroupID: "g", DeduplicationID: "1"})
		require.NoError(t, err)
		assert.NotEqual(t, first.ID(), later.ID())
	})
}

func TestQueue_RCV16_StandardIgnoresTheAttemptID(t *testing.T) {
	w := new(wire)
	client := NewClient(newBroker(t), func(o *sqs.Options) { o.HTTPClient = w })
	_, err := NewQueue(client, "q").Receive(t.Context(), inq.ReceiveInput{AttemptID: "try"})
	require.NoError(t, err)
	assert.NotContains(t, w.last(), "ReceiveRequestAttemptId")
	_, err = NewQueue(client, "q.fifo").Receive(t.Context(), inq.ReceiveInput{AttemptID: "try"})
	require.NoError(t, err)
	assert.Equal(t, "try", w.last()["ReceiveRequestAttemptId"])
}

func TestQueue_DLQ5_TellsWhereADeadLetterCameFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t, inq.WithRegion("eu-west-1"), inq.WithAccount("123456789012"))
		dead, deadQueue := standard(t, b, "dead")
		source, q := standard(t, b, "q", inq.WithDeadLetter(dead, 1), inq.WithVisibilityTimeout(time.Second))
		send(t, q, "a")
		id := receive(t, q)[0].ID()
		time.Sleep(time.Second)
		assert.Empty(t, receive(t, q))
		d := receive(t, deadQueue)[0]
		assert.Equal(t, id, d.ID())
		assert.Equal(t, source.ARN(), d.DeadLetterSourceARN())
		assert.Equal(t, "arn:aws:sqs:eu-west-1:123456789012:q", d.DeadLetterSourceARN())
		assert.Equal(t, 2, d.ReceiveCount)
	})
}

func TestQueue_PurgesAndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := standard(t, newBroker(t), "q")
		send(t, q, "a", "b", "c")
		_, err := q.Send(t.Context(), inq.Message{Body: "d", Delay: time.Minute})
		require.NoError(t, err)
		_, err = q.Receive(t.Context(), inq.ReceiveInput{Max: 2})
		require.NoError(t, err)
		c, err := q.Counts(t.Context())
		require.NoError(t, err)
		assert.Equal(t, inq.Counts{Visible: 1, NotVisible: 2, Delayed: 1}, c)
		require.NoError(t, q.Purge(t.Context()))
		c, err = q.Counts(t.Context())
		require.NoError(t, err)
		assert.Equal(t, inq.Counts{}, c)
		assert.ErrorIs(t, q.Purge(t.Context()), inq.ErrPurgeInProgress)
		time.Sleep(time.Minute)
		assert.NoError(t, q.Purge(t.Context()))
	})
}

func TestQueue_CountsThatAreNoNumbersAreAnError(t *testing.T) {
	client := NewClient(newBroker(t), func(o *sqs.Options) { o.HTTPClient = new(wire) })
	_, err := NewQueue(client, "http://host/1/jobs").Counts(t.Context())
	assert.ErrorContains(t, err, "inqaws: attribute ApproximateNumberOfMessages of queue jobs: ")
}

func TestQueue_BatchesFailByEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := standard(t, newBroker(t), "q", inq.WithMaxMessageSize(1024))
		ctx := t.Context()
		sent, err := q.SendBatch(ctx, []inq.Message{
			{Body: "a"},
			{Body: ""},
			{Body: "b", Delay: time.Hour},
			{Body: "c", Delay: -1},
			{Body: "\x00"},
			{Body: "d", Attributes: map[string]inq.Attribute{"n": inq.Number("many")}},
			{Body: strings.Repeat("e", 1025)},
			{Body: "f", DeduplicationID: "1"},
			{Body: "g", Delay: inq.Forever},
			{Body: "h"},
		})
		var batch *inq.BatchError
		require.ErrorAs(t, err, &batch)
		require.Len(t, batch.Failed, 8)
		for i, want := range []error{inq.ErrMissingParameter, inq.ErrInvalidParameter, inq.ErrInvalidParameter,
			inq.ErrInvalidMessageContents, inq.ErrInvalidParameter, inq.ErrInvalidParameter, inq.ErrInvalidParameter, inq.ErrInvalidParameter} {
			assert.Equal(t, i+1, batch.Failed[i].Index)
			assert.ErrorIs(t, batch.Failed[i].Err, want, i)
			assert.Empty(t, sent[i+1].ID())
		}
		var p *inq.ParamError
		require.ErrorAs(t, batch.Failed[1].Err, &p)
		assert.Equal(t, "DelaySeconds", p.Param)
		assert.Equal(t, "3600", p.Value)

		ds := receive(t, q)
		require.Len(t, ds, 2)
		assert.Equal(t, []string{sent[0].ID(), sent[9].ID()}, []string{ds[0].ID(), ds[1].ID()})

		err = q.ChangeVisibilityBatch(ctx, []inq.VisibilityChange{
			{ReceiptHandle: "no handle"}, {ReceiptHandle: ds[0].ReceiptHandle(), Timeout: 13 * time.Hour}, {ReceiptHandle: ds[1].ReceiptHandle()}, {ReceiptHandle: ds[0].ReceiptHandle(), Timeout: -1}})
		require.ErrorAs(t, err, &batch)
		require.Len(t, batch.Failed, 3)
		assert.Equal(t, []int{0, 1, 3}, []int{batch.Failed[0].Index, batch.Failed[1].Index, batch.Failed[2].Index})
		assert.ErrorIs(t, batch.Failed[0].Err, inq.ErrReceiptHandleInvalid)
		assert.ErrorIs(t, batch.Failed[1].Err, inq.ErrInvalidParameter)

		err = q.DeleteBatch(ctx, []string{ds[0].ReceiptHandle(), "no handle", ds[1].ReceiptHandle()})
		require.ErrorAs(t, err, &batch)
		require.Len(t, batch.Failed, 1)
		assert.Equal(t, 1, batch.Failed[0].Index)
		assert.ErrorIs(t, err, inq.ErrReceiptHandleInvalid)
		assert.NoError(t, q.DeleteBatch(ctx, []string{ds[0].ReceiptHandle()}), "it is gone")
	})
}

// patchy answers batches by a fixed text.
type patchy struct {
	API
	out *sqs.SendMessageBatchOutput
}

func (p patchy) SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	return p.out, nil
}

func TestQueue_AnEntryWithoutAnAnswerFailed(t *testing.T) {
	for i, fault := range []smithy.ErrorFault{smithy.FaultClient, smithy.FaultServer} {
		q := NewQueue(patchy{out: &sqs.SendMessageBatchOutput{
			Successful: []types.SendMessageBatchResultEntry{
				{Id: aws.String("2"), MessageId: aws.String("m")}, {Id: aws.String("3")}, {Id: aws.String("-1")}, {Id: aws.String("x")}, {}},
			Failed: []types.BatchResultErrorEntry{
				{Id: aws.String("2"), Code: aws.String("OverLimit")}, {Id: aws.String("7")}, {Id: aws.String("1"), Code: aws.String("InternalError"), SenderFault: i == 0}},
		}}, "q")
		sent, err := q.SendBatch(t.Context(), make([]inq.Message, 3))
		var batch *inq.BatchError
		require.ErrorAs(t, err, &batch)
		require.Len(t, batch.Failed, 2)
		assert.Equal(t, inq.BatchFailure{Index: 0, Err: errNotAnswered}, batch.Failed[0])
		assert.Equal(t, 1, batch.Failed[1].Index)
		assert.ErrorIs(t, batch.Failed[1].Err, inq.ErrUnavailable)
		assert.EqualError(t, batch.Failed[1].Err, "inq: service is unavailable: api error InternalError: ")
		var api smithy.APIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, fault, api.ErrorFault())
		assert.Equal(t, "m", sent[2].ID())
	}
}

func TestQueue_GivesTheBareErrorOverASocketToo(t *testing.T) {
	b := newBroker(t)
	_, err := b.CreateStandard("q")
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	h := sqsapi.NewHandler(b, sqsapi.Options{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cancel(errors.New("not this one"))
		h.ServeHTTP(w, r)
	}))
	defer server.Close()
	q := NewQueue(NewClient(b, func(o *sqs.Options) {
		o.BaseEndpoint = &server.URL
		o.HTTPClient, o.Retryer = NewHTTPClient(server.Client()), retry.NewStandard()
	}), b.QueueURL(server.URL, "q"))
	_, err = q.Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second})
	assert.Equal(t, context.Canceled, err)
}

// A body that only the process can send is received as text, with a digest that the SDK, which checks
// it, does not take for damage.
func TestQueue_ReceivesABinaryBodyAsText(t *testing.T) {
	b := newBroker(t)
	local, remote := standard(t, b, "q", inq.WithoutSQSLimits())
	for _, body := range []string{"", "\x00\xff", "text"} {
		_, err := local.Send(t.Context(), inq.Message{Body: body})
		require.NoError(t, err)
	}
	ds, err := remote.Receive(t.Context(), inq.ReceiveInput{Max: 10})
	require.NoError(t, err)
	require.Len(t, ds, 3)
	assert.Equal(t, []string{"", "\uFFFD\uFFFD", "text"}, []string{ds[0].Body, ds[1].Body, ds[2].Body})
	_, err = remote.Send(t.Context(), inq.Message{})
	assert.ErrorIs(t, err, inq.ErrMissingParameter)
	_, err = remote.Send(t.Context(), inq.Message{Body: "\x00"})
	assert.ErrorIs(t, err, inq.ErrInvalidMessageContents)
}
