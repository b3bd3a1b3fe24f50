package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"example.com/inq"
	"example.com/inq/worker"
)

const (
	queueName   = "jobs"
	concurrency = 4
	handling    = 40 * time.Millisecond // how long a job takes

	// What the service says on its standard output.
	firstLine = "found %d, sent %d"
	doneLine  = "done: "
)

// serve is the service: all that a program needs to keep its jobs is the journal.
func serve(ctx context.Context, stdin io.Reader, stdout io.Writer, dir string, jobs int) (err error) {
	// Nobody but this process receives. What the last one had in its hands is free at once.
	journal, err := inq.OpenJournal(dir, inq.WithReleaseOnOpen())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	first := len(journal.Queues()) == 0
	queue, err := inq.NewStandard(queueName, inq.WithJournal(journal))
	if err != nil {
		return err
	}
	found, sent := queue.Stats().Visible, 0
	if first {
		if sent, err = send(ctx, queue, jobs); err != nil {
			return err
		}
	}
	fmt.Fprintf(stdout, firstLine+"\n", found, sent)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // whoever has started the service ends it by the end of its input
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	var mu sync.Mutex // keeps lines whole
	w, err := worker.New(queue, worker.HandlerFunc(func(_ context.Context, d *inq.Delivery) error {
		time.Sleep(handling) // what a real job does
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(stdout, doneLine+"%s\n", d.Body)
		return nil
	}), worker.WithConcurrency(concurrency))
	if err != nil {
		return err
	}
	return w.Run(ctx)
}

// send sends the jobs. When it returns, they are on the disk.
func send(ctx context.Context, queue inq.Queue, jobs int) (sent int, err error) {
	for sent < jobs {
		batch := make([]inq.Message, min(10, jobs-sent))
		for i := range batch {
			batch[i].Body = fmt.Sprintf("job %d", sent+i+1)
		}
		if _, err := queue.SendBatch(ctx, batch); err != nil {
			return sent, err
		}
		sent += len(batch)
	}
	return sent, nil
}
