package alarm

// point is what a period has come to.
type point uint8

const (
	missing point = iota
	within        // the threshold
	breaching
)

// rangeBeyond is how many periods more than it evaluates an alarm looks back, for datapoints to take
// the place of those that are missing.
const rangeBeyond = 2

// evaluate returns the state that follows from the datapoints of the evaluation range, the newest
// last, of which m of n have to breach. now is the state so far.
func evaluate(points []point, n, m int, treat Treatment, now State) State {
	var exist, breach, oldest int // oldest is the age of the oldest that counts, in periods; the newest is 1 old
	for age := 1; age <= len(points) && exist < n; age++ {
		switch points[len(points)-age] {
		case missing:
			continue
		case breaching:
			breach++
		}
		exist++
		oldest = age
	}
	if treat == Breaching {
		breach += n - exist
	}
	switch {
	case breach >= m:
		return InAlarm
	case exist == n, treat == Breaching, treat == NotBreaching:
		return OK
	case exist == 0 && treat == Missing:
		return InsufficientData
	case breach < exist:
		return OK
	case treat == Missing && oldest >= m:
		return InAlarm
	}
	return now
}
