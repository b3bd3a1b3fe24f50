package inq

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"example.com/inq/internal/journal"
)

// Send adds one message to the queue (SQS: sections 1.3, 5.1, 5.3). In memory it never waits. With a
// [Journal] it returns when the message is as safe as the journal's mode says, and ctx does not end that
// wait.
//
// It refuses, each as a [*ParamError]: a body that is empty ([ErrMissingParameter]) or holds
// characters SQS does not take ([ErrInvalidMessageContents]), unless the queue is
// [WithoutSQSLimits]; on FIFO a missing group id
// (ErrMissingParameter); and with [ErrInvalidParameter] a message larger than the maximum size, a
// bad attribute, id or delay, and what the type of queue does not take. [ErrFull] means the queue
// is at its capacity. A duplicate on FIFO is a success that adds nothing.
//
// With a journal, [ErrJournalFull] means that there is no room and that the message never was in the queue.
// After [ErrJournalFailed] it may be there when the journal is opened anew.
func (q *queue) Send(ctx context.Context, m Message) (Sent, error) {
	if err := q.checkContext(ctx); err != nil {
		return Sent{}, err
	}
	s := q.settings.Load()
	if q.fifo == nil && s.plain && m.plain() && len(m.Body) <= s.maxSize {
		return q.sendPlain(m.Body, s)
	}
	return q.sendPrepared(&m, s)
}

// sendPrepared is Send for any message.
func (q *queue) sendPrepared(m *Message, s *settings) (Sent, error) {
	var p payload
	if err := q.prepare(&p, m, s); err != nil {
		return Sent{}, q.refused(err)
	}
	now, err := q.enterToSend(1, p.size)
	if err != nil {
		return Sent{}, err
	}
	// Between the checks and the lock the settings may have changed: a deadline by the old ones
	// would come too late.
	sent, err := q.acceptLocked(now, &p, q.settings.Load())
	return q.accepted(now, sent, err)
}

// accepted leaves at the end of a send. What could not be kept is not accepted.
func (q *queue) accepted(now int64, sent Sent, err error) (Sent, error) {
	if lost := q.leave(now); err == nil {
		err = lost
	}
	if err != nil {
		return Sent{}, err
	}
	return sent, nil
}

// sendPlain is Send for a message that is nothing but a body, to a Standard queue without delay and
// capacity. Most messages are, and the price of a send is mostly that of the memory it writes to
// before it takes and leaves the lock.
func (q *queue) sendPlain(body string, s *settings) (Sent, error) {
	if err := checkBody(body, s); err != nil {
		return Sent{}, q.refused(err)
	}
	now, err := q.enter()
	if err != nil {
		return Sent{}, err
	}
	q.catchUpLocked(now)
	s = q.settings.Load()
	if !q.plain || !s.plain || q.store.live >= maxSlots {
		if q.journal != nil {
			if err := q.journal.room(journal.Send); err != nil {
				_ = q.leave(now)
				return Sent{}, err
			}
		}
		sent, err := q.acceptLocked(now, &payload{body: body, delay: -1, size: len(body)}, s)
		return q.accepted(now, sent, err)
	}
	seq := q.acceptPlainLocked(now, body, s)
	if err := q.leave(now); err != nil {
		return Sent{}, err
	}
	return Sent{ids: q.ids, seq: seq}, nil
}

