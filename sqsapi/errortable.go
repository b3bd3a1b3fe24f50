package sqsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/inq"
)

// kind is one row of the error vocabulary (SQS: section 0).
type kind struct {
	shape     string // the J type, without its namespace
	code      string // the Q code
	status    int
	framework bool // not a shape of the service model: another namespace (SQS: ERR-1, WIRE-5)
	receiver  bool // the fault is the service's, not the sender's
}

var (
	kindQueueDoesNotExist      = &kind{shape: "QueueDoesNotExist", code: "AWS.SimpleQueueService.NonExistentQueue", status: 400}
	kindQueueNameExists        = &kind{shape: "QueueNameExists", code: "QueueAlreadyExists", status: 400}
	kindQueueDeletedRecently   = &kind{shape: "QueueDeletedRecently", code: "AWS.SimpleQueueService.QueueDeletedRecently", status: 400}
	kindPurgeQueueInProgress   = &kind{shape: "PurgeQueueInProgress", code: "AWS.SimpleQueueService.PurgeQueueInProgress", status: 403}
	kindEmptyBatchRequest      = &kind{shape: "EmptyBatchRequest", code: "AWS.SimpleQueueService.EmptyBatchRequest", status: 400}
	kindTooManyEntries         = &kind{shape: "TooManyEntriesInBatchRequest", code: "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", status: 400}
	kindIdsNotDistinct         = &kind{shape: "BatchEntryIdsNotDistinct", code: "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", status: 400}
	kindInvalidBatchEntryID    = &kind{shape: "InvalidBatchEntryId", code: "AWS.SimpleQueueService.InvalidBatchEntryId", status: 400}
	kindBatchRequestTooLong    = &kind{shape: "BatchRequestTooLong", code: "AWS.SimpleQueueService.BatchRequestTooLong", status: 400}
	kindReceiptHandleInvalid   = &kind{shape: "ReceiptHandleIsInvalid", code: "ReceiptHandleIsInvalid", status: 404}
	kindResourceNotFound       = &kind{shape: "ResourceNotFoundException", code: "ResourceNotFoundException", status: 404}
	kindInvalidAddress         = &kind{shape: "InvalidAddress", code: "InvalidAddress", status: 404}
	kindOverLimit              = &kind{shape: "OverLimit", code: "OverLimit", status: 403}
	kindInvalidAttributeName   = &kind{shape: "InvalidAttributeName", code: "InvalidAttributeName", status: 400}
	kindInvalidAttributeValue  = &kind{shape: "InvalidAttributeValue", code: "InvalidAttributeValue", status: 400}
	kindInvalidMessageContents = &kind{shape: "InvalidMessageContents", code: "InvalidMessageContents", status: 400}
	kindUnsupportedOperation   = &kind{shape: "UnsupportedOperation", code: "AWS.SimpleQueueService.UnsupportedOperation", status: 400}
	kindRequestThrottled       = &kind{shape: "RequestThrottled", code: "RequestThrottled", status: 403}
	kindAccessDenied           = &kind{shape: "AccessDeniedException", code: "AccessDenied", status: 403, framework: true}
	kindInvalidParameter       = &kind{shape: "InvalidParameterValueException", code: "InvalidParameterValue", status: 400, framework: true}
	kindMissingParameter       = &kind{shape: "MissingRequiredParameterException", code: "MissingParameter", status: 400, framework: true}

	// EmptyValue is a code of failed batch entries only (SQS: MSG-4).
	kindEmptyValue = &kind{shape: "EmptyValue", code: "EmptyValue", status: 400}

	// The front ends refuse what is no request at all (SQS: WIRE-8, WIRE-11).
	kindUnknownOperation   = &kind{shape: "UnknownOperationException", code: "InvalidAction", status: 400, framework: true}
	kindNoAction           = &kind{shape: "UnknownOperationException", code: "InvalidAction", status: 404, framework: true}
	kindSerialization      = &kind{shape: "SerializationException", code: "MalformedInput", status: 400, framework: true}
	kindTooLarge           = &kind{shape: "RequestEntityTooLargeException", code: "RequestEntityTooLarge", status: http.StatusRequestEntityTooLarge, framework: true}
	kindRequestTimeout     = &kind{shape: "RequestTimeoutException", code: "RequestTimeout", status: http.StatusRequestTimeout, framework: true}
	kindServiceUnavailable = &kind{shape: "ServiceUnavailableException", code: "ServiceUnavailable", status: http.StatusServiceUnavailable, framework: true, receiver: true}
)

