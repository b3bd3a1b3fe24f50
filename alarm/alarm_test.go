package alarm

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// watch runs an alarm until its test ends, and returns it with what it has told so far.
func watch(t *testing.T, c Config) (a *Alarm, told func() []string) {
	began := time.Now()
	lines := make(chan string, 1000)
	then := c.OnChange
	c.OnChange = func(change Change) {
		require.Equal(t, c.Name, change.Alarm)
		lines <- fmt.Sprintf("%v %s -> %s", change.At.Sub(began), change.From, change.To)
		if then != nil {
			then(change)
		}
	}
	a, err := New(c)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	synctest.Wait()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return a, func() (all []string) {
		synctest.Wait()
		for {
			select {
			case line := <-lines:
				all = append(all, line)
			default:
				return all
			}
		}
	}
}

func TestTheStateChangesAtTheEndOfAPeriodAndIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var backlog atomic.Int64
		a, told := watch(t, Config{
			Name: "backlog", Metric: Gauge(backlog.Load), Comparison: GreaterThan, Threshold: 100,
			Period: 10 * time.Second, EvaluationPeriods: 3, DatapointsToAlarm: 2,
		})
		require.Equal(t, InsufficientData, a.State())
		time.Sleep(10*time.Second - 1)
		require.Empty(t, told())
		time.Sleep(time.Nanosecond)
		require.Equal(t, []string{"10s INSUFFICIENT_DATA -> OK"}, told())
		require.Equal(t, OK, a.State())

		backlog.Store(101)
		time.Sleep(20*time.Second - 1)
		require.Empty(t, told(), "one of three")
		time.Sleep(time.Nanosecond)
		require.Equal(t, []string{"30s OK -> ALARM"}, told())
		require.Equal(t, InAlarm, a.State())
		time.Sleep(time.Minute)
		require.Empty(t, told(), "a state that lasts is no news")

		backlog.Store(100) // is not greater
		time.Sleep(10 * time.Second)
		require.Empty(t, told(), "two of three still breach")
		time.Sleep(10 * time.Second)
		require.Equal(t, []string{"1m50s ALARM -> OK"}, told())
	})
}

func TestComparisons(t *testing.T) {
	for c, want := range map[Comparison][3]bool{
		GreaterThan: {false, false, true}, GreaterThanOrEqual: {false, true, true},
		LessThan: {true, false, false}, LessThanOrEqual: {true, true, false},
	} {
		for i, v := range []float64{4, 5, 6} {
			require.Equal(t, want[i], c.breaches(v, 5), "%v %s 5", v, c)
		}
	}
}

func TestWhatIsRecordedBelongsToThePeriodItCameIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, told := watch(t, Config{Statistic: Sum, Comparison: GreaterThanOrEqual, Threshold: 3, Period: time.Second, TreatMissingData: NotBreaching})
		for i := range 5 { // at 0.5, 0.9, 1.3, 1.7 and 2.1 s
			time.Sleep(400 * time.Millisecond)
			if i == 0 {
				time.Sleep(100 * time.Millisecond)
			}
			require.NoError(t, a.Record(1.5))
		}
		require.Equal(t, []string{"1s INSUFFICIENT_DATA -> ALARM"}, told())
		time.Sleep(time.Second)
		require.Equal(t, []string{"3s ALARM -> OK"}, told(), "one in the third")
		time.Sleep(time.Minute)
		require.Empty(t, told(), "no news is good news")
	})
}

func TestWhatIsRecordedBeforeRunIsInTheFirstPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := New(Config{Statistic: SampleCount, Comparison: GreaterThan, Threshold: 1, Period: time.Second})
		require.NoError(t, err)
		require.NoError(t, a.Record(1))
		require.NoError(t, a.Record(1))
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			require.ErrorIs(t, a.Record(bad), ErrInvalid)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		require.NoError(t, a.Run(ctx))
		require.Equal(t, InAlarm, a.State())
		require.ErrorIs(t, a.Run(ctx), ErrRan)
		var none context.Context
		require.ErrorIs(t, a.Run(none), ErrInvalid)
	})
}

func TestAPeriodCanHaveManyValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var asked []time.Duration
		_, told := watch(t, Config{
			Metric: func() (float64, bool) {
				asked = append(asked, time.Since(began))
				return float64(len(asked)), len(asked) != 2
			},
			Every: time.Second, Statistic: Average, Comparison: GreaterThanOrEqual, Threshold: 2, Period: 3 * time.Second,
		})
		time.Sleep(3 * time.Second)
		require.Equal(t, []string{"3s INSUFFICIENT_DATA -> ALARM"}, told(), "of 1, none and 3")
		require.Equal(t, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}, asked)
	})
}

