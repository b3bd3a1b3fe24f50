package alarm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStatistics(t *testing.T) {
	s := samples{}
	for _, v := range []float64{4, -1, 7} {
		s.add(v)
	}
	for of, want := range map[Statistic]float64{Sum: 10, Average: 10.0 / 3, Minimum: -1, Maximum: 7, SampleCount: 3} {
		require.Equal(t, want, s.value(of), of)
	}
	require.Nil(t, s.buckets, "nothing is kept for percentiles that nobody asks for")
}

func TestPercentilesAreRightWithinOnePercent(t *testing.T) {
	for name, draw := range map[string]func(*rand.Rand) float64{
		"uniform":     func(r *rand.Rand) float64 { return r.Float64() },
		"of any sign": func(r *rand.Rand) float64 { return r.NormFloat64() * 1000 },
		"long tail":   func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64() * 5) },
		"extreme":     func(r *rand.Rand) float64 { return math.Ldexp(r.Float64()-0.5, r.IntN(2000)-1000) },
		"few":         func(r *rand.Rand) float64 { return float64(r.IntN(3)) },
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			s := samples{wantQuantiles: true}
			var all []float64
			for range 5000 {
				v := draw(r)
				all = append(all, v)
				s.add(v)
			}
			slices.Sort(all)
			for of, rank := range map[Statistic]int{"p0.01": 1, "p1": 50, "p50": 2500, "p90": 4500, "p99.9": 4995, "p99.99": 5000} {
				want := all[rank-1]
				if name == "few" {
					require.Equal(t, want, s.value(of), of)
				}
				require.InDelta(t, want, s.value(of), 0.0101*math.Abs(want), of)
			}
		})
	}
}

func TestAPeriodTakesTheSameRoomForAnyNumberOfValues(t *testing.T) {
	s := samples{wantQuantiles: true}
	for i := range 1_000_000 {
		s.add(float64(i))
	}
	require.Less(t, len(s.buckets), 1440)
	for _, v := range []float64{math.SmallestNonzeroFloat64, math.MaxFloat64, -math.SmallestNonzeroFloat64, -math.MaxFloat64, 0} {
		s.add(v)
		require.Contains(t, s.buckets, bucketOf(v))
	}
	require.Greater(t, bucketOf(math.SmallestNonzeroFloat64), bucketOf(0))
	require.Less(t, bucketOf(-math.SmallestNonzeroFloat64), bucketOf(0))
}

func TestStatisticNames(t *testing.T) {
	for s, want := range map[Statistic]bool{
		Average: true, Sum: true, Minimum: true, Maximum: true, SampleCount: true,
		"p99": true, "p0.1": true, "p99.999": true,
		"p0": false, "p100": false, "p-1": false, "p": false, "p.": false, "p1e1": false, "pNaN": false, "p0x1p1": false, "p1_0": false, "average": false, "99": false,
	} {
		require.Equal(t, want, s.valid(), s)
	}
}
