package inqotel_test

import (
	"cmp"
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"example.com/inq"
	"example.com/inq/inqotel"
)

// lab is a Telemetry whose spans and metrics stay in memory.
type lab struct {
	*inqotel.Telemetry
	t       *testing.T
	tracers *sdktrace.TracerProvider
	ended   *tracetest.SpanRecorder
	reader  *sdkmetric.ManualReader
}

func newLab(t *testing.T, opts ...inqotel.Option) *lab {
	l := &lab{t: t, ended: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader()}
	l.tracers = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(l.ended))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(l.reader))
	var err error
	l.Telemetry, err = inqotel.New(append([]inqotel.Option{inqotel.WithTracerProvider(l.tracers), inqotel.WithMeterProvider(meters), nil}, opts...)...)
	require.NoError(t, err)
	return l
}

// spans returns the spans of this name that have ended, in the order of their beginning.
func (l *lab) spans(name string) (found []sdktrace.ReadOnlySpan) {
	for _, s := range l.ended.Ended() {
		if s.Name() != name {
			continue
		}
		found = append(found, s)
		if from := s.InstrumentationScope(); from.Name != "test" {
			require.Equal(l.t, "example.com/inq/inqotel", from.Name)
			require.Contains(l.t, from.SchemaURL, inqotel.SemanticConventions)
		}
	}
	slices.SortStableFunc(found, func(a, b sdktrace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
	return found
}

// span returns the only span of this name.
func (l *lab) span(name string) sdktrace.ReadOnlySpan {
	found := l.spans(name)
	require.Len(l.t, found, 1, name)
	return found[0]
}

// attributes returns the attributes of a span as a map.
func attributes(kvs []attribute.KeyValue) map[string]any {
	m := make(map[string]any)
	for _, kv := range kvs {
		m[string(kv.Key)] = kv.Value.AsInterface()
	}
	return m
}

// sample is one time series: its attributes, what was counted, and how often it was measured.
type sample struct {
	attributes map[string]any
	value      float64
	unit       string
}

// collect returns the time series of a metric, those with the most first.
func (l *lab) collect(name string) (all []sample) {
	var data metricdata.ResourceMetrics
	require.NoError(l.t, l.reader.Collect(context.Background(), &data))
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != name {
				continue
			}
			add := func(set attribute.Set, v float64) {
				all = append(all, sample{attributes(set.ToSlice()), v, m.Unit})
			}
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				require.True(l.t, d.IsMonotonic)
				for _, p := range d.DataPoints {
					add(p.Attributes, float64(p.Value))
				}
			case metricdata.Gauge[int64]:
				for _, p := range d.DataPoints {
					add(p.Attributes, float64(p.Value))
				}
			case metricdata.Gauge[float64]:
				for _, p := range d.DataPoints {
					add(p.Attributes, p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					require.Equal(l.t, []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}, p.Bounds)
					add(p.Attributes, float64(p.Count))
				}
			default:
				l.t.Fatalf("%s is a %T", name, d)
			}
		}
	}
	slices.SortFunc(all, func(a, b sample) int { return cmp.Compare(b.value, a.value) })
	return all
}

func newStandard(t *testing.T, opts ...inq.StandardOption) *inq.Standard {
	q, err := inq.NewStandard("jobs", opts...)
	require.NoError(t, err)
	t.Cleanup(func() { q.Close() })
	return q
}

func receive(t *testing.T, q inq.Queue, n int) []inq.Delivery {
	ds, err := q.Receive(t.Context(), inq.ReceiveInput{Max: 10})
	require.NoError(t, err)
	require.Len(t, ds, n)
	return ds
}

// with returns attributes and more in one map.
func with(base map[string]any, more ...any) map[string]any {
	m := make(map[string]any)
	for k, v := range base {
		m[k] = v
	}
	for i := 0; i < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	return m
}

func traceparent(s trace.SpanContext) string {
	return "00-" + s.TraceID().String() + "-" + s.SpanID().String() + "-" + s.TraceFlags().String()
}
