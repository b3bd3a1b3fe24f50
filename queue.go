package inq

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/inq/internal/pq"
)

// Queue is what producers and consumers program against. [*Standard] and [*FIFO] implement it in
// this process; other implementations can put the same code on Amazon SQS. All methods are safe for
// concurrent use.
//
// Every method that takes a ctx refuses a nil one with [ErrMissingParameter] and returns the bare
// error of one that has already ended; then nothing was done. Only Receive waits. After the queue
// is closed these methods return [ErrClosed].
type Queue interface {
	// Name returns the queue's name.
	Name() string
	// Send adds one message. When it returns nil, the message is in the queue.
	Send(ctx context.Context, m Message) (Sent, error)
	// SendBatch adds 1 to 10 messages in the order of the slice. Where some are refused it returns
	// a [*BatchError], the others are in the queue, and the refused ones have a zero Sent. After
	// any other error none is.
	SendBatch(ctx context.Context, ms []Message) ([]Sent, error)
	// Receive takes messages for processing. See [ReceiveInput] for how many, and how long it
	// waits. It returns messages and nil, nothing and nil when none came in time, or an error, and
	// then nothing about any message has changed.
	Receive(ctx context.Context, in ReceiveInput) ([]Delivery, error)
	// Delete removes the message of a receive for good. Deleting a message that is gone already
	// succeeds.
	Delete(ctx context.Context, receiptHandle string) error
	// DeleteBatch is Delete for 1 to 10 handles; failed entries are in a [*BatchError].
	DeleteBatch(ctx context.Context, receiptHandles []string) error
	// ChangeVisibility makes the message visible again timeout from now, at most 12 hours; 0 or
	// [Zero] at once.
	ChangeVisibility(ctx context.Context, receiptHandle string, timeout time.Duration) error
	// ChangeVisibilityBatch is ChangeVisibility for 1 to 10 receives; failed entries are in a
	// [*BatchError].
	ChangeVisibilityBatch(ctx context.Context, changes []VisibilityChange) error
	// Purge removes all messages, in whatever state.
	Purge(ctx context.Context) error
	// Counts tells how many messages there are in each state.
	Counts(ctx context.Context) (Counts, error)
}

// Counts are the three numbers of messages that SQS tells (SQS: section 2.2). They are exact here.
type Counts struct {
	Visible    int // receivable; on FIFO also those that wait for their group
	NotVisible int // in flight, on their way to a dead-letter target, or waiting for its next try
	Delayed    int // in their initial delay, or returned with one
}

// Standard is a queue with best-effort order, oldest first. Create one with [NewStandard] or from a
// [Broker].
type Standard struct{ queue }

// FIFO is a queue that delivers messages of a group in order and accepts each deduplication id once
// in five minutes. Create one with [NewFIFO] or from a [Broker].
type FIFO struct{ queue }

var (
	_ Queue            = (*Standard)(nil)
	_ Queue            = (*FIFO)(nil)
	_ DeadLetterTarget = (*Standard)(nil)
	_ DeadLetterTarget = (*FIFO)(nil)
)

