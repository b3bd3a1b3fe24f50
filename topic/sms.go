package topic

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.com/inq/internal/durable"
)

// smsSettings are what an account keeps about phones, under its lock.
type smsSettings struct {
	attributes map[string]string
	optedOut   map[string]uint64 // numbers in the journal of the account
}

// smsAttributes are the names that can be set (SNS: SMS-5).
var smsAttributes = []string{"MonthlySpendLimit", "DeliveryStatusIAMRole", "DeliveryStatusSuccessSamplingRate", "DefaultSenderID",
	"DefaultSMSType", "UsageReportS3Bucket"}

// phoneNumber returns the digits of a number with a plus before them (SNS: SMS-2).
func phoneNumber(text string) (number string, ok bool) {
	rest := strings.TrimPrefix(text, "+")
	var b strings.Builder
	b.WriteByte('+')
	separator := true // one is not allowed here
	for i := range len(rest) {
		switch c := rest[i]; {
		case '0' <= c && c <= '9':
			b.WriteByte(c)
			separator = false
		case (c == '.' || c == '-' || c == '/') && !separator:
			separator = true
		default:
			return "", false
		}
	}
	number = b.String()
	return number, !separator && len(number) >= 3 && len(number) <= 16 && number[1] != '0'
}

// SMSAttributes returns settings of the account about text messages, all or those with the given
// names. MonthlySpendLimit is always there; others are if they were set (SNS: SMS-6).
func (a *Account) SMSAttributes(names ...string) (map[string]string, error) {
	if err := a.lock(); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	all := map[string]string{"MonthlySpendLimit": "1"}
	maps.Copy(all, a.sms.attributes)
	if len(names) > 0 {
		maps.DeleteFunc(all, func(name, _ string) bool { return !slices.Contains(names, name) })
	}
	return all, nil
}

// SetSMSAttributes sets settings of the account about text messages: all of them, or none where one is
// refused. They are kept and shown, and decide nothing (SNS: SMS-5, SMS-6).
func (a *Account) SetSMSAttributes(attributes map[string]string) (err error) {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if !slices.Contains(smsAttributes, name) {
			return &ParamError{Err: ErrInvalidParameter, Param: "attributes", Value: name, Reason: "must be one of " + strings.Join(smsAttributes, ", "),
				Text: name + " is not a valid attribute"}
		}
	}
	if kind, ok := attributes["DefaultSMSType"]; ok && kind != "Promotional" && kind != "Transactional" {
		return &ParamError{Err: ErrInvalidParameter, Param: "DefaultSMSType", Value: kind, Reason: "must be Promotional or Transactional",
			Text: "DefaultSMSType is invalid"}
	}
	if err := a.lock(); err != nil {
		return err
	}
	defer a.commit(&err)
	all := make(map[string]string, len(a.sms.attributes)+len(attributes))
	maps.Copy(all, a.sms.attributes)
	maps.Copy(all, attributes)
	if err := a.writeLocked(func(b *durable.Batch) { put(b, a.object, &accountRecord{a.run, all}) }); err != nil {
		return err
	}
	a.sms.attributes = all
	return nil
}

func errPhoneNumber(number string) error {
	return invalid("PhoneNumber", number, "input incorrectly formatted")
}

// OptOut makes a phone number one whose owner wants no messages, as an answer of STOP does.
func (a *Account) OptOut(number string) error {
	return a.changeOptedOut(number, true)
}

// OptIn takes a phone number back that had opted out. One that had not is fine too (SNS: SMS-7).
func (a *Account) OptIn(number string) error {
	return a.changeOptedOut(number, false)
}

func (a *Account) changeOptedOut(number string, out bool) (err error) {
	n, ok := phoneNumber(number)
	if !ok {
		return errPhoneNumber(number)
	}
	if err := a.lock(); err != nil {
		return err
	}
	defer a.commit(&err)
	object, was := a.sms.optedOut[n]
	if was == out {
		return nil
	}
	if out {
		object = a.nextNumber()
	}
	err = a.writeLocked(func(b *durable.Batch) {
		if out {
			put(b, object, &optedOutRecord{n})
		} else {
			b.Delete(object)
		}
	})
	switch {
	case err != nil:
		return err
	case !out:
		delete(a.sms.optedOut, n)
		return nil
	case a.sms.optedOut == nil:
		a.sms.optedOut = map[string]uint64{}
	}
	a.sms.optedOut[n] = object
	return nil
}

// OptedOut reports whether the owner of a phone number wants no messages (SNS: SMS-7).
func (a *Account) OptedOut(number string) (bool, error) {
	n, ok := phoneNumber(number)
	if !ok {
		return false, errPhoneNumber(number)
	}
	if err := a.lock(); err != nil {
		return false, err
	}
	defer a.mu.Unlock()
	_, out := a.sms.optedOut[n]
	return out, nil
}

// OptedOutNumbers returns the numbers that have opted out, in order.
func (a *Account) OptedOutNumbers() ([]string, error) {
	if err := a.lock(); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.sms.optedOut)), nil
}

// reachable reports why nothing can be delivered to a phone or an app; the error matches
// [ErrRejected].
func (a *Account) reachable(protocol, endpoint string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch protocol {
	case "sms":
		n, _ := phoneNumber(endpoint)
		if _, out := a.sms.optedOut[n]; out {
			return fmt.Errorf("%w: the phone number has opted out", ErrRejected)
		}
	case "application":
		e, err := a.platforms.endpoint(endpoint)
		if err == nil {
			err = e.enabled()
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrRejected, err)
		}
	}
	return nil
}

// PublishSMS sends one message to a phone number: into the [Outbox]. A number that has opted out gets
// nothing, which is logged, and is no error (SNS: SMS-3).
func (a *Account) PublishSMS(ctx context.Context, number string, m Message) (Published, error) {
	if err := checkContext(ctx); err != nil {
		return Published{}, err
	}
	if err := a.usable(); err != nil {
		return Published{}, err
	}
	if _, ok := phoneNumber(number); !ok {
		return Published{}, invalid("PhoneNumber", number, number+" is not valid to publish to")
	}
	return a.publishDirectly("sms", number, "sms", &m)
}

// publishDirectly puts a message that was published to one endpoint into the outbox.
func (a *Account) publishDirectly(protocol, endpoint, textKey string, m *Message) (Published, error) {
	t := a.direct
	parts, refusal := t.check(m, t.settings.Load())
	if refusal != nil {
		return Published{}, refusal
	}
	p := t.accepted(t.number.Add(1), t.ids.now(), m, parts)
	if err := a.reachable(protocol, endpoint); err != nil {
		a.log().Warn("a message could not be delivered and is lost", "protocol", protocol, "endpoint", endpoint, "error", err)
	} else {
		a.outbox.put(OutboxMessage{Protocol: protocol, Endpoint: endpoint, Type: typeNotification, MessageID: p.id(), Subject: m.Subject,
			Body: p.text(textKey), Attributes: p.message.Attributes, Time: p.time()})
	}
	return Published{ids: t.ids, number: p.number}, nil
}
