package inqaws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/sqsapi"
)

// slowTransport answers before it is through with the request, as a transport of net/http does
// whose server is fast. finish is the rest of what that does: it wants to see the end of the body.
type slowTransport struct {
	body   io.ReadCloser
	length int64
}

func (s *slowTransport) Do(req *http.Request) (*http.Response, error) {
	s.body, s.length = req.Body, req.ContentLength
	return answer(req, http.StatusOK, "{}", ""), nil
}

func (s *slowTransport) finish() (text string, err error) {
	var b bytes.Buffer
	if _, err := io.CopyN(&b, s.body, s.length); err != nil {
		return b.String(), err
	}
	// As net/http, which has its reader write itself where it can: a closed body of the SDK gives
	// an error here where an end is no error.
	_, err = io.Copy(io.Discard, s.body)
	return b.String(), err
}

func TestHTTPClient_KeepsTheBodyOpenUntilTheTransportIsThrough(t *testing.T) {
	for name, c := range map[string]struct {
		wrap func(aws.HTTPClient) aws.HTTPClient
		want error
	}{
		"HTTPClient":             {func(c aws.HTTPClient) aws.HTTPClient { return NewHTTPClient(c) }, nil},
		"the trap it is against": {func(c aws.HTTPClient) aws.HTTPClient { return c }, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			slow := new(slowTransport)
			client := NewClient(newBroker(t), func(o *sqs.Options) { o.HTTPClient = c.wrap(slow) })
			_, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: aws.String("q"), ReceiptHandle: aws.String("h")})
			require.NoError(t, err)
			text, err := slow.finish()
			require.Equal(t, c.want, err)
			if err == nil {
				assert.JSONEq(t, `{"QueueUrl":"q","ReceiptHandle":"h"}`, text)
			}
		})
	}
}

// count is how often the SDK receives over a socket. Without an HTTPClient some calls in ten
// thousand fail here, and more where answers are larger.
const count = 2000

func TestHTTPClient_LosesNoLargeAnswerOfAFastServer(t *testing.T) {
	b := newBroker(t)
	q, err := b.CreateStandard("q", inq.WithVisibilityTimeout(0))
	require.NoError(t, err)
	body := strings.Repeat("x", 30_000)
	send(t, q, body)
	server := httptest.NewServer(sqsapi.NewHandler(b, sqsapi.Options{}))
	defer server.Close()
	transport := server.Client()
	remote := NewQueue(NewClient(b, func(o *sqs.Options) {
		o.BaseEndpoint = aws.String(server.URL)
		o.HTTPClient = NewHTTPClient(transport)
	}), b.QueueURL(server.URL, "q"))
	for range count {
		ds, err := remote.Receive(t.Context(), inq.ReceiveInput{})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		require.Len(t, ds[0].Body, len(body))
	}
	assert.Equal(t, count+1, receive(t, q)[0].ReceiveCount, "no answer was lost and asked for again")
}

func TestNewClient_LosesNoLargeAnswer(t *testing.T) {
	b := newBroker(t)
	q, err := b.CreateStandard("q", inq.WithVisibilityTimeout(0))
	require.NoError(t, err)
	send(t, q, strings.Repeat("x", 100_000))
	w := new(slowReader)
	remote := NewQueue(NewClient(b, func(o *sqs.Options) { w.next, o.HTTPClient = o.HTTPClient, w }), "q")
	for range 100 {
		ds, err := remote.Receive(t.Context(), inq.ReceiveInput{})
		require.NoError(t, err)
		require.Len(t, ds, 1)
	}
	assert.Equal(t, 101, receive(t, q)[0].ReceiveCount)
	assert.Equal(t, 100, w.ended, "each body was read to its end, and closed, before Do returned")
}

// slowReader checks what becomes of the body of a request during Do.
type slowReader struct {
	next  aws.HTTPClient
	ended int
}

func (s *slowReader) Do(req *http.Request) (*http.Response, error) {
	body := &watched{ReadCloser: req.Body}
	req.Body = body
	resp, err := s.next.Do(req)
	if body.eof && body.closed {
		s.ended++
	}
	return resp, err
}

