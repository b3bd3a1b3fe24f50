package inqotel_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"example.com/inq"
	"example.com/inq/inqotel"
	"example.com/inq/worker"
)

// A job's spans, from the send to the handler, in one trace.
func Example() {
	spans := tracetest.NewInMemoryExporter() // a program sends them to a collector
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	telemetry, err := inqotel.New(inqotel.WithTracerProvider(tracers))
	if err != nil {
		log.Fatal(err)
	}
	jobs, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()
	ctx, stop := context.WithCancel(context.Background())
	resize := worker.NewKind[string]("resize")
	if _, err := resize.Send(ctx, telemetry.Producer(jobs), "cat.png"); err != nil {
		log.Fatal(err)
	}

	mux := worker.NewMux()
	resize.Handle(mux, func(context.Context, worker.Job[string]) error {
		defer stop()
		return nil
	})
	r, err := worker.New(jobs, mux, worker.WithMiddleware(telemetry.Middleware(jobs)))
	if err != nil {
		log.Fatal(err)
	}
	if err := r.Run(ctx); err != nil {
		log.Fatal(err)
	}

	sent, processed := spans.GetSpans()[0], spans.GetSpans()[1]
	fmt.Println(sent.Name)
	fmt.Println(processed.Name, processed.SpanContext.TraceID() == sent.SpanContext.TraceID())
	// Output:
	// send jobs
	// process jobs true
}

// Prometheus reads the metrics through OpenTelemetry's exporter.
func ExampleTelemetry_ObserveQueue() {
	registry := client.NewRegistry()
	exporter, err := prometheus.New(prometheus.WithRegisterer(registry))
	if err != nil {
		log.Fatal(err)
	}
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))
	telemetry, err := inqotel.New(inqotel.WithMeterProvider(meters))
	if err != nil {
		log.Fatal(err)
	}
	jobs, err := inq.NewStandard("jobs")
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()
	if _, err := telemetry.ObserveQueue(jobs); err != nil {
		log.Fatal(err)
	}
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
}
