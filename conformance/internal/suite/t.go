package suite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"example.com/inq"
)

// TB is what a case needs of a test.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Skip(args ...any)
	Cleanup(func())
	Context() context.Context
}

// T is what a case runs with: a test, assertions (in assert.go), and a service without queues.
type T struct {
	TB
	Service
	rule, name   string // of the case
	gives, needs Needs
	open         func(opts ...inq.BrokerOption) Service
	lacks        *string // where the way may lack something: what the case needed of that
	queues       int
}

// skipIfLacking ends the case where the way says by err that it does not have what the case needs,
// and may say so.
func (t *T) skipIfLacking(err error) {
	t.Helper()
	if t.lacks != nil && errors.Is(err, errors.ErrUnsupported) {
		*t.lacks = strings.TrimSuffix(err.Error(), ": "+errors.ErrUnsupported.Error())
		t.Skip(*t.lacks)
	}
}

// Has tells whether the harness gives all of these, for a case that looks at more where it can.
func (t *T) Has(n Needs) bool { return t.gives&n == n }

// Reopen replaces the service by one with options, such as inq.WithoutCooldowns().
func (t *T) Reopen(opts ...inq.BrokerOption) {
	t.Helper()
	t.mustNeed(Engine, "sets options of a broker")
	t.Service = t.open(opts...)
}

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
	return t.Service.API.Call(t.Context(), operation, in, out)
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
	if err == nil {
		t.failed(nil, "expected: a refusal with "+code, "got:      no error")
	}
	t.skipIfLacking(err)
	if !t.Has(Texts) {
		if !slices.ContainsFunc(codes.of(code), func(known error) bool { return errors.Is(err, known) }) {
			t.failed(nil, "expected: a refusal with "+code+", one of the errors "+show(errors.Join(codes.of(code)...)), "got:      "+show(err))
		}
		return
	}
	var r refusal
	if !errors.As(err, &r) {
		t.failed(nil, "expected: a refusal with "+code, "got:      an error without a code: "+show(err))
	}
	t.Equal(code, r.ErrorCode(), r.ErrorMessage())
	if begin, cut := strings.CutSuffix(text, "..."); cut {
		if !strings.HasPrefix(r.ErrorMessage(), begin) {
			t.failed(nil, "expected: a text that begins with "+show(begin), "got:      "+show(r.ErrorMessage()))
		}
	} else if text != "" {
		t.Equal(text, r.ErrorMessage())
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
	if !slices.ContainsFunc(codes.ofEntry(code), func(err error) bool { return slices.Contains(codes.of(f.Code), err) }) {
		t.failed(nil, "expected: a failure with "+code, "got:      "+f.Code)
	}
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
	return t.Create(t.standardName(), attributes...)
}

// FIFO creates a FIFO queue with attributes "name", "value", ...
func (t *T) FIFO(attributes ...string) *Q {
	t.Helper()
	return t.Create(t.fifoName(), fifoAttributes(attributes)...)
}

func (t *T) standardName() string { t.queues++; return fmt.Sprintf("queue-%d", t.queues) }
func (t *T) fifoName() string     { return t.standardName() + ".fifo" }

func fifoAttributes(attributes []string) []string {
	return append(slices.Clip(attributes), "FifoQueue", "true")
}

// Create creates a queue of a name; nothing is added to the attributes.
func (t *T) Create(name string, attributes ...string) *Q {
	t.Helper()
	q, err := t.create(name, attributes)
	t.NoError(err, "CreateQueue")
	return q
}

func (t *T) create(name string, attributes []string) (*Q, error) {
	var out QueueURL
	err := t.Call("CreateQueue", CreateQueue{QueueName: name, Attributes: Pairs(attributes...)}, &out)
	return &Q{t, name, out.QueueUrl}, err
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

// Queue returns the queue as inq.Queue.
func (q *Q) Queue() inq.Queue {
	q.t.Helper()
	q.t.mustNeed(Queues, "takes an inq.Queue")
	queue, err := q.t.Service.Queue(q.URL)
	q.t.NoError(err)
	return queue
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
	a := q.Attributes(counterNames...)
	var counts [3]int
	for i, name := range counterNames {
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
