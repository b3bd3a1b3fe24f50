package topic

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// identity is what a topic needs to name what was published. It is a value of its own so that a
// Published that outlives the topic does not keep the topic.
type identity struct {
	epoch time.Time // origin of every int64 time of the topic; monotonic, taken inside the bubble in tests
	key   []byte    // 16 bytes, may be stored
	names cipher.Block
	first uint64 // sequence number of the message with number 0
	fifo  bool
}

// sequenceBase makes every sequence number 20 digits long.
const sequenceBase = 10_000_000_000_000_000_000

// newIdentity makes the identity of a new topic.
func newIdentity(fifo bool) *identity {
	key := make([]byte, 16)
	_, _ = rand.Read(key) // never fails
	// A topic made later starts higher, so numbers keep growing over restarts of the process.
	return storedIdentity(key, sequenceBase+uint64(max(time.Now().UnixNano(), 0)), fifo)
}

// storedIdentity makes the identity of a topic that had this key, of 16 bytes, and this first number
// before.
func storedIdentity(key []byte, first uint64, fifo bool) *identity {
	names, err := aes.NewCipher(key)
	if err != nil {
		panic("bug: the key of a topic: " + err.Error())
	}
	return &identity{epoch: time.Now(), key: key, names: names, first: first, fifo: fifo}
}

// messageID derives the id of the message that was published as number n: the number, enciphered, in
// the form of a version-4 UUID. A publish whose caller does not ask for it, and whose copies do not
// show it, pays nothing; and a deduplication window need not keep it.
func (i *identity) messageID(n uint64) uuid.UUID {
	blocks := cipherBlocks.Get().(*[2]uuid.UUID) // what an interface is given cannot be on the stack
	defer cipherBlocks.Put(blocks)
	blocks[0] = uuid.UUID{}
	binary.LittleEndian.PutUint64(blocks[0][:], n)
	i.names.Encrypt(blocks[1][:], blocks[0][:])
	id := blocks[1]
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

var cipherBlocks = sync.Pool{New: func() any { return new([2]uuid.UUID) }}

// sequenceNumber is that of the message published as number n. Like those of SNS they rise with
// gaps.
func (i *identity) sequenceNumber(n uint64) string {
	return fmt.Sprintf("%020d", i.first+2*n)
}

// now is the time of the topic.
func (i *identity) now() int64 { return int64(time.Since(i.epoch)) }

// Published tells a publisher what became of one accepted message. Its strings are made when they
// are asked for.
type Published struct {
	ids       *identity
	number    uint64
	duplicate bool
}

// MessageID returns the id of the message, a lower-case UUID. It is the one in the envelope that
// subscribers get; the ids that queues give to their copies differ (SNS: FAN-2). For a duplicate it
// is the id of the original (SNS: FIFO-3). It is "" for the zero Published.
func (p Published) MessageID() string {
	if p.ids == nil {
		return ""
	}
	id := p.ids.messageID(p.number)
	return id.String()
}

// SequenceNumber returns the place of a message of a FIFO topic, 20 digits that grow with every
// accepted message (SNS: PUB-9). It is "" on Standard.
func (p Published) SequenceNumber() string {
	if p.ids == nil || !p.ids.fifo {
		return ""
	}
	return p.ids.sequenceNumber(p.number)
}

// Duplicate reports whether a FIFO topic had accepted the same deduplication id in the last five
// minutes. The publish succeeded, and nothing was delivered (SNS: FIFO-2).
func (p Published) Duplicate() bool { return p.duplicate }
