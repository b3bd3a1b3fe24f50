// Package tagged writes and reads small records that outlive the program that wrote them: fields in any
// number, each with a tag that says what it is. A later version adds tags; an earlier one finds that it
// does not know one, and says so instead of going on with half of what was written.
//
// A field is the varint of its tag and kind, and then a number or text behind its length. What is not
// set is left out by those who write.
package tagged

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrMalformed is returned for bytes that no writer of this package made: cut short, or of another kind
// than the reader asks for.
var ErrMalformed = errors.New("tagged: malformed record")

// An UnknownTagError is returned for a field that its reader does not know. A newer version wrote it.
type UnknownTagError struct{ Tag uint32 }

func (e *UnknownTagError) Error() string {
	return fmt.Sprintf("tagged: field %d is not known to this version; a newer one wrote it", e.Tag)
}

// Kinds of values: a number, or a length and bytes.
const (
	kindNumber uint64 = iota
	kindText
)

// appendHead appends what stands in front of a field: its tag, and what kind of value follows.
func appendHead(dst []byte, tag uint32, kind uint64) []byte {
	return binary.AppendUvarint(dst, uint64(tag)<<1|kind)
}

// Uint appends a number.
func Uint(dst []byte, tag uint32, v uint64) []byte {
	dst = appendHead(dst, tag, kindNumber)
	return binary.AppendUvarint(dst, v)
}

// Int appends a number that may be negative.
func Int(dst []byte, tag uint32, v int64) []byte { return Uint(dst, tag, uint64(v<<1)^uint64(v>>63)) }

// Bool appends a truth value.
func Bool(dst []byte, tag uint32, v bool) []byte {
	n := uint64(0)
	if v {
		n = 1
	}
	return Uint(dst, tag, n)
}

// Text appends text or bytes.
func Text[T string | []byte](dst []byte, tag uint32, v T) []byte {
	dst = appendHead(dst, tag, kindText)
	dst = binary.AppendUvarint(dst, uint64(len(v)))
	return append(dst, v...)
}

// Fields appends a record as a field of another one, which f appends.
func Fields(dst []byte, tag uint32, f func(dst []byte) []byte) []byte {
	return Text(dst, tag, f(nil))
}

// Reader reads the fields of a record one after the other. After an error, which Err tells, there are
// no more of them and every value is zero.
type Reader struct {
	rest   []byte
	err    error
	tag    uint32
	kind   uint64
	number uint64
	text   []byte
}

// Read begins with the first field of a record. What Bytes returns later is part of data.
func Read(data []byte) *Reader { return &Reader{rest: data} }

// Next goes to the next field and reports whether there is one.
func (r *Reader) Next() bool {
	if r.err != nil || len(r.rest) == 0 {
		return false
	}
	head := r.uvarint()
	r.tag, r.kind = uint32(head>>1), head&1
	if head>>1 > math.MaxUint32 {
		r.err = ErrMalformed
	}
	if r.number, r.text = r.uvarint(), nil; r.kind == kindText && r.err == nil {
		if r.number > uint64(len(r.rest)) {
			r.err = ErrMalformed
			return false
		}
		r.text, r.rest = r.rest[:r.number:r.number], r.rest[r.number:]
	}
	return r.err == nil
}

func (r *Reader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.err = ErrMalformed
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// Tag is the tag of the field.
func (r *Reader) Tag() uint32 { return r.tag }

// Uint is the field's number.
func (r *Reader) Uint() uint64 {
	if r.is(kindNumber) {
		return r.number
	}
	return 0
}

// Int is the field's number where Int wrote it.
func (r *Reader) Int() int64 {
	v := r.Uint()
	return int64(v>>1) ^ -int64(v&1)
}

// Bool is the field's truth value.
func (r *Reader) Bool() bool { return r.Uint() != 0 }

// Text is the field's text.
func (r *Reader) Text() string { return string(r.Bytes()) }

// Bytes is the field's text as part of the record.
func (r *Reader) Bytes() []byte {
	if r.is(kindText) {
		return r.text
	}
	return nil
}

func (r *Reader) is(kind uint64) bool {
	if r.err == nil && r.kind != kind {
		r.err = ErrMalformed
	}
	return r.err == nil
}

// Unknown ends the reading: the field is one that its reader does not know.
func (r *Reader) Unknown() {
	if r.err == nil {
		r.err = &UnknownTagError{r.tag}
	}
}

// Fail ends the reading with an error of the reader's own.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Err is why the reading ended, nil where the record was read to its end.
func (r *Reader) Err() error { return r.err }
