package inqtest

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"example.com/inq"
	"example.com/inq/internal/wire"
)

// A Fault is what goes wrong with a call: a [FaultKind], or what [Slow], [FailEntries] and [Sample]
// return. No fault takes a message away.
type Fault interface {
	fmt.Stringer
	trouble() *trouble
}

// FaultKind is a fault that needs nothing more to be said.
type FaultKind string

// Faults. What a queue in Go returns matches the error named first, and over HTTP the answer is that of
// SQS, in the protocol of the request.
const (
	// Throttle refuses the call: [inq.ErrThrottled], and RequestThrottled (403) over HTTP. Nothing is
	// done.
	Throttle FaultKind = "Throttle"
	// ServerError fails the call before anything is done: [inq.ErrUnavailable], and InternalFailure
	// (500) over HTTP.
	ServerError FaultKind = "ServerError"
	// Deny refuses the call: [ErrDenied], and AccessDenied (403) over HTTP. Nothing is done.
	Deny FaultKind = "Deny"
	// Reset breaks the connection before anything is done: [inq.ErrUnavailable] and
	// [syscall.ECONNRESET].
	Reset FaultKind = "Reset"
	// LoseAnswer carries the call out and then breaks the connection: the change took effect, and
	// the caller does not know. What was sent is in the queue, what was deleted is gone, and what was
	// received is in flight until its visibility timeout ends. The error is that of Reset.
	LoseAnswer FaultKind = "LoseAnswer"
	// OverLimit refuses a receive from a Standard queue as one with too many messages in flight:
	// [inq.ErrOverLimit], and OverLimit (403) over HTTP.
	OverLimit FaultKind = "OverLimit"
	// Duplicate has the messages of a receive delivered twice: the next receive gets them too, as soon
	// as it looks. A delete before that succeeds and deletes nothing, as where a server with a copy of
	// the message does not take part in it. For Standard queues of this module; counted are receives that
	// got messages.
	Duplicate FaultKind = "Duplicate"
	// Reorder has a receive take any of the 128 messages that come next. For Standard queues of this
	// module.
	Reorder FaultKind = "Reorder"
	// ExpireHandle ends the visibility timeout of a message early: at the receive that gets it, so that
	// its handle has lapsed when the consumer has it, or just before a delete or a change of
	// visibility by its handle. Then the rules of the queue apply: a FIFO queue refuses the handle, a
	// Standard queue deletes by it and changes nothing, and somebody else may receive the message.
	// [Server.Leaks] tells of such handles as of others.
	ExpireHandle FaultKind = "ExpireHandle"
)

// Slow has a call wait for d, more than 0, before it is carried out. It ends when the context of the call
// does, with the context's error, and nothing is done.
func Slow(d time.Duration) Fault {
	t := &trouble{name: "Slow", text: fmt.Sprintf("Slow(%v)", d), slow: d}
	if d <= 0 {
		t.refusal = t.text + ": must be more than 0"
	}
	return t
}

// FailEntries fails the entries with these indices, from 0 on, of a batch: with [inq.ErrUnavailable] in
// an [*inq.BatchError], and InternalError over HTTP. Nothing is done for them, and the others are carried
// out. Indices that a batch does not have fail nothing in it.
func FailEntries(indices ...int) Fault {
	t := &trouble{name: "FailEntries", text: "FailEntries(" + list(indices) + ")", entries: slices.Clone(indices),
		only: []Operation{Send, Delete, ChangeVisibility}}
	if len(indices) == 0 || slices.Min(indices) < 0 {
		t.refusal = t.text + ": entries have indices from 0 on"
	}
	return t
}

// Sample has a short poll see each message with the probability share, from 0 to 1, as it is with SQS,
// where a short poll asks some of the servers. A long poll sees all. For Standard queues of this module.
func Sample(share float64) Fault {
	t := &trouble{name: "Sample", text: fmt.Sprintf("Sample(%v)", share), sample: true, share: share, standard: true, ours: true,
		only: []Operation{Receive}}
	if !(share >= 0 && share <= 1) || math.IsNaN(share) {
		t.refusal = t.text + ": must be from 0 to 1"
	}
	return t
}

