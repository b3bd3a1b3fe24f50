// Package wire is what front ends of AWS services have in common: the protocols AWS JSON 1.0 and
// Query, routing, request ids, errors, and the bounds that hold for hostile requests. It knows no
// service: one is a [Service], a table of operations and how it spells errors.
package wire

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// Options of a [Server].
type Options struct {
	MaxBytes      int64 // above which the body of a request is refused
	MaxTotalBytes int64 // for large requests and answers under way
	// AllowGet is asked before an operation that changes something is carried out for a GET request.
	// nil: all are.
	AllowGet func(*http.Request) bool
	// Answered is called after each answer. nil: nothing is measured.
	Answered func(*http.Request, *Answer)
	// Refused is called after each answer that is an error. Duration is 0 without Answered.
	Refused func(*http.Request, *Answer)
}

// Answer is what became of a request.
type Answer struct {
	Operation    *Operation // nil where the request names none that exists
	In           any        // the request; nil where it cannot be read
	Out          any        // the result; nil for an error, and where there is none
	Call         *Call      // good until Answered returns
	Status       int        // of HTTP
	Code         string     // of the error, as the Query protocol spells it; "" for success
	RequestBytes int64      // size of the request's body; -1 where the client did not tell it before
	Bytes        int        // size of the answer's body
	Duration     time.Duration
}

// Server serves a service over HTTP. It is safe for concurrent use, keeps no goroutine and nothing to
// close.
type Server struct {
	*Service
	Options
	Budget   *Budget
	polling  context.Context // ends with the long polls
	endPolls context.CancelFunc
}

// NewServer makes a server. All options must be set that are numbers.
func NewServer(s *Service, o Options) *Server {
	v := &Server{Service: s, Options: o, Budget: NewBudget(o.MaxTotalBytes)}
	v.polling, v.endPolls = context.WithCancel(context.Background())
	// A context makes its channel when it is first asked for it. Where that is a request inside a
	// bubble, EndLongPolls outside of it must not be the one to close it.
	v.polling.Done()
	return v
}

// EndLongPolls ends the context that LongPolls returns.
func (s *Server) EndLongPolls() { s.endPolls() }

// LongPolls returns a context that lives as long as a call may wait for something.
func (s *Server) LongPolls() context.Context { return s.polling }

// Call is one request under way, as operations see it.
type Call struct {
	*Server
	Request *http.Request
	Path    string // what the URL of a Query request names, "" for nothing
	Own     any    // the service's
	share   share
	left    int32 // entries of its batch that were not kept
	served  bool  // it came over a connection
	asked   bool  // whether all entries of its batch are kept, and the answer
	all     bool
}

// NewCall makes a call of a request that ServeHTTP does not serve, for tests.
func (s *Server) NewCall(r *http.Request) *Call {
	return &Call{Server: s, Request: r, served: r != nil && served(r)}
}

// JSON reports whether the call is in AWS JSON.
func (c *Call) JSON() bool { return isJSON(c.Request) }

// Left is how many entries the batch of the request had beyond those that were kept.
func (c *Call) Left() int { return int(c.left) }

// Context is the context to carry out the call with.
func (c *Call) Context() context.Context {
	if c.served {
		return (*steady)(c)
	}
	return c.Request.Context()
}

// Gone reports whether the client of a connection has ended its side of it, as far as the server
// knows.
func (c *Call) Gone() bool { return c.served && c.Request.Context().Err() == context.Canceled }

// Need makes room for n bytes of an answer in the budget, beside what the call holds of it, and
// waits for that a little: [ErrBusy]. What is small needs none.
func (c *Call) Need(n int64) error {
	if n <= freeBytes {
		return nil
	}
	return c.share.grow(c.Context(), c.Budget, c.share.held+n)
}

// Hold gives back what the call holds of the budget beyond n bytes.
func (c *Call) Hold(n int64) { c.share.shrink(c.Budget, n) }

// steady is the context of a call that came over a connection: that of its request, without the end of
// the connection. A client that has sent its whole request may end its side of the connection and wait
// for the answer; that looks like one that went away, and to carry out the request is right for both.
type steady Call

func (s *steady) Deadline() (time.Time, bool) { return s.Request.Context().Deadline() }
func (s *steady) Value(key any) any           { return s.Request.Context().Value(key) }

// Done is never.
func (s *steady) Done() <-chan struct{} { return nil }

// Err tells of the deadline alone, which somebody has set.
func (s *steady) Err() error {
	if err := s.Request.Context().Err(); err == context.DeadlineExceeded {
		return err
	}
	return nil
}

