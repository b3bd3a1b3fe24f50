package sqsapi

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

const base = "http://localhost:9324"

// client talks to a handler in memory.
type client struct {
	t      *testing.T
	broker *inq.Broker
	rt     *RoundTripper
	header http.Header // sent with every request
}

func newClient(t *testing.T, opts ...inq.BrokerOption) *client {
	t.Helper()
	b, err := inq.NewBroker(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close() })
	return &client{t: t, broker: b, rt: NewRoundTripper(NewHandler(b, Options{})), header: http.Header{}}
}

// standard and fifo create a queue and return its URL.
func (c *client) standard(name string, opts ...inq.StandardOption) string {
	c.t.Helper()
	_, err := c.broker.CreateStandard(name, opts...)
	require.NoError(c.t, err)
	return base + "/000000000000/" + name
}

func (c *client) fifo(name string, opts ...inq.FIFOOption) string {
	c.t.Helper()
	_, err := c.broker.CreateFIFO(name, opts...)
	require.NoError(c.t, err)
	return base + "/000000000000/" + name
}

// reply is an answer that was read.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

func (c *client) do(req *http.Request) reply {
	c.t.Helper()
	for name, values := range c.header {
		req.Header[name] = values
	}
	resp, err := c.rt.RoundTrip(req)
	require.NoError(c.t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	require.NoError(c.t, resp.Body.Close())
	assert.Equal(c.t, int64(len(body)), resp.ContentLength)
	assert.Regexp(c.t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, resp.Header.Get("x-amzn-RequestId"))
	return reply{c.t, resp.StatusCode, resp.Header, string(body)}
}

func jsonRequest(operation, body string) *http.Request {
	req, err := http.NewRequest(http.MethodPost, base+"/", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	return req
}

// json calls an operation with a body that is JSON text, in which ' stands for ".
func (c *client) json(operation, body string) reply {
	c.t.Helper()
	r := c.do(jsonRequest(operation, strings.ReplaceAll(body, "'", `"`)))
	assert.Equal(c.t, "application/x-amz-json-1.0", r.header.Get("Content-Type"))
	return r
}

// jsonOf calls an operation with a body made of a value.
func (c *client) jsonOf(operation string, body any) reply {
	c.t.Helper()
	text, err := json.Marshal(body)
	require.NoError(c.t, err)
	r := c.do(jsonRequest(operation, string(text)))
	return r
}

// form joins "name=value" parameters, encoding the values.
func form(parameters ...string) string {
	var b strings.Builder
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		if b.Len() != 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(name) + "=" + url.QueryEscape(value))
	}
	return b.String()
}

func queryRequest(target, encoded string) *http.Request {
	req, err := http.NewRequest(http.MethodPost, target, strings.NewReader(encoded))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

// query calls an operation at target with parameters "name=value".
func (c *client) query(target, action string, parameters ...string) reply {
	c.t.Helper()
	r := c.do(queryRequest(target, form(append([]string{"Action=" + action, "Version=2012-11-05"}, parameters...)...)))
	assert.Equal(c.t, "text/xml", r.header.Get("Content-Type"))
	assert.NoError(c.t, xml.Unmarshal([]byte(r.body), new(struct{ XMLName xml.Name })), "well-formed")
	return r
}

// ok checks success and returns the body; what changes from run to run is replaced by its name in
// braces.
func (r reply) ok() string {
	r.t.Helper()
	require.Equal(r.t, 200, r.status, r.body)
	return r.masked()
}

var masks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`<RequestId>[0-9a-f-]{36}</RequestId>`), `<RequestId>{id}</RequestId>`},
	{regexp.MustCompile(`"RequestId":"[0-9a-f-]{36}"`), `"RequestId":"{id}"`},
	{regexp.MustCompile(`<MessageId>[0-9a-f-]{36}</MessageId>`), `<MessageId>{id}</MessageId>`},
	{regexp.MustCompile(`"MessageId":"[0-9a-f-]{36}"`), `"MessageId":"{id}"`},
	{regexp.MustCompile(`<ReceiptHandle>[\w.]{32}</ReceiptHandle>`), `<ReceiptHandle>{handle}</ReceiptHandle>`},
	{regexp.MustCompile(`"ReceiptHandle":"[\w.]{32}"`), `"ReceiptHandle":"{handle}"`},
	{regexp.MustCompile(`"SequenceNumber":"\d{20}"`), `"SequenceNumber":"{sequence}"`},
	{regexp.MustCompile(`<SequenceNumber>\d{20}</SequenceNumber>`), `<SequenceNumber>{sequence}</SequenceNumber>`},
}

func (r reply) masked() string {
	body := r.body
	for _, m := range masks {
		body = m.pattern.ReplaceAllString(body, m.with)
	}
	return body
}

// fails checks an error of the JSON protocol.
func (r reply) fails(status int, shape, code, message string) {
	r.t.Helper()
	assert.Equal(r.t, status, r.status)
	var e map[string]string
	require.NoError(r.t, json.Unmarshal([]byte(r.body), &e), r.body)
	assert.Equal(r.t, map[string]string{"__type": shape, "message": message}, e)
	assert.Equal(r.t, []string{code + ";Sender"}, r.header["X-Amzn-Query-Error"])
}

// failsQuery checks an error of the Query protocol.
func (r reply) failsQuery(status int, code, message string) {
	r.t.Helper()
	assert.Equal(r.t, status, r.status)
	var e struct {
		XMLName xml.Name `xml:"http://queue.amazonaws.com/doc/2012-11-05/ ErrorResponse"`
		Error   struct{ Type, Code, Message string }
	}
	require.NoError(r.t, xml.Unmarshal([]byte(r.body), &e), r.body)
	assert.Equal(r.t, "Sender", e.Error.Type)
	assert.Equal(r.t, code, e.Error.Code)
	assert.Equal(r.t, message, e.Error.Message)
}

// receive takes messages over JSON.
func (c *client) receive(url, more string) []message {
	c.t.Helper()
	r := c.json("ReceiveMessage", `{'QueueUrl':'`+url+`'`+more+`}`)
	require.Equal(c.t, 200, r.status, r.body)
	var out receiveMessageResult
	require.NoError(c.t, json.Unmarshal([]byte(r.body), &out))
	return out.Messages
}

func (c *client) send(url, body string) {
	c.t.Helper()
	r := c.jsonOf("SendMessage", map[string]any{"QueueUrl": url, "MessageBody": body})
	require.Equal(c.t, 200, r.status, r.body)
}

// sendTo sends to a FIFO queue.
func (c *client) sendTo(url, group, id, body string) {
	c.t.Helper()
	r := c.jsonOf("SendMessage", map[string]any{"QueueUrl": url, "MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": id})
	require.Equal(c.t, 200, r.status, r.body)
}

func unmarshalXML(text string, into any) error { return xml.Unmarshal([]byte(text), into) }
