package sqsapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func (r reply) queueDoesNotExist() {
	r.t.Helper()
	r.fails(400, sdkError+"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
}

func TestCreateQueue_AnswersInBothProtocols(t *testing.T) {
	c := newClient(t, inq.WithRegion("eu-west-1"), inq.WithAccount("123456789012"))
	assert.Equal(t, `{"QueueUrl":"http://localhost:9324/123456789012/q"}`,
		c.json("CreateQueue", `{'QueueName':'q','Attributes':{'VisibilityTimeout':'10','DelaySeconds':null},'tags':{'team':'a'}}`).ok())
	assert.Equal(t, `<?xml version="1.0"?><CreateQueueResponse`+xmlns+`><CreateQueueResult><QueueUrl>http://localhost:9324/123456789012/q.fifo</QueueUrl></CreateQueueResult>`+
		metadata+`</CreateQueueResponse>`,
		c.query(base+"/", "CreateQueue", "QueueName=q.fifo", "Attribute.1.Name=FifoQueue", "Attribute.1.Value=true", "Tag.1.Key=k", "Tag.1.Value=").ok())
	assert.Equal(t, `{"Tags":{"team":"a"}}`, c.json("ListQueueTags", `{'QueueUrl':'q'}`).ok())
	assert.Equal(t, `{"Tags":{"k":""}}`, c.json("ListQueueTags", `{'QueueUrl':'q.fifo'}`).ok())
	assert.Equal(t, `{"Attributes":{"QueueArn":"arn:aws:sqs:eu-west-1:123456789012:q","VisibilityTimeout":"10"}}`,
		c.json("GetQueueAttributes", `{'QueueUrl':'q','AttributeNames':['QueueArn','VisibilityTimeout','Policy','FifoQueue']}`).ok())
}

func TestCreateQueue_RefusesWhatIsWrong(t *testing.T) {
	c := newClient(t)
	c.standard("q")
	c.json("CreateQueue", `{}`).invalidParameter("Value for parameter QueueName is invalid. Reason: Must specify a queue name.")
	c.json("CreateQueue", `{'QueueName':''}`).invalidParameter("Queue name cannot be empty")
	for _, name := range []string{"a b", "a/b", "a.fifo", strings.Repeat("x", 81)} {
		c.json("CreateQueue", `{'QueueName':'`+name+`'}`).invalidParameter(textStandardName)
	}
	c.json("CreateQueue", `{'QueueName':'a','Attributes':{'FifoQueue':'True'}}`).invalidParameter(textFIFOName)
	c.json("CreateQueue", `{'QueueName':'q','Attributes':{'DelaySeconds':'1'}}`).fails(400, sdkError+"QueueNameExists", "QueueAlreadyExists",
		"A queue already exists with the same name and a different value for attribute DelaySeconds")
	c.query(base, "CreateQueue", "QueueName=q", "Attribute.1.Name=DelaySeconds", "Attribute.1.Value=1").
		failsQuery(400, "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute DelaySeconds")
	c.query(base, "CreateQueue", "QueueName=q", "Attribute.1.Name=DelaySeconds").failsQuery(400, "MissingParameter", "The request must contain the parameter Attribute.Value.")
	c.query(base, "CreateQueue", "QueueName=q", "Attribute.1.Value=1").failsQuery(400, "MissingParameter", "The request must contain the parameter Attribute.Name.")
	c.json("CreateQueue", `{'QueueName':'r','tags':{'':'x'}}`).invalidParameter("Tag keys must be between 1 and 128 characters in length.")
	c.json("CreateQueue", `{'QueueName':'r','Attributes':{'FifoQueue':'false'}}`).
		fails(400, sdkError+"InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute FifoQueue.")
	c.json("ListQueues", `{'QueueNamePrefix':'r'}`).ok()
}

func TestMGT2_ADeletedNameIsNotFreeFor60Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q")
		assert.Empty(t, c.json("DeleteQueue", `{'QueueUrl':'`+url+`'}`).ok())
		c.json("DeleteQueue", `{'QueueUrl':'`+url+`'}`).queueDoesNotExist()
		c.json("CreateQueue", `{'QueueName':'q'}`).fails(400, sdkError+"QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently",
			"You must wait 60 seconds after deleting a queue before you can create another with the same name.")
		time.Sleep(time.Minute)
		c.json("CreateQueue", `{'QueueName':'q'}`).ok()
		assert.Equal(t, `<?xml version="1.0"?><DeleteQueueResponse`+xmlns+`>`+metadata+`</DeleteQueueResponse>`, c.query(url, "DeleteQueue").ok())
	})
}

