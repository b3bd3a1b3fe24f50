package snsapi

import (
	"net/http"
	"strconv"
	"strings"

	"example.com/inq/internal/wire"
	"example.com/inq/topic"
)

// DefaultMaxBytes is the size above which a Handler refuses a request's body: three times 256 KiB,
// which is what URL encoding can make of the longest legal message or batch, and as much for a filter
// policy and what does not count into its size.
const DefaultMaxBytes = 6 * (256 << 10)

// DefaultMaxTotalBytes is what large requests and answers may take at once, see
// Options.MaxTotalBytes.
const DefaultMaxTotalBytes = wire.DefaultMaxTotalBytes

// Options of a [Handler]. The zero value is ready to use.
type Options struct {
	// MaxBytes is the size above which a request's body is refused. 0 or less: [DefaultMaxBytes].
	// Accounts that are [topic.WithoutSNSLimits] may need more. Whatever it is, a request is refused
	// where it has more than 10,000 parameters, or a batch of more than 10 entries.
	MaxBytes int64
	// MaxTotalBytes bounds the memory of large requests that are under way at once. Each counts with
	// twice the size of its body and 700 bytes for each parameter, those of up to 16 KiB not at all. One that finds too little left
	// waits for up to two seconds; then it is refused with Throttled, which SDKs answer by trying
	// again. 0 or less: [DefaultMaxTotalBytes].
	MaxTotalBytes int64
	// AllowGet is asked before an operation that changes something is carried out for a GET request,
	// but not for what the links in envelopes lead to. Where it says no the request is refused with
	// AccessDenied (403). A page in a browser can make it send a GET request to any address. nil: all
	// are carried out.
	AllowGet func(*http.Request) bool
	// Regions lets clients of several regions use the handler: each has topics of its own (SNS:
	// WIRE-14). It returns the account of the region that a request is signed for, where that is not the
	// one of NewHandler's account, whose requests and unsigned ones are its own. With create the request
	// makes something, and the region is to be made if there is none of that name; else the account may
	// be nil, which is answered as by a region without topics. An error is answered like one of the
	// account. It is called by several goroutines at once. nil: all requests are about the account of
	// NewHandler, whatever region they are signed for.
	Regions func(region string, create bool) (*topic.Account, error)
	// Accounts returns the accounts of all regions there are, for links to confirm, which name a token
	// and are not signed. nil: that of NewHandler.
	Accounts func() []*topic.Account
	// Answered is called after each answer by the goroutine that served the request, with what it
	// was about: for a log, or for counting. It must not keep the request, and is called by several
	// goroutines at once. nil: nothing is measured.
	Answered func(*http.Request, Answer)
}

// Handler serves the API of Amazon SNS for the topics of an account. Create one with [NewHandler]. It is
// safe for concurrent use, keeps no goroutine and nothing to close. It answers on every path.
type Handler struct {
	server   *wire.Server
	home     *region
	regions  func(region string, create bool) (*topic.Account, error) // nil: there is one
	accounts func() []*topic.Account
}

// region is where a call finds its topics.
type region struct {
	*Handler
	account *topic.Account
	missing bool // there is no such region, and the account is one without topics
}

// NewHandler makes a handler for the topics of a, which stays the caller's to close.
func NewHandler(a *topic.Account, o Options) *Handler {
	h := &Handler{regions: o.Regions, accounts: o.Accounts}
	h.home = &region{Handler: h, account: a}
	if h.accounts == nil {
		h.accounts = func() []*topic.Account { return []*topic.Account{a} }
	}
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
	h.server = wire.NewServer(&wire.Service{
		Name:       "snsapi",
		Operations: operations,
		Query: wire.QueryStyle{
			Namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
			NoAction:  &wire.Fault{Kind: kindMissingAction, Message: "The request must contain the parameter Action."},
		},
		// Messages have no number of attributes of their own; as many as a form can have are kept.
		Bounds:         wire.Bounds{Entries: maxTags + 1, Attributes: wire.MaxEntries, Names: maxAttributes + 1, Parameter: 700},
		Fault:          toFault,
		Missing:        missing,
		AttributeTwice: attributeTwice,
		Begin:          h.begin,
	}, options)
	return h
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isCertificate(r) {
		serveCertificate(w)
		return
	}
	h.server.ServeHTTP(w, r)
}

const certificateBeginning = "/SimpleNotificationService-"

// isCertificate tells a request for a certificate, ours or that of an earlier process.
func isCertificate(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.URL.Path, certificateBeginning) &&
		strings.HasSuffix(r.URL.Path, topic.CertificatePath())
}

// serveCertificate answers with the certificate of the signatures (SNS: SIG-3).
func serveCertificate(w http.ResponseWriter) {
	text := topic.Certificate()
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write(text) // a client that is gone reads no error either
}

// begin finds the region of a call: that of its signature's scope.
func (h *Handler) begin(c *wire.Call, op *wire.Operation) (err error) {
	c.Own = h.home
	name, _ := wire.Scope(c.Request)
	if name != "" {
		c.Own, err = h.find(name, op.Creates)
	}
	return err
}

// find returns a region by its name.
func (h *Handler) find(name string, create bool) (*region, error) {
	if h.regions == nil || name == h.home.account.Region() {
		return h.home, nil
	}
	a, err := h.regions(name, create)
	r := &region{Handler: h, account: a}
	if a == nil && err == nil {
		r.missing = true
		r.account, err = topic.NewAccount(topic.WithRegion(name), topic.WithAccountID(h.home.account.ID()))
	}
	if err != nil {
		return h.home, err
	}
	return r, nil
}

// IsRequest reports whether a request is one for SNS, on an address where SQS is served too: by the
// scope of its signature, else by its target, its version, or its action where only one of the two has
// it, in the URL or in the beginning of the body, which can be read again; and a request for the
// certificate. What tells nothing is not one.
func IsRequest(r *http.Request) bool {
	if isCertificate(r) {
		return true
	}
	if _, service := wire.Scope(r); service == "sns" || service == "sqs" {
		return service == "sns"
	}
	if r.Header.Get("X-Amz-Target") != "" {
		return false // JSON is not spoken here
	}
	version, action := wire.PeekAction(r)
	switch version {
	case apiVersion:
		return true
	case "":
		op := operations[action]
		return op != nil && action != "AddPermission" && action != "RemovePermission"
	}
	return false
}

const apiVersion = "2010-03-31"
