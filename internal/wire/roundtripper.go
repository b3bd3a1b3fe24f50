package wire

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"
)

// RoundTrip carries one request to a handler in the goroutine of the caller. It closes the request's
// body, also on an error, and does not change the request. name is the caller's package, for errors.
func RoundTrip(h http.Handler, name string, req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if req.URL == nil {
		return nil, fmt.Errorf("%s: request without a URL", name)
	}
	w := &response{header: http.Header{}}
	h.ServeHTTP(w, received(req))
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
