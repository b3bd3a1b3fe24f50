package alarm

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// keep stands for the state that the alarm was in.
const keep State = "keep"

// treatments in the order of the columns of the truth tables.
var treatments = []Treatment{Missing, Ignore, Breaching, NotBreaching}

// read reads datapoints: 0 within the threshold, X breaching, - missing.
func read(text string) []point {
	points := make([]point, len(text))
	for i, c := range text {
		points[i] = map[rune]point{'-': missing, '0': within, 'X': breaching}[c]
	}
	return points
}

func TestEvaluateByTheTruthTables(t *testing.T) {
	same := func(s State) [4]State { return [4]State{s, s, s, s} }
	for _, c := range []struct {
		n, m   int
		points string
		want   [4]State
	}{
		{3, 3, "0-X-X", same(OK)},
		{3, 3, "0----", same(OK)},
		{3, 3, "-----", [4]State{InsufficientData, keep, InAlarm, OK}},
		{3, 3, "0XX-X", same(InAlarm)},
		{3, 3, "--X--", [4]State{InAlarm, keep, InAlarm, OK}},
		{3, 2, "0-X-X", same(InAlarm)},
		{3, 2, "00X0X", same(InAlarm)},
		{3, 2, "0-X--", [4]State{OK, OK, InAlarm, OK}},
		{3, 2, "----0", [4]State{OK, OK, InAlarm, OK}},
		{3, 2, "---X-", [4]State{InAlarm, keep, InAlarm, OK}},

		// Premature alarms: the next datapoint may be within the threshold.
		{3, 3, "----X", [4]State{keep, keep, InAlarm, OK}},
		{3, 3, "---X-", [4]State{keep, keep, InAlarm, OK}},
		{3, 3, "---X0", [4]State{OK, OK, OK, OK}},
		{3, 3, "--X-0", [4]State{OK, OK, OK, OK}},
		{3, 3, "---XX", [4]State{keep, keep, InAlarm, OK}},
		{3, 2, "----X", [4]State{keep, keep, InAlarm, OK}},
		{3, 2, "---XX", same(InAlarm)},

		// One of one.
		{1, 1, "--X", same(InAlarm)},
		{1, 1, "X--", same(InAlarm)},
		{1, 1, "X-0", same(OK)},
		{1, 1, "---", [4]State{InsufficientData, keep, InAlarm, OK}},
	} {
		for i, treat := range treatments {
			for _, now := range []State{OK, InAlarm, InsufficientData} {
				want := c.want[i]
				if want == keep {
					want = now
				}
				require.Equal(t, want, evaluate(read(c.points), c.n, c.m, treat, now),
					"%d of %d, %s, %s, in state %s", c.m, c.n, c.points, treat, now)
			}
		}
	}
}

// What holds for all datapoints there can be.
func TestEvaluateAnyDatapoints(t *testing.T) {
	for n := 1; n <= 4; n++ {
		for m := 1; m <= n; m++ {
			every(n+rangeBeyond, func(points []point) {
				var exist, breach int // of the newest n that exist
				for i := len(points) - 1; i >= 0 && exist < n; i-- {
					if points[i] != missing {
						exist++
					}
					if points[i] == breaching {
						breach++
					}
				}
				about := fmt.Sprint(m, " of ", n, ": ", points)
				state := func(treat Treatment, now State) State { return evaluate(points, n, m, treat, now) }
				for _, now := range []State{OK, InAlarm, InsufficientData} {
					for _, treat := range treatments {
						got := state(treat, now)
						switch {
						case breach >= m:
							require.Equal(t, InAlarm, got, about)
						case exist == n:
							require.Equal(t, OK, got, about)
						case breach < exist:
							require.NotEqual(t, InsufficientData, got, about)
						}
					}
					require.NotEqual(t, InsufficientData, state(Breaching, now), about)
					require.NotEqual(t, InsufficientData, state(NotBreaching, now), about)
					if state(NotBreaching, now) == InAlarm {
						require.Equal(t, InAlarm, state(Missing, now), "what counts for less alarms for less: "+about)
					}
					if now != InAlarm && state(Missing, now) == InAlarm {
						require.Equal(t, InAlarm, state(Breaching, now), about)
					}
					if exist == 0 {
						require.Equal(t, now, state(Ignore, now), about)
						require.Equal(t, InsufficientData, state(Missing, now), about)
					}
				}
			})
		}
	}
}

// every calls f with all rows of this many datapoints.
func every(length int, f func([]point)) {
	points := make([]point, length)
	for {
		f(points)
		i := 0
		for ; i < length; i++ {
			if points[i]++; points[i] <= breaching {
				break
			}
			points[i] = missing
		}
		if i == length {
			return
		}
	}
}
