package inq

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Errors about the queue itself.
var (
	// ErrClosed is returned by every call on a queue, broker or journal after Close, and on a queue or
	// broker that no constructor made.
	ErrClosed = errors.New("inq: queue is closed")
	// ErrQueueDoesNotExist is returned by a [Broker] for a name or ARN it does not hold, and by
	// every call on a queue that was deleted from its broker.
	ErrQueueDoesNotExist = errors.New("inq: queue does not exist")
	// ErrQueueExists is returned when a queue is created under a name that is taken by a queue with
	// another value for a given attribute.
	ErrQueueExists = errors.New("inq: queue exists with different attributes")
	// ErrQueueDeletedRecently is returned by a [Broker] when a queue is created less than 60
	// seconds after one of the same name was deleted.
	ErrQueueDeletedRecently = errors.New("inq: queue was deleted less than 60 seconds ago")
	// ErrPurgeInProgress is returned by Purge on a broker's queue that was purged less than 60
	// seconds ago.
	ErrPurgeInProgress = errors.New("inq: queue was purged less than 60 seconds ago")
	// ErrFull is returned by Send, SendBatch and DeadLetter when the message would exceed what
	// WithCapacity allows.
	ErrFull = errors.New("inq: queue is full")
	// ErrOverLimit is returned by a short poll on a Standard queue with as many messages in flight
	// as it may have: 120,000, or what WithInFlightLimit says. A [Broker] returns it for a queue
	// beyond its WithQueueLimit.
	ErrOverLimit = errors.New("inq: over limit")
)

// Errors about a service. No queue of this process returns them: they are for adapters of a queue
// that lives behind a network, for wrappers, and for what plays trouble in tests, so that a consumer
// tells by errors.Is what will pass. In both cases trying again after a pause is worth it.
var (
	// ErrThrottled is returned when a service takes no more requests for the moment. Nothing was
	// done.
	ErrThrottled = errors.New("inq: too many requests")
	// ErrUnavailable is returned when a service cannot be reached, fails, or goes away in the
	// middle of a call. Whether the call was carried out is not known, unless the adapter says so.
	ErrUnavailable = errors.New("inq: service is unavailable")
)

// Errors of a [Journal], and of queues that have one.
var (
	// ErrJournalFull is returned while there is no room on the disk, or within WithMaxDisk. Nothing was
	// done. It passes when there is room again: trying again after a pause is worth it.
	ErrJournalFull = errors.New("inq: journal is full")
	// ErrJournalFailed is returned for good after a write or a sync of a journal failed. Whether a call
	// that was under way then was carried out is known when the journal is opened anew.
	ErrJournalFailed = errors.New("inq: journal failed")
	// ErrJournalCorrupt is returned by OpenJournal for a journal that is damaged. Nothing is skipped.
	ErrJournalCorrupt = errors.New("inq: journal is damaged")
	// ErrJournalInUse is returned by OpenJournal for a directory that is open already.
	ErrJournalInUse = errors.New("inq: journal is in use")
	// ErrJournalKey is returned by OpenJournal where a key is missing or wrong.
	ErrJournalKey = errors.New("inq: key of the journal is missing or wrong")
	// ErrJournalVersion is returned by OpenJournal for a journal that a later version wrote.
	ErrJournalVersion = errors.New("inq: journal is of a later version")
)

// Errors about what a call was given.
var (
	// ErrInvalidParameter is returned when a parameter of a call, or an option that is no attribute
	// of SQS, is outside what is allowed.
	ErrInvalidParameter = errors.New("inq: invalid parameter value")
	// ErrMissingParameter is returned when a required value is absent.
	ErrMissingParameter = errors.New("inq: missing parameter")
	// ErrInvalidMessageContents is returned when a body holds characters SQS refuses, except by a
	// queue WithoutSQSLimits.
	ErrInvalidMessageContents = errors.New("inq: invalid message contents")
	// ErrInvalidAttributeName is returned for queue attributes that are unknown, read only, or do
	// not apply to the type of queue.
	ErrInvalidAttributeName = errors.New("inq: invalid attribute name")
	// ErrInvalidAttributeValue is returned for a queue attribute outside its range, given as an
	// option or as text.
	ErrInvalidAttributeValue = errors.New("inq: invalid attribute value")
)

// Errors about batches as a whole. Nothing of the batch was done.
var (
	// ErrEmptyBatch is returned for a batch without entries.
	ErrEmptyBatch = errors.New("inq: empty batch")
	// ErrTooManyEntries is returned for a batch of more than 10 entries.
	ErrTooManyEntries = errors.New("inq: too many entries in batch")
	// ErrBatchTooLong is returned for a SendBatch of more than 1 MiB in sum.
	ErrBatchTooLong = errors.New("inq: batch too long")
)

