// Package snsapi serves the HTTP API of Amazon SNS from a [topic.Account]: all 42 operations, over the
// Query protocol with XML answers, which is the one that clients of SNS speak. Any SDK and the AWS CLI
// can talk to it.
//
// [NewHandler] makes an [http.Handler] for a server of the caller's:
//
//	account, err := topic.NewAccount(topic.WithBroker(broker), topic.WithBaseURL("http://127.0.0.1:9911"))
//	...
//	err = http.ListenAndServe("127.0.0.1:9911", snsapi.NewHandler(account, snsapi.Options{}))
//
// The base URL is what the links in envelopes begin with; it must lead to the handler, which serves
// what they ask for, and the certificate of the signatures.
//
// [NewRoundTripper] puts the same handler behind an HTTP client without a socket: a call runs in the
// goroutine of its caller, so that it works inside a [testing/synctest] bubble.
//
// # Rules
//
// Answers, errors and texts follow the rules of docs/sns.md. Where a rule is unsure, the note there says
// what this package does.
//
// Requests need not be signed, and signatures are not checked: every caller is the owner of the topics.
// Whether a request has a signature matters in two places, as with SNS: without one Unsubscribe is what
// the link in an envelope does, which tells the endpoint (SNS: CONF-7), and ConfirmSubscription cannot
// demand authentication. Names of members are case sensitive. A request for JSON answers, by GET with
// Accept: application/json, gets them.
//
// # Errors
//
// A request that cannot be understood, or that SNS refuses, gets the error SNS gives and changes
// nothing. What has no counterpart there: a body larger than Options.MaxBytes is answered with 413, one
// that does not come with 408, and an account that was closed with ServiceUnavailable (503). Throttled
// (429) means that large requests are under way, see Options.MaxTotalBytes. The operations about the
// sandbox for text messages are not carried out: those that list are answered with empty lists, the
// others with InvalidAction (SNS: OUT-5, OUT-6).
//
// # Telling SNS from SQS
//
// A server that has both on one address asks [IsRequest].
package snsapi
