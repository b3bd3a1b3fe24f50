package inqotel_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"example.com/inq"
	"example.com/inq/inqotel"
)

var sending = map[string]any{
	"messaging.system": "inq", "messaging.destination.name": "jobs", "messaging.operation.name": "send",
}

func TestSendIsASpanWhoseContextTheMessageCarries(t *testing.T) {
	l := newLab(t)
	q := newStandard(t)
	given := map[string]inq.Attribute{"kind": inq.String("email")}
	ctx, parent := l.tracers.Tracer("test").Start(t.Context(), "request")
	sent, err := l.Producer(q).Send(ctx, inq.Message{Body: "hello", Attributes: given})
	require.NoError(t, err)
	parent.End()

	s := l.span("send jobs")
	require.Equal(t, trace.SpanKindProducer, s.SpanKind())
	require.Equal(t, parent.SpanContext().SpanID(), s.Parent().SpanID())
	require.Equal(t, with(sending, "messaging.operation.type", "send",
		"messaging.message.id", sent.ID(), "messaging.message.body.size", int64(5)), attributes(s.Attributes()))
	require.Equal(t, codes.Unset, s.Status().Code)

	d := receive(t, q, 1)[0]
	require.Equal(t, map[string]inq.Attribute{"kind": inq.String("email"), "traceparent": inq.String(traceparent(s.SpanContext()))}, d.Attributes())
	require.Len(t, given, 1, "the sender's own map stays as it was")

	require.Equal(t, []sample{{sending, 1, "{message}"}}, l.collect("messaging.client.sent.messages"))
	require.Equal(t, []sample{{with(sending, "messaging.operation.type", "send"), 1, "s"}}, l.collect("messaging.client.operation.duration"))
}

func TestASendThatFailsIsTold(t *testing.T) {
	l := newLab(t)
	q := newStandard(t)
	require.NoError(t, q.Close())
	_, err := l.Producer(q).Send(t.Context(), inq.Message{Body: "x"})
	require.ErrorIs(t, err, inq.ErrClosed)
	s := l.span("send jobs")
	require.Equal(t, codes.Error, s.Status().Code)
	require.Equal(t, "closed", attributes(s.Attributes())["error.type"])
	require.Equal(t, []sample{{with(sending, "error.type", "closed"), 1, "{message}"}}, l.collect("messaging.client.sent.messages"))

	var none context.Context
	_, err = l.Producer(q).Send(none, inq.Message{Body: "x"})
	require.ErrorIs(t, err, inq.ErrMissingParameter)
	_, err = l.Producer(q).SendBatch(none, []inq.Message{{Body: "x"}})
	require.ErrorIs(t, err, inq.ErrMissingParameter)
	require.Nil(t, l.Producer(nil))
}

func TestEachMessageOfABatchHasASpanOfItsOwn(t *testing.T) {
	l := newLab(t, inqotel.WithSystem("aws_sqs"))
	q := newStandard(t)
	_, err := l.Producer(q).SendBatch(t.Context(), []inq.Message{{Body: "a"}, {Body: ""}, {Body: "ccc"}})
	var batch *inq.BatchError
	require.ErrorAs(t, err, &batch)
	require.Len(t, batch.Failed, 1)
	require.Equal(t, 1, batch.Failed[0].Index)

	base := with(sending, "messaging.system", "aws_sqs")
	created := l.spans("create jobs")
	require.Len(t, created, 3)
	require.Equal(t, with(base, "messaging.operation.name", "create", "messaging.operation.type", "create",
		"messaging.message.body.size", int64(3)), attributes(created[2].Attributes()))
	s := l.span("send jobs")
	require.Equal(t, trace.SpanKindClient, s.SpanKind())
	require.Equal(t, with(base, "messaging.operation.type", "send", "messaging.batch.message_count", int64(3),
		"error.type", "missing_parameter"), attributes(s.Attributes()))
	require.Len(t, s.Links(), 3)
	for i, c := range created {
		require.Equal(t, trace.SpanKindProducer, c.SpanKind())
		require.Equal(t, c.SpanContext().SpanID(), s.Links()[i].SpanContext.SpanID())
	}
	ds := receive(t, q, 2)
	require.Equal(t, traceparent(created[0].SpanContext()), ds[0].Attributes()["traceparent"].Value)
	require.Equal(t, traceparent(created[2].SpanContext()), ds[1].Attributes()["traceparent"].Value)
	require.Equal(t, []sample{
		{base, 2, "{message}"},
		{with(base, "error.type", "missing_parameter"), 1, "{message}"},
	}, l.collect("messaging.client.sent.messages"))
}