// kinds are the rows for what the broker and its queues refuse. The text depends on more, see the
// function of that name.
var kinds = []struct {
	err  error
	kind *kind
}{
	{inq.ErrInvalidParameter, kindInvalidParameter},
	{inq.ErrMissingParameter, kindMissingParameter},
	{inq.ErrQueueDoesNotExist, kindQueueDoesNotExist},
	{inq.ErrReceiptHandleInvalid, kindReceiptHandleInvalid},
	{inq.ErrReceiptHandleExpired, kindInvalidParameter},
	{inq.ErrAttemptNotRetryable, kindInvalidParameter},
	{inq.ErrNotInFlight, kindInvalidParameter},
	{inq.ErrInvalidMessageContents, kindInvalidMessageContents},
	{inq.ErrInvalidAttributeName, kindInvalidAttributeName},
	{inq.ErrInvalidAttributeValue, kindInvalidAttributeValue},
	{inq.ErrQueueExists, kindQueueNameExists},
	{inq.ErrQueueDeletedRecently, kindQueueDeletedRecently},
	{inq.ErrPurgeInProgress, kindPurgeQueueInProgress},
	{inq.ErrEmptyBatch, kindEmptyBatchRequest},
	{inq.ErrTooManyEntries, kindTooManyEntries},
	{inq.ErrBatchTooLong, kindBatchRequestTooLong},
	{inq.ErrOverLimit, kindOverLimit},
	{inq.ErrFull, kindOverLimit},
	{inq.ErrNotDeadLetterQueue, kindInvalidParameter},
	{inq.ErrTaskRunning, kindInvalidParameter},
	{inq.ErrThrottled, kindRequestThrottled},
	{inq.ErrUnavailable, kindServiceUnavailable},
	{inq.ErrClosed, kindServiceUnavailable},
	{context.Canceled, kindServiceUnavailable},
	{context.DeadlineExceeded, kindServiceUnavailable},
}

// fault is an error as it goes over the wire.
type fault struct {
	kind    *kind
	message string
	cause   error // of the broker or of a queue; nil for what this package refuses itself
	unread  bool  // the request was not read to its end
}

func (f *fault) Error() string { return f.kind.code + ": " + f.message }
func (f *fault) Unwrap() error { return f.cause }

func faultf(k *kind, format string, args ...any) *fault {
	return &fault{kind: k, message: fmt.Sprintf(format, args...)}
}

// missing refuses a request without a required member (SQS: ERR-3).
func missing(name string) *fault {
	return faultf(kindMissingParameter, "The request must contain the parameter %s.", name)
}

// invalid refuses a value (SQS: ERR-4).
func invalid(value any, name, reason string) *fault {
	return faultf(kindInvalidParameter, "Value %s for parameter %s is invalid. Reason: %s", shown(value), name, reason)
}

// Texts that several rules share.
const (
	textNoQueue        = "The specified queue does not exist."                       // SQS: ERR-2, JSON
	textNoQueueQuery   = "The specified queue does not exist for this wsdl version." // SQS: ERR-2, Query
	textWrongQueueType = "The request include parameter that is not valid for this queue type."
	textCharacters     = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
	textStandardName   = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
	textFIFOName       = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length"
	textListValues     = "Message attribute list values in %s operation are not supported."
	textBusy           = "The service is busy with other requests. Try again later."
	textGet            = "A GET request that changes something is refused: a page in a browser can make it send one. Use POST."
	textOverLimit      = "Too many messages have been received without being deleted. Please delete your received messages or let them timeout before receiving more." // SQS: CAP-14
	textClosed         = "The service is shutting down: the broker, or this queue of it, was closed."
	textGivenUp        = "The request was given up."
)

// Bounds of error texts in bytes: what they repeat of a request, and the whole.
const (
	maxShown   = 2048
	maxMessage = 2 * maxShown
)

// shown is a value as error texts repeat it: durations as seconds, long ones cut.
func shown(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case time.Duration:
		return seconds(v)
	case string:
		return cut(v, maxShown)
	}
	return fmt.Sprint(value)
}

// cut shortens text to at most so many bytes of whole characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "..."
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// origin is where a refusal came from, as far as its text depends on it.
type origin struct {
	batch   bool // an operation on several messages: a text differs, and a code where entry is set
	entry   bool // an entry of it, not the whole
	receive bool
}

