package inqtest

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"example.com/inq"
)

// Faults has the server's SQS API misbehave over HTTP: each request, by HTTPClient, by the Handler or over
// a socket, meets the faults that the plan has for it. What can go wrong at all is as real as it gets:
// clients of an AWS SDK see status, error code and protocol of SQS or a broken connection, and try again
// by their own rules, each try being a call of its own. Requests that cannot be read, and those to the
// SNS API, meet no faults; nor does what uses a queue directly, see [Disturb].
//
// A server has one plan: a later one takes the place of the one before, and one without rules ends all
// trouble. [Server.Reset] leaves it. When the test fails, the plan is logged with its seed and what it
// did. A bad rule ends the test.
func (s *Server) Faults(seed uint64, rules ...Rule) *Plan {
	s.tb.Helper()
	p := NewPlan(s.tb, seed, rules...)
	s.plan.Store(p)
	return p
}

// around carries out a request under the plan.
func (s *Server) around(ctx context.Context, operation, queue string, carryOut func(wrap func(any) any) (any, error)) (any, error) {
	p := s.plan.Load()
	if p == nil || cutOf(ctx) == nil { // the request began before there was a plan
		return carryOut(nil)
	}
	c := &call{plan: p, operation: Operation(operation), queue: queue}
	if ctx.Value(http.ServerContextKey) != nil {
		c.ended = s.ended // the socket waits for its requests when the test is over
	}
	reset, err := c.begin(ctx)
	if err != nil {
		if reset {
			cutOff(ctx)
		}
		return nil, err
	}
	out, err := carryOut(func(q any) any { return &struck{q.(inq.Local), c} })
	if c.lost(ctx) {
		cutOff(ctx)
	}
	return out, err
}

// struck is the queue of a request under a plan.
type struck struct {
	inq.Local
	call *call
}

func (q *struck) SendBatch(ctx context.Context, ms []inq.Message) ([]inq.Sent, error) {
	return q.call.sendBatch(ctx, q.Local, ms)
}

func (q *struck) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	return q.call.receive(ctx, q.Local, in)
}

func (q *struck) Delete(ctx context.Context, receiptHandle string) error {
	q.call.handles(ctx, q.Local, receiptHandle)
	return q.Local.Delete(ctx, receiptHandle)
}

func (q *struck) DeleteBatch(ctx context.Context, receiptHandles []string) error {
	return q.call.deleteBatch(ctx, q.Local, receiptHandles)
}

func (q *struck) ChangeVisibility(ctx context.Context, receiptHandle string, timeout time.Duration) error {
	q.call.handles(ctx, q.Local, receiptHandle)
	return q.Local.ChangeVisibility(ctx, receiptHandle, timeout)
}

func (q *struck) ChangeVisibilityBatch(ctx context.Context, changes []inq.VisibilityChange) error {
	return q.call.changeBatch(ctx, q.Local, changes)
}

// cut is what becomes of the connection of a request. It is written by the goroutine of the request.
type cut struct{ off bool }

type cutKey struct{}

func cutOf(ctx context.Context) *cut {
	c, _ := ctx.Value(cutKey{}).(*cut)
	return c
}

// cutOff breaks the connection of the request with this context instead of answering it.
func cutOff(ctx context.Context) {
	if c := cutOf(ctx); c != nil {
		c.off = true
	}
}

// cutting is h with connections that break. Where the request did not come from the server's own
// transport, which does it itself, it resets that of the socket.
func (s *Server) cutting(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch c := cutOf(r.Context()); {
		case c != nil:
			h(&cuttable{w, c}, r)
		case s.plan.Load() == nil:
			h(w, r)
		default:
			c = &cut{}
			h(&cuttable{w, c}, r.WithContext(context.WithValue(r.Context(), cutKey{}, c)))
			if c.off {
				abort(w, r)
			}
		}
	})
}

// abort resets the connection that a request came over.
func abort(w http.ResponseWriter, r *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	switch {
	case err == nil:
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset, not an end
		}
		_ = conn.Close()
	case r.Context().Value(http.ServerContextKey) != nil:
		panic(http.ErrAbortHandler) // how net/http breaks other connections
	default:
		w.WriteHeader(http.StatusBadGateway) // there is none: somebody calls the handler
	}
}

// cuttable writes an answer as long as there is a connection.
type cuttable struct {
	http.ResponseWriter
	cut *cut
}

func (w *cuttable) WriteHeader(status int) {
	if !w.cut.off {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *cuttable) Write(b []byte) (int, error) {
	if w.cut.off {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for [http.ResponseController].
func (w *cuttable) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// transport is the way to the server without a socket.
type transport struct {
	server *Server
	next   http.RoundTripper
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.server.plan.Load() == nil {
		return t.next.RoundTrip(req)
	}
	c := &cut{}
	res, err := t.next.RoundTrip(req.WithContext(context.WithValue(req.Context(), cutKey{}, c)))
	if err != nil {
		return nil, err
	}
	if c.off {
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	}
	res.Request = req
	return res, nil
}
