package snsapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTopics_AreMadeListedAndDeleted(t *testing.T) {
	c := newClient(t)
	assert.Equal(t, `<ListTopicsResponse`+xmlns+`><ListTopicsResult><Topics/></ListTopicsResult><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></ListTopicsResponse>`,
		c.call("ListTopics").ok())
	assert.Equal(t, `<CreateTopicResponse`+xmlns+`><CreateTopicResult><TopicArn>`+arn+`orders</TopicArn></CreateTopicResult>`+
		`<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></CreateTopicResponse>`, c.call("CreateTopic", "Name=orders").ok())
	c.topic("o.fifo", "Attributes.entry.1.key=FifoTopic", "Attributes.entry.1.value=true")
	assert.Contains(t, c.call("ListTopics").ok(), `<Topics><member><TopicArn>`+arn+`orders</TopicArn></member><member><TopicArn>`+arn+`o.fifo</TopicArn></member></Topics></ListTopicsResult>`)
	attributes := c.call("GetTopicAttributes", "TopicArn="+arn+"o.fifo").ok()
	assert.Contains(t, attributes, `<Attributes><entry><key>ContentBasedDeduplication</key><value>false</value></entry><entry><key>DisplayName</key><value></value></entry>`)
	assert.Contains(t, attributes, `<entry><key>FifoTopic</key><value>true</value></entry>`)
	assert.Equal(t, `<SetTopicAttributesResponse`+xmlns+`><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></SetTopicAttributesResponse>`,
		c.call("SetTopicAttributes", "TopicArn="+arn+"orders", "AttributeName=DisplayName", "AttributeValue=a<b").ok())
	assert.Contains(t, c.call("GetTopicAttributes", "TopicArn="+arn+"orders").ok(), `<key>DisplayName</key><value>a&lt;b</value>`)
	for range 2 {
		c.call("DeleteTopic", "TopicArn="+arn+"orders").ok()
	}
	c.call("GetTopicAttributes", "TopicArn="+arn+"orders").fails(404, "NotFound", "Topic does not exist")
}

func TestTopics_PagesOfAHundred(t *testing.T) {
	c := newClient(t)
	for i := range 101 {
		c.topic(fmt.Sprint("t", i))
	}
	first := c.call("ListTopics")
	assert.Equal(t, 100, strings.Count(first.body, "<member>"))
	rest := c.call("ListTopics", "NextToken="+first.value("NextToken"))
	assert.Equal(t, 1, strings.Count(rest.body, "<member>"))
	assert.NotContains(t, rest.body, "NextToken")
	c.call("ListTopics", "NextToken=x").invalid("Invalid parameter: NextToken")
}

func TestTopics_WhatIsRefused(t *testing.T) {
	c := newClient(t)
	c.topic("t")
	c.call("CreateTopic").invalid("Invalid parameter: Name Reason: no value for required parameter")
	c.call("CreateTopic", "Name=a b").invalid("Invalid parameter: Topic Name")
	c.call("CreateTopic", "Name=t", "Attributes.entry.1.key=DisplayName", "Attributes.entry.1.value=x").
		invalid("Invalid parameter: Attributes Reason: Topic already exists with different attributes")
	c.call("CreateTopic", "Name=t", "Attributes.entry.1.key=DisplayName").invalid("Invalid parameter: Attributes.value Reason: no value for required parameter")
	var many []string
	for i := range maxAttributes + 20 {
		many = append(many, fmt.Sprintf("Attributes.entry.%d.key=a%d", i+1, i), fmt.Sprintf("Attributes.entry.%d.value=x", i+1))
	}
	c.call("CreateTopic", append(many, "Name=n")...).invalid("Invalid parameter: Attributes Reason: there are more than 100")
	c.call("DeleteTopic").invalid("Invalid parameter: TopicArn Reason: no value for required parameter")
	c.call("DeleteTopic", "TopicArn=").invalid("Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1")
	c.call("GetTopicAttributes", "TopicArn=arn:aws:sns:eu-west-1:123456789012:t").invalid("Invalid parameter: TopicArn")
	c.call("SetTopicAttributes", "TopicArn="+arn+"t").invalid("Invalid parameter: AttributeName Reason: no value for required parameter")
	c.call("SetTopicAttributes", "TopicArn="+arn+"t", "AttributeName=FifoTopic").invalid("Invalid parameter: AttributeName")
	assert.Equal(t, 1, strings.Count(c.call("ListTopics").body, "<member>"))
}

