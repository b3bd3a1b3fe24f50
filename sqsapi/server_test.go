package sqsapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// loopback is a handler behind a real socket. Its queue is "q".
type loopback struct {
	queue  *inq.Standard
	server *httptest.Server
}

func newLoopback(t testing.TB) *loopback {
	t.Helper()
	b, err := inq.NewBroker()
	require.NoError(t, err)
	q, err := b.CreateStandard("q")
	require.NoError(t, err)
	l := &loopback{queue: q}
	l.server = httptest.NewServer(NewHandler(b, Options{}))
	t.Cleanup(func() {
		l.server.Close()
		_ = b.Close()
	})
	return l
}

// call makes one request over a client of its own connections.
func (l *loopback) call(ctx context.Context, operation, body string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.server.URL, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	resp, err := l.server.Client().Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// waiting yields until n receives wait in the queue.
func (l *loopback) waiting(n int) {
	for l.queue.Stats().WaitingReceives != n {
		runtime.Gosched()
	}
}

const poll = `{"QueueUrl":"q","WaitTimeSeconds":20}`

func TestServer_200LongPollsGetOneMessageEach(t *testing.T) {
	l := newLoopback(t)
	const polls = 200
	bodies := make(chan string, polls)
	var clients sync.WaitGroup
	for range polls {
		clients.Go(func() {
			status, text, err := l.call(t.Context(), "ReceiveMessage", poll)
			var out receiveMessageResult
			if assert.NoError(t, err) && assert.Equal(t, 200, status) && assert.NoError(t, json.Unmarshal([]byte(text), &out)) && assert.Len(t, out.Messages, 1) {
				bodies <- out.Messages[0].Body
			}
		})
	}
	l.waiting(polls)
	var want []string
	for i := range polls {
		want = append(want, fmt.Sprint(i))
		_, err := l.queue.Send(t.Context(), inq.Message{Body: want[i]})
		require.NoError(t, err)
	}
	clients.Wait()
	close(bodies)
	assert.ElementsMatch(t, want, slices.Collect(func(yield func(string) bool) {
		for b := range bodies {
			yield(b)
		}
	}))
}

func TestServer_AClientThatGoesAwayEndsItsLongPoll(t *testing.T) {
	l := newLoopback(t)
	for round := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for range 20 {
			clients.Go(func() {
				_, _, err := l.call(ctx, "ReceiveMessage", poll)
				assert.ErrorIs(t, err, context.Canceled)
			})
		}
		l.waiting(20)
		cancel()
		clients.Wait()
		l.waiting(0)
		_, err := l.queue.Send(t.Context(), inq.Message{Body: fmt.Sprint(round)})
		require.NoError(t, err)
		ds, err := l.queue.Receive(t.Context(), inq.ReceiveInput{})
		require.NoError(t, err)
		require.Len(t, ds, 1, "it went to no client that is gone")
		require.NoError(t, ds[0].Delete(t.Context()))
	}
}

func TestServer_HalfARequestChangesNothing(t *testing.T) {
	l := newLoopback(t)
	body := `{"QueueUrl":"q","MessageBody":"whole"}`
	whole := "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n" +
		fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body
	for cut := 1; cut < len(whole); cut += 7 {
		conn, err := net.Dial("tcp", l.server.Listener.Addr().String())
		require.NoError(t, err)
		_, err = conn.Write([]byte(whole[:cut]))
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		_, err = io.Copy(io.Discard, conn) // until the server has given it up
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}
	counts, err := l.queue.Counts(t.Context())
	require.NoError(t, err)
	assert.Zero(t, counts)
}

func TestServer_RefusesALargeBodyBeforeItIsSent(t *testing.T) {
	l := newLoopback(t)
	conn, err := net.Dial("tcp", l.server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nContent-Length: %d\r\n\r\n", 1<<30)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	assert.Equal(t, 413, resp.StatusCode)
	assert.True(t, resp.Close)
	require.NoError(t, resp.Body.Close())
}

func TestServer_AnswersWithALengthAndInOneWrite(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	q, err := b.CreateStandard("q")
	require.NoError(t, err)
	for range 10 {
		_, err := q.Send(t.Context(), inq.Message{Body: strings.Repeat("x", 1<<16)})
		require.NoError(t, err)
	}
	h := NewHandler(b, Options{})
	for _, req := range []*http.Request{jsonRequest("ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":10}`), jsonRequest("ReceiveMessage", `{`),
		queryRequest(base+"/0/q", "Action=ReceiveMessage"), queryRequest(base, "")} {
		w := &writes{ResponseRecorder: httptest.NewRecorder()}
		h.ServeHTTP(w, req)
		assert.Equal(t, 1, w.n)
		assert.Equal(t, fmt.Sprint(w.Body.Len()), w.Header().Get("Content-Length"))
	}
}

// writes counts them.
type writes struct {
	*httptest.ResponseRecorder
	n int
}

func (w *writes) Write(b []byte) (int, error) { w.n++; return w.ResponseRecorder.Write(b) }

func TestServer_ShutdownWithLongPollsOpenLosesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	b, err := inq.NewBroker()
	require.NoError(t, err)
	q, err := b.CreateStandard("q")
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	// What a server does to end its long polls: the context that all requests come from ends.
	ctx, stop := context.WithCancel(t.Context())
	server := &http.Server{Handler: NewHandler(b, Options{}), BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	client := &http.Client{Transport: &http.Transport{}}
	l := &loopback{queue: q, server: &httptest.Server{URL: "http://" + listener.Addr().String()}}
	var clients sync.WaitGroup
	for range 50 {
		clients.Go(func() {
			req, err := http.NewRequest(http.MethodPost, l.server.URL, strings.NewReader(poll))
			if !assert.NoError(t, err) {
				return
			}
			req.Header.Set("X-Amz-Target", "AmazonSQS.ReceiveMessage")
			resp, err := client.Do(req)
			if assert.NoError(t, err) {
				assert.Equal(t, 503, resp.StatusCode)
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	l.waiting(50)
	stop()
	clients.Wait()
	_, err = q.Send(t.Context(), inq.Message{Body: "kept"})
	require.NoError(t, err)
	client.CloseIdleConnections()
	require.NoError(t, server.Shutdown(t.Context()))
	assert.Equal(t, http.ErrServerClosed, <-served)
	ds, err := q.Receive(t.Context(), inq.ReceiveInput{})
	require.NoError(t, err)
	assert.Len(t, ds, 1)
	require.NoError(t, b.Close())
	for runtime.NumGoroutine() > before { // ends, or the test times out and shows which are left
		runtime.Gosched()
	}
}

func TestServer_RandomBytesGetNo500(t *testing.T) {
	l := newLoopback(t)
	for _, garbage := range []string{"\x00\x01", "{\"a\":", "Action=", "Action=SendMessage&MessageBody", "[[[[", strings.Repeat("{\"a\":", 1000)} {
		for _, kind := range []string{"application/x-amz-json-1.0", "application/x-www-form-urlencoded", "text/plain", ""} {
			req, err := http.NewRequest(http.MethodPost, l.server.URL+"/0/q", bytes.NewReader([]byte(garbage)))
			require.NoError(t, err)
			req.Header.Set("Content-Type", kind)
			resp, err := l.server.Client().Do(req)
			require.NoError(t, err)
			assert.Less(t, resp.StatusCode, 500)
			assert.GreaterOrEqual(t, resp.StatusCode, 400)
			require.NoError(t, resp.Body.Close())
		}
	}
}
