package topic

import (
	"context"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"

	"example.com/inq"
)

// Target is where a subscription delivers to. Those that SNS has are made by [Queue], [QueueARN],
// [URL], [SMS], [Email], [EmailJSON] and [Application]; anything else implements it, or is a [Func].
type Target interface {
	// Deliver takes one copy of a message. A nil error means that it is delivered. An error that
	// matches [ErrRejected] sends it to the dead letters of the subscription; after any other error,
	// and after a panic, it is tried again by the delivery policy, so that Deliver can get a message
	// more than once. ctx ends after 15 seconds and when the account is closed.
	//
	// On a Standard topic up to 16 copies of a subscription are delivered at once, in no order. On a
	// FIFO topic copies of different message groups are, and those of a group one after the other.
	Deliver(ctx context.Context, n *Notification) error
}

// Func makes a [Target] of a function. Unlike the targets that SNS has, it can be subscribed more than
// once, each time as another subscription.
type Func func(ctx context.Context, n *Notification) error

// Deliver calls f.
func (f Func) Deliver(ctx context.Context, n *Notification) error { return f(ctx, n) }

// Notification is one copy of a message for one subscription.
type Notification struct {
	Type            string // "Notification", "SubscriptionConfirmation" or "UnsubscribeConfirmation"
	MessageID       string
	SequenceNumber  string // of a FIFO topic
	TopicARN        string
	SubscriptionARN string
	Subject         string
	Message         string                   // the text for the protocol
	Attributes      map[string]inq.Attribute // shared and read only
	GroupID         string
	DeduplicationID string
	TraceHeader     string
	Time            time.Time // of the publish
	Raw             bool      // the subscription has raw delivery
	Attempt         int       // 1 for the first
	Token           string    // of confirmations

	body func() string
}

// Body returns what SNS would deliver: the message with raw delivery, else an envelope around it (SNS:
// section 8). A Notification that was not made by this package has its message as its body.
func (n *Notification) Body() string {
	if n.body == nil {
		return n.Message
	}
	return n.body()
}

// protocolTarget is a target by protocol and address, as SNS has them. A subscription is bound to it.
type protocolTarget struct {
	protocol string
	endpoint string
	queue    inq.Queue // given by reference
}

// Deliver is there to make it a Target; a subscription delivers by what it was bound to.
func (p protocolTarget) Deliver(context.Context, *Notification) error { return ErrRejected }

// Queue is a queue by reference: one of this process, or any other [inq.Queue]. Copies for a queue of
// this process are sent by the goroutine that publishes.
//
// On a Standard topic it must be a Standard queue. A FIFO topic takes both; a standard queue behind
// it gets no order and no deduplication (SNS: SUB-5, SUB-6, FIFO-9).
func Queue(q inq.Queue) Target { return protocolTarget{protocol: "sqs", queue: q} }

// QueueARN is a queue by its ARN. It need not exist: copies that find no queue go to the dead letters
// (SNS: SUB-3, FAN-6). See [WithQueues].
func QueueARN(arn string) Target { return protocolTarget{protocol: "sqs", endpoint: arn} }

// URL is an HTTP or HTTPS endpoint. It is asked to confirm before it gets messages (SNS: section 9).
func URL(url string) Target {
	scheme, _, _ := strings.Cut(url, ":")
	return protocolTarget{protocol: strings.ToLower(scheme), endpoint: url}
}

// SMS is a phone number. Messages go to the [Outbox].
func SMS(number string) Target { return protocolTarget{protocol: "sms", endpoint: number} }

// Email is a mailbox that gets text. It has to confirm before it gets messages, which go to the
// [Outbox].
func Email(address string) Target { return protocolTarget{protocol: "email", endpoint: address} }

// EmailJSON is a mailbox that gets envelopes. It has to confirm before it gets messages, which go to
// the [Outbox].
func EmailJSON(address string) Target {
	return protocolTarget{protocol: "email-json", endpoint: address}
}

// Application is an app on a device, by the ARN of its platform endpoint. Messages go to the
// [Outbox].
func Application(arn string) Target { return protocolTarget{protocol: "application", endpoint: arn} }

// targetOf makes a target of the names that the API has (SNS: SUB-2).
func targetOf(protocol, endpoint string) (Target, *ParamError) {
	switch protocol {
	case "sqs", "http", "https", "sms", "email", "email-json", "application":
		return protocolTarget{protocol: protocol, endpoint: endpoint}, nil
	}
	return nil, &ParamError{Err: ErrInvalidParameter, Param: "Protocol", Value: protocol,
		Reason: "must be sqs, http, https, sms, email, email-json or application",
		Text:   "Invalid parameter: Amazon SNS does not support this protocol string: " + protocol}
}

