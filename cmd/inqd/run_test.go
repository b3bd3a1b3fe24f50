package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// program is inqd running in this process behind a real socket.
type program struct {
	*testing.T
	url    string
	client *http.Client
	stop   context.CancelFunc
	ended  chan error
	log    locked
}

// start runs it on a free port, until stop.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	p := &program{T: t, client: &http.Client{Transport: &http.Transport{}}, stop: stop, ended: make(chan error, 1)}
	out, in := io.Pipe()
	go func() {
		err := run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), in, &p.log)
		_ = in.Close()
		p.ended <- err
	}()
	lines := bufio.NewReader(out)
	p.url = servedURL(t, lines)
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return p
}

// servedURL reads the first line that inqd prints.
func servedURL(t *testing.T, stdout *bufio.Reader) string {
	t.Helper()
	first, err := stdout.ReadString('\n')
	require.NoError(t, err)
	url := first[strings.LastIndexByte(first, ' ')+1:]
	return strings.TrimSpace(url)
}

// locked is a buffer that several goroutines may use.
type locked struct {
	mu  sync.Mutex // guards everything below
	buf bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// call makes one request, and reads a successful answer into out unless that is nil.
func (p *program) call(operation string, in map[string]any, out any) {
	p.Helper()
	require.NoError(p, p.try(operation, in, out))
}

// try is call for any goroutine.
func (p *program) try(operation string, in map[string]any, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %s", resp.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

type received struct {
	Messages []struct{ Body, ReceiptHandle string }
}

func TestRun_CreateSendReceiveDelete(t *testing.T) {
	p := start(t, "-queue", "ready,VisibilityTimeout=0")
	var created struct{ QueueUrl string }
	p.call("CreateQueue", map[string]any{"QueueName": "jobs"}, &created)
	assert.Equal(t, p.url+"/000000000000/jobs", created.QueueUrl)
	var listed struct{ QueueUrls []string }
	p.call("ListQueues", map[string]any{}, &listed)
	assert.Equal(t, []string{p.url + "/000000000000/jobs", p.url + "/000000000000/ready"}, listed.QueueUrls)
	p.call("SendMessage", map[string]any{"QueueUrl": created.QueueUrl, "MessageBody": "hello"}, nil)
	var got received
	p.call("ReceiveMessage", map[string]any{"QueueUrl": created.QueueUrl, "WaitTimeSeconds": 20}, &got)
	require.Len(t, got.Messages, 1)
	assert.Equal(t, "hello", got.Messages[0].Body)
	p.call("DeleteMessage", map[string]any{"QueueUrl": created.QueueUrl, "ReceiptHandle": got.Messages[0].ReceiptHandle}, nil)
	p.call("SendMessage", map[string]any{"QueueUrl": listed.QueueUrls[1], "MessageBody": "left"}, nil)

	resp, err := p.client.Get(p.url + "/health")
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, `{"status":"ok"}`, string(text))

	p.stop()
	require.NoError(t, <-p.ended)
	log := p.log.String()
	assert.Contains(t, log, "level=INFO msg=started url="+p.url+" region=us-east-1 account=000000000000 queues=1 relaxed=false\n")
	assert.Contains(t, log, `level=WARN msg="messages are lost" queue=ready messages=1 visible=1 in_flight=0 delayed=0`)
	assert.Contains(t, log, "level=INFO msg=stopped messages_lost=1\n")
}

func TestRun_BoundsWhatClientsMayKeep(t *testing.T) {
	p := start(t, "-queue", "jobs", "-max-queues", "2", "-max-messages", "2", "-max-bytes", "100", "-url", "http://queues.test:9324")
	var created struct{ QueueUrl string }
	p.call("CreateQueue", map[string]any{"QueueName": "more"}, &created)
	assert.Equal(t, "http://queues.test:9324/000000000000/more", created.QueueUrl)
	assert.ErrorContains(t, p.try("CreateQueue", map[string]any{"QueueName": "third"}, nil), "status 403: "+`{"__type":"com.amazonaws.sqs#OverLimit","message":"2 queues exist, maximum allowed is 2."}`)
	p.call("SendMessage", map[string]any{"QueueUrl": "jobs", "MessageBody": strings.Repeat("x", 60)}, nil)
	assert.ErrorContains(t, p.try("SendMessage", map[string]any{"QueueUrl": "jobs", "MessageBody": strings.Repeat("x", 60)}, nil), "OverLimit")
	p.call("SendMessage", map[string]any{"QueueUrl": "jobs", "MessageBody": "x"}, nil)
	assert.ErrorContains(t, p.try("SendMessage", map[string]any{"QueueUrl": "jobs", "MessageBody": "x"}, nil), "OverLimit")
	p.stop()
	require.NoError(t, <-p.ended)
}

func TestServe_StopWithLongPollsOpenOverSocketsLosesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	b, err := inq.NewBroker()
	require.NoError(t, err)
	q, err := b.CreateStandard("q")
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	service := testService(t, b, slog.New(slog.DiscardHandler), new(config))
	go func() { ended <- service.serve(ctx, listener) }()
	p := &program{T: t, url: baseURL(listener.Addr()), client: &http.Client{Transport: &http.Transport{}}}

	const polls, messages = 60, 20
	var taken atomic.Int64
	var clients sync.WaitGroup
	for range polls {
		clients.Go(func() {
			var got received
			assert.NoError(t, p.try("ReceiveMessage", map[string]any{"QueueUrl": "q", "WaitTimeSeconds": 20}, &got))
			taken.Add(int64(len(got.Messages)))
		})
	}
	for q.Stats().WaitingReceives != polls {
		runtime.Gosched()
	}
	// Messages come in while the polls end: each is in an answer or still there.
	clients.Go(func() {
		for i := range messages {
			_, err := q.Send(t.Context(), inq.Message{Body: "b"})
			assert.NoError(t, err)
			if i == messages/2 {
				stop()
			}
		}
	})
	clients.Wait()
	require.NoError(t, <-ended)
	assert.Equal(t, inq.Counts{Visible: messages - int(taken.Load()), NotVisible: int(taken.Load())}, q.Stats().Counts)

	require.NoError(t, b.Close())
	p.client.CloseIdleConnections()
	for runtime.NumGoroutine() > before { // ends, or the test times out and shows which are left
		runtime.Gosched()
	}
}

func TestRun_AnAddressInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	addr := listener.Addr().String()
	var stdout, stderr bytes.Buffer
	err = run(t.Context(), []string{"-addr", addr}, &stdout, &stderr)
	assert.Equal(t, 1, status(err, &stderr))
	assert.Equal(t, fmt.Sprintf("inqd: %s is in use, maybe by another inqd; choose another address with -addr, where port 0 means any free one\n", addr), stderr.String())
	assert.Empty(t, stdout.String())
}

func TestRun_AnAddressOfAnotherMachine(t *testing.T) {
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{"-addr", "192.0.2.1:1"}, &stdout, &stderr) // TEST-NET-1 is nobody's
	assert.Equal(t, 1, status(err, &stderr))
	assert.Contains(t, stderr.String(), "inqd: cannot listen on 192.0.2.1:1: ")
}
