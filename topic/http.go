package topic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// userAgent is that of the service (SNS: HTTP-1).
const userAgent = "Amazon Simple Notification Service Agent"

// maxAnswer is how much of an endpoint's answer is read, so that its connection can be used again.
const maxAnswer = 64 << 10

var errNotLoopback = errors.New("only loopback addresses are delivered to; WithExternalEndpoints opens others")

// newClient makes the client for HTTP(S) endpoints. Redirects are not followed, and no proxy is asked:
// where a request goes is decided by the subscription alone.
func newClient(transport http.RoundTripper, external bool) *http.Client {
	if transport == nil {
		dialer := &net.Dialer{Timeout: attemptTime}
		if !external {
			// Here the address is known that a name resolved to, and no other is connected to.
			dialer.Control = func(_, address string, _ syscall.RawConn) error {
				host, _, _ := net.SplitHostPort(address)
				if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
					return fmt.Errorf("%w: %w: %s", ErrRejected, errNotLoopback, address)
				}
				return nil
			}
		}
		transport = &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: attemptsAtOnce, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: attemptTime, ForceAttemptHTTP2: true}
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// urlTarget delivers to an HTTP(S) endpoint.
type urlTarget struct{ url string }

// bindURL makes a subscription of a URL (SNS: SUB-4).
func (s *Subscription) bindURL() *ParamError {
	if !strings.HasPrefix(s.endpoint, s.protocol+"://") {
		return &ParamError{Err: ErrInvalidParameter, Param: "Endpoint", Value: s.endpoint, Reason: "must begin with " + s.protocol + "://",
			Text: "Invalid parameter: Endpoint must match the specified protocol"}
	}
	if u, err := url.Parse(s.endpoint); err != nil || u.Host == "" || len(s.endpoint) > 2048 {
		return invalidName("Endpoint", s.endpoint, "must be a URL with a host, of at most 2,048 bytes")
	}
	s.target = urlTarget{s.endpoint}
	return nil
}

func (urlTarget) atOnce() bool { return false }

func (urlTarget) retries(s *Subscription) *retryPolicy { return s.policy().retries }

// deliver posts a copy (SNS: HTTP-1 to HTTP-7). Answers of the 200s are success; 429, the 500s and
// what is no answer are tried again; anything else is not.
func (d urlTarget) deliver(ctx context.Context, s *Subscription, x *parcel) (bool, error) {
	n := s.notification(x)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, strings.NewReader(n.Body()))
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrRejected, err)
	}
	h := request.Header
	h.Set("x-amz-sns-message-type", n.Type)
	h.Set("x-amz-sns-message-id", n.MessageID)
	h.Set("x-amz-sns-topic-arn", n.TopicARN)
	if n.Type != typeSubscriptionConfirmation {
		h.Set("x-amz-sns-subscription-arn", n.SubscriptionARN)
	}
	h.Set("Content-Type", defaultContentType)
	if n.Type == typeNotification {
		h.Set("Content-Type", s.policy().request.HeaderContentType)
		if n.Raw {
			h.Set("x-amz-sns-rawdelivery", "true")
		}
	}
	h.Set("User-Agent", userAgent)
	h.Set("Accept-Encoding", "gzip,deflate") // set here, the transport adds nothing and unpacks nothing
	response, err := s.topic.account.client.Do(request)
	if err != nil {
		return false, err
	}
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer)
	response.Body.Close()
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return false, nil
	case code >= 500 || code == http.StatusTooManyRequests:
		return false, fmt.Errorf("the endpoint answered %s", response.Status)
	default:
		return false, fmt.Errorf("%w: the endpoint answered %s", ErrRejected, response.Status)
	}
}
