package alarm

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Statistic makes one number of the values of a period: one of the constants, or a percentile,
// which is "p" and a number above 0 and below 100, such as "p99" or "p99.9". A percentile is right
// within 1 %, and exact where the values near it are equal.
type Statistic string

// The statistics beside percentiles.
const (
	Average     Statistic = "Average"
	Sum         Statistic = "Sum"
	Minimum     Statistic = "Minimum"
	Maximum     Statistic = "Maximum"
	SampleCount Statistic = "SampleCount" // how many values there are
)

// percentile returns the share of a percentile, from 0 to 1, and whether it is one.
func (s Statistic) percentile() (share float64, ok bool) {
	digits, ok := strings.CutPrefix(string(s), "p")
	if !ok || strings.Trim(digits, ".0123456789") != "" {
		return 0, false
	}
	p, err := strconv.ParseFloat(digits, 64)
	return p / 100, err == nil && p > 0 && p < 100
}

func (s Statistic) valid() bool {
	switch s {
	case Average, Sum, Minimum, Maximum, SampleCount:
		return true
	}
	_, ok := s.percentile()
	return ok
}

// enough is how many values a percentile needs to say something about the many that it stands for.
func enough(share float64) uint64 { return wholeUp(10 / min(share, 1-share)) }

// wholeUp rounds up what is not a whole number, save for what floating point has added to one.
func wholeUp(v float64) uint64 { return uint64(math.Ceil(v * (1 - 1e-12))) }

// samples is what is kept of the values of a period: as little for a million as for ten.
type samples struct {
	count         uint64
	sum           float64
	least, most   float64
	buckets       map[int]bucket // for a percentile only
	wantQuantiles bool
}

// A bucket holds values that differ by at most 1 %.
type bucket struct {
	count uint64
	mean  float64
}

// growth is the logarithm of how much larger the values of a bucket are than those of the one before.
var growth = math.Log(1.01)

func (s *samples) add(v float64) {
	s.count++
	s.sum += v
	if s.count == 1 {
		s.least, s.most = v, v
	}
	s.least, s.most = min(s.least, v), max(s.most, v)
	if !s.wantQuantiles {
		return
	}
	if s.buckets == nil {
		s.buckets = make(map[int]bucket)
	}
	i := bucketOf(v)
	b := s.buckets[i]
	b.count++
	b.mean += (v - b.mean) / float64(b.count)
	s.buckets[i] = b
}

// bucketOf numbers the buckets in the order of their values.
func bucketOf(v float64) int {
	if v == 0 {
		return 0
	}
	const lowest = 80_000 // the logarithm of the smallest number is -745, which makes -74,824
	i := int(math.Floor(math.Log(math.Abs(v))/growth)) + lowest
	if v < 0 {
		return -i
	}
	return i
}

// value returns what a statistic makes of the values, of which there is at least one.
func (s *samples) value(of Statistic) float64 {
	switch of {
	case Sum:
		return s.sum
	case Minimum:
		return s.least
	case Maximum:
		return s.most
	case SampleCount:
		return float64(s.count)
	case Average:
		return s.sum / float64(s.count)
	}
	share, _ := of.percentile()
	return s.quantile(share)
}

// quantile returns the smallest value that a share of all are not above.
func (s *samples) quantile(share float64) float64 {
	rank := max(1, wholeUp(share*float64(s.count)))
	order := make([]int, 0, len(s.buckets))
	for i := range s.buckets {
		order = append(order, i)
	}
	slices.Sort(order)
	for _, i := range order {
		b := s.buckets[i]
		if rank <= b.count {
			return min(max(b.mean, s.least), s.most)
		}
		rank -= b.count
	}
	return s.most
}
