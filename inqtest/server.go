package inqtest

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"example.com/inq"
	"example.com/inq/internal/disturbance"
	"example.com/inq/snsapi"
	"example.com/inq/sqsapi"
	"example.com/inq/topic"
)

// Endpoint is what the URLs of a server's queues begin with, as long as [Server.URL] was not called. The
// name can not be resolved (RFC 6761), so that a URL which strays to another client reaches nobody.
const Endpoint = "http://sqs.invalid"

// Server is an SQS and an SNS for one test: a broker and an account of topics, a log of what happens in
// them, and an HTTP API in front of them. Create one with [New]. It is safe for concurrent use, and
// servers know nothing of each other.
type Server struct {
	// Set by the constructor.
	tb     TB
	config config
	bubble bool
	broker *inq.Broker
	topics *topic.Account
	log    *Log
	calls  *Calls
	sqs    *sqsapi.Handler
	api    http.Handler
	client *http.Client
	ended  chan struct{}        // closed when the test is over
	plan   atomic.Pointer[Plan] // of faults; nil: none

	mu      sync.Mutex // guards everything below
	socket  *httptest.Server
	watched []watch
}

// watch is a queue that is not of the broker.
type watch struct {
	queue inq.Local
	stop  func()
}

// An Option configures a [Server].
type Option func(*config)

type config struct {
	broker    []inq.BrokerOption
	topics    []topic.AccountOption
	cooldowns bool
	strict    bool
	keep      int
}

// Strict makes what was left behind a failure of the test, see [Server.Leaks]. Otherwise it is logged.
func Strict() Option { return func(c *config) { c.strict = true } }

// WithBroker gives options to the server's broker, such as [inq.WithRegion] or [inq.WithQueueDefaults].
// The broker is made [inq.WithoutCooldowns], unless [WithCooldowns] is given; its [inq.WithWatcher] is
// the server's.
func WithBroker(opts ...inq.BrokerOption) Option {
	return func(c *config) { c.broker = append(c.broker, opts...) }
}

// WithTopics gives options to the server's account of topics. Its [topic.WithPublished] is the
// server's.
func WithTopics(opts ...topic.AccountOption) Option {
	return func(c *config) { c.topics = append(c.topics, opts...) }
}

// WithCooldowns keeps the 60-second rules of SQS, which would be in the way of most tests: a queue can
// be purged once in that time, and its name is not free at once when it was deleted. [Server.Reset]
// then fails within a minute of another purge.
func WithCooldowns() Option { return func(c *config) { c.cooldowns = true } }

// DefaultKept is how many entries a log keeps, unless [WithKept] says otherwise.
const DefaultKept = 250_000

// WithKept sets how many entries the log keeps, at least 1: the newest. Default [DefaultKept], which
// take some 60 MB beside the bodies. What no longer has its entries cannot be proven, so that
// [Log.Never] fails once one was dropped.
func WithKept(entries int) Option { return func(c *config) { c.keep = entries } }

// New starts a server for a test, and ends it when the test and its subtests are over, after the
// cleanups that the test registers later: then it tells what was left behind, see [Server.Leaks], and
// shows the end of the log of a test that has failed, unless a failure has shown it. No goroutine and no
// socket belongs to it. A bad option ends the test.
func New(tb TB, opts ...Option) *Server {
	tb.Helper()
	c := config{keep: DefaultKept}
	for _, o := range opts {
		if o != nil {
			o(&c)
		}
	}
	if c.keep < 1 {
		tb.Fatalf("inqtest: WithKept(%d): must be at least 1 entry", c.keep)
	}
	s := &Server{tb: tb, config: c, bubble: settle(), ended: make(chan struct{})}
	s.log = newLog(tb, s.bubble, c.keep)
	s.calls = newCalls()
	if err := s.start(); err != nil {
		tb.Fatalf("inqtest: %v", err)
	}
	tb.Cleanup(s.end)
	return s
}

