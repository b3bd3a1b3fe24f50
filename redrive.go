package inq

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/google/uuid"
)

// A DeadLetterTarget takes messages that were received too often without being deleted. [*Standard]
// and [*FIFO] are targets, and so are [DeadLetterFunc], [DeadLetterFile] and [DeadLetterLog].
//
// The message stays in its queue, where nobody can receive it, until DeadLetter returns: on nil it
// is removed. Where the error matches [ErrClosed] or [ErrQueueDoesNotExist] the target is gone for
// good, and the message is delivered as if there were none (SQS: DLQ-8). On any other error, and
// when DeadLetter panics, the message stays, is offered again after 1 second, then 2, up to once a
// minute, and is not delivered meanwhile; in a FIFO queue its group waits. So a message is always
// in at least one place. A target that fails after it stored the message will see it again.
//
// DeadLetter is called by a receive in its own goroutine, with no lock held, by several at once.
// Its ctx ends after 30 seconds and not with the receive. A target that does not heed it keeps that
// one receive waiting.
type DeadLetterTarget interface {
	DeadLetter(ctx context.Context, d DeadLetter) error
}

// DeadLetter is a message on its way to a dead-letter target, with what its queue knows of it. The
// JSON form is what [DeadLetterFile] writes; a body that is not valid UTF-8 is in base64 there, as
// bodyBase64.
type DeadLetter struct {
	ID              string               `json:"id"`
	Body            string               `json:"body"`
	Attributes      map[string]Attribute `json:"attributes,omitempty"` // shared and read only
	GroupID         string               `json:"groupId,omitempty"`
	DeduplicationID string               `json:"deduplicationId,omitempty"`
	SequenceNumber  string               `json:"sequenceNumber,omitempty"`
	TraceHeader     string               `json:"traceHeader,omitempty"`
	SenderID        string               `json:"senderId,omitempty"`
	Source          string               `json:"source"` // name of the queue
	SourceARN       string               `json:"sourceArn"`
	Reason          string               `json:"reason"`
	ReceiveCount    int                  `json:"receiveCount"`
	SentAt          time.Time            `json:"sentAt"`
	FirstReceivedAt time.Time            `json:"firstReceivedAt"`

	from *queue // where the hand-over began, so that a move task finds the way back
	lent string // SenderID where the sender gave none and it is that of the queue
}

// handOverTime is how long a target has.
const handOverTime = 30 * time.Second

// choresAtOnce bounds the messages one receive takes on to hand over before it looks for others
// again.
const choresAtOnce = 16

// chore is one message to be handed over.
type chore struct {
	ref
	target DeadLetterTarget
	letter DeadLetter
}

// errTargetQuit is the failure of a target or a destination that ended its goroutine.
var errTargetQuit = errors.New("inq: the target of a message did not return")

// takeOrBury is a receive on a queue with a dead-letter target (SQS: DLQ-4): messages received
// often enough are handed over instead of delivered, and it goes on to others. It is called with
// q.mu held. With done it has unlocked and ds and err are the answer. Otherwise there is nothing to
// receive, and q.mu is held again, at the time now.
//
// Messages it finds while others must be handed over are held, not leased, so that their visibility
// timeout starts when they are returned, and so that an error leaves them as they were.
func (q *queue) takeOrBury(ctx context.Context, now int64, more bool, c *receiveCall, dst []Delivery) (
	ds []Delivery, done bool, _ int64, err error) {

	most := c.max
	if dst != nil {
		most = min(most, len(dst))
	}
	var few [maxBatch]ref
	held := few[:0]
	for {
		if c.attempt != "" { // each time: another receive may have been served under the id meanwhile
			room := dst
			if room == nil {
				room = make([]Delivery, c.max)
			}
			if n, ok := q.replayLocked(now, c, room[:min(c.max, len(room))]); ok {
				q.unholdLocked(held)
				q.leave(now)
				return room[:n], true, now, nil
			}
		}
		if len(held) > 0 {
			// Enough for an answer: what else is receivable now is left to the next receive.
			if ds = q.grantHeldLocked(now, c, dst, held); len(ds) > 0 {
				q.leave(now)
				return ds, true, now, nil
			}
			held = held[:0]
		}
		chores := q.pickLocked(now, most, &held)
		switch {
		case len(chores) > 0:
			if held, err = q.handOverAll(ctx, now, chores, held, most); err != nil {
				return nil, true, now, err
			}
		case len(held) > 0:
			ds = q.grantHeldLocked(now, c, dst, held)
			q.leave(now)
			return ds, true, now, nil
		case more:
			q.unlock(now)
			runtime.Gosched()
		default:
			return nil, false, now, nil
		}
		if now, err = q.enter(); err != nil {
			return nil, true, now, err
		}
		more = q.settleLocked(now)
	}
}

