// Package worker does jobs: it receives messages of an [inq.Queue], hands them to a handler, keeps
// them hidden from other consumers while the handler runs, and tells the queue how it went. The same
// code works on a queue of this process and, by module inqaws, on Amazon SQS.
//
//	var SendEmail = worker.NewKind[Email]("email.send")
//
//	mux := worker.NewMux()
//	SendEmail.Handle(mux, func(ctx context.Context, j worker.Job[Email]) error {
//		return deliver(ctx, j.Args)
//	})
//	r, err := worker.New(q, mux, worker.WithTimeout(time.Minute), worker.WithMaxAttempts(5))
//	...
//	err = r.Run(ctx) // until ctx ends, and what was begun is finished
//
//	_, err = SendEmail.Send(ctx, q, Email{To: "ann@example.com"}) // here, or in another process
//
// # Outcomes
//
// What a handler returns says what becomes of the message:
//
//	nil                  it is deleted
//	an error             it comes again after the backoff, see WithBackoff
//	RetryAfter(d, err)   it comes again after d
//	Snooze(d)            it comes again after d, and that is no failure
//	Bury(err)            it goes to the dead letters now, with the reason
//	a panic              as an error, a *PanicError; the process goes on
//
// They are found in wrapped errors too. A message that waits for its next attempt waits in the
// queue, hidden by its visibility timeout, and takes up no slot of the runner. The number of the
// attempt is the receive count. With [WithMaxAttempts] a message that fails once more is buried; the
// queue's own limit, see [inq.WithDeadLetter], holds as well, also for what no handler survives.
// Where the queue has no dead-letter target, what should be buried comes again after the backoff.
//
// # At least once
//
// A job is done at least once, and mostly once: a second time when its process dies before the
// message is deleted, or when its lease is lost. So handlers must bear it. The runner keeps leases
// by its own clock, counted from the moment a receive or an extension left. A lease that cannot be
// extended in time is lost: the handler's context is cancelled with [ErrLeaseLost], what it returns
// is dropped, and nothing is sent for the message any more, since somebody else may have it. A
// receive lasts 12 hours at most, and so does a handler.
//
// A handler that does not return within five seconds of its context being cancelled is stuck. It
// keeps its slot, its message is let go, and the log has its stack.
//
// # FIFO
//
// Messages of a group are handled one after another, each when the one before is deleted; groups
// are handled in parallel. A failure holds back its group and no other. What was received behind it
// is given back without costing it an attempt; where the queue cannot do that, as on Amazon SQS,
// messages are received one at a time instead.
//
// # Stopping
//
// When its context ends, [Runner.Run] receives nothing more and gives back what has not begun.
// Handlers that run have the grace of [WithGrace] to finish; then their contexts are cancelled, and
// what fails because of that is given back. What was done is deleted. Then Run returns. [RunAll]
// does that for several runners.
//
// # Schedules
//
// [Every] sends a job at each time of a schedule, once however many processes do so, by the
// deduplication of a FIFO queue.
//
// # On Amazon SQS
//
// Give New a queue of module inqaws. What differs:
//
//   - Giving back and Snooze count as a receive, since there is nothing that does not.
//   - Bury sends a copy to the dead-letter queue of the redrive policy, with the reason in the
//     attribute "reason", and deletes the message; it is then a message of its own, with its own id
//     and count.
//   - Durations are rounded up to whole seconds.
//   - A receive that a stop or a pause cuts off may have taken a message, which comes back by its
//     timeout.
//   - Calls cost money: an idle runner with the default visibility makes four receives a minute. A
//     busy one makes a receive for the slots that are free when it asks, one delete for up to ten
//     messages, and one extension for up to ten leases that end about the same time.
package worker
