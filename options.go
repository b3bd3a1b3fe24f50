package inq

import (
	"time"
)

// Limits and defaults of SQS (SQS: section 1). Durations are exact here; SQS itself rounds to whole
// seconds.
const (
	defaultVisibility = 30 * time.Second
	defaultRetention  = 4 * 24 * time.Hour
	maxVisibility     = 12 * time.Hour
	maxDelay          = 15 * time.Minute
	minRetention      = time.Minute
	maxRetention      = 14 * 24 * time.Hour
	maxWait           = 20 * time.Second
	minMessageSize    = 1024
	maxMessageSize    = 1 << 20
	maxBatch          = 10
	maxInFlight       = 120_000
	maxMaxReceives    = 1000
)

// A StandardOption configures a Standard queue; every [Option] is one.
type StandardOption interface{ applyStandard(*patch) }

// A FIFOOption configures a FIFO queue; every [Option] is one, and so are options that only FIFO
// knows.
type FIFOOption interface{ applyFIFO(*patch) }

// An Option configures either type of queue, in its constructor and, unless it says otherwise, in
// Configure. A value out of range is refused by the call the option is given to, which then changes
// nothing: with [ErrInvalidParameter] in the case of [WithSenderID], [WithCapacity],
// [WithInFlightLimit] and [WithDeadLetter], with [ErrInvalidAttributeValue] otherwise.
type Option interface {
	StandardOption
	FIFOOption
}

type option func(*patch)

func (o option) applyStandard(p *patch) { o(p) }
func (o option) applyFIFO(p *patch)     { o(p) }

type standardOption func(*patch)

func (o standardOption) applyStandard(p *patch) { o(p) }

type fifoOption func(*patch)

func (o fifoOption) applyFIFO(p *patch) { o(p) }

// WithVisibilityTimeout sets how long a received message stays hidden when the receive does not
// say. From 0 to 12 hours, default 30 seconds. With 0 (or [Zero]) received messages stay visible:
// here 0 is zero, unlike in [ReceiveInput], where 0 means what this option says. A change applies
// to later receives.
func WithVisibilityTimeout(d time.Duration) Option {
	return option(func(p *patch) { p.visibility, p.set = d, p.set|setVisibility })
}

// WithDelay sets how long a new message waits before it can be received, unless the message says
// otherwise. From 0 to 15 minutes, default 0. A change applies to later messages on Standard and to
// waiting ones too on FIFO.
func WithDelay(d time.Duration) Option {
	return option(func(p *patch) { p.delay, p.set = d, p.set|setDelay })
}

// WithRetention sets how long a message lives from its send, whatever state it is in. From 1 minute
// to 14 days, default 4 days. A change applies at once to all messages. On a queue
// [WithoutSQSLimits] any positive time is allowed, and the default is [Forever].
func WithRetention(d time.Duration) Option {
	return option(func(p *patch) { p.retention, p.set = d, p.set|setRetention })
}

// WithReceiveWait sets how long a receive waits for a message when it does not say. From 0 to 20
// seconds, default 0, which is a short poll. A change applies to later receives.
func WithReceiveWait(d time.Duration) Option {
	return option(func(p *patch) { p.wait, p.set = d, p.set|setWait })
}

// WithMaxMessageSize sets the largest message in bytes, body and attributes together. From 1,024 to
// 1,048,576, which is the default; on a queue [WithoutSQSLimits] from 1 byte to 2 GiB, which is the
// default there. A change applies to later sends.
func WithMaxMessageSize(bytes int) Option {
	return option(func(p *patch) { p.maxSize, p.set = bytes, p.set|setMaxSize })
}

// WithSenderID sets the sender id of messages whose sender does not give its own: text of the
// characters that a body may have, up to 2,048 bytes. The default is "inq". It cannot be changed later: Configure
// refuses it.
func WithSenderID(id string) Option {
	return option(func(p *patch) { p.sender, p.set = id, p.set|setSender })
}

// WithDeadLetter hands a message to t instead of delivering it once more, when it was received
// maxReceives times (1 to 1000) in this queue without being deleted. A *Standard or *FIFO is a
// target itself and must be of the same type as the queue; see [DeadLetterTarget] for others. A nil
// t takes the target away; a nil queue, [DeadLetterFunc] or [DeadLetterFile] in t is refused. A
// change applies to later receives, and to messages that wait until the former target can be called.
//
// A target that fails or panics does not lose the message: it stays in the queue, hidden, and is
// offered again. That shows in [Stats].DeadLetterFailures, and with its error in an event of the
// kind [EventDeadLetterFailed], and nowhere else: no receive returns it, only [Standard.Bury] does.
func WithDeadLetter(t DeadLetterTarget, maxReceives int) Option {
	return option(func(p *patch) { p.target, p.maxReceives, p.set = t, maxReceives, p.set|setDeadLetter })
}

