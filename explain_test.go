package inq

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// id returns the id of the message with this body, which must be in the queue.
func (s steps) id(body string) string {
	s.Helper()
	for m := range s.q.Messages() {
		if m.Body == body {
			return m.ID
		}
	}
	require.Fail(s, "no message", body)
	return ""
}

// explains compares what is explained of a message with what is wanted, of which the id and the moment are
// filled in, and with a sentence.
func (s steps) explains(body string, want Explanation, sentence string) {
	s.Helper()
	want.MessageID, want.At = s.id(body), time.Now()
	if want.Blocker != nil {
		want.Blocker.At = time.Now()
	}
	if s.q.fifo != nil && want.GroupID == "" {
		want.GroupID, _, _ = strings.Cut(body, "-")
	}
	got, err := s.q.Explain(context.Background(), want.MessageID)
	require.NoError(s, err)
	require.Equal(s, want, got)
	if sentence != "" {
		require.Equal(s, sentence, got.String())
	}
}

// gone demands that the queue no longer knows a message.
func (s steps) gone(id string) {
	s.Helper()
	got, err := s.q.Explain(context.Background(), id)
	require.NoError(s, err)
	require.Equal(s, Explanation{MessageID: id, Obstacle: ObstacleGone, At: time.Now()}, got)
	require.Equal(s, "The message is gone from the queue, or was never in it.", got.String())
}

func TestExplain_TheOrderOfMessages(t *testing.T) {
	scene(t, "standard", func(t *testing.T) {
		s := standardSteps(t)
		s.send("1", "2", "3")
		s.explains("1", Explanation{Obstacle: ObstacleNone}, "The message is receivable now, and the next receive takes it.")
		s.explains("2", Explanation{Obstacle: ObstacleAhead, Ahead: 1}, "The message is receivable now, behind 1 other.")
		s.explains("3", Explanation{Obstacle: ObstacleAhead, Ahead: 2}, "The message is receivable now, behind 2 others.")
		for range 3 {
			s.gets(1, Zero, "1")
		}
		s.explains("1", Explanation{Obstacle: ObstacleAhead, Ahead: 2, ReceiveCount: 3}, "") // LC-5
	})
	scene(t, "fifo", func(t *testing.T) {
		s := fifoSteps(t)
		s.send("a-1", "b-1", "b-2", "c-1", "b-3")
		s.explains("a-1", Explanation{Obstacle: ObstacleNone}, "The message is receivable now, and the next receive takes it.")
		s.explains("c-1", Explanation{Obstacle: ObstacleAhead, Ahead: 2}, "The message is receivable now, behind 2 others.")
		s.explains("b-3", Explanation{Obstacle: ObstacleGroupAhead, Ahead: 2},
			`The message is receivable now, behind 2 others of its group "b".`)
	})
	scene(t, "many", func(t *testing.T) {
		s := standardSteps(t)
		for i := range mostAhead + 2 {
			s.send(fmt.Sprintf("g-%d", i))
		}
		s.explains(fmt.Sprintf("g-%d", mostAhead-1), Explanation{Obstacle: ObstacleAhead, Ahead: mostAhead - 1}, "")
		s.explains(fmt.Sprintf("g-%d", mostAhead+1), Explanation{Obstacle: ObstacleAhead, Ahead: mostAhead, AtLeast: true},
			"The message is receivable now, behind at least 1000 others.")
		f := fifoSteps(t)
		for i := range mostAhead + 2 {
			f.send(fmt.Sprintf("g-%d", i), fmt.Sprintf("g%d-0", i))
		}
		f.explains(fmt.Sprintf("g-%d", mostAhead+1), Explanation{Obstacle: ObstacleGroupAhead, Ahead: mostAhead, AtLeast: true},
			`The message is receivable now, behind at least 1000 others of its group "g".`)
		f.explains(fmt.Sprintf("g%d-0", mostAhead), Explanation{Obstacle: ObstacleAhead, Ahead: mostAhead, AtLeast: true}, "")
	})
}

func TestExplain_ADelay(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		began := time.Now()
		s.explains("g-1", Explanation{Obstacle: ObstacleDelay, Until: began.Add(time.Minute)}, "The message is delayed for another 1m0s.")
		time.Sleep(time.Minute - time.Nanosecond)
		s.explains("g-1", Explanation{Obstacle: ObstacleDelay, Until: began.Add(time.Minute)}, "The message is delayed for another 1ns.")
		s.loseTimer()
		time.Sleep(time.Nanosecond)
		s.explains("g-1", Explanation{Obstacle: ObstacleNone}, "")
		require.NoError(s, s.one(0).Return(context.Background(), time.Second))
		s.explains("g-1", Explanation{Obstacle: ObstacleDelay, Until: time.Now().Add(time.Second)}, "")
	}, WithDelay(time.Minute))
}

