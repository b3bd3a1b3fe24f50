package inq

import (
	"encoding/binary"
	"errors"

	"github.com/google/uuid"
)

// This file is the form that messages and what happens to them have in a journal. Numbers are of
// variable length, times are nanoseconds of the wall clock. What is written here is read by all later
// versions: a kind or a bit never gets another meaning, and what is new gets a new one.

// Kinds of records of a queue's stream.
const (
	recordPut    uint8 = 1 + iota // a message with all that is known of it; ends what was in its slot before
	recordChange                  // what can change of a message
	recordGone                    // numbers of messages that are no more
	recordPurge                   // all messages up to a number are no more, nor are deduplication ids
	recordDedup                   // deduplication ids whose messages' records are about to go
)

// Kinds of records of the catalogue, which is stream 0.
const (
	recordBase   uint8 = 1 + iota // from where messages are numbered after this opening
	recordCreate                  // a stream, and what it is
	recordDrop                    // a stream is no more
)

// errRecord is the fault of a record whose bytes passed every check and make no sense.
var errRecord = errors.New("a record does not make sense")

// durableState is what a message counts as after a restart. What is on its way to another queue, or
// waits for another try, is ready then: that begins anew.
type durableState uint8

const (
	durableReady durableState = iota
	durableDelayed
	durableInFlight
	durableAdopted // of a queue that was closed during a hand-over; never in a record
)

// Bits of the part that can change.
const (
	changeState    = 3 // the two bits of durableState
	changeAlone    = 1 << 2
	changeEndless  = 1 << 3 // the delay or timeout never ends
	changeReceived = 1 << 4
	changeFirst    = 1 << 5
	changeMoved    = 1 << 6 // LC-5 gave it a place
	changeRare     = 1 << 7 // receives were taken back, or its target was gone
	changeTurn     = 1 << 8 // its group has had its turn before
)

// Bits of a message.
const (
	putFrom  = 1 << iota // the record is also the end of a message of another queue of the journal
	putKeyed             // a deduplication id is remembered with it
	putRare
)

// Bits of what most messages do not have.
const (
	rareAttributes = 1 << iota
	rareTrace
	rareSender
	rareID
	rareDedup
	rareSource
	rareReason
	rareBefore
	rareMovedIn
	rareLent
)

// putExtra is what a record of a message tells besides.
type putExtra struct {
	from    uint32 // stream of the queue it is moved from, 0: none
	fromSeq uint64 // its number there
	keyed   bool
	key     [2]uint64
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// appendPut writes a message. shift is what makes its times those of the wall clock.
func appendPut(dst []byte, k *kept, x *putExtra, shift int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(k.slot))
	dst = binary.AppendUvarint(dst, k.seq)
	bits := byte(0)
	if x.from != 0 {
		bits |= putFrom
	}
	if x.keyed {
		bits |= putKeyed
	}
	if k.rare != nil {
		bits |= putRare
	}
	dst = append(dst, bits)
	if x.from != 0 {
		dst = binary.AppendUvarint(dst, uint64(x.from))
		dst = binary.AppendUvarint(dst, x.fromSeq)
	}
	dst = appendMutable(dst, k, shift)
	dst = binary.AppendVarint(dst, k.at-k.enqueued)
	if x.keyed {
		dst = binary.LittleEndian.AppendUint64(dst, x.key[0])
		dst = binary.LittleEndian.AppendUint64(dst, x.key[1])
	}
	if k.rare != nil {
		dst = appendRare(dst, k)
	}
	dst = binary.AppendUvarint(dst, uint64(len(k.group)))
	dst = binary.AppendUvarint(dst, uint64(len(k.dedup)))
	dst = append(dst, k.group...)
	dst = append(dst, k.dedup...)
	return append(dst, k.body...)
}

// appendChange writes what can change of a message.
func appendChange(dst []byte, k *kept, shift int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(k.slot))
	dst = binary.AppendUvarint(dst, k.seq)
	return appendMutable(dst, k, shift)
}

// appendGone writes that a message is no more.
func appendGone(dst []byte, seq uint64) []byte { return binary.AppendUvarint(dst, seq) }

