// Package inq is Amazon SQS inside a Go process: queues with visibility timeouts, delays, long
// polling, batches, message groups, deduplication and dead letters, in memory, without a server or
// a database. It serves as a job queue of a service, and as a fake SQS in tests. Messages live as
// long as the process and, by default, four days. Those of a queue with a [Journal] survive it, see
// Durability below.
//
// A producer sends, a consumer receives and deletes:
//
//	q, err := inq.NewStandard("jobs")
//	...
//	_, err = q.Send(ctx, inq.Message{Body: "resize cat.png"})
//	...
//	for d, err := range inq.Deliveries(ctx, q, inq.ReceiveInput{}) {
//		if err != nil {
//			return err
//		}
//		if err := work(d.Body); err != nil {
//			continue // the message comes back when its visibility timeout is over
//		}
//		// Not ctx: when that ends, the job that has just been finished is deleted all the same.
//		if err := d.Delete(context.WithoutCancel(ctx)); err != nil {
//			return err
//		}
//	}
//
// # API at a glance
//
// Of [Standard] and [FIFO] alike; [Delivery] has Delete, ChangeVisibility, Return and Bury as well.
//
//	Make       NewStandard, NewFIFO; options With...; Configure, Config, Close
//	Produce    Send, SendBatch
//	Consume    Receive, ReceiveInto; Deliveries for a loop
//	Finish     Delete, DeleteBatch; ChangeVisibility, ChangeVisibilityBatch to have it again
//	Watch      Counts, Stats, Messages, Explain; WithObserver and Watch for every event
//	Tend       Purge, Redrive, MoveTasks
//	Not SQS    Return, Bury, DeleteAll, ExtendAll, ReceiveInto, Messages, Stats; WithCapacity,
//	           WithObserver, WithoutSQSLimits; targets other than queues: DeadLetterFunc
//	           (a func type), NewDeadLetterFile, DeadLetterLog
//	Keep       OpenJournal, Journal.Queues, Drop, Stats, Close; WithJournal, WithBrokerJournal
//	Account    NewBroker; CreateStandard, CreateFIFO, CreateQueue, DeleteQueue, Close; Queue, ByARN, List;
//	           QueueURL; Attributes, SetAttributes, ReplacePolicy; Tags, SetTags, RemoveTags;
//	           DeadLetterSources
//	Adapt      NewDelivery, NewSent, Delivery.Rebind: for those who implement or wrap Queue, with
//	           package conformance to test it
//
// [Queue] is the interface of what SQS has too: code written against it runs on Amazon with module
// inqaws. Package sqsapi serves a [Broker] over HTTP, and inqd is a program that does. Package inqtest
// is for tests of programs that use queues: it waits for what should happen, asserts what did, and has
// SQS misbehave on purpose.
//
// Ids such as "SQS: RCV-2" in these pages are rules of SQS, written down in docs/sqs.md.
//
// # Delivery
//
// A received message is invisible to other receives for its visibility timeout, 30 seconds by
// default. Unless the consumer deletes it in that time, it can be received again. So every accepted
// message is processed at least once, as long as consumers delete only what they have finished. A
// consumer that takes longer than the timeout, or fails before it deletes, causes a second
// delivery. Nothing accepted is ever dropped silently: a message ends by a delete, by the end of
// its retention, by a purge, by Close of a queue without a journal, or in a dead-letter target that
// took it.
//
// A consumer that forgets to delete has every message again, for ever or until a dead-letter target
// takes it. One that is late works on a message that somebody else has too; its delete still works on
// Standard and is refused on FIFO. One that panics leaves its message to the timeout.
//
// A call whose context has already ended does nothing. A consumer that stops because its context
// ended can still delete or return what it holds under [context.WithoutCancel].
//
// A message received too often goes to the dead-letter target, if there is one, instead of to a
// receive, and no receive waits for that. [Counts] tells of messages on their way: a program that
// ends when all is done waits until the counts are zero.
//
// # Order
//
// A [Standard] queue gives the oldest visible message first, by the time of its send. A message
// received three times without being deleted goes behind all others. Messages with a group id make
// it a fair queue: a group with much in flight comes after those with little. A [FIFO] queue gives
// messages of one group strictly in order, and none of a group while an earlier one is in flight;
// groups take turns. It accepts each deduplication id once in five minutes.
//
// # Time
//
// Durations are exact: nothing happens early, and what is due happens when it is due, not at the
// tick of some sweep. Inside a [testing/synctest] bubble a queue runs on the bubble's clock, so
// that a 12-hour visibility timeout takes microseconds. Make the queue in the bubble and close it
// there: calls inside that need the time of a queue that was made outside are refused with
// [ErrInvalidParameter]. Where 0 means a queue's own setting, [Zero] says zero.
//
// # Limits
//
// The limits of SQS hold, so that what runs here runs there: 1 MiB per message and batch, batches
// of 10, 15 minutes of delay, 12 hours of visibility, 14 days of retention, 20 seconds of wait,
// 120,000 messages in flight. [WithoutSQSLimits] lifts them, and takes empty and binary bodies; [WithCapacity] bounds what a queue
// holds.
//
// # Errors
//
// What is refused names the parameter, the value and the range in a [*ParamError] that matches one
// of the package's sentinels with errors.Is, and changes nothing. A batch of which some entries
// failed returns a [*BatchError]; after any other error nothing of it was done. Errors of a context
// come bare.
//
// # Durability
//
// A queue that is made [WithJournal], and all queues of a broker made [WithBrokerJournal], keep what they
// have in a directory:
//
//	j, err := inq.OpenJournal("/var/lib/shop/queues", inq.WithReleaseOnOpen())
//	...
//	q, err := inq.NewStandard("jobs", inq.WithJournal(j)) // with the messages of the last process
//
// Send, Delete and Purge return when the disk has it, unless another mode is chosen ([WithSyncInterval],
// [SyncOS]); a crash of the process loses nothing in any mode. A message can be received when it is safe
// and not before. Receives are written before the message is handed out, so that the start of a job that
// kills its process counts towards the limit of [WithDeadLetter]. Ids, receipt handles, counts, delays,
// the order of groups and deduplication go on after a restart; move tasks, attempt ids, Stats and events
// do not. With a full disk sends are refused with [ErrJournalFull] while receives and deletes go on; once a
// write failed everything is refused with [ErrJournalFailed]. [Journal] says the rest, docs/durability.md
// what it costs, how to back it up, and what to do with a damaged one.
//
// # Lifetime
//
// A queue needs no timer while nothing is due, and no goroutine except while a dead-letter target
// that is no queue is called, or a journal makes room or has something to sync. Close wakes everything that waits
// with [ErrClosed]. Queues are independent of each other; a [Broker] gives them names, ARNs and the
// rules of an account.
//
// # Differences from SQS
//
// Where SQS is approximate this package is exact: counts are right at once, a short poll sees all
// messages, no message is delivered after its delete, durations are not rounded to seconds, and
// changes of settings apply at once. The look-ahead of 120,000 messages that hides later FIFO
// groups behind a long locked one is not imitated, nor are throughput limits. Of the two measures
// by which SQS finds noisy groups only the share of messages in flight is published and used.
// Access policies and encryption settings are kept, not acted on. [Standard.Return],
// [Standard.Bury], [Standard.DeleteAll], [Standard.ExtendAll] and [Standard.Messages] go beyond
// SQS.
package inq
