// Package links stores the links of entries that are at any moment in at most one list or timer
// wheel.
//
// An entry is named by a small integer, its id. Its deadline and its two links lie in a slab that
// the lists and the wheel of one queue share, so that moving an entry from one to another allocates
// nothing and costs no memory of its own. The nodes hold no pointers: the garbage collector never
// looks inside them.
//
// Nothing in this package locks; the owner of the Nodes serialises all access to them and to the
// lists on them.
package links

// ChunkSize is the number of nodes in a whole chunk. Growing a slab costs at most the copying of
// one chunk.
const ChunkSize = 1 << chunkBits

const (
	chunkBits = 11
	chunkMask = ChunkSize - 1

	// firstSize is the least size of the first chunk: a queue that holds a few messages pays for no
	// more than these.
	firstSize = 32
)

// Node is the part of an entry that lists and the wheel need.
type Node struct {
	// Deadline belongs to the wheel while the entry is in it, and to the owner of the entry
	// otherwise. Lists do not touch it.
	Deadline int64

	// Next and Prev belong to the list or the wheel that holds the entry. What they mean is private
	// to it.
	Next, Prev uint32
}

// Nodes is a growing array of nodes, indexed by id. Id 0 means "none" everywhere: it has a node,
// but no list may hold it.
//
// The zero value is an empty slab.
type Nodes struct {
	chunks [][]Node
	size   int
}

// At returns the node of id, which must be less than Len. The pointer is valid until the next call
// of Grow or Reset.
func (n *Nodes) At(id uint32) *Node {
	return &n.chunks[id>>chunkBits][id&chunkMask]
}

// Len returns the number of ids that At accepts.
func (n *Nodes) Len() int { return n.size }

// Grow makes all ids below size valid. Nodes that exist keep their content, new ones are zero. Room
// is made in doubling steps up to ChunkSize and in whole chunks from there on, so Len may be more
// than size afterwards. A size that is not more than Len changes nothing.
func (n *Nodes) Grow(size int) {
	if size > n.size {
		n.grow(size)
	}
}

// grow is kept out of Grow so that the usual case, nothing to do, costs a comparison.
//
//go:noinline
func (n *Nodes) grow(size int) {
	if n.size < ChunkSize {
		room := max(n.size, firstSize)
		for room < size && room < ChunkSize {
			room *= 2
		}
		first := make([]Node, room)
		if n.size > 0 {
			copy(first, n.chunks[0])
			n.chunks[0] = first
		} else {
			n.chunks = append(n.chunks, first)
		}
		n.size = room
	}
	for n.size < size {
		n.chunks = append(n.chunks, make([]Node, ChunkSize))
		n.size += ChunkSize
	}
}

// Reset drops all nodes. No id is valid afterwards, and lists and wheels over n must be reset too.
func (n *Nodes) Reset() { *n = Nodes{} }