func appendMutable(dst []byte, k *kept, shift int64) []byte {
	bits := uint64(k.state)
	if k.alone {
		bits |= changeAlone
	}
	if k.left == never {
		bits |= changeEndless
	}
	if k.receive != 0 {
		bits |= changeReceived
	}
	if k.first != never {
		bits |= changeFirst
	}
	if k.moved {
		bits |= changeMoved
	}
	rare := k.rare != nil && k.rare.uncounted|k.rare.spared != 0
	if rare {
		bits |= changeRare
	}
	if k.turn != (turn{}) {
		bits |= changeTurn
	}
	dst = binary.AppendUvarint(dst, bits)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(k.at+shift))
	if k.left != never {
		dst = binary.AppendUvarint(dst, uint64(k.left))
	}
	if k.receive != 0 {
		dst = binary.AppendUvarint(dst, uint64(k.receive))
		dst = binary.AppendVarint(dst, k.at-k.received)
	}
	if k.first != never {
		dst = binary.AppendVarint(dst, k.at-k.first)
	}
	if k.moved {
		dst = binary.AppendVarint(dst, k.at-k.rare.place.at)
		dst = binary.AppendUvarint(dst, k.rare.place.ord)
	}
	if rare {
		dst = binary.AppendUvarint(dst, uint64(k.rare.uncounted))
		dst = binary.AppendUvarint(dst, uint64(k.rare.spared))
	}
	if k.turn != (turn{}) {
		dst = binary.AppendUvarint(dst, k.turn.number)
		dst = binary.AppendUvarint(dst, uint64(k.turn.after))
	}
	return dst
}

func appendRare(dst []byte, k *kept) []byte {
	ra := k.rare
	bits := uint64(0)
	set := func(bit uint64, is bool) {
		if is {
			bits |= bit
		}
	}
	set(rareAttributes, len(ra.attributes) != 0)
	set(rareTrace, ra.traceHeader != "")
	set(rareSender, ra.senderID != "")
	set(rareID, ra.id != uuid.Nil)
	set(rareDedup, ra.dedupID != "")
	set(rareSource, ra.sourceARN != "")
	set(rareReason, ra.reason != "")
	set(rareBefore, ra.countBefore != 0)
	set(rareMovedIn, ra.movedIn)
	set(rareLent, ra.lentSender)
	dst = binary.AppendUvarint(dst, bits)
	if bits&rareAttributes != 0 {
		dst = binary.AppendUvarint(dst, uint64(len(ra.attributes)))
		for name, a := range ra.attributes {
			dst = appendText(dst, name)
			dst = appendText(dst, a.Type)
			dst = appendText(dst, a.Value)
			if a.Binary == nil {
				dst = append(dst, 0)
			} else {
				dst = append(dst, 1)
				dst = binary.AppendUvarint(dst, uint64(len(a.Binary)))
				dst = append(dst, a.Binary...)
			}
		}
	}
	if bits&rareTrace != 0 {
		dst = appendText(dst, ra.traceHeader)
	}
	if bits&rareSender != 0 {
		dst = appendText(dst, ra.senderID)
	}
	if bits&rareID != 0 {
		dst = append(dst, ra.id[:]...)
	}
	if bits&rareDedup != 0 {
		dst = appendText(dst, ra.dedupID)
	}
	if bits&rareSource != 0 {
		dst = appendText(dst, ra.sourceARN)
	}
	if bits&rareReason != 0 {
		dst = appendText(dst, ra.reason)
	}
	if bits&rareBefore != 0 {
		dst = binary.AppendUvarint(dst, uint64(ra.countBefore))
	}
	if bits&rareMovedIn != 0 {
		dst = binary.AppendVarint(dst, k.at-ra.came)
	}
	return dst
}

// recordReader reads a record from its front. What it is asked for past the end is zero, and ok tells
// in the end.
type recordReader struct {
	data []byte
	bad  bool
}

func (d *recordReader) ok() bool { return !d.bad }

func (d *recordReader) uvarint() uint64 {
	v, n := binary.Uvarint(d.data)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.data = d.data[n:]
	return v
}

func (d *recordReader) varint() int64 {
	v, n := binary.Varint(d.data)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.data = d.data[n:]
	return v
}

// uint32 reads a number that must fit.
func (d *recordReader) uint32() uint32 {
	v := d.uvarint()
	if v > 1<<32-1 {
		d.fail()
	}
	return uint32(v)
}