func TestTags(t *testing.T) {
	c := newClient(t)
	c.topic("t", "Tags.member.1.Key=a", "Tags.member.1.Value=1", "Tags.member.2.Key=b", "Tags.member.2.Value=")
	on := "ResourceArn=" + arn + "t"
	const two = `<Tags><member><Key>a</Key><Value>1</Value></member><member><Key>b</Key><Value></Value></member></Tags>`
	assert.Contains(t, c.call("ListTagsForResource", on).ok(), two)
	c.call("TagResource", on, "Tags.member.1.Key=c", "Tags.member.1.Value=1", "Tags.member.2.Key=c", "Tags.member.2.Value=2").
		invalid("Invalid parameter: Duplicated keys are not allowed.")
	const null = "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null"
	c.call("TagResource", on, "Tags=").fails(400, "ValidationError", fmt.Sprintf(null, "tags"))
	c.call("TagResource", on, "Tags.member.1.Key=c").fails(400, "ValidationError", fmt.Sprintf(null, "tags.1.member.value"))
	c.call("UntagResource", on).fails(400, "ValidationError", fmt.Sprintf(null, "tagKeys"))
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprintf("Tags.member.%d.Key=k%d", i+1, i), fmt.Sprintf("Tags.member.%d.Value=", i+1))
	}
	c.call("TagResource", append(many, on)...).fails(400, "TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
	c.call("CreateTopic", append(many, "Name=many")...).fails(400, "TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
	assert.Contains(t, c.call("ListTagsForResource", on).ok(), two, "a refused call changes nothing")
	assert.Equal(t, `<TagResourceResponse`+xmlns+`><TagResourceResult/><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></TagResourceResponse>`,
		c.call("TagResource", on, "Tags.member.1.Key=a", "Tags.member.1.Value=2").ok())
	c.call("UntagResource", on, "TagKeys.member.1=a", "TagKeys.member.2=b", "TagKeys.member.3=none").ok()
	assert.Contains(t, c.call("ListTagsForResource", on).ok(), `<ListTagsForResourceResult><Tags/></ListTagsForResourceResult>`)
	c.call("ListTagsForResource", "ResourceArn="+arn+"none").fails(404, "ResourceNotFound", "Resource does not exist")
}

func TestPermissionsAndPolicies(t *testing.T) {
	c := newClient(t)
	on := "TopicArn=" + c.topic("t")
	c.call("AddPermission", on, "Label=l", "AWSAccountId.member.1=111111111111", "ActionName.member.1=Publish").ok()
	assert.Contains(t, c.call("GetTopicAttributes", on).ok(), "arn:aws:iam::111111111111:root")
	c.call("AddPermission", on, "Label=l", "AWSAccountId.member.1=111111111111", "ActionName.member.1=Publish").invalid("Invalid parameter: Statement already exists")
	c.call("AddPermission", on, "Label=m").invalid("Invalid parameter: AWSAccountId Reason: no value for required parameter")
	c.call("RemovePermission", on, "Label=l").ok()
	assert.NotContains(t, c.call("GetTopicAttributes", on).ok(), "arn:aws:iam::111111111111:root")

	resource := "ResourceArn=" + arn + "t"
	assert.Contains(t, c.call("GetDataProtectionPolicy", resource).ok(), "<DataProtectionPolicy></DataProtectionPolicy>")
	c.call("PutDataProtectionPolicy", resource, `DataProtectionPolicy={"Name":"p"}`).ok()
	assert.Contains(t, c.call("GetDataProtectionPolicy", resource).ok(), "{&quot;Name&quot;:&quot;p&quot;}")
	c.topic("t", `DataProtectionPolicy={ "Name":"p" }`)
	c.call("CreateTopic", "Name=t", `DataProtectionPolicy={"Name":"q"}`).invalid("Invalid parameter: Attributes Reason: Topic already exists with different attributes")
	c.call("CreateTopic", "Name=u", `DataProtectionPolicy=x`).invalid("Invalid parameter: DataProtectionPolicy Reason: must be a JSON object of at most 30720 bytes")
	_, err := c.account.Topic("u")
	require.Error(t, err)
	c.topic("u", `DataProtectionPolicy={"Name":"q"}`)
	assert.Contains(t, c.call("GetDataProtectionPolicy", "ResourceArn="+arn+"u").ok(), "&quot;q&quot;")
}
