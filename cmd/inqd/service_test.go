package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// pipes is a listener in memory, so that a server works inside a bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.close.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// dial, write and answer do not end the test, because they are called by several goroutines.
func (p *pipes) dial(t *testing.T) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	select {
	case p.conns <- server:
	case <-p.done:
		t.Error("nobody accepts")
		_ = server.Close()
	}
	return client
}

// bench is a service under test, in a bubble.
type bench struct {
	*testing.T
	pipes  *pipes
	broker *inq.Broker
	queue  *inq.Standard // "q"
	log    *bytes.Buffer // to be read when the service is idle
	stop   context.CancelFunc
	served chan error
}

func newBench(t *testing.T, level slog.Level) *bench {
	t.Helper()
	b, err := inq.NewBroker()
	require.NoError(t, err)
	q, err := b.CreateStandard("q")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	s := &bench{T: t, pipes: newPipes(), broker: b, queue: q, log: new(bytes.Buffer), stop: stop, served: make(chan error, 1)}
	service := testService(t, b, slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: level})), new(config))
	go func() {
		s.served <- service.serve(ctx, s.pipes)
		close(s.served)
	}()
	return s
}

// ended stops the service, where it has not ended, and checks that it ended well.
func (s *bench) ended() {
	s.Helper()
	s.stop()
	require.NoError(s, <-s.served)
	require.NoError(s, s.broker.Close())
}

// logged returns the lines with this message.
func (s *bench) logged(message string) (lines []map[string]any) {
	s.Helper()
	for text := range strings.Lines(s.log.String()) {
		var line map[string]any
		require.NoError(s, json.Unmarshal([]byte(text), &line))
		if line["msg"] == message {
			delete(line, "time")
			lines = append(lines, line)
		}
	}
	return lines
}

func request(operation, body string) string {
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"+
		"X-Amz-Target: AmazonSQS.%s\r\nContent-Length: %d\r\n\r\n%s", operation, len(body), body)
}

func write(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(conn, text)
	assert.NoError(t, err)
}

// answer reads one answer.
func answer(t *testing.T, conn net.Conn) (int, string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if !assert.NoError(t, err) {
		return 0, ""
	}
	body, err := io.ReadAll(resp.Body)
	assert.NoError(t, err)
	return resp.StatusCode, strings.TrimSpace(string(body))
}

const poll = `{"QueueUrl":"q","WaitTimeSeconds":20}`

func TestService_ALongPollOf20SecondsIsNotCut(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header time.Duration // how long the client takes for the header
		body   time.Duration
	}{
		{"at once", 0, 0},
		{"slow header", readHeaderTimeout - time.Nanosecond, 0},
		{"slow body", 0, readTimeout - time.Nanosecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBench(t, slog.LevelInfo)
				conn := s.pipes.dial(t)
				header, body, _ := strings.Cut(request("ReceiveMessage", poll), "\r\n\r\n")
				write(t, conn, header[:1])
				time.Sleep(tt.header)
				write(t, conn, header[1:]+"\r\n\r\n")
				time.Sleep(tt.body)
				write(t, conn, body)
				began := time.Now()
				status, text := answer(t, conn)
				assert.Equal(t, 200, status)
				assert.Equal(t, "{}", text)
				assert.Equal(t, longestPoll, time.Since(began))

				write(t, conn, request("ListQueues", "{}")) // the connection lives on
				status, _ = answer(t, conn)
				assert.Equal(t, 200, status)
				require.NoError(t, conn.Close())
				s.ended()
			})
		})
	}
}

func TestService_APollWhoseClientLeavesIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBench(t, slog.LevelDebug)
		conn := s.pipes.dial(t)
		write(t, conn, request("ReceiveMessage", poll))
		synctest.Wait()
		require.NoError(t, conn.Close())
		s.ended()
		lines := s.logged("request")
		require.Len(t, lines, 1)
		assert.Equal(t, 200.0, lines[0]["status"])
		assert.NotContains(t, lines[0], "error")
	})
}

func TestService_LogsNoLongNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBench(t, slog.LevelDebug)
		conn := s.pipes.dial(t)
		long := strings.Repeat("x", 1<<20)
		write(t, conn, request("SendMessage", `{"QueueUrl":"`+long+`","MessageBody":"b"}`))
		answer(t, conn)
		write(t, conn, request("CreateQueue", `{"QueueName":"`+long+`"}`))
		answer(t, conn)
		require.NoError(t, conn.Close())
		s.ended()
		for _, line := range s.logged("request") {
			assert.Equal(t, strings.Repeat("x", 80)+"...", line["queue"])
		}
		assert.Less(t, s.log.Len(), 2000)
	})
}

func TestService_TellsHowToLiftThe60SecondRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBench(t, slog.LevelInfo)
		conn := s.pipes.dial(t)
		write(t, conn, request("DeleteQueue", `{"QueueUrl":"q"}`))
		answer(t, conn)
		write(t, conn, request("CreateQueue", `{"QueueName":"q"}`))
		status, text := answer(t, conn)
		assert.Equal(t, 400, status)
		assert.Contains(t, text, "You must wait 60 seconds after deleting a queue before you can create another with the same name. Start inqd with -relaxed to lift this rule.")
		require.NoError(t, conn.Close())
		s.ended()
	})
}

