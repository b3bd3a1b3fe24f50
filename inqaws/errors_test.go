package inqaws

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// Every sentinel that SQS has a code for, by the answer that means it: the shape, and the code of
// the Query protocol, which the SDK shows where the answer has one.
func TestErrors_EveryCodeFindsItsSentinelAndKeepsTheSDKsType(t *testing.T) {
	const (
		sqsShape, framework = "com.amazonaws.sqs#", "com.amazon.coral.service#"
		invalid             = framework + "InvalidParameterValueException"
		handle              = "Value h for parameter ReceiptHandle is invalid. Reason: "
	)
	for _, c := range []struct {
		shape, query, message string
		want                  error
		sdk                   any // pointer to a pointer to the SDK's type
	}{
		{sqsShape + "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender", "The specified queue does not exist.", inq.ErrQueueDoesNotExist, new(*types.QueueDoesNotExist)},
		{sqsShape + "ResourceNotFoundException", "ResourceNotFoundException;Sender", "x", inq.ErrQueueDoesNotExist, new(*types.ResourceNotFoundException)},
		{sqsShape + "QueueNameExists", "QueueAlreadyExists;Sender", "x", inq.ErrQueueExists, new(*types.QueueNameExists)},
		{sqsShape + "QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently;Sender", "x", inq.ErrQueueDeletedRecently, new(*types.QueueDeletedRecently)},
		{sqsShape + "PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress;Sender", "x", inq.ErrPurgeInProgress, new(*types.PurgeQueueInProgress)},
		{sqsShape + "OverLimit", "OverLimit;Sender", "x", inq.ErrOverLimit, new(*types.OverLimit)},
		{invalid, "InvalidParameterValue;Sender", "x", inq.ErrInvalidParameter, new(*smithy.GenericAPIError)},
		{invalid, "InvalidParameterValue;Sender", handle + "The receipt handle has expired.", inq.ErrReceiptHandleExpired, new(*inq.ParamError)},
		{invalid, "InvalidParameterValue;Sender", "Value a for parameter ReceiveRequestAttemptId is invalid. Reason: The receiveRequestAttemptId is not valid anymore since the receive call is not retryable.", inq.ErrAttemptNotRetryable, new(*inq.ParamError)},
		{invalid, "InvalidParameterValue;Sender", handle + "Message does not exist or is not available for visibility timeout change.", inq.ErrNotInFlight, new(*inq.ParamError)},
		{invalid, "InvalidParameterValue;Sender", "Source queue must be configured as a Dead Letter Queue.", inq.ErrNotDeadLetterQueue, new(*smithy.GenericAPIError)},
		{invalid, "InvalidParameterValue;Sender", "There is already a task running.", inq.ErrTaskRunning, new(*smithy.GenericAPIError)},
		{framework + "MissingRequiredParameterException", "MissingParameter;Sender", "The request must contain the parameter MessageBody.", inq.ErrMissingParameter, new(*inq.ParamError)},
		{sqsShape + "InvalidMessageContents", "InvalidMessageContents;Sender", "x", inq.ErrInvalidMessageContents, new(*types.InvalidMessageContents)},
		{sqsShape + "InvalidAttributeName", "InvalidAttributeName;Sender", "x", inq.ErrInvalidAttributeName, new(*types.InvalidAttributeName)},
		{sqsShape + "InvalidAttributeValue", "InvalidAttributeValue;Sender", "x", inq.ErrInvalidAttributeValue, new(*types.InvalidAttributeValue)},
		{sqsShape + "EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest;Sender", "x", inq.ErrEmptyBatch, new(*types.EmptyBatchRequest)},
		{sqsShape + "TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest;Sender", "x", inq.ErrTooManyEntries, new(*types.TooManyEntriesInBatchRequest)},
		{sqsShape + "BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong;Sender", "x", inq.ErrBatchTooLong, new(*types.BatchRequestTooLong)},
		{sqsShape + "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid;Sender", "x", inq.ErrReceiptHandleInvalid, new(*types.ReceiptHandleIsInvalid)},
		{sqsShape + "InvalidIdFormat", "InvalidIdFormat;Sender", "", inq.ErrReceiptHandleInvalid, new(*types.InvalidIdFormat)},
		{sqsShape + "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid;Sender", "The receipt handle has expired", inq.ErrReceiptHandleExpired, new(*types.ReceiptHandleIsInvalid)},
		{sqsShape + "RequestThrottled", "RequestThrottled;Sender", "x", inq.ErrThrottled, new(*types.RequestThrottled)},
		{framework + "ThrottlingException", "Throttling;Sender", "x", inq.ErrThrottled, new(*smithy.GenericAPIError)},
		{sqsShape + "KmsThrottled", "KMS.ThrottlingException;Sender", "x", inq.ErrThrottled, new(*types.KmsThrottled)},
		{framework + "InternalFailure", "InternalFailure;Receiver", "x", inq.ErrUnavailable, new(*smithy.GenericAPIError)},
		{framework + "ServiceUnavailableException", "ServiceUnavailable;Receiver", "x", inq.ErrUnavailable, new(*smithy.GenericAPIError)},
		{invalid, "InvalidParameterValue;Sender", "The request must contain the parameter MessageGroupId.", inq.ErrInvalidParameter, new(*inq.ParamError)},
		{sqsShape + "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight;Sender", "x", inq.ErrNotInFlight, new(*types.MessageNotInflight)},
	} {
		for _, query := range []string{c.query, ""} {
			client := NewClient(newBroker(t), func(o *sqs.Options) {
				o.HTTPClient = clientFunc(func(req *http.Request) (*http.Response, error) {
					return answer(req, 400, `{"__type":"`+c.shape+`","message":"`+c.message+`"}`, query), nil
				})
			})
			err := NewQueue(client, "q").Purge(t.Context())
			require.ErrorIs(t, err, c.want, c.shape)
			for _, other := range sentinels {
				assert.Equal(t, other == c.want, errors.Is(err, other), "%v is %v", err, other)
			}
			require.ErrorAs(t, err, c.sdk)
			require.ErrorAs(t, err, new(smithy.APIError))
			require.ErrorAs(t, err, new(*smithy.OperationError))
			require.ErrorAs(t, err, new(*awshttp.ResponseError))
			assert.True(t, strings.HasPrefix(err.Error(), c.want.Error()+": operation error SQS: PurgeQueue, "), err)
			assert.ErrorContains(t, err, c.message)
		}
	}
}

