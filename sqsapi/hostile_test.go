//go:build !race

package sqsapi

// The race detector makes sync.Pool forget at random, so that costs are held without it.

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// allocated returns how many bytes f allocates, whatever becomes of them.
func allocated(f func()) int64 {
	f() // fills the pools
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// repeated joins n texts that end in their numbers.
func repeated(n int, text func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(text(i))
	}
	return b.String()
}

func TestHandler_MemoryOfHostileRequests(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	_, err = b.CreateStandard("q")
	require.NoError(t, err)
	h := NewHandler(b, Options{})
	form := func(operation string, n int, parameter string) *http.Request {
		return queryRequest(base+"/0/q", "Action="+operation+"&MessageBody=x&QueueName=n"+repeated(n, func(i int) string {
			return "&" + strings.NewReplacer("#", strconv.Itoa(i+1), "%", strconv.Itoa(i%100+1), "@", strconv.Itoa(i/100+1)).Replace(parameter)
		}))
	}
	list := func(n int, element string) string {
		return strings.TrimSuffix(repeated(n, func(i int) string { return strings.ReplaceAll(element, "#", strconv.Itoa(i)) + "," }), ",")
	}
	entries := func(entries string) *http.Request {
		return jsonRequest("SendMessageBatch", `{"QueueUrl":"q","Entries":[`+entries+`]}`)
	}
	for name, request := range map[string]*http.Request{
		"deep parameters nobody knows":      form("SendMessage", 9_990, "#.a.a.a.a.a.a.a"),
		"wide parameters nobody knows":      form("SendMessage", 9_990, "p#=v"),
		"long keys":                         queryRequest(base, "Action=SendMessage&"+strings.Repeat("a.%61.", 100_000)+"=x"),
		"attributes":                        form("SendMessage", 9_990, "MessageAttribute.#.Name=#"),
		"attributes deeper than they go":    form("SendMessage", 9_990, "MessageAttribute.#.Value.DataType.a.a.a.a=#"),
		"entries":                           form("SendMessageBatch", 9_990, "SendMessageBatchRequestEntry.#.Id=#"),
		"attributes of entries":             form("SendMessageBatch", 9_990, "SendMessageBatchRequestEntry.%.MessageAttribute.@.Value.StringValue=x"),
		"names":                             form("ReceiveMessage", 9_990, "MessageAttributeName.#=#"),
		"tags":                              form("TagQueue", 9_990, "Tag.#.Key=#"),
		"attributes of a queue":             form("CreateQueue", 9_990, "Attribute.#.Value=#"),
		"JSON attributes":                   entries(list(3, `{"Id":"#","MessageBody":"x","MessageAttributes":{`+list(90_000, `"#":{}`)+`}}`)),
		"JSON attributes of many entries":   entries(list(100, `{"MessageAttributes":{`+list(1000, `"#":{"StringValue":"x"}`)+`}}`)),
		"JSON entries":                      entries(list(500_000, `{}`)),
		"JSON entries given again":          jsonRequest("SendMessageBatch", `{`+list(50_000, `"Entries":[{},{},{}]`)+`}`),
		"JSON attributes given again":       entries(`{` + list(50_000, `"MessageAttributes":{"a":{}}`) + `}`),
		"JSON names":                        jsonRequest("ReceiveMessage", `{"QueueUrl":"q","MessageAttributeNames":[`+list(500_000, `""`)+`]}`),
		"JSON tags":                         jsonRequest("TagQueue", `{"QueueUrl":"q","Tags":{`+list(200_000, `"#":""`)+`}}`),
		"JSON nobody knows":                 jsonRequest("SendMessage", `{"a":[`+list(500_000, `{"a":[]}`)+`]}`),
		"JSON nesting":                      jsonRequest("SendMessage", `{"a":`+strings.Repeat("[", 1_000_000)),
		"JSON escapes":                      jsonRequest("SendMessage", `{"QueueUrl":"q","`+strings.Repeat(`\u0061`, 300_000)+`":"`+strings.Repeat(`\n`, 300_000)+`"}`),
		"names of a move task nobody knows": jsonRequest("CancelMessageMoveTask", `{"TaskHandle":"`+strings.Repeat("QUFB", 500_000)+`"}`),
	} {
		text, err := io.ReadAll(request.Body)
		require.NoError(t, err)
		body := strings.NewReader("")
		request.Body, request.ContentLength = io.NopCloser(body), int64(len(text))
		w := &discard{http.Header{}}
		n := allocated(func() {
			body.Reset(string(text))
			h.ServeHTTP(w, request)
		}) - int64(len(text)) // the copy above
		t.Logf("%-34s %8d bytes allocate %9d, %.1f times", name, len(text), n, float64(n)/float64(len(text)))
		assert.Less(t, n, int64(2*len(text)+64<<10), name)
	}
	list2, err := b.List("", "", 0)
	require.NoError(t, err)
	assert.Equal(t, []string{"q"}, list2)
}

