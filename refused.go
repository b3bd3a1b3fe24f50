package inq

import "errors"

// This file is how a hand-over ends that failed.

// endFailedLocked is what becomes of a message that nobody took.
func (q *queue) endFailedLocked(now int64, slot uint32, r *record, by way, cause error) {
	switch by {
	case byMove:
		q.putBackLocked(now, slot, r)
	case byBury:
		q.resumeLocked(now, slot, r, cause)
	default:
		q.refuseLocked(now, slot, r, cause)
	}
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