func TestAMetricThatFallsSilent(t *testing.T) {
	for treat, want := range map[Treatment][]string{
		Missing:      {"1s INSUFFICIENT_DATA -> ALARM", "4s ALARM -> INSUFFICIENT_DATA"},
		Ignore:       {"1s INSUFFICIENT_DATA -> ALARM"},
		Breaching:    {"1s INSUFFICIENT_DATA -> ALARM"},
		NotBreaching: {"1s INSUFFICIENT_DATA -> ALARM", "4s ALARM -> OK"},
	} {
		t.Run(string(treat), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, told := watch(t, Config{Comparison: LessThan, Threshold: 1, Period: time.Second, TreatMissingData: treat})
				require.NoError(t, a.Record(0))
				time.Sleep(time.Minute)
				require.Equal(t, want, told())
			})
		})
	}
}

func TestRepeatTellsAnAlarmThatLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var busy atomic.Int64
		_, told := watch(t, Config{Metric: Gauge(busy.Load), Comparison: GreaterThan, Period: 10 * time.Second, Repeat: time.Minute})
		time.Sleep(75 * time.Second)
		require.Equal(t, []string{"10s INSUFFICIENT_DATA -> OK"}, told(), "that nothing happens is not repeated")
		busy.Store(1)
		time.Sleep(2*time.Minute + 5*time.Second - 1)
		require.Equal(t, []string{"1m20s OK -> ALARM", "2m20s ALARM -> ALARM"}, told())
		time.Sleep(time.Nanosecond)
		require.Equal(t, []string{"3m20s ALARM -> ALARM"}, told())
		busy.Store(0)
		time.Sleep(2 * time.Minute)
		require.Equal(t, []string{"3m30s ALARM -> OK"}, told())
	})
}

// A slow OnChange delays no period; what it has missed is told as one change, if it is any.
func TestChangesDuringACallAreToldAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		a, told := watch(t, Config{
			Metric: Gauge(n.Load), Comparison: GreaterThan, Threshold: 0.5, Period: time.Second, Repeat: time.Second,
			OnChange: func(Change) { time.Sleep(3400 * time.Millisecond) },
		})
		// each sets the number for so many seconds, and returns what was told meanwhile.
		set := func(v int64, seconds time.Duration) []string {
			n.Store(v)
			time.Sleep(seconds * time.Second)
			return told()
		}
		time.Sleep(time.Second / 2)
		require.Equal(t, []string{"1s INSUFFICIENT_DATA -> OK"}, set(0, 1)) // the call ends at 4.4s
		require.Empty(t, set(1, 1))
		require.Equal(t, InAlarm, a.State(), "the alarm goes on during the call")
		require.Empty(t, set(0, 1))
		require.Equal(t, []string{"4s OK -> ALARM"}, set(1, 1)) // to 7.8s
		require.Empty(t, set(0, 1))
		require.Empty(t, set(1, 2), "until 7.5s")
		require.Equal(t, []string{"8s ALARM -> ALARM"}, set(1, 1), "what was over when the call ended is not told")
		require.Equal(t, []string{"9s ALARM -> OK"}, set(0, 10))
	})
}

func TestRunReturnsAfterTheLastCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		a, err := New(Config{Metric: Gauge(func() int { return 1 }), Comparison: GreaterThan, Period: time.Second,
			OnChange: func(Change) { time.Sleep(time.Minute); ended = true }})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		began := time.Now()
		require.NoError(t, a.Run(ctx))
		require.True(t, ended)
		require.Equal(t, 61*time.Second, time.Since(began))
	})
}

// A process that was stopped, here by a metric that takes long, has missed periods.
func TestPeriodsThatWereMissedAreWithoutValues(t *testing.T) {
	for missed, want := range map[time.Duration][]string{
		2: {"1s INSUFFICIENT_DATA -> OK"},
		3: {"1s INSUFFICIENT_DATA -> OK", "5s OK -> INSUFFICIENT_DATA", "6s INSUFFICIENT_DATA -> OK"},
		// Too many to make up for each.
		3_000_000: {"1s INSUFFICIENT_DATA -> OK", "833h20m2s OK -> INSUFFICIENT_DATA", "833h20m3s INSUFFICIENT_DATA -> OK"},
	} {
		t.Run(fmt.Sprint(int(missed)), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				_, told := watch(t, Config{
					Metric: func() (float64, bool) {
						if asked++; asked == 2 {
							time.Sleep(missed*time.Second + time.Second)
						}
						return 1, true
					},
					Comparison: LessThan, Period: time.Second,
				})
				time.Sleep((missed+3)*time.Second + time.Second/2)
				require.Equal(t, want, told())
				require.Equal(t, 3, asked, "a value is of the time it comes at")
			})
		})
	}
}

