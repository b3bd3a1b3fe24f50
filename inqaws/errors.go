package inqaws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"example.com/inq"
)

// caller is who asks, as far as the meaning of a code depends on it.
type caller uint8

const (
	other caller = iota
	sending
)

// refused is an error of SQS that has a counterpart in inq. [errors.Is] and [errors.As] find both.
type refused struct {
	as    error // a sentinel of inq, or an *inq.ParamError of one
	cause error // what the SDK returned
}

// Error begins with the text of the sentinel, and then has that of the SDK.
func (e *refused) Error() string {
	text := e.as.Error()
	if p, ok := e.as.(*inq.ParamError); ok {
		text = p.Err.Error() // the text of the SDK names the parameter
	}
	return text + ": " + e.cause.Error()
}

// Unwrap returns both sides.
func (e *refused) Unwrap() []error { return []error{e.as, e.cause} }

// sentinels are the errors of inq by their codes, without the prefix that codes of the older Query
// protocol have. Those with a shape of their own have two: the shape, and the code of the Query
// protocol, which the SDK prefers.
var sentinels = map[string]error{
	"QueueDoesNotExist":                 inq.ErrQueueDoesNotExist,
	"NonExistentQueue":                  inq.ErrQueueDoesNotExist,
	"ResourceNotFoundException":         inq.ErrQueueDoesNotExist, // of move tasks (SQS: MOV-3)
	"QueueNameExists":                   inq.ErrQueueExists,
	"QueueAlreadyExists":                inq.ErrQueueExists,
	"QueueDeletedRecently":              inq.ErrQueueDeletedRecently,
	"PurgeQueueInProgress":              inq.ErrPurgeInProgress,
	"OverLimit":                         inq.ErrOverLimit,
	"InvalidParameterValue":             inq.ErrInvalidParameter,
	"InvalidParameterValueException":    inq.ErrInvalidParameter,
	"MissingParameter":                  inq.ErrMissingParameter,
	"MissingRequiredParameterException": inq.ErrMissingParameter,
	"EmptyValue":                        inq.ErrMissingParameter, // of entries of a batch (SQS: MSG-4)
	"InvalidMessageContents":            inq.ErrInvalidMessageContents,
	"InvalidAttributeName":              inq.ErrInvalidAttributeName,
	"InvalidAttributeValue":             inq.ErrInvalidAttributeValue,
	"EmptyBatchRequest":                 inq.ErrEmptyBatch,
	"TooManyEntriesInBatchRequest":      inq.ErrTooManyEntries,
	"BatchRequestTooLong":               inq.ErrBatchTooLong,
	"ReceiptHandleIsInvalid":            inq.ErrReceiptHandleInvalid,
	"InvalidIdFormat":                   inq.ErrReceiptHandleInvalid, // the same in older services
	"MessageNotInflight":                inq.ErrNotInFlight,
	"RequestThrottled":                  inq.ErrThrottled,
	"Throttling":                        inq.ErrThrottled,
	"ThrottlingException":               inq.ErrThrottled,
	"ThrottledException":                inq.ErrThrottled,
	"RequestThrottledException":         inq.ErrThrottled,
	"TooManyRequestsException":          inq.ErrThrottled,
	"RequestLimitExceeded":              inq.ErrThrottled,
	"BandwidthLimitExceeded":            inq.ErrThrottled,
	"SlowDown":                          inq.ErrThrottled,
	"KmsThrottled":                      inq.ErrThrottled,
	"KMS.ThrottlingException":           inq.ErrThrottled,
	"ServiceUnavailable":                inq.ErrUnavailable,
	"ServiceUnavailableException":       inq.ErrUnavailable,
	"InternalError":                     inq.ErrUnavailable,
	"InternalFailure":                   inq.ErrUnavailable,
}

// queryPrefix is what most codes of the Query protocol begin with.
const queryPrefix = "AWS.SimpleQueueService."

// reasonMark is what a reason stands behind, where the text names a parameter (SQS: ERR-4).
const reasonMark = "Reason: "

// reasons tell apart what has the code of something else. That of a refused handle is another one in
// a batch than in a single call, and there the text has nothing but the reason.
var reasons = []struct {
	text string
	as   error
}{
	{"The receiveRequestAttemptId is not valid anymore since the receive call is not retryable", inq.ErrAttemptNotRetryable},
	{"The receipt handle has expired", inq.ErrReceiptHandleExpired},
	{"Message does not exist or is not available for visibility timeout change", inq.ErrNotInFlight},
	{"Source queue must be configured as a Dead Letter Queue", inq.ErrNotDeadLetterQueue},
	{"There is already a task running", inq.ErrTaskRunning},
}

