package sqsapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

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
		req.Header["Content-Type"] = []string{jsonType}
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

// BenchmarkHandlerSend sends one message per request over loopback, beside a handler that echoes
// the request.
func BenchmarkHandlerSend(b *testing.B) {
	b.Run("Handler=echo", func(b *testing.B) {
		server := httptest.NewServer(http.HandlerFunc(echo))
		defer server.Close()
		post(b, server, "SendMessage", sendBody)
	})
	b.Run("Handler=sqsapi", func(b *testing.B) { post(b, newLoopback(b).server, "SendMessage", sendBody) })
}

// BenchmarkHandlerReceive10 receives ten messages per request over loopback, which stay visible,
// beside a handler that writes the same bytes.
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
