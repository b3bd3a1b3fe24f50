package inqtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqtest"
	"example.com/inq/sqsapi"
)

// web is a client of a server's HTTP API.
type web struct {
	*testing.T
	http     *http.Client
	endpoint string
	query    bool // the Query protocol instead of JSON
}

// reply is an answer.
type reply struct {
	status       int
	header       http.Header
	body, cutOff string // cutOff says how the connection broke
}

// do makes a request. members are pairs of name and value; lists are Name.N.Member.
func (c web) do(ctx context.Context, operation, queue string, members ...string) reply {
	c.Helper()
	var req *http.Request
	if c.query {
		form := url.Values{"Action": {operation}, "Version": {"2012-11-05"}, "QueueUrl": {c.endpoint + "/000000000000/" + queue}}
		for i := 0; i < len(members); i += 2 {
			form.Set(members[i], members[i+1])
		}
		req, _ = http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		in := map[string]any{"QueueUrl": c.endpoint + "/000000000000/" + queue}
		var entries []map[string]any
		for i := 0; i < len(members); i += 2 {
			name, value := members[i], any(members[i+1])
			parts := strings.Split(name, ".")
			if last := parts[len(parts)-1]; last == "MaxNumberOfMessages" || last == "VisibilityTimeout" {
				value = json.Number(members[i+1])
			}
			if len(parts) == 1 {
				in[name] = value
				continue
			}
			if parts[2] == "Id" {
				entries = append(entries, map[string]any{})
			}
			entries[len(entries)-1][parts[2]] = value
			in["Entries"] = entries
		}
		body, err := json.Marshal(in)
		require.NoError(c, err)
		req, _ = http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, strings.NewReader(string(body)))
		req.Header.Set("Content-Type", "application/x-amz-json-1.0")
		req.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
		req.Header.Set("X-Amzn-Query-Mode", "true")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return reply{cutOff: err.Error()}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(c, err)
	return reply{status: res.StatusCode, header: res.Header, body: string(text)}
}

// batch makes the members of a batch, which the protocols call differently.
func (c web) batch(operation string, entries ...[]string) (members []string) {
	for i, e := range entries {
		members = append(members, fmt.Sprintf("%sRequestEntry.%d.Id", operation, i+1), fmt.Sprint("id", i))
		for j := 0; j < len(e); j += 2 {
			members = append(members, fmt.Sprintf("%sRequestEntry.%d.%s", operation, i+1, e[j]), e[j+1])
		}
	}
	return members
}

// received are the bodies of an answer to ReceiveMessage, and their handles.
func (c web) received(r reply) (bodies, handles []string) {
	c.Helper()
	require.Equal(c, 200, r.status, r.body)
	for _, part := range strings.Split(r.body, map[bool]string{false: `"Body":"`, true: "<Body>"}[c.query])[1:] {
		body, _, _ := strings.Cut(part, map[bool]string{false: `"`, true: "<"}[c.query])
		bodies = append(bodies, body)
	}
	for _, part := range strings.Split(r.body, map[bool]string{false: `"ReceiptHandle":"`, true: "<ReceiptHandle>"}[c.query])[1:] {
		handle, _, _ := strings.Cut(part, map[bool]string{false: `"`, true: "<"}[c.query])
		handles = append(handles, handle)
	}
	return bodies, handles
}

func (c web) fails(r reply, status int, shape, code, text string) {
	c.Helper()
	require.Empty(c, r.cutOff)
	assert.Equal(c, status, r.status)
	side := map[bool]string{true: "Receiver", false: "Sender"}[status >= 500]
	if c.query {
		assert.Contains(c, r.body, "<Error><Type>"+side+"</Type><Code>"+code+"</Code><Message>"+text+"</Message>")
		return
	}
	assert.Contains(c, r.body, "#"+shape+`"`)
	assert.Contains(c, r.body, text)
	assert.Equal(c, code+";"+side, r.header.Get("X-Amzn-Query-Error"))
}

// onTheWire runs a story over each protocol, without a socket in a bubble and over one.
func onTheWire(t *testing.T, rules []inqtest.Rule, story func(c web, s *inqtest.Server, p *inqtest.Plan)) {
	t.Helper()
	for _, query := range []bool{false, true} {
		name := map[bool]string{false: "json", true: "query"}[query]
		t.Run(name+" in memory", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := inqtest.New(t)
				s.Standard("orders")
				story(web{t, s.HTTPClient(), inqtest.Endpoint, query}, s, s.Faults(7, rules...))
				require.NoError(t, s.Standard("orders").Purge(context.Background()))
			})
		})
		t.Run(name+" over a socket", func(t *testing.T) {
			s := inqtest.New(t)
			s.Standard("orders")
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			story(web{t, &http.Client{Transport: transport}, s.URL(), query}, s, s.Faults(7, rules...))
			require.NoError(t, s.Standard("orders").Purge(context.Background()))
		})
	}
}

