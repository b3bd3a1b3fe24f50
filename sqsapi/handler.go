package sqsapi

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
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
	// Brokers whose queues are [inq.WithoutSQSLimits] may need more. Whatever it is, a JSON request
	// is refused where a list has more than 100,000 elements, and a Query request where it has more
	// than 10,000 parameters.
	MaxBytes int64
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
	answered func(*http.Request, Answer) // nil: none
	polling  context.Context             // ends with the long polls
	endPolls context.CancelFunc
}

// NewHandler makes a handler for the queues of b, which stays the caller's to close. The last
// element of a queue URL's path is the queue's name; of what else the URL says, only a host under
// amazonaws.com of another region is refused (SQS: MGT-13).
func NewHandler(b *inq.Broker, o Options) *Handler {
	h := &Handler{broker: b, baseURL: strings.TrimSuffix(o.BaseURL, "/"), max: o.MaxBytes, answered: o.Answered}
	h.polling, h.endPolls = context.WithCancel(context.Background())
	// A context makes its channel when it is first asked for it. Where that is a request inside a
	// bubble, EndLongPolls outside of it must not be the one to close it.
	h.polling.Done()
	if h.max <= 0 {
		h.max = DefaultMaxBytes
	}
	return h
}

// call is one request under way, as operations see it.
type call struct {
	*Handler
	ctx  context.Context
	r    *http.Request
	path string // name of the queue whose URL a Query request was sent to, "" for none
}

// buffers hold requests while they are read and answers while they are written. A long poll holds
// none.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled keeps a few large messages from occupying memory for good.
const maxPooled = 1 << 18

func release(b *bytes.Buffer) {
	if b.Cap() <= maxPooled {
		b.Reset()
		buffers.Put(b)
	}
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var began time.Time
	if h.answered != nil {
		began = time.Now()
	}
	id := requestID()
	x, op, in, path, err := h.read(w, r)
	var out any
	if err == nil {
		out, err = op.run(&call{Handler: h, ctx: r.Context(), r: r, path: path}, in)
	}
	answer := buffers.Get().(*bytes.Buffer)
	defer release(answer)
	head := w.Header()
	status, code := http.StatusOK, ""
	if err != nil {
		f := toFault(err, origin{})
		status, code = f.kind.status, f.kind.code
		x.fault(answer, head, f, id)
	} else {
		x.result(answer, out, id)
	}
	head["Content-Type"] = x.contentType()
	head["X-Amzn-Requestid"] = []string{id}
	head["Content-Length"] = []string{strconv.Itoa(answer.Len())}
	w.WriteHeader(status)
	_, _ = w.Write(answer.Bytes()) // a client that is gone reads no error either
	if h.answered != nil {
		a := Answer{Status: status, Code: code, RequestBytes: r.ContentLength, Bytes: answer.Len(), Duration: time.Since(began)}
		a.about(op, in, path)
		h.answered(r, a)
	}
}

// read finds out what a request asks for. The codec it returns is the one to answer with, also
// where there is an error. The buffer is free again when it returns: what waits must not hold it.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) (x codec, op *operation, in any, path string, err error) {
	body := buffers.Get().(*bytes.Buffer)
	defer release(body)
	err = h.readBody(body, w, r)
	if isJSON(r) {
		j := &jsonCodec{body: body.Bytes()}
		defer func() { j.body = nil }()
		if err == nil {
			op, err = jsonOperation(r)
		}
		x = j
	} else {
		q := &queryCodec{}
		if err == nil {
			err = q.parse(r, body.Bytes())
		}
		if err == nil {
			path = pathQueue(r)
			op, err = q.operation(path)
		}
		x = q
	}
	if err != nil {
		return x, nil, nil, "", err
	}
	in = op.input()
	return x, op, in, path, x.read(in)
}

// readBody reads what the client sends, up to the limit. A body that says it is longer is not read
// at all.
func (h *Handler) readBody(body *bytes.Buffer, w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength > h.max {
		w.Header().Set("Connection", "close") // rather than read on for the sake of the next request
		return h.tooLarge()
	}
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, h.max))
	if err == nil {
		return nil
	}
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return h.tooLarge()
	case r.Context().Err() != nil:
		return r.Context().Err()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return faultf(kindSerialization, "The request ended before its body was complete.")
	}
	return faultf(kindSerialization, "The body of the request could not be read.")
}

func (h *Handler) tooLarge() error {
	return faultf(kindTooLarge, "Request must not be longer than %d bytes.", h.max)
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
