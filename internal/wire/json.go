package wire

import (
	"net/http"
	"reflect"
)

// jsonCodec is AWS JSON 1.0 (SQS: section 9.1).
type jsonCodec struct {
	service *Service
	body    []byte
	void    bool // success has no body (SQS: CAP-16)
}

var jsonContentType = []string{"application/x-amz-json-1.0"}

func (*jsonCodec) contentType() []string { return jsonContentType }

// read fills in. An empty body is an empty request.
func (j *jsonCodec) read(in any, c *Call) error {
	if len(j.body) == 0 {
		return nil
	}
	return readJSON(j.body, in, c)
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
func (j *jsonCodec) fault(o *output, head http.Header, f *Fault, _ string) {
	head.Set("X-Amzn-Query-Error", f.Kind.Code+";"+f.side())
	namespace := j.service.Shapes
	if f.Kind.Framework {
		namespace = "com.amazon.coral.service#"
	}
	w := jsonWriter{output: o}
	o.text(`{"__type":`)
	w.string(namespace + f.Kind.Shape)
	o.text(`,"message":`)
	w.string(f.Message)
	o.byte('}')
}
