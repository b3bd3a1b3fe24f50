package conformance

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// T is what a case runs with: a test, testify's require, and a service without queues.
type T struct {
	testing.TB
	*require.Assertions
	Service
	gives, needs Needs
	open         func(t testing.TB, opts ...inq.BrokerOption) Service
	queues       int
}

// Errorf is the test's; testify has one of the same name.
func (t *T) Errorf(format string, args ...any) { t.TB.Helper(); t.TB.Errorf(format, args...) }

// Error checks that there is an error; it is require's, not the test's.
func (t *T) Error(err error, message ...any) { t.Helper(); t.Assertions.Error(err, message...) }

// FailNow is the test's.
func (t *T) FailNow() { t.TB.Helper(); t.TB.FailNow() }

// Has tells whether the harness gives all of these, for a case that looks at more where it can.
func (t *T) Has(n Needs) bool { return t.gives&n == n }

// Reopen replaces the service by one with options, such as inq.WithoutCooldowns().
func (t *T) Reopen(opts ...inq.BrokerOption) { t.Service = t.open(t.TB, opts...) }

// Sleep lets virtual time pass. Everything that is due happens, the instant included.
func (t *T) Sleep(d time.Duration) {
	t.Helper()
	t.mustNeed(Time, "sleeps")
	time.Sleep(d)
	synctest.Wait()
}

// Wait waits until everything that runs is blocked, such as a long poll that was begun.
func (t *T) Wait() {
	t.Helper()
	t.mustNeed(Time, "waits")
	synctest.Wait()
}

func (t *T) mustNeed(n Needs, does string) {
	t.Helper()
	if t.needs&n != n {
		t.Fatalf("bug: the case %s and does not say what it needs for that", does)
	}
}

// Call carries out an operation; see API.
func (t *T) Call(operation string, in, out any) error {
	return t.API.Call(t.Context(), operation, in, out)
}

// Must is Call for operations that have to succeed.
func (t *T) Must(operation string, in, out any) {
	t.Helper()
	t.NoError(t.Call(operation, in, out), operation)
}

// Refused checks that err is a refusal with this code, and with this text where the harness carries
// texts. A text of "" is not compared; one that ends in "..." is compared up to there.
func (t *T) Refused(err error, code, text string) {
	t.Helper()
	var r *Refusal
	t.ErrorAs(err, &r)
	if !t.Has(Texts) {
		t.True(slices.ContainsFunc(codes.of(code), func(err error) bool { return errors.Is(r.Err, err) }), "%q is not a refusal %s", r.Err, code)
		return
	}
	t.Equal(code, r.Code, r.Message)
	if begin, cut := strings.CutSuffix(text, "..."); cut {
		t.True(strings.HasPrefix(r.Message, begin), "%q does not begin with %q", r.Message, begin)
	} else if text != "" {
		t.Equal(text, r.Message)
	}
}

// Failed checks a failed entry of a batch: its id, its code, and that the sender is at fault.
func (t *T) Failed(f BatchFailure, id, code string) {
	t.Helper()
	t.Equal(id, f.Id)
	t.True(f.SenderFault, "SenderFault")
	if t.Has(Texts) {
		t.Equal(code, f.Code, f.Message)
		return
	}
	t.True(slices.ContainsFunc(codes.of(code), func(err error) bool { return slices.Contains(codes.of(f.Code), err) }),
		"%q is not what stands for %q", f.Code, code)
}

// Text is the value of an attribute of type String.
func Text(v string) AttributeValue { return AttributeValue{DataType: "String", StringValue: v} }

// Q is a queue of the service.
type Q struct {
	t    *T
	Name string
	URL  string
}

// Standard creates a queue with attributes "name", "value", ...
func (t *T) Standard(attributes ...string) *Q {
	t.Helper()
	t.queues++
	return t.Create(fmt.Sprintf("queue-%d", t.queues), attributes...)
}

