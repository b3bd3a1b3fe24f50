package worker

import (
	"context"
	"time"
)

// A Waiter bounds a rate. Wait blocks until one more may happen, or returns an error when ctx ends
// or would end before. The *rate.Limiter of golang.org/x/time/rate is one.
//
// A runner asks once for each message it wants to receive, and keeps what it was granted and the
// queue did not use for the next receive. After the first it asks with a ctx that ends at once,
// whether there is more.
type Waiter interface {
	Wait(ctx context.Context) error
}

// moreWithin is how long a Waiter may take to tell that there is more.
const moreWithin = time.Millisecond

// takeTokens asks the limit for up to n messages, of which some are granted already, and waits for
// the first. It returns how many there are.
func (r *Runner) takeTokens(ctx context.Context, some, n int) (int, error) {
	if some == 0 {
		if err := guard(func() error { return r.waiter.Wait(ctx) }); err != nil {
			return 0, err
		}
		some = 1
	}
	for ; some < n; some++ {
		soon, cancel := context.WithTimeout(ctx, moreWithin)
		err := guard(func() error { return r.waiter.Wait(soon) })
		cancel()
		if err != nil {
			break
		}
	}
	return some, nil
}