func (d *recordReader) byte() byte {
	b := d.bytes(1)
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

func (d *recordReader) fixed64() uint64 {
	b := d.bytes(8)
	if len(b) == 0 {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

// bytes returns the next n bytes, which belong to the record.
func (d *recordReader) bytes(n uint64) []byte {
	if n > uint64(len(d.data)) {
		d.fail()
		return nil
	}
	b := d.data[:n]
	d.data = d.data[n:]
	return b
}

func (d *recordReader) text() string { return string(d.bytes(d.uvarint())) }

func (d *recordReader) fail() { d.data, d.bad = nil, true }

// readPutHead reads what tells which message a record is of, and what it ends.
func (d *recordReader) readPutHead() (slot uint32, seq uint64, bits byte, x putExtra) {
	slot, seq, bits = d.uint32(), d.uvarint(), d.byte()
	if bits&putFrom != 0 {
		x.from, x.fromSeq = d.uint32(), d.uvarint()
	}
	return slot, seq, bits, x
}

// readPut reads the rest of a message into k. intern finds the one copy of a group's name.
func (d *recordReader) readPut(k *kept, bits byte, x *putExtra, intern func([]byte) string) {
	d.readMutable(k)
	k.enqueued = k.at - d.varint()
	if bits&putKeyed != 0 {
		x.keyed, x.key = true, [2]uint64{d.fixed64(), d.fixed64()}
	}
	if bits&putRare != 0 {
		d.readRare(k)
	}
	group, dedup := d.uvarint(), d.uvarint()
	if group != 0 {
		k.group = intern(d.bytes(group))
	}
	if dedup > uint64(len(d.data)) {
		d.fail()
		return
	}
	text := string(d.data) // one allocation for both
	k.dedup, k.body = text[:dedup], text[dedup:]
	d.data = nil
}

// readKey reads no more of a message than what deduplication remembers of it: when it was sent, and the
// key.
func (d *recordReader) readKey(x *putExtra) (at int64) {
	var k kept
	d.readMutable(&k)
	at = k.at - d.varint()
	x.keyed, x.key = true, [2]uint64{d.fixed64(), d.fixed64()}
	return at
}

// readMutable reads what can change of a message. It makes the rare part where that is needed.
func (d *recordReader) readMutable(k *kept) {
	bits := d.uvarint()
	k.state, k.alone, k.moved = durableState(bits&changeState), bits&changeAlone != 0, bits&changeMoved != 0
	k.at = int64(d.fixed64())
	k.left, k.first = never, never
	if bits&changeEndless == 0 {
		k.left = int64(d.uvarint())
	}
	k.receive, k.received = 0, 0
	if bits&changeReceived != 0 {
		k.receive = d.uint32()
		k.received = k.at - d.varint()
	}
	if bits&changeFirst != 0 {
		k.first = k.at - d.varint()
	}
	if bits&(changeMoved|changeRare) != 0 && k.rare == nil {
		k.rare = &rare{}
	}
	if k.moved {
		k.rare.place = place{at: k.at - d.varint(), ord: d.uvarint()}
	}
	if k.rare != nil {
		k.rare.uncounted, k.rare.spared = 0, 0
	}
	if bits&changeRare != 0 {
		k.rare.uncounted, k.rare.spared = d.uint32(), d.uint32()
	}
	k.turn = turn{}
	if bits&changeTurn != 0 {
		k.turn = turn{number: d.uvarint(), after: d.uint32()}
	}
	if k.state > durableInFlight || k.left < 0 || k.rare != nil && k.rare.uncounted > k.receive {
		d.fail()
	}
}

func (d *recordReader) readRare(k *kept) {
	if k.rare == nil {
		k.rare = &rare{}
	}
	ra := k.rare
	bits := d.uvarint()
	if bits&rareAttributes != 0 {
		n := d.uvarint()
		if n > uint64(len(d.data)) {
			d.fail()
			return
		}
		ra.attributes = make(map[string]Attribute, n)
		for ; n > 0; n-- {
			name := d.text()
			a := Attribute{Type: d.text(), Value: d.text()}
			if d.byte() != 0 {
				a.Binary = append([]byte{}, d.bytes(d.uvarint())...)
			}
			ra.attributes[name] = a
			ra.attrBytes += len(name) + len(a.Type) + len(a.Value) + len(a.Binary)
		}
	}
	if bits&rareTrace != 0 {
		ra.traceHeader = d.text()
	}
	if bits&rareSender != 0 {
		ra.senderID = d.text()
	}
	if bits&rareID != 0 {
		copy(ra.id[:], d.bytes(uint64(len(ra.id))))
	}
	if bits&rareDedup != 0 {
		ra.dedupID = d.text()
	}
	if bits&rareSource != 0 {
		ra.sourceARN = d.text()
	}
	if bits&rareReason != 0 {
		ra.reason = d.text()
	}
	if bits&rareBefore != 0 {
		ra.countBefore = d.uint32()
	}
	if ra.movedIn = bits&rareMovedIn != 0; ra.movedIn {
		ra.came = k.at - d.varint()
	}
	ra.lentSender = bits&rareLent != 0
}
