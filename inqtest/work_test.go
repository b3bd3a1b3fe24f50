package inqtest_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqtest"
	"example.com/inq/worker"
)

var (
	longID    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	sinceTime = regexp.MustCompile(`since \d\d:\d\d:\d\d\.\d\d\d`)
	shortID   = regexp.MustCompile(`\b[0-9a-f]{8}\b`)
)

// plainQueue hides everything but inq.Queue, as a queue elsewhere does.
type plainQueue struct{ inq.Queue }

func TestWork_TellsWhatBecameOfTheJob(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		h    worker.HandlerFunc
		want string
		left inq.Counts
		far  string // on a queue with nothing beyond inq.Queue, where that is another
	}{
		{"success", func(context.Context, *inq.Delivery) error { return nil }, "succeeded", inq.Counts{}, ""},
		{"failure", func(context.Context, *inq.Delivery) error { return broken }, "retried, comes again after 1m0s: broken", inq.Counts{NotVisible: 1}, ""},
		{"failure with a delay", func(context.Context, *inq.Delivery) error { return worker.RetryAfter(time.Hour, broken) },
			"retried, comes again after 1h0m0s: broken", inq.Counts{NotVisible: 1}, ""},
		{"failure without a delay", func(context.Context, *inq.Delivery) error { return worker.RetryAfter(0, broken) },
			"retried, comes again after 0s: broken", inq.Counts{Visible: 1}, ""},
		{"snooze", func(context.Context, *inq.Delivery) error { return worker.Snooze(time.Minute) }, "snoozed, comes again after 1m0s", inq.Counts{Delayed: 1}, ""},
		{"long snooze", func(context.Context, *inq.Delivery) error { return worker.Snooze(time.Hour) }, "snoozed, comes again after 1h0m0s", inq.Counts{NotVisible: 1}, ""},
		{"bury", func(context.Context, *inq.Delivery) error { return worker.Bury(broken) }, "buried: broken", inq.Counts{},
			"retried, comes again after 1m0s: broken"},
		{"panic", func(context.Context, *inq.Delivery) error { panic("at the disco") },
			"panicked, comes again after 1m0s: worker: panic: at the disco", inq.Counts{NotVisible: 1}, ""},
		{"a long job", func(context.Context, *inq.Delivery) error { time.Sleep(time.Hour); return nil }, "succeeded", inq.Counts{}, ""},
		{"the message is gone meanwhile", func(ctx context.Context, d *inq.Delivery) error { return errors.Join(d.Delete(ctx), broken) },
			"lost: broken", inq.Counts{}, ""},
	} {
		for _, way := range []string{"itself", "disturbed", "far"} {
			far := way == "far"
			for _, fifo := range []bool{false, true} {
				t.Run(c.name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := inqtest.New(t)
						var q inq.Queue
						if fifo {
							q = s.FIFO("jobs.fifo", inq.WithContentBasedDeduplication(true), inq.WithDeadLetter(s.FIFO("dead.fifo"), 3))
						} else {
							q = s.Standard("jobs", inq.WithDeadLetter(s.Standard("dead"), 3))
						}
						own := q
						switch way {
						case "far":
							q = plainQueue{q}
						case "disturbed":
							q = inqtest.Disturb(q, inqtest.NewPlan(t, 1))
						}
						for _, body := range []string{"one", "two"} {
							_, err := q.Send(t.Context(), inq.Message{Body: body, GroupID: "g"})
							require.NoError(t, err)
						}
						r := inqtest.Work(t, q, c.h, worker.WithBackoff(func(int) time.Duration { return time.Minute }))
						want := c.want
						if far && c.far != "" {
							want = c.far
						}
						assert.Equal(t, want, r.String())
						assert.Equal(t, "one", r.Delivery.Body)
						n, err := own.Counts(t.Context())
						require.NoError(t, err)
						if !far {
							n.Visible-- // two
							assert.Equal(t, c.left, n)
						}
					})
				})
			}
		}
	}
}

func TestWork_Fails(t *testing.T) {
	fine := worker.HandlerFunc(func(context.Context, *inq.Delivery) error { return nil })
	synctest.Test(t, func(t *testing.T) {
		failing(t, "inqtest: Work on jobs: no message came within 24h0m0s", func(tb inqtest.TB) {
			inqtest.Work(tb, inqtest.New(tb).Standard("jobs"), fine)
		})
		failing(t, "inqtest: Work needs a queue and a handler", func(tb inqtest.TB) { inqtest.Work(tb, nil, fine) })
		failing(t, "inqtest: Work: inq: invalid parameter value: WithMaxAttempts -1: must be from 1 to 1000000", func(tb inqtest.TB) {
			inqtest.Work(tb, inqtest.New(tb).Standard("jobs"), fine, worker.WithMaxAttempts(-1))
		})
		failing(t, "inqtest: Work on jobs: worker: queue jobs: inq: queue is closed", func(tb inqtest.TB) {
			q := inqtest.New(tb).Standard("jobs")
			require.NoError(t, q.Close())
			inqtest.Work(tb, q, fine)
		})
	})
}

func TestWork_FindsWhatQueuesCanDoBeside(t *testing.T) {
	broken := errors.New("broken")
	burying := worker.HandlerFunc(func(context.Context, *inq.Delivery) error { return worker.Bury(broken) })
	snoozing := worker.HandlerFunc(func(context.Context, *inq.Delivery) error { return worker.Snooze(time.Minute) })
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		q := s.Standard("jobs", inq.WithDeadLetter(s.Standard("dead"), 3))
		back := returner{plainQueue{q}, q}
		dead := struct {
			plainQueue
			*deadLetterQueue
		}{plainQueue{q}, &deadLetterQueue{s.Standard("dead")}}
		for _, c := range []struct {
			q    inq.Queue
			h    worker.Handler
			want string
			left inq.Counts
		}{
			{back, snoozing, "snoozed, comes again after 1m0s", inq.Counts{Delayed: 1}},
			{struct {
				plainQueue
				buries
			}{plainQueue{q}, q}, burying, "buried: broken", inq.Counts{}},
			{dead, burying, "buried: broken", inq.Counts{}},
			{struct {
				returner
				buries
			}{back, q}, burying, "buried: broken", inq.Counts{}},
			{struct {
				returner
				*deadLetterQueue
			}{back, dead.deadLetterQueue}, snoozing, "snoozed, comes again after 1m0s", inq.Counts{Delayed: 1}},
		} {
			send(t, q, "one")
			assert.Equal(t, c.want, inqtest.Work(t, c.q, c.h).String())
			assert.Equal(t, c.left, q.Stats().Counts)
			s.Reset()
		}
	})
}

// What queues can have beside what they must.
type (
	returner struct {
		plainQueue
		own *inq.Standard
	}
	deadLetterQueue struct{ target inq.Queue }
)

func (r returner) Return(ctx context.Context, receiptHandle string, delay time.Duration) error {
	return r.own.Return(ctx, receiptHandle, delay)
}

func (d *deadLetterQueue) DeadLetterQueue(context.Context) (inq.Queue, error) { return d.target, nil }
