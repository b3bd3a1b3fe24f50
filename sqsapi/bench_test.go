package sqsapi

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// echo answers with the body of the request: what HTTP itself costs.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// post sends the same request over and over on one connection.
func post(b *testing.B, server *httptest.Server, operation, body string) {
	b.Helper()
	client := server.Client()
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header["Content-Type"] = jsonContentType
		req.Header["X-Amz-Target"] = []string{"AmazonSQS." + operation}
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if resp.StatusCode != 200 {
			b.Fatal(resp.Status)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

const sendBody = `{"QueueUrl":"http://localhost:9324/000000000000/q","MessageBody":"resize cat.png to 640x480 and store it beside the original"}`

// BenchmarkHandlerSend sends one message per request over loopback, beside a handler that echoes the request.
func BenchmarkHandlerSend(b *testing.B) {
	b.Run("Handler=echo", func(b *testing.B) {
		server := httptest.NewServer(http.HandlerFunc(echo))
		defer server.Close()
		post(b, server, "SendMessage", sendBody)
	})
	b.Run("Handler=sqsapi", func(b *testing.B) { post(b, newLoopback(b).server, "SendMessage", sendBody) })
}

// BenchmarkHandlerReceive10 receives ten messages per request over loopback, which stay visible, beside a handler that writes the same bytes.
func BenchmarkHandlerReceive10(b *testing.B) {
	const body = `{"QueueUrl":"q","MaxNumberOfMessages":10,"VisibilityTimeout":0}`
	l := newLoopback(b)
	for range 10 {
		_, err := l.queue.Send(b.Context(), inq.Message{Body: strings.Repeat("x", 60)})
		require.NoError(b, err)
	}
	w := httptest.NewRecorder()
	l.server.Config.Handler.ServeHTTP(w, jsonRequest("ReceiveMessage", body))
	same := w.Body.Bytes()
	b.Run("Handler=same-bytes", func(b *testing.B) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.Header().Set("Content-Length", strconv.Itoa(len(same)))
			_, _ = w.Write(same)
		}))
		defer server.Close()
		post(b, server, "ReceiveMessage", body)
	})
	b.Run("Handler=sqsapi", func(b *testing.B) { post(b, l.server, "ReceiveMessage", body) })
}

// BenchmarkHandlerInMemory sends one message per request through the RoundTripper.
func BenchmarkHandlerInMemory(b *testing.B) {
	broker, err := inq.NewBroker()
	require.NoError(b, err)
	defer broker.Close()
	_, err = broker.CreateStandard("q")
	require.NoError(b, err)
	rt := NewRoundTripper(NewHandler(broker, Options{}))
	b.ReportAllocs()
	for b.Loop() {
		resp, err := rt.RoundTrip(jsonRequest("SendMessage", sendBody))
		if err != nil || resp.StatusCode != 200 {
			b.Fatal(resp, err)
		}
	}
}

// BenchmarkHandlerServe sends one message per call of ServeHTTP, without any HTTP around it.
func BenchmarkHandlerServe(b *testing.B) {
	broker, err := inq.NewBroker()
	require.NoError(b, err)
	defer broker.Close()
	_, err = broker.CreateStandard("q")
	require.NoError(b, err)
	h := NewHandler(broker, Options{})
	req := jsonRequest("SendMessage", sendBody)
	body := strings.NewReader(sendBody)
	req.Body = io.NopCloser(body)
	w := &discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(sendBody)
		h.ServeHTTP(w, req)
	}
}

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func (w *discard) Header() http.Header         { return w.header }
func (w *discard) Write(b []byte) (int, error) { return len(b), nil }
func (w *discard) WriteHeader(int)             {}

func TestHandler_AllocationsPerRequest(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	q, err := b.CreateStandard("q")
	require.NoError(t, err)
	for range 10 {
		_, err := q.Send(t.Context(), inq.Message{Body: "b"})
		require.NoError(t, err)
	}
	h := NewHandler(b, Options{})
	for _, tt := range []struct {
		operation, body string
		most            float64
	}{
		{"SendMessage", sendBody, 28},
		{"ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":10,"VisibilityTimeout":0}`, 54},
		{"DeleteMessage", `{"QueueUrl":"q","ReceiptHandle":"h"}`, 30},
	} {
		req := jsonRequest(tt.operation, "")
		body := strings.NewReader(tt.body)
		req.Body = io.NopCloser(body)
		req.ContentLength = int64(len(tt.body))
		w := &discard{http.Header{}}
		got := testing.AllocsPerRun(200, func() {
			body.Reset(tt.body)
			h.ServeHTTP(w, req)
		})
		t.Logf("%s: %v allocations", tt.operation, got)
		assert.LessOrEqual(t, got, tt.most, tt.operation)
	}
}

// openPolls opens long polls on connections of their own that cost the client next to nothing.
func openPolls(t testing.TB, l *loopback, n int) (closeAll func()) {
	t.Helper()
	request := fmt.Sprintf("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n"+
		"Content-Length: %d\r\n\r\n%s", len(poll), poll)
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := net.Dial("tcp", l.server.Listener.Addr().String())
		require.NoError(t, err)
		_, err = io.WriteString(conn, request)
		require.NoError(t, err)
		conns[i] = conn
	}
	l.waiting(n)
	return func() {
		for _, c := range conns {
			_ = c.Close()
		}
		l.waiting(0)
	}
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func TestServer_AnIdleLongPollCostsLessThan32kB(t *testing.T) {
	l := newLoopback(t)
	const polls = 1000
	before := inUse()
	closeAll := openPolls(t, l, polls)
	after := inUse()
	closeAll()
	each := (int64(after) - int64(before)) / polls
	t.Logf("%d bytes for each of %d idle long polls", each, polls)
	assert.Less(t, each, int64(32_000))
}

func TestBuffers_OfLargeMessagesAreNotKept(t *testing.T) {
	large := bytes.NewBuffer(make([]byte, 0, maxPooled+1))
	large.WriteByte('x')
	release(large)
	assert.Equal(t, 1, large.Len(), "left as it was")
	small := bytes.NewBuffer(make([]byte, 0, maxPooled))
	small.WriteByte('x')
	release(small)
	assert.Zero(t, small.Len())
}
