package topic

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// endpoints are HTTP endpoints without sockets: a transport for the account that keeps each request
// and answers it.
type endpoints struct {
	mu       sync.Mutex
	began    time.Time
	requests []received
	answer   func(r received) (status int, err error)
}

// received is a request as an endpoint got it.
type received struct {
	url    string
	header http.Header
	length int64
	body   string
	at     time.Duration
}

func newEndpoints() *endpoints { return &endpoints{began: time.Now()} }

func (e *endpoints) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	got := received{url: r.URL.String(), header: r.Header.Clone(), length: r.ContentLength, body: string(body), at: time.Since(e.began)}
	e.mu.Lock()
	e.requests = append(e.requests, got)
	answer := e.answer
	e.mu.Unlock()
	status := http.StatusOK
	if answer != nil {
		if status, err = answer(got); err != nil {
			return nil, err
		}
	}
	if status == 0 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status, " ", http.StatusText(status)), Body: io.NopCloser(strings.NewReader("answer")), Header: http.Header{}, Request: r}, nil
}

func (e *endpoints) take() []received {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.requests
	e.requests = nil
	return r
}

// confirm follows the link of the one confirmation that came.
func (w *world) confirm(e *endpoints) *Subscription {
	w.Helper()
	synctest.Wait()
	requests := e.take()
	require.Len(w, requests, 1)
	var fields struct{ Token, TopicArn string }
	require.NoError(w, json.Unmarshal([]byte(requests[0].body), &fields))
	s, err := w.ConfirmSubscription(context.Background(), fields.TopicArn, fields.Token, false)
	require.NoError(w, err)
	return s
}

// visit follows a link in an envelope, as somebody's browser does.
func (w *world) visit(link string) (status int, body string) {
	w.Helper()
	u, err := url.Parse(link)
	require.NoError(w, err)
	recorder := httptest.NewRecorder()
	w.Links().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, u.RequestURI(), nil))
	return recorder.Code, recorder.Body.String()
}

func TestHTTP_TheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints()
		w := newWorld(t, WithTransport(e), WithBaseURL("http://localhost:9324"))
		topic := w.standard("a", WithTopicDeliveryPolicy(`{"http":{"defaultRequestPolicy":{"headerContentType":"application/json"}}}`))
		s := w.subscribe(topic, URL("http://app.example/hook?x=1"), WithRawDelivery())
		require.True(t, s.Pending())
		w.publish(topic, Message{Body: "too early"}) // HTTP-4
		synctest.Wait()
		requests := e.take()
		require.Len(t, requests, 1)
		r := requests[0]
		require.Equal(t, "http://app.example/hook?x=1", r.url)
		fields := verify(t, r.body, Certificate()) // HTTP-7
		require.Equal(t, fmt.Sprintf(`{
  "Type" : "SubscriptionConfirmation",
  "MessageId" : "%s",
  "Token" : "%s",
  "TopicArn" : "arn:aws:sns:us-east-1:123456789012:a",
  "Message" : "You have chosen to subscribe to the topic arn:aws:sns:us-east-1:123456789012:a.\nTo confirm the subscription, visit the SubscribeURL included in this message.",
  "SubscribeURL" : "http://localhost:9324/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-east-1:123456789012:a&Token=%[2]s",
  "Timestamp" : "2000-01-01T00:00:00.000Z",
  "SignatureVersion" : "1",
  "Signature" : "%[3]s",
  "SigningCertURL" : "http://localhost:9324%[4]s"
}`, fields["MessageId"], fields["Token"], fields["Signature"], CertificatePath()), r.body)
		require.Len(t, fields["Token"], 288)
		require.Equal(t, http.Header{
			"X-Amz-Sns-Message-Type": {"SubscriptionConfirmation"}, "X-Amz-Sns-Message-Id": {fields["MessageId"]}, "X-Amz-Sns-Topic-Arn": {topic.ARN()},
			"Content-Type": {"text/plain; charset=UTF-8"}, "User-Agent": {"Amazon Simple Notification Service Agent"}, "Accept-Encoding": {"gzip,deflate"},
		}, r.header)
		require.Equal(t, int64(len(r.body)), r.length)

		status, body := w.visit(fields["SubscribeURL"]) // CONF-5
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, `<ConfirmSubscriptionResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><ConfirmSubscriptionResult><SubscriptionArn>`+s.ARN()+`</SubscriptionArn></ConfirmSubscriptionResult><ResponseMetadata><RequestId>`)
		require.False(t, s.Pending())
		status, _ = w.visit(fields["SubscribeURL"])
		require.Equal(t, http.StatusOK, status)

		p := w.publish(topic, Message{Body: "text <b>", Subject: "S", Attributes: map[string]inq.Attribute{"a": inq.String("b")}})
		synctest.Wait()
		r = e.take()[0]
		require.Equal(t, "text <b>", r.body) // HTTP-3
		require.Equal(t, http.Header{
			"X-Amz-Sns-Message-Type": {"Notification"}, "X-Amz-Sns-Message-Id": {p.MessageID()}, "X-Amz-Sns-Topic-Arn": {topic.ARN()},
			"X-Amz-Sns-Subscription-Arn": {s.ARN()}, "X-Amz-Sns-Rawdelivery": {"true"},
			"Content-Type": {"application/json"}, "User-Agent": {"Amazon Simple Notification Service Agent"}, "Accept-Encoding": {"gzip,deflate"},
		}, r.header)
		require.NoError(t, s.SetAttribute("RawMessageDelivery", "false"))
		require.NoError(t, s.SetAttribute("DeliveryPolicy", `{"requestPolicy":{"headerContentType":"text/x"}}`)) // HTTP-2
		p = w.publish(topic, Message{Body: "text", Subject: "S"})
		synctest.Wait()
		r = e.take()[0]
		fields = verify(t, r.body, Certificate())
		require.Equal(t, []string{"text", "S", p.MessageID(), "text/x"}, []string{fields["Message"], fields["Subject"], fields["MessageId"], r.header.Get("Content-Type")})
		require.NotContains(t, r.header, "X-Amz-Sns-Rawdelivery")
		require.Equal(t, SubscriptionStats{Delivered: 2}, s.Stats())
	})
}

