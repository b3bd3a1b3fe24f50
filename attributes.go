package inq

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stored are the attributes that a queue keeps and shows, and that no queue acts on: this process
// has no callers to tell apart and no keys. Only a broker sets them, and only the allow policy
// means something to it.
type stored struct {
	policy      string
	allow       *allowPolicy // nil: none
	kmsKey      string
	kmsPeriod   int  // seconds; 0: not set
	sseDisabled bool // the negative, because SQS switches it on for new queues
}

// Limits of stored attributes (SQS: section 1).
const (
	maxPolicy        = 8192 // bytes
	defaultKmsPeriod = 300  // seconds
	minKmsPeriod     = 60
	maxKmsPeriod     = 86400
)

// with returns s changed by p. One kind of encryption puts the other off (SQS: LIM-6).
func (s stored) with(p *patch) stored {
	given := func(f field) bool { return p.set&f != 0 }
	if given(setPolicy) {
		s.policy = p.stored.policy
	}
	if given(setAllowPolicy) {
		s.allow = p.stored.allow
	}
	if given(setKmsPeriod) {
		s.kmsPeriod = p.stored.kmsPeriod
	}
	if given(setKmsKey) {
		s.kmsKey = p.stored.kmsKey
		if s.kmsKey != "" {
			s.sseDisabled = true
		} else if given(setKmsPeriod) && s.kmsPeriod == defaultKmsPeriod {
			s.kmsPeriod = 0
		}
	}
	if given(setManagedSSE) {
		s.sseDisabled = p.stored.sseDisabled
	}
	return s
}

func (s *stored) validate() error {
	if s.kmsKey != "" && !s.sseDisabled { // (SQS: LIM-7)
		return &ParamError{Err: ErrInvalidAttributeName, Param: "SqsManagedSseEnabled", Value: "true",
			Reason: "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."}
	}
	return nil
}

// attribute is a queue attribute of SQS (SQS: section 1.1; LIM-5 for what "" removes).
type attribute struct {
	name  string
	fifo  bool                                                              // FIFO queues only
	parse func(in *attributeInput, name, text string) (func(*patch), error) // nil: read only
	show  func(v *attributeView) string                                     // "": not set, and left out
}

// attributeInput is what the meaning of an attribute's text depends on.
type attributeInput struct {
	account   account // looks up the dead-letter queue
	fifo      bool
	unlimited bool
}

// attributeView is one look at a queue.
type attributeView struct {
	config Config
	s      *settings
	counts Counts
}

const unknownAttribute = "Unknown Attribute "

