package inq

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"example.com/inq/internal/durable"
	"example.com/inq/internal/journal"
)

// objectStore keeps the objects of one owner that is no queue, the topics of an account, in a stream of
// a journal. It holds what it wrote, and so it can write it anew when a segment is to go, also while
// nobody has it open.
type objectStore struct {
	log    *journal.Log
	stream uint32
	fault  func(error) error // makes errors of the log those of this package

	// mu guards everything below. It is held while a batch is appended: between the changes of two
	// batches the log is in the same order as they are. Only the log's own lock is taken under it.
	mu      sync.Mutex
	objects map[uint64]*object
	last    uint64 // highest number there was
	open    bool
	batch   journal.Batch
	changes []objectChange // whose frames are not settled, in their order
	leaving struct {       // what is to be carried, found in one walk over all objects
		segment uint32 // 0: none
		numbers []uint64
	}
}

// object is one object and where its record is.
type object struct {
	kind    durable.Kind
	data    []byte
	segment uint32
}

// weight is what it takes to carry the object, about.
func (o *object) weight() int64 { return int64(len(o.data)) + 24 }

// objectChange is one change that may turn out not to be in the log, because that had no room.
type objectChange struct {
	mark   uint64
	number uint64
	before *object // what the change took away: it lives on until the frame is settled
}

// Kinds of records of an object store's stream. No record of a queue has one of these.
const (
	recordObject      uint8 = 32 + iota // number, kind, data
	recordObjectsGone                   // numbers
)

func newObjectStore(log *journal.Log, stream uint32, fault func(error) error) *objectStore {
	return &objectStore{log: log, stream: stream, fault: fault, objects: map[uint64]*object{}}
}

// replay takes a record of an earlier process in.
func (s *objectStore) replay(r journal.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	data := r.Data
	number, n := binary.Uvarint(data)
	switch {
	case n <= 0, r.Kind == recordObject && len(data) == n:
		return errObjectRecord
	case r.Kind == recordObject:
		s.objects[number] = &object{kind: durable.Kind(data[n]), data: slices.Clone(data[n+1:]), segment: r.Segment}
		s.last = max(s.last, number)
		return nil
	case r.Kind == recordObjectsGone:
		for len(data) > 0 {
			if number, n = binary.Uvarint(data); n <= 0 {
				return errObjectRecord
			}
			delete(s.objects, number)
			s.last = max(s.last, number)
			data = data[n:]
		}
		return nil
	}
	return fmt.Errorf("inq: the journal holds a record of kind %d in stream %d, which this version does not know; a newer one wrote it", r.Kind, r.Stream)
}

var errObjectRecord = errors.New("inq: the journal holds a record of an object that cannot be read")

// hold tells the log what lives, after everything was replayed.
func (s *objectStore) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.objects {
		s.log.Hold(o.segment, o.weight())
	}
}

// acquire gives the store to an owner, one at a time.
func (s *objectStore) acquire(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open {
		return &ParamError{Err: ErrInvalidParameter, Param: "Journal", Value: name, Reason: "the owner of that name is open in this journal already; close it first"}
	}
	s.open = true
	return nil
}

// Close implements durable.Store.
func (s *objectStore) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = false
}

// Load implements durable.Store.
func (s *objectStore) Load(f func(durable.Object) error) error {
	s.mu.Lock()
	all := make([]durable.Object, 0, len(s.objects))
	for number, o := range s.objects {
		all = append(all, durable.Object{Number: number, Kind: o.kind, Data: o.data})
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b durable.Object) int {
		if a.Number < b.Number {
			return -1
		}
		return 1
	})
	for _, o := range all {
		if err := f(o); err != nil {
			return err
		}
	}
	return nil
}

// Next implements durable.Store.
func (s *objectStore) Next() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	return s.last
}

// Room implements durable.Store.
func (s *objectStore) Room() error { return s.fault(s.log.Room(journal.Send)) }

