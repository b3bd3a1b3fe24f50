package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/inq"
)

// A Handler processes messages. What it returns says what becomes of the message: see the package
// documentation. Handle is called by many goroutines at once. ctx has the values of the context
// that [Runner.Run] was given, and ends when the result is no longer wanted: [context.Cause] tells
// why. The runner reads d meanwhile: a handler that wants to change it takes a copy.
type Handler interface {
	Handle(ctx context.Context, d *inq.Delivery) error
}

// HandlerFunc makes a [Handler] of a function.
type HandlerFunc func(ctx context.Context, d *inq.Delivery) error

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, d *inq.Delivery) error { return f(ctx, d) }

// Middleware makes a handler of a handler: the way to add what all handlers need.
type Middleware func(Handler) Handler

// How a Runner works. All state is guarded by one lock, under which nothing foreign runs and nothing
// waits.
//
// Slots and goroutines. A slot is the right to run one call of the handler; there are as many as
// SetConcurrency says. A goroutine that runs handlers takes the next call that waits; when none
// waits it receives for the slots that are free; when there are none it ends (call.go, poll.go). So
// there is no buffer: what is received has a slot, except for messages behind the first one of a
// FIFO group, which are leased with it and wait in a line (line.go).
//
// Leases. Messages received or extended by one call share a lease, which ends a visibility timeout
// after that call left, and not after its answer came: then the queue's own end is never earlier,
// however slow the network was (lease.go). One goroutine, keep, watches all leases, the earliest
// first, and sends extensions in batches of ten when a third of the time is left, and then again
// until one succeeds or the lease is over. Over means over by the clock of the runner. On SQS that
// is the only honest measure: there a handle that has lapsed is extended with success, and an old
// handle changes the receive of whoever has the message now. So after the end of a lease nothing is
// sent for it any more, and an outcome that would hand a message back waits for an extension that is
// still under way.
//
// Outcomes. Processed messages of a Standard queue are deleted ten at a time, after a tenth of a
// second at most, and at once where no handler runs whose message could join (ack.go). On FIFO the
// delete comes first and the next of the group after it. Everything else is one call to the queue,
// in the goroutine of the handler, whose slot is free after it (settle.go, handback.go, bury.go).
//
// Time. keep also does all else that is due at a time: timeouts, the end of the grace, handlers that
// are stuck, windows of batches, deletes to try again, decisions about scaling (keep.go). What it
// starts that may wait runs in goroutines of its own, so that a call that hangs delays nothing.
//
// The end. Run ends when no goroutine of the runner is left, save those of handlers that are stuck.

// A Runner receives messages of one queue, hands them to a handler, and tells the queue how it went.
// Create one with [New] or [NewBatch]. Its methods are safe for concurrent use.
type Runner struct {
	settings
	queue    inq.Queue
	name     string                                             // of the queue
	handler  Handler                                            // nil for batches
	batch    func(ctx context.Context, ds []inq.Delivery) error // nil for single messages
	max      int                                                // of a batch
	wait     time.Duration                                      // of a batch
	kindOf   func(*inq.Delivery) string
	fifo     bool
	direct   bool          // the queue is in this process, and its calls do not wait
	standard *inq.Standard // the queue, where it is exactly that
	returner returner      // the queue, where it has Return
	ahead    time.Duration // how long before the end of a lease its extension leaves
	early    time.Duration // how much earlier it may leave to go along with others
	again    time.Duration // from an extension that failed to the next
	label    string        // what the labels of its goroutines begin with
	kick     chan struct{} // wakes keep
	failing  chan struct{} // closed when Run has to end by itself
	done     chan struct{} // closed when all has ended
	kept     chan struct{} // closed when keep has returned

	// Set by Run.
	clock clock
	base  context.Context // with the values of the context of Run, and without its end

	back atomic.Int32 // goroutines whose handler has returned and that wait for the lock

	mu sync.Mutex // guards everything below

	phase phase
	err   error    // why it stops by itself
	after []func() // what to do when the lock is released
	armed instant  // when keep wakes up
	ops   int      // goroutines of goLocked
	cutAt instant  // stopping: when handlers are cancelled

	limit   int // slots
	active  int // slots that are taken
	paused  bool
	waking  bool // a goroutine was started that has not looked for work yet
	workers int  // goroutines that run handlers or receive, without those that are stuck
	idle    []*worker
	made    int // workers

	arrivals  uint32 // receives that brought something
	pending   calls  // calls that wait for a slot
	waiting   int    // how many
	lines     map[string]*line
	running   calls // by when they began
	cancelled calls // by when they were cancelled
	stucks    calls
	stuck     int

	leases         leases
	overdue        []*lease // that wait for one of the calls under way to return
	extending      int      // calls under way
	extendFailures int      // in a row

	polling      *polling // that receives are part of
	silenced     *polling // the last one that was told to end, or nil
	polls        int      // receives under way
	mostPolls    int      // how many may be
	asked        int      // messages they ask for
	pollAt       instant  // no receive before; 0: none is kept back
	pollFailures int      // in a row
	emptyAnswers int      // in a row, that came too early
	tokens       int      // taken of the limit and not used

	window     *call   // the batch that is being collected, or nil
	windowEnds instant // when it closes

	acks    acks
	scaleAt instant // when to decide about scaling; 0: never
	scaled  scaled
	stats   Stats
	unknown map[string]bool // kinds without a handler that were logged
}

