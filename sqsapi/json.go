package sqsapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"unicode/utf8"
)

// jsonCodec is AWS JSON 1.0 (SQS: section 9.1).
type jsonCodec struct{ body []byte }

var jsonContentType = []string{"application/x-amz-json-1.0"}

func (*jsonCodec) contentType() []string { return jsonContentType }

// read fills in. An absent member, null and an empty body leave a field as it is (SQS: WIRE-4).
func (j *jsonCodec) read(in any) error {
	if len(j.body) == 0 {
		return nil
	}
	// The decoder puts a replacement character where text is broken. A message would be another one
	// then.
	if !utf8.Valid(j.body) || loneSurrogate(j.body) {
		return faultf(kindSerialization, "The body of the request is not valid Unicode.")
	}
	if err := json.Unmarshal(j.body, in); err != nil {
		return faultf(kindSerialization, "The body of the request is not valid: %s", shown(err.Error()))
	}
	return nil
}

// loneSurrogate finds an escape that is half a character.
func loneSurrogate(text []byte) bool {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 || i+2 > len(text) {
			return false
		}
		r, ok := escaped(text[i:])
		if !ok {
			text = text[i+2:]
			continue
		}
		text = text[i+6:]
		switch {
		case r>>10 == 0xD800>>10:
			if low, ok := escaped(text); !ok || low>>10 != 0xDC00>>10 {
				return true
			}
			text = text[6:]
		case r>>10 == 0xDC00>>10:
			return true
		}
	}
}

// escaped reads an escape of the form \uXXXX at the start of text.
func escaped(text []byte) (r uint64, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	r, err := strconv.ParseUint(string(text[2:6]), 16, 32)
	return r, err == nil
}

// result writes a result without absent members, {} where there is none (SQS: WIRE-3, WIRE-4).
func (*jsonCodec) result(b *bytes.Buffer, out any, _ string) {
	if out == nil {
		b.WriteString("{}")
		return
	}
	writeJSON(b, out)
}

// writeJSON appends v as JSON, with < and > as they are.
func writeJSON(b *bytes.Buffer, v any) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("bug: an answer has no JSON form: " + err.Error())
	}
	b.Truncate(b.Len() - 1) // the line feed
}

// fault writes an error and the header by which clients know its Query code (SQS: WIRE-5, WIRE-6,
// WIRE-21).
func (*jsonCodec) fault(b *bytes.Buffer, head http.Header, f *fault, _ string) {
	side := ";Sender"
	if f.kind.receiver {
		side = ";Receiver"
	}
	head.Set("X-Amzn-Query-Error", f.kind.code+side)
	namespace := "com.amazonaws.sqs#"
	if f.kind.framework {
		namespace = "com.amazon.coral.service#"
	}
	writeJSON(b, struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{namespace + f.kind.shape, f.message})
}
