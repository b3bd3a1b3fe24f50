package inq

import (
	"encoding/binary"
)

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

// handleCharacters are those of base64 that a URL need not escape, except for the hyphen: a command
// line takes what begins with one for an option.
const handleCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"

// sixBits is what each character of a handle stands for, noCharacter for all others.
var sixBits = func() (t [256]uint8) {
	for i := range t {
		t[i] = noCharacter
	}
	for i := range handleCharacters {
		t[handleCharacters[i]] = uint8(i)
	}
	return t
}()

const noCharacter = 1 << 7

// check is what a handle of r must hold: a keyed hash of it, so that a handle that is made up,
// altered or of another queue does not pass (SQS: receipt-handle table).
func (n *identity) check(r receipt) uint64 {
	return n.checks.pair64(r.seq, uint64(r.slot)|uint64(r.receive)<<32)
}

// handle writes r as the string that travels.
func (n *identity) handle(r receipt) string {
	var b [receiptBytes + 2]byte // the last read of eight bytes reaches that far
	binary.LittleEndian.PutUint64(b[0:], r.seq)
	binary.LittleEndian.PutUint32(b[8:], r.slot)
	binary.LittleEndian.PutUint32(b[12:], r.receive)
	binary.LittleEndian.PutUint64(b[16:], n.check(r))
	var text [handleLength]byte
	for i := range handleLength / 8 { // eight characters are six bytes
		v, t := binary.BigEndian.Uint64(b[6*i:]), text[8*i:8*i+8]
		t[0], t[1] = handleCharacters[v>>58], handleCharacters[v>>52&63]
		t[2], t[3] = handleCharacters[v>>46&63], handleCharacters[v>>40&63]
		t[4], t[5] = handleCharacters[v>>34&63], handleCharacters[v>>28&63]
		t[6], t[7] = handleCharacters[v>>22&63], handleCharacters[v>>16&63]
	}
	return string(text[:])
}

// parse reads a handle back or refuses it with ErrReceiptHandleInvalid.
func (n *identity) parse(handle string) (receipt, error) {
	if n == nil {
		return receipt{}, ErrClosed
	}
	if r, check, ok := decode(handle); ok && check == n.check(r) {
		return r, nil
	}
	if handle == "" {
		return receipt{}, &ParamError{Err: ErrMissingParameter, Param: "ReceiptHandle", Value: "", Reason: "must not be empty"}
	}
	return receipt{}, &ParamError{Err: ErrReceiptHandleInvalid, Param: "ReceiptHandle", Value: handle,
		Reason: "not a handle of this queue"}
}

// decode reads what a text says that is made like a handle, eight characters at a time as handle
// wrote them.
func decode(text string) (r receipt, check uint64, ok bool) {
	if len(text) != handleLength {
		return receipt{}, 0, false
	}
	var b [receiptBytes + 2]byte // the last write of eight bytes reaches that far
	all := uint8(0)
	for i := range handleLength / 8 {
		s := text[8*i : 8*i+8]
		c0, c1, c2, c3 := sixBits[s[0]], sixBits[s[1]], sixBits[s[2]], sixBits[s[3]]
		c4, c5, c6, c7 := sixBits[s[4]], sixBits[s[5]], sixBits[s[6]], sixBits[s[7]]
		all |= c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7
		binary.BigEndian.PutUint64(b[6*i:], uint64(c0)<<58|uint64(c1)<<52|uint64(c2)<<46|uint64(c3)<<40|
			uint64(c4)<<34|uint64(c5)<<28|uint64(c6)<<22|uint64(c7)<<16)
	}
	r = receipt{
		seq:     binary.LittleEndian.Uint64(b[0:]),
		slot:    binary.LittleEndian.Uint32(b[8:]),
		receive: binary.LittleEndian.Uint32(b[12:]),
	}
	return r, binary.LittleEndian.Uint64(b[16:]), all&noCharacter == 0
}
