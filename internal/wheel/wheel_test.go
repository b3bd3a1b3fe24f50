package wheel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq/internal/links"
	"example.com/inq/internal/wheel"
)

const (
	tick = 1 << 20
	all  = math.MaxInt
)

// timer is an entry of the model: an id with its deadline and its place in the order of Add.
type timer struct {
	id       uint32
	deadline int64
	seq      int
}

// model runs a wheel beside an unsorted list of what must be in it.
type model struct {
	t     require.TestingT
	w     wheel.Wheel
	nodes links.Nodes
	live  map[uint32]timer
	seq   int
	now   int64

	// reached is the last tick that an Advance completed. Entries up to there must fire in the
	// exact order.
	reached int64
	// onFire is what the callback does beyond checking.
	onFire func(id uint32)
	fired  int
	fire   func(id uint32)
}

func newModel(t require.TestingT, ids int) *model {
	m := &model{t: t, live: map[uint32]timer{}, reached: 0}
	m.nodes.Grow(ids + 1)
	m.w.Init(&m.nodes)
	m.fire = m.check
	return m
}

func (m *model) add(id uint32, deadline int64) {
	m.w.Add(id, deadline)
	m.seq++
	m.live[id] = timer{id, max(deadline, 0), m.seq}
	require.Equal(m.t, max(deadline, 0), m.nodes.At(id).Deadline)
}

func (m *model) remove(id uint32) {
	m.w.Remove(id)
	delete(m.live, id)
	e := m.nodes.At(id)
	require.Zero(m.t, e.Next)
	require.Zero(m.t, e.Prev)
}

// check is the callback of Advance: the id that fires must be one that may come next.
func (m *model) check(id uint32) {
	f, ok := m.live[id]
	require.True(m.t, ok, "id %d fires but is not in the wheel", id)
	require.LessOrEqual(m.t, f.deadline, m.now, "id %d fires too early", id)
	delete(m.live, id)
	e := m.nodes.At(id)
	require.Zero(m.t, e.Next)
	require.Zero(m.t, e.Prev)
	require.Equal(m.t, len(m.live), m.w.Len(), "it is removed before it fires")
	for _, o := range m.live {
		if o.deadline > f.deadline || o.deadline == f.deadline && o.seq > f.seq {
			continue
		}
		if o.deadline == f.deadline {
			require.Less(m.t, f.seq, o.seq, "ids of one deadline fire in the order of Add")
			continue
		}
		require.Equal(m.t, f.deadline/tick, o.deadline/tick, "ticks fire in order")
		require.Greater(m.t, f.deadline/tick, m.reached, "within a tick reached before, deadlines fire in order")
	}
	m.fired++
	if m.onFire != nil {
		m.onFire(id)
	}
}

// advance calls Advance once and checks what it must have done.
func (m *model) advance(now int64, budget int) bool {
	m.now = now
	before := m.fired
	done := m.w.Advance(now, budget, m.fire)
	require.LessOrEqual(m.t, m.fired-before, budget)
	if done {
		m.reached = max(m.reached, now/tick)
		for _, o := range m.live {
			if o.deadline <= now {
				require.Fail(m.t, "Advance says it is done", "id %d is due", o.id)
			}
		}
	}
	m.checkState()
	return done
}

// checkState compares what the wheel tells with the model.
func (m *model) checkState() {
	require.Equal(m.t, len(m.live), m.w.Len())
	m.w.Check(m.t)
	at, ok := m.w.Next()
	require.Equal(m.t, len(m.live) > 0, ok)
	if !ok {
		return
	}
	least := int64(math.MaxInt64)
	for _, o := range m.live {
		least = min(least, o.deadline)
	}
	require.LessOrEqual(m.t, at, least, "Next is too late")
	if least/tick <= m.reached && !m.w.Busy() {
		require.Equal(m.t, least, at, "Next is exact in the current tick")
	}
}

// drain advances from one answer of Next to the next until the wheel is empty and returns the
// number of calls that fired nothing.
func (m *model) drain(budget int) (empty int) {
	for {
		at, ok := m.w.Next()
		if !ok {
			return empty
		}
		before := m.fired
		for !m.advance(max(at, m.now), budget) {
		}
		if m.fired == before {
			empty++
		}
	}
}

// randomDeadline draws from all scales around now, with many equal ones.
func randomDeadline(rng *rand.Rand, now int64) int64 {
	switch rng.IntN(10) {
	case 0:
		return now - rng.Int64N(1<<rng.IntN(40))
	case 1:
		return now + rng.Int64N(3)
	case 2: // around the start of a tick, or of a slot of any level
		shift := 20 + 6*rng.IntN(8)
		return (now>>shift+1+rng.Int64N(2))<<shift - 1 + rng.Int64N(3)
	case 3:
		return now + rng.Int64()%(math.MaxInt64-now)
	case 4:
		return now + 30_000_000_000
	default:
		return now + rng.Int64N(1<<(1+rng.IntN(45)))
	}
}

// randomSpan draws a span of time; some seeds stay within a few ticks, others take years.
func randomSpan(rng *rand.Rand, scale int) int64 { return rng.Int64N(1 << rng.IntN(scale)) }

func TestWheel_AgreesWithTheModel(t *testing.T) {
	for seed := range uint64(200) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			const ids = 60
			m := newModel(t, ids)
			scale := []int{18, 21, 27, 38, 50}[seed%5] // from parts of a tick to years
			drawn := make([]int64, 8)
			randomDeadline := func(rng *rand.Rand, now int64) int64 {
				switch i := rng.IntN(len(drawn)); rng.IntN(4) {
				case 0:
					return drawn[i]
				case 1:
					drawn[i] = now + randomSpan(rng, scale+2)
					return drawn[i]
				default:
					drawn[i] = randomDeadline(rng, now)
					return drawn[i]
				}
			}
			m.onFire = func(uint32) {
				if rng.IntN(4) > 0 {
					return
				}
				id := 1 + rng.Uint32N(ids)
				if _, ok := m.live[id]; ok {
					m.remove(id)
				} else {
					m.add(id, randomDeadline(rng, m.now))
				}
			}
			now := int64(0)
			for range 800 {
				id := 1 + rng.Uint32N(ids)
				_, in := m.live[id]
				switch op := rng.IntN(10); {
				case op < 5 && !in:
					m.add(id, randomDeadline(rng, now))
				case op < 6 && in:
					m.remove(id)
				case op < 8:
					now += randomSpan(rng, scale)
					m.advance(now, rng.IntN(6))
				case op == 8 && rng.IntN(4) == 0:
					m.advance(max(0, now-randomSpan(rng, scale)), rng.IntN(6))
				case op == 8:
					if at, ok := m.w.Next(); ok && at < now+1<<50 {
						now = max(now, at)
						m.advance(now, 1+rng.IntN(100))
					}
				}
				m.checkState()
			}
			m.onFire = nil
			for !m.advance(now, 1) {
			}
			n := len(m.live)
			fired := m.fired
			empty := m.drain(1 + rng.IntN(100))
			require.Equal(t, n, m.fired-fired)
			require.LessOrEqual(t, empty, 8*n)
		})
	}
}
