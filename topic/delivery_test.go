package topic

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// recorder is a target that notes when it was called, and fails as it is told.
type recorder struct {
	mu    sync.Mutex
	began time.Time
	calls []string // message and time since the beginning
	fail  func(n *Notification) error
}

func newRecorder(fail func(n *Notification) error) *recorder {
	return &recorder{began: time.Now(), fail: fail}
}

func (r *recorder) Deliver(_ context.Context, n *Notification) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, fmt.Sprintf("%s@%v", n.Message, time.Since(r.began)))
	if r.fail == nil {
		return nil
	}
	return r.fail(n)
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.calls
	r.calls = nil
	return c
}

var errNo = errors.New("no")

func always(err error) func(*Notification) error { return func(*Notification) error { return err } }

func TestRET3_TheDefaultOfHTTPIsThreeRetriesAfterTwentySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		topic, dead := w.standard("a"), w.queue("dead")
		r := newRecorder(always(errNo))
		s := w.subscribe(topic, r, WithDeadLetter(dead), WithRawDelivery())
		w.publish(topic, Message{Body: "x", Attributes: map[string]inq.Attribute{"a": inq.String("b")}})
		time.Sleep(time.Minute - 1)
		synctest.Wait()
		require.Equal(t, []string{"x@0s", "x@20s", "x@40s"}, r.take())
		require.Equal(t, SubscriptionStats{Waiting: 1, Retries: 2}, s.Stats())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, []string{"x@1m0s"}, r.take())
		letter := deliveries(t, dead)[0] // DLQ-2: nothing is added
		require.Equal(t, "x", letter.Body)
		require.Equal(t, map[string]inq.Attribute{"a": inq.String("b")}, letter.Attributes())
		require.Equal(t, SubscriptionStats{DeadLettered: 1, Retries: 3}, s.Stats())
		require.Empty(t, w.log.String())
	})
}

func TestRET_PhasesAndFunctions(t *testing.T) {
	delays := func(p retryPolicy) (all []time.Duration) {
		for i := 1; ; i++ {
			d, ok := p.delay(i)
			if !ok {
				return all
			}
			all = append(all, d)
		}
	}
	s := time.Second
	p := retryPolicy{MinDelayTarget: 1, MaxDelayTarget: 16, NumRetries: 9, NumNoDelayRetries: 1, NumMinDelayRetries: 2, NumMaxDelayRetries: 1, BackoffFunction: "linear"}
	require.Equal(t, []time.Duration{0, s, s, s, 4750 * time.Millisecond, 8500 * time.Millisecond, 12250 * time.Millisecond, 16 * s, 16 * s}, delays(p))
	p.BackoffFunction = "geometric"
	require.Equal(t, []time.Duration{0, s, s, s, 2 * s, 4 * s, 8 * s, 16 * s, 16 * s}, delays(p))
	p.BackoffFunction = "arithmetic"
	require.Equal(t, []time.Duration{0, s, s, s, 2500 * time.Millisecond, 5500 * time.Millisecond, 10 * s, 16 * s, 16 * s}, delays(p))
	p.BackoffFunction = "exponential"
	require.Equal(t, []time.Duration{0, s, s, s, 2 * s, 4 * s, 8 * s, 16 * s, 16 * s}, delays(p))
	require.Equal(t, []time.Duration{20 * s, 20 * s, 20 * s}, delays(httpRetries))

	all := delays(queueRetries) // RET-1
	require.Len(t, all, 100_015)
	require.Equal(t, []time.Duration{0, 0, 0, s, s, s}, all[:6])
	require.Equal(t, []time.Duration{20 * s, 20 * s}, all[14:16])
	for i := 6; i < 15; i++ {
		require.Greater(t, all[i], all[i-1])
	}
	total := time.Duration(0)
	for _, d := range all {
		total += d
	}
	require.Equal(t, 23, int(total.Hours()/24))
}

// RET-1: a queue that is full gets the copy as soon as there is room and a retry is due.
func TestRET1_AFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		topic, q := w.standard("a"), w.queue("q", inq.WithCapacity(1, 0))
		s := w.subscribe(topic, Queue(q), WithRawDelivery())
		w.publish(topic, Message{Body: "1"})
		w.publish(topic, Message{Body: "2"})
		synctest.Wait()
		require.Equal(t, SubscriptionStats{Delivered: 1, Waiting: 1, Retries: 3}, s.Stats())
		time.Sleep(time.Second - 1)
		require.Equal(t, []string{"1"}, bodies(t, q))
		require.Empty(t, bodies(t, q))
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, []string{"2"}, bodies(t, q))
		require.Equal(t, SubscriptionStats{Delivered: 2, Retries: 4}, s.Stats())
	})
}

