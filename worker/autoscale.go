package worker

import (
	"context"
	"log/slog"
	"math"
	"time"

	"example.com/inq"
)

// A Policy decides how many workers, that is slots, there should be. It is asked every 5 seconds
// and should depend on nothing but the load.
//
// What it returns is bounded by the limits of [WithAutoscale] and taken in steps: to at most twice,
// and at least half, of what there are. After any change the next step down waits a minute, so that
// a lull does not take away what a burst has just needed.
type Policy func(Load) int

// Load is what a [Policy] goes by.
type Load struct {
	Visible int           // messages that wait to be received
	Oldest  time.Duration // age of the oldest message; -1 where the queue cannot tell, as on Amazon SQS
	Running int           // handlers that run
	MeanRun time.Duration // how long handlers ran lately, 0 before the first has returned
	Workers int           // slots there are
}

// TargetDelay returns a [Policy] with as many workers as clear the backlog within d: the backlog
// divided by what one worker does in that time. Before the first run time is known it adds workers
// one by one. A d below 1 counts as 1.
func TargetDelay(d time.Duration) Policy {
	d = max(d, 1)
	return func(l Load) int {
		switch {
		case l.Visible == 0:
			return 0
		case l.MeanRun == 0:
			return l.Workers + 1
		}
		return int(min(math.Ceil(float64(l.Visible)*float64(l.MeanRun)/float64(d)), maxConcurrency))
	}
}

// Decision is one decision about scaling.
type Decision struct {
	At   time.Time // zero: there was none yet
	Load Load
	Want int // what the policy returned
	Got  int // the slots there are since
}

const (
	scaleEvery   = 5 * time.Second
	scaleDownGap = time.Minute // from a change to the next step down
)

// scaling is what WithAutoscale was given.
type scaling struct {
	min, max int
	policy   Policy
}

// scaled is what the next decision depends on.
type scaled struct {
	changed instant
	meanRun moving
}

// startScaleLocked schedules the first decision.
func (r *Runner) startScaleLocked() {
	if r.scale.policy != nil {
		r.scaleAt = scaleEvery
		r.scaled.changed = -scaleDownGap
	}
}

// tendScaleLocked has a decision made when it is time.
func (r *Runner) tendScaleLocked(now instant) {
	if r.scaleAt == 0 || r.scaleAt > now {
		return
	}
	r.scaleAt = 0
	if r.phase == started {
		ctx := r.polling
		r.goLocked(func() { r.decide(ctx) })
	}
}

// decide asks the policy, and changes the number of slots.
func (r *Runner) decide(ctx context.Context) {
	load := Load{Oldest: -1}
	counts, err := r.counts(ctx, &load)
	load.Visible = counts.Visible

	r.mu.Lock()
	load.Running, load.Workers, load.MeanRun = r.active, r.limit, r.scaled.meanRun.mean
	r.unlock()
	want := load.Workers
	if err == nil {
		err = guard(func() error { want = r.scale.policy(load); return nil })
	}

	r.mu.Lock()
	defer r.unlock()
	now := r.clock.now()
	if r.phase == started {
		r.scaleAt = now + scaleEvery
		r.scheduleLocked(r.scaleAt)
	}
	if err != nil {
		if ctx.Err() == nil {
			r.logLocked(slog.LevelWarn, "no decision about scaling", slog.String("error", text(err)))
		}
		return
	}
	was := r.limit
	got := step(was, want, r.scale.min, r.scale.max)
	if got < was && now < r.scaled.changed+scaleDownGap {
		got = was
	}
	if got != was {
		r.limit, r.scaled.changed = got, now
		r.wakeLocked()
	}
	r.stats.Decisions++
	r.stats.Decision = Decision{At: r.clock.time(now), Load: load, Want: want, Got: got}
	level := slog.LevelDebug
	if got != was {
		level = slog.LevelInfo
	}
	r.logLocked(level, "scaling", slog.Int("visible", load.Visible), slog.Duration("oldest", load.Oldest),
		slog.Int("running", load.Running), slog.Duration("meanRun", load.MeanRun),
		slog.Int("want", want), slog.Int("was", was), slog.Int("workers", got))
}

// step bounds a number of slots by the limits and by how far one step goes.
func step(was, want, lowest, highest int) int {
	want = min(max(want, (was+1)/2), 2*was)
	return min(max(want, lowest), highest)
}

// counts asks the queue for what it can tell of its backlog.
func (r *Runner) counts(ctx context.Context, load *Load) (inq.Counts, error) {
	if q, ok := r.queue.(interface{ Stats() inq.Stats }); ok {
		s := q.Stats()
		load.Oldest = s.OldestAge
		return s.Counts, nil
	}
	return r.queue.Counts(ctx)
}