func TestService_TellsWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBench(t, slog.LevelInfo)
		_, err := s.broker.CreateStandard("empty")
		require.NoError(t, err)
		jobs, err := s.broker.CreateFIFO("jobs.fifo", inq.WithContentBasedDeduplication(true))
		require.NoError(t, err)
		_, err = jobs.Send(t.Context(), inq.Message{Body: "one", GroupID: "g"})
		require.NoError(t, err)
		for i := range 6 {
			m := inq.Message{Body: "b"}
			if i > 3 {
				m.Delay = time.Minute
			}
			_, err := s.queue.Send(t.Context(), m)
			require.NoError(t, err)
		}
		_, err = s.queue.Receive(t.Context(), inq.ReceiveInput{Max: 3})
		require.NoError(t, err)
		s.ended()
		assert.Equal(t, []map[string]any{
			{"level": "WARN", "msg": "messages are lost", "queue": "jobs.fifo", "messages": 1.0, "visible": 1.0, "in_flight": 0.0, "delayed": 0.0},
			{"level": "WARN", "msg": "messages are lost", "queue": "q", "messages": 6.0, "visible": 1.0, "in_flight": 3.0, "delayed": 2.0},
		}, s.logged("messages are lost"))
		assert.Equal(t, []map[string]any{{"level": "INFO", "msg": "stopped", "messages_lost": 7.0}}, s.logged("stopped"))
	})
}

func TestService_LogsRequestsAtDebugLevelOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
			s := newBench(t, level)
			conn := s.pipes.dial(t)
			send := `{"QueueUrl":"http://h/0/q","MessageBody":"secret"}`
			write(t, conn, request("SendMessage", send))
			_, sent := answer(t, conn)
			write(t, conn, request("DeleteQueue", `{"QueueUrl":"none"}`))
			_, refused := answer(t, conn)
			write(t, conn, request("ReceiveMessage", `{"QueueUrl":"q"}`))
			_, _ = answer(t, conn)
			write(t, conn, request("ReceiveMessage", poll))
			_, empty := answer(t, conn)
			require.NoError(t, conn.Close())
			s.ended()
			lines := s.logged("request")
			if level == slog.LevelInfo {
				assert.Empty(t, lines)
				continue
			}
			require.Len(t, lines, 4)
			assert.Equal(t, map[string]any{"level": "DEBUG", "msg": "request", "operation": "SendMessage", "queue": "q", "status": 200.0,
				"duration": 0.0, "request_bytes": float64(len(send)), "bytes": float64(len(sent))}, lines[0])
			assert.Equal(t, map[string]any{"level": "DEBUG", "msg": "request", "operation": "DeleteQueue", "queue": "none", "status": 400.0,
				"duration": 0.0, "request_bytes": 19.0, "bytes": float64(len(refused)), "error": "AWS.SimpleQueueService.NonExistentQueue"}, lines[1])
			assert.Equal(t, map[string]any{"level": "DEBUG", "msg": "request", "operation": "ReceiveMessage", "queue": "q", "status": 200.0,
				"duration": float64(longestPoll), "request_bytes": float64(len(poll)), "bytes": float64(len(empty))}, lines[3])
			assert.NotContains(t, s.log.String(), "secret")
		}
	})
}

func TestService_Health(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBench(t, slog.LevelInfo)
		conn := s.pipes.dial(t)
		write(t, conn, "GET /health HTTP/1.1\r\nHost: h\r\n\r\n")
		status, text := answer(t, conn)
		assert.Equal(t, 200, status)
		assert.Equal(t, `{"status":"ok"}`, text)
		// Only a GET asks for it: a queue may have that name.
		write(t, conn, strings.Replace(request("CreateQueue", `{"QueueName":"health"}`), "POST / ", "POST /health ", 1))
		status, _ = answer(t, conn)
		assert.Equal(t, 200, status)
		write(t, conn, "GET /health HTTP/1.1\r\nHost: h\r\n\r\n")
		_, text = answer(t, conn)
		assert.Equal(t, `{"status":"ok"}`, text)
		require.NoError(t, s.broker.Close())
		write(t, conn, "GET /health HTTP/1.1\r\nHost: h\r\n\r\n")
		status, _ = answer(t, conn)
		assert.Equal(t, 503, status)
		require.NoError(t, conn.Close())
		s.ended()
	})
}

func TestService_AListenerThatFailsIsAnError(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	broken := errors.New("broken")
	err = testService(t, b, slog.New(slog.DiscardHandler), new(config)).serve(t.Context(), failing{newPipes(), broken})
	assert.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "serving on 127.0.0.1:1")
}

type failing struct {
	*pipes
	err error
}

func (f failing) Accept() (net.Conn, error) { return nil, f.err }

// testService is a service without a journal, which nothing is wrong with.
func testService(t testing.TB, b *inq.Broker, log *slog.Logger, c *config) *service {
	s, err := newService(b, log, c)
	require.NoError(t, err)
	return s
}
