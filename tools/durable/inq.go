package main

import (
	"context"
	"errors"
	"fmt"

	"example.com/inq"
)

// journaled is a queue of inq, whose journal syncs always.
type journaled struct {
	journal *inq.Journal
	queue   *inq.Standard
}

func openInq(dir string) (queue, error) {
	j, err := inq.OpenJournal(dir)
	if err != nil {
		return nil, err
	}
	q, err := inq.NewStandard("q", inq.WithJournal(j))
	return &journaled{j, q}, err
}

func (q *journaled) send(ctx context.Context, body []byte) error {
	_, err := q.queue.Send(ctx, inq.Message{Body: string(body)})
	return err
}

func (q *journaled) lifecycle(ctx context.Context, body []byte) error {
	if err := q.send(ctx, body); err != nil {
		return err
	}
	ds, err := q.queue.Receive(ctx, inq.ReceiveInput{})
	if err != nil || len(ds) == 0 {
		return errors.Join(err, fmt.Errorf("received %d", len(ds)))
	}
	return ds[0].Delete(ctx)
}

func (q *journaled) close() error { return q.journal.Close() }
