package inqotel_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"example.com/inq"
	"example.com/inq/inqotel"
	"example.com/inq/worker"
)

var ofQueue = map[string]any{"messaging.system": "inq", "messaging.destination.name": "jobs"}

func TestObserveQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		bin := inq.DeadLetterFunc(func(context.Context, inq.DeadLetter) error { return nil })
		q := newStandard(t, inq.WithVisibilityTimeout(10*time.Second), inq.WithDeadLetter(bin, 3))
		reg, err := l.ObserveQueue(q)
		require.NoError(t, err)
		for range 7 {
			_, err := q.Send(t.Context(), inq.Message{Body: "x"})
			require.NoError(t, err)
		}
		_, err = q.Send(t.Context(), inq.Message{Body: "x", Delay: time.Minute})
		require.NoError(t, err)
		ds, err := q.Receive(t.Context(), inq.ReceiveInput{Max: 2})
		require.NoError(t, err)
		require.NoError(t, ds[0].Bury(t.Context(), "no"))
		time.Sleep(9 * time.Second)

		require.Equal(t, []sample{
			{with(ofQueue, "inq.queue.message.state", "visible"), 5, "{message}"},
			{with(ofQueue, "inq.queue.message.state", "not_visible"), 1, "{message}"},
			{with(ofQueue, "inq.queue.message.state", "delayed"), 1, "{message}"},
		}, sorted(l.collect("inq.queue.messages"), "inq.queue.message.state", "visible", "not_visible", "delayed"))
		require.Equal(t, []sample{{ofQueue, 9, "s"}}, l.collect("inq.queue.oldest_message.age"))
		require.Equal(t, []sample{{ofQueue, 1, "{message}"}}, l.collect("inq.queue.messages.dead_lettered"))
		time.Sleep(time.Second)
		require.Equal(t, []sample{{ofQueue, 1, "{message}"}}, l.collect("inq.queue.messages.timed_out"))
		_, err = q.Receive(t.Context(), inq.ReceiveInput{})
		require.NoError(t, err)
		require.Equal(t, []sample{{ofQueue, 1, "{message}"}}, l.collect("inq.queue.messages.received_again"))
		require.Equal(t, []sample{{ofQueue, 0, "{message}"}}, l.collect("inq.queue.messages.expired"))

		require.NoError(t, reg.Unregister())
		require.Empty(t, l.collect("inq.queue.messages"))
		_, err = l.ObserveQueue(nil)
		require.ErrorIs(t, err, inq.ErrMissingParameter)
	})
}

// sorted brings time series into the order of the values of one attribute.
func sorted(all []sample, name string, values ...any) (found []sample) {
	for _, v := range values {
		for _, s := range all {
			if s.attributes[name] == v {
				found = append(found, s)
			}
		}
	}
	return found
}

// far is a queue that only counts.
type far struct {
	inq.Queue
	err error
}

func (f *far) Counts(context.Context) (inq.Counts, error) { return inq.Counts{Visible: 4}, f.err }

func TestAQueueOutsideTheProcessIsAskedForItsCounts(t *testing.T) {
	l := newLab(t)
	f := &far{Queue: newStandard(t)}
	_, err := l.ObserveQueue(f)
	require.NoError(t, err)
	all := l.collect("inq.queue.messages")
	require.Len(t, all, 3)
	require.Equal(t, sample{map[string]any{"messaging.system": "aws_sqs", "messaging.destination.name": "jobs",
		"inq.queue.message.state": "visible"}, 4, "{message}"}, all[0])
	f.err = errors.New("the line is dead")
	require.ErrorIs(t, l.reader.Collect(t.Context(), &metricdata.ResourceMetrics{}), f.err)
}

func TestObserveRunner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		bin := inq.DeadLetterFunc(func(context.Context, inq.DeadLetter) error { return nil })
		q := newStandard(t, inq.WithDeadLetter(bin, 10))
		for _, body := range []string{"good", "good", "snooze", "bury", "slow"} {
			_, err := q.Send(t.Context(), inq.Message{Body: body})
			require.NoError(t, err)
		}
		r, err := worker.New(q, worker.HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
			switch d.Body {
			case "snooze":
				return worker.Snooze(time.Hour)
			case "bury":
				return worker.Bury(errors.New("no"))
			case "slow":
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}), worker.WithConcurrency(7), worker.WithGrace(0))
		require.NoError(t, err)
		_, err = l.ObserveRunner(q, r)
		require.NoError(t, err)
		running, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		ended := make(chan error)
		go func() { ended <- r.Run(running) }()
		time.Sleep(time.Second)

		values := make(map[any]float64)
		for _, s := range l.collect("inq.worker.messages") {
			values[s.attributes["inq.worker.outcome"]] = s.value
		}
		require.Equal(t, map[any]float64{"succeeded": 2, "failed": 0, "snoozed": 1, "buried": 1, "returned": 0, "lost": 0}, values)
		require.Equal(t, []sample{{ofQueue, 7, "{handler}"}}, l.collect("inq.worker.concurrency"))
		require.Equal(t, []sample{{ofQueue, 1, "{handler}"}}, l.collect("inq.worker.running"))
		require.Equal(t, float64(r.Stats().Receives), l.collect("inq.worker.receives")[0].value)
		for _, name := range []string{"waiting", "stuck", "empty_receives", "receive_errors", "delete_errors", "extend_calls"} {
			require.Equal(t, 0.0, l.collect("inq.worker." + name)[0].value, name)
		}
		require.NoError(t, <-ended)

		_, err = l.ObserveRunner(nil, r)
		require.ErrorIs(t, err, inq.ErrMissingParameter)
		_, err = l.ObserveRunner(q, nil)
		require.ErrorIs(t, err, inq.ErrMissingParameter)
	})
}

// Prometheus reads all of it through OpenTelemetry's exporter.
func TestPrometheus(t *testing.T) {
	registry := client.NewRegistry()
	exporter, err := prometheus.New(prometheus.WithRegisterer(registry))
	require.NoError(t, err)
	telemetry, err := inqotel.New(inqotel.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))))
	require.NoError(t, err)
	q := newStandard(t)
	_, err = telemetry.ObserveQueue(q)
	require.NoError(t, err)
	_, err = telemetry.Producer(q).Send(t.Context(), inq.Message{Body: "x"})
	require.NoError(t, err)

	page := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`inq_queue_messages\{inq_queue_message_state="visible",messaging_destination_name="jobs",messaging_system="inq",.*\} 1`,
		`messaging_client_sent_messages_total\{messaging_destination_name="jobs",messaging_operation_name="send",messaging_system="inq",.*\} 1`,
		`messaging_client_operation_duration_seconds_count\{.*messaging_operation_type="send".*\} 1`,
		`inq_queue_oldest_message_age_seconds\{`,
	} {
		require.Regexp(t, line, page.Body.String())
	}
}
