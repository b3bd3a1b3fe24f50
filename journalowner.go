package inq

// This file is how a journal is called by its log, and calls its queues for it.

// journalOwner is the journal as its log knows it.
type journalOwner struct{ *Journal }

// Committed implements [journal.Owner].
func (o journalOwner) Committed(number uint32, mark uint64, err error) {
	if found, ok := o.byNumber.Load(number); ok {
		s := found.(*stream)
		if s.objects != nil {
			s.objects.committed(mark, err)
		} else if q := s.queue.Load(); q != nil {
			q.committed(mark, err)
		}
	}
}

// committed goes on with what waited for its commit: all up to a mark is in the journal, or err says why the
// batch with this mark is not. It is called by whoever wrote the batch, in whatever call that was: so it
// waits for nothing, carries nothing and tells nobody. What is left to be done is left to those whose
// batches these were, and who are about to wake.
func (q *queue) committed(mark uint64, err error) {
	q.mu.Lock()
	now := q.last
	if err != nil || q.waiters.head != nil || q.heard {
		now = q.clockLocked() // else nothing depends on it
	}
	k := q.journal
	for {
		it, ok := k.pending.next(mark)
		if !ok {
			break
		}
		q.concludeLocked(now, it, err)
	}
	if q.gone == nil && q.waiters.head != nil && !q.behind {
		q.serveLocked(now)
	}
	q.pause(now)
}

// tellFailure ends the receives that wait.
func (o journalOwner) tellFailure(err error) {
	for _, q := range o.openQueues() {
		now, gone := q.enter()
		if gone != nil {
			continue
		}
		for w := q.waiters.head; w != nil; w = q.waiters.head {
			q.wakeLocked(w, err)
		}
		q.pause(now)
	}
}

// openQueue returns the queue with this ARN if it is open, nil otherwise.
func (j *Journal) openQueue(arn string) *queue {
	j.mu.Lock()
	defer j.mu.Unlock()
	if s := j.streams[arn]; s != nil {
		return s.queue.Load()
	}
	return nil
}

// openQueues returns the queues that are open.
func (j *Journal) openQueues() (qs []*queue) {
	j.byNumber.Range(func(_, s any) bool {
		if q := s.(*stream).queue.Load(); q != nil {
			qs = append(qs, q)
		}
		return true
	})
	return qs
}
