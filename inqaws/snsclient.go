package inqaws

import (
	"math"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"example.com/inq/snsapi"
	"example.com/inq/topic"
)

// DefaultSNSEndpoint is where a client made by [NewSNSClient] believes SNS to be. The name can not be
// resolved (RFC 6761).
const DefaultSNSEndpoint = "http://sns.invalid"

// NewSNSClient makes a client of the AWS SDK whose calls end in a, which stays the caller's to close.
// With [NewClient] on the broker that a was given by [topic.WithBroker], both services are there in one
// process: what is published with the one client is received with the other. Where a is nil, every call
// fails with [topic.ErrMissingValue].
//
// All else is as with NewClient: a call runs in the goroutine of its caller, without a socket, and in a
// [testing/synctest] bubble retries of an hour take microseconds. The client has the region of the
// account, credentials that mean nothing, and does not retry. optFns are applied last.
func NewSNSClient(a *topic.Account, optFns ...func(*sns.Options)) *sns.Client {
	region, transport := "us-east-1", sns.HTTPClient(noAccount{})
	if a != nil {
		h := snsapi.NewHandler(a, snsapi.Options{MaxBytes: math.MaxInt64}) // the topic has limits of its own
		region, transport = a.Region(), snsapi.NewRoundTripper(h)
	}
	none := func(f func(*sns.Options)) bool { return f == nil }
	return sns.New(sns.Options{
		Region:       region,
		BaseEndpoint: aws.String(DefaultSNSEndpoint),
		Credentials:  aws.CredentialsProviderFunc(anyCredentials),
		HTTPClient:   transport,
		Retryer:      aws.NopRetryer{},
	}, slices.DeleteFunc(slices.Clone(optFns), none)...)
}

// noAccount refuses every request.
type noAccount struct{}

func (noAccount) Do(*http.Request) (*http.Response, error) {
	return nil, &topic.ParamError{Err: topic.ErrMissingValue, Param: "account", Reason: "must not be nil"}
}