// pickLocked holds messages to deliver and takes on those to hand over. q.mu must be held.
func (q *queue) pickLocked(now int64, most int, held *[]ref) (chores []chore) {
	s := q.settings.Load()
	if q.fifo != nil {
		q.fifo.run = 0
	}
	for len(*held) < most && len(chores) < choresAtOnce && q.counts[classNotVisible] < q.limit {
		slot := q.peekLocked(now)
		if slot == 0 {
			break
		}
		r := q.store.at(slot)
		q.holdLocked(slot, r)
		if !s.buries(r) {
			*held = append(*held, ref{slot, r.seq})
			continue
		}
		if q.fifo != nil {
			q.fifo.run = 0 // what follows in the group waits for the outcome
		}
		reason := fmt.Sprintf("received as often as allowed: %d", r.receivesHere())
		chores = append(chores, q.startBuryLocked(slot, r, s.target, reason))
	}
	return chores
}

// buries reports whether a message was received as often as the redrive policy allows.
func (s *settings) buries(r *record) bool {
	return s.target != nil && r.receivesHere() >= uint32(s.maxReceives)
}

// startBuryLocked makes a message that is held, or in flight with its deadline cancelled, one that
// is being handed over. q.mu must be held.
func (q *queue) startBuryLocked(slot uint32, r *record, target DeadLetterTarget, reason string) chore {
	r.state = stateBurying // counted like held and in flight
	var s Snapshot
	q.snapshotLocked(&s, slot, r)
	return chore{ref: ref{slot, r.seq}, target: target, letter: DeadLetter{
		ID: s.ID, Body: s.Body, Attributes: s.Attributes, GroupID: s.GroupID, DeduplicationID: s.DeduplicationID,
		SequenceNumber: s.SequenceNumber, TraceHeader: s.TraceHeader, SenderID: s.SenderID,
		Source: q.name, SourceARN: q.arn, Reason: reason, ReceiveCount: s.ReceiveCount,
		SentAt: s.SentAt, FirstReceivedAt: s.FirstReceivedAt, from: q, lent: s.lent,
	}}
}

// grantHeldLocked leases what is still held and returns the deliveries. Messages may have expired
// or been purged or deleted meanwhile. q.mu must be held.
func (q *queue) grantHeldLocked(now int64, c *receiveCall, dst []Delivery, held []ref) []Delivery {
	if len(held) == 0 {
		return nil
	}
	if dst == nil {
		dst = make([]Delivery, len(held))
	}
	n := 0
	for _, rf := range held {
		if r := q.store.find(rf.slot, rf.seq); r != nil && r.state == stateHeld {
			q.grantLocked(now, c, &dst[n], rf.slot, r)
			n++
		}
	}
	q.grantedLocked(now, c, dst[:n])
	q.repeatLocked(now, c.attempt)
	return dst[:n]
}

