package sqsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"example.com/inq"
	"example.com/inq/internal/wire"
)

type (
	kind  = wire.Kind
	fault = wire.Fault
)

// The error vocabulary (SQS: section 0). What is no request at all has its kinds in package wire.
var (
	kindQueueDoesNotExist      = &kind{Shape: "QueueDoesNotExist", Code: "AWS.SimpleQueueService.NonExistentQueue", Status: 400, QueryText: textNoQueueQuery}
	kindQueueNameExists        = &kind{Shape: "QueueNameExists", Code: "QueueAlreadyExists", Status: 400}
	kindQueueDeletedRecently   = &kind{Shape: "QueueDeletedRecently", Code: "AWS.SimpleQueueService.QueueDeletedRecently", Status: 400}
	kindPurgeQueueInProgress   = &kind{Shape: "PurgeQueueInProgress", Code: "AWS.SimpleQueueService.PurgeQueueInProgress", Status: 403}
	kindEmptyBatchRequest      = &kind{Shape: "EmptyBatchRequest", Code: "AWS.SimpleQueueService.EmptyBatchRequest", Status: 400}
	kindTooManyEntries         = &kind{Shape: "TooManyEntriesInBatchRequest", Code: "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", Status: 400}
	kindIdsNotDistinct         = &kind{Shape: "BatchEntryIdsNotDistinct", Code: "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", Status: 400}
	kindInvalidBatchEntryID    = &kind{Shape: "InvalidBatchEntryId", Code: "AWS.SimpleQueueService.InvalidBatchEntryId", Status: 400}
	kindBatchRequestTooLong    = &kind{Shape: "BatchRequestTooLong", Code: "AWS.SimpleQueueService.BatchRequestTooLong", Status: 400}
	kindReceiptHandleInvalid   = &kind{Shape: "ReceiptHandleIsInvalid", Code: "ReceiptHandleIsInvalid", Status: 404}
	kindResourceNotFound       = &kind{Shape: "ResourceNotFoundException", Code: "ResourceNotFoundException", Status: 404}
	kindInvalidAddress         = &kind{Shape: "InvalidAddress", Code: "InvalidAddress", Status: 404}
	kindOverLimit              = &kind{Shape: "OverLimit", Code: "OverLimit", Status: 403}
	kindInvalidAttributeName   = &kind{Shape: "InvalidAttributeName", Code: "InvalidAttributeName", Status: 400}
	kindInvalidAttributeValue  = &kind{Shape: "InvalidAttributeValue", Code: "InvalidAttributeValue", Status: 400}
	kindInvalidMessageContents = &kind{Shape: "InvalidMessageContents", Code: "InvalidMessageContents", Status: 400}
	kindUnsupportedOperation   = &kind{Shape: "UnsupportedOperation", Code: "AWS.SimpleQueueService.UnsupportedOperation", Status: 400}
	kindRequestThrottled       = &kind{Shape: "RequestThrottled", Code: "RequestThrottled", Status: 403}
	kindInvalidParameter       = &kind{Shape: "InvalidParameterValueException", Code: "InvalidParameterValue", Status: 400, Framework: true}
	kindMissingParameter       = &kind{Shape: "MissingRequiredParameterException", Code: "MissingParameter", Status: 400, Framework: true}

	// EmptyValue is a code of failed batch entries only (SQS: MSG-4).
	kindEmptyValue = &kind{Shape: "EmptyValue", Code: "EmptyValue", Status: 400}

	// A request without an action (SQS: WIRE-11).
	kindNoAction = &kind{Shape: "UnknownOperationException", Code: "InvalidAction", Status: 404, Framework: true}

	kindServiceUnavailable = &kind{Shape: "ServiceUnavailableException", Code: "ServiceUnavailable", Status: http.StatusServiceUnavailable, Framework: true, Receiver: true}
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
	{inq.ErrJournalFull, kindServiceUnavailable},
	{inq.ErrJournalFailed, kindServiceUnavailable},
	{inq.ErrClosed, kindServiceUnavailable},
	{wire.ErrBusy, kindRequestThrottled},
	{context.Canceled, kindServiceUnavailable},
	{context.DeadlineExceeded, kindServiceUnavailable},
}

// missing refuses a request without a required member (SQS: ERR-3).
func missing(name string) *fault {
	return wire.Faultf(kindMissingParameter, "The request must contain the parameter %s.", name)
}