type phase uint8

const (
	idle phase = iota
	started
	stopping
	ended
)

// New makes a Runner that hands the messages of q to h one by one. A q of either type will do, and
// every other implementation of [inq.Queue]; one whose name ends in ".fifo" is taken for FIFO. A nil
// q or h is refused with [inq.ErrMissingParameter], an option as [Option] says, and a [*Mux] that
// has no kinds, or was given some twice, with [inq.ErrInvalidParameter]. New makes no call: whether
// the queue is closed or missing Run will tell.
func New(q inq.Queue, h Handler, opts ...Option) (*Runner, error) {
	r, err := newRunner(q, opts)
	if err != nil {
		return nil, err
	}
	if err := notNil("h", h); err != nil {
		return nil, err
	}
	if m, ok := h.(*Mux); ok {
		if err := m.check(); err != nil {
			return nil, err
		}
		r.kindOf = m.kindOf
	}
	if len(r.middleware) > 0 {
		h = recovered(h)
		for i := len(r.middleware) - 1; i >= 0; i-- {
			if h = r.middleware[i](h); h == nil {
				return nil, notNil("WithMiddleware", h)
			}
		}
	}
	r.handler = h
	return r, nil
}

func newRunner(q inq.Queue, opts []Option) (*Runner, error) {
	if err := notNil("q", q); err != nil {
		return nil, err
	}
	s, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	var name string
	if err := guard(func() error { name = q.Name(); return nil }); err != nil {
		return nil, fmt.Errorf("worker: Name of the queue: %w", err)
	}
	r := &Runner{
		settings:  s,
		queue:     q,
		name:      name,
		kindOf:    kindAttribute,
		fifo:      strings.HasSuffix(name, ".fifo"),
		ahead:     s.visibility / 3,
		early:     s.visibility / 12,
		again:     max(s.visibility/30, 50*time.Millisecond),
		label:     fmt.Sprintf("%s-%08x", name, rand.Uint32()),
		kick:      make(chan struct{}, 1),
		failing:   make(chan struct{}),
		done:      make(chan struct{}),
		kept:      make(chan struct{}),
		armed:     never,
		limit:     s.concurrency,
		lines:     make(map[string]*line),
		mostPolls: 1,
		unknown:   make(map[string]bool),
	}
	r.returner, _ = q.(returner)
	switch q := q.(type) {
	case *inq.Standard:
		r.standard, r.direct = q, true
	case *inq.FIFO:
		r.direct = true
	}
	return r, nil
}

// Run receives and processes messages until ctx ends. Then it stops: it receives nothing more,
// gives back what has not begun, and lets handlers go on for the grace of [WithGrace]. After that
// their contexts are cancelled with [ErrShutdown], and what fails is given back too. What was
// processed is deleted, although ctx has ended, for as long as its lease holds. Run returns when
// all that is done: nil, or [ErrStuck] with the kinds of the handlers that still run 5 seconds
// after they were cancelled. Their messages come back by the visibility timeout.
//
// An error of Receive is logged and retried after a pause that grows from 0.1 to 10 seconds, except
// for [inq.ErrClosed] and [inq.ErrQueueDoesNotExist], which make Run stop and return them. A Runner
// runs once: a second Run is refused with [ErrRan], a nil ctx with [inq.ErrMissingParameter].
func (r *Runner) Run(ctx context.Context) error {
	if ctx == nil {
		return notNil("ctx", nil)
	}
	r.mu.Lock()
	if r.phase != idle {
		r.mu.Unlock()
		return ErrRan
	}
	if ctx.Err() != nil {
		r.phase = ended
		r.mu.Unlock()
		return nil
	}
	r.phase = started
	r.clock.start = time.Now()
	r.base = context.WithoutCancel(ctx)
	r.polling = newPolling(r.base)
	r.startScaleLocked()
	go r.keep()
	r.wakeLocked()
	r.unlock()

	select {
	case <-ctx.Done():
	case <-r.failing:
	}
	r.mu.Lock()
	r.phase = stopping
	r.cutAt = r.clock.now() + r.grace
	r.silenceLocked()
	r.giveBackLocked(r.shedLocked())
	r.scheduleLocked(r.cutAt)
	r.endLocked()
	r.unlock()

	<-r.done
	<-r.kept
	r.mu.Lock()
	defer r.unlock()
	if r.err != nil {
		return errors.Join(fmt.Errorf("worker: queue %s: %w", r.name, r.err), r.stuckErrorLocked())
	}
	return r.stuckErrorLocked()
}

