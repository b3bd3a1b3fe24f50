package inq

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
)

// sipKey is a key of SipHash-2-4 (Aumasson and Bernstein, 2012), the hash behind everything of a
// queue that can be stored and must come out the same later. hash/maphash is a little faster, but
// its seeds cannot be stored; a block cipher is slower and allocates.
type sipKey struct{ k0, k1 uint64 }

// newKey makes a key that nobody can guess.
func newKey() sipKey {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return sipKey{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])}
}

// derive makes a key for one use. What is seen of one use then tells nothing about another, even
// where both hash the same bytes.
func (k sipKey) derive(use uint64) sipKey {
	k0, k1 := k.word128(use)
	return sipKey{k0, k1}
}

// word64 returns the sum of the eight bytes of w, the lowest first.
func (k sipKey) word64(w uint64) uint64 { return k.begin().block(w).block(8 << 56).sum64() }

// pair64 is word64 for sixteen bytes.
func (k sipKey) pair64(w, x uint64) uint64 {
	return k.begin().block(w).block(x).block(16 << 56).sum64()
}

// word128 is word64 with a sum of 128 bits, the first eight bytes of it in lo.
func (k sipKey) word128(w uint64) (lo, hi uint64) {
	return k.begin128().block(w).block(8 << 56).sum128()
}

// bytes128 returns the sum of any number of bytes.
func (k sipKey) bytes128(b []byte) (lo, hi uint64) {
	s := k.begin128()
	last := uint64(len(b)) << 56 // the last block ends in the length
	for ; len(b) >= 8; b = b[8:] {
		s = s.block(binary.LittleEndian.Uint64(b))
	}
	for i, c := range b {
		last |= uint64(c) << (8 * i)
	}
	return s.block(last).sum128()
}

// sipState is what blocks of eight bytes are mixed into.
type sipState struct{ v0, v1, v2, v3 uint64 }

func (k sipKey) begin() sipState {
	return sipState{k.k0 ^ 0x736f6d6570736575, k.k1 ^ 0x646f72616e646f6d, k.k0 ^ 0x6c7967656e657261, k.k1 ^ 0x7465646279746573}
}

// begin128 begins a sum of 128 bits, which has nothing in common with one of 64.
func (k sipKey) begin128() sipState {
	s := k.begin()
	s.v1 ^= 0xee
	return s
}

// round is written so that the compiler just about inlines it; a call for each would take as long
// as the round.
func (s sipState) round() sipState {
	a, b := s.v0+s.v1, s.v2+s.v3
	c, d := bits.RotateLeft64(s.v1, 13)^a, bits.RotateLeft64(s.v3, 16)^b
	a, b = bits.RotateLeft64(a, 32)+d, b+c
	return sipState{a, bits.RotateLeft64(c, 17) ^ b, bits.RotateLeft64(b, 32), bits.RotateLeft64(d, 21) ^ a}
}

func (s sipState) block(w uint64) sipState {
	s.v3 ^= w
	s = s.round().round()
	s.v0 ^= w
	return s
}

func (s sipState) finish() sipState { return s.round().round().round().round() }

func (s sipState) sum() uint64 { return s.v0 ^ s.v1 ^ s.v2 ^ s.v3 }

func (s sipState) sum64() uint64 {
	s.v2 ^= 0xff
	return s.finish().sum()
}

func (s sipState) sum128() (lo, hi uint64) {
	s.v2 ^= 0xee
	s = s.finish()
	lo = s.sum()
	s.v1 ^= 0xdd
	return lo, s.finish().sum()
}