// served reports whether a request came over a connection.
func served(r *http.Request) bool { return r.Context().Value(http.ServerContextKey) != nil }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var began time.Time
	if s.Answered != nil {
		began = time.Now()
	}
	c := &Call{Server: s, Request: r, served: r != nil && served(r)}
	defer c.share.shrink(s.Budget, 0)
	id := requestID()
	x, op, in, err := c.read(w)
	var out any
	if err == nil {
		out, err = c.run(op, in)
	}
	a := outgoing{codec: x, out: out, id: id}
	status, code := http.StatusOK, ""
	if err != nil {
		a.fault = c.toFault(err)
		status, code = a.fault.Kind.Status, a.fault.Kind.Code
	}
	size := c.answer(w, &a, status)
	if s.Answered == nil && (s.Refused == nil || err == nil) {
		return
	}
	answer := &Answer{Operation: op, In: in, Out: out, Call: c, Status: status, Code: code, RequestBytes: r.ContentLength, Bytes: int(size)}
	if s.Answered != nil {
		answer.Duration = time.Since(began)
		s.Answered(r, answer)
	}
	if s.Refused != nil && err != nil {
		s.Refused(r, answer)
	}
}

func (c *Call) toFault(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return c.Service.Fault(err)
}

const textGet = "A GET request that changes something is refused: a page in a browser can make it send one. Use POST."

// run carries out an operation.
func (c *Call) run(op *Operation, in any) (any, error) {
	if c.Request.Method == http.MethodGet && !op.Reads && !op.Link && c.AllowGet != nil && !c.AllowGet(c.Request) {
		return nil, &Fault{Kind: KindAccessDenied, Message: textGet}
	}
	return op.Run(c, in)
}

// outgoing is what goes to the client.
type outgoing struct {
	codec
	out   any
	fault *Fault // nil: out
	id    string
}

func (a *outgoing) write(o *output, head http.Header) {
	if a.fault != nil {
		a.codec.fault(o, head, a.fault, a.id)
	} else {
		a.result(o, a.out, a.id)
	}
}

// answer sends the answer and returns its length.
func (c *Call) answer(w http.ResponseWriter, a *outgoing, status int) int64 {
	o := newOutput()
	defer o.release()
	head := w.Header()
	a.write(o, head)
	size := o.size
	head["Content-Type"] = a.contentType()
	head["X-Amzn-Requestid"] = []string{a.id}
	head["Content-Length"] = []string{strconv.FormatInt(size, 10)}
	unread := a.fault != nil && a.fault.unread
	if unread {
		head["Connection"] = []string{"close"}
	}
	w.WriteHeader(status)
	if !o.over {
		_, _ = w.Write(o.buf) // a client that is gone reads no error either
	} else {
		o.reset(&paced{w, http.NewResponseController(w), time.Now().Add(longestWrite)})
		a.write(o, head)
		o.flush()
	}
	if unread {
		drain(w, c.Request)
	}
	return size
}

// read finds out what a request asks for. The codec it returns is the one to answer with, also
// where there is an error. The body is free again when it returns: what waits must not hold it.
func (c *Call) read(w http.ResponseWriter) (x codec, op *Operation, in any, err error) {
	body := newBody()
	defer body.release()
	err = body.read(c, w)
	if isJSON(c.Request) {
		j := &jsonCodec{service: c.Service, body: body.text}
		defer func() { j.body = nil }()
		if err == nil {
			op, err = c.jsonOperation(c.Request)
		}
		j.void = op != nil && op.Void
		x = j
	} else {
		q := &queryCodec{service: c.Service}
		if err == nil {
			err = q.parse(c.Request, body.text)
		}
		if err == nil && c.Bounds.Parameter > 0 {
			err = c.Need(c.Bounds.Parameter * q.count)
		}
		if err == nil {
			if c.Service.Path != nil {
				c.Path = c.Service.Path(c.Request)
			}
			op, err = q.operation(c.Path)
		}
		x = q
	}
	if err == nil && c.Begin != nil {
		err = c.Begin(c, op)
	}
	if err != nil {
		return x, nil, nil, err
	}
	in = op.Input()
	return x, op, in, x.read(in, c)
}

// ask finds out whether more entries of a batch are kept than are legal. It takes a look
// through the whole request, once.
func (c *Call) ask(find func(name string) *string) bool {
	c.asked = true
	c.all = c.Endless != nil && c.Endless(c, find)
	return c.all
}
