package inqaws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// requireNoSentinel demands that err means nothing in inq.
func requireNoSentinel(t *testing.T, err error, name string) {
	t.Helper()
	require.Error(t, err, name)
	for code, sentinel := range sentinels {
		require.NotErrorIs(t, err, sentinel, "%s: code %s", name, code)
	}
	require.NotErrorIs(t, err, inq.ErrFull, name)
	require.NotErrorAs(t, err, new(*refused), name)
}

// What a client asks before it can send a request has codes of the same names.
func TestErrors_OnlyWhatSQSAnsweredHasAMeaning(t *testing.T) {
	request, err := http.NewRequest(http.MethodPost, "https://sts.amazonaws.com/", nil)
	require.NoError(t, err)
	toQueue := request.Clone(t.Context())
	toQueue.Header.Set("X-Amz-Target", "AmazonSQS.ReceiveMessage")
	response := func(cause error) *awshttp.ResponseError {
		return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 400, Request: request}}, Err: cause}}
	}
	for _, code := range []string{"ResourceNotFoundException", "InvalidParameterValue", "MissingParameter", "OverLimit",
		"AWS.SimpleQueueService.NonExistentQueue", "ThrottlingException", "ServiceUnavailable", "no code of SQS"} {
		cause := &smithy.GenericAPIError{Code: code, Message: "The receipt handle has expired.", Fault: smithy.FaultServer}
		for name, failure := range map[string]error{
			"another service": &smithy.OperationError{ServiceID: "Secrets Manager", OperationName: "GetSecretValue", Err: response(cause)},
			"a queue of credentials": &smithy.OperationError{ServiceID: "SQS", OperationName: "ReceiveMessage", Err: &smithyhttp.ResponseError{
				Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 400, Request: toQueue}}, Err: cause}},
			"a response of another protocol": response(cause),
			"a bare error":                   cause,
			"one of several errors":          errors.Join(errors.New("no file"), cause, response(cause)),
			"a wrapped error":                fmt.Errorf("no token: %w", cause),
		} {
			client := NewClient(newBroker(t), func(o *sqs.Options) {
				o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, failure })
			})
			for call, err := range everyCall(t.Context(), NewQueue(client, "q")) {
				requireNoSentinel(t, err, name+", "+code+", "+call)
				require.ErrorIs(t, err, cause)
			}
			_, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
			require.ErrorIs(t, Translate(err), cause)
			requireNoSentinel(t, Translate(err), name)
		}
	}
	requireNoSentinel(t, Translate(&smithy.OperationError{ServiceID: "SNS", Err: response(&types.QueueDoesNotExist{})}), "another service's own answer")
}

// It is no answer either where the ctx ends just then.
func TestErrors_AProviderThatFailsWithTheContextIsNoAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := NewClient(newBroker(t), func(o *sqs.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			cancel()
			return aws.Credentials{}, &smithy.GenericAPIError{Code: "ResourceNotFoundException"}
		})
	})
	assert.Equal(t, context.Canceled, NewQueue(client, "q").Purge(ctx))
}

// A fake returns what it likes.
func TestErrors_OfAFakeNeedNoClientAround(t *testing.T) {
	missing := &types.QueueDoesNotExist{}
	for _, err := range []error{missing, fmt.Errorf("fake: %w", missing), errors.Join(errors.New("fake"), missing),
		&smithy.OperationError{ServiceID: "SQS", Err: &smithyhttp.ResponseError{Err: missing}},
		&smithy.OperationError{ServiceID: "SQS", Err: &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{}, Err: missing}}},
	} {
		assert.ErrorIs(t, Translate(err), inq.ErrQueueDoesNotExist, "%#v", err)
	}
	assert.ErrorIs(t, Translate(&smithy.GenericAPIError{Code: "x", Fault: smithy.FaultServer}), inq.ErrUnavailable)
	requireNoSentinel(t, Translate(&smithy.GenericAPIError{Code: "x", Fault: smithy.FaultClient}), "")
	requireNoSentinel(t, Translate(errors.Join(errors.New("a"), errors.New("b"))), "")
}

