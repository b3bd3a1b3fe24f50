package sqsapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// loopback is a handler behind a real socket. Its queue is "q". At the end of a test no goroutine
// of it may be left.
type loopback struct {
	queue  *inq.Standard
	server *httptest.Server
}

func newLoopback(t testing.TB, opts ...inq.StandardOption) *loopback {
	t.Helper()
	before := runtime.NumGoroutine()
	b, err := inq.NewBroker()
	require.NoError(t, err)
	q, err := b.CreateStandard("q", opts...)
	require.NoError(t, err)
	l := &loopback{queue: q}
	l.server = httptest.NewServer(NewHandler(b, Options{}))
	t.Cleanup(func() {
		l.server.Close()
		_ = b.Close()
		goroutinesEnd(before)
	})
	return l
}

// goroutinesEnd returns when there are as few goroutines as before; if they do not end, the test
// times out and shows which are left.
func goroutinesEnd(before int) {
	for runtime.NumGoroutine() > before {
		runtime.Gosched()
	}
}

// dial opens a connection that is closed at the end of the test.
func (l *loopback) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", l.server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// raw is a request as it goes over the wire.
func raw(contentType, operation, body string) string {
	return "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + contentType + "\r\n" + operation +
		fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body
}

const (
	jsonType = "application/x-amz-json-1.0"
	formType = "application/x-www-form-urlencoded"
)

// drain receives and deletes until it has seen so many different messages, waiting for those that
// have to come back, and returns their bodies.
func (l *loopback) drain(t *testing.T, n int) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	for len(seen) < n {
		ds, err := l.queue.Receive(t.Context(), inq.ReceiveInput{Max: 10, Wait: 20 * time.Second})
		require.NoError(t, err)
		require.NotEmpty(t, ds, "lost messages: %d of %d are there", len(seen), n)
		for _, d := range ds {
			seen[d.Body] = true
			require.NoError(t, d.Delete(t.Context()))
		}
	}
	counts, err := l.queue.Counts(t.Context())
	require.NoError(t, err)
	require.Zero(t, counts)
	return seen
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

func TestServer_MessagesForClientsThatLeaveComeBack(t *testing.T) {
	l := newLoopback(t, inq.WithVisibilityTimeout(20*time.Millisecond))
	const polls, messages = 40, 100
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var clients sync.WaitGroup
	for range polls {
		clients.Go(func() {
			for ctx.Err() == nil { // whatever a client got, it deletes nothing
				_, _, err := l.call(ctx, "ReceiveMessage", poll)
				assert.True(t, err == nil || errors.Is(err, context.Canceled), err)
			}
		})
	}
	l.waiting(polls)
	for i := range messages {
		if i == messages/2 {
			cancel()
		}
		_, err := l.queue.Send(t.Context(), inq.Message{Body: fmt.Sprint(i)})
		require.NoError(t, err)
	}
	clients.Wait()
	l.waiting(0)
	assert.Len(t, l.drain(t, messages), messages)
}

func TestServer_HalfARequestChangesNothing(t *testing.T) {
	l := newLoopback(t)
	chunked := "Transfer-Encoding: chunked\r\n\r\n"
	for _, whole := range []string{
		raw(jsonType, "X-Amz-Target: AmazonSQS.SendMessage\r\n", `{"QueueUrl":"q","MessageBody":"whole"}`),
		// Half a form is a form, and would send half a message.
		raw(formType, "", "Action=SendMessage&QueueUrl=q&MessageBody=the+whole+message"),
		"POST / HTTP/1.1\r\nHost: localhost\r\n" + chunked + "1c\r\nAction=SendMessage&QueueUrl=\r\n10\r\nq&MessageBody=ab\r\n2\r\ncd\r\n0\r\n\r\n",
	} {
		for cut := 1; cut < len(whole); cut += 3 {
			conn := l.dial(t)
			_, err := conn.Write([]byte(whole[:cut]))
			require.NoError(t, err)
			require.NoError(t, conn.CloseWrite())
			_, err = io.Copy(io.Discard, conn) // until the server has given it up
			require.NoError(t, err)
			require.NoError(t, conn.Close())
		}
		counts, err := l.queue.Counts(t.Context())
		require.NoError(t, err)
		require.Zero(t, counts)
		conn := l.dial(t)
		_, err = conn.Write([]byte(whole))
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode, "the whole request is a good one")
		require.NoError(t, conn.Close())
		l.drain(t, 1)
	}
}

