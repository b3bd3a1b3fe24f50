package alarm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"
)

// A State is what an alarm says about its metric.
type State string

// The states.
const (
	OK               State = "OK"                // within the threshold
	InAlarm          State = "ALARM"             // outside of it
	InsufficientData State = "INSUFFICIENT_DATA" // just started, or nothing to judge by
)

// A Comparison says when a datapoint breaches: when it is this, compared to the threshold.
type Comparison string

// The comparisons.
const (
	GreaterThan        Comparison = ">"
	GreaterThanOrEqual Comparison = ">="
	LessThan           Comparison = "<"
	LessThanOrEqual    Comparison = "<="
)

// breaches reports whether a value breaches.
func (c Comparison) breaches(v, threshold float64) bool {
	switch c {
	case GreaterThan:
		return v > threshold
	case GreaterThanOrEqual:
		return v >= threshold
	case LessThan:
		return v < threshold
	}
	return v <= threshold
}

// A Treatment says what datapoints count that are missing. The package documentation tells more.
type Treatment string

// The treatments.
const (
	Missing      Treatment = "missing"
	Ignore       Treatment = "ignore"
	Breaching    Treatment = "breaching"
	NotBreaching Treatment = "notBreaching"
)

// Limits of a [Config].
const (
	minPeriod  = time.Millisecond
	maxPeriod  = 24 * time.Hour
	maxPeriods = 10_000
)

// Config is what an alarm watches, and how.
type Config struct {
	// Name says which alarm it is, in a [Change]. It may be empty.
	Name string
	// Metric is asked for a value every Every. Nil: all values come through [Alarm.Record].
	Metric Metric
	// Every is the time from one value of Metric to the next, at least a millisecond; Period is a
	// multiple of it. The last value of a period is that of its end. 0: one value a period.
	Every time.Duration
	// Statistic makes a datapoint of the values of a period. "": Average.
	Statistic Statistic
	// IgnoreLowSampleCount keeps a percentile from judging by too few values: the state stays at the
	// end of a period that has fewer than 10 beyond the percentile's point, which is 1000 values for
	// "p99", and the datapoint of that period counts as missing later.
	IgnoreLowSampleCount bool
	// Comparison and Threshold say which datapoints breach. Comparison is required; Threshold is any
	// finite number.
	Comparison Comparison
	Threshold  float64
	// Period is how long a datapoint takes, from 1 millisecond to 24 hours. The state is looked at
	// when one ends. Required.
	Period time.Duration
	// EvaluationPeriods is how many datapoints are looked at, N, from 1 to 10,000. 0: 1.
	EvaluationPeriods int
	// DatapointsToAlarm is how many of them have to breach, M, from 1 to N; which ones does not
	// matter. 0: N.
	DatapointsToAlarm int
	// TreatMissingData says what periods without values count. "": Missing.
	TreatMissingData Treatment
	// OnChange is called when the state has changed, by a goroutine of the alarm, one call at a time;
	// the alarm goes on meanwhile. Changes that come during a call are told after it as one, from the
	// state told last to the newest, and not at all where these are the same. Nil: the state is only
	// to be asked for.
	OnChange func(Change)
	// Repeat makes OnChange be called again while the alarm stays in state InAlarm, with From and To
	// the same, at the first end of a period that is this much after the last call was due. That is how
	// an alarm drives scaling, which goes on step by step until it is enough. 0: changes only.
	Repeat time.Duration
}

// A Change tells of a state that has changed or, with [Config].Repeat, of an alarm that lasts.
type Change struct {
	Alarm    string // its name
	From, To State
	At       time.Time
	Value    float64 // the newest datapoint, NaN where there was none in the evaluation range
	Reason   string  // for people
}

// String tells the change in one line.
func (c Change) String() string {
	return fmt.Sprintf("alarm %q: %s -> %s: %s", c.Alarm, c.From, c.To, c.Reason)
}