// handOverAll unlocks and hands messages over one by one. It returns what is held for delivery
// then: what was, and messages whose target is gone. Between two of them it looks at ctx; once that
// has ended, everything not yet handed over is as it was.
func (q *queue) handOverAll(ctx context.Context, now int64, chores []chore, held []ref, most int) (_ []ref, err error) {
	completed := false
	defer func() {
		if !completed { // ctx has ended, or a target or an observer has ended the goroutine
			q.restore(held, chores)
		}
	}()
	q.leave(now)
	for len(chores) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ch := chores[0]
		chores = chores[1:]
		q.handOver(ctx, &ch, &held, most)
	}
	completed = true
	return held, nil
}

// restore puts messages back that a receive had picked.
func (q *queue) restore(held []ref, chores []chore) {
	now, err := q.enter()
	if err != nil {
		return
	}
	for _, ch := range chores {
		held = append(held, ch.ref)
	}
	q.unholdLocked(held)
	q.leave(now)
}

// unholdLocked makes what is still held or to be handed over as it was. q.mu must be held.
func (q *queue) unholdLocked(held []ref) {
	for _, rf := range held {
		if r := q.store.find(rf.slot, rf.seq); r != nil && (r.state == stateHeld || r.state == stateBurying) {
			q.readyLocked(rf.slot, r)
		}
	}
}

// handOver gives one message to its target and carries out what follows from the answer. Where the
// target is gone, the message is held for delivery if held has fewer than most.
func (q *queue) handOver(ctx context.Context, ch *chore, held *[]ref, most int) {
	err := errTargetQuit
	defer func() { q.finishBury(ch, err, held, most) }()
	err = callTarget(ctx, ch)
}

// callTarget calls the target with its own time limit and turns a panic into an error.
func callTarget(ctx context.Context, ch *chore) (err error) {
	switch t := ch.target.(type) {
	case *Standard:
		return t.adopt(&ch.letter, true)
	case *FIFO:
		return t.adopt(&ch.letter, true)
	case deadLetterARN:
		return t.adopt(&ch.letter)
	}
	ch.letter.DeduplicationID = hashedID(ch.letter.DeduplicationID, ch.letter.Body)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handOverTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("inq: dead-letter target panicked: %v", p)
		}
	}()
	return ch.target.DeadLetter(ctx, ch.letter)
}

// backoff returns how long a message waits after its target failed for the nth time in a row.
func backoff(failures uint32) time.Duration {
	return min(time.Second<<min(failures-1, 6), time.Minute)
}

// finishBury ends a hand-over. The message may be gone meanwhile: deleted, purged or expired.
func (q *queue) finishBury(ch *chore, err error, held *[]ref, most int) {
	now, closed := q.enter()
	if closed != nil {
		return
	}
	defer q.leave(now)
	r := q.store.find(ch.slot, ch.seq)
	if r != nil && r.state != stateBurying {
		panic("bug: a message left its hand-over")
	}
	if err == nil {
		q.metrics.deadLettered++
		if r != nil {
			q.eventLocked(now, EventDeadLettered, ch.slot)
			q.detachLocked(ch.slot, r)
		}
		return
	}
	if r == nil {
		return
	}
	if errors.Is(err, ErrClosed) || errors.Is(err, ErrQueueDoesNotExist) {
		if len(*held) >= most {
			q.readyLocked(ch.slot, r)
			return
		}
		r.state = stateHeld
		*held = append(*held, ch.ref)
		return
	}
	q.failedLocked(now, ch, err)
	ra := q.rareLocked(r)
	if ra.failedAt != r.receive { // delivered meanwhile, since the redrive policy was changed
		ra.failures, ra.failedAt = 0, r.receive
	}
	ra.failures++
	r.state = stateBackoff
	q.deadlineLocked(ch.slot, r, after(now, backoff(ra.failures)))
}

// failedLocked notes a failure of the target. q.mu must be held.
func (q *queue) failedLocked(now int64, ch *chore, err error) {
	q.metrics.deadFailed++
	if q.observed {
		q.emitMessageLocked(now, Event{Kind: EventDeadLetterFailed, Err: err}, ch.slot)
	}
}

