package topic

import (
	"errors"
	"fmt"
	"strings"
)

// Errors about what a call names.
var (
	// ErrClosed is returned by every call on an account, and on its topics, after Close or Shutdown,
	// and on an account that no constructor made.
	ErrClosed = errors.New("topic: account is closed")
	// ErrTopicDoesNotExist is returned for a name or ARN that the account has no topic of, and by
	// every call on a topic that was deleted (SNS: TOP-7).
	ErrTopicDoesNotExist = errors.New("topic: topic does not exist")
	// ErrSubscriptionDoesNotExist is returned for the ARN of a subscription that the account does not
	// have, and by calls on one that was ended (SNS: SUB-18).
	ErrSubscriptionDoesNotExist = errors.New("topic: subscription does not exist")
	// ErrResourceDoesNotExist is returned by the calls about tags for the ARN of no topic (SNS: TAG-2).
	ErrResourceDoesNotExist = errors.New("topic: resource does not exist")
	// ErrPlatformApplicationDoesNotExist is returned for the ARN of no platform application (SNS: PLAT-5).
	ErrPlatformApplicationDoesNotExist = errors.New("topic: platform application does not exist")
	// ErrEndpointDoesNotExist is returned for the ARN of no platform endpoint (SNS: PLAT-10).
	ErrEndpointDoesNotExist = errors.New("topic: endpoint does not exist")
	// ErrEndpointDisabled is returned by a publish to a platform endpoint that is not enabled (SNS:
	// PLAT-10).
	ErrEndpointDisabled = errors.New("topic: endpoint is disabled")
)

// Errors about what a call was given.
var (
	// ErrInvalidParameter is returned when a parameter or an attribute is outside what is allowed.
	ErrInvalidParameter = errors.New("topic: invalid parameter")
	// ErrInvalidMessageAttribute is returned for a message attribute with a bad name, type or value
	// (SNS: PUB-11 to PUB-20).
	ErrInvalidMessageAttribute = errors.New("topic: invalid message attribute")
	// ErrMissingValue is returned where a part of a structure is absent that must be there (SNS: WIRE-13).
	ErrMissingValue = errors.New("topic: missing value")
)

// Errors about batches. Nothing was published.
var (
	// ErrEmptyBatch is returned for a batch without entries (SNS: BAT-5).
	ErrEmptyBatch = errors.New("topic: empty batch")
	// ErrTooManyEntries is returned for a batch of more than 10 entries (SNS: BAT-1).
	ErrTooManyEntries = errors.New("topic: too many entries in batch")
	// ErrBatchTooLong is returned for a batch of more than 262,144 bytes in sum (SNS: BAT-4).
	ErrBatchTooLong = errors.New("topic: batch too long")
)

// Errors about quotas, which [WithoutSNSLimits] lifts.
var (
	// ErrTopicLimit is returned when an account would have more topics than allowed.
	ErrTopicLimit = errors.New("topic: too many topics")
	// ErrSubscriptionLimit is returned when a FIFO topic would have more than 100 subscriptions.
	ErrSubscriptionLimit = errors.New("topic: too many subscriptions")
	// ErrFilterPolicyLimit is returned when a topic would have more than 200 filter policies, or an
	// account more than 10,000 (SNS: FLT-21).
	ErrFilterPolicyLimit = errors.New("topic: too many filter policies")
	// ErrTagLimit is returned when a topic would have more than 50 tags (SNS: TAG-2).
	ErrTagLimit = errors.New("topic: too many tags")
)

// ErrRejected marks an error of a [Target] that trying again does not change: the copy goes to the
// subscription's dead letters at once. Errors of targets that do not match it are followed by
// retries (SNS: RET-6).
var ErrRejected = errors.New("topic: rejected by the endpoint")

// ParamError is the refusal of one value. It names the parameter and the value, and says what is
// allowed. Nothing was changed by the call that returned it. Match the kind of refusal with
// [errors.Is] against the sentinel in Err.
type ParamError struct {
	Err   error  // the sentinel
	Param string // name of the parameter or attribute as SNS spells it, such as "FilterPolicy"
	Value any    // what was given; nil where it is absent or too large to show
	// Reason says what is allowed, "" where Text does.
	Reason string
	// Text is what SNS answers in this case, without the code.
	Text string
	// Entry is the place in a batch, from 1; 0 outside of batches.
	Entry int
}

// Error names the parameter, the value (cut after 64 bytes) and what is allowed.
func (e *ParamError) Error() string {
	var b strings.Builder
	if e.Err != nil {
		b.WriteString(e.Err.Error() + ": ")
	}
	if e.Entry > 0 {
		fmt.Fprintf(&b, "entry %d: ", e.Entry)
	}
	b.WriteString(e.Param)
	if e.Value != nil {
		v := fmt.Sprint(e.Value)
		if len(v) > 64 {
			v = v[:64] + "..."
		}
		if _, text := e.Value.(string); text {
			v = fmt.Sprintf("%q", v)
		}
		b.WriteString(" " + v)
	}
	reason := e.Reason
	if reason == "" {
		reason = strings.TrimPrefix(e.Text, "Invalid parameter: ")
	}
	if reason != "" {
		b.WriteString(": " + reason)
	}
	return b.String()
}

// Unwrap returns the sentinel.
func (e *ParamError) Unwrap() error { return e.Err }

// invalid is the refusal of a parameter in the form that SNS has for most of them.
func invalid(param string, value any, reason string) *ParamError {
	return &ParamError{Err: ErrInvalidParameter, Param: param, Value: value, Reason: reason,
		Text: "Invalid parameter: " + param + " Reason: " + reason}
}

// invalidName is the refusal of a parameter for which SNS gives no reason.
func invalidName(param string, value any, reason string) *ParamError {
	return &ParamError{Err: ErrInvalidParameter, Param: param, Value: value, Reason: reason, Text: "Invalid parameter: " + param}
}

func errNoTopic(arn string) error {
	return &ParamError{Err: ErrTopicDoesNotExist, Param: "TopicArn", Value: arn, Text: "Topic does not exist"}
}

func errNoSubscription(arn string) error {
	return &ParamError{Err: ErrSubscriptionDoesNotExist, Param: "SubscriptionArn", Value: arn, Text: "Subscription does not exist"}
}

func isNoSubscription(err error) bool { return errors.Is(err, ErrSubscriptionDoesNotExist) }

func isNoApplication(err error) bool { return errors.Is(err, ErrPlatformApplicationDoesNotExist) }

func isNoEndpoint(err error) bool { return errors.Is(err, ErrEndpointDoesNotExist) }
