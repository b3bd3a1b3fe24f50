package inqotel

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"example.com/inq"
	"example.com/inq/worker"
)

// observables collects instruments that are read together.
type observables struct {
	meter metric.Meter
	all   []metric.Observable
	err   error
}

func (o *observables) gauge(name, unit, about string) metric.Int64ObservableGauge {
	g, err := o.meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(about))
	return keep(o, g, err)
}

func (o *observables) counter(name, unit, about string) metric.Int64ObservableCounter {
	c, err := o.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(about))
	return keep(o, c, err)
}

func (o *observables) seconds(name, about string) metric.Float64ObservableGauge {
	g, err := o.meter.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(about))
	return keep(o, g, err)
}

func keep[T metric.Observable](o *observables, i T, err error) T {
	if err != nil && o.err == nil {
		o.err = err
	}
	o.all = append(o.all, i)
	return i
}

func (o *observables) register(f metric.Callback) (metric.Registration, error) {
	if o.err != nil {
		return nil, o.err
	}
	return o.meter.RegisterCallback(f, o.all...)
}

const (
	queueState    = attribute.Key("inq.queue.message.state")
	workerOutcome = attribute.Key("inq.worker.outcome")
)

// missing is the error for a parameter that is nil.
func missing(param string) error {
	return &inq.ParamError{Err: inq.ErrMissingParameter, Param: param, Reason: "must not be nil"}
}

// ObserveQueue has the numbers of a queue read at each collection of metrics, until the registration
// that it returns is unregistered:
//
//   - inq.queue.messages, by inq.queue.message.state: visible, not_visible, delayed
//   - inq.queue.oldest_message.age, in seconds
//   - inq.queue.messages.timed_out, received_again, dead_lettered, expired, deduplicated
//
// A queue outside this process tells the first only, and is asked for it by a call each time. A nil
// q is refused with [inq.ErrMissingParameter].
func (t *Telemetry) ObserveQueue(q inq.Queue) (metric.Registration, error) {
	if q == nil {
		return nil, missing("q")
	}
	o := &observables{meter: t.meter}
	messages := o.gauge("inq.queue.messages", "{message}", "Messages in the queue.")
	attrs := common(t.systemOf(q), q.Name())
	in := metric.WithAttributeSet(attribute.NewSet(attrs...))
	state := func(name string) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(append(attrs[:len(attrs):len(attrs)], queueState.String(name))...))
	}
	visible, notVisible, delayed := state("visible"), state("not_visible"), state("delayed")
	observe := func(to metric.Observer, c inq.Counts) {
		to.ObserveInt64(messages, int64(c.Visible), visible)
		to.ObserveInt64(messages, int64(c.NotVisible), notVisible)
		to.ObserveInt64(messages, int64(c.Delayed), delayed)
	}

	local, ok := q.(interface{ Stats() inq.Stats })
	if !ok {
		return o.register(func(ctx context.Context, to metric.Observer) error {
			c, err := q.Counts(ctx)
			if err == nil {
				observe(to, c)
			}
			return err
		})
	}
	oldest := o.seconds("inq.queue.oldest_message.age", "Age of the oldest message.")
	timedOut := o.counter("inq.queue.messages.timed_out", "{message}", "Receives whose visibility timeout ended before the message was deleted.")
	again := o.counter("inq.queue.messages.received_again", "{message}", "Receives that were not the first of their message.")
	dead := o.counter("inq.queue.messages.dead_lettered", "{message}", "Messages taken by the dead-letter target.")
	expired := o.counter("inq.queue.messages.expired", "{message}", "Messages whose retention ended.")
	deduplicated := o.counter("inq.queue.messages.deduplicated", "{message}", "Sends that were duplicates.")
	return o.register(func(_ context.Context, to metric.Observer) error {
		s := local.Stats()
		observe(to, s.Counts)
		to.ObserveFloat64(oldest, s.OldestAge.Seconds(), in)
		to.ObserveInt64(timedOut, int64(s.TimedOut), in)
		to.ObserveInt64(again, int64(s.ReceivedAgain), in)
		to.ObserveInt64(dead, int64(s.DeadLettered), in)
		to.ObserveInt64(expired, int64(s.Expired), in)
		to.ObserveInt64(deduplicated, int64(s.Deduplicated), in)
		return nil
	})
}

