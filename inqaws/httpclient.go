package inqaws

import (
	"bytes"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// maxHeld is the longest body that HTTPClient holds itself: more than the longest request of SQS
// can be, and little enough to be held twice.
const maxHeld = 8 << 20

// HTTPClient is an HTTP client for the AWS SDK that keeps large answers of a fast server from being
// torn. Create one with [NewHTTPClient] and set it as the HTTPClient of [sqs.Options] or
// [aws.Config]. It is safe for concurrent use if the client under it is.
//
// The SDK closes the body of a request as soon as it has the head of the answer. A server nearby
// answers before the transport of net/http is through with the request: that still has to look
// whether the body ends where it should, finds it closed, takes this for an error, and closes the
// connection while the answer is being read. An answer that does not fit into the transport's read
// buffer of 4 KiB is lost then, with the error "use of closed network connection". Over loopback
// this happens to up to one call in a hundred. With its usual retries the SDK hides the error but
// not the loss: messages that were in the torn answer of a ReceiveMessage stay in flight until
// their visibility timeout, and come back with a higher receive count.
//
// HTTPClient gives the transport a copy of the body, which nobody closes before its time. Requests
// above 8 MiB and those of unknown length, which no request of SQS is, pass as they are: other
// services stream them. In everything else a call ends as it does without an HTTPClient; in
// particular, no redirect takes a message to another host, because the SDK's requests cannot be
// sent twice by an http.Client.
type HTTPClient struct{ client aws.HTTPClient }

var _ aws.HTTPClient = (*HTTPClient)(nil)

// NewHTTPClient makes an HTTPClient around client, an *http.Client or what else has its Do. Where
// client is nil it is around a new client with the SDK's default transport. Prefer the HTTPClient of
// sqs.Options: the SDK's module config refuses one that is not its own in [aws.Config] where the
// environment has AWS_CA_BUNDLE. The SDK adapts its own [awshttp.BuildableClient] to the
// DefaultsMode and read timeout of a service; inside of an HTTPClient it finds none to adapt.
func NewHTTPClient(client aws.HTTPClient) *HTTPClient {
	if client == nil {
		client = awshttp.NewBuildableClient()
	}
	return &HTTPClient{client: client}
}

// Do sends a request and returns when the head of the answer is there. It closes the request's
// body, also on an error, and does not change the request.
func (c *HTTPClient) Do(req *http.Request) (*http.Response, error) {
	if req.Body == nil || req.Body == http.NoBody || req.ContentLength <= 0 || req.ContentLength > maxHeld {
		return c.client.Do(req)
	}
	held := make([]byte, req.ContentLength)
	_, err := io.ReadFull(req.Body, held)
	if closeErr := req.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	// GetBody stays what it is. One of our own would have an http.Client follow redirects, and take
	// the body and the session token to wherever they lead.
	out := req.WithContext(req.Context())
	out.Body = io.NopCloser(bytes.NewReader(held))
	return c.client.Do(out)
}