func TestServerFaults_RequestsEndBeforeAnythingIsDone(t *testing.T) {
	for fault, want := range map[inqtest.FaultKind]struct {
		status            int
		shape, code, text string
	}{
		inqtest.Throttle:    {403, "RequestThrottled", "RequestThrottled", "The service is busy with other requests. Try again later."},
		inqtest.ServerError: {500, "InternalFailure", "InternalFailure", "We encountered an internal error. Please try again."},
		inqtest.Deny:        {403, "AccessDeniedException", "AccessDenied", "Access to the resource is denied."},
	} {
		t.Run(fault.String(), func(t *testing.T) {
			onTheWire(t, []inqtest.Rule{inqtest.On().In("orders").Nth(1, 2, 3).Do(fault)}, func(c web, s *inqtest.Server, p *inqtest.Plan) {
				ctx := context.Background()
				send := func() reply { return c.do(ctx, "SendMessage", "orders", "MessageBody", "1") }
				c.fails(send(), want.status, want.shape, want.code, want.text)
				c.fails(c.do(ctx, "ReceiveMessage", "orders"), want.status, want.shape, want.code, want.text)
				c.fails(c.do(ctx, "GetQueueUrl", "", "QueueName", "orders"), want.status, want.shape, want.code, want.text)
				s.Log().Never(inqtest.Sent, inqtest.Within(0))
				require.Equal(c, 200, send().status)
				require.Equal(c, 200, c.do(ctx, "GetQueueUrl", "", "QueueName", "orders").status)
				require.Len(c, p.Did(), 3)
				require.Equal(c, 1, s.Calls().Of("GetQueueUrl").Refused)
			})
		})
	}
	t.Run("OverLimit", func(t *testing.T) {
		onTheWire(t, []inqtest.Rule{inqtest.On(inqtest.Receive).Do(inqtest.OverLimit)}, func(c web, s *inqtest.Server, p *inqtest.Plan) {
			c.fails(c.do(context.Background(), "ReceiveMessage", "orders"), 403, "OverLimit", "OverLimit", "Too many messages have been received without being deleted. Please delete your received messages or let them timeout before receiving more.")
		})
	})
}

func TestServerFaults_ConnectionsBreak(t *testing.T) {
	rules := []inqtest.Rule{inqtest.On(inqtest.Send).Nth(1).Do(inqtest.Reset), inqtest.On(inqtest.Send).Nth(1).Do(inqtest.LoseAnswer),
		inqtest.On(inqtest.Receive, inqtest.Delete).Nth(1, 3).Do(inqtest.LoseAnswer)}
	onTheWire(t, rules, func(c web, s *inqtest.Server, p *inqtest.Plan) {
		ctx := context.Background()
		q := s.Standard("orders")
		counts := func(visible, notVisible int) {
			c.Helper()
			n, err := q.Counts(ctx)
			require.NoError(c, err)
			require.Equal(c, inq.Counts{Visible: visible, NotVisible: notVisible}, n)
		}
		require.Contains(c, c.do(ctx, "SendMessage", "orders", "MessageBody", "1").cutOff, "connection reset by peer")
		counts(0, 0)
		require.Contains(c, c.do(ctx, "SendMessage", "orders", "MessageBody", "1").cutOff, "connection reset by peer")
		counts(1, 0) // that one took effect
		require.Contains(c, c.do(ctx, "ReceiveMessage", "orders").cutOff, "connection reset by peer")
		counts(0, 1)
		require.Equal(c, 200, c.do(ctx, "SendMessage", "orders", "MessageBody", "2").status)
		bodies, handles := c.received(c.do(ctx, "ReceiveMessage", "orders"))
		require.Equal(c, []string{"2"}, bodies)
		require.Contains(c, c.do(ctx, "DeleteMessage", "orders", "ReceiptHandle", handles[0]).cutOff, "connection reset by peer")
		counts(0, 1)
		require.Equal(c, 200, c.do(ctx, "DeleteMessage", "orders", "ReceiptHandle", handles[0]).status)
	})
	s := inqtest.New(t)
	s.Standard("orders")
	s.Faults(1, inqtest.On(inqtest.Send).Do(inqtest.Reset))
	_, err := s.HTTPClient().Post(inqtest.Endpoint+"/000000000000/orders?Action=SendMessage&MessageBody=b", "", nil)
	require.ErrorIs(t, err, syscall.ECONNRESET)
	require.Equal(t, http.StatusBadGateway, func() int { // a handler without a connection
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/000000000000/orders?Action=SendMessage&MessageBody=b", nil))
		return w.Code
	}())
	res, err := (&http.Client{Transport: sqsapi.NewRoundTripper(s.Handler())}).Post(inqtest.Endpoint+"/000000000000/orders?Action=SendMessage&MessageBody=b", "", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusBadGateway, res.StatusCode)
	s.Faults(1) // ends all trouble
	res, err = s.HTTPClient().Post(inqtest.Endpoint+"/000000000000/orders?Action=SendMessage&MessageBody=b", "", nil)
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode)
}

