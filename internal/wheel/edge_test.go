package wheel_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq/internal/links"
	"example.com/inq/internal/wheel"
)

// rig is a wheel that notes what fires.
type rig struct {
	wheel.Wheel
	nodes links.Nodes
	fired []uint32
	note  func(id uint32)
}

func newRig(ids int) *rig {
	r := &rig{}
	r.nodes.Grow(ids + 1)
	r.Init(&r.nodes)
	r.note = func(id uint32) { r.fired = append(r.fired, id) }
	return r
}

// finish advances until all is done at now and returns what has fired since the last call.
func (r *rig) finish(now int64, budget int) []uint32 {
	for !r.Advance(now, budget, r.note) {
	}
	fired := r.fired
	r.fired = nil
	return fired
}

// ids returns the ids from a to b.
func ids(a, b uint32) []uint32 {
	var all []uint32
	for id := a; id <= b; id++ {
		all = append(all, id)
	}
	return all
}

func TestWheel_IsExactAtTheBoundariesOfAllLevels(t *testing.T) {
	for _, from := range []int64{0, 1, tick - 1, tick, 63 * tick, 1<<44 - 1, 1 << 50, 12345678901234567} {
		for shift := range 63 {
			for _, base := range []int64{1 << shift, from + 1<<shift, (from>>shift + 1) << shift, (from>>shift+2)<<shift - tick} {
				for _, deadline := range []int64{base - 1, base, base + 1} {
					if deadline <= from || deadline == math.MaxInt64 {
						continue
					}
					r := newRig(1)
					require.True(t, r.Advance(from, 0, r.note))
					r.Add(1, deadline)
					at, ok := r.Next()
					require.True(t, ok)
					require.Equal(t, deadline, at, "the time of a lone entry is exact")
					require.Empty(t, r.finish(deadline-1, 1), "from %d to %d", from, deadline)
					require.Equal(t, ids(1, 1), r.finish(deadline, 1), "from %d to %d", from, deadline)
				}
			}
		}
	}
}

func TestWheel_TakesAnyDeadline(t *testing.T) {
	r := newRig(6)
	r.finish(5*tick, all)
	for i, deadline := range []int64{math.MinInt64, -1, 0, 5*tick - 1, math.MaxInt64 - 1, math.MaxInt64} {
		r.Add(uint32(i+1), deadline)
	}
	r.Check(t)
	assert.Equal(t, ids(1, 4), r.finish(5*tick, all))
	assert.Empty(t, r.finish(math.MaxInt64-2, all))
	assert.Equal(t, ids(5, 5), r.finish(math.MaxInt64-1, all))
	assert.Equal(t, ids(6, 6), r.finish(math.MaxInt64, all))
	r.Add(1, math.MaxInt64)
	assert.Equal(t, ids(1, 1), r.finish(math.MaxInt64, all))
}

func TestWheel_NegativeTimesFireNothing(t *testing.T) {
	r := newRig(2)
	r.Add(1, -5)
	r.Add(2, 5*tick)
	assert.True(t, r.Advance(-1, 0, r.note), "nothing is to be looked at")
	at, _ := r.Next()
	assert.Zero(t, at)
	assert.Equal(t, ids(1, 1), r.finish(0, all))
}

func TestWheel_LongIdleSpansCostNothing(t *testing.T) {
	r := newRig(1)
	year := int64(365 * 24 * 3600 * 1e9)
	for now := int64(0); now < 200*year; now += 2 * year {
		require.True(t, r.Advance(now, 0, r.note), "nothing is to be looked at")
		r.Add(1, now+2*year-1)
		// Once per level and once to fire.
		require.True(t, r.Advance(now+2*year-1, 9, r.note))
		require.Len(t, r.fired, 1)
		r.fired = nil
	}
}

func TestWheel_LoneEntriesNeedNoEmptyWakeUp(t *testing.T) {
	m := newModel(t, 4)
	for shift := range 60 {
		for id := range uint32(4) {
			m.add(id+1, m.now+int64(id)+1<<shift)
		}
		require.Zero(t, m.drain(all), "four entries 2^%d ns ahead", shift)
	}
}

