package worker_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

var report = worker.NewKind[time.Time]("report")

func same(tick time.Time) time.Time { return tick }

func TestInterval_IsAlignedToUTC(t *testing.T) {
	berlin := time.FixedZone("", 2*60*60)
	at := time.Date(2026, 3, 4, 0, 30, 15, 1, berlin) // still the 3rd in UTC, a Tuesday
	for d, want := range map[time.Duration]string{
		time.Second: "2026-03-03T22:30:16Z", time.Hour: "2026-03-03T23:00:00Z", 24 * time.Hour: "2026-03-04T00:00:00Z", 7 * 24 * time.Hour: "2026-03-09T00:00:00Z",
	} {
		require.Equal(t, want, worker.Interval(d).Next(at).Format(time.RFC3339Nano))
	}
	full := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	require.Equal(t, full.Add(time.Hour), worker.Interval(time.Hour).Next(full), "after, not at")
	require.True(t, worker.Interval(0).Next(at).IsZero())
	require.True(t, worker.Interval(-1).Next(at).IsZero())
}

// Several processes that run the same schedule make one job for each of its times.
func TestTicker_OneJobPerTickHoweverManyProcesses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		tickers := make([]*worker.Ticker, 3)
		for i := range tickers {
			time.Sleep(time.Duration(i*100) * time.Millisecond) // each starts at another time
			tickers[i] = worker.Every(report, worker.Interval(time.Minute), same)
			all.Go(func() { require.NoError(t, tickers[i].Run(ctx, q)) })
		}
		var got []time.Time
		mux := worker.NewMux()
		report.Handle(mux, func(_ context.Context, j worker.Job[time.Time]) error {
			require.Equal(t, j.Args, time.Now().UTC())
			require.Equal(t, "report", j.GroupID)
			require.Equal(t, "report@"+j.Args.Format(time.RFC3339), j.DeduplicationID())
			got = append(got, j.Args)
			return nil
		})
		r, err := worker.New(q, mux, quiet)
		require.NoError(t, err)
		stop := run(t, r)
		time.Sleep(time.Hour)
		cancel()
		all.Wait()
		stop(nil)
		require.Len(t, got, 60)
		for i := range got[1:] {
			require.Equal(t, time.Minute, got[i+1].Sub(got[i]))
		}
		var sum worker.TickerStats
		for _, ticker := range tickers {
			s := ticker.Stats()
			sum.Sent += s.Sent
			sum.Duplicates += s.Duplicates
			require.Zero(t, s.Skipped+s.Errors)
		}
		require.Equal(t, worker.TickerStats{Sent: 60, Duplicates: 120}, sum)
	})
}

// deaf is a FIFO queue that refuses sends for a while.
type deaf struct {
	*inq.FIFO
	until time.Time
}

func (q *deaf) Send(ctx context.Context, m inq.Message) (inq.Sent, error) {
	if time.Now().Before(q.until) {
		return inq.Sent{}, errBad
	}
	return q.FIFO.Send(ctx, m)
}

// A send is retried until the tick is four minutes late; after that the window of deduplication
// might be over, and the tick is skipped.
func TestTicker_SkipsWhatIsFourMinutesLate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := &deaf{FIFO: fifo(t)}
		q.until = time.Now().Add(5*time.Minute + 4*time.Second)
		ticker := worker.Every(report, worker.Interval(time.Minute), same, worker.Group("g"))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute+time.Second)
		defer cancel()
		require.NoError(t, ticker.Run(ctx, q))
		s := ticker.Stats()
		require.EqualValues(t, 1, s.Skipped, "that of the first minute; that of the second is retried at 5:12.7")
		require.EqualValues(t, 9, s.Sent)
		require.Equal(t, 9, counts(t, q).Visible)
		require.Positive(t, s.Errors)
		require.Equal(t, "g", take(t, q)[0].GroupID)
	})
}

// Ticks that a process has slept through are skipped as well, one by one.
func TestTicker_SkipsWhatWasSleptThrough(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		n := 0
		ticker := worker.Every(report, worker.Interval(time.Minute), func(tick time.Time) time.Time {
			if n++; n == 1 {
				time.Sleep(10*time.Minute + 30*time.Second)
			}
			return tick
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute+time.Second)
		defer cancel()
		require.NoError(t, ticker.Run(ctx, q))
		// At 11:30 those of the minutes 1 to 7 are more than four minutes late.
		require.Equal(t, worker.TickerStats{Sent: 13, Skipped: 7}, ticker.Stats())
	})
}

