package inqotel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"example.com/inq"
	"example.com/inq/worker"
)

// errorTypes are the names of errors that have one.
var errorTypes = []struct {
	err  error
	name string
}{
	{context.Canceled, "canceled"},
	{context.DeadlineExceeded, "deadline_exceeded"},
	{inq.ErrClosed, "closed"},
	{inq.ErrQueueDoesNotExist, "queue_does_not_exist"},
	{inq.ErrFull, "full"},
	{inq.ErrOverLimit, "over_limit"},
	{inq.ErrThrottled, "throttled"},
	{inq.ErrUnavailable, "unavailable"},
	{inq.ErrMissingParameter, "missing_parameter"},
	{inq.ErrInvalidMessageContents, "invalid_message_contents"},
	{inq.ErrInvalidAttributeName, "invalid_attribute_name"},
	{inq.ErrInvalidAttributeValue, "invalid_attribute_value"},
	{inq.ErrInvalidParameter, "invalid_parameter"},
	{inq.ErrEmptyBatch, "empty_batch"},
	{inq.ErrTooManyEntries, "too_many_entries"},
	{inq.ErrBatchTooLong, "batch_too_long"},
}

// errorType names the class of an error.
func errorType(err error) attribute.KeyValue {
	var panicked *worker.PanicError
	if errors.As(err, &panicked) {
		return semconv.ErrorTypeKey.String("panic")
	}
	for _, t := range errorTypes {
		if errors.Is(err, t.err) {
			return semconv.ErrorTypeKey.String(t.name)
		}
	}
	// What a handler wraps its error in says what is to become of the message, and not what is wrong.
	var bury *worker.BuryError
	var retry *worker.RetryError
	switch {
	case errors.As(err, &bury) && bury.Err != nil:
		return errorType(bury.Err)
	case errors.As(err, &retry) && retry.Err != nil:
		return errorType(retry.Err)
	}
	return semconv.ErrorType(err)
}