// Write implements durable.Store.
func (s *objectStore) Write(b *durable.Batch) (durable.Mark, error) {
	class := journal.Send
	if len(b.Puts) == 0 || b.Reserve {
		class = journal.Delete
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.log.Room(class); err != nil {
		return 0, s.fault(err)
	}
	s.encode(&s.batch, b)
	segment, mark, err := s.log.Append(&s.batch, class)
	if err != nil {
		s.batch.Reset()
		return 0, s.fault(err)
	}
	for _, o := range b.Puts {
		s.changes = append(s.changes, objectChange{mark, o.Number, s.objects[o.Number]})
		s.objects[o.Number] = &object{o.Kind, o.Data, segment}
	}
	s.deleteLocked(b.Deletes, mark)
	return mark, nil
}

// encode appends the records of a batch.
func (s *objectStore) encode(to *journal.Batch, b *durable.Batch) {
	for _, o := range b.Puts {
		w := object{kind: o.Kind, data: o.Data}
		s.encodePut(to, o.Number, &w)
	}
	if len(b.Deletes) > 0 {
		data := to.Begin(s.stream, recordObjectsGone)
		for _, number := range b.Deletes {
			data = binary.AppendUvarint(data, number)
		}
		to.End(data, 0)
	}
	to.Settle(s.stream)
}

func (s *objectStore) encodePut(to *journal.Batch, number uint64, o *object) {
	data := binary.AppendUvarint(to.Begin(s.stream, recordObject), number)
	data = append(data, byte(o.kind))
	to.End(append(data, o.data...), o.weight())
}

// deleteLocked takes objects away, in the frame of that mark. s.mu must be held.
func (s *objectStore) deleteLocked(numbers []uint64, mark uint64) {
	for _, number := range numbers {
		if o := s.objects[number]; o != nil || s.changingLocked(number) { // a delete before this one may find no room
			delete(s.objects, number)
			s.changes = append(s.changes, objectChange{mark, number, o})
		}
	}
}

// committed is called when a frame of the store is settled: what it took away is gone for good, or, where
// it found no room, is there again.
func (s *objectStore) committed(mark uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for n < len(s.changes) && s.changes[n].mark <= mark {
		n++
	}
	settled, later := s.changes[:n], s.changes[n:]
	if errors.Is(err, journal.ErrFull) {
		for _, c := range slices.Backward(settled) { // the log has taken the weight of what was put back
			if c.mark != mark {
				continue
			}
			next := slices.IndexFunc(later, func(l objectChange) bool { return l.number == c.number })
			switch {
			case next >= 0: // what the object is now is yet to be settled
				later[next].before = c.before
			case c.before == nil:
				delete(s.objects, c.number)
			default:
				s.objects[c.number] = c.before
			}
		}
	} else {
		for _, c := range settled {
			if c.before != nil {
				s.log.Release(c.before.segment, c.before.weight())
			}
		}
	}
	s.changes = slices.Delete(s.changes, 0, n)
}

// Forget implements durable.Store. Its record goes with its segment.
func (s *objectStore) Forget(number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.objects[number]; o != nil && !s.changingLocked(number) {
		delete(s.objects, number)
		s.log.Release(o.segment, o.weight())
	}
}

// changingLocked reports that a change of the object is not settled.
func (s *objectStore) changingLocked(number uint64) bool {
	return slices.ContainsFunc(s.changes, func(c objectChange) bool { return c.number == number })
}

// carry appends anew up to most objects of a segment that is to go, and returns how many.
func (s *objectStore) carry(segment uint32, most int) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.leaving
	if l.segment != segment {
		l.segment, l.numbers = segment, l.numbers[:0]
		for number, o := range s.objects {
			if o.segment == segment {
				l.numbers = append(l.numbers, number)
			}
		}
	}
	for ; n < most && len(l.numbers) > 0; l.numbers = l.numbers[:len(l.numbers)-1] {
		number := l.numbers[len(l.numbers)-1]
		o := s.objects[number]
		if o == nil || o.segment != segment || s.changingLocked(number) {
			continue // what is about to change is there when it is looked for again
		}
		s.encodePut(&s.batch, number, o)
		to, _, err := s.log.Append(&s.batch, journal.Carry)
		if err != nil { // the log has failed
			s.batch.Reset()
			return n
		}
		o.segment = to
		s.log.Release(segment, o.weight())
		n++
	}
	if len(l.numbers) == 0 {
		l.segment, l.numbers = 0, nil
	}
	return n
}

// Wait implements durable.Store.
func (s *objectStore) Wait(mark durable.Mark) error { return s.fault(s.log.Wait(mark, true)) }

// Sync implements durable.Store.
func (s *objectStore) Sync() error { return s.fault(s.log.Sync()) }

// numbers are those of all objects, in order.
func (s *objectStore) numbers() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.objects))
}
