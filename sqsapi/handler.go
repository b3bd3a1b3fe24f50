package sqsapi

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/inq"
)

// DefaultMaxBytes is the size above which a Handler refuses a request's body: three times 1 MiB,
// which is what URL encoding can make of the longest legal message or batch, and 256 KiB for what
// does not count into its size.
const DefaultMaxBytes = 3<<20 + 256<<10

// Options of a [Handler]. The zero value is ready to use.
type Options struct {
	// BaseURL is what queue URLs begin with, such as "https://queues.example.com", without a slash
	// at the end. Defaults to the scheme and Host of each request, so that clients that send to the
	// URL of the queue reach this handler (SQS: WIRE-20). Forwarding headers are not trusted:
	// behind a proxy that changes the Host, set BaseURL.
	// [inq.Broker.QueueURL] makes the same URLs without a request.
	BaseURL string
	// MaxBytes is the size above which a request's body is refused. 0 or less: [DefaultMaxBytes].
	// Brokers whose queues are [inq.WithoutSQSLimits] may need more. Whatever it is, a request is
	// refused where a batch has more than 10,000 entries or a list more than 1,000 names, and a
	// Query request where it has more than 10,000 parameters.
	MaxBytes int64
	// MaxTotalBytes bounds the memory of large requests and answers that are under way at once. A
	// request counts with twice the size of its body, an answer with the size of its messages, those
	// of up to 16 KiB not at all. One that finds too little left waits for up to two seconds; then it
	// is refused with RequestThrottled, which SDKs answer by trying again, and messages that were
	// received for it are given back. 0 or less: [DefaultMaxTotalBytes].
	MaxTotalBytes int64
	// AllowGet is asked before an operation that changes something is carried out for a GET request,
	// ReceiveMessage among them. Where it says no the request is refused with AccessDenied (403). A
	// page in a browser can make it send a GET request to any address. nil: all are carried out.
	AllowGet func(*http.Request) bool
	// CooldownAdvice is put behind the texts of the two errors of the 60-second rules, such as "Use
	// another name, or wait." Defaults to none.
	CooldownAdvice string
	// Answered is called after each answer by the goroutine that served the request, with what it
	// was about: for a log, or for counting. It must not keep the request, and is called by several
	// goroutines at once. nil: nothing is measured.
	Answered func(*http.Request, Answer)
}

// Handler serves the API of Amazon SQS for the queues of a broker. Create one with [NewHandler]. It
// is safe for concurrent use, keeps no goroutine and nothing to close. It answers on every path;
// see [NewHandler] for what paths mean.
type Handler struct {
	broker   *inq.Broker
	baseURL  string
	max      int64
	budget   *budget
	allowGet func(*http.Request) bool // nil: all
	advice   string
	answered func(*http.Request, Answer) // nil: none
	polling  context.Context             // ends with the long polls
	endPolls context.CancelFunc
}

// NewHandler makes a handler for the queues of b, which stays the caller's to close. The last
// element of a queue URL's path is the queue's name; of what else the URL says, only a host under
// amazonaws.com of another region is refused (SQS: MGT-13).
func NewHandler(b *inq.Broker, o Options) *Handler {
	h := &Handler{broker: b, baseURL: strings.TrimSuffix(o.BaseURL, "/"), max: o.MaxBytes, allowGet: o.AllowGet, advice: o.CooldownAdvice, answered: o.Answered}
	h.polling, h.endPolls = context.WithCancel(context.Background())
	// A context makes its channel when it is first asked for it. Where that is a request inside a
	// bubble, EndLongPolls outside of it must not be the one to close it.
	h.polling.Done()
	if h.max <= 0 {
		h.max = DefaultMaxBytes
	}
	total := o.MaxTotalBytes
	if total <= 0 {
		total = DefaultMaxTotalBytes
	}
	h.budget = newBudget(total)
	return h
}

// call is one request under way, as operations see it.
type call struct {
	*Handler
	ctx   context.Context
	r     *http.Request
	path  string // name of the queue whose URL a Query request was sent to, "" for none
	share share
	left  int // entries of its batch that were not kept
}

func (c *call) leave(n int) { c.left += n }