func TestErrors_AStatusTellsWhereACodeDoesNot(t *testing.T) {
	for status, want := range map[int]error{
		http.StatusTooManyRequests:     inq.ErrThrottled,
		http.StatusInternalServerError: inq.ErrUnavailable,
		http.StatusBadGateway:          inq.ErrUnavailable,
		http.StatusServiceUnavailable:  inq.ErrUnavailable,
		http.StatusGatewayTimeout:      inq.ErrUnavailable,
		http.StatusForbidden:           nil,
		http.StatusNotFound:            nil,
		http.StatusTemporaryRedirect:   nil,
	} {
		for _, body := range []string{"<html>a proxy</html>", `{"__type":"com.amazon.coral.service#AccessDeniedException","message":"x"}`, ""} {
			client := NewClient(newBroker(t), func(o *sqs.Options) {
				o.HTTPClient = clientFunc(func(req *http.Request) (*http.Response, error) { return answer(req, status, body, ""), nil })
			})
			for name, err := range everyCall(t.Context(), NewQueue(client, "q")) {
				if want == nil {
					requireNoSentinel(t, err, name)
					continue
				}
				require.ErrorIs(t, err, want, "%s %d %s", name, status, body)
				require.ErrorAs(t, err, new(*awshttp.ResponseError), name)
			}
		}
	}
}

// A service that cannot be reached, or goes away in the middle of a call, is unavailable, and the
// cause is there as well.
func TestErrors_OfTheNetworkAreThatOfAServiceThatIsUnavailable(t *testing.T) {
	torn := errors.New("torn")
	cut := func(cause error) func(*http.Request) (*http.Response, error) {
		return func(req *http.Request) (*http.Response, error) {
			resp := answer(req, 200, "", "")
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"Messages":[{"Body":"a`), iotest.ErrReader(cause)))
			return resp, nil
		}
	}
	reset := &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	for name, c := range map[string]struct {
		do    func(*http.Request) (*http.Response, error)
		cause error
	}{
		"not sent":         {func(*http.Request) (*http.Response, error) { return nil, torn }, torn},
		"an answer cut":    {cut(io.ErrUnexpectedEOF), io.ErrUnexpectedEOF},
		"an answer broken": {cut(reset), syscall.ECONNRESET},
	} {
		client := NewClient(newBroker(t), func(o *sqs.Options) { o.HTTPClient = clientFunc(c.do) })
		for call, err := range everyCall(t.Context(), NewQueue(client, "q")) {
			if name != "not sent" && (call == "Delete" || call == "ChangeVisibility" || call == "Purge") {
				continue // their answers have nothing to read
			}
			require.ErrorIs(t, err, inq.ErrUnavailable, name+", "+call)
			require.ErrorIs(t, err, c.cause, name+", "+call)
		}
		_, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
		require.ErrorIs(t, Translate(err), inq.ErrUnavailable, name)
	}

	// What was not sent because of something else is no matter of the service.
	client := NewClient(newBroker(t), func(o *sqs.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, &smithyhttp.RequestSendError{Err: torn}
		})
	})
	for call, err := range everyCall(t.Context(), NewQueue(client, "q")) {
		require.ErrorIs(t, err, torn)
		requireNoSentinel(t, err, call)
	}
	_, err := NewQueue(answering(t, 200, "<html>log in here</html>"), "q").Receive(t.Context(), inq.ReceiveInput{})
	requireNoSentinel(t, err, "a page in place of an answer")
}

// answering is a client that gives one answer to all.
func answering(t *testing.T, status int, body string) *sqs.Client {
	return NewClient(newBroker(t), func(o *sqs.Options) {
		o.HTTPClient = clientFunc(func(req *http.Request) (*http.Response, error) {
			_, err := io.Copy(io.Discard, req.Body)
			return answer(req, status, body, ""), err
		})
	})
}

