package sqsapi

import (
	"context"
	"errors"
	"time"

	"example.com/inq"
)

// EndLongPolls ends every receive that waits, with the answer of one that found nothing, and from
// now on none waits. All else goes on as before. It is for a server that stops, which would
// otherwise have to wait up to 20 seconds for them, and it is what
// [net/http.Server.RegisterOnShutdown] takes:
//
//	server.RegisterOnShutdown(handler.EndLongPolls)
//
// To its client an empty answer is nothing unusual, while an error, which is what ending the
// contexts of the requests comes to, is logged and retried. EndLongPolls returns at once, can be
// called again, and cannot be undone.
func (h *Handler) EndLongPolls() { h.server.EndLongPolls() }

// receive is q.Receive for as long as there are long polls, and for as long as the client is known to
// be there. Nothing is taken for a client that ended its side of the connection while it waited: the
// poll ends empty. Where it did so before, which a client may do that has nothing more to say, it gets
// what there is, as for any other request.
func (c call) receive(q inq.Queue, in inq.ReceiveInput) ([]inq.Delivery, error) {
	if !waits(q, in) {
		return q.Receive(c.Context(), in)
	}
	if c.LongPolls().Err() != nil || c.Gone() {
		return c.receiveNow(q, in)
	}
	ctx, cancel := context.WithCancel(c.Request.Context())
	defer cancel()
	defer context.AfterFunc(c.LongPolls(), cancel)()
	wait := &waitContext{Context: ctx}
	deliveries, err := q.Receive(wait, in)
	switch {
	case c.Gone() && !wait.waited && errors.Is(err, context.Canceled):
		return c.receiveNow(q, in)
	case c.Gone() && wait.waited && err == nil:
		giveBack(in, deliveries)
		return nil, nil
	case errors.Is(err, context.Canceled) && c.Context().Err() == nil:
		return nil, nil // the polling ended or the client's side of the connection, not the request
	}
	return deliveries, err
}

// receiveNow answers a long poll that must not wait.
func (c call) receiveNow(q inq.Queue, in inq.ReceiveInput) ([]inq.Delivery, error) {
	in.Wait = inq.Zero
	deliveries, err := q.Receive(c.Context(), in)
	if errors.Is(err, inq.ErrOverLimit) {
		return nil, nil // which only a short poll is told (SQS: section 1.5)
	}
	return deliveries, err
}

// waitContext finds out whether a receive has waited, for which it needs the channel.
type waitContext struct {
	context.Context
	waited bool
}

func (w *waitContext) Done() <-chan struct{} {
	w.waited = true
	return w.Context.Done()
}

// longestPoll is the longest wait that a queue with the limits of SQS takes (SQS: RCV-2).
const longestPoll = 20 * time.Second

// waits reports whether a receive can be a long poll. All others, those with a wait that the queue
// refuses among them, need not pay for being ended.
func waits(q inq.Queue, in inq.ReceiveInput) bool {
	own, ok := q.(interface{ Config() inq.Config })
	switch {
	case in.Wait == 0 && ok:
		return own.Config().ReceiveWait > 0
	case in.Wait > longestPoll && ok:
		return !own.Config().SQSLimits
	}
	return in.Wait > 0
}
