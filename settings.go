package inq

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// settings is the configuration of a queue in force. A value is never changed once the queue points
// to it.
type settings struct {
	visibility   time.Duration
	delay        time.Duration
	retention    time.Duration
	wait         time.Duration
	maxSize      int
	sender       string
	target       DeadLetterTarget
	maxReceives  int
	capMessages  int
	capBytes     int64
	inFlight     int
	observer     func([]Event)
	unlimited    bool
	contentDedup bool
	scope        DeduplicationScope
	throughput   ThroughputLimit
	journal      *Journal // nil: none
	stored       stored   // what a broker's queue keeps and shows

	// Derived by finish, for the paths that most calls take.
	plain    bool        // no delay and no capacity
	usual    receiveCall // what the zero ReceiveInput asks for
	tooOften string      // why most messages are dead-lettered
}

// finish derives what depends on the other settings, once they are valid.
func (s *settings) finish() *settings {
	s.plain = s.delay == 0 && s.capMessages == 0 && s.capBytes == 0
	s.usual = receiveCall{max: 1, wait: s.wait, visibility: s.visibility, inLine: true}
	if s.target != nil {
		s.tooOften = tooOften(s.maxReceives)
	}
	return s
}

func tooOften(receives int) string { return fmt.Sprintf("received as often as allowed: %d", receives) }

// reason is why a message is dead-lettered that nobody asked for. A dead-letter queue keeps it with each
// message, so those that were received as often as the policy says share the text.
func (s *settings) reason(r *record) string {
	if n := int(r.receivesHere()); n != s.maxReceives {
		return tooOften(n)
	}
	return s.tooOften
}

// patch is a set of changes to settings; set tells which fields were given. Options write into one,
// so that several are checked together, and all or none take effect.
type patch struct {
	settings
	set     field
	instead *string // the policy that the new one replaces, where it was made from one that was read before; nil: whatever it is
}

// field is a bit for every option.
type field uint32

const (
	setVisibility field = 1 << iota
	setDelay
	setRetention
	setWait
	setMaxSize
	setSender
	setDeadLetter
	setCapacity
	setInFlight
	setObserver
	setUnlimited
	setContentDedup
	setScope
	setThroughput
	setPolicy
	setAllowPolicy
	setKmsKey
	setKmsPeriod
	setManagedSSE
	setJournal
)

func defaultSettings() settings {
	return settings{
		visibility: defaultVisibility,
		retention:  defaultRetention,
		maxSize:    maxMessageSize,
		inFlight:   maxInFlight,
		sender:     "inq",
		scope:      ScopeQueue,
		throughput: PerQueue,
	}
}

// with returns s changed by p, with zeros made plain and defaults that depend on other options
// filled in. The result is not validated: only then can it be told whether options fit together that were
// given at different times.
func (s settings) with(p *patch) settings {
	given := func(f field) bool { return p.set&f != 0 }
	if given(setUnlimited) { // first, since what else is given holds against the defaults of this
		s.unlimited = true
		if !given(setRetention) {
			s.retention = Forever
		}
		if !given(setMaxSize) {
			s.maxSize = math.MaxInt32
		}
		if !given(setInFlight) {
			s.inFlight = maxSlots
		}
	}
	if given(setVisibility) {
		s.visibility = plainZero(p.visibility)
	}
	if given(setDelay) {
		s.delay = plainZero(p.delay)
	}
	if given(setRetention) {
		s.retention = plainZero(p.retention)
	}
	if given(setWait) {
		s.wait = plainZero(p.wait)
	}
	if given(setMaxSize) {
		s.maxSize = p.maxSize
	}
	if given(setSender) {
		s.sender = p.sender
	}
	if given(setDeadLetter) {
		s.target, s.maxReceives = p.target, p.maxReceives
		if p.target == nil { // then the number means nothing, and is not checked
			s.maxReceives = 0
		}
	}
	if given(setCapacity) {
		s.capMessages, s.capBytes = p.capMessages, p.capBytes
	}
	if given(setInFlight) {
		s.inFlight = p.inFlight
	}
	if given(setObserver) {
		s.observer = p.observer
	}
	if given(setContentDedup) {
		s.contentDedup = p.contentDedup
	}
	if given(setScope) {
		s.scope = p.scope
	}
	if given(setThroughput) {
		s.throughput = p.throughput
	}
	if given(setJournal) {
		s.journal = p.journal
	}
	s.stored = s.stored.with(p)
	return s
}