// attributes are all attributes, by name.
var attributes = func() map[string]*attribute {
	count := func(of func(Counts) int) func(*attributeView) string {
		return func(v *attributeView) string { return strconv.Itoa(of(v.counts)) }
	}
	second := func(of func(*Config) time.Time) func(*attributeView) string {
		return func(v *attributeView) string { return strconv.FormatInt(of(&v.config).Unix(), 10) }
	}
	duration := func(of func(*settings) time.Duration) func(*attributeView) string {
		return func(v *attributeView) string { return strconv.FormatInt(wholeSeconds(of(v.s)), 10) }
	}
	all := []*attribute{
		{name: "ApproximateNumberOfMessages", show: count(func(c Counts) int { return c.Visible })},
		{name: "ApproximateNumberOfMessagesNotVisible", show: count(func(c Counts) int { return c.NotVisible })},
		{name: "ApproximateNumberOfMessagesDelayed", show: count(func(c Counts) int { return c.Delayed })},
		{name: "CreatedTimestamp", show: second(func(c *Config) time.Time { return c.CreatedAt })},
		{name: "LastModifiedTimestamp", show: second(func(c *Config) time.Time { return c.ModifiedAt })},
		{name: "QueueArn", show: func(v *attributeView) string { return v.config.ARN }},

		{name: "DelaySeconds", parse: parseDuration(WithDelay),
			show: duration(func(s *settings) time.Duration { return s.delay })},
		{name: "MessageRetentionPeriod", parse: parseDuration(WithRetention),
			show: duration(func(s *settings) time.Duration { return s.retention })},
		{name: "ReceiveMessageWaitTimeSeconds", parse: parseDuration(WithReceiveWait),
			show: duration(func(s *settings) time.Duration { return s.wait })},
		{name: "VisibilityTimeout", parse: parseDuration(WithVisibilityTimeout),
			show: duration(func(s *settings) time.Duration { return s.visibility })},
		{name: "MaximumMessageSize", parse: parseMaximumMessageSize,
			show: func(v *attributeView) string { return strconv.Itoa(v.s.maxSize) }},

		{name: "Policy", parse: parsePolicy, show: func(v *attributeView) string { return v.s.stored.policy }},
		{name: "RedrivePolicy", parse: parseRedrive, show: func(v *attributeView) string { return redrivePolicyText(v.s) }},
		{name: "RedriveAllowPolicy", parse: parseAllow, show: func(v *attributeView) string {
			if a := v.s.stored.allow; a != nil {
				return a.String()
			}
			return ""
		}},

		{name: "KmsMasterKeyId", parse: parseKmsKey, show: func(v *attributeView) string { return v.s.stored.kmsKey }},
		{name: "KmsDataKeyReusePeriodSeconds", parse: parseKmsPeriod, show: func(v *attributeView) string {
			if n := v.s.stored.kmsPeriod; n != 0 {
				return strconv.Itoa(n)
			}
			return ""
		}},
		{name: "SqsManagedSseEnabled", parse: parseManagedSSE,
			show: func(v *attributeView) string { return strconv.FormatBool(!v.s.stored.sseDisabled) }},

		{name: "FifoQueue", fifo: true, parse: parseFifoQueue, show: func(*attributeView) string { return "true" }},
		{name: "ContentBasedDeduplication", fifo: true, parse: parseContentDedup,
			show: func(v *attributeView) string { return strconv.FormatBool(v.s.contentDedup) }},
		{name: "DeduplicationScope", fifo: true, parse: parseScope, show: func(v *attributeView) string { return string(v.s.scope) }},
		{name: "FifoThroughputLimit", fifo: true, parse: parseThroughput,
			show: func(v *attributeView) string { return string(v.s.throughput) }},
	}
	byName := make(map[string]*attribute, len(all))
	for _, a := range all {
		byName[a.name] = a
	}
	return byName
}()

// Attributes returns attributes of the queue by their SQS names, as text; the name "All" stands for
// all of them. Attributes that are not set, and those of FIFO queues on a Standard queue, are left
// out; without names the result is empty.
//
// Durations are whole seconds, rounded up where an option set them finer; [Forever] is 9223372036.
// Policy is returned as it was set; RedrivePolicy and RedriveAllowPolicy say the same as when they
// were set, without blanks. A dead-letter target that is not a queue has no RedrivePolicy. The counters are exact, and of another instant than the rest
// where the queue changes meanwhile. [ErrInvalidAttributeName] for a name that SQS does not know.
func (b *Broker) Attributes(ctx context.Context, name string, names ...string) (map[string]string, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	q, err := b.find(name)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]*attribute, len(names))
	for _, n := range names { // (SQS: MGT-6)
		if n == "All" {
			maps.Copy(wanted, attributes)
			continue
		}
		a := attributes[n]
		if a == nil {
			return nil, &ParamError{Err: ErrInvalidAttributeName, Param: n, Reason: unknownAttribute + n + "."}
		}
		wanted[n] = a
	}
	v := attributeView{s: q.settings.Load(), config: q.Config()}
	if v.counts, err = q.Counts(ctx); err != nil {
		return nil, err
	}
	values := make(map[string]string, len(wanted))
	for n, a := range wanted {
		if a.fifo && q.fifo == nil {
			continue
		}
		if text := a.show(&v); text != "" {
			values[n] = text
		}
	}
	return values, nil
}

