package inqtest_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqtest"
	"example.com/inq/topic"
)

// send sends bodies.
func send(t *testing.T, q inq.Queue, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		m := inq.Message{Body: body}
		if strings.HasSuffix(q.Name(), ".fifo") {
			m.GroupID = "g"
		}
		_, err := q.Send(t.Context(), m)
		require.NoError(t, err)
	}
}

// receive receives one message.
func receive(t *testing.T, q inq.Queue) inq.Delivery {
	t.Helper()
	ds, err := q.Receive(t.Context(), inq.ReceiveInput{})
	require.NoError(t, err)
	require.Len(t, ds, 1)
	return ds[0]
}

func bodies(entries []inqtest.Entry) (list []string) {
	for _, e := range entries {
		list = append(list, e.Body)
	}
	return list
}

func TestWait_LooksBackAndThenWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passing(t, func(tb inqtest.TB) {
			s := inqtest.New(tb)
			q := s.Standard("q")
			send(t, q, "one")
			go func() {
				time.Sleep(time.Minute)
				send(t, q, "two", "three")
			}()
			began := time.Now()
			assert.Equal(t, []string{"one", "two"}, bodies(s.Log().Wait(2, inqtest.Sent)))
			assert.Equal(t, time.Minute, time.Since(began))
			assert.Equal(t, []string{"one", "two"}, bodies(s.Log().Wait(2, inqtest.Sent)), "the same again")
			assert.Equal(t, time.Minute, time.Since(began), "at once")
			synctest.Wait()
			assert.Equal(t, []string{"three"}, bodies(s.Log().Wait(1, inqtest.Sent, inqtest.Body("three"), inqtest.Within(0))))
		})
	})
}

func TestWait_Fails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing(t, `
inqtest: waited 1m0s for sent or deleted in q with body "one": 2 of 3
the log:
>      +0s  q          sent SHORTID "one"
       +0s  q          sent SHORTID "two"
       +0s  q          received SHORTID "one" receive 1
>      +0s  q          deleted SHORTID "one" receive 1`, func(tb inqtest.TB) {
			s := inqtest.New(tb)
			q := s.Standard("q")
			send(t, q, "one", "two")
			d := receive(t, q)
			require.NoError(t, d.Delete(t.Context()))
			s.Log().Wait(3, inqtest.Sent, inqtest.Deleted, inqtest.In("q"), inqtest.Body("one"), inqtest.Within(time.Minute))
		})
		failing(t, "inqtest: waited 24h0m0s for anything: 0 of 1\nthe log is empty", func(tb inqtest.TB) { inqtest.New(tb).Log().Wait(1) })
		failing(t, "inqtest: Wait(0): must be at least 1; Never is for none", func(tb inqtest.TB) { inqtest.New(tb).Log().Wait(0) })
	})
}

func TestWait_OutsideABubbleGivesUpAsWithinSays(t *testing.T) {
	failing(t, "inqtest: waited 1ns for sent: 0 of 1\nthe log is empty", func(tb inqtest.TB) {
		inqtest.New(tb).Log().Wait(1, inqtest.Sent, inqtest.Within(1))
	})
	passing(t, func(tb inqtest.TB) {
		s := inqtest.New(tb)
		q := s.Standard("q")
		go send(t, q, "one")
		s.Log().Wait(1, inqtest.Sent)
	})
}

func TestWait_CountsWhatHappensWhenItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passing(t, func(tb inqtest.TB) {
			s := inqtest.New(tb)
			_, err := s.Standard("q").Send(t.Context(), inq.Message{Body: "one", Delay: time.Minute})
			require.NoError(t, err)
			s.Log().Wait(1, inqtest.Arrived, inqtest.Within(time.Minute))
		})
	})
}

func TestNever_IsExactInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passing(t, func(tb inqtest.TB) {
			s := inqtest.New(tb)
			_, err := s.Standard("q").Send(t.Context(), inq.Message{Body: "one", Delay: time.Minute})
			require.NoError(t, err)
			began := time.Now()
			s.Log().Never(inqtest.Arrived)
			s.Log().Never(inqtest.Arrived, inqtest.Within(time.Minute-1))
			assert.Equal(t, time.Minute-1, time.Since(began))
		})
		failing(t, `
inqtest: after 1m0s there was arrived, which must not be
the log:
       +0s  q          sent SHORTID "one"
>    +1m0s  q          arrived SHORTID "one"`, func(tb inqtest.TB) {
			s := inqtest.New(tb)
			_, err := s.Standard("q").Send(t.Context(), inq.Message{Body: "one", Delay: time.Minute})
			require.NoError(t, err)
			s.Log().Never(inqtest.Arrived, inqtest.Within(time.Minute))
		})
		failing(t, `
inqtest: there was sent since SINCE, which must not be
the log:
>      +0s  q          sent SHORTID "one"`, func(tb inqtest.TB) {
			s := inqtest.New(tb)
			q := s.Standard("q")
			go send(t, q, "one")
			s.Log().Never(inqtest.Sent, inqtest.Since(time.Now()))
		})
	})
}

