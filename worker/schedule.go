package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"example.com/inq"
)

// A Schedule tells when something is to happen: Next returns the first time after t, the zero time
// where there is none. The schedules of github.com/robfig/cron fit. It must be absolute, the same in
// every process: "every hour from now" is refused by [Ticker.Run].
type Schedule interface {
	Next(t time.Time) time.Time
}

// Interval returns a [Schedule] of every d, counted in UTC from the zero time, so that all
// processes agree: an hour begins at the full hour, a day at midnight, a week on Monday. With a d
// below 1 it has no times.
func Interval(d time.Duration) Schedule { return interval(d) }

type interval time.Duration

func (d interval) Next(t time.Time) time.Time {
	if d < 1 {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Duration(d)).Add(time.Duration(d))
}

// A Ticker sends a job at each time of a schedule. Make one with [Every].
type Ticker struct {
	kind     string
	schedule Schedule
	message  func(tick time.Time) (inq.Message, error)
	err      error // what was wrong about Every

	mu       sync.Mutex // guards everything below
	stats    TickerStats
	skipping bool // the last tick was skipped
}

// TickerStats is what a [Ticker] has done.
type TickerStats struct {
	Sent       uint64 // jobs that this process made
	Duplicates uint64 // ticks for which another process had made the job; 0 where the queue does not tell, as on Amazon SQS, and then they count as sent
	Skipped    uint64 // ticks that were more than four minutes late, or whose arguments could not be made
	Errors     uint64 // sends that failed, each try
}

// Every returns a [Ticker] that sends a job of kind k at each time of s, with the arguments that
// args makes for that time, in UTC.
//
// However many processes run it, each time makes one job, without a leader among them: every
// process sends it under the same deduplication id, the kind and the time, and a FIFO queue accepts
// that once in five minutes. The group is the kind's name, or what [Group] says; other options are
// not for jobs of a schedule. What is wrong about the parameters Run will tell.
func Every[T any](k Kind[T], s Schedule, args func(tick time.Time) T, opts ...SendOption) *Ticker {
	t := &Ticker{kind: k.name, schedule: s}
	t.err = errors.Join(checkKind(k.name), notNil("s", s), notNil("args", args), checkTickOptions(opts))
	t.message = func(tick time.Time) (m inq.Message, err error) {
		err = guard(func() (err error) {
			m, err = k.Message(args(tick), opts...)
			return err
		})
		if m.GroupID == "" {
			m.GroupID = k.name
		}
		m.DeduplicationID = k.name + "@" + tick.Format(time.RFC3339Nano)
		return m, err
	}
	return t
}

// checkTickOptions refuses what is not for jobs of a schedule.
func checkTickOptions(opts []SendOption) error {
	var m inq.Message
	for _, o := range opts {
		if o != nil {
			o(&m)
		}
	}
	if m.Delay != 0 || m.DeduplicationID != "" {
		return &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "opts", Reason: "a job of a schedule has neither Delay nor Dedup"}
	}
	return nil
}

const (
	// latestTick is how late a tick can be. The window of deduplication is five minutes from the first
	// send of a tick: a process that comes later would make a second job.
	latestTick = 4 * time.Minute
	// lookAgain bounds how long a ticker sleeps at a time, so that it notices soon that the wall clock
	// was set, or that the machine was suspended.
	lookAgain = time.Minute
)

// Run sends until ctx ends, which is no error, or the schedule has no further time. q must be FIFO:
// others are refused with [inq.ErrInvalidParameter], as are a schedule that is not absolute and
// parameters of [Every] that are out of range.
//
// A send that fails is retried, as long as the tick is at most four minutes late; then it is
// skipped, logged and counted. So are ticks that the process has slept through. [inq.ErrClosed] and
// [inq.ErrQueueDoesNotExist] end Run.
func (t *Ticker) Run(ctx context.Context, q inq.Queue) error {
	if ctx == nil {
		return notNil("ctx", nil)
	}
	if err := errors.Join(t.err, notNil("q", q)); err != nil {
		return err
	}
	if !strings.HasSuffix(q.Name(), ".fifo") {
		return &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "q", Value: q.Name(),
			Reason: "a schedule needs a FIFO queue, which accepts each of its times once"}
	}
	for last := time.Now(); ; {
		tick, err := t.next(last)
		if err != nil || tick.IsZero() {
			return err
		}
		if !sleepUntil(ctx, tick) {
			return nil
		}
		if err := t.send(ctx, q, tick); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		last = tick
	}
}

// next returns the tick after a time.
func (t *Ticker) next(last time.Time) (tick time.Time, err error) {
	last = last.UTC().Round(0)
	var again time.Time
	err = guard(func() error {
		if tick = t.schedule.Next(last).UTC(); tick.Sub(last) > 1 {
			again = t.schedule.Next(tick.Add(-1)).UTC()
		}
		return nil
	})
	switch {
	case err != nil:
		return tick, err
	case tick.IsZero():
		return time.Time{}, nil
	case !tick.After(last):
		return tick, &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "s", Value: tick,
			Reason: fmt.Sprintf("Next returned a time that is not after %v", last)}
	case !again.IsZero() && !again.Equal(tick):
		return tick, &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "s", Value: tick,
			Reason: "the schedule is relative to the time it is asked at, so that processes would not agree"}
	}
	return tick, nil
}

// sleepUntil reports false where ctx ended first.
func sleepUntil(ctx context.Context, tick time.Time) bool {
	for {
		d := time.Until(tick)
		if d <= 0 {
			return ctx.Err() == nil
		}
		if !pause(ctx, min(d, lookAgain)) {
			return false
		}
	}
}

// pause reports false where ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// send sends the job of a tick, and tries again while it is not too late.
func (t *Ticker) send(ctx context.Context, q inq.Queue, tick time.Time) error {
	m, err := t.message(tick)
	if err != nil {
		t.skip(tick, err)
		return nil
	}
	for n := 1; ; n++ {
		if time.Since(tick) > latestTick {
			t.skip(tick, err)
			return nil
		}
		var sent inq.Sent
		if sent, err = q.Send(ctx, m); err == nil {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.skipping = false
			if sent.Duplicate() {
				t.stats.Duplicates++
			} else {
				t.stats.Sent++
			}
			return nil
		}
		if ctx.Err() != nil || errors.Is(err, inq.ErrClosed) || errors.Is(err, inq.ErrQueueDoesNotExist) {
			return err
		}
		t.mu.Lock()
		t.stats.Errors++
		t.mu.Unlock()
		if !pause(ctx, doubled(firstPause, lastPause, n)) {
			return ctx.Err()
		}
	}
}

// skip counts a tick that makes no job. The first of several in a row is logged. A nil err means
// that the time for it had passed before it was tried.
func (t *Ticker) skip(tick time.Time, err error) {
	t.mu.Lock()
	first := !t.skipping
	t.skipping = true
	t.stats.Skipped++
	t.mu.Unlock()
	if !first {
		return
	}
	why := "more than four minutes late"
	if err != nil {
		why = text(err)
	}
	slog.Warn("a tick is skipped", slog.String("kind", t.kind), slog.Time("tick", tick), slog.String("error", why))
}

// Stats returns what the Ticker has done so far.
func (t *Ticker) Stats() TickerStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}