// FIFO creates a FIFO queue with attributes "name", "value", ...
func (t *T) FIFO(attributes ...string) *Q {
	t.Helper()
	t.queues++
	return t.Create(fmt.Sprintf("queue-%d.fifo", t.queues), append(attributes, "FifoQueue", "true")...)
}

// Create creates a queue of a name; nothing is added to the attributes.
func (t *T) Create(name string, attributes ...string) *Q {
	t.Helper()
	var out QueueURL
	t.Must("CreateQueue", CreateQueue{QueueName: name, Attributes: Pairs(attributes...)}, &out)
	return &Q{t, name, out.QueueUrl}
}

// Pairs makes a map of "name", "value", ...; nil of nothing.
func Pairs(pairs ...string) map[string]string {
	if len(pairs) == 0 {
		return nil
	}
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// ARN returns the queue's QueueArn.
func (q *Q) ARN() string { q.t.Helper(); return q.Attribute("QueueArn") }

// Attributes returns queue attributes, all without names.
func (q *Q) Attributes(names ...string) map[string]string {
	q.t.Helper()
	if names == nil {
		names = []string{"All"}
	}
	var out AttributeMap
	q.t.Must("GetQueueAttributes", GetQueueAttributes{QueueUrl: q.URL, AttributeNames: names}, &out)
	return out.Attributes
}

// Attribute returns one queue attribute, "" where the queue does not have it.
func (q *Q) Attribute(name string) string { q.t.Helper(); return q.Attributes(name)[name] }

// Set changes attributes "name", "value", ...
func (q *Q) Set(attributes ...string) error {
	return q.t.Call("SetQueueAttributes", SetQueueAttributes{QueueUrl: q.URL, Attributes: Pairs(attributes...)}, nil)
}

// Redrive makes dead the dead-letter queue of q.
func (q *Q) Redrive(dead *Q, maxReceiveCount int) {
	q.t.Helper()
	q.t.NoError(q.Set("RedrivePolicy", fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, dead.ARN(), maxReceiveCount)))
}

// Counts returns the visible, not visible and delayed messages.
func (q *Q) Counts() [3]int {
	q.t.Helper()
	a := q.Attributes("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
	var counts [3]int
	for i, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
		n, err := strconv.Atoi(a[name])
		q.t.NoError(err)
		counts[i] = n
	}
	return counts
}

// Post sends one message; m.QueueUrl is filled in.
func (q *Q) Post(m SendMessage) (out Sent, err error) {
	m.QueueUrl = q.URL
	err = q.t.Call("SendMessage", m, &out)
	return out, err
}

// Send sends bodies, one call each, and returns the answer to the last.
func (q *Q) Send(bodies ...string) (last Sent) {
	q.t.Helper()
	for _, body := range bodies {
		var err error
		last, err = q.Post(SendMessage{MessageBody: body})
		q.t.NoError(err)
	}
	return last
}

// SendTo sends bodies to a group of a FIFO queue, one call each, and returns the answer to the last.
// The body is the deduplication id as well.
func (q *Q) SendTo(group string, bodies ...string) (last Sent) {
	q.t.Helper()
	for _, body := range bodies {
		var err error
		last, err = q.Post(SendMessage{MessageBody: body, MessageGroupId: group, MessageDeduplicationId: body})
		q.t.NoError(err)
	}
	return last
}

// Take receives; in.QueueUrl is filled in.
func (q *Q) Take(in ReceiveMessage) ([]Message, error) {
	in.QueueUrl = q.URL
	var out Received
	err := q.t.Call("ReceiveMessage", in, &out)
	return out.Messages, err
}

// Receive takes up to n messages, which may be more than 10, without waiting, with all attributes.
func (q *Q) Receive(n int) []Message {
	q.t.Helper()
	var all []Message
	for len(all) < n {
		ms, err := q.Take(ReceiveMessage{MaxNumberOfMessages: Int(min(n-len(all), 10)), MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []string{"All"}})
		q.t.NoError(err)
		if len(ms) == 0 {
			break
		}
		all = append(all, ms...)
	}
	return all
}

