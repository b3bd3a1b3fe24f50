package worker_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

func noop(context.Context, *inq.Delivery) error { return nil }

func TestOptions_RangesAreNamed(t *testing.T) {
	q := standard(t)
	policy := func(worker.Load) int { return 1 }
	for i, c := range []struct {
		name      string
		good, bad []worker.Option
	}{
		{"WithConcurrency", []worker.Option{worker.WithConcurrency(1), worker.WithConcurrency(1_000_000)},
			[]worker.Option{worker.WithConcurrency(0), worker.WithConcurrency(-1), worker.WithConcurrency(1_000_001)}},
		{"WithVisibility", []worker.Option{worker.WithVisibility(time.Second), worker.WithVisibility(12 * time.Hour)},
			[]worker.Option{worker.WithVisibility(time.Second - 1), worker.WithVisibility(12*time.Hour + 1), worker.WithVisibility(0), worker.WithVisibility(inq.Zero), worker.WithVisibility(inq.Forever)}},
		{"WithTimeout", []worker.Option{worker.WithTimeout(1), worker.WithTimeout(12 * time.Hour)},
			[]worker.Option{worker.WithTimeout(0), worker.WithTimeout(-1), worker.WithTimeout(12*time.Hour + 1)}},
		{"WithMaxAttempts", []worker.Option{worker.WithMaxAttempts(1), worker.WithMaxAttempts(1_000_000)},
			[]worker.Option{worker.WithMaxAttempts(0), worker.WithMaxAttempts(1_000_001)}},
		{"WithGrace", []worker.Option{worker.WithGrace(0), worker.WithGrace(12 * time.Hour)},
			[]worker.Option{worker.WithGrace(-1), worker.WithGrace(12*time.Hour + 1)}},
		{"WithAutoscale", []worker.Option{worker.WithAutoscale(1, 1, policy), worker.WithAutoscale(1, 1_000_000, policy)},
			[]worker.Option{worker.WithAutoscale(0, 1, policy), worker.WithAutoscale(2, 1, policy), worker.WithAutoscale(1, 1_000_001, policy), worker.WithAutoscale(1, 2, nil)}},
		{"WithBackoff", []worker.Option{worker.WithBackoff(func(int) time.Duration { return -1 })}, []worker.Option{worker.WithBackoff(nil)}},
		{"WithLimit", []worker.Option{worker.WithLimit(waiter(nil2waiter))}, []worker.Option{worker.WithLimit(nil), worker.WithLimit(waiter(nil)), worker.WithLimit((*limit)(nil))}},
		{"WithLogger", []worker.Option{worker.WithLogger(nil), worker.WithLogger(slog.Default())}, nil},
		{"WithMiddleware", []worker.Option{worker.WithMiddleware(), worker.WithMiddleware(nil2())},
			[]worker.Option{worker.WithMiddleware(nil), worker.WithMiddleware(nil2(), nil), worker.WithMiddleware(func(worker.Handler) worker.Handler { return nil })}},
	} {
		for j, o := range c.good {
			_, err := worker.New(q, worker.HandlerFunc(noop), o, nil)
			require.NoError(t, err, "%d.%d", i, j)
		}
		for j, o := range c.bad {
			_, err := worker.New(q, worker.HandlerFunc(noop), o)
			require.Error(t, err, "%d.%d", i, j)
			var p *inq.ParamError
			require.ErrorAs(t, err, &p)
			require.Equal(t, c.name, p.Param)
			require.Contains(t, []error{inq.ErrInvalidParameter, inq.ErrMissingParameter}, p.Err)
		}
	}
	_, err := worker.New(q, worker.HandlerFunc(noop), worker.WithConcurrency(0))
	require.EqualError(t, err, "inq: invalid parameter value: WithConcurrency 0: must be from 1 to 1000000")
}

func nil2waiter(context.Context) error { return nil }

type pointer struct{}

func (*pointer) Handle(context.Context, *inq.Delivery) error { return nil }

func TestNew_RefusesNil(t *testing.T) {
	q := standard(t)
	h := worker.HandlerFunc(noop)
	batch := func(context.Context, []inq.Delivery) error { return nil }
	for i, f := range []func() error{
		func() error { _, err := worker.New(nil, h); return err },
		func() error { _, err := worker.New((*inq.Standard)(nil), h); return err },
		func() error { _, err := worker.New(q, nil); return err },
		func() error { _, err := worker.New(q, worker.HandlerFunc(nil)); return err },
		func() error { _, err := worker.New(q, (*pointer)(nil)); return err },
		func() error { _, err := worker.New(q, (*worker.Mux)(nil)); return err },
		func() error { _, err := worker.NewBatch(nil, batch, 1, 0); return err },
		func() error { _, err := worker.NewBatch(q, nil, 1, 0); return err },
	} {
		require.ErrorIs(t, f(), inq.ErrMissingParameter, i)
	}
	for name, f := range map[string]func() error{
		"max":  func() error { _, err := worker.NewBatch(q, batch, 0, 0); return err },
		"max ": func() error { _, err := worker.NewBatch(q, batch, 10_001, 0); return err },
		"wait": func() error { _, err := worker.NewBatch(q, batch, 1, -1); return err },
		"wait ": func() error {
			_, err := worker.NewBatch(q, batch, 1, 5*time.Minute+1)
			return err
		},
		"WithMiddleware": func() error { _, err := worker.NewBatch(q, batch, 1, 0, worker.WithMiddleware(nil2())); return err },
	} {
		err := f()
		require.ErrorIs(t, err, inq.ErrInvalidParameter, name)
		require.ErrorContains(t, err, name)
	}
	_, err := worker.NewBatch(q, batch, 10_000, 5*time.Minute)
	require.NoError(t, err)
	_, err = worker.New(bare{}, h) // whose Name panics
	require.ErrorContains(t, err, "Name of the queue")
}

// The default of the concurrency is the least that WithAutoscale allows, and what is given is
// brought into its range.
func TestOptions_AutoscaleAndConcurrency(t *testing.T) {
	scale := worker.WithAutoscale(3, 30, func(worker.Load) int { return 1 })
	for want, opts := range map[int][]worker.Option{
		10: {}, 7: {worker.WithConcurrency(7)}, 3: {scale}, 20: {scale, worker.WithConcurrency(20)}, 30: {worker.WithConcurrency(99), scale},
	} {
		r, err := worker.New(standard(t), worker.HandlerFunc(noop), opts...)
		require.NoError(t, err)
		require.Equal(t, want, r.Stats().Concurrency)
	}
}

func ExampleWithConcurrency() {
	q, _ := inq.NewStandard("jobs")
	_, err := worker.New(q, worker.HandlerFunc(noop), worker.WithConcurrency(0))
	fmt.Println(err)
	// Output: inq: invalid parameter value: WithConcurrency 0: must be from 1 to 1000000
}
