package inq

import (
	"time"

	"example.com/inq/internal/journal"
)

// open gives a queue its stream and its messages. It is called before the queue is shared.
func (j *Journal) open(q *queue) error {
	s, err := j.streamOf(q)
	if err != nil {
		return err
	}
	return j.fill(q, s)
}

func (j *Journal) isClosed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.closed
}

// fill gives a queue the messages of its stream.
func (j *Journal) fill(q *queue, s *stream) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.dropped:
		return ErrClosed
	case s.queue.Load() != nil:
		return &ParamError{Err: ErrInvalidParameter, Param: "QueueName", Value: q.name, Reason: "is open in this journal already; close it first"}
	}
	q.ids = storedIdentity(s.key, s.first, s.fifo)
	if q.fifo != nil {
		q.fifo.identify(q.ids)
		q.fifo.latest = &q.seq
		q.fifo.scope = s.scope
	}
	q.created = time.Unix(0, s.created)
	q.modified = q.created
	q.journal = &queueJournal{owner: j, log: j.log, stream: s, shift: q.ids.epoch.UnixNano()}
	q.plain, q.ordered, q.watched = false, false, true
	q.mu.Lock()
	q.restoreLocked(0, s, j.release && !s.opened)
	s.kept, s.remembered, s.opened = keptMessages{}, nil, true
	s.queue.Store(q)
	q.pause(0)
	return nil
}

// streamOf returns the stream of a queue, and makes it where there is none.
func (j *Journal) streamOf(q *queue) (*stream, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, errJournalClosed
	}
	if s := j.streams[q.arn]; s != nil {
		return s, nil
	}
	s := &stream{number: j.next, name: q.arn, fifo: q.fifo != nil, key: q.ids.key, first: q.ids.first,
		created: q.created.UnixNano(), seq: j.base, opened: true}
	if s.fifo {
		s.scope = q.fifo.scope
	}
	return j.createLocked(s)
}

// createLocked puts a new stream into the catalogue. j.mu must be held.
func (j *Journal) createLocked(s *stream) (*stream, error) {
	var b journal.Batch
	b.End(appendCreate(b.Begin(0, recordCreate), s), s.weight())
	segment, mark, err := j.log.Append(&b, journal.Send)
	if err == nil {
		err = j.log.WaitUnderLock(mark)
	}
	if err != nil {
		return nil, j.asError(err)
	}
	s.segment = segment
	j.next++
	j.streams[s.name] = s
	j.byNumber.Store(s.number, s)
	return s, nil
}
