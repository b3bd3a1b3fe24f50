package inq

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq/internal/disturbance"
)

// twice has the message of a delivery delivered once more.
func (s steps) twice(d *Delivery) {
	s.Helper()
	require.True(s, s.q.duplicate(d.ReceiptHandle()))
}

// disturbed is a short poll that is disturbed.
func (s steps) disturbed(most int, how disturbance.Receive) []string {
	s.Helper()
	ds, err := disturbance.ReceiveFrom(context.Background(), s.q.self, ReceiveInput{Max: most, Wait: Zero}, how)
	require.NoError(s, err)
	return bodiesOf(ds.([]Delivery))
}

func TestDisturbed_AMessageIsDeliveredTwice(t *testing.T) {
	scene(t, "the first consumer deletes before the other has it", func(t *testing.T) {
		s := standardSteps(t)
		s.send("1")
		d := s.one(0)
		require.Equal(t, uint32(1), d.receipt.receive)
		s.twice(d)
		s.delete(*d)
		s.counts(1, 0, 0)
		again := s.one(0)
		require.Equal(t, d.ID(), again.ID())
		require.Equal(t, 2, again.ReceiveCount)
		require.NotEqual(t, d.ReceiptHandle(), again.ReceiptHandle())
		s.counts(0, 1, 0)
		s.delete(*again)
		s.counts(0, 0, 0)
	})
	scene(t, "both have it at once", func(t *testing.T) {
		for who := range 2 {
			s := standardSteps(t)
			s.send("1")
			both := []*Delivery{s.one(0), nil}
			s.twice(both[0])
			both[1] = s.one(0)
			s.gets(1, 0)
			s.delete(*both[who])
			s.counts(0, 0, 0)
			s.delete(*both[1-who])
		}
	})
	scene(t, "a receive that waits has it", func(t *testing.T) {
		s := standardSteps(t)
		got := make(chan []Delivery)
		s.send("1")
		d := s.one(0)
		go func() {
			ds, _ := s.q.Receive(context.Background(), ReceiveInput{Wait: 20 * time.Second})
			got <- ds
		}()
		synctest.Wait()
		s.twice(d)
		require.Equal(t, []string{"1"}, bodiesOf(<-got))
		require.False(t, s.q.duplicate(d.ReceiptHandle()), "this receive is not the latest")
	})
	scene(t, "a change of visibility before the other receive changes nothing", func(t *testing.T) {
		s := standardSteps(t)
		s.send("1")
		d := s.one(0)
		s.twice(d)
		s.change(d, time.Hour)
		again := s.one(time.Second)
		s.change(d, time.Minute) // as any handle of the message does on Standard
		time.Sleep(time.Minute - 1)
		s.counts(0, 1, 0)
		time.Sleep(time.Nanosecond)
		s.counts(1, 0, 0)
		s.delete(*again)
	})
	scene(t, "it is no reason to dead-letter it", func(t *testing.T) {
		target := &script{}
		s := standardSteps(t)
		s.buriesIn(target, 1)
		s.send("1")
		d := s.one(time.Second)
		s.twice(d)
		s.explains("1", Explanation{Obstacle: ObstacleNone, ReceiveCount: 1}, "")
		s.one(time.Second)
		time.Sleep(time.Second)
		s.meets()
		require.Equal(t, []string{"1"}, target.got())
	})
	scene(t, "what else can become of it", func(t *testing.T) {
		for name, end := range map[string]func(s steps){
			"purged":  func(s steps) { require.NoError(s, s.q.Purge(context.Background())) },
			"expired": func(s steps) { time.Sleep(time.Hour) },
			"closed":  func(s steps) { require.NoError(s, s.q.Close()) },
		} {
			s := standardSteps(t, WithRetention(time.Hour))
			s.send("1", "2")
			s.twice(s.one(0))
			checkInvariants(t, s.q)
			end(s)
			if name != "closed" {
				s.counts(0, 0, 0)
				s.send("3")
				s.delete(*s.one(0))
			}
		}
	})
	scene(t, "with a group", func(t *testing.T) {
		s := standardSteps(t)
		_, err := s.q.Send(context.Background(), Message{Body: "1", GroupID: "g"})
		require.NoError(t, err)
		d := s.one(0)
		s.twice(d)
		checkInvariants(t, s.q)
		s.delete(*d)
		s.delete(*s.one(0))
		s.counts(0, 0, 0)
	})
	scene(t, "nor does a handle of before delete it", func(t *testing.T) {
		s := standardSteps(t)
		defer s.q.Watch(func([]Event) {})()
		s.send("1")
		old := s.one(time.Second)
		time.Sleep(time.Second)
		s.twice(s.one(0))
		s.delete(*old)
		s.counts(1, 0, 0)
	})
	scene(t, "what cannot be", func(t *testing.T) {
		s, f := standardSteps(t), fifoSteps(t)
		s.send("1", "2")
		f.send("g-1")
		require.False(t, disturbance.Duplicate(f.q.self, f.one(0).ReceiptHandle()), "a FIFO queue never does")
		d := s.one(time.Second)
		require.False(t, disturbance.Duplicate(s.q.self, "no handle"))
		time.Sleep(time.Second)
		require.False(t, disturbance.Duplicate(s.q.self, d.ReceiptHandle()), "it has timed out, and comes again anyway")
		gone := s.one(0)
		s.delete(*gone)
		require.False(t, disturbance.Duplicate(s.q.self, gone.ReceiptHandle()))
		require.NoError(t, s.q.Close())
		require.False(t, disturbance.Duplicate(s.q.self, d.ReceiptHandle()))
		_, err := disturbance.ReceiveFrom(context.Background(), s.q.self, ReceiveInput{}, disturbance.Receive{})
		require.Equal(t, ErrClosed, err)
	})
	scene(t, "the log does not take the first consumer for late", func(t *testing.T) {
		s := standardSteps(t)
		var kinds []string
		stop := s.q.Watch(func(events []Event) {
			for _, e := range events {
				kinds = append(kinds, e.Kind.String()+map[bool]string{true: " late"}[e.Late])
			}
		})
		defer stop()
		s.send("1")
		d := s.one(0)
		s.twice(d)
		s.change(d, time.Minute)
		s.delete(*d)
		s.one(0)
		s.change(d, time.Minute)
		s.delete(*d)
		require.Equal(t, []string{"sent", "received", "released", "received", "extended", "deleted"}, kinds)
	})
}

