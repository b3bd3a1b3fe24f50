package wire

import (
	"bytes"
	"io"
	"net/http"
)

// maxPeeked is how much of a body is looked at to tell services apart.
const maxPeeked = 4 << 10

// PeekAction returns the version and the action of a Query request, from its URL and from the beginning
// of its body, as far as they are there. The body can be read again from its beginning.
func PeekAction(r *http.Request) (version, action string) {
	encoded := [2][]byte{nil, []byte(r.URL.RawQuery)}
	if r.Method == http.MethodPost && r.Body != nil && r.Body != http.NoBody {
		beginning := make([]byte, maxPeeked)
		n, err := io.ReadFull(r.Body, beginning)
		rest := io.Reader(r.Body)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			rest = failing{err}
		}
		r.Body = &peeked{io.MultiReader(bytes.NewReader(beginning[:n]), rest), r.Body}
		encoded[0] = beginning[:n]
		if n == maxPeeked { // a parameter that is cut is none
			encoded[0] = beginning[:max(bytes.LastIndexByte(beginning, '&'), 0)]
		}
	}
	q := &queryCodec{parameters: encoded}
	for name, value := range map[string]*string{"Version": &version, "Action": &action} {
		if text, err := q.find(name); err == nil && text != nil {
			*value = *text
		}
	}
	return version, action
}

// peeked is a body whose beginning was read.
type peeked struct {
	io.Reader
	io.Closer
}

// failing is a body that broke.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
