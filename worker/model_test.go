package worker_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// The model of at-least-once delivery. Runners come and go over one queue whose calls are slow and
// fail at random, while their handlers succeed, fail, panic, end their goroutine, take longer than
// their lease, snooze and bury; runners are paused, scaled and stopped. Meanwhile and at the end:
//
//   - Every job ends once: deleted, and then a handler has succeeded; dead, and then a handler has
//     buried it or failed as often as is allowed; or it is still in the queue.
//   - No handler begins before all earlier messages of its group on FIFO are deleted or dead. In a
//     batch they may also be in front of it.
//   - Nothing is sent for a lease that is over: no call that changes, returns, buries or deletes
//     leaves when the receive of its handle has timed out.
//   - What a runner received is the sum of its outcomes.
//   - No goroutine outlives Run, or the bubble would tell.

// world is one random run.
type world struct {
	t       *testing.T
	seed    uint64
	rand    *rand.Rand
	queue   inq.Queue // of this process
	fifo    bool
	returns bool // runners see Return and Bury
	batch   bool
	most    int // receives

	mu        sync.Mutex           // guards everything below
	calm      bool                 // no more faults
	ends      map[string]time.Time // of receives, by handle
	gone      map[string]string    // how a job ended, by body
	succeeded map[string]bool
	buried    map[string]bool
	failed    map[string]int
	faults    []string
}

// chance draws.
func (w *world) chance(percent int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.calm && w.rand.IntN(100) < percent
}

func (w *world) between(low, high time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return low + time.Duration(w.rand.Int64N(int64(high-low)+1))
}

// fault notes what must not be.
func (w *world) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// network is the queue as runners see it: each call takes a while, may be ended by its ctx, and may
// fail before or after it was carried out.
type network struct {
	inq.Queue
	w *world
}

var errNetwork = errors.New("network")

