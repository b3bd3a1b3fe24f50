// Package disturbance is how a test makes queues and the HTTP API misbehave as Amazon SQS may. It holds
// hooks that the packages which own them set, so that nothing of it shows in their exported API: package
// inqtest alone calls them. A queue or a handler that is not disturbed does not know of it.
package disturbance

import "context"

// Receive says how a receive differs from others. It is for Standard queues, which promise neither
// order nor that a short poll sees all there is.
type Receive struct {
	Seed    uint64  // of all that is random; the same seed on the same queue does the same
	Shuffle bool    // take messages in any order
	Sample  bool    // see a share of the messages, as a short poll does that asks some servers
	Share   float64 // from 0 to 1; each message is seen with this probability
}

// Window is how many of the messages that come next a disturbed receive chooses from.
const Window = 128

// ReceiveFrom is the Receive of q, an *inq.Standard, disturbed. in is an inq.ReceiveInput and what comes
// back is []inq.Delivery. On a long poll Sample has no effect: it asks all servers.
var ReceiveFrom func(ctx context.Context, q, in any, how Receive) (deliveries any, err error)

// Duplicate has q, an *inq.Standard, deliver the message of a receipt handle once more although it is in
// flight, and reports whether it will. The handle must be that of the latest receive, whose message is in
// flight. Until the other receive a delete succeeds and deletes nothing, as where a server that has a
// copy did not take part in it.
var Duplicate func(q any, receiptHandle string) bool

// Around is what a handler is wrapped in: it is called for each request that could be read, with its
// context, operation and the name of the queue it is about, "" for none. carryOut carries the request
// out once, with queues as wrap makes them, an inq.Local of an inq.Local; nil leaves them. The result is
// that of the request.
type Around func(ctx context.Context, operation, queue string, carryOut func(wrap func(any) any) (any, error)) (any, error)

// Disturb has all requests of h, a *sqsapi.Handler, go through f. It is called before the first of them.
var Disturb func(h any, f Around)
