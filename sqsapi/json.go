package sqsapi

import (
	"net/http"
	"reflect"
)

// jsonCodec is AWS JSON 1.0 (SQS: section 9.1).
type jsonCodec struct {
	body []byte
	void bool // success has no body (SQS: CAP-16)
}

var jsonContentType = []string{"application/x-amz-json-1.0"}

func (*jsonCodec) contentType() []string { return jsonContentType }

// read fills in. An empty body is an empty request.
func (j *jsonCodec) read(in any, b batch) error {
	if len(j.body) == 0 {
		return nil
	}
	return readJSON(j.body, in, b)
}

// result writes a result without absent members (SQS: WIRE-4), {} or nothing where there is none (SQS:
// WIRE-3).
func (j *jsonCodec) result(o *output, out any, _ string) {
	switch {
	case out != nil:
		jsonWriter{output: o}.object(reflect.ValueOf(out).Elem())
	case !j.void:
		o.text("{}")
	}
}

// fault writes an error and the header by which clients know its Query code (SQS: WIRE-5, WIRE-6,
// WIRE-21).
func (*jsonCodec) fault(o *output, head http.Header, f *fault, _ string) {
	side := ";Sender"
	if f.kind.receiver {
		side = ";Receiver"
	}
	head.Set("X-Amzn-Query-Error", f.kind.code+side)
	namespace := "com.amazonaws.sqs#"
	if f.kind.framework {
		namespace = "com.amazon.coral.service#"
	}
	j := jsonWriter{output: o}
	o.text(`{"__type":`)
	j.string(namespace + f.kind.shape)
	o.text(`,"message":`)
	j.string(f.message)
	o.byte('}')
}
