//go:build !race

package sqsapi

// The race detector makes sync.Pool forget at random, so that costs are held without it.

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

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
		{"SendMessage", sendBody, 15},
		{"ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":10,"VisibilityTimeout":0}`, 45},
		{"DeleteMessage", `{"QueueUrl":"q","ReceiptHandle":"h"}`, 21},
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