func TestDisturbed_AReceiveInAnyOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seeds := map[string]bool{}
		for seed := range uint64(20) {
			var runs [2][]string
			for i := range runs {
				s := standardSteps(t)
				for n := range 10 {
					m := Message{Body: fmt.Sprint(n)}
					if n%3 == 0 {
						m.GroupID = "g"
					}
					_, err := s.q.Send(context.Background(), m)
					require.NoError(t, err)
				}
				runs[i] = s.disturbed(4, disturbance.Receive{Seed: seed, Shuffle: true})
				require.Len(t, runs[i], 4)
				checkInvariants(t, s.q)
				rest := bodiesOf(s.receive(10, 0)) // those not taken stand where they stood
				require.True(t, slices.IsSorted(rest), rest)
				require.Len(t, rest, 6)
			}
			require.Equal(t, runs[0], runs[1], "the same seed does the same")
			seeds[fmt.Sprint(runs[0])] = true
		}
		require.Greater(t, len(seeds), 15)
	})
}

func TestDisturbed_AShortPollSeesAShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		found := 0
		for seed := range uint64(1000) {
			s := standardSteps(t)
			s.send("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
			got := s.disturbed(10, disturbance.Receive{Seed: seed, Sample: true, Share: 0.3})
			require.True(t, slices.IsSorted(got), "in order all the same")
			found += len(got)
			s.counts(10-len(got), len(got), 0)
			require.Len(t, s.receive(10, 0), 10-len(got)) // nothing is away for good
		}
		require.InDelta(t, 3000, found, 300)
		s := standardSteps(t)
		s.send("1")
		require.Empty(t, s.disturbed(1, disturbance.Receive{Sample: true}))
		require.EqualValues(t, 1, s.q.Stats().EmptyReceives)
		began := time.Now()
		ds, err := disturbance.ReceiveFrom(context.Background(), s.q.self, ReceiveInput{Wait: time.Second}, disturbance.Receive{Sample: true})
		require.NoError(t, err)
		require.Len(t, ds, 1, "a long poll asks all servers")
		require.Zero(t, time.Since(began))
	})
}

func TestDisturbed_AReceiveThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standardSteps(t)
		got := make(chan any)
		for range 2 {
			go func() {
				ds, _ := disturbance.ReceiveFrom(context.Background(), s.q.self, ReceiveInput{Max: 10, Wait: 20 * time.Second},
					disturbance.Receive{Shuffle: true, Sample: true})
				got <- ds
			}()
		}
		synctest.Wait()
		s.send("1")
		require.Equal(t, []string{"1"}, bodiesOf((<-got).([]Delivery)))
		s.send("2")
		require.Equal(t, []string{"2"}, bodiesOf((<-got).([]Delivery)))
	})
}

