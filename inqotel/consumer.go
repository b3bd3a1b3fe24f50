package inqotel

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"example.com/inq"
	"example.com/inq/worker"
)

const (
	receiveCount = attribute.Key("messaging.inq.receive_count")
	groupID      = attribute.Key("messaging.inq.message.group.id")
	jobKind      = attribute.Key("messaging.inq.job.kind")
)

// Middleware traces and measures the handler of a worker that receives from q.
func (t *Telemetry) Middleware(q inq.Queue) worker.Middleware {
	c := t.consumer(q)
	return func(next worker.Handler) worker.Handler {
		return worker.HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
			attributes := d.Attributes()
			ctx, from := t.extract(ctx, attributes)
			attrs := append(c.span[:len(c.span):len(c.span)],
				semconv.MessagingMessageID(d.ID()),
				semconv.MessagingMessageBodySize(len(d.Body)),
				receiveCount.Int(d.ReceiveCount))
			if d.GroupID != "" {
				attrs = append(attrs, groupID.String(d.GroupID))
			}
			if kind := attributes["kind"].Value; kind != "" {
				attrs = append(attrs, jobKind.String(kind))
			}
			opts := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(attrs...)}
			if from.IsValid() {
				opts = append(opts, trace.WithLinks(trace.Link{SpanContext: from}))
			}
			if t.newTraces {
				opts = append(opts, trace.WithNewRoot())
			}
			began := time.Now()
			ctx, s := t.tracer.Start(ctx, c.name, opts...)
			err := error(errExited)
			defer func() { c.end(ctx, s, began, 1, err) }()
			err = next.Handle(ctx, d)
			return err
		})
	}
}

// Batch traces and measures a handler for [worker.NewBatch] that receives from q: one span for all
// its messages, linked to those that they were sent in.
func (t *Telemetry) Batch(q inq.Queue, next func(ctx context.Context, ds []inq.Delivery) error) func(ctx context.Context, ds []inq.Delivery) error {
	if next == nil {
		return nil
	}
	c := t.consumer(q)
	return func(ctx context.Context, ds []inq.Delivery) error {
		links := make([]trace.Link, 0, len(ds))
		for i := range ds {
			if _, from := t.extract(ctx, ds[i].Attributes()); from.IsValid() {
				links = append(links, trace.Link{SpanContext: from, Attributes: []attribute.KeyValue{
					semconv.MessagingMessageID(ds[i].ID()), receiveCount.Int(ds[i].ReceiveCount),
				}})
			}
		}
		attrs := append(c.span[:len(c.span):len(c.span)], semconv.MessagingBatchMessageCount(len(ds)))
		began := time.Now()
		ctx, s := t.tracer.Start(ctx, c.name,
			trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(attrs...), trace.WithLinks(links...))
		err := error(errExited)
		defer func() { c.end(ctx, s, began, len(ds), err) }()
		err = next(ctx, ds)
		return err
	}
}

// errExited is how a handler has ended that did not return.
var errExited = exited{}

type exited struct{}

func (exited) Error() string     { return "inqotel: the handler did not return" }
func (exited) ErrorType() string { return "panic" }

// consumer is what the calls of a handler have in common.
type consumer struct {
	telemetry *Telemetry
	name      string
	attrs     []attribute.KeyValue // of metrics
	span      []attribute.KeyValue
}

func (t *Telemetry) consumer(q inq.Queue) *consumer {
	name := ""
	if q != nil {
		name = q.Name()
	}
	attrs := common(t.systemOf(q), name, semconv.MessagingOperationName("process"))
	return &consumer{
		telemetry: t,
		name:      strings.TrimSpace("process " + name),
		attrs:     attrs,
		span:      append(attrs[:len(attrs):len(attrs)], semconv.MessagingOperationTypeProcess),
	}
}

// end tells how a call of a handler went.
func (c *consumer) end(ctx context.Context, s trace.Span, began time.Time, n int, err error) {
	attrs := c.attrs[:len(c.attrs):len(c.attrs)]
	c.telemetry.consumed.AddSet(ctx, int64(n), attribute.NewSet(attrs...))
	if a, ok := outcome(ctx, err); ok {
		attrs = append(attrs, a)
		if s.IsRecording() {
			text := a.Value.AsString()
			if err != nil {
				text = err.Error()
			}
			s.SetStatus(codes.Error, text)
			s.SetAttributes(a)
		}
	}
	c.telemetry.process.RecordSet(ctx, time.Since(began).Seconds(), attribute.NewSet(attrs...))
	s.End()
}

// outcome returns error.type where a handler has failed.
func outcome(ctx context.Context, err error) (a attribute.KeyValue, isError bool) {
	cause := context.Cause(ctx)
	var snoozed *worker.SnoozeError
	switch {
	case errors.Is(cause, worker.ErrLeaseLost): // the result is dropped, whatever it is
		return semconv.ErrorTypeKey.String("lease_lost"), true
	case err == nil, errors.As(err, &snoozed):
		return a, false
	case errors.Is(cause, worker.ErrTimeout):
		return semconv.ErrorTypeKey.String("timeout"), true
	case errors.Is(cause, worker.ErrShutdown):
		return semconv.ErrorTypeKey.String("shutdown"), true
	}
	return errorType(err), true
}
