package snsapi

import (
	"net/http"
	"strings"

	"example.com/inq/internal/wire"
	"example.com/inq/topic"
)

type subscribeRequest struct {
	TopicArn, Protocol, Endpoint *string
	Attributes                   map[string]*string `query:"Attributes.entry,key,value"`
	ReturnSubscriptionArn        *string
}

type subscriptionResult struct{ SubscriptionArn string }

func (c call) subscribe(in *subscribeRequest) (*subscriptionResult, error) {
	t, err := c.topic("TopicArn", in.TopicArn)
	if err != nil {
		return nil, err
	}
	protocol, err := given("Protocol", in.Protocol)
	if err != nil {
		return nil, err
	}
	show, err := boolean("ReturnSubscriptionArn", in.ReturnSubscriptionArn)
	if err != nil {
		return nil, err
	}
	attributes, err := attributes(in.Attributes)
	if err != nil {
		return nil, err
	}
	s, err := c.account.Subscribe(c.Context(), t.ARN(), protocol, text(in.Endpoint), attributes)
	if err != nil {
		return nil, err
	}
	if s.Pending() && !show { // (SNS: SUB-7)
		return &subscriptionResult{"pending confirmation"}, nil
	}
	return &subscriptionResult{s.ARN()}, nil
}

// boolean is a parameter that is true or false, and false where it is absent.
func boolean(name string, value *string) (bool, error) {
	switch strings.ToLower(text(value)) {
	case "true":
		return true, nil
	case "false", "":
		return false, nil
	}
	return false, invalid(name, "must be true or false")
}

// signed reports whether somebody says who they are.
func signed(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "AWS") || r.URL.Query().Has("X-Amz-Signature")
}

type confirmSubscriptionRequest struct{ TopicArn, Token, AuthenticateOnUnsubscribe *string }

// confirmSubscription confirms by the token alone, wherever that was given out (SNS: CONF-4, WIRE-14).
func (c call) confirmSubscription(in *confirmSubscriptionRequest) (*subscriptionResult, error) {
	arn, err := given("TopicArn", in.TopicArn)
	if err != nil {
		return nil, err
	}
	token, err := given("Token", in.Token)
	if err != nil {
		return nil, err
	}
	guard, err := boolean("AuthenticateOnUnsubscribe", in.AuthenticateOnUnsubscribe)
	if err != nil {
		return nil, err
	}
	account := c.account
	if !signed(c.Request) {
		if guard { // (SNS: CONF-6)
			return nil, wire.Faultf(kindAuthorizationError, "AuthenticateOnUnsubscribe needs a signed request.")
		}
		for _, a := range c.accounts() {
			if a.IssuedToken(token) {
				account = a
			}
		}
	}
	s, err := account.ConfirmSubscription(c.Context(), arn, token, guard)
	if err != nil {
		return nil, err
	}
	return &subscriptionResult{s.ARN()}, nil
}

type subscriptionRequest struct{ SubscriptionArn *string }

// unsubscribe ends a subscription; without a signature as the link in an envelope does, in the region of
// the ARN (SNS: CONF-7, WIRE-14).
func (c call) unsubscribe(in *subscriptionRequest) error {
	arn, err := given("SubscriptionArn", in.SubscriptionArn)
	if err != nil {
		return err
	}
	if signed(c.Request) {
		return c.account.Unsubscribe(c.Context(), arn)
	}
	account := c.account
	if parts := strings.Split(arn, ":"); len(parts) > 3 {
		for _, a := range c.accounts() {
			if a.Region() == parts[3] {
				account = a
			}
		}
	}
	return account.UnsubscribeByLink(c.Context(), arn)
}

// subscription is one in a list.
type subscription struct{ SubscriptionArn, Owner, Protocol, Endpoint, TopicArn string }

type listSubscriptionsResult struct {
	Subscriptions []subscription `query:"Subscriptions.member"`
	NextToken     string
}

func (c call) listed(page []*topic.Subscription, next string, err error) (*listSubscriptionsResult, error) {
	if err != nil {
		return nil, err
	}
	out := &listSubscriptionsResult{Subscriptions: make([]subscription, len(page)), NextToken: next}
	for i, s := range page {
		out.Subscriptions[i] = subscription{s.ARN(), c.account.ID(), s.Protocol(), s.Endpoint(), s.Topic().ARN()}
		if s.Pending() { // (SNS: SUB-7)
			out.Subscriptions[i].SubscriptionArn = "PendingConfirmation"
		}
	}
	return out, nil
}

func (c call) listSubscriptions(in *pageRequest) (*listSubscriptionsResult, error) {
	return c.listed(c.account.Subscriptions(text(in.NextToken)))
}

type listSubscriptionsByTopicRequest struct{ TopicArn, NextToken *string }

func (c call) listSubscriptionsByTopic(in *listSubscriptionsByTopicRequest) (*listSubscriptionsResult, error) {
	t, err := c.topic("TopicArn", in.TopicArn)
	if err != nil {
		return nil, err
	}
	return c.listed(t.Subscriptions(text(in.NextToken)))
}

// subscription finds the one that a request names.
func (c call) subscription(arn *string) (*topic.Subscription, error) {
	given, err := given("SubscriptionArn", arn)
	if err != nil {
		return nil, err
	}
	return c.account.Subscription(given)
}

func (c call) getSubscriptionAttributes(in *subscriptionRequest) (*attributesResult, error) {
	s, err := c.subscription(in.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	attributes, err := s.Attributes()
	if err != nil {
		return nil, err
	}
	return &attributesResult{attributes}, nil
}

type setSubscriptionAttributesRequest struct{ SubscriptionArn, AttributeName, AttributeValue *string }

func (c call) setSubscriptionAttributes(in *setSubscriptionAttributesRequest) error {
	s, err := c.subscription(in.SubscriptionArn)
	if err != nil {
		return err
	}
	name, err := given("AttributeName", in.AttributeName)
	if err != nil {
		return err
	}
	return s.SetAttribute(name, text(in.AttributeValue))
}
