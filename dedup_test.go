package inq

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// sendID sends a message to FIFO and returns its receipt.
func (s steps) sendID(body, group, id string) Sent {
	s.Helper()
	sent, err := s.q.Send(context.Background(), Message{Body: body, GroupID: group, DeduplicationID: id})
	require.NoError(s, err)
	return sent
}

func TestFIFO18_TheHashOfTheBodyIsTheIdUnlessOneIsGiven(t *testing.T) {
	const body = `{"foo": "bar"}`
	const hash = "426fc04f04bf8fdb5831dc37bbb6dcf70f63a37e05a68c6ea5f63e85ae579376"
	scene(t, "the vector", func(t *testing.T) {
		s := fifoSteps(t, WithContentBasedDeduplication(true))
		sent := s.sendID(body, "g", "")
		for snapshot := range s.q.Messages() {
			require.Equal(t, hash, snapshot.DeduplicationID)
		}
		require.Equal(t, hash, s.one(0).DeduplicationID())
		// An explicit id equal to the hash is a duplicate of it, whatever its body, and an equal
		// body is too.
		for _, d := range []Sent{s.sendID("other", "g", hash), s.sendID(body, "g", "")} {
			require.True(t, d.Duplicate())
			require.Equal(t, sent.ID(), d.ID())
		}
		// Group and attributes are not part of it.
		d, err := s.q.Send(context.Background(), Message{Body: body, GroupID: "h", Attributes: map[string]Attribute{"a": String("b")}})
		require.NoError(t, err)
		require.True(t, d.Duplicate())
		s.counts(0, 1, 0)
	})
	scene(t, "an explicit hash first", func(t *testing.T) {
		s := fifoSteps(t, WithContentBasedDeduplication(true))
		s.sendID("other", "g", hash)
		require.True(t, s.sendID(body, "g", "").Duplicate())
		require.False(t, s.sendID(body, "g", "426FC04F04BF8FDB5831DC37BBB6DCF70F63A37E05A68C6EA5F63E85AE579376").Duplicate())
	})
	scene(t, "an explicit id comes before the hash", func(t *testing.T) {
		s := fifoSteps(t, WithContentBasedDeduplication(true))
		require.False(t, s.sendID(body, "g", "1").Duplicate())
		require.False(t, s.sendID(body, "g", "2").Duplicate())
		require.True(t, s.sendID("other", "g", "2").Duplicate())
		require.False(t, s.sendID(body, "g", "").Duplicate())
		require.Equal(t, "1", s.one(0).DeduplicationID())
	})
	scene(t, "switched on and off", func(t *testing.T) {
		q := testFIFO(t)
		s := steps{t, &q.queue}
		m := Message{Body: body, GroupID: "g"}
		_, err := q.Send(context.Background(), m)
		requireRefusal(t, err, ErrInvalidParameter)
		require.NoError(t, q.Configure(WithContentBasedDeduplication(true)))
		require.False(t, s.sendID(body, "g", "").Duplicate())
		require.NoError(t, q.Configure(WithContentBasedDeduplication(false)))
		_, err = q.Send(context.Background(), m)
		requireRefusal(t, err, ErrInvalidParameter)
		require.Equal(t, hash, s.one(0).DeduplicationID())
		require.True(t, s.sendID(body, "g", hash).Duplicate())
	})
}

func TestFIFO19_TheWindowIsFiveMinutesFromTheAcceptance(t *testing.T) {
	for _, c := range []struct {
		name      string
		meanwhile func(s steps)
	}{
		{"stored", func(s steps) {}},
		{"received", func(s steps) { s.one(time.Hour) }},
		{"deleted", func(s steps) { s.delete(*s.one(0)) }},
		{"expired", func(s steps) { time.Sleep(time.Minute); s.counts(0, 0, 0) }},
		{"duplicated", func(s steps) {
			for range 3 {
				time.Sleep(time.Minute)
				require.True(s, s.sendID("b", "g", "x").Duplicate()) // does not extend it
			}
		}},
	} {
		scene(t, c.name, func(t *testing.T) {
			opts := []FIFOOption{}
			if c.name == "expired" {
				opts = append(opts, WithRetention(time.Minute))
			}
			s := fifoSteps(t, opts...)
			began := time.Now()
			first := s.sendID("b", "g", "x")
			c.meanwhile(s)
			time.Sleep(5*time.Minute - 1 - time.Since(began))
			require.True(t, s.sendID("b", "g", "x").Duplicate())
			time.Sleep(time.Nanosecond)
			next := s.sendID("b", "g", "x")
			require.False(t, next.Duplicate())
			require.NotEqual(t, first.ID(), next.ID())
			// And a window of its own begins.
			time.Sleep(5*time.Minute - 1)
			require.Equal(t, next.ID(), s.sendID("b", "g", "x").ID())
			time.Sleep(time.Nanosecond)
			require.False(t, s.sendID("b", "g", "x").Duplicate())
		})
	}
}