func TestServer_AClientThatWritesSlowlyHoldsUpNobody(t *testing.T) {
	l := newLoopback(t)
	slow := l.dial(t)
	// A byte, and then a whole request of somebody else.
	for _, b := range []byte(raw(formType, "", "Action=SendMessage&QueueUrl=q&MessageBody=slow")) {
		_, err := slow.Write([]byte{b})
		require.NoError(t, err)
		status, text, err := l.call(t.Context(), "ListQueues", `{}`)
		require.NoError(t, err)
		require.Equal(t, 200, status, text)
	}
	resp, err := http.ReadResponse(bufio.NewReader(slow), nil)
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, map[string]bool{"slow": true}, l.drain(t, 1))
}

func TestServer_AClientThatReadsSlowlyHoldsUpNobody(t *testing.T) {
	l := newLoopback(t)
	const messages, size = 10, 1 << 20
	for range messages {
		_, err := l.queue.Send(t.Context(), inq.Message{Body: strings.Repeat(`"`, size)}) // twice as long in JSON
		require.NoError(t, err)
	}
	slow := l.dial(t)
	_, err := io.WriteString(slow, raw(jsonType, "X-Amz-Target: AmazonSQS.ReceiveMessage\r\n", `{"QueueUrl":"q","MaxNumberOfMessages":10}`))
	require.NoError(t, err)
	answer := bufio.NewReaderSize(slow, 16)
	_, err = answer.Peek(1) // the server writes, and cannot go on: 20 MB fill all buffers on the way
	require.NoError(t, err)
	for i := range 20 {
		status, text, err := l.call(t.Context(), "SendMessage", fmt.Sprintf(`{"QueueUrl":"q","MessageBody":"%d"}`, i))
		require.NoError(t, err)
		require.Equal(t, 200, status, text)
		ds, err := l.queue.Receive(t.Context(), inq.ReceiveInput{})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		require.Equal(t, fmt.Sprint(i), ds[0].Body)
		require.NoError(t, ds[0].Delete(t.Context()))
	}
	resp, err := http.ReadResponse(answer, nil)
	require.NoError(t, err)
	var out receiveMessageResult
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
	require.Len(t, out.Messages, messages)
	for _, m := range out.Messages {
		require.Len(t, m.Body, size)
		require.NoError(t, l.queue.Delete(t.Context(), m.ReceiptHandle))
	}
	l.drain(t, 0)
}

func TestServer_RefusesALargeBodyBeforeItIsSent(t *testing.T) {
	l := newLoopback(t)
	conn := l.dial(t)
	_, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nContent-Length: %d\r\n\r\n", 1<<30)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	assert.Equal(t, 413, resp.StatusCode)
	assert.True(t, resp.Close)
	require.NoError(t, resp.Body.Close())
}

func TestServer_RefusesALargeBodyOfUnknownLength(t *testing.T) {
	l := newLoopback(t)
	conn := l.dial(t)
	form := "Action=SendMessage&QueueUrl=q&MessageBody="
	_, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s", DefaultMaxBytes+1, form)
	require.NoError(t, err)
	_, err = io.WriteString(conn, strings.Repeat("x", DefaultMaxBytes+1-len(form)))
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	assert.Equal(t, 413, resp.StatusCode)
	assert.True(t, resp.Close)
	require.NoError(t, resp.Body.Close())
	l.drain(t, 0)
}

