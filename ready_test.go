package inq

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// newReady makes a ready store over a slab of n messages, whose times are those given.
func newReady(s *store, enqueued []int64) *ready {
	d := &ready{}
	d.heap.Track(func(slot uint32, pos int32) { s.nodes.At(slot).Next = uint32(pos) })
	for i, at := range enqueued {
		r := s.at(s.alloc())
		r.enqueued, r.seq, r.state = at, uint64(i+1), stateReady
	}
	return d
}

func TestReady_GivesTheOldestFirstWhateverTheOrderOfReturn(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	for range 50 {
		const n = 200
		s := &store{}
		times := make([]int64, n)
		for i := range times {
			times[i] = int64(i / 3) // several at one instant
		}
		d := newReady(s, times)
		in := []uint32{} // the model: slots in the order of their places, which is that of their numbers
		out := make([]uint32, n)
		for i := range out {
			out[i] = uint32(i + 1)
		}
		for range 2000 {
			if len(out) != 0 && rng.IntN(2) == 0 {
				i := 0
				switch rng.IntN(3) { // in order, in reverse, anyhow
				case 1:
					i = len(out) - 1
				case 2:
					i = rng.IntN(len(out))
				}
				slot := out[i]
				out = slices.Delete(out, i, i+1)
				at, _ := slices.BinarySearch(in, slot)
				in = slices.Insert(in, at, slot)
				d.push(s, slot, s.at(slot))
			} else if len(in) != 0 {
				i := 0
				if rng.IntN(3) == 0 {
					i = rng.IntN(len(in)) // deleted while it is ready
				}
				slot := in[i]
				in = slices.Delete(in, i, i+1)
				d.remove(s, slot, s.at(slot))
				at, _ := slices.BinarySearch(out, slot)
				out = slices.Insert(out, at, slot)
				require.Zero(t, s.at(slot).flags)
			}
			if len(in) == 0 {
				require.Zero(t, d.head(s))
			} else {
				require.Equal(t, in[0], d.head(s))
			}
		}
	}
}

func TestReady_WhatComesInOrderNeverGoesThroughTheHeap(t *testing.T) {
	s := &store{}
	d := newReady(s, []int64{1, 2, 3, 4, 5, 6, 7, 8})
	for slot := uint32(1); slot <= 8; slot++ {
		d.push(s, slot, s.at(slot))
	}
	for slot := uint32(1); slot <= 6; slot++ {
		d.remove(s, slot, s.at(slot))
	}
	for slot := uint32(1); slot <= 6; slot++ { // their timeouts lapse in the order of their receives
		d.push(s, slot, s.at(slot))
		require.Zero(t, d.heap.Len())
	}
	for slot := uint32(1); slot <= 8; slot++ {
		require.Equal(t, slot, d.head(s))
		d.remove(s, slot, s.at(slot))
	}
	require.Zero(t, d.head(s))
}
