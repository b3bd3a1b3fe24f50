package index

import (
	"unsafe"

	"github.com/stretchr/testify/require"
)

// Check fails the test if the index is not in order.
func (x *Index) Check(t require.TestingT) {
	// Calling require for each fact would take most of the time of the tests.
	must := func(ok bool, what string) {
		if !ok {
			require.Fail(t, "the index is not in order", what)
		}
	}
	n := 0
	atDepth := make([]uint32, len(x.atDepth))
	if x.dir == nil {
		require.Zero(t, x.n)
		return
	}
	require.Len(t, x.dir, 1<<x.depth)
	for i := 0; i < len(x.dir); {
		s := x.dir[i]
		width := len(x.dir) >> s.depth
		must(i%width == 0, "a segment starts in the middle of its part")
		for k := range width {
			must(x.dir[i+k] == s, "a segment does not have its whole part")
		}
		live := 0
		for k, e := range s.slots {
			if e == 0 {
				continue
			}
			live++
			must(uint64(i/width) == uint64(e)>>(64-s.depth), "an entry is in a wrong segment")
			for j := int(e.home(uint64(len(s.slots) - 1))); j != k; j = (j + 1) & (len(s.slots) - 1) {
				must(s.slots[j] != 0, "an empty slot is before an entry")
			}
		}
		must(live == s.n, "a segment has a wrong size")
		must(live <= len(s.slots)/4*3, "a segment is too full")
		atDepth[s.depth]++
		n += live
		i += width
	}
	require.Equal(t, atDepth, x.atDepth)
	require.NotZero(t, x.atDepth[x.depth])
	require.Equal(t, n, x.n)
}

// Depth returns the number of bits that the directory resolves.
func (x *Index) Depth() int { return int(x.depth) }

// Bytes returns the memory that the index holds, without what the allocator adds.
func (x *Index) Bytes() int {
	sum := int(unsafe.Sizeof(*x)) + 8*cap(x.dir) + 4*cap(x.atDepth)
	for i := 0; i < len(x.dir); i += len(x.dir) >> x.dir[i].depth {
		sum += int(unsafe.Sizeof(segment{})) + 8*cap(x.dir[i].slots)
	}
	return sum
}

// Largest returns the number of slots of the largest segment.
func (x *Index) Largest() int {
	n := 0
	for _, s := range x.dir {
		n = max(n, len(s.slots))
	}
	return n
}