// endLocked ends Run when nothing is left to wait for.
func (r *Runner) endLocked() {
	if r.phase != stopping || r.workers+r.ops+len(r.acks.jobs) > 0 || r.stuck > 0 && r.clock.now() < r.cutAt {
		return
	}
	r.phase = ended
	close(r.done)
}

// failLocked has Run end by itself.
func (r *Runner) failLocked(err error) {
	if r.err == nil {
		r.err = err
		close(r.failing)
	}
	r.pollAt = never
}

// RunAll runs several runners until ctx ends or one of them returns an error, which stops the
// others. It returns when all have returned, with their errors joined. A nil runner is refused with
// [inq.ErrMissingParameter] before any runs. Without runners it returns nil at once.
func RunAll(ctx context.Context, rs ...*Runner) error {
	if ctx == nil {
		return notNil("ctx", nil)
	}
	for _, r := range rs {
		if r == nil {
			return notNil("rs", r)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	errs := make([]error, len(rs))
	for i, r := range rs {
		all.Go(func() {
			if errs[i] = r.Run(ctx); errs[i] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Pause stops receiving until Resume. Handlers that run go on. What was received and has not begun
// is given back where the queue can do that without counting the receive, and runs otherwise. Like
// Resume and SetConcurrency it can be called at any time, before Run too.
func (r *Runner) Pause() {
	r.mu.Lock()
	defer r.unlock()
	if r.paused {
		return
	}
	r.paused = true
	if r.phase != started {
		return
	}
	r.silenceLocked()
	if r.returner != nil {
		r.giveBackLocked(r.shedLocked())
	} else if r.window != nil {
		r.closeWindowLocked()
	}
}

// Resume ends a Pause.
func (r *Runner) Resume() {
	r.mu.Lock()
	defer r.unlock()
	r.paused = false
	r.wakeLocked()
}

// SetConcurrency changes how many handlers run at once at most. Below 1 it is 1, above 1,000,000 it
// is that; use Pause for none. With fewer than run now none is stopped: it holds as they return.
// With [WithAutoscale] the next decision goes on from there.
func (r *Runner) SetConcurrency(n int) {
	r.mu.Lock()
	defer r.unlock()
	r.limit = min(max(n, 1), maxConcurrency)
	r.wakeLocked()
}

// goLocked runs f in a goroutine that Run waits for.
func (r *Runner) goLocked(f func()) {
	r.ops++
	go func() {
		f()
		r.mu.Lock()
		r.ops--
		r.endLocked()
		r.unlock()
	}()
}

// afterLocked has f called when the lock is released.
func (r *Runner) afterLocked(f func()) { r.after = append(r.after, f) }

// unlock releases the lock and calls what was not to be called under it.
func (r *Runner) unlock() {
	if len(r.after) == 0 {
		r.mu.Unlock()
		return
	}
	after := r.after
	r.after = nil
	r.mu.Unlock()
	for _, f := range after {
		f()
	}
}

// log writes a record.
func (r *Runner) log(level slog.Level, msg string, attrs ...slog.Attr) {
	l := r.logger
	if l == nil {
		l = slog.Default()
	}
	ctx := context.Background()
	if l.Enabled(ctx, level) {
		l.LogAttrs(ctx, level, msg, append([]slog.Attr{slog.String("queue", r.name)}, attrs...)...)
	}
}

func (r *Runner) logLocked(level slog.Level, msg string, attrs ...slog.Attr) {
	r.afterLocked(func() { r.log(level, msg, attrs...) })
}

// about is what the log tells of a message, before other attributes.
func (r *Runner) about(j *job, attrs ...slog.Attr) []slog.Attr {
	d := j.delivery
	all := []slog.Attr{slog.String("id", d.ID()), slog.String("kind", r.describe(d)), slog.Int("attempt", d.ReceiveCount)}
	if d.GroupID != "" {
		all = append(all, slog.String("group", d.GroupID))
	}
	return append(all, attrs...)
}
