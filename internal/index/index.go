// Package index finds ids by the 64-bit hash of a key that is stored elsewhere.
//
// It is a hash table that grows in small steps. A directory, indexed by the leading bits of the
// hash, points to segments of at most 1024 slots, which are open-addressing tables of ids, each
// beside half of its hash: that half is enough to move an entry and to pass over others, so the
// owner's data is looked at only for an entry that is most likely the right one. A full segment is
// split in two and a sparse one is merged with its neighbour, so that no step rehashes more than
// about one segment whatever the size of the table; a table made of one piece stops its owner for
// tens of milliseconds at a few million entries. Memory that deletion makes free is given back,
// which Go's maps do not do.
//
// Nothing in this package locks.
package index

import "math/bits"

const (
	leastSlots = 16   // size of the first segment
	mostSlots  = 1024 // a segment of this size is split instead of enlarged, if that helps

	maxDepth = 22 // leaves the slot ten bits of its own

	// mergeBelow is the number of entries up to which two neighbours become one segment. A fresh
	// split leaves twice as many.
	mergeBelow = mostSlots * 3 / 8
)

// Index is a set of pairs of hash and id. Several ids may have the same hash. The leading 32 bits
// of the hashes must be well mixed, like those of hash/maphash: the first of them choose the
// segment and the last of them the slot in it. The others are not used.
//
// The zero value is empty.
type Index struct {
	n int

	// dir has 1<<depth elements. A segment of depth d is in 1<<(depth-d) neighbouring ones.
	dir   []*segment
	depth uint8

	// Where the latest Find ended that found nothing, as long as nothing has changed since: an
	// Insert under the same hash goes there without a second search.
	missed   uint64 // its hash
	missedAt uint32 // the empty slot plus 1; 0: unknown

	// atDepth[d] is the number of segments of depth d. When the last one of the full depth is
	// merged the directory halves.
	atDepth []uint32
}

// Len returns the number of entries.
func (x *Index) Len() int { return x.n }

// Reset removes all entries and gives their memory back.
func (x *Index) Reset() { *x = Index{} }

// segment returns the segment responsible for a hash. The directory must not be empty.
func (x *Index) segment(hash uint64) *segment { return x.dir[hash>>(64-x.depth)] }

// Find returns an id with the given hash for which eq reports true, and whether there is one. eq is
// asked for ids of which half the hash agrees. It must not change the index. Where Find finds
// nothing, an Insert under this hash that comes next costs no second search.
func (x *Index) Find(hash uint64, eq func(id uint32) bool) (id uint32, ok bool) {
	if x.n == 0 {
		return 0, false
	}
	slots := x.segment(hash).slots
	mask := uint64(len(slots) - 1)
	for i := hash >> 32 & mask; ; i = (i + 1) & mask {
		e := slots[i&uint64(len(slots)-1)]
		if e == 0 {
			x.missed, x.missedAt = hash, uint32(i&uint64(len(slots)-1))+1
			return 0, false
		}
		if e.matches(hash) && eq(e.id()) {
			return e.id(), true
		}
	}
}

// Insert adds id, which must not be 0, under the given hash. It does not look whether the pair is
// there already.
func (x *Index) Insert(hash uint64, id uint32) {
	if x.dir == nil {
		x.dir = []*segment{{slots: make([]entry, leastSlots)}}
		x.atDepth = []uint32{1}
	}
	s, at := x.segment(hash), x.missedAt
	x.missedAt = 0
	x.n++
	if at != 0 && x.missed == hash && !s.full() {
		s.slots[at-1] = newEntry(hash, id)
		s.n++
		return
	}
	for s.full() {
		x.relieve(s, hash)
		s = x.segment(hash)
	}
	s.put(newEntry(hash, id))
}

