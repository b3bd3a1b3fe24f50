package topic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
)

// retryPolicy says when a copy that failed is tried again: at once, then at the least delay, then at
// delays that grow by the function, then at the greatest (SNS: section 11). The JSON form is the one
// in delivery policies.
type retryPolicy struct {
	MinDelayTarget     int    `json:"minDelayTarget"` // seconds
	MaxDelayTarget     int    `json:"maxDelayTarget"`
	NumRetries         int    `json:"numRetries"`
	NumMaxDelayRetries int    `json:"numMaxDelayRetries"`
	NumNoDelayRetries  int    `json:"numNoDelayRetries"`
	NumMinDelayRetries int    `json:"numMinDelayRetries"`
	BackoffFunction    string `json:"backoffFunction"`
}

// The policies of the service for queues, and for HTTP(S) endpoints, which functions share (SNS: RET-1,
// RET-3). Nothing that is put into the outbox fails.
var (
	queueRetries = retryPolicy{MinDelayTarget: 1, MaxDelayTarget: 20, NumRetries: 100_015, NumMaxDelayRetries: 100_000,
		NumNoDelayRetries: 3, NumMinDelayRetries: 2, BackoffFunction: "exponential"}
	httpRetries = retryPolicy{MinDelayTarget: 20, MaxDelayTarget: 20, NumRetries: 3, BackoffFunction: "linear"}
)

// delay returns how long to wait before the given retry, counted from 1, and false where there is
// none.
func (p *retryPolicy) delay(retry int) (time.Duration, bool) {
	if retry > p.NumRetries {
		return 0, false
	}
	low, high := float64(p.MinDelayTarget), float64(p.MaxDelayTarget)
	i := retry - p.NumNoDelayRetries
	if i <= 0 {
		return 0, true
	}
	if i -= p.NumMinDelayRetries; i <= 0 {
		return seconds(low), true
	}
	steps := p.NumRetries - p.NumNoDelayRetries - p.NumMinDelayRetries - p.NumMaxDelayRetries
	if i > steps {
		return seconds(high), true
	}
	if steps == 1 {
		return seconds(low), true
	}
	// The first step has the least delay, the last one the greatest. What lies between is nowhere
	// written down but as curves of these names (SNS: RET-4).
	x, n := float64(i-1), float64(steps-1)
	switch p.BackoffFunction {
	case "arithmetic":
		return seconds(low + (high-low)*x*(x+1)/(n*(n+1))), true
	case "geometric":
		return seconds(low * math.Pow(high/low, x/n)), true
	case "exponential":
		return seconds(low + (high-low)*(math.Exp2(x)-1)/(math.Exp2(n)-1)), true
	}
	return seconds(low + (high-low)*x/n), true
}

// seconds rounds to milliseconds, so that delays can be told.
func seconds(s float64) time.Duration {
	return time.Duration(math.Round(s*1000)) * time.Millisecond
}

// Bounds of a delivery policy (SNS: RET-4).
const (
	maxDelayTarget  = 3600
	maxRetries      = 100
	maxPolicyPeriod = 3600 * time.Second
)

var backoffFunctions = []string{"linear", "arithmetic", "geometric", "exponential"}