func TestErrors_NameTheParameterWhereSQSDoes(t *testing.T) {
	_, q := standard(t, newBroker(t), "q")
	ctx := t.Context()
	for name, c := range map[string]struct {
		call func() error
		want inq.ParamError
	}{
		"Max over 10": {func() error { _, err := q.Receive(ctx, inq.ReceiveInput{Max: 11}); return err },
			inq.ParamError{Err: inq.ErrInvalidParameter, Param: "MaxNumberOfMessages", Value: "11", Reason: "Must be between 1 and 10, if provided."}},
		"Max below 0": {func() error { _, err := q.Receive(ctx, inq.ReceiveInput{Max: -5}); return err },
			inq.ParamError{Err: inq.ErrInvalidParameter, Param: "MaxNumberOfMessages", Value: "-1", Reason: "Must be between 1 and 10, if provided."}},
		"wait over 20 s": {func() error { _, err := q.Receive(ctx, inq.ReceiveInput{Wait: 20*time.Second + 1}); return err },
			inq.ParamError{Err: inq.ErrInvalidParameter, Param: "WaitTimeSeconds", Value: "21", Reason: "Must be >= 0 and <= 20, if provided."}},
		"wait below 0": {func() error { _, err := q.Receive(ctx, inq.ReceiveInput{Wait: -1}); return err },
			inq.ParamError{Err: inq.ErrInvalidParameter, Param: "WaitTimeSeconds", Value: "-1", Reason: "Must be >= 0 and <= 20, if provided."}},
		"timeout over 12 h": {func() error { _, err := q.Receive(ctx, inq.ReceiveInput{VisibilityTimeout: inq.Forever}); return err },
			inq.ParamError{Err: inq.ErrInvalidParameter, Param: "VisibilityTimeout", Value: "2147483647", Reason: "Must be >= 0 and <= 43200, if provided."}},
		"delay over 15 min": {func() error { _, err := q.Send(ctx, inq.Message{Body: "a", Delay: 901 * time.Second}); return err },
			inq.ParamError{Err: inq.ErrInvalidParameter, Param: "DelaySeconds", Value: "901", Reason: "DelaySeconds must be >= 0 and <= 900."}},
		"no body": {func() error { _, err := q.Send(ctx, inq.Message{}); return err },
			inq.ParamError{Err: inq.ErrMissingParameter, Param: "MessageBody"}},
	} {
		t.Run(name, func(t *testing.T) {
			var p *inq.ParamError
			require.ErrorAs(t, c.call(), &p)
			assert.Equal(t, c.want, *p)
		})
	}
	for text, want := range map[string]error{
		"Value x for parameter y is fine.":                       inq.ErrInvalidParameter,
		"Value of nothing":                                       inq.ErrInvalidParameter,
		"Value 1 for parameter P is invalid. Must be 2.":         &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "P", Value: "1", Reason: "Must be 2."},
		"The request must contain the parameter MessageGroupId.": &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "MessageGroupId"},
		"Value  for parameter P is invalid. Reason: Empty.":      &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "P", Value: "", Reason: "Empty."},
		"Value for parameter TaskHandle is invalid.":             &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "TaskHandle"},
		"Value a for parameter b is invalid. for parameter P is invalid. Reason: Bad.": &inq.ParamError{
			Err: inq.ErrInvalidParameter, Param: "P", Value: "a for parameter b is invalid.", Reason: "Bad."},
		"Invalid value for the parameter VisibilityTimeout.":                 &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "VisibilityTimeout"},
		"Invalid value for the parameter FifoQueue. Reason: Not modifiable.": &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "FifoQueue", Reason: "Not modifiable."},
		"Unknown Attribute Color.":                                           &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "Color"},
	} {
		assert.Equal(t, want, named(inq.ErrInvalidParameter, text))
	}
}