func TestMGT4_AQueueIsPurgedOnceIn60Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q")
		c.send(url, "a")
		assert.Equal(t, `{}`, c.json("PurgeQueue", `{'QueueUrl':'`+url+`'}`).ok())
		assert.Empty(t, c.receive(url, ""))
		text := "Only one PurgeQueue operation on q is allowed every 60 seconds."
		c.json("PurgeQueue", `{'QueueUrl':'`+url+`'}`).fails(403, sdkError+"PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", text)
		c.query(url, "PurgeQueue").failsQuery(403, "AWS.SimpleQueueService.PurgeQueueInProgress", text)
		time.Sleep(time.Minute)
		assert.Equal(t, `<?xml version="1.0"?><PurgeQueueResponse`+xmlns+`>`+metadata+`</PurgeQueueResponse>`, c.query(url, "PurgeQueue").ok())
	})
}

func TestMGT8_GetQueueUrl(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	c.standard("other")
	assert.Equal(t, `{"QueueUrl":"`+url+`"}`, c.json("GetQueueUrl", `{'QueueName':'q'}`).ok())
	assert.Equal(t, `{"QueueUrl":"`+url+`"}`, c.json("GetQueueUrl", `{'QueueName':'q','QueueOwnerAWSAccountId':'000000000000'}`).ok())
	assert.Contains(t, c.query(url, "GetQueueUrl", "QueueName=other").ok(), "<GetQueueUrlResult><QueueUrl>http://localhost:9324/000000000000/other</QueueUrl></GetQueueUrlResult>")
	c.json("GetQueueUrl", `{'QueueName':'Q'}`).queueDoesNotExist()
	c.json("GetQueueUrl", `{'QueueName':'q','QueueOwnerAWSAccountId':'111111111111'}`).queueDoesNotExist()
	c.json("GetQueueUrl", `{}`).missingParameter("QueueName")
	c.query(base, "GetQueueUrl", "QueueName=nobody").
		failsQuery(400, "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist for this wsdl version.")
}

func TestMGT5_ListQueuesInPages(t *testing.T) {
	c := newClient(t)
	assert.Equal(t, `{}`, c.json("ListQueues", `{}`).ok())
	assert.Equal(t, `<?xml version="1.0"?><ListQueuesResponse`+xmlns+`><ListQueuesResult/>`+metadata+`</ListQueuesResponse>`, c.query(base, "ListQueues").ok())
	for _, name := range []string{"a1", "a2", "a3", "b1"} {
		c.standard(name)
	}
	url := func(name string) string { return base + "/000000000000/" + name }
	assert.Equal(t, `{"QueueUrls":["`+url("a1")+`","`+url("a2")+`","`+url("a3")+`","`+url("b1")+`"]}`, c.json("ListQueues", `{}`).ok())
	assert.Equal(t, `{"QueueUrls":["`+url("b1")+`"]}`, c.json("ListQueues", `{'QueueNamePrefix':'b'}`).ok())
	assert.Equal(t, `{}`, c.json("ListQueues", `{'QueueNamePrefix':'B'}`).ok())
	assert.Equal(t, `{"QueueUrls":["`+url("a1")+`","`+url("a2")+`","`+url("a3")+`"]}`, c.json("ListQueues", `{'QueueNamePrefix':'a','MaxResults':3}`).ok())

	var page listQueuesResult
	require.NoError(t, json.Unmarshal([]byte(c.json("ListQueues", `{'QueueNamePrefix':'a','MaxResults':2}`).body), &page))
	assert.Equal(t, []string{url("a1"), url("a2")}, page.QueueUrls)
	require.NotEmpty(t, page.NextToken)
	assert.Equal(t, `{"QueueUrls":["`+url("a3")+`"]}`, c.json("ListQueues", `{'QueueNamePrefix':'a','MaxResults':2,'NextToken':'`+page.NextToken+`'}`).ok())
	assert.Contains(t, c.query(base, "ListQueues", "MaxResults=1", "NextToken="+page.NextToken).ok(), "<QueueUrl>"+url("a3")+"</QueueUrl><NextToken>")

	for _, n := range []int{0, -1, 1001} {
		c.json("ListQueues", fmt.Sprintf(`{'MaxResults':%d}`, n)).
			invalidParameter("Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.")
	}
	c.json("ListQueues", `{'MaxResults':1,'NextToken':'nonsense'}`).invalidParameter("Invalid or expired next token.")
	c.json("ListDeadLetterSourceQueues", `{'QueueUrl':'a1','NextToken':'`+page.NextToken+`'}`).invalidParameter("Invalid or expired next token.")
}

