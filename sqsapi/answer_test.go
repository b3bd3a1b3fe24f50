package sqsapi

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestAnswered_TellsWhatARequestWasAbout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := inq.NewBroker()
		require.NoError(t, err)
		defer b.Close()
		_, err = b.CreateStandard("q")
		require.NoError(t, err)
		var got []Answer
		rt := NewRoundTripper(NewHandler(b, Options{Answered: func(r *http.Request, a Answer) {
			assert.NotNil(t, r)
			got = append(got, a)
		}}))
		arn := "arn:aws:sqs:us-east-1:000000000000:none"
		for _, tt := range []struct {
			name string
			req  *http.Request
			want Answer
		}{
			{"a message", jsonRequest("SendMessage", `{"QueueUrl":"http://h:1/0/q","MessageBody":"b"}`),
				Answer{Operation: "SendMessage", Queue: "q", Status: 200, Entries: 1, Payload: 1}},
			{"a message over Query, to the queue's URL", queryRequest(base+"/0/q", "Action=SendMessage&MessageBody=b"),
				Answer{Operation: "SendMessage", Queue: "q", Status: 200, Entries: 1, Payload: 1}},
			{"two messages", jsonRequest("ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":10}`),
				Answer{Operation: "ReceiveMessage", Queue: "q", Status: 200, Received: 2, Payload: 2}},
			{"a batch", jsonRequest("SendMessageBatch", `{"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":"body","MessageAttributes":`+
				`{"n":{"DataType":"Number","StringValue":"17"}}},{"Id":"b","MessageBody":"\u0000"}]}`),
				Answer{Operation: "SendMessageBatch", Queue: "q", Status: 200, Entries: 2, Failed: 1, Payload: 4 + 1 + 6 + 2 + 1}},
			{"a message with an attribute", jsonRequest("ReceiveMessage", `{"QueueUrl":"q","MessageAttributeNames":["All"]}`),
				Answer{Operation: "ReceiveMessage", Queue: "q", Status: 200, Received: 1, Payload: 4 + 1 + 6 + 2}},
			{"a batch of deletes", jsonRequest("DeleteMessageBatch", `{"QueueUrl":"q","Entries":[{"Id":"a","ReceiptHandle":"x"}]}`),
				Answer{Operation: "DeleteMessageBatch", Queue: "q", Status: 200, Entries: 1, Failed: 1}},
			{"a batch that is too large", jsonRequest("ChangeMessageVisibilityBatch",
				`{"QueueUrl":"q","Entries":[`+strings.Repeat(`{"Id":"a","ReceiptHandle":"x","VisibilityTimeout":1},`, 10)+`{"Id":"a"}]}`),
				Answer{Operation: "ChangeMessageVisibilityBatch", Queue: "q", Status: 400, Code: "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", Entries: 11}},
			{"a long poll", jsonRequest("ReceiveMessage", `{"QueueUrl":"empty","WaitTimeSeconds":20}`),
				Answer{Operation: "ReceiveMessage", Queue: "empty", Status: 200, Duration: 20 * time.Second}},
			{"a new queue", jsonRequest("CreateQueue", `{"QueueName":"new"}`), Answer{Operation: "CreateQueue", Queue: "new", Status: 200}},
			{"all queues", jsonRequest("ListQueues", `{}`), Answer{Operation: "ListQueues", Status: 200}},
			{"no queue", jsonRequest("PurgeQueue", `{}`), Answer{Operation: "PurgeQueue", Status: 400, Code: "MissingParameter"}},
			{"a queue that is none", jsonRequest("PurgeQueue", `{"QueueUrl":"none"}`),
				Answer{Operation: "PurgeQueue", Queue: "none", Status: 400, Code: "AWS.SimpleQueueService.NonExistentQueue"}},
			{"an ARN", jsonRequest("StartMessageMoveTask", `{"SourceArn":"`+arn+`"}`),
				Answer{Operation: "StartMessageMoveTask", Queue: "none", Status: 404, Code: "ResourceNotFoundException"}},
			{"no operation", jsonRequest("Nothing", `{"QueueUrl":"q"}`), Answer{Status: 400, Code: "InvalidAction"}},
			{"no JSON", jsonRequest("SendMessage", `{`), Answer{Operation: "SendMessage", Status: 400, Code: "MalformedInput", Entries: 1}},
		} {
			if tt.want.Queue == "empty" {
				_, err := b.CreateStandard("empty")
				require.NoError(t, err)
			}
			if tt.want.Operation != "" {
				tt.want.Region = "us-east-1"
			}
			tt.want.RequestBytes = tt.req.ContentLength
			resp, err := rt.RoundTrip(tt.req)
			require.NoError(t, err, tt.name)
			tt.want.Bytes = int(resp.ContentLength)
			require.NotEmpty(t, got, tt.name)
			assert.Equal(t, tt.want, got[len(got)-1], tt.name)
		}
		assert.Len(t, got, 15, "one each")
	})
}
