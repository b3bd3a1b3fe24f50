package index_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq/internal/index"
)

// mix is a hash of small numbers with well-mixed bits.
func mix(v uint64) uint64 {
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

func TestIndex_AgreesWithAMap(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			hashes := map[uint32]uint64{}
			var live []uint32
			var x index.Index
			distinct := uint64(1) << rng.IntN(20)
			next := uint32(1)
			for range 6 {
				grow := rng.IntN(9) + 1
				for range rng.IntN(4000) {
					if rng.IntN(10) < grow {
						h := mix(rng.Uint64N(distinct))
						if distinct < 256 && len(live) > 500 {
							continue
						}
						x.Insert(h, next)
						hashes[next] = h
						live = append(live, next)
						next++
					} else if len(live) > 0 {
						i := rng.IntN(len(live))
						id := live[i]
						h := hashes[id]
						delete(hashes, id)
						if !x.Delete(h, id) || x.Delete(h, id) {
							t.Fatal("Delete must report true and then false for", id)
						}
						live[i] = live[len(live)-1]
						live = live[:len(live)-1]
					}
				}
				require.Equal(t, len(live), x.Len())
				x.Check(t)
				for id, h := range hashes {
					if got, ok := x.Find(h, func(i uint32) bool { return i == id }); !ok || got != id {
						t.Fatal("not found:", id)
					}
				}
				_, ok := x.Find(rng.Uint64(), func(uint32) bool { return false })
				require.False(t, ok)
			}
			for _, id := range live {
				h := hashes[id]
				delete(hashes, id)
				if !x.Delete(h, id) {
					t.Fatal("not deleted:", id)
				}
			}
			x.Check(t)
			require.Zero(t, x.Len())
			require.LessOrEqual(t, x.Bytes(), 320)
		})
	}
}
