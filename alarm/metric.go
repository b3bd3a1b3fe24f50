package alarm

// A Metric returns a value as it is now, and false where there is none. It is called by [Alarm.Run],
// which waits for it: it must return soon. A value that is not finite counts as none.
type Metric func() (value float64, ok bool)

// Gauge returns a [Metric] of what goes up and down, such as the number of messages that wait.
func Gauge[N number](read func() N) Metric {
	return func() (float64, bool) { return float64(read()), true }
}

// Increase returns a [Metric] of how much a counter has grown since it was asked last, for the first
// time since the call of Increase. With the statistic Sum a datapoint is the growth in a period. A counter
// that has become smaller has begun again at 0.
func Increase[N number](read func() N) Metric {
	last := read()
	return func() (float64, bool) {
		now := read()
		grown := float64(now) - float64(last)
		if now < last {
			grown = float64(now)
		}
		last = now
		return grown, true
	}
}

// number is what metrics can be read as.
type number interface {
	~int | ~int64 | ~uint64 | ~float64
}