// check returns what is wrong with a policy that a user set, "" if nothing.
func (p *retryPolicy) check() string {
	phases := p.NumNoDelayRetries + p.NumMinDelayRetries + p.NumMaxDelayRetries
	switch {
	case p.MaxDelayTarget < 1 || p.MaxDelayTarget > maxDelayTarget:
		return fmt.Sprintf("maxDelayTarget %d must be from 1 to %d", p.MaxDelayTarget, maxDelayTarget)
	case p.MinDelayTarget < 1 || p.MinDelayTarget > p.MaxDelayTarget:
		return fmt.Sprintf("minDelayTarget %d must be from 1 to maxDelayTarget (%d)", p.MinDelayTarget, p.MaxDelayTarget)
	case p.NumRetries < 0 || p.NumRetries > maxRetries:
		return fmt.Sprintf("numRetries %d must be from 0 to %d", p.NumRetries, maxRetries)
	case p.NumNoDelayRetries < 0 || p.NumMinDelayRetries < 0 || p.NumMaxDelayRetries < 0:
		return "numNoDelayRetries, numMinDelayRetries and numMaxDelayRetries must not be negative"
	case max(p.NumNoDelayRetries, p.NumMinDelayRetries, p.NumMaxDelayRetries) > maxRetries || phases > p.NumRetries:
		return fmt.Sprintf("numNoDelayRetries, numMinDelayRetries and numMaxDelayRetries must not be more than numRetries (%d) in sum", p.NumRetries)
	case !slices.Contains(backoffFunctions, p.BackoffFunction):
		return fmt.Sprintf("backoffFunction %q must be linear, arithmetic, geometric or exponential", p.BackoffFunction)
	}
	total := time.Duration(0)
	for i := 1; i <= p.NumRetries; i++ {
		d, _ := p.delay(i)
		total += d
	}
	if total > maxPolicyPeriod {
		return fmt.Sprintf("the delays add up to %v, the most is %v", total, maxPolicyPeriod)
	}
	return ""
}

// throttlePolicy and requestPolicy are further parts of a delivery policy.
type throttlePolicy struct {
	MaxReceivesPerSecond *int `json:"maxReceivesPerSecond"`
}

type requestPolicy struct {
	HeaderContentType string `json:"headerContentType"`
}

// defaultContentType is that of requests to HTTP(S) endpoints (SNS: HTTP-2).
const defaultContentType = "text/plain; charset=UTF-8"

// deliveryPolicy is what a delivery policy says of one topic or subscription: parts that are nil are
// not given.
type deliveryPolicy struct {
	text     string // normalised; "" where there is none
	retries  *retryPolicy
	throttle *throttlePolicy
	request  *requestPolicy
	only     bool // of a topic: subscriptions do not override it
}

// topicPolicyJSON is the attribute DeliveryPolicy of a topic.
type topicPolicyJSON struct {
	HTTP *struct {
		Retries  json.RawMessage `json:"defaultHealthyRetryPolicy"`
		Throttle *throttlePolicy `json:"defaultThrottlePolicy"`
		Request  *requestPolicy  `json:"defaultRequestPolicy"`
		Only     bool            `json:"disableSubscriptionOverrides"`
	} `json:"http"`
}

// subscriptionPolicyJSON is the attribute DeliveryPolicy of a subscription.
type subscriptionPolicyJSON struct {
	Retries    json.RawMessage `json:"healthyRetryPolicy"`
	Sickly     json.RawMessage `json:"sicklyRetryPolicy"`
	Throttle   *throttlePolicy `json:"throttlePolicy"`
	Request    *requestPolicy  `json:"requestPolicy"`
	Guaranteed bool            `json:"guaranteed"`
}

// parseTopicPolicy reads the attribute DeliveryPolicy of a topic; "" is none (SNS: TOP-12).
func parseTopicPolicy(text string) (*deliveryPolicy, string) {
	if text == "" {
		return nil, ""
	}
	var in topicPolicyJSON
	if fault := decode(text, &in); fault != "" {
		return nil, fault
	}
	if in.HTTP == nil {
		return nil, `must have a member "http"`
	}
	p := &deliveryPolicy{throttle: in.HTTP.Throttle, request: in.HTTP.Request, only: in.HTTP.Only}
	if fault := p.finish(in.HTTP.Retries); fault != "" {
		return nil, fault
	}
	// What is shown is what was given, with one member that is always there and without those that
	// are null.
	var given struct {
		HTTP map[string]any `json:"http"`
	}
	decode(text, &given)
	for name, v := range given.HTTP {
		if v == nil {
			delete(given.HTTP, name)
		}
	}
	given.HTTP["disableSubscriptionOverrides"] = p.only
	p.text = toJSON(given)
	return p, ""
}

// parseSubscriptionPolicy reads the attribute DeliveryPolicy of a subscription; "" is none (SNS:
// SUB-22).
func parseSubscriptionPolicy(text string) (*deliveryPolicy, string) {
	if text == "" {
		return nil, ""
	}
	var in subscriptionPolicyJSON
	if fault := decode(text, &in); fault != "" {
		return nil, fault
	}
	p := &deliveryPolicy{throttle: in.Throttle, request: in.Request}
	if fault := p.finish(in.Retries); fault != "" {
		return nil, fault
	}
	p.text = effectiveText(p.retries, p.throttle, p.request)
	return p, ""
}