func TestFIFO20_ADuplicateReturnsTheOriginalAndStoresNothing(t *testing.T) {
	scene(t, "single", func(t *testing.T) {
		s := fifoSteps(t)
		first := s.sendID("one", "g", "x")
		require.False(t, first.Duplicate())
		before := s.q.Stats()
		dup := s.sendID("two", "g", "x")
		require.True(t, dup.Duplicate())
		require.Equal(t, first.ID(), dup.ID())
		require.Equal(t, first.SequenceNumber(), dup.SequenceNumber())
		want := before
		want.Deduplicated = 1 // MET-2: it does not count as sent
		require.Equal(t, want, s.q.Stats())
		s.gets(10, 0, "one")
		// No number was used up that another message would show.
		require.Greater(t, s.sendID("three", "g", "y").SequenceNumber(), first.SequenceNumber())
	})
	scene(t, "in a batch, of each other", func(t *testing.T) {
		s := fifoSteps(t)
		sent, err := s.q.SendBatch(context.Background(), []Message{
			{Body: "one", GroupID: "g", DeduplicationID: "x"},
			{Body: "two", GroupID: "g", DeduplicationID: "y"},
			{Body: "three", GroupID: "g", DeduplicationID: "x"},
		})
		require.NoError(t, err)
		require.Equal(t, []bool{false, false, true}, []bool{sent[0].Duplicate(), sent[1].Duplicate(), sent[2].Duplicate()})
		require.Equal(t, sent[0].ID(), sent[2].ID())
		require.Equal(t, sent[0].SequenceNumber(), sent[2].SequenceNumber())
		s.gets(10, 0, "one", "two")
		require.Equal(t, uint64(2), s.q.Stats().Sent)
		require.Equal(t, uint64(1), s.q.Stats().Deduplicated)
	})
	scene(t, "into a full queue", func(t *testing.T) {
		s := fifoSteps(t, WithCapacity(1, 0))
		s.sendID("one", "g", "x")
		require.True(t, s.sendID("two", "g", "x").Duplicate())
		_, err := s.q.Send(context.Background(), Message{Body: "b", GroupID: "g", DeduplicationID: "y"})
		requireRefusal(t, err, ErrFull)
		s.delete(*s.one(0))
		require.False(t, s.sendID("b", "g", "y").Duplicate()) // what was refused is not remembered
	})
}

func TestFIFO21_TheScopeOfAnId(t *testing.T) {
	for _, c := range []struct {
		opts        []FIFOOption
		acrossGroup bool
	}{
		{nil, true},
		{[]FIFOOption{WithDeduplicationScope(ScopeQueue)}, true},
		{[]FIFOOption{WithDeduplicationScope(ScopeMessageGroup)}, false},
		{[]FIFOOption{WithDeduplicationScope(ScopeMessageGroup), WithThroughputLimit(PerQueue)}, false},
		{[]FIFOOption{WithDeduplicationScope(ScopeMessageGroup), WithThroughputLimit(PerMessageGroupID)}, false},
	} {
		s := fifoSteps(t, c.opts...)
		s.sendID("b", "g", "x")
		require.True(t, s.sendID("b", "g", "x").Duplicate())
		require.Equal(t, c.acrossGroup, s.sendID("b", "h", "x").Duplicate())
		require.True(t, s.sendID("b", "h", "x").Duplicate())
	}
}