func TestMGT5_WithoutMaxResultsThereAreAThousandAndNoToken(t *testing.T) {
	c := newClient(t)
	for i := range 1001 {
		c.standard(fmt.Sprintf("q%04d", i))
	}
	var page listQueuesResult
	require.NoError(t, json.Unmarshal([]byte(c.json("ListQueues", `{}`).body), &page))
	assert.Len(t, page.QueueUrls, 1000)
	assert.Empty(t, page.NextToken)
	page = listQueuesResult{}
	require.NoError(t, json.Unmarshal([]byte(c.json("ListQueues", `{'MaxResults':1000}`).body), &page))
	assert.Len(t, page.QueueUrls, 1000)
	assert.NotEmpty(t, page.NextToken)
}

func TestDLQ9_ListDeadLetterSourceQueues(t *testing.T) {
	c := newClient(t)
	dead := c.standard("dead")
	assert.Equal(t, `{"queueUrls":[]}`, c.json("ListDeadLetterSourceQueues", `{'QueueUrl':'`+dead+`'}`).ok())
	assert.Contains(t, c.query(dead, "ListDeadLetterSourceQueues").ok(), "<ListDeadLetterSourceQueuesResult/>")
	c.jsonOf("CreateQueue", map[string]any{"QueueName": "a", "Attributes": redrivePolicy("dead", 3)}).ok()
	c.jsonOf("CreateQueue", map[string]any{"QueueName": "b", "Attributes": redrivePolicy("dead", 3)}).ok()
	assert.Equal(t, `{"queueUrls":["http://localhost:9324/000000000000/a","http://localhost:9324/000000000000/b"]}`,
		c.json("ListDeadLetterSourceQueues", `{'QueueUrl':'`+dead+`'}`).ok())
	assert.Contains(t, c.query(dead, "ListDeadLetterSourceQueues").ok(), "<ListDeadLetterSourceQueuesResult><QueueUrl>http://localhost:9324/000000000000/a</QueueUrl><QueueUrl>")
	var page listDeadLetterSourceQueuesResult
	require.NoError(t, json.Unmarshal([]byte(c.json("ListDeadLetterSourceQueues", `{'QueueUrl':'dead','MaxResults':1}`).body), &page))
	assert.Len(t, page.QueueUrls, 1)
	assert.Equal(t, `{"queueUrls":["http://localhost:9324/000000000000/b"]}`,
		c.json("ListDeadLetterSourceQueues", `{'QueueUrl':'dead','MaxResults':1,'NextToken':'`+page.NextToken+`'}`).ok())
	c.json("ListDeadLetterSourceQueues", `{'QueueUrl':'dead','MaxResults':1001}`).
		invalidParameter("Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.")
}