func TestAPercentileOfTooFewValues(t *testing.T) {
	for _, ignore := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a, told := watch(t, Config{Statistic: "p90", IgnoreLowSampleCount: ignore, Comparison: GreaterThan, Threshold: 5, Period: time.Second})
			record := func(n int, v float64) {
				for range n {
					require.NoError(t, a.Record(v))
				}
				time.Sleep(time.Second)
				synctest.Wait()
			}
			record(100, 1)
			require.Equal(t, []string{"1s INSUFFICIENT_DATA -> OK"}, told())
			record(99, 9)
			if ignore {
				require.Empty(t, told())
			} else {
				require.Equal(t, []string{"2s OK -> ALARM"}, told())
			}
			record(100, 9)
			require.Equal(t, InAlarm, a.State())
			record(99, 1)
			require.Equal(t, ignore, a.State() == InAlarm)
		})
	}
}

func TestIncreaseOfACounter(t *testing.T) {
	counter := uint64(10)
	m := Increase(func() uint64 { return counter })
	for _, c := range []struct {
		at   uint64
		want float64
	}{{10, 0}, {12, 2}, {12, 0}, {7, 7}, {8, 1}} {
		counter = c.at
		v, ok := m()
		require.True(t, ok)
		require.Equal(t, c.want, v)
	}
}

func TestAChangeTellsWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes []Change
		a, _ := watch(t, Config{Name: "slow", Comparison: GreaterThan, Threshold: 2.5, Period: time.Second, EvaluationPeriods: 2,
			OnChange: func(c Change) { changes = append(changes, c) }})
		for range 2 {
			require.NoError(t, a.Record(7))
			time.Sleep(time.Second)
			synctest.Wait()
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Len(t, changes, 2)
		require.Equal(t, 7.0, changes[0].Value)
		require.Equal(t, `alarm "slow": INSUFFICIENT_DATA -> ALARM: of the last 2 datapoints 2 exist and 2 are > 2.5, the newest being 7`, changes[0].String())
		require.True(t, math.IsNaN(changes[1].Value))
		require.Equal(t, "there are no datapoints", changes[1].Reason)
	})
}

func TestNewRefusesWhatCannotBe(t *testing.T) {
	good := Config{Comparison: LessThan, Period: time.Second}
	_, err := New(good)
	require.NoError(t, err)
	for want, change := range map[string]func(*Config){
		`Statistic: "median" must`:                                             func(c *Config) { c.Statistic = "median" },
		`Statistic: "p100" must`:                                               func(c *Config) { c.Statistic = "p100" },
		"IgnoreLowSampleCount: true is for":                                    func(c *Config) { c.IgnoreLowSampleCount = true },
		"Threshold: NaN must be finite":                                        func(c *Config) { c.Threshold = math.NaN() },
		"Threshold: +Inf must be finite":                                       func(c *Config) { c.Threshold = math.Inf(1) },
		"Period: 0s must be from 1ms to 24h0m0s":                               func(c *Config) { c.Period = 0 },
		"Period: 999.999µs must":                                               func(c *Config) { c.Period = time.Millisecond - 1 },
		"Period: 24h0m0.000000001s must":                                       func(c *Config) { c.Period = 24*time.Hour + 1 },
		"Period: -1s must":                                                     func(c *Config) { c.Period = -time.Second },
		"Every: 300ms must be at least 1ms and divide Period, which is 1s":     func(c *Config) { c.Every = 300 * time.Millisecond },
		"Every: 2s must":                                                       func(c *Config) { c.Every = 2 * time.Second },
		"Every: -1s must":                                                      func(c *Config) { c.Every = -time.Second },
		"EvaluationPeriods: -1 must be from 1 to 10000":                        func(c *Config) { c.EvaluationPeriods = -1 },
		"EvaluationPeriods: 10001 must":                                        func(c *Config) { c.EvaluationPeriods = 10_001 },
		"DatapointsToAlarm: 2 must be from 1 to EvaluationPeriods, which is 1": func(c *Config) { c.DatapointsToAlarm = 2 },
		"DatapointsToAlarm: -1 must":                                           func(c *Config) { c.DatapointsToAlarm = -1 },
		"Repeat: -1ns must not be negative":                                    func(c *Config) { c.Repeat = -1 },
		`Comparison: "" must be one`:                                           func(c *Config) { c.Comparison = "" },
		`TreatMissingData: "notbreaching" must be one`:                         func(c *Config) { c.TreatMissingData = "notbreaching" },
	} {
		c := good
		change(&c)
		a, err := New(c)
		require.ErrorIs(t, err, ErrInvalid, want)
		require.ErrorContains(t, err, want)
		require.Nil(t, a)
	}
}
