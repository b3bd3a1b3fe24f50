package inq

import (
	"slices"

	"example.com/inq/internal/journal"
)

// This file is how a journal stays small: what still lives in its oldest file is written anew, from memory, so
// that the file can go. It is done in small steps, by the log's own goroutine, which exists meanwhile.

const (
	carryRecords = 256     // written anew in one step,
	carryBytes   = 1 << 20 // unless they are large
	carryScan    = 1 << 16 // slots looked at in one critical section
)

// carryCursor is how far a file was looked through. What is written later is in other files.
type carryCursor struct {
	segment uint32
	streams []*stream
	slot    uint32 // of the first stream
}

// Carry implements [journal.Owner].
func (o journalOwner) Carry(segment uint32) (more bool) {
	c := &o.cursor
	if c.segment != segment {
		*c = carryCursor{segment: segment}
		o.byNumber.Range(func(_, s any) bool {
			c.streams = append(c.streams, s.(*stream))
			return true
		})
		slices.SortFunc(c.streams, func(a, b *stream) int { return int(a.number) - int(b.number) })
		o.carryBase(segment)
	}
	for left := carryRecords; left > 0; {
		if len(c.streams) == 0 {
			c.segment = 0 // what waits for its commit now is there when this file is looked through again
			return false
		}
		n, done := c.streams[0].carry(o.log, segment, &c.slot, left)
		left -= n
		if done {
			c.streams, c.slot = c.streams[1:], 0
		} else if n == 0 {
			return true
		}
	}
	return true
}

// carryBase writes anew from where messages are numbered.
func (j *Journal) carryBase(segment uint32) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.based != segment {
		return
	}
	var b journal.Batch
	b.End(appendBase(b.Begin(0, recordBase), j.base, j.next), baseWeight)
	if to, _, err := j.log.Append(&b, journal.Carry); err == nil {
		j.log.Release(segment, baseWeight)
		j.based = to
	}
}

// carry writes anew what lives of a stream in a file, from a slot on and at most as many records as that. It
// returns how many it wrote, and whether it has looked at all.
func (s *stream) carry(log *journal.Log, segment uint32, slot *uint32, most int) (n int, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped {
		return 0, true
	}
	if *slot == 0 && s.segment == segment {
		var b journal.Batch
		b.End(appendCreate(b.Begin(0, recordCreate), s), s.weight())
		to, _, err := log.Append(&b, journal.Carry)
		if err != nil {
			return 0, true
		}
		log.Release(segment, s.weight())
		s.segment = to
	}
	if s.objects != nil {
		n = s.objects.carry(segment, most)
		return n, n < most
	}
	if q := s.queue.Load(); q != nil {
		return q.carry(segment, slot, most)
	}
	return s.carryKept(log, segment, slot, most)
}

// carry is that of stream, of a queue that is open.
func (q *queue) carry(segment uint32, slot *uint32, most int) (n int, done bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clockLocked()
	k := q.journal
	if k.purges != 0 {
		return 0, true
	}
	if *slot == 0 {
		if n, err := q.carryDedupLocked(segment, most); n != 0 || err != nil {
			return n, err != nil
		}
		*slot = 1
	}
	b := &k.carried
	var slots [carryRecords]uint32
	weight := int64(0)
	end := q.store.size
	if end-min(*slot, end) > carryScan {
		end = *slot + carryScan
	}
	for ; *slot < end && n < most && weight < carryBytes; *slot++ {
		r := q.store.at(*slot)
		if *k.segment(*slot) != segment {
			continue
		}
		switch r.state {
		case stateFree, stateCommitting, stateLeaving, stateAdopted:
			continue
		}
		m := q.keptLocked(now, *slot, r)
		w := weightOf(m.body, m.group, m.rare)
		b.End(appendPut(b.Begin(k.stream.number, recordPut), &m, &putExtra{}, k.shift), w)
		weight += w
		slots[n] = *slot
		n++
	}
	if n != 0 {
		to, _, err := k.log.Append(b, journal.Carry)
		if err != nil {
			b.Reset()
			return 0, true
		}
		k.log.Release(segment, weight)
		for _, at := range slots[:n] {
			*k.segment(at) = to
		}
	}
	return n, *slot >= q.store.size
}

// carryKept is carry for a queue that is not open.
func (s *stream) carryKept(log *journal.Log, segment uint32, slot *uint32, most int) (n int, done bool) {
	var b journal.Batch
	var these []*kept
	weight := int64(0)
	if *slot == 0 {
		*slot = 1
		data := b.Begin(s.number, recordDedup)
		for i := range s.remembered {
			if e := &s.remembered[i]; e.segment == segment {
				data = appendDedup(data, &e.dedupEntry, 0)
				weight += dedupWeight
			}
		}
		b.End(data, weight)
	}
	dedups := weight
	for ; n < most && weight-dedups < carryBytes && int(*slot/keptChunk) < len(s.kept.chunks); *slot++ {
		c := s.kept.chunks[*slot/keptChunk]
		if c == nil {
			*slot |= keptChunk - 1
			continue
		}
		m := &c[*slot%keptChunk]
		if m.slot == 0 || m.segment != segment || m.state == durableAdopted {
			continue
		}
		w := weightOf(m.body, m.group, m.rare)
		b.End(appendPut(b.Begin(s.number, recordPut), m, &putExtra{}, 0), w)
		weight += w
		these = append(these, m)
		n++
	}
	done = int(*slot/keptChunk) >= len(s.kept.chunks)
	if weight == 0 {
		return 0, done
	}
	to, _, err := log.Append(&b, journal.Carry)
	if err != nil {
		return 0, true
	}
	log.Release(segment, weight)
	if dedups != 0 {
		for i := range s.remembered {
			if s.remembered[i].segment == segment {
				s.remembered[i].segment = to
			}
		}
	}
	for _, m := range these {
		m.segment = to
	}
	return n, done
}
