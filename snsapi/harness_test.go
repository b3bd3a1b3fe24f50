package snsapi

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/topic"
)

const (
	base  = "http://localhost:9911"
	xmlns = ` xmlns="http://sns.amazonaws.com/doc/2010-03-31/"`
	arn   = "arn:aws:sns:us-east-1:123456789012:"
)

// client talks to a handler in memory.
type client struct {
	t       *testing.T
	broker  *inq.Broker
	account *topic.Account
	rt      *RoundTripper
	region  string // of the signature's scope, "" for no signature
}

func newClient(t *testing.T, opts ...topic.AccountOption) *client {
	t.Helper()
	b, err := inq.NewBroker(inq.WithAccount("123456789012"))
	require.NoError(t, err)
	a, err := topic.NewAccount(append([]topic.AccountOption{topic.WithBroker(b), topic.WithBaseURL(base)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = a.Close()
		_ = b.Close()
	})
	return &client{t: t, broker: b, account: a, rt: NewRoundTripper(NewHandler(a, Options{}))}
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
	if c.region != "" {
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260131/"+c.region+"/sns/aws4_request, SignedHeaders=host, Signature=00")
	}
	resp, err := c.rt.RoundTrip(req)
	require.NoError(c.t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	assert.Equal(c.t, int64(len(body)), resp.ContentLength)
	return reply{c.t, resp.StatusCode, resp.Header, string(body)}
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

func request(encoded string) *http.Request {
	req, err := http.NewRequest(http.MethodPost, base+"/", strings.NewReader(encoded))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return req
}

// call calls an operation with parameters "name=value".
func (c *client) call(action string, parameters ...string) reply {
	c.t.Helper()
	r := c.do(request(form(append([]string{"Action=" + action, "Version=" + apiVersion}, parameters...)...)))
	assert.Equal(c.t, "text/xml", r.header.Get("Content-Type"))
	assert.NoError(c.t, xml.Unmarshal([]byte(r.body), new(struct{ XMLName xml.Name })), r.body)
	return r
}

var masks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`<RequestId>[0-9a-f-]{36}</RequestId>`), `<RequestId>{id}</RequestId>`},
	{regexp.MustCompile(`<MessageId>[0-9a-f-]{36}</MessageId>`), `<MessageId>{id}</MessageId>`},
	{regexp.MustCompile(`:[0-9a-f]{8}-[0-9a-f-]{27}<`), `:{uuid}<`},
	{regexp.MustCompile(`/[0-9a-f]{8}-[0-9a-f-]{27}<`), `/{uuid}<`},
	{regexp.MustCompile(`<SequenceNumber>\d{20}</SequenceNumber>`), `<SequenceNumber>{sequence}</SequenceNumber>`},
}

// ok checks success and returns what the operation's result holds; what changes from run to run is
// replaced by its name in braces.
func (r reply) ok() string {
	r.t.Helper()
	require.Equal(r.t, 200, r.status, r.body)
	body := r.body
	for _, m := range masks {
		body = m.pattern.ReplaceAllString(body, m.with)
	}
	return body
}

// value returns the text of the first element of a name.
func (r reply) value(name string) string {
	r.t.Helper()
	require.Equal(r.t, 200, r.status, r.body)
	_, rest, found := strings.Cut(r.body, "<"+name+">")
	require.True(r.t, found, r.body)
	text, _, _ := strings.Cut(rest, "<")
	return text
}

// fails checks an error.
func (r reply) fails(status int, code, message string) {
	r.t.Helper()
	var e struct {
		XMLName   xml.Name `xml:"http://sns.amazonaws.com/doc/2010-03-31/ ErrorResponse"`
		Error     struct{ Type, Code, Message string }
		RequestId string
	}
	require.NoError(r.t, xml.Unmarshal([]byte(r.body), &e), r.body)
	assert.Equal(r.t, status, r.status)
	assert.Equal(r.t, "Sender", e.Error.Type)
	assert.Equal(r.t, code, e.Error.Code)
	assert.Equal(r.t, message, e.Error.Message)
	assert.Len(r.t, e.RequestId, 36)
}

func (r reply) invalid(message string) {
	r.t.Helper()
	r.fails(400, "InvalidParameter", message)
}

func (c *client) topic(name string, attributes ...string) string {
	c.t.Helper()
	return c.call("CreateTopic", append([]string{"Name=" + name}, attributes...)...).value("TopicArn")
}

// queue makes a queue and returns its ARN.
func (c *client) queue(name string, attributes map[string]string) string {
	c.t.Helper()
	q, err := c.broker.CreateQueue(c.t.Context(), name, attributes, nil)
	require.NoError(c.t, err)
	return q.ARN()
}

func (c *client) received(name string) (bodies []string) {
	c.t.Helper()
	q, err := c.broker.Queue(name)
	require.NoError(c.t, err)
	ds, err := q.Receive(c.t.Context(), inq.ReceiveInput{Max: 10})
	require.NoError(c.t, err)
	for _, d := range ds {
		bodies = append(bodies, d.Body)
	}
	return bodies
}

// token returns the one in the first mail there is, in a bubble.
func (c *client) token(a *topic.Account) string {
	c.t.Helper()
	synctest.Wait()
	mails := a.Outbox().Take()
	require.NotEmpty(c.t, mails)
	return mails[0].Token
}
