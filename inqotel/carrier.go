package inqotel

import (
	"context"
	"maps"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"example.com/inq"
)

// maxAttributes is how many a message can have (SQS: MSG-5).
const maxAttributes = 10

// received reads a context from the attributes of a message.
type received map[string]inq.Attribute

var _ propagation.TextMapCarrier = received(nil)

func (r received) Get(key string) string { return r[key].Value }
func (r received) Set(string, string)    {}
func (r received) Keys() []string {
	keys := make([]string, 0, len(r))
	for k := range r {
		keys = append(keys, k)
	}
	return keys
}

// inject returns m with the context in its attributes, as far as there is room, and whether anything
// was added. m and its map stay as they are.
func (t *Telemetry) inject(ctx context.Context, m inq.Message) (inq.Message, bool) {
	fields := propagation.MapCarrier{}
	t.propagator.Inject(ctx, fields)
	var with map[string]inq.Attribute
	for _, name := range t.propagator.Fields() {
		value := fields[name]
		if _, given := m.Attributes[name]; given {
			return m, false // a context that the sender has chosen
		}
		if value == "" || len(m.Attributes)+len(with) >= maxAttributes {
			continue
		}
		if with == nil {
			with = make(map[string]inq.Attribute)
		}
		with[name] = inq.String(value)
	}
	if with == nil {
		return m, false
	}
	maps.Copy(with, m.Attributes)
	m.Attributes = with
	return m, true
}

// extract returns ctx with what the attributes of a message carry, and the span that they name; it
// may be none.
func (t *Telemetry) extract(ctx context.Context, attributes map[string]inq.Attribute) (context.Context, trace.SpanContext) {
	if len(attributes) == 0 {
		return ctx, trace.SpanContext{}
	}
	before := trace.SpanContextFromContext(ctx)
	ctx = t.propagator.Extract(ctx, received(attributes))
	carried := trace.SpanContextFromContext(ctx)
	if !carried.IsValid() || carried.Equal(before) {
		return ctx, trace.SpanContext{}
	}
	return ctx, carried
}
