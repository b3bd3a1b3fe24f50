package sqsapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestLongPoll_EndsAtTheInstantOfTheSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q")
		began := time.Now()
		q := c.queue("q")
		time.AfterFunc(7*time.Second+1, func() {
			_, err := q.Send(t.Context(), inq.Message{Body: "a"})
			assert.NoError(t, err)
		})
		assert.Equal(t, "a", c.receive(url, `,'WaitTimeSeconds':20`)[0].Body)
		assert.Equal(t, 7*time.Second+1, time.Since(began))
		assert.Empty(t, c.receive(url, `,'WaitTimeSeconds':20`))
		assert.Equal(t, 27*time.Second+1, time.Since(began))
		assert.Equal(t, "a", c.receive(url, `,'WaitTimeSeconds':20`)[0].Body)
		assert.Equal(t, 37*time.Second+1, time.Since(began), "its visibility timeout is over")
	})
}

func TestLongPoll_EndsWithTheContextOfItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q")
		began := time.Now()
		poll := func(ctx context.Context) error {
			body := &watchedBody{Reader: strings.NewReader(`{"QueueUrl":"` + url + `","WaitTimeSeconds":20}`)}
			req := jsonRequest("ReceiveMessage", "").WithContext(ctx)
			req.Body, req.ContentLength = body, -1
			resp, err := c.rt.RoundTrip(req)
			assert.Nil(t, resp)
			assert.Equal(t, 1, body.closed)
			return err
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		assert.Equal(t, context.Canceled, poll(ctx))
		assert.Equal(t, 3*time.Second, time.Since(began))
		ctx, cancel = context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		assert.Equal(t, context.DeadlineExceeded, poll(ctx))
		assert.Equal(t, 5*time.Second, time.Since(began))
		assert.Equal(t, context.DeadlineExceeded, poll(ctx), "ended before it began")
		c.send(url, "a")
		assert.Len(t, c.receive(url, ""), 1, "the message is nobody else's")

		// As the Transport of an http.Client, with the timeout of that.
		client := &http.Client{Transport: c.rt, Timeout: time.Second}
		began = time.Now()
		_, err := client.Do(jsonRequest("ReceiveMessage", `{"QueueUrl":"`+url+`","WaitTimeSeconds":20}`))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(began))
	})
}

// watchedBody counts how often it is closed.
type watchedBody struct {
	io.Reader
	closed int
}

func (b *watchedBody) Close() error { b.closed++; return nil }

func TestLongPoll_EndsWithTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q")
		time.AfterFunc(time.Second, func() {
			resp, err := c.rt.RoundTrip(jsonRequest("DeleteQueue", `{"QueueUrl":"`+url+`"}`))
			if assert.NoError(t, err) {
				assert.Equal(t, 200, resp.StatusCode)
			}
		})
		c.json("ReceiveMessage", `{'QueueUrl':'`+url+`','WaitTimeSeconds':20}`).queueDoesNotExist()
	})
}

func TestRoundTripper_AnswersLikeAServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		req := jsonRequest("ListQueues", `{}`)
		body := &watchedBody{Reader: strings.NewReader(`{}`)}
		req.Body = body
		before := req.Header.Clone()
		resp, err := c.rt.Do(req)
		require.NoError(t, err)
		assert.Equal(t, 1, body.closed)
		assert.Equal(t, before, req.Header)
		assert.Equal(t, "200 OK", resp.Status)
		assert.Equal(t, "HTTP/1.1", resp.Proto)
		assert.Equal(t, "2", resp.Header.Get("Content-Length"))
		assert.Equal(t, "Sat, 01 Jan 2000 00:00:00 GMT", resp.Header.Get("Date"))
		assert.Same(t, req, resp.Request)
		require.NoError(t, resp.Body.Close())
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, "{}", string(text))
	})
}