func TestExplain_InFlight(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		s.one(time.Second)
		time.Sleep(time.Second)
		began := time.Now()
		d := s.one(30 * time.Second)
		time.Sleep(10 * time.Second)
		want := Explanation{Obstacle: ObstacleInFlight, Until: began.Add(30 * time.Second), ReceiveCount: 2, ReceivedAt: began}
		s.explains("g-1", want, "The message is in flight for another 20s, by receive number 2, 10s ago.")
		s.change(d, time.Hour)
		want.Until = time.Now().Add(time.Hour)
		s.explains("g-1", want, "The message is in flight for another 1h0m0s, by receive number 2, 10s ago.")
		time.Sleep(time.Hour - time.Nanosecond)
		s.explains("g-1", want, "")
		s.loseTimer()
		time.Sleep(time.Nanosecond)
		s.explains("g-1", Explanation{Obstacle: ObstacleNone, ReceiveCount: 2}, "")
		id := s.id("g-1")
		s.delete(*s.one(0))
		s.gone(id)
	})
	scene(t, "without end", func(t *testing.T) {
		s := standardSteps(t, WithoutSQSLimits())
		s.send("1")
		s.one(Forever)
		s.explains("1", Explanation{Obstacle: ObstacleInFlight, ReceiveCount: 1, ReceivedAt: time.Now()},
			"The message is in flight without end, by receive number 1, 0s ago.")
	})
}

func TestExplain_AGroupThatIsBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fifoSteps(t)
		s.send("a-1", "a-2", "a-3", "b-1")
		began := time.Now()
		first, second := s.one(20*time.Second), s.id("a-2")
		s.explains("b-1", Explanation{Obstacle: ObstacleNone}, "")
		blocker := &Explanation{MessageID: first.ID(), Obstacle: ObstacleInFlight, GroupID: "a", ReceiveCount: 1,
			Until: began.Add(20 * time.Second), ReceivedAt: began}
		time.Sleep(5 * time.Second)
		for _, body := range []string{"a-2", "a-3"} {
			s.explains(body, Explanation{Obstacle: ObstacleGroup, Blocker: blocker},
				`The message waits for message `+first.ID()+` of its group "a", which is in flight for another 15s, by receive number 1, 5s ago.`)
		}
		s.change(first, 0)
		s.explains("a-3", Explanation{Obstacle: ObstacleGroupAhead, Ahead: 2}, "")

		s.one(0) // of group b
		d := s.gets(2, time.Minute, "a-1", "a-2")
		s.change(&d[0], 0) // what blocks is in the middle
		s.explains("a-3", Explanation{Obstacle: ObstacleGroup, Blocker: &Explanation{MessageID: second, Obstacle: ObstacleInFlight,
			GroupID: "a", ReceiveCount: 1, Until: time.Now().Add(time.Minute), ReceivedAt: time.Now()}}, "")
		require.NoError(t, d[1].Return(context.Background(), time.Minute))
		s.explains("a-3", Explanation{Obstacle: ObstacleGroup, Blocker: &Explanation{MessageID: second, Obstacle: ObstacleDelay,
			GroupID: "a", Until: time.Now().Add(time.Minute)}},
			`The message waits for message `+second+` of its group "a", which is delayed for another 1m0s.`)
	})
}

func TestExplain_ANoisyGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standardSteps(t)
		sendTo := func(group, body string) {
			_, err := s.q.Send(context.Background(), Message{Body: body, GroupID: group})
			require.NoError(t, err)
		}
		for i := range 32 {
			sendTo("loud", fmt.Sprint("loud ", i))
		}
		sendTo("calm", "calm 1")
		sendTo("calm", "calm 2")
		s.send("alone")
		for range 29 {
			s.one(time.Hour)
		}
		s.explains("loud 29", Explanation{Obstacle: ObstacleNone, GroupID: "loud"}, "")
		s.explains("alone", Explanation{Obstacle: ObstacleAhead, Ahead: 5}, "")
		s.one(time.Hour)
		s.explains("loud 30", Explanation{Obstacle: ObstacleNoisyGroup, GroupID: "loud", Ahead: 3, InFlight: 30},
			`The message is receivable now, behind 3 others: its group "loud" has 30 messages in flight, and others come first.`)
		s.explains("loud 31", Explanation{Obstacle: ObstacleNoisyGroup, GroupID: "loud", Ahead: 4, InFlight: 30}, "")
		s.explains("calm 2", Explanation{Obstacle: ObstacleAhead, GroupID: "calm", Ahead: 1}, "")
		s.explains("alone", Explanation{Obstacle: ObstacleAhead, Ahead: 2}, "")
		s.gets(3, time.Hour, "calm 1", "calm 2", "alone")
		s.explains("loud 31", Explanation{Obstacle: ObstacleAhead, GroupID: "loud", Ahead: 1}, "") // noisy, but nobody else is there
	})
}