// WithCapacity bounds what the queue holds, in messages and in bytes of bodies and attributes, in
// whatever state: those in flight and those delayed count. 0 means unlimited, which is the default
// for both. Messages already in the queue always stay.
//
// A message that would exceed a bound is refused at once with [ErrFull]: Send never waits for room.
// It is the producer who waits and tries again, as in
// example_errors_test.go (WithCapacity, WaitForRoom). What makes room is a delete, a
// dead-letter target, the retention or a purge, not a receive. So a worker that keeps trying to send
// into the queue whose message it holds can wait for ever. Dead letters are refused too, and stay
// where they are.
func WithCapacity(messages int, bytes int64) Option {
	return option(func(p *patch) { p.capMessages, p.capBytes, p.set = messages, bytes, p.set|setCapacity })
}

// WithInFlightLimit sets how many messages can be in flight at a time: 1 to 120,000, which is the
// default; on a queue [WithoutSQSLimits] up to 2,147,483,647, which is the default there. At the
// limit a short poll on Standard is refused with [ErrOverLimit]; a long poll waits until one of the
// messages is deleted or visible again, and so does FIFO, where a short poll finds nothing. So a
// test sees with three messages what SQS does with 120,000, and a limit of 1 makes consumers take
// turns. A change applies at once to all receives, those that wait included. Messages that are in
// flight beyond a lower limit stay so, and count.
func WithInFlightLimit(messages int) Option {
	return option(func(p *patch) { p.inFlight, p.set = messages, p.set|setInFlight })
}

// WithObserver calls f with what happens to the queue's messages, in order and without gaps: each
// [Event] has a number that is one higher than that of the one before. f is called outside the lock
// by whichever goroutine caused an event, one call at a time; it may call the queue, and must not
// panic. While it runs, events gather and other callers go on. The slice is f's to keep. A nil f
// takes the observer away. Without an observer events cost nothing. A queue has one; see
// [Standard.Watch] for more, and [WithWatcher] for all queues of a broker.
func WithObserver(f func([]Event)) Option {
	return option(func(p *patch) { p.observer, p.set = f, p.set|setObserver })
}

// WithoutSQSLimits lifts what only the service needs: 15 minutes of delay, 12 hours of visibility
// and their total, 1 minute and 14 days of retention (whose default becomes [Forever]), 20 seconds
// of wait, batches of 10, 1 MiB of message (whose default becomes 2 GiB) and batch, 120,000 in
// flight, 1000 receives; and a body may be empty, or any bytes. In return a delay that is not
// shorter than the retention is refused. It cannot be changed later: Configure refuses it.
//
// Code that relies on this option does not run on SQS, and what a body may be stays as it is over
// HTTP: package sqsapi refuses to send one that is empty or no text of SQS, and shows a binary one,
// which was sent in the process, with U+FFFD in the place of what SQS does not take.
func WithoutSQSLimits() Option {
	return option(func(p *patch) { p.unlimited, p.set = true, p.set|setUnlimited })
}

// WithContentBasedDeduplication makes the SHA-256 of the body the deduplication id of messages that
// are sent without one. Default off.
func WithContentBasedDeduplication(on bool) FIFOOption {
	return fifoOption(func(p *patch) { p.contentDedup, p.set = on, p.set|setContentDedup })
}

// WithDeduplicationScope sets where a deduplication id must be unique. Default [ScopeQueue]. A
// later change is kept and shown but does not act, as recorded on SQS.
func WithDeduplicationScope(s DeduplicationScope) FIFOOption {
	return fifoOption(func(p *patch) { p.scope, p.set = s, p.set|setScope }) // (SQS: FIFO-21, FIFO-22)
}

// WithThroughputLimit sets the FifoThroughputLimit attribute, which is kept and shown; nothing is
// throttled here. Default [PerQueue]. [PerMessageGroupID] needs [ScopeMessageGroup].
func WithThroughputLimit(l ThroughputLimit) FIFOOption {
	return fifoOption(func(p *patch) { p.throughput, p.set = l, p.set|setThroughput })
}

// gather puts what options change into p, in their order. A nil option changes nothing.
func gather[O any](p *patch, opts []O, apply func(O, *patch)) {
	for _, o := range opts {
		if any(o) != nil {
			apply(o, p)
		}
	}
}

// Options makes one option of several, applied in order.
func Options(opts ...Option) Option {
	return option(func(p *patch) { gather(p, opts, Option.applyFIFO) })
}

// StandardOptions makes one option of several for Standard queues, applied in order.
func StandardOptions(opts ...StandardOption) StandardOption {
	return standardOption(func(p *patch) { gather(p, opts, StandardOption.applyStandard) })
}

// FIFOOptions makes one option of several for FIFO queues, applied in order.
func FIFOOptions(opts ...FIFOOption) FIFOOption {
	return fifoOption(func(p *patch) { gather(p, opts, FIFOOption.applyFIFO) })
}

// A DeduplicationScope says where a deduplication id must be unique.
type DeduplicationScope string

// The scopes of SQS.
const (
	ScopeQueue        DeduplicationScope = "queue"
	ScopeMessageGroup DeduplicationScope = "messageGroup"
)

// A ThroughputLimit is a value of the attribute FifoThroughputLimit.
type ThroughputLimit string

// The throughput limits of SQS.
const (
	PerQueue          ThroughputLimit = "perQueue"
	PerMessageGroupID ThroughputLimit = "perMessageGroupId"
)
