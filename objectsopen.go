package inq

import (
	"slices"

	"example.com/inq/internal/durable"
	"example.com/inq/internal/journal"
)

// This file is how object stores get into a journal, and how package topic gets at its own: by the
// variables of package durable.

func init() {
	durable.Open = func(broker any, name string) (durable.Store, error) {
		b := broker.(*Broker)
		if b.journal == nil {
			return nil, nil
		}
		s, err := b.journal.openObjects(name)
		if err != nil {
			return nil, err
		}
		return accountStore{s, b.journal}, nil
	}
	durable.OnFiles = func(fs any) any {
		return journalOption(func(s *journalSettings) { s.FS = fs.(journal.FS) })
	}
	durable.Names = func(j any) []string { return j.(*Journal).objectNames() }
}

// openObjects opens the store of that name, and makes it where there is none.
func (j *Journal) openObjects(name string) (*objectStore, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, errJournalClosed
	}
	s := j.streams[name]
	if s == nil {
		var err error
		if s, err = j.createLocked(&stream{number: j.next, name: name, objects: newObjectStore(j.log, j.next, j.asError)}); err != nil {
			return nil, err
		}
	}
	if s.objects == nil {
		return nil, &ParamError{Err: ErrInvalidParameter, Param: "Name", Value: name, Reason: "is that of a queue"}
	}
	if err := s.objects.acquire(name); err != nil {
		return nil, err
	}
	return s.objects, nil
}

// objectNames are the names of all object stores, in byte order.
func (j *Journal) objectNames() (names []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for name, s := range j.streams {
		if s.objects != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// accountStore is the store of an account of topics, which also sends to queues.
type accountStore struct {
	*objectStore
	journal *Journal
}

// Send sends m to to without waiting until it is kept. Where the queue accepts it, what drop deletes goes
// in the same frame. Where to is no queue of the same journal, nothing is done, and here is false.
func (a accountStore) Send(to Queue, m Message, drop func(*durable.Batch)) (sent Sent, pending durable.Pending, here bool, err error) {
	q := localQueue(to)
	if q == nil || q.journal == nil || q.journal.owner != a.journal {
		return Sent{}, nil, false, nil
	}
	n := dropping{store: a.objectStore, drop: drop}
	sent, p, err := q.sendNoted(&m, &n)
	if p != nil {
		pending = p
	}
	return sent, pending, true, err
}

// A noter adds records of another stream to the batch in which a queue takes a message. Both methods are
// called under the lock of the queue: note where the message is accepted, and then noted, with the mark of
// the batch or with the reason why it was refused.
type noter interface {
	note(b *journal.Batch)
	noted(mark uint64, err error)
}

// dropping deletes objects with a send. From note to noted the store is locked.
type dropping struct {
	store *objectStore
	drop  func(*durable.Batch)
	batch durable.Batch
}

func (d *dropping) note(b *journal.Batch) {
	d.store.mu.Lock()
	d.drop(&d.batch)
	if len(d.batch.Deletes) > 0 {
		d.store.encode(b, &d.batch)
	}
}

func (d *dropping) noted(mark uint64, err error) {
	if err == nil {
		d.store.deleteLocked(d.batch.Deletes, mark)
	}
	d.store.mu.Unlock()
}

// pendingSend is a message that was accepted and waits for its commit.
type pendingSend struct {
	q   *queue
	due due
}

// Wait implements durable.Pending.
func (p *pendingSend) Wait() error {
	err := p.q.journal.wait(&p.due)
	p.q.finishErrands()
	return err
}

// sendNoted is Send for a queue with a journal that does not wait for the commit: whoever calls it has to
// call Wait of what it returns, if that is not nil. n is told of a message that is accepted and no
// duplicate.
func (q *queue) sendNoted(m *Message, n noter) (Sent, *pendingSend, error) {
	var p payload
	if err := q.prepare(&p, m, q.settings.Load()); err != nil {
		return Sent{}, nil, q.refused(err)
	}
	now, err := q.enterToSend(1, p.size)
	if err != nil {
		return Sent{}, nil, err
	}
	sent, err := q.acceptLocked(now, &p, q.settings.Load())
	taken := err == nil && !sent.duplicate
	if taken {
		n.note(&q.journal.batches[journal.Send])
	}
	q.pauseLocked(now)
	wait := &pendingSend{q, q.takeDueLocked()}
	if taken {
		n.noted(wait.due.sends, wait.due.err)
	}
	q.mu.Unlock()
	if err == nil {
		err = q.journal.owner.asError(wait.due.err)
	}
	if err != nil {
		return Sent{}, wait, err
	}
	return sent, wait, nil
}
