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
	"example.com/inq/snsapi"
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

// service serves the queues and topics of regions over HTTP.
type service struct {
	broker      *inq.Broker // of the first region
	regions     *regions
	log         *slog.Logger
	server      *http.Server
	connections int    // how many there may be, 0 for no bound
	data        string // directory that keeps everything, "" for none
}

// newService makes a service whose first broker is b. It fails where the journal has what cannot be.
func newService(b *inq.Broker, log *slog.Logger, c *config) (*service, error) {
	all, err := newRegions(b, log, c)
	if err != nil {
		return nil, err
	}
	s := &service{broker: b, regions: all, log: log, connections: c.maxConnections, data: c.data}
	options := sqsapi.Options{BaseURL: c.url, CooldownAdvice: "Start inqd with -relaxed to lift this rule.", Regions: all.brokerOf, Refused: s.refused}
	topicOptions := snsapi.Options{Regions: all.accountOf, Accounts: all.accounts}
	if !c.unsignedGet {
		options.AllowGet, topicOptions.AllowGet = allowGet, allowGet
	}
	if log.Enabled(context.Background(), slog.LevelDebug) {
		options.Answered, topicOptions.Answered = s.answered, s.answeredTopic
	}
	api := sqsapi.NewHandler(b, options)
	s.server = &http.Server{
		Handler:           withoutPages(s.withHealth(withTopics(snsapi.NewHandler(all.home.account, topicOptions), api))),
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
	return s, nil
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

// withTopics tells requests for SNS from those for SQS.
func withTopics(topics, queues http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if snsapi.IsRequest(r) {
			topics.ServeHTTP(w, r)
			return
		}
		queues.ServeHTTP(w, r)
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
	s.logRequest(r, attributes, a.Region, a.Code)
}

// answeredTopic logs a request for SNS.
func (s *service) answeredTopic(r *http.Request, a snsapi.Answer) {
	s.logRequest(r, []slog.Attr{
		slog.String("operation", a.Operation), slog.String("resource", a.Resource), slog.Int("status", a.Status),
		slog.Duration("duration", a.Duration), slog.Int64("request_bytes", a.RequestBytes), slog.Int("bytes", a.Bytes),
	}, a.Region, a.Code)
}

func (s *service) logRequest(r *http.Request, attributes []slog.Attr, region, code string) {
	if region != "" && region != s.broker.Region() {
		attributes = append(attributes, slog.String("region", region))
	}
	if code != "" {
		attributes = append(attributes, slog.String("error", code))
	}
	s.log.LogAttrs(r.Context(), slog.LevelDebug, "request", attributes...)
}

// refused looks for what may have gone wrong where a queue was not found.
func (s *service) refused(_ *http.Request, a sqsapi.Answer) {
	if a.Code == "AWS.SimpleQueueService.NonExistentQueue" {
		s.regions.hint(a.Region, a.Queue)
	}
}

// serve answers requests until ctx ends. Then it accepts no more connections, ends the long polls,
// waits for the other requests, ends the deliveries of topics, and tells what is lost. It returns nil
// after that, and an error where the listener fails. The broker stays the caller's to close.
func (s *service) serve(ctx context.Context, listener net.Listener) error {
	defer s.regions.close()
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
	s.regions.closeTopics()
	if s.data != "" {
		s.log.Info("stopped", "messages_kept", s.messages(), "data", s.data)
		return nil
	}
	s.log.Info("stopped", "messages_lost", s.tellLosses())
	return nil
}

// queues calls f with each queue.
func (s *service) queues(f func(region, name string, stats inq.Stats)) {
	for _, r := range s.regions.list() {
		names, err := r.broker.List("", "", 0)
		if err != nil {
			continue // closed: no queues
		}
		for _, name := range names {
			q, err := r.broker.Queue(name)
			if err != nil {
				continue // deleted meanwhile
			}
			f(r.broker.Region(), name, q.Stats())
		}
	}
}

// waiting counts the long polls.
func (s *service) waiting() (n int) {
	s.queues(func(_, _ string, stats inq.Stats) { n += stats.WaitingReceives })
	return n
}

// messages counts what is in the queues.
func (s *service) messages() (n int) {
	s.queues(func(_, _ string, stats inq.Stats) { n += stats.Visible + stats.NotVisible + stats.Delayed })
	return n
}

// tellLosses logs which queues still hold messages, and returns how many there are in all.
func (s *service) tellLosses() (n int) {
	s.queues(func(region, name string, stats inq.Stats) {
		lost := stats.Visible + stats.NotVisible + stats.Delayed
		if lost == 0 {
			return
		}
		n += lost
		attributes := []any{"queue", name, "messages", lost, "visible", stats.Visible, "in_flight", stats.NotVisible, "delayed", stats.Delayed}
		if region != s.broker.Region() {
			attributes = append(attributes, "region", region)
		}
		s.log.Warn("messages are lost", attributes...)
	})
	return n
}
