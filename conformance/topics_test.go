package conformance_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/conformance/internal/suite"
	"example.com/inq/snsapi"
	"example.com/inq/sqsapi"
	"example.com/inq/topic"
)

// newTopics makes topics beside a broker. Opts are the broker's.
func newTopics(t testing.TB, opts []inq.BrokerOption) (*inq.Broker, *topic.Account) {
	b := newBroker(t, opts)
	a, err := topic.NewAccount(topic.WithBroker(b))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return b, a
}

// together serves both services on one address.
func together(b *inq.Broker, a *topic.Account) http.Handler {
	queues, topics := sqsapi.NewHandler(b, sqsapi.Options{}), snsapi.NewHandler(a, snsapi.Options{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if snsapi.IsRequest(r) || r.URL.Path == "/" && r.Header.Get("X-Amz-Target") == "" { // which the cases of protocols go to
			topics.ServeHTTP(w, r)
			return
		}
		queues.ServeHTTP(w, r)
	})
}

func TestConformance_TopicPackage(t *testing.T) {
	suite.RunTopics(t, suite.Harness{
		Gives: suite.Time | suite.Texts | suite.Unchecked | suite.Zeros | suite.Engine | suite.Queues | suite.Account,
		Open: func(t testing.TB, opts ...inq.BrokerOption) suite.Service {
			b, a := newTopics(t, opts)
			s := suite.OverBroker(b, func(q inq.Queue) inq.Queue { return q })
			s.Topics = overAccount{a}
			return s
		},
		Differs: map[string]string{"PUB-3/an explicit empty subject": "in Go \"\" is no subject"},
	})
}

func TestConformance_TopicsInMemory(t *testing.T) {
	suite.RunTopics(t, suite.Harness{Gives: wire | suite.Time | suite.Query, Open: func(t testing.TB, opts ...inq.BrokerOption) suite.Service {
		const base = "http://sns.test"
		b, a := newTopics(t, opts)
		do := snsapi.NewRoundTripper(together(b, a)).Do
		return suite.Service{API: jsonAPI{do, base}, Topics: topicAPI{do, base}, Broker: b, Do: do, Base: base}
	}})
}

func TestConformance_TopicsOverSocket(t *testing.T) {
	suite.RunTopics(t, suite.Harness{Gives: wire | suite.Query, Open: func(t testing.TB, opts ...inq.BrokerOption) suite.Service {
		b, a := newTopics(t, opts)
		server := httptest.NewServer(together(b, a))
		t.Cleanup(server.Close)
		do := server.Client().Do
		return suite.Service{API: jsonAPI{do, server.URL}, Topics: topicAPI{do, server.URL}, Broker: b, Do: do, Base: server.URL}
	}})
}

// topicAPI speaks the Query protocol of SNS to the service at base.
type topicAPI struct {
	do   exchange
	base string
}

