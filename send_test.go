package inq

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sendBatch sends bodies as one batch.
func (s steps) sendBatch(bodies ...string) ([]Sent, error) {
	var ms []Message
	for _, b := range bodies {
		ms = append(ms, s.message(b))
	}
	return s.q.SendBatch(context.Background(), ms)
}

// requireFailures compares the entries that failed and the sentinels of their errors.
func requireFailures(t testing.TB, err error, want map[int]error) {
	t.Helper()
	var be *BatchError
	require.ErrorAs(t, err, &be)
	last := -1
	for _, f := range be.Failed {
		require.Greater(t, f.Index, last) // in order
		last = f.Index
		require.Contains(t, want, f.Index)
		requireRefusal(t, f.Err, want[f.Index])
		require.ErrorIs(t, err, want[f.Index])
	}
	require.Len(t, be.Failed, len(want))
}

func TestBAT1_ABatchHasOneToTenEntries(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx := context.Background()
		for _, n := range []int{0, 1, 9, 10, 11, 100} {
			require.NoError(s, s.q.Purge(ctx))
			var ms []Message
			for i := range n {
				ms = append(ms, s.message(fmt.Sprint("g-", i)))
			}
			handles := make([]string, n)
			changes := make([]VisibilityChange, n)
			sent, errSend := s.q.SendBatch(ctx, ms)
			errDelete := s.q.DeleteBatch(ctx, handles)
			errChange := s.q.ChangeVisibilityBatch(ctx, changes)
			if n >= 1 && n <= 10 {
				require.NoError(s, errSend)
				require.Len(s, sent, n)
				s.counts(n, 0, 0)
				require.Len(s, s.receive(10, 0), n)
				var be *BatchError
				require.ErrorAs(s, errDelete, &be) // the handles are empty, each fails
				require.Len(s, be.Failed, n)
				require.ErrorAs(s, errChange, &be)
				require.Len(s, be.Failed, n)
				continue
			}
			require.Nil(s, sent)
			want := ErrTooManyEntries
			if n == 0 {
				want = ErrEmptyBatch
			}
			for param, err := range map[string]error{"SendMessageBatch": errSend, "DeleteMessageBatch": errDelete, "ChangeMessageVisibilityBatch": errChange} {
				requireRefusal(s, err, want)
				require.Equal(s, ParamError{Err: want, Param: param, Value: n, Min: 1, Max: 10, Reason: "entries"}, *requireParamError(s, err))
			}
			s.counts(0, 0, 0)
		}
	})
}

func TestBAT3_TheSumOfABatchIsBoundToOneMiB(t *testing.T) {
	onBothTypes(t, func(s steps) {
		part := "g-" + strings.Repeat("x", 1<<20/8-3) // with one more letter each an eighth of a MiB
		var bodies []string
		for i := range 8 {
			bodies = append(bodies, part+fmt.Sprint(i))
		}
		ids := func(bodies []string) (ms []Message) {
			for i, b := range bodies {
				m := s.message(b)
				if s.q.fifo != nil {
					m.DeduplicationID = fmt.Sprint(i)
				}
				ms = append(ms, m)
			}
			return ms
		}
		_, err := s.q.SendBatch(context.Background(), ids(bodies))
		require.NoError(s, err)
		require.Equal(s, int64(1<<20), s.q.Stats().Bytes)
		bodies[3] += "y"
		sent, err := s.q.SendBatch(context.Background(), ids(bodies))
		require.Nil(s, sent)
		requireRefusal(s, err, ErrBatchTooLong)
		require.Equal(s, ParamError{Err: ErrBatchTooLong, Param: "SendMessageBatch", Value: 1<<20 + 1, Max: 1 << 20, Reason: "bytes in sum"}, *requireParamError(s, err))
		s.counts(8, 0, 0)
		// One entry that alone exceeds it, and attributes count.
		_, err = s.q.SendBatch(context.Background(), ids([]string{"g-" + strings.Repeat("x", 1<<20)}))
		requireRefusal(s, err, ErrBatchTooLong)
		m := ids([]string{"g-" + strings.Repeat("x", 1<<20-10)})
		m[0].Attributes = map[string]Attribute{"abc": String("de")}
		_, err = s.q.SendBatch(context.Background(), m)
		requireRefusal(s, err, ErrBatchTooLong)
		s.counts(8, 0, 0)
	})
}