func redrivePolicy(queue string, count int) map[string]string {
	return map[string]string{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:%s","maxReceiveCount":%d}`, queue, count)}
}

func TestGetQueueAttributes_AnswersInBothProtocols(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	assert.Equal(t, `{}`, c.json("GetQueueAttributes", `{'QueueUrl':'`+url+`'}`).ok())
	assert.Equal(t, `{}`, c.json("GetQueueAttributes", `{'QueueUrl':'`+url+`','AttributeNames':['Policy']}`).ok())
	assert.Equal(t, `<?xml version="1.0"?><GetQueueAttributesResponse`+xmlns+`><GetQueueAttributesResult>`+
		`<Attribute><Name>DelaySeconds</Name><Value>0</Value></Attribute><Attribute><Name>VisibilityTimeout</Name><Value>30</Value></Attribute></GetQueueAttributesResult>`+
		metadata+`</GetQueueAttributesResponse>`,
		c.query(url, "GetQueueAttributes", "AttributeName.1=VisibilityTimeout", "AttributeName.2=DelaySeconds").ok())
	c.json("GetQueueAttributes", `{'QueueUrl':'`+url+`','AttributeNames':['Foo']}`).
		fails(400, sdkError+"InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute Foo.")
	var all attributesResult
	require.NoError(t, json.Unmarshal([]byte(c.json("GetQueueAttributes", `{'QueueUrl':'`+url+`','AttributeNames':['All']}`).body), &all))
	assert.Len(t, all.Attributes, 12)
}

func TestSetQueueAttributes_RefusesWhatIsWrong(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	set := func(name, value string) reply {
		return c.jsonOf("SetQueueAttributes", map[string]any{"QueueUrl": url, "Attributes": map[string]string{name: value}})
	}
	invalidValue := func(r reply, message string) {
		t.Helper()
		r.fails(400, sdkError+"InvalidAttributeValue", "InvalidAttributeValue", message)
	}
	invalidValue(set("VisibilityTimeout", "43201"), "Invalid value for the parameter VisibilityTimeout.")
	invalidValue(set("VisibilityTimeout", "1.5"), "Invalid value for the parameter VisibilityTimeout. Reason: Must be a whole number of seconds.")
	invalidValue(set("Policy", "{"), "Invalid value for the parameter Policy. Reason: The policy is not a valid JSON map.")
	set("QueueArn", "x").fails(400, sdkError+"InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute QueueArn.")
	set("DeduplicationScope", "queue").fails(400, sdkError+"InvalidAttributeName", "InvalidAttributeName", "You can specify the DeduplicationScope only when FifoQueue is set to true.")
	c.jsonOf("SetQueueAttributes", map[string]any{"QueueUrl": url, "Attributes": map[string]string{"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "true"}}).
		fails(400, sdkError+"InvalidAttributeName", "InvalidAttributeName",
			"You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.")
	set("RedrivePolicy", "{}").invalidParameter("Value {} for parameter RedrivePolicy is invalid. Reason: Redrive policy does not contain mandatory attribute: maxReceiveCount.")
	set("RedrivePolicy", "x").invalidParameter("Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map.")
	missingDead := redrivePolicy("nobody", 1)["RedrivePolicy"]
	set("RedrivePolicy", missingDead).invalidParameter("Value " + missingDead + " for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.")
	set("RedriveAllowPolicy", `{"redrivePermission":"byQueue"}`).invalidParameter(`Value {"redrivePermission":"byQueue"} for parameter RedriveAllowPolicy is invalid. ` +
		`Reason: Amazon SQS can't create the redrive allow policy. When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values.`)
	c.json("SetQueueAttributes", `{'QueueUrl':'`+url+`'}`).missingParameter("Attributes")
	c.json("SetQueueAttributes", `{'QueueUrl':'`+url+`','Attributes':null}`).missingParameter("Attributes")
	c.json("SetQueueAttributes", `{'QueueUrl':'`+url+`','Attributes':{}}`).missingParameter("Attribute.Name") // (SQS: CAP-1)
	c.json("SetQueueAttributes", `{'QueueUrl':'`+url+`','Attributes':{'DelaySeconds':null}}`).missingParameter("Attribute.Name")
	c.query(url, "SetQueueAttributes").failsQuery(400, "MissingParameter", "The request must contain the parameter Attribute.Name.")
	fifo := c.fifo("q.fifo")
	invalidValue(c.json("SetQueueAttributes", `{'QueueUrl':'`+fifo+`','Attributes':{'FifoQueue':'false'}}`),
		"Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
}

func TestLIM6_EncryptionAttributesAreKept(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	get := func() string {
		return c.json("GetQueueAttributes", `{'QueueUrl':'`+url+`','AttributeNames':['KmsMasterKeyId','KmsDataKeyReusePeriodSeconds','SqsManagedSseEnabled']}`).ok()
	}
	assert.Equal(t, `{"Attributes":{"SqsManagedSseEnabled":"true"}}`, get())
	assert.Equal(t, `<?xml version="1.0"?><SetQueueAttributesResponse`+xmlns+`>`+metadata+`</SetQueueAttributesResponse>`,
		c.query(url, "SetQueueAttributes", "Attribute.1.Name=KmsMasterKeyId", "Attribute.1.Value=alias/k", "Attribute.2.Name=KmsDataKeyReusePeriodSeconds", "Attribute.2.Value=60").ok())
	assert.Equal(t, `{"Attributes":{"KmsDataKeyReusePeriodSeconds":"60","KmsMasterKeyId":"alias/k","SqsManagedSseEnabled":"false"}}`, get())
	c.json("SetQueueAttributes", `{'QueueUrl':'`+url+`','Attributes':{'KmsMasterKeyId':'','KmsDataKeyReusePeriodSeconds':'300'}}`).ok()
	assert.Equal(t, `{"Attributes":{"SqsManagedSseEnabled":"false"}}`, get())
}

func TestMGT9_Tags(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	assert.Equal(t, `{}`, c.json("ListQueueTags", `{'QueueUrl':'`+url+`'}`).ok())
	assert.Equal(t, `{}`, c.json("TagQueue", `{'QueueUrl':'`+url+`','Tags':{'a':'1','b':''}}`).ok())
	assert.Equal(t, `<?xml version="1.0"?><TagQueueResponse`+xmlns+`>`+metadata+`</TagQueueResponse>`,
		c.query(url, "TagQueue", "Tag.1.Key=a", "Tag.1.Value=2", "Tag.2.Key=c", "Tag.2.Value=3").ok())
	assert.Equal(t, `{"Tags":{"a":"2","b":"","c":"3"}}`, c.json("ListQueueTags", `{'QueueUrl':'`+url+`'}`).ok())
	assert.Equal(t, `{}`, c.json("UntagQueue", `{'QueueUrl':'`+url+`','TagKeys':['c','nobody']}`).ok())
	assert.Equal(t, `<?xml version="1.0"?><ListQueueTagsResponse`+xmlns+`><ListQueueTagsResult><Tag><Key>a</Key><Value>2</Value></Tag><Tag><Key>b</Key><Value></Value></Tag></ListQueueTagsResult>`+
		metadata+`</ListQueueTagsResponse>`, c.query(url, "ListQueueTags").ok())
	assert.Equal(t, `<?xml version="1.0"?><UntagQueueResponse`+xmlns+`>`+metadata+`</UntagQueueResponse>`, c.query(url, "UntagQueue", "TagKey.1=a", "TagKey.2=b").ok())
	assert.Equal(t, `<?xml version="1.0"?><ListQueueTagsResponse`+xmlns+`><ListQueueTagsResult/>`+metadata+`</ListQueueTagsResponse>`, c.query(url, "ListQueueTags").ok())

	for _, none := range []string{``, `,'Tags':{},'TagKeys':[]`, `,'Tags':null,'TagKeys':null`} { // (SQS: CAP-17)
		c.json("TagQueue", `{'QueueUrl':'`+url+`'`+none+`}`).missingParameter("Tags")
		c.json("UntagQueue", `{'QueueUrl':'`+url+`'`+none+`}`).missingParameter("TagKeys")
	}
	c.json("TagQueue", `{'QueueUrl':'`+url+`','Tags':{'':'x'}}`).invalidParameter("Tag keys must be between 1 and 128 characters in length.")
	many := map[string]string{}
	for i := range 51 {
		many[fmt.Sprint(i)] = ""
	}
	c.jsonOf("TagQueue", map[string]any{"QueueUrl": url, "Tags": many}).invalidParameter("Too many tags added for queue q.")
}

func TestEveryQueueOperation_NeedsAQueueThatExists(t *testing.T) {
	c := newClient(t)
	for name, op := range operations {
		switch name {
		case "CreateQueue", "ListQueues", "GetQueueUrl", "StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask":
			continue
		}
		require.NotNil(t, op)
		c.json(name, `{'QueueUrl':'`+base+`/000000000000/nobody'}`).queueDoesNotExist()
		c.json(name, `{}`).missingParameter("QueueUrl")
		c.json(name, `{'QueueUrl':''}`).missingParameter("QueueUrl")
		c.query(base+"/000000000000/nobody", name).
			failsQuery(400, "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist for this wsdl version.")
		c.query(base, name).failsQuery(400, "MissingParameter", "The request must contain the parameter QueueUrl.")
	}
}

func TestOperations_AreAll23(t *testing.T) { assert.Len(t, operations, 23) }
