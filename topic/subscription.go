package topic

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/google/uuid"

	"example.com/inq"
	"example.com/inq/internal/durable"
	"example.com/inq/topic/internal/filter"
)

// Subscription is one target of a topic. All methods are safe for concurrent use. After it was ended
// its methods return [ErrSubscriptionDoesNotExist].
type Subscription struct {
	// Set when it is made.
	topic    *Topic
	id       uuid.UUID
	protocol string
	endpoint string
	textKey  string // of the text of structured messages
	target   deliverer
	object   uint64 // in the journal of the account; 0: not there

	// reference tells that the queue, or the dead-letter queue, was given by reference. After a restart
	// the program has to give it again; until then copies wait for it.
	reference bool

	settings atomic.Pointer[subscriptionSettings] // written under the account's and the topic's lock
	pipe     pipe
	counts   counts
	since    atomic.Uint64 // number of the last message before it was confirmed

	// The account's lock guards these.
	serial uint64 // in the account's list
	ended  bool
	tokens int  // that confirm it
	orphan bool // its topic was deleted; it can still be read

	// The topic's lock guards these.
	place uint64 // in the topic's list
	entry *filter.Entry[*Subscription]
}

// subscriptionSettings is what can be set of a subscription. A value is never changed once the
// subscription points to it.
type subscriptionSettings struct {
	raw           bool
	body          bool // the filter policy looks at the body
	filterText    string
	filter        *filter.Policy
	redriveText   string
	deadLetterARN string
	deadLetter    inq.Queue // given by reference
	deliveryText  string
	delivery      *deliveryPolicy
	role          string
	confirmed     bool
	authenticated bool // the confirmation was
	guarded       bool // ending it needs a signature (SNS: CONF-6)

	// straight is the queue to send to without detours: raw copies for a Standard queue of this
	// process.
	straight *queueTarget
}

// ARN returns the ARN of the subscription: that of the topic, and an id (SNS: SUB-1).
func (s *Subscription) ARN() string {
	if s.topic == nil { // no constructor made it
		return ""
	}
	var id [36]byte
	s.putID(&id)
	return s.topic.arn + ":" + string(id[:])
}

// putID writes the id as it stands in the ARN.
func (s *Subscription) putID(to *[36]byte) {
	hex.Encode(to[:8], s.id[:4])
	hex.Encode(to[9:13], s.id[4:6])
	hex.Encode(to[14:18], s.id[6:8])
	hex.Encode(to[19:23], s.id[8:10])
	hex.Encode(to[24:], s.id[10:])
	to[8], to[13], to[18], to[23] = '-', '-', '-', '-'
}

// Topic returns the topic it belongs to.
func (s *Subscription) Topic() *Topic { return s.topic }

// Protocol returns the protocol by the name of SNS; that of functions and other targets of the
// caller's is "application".
func (s *Subscription) Protocol() string { return s.protocol }

// Endpoint returns the ARN of a queue, a URL, a phone number, an address, or the ARN of a platform
// endpoint. Functions have an ARN that is made up.
func (s *Subscription) Endpoint() string { return s.endpoint }

// Pending reports whether the subscription waits to be confirmed. Until it is, it gets no messages.
func (s *Subscription) Pending() bool {
	settings := s.settings.Load()
	return settings == nil || !settings.confirmed
}

// A SubscribeOption configures a [Subscription].
type SubscribeOption interface{ applySubscription(*subscribeInput) }

// subscribeInput is what a subscription is made from.
type subscribeInput struct {
	attributes    map[string]string
	hasDeadLetter bool // [WithDeadLetter] is among the options, be it with nil
	deadLetter    inq.Queue
	deadLetterARN string
}

type subscriptionAttribute struct{ name, value string }

func (o subscriptionAttribute) applySubscription(in *subscribeInput) { in.attributes[o.name] = o.value }

type subscribeOption func(*subscribeInput)

func (o subscribeOption) applySubscription(in *subscribeInput) { o(in) }

