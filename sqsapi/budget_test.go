package sqsapi

import (
	"io"
	"net/http"
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

const (
	patience  = 2 * time.Second // of a request that others leave no room for
	freeBytes = 16 << 10        // what needs none
)

// slowBody hands out its text when it is told to.
type slowBody struct {
	io.Reader
	from, until chan struct{} // closed when it is first read, and when it may go on
	once        sync.Once
}

func newSlowBody(text string) *slowBody {
	return &slowBody{Reader: strings.NewReader(text), from: make(chan struct{}), until: make(chan struct{})}
}

func (b *slowBody) Read(p []byte) (int, error) {
	b.once.Do(func() { close(b.from) })
	<-b.until
	return b.Reader.Read(p)
}

func (b *slowBody) Close() error { return nil }

func TestHandler_LargeRequestsShareABudgetThatSmallOnesDoNotNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := inq.NewBroker()
		require.NoError(t, err)
		defer b.Close()
		q, err := b.CreateStandard("q")
		require.NoError(t, err)
		h := NewHandler(b, Options{MaxTotalBytes: 500_000})
		send := func(n int, body func(string) io.Reader) *httptest.ResponseRecorder {
			text := `{"QueueUrl":"q","MessageBody":"` + strings.Repeat("x", n) + `"}`
			req := httptest.NewRequest(http.MethodPost, base, body(text))
			req.Header = jsonRequest("SendMessage", "").Header
			req.ContentLength = int64(len(text))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			return w
		}
		atOnce := func(text string) io.Reader { return strings.NewReader(text) }
		var clients sync.WaitGroup
		begun := make(chan *slowBody)
		clients.Go(func() {
			w := send(200_000, func(text string) io.Reader {
				// It sends as much as is free, and then waits.
				slow := newSlowBody(text[freeBytes:])
				begun <- slow
				return io.MultiReader(strings.NewReader(text[:freeBytes]), slow)
			})
			assert.Equal(t, 200, w.Code)
		})
		slow := <-begun
		<-slow.from
		began := time.Now()
		w := send(100_000, atOnce)
		assert.Equal(t, 403, w.Code)
		assert.Equal(t, "RequestThrottled;Sender", w.Header().Get("x-amzn-query-error"))
		assert.Contains(t, w.Body.String(), sdkError+"RequestThrottled")
		assert.Equal(t, "close", w.Header().Get("Connection"), "the rest of its body was not read")
		assert.Equal(t, patience, time.Since(began))
		for _, n := range []int{10, freeBytes - 100, 20_000} {
			assert.Equal(t, 200, send(n, atOnce).Code, "small, or there is room")
		}
		assert.Equal(t, patience, time.Since(began))
		clients.Go(func() { assert.Equal(t, 200, send(100_000, atOnce).Code, "when the other has ended") })
		synctest.Wait()
		close(slow.until)
		clients.Wait()
		assert.Equal(t, 5, q.Stats().Visible)
		assert.Equal(t, int64(500_000), h.server.Budget.Left())
	})
}

func TestHandler_AnAnswerForWhichThereIsNoRoomIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := inq.NewBroker()
		require.NoError(t, err)
		defer b.Close()
		q, err := b.CreateStandard("q")
		require.NoError(t, err)
		fifo, err := b.CreateFIFO("q.fifo", inq.WithContentBasedDeduplication(true))
		require.NoError(t, err)
		for i := range 3 {
			body := strings.Repeat(string(rune('a'+i)), 50_000)
			_, err := q.Send(t.Context(), inq.Message{Body: body})
			require.NoError(t, err)
			_, err = fifo.Send(t.Context(), inq.Message{Body: body, GroupID: "g"})
			require.NoError(t, err)
		}
		h := NewHandler(b, Options{MaxTotalBytes: 200_000})
		receive := func(queue string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, jsonRequest("ReceiveMessage", `{"QueueUrl":"`+queue+`","MaxNumberOfMessages":3}`))
			return w
		}
		require.NoError(t, h.server.Budget.Take(t.Context(), 100_000))
		for _, queue := range []string{"q", "q.fifo"} {
			began := time.Now()
			w := receive(queue)
			assert.Equal(t, 403, w.Code)
			assert.Equal(t, "RequestThrottled;Sender", w.Header().Get("x-amzn-query-error"))
			assert.Equal(t, patience, time.Since(began))
		}
		assert.Equal(t, inq.Counts{Visible: 3}, q.Stats().Counts)
		assert.Equal(t, inq.Counts{Visible: 3}, fifo.Stats().Counts)
		again := func() *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, jsonRequest("ReceiveMessage", `{"QueueUrl":"q.fifo","MaxNumberOfMessages":3,"ReceiveRequestAttemptId":"a","VisibilityTimeout":1}`))
			return w
		}
		assert.Equal(t, 403, again().Code)
		h.server.Budget.Give(100_000)
		w := again()
		assert.Equal(t, 200, w.Code, "a client that repeats its receive has what it was refused")
		assert.Contains(t, w.Body.String(), "aaa")
		time.Sleep(time.Second)
		for _, queue := range []string{"q", "q.fifo"} {
			w := receive(queue)
			assert.Equal(t, 200, w.Code)
			assert.Less(t, strings.Index(w.Body.String(), "aaa"), strings.Index(w.Body.String(), "ccc"), "in their order")
		}
		ds, err := q.Receive(t.Context(), inq.ReceiveInput{})
		require.NoError(t, err)
		assert.Empty(t, ds)
		time.Sleep(30 * time.Second)
		ds, err = q.Receive(t.Context(), inq.ReceiveInput{})
		require.NoError(t, err)
		assert.Equal(t, 2, ds[0].ReceiveCount, "the receive that was given back did not count")
		assert.Equal(t, int64(200_000), h.server.Budget.Left())
	})
}

func TestHandler_APollKeepsNoMoreThanItsNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := inq.NewBroker()
		require.NoError(t, err)
		defer b.Close()
		_, err = b.CreateStandard("q")
		require.NoError(t, err)
		h := NewHandler(b, Options{MaxTotalBytes: 1 << 20})
		var polls sync.WaitGroup
		for body, held := range map[string]int64{
			`"Unknown":"` + strings.Repeat("x", 100_000) + `"`:                0,
			`"MessageAttributeNames":["` + strings.Repeat("x", 50_000) + `"]`: 50_000,
		} {
			polls.Go(func() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, jsonRequest("ReceiveMessage", `{"QueueUrl":"q","WaitTimeSeconds":20,`+body+`}`))
				assert.Equal(t, 200, w.Code)
			})
			synctest.Wait()
			assert.Equal(t, 1<<20-held, h.server.Budget.Left())
			time.Sleep(20 * time.Second)
			polls.Wait()
			assert.Equal(t, int64(1<<20), h.server.Budget.Left())
		}
	})
}
