package index_test

import (
	"fmt"
	"testing"

	"example.com/inq/internal/index"
)

// BenchmarkIndex_DeleteInsertFind replaces the oldest of n keys and finds one of the others, as a
// window of remembered keys does.
func BenchmarkIndex_DeleteInsertFind(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		keys := make([]uint64, n+1)
		for i := range keys {
			keys[i] = mix(uint64(i + 1))
		}
		b.Run(fmt.Sprintf("n=%d/impl=index", n), func(b *testing.B) {
			key := make([]uint64, n+1)
			copy(key, keys)
			var x index.Index
			for id := 1; id <= n; id++ {
				x.Insert(key[id], uint32(id))
			}
			i := 0
			next := uint64(n)
			b.ReportAllocs()
			for b.Loop() {
				id := uint32(i%n + 1)
				x.Delete(key[id], id)
				next++
				key[id] = mix(next)
				x.Insert(key[id], id)
				want := key[(i/2+n/3)%n+1]
				if _, ok := x.Find(want, func(id uint32) bool { return key[id] == want }); !ok {
					b.Fatal("not found")
				}
				i++
			}
		})
		b.Run(fmt.Sprintf("n=%d/impl=map", n), func(b *testing.B) {
			key := make([]uint64, n+1)
			copy(key, keys)
			x := map[uint64]uint32{}
			for id := 1; id <= n; id++ {
				x[key[id]] = uint32(id)
			}
			i := 0
			next := uint64(n)
			b.ReportAllocs()
			for b.Loop() {
				id := uint32(i%n + 1)
				delete(x, key[id])
				next++
				key[id] = mix(next)
				x[key[id]] = id
				if _, ok := x[key[(i/2+n/3)%n+1]]; !ok {
					b.Fatal("not found")
				}
				i++
			}
		})
	}
}