// takeBeforeChoreLocked leases messages for a waiter as long as none must be handed over. Where the
// first one must, it wakes the waiter to do that in its own goroutine: whoever sends, deletes or
// runs the timer never calls a target. q.mu must be held.
func (q *queue) takeBeforeChoreLocked(now int64, w *waiter, s *settings) (n int) {
	if w.call.attempt != "" {
		if n, ok := q.replayLocked(now, &w.call, w.dst); ok {
			return n
		}
	}
	if q.fifo != nil {
		q.fifo.run = 0
	}
	most := min(w.call.max, len(w.dst), q.limit-q.counts[classNotVisible])
	for n < most {
		slot := q.peekLocked(now)
		if slot == 0 || s.buries(q.store.at(slot)) {
			if slot != 0 && n == 0 && q.waiters.chore == nil {
				w.retry, q.waiters.chore = true, w
				q.wakeLocked(w, nil)
			}
			break
		}
		r := q.store.at(slot)
		q.holdLocked(slot, r)
		q.grantLocked(now, &w.call, &w.dst[n], slot, r)
		n++
	}
	q.grantedLocked(now, &w.call, w.dst[:n])
	return n
}

// retry is the turn of a waiter that was woken to hand messages over. Without done it found nothing
// to receive, and q.mu is held: the waiter goes back to its place in line.
func (q *queue) retry(ctx context.Context, w *waiter, deadline int64) (ds []Delivery, done bool, now int64, err error) {
	now, err = q.enter()
	if err != nil {
		return nil, true, now, err
	}
	more := q.settleLocked(now) // before the line is open again: w is the first in it
	q.waiters.chore = nil
	if err := ctx.Err(); err != nil {
		q.leave(now) // another waiter takes over
		return nil, true, now, err
	}
	ds, done, now, err = q.takeOrBury(ctx, now, more, &w.call, w.dst)
	if done {
		return ds, true, now, err
	}
	if now >= deadline {
		q.metrics.emptyReceives++
		q.leave(now)
		return nil, true, now, nil
	}
	return nil, false, now, nil
}

// Bury hands the message of a receive to the dead-letter target now, and tells it the reason. It is
// beyond SQS: for messages of which the consumer knows that no retry will help.
//
// When it returns nil the target has the message and the queue has it no more. Where the target
// fails, its error is returned, wrapped, and the message is in flight as before; if its timeout
// passed meanwhile, it can be received again. The target is called with the values of ctx, not its
// end, and has 30 seconds.
//
// Only the latest handle of a message in flight will do: [ErrReceiptHandleExpired] otherwise,
// [ErrNotInFlight] where the message is gone, [ErrNoDeadLetterTarget] where the queue has no
// target. Handles that are empty or of another queue are refused as by Delete.
func (q *queue) Bury(ctx context.Context, receiptHandle, reason string) error {
	rc, err := q.ids.parse(receiptHandle)
	if err != nil {
		return q.refusedHandle(ctx, err)
	}
	return q.buryReceipt(ctx, rc, reason)
}

func (q *queue) buryReceipt(ctx context.Context, rc receipt, reason string) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	now, err := q.enter()
	if err != nil {
		return err
	}
	r, err := q.findCurrentLocked(now, rc)
	target := q.settings.Load().target
	if err == nil && target == nil {
		err = &ParamError{Err: ErrNoDeadLetterTarget, Param: "RedrivePolicy", Reason: "set one with WithDeadLetter"}
	}
	if err != nil {
		q.leave(now)
		return err
	}
	q.timeouts.remove(&q.store, rc.slot, r)
	deadline := q.store.nodes.At(rc.slot).Deadline
	ch := q.startBuryLocked(rc.slot, r, target, reason)
	err = errTargetQuit
	defer func() { q.finishOwnBury(&ch, err, deadline) }()
	q.leave(now)
	if err = callTarget(ctx, &ch); err != nil {
		return fmt.Errorf("inq: dead-letter target: %w", err)
	}
	return nil
}

