package sqsapi

import (
	"net/http"
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
				Answer{Operation: "SendMessage", Queue: "q", Status: 200}},
			{"a message over Query, to the queue's URL", queryRequest(base+"/0/q", "Action=SendMessage&MessageBody=b"),
				Answer{Operation: "SendMessage", Queue: "q", Status: 200}},
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
			{"no JSON", jsonRequest("SendMessage", `{`), Answer{Operation: "SendMessage", Status: 400, Code: "MalformedInput"}},
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
		assert.Len(t, got, 10, "one each")
	})
}
