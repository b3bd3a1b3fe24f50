package worker_test

import (
	"context"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

func TestTargetDelay(t *testing.T) {
	for _, c := range []struct {
		delay time.Duration
		load  worker.Load
		want  int
	}{
		{time.Minute, worker.Load{}, 0},
		{time.Minute, worker.Load{Workers: 5, Running: 5, MeanRun: time.Second}, 0},
		{time.Minute, worker.Load{Visible: 1, Workers: 5}, 6}, // no run time yet
		{time.Minute, worker.Load{Visible: 60, MeanRun: time.Second}, 1},
		{time.Minute, worker.Load{Visible: 61, MeanRun: time.Second}, 2},
		{time.Minute, worker.Load{Visible: 600, MeanRun: time.Second}, 10},
		{10 * time.Second, worker.Load{Visible: 1500, MeanRun: 100 * time.Millisecond}, 15},
		{0, worker.Load{Visible: math.MaxInt, MeanRun: time.Hour}, 1_000_000},
		{-1, worker.Load{Visible: 1, MeanRun: 1}, 1},
	} {
		require.Equal(t, c.want, worker.TargetDelay(c.delay)(c.load), "%v %+v", c.delay, c.load)
	}
}

// Steps double at most and halve at most, between the limits; a step down waits a minute after any
// change.
func TestAutoscale_StepsAndCoolDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		want := 0
		began := time.Now()
		log := newDiary()
		q := &hooked{Standard: standard(t)}
		r := newRunner(t, q, noop, worker.WithAutoscale(2, 20, func(l worker.Load) int {
			switch d := time.Since(began); {
			case d < 30*time.Second:
				want = 100
			case d < 3*time.Minute:
				want = -7
			default:
				want = 5
			}
			return want
		}))
		stop := run(t, r)
		last := r.Stats().Concurrency
		time.Sleep(time.Second / 2) // to look between the decisions
		for range 5 * 60 {
			time.Sleep(time.Second)
			if s := r.Stats(); s.Concurrency != last {
				last = s.Concurrency
				log.add("%d", last)
				require.Equal(t, last, s.Decision.Got)
				require.Equal(t, want, s.Decision.Want)
			}
		}
		stop(nil)
		require.Equal(t, []string{"5.5s 4", "10.5s 8", "15.5s 16", "20.5s 20", "1m20.5s 10", "2m20.5s 5"}, log.get())
		require.EqualValues(t, 60, r.Stats().Decisions)
	})
}

func TestAutoscale_ABurst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		var text records
		r, err := worker.New(q, worker.HandlerFunc(func(context.Context, *inq.Delivery) error {
			time.Sleep(1100 * time.Millisecond)
			return nil
		}), text.option(), worker.WithAutoscale(1, 50, worker.TargetDelay(30*time.Second)))
		require.NoError(t, err)
		stop := run(t, r)
		for i := range 1000 {
			send(t, q, strconv.Itoa(i))
		}
		time.Sleep(6 * time.Second)
		d := r.Stats().Decision
		require.Equal(t, worker.Load{Visible: 995, Oldest: 5 * time.Second, Running: 1, MeanRun: 1100 * time.Millisecond, Workers: 1}, d.Load)
		require.Equal(t, 37, d.Want)
		require.Equal(t, 2, d.Got)
		time.Sleep(2 * time.Minute)
		require.Equal(t, inq.Counts{}, counts(t, q))
		time.Sleep(10 * time.Minute)
		require.Equal(t, 1, r.Stats().Concurrency)
		stop(nil)
		require.Contains(t, text.String(), "msg=scaling queue=jobs visible=995 oldest=5s running=1 meanRun=1.1s want=37 was=1 workers=2")
	})
}

// A queue that cannot tell the age of its oldest message says -1; one that cannot tell anything, and
// a policy that panics, change nothing.
func TestAutoscale_WhatTheQueueCannotTell(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		var loads []worker.Load
		r := newRunner(t, bare{q}, noop, worker.WithAutoscale(1, 9, func(l worker.Load) int {
			loads = append(loads, l)
			if len(loads) == 1 {
				panic("policy")
			}
			return 2
		}))
		stop := run(t, r)
		time.Sleep(11 * time.Second)
		stop(nil)
		require.Equal(t, worker.Load{Oldest: -1, Workers: 1}, loads[1])
		require.EqualValues(t, 1, r.Stats().Decisions)
		require.Equal(t, 2, r.Stats().Concurrency)
	})
	bubble(t, func(t *testing.T) {
		var text records
		r, err := worker.New(mute{bare{standard(t)}}, worker.HandlerFunc(noop), text.option(), worker.WithAutoscale(3, 9, func(worker.Load) int { return 9 }))
		require.NoError(t, err)
		stop := run(t, r)
		time.Sleep(time.Minute + 1)
		stop(nil)
		require.Equal(t, 3, r.Stats().Concurrency)
		require.Equal(t, 12, strings.Count(text.String(), "no decision about scaling"))
	})
}

// mute is a queue that does not count.
type mute struct{ bare }

func (mute) Counts(context.Context) (inq.Counts, error) { return inq.Counts{}, errBad }