// WithFilter gives the subscription only messages whose attributes the filter policy takes: JSON in
// the form of SNS (SNS: section 13), such as
//
//	{"amount": [{"numeric": [">=", 500]}], "country": ["NO", "PT"]}
//
// A subscription has one filter policy, on attributes or on bodies; of several options the last holds.
func WithFilter(policy string) SubscribeOption { return filterOption(policy, scopeAttributes) }

// WithBodyFilter gives the subscription only messages whose body is a JSON object that the filter
// policy takes, such as
//
//	{"customer": {"country": ["NO", {"prefix": "S"}]}}
//
// A subscription has one filter policy, on attributes or on bodies; of several options the last holds.
func WithBodyFilter(policy string) SubscribeOption { return filterOption(policy, scopeBody) }

// filterOption sets policy and scope together: neither is to be read with the other's of an earlier
// option.
func filterOption(policy, scope string) SubscribeOption {
	return subscribeOption(func(in *subscribeInput) {
		in.attributes["FilterPolicy"], in.attributes["FilterPolicyScope"] = policy, scope
	})
}

// WithRawDelivery delivers the message itself instead of an envelope around it: to queues with its
// attributes, to HTTP(S) endpoints without them (SNS: section 7).
func WithRawDelivery() SubscribeOption { return subscriptionAttribute{"RawMessageDelivery", "true"} }

// WithDeadLetter sends to q what cannot be delivered: what the target would have got, and nothing
// beside it (SNS: DLQ-2). Subscribe refuses a nil q with [ErrInvalidParameter]; without the option
// there are no dead letters.
func WithDeadLetter(q inq.Queue) SubscribeOption {
	return subscribeOption(func(in *subscribeInput) { in.deadLetter, in.hasDeadLetter = q, true })
}

// WithDeliveryPolicy sets how deliveries to an HTTP(S) endpoint or a function are retried, as JSON in
// the form of SNS (SNS: section 11), such as
//
//	{"healthyRetryPolicy": {"numRetries": 5, "minDelayTarget": 1, "maxDelayTarget": 60}}
//
// Those to queues follow the policy of SNS for queues.
func WithDeliveryPolicy(policy string) SubscribeOption {
	return subscriptionAttribute{"DeliveryPolicy", policy}
}

// WithSubscriptionAttribute sets an attribute by the name of SNS.
func WithSubscriptionAttribute(name, value string) SubscribeOption {
	return subscriptionAttribute{name, value}
}

// Subscribe subscribes a target, or returns the subscription of the same target if the given
// attributes have the same values there (SNS: SUB-9). Queues of the account, functions, phones and
// apps get what is published from now on. HTTP(S) endpoints and mailboxes have to confirm first; see
// [Account.ConfirmSubscription].
//
// [ErrInvalidParameter] for a target that the type of topic does not take, for bad attributes, and
// where the subscription exists with others; [ErrSubscriptionLimit] and [ErrFilterPolicyLimit] for
// one too many.
func (t *Topic) Subscribe(target Target, opts ...SubscribeOption) (*Subscription, error) {
	in := subscribeInput{attributes: map[string]string{}}
	for _, o := range opts {
		if o != nil {
			o.applySubscription(&in)
		}
	}
	if isNil(target) {
		return nil, invalid("Endpoint", nil, "the target must not be nil")
	}
	if t.account == nil {
		return nil, ErrClosed
	}
	// Queues are asked for their names before the lock is taken: they can be anybody's.
	if p, ok := target.(protocolTarget); ok && p.protocol == "sqs" && p.endpoint == "" {
		if isNilQueue(p.queue) {
			return nil, invalid("Endpoint", nil, "the queue must not be nil")
		}
		p.endpoint = queueARN(t.account, p.queue)
		target = p
	}
	if in.hasDeadLetter {
		if isNilQueue(in.deadLetter) {
			return nil, invalid("RedrivePolicy", nil, "the dead-letter queue must not be nil")
		}
		in.deadLetterARN = queueARN(t.account, in.deadLetter)
	}
	if err := t.account.lock(); err != nil {
		return nil, err
	}
	s, err := t.subscribeLocked(target, &in)
	t.account.commit(&err)
	if err != nil {
		return nil, err
	}
	return s, s.invite()
}

