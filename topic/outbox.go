package topic

import (
	"context"
	"slices"
	"sync"
	"time"

	"example.com/inq"
)

// Outbox keeps what an account delivers to phones, mailboxes and apps, for tests and people to read.
// Nothing leaves the process. All methods are safe for concurrent use.
type Outbox struct {
	size int

	mu       sync.Mutex // guards everything below
	messages []OutboxMessage
	dropped  uint64
}

// OutboxMessage is one message to a phone, a mailbox or an app.
type OutboxMessage struct {
	Protocol        string // "sms", "email", "email-json" or "application"
	Endpoint        string // phone number, address, or ARN of the platform endpoint
	Type            string // "Notification" or "SubscriptionConfirmation"
	MessageID       string
	TopicARN        string // "" of a message published to the endpoint itself
	SubscriptionARN string
	Subject         string
	Body            string                   // the text, for "email-json" an envelope
	Attributes      map[string]inq.Attribute // shared and read only
	Time            time.Time                // of the publish
	Token           string                   // of a confirmation, for ConfirmSubscription
}

func newOutbox(size int) *Outbox { return &Outbox{size: size} }

// put adds a message, and drops the oldest where there are too many.
func (o *Outbox) put(m OutboxMessage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.messages) >= o.size {
		o.messages[0] = OutboxMessage{}
		o.messages = o.messages[1:]
		o.dropped++
	}
	o.messages = append(o.messages, m)
}

// Messages returns the messages in the outbox, oldest first.
func (o *Outbox) Messages() []OutboxMessage {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.messages)
}

// Take returns the messages in the outbox, oldest first, and empties it.
func (o *Outbox) Take() []OutboxMessage {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := o.messages
	o.messages = nil
	return m
}

// Dropped tells how many messages were pushed out by later ones, see [WithOutboxSize].
func (o *Outbox) Dropped() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dropped
}

// outboxTarget delivers to the outbox of the account.
type outboxTarget struct{}

func (outboxTarget) atOnce() bool { return true }

func (outboxTarget) retries(*Subscription) *retryPolicy { return &retryPolicy{} }

func (outboxTarget) deliver(_ context.Context, s *Subscription, x *parcel) (bool, error) {
	a := s.topic.account
	if err := a.reachable(s.protocol, s.endpoint); err != nil {
		return false, err
	}
	n := s.notification(x)
	m := OutboxMessage{Protocol: s.protocol, Endpoint: s.endpoint, Type: n.Type, MessageID: n.MessageID, TopicARN: n.TopicARN,
		SubscriptionARN: n.SubscriptionARN, Subject: n.Subject, Body: n.Message, Attributes: n.Attributes, Time: n.Time, Token: n.Token}
	if s.protocol == "email-json" {
		m.Body = n.Body()
	}
	a.outbox.put(m)
	return false, nil
}
