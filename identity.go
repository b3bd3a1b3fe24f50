package inq

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// identity is what a queue needs to name its messages. It is a value of its own so that a Sent or a
// Delivery that outlives the queue does not keep the messages alive.
//
// Ids, sequence numbers, receipt handles and deduplication keys follow from the number of a message,
// the key and first alone: a queue that is given these two back names its messages as before.
type identity struct {
	epoch   time.Time   // origin of every int64 time of the queue; monotonic, taken inside the bubble in tests
	key     sipKey      // the one that may be stored; all others are derived from it
	first   uint64      // sequence number of the message with seq 0
	names   sipKey      // makes message ids
	gaps    sipKey      // makes the distances of sequence numbers
	checks  sipKey      // makes the check of receipt handles
	fifo    bool        // messages have sequence numbers that are shown
	foreign *SentFields // set by NewSent, and then nothing else is
}

// What keys are derived for. The numbers are part of what is stored: never give one a new meaning.
const (
	useMessageID = 1 + iota
	useSequenceNumber
	useReceiptHandle
	useDeduplicationID
	useDeduplicationGroup
)

// sequenceBase makes every sequence number 20 digits long (SQS: FIFO-1).
const sequenceBase = 10_000_000_000_000_000_000

// sequenceStep is how far apart sequence numbers are on average. There is room for 10^17 of them
// above the base and the time, and it is less than a send takes in nanoseconds: the numbers of a queue
// do not run ahead of the clock that the next one starts from.
const sequenceStep = 64

// newIdentity makes the identity of a new queue.
func newIdentity(fifo bool) *identity {
	// A queue made later starts higher, so numbers keep growing over restarts of the process.
	return storedIdentity(newKey(), sequenceBase+uint64(max(time.Now().UnixNano(), 0)), fifo)
}

// storedIdentity makes the identity of a queue that had this key and this first number before.
func storedIdentity(key sipKey, first uint64, fifo bool) *identity {
	return &identity{
		epoch:  time.Now(),
		key:    key,
		first:  first,
		names:  key.derive(useMessageID),
		gaps:   key.derive(useSequenceNumber),
		checks: key.derive(useReceiptHandle),
		fifo:   fifo,
	}
}

// messageID derives the id of the message that arrived as number seq: a keyed 128-bit hash in the
// form of a version-4 UUID. Deriving instead of storing saves 16 bytes in every message and every
// entry of the deduplication window, and the price is paid by those who ask for the id.
func (n *identity) messageID(seq uint64) uuid.UUID {
	lo, hi := n.names.word128(seq)
	var id uuid.UUID
	binary.LittleEndian.PutUint64(id[:8], lo)
	binary.LittleEndian.PutUint64(id[8:], hi)
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// sequenceNumber is the number of the message that arrived as number seq. Between two of them at
// least one is left out, and not always as many, so that nobody counts on numbers that follow each
// other (SQS: FIFO-1).
func (n *identity) sequenceNumber(seq uint64) string {
	gap := n.gaps.word64(seq) % (sequenceStep - 1) // one short: the next number does not follow
	return fmt.Sprintf("%020d", n.first+seq*sequenceStep+gap)
}

// time turns a time of the queue into the wall clock of its process.
func (n *identity) time(at int64) time.Time { return n.epoch.Add(time.Duration(at)) }