// What a caller sent is in the text, and must not decide what the error is taken for.
func TestErrors_AValueThatReadsLikeAReasonIsNone(t *testing.T) {
	_, q := fifo(t, newBroker(t), "q.fifo")
	const group = "Reason: The receipt handle has expired"
	_, err := q.Send(t.Context(), inq.Message{Body: "a", GroupID: group, DeduplicationID: "1"})
	assert.ErrorIs(t, err, inq.ErrInvalidParameter)
	assert.NotErrorIs(t, err, inq.ErrReceiptHandleExpired)
	var p *inq.ParamError
	require.ErrorAs(t, err, &p)
	assert.Equal(t, group, p.Value)
}

func TestErrors_OfAQueueThroughTheSDK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		_, q := standard(t, b, "q", inq.WithCapacity(2, 0))
		_, f := fifo(t, b, "q.fifo", inq.WithVisibilityTimeout(time.Second))
		ctx := t.Context()

		send(t, q, "a", "b")
		_, err := q.Send(ctx, inq.Message{Body: "c"})
		assert.ErrorIs(t, err, inq.ErrFull)
		assert.NotErrorIs(t, err, inq.ErrOverLimit)
		_, err = q.SendBatch(ctx, []inq.Message{{Body: "c"}})
		assert.ErrorIs(t, err, inq.ErrFull)
		_, err = q.SendBatch(ctx, nil)
		assert.ErrorIs(t, err, inq.ErrEmptyBatch)
		_, err = q.SendBatch(ctx, make([]inq.Message, 11))
		assert.ErrorIs(t, err, inq.ErrTooManyEntries)
		_, err = q.SendBatch(ctx, []inq.Message{{Body: strings.Repeat("x", 1<<20)}, {Body: "x"}})
		assert.ErrorIs(t, err, inq.ErrBatchTooLong)
		_, err = q.Send(ctx, inq.Message{Body: "\x01"})
		assert.ErrorIs(t, err, inq.ErrInvalidMessageContents)
		assert.ErrorIs(t, q.Delete(ctx, "no handle"), inq.ErrReceiptHandleInvalid)
		assert.ErrorIs(t, q.DeleteBatch(ctx, nil), inq.ErrEmptyBatch)
		assert.ErrorIs(t, q.ChangeVisibilityBatch(ctx, nil), inq.ErrEmptyBatch)
		d := receive(t, q)[0]
		require.NoError(t, d.Delete(ctx))
		assert.ErrorIs(t, d.ChangeVisibility(ctx, time.Minute), inq.ErrNotInFlight)
		assert.NotErrorIs(t, d.ChangeVisibility(ctx, time.Minute), inq.ErrInvalidParameter)

		_, err = f.Send(ctx, inq.Message{Body: "a", GroupID: "g", DeduplicationID: "1"})
		require.NoError(t, err)
		d = receive(t, f)[0]
		time.Sleep(time.Second)
		assert.ErrorIs(t, d.Delete(ctx), inq.ErrReceiptHandleExpired)

		require.NoError(t, b.DeleteQueue(ctx, "q"))
		for name, err := range everyCall(ctx, q) {
			assert.ErrorIs(t, err, inq.ErrQueueDoesNotExist, name)
		}
	})
}