// queue is the engine under both types. Everything a program can observe happens in a critical
// section of mu that is one transition (see state). Nothing foreign runs inside: targets, observers
// and contexts are called with the lock released, and no code holds two queues' locks.
type queue struct {
	// Set by the constructor.
	name     string
	self     Queue // the *Standard or *FIFO around this
	arn      string
	broker   *Broker   // nil for a bare queue
	ids      *identity // nil in a queue that no constructor made
	fifo     *fifo     // nil on Standard; mu guards its groupState
	senderID string
	limit    int // messages in flight
	onTimer  func()
	onDue    func(slot uint32)
	onPlace  func(slot uint32, pos int32) // keeps the positions of ready messages in their heap
	created  time.Time

	settings atomic.Pointer[settings] // written under mu
	spare    atomic.Pointer[waiter]   // one to use again, so that a long poll does not allocate

	// What is above is only read, and stays in the caches of all processors while others hold the
	// lock.
	_ [64]byte

	mu sync.Mutex // guards everything below

	// What every call needs comes first and close together: a contended queue costs the transfer of
	// these lines from one processor to the next.

	gone       error // ErrClosed or ErrQueueDoesNotExist once the queue has ended
	last       int64 // latest time seen; time never goes back
	armed      int64 // when the timer fires; never later than the next deadline. math.MaxInt64: not armed
	seq        uint64
	counts     [classes]int
	bytes      int64   // bodies and attributes of live messages
	plain      bool    // neither FIFO nor fair: messages without anything special take the short path
	rearm      bool    // armed was lowered in this critical section
	draining   bool    // more messages are due than one step takes
	delivering bool    // a goroutine is delivering events
	observed   bool    // there is an observer
	events     []Event // not yet delivered
	waiters    waiters
	timeouts   timeouts // delays, visibility timeouts, backoffs
	store      store    // every message, whatever its state
	main       tenant   // Standard: messages without a group. FIFO: its list of arrivals holds all
	metrics    metrics

	fair      *fair     // Standard: tenants; nil until the first message with a group
	expiring  pq.Heap   // messages that expire out of the order of arrival, by enqueue time; positions in rare.expiry
	waitSlots []*waiter // by id in deadlines
	deadlines pq.Heap   // ends of long polls
	timer     *time.Timer
	task      *MoveTask   // the running one
	tasks     []*MoveTask // oldest first, at most moveTasksKept
	eventSeq  uint64
	modified  time.Time
	lastPurge int64
	purged    bool // lastPurge is set
}

// NewStandard makes an empty Standard queue. The name has 1 to 80 letters, digits, hyphens and
// underscores (SQS: NAM-1). A bad name is refused with [ErrInvalidParameter], an option out of
// range as [Option] says. The queue needs no goroutine; Close releases its timer and its messages.
func NewStandard(name string, opts ...StandardOption) (*Standard, error) {
	return newStandard(name, localRegion, localAccount, nil, opts)
}

// NewFIFO makes an empty FIFO queue. The name is made like that of a Standard queue and ends in
// ".fifo", which counts towards the 80 characters (SQS: NAM-2). A bad name is refused with
// [ErrInvalidParameter], an option out of range as [Option] says. The queue needs no goroutine;
// Close releases its timer and its messages.
func NewFIFO(name string, opts ...FIFOOption) (*FIFO, error) {
	return newFIFO(name, localRegion, localAccount, nil, opts)
}

// Region and account of queues that belong to no broker.
const (
	localRegion  = "local"
	localAccount = "000000000000"
)

func newStandard(name, region, account string, b *Broker, opts []StandardOption) (*Standard, error) {
	if err := checkName(name, false); err != nil {
		return nil, err
	}
	var p patch
	for _, o := range opts {
		if o != nil {
			o.applyStandard(&p)
		}
	}
	s := defaultSettings().with(&p)
	if err := s.validate(false); err != nil {
		return nil, err
	}
	q := &Standard{}
	q.init(name, arn(region, account, name), q, b, &s)
	return q, nil
}

func newFIFO(name, region, account string, b *Broker, opts []FIFOOption) (*FIFO, error) {
	if err := checkName(name, true); err != nil {
		return nil, err
	}
	var p patch
	for _, o := range opts {
		if o != nil {
			o.applyFIFO(&p)
		}
	}
	s := defaultSettings().with(&p)
	if err := s.validate(true); err != nil {
		return nil, err
	}
	q := &FIFO{}
	q.fifo = newFIFOState(s.scope)
	q.init(name, arn(region, account, name), q, b, &s)
	return q, nil
}

func arn(region, account, name string) string {
	return "arn:aws:sqs:" + region + ":" + account + ":" + name
}