// Subscribe subscribes an endpoint by the name of its protocol, with attributes of SNS as text. A
// topic that does not exist comes first of all faults (SNS: SUB-2, SUB-23, SUB-24). See
// [Topic.Subscribe].
func (a *Account) Subscribe(ctx context.Context, topicARN, protocol, endpoint string, attributes map[string]string) (*Subscription, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	if err := a.lock(); err != nil {
		return nil, err
	}
	s, err := a.subscribeTextLocked(topicARN, protocol, endpoint, attributes)
	a.commit(&err)
	if err != nil {
		return nil, err
	}
	return s, s.invite()
}

func (a *Account) subscribeTextLocked(topicARN, protocol, endpoint string, attributes map[string]string) (*Subscription, error) {
	t, err := a.byARNLocked(topicARN, "TopicArn")
	if err != nil {
		return nil, err
	}
	target, refusal := targetOf(protocol, endpoint)
	if refusal != nil {
		return nil, refusal
	}
	return t.subscribeLocked(target, &subscribeInput{attributes: attributes})
}

// subscribeLocked makes a subscription or finds it. The account's lock must be held.
func (t *Topic) subscribeLocked(target Target, in *subscribeInput) (*Subscription, error) {
	if err := t.gone(); err != nil {
		return nil, err
	}
	a := t.account
	s := &Subscription{topic: t, id: uuid.New()}
	settings := &subscriptionSettings{confirmed: true, authenticated: true}
	if refusal := s.bind(target, settings); refusal != nil {
		return nil, refusal
	}
	if in.deadLetter != nil && t.fifo != nil && s.fifoQueue() && !isFIFOName(in.deadLetterARN) { // SNS: SUB-16
		return nil, invalid("RedrivePolicy", in.deadLetterARN, "must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.")
	}
	settings.deadLetter, settings.deadLetterARN = in.deadLetter, in.deadLetterARN
	const prefix = "Invalid parameter: Attributes Reason: "
	names := slices.Sorted(maps.Keys(in.attributes))
	if at := slices.Index(names, "FilterPolicyScope"); at > 0 { // it decides how the policy is read (SNS: FLT-3)
		copy(names[1:], names[:at])
		names[0] = "FilterPolicyScope"
	}
	for _, name := range names {
		if refusal := s.apply(settings, name, in.attributes[name], prefix); refusal != nil {
			return nil, refusal
		}
	}
	key := endpointKey{s.protocol, s.endpoint}
	if old := t.byEndpoint[key]; old != nil {
		current := old.settings.Load()
		for _, name := range names {
			if !sameShown(settings.shown(name), current.shown(name)) {
				return nil, errOtherAttributes(name, in.attributes[name])
			}
		}
		if in.deadLetter != nil && settings.deadLetterARN != current.deadLetterARN {
			return nil, errOtherAttributes("RedrivePolicy", settings.deadLetterARN)
		}
		old.rebind(target, in.deadLetter)
		return old, nil
	}
	if t.fifo != nil && !a.unlimited && t.subscriptions.len() >= maxFIFOSubscriptions {
		return nil, &ParamError{Err: ErrSubscriptionLimit, Param: "TopicArn", Value: t.arn, Reason: "a FIFO topic has at most 100 subscriptions",
			Text: "Subscription limit exceeded"}
	}
	if err := t.admitFilterLocked(nil, settings); err != nil {
		return nil, err
	}
	s.pipe.init(s)
	s.reference = in.deadLetter != nil || byReference(target)
	if _, function := s.target.(targetDeliverer); !function { // a function does not survive
		s.object = a.nextNumber()
	}
	if err := a.writeLocked(func(b *durable.Batch) { put(b, s.object, s.record(settings, false)) }); err != nil {
		return nil, err
	}
	a.enterLocked(s, settings)
	return s, nil
}