// Delete removes id from under the given hash and reports whether it was there.
func (x *Index) Delete(hash uint64, id uint32) bool {
	if x.n == 0 {
		return false
	}
	s := x.segment(hash)
	if !s.cut(newEntry(hash, id)) {
		return false
	}
	x.n--
	x.missedAt = 0
	if s.n <= mergeBelow/2 || s.n < len(s.slots)/8 {
		x.tidy(s, hash)
	}
	return true
}

// relieve makes room in a full segment, which is the one responsible for hash, for an entry of that
// hash.
func (x *Index) relieve(s *segment, hash uint64) {
	if len(s.slots) >= mostSlots && s.depth < maxDepth && (s.depth < x.depth || len(x.dir)*32 <= x.n) {
		// Splitting would not divide entries that have the same hash. Good hash functions give that
		// to few keys, but the owner may insert many entries under one key; then the segment
		// becomes larger than others. The directory must not grow out of proportion to what it
		// leads to either.
		bit := uint64(1) << (63 - s.depth)
		if n := s.count(bit); min(n, s.n-n) >= s.n/16 {
			x.split(s, hash, bit, n)
			return
		}
	}
	s.resize(2 * len(s.slots))
}

// split replaces s, which is the segment responsible for hash, by one for its n entries whose hash
// has the given bit and one for the others.
func (x *Index) split(s *segment, hash, bit uint64, n int) {
	if s.depth == x.depth {
		x.double()
	}
	low := &segment{depth: s.depth + 1, slots: make([]entry, slotsFor(s.n-n))}
	high := &segment{depth: s.depth + 1, slots: make([]entry, slotsFor(n))}
	for _, e := range s.slots {
		switch {
		case e == 0:
		case uint64(e)&bit != 0:
			high.put(e)
		default:
			low.put(e)
		}
	}
	x.atDepth[s.depth]--
	x.atDepth[s.depth+1] += 2
	part := x.part(s.depth, hash)
	fill(part[:len(part)/2], low)
	fill(part[len(part)/2:], high)
}

// tidy gives back what s, which is the one responsible for hash, holds in excess after a deletion.
func (x *Index) tidy(s *segment, hash uint64) {
	for s.depth > 0 {
		buddy := x.segment(hash ^ 1<<(64-s.depth))
		if buddy.depth != s.depth || s.n+buddy.n > mergeBelow {
			break
		}
		merged := &segment{depth: s.depth - 1, slots: make([]entry, slotsFor(s.n+buddy.n))}
		merged.take(s)
		merged.take(buddy)
		x.atDepth[s.depth] -= 2
		x.atDepth[merged.depth]++
		fill(x.part(merged.depth, hash), merged)
		for x.atDepth[x.depth] == 0 {
			x.halve()
		}
		s = merged
	}
	if len(s.slots) > leastSlots && s.n < len(s.slots)/8 {
		s.resize(len(s.slots) / 2)
	}
}

// part returns the elements of the directory for the hashes that agree with the given one in the
// first depth bits.
func (x *Index) part(depth uint8, hash uint64) []*segment {
	width := len(x.dir) >> depth
	from := int(hash>>(64-depth)) * width
	return x.dir[from : from+width]
}

// double makes the directory resolve one bit more.
func (x *Index) double() {
	dir := make([]*segment, 2*len(x.dir))
	for i, s := range x.dir {
		dir[2*i], dir[2*i+1] = s, s
	}
	x.dir = dir
	x.depth++
	x.atDepth = append(x.atDepth, 0)
}

// halve makes the directory resolve one bit less.
func (x *Index) halve() {
	dir := make([]*segment, len(x.dir)/2)
	for i := range dir {
		dir[i] = x.dir[2*i]
	}
	x.dir = dir
	x.depth--
	x.atDepth = x.atDepth[:len(x.atDepth)-1]
}

// fill lets all elements of a part of the directory point to s.
func fill(part []*segment, s *segment) {
	for i := range part {
		part[i] = s
	}
}

// slotsFor returns the size of a new segment for n entries, which leaves room for half as many
// more.
func slotsFor(n int) int {
	return max(leastSlots, 1<<bits.Len(uint(n+n/2)))
}
