package inq

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDedupRuns_TellTheSegmentOfEachEntry(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		var k dedupRuns
		var want []uint32
		for range 60 {
			if n := uint64(len(want)); n == 0 || r.IntN(2) == 0 {
				for range 1 + r.IntN(5) {
					segment := uint32(r.IntN(4))
					k.add(uint64(len(want)), segment)
					want = append(want, segment)
				}
			} else {
				from := r.Uint64N(n)
				to := from + 1 + r.Uint64N(n-from)
				segment := uint32(r.IntN(4))
				k.set(from, to, n, segment)
				for i := from; i < to; i++ {
					want[i] = segment
				}
			}
			for i, segment := range want {
				require.Equal(t, segment, k.at(uint64(i)), "entry %d of %v", i, k.runs)
			}
			for i := 1; i < len(k.runs); i++ {
				require.Less(t, k.runs[i-1].from, k.runs[i].from)
			}
		}
	}
}
