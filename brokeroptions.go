package inq

import (
	"strings"
	"time"
)

// A BrokerOption configures a [Broker].
type BrokerOption interface{ applyBroker(*Broker) }

type brokerOption func(*Broker)

func (o brokerOption) applyBroker(b *Broker) { o(b) }

// WithRegion sets the region in the ARNs of the broker's queues: 1 to 63 lower-case letters, digits
// and hyphens. Default "us-east-1".
func WithRegion(region string) BrokerOption {
	return brokerOption(func(b *Broker) { b.region = region })
}

// WithAccount sets the account in the ARNs of the broker's queues: 12 digits. Default
// "000000000000".
func WithAccount(id string) BrokerOption { return brokerOption(func(b *Broker) { b.account = id }) }

// WithoutCooldowns lifts the 60-second rules: a queue can be purged again, and created again under
// the name of a deleted one, at once.
func WithoutCooldowns() BrokerOption { return brokerOption(func(b *Broker) { b.cooldown = false }) }

// WithQueueLimit bounds how many queues the broker holds. One more is refused with [ErrOverLimit]. 0,
// the default, is no bound.
func WithQueueLimit(n int) BrokerOption { return brokerOption(func(b *Broker) { b.limit = n }) }

// WithQueueDefaults gives options to every queue the broker creates, before the options or
// attributes of the queue itself. They are not compared when a queue exists already.
func WithQueueDefaults(opts ...Option) BrokerOption {
	return brokerOption(func(b *Broker) { b.defaults = append(b.defaults, opts...) })
}

// WithBrokerJournal keeps all queues of the broker in j, with their messages, settings, tags and policies,
// and NewBroker restores those that j has of this region and account. Several brokers, of different
// regions or accounts, can share a journal. See [WithJournal] and [Journal] for what that means for queues.
//
// DeleteQueue removes a queue from j, Close of the broker leaves all in it. What the options of
// [WithQueueDefaults] say is not kept but follows the broker that has the queue. An observer, and a
// dead-letter target that is no queue of a broker, are values of the program and cannot be kept: the first
// CreateStandard or CreateFIFO that names the queue gives them to it anew. The 60 seconds after DeleteQueue
// end with the process, and a move task is gone; its messages are in one of its two queues each.
//
// While the journal is full or has failed, changes of queues are refused with [ErrJournalFull] or
// [ErrJournalFailed] and change nothing; DeleteQueue goes on from the reserve. The one change that finds the
// disk full or broken has that error too, but is in force by then, until a restart takes it back: a queue
// that was being deleted is gone, and its name is not free before that restart.
func WithBrokerJournal(j *Journal) BrokerOption {
	return brokerOption(func(b *Broker) { b.journal, b.noJournal = j, j == nil })
}

// NewBroker makes a broker without queues, or with those of [WithBrokerJournal]. It needs no goroutine and
// no timer. Options out of range, those of WithQueueDefaults included, are refused with
// [ErrInvalidParameter] or [ErrInvalidAttributeValue], a nil journal with [ErrMissingParameter].
func NewBroker(opts ...BrokerOption) (*Broker, error) {
	b := &Broker{region: "us-east-1", account: localAccount, cooldown: true,
		queues: map[string]*entry{}, sources: map[string][]string{}, deleted: map[string]time.Time{}, dropping: map[string]struct{}{}}
	b.open.Store(true)
	for _, o := range opts {
		if o != nil {
			o.applyBroker(b)
		}
	}
	if !isARNPart(b.region) {
		return nil, &ParamError{Err: ErrInvalidParameter, Param: "Region", Value: b.region, Reason: "must be 1 to 63 lower-case letters, digits and hyphens"}
	}
	if len(b.account) != 12 || strings.Trim(b.account, "0123456789") != "" {
		return nil, &ParamError{Err: ErrInvalidParameter, Param: "Account", Value: b.account, Reason: "must be 12 digits"}
	}
	if b.noJournal {
		return nil, errNoJournal()
	}
	if b.limit < 0 {
		return nil, &ParamError{Err: ErrInvalidParameter, Param: "Queues", Value: b.limit, Min: 0}
	}
	p := b.base()
	s := defaultSettings().with(&p)
	t := localQueue(s.target) // the defaults are for queues of its type
	if err := s.validate(t != nil && t.fifo != nil); err != nil {
		return nil, err
	}
	if b.journal != nil {
		if err := b.restore(); err != nil {
			_ = b.Close()
			return nil, err
		}
	}
	return b, nil
}