// toFault translates an error of the broker or of a queue. It is the only place that does.
func toFault(err error, from origin) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	var p *inq.ParamError
	if !errors.As(err, &p) {
		p = &inq.ParamError{Err: err}
	}
	for _, row := range kinds {
		if errors.Is(err, row.err) {
			f = text(row.kind, p, from)
			f.cause = err
			f.message = cut(f.message, maxMessage) // reasons of the broker repeat names whole
			return f
		}
	}
	return &fault{kind: kindServiceUnavailable, message: "The request failed: " + shown(err.Error()), cause: err}
}

// text makes the message of a refusal, and corrects its kind where that depends on the operation.
func text(k *kind, p *inq.ParamError, from origin) *fault {
	switch p.Err {
	case inq.ErrMissingParameter:
		return missingText(k, p, from)
	case inq.ErrInvalidParameter:
		return invalidText(k, p, from)
	case inq.ErrQueueDoesNotExist:
		return &fault{kind: k, message: textNoQueue}
	case inq.ErrReceiptHandleInvalid:
		if handle, ok := p.Value.(string); ok && isHandle(handle) { // (SQS: CAP-10)
			return faultf(k, `The receipt handle "%s" is not valid for this queue.`, handle)
		}
		return faultf(k, `The input receipt handle "%s" is not a valid receipt handle.`, shown(p.Value))
	case inq.ErrReceiptHandleExpired:
		return lapsed(p, from, "The receipt handle has expired")
	case inq.ErrAttemptNotRetryable: // (SQS: CAP-2)
		return invalid(p.Value, p.Param, "The receiveRequestAttemptId is not valid anymore since the receive call is not retryable.")
	case inq.ErrNotInFlight: // (SQS: VIS-5)
		return lapsed(p, from, "Message does not exist or is not available for visibility timeout change")
	case inq.ErrInvalidMessageContents:
		return &fault{kind: k, message: textCharacters}
	case inq.ErrInvalidAttributeName, inq.ErrQueueExists, inq.ErrQueueDeletedRecently:
		return &fault{kind: k, message: p.Reason}
	case inq.ErrInvalidAttributeValue:
		return &fault{kind: k, message: withReason("Invalid value for the parameter "+p.Param+".", p.Reason)}
	case inq.ErrPurgeInProgress:
		return faultf(k, "Only one PurgeQueue operation on %s is allowed every 60 seconds.", shown(p.Value))
	case inq.ErrEmptyBatch: // (SQS: BAT-1); Param is the operation
		return faultf(k, "There should be at least one %sRequestEntry in the request.", p.Param)
	case inq.ErrTooManyEntries:
		return faultf(k, "Maximum number of entries per request are %v. You have sent %v.", p.Max, p.Value)
	case inq.ErrBatchTooLong: // (SQS: BAT-3)
		return faultf(k, "Batch requests cannot be longer than %v bytes. You have sent %v bytes.", p.Max, p.Value)
	case inq.ErrOverLimit:
		if p.Param == "Queues" {
			return faultf(k, "%v queues exist, maximum allowed is %v.", p.Value, p.Max)
		}
		return &fault{kind: k, message: textOverLimit}
	case inq.ErrFull:
		return &fault{kind: k, message: "The queue is at its capacity."}
	case inq.ErrNotDeadLetterQueue: // (SQS: MOV-2)
		return &fault{kind: k, message: "Source queue must be configured as a Dead Letter Queue."}
	case inq.ErrTaskRunning: // (SQS: MOV-4)
		return &fault{kind: k, message: "There is already a task running. Only one active task is allowed for a source queue arn at a given time."}
	}
	switch {
	case errors.Is(p, inq.ErrClosed):
		return &fault{kind: k, message: textClosed}
	case errors.Is(p, inq.ErrThrottled):
		return &fault{kind: k, message: textBusy}
	case errors.Is(p, inq.ErrUnavailable):
		return &fault{kind: k, message: "The service is unavailable."}
	}
	return &fault{kind: k, message: textGivenUp}
}

// lapsed refuses a handle that was good once. An entry of a batch gets another code than a call, and
// the reason alone (SQS: CAP-8, CAP-9).
func lapsed(p *inq.ParamError, from origin, reason string) *fault {
	if from.entry {
		return &fault{kind: kindReceiptHandleInvalid, message: reason}
	}
	return invalid(p.Value, p.Param, reason+".")
}