// SetAttributes changes attributes of the queue, given by their SQS names as text: all of them, or
// none where one is refused. An empty map changes nothing. The changes act at once, as those of
// Configure do.
//
// Durations are whole seconds in digits, true and false are taken in any case, and "" removes
// Policy, RedrivePolicy, RedriveAllowPolicy and KmsMasterKeyId. The dead-letter queue of a
// RedrivePolicy must exist in this broker, be of the same type, and admit the queue; it may be the
// queue itself.
//
// The errors are [*ParamError] with the attribute's name in Param. [ErrInvalidAttributeName]:
// unknown, read only, or not for this type of queue; Reason is the text of SQS.
// [ErrInvalidAttributeValue]: out of range, no number, no boolean, no JSON. [ErrInvalidParameter]:
// one of the two redrive policies is refused; Value is the policy, nil where it is not JSON, and
// Reason is the text of SQS behind "Reason: ".
//
// With a [Journal] it returns when the change is as safe as the journal's mode says, and so do
// ReplacePolicy, SetTags, RemoveTags, and Configure of a queue of a broker; or with an error of the
// journal, see [WithBrokerJournal].
func (b *Broker) SetAttributes(ctx context.Context, name string, attributes map[string]string) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	q, err := b.find(name)
	if err != nil {
		return err
	}
	change, err := parseAttributes(attributes, attributeInput{account: b, fifo: q.fifo != nil, unlimited: q.settings.Load().unlimited})
	if err != nil || len(attributes) == 0 {
		return err
	}
	var p patch
	change.applyFIFO(&p)
	return asGiven(q.configure(&p), attributes)
}

// errPolicyChanged tells ReplacePolicy that the policy is another one.
var errPolicyChanged = errors.New("inq: the policy has changed")

// ReplacePolicy sets the attribute Policy if it is old now, and reports whether it did. That lets
// several callers change parts of a policy without losing what another one changed: each reads the
// policy, and begins again where it was not replaced. "" is no policy, in old and in policy. The
// errors are those of SetAttributes, those of a [Journal] among them.
func (b *Broker) ReplacePolicy(ctx context.Context, name, old, policy string) (replaced bool, err error) {
	if err := checkContext(ctx); err != nil {
		return false, err
	}
	q, err := b.find(name)
	if err != nil {
		return false, err
	}
	change, err := parsePolicy(nil, "Policy", policy)
	if err != nil {
		return false, err
	}
	p := patch{instead: &old}
	change(&p)
	switch err := q.configure(&p); err {
	case nil:
		return true, nil
	case errPolicyChanged:
		return false, nil
	default:
		return false, err
	}
}

