package wire

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// output is where codecs write an answer. An answer of up to maxKept bytes is kept, and leaves in
// one piece with its length. A larger one is written twice: once to count it, and once more to the
// client, through a buffer that is not larger. So an answer takes the same memory whatever its
// length, and has its length in its header all the same.
type output struct {
	buf  []byte
	size int64     // of all that was written
	over bool      // more than was kept
	to   io.Writer // takes what does not fit; nil: it is only counted
	err  error     // of to, which gets nothing more then
}

// maxKept is the most an output keeps, and so the size of the pieces in which a large answer leaves.
const maxKept = 1 << 16

var outputs = sync.Pool{New: func() any { return &output{buf: make([]byte, 0, 1<<10)} }}

func newOutput() *output { return outputs.Get().(*output) }

// release gives the output back to be used again.
func (o *output) release() {
	o.reset(nil)
	outputs.Put(o)
}

func (o *output) reset(to io.Writer) { *o = output{buf: o.buf[:0], to: to} }

// text writes a string.
func (o *output) text(s string) {
	o.size += int64(len(s))
	if len(s) > cap(o.buf)-len(o.buf) {
		s = o.makeRoom(s)
	}
	o.buf = append(o.buf, s...)
}

// byte writes a byte.
func (o *output) byte(c byte) {
	o.size++
	if len(o.buf) == cap(o.buf) {
		o.makeRoom("x")
	}
	o.buf = append(o.buf, c)
}

// makeRoom makes room for s in the buffer. It returns what of s is to be put there: all of it, or
// the end where s is longer than the whole buffer.
func (o *output) makeRoom(s string) string {
	if need := len(o.buf) + len(s); need <= maxKept {
		larger := make([]byte, len(o.buf), min(max(2*cap(o.buf), need), maxKept))
		copy(larger, o.buf)
		o.buf = larger
		return s
	}
	if cap(o.buf) < maxKept {
		larger := make([]byte, len(o.buf), maxKept)
		copy(larger, o.buf)
		o.buf = larger
	}
	o.over = true
	for len(o.buf)+len(s) > maxKept {
		if o.to == nil || o.err != nil {
			// Only counted: which bytes stay in the buffer does not matter.
			o.buf, s = o.buf[:0], s[:0]
			break
		}
		n := maxKept - len(o.buf)
		o.buf = append(o.buf, s[:n]...)
		s = s[n:]
		o.flush()
	}
	return s
}

// flush hands on what is in the buffer.
func (o *output) flush() {
	if o.to != nil && o.err == nil {
		_, o.err = o.to.Write(o.buf)
	}
	o.buf = o.buf[:0]
}

// drop takes back the last n bytes, which must have been the last ones written and few.
func (o *output) drop(n int) {
	o.size -= int64(n)
	o.buf = o.buf[:len(o.buf)-n]
}

// Bounds of the time that a client has to take a large answer.
const (
	stalledWrite = 10 * time.Second // for each piece
	longestWrite = time.Minute      // for the whole
)

// paced writes to a client that has to keep up. Without the bounds one that reads nothing would
// hold the messages of its answer for as long as it likes.
type paced struct {
	http.ResponseWriter
	control *http.ResponseController
	end     time.Time
}

func (p *paced) Write(b []byte) (int, error) {
	deadline := time.Now().Add(stalledWrite)
	if deadline.After(p.end) {
		deadline = p.end
	}
	_ = p.control.SetWriteDeadline(deadline) // what is no connection has none, and needs none
	return p.ResponseWriter.Write(b)
}