// isHandle reports whether text has the form of a receipt handle: then it is one of another queue, or
// altered.
func isHandle(text string) bool {
	return len(text) == 32 && strings.Trim(text, entryIDCharacters+".") == "" && !strings.Contains(text, "-")
}

func withReason(text, reason string) string {
	if reason != "" {
		text += " Reason: " + reason
	}
	return text
}

func missingText(k *kind, p *inq.ParamError, from origin) *fault {
	f := missing(p.Param)
	f.kind = k
	if p.Param == "MessageBody" && from.entry { // (SQS: MSG-4)
		f.kind = kindEmptyValue
	}
	return f
}

// invalidText is text for ErrInvalidParameter, by parameter.
func invalidText(k *kind, p *inq.ParamError, from origin) *fault {
	switch p.Param {
	case "MessageSize": // (SQS: MSG-2, BAT-4)
		if from.batch {
			return faultf(k, "One or more parameters cannot be validated. Reason: Message must be shorter than %v bytes.", p.Max)
		}
		return faultf(k, "One or more parameters are invalid. Reason: Message must be shorter than %v bytes.", p.Max)
	case "MessageGroupId":
		if p.Value == "" { // missing, which a batch tells with another code (SQS: FIFO-4)
			return faultf(k, "The request must contain the parameter MessageGroupId.")
		}
		return badID(p.Value, p.Param)
	case "MessageDeduplicationId": // on a Standard queue it does not come this far (SQS: MSG-15)
		if p.Value == "" { // (SQS: FIFO-3)
			return &fault{kind: k, message: "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"}
		}
		return badID(p.Value, p.Param)
	case "ReceiveRequestAttemptId":
		return badID(p.Value, p.Param)
	case "DelaySeconds":
		if p.Max == nil { // (SQS: FIFO-5)
			return invalid(p.Value, p.Param, textWrongQueueType)
		}
		return invalid(p.Value, p.Param, "DelaySeconds must be >= 0 and <= "+shown(p.Max)+".") // (SQS: MSG-14)
	case "MaxNumberOfMessages": // (SQS: RCV-1)
		return invalid(p.Value, p.Param, fmt.Sprintf("Must be between %v and %v, if provided.", p.Min, p.Max))
	case "WaitTimeSeconds": // (SQS: RCV-2)
		return invalid(p.Value, p.Param, fmt.Sprintf("Must be >= 0 and <= %s, if provided.", shown(p.Max)))
	case "VisibilityTimeout":
		if p.Reason != "" { // the sum since the receive (SQS: VIS-3)
			return invalid(p.Value, p.Param, "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
		}
		text := "Must be >= 0 and <= " + shown(p.Max)
		if from.receive {
			text += ", if provided" // (SQS: RCV-3)
		}
		return invalid(p.Value, p.Param, text+".")
	case "MessageAttributes":
		if n, ok := p.Value.(int); ok { // (SQS: MSG-5)
			return faultf(k, "Number of message attributes [%d] exceeds the allowed maximum [%v].", n, p.Max)
		}
		return faultf(k, "The message attribute name '%s' is invalid. Reason: %s", shown(p.Value), p.Reason)
	case "RedrivePolicy", "RedriveAllowPolicy":
		if p.Value == nil {
			return &fault{kind: k, message: withReason("Invalid value for the parameter "+p.Param+".", p.Reason)}
		}
		return invalid(p.Value, p.Param, p.Reason)
	case "Tags": // (SQS: MGT-9)
		return &fault{kind: k, message: p.Reason}
	case "MaxNumberOfMessagesPerSecond": // (SQS: MOV-6)
		return invalid(p.Value, p.Param, fmt.Sprintf("Must be between %v and %v, if provided.", p.Min, p.Max))
	}
	if name, ok := strings.CutPrefix(p.Param, "MessageAttributes."); ok { // toAttribute leaves only numbers to the queue (SQS: MSG-10)
		return faultf(k, "Can't cast the value of message (user) attribute '%s' to a number.", shown(name))
	}
	return invalid(p.Value, p.Param, p.Reason)
}

// badID refuses a group, deduplication or attempt id (SQS: NAM-3).
func badID(value any, name string) *fault {
	return invalid(value, name, name+" can only include alphanumeric and punctuation characters. 1 to 128 in length.")
}
