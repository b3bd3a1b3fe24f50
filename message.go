package inq

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
)

// A message's life. Every arrow is one function in visibility.go and one critical section; their names
// are those of the picture with the suffix Locked.
//
//	             enqueue           lease               ack
//	(nothing) ──────────▶ ready ──────────▶ in flight ──────▶ gone
//	    │                 ▲ ▲ │ ◀────────────── │ │ ▲
//	    │ enqueue  arrive │ │ │ release, return │ │ │ resume
//	    ├───────▶ delayed ┘ │ │                 │ │ │ (the target failed a consumer's Bury)
//	    │         ▲         │ │ bury            │ │ │
//	    │         └─────────┼─┼─────────────────┘ │ │
//	    │     return with   │ │                   ▼ │ bury
//	    │     a delay       │ └──────────────▶ burying ──────▶ gone, or nowhere: letGo
//	    │            putBack│                    │ │  (the target has it)
//	    │                   ├────────────────────┘ │ backOff (the target failed)
//	    │                   └──────── backoff ◀────┘
//	    │ adopt                reveal
//	    └───────▶ adopted ───────────▶ ready
//
// A receive buries a ready message instead of leasing it when it was received often enough (SQS:
// DLQ-4). A message that comes from another queue of this process is adopted: hidden until its source
// has let go of it. expire, purge and close lead from every state to gone.
type state uint8

const (
	stateFree     = state(classNone)            // the slot holds no message
	stateDelayed  = state(classDelayed)         // in its initial delay, or returned with one
	stateReady    = state(classVisible)         // receivable, on FIFO possibly blocked by its group
	stateInFlight = state(classInFlight)        // with a consumer until its visibility timeout ends
	stateBurying  = state(classAside)           // on its way to a dead-letter target, or elsewhere by a move task
	stateBackoff  = state(classAside + classes) // the target failed; not visible until the next try is due
	stateAdopted  = state(classAside + 2*classes)
)

// class is what a state counts as (SQS: section 2.2). It is part of the state's number.
type class = uint8

const (
	classNone class = iota
	classDelayed
	classVisible
	classInFlight // not visible, and with a consumer: by this go the limit of messages in flight and the tenants' shares
	classAside    // not visible, and with nobody
	classes
)

func (s state) class() class { return class(s) % classes }

// notVisible reports whether a class counts as not visible.
func notVisible(c class) bool { return c >= classInFlight }

// A Message is what a producer sends. Its JSON form is stable, so that messages can be saved: Delay
// is in nanoseconds there, and a body that is not valid UTF-8 is in base64, as bodyBase64.
type Message struct {
	// Body is the text of the message: at least one byte, at most the queue's maximum message size
	// together with the attributes, valid UTF-8 without control characters other than tab, line
	// feed and carriage return. A queue [WithoutSQSLimits] takes any bytes here, and none at all.
	// The body is kept byte for byte.
	Body string `json:"body"`
	// Attributes are at most 10 named values that travel beside the body. Send copies the map and
	// its binary values.
	Attributes map[string]Attribute `json:"attributes,omitempty"`
	// Delay keeps the message from being received for a time of up to 15 minutes. 0 means the
	// queue's own delay, [Zero] none at all. A FIFO queue takes 0 and Zero only, and both mean the
	// queue's own delay.
	Delay time.Duration `json:"delay,omitempty"`
	// GroupID is the message group: required on FIFO, where messages of one group are delivered in
	// order. On Standard it is optional and names the tenant of a fair queue. 1 to 128 printable
	// ASCII characters without the space.
	GroupID string `json:"groupId,omitempty"`
	// DeduplicationID makes a FIFO queue accept the message once in five minutes. The same alphabet
	// as GroupID. Refused on Standard.
	DeduplicationID string `json:"deduplicationId,omitempty"`
	// TraceHeader is the AWSTraceHeader system attribute: text of the characters that a body may
	// have, up to 2,048 bytes. It does not count towards the size.
	TraceHeader string `json:"traceHeader,omitempty"`
	// SenderID overrides the queue's sender id for this message; "" leaves it. The same characters
	// as in a body, up to 2,048 bytes.
	SenderID string `json:"senderId,omitempty"`
}

// Zero is an explicit zero in fields where 0 means "the queue's own setting". Every other negative
// duration is refused. Options and ChangeVisibility take 0 and Zero alike as zero.
const Zero time.Duration = math.MinInt64

// Forever is a wait, a visibility timeout or a retention without end. It is accepted on queues
// built with [WithoutSQSLimits] only.
const Forever time.Duration = math.MaxInt64

// An Attribute is one named value of a message. Type is "String", "Number" or "Binary", optionally
// with a label of your own after a dot, as in "Number.float". Value holds the text of the first
// two, Binary the bytes of the last.
type Attribute struct {
	Type   string `json:"type"`
	Value  string `json:"value,omitempty"`
	Binary []byte `json:"binary,omitempty"`
}

// String returns an attribute of type String. v must not be empty.
func String(v string) Attribute { return Attribute{Type: "String", Value: v} }