func TestBAT3_TheBoundIsNotTheMaximumMessageSize(t *testing.T) {
	s := standardSteps(t, WithMaxMessageSize(1024))
	full := strings.Repeat("x", 1024)
	_, err := s.sendBatch(full, full, full)
	require.NoError(t, err)
}

func TestBAT4and5_OnStandardAFaultFailsItsEntryAlone(t *testing.T) {
	scene(t, "all faults at once", func(t *testing.T) {
		s := standardSteps(t, WithMaxMessageSize(1024))
		ms := []Message{
			{Body: "a"},
			{Body: strings.Repeat("x", 1025)},
			{Body: "b\x00"},
			{Body: "b"},
			{},
			{Body: "x", Delay: 16 * time.Minute},
			{Body: "x", DeduplicationID: "d"},
			{Body: "x", Attributes: map[string]Attribute{"": String("v")}},
			{Body: "x", GroupID: " "},
			{Body: "c"},
		}
		sent, err := s.q.SendBatch(context.Background(), ms)
		requireFailures(t, err, map[int]error{1: ErrInvalidParameter, 2: ErrInvalidMessageContents, 4: ErrMissingParameter,
			5: ErrInvalidParameter, 6: ErrInvalidParameter, 7: ErrInvalidParameter, 8: ErrInvalidParameter})
		require.Len(t, sent, len(ms))
		ds := s.gets(10, 0, "a", "b", "c")
		for i, at := range []int{0, 3, 9} {
			require.Equal(t, ds[i].ID(), sent[at].ID())
		}
		for _, at := range []int{1, 2, 4, 5, 6, 7, 8} {
			require.Zero(t, sent[at])
			require.Empty(t, sent[at].ID())
			require.Empty(t, sent[at].SequenceNumber())
		}
		require.Equal(t, uint64(3), s.q.Stats().Sent)
	})
	scene(t, "nothing is left", func(t *testing.T) {
		s := standardSteps(t)
		sent, err := s.sendBatch("\x00", "")
		requireFailures(t, err, map[int]error{0: ErrInvalidMessageContents, 1: ErrMissingParameter})
		require.Equal(t, make([]Sent, 2), sent)
		require.Contains(t, err.Error(), "2 batch entries failed, the first at index 0: invalid message contents: MessageBody (Message.Body): ")
	})
}

func TestBAT5and7_OnFIFOOnlyContentsFailAlone(t *testing.T) {
	fine := func(i int) Message { return Message{Body: "b", GroupID: "g", DeduplicationID: fmt.Sprint("d", i)} }
	for _, c := range []struct {
		name  string
		bad   func(m *Message)
		whole string // the parameter that fails the whole batch
		alone error
	}{
		{"group id", func(m *Message) { m.GroupID = "" }, "MessageGroupId", nil},
		{"deduplication id", func(m *Message) { m.DeduplicationID = "" }, "MessageDeduplicationId", nil},
		{"delay", func(m *Message) { m.Delay = 2 * time.Second }, "DelaySeconds", nil},
		{"size", func(m *Message) { m.Body = strings.Repeat("x", 1025) }, "MessageSize", nil},
		{"size with attributes", func(m *Message) {
			m.Attributes = map[string]Attribute{"a": String(strings.Repeat("x", 1024-1-6))} // and the body of one byte
		}, "MessageSize", nil},
		{"characters", func(m *Message) { m.Body = "\x00" }, "", ErrInvalidMessageContents},
		{"empty", func(m *Message) { m.Body = "" }, "", ErrMissingParameter},
		{"attribute", func(m *Message) { m.Attributes = map[string]Attribute{"": String("v")} }, "", ErrInvalidParameter},
		{"bad group id", func(m *Message) { m.GroupID = " " }, "", ErrInvalidParameter},
		{"bad deduplication id", func(m *Message) { m.DeduplicationID = " " }, "", ErrInvalidParameter},
	} {
		for at := range 3 {
			q := testFIFO(t, WithMaxMessageSize(1024))
			ms := []Message{fine(0), fine(1), fine(2)}
			c.bad(&ms[at])
			sent, err := q.SendBatch(context.Background(), ms)
			if c.whole != "" {
				require.Nil(t, sent, c.name)
				requireRefusal(t, err, ErrInvalidParameter)
				require.Equal(t, c.whole, requireParamError(t, err).Param)
				require.Zero(t, q.Stats().Sent)
				// Nothing was remembered of it either.
				for i := range 3 {
					s, err := q.Send(context.Background(), fine(i))
					require.NoError(t, err)
					require.False(t, s.Duplicate())
				}
				continue
			}
			requireFailures(t, err, map[int]error{at: c.alone})
			require.Equal(t, uint64(2), q.Stats().Sent)
			for i := range sent {
				require.Equal(t, i == at, sent[i].ID() == "")
			}
		}
	}
}