// init is called once, before the queue is shared.
func (q *queue) init(name, arn string, self Queue, b *Broker, s *settings) {
	q.name, q.arn, q.self, q.broker = name, arn, self, b
	q.ids = newIdentity(q.fifo != nil)
	if q.fifo != nil {
		q.fifo.identify(q.ids)
	}
	q.created = q.ids.epoch
	q.modified = q.ids.epoch
	q.senderID = s.sender
	q.limit = maxInFlight
	if s.unlimited {
		q.limit = maxSlots
	}
	q.settings.Store(s.finish())
	q.observed = s.observer != nil
	q.armed = never
	// A method value made at each use would tie the timer to the functions that arm it, and escape
	// analysis would give up on their buffers.
	q.onTimer = q.timerFired
	q.onDue = q.dueLocked
	q.onPlace = func(slot uint32, pos int32) { q.store.nodes.At(slot).Next = uint32(pos) }
	q.store.isFIFO = q.fifo != nil
	q.resetLocked()
	q.deadlines.Track(func(id uint32, pos int32) { q.waitSlots[id].pos = pos })
}

// resetLocked empties every container of messages. What belongs to the queue rather than to its
// messages stays. It needs no walk: what is dropped is left to the garbage collector. q.mu must be
// held.
func (q *queue) resetLocked() {
	q.store.reset()
	q.timeouts.reset(&q.store.nodes)
	q.main = tenant{}
	q.main.ready.heap.Track(q.onPlace)
	q.expiring = pq.Heap{}
	q.expiring.Track(func(slot uint32, pos int32) { q.store.at(slot).rare.expiry = pos })
	q.counts = [classes]int{}
	q.bytes = 0
	q.fair = nil
	q.plain = q.fifo == nil
	if q.fifo != nil {
		q.fifo.reset()
	}
}

const (
	never    = int64(math.MaxInt64) // a time that does not come
	maxSlots = math.MaxInt32
)

// after adds a duration to a time; a sum past the end of time never comes.
func after(at int64, d time.Duration) int64 {
	if sum := at + int64(d); sum >= at && d != Forever {
		return sum
	}
	return never
}

// enter locks the queue and returns the time, or the reason why the queue is gone, and then it is
// not locked. The clock is read once, before the lock, because that costs as much as the rest of a
// critical section. A caller that had to wait for the lock reads it again: its timeouts must not
// start early. The lock is mostly held for less time than the clock takes, so a caller reads the
// clock and tries again before it waits and then has to read it while others wait for the lock.
func (q *queue) enter() (now int64, err error) {
	if q.ids == nil {
		return 0, ErrClosed
	}
	now = int64(time.Since(q.ids.epoch))
	for tries := 0; !q.mu.TryLock(); tries++ {
		if tries == lockTries {
			q.mu.Lock()
			now = int64(time.Since(q.ids.epoch))
			break
		}
		now = int64(time.Since(q.ids.epoch))
	}
	if q.gone != nil {
		err = q.gone
		q.mu.Unlock()
		return 0, err
	}
	if now < q.last {
		if now < 0 {
			q.mu.Unlock()
			return 0, q.otherBubble()
		}
		now = q.last
	}
	q.last = now
	return now, nil
}

// otherBubble refuses a call where the clock stands before the time the queue was made at. Only
// bubbles have such clocks. What the queue was told to wait for would never come, and its timer would
// fire for ever.
func (q *queue) otherBubble() error {
	return &ParamError{Err: ErrInvalidParameter, Param: "QueueUrl", Value: q.name,
		Reason: "the queue was made outside of this testing/synctest bubble, where it is another year; make it inside"}
}

// lockTries is how often enter tries for the lock before it waits.
const lockTries = 4

// leave hands out what became receivable, arms the timer, unlocks, and delivers events.
func (q *queue) leave(now int64) {
	if q.waiters.head == nil && !q.rearm && len(q.events) == 0 {
		q.mu.Unlock()
		return
	}
	if q.waiters.head != nil {
		q.serveLocked(now)
	}
	q.unlock(now)
}

