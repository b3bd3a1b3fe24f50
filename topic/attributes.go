package topic

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// topicSettings is what attributes set of a topic. A value is never changed once the topic points to
// it.
type topicSettings struct {
	values       map[string]string // attributes that are set, as they are shown
	contentDedup bool
	perGroup     bool   // FifoThroughputScope
	version      string // SignatureVersion
	delivery     *deliveryPolicy
	protection   string // data protection policy, which is no attribute
}

// topicAttribute is an attribute of topics (SNS: section 3).
type topicAttribute struct {
	name  string
	fifo  bool // FIFO topics only
	fixed bool // set when the topic is made and never again
	// parse returns the value as it is shown, "" for what removes the attribute, and what is wrong.
	parse func(s *topicSettings, text string) (shown, fault string)
}

var topicAttributes = []topicAttribute{
	{name: "DisplayName", parse: parseDisplayName},
	{name: "Policy", parse: parsePolicyAttribute},
	{name: "DeliveryPolicy", parse: func(s *topicSettings, text string) (string, string) {
		p, fault := parseTopicPolicy(text)
		if fault != "" || p == nil {
			s.delivery = nil
			return "", fault
		}
		s.delivery = p
		return p.text, ""
	}},
	{name: "FifoTopic", fifo: true, fixed: true, parse: parseBool},
	{name: "ContentBasedDeduplication", fifo: true, parse: func(s *topicSettings, text string) (string, string) {
		shown, fault := parseBool(s, text)
		s.contentDedup = shown == "true"
		return shown, fault
	}},
	{name: "FifoThroughputScope", fifo: true, parse: func(s *topicSettings, text string) (string, string) {
		s.perGroup = text == "MessageGroup"
		return oneOf(text, "Topic", "MessageGroup")
	}},
	{name: "SignatureVersion", parse: func(s *topicSettings, text string) (string, string) {
		s.version = text
		return oneOf(text, "1", "2")
	}},
	{name: "TracingConfig", parse: func(_ *topicSettings, text string) (string, string) { return oneOf(text, "PassThrough", "Active") }},
	{name: "KmsMasterKeyId", parse: keep},
	{name: "ArchivePolicy", fifo: true, parse: func(_ *topicSettings, text string) (string, string) {
		if strings.TrimSpace(text) == "{}" || text == "" {
			return "", ""
		}
		return "", "message archiving is not supported"
	}},
}

func init() {
	for _, protocol := range []string{"HTTP", "SQS", "Lambda", "Firehose", "Application"} {
		topicAttributes = append(topicAttributes,
			topicAttribute{name: protocol + "SuccessFeedbackRoleArn", parse: keep},
			topicAttribute{name: protocol + "FailureFeedbackRoleArn", parse: keep},
			topicAttribute{name: protocol + "SuccessFeedbackSampleRate", parse: func(_ *topicSettings, text string) (string, string) {
				n, err := strconv.Atoi(text)
				if text != "" && (err != nil || n < 0 || n > 100) {
					return "", "must be a number from 0 to 100"
				}
				return text, ""
			}})
	}
}

func findTopicAttribute(name string) *topicAttribute {
	i := slices.IndexFunc(topicAttributes, func(a topicAttribute) bool { return a.name == name })
	if i < 0 {
		return nil
	}
	return &topicAttributes[i]
}

func keep(_ *topicSettings, text string) (string, string) {
	if !isText(text) || len(text) > maxPolicy {
		return "", "must be text"
	}
	return text, ""
}

func parseBool(_ *topicSettings, text string) (string, string) { // any letter case (SNS: TOP-13)
	return oneOf(strings.ToLower(text), "true", "false")
}

func oneOf(text string, allowed ...string) (string, string) {
	if !slices.Contains(allowed, text) {
		return "", "must be " + strings.Join(allowed, " or ")
	}
	return text, ""
}

func parseDisplayName(_ *topicSettings, text string) (string, string) {
	if utf8.RuneCountInString(text) > 100 || !isText(text) {
		return "", "must be text of at most 100 characters"
	}
	return text, ""
}

// maxPolicy is the length of an access policy in bytes (SNS: PERM-4).
const maxPolicy = 30 << 10

func parsePolicyAttribute(_ *topicSettings, text string) (string, string) {
	var members map[string]any
	if text == "" {
		return "", "" // the default policy again
	}
	if len(text) > maxPolicy {
		return "", fmt.Sprintf("must have at most %d bytes", maxPolicy)
	}
	if json.Unmarshal([]byte(text), &members) != nil || members == nil {
		return "", "must be a JSON object"
	}
	return text, ""
}

