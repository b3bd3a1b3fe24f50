package inq

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stats compares some fields of the statistics.
func (s steps) stats(pick func(st *Stats) any, want any) {
	s.Helper()
	st := s.q.Stats()
	require.Equal(s, want, pick(&st))
}

func TestStats_TotalsFollowTheirDefinitions(t *testing.T) {
	onBothTypes(t, func(s steps) {
		ctx := context.Background()
		require.Equal(s, Stats{}, s.q.Stats())

		// Sent, SentBytes, Bytes: messages and their bodies and attributes.
		s.send("g-1", "g-22")
		m := s.message("h-1")
		m.Attributes = map[string]Attribute{"a": String("bc")} // 9 bytes
		_, err := s.q.Send(ctx, m)
		require.NoError(s, err)
		want := Stats{Counts: Counts{Visible: 3}, Quiet: Counts{Visible: 3}, Sent: 3, SentBytes: 19, Bytes: 19}
		if s.q.fifo != nil {
			want.Groups = 2
		}
		require.Equal(s, want, s.q.Stats())

		// EmptyReceives: receives that returned nothing, short and long; refused and ended ones are
		// none of them.
		require.NoError(s, s.q.Purge(ctx))
		s.gets(1, 0)
		_, err = s.q.Receive(ctx, ReceiveInput{Wait: time.Second})
		require.NoError(s, err)
		_, err = s.q.ReceiveInto(ctx, make([]Delivery, 1), ReceiveInput{})
		require.NoError(s, err)
		_, err = s.q.Receive(ctx, ReceiveInput{Max: -1})
		require.Error(s, err)
		ended, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err = s.q.Receive(ended, ReceiveInput{Wait: 2 * time.Second})
		require.Error(s, err)
		want = Stats{Sent: 3, SentBytes: 19, Purged: 3, EmptyReceives: 3}
		require.Equal(s, want, s.q.Stats())

		// Received: each message handed out, redeliveries again.
		s.send("g-3", "g-4")
		ds := s.receive(10, time.Second)
		time.Sleep(time.Second)
		ds = append(ds, s.receive(10, 0)...)
		require.Len(s, ds, 4)
		s.stats(func(st *Stats) any { return st.Received }, uint64(4))
		s.receive(10, 0)
		s.stats(func(st *Stats) any { return st.EmptyReceives }, uint64(4))

		// Deleted: each delete that succeeds.
		s.delete(ds[2], ds[2])
		require.NoError(s, s.q.DeleteBatch(ctx, []string{ds[3].ReceiptHandle(), ds[3].ReceiptHandle()}))
		require.NoError(s, s.q.DeleteAll(ctx, []Delivery{ds[3]}))
		require.Error(s, s.q.Delete(ctx, "junk"))
		s.stats(func(st *Stats) any { return st.Deleted }, uint64(5))

		// Expired.
		s.send("g-5")
		time.Sleep(4 * 24 * time.Hour)
		want = Stats{Sent: 6, SentBytes: 28, Purged: 3, EmptyReceives: 4, Received: 4, ReceivedAgain: 2, TimedOut: 2, Deleted: 5, Expired: 1}
		require.Equal(s, want, s.q.Stats())

		// A message of elsewhere is not sent.
		require.NoError(s, s.q.DeadLetter(ctx, DeadLetter{Body: "four", GroupID: "g"}))
		want.MovedIn, want.Bytes, want.Visible, want.Quiet.Visible, want.Groups = 1, 4, 1, 1, 1
		require.Equal(s, want, s.q.Stats())
	})
}

func TestStats_DeadLettersCountWhereTheyGo(t *testing.T) {
	ctx := context.Background()
	scene(t, "taken", func(t *testing.T) {
		dlq := testStandard(t)
		s := standardSteps(t, WithDeadLetter(dlq, 1))
		s.send("1", "2")
		s.receive(10, time.Second)
		time.Sleep(time.Second)
		s.gets(10, 0)
		got := s.q.Stats()
		require.Equal(t, Stats{Sent: 2, SentBytes: 2, Received: 2, TimedOut: 2, EmptyReceives: 1, DeadLettered: 2}, got)
		require.Equal(t, Stats{Counts: Counts{Visible: 2}, Quiet: Counts{Visible: 2}, Bytes: 2, MovedIn: 2}, dlq.Stats()) // DLQ-7: not sent

		task, err := dlq.Redrive(ctx, RedriveInput{})
		require.NoError(t, err)
		<-task.Done()
		require.Equal(t, uint64(2), dlq.Stats().MovedOut)
		require.Equal(t, uint64(2), s.q.Stats().MovedIn)
		s.counts(2, 0, 0)
	})
	scene(t, "failed", func(t *testing.T) {
		fail := DeadLetterFunc(func(context.Context, DeadLetter) error { return fmt.Errorf("no") })
		s := standardSteps(t, WithDeadLetter(fail, 1))
		s.send("1")
		s.one(Zero)
		s.meets()
		s.counts(0, 1, 0)
		s.stats(func(st *Stats) any { return []uint64{st.DeadLettered, st.DeadLetterFailures} }, []uint64{0, 1})
		time.Sleep(time.Second)
		s.meets()
		s.stats(func(st *Stats) any { return []uint64{st.DeadLettered, st.DeadLetterFailures} }, []uint64{0, 2})
	})
}