func TestHTTP4_5_AnswersAndRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints()
		w := newWorld(t, WithTransport(e))
		topic, dead := w.standard("a"), w.queue("dead")
		w.subscribe(topic, URL("http://app.example/"), WithRawDelivery(), WithDeadLetter(dead))
		s := w.confirm(e)
		for answer, tries := range map[int]int{200: 1, 204: 1, 299: 1, 301: 1, 400: 1, 404: 1, 410: 1, 429: 4, 500: 4, 503: 4, -1: 4, 0: 4} {
			e.mu.Lock()
			e.answer = func(received) (int, error) {
				if answer < 0 {
					return 0, errNo
				}
				return answer, nil
			}
			e.mu.Unlock()
			p := w.publish(topic, Message{Body: "x"})
			time.Sleep(3 * time.Minute)
			synctest.Wait()
			requests := e.take()
			require.Len(t, requests, tries, answer)
			for i, r := range requests {
				require.Equal(t, p.MessageID(), r.header.Get("x-amz-sns-message-id")) // HTTP-5
				apart := 20 * time.Second
				if answer == 0 {
					apart += attemptTime // until it is given up
				}
				require.Equal(t, time.Duration(i)*apart, r.at-requests[0].at)
			}
			letters := 1
			if answer/100 == 2 {
				letters = 0
			}
			require.Len(t, bodies(t, dead), letters, answer)
		}
		require.Zero(t, s.Stats().Waiting)

		// A confirmation that fails is no dead letter, and neither is the one of the end.
		e.answer = func(received) (int, error) { return 500, nil }
		pending := w.subscribe(topic, URL("http://other.example/"), WithDeadLetter(dead))
		require.NoError(t, w.UnsubscribeByLink(t.Context(), s.ARN()))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.Len(t, e.take(), 8)
		require.Empty(t, bodies(t, dead))
		require.Equal(t, 2, w.log.count("a confirmation could not be delivered"))
		require.Equal(t, SubscriptionStats{Retries: 3}, pending.Stats())
	})
}

func TestHTTP_Throttle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints()
		w := newWorld(t, WithTransport(e))
		topic := w.standard("a")
		w.subscribe(topic, URL("http://app.example/"), WithDeliveryPolicy(`{"throttlePolicy":{"maxReceivesPerSecond":4}}`))
		s := w.confirm(e)
		time.Sleep(time.Hour)
		for range 10 {
			w.publish(topic, Message{Body: "x"})
		}
		time.Sleep(10 * time.Second)
		requests := e.take()
		require.Len(t, requests, 10)
		for i, r := range requests {
			require.Equal(t, time.Duration(i)*250*time.Millisecond, r.at-requests[0].at)
		}
		for range 10 { // and it can be closed in the middle
			w.publish(topic, Message{Body: "x"})
		}
		synctest.Wait()
		require.NoError(t, w.Close())
		require.Equal(t, SubscriptionStats{Delivered: 11, Failed: 9}, s.Stats())
	})
}

