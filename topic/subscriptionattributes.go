package topic

import (
	"encoding/json"
	"strings"

	"example.com/inq/topic/internal/filter"
)

// Values of the attribute FilterPolicyScope.
const (
	scopeAttributes = "MessageAttributes"
	scopeBody       = "MessageBody"
)

// apply sets one attribute, given as text. The texts of refusals begin with the prefix (SNS: SUB-11).
func (s *Subscription) apply(settings *subscriptionSettings, name, text, prefix string) *ParamError {
	refuse := func(reason, words string) *ParamError {
		return &ParamError{Err: ErrInvalidParameter, Param: name, Value: text, Reason: reason, Text: prefix + words}
	}
	switch name {
	case "RawMessageDelivery":
		switch strings.ToLower(text) {
		case "true", "false":
			settings.raw = strings.EqualFold(text, "true")
		default:
			return refuse("must be true or false", "RawMessageDelivery: Invalid value ["+text+"]. Must be true or false.")
		}
	case "FilterPolicyScope":
		if text != scopeAttributes && text != scopeBody {
			return refuse("must be MessageBody or MessageAttributes",
				"FilterPolicyScope: Invalid value ["+text+"]. Please use either MessageBody or MessageAttributes")
		}
		settings.body = text == scopeBody
		return s.compile(settings, name, prefix)
	case "FilterPolicy":
		settings.filterText = text
		return s.compile(settings, name, prefix)
	case "RedrivePolicy":
		return s.redrive(settings, text, refuse)
	case "DeliveryPolicy":
		p, fault := parseSubscriptionPolicy(text)
		if fault != "" {
			return refuse(fault, "DeliveryPolicy: "+fault)
		}
		settings.delivery, settings.deliveryText = p, ""
		if p != nil {
			settings.deliveryText = p.text
		}
	case "SubscriptionRoleArn":
		if !isText(text) || len(text) > maxPolicy {
			return refuse("must be text", "SubscriptionRoleArn: must be text")
		}
		settings.role = text
	case "ReplayPolicy":
		if text != "" && strings.TrimSpace(text) != "{}" {
			return refuse("message replay is not supported", "ReplayPolicy: message replay is not supported")
		}
	default:
		return refuse("must be the name of an attribute that can be set", "AttributeName")
	}
	return nil
}

// compile reads the filter policy in its scope.
func (s *Subscription) compile(settings *subscriptionSettings, name, prefix string) *ParamError {
	settings.filter = nil
	if settings.filterText == "" {
		return nil
	}
	scope := filter.MessageAttributes
	if settings.body {
		scope = filter.MessageBody
	}
	p, err := filter.Compile(settings.filterText, scope, s.topic.account.extended)
	if err != nil {
		fault := err.(*filter.Error)
		words := "FilterPolicy: " + fault.Text
		if fault.Bare {
			words = fault.Text
		}
		return &ParamError{Err: ErrInvalidParameter, Param: name, Reason: fault.Text, Text: prefix + words}
	}
	if settings.filter = p; p == nil {
		settings.filterText = ""
	}
	return nil
}

// redrive reads a redrive policy; "" and {} are none (SNS: SUB-16, DLQ-1).
func (s *Subscription) redrive(settings *subscriptionSettings, text string, refuse func(reason, words string) *ParamError) *ParamError {
	settings.redriveText, settings.deadLetterARN, settings.deadLetter = "", "", nil
	if text == "" {
		return nil
	}
	var policy map[string]any
	if err := json.Unmarshal([]byte(text), &policy); err != nil || policy == nil {
		return refuse("must be a JSON object", "RedrivePolicy: failed to parse JSON.")
	}
	if len(policy) == 0 {
		return nil
	}
	arn, _ := policy["deadLetterTargetArn"].(string)
	if !isQueueARN(arn) {
		return refuse("deadLetterTargetArn must be the ARN of a queue", "RedrivePolicy: deadLetterTargetArn is an invalid arn")
	}
	if s.topic.fifo != nil && s.fifoQueue() && !isFIFOName(arn) {
		return refuse("deadLetterTargetArn must be that of a FIFO queue",
			"RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.")
	}
	settings.redriveText, settings.deadLetterARN = text, arn
	return nil
}

// shown is an attribute that can be set as it is told, with defaults for those that are not set.
func (settings *subscriptionSettings) shown(name string) string {
	switch name {
	case "RawMessageDelivery":
		if settings.raw {
			return "true"
		}
		return "false"
	case "FilterPolicyScope":
		if settings.body {
			return scopeBody
		}
		return scopeAttributes
	case "FilterPolicy":
		return settings.filterText
	case "RedrivePolicy":
		if settings.redriveText == "" && settings.deadLetterARN != "" {
			return toJSON(map[string]string{"deadLetterTargetArn": settings.deadLetterARN})
		}
		return settings.redriveText
	case "DeliveryPolicy":
		return settings.deliveryText
	case "SubscriptionRoleArn":
		return settings.role
	}
	return ""
}

func sameShown(a, b string) bool { return a == b || a != "" && b != "" && sameJSON(a, b) }

// Attributes returns the attributes of the subscription as text, by the names of SNS (SNS: SUB-14,
// SUB-21, SUB-22, SUB-26).
func (s *Subscription) Attributes() (map[string]string, error) {
	a, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	if s.ended {
		return nil, errNoSubscription(s.ARN())
	}
	settings := s.settings.Load()
	text := func(b bool) string {
		if b {
			return "true"
		}
		return "false"
	}
	all := map[string]string{
		"SubscriptionArn": s.ARN(), "TopicArn": s.topic.arn, "Owner": a.id, "Protocol": s.protocol, "Endpoint": s.endpoint,
		"RawMessageDelivery":           text(settings.raw),
		"PendingConfirmation":          text(!settings.confirmed),
		"ConfirmationWasAuthenticated": text(settings.authenticated),
		"SubscriptionPrincipal":        "arn:aws:iam::" + a.id + ":user/inq",
	}
	for _, name := range []string{"FilterPolicy", "RedrivePolicy", "DeliveryPolicy", "SubscriptionRoleArn"} {
		if v := settings.shown(name); v != "" {
			all[name] = v
		}
	}
	if settings.filter != nil {
		all["FilterPolicyScope"] = settings.shown("FilterPolicyScope")
	}
	if s.protocol == "http" || s.protocol == "https" {
		e := effectivePolicy(s.topic.settings.Load().delivery, settings.delivery)
		all["EffectiveDeliveryPolicy"] = effectiveText(e.retries, e.throttle, e.request)
	}
	return all, nil
}

// SetAttribute changes one attribute of the subscription, given as text by the name of SNS. "" removes
// a policy. [ErrInvalidParameter] for unknown names and bad values; then nothing has changed (SNS:
// SUB-10 to SUB-16).
func (s *Subscription) SetAttribute(name, value string) error {
	return s.change(func(settings *subscriptionSettings) error {
		if refusal := s.apply(settings, name, value, "Invalid parameter: "); refusal != nil {
			return refusal
		}
		return nil
	})
}