// ErrDenied is what a call of a queue returns that meets [Deny].
var ErrDenied = errors.New("inqtest: access denied")

// trouble is a fault taken apart.
type trouble struct {
	name, text string
	refusal    string      // what is wrong with it
	only       []Operation // what it can be inflicted on; nil: everything
	standard   bool        // on Standard queues only,
	ours       bool        // that are queues of this module

	slow      time.Duration
	ends      bool // the call ends with err before anything is done
	reset     bool // and so does the connection
	err       error
	entries   []int
	sample    bool
	share     float64
	shuffle   bool
	duplicate bool
	expire    bool
	lose      bool
}

func (t *trouble) String() string    { return t.text }
func (t *trouble) trouble() *trouble { return t }

// fits reports whether the fault can be inflicted on an operation.
func (t *trouble) fits(o Operation) bool { return t.only == nil || slices.Contains(t.only, o.single()) }

func (t *trouble) forOperations() string {
	names := make([]string, len(t.only))
	for i, o := range t.only {
		names[i] = o.String()
	}
	return strings.Join(names, ", ")
}

// What a call that meets a fault ends with. It matches the error of a queue, and the HTTP API answers
// with the other part.
var (
	errThrottled   = &inflicted{"throttled", []error{inq.ErrThrottled}}
	errServerError = &inflicted{"server error", []error{inq.ErrUnavailable, &wire.Fault{Kind: kindInternalFailure, Message: "We encountered an internal error. Please try again."}}}
	errDenied      = &inflicted{"denied", []error{ErrDenied, &wire.Fault{Kind: wire.KindAccessDenied, Message: "Access to the resource is denied."}}}
	errReset       = &inflicted{"connection reset", []error{inq.ErrUnavailable, syscall.ECONNRESET}}
	errLost        = &inflicted{"answer lost", []error{inq.ErrUnavailable, syscall.ECONNRESET}}
	errOverLimit   = &inflicted{"over limit", []error{&inq.ParamError{Err: inq.ErrOverLimit, Param: "MessagesInFlight",
		Reason: "too many messages are in flight; delete some before receiving more"}}}
	errEntry = &inflicted{"entry failed", []error{inq.ErrUnavailable, &wire.Fault{Kind: kindInternalError, Message: "We encountered an internal error. Please try again."}}}

	kindInternalFailure = &wire.Kind{Shape: "InternalFailure", Code: "InternalFailure", Status: http.StatusInternalServerError, Framework: true, Receiver: true}
	kindInternalError   = &wire.Kind{Shape: "InternalError", Code: "InternalError", Status: http.StatusInternalServerError, Framework: true, Receiver: true}
)

// inflicted is the error of a fault.
type inflicted struct {
	what string
	as   []error
}

// Error says that it was done on purpose.
func (e *inflicted) Error() string { return "inqtest: " + e.what + " on purpose: " + e.as[0].Error() }

// Unwrap returns the sentinel first.
func (e *inflicted) Unwrap() []error { return e.as }

var troubles = map[FaultKind]*trouble{
	Throttle:    {ends: true, err: errThrottled},
	ServerError: {ends: true, err: errServerError},
	Deny:        {ends: true, err: errDenied},
	Reset:       {ends: true, err: errReset, reset: true},
	OverLimit:   {ends: true, err: errOverLimit, only: []Operation{Receive}, standard: true},
	LoseAnswer:  {lose: true},
	Duplicate:   {duplicate: true, only: []Operation{Receive}, standard: true, ours: true},
	Reorder:     {shuffle: true, only: []Operation{Receive}, standard: true, ours: true},

	ExpireHandle: {expire: true, only: []Operation{Receive, Delete, ChangeVisibility}},
}

func init() {
	for k, t := range troubles {
		t.name, t.text = string(k), string(k)
	}
}

// String returns the name of the fault.
func (k FaultKind) String() string { return string(k) }

func (k FaultKind) trouble() *trouble {
	if t := troubles[k]; t != nil {
		return t
	}
	return &trouble{name: string(k), text: string(k), refusal: fmt.Sprintf("Do(%q): there is no such fault", string(k))}
}