func TestExplain_TheLimitInFlight(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("a-1", "b-1", "c-1")
		s.one(0)
		d := s.one(0)
		for range 2 {
			s.explains("c-1", Explanation{Obstacle: ObstacleInFlightLimit, InFlight: 2, Limit: 2},
				"The message is receivable, and the queue delivers nothing while 2 of at most 2 messages are in flight.")
		}
		s.delete(*d)
		s.explains("c-1", Explanation{Obstacle: ObstacleNone}, "")
	}, WithInFlightLimit(2))
}

func TestExplain_DeadLetters(t *testing.T) {
	withTarget(t, 1, func(s steps, target *script) {
		let := make(chan error)
		target.do = func(context.Context, DeadLetter) error { return <-let }
		s.send("g-1")
		s.one(time.Second)
		time.Sleep(time.Second)
		s.explains("g-1", Explanation{Obstacle: ObstacleReceives, ReceiveCount: 1},
			"The message was received 1 time, as often as it may be: the next receive hands it to the dead-letter target.")
		s.meets()
		s.explains("g-1", Explanation{Obstacle: ObstacleLeaving, ReceiveCount: 1},
			"The message is on its way to the dead-letter target or another queue.")
		let <- errRefused
		synctest.Wait()
		s.explains("g-1", Explanation{Obstacle: ObstacleTarget, ReceiveCount: 1, Failures: 1, Until: time.Now().Add(time.Second)},
			"The message stays hidden for another 1s, since the dead-letter target failed 1 time.")
		time.Sleep(time.Second)
		s.explains("g-1", Explanation{Obstacle: ObstacleReceives, ReceiveCount: 1}, "")
		id := s.id("g-1")
		s.meets()
		let <- nil
		synctest.Wait()
		s.gone(id)
	})
	withTarget(t, 1, func(s steps, target *script) {
		target.do = func(context.Context, DeadLetter) error { return ErrClosed }
		s.send("g-1")
		s.one(time.Second)
		time.Sleep(time.Second)
		s.meets()
		s.explains("g-1", Explanation{Obstacle: ObstacleNone, ReceiveCount: 1}, "") // DLQ-8: nobody takes it
		s.one(0)
	})
	onBothTypes(t, func(s steps) { // what arrives, under the id it had, and is hidden while its source has it
		s.send("g-1")
		d := s.one(0)
		l := letter{source: &queue{}, DeadLetter: DeadLetter{ID: "0191a0de-0000-4000-8000-000000000001", Body: "g-2", GroupID: "g"}}
		l.source.name = "source"
		adopted, err := s.q.adopt(&l)
		require.NoError(s, err)
		s.explains("g-2", Explanation{Obstacle: ObstacleArriving, GroupID: "g"}, "The message is about to arrive from another queue.")
		require.Equal(s, l.ID, s.id("g-2"))
		s.q.finishAdoption(&l, adopted, true, 0)
		s.delete(*d)
		s.explains("g-2", Explanation{Obstacle: ObstacleNone, GroupID: "g"}, "")
	})
	scene(t, "the target is gone", func(t *testing.T) {
		b := testBroker(t)
		dead, err := b.CreateStandard("dead")
		require.NoError(t, err)
		q, err := b.CreateStandard("q", WithDeadLetter(dead, 1), WithVisibilityTimeout(0))
		require.NoError(t, err)
		s := steps{t, &q.queue}
		s.send("1")
		s.one(0)
		s.explains("1", Explanation{Obstacle: ObstacleReceives, ReceiveCount: 1}, "")
		require.NoError(t, b.DeleteQueue(context.Background(), "dead"))
		s.explains("1", Explanation{Obstacle: ObstacleNone, ReceiveCount: 1}, "") // DLQ-8
		s.one(0)
	})
}

