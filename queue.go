package inq

import (
	"context"
	"errors"
	"math"
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
// error of one that has already ended; then nothing was done. Only Receive waits; on a queue that is
// kept in a [Journal] the others wait for that too, whatever becomes of ctx meanwhile. After the queue
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

// queue is the engine under both types. Everything a program can observe happens in a critical
// section of mu that is one transition (see state). Nothing foreign runs inside: targets, observers
// and contexts are called with the lock released, and no code holds two queues' locks.
type queue struct {
	// Set by the constructor.
	name     string
	self     Local // the *Standard or *FIFO around this
	arn      string
	account  account       // nil for a bare queue
	journal  *queueJournal // nil: none; mu guards most of it
	keeper   *keeper       // of the settings; nil: nobody keeps them
	ids      *identity     // nil in a queue that no constructor made
	fifo     *fifo         // nil on Standard; mu guards its groupState
	senderID string
	onTimer  func()
	onDue    func(slot uint32)
	onPlace  func(slot uint32, pos int32) // keeps the positions of ready messages in their heap
	created  time.Time

	limit    int                      // messages in flight at most, as the settings say; read and written under mu
	settings atomic.Pointer[settings] // written under mu
	spare    atomic.Pointer[waiter]   // one to use again, so that a long poll does not allocate
	ended    atomic.Pointer[error]    // gone, for those who do not hold the lock

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
	bytes      int64    // bodies and attributes of live messages
	plain      bool     // neither FIFO nor fair, and no journal: messages without anything special take the short path
	ordered    bool     // FIFO, and no journal: the short paths of FIFO can be taken
	errands    errands  // what is to be done before or after unlocking
	draining   bool     // more messages are due than one step takes
	behind     bool     // receives wait that could have more, and somebody is about to serve them: a carrier or the timer
	delivering bool     // a goroutine is delivering events
	watched    bool     // there is an observer, a watcher or a journal
	heard      bool     // there is an observer or a watcher
	events     []Event  // not yet delivered
	letters    []letter // to be carried by whoever unlocks
	marked     int      // messages made burying since a carrier looked
	waiters    waiters
	timeouts   timeouts // delays, visibility timeouts, backoffs
	store      store    // every message, whatever its state
	main       tenant   // Standard: messages without a group. FIFO: its list of arrivals holds all
	metrics    metrics

	fair      *fair   // Standard: tenants; nil until the first message with a group
	expiring  pq.Heap // messages that expire out of the order of arrival, by enqueue time; positions in rare.expiry
	outbox    outbox
	adopting  int        // messages in the state adopted
	watchers  []*watcher // beside the observer; never changed in place
	waitSlots []*waiter  // by id in deadlines
	deadlines pq.Heap    // ends of long polls
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
	var p patch
	gather(&p, opts, StandardOption.applyStandard)
	return newStandard(name, queueARN(localRegion, localAccount, name), nil, &p)
}

// NewFIFO makes an empty FIFO queue. The name is made like that of a Standard queue and ends in
// ".fifo", which counts towards the 80 characters (SQS: NAM-2). A bad name is refused with
// [ErrInvalidParameter], an option out of range as [Option] says. The queue needs no goroutine;
// Close releases its timer and its messages.
func NewFIFO(name string, opts ...FIFOOption) (*FIFO, error) {
	var p patch
	gather(&p, opts, FIFOOption.applyFIFO)
	return newFIFO(name, queueARN(localRegion, localAccount, name), nil, &p)
}

// maxSlots is how many messages a queue can hold.
const maxSlots = math.MaxInt32

// Region and account in the ARNs of queues that belong to no broker.
const (
	localRegion  = "local"
	localAccount = "000000000000"
)

func newStandard(name, arn string, a account, p *patch) (*Standard, error) {
	s, err := settingsOf(name, false, p)
	if err != nil {
		return nil, err
	}
	q := &Standard{}
	if err := q.init(name, arn, q, a, s); err != nil {
		return nil, err
	}
	return q, nil
}

func newFIFO(name, arn string, a account, p *patch) (*FIFO, error) {
	s, err := settingsOf(name, true, p)
	if err != nil {
		return nil, err
	}
	q := &FIFO{}
	q.fifo = newFIFOState(s.scope)
	if err := q.init(name, arn, q, a, s); err != nil {
		return nil, err
	}
	return q, nil
}

func queueARN(region, account, name string) string {
	return "arn:aws:sqs:" + region + ":" + account + ":" + name
}

// init is called once, before the queue is shared.
func (q *queue) init(name, arn string, self Local, a account, s *settings) error {
	q.name, q.arn, q.self, q.account = name, arn, self, a
	q.ids = newIdentity(q.fifo != nil)
	if q.fifo != nil {
		q.fifo.identify(q.ids)
	}
	q.created = q.ids.epoch
	q.modified = q.ids.epoch
	q.senderID = s.sender
	q.limit = s.inFlight
	q.settings.Store(s.finish())
	q.heard = s.observer != nil
	q.watched = q.heard || q.journal != nil
	q.armed = never
	// A method value made at each use would tie the timer to the functions that arm it, and escape
	// analysis would give up on their buffers.
	q.onTimer = q.timerFired
	q.onDue = q.dueLocked
	q.onPlace = func(slot uint32, pos int32) { q.store.nodes.At(slot).Next = uint32(pos) }
	q.store.isFIFO = q.fifo != nil
	q.resetLocked()
	q.deadlines.Track(func(id uint32, pos int32) { q.waitSlots[id].pos = pos })
	if s.journal != nil {
		err := s.journal.open(q)
		if err == nil && s.journal.isClosed() { // meanwhile, and its Close may not have seen the queue
			_ = q.end(ErrClosed)
			err = ErrClosed
		}
		return err
	}
	return nil
}

// resetLocked empties every container of messages. What belongs to the queue rather than to its
// messages stays. It needs no walk: what is dropped is left to the garbage collector.
func (q *queue) resetLocked() {
	q.store.reset()
	q.timeouts.reset(&q.store.nodes)
	q.main = tenant{}
	q.main.ready.heap.Track(q.onPlace)
	q.expiring = pq.Heap{}
	q.expiring.Track(func(slot uint32, pos int32) { q.store.at(slot).rare.expiry = pos })
	q.counts = [classes]int{}
	q.bytes = 0
	q.outbox.reset()
	q.adopting = 0
	q.fair = nil
	q.plain = q.fifo == nil && q.journal == nil
	q.ordered = q.fifo != nil && q.journal == nil
	if q.fifo != nil {
		q.fifo.reset()
	}
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
	c := countsOf(&q.counts)
	_ = q.leave(now)
	return c, nil
}

// countsOf sums up what is counted by classes.
func countsOf(n *[classes]int) Counts {
	return Counts{Visible: n[classVisible], NotVisible: n[classInFlight] + n[classAside], Delayed: n[classDelayed]}
}

// Purge removes all messages, ready, delayed and in flight, and forgets deduplication and attempt
// ids (SQS: MGT-4, FIFO-23). A queue of a [Broker] can be purged once in 60 seconds, otherwise the
// call is refused with [ErrPurgeInProgress]. A queue without a broker can always be purged.
//
// With a [Journal] it waits as Delete does, and messages that are sent meanwhile stay. After
// [ErrJournalFull], when even the reserve is used up, and [ErrJournalFailed] all messages are still there.
func (q *queue) Purge(ctx context.Context) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	pause := int64(0)
	if q.account != nil {
		pause = int64(q.account.purgeCooldown())
	}
	now, err := q.enter()
	if err != nil {
		return err
	}
	if q.purged && now-q.lastPurge < pause {
		_ = q.leave(now)
		return &ParamError{Err: ErrPurgeInProgress, Param: "QueueName", Value: q.name,
			Reason: "only one purge is allowed every 60 seconds"}
	}
	q.lastPurge, q.purged = now, true
	if q.journal != nil {
		q.purgeForGoodLocked()
		return q.leave(now)
	}
	q.ownLocked(now, q.seq)
	q.tellQueueLocked(now, Event{Kind: EventPurged, Count: q.store.live})
	q.metrics.purged += uint64(q.store.live)
	q.resetLocked()
	return q.leave(now)
}

