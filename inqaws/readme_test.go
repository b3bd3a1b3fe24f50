package inqaws_test

import (
	"context"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqaws"
	"example.com/inq/inqtest"
	"example.com/inq/sqsapi"
)

// TestReadme_ShowsCodeOfThisFile keeps what the README says about the SDK what runs here.
func TestReadme_ShowsCodeOfThisFile(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	own, err := os.ReadFile("readme_test.go")
	require.NoError(t, err)
	found := 0
	for _, block := range strings.Split(string(readme), "```go\n")[1:] {
		code, _, _ := strings.Cut(block, "```")
		if strings.Contains(code, "inqaws.") {
			found++
			require.Contains(t, string(own), code)
		}
	}
	require.Equal(t, 3, found)
}

func TestAJobOfACrashedWorkerComesBackAfterTwelveHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, began := t.Context(), time.Now()
		broker, err := inq.NewBroker()
		require.NoError(t, err)
		defer broker.Close()
		client := inqaws.NewClient(broker) // a *sqs.Client
		jobs, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("jobs")})
		require.NoError(t, err)
		_, err = client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: jobs.QueueUrl, MessageBody: aws.String("job")})
		require.NoError(t, err)
		poll := &sqs.ReceiveMessageInput{QueueUrl: jobs.QueueUrl, WaitTimeSeconds: 20, VisibilityTimeout: 43200}
		_, err = client.ReceiveMessage(ctx, poll) // a worker takes it and crashes
		require.NoError(t, err)
		time.Sleep(12*time.Hour - 5*time.Second)
		again, err := client.ReceiveMessage(ctx, poll) // waits for five seconds
		require.NoError(t, err)
		require.Equal(t, "job", *again.Messages[0].Body)
		require.Equal(t, 12*time.Hour, time.Since(began)) // exactly, and no real time has passed
	})
}

// ship is the service: it takes orders from a queue, and deletes what is shipped.
func ship(ctx context.Context, client *sqs.Client, url string) error {
	for {
		out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
		for i := 0; err == nil && i < len(out.Messages); i++ {
			_, err = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: out.Messages[i].ReceiptHandle})
		}
		if err != nil { // the SDK has tried three times
			return err
		}
	}
}

func TestEveryOrderIsShipped(t *testing.T) {
	for _, faults := range [][]inqtest.Rule{nil, {inqtest.On().Every(3).Do(inqtest.LoseAnswer)}} { // first without any
		synctest.Test(t, func(t *testing.T) {
			s := inqtest.New(t, inqtest.Strict())
			s.Faults(1, faults...)
			orders := s.Standard("orders", inq.WithDeadLetter(s.Standard("orders-dead"), 3))
			client, url := sqs.NewFromConfig(inqaws.Config(s.HTTPClient())), s.QueueURL("orders")
			for _, order := range []string{"a book", "a lamp", "a pen"} {
				_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &order})
				require.NoError(t, err)
			}
			go ship(t.Context(), client, url)
			inqtest.WaitDrained(t, orders)
			s.Log().Wait(1, inqtest.Deleted, inqtest.Body("a pen"))
			s.Log().Never(inqtest.DeadLettered)
		})
	}
}

// clientOf is what the README shows for a server; cfg stands for what config.LoadDefaultConfig
// returns.
func clientOf(cfg aws.Config, endpoint string) *sqs.Client {
	client := sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		o.BaseEndpoint = aws.String(endpoint)
		o.HTTPClient = inqaws.NewHTTPClient(nil)
	})
	return client
}

func TestReadme_TheClientOfAServerWorks(t *testing.T) {
	broker, err := inq.NewBroker()
	require.NoError(t, err)
	defer broker.Close()
	server := httptest.NewServer(sqsapi.NewHandler(broker, sqsapi.Options{}))
	defer server.Close()
	key := func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "inq", SecretAccessKey: "inq"}, nil
	}
	client := clientOf(aws.Config{Region: "us-east-1", Credentials: aws.CredentialsProviderFunc(key)}, server.URL)
	jobs, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("jobs")})
	require.NoError(t, err)
	require.Equal(t, broker.QueueURL(server.URL, "jobs"), *jobs.QueueUrl)
}
