package sqsapi

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// answer serves a request from a broker of its own with a queue of each type, in virtual time: the
// request may be a long poll.
func answer(t *testing.T, req *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	synctest.Test(t, func(t *testing.T) {
		b, err := inq.NewBroker()
		require.NoError(t, err)
		defer b.Close()
		_, err = b.CreateStandard("q")
		require.NoError(t, err)
		_, err = b.CreateFIFO("q.fifo")
		require.NoError(t, err)
		NewHandler(b, Options{}).ServeHTTP(w, req)
	})
	assert.Less(t, w.Code, 500, w.Body.String())
	return w
}

func FuzzJSONRequest(f *testing.F) {
	for name := range operations {
		f.Add(name, `{"QueueUrl":"q","MessageBody":"b","ReceiptHandle":"h","VisibilityTimeout":0}`)
		f.Add(name, `{"QueueUrl":"q.fifo","Entries":[{"Id":"a","MessageBody":"b","MessageGroupId":"g","MessageDeduplicationId":"1"}]}`)
		f.Add(name, `{"QueueName":"n","Attributes":{"FifoQueue":"true"},"tags":{"a":"b"},"Label":"l","AWSAccountIds":["111111111111"],"Actions":["*"]}`)
	}
	f.Add("SendMessage", `{"QueueUrl":"q","MessageBody":"\ud83d\ude00","MessageAttributes":{"k":{"DataType":"Binary","BinaryValue":"AA=="}}}`)
	f.Add("CancelMessageMoveTask", `{"TaskHandle":"e30="}`)
	f.Fuzz(func(t *testing.T, operation, body string) {
		w := answer(t, jsonRequest(operation, body))
		if op := operations[operation]; w.Code == 200 && op.Void {
			assert.Empty(t, w.Body.String())
			return
		}
		assert.True(t, json.Valid(w.Body.Bytes()), w.Body.String())
		if w.Code != 200 {
			var e map[string]string
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &e))
			assert.Contains(t, e["__type"], "#")
			assert.Contains(t, w.Header().Get("x-amzn-query-error"), ";Sender")
		}
	})
}

func FuzzQueryRequest(f *testing.F) {
	for name := range operations {
		f.Add("/", "Action="+name+"&QueueUrl=q&MessageBody=b%0D&ReceiptHandle=h&QueueName=n")
		f.Add("/0/q.fifo", "Action="+name+"&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=b&Attribute.1.Name=a&Attribute.1.Value=b")
	}
	f.Add("/0/q", "Action=SendMessage&MessageBody=b&MessageAttribute.1.Name=k&MessageAttribute.1.Value.DataType=Binary&MessageAttribute.1.Value.BinaryValue=AA%3D%3D")
	f.Fuzz(func(t *testing.T, path, body string) {
		req := queryRequest(base, body)
		req.URL.Path = path
		w := answer(t, req)
		assert.NoError(t, xml.Unmarshal(w.Body.Bytes(), new(struct{ XMLName xml.Name })), w.Body.String())

		get := httptest.NewRequest(http.MethodGet, base, nil)
		get.URL.Path, get.URL.RawQuery = path, body
		get.Header.Set("Accept", "application/json")
		again := answer(t, get)
		if again.Header().Get("Content-Type") == "application/json" {
			assert.Equal(t, w.Code, again.Code)
			assert.True(t, json.Valid(again.Body.Bytes()), again.Body.String())
		} else {
			assert.Equal(t, 404, again.Code)
		}
	})
}

// FuzzPolicy adds a permission to whatever policy a queue takes, and removes it again.
func FuzzPolicy(f *testing.F) {
	for _, text := range []string{"", "{}", `{"Version":"2012-10-17","Id":"mine","Statement":[{"Sid":"l","Effect":"Deny"},{"sid":"l"},null,5,"x"]}`, `{"Statement":{"Sid":"x"}}`, `{"Statement":[]}`,
		`{"Statement":null,"Statement":"x","statement":[1]}`, `{"a":1e999,"b":"\ud800<&>"}`, `[]`, `{"Statement":[{"Sid":1},[[]]]}`} {
		f.Add(text, "l", "SendMessage")
	}
	f.Add(`{"Statement":["`+strings.Repeat("<", 8000)+`"]}`, "a b", "*")
	f.Fuzz(func(t *testing.T, text, label, action string) {
		b, err := inq.NewBroker()
		require.NoError(t, err)
		defer b.Close()
		_, err = b.CreateStandard("q")
		require.NoError(t, err)
		h := NewHandler(b, Options{})
		call := func(operation string, body map[string]any) int {
			encoded, err := json.Marshal(body)
			require.NoError(t, err)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, jsonRequest(operation, string(encoded)))
			assert.Less(t, w.Code, 500, w.Body.String())
			return w.Code
		}
		policy := func() (text string, members map[string]any, statements []any) {
			attributes, err := b.Attributes(t.Context(), "q", "Policy")
			require.NoError(t, err)
			text = attributes["Policy"]
			if text != "" {
				d := json.NewDecoder(strings.NewReader(text))
				d.UseNumber()
				require.NoError(t, d.Decode(&members))
			}
			statements = []any{}
			switch s := members["Statement"].(type) {
			case nil:
			case []any:
				statements = s
			default:
				statements = []any{s}
			}
			return text, members, statements
		}
		if call("SetQueueAttributes", map[string]any{"QueueUrl": "q", "Attributes": map[string]string{"Policy": text}}) != 200 {
			return
		}
		before, members, statements := policy()
		if call("AddPermission", map[string]any{"QueueUrl": "q", "Label": label, "AWSAccountIds": []string{"111111111111"}, "Actions": []string{action}}) == 200 {
			_, then, added := policy()
			require.Len(t, added, len(statements)+1)
			assert.Equal(t, statements, added[:len(statements):len(statements)])
			assert.Equal(t, label, added[len(statements)].(map[string]any)["Sid"])
			if members != nil {
				delete(then, "Statement")
				delete(members, "Statement")
				assert.Equal(t, members, then)
			}
			require.Equal(t, 200, call("RemovePermission", map[string]any{"QueueUrl": "q", "Label": label}))
			_, _, after := policy()
			assert.Equal(t, statements, after)
			return
		}
		now, _, _ := policy()
		assert.Equal(t, before, now, "a refused call changes nothing")
	})
}

func FuzzQueueURL(f *testing.F) {
	for _, url := range []string{"q", "http://h:1/0/q", "https://sqs.us-east-1.amazonaws.com/1/q", "://", "http://", "a://b@c:d/e?f#g", "https://x.amazonaws.com/q"} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		name, host := splitQueueURL(url)
		assert.NotContains(t, name, "/")
		assert.NotContains(t, host, "/")
		assert.Contains(t, url, name)
		if region, aws := awsRegion(host); aws {
			assert.Contains(t, host, region)
			assert.Contains(t, host, "amazonaws.com")
		}
		text, err := json.Marshal(map[string]string{"QueueUrl": url})
		require.NoError(t, err)
		w := answer(t, jsonRequest("ListQueueTags", string(text)))
		if w.Code == 200 {
			assert.Contains(t, []string{"q", "q.fifo"}, name)
		}
	})
}