func TestRET6_ARejectionIsNotRetried(t *testing.T) {
	w := newWorld(t)
	topic, dead := w.standard("a"), w.queue("dead")
	s := w.subscribe(topic, newRecorder(always(fmt.Errorf("gone: %w", ErrRejected))), WithDeadLetter(dead))
	w.publish(topic, Message{Body: "x"})
	require.NoError(t, w.Shutdown(context.Background()))
	require.Equal(t, SubscriptionStats{DeadLettered: 1}, s.Stats())
	require.Len(t, bodies(t, dead), 1)
}

// A slow endpoint delays nobody else, and no publisher.
func TestDelivery_ASlowTargetDelaysNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		topic, q := w.standard("a"), w.queue("q")
		release := make(chan struct{})
		slow := w.subscribe(topic, Func(func(ctx context.Context, n *Notification) error {
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}))
		quick := newRecorder(nil)
		w.subscribe(topic, quick)
		w.subscribe(topic, Queue(q))
		for range 100 {
			w.publish(topic, Message{Body: "x"})
		}
		synctest.Wait()
		require.Len(t, quick.take(), 100)
		require.Len(t, bodies(t, q), 100)
		require.Equal(t, SubscriptionStats{Waiting: 100}, slow.Stats())
		require.Equal(t, attemptsAtOnce, slow.pipe.running)
		time.Sleep(attemptTime) // the first ones are given up, and tried again later
		synctest.Wait()
		require.Equal(t, attemptsAtOnce, slow.pipe.running)
		require.Len(t, slow.pipe.later, attemptsAtOnce)
		close(release)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		require.Equal(t, SubscriptionStats{Delivered: 100, Retries: 16}, slow.Stats())
	})
}

func TestDelivery_WhatWaitsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, WithWaiting(10, 1000))
		topic, dead := w.standard("a"), w.queue("dead")
		r := newRecorder(always(errNo))
		lost := w.subscribe(topic, r)
		kept := w.subscribe(topic, newRecorder(always(errNo)), WithDeadLetter(dead), WithRawDelivery())
		for i := range 15 {
			w.publish(topic, Message{Body: fmt.Sprint(i)})
		}
		require.Equal(t, []string{"10", "11", "12", "13", "14"}, bodies(t, dead))
		synctest.Wait()
		require.Equal(t, SubscriptionStats{Waiting: 10, Failed: 5}, lost.Stats())
		require.Equal(t, SubscriptionStats{Waiting: 10, DeadLettered: 5}, kept.Stats())
		require.Equal(t, 5, w.log.count("too much waits"))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, SubscriptionStats{Failed: 15, Retries: 30}, lost.Stats())
		bodies(t, dead)

		// By bytes. One copy always fits.
		w.publish(topic, Message{Body: strings.Repeat("a", 2000)})
		w.publish(topic, Message{Body: "b"})
		require.Equal(t, []string{"b"}, bodies(t, dead))
		time.Sleep(time.Minute)
		synctest.Wait()
		w.publish(topic, Message{Body: strings.Repeat("a", 600)})
		w.publish(topic, Message{Body: strings.Repeat("b", 401)})
		w.publish(topic, Message{Body: strings.Repeat("c", 400)})
		require.Len(t, bodies(t, dead), 2, "the first one of before has come by now")
	})
}

// An inq.Queue that is not of this process, such as one on Amazon.
type farQueue struct {
	inq.Queue
	name string
	send func(ctx context.Context, m inq.Message) (inq.Sent, error)
}

func (q *farQueue) Name() string { return q.name }

func (q *farQueue) Send(ctx context.Context, m inq.Message) (inq.Sent, error) { return q.send(ctx, m) }

