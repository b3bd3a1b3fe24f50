package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// api is a service without a socket.
type api struct {
	*testing.T
	handler http.Handler
	regions *regions
	log     *locked
}

func newAPI(t *testing.T, c *config) *api {
	t.Helper()
	b, err := inq.NewBroker()
	require.NoError(t, err)
	a := &api{T: t, log: new(locked)}
	s := testService(t, b, slog.New(slog.NewTextHandler(a.log, nil)), c)
	a.handler, a.regions = s.server.Handler, s.regions
	t.Cleanup(func() {
		s.regions.close()
		require.NoError(t, b.Close())
	})
	return a
}

// do serves a request signed for a region, or not signed, and returns status and answer.
func (a *api) do(region, service string, req *http.Request) (int, string) {
	if region != "" {
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260131/"+region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=00")
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, req)
	text, _ := io.ReadAll(w.Body)
	return w.Code, string(text)
}

func (a *api) sqs(region, operation, body string) (int, string) {
	req := httptest.NewRequest(http.MethodPost, "http://localhost:9324/", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	return a.do(region, "sqs", req)
}

func (a *api) sns(region, action string, parameters ...string) (int, string) {
	form := url.Values{"Action": {action}, "Version": {"2010-03-31"}}
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		form.Set(name, value)
	}
	req := httptest.NewRequest(http.MethodPost, "http://localhost:9324/", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return a.do(region, "sns", req)
}

func TestRegions_HaveQueuesAndTopicsOfTheirOwn(t *testing.T) {
	a := newAPI(t, new(config))
	const east, west = "us-east-1", "eu-west-1"
	for _, region := range []string{east, west} {
		status, text := a.sqs(region, "CreateQueue", `{"QueueName":"q"}`)
		require.Equal(t, 200, status, text)
		status, text = a.sns(region, "CreateTopic", "Name=t")
		require.Equal(t, 200, status, text)
		assert.Contains(t, text, "arn:aws:sns:"+region+":000000000000:t")
		_, text = a.sqs(region, "SendMessage", `{"QueueUrl":"q","MessageBody":"in `+region+`"}`)
		assert.Contains(t, text, "MD5OfMessageBody")
	}
	for _, region := range []string{west, east} {
		_, text := a.sqs(region, "ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":10}`)
		assert.Equal(t, 1, strings.Count(text, `"Body":"in `+region+`"`), text)
		assert.Equal(t, 1, strings.Count(text, `"Body"`), text)
		_, text = a.sqs(region, "GetQueueAttributes", `{"QueueUrl":"q","AttributeNames":["QueueArn"]}`)
		assert.Contains(t, text, "arn:aws:sqs:"+region+":000000000000:q")
	}
	_, text := a.sqs("", "GetQueueAttributes", `{"QueueUrl":"q","AttributeNames":["QueueArn"]}`)
	assert.Contains(t, text, east, "that of -region")
}

func TestRegions_ATopicReachesAQueueInAnother(t *testing.T) {
	a := newAPI(t, new(config))
	_, _ = a.sqs("eu-west-1", "CreateQueue", `{"QueueName":"q"}`)
	_, _ = a.sns("us-east-1", "CreateTopic", "Name=t")
	status, text := a.sns("us-east-1", "Subscribe", "TopicArn=arn:aws:sns:us-east-1:000000000000:t", "Protocol=sqs", "Endpoint=arn:aws:sqs:eu-west-1:000000000000:q")
	require.Equal(t, 200, status, text)
	status, text = a.sns("us-east-1", "Publish", "TopicArn=arn:aws:sns:us-east-1:000000000000:t", "Message=hello")
	require.Equal(t, 200, status, text)
	_, text = a.sqs("eu-west-1", "ReceiveMessage", `{"QueueUrl":"q"}`)
	assert.Contains(t, text, "hello")
}

func TestRegions_OnlyACreateMakesOne(t *testing.T) {
	a := newAPI(t, new(config))
	for i := range 100 {
		region := fmt.Sprintf("xx-test-%d", i)
		_, text := a.sqs(region, "ListQueues", `{}`)
		assert.Equal(t, "{}", text)
		_, text = a.sns(region, "ListTopics")
		assert.Contains(t, text, "<Topics/>")
	}
	assert.Len(t, a.regions.list(), 1)
	var creates sync.WaitGroup
	for i := range 100 {
		creates.Go(func() {
			region := fmt.Sprintf("xx-test-%d", i)
			if i%2 == 0 {
				_, _ = a.sqs(region, "CreateQueue", `{"QueueName":"q"}`)
			} else {
				_, _ = a.sns(region, "CreateTopic", "Name=t")
			}
		})
	}
	creates.Wait()
	assert.Len(t, a.regions.list(), maxRegions)
	status, text := a.sqs("one-more", "CreateQueue", `{"QueueName":"q"}`)
	assert.Equal(t, 403, status)
	assert.Contains(t, text, "64 regions exist, and no more are allowed.")
	status, text = a.sns("one-more", "CreateTopic", "Name=t")
	assert.Equal(t, 403, status)
	assert.Contains(t, text, "<Code>TopicLimitExceeded</Code>")
	for _, create := range []func() (int, string){
		func() (int, string) { return a.sqs("NO REGION", "CreateQueue", `{"QueueName":"q"}`) },
		func() (int, string) { return a.sns("NO REGION", "ListTopics") },
	} {
		status, text := create()
		assert.GreaterOrEqual(t, status, 400, text)
		assert.Less(t, status, 500, text)
	}
}

func TestRegions_TheLogTellsWhereAQueueIs(t *testing.T) {
	a := newAPI(t, new(config))
	_, _ = a.sqs("eu-west-1", "CreateQueue", `{"QueueName":"q"}`)
	for range 3 {
		status, _ := a.sqs("us-east-1", "SendMessage", `{"QueueUrl":"http://localhost:9324/000000000000/q","MessageBody":"b"}`)
		assert.Equal(t, 400, status)
		_, _ = a.sqs("us-east-1", "SendMessage", `{"QueueUrl":"nowhere","MessageBody":"b"}`)
	}
	log := a.log.String()
	assert.Equal(t, 1, strings.Count(log, "queue=q region=us-east-1 exists_in=eu-west-1"), log)
	assert.NotContains(t, log, "nowhere")
}

func TestTopics_HTTPEndpointIsAskedConfirmedAndServed(t *testing.T) {
	p := start(t)
	notifications := make(chan map[string]string, 10)
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var n map[string]string
		if assert.NoError(t, json.NewDecoder(r.Body).Decode(&n)) {
			notifications <- n
		}
	}))
	defer endpoint.Close()
	post := func(parameters string) string {
		resp, err := p.client.Post(p.url, "application/x-www-form-urlencoded", strings.NewReader(parameters))
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode, string(text))
		return string(text)
	}
	const arn = "arn:aws:sns:us-east-1:000000000000:t"
	post("Action=CreateTopic&Name=t")
	post("Action=Subscribe&TopicArn=" + arn + "&Protocol=http&Endpoint=" + url.QueryEscape(endpoint.URL))
	asked := <-notifications
	assert.Equal(t, "SubscriptionConfirmation", asked["Type"])
	for _, link := range []string{asked["SubscribeURL"], asked["SigningCertURL"]} {
		assert.True(t, strings.HasPrefix(link, p.url+"/"), link)
		resp, err := p.client.Get(link)
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		_ = resp.Body.Close()
	}
	post("Action=Publish&TopicArn=" + arn + "&Message=hello")
	assert.Equal(t, "hello", (<-notifications)["Message"])
	p.stop()
	require.NoError(t, <-p.ended)
}

func TestService_EndsDeliveriesWhenItStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where a goroutine that is left fails the test
		s := newBench(t, slog.LevelInfo)
		conn := s.pipes.dial(t)
		post := func(body string) {
			write(t, conn, fmt.Sprintf("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
			status, text := answer(t, conn)
			require.Equal(t, 200, status, text)
		}
		post("Action=CreateTopic&Name=t")
		post("Action=Subscribe&TopicArn=arn:aws:sns:us-east-1:000000000000:t&Protocol=sqs&Endpoint=arn:aws:sqs:us-east-1:000000000000:none")
		post("Action=Publish&TopicArn=arn:aws:sns:us-east-1:000000000000:t&Message=m")
		require.NoError(t, conn.Close())
		s.ended()
	})
}