// watched tells how far a body was read.
type watched struct {
	io.ReadCloser
	eof, closed bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.eof = w.eof || err == io.EOF
	return n, err
}

func (w *watched) Close() error {
	w.closed = true
	return w.ReadCloser.Close()
}

func TestHTTPClient_DoesNotChangeTheRequest(t *testing.T) {
	body := &watched{ReadCloser: io.NopCloser(strings.NewReader("body"))}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://host/", nil)
	require.NoError(t, err)
	req.Body, req.ContentLength = body, 4
	_, err = NewHTTPClient(clientFunc(func(r *http.Request) (*http.Response, error) {
		assert.NotSame(t, req, r)
		assert.Equal(t, int64(4), r.ContentLength)
		assert.Nil(t, r.GetBody)
		assert.True(t, body.closed)
		text, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, "body", string(text))
		return answer(r, 200, "", ""), nil
	})).Do(req)
	require.NoError(t, err)
	assert.Same(t, body, req.Body)
}

func TestHTTPClient_LeavesItToTheRequestWhetherItCanBeSentAgain(t *testing.T) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://host/", strings.NewReader("body"))
	require.NoError(t, err)
	_, err = NewHTTPClient(clientFunc(func(r *http.Request) (*http.Response, error) {
		_, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		again, err := r.GetBody()
		assert.NoError(t, err)
		text, err := io.ReadAll(again)
		assert.NoError(t, err)
		assert.Equal(t, "body", string(text))
		return answer(r, 200, "", ""), nil
	})).Do(req)
	require.NoError(t, err)
}

// A redirect must not take a message or credentials to another host. An http.Client by itself makes
// a GET of what is not 307 or 308, and takes the session token along.
func TestHTTPClient_FollowsNoRedirect(t *testing.T) {
	var hosts []string
	var status int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hosts = append(hosts, r.Host)
		assert.Equal(t, "session", r.Header.Get("X-Amz-Security-Token"))
		w.Header().Set("Location", "http://elsewhere.invalid/")
		w.WriteHeader(status)
	}))
	defer server.Close()
	toServer := func(tr *http.Transport) {
		tr.Proxy = nil
		tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		}
	}
	given := &http.Client{Transport: server.Client().Transport}
	toServer(given.Transport.(*http.Transport))
	for _, status = range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		for name, client := range map[string]aws.HTTPClient{
			"http.Client": given,
			"the SDK's":   awshttp.NewBuildableClient().WithTransportOptions(toServer),
			"twice":       NewHTTPClient(given),
		} {
			hosts = nil
			q := NewQueue(NewClient(newBroker(t), func(o *sqs.Options) {
				o.HTTPClient = NewHTTPClient(client)
				o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b", SessionToken: "session"}, nil
				})
			}), "q")
			_, err := q.Send(t.Context(), inq.Message{Body: "a"})
			assert.ErrorContains(t, err, fmt.Sprint("StatusCode: ", status), name)
			assert.Equal(t, []string{"sqs.invalid"}, hosts, name)

			// Requests that the HTTPClient does not hold are not taken elsewhere either.
			hosts = nil
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://sqs.invalid/", nil)
			require.NoError(t, err)
			req.Header.Set("X-Amz-Security-Token", "session")
			if name != "the SDK's" || status < 307 { // which follows those where there is no body
				resp, err := NewHTTPClient(client).Do(req)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, status, resp.StatusCode, name)
				assert.Equal(t, []string{"sqs.invalid"}, hosts, name)
			}
		}
		assert.Nil(t, given.CheckRedirect, "the client that was given is not changed")
	}
}