// deliverer is what a subscription delivers by.
type deliverer interface {
	// deliver makes one attempt. A queue can find that it has the copy already.
	deliver(ctx context.Context, s *Subscription, x *parcel) (duplicate bool, err error)
	// atOnce reports that an attempt is a matter of microseconds and can be made by the publisher.
	atOnce() bool
	// retries is the policy for attempts that failed.
	retries(s *Subscription) *retryPolicy
}

// isNil tells a target that is not there, in an interface or not.
func isNil(target Target) bool {
	if target == nil {
		return true
	}
	switch v := reflect.ValueOf(target); v.Kind() {
	case reflect.Func, reflect.Pointer, reflect.Map, reflect.Chan, reflect.Interface, reflect.Slice:
		return v.IsNil()
	}
	return false
}

// bind finds out what a new subscription delivers by, and whether it has to be confirmed.
func (s *Subscription) bind(target Target, settings *subscriptionSettings) *ParamError {
	a, t := s.topic.account, s.topic
	p, ok := target.(protocolTarget)
	if !ok {
		s.protocol, s.textKey = "application", "application"
		s.endpoint = "arn:aws:sns:" + a.region + ":" + a.id + ":endpoint/FUNCTION/" + t.name + "/" + uuid.NewString()
		s.target = targetDeliverer{target}
		return nil
	}
	s.protocol, s.endpoint, s.textKey = p.protocol, p.endpoint, p.protocol
	if p.protocol == "sqs" {
		return s.bindQueue(p, settings)
	}
	if t.fifo != nil {
		return invalid("Endpoint", p.endpoint, "FIFO topics deliver to queues only, not to the protocol "+p.protocol)
	}
	switch p.protocol {
	case "http", "https":
		settings.confirmed, settings.authenticated = false, false
		return s.bindURL()
	case "email", "email-json":
		settings.confirmed, settings.authenticated = false, false
		if at := strings.LastIndexByte(p.endpoint, '@'); at < 1 || at == len(p.endpoint)-1 || !isText(p.endpoint) || len(p.endpoint) > 320 {
			return &ParamError{Err: ErrInvalidParameter, Param: "Endpoint", Value: p.endpoint, Reason: "must be an address with an @ in it",
				Text: "Invalid parameter: Email address"}
		}
	case "sms":
		if number, ok := phoneNumber(p.endpoint); !ok || number == "" {
			return &ParamError{Err: ErrInvalidParameter, Param: "Endpoint", Value: p.endpoint,
				Reason: "must be 2 to 15 digits that do not begin with 0, with a + before and single . - / between if you like",
				Text:   "Invalid SMS endpoint: " + p.endpoint}
		}
	case "application":
		platform, refusal := a.platforms.subscribable(p.endpoint)
		if refusal != nil {
			return refusal
		}
		s.textKey = platform
	default:
		_, refusal := targetOf(p.protocol, p.endpoint)
		return refusal
	}
	s.target = outboxTarget{}
	return nil
}

// targetDeliverer delivers to a function or another target of the caller's.
type targetDeliverer struct{ target Target }

func (d targetDeliverer) deliver(ctx context.Context, s *Subscription, x *parcel) (bool, error) {
	return false, d.target.Deliver(ctx, s.notification(x))
}

func (targetDeliverer) atOnce() bool { return false }

func (targetDeliverer) retries(s *Subscription) *retryPolicy { return s.policy().retries }

// policy is the delivery policy that holds for the subscription.
func (s *Subscription) policy() effective {
	return effectivePolicy(s.topic.settings.Load().delivery, s.settings.Load().delivery)
}

// notification is the parcel as targets see it.
func (s *Subscription) notification(x *parcel) *Notification {
	settings := s.settings.Load()
	if c := x.confirmation; c != nil {
		n := c.notification(s)
		n.Attempt = x.attempts + 1
		return n
	}
	p := x.publication
	n := &Notification{
		Type: typeNotification, MessageID: p.id(), SequenceNumber: p.sequenceNumber(), TopicARN: s.topic.arn, SubscriptionARN: s.ARN(),
		Subject: p.message.Subject, Message: p.text(s.textKey), Attributes: p.message.Attributes,
		GroupID: p.message.GroupID, DeduplicationID: p.dedup, TraceHeader: p.message.TraceHeader,
		Time: p.time(), Raw: settings.raw, Attempt: x.attempts + 1,
	}
	n.body = func() string { return s.body(p, settings.raw) }
	return n
}

// body is what the subscription delivers of a publication.
func (s *Subscription) body(p *publication, raw bool) string {
	text := p.text(s.textKey)
	if raw {
		return text
	}
	return p.envelope(s, text, s.topic.account.signQueues || s.protocol == "http" || s.protocol == "https")
}