func TestAContextThatTheSenderHasChosenStays(t *testing.T) {
	l := newLab(t)
	q := newStandard(t)
	const own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	m := inq.Message{Body: "x", Attributes: map[string]inq.Attribute{"traceparent": inq.String(own)}}
	_, err := l.Producer(q).Send(t.Context(), m)
	require.NoError(t, err)
	_, err = l.Producer(q).SendBatch(t.Context(), []inq.Message{m})
	require.NoError(t, err)
	require.Empty(t, l.spans("create jobs"))
	for _, s := range l.spans("send jobs") {
		require.Len(t, s.Links(), 1)
		require.Equal(t, own, traceparent(s.Links()[0].SpanContext))
	}
	for _, d := range receive(t, q, 2) {
		require.Equal(t, m.Attributes, d.Attributes())
	}
}

func TestWhatAMessageCarriesIsThePropagatorsToSay(t *testing.T) {
	l := newLab(t, inqotel.WithPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})))
	q := newStandard(t)
	member, err := baggage.NewMember("customer", "ann")
	require.NoError(t, err)
	bag, err := baggage.New(member)
	require.NoError(t, err)
	_, err = l.Producer(q).Send(baggage.ContextWithBaggage(t.Context(), bag), inq.Message{Body: "x"})
	require.NoError(t, err)
	d := receive(t, q, 1)[0]
	require.Equal(t, "customer=ann", d.Attributes()["baggage"].Value)
	require.Contains(t, d.Attributes(), "traceparent")
	err = handle(t, l, q, &d, func(ctx context.Context, _ *inq.Delivery) error {
		require.Equal(t, "ann", baggage.FromContext(ctx).Member("customer").Value())
		return nil
	})
	require.NoError(t, err)
}

// Telling about messages keeps none from being sent.
func TestMessagesWithoutRoomForAContextAreSentWithout(t *testing.T) {
	q := newStandard(t, inq.WithMaxMessageSize(1024))
	full := make(map[string]inq.Attribute)
	for _, name := range strings.Split("abcdefghij", "") {
		full[name] = inq.String("x")
	}
	large := strings.Repeat("x", 1000)
	l := newLab(t)
	p := l.Producer(q)
	for _, m := range []inq.Message{{Body: "x", Attributes: full}, {Body: large}} {
		_, err := p.Send(t.Context(), m)
		require.NoError(t, err)
		require.Equal(t, m.Attributes, receive(t, q, 1)[0].Attributes())
	}
	sent, err := p.SendBatch(t.Context(), []inq.Message{{Body: "small"}, {Body: large}, {Body: ""}, {Body: large + large}, {Body: large}})
	var batch *inq.BatchError
	require.ErrorAs(t, err, &batch)
	require.Equal(t, 2, len(batch.Failed), err)
	require.Equal(t, 2, batch.Failed[0].Index)
	require.ErrorIs(t, batch.Failed[0].Err, inq.ErrMissingParameter)
	require.Equal(t, 3, batch.Failed[1].Index)
	require.ErrorIs(t, batch.Failed[1].Err, inq.ErrInvalidParameter)
	ds := receive(t, q, 3)
	require.Equal(t, []string{sent[0].ID(), sent[1].ID(), sent[4].ID()}, []string{ds[0].ID(), ds[1].ID(), ds[2].ID()})
	require.Len(t, ds[0].Attributes(), 1)
	require.Nil(t, ds[1].Attributes())

	// As one batch they are too long with their contexts.
	wide := newStandard(t)
	sent, err = l.Producer(wide).SendBatch(t.Context(), []inq.Message{{Body: strings.Repeat("x", 1<<20-10)}, {Body: strings.Repeat("x", 10)}})
	require.NoError(t, err)
	require.Len(t, sent, 2)
}

// flaky refuses what has attributes, and fails the second batch as a whole.
type flaky struct {
	inq.Queue
	batches int
}

func (f *flaky) SendBatch(ctx context.Context, ms []inq.Message) ([]inq.Sent, error) {
	if f.batches++; f.batches == 2 {
		return nil, errors.New("the line is dead")
	}
	var failed []inq.BatchFailure
	for i, m := range ms {
		if m.Attributes != nil {
			failed = append(failed, inq.BatchFailure{Index: i, Err: inq.ErrInvalidParameter})
		}
	}
	return make([]inq.Sent, len(ms)), &inq.BatchError{Failed: failed}
}

func TestASecondSendThatFailsIsTheErrorOfItsMessages(t *testing.T) {
	l := newLab(t)
	f := &flaky{Queue: newStandard(t)}
	_, err := l.Producer(f).SendBatch(t.Context(), []inq.Message{{Body: "a"}, {Body: "b"}})
	var batch *inq.BatchError
	require.ErrorAs(t, err, &batch)
	require.Len(t, batch.Failed, 2)
	require.EqualError(t, batch.Failed[1].Err, "the line is dead")
	base := with(sending, "messaging.system", "aws_sqs", "error.type", "*errors.errorString")
	require.Equal(t, []sample{{base, 2, "{message}"}}, l.collect("messaging.client.sent.messages"))
}