func (a topicAPI) Call(ctx context.Context, operation string, in, out any) error {
	form, err := suite.FormOfTopics(operation, in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"/", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	resp, body, err := a.do.read(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		var e struct {
			Error struct{ Code, Message string }
		}
		if err := xml.Unmarshal(body, &e); err != nil {
			return fmt.Errorf("status %d, %q: %w", resp.StatusCode, body, err)
		}
		return &refusal{Code: e.Error.Code, Message: e.Error.Message}
	}
	if out == nil {
		return nil
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			return fmt.Errorf("%q has no result: %w", body, err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == operation+"Result" {
			return d.DecodeElement(out, &start)
		}
	}
}

// overAccount is a service over topics of the process.
type overAccount struct{ *topic.Account }

// topicRequest has all members that requests of SNS have here.
type topicRequest struct {
	Name, TopicArn, TargetArn, PhoneNumber, SubscriptionArn, ResourceArn, NextToken string
	PlatformApplicationArn, EndpointArn, Platform, Token, CustomUserData            string
	Protocol, Endpoint, AttributeName, AttributeValue, DataProtectionPolicy, Label  string
	Message, Subject, MessageStructure, MessageGroupId, MessageDeduplicationId      string
	MessageAttributes                                                               map[string]suite.AttributeValue
	Attributes                                                                      map[string]string
	Tags                                                                            []suite.TopicTag
	TagKeys, AWSAccountId, ActionName                                               []string
	PublishBatchRequestEntries                                                      []topicRequest
}

func (r *topicRequest) message() topic.Message {
	m := topic.Message{Body: r.Message, Subject: r.Subject, Structure: r.MessageStructure, GroupID: r.MessageGroupId, DeduplicationID: r.MessageDeduplicationId}
	for name, v := range r.MessageAttributes {
		if m.Attributes == nil {
			m.Attributes = map[string]inq.Attribute{}
		}
		m.Attributes[name] = inq.Attribute{Type: v.DataType, Value: v.StringValue, Binary: v.BinaryValue}
	}
	return m
}

func (r *topicRequest) tags() map[string]string {
	tags := map[string]string{}
	for _, tag := range r.Tags {
		tags[tag.Key] = tag.Value
	}
	return tags
}

// topicCodes are the codes of SNS for the errors of package topic.
var topicCodes = map[error]string{
	topic.ErrInvalidParameter: "InvalidParameter", topic.ErrInvalidMessageAttribute: "ParameterValueInvalid", topic.ErrMissingValue: "ValidationError",
	topic.ErrTopicDoesNotExist: "NotFound", topic.ErrSubscriptionDoesNotExist: "NotFound", topic.ErrEndpointDoesNotExist: "NotFound",
	topic.ErrPlatformApplicationDoesNotExist: "NotFound", topic.ErrResourceDoesNotExist: "ResourceNotFound", topic.ErrEndpointDisabled: "EndpointDisabled",
	topic.ErrEmptyBatch: "EmptyBatchRequest", topic.ErrTooManyEntries: "TooManyEntriesInBatchRequest", topic.ErrBatchTooLong: "BatchRequestTooLong",
	topic.ErrTagLimit: "TagLimitExceeded", topic.ErrTopicLimit: "TopicLimitExceeded",
}

func (a overAccount) Call(ctx context.Context, operation string, in, out any) error {
	var r topicRequest
	if err := suite.Copy(&r, in); err != nil {
		return err
	}
	result, err := a.do(ctx, operation, &r)
	var p *topic.ParamError
	if errors.As(err, &p) {
		return &refusal{Code: topicCodes[p.Err], Message: p.Text}
	}
	if err != nil {
		return err
	}
	return suite.Copy(out, result)
}

func published(p topic.Published) suite.Published {
	return suite.Published{MessageId: p.MessageID(), SequenceNumber: p.SequenceNumber()}
}

func (a overAccount) do(ctx context.Context, operation string, r *topicRequest) (any, error) {
	switch operation {
	case "CreateTopic":
		t, err := a.CreateTopic(ctx, r.Name, r.Attributes, r.tags())
		if err != nil {
			return nil, err
		}
		return suite.TopicARN{TopicArn: t.ARN()}, nil
	case "DeleteTopic":
		return nil, a.DeleteTopic(ctx, r.TopicArn)
	case "ListTopics":
		page, next, err := a.Topics(r.NextToken)
		list := suite.TopicList{NextToken: next}
		for _, t := range page {
			list.Topics = append(list.Topics, suite.TopicARN{TopicArn: t.ARN()})
		}
		return list, err
	case "TagResource":
		return nil, a.SetTags(ctx, r.ResourceArn, r.tags())
	case "UntagResource":
		return nil, a.RemoveTags(ctx, r.ResourceArn, r.TagKeys...)
	case "ListTagsForResource":
		tags, err := a.Tags(ctx, r.ResourceArn)
		var list suite.TopicTags
		for key, value := range tags {
			list.Tags = append(list.Tags, suite.TopicTag{Key: key, Value: value})
		}
		return list, err
	case "Subscribe":
		s, err := a.Subscribe(ctx, r.TopicArn, r.Protocol, r.Endpoint, r.Attributes)
		if err != nil {
			return nil, err
		}
		return suite.SubscriptionARN{SubscriptionArn: s.ARN()}, nil
	case "ConfirmSubscription":
		s, err := a.ConfirmSubscription(ctx, r.TopicArn, r.Token, false)
		if err != nil {
			return nil, err
		}
		return suite.SubscriptionARN{SubscriptionArn: s.ARN()}, nil
	case "Unsubscribe":
		return nil, a.Unsubscribe(ctx, r.SubscriptionArn)
	case "GetSubscriptionAttributes", "SetSubscriptionAttributes":
		s, err := a.Subscription(r.SubscriptionArn)
		if err != nil {
			return nil, err
		}
		if operation == "SetSubscriptionAttributes" {
			return nil, s.SetAttribute(r.AttributeName, r.AttributeValue)
		}
		attributes, err := s.Attributes()
		return suite.TopicAttributes{Attributes: attributes}, err
	case "Publish":
		p, err := a.publish(ctx, r)
		return published(p), err
	case "CreatePlatformApplication":
		arn, err := a.CreatePlatformApplication(r.Name, r.Platform, r.Attributes)
		return map[string]string{"PlatformApplicationArn": arn}, err
	case "GetPlatformApplicationAttributes":
		attributes, err := a.PlatformApplicationAttributes(r.PlatformApplicationArn)
		return suite.TopicAttributes{Attributes: attributes}, err
	case "CreatePlatformEndpoint":
		attributes := map[string]string{}
		if r.CustomUserData != "" {
			attributes["CustomUserData"] = r.CustomUserData
		}
		for name, value := range r.Attributes {
			attributes[name] = value
		}
		arn, err := a.CreatePlatformEndpoint(r.PlatformApplicationArn, r.Token, attributes)
		return map[string]string{"EndpointArn": arn}, err
	case "GetEndpointAttributes":
		attributes, err := a.EndpointAttributes(r.EndpointArn)
		return suite.TopicAttributes{Attributes: attributes}, err
	case "SetEndpointAttributes":
		return nil, a.SetEndpointAttributes(r.EndpointArn, r.Attributes)
	case "DeleteEndpoint":
		return nil, a.DeleteEndpoint(r.EndpointArn)
	case "SetSMSAttributes":
		return nil, a.SetSMSAttributes(r.Attributes)
	case "OptInPhoneNumber":
		return nil, a.OptIn(r.PhoneNumber)
	}
	return a.onTopic(ctx, operation, r)
}

func (a overAccount) publish(ctx context.Context, r *topicRequest) (topic.Published, error) {
	if r.PhoneNumber != "" {
		return a.PublishSMS(ctx, r.PhoneNumber, r.message())
	}
	return a.Account.Publish(ctx, r.TopicArn+r.TargetArn, r.message())
}

// onTopic carries out the operations on one topic.
func (a overAccount) onTopic(ctx context.Context, operation string, r *topicRequest) (any, error) {
	t, err := a.ByARN(r.TopicArn + r.ResourceArn)
	if err != nil {
		return nil, err
	}
	switch operation {
	case "GetTopicAttributes":
		attributes, err := t.Attributes()
		return suite.TopicAttributes{Attributes: attributes}, err
	case "SetTopicAttributes":
		return nil, t.SetAttribute(r.AttributeName, r.AttributeValue)
	case "ListSubscriptionsByTopic":
		page, next, err := t.Subscriptions(r.NextToken)
		list := suite.SubscriptionList{NextToken: next}
		for _, s := range page {
			list.Subscriptions = append(list.Subscriptions, suite.ListedSubscription{SubscriptionArn: s.ARN(), Protocol: s.Protocol(), Endpoint: s.Endpoint()})
		}
		return list, err
	case "AddPermission":
		return nil, t.AddPermission(r.Label, r.AWSAccountId, r.ActionName)
	case "RemovePermission":
		return nil, t.RemovePermission(r.Label)
	case "GetDataProtectionPolicy":
		policy, err := t.DataProtectionPolicy()
		return suite.ProtectionPolicy{DataProtectionPolicy: policy}, err
	case "PutDataProtectionPolicy":
		return nil, t.SetDataProtectionPolicy(r.DataProtectionPolicy)
	case "PublishBatch":
		var ms []topic.Message
		for i := range r.PublishBatchRequestEntries {
			ms = append(ms, r.PublishBatchRequestEntries[i].message())
		}
		all, err := t.PublishBatch(ctx, ms)
		var list suite.PublishedBatch
		for _, p := range all {
			list.Successful = append(list.Successful, published(p))
		}
		return list, err
	}
	return nil, fmt.Errorf("bug: no operation %s", operation)
}