func TestHTTPClient_LeavesAChosenCheckRedirectAlone(t *testing.T) {
	var hosts []string
	client := &http.Client{
		Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			hosts = append(hosts, r.URL.Host)
			resp := answer(r, http.StatusFound, "", "")
			resp.Header.Set("Location", "http://elsewhere/")
			return resp, nil
		}),
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) == 2 {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://host/", strings.NewReader("body"))
	require.NoError(t, err)
	_, err = NewHTTPClient(client).Do(req)
	require.NoError(t, err)
	assert.Equal(t, []string{"host", "elsewhere"}, hosts)
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestHTTPClient_PassesOnWhatItDoesNotHold(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"no body":        func(r *http.Request) { r.Body = nil },
		"an empty body":  func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 },
		"unknown length": func(r *http.Request) { r.ContentLength = -1 },
		"a long stream":  func(r *http.Request) { r.ContentLength = maxHeld + 1 },
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequest(http.MethodPost, "http://host/", io.MultiReader(strings.NewReader("body")))
			require.NoError(t, err)
			change(req)
			_, err = NewHTTPClient(clientFunc(func(r *http.Request) (*http.Response, error) {
				assert.Same(t, req, r)
				return answer(r, 200, "", ""), nil
			})).Do(req)
			require.NoError(t, err)
		})
	}
}

func TestHTTPClient_ReportsABodyThatCannotBeRead(t *testing.T) {
	client := NewHTTPClient(clientFunc(func(*http.Request) (*http.Response, error) { panic("not called") }))
	req, err := http.NewRequest(http.MethodPost, "http://host/", nil)
	require.NoError(t, err)
	short := &watched{ReadCloser: io.NopCloser(strings.NewReader("bod"))}
	req.Body, req.ContentLength = short, 4
	_, err = client.Do(req)
	assert.Equal(t, io.ErrUnexpectedEOF, err)
	assert.True(t, short.closed)
	long := &watched{ReadCloser: io.NopCloser(strings.NewReader("body and more"))}
	req.Body = long
	_, err = client.Do(req)
	assert.EqualError(t, err, "inqaws: the body of a request is longer than its ContentLength of 4")
	assert.True(t, long.closed)
	torn := errors.New("torn")
	req.Body = io.NopCloser(io.MultiReader(strings.NewReader("body"), iotest.ErrReader(torn)))
	_, err = client.Do(req)
	assert.Equal(t, torn, err)
	unwilling := errors.New("unwilling")
	req.Body = struct {
		io.Reader
		closeFunc
	}{strings.NewReader("body"), func() error { return unwilling }}
	_, err = client.Do(req)
	assert.Equal(t, unwilling, err)
}

// A body that keeps its reader waiting does not keep the caller.
func TestHTTPClient_ASlowBodyEndsWithTheContext(t *testing.T) {
	for name, body := range map[string]func() io.ReadCloser{
		"that heeds Close": func() io.ReadCloser {
			r, w := io.Pipe()
			time.AfterFunc(2*time.Second, func() { _, _ = w.Write([]byte("body")) })
			return r
		},
		"that does not": func() io.ReadCloser { return io.NopCloser(new(sleepyReader)) },
		"whose Close waits too": func() io.ReadCloser {
			return struct {
				io.Reader
				closeFunc
			}{new(sleepyReader), func() error { time.Sleep(time.Hour); return nil }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://host/", nil)
				require.NoError(t, err)
				req.Body, req.ContentLength = body(), 4
				_, err = NewHTTPClient(clientFunc(func(*http.Request) (*http.Response, error) { panic("not called") })).Do(req)
				assert.Equal(t, context.DeadlineExceeded, err)
				assert.Equal(t, 200*time.Millisecond, time.Since(began))
				time.Sleep(2*time.Hour - time.Since(began)) // nothing is left then
			})
		})
	}
}

// sleepyReader takes two seconds for a byte, and is asked for one only.
type sleepyReader struct{ asked bool }

func (s *sleepyReader) Read(p []byte) (int, error) {
	if s.asked {
		panic("read on though nobody waits")
	}
	s.asked = true
	time.Sleep(2 * time.Second)
	return copy(p, "x"), nil
}

type closeFunc func() error

func (f closeFunc) Close() error { return f() }

func TestHTTPClient_HasATransportOfItsOwn(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer server.Close()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL, strings.NewReader("echo"))
	require.NoError(t, err)
	resp, err := NewHTTPClient(nil).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "echo", string(text))
}
