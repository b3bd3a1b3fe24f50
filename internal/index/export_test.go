package index

import (
	"unsafe"

	"github.com/stretchr/testify/require"
)

// Check fails the test if the index is not in order.
func (x *Index) Check(t require.TestingT) {
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
		require.Zero(t, i%width)
		for k := range width {
			require.Same(t, s, x.dir[i+k])
		}
		live := 0
		for k, id := range s.slots {
			if id == 0 {
				continue
			}
			live++
			h := x.hashOf(id)
			require.Equal(t, uint64(i/width), h>>(64-s.depth), "the entry is in its segment")
			for j := int(h) & (len(s.slots) - 1); j != k; j = (j + 1) & (len(s.slots) - 1) {
				require.NotZero(t, s.slots[j], "no empty slot before the entry")
			}
		}
		require.Equal(t, live, s.n)
		require.LessOrEqual(t, live, len(s.slots)/4*3)
		atDepth[s.depth]++
		n += live
		i += width
	}
	require.Equal(t, atDepth, x.atDepth)
	require.NotZero(t, x.atDepth[x.depth])
	require.Equal(t, n, x.n)
}

// Bytes returns the memory that the index holds, without what the allocator adds.
func (x *Index) Bytes() int {
	sum := int(unsafe.Sizeof(*x)) + 8*cap(x.dir) + 4*cap(x.atDepth)
	for i := 0; i < len(x.dir); i += len(x.dir) >> x.dir[i].depth {
		sum += int(unsafe.Sizeof(segment{})) + 4*cap(x.dir[i].slots)
	}
	return sum
}
