// Package inqaws joins inq and version 2 of the AWS SDK for Go, in both directions. It is a module
// of its own, so that programs without it do without the SDK.
//
//   - [NewClient] is for programs that use the SDK, and their tests: a real *sqs.Client whose calls
//     end in an [inq.Broker] of the same process, without a socket.
//   - [NewSNSClient] is the same for topics: a real *sns.Client whose calls end in a
//     [example.com/inq/topic.Account]. example_fanout_test.go has a test with both clients.
//   - [Config] is for tests with a server of package [example.com/inq/inqtest], which waits for what
//     should happen and tells what did: sqs.NewFromConfig(inqaws.Config(s.HTTPClient())) is a client of
//     it, and sns.NewFromConfig takes the same. example_inqtest_test.go has a test to copy from.
//   - [NewQueue] is for programs written against [inq.Queue]: the same code on any endpoint of SQS,
//     Amazon's own, a server with a [example.com/inq/sqsapi.Handler], or such a client.
//   - [Lambda] is for functions on AWS Lambda: a handler of package worker behind its events.
//   - [NewHTTPClient] is for the SDK over real sockets to a server nearby, where it would lose some
//     large answers.
//
// # Tests in no time
//
// A client of NewClient works in a bubble of [testing/synctest]: a visibility timeout of 12 hours,
// a long poll of 20 seconds or a retention of 14 days pass at once and exactly.
// example_unittest_test.go in this folder is a file of such tests to copy from. Make the broker in
// the bubble, and close it there. Subtests cannot be started in a bubble; open one in each.
//
// # A queue over the SDK
//
// [Queue] keeps the contract of inq.Queue. What comes from being behind SQS, and so is different
// from a queue in the process:
//
//   - Durations are whole seconds. Fractions are rounded up: a delay, a wait or a timeout is never
//     shorter than asked for, and up to a second longer. [inq.Zero] is a zero on the wire, which
//     the SDK by itself cannot send.
//   - Limits are those of the other side, and it is the other side that refuses what is beyond
//     them: on Amazon 10 messages, 20 seconds, 12 hours, 15 minutes, 1 MiB. A broker with
//     [inq.WithoutSQSLimits] takes more; [inq.Forever] is 68 years there, the most that can be
//     said. A body is text all the same, and not empty.
//   - A short poll of Amazon asks only some of its servers, and may find fewer messages than there
//     are, or none. Receive with a Wait of [inq.Zero] is one, and so is Receive with a Wait of 0
//     unless the queue has a wait of its own, which by default it has not. Wait a second or more,
//     as [inq.Deliveries] does.
//   - An error that is no answer, such as a broken connection, leaves open whether the call was
//     carried out. The SDK tries again by itself after such an error and after a status of 500 and
//     more, as its Retryer says. Then a message on Standard may be in the queue twice (at-least-once
//     delivery); a FIFO queue recognizes the second one by its deduplication id, and repeats a
//     receive by its AttemptID, where one is given.
//   - A loop over [inq.Deliveries] ends with its first error. In the process that is a closed queue
//     or an ended ctx; over a network it is also [inq.ErrThrottled] or [inq.ErrUnavailable], which
//     pass. A consumer that is to outlive them needs a loop around that loop, with a pause, until
//     ctx ends: see the example Queue (Outage) in example_test.go.
//   - Where a ctx ends during a call, its bare error is returned. Unlike in the process, what was
//     on its way may still have happened: a message that was handed over in that instant comes back
//     by its visibility timeout.
//   - [inq.Sent.Duplicate] is always false, because SQS does not say. [inq.Delivery.VisibleAt] is
//     known only where the receive gave a VisibilityTimeout. Times are in milliseconds.
//   - [inq.Message.SenderID] is not sent, because SQS names the sender itself: the id of the user
//     or role with whose credentials the message was sent. [inq.Delivery.Message] has that id, and
//     a copy sent to a queue in the process keeps it; in the process a copy has one only where the
//     sender set it.
//   - [inq.Delivery.Return] is a change of the visibility, see below, and [inq.Delivery.Bury] is
//     refused with [inq.ErrNoDeadLetterTarget] and [errors.ErrUnsupported]: SQS has neither. A worker
//     buries by [Queue.DeadLetterQueue].
//   - There is nothing to close, and [inq.ErrClosed] is never returned. A broker that was closed
//     answers with the code ServiceUnavailable (503), which is [inq.ErrUnavailable], as a service
//     does that is out of order for a while; a client that retries tries again. Clients of NewClient
//     do not.
//
// # Return
//
// SQS cannot undo a receive. [inq.Delivery.Return], and with it the giving back of
// [inq.Deliveries], makes the message visible again after the delay:
//
//   - The delay is at most 12 hours, less the time since the receive; in the process it is 15
//     minutes at most. Until it has passed the message counts as NotVisible; in the process it
//     counts as Delayed.
//   - The receive counts, towards a dead-letter queue too. Ten messages are in a queue that allows
//     three receives, and its consumers take ten at a time, process one, and stop: the fourth of
//     them finds nothing, and seven messages are dead letters that nobody has looked at. Consumers
//     that often stop take one message at a time, or need a higher limit.
//   - Nothing is sent once the visibility timeout is over, since on Standard that would end the
//     receive of whoever has the message by then: Return is refused with
//     [inq.ErrReceiptHandleExpired], as in the process. The end is reckoned by the clock of this
//     process, from when the receive or the last ChangeVisibility left, and so may come early by as
//     long as that call took, the wait of the receive included; then the message comes back by its
//     timeout. Changes of the visibility count that were made through the same Queue, by a delivery
//     or a handle, and not those made elsewhere. ChangeVisibility and Delete by a handle are not
//     held back.
//   - Where a receive gave no VisibilityTimeout, the first Return of one of its messages asks for
//     the queue's own. Where that fails so does Return, and nothing is sent.
//   - Deliveries gives back up to ten messages in one call, and takes five seconds at most for all.
//
// # Permissions
//
// On Amazon the methods need these actions; those for a single message cover its batches.
//
//	Send, SendBatch                            sqs:SendMessage
//	Receive                                    sqs:ReceiveMessage
//	Delete, DeleteBatch                        sqs:DeleteMessage
//	ChangeVisibility, ChangeVisibilityBatch    sqs:ChangeMessageVisibility
//	Return, Deliveries where it gives back     sqs:ChangeMessageVisibility, and sqs:GetQueueAttributes
//	                                           where the receive gave no VisibilityTimeout
//	Counts                                     sqs:GetQueueAttributes
//	DeadLetterQueue                            sqs:GetQueueAttributes
//	Purge                                      sqs:PurgeQueue
//
// On a queue encrypted with a key of your own, senders need kms:GenerateDataKey and kms:Decrypt for
// that key, and receivers kms:Decrypt.
//
// # Errors
//
// An error of SQS is found by [errors.Is] as the sentinel of inq that means the same, and by
// [errors.As] as what the SDK made of it: a [smithy.APIError], and a type such as
// *types.QueueDoesNotExist where there is one. Where the text of SQS names the refused parameter it
// is an [*inq.ParamError] as well, whose Value is the text that was sent, in seconds where it is a
// duration. Entries of a batch have codes but no types; whatever their code, they have the sentinel
// of the call for a single message.
//
//	QueueDoesNotExist, ResourceNotFound        ErrQueueDoesNotExist
//	QueueNameExists                            ErrQueueExists
//	QueueDeletedRecently                       ErrQueueDeletedRecently
//	PurgeQueueInProgress                       ErrPurgeInProgress
//	OverLimit                                  ErrOverLimit; ErrFull where a message was sent
//	InvalidParameterValue                      ErrInvalidParameter; by its text also
//	                                           ErrReceiptHandleExpired, ErrNotInFlight,
//	                                           ErrAttemptNotRetryable, ErrNotDeadLetterQueue,
//	                                           ErrTaskRunning
//	MissingParameter, EmptyValue               ErrMissingParameter
//	InvalidMessageContents                     ErrInvalidMessageContents
//	InvalidAttributeName                       ErrInvalidAttributeName
//	InvalidAttributeValue                      ErrInvalidAttributeValue
//	EmptyBatchRequest                          ErrEmptyBatch
//	TooManyEntriesInBatchRequest               ErrTooManyEntries
//	BatchRequestTooLong                        ErrBatchTooLong
//	ReceiptHandleIsInvalid, InvalidIdFormat    ErrReceiptHandleInvalid; by its text, in a batch, also
//	                                           ErrReceiptHandleExpired, ErrNotInFlight
//	MessageNotInflight                         ErrNotInFlight
//	RequestThrottled, ThrottlingException,     ErrThrottled: the same call can succeed after a pause
//	and others of the kind; KmsThrottled;
//	any other code with status 429
//	ServiceUnavailable, InternalFailure,       ErrUnavailable: the same, and it is open whether the
//	any other code with status 500 or more;    call was carried out
//	no answer, or one that was cut off
//
// Everything else is returned as the SDK returns it: denied access, and what fails before SQS is
// asked, such as a provider of credentials, whose service has codes of the same names. [Translate]
// does the same for calls that are not part of Queue.
//
// # Programs
//
// The folder examples of the repository has programs that run without Amazon and explain themselves
// with -h: walkthrough is the life of a queue in calls of the SDK, walkthrough-v1 the same in those
// of its version 1, and anyqueue one program on a queue in the process and on one over the SDK.
//
//	go run ./examples/walkthrough
package inqaws
