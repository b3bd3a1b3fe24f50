package inqaws

import (
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/sqsapi"
)

func TestRegions_TwoClientsOnOneEndpoint(t *testing.T) {
	home, other := newBroker(t), newBroker(t, inq.WithRegion("eu-west-1"))
	server := httptest.NewServer(sqsapi.NewHandler(home, sqsapi.Options{Regions: func(region string, _ bool) (*inq.Broker, error) {
		if region == other.Region() {
			return other, nil
		}
		return nil, nil
	}}))
	defer server.Close()
	var clients sync.WaitGroup
	for _, b := range []*inq.Broker{home, other} {
		clients.Go(func() {
			client := sqs.New(sqs.Options{Region: b.Region(), BaseEndpoint: &server.URL, Credentials: aws.CredentialsProviderFunc(anyCredentials), HTTPClient: NewHTTPClient(server.Client())})
			created, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
			if !assert.NoError(t, err) {
				return
			}
			_, err = client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: created.QueueUrl, MessageBody: aws.String(b.Region())})
			assert.NoError(t, err)
		})
	}
	clients.Wait()
	for _, b := range []*inq.Broker{home, other} {
		q, err := b.Queue("q")
		require.NoError(t, err)
		ds, err := q.Receive(t.Context(), inq.ReceiveInput{Max: 10})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		assert.Equal(t, b.Region(), ds[0].Body)
	}
}