func TestStats_OldestAge(t *testing.T) {
	age := func(st *Stats) any { return st.OldestAge }
	onBothTypes(t, func(s steps) {
		s.stats(age, time.Duration(0))
		s.send("g-1")
		time.Sleep(time.Second)
		s.send("h-1")
		s.stats(age, time.Second)
		d := s.one(time.Hour)
		time.Sleep(time.Second)
		s.stats(age, 2*time.Second) // in flight too
		s.delete(*d)
		s.stats(age, time.Second)
		s.delete(*s.one(0))
		s.stats(age, time.Duration(0))
	})
	scene(t, "a poison pill is left out on Standard", func(t *testing.T) {
		s := standardSteps(t)
		s.send("1")
		time.Sleep(time.Second)
		s.send("2")
		for range 3 {
			s.stats(age, time.Second)
			s.change(s.one(0), 0)
		}
		s.stats(age, time.Duration(0))
		require.Equal(t, time.Duration(0), s.q.Stats().QuietOldestAge)
		time.Sleep(time.Minute)
		s.stats(age, time.Minute)
	})
	scene(t, "a failing head keeps counting on FIFO", func(t *testing.T) {
		s := fifoSteps(t)
		s.send("g-1")
		for range 5 {
			s.change(s.one(0), 0)
		}
		time.Sleep(time.Second)
		s.stats(age, time.Second)
	})
	scene(t, "in a dead-letter queue since the move", func(t *testing.T) {
		dlq := testStandard(t)
		s := standardSteps(t, WithDeadLetter(dlq, 1))
		s.send("1")
		time.Sleep(time.Hour)
		s.one(Zero)
		s.gets(1, 0)
		time.Sleep(time.Second)
		require.Equal(t, time.Second, dlq.Stats().OldestAge)
	})
}

func TestStats_GroupsOnFIFO(t *testing.T) {
	scene(t, "groups", func(t *testing.T) {
		s := fifoSteps(t)
		groups := func(st *Stats) any { return [2]int{st.Groups, st.GroupsInFlight} }
		s.send("a-1", "a-2", "b-1", "c-1")
		s.stats(groups, [2]int{3, 0})
		ds := s.gets(3, 0, "a-1", "a-2", "b-1")
		s.stats(groups, [2]int{3, 2})
		s.delete(ds[0])
		s.stats(groups, [2]int{3, 2})
		s.delete(ds[1], ds[2])
		s.stats(groups, [2]int{1, 0})
	})
	scene(t, "deduplicated", func(t *testing.T) {
		s := fifoSteps(t)
		s.send("a-1", "a-1", "a-1")
		s.stats(func(st *Stats) any { return [2]uint64{st.Sent, st.Deduplicated} }, [2]uint64{1, 2})
	})
}

func TestStats_NoisyGroupsOnStandard(t *testing.T) {
	scene(t, "noisy", func(t *testing.T) {
		ctx := context.Background()
		s := standardSteps(t)
		send := func(group string, n int) {
			for range n {
				_, err := s.q.Send(ctx, Message{Body: "b", GroupID: group})
				require.NoError(t, err)
			}
		}
		send("loud", 40)
		time.Sleep(time.Second)
		send("calm", 5)
		s.send("alone")
		for range 29 {
			s.one(time.Hour)
		}
		require.Equal(t, 0, s.q.Stats().NoisyGroups) // FAIR-3: 30 of its own
		s.one(time.Hour)
		st := s.q.Stats()
		require.Equal(t, Counts{Visible: 16, NotVisible: 30}, st.Counts)
		require.Equal(t, 1, st.NoisyGroups)
		require.Equal(t, 2, st.Groups)
		require.Equal(t, Counts{Visible: 6}, st.Quiet)
		time.Sleep(time.Second)
		require.Equal(t, 2*time.Second, s.q.Stats().OldestAge)
		require.Equal(t, time.Second, s.q.Stats().QuietOldestAge)
	})
}

func TestStats_WaitingReceives(t *testing.T) {
	onBothTypes(t, func(s steps) {
		for range 3 {
			go func() {
				_, err := s.q.Receive(context.Background(), ReceiveInput{Wait: 10 * time.Second})
				assert.NoError(s, err)
			}()
		}
		time.Sleep(time.Second)
		require.Equal(s, 3, s.q.Stats().WaitingReceives)
		s.send("a-1")
		require.Equal(s, 2, s.q.Stats().WaitingReceives)
		time.Sleep(10 * time.Second)
		require.Zero(s, s.q.Stats().WaitingReceives)
	})
}
