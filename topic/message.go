package topic

import (
	"maps"
	"slices"
	"sync/atomic"

	"example.com/inq"
	"example.com/inq/topic/internal/filter"
)

// Limits of SNS (SNS: section 16).
const (
	maxMessageSize = 262_144 // bytes of message and attributes, and of a batch in sum
	maxBatch       = 10
	maxSubject     = 100 // characters
	maxIDLength    = 128
	maxNameLength  = 256
)

// A Message is what a publisher publishes.
type Message struct {
	// Body is the message: at least one byte of UTF-8. With Structure it is a JSON object, see there.
	// Together with the attributes it has at most 262,144 bytes (SNS: PUB-2, PUB-4).
	Body string
	// Subject is shown in envelopes and e-mails: up to 100 characters without line breaks and other
	// control characters. "" is no subject (SNS: PUB-3).
	Subject string
	// Structure is "" or [StructureJSON] (SNS: PUB-10).
	Structure string
	// Attributes are named values that travel beside the message and that filter policies look at.
	// Their types are those of [inq.Attribute], and String.Array: the text of a JSON array. Publish
	// copies the map and its binary values (SNS: PUB-11 to PUB-20).
	Attributes map[string]inq.Attribute
	// GroupID is the message group: required on FIFO topics, where subscribers that are FIFO queues
	// get the messages of a group in order. On Standard it is optional and goes to standard queues as
	// the tenant of a fair queue (SNS: PUB-5, PUB-8). 1 to 128 printable ASCII characters without the
	// space.
	GroupID string
	// DeduplicationID makes a FIFO topic accept the message once in five minutes (SNS: FIFO-2 to
	// FIFO-4). The same alphabet as GroupID. Refused on Standard (SNS: PUB-7).
	DeduplicationID string
	// TraceHeader becomes the AWSTraceHeader of the copies in queues (SNS: FAN-7).
	TraceHeader string
}

// StructureJSON says that the body of a message is a JSON object with texts for the protocols of
// subscriptions: the member "default", which must be there, and any of "sqs", "http", "https",
// "email", "email-json", "sms" and "application", or in its place the name of a push platform. Each
// subscriber gets the text of its own protocol, else the default (SNS: MSJ-1 to MSJ-5).
const StructureJSON = "json"

// texts are the members of a structured message that are strings; nil for a message without
// structure.
type texts map[string]string

// structured reads the body of a message with [StructureJSON].
func structured(body string) (texts, *ParamError) {
	members, ok := filter.Strings(body)
	if !ok {
		return nil, &ParamError{Err: ErrInvalidParameter, Param: "Message", Reason: "must be a JSON object, since the structure is json",
			Text: "Invalid parameter: Message Structure - JSON message body failed to parse"}
	}
	if _, ok := members["default"]; !ok {
		return nil, &ParamError{Err: ErrInvalidParameter, Param: "Message", Reason: `must have a member "default" that is a string, since the structure is json`,
			Text: "Invalid parameter: Message Structure - No default entry in JSON message body"}
	}
	return members, nil
}

// publication is an accepted message on its way to subscribers. What is above mu is never changed.
type publication struct {
	topic   *Topic
	number  uint64
	at      int64 // in the time of the topic
	message Message
	texts   texts
	dedup   string // the deduplication id that goes along, of a FIFO topic
	size    int64  // what a copy that waits counts

	object uint64       // in the journal of the account
	copies atomic.Int32 // in the journal

	envelopes
}

// text returns what a subscription of the protocol gets.
func (p *publication) text(protocol string) string {
	if p.texts == nil {
		return p.message.Body
	}
	return p.texts.of(protocol)
}

// of returns the text for a protocol.
func (t texts) of(protocol string) string {
	if text, ok := t[protocol]; ok {
		return text
	}
	return t["default"]
}

// own copies what the caller of Publish may change later.
func (m *Message) own() Message {
	c := *m
	if len(m.Attributes) == 0 {
		c.Attributes = nil
		return c
	}
	c.Attributes = maps.Clone(m.Attributes)
	for name, a := range c.Attributes {
		if a.Binary != nil {
			a.Binary = slices.Clone(a.Binary)
			c.Attributes[name] = a
		}
	}
	return c
}

// accepted makes a publication of a message that was checked.
func (t *Topic) accepted(number uint64, at int64, m *Message, parts texts) *publication {
	return &publication{topic: t, number: number, at: at, message: m.own(), texts: parts, size: int64(m.size())}
}

// size is the number of bytes of a message (SNS: PUB-4).
func (m *Message) size() int {
	if len(m.Attributes) == 0 {
		return len(m.Body) // spares an iteration
	}
	return len(m.Body) + attributesSize(m.Attributes)
}

// attributesSize is the number of bytes of names, types and values (SNS: PUB-4).
func attributesSize(attributes map[string]inq.Attribute) int {
	n := 0
	for name, a := range attributes {
		n += len(name) + len(a.Type) + len(a.Value) + len(a.Binary)
	}
	return n
}