// finishOwnBury ends a hand-over that the consumer asked for.
func (q *queue) finishOwnBury(ch *chore, err error, deadline int64) {
	if err == nil {
		q.finishBury(ch, nil, nil, 0)
		return
	}
	now, closed := q.enter()
	if closed != nil {
		return
	}
	if r := q.store.find(ch.slot, ch.seq); r != nil {
		q.failedLocked(now, ch, err)
		if deadline <= now {
			q.releaseLocked(now, ch.slot, r)
		} else {
			r.state = stateInFlight
			q.deadlineLocked(ch.slot, r, deadline)
		}
	}
	q.leave(now)
}

// DeadLetter takes a dead letter of another queue, which makes a queue a [DeadLetterTarget]. The
// message keeps its id, body, attributes, trace header, sender, receive count and time of its first
// receive; on Standard also the time it was sent. It has no delay, is never dropped as a duplicate,
// and does not count as sent (SQS: DLQ-5..7, FIFO-24). The errors are those of Send for the
// content, [ErrFull] where the queue is at its capacity, and [ErrInvalidParameter] where it comes
// from the other type of queue.
func (q *queue) DeadLetter(ctx context.Context, d DeadLetter) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	// A function may have changed what a queue of this process gave it, so that d.from proves
	// nothing.
	m := Message{Body: d.Body, Attributes: d.Attributes, GroupID: d.GroupID, TraceHeader: d.TraceHeader, SenderID: d.SenderID}
	if _, err := m.check(q.settings.Load()); err != nil {
		return q.refused(err)
	}
	d.Attributes = cloneAttributes(d.Attributes)
	return q.adopt(&d, true)
}

// adopt adds a message of another queue: a dead letter, or a new message with its content.
func (q *queue) adopt(d *DeadLetter, letter bool) error {
	if d.from != nil && (d.from.fifo != nil) != (q.fifo != nil) {
		return q.refused(&ParamError{Err: ErrInvalidParameter, Param: "DestinationArn", Value: q.arn,
			Reason: "must be of the same type as the source"})
	}
	if q.fifo != nil && d.GroupID == "" {
		return q.refused(&ParamError{Err: ErrMissingParameter, Param: "MessageGroupId", Value: "", Reason: "required by a FIFO queue"})
	}
	m := Message{Body: d.Body, Attributes: d.Attributes}
	size := m.size()
	ra := &rare{attributes: d.Attributes, attrBytes: size - len(d.Body), traceHeader: d.TraceHeader, senderID: d.SenderID,
		lentSender: d.SenderID == d.lent, movedIn: true, expiry: -1}
	p := payload{body: d.Body, rare: ra, group: d.GroupID, size: size, first: never}
	if letter {
		ra.sourceARN, ra.origin, ra.countBefore = d.SourceARN, d.from, uint32(max(d.ReceiveCount, 0))
		if id, err := uuid.Parse(d.ID); err == nil {
			ra.id = id
		}
		if !d.FirstReceivedAt.IsZero() {
			p.first = int64(d.FirstReceivedAt.Sub(q.ids.epoch))
		}
	}
	if q.fifo != nil {
		p.hash = q.fifo.groupHash(d.GroupID)
	}
	now, err := q.enterToSend(1, size)
	if err != nil {
		return err
	}
	s := q.settings.Load()
	if !q.fitsLocked(s, 1, size) {
		err := q.fullLocked(s, size)
		q.leave(now)
		return err
	}
	p.sent = now
	if letter && q.fifo == nil && !d.SentAt.IsZero() {
		p.sent = min(now, int64(d.SentAt.Sub(q.ids.epoch)))
	}
	slot := q.enqueueLocked(now, &p, s)
	if q.fifo != nil {
		ra.dedupID = q.idLocked(q.store.at(slot)).String()
	}
	q.metrics.movedIn++
	q.eventLocked(now, EventMovedIn, slot)
	if after(p.sent, s.retention) <= now { // a receive that waits must not have it
		q.expireOneLocked(now, slot)
	}
	q.leave(now)
	return nil
}
