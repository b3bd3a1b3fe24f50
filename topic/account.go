package topic

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"example.com/inq"
	"example.com/inq/internal/durable"
)

// Account holds topics and their subscriptions, as one account has them in one region of SNS. It
// stands beside the [inq.Broker] that holds the queues. Create one with [NewAccount]. All methods
// are safe for concurrent use, and any number of accounts live side by side.
//
// Methods that look something up return a sentinel that says what does not exist, and all methods
// return [ErrClosed] after Close or Shutdown. Methods with a ctx refuse a nil one with
// [ErrMissingValue] and return the bare error of one that has already ended; then nothing was done.
type Account struct {
	// Set by the constructor.
	region        string
	id            string
	queues        func(arn string) (inq.Queue, error)
	logger        *slog.Logger
	client        *http.Client
	signQueues    bool
	unlimited     bool
	extended      bool
	waitingCopies int
	waitingBytes  int64
	outbox        *Outbox
	published     func(*Topic, *Message, Published) // nil: nobody
	direct        *Topic                            // in no list: what is published to one endpoint
	running       context.Context                   // ends when the account is closed
	stop          context.CancelFunc
	journal       journal // nil: nothing survives the process
	object        uint64  // in the journal
	run           uint64  // how often the account was opened before, in its journal
	baseURL       atomic.Pointer[string]
	closed        atomic.Bool

	// mu guards everything below, and what topics and subscriptions say it guards. It may be held when
	// a topic's or a pipe's lock is taken, never the other way round; Publish does not take it.
	mu            sync.Mutex
	topics        map[string]*Topic // by name
	topicList     roster[Topic]
	fifoTopics    int
	subscriptions map[uuid.UUID]*Subscription
	list          roster[Subscription]
	orphans       []*Subscription // of deleted topics, oldest first
	filters       int             // subscriptions with a filter policy
	tokens        tokens
	leaving       map[*pipe]struct{} // of ended subscriptions, with something still on its way
	platforms     platforms
	sms           smsSettings
	kept          map[*Subscription]struct{} // ended ones that the journal still needs
	written       durable.Mark               // how far this account has written under the lock
}

// NewAccount makes an account without topics. It needs no goroutine and no timer while nothing is
// to be delivered. Options out of range are refused with [ErrInvalidParameter].
func NewAccount(opts ...AccountOption) (*Account, error) {
	c := accountConfig{waitingCopies: 10_000, waitingBytes: 64 << 20, outboxSize: 10_000}
	for _, o := range opts {
		if o != nil {
			o.applyAccount(&c)
		}
	}
	return c.build()
}

func newAccount(c *accountConfig) *Account {
	a := &Account{
		region: c.region, id: c.id, queues: c.queues, logger: c.logger,
		signQueues: c.signQueues, unlimited: c.unlimited, extended: c.extended,
		waitingCopies: c.waitingCopies, waitingBytes: c.waitingBytes,
		outbox:        newOutbox(c.outboxSize),
		published:     c.published,
		topics:        map[string]*Topic{},
		subscriptions: map[uuid.UUID]*Subscription{},
		leaving:       map[*pipe]struct{}{},
		kept:          map[*Subscription]struct{}{},
		client:        newClient(c.transport, c.external),
	}
	a.running, a.stop = context.WithCancel(context.Background())
	a.SetBaseURL(c.baseURL)
	settings, _ := newTopicSettings(nil, false)
	a.direct = newTopic(a, "direct", false, settings)
	return a
}

// Region returns the region in the ARNs of topics.
func (a *Account) Region() string { return a.region }

// ID returns the account in the ARNs of topics.
func (a *Account) ID() string { return a.id }

// SetBaseURL is [WithBaseURL] for an account whose address is known later. It applies to later
// deliveries.
func (a *Account) SetBaseURL(url string) {
	url = strings.TrimSuffix(url, "/")
	a.baseURL.Store(&url)
}

// Outbox returns where messages to phones, mailboxes and apps go.
func (a *Account) Outbox() *Outbox { return a.outbox }