// unlock is leave without serving waiters.
func (q *queue) unlock(now int64) {
	if q.rearm {
		q.rearm = false
		q.armLocked(now)
	}
	if len(q.events) == 0 {
		q.mu.Unlock()
		return
	}
	q.deliverEvents() // unlocks
}

// scheduleLocked makes sure that the timer fires no later than at. Only an earlier deadline touches
// the timer; one that is cancelled costs one wake-up for nothing, later. q.mu must be held.
func (q *queue) scheduleLocked(at int64) {
	if at < q.armed {
		q.armed, q.rearm = at, true
	}
}

// armLocked sets the timer to q.armed. q.mu must be held.
func (q *queue) armLocked(now int64) {
	d := time.Duration(max(q.armed-now, 0))
	if q.timer == nil {
		q.timer = time.AfterFunc(d, q.onTimer)
		return
	}
	q.timer.Reset(d)
}

// stepBudget bounds what one critical section does about deadlines, so that a sender never waits
// for a million messages that time out together: 256 are some 20 µs.
const stepBudget = 256

// timerFired carries out what is due, in bounded steps, and arms the timer for what comes next. It
// may run twice at once, when the timer is reset while it fires; both find consistent state.
func (q *queue) timerFired() {
	for steps := 1; ; steps++ {
		now, err := q.enter()
		if err != nil {
			return
		}
		more := q.stepLocked(now)
		q.draining = more
		q.serveLocked(now)
		more = q.endWaitsLocked(now, more) || more
		more = q.fifo != nil && q.fifo.forget(now) || more
		if more {
			// armed stays in the past: others neither arm the timer meanwhile nor take the state
			// for settled.
			watched := len(q.events) != 0
			q.armed, q.rearm = now, watched
			q.unlock(now)
			if watched {
				return // the timer has gone on by itself: the observer may take its time, or end this goroutine
			}
			// Every step lets others at the lock. Giving up the processor each time would double
			// the time that a million timeouts take, and shortens no wait of a sender.
			if steps%2 == 0 {
				runtime.Gosched()
			}
			continue
		}
		q.armed = q.nextLocked()
		q.rearm = q.armed != never
		q.unlock(now)
		return
	}
}

// settleLocked carries out a bounded part of what is due. It is called before the state of messages
// is looked at, since the timer may be late. Waiters are served first: they were there before. q.mu
// must be held.
func (q *queue) settleLocked(now int64) (more bool) {
	if q.armed > now {
		return false
	}
	more = q.stepLocked(now)
	q.draining = more
	if q.waiters.head != nil {
		q.serveLocked(now)
	}
	return more
}

// catchUpLocked is called before a new message is added. What is due at this instant happens before
// it comes, so that a message which LC-5 moves to the back stands in front of it. While a lot is
// carried out in steps a sender does not take part: it would wait for what is none of its business.
// q.mu must be held.
func (q *queue) catchUpLocked(now int64) {
	if q.armed <= now && !q.draining {
		q.settleLocked(now)
	}
}

// enterSettled is enter with everything carried out that is due, in bounded critical sections: for
// calls that look at all messages.
func (q *queue) enterSettled() (now int64, err error) {
	for {
		now, err = q.enter()
		if err != nil || !q.settleLocked(now) {
			return now, err
		}
		q.unlock(now)
		runtime.Gosched()
	}
}

// checkContext refuses what every call refuses. A queue that no constructor made is as good as
// closed.
func (q *queue) checkContext(ctx context.Context) error {
	if q.ids == nil {
		return ErrClosed
	}
	return checkContext(ctx)
}

func checkContext(ctx context.Context) error {
	if ctx == nil {
		return errNoContext()
	}
	return ctx.Err()
}

func errNoContext() error {
	return &ParamError{Err: ErrMissingParameter, Param: "ctx", Reason: "must not be nil"}
}

