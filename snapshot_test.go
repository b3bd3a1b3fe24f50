package inq

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMessages_ShowsAllInTheOrderTheyCameWithoutTouchingThem(t *testing.T) {
	onBothTypes(t, func(s steps) {
		began := time.Now()
		s.send("a-1", "b-1", "c-1", "d-1")
		time.Sleep(time.Second)
		s.gets(1, time.Hour, "a-1")
		d := s.gets(1, 0, "b-1")[0]
		require.NoError(s, d.Return(context.Background(), time.Minute))
		s.gets(1, Zero, "c-1")
		type shown struct {
			body      string
			state     MessageState
			count     int
			first     time.Time
			visibleAt time.Time
		}
		now := time.Now()
		for range 2 {
			var got []shown
			for m := range s.q.Messages() {
				got = append(got, shown{m.Body, m.State, m.ReceiveCount, m.FirstReceivedAt, m.VisibleAt})
				require.Equal(s, began, m.SentAt)
				require.Equal(s, "inq", m.SenderID)
				require.NotEmpty(s, m.ID)
				require.Equal(s, s.q.fifo != nil, m.SequenceNumber != "")
				require.Equal(s, s.q.fifo != nil, m.DeduplicationID != "")
			}
			require.Equal(s, []shown{
				{"a-1", "not visible", 1, now, now.Add(time.Hour)},
				{"b-1", "delayed", 0, time.Time{}, now.Add(time.Minute)},
				{"c-1", "visible", 1, now, time.Time{}},
				{"d-1", "visible", 0, time.Time{}, time.Time{}},
			}, got)
		}
		s.counts(2, 1, 1)
	})
	scene(t, "delayed by the queue", func(t *testing.T) {
		q := testFIFO(t, WithDelay(10*time.Second))
		s := steps{t, &q.queue}
		s.send("g-1")
		began := time.Now()
		time.Sleep(time.Second)
		require.NoError(t, q.Configure(WithDelay(time.Minute)))
		for m := range q.Messages() {
			require.Equal(t, StateDelayed, m.State)
			require.Equal(t, began.Add(time.Minute), m.VisibleAt)
		}
	})
	scene(t, "without end", func(t *testing.T) {
		s := standardSteps(t, WithoutSQSLimits())
		s.send("1")
		s.one(Forever)
		for m := range s.q.Messages() {
			require.Zero(t, m.VisibleAt)
		}
	})
}

func TestMessages_OfThousandsWhileTheQueueChanges(t *testing.T) {
	onBothTypes(t, func(s steps) {
		const n = 5000
		for i := range n {
			s.send(fmt.Sprintf("g%d-%05d", i%7, i))
		}
		seen := 0
		last := ""
		for m := range s.q.Messages() {
			number := m.Body[3:]
			require.Greater(s, number, last)
			last = number
			if seen++; seen%100 == 0 {
				s.send(fmt.Sprintf("new-%d", seen)) // is not in it
				s.delete(*s.one(0))                 // may be missing
			}
		}
		require.Greater(s, seen, n-100)
		count := 0
		for range s.q.Messages() {
			if count++; count == 10 {
				break
			}
		}
		require.Equal(s, 10, count)
	})
}

func TestSnapshotMessage_CanBeSentToAnotherQueue(t *testing.T) {
	onBothTypes(t, func(s steps) {
		m := s.message("g-1")
		m.GroupID = "g"
		m.Attributes = map[string]Attribute{"a": Binary([]byte{1, 2}), "b": Number("3")}
		m.TraceHeader, m.SenderID = "trace", "me"
		_, err := s.q.Send(context.Background(), m)
		require.NoError(s, err)
		for snapshot := range s.q.Messages() {
			again := snapshot.Message()
			require.Equal(s, m, again)
			again.Attributes["a"].Binary[0] = 9 // a copy
			require.Equal(s, byte(1), snapshot.Attributes["a"].Binary[0])
			sent, err := s.q.Send(context.Background(), again)
			require.NoError(s, err)
			require.Equal(s, s.q.fifo != nil, sent.Duplicate()) // so that a second copy is not added
		}
	})
	scene(t, "the hash of the body is an id too", func(t *testing.T) {
		s := fifoSteps(t, WithContentBasedDeduplication(true))
		s.sendID("b", "g", "")
		other := fifoSteps(t)
		for range 2 {
			for snapshot := range s.q.Messages() {
				_, err := other.q.Send(context.Background(), snapshot.Message())
				require.NoError(t, err)
			}
		}
		other.gets(10, 0, "b")
	})
}

func TestMessages_WhatIsDueDuringTheIterationIsSeenAsCarriedOut(t *testing.T) {
	onBothTypes(t, func(s steps) {
		for i := range entriesAtOnce + 1 {
			s.send(fmt.Sprintf("g%d-1", i))
		}
		for range entriesAtOnce/10 + 1 {
			_, err := s.q.Receive(context.Background(), ReceiveInput{Max: 10})
			require.NoError(s, err)
		}
		n := 0
		for m := range s.q.Messages() {
			n++
			switch n {
			case entriesAtOnce:
				require.Equal(s, StateNotVisible, m.State)
				untilDue(s.q, 30*time.Second)
			case entriesAtOnce + 1:
				require.Equal(s, StateVisible, m.State)
			}
		}
		require.Equal(s, entriesAtOnce+1, n)
	})
}