func (n network) call(ctx context.Context, f func() error) error {
	if n.w.chance(10) {
		select {
		case <-time.After(n.w.between(0, 3*time.Second)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if n.w.chance(5) {
		return errNetwork
	}
	err := f()
	if n.w.chance(3) {
		return errNetwork
	}
	return err
}

// leaves checks that a handle's lease holds when a call for it leaves.
func (n network) leaves(what string, handles ...string) {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	for _, h := range handles {
		if end := n.w.ends[h]; !time.Now().Before(end) {
			n.w.faults = append(n.w.faults, fmt.Sprintf("%s left %v after the end of the lease", what, time.Since(end)))
		}
	}
}

func (n network) Receive(ctx context.Context, in inq.ReceiveInput) (ds []inq.Delivery, err error) {
	err = n.call(ctx, func() error {
		ds, err = n.Queue.Receive(ctx, in)
		n.w.mu.Lock()
		for i := range ds {
			n.w.ends[ds[i].ReceiptHandle()] = time.Now().Add(in.VisibilityTimeout)
		}
		n.w.mu.Unlock()
		return err
	})
	if err != nil {
		return nil, err
	}
	return ds, nil
}

func (n network) ChangeVisibilityBatch(ctx context.Context, changes []inq.VisibilityChange) error {
	handles := make([]string, len(changes))
	for i, c := range changes {
		handles[i] = c.ReceiptHandle
	}
	n.leaves("ChangeVisibilityBatch", handles...)
	return n.call(ctx, func() error {
		if n.w.chance(5) { // the first entry is not carried out
			failed := inq.BatchError{Failed: []inq.BatchFailure{{Index: 0, Err: errNetwork}}}
			if changes = changes[1:]; len(changes) > 0 {
				n.w.moved(changes)
				var others *inq.BatchError
				if err := n.Queue.ChangeVisibilityBatch(ctx, changes); errors.As(err, &others) {
					for _, f := range others.Failed {
						failed.Failed = append(failed.Failed, inq.BatchFailure{Index: f.Index + 1, Err: f.Err})
					}
				} else if err != nil {
					return err
				}
			}
			return &failed
		}
		n.w.moved(changes)
		return n.Queue.ChangeVisibilityBatch(ctx, changes)
	})
}

func (w *world) moved(changes []inq.VisibilityChange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range changes {
		w.ends[c.ReceiptHandle] = time.Now().Add(c.Timeout)
	}
}

func (n network) Delete(ctx context.Context, handle string) error {
	n.leaves("Delete", handle)
	return n.call(ctx, func() error { return n.Queue.Delete(ctx, handle) })
}

func (n network) DeleteBatch(ctx context.Context, handles []string) error {
	n.leaves("DeleteBatch", handles...)
	return n.call(ctx, func() error { return n.Queue.DeleteBatch(ctx, handles) })
}

// returning is a network with what queues of this process have beyond SQS.
type returning struct{ network }

func (n returning) Return(ctx context.Context, handle string, delay time.Duration) error {
	n.leaves("Return", handle)
	return n.call(ctx, func() error { return n.Queue.(worker.Returner).Return(ctx, handle, delay) })
}

func (n returning) Bury(ctx context.Context, handle, reason string) error {
	n.leaves("Bury", handle)
	return n.call(ctx, func() error { return n.Queue.(worker.Burier).Bury(ctx, handle, reason) })
}

// observe takes note of what becomes of jobs.
func (w *world) observe(es []inq.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range es {
		end := ""
		switch e.Kind {
		case inq.EventDeleted:
			end = "deleted"
		case inq.EventDeadLettered:
			end = "dead"
		default:
			continue
		}
		if was := w.gone[e.Body]; was != "" {
			w.faults = append(w.faults, fmt.Sprintf("%s is %s, and was %s before", e.Body, end, was))
		}
		w.gone[e.Body] = end
	}
}

// begins checks the order of a group: all that came before are gone, or in front in a batch.
func (w *world) begins(ds ...inq.Delivery) {
	if !w.fifo {
		return
	}
	early := map[string]string{} // messages that are not gone, as far as the observer knows, and what is before them
	front := map[string]bool{}
	w.mu.Lock()
	for i := range ds {
		group, number, _ := strings.Cut(ds[i].Body, "/")
		n, _ := strconv.Atoi(number)
		for before := range n {
			earlier := fmt.Sprintf("%s/%02d", group, before)
			if w.gone[earlier] == "" && !front[earlier] {
				early[earlier] = ds[i].Body
			}
		}
		front[ds[i].Body] = true
	}
	w.mu.Unlock()
	if len(early) == 0 {
		return
	}
	// The observer is told after the fact; the queue knows. It is asked without the lock, since that
	// may call the observer.
	left := w.left()
	for earlier, body := range early {
		if left[earlier] {
			w.fault("%s begins before %s is gone", body, earlier)
		}
	}
}

// left returns the bodies of the messages in the queue.
func (w *world) left() map[string]bool {
	left := map[string]bool{}
	for m := range w.queue.(interface {
		Messages() iter.Seq[inq.Snapshot]
	}).Messages() {
		left[m.Body] = true
	}
	return left
}

// work is what a handler does about one message.
func (w *world) work(ctx context.Context, d *inq.Delivery) error {
	if w.chance(10) {
		time.Sleep(w.between(0, 4*time.Second)) // a while without heeding ctx
	}
	select {
	case <-time.After(w.between(0, 5*time.Second)):
	case <-ctx.Done():
		w.note(w.fail, d)
		return ctx.Err()
	}
	w.mu.Lock()
	dice := w.rand.IntN(100)
	if w.calm {
		dice = 99
	}
	w.mu.Unlock()
	switch {
	case dice < 5:
		w.note(w.fail, d)
		panic("a panic")
	case dice < 8:
		w.note(w.fail, d)
		runtime.Goexit()
	case dice < 12:
		return worker.Snooze(w.between(0, 20*time.Second))
	case dice < 16:
		w.note(func(body string) { w.buried[body] = true; w.failed[body]++ }, d)
		return worker.Bury(errBad)
	case dice < 20:
		w.note(w.fail, d)
		return worker.RetryAfter(w.between(0, 20*time.Second), errBad)
	case dice < 35:
		w.note(w.fail, d)
		return errBad
	case dice < 38: // too long for a lease that is not extended
		select {
		case <-time.After(w.between(0, time.Minute)):
		case <-ctx.Done():
			w.note(w.fail, d)
			return ctx.Err()
		}
	}
	w.note(func(body string) { w.succeeded[body] = true }, d)
	return nil
}

func (w *world) fail(body string) { w.failed[body]++ }

func (w *world) note(f func(body string), d *inq.Delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(d.Body)
}

// runner makes a runner of random settings.
func (w *world) runner() *worker.Runner {
	var q inq.Queue = network{w.queue, w}
	if w.returns {
		q = returning{network{w.queue, w}}
	}
	w.mu.Lock()
	opts := []worker.Option{
		quiet,
		worker.WithConcurrency(1 + w.rand.IntN(8)),
		worker.WithVisibility(time.Duration(2+w.rand.IntN(15)) * time.Second),
		worker.WithBackoff(worker.Exponential(time.Second, 10*time.Second)),
		worker.WithGrace(time.Duration(w.rand.IntN(6)) * time.Second),
	}
	if w.rand.IntN(3) == 0 {
		opts = append(opts, worker.WithTimeout(time.Duration(2+w.rand.IntN(10))*time.Second))
	}
	size, wait := 1+w.rand.IntN(15), time.Duration(w.rand.IntN(3))*time.Second
	w.mu.Unlock()
	var r *worker.Runner
	var err error
	if w.batch {
		r, err = worker.NewBatch(q, func(ctx context.Context, ds []inq.Delivery) error {
			w.begins(ds...)
			var failed inq.BatchError
			bad := map[string]bool{}
			for i := range ds {
				if bad[ds[i].GroupID] && w.fifo {
					continue // it fails with the one before
				}
				err := ctx.Err()
				if err == nil {
					err = w.work(ctx, &ds[i])
				}
				if err != nil {
					failed.Failed = append(failed.Failed, inq.BatchFailure{Index: i, Err: err})
					bad[ds[i].GroupID] = true
				}
			}
			return &failed
		}, size, wait, opts...)
	} else {
		r, err = worker.New(q, worker.HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
			w.begins(*d)
			return w.work(ctx, d)
		}), opts...)
	}
	require.NoError(w.t, err)
	return r
}

// live runs one runner and disturbs it for a while.
func (w *world) live() {
	r := w.runner()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	for range 1 + w.between(0, 10) {
		time.Sleep(w.between(0, 20*time.Second))
		switch {
		case w.chance(25):
			r.Pause()
		case w.chance(50):
			r.Resume()
		default:
			r.SetConcurrency(int(w.between(0, 8)))
		}
		_ = r.Stats()
	}
	r.Resume()
	time.Sleep(w.between(0, 30*time.Second))
	cancel()
	if err := <-done; err != nil {
		w.fault("Run: %v", err)
	}
	s := r.Stats()
	if sum := s.Succeeded + s.Failed + s.Snoozed + s.Buried + s.Returned + s.Lost; s.Received != sum {
		w.fault("received %d, outcomes %d: %+v", s.Received, sum, s)
	}
	if s.Running+s.Waiting+s.Stuck != 0 {
		w.fault("not at rest: %+v", s)
	}
}

// play is one whole run.
func (w *world) play() {
	w.rand = rand.New(rand.NewPCG(w.seed, 0))
	w.ends, w.gone = map[string]time.Time{}, map[string]string{}
	w.succeeded, w.buried, w.failed = map[string]bool{}, map[string]bool{}, map[string]int{}
	w.fifo, w.returns, w.batch = w.rand.IntN(2) == 0, w.rand.IntN(2) == 0, w.rand.IntN(3) == 0
	w.most = 3 + w.rand.IntN(20)

	dead := inq.WithDeadLetter(inq.DeadLetterFunc(func(context.Context, inq.DeadLetter) error { return nil }), w.most)
	jobs := map[string]bool{}
	if w.fifo {
		w.queue = fifo(w.t, dead, inq.WithObserver(w.observe))
	} else {
		w.queue = standard(w.t, dead, inq.WithObserver(w.observe))
	}
	for g := range 1 + w.rand.IntN(6) {
		for n := range w.rand.IntN(30) {
			body := fmt.Sprintf("%c/%02d", 'a'+g, n)
			send(w.t, w.queue, body)
			jobs[body] = true
		}
	}

	var all sync.WaitGroup
	for range 1 + w.rand.IntN(3) {
		all.Go(func() {
			for range 3 {
				w.live()
			}
		})
	}
	all.Wait()

	// What is left in the end is done by a runner without faults, if it is to be done at all.
	if w.rand.IntN(2) == 0 {
		w.mu.Lock()
		w.calm = true
		w.mu.Unlock()
		r := w.runner()
		stop := run(w.t, r)
		time.Sleep(30 * time.Minute)
		stop(nil)
		for body := range jobs {
			if w.gone[body] == "" {
				w.fault("%s was never done", body)
			}
		}
	}

	left := w.left()
	for body := range jobs {
		switch w.gone[body] {
		case "":
			if !left[body] {
				w.fault("%s is lost", body)
			}
		case "deleted":
			if !w.succeeded[body] {
				w.fault("%s was deleted, and no handler has succeeded", body)
			}
		case "dead":
			// A receive can count without a handler that failed: its lease was lost, or it was cut off
			// where there is no Return.
		}
		if w.gone[body] != "" && left[body] {
			w.fault("%s is %s and still in the queue", body, w.gone[body])
		}
	}
	for body := range left {
		if !jobs[body] {
			w.fault("%s came from nowhere", body)
		}
	}
	slices.Sort(w.faults)
	require.Empty(w.t, w.faults, "INQ_SEED=%d fifo=%t return=%t batch=%t jobs=%d", w.seed, w.fifo, w.returns, w.batch, len(slices.Collect(maps.Keys(jobs))))
}

// TestModel_AtLeastOnce runs the model with some seeds, with as many as INQ_SEEDS says, or with the
// one in INQ_SEED. A seed says what is drawn, not who draws first, so one that fails may have to be
// tried a few times.
func TestModel_AtLeastOnce(t *testing.T) {
	from, to := uint64(1), uint64(100)
	if s := os.Getenv("INQ_SEEDS"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		to = n
	}
	if s := os.Getenv("INQ_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		from, to = n, n
	}
	for seed := from; seed <= to; seed++ {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := &world{t: t, seed: seed}
				w.play()
			})
		})
	}
}