// One receives exactly one message: there has to be one.
func (q *Q) One() Message {
	q.t.Helper()
	ms := q.Receive(1)
	q.t.Len(ms, 1, "no message is visible")
	return ms[0]
}

// Bodies receives up to n messages and returns their bodies.
func (q *Q) Bodies(n int) []string { q.t.Helper(); return Bodies(q.Receive(n)) }

// Empty checks that no message can be received.
func (q *Q) Empty() { q.t.Helper(); q.t.Empty(q.Bodies(1)) }

// Bodies returns the bodies of messages, nil of none.
func Bodies(ms []Message) []string {
	var bodies []string
	for _, m := range ms {
		bodies = append(bodies, m.Body)
	}
	return bodies
}

// Delete deletes by receipt handle.
func (q *Q) Delete(handle string) error {
	return q.t.Call("DeleteMessage", DeleteMessage{QueueUrl: q.URL, ReceiptHandle: handle}, nil)
}

// DeleteAll deletes messages that were received.
func (q *Q) DeleteAll(ms ...Message) {
	q.t.Helper()
	for _, m := range ms {
		q.t.NoError(q.Delete(m.ReceiptHandle))
	}
}

// Change changes the visibility of a receive.
func (q *Q) Change(handle string, seconds int) error {
	return q.t.Call("ChangeMessageVisibility", ChangeMessageVisibility{QueueUrl: q.URL, ReceiptHandle: handle, VisibilityTimeout: &seconds}, nil)
}

// Purge removes all messages.
func (q *Q) Purge() error { return q.t.Call("PurgeQueue", QueueURL{q.URL}, nil) }

// Drop deletes the queue.
func (q *Q) Drop() error { return q.t.Call("DeleteQueue", QueueURL{q.URL}, nil) }

// SendBatch sends entries; ids 0, 1, ... are filled in where there are none.
func (q *Q) SendBatch(entries ...SendMessage) (out SendBatchResult, err error) {
	entries = slices.Clone(entries)
	for i := range entries {
		if entries[i].Id == "" {
			entries[i].Id = strconv.Itoa(i)
		}
	}
	err = q.t.Call("SendMessageBatch", Batch[SendMessage]{q.URL, entries}, &out)
	return out, err
}

// Polled is a receive that was begun by Poll.
type Polled struct {
	Messages []Message
	Err      error
	Took     time.Duration
}

// Poll begins a receive in the background; the channel has its outcome. With virtual time the
// receive has begun, and waits if it does, when Poll returns.
func (q *Q) Poll(in ReceiveMessage) <-chan Polled {
	q.t.Helper()
	done := make(chan Polled, 1)
	began := time.Now()
	go func() {
		ms, err := q.Take(in)
		done <- Polled{ms, err, time.Since(began)}
	}()
	if q.t.needs&Time != 0 {
		synctest.Wait()
	}
	return done
}

// Request makes an HTTP request to the service; target is a path, or a URL of a queue.
func (t *T) Request(method, target, body string, header ...string) *http.Request {
	t.Helper()
	t.mustNeed(HTTP, "makes HTTP requests")
	if strings.HasPrefix(target, "/") {
		target = t.Base + target
	}
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	t.NoError(err)
	for _, name := range slices.Sorted(maps.Keys(Pairs(header...))) {
		req.Header.Set(name, Pairs(header...)[name])
	}
	return req
}

// Reply is an HTTP answer that was read.
type Reply struct {
	Status int
	Header http.Header
	Body   string
}

// Exchange sends a request and reads the answer.
func (t *T) Exchange(req *http.Request) Reply {
	t.Helper()
	resp, err := t.Do(req)
	t.NoError(err)
	body, err := io.ReadAll(resp.Body)
	t.NoError(err)
	t.NoError(resp.Body.Close())
	return Reply{resp.StatusCode, resp.Header, string(body)}
}