// set applies one attribute. It changes s even where it refuses.
func (s *topicSettings) set(name, text string, fifo bool) (fault string) {
	a := findTopicAttribute(name)
	switch {
	case a == nil:
		return "unknown attribute"
	case a.fifo && !fifo:
		if name == "FifoTopic" && strings.EqualFold(text, "false") {
			return "" // and is not shown (SNS: section 3)
		}
		return "only FIFO topics have this attribute"
	}
	shown, fault := a.parse(s, text)
	if fault != "" {
		return fault
	}
	if shown == "" {
		delete(s.values, name)
	} else {
		s.values[name] = shown
	}
	return ""
}

// newTopicSettings makes the settings of a topic from attributes.
func newTopicSettings(attributes map[string]string, fifo bool) (*topicSettings, *ParamError) {
	s := &topicSettings{values: map[string]string{}, version: "1"}
	if fifo {
		s.values["ContentBasedDeduplication"] = "false"
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if fault := s.set(name, attributes[name], fifo); fault != "" {
			return nil, &ParamError{Err: ErrInvalidParameter, Param: name, Value: attributes[name], Reason: fault,
				Text: "Invalid parameter: Attributes Reason: " + name + ": " + fault}
		}
	}
	return s, nil
}

// differ returns the first of the given attributes that o has another value of (SNS: TOP-3).
func (s *topicSettings) differ(o *topicSettings, given map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		a, b := s.values[name], o.values[name]
		if a != b && !(a != "" && b != "" && sameJSON(a, b)) {
			return name
		}
	}
	return ""
}

// sameJSON compares objects by what they say.
func sameJSON(a, b string) bool {
	var x, y map[string]any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// Attributes returns the attributes of the topic as text, by the names of SNS (SNS: section 3).
func (t *Topic) Attributes() (map[string]string, error) {
	if err := t.lock(); err != nil {
		return nil, err
	}
	defer t.account.mu.Unlock()
	s := t.settings.Load()
	all := maps.Clone(s.values)
	all["TopicArn"] = t.arn
	all["Owner"] = t.account.id
	all["DisplayName"] = s.values["DisplayName"]
	all["EffectiveDeliveryPolicy"] = effectiveTopicText(s.delivery)
	if all["Policy"] == "" {
		all["Policy"] = t.defaultPolicy()
	}
	t.mu.RLock()
	all["SubscriptionsConfirmed"] = strconv.Itoa(t.subscriptions.len() - t.pending)
	all["SubscriptionsPending"] = strconv.Itoa(t.pending)
	all["SubscriptionsDeleted"] = strconv.Itoa(t.deleted)
	t.mu.RUnlock()
	return all, nil
}

// SetAttribute changes one attribute of the topic, given as text by the name of SNS. "" removes a
// DeliveryPolicy, and gives Policy and DisplayName their defaults. [ErrInvalidParameter] for names
// that are unknown, cannot be changed or do not apply to the type of topic, and for bad values; then
// nothing has changed (SNS: TOP-11, TOP-12).
func (t *Topic) SetAttribute(name, value string) (err error) {
	if err := t.lock(); err != nil {
		return err
	}
	defer t.account.commit(&err)
	a := findTopicAttribute(name)
	if a == nil || a.fixed || a.fifo && t.fifo == nil {
		return invalidName("AttributeName", name, "must be an attribute that can be set on this type of topic")
	}
	s := *t.settings.Load()
	s.values = maps.Clone(s.values)
	if fault := s.set(name, value, t.fifo != nil); fault != "" {
		return &ParamError{Err: ErrInvalidParameter, Param: name, Value: value, Reason: fault, Text: "Invalid parameter: " + name + ": " + fault}
	}
	return t.setLocked(&s)
}

// DataProtectionPolicy returns the data protection policy of the topic, "" where it has none (SNS:
// TOP-14).
func (t *Topic) DataProtectionPolicy() (string, error) {
	if err := t.lock(); err != nil {
		return "", err
	}
	defer t.account.mu.Unlock()
	return t.settings.Load().protection, nil
}

// SetDataProtectionPolicy sets the data protection policy of the topic, a JSON object of up to 30,720
// bytes that is kept and shown and protects nothing here; "" takes it away. [ErrInvalidParameter]
// otherwise.
func (t *Topic) SetDataProtectionPolicy(policy string) (err error) {
	if _, fault := parsePolicyAttribute(nil, policy); fault != "" {
		return invalid("DataProtectionPolicy", nil, fault)
	}
	if err := t.lock(); err != nil {
		return err
	}
	defer t.account.commit(&err)
	s := *t.settings.Load()
	s.protection = policy
	return t.setLocked(&s)
}
