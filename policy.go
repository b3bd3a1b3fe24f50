package inq

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// targetARN returns the ARN of a target that is a queue, "" for any other.
func targetARN(t DeadLetterTarget) string {
	if t, ok := t.(deadLetterARN); ok {
		return t.arn
	}
	if q := localQueue(t); q != nil {
		return q.arn
	}
	return ""
}

// nameTarget replaces a target that is a queue of this broker by its ARN. Other targets, queues
// elsewhere among them, stay.
func (b *Broker) nameTarget(p *patch) {
	if q := localQueue(p.target); q != nil && q.account == b {
		p.target = deadLetterARN{b, q.arn}
	}
}

// admit implements account.
func (b *Broker) admit(q *queue, p *patch) error {
	if p.set&setDeadLetter == 0 {
		return nil
	}
	b.nameTarget(p)
	s := q.settings.Load().with(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.queues == nil {
		return ErrClosed
	}
	return b.admitLocked(q.arn, q.fifo != nil, &s, p)
}

// admitLocked refuses a dead-letter queue of this broker that does not exist, is of the other type,
// or does not allow the source, whose settings will be s (SQS: DLQ-2, DLQ-10). A queue may name
// itself. b.mu must be held.
func (b *Broker) admitLocked(source string, fifo bool, s *settings, p *patch) error {
	t, ok := s.target.(deadLetterARN)
	if p.set&setDeadLetter == 0 || !ok || t.account != b {
		return nil
	}
	reason := ""
	allow := s.stored.allow
	if t.arn != source {
		if q := b.byARNLocked(t.arn); q != nil {
			allow = q.settings.Load().stored.allow
		} else {
			reason = "Dead letter target does not exist."
		}
	}
	switch {
	case reason != "":
	case t.fifo() != fifo:
		reason = "Dead-letter queue must be same type of queue as the source."
	case !allow.admits(source):
		reason = "The redrive allow policy of the dead-letter queue does not admit this queue as a source."
	default:
		return nil
	}
	return &ParamError{Err: ErrInvalidParameter, Param: "RedrivePolicy", Value: redrivePolicyText(s), Reason: reason}
}

// DeadLetterSources returns the names of queues whose redrive policy names the queue, in byte
// order: those behind last, at most limit of them. "" and 0 are no bound, and a negative limit is
// refused with [ErrInvalidParameter].
func (b *Broker) DeadLetterSources(name, last string, limit int) ([]string, error) {
	if err := checkPage(limit); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e, err := b.findLocked(name)
	if err != nil {
		return nil, err
	}
	return pageOf(b.sources[e.arn], "", last, limit), nil // (SQS: DLQ-9)
}

// isDeadLetterQueue implements account.
func (b *Broker) isDeadLetterQueue(q *queue) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sources[q.arn]) > 0
}

// sourceOf returns the ARN of the queue of b that q has as its dead-letter queue now, "" for none.
func sourceOf(b *Broker, q *queue) string {
	if t, ok := q.settings.Load().target.(deadLetterARN); ok && t.account == b {
		return t.arn
	}
	return ""
}

// retargeted implements account. Where two calls change the target of a queue at once, the second call
// of this sees what is in force.
func (b *Broker) retargeted(q *queue) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.queues[q.name]; e != nil && e.queue == q {
		b.listLocked(e, sourceOf(b, q))
	}
}

// listLocked puts a queue among the sources of the dead-letter queue with that ARN, "" among none.
// b.mu must be held.
func (b *Broker) listLocked(e *entry, arn string) {
	if e.deadLetter == arn {
		return
	}
	if old := e.deadLetter; old != "" {
		if b.sources[old] = removeName(b.sources[old], e.name); len(b.sources[old]) == 0 {
			delete(b.sources, old)
		}
	}
	if e.deadLetter = arn; arn != "" {
		b.sources[arn] = insertName(b.sources[arn], e.name)
	}
}

// redrivePolicyText is the attribute RedrivePolicy, "" where the queue has no target with an ARN.
func redrivePolicyText(s *settings) string {
	arn := targetARN(s.target)
	if arn == "" {
		return ""
	}
	text, err := json.Marshal(struct {
		ARN         string `json:"deadLetterTargetArn"`
		MaxReceives int    `json:"maxReceiveCount"`
	}{arn, s.maxReceives})
	if err != nil {
		panic("bug: a redrive policy has no JSON form: " + err.Error())
	}
	return string(text)
}

// parseRedrivePolicy reads the attribute RedrivePolicy, whose maxReceiveCount is from 1 to most
// (SQS: DLQ-1, DLQ-2).
func parseRedrivePolicy(text string, most int) (arn string, maxReceives int, err error) {
	refuse := func(reason string) (string, int, error) {
		return "", 0, &ParamError{Err: ErrInvalidParameter, Param: "RedrivePolicy", Value: text, Reason: reason}
	}
	members, ok := parseMap(text)
	if !ok {
		return "", 0, &ParamError{Err: ErrInvalidParameter, Param: "RedrivePolicy", Reason: "Redrive policy is not a valid JSON map."}
	}
	for _, name := range []string{"maxReceiveCount", "deadLetterTargetArn"} { // (SQS: CAP-11)
		if members[name] == nil {
			return refuse("Redrive policy does not contain mandatory attribute: " + name + ".")
		}
	}
	for name := range members {
		if name != "deadLetterTargetArn" && name != "maxReceiveCount" {
			return refuse("Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn].")
		}
	}
	count := fmt.Sprint(members["maxReceiveCount"]) // a number and its text print alike, and nothing else prints digits only
	n, ok := parseNumber(count)
	if !ok || n < 1 || n > int64(most) {
		return refuse(fmt.Sprintf("Invalid value for maxReceiveCount: %s, valid values are from 1 to %d both inclusive.", count, most))
	}
	arn, ok = members["deadLetterTargetArn"].(string)
	if !ok || !isQueueARN(arn) {
		return refuse("Dead-letter target ARN should be fully qualified ARN.")
	}
	return arn, int(n), nil
}

