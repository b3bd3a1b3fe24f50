package inq

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSlab_AgreesWithAMap(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	var s slab[string]
	model := map[uint32]string{}
	var ids []uint32
	for step := range 50_000 {
		// It grows to some thousands, shrinks to nothing, and so on.
		if grow := step/10_000%2 == 0; len(ids) == 0 || grow == (rng.IntN(10) < 8) {
			id := s.alloc()
			if _, used := model[id]; used || id == 0 || *s.at(id) != "" {
				t.Fatalf("step %d: number %d is in use or its value is not zero", step, id)
			}
			*s.at(id) = string(rune('a' + id%26))
			model[id] = *s.at(id)
			ids = append(ids, id)
		} else {
			i := rng.IntN(len(ids))
			id := ids[i]
			if *s.at(id) != model[id] {
				t.Fatalf("step %d: %q under number %d, not %q", step, *s.at(id), id, model[id])
			}
			s.release(id)
			delete(model, id)
			ids[i] = ids[len(ids)-1]
			ids = ids[:len(ids)-1]
		}
		if s.live != len(model) {
			t.Fatalf("step %d: %d live, not %d", step, s.live, len(model))
		}
	}
	for id, v := range model {
		require.Equal(t, v, *s.at(id))
	}
}

func TestSlab_UsesFreedNumbersAgainAndGivesAllMemoryBack(t *testing.T) {
	var s slab[[64]byte]
	const n = 10 * slabChunk
	for range n {
		s.alloc()
	}
	for id := uint32(1); id <= n/2; id++ {
		s.release(id)
	}
	size := s.size
	for range n / 2 {
		s.alloc()
	}
	require.Equal(t, size, s.size)
	for id := uint32(1); id <= n; id++ {
		s.release(id)
	}
	require.Equal(t, slab[[64]byte]{}, s)
	require.EqualValues(t, 1, s.alloc())
}
