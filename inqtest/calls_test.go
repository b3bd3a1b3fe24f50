package inqtest_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/conformance"
	"example.com/inq/inqtest"
	"example.com/inq/topic"
	"example.com/inq/worker"
)

// post sends a request in AWS JSON to the server, and returns the answer.
func post(t *testing.T, s *inqtest.Server, client *http.Client, base, operation, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, base, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

func TestCalls_OverHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		call := func(operation, body string) {
			t.Helper()
			_, _ = post(t, s, s.HTTPClient(), inqtest.Endpoint, operation, body)
		}
		call("CreateQueue", `{"QueueName":"q"}`)
		call("SendMessage", `{"QueueUrl":"q","MessageBody":"`+strings.Repeat("x", 64<<10+1)+`"}`)
		call("SendMessageBatch", `{"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":"a"},{"Id":"b","MessageBody":"b"},{"Id":"c","MessageBody":"\u0000"}]}`)
		call("SendMessage", `{"QueueUrl":"q"}`)
		call("ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":10}`)
		call("ReceiveMessage", `{"QueueUrl":"q","WaitTimeSeconds":20}`)
		call("SendMessage", `{"QueueUrl":"none","MessageBody":"a"}`)

		assert.Equal(t, inqtest.Tally{Calls: 4, Refused: 2, Entries: 6, Failed: 1, Payload: 64<<10 + 1 + 3 + 1, Billed: 5, Batches: map[int]int{3: 1}},
			s.Calls().Of("SendMessage", "SendMessageBatch"))
		assert.Equal(t, inqtest.Tally{Calls: 2, Empty: 1, Received: 3, Payload: 64<<10 + 3, Billed: 3}, s.Calls().In("q").Of("ReceiveMessage"))
		assert.Equal(t, 7, s.Calls().Of().Calls)
		assert.Equal(t, strings.TrimPrefix(`
queue  operation         calls  billed  refused  empty  messages  batches
none   SendMessage       1      1       1        0      1
q      CreateQueue       1      1       0        0      0
q      ReceiveMessage    2      3       0        1      3
q      SendMessage       2      3       1        0      2
q      SendMessageBatch  1      1       0        0      3         1×3
all                      7      9       2        1      9         1×3
`, "\n"), s.Calls().String())

		refused := s.Log().Wait(2, inqtest.Refused)
		assert.Equal(t, "q          refused SendMessage: MissingParameter", refused[0].String())
		assert.Equal(t, "none       refused SendMessage: AWS.SimpleQueueService.NonExistentQueue", refused[1].String())
		s.Calls().In("none").Reset()
		assert.Zero(t, s.Calls().Of())
	})
}

func TestCount_IsAQueueLikeTheOneBehindIt(t *testing.T) {
	s := inqtest.New(t)
	conformance.RunWrapper(t, func(q inq.Queue) inq.Queue { return s.Count(q.(inq.Local)) }, nil)
}

func TestCount_CountsWhatWouldBeRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s := inqtest.New(t)
		q := s.Count(s.Standard("q", inq.WithDeadLetter(s.Standard("dead"), 9)))
		for range 12 {
			_, err := q.SendBatch(ctx, []inq.Message{{Body: "a", Attributes: map[string]inq.Attribute{"n": inq.Number("1")}}, {Body: "b"}})
			require.NoError(t, err)
		}
		_, err := q.Send(ctx, inq.Message{})
		require.Error(t, err)
		ds, err := q.Receive(ctx, inq.ReceiveInput{Max: 10})
		require.NoError(t, err)
		require.NoError(t, ds[0].Delete(ctx))
		require.NoError(t, ds[1].Return(ctx, 0))
		require.NoError(t, ds[2].ChangeVisibility(ctx, time.Minute))
		require.NoError(t, ds[3].Bury(ctx, "so"))
		require.NoError(t, q.ExtendAll(ctx, ds[4:], time.Minute))
		require.NoError(t, q.DeleteBatch(ctx, []string{ds[4].ReceiptHandle()}))
		require.NoError(t, q.ChangeVisibilityBatch(ctx, []inq.VisibilityChange{{ReceiptHandle: ds[5].ReceiptHandle()}}))
		var all [12]inq.Delivery
		n := 0
		for n < len(all) {
			more, err := q.ReceiveInto(ctx, all[n:min(n+10, len(all))], inq.ReceiveInput{Max: 10})
			require.NoError(t, err)
			n += more
		}
		require.NoError(t, q.DeleteAll(ctx, all[:]))
		require.Error(t, q.DeleteBatch(ctx, []string{"made up", all[0].ReceiptHandle()}))
		_, err = q.Counts(ctx)
		require.NoError(t, err)
		require.NoError(t, q.Purge(ctx))
		_, err = q.Receive(ctx, inq.ReceiveInput{Wait: time.Second})
		require.NoError(t, err)
		assert.Equal(t, strings.TrimPrefix(`
queue  operation                     calls  billed  refused  empty  messages  batches
q      ChangeMessageVisibility       2      2       0        0      2
q      ChangeMessageVisibilityBatch  2      2       0        0      7         1×1 1×6
q      DeleteMessage                 1      1       0        0      1
q      DeleteMessageBatch            4      4       0        0      15        1×1 2×2 1×10
q      GetQueueAttributes            1      1       0        0      0
q      PurgeQueue                    1      1       0        0      0
q      ReceiveMessage                4      4       0        1      22
q      SendMessage                   1      1       1        0      1
q      SendMessageBatch              12     12      0        0      24        12×2
all                                  28     28      1        1      72        2×1 14×2 1×6 1×10
`, "\n"), s.Calls().String())
		assert.Equal(t, 12*(1+1+6+1+1), s.Calls().Of("SendMessageBatch").Payload)
		assert.Equal(t, 1, s.Calls().Of("DeleteMessageBatch").Failed)
	})
}

func TestServer_OfTopics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		q := s.Standard("q")
		top, err := s.Topics().CreateStandard("news")
		require.NoError(t, err)
		_, err = top.Subscribe(topic.QueueARN(q.ARN()))
		require.NoError(t, err)
		resp, err := s.HTTPClient().Get(inqtest.Endpoint + "/?Action=Publish&Version=2010-03-31&Message=hello&TopicArn=" + top.ARN())
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, "hello", s.Log().Wait(1, inqtest.Published, inqtest.In("news"))[0].Body)
		s.Log().Wait(1, inqtest.Sent, inqtest.In("q"))
		assert.Equal(t, 1, s.Calls().In("news").Of("Publish").Calls)
	})
}

func TestServer_OverASocket(t *testing.T) {
	t.Parallel()
	s := inqtest.New(t)
	assert.Equal(t, "http://sqs.invalid/000000000000/q", s.QueueURL("q"))
	url := s.URL()
	assert.Equal(t, url, s.URL())
	assert.Equal(t, url+"/000000000000/q", s.QueueURL("q"))
	status, answer := post(t, s, http.DefaultClient, url, "CreateQueue", `{"QueueName":"q"}`)
	require.Equal(t, 200, status)
	assert.Contains(t, answer, s.QueueURL("q"))
	polls := make(chan int)
	go func() { // is ended with the server
		status, _ := post(t, s, http.DefaultClient, url, "ReceiveMessage", `{"QueueUrl":"q","WaitTimeSeconds":20}`)
		polls <- status
	}()
	q, err := s.Broker().Queue("q")
	require.NoError(t, err)
	for q.Stats().WaitingReceives == 0 {
		runtime.Gosched()
	}
	t.Cleanup(func() { http.DefaultClient.CloseIdleConnections() })
	send(t, q, "one")
	assert.Equal(t, 200, <-polls)
	require.NoError(t, q.Purge(context.Background()))
}

func TestServer_InABubbleHasNoSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing(t, "inqtest: URL in a bubble: its clock would stand still while a socket is waited for; use HTTPClient",
			func(tb inqtest.TB) { inqtest.New(tb).URL() })
	})
}

func TestServer_RefusesBadInput(t *testing.T) {
	failing(t, "inqtest: Standard(\"a b\"): inq: invalid parameter value: QueueName \"a b\": can only include alphanumeric characters, hyphens, or underscores, 1 to 80 in length",
		func(tb inqtest.TB) { inqtest.New(tb).Standard("a b") })
	failing(t, "inqtest: FIFO(\"a\"): inq: invalid parameter value: QueueName \"a\": can only include alphanumeric characters, hyphens, or underscores, 1 to 80 in length, and must end with .fifo",
		func(tb inqtest.TB) { inqtest.New(tb).FIFO("a") })
	failing(t, "inqtest: inq: invalid parameter value: Region \"?\": must be 1 to 63 lower-case letters, digits and hyphens",
		func(tb inqtest.TB) { inqtest.New(tb, inqtest.WithBroker(inq.WithRegion("?"))) })
	failing(t, "inqtest: topic: invalid parameter: Waiting 0: must be at least 1 copy",
		func(tb inqtest.TB) { inqtest.New(tb, inqtest.WithTopics(topic.WithWaiting(0, 0))) })
	failing(t, "inqtest: Watch(nil)", func(tb inqtest.TB) { inqtest.New(tb, nil).Watch(nil) })
	failing(t, "inqtest: Count(nil)", func(tb inqtest.TB) { inqtest.New(tb).Count(nil) })
	var none *inq.FIFO // as a variable that nobody has set
	failing(t, "inqtest: Watch(nil)", func(tb inqtest.TB) { inqtest.New(tb).Watch(none) })
	failing(t, "inqtest: Count(nil)", func(tb inqtest.TB) { inqtest.New(tb).Count(none) })
	failing(t, "inqtest: WaitDrained: queue 1 is nil", func(tb inqtest.TB) { inqtest.WaitDrained(tb, none) })
	failing(t, "inqtest: Disturb(nil): must have a queue\ninqtest: faults with seed 1:", func(tb inqtest.TB) { inqtest.Disturb(none, inqtest.NewPlan(tb, 1)) })
	failing(t, "inqtest: Work needs a queue and a handler", func(tb inqtest.TB) {
		inqtest.Work(tb, none, worker.HandlerFunc(func(context.Context, *inq.Delivery) error { return nil }))
	})
}

func TestServer_Reset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passing(t, func(tb inqtest.TB) {
			s := inqtest.New(tb, inqtest.Strict())
			q := s.Standard("q")
			for range 3 {
				s.Count(q)
				send(t, s.Count(q), "one")
				d := receive(t, q)
				time.Sleep(time.Minute)
				require.NoError(t, d.ChangeVisibility(t.Context(), 0))
				receive(t, q)
				s.Reset()
				s.Log().Never()
				assert.Zero(t, s.Calls().Of())
			}
		})
		failing(t, "inqtest: Reset of q: inq: queue was purged less than 60 seconds ago: QueueName \"q\": only one purge is allowed every 60 seconds", func(tb inqtest.TB) {
			s := inqtest.New(tb, inqtest.WithCooldowns())
			require.NoError(t, s.Standard("q").Purge(t.Context()))
			s.Reset()
		})
	})
}

// An observer of the user's is told what the log is told.
func TestServer_LeavesObserversAlone(t *testing.T) {
	s := inqtest.New(t)
	var observed []string
	q := s.Standard("q", inq.WithObserver(func(events []inq.Event) {
		for _, e := range events {
			observed = append(observed, e.Kind.String())
		}
	}))
	send(t, q, "one")
	require.NoError(t, q.Configure(inq.WithObserver(nil)))
	send(t, q, "two")
	require.NoError(t, q.Purge(context.Background()))
	assert.Equal(t, []string{"sent"}, observed)
	assert.Len(t, s.Log().Wait(4), 4)
}

// A consumer that is told to stop is not refused anything.
func TestCalls_OfAConsumerThatStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		q := s.Count(s.Standard("q"))
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			_, err := q.Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second})
			assert.ErrorIs(t, err, context.Canceled)
			_, err = q.Send(ctx, inq.Message{Body: "one"})
			assert.ErrorIs(t, err, context.Canceled)
		}()
		go func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.QueueURL("q")+"?Action=ReceiveMessage&WaitTimeSeconds=20", nil)
			assert.NoError(t, err)
			_, err = s.HTTPClient().Do(req)
			assert.ErrorIs(t, err, context.Canceled)
		}()
		time.Sleep(time.Second)
		stop()
		s.Log().Never()
		assert.Equal(t, inqtest.Tally{Calls: 2, Empty: 2, Billed: 2}, s.Calls().Of())
	})
}

// What is told of a test that failed for a reason of its own.
func TestServer_ShowsTheLogOfAFailedTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing(t, `
the total is wrong
inqtest: the log:
       +0s  q          sent SHORTID "one"`, func(tb inqtest.TB) {
			send(t, inqtest.New(tb).Standard("q"), "one")
			tb.Errorf("the total is wrong")
		})
	})
}

// Several goroutines can ask at once what never happens.
func TestNever_BySeveralAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		var others sync.WaitGroup
		for range 5 {
			others.Go(func() { s.Log().Never(inqtest.Sent) })
		}
		s.Log().Never(inqtest.Sent)
		others.Wait()
	})
}

// A server that ends does not wait for what waits for it.
func TestServer_EndsLongPollsOverASocket(t *testing.T) {
	t.Parallel()
	status := make(chan int, 1)
	var r recorder
	got := r.run(func(tb inqtest.TB) {
		s := inqtest.New(tb)
		q := s.Standard("q")
		url := s.URL()
		go func() {
			code, _ := post(t, s, http.DefaultClient, url, "ReceiveMessage", `{"QueueUrl":"q","WaitTimeSeconds":20}`)
			status <- code
		}()
		for q.Stats().WaitingReceives == 0 {
			runtime.Gosched()
		}
	})
	assert.Equal(t, 200, <-status)
	assert.Equal(t, "inqtest: left behind by TestIt:\n  q: 1 long poll still open", got)
}

// Faults that are slow have no say in when a test ends.
func TestServer_EndsWhatIsSlowOverASocket(t *testing.T) {
	t.Parallel()
	status := make(chan int, 1)
	var r recorder
	r.run(func(tb inqtest.TB) {
		s := inqtest.New(tb)
		q := s.Standard("q")
		plan := s.Faults(1, inqtest.On(inqtest.Send).Do(inqtest.Slow(time.Hour)))
		url := s.URL()
		go func() {
			code, _ := post(t, s, http.DefaultClient, url, "SendMessage", `{"QueueUrl":"q","MessageBody":"1"}`)
			status <- code
		}()
		for len(plan.Did()) == 0 {
			runtime.Gosched()
		}
		assert.Zero(t, q.Stats().Sent)
	})
	assert.Equal(t, 200, <-status)
}

func TestServer_NobodyListensWhenTheTestIsOver(t *testing.T) {
	var one, other *inqtest.Server
	var r recorder
	var url string
	r.run(func(tb inqtest.TB) {
		one, other = inqtest.New(tb), inqtest.New(tb)
		url = one.URL()
	})
	assert.Equal(t, url, one.URL())
	_, err := http.Get(url)
	require.Error(t, err)
	assert.Equal(t, inqtest.Endpoint, other.URL())
	assert.Equal(t, inqtest.Endpoint+"/000000000000/q", other.QueueURL("q"))
}