// parseMap reads a JSON object. Numbers stay as they are written.
func parseMap(text string) (members map[string]any, ok bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&members); err != nil || members == nil {
		return nil, false
	}
	return members, json.Valid([]byte(text)) // the decoder does not look at what follows the value
}

// parseNumber reads digits and nothing else (SQS: LIM-10).
func parseNumber(text string) (int64, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// isQueueARN reports whether text has the form arn:<partition>:sqs:<region>:<account>:<name>.
func isQueueARN(text string) bool {
	parts := strings.SplitN(text, ":", 7)
	return len(parts) == 6 && parts[0] == "arn" && isARNPart(parts[1]) && parts[2] == "sqs" && isARNPart(parts[3]) && isARNPart(parts[4]) &&
		checkName(parts[5], strings.HasSuffix(parts[5], ".fifo")) == nil
}

// isARNPart reports whether text can be a partition, a region or an account.
func isARNPart(text string) bool {
	return text != "" && len(text) <= 63 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// allowPolicy is the attribute RedriveAllowPolicy. A value is never changed.
type allowPolicy struct {
	permission string // "allowAll", "denyAll" or "byQueue"
	sources    []string
}

// String is the policy as it is shown: without blanks and members that say nothing (SQS: CAP-4).
func (a *allowPolicy) String() string {
	text, err := json.Marshal(struct {
		Permission string   `json:"redrivePermission"`
		Sources    []string `json:"sourceQueueArns,omitempty"`
	}{a.permission, a.sources})
	if err != nil {
		panic("bug: an allow policy has no JSON form: " + err.Error())
	}
	return string(text)
}

// maxAllowedSources is how many ARNs an allow policy names at most (SQS: DLQ-10).
const maxAllowedSources = 10

// admits reports whether a queue may have the owner of the policy as its dead-letter queue. No
// policy allows all.
func (a *allowPolicy) admits(source string) bool {
	return a == nil || a.permission == "allowAll" || a.permission == "byQueue" && slices.Contains(a.sources, source)
}

// same reports whether two policies allow the same.
func (a *allowPolicy) same(o *allowPolicy) bool {
	if a == nil || o == nil {
		return a == o
	}
	covers := func(xs, ys []string) bool {
		return !slices.ContainsFunc(ys, func(y string) bool { return !slices.Contains(xs, y) })
	}
	return a.permission == o.permission && covers(a.sources, o.sources) && covers(o.sources, a.sources)
}

// parseAllowPolicy reads the attribute RedriveAllowPolicy; "" is no policy (SQS: DLQ-10).
func parseAllowPolicy(text string) (*allowPolicy, error) {
	if text == "" {
		return nil, nil
	}
	refuse := func(reason string) (*allowPolicy, error) {
		return nil, &ParamError{Err: ErrInvalidParameter, Param: "RedriveAllowPolicy", Value: text,
			Reason: "Amazon SQS can't create the redrive allow policy. " + reason}
	}
	members, ok := parseMap(text)
	if !ok {
		return nil, &ParamError{Err: ErrInvalidParameter, Param: "RedriveAllowPolicy", Reason: "Redrive allow policy is not a valid JSON map."}
	}
	for name := range members {
		if name != "redrivePermission" && name != "sourceQueueArns" {
			return refuse("Only following attributes are supported: [redrivePermission, sourceQueueArns].")
		}
	}
	a := &allowPolicy{}
	a.permission, _ = members["redrivePermission"].(string)
	if !slices.Contains([]string{"allowAll", "denyAll", "byQueue"}, a.permission) {
		return refuse("The redrivePermission must be allowAll, denyAll or byQueue.")
	}
	list, isList := members["sourceQueueArns"].([]any)
	if members["sourceQueueArns"] != nil && !isList {
		return refuse("The sourceQueueArns must be a list of ARNs.")
	}
	switch {
	case a.permission == "byQueue" && len(list) == 0:
		return refuse("When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values.")
	case a.permission != "byQueue" && isList:
		return refuse("To specify one or more source queue ARNs, you must set redrivePermission to byQueue.")
	case len(list) > maxAllowedSources:
		return refuse(fmt.Sprintf("The maximum number of source queue ARNs you can specify is %d.", maxAllowedSources))
	}
	for _, v := range list {
		arn, ok := v.(string)
		if !ok || !isQueueARN(arn) {
			return refuse("The sourceQueueArns must be fully qualified ARNs of queues.")
		}
		a.sources = append(a.sources, arn)
	}
	return a, nil
}
