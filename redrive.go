package inq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// A DeadLetterTarget takes messages that were received too often without being deleted. [*Standard]
// and [*FIFO] are targets, and so are [DeadLetterFunc], [DeadLetterFile] and [DeadLetterLog].
//
// The message stays in its queue, where nobody can receive it, until DeadLetter returns: on nil it
// is removed. Where the error matches [ErrClosed] or [ErrQueueDoesNotExist] the target is gone, and the
// message is delivered as if there were none. On any other error, and when DeadLetter panics, the
// message stays, is offered again after 1 second, then 2, up to once a minute, and is not delivered
// meanwhile; in a FIFO queue its group waits. So a message is always in at least one place. A target
// that fails after it stored the message will see it again.
//
// No receive waits for a target. DeadLetter is called in goroutines of the queue, which exist only while
// there is something to hand over: at most 16 calls at once, and for one message of a FIFO group after
// the other. Its ctx ends after 30 seconds, when the queue is closed, and when the message is deleted
// meanwhile: then a target that has it already may keep it. A target that does not heed its ctx keeps
// one of the 16 places; with all of them taken like that, other messages wait as if it had failed.
//
// [Counts].NotVisible counts messages on their way, and those that wait for the next try. A program that
// ends when all work is done waits until all three counts are zero; a test in a [testing/synctest]
// bubble calls synctest.Wait, and sleeps where the target fails.
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

// letter is a message on its way out of its queue.
type letter struct {
	ref
	source *queue
	to     *queue // of this process; nil: a foreign target or destination
	way    way
	call   *targetCall // of the foreign target
	DeadLetter
}

// way is how a message came on its way, which decides what becomes of it should nobody take it.
type way uint8

const (
	byReceive way = iota // it was received often enough: it is offered again later
	byBury               // its consumer asked for it: it is in flight again
	byMove               // a move task: it is back where it stood
)

// errTargetQuit is the failure of a target or a destination that ended its goroutine.
var errTargetQuit = errors.New("inq: the target of a message did not return")

// targetQueue returns the queue of this process that is the target. local is false where the target is
// something else, and err says that the queue is gone.
func (s *settings) targetQueue() (to *queue, local bool, err error) {
	if t, ok := s.target.(deadLetterARN); ok {
		if to, err = t.account.queueOf(t.arn); err != nil {
			return nil, true, err
		}
	} else if to = localQueue(s.target); to == nil || to.ids == nil {
		return nil, false, nil
	}
	if gone := to.ended.Load(); gone != nil {
		return nil, true, *gone
	}
	return to, true, nil
}

// sendOffLocked sees to it that a message which is burying since just now is handed over: right after
// unlocking where the target is a queue of this process, else by a goroutine of the outbox.
func (q *queue) sendOffLocked(s *settings, slot uint32, r *record) {
	if to, local, _ := s.targetQueue(); local {
		q.letters = append(q.letters, q.letterLocked(slot, r, to, byReceive, usualReason(r)))
		q.errands |= errandLetters
		return
	}
	q.outbox.add(&q.store, slot, r)
	q.errands |= errandCalls
	q.scheduleLocked(q.outbox.stuckAt())
}

// usualReason is why a message is dead-lettered that nobody asked for.
func usualReason(r *record) string {
	return fmt.Sprintf("received as often as allowed: %d", r.receivesHere())
}

// letterLocked writes what the queue knows of a message that is burying. A deduplication id may be
// contentMark yet, since hashing takes too long here.
func (q *queue) letterLocked(slot uint32, r *record, to *queue, by way, reason string) letter {
	var s Snapshot
	q.snapshotLocked(&s, slot, r)
	return letter{ref: ref{slot, r.seq}, source: q, to: to, way: by, DeadLetter: DeadLetter{
		ID: s.ID, Body: s.Body, Attributes: s.Attributes, GroupID: s.GroupID, DeduplicationID: s.DeduplicationID,
		SequenceNumber: s.SequenceNumber, TraceHeader: s.TraceHeader, SenderID: s.SenderID,
		Source: q.name, SourceARN: q.arn, Reason: reason, ReceiveCount: s.ReceiveCount,
		SentAt: s.SentAt, FirstReceivedAt: s.FirstReceivedAt, from: q, lent: s.lent,
	}}
}

// sendOff unlocks and hands over what was marked under the lock, and what that leads to: see carry.
func (q *queue) sendOff(now int64) {
	var work []letter
	q.restLocked(now, &work)
	carry(work, q)
}