func TestFIFO22_AChangedScopeIsShownButDoesNotAct(t *testing.T) {
	for _, c := range []struct {
		from, to  DeduplicationScope
		duplicate bool
	}{{ScopeQueue, ScopeMessageGroup, true}, {ScopeMessageGroup, ScopeQueue, false}} {
		scene(t, string(c.from), func(t *testing.T) {
			q := testFIFO(t, WithDeduplicationScope(c.from))
			s := steps{t, &q.queue}
			s.sendID("b", "g", "x")
			require.NoError(t, q.Configure(WithDeduplicationScope(c.to)))
			require.Equal(t, c.to, q.Config().DeduplicationScope)
			require.Equal(t, c.duplicate, s.sendID("b", "h", "x").Duplicate())
			require.NoError(t, q.Purge(context.Background()))
			time.Sleep(time.Hour)
			s.sendID("b", "g", "y")
			require.Equal(t, c.duplicate, s.sendID("b", "h", "y").Duplicate())
		})
	}
}

func TestFIFO23_PurgeForgetsTheIds(t *testing.T) {
	scene(t, "purge", func(t *testing.T) {
		s := fifoSteps(t)
		first := s.sendID("b", "g", "x")
		require.NoError(t, s.q.Purge(context.Background()))
		next := s.sendID("b", "g", "x")
		require.False(t, next.Duplicate())
		require.NotEqual(t, first.ID(), next.ID())
		require.Greater(t, next.SequenceNumber(), first.SequenceNumber())
		require.True(t, s.sendID("b", "g", "x").Duplicate())
		s.counts(1, 0, 0)
	})
}

func TestFIFO24_ADeadLetterIsNeverDroppedAsADuplicate(t *testing.T) {
	scene(t, "dead letters", func(t *testing.T) {
		dlq := testFIFO(t)
		s := fifoSteps(t, WithDeadLetter(dlq, 1))
		d := steps{t, &dlq.queue}
		d.sendID("was there", "g", "x")
		sent := s.sendID("b", "g", "x")
		s.one(Zero)
		s.gets(1, 0)
		got := d.receive(10, 0)
		require.Equal(t, []string{"was there", "b"}, bodiesOf(got))
		require.Equal(t, sent.ID(), got[1].ID())
		require.Equal(t, sent.ID(), got[1].DeduplicationID())
		require.Equal(t, "g", got[1].GroupID) // FIFO-25
	})
}

// testDedup makes a window of its own whose first entry has the given number.
func testDedup(number uint64) *dedup {
	return &dedup{begin: number, end: number, origin: number}
}

// dedupKey is a well mixed key.
func dedupKey(i int) [2]uint64 {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	return [2]uint64{r.Uint64(), r.Uint64()}
}

func TestDedup_NumbersAcrossPagesAndAcrossTheModulus(t *testing.T) {
	for _, first := range []uint64{0, 1, dedupPage - 1, dedupPage, dedupMod - 1, dedupMod, dedupMod + 1,
		dedupMod - dedupPage, dedupMod - 3*dedupPage/2, 1<<32 - 1, 1 << 32, 7*dedupMod - 2} {
		t.Run(fmt.Sprint(first), func(t *testing.T) {
			d := testDedup(first)
			const window, n = 2*dedupPage + 3, 5*dedupPage + 7
			// One entry a tick, each living for so many ticks that a window of them is alive.
			tick := int64(dedupWindow) / window
			for i := range n {
				now := int64(i) * tick
				_, ok := d.find(dedupKey(i), now)
				require.False(t, ok)
				d.add(dedupKey(i), uint64(i), now)
				if i%97 != 0 && i < n-3 {
					continue
				}
				for _, old := range []int{i, i - 1, i - window + 1, i - dedupPage, i - window/2} {
					if old < 0 {
						continue
					}
					seq, ok := d.find(dedupKey(old), now)
					require.True(t, ok, "entry %d at %d", old, i)
					require.Equal(t, uint64(old), seq)
				}
				if gone := i - window - 1; gone >= 0 {
					_, ok := d.find(dedupKey(gone), now)
					require.False(t, ok, "entry %d at %d", gone, i)
				}
				require.Equal(t, int(d.end-d.begin), d.ids.Len())
				require.LessOrEqual(t, d.end-d.begin, uint64(window+2))
				require.LessOrEqual(t, len(d.pages), window/dedupPage+2)
			}
			// All of it goes in the end, and the memory with it.
			end := int64(n)*tick + int64(dedupWindow)
			steps := 0
			for d.forget(end, 256) {
				steps++
			}
			require.Equal(t, (window+255)/256, steps+1)
			require.Equal(t, d.end, d.begin)
			require.Zero(t, d.ids.Len())
			require.Nil(t, d.pages)
			require.Nil(t, d.spare)
			require.Equal(t, never, d.idleAt())
			d.add(dedupKey(1), 42, end)
			seq, ok := d.find(dedupKey(1), end)
			require.True(t, ok)
			require.Equal(t, uint64(42), seq)
		})
	}
}

