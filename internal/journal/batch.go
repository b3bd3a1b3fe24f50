package journal

import (
	"encoding/binary"
	"slices"
)

// Batch is an atomic unit: all its records are in one frame, or none is. Its owner fills it under a lock of the owner's and
// hands it over with [Log.Append]; the zero value is empty and ready. It keeps its memory for the next use.
type Batch struct {
	buf    []byte
	begun  int // where the length of the record between Begin and End stands
	weight int64
	settle []uint32
}

// Records are stored as a uvarint of the stream, a byte of the kind, two bytes of the length and the data. A length that
// does not fit says longRecord there, and stands in the four bytes that follow.
const longRecord = 0xffff

// Begin starts a record and returns a slice, to whose end the caller appends the data before it calls [Batch.End]. The
// slice is not empty: only append to it.
func (b *Batch) Begin(stream uint32, kind uint8) []byte {
	b.buf = binary.AppendUvarint(b.buf, uint64(stream))
	b.buf = append(b.buf, kind, 0, 0)
	b.begun = len(b.buf)
	return b.buf
}

// End ends the record that was begun; data is the slice that Begin returned, with what was appended to it. A weight of
// more than zero says that something lives in the record's segment until [Log.Release] is called with as much: about the
// bytes that it takes to carry it.
func (b *Batch) End(data []byte, weight int64) {
	n := len(data) - b.begun
	if n < longRecord {
		binary.LittleEndian.PutUint16(data[b.begun-2:], uint16(n))
	} else {
		data = slices.Insert(data, b.begun, 0, 0, 0, 0)
		binary.LittleEndian.PutUint16(data[b.begun-2:], longRecord)
		binary.LittleEndian.PutUint32(data[b.begun:], uint32(n))
	}
	b.buf = data
	b.weight += weight
}

// Settle asks for a call of [Owner.Committed] for the stream when the frame of this batch is settled.
func (b *Batch) Settle(stream uint32) {
	if !slices.Contains(b.settle, stream) {
		b.settle = append(b.settle, stream)
	}
}

// Len returns the bytes that the batch takes in a frame; 0 means that it is empty.
func (b *Batch) Len() int { return len(b.buf) }

// Reset empties the batch. Append does that as well.
func (b *Batch) Reset() {
	if cap(b.buf) > 1<<20 {
		b.buf = nil
	}
	b.buf, b.settle, b.weight = b.buf[:0], b.settle[:0], 0
}

// records calls f for each record of the payload, and reports false where the payload is not made of whole records.
func records(payload []byte, f func(stream uint32, kind uint8, data []byte) error) (ok bool, err error) {
	for len(payload) > 0 {
		stream, n := binary.Uvarint(payload)
		if n <= 0 || stream > 1<<32-1 || len(payload) < n+3 {
			return false, nil
		}
		kind, size := payload[n], uint64(binary.LittleEndian.Uint16(payload[n+1:]))
		payload = payload[n+3:]
		if size == longRecord {
			if len(payload) < 4 {
				return false, nil
			}
			size, payload = uint64(binary.LittleEndian.Uint32(payload)), payload[4:]
		}
		if uint64(len(payload)) < size {
			return false, nil
		}
		if err := f(uint32(stream), kind, payload[:size:size]); err != nil {
			return true, err
		}
		payload = payload[size:]
	}
	return true, nil
}
