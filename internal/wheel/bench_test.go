package wheel_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"example.com/inq/internal/links"
	"example.com/inq/internal/wheel"
)

func newWheel(ids int) (*wheel.Wheel, *links.Nodes) {
	nodes := new(links.Nodes)
	nodes.Grow(ids + 1)
	w := new(wheel.Wheel)
	w.Init(nodes)
	return w, nodes
}

func BenchmarkWheel_RemoveAdd(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		for _, order := range []string{"newest", "slot", "random"} {
			b.Run(fmt.Sprintf("n=%d/order=%s", n, order), func(b *testing.B) {
				w, _ := newWheel(n)
				rng := rand.New(rand.NewPCG(1, 9))
				for i := range n {
					w.Add(uint32(i+1), 30_000_000_000+int64(i)*1000)
				}
				i := 0
				b.ReportAllocs()
				for b.Loop() {
					id := uint32(n)
					switch order {
					case "slot":
						id = uint32(i%n + 1)
					case "random":
						id = 1 + rng.Uint32N(uint32(n))
					}
					w.Remove(id)
					w.Add(id, 60_000_000_000+int64(i)*1000)
					i++
				}
			})
		}
	}
}

func BenchmarkWheel_MassExpiry(b *testing.B) {
	const n = 1_000_000
	const at = 30_000_000_000
	for _, c := range []struct {
		name   string
		budget int
		order  string
		early  bool
	}{
		{"order=sorted/budget=none", all, "sorted", false},
		{"order=sorted/budget=256", 256, "sorted", false},
		{"order=shuffled/budget=256", 256, "shuffled", false},
		{"order=sorted/budget=256/woken=early", 256, "sorted", true},
	} {
		b.Run(c.name, func(b *testing.B) {
			ids := make([]uint32, n)
			for i := range ids {
				ids[i] = uint32(i + 1)
			}
			if c.order == "shuffled" {
				rand.New(rand.NewPCG(1, 9)).Shuffle(n, func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
			}
			w, _ := newWheel(n)
			fired := 0
			fire := func(uint32) { fired++ }
			for i := range b.N {
				b.StopTimer()
				deadline := int64(i+1) * at
				for _, id := range ids {
					w.Add(id, deadline)
				}
				b.StartTimer()
				if c.early {
					for !w.Advance(deadline-1, c.budget, fire) {
					}
				}
				for !w.Advance(deadline, c.budget, fire) {
				}
			}
			if fired != n*b.N {
				b.Fatal(fired)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*b.N), "ns/entry")
		})
	}
}