// SendBatch adds 1 to 10 messages in the order of the slice (SQS: section 1.4).
//
// The whole batch is refused if it is empty ([ErrEmptyBatch]), has more than 10 entries
// ([ErrTooManyEntries]) or more than 1 MiB ([ErrBatchTooLong]), and on FIFO if any entry lacks an
// id, has a delay or is too large (SQS: FIFO-4, BAT-7). Any other fault fails its entry alone: the
// call returns a [*BatchError], and the other messages are in the queue. Where the queue becomes
// full, that entry and all that follow fail with [ErrFull].
//
// Without SQS limits a batch can be longer. It is added 64 entries at a time: messages of others can
// come in between, and where the queue ends meanwhile, the entries not yet added fail with the error
// of that.
//
// With a [Journal] it waits as Send does, once for up to 64 entries, which are in the journal all or none:
// [ErrJournalFull] and [ErrJournalFailed] refuse the whole batch, or of a longer one the entries not yet
// added.
func (q *queue) SendBatch(ctx context.Context, ms []Message) ([]Sent, error) {
	if err := q.checkContext(ctx); err != nil {
		return nil, err
	}
	s := q.settings.Load()
	if err := checkBatch("SendMessageBatch", len(ms), s); err != nil {
		return nil, q.refused(err)
	}
	total, plain := 0, true
	for i := range ms {
		total += ms[i].size()
		plain = plain && ms[i].plain()
	}
	if total > maxMessageSize && !s.unlimited {
		return nil, q.refused(&ParamError{Err: ErrBatchTooLong, Param: "SendMessageBatch", Value: total, Max: maxMessageSize,
			Reason: "bytes in sum"})
	}
	if q.fifo != nil {
		for i := range ms {
			if err := q.checkEntry(&ms[i], s); err != nil {
				return nil, q.refused(err)
			}
		}
	}
	plain = plain && q.fifo == nil && s.plain
	sent := make([]Sent, len(ms))
	var failures batchFailures
	var end error // why no further entry is tried: the queue is full, or gone
	for from := 0; from < len(ms); from += entriesAtOnce {
		to := min(from+entriesAtOnce, len(ms))
		p := batchPart{ms: ms[from:to], sent: sent[from:to]}
		if plain {
			end = q.sendPlainPart(&p, s, end)
		} else {
			end = q.sendPart(&p, s, end)
		}
		if from == 0 && end != nil && !errors.Is(end, ErrFull) {
			return nil, end
		}
		for i, err := range p.errs {
			if err != nil {
				failures.add(from+i, err)
			}
		}
	}
	return sent, failures.err()
}

// batchPart is as much of a batch as one critical section adds.
type batchPart struct {
	ms   []Message
	sent []Sent
	errs []error // why entries failed, by entry; nil where none did
}

func (p *batchPart) fail(i int, err error) {
	if p.errs == nil {
		p.errs = make([]error, len(p.ms))
	}
	p.errs[i] = err
}

func (p *batchPart) failed(i int) bool { return p.errs != nil && p.errs[i] != nil }

// sendPart adds a part of a batch. It returns the reason where no entry that follows is to be tried;
// with end there was one before, and then all entries fail that have no fault of their own.
func (q *queue) sendPart(p *batchPart, s *settings, end error) error {
	ps := make([]payload, len(p.ms))
	size := 0
	for i := range ps {
		if err := q.prepare(&ps[i], &p.ms[i], s); err != nil {
			p.fail(i, err)
			continue
		}
		size += ps[i].size
	}
	var now int64
	entered := end == nil
	if entered {
		now, end = q.enterToSend(len(ps), size)
		entered = end == nil
		s = q.settings.Load()
	}
	for i := range ps {
		if p.failed(i) {
			continue
		}
		if end == nil {
			p.sent[i], end = q.acceptLocked(now, &ps[i], s)
		}
		if end != nil {
			p.fail(i, end)
		}
	}
	if entered {
		return q.leavePart(now, p, end)
	}
	return end
}

// sendPlainPart is sendPart for messages as sendPlain takes them.
func (q *queue) sendPlainPart(p *batchPart, s *settings, end error) error {
	for i := range p.ms {
		err := checkBody(p.ms[i].Body, s)
		if err == nil {
			err = checkSize(len(p.ms[i].Body), s)
		}
		if err != nil {
			p.fail(i, err)
		}
	}
	var now int64
	entered := end == nil
	if entered {
		now, end = q.enterToSend(len(p.ms), 0) // no capacity is set
		entered = end == nil
		s = q.settings.Load()
	}
	for i := range p.ms {
		switch body := p.ms[i].Body; {
		case p.failed(i):
		case end != nil:
			p.fail(i, end)
		case q.plain && s.plain && q.store.live < maxSlots:
			p.sent[i] = Sent{ids: q.ids, seq: q.acceptPlainLocked(now, body, s)}
		default: // something was set, or a message with a group came, since the batch was looked at
			pl := payload{body: body, delay: -1, size: len(body)}
			if p.sent[i], end = q.acceptLocked(now, &pl, s); end != nil {
				p.fail(i, end)
			}
		}
	}
	if entered {
		return q.leavePart(now, p, end)
	}
	return end
}