// Number returns an attribute of type Number. v is a decimal number of at most 38 significant
// digits, zero or from 10^-128 to 10^126 in magnitude, and is kept as written.
func Number(v string) Attribute { return Attribute{Type: "Number", Value: v} }

// Binary returns an attribute of type Binary. b must not be empty; Send copies it.
func Binary(b []byte) Attribute { return Attribute{Type: "Binary", Binary: b} }

// Sent tells a producer what became of one accepted message. Its strings are made when they are
// asked for, so that a producer that ignores them pays nothing.
type Sent struct {
	ids       *identity // of the queue; what NewSent was given is in one of its own
	seq       uint64
	duplicate bool
}

// SentFields is what [NewSent] makes a Sent of.
type SentFields struct {
	ID             string
	SequenceNumber string // "" on Standard
	Duplicate      bool
}

// NewSent makes a Sent for other implementations of [Queue]: adapters, wrappers and fakes.
func NewSent(f SentFields) Sent {
	return Sent{ids: &identity{foreign: &f}, duplicate: f.Duplicate}
}

// ID returns the message id, a lower-case UUID. For a duplicate it is the id of the original (SQS:
// FIFO-20). It is "" for the zero Sent, which stands for a failed entry of a batch.
func (s Sent) ID() string {
	switch {
	case s.ids == nil:
		return ""
	case s.ids.foreign != nil:
		return s.ids.foreign.ID
	}
	id := s.ids.messageID(s.seq)
	return id.String()
}

// SequenceNumber returns the place of a FIFO message, 20 digits that grow with every accepted
// message. It is "" on Standard.
func (s Sent) SequenceNumber() string {
	switch {
	case s.ids == nil:
		return ""
	case s.ids.foreign != nil:
		return s.ids.foreign.SequenceNumber
	case !s.ids.fifo:
		return ""
	}
	return s.ids.sequenceNumber(s.seq)
}

// Duplicate reports whether a FIFO queue had accepted the same deduplication id in the last five
// minutes. The send succeeded, and nothing was added.
func (s Sent) Duplicate() bool { return s.duplicate }

// rare is what most messages do not have. One is made when the first such thing appears.
//
// The first block is written before the message is stored and never again, so that deliveries read
// it without the lock. The second block is guarded by the lock of the queue that holds the message.
type rare struct {
	attributes  map[string]Attribute
	traceHeader string
	senderID    string
	id          uuid.UUID // of a message that came from another queue; zero: derived from the sequence
	dedupID     string    // FIFO, of a message that came from another queue
	sourceARN   string    // the queue it was dead-lettered from (SQS: DLQ-5)
	origin      *queue    // the same, where it is in this process
	attrBytes   int       // size of the attributes (SQS: MSG-1)
	reason      string    // why it was dead-lettered
	countBefore uint32    // receives in queues it was in before
	movedIn     bool      // came from another queue
	lentSender  bool      // senderID is that of the queue it came from: the sender gave none
	came        int64     // when it came here, if that is not its enqueue time

	uncounted uint32 // receives undone by Return
	failures  uint32 // hand-overs that failed since the message was last received,
	failedAt  uint32 // the number of which is this
	spared    uint32 // the number of the receive after which its target was gone; the next one delivers it
	place     place  // where LC-5 put it; valid with flagMoved
	expiry    int32  // position in the heap of those that expire out of order, -1: not there
	twin      uint32 // the receive that the latest one, or the next, is a duplicate of; 0: none
}

// payload is a checked message on its way in.
type payload struct {
	body  string
	rare  *rare
	group string    // SQS: FIFO-2, FAIR-1
	hash  uint64    // keyed hash of group
	dedup string    // deduplication id of the sender, contentMark if it is the hash of the body
	key   [2]uint64 // keyed hash of the deduplication id in its scope
	delay int64     // nanoseconds, -1: the queue's own
	size  int       // SQS: MSG-1
	sent  int64     // of a message that came from another queue: when it counts as sent,
	first int64     // and was first received
}

// plain reports that m has nothing but a body, as most messages of Standard queues.
func (m *Message) plain() bool {
	return m.Attributes == nil && m.Delay == 0 && len(m.GroupID)|len(m.DeduplicationID)|len(m.TraceHeader)|len(m.SenderID) == 0
}

// rareParts copies what the record has no room for, or returns nil where there is nothing.
func (m *Message) rareParts(size int) *rare {
	if len(m.Attributes) == 0 && m.TraceHeader == "" && m.SenderID == "" {
		return nil
	}
	return &rare{
		attributes:  cloneAttributes(m.Attributes),
		attrBytes:   size - len(m.Body),
		traceHeader: m.TraceHeader,
		senderID:    m.SenderID,
		expiry:      -1,
	}
}

// cloneAttributes copies the map and the binary values in it.
func cloneAttributes(attrs map[string]Attribute) map[string]Attribute {
	if len(attrs) == 0 {
		return nil
	}
	c := maps.Clone(attrs)
	for name, a := range c {
		if a.Binary != nil {
			a.Binary = slices.Clone(a.Binary)
			c[name] = a
		}
	}
	return c
}