func plainZero(d time.Duration) time.Duration {
	if d == Zero {
		return 0
	}
	return d
}

// validate reports the first setting out of its range.
func (s *settings) validate(fifo bool) error {
	upTo := func(limit time.Duration) time.Duration {
		if s.unlimited {
			return Forever
		}
		return limit
	}
	lowest := minRetention
	if s.unlimited {
		lowest = 1 // a message must live for a moment
	}
	for _, d := range []struct {
		param          string
		value, low, up time.Duration
	}{
		{"VisibilityTimeout", s.visibility, 0, upTo(maxVisibility)},
		{"DelaySeconds", s.delay, 0, upTo(maxDelay)},
		{"MessageRetentionPeriod", s.retention, lowest, upTo(maxRetention)},
		{"ReceiveMessageWaitTimeSeconds", s.wait, 0, upTo(maxWait)},
	} {
		if d.value < d.low || d.value > d.up {
			return &ParamError{Err: ErrInvalidAttributeValue, Param: d.param, Value: d.value, Min: d.low, Max: d.up}
		}
	}
	low, up := minMessageSize, maxMessageSize
	if s.unlimited {
		low, up = 1, math.MaxInt32
	}
	if s.maxSize < low || s.maxSize > up {
		return &ParamError{Err: ErrInvalidAttributeValue, Param: "MaximumMessageSize", Value: s.maxSize, Min: low, Max: up}
	}
	if s.unlimited && s.delay >= s.retention { // within the limits of SQS that cannot be
		return &ParamError{Err: ErrInvalidAttributeValue, Param: "DelaySeconds", Value: s.delay, Min: time.Duration(0), Max: s.retention - 1,
			Reason: "the delay must be shorter than the retention"}
	}
	if err := checkText("SenderId", s.sender); err != nil {
		return err
	}
	if s.capMessages < 0 {
		return &ParamError{Err: ErrInvalidParameter, Param: "Capacity", Value: s.capMessages, Min: 0, Reason: "messages"}
	}
	if s.capBytes < 0 {
		return &ParamError{Err: ErrInvalidParameter, Param: "Capacity", Value: s.capBytes, Min: 0, Reason: "bytes"}
	}
	most := maxInFlight
	if s.unlimited {
		most = maxSlots
	}
	if s.inFlight < 1 || s.inFlight > most {
		return &ParamError{Err: ErrInvalidParameter, Param: "InFlightLimit", Value: s.inFlight, Min: 1, Max: most}
	}
	if err := s.validateDeadLetter(fifo); err != nil {
		return err
	}
	if err := s.stored.validate(); err != nil {
		return err
	}
	if !fifo {
		return nil
	}
	if s.scope != ScopeQueue && s.scope != ScopeMessageGroup {
		return &ParamError{Err: ErrInvalidAttributeValue, Param: "DeduplicationScope", Value: string(s.scope),
			Reason: "must be queue or messageGroup"}
	}
	if s.throughput != PerQueue && s.throughput != PerMessageGroupID {
		return &ParamError{Err: ErrInvalidAttributeValue, Param: "FifoThroughputLimit", Value: string(s.throughput),
			Reason: "must be perQueue or perMessageGroupId"}
	}
	if s.throughput == PerMessageGroupID && s.scope != ScopeMessageGroup { // (SQS: LIM-9)
		return &ParamError{Err: ErrInvalidAttributeValue, Param: "FifoThroughputLimit", Value: string(s.throughput),
			Reason: "perMessageGroupId needs the DeduplicationScope messageGroup"}
	}
	return nil
}

