package inq

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDeliveries_APanicOrAGoexitInTheLoopGivesTheRestBack(t *testing.T) {
	for name, leave := range map[string]func(){
		"panic":  func() { panic("in the body") },
		"Goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			onBothTypes(t, func(s steps) {
				s.send("g-1", "g-2", "g-3", "h-1")
				ended := make(chan any)
				go func() {
					defer func() { ended <- recover() }()
					for range Deliveries(context.Background(), s.q, ReceiveInput{Max: 10}) {
						leave()
					}
				}()
				if name == "panic" {
					require.Equal(s, "in the body", <-ended)
				} else {
					require.Nil(s, <-ended)
				}
				s.counts(3, 1, 0) // the first comes back by its timeout
				for m := range s.q.Messages() {
					require.Equal(s, m.Body == "g-1", m.ReceiveCount == 1, m.Body)
				}
				time.Sleep(30 * time.Second)
				require.Len(s, s.receive(10, 0), 4)
			})
		})
	}
}

// remote is a queue without Return, as one behind a network is. Its calls take the time that delay
// says, or until their ctx ends.
type remote struct {
	Queue
	delay   time.Duration
	held    func(id string) error
	batches [][]string // bodies
	singles int
}

// Receive makes deliveries that know nothing but what SQS tells.
func (q *remote) Receive(ctx context.Context, in ReceiveInput) ([]Delivery, error) {
	ds, err := q.Queue.Receive(ctx, in)
	for i, d := range ds {
		f := DeliveryFields{ID: d.ID(), Body: d.Body, ReceiptHandle: d.ReceiptHandle()}
		if q.held != nil {
			f.Held = func(context.Context) error { return q.held(d.Body) }
		}
		ds[i] = NewDelivery(q, f)
	}
	return ds, err
}

func (q *remote) call(ctx context.Context) error {
	select {
	case <-time.After(q.delay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *remote) ChangeVisibility(ctx context.Context, receiptHandle string, timeout time.Duration) error {
	q.singles++
	if err := q.call(ctx); err != nil {
		return err
	}
	return q.Queue.ChangeVisibility(ctx, receiptHandle, timeout)
}

func (q *remote) ChangeVisibilityBatch(ctx context.Context, changes []VisibilityChange) error {
	var bodies []string
	for _, c := range changes {
		rc, err := q.engine().ids.parse(c.ReceiptHandle)
		if err != nil {
			return err
		}
		bodies = append(bodies, q.engine().store.at(rc.slot).body)
	}
	q.batches = append(q.batches, bodies)
	if err := q.call(ctx); err != nil {
		return err
	}
	return q.Queue.ChangeVisibilityBatch(ctx, changes)
}

func (q *remote) engine() *queue {
	switch q := q.Queue.(type) {
	case *Standard:
		return &q.queue
	case *FIFO:
		return &q.queue
	}
	panic("bug: no queue of this package")
}

func TestDeliveries_GivesBackOverANetworkInOneCallAndInReverse(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1", "g-2", "g-3", "g-4")
		q := &remote{Queue: s.q.self, delay: 100 * time.Millisecond}
		began := time.Now()
		for range Deliveries(context.Background(), q, ReceiveInput{Max: 10}) {
			break
		}
		require.Equal(s, 100*time.Millisecond, time.Since(began))
		require.Equal(s, [][]string{{"g-4", "g-3", "g-2"}}, q.batches)
		require.Zero(s, q.singles)
		s.counts(3, 1, 0)
	})
}

func TestDeliveries_GivesBackTenAtATime(t *testing.T) {
	scene(t, "beyond the limits of SQS", func(t *testing.T) {
		s := standardSteps(t, WithoutSQSLimits())
		q := &remote{Queue: s.q.self}
		for range 25 {
			s.send("a")
		}
		for range Deliveries(context.Background(), q, ReceiveInput{Max: 25}) {
			break
		}
		require.Len(t, q.batches, 3)
		require.Len(t, q.batches[0], 10)
		require.Len(t, q.batches[2], 4)
		s.counts(24, 1, 0)
	})
}

// A network that answers nothing holds up the end of a loop for seconds, however many messages there
// are, and whatever the loop's own ctx allows.
func TestDeliveries_GivesUpToGiveBackAfterFiveSeconds(t *testing.T) {
	for name, returns := range map[string]bool{"in batches": false, "one by one": true} {
		scene(t, name, func(t *testing.T) {
			s := standardSteps(t)
			s.send("1", "2", "3", "4", "5")
			dead := &remote{Queue: s.q.self, delay: 1000 * time.Hour}
			var q Queue = dead
			if returns {
				q = &slowReturns{remote: dead}
			}
			began := time.Now()
			for range Deliveries(context.Background(), q, ReceiveInput{Max: 10}) {
				break
			}
			require.Equal(t, 5*time.Second, time.Since(began))
			if !returns {
				require.Len(t, dead.batches, 1)
			}
		})
	}
}