// Translate gives an error of the SDK the meaning it has in inq: [errors.Is] finds the sentinel of
// this package's doc, beside everything that was found before. Where SQS says which parameter it
// refuses, [errors.As] finds an [*inq.ParamError] that names it, with the value as text. An error
// without a counterpart in inq is returned as it is, and nil is nil. So is one of another service
// than SQS, whose codes can have the same names: a call of an SQS client can fail with that of the
// service that keeps the credentials.
//
// The methods of [Queue] do this themselves, and what they return is returned as it is. Translate is
// for calls that are not part of Queue, such as CreateQueue.
func Translate(err error) error {
	if isNil(err) || errors.As(err, new(*refused)) {
		return err
	}
	return translated(other, err)
}

// meaning is the sentinel of a reply, nil if there is none.
func (r *reply) meaning(by caller) error {
	as := sentinels[strings.TrimPrefix(r.code, queryPrefix)]
	switch as {
	case nil:
		switch {
		case r.status == http.StatusTooManyRequests:
			return inq.ErrThrottled
		case r.status >= http.StatusInternalServerError, r.server && r.status < http.StatusBadRequest:
			return inq.ErrUnavailable
		}
	case inq.ErrOverLimit:
		if by == sending { // SQS has no bound for messages, and no code for one
			return inq.ErrFull
		}
	case inq.ErrInvalidParameter, inq.ErrReceiptHandleInvalid:
		sentence, _, _ := strings.Cut(r.reason(), ".")
		for _, reason := range reasons {
			if sentence == reason.text {
				return reason.as
			}
		}
	}
	return as
}

// translated is Translate for an error that is not translated yet.
func translated(by caller, err error) error {
	r := replyOf(err)
	if r == nil {
		return err
	}
	as := r.meaning(by)
	if as == nil {
		return err
	}
	return &refused{as: named(as, r.text), cause: err}
}

// named is the sentinel with the parameter that the text of SQS names, if it names one.
func named(as error, text string) error {
	if rest, ok := strings.CutPrefix(text, "Value"); ok { // (SQS: ERR-4)
		// The last mark, since the value can be any text. It can be missing, too (SQS: MOV-9).
		const mark = " for parameter "
		if i := strings.LastIndex(rest, mark); i >= 0 {
			var value any
			if i > 0 {
				value = strings.TrimPrefix(rest[:i], " ")
			}
			if name, reason, ok := strings.Cut(rest[i+len(mark):], " is invalid."); ok {
				return &inq.ParamError{Err: as, Param: name, Value: value, Reason: withoutMark(reason)}
			}
		}
	}
	if rest, ok := strings.CutPrefix(text, "Invalid value for the parameter "); ok { // (SQS: ERR-4)
		name, reason, _ := strings.Cut(rest, ".")
		return &inq.ParamError{Err: as, Param: name, Reason: withoutMark(reason)}
	}
	for _, prefix := range []string{
		"The request must contain the parameter ", // (SQS: ERR-3, FIFO-4)
		"Unknown Attribute ",                      // (SQS: ERR-4)
	} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			return &inq.ParamError{Err: as, Param: strings.TrimSuffix(rest, ".")}
		}
	}
	return as
}

// withoutMark is the reason alone.
func withoutMark(reason string) string {
	return strings.TrimPrefix(strings.TrimSpace(reason), reasonMark)
}

// translate is the error of a call that began with this ctx.
func (q *Queue) translate(ctx context.Context, by caller, err error) error {
	if err != nil && ctx.Err() != nil {
		// An answer of SQS is an answer, also where the ctx ends just then.
		if r := replyOf(err); r == nil || r.code == "" {
			return ctx.Err()
		}
	}
	return translated(by, err)
}

// refusesCall reports whether err says that a call was not carried out.
func refusesCall(err error) bool {
	if errors.As(err, new(*inq.ParamError)) {
		return true
	}
	r := replyOf(err)
	return r != nil && !errors.Is(err, inq.ErrUnavailable)
}

// lacks refuses an answer that says that a call was carried out and not what SQS tells with that.
func lacks(member string) error {
	return fmt.Errorf("inqaws: the answer has no %s, which SQS always tells: the call may have been carried out", member)
}
