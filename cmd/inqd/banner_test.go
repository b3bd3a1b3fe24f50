package main

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const goldenBanner = `inqd serves Amazon SQS and SNS on http://127.0.0.1:4100

Clients want credentials, which are not checked, and a region, each of which has queues and
topics of its own. SDKs of 2024 and later, but not every AWS CLI, take the address from here
as well and need no other setting:

    export AWS_ACCESS_KEY_ID=inq AWS_SECRET_ACCESS_KEY=inq AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1
    export AWS_ENDPOINT_URL_SQS=http://127.0.0.1:4100
    export AWS_ENDPOINT_URL_SNS=http://127.0.0.1:4100

AWS CLI:

    aws sqs create-queue --endpoint-url http://127.0.0.1:4100 --queue-name jobs
    aws sqs send-message --endpoint-url http://127.0.0.1:4100 --queue-url http://127.0.0.1:4100/123456789012/jobs --message-body hello
    aws sqs receive-message --endpoint-url http://127.0.0.1:4100 --queue-url http://127.0.0.1:4100/123456789012/jobs --wait-time-seconds 20
    aws sqs delete-message --endpoint-url http://127.0.0.1:4100 --queue-url http://127.0.0.1:4100/123456789012/jobs --receipt-handle HANDLE

    aws sns create-topic --endpoint-url http://127.0.0.1:4100 --name orders
    aws sqs create-queue --endpoint-url http://127.0.0.1:4100 --queue-name dutch
    aws sns subscribe --endpoint-url http://127.0.0.1:4100 --topic-arn arn:aws:sns:eu-west-1:123456789012:orders --protocol sqs --notification-endpoint arn:aws:sqs:eu-west-1:123456789012:dutch --attributes '{"FilterPolicy":"{\"country\":[\"NL\"]}"}'
    aws sns publish --endpoint-url http://127.0.0.1:4100 --topic-arn arn:aws:sns:eu-west-1:123456789012:orders --message first --message-attributes '{"country":{"DataType":"String","StringValue":"NL"}}'
    aws sns publish --endpoint-url http://127.0.0.1:4100 --topic-arn arn:aws:sns:eu-west-1:123456789012:orders --message second --message-attributes '{"country":{"DataType":"String","StringValue":"DE"}}'
    aws sqs receive-message --endpoint-url http://127.0.0.1:4100 --queue-url http://127.0.0.1:4100/123456789012/dutch

curl:

    curl -d 'Action=CreateQueue&QueueName=jobs' http://127.0.0.1:4100
    curl -d 'Action=SendMessage&MessageBody=hello' http://127.0.0.1:4100/123456789012/jobs
    curl -d 'Action=ReceiveMessage&WaitTimeSeconds=20' http://127.0.0.1:4100/123456789012/jobs
    curl -d 'Action=DeleteMessage' --data-urlencode 'ReceiptHandle=HANDLE' http://127.0.0.1:4100/123456789012/jobs

Go (aws-sdk-go-v2, whose own HTTP client loses large answers of a fast server now and then):

    cfg, err := config.LoadDefaultConfig(ctx)
    client := sqs.NewFromConfig(cfg, func(o *sqs.Options) {
        o.BaseEndpoint, o.HTTPClient = aws.String("http://127.0.0.1:4100"), inqaws.NewHTTPClient(nil)
    })

Python (boto3):

    sqs = boto3.client("sqs", endpoint_url="http://127.0.0.1:4100")

JavaScript (@aws-sdk/client-sqs):

    const sqs = new SQSClient({ endpoint: "http://127.0.0.1:4100" });

Messages end with this process. Ctrl-C stops it.
`

func TestBanner(t *testing.T) {
	assert.Equal(t, goldenBanner, banner("http://127.0.0.1:4100", "http://127.0.0.1:4100", "eu-west-1", "123456789012", "", ""))
}

func TestBanner_HasTheLinesOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, lines, found := strings.Cut(string(readme), "```text\nexport AWS_")
	require.True(t, found)
	lines, _, _ = strings.Cut("export AWS_"+lines, "```")
	text := banner("http://127.0.0.1:9324", "http://127.0.0.1:9324", "us-east-1", "000000000000", "jobs", "")
	for line := range strings.Lines(lines) {
		assert.Contains(t, text, "    "+line)
	}
}

func TestBanner_ShowsAQueueThatExists(t *testing.T) {
	text := banner("http://[::1]:1", "http://[::1]:1", "r", "000000000000", "{base}", "")
	assert.Contains(t, text, "--queue-url http://[::1]:1/000000000000/{base} --message-body")
	assert.NotContains(t, text, "--queue-name {base}")
	assert.NotContains(t, text, "--queue-name jobs")
	assert.NotContains(t, text, "{create}")
}

func TestBanner_ShowsTheURLsOfQueuesAsClientsGetThem(t *testing.T) {
	text := banner("http://127.0.0.1:1", "https://queues.test/sqs", "r", "000000000000", "q", "")
	assert.Contains(t, text, "--endpoint-url http://127.0.0.1:1 --queue-url https://queues.test/sqs/000000000000/q ")
}

func TestBaseURL_IsWhereThisMachineReachesIt(t *testing.T) {
	for _, tt := range []struct {
		ip       string
		want     string
		loopback bool
	}{
		{"127.0.0.1", "http://127.0.0.1:9", true},
		{"::1", "http://[::1]:9", true},
		{"0.0.0.0", "http://localhost:9", false},
		{"::", "http://localhost:9", false},
		{"192.0.2.7", "http://192.0.2.7:9", false},
	} {
		addr := &net.TCPAddr{IP: net.ParseIP(tt.ip), Port: 9}
		assert.Equal(t, tt.want, baseURL(addr))
		assert.Equal(t, tt.loopback, loopback(addr), tt.ip)
	}
}
