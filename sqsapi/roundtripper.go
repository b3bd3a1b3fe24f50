package sqsapi

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"
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
	if req.Body != nil {
		defer req.Body.Close()
	}
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if req.URL == nil {
		return nil, fmt.Errorf("sqsapi: request without a URL")
	}
	w := &response{header: http.Header{}}
	t.handler.ServeHTTP(w, received(req))
	if err := ctx.Err(); err != nil && w.status == http.StatusServiceUnavailable {
		return nil, err // the handler gave up because of it
	}
	return w.finish(req), nil
}

// received is a request as a server sees it.
func received(req *http.Request) *http.Request {
	r := req.WithContext(req.Context())
	r.Header = req.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	if r.Host == "" {
		r.Host = req.URL.Host
	}
	if r.Body == nil {
		r.Body = http.NoBody
	} else if r.Body != http.NoBody && r.ContentLength == 0 {
		r.ContentLength = -1 // a client's 0 means unknown, a server's none
	}
	if req.URL.Scheme == "https" {
		r.TLS = &tls.ConnectionState{} // what tells a handler the scheme
	}
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	r.RequestURI = req.URL.RequestURI()
	r.RemoteAddr = "127.0.0.1:0"
	r.GetBody, r.Response = nil, nil
	return r
}

// response is an answer under construction.
type response struct {
	header http.Header
	sent   http.Header // header as it was when the status was written
	status int
	body   bytes.Buffer
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *response) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// finish makes the answer that the caller sees.
func (w *response) finish(req *http.Request) *http.Response {
	w.WriteHeader(http.StatusOK)
	if w.sent.Get("Date") == "" {
		w.sent.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	length := int64(w.body.Len())
	if req.Method == http.MethodHead {
		w.body.Reset()
	}
	return &http.Response{
		Status:     fmt.Sprintf("%03d %s", w.status, http.StatusText(w.status)),
		StatusCode: w.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        w.sent,
		Body:          io.NopCloser(&w.body),
		ContentLength: length,
		Request:       req,
	}
}
