package sqsapi

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestEndLongPolls_AnswersThemAllAsEmptyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q")
		slow := c.standard("slow", inq.WithReceiveWait(20*time.Second))
		handler := c.rt.handler.(*Handler)
		began := time.Now()
		var polls sync.WaitGroup
		for range 5 {
			polls.Go(func() { assert.Empty(t, c.receive(url, `,'WaitTimeSeconds':20`)) })
			polls.Go(func() { assert.Empty(t, c.receive(slow, ``)) })
		}
		synctest.Wait()
		handler.EndLongPolls()
		polls.Wait()
		assert.Zero(t, time.Since(began))
		assert.Empty(t, c.receive(url, `,'WaitTimeSeconds':20`), "a later one does not wait")
		assert.Empty(t, c.receive(slow, ``))
		assert.Zero(t, time.Since(began))

		handler.EndLongPolls()
		c.send(url, "later")
		assert.Len(t, c.receive(url, `,'WaitTimeSeconds':20`), 1, "all else goes on")
	})
}

func TestEndLongPolls_WithoutSQSLimitsEndsLongerOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q", inq.WithoutSQSLimits())
		began := time.Now()
		var polls sync.WaitGroup
		polls.Go(func() { assert.Empty(t, c.receive(url, `,'WaitTimeSeconds':100`)) })
		time.Sleep(30 * time.Second)
		c.rt.handler.(*Handler).EndLongPolls()
		polls.Wait()
		assert.Empty(t, c.receive(url, `,'WaitTimeSeconds':100`))
		assert.Equal(t, 30*time.Second, time.Since(began))
	})
}

func TestEndLongPolls_HidesNoOtherEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		url := c.standard("q")
		handler := c.rt.handler.(*Handler)
		poll := func(ctx context.Context) (int, string) {
			req := jsonRequest("ReceiveMessage", `{"QueueUrl":"`+url+`","WaitTimeSeconds":20}`).WithContext(ctx)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, req)
			return w.Code, w.Body.String()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		status, _ := poll(ctx)
		assert.Equal(t, 503, status, "the request itself ended")

		var polls sync.WaitGroup
		polls.Go(func() {
			status, text := poll(t.Context())
			assert.Equal(t, 400, status)
			assert.Contains(t, text, "QueueDoesNotExist")
		})
		synctest.Wait()
		require.NoError(t, c.broker.DeleteQueue(t.Context(), "q"))
		handler.EndLongPolls()
		polls.Wait()
	})
}

func TestEndLongPolls_AnswersLaterOnesAsLongPollsThatFoundNothing(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	handler := c.rt.handler.(*Handler)
	q, err := c.broker.Queue("q")
	require.NoError(t, err)
	const most = 120_000 // in flight; a short poll is refused then
	ms := make([]inq.Message, 10)
	for i := range ms {
		ms[i].Body = "b"
	}
	for range most / len(ms) {
		_, err := q.SendBatch(t.Context(), ms)
		require.NoError(t, err)
		_, err = q.Receive(t.Context(), inq.ReceiveInput{Max: len(ms)})
		require.NoError(t, err)
	}
	c.send(url, "one more")
	handler.EndLongPolls()
	assert.Empty(t, c.receive(url, `,'WaitTimeSeconds':20`))
	for body, code := range map[string]string{``: "OverLimit", `,"WaitTimeSeconds":21`: "InvalidParameterValue", `,"WaitTimeSeconds":-1`: "InvalidParameterValue"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, jsonRequest("ReceiveMessage", `{"QueueUrl":"`+url+`"`+body+`}`))
		assert.Equal(t, code+";Sender", w.Header().Get("X-Amzn-Query-Error"), body)
	}
}

func TestEndLongPolls_OutsideOfTheBubbleThatPolled(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	handler := NewHandler(b, Options{})
	synctest.Test(t, func(t *testing.T) {
		_, err := b.CreateStandard("q")
		require.NoError(t, err)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, jsonRequest("ReceiveMessage", poll))
		assert.Equal(t, "{}", strings.TrimSpace(w.Body.String()))
		require.NoError(t, b.DeleteQueue(t.Context(), "q"))
	})
	handler.EndLongPolls()
}