func (s *Server) start() (err error) {
	options := append([]inq.BrokerOption{}, s.config.broker...)
	if !s.config.cooldowns {
		options = append(options, inq.WithoutCooldowns())
	}
	if s.broker, err = inq.NewBroker(append(options, inq.WithWatcher(s.log.watch))...); err != nil {
		return err
	}
	accountOptions := append([]topic.AccountOption{topic.WithBroker(s.broker), topic.WithBaseURL(Endpoint)}, s.config.topics...)
	if s.topics, err = topic.NewAccount(append(accountOptions, topic.WithPublished(s.log.published))...); err != nil {
		return errors.Join(err, s.broker.Close())
	}
	// Bounds of requests protect servers from their clients; here both are one test.
	s.sqs = sqsapi.NewHandler(s.broker, sqsapi.Options{MaxBytes: math.MaxInt64, Answered: s.answered})
	sns := snsapi.NewHandler(s.topics, snsapi.Options{MaxBytes: math.MaxInt64, Answered: s.answeredTopic})
	disturbance.Disturb(s.sqs, s.around)
	s.api = s.cutting(func(w http.ResponseWriter, r *http.Request) {
		if snsapi.IsRequest(r) {
			sns.ServeHTTP(w, r)
			return
		}
		s.sqs.ServeHTTP(w, r)
	})
	s.client = &http.Client{Transport: &transport{s, sqsapi.NewRoundTripper(s.api)}}
	return nil
}

// end tells what was left behind, and closes everything.
func (s *Server) end() {
	s.tb.Helper()
	s.awaitPolls()
	if s.tb.Failed() && !s.log.wasShown() && s.log.look().count != 0 {
		s.tb.Logf("inqtest: %s", s.log.tail(nil))
	}
	if report := s.Leaks(); report != "" {
		if s.config.strict {
			s.tb.Errorf("%s", report)
		} else {
			s.tb.Logf("%s", report)
		}
	}
	s.sqs.EndLongPolls()
	s.mu.Lock()
	close(s.ended) // no socket from now on
	socket, watched := s.socket, s.watched
	s.watched = nil
	s.mu.Unlock()
	if socket != nil {
		socket.Close()
	}
	for _, w := range watched {
		w.stop()
	}
	_ = s.topics.Close() // both always return nil
	_ = s.broker.Close()
}

// awaitPolls gives consumers that were just told to stop the time to do so. In a bubble that is no time.
func (s *Server) awaitPolls() {
	if s.bubble {
		settle()
		return
	}
	for began, pause := time.Now(), 50*time.Microsecond; time.Since(began) < pollGrace; pause *= 2 {
		waiting := false
		for q := range s.queues() {
			waiting = waiting || q.Stats().WaitingReceives != 0
		}
		if !waiting {
			return
		}
		time.Sleep(pause)
	}
}

// pollGrace is how long a test that ends waits for long polls that end too.
const pollGrace = 100 * time.Millisecond

// Broker returns the server's broker, for all that the server has no shorter way to. Queues made there,
// or by clients, are in the log like the others. The server closes it.
func (s *Server) Broker() *inq.Broker { return s.broker }

// Topics returns the server's account of topics, which delivers to its queues. The server closes it.
func (s *Server) Topics() *topic.Account { return s.topics }

// Log returns the log of everything that happens in the server's queues and topics.
func (s *Server) Log() *Log { return s.log }

// Standard makes a Standard queue, or returns the one of that name, as [inq.Broker.CreateStandard]
// does. What that refuses ends the test.
func (s *Server) Standard(name string, opts ...inq.StandardOption) *inq.Standard {
	s.tb.Helper()
	q, err := s.broker.CreateStandard(name, opts...)
	if err != nil {
		s.tb.Fatalf("inqtest: Standard(%q): %v", name, err)
	}
	return q
}

// FIFO makes a FIFO queue, or returns the one of that name, as [inq.Broker.CreateFIFO] does. What that
// refuses ends the test.
func (s *Server) FIFO(name string, opts ...inq.FIFOOption) *inq.FIFO {
	s.tb.Helper()
	q, err := s.broker.CreateFIFO(name, opts...)
	if err != nil {
		s.tb.Fatalf("inqtest: FIFO(%q): %v", name, err)
	}
	return q
}