func TestWheel_ManyEntriesNeedOneEmptyWakeUpPerLevel(t *testing.T) {
	for _, n := range []uint32{5, 1000} {
		for shift := range 55 {
			r := newRig(int(n))
			start := int64(987654321)
			r.finish(start, all)
			deadline := start + 1<<shift
			for id := range n {
				r.Add(id+1, deadline)
			}
			wakeUps := 0
			for r.Len() > 0 {
				at, _ := r.Next()
				require.LessOrEqual(t, at, deadline)
				r.finish(at, all)
				wakeUps++
			}
			require.LessOrEqual(t, wakeUps, 1+(max(shift-20, 0)+5)/6+1, "2^%d ns ahead", shift)
		}
	}
}

func TestWheel_RemovesFromAnyPlaceOfAnyList(t *testing.T) {
	const deadline = 30_000_000_000 + tick/2
	for _, place := range []struct {
		name string
		move func(t *testing.T, r *rig)
	}{
		{"slot", func(*testing.T, *rig) {}},
		{"work list of a high level", func(t *testing.T, r *rig) {
			require.False(t, r.Advance(deadline, 0, r.note))
			require.True(t, r.Busy())
		}},
		{"work list of the current tick", func(t *testing.T, r *rig) {
			for len(r.fired) == 0 { // until 9 has fired and the others wait
				require.False(t, r.Advance(deadline, 1, r.note))
			}
			require.Equal(t, []uint32{9}, r.fired)
			require.True(t, r.Busy())
		}},
		{"run of the current tick", func(t *testing.T, r *rig) {
			require.Equal(t, []uint32{9}, r.finish(deadline-1, all))
			require.Zero(t, r.Heaped())
		}},
		{"heap of the current tick", func(t *testing.T, r *rig) {
			require.Equal(t, []uint32{9}, r.finish(deadline-1, all))
			// The last id of the run bars the others from it.
			for id := uint32(1); id <= 5; id++ {
				r.Remove(id)
			}
			r.Add(10, deadline+1)
			r.Add(11, deadline+2)
			r.Remove(10)
			for id := uint32(1); id <= 5; id++ {
				r.Add(id, deadline)
			}
			r.Remove(11)
			require.Equal(t, 5, r.Heaped())
		}},
	} {
		for _, gone := range [][]uint32{{1}, {3}, {5}, {1, 2}, {5, 4}, {2, 3, 4}, {1, 5}, {5, 1, 3}, {1, 2, 3, 4, 5}, {5, 4, 3, 2, 1}} {
			t.Run(fmt.Sprint(place.name, gone), func(t *testing.T) {
				r := newRig(11)
				var total []uint32
				note := r.note
				r.note = func(id uint32) {
					note(id)
					total = append(total, id)
				}
				r.Add(9, deadline-1)
				want := []uint32{9}
				for id := uint32(1); id <= 5; id++ {
					r.Add(id, deadline)
					if !slices.Contains(gone, id) {
						want = append(want, id)
					}
				}
				place.move(t, r)
				for _, id := range gone {
					before := r.Len()
					r.Remove(id)
					require.Equal(t, before-1, r.Len())
					require.Zero(t, r.nodes.At(id).Next)
					require.Zero(t, r.nodes.At(id).Prev)
					r.Check(t)
				}
				r.finish(deadline, 1)
				require.Equal(t, want, total)
			})
		}
	}
}

func TestWheel_AddKeepsTheOrderWhileWorkIsPending(t *testing.T) {
	const deadline = 30_000_000_000 + tick/2
	for budget := range 40 {
		r := newRig(20)
		for id := uint32(1); id <= 10; id++ {
			r.Add(id, deadline)
		}
		// The work stops anywhere: in the middle of a level, between two or while firing.
		r.Advance(deadline, budget, r.note)
		for id := uint32(11); id <= 20; id++ {
			r.Add(id, deadline)
			r.Check(t)
		}
		require.Equal(t, ids(1, 20), r.finish(deadline, 1), "budget %d", budget)
	}
}

func TestWheel_AddKeepsTheOrderWhenTheWorkWasRemoved(t *testing.T) {
	const deadline = 64*tick + 10
	r := newRig(3)
	r.Add(1, deadline)
	r.Add(2, 100*tick)
	require.False(t, r.Advance(64*tick, 1, r.note))
	// Now 1 is in the slot of the current tick, and nothing else is left to be moved.
	r.Remove(2)
	require.False(t, r.Busy())
	r.Add(3, deadline)
	r.Check(t)
	at, _ := r.Next()
	assert.Equal(t, int64(deadline), at)
	assert.Empty(t, r.finish(64*tick, 1))
	assert.Equal(t, []uint32{1, 3}, r.finish(deadline, 1))
}