// parseAttributes turns attributes into an option, that of a FIFO queue or, where in says so, of a
// Standard queue (SQS: MGT-7). Ranges that the options check themselves are left to them.
func parseAttributes(values map[string]string, in attributeInput) (FIFOOption, error) {
	var opts []FIFOOption
	for _, name := range sortedKeys(values) {
		a := attributes[name]
		if a == nil || a.parse == nil || a.fifo && !in.fifo {
			reason := unknownAttribute + name + "."
			if name == "DeduplicationScope" || name == "FifoThroughputLimit" { // (SQS: LIM-3)
				reason = "You can specify the " + name + " only when FifoQueue is set to true."
			}
			return nil, &ParamError{Err: ErrInvalidAttributeName, Param: name, Reason: reason}
		}
		change, err := a.parse(&in, name, values[name])
		if err != nil {
			return nil, err
		}
		opts = append(opts, fifoOption(change))
	}
	return FIFOOptions(opts...), nil
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// asGiven puts the text an attribute was given as into its refusal, and the range in the same unit.
func asGiven(err error, values map[string]string) error {
	var refusal *ParamError
	if !errors.As(err, &refusal) || refusal.Err != ErrInvalidAttributeValue && refusal.Err != ErrInvalidParameter {
		return err
	}
	text, ok := values[refusal.Param]
	if !ok {
		return err
	}
	inSeconds := func(bound any) any {
		if d, ok := bound.(time.Duration); ok {
			return wholeSeconds(d)
		}
		return bound
	}
	r := *refusal
	r.Value, r.Min, r.Max = text, inSeconds(r.Min), inSeconds(r.Max)
	return &r
}

// foreverSeconds is Forever in text: more seconds do not fit into a duration.
const foreverSeconds = int64(Forever / time.Second)

// wholeSeconds rounds up: a short timeout must not look like none.
func wholeSeconds(d time.Duration) int64 {
	n := int64(d / time.Second)
	if d%time.Second > 0 && n < foreverSeconds {
		n++
	}
	return n
}

func badValue(name, text, reason string) error {
	return &ParamError{Err: ErrInvalidAttributeValue, Param: name, Value: text, Reason: reason}
}

func parseDuration(with func(time.Duration) Option) func(*attributeInput, string, string) (func(*patch), error) {
	return func(_ *attributeInput, name, text string) (func(*patch), error) {
		n, ok := parseNumber(text)
		if !ok || n > foreverSeconds {
			return nil, badValue(name, text, "Must be a whole number of seconds.")
		}
		d := time.Duration(n) * time.Second
		if n == foreverSeconds {
			d = Forever
		}
		return with(d).applyFIFO, nil
	}
}

func parseMaximumMessageSize(_ *attributeInput, name, text string) (func(*patch), error) {
	n, ok := parseNumber(text)
	if !ok || int64(int(n)) != n {
		return nil, badValue(name, text, "Must be a whole number of bytes.")
	}
	return WithMaxMessageSize(int(n)).applyFIFO, nil
}

func parsePolicy(_ *attributeInput, name, text string) (func(*patch), error) {
	if len(text) > maxPolicy {
		return nil, &ParamError{Err: ErrInvalidAttributeValue, Param: name, Reason: "The policy must not be longer than 8192 bytes."}
	}
	if _, ok := parseMap(text); !ok && text != "" {
		return nil, badValue(name, text, "The policy is not a valid JSON map.")
	}
	return func(p *patch) { p.stored.policy, p.set = text, p.set|setPolicy }, nil
}

func parseRedrive(in *attributeInput, _, text string) (func(*patch), error) {
	if text == "" {
		return WithDeadLetter(nil, 0).applyFIFO, nil
	}
	most := maxMaxReceives
	if in.unlimited {
		most = 1<<31 - 1
	}
	arn, n, err := parseRedrivePolicy(text, most)
	if err != nil {
		return nil, err
	}
	return WithDeadLetter(deadLetterARN{in.account, arn}, n).applyFIFO, nil
}

func parseAllow(_ *attributeInput, _, text string) (func(*patch), error) {
	allow, err := parseAllowPolicy(text)
	if err != nil {
		return nil, err
	}
	return func(p *patch) { p.stored.allow, p.set = allow, p.set|setAllowPolicy }, nil
}

func parseKmsKey(_ *attributeInput, name, text string) (func(*patch), error) {
	if len(text) > maxTextLength {
		return nil, &ParamError{Err: ErrInvalidAttributeValue, Param: name, Reason: "Must not be longer than 2048 bytes."}
	}
	if invalidText(text) >= 0 {
		return nil, &ParamError{Err: ErrInvalidAttributeValue, Param: name, Reason: "Must be text."}
	}
	return func(p *patch) { p.stored.kmsKey, p.set = text, p.set|setKmsKey }, nil
}

func parseKmsPeriod(_ *attributeInput, name, text string) (func(*patch), error) {
	n, ok := parseNumber(text)
	if !ok || n < minKmsPeriod || n > maxKmsPeriod {
		return nil, &ParamError{Err: ErrInvalidAttributeValue, Param: name, Value: text, Min: minKmsPeriod, Max: maxKmsPeriod}
	}
	return func(p *patch) { p.stored.kmsPeriod, p.set = int(n), p.set|setKmsPeriod }, nil
}

// parseBool reads true and false in any case (SQS: LIM-2).
func parseBool(name, text string) (bool, error) {
	switch {
	case strings.EqualFold(text, "true"):
		return true, nil
	case strings.EqualFold(text, "false"):
		return false, nil
	}
	return false, badValue(name, text, "Must be true or false.")
}

func parseManagedSSE(_ *attributeInput, name, text string) (func(*patch), error) {
	on, err := parseBool(name, text)
	return func(p *patch) { p.stored.sseDisabled, p.set = !on, p.set|setManagedSSE }, err
}

// parseFifoQueue changes nothing: the type of a queue is settled before its attributes are read
// (SQS: LIM-4).
func parseFifoQueue(_ *attributeInput, name, text string) (func(*patch), error) {
	on, err := parseBool(name, text)
	if err == nil && !on {
		err = badValue(name, text, "Modifying queue type is not supported.")
	}
	return func(*patch) {}, err
}

func parseContentDedup(_ *attributeInput, name, text string) (func(*patch), error) {
	on, err := parseBool(name, text)
	return WithContentBasedDeduplication(on).applyFIFO, err
}

func parseScope(_ *attributeInput, _, text string) (func(*patch), error) {
	return WithDeduplicationScope(DeduplicationScope(text)).applyFIFO, nil
}

func parseThroughput(_ *attributeInput, _, text string) (func(*patch), error) {
	return WithThroughputLimit(ThroughputLimit(text)).applyFIFO, nil
}

// comparisons say for every setting whether two queues have it alike, in the order in which a
// difference is reported (SQS: MGT-1).
var comparisons = []struct {
	field field
	name  string
	same  func(a, b *settings) bool
}{
	{setVisibility, "VisibilityTimeout", func(a, b *settings) bool { return a.visibility == b.visibility }},
	{setDelay, "DelaySeconds", func(a, b *settings) bool { return a.delay == b.delay }},
	{setRetention, "MessageRetentionPeriod", func(a, b *settings) bool { return a.retention == b.retention }},
	{setWait, "ReceiveMessageWaitTimeSeconds", func(a, b *settings) bool { return a.wait == b.wait }},
	{setMaxSize, "MaximumMessageSize", func(a, b *settings) bool { return a.maxSize == b.maxSize }},
	{setContentDedup, "ContentBasedDeduplication", func(a, b *settings) bool { return a.contentDedup == b.contentDedup }},
	{setScope, "DeduplicationScope", func(a, b *settings) bool { return a.scope == b.scope }},
	{setThroughput, "FifoThroughputLimit", func(a, b *settings) bool { return a.throughput == b.throughput }},
	{setDeadLetter, "RedrivePolicy", func(a, b *settings) bool { return a.maxReceives == b.maxReceives && sameTarget(a.target, b.target) }},
	{setAllowPolicy, "RedriveAllowPolicy", func(a, b *settings) bool { return a.stored.allow.same(b.stored.allow) }},
	{setPolicy, "Policy", func(a, b *settings) bool { return samePolicy(a.stored.policy, b.stored.policy) }},
	{setKmsKey, "KmsMasterKeyId", func(a, b *settings) bool { return a.stored.kmsKey == b.stored.kmsKey }},
	{setKmsPeriod, "KmsDataKeyReusePeriodSeconds", func(a, b *settings) bool { return a.stored.period() == b.stored.period() }},
	{setManagedSSE, "SqsManagedSseEnabled", func(a, b *settings) bool { return a.stored.sseDisabled == b.stored.sseDisabled }},
	{setSender, "SenderId", func(a, b *settings) bool { return a.sender == b.sender }},
	{setCapacity, "Capacity", func(a, b *settings) bool { return a.capMessages == b.capMessages && a.capBytes == b.capBytes }},
	{setInFlight, "InFlightLimit", func(a, b *settings) bool { return a.inFlight == b.inFlight }},
	{setUnlimited, "WithoutSQSLimits", func(a, b *settings) bool { return a.unlimited == b.unlimited }},
	{setObserver, "Observer", func(a, b *settings) bool { return a.observer == nil && b.observer == nil }},
}

// period returns the period in force.
func (s *stored) period() int {
	if s.kmsPeriod == 0 {
		return defaultKmsPeriod
	}
	return s.kmsPeriod
}

// samePolicy compares policies by what their JSON says.
func samePolicy(a, b string) bool {
	if a == b || a == "" || b == "" {
		return a == b
	}
	x, _ := parseMap(a)
	y, _ := parseMap(b)
	return reflect.DeepEqual(x, y)
}