// QueueURL returns the URL that clients of the server know the queue of that name by, whether it exists
// or not. It begins with [Endpoint], or with URL once that was called.
func (s *Server) QueueURL(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	base := Endpoint
	if s.socket != nil {
		base = s.socket.URL
	}
	return s.broker.QueueURL(base, name)
}

// Handler returns the HTTP API of both services, which [snsapi.IsRequest] tells apart: for a server of
// the test's own, or to put something in front of it.
func (s *Server) Handler() http.Handler { return s.api }

// HTTPClient returns an HTTP client whose requests end in the server, whatever host they name: no
// socket, and a bubble's clock is that of its long polls. It is what an AWS SDK takes as its HTTP
// client.
func (s *Server) HTTPClient() *http.Client { return s.client }

// URL returns the address of the server on the loopback interface, where it listens from the first call
// on: for clients in other processes, and for those that bring their own transport. In a bubble, whose
// clock stands still while a goroutine waits for a socket, it ends the test: use HTTPClient there. When
// the test is over nobody listens.
func (s *Server) URL() string {
	s.tb.Helper()
	if s.bubble {
		s.tb.Fatalf("inqtest: URL in a bubble: its clock would stand still while a socket is waited for; use HTTPClient")
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket == nil {
		select {
		case <-s.ended:
			return Endpoint
		default:
		}
		s.socket = httptest.NewServer(s.api)
	}
	return s.socket.URL
}

// Watch has a queue that the test made itself, with [inq.NewStandard] or [inq.NewFIFO], in the log from
// now on, and in the report of what was left behind, which then also tells when nobody closed it. The
// server does not close it.
func (s *Server) Watch(q inq.Local) {
	s.tb.Helper()
	if isNil(q) {
		s.tb.Fatalf("inqtest: Watch(nil)")
		return
	}
	stop := q.Watch(func(events []inq.Event) { s.log.watch(q, events) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watched = append(s.watched, watch{q, stop})
}

// Reset takes everything out of the queues and forgets log and calls, so that a server can be used by
// one case of a table after another; times of the log count from then on. Queues, topics and their
// subscriptions stay, and so does a plan of faults; copies that topics have yet to deliver come. Nobody
// should use the server meanwhile.
func (s *Server) Reset() {
	s.tb.Helper()
	for q := range s.queues() {
		if err := q.Purge(context.Background()); err != nil && !errors.Is(err, inq.ErrClosed) {
			s.tb.Fatalf("inqtest: Reset of %s: %v", q.Name(), err)
		}
	}
	if s.bubble {
		settle()
	}
	s.log.reset()
	s.calls.Reset()
}

// queues are those of the broker in the order of their names, and those that are watched.
func (s *Server) queues() func(yield func(inq.Local) bool) {
	return func(yield func(inq.Local) bool) {
		names, _ := s.broker.List("", "", 0) // a broker that was closed has none
		for _, name := range names {
			if q, err := s.broker.Queue(name); err == nil && !yield(q) { // else it was deleted meanwhile
				return
			}
		}
		s.mu.Lock()
		watched := s.watched
		s.mu.Unlock()
		for _, w := range watched {
			if !yield(w.queue) {
				return
			}
		}
	}
}

// answered notes an answer of SQS.
func (s *Server) answered(r *http.Request, a sqsapi.Answer) {
	if r.Context().Err() != nil {
		a.Code = "" // nobody is there to read it: a consumer that stops ends its long poll so
	}
	s.called(Call{Operation: a.Operation, Queue: a.Queue, Entries: a.Entries, Failed: a.Failed, Received: a.Received,
		Payload: a.Payload, Code: a.Code})
}

// answeredTopic notes an answer of SNS.
func (s *Server) answeredTopic(_ *http.Request, a snsapi.Answer) {
	s.called(Call{Operation: a.Operation, Queue: nameOf(a.Resource), Code: a.Code})
}

// called notes a call, and in the log one that was refused.
func (s *Server) called(c Call) {
	s.calls.add(&c)
	if c.Code != "" {
		s.log.add(Entry{Time: time.Now(), Kind: Refused, Queue: c.Queue, Operation: c.Operation, Err: refusal(c.Code)})
	}
}

// refusal is the code of an error as an error.
type refusal string

func (r refusal) Error() string { return string(r) }
