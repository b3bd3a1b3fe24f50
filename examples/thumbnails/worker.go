package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"example.com/inq"
	"example.com/inq/worker"
)

const (
	// maxAttempts is how often a picture is tried before it becomes a dead letter.
	maxAttempts = 3
	// maxReceives is the bound of the queue itself, for messages that no handler ever settles. Each try to write the
	// dead-letter file is a receive too, so there is room for a disk that is full for a while.
	maxReceives = 20
	// visibility is how long a received picture stays hidden from others. The worker extends it while a picture is worked
	// on, so that it can be short: it is what everybody waits when a worker is lost.
	visibility = 3 * time.Second
)

// backoff is the wait before the next attempt: a little longer each time.
func backoff(attempt int) time.Duration { return time.Duration(attempt) * 200 * time.Millisecond }

// A maker makes thumbnails. Each message is the name of one picture.
type maker struct {
	work func(picture string) error
	note func(format string, args ...any)

	foreign atomic.Int64 // last attempts that failed for a reason that is not the picture's own
}

// newRunner makes the worker that has m make thumbnails, so many at a time.
func newRunner(queue inq.Queue, m *maker, concurrency int) (*worker.Runner, error) {
	return worker.New(queue, m,
		worker.WithConcurrency(concurrency),
		worker.WithVisibility(visibility),
		worker.WithBackoff(backoff),
		worker.WithMaxAttempts(maxAttempts),
		worker.WithLogger(slog.New(slog.DiscardHandler)), // the notes say it by the name of the picture
	)
}

// Handle makes one thumbnail. What it returns tells the worker what to do with the message.
func (m *maker) Handle(_ context.Context, d *inq.Delivery) error {
	err := m.work(d.Body)
	switch {
	case err == nil:
		return nil

	case errors.Is(err, errTooLarge), errors.Is(err, errGone):
		// No attempt will ever end differently.
		m.note("%s: %v (attempt %d, to the dead-letter file)", d.Body, err, d.ReceiveCount)
		return worker.Bury(err)

	case d.ReceiveCount >= maxAttempts:
		if !errors.Is(err, errUndecodable) {
			m.foreign.Add(1)
		}
		m.note("%s: %v (attempt %d of %d, to the dead-letter file)", d.Body, err, d.ReceiveCount, maxAttempts)
		return err

	default:
		// A file that cannot be decoded may still be on its way into the folder, and a full disk may get room again.
		m.note("%s: %v (attempt %d of %d)", d.Body, err, d.ReceiveCount, maxAttempts)
		return err
	}
}