func TestDelivery_PublishDoesNotWaitForAQueueElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, WithWaiting(2, 1000))
		topic := w.standard("a")
		var mu sync.Mutex
		var sent, buried []string
		note := func(list *[]string, takes time.Duration) func(context.Context, inq.Message) (inq.Sent, error) {
			return func(ctx context.Context, m inq.Message) (inq.Sent, error) {
				select {
				case <-time.After(takes):
				case <-ctx.Done():
					return inq.Sent{}, ctx.Err()
				}
				mu.Lock()
				defer mu.Unlock()
				*list = append(*list, m.Body)
				return inq.NewSent(inq.SentFields{ID: "far"}), nil
			}
		}
		far := &farQueue{name: "far", send: note(&sent, 2*time.Second)}
		s := w.subscribe(topic, Queue(far), WithRawDelivery())
		require.Equal(t, "arn:aws:sqs:us-east-1:123456789012:far", s.Endpoint())
		grave := &farQueue{name: "grave", send: note(&buried, 5*time.Second)}
		broken := w.subscribe(topic, QueueARN(queueARNPrefix+"gone"), WithRawDelivery(), WithDeadLetter(grave))
		for i := range 3 {
			w.publish(topic, Message{Body: fmt.Sprint(i)})
		}
		require.Zero(t, time.Since(topic.ids.epoch), "nobody has waited")
		require.Equal(t, uint64(1), s.Stats().Failed, "two wait, and there is no room for a third")
		require.Equal(t, uint64(1), broken.Stats().Failed)
		require.Equal(t, 1, w.log.count("not in this process"))
		time.Sleep(11 * time.Second)
		synctest.Wait()
		require.ElementsMatch(t, []string{"0", "1"}, sent)
		require.ElementsMatch(t, []string{"0", "1"}, buried)
		require.Equal(t, SubscriptionStats{Failed: 1, DeadLettered: 2}, broken.Stats())

		// Close does not wait for it either.
		w.publish(topic, Message{Body: "4"})
		began := time.Now()
		require.NoError(t, w.Close())
		require.Zero(t, time.Since(began))
		require.Equal(t, SubscriptionStats{Failed: 2, DeadLettered: 2}, broken.Stats())
		require.Equal(t, SubscriptionStats{Delivered: 2, Failed: 2}, s.Stats())
	})
}

// A copy that the queue has already is counted so (SNS: FIFO-6).
func TestDelivery_AQueueFindsADuplicate(t *testing.T) {
	w := newWorld(t)
	topic, fq := w.fifo("a.fifo"), w.fifoQueue("q.fifo")
	s := w.subscribe(topic, Queue(fq), WithRawDelivery())
	_, err := fq.Send(context.Background(), inq.Message{Body: "x", GroupID: "g", DeduplicationID: "d"})
	require.NoError(t, err)
	w.publish(topic, Message{Body: "y", GroupID: "g", DeduplicationID: "d"})
	require.Equal(t, SubscriptionStats{Deduplicated: 1}, s.Stats())
	require.Equal(t, []string{"x"}, bodies(t, fq))
}

// A target can do its worst: panic, or end the goroutine that it is called by.
func TestDelivery_ATargetThatBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		topic := w.standard("a", WithTopicDeliveryPolicy(`{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":1,"numRetries":1}}}`))
		bad := w.subscribe(topic, Func(func(_ context.Context, n *Notification) error {
			if n.Message == "panic" {
				panic("broken")
			}
			runtime.Goexit()
			return nil
		}))
		fifo := w.fifo("a.fifo")
		worse := w.subscribe(fifo, Func(func(context.Context, *Notification) error { runtime.Goexit(); return nil }), WithDeliveryPolicy(`{"healthyRetryPolicy":{"numRetries":0}}`))
		for i := range 50 {
			w.publish(topic, Message{Body: []string{"panic", "exit"}[i%2]})
			w.publish(fifo, Message{Body: "x", GroupID: "g", DeduplicationID: fmt.Sprint(i)})
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, SubscriptionStats{Failed: 50, Retries: 50}, bad.Stats())
		require.Equal(t, SubscriptionStats{Failed: 50}, worse.Stats())
		require.Equal(t, 25, w.log.count("panicked: broken"))
	})
}

func TestClose_UnderWayEndsAndTheRestGoesToDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		topic, dead := w.standard("a"), w.queue("dead")
		fifo := w.fifo("a.fifo", WithContentBasedDeduplication(true))
		var ended atomic.Int32
		hang := Func(func(ctx context.Context, n *Notification) error {
			<-ctx.Done()
			time.Sleep(time.Second) // it takes a moment to come to an end
			ended.Add(1)
			return ctx.Err()
		})
		s := w.subscribe(topic, hang, WithDeadLetter(dead), WithRawDelivery())
		retried := w.subscribe(topic, newRecorder(always(errNo)), WithDeadLetter(dead), WithRawDelivery())
		lined := w.subscribe(fifo, hang, WithDeadLetter(dead), WithRawDelivery())
		for i := range 20 {
			w.publish(topic, Message{Body: fmt.Sprint("s", i)})
		}
		for i := range 5 {
			w.publish(fifo, Message{Body: fmt.Sprint("f", i), GroupID: "g"})
		}
		synctest.Wait()
		began := time.Now()
		require.NoError(t, w.Close())
		require.Equal(t, time.Second, time.Since(began))
		require.Equal(t, int32(16+1), ended.Load())
		require.Equal(t, SubscriptionStats{DeadLettered: 20}, s.Stats())
		require.Equal(t, SubscriptionStats{DeadLettered: 20}, retried.Stats())
		require.Equal(t, SubscriptionStats{DeadLettered: 5}, lined.Stats())
		require.Len(t, bodies(t, dead), 45)
		_, err := topic.Publish(t.Context(), Message{Body: "x"})
		require.ErrorIs(t, err, ErrClosed)
	})
}

func TestShutdown_WaitsForRetriesAndThenCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		topic := w.standard("a")
		r := newRecorder(func(n *Notification) error {
			if n.Attempt < 3 {
				return errNo
			}
			return nil
		})
		s := w.subscribe(topic, r)
		w.publish(topic, Message{Body: "x"})
		began := time.Now()
		require.NoError(t, w.Shutdown(t.Context()))
		require.Equal(t, 40*time.Second, time.Since(began))
		require.Equal(t, SubscriptionStats{Delivered: 1, Retries: 2}, s.Stats())

		w = newWorld(t)
		topic = w.standard("a")
		s = w.subscribe(topic, newRecorder(always(errNo)))
		w.publish(topic, Message{Body: "x"})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		require.Equal(t, context.DeadlineExceeded, w.Shutdown(ctx))
		require.Equal(t, SubscriptionStats{Failed: 1, Retries: 1}, s.Stats())
	})
}

func TestUnsubscribe_WhatWaitsGoesToTheDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		topic, dead := w.standard("a"), w.queue("dead")
		release := make(chan struct{})
		s := w.subscribe(topic, Func(func(ctx context.Context, n *Notification) error {
			if n.Message == "fails" {
				return errNo
			}
			<-release
			return errNo
		}), WithDeadLetter(dead), WithRawDelivery())
		w.publish(topic, Message{Body: "fails"})
		w.publish(topic, Message{Body: "under way"})
		synctest.Wait()
		require.NoError(t, s.Unsubscribe())
		require.Equal(t, []string{"fails"}, bodies(t, dead))
		require.Contains(t, w.leaving, &s.pipe)
		close(release) // the attempt is the last one
		synctest.Wait()
		require.Equal(t, []string{"under way"}, bodies(t, dead))
		other := w.subscribe(topic, Queue(dead))
		require.NoError(t, other.Unsubscribe())
		require.NotContains(t, w.leaving, &s.pipe)
	})
}

func TestDLQ_TheDeadLetterQueueFailsToo(t *testing.T) {
	w := newWorld(t)
	topic := w.standard("a")
	policy := WithDeliveryPolicy(`{"healthyRetryPolicy":{"numRetries":0}}`)
	for i, opt := range []SubscribeOption{
		WithSubscriptionAttribute("RedrivePolicy", `{"deadLetterTargetArn":"`+queueARNPrefix+`missing"}`),
		WithDeadLetter(w.queue("full", inq.WithCapacity(1, 1))),
		WithDeadLetter(&farQueue{name: "broken", send: func(context.Context, inq.Message) (inq.Sent, error) { panic("no") }}),
	} {
		s := w.subscribe(topic, newRecorder(always(errNo)), policy, opt)
		w.publish(topic, Message{Body: "x"})
		require.NoError(t, s.pipe.wait(context.Background()))
		require.Equal(t, SubscriptionStats{Failed: 1}, s.Stats(), i)
		require.NoError(t, s.Unsubscribe())
	}
	require.Equal(t, 3, w.log.count("deadLetterError"))
}

// A Standard topic can have its dead letters in a FIFO queue as well.
func TestDLQ_AFIFOQueueForAStandardTopic(t *testing.T) {
	w := newWorld(t)
	topic, dead := w.standard("a"), w.fifoQueue("dead.fifo")
	w.subscribe(topic, QueueARN(queueARNPrefix+"gone"), WithDeadLetter(dead), WithRawDelivery())
	p := w.publish(topic, Message{Body: "x"})
	letter := deliveries(t, dead)[0]
	require.Equal(t, p.MessageID(), letter.DeduplicationID())
	require.NotEmpty(t, letter.GroupID)
}
