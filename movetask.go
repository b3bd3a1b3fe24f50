package inq

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// RedriveInput says where a move task moves messages, and how fast.
type RedriveInput struct {
	// Destination takes all messages; a queue of this package must be of the same type as the
	// source. nil sends each message back to the queue it was dead-lettered from (SQS: MOV-5).
	Destination Queue
	// PerSecond bounds the rate, 1 to 500 messages a second; 0 means as fast as it goes (SQS:
	// MOV-6).
	PerSecond int
}

// MoveStatus is the state of a move task (SQS: MOV-7).
type MoveStatus string

// The states of SQS. All but the first two are final.
const (
	MoveRunning    MoveStatus = "RUNNING"
	MoveCancelling MoveStatus = "CANCELLING"
	MoveCompleted  MoveStatus = "COMPLETED"
	MoveCancelled  MoveStatus = "CANCELLED"
	MoveFailed     MoveStatus = "FAILED"
)

const (
	maxMoveRate   = 500
	moveTasksKept = 10
)

// A MoveTask moves the messages of a dead-letter queue elsewhere, see [Standard.Redrive]. Its
// methods are safe for concurrent use.
type MoveTask struct {
	id     string
	source *queue
	input  RedriveInput
	began  time.Time
	toMove int
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	wake   chan struct{} // holds one token when it is worth to look for a message again

	mu     sync.Mutex // guards everything below; nothing is locked inside
	status MoveStatus
	moved  int
	err    error
}

// ID returns the task's id, a UUID.
func (t *MoveTask) ID() string { return t.id }

// Source returns the name of the queue the messages are taken from.
func (t *MoveTask) Source() string { return t.source.name }

// Input returns what the task was started with.
func (t *MoveTask) Input() RedriveInput { return t.input }

// StartedAt returns when the task was started.
func (t *MoveTask) StartedAt() time.Time { return t.began }

// ToMove returns how many messages were visible when the task started: it moves that many at most
// (SQS: MOV-8).
func (t *MoveTask) ToMove() int { return t.toMove }

// Status returns what the task is doing.
func (t *MoveTask) Status() MoveStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status
}

// Moved returns how many messages were moved so far.
func (t *MoveTask) Moved() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.moved
}

// Err returns why a task failed, nil in every other state.
func (t *MoveTask) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Done is closed when the task has ended.
func (t *MoveTask) Done() <-chan struct{} { return t.done }

// Cancel stops the task and returns how many messages it had moved; these stay moved (SQS: MOV-9).
// The message under way at this moment may be moved yet. A task that is not running is refused with
// [ErrInvalidParameter].
func (t *MoveTask) Cancel() (moved int, err error) {
	t.mu.Lock()
	if t.status != MoveRunning {
		status := t.status
		t.mu.Unlock()
		return 0, &ParamError{Err: ErrInvalidParameter, Param: "TaskHandle", Value: t.id, Reason: "the task is " + string(status) + ", not running"}
	}
	t.status = MoveCancelling
	moved = t.moved
	t.mu.Unlock()
	t.cancel()
	return moved, nil
}

