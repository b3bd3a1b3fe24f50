package inqaws

import (
	"context"
	"math"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"example.com/inq"
	"example.com/inq/sqsapi"
)

// DefaultEndpoint is what the queue URLs of a client made by [NewClient] begin with: the URL of a
// queue is b.QueueURL(DefaultEndpoint, name), without a request. The name can not be resolved (RFC
// 6761), so that a URL which strays to another client reaches nobody.
const DefaultEndpoint = "http://sqs.invalid"

// NewClient makes a client of the AWS SDK whose calls end in b, which stays the caller's to close.
// Where b is nil, every call fails with [inq.ErrMissingParameter]. A call runs from the SDK down to
// the queue in the goroutine of its caller: there is no socket, no goroutine, no file or environment
// that is read for a configuration, and nothing to close. In a [testing/synctest] bubble a long poll
// of 20 seconds takes microseconds.
//
// The client has the region of the broker, credentials that mean nothing, and the SDK's validation
// of checksums. It does not retry: what the broker refuses now it would refuse again, and a call is
// one request whatever comes back. After b is closed, calls fail at once with the code
// ServiceUnavailable.
//
// Any of this can be changed by optFns, which the SDK applies last. With another BaseEndpoint,
// queue URLs begin with that. With a Retryer, calls on a closed broker are tried again like those
// that Amazon answers with a status of 500 and more; the pauses are virtual in a bubble.
func NewClient(b *inq.Broker, optFns ...func(*sqs.Options)) *sqs.Client {
	region, transport := "us-east-1", sqs.HTTPClient(noBroker{})
	if b != nil {
		// A limit for the size of requests protects servers from their clients. Here both are one
		// program, and the queue has a limit of its own.
		h := sqsapi.NewHandler(b, sqsapi.Options{MaxBytes: math.MaxInt64})
		region, transport = b.Region(), sqsapi.NewRoundTripper(h)
	}
	none := func(f func(*sqs.Options)) bool { return f == nil }
	return sqs.New(sqs.Options{
		Region:       region,
		BaseEndpoint: aws.String(DefaultEndpoint),
		Credentials:  aws.CredentialsProviderFunc(anyCredentials),
		HTTPClient:   transport,
		Retryer:      aws.NopRetryer{},
	}, slices.DeleteFunc(slices.Clone(optFns), none)...)
}

// noBroker refuses every request.
type noBroker struct{}

func (noBroker) Do(*http.Request) (*http.Response, error) {
	return nil, &inq.ParamError{Err: inq.ErrMissingParameter, Param: "broker", Reason: "must not be nil"}
}

// anyCredentials let the SDK sign. Nobody looks at the signature.
func anyCredentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "inq", SecretAccessKey: "inq", Source: "inqaws"}, nil
}
