package worker

import (
	"context"
	"sync/atomic"
	"time"
)

// callContext is the context of one call of the handler. The context inside, which can be
// cancelled, is made when somebody first asks for something that only it knows: a handler that
// never looks at its context costs none.
type callContext struct {
	worker *worker // whose context it is made of
	began  instant
	live   atomic.Pointer[liveContext]
}

type liveContext struct {
	context.Context
	cancel context.CancelCauseFunc
}

// over is the context of a call that has ended and never had one.
var over = func() *liveContext {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(nil)
	return &liveContext{ctx, cancel}
}()

func (c *callContext) Done() <-chan struct{} { return c.inner().Done() }
func (c *callContext) Err() error            { return c.inner().Err() }
func (c *callContext) Value(key any) any     { return c.inner().Value(key) }

func (c *callContext) Deadline() (at time.Time, ok bool) {
	r := c.worker.runner
	if r.timeout == 0 {
		return time.Time{}, false
	}
	return r.clock.time(c.began + r.timeout), true
}

// inner returns the context inside.
func (c *callContext) inner() *liveContext {
	if l := c.live.Load(); l != nil {
		return l
	}
	ctx, cancel := context.WithCancelCause(c.worker.ctx)
	l := &liveContext{ctx, cancel}
	if at, ok := c.Deadline(); ok {
		timed, stop := context.WithDeadlineCause(ctx, at, ErrTimeout)
		l.Context, l.cancel = timed, func(cause error) { cancel(cause); stop() }
	}
	if !c.live.CompareAndSwap(nil, l) {
		l.cancel(nil)
		return c.live.Load()
	}
	return l
}

// cancel ends the context for a reason.
func (c *callContext) cancel(cause error) { c.inner().cancel(cause) }

// end ends the context when the handler has returned.
func (c *callContext) end() {
	if !c.live.CompareAndSwap(nil, over) {
		c.live.Load().cancel(nil)
	}
}