// slowReturns is a remote with a Return of its own.
type slowReturns struct{ *remote }

func (q *slowReturns) Receive(ctx context.Context, in ReceiveInput) ([]Delivery, error) {
	ds, err := q.remote.Receive(ctx, in)
	for i := range ds {
		ds[i].Rebind(q)
	}
	return ds, err
}

func (q *slowReturns) Return(ctx context.Context, _ string, _ time.Duration) error {
	return q.call(ctx)
}

func TestDelivery_ReturnsOnlyWhatIsHeld(t *testing.T) {
	scene(t, "by a service that was asked", func(t *testing.T) {
		s := standardSteps(t)
		s.send("1", "2", "3")
		q := &remote{Queue: s.q.self, held: func(body string) error {
			if body == "2" {
				return ErrReceiptHandleExpired
			}
			return nil
		}}
		for d, err := range Deliveries(context.Background(), q, ReceiveInput{Max: 10}) {
			require.NoError(t, err)
			require.Equal(t, "1", d.Body)
			break
		}
		require.Equal(t, [][]string{{"3"}}, q.batches)
		s.counts(1, 2, 0)
		time.Sleep(30 * time.Second)
		ds, err := q.Receive(context.Background(), ReceiveInput{Max: 10})
		require.NoError(t, err)
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		for _, d := range ds {
			want := q.held(d.Body)
			require.Equal(t, context.Canceled, d.Return(ended, 0))
			var none context.Context
			require.ErrorIs(t, d.Return(none, 0), ErrMissingParameter)
			require.Equal(t, want, d.Return(context.Background(), 0))
			d.Rebind(&slowReturns{q})
			require.Equal(t, want, d.Return(context.Background(), 0))
		}
		require.Equal(t, 2, q.singles)
	})
}

// A wrapper without Return changes the visibility instead, which on Standard would end the receive
// of whoever has the message by then.
func TestDelivery_ReturnThroughAWrapperTakesNoLaterReceiveAway(t *testing.T) {
	onBothTypes(t, func(s steps) {
		s.send("g-1", "g-2")
		wrapper := struct{ Queue }{s.q.self}
		var first Delivery
		for d, err := range Deliveries(context.Background(), wrapper, ReceiveInput{}) {
			require.NoError(s, err)
			first = d
			break
		}
		first.Rebind(wrapper)
		time.Sleep(30 * time.Second)
		requireRefusal(s, first.Return(context.Background(), 0), ErrReceiptHandleExpired)
		others := s.receive(10, 0)
		require.Len(s, others, 2)
		requireRefusal(s, first.Return(context.Background(), 0), ErrReceiptHandleExpired)
		s.counts(0, 2, 0)
		others[0].Rebind(wrapper)
		require.NoError(s, others[0].Return(context.Background(), 0))
		s.counts(1, 1, 0)
	})
}

// uncomparable is a Queue that == does not take.
type uncomparable struct {
	Queue
	_ []int
}

func TestDeliveries_TakesAnyQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standardSteps(t)
		s.send("1", "2", "3")
		q := uncomparable{Queue: &rebinding{Queue: s.q.self}}
		for range Deliveries(context.Background(), q, ReceiveInput{Max: 10}) {
			break
		}
		s.counts(2, 1, 0)
	})
}

// rebinding gives its deliveries an uncomparable queue.
type rebinding struct{ Queue }

func (q *rebinding) Receive(ctx context.Context, in ReceiveInput) ([]Delivery, error) {
	ds, err := q.Queue.Receive(ctx, in)
	for i := range ds {
		ds[i].Rebind(uncomparable{Queue: q.Queue})
	}
	return ds, err
}

func TestDeliveries_RefusesWhatItCannotLoopOver(t *testing.T) {
	q := testStandard(t)
	var none context.Context
	for _, c := range []struct {
		ctx   context.Context
		q     Queue
		in    ReceiveInput
		want  error
		param string
	}{
		{none, q, ReceiveInput{}, ErrMissingParameter, "ctx"},
		{t.Context(), nil, ReceiveInput{}, ErrMissingParameter, "q"},
		{t.Context(), q, ReceiveInput{AttemptID: "a"}, ErrInvalidParameter, "ReceiveRequestAttemptId"},
	} {
		n := 0
		for d, err := range Deliveries(c.ctx, c.q, c.in) {
			n++
			require.Zero(t, d)
			requireRefusal(t, err, c.want)
			var p *ParamError
			require.ErrorAs(t, err, &p)
			require.Equal(t, c.param, p.Param)
		}
		require.Equal(t, 1, n)
	}
}