var (
	// ErrInvalid is returned by [New] for a [Config] that cannot be, and by [Alarm.Record] for a value
	// that is not a finite number.
	ErrInvalid = errors.New("alarm: invalid")
	// ErrRan is returned by a second [Alarm.Run] of the same alarm.
	ErrRan = errors.New("alarm: an Alarm runs once")
)

// An Alarm watches one metric. Make it with [New]. Its methods are safe for concurrent use.
type Alarm struct {
	config Config

	mu      sync.Mutex // guards everything below
	ran     bool
	current samples // of the period that has not ended
	points  []point // of the evaluation range, the newest last
	values  []float64
	state   State
}

// New makes an alarm, in state InsufficientData. A config that cannot be is refused with an error
// that names the field and matches [ErrInvalid].
func New(c Config) (*Alarm, error) {
	if c.Statistic == "" {
		c.Statistic = Average
	}
	if c.EvaluationPeriods == 0 {
		c.EvaluationPeriods = 1
	}
	if c.DatapointsToAlarm == 0 {
		c.DatapointsToAlarm = c.EvaluationPeriods
	}
	if c.TreatMissingData == "" {
		c.TreatMissingData = Missing
	}
	if c.Every == 0 {
		c.Every = c.Period
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	a := &Alarm{config: c, state: InsufficientData}
	_, a.current.wantQuantiles = c.Statistic.percentile()
	a.points = make([]point, c.EvaluationPeriods+rangeBeyond)
	a.values = make([]float64, len(a.points))
	return a, nil
}

func (c *Config) validate() error {
	_, percentile := c.Statistic.percentile()
	switch {
	case !c.Statistic.valid():
		return invalid("Statistic", c.Statistic, `must be one of the constants, or a percentile such as "p99"`)
	case c.IgnoreLowSampleCount && !percentile:
		return invalid("IgnoreLowSampleCount", c.IgnoreLowSampleCount, "is for percentiles")
	case !finite(c.Threshold):
		return invalid("Threshold", c.Threshold, "must be finite")
	case c.Period < minPeriod || c.Period > maxPeriod:
		return invalid("Period", c.Period, fmt.Sprintf("must be from %v to %v", minPeriod, maxPeriod))
	case c.Every < minPeriod || c.Every > c.Period || c.Period%c.Every != 0:
		return invalid("Every", c.Every, fmt.Sprintf("must be at least %v and divide Period, which is %v", minPeriod, c.Period))
	case c.EvaluationPeriods < 1 || c.EvaluationPeriods > maxPeriods:
		return invalid("EvaluationPeriods", c.EvaluationPeriods, fmt.Sprintf("must be from 1 to %d", maxPeriods))
	case c.DatapointsToAlarm < 1 || c.DatapointsToAlarm > c.EvaluationPeriods:
		return invalid("DatapointsToAlarm", c.DatapointsToAlarm,
			fmt.Sprintf("must be from 1 to EvaluationPeriods, which is %d", c.EvaluationPeriods))
	case c.Repeat < 0:
		return invalid("Repeat", c.Repeat, "must not be negative")
	}
	switch c.Comparison {
	case GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual:
	default:
		return invalid("Comparison", c.Comparison, "must be one of the constants")
	}
	switch c.TreatMissingData {
	case Missing, Ignore, Breaching, NotBreaching:
	default:
		return invalid("TreatMissingData", c.TreatMissingData, "must be one of the constants")
	}
	return nil
}

func invalid(field string, value any, must string) error {
	if s := fmt.Sprintf("%#v", value); strings.HasPrefix(s, `"`) {
		value = s
	}
	return fmt.Errorf("%w %s: %v %s", ErrInvalid, field, value, must)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// Record adds a value to the period that runs. What is recorded before [Alarm.Run] belongs to its
// first period. A value that is not a finite number is refused with [ErrInvalid].
func (a *Alarm) Record(v float64) error {
	if !finite(v) {
		return fmt.Errorf("%w value: %v must be finite", ErrInvalid, v)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.current.add(v)
	return nil
}

// State returns the state at the end of the last period, InsufficientData before the first has ended.
func (a *Alarm) State() State {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state
}

// Run watches until ctx ends, which is no error, and returns after the last call of OnChange has. The
// periods begin when Run is called. Where the process was kept from running for a while, the periods
// that it has missed are without values, and it makes up for the ends of those that still have a say. An
// alarm runs once: a second Run is refused with [ErrRan], a nil ctx with [ErrInvalid].
func (a *Alarm) Run(ctx context.Context) error {
	if ctx == nil {
		return invalid("ctx", nil, "must not be nil")
	}
	a.mu.Lock()
	ran := a.ran
	a.ran = true
	a.mu.Unlock()
	if ran {
		return ErrRan
	}
	tell := teller{call: a.config.OnChange, told: InsufficientData}
	defer tell.wait()

	began := time.Now()
	var last time.Time // when the last call was due
	perPeriod := int64(a.config.Period / a.config.Every)
	most := perPeriod * int64(len(a.points))
	timer := time.NewTimer(a.config.Every)
	defer timer.Stop()
	for n := int64(1); ; n++ { // n is the number of the value that comes next
		if behind := int64(time.Since(began)/a.config.Every) - n; behind > most {
			// With the whole range missed, what came before has no say.
			n += (behind - most) / perPeriod * perPeriod
		}
		due := began.Add(time.Duration(n) * a.config.Every)
		timer.Reset(time.Until(due))
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if late := time.Since(due); late < a.config.Every && a.config.Metric != nil {
			if v, ok := a.config.Metric(); ok && finite(v) {
				a.Record(v)
			}
		}
		if n%perPeriod != 0 {
			continue
		}
		change := a.endPeriod(due)
		lasts := change.From == InAlarm && change.To == InAlarm
		if change.From != change.To || lasts && a.config.Repeat > 0 && due.Sub(last) >= a.config.Repeat {
			last = due
			tell.tell(change)
		}
	}
}

// endPeriod makes a datapoint of the values of the period that ends, and looks at the state.
func (a *Alarm) endPeriod(at time.Time) Change {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := &a.config
	p, v := missing, math.NaN()
	share, percentile := c.Statistic.percentile()
	few := percentile && c.IgnoreLowSampleCount && a.current.count < enough(share)
	if a.current.count > 0 && !few {
		v = a.current.value(c.Statistic)
		p = within
		if c.Comparison.breaches(v, c.Threshold) {
			p = breaching
		}
	}
	few = few && a.current.count > 0
	a.current = samples{wantQuantiles: percentile}
	a.points = append(a.points[:0], a.points[1:]...)
	a.points = append(a.points, p)
	a.values = append(a.values[:0], a.values[1:]...)
	a.values = append(a.values, v)

	was := a.state
	if !few {
		a.state = evaluate(a.points, c.EvaluationPeriods, c.DatapointsToAlarm, c.TreatMissingData, was)
	}
	change := Change{Alarm: c.Name, From: was, To: a.state, At: at, Value: math.NaN()}
	change.Value, change.Reason = a.reasonLocked()
	return change
}

// reasonLocked returns the newest value there is, and tells what the state goes by.
func (a *Alarm) reasonLocked() (newest float64, reason string) {
	newest = math.NaN()
	var exist, breach int
	for i := len(a.points) - 1; i >= 0 && exist < a.config.EvaluationPeriods; i-- {
		if a.points[i] == missing {
			continue
		}
		if exist == 0 {
			newest = a.values[i]
		}
		exist++
		if a.points[i] == breaching {
			breach++
		}
	}
	if exist == 0 {
		return newest, "there are no datapoints"
	}
	return newest, fmt.Sprintf("of the last %d datapoints %d exist and %d are %s %v, the newest being %v",
		a.config.EvaluationPeriods, exist, breach, a.config.Comparison, a.config.Threshold, newest)
}
