package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// bodies are buffers for the bodies of requests. A long poll holds none.
var bodies = sync.Pool{New: func() any { return &requestBody{text: make([]byte, 0, 1<<10)} }}

// maxPooled keeps a few large messages from occupying memory for good.
const maxPooled = 1 << 18

// requestBody is what a client has sent.
type requestBody struct{ text []byte }

func newBody() *requestBody { return bodies.Get().(*requestBody) }

func (b *requestBody) release() {
	if cap(b.text) <= maxPooled {
		b.text = b.text[:0]
		bodies.Put(b)
	}
}

// costPerByte is what a byte of a body counts for: itself, and what is made of it.
const costPerByte = 2

// read reads the body of a request, up to the most that the handler takes. Of a large one it reads the
// beginning before it takes the share that the rest needs: a client that announces much and sends
// nothing holds nothing. A body that is too long by its header is not read at all.
func (b *requestBody) read(c *Call, w http.ResponseWriter) error {
	r, most := c.Request, c.MaxBytes
	if r.ContentLength > most {
		return tooLarge(most)
	}
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	var source io.Reader = r.Body
	limit := freeBytes // how much may be read with the share there is
	for {
		if n := len(b.text); n == min(cap(b.text), limit) {
			if int64(n) > most {
				return tooLarge(most)
			}
			room := b.room(r.ContentLength, most)
			if room > limit {
				if err := c.share.grow(c.Context(), c.Budget, costPerByte*int64(room)); err != nil {
					return unread(c.toFault(err))
				}
				if limit == freeBytes {
					source = newPacedReader(w, r.Body)
				}
				limit = room
			}
			if room > cap(b.text) {
				larger := make([]byte, n, room)
				copy(larger, b.text)
				b.text = larger
			}
		}
		n, err := source.Read(b.text[len(b.text):min(cap(b.text), limit)])
		b.text = b.text[:len(b.text)+n]
		switch {
		case err == nil:
		case err != io.EOF:
			return brokenBody(c.Context(), err)
		case int64(len(b.text)) > most:
			return tooLarge(most)
		default:
			return nil
		}
	}
}

// room returns how much room to make for a body of which the buffer is full: what its header says
// and one byte more, so that the end is read too, or twice as much.
func (b *requestBody) room(announced, most int64) int {
	n := int64(len(b.text))
	room := announced + 1
	if announced < n { // it does not say, or has more than it says
		room = min(2*n, most+1)
	}
	if n < freeBytes {
		room = min(room, freeBytes)
	}
	return int(max(room, n+1))
}

// unread marks the refusal of a request that was not read to its end.
func unread(f *Fault) error {
	f.unread = true
	return f
}

func tooLarge(most int64) error {
	return unread(Faultf(KindTooLarge, "Request must not be longer than %d bytes.", most))
}

// brokenBody is the refusal of a request whose body cannot be read.
func brokenBody(ctx context.Context, err error) error {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return &Fault{Kind: KindRequestTimeout, Message: "The request was not sent within the time allowed."}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Faultf(KindSerialization, "The request ended before its body was complete.")
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return Faultf(KindSerialization, "The body of the request could not be read.")
}

// Bounds of the time that a client has to send a large body, once it holds a share.
const (
	stalledRead = 10 * time.Second // for each piece
	longestRead = 30 * time.Second // for the whole
)

// pacedReader reads from a client that has to keep up.
type pacedReader struct {
	io.Reader
	control *http.ResponseController
	end     time.Time
}

func newPacedReader(w http.ResponseWriter, body io.Reader) *pacedReader {
	return &pacedReader{body, http.NewResponseController(w), time.Now().Add(longestRead)}
}

func (p *pacedReader) Read(b []byte) (int, error) {
	deadline := time.Now().Add(stalledRead)
	if deadline.After(p.end) {
		deadline = p.end
	}
	_ = p.control.SetReadDeadline(deadline) // what is no connection has none, and needs none
	return p.Reader.Read(b)
}

// Bounds of what is read of a request after its refusal.
const (
	maxDrained   = 64 << 20
	longestDrain = 5 * time.Second
)

// drain reads what a client still sends of a request that was refused. Many read no answer before
// they have sent everything, and a connection that is closed while data comes in is reset: they would
// see a broken pipe and never learn what was wrong.
func drain(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	if !served(r) || r.Header.Get("Expect") != "" || control.Flush() != nil || control.SetReadDeadline(time.Now().Add(longestDrain)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, r.Body, maxDrained)
}