// endless reports whether a queue is without the limits of SQS, as far as it can be found.
func (c *call) endless(url *string) bool {
	q, err := c.queue(url)
	return err == nil && !hasLimits(q)
}

// steady is the context of a call that came over a connection: that of its request, without the end of
// the connection. A client that has sent its whole request may end its side of the connection and wait
// for the answer; that looks like one that went away, and to carry out the request is right for both.
type steady call

func (s *steady) Deadline() (time.Time, bool) { return s.r.Context().Deadline() }
func (s *steady) Value(key any) any           { return s.r.Context().Value(key) }

// Done is never.
func (s *steady) Done() <-chan struct{} { return nil }

// Err tells of the deadline alone, which somebody has set.
func (s *steady) Err() error {
	if err := s.r.Context().Err(); err == context.DeadlineExceeded {
		return err
	}
	return nil
}

// served reports whether a request came over a connection.
func served(r *http.Request) bool { return r.Context().Value(http.ServerContextKey) != nil }

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var began time.Time
	if h.answered != nil {
		began = time.Now()
	}
	c := &call{Handler: h, ctx: r.Context(), r: r}
	defer c.share.shrink(h.budget, 0)
	if served(r) {
		c.ctx = (*steady)(c)
	}
	id := requestID()
	x, op, in, err := c.read(w)
	var out any
	if err == nil {
		out, err = c.run(op, in)
	}
	a := outgoing{codec: x, out: out, id: id}
	status, code := http.StatusOK, ""
	if err != nil {
		a.fault = h.advise(toFault(err, origin{}))
		status, code = a.fault.kind.status, a.fault.kind.code
	}
	size := c.answer(w, &a, status)
	if h.answered != nil {
		a := Answer{Status: status, Code: code, RequestBytes: r.ContentLength, Bytes: int(size), Duration: time.Since(began)}
		a.about(op, in, c.path)
		h.answered(r, a)
	}
}

// advise adds to the errors of the 60-second rules what can be done about them.
func (h *Handler) advise(f *fault) *fault {
	if h.advice != "" && (f.kind == kindQueueDeletedRecently || f.kind == kindPurgeQueueInProgress) {
		advised := *f
		advised.message += " " + h.advice
		return &advised
	}
	return f
}

// run carries out an operation.
func (c *call) run(op *operation, in any) (any, error) {
	if c.r.Method == http.MethodGet && !op.reads && c.allowGet != nil && !c.allowGet(c.r) {
		return nil, &fault{kind: kindAccessDenied, message: textGet}
	}
	return op.run(c, in)
}

// outgoing is what goes to the client.
type outgoing struct {
	codec
	out   any
	fault *fault // nil: out
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
func (c *call) answer(w http.ResponseWriter, a *outgoing, status int) int64 {
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
		drain(w, c.r)
	}
	return size
}

// read finds out what a request asks for. The codec it returns is the one to answer with, also
// where there is an error. The body is free again when it returns: what waits must not hold it.
func (c *call) read(w http.ResponseWriter) (x codec, op *operation, in any, err error) {
	body := newBody()
	defer body.release()
	err = body.read(c, w)
	if isJSON(c.r) {
		j := &jsonCodec{body: body.text}
		defer func() { j.body = nil }()
		if err == nil {
			op, err = jsonOperation(c.r)
		}
		j.void = op != nil && op.void
		x = j
	} else {
		q := &queryCodec{}
		if err == nil {
			err = q.parse(c.r, body.text)
		}
		if err == nil {
			c.path = pathQueue(c.r)
			op, err = q.operation(c.path)
		}
		x = q
	}
	if err != nil {
		return x, nil, nil, err
	}
	in = op.input()
	return x, op, in, x.read(in, c)
}

// requestID makes a version-4 UUID. It names a request and guards nothing, so that it need not be
// unpredictable.
func requestID() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], rand.Uint64())
	binary.BigEndian.PutUint64(b[8:], rand.Uint64())
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var id [36]byte
	hex.Encode(id[:8], b[:4])
	hex.Encode(id[9:13], b[4:6])
	hex.Encode(id[14:18], b[6:8])
	hex.Encode(id[19:23], b[8:10])
	hex.Encode(id[24:], b[10:])
	id[8], id[13], id[18], id[23] = '-', '-', '-', '-'
	return string(id[:])
}