// TestDisturbed_NothingIsLost has consumers process messages under all disturbances, with groups, timeouts
// and a dead-letter target, and demands that each was processed or dead-lettered.
func TestDisturbed_NothingIsLost(t *testing.T) {
	for seed := range uint64(100) {
		scene(t, fmt.Sprint("seed=", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 5))
			target := &script{}
			s := standardSteps(t, WithVisibilityTimeout(5*time.Second))
			if seed%2 == 0 {
				s.buriesIn(target, 3)
			}
			m := &mirror{}
			m.watch(s.q)
			done := map[string]int{}
			const n = 30
			sent, doubled := 0, 0
			for round := 0; round < 10_000 && (sent < n || s.q.Stats().Counts != Counts{}); round++ {
				if sent < n && rng.IntN(2) == 0 {
					_, err := s.q.Send(context.Background(), Message{Body: fmt.Sprint(sent), GroupID: []string{"", "a", "b"}[rng.IntN(3)]})
					require.NoError(t, err)
					sent++
				}
				how := disturbance.Receive{Seed: rng.Uint64(), Shuffle: rng.IntN(2) == 0, Sample: rng.IntN(2) == 0, Share: rng.Float64()}
				ds, err := disturbance.ReceiveFrom(context.Background(), s.q.self, ReceiveInput{Max: 1 + rng.IntN(10), Wait: Zero,
					VisibilityTimeout: []time.Duration{0, 0, 0, time.Second, Zero}[rng.IntN(5)]}, how)
				require.NoError(t, err)
				for _, d := range ds.([]Delivery) {
					if rng.IntN(5) == 0 && s.q.duplicate(d.ReceiptHandle()) {
						doubled++
					}
					switch rng.IntN(4) {
					case 0:
					case 1:
						s.change(&d, time.Duration(rng.IntN(10))*time.Second)
					default:
						done[d.Body]++
						s.delete(d)
					}
				}
				if rng.IntN(3) == 0 {
					time.Sleep(time.Duration(rng.IntN(6)) * time.Second)
				}
				synctest.Wait() // calls of the target
				checkInvariants(t, s.q)
				m.compare(t, s.q)
			}
			require.Equal(t, Counts{}, s.q.Stats().Counts)
			require.NotZero(t, doubled)
			for _, body := range target.got() {
				done[body]++
			}
			require.Len(t, done, n)
		})
	}
}

// TestDisturbed_NoDeleteIsForgotten has duplicates meet all else that a queue can do: dead letters, move
// tasks, tenants, purges, returns and handles of any age. After a delete a message comes again only where
// its duplicate was still to come, and none gets lost.
func TestDisturbed_NoDeleteIsForgotten(t *testing.T) {
	doubled := 0
	for seed := range uint64(200) {
		scene(t, fmt.Sprint("seed=", seed), func(t *testing.T) {
			d := newDoubling(t, seed)
			for round := 0; d.sent < d.most || !d.empty(); round++ {
				require.Less(t, round, 20_000, "%v %v", d.main.Stats(), d.dead.Stats())
				d.round()
			}
			require.Len(t, d.ended, d.sent)
			doubled += d.doubled
		})
	}
	require.Greater(t, doubled, 1000)
}

// doubling is a queue and its dead-letter queue under duplicates, and what is known of their messages.
type doubling struct {
	*testing.T
	rng        *rand.Rand
	main, dead *Standard
	most       int
	sent       int
	doubled    int
	held       []heldMessage
	twice      map[heldID]bool // a duplicate is to come
	ended      map[string]bool // bodies that were deleted or purged
	gone       map[string]bool // and those of them that must not come again
}

type heldMessage struct {
	Delivery
	from *Standard
}

type heldID struct {
	from *Standard
	id   string
}

func (m *heldMessage) place() heldID { return heldID{m.from, m.ID()} }

func newDoubling(t *testing.T, seed uint64) *doubling {
	b := testBroker(t, WithoutCooldowns())
	dead, err := b.CreateStandard("dead", WithVisibilityTimeout(4*time.Second))
	require.NoError(t, err)
	main, err := b.CreateStandard("main", WithVisibilityTimeout(3*time.Second), WithDeadLetter(dead, 2+int(seed%3)))
	require.NoError(t, err)
	return &doubling{T: t, rng: rand.New(rand.NewPCG(seed, 11)), main: main, dead: dead, most: 25,
		twice: map[heldID]bool{}, ended: map[string]bool{}, gone: map[string]bool{}}
}

func (d *doubling) empty() bool {
	return d.main.Stats().Counts == Counts{} && d.dead.Stats().Counts == Counts{}
}

func (d *doubling) seconds(most int) time.Duration {
	return time.Duration(d.rng.IntN(most+1)) * time.Second
}