func TestHandler_MemoryOfALargeAnswer(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	q, err := b.CreateStandard("q")
	require.NoError(t, err)
	const messages, size = 10, 1 << 18
	for range messages {
		_, err := q.Send(t.Context(), inq.Message{Body: strings.Repeat(`"`, size)})
		require.NoError(t, err)
	}
	h := NewHandler(b, Options{})
	get := queryRequest(base+"/0/q?Action=ReceiveMessage&MaxNumberOfMessages=10&VisibilityTimeout=0", "")
	get.Method = http.MethodGet
	get.Header.Set("Accept", "application/json")
	for name, request := range map[string]*http.Request{
		"Query":            queryRequest(base+"/0/q?Action=ReceiveMessage&MaxNumberOfMessages=10&VisibilityTimeout=0", ""),
		"JSON":             jsonRequest("ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":10,"VisibilityTimeout":0}`),
		"JSON after Query": get,
	} {
		text, err := io.ReadAll(request.Body)
		require.NoError(t, err)
		var answer strings.Builder
		w := &writer{discard{http.Header{}}, &answer}
		serve := func() {
			request.Body = io.NopCloser(strings.NewReader(string(text)))
			h.ServeHTTP(w, request)
		}
		serve()
		assert.Equal(t, fmt.Sprint(answer.Len()), w.header.Get("Content-Length"))
		assert.Greater(t, answer.Len(), messages*size*2)
		bodies := []string{}
		switch name {
		case "Query":
			var out struct {
				Bodies []string `xml:"ReceiveMessageResult>Message>Body"`
			}
			require.NoError(t, xml.Unmarshal([]byte(answer.String()), &out))
			bodies = out.Bodies
		case "JSON":
			var out receiveMessageResult
			require.NoError(t, json.Unmarshal([]byte(answer.String()), &out))
			for _, m := range out.Messages {
				bodies = append(bodies, m.Body)
			}
		default:
			var out struct {
				ReceiveMessageResponse struct{ ReceiveMessageResult receiveMessageResult }
			}
			require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(answer.String(), `"messages":`, `"Messages":`)), &out))
			for _, m := range out.ReceiveMessageResponse.ReceiveMessageResult.Messages {
				bodies = append(bodies, m.Body)
			}
		}
		require.Len(t, bodies, messages)
		for _, body := range bodies {
			assert.True(t, body == strings.Repeat(`"`, size), name)
		}
		w.Writer = io.Discard
		n := allocated(serve)
		t.Logf("%s: an answer of %d bytes allocates %d", name, answer.Len(), n)
		assert.Less(t, n, int64(256<<10), name)
	}
}

// writer is a ResponseWriter that writes to another writer.
type writer struct {
	discard
	io.Writer
}

func (w *writer) Write(b []byte) (int, error) { return w.Writer.Write(b) }
