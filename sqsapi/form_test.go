package sqsapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/internal/wire"
)

func repeatedForm(n int, parameters string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(parameters, "#", fmt.Sprint(i+1)))
	}
	return b.String()
}

func TestEntriesBeyondTheLimit_AreKeptForAQueueWithoutLimits(t *testing.T) {
	c := newClient(t, inq.WithQueueDefaults(inq.WithoutSQSLimits()))
	url := c.standard("q")
	entries := strings.TrimSuffix(repeatedForm(30, `{'Id':'#','MessageBody':'b'},`), ",")
	c.json("SendMessageBatch", `{'Entries':[`+entries+`],'QueueUrl':'`+url+`'}`).ok()
	c.query(url, "SendMessageBatch", strings.Split(strings.TrimSuffix(repeatedForm(30, "SendMessageBatchRequestEntry.#.Id=#|SendMessageBatchRequestEntry.#.MessageBody=b|"), "|"), "|")...).ok()
	counts, err := c.queue("q").Counts(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 60, counts.Visible)
	large := strings.TrimSuffix(strings.Repeat(`{},`, wire.MaxEntries+1), ",")
	c.json("SendMessageBatch", `{'QueueUrl':'`+url+`','Entries':[`+large+`]}`).
		fails(400, framing+"SerializationException", "MalformedInput", "A list of the request has more than 10000 elements.")

	limited := newClient(t)
	limited.standard("q")
	limited.json("SendMessageBatch", `{'QueueUrl':'q','Entries':[`+large+`]}`).fails(400, sdkError+"TooManyEntriesInBatchRequest",
		"AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent 10001.")
	limited.query(base+"/0/q", "SendMessageBatch", strings.Split(strings.TrimSuffix(repeatedForm(30, "SendMessageBatchRequestEntry.#.Id=#|"), "|"), "|")...).
		failsQuery(400, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent 30.")
}

func TestAttributesBeyondTheLimit_AreCounted(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	attributes := strings.TrimSuffix(repeatedForm(90_000, `'#':{},`), ",")
	c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'b','MessageAttributes':{`+attributes+`}}`).
		invalidParameter("Number of message attributes [90000] exceeds the allowed maximum [10].")
	assert.Contains(t, c.json("SendMessageBatch", `{'QueueUrl':'`+url+`','Entries':[{'Id':'a','MessageBody':'b'},{'Id':'b','MessageBody':'b','MessageAttributes':{`+attributes+`}}]}`).ok(),
		`"Failed":[{"Id":"b","SenderFault":true,"Code":"InvalidParameterValue","Message":"Number of message attributes [90000] exceeds the allowed maximum [10]."}]`)
	more := strings.TrimSuffix(repeatedForm(12, `'#':{'DataType':'String','StringValue':'`+strings.Repeat("x", 1<<20)+`'},`), ",")
	r := NewRoundTripper(NewHandler(c.broker, Options{MaxBytes: 64 << 20}))
	c.rt = r
	c.json("SendMessageBatch", `{'QueueUrl':'`+url+`','Entries':[{'Id':'b','MessageBody':'b','MessageAttributes':{`+more+`}}]}`).
		batchTooLong()
	assert.Len(t, c.receive(url, `,'MaxNumberOfMessages':10`), 1)
}

func (r reply) batchTooLong() {
	r.t.Helper()
	assert.Equal(r.t, "AWS.SimpleQueueService.BatchRequestTooLong;Sender", r.header.Get("x-amzn-query-error"))
}