// effectiveText is a delivery policy of a subscription with all of its members.
func effectiveText(retries *retryPolicy, throttle *throttlePolicy, request *requestPolicy) string {
	return toJSON(struct {
		Retries    *retryPolicy    `json:"healthyRetryPolicy"`
		Sickly     *retryPolicy    `json:"sicklyRetryPolicy"`
		Throttle   *throttlePolicy `json:"throttlePolicy"`
		Request    *requestPolicy  `json:"requestPolicy"`
		Guaranteed bool            `json:"guaranteed"`
	}{Retries: retries, Throttle: throttle, Request: request})
}

// finish fills in the retry policy, member by member over the default one (SNS: RET-7), and checks
// the whole.
func (p *deliveryPolicy) finish(retries json.RawMessage) string {
	if len(retries) > 0 && string(retries) != "null" {
		r := httpRetries
		if fault := decode(string(retries), &r); fault != "" {
			return fault
		}
		if fault := r.check(); fault != "" {
			return fault
		}
		p.retries = &r
	}
	if p.throttle != nil && p.throttle.MaxReceivesPerSecond == nil {
		p.throttle = nil
	}
	if p.throttle != nil && *p.throttle.MaxReceivesPerSecond < 1 {
		return fmt.Sprintf("maxReceivesPerSecond %d must be at least 1", *p.throttle.MaxReceivesPerSecond)
	}
	if p.request != nil && p.request.HeaderContentType == "" {
		p.request = nil
	}
	if p.request != nil && !isHeader(p.request.HeaderContentType) {
		return fmt.Sprintf("headerContentType %.64q must be printable ASCII", p.request.HeaderContentType)
	}
	return ""
}

// isHeader tells what can be the value of an HTTP header.
func isHeader(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) <= 256
}

// decode reads JSON whose members all have to be known, and returns what is wrong with it.
func decode(text string, into any) string {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil || !json.Valid([]byte(text)) { // the decoder does not look at what follows
		if !json.Valid([]byte(text)) {
			return "failed to parse JSON."
		}
		return fmt.Sprintf("has a member that is not known or of another type: %v", err)
	}
	return ""
}

// toJSON leaves < and > as they are.
func toJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("bug: a policy has no JSON form: " + err.Error())
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// effective is what holds for an HTTP(S) subscription: its own policy, else that of the topic, else
// the default (SNS: RET-7).
type effective struct {
	retries  *retryPolicy
	throttle *throttlePolicy
	request  *requestPolicy
}

func effectivePolicy(topic, own *deliveryPolicy) (e effective) {
	defaults := httpRetries
	e = effective{retries: &defaults, request: &requestPolicy{defaultContentType}}
	if topic != nil {
		if topic.retries != nil {
			e.retries = topic.retries
		}
		if topic.request != nil {
			e.request = topic.request
		}
		if topic.only {
			e.throttle = topic.throttle
			return e
		}
	}
	if own != nil {
		e.throttle = own.throttle
		if own.retries != nil {
			e.retries = own.retries
		}
		if own.request != nil {
			e.request = own.request
		}
	}
	if e.throttle == nil && topic != nil {
		e.throttle = topic.throttle
	}
	return e
}

// effectiveTopicText is the attribute EffectiveDeliveryPolicy of a topic (SNS: RET-5).
func effectiveTopicText(topic *deliveryPolicy) string {
	e := effectivePolicy(topic, nil)
	type inside struct {
		Retries  *retryPolicy    `json:"defaultHealthyRetryPolicy"`
		Only     bool            `json:"disableSubscriptionOverrides"`
		Throttle *throttlePolicy `json:"defaultThrottlePolicy,omitempty"`
		Request  *requestPolicy  `json:"defaultRequestPolicy"`
	}
	return toJSON(struct {
		HTTP inside `json:"http"`
	}{inside{e.retries, topic != nil && topic.only, e.throttle, e.request}})
}