// enterLocked puts a new subscription into the account and its topic. The account's lock must be held.
func (a *Account) enterLocked(s *Subscription, settings *subscriptionSettings) {
	t := s.topic
	settings.finish(s)
	a.subscriptions[s.id] = s
	s.serial = a.list.add(s)
	t.mu.Lock()
	defer t.mu.Unlock()
	s.place = t.subscriptions.add(s)
	t.byEndpoint[endpointKey{s.protocol, s.endpoint}] = s
	if !settings.confirmed {
		t.pending++
	}
	t.putLocked(s, settings)
}

func errOtherAttributes(name, value string) error {
	return &ParamError{Err: ErrInvalidParameter, Param: name, Value: value, Reason: "the subscription exists with another value",
		Text: "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"}
}

// admitFilterLocked applies the quota of filter policies where settings bring one that the old ones
// did not have (SNS: FLT-21). The account's lock must be held.
func (t *Topic) admitFilterLocked(old, settings *subscriptionSettings) error {
	if settings.filter == nil || old != nil && old.filter != nil || t.account.unlimited {
		return nil
	}
	if t.filtered >= maxTopicFilters || t.account.filters >= maxAccountFilters {
		return &ParamError{Err: ErrFilterPolicyLimit, Param: "FilterPolicy", Reason: "a topic has at most 200 filter policies, an account 10,000",
			Text: "Invalid parameter: FilterPolicy limit exceeded"}
	}
	return nil
}

// putLocked gives a subscription settings and puts it where publishes find it. The locks of the
// account and the topic must be held.
func (t *Topic) putLocked(s *Subscription, settings *subscriptionSettings) {
	old := s.settings.Load()
	if old != nil && old.filter != nil {
		t.filtered--
		t.account.filters--
	}
	if s.entry != nil {
		t.filters[s.entry.Scope()].Remove(s.entry)
		s.entry = nil
	}
	if settings.confirmed && (old == nil || !old.confirmed) {
		s.since.Store(t.number.Load())
	}
	s.settings.Store(settings)
	if settings.filter != nil {
		t.filtered++
		t.account.filters++
		if settings.confirmed {
			s.entry = t.filters[settings.filter.Scope()].Add(settings.filter, s)
		}
	}
	t.audience.Store(nil)
}

// dropLocked takes a subscription out of its topic. The locks of the account and the topic must be
// held.
func (t *Topic) dropLocked(s *Subscription) {
	settings := s.settings.Load()
	if settings.filter != nil {
		t.filtered--
		t.account.filters--
	}
	if s.entry != nil {
		t.filters[s.entry.Scope()].Remove(s.entry)
		s.entry = nil
	}
	t.subscriptions.remove(s.place)
	delete(t.byEndpoint, endpointKey{s.protocol, s.endpoint})
	if !settings.confirmed {
		t.pending--
	}
	t.deleted++
	t.audience.Store(nil)
}

// lock takes the lock of the account, if it is usable.
func (s *Subscription) lock() (*Account, error) {
	if s.topic == nil {
		return nil, ErrClosed
	}
	return s.topic.account, s.topic.account.lock()
}

// change replaces the settings of a subscription by what f makes of a copy.
func (s *Subscription) change(f func(*subscriptionSettings) error) (err error) {
	a, err := s.lock()
	if err != nil {
		return err
	}
	defer a.commit(&err)
	if s.ended {
		return errNoSubscription(s.ARN())
	}
	return s.changeLocked(f)
}

