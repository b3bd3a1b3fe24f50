package snsapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"example.com/inq/internal/wire"
	"example.com/inq/topic"
)

// maxAttributes is more than any resource has.
const maxAttributes = 100

// given checks a required parameter that is a single value (SNS: WIRE-12).
func given(name string, value *string) (string, error) {
	if value == nil {
		return "", missing(name)
	}
	return *value, nil
}

// text is a parameter that may be absent.
func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

// attributes are those of a request; all of them, or the request is refused.
func attributes(in map[string]*string) (map[string]string, error) {
	if len(in) > maxAttributes {
		return nil, wire.Faultf(kindInvalidParameter, "Invalid parameter: Attributes Reason: there are more than %d", maxAttributes)
	}
	out := make(map[string]string, len(in))
	for name, value := range in {
		out[name] = text(value)
	}
	return out, nil
}

type tagInput struct{ Key, Value *string }

// tagOutput has its value also where that is empty.
type tagOutput struct{ Key, Value *string }

// maxTags is how many tags a resource can have (SNS: section 16).
const maxTags = 50

// tags are those of a request (SNS: TAG-1, TAG-2).
func (c call) tags(in []tagInput) (map[string]string, error) {
	out := make(map[string]string, len(in))
	for i, t := range in {
		switch {
		case t.Key == nil:
			return nil, null(fmt.Sprintf("tags.%d.member.key", i+1))
		case t.Value == nil:
			return nil, null(fmt.Sprintf("tags.%d.member.value", i+1))
		}
		if _, twice := out[*t.Key]; twice {
			return nil, wire.Faultf(kindInvalidParameter, "Invalid parameter: Duplicated keys are not allowed.")
		}
		out[*t.Key] = *t.Value
	}
	if c.Left() > 0 {
		return nil, wire.Faultf(kindTagLimit, "Could not complete request: tag quota of per resource exceeded")
	}
	return out, nil
}

type createTopicRequest struct {
	Name                 *string
	Attributes           map[string]*string `query:"Attributes.entry,key,value"`
	Tags                 []tagInput         `query:"Tags.member"`
	DataProtectionPolicy *string
}

type topicResult struct{ TopicArn string }

func (c call) createTopic(in *createTopicRequest) (*topicResult, error) {
	name, err := given("Name", in.Name)
	if err != nil {
		return nil, err
	}
	attributes, err := attributes(in.Attributes)
	if err != nil {
		return nil, err
	}
	tags, err := c.tags(in.Tags)
	if err != nil {
		return nil, err
	}
	if in.DataProtectionPolicy == nil || *in.DataProtectionPolicy == "" {
		t, err := c.account.CreateTopic(c.Context(), name, attributes, tags)
		if err != nil {
			return nil, err
		}
		return &topicResult{t.ARN()}, nil
	}
	return c.createProtectedTopic(name, *in.DataProtectionPolicy, attributes, tags)
}

// createProtectedTopic creates a topic with a data protection policy, which counts as an attribute where
// the topic exists (SNS: TOP-3, TOP-14).
func (c call) createProtectedTopic(name, policy string, attributes, tags map[string]string) (*topicResult, error) {
	var wanted, is map[string]any
	if len(policy) > 30<<10 || json.Unmarshal([]byte(policy), &wanted) != nil || wanted == nil {
		return nil, invalid("DataProtectionPolicy", "must be a JSON object of at most 30720 bytes")
	}
	_, err := c.account.Topic(name)
	existed := err == nil
	t, err := c.account.CreateTopic(c.Context(), name, attributes, tags)
	if err != nil {
		return nil, err
	}
	if existed {
		text, err := t.DataProtectionPolicy()
		if err != nil {
			return nil, err
		}
		if json.Unmarshal([]byte(text), &is) != nil || !reflect.DeepEqual(is, wanted) {
			return nil, wire.Faultf(kindInvalidParameter, "Invalid parameter: Attributes Reason: Topic already exists with different attributes")
		}
		return &topicResult{t.ARN()}, nil
	}
	if err := t.SetDataProtectionPolicy(policy); err != nil {
		return nil, err
	}
	return &topicResult{t.ARN()}, nil
}

type topicRequest struct{ TopicArn *string }

func (c call) deleteTopic(in *topicRequest) error {
	arn, err := given("TopicArn", in.TopicArn)
	if err != nil {
		return err
	}
	return c.account.DeleteTopic(c.Context(), arn)
}

// topic finds the topic that a parameter names.
func (c call) topic(name string, arn *string) (*topic.Topic, error) {
	given, err := given(name, arn)
	if err != nil {
		return nil, err
	}
	return c.account.ByARN(given)
}

type pageRequest struct{ NextToken *string }

