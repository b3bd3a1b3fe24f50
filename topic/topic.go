package topic

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"example.com/inq/topic/internal/filter"
)

// Topic is one topic of an [Account]. What is published to it is copied to every subscription whose
// filter policy takes it. All methods are safe for concurrent use.
//
// After the topic is deleted its methods return [ErrTopicDoesNotExist], and after its account is
// closed [ErrClosed].
type Topic struct {
	// Set when it is made.
	account *Account
	name    string
	arn     string
	ids     *identity
	fifo    *fifo  // nil on Standard
	object  uint64 // in the journal of the account
	base    uint64 // number of the last message of earlier processes

	settings    atomic.Pointer[topicSettings] // written under the account's lock
	deletedFlag atomic.Bool
	number      atomic.Uint64 // of the message published last
	duplicates  atomic.Uint64

	// audience is what Publish needs to know of the subscriptions; nil after a change, until the next
	// publish makes it anew.
	audience atomic.Pointer[audience]

	tags   map[string]string // guarded by the account's lock, as is serial
	serial uint64

	// mu guards everything below. Publish holds it for reading while it finds out who gets a message;
	// changes need the account's lock as well.
	mu            sync.RWMutex
	subscriptions roster[Subscription]
	byEndpoint    map[endpointKey]*Subscription
	filters       [2]filter.Index[*Subscription] // by scope
	filtered      int                            // subscriptions in filters
	pending       int                            // subscriptions that are not confirmed
	deleted       int                            // subscriptions there were
}

// endpointKey is what a topic has one subscription of (SNS: SUB-9).
type endpointKey struct{ protocol, endpoint string }

// audience is the part of the subscriptions that every message reaches.
type audience struct {
	open     []*Subscription // confirmed and without a filter policy
	filtered bool            // there are others with one
}

func newTopic(a *Account, name string, fifo bool, s *topicSettings) *Topic {
	t := &Topic{
		account: a, name: name, arn: "arn:aws:sns:" + a.region + ":" + a.id + ":" + name,
		ids: newIdentity(fifo), byEndpoint: map[endpointKey]*Subscription{}, base: a.run << runBits,
	}
	t.number.Store(t.base)
	if fifo {
		t.fifo = newFIFO(a.journal)
	}
	t.settings.Store(s)
	return t
}

// Name returns the topic's name.
func (t *Topic) Name() string { return t.name }

// ARN returns the topic's Amazon resource name.
func (t *Topic) ARN() string { return t.arn }

// FIFO reports whether it is a FIFO topic.
func (t *Topic) FIFO() bool { return t.fifo != nil }

// gone is why the topic cannot be used, nil if it can.
func (t *Topic) gone() error {
	switch {
	case t.account == nil || t.account.closed.Load():
		return ErrClosed
	case t.deletedFlag.Load():
		return errNoTopic(t.arn)
	}
	return nil
}

// lock takes the lock of the account of a topic that can be used. Otherwise it is not locked.
func (t *Topic) lock() error {
	if t.account == nil {
		return ErrClosed
	}
	t.account.mu.Lock()
	if err := t.gone(); err != nil {
		t.account.mu.Unlock()
		return err
	}
	return nil
}

func isNoTopic(err error) bool { return errors.Is(err, ErrTopicDoesNotExist) }

// TopicStats are the numbers of a topic since it was made.
type TopicStats struct {
	Published     uint64 // messages accepted
	Duplicates    uint64 // publishes that a FIFO topic took for duplicates
	Subscriptions int    // confirmed and pending ones
}

// Stats returns the numbers as they are now.
func (t *Topic) Stats() TopicStats {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return TopicStats{Published: t.number.Load() - t.base, Duplicates: t.duplicates.Load(), Subscriptions: t.subscriptions.len()}
}

// Publish accepts one message and delivers it (SNS: sections 5, 7 and 10). It never waits for an
// endpoint: when it returns nil, every subscription that matches has its copy or will have it, its
// dead-letter queue will, or the failure is counted and logged. A copy for a queue of this process is
// in the queue when Publish returns, unless the queue refused it or, on a FIFO topic, another publish
// is about to put it there.
//
// It refuses what SNS refuses, each as a [*ParamError] that matches [ErrInvalidParameter],
// [ErrInvalidMessageAttribute] or [ErrMissingValue]. A duplicate on FIFO is a success that delivers
// nothing. Having no subscribers is no error.
func (t *Topic) Publish(ctx context.Context, m Message) (Published, error) {
	if err := checkContext(ctx); err != nil {
		return Published{}, err
	}
	if err := t.gone(); err != nil {
		return Published{}, err
	}
	s := t.settings.Load()
	parts, refusal := t.check(&m, s)
	if refusal != nil {
		return Published{}, refusal
	}
	if t.fifo == nil {
		return t.publish(&m, parts)
	}
	var published [1]Published
	err := t.publishInOrder(published[:], []Message{m}, []texts{parts}, s)
	return published[0], err
}

