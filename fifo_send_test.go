package inq

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFIFO1_SequenceNumbersHaveTwentyDigitsAndGrow(t *testing.T) {
	ctx := context.Background()
	q := testFIFO(t)
	last := ""
	for i := range 100 {
		sent, err := q.Send(ctx, Message{Body: "b", GroupID: fmt.Sprint(i % 7), DeduplicationID: fmt.Sprint(i)})
		require.NoError(t, err)
		require.Regexp(t, `^[0-9]{20}$`, sent.SequenceNumber())
		require.Greater(t, sent.SequenceNumber(), last)
		last = sent.SequenceNumber()
	}
	ds, err := q.Receive(ctx, ReceiveInput{Max: 10})
	require.NoError(t, err)
	require.Len(t, ds, 10)
	for i := range ds {
		require.Regexp(t, `^[0-9]{20}$`, ds[i].SequenceNumber())
	}

	s := testStandard(t)
	sent, err := s.Send(ctx, Message{Body: "b"})
	require.NoError(t, err)
	require.Empty(t, sent.SequenceNumber())
	ds, err = s.Receive(ctx, ReceiveInput{})
	require.NoError(t, err)
	require.Empty(t, ds[0].SequenceNumber())
}

func TestFIFO1_NoSequenceNumberFollowsTheOneBeforeIt(t *testing.T) {
	ids := newIdentity(true)
	last := ids.first - 2
	for seq := range uint64(400_000) { // so many, since few hashes end in the highest and the next in the lowest
		n, err := strconv.ParseUint(ids.sequenceNumber(seq), 10, 64)
		require.NoError(t, err)
		if n < last+2 {
			require.Fail(t, "too near", "%d after %d", n, last)
		}
		last = n
	}
	require.Less(t, last-ids.first, uint64(400_000*sequenceStep))
}

func TestFIFO2to4_MissingIdsAreRefused(t *testing.T) {
	ctx := context.Background()
	noGroup := Message{Body: "b", DeduplicationID: "d"}
	noDedup := Message{Body: "b", GroupID: "g"}
	for _, c := range []struct {
		name    string
		m       Message
		param   string
		one     error
		inBatch error
	}{
		{"FIFO-2 group id", noGroup, "MessageGroupId", ErrMissingParameter, ErrInvalidParameter},
		{"FIFO-3 deduplication id", noDedup, "MessageDeduplicationId", ErrInvalidParameter, ErrInvalidParameter},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := testFIFO(t)
			_, err := q.Send(ctx, c.m)
			require.ErrorIs(t, err, c.one)
			require.Equal(t, c.param, requireParamError(t, err).Param)

			// FIFO-4: in a batch, wherever it stands, it fails the whole request.
			good := Message{Body: "b", GroupID: "g", DeduplicationID: "x"}
			for _, ms := range [][]Message{{c.m, good}, {good, c.m}} {
				sent, err := q.SendBatch(ctx, ms)
				require.Nil(t, sent)
				require.ErrorIs(t, err, c.inBatch)
				require.Equal(t, c.param, requireParamError(t, err).Param)
			}
			require.Zero(t, q.Stats().Sent)
		})
	}
}

func TestFIFO4_AMissingIdFailsTheBatchEvenBesideAnotherFaultOfTheSameEntry(t *testing.T) {
	q := testFIFO(t)
	sent, err := q.SendBatch(context.Background(), []Message{
		{Body: "a", GroupID: "g", DeduplicationID: "a"},
		{Body: "\x00", DeduplicationID: "b"},
	})
	require.Nil(t, sent)
	require.ErrorIs(t, err, ErrInvalidParameter)
	require.Equal(t, "MessageGroupId", requireParamError(t, err).Param)
	require.Zero(t, q.Stats().Sent)
}

func TestFIFO5_ADelayOfAMessageIsRefusedAndZeroMeansTheQueuesOwn(t *testing.T) {
	scene(t, "zero", func(t *testing.T) {
		ctx := context.Background()
		s := fifoSteps(t, WithDelay(10*time.Second))
		for _, d := range []time.Duration{2 * time.Second, 1, 15 * time.Minute, -1} {
			m := s.message("g-bad")
			m.Delay = d
			_, err := s.q.Send(ctx, m)
			require.ErrorIs(t, err, ErrInvalidParameter, "%v", d)
			require.Equal(t, "DelaySeconds", requireParamError(t, err).Param)
		}
		for i, d := range []time.Duration{0, Zero} {
			m := s.message(fmt.Sprintf("g-%d", i))
			m.Delay = d
			_, err := s.q.Send(ctx, m)
			require.NoError(t, err)
		}
		s.counts(0, 0, 2)
		time.Sleep(10*time.Second - 1)
		s.gets(10, 0)
		time.Sleep(time.Nanosecond)
		s.gets(10, 0, "g-0", "g-1")
	})
}