// usable reports that the account was made and is not closed. a.mu must be held, or the answer is of
// a moment ago.
func (a *Account) usable() error {
	if a.closed.Load() || a.running == nil {
		return ErrClosed
	}
	return nil
}

// lock takes the lock of an account that is usable. Otherwise it is not locked.
func (a *Account) lock() error {
	a.mu.Lock()
	if err := a.usable(); err != nil {
		a.mu.Unlock()
		return err
	}
	return nil
}

// A TopicOption configures a [Topic] when it is made.
type TopicOption interface {
	applyTopic(attributes map[string]string)
}

type topicOption struct{ name, value string }

func (o topicOption) applyTopic(attributes map[string]string) { attributes[o.name] = o.value }

// WithDisplayName sets the name that e-mails come from, at most 100 characters.
func WithDisplayName(name string) TopicOption { return topicOption{"DisplayName", name} }

// WithContentBasedDeduplication makes the SHA-256 of the body the deduplication id of messages that
// are published without one, on a FIFO topic (SNS: FIFO-4). Default off.
func WithContentBasedDeduplication(on bool) TopicOption {
	value := "false"
	if on {
		value = "true"
	}
	return topicOption{"ContentBasedDeduplication", value}
}

// WithDeduplicationPerGroup makes deduplication ids unique in their message group instead of in the
// whole FIFO topic: the attribute FifoThroughputScope with the value MessageGroup (SNS: FIFO-5).
func WithDeduplicationPerGroup() TopicOption {
	return topicOption{"FifoThroughputScope", "MessageGroup"}
}

// WithSignatureVersion sets the version of signatures, "1" (SHA-1, the default) or "2" (SHA-256)
// (SNS: SIG-2).
func WithSignatureVersion(version string) TopicOption {
	return topicOption{"SignatureVersion", version}
}

// WithTopicDeliveryPolicy sets how deliveries to HTTP(S) endpoints and functions are retried, as
// JSON in the form of SNS (SNS: section 11).
func WithTopicDeliveryPolicy(policy string) TopicOption { return topicOption{"DeliveryPolicy", policy} }

// WithTopicAttribute sets an attribute by the name of SNS.
func WithTopicAttribute(name, value string) TopicOption { return topicOption{name, value} }

// CreateStandard creates a Standard topic, or returns the one of that name if its attributes have
// the given values (SNS: TOP-2, TOP-3). A name has 1 to 256 letters, digits, hyphens and underscores.
// [ErrInvalidParameter] for a bad name or attribute, and for another value of an attribute;
// [ErrTopicLimit] for one topic too many.
func (a *Account) CreateStandard(name string, opts ...TopicOption) (*Topic, error) {
	return a.create(name, false, opts)
}

// CreateFIFO is CreateStandard for FIFO topics, whose names end in ".fifo", which counts towards the
// 256 characters.
func (a *Account) CreateFIFO(name string, opts ...TopicOption) (*Topic, error) {
	return a.create(name, true, opts)
}

func (a *Account) create(name string, fifo bool, opts []TopicOption) (*Topic, error) {
	attributes := map[string]string{}
	if fifo {
		attributes["FifoTopic"] = "true"
	}
	for _, o := range opts {
		if o != nil {
			o.applyTopic(attributes)
		}
	}
	return a.CreateTopic(context.Background(), name, attributes, nil)
}