// restLocked serves the receives that wait, takes along what is to be handed over because of that, starts
// calls, and unlocks.
func (q *queue) restLocked(now int64, work *[]letter) {
	for {
		q.errands &^= errandCalls | errandLook
		q.startCallsLocked(now)
		if q.waiters.head != nil {
			q.serveLocked(now)
		}
		*work = append(*work, q.letters...)
		q.letters = nil
		again := q.errands&errandCalls != 0 || q.errands&errandLook != 0 && q.waiters.head != nil
		q.errands &^= errandLetters | errandLook
		q.pause(now)
		if !again {
			return
		}
		var err error
		if now, err = q.enter(); err != nil {
			return
		}
	}
}

// carry hands letters over to queues of this process, one after another. Then the receives that wait in the
// queues concerned are served, which may lead to more letters. At the end the events are delivered: while
// something is half done no observer may interrupt it.
func carry(work []letter, touched ...*queue) {
	for {
		for i := range work {
			_, _ = work[i].deliver()
			for _, q := range []*queue{work[i].source, work[i].to} {
				if !slices.Contains(touched, q) {
					touched = append(touched, q)
				}
			}
		}
		work = nil
		for _, q := range touched {
			if now, err := q.enter(); err == nil {
				q.restLocked(now, &work)
			}
		}
		if len(work) == 0 {
			break
		}
	}
	tellAll(touched)
}

// deliver moves a message into a queue of this process, in three critical sections, never two locks: the
// queue adopts it, hidden from everybody; the source lets go of it; the queue reveals it. A message that
// was deleted before the source let go is dropped there, so nobody receives what was deleted, and kept
// is false.
func (l *letter) deliver() (kept bool, err error) {
	adopted, err := l.to.adopt(&l.DeadLetter, l.way != byMove)
	kept = l.source.settleLetter(l, err)
	if err == nil {
		l.to.finishAdoption(adopted, kept)
	}
	return kept, err
}

// settleLetter ends a hand-over in the queue that the message came from; err says why it failed. kept is
// false where the message was gone by then: deleted, purged, expired, or closed with its queue.
func (q *queue) settleLetter(l *letter, err error) (kept bool) {
	now, closed := q.enter()
	if closed != nil {
		return false
	}
	if l.call != nil {
		q.outbox.end(l.slot, l.call)
		q.errands |= errandCalls // a place is free
	}
	r := q.store.find(l.slot, l.seq)
	kept = r != nil
	switch {
	case r == nil:
		if err == nil && l.to == nil && l.way != byMove {
			q.metrics.deadLettered++ // the target has it all the same
		}
	case err == nil && l.way == byMove:
		q.metrics.movedOut++
		q.letGoLocked(now, l.slot, r, EventMovedOut)
	case err == nil:
		q.metrics.deadLettered++
		q.letGoLocked(now, l.slot, r, EventDeadLettered)
	case l.way == byMove:
		q.putBackLocked(now, l.slot, r)
	case l.way == byBury:
		q.resumeLocked(now, l.slot, r, err)
	default:
		q.refuseLocked(now, l.slot, r, err)
	}
	q.errands |= errandLook
	q.pause(now)
	return kept
}

// refuseLocked is what follows when nobody takes a message that was received often enough. Where the
// target is gone the next receive delivers it as usual (SQS: DLQ-8).
func (q *queue) refuseLocked(now int64, slot uint32, r *record, cause error) {
	if !errors.Is(cause, ErrClosed) && !errors.Is(cause, ErrQueueDoesNotExist) {
		q.backOffLocked(now, slot, r, cause)
		return
	}
	q.rareLocked(r).spared = r.receive
	q.failedLocked(now, slot, cause)
	q.putBackLocked(now, slot, r)
}

// Bury hands the message of a receive to the dead-letter target now, and tells it the reason. It is
// beyond SQS: for messages of which the consumer knows that no retry will help.
//
// When it returns nil the target has the message and the queue has it no more. Where the target
// fails, its error is returned, wrapped, and the message is in flight as before; if its timeout
// passed meanwhile, it can be received again. Until then the handle is good for ChangeVisibility, which
// acts should the target fail, and for Delete, which ends the call of the target. The target is called
// with the values of ctx, not its end, and has 30 seconds.
//
// Only the latest handle of a message in flight will do: [ErrReceiptHandleExpired] otherwise,
// [ErrNotInFlight] where the message is gone or was deleted meanwhile, [ErrNoDeadLetterTarget] where the
// queue has no target. Handles that are empty or of another queue are refused as by Delete.
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handOverTime)
	defer cancel()
	now, err := q.enter()
	if err != nil {
		return err
	}
	s := q.settings.Load()
	r, err := q.findCurrentLocked(now, rc)
	if err == nil && s.target == nil {
		err = &ParamError{Err: ErrNoDeadLetterTarget, Param: "RedrivePolicy", Reason: "set one with WithDeadLetter"}
	}
	if err != nil {
		_ = q.leave(now)
		return err
	}
	to, local, err := s.targetQueue()
	if err != nil {
		q.failedLocked(now, rc.slot, err)
		_ = q.leave(now)
		return targetFailed(err)
	}
	q.buryLocked(now, rc.slot, r)
	l := q.letterLocked(rc.slot, r, to, byBury, reason)
	if !local {
		l.call = q.outbox.begin(rc.slot, now, cancel, false)
	}
	q.pause(now)
	if local {
		kept, err := l.deliver()
		carry(nil, q, to)
		if err == nil && !kept {
			return q.goneMessage(rc)
		}
		return targetFailed(err)
	}
	err = errTargetQuit
	defer func() { // also where the target ends the goroutine
		q.settleLetter(&l, err)
		carry(nil, q)
	}()
	err = callTarget(ctx, s.target, &l.DeadLetter)
	return targetFailed(err)
}

