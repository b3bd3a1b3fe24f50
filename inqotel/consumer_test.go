package inqotel_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"example.com/inq"
	"example.com/inq/inqotel"
	"example.com/inq/worker"
)

var processing = map[string]any{
	"messaging.system": "inq", "messaging.destination.name": "jobs", "messaging.operation.name": "process",
}

// handle gives one delivery to a handler through the middleware.
func handle(t *testing.T, l *lab, q inq.Queue, d *inq.Delivery, h worker.HandlerFunc) error {
	return l.Middleware(q)(h).Handle(t.Context(), d)
}

type email struct{ To string }

var sendEmail = worker.NewKind[email]("email.send")

// A job's trace, from the sender through a worker that fails once.
func TestAJobIsOneTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		q := newStandard(t)
		ctx, request := l.tracers.Tracer("test").Start(t.Context(), "request")
		sent, err := sendEmail.Send(ctx, l.Producer(q), email{"ann"}, worker.Group("tenant"))
		require.NoError(t, err)
		request.End()

		mux := worker.NewMux()
		sendEmail.Handle(mux, func(ctx context.Context, j worker.Job[email]) error {
			_, inner := l.tracers.Tracer("test").Start(ctx, fmt.Sprint("smtp ", j.Attempt()))
			defer inner.End()
			time.Sleep(3 * time.Second)
			if j.Attempt() == 1 {
				return worker.RetryAfter(time.Minute, errors.New("busy"))
			}
			return nil
		})
		r, err := worker.New(q, mux, worker.WithMiddleware(l.Middleware(q)))
		require.NoError(t, err)
		running, stop := context.WithTimeout(t.Context(), 2*time.Minute)
		defer stop()
		require.NoError(t, r.Run(running))

		send := l.span("send jobs")
		attempts := l.spans("process jobs")
		require.Len(t, attempts, 2)
		for i, s := range attempts {
			require.Equal(t, trace.SpanKindConsumer, s.SpanKind())
			require.Equal(t, request.SpanContext().TraceID(), s.SpanContext().TraceID())
			require.Equal(t, send.SpanContext().SpanID(), s.Parent().SpanID())
			require.True(t, s.Parent().IsRemote())
			require.Len(t, s.Links(), 1)
			require.Equal(t, send.SpanContext().SpanID(), s.Links()[0].SpanContext.SpanID())
			require.Equal(t, 3*time.Second, s.EndTime().Sub(s.StartTime()))
			require.Equal(t, s.SpanContext().SpanID(), l.span(fmt.Sprint("smtp ", i+1)).Parent().SpanID())
		}
		want := with(processing, "messaging.operation.type", "process", "messaging.message.id", sent.ID(),
			"messaging.message.body.size", int64(len(`{"To":"ann"}`)), "messaging.inq.receive_count", int64(1),
			"messaging.inq.message.group.id", "tenant", "messaging.inq.job.kind", "email.send")
		require.Equal(t, with(want, "error.type", "*errors.errorString"), attributes(attempts[0].Attributes()))
		require.Equal(t, codes.Error, attempts[0].Status().Code)
		require.Equal(t, "busy", attempts[0].Status().Description)
		require.Equal(t, with(want, "messaging.inq.receive_count", int64(2)), attributes(attempts[1].Attributes()))

		require.Equal(t, []sample{{processing, 2, "{message}"}}, l.collect("messaging.client.consumed.messages"))
		require.ElementsMatch(t, []sample{
			{processing, 1, "s"},
			{with(processing, "error.type", "*errors.errorString"), 1, "s"},
		}, l.collect("messaging.process.duration"))
	})
}

func TestMessagesWithoutAContext(t *testing.T) {
	l := newLab(t)
	q := newStandard(t)
	for _, value := range []string{"", "nonsense", "00-00000000000000000000000000000000-0000000000000000-01"} {
		m := inq.Message{Body: "x"}
		if value != "" {
			m.Attributes = map[string]inq.Attribute{"traceparent": inq.String(value)}
		}
		_, err := q.Send(t.Context(), m)
		require.NoError(t, err)
		d := receive(t, q, 1)[0]
		require.NoError(t, handle(t, l, q, &d, func(context.Context, *inq.Delivery) error { return nil }))
	}
	for _, s := range l.spans("process jobs") {
		require.Empty(t, s.Links())
		require.False(t, s.Parent().IsValid())
	}
	require.Len(t, l.spans("process jobs"), 3)
}