func TestBAT8_ResultsAreInTheOrderOfTheRequest(t *testing.T) {
	onBothTypes(t, func(s steps) {
		bodies := []string{"g-9", "g-1", "h-5", "g-3", "a-0"}
		sent, err := s.sendBatch(bodies...)
		require.NoError(s, err)
		byBody := map[string]string{}
		for _, d := range s.receive(10, 0) {
			byBody[d.Body] = d.ID()
		}
		for i, b := range bodies {
			require.Equal(s, byBody[b], sent[i].ID())
		}
	})
}

func TestErrFull_StopsABatchInTheMiddle(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-0")
		sent, err := s.sendBatch("g-1", "g-\x00", "g-2", "g-3", "g-4")
		requireFailures(s, err, map[int]error{1: ErrInvalidMessageContents, 3: ErrFull, 4: ErrFull})
		require.NotEmpty(s, sent[0].ID())
		require.NotEmpty(s, sent[2].ID())
		require.Zero(s, sent[3])
		s.gets(10, 0, "g-0", "g-1", "g-2")
	}, WithCapacity(3, 0))
}

func TestWithCapacity_BoundsMessagesAndBytes(t *testing.T) {
	ctx := context.Background()
	onBothTypes(t, func(s steps) {
		s.send("g-1", "g-2")
		_, err := s.q.Send(ctx, s.message("g-3"))
		requireRefusal(s, err, ErrFull)
		require.Equal(s, ParamError{Err: ErrFull, Param: "Capacity", Value: 2, Max: 2, Reason: "holds 2 of 2 messages"}, *requireParamError(s, err))
		requireRefusal(s, s.q.DeadLetter(ctx, DeadLetter{Body: "b", GroupID: "g"}), ErrFull)
		d := s.one(0) // in flight it still takes its room
		_, err = s.q.Send(ctx, s.message("g-3"))
		requireRefusal(s, err, ErrFull)
		s.delete(*d)
		s.send("g-3")
		s.counts(2, 0, 0)
		require.NoError(s, s.q.Purge(ctx))
		s.send("g-4")
	}, WithCapacity(2, 0))
	onBothTypes(t, func(s steps) {
		s.send("g-345")
		s.send("h-345")
		_, err := s.q.Send(ctx, s.message("i"))
		requireRefusal(s, err, ErrFull)
		require.Equal(s, ParamError{Err: ErrFull, Param: "Capacity", Value: int64(11), Max: int64(10),
			Reason: "holds 10 of 10 bytes, and the message has 1"}, *requireParamError(s, err))
		s.delete(*s.one(0))
		s.send("i-1")
		s.send("j")
		s.send("k")
		require.Equal(s, int64(10), s.q.Stats().Bytes)
	}, WithCapacity(0, 10))
	t.Run("a smaller bound leaves what is there", func(t *testing.T) {
		q := testStandard(t)
		s := steps{t, &q.queue}
		s.send("1", "2", "3")
		require.NoError(t, q.Configure(WithCapacity(1, 1)))
		s.counts(3, 0, 0)
		_, err := q.Send(ctx, Message{Body: "x"})
		requireRefusal(t, err, ErrFull)
		require.NoError(t, q.Configure(WithCapacity(0, 0)))
		s.send("4")
	})
}

func TestConfigure_AppliesToLaterSends(t *testing.T) {
	q := testStandard(t)
	s := steps{t, &q.queue}
	body := strings.Repeat("x", 2000)
	s.send(body)
	require.NoError(t, q.Configure(WithMaxMessageSize(1999)))
	_, err := q.Send(context.Background(), Message{Body: body})
	requireRefusal(t, err, ErrInvalidParameter)
	s.gets(10, 0, body)
}