// The same over real sockets, with a client library's way to fetch the certificate.
func TestHTTP_OverLoopback(t *testing.T) {
	got := make(chan received, 10)
	endpoint := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- received{header: r.Header, body: string(body), length: r.ContentLength, url: r.Host}
		_, _ = io.WriteString(rw, strings.Repeat("a long answer ", 10_000))
	}))
	defer endpoint.Close()
	w := newWorld(t)
	links := httptest.NewServer(w.Links())
	defer links.Close()
	w.SetBaseURL(links.URL)
	topic := w.standard("a")
	s := w.subscribe(topic, URL(endpoint.URL))
	get := func(link string) (int, []byte, http.Header) {
		r, err := http.Get(link)
		require.NoError(t, err)
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		return r.StatusCode, body, r.Header
	}
	fetch := func(r received) map[string]string {
		var fields struct{ SigningCertURL string }
		require.NoError(t, json.Unmarshal([]byte(r.body), &fields))
		status, certificate, header := get(fields.SigningCertURL)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "application/x-pem-file", header.Get("Content-Type"))
		return verify(t, r.body, certificate)
	}
	r := <-got
	require.ElementsMatch(t, []string{"X-Amz-Sns-Message-Type", "X-Amz-Sns-Message-Id", "X-Amz-Sns-Topic-Arn", "Content-Type", "Content-Length", "User-Agent", "Accept-Encoding"}, keys(r.header)) // HTTP-6
	require.Equal(t, int64(len(r.body)), r.length)
	require.Equal(t, endpoint.Listener.Addr().String(), r.url)
	status, body, header := get(fetch(r)["SubscribeURL"])
	require.Equal(t, http.StatusOK, status, string(body))
	require.Equal(t, "text/xml", header.Get("Content-Type"))
	w.publish(topic, Message{Body: "ü"})
	fields := fetch(<-got)
	require.Equal(t, "ü", fields["Message"])
	status, _, _ = get(fields["UnsubscribeURL"])
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "UnsubscribeConfirmation", fetch(<-got)["Type"])
	require.ErrorIs(t, s.SetAttribute("RawMessageDelivery", "true"), ErrSubscriptionDoesNotExist)

	for path, want := range map[string]int{"/": 404, "/x.pem": 404, "/?Action=ListTopics": 404,
		"/?Action=Unsubscribe&SubscriptionArn=x": 400, "/?Action=ConfirmSubscription&TopicArn=" + topic.ARN() + "&Token=00": 400} {
		status, _, _ := get(links.URL + path)
		require.Equal(t, want, status, path)
	}
	response, err := http.Post(links.URL+"/?Action=Unsubscribe", "text/plain", nil)
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
	require.NoError(t, w.Close())
	status, body, _ = get(fields["UnsubscribeURL"])
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, string(body), "<Type>Receiver</Type>")
}

func keys(h http.Header) (names []string) {
	for name := range h {
		names = append(names, name)
	}
	return names
}

// Only loopback addresses are reached, whatever a name resolves to, and redirects lead nowhere.
func TestHTTP_OnlyLoopback(t *testing.T) {
	hits := make(chan string, 10)
	endpoint := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		hits <- r.URL.Path
		http.Redirect(rw, r, "http://192.0.2.1/", http.StatusTemporaryRedirect)
	}))
	defer endpoint.Close()
	w := newWorld(t)
	topic := w.standard("a")
	for _, u := range []string{"http://192.0.2.1/", "https://192.0.2.1:8443/", "http://[2001:db8::1]/", "http://0.0.0.0:1/"} {
		s := w.subscribe(topic, URL(u))
		require.NoError(t, s.pipe.wait(context.Background()))
		require.Zero(t, s.Stats().Retries, u)
	}
	require.Equal(t, 4, w.log.count("only loopback addresses are delivered to"))
	s := w.subscribe(topic, URL(strings.Replace(endpoint.URL, "127.0.0.1", "localhost", 1)+"/named"))
	require.NoError(t, s.pipe.wait(context.Background()))
	require.Equal(t, "/named", <-hits)
	require.Equal(t, 1, w.log.count("307 Temporary Redirect"))
	require.Empty(t, hits)

	open := newClient(nil, true)
	require.NotNil(t, open.Transport)
}
