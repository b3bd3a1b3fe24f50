package inqaws

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"

	"example.com/inq"
)

// Config returns a configuration whose clients, of SQS and SNS alike, send their requests by client:
// [example.com/inq/inqtest.Server.HTTPClient], which has both services behind it, or what else leads to
// handlers of packages sqsapi and snsapi. It is for tests of programs that make their own clients from
// an [aws.Config], and one line joins them:
//
//	client := sqs.NewFromConfig(inqaws.Config(s.HTTPClient()))
//
// Unlike a client of [NewClient] these retry as the SDK does by default, so that a test can make the
// service fail; the pauses are virtual in a [testing/synctest] bubble. The region is "us-east-1", the
// credentials mean nothing, and the endpoint is [DefaultEndpoint], which no request leaves for: set the
// fields that are to be others. No file and no environment is read. Where client is nil, every call
// fails with [inq.ErrMissingParameter].
func Config(client aws.HTTPClient) aws.Config {
	if isNil(client) {
		client = noHTTPClient{}
	}
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(DefaultEndpoint),
		Credentials:  aws.CredentialsProviderFunc(anyCredentials),
		HTTPClient:   client,
	}
}

// noHTTPClient refuses every request.
type noHTTPClient struct{}

func (noHTTPClient) Do(*http.Request) (*http.Response, error) {
	return nil, &inq.ParamError{Err: inq.ErrMissingParameter, Param: "client", Reason: "must not be nil"}
}