// Close ends the queue: its messages are dropped, receives that wait return [ErrClosed], a running
// move task is cancelled, and later calls return ErrClosed. It can be called again.
//
// With a [Journal] the messages are kept there instead, for the queue that is made under this name next;
// [Journal.Drop] and [Broker.DeleteQueue] remove them. Close then waits for what is under way, and returns
// what went wrong with that. It always returns nil without a journal.
func (q *queue) Close() error { return q.end(ErrClosed) }

// end closes the queue with the error that later calls return. Its own error is that of a journal.
func (q *queue) end(reason error) error {
	now, err := q.enter()
	if errors.Is(err, ErrInvalidParameter) { // in another bubble; it ends all the same
		q.mu.Lock()
		now, err = q.last, q.gone
		if err != nil {
			q.mu.Unlock()
		}
	}
	if err != nil {
		if q.journal == nil {
			return nil
		}
		q.mu.Lock()
		if err = nil; !q.journal.rested { // somebody else is about to
			_, err = q.restLocked(q.last)
		}
		q.mu.Unlock()
		return err
	}
	q.gone = reason
	q.ended.Store(&reason)
	if q.timer != nil {
		q.timer.Stop()
	}
	q.armed = never
	q.errands &^= errandArm
	for w := q.waiters.head; w != nil; w = q.waiters.head {
		q.wakeLocked(w, reason)
	}
	task := q.task
	if task != nil {
		defer task.cancel()
	}
	if q.journal != nil {
		now, err = q.restLocked(now)
		if q.timer != nil { // what was under way may have set it again
			q.timer.Stop()
		}
		q.armed = never
		q.errands &^= errandArm
	}
	q.ownLocked(now, q.seq)
	q.tellQueueLocked(now, Event{Kind: EventClosed, Count: q.store.live})
	q.resetLocked()
	q.behind = false
	_ = q.unlock(now)
	return err
}
