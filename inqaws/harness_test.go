package inqaws

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func newBroker(t *testing.T, opts ...inq.BrokerOption) *inq.Broker {
	t.Helper()
	b, err := inq.NewBroker(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// standard and fifo make a queue in the broker, and one over the SDK that is the same.
func standard(t *testing.T, b *inq.Broker, name string, opts ...inq.StandardOption) (*inq.Standard, *Queue) {
	t.Helper()
	q, err := b.CreateStandard(name, opts...)
	require.NoError(t, err)
	return q, NewQueue(NewClient(b), b.QueueURL(DefaultEndpoint, name))
}

func fifo(t *testing.T, b *inq.Broker, name string, opts ...inq.FIFOOption) (*inq.FIFO, *Queue) {
	t.Helper()
	q, err := b.CreateFIFO(name, opts...)
	require.NoError(t, err)
	return q, NewQueue(NewClient(b), b.QueueURL(DefaultEndpoint, name))
}

// wire keeps what a client sends. It answers what next answers or, without next, that a message was
// sent.
type wire struct {
	next   aws.HTTPClient
	mu     sync.Mutex
	bodies []map[string]any
	counts map[string]int
}

// operationOf is what a request asks for.
func operationOf(req *http.Request) string {
	_, operation, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	return operation
}

// operations counts what was asked for so far.
func (w *wire) operations() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.counts)
}

func (w *wire) Do(req *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	var body map[string]any
	if err := json.Unmarshal(text, &body); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.bodies = append(w.bodies, body)
	if w.counts == nil {
		w.counts = map[string]int{}
	}
	w.counts[operationOf(req)]++
	w.mu.Unlock()
	if w.next == nil {
		return answer(req, http.StatusOK, `{"MessageId":"m"}`, ""), nil
	}
	req.Body = io.NopCloser(bytes.NewReader(text))
	return w.next.Do(req)
}

// last returns the body of the request that was sent last, without the URL of the queue.
func (w *wire) last() map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	body := w.bodies[len(w.bodies)-1]
	delete(body, "QueueUrl")
	return body
}

// answer makes an answer of SQS.
func answer(req *http.Request, status int, body, queryError string) *http.Response {
	h := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	if queryError != "" {
		h.Set("x-amzn-query-error", queryError)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)), Request: req}
}

// through puts a wire between the client and the broker.
func through(w *wire) func(*sqs.Options) {
	return func(o *sqs.Options) { w.next, o.HTTPClient = o.HTTPClient, w }
}

// receive takes all messages that are ready, up to 10.
func receive(t *testing.T, q inq.Queue) []inq.Delivery {
	t.Helper()
	ds, err := q.Receive(t.Context(), inq.ReceiveInput{Max: 10, Wait: inq.Zero})
	require.NoError(t, err)
	return ds
}

func send(t *testing.T, q inq.Queue, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		_, err := q.Send(t.Context(), inq.Message{Body: body})
		require.NoError(t, err)
	}
}
