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
// queues. Policies are kept and shown, not evaluated. Unknown members of a JSON request are ignored,
// and names of members are case sensitive.
//
// Bodies are text here, also in queues that are [inq.WithoutSQSLimits] and take any bytes in the
// process: to send an empty or binary one is refused as by SQS. One that was sent in the process is
// received with U+FFFD in the place of each byte or character that SQS does not take, and with the
// digest of that. Programs that share binary bodies over the wire encode them, as on SQS.
//
// # Errors
//
// A request that cannot be understood, or that SQS refuses, gets the error SQS gives and changes
// nothing. What has no counterpart there: a body larger than Options.MaxBytes is answered with 413,
// a queue that is full (see [inq.WithCapacity]) with OverLimit, and a broker that was closed with
// ServiceUnavailable (503).
//
// # Long polls
//
// A ReceiveMessage that waits costs a parked goroutine and no timer of its own. It ends when its
// client goes away, if the server notices: net/http cancels the request's context when the
// connection breaks. A message that was handed to such a client comes back by its visibility
// timeout (SQS: LC-8).
//
// A server that stops must end the long polls, or wait for them: see [Handler.EndLongPolls].
package sqsapi