// Redrive starts a task that moves the messages of this queue, which is the dead-letter queue of
// others, back where they came from or to a destination of the caller (SQS: section 6, MOV-1..11).
// They arrive as new messages, with new ids and times and no receive counted, and never as
// duplicates.
//
// The task moves what is visible, the oldest first, on FIFO by groups in turn, at most as many
// messages as were visible at its start, and ends when none is visible any more. On FIFO it waits for
// visible messages that stand behind one in flight. A message it cannot move stays, and the task fails.
// The task outlives ctx; its values reach the destination.
//
// A queue has one task at a time: while it runs, another is refused with [ErrTaskRunning]. A rate
// out of range, and a destination that is the queue itself or of the other type, are refused with
// [ErrInvalidParameter]. In a [Broker] a queue that no other names in its redrive policy is refused
// with [ErrNotDeadLetterQueue].
func (q *queue) Redrive(ctx context.Context, in RedriveInput) (*MoveTask, error) {
	if err := q.checkContext(ctx); err != nil {
		return nil, err
	}
	if in.PerSecond < 0 || in.PerSecond > maxMoveRate {
		return nil, q.refused(&ParamError{Err: ErrInvalidParameter, Param: "MaxNumberOfMessagesPerSecond", Value: in.PerSecond, Min: 1, Max: maxMoveRate})
	}
	if err := q.checkDestination(in.Destination); err != nil {
		return nil, q.refused(err)
	}
	if q.account != nil && !q.account.isDeadLetterQueue(q) {
		return nil, q.refused(&ParamError{Err: ErrNotDeadLetterQueue, Param: "SourceArn", Value: q.arn,
			Reason: "must be the dead-letter queue of a queue"})
	}
	t := &MoveTask{id: uuid.NewString(), source: q, input: in, done: make(chan struct{}), wake: make(chan struct{}, 1), status: MoveRunning}
	t.ctx, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
	now, err := q.enterSettled()
	if err != nil {
		t.cancel()
		return nil, err
	}
	if q.task != nil {
		_ = q.leave(now)
		t.cancel()
		return nil, &ParamError{Err: ErrTaskRunning, Param: "SourceArn", Value: q.arn, Reason: "one task at a time"}
	}
	t.began = q.ids.time(now)
	t.toMove = q.counts[classVisible]
	q.task = t
	q.tasks = append(q.tasks, t)
	if len(q.tasks) > moveTasksKept {
		q.tasks = slices.Delete(q.tasks, 0, 1)
	}
	go t.run() // first of all: an observer may end this goroutine
	_ = q.leave(now)
	return t, nil
}

// checkDestination refuses a queue of this package that cannot take the messages of q.
func (q *queue) checkDestination(d Queue) error {
	to := localQueue(d)
	reason := ""
	switch {
	case d == nil || to == nil:
		return nil
	case to.ids == nil || (to.fifo != nil) != (q.fifo != nil):
		reason = "must be of the same type as the source"
	case to == q:
		reason = "must not be the source"
	default:
		return nil
	}
	return &ParamError{Err: ErrInvalidParameter, Param: "DestinationArn", Value: to.arn, Reason: reason}
}

// MoveTasks returns the last 10 move tasks of this queue, newest first.
func (q *queue) MoveTasks() []*MoveTask {
	q.mu.Lock()
	ts := slices.Clone(q.tasks)
	q.mu.Unlock()
	slices.Reverse(ts)
	return ts
}

// run is the task's goroutine.
func (t *MoveTask) run() {
	err := errTargetQuit
	defer func() { t.finish(err) }() // also where a destination ends the goroutine
	err = t.move()
}

// finish ends the task, which failed unless err is nil.
func (t *MoveTask) finish(err error) {
	t.source.mu.Lock()
	t.source.task = nil
	t.source.errands &^= errandTask
	gone := t.source.gone
	t.source.mu.Unlock()
	t.mu.Lock()
	switch {
	case t.ctx.Err() != nil || gone != nil:
		t.status = MoveCancelled
	case err != nil:
		t.status, t.err = MoveFailed, err
	default:
		t.status = MoveCompleted
	}
	t.mu.Unlock()
	t.cancel()
	close(t.done)
}

// move moves messages until it is done, fails, or is cancelled.
func (t *MoveTask) move() error {
	var pace *time.Ticker
	if t.input.PerSecond > 0 {
		pace = time.NewTicker(time.Second / time.Duration(t.input.PerSecond))
		defer pace.Stop()
	}
	for n := range t.toMove {
		if pace != nil && n > 0 {
			select {
			case <-pace.C:
			case <-t.ctx.Done():
			}
		}
		l, err := t.next()
		if err != nil || l == nil {
			return err
		}
		if err := t.moveOne(l); err != nil {
			return err
		}
	}
	return nil
}

// next takes the next visible message, which counts as not visible until it is moved. Where all that is
// visible waits for what is in flight in its group, it waits too. It returns nil when none is visible any
// more, and when the task is cancelled.
func (t *MoveTask) next() (*letter, error) {
	for t.ctx.Err() == nil {
		l, blocked, err := t.source.startMove(t)
		if !blocked {
			return l, err
		}
		select {
		case <-t.wake:
		case <-t.ctx.Done():
		}
	}
	return nil, nil
}

