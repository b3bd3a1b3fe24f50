package sqsapi

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// jsonCodec is AWS JSON 1.0 (SQS: section 9.1).
type jsonCodec struct{ body []byte }

var jsonContentType = []string{"application/x-amz-json-1.0"}

func (*jsonCodec) contentType() []string { return jsonContentType }

// read fills in. An empty body is an empty request.
func (j *jsonCodec) read(in any) error {
	if len(j.body) == 0 {
		return nil
	}
	return readJSON(j.body, in)
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