// CreateTopic creates a topic from attributes of SNS as text, or returns the one of that name if the
// given attributes and tags have the same values there. It is a FIFO topic where FifoTopic is "true",
// and then its name ends in ".fifo" (SNS: TOP-1 to TOP-5).
func (a *Account) CreateTopic(ctx context.Context, name string, attributes, tags map[string]string) (_ *Topic, err error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	fifo := strings.EqualFold(attributes["FifoTopic"], "true")
	if !isTopicName(name, fifo) {
		return nil, &ParamError{Err: ErrInvalidParameter, Param: "Name", Value: name, Text: "Invalid parameter: Topic Name",
			Reason: `must have 1 to 256 letters, digits, hyphens and underscores, and end in ".fifo" on FIFO topics only`}
	}
	settings, refusal := newTopicSettings(attributes, fifo)
	if refusal != nil {
		return nil, refusal
	}
	if err := checkTags(nil, tags); err != nil {
		return nil, err
	}
	if err := a.lock(); err != nil {
		return nil, err
	}
	defer a.commit(&err)
	if t := a.topics[name]; t != nil {
		if differs := settings.differ(t.settings.Load(), attributes); differs != "" {
			return nil, &ParamError{Err: ErrInvalidParameter, Param: differs, Value: attributes[differs], Reason: "the topic exists with another value",
				Text: "Invalid parameter: Attributes Reason: Topic already exists with different attributes"}
		}
		for key, value := range tags {
			if old, ok := t.tags[key]; !ok || old != value {
				return nil, &ParamError{Err: ErrInvalidParameter, Param: "Tags", Value: key, Reason: "the topic exists with other tags",
					Text: "Invalid parameter: Tags Reason: Topic already exists with different tags"}
			}
		}
		return t, nil
	}
	if most := maxStandardTopics; !a.unlimited {
		has := len(a.topics) - a.fifoTopics
		if fifo {
			has, most = a.fifoTopics, maxFIFOTopics
		}
		if has >= most {
			return nil, &ParamError{Err: ErrTopicLimit, Param: "Name", Value: has, Reason: "topics, and no more are allowed", Text: "Topic limit exceeded"}
		}
	}
	t := newTopic(a, name, fifo, settings)
	if len(tags) > 0 {
		t.tags = maps.Clone(tags)
	}
	t.object = a.nextNumber()
	if err := a.writeLocked(func(b *durable.Batch) { put(b, t.object, t.record(settings, t.tags)) }); err != nil {
		return nil, err
	}
	a.enterTopicLocked(t)
	return t, nil
}

// enterTopicLocked puts a topic into the account. a.mu must be held.
func (a *Account) enterTopicLocked(t *Topic) {
	a.topics[t.name] = t
	t.serial = a.topicList.add(t)
	if t.fifo != nil {
		a.fifoTopics++
	}
}

// Quotas of an account (SNS: section 16).
const (
	maxStandardTopics      = 100_000
	maxFIFOTopics          = 1_000
	maxTopicFilters        = 200
	maxAccountFilters      = 10_000
	maxFIFOSubscriptions   = 100
	maxTags                = 50
	maxTagKey, maxTagValue = 128, 256
)