func TestNever_OutsideABubbleNeedsWithin(t *testing.T) {
	failing(t, "inqtest: Never outside a testing/synctest bubble needs Within(d): how long to wait for what must not come", func(tb inqtest.TB) {
		inqtest.New(tb).Log().Never(inqtest.Sent)
	})
	passing(t, func(tb inqtest.TB) { inqtest.New(tb).Log().Never(inqtest.Sent, inqtest.Within(time.Microsecond)) })
}

func TestLog_KeepsTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing(t, `
inqtest: nobody knows whether there was deleted
the log kept its newest entries, see WithKept, and dropped 2 entries before them
the last 4 of 6 entries of the log:
       +0s  q          sent SHORTID "3"
       +0s  q          sent SHORTID "4"
       +0s  q          sent SHORTID "5"
       +0s  q          sent SHORTID "6"`, func(tb inqtest.TB) {
			s := inqtest.New(tb, inqtest.WithKept(4))
			send(t, s.Standard("q"), "1", "2", "3", "4", "5", "6")
			assert.Equal(t, 2, s.Log().Dropped())
			assert.Equal(t, []string{"3", "4", "5", "6"}, bodies(slices.Collect(s.Log().All())))
			s.Log().Never(inqtest.Deleted)
		})
	})
	failing(t, "inqtest: WithKept(0): must be at least 1 entry", func(tb inqtest.TB) { inqtest.New(tb, inqtest.WithKept(0)) })
}

// Every filter picks what it is for.
func TestFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		dead := s.FIFO("dead.fifo")
		q := s.FIFO("q.fifo", inq.WithContentBasedDeduplication(true), inq.WithDeadLetter(dead, 1), inq.WithRetention(time.Hour))
		top, err := s.Topics().CreateFIFO("t.fifo")
		require.NoError(t, err)
		_, err = top.Subscribe(topic.Queue(q), topic.WithRawDelivery())
		require.NoError(t, err)
		for range 2 {
			_, err = top.Publish(t.Context(), topic.Message{Body: "one", GroupID: "a", DeduplicationID: "1"})
			require.NoError(t, err)
		}
		send(t, q, "two", "two")
		d := receive(t, q)
		require.NoError(t, d.Return(t.Context(), 0))
		began := time.Now()
		d = receive(t, q)
		require.NoError(t, d.Bury(t.Context(), "why not"))
		receive(t, q)
		time.Sleep(time.Hour)
		synctest.Wait()
		count := func(filters ...inqtest.Filter) int { return len(slices.Collect(s.Log().All(filters...))) }
		for _, c := range []struct {
			want int
			by   []inqtest.Filter
		}{
			{1, []inqtest.Filter{inqtest.Published}},
			{2, []inqtest.Filter{inqtest.Deduplicated}},
			{1, []inqtest.Filter{inqtest.Deduplicated, inqtest.In("t.fifo")}},
			{2, []inqtest.Filter{inqtest.Sent}},
			{3, []inqtest.Filter{inqtest.Received}},
			{1, []inqtest.Filter{inqtest.Returned}},
			{1, []inqtest.Filter{inqtest.DeadLettered, inqtest.ID(d.ID())}},
			{1, []inqtest.Filter{inqtest.MovedIn, inqtest.In("dead.fifo", "other"), inqtest.Body("two")}},
			{1, []inqtest.Filter{inqtest.Expired, inqtest.Since(began.Add(time.Hour)), nil, inqtest.Within(time.Hour)}},
			{0, []inqtest.Filter{inqtest.Expired, inqtest.Since(began.Add(time.Hour + 1))}},
			{2, []inqtest.Filter{inqtest.Received, inqtest.Group("a")}},
			{1, []inqtest.Filter{inqtest.Match("second receive", func(e inqtest.Entry) bool { return e.ReceiveCount == 1 && e.Group == "g" }), inqtest.Received}},
			{0, []inqtest.Filter{inqtest.Kind("unheard of")}},
		} {
			assert.Equal(t, c.want, count(c.by...), "%v", c.by)
		}
		assert.Equal(t, "within 1h0m0s", inqtest.Within(time.Hour).String())
		assert.Equal(t, `of group "a"`, inqtest.Group("a").String())
	})
}