func TestFIFO6_ABatchIsEnqueuedInTheOrderOfTheList(t *testing.T) {
	s := steps{t, &testFIFO(t).queue}
	var ms []Message
	var want []string
	for i := range 10 {
		ms = append(ms, s.message(fmt.Sprintf("g-%d", i)))
		want = append(want, ms[i].Body)
	}
	sent, err := s.q.SendBatch(context.Background(), ms)
	require.NoError(t, err)
	for i := 1; i < len(sent); i++ {
		require.Greater(t, sent[i].SequenceNumber(), sent[i-1].SequenceNumber())
	}
	s.gets(10, 0, want...)
}

func TestFIFO7_TheQueuesDelayAppliesToEveryMessageAndKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t, WithDelay(2*time.Second))
		s.send("g-1")
		time.Sleep(time.Second)
		s.send("g-2", "h-1")
		s.counts(0, 0, 3)
		time.Sleep(time.Second - 1)
		s.gets(10, 0)
		time.Sleep(time.Nanosecond)
		s.counts(1, 0, 2)
		first := s.gets(10, 0, "g-1")
		time.Sleep(time.Second)
		s.counts(2, 1, 0)
		s.gets(10, 0, "h-1")
		s.delete(first...)
		s.gets(10, 0, "g-2")
	})
}

func TestNAM3_IdsHave1To128PrintableCharacters(t *testing.T) {
	ctx := context.Background()
	var all strings.Builder
	for c := '!'; c <= '~'; c++ {
		all.WriteRune(c)
	}
	require.Len(t, all.String(), 94)
	ok := []string{"!", "~", "a", strings.Repeat("x", 127), strings.Repeat("x", 128), all.String()}
	bad := []string{" ", "a b", strings.Repeat("x", 129), "\x7f", "a\x1f", "é", "\x00", "a\n", "\xff"}

	uses := []struct {
		name string
		do   func(q *FIFO, id string, i int) error
	}{
		{"MessageGroupId", func(q *FIFO, id string, i int) error {
			_, err := q.Send(ctx, Message{Body: "b", GroupID: id, DeduplicationID: fmt.Sprint(i)})
			return err
		}},
		{"MessageDeduplicationId", func(q *FIFO, id string, _ int) error {
			_, err := q.Send(ctx, Message{Body: "b", GroupID: "g", DeduplicationID: id})
			return err
		}},
		{"ReceiveRequestAttemptId", func(q *FIFO, id string, _ int) error {
			_, err := q.Receive(ctx, ReceiveInput{Wait: Zero, AttemptID: id})
			return err
		}},
	}
	for _, u := range uses {
		t.Run(u.name, func(t *testing.T) {
			q := testFIFO(t)
			for i, id := range ok {
				require.NoError(t, u.do(q, id, i), "%q", id)
			}
			before := q.Stats()
			for i, id := range bad {
				err := u.do(q, id, i)
				require.ErrorIs(t, err, ErrInvalidParameter, "%q", id)
				require.Equal(t, u.name, requireParamError(t, err).Param)
				require.Equal(t, id, requireParamError(t, err).Value)
			}
			require.Equal(t, before.Counts, q.Stats().Counts)
		})
	}
	t.Run("every byte at every place of every length", func(t *testing.T) {
		for n := 1; n <= maxIDLength; n++ {
			for _, others := range []string{"!", "~"} { // the neighbours in the order of bytes of those that are refused
				id := []byte(strings.Repeat(others, n))
				for i := range id {
					for c := range 256 {
						id[i] = byte(c)
						if (checkID("id", string(id)) == nil) != ('!' <= c && c <= '~') {
							t.Fatalf("%q", id)
						}
					}
					id[i] = others[0]
				}
			}
		}
	})
	t.Run("a name comes back as it was given", func(t *testing.T) {
		q := testFIFO(t)
		_, err := q.Send(ctx, Message{Body: "b", GroupID: all.String(), DeduplicationID: strings.Repeat("~", 128)})
		require.NoError(t, err)
		ds, err := q.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
		require.Equal(t, all.String(), ds[0].GroupID)
		require.Equal(t, strings.Repeat("~", 128), ds[0].DeduplicationID())
	})
	t.Run("on Standard a group id obeys the same rule, an attempt id is ignored", func(t *testing.T) {
		q := testStandard(t)
		for _, id := range ok {
			_, err := q.Send(ctx, Message{Body: "b", GroupID: id})
			require.NoError(t, err)
		}
		for _, id := range bad {
			_, err := q.Send(ctx, Message{Body: "b", GroupID: id})
			require.ErrorIs(t, err, ErrInvalidParameter)
			_, err = q.Receive(ctx, ReceiveInput{Wait: Zero, AttemptID: id})
			require.NoError(t, err)
		}
	})
}
