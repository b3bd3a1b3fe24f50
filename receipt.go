package inq

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/google/uuid"
)

// identity is what a queue needs to name its messages. It is a value of its own so that a Sent or a
// Delivery that outlives the queue does not keep the messages alive.
type identity struct {
	epoch   time.Time // origin of every int64 time of the queue; monotonic, taken inside the bubble in tests
	idSeeds [2]maphash.Seed
	secret  maphash.Seed // keys the check of receipt handles
	first   uint64       // sequence number of the message with seq 0
	fifo    bool         // messages have sequence numbers that are shown
	foreign *SentFields  // set by NewSent, and then nothing else is
}

// sequenceBase makes every sequence number 20 digits long (SQS: FIFO-1).
const sequenceBase = 10_000_000_000_000_000_000

// sequenceStep is how far apart sequence numbers are on average. There is room for 10^17 of them
// above the base and the time, and it is less than a send takes in nanoseconds: the numbers of a queue
// do not run ahead of the clock that the next one starts from.
const sequenceStep = 64

func newIdentity(fifo bool) *identity {
	epoch := time.Now()
	return &identity{
		epoch:   epoch,
		idSeeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		secret:  maphash.MakeSeed(),
		// A queue made later starts higher, so numbers keep growing over restarts of the process.
		first: sequenceBase + uint64(max(epoch.UnixNano(), 0)),
		fifo:  fifo,
	}
}

// messageID derives the id of the message that arrived as number seq: two keyed 64-bit hashes in
// the form of a version-4 UUID. Deriving instead of storing saves 16 bytes in every message and
// every entry of the deduplication window, and the price is paid by those who ask for the id.
func (n *identity) messageID(seq uint64) uuid.UUID {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], seq)
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], maphash.Bytes(n.idSeeds[0], b[:]))
	binary.BigEndian.PutUint64(id[8:], maphash.Bytes(n.idSeeds[1], b[:]))
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// sequenceNumber is the number of the message that arrived as number seq. Between two of them at
// least one is left out, and not always as many, so that nobody counts on numbers that follow each
// other (SQS: FIFO-1).
func (n *identity) sequenceNumber(seq uint64) string {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], seq)
	gap := maphash.Bytes(n.secret, b[:]) % (sequenceStep - 1) // one short: the next number does not follow
	return fmt.Sprintf("%020d", n.first+seq*sequenceStep+gap)
}

// time turns a time of the queue into the wall clock of its process.
func (n *identity) time(at int64) time.Time { return n.epoch.Add(time.Duration(at)) }

// receipt names one receive of one message: the slot it sits in, the message that must be found
// there, and which of its receives this was. It is checked without any table.
type receipt struct {
	seq     uint64
	slot    uint32
	receive uint32
}

const (
	receiptBytes = 24 // slot, seq, receive and 8 bytes of check
	handleLength = 32 // the same in base64
)

// handleText is base64 with the characters that a URL need not escape, except for the hyphen: a
// command line takes what begins with one for an option.
var handleText = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._").WithPadding(base64.NoPadding)

// handle writes r as the string that travels. The check is keyed by the queue's secret: a handle
// that is made up, altered or of another queue does not pass (SQS: receipt-handle table).
func (n *identity) handle(r receipt) string {
	var b [receiptBytes]byte
	binary.LittleEndian.PutUint64(b[0:], r.seq)
	binary.LittleEndian.PutUint32(b[8:], r.slot)
	binary.LittleEndian.PutUint32(b[12:], r.receive)
	binary.LittleEndian.PutUint64(b[16:], maphash.Bytes(n.secret, b[:16]))
	var text [handleLength]byte
	handleText.Encode(text[:], b[:])
	return string(text[:])
}

// parse reads a handle back or refuses it with ErrReceiptHandleInvalid.
func (n *identity) parse(handle string) (receipt, error) {
	if n == nil {
		return receipt{}, ErrClosed
	}
	var b [receiptBytes]byte
	var text [handleLength]byte
	if len(handle) == handleLength {
		copy(text[:], handle)
		// The decoder skips line breaks, and what they stood for would be zero.
		if size, err := handleText.Decode(b[:], text[:]); err == nil && size == receiptBytes &&
			binary.LittleEndian.Uint64(b[16:]) == maphash.Bytes(n.secret, b[:16]) {
			return receipt{
				seq:     binary.LittleEndian.Uint64(b[0:]),
				slot:    binary.LittleEndian.Uint32(b[8:]),
				receive: binary.LittleEndian.Uint32(b[12:]),
			}, nil
		}
	}
	if handle == "" {
		return receipt{}, &ParamError{Err: ErrMissingParameter, Param: "ReceiptHandle", Value: "", Reason: "must not be empty"}
	}
	return receipt{}, &ParamError{Err: ErrReceiptHandleInvalid, Param: "ReceiptHandle", Value: handle,
		Reason: "not a handle of this queue"}
}