// validateDeadLetter checks the redrive policy (SQS: DLQ-1, FIFO-25). What would only show at the
// first hand-over, when messages are at stake, is refused here: pointers that are nil, and a queue of
// the other type.
func (s *settings) validateDeadLetter(fifo bool) error {
	if s.target == nil {
		return nil
	}
	most := maxMaxReceives
	if s.unlimited {
		most = math.MaxInt32
	}
	if s.maxReceives < 1 || s.maxReceives > most {
		return &ParamError{Err: ErrInvalidParameter, Param: "maxReceiveCount", Value: s.maxReceives, Min: 1, Max: most}
	}
	missing, wrong := false, false
	if q := localQueue(s.target); q != nil {
		missing, wrong = q.ids == nil, fifo != (q.fifo != nil)
	}
	switch t := s.target.(type) {
	case deadLetterARN:
		wrong = fifo != t.fifo()
	case DeadLetterFunc:
		missing = t == nil
	case *DeadLetterFile:
		missing = t == nil
	}
	reason := ""
	switch {
	case missing:
		reason = "the target must not be a nil pointer, a nil function, or a queue that no constructor made"
	case wrong:
		reason = "the dead-letter queue must be of the same type as the source"
	default:
		return nil
	}
	return &ParamError{Err: ErrInvalidParameter, Param: "deadLetterTargetArn", Reason: reason}
}

// settingsOf are those of a new queue.
func settingsOf(name string, fifo bool, p *patch) (*settings, error) {
	if err := checkName(name, fifo); err != nil {
		return nil, err
	}
	s := defaultSettings().with(p)
	return &s, s.validate(fifo)
}

// checkName applies the naming rules (SQS: section 1.2, NAM-0..2).
func checkName(name string, fifo bool) error {
	base, suffixed := strings.CutSuffix(name, ".fifo")
	ok := len(name) >= 1 && len(name) <= 80 && suffixed == fifo && base != ""
	for i := 0; ok && i < len(base); i++ {
		c := base[i]
		ok = c == '-' || c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
	}
	if ok {
		return nil
	}
	reason := "can only include alphanumeric characters, hyphens, or underscores, 1 to 80 in length"
	if fifo {
		reason += ", and must end with .fifo"
	} else if suffixed {
		reason += "; a name that ends in .fifo is for NewFIFO"
	}
	return &ParamError{Err: ErrInvalidParameter, Param: "QueueName", Value: name, Reason: reason}
}

// Configure changes the options of a live queue: all of them, or none where one is refused. Each
// option says from when its change applies, and whether it can be changed at all. See [Option] for
// the errors.
func (q *Standard) Configure(opts ...StandardOption) error {
	var p patch
	gather(&p, opts, StandardOption.applyStandard)
	return q.configure(&p)
}

// Configure changes the options of a live queue: all of them, or none where one is refused. Each
// option says from when its change applies, and whether it can be changed at all. See [Option] for
// the errors.
func (q *FIFO) Configure(opts ...FIFOOption) error {
	var p patch
	gather(&p, opts, FIFOOption.applyFIFO)
	return q.configure(&p)
}