func TestWheel_ALaterTimeInTheMiddleOfATickKeepsTheOrder(t *testing.T) {
	const deadline = 5*tick + 10
	for budget := range 12 {
		r := newRig(8)
		for id := uint32(1); id <= 7; id += 2 {
			r.Add(id, deadline)
			r.Add(id+1, deadline-5)
		}
		r.Advance(deadline-5, budget, r.note)
		fired := r.finish(deadline, 1)
		odd := slices.DeleteFunc(slices.Clone(fired), func(id uint32) bool { return id%2 == 0 })
		even := slices.DeleteFunc(fired, func(id uint32) bool { return id%2 == 1 })
		require.Equal(t, []uint32{1, 3, 5, 7}, odd, "budget %d", budget)
		require.Equal(t, []uint32{2, 4, 6, 8}, even, "budget %d", budget)
	}
}

func TestWheel_TimeThatGoesBackFiresWhatIsDueThen(t *testing.T) {
	for budget := range 30 {
		r := newRig(6)
		for id := uint32(1); id <= 3; id++ {
			r.Add(id, 70*tick)
			r.Add(id+3, 70*tick+7)
		}
		r.Advance(70*tick+7, budget, r.note)
		n := len(r.fired)
		for !r.Advance(69*tick, 2, r.note) {
		}
		require.Len(t, r.fired, n, "nothing is due at the earlier time")
		r.Check(t)
		for !r.Advance(70*tick, 2, r.note) {
		}
		got := r.finish(70*tick+7, 2)
		slices.SortStableFunc(got, func(a, b uint32) int { return int(a-1)/3 - int(b-1)/3 })
		require.Equal(t, ids(1, 6), got, "budget %d", budget)
	}
}

func TestWheel_FireMayAddTheSameIdAgain(t *testing.T) {
	r := newRig(1)
	r.Add(1, 100)
	times := 0
	again := func(id uint32) {
		if times++; times < 10 {
			r.Add(id, 100)
		}
	}
	for !r.Advance(5*tick, 2, again) {
	}
	assert.Equal(t, 10, times)
	assert.Zero(t, r.Len())
}

func TestWheel_AnIdThatAlwaysComesBackDoesNotHoldAdvance(t *testing.T) {
	for _, deadline := range []int64{0, 5 * tick, 5*tick + 3, 6 * tick} {
		r := newRig(1)
		r.Add(1, deadline)
		times := 0
		again := func(id uint32) {
			times++
			r.Add(id, deadline)
		}
		require.False(t, r.Advance(6*tick, 100, again))
		require.LessOrEqual(t, times, 100)
		require.GreaterOrEqual(t, times, 90)
	}
}

func TestWheel_FireMayRemoveWhatIsDue(t *testing.T) {
	for _, deadline := range []int64{5, 100 * tick, 30_000_000_000} {
		for _, victims := range [][]uint32{{2}, {5}, {3, 2}, {2, 3, 4, 5}, {5, 4}} {
			r := newRig(5)
			for id := uint32(1); id <= 5; id++ {
				r.Add(id, deadline)
			}
			var fired []uint32
			for !r.Advance(deadline+tick, all, func(id uint32) {
				fired = append(fired, id)
				if id == 1 {
					for _, v := range victims {
						r.Remove(v)
					}
				}
				r.Check(t)
			}) {
			}
			want := slices.DeleteFunc(ids(1, 5), func(id uint32) bool { return slices.Contains(victims, id) })
			require.Equal(t, want, fired)
			require.Zero(t, r.Len())
		}
	}
}

func TestWheel_LateAdditionsOfEarlierTicksComeFirst(t *testing.T) {
	r := newRig(6)
	for id := uint32(1); id <= 4; id++ {
		r.Add(id, 10*tick)
	}
	require.False(t, r.Advance(20*tick, 2, r.note))
	r.Add(5, 9*tick)
	r.Add(6, 15*tick)
	fired := r.finish(20*tick, 1)
	assert.Less(t, slices.Index(fired, 5), slices.Index(fired, 4))
	assert.Equal(t, uint32(6), fired[len(fired)-1])
}