// invalid refuses a value (SQS: ERR-4).
func invalid(value any, name, reason string) *fault {
	return wire.Faultf(kindInvalidParameter, "Value %s for parameter %s is invalid. Reason: %s", wire.Shown(value), name, reason)
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
	textOverLimit      = "Too many messages have been received without being deleted. Please delete your received messages or let them timeout before receiving more." // SQS: CAP-14
	textClosed         = "The service is shutting down: the broker, or this queue of it, was closed."
	textGivenUp        = "The request was given up."
	textJournalFull    = "The disk is full, or what the service may take of it is used up. Nothing was changed."
	textJournalFailed  = "The service cannot write to its disk any more."
)

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
			f.Cause = err
			f.Message = wire.Cut(f.Message, wire.MaxMessage) // reasons of the broker repeat names whole
			return f
		}
	}
	return &fault{Kind: kindServiceUnavailable, Message: "The request failed: " + wire.Shown(err.Error()), Cause: err}
}

// text makes the message of a refusal, and corrects its kind where that depends on the operation.
func text(k *kind, p *inq.ParamError, from origin) *fault {
	switch p.Err {
	case inq.ErrMissingParameter:
		return missingText(k, p, from)
	case inq.ErrInvalidParameter:
		return invalidText(k, p, from)
	case inq.ErrQueueDoesNotExist:
		return &fault{Kind: k, Message: textNoQueue}
	case inq.ErrReceiptHandleInvalid:
		if handle, ok := p.Value.(string); ok && isHandle(handle) { // (SQS: CAP-10)
			return wire.Faultf(k, `The receipt handle "%s" is not valid for this queue.`, handle)
		}
		return wire.Faultf(k, `The input receipt handle "%s" is not a valid receipt handle.`, wire.Shown(p.Value))
	case inq.ErrReceiptHandleExpired:
		return lapsed(p, from, "The receipt handle has expired")
	case inq.ErrAttemptNotRetryable: // (SQS: CAP-2)
		return invalid(p.Value, p.Param, "The receiveRequestAttemptId is not valid anymore since the receive call is not retryable.")
	case inq.ErrNotInFlight: // (SQS: VIS-5)
		return lapsed(p, from, "Message does not exist or is not available for visibility timeout change")
	case inq.ErrInvalidMessageContents:
		return &fault{Kind: k, Message: textCharacters}
	case inq.ErrInvalidAttributeName, inq.ErrQueueExists, inq.ErrQueueDeletedRecently:
		return &fault{Kind: k, Message: p.Reason}
	case inq.ErrInvalidAttributeValue:
		return &fault{Kind: k, Message: withReason("Invalid value for the parameter "+p.Param+".", p.Reason)}
	case inq.ErrPurgeInProgress:
		return wire.Faultf(k, "Only one PurgeQueue operation on %s is allowed every 60 seconds.", wire.Shown(p.Value))
	case inq.ErrEmptyBatch: // (SQS: BAT-1); Param is the operation
		return wire.Faultf(k, "There should be at least one %sRequestEntry in the request.", p.Param)
	case inq.ErrTooManyEntries:
		return wire.Faultf(k, "Maximum number of entries per request are %v. You have sent %v.", p.Max, p.Value)
	case inq.ErrBatchTooLong: // (SQS: BAT-3)
		return wire.Faultf(k, "Batch requests cannot be longer than %v bytes. You have sent %v bytes.", p.Max, p.Value)
	case inq.ErrOverLimit:
		if p.Param == "Queues" {
			return wire.Faultf(k, "%v queues exist, maximum allowed is %v.", p.Value, p.Max)
		}
		return &fault{Kind: k, Message: textOverLimit}
	case inq.ErrFull:
		return &fault{Kind: k, Message: "The queue is at its capacity."}
	case inq.ErrNotDeadLetterQueue: // (SQS: MOV-2)
		return &fault{Kind: k, Message: "Source queue must be configured as a Dead Letter Queue."}
	case inq.ErrTaskRunning: // (SQS: MOV-4)
		return &fault{Kind: k, Message: "There is already a task running. Only one active task is allowed for a source queue arn at a given time."}
	}
	switch {
	case errors.Is(p, inq.ErrClosed):
		return &fault{Kind: k, Message: textClosed}
	case errors.Is(p, inq.ErrJournalFull):
		return &fault{Kind: k, Message: textJournalFull}
	case errors.Is(p, inq.ErrJournalFailed):
		return &fault{Kind: k, Message: textJournalFailed}
	case errors.Is(p, inq.ErrThrottled), errors.Is(p, wire.ErrBusy):
		return &fault{Kind: k, Message: textBusy}
	case errors.Is(p, inq.ErrUnavailable):
		return &fault{Kind: k, Message: "The service is unavailable."}
	}
	return &fault{Kind: k, Message: textGivenUp}
}