func TestDedup_AWindowThatEndsWithItsPageIsGivenBackToo(t *testing.T) {
	for _, n := range []int{1, dedupPage - 1, dedupPage, dedupPage + 1, 2 * dedupPage} {
		d := testDedup(0)
		for i := range n {
			d.add(dedupKey(i), uint64(i), 0)
		}
		require.False(t, d.forget(int64(dedupWindow), n))
		require.Nil(t, d.pages, "%d entries", n)
		require.Nil(t, d.spare, "%d entries", n)
		require.Equal(t, d.end, d.origin)
	}
}

func TestDedup_IdsOfTheIndexAreNeverZeroAndDifferWithinAWindow(t *testing.T) {
	d := testDedup(0)
	for _, n := range []uint64{0, 1, dedupMod - 1, dedupMod, dedupMod + 1, 2*dedupMod - 1, 2 * dedupMod} {
		require.NotZero(t, d.id(n))
		require.NotEqual(t, d.id(n), d.id(n+1))
	}
	require.Equal(t, uint32(1<<32-1), d.id(dedupMod-1))
	require.Equal(t, uint32(1), d.id(dedupMod))
}

func TestDedup_AKeyIsForgottenToTheNanosecond(t *testing.T) {
	d := testDedup(0)
	d.add(dedupKey(1), 7, 1000)
	_, ok := d.find(dedupKey(1), 1000+int64(dedupWindow)-1)
	require.True(t, ok)
	_, ok = d.find(dedupKey(1), 1000+int64(dedupWindow))
	require.False(t, ok)
	// Half a key is no key.
	k := dedupKey(1)
	for _, other := range [][2]uint64{{k[0], k[1] + 1}, {k[0] + 1, k[1]}, {k[1], k[0]}} {
		_, ok = d.find(other, 1000)
		require.False(t, ok)
	}
	require.False(t, d.forget(1000+int64(dedupWindow)-1, 10))
	require.Equal(t, uint64(1), d.end-d.begin)
	require.False(t, d.forget(1000+int64(dedupWindow), 10))
	require.Equal(t, d.end, d.begin)
}

func TestDedup_AnEntryTakesLessThan56Bytes(t *testing.T) {
	const n = 200_000
	d := testDedup(0)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range n {
		d.add(dedupKey(i), uint64(i), int64(i))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Equal(t, n, d.ids.Len())
	require.Less(t, float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/n, 56.0)
	for range n/stepBudget + 1 {
		d.forget(n+int64(dedupWindow), stepBudget)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(n))
	runtime.KeepAlive(d)
}

func TestDedup_AnIdleQueueGivesTheWindowBack(t *testing.T) {
	scene(t, "after five minutes", func(t *testing.T) {
		s := fifoSteps(t)
		for i := range 10_000 {
			b := fmt.Sprintf("g-%d", i)
			s.send(b)
		}
		require.NoError(t, s.q.DeadLetter(context.Background(), DeadLetter{Body: "b", GroupID: "g"}))
		s.q.mu.Lock()
		remembered := s.q.fifo.dedup.ids.Len()
		s.q.mu.Unlock()
		require.Equal(t, 10_000, remembered) // a dead letter is not
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		s.counts(10_001, 0, 0)
		require.Zero(t, s.q.fifo.dedup.ids.Len())
		require.Nil(t, s.q.fifo.dedup.pages)
	})
}

func TestDedup_IdsToForgetHoldUpNoReceive(t *testing.T) {
	scene(t, "after five minutes", func(t *testing.T) {
		const n = 4 * stepBudget
		s := fifoSteps(t)
		for i := range n {
			s.send(fmt.Sprintf("g-%d", i))
			s.delete(*s.one(0))
		}
		untilDue(s.q, 5*time.Minute)
		s.gets(10, 0)
		s.counts(0, 0, 0)
		s.q.mu.Lock()
		left, draining := s.q.fifo.dedup.ids.Len(), s.q.draining
		s.q.mu.Unlock()
		require.Equal(t, n, left, "they are left to the timer")
		require.False(t, draining)
	})
}
