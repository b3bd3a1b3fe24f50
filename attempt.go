package inq

import "time"

// attemptWindow is how long a receive can be repeated by its attempt id (SQS: RCV-16).
const attemptWindow = 5 * time.Minute

// attempts remembers which receives a FIFO consumer made under an id of its own, so that one whose
// answer got lost can have the same answer again.
type attempts struct {
	byID  map[string]attempt
	order []attemptAge // by time; an id that was bound anew later is in it more than once
}

type attempt struct {
	at       int64
	until    int64 // when the receive times out; what becomes of its messages after that is not its business
	receipts []receipt
}

type attemptAge struct {
	id string
	at int64
}

// bind remembers what a receive returned.
func (a *attempts) bind(id string, now, until int64, ds []Delivery) {
	a.forget(now, 2)
	if a.byID == nil {
		a.byID = make(map[string]attempt)
	}
	receipts := make([]receipt, len(ds))
	for i := range ds {
		receipts[i] = ds[i].receipt
	}
	if old, ok := a.byID[id]; !ok || old.at != now {
		a.order = append(a.order, attemptAge{id, now})
	}
	a.byID[id] = attempt{at: now, until: until, receipts: receipts}
}

// forget drops up to budget ids that are past their time and reports whether there are more.
func (a *attempts) forget(now int64, budget int) (more bool) {
	n := 0
	for n < len(a.order) && after(a.order[n].at, attemptWindow) <= now {
		if n == budget {
			more = true
			break
		}
		if e := a.order[n]; a.byID[e.id].at == e.at {
			delete(a.byID, e.id)
		}
		a.order[n] = attemptAge{}
		n++
	}
	a.order = a.order[n:]
	if len(a.order) == 0 {
		*a = attempts{} // a Go map does not shrink
	}
	return more
}

// idleAt returns when the newest id is past its time.
func (a *attempts) idleAt() int64 {
	if len(a.order) == 0 {
		return never
	}
	return after(a.order[len(a.order)-1].at, attemptWindow)
}

// replayLocked repeats the receive made under an attempt id: the same messages with the same
// handles, and their visibility timeout starts anew. Once that has passed the call is a fresh receive;
// before, when one of them is gone or had its visibility changed, it is refused with
// ErrAttemptNotRetryable (SQS: RCV-16, CAP-2). That is decided when the call comes: one that waits is a
// fresh receive, and what becomes of an earlier one meanwhile is no matter of it. The messages' receive counts stay; the metric of messages handed out goes up,
// since these are (SQS: section 10).
func (q *queue) replayLocked(now int64, in *receiveCall, dst []Delivery) (n int, ok bool, err error) {
	a, ok := q.fifo.attempts.byID[in.attempt]
	if !ok || min(after(a.at, attemptWindow), a.until) <= now {
		return 0, false, nil
	}
	for _, rc := range a.receipts {
		r := q.store.find(rc.slot, rc.seq)
		if r == nil || r.receive != rc.receive || r.state != stateInFlight || r.flags&flagChanged != 0 {
			if in.waits {
				return 0, false, nil
			}
			return 0, false, &ParamError{Err: ErrAttemptNotRetryable, Param: "ReceiveRequestAttemptId", Value: in.attempt,
				Reason: "a message of that receive was deleted, or its visibility changed"}
		}
	}
	if len(a.receipts) > len(dst) {
		return 0, false, nil
	}
	a.until = after(now, in.visibility)
	q.fifo.attempts.byID[in.attempt] = a
	for i, rc := range a.receipts {
		r := q.store.at(rc.slot)
		q.repeatLocked(now, rc.slot, r, in.visibility)
		q.fillLocked(&dst[i], rc.slot, r)
	}
	return len(a.receipts), true, nil
}