// PublishBatch is Publish for 1 to 10 messages in the order of the slice. A fault of any message
// refuses the whole batch; [ParamError].Entry tells which (SNS: BAT-6). So do [ErrEmptyBatch],
// [ErrTooManyEntries] and [ErrBatchTooLong].
func (t *Topic) PublishBatch(ctx context.Context, ms []Message) ([]Published, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	if err := t.gone(); err != nil {
		return nil, err
	}
	parts, refusal := t.checkBatch(ms)
	if refusal != nil {
		return nil, refusal
	}
	published := make([]Published, len(ms))
	if t.fifo != nil {
		if err := t.publishInOrder(published, ms, parts, t.settings.Load()); err != nil {
			return nil, err
		}
		return published, nil
	}
	if t.account.journal != nil {
		if err := t.publishDurably(published, ms, parts); err != nil {
			return nil, err
		}
		return published, nil
	}
	for i := range ms {
		published[i], _ = t.publish(&ms[i], parts[i]) // fails with a journal only
	}
	return published, nil
}

// recipients returns the subscriptions that get a message; the slice is not to be changed. Those that
// match are found in one critical section, so that one whose filter policy changes meanwhile gets the
// message once if it matches before and after.
func (t *Topic) recipients(m *Message, parts texts) []*Subscription {
	if a := t.audience.Load(); a != nil && !a.filtered {
		return a.open
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	a := t.audienceLocked()
	if !a.filtered {
		return a.open
	}
	var found []*filter.Entry[*Subscription]
	if x := &t.filters[filter.MessageAttributes]; x.Len() > 0 {
		found = x.Match(found, x.Attributes(m.Attributes))
	}
	x := &t.filters[filter.MessageBody]
	if x.Len() > 0 && parts == nil {
		found = x.Match(found, x.Body(m.Body))
	}
	dst := make([]*Subscription, 0, len(a.open)+len(found))
	dst = append(dst, a.open...)
	for _, e := range found {
		dst = append(dst, e.Value)
	}
	if x.Len() == 0 || parts == nil {
		return dst
	}
	// Each protocol has a text of its own, and its subscriptions are matched with that (SNS: FLT-4).
	done := map[string]bool{}
	for _, text := range parts {
		if done[text] {
			continue
		}
		done[text] = true
		for _, e := range x.Match(nil, x.Body(text)) {
			if parts.of(e.Value.textKey) == text {
				dst = append(dst, e.Value)
			}
		}
	}
	return dst
}

// audienceLocked returns the audience and makes it where a change has dropped it. t.mu must be held,
// for reading at least.
func (t *Topic) audienceLocked() *audience {
	if a := t.audience.Load(); a != nil {
		return a
	}
	a := &audience{filtered: t.filtered > 0}
	for _, p := range t.subscriptions.places {
		if s := p.item; s != nil && s.entry == nil && s.settings.Load().confirmed {
			a.open = append(a.open, s)
		}
	}
	t.audience.Store(a)
	return a
}

// publish accepts a message of a Standard topic that was checked.
func (t *Topic) publish(m *Message, parts texts) (Published, error) {
	if t.account.journal != nil {
		var published [1]Published
		err := t.publishDurably(published[:], []Message{*m}, []texts{parts})
		return published[0], err
	}
	published := Published{ids: t.ids, number: t.number.Add(1)}
	if f := t.account.published; f != nil {
		told := *m // one that may escape
		f(t, &told, published)
	}
	var p *publication
	for _, s := range t.recipients(m, parts) {
		settings := s.settings.Load()
		if q := settings.straight; q != nil && parts == nil && s.sendStraight(q, m) {
			continue
		}
		if p == nil {
			p = t.accepted(published.number, t.ids.now(), m, parts)
		}
		s.accept(p, settings)
	}
	return published, nil
}