// changeLocked is change with the account's lock held.
func (s *Subscription) changeLocked(f func(*subscriptionSettings) error) error {
	old := s.settings.Load()
	settings := *old
	if err := f(&settings); err != nil {
		return err
	}
	t := s.topic
	if s.orphan {
		s.settings.Store(&settings)
		return nil
	}
	if err := t.admitFilterLocked(old, &settings); err != nil {
		return err
	}
	if err := t.account.writeLocked(func(b *durable.Batch) { put(b, s.object, s.record(&settings, false)) }); err != nil {
		return err
	}
	settings.finish(s)
	t.mu.Lock()
	defer t.mu.Unlock()
	if settings.confirmed && !old.confirmed {
		t.pending--
	}
	t.putLocked(s, &settings)
	return nil
}

// Subscription returns the subscription with that ARN (SNS: SUB-18, SUB-19).
func (a *Account) Subscription(arn string) (*Subscription, error) {
	if err := a.lock(); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	return a.subscriptionLocked(arn)
}

func (a *Account) subscriptionLocked(arn string) (*Subscription, error) {
	parts, refusal := splitARN(arn, "SubscriptionArn")
	if refusal != nil {
		return nil, refusal
	}
	if len(parts) < 7 {
		return nil, invalidName("SubscriptionId", arn, "must be the ARN of a subscription")
	}
	id, err := uuid.Parse(parts[6])
	if s := a.subscriptions[id]; err == nil && s != nil && s.ARN() == arn {
		return s, nil
	}
	return nil, errNoSubscription(arn)
}

// Subscriptions returns a page of up to 100 subscriptions of the account, pending ones included, in
// the order in which they were made. See [Account.Topics] for tokens.
func (a *Account) Subscriptions(token string) (page []*Subscription, next string, err error) {
	if err := a.lock(); err != nil {
		return nil, "", err
	}
	defer a.mu.Unlock()
	return pageOf(&a.list, token)
}

// Subscriptions is [Account.Subscriptions] for those of the topic.
func (t *Topic) Subscriptions(token string) (page []*Subscription, next string, err error) {
	if err := t.gone(); err != nil {
		return nil, "", err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return pageOf(&t.subscriptions, token)
}

// Unsubscribe ends the subscription. What waits to be delivered goes to its dead letters, or counts
// as failed. It can be called again.
func (s *Subscription) Unsubscribe() error {
	a, err := s.lock()
	if err != nil {
		return err
	}
	if err = a.endLocked(s); err == nil {
		defer s.pipe.end(errNoSubscription(s.ARN()))
	}
	a.commit(&err)
	return err
}

// maxOrphans is how many subscriptions of deleted topics can still be read.
const maxOrphans = 1000

// orphanLocked keeps a subscription whose topic was deleted, so that it can be read for a while (SNS:
// TOP-7). The account's lock must be held.
func (a *Account) orphanLocked(s *Subscription) {
	s.orphan = true
	a.orphans = append(a.orphans, s)
	for len(a.orphans) > maxOrphans {
		_ = a.endLocked(a.orphans[0]) // nothing is written for an orphan
		a.orphans[0] = nil
		a.orphans = a.orphans[1:]
	}
}

// endLocked takes a subscription out of the account. The account's lock must be held.
func (a *Account) endLocked(s *Subscription) error {
	if s.ended {
		return nil
	}
	if !s.orphan {
		err := a.writeLocked(func(b *durable.Batch) {
			a.sweepLocked(b)
			a.endRecordLocked(b, s)
			t := s.topic.record(s.topic.settings.Load(), s.topic.tags)
			t.ended++
			put(b, s.topic.object, t)
		})
		if err != nil {
			return err
		}
	}
	s.ended = true
	if !s.orphan {
		s.topic.mu.Lock()
		s.topic.dropLocked(s)
		s.topic.mu.Unlock()
	}
	delete(a.subscriptions, s.id)
	a.list.remove(s.serial)
	a.leaveLocked(&s.pipe)
	return nil
}

// leaveLocked remembers a pipe that may still have something on its way, until it has not. The
// account's lock must be held.
func (a *Account) leaveLocked(p *pipe) {
	for p := range a.leaving {
		if p.empty() {
			delete(a.leaving, p)
		}
	}
	a.leaving[p] = struct{}{}
}