func (d *doubling) round() {
	if d.sent < d.most && d.rng.IntN(2) == 0 {
		_, err := d.main.Send(context.Background(), Message{Body: fmt.Sprint(d.sent), GroupID: []string{"", "a", "b"}[d.rng.IntN(3)], Delay: d.seconds(1)})
		require.NoError(d, err)
		d.sent++
	}
	d.receive(d.main)
	d.receive(d.dead)
	for range min(4, len(d.held)) {
		i := d.rng.IntN(len(d.held))
		d.handle(d.held[i])
		if d.rng.IntN(2) == 0 {
			d.held = slices.Delete(d.held, i, i+1)
		}
	}
	switch d.rng.IntN(40) {
	case 0, 1:
		if task, err := d.dead.Redrive(context.Background(), RedriveInput{}); err == nil && d.rng.IntN(2) == 0 {
			<-task.Done()
		}
	case 2:
		for m := range d.main.Messages() {
			d.ended[m.Body] = true
		}
		require.NoError(d, d.main.Purge(context.Background()))
	default:
		time.Sleep(d.seconds(1))
	}
	synctest.Wait()
	for _, q := range []*Standard{d.main, d.dead} {
		checkInvariants(d, &q.queue)
		there := d.there(q)
		for body := range d.gone {
			require.NotContains(d, there, body)
		}
		for at := range d.twice {
			if at.from == q && !slices.Contains(slices.Collect(maps.Values(there)), at.id) {
				delete(d.twice, at) // it was moved or purged
			}
		}
	}
}

// there returns the ids of the messages in a queue, by body.
func (d *doubling) there(q *Standard) map[string]string {
	ids := map[string]string{}
	for m := range q.Messages() {
		ids[m.Body] = m.ID
	}
	return ids
}

func (d *doubling) receive(q *Standard) {
	how := disturbance.Receive{Seed: d.rng.Uint64(), Shuffle: d.rng.IntN(2) == 0, Sample: d.rng.IntN(3) == 0, Share: d.rng.Float64()}
	ds, err := disturbance.ReceiveFrom(context.Background(), q, ReceiveInput{Max: 1 + d.rng.IntN(10), Wait: []time.Duration{Zero, time.Second}[d.rng.IntN(2)],
		VisibilityTimeout: []time.Duration{0, 0, time.Second, Zero}[d.rng.IntN(4)]}, how)
	require.NoError(d, err)
	for _, got := range ds.([]Delivery) {
		require.False(d, d.gone[got.Body], "%s came after its delete", got.Body)
		m := heldMessage{got, q}
		delete(d.twice, m.place())
		d.held = append(d.held, m)
	}
}

// handle does something with a message that was received some time.
func (d *doubling) handle(m heldMessage) {
	ctx := context.Background()
	switch d.rng.IntN(8) {
	case 0, 1:
		if m.from.duplicate(m.ReceiptHandle()) {
			d.twice[m.place()] = true
			d.doubled++
		}
	case 2:
		_ = m.ChangeVisibility(ctx, plainZero(d.seconds(2)))
	case 3:
		_ = m.Return(ctx, d.seconds(1))
	case 4:
		_ = m.Bury(ctx, "no use")
	default:
		id := d.there(m.from)[m.Body]
		require.NoError(d, m.Delete(ctx))
		d.ended[m.Body] = true
		if id == m.ID() && !d.twice[m.place()] {
			d.gone[m.Body] = true
		}
	}
}

// TestDisturbed_ALookLeavesTheOrder has one of two like queues looked at by receives that see nothing, and
// demands that both deliver the same from then on.
func TestDisturbed_ALookLeavesTheOrder(t *testing.T) {
	for seed := range uint64(100) {
		scene(t, fmt.Sprint("seed=", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 12))
			one, other := standardSteps(t), standardSteps(t)
			both := []steps{one, other}
			var held [2][]Delivery
			for n := range 300 {
				m := Message{Body: fmt.Sprint(n), GroupID: []string{"", "a", "a", "a", "b"}[rng.IntN(5)], Delay: time.Duration(rng.IntN(2)) * time.Second}
				in := ReceiveInput{Max: 1 + rng.IntN(4), Wait: Zero, VisibilityTimeout: time.Duration(1+rng.IntN(3)) * time.Second}
				sends, what, which := rng.IntN(2) == 0, rng.IntN(4), rng.Uint64()
				for i, s := range both {
					if sends {
						_, err := s.q.Send(context.Background(), m)
						require.NoError(t, err)
					}
					if i == 1 {
						require.Empty(t, s.disturbed(10, disturbance.Receive{Seed: which, Shuffle: true, Sample: true}))
					}
					ds, err := s.q.Receive(context.Background(), in)
					require.NoError(t, err)
					held[i] = append(held[i], ds...)
					if len(held[i]) != 0 {
						k := int(which % uint64(len(held[i])))
						switch d := held[i][k]; what {
						case 0:
							_ = d.Return(context.Background(), 0)
						case 1:
							_ = d.ChangeVisibility(context.Background(), Zero)
						case 2:
							s.delete(d)
						}
						held[i] = slices.Delete(held[i], k, k+1)
					}
				}
				require.Equal(t, bodiesOf(held[0]), bodiesOf(held[1]))
				time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond)
			}
		})
	}
}
