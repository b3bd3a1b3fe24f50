package inqotel

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/messagingconv"
	"go.opentelemetry.io/otel/trace"

	"example.com/inq"
)

// SemanticConventions is the version of the semantic conventions that this package goes by.
const SemanticConventions = "1.43.0"

// scope names this package as what spans and metrics come from.
const scope = "example.com/inq/inqotel"

// Telemetry makes spans and measurements. Create one with [New] and use it for all queues. Its
// methods are safe for concurrent use.
type Telemetry struct {
	settings
	tracer    trace.Tracer
	meter     metric.Meter
	sent      messagingconv.ClientSentMessages
	consumed  messagingconv.ClientConsumedMessages
	operation messagingconv.ClientOperationDuration
	process   messagingconv.ProcessDuration
}

// An Option configures a [Telemetry]. A nil Option is none.
type Option func(*settings)

type settings struct {
	tracers    trace.TracerProvider
	meters     metric.MeterProvider
	propagator propagation.TextMapPropagator
	system     string
	newTraces  bool
}

// WithTracerProvider sets where spans go. Nil and the default: the global one at the time of [New].
func WithTracerProvider(p trace.TracerProvider) Option { return func(s *settings) { s.tracers = p } }

// WithMeterProvider sets where measurements go. Nil and the default: the global one at the time of
// [New].
func WithMeterProvider(p metric.MeterProvider) Option { return func(s *settings) { s.meters = p } }

// WithPropagator sets what message attributes carry. Each of its fields is one of them. Nil and the
// default: [propagation.TraceContext].
func WithPropagator(p propagation.TextMapPropagator) Option {
	return func(s *settings) { s.propagator = p }
}

// WithSystem sets messaging.system. "" and the default: "inq" for queues in this process and
// "aws_sqs" for others.
func WithSystem(name string) Option { return func(s *settings) { s.system = name } }

// WithNewTraces makes each "process" span begin a trace, which is linked to the one that the message
// was sent in: for jobs that wait so long, or are sent in such numbers, that one trace would be of
// little use.
func WithNewTraces() Option { return func(s *settings) { s.newTraces = true } }

// durations are the bounds that the conventions ask for, in seconds.
var durations = metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

// New makes a Telemetry. An error is that of a meter provider which refuses an instrument.
func New(opts ...Option) (*Telemetry, error) {
	t := &Telemetry{}
	for _, o := range opts {
		if o != nil {
			o(&t.settings)
		}
	}
	if t.tracers == nil {
		t.tracers = otel.GetTracerProvider()
	}
	if t.meters == nil {
		t.meters = otel.GetMeterProvider()
	}
	if t.propagator == nil {
		t.propagator = propagation.TraceContext{}
	}
	t.tracer = t.tracers.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))
	t.meter = t.meters.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
	var err error
	if t.sent, err = messagingconv.NewClientSentMessages(t.meter); err != nil {
		return nil, err
	}
	if t.consumed, err = messagingconv.NewClientConsumedMessages(t.meter); err != nil {
		return nil, err
	}
	if t.operation, err = messagingconv.NewClientOperationDuration(t.meter, durations); err != nil {
		return nil, err
	}
	if t.process, err = messagingconv.NewProcessDuration(t.meter, durations); err != nil {
		return nil, err
	}
	return t, nil
}

// systemOf returns messaging.system for a queue.
func (t *Telemetry) systemOf(q inq.Queue) string {
	if t.system != "" {
		return t.system
	}
	if _, ok := q.(inq.Local); ok {
		return "inq"
	}
	return string(messagingconv.SystemAWSSQS)
}

// common returns the attributes that spans and metrics of a queue share, and more after them.
func common(system, queue string, more ...attribute.KeyValue) []attribute.KeyValue {
	return append([]attribute.KeyValue{
		semconv.MessagingSystemKey.String(system),
		semconv.MessagingDestinationName(queue),
	}, more...)
}
