package inq

import (
	"encoding/base64"
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

// handleText is base64 with the characters that a URL need not escape, except for the hyphen: a
// command line takes what begins with one for an option.
var handleText = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._").WithPadding(base64.NoPadding)

// check is what a handle of r must hold: a keyed hash of it, so that a handle that is made up,
// altered or of another queue does not pass (SQS: receipt-handle table).
func (n *identity) check(r receipt) uint64 {
	return n.checks.pair64(r.seq, uint64(r.slot)|uint64(r.receive)<<32)
}

// handle writes r as the string that travels.
func (n *identity) handle(r receipt) string {
	var b [receiptBytes]byte
	binary.LittleEndian.PutUint64(b[0:], r.seq)
	binary.LittleEndian.PutUint32(b[8:], r.slot)
	binary.LittleEndian.PutUint32(b[12:], r.receive)
	binary.LittleEndian.PutUint64(b[16:], n.check(r))
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
		if size, err := handleText.Decode(b[:], text[:]); err == nil && size == receiptBytes {
			r := receipt{
				seq:     binary.LittleEndian.Uint64(b[0:]),
				slot:    binary.LittleEndian.Uint32(b[8:]),
				receive: binary.LittleEndian.Uint32(b[12:]),
			}
			if binary.LittleEndian.Uint64(b[16:]) == n.check(r) {
				return r, nil
			}
		}
	}
	if handle == "" {
		return receipt{}, &ParamError{Err: ErrMissingParameter, Param: "ReceiptHandle", Value: "", Reason: "must not be empty"}
	}
	return receipt{}, &ParamError{Err: ErrReceiptHandleInvalid, Param: "ReceiptHandle", Value: handle,
		Reason: "not a handle of this queue"}
}