// A kind of the log is one of inq, and every one of inq has a name here.
func TestKinds_AreThoseOfEvents(t *testing.T) {
	kinds := []inqtest.Kind{inqtest.Sent, inqtest.Deduplicated, inqtest.MovedIn, inqtest.Arrived, inqtest.Received, inqtest.Repeated,
		inqtest.Extended, inqtest.TimedOut, inqtest.Released, inqtest.Returned, inqtest.MovedBack, inqtest.Deleted, inqtest.Leaving,
		inqtest.DeadLettered, inqtest.DeadLetterFailed, inqtest.PutBack, inqtest.MovedOut, inqtest.Expired, inqtest.Purged,
		inqtest.Configured, inqtest.Closed, inqtest.Lapsed}
	for i, k := range kinds {
		assert.Equal(t, inq.EventKind(i+1).String(), k.String())
	}
	assert.Equal(t, "unknown", inq.EventKind(len(kinds)+1).String(), "a new kind belongs here")
}

func TestWaitDrained_ReturnsAtTheInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, far := range []bool{false, true} {
			passing(t, func(tb inqtest.TB) {
				s := inqtest.New(tb)
				q, dead := s.Standard("q"), s.Standard("dead")
				require.NoError(t, q.Configure(inq.WithDeadLetter(dead, 1)))
				send(t, q, "one")
				go func() {
					time.Sleep(time.Minute)
					d := receive(t, q)
					assert.NoError(t, d.Bury(context.Background(), "so"))
					time.Sleep(time.Minute)
					d = receive(t, dead)
					assert.NoError(t, d.Delete(context.Background()))
				}()
				began := time.Now()
				queues := []inq.Queue{q, dead}
				if far {
					queues = []inq.Queue{plainQueue{q}, plainQueue{dead}}
				}
				inqtest.WaitDrained(tb, queues...)
				if far {
					assert.Less(t, time.Since(began), 2*time.Minute+time.Second)
				} else {
					assert.Equal(t, 2*time.Minute, time.Since(began))
				}
				assert.GreaterOrEqual(t, time.Since(began), 2*time.Minute)
			})
		}
	})
}

func TestWaitIdle_LeavesWhatIsDelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passing(t, func(tb inqtest.TB) {
			s := inqtest.New(tb)
			q := s.Standard("q")
			send(t, q, "one")
			_, err := q.Send(t.Context(), inq.Message{Body: "later", Delay: time.Minute})
			require.NoError(t, err)
			go func() {
				d := receive(t, q)
				time.Sleep(time.Second)
				assert.NoError(t, d.Delete(context.Background()))
			}()
			began := time.Now()
			inqtest.WaitIdle(tb, q)
			assert.Equal(t, time.Second, time.Since(began))
		})
	})
}

func TestWaitDrained_Fails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing(t, `
inqtest: waited 24h0m0s for q and dead to be empty
q: 1 visible, 0 in flight, 0 delayed
  SHORTID "one": The message is receivable now, and the next receive takes it.`, func(tb inqtest.TB) {
			s := inqtest.New(tb)
			q := s.Standard("q")
			send(t, q, "one")
			inqtest.WaitDrained(tb, q, s.Standard("dead"))
		})
		failing(t, `
inqtest: waited 24h0m0s for q to be idle
q: 1 visible, 0 in flight, 0 delayed
  SHORTID "one": The message is receivable now, and the next receive takes it.`, func(tb inqtest.TB) {
			q := inqtest.New(tb).Standard("q")
			send(t, q, "one")
			inqtest.WaitIdle(tb, q)
		})
		failing(t, "inqtest: WaitIdle: counts of q: inq: queue is closed", func(tb inqtest.TB) {
			q := inqtest.New(tb).Standard("q")
			require.NoError(t, q.Close())
			inqtest.WaitIdle(tb, q)
		})
		failing(t, "inqtest: WaitDrained needs a queue", func(tb inqtest.TB) { inqtest.WaitDrained(tb) })
	})
}