func TestTranslate_IsForCallsThatAreNotOfAQueue(t *testing.T) {
	b := newBroker(t)
	client := NewClient(b)
	ctx := t.Context()
	create := func(delay string) error {
		_, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: map[string]string{"DelaySeconds": delay}})
		return Translate(err)
	}
	require.NoError(t, create("1"))
	assert.ErrorIs(t, create("2"), inq.ErrQueueExists)
	assert.ErrorIs(t, create("x"), inq.ErrInvalidAttributeValue)
	var p *inq.ParamError
	require.ErrorAs(t, create("x"), &p)
	assert.Equal(t, "DelaySeconds", p.Param)
	_, err := client.CancelMessageMoveTask(ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: aws.String("x")})
	require.ErrorAs(t, Translate(err), &p)
	assert.Equal(t, inq.ParamError{Err: inq.ErrInvalidParameter, Param: "TaskHandle"}, *p)
	require.NoError(t, b.DeleteQueue(ctx, "q"))
	assert.ErrorIs(t, create("1"), inq.ErrQueueDeletedRecently)
	_, err = client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String("arn:aws:sqs:us-east-1:000000000000:q")})
	assert.ErrorIs(t, Translate(err), inq.ErrQueueDoesNotExist)
}

func TestTranslate_LeavesWhatIsTranslatedAsItIs(t *testing.T) {
	_, q := standard(t, newBroker(t), "q", inq.WithCapacity(1, 0))
	send(t, q, "a")
	_, full := q.Send(t.Context(), inq.Message{Body: "b"})
	_, batch := q.SendBatch(t.Context(), make([]inq.Message, 2))
	for _, err := range []error{full, batch, fmt.Errorf("more: %w", full)} {
		require.Error(t, err)
		assert.Equal(t, err, Translate(err))
	}
	assert.NoError(t, Translate(nil))
}

// What Amazon's own troubles look like, and those of a broker that was closed.
func TestErrors_ClosedBrokersAnswer503AndAreTriedAgainWhereAClientRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		w := new(wire)
		retried := new(wire)
		once := NewQueue(NewClient(b, through(w)), "q")
		again := NewQueue(NewClient(b, through(retried), func(o *sqs.Options) { o.Retryer = retry.NewStandard() }), "q")
		require.NoError(t, b.Close())
		began := time.Now()
		calls := everyCall(t.Context(), once)
		for name, err := range calls {
			var api smithy.APIError
			require.ErrorAs(t, err, &api, name)
			assert.Equal(t, "ServiceUnavailable", api.ErrorCode())
			assert.NotErrorIs(t, err, inq.ErrClosed)
		}
		assert.Zero(t, time.Since(began), "no call is tried again")
		assert.Len(t, w.bodies, len(calls))

		require.Error(t, again.Purge(t.Context()))
		assert.Len(t, retried.bodies, 3)
		assert.NotZero(t, time.Since(began))
	})
}