// A tick whose arguments cannot be made does not end the schedule.
func TestTicker_SurvivesItsArguments(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		n := 0
		ticker := worker.Every(report, worker.Interval(time.Second), func(tick time.Time) time.Time {
			if n++; n < 3 {
				panic("no arguments")
			}
			return tick
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second+1)
		defer cancel()
		require.NoError(t, ticker.Run(ctx, q))
		require.Equal(t, worker.TickerStats{Sent: 3, Skipped: 2}, ticker.Stats())
	})
}

// schedule makes a Schedule of a function.
type schedule func(time.Time) time.Time

func (s schedule) Next(t time.Time) time.Time { return s(t) }

func TestTicker_BadInput(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		minute := worker.Interval(time.Minute)
		for name, c := range map[string]struct {
			ticker *worker.Ticker
			q      inq.Queue
			want   error
			text   string
		}{
			"standard":   {worker.Every(report, minute, same), standard(t), inq.ErrInvalidParameter, "needs a FIFO queue"},
			"nil queue":  {worker.Every(report, minute, same), nil, inq.ErrMissingParameter, "q: must not be nil"},
			"no name":    {worker.Every(worker.NewKind[time.Time](""), minute, same), q, inq.ErrInvalidParameter, "kind"},
			"nil":        {worker.Every(report, nil, same), q, inq.ErrMissingParameter, "s: must not be nil"},
			"nil func":   {worker.Every(report, schedule(nil), same), q, inq.ErrMissingParameter, "s: must not be nil"},
			"nil args":   {worker.Every(report, minute, nil), q, inq.ErrMissingParameter, "args: must not be nil"},
			"delay":      {worker.Every(report, minute, same, worker.Delay(1)), q, inq.ErrInvalidParameter, "neither Delay nor Dedup"},
			"dedup":      {worker.Every(report, minute, same, worker.Dedup("1")), q, inq.ErrInvalidParameter, "neither Delay nor Dedup"},
			"relative":   {worker.Every(report, schedule(func(t time.Time) time.Time { return t.Add(time.Hour) }), same), q, inq.ErrInvalidParameter, "relative"},
			"not after":  {worker.Every(report, schedule(func(t time.Time) time.Time { return t }), same), q, inq.ErrInvalidParameter, "not after"},
			"panics":     {worker.Every(report, schedule(func(t time.Time) time.Time { panic("next") }), same), q, nil, "panic: next"},
			"bad group":  {worker.Every(report, minute, same, worker.Group("a b")), q, nil, ""},
			"no more":    {worker.Every(report, schedule(func(time.Time) time.Time { return time.Time{} }), same), q, nil, ""},
			"no instant": {worker.Every(report, worker.Interval(0), same), q, nil, ""},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			err := c.ticker.Run(ctx, c.q)
			cancel()
			if c.want == nil && c.text == "" {
				require.NoError(t, err, name)
				continue
			}
			if c.want != nil {
				require.ErrorIs(t, err, c.want, name)
			}
			require.ErrorContains(t, err, c.text, name)
		}
		require.ErrorIs(t, worker.Every(report, minute, same).Run(nilContext, q), inq.ErrMissingParameter)
		require.Equal(t, inq.Counts{}, counts(t, q))
	})
}

// robfig/cron's own schedule of "@every" is relative; its others are absolute and jump over the
// seconds that do not match.
func TestTicker_KnowsRelativeSchedulesFromAbsoluteOnes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		relative := schedule(func(t time.Time) time.Time { // as cron.ConstantDelaySchedule rounds
			return t.Add(time.Hour - time.Duration(t.Nanosecond())*time.Nanosecond)
		})
		require.ErrorContains(t, worker.Every(report, relative, same).Run(t.Context(), fifo(t)), "relative")
		everySecond := schedule(func(t time.Time) time.Time {
			return t.Add(time.Second - time.Duration(t.Nanosecond())*time.Nanosecond)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+1)
		defer cancel()
		ticker := worker.Every(report, everySecond, same)
		require.NoError(t, ticker.Run(ctx, fifo(t)))
		require.EqualValues(t, 10, ticker.Stats().Sent)
	})
}

func TestTicker_EndsWithTheQueue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		done := make(chan error)
		go func() { done <- worker.Every(report, worker.Interval(time.Minute), same).Run(t.Context(), q) }()
		synctest.Wait()
		require.NoError(t, q.Close())
		require.ErrorIs(t, <-done, inq.ErrClosed)
	})
}

// The longest name makes a deduplication id that SQS takes, down to the nanosecond.
func TestTicker_IdsFit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := fifo(t)
		kind := worker.NewKind[int](strings.Repeat("k", 80))
		ctx, cancel := context.WithTimeout(t.Context(), 1_000_003)
		defer cancel()
		ticker := worker.Every(kind, worker.Interval(333_333), func(time.Time) int { return 1 })
		require.NoError(t, ticker.Run(ctx, q))
		require.EqualValues(t, 3, ticker.Stats().Sent)
	})
}
