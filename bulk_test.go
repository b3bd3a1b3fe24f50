package inq

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// all receives everything that is visible, in as many receives as it takes.
func (s steps) all(visibility time.Duration) (ds []Delivery) {
	s.Helper()
	for {
		got := s.receive(mostAtOnce, visibility)
		if len(got) == 0 {
			return ds
		}
		ds = append(ds, got...)
	}
}

// drain receives and deletes everything that is visible.
func (s steps) drain() (n int) {
	s.Helper()
	dst := make([]Delivery, mostAtOnce)
	for {
		got, err := s.q.ReceiveInto(context.Background(), dst, ReceiveInput{Max: len(dst), Wait: Zero})
		require.NoError(s, err)
		if got == 0 {
			return n
		}
		require.NoError(s, s.q.DeleteAll(context.Background(), dst[:got]))
		n += got
	}
}

func TestQueue_ManyGroupsComeAndGo(t *testing.T) {
	const groups = 5000
	onBothTypes(t, func(s steps) {
		for range 2 {
			for i := range groups {
				m := s.message(fmt.Sprintf("g%d-1", i))
				m.GroupID = fmt.Sprintf("g%d", i)
				_, err := s.q.Send(context.Background(), m)
				require.NoError(s, err)
			}
			require.Equal(s, groups, s.q.Stats().Groups)
			require.Equal(s, groups, s.drain())
			require.Zero(s, s.q.Stats().Groups)
			checkInvariants(s, s.q)
			time.Sleep(dedupWindow) // the same ids again
		}
	}, WithoutSQSLimits())
}

func TestStandard_AnEmptiedLargeQueueGivesItsMemoryBackAndGoesOn(t *testing.T) {
	s := standardSteps(t, WithoutSQSLimits())
	ctx := context.Background()
	for range 2 {
		for i := range forgetSize + 10 {
			m := Message{Body: "b"}
			if i == 2*chunkSize+5 { // groups in one chunk of many
				m.GroupID = "g"
			}
			_, err := s.q.Send(ctx, m)
			require.NoError(t, err)
		}
		checkInvariants(t, s.q)
		require.Equal(t, forgetSize+10, s.drain())
		require.Zero(t, s.q.store.size, "nothing is kept")
		s.send("1", "2")
		checkInvariants(t, s.q)
		s.delete(s.gets(10, time.Minute, "1", "2")...)
	}
}

func TestStandard_VIS9_MoreTimeoutsThanOneStepTakesEndInOrder(t *testing.T) {
	for _, lost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const n = 3*stepBudget + 1
			s := standardSteps(t, WithoutSQSLimits())
			var want []string
			for i := range n {
				want = append(want, fmt.Sprint(i))
			}
			s.send(want...)
			require.Len(t, s.all(0), n)
			if lost {
				s.loseTimer()
			}
			time.Sleep(30 * time.Second)
			s.counts(n, 0, 0)
			require.Equal(t, want, bodiesOf(s.all(time.Minute)))
		})
	}
}

func TestFIFO5_MoreDelaysThanOneStepTakesEndInOrder(t *testing.T) {
	for _, lost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const n = 3*stepBudget + 1
			s := fifoSteps(t, WithoutSQSLimits(), WithDelay(time.Second))
			var want []string
			for i := range n {
				want = append(want, fmt.Sprintf("g%d-1", i))
			}
			s.send(want...)
			if lost {
				s.loseTimer()
			}
			time.Sleep(time.Second)
			s.counts(n, 0, 0)
			require.Equal(t, want, bodiesOf(s.all(time.Minute)))
		})
	}
}

func TestFIFO_LC3_RetentionMayEndBeforeTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t, WithDelay(15*time.Minute), WithRetention(time.Minute))
		s.send("g-1", "g-2")
		s.counts(0, 0, 2)
		time.Sleep(time.Minute)
		s.counts(0, 0, 0)
		require.Equal(t, uint64(2), s.q.Stats().Expired)
	})
}

func TestStandard_FAIR2_ABatchWithoutGroupsIntoAQueueWithGroups(t *testing.T) {
	s := standardSteps(t)
	_, err := s.q.Send(context.Background(), Message{Body: "1", GroupID: "g"})
	require.NoError(t, err)
	sent, err := s.q.SendBatch(context.Background(), []Message{{Body: "2"}, {Body: ""}, {Body: "3"}})
	var batch *BatchError
	require.ErrorAs(t, err, &batch)
	require.Equal(t, []any{1, 1}, []any{len(batch.Failed), batch.Failed[0].Index})
	require.Zero(t, sent[1])
	require.NotEmpty(t, sent[2].ID())
	s.gets(10, 0, "1", "2", "3")
}
