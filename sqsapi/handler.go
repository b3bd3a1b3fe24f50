package sqsapi

import (
	"net/http"
	"strings"

	"example.com/inq"
	"example.com/inq/internal/disturbance"
	"example.com/inq/internal/wire"
)

// DefaultMaxBytes is the size above which a Handler refuses a request's body: three times 1 MiB,
// which is what URL encoding can make of the longest legal message or batch, and 256 KiB for what
// does not count into its size.
const DefaultMaxBytes = 3<<20 + 256<<10

// DefaultMaxTotalBytes is what large requests and answers may take at once, see
// Options.MaxTotalBytes.
const DefaultMaxTotalBytes = wire.DefaultMaxTotalBytes

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
	// Regions lets clients of several regions use the handler: each has queues of its own. It returns the broker of the region that a request is signed for, where that is
	// not the one of NewHandler's broker, whose requests and unsigned ones are its own. With create the
	// request creates a queue, and the region is to be made if there is none of that name; else the
	// broker may be nil, which is answered as by a region without queues. An error is answered like one
	// of the broker. It is called by several goroutines at once. nil: all requests are about the broker
	// of NewHandler, whatever region they are signed for.
	Regions func(region string, create bool) (*inq.Broker, error)
	// Answered is called after each answer by the goroutine that served the request, with what it
	// was about: for a log, or for counting. It must not keep the request, and is called by several
	// goroutines at once. nil: nothing is measured.
	Answered func(*http.Request, Answer)
	// Refused is Answered for the answers that are errors, for hints to whoever looks for their cause.
	// It costs others nothing, and measures no Duration.
	Refused func(*http.Request, Answer)
}

// Handler serves the API of Amazon SQS for the queues of a broker. Create one with [NewHandler]. It
// is safe for concurrent use, keeps no goroutine and nothing to close. It answers on every path;
// see [NewHandler] for what paths mean.
type Handler struct {
	server  *wire.Server
	baseURL string
	advice  string
	home    *region
	regions func(region string, create bool) (*inq.Broker, error) // nil: there is one
	around  disturbance.Around                                    // nil: nobody disturbs it
}

// region is where a call finds its queues.
type region struct {
	*Handler
	broker *inq.Broker
	wrap   func(any) any // of the queues of a disturbed call; nil: none
}

// NewHandler makes a handler for the queues of b, which stays the caller's to close. The last
// element of a queue URL's path is the queue's name; of what else the URL says, only a host under
// amazonaws.com of another region is refused (SQS: MGT-13). Where b is nil, every request is answered
// as by a broker that was closed: with ServiceUnavailable (503).
func NewHandler(b *inq.Broker, o Options) *Handler {
	if b == nil {
		b, o.Regions = new(inq.Broker), nil // one that no constructor made is closed
	}
	h := &Handler{baseURL: strings.TrimSuffix(o.BaseURL, "/"), advice: o.CooldownAdvice, regions: o.Regions}
	h.home = &region{h, b, nil}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxTotalBytes <= 0 {
		o.MaxTotalBytes = DefaultMaxTotalBytes
	}
	options := wire.Options{MaxBytes: o.MaxBytes, MaxTotalBytes: o.MaxTotalBytes, AllowGet: o.AllowGet}
	if o.Answered != nil {
		options.Answered = func(r *http.Request, a *wire.Answer) { o.Answered(r, describeAnswer(a)) }
	}
	if o.Refused != nil {
		options.Refused = func(r *http.Request, a *wire.Answer) { o.Refused(r, describeAnswer(a)) }
	}
	h.server = wire.NewServer(&wire.Service{
		Name:       "sqsapi",
		Operations: operations,
		Target:     "AmazonSQS.",
		Example:    "SendMessage",
		Shapes:     "com.amazonaws.sqs#",
		Query: wire.QueryStyle{
			Namespace: "http://queue.amazonaws.com/doc/2012-11-05/",
			Head:      `<?xml version="1.0"?>`,
			Detail:    "<Detail/>",
			NoAction:  &fault{Kind: kindNoAction}, NoActionBody: "<UnknownOperationException/>\n",
		},
		Bounds:         wire.Bounds{Entries: maxEntries + 1, Attributes: maxAttributes + 1, Names: maxNames + 1},
		Fault:          h.fault,
		Missing:        missing,
		AttributeTwice: attributeTwice,
		Begin:          h.begin,
		Path:           pathQueue,
		Endless:        endless,
	}, options)
	return h
}

// maxNames is how many tags a queue can have. It has fewer attributes (SQS: section 1.2).
const maxNames = 50

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h == nil || h.server == nil { // no constructor made it
		h = NewHandler(nil, Options{})
	}
	h.server.ServeHTTP(w, r)
}

// fault translates an error, and adds to those of the 60-second rules what can be done about them.
func (h *Handler) fault(err error) *fault {
	f := toFault(err, origin{})
	if h.advice != "" && (f.Kind == kindQueueDeletedRecently || f.Kind == kindPurgeQueueInProgress) {
		f.Message += " " + h.advice
	}
	return f
}

// begin finds the region of a call: that of its signature's scope.
func (h *Handler) begin(c *wire.Call, op *wire.Operation) error {
	c.Own = h.home
	if h.regions == nil {
		return nil
	}
	name, _ := wire.Scope(c.Request)
	if name == "" || name == h.home.broker.Region() {
		return nil
	}
	b, err := h.regions(name, op.Creates)
	if b == nil && err == nil {
		b, err = inq.NewBroker(inq.WithRegion(name), inq.WithAccount(h.home.broker.Account())) // without queues
	}
	if err != nil {
		return err
	}
	c.Own = &region{h, b, nil}
	return nil
}

// endless reports whether the queue of a batch is without the limits of SQS, as far as it can be
// found.
func endless(c *wire.Call, find func(name string) *string) bool {
	q, err := ownCall(c).queue(find("QueueUrl"))
	return err == nil && !hasLimits(q)
}