// A connection of HTTP/2 cannot be taken over; the stream of the request is broken instead.
func TestServerFaults_ConnectionsBreakOverHTTP2(t *testing.T) {
	s := inqtest.New(t)
	q := s.Standard("orders")
	server := httptest.NewUnstartedServer(s.Handler())
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	p := s.Faults(1, inqtest.On(inqtest.Send).Nth(1).Do(inqtest.LoseAnswer))
	c := web{t, server.Client(), server.URL, false}
	require.NotEmpty(t, c.do(t.Context(), "SendMessage", "orders", "MessageBody", "1").cutOff)
	require.Equal(t, 200, c.do(t.Context(), "SendMessage", "orders", "MessageBody", "2").status)
	require.Len(t, p.Did(), 1)
	require.Equal(t, 2, q.Stats().Visible)
	require.NoError(t, q.Purge(t.Context()))
}

func TestServerFaults_Slow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		s.Standard("orders")
		s.Faults(1, inqtest.On(inqtest.Send).Do(inqtest.Slow(5*time.Second)))
		c := web{t, s.HTTPClient(), inqtest.Endpoint, false}
		began := time.Now()
		require.Equal(t, 200, c.do(t.Context(), "SendMessage", "orders", "MessageBody", "1").status)
		require.Equal(t, 5*time.Second, time.Since(began))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		require.Contains(t, c.do(ctx, "SendMessage", "orders", "MessageBody", "2").cutOff, context.DeadlineExceeded.Error())
		require.Equal(t, 7*time.Second, time.Since(began))
		s.Log().Never(inqtest.Sent, inqtest.Body("2"))
	})
}

func TestServerFaults_EntriesOfBatchesFail(t *testing.T) {
	onTheWire(t, []inqtest.Rule{inqtest.On().Do(inqtest.FailEntries(1))}, func(c web, s *inqtest.Server, p *inqtest.Plan) {
		ctx := context.Background()
		failed := func(r reply) {
			c.Helper()
			require.Equal(c, 200, r.status, r.body)
			if c.query {
				require.Contains(c, r.body, "<BatchResultErrorEntry><Id>id1</Id><SenderFault>false</SenderFault><Code>InternalError</Code>")
			} else {
				require.Contains(c, r.body, `"Failed":[{"Id":"id1","SenderFault":false,"Code":"InternalError"`)
			}
			require.Equal(c, 1, strings.Count(r.body, "InternalError"))
		}
		failed(c.do(ctx, "SendMessageBatch", "orders", c.batch("SendMessageBatch",
			[]string{"MessageBody", "0"}, []string{"MessageBody", "1"}, []string{"MessageBody", "2"})...))
		bodies, handles := c.received(c.do(ctx, "ReceiveMessage", "orders", "MaxNumberOfMessages", "10"))
		require.Equal(c, []string{"0", "2"}, bodies)
		failed(c.do(ctx, "ChangeMessageVisibilityBatch", "orders", c.batch("ChangeMessageVisibilityBatch",
			[]string{"ReceiptHandle", handles[0], "VisibilityTimeout", "60"}, []string{"ReceiptHandle", handles[1], "VisibilityTimeout", "0"})...))
		failed(c.do(ctx, "DeleteMessageBatch", "orders", c.batch("DeleteMessageBatch",
			[]string{"ReceiptHandle", handles[0]}, []string{"ReceiptHandle", handles[1]})...))
		n, err := s.Standard("orders").Counts(ctx)
		require.NoError(c, err)
		require.Equal(c, inq.Counts{NotVisible: 1}, n)
	})
}

