package wire

import (
	"bytes"
	"net/http"
	"reflect"
	"strings"
)

// queryCodec is the Query protocol (SQS: section 9.2). It answers in XML, or in JSON of its own
// kind.
type queryCodec struct {
	service    *Service
	name       string    // of the operation, once it is known
	action     string    // what the request says
	parameters [2][]byte // of the body and of the URL, until they are read
	count      int64     // of these
	json       bool      // the client wants JSON (SQS: WIRE-17)
	plain      bool      // a request without an action, which gets a short answer
}

// parse finds the parameters in the body and in the URL, and the action among them. Where both have
// a parameter, that of the body counts.
func (q *queryCodec) parse(r *http.Request, body []byte) error {
	switch r.Method {
	case http.MethodPost:
		q.parameters[0] = body
	case http.MethodGet:
		q.json = strings.Contains(r.Header.Get("Accept"), "application/json")
	default:
		return nil // has no action then
	}
	q.parameters[1] = []byte(r.URL.RawQuery)
	for _, encoded := range q.parameters {
		n := bytes.Count(encoded, []byte("&"))
		q.count += int64(n)
		if n >= maxParameters {
			return Faultf(KindSerialization, "The request has too many parameters.")
		}
	}
	action, err := q.find("Action")
	if action != nil {
		q.action = *action
	}
	return err
}

// find returns a parameter wherever it is, nil where it is not given.
func (q *queryCodec) find(name string) (*string, error) {
	for _, encoded := range q.parameters {
		for len(encoded) > 0 {
			var key, value []byte
			key, value, encoded = cutParameter(encoded)
			if len(key) <= maxKey && bytes.IndexByte(key, '%') >= 0 {
				var err error
				if key, err = unescape(nil, key); err != nil {
					return nil, err
				}
			}
			if string(key) == name {
				text, err := unescapeText(value)
				return &text, err
			}
		}
	}
	return nil, nil
}

// read fills in from the parameters, which are not kept: what waits must not hold them.
func (q *queryCodec) read(in any, c *Call) error {
	to := reflect.ValueOf(in).Elem()
	f := formReader{root: node{shape: shapeOf(to.Type())}, query: q, call: c}
	for _, encoded := range q.parameters {
		if err := f.add(encoded); err != nil {
			return err
		}
	}
	q.parameters = [2][]byte{}
	return f.fill(to, &f.root)
}