func TestWheel_ABudgetOfZeroFiresNothing(t *testing.T) {
	r := newRig(2)
	r.Add(1, 5)
	r.Add(2, 100*tick)
	assert.False(t, r.Advance(200*tick, 0, r.note))
	assert.False(t, r.Advance(200*tick, -1, r.note))
	assert.Empty(t, r.fired)
	assert.Equal(t, ids(1, 2), r.finish(200*tick, 1))
}

func TestWheel_AdvanceIsDoneWhenTheBudgetIsJustEnough(t *testing.T) {
	r := newRig(3)
	for id := uint32(1); id <= 3; id++ {
		r.Add(id, tick+3)
	}
	assert.True(t, r.Advance(tick+3, 3, r.note), "each entry is looked at once")
	assert.Equal(t, ids(1, 3), r.fired)
}

func TestWheel_ResetDropsWhatIsAnywhere(t *testing.T) {
	r := newRig(10)
	r.finish(tick, all)
	r.Add(1, 2*tick-1) // in the run
	r.Add(2, tick+5)   // in the heap
	r.Add(4, 1000*tick)
	require.Equal(t, 1, r.Heaped())
	r.Reset()
	r.Check(t)
	assert.Zero(t, r.Len())
	_, ok := r.Next()
	assert.False(t, ok)
	assert.Empty(t, r.finish(50*tick, all))

	for id := uint32(5); id <= 9; id++ {
		r.Add(id, 100*tick)
	}
	require.False(t, r.Advance(100*tick, 3, r.note))
	require.True(t, r.Busy())
	r.Reset()
	r.Check(t)
	assert.Zero(t, r.Len())
	assert.Empty(t, r.finish(100*tick, all))
	r.Add(4, 100*tick+1)
	r.Add(3, 99*tick)
	assert.Equal(t, []uint32{3, 4}, r.finish(101*tick, all))
}

func TestWheel_SteadyStateDoesNotAllocate(t *testing.T) {
	r := newRig(1000)
	now := int64(0)
	fire := func(uint32) {}
	run := func() {
		for id := range uint32(1000) {
			r.Add(id+1, now+int64(id*7919%1000)*tick/40)
		}
		for id := range uint32(1000) {
			if id%3 == 0 {
				r.Remove(id + 1)
			}
		}
		for r.Len() > 0 {
			now, _ = r.Next()
			r.Advance(now, 16, fire)
		}
	}
	run()
	assert.Zero(t, testing.AllocsPerRun(20, run))
}

func FuzzWheel(f *testing.F) {
	f.Add([]byte{0, 1, 20, 3, 0, 2, 20, 3, 2, 0, 22, 1, 3, 0, 0, 255})
	f.Add([]byte("add, remove and advance by any amount, please"))
	f.Fuzz(func(t *testing.T, ops []byte) {
		const most = 16
		m := newModel(t, most)
		now := int64(0)
		toggle := func(id uint32, deadline int64) {
			if _, ok := m.live[id]; ok {
				m.remove(id)
			} else {
				m.add(id, deadline)
			}
		}
		for ; len(ops) >= 4; ops = ops[4:] {
			id := 1 + uint32(ops[1])%most
			span := int64(ops[3]) << (ops[2] % 54)
			switch ops[0] % 5 {
			case 0, 1:
				toggle(id, now+span)
			case 2:
				toggle(id, now-span)
			case 3:
				now += span
				m.onFire = nil
				m.advance(now, int(ops[1]%8))
			case 4:
				// The first id that fires adds or removes another one.
				m.onFire = func(uint32) {
					m.onFire = nil
					toggle(id, now+span)
				}
				if at, ok := m.w.Next(); ok {
					now = max(now, at)
					m.advance(now, int(ops[1]/16))
				}
			}
			if now > 1<<62 {
				return
			}
			m.checkState()
		}
		m.onFire = nil
		for !m.advance(now, 1) {
		}
		n := len(m.live)
		if empty := m.drain(3); empty > 8*n {
			t.Fatalf("%d entries took %d empty calls", n, empty)
		}
	})
}
