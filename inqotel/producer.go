package inqotel

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"example.com/inq"
)

// Producer returns q with sends that are traced and measured. All else goes to q as it is; to
// receive, or to run a worker, use q itself, whose further methods the one returned does not have. Of
// a nil q it is nil.
func (t *Telemetry) Producer(q inq.Queue) inq.Queue {
	if q == nil {
		return nil
	}
	return &producer{Queue: q, telemetry: t, system: t.systemOf(q)}
}

type producer struct {
	inq.Queue
	telemetry *Telemetry
	system    string
}

// Send sends one message, which carries the context of the span of this call.
func (p *producer) Send(ctx context.Context, m inq.Message) (inq.Sent, error) {
	if ctx == nil {
		return p.Queue.Send(ctx, m)
	}
	t := p.telemetry
	began := time.Now()
	attrs := common(p.system, p.Name(), semconv.MessagingOperationName("send"))
	span := append(attrs, semconv.MessagingOperationTypeSend, semconv.MessagingMessageBodySize(len(m.Body)))
	var links []trace.Link
	if _, own := t.extract(ctx, m.Attributes); own.IsValid() {
		links = append(links, trace.Link{SpanContext: own})
	}
	ctx, s := t.tracer.Start(ctx, "send "+p.Name(),
		trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(span...), trace.WithLinks(links...))
	defer s.End()

	with, added := t.inject(ctx, m)
	sent, err := p.Queue.Send(ctx, with)
	if added && refused(err) {
		sent, err = p.Queue.Send(ctx, m)
	}
	if err == nil && s.IsRecording() {
		s.SetAttributes(semconv.MessagingMessageID(sent.ID()))
	}
	attrs = append(attrs, failed(s, err)...)
	p.measure(ctx, began, attrs, 1)
	return sent, err
}

// SendBatch sends several messages, each of which carries the context of a span of its own.
func (p *producer) SendBatch(ctx context.Context, ms []inq.Message) ([]inq.Sent, error) {
	if ctx == nil {
		return p.Queue.SendBatch(ctx, ms)
	}
	t := p.telemetry
	began := time.Now()
	with := make([]inq.Message, len(ms))
	added := make([]bool, len(ms))
	created := make([]trace.Span, 0, len(ms))
	links := make([]trace.Link, 0, len(ms))
	for i, m := range ms {
		if _, own := t.extract(ctx, m.Attributes); own.IsValid() {
			links = append(links, trace.Link{SpanContext: own})
			with[i] = m
			continue
		}
		attrs := common(p.system, p.Name(), semconv.MessagingOperationName("create"),
			semconv.MessagingOperationTypeCreate, semconv.MessagingMessageBodySize(len(m.Body)))
		creating, s := t.tracer.Start(ctx, "create "+p.Name(), trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(attrs...))
		with[i], added[i] = t.inject(creating, m)
		created = append(created, s)
		links = append(links, trace.Link{SpanContext: s.SpanContext()})
	}
	for _, s := range created {
		s.End()
	}
	attrs := common(p.system, p.Name(), semconv.MessagingOperationName("send"))
	span := append(attrs, semconv.MessagingOperationTypeSend, semconv.MessagingBatchMessageCount(len(ms)))
	ctx, s := t.tracer.Start(ctx, "send "+p.Name(),
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(span...), trace.WithLinks(links...))
	defer s.End()

	sent, err := p.Queue.SendBatch(ctx, with)
	if refused(err) {
		sent, err = p.sendPlain(ctx, ms, added, sent, err)
	}
	p.measureBatch(ctx, s, began, attrs, len(ms), err)
	return sent, err
}

// sendPlain sends those messages of a batch again, without a context, that the queue has refused with
// one.
func (p *producer) sendPlain(ctx context.Context, ms []inq.Message, added []bool, sent []inq.Sent, err error) ([]inq.Sent, error) {
	var batch *inq.BatchError
	if !errors.As(err, &batch) {
		return p.Queue.SendBatch(ctx, ms) // nothing of it was done
	}
	var again []inq.Message
	var which []int
	var left []inq.BatchFailure
	for _, f := range batch.Failed {
		if i := f.Index; i >= 0 && i < len(ms) && added[i] && refused(f.Err) {
			again, which = append(again, ms[i]), append(which, i)
		} else {
			left = append(left, f)
		}
	}
	if len(again) == 0 || len(sent) != len(ms) {
		return sent, err
	}
	second, err := p.Queue.SendBatch(ctx, again)
	var some *inq.BatchError
	switch {
	case errors.As(err, &some):
		for _, f := range some.Failed {
			if f.Index >= 0 && f.Index < len(which) {
				left = append(left, inq.BatchFailure{Index: which[f.Index], Err: f.Err})
			}
		}
	case err != nil:
		for _, i := range which {
			left = append(left, inq.BatchFailure{Index: i, Err: err})
		}
	}
	for j, i := range which[:min(len(which), len(second))] {
		sent[i] = second[j]
	}
	if len(left) == 0 {
		return sent, nil
	}
	slices.SortFunc(left, func(a, b inq.BatchFailure) int { return a.Index - b.Index })
	return sent, &inq.BatchError{Failed: left}
}

// measureBatch measures a batch: its messages one by one, the call once.
func (p *producer) measureBatch(ctx context.Context, s trace.Span, began time.Time, attrs []attribute.KeyValue, n int, err error) {
	var batch *inq.BatchError
	whole := failed(s, err)
	if errors.As(err, &batch) {
		for _, f := range batch.Failed {
			p.telemetry.sent.AddSet(ctx, 1, attribute.NewSet(append(attrs[:len(attrs):len(attrs)], errorType(f.Err))...))
		}
		if n -= len(batch.Failed); n > 0 {
			p.telemetry.sent.AddSet(ctx, int64(n), attribute.NewSet(attrs...))
		}
		n = 0
	}
	p.measure(ctx, began, append(attrs, whole...), n)
}

func (p *producer) measure(ctx context.Context, began time.Time, attrs []attribute.KeyValue, n int) {
	if n > 0 {
		p.telemetry.sent.AddSet(ctx, int64(n), attribute.NewSet(attrs...))
	}
	attrs = append(attrs, semconv.MessagingOperationTypeSend)
	p.telemetry.operation.RecordSet(ctx, time.Since(began).Seconds(), attribute.NewSet(attrs...))
}

// refused reports whether an error may be due to the attributes that were added.
func refused(err error) bool {
	return errors.Is(err, inq.ErrInvalidParameter) || errors.Is(err, inq.ErrBatchTooLong)
}

// failed tells a span of an error, and returns the attribute that does so elsewhere.
func failed(s trace.Span, err error) []attribute.KeyValue {
	if err == nil {
		return nil
	}
	a := errorType(err)
	if s.IsRecording() {
		s.SetStatus(codes.Error, err.Error())
		s.SetAttributes(a)
	}
	return []attribute.KeyValue{a}
}