// leavePart leaves after a part was added. What could not be kept is not accepted: then all its entries
// failed for that, whatever else was found about them.
func (q *queue) leavePart(now int64, p *batchPart, end error) error {
	lost := q.leave(now)
	if lost == nil {
		return end
	}
	clear(p.sent)
	for i := range p.ms {
		p.fail(i, lost)
	}
	return lost
}

// checkEntry finds what fails a FIFO batch as a whole: every fault of an entry except one of its
// contents (SQS: FIFO-4, BAT-5, BAT-7).
func (q *queue) checkEntry(m *Message, s *settings) error {
	if m.GroupID == "" {
		return &ParamError{Err: ErrInvalidParameter, Param: "MessageGroupId", Value: "", Reason: "required by a FIFO queue"}
	}
	if m.DeduplicationID == "" && !s.contentDedup {
		return errNoDeduplicationID()
	}
	if _, err := q.checkDelay(m.Delay, s); err != nil {
		return err
	}
	return checkSize(m.size(), s)
}

// checkSize applies SQS: MSG-2.
func checkSize(size int, s *settings) error {
	if size > s.maxSize {
		reason := "bytes of body and attributes"
		if !s.unlimited && s.maxSize == maxMessageSize { // else it is what WithMaxMessageSize says
			reason += liftedText
		}
		return &ParamError{Err: ErrInvalidParameter, Param: "MessageSize", Value: size, Max: s.maxSize, Reason: reason}
	}
	return nil
}

// checkBatch applies SQS: BAT-1.
func checkBatch(param string, n int, s *settings) error {
	if n == 0 {
		return &ParamError{Err: ErrEmptyBatch, Param: param, Value: 0, Min: 1, Max: maxBatch, Reason: "entries"}
	}
	if n > maxBatch && !s.unlimited {
		return &ParamError{Err: ErrTooManyEntries, Param: param, Value: n, Min: 1, Max: maxBatch, Reason: "entries"}
	}
	return nil
}

// size returns the size of a message that may yet be invalid (SQS: MSG-1).
func (m *Message) size() int {
	n := len(m.Body)
	if len(m.Attributes) == 0 {
		return n // spares an iteration that costs as much as the rest of a send
	}
	for name, a := range m.Attributes {
		n += len(name) + len(a.Type) + len(a.Value) + len(a.Binary)
	}
	return n
}

// prepare checks a message against the queue and does what needs no lock.
func (q *queue) prepare(p *payload, m *Message, s *settings) error {
	size, err := m.check(s)
	if err != nil {
		return err
	}
	if err := checkSize(size, s); err != nil {
		return err
	}
	p.delay = -1
	if m.Delay != 0 || q.fifo != nil {
		if p.delay, err = q.checkDelay(m.Delay, s); err != nil {
			return err
		}
	}
	if q.fifo != nil {
		if err := q.fifo.prepare(p, m, s); err != nil {
			return err
		}
	} else if m.DeduplicationID != "" {
		return &ParamError{Err: ErrInvalidParameter, Param: "MessageDeduplicationId", Value: m.DeduplicationID,
			Reason: "not valid for a standard queue"}
	}
	p.body, p.group, p.size = m.Body, m.GroupID, size
	p.rare = m.rareParts(size)
	return nil
}