func TestWaitDrained_OutsideABubble(t *testing.T) {
	t.Parallel()
	s := inqtest.New(t)
	q := s.Standard("q")
	for range 100 {
		send(t, q, "one")
		go func() {
			d := receive(t, q)
			assert.NoError(t, d.Delete(context.Background()))
		}()
		inqtest.WaitDrained(t, q)
	}
}

func TestWaitDrained_ListsAFewOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing(t, `
inqtest: waited 24h0m0s for empty and full to be empty
full: 6 visible, 0 in flight, 1 delayed
  SHORTID "1": The message is receivable now, and the next receive takes it.
  SHORTID "2": The message is receivable now, behind 1 other.
  SHORTID "3": The message is receivable now, behind 2 others.
  SHORTID "4": The message is receivable now, behind 3 others.
  SHORTID "5": The message is receivable now, behind 4 others.
  …`, func(tb inqtest.TB) {
			s := inqtest.New(tb)
			q := s.Standard("full", inq.WithoutSQSLimits())
			send(t, q, "1", "2", "3", "4", "5", "6")
			_, err := q.Send(t.Context(), inq.Message{Body: "7", Delay: 48 * time.Hour})
			require.NoError(t, err)
			inqtest.WaitDrained(tb, s.Standard("empty"), q)
		})
		failing(t, "inqtest: waited 24h0m0s for q to be empty\nq: 1 visible, 0 in flight, 0 delayed", func(tb inqtest.TB) {
			q := inqtest.New(tb).Standard("q")
			send(t, q, "one")
			inqtest.WaitDrained(tb, plainQueue{q})
		})
	})
}

func TestLog_String(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		q := s.FIFO("orders.fifo", inq.WithContentBasedDeduplication(true))
		send(t, q, strings.Repeat("é", 100))
		time.Sleep(90 * time.Second)
		require.NoError(t, q.Purge(t.Context()))
		assert.Equal(t, `       +0s  orders.fifo sent SHORTID "éééééééééééééééééééééééééééééé"… (200 bytes) group "g"
    +1m30s  orders.fifo purged 1 message
`, masked(s.Log().String()))
	})
}

// What a test asks to know when it can go on is no part of what it tests.
func TestWaitDrained_MeetsNoFaultsAndIsNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		plan := inqtest.NewPlan(t, 1, inqtest.On().Do(inqtest.Throttle))
		q := inqtest.Disturb(inqtest.Disturb(s.Count(s.Standard("q")), plan), plan)
		inqtest.WaitDrained(t, q)
		inqtest.WaitIdle(t, q)
		assert.Empty(t, plan.Did())
		assert.Zero(t, s.Calls().Of().Calls)
		failing(t, "inqtest: WaitDrained: queue 2 is nil", func(tb inqtest.TB) { inqtest.WaitDrained(tb, q, nil) })
	})
}

func TestLog_ShowsTimesInAColumnAndJSONAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		q := s.Standard("q")
		send(t, q, `{"a":"b"}`)
		time.Sleep(time.Second + 1)
		send(t, q, "\"\n", "it's", "`\"")
		assert.Equal(t, "            +0s  q          sent SHORTID `{\"a\":\"b\"}`\n"+
			"  +1.000000001s  q          sent SHORTID \"\\\"\\n\"\n"+
			"  +1.000000001s  q          sent SHORTID \"it's\"\n"+
			"  +1.000000001s  q          sent SHORTID \"`\\\"\"\n", masked(s.Log().String()))
	})
}

func TestLog_TellsOfHandlesWhoseReceivesWereOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		q := s.Standard("q")
		send(t, q, "one")
		d := receive(t, q)
		time.Sleep(30 * time.Second)
		require.NoError(t, d.Delete(t.Context()))
		f := s.FIFO("q.fifo", inq.WithContentBasedDeduplication(true))
		_, err := f.Send(t.Context(), inq.Message{Body: "two", GroupID: "g"})
		require.NoError(t, err)
		d = receive(t, f)
		time.Sleep(30 * time.Second)
		require.ErrorIs(t, d.Delete(t.Context()), inq.ErrReceiptHandleExpired)
		var got []string
		for e := range s.Log().All(inqtest.Deleted, inqtest.Lapsed) {
			got = append(got, masked(e.String()))
		}
		assert.Equal(t, []string{
			`q          deleted SHORTID "one" receive 1 by a handle whose receive was over`,
			`q.fifo     lapsed SHORTID "two" group "g" receive 1: a call by a handle whose receive was over, refused`,
		}, got)
	})
}
