package sqsapi

import (
	"net/http"

	"example.com/inq/internal/wire"
)

// RoundTripper carries HTTP requests to a handler in the goroutine of the caller: no socket, no
// goroutine, nothing to close. Give it to an [http.Client] as its Transport, or to an AWS SDK as
// its HTTP client, for which it has Do. Create one with [NewRoundTripper]. It is safe for
// concurrent use if the handler is, and works inside a [testing/synctest] bubble.
//
// A call returns when the handler has answered, so that the whole body of the answer can be read
// without an error. When the context of the request ends, a call that waits ends with its error; a
// message that was handed over at that instant is returned. Bodies of requests are read by the
// caller's goroutine too: one that blocks is not interrupted.
type RoundTripper struct{ handler http.Handler }

var _ http.RoundTripper = (*RoundTripper)(nil)

// NewRoundTripper makes a RoundTripper to h, a [Handler] or one around it.
func NewRoundTripper(h http.Handler) *RoundTripper { return &RoundTripper{handler: h} }

// Do is RoundTrip under the name that SDKs look for. It follows no redirects and keeps no cookies.
func (t *RoundTripper) Do(req *http.Request) (*http.Response, error) { return t.RoundTrip(req) }

// RoundTrip carries one request to the handler. It closes the request's body, also on an error, and
// does not change the request. The Host of the request, or of its URL, is what queue URLs in the
// answer begin with.
func (t *RoundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	return wire.RoundTrip(t.handler, "sqsapi", req)
}