func TestServer_AnswersWithALengthAndInFewWrites(t *testing.T) {
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
		assert.Equal(t, w.Body.Len()/(64<<10)+1, w.n)
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
	defer stop()
	server := &http.Server{Handler: NewHandler(b, Options{}), BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	client := &http.Client{Transport: &http.Transport{}}
	l := &loopback{queue: q}
	const polls, messages = 100, 60
	answers := make(chan string, polls)
	var clients sync.WaitGroup
	for range polls {
		clients.Go(func() {
			req, err := http.NewRequest(http.MethodPost, "http://"+listener.Addr().String(), strings.NewReader(poll))
			if !assert.NoError(t, err) {
				return
			}
			req.Header.Set("X-Amz-Target", "AmazonSQS.ReceiveMessage")
			resp, err := client.Do(req)
			if !assert.NoError(t, err) {
				return
			}
			defer resp.Body.Close()
			var out receiveMessageResult
			if assert.Equal(t, 200, resp.StatusCode) && assert.NoError(t, json.NewDecoder(resp.Body).Decode(&out)) && len(out.Messages) == 1 {
				answers <- out.Messages[0].Body
				assert.NoError(t, q.Delete(t.Context(), out.Messages[0].ReceiptHandle))
			}
		})
	}
	l.waiting(polls)
	for i := range messages { // some go to polls that end at the same time
		if i == messages/3 {
			for len(answers) < i {
				runtime.Gosched()
			}
			clients.Go(stop)
		}
		_, err = q.Send(t.Context(), inq.Message{Body: fmt.Sprint(i)})
		require.NoError(t, err)
	}
	clients.Wait()
	close(answers)
	all := map[string]bool{}
	for body := range answers {
		all[body] = true
	}
	delivered := len(all)
	assert.GreaterOrEqual(t, delivered, messages/3)
	client.CloseIdleConnections()
	require.NoError(t, server.Shutdown(t.Context()))
	assert.Equal(t, http.ErrServerClosed, <-served)
	counts, err := q.Counts(t.Context())
	require.NoError(t, err)
	assert.Equal(t, inq.Counts{Visible: messages - delivered}, counts, "what no client has is in the queue")
	for body := range l.drain(t, messages-delivered) {
		assert.False(t, all[body], "twice")
		all[body] = true
	}
	assert.Len(t, all, messages)
	require.NoError(t, b.Close())
	goroutinesEnd(before)
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

// half sends a whole request, ends the client's side of the connection, and reads the answer.
func (l *loopback) half(t *testing.T, request string) (int, string) {
	t.Helper()
	conn := l.dial(t)
	_, err := io.WriteString(conn, request)
	require.NoError(t, err)
	require.NoError(t, conn.CloseWrite())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	return resp.StatusCode, string(body)
}

func TestServer_AHalfClosedClientIsAnswered(t *testing.T) {
	l := newLoopback(t)
	for _, size := range []int{1, 200_000} {
		for range 100 {
			status, text := l.half(t, raw(jsonType, "X-Amz-Target: AmazonSQS.SendMessage\r\n", `{"QueueUrl":"q","MessageBody":"`+strings.Repeat("x", size)+`"}`))
			require.Equal(t, 200, status, text)
		}
	}
	require.Equal(t, 200, l.queue.Stats().Visible)
	// So is a long poll that need not wait, each time.
	for range 200 {
		status, text := l.half(t, raw(jsonType, "X-Amz-Target: AmazonSQS.ReceiveMessage\r\n", poll))
		require.Equal(t, 200, status)
		require.Contains(t, text, `"Body":"x`)
	}
	counts := l.queue.Stats().Counts
	require.Equal(t, inq.Counts{NotVisible: 200}, counts)
}

func TestServer_ALongPollEndsWithItsClientsSide(t *testing.T) {
	for _, header := range []string{jsonType, formType} {
		l := newLoopback(t)
		target, body, want := "X-Amz-Target: AmazonSQS.ReceiveMessage\r\n", poll, "{}"
		if header == formType {
			target, body, want = "", "Action=ReceiveMessage&QueueUrl=q&WaitTimeSeconds=20", "<ReceiveMessageResult/>"
		}
		conn := l.dial(t)
		_, err := io.WriteString(conn, raw(header, target, body))
		require.NoError(t, err)
		l.waiting(1)
		require.NoError(t, conn.CloseWrite())
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		assert.Contains(t, string(text), want)
		l.waiting(0)
		_, err = l.queue.Send(t.Context(), inq.Message{Body: "b"})
		require.NoError(t, err)
		assert.Equal(t, inq.Counts{Visible: 1}, l.queue.Stats().Counts, "nothing was taken")
		l.drain(t, 1)
	}
}

// deserted is a queue that hands its messages over at the instant in which the client leaves.
type deserted struct {
	inq.Queue
	leave context.CancelFunc
}

func (q deserted) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	ctx.Done() // it has waited
	in.Wait = inq.Zero
	ds, err := q.Queue.Receive(ctx, in)
	q.leave()
	return ds, err
}

func TestServer_NothingIsTakenForAClientThatLeavesInTheSameInstant(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	q, err := b.CreateStandard("q")
	require.NoError(t, err)
	fifo, err := b.CreateFIFO("q.fifo", inq.WithContentBasedDeduplication(true))
	require.NoError(t, err)
	h := NewHandler(b, Options{})
	for _, tt := range []struct {
		queue   inq.Queue
		attempt string
		want    inq.Counts
	}{
		{q, "", inq.Counts{Visible: 1}},
		{fifo, "", inq.Counts{Visible: 1}},
		{fifo, "again", inq.Counts{NotVisible: 1}}, // by its id the client can have it again
	} {
		_, err := tt.queue.Send(t.Context(), inq.Message{Body: "body" + tt.attempt, GroupID: "g"})
		require.NoError(t, err)
		ctx, leave := context.WithCancel(context.WithValue(t.Context(), http.ServerContextKey, new(http.Server)))
		c := call{h.server.NewCall(jsonRequest("ReceiveMessage", "").WithContext(ctx)), h.home}
		ds, err := c.receive(deserted{tt.queue, leave}, inq.ReceiveInput{Wait: 20 * time.Second, AttemptID: tt.attempt})
		require.NoError(t, err)
		assert.Empty(t, ds)
		counts, err := tt.queue.Counts(t.Context())
		require.NoError(t, err)
		assert.Equal(t, tt.want, counts)
		ds, err = tt.queue.Receive(t.Context(), inq.ReceiveInput{AttemptID: tt.attempt})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		assert.Equal(t, 1, ds[0].ReceiveCount)
		require.NoError(t, ds[0].Delete(t.Context()))
	}
}

// early is a queue whose client ends its side just before the queue looks.
type early struct {
	inq.Queue
	leave context.CancelFunc
}

func (q early) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	q.leave()
	return q.Queue.Receive(ctx, in)
}

