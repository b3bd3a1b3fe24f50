package worker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// Four consumers written by hand, each with one of the usual mistakes, and beside each the worker
// with the same handler, which does not let it be made.

// byHand is the loop of a consumer: it deletes what its handler has done.
func byHand(ctx context.Context, q inq.Queue, handle func(ctx context.Context, d *inq.Delivery) error) {
	for {
		ds, err := q.Receive(ctx, inq.ReceiveInput{Wait: 20 * time.Second})
		if err != nil {
			return
		}
		for i := range ds {
			if handle(ctx, &ds[i]) == nil {
				_ = ds[i].Delete(ctx)
			}
		}
	}
}

// both runs two consumers by hand, or a worker, for five minutes, and returns what they did.
func both(t *testing.T, hand func(ctx context.Context, q inq.Queue, log *diary), h func(log *diary) worker.HandlerFunc) (hands, worked []string) {
	t.Helper()
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "job")
		log := newDiary()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute-1)
		defer cancel()
		go hand(ctx, q, log)
		go hand(ctx, q, log)
		<-ctx.Done()
		time.Sleep(time.Minute)
		hands = log.get()
	})
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "job")
		log := newDiary()
		r := newRunner(t, q, h(log), after(time.Second))
		stop := run(t, r)
		time.Sleep(5 * time.Minute)
		stop(nil)
		require.Equal(t, inq.Counts{}, counts(t, q))
		worked = log.get()
	})
	return hands, worked
}

// It forgets to delete: the job is done again and again.
func TestTrap_ForgetsToDelete(t *testing.T) {
	hands, worked := both(t, func(ctx context.Context, q inq.Queue, log *diary) {
		byHand(ctx, q, func(context.Context, *inq.Delivery) error {
			log.add("done")
			return errors.New("no delete")
		})
	}, func(log *diary) worker.HandlerFunc {
		return func(context.Context, *inq.Delivery) error { log.add("done"); return nil }
	})
	require.Len(t, hands, 10, "every 30 seconds")
	require.Equal(t, []string{"0s done"}, worked)
}

// It panics: without a recover the process would end; with one the job still waits for its timeout.
func TestTrap_Panics(t *testing.T) {
	luck := func(log *diary, d *inq.Delivery) {
		log.add("attempt %d", d.ReceiveCount)
		if d.ReceiveCount == 1 {
			panic("bad luck")
		}
	}
	hands, worked := both(t, func(ctx context.Context, q inq.Queue, log *diary) {
		byHand(ctx, q, func(_ context.Context, d *inq.Delivery) (err error) {
			defer func() {
				if recover() != nil {
					err = errors.New("panic")
				}
			}()
			luck(log, d)
			return nil
		})
	}, func(log *diary) worker.HandlerFunc {
		return func(_ context.Context, d *inq.Delivery) error { luck(log, d); return nil }
	})
	require.Equal(t, []string{"0s attempt 1", "30s attempt 2"}, hands)
	require.Equal(t, []string{"0s attempt 1", "1s attempt 2"}, worked)
}

// It is late: after 30 seconds somebody else begins the same job, and its delete is for both.
func TestTrap_IsLate(t *testing.T) {
	slowly := func(log *diary) {
		log.add("begins")
		time.Sleep(40 * time.Second)
		log.add("ends")
	}
	hands, worked := both(t, func(ctx context.Context, q inq.Queue, log *diary) {
		byHand(ctx, q, func(context.Context, *inq.Delivery) error { slowly(log); return nil })
	}, func(log *diary) worker.HandlerFunc {
		return func(context.Context, *inq.Delivery) error { slowly(log); return nil }
	})
	require.Equal(t, []string{"0s begins", "30s begins", "40s ends", "1m10s ends"}, hands)
	require.Equal(t, []string{"0s begins", "40s ends"}, worked)
}

// It stops in the middle: the context that ends takes the delete with it, and the job is done twice.
func TestTrap_StopsInTheMiddle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "job")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		byHand(ctx, q, func(context.Context, *inq.Delivery) error { time.Sleep(2 * time.Second); return nil })
		require.Equal(t, inq.Counts{NotVisible: 1}, counts(t, q), "done, and not deleted")
	})
	bubble(t, func(t *testing.T) {
		q := standard(t)
		send(t, q, "job")
		r := newRunner(t, q, func(context.Context, *inq.Delivery) error { time.Sleep(2 * time.Second); return nil })
		stop := run(t, r)
		time.Sleep(time.Second)
		stop(nil)
		require.Equal(t, inq.Counts{}, counts(t, q))
	})
}