func isTopicName(name string, fifo bool) bool {
	base, suffixed := strings.CutSuffix(name, ".fifo")
	if suffixed != fifo || base == "" || len(name) > maxNameLength {
		return false
	}
	return strings.Trim(base, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// Topic returns the topic of that name.
func (a *Account) Topic(name string) (*Topic, error) {
	if err := a.lock(); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	if t := a.topics[name]; t != nil {
		return t, nil
	}
	return nil, errNoTopic(name)
}

// ByARN returns the topic with that ARN. What is no ARN, or one of another region, is refused with
// [ErrInvalidParameter] (SNS: TOP-7 to TOP-9).
func (a *Account) ByARN(arn string) (*Topic, error) {
	if err := a.lock(); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	return a.byARNLocked(arn, "TopicArn")
}

// byARNLocked is ByARN for the parameter that is named. a.mu must be held.
func (a *Account) byARNLocked(arn, param string) (*Topic, error) {
	parts, refusal := splitARN(arn, param)
	if refusal != nil {
		return nil, refusal
	}
	if parts[3] != a.region || parts[2] != "sns" {
		return nil, invalidName(param, arn, "must be that of a topic in region "+a.region)
	}
	if t := a.topics[parts[5]]; t != nil && t.arn == arn {
		return t, nil
	}
	return nil, errNoTopic(arn)
}

// splitARN returns the parts of an ARN, at least 6 (SNS: TOP-8).
func splitARN(arn, param string) ([]string, *ParamError) {
	parts := strings.Split(arn, ":")
	if len(parts) < 6 {
		r := invalid(param, arn, "An ARN must have at least 6 elements, not "+strconv.Itoa(len(parts)))
		return nil, r
	}
	return parts, nil
}

// Topics returns a page of up to 100 topics in the order in which they were made, those behind the
// page that token came with, and the token of the next page: "" for the first, and "" behind the last
// (SNS: TOP-10).
func (a *Account) Topics(token string) (page []*Topic, next string, err error) {
	if err := a.lock(); err != nil {
		return nil, "", err
	}
	defer a.mu.Unlock()
	return pageOf(&a.topicList, token)
}

// DeleteTopic deletes a topic with its subscriptions. One that does not exist is deleted already
// (SNS: TOP-6, TOP-7). What waits to be delivered goes to the dead letters of its subscription, or
// counts as failed.
func (a *Account) DeleteTopic(ctx context.Context, arn string) (err error) {
	if err := checkContext(ctx); err != nil {
		return err
	}
	if err := a.lock(); err != nil {
		return err
	}
	t, err := a.byARNLocked(arn, "TopicArn")
	if err != nil {
		a.mu.Unlock()
		if t == nil && isNoTopic(err) {
			return nil
		}
		return err
	}
	if err := a.writeLocked(func(b *durable.Batch) { a.deleteRecordLocked(b, t) }); err != nil {
		a.mu.Unlock()
		return err
	}
	ended := a.deleteTopicLocked(t)
	a.commit(&err)
	for _, s := range ended {
		s.pipe.end(ErrTopicDoesNotExist)
	}
	return err
}

// deleteTopicLocked takes a topic out and returns its subscriptions. They can still be read by their
// ARNs for a while (SNS: TOP-7). a.mu must be held.
func (a *Account) deleteTopicLocked(t *Topic) []*Subscription {
	delete(a.topics, t.name)
	a.topicList.remove(t.serial)
	if t.fifo != nil {
		a.fifoTopics--
	}
	t.deletedFlag.Store(true)
	t.mu.Lock()
	ended := t.subscriptions.all()
	for _, s := range ended {
		t.dropLocked(s)
	}
	t.mu.Unlock()
	for _, s := range ended {
		a.orphanLocked(s)
	}
	if t.fifo != nil {
		t.fifo.stop()
	}
	return ended
}

// Close ends the account at once: publishes are refused, deliveries that are under way are told to stop
// by their context, and Close returns when they have. What waits goes to the dead letters of its
// subscription, or is counted and logged as failed. Where the broker has a journal it stays there, and
// the next account of this region and number goes on with it; only what waits for functions ends. It
// always returns nil and can be called again. A target must not call it, nor Shutdown: they would wait
// for each other.
func (a *Account) Close() error {
	if a.running == nil {
		return nil
	}
	a.mu.Lock()
	a.closed.Store(true)
	pipes, topics := a.pipesLocked(), a.topicList.all()
	a.mu.Unlock()
	a.stop()
	for _, p := range pipes {
		p.end(ErrClosed)
	}
	for _, p := range pipes {
		_ = p.wait(context.Background())
	}
	for _, t := range topics {
		if t.fifo != nil {
			t.fifo.stop()
		}
	}
	a.client.CloseIdleConnections()
	if a.journal != nil {
		a.journal.Close()
	}
	return nil
}

// Shutdown ends the account when all is delivered: publishes are refused from now on, deliveries and
// their retries go on until each copy has arrived or failed for good, and then the account is closed.
// Where ctx ends first, what is left is treated as Close does, and the error of ctx is returned.
func (a *Account) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return checkContext(ctx)
	}
	if a.running == nil {
		return nil
	}
	a.mu.Lock()
	a.closed.Store(true)
	pipes := a.pipesLocked()
	a.mu.Unlock()
	var err error
	for _, p := range pipes {
		if err = p.wait(ctx); err != nil {
			break
		}
	}
	_ = a.Close()
	return err
}

// pipesLocked returns all pipes that may have something in them. a.mu must be held.
func (a *Account) pipesLocked() []*pipe {
	var pipes []*pipe
	for _, s := range a.subscriptions {
		pipes = append(pipes, &s.pipe)
	}
	for p := range a.leaving {
		pipes = append(pipes, p)
	}
	return pipes
}

// log is where failures are written.
func (a *Account) log() *slog.Logger {
	if a.logger != nil {
		return a.logger
	}
	return slog.Default()
}