// A refused entry has other codes and texts than a refused call, and means the same (SQS: section 13).
func TestErrors_SingleAndBatchMeanTheSame(t *testing.T) {
	const invalid = "com.amazon.coral.service#InvalidParameterValueException"
	handle := func(reason string) string {
		return "Value AQEB for parameter ReceiptHandle is invalid. Reason: " + reason
	}
	for _, c := range []struct {
		rule              string
		want              error
		shape, text       string // of a single call
		code, entryText   string // of an entry
		send, delete, see bool   // calls that can be refused so
	}{
		{"CAP-8", inq.ErrReceiptHandleExpired, invalid, handle("The receipt handle has expired."),
			"ReceiptHandleIsInvalid", "The receipt handle has expired", false, true, true},
		{"CAP-9", inq.ErrNotInFlight, invalid, handle("Message does not exist or is not available for visibility timeout change."),
			"ReceiptHandleIsInvalid", "Message does not exist or is not available for visibility timeout change", false, false, true},
		{"CAP-9 before", inq.ErrNotInFlight, invalid, handle("Message does not exist or is not available for visibility timeout change."),
			"InvalidParameterValue", handle("Message does not exist or is not available for visibility timeout change."), false, false, true},
		{"VIS-6", inq.ErrReceiptHandleInvalid, "com.amazonaws.sqs#ReceiptHandleIsInvalid", `The input receipt handle "x" is not a valid receipt handle.`,
			"ReceiptHandleIsInvalid", `The input receipt handle "x" is not a valid receipt handle.`, false, true, true},
		{"CAP-10", inq.ErrReceiptHandleInvalid, "com.amazonaws.sqs#ReceiptHandleIsInvalid", `The receipt handle "x" is not valid for this queue.`,
			"ReceiptHandleIsInvalid", `The receipt handle "x" is not valid for this queue.`, false, true, true},
		{"a handle that reads like a reason", inq.ErrReceiptHandleInvalid, "com.amazonaws.sqs#ReceiptHandleIsInvalid",
			`The input receipt handle "Reason: The receipt handle has expired." is not a valid receipt handle.`,
			"ReceiptHandleIsInvalid", `The input receipt handle "Reason: The receipt handle has expired." is not a valid receipt handle.`, false, true, true},
		{"MSG-4", inq.ErrMissingParameter, "com.amazon.coral.service#MissingRequiredParameterException", "The request must contain the parameter MessageBody.",
			"EmptyValue", "The request must contain the parameter MessageBody.", true, false, false},
		{"MSG-3, CAP-6", inq.ErrInvalidMessageContents, "com.amazonaws.sqs#InvalidMessageContents", "Invalid binary character '#x7' was found in the message body",
			"InvalidMessageContents", "Invalid binary character '#x7' was found in the message body", true, false, false},
		{"BAT-4", inq.ErrInvalidParameter, invalid, "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
			"InvalidParameterValue", "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.", true, false, false},
		{"CAP-7", inq.ErrInvalidParameter, invalid, "Value d for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not valid for this queue type.",
			"InvalidParameterValue", "The request include parameter that is not valid for this queue type", true, false, false},
		{"capacity", inq.ErrFull, "com.amazonaws.sqs#OverLimit", "x", "OverLimit", "x", true, false, false},
		{"throttled", inq.ErrThrottled, "com.amazonaws.sqs#RequestThrottled", "x", "RequestThrottled", "x", true, true, true},
		{"out of order", inq.ErrUnavailable, "com.amazon.coral.service#InternalFailure", "x", "InternalError", "x", true, true, true},
	} {
		single := NewQueue(answering(t, 400, fmt.Sprintf(`{"__type":%q,"message":%q}`, c.shape, c.text)), "q")
		batch := NewQueue(answering(t, 200, fmt.Sprintf(`{"Failed":[{"Id":"0","Code":%q,"Message":%q,"SenderFault":true}]}`, c.code, c.entryText)), "q")
		whole := NewQueue(answering(t, 400, fmt.Sprintf(`{"__type":%q,"message":%q}`, "com.amazonaws.sqs#"+c.code, c.entryText)), "q")
		ctx := t.Context()
		errs := map[string]error{}
		if c.send {
			_, errs["Send"] = single.Send(ctx, inq.Message{Body: "a"})
			_, errs["SendBatch"] = batch.SendBatch(ctx, []inq.Message{{Body: "a"}})
			_, errs["SendBatch, whole"] = whole.SendBatch(ctx, []inq.Message{{Body: "a"}})
		}
		if c.delete {
			errs["Delete"], errs["DeleteBatch"] = single.Delete(ctx, "h"), batch.DeleteBatch(ctx, []string{"h"})
		}
		if c.see {
			errs["ChangeVisibility"] = single.ChangeVisibility(ctx, "h", 0)
			errs["ChangeVisibilityBatch"] = batch.ChangeVisibilityBatch(ctx, []inq.VisibilityChange{{ReceiptHandle: "h"}})
		}
		for name, err := range errs {
			for code, sentinel := range sentinels {
				if sentinel != inq.ErrOverLimit {
					require.Equal(t, sentinel == c.want, errors.Is(err, sentinel), "%s %s: %v is that of %s", c.rule, name, err, code)
				}
			}
			require.ErrorIs(t, err, c.want, "%s %s", c.rule, name)
		}
	}
}

