package wire

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"
)

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
func (q *queryCodec) result(o *output, out any, id string) {
	if q.json {
		q.jsonResult(o, out, id)
		return
	}
	o.text(q.service.Query.Head + "<" + q.name + `Response xmlns="` + q.service.Query.Namespace + `">`)
	if out != nil {
		openElement(o, q.name+"Result")
		start := o.size
		writeMembers(o, reflect.ValueOf(out).Elem())
		if o.size == start {
			o.drop(len(">"))
			o.text("/>")
		} else {
			closeElement(o, q.name+"Result")
		}
	}
	o.text("<ResponseMetadata>")
	textElement(o, "RequestId", id)
	o.text("</ResponseMetadata></" + q.name + "Response>")
}

// fault writes an error (SQS: WIRE-16). A request without an action gets XML in any case (SQS:
// WIRE-11, WIRE-17).
func (q *queryCodec) fault(o *output, _ http.Header, f *Fault, id string) {
	if q.plain {
		o.text(q.service.Query.NoActionBody)
		return
	}
	message := f.Message
	if f.Kind.QueryText != "" { // (SQS: ERR-2)
		message = f.Kind.QueryText
	}
	if q.json {
		jsonFault(o, f.side(), f.Kind.Code, message, id)
		return
	}
	o.text(q.service.Query.Head + `<ErrorResponse xmlns="` + q.service.Query.Namespace + `"><Error>`)
	textElement(o, "Type", f.side())
	textElement(o, "Code", f.Kind.Code)
	textElement(o, "Message", message)
	o.text(q.service.Query.Detail + "</Error>")
	textElement(o, "RequestId", id)
	o.text("</ErrorResponse>")
}

// memberLists has the members of each type of struct.
var memberLists sync.Map

func membersOf(t reflect.Type) []member {
	if list, ok := memberLists.Load(t); ok {
		return *list.(*[]member)
	}
	list := make([]member, t.NumField())
	for i := range list {
		list[i] = memberOf(t.Field(i))
	}
	memberLists.Store(t, &list)
	return list
}

// writeMembers writes the fields of a result. Lists and maps without a name of their own beside that of
// their elements are flattened (SQS: WIRE-14), and have no element where they are empty, as other
// absent members (SNS: WIRE-7).
func writeMembers(o *output, from reflect.Value) {
	for i, m := range membersOf(from.Type()) {
		if m.outer != "" {
			if from.Field(i).Len() == 0 {
				o.text("<" + m.outer + "/>")
				continue
			}
			openElement(o, m.outer)
		}
		switch p := from.Field(i).Addr().Interface().(type) {
		case *string:
			if *p != "" {
				textElement(o, m.name, *p)
			}
		case **string:
			if *p != nil {
				textElement(o, m.name, **p)
			}
		case *bool:
			textElement(o, m.name, strconv.FormatBool(*p))
		case *int64:
			textElement(o, m.name, strconv.FormatInt(*p, 10))
		case **int64:
			if *p != nil {
				textElement(o, m.name, strconv.FormatInt(**p, 10))
			}
		case *[]byte:
			if *p != nil {
				openElement(o, m.name)
				writeBase64(o, *p)
				closeElement(o, m.name)
			}
		case *[]string:
			for _, text := range *p {
				textElement(o, m.name, text)
			}
		case *map[string]string:
			for _, key := range slices.Sorted(maps.Keys(*p)) {
				openElement(o, m.name)
				textElement(o, m.key, key)
				textElement(o, m.value, (*p)[key])
				closeElement(o, m.name)
			}
		case *map[string]AttributeValue:
			for _, key := range slices.Sorted(maps.Keys(*p)) {
				value := (*p)[key]
				openElement(o, m.name)
				textElement(o, m.key, key)
				openElement(o, m.value)
				writeMembers(o, reflect.ValueOf(&value).Elem())
				closeElement(o, m.value)
				closeElement(o, m.name)
			}
		default:
			list := from.Field(i)
			if list.Kind() != reflect.Slice {
				panic(fmt.Sprintf("bug: a result has a field of type %s", list.Type()))
			}
			for n := range list.Len() {
				openElement(o, m.name)
				writeMembers(o, list.Index(n))
				closeElement(o, m.name)
			}
		}
		if m.outer != "" {
			closeElement(o, m.outer)
		}
	}
}

func openElement(o *output, name string) {
	o.byte('<')
	o.text(name)
	o.byte('>')
}

func closeElement(o *output, name string) {
	o.text("</")
	o.text(name)
	o.byte('>')
}

func textElement(o *output, name, text string) {
	openElement(o, name)
	escape(o, text)
	closeElement(o, name)
}

// escape writes the text of an element. Quotes and carriage returns are escaped beyond what XML
// demands, so that bodies come back byte for byte (SQS: WIRE-15). Errors may repeat characters that
// XML cannot say; these are replaced.
func escape(o *output, text string) {
	if o.err != nil {
		return
	}
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
			o.text(text[done:i])
			o.text(with)
			done = i + size
		}
		i += size
	}
	o.text(text[done:])
}