// configure changes a live queue, at once (SQS: LIM-8). The account is asked before the lock is
// taken, since it locks queues itself.
func (q *queue) configure(p *patch) error {
	// Deliveries read the sender without the lock, and limits that come back would be broken by what
	// is in the queue.
	if p.set&setSender != 0 {
		return q.refused(&ParamError{Err: ErrInvalidParameter, Param: "SenderId", Value: p.sender, Reason: "cannot be changed on a live queue"})
	}
	if p.set&setUnlimited != 0 {
		return q.refused(&ParamError{Err: ErrInvalidParameter, Param: "WithoutSQSLimits", Reason: "cannot be changed on a live queue"})
	}
	if p.set&setJournal != 0 {
		return q.refused(&ParamError{Err: ErrInvalidParameter, Param: "WithJournal", Reason: "cannot be changed on a live queue"})
	}
	if q.account != nil {
		if err := q.account.admit(q, p); err != nil {
			return q.refused(err)
		}
	}
	// What is due is carried out under the old settings, be the timer late or not.
	now, err := q.enterSettled()
	if err != nil {
		return err
	}
	before := q.settings.Load()
	s := before.with(p)
	if p.instead != nil && *p.instead != before.stored.policy {
		_ = q.leave(now)
		return errPolicyChanged
	}
	if err := s.validate(q.fifo != nil); err != nil {
		_ = q.leave(now)
		return err
	}
	modified := q.ids.time(now)
	if q.keeper != nil {
		q.keeper.given |= p.set
	}
	written, err := q.keeper.write(q.name, &s, modified)
	if err != nil {
		_ = q.leave(now)
		return err
	}
	q.settings.Store(s.finish())
	q.watchedLocked()
	if p.set&setDeadLetter != 0 {
		if !sameTarget(before.target, s.target) {
			q.outbox.places = nil
		}
		q.errands |= errandCalls // what waits for a call may have another target now
	}
	q.limit = s.inFlight
	q.modified = modified
	// Delays of FIFO and retention may have become shorter; what is due now is carried out by the
	// timer.
	q.scheduleLocked(q.nextLocked())
	if q.account != nil && p.set&setDeadLetter != 0 {
		defer q.account.retargeted(q)
	}
	q.tellQueueLocked(now, Event{Kind: EventConfigured})
	_ = q.leave(now) // the outcome is that of the settings; what else was written here is no part of it
	return q.keeper.wait(written)
}

// Config is what a queue is set to. It is a copy: change the queue with Configure.
type Config struct {
	Name                      string
	ARN                       string
	FIFO                      bool
	VisibilityTimeout         time.Duration
	Delay                     time.Duration
	Retention                 time.Duration // Forever: without end
	ReceiveWait               time.Duration
	MaxMessageSize            int // bytes
	SenderID                  string
	DeadLetter                DeadLetterTarget // nil: none
	MaxReceives               int              // 0 where there is no DeadLetter
	CapacityMessages          int              // 0: unlimited
	CapacityBytes             int64            // 0: unlimited
	InFlightLimit             int              // messages in flight at most
	SQSLimits                 bool             // false on a queue made WithoutSQSLimits
	ContentBasedDeduplication bool
	DeduplicationScope        DeduplicationScope // "" on Standard
	ThroughputLimit           ThroughputLimit    // "" on Standard
	CreatedAt                 time.Time
	ModifiedAt                time.Time
}

// String shows the name and the type.
func (c Config) String() string {
	kind := "standard"
	if c.FIFO {
		kind = "fifo"
	}
	return fmt.Sprintf("%s queue %s", kind, c.Name)
}

// Config returns what the queue is set to. It works after Close too.
func (q *queue) Config() Config {
	if q.ids == nil {
		return Config{}
	}
	q.mu.Lock()
	modified := q.modified
	s := q.settings.Load()
	q.mu.Unlock()
	c := Config{
		Name: q.name, ARN: q.arn, FIFO: q.fifo != nil,
		VisibilityTimeout: s.visibility, Delay: s.delay, Retention: s.retention, ReceiveWait: s.wait,
		MaxMessageSize: s.maxSize, SenderID: s.sender, DeadLetter: s.target, MaxReceives: s.maxReceives,
		CapacityMessages: s.capMessages, CapacityBytes: s.capBytes, InFlightLimit: s.inFlight,
		SQSLimits: !s.unlimited, CreatedAt: q.created, ModifiedAt: modified,
	}
	if t, ok := s.target.(deadLetterARN); ok {
		c.DeadLetter = t.shown()
	}
	if c.FIFO {
		c.ContentBasedDeduplication, c.DeduplicationScope, c.ThroughputLimit = s.contentDedup, s.scope, s.throughput
	}
	return c
}