// The same over a broker: whatever a single call is refused with, an entry is.
func TestErrors_SingleAndBatchMeanTheSameOverABroker(t *testing.T) {
	b := newBroker(t, inq.WithoutCooldowns())
	_, standardQueue := standard(t, b, "q", inq.WithMaxMessageSize(1024))
	_, fifoQueue := fifo(t, b, "q.fifo", inq.WithMaxMessageSize(1024))
	ctx := t.Context()
	for _, q := range []*Queue{standardQueue, fifoQueue} {
		good := inq.Message{Body: "a", GroupID: "g"}
		if q == fifoQueue {
			good.DeduplicationID = "d"
		}
		for name, change := range map[string]func(m *inq.Message){
			"no body":           func(m *inq.Message) { m.Body = "" },
			"no group":          func(m *inq.Message) { m.GroupID = "" },
			"no dedup id":       func(m *inq.Message) { m.DeduplicationID = "" },
			"a dedup id":        func(m *inq.Message) { m.DeduplicationID = "e" },
			"a bad dedup id":    func(m *inq.Message) { m.DeduplicationID = "a b" },
			"a bad group":       func(m *inq.Message) { m.GroupID = "a b" },
			"a control":         func(m *inq.Message) { m.Body = "\x07" },
			"invalid UTF-8":     func(m *inq.Message) { m.Body = "\xff" },
			"too long":          func(m *inq.Message) { m.Body = strings.Repeat("x", 1025) },
			"a delay":           func(m *inq.Message) { m.Delay = 5e9 },
			"a long delay":      func(m *inq.Message) { m.Delay = 901e9 },
			"a negative delay":  func(m *inq.Message) { m.Delay = -1 },
			"no type":           func(m *inq.Message) { m.Attributes = map[string]inq.Attribute{"a": {Value: "x"}} },
			"no value":          func(m *inq.Message) { m.Attributes = map[string]inq.Attribute{"a": {Type: "String"}} },
			"no number":         func(m *inq.Message) { m.Attributes = map[string]inq.Attribute{"a": inq.Number("x")} },
			"a bad name":        func(m *inq.Message) { m.Attributes = map[string]inq.Attribute{"a b": inq.String("x")} },
			"a bad trace":       func(m *inq.Message) { m.TraceHeader = "\x01" },
			"a control in one":  func(m *inq.Message) { m.Attributes = map[string]inq.Attribute{"a": inq.String("\x01")} },
			"eleven attributes": func(m *inq.Message) { m.Attributes = manyAttributes(11) },
		} {
			m := good
			change(&m)
			_, single := q.Send(ctx, m)
			_, batch := q.SendBatch(ctx, []inq.Message{m})
			if q == fifoQueue && name == "no group" { // there they differ, in the process too (SQS: FIFO-4)
				require.ErrorIs(t, single, inq.ErrMissingParameter)
				single = inq.ErrInvalidParameter
			}
			requireSameMeaning(t, single, batch, q.name+": "+name)
			require.NoError(t, q.Purge(ctx))
		}
		for _, h := range []string{"", "no handle", "\xff", strings.Repeat("x", 5000)} {
			requireSameMeaning(t, q.Delete(ctx, h), q.DeleteBatch(ctx, []string{h}), "delete "+h)
			requireSameMeaning(t, q.ChangeVisibility(ctx, h, 0), q.ChangeVisibilityBatch(ctx, []inq.VisibilityChange{{ReceiptHandle: h}}), "change "+h)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		_, standardQueue := standard(t, b, "q", inq.WithCapacity(1, 0))
		_, fifoQueue := fifo(t, b, "q.fifo", inq.WithCapacity(1, 0), inq.WithContentBasedDeduplication(true))
		for _, q := range []*Queue{standardQueue, fifoQueue} {
			m := inq.Message{Body: "a", GroupID: "g"}
			_, err := q.Send(t.Context(), m)
			require.NoError(t, err)
			m.Body = "b"
			_, single := q.Send(t.Context(), m)
			_, batch := q.SendBatch(t.Context(), []inq.Message{m})
			requireSameMeaning(t, single, batch, "a full queue")
			require.ErrorIs(t, single, inq.ErrFull)
			var handles []string
			for range 2 {
				d := receive(t, q)[0]
				handles = append(handles, d.ReceiptHandle())
				time.Sleep(30 * time.Second)
			}
			handles = append(handles, receive(t, q)[0].ReceiptHandle())
			for range 2 {
				for i, h := range handles {
					for _, timeout := range []time.Duration{time.Minute, 13 * time.Hour, 12 * time.Hour, -1} {
						requireSameMeaning(t, q.ChangeVisibility(t.Context(), h, timeout),
							q.ChangeVisibilityBatch(t.Context(), []inq.VisibilityChange{{ReceiptHandle: h, Timeout: timeout}}),
							fmt.Sprint(q.name, " change ", i, " ", timeout))
						time.Sleep(time.Second)
					}
				}
				if q == fifoQueue { // the latest last: it deletes
					requireSameMeaning(t, q.Delete(t.Context(), handles[0]), q.DeleteBatch(t.Context(), handles[:1]), "delete with an old handle")
				}
				require.NoError(t, q.Delete(t.Context(), handles[2]))
			}
		}
	})
}

// requireSameMeaning demands that a call and the only entry of a batch ended alike.
func requireSameMeaning(t *testing.T, single, batch error, what string) {
	t.Helper()
	require.Equal(t, single == nil, batch == nil, "%s: %v, %v", what, single, batch)
	for code, sentinel := range sentinels {
		require.Equal(t, errors.Is(single, sentinel), errors.Is(batch, sentinel), "%s: %s: %v, but %v", what, code, single, batch)
	}
}

func manyAttributes(n int) map[string]inq.Attribute {
	as := map[string]inq.Attribute{}
	for i := range n {
		as[fmt.Sprint("a", i)] = inq.String("x")
	}
	return as
}

// typedNils are errors that are no more than a type.
func typedNils() []error {
	return []error{(*types.QueueDoesNotExist)(nil), (*smithy.GenericAPIError)(nil), (*smithy.OperationError)(nil),
		(*smithyhttp.ResponseError)(nil), (*inq.ParamError)(nil), (*refused)(nil),
		&smithy.OperationError{ServiceID: "SQS"}, &smithyhttp.ResponseError{}}
}