// startMove takes a message for t. With blocked there are visible ones, and none can be taken: t is woken
// when that has changed.
func (q *queue) startMove(t *MoveTask) (l *letter, blocked bool, err error) {
	now, err := q.enterSettled()
	if err != nil {
		return nil, false, err
	}
	var taken [1]Delivery
	if n, _ := q.takeLocked(now, &receiveCall{max: 1, moves: true}, taken[:]); n == 0 {
		blocked = q.counts[classVisible] != 0
		if blocked {
			q.errands |= errandTask
		}
		return nil, blocked, q.leave(now)
	}
	slot := taken[0].receipt.slot
	r := q.store.at(slot)
	w := q.letterLocked(slot, r, nil, byMove, "")
	w.from, w.SourceARN = nil, ""
	if r.rare != nil {
		w.from, w.SourceARN = r.rare.origin, r.rare.sourceARN
	}
	// Events wait for the end of the move: an observer may end this goroutine.
	q.pause(now)
	return &w, false, nil
}

// wakeTaskLocked wakes a move task that waits, when it can have a message or nothing is visible any more.
func (q *queue) wakeTaskLocked() {
	if q.counts[classVisible] != 0 && q.nextReadyLocked(q.last) == 0 {
		return
	}
	q.errands &^= errandTask
	if q.task != nil {
		select {
		case q.task.wake <- struct{}{}:
		default:
		}
	}
}

// moveOne delivers one message to where it belongs.
func (t *MoveTask) moveOne(l *letter) (err error) {
	to := t.input.Destination
	if to == nil {
		if to, err = t.source.originOf(l); err != nil {
			return t.endMove(l, err)
		}
	}
	l.from = t.source
	if l.to = localQueue(to); l.to == nil {
		return t.moveAbroad(l, to)
	}
	var c carrier
	kept, err := c.deliver(l)
	if kept && err == nil {
		t.count()
	}
	c.finish()
	c.tell()
	return err
}

// moveAbroad sends one message to a destination that is no queue of this process.
func (t *MoveTask) moveAbroad(l *letter, to Queue) (err error) {
	err = errTargetQuit
	defer func() { err = t.endMove(l, err) }() // also where the destination, or an observer, ends the goroutine
	if now, gone := t.source.enter(); gone == nil {
		_ = t.source.leave(now) // what startMove left to be done, since the destination may take its time
	}
	m := l.Message()
	if t.source.fifo != nil {
		m.DeduplicationID = uuid.NewString()
	}
	err = sendTo(t.ctx, to, m)
	return err
}

// sendTo turns a panic of a destination into an error.
func sendTo(ctx context.Context, to Queue, m Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("inq: destination panicked: %v", p)
		}
	}()
	_, err = to.Send(ctx, m)
	return err
}

// endMove ends a move to something else than a queue of this process.
func (t *MoveTask) endMove(l *letter, err error) error {
	if err == nil {
		t.count()
	}
	if lost := t.source.settleCall(l, err); err == nil {
		err = lost
	}
	return err
}

func (t *MoveTask) count() {
	t.mu.Lock()
	t.moved++
	t.mu.Unlock()
}

// originOf returns the queue a message was dead-lettered from: by reference for bare queues, by ARN
// in an account, where the name may belong to a new queue by now.
func (q *queue) originOf(l *letter) (Queue, error) {
	here := l.from == nil || l.from.account == q.account
	if q.account != nil && here && l.SourceARN != "" {
		origin, err := q.account.queueOf(l.SourceARN)
		if err != nil {
			return nil, err
		}
		return origin.self, nil
	}
	if l.from == nil && q.journal != nil { // it came before a restart
		if origin := q.journal.owner.openQueue(l.SourceARN); origin != nil {
			return origin.self, nil
		}
	}
	if l.from == nil {
		return nil, ErrNoSource
	}
	return l.from.self, nil
}