// refused returns err, for which a call is refused before it locks the queue, unless the queue is
// gone: that comes first (SQS: order of checks).
func (q *queue) refused(err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gone != nil {
		return q.gone
	}
	return err
}

// Name returns the queue's name.
func (q *queue) Name() string { return q.name }

// ARN returns the queue's Amazon resource name. Queues that belong to no broker are in region
// "local" and account 000000000000.
func (q *queue) ARN() string { return q.arn }

// Counts tells how many messages there are in each state at this instant (SQS: CNT-1..3).
func (q *queue) Counts(ctx context.Context) (Counts, error) {
	if err := q.checkContext(ctx); err != nil {
		return Counts{}, err
	}
	now, err := q.enterSettled()
	if err != nil {
		return Counts{}, err
	}
	c := q.countsLocked()
	q.leave(now)
	return c, nil
}

func (q *queue) countsLocked() Counts {
	return Counts{Visible: q.counts[classVisible], NotVisible: q.counts[classNotVisible], Delayed: q.counts[classDelayed]}
}

// Purge removes all messages, ready, delayed and in flight, and forgets deduplication and attempt
// ids (SQS: MGT-4, FIFO-23). A queue of a [Broker] can be purged once in 60 seconds, otherwise the
// call is refused with [ErrPurgeInProgress]. A queue without a broker can always be purged.
func (q *queue) Purge(ctx context.Context) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	now, err := q.enter()
	if err != nil {
		return err
	}
	if q.broker != nil && q.broker.cooldown && q.purged && now-q.lastPurge < int64(cooldown) {
		q.leave(now)
		return &ParamError{Err: ErrPurgeInProgress, Param: "QueueName", Value: q.name,
			Reason: "only one purge is allowed every 60 seconds"}
	}
	q.lastPurge, q.purged = now, true
	q.emitLocked(now, Event{Kind: EventPurged, Count: q.store.live})
	q.metrics.purged += uint64(q.store.live)
	q.resetLocked()
	q.leave(now)
	return nil
}

// Close ends the queue: its messages are dropped, receives that wait return [ErrClosed], a running
// move task is cancelled, and later calls return ErrClosed. It always returns nil and can be called
// again.
func (q *queue) Close() error {
	q.end(ErrClosed)
	return nil
}

// end closes the queue with the error that later calls return.
func (q *queue) end(reason error) {
	now, err := q.enter()
	if errors.Is(err, ErrInvalidParameter) { // in another bubble; it ends all the same
		q.mu.Lock()
		now, err = q.last, q.gone
		if err != nil {
			q.mu.Unlock()
		}
	}
	if err != nil {
		return
	}
	q.gone = reason
	if q.timer != nil {
		q.timer.Stop()
	}
	q.armed, q.rearm = never, false
	for w := q.waiters.head; w != nil; w = q.waiters.head {
		q.wakeLocked(w, reason)
	}
	task := q.task
	q.emitLocked(now, Event{Kind: EventClosed, Count: q.store.live})
	q.resetLocked()
	if task != nil {
		defer task.cancel()
	}
	q.unlock(now)
}

// nextLocked returns the earliest time at which something is due. It is never too late and may be
// too early. q.mu must be held.
func (q *queue) nextLocked() int64 {
	next := q.timeouts.next(&q.store)
	if q.deadlines.Len() != 0 {
		next = min(next, q.deadlines.Min().Key)
	}
	next = min(next, q.nextExpiryLocked())
	if q.fifo != nil {
		next = min(next, q.fifo.next(q))
	}
	return next
}

// stepLocked carries out deadlines of messages up to now, at most stepBudget of each kind, and
// reports whether more are due. Ids to forget and waits to end are left to the timer: no call needs
// to wait for these. q.mu must be held.
func (q *queue) stepLocked(now int64) (more bool) {
	more = !q.timeouts.advance(&q.store, now, stepBudget, q.onDue)
	if q.fifo != nil {
		more = q.arriveFIFOLocked(now) || more
	}
	return q.expireLocked(now) || more
}
