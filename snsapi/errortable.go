package snsapi

import (
	"context"
	"errors"
	"net/http"

	"example.com/inq"
	"example.com/inq/internal/wire"
	"example.com/inq/topic"
)

// The error vocabulary (SNS: section 1). What is no request at all has its kinds in package wire.
var (
	kindInvalidParameter      = kindOf("InvalidParameter", 400)
	kindParameterValueInvalid = kindOf("ParameterValueInvalid", 400)
	kindValidationError       = kindOf("ValidationError", 400)
	kindNotFound              = kindOf("NotFound", 404)
	kindResourceNotFound      = kindOf("ResourceNotFound", 404)
	kindEndpointDisabled      = kindOf("EndpointDisabled", 400)
	kindEmptyBatch            = kindOf("EmptyBatchRequest", 400)
	kindTooManyEntries        = kindOf("TooManyEntriesInBatchRequest", 400)
	kindBatchTooLong          = kindOf("BatchRequestTooLong", 400)
	kindIdsNotDistinct        = kindOf("BatchEntryIdsNotDistinct", 400)
	kindInvalidBatchEntryID   = kindOf("InvalidBatchEntryId", 400)
	kindTopicLimit            = kindOf("TopicLimitExceeded", 403)
	kindSubscriptionLimit     = kindOf("SubscriptionLimitExceeded", 403)
	kindFilterPolicyLimit     = kindOf("FilterPolicyLimitExceeded", 403)
	kindTagLimit              = kindOf("TagLimitExceeded", 400)
	kindAuthorizationError    = kindOf("AuthorizationError", 403)
	kindThrottled             = kindOf("Throttled", 429)
	kindMissingAction         = kindOf("MissingAction", 400)
	kindServiceUnavailable    = &wire.Kind{Shape: "ServiceUnavailable", Code: "ServiceUnavailable", Status: http.StatusServiceUnavailable, Receiver: true}
)

func kindOf(code string, status int) *wire.Kind {
	return &wire.Kind{Shape: code, Code: code, Status: status}
}

// kinds are the rows for what an account and its topics refuse.
var kinds = []struct {
	err  error
	kind *wire.Kind
}{
	{topic.ErrInvalidParameter, kindInvalidParameter},
	{topic.ErrInvalidMessageAttribute, kindParameterValueInvalid},
	{topic.ErrMissingValue, kindValidationError},
	{topic.ErrTopicDoesNotExist, kindNotFound},
	{topic.ErrSubscriptionDoesNotExist, kindNotFound},
	{topic.ErrEndpointDoesNotExist, kindNotFound},
	{topic.ErrPlatformApplicationDoesNotExist, kindNotFound},
	{topic.ErrResourceDoesNotExist, kindResourceNotFound},
	{topic.ErrEndpointDisabled, kindEndpointDisabled},
	{topic.ErrEmptyBatch, kindEmptyBatch},
	{topic.ErrTooManyEntries, kindTooManyEntries},
	{topic.ErrBatchTooLong, kindBatchTooLong},
	{topic.ErrTopicLimit, kindTopicLimit},
	{topic.ErrSubscriptionLimit, kindSubscriptionLimit},
	{topic.ErrFilterPolicyLimit, kindFilterPolicyLimit},
	{topic.ErrTagLimit, kindTagLimit},
	{topic.ErrClosed, kindServiceUnavailable},
	{inq.ErrJournalFull, kindServiceUnavailable},
	{inq.ErrJournalFailed, kindServiceUnavailable},
	{wire.ErrBusy, kindThrottled},
	{context.Canceled, kindServiceUnavailable},
	{context.DeadlineExceeded, kindServiceUnavailable},
}

// toFault translates an error of an account or of a topic, whose text is that of SNS.
func toFault(err error) *wire.Fault {
	f := &wire.Fault{Kind: kindServiceUnavailable, Cause: err}
	for _, row := range kinds {
		if errors.Is(err, row.err) {
			f.Kind = row.kind
			break
		}
	}
	var p *topic.ParamError
	switch {
	case errors.As(err, &p) && p.Text != "":
		f.Message = p.Text
	case errors.Is(err, topic.ErrClosed):
		f.Message = "The service is shutting down: the account was closed."
	case errors.Is(err, inq.ErrJournalFull):
		f.Message = "The disk is full, or what the service may take of it is used up. Nothing was changed."
	case errors.Is(err, inq.ErrJournalFailed):
		f.Message = "The service cannot write to its disk any more."
	case errors.Is(err, wire.ErrBusy):
		f.Message = "Rate exceeded"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		f.Message = "The request was given up."
	default:
		f.Message = err.Error()
	}
	f.Message = wire.Cut(f.Message, wire.MaxMessage)
	return f
}

// missing refuses a request without a required parameter (SNS: WIRE-12).
func missing(name string) *wire.Fault { return invalid(name, "no value for required parameter") }

// invalid refuses a parameter.
func invalid(name, reason string) *wire.Fault {
	return wire.Faultf(kindInvalidParameter, "Invalid parameter: %s Reason: %s", wire.Shown(name), reason)
}

// null refuses a request without a part of a structure, or without a map or a list (SNS: WIRE-13,
// WIRE-16).
func null(path string) *wire.Fault {
	return wire.Faultf(kindValidationError, "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", path)
}

func attributeTwice(name string) *wire.Fault {
	return wire.Faultf(kindParameterValueInvalid, "The message attribute '%s' is given more than once.", wire.Shown(name))
}
