package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"example.com/inq"
)

const (
	// maxReceives is how often a picture is tried before it becomes a dead letter.
	maxReceives = 3
	// visibility is how long a received picture stays hidden from the other workers. It is what everybody waits when
	// a worker is lost, so it is short, and slow pictures are kept hidden by a heartbeat.
	visibility = 3 * time.Second
	// heartbeat leaves room for two that come late.
	heartbeat = visibility / 3
	// backoff is the wait before the second attempt. Each further one waits that much longer.
	backoff = 200 * time.Millisecond
	// atOnce is how many pictures a worker receives at a time. One is in its hands and the others wait, so a large
	// number would leave other workers idle at the end.
	atOnce = 2
)

// workers are the consumers of the queue. Each message is the name of one picture.
type workers struct {
	queue *inq.Standard
	work  func(picture string) error // makes one thumbnail
	note  func(format string, args ...any)

	retries    atomic.Int64 // attempts beyond the first of a picture
	buried     atomic.Int64 // pictures that became dead letters for a reason of their own
	heartbeats atomic.Int64
}

// run has n workers make thumbnails until ctx ends. They finish what they have begun, and return what they have
// received and not begun.
func (w *workers) run(ctx context.Context, n int) error {
	var (
		all    sync.WaitGroup
		failed = make([]error, n)
	)
	for i := range n {
		all.Go(func() { failed[i] = w.receive(ctx) })
	}
	all.Wait()
	return errors.Join(failed...)
}

// receive is the life of one worker.
func (w *workers) receive(ctx context.Context) error {
	for {
		batch, err := w.queue.Receive(ctx, inq.ReceiveInput{Max: atOnce, Wait: 20 * time.Second})
		if ctx.Err() != nil && err != nil {
			return nil
		}
		if err != nil {
			return err
		}
		// The visibility timeout of a whole batch runs from the receive. Those that wait for their turn
		// need the heartbeat as much as the one that is worked on.
		release := make([]func(), len(batch))
		for i := range batch {
			release[i] = w.hold(&batch[i])
		}
		for i := range batch {
			if err := w.handle(ctx, &batch[i], release[i]); err != nil {
				w.note("%s: %v", batch[i].Body, err)
			}
		}
	}
}

// handle works on one picture and tells the queue how it went. release ends the heartbeat, always before that: a late
// heartbeat must not hide a picture that was just given back.
//
// An error is about the queue, and none of them loses the picture: it comes back when its visibility timeout is over.
func (w *workers) handle(ctx context.Context, d *inq.Delivery, release func()) error {
	stopping := ctx.Err() != nil
	// The queue refuses calls whose context has ended. Finishing has to work after Ctrl-C too.
	ctx = context.WithoutCancel(ctx)
	if stopping {
		release()
		return d.Return(ctx, 0)
	}
	if d.ReceiveCount > 1 {
		w.retries.Add(1)
	}
	failure := w.work(d.Body)
	release()

	switch {
	case failure == nil:
		return d.Delete(ctx)

	case errors.Is(failure, errTooLarge), errors.Is(failure, errGone):
		// No attempt will ever end differently, so the picture is buried at the first one.
		return w.bury(ctx, d, failure)

	case errors.Is(failure, errUndecodable) && d.ReceiveCount >= maxReceives:
		// Left alone, the queue itself would make it a dead letter at the next receive, but it knows only how often
		// the picture was received. Burying it tells the reader of the dead-letter file what is wrong with it.
		return w.bury(ctx, d, failure)

	default:
		// Try again soon. A file that cannot be decoded may still be on its way into the folder, and a full
		// disk may get room again. What keeps failing, the queue itself makes a dead letter, and it does the same
		// for a picture whose worker never comes back, which no code in a worker can do.
		w.note("%s: %v (attempt %d of %d)", d.Body, failure, d.ReceiveCount, maxReceives)
		return d.ChangeVisibility(ctx, time.Duration(d.ReceiveCount)*backoff)
	}
}

func (w *workers) bury(ctx context.Context, d *inq.Delivery, reason error) error {
	if err := d.Bury(ctx, reason.Error()); err != nil {
		return fmt.Errorf("not yet in the dead-letter file: %w", err)
	}
	w.buried.Add(1)
	w.note("%s: %v (attempt %d, now in the dead-letter file)", d.Body, reason, d.ReceiveCount)
	return nil
}

// hold keeps a picture hidden from the other workers until release is called. When release returns, no heartbeat
// is on its way any more.
func (w *workers) hold(d *inq.Delivery) (release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		beat := time.NewTicker(heartbeat)
		defer beat.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
				if d.ChangeVisibility(ctx, visibility) == nil {
					w.heartbeats.Add(1)
				}
			}
		}
	}()
	return func() {
		cancel()
		<-stopped
	}
}