// targetFailed says whose error it is that Bury returns.
func targetFailed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("inq: dead-letter target: %w", err)
}

// DeadLetter takes a dead letter of another queue, which makes a queue a [DeadLetterTarget]. The
// message keeps its id, body, attributes, trace header, sender, receive count and time of its first
// receive; on Standard also the time it was sent. It has no delay, is never dropped as a duplicate,
// and does not count as sent (SQS: DLQ-5..7, FIFO-24). The errors are those of Send for the
// content and the size, [ErrFull] where the queue is at its capacity, and [ErrInvalidParameter] where it
// comes from the other type of queue. What a queue of this process hands over by itself may be larger
// than the maximum of this one: a FIFO group would wait for ever otherwise.
func (q *queue) DeadLetter(ctx context.Context, d DeadLetter) error {
	if err := q.checkContext(ctx); err != nil {
		return err
	}
	// A function may have changed what a queue of this process gave it, so that d.from proves
	// nothing.
	m := Message{Body: d.Body, Attributes: d.Attributes, GroupID: d.GroupID, TraceHeader: d.TraceHeader, SenderID: d.SenderID}
	s := q.settings.Load()
	size, err := m.check(s)
	if err == nil {
		err = checkSize(size, s)
	}
	if err != nil {
		return q.refused(err)
	}
	d.Attributes = cloneAttributes(d.Attributes)
	adopted, err := q.adopt(&d, true)
	if err == nil {
		q.finishAdoption(adopted, true)
	}
	carry(nil, q)
	return err
}

// adopt takes a message of another queue in: a dead letter, or a new message with its content. Nobody can
// receive it before finishAdoption.
func (q *queue) adopt(d *DeadLetter, asLetter bool) (adopted ref, err error) {
	if d.from != nil && (d.from.fifo != nil) != (q.fifo != nil) {
		return ref{}, q.refused(&ParamError{Err: ErrInvalidParameter, Param: "DestinationArn", Value: q.arn,
			Reason: "must be of the same type as the source"})
	}
	if q.fifo != nil && d.GroupID == "" {
		return ref{}, q.refused(&ParamError{Err: ErrMissingParameter, Param: "MessageGroupId", Value: "", Reason: "required by a FIFO queue"})
	}
	m := Message{Body: d.Body, Attributes: d.Attributes}
	size := m.size()
	ra := &rare{attributes: d.Attributes, attrBytes: size - len(d.Body), traceHeader: d.TraceHeader, senderID: d.SenderID,
		lentSender: d.SenderID == d.lent, movedIn: true, expiry: -1}
	p := payload{body: d.Body, rare: ra, group: d.GroupID, size: size, first: never}
	if asLetter {
		ra.sourceARN, ra.origin, ra.reason, ra.countBefore = d.SourceARN, d.from, d.Reason, uint32(max(d.ReceiveCount, 0))
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
		return ref{}, err
	}
	s := q.settings.Load()
	if !q.fitsLocked(s, 1, size) {
		err = q.fullLocked(s, size)
	} else {
		p.sent = now
		if asLetter && q.fifo == nil && !d.SentAt.IsZero() {
			p.sent = min(now, int64(d.SentAt.Sub(q.ids.epoch)))
		}
		slot := q.adoptLocked(now, &p, s)
		adopted = ref{slot, q.store.at(slot).seq}
	}
	q.pause(now)
	return adopted, err
}

// finishAdoption reveals an adopted message that its source let go of, and drops another.
func (q *queue) finishAdoption(adopted ref, kept bool) {
	now, closed := q.enter()
	if closed != nil {
		return
	}
	if r := q.store.find(adopted.slot, adopted.seq); r != nil {
		if kept {
			q.revealLocked(now, adopted.slot, r)
		} else {
			q.adopting--
			q.removeLocked(adopted.slot, r)
		}
	}
	q.errands |= errandLook
	q.pause(now)
}
