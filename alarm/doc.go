// Package alarm watches a number and says when it crosses a threshold for long enough to matter, by
// the rules of the metric alarms of Amazon CloudWatch.
//
// An [Alarm] looks at a metric in periods of equal length. The values of a period become one
// datapoint by a [Statistic], and the datapoint breaches when it compares to the threshold as the
// alarm says. The alarm is in state [InAlarm] when at least M of the last N datapoints breach ("M out
// of N"), [OK] when fewer do, and [InsufficientData] while there is nothing to judge by. A function
// is called when the state changes.
//
//	backlog, err := alarm.New(alarm.Config{
//		Name:              "backlog",
//		Metric:            alarm.Gauge(func() int { return jobs.Stats().Visible }),
//		Comparison:        alarm.GreaterThan,
//		Threshold:         100,
//		Period:            5 * time.Second,
//		EvaluationPeriods: 3,
//		OnChange:          func(c alarm.Change) { log.Print(c) },
//	})
//	...
//	go backlog.Run(ctx)
//
// # Missing data
//
// A period without values is a missing datapoint. To judge N periods the alarm looks at the last N+2
// and takes the newest N datapoints that exist. Where fewer than N exist, [Treatment] says what to
// make of those that lack:
//
//   - [Breaching] and [NotBreaching] count them as the one or the other.
//   - [Ignore] leaves them out. When all that exist breach, but fewer than M, the state stays.
//   - [Missing], the default, leaves them out too. When all that exist breach, fewer than M, the alarm
//     goes off if the oldest of them is at least M periods old, and the state stays if not: a single
//     breach after a silence is no reason yet. When none exists the state is InsufficientData.
package alarm