type listTopicsResult struct {
	Topics    []topicResult `query:"Topics.member"`
	NextToken string
}

func (c call) listTopics(in *pageRequest) (*listTopicsResult, error) {
	page, next, err := c.account.Topics(text(in.NextToken))
	if err != nil {
		return nil, err
	}
	out := &listTopicsResult{Topics: make([]topicResult, len(page)), NextToken: next}
	for i, t := range page {
		out.Topics[i] = topicResult{t.ARN()}
	}
	return out, nil
}

type attributesResult struct {
	Attributes map[string]string `query:"Attributes.entry,key,value"`
}

func (c call) getTopicAttributes(in *topicRequest) (*attributesResult, error) {
	t, err := c.topic("TopicArn", in.TopicArn)
	if err != nil {
		return nil, err
	}
	attributes, err := t.Attributes()
	if err != nil {
		return nil, err
	}
	return &attributesResult{attributes}, nil
}

type setTopicAttributesRequest struct{ TopicArn, AttributeName, AttributeValue *string }

func (c call) setTopicAttributes(in *setTopicAttributesRequest) error {
	t, err := c.topic("TopicArn", in.TopicArn)
	if err != nil {
		return err
	}
	name, err := given("AttributeName", in.AttributeName)
	if err != nil {
		return err
	}
	return t.SetAttribute(name, text(in.AttributeValue))
}

type addPermissionRequest struct {
	TopicArn, Label *string
	AWSAccountId    []string `query:"AWSAccountId.member"`
	ActionName      []string `query:"ActionName.member"`
}

func (c call) addPermission(in *addPermissionRequest) error {
	t, err := c.topic("TopicArn", in.TopicArn)
	if err != nil {
		return err
	}
	label, err := given("Label", in.Label)
	if err != nil {
		return err
	}
	return t.AddPermission(label, in.AWSAccountId, in.ActionName)
}

type removePermissionRequest struct{ TopicArn, Label *string }

func (c call) removePermission(in *removePermissionRequest) error {
	t, err := c.topic("TopicArn", in.TopicArn)
	if err != nil {
		return err
	}
	label, err := given("Label", in.Label)
	if err != nil {
		return err
	}
	return t.RemovePermission(label)
}

type resourceRequest struct{ ResourceArn *string }

type dataProtectionPolicyResult struct{ DataProtectionPolicy *string }

func (c call) getDataProtectionPolicy(in *resourceRequest) (*dataProtectionPolicyResult, error) {
	t, err := c.topic("ResourceArn", in.ResourceArn)
	if err != nil {
		return nil, err
	}
	policy, err := t.DataProtectionPolicy()
	if err != nil {
		return nil, err
	}
	return &dataProtectionPolicyResult{&policy}, nil
}

type putDataProtectionPolicyRequest struct{ ResourceArn, DataProtectionPolicy *string }

func (c call) putDataProtectionPolicy(in *putDataProtectionPolicyRequest) error {
	t, err := c.topic("ResourceArn", in.ResourceArn)
	if err != nil {
		return err
	}
	policy, err := given("DataProtectionPolicy", in.DataProtectionPolicy)
	if err != nil {
		return err
	}
	return t.SetDataProtectionPolicy(policy)
}

type tagResourceRequest struct {
	ResourceArn *string
	Tags        []tagInput `query:"Tags.member"`
}

func (c call) tagResource(in *tagResourceRequest) error {
	arn, err := given("ResourceArn", in.ResourceArn)
	if err != nil {
		return err
	}
	if len(in.Tags) == 0 { // (SNS: WIRE-16)
		return null("tags")
	}
	tags, err := c.tags(in.Tags)
	if err != nil {
		return err
	}
	return c.account.SetTags(c.Context(), arn, tags)
}

type untagResourceRequest struct {
	ResourceArn *string
	TagKeys     []string `query:"TagKeys.member"`
}

func (c call) untagResource(in *untagResourceRequest) error {
	arn, err := given("ResourceArn", in.ResourceArn)
	if err != nil {
		return err
	}
	if len(in.TagKeys) == 0 {
		return null("tagKeys")
	}
	return c.account.RemoveTags(c.Context(), arn, in.TagKeys...)
}

type listTagsResult struct {
	Tags []tagOutput `query:"Tags.member"`
}

func (c call) listTagsForResource(in *resourceRequest) (*listTagsResult, error) {
	arn, err := given("ResourceArn", in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := c.account.Tags(c.Context(), arn)
	if err != nil {
		return nil, err
	}
	out := &listTagsResult{Tags: []tagOutput{}}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		value := tags[key]
		out.Tags = append(out.Tags, tagOutput{&key, &value})
	}
	return out, nil
}
