package topic

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestFIFO1_OrderPerGroupInAllQueues(t *testing.T) {
	w := newWorld(t)
	topic := w.fifo("a.fifo", WithContentBasedDeduplication(true))
	queues := []*inq.FIFO{w.fifoQueue("q0.fifo"), w.fifoQueue("q1.fifo")}
	for _, q := range queues {
		w.subscribe(topic, Queue(q), WithRawDelivery())
	}
	var sequence []string
	for i := range 30 {
		sequence = append(sequence, w.publish(topic, Message{Body: fmt.Sprint(i), GroupID: fmt.Sprint("g", i%3)}).SequenceNumber())
	}
	require.True(t, slices.IsSorted(sequence))
	require.Len(t, slices.Compact(sequence), 30)
	require.Len(t, sequence[0], 20)
	for _, q := range queues {
		last := map[string]int{}
		all := deliveries(t, q)
		require.Len(t, all, 30)
		for _, d := range all {
			var n int
			_, err := fmt.Sscan(d.Body, &n)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint("g", n%3), d.GroupID)
			require.GreaterOrEqual(t, n, last[d.GroupID])
			last[d.GroupID] = n
			require.NotEqual(t, sequence[n], d.SequenceNumber()) // FIFO-8
		}
	}
}

func TestFIFO2To5_Deduplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		topic, fq, q := w.fifo("a.fifo"), w.fifoQueue("q.fifo"), w.queue("q")
		w.subscribe(topic, Queue(fq), WithRawDelivery())
		w.subscribe(topic, Queue(q), WithRawDelivery())
		first := w.publish(topic, Message{Body: "1", GroupID: "g", DeduplicationID: "d"})
		time.Sleep(dedupWindow - 1)
		again := w.publish(topic, Message{Body: "2", GroupID: "other", DeduplicationID: "d"}) // FIFO-5
		require.True(t, again.Duplicate())
		require.Equal(t, []string{first.MessageID(), first.SequenceNumber()}, []string{again.MessageID(), again.SequenceNumber()}) // FIFO-3
		require.Equal(t, []string{"1"}, bodies(t, fq))
		require.Equal(t, []string{"1"}, bodies(t, q))
		time.Sleep(time.Nanosecond)
		later := w.publish(topic, Message{Body: "3", GroupID: "g", DeduplicationID: "d"})
		require.False(t, later.Duplicate())
		require.NotEqual(t, first.MessageID(), later.MessageID())
		require.Equal(t, []string{"3"}, bodies(t, q))
		require.Equal(t, TopicStats{Published: 2, Duplicates: 1, Subscriptions: 2}, topic.Stats())

		// FIFO-4: by content, where the attribute is on.
		content := w.fifo("c.fifo", WithContentBasedDeduplication(true))
		w.subscribe(content, Queue(q), WithRawDelivery())
		w.subscribe(content, Queue(fq), WithRawDelivery())
		bodies(t, fq)
		require.False(t, w.publish(content, Message{Body: "x", GroupID: "g"}).Duplicate())
		require.True(t, w.publish(content, Message{Body: "x", GroupID: "g", Subject: "S", Attributes: map[string]inq.Attribute{"a": inq.String("b")}}).Duplicate())
		require.False(t, w.publish(content, Message{Body: "x", GroupID: "g", DeduplicationID: "own"}).Duplicate())
		sum := sha256.Sum256([]byte("x"))
		require.True(t, w.publish(content, Message{Body: "y", GroupID: "g", DeduplicationID: hex.EncodeToString(sum[:])}).Duplicate())
		require.Equal(t, []string{"x", "x"}, bodies(t, q))
		require.Len(t, deliveries(t, fq), 2) // FIFO-6: the queue itself has no content-based deduplication

		// FIFO-5: ids per group.
		perGroup := w.fifo("p.fifo", WithDeduplicationPerGroup())
		require.False(t, w.publish(perGroup, Message{Body: "x", GroupID: "g", DeduplicationID: "d"}).Duplicate())
		require.False(t, w.publish(perGroup, Message{Body: "x", GroupID: "h", DeduplicationID: "d"}).Duplicate())
		require.True(t, w.publish(perGroup, Message{Body: "x", GroupID: "h", DeduplicationID: "d"}).Duplicate())
	})
}

func TestFIFO7_AMessageThatNobodyGetsUsesUpItsID(t *testing.T) {
	w := newWorld(t)
	topic, q := w.fifo("a.fifo"), w.queue("q")
	w.subscribe(topic, Queue(q), WithFilter(`{"a":["b"]}`))
	w.publish(topic, Message{Body: "x", GroupID: "g", DeduplicationID: "d"})
	require.True(t, w.publish(topic, Message{Body: "x", GroupID: "g", DeduplicationID: "d", Attributes: map[string]inq.Attribute{"a": inq.String("b")}}).Duplicate())
	require.Empty(t, bodies(t, q))
}

