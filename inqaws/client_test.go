package inqaws

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestNewClient_SpeaksToItsBrokerOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where a goroutine that is left fails the test
		t.Setenv("AWS_REGION", "eu-north-1")
		t.Setenv("AWS_ENDPOINT_URL", "http://somewhere.else")
		one, other := newBroker(t, inq.WithRegion("eu-west-1")), newBroker(t)
		client := NewClient(one)
		assert.Equal(t, "eu-west-1", client.Options().Region)
		created, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("jobs")})
		require.NoError(t, err)
		assert.Equal(t, "http://sqs.invalid/000000000000/jobs", *created.QueueUrl)
		list, err := NewClient(one).ListQueues(t.Context(), &sqs.ListQueuesInput{})
		require.NoError(t, err)
		assert.Equal(t, []string{*created.QueueUrl}, list.QueueUrls)
		list, err = NewClient(other).ListQueues(t.Context(), &sqs.ListQueuesInput{})
		require.NoError(t, err)
		assert.Empty(t, list.QueueUrls)
	})
}

func TestNewClient_AppliesOptionsLast(t *testing.T) {
	b := newBroker(t)
	client := NewClient(b, func(o *sqs.Options) {
		o.BaseEndpoint = aws.String("https://queues.test")
		o.Retryer = retry.NewStandard()
	})
	created, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("jobs")})
	require.NoError(t, err)
	assert.Equal(t, "https://queues.test/000000000000/jobs", *created.QueueUrl)
	assert.Equal(t, 3, client.Options().Retryer.MaxAttempts())
	assert.Equal(t, 1, NewClient(b).Options().Retryer.MaxAttempts())
}

func TestNewClient_ValidatesChecksums(t *testing.T) {
	b := newBroker(t)
	local, _ := standard(t, b, "q")
	send(t, local, "right")
	q := NewQueue(NewClient(b, func(o *sqs.Options) {
		next := o.HTTPClient
		o.HTTPClient = clientFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := next.Do(req)
			text, _ := io.ReadAll(resp.Body)
			resp.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(text, []byte(`"right"`), []byte(`"wrong"`))))
			return resp, err
		})
	}), "q")
	_, err := q.Receive(t.Context(), inq.ReceiveInput{})
	assert.ErrorContains(t, err, "invalid checksum")
}

func TestNewClient_HasNoLimitOfItsOwnForWhatAQueueTakes(t *testing.T) {
	b := newBroker(t, inq.WithQueueDefaults(inq.WithoutSQSLimits()))
	_, q := standard(t, b, "q")
	body := strings.Repeat("x", 5<<20)
	send(t, q, body)
	assert.Len(t, receive(t, q)[0].Body, len(body))
	_, err := q.SendBatch(t.Context(), func() (ms []inq.Message) {
		for range 25 {
			ms = append(ms, inq.Message{Body: "a"})
		}
		return ms
	}())
	require.NoError(t, err)
	ds, err := q.Receive(t.Context(), inq.ReceiveInput{Max: 25})
	require.NoError(t, err)
	assert.Len(t, ds, 25)
}

func TestNewClient_ALongPollIsVirtualInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := standard(t, newBroker(t), "q")
		began := time.Now()
		for range 100 {
			ds, err := q.Receive(t.Context(), inq.ReceiveInput{Wait: 20 * time.Second})
			require.NoError(t, err)
			require.Empty(t, ds)
		}
		assert.Equal(t, 2000*time.Second, time.Since(began))
	})
}
