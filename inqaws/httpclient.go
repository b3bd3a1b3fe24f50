package inqaws

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"example.com/inq"
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
// services stream them. In everything else a call ends as it does without an HTTPClient. No redirect
// takes a message or the credentials to another host: SQS redirects nobody, and the answer of a
// server that does is an error of the call.
type HTTPClient struct{ client aws.HTTPClient }

var _ aws.HTTPClient = (*HTTPClient)(nil)

// NewHTTPClient makes an HTTPClient around client, an *http.Client or what else has its Do. Where
// client is nil, or a nil pointer, it is around a new client with the SDK's default transport. An
// *http.Client without a CheckRedirect follows redirects, and takes the session token along: it is
// copied, and the copy follows none. One with a CheckRedirect does what that says.
//
// Prefer the HTTPClient of sqs.Options: the SDK's module config refuses one that is not its own in
// [aws.Config] where the environment has AWS_CA_BUNDLE. The SDK adapts its own
// [awshttp.BuildableClient] to the DefaultsMode and read timeout of a service; inside of an
// HTTPClient it finds none to adapt.
func NewHTTPClient(client aws.HTTPClient) *HTTPClient {
	if isNil(client) {
		client = awshttp.NewBuildableClient()
	}
	if c, ok := client.(*http.Client); ok && c.CheckRedirect == nil {
		staying := *c
		staying.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		client = &staying
	}
	return &HTTPClient{client: client}
}

// Do sends a request and returns when the head of the answer is there. It closes the request's
// body, also on an error, and does not change the request. A body that is not as long as the
// request says is an error, and nothing is sent. When the context of the request ends, Do returns
// its error, also where the body is still being read.
func (c *HTTPClient) Do(req *http.Request) (*http.Response, error) {
	if req == nil {
		return nil, &inq.ParamError{Err: inq.ErrMissingParameter, Param: "req", Reason: "must not be nil"}
	}
	if c == nil || c.client == nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, &inq.ParamError{Err: inq.ErrMissingParameter, Param: "HTTPClient", Reason: "must be made by NewHTTPClient"}
	}
	if req.Body == nil || req.Body == http.NoBody || req.ContentLength <= 0 || req.ContentLength > maxHeld {
		return c.client.Do(req)
	}
	held, err := hold(req)
	if err != nil {
		return nil, err
	}
	// GetBody stays what it is. One of our own would have an http.Client send the body twice where
	// the SDK did not mean it to.
	out := req.WithContext(req.Context())
	out.Body = io.NopCloser(bytes.NewReader(held))
	return c.client.Do(out)
}

// hold reads the body of a request into memory, and closes it.
func hold(req *http.Request) ([]byte, error) {
	ctx := req.Context()
	done := make(chan error, 1)
	held := make([]byte, req.ContentLength)
	go func() {
		body := &until{ctx, req.Body}
		_, err := io.ReadFull(body, held)
		if err == nil {
			err = atEnd(body, req.ContentLength)
		}
		if closeErr := req.Body.Close(); err == nil {
			err = closeErr
		}
		done <- err
	}()
	select {
	case err := <-done:
		return held, err
	case <-ctx.Done():
		go req.Body.Close() // ends a read that waits, in most bodies; in others it waits for that itself
		return nil, ctx.Err()
	}
}

// until reads no more when ctx has ended, so that nothing is left behind for long.
type until struct {
	ctx context.Context
	io.Reader
}

func (r *until) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// atEnd refuses a body that goes on.
func atEnd(body io.Reader, length int64) error {
	switch n, err := io.ReadFull(body, make([]byte, 1)); {
	case n != 0:
		return fmt.Errorf("inqaws: the body of a request is longer than its ContentLength of %d", length)
	case err != io.EOF:
		return err
	}
	return nil
}