// Errors about receipt handles and receive attempts.
var (
	// ErrReceiptHandleInvalid is returned for a handle that this queue did not issue or that was
	// altered.
	ErrReceiptHandleInvalid = errors.New("inq: receipt handle is invalid")
	// ErrReceiptHandleExpired is returned where only the latest receive of a message still in
	// flight will do: by Delete and ChangeVisibility on a FIFO queue, and by Return and Bury on both
	// types (SQS: receipt-handle table).
	ErrReceiptHandleExpired = errors.New("inq: receipt handle has expired")
	// ErrNotInFlight is returned by ChangeVisibility, Return and Bury when the message is gone.
	ErrNotInFlight = errors.New("inq: message does not exist or is not in flight")
	// ErrAttemptNotRetryable is returned by Receive on FIFO with an attempt id whose messages were
	// deleted or had their visibility changed since. The messages that are left come back by their
	// timeouts; receive with another id.
	ErrAttemptNotRetryable = errors.New("inq: receive attempt cannot be repeated")
)

// Errors about dead letters and move tasks.
var (
	// ErrNoDeadLetterTarget is returned by Bury on a queue that has no dead-letter target, and for
	// a delivery of another [Queue] that has no Bury; there it is an [errors.ErrUnsupported] too.
	ErrNoDeadLetterTarget = errors.New("inq: queue has no dead-letter target")
	// ErrNotDeadLetterQueue is returned by Redrive on a broker's queue that is not the dead-letter
	// queue of any queue there.
	ErrNotDeadLetterQueue = errors.New("inq: queue is not a dead-letter queue")
	// ErrTaskRunning is returned by Redrive while a move task of the same queue runs.
	ErrTaskRunning = errors.New("inq: a move task is running")
	// ErrNoSource is why a move task fails that was given no destination and met a message that
	// does not say which queue it came from.
	ErrNoSource = errors.New("inq: message has no known source queue")
)

// ParamError is the refusal of one value. It names the parameter, the value and what is allowed.
// Nothing was changed by the call that returned it or, where it stands in a [BatchError], for that
// entry. Match the kind of refusal with [errors.Is] against the sentinel in Err.
type ParamError struct {
	Err    error  // the sentinel
	Param  string // name of the parameter as SQS spells it, such as "VisibilityTimeout"
	Value  any    // what was given; nil where the value is absent or too large to show
	Min    any    // smallest allowed value, nil where there is no range
	Max    any    // largest allowed value, nil where there is no range
	Reason string // what is expected, where a range does not say it
}

// Error names the parameter as SQS and as Go code spells it, the value (cut after 64 bytes) and the
// allowed range, and says where [WithoutSQSLimits] would lift the limit. Of a queue that is full it
// tells how full.
func (e *ParamError) Error() string {
	var b strings.Builder
	if e.Err != nil {
		b.WriteString(e.Err.Error() + ": ")
	}
	if e.Reason != "" && (e.Err == ErrFull && e.Param == "Capacity" || e.Err == ErrOverLimit) {
		// The value is what the queue holds, not what was given.
		b.WriteString(e.Reason)
		return b.String()
	}
	b.WriteString(e.Param)
	if name := e.goName(); name != "" {
		b.WriteString(" (" + name + ")")
	}
	if e.Value != nil {
		v := inWords(e.Value)
		if len(v) > 64 {
			v = v[:64] + "..."
		}
		if _, text := e.Value.(string); text {
			fmt.Fprintf(&b, " %q", v)
		} else {
			b.WriteString(" " + v)
		}
	}
	switch {
	case e.Min != nil && e.Max != nil:
		b.WriteString(": must be from " + inWords(e.Min) + " to " + inWords(e.Max))
	case e.Min != nil:
		b.WriteString(": must be at least " + inWords(e.Min))
	case e.Max != nil:
		b.WriteString(": must be at most " + inWords(e.Max))
	}
	if e.Reason != "" {
		b.WriteString(": " + e.Reason)
	}
	if e.lifted() {
		b.WriteString(liftedText)
	}
	return b.String()
}

// inWords shows a value or a bound: the durations that mean something else than their number by
// their names.
func inWords(v any) string {
	switch v {
	case Forever:
		return "Forever"
	case Forever - 1: // the longest delay where the retention is Forever
		return "just below Forever"
	case Zero:
		return "Zero"
	}
	return fmt.Sprint(v)
}

const liftedText = "; a limit of SQS, which WithoutSQSLimits lifts"

