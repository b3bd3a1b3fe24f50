package inq

import (
	"cmp"
	"fmt"
	"time"
)

// This file is the part of the reference model that consumers meet.

// Receiving.

// modelCall is a receive whose zeros are filled in.
type modelCall struct {
	max        int
	wait       time.Duration
	visibility time.Duration
	attempt    string
	waits      bool // whether it is a repeat was decided when it came
}

// receive returns what a consumer gets, letting time pass while it waits.
func (q *modelQueue) receive(c modelCall) ([]modelAnswer, error) {
	got, err := q.receiveNow(c)
	if err != nil {
		return nil, err
	}
	deadline := modelLater(q.now(), c.wait)
	c.waits = true
	for len(got) == 0 && c.wait > 0 && q.now().Before(deadline) {
		at := q.nextDue()
		if at.After(deadline) {
			at = deadline
		}
		q.world.advance(at)
		got, _ = q.receiveNow(c)
	}
	if len(got) == 0 {
		q.totals.EmptyReceives++
	}
	return got, nil
}

// receiveNow is one look at the messages.
func (q *modelQueue) receiveNow(c modelCall) ([]modelAnswer, error) {
	if got, err := q.replay(c); got != nil || err != nil {
		return got, err
	}
	for {
		// Messages received often enough are moved, not delivered (SQS: DLQ-4). What they held up,
		// in a FIFO group, is looked at again only if there is nothing else to deliver.
		picked, buried := q.pick(c.max)
		got := q.grant(picked, c)
		for _, m := range buried {
			q.handOver(m)
		}
		if len(got) > 0 || len(buried) == 0 {
			return got, nil
		}
	}
}

// pick holds messages for a receive one by one: each counts as in flight for the choice of the
// next.
func (q *modelQueue) pick(limit int) (picked, buried []*modelMessage) {
	var run *modelMessage
	for len(picked) < limit && len(buried) < marksAtOnce {
		m := q.next(run)
		if m == nil {
			break
		}
		if q.dead == nil || m.receives < q.maxReceives {
			q.become(m, modelHeld)
			picked, run = append(picked, m), m
			continue
		}
		q.become(m, modelBurying)
		buried, run = append(buried, m), nil
	}
	return picked, buried
}

// next returns the message that a receive takes next. run is the one it took last, if its group may
// have more.
func (q *modelQueue) next(run *modelMessage) *modelMessage {
	if q.fifo {
		if run != nil {
			if m := q.follower(run.sent.GroupID, run); m != nil && m.state == modelReady {
				return m
			}
		}
		if len(q.turns) == 0 {
			return nil
		}
		return q.follower(q.turns[0], nil)
	}
	noisy := q.noisy()
	var best *modelMessage
	for _, m := range q.messages {
		if m.state == modelReady && (best == nil || q.before(m, best, noisy)) {
			best = m
		}
	}
	return best
}

// before is the order of a Standard queue: quiet groups first, noisy ones by what they have in
// flight, and within that the older message (SQS: FAIR-4, FAIR-5, RCV-15).
func (q *modelQueue) before(a, b *modelMessage, noisy map[string]int) bool {
	return cmp.Or(cmp.Compare(noisy[a.sent.GroupID], noisy[b.sent.GroupID]),
		q.headOf(a, noisy).place.Compare(q.headOf(b, noisy).place),
		cmp.Compare(q.headOf(a, noisy).order, q.headOf(b, noisy).order),
		a.place.Compare(b.place), cmp.Compare(a.order, b.order)) < 0
}

// headOf returns the oldest ready message of a noisy group, which decides between groups; other
// messages stand for themselves.
func (q *modelQueue) headOf(m *modelMessage, noisy map[string]int) *modelMessage {
	head := m
	if noisy[m.sent.GroupID] == 0 {
		return head
	}
	for _, o := range q.messages {
		if o.sent.GroupID == m.sent.GroupID && o.state == modelReady &&
			(o.place.Before(head.place) || o.place.Equal(head.place) && o.order < head.order) {
			head = o
		}
	}
	return head
}

// noisy returns how much each noisy group has in flight (SQS: FAIR-3 a, FAIR-6).
func (q *modelQueue) noisy() map[string]int {
	noisy := map[string]int{}
	if q.fifo {
		return noisy
	}
	flying, backlog, total := map[string]int{}, map[string]int{}, 0
	for _, m := range q.messages {
		if m.state == modelReady || m.state == modelDelayed {
			backlog[m.sent.GroupID]++
		} else if m.state == modelHeld || m.state == modelInFlight {
			flying[m.sent.GroupID]++
			total++
		}
	}
	for group, n := range flying {
		if group != "" && n >= 30 && n*10 > total && backlog[group] > 0 && q.now().Before(q.lastSent[group].Add(modelWindow)) {
			noisy[group] = n
		}
	}
	return noisy
}