func TestServerFaults_WhatAStandardQueueMayDo(t *testing.T) {
	onTheWire(t, []inqtest.Rule{
		inqtest.On(inqtest.Receive).Nth(1).Do(inqtest.Sample(0.5)),
		inqtest.On(inqtest.Receive).Nth(1).Do(inqtest.Duplicate),
		inqtest.On(inqtest.Receive).Nth(2).Do(inqtest.Reorder),
		inqtest.On(inqtest.ChangeVisibility).Nth(1).Do(inqtest.ExpireHandle),
	}, func(c web, s *inqtest.Server, p *inqtest.Plan) {
		ctx := context.Background()
		for n := range 6 {
			require.Equal(c, 200, c.do(ctx, "SendMessage", "orders", "MessageBody", fmt.Sprint(n)).status)
		}
		receive := func() (bodies, handles []string) {
			return c.received(c.do(ctx, "ReceiveMessage", "orders", "MaxNumberOfMessages", "10"))
		}
		bodies, handles := receive()
		require.Equal(c, []string{"0", "1", "2", "3", "5"}, bodies)
		for _, h := range handles {
			require.Equal(c, 200, c.do(ctx, "DeleteMessage", "orders", "ReceiptHandle", h).status)
		}
		bodies, handles = receive()
		require.Equal(c, []string{"5", "3", "1", "4", "0", "2"}, bodies)
		require.Equal(c, 200, c.do(ctx, "ChangeMessageVisibility", "orders", "ReceiptHandle", handles[2], "VisibilityTimeout", "60").status)
		bodies, _ = receive()
		require.Equal(c, []string{"1"}, bodies)
	})
}

// TestServerFaults_TheSameAtBothFaces has one plan made at a queue and one over HTTP say the same.
func TestServerFaults_TheSameAtBothFaces(t *testing.T) {
	rules := []inqtest.Rule{inqtest.On(inqtest.Receive).Chance(0.3).Do(inqtest.Throttle), inqtest.On(inqtest.Receive).Every(4).Do(inqtest.Reorder),
		inqtest.On().Chance(0.1).Do(inqtest.LoseAnswer)}
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		q := s.Standard("orders")
		c := web{t, s.HTTPClient(), inqtest.Endpoint, false}
		over, at := s.Faults(3, rules...), inqtest.NewPlan(t, 3, rules...)
		disturbed := inqtest.Disturb(q, at)
		for range 100 {
			c.do(t.Context(), "SendMessage", "orders", "MessageBody", "1")
			c.do(t.Context(), "ReceiveMessage", "orders")
		}
		require.NoError(t, q.Purge(t.Context()))
		for range 100 {
			_, _ = disturbed.Send(t.Context(), inq.Message{Body: "1"})
			_, _ = disturbed.Receive(t.Context(), inq.ReceiveInput{})
		}
		require.NoError(t, q.Purge(t.Context()))
		require.Greater(t, len(at.Did()), 30)
		require.Equal(t, over.Did(), at.Did())
		require.Equal(t, over.String(), at.String())
	})
}

// TestServerFaults_WhatCannotBeReadMeetsNone demands that only what is a call counts as one.
func TestServerFaults_WhatCannotBeReadMeetsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		s.Standard("orders")
		p := s.Faults(1, inqtest.On().Do(inqtest.Throttle))
		c := web{t, s.HTTPClient(), inqtest.Endpoint, false}
		require.Equal(t, 400, c.do(t.Context(), "Dance", "orders").status)
		require.Equal(t, 400, c.do(t.Context(), "ReceiveMessage", "orders", "VisibilityTimeout", "1.5").status)
		require.Empty(t, p.Did())
		require.Equal(t, 403, c.do(t.Context(), "SendMessage", "nowhere", "MessageBody", "b").status, "a service in trouble looks up nothing")
		require.Equal(t, "nowhere", p.Did()[0].Queue)
		require.Equal(t, 403, c.do(t.Context(), "ListQueues", "").status)
	})
}

// readerFunc reads by a function.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A plan that claims to have lost an answer has lost it.
func TestServerFaults_ARequestThatBeganBeforeThePlanMeetsNone(t *testing.T) {
	s := inqtest.New(t)
	s.Standard("q")
	var plan *inqtest.Plan
	text := strings.NewReader(`{"QueueUrl":"q","MessageBody":"1"}`)
	req, err := http.NewRequest(http.MethodPost, inqtest.Endpoint, readerFunc(func(p []byte) (int, error) {
		if plan == nil {
			plan = s.Faults(1, inqtest.On().Do(inqtest.LoseAnswer))
		}
		return text.Read(p)
	}))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
	resp, err := s.HTTPClient().Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Empty(t, plan.Did())
}