// checkDelay returns the delay of a message in nanoseconds, -1 for the queue's own (SQS: LC-1,
// FIFO-5, MSG-14).
func (q *queue) checkDelay(d time.Duration, s *settings) (int64, error) {
	switch {
	case d == 0 || d == Zero && q.fifo != nil:
		return -1, nil
	case d == Zero:
		return 0, nil
	case d > 0 && q.fifo != nil:
		return 0, &ParamError{Err: ErrInvalidParameter, Param: "DelaySeconds", Value: d,
			Reason: "a message of a FIFO queue has the delay of the queue"}
	}
	longest := maxDelay
	if s.unlimited {
		longest = s.retention - 1
	}
	if d < 0 || d > longest {
		return 0, &ParamError{Err: ErrInvalidParameter, Param: "DelaySeconds", Value: d, Min: time.Duration(0), Max: longest}
	}
	return int64(d), nil
}

// acceptLocked enqueues a checked message, or finds that it is a duplicate or one too many.
func (q *queue) acceptLocked(now int64, p *payload, s *settings) (Sent, error) {
	if q.fifo != nil {
		if seq, ok := q.fifo.dedup.find(p.key, now); ok {
			q.metrics.deduplicated++
			if q.journal != nil { // the original may have its commit before it, and shares its fate
				q.joinLocked(seq)
			}
			q.tellQueueLocked(now, Event{Kind: EventDeduplicated, seq: seq, GroupID: p.group})
			return Sent{ids: q.ids, seq: seq, duplicate: true}, nil
		}
	}
	if !q.fitsLocked(s, 1, p.size) {
		return Sent{}, q.fullLocked(s, p.size)
	}
	if q.ordered && s.plain && p.rare == nil {
		q.acceptOrderedLocked(now, p, s)
	} else {
		q.enqueueLocked(now, p, s)
	}
	seq := q.seq
	if q.fifo != nil {
		q.fifo.dedup.add(p.key, seq, now)
		q.scheduleLocked(after(now, dedupWindow))
	}
	if q.journal == nil { // else when it is in the journal
		q.metrics.sent++
		q.metrics.sentBytes += uint64(p.size)
	}
	return Sent{ids: q.ids, seq: seq}, nil
}

// enterToSend is enter for a call that adds n messages of size bytes in sum. What is due by now
// happens before they come, see catchUpLocked. A sender takes part in what is carried out in steps
// only where it would not fit otherwise: what has expired takes no room (WithCapacity).
func (q *queue) enterToSend(n, size int) (now int64, err error) {
	for {
		now, err = q.enter()
		if err != nil {
			return 0, err
		}
		q.catchUpLocked(now)
		if q.journal != nil {
			if err := q.journal.room(journal.Send); err != nil {
				_ = q.leave(now)
				return 0, err
			}
		}
		s := q.settings.Load()
		if q.armed > now || q.fitsLocked(s, n, size) || !q.settleLocked(now) || q.fitsLocked(s, n, size) {
			return now, nil
		}
		q.pause(now)
		runtime.Gosched()
	}
}

// fitsLocked applies WithCapacity to n messages of size bytes in sum.
func (q *queue) fitsLocked(s *settings, n, size int) bool {
	live := q.store.live + n
	return live <= maxSlots && (s.capMessages == 0 || live <= s.capMessages) && (s.capBytes == 0 || int64(size) <= s.capBytes-q.bytes)
}

// fullLocked tells why a message of this size does not fit.
func (q *queue) fullLocked(s *settings, size int) error {
	held, most := q.store.live, maxSlots
	switch {
	case s.capMessages > 0 && held >= s.capMessages:
		most = s.capMessages
	case s.capBytes > 0 && int64(size) > s.capBytes-q.bytes:
		return &ParamError{Err: ErrFull, Param: "Capacity", Value: q.bytes + int64(size), Max: s.capBytes,
			Reason: fmt.Sprintf("holds %d of %d bytes, and the message has %d", q.bytes, s.capBytes, size)}
	}
	return &ParamError{Err: ErrFull, Param: "Capacity", Value: held, Max: most,
		Reason: fmt.Sprintf("holds %d of %d messages", held, most)}
}