// grant delivers what was picked.
func (q *modelQueue) grant(picked []*modelMessage, c modelCall) (got []modelAnswer) {
	for _, m := range picked {
		m.latest++
		m.receives++
		m.received, m.changed, m.failures = q.now(), false, 0
		if m.first.IsZero() {
			m.first = q.now()
		} else {
			q.totals.ReceivedAgain++
		}
		if c.visibility > 0 {
			q.until(m, c.visibility)
			q.become(m, modelInFlight)
		}
		q.totals.Received++
		got = append(got, modelAnswer{modelReceipt: modelReceipt{m, m.latest}, count: m.before + m.receives, first: m.first,
			visible: modelLater(q.now(), c.visibility)})
	}
	if c.visibility == 0 { // never left the queue (SQS: LC-7, RCV-9)
		for _, m := range picked {
			q.release(m)
		}
	}
	if c.attempt != "" && len(got) > 0 {
		a := modelAttempt{at: q.now(), until: modelLater(q.now(), c.visibility)}
		for _, g := range got {
			a.receipts = append(a.receipts, g.modelReceipt)
		}
		q.attempts[c.attempt] = a
	}
	return got
}

// replay gives the answer of an earlier receive once more (SQS: RCV-16). A receive that asks for
// fewer messages than that had cannot have its answer. What became of its messages is looked at only while
// it would have lasted (SQS: CAP-2).
func (q *modelQueue) replay(c modelCall) (got []modelAnswer, err error) {
	a, ok := q.attempts[c.attempt]
	if c.attempt == "" || !ok || !q.now().Before(a.at.Add(modelWindow)) || !q.now().Before(a.until) {
		return nil, nil
	}
	for _, rc := range a.receipts {
		if !q.current(rc) || rc.m.changed {
			if c.waits {
				return nil, nil
			}
			return nil, ErrAttemptNotRetryable
		}
	}
	if len(a.receipts) > c.max {
		return nil, nil
	}
	a.until = modelLater(q.now(), c.visibility)
	q.attempts[c.attempt] = a
	for _, rc := range a.receipts {
		rc.m.received = q.now()
		q.until(rc.m, c.visibility)
		q.totals.Received++
		q.totals.ReceivedAgain++
		got = append(got, modelAnswer{modelReceipt: rc, count: rc.m.before + rc.m.receives, first: rc.m.first, visible: rc.m.due, replay: true})
	}
	return got, nil
}

// handOver moves a message to the dead-letter queue. Where that has no room the message is offered
// again after 1 second, then 2, up to a minute.
func (q *modelQueue) handOver(m *modelMessage) {
	if q.dead.adopt(m, q, fmt.Sprint("received as often as allowed: ", m.receives)) == nil {
		q.totals.DeadLettered++
		q.remove(m)
		return
	}
	q.totals.DeadLetterFailures++
	m.failures++
	wait := time.Second
	for range m.failures - 1 {
		wait = min(2*wait, time.Minute)
	}
	q.until(m, wait)
	q.become(m, modelBackoff)
}

// What a consumer does with a receipt handle: the table in section 3 of docs/sqs.md.

// current reports whether the receipt is of the latest receive and that is in flight.
func (q *modelQueue) current(rc modelReceipt) bool {
	return rc.m.state == modelInFlight && rc.m.latest == rc.receive
}

func (q *modelQueue) delete(rc modelReceipt) error {
	if q.fifo && rc.m.state != modelGone && !q.current(rc) {
		return ErrReceiptHandleExpired
	}
	q.totals.Deleted++
	if rc.m.state != modelGone {
		q.remove(rc.m)
	}
	return nil
}

func (q *modelQueue) changeVisibility(rc modelReceipt, d time.Duration) error {
	if d == Zero {
		d = 0
	}
	m := rc.m
	switch {
	case d < 0 || d > modelTotalVisible && !q.unlimited:
		return ErrInvalidParameter
	case m.state == modelGone:
		return ErrNotInFlight
	case q.fifo && !q.current(rc):
		return ErrReceiptHandleExpired
	case m.state != modelInFlight:
		return nil // without effect
	case d != 0 && !q.unlimited && q.now().Add(d).Sub(m.received) > modelTotalVisible:
		return ErrInvalidParameter
	}
	m.changed = true
	if d == 0 {
		q.release(m)
	} else {
		q.until(m, d)
	}
	return nil
}

// giveBack is Return.
func (q *modelQueue) giveBack(rc modelReceipt, d time.Duration) error {
	if d == Zero {
		d = 0
	}
	m := rc.m
	switch {
	case d < 0 || d > 15*time.Minute && !q.unlimited || q.unlimited && d >= q.retention:
		return ErrInvalidParameter
	case m.state == modelGone:
		return ErrNotInFlight
	case !q.current(rc):
		return ErrReceiptHandleExpired
	}
	m.receives--
	if m.receives+m.before == 0 {
		m.first = time.Time{}
	}
	if d == 0 {
		q.become(m, modelReady)
		return nil
	}
	m.alone = true
	q.until(m, d)
	q.become(m, modelDelayed)
	return nil
}

func (q *modelQueue) bury(rc modelReceipt, reason string) error {
	switch {
	case rc.m.state == modelGone:
		return ErrNotInFlight
	case !q.current(rc):
		return ErrReceiptHandleExpired
	case q.dead == nil:
		return ErrNoDeadLetterTarget
	}
	if err := q.dead.adopt(rc.m, q, reason); err != nil {
		q.totals.DeadLetterFailures++
		rc.m.dueOrder = q.world.tick()
		return err
	}
	q.totals.DeadLettered++
	q.remove(rc.m)
	return nil
}

func (q *modelQueue) purge() {
	for _, m := range q.messages {
		m.state = modelGone
	}
	q.totals.Purged += uint64(len(q.messages))
	q.messages, q.turns, q.ids = nil, nil, nil
	clear(q.attempts)
	clear(q.lastSent)
}
