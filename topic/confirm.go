package topic

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"

	"github.com/google/uuid"

	"example.com/inq/internal/durable"
)

// tokenLife is how long a token confirms (SNS: CONF-1).
const tokenLife = 48 * time.Hour

// maxTokens bounds the tokens that are remembered. One more makes the oldest invalid.
const maxTokens = 100_000

// tokens are those that were given out, under the account's lock. Each confirms one subscription,
// also one that was ended by a link since: its UnsubscribeConfirmation can restore it.
type tokens struct {
	valid map[string]token
	order []string // oldest first
}

type token struct {
	of     *Subscription
	at     time.Time
	object uint64 // in the journal of the account
}

// forget drops tokens that are past, and the oldest where there are too many. What goes with them is
// deleted by b.
func (t *tokens) forget(now time.Time, b *durable.Batch) {
	for len(t.order) > 0 && (len(t.order) >= maxTokens || now.Sub(t.valid[t.order[0]].at) >= tokenLife) {
		old := t.valid[t.order[0]]
		delete(t.valid, t.order[0])
		t.order = t.order[1:]
		old.of.tokens--
		b.Delete(old.object)
	}
}

// newToken makes the text of a token, 288 hexadecimal digits.
func newToken() string {
	b := make([]byte, 144)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// add takes a token in, which is newer than all others.
func (t *tokens) add(text string, k token) {
	if t.valid == nil {
		t.valid = map[string]token{}
	}
	t.valid[text] = k
	t.order = append(t.order, text)
	k.of.tokens++
}

// find returns the subscription that a token confirms, nil where it is too old or was never given out.
func (t *tokens) find(text string, now time.Time) *Subscription {
	if found, ok := t.valid[text]; ok && now.Sub(found.at) < tokenLife {
		return found.of
	}
	return nil
}

// confirmation is the message that asks to confirm a subscription, or that tells of its end. It is
// made once, so that retries carry the same id.
type confirmation struct {
	kind    string
	id      string
	token   string
	at      time.Time
	version string
	base    string
}

// confirmationLocked makes a confirmation with a fresh token, which is on its way to the subscription
// from now on: whoever gets it posts it. The account's lock must be held.
func (s *Subscription) confirmationLocked(kind string) (*parcel, error) {
	a, now := s.topic.account, time.Now()
	c := &confirmation{
		kind: kind, id: uuid.NewString(), token: newToken(), at: now.UTC().Truncate(time.Millisecond),
		version: s.topic.settings.Load().version, base: *a.baseURL.Load(),
	}
	x, k := &parcel{confirmation: c}, token{of: s, at: now}
	if s.object != 0 {
		k.object, x.object = a.nextNumber(), a.nextNumber()
	}
	err := a.writeLocked(func(b *durable.Batch) {
		a.tokens.forget(now, b)
		put(b, k.object, &tokenRecord{c.token, s.object, now})
		put(b, x.object, x.record(s, time.Time{}))
	})
	if a.journal == nil {
		a.tokens.forget(now, &durable.Batch{})
	}
	if err != nil {
		return nil, err
	}
	a.tokens.add(c.token, k)
	return x, nil
}

// text is the message that people read (SNS: ENV-7).
func (c *confirmation) text(s *Subscription) string {
	if c.kind == typeUnsubscribeConfirmation {
		return "You have chosen to deactivate subscription " + s.ARN() +
			".\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
	}
	return "You have chosen to subscribe to the topic " + s.topic.arn +
		".\nTo confirm the subscription, visit the SubscribeURL included in this message."
}

// url is the link that confirms (SNS: ENV-5).
func (c *confirmation) url(s *Subscription) string {
	return c.base + "/?Action=ConfirmSubscription&TopicArn=" + s.topic.arn + "&Token=" + c.token
}

func (c *confirmation) notification(s *Subscription) *Notification {
	return &Notification{
		Type: c.kind, MessageID: c.id, TopicARN: s.topic.arn, SubscriptionARN: s.ARN(), Message: c.text(s), Time: c.at, Token: c.token,
		body: func() string { return c.envelope(s) },
	}
}

// envelope is always JSON and signed, whatever the subscription says (SNS: ENV-8, HTTP-7).
func (c *confirmation) envelope(s *Subscription) string {
	timestamp := c.at.Format(timestampLayout)
	var w envelopeWriter
	w.field("Type", c.kind)
	w.field("MessageId", c.id)
	w.field("Token", c.token)
	w.field("TopicArn", s.topic.arn)
	w.field("Message", c.text(s))
	w.field("SubscribeURL", c.url(s))
	w.field("Timestamp", timestamp)
	w.signature(c.version, sign(c.version, "Message", c.text(s), "MessageId", c.id, "SubscribeURL", c.url(s), "Timestamp", timestamp,
		"Token", c.token, "TopicArn", s.topic.arn, "Type", c.kind), c.base)
	w.end()
	return string(w.b)
}

// invite asks for the confirmation of a subscription that is pending. Asking again is no error (SNS:
// SUB-25).
func (s *Subscription) invite() error {
	if !s.Pending() {
		return nil
	}
	a := s.topic.account
	if err := a.lock(); err != nil {
		return err
	}
	x, err := s.confirmationLocked(typeSubscriptionConfirmation)
	a.commit(&err)
	if x != nil {
		s.post(x)
	}
	return err
}

// post gives a confirmation to the pipe.
func (s *Subscription) post(x *parcel) {
	turn, reason := s.pipe.add(x)
	switch {
	case reason != nil:
		s.refuse(x, reason)
	case turn:
		go s.pipe.work(0, nil)
	}
}

// ConfirmSubscription confirms the subscription that the token was given out for, and returns it. The
// topic's ARN has to be one of this region, and decides nothing else. A subscription can be confirmed
// again; one that was ended by the link in an envelope is restored by the token of its
// UnsubscribeConfirmation (SNS: CONF-1 to CONF-7). With guard, [Account.UnsubscribeByLink] does not end
// it.
//
// [ErrInvalidParameter] for a token that was never given out or is older than two days.
func (a *Account) ConfirmSubscription(ctx context.Context, topicARN, token string, guard bool) (_ *Subscription, err error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	if parts := strings.Split(topicARN, ":"); len(parts) < 6 || parts[2] != "sns" || parts[3] != a.region {
		return nil, &ParamError{Err: ErrInvalidParameter, Param: "TopicArn", Value: topicARN, Reason: "must be that of a topic in region " + a.region,
			Text: "Invalid parameter: Topic"}
	}
	if _, err := hex.DecodeString(token); err != nil || token == "" {
		return nil, &ParamError{Err: ErrInvalidParameter, Param: "Token", Reason: "must be hexadecimal", Text: "Invalid token"}
	}
	if err := a.lock(); err != nil {
		return nil, err
	}
	defer a.commit(&err)
	s := a.tokens.find(token, time.Now())
	if s == nil {
		return nil, invalidName("Token", nil, "must be one that was given out in the last two days")
	}
	if s.ended || s.orphan {
		return a.restoreLocked(s)
	}
	return s, s.changeLocked(func(settings *subscriptionSettings) error {
		settings.confirmed = true
		settings.authenticated = settings.authenticated || guard
		settings.guarded = settings.guarded || guard
		return nil
	})
}

// restoreLocked makes a subscription anew that was ended, under its ARN. The account's lock must be
// held.
func (a *Account) restoreLocked(old *Subscription) (*Subscription, error) {
	t := old.topic
	if err := t.gone(); err != nil {
		return nil, err
	}
	key := endpointKey{old.protocol, old.endpoint}
	if again := t.byEndpoint[key]; again != nil { // it was subscribed anew meanwhile
		return again, again.changeLocked(func(settings *subscriptionSettings) error {
			settings.confirmed = true
			return nil
		})
	}
	settings := *old.settings.Load()
	settings.confirmed = true
	if err := t.admitFilterLocked(nil, &settings); err != nil {
		return nil, err
	}
	s := &Subscription{topic: t, id: old.id, protocol: old.protocol, endpoint: old.endpoint, textKey: old.textKey, target: old.target, object: a.nextNumber()}
	err := a.writeLocked(func(b *durable.Batch) {
		put(b, s.object, s.record(&settings, false))
		for text, known := range a.tokens.valid {
			if known.of == old {
				put(b, known.object, &tokenRecord{text, s.object, known.at})
			}
		}
	})
	if err != nil {
		return nil, err
	}
	s.pipe.init(s)
	a.enterLocked(s, &settings)
	for text, known := range a.tokens.valid {
		if known.of == old {
			known.of = s
			a.tokens.valid[text] = known
		}
	}
	s.tokens, old.tokens = old.tokens, 0
	return s, nil
}

// IssuedToken reports whether a token was given out by this account and is still good. Where a server
// has an account for each region, it tells which one a link is about (SNS: WIRE-14).
func (a *Account) IssuedToken(token string) bool {
	if a.lock() != nil {
		return false
	}
	defer a.mu.Unlock()
	return a.tokens.find(token, time.Now()) != nil
}

// UnsubscribeByLink ends a subscription for somebody who follows the link in an envelope and has not
// signed the call. The endpoint is told, with a link to restore it (SNS: CONF-6, CONF-7). An ARN of no
// subscription is ended already (SNS: SUB-19).
func (a *Account) UnsubscribeByLink(ctx context.Context, arn string) error {
	return a.unsubscribe(ctx, arn, true)
}

// Unsubscribe ends a subscription by its ARN, for its owner. One that does not exist is ended already
// (SNS: SUB-19).
func (a *Account) Unsubscribe(ctx context.Context, arn string) error {
	return a.unsubscribe(ctx, arn, false)
}

func (a *Account) unsubscribe(ctx context.Context, arn string, byLink bool) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	if err := a.lock(); err != nil {
		return err
	}
	s, err := a.subscriptionLocked(arn)
	if err != nil {
		a.mu.Unlock()
		if isNoSubscription(err) {
			return nil
		}
		return err
	}
	settings := s.settings.Load()
	if byLink && settings.guarded {
		a.mu.Unlock()
		return &ParamError{Err: ErrInvalidParameter, Param: "SubscriptionArn", Value: arn,
			Reason: "was confirmed so that only a signed call ends it", Text: "Invalid parameter: SubscriptionArn Reason: authentication is required to unsubscribe"}
	}
	var farewell *parcel
	if byLink && settings.confirmed && (s.protocol == "http" || s.protocol == "https") {
		farewell, err = s.confirmationLocked(typeUnsubscribeConfirmation)
	}
	if err == nil {
		err = a.endLocked(s)
	}
	ended := s.ended
	a.commit(&err)
	if ended {
		s.pipe.end(errNoSubscription(arn))
	}
	if farewell != nil {
		s.post(farewell)
	}
	return err
}
