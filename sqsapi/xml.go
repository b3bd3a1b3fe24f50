package sqsapi

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
)

const namespace = "http://queue.amazonaws.com/doc/2012-11-05/"

var (
	xmlContentType       = []string{"text/xml"}
	queryJSONContentType = []string{"application/json"}
)

func (q *queryCodec) contentType() []string {
	if q.json && !q.plain {
		return queryJSONContentType
	}
	return xmlContentType
}

// result writes a result; one without members is an empty element, an operation without result has
// none (SQS: WIRE-13).
func (q *queryCodec) result(b *bytes.Buffer, out any, id string) {
	if q.json {
		q.jsonResult(b, out, id)
		return
	}
	b.WriteString(`<?xml version="1.0"?><` + q.name + `Response xmlns="` + namespace + `">`)
	if out != nil {
		from := b.Len()
		openElement(b, q.name+"Result")
		start := b.Len()
		writeMembers(b, reflect.ValueOf(out).Elem())
		if b.Len() == start {
			b.Truncate(from)
			b.WriteString("<" + q.name + "Result/>")
		} else {
			closeElement(b, q.name+"Result")
		}
	}
	b.WriteString("<ResponseMetadata>")
	textElement(b, "RequestId", id)
	b.WriteString("</ResponseMetadata></" + q.name + "Response>")
}

// fault writes an error (SQS: WIRE-16). A request without an action gets XML in any case (SQS:
// WIRE-11, WIRE-17).
func (q *queryCodec) fault(b *bytes.Buffer, _ http.Header, f *fault, id string) {
	if q.plain {
		b.WriteString("<UnknownOperationException/>\n")
		return
	}
	message := f.message
	if f.kind == kindQueueDoesNotExist { // (SQS: ERR-2)
		message = textNoQueueQuery
	}
	side := "Sender"
	if f.kind.receiver {
		side = "Receiver"
	}
	if q.json {
		jsonFault(b, side, f.kind.code, message, id)
		return
	}
	b.WriteString(`<?xml version="1.0"?><ErrorResponse xmlns="` + namespace + `"><Error>`)
	textElement(b, "Type", side)
	textElement(b, "Code", f.kind.code)
	textElement(b, "Message", message)
	b.WriteString("<Detail/></Error>")
	textElement(b, "RequestId", id)
	b.WriteString("</ErrorResponse>")
}

// writeMembers writes the fields of a result. Lists and maps are flattened (SQS: WIRE-14); absent
// members, empty lists among them, have no element.
func writeMembers(b *bytes.Buffer, from reflect.Value) {
	for i := range from.NumField() {
		m := memberOf(from.Type().Field(i))
		switch v := from.Field(i).Interface().(type) {
		case string:
			if v != "" {
				textElement(b, m.name, v)
			}
		case *string:
			if v != nil {
				textElement(b, m.name, *v)
			}
		case bool:
			textElement(b, m.name, strconv.FormatBool(v))
		case int64:
			textElement(b, m.name, strconv.FormatInt(v, 10))
		case *int64:
			if v != nil {
				textElement(b, m.name, strconv.FormatInt(*v, 10))
			}
		case []byte:
			if v != nil {
				textElement(b, m.name, base64.StdEncoding.EncodeToString(v))
			}
		case []string:
			for _, text := range v {
				textElement(b, m.name, text)
			}
		case map[string]string:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				openElement(b, m.name)
				textElement(b, m.key, key)
				textElement(b, m.value, v[key])
				closeElement(b, m.name)
			}
		case map[string]attributeValue:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				openElement(b, m.name)
				textElement(b, m.key, key)
				openElement(b, m.value)
				writeMembers(b, reflect.ValueOf(v[key]))
				closeElement(b, m.value)
				closeElement(b, m.name)
			}
		default:
			list := from.Field(i)
			if list.Kind() != reflect.Slice {
				panic(fmt.Sprintf("bug: a result has a field of type %T", v))
			}
			for n := range list.Len() {
				openElement(b, m.name)
				writeMembers(b, list.Index(n))
				closeElement(b, m.name)
			}
		}
	}
}

func openElement(b *bytes.Buffer, name string) {
	b.WriteByte('<')
	b.WriteString(name)
	b.WriteByte('>')
}

func closeElement(b *bytes.Buffer, name string) {
	b.WriteString("</")
	b.WriteString(name)
	b.WriteByte('>')
}

func textElement(b *bytes.Buffer, name, text string) {
	openElement(b, name)
	escape(b, text)
	closeElement(b, name)
}

// escape writes the text of an element. Quotes and carriage returns are escaped beyond what XML
// demands, so that bodies come back byte for byte (SQS: WIRE-15). Errors may repeat characters that
// XML cannot say; these are replaced.
func escape(b *bytes.Buffer, text string) {
	done := 0
	for i := 0; i < len(text); {
		c := text[i]
		size := 1
		with := ""
		switch {
		case c == '&':
			with = "&amp;"
		case c == '<':
			with = "&lt;"
		case c == '>':
			with = "&gt;"
		case c == '"':
			with = "&quot;"
		case c == '\r':
			with = "&#xD;"
		case c < ' ' && c != '\t' && c != '\n':
			with = "\uFFFD"
		case c >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
				with = "\uFFFD"
			}
		}
		if with != "" {
			b.WriteString(text[done:i])
			b.WriteString(with)
			done = i + size
		}
		i += size
	}
	b.WriteString(text[done:])
}
