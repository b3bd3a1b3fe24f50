package index

// segment is an open-addressing table of ids with linear probing. The slot of an entry is given by the trailing bits of its
// hash; a slot is empty if it holds 0. There is always an empty slot, at which every search ends.
type segment struct {
	slots []uint32 // the size is a power of two
	n     int
	depth uint8 // the hashes of all entries agree in that many leading bits
}

// full reports whether one more entry would make searches slow.
func (s *segment) full() bool { return s.n >= len(s.slots)/4*3 }

// put adds an entry.
func (s *segment) put(hash uint64, id uint32) {
	mask := uint64(len(s.slots) - 1)
	i := hash & mask
	for s.slots[i] != 0 {
		i = (i + 1) & mask
	}
	s.slots[i] = id
	s.n++
}

// take adds all entries of o.
func (s *segment) take(o *segment, hashOf func(id uint32) uint64) {
	for _, id := range o.slots {
		if id != 0 {
			s.put(hashOf(id), id)
		}
	}
}

// cut removes an entry and reports whether it was there. Entries behind it move up, so that no mark has to stay in its place.
func (s *segment) cut(hash uint64, id uint32, hashOf func(id uint32) uint64) bool {
	mask := uint64(len(s.slots) - 1)
	hole := hash & mask
	for s.slots[hole] != id {
		if s.slots[hole] == 0 {
			return false
		}
		hole = (hole + 1) & mask
	}
	for i := (hole + 1) & mask; s.slots[i] != 0; i = (i + 1) & mask {
		// An entry may move to the hole unless that is before the slot its search starts at.
		if home := hashOf(s.slots[i]) & mask; (i-home)&mask >= (i-hole)&mask {
			s.slots[hole] = s.slots[i]
			hole = i
		}
	}
	s.slots[hole] = 0
	s.n--
	return true
}

// resize gives the segment a new size.
func (s *segment) resize(size int, hashOf func(id uint32) uint64) {
	old := *s
	s.slots, s.n = make([]uint32, size), 0
	s.take(&old, hashOf)
}

// count returns the number of entries whose hash has the given bit.
func (s *segment) count(bit uint64, hashOf func(id uint32) uint64) int {
	n := 0
	for _, id := range s.slots {
		if id != 0 && hashOf(id)&bit != 0 {
			n++
		}
	}
	return n
}