func TestRoundTripper_CarriesAnyHandler(t *testing.T) {
	rt := NewRoundTripper(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		assert.Equal(t, "/a%20b?c=d", r.RequestURI)
		assert.Equal(t, int64(-1), r.ContentLength, "unknown")
		assert.Nil(t, r.TLS)
		w.Header().Set("Date", "today")
		w.WriteHeader(http.StatusContinue)
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("Late", "x")
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(bytes.ToUpper(text))
	}))
	req, err := http.NewRequest(http.MethodPost, "http://host/a%20b?c=d", io.MultiReader(strings.NewReader("body")))
	require.NoError(t, err)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, http.StatusTeapot, resp.StatusCode)
	assert.Equal(t, http.Header{"Date": {"today"}}, resp.Header)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "BODY", string(text))

	silent := NewRoundTripper(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodGet, r.Method)
		assert.NotNil(t, r.Header)
	}))
	resp, err = silent.RoundTrip(&http.Request{URL: req.URL})
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode)
	_, err = silent.RoundTrip(&http.Request{})
	assert.EqualError(t, err, "sqsapi: request without a URL")

	head, err := http.NewRequest(http.MethodHead, "http://host/a%20b?c=d", nil)
	require.NoError(t, err)
	resp, err = NewRoundTripper(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("body")) })).RoundTrip(head)
	require.NoError(t, err)
	text, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Empty(t, text)
	assert.Equal(t, int64(4), resp.ContentLength)
}

func TestRoundTripper_GivesTheErrorOfTheContextWhileTheBodyIsRead(t *testing.T) {
	c := newClient(t)
	ctx, cancel := context.WithCancel(t.Context())
	req := jsonRequest("ListQueues", "").WithContext(ctx)
	req.Body, req.ContentLength = io.NopCloser(readFunc(func([]byte) (int, error) { cancel(); return 0, errors.New("closed") })), -1
	_, err := c.rt.RoundTrip(req)
	assert.Equal(t, context.Canceled, err)
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestTwelveHoursAndFourteenDays_PassInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q", inq.WithRetention(14*24*time.Hour))
		c.send(url, "a")
		require.Len(t, c.receive(url, `,'VisibilityTimeout':43200`), 1)
		time.Sleep(12*time.Hour - 1)
		assert.Empty(t, c.receive(url, ""))
		time.Sleep(time.Nanosecond)
		assert.Len(t, c.receive(url, ""), 1)
		time.Sleep(14*24*time.Hour - 12*time.Hour - 1)
		assert.Len(t, c.receive(url, `,'VisibilityTimeout':0`), 1)
		time.Sleep(time.Nanosecond)
		assert.Empty(t, c.receive(url, ""))
	})
}

func TestRoundTripper_ABodyClosedRightAfterDoHarmsNoLargeAnswer(t *testing.T) {
	// Over a socket, an SDK that does this tears down the connection of about one call in a hundred
	// with an answer beyond 4 KiB.
	c := newClient(t)
	url := c.standard("q", inq.WithVisibilityTimeout(0))
	c.send(url, strings.Repeat("x", 1<<16))
	for range 1000 {
		req := jsonRequest("ReceiveMessage", `{"QueueUrl":"`+url+`"}`)
		resp, err := c.rt.Do(req)
		require.NoError(t, err)
		require.NoError(t, req.Body.Close())
		n, err := io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.Equal(t, resp.ContentLength, n)
	}
}

func TestLC8_AMessageHandedToAClientThatIsGoneComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q", inq.WithVisibilityTimeout(5*time.Second))
		ctx, cancel := context.WithCancel(t.Context())
		q := c.queue("q")
		time.AfterFunc(time.Second, func() {
			_, err := q.Send(t.Context(), inq.Message{Body: "a"}) // hands it over
			assert.NoError(t, err)
			cancel()
		})
		resp, err := c.rt.RoundTrip(jsonRequest("ReceiveMessage", `{"QueueUrl":"`+url+`","WaitTimeSeconds":20}`).WithContext(ctx))
		require.NoError(t, err, "a hand-over that beat the cancel is answered")
		assert.Equal(t, 200, resp.StatusCode)
		began := time.Now()
		m := c.receive(url, `,'WaitTimeSeconds':20,'AttributeNames':['ApproximateReceiveCount']`)
		require.Len(t, m, 1)
		assert.Equal(t, "2", m[0].Attributes["ApproximateReceiveCount"])
		assert.Equal(t, 5*time.Second, time.Since(began))
	})
}