func TestExplain_WhatIsGone(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1", "g-2")
		first, second := s.id("g-1"), s.id("g-2")
		s.delete(*s.one(0))
		s.gone(first)
		s.loseTimer()
		time.Sleep(time.Hour - time.Nanosecond)
		s.explains("g-2", Explanation{Obstacle: ObstacleNone}, "")
		time.Sleep(time.Nanosecond)
		s.gone(second)
		s.send("g-3")
		third := s.id("g-3")
		require.NoError(s, s.q.Purge(context.Background()))
		s.gone(third)
		s.gone("0191a0de-0000-4000-8000-000000000001")
	}, WithRetention(time.Hour))
}

func TestExplain_Refusals(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1")
		id := s.id("g-1")
		_, err := s.q.Explain(context.Background(), "")
		require.ErrorIs(s, err, ErrMissingParameter)
		_, err = s.q.Explain(context.Background(), "g-1")
		require.ErrorIs(s, err, ErrInvalidParameter)
		require.EqualError(s, err, `inq: invalid parameter value: MessageId "g-1": must be a UUID`)
		var none context.Context
		_, err = s.q.Explain(none, id)
		require.ErrorIs(s, err, ErrMissingParameter)
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_, err = s.q.Explain(ended, id)
		require.Equal(s, context.Canceled, err)
		upper, err := s.q.Explain(context.Background(), strings.ToUpper(id))
		require.NoError(s, err)
		require.Equal(s, id, upper.MessageID)
		require.NoError(s, s.q.Close())
		for _, id := range []string{id, "", "g-1"} {
			_, err = s.q.Explain(context.Background(), id)
			require.Equal(s, ErrClosed, err)
		}
	})
	_, err := new(Standard).Explain(context.Background(), "x")
	require.Equal(t, ErrClosed, err)
	require.Equal(t, "The message is unknown.", Explanation{}.String())
}

// TestExplain_HoldsInAnyOrder takes messages one by one from queues in random states, and demands that as
// many come before one as was said.
func TestExplain_HoldsInAnyOrder(t *testing.T) {
	for seed := range uint64(60) {
		scene(t, fmt.Sprint("seed=", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 11))
			s := standardSteps(t)
			if seed%2 == 1 {
				s = fifoSteps(t)
			}
			var ids []string
			for range 60 {
				switch rng.IntN(5) {
				case 0, 1, 2:
					m := s.message(fmt.Sprintf("g%d-%d", rng.IntN(5), len(ids)))
					if s.q.fifo == nil && rng.IntN(2) == 0 {
						m.GroupID = fmt.Sprint(rng.IntN(4))
					}
					sent, err := s.q.Send(context.Background(), m)
					require.NoError(t, err)
					ids = append(ids, sent.ID())
				case 3:
					for _, d := range s.receive(1+rng.IntN(4), time.Duration(1+rng.IntN(5))*time.Second) {
						if rng.IntN(2) == 0 {
							s.change(&d, 0)
						}
					}
				case 4:
					time.Sleep(time.Duration(rng.IntN(3)) * time.Second)
				}
			}
			for len(ids) != 0 && s.q.Stats().Visible != 0 {
				id := ids[rng.IntN(len(ids))]
				e, err := s.q.Explain(context.Background(), id)
				require.NoError(t, err)
				if e.Obstacle == ObstacleGroupAhead {
					for n := 0; ; {
						d := s.one(time.Hour)
						s.delete(*d)
						if d.ID() == id {
							require.Equal(t, e.Ahead, n)
							break
						}
						if d.GroupID == e.GroupID {
							n++
						}
					}
					continue
				}
				if e.Obstacle != ObstacleNone && e.Obstacle != ObstacleAhead {
					if e.Obstacle == ObstacleGroup {
						for _, d := range s.receive(10, time.Hour) {
							require.NotEqual(t, id, d.ID())
							s.delete(d)
						}
					}
					time.Sleep(time.Second)
					continue
				}
				require.Equal(t, e.Obstacle == ObstacleNone, e.Ahead == 0)
				for range e.Ahead {
					require.NotEqual(t, id, s.one(time.Hour).ID())
				}
				require.Equal(t, id, s.one(time.Hour).ID())
			}
		})
	}
}

// BenchmarkExplain looks for the last of a million messages.
func BenchmarkExplain(b *testing.B) {
	q := testStandard(b)
	var last Sent
	for range 1_000_000 {
		last, _ = q.Send(context.Background(), Message{Body: "b"})
	}
	for b.Loop() {
		if e, err := q.Explain(context.Background(), last.ID()); err != nil || !e.AtLeast {
			b.Fatal(e, err)
		}
	}
}