// ObserveRunner has the numbers of a runner that receives from q read at each collection of metrics,
// until the registration that it returns is unregistered:
//
//   - inq.worker.messages, by inq.worker.outcome: succeeded, failed, snoozed, buried, returned, lost
//   - inq.worker.concurrency, running, waiting and stuck: handlers and messages at this time
//   - inq.worker.receives, empty_receives, receive_errors, delete_errors and extend_calls: calls to the
//     queue
//
// A nil q or r is refused with [inq.ErrMissingParameter].
func (t *Telemetry) ObserveRunner(q inq.Queue, r *worker.Runner) (metric.Registration, error) {
	switch {
	case q == nil:
		return nil, missing("q")
	case r == nil:
		return nil, missing("r")
	}
	o := &observables{meter: t.meter}
	attrs := common(t.systemOf(q), q.Name())
	in := metric.WithAttributeSet(attribute.NewSet(attrs...))

	messages := o.counter("inq.worker.messages", "{message}", "Messages by what has become of them.")
	type outcome struct {
		with metric.MeasurementOption
		of   func(worker.Stats) uint64
	}
	var outcomes []outcome
	for name, of := range map[string]func(worker.Stats) uint64{
		"succeeded": func(s worker.Stats) uint64 { return s.Succeeded },
		"failed":    func(s worker.Stats) uint64 { return s.Failed },
		"snoozed":   func(s worker.Stats) uint64 { return s.Snoozed },
		"buried":    func(s worker.Stats) uint64 { return s.Buried },
		"returned":  func(s worker.Stats) uint64 { return s.Returned },
		"lost":      func(s worker.Stats) uint64 { return s.Lost },
	} {
		set := attribute.NewSet(append(attrs[:len(attrs):len(attrs)], workerOutcome.String(name))...)
		outcomes = append(outcomes, outcome{metric.WithAttributeSet(set), of})
	}

	type reading struct {
		instrument metric.Int64Observable
		of         func(worker.Stats) int64
	}
	readings := []reading{
		{o.gauge("inq.worker.concurrency", "{handler}", "Handlers that may run at once."), func(s worker.Stats) int64 { return int64(s.Concurrency) }},
		{o.gauge("inq.worker.running", "{handler}", "Handlers that run."), func(s worker.Stats) int64 { return int64(s.Running) }},
		{o.gauge("inq.worker.waiting", "{message}", "Messages received that wait for their turn."), func(s worker.Stats) int64 { return int64(s.Waiting) }},
		{o.gauge("inq.worker.stuck", "{handler}", "Handlers that ignore their cancelled context."), func(s worker.Stats) int64 { return int64(s.Stuck) }},
		{o.counter("inq.worker.receives", "{call}", "Receives that succeeded."), func(s worker.Stats) int64 { return int64(s.Receives) }},
		{o.counter("inq.worker.empty_receives", "{call}", "Receives that brought nothing."), func(s worker.Stats) int64 { return int64(s.EmptyReceives) }},
		{o.counter("inq.worker.receive_errors", "{call}", "Receives that failed."), func(s worker.Stats) int64 { return int64(s.ReceiveErrors) }},
		{o.counter("inq.worker.delete_errors", "{call}", "Deletes that failed."), func(s worker.Stats) int64 { return int64(s.DeleteErrors) }},
		{o.counter("inq.worker.extend_calls", "{call}", "Calls that extended leases."), func(s worker.Stats) int64 { return int64(s.ExtendCalls) }},
	}
	return o.register(func(_ context.Context, to metric.Observer) error {
		s := r.Stats()
		for _, outcome := range outcomes {
			to.ObserveInt64(messages, int64(outcome.of(s)), outcome.with)
		}
		for _, reading := range readings {
			to.ObserveInt64(reading.instrument, reading.of(s), in)
		}
		return nil
	})
}