func TestWithNewTracesAMessageIsLinkedOnly(t *testing.T) {
	l := newLab(t, inqotel.WithNewTraces())
	q := newStandard(t)
	_, err := l.Producer(q).Send(t.Context(), inq.Message{Body: "x"})
	require.NoError(t, err)
	d := receive(t, q, 1)[0]
	require.NoError(t, handle(t, l, q, &d, func(context.Context, *inq.Delivery) error { return nil }))
	s := l.span("process jobs")
	require.False(t, s.Parent().IsValid())
	require.Len(t, s.Links(), 1)
	require.Equal(t, l.span("send jobs").SpanContext().SpanID(), s.Links()[0].SpanContext.SpanID())
}

type typed struct{}

func (typed) Error() string     { return "typed" }
func (typed) ErrorType() string { return "http_503" }

func TestErrorTypes(t *testing.T) {
	cancelled := func(cause error) context.Context {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(cause)
		return ctx
	}
	plain := context.Background()
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want any
	}{
		{plain, nil, nil},
		{plain, fmt.Errorf("later: %w", worker.Snooze(time.Minute)), nil},
		{plain, errors.New("x"), "*errors.errorString"},
		{plain, worker.Bury(typed{}), "http_503"},
		{plain, worker.RetryAfter(time.Second, fmt.Errorf("y: %w", typed{})), "http_503"},
		{plain, &worker.PanicError{Value: context.Canceled}, "panic"},
		{plain, worker.Bury(inq.ErrThrottled), "throttled"},
		{plain, &worker.BuryError{}, "*worker.BuryError"},
		{plain, fmt.Errorf("z: %w", context.Canceled), "canceled"},
		{cancelled(worker.ErrLeaseLost), nil, "lease_lost"},
		{cancelled(worker.ErrLeaseLost), context.Canceled, "lease_lost"},
		{cancelled(worker.ErrTimeout), nil, nil},
		{cancelled(worker.ErrTimeout), context.Canceled, "timeout"},
		{cancelled(worker.ErrShutdown), context.Canceled, "shutdown"},
		{cancelled(worker.ErrShutdown), nil, nil},
	} {
		l := newLab(t)
		h := l.Middleware(newStandard(t))(worker.HandlerFunc(func(context.Context, *inq.Delivery) error { return c.err }))
		err := h.Handle(c.ctx, &inq.Delivery{})
		require.Equal(t, c.err, err)
		s := l.span("process jobs")
		require.Equal(t, c.want, attributes(s.Attributes())["error.type"], "%v, %v", c.err, context.Cause(c.ctx))
		require.Equal(t, c.want != nil, s.Status().Code == codes.Error)
		require.Equal(t, c.want, l.collect("messaging.process.duration")[0].attributes["error.type"])
	}
}

func TestAHandlerThatDoesNotReturnHasASpan(t *testing.T) {
	l := newLab(t)
	q := newStandard(t)
	for _, end := range []func(){func() { panic("x") }, runtime.Goexit} {
		h := l.Middleware(q)(worker.HandlerFunc(func(context.Context, *inq.Delivery) error { end(); return nil }))
		b := l.Batch(q, func(context.Context, []inq.Delivery) error { end(); return nil })
		for _, call := range []func(){
			func() { _ = h.Handle(context.Background(), &inq.Delivery{}) },
			func() { _ = b(context.Background(), nil) },
		} {
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { _ = recover() }()
				call()
			}()
			<-done
		}
	}
	for _, s := range l.spans("process jobs") {
		require.Equal(t, "panic", attributes(s.Attributes())["error.type"])
	}
	require.Len(t, l.spans("process jobs"), 4)
}

func TestABatchIsOneSpanLinkedToAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		q := newStandard(t)
		_, err := l.Producer(q).SendBatch(t.Context(), []inq.Message{{Body: "a"}, {Body: "b"}})
		require.NoError(t, err)
		_, err = q.Send(t.Context(), inq.Message{Body: "from elsewhere"})
		require.NoError(t, err)
		r, err := worker.NewBatch(q, l.Batch(q, func(ctx context.Context, ds []inq.Delivery) error {
			require.True(t, trace.SpanFromContext(ctx).IsRecording())
			return nil
		}), 10, 0)
		require.NoError(t, err)
		running, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		require.NoError(t, r.Run(running))

		created := l.spans("create jobs")
		s := l.span("process jobs")
		require.Equal(t, with(processing, "messaging.operation.type", "process", "messaging.batch.message_count", int64(3)), attributes(s.Attributes()))
		require.Len(t, s.Links(), 2)
		for i, link := range s.Links() {
			require.Equal(t, created[i].SpanContext().SpanID(), link.SpanContext.SpanID())
			require.Equal(t, int64(1), attributes(link.Attributes)["messaging.inq.receive_count"])
		}
		require.Equal(t, []sample{{processing, 3, "{message}"}}, l.collect("messaging.client.consumed.messages"))
		require.Nil(t, l.Batch(q, nil))
	})
}