func TestServer_APollThatNeedNotWaitIsAnsweredWheneverItsClientEndsItsSide(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	q, err := b.CreateStandard("q")
	require.NoError(t, err)
	_, err = q.Send(t.Context(), inq.Message{Body: "b"})
	require.NoError(t, err)
	ctx, leave := context.WithCancel(context.WithValue(t.Context(), http.ServerContextKey, new(http.Server)))
	h := NewHandler(b, Options{})
	c := call{h.server.NewCall(jsonRequest("ReceiveMessage", "").WithContext(ctx)), h.home}
	ds, err := c.receive(early{q, leave}, inq.ReceiveInput{Wait: 20 * time.Second})
	require.NoError(t, err)
	require.Len(t, ds, 1)
	assert.Equal(t, "b", ds[0].Body)
	ds, err = c.receive(early{q, leave}, inq.ReceiveInput{Wait: 20 * time.Second})
	require.NoError(t, err)
	assert.Empty(t, ds)
}

func TestServer_AClientThatSendsAllBeforeItReadsLearnsThatItWasTooMuch(t *testing.T) {
	l := newLoopback(t)
	large := strings.Repeat("x", 5<<20)
	for _, request := range []string{
		raw(jsonType, "X-Amz-Target: AmazonSQS.SendMessage\r\n", large),
		raw(formType, "", "Action=SendMessage&QueueUrl=q&MessageBody="+large),
		fmt.Sprintf("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(large), large),
	} {
		conn := l.dial(t)
		_, err := io.WriteString(conn, request)
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, 413, resp.StatusCode)
		assert.Contains(t, string(text), "Request must not be longer than")
		require.NoError(t, conn.Close())
	}
	l.drain(t, 0)
}