// parameters are what Go code gives the parameters of SQS as, where that has another name, and the
// limits of SQS that do not hold on a queue made WithoutSQSLimits.
var parameters = map[string]struct {
	call   string // field or parameter of a call
	option string // where the parameter is an attribute
	limits []any
}{
	"AWSTraceHeader":                {call: "Message.TraceHeader"},
	"Capacity":                      {call: "WithCapacity"},
	"Queues":                        {call: "WithQueueLimit"},
	"ChangeMessageVisibilityBatch":  {call: "ChangeVisibilityBatch", limits: []any{maxBatch}},
	"DelaySeconds":                  {"Message.Delay or delay of Return", "WithDelay", []any{maxDelay}},
	"DeleteMessageBatch":            {call: "DeleteBatch", limits: []any{maxBatch}},
	"DestinationArn":                {call: "RedriveInput.Destination or the dead-letter queue"},
	"InFlightLimit":                 {call: "WithInFlightLimit", limits: []any{maxInFlight}},
	"MaxNumberOfMessages":           {call: "ReceiveInput.Max", limits: []any{maxBatch}},
	"MaxNumberOfMessagesPerSecond":  {call: "RedriveInput.PerSecond"},
	"MaximumMessageSize":            {option: "WithMaxMessageSize", limits: []any{minMessageSize, maxMessageSize}},
	"MessageAttributes":             {call: "Message.Attributes"},
	"MessageBody":                   {call: "Message.Body"},
	"MessageDeduplicationId":        {call: "Message.DeduplicationID"},
	"MessageGroupId":                {call: "Message.GroupID"},
	"MessageRetentionPeriod":        {option: "WithRetention", limits: []any{minRetention, maxRetention}},
	"ReceiveMessageWaitTimeSeconds": {option: "WithReceiveWait", limits: []any{maxWait}},
	"ReceiveRequestAttemptId":       {call: "ReceiveInput.AttemptID"},
	"SendMessageBatch":              {call: "SendBatch", limits: []any{maxBatch, maxMessageSize}},
	"SenderId":                      {call: "Message.SenderID or WithSenderID"},
	"VisibilityTimeout":             {option: "WithVisibilityTimeout", limits: []any{maxVisibility}},
	"WaitTimeSeconds":               {call: "ReceiveInput.Wait", limits: []any{maxWait}},
	"deadLetterTargetArn":           {call: "WithDeadLetter"},
	"maxReceiveCount":               {call: "WithDeadLetter", limits: []any{maxMaxReceives}},
}

// goName returns what Go code gave the value as, "" where that is not known or no other name.
func (e *ParamError) goName() string {
	p := parameters[e.Param]
	if e.Err != ErrInvalidAttributeValue {
		return p.call
	}
	if _, text := e.Value.(string); text {
		return "" // given as text, by the name of the attribute
	}
	return p.option
}

// lifted reports whether the value would be allowed on a queue made WithoutSQSLimits.
func (e *ParamError) lifted() bool {
	v, ok := number(e.Value)
	if !ok {
		return false
	}
	limits := parameters[e.Param].limits
	low, hasLow := number(e.Min)
	high, hasHigh := number(e.Max)
	return hasHigh && v > high && slices.Contains(limits, e.Max) ||
		hasLow && 0 < v && v < low && slices.Contains(limits, e.Min)
}

// number returns a value or a bound to compare.
func number(v any) (n int64, ok bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case time.Duration:
		return int64(v), true
	}
	return 0, false
}

// Unwrap returns the sentinel.
func (e *ParamError) Unwrap() error { return e.Err }

// BatchFailure is one entry of a batch that was not carried out.
type BatchFailure struct {
	Index int   // position of the entry in the call's slice
	Err   error // why: what the call for a single message would have returned
}

// String tells which entry failed and why.
func (f BatchFailure) String() string { return "batch entry " + f.at() }

// at is the index and the reason, without the prefix that the whole text has.
func (f BatchFailure) at() string {
	return fmt.Sprintf("at index %d: %s", f.Index, strings.TrimPrefix(fmt.Sprint(f.Err), "inq: "))
}

// BatchError is returned by a batch call of which some entries failed; the others were carried out.
// Any other error from a batch call means that nothing was done. A queue that ends in the middle of
// a batch beyond the limits of SQS fails the rest of its entries.
type BatchError struct {
	Failed []BatchFailure // in order of Index
}

// Error tells how many entries failed and why the first one did.
func (e *BatchError) Error() string {
	switch len(e.Failed) {
	case 0:
		return "inq: batch with no failed entries"
	case 1:
		return "inq: 1 batch entry failed, " + e.Failed[0].at()
	}
	return fmt.Sprintf("inq: %d batch entries failed, the first %s", len(e.Failed), e.Failed[0].at())
}

// Unwrap returns the errors of the failed entries, so that [errors.Is] finds any of them.
func (e *BatchError) Unwrap() []error {
	errs := make([]error, len(e.Failed))
	for i, f := range e.Failed {
		errs[i] = f.Err
	}
	return errs
}

// batchFailures collects failures of a batch without allocating while there are none.
type batchFailures struct{ failed []BatchFailure }

func (b *batchFailures) add(index int, err error) {
	b.failed = append(b.failed, BatchFailure{Index: index, Err: err})
}

// ended is the error of a batch of n entries of which the first were tried, and the others failed
// because of err, whatever else was found about them. Where none was tried, it is err itself.
func (b *batchFailures) ended(tried, n int, err error) error {
	if tried == 0 {
		return err
	}
	for last := len(b.failed) - 1; last >= 0 && b.failed[last].Index >= tried; last-- {
		b.failed = b.failed[:last]
	}
	for i := tried; i < n; i++ {
		b.add(i, err)
	}
	return b.err()
}

func (b *batchFailures) err() error {
	if len(b.failed) == 0 {
		return nil
	}
	return &BatchError{Failed: b.failed}
}
