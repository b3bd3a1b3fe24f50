// Package sqsapi serves the HTTP API of Amazon SQS from an [inq.Broker]: all 23 operations, over
// AWS JSON 1.0 and over the older Query protocol with XML answers. Any SDK and the AWS CLI can talk
// to it.
//
// [NewHandler] makes an [http.Handler] for a server of the caller's:
//
//	b, err := inq.NewBroker()
//	...
//	err = http.ListenAndServe("127.0.0.1:9324", sqsapi.NewHandler(b, sqsapi.Options{}))
//
// [NewRoundTripper] puts the same handler behind an HTTP client without a socket: a call runs in
// the goroutine of its caller, so that it works inside a [testing/synctest] bubble, where a long
// poll of 20 seconds takes microseconds.
//
// # Rules
//
// Answers, errors, texts and digests follow the rules of docs/sqs.md, sections 0 to 9. Where a rule
// is unsure, the note there says what this package does. Durations of the API are whole seconds;
// the broker behind it may be configured finer.
//
// Requests need not be signed, and signatures are not looked at: every caller is the owner of the
// queues. Policies are kept and shown, not evaluated. Names of members are case sensitive.
//
// Bodies are text here, also in queues that are [inq.WithoutSQSLimits] and take any bytes in the
// process: to send an empty or binary one is refused as by SQS. One that was sent in the process is
// received with U+FFFD in the place of each byte or character that SQS does not take, and with the
// digest of that. Programs that share binary bodies over the wire encode them, as on SQS.
//
// A request is read with care for what it says. Members of JSON and parameters of Query that no
// operation has are ignored, as by SQS; what is given twice, and a parameter that has no place in a
// list or an attribute, is refused: a part of a message would be lost.
//
// # Errors
//
// A request that cannot be understood, or that SQS refuses, gets the error SQS gives and changes
// nothing. What has no counterpart there: a body larger than Options.MaxBytes is answered with 413,
// one that does not come with 408, a queue or a broker that is full (see [inq.WithCapacity] and
// [inq.WithQueueLimit]) with OverLimit, and a broker that was closed with ServiceUnavailable (503).
// RequestThrottled means that large requests are under way, see Options.MaxTotalBytes.
//
// # Bounds
//
// A request makes no more of memory than its operation has use for, whatever it holds. Large bodies
// and answers share Options.MaxTotalBytes. Answers of more than 64 KiB are not held, but written in
// pieces: a client has ten seconds to take each and a minute for the whole, and as long to send a
// large body, ten seconds for each piece and thirty for the whole. Other bounds of time are those of
// the server, see [http.Server].
//
// # Long polls
//
// A ReceiveMessage that waits costs a parked goroutine and no timer of its own. It ends when its
// client goes away or ends its side of the connection, as an empty one, if the server notices:
// net/http cancels the request's context then. A message that is handed over in the same instant
// stands in its queue as if it had not been received, unless the receive has an attempt id. One whose
// answer was already on its way comes back by its visibility timeout (SQS: LC-8).
//
// Every other request that came whole is carried out and answered, whatever becomes of the
// connection.
//
// A server that stops must end the long polls, or wait for them: see [Handler.EndLongPolls].
package sqsapi
