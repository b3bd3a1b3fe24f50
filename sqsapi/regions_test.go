package sqsapi

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// signedFor gives a request the scope of a signature.
func signedFor(region string, req *http.Request) *http.Request {
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260131/"+region+"/sqs/aws4_request, SignedHeaders=host, Signature=00")
	return req
}

func TestRegions_AreApartOnOneHandler(t *testing.T) {
	c := newClient(t)
	others := map[string]*inq.Broker{}
	var answers []Answer
	c.rt = NewRoundTripper(NewHandler(c.broker, Options{
		Regions: func(region string, create bool) (*inq.Broker, error) {
			if create && len(others) == 1 && others[region] == nil {
				return nil, &inq.ParamError{Err: inq.ErrOverLimit, Param: "Queues", Value: 2, Max: 1}
			}
			if create && others[region] == nil {
				b, err := inq.NewBroker(inq.WithRegion(region))
				if err != nil {
					return nil, err
				}
				t.Cleanup(func() { _ = b.Close() })
				others[region] = b
			}
			return others[region], nil
		},
		Answered: func(_ *http.Request, a Answer) { answers = append(answers, a) },
	}))
	c.standard("q")
	list := func(region string) string { return c.do(signedFor(region, jsonRequest("ListQueues", `{}`))).ok() }
	assert.Contains(t, list("us-east-1"), `/q"`)
	assert.Equal(t, `{}`, list("eu-west-1"))
	c.do(signedFor("eu-west-1", jsonRequest("GetQueueUrl", `{"QueueName":"q"}`))).fails(400, sdkError+"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", textNoQueue)
	assert.Empty(t, others, "only a create makes a region")
	assert.Equal(t, "eu-west-1", answers[len(answers)-1].Region)

	c.do(signedFor("eu-west-1", jsonRequest("CreateQueue", `{"QueueName":"q"}`))).ok()
	c.do(signedFor("eu-west-1", jsonRequest("SendMessage", `{"QueueUrl":"q","MessageBody":"b"}`))).ok()
	assert.Contains(t, c.do(signedFor("eu-west-1", jsonRequest("GetQueueAttributes", `{"QueueUrl":"q","AttributeNames":["QueueArn"]}`))).ok(), "arn:aws:sqs:eu-west-1:000000000000:q")
	assert.Empty(t, c.receive("q", ""), "unsigned requests have the region of the broker")
	q, err := others["eu-west-1"].Queue("q")
	require.NoError(t, err)
	assert.Equal(t, 1, q.Stats().Visible)

	c.do(signedFor("ap-south-1", jsonRequest("CreateQueue", `{"QueueName":"q"}`))).fails(403, sdkError+"OverLimit", "OverLimit", "2 queues exist, maximum allowed is 1.")
	assert.Equal(t, 400, c.do(signedFor("NO REGION", jsonRequest("ListQueues", `{}`))).status)
}

func TestRegions_WithoutTheOptionThereIsOne(t *testing.T) {
	c := newClient(t)
	c.do(signedFor("eu-west-1", jsonRequest("CreateQueue", `{"QueueName":"q"}`))).ok()
	c.send("q", "b")
}
