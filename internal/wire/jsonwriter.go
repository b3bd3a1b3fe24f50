package wire

import (
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// jsonWriter writes results as JSON without holding them: the encoder of the standard library keeps
// the whole text, and a second copy while it grows.
type jsonWriter struct {
	*output
	// flat is how the Query protocol writes JSON: a map is a list of objects, and the names of lists
	// begin with a lower-case letter (SQS: WIRE-17).
	flat bool
}

// jsonField is a field of a result: its name with what stands around it, and whether it is left out
// where it is empty.
type jsonField struct {
	member
	name      string // "Name":
	omitEmpty bool
}

// jsonFieldLists has the fields of each type of struct, by their names in AWS JSON, and flatFieldLists
// by those in JSON of the Query protocol.
var jsonFieldLists, flatFieldLists sync.Map

func (j jsonWriter) fieldsOf(t reflect.Type) []jsonField {
	lists := &jsonFieldLists
	if j.flat {
		lists = &flatFieldLists
	}
	if list, ok := lists.Load(t); ok {
		return *list.(*[]jsonField)
	}
	list := make([]jsonField, t.NumField())
	for i := range list {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || j.flat {
			name = f.Name
		}
		if outer := memberOf(f).outer; j.flat && outer != "" {
			name = outer
		} else if j.flat && f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() != reflect.Uint8 {
			name = strings.ToLower(name[:1]) + name[1:]
		}
		list[i] = jsonField{member: memberOf(f), name: `"` + name + `":`, omitEmpty: j.flat || options == "omitempty"}
	}
	lists.Store(t, &list)
	return list
}

// object writes the struct that v is.
func (j jsonWriter) object(v reflect.Value) {
	j.byte('{')
	first := true
	fields := j.fieldsOf(v.Type())
	for i := range fields {
		f := &fields[i]
		if f.omitEmpty && isEmpty(v.Field(i), j.flat) {
			continue
		}
		if !first {
			j.byte(',')
		}
		first = false
		j.text(f.name)
		j.value(v.Field(i), f)
	}
	j.byte('}')
}

// isEmpty reports whether a member is absent. In JSON of the Query protocol false and 0 are not, and
// an empty list is there.
func isEmpty(v reflect.Value, flat bool) bool {
	switch v.Kind() {
	case reflect.String, reflect.Map:
		return v.Len() == 0
	case reflect.Slice:
		return v.Len() == 0 && (!flat || v.IsNil())
	case reflect.Pointer:
		return v.IsNil()
	}
	return false
}

func (j jsonWriter) value(v reflect.Value, f *jsonField) {
	switch p := v.Addr().Interface().(type) {
	case *string:
		j.string(*p)
	case **string:
		j.string(**p)
	case *bool:
		j.text(strconv.FormatBool(*p))
	case *int64:
		j.text(strconv.FormatInt(*p, 10))
	case **int64:
		j.text(strconv.FormatInt(**p, 10))
	case *[]byte:
		j.byte('"')
		writeBase64(j.output, *p)
		j.byte('"')
	case *[]string:
		j.byte('[')
		for i, text := range *p {
			j.comma(i)
			j.string(text)
		}
		j.byte(']')
	case *map[string]string:
		j.mapping(f, slices.Sorted(maps.Keys(*p)), func(key string) { j.string((*p)[key]) })
	case *map[string]AttributeValue:
		j.mapping(f, slices.Sorted(maps.Keys(*p)), func(key string) {
			value := (*p)[key]
			j.object(reflect.ValueOf(&value).Elem())
		})
	default:
		if v.Kind() != reflect.Slice {
			panic(fmt.Sprintf("bug: a result has a field of type %s", v.Type()))
		}
		j.byte('[')
		for i := range v.Len() {
			j.comma(i)
			j.object(v.Index(i))
		}
		j.byte(']')
	}
}

func (j jsonWriter) comma(i int) {
	if i > 0 {
		j.byte(',')
	}
}

// mapping writes a map by its sorted keys.
func (j jsonWriter) mapping(f *jsonField, keys []string, value func(key string)) {
	if !j.flat || f.outer != "" {
		j.byte('{')
		for i, key := range keys {
			j.comma(i)
			j.string(key)
			j.byte(':')
			value(key)
		}
		j.byte('}')
		return
	}
	j.byte('[')
	for i, key := range keys {
		j.comma(i)
		j.byte('{')
		j.string(f.key)
		j.byte(':')
		j.string(key)
		j.byte(',')
		j.string(f.value)
		j.byte(':')
		value(key)
		j.byte('}')
	}
	j.byte(']')
}

const hexDigits = "0123456789abcdef"

// string writes a string with its quotes. What is no UTF-8 is replaced.
func (j jsonWriter) string(text string) {
	if j.err != nil {
		return
	}
	j.byte('"')
	done := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r != utf8.RuneError || size != 1 {
				i += size
				continue
			}
		}
		j.text(text[done:i])
		switch c {
		case '"', '\\':
			j.byte('\\')
			j.byte(c)
		case '\n':
			j.text(`\n`)
		case '\r':
			j.text(`\r`)
		case '\t':
			j.text(`\t`)
		default:
			if c >= utf8.RuneSelf {
				j.text("\uFFFD")
			} else {
				j.text(`\u00`)
				j.byte(hexDigits[c>>4])
				j.byte(hexDigits[c&0xf])
			}
		}
		i++
		done = i
	}
	j.text(text[done:])
	j.byte('"')
}

// writeBase64 writes bytes in base64, a part at a time.
func writeBase64(o *output, b []byte) {
	var part [1024]byte
	for len(b) > 0 {
		n := min(len(b), len(part)/4*3)
		o.text(string(base64.StdEncoding.AppendEncode(part[:0], b[:n])))
		b = b[n:]
	}
}
