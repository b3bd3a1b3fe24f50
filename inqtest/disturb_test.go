package inqtest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/conformance"
	"example.com/inq/inqtest"
)

// other is a queue of somebody else, which can do what its parts can.
type other struct{ inq.Queue }

func (o *other) Return(context.Context, string, time.Duration) error { return errors.New("returned") }
func (o *other) Bury(context.Context, string, string) error          { return errors.New("buried") }
func (o *other) DeadLetterQueue(context.Context) (inq.Queue, error)  { return nil, errors.New("dead") }

type (
	returns interface {
		Return(context.Context, string, time.Duration) error
	}
	buries interface {
		Bury(context.Context, string, string) error
	}
	knows interface {
		DeadLetterQueue(context.Context) (inq.Queue, error)
	}
)

func TestDisturb_CallsThatTheQueueRefusesAreNotCounted(t *testing.T) {
	bend(t, "ended contexts", func(b bent) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := b.Receive(ctx, inq.ReceiveInput{})
		require.Equal(b, context.Canceled, err)
		var none context.Context
		_, err = b.Receive(none, inq.ReceiveInput{})
		require.ErrorIs(b, err, inq.ErrMissingParameter)
		require.Empty(b, b.plan.Did())
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err = b.Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second})
		require.Equal(b, context.DeadlineExceeded, err, "who gives up knows")
		require.Empty(b, b.plan.Did())
	}, inqtest.On(inqtest.Receive).Do(inqtest.LoseAnswer))
}

func TestDisturb_AroundAQueueThatAnswersNonsense(t *testing.T) {
	q, err := inq.NewStandard("q")
	require.NoError(t, err)
	defer q.Close()
	d := inqtest.Disturb(liar{q}, inqtest.NewPlan(t, 1, inqtest.On(inqtest.Send).Nth(1).Do(inqtest.FailEntries(0))))
	for _, want := range []int{2, 3} {
		sent, err := d.SendBatch(t.Context(), make([]inq.Message, 3))
		var some *inq.BatchError
		require.ErrorAs(t, err, &some)
		require.Len(t, some.Failed, want)
		require.Len(t, sent, 3)
	}
}

func TestDisturb_WhatQueuesCanDoBeside(t *testing.T) {
	q, err := inq.NewStandard("q")
	require.NoError(t, err)
	defer q.Close()
	o := &other{q}
	plan := inqtest.NewPlan(t, 1, inqtest.On(inqtest.ChangeVisibility).Nth(1).Do(inqtest.Throttle))
	for _, c := range []struct {
		q                     inq.Queue
		returns, buries, dead bool
	}{
		{struct{ inq.Queue }{q}, false, false, false},
		{struct {
			inq.Queue
			returns
		}{q, o}, true, false, false},
		{struct {
			inq.Queue
			buries
		}{q, o}, false, true, false},
		{struct {
			inq.Queue
			knows
		}{q, o}, false, false, true},
		{struct {
			inq.Queue
			returns
			knows
		}{q, o, o}, true, false, true},
		{q, true, true, false},
		{o, true, true, false}, // it buries; where the letters go nobody needs to know
	} {
		d := inqtest.Disturb(c.q, plan)
		_, r := d.(returns)
		_, b := d.(buries)
		_, k := d.(knows)
		assert.Equal(t, []bool{c.returns, c.buries, c.dead}, []bool{r, b, k}, "%T", c.q)
	}
	d := inqtest.Disturb(o, plan).(returns)
	require.ErrorIs(t, d.Return(t.Context(), "", 0), inq.ErrThrottled)
	require.EqualError(t, d.Return(t.Context(), "", 0), "returned")
	require.Equal(t, inq.Queue(q), inqtest.Disturb(q, nil))

	_, err = q.Send(t.Context(), inq.Message{Body: "b"})
	require.NoError(t, err)
	ds, err := inqtest.Disturb(o, plan).Receive(t.Context(), inq.ReceiveInput{})
	require.NoError(t, err)
	require.EqualError(t, ds[0].Return(t.Context(), 0), "returned")
	require.EqualError(t, ds[0].Bury(t.Context(), ""), "buried")
}

// A plan without rules that strike leaves all as it is.
func TestDisturb_PassesOnWhatMeetsNoFault(t *testing.T) {
	plan := inqtest.NewPlan(t, 1, inqtest.On().In("nowhere").Do(inqtest.Throttle), inqtest.On().Chance(1e-300).Do(inqtest.FailEntries(0)))
	conformance.RunWrapper(t, func(q inq.Queue) inq.Queue { return inqtest.Disturb(q, plan) }, nil)
	require.Empty(t, plan.Did())
}

func TestDisturb_BehindACount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		q := s.Standard("orders")
		d := inqtest.Disturb(s.Count(q), inqtest.NewPlan(t, 1, inqtest.On(inqtest.Receive).Nth(1).Do(inqtest.Duplicate), inqtest.On(inqtest.Receive).Do(inqtest.Reorder)))
		_, err := d.Send(t.Context(), inq.Message{Body: "1"})
		require.NoError(t, err)
		for range 2 {
			ds, err := d.Receive(t.Context(), inq.ReceiveInput{})
			require.NoError(t, err)
			require.NoError(t, ds[0].Delete(t.Context()))
		}
		inqtest.WaitDrained(t, q)
		assert.Equal(t, 2, s.Calls().Of("ReceiveMessage").Calls)
		assert.Equal(t, 2, s.Calls().Of("DeleteMessage").Calls)
	})
}

func TestDisturb_RefusesWhatTheQueueCannotDo(t *testing.T) {
	q, err := inq.NewStandard("orders")
	require.NoError(t, err)
	defer q.Close()
	foreign := &other{q}
	for _, f := range []inqtest.Fault{inqtest.Duplicate, inqtest.Reorder, inqtest.Sample(0.5)} {
		name, _, _ := strings.Cut(f.String(), "(")
		failing(t, fmt.Sprintf("inqtest: rule 1, On(Receive).Do(%v): %s needs an *inq.Standard, and cannot be inflicted on queue orders, a *inqtest_test.other\n"+
			"inqtest: faults with seed 1:\n  rule 1: On(Receive).Do(%v), 0 calls, 0 faults", f, name, f),
			func(tb inqtest.TB) {
				inqtest.Disturb(foreign, inqtest.NewPlan(tb, 1, inqtest.On(inqtest.Receive).Do(f)))
			})
		passing(t, func(tb inqtest.TB) {
			inqtest.Disturb(foreign, inqtest.NewPlan(tb, 1, inqtest.On(inqtest.Receive).In("others").Do(f)))
			inqtest.Disturb(q, inqtest.NewPlan(tb, 1, inqtest.On(inqtest.Receive).Do(f)))
		})
	}
	failing(t, "inqtest: Disturb(nil): must have a queue\ninqtest: faults with seed 1:", func(tb inqtest.TB) { inqtest.Disturb(nil, inqtest.NewPlan(tb, 1)) })
}
