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
	parent   context.Context // of its values
	deadline time.Time       // zero: none
	live     atomic.Pointer[liveContext]
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

func (c *callContext) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }
func (c *callContext) Done() <-chan struct{}       { return c.inner().Done() }
func (c *callContext) Err() error                  { return c.inner().Err() }
func (c *callContext) Value(key any) any           { return c.inner().Value(key) }

// inner returns the context inside.
func (c *callContext) inner() *liveContext {
	if l := c.live.Load(); l != nil {
		return l
	}
	ctx, cancel := context.WithCancelCause(c.parent)
	l := &liveContext{ctx, cancel}
	if !c.deadline.IsZero() {
		timed, stop := context.WithDeadlineCause(ctx, c.deadline, ErrTimeout)
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
