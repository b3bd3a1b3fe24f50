package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"example.com/inq"
	"example.com/inq/sqsapi"
)

// longestPoll is how long a receive waits at most (SQS: RCV-2).
const longestPoll = 20 * time.Second

// Bounds of the server. A client that sends or reads slowly is cut off, one that waits for a
// message is not.
const (
	readHeaderTimeout = 10 * time.Second
	// readTimeout is for a whole request. A long poll begins when its request is read.
	readTimeout = 30 * time.Second
	// writeTimeout counts from the end of the header: a body that comes as slowly as it may, a long
	// poll, and 10 seconds to write the answer.
	writeTimeout = readTimeout + longestPoll + 10*time.Second
	// idleTimeout is longer than the connection pools of the SDKs keep a connection, as far as they
	// have a bound, so that it is mostly the client who closes one.
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 32 << 10
	// stopTimeout is what requests under way have left when the server stops.
	stopTimeout = 7 * time.Second
	// exitTimeout is when the process ends in any case, whatever keeps it. It ends before the 10
	// seconds that container runtimes give a process.
	exitTimeout = 8 * time.Second
)

// service serves a broker over HTTP.
type service struct {
	broker      *inq.Broker
	log         *slog.Logger
	server      *http.Server
	connections int // how many there may be, 0 for no bound
}

func newService(b *inq.Broker, log *slog.Logger, c *config) *service {
	s := &service{broker: b, log: log, connections: c.maxConnections}
	options := sqsapi.Options{BaseURL: c.url, CooldownAdvice: "Start inqd with -relaxed to lift this rule."}
	if !c.unsignedGet {
		options.AllowGet = allowGet
	}
	if log.Enabled(context.Background(), slog.LevelDebug) {
		options.Answered = s.answered
	}
	api := sqsapi.NewHandler(b, options)
	s.server = &http.Server{
		Handler:           withoutPages(s.withHealth(api)),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return c.(*conn).requests(ctx) },
		ConnState: func(c net.Conn, state http.ConnState) {
			if state == http.StateActive { // the first header has come
				c.(*conn).fresh.Store(false)
			}
		},
	}
	s.server.RegisterOnShutdown(api.EndLongPolls)
	return s
}

// withHealth answers GET /health itself. It is no mux, which would redirect paths that sqsapi
// understands.
func (s *service) withHealth(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			s.health(w)
			return
		}
		api.ServeHTTP(w, r)
	})
}

// health tells that requests are served. It counts nothing: it is asked often, and by anyone.
func (s *service) health(w http.ResponseWriter) {
	if _, err := s.broker.List("", "", 1); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	const body = `{"status":"ok"}`
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, body) // a client that is gone reads no error either
}

// answered logs a request.
func (s *service) answered(r *http.Request, a sqsapi.Answer) {
	attributes := []slog.Attr{
		slog.String("operation", a.Operation), slog.String("queue", a.Queue), slog.Int("status", a.Status),
		slog.Duration("duration", a.Duration), slog.Int64("request_bytes", a.RequestBytes), slog.Int("bytes", a.Bytes),
	}
	if a.Code != "" {
		attributes = append(attributes, slog.String("error", a.Code))
	}
	s.log.LogAttrs(r.Context(), slog.LevelDebug, "request", attributes...)
}

// serve answers requests until ctx ends. Then it accepts no more connections, ends the long polls,
// waits for the other requests, and tells what is lost. It returns nil after that, and an error
// where the listener fails. The broker stays the caller's to close.
func (s *service) serve(ctx context.Context, listener net.Listener) error {
	connections := newConnections(listener, s.connections)
	s.server.RegisterOnShutdown(connections.closeFresh)
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(connections) }()
	select {
	case err := <-served:
		_ = s.server.Close() // nobody is left to serve the connections there are
		return fmt.Errorf("serving on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	s.log.Info("stopping", "long_polls", s.waiting(), "timeout", stopTimeout)
	bounded, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := s.server.Shutdown(bounded); err != nil {
		s.log.Warn("requests under way are cut off", "after", stopTimeout)
		_ = s.server.Close() // the error is of closing connections nobody needs
	}
	<-served
	s.log.Info("stopped", "messages_lost", s.tellLosses())
	return nil
}

// queues calls f with each queue.
func (s *service) queues(f func(name string, stats inq.Stats)) {
	names, err := s.broker.List("", "", 0)
	if err != nil {
		return // closed: no queues
	}
	for _, name := range names {
		q, err := s.broker.Queue(name)
		if err != nil {
			continue // deleted meanwhile
		}
		f(name, q.Stats())
	}
}

// waiting counts the long polls.
func (s *service) waiting() (n int) {
	s.queues(func(_ string, stats inq.Stats) { n += stats.WaitingReceives })
	return n
}

// tellLosses logs which queues still hold messages, and returns how many there are in all.
func (s *service) tellLosses() (n int) {
	s.queues(func(name string, stats inq.Stats) {
		lost := stats.Visible + stats.NotVisible + stats.Delayed
		if lost == 0 {
			return
		}
		n += lost
		s.log.Warn("messages are lost", "queue", name, "messages", lost,
			"visible", stats.Visible, "in_flight", stats.NotVisible, "delayed", stats.Delayed)
	})
	return n
}
