// Package inqotel tells OpenTelemetry what happens to messages: spans and metrics by the semantic
// conventions for messaging, version [SemanticConventions], whose state is "development" there, and
// the context of a trace carried from the sender to the handler by W3C Trace Context in message
// attributes.
//
//	t, err := inqotel.New()
//	...
//	jobs := t.Producer(queue) // sends begin spans and carry their context
//	sent, err := SendEmail.Send(ctx, jobs, email)
//
//	r, err := worker.New(queue, mux, worker.WithMiddleware(t.Middleware(queue)))
//
// # Spans
//
//   - "send NAME", for each Send; NAME is that of the queue. Its context is what the message carries.
//   - "create NAME" for each message of a SendBatch, whose context that message carries, and one "send
//     NAME" linked to them all.
//   - "process NAME" for each call of a handler. It is a child of the span that sent the message, so
//     that a trace shows a job with what has caused it, and linked to it. With [WithNewTraces] it begins a
//     trace of its own, and there is the link alone. The second attempt at a job is another span beside
//     the first.
//
// The attributes are those of the conventions, with messaging.system "inq" for queues in this
// process and "aws_sqs" for others, and besides on "process" spans: messaging.inq.receive_count,
// messaging.inq.message.group.id, and messaging.inq.job.kind, the kind of a job of package worker.
//
// # Metrics
//
//   - messaging.client.sent.messages and messaging.client.operation.duration, of what is sent.
//   - messaging.client.consumed.messages and messaging.process.duration, of what is handled.
//   - inq.queue.* and inq.worker.*, from [Telemetry.ObserveQueue] and [Telemetry.ObserveRunner]: what
//     waits, what runs, and what has become of it. Their names are this package's own.
//
// # Errors
//
// A span and a measurement of what failed have error.type: "lease_lost", "timeout" and "shutdown"
// where that has ended the handler's context; "panic"; "canceled" and "deadline_exceeded" for errors of a
// context; "closed", "queue_does_not_exist", "full", "over_limit", "throttled", "unavailable",
// "invalid_parameter" and others, for the errors of package inq of that name; and for any other
// error what its method ErrorType() string says or, without one, the Go type. A handler that
// snoozes has not failed.
//
// # Message attributes
//
// The context takes one or two of the ten attributes a message can have, traceparent and
// tracestate. A message whose sender has set traceparent keeps it. One that has no room for them, or
// that the queue refuses with them, is sent without: telling about messages never keeps one from
// being sent.
package inqotel