// lapsed refuses a handle that was good once. An entry of a batch gets another code than a call, and
// the reason alone (SQS: CAP-8, CAP-9).
func lapsed(p *inq.ParamError, from origin, reason string) *fault {
	if from.entry {
		return &fault{Kind: kindReceiptHandleInvalid, Message: reason}
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
	f.Kind = k
	if p.Param == "MessageBody" && from.entry { // (SQS: MSG-4)
		f.Kind = kindEmptyValue
	}
	return f
}

// invalidText is text for ErrInvalidParameter, by parameter.
func invalidText(k *kind, p *inq.ParamError, from origin) *fault {
	switch p.Param {
	case "MessageSize": // (SQS: MSG-2, BAT-4)
		if from.batch {
			return wire.Faultf(k, "One or more parameters cannot be validated. Reason: Message must be shorter than %v bytes.", p.Max)
		}
		return wire.Faultf(k, "One or more parameters are invalid. Reason: Message must be shorter than %v bytes.", p.Max)
	case "MessageGroupId":
		if p.Value == "" { // missing, which a batch tells with another code (SQS: FIFO-4)
			return wire.Faultf(k, "The request must contain the parameter MessageGroupId.")
		}
		return badID(p.Value, p.Param)
	case "MessageDeduplicationId": // on a Standard queue it does not come this far (SQS: MSG-15)
		if p.Value == "" { // (SQS: FIFO-3)
			return &fault{Kind: k, Message: "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"}
		}
		return badID(p.Value, p.Param)
	case "ReceiveRequestAttemptId":
		return badID(p.Value, p.Param)
	case "DelaySeconds":
		if p.Max == nil { // (SQS: FIFO-5)
			return invalid(p.Value, p.Param, textWrongQueueType)
		}
		return invalid(p.Value, p.Param, "DelaySeconds must be >= 0 and <= "+wire.Shown(p.Max)+".") // (SQS: MSG-14)
	case "MaxNumberOfMessages": // (SQS: RCV-1)
		return invalid(p.Value, p.Param, fmt.Sprintf("Must be between %v and %v, if provided.", p.Min, p.Max))
	case "WaitTimeSeconds": // (SQS: RCV-2)
		return invalid(p.Value, p.Param, fmt.Sprintf("Must be >= 0 and <= %s, if provided.", wire.Shown(p.Max)))
	case "VisibilityTimeout":
		if p.Reason != "" { // the sum since the receive (SQS: VIS-3)
			return invalid(p.Value, p.Param, "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
		}
		text := "Must be >= 0 and <= " + wire.Shown(p.Max)
		if from.receive {
			text += ", if provided" // (SQS: RCV-3)
		}
		return invalid(p.Value, p.Param, text+".")
	case "MessageAttributes":
		if n, ok := p.Value.(int); ok { // (SQS: MSG-5)
			return wire.Faultf(k, "Number of message attributes [%d] exceeds the allowed maximum [%v].", n, p.Max)
		}
		return wire.Faultf(k, "The message attribute name '%s' is invalid. Reason: %s", wire.Shown(p.Value), p.Reason)
	case "RedrivePolicy", "RedriveAllowPolicy":
		if p.Value == nil {
			return &fault{Kind: k, Message: withReason("Invalid value for the parameter "+p.Param+".", p.Reason)}
		}
		return invalid(p.Value, p.Param, p.Reason)
	case "Tags": // (SQS: MGT-9)
		return &fault{Kind: k, Message: p.Reason}
	case "MaxNumberOfMessagesPerSecond": // (SQS: MOV-6)
		return invalid(p.Value, p.Param, fmt.Sprintf("Must be between %v and %v, if provided.", p.Min, p.Max))
	}
	if name, ok := strings.CutPrefix(p.Param, "MessageAttributes."); ok { // toAttribute leaves only numbers to the queue (SQS: MSG-10)
		return wire.Faultf(k, "Can't cast the value of message (user) attribute '%s' to a number.", wire.Shown(name))
	}
	return invalid(p.Value, p.Param, p.Reason)
}

// badID refuses a group, deduplication or attempt id (SQS: NAM-3).
func badID(value any, name string) *fault {
	return invalid(value, name, name+" can only include alphanumeric and punctuation characters. 1 to 128 in length.")
}
