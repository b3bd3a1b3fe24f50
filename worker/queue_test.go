package worker_test

import (
	"context"

	"example.com/inq"
)

// hooked is a queue of which a test takes over some calls. It has Return and Bury.
type hooked struct {
	*inq.Standard
	receive func(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error)
	change  func(ctx context.Context, changes []inq.VisibilityChange) error
	delete  func(ctx context.Context, handles []string) error
}

func (q *hooked) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	if q.receive != nil {
		return q.receive(ctx, in)
	}
	return q.Standard.Receive(ctx, in)
}

func (q *hooked) ChangeVisibilityBatch(ctx context.Context, changes []inq.VisibilityChange) error {
	if q.change != nil {
		return q.change(ctx, changes)
	}
	return q.Standard.ChangeVisibilityBatch(ctx, changes)
}

func (q *hooked) DeleteBatch(ctx context.Context, handles []string) error {
	if q.delete != nil {
		return q.delete(ctx, handles)
	}
	return q.Standard.DeleteBatch(ctx, handles)
}

// bare is a queue with nothing beyond the interface, as one on Amazon SQS.
type bare struct{ inq.Queue }

func (q bare) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	ds, err := q.Queue.Receive(ctx, in)
	for i := range ds {
		ds[i].Rebind(q)
	}
	return ds, err
}
