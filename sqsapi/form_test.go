package sqsapi

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// readForm fills in from URL-encoded parameters.
func readForm(in any, encoded string, b batch) error {
	q := &queryCodec{parameters: [2][]byte{[]byte(encoded)}}
	return q.read(in, b)
}

func TestForm_ValuesDoNotHoldOnToTheRequest(t *testing.T) {
	encoded := []byte("MessageBody=b&MessageGroupId=a+b&QueueUrl=%71&Rest=" + strings.Repeat("x", 100))
	var in sendMessageRequest
	q := &queryCodec{parameters: [2][]byte{encoded}}
	require.NoError(t, q.read(&in, new(call)))
	for _, value := range []struct {
		got  *string
		want string
	}{{in.MessageBody, "b"}, {in.MessageGroupId, "a b"}, {in.QueueUrl, "q"}} {
		require.Equal(t, value.want, *value.got)
		first := uintptr(unsafe.Pointer(unsafe.StringData(*value.got)))
		start := uintptr(unsafe.Pointer(&encoded[0]))
		assert.True(t, first < start || first >= start+uintptr(len(encoded)), value.want)
	}
}

func TestForm_KeepsWhatCountsAndCountsTheRest(t *testing.T) {
	s := new(call)
	var batch sendMessageBatchRequest
	require.NoError(t, readForm(&batch, strings.TrimPrefix(repeatedForm(40, "&SendMessageBatchRequestEntry.#.Id=#&SendMessageBatchRequestEntry.#.MessageBody=b"), "&"), s))
	assert.Len(t, batch.Entries, keptEntries)
	assert.EqualValues(t, 40-keptEntries, s.left)
	var send sendMessageRequest
	require.NoError(t, readForm(&send, "MessageBody=b"+repeatedForm(40, "&MessageAttribute.#.Name=#&MessageAttribute.#.Value.StringValue=abc"), new(call)))
	assert.Len(t, send.MessageAttributes.named, keptAttributes)
	assert.Equal(t, 40-keptAttributes, send.MessageAttributes.left)
	assert.Equal(t, (40-keptAttributes)*(2+3), send.MessageAttributes.leftBytes)
	assert.EqualError(t, readForm(new(receiveMessageRequest), "AttributeName=a"+repeatedForm(maxListed, "&AttributeName.#=a"), new(call)),
		"MalformedInput: A list of the request has more than 1000 elements.")
}

func repeatedForm(n int, parameters string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(parameters, "#", fmt.Sprint(i+1)))
	}
	return b.String()
}

// asked counts how often a reader asks for the queue.
type asked struct {
	answer bool
	urls   []string
	left   int
}

func (a *asked) endless(url *string) bool {
	a.urls = append(a.urls, *url)
	return a.answer
}

func (a *asked) leave(n int) { a.left += n }

func TestEntriesBeyondTheLimit_AreKeptForAQueueWithoutLimits(t *testing.T) {
	const n = 200
	form := strings.TrimPrefix(repeatedForm(n, "&SendMessageBatchRequestEntry.#.Id=#"), "&") + "&QueueUrl=h%2Fq"
	text := `{"Entries":[` + strings.TrimSuffix(strings.Repeat(`{"Id":"a"},`, n), ",") + `],"QueueUrl":"h/q"}`
	for _, endless := range []bool{true, false} {
		for name, read := range map[string]func(in *sendMessageBatchRequest, b batch) error{
			"Query": func(in *sendMessageBatchRequest, b batch) error { return readForm(in, form, b) },
			"JSON":  func(in *sendMessageBatchRequest, b batch) error { return readJSON([]byte(text), in, b) },
		} {
			r := &asked{answer: endless}
			var in sendMessageBatchRequest
			require.NoError(t, read(&in, r))
			assert.Equal(t, n, len(in.Entries)+r.left, name)
			assert.Equal(t, endless, r.left == 0, name)
			assert.Equal(t, []string{"h/q"}, r.urls, "once: to find it takes a look through the whole request")
			assert.Equal(t, "h/q", *in.QueueUrl)
		}
	}
	c := newClient(t, inq.WithQueueDefaults(inq.WithoutSQSLimits()))
	url := c.standard("q")
	entries := strings.TrimSuffix(repeatedForm(30, `{'Id':'#','MessageBody':'b'},`), ",")
	c.json("SendMessageBatch", `{'Entries':[`+entries+`],'QueueUrl':'`+url+`'}`).ok()
	c.query(url, "SendMessageBatch", strings.Split(strings.TrimSuffix(repeatedForm(30, "SendMessageBatchRequestEntry.#.Id=#|SendMessageBatchRequestEntry.#.MessageBody=b|"), "|"), "|")...).ok()
	counts, err := c.queue("q").Counts(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 60, counts.Visible)
	large := strings.TrimSuffix(strings.Repeat(`{},`, maxBatch+1), ",")
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

// FuzzUnescape holds the reader of URL-encoded text against net/url.
func FuzzUnescape(f *testing.F) {
	for _, text := range []string{"a+b%20c", "%", "%4", "%zz", "%C3%A4", "%%%", "a%2", "+%2B"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, wantErr := url.QueryUnescape(text)
		got, err := unescapeText([]byte(text))
		assert.Equal(t, wantErr == nil, err == nil)
		assert.Equal(t, wantErr == nil, checkEscapes([]byte(text)) == nil)
		key, keyErr := unescape(nil, []byte(text))
		assert.Equal(t, wantErr == nil, keyErr == nil)
		if err == nil {
			assert.Equal(t, want, got)
			assert.Equal(t, want, string(key))
		}
	})
}

func TestShapes_KnowEveryFieldOfEveryRequest(t *testing.T) {
	for name, op := range operations {
		of := reflect.TypeOf(op.input()).Elem()
		s := shapeOf(of)
		for _, f := range reflect.VisibleFields(of) {
			if !f.Anonymous {
				require.NotNil(t, s.members[f.Name], "%s.%s", name, f.Name)
				assert.Equal(t, f.Index, s.members[f.Name].index)
			}
		}
	}
}