func TestFIFO9_10_WhatQueuesAndDeadLettersGet(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	topic, q := w.fifo("a.fifo"), w.queue("q")
	fq, dead, plainDead := w.fifoQueue("q.fifo"), w.fifoQueue("dead.fifo"), w.queue("dead")
	w.subscribe(topic, Queue(q), WithDeadLetter(plainDead))
	_, err := topic.Subscribe(Queue(fq), WithDeadLetter(plainDead)) // SUB-16
	require.ErrorIs(t, err, ErrInvalidParameter)
	s := w.subscribe(topic, Queue(fq), WithRawDelivery(), WithDeadLetter(dead))
	m := Message{Body: "x", GroupID: "g", DeduplicationID: "d1", Attributes: map[string]inq.Attribute{"a": inq.String("b")}}
	w.publish(topic, m)
	native := deliveries(t, fq)[0]
	require.Equal(t, []string{"g", "d1"}, []string{native.GroupID, native.DeduplicationID()})
	loose := deliveries(t, q)[0]
	require.Equal(t, []string{"", "", ""}, []string{loose.GroupID, loose.DeduplicationID(), loose.SequenceNumber()})

	require.NoError(t, w.broker.DeleteQueue(ctx, "q.fifo"))
	require.NoError(t, w.broker.DeleteQueue(ctx, "q"))
	m.DeduplicationID = "d2"
	w.publish(topic, m)
	letter := deliveries(t, dead)[0]
	require.Equal(t, []string{"x", "g", "d2"}, []string{letter.Body, letter.GroupID, letter.DeduplicationID()})
	require.Equal(t, m.Attributes, letter.Attributes())
	require.Contains(t, bodies(t, plainDead)[0], `"SequenceNumber"`)
	require.Equal(t, SubscriptionStats{Delivered: 1, DeadLettered: 1}, s.Stats())
}

func TestFIFO_BatchesKeepTheirOrder(t *testing.T) {
	w := newWorld(t)
	topic, fq := w.fifo("a.fifo", WithContentBasedDeduplication(true)), w.fifoQueue("q.fifo")
	w.subscribe(topic, Queue(fq), WithRawDelivery())
	published, err := topic.PublishBatch(context.Background(), []Message{{Body: "1", GroupID: "g"}, {Body: "2", GroupID: "g"}, {Body: "1", GroupID: "g"}, {Body: "3", GroupID: "g"}})
	require.NoError(t, err)
	require.Equal(t, published[0].MessageID(), published[2].MessageID())
	require.True(t, published[2].Duplicate())
	require.Less(t, published[0].SequenceNumber(), published[1].SequenceNumber())
	require.Less(t, published[1].SequenceNumber(), published[3].SequenceNumber())
	require.Equal(t, []string{"1", "2", "3"}, bodies(t, fq))
}

// FIFO-11: what fails stays in front of its group, and other groups go on.
func TestFIFO11_AFailureIsNotOvertakenInItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		topic := w.fifo("a.fifo", WithContentBasedDeduplication(true))
		fq := w.fifoQueue("q.fifo", inq.WithCapacity(1, 0))
		s := w.subscribe(topic, Queue(fq), WithRawDelivery())
		receive := func() string {
			ds, err := fq.Receive(t.Context(), inq.ReceiveInput{Wait: 20 * time.Second})
			require.NoError(t, err)
			require.Len(t, ds, 1)
			require.NoError(t, ds[0].Delete(t.Context()))
			return ds[0].Body
		}
		for i := range 5 {
			w.publish(topic, Message{Body: fmt.Sprint(i), GroupID: "g"})
		}
		require.Equal(t, SubscriptionStats{Delivered: 1, Waiting: 4, Retries: 3}, s.Stats()) // RET-1: three retries at once
		for i := range 5 {
			require.Equal(t, fmt.Sprint(i), receive())
		}
		require.Zero(t, s.Stats().Waiting)

		// A function that fails for one group only.
		var order []string
		slow := w.fifo("b.fifo", WithContentBasedDeduplication(true), WithTopicDeliveryPolicy(`{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":10,"maxDelayTarget":10,"numRetries":2}}}`))
		began := time.Now()
		w.subscribe(slow, Func(func(_ context.Context, n *Notification) error {
			order = append(order, fmt.Sprintf("%s/%s#%d@%v", n.GroupID, n.Message, n.Attempt, time.Since(began)))
			if n.GroupID == "bad" && n.Message == "0" {
				return fmt.Errorf("no")
			}
			return nil
		}))
		for i := range 2 {
			w.publish(slow, Message{Body: fmt.Sprint(i), GroupID: "bad", DeduplicationID: fmt.Sprint("b", i)})
			synctest.Wait()
			w.publish(slow, Message{Body: fmt.Sprint(i), GroupID: "good", DeduplicationID: fmt.Sprint("g", i)})
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []string{"bad/0#1@0s", "good/0#1@0s", "good/1#1@0s", "bad/0#2@10s", "bad/0#3@20s", "bad/1#1@20s"}, order)
	})
}

// A FIFO topic gives the memory of its window back when nobody publishes any more, and not before.
func TestFIFO_TheWindowIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		topic := w.fifo("a.fifo")
		for i := range 1000 {
			w.publish(topic, Message{Body: "x", GroupID: "g", DeduplicationID: fmt.Sprint(i)})
			time.Sleep(time.Second)
		}
		topic.fifo.mu.Lock()
		held := len(topic.fifo.window)
		topic.fifo.mu.Unlock()
		require.LessOrEqual(t, held, 302)
		require.True(t, w.publish(topic, Message{Body: "x", GroupID: "g", DeduplicationID: "999"}).Duplicate())
		time.Sleep(dedupWindow)
		synctest.Wait()
		require.Nil(t, topic.fifo.window)
		require.Nil(t, topic.fifo.order)
		require.False(t, w.publish(topic, Message{Body: "x", GroupID: "g", DeduplicationID: "999"}).Duplicate())
	})
}
