package suite

import (
	"errors"
	"slices"

	"example.com/inq"
)

// codeTable has the errors of the root package that stand for a code.
type codeTable []struct {
	code string
	errs []error
}

// codes begins with the code that an error stands for where nothing else is known.
var codes = codeTable{
	{"MissingParameter", []error{inq.ErrMissingParameter}},
	{"EmptyValue", []error{inq.ErrMissingParameter}},
	{"InvalidParameterValue", []error{
		inq.ErrInvalidParameter, inq.ErrMissingParameter, inq.ErrReceiptHandleExpired, inq.ErrAttemptNotRetryable, inq.ErrNotInFlight, inq.ErrNotDeadLetterQueue, inq.ErrTaskRunning,
	}},
	{"InvalidMessageContents", []error{inq.ErrInvalidMessageContents}},
	{"InvalidAttributeName", []error{inq.ErrInvalidAttributeName}},
	{"InvalidAttributeValue", []error{inq.ErrInvalidAttributeValue}},
	{"ReceiptHandleIsInvalid", []error{inq.ErrReceiptHandleInvalid}},
	{"QueueAlreadyExists", []error{inq.ErrQueueExists}},
	{"OverLimit", []error{inq.ErrOverLimit}},
	{"AWS.SimpleQueueService.NonExistentQueue", []error{inq.ErrQueueDoesNotExist}},
	{"ResourceNotFoundException", []error{inq.ErrQueueDoesNotExist, errNoTask}},
	{"AWS.SimpleQueueService.QueueDeletedRecently", []error{inq.ErrQueueDeletedRecently}},
	{"AWS.SimpleQueueService.PurgeQueueInProgress", []error{inq.ErrPurgeInProgress}},
	{"AWS.SimpleQueueService.EmptyBatchRequest", []error{inq.ErrEmptyBatch}},
	{"AWS.SimpleQueueService.TooManyEntriesInBatchRequest", []error{inq.ErrTooManyEntries}},
	{"AWS.SimpleQueueService.BatchRequestTooLong", []error{inq.ErrBatchTooLong}},
}

// of returns the errors that stand for a code.
func (c codeTable) of(code string) []error {
	for _, row := range c {
		if row.code == code {
			return row.errs
		}
	}
	return nil
}

// ofEntry returns the errors that stand for the code of an entry, which for a handle that was good once
// is another one than that of a call (SQS: CAP-8, CAP-9).
func (c codeTable) ofEntry(code string) []error {
	errs := c.of(code)
	if code == "ReceiptHandleIsInvalid" {
		errs = append(slices.Clone(errs), inq.ErrReceiptHandleExpired, inq.ErrNotInFlight)
	}
	return errs
}

// code returns the code that an error of the root package stands for where nothing else is known,
// "" for every other error.
func (c codeTable) code(err error) string {
	for _, row := range c {
		for _, known := range row.errs {
			if errors.Is(err, known) {
				return row.code
			}
		}
	}
	return ""
}
