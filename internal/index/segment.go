package index

// entry is an id beside the leading half of its hash. 0 is no entry.
type entry uint64

func newEntry(hash uint64, id uint32) entry { return entry(hash&^(1<<32-1) | uint64(id)) }

func (e entry) id() uint32 { return uint32(e) }

// matches reports whether the half of the hash that is known agrees.
func (e entry) matches(hash uint64) bool { return uint64(e)>>32 == hash>>32 }

// home returns the slot at which the search for the entry starts.
func (e entry) home(mask uint64) uint64 { return uint64(e) >> 32 & mask }

// segment is an open-addressing table with linear probing. There is always an empty slot, at which
// every search ends.
type segment struct {
	slots []entry // the size is a power of two
	n     int
	depth uint8 // the hashes of all entries agree in that many leading bits
}

// full reports whether one more entry would make searches slow.
func (s *segment) full() bool { return s.n >= len(s.slots)/4*3 }

// put adds an entry.
func (s *segment) put(e entry) {
	mask := uint64(len(s.slots) - 1)
	i := e.home(mask)
	for s.slots[i] != 0 {
		i = (i + 1) & mask
	}
	s.slots[i] = e
	s.n++
}

// take adds all entries of o.
func (s *segment) take(o *segment) {
	for _, e := range o.slots {
		if e != 0 {
			s.put(e)
		}
	}
}

// cut removes an entry and reports whether it was there. Entries behind it move up, so that no mark
// has to stay in its place.
func (s *segment) cut(e entry) bool {
	mask := uint64(len(s.slots) - 1)
	hole := e.home(mask)
	for s.slots[hole] != e {
		if s.slots[hole] == 0 {
			return false
		}
		hole = (hole + 1) & mask
	}
	for i := (hole + 1) & mask; s.slots[i] != 0; i = (i + 1) & mask {
		// An entry may move to the hole unless that is before the slot its search starts at.
		if home := s.slots[i].home(mask); (i-home)&mask >= (i-hole)&mask {
			s.slots[hole] = s.slots[i]
			hole = i
		}
	}
	s.slots[hole] = 0
	s.n--
	return true
}

// resize gives the segment a new size.
func (s *segment) resize(size int) {
	old := *s
	s.slots, s.n = make([]entry, size), 0
	s.take(&old)
}

// count returns the number of entries whose hash has the given bit, one of the leading half.
func (s *segment) count(bit uint64) int {
	n := 0
	for _, e := range s.slots {
		if uint64(e)&bit != 0 {
			n++
		}
	}
	return n
}
