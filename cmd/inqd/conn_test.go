package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// socket is a service behind a real socket.
type socket struct {
	*testing.T
	queue *inq.Standard // "q"
	addr  string
}

func newSocket(t *testing.T, c *config) *socket {
	t.Helper()
	before := runtime.NumGoroutine()
	b, err := inq.NewBroker()
	require.NoError(t, err)
	q, err := b.CreateStandard("q")
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	service := testService(t, b, slog.New(slog.DiscardHandler), c)
	go func() { served <- service.serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-served)
		require.NoError(t, b.Close())
		for runtime.NumGoroutine() > before { // ends, or the test times out and shows which are left
			runtime.Gosched()
		}
	})
	return &socket{t, q, listener.Addr().String()}
}

func (s *socket) dial() *net.TCPConn {
	s.Helper()
	conn, err := net.Dial("tcp", s.addr)
	require.NoError(s, err)
	s.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// polls waits until so many receives wait.
func (s *socket) polls(n int) {
	for s.queue.Stats().WaitingReceives != n {
		runtime.Gosched()
	}
}

func (s *socket) send(body string) {
	s.Helper()
	_, err := s.queue.Send(s.Context(), inq.Message{Body: body})
	require.NoError(s, err)
}

func (s *socket) answer(from *bufio.Reader) string {
	s.Helper()
	resp, err := http.ReadResponse(from, nil)
	require.NoError(s, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(s, err)
	require.Equal(s, 200, resp.StatusCode, string(text))
	return string(text)
}

func TestConn_APollEndsWithAClientThatHasSentMoreAndLeft(t *testing.T) {
	s := newSocket(t, new(config))
	for range 20 {
		for _, more := range []string{"x", request("ListQueues", "{}"), strings.Repeat("x", maxAhead/2)} {
			conn := s.dial()
			write(t, conn, request("ReceiveMessage", poll))
			s.polls(1)
			write(t, conn, more)
			require.NoError(t, conn.Close())
			s.polls(0) // or the test times out
			s.send("b")
			require.Equal(t, inq.Counts{Visible: 1}, s.queue.Stats().Counts, "nobody took it")
			ds, err := s.queue.Receive(t.Context(), inq.ReceiveInput{})
			require.NoError(t, err)
			require.Len(t, ds, 1)
			require.NoError(t, ds[0].Delete(t.Context()))
		}
	}
}

func TestConn_WhatIsSentBehindAPollIsReadAfterIt(t *testing.T) {
	s := newSocket(t, new(config))
	conn := s.dial()
	answers := bufio.NewReader(conn)
	for range 3 {
		write(t, conn, request("ReceiveMessage", poll))
		s.polls(1)
		// A request that is longer than what is read ahead, and a short one.
		write(t, conn, request("SendMessage", `{"QueueUrl":"q","MessageBody":"`+strings.Repeat("x", 3*maxAhead)+`","DelaySeconds":900}`)+request("ListQueues", "{}"))
		s.polls(1)
		s.send("b")
		assert.Contains(t, s.answer(answers), `"Body":"b"`)
		assert.Contains(t, s.answer(answers), `"MD5OfMessageBody"`)
		assert.Contains(t, s.answer(answers), `"QueueUrls"`)
	}
	assert.Equal(t, inq.Counts{NotVisible: 3, Delayed: 3}, s.queue.Stats().Counts)
}

func TestConn_AHalfClosedClientThatHasSentMoreIsAnswered(t *testing.T) {
	s := newSocket(t, new(config))
	conn := s.dial()
	write(t, conn, request("ReceiveMessage", poll))
	s.polls(1)
	write(t, conn, request("SendMessage", `{"QueueUrl":"q","MessageBody":"b"}`)+request("ReceiveMessage", poll)+request("ReceiveMessage", poll))
	require.NoError(t, conn.CloseWrite())
	answers := bufio.NewReader(conn)
	assert.Equal(t, "{}", s.answer(answers), "its poll ends with its side")
	assert.Contains(t, s.answer(answers), `"MD5OfMessageBody"`)
	assert.Contains(t, s.answer(answers), `"Body":"b"`)
	assert.Equal(t, "{}", s.answer(answers))
}

func TestConnections_AreNoMoreThanTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		l := newConnections(p, 2)
		accepted := make(chan net.Conn, 3)
		var calls sync.WaitGroup
		calls.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					assert.ErrorIs(t, err, net.ErrClosed)
					return
				}
				accepted <- c
			}
		})
		for range 4 {
			calls.Go(func() {
				client, server := net.Pipe()
				defer client.Close()
				select {
				case p.conns <- server:
				case <-p.done:
					_ = server.Close()
				}
			})
		}
		synctest.Wait()
		require.Len(t, accepted, 2)
		first := <-accepted
		require.NoError(t, first.Close())
		require.NoError(t, first.Close(), "which makes room once")
		synctest.Wait()
		require.Len(t, accepted, 2)
		require.NoError(t, l.Close())
		_ = l.Close()
		calls.Wait()
		require.NoError(t, (<-accepted).Close())
		require.NoError(t, (<-accepted).Close())
		require.Empty(t, l.open)
	})
}

func TestConnections_ManyPassThroughALimit(t *testing.T) {
	s := newSocket(t, &config{maxConnections: 3})
	var clients sync.WaitGroup
	for range 30 {
		clients.Go(func() {
			conn, err := net.Dial("tcp", s.addr)
			if !assert.NoError(t, err) {
				return
			}
			defer conn.Close()
			write(t, conn, request("SendMessage", `{"QueueUrl":"q","MessageBody":"b"}`))
			status, _ := answer(t, conn)
			assert.Equal(t, 200, status)
		})
	}
	clients.Wait()
	assert.Equal(t, 30, s.queue.Stats().Visible)
	s.dial() // is served by nobody when the service stops, which does not wait for it
}
