package inq

// slab holds values of one type in chunks and names them by number; 0 is nobody. Freed numbers are
// used again, the latest first. Pointers stay valid until the next alloc.
type slab[T any] struct {
	chunks [][]T
	free   []uint32
	size   uint32 // numbers given so far, the nil number included
	live   int
}

const slabChunk = 1024

func (s *slab[T]) at(id uint32) *T { return &s.chunks[id/slabChunk][id%slabChunk] }

// alloc returns the number of a zero value.
func (s *slab[T]) alloc() uint32 {
	s.live++
	if n := len(s.free); n != 0 {
		id := s.free[n-1]
		s.free = s.free[:n-1]
		return id
	}
	if s.size == 0 {
		s.size = 1
		s.chunks = append(s.chunks, make([]T, 8))
	}
	id := s.size
	s.size++
	switch c, i := int(id/slabChunk), int(id%slabChunk); {
	case c == len(s.chunks):
		s.chunks = append(s.chunks, make([]T, slabChunk))
	case i == len(s.chunks[c]): // the first chunk, which starts small
		bigger := make([]T, 2*i)
		copy(bigger, s.chunks[c])
		s.chunks[c] = bigger
	}
	return id
}

// release clears the value. When the last one goes, all memory goes.
func (s *slab[T]) release(id uint32) {
	var zero T
	*s.at(id) = zero
	s.live--
	if s.live == 0 && s.size > 4*slabChunk {
		*s = slab[T]{}
		return
	}
	s.free = append(s.free, id)
}
