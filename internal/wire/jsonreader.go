package wire

import (
	"bytes"
	"encoding/base64"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonReader reads the body of a JSON request into its struct, in one pass. The decoder of the
// standard library takes names of members without regard to case, where to SQS messageBody is an
// unknown member; it leaves in the elements of a list that is given twice what they were the first
// time; it puts a replacement character where text is broken; it makes everything that a body has,
// however much that is; and it takes three times as long.
//
// Unknown members are checked to be JSON and ignored. A known one that is given twice is refused:
// one of the two would be lost.
type jsonReader struct {
	text  []byte
	at    int // next byte to read
	depth int
	plain []byte // the last string that had escapes
	call  *Call
}

// maxDepth is how deep a body can nest. Requests have four levels; the rest is for members that are
// not known.
const maxDepth = 1000

// Bounds of what is made of a request whatever the service.
const (
	maxListed  = 1000   // names in a list; no operation has use for more than 50
	MaxEntries = 10_000 // of a batch where all are kept
)

// readJSON fills the struct that in points to. An absent member and null leave a field nil (SQS:
// WIRE-4).
func readJSON(text []byte, in any, c *Call) error {
	if !utf8.Valid(text) {
		return Faultf(KindSerialization, "The body of the request is not valid UTF-8.")
	}
	j := jsonReader{text: text, call: c}
	if err := j.value(reflect.ValueOf(in).Elem(), "of the request"); err != nil {
		return err
	}
	if j.next(); j.at < len(text) {
		return j.malformed()
	}
	return nil
}

// find returns a member of the request that is a string, from the beginning.
func (j *jsonReader) find(name string) (found *string) {
	other := jsonReader{text: j.text, call: j.call}
	_ = other.object(other.next(), "", func(key []byte) error { // what is wrong with it is found by the reading that goes on
		if string(key) == name {
			return other.value(reflect.ValueOf(&found).Elem(), name)
		}
		return other.skip()
	})
	return found
}

func (j *jsonReader) malformed() error {
	return Faultf(KindSerialization, "The body of the request is not valid JSON at byte %d.", j.at)
}

// mustBe refuses a value of another type than the member's.
func mustBe(name, what string) error {
	return Faultf(KindSerialization, "The value %s must be %s.", name, what)
}

// next skips white space and returns the byte behind it; 0, which is nowhere legal, at the end.
func (j *jsonReader) next() byte {
	for ; j.at < len(j.text); j.at++ {
		switch c := j.text[j.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// value reads a value into a field. The name of the member is for errors.
func (j *jsonReader) value(to reflect.Value, name string) error {
	c := j.next()
	if c == 'n' {
		to.SetZero()
		return j.literal("null")
	}
	switch field := to.Addr().Interface().(type) {
	case **string:
		b, err := j.scalar(c, '"', name, "a String")
		if err != nil {
			return err
		}
		text := string(b)
		*field = &text
		return nil
	case **int32:
		b, err := j.scalar(c, '0', name, "an Integer")
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(b), 10, 32)
		if err != nil {
			return mustBe(name, "an integer of 32 bits")
		}
		*field = new(int32)
		**field = int32(n)
		return nil
	case *[]byte:
		b, err := j.scalar(c, '"', name, "a String")
		if err != nil {
			return err
		}
		if *field, err = base64.StdEncoding.AppendDecode([]byte{}, b); err != nil {
			return mustBe(name, "base64")
		}
		return nil
	case *Reserved:
		*field = true
		return j.skip()
	case *map[string]*string:
		*field = map[string]*string{}
		return j.object(c, name, func(key []byte) error {
			if j.next() == 'n' { // which means absent (SQS: WIRE-4)
				return j.literal("null")
			}
			if _, twice := (*field)[string(key)]; twice {
				return givenTwice(string(key))
			}
			if len(*field) == j.call.Bounds.Names { // too many, whatever they are
				return j.skip()
			}
			var value *string
			k := string(key)
			err := j.value(reflect.ValueOf(&value).Elem(), name)
			(*field)[k] = value
			return err
		})
	case *Attributes:
		*field = Attributes{Named: map[string]Attribute{}}
		var value Attribute
		return j.object(c, name, func(key []byte) error {
			if _, twice := field.Named[string(key)]; twice { // (SQS: MSG-6)
				return j.call.AttributeTwice(string(key))
			}
			if len(field.Named) == j.call.Bounds.Attributes {
				from := j.at
				err := j.skip()
				field.Left, field.LeftBytes = field.Left+1, field.LeftBytes+j.at-from
				return err
			}
			value = Attribute{}
			k := string(key)
			err := j.value(reflect.ValueOf(&value).Elem(), name)
			field.Named[k] = value
			return err
		})
	case *[]string:
		*field = []string{}
		return j.array(c, name, func() error {
			if len(*field) == maxListed {
				return tooManyElements(maxListed)
			}
			var b []byte
			if c := j.next(); c == 'n' {
				if err := j.literal("null"); err != nil {
					return err
				}
			} else {
				var err error
				if b, err = j.scalar(c, '"', name, "a String"); err != nil {
					return err
				}
			}
			*field = append(*field, string(b))
			return nil
		})
	}
	switch to.Kind() {
	case reflect.Struct:
		members := jsonMembersOf(to.Type())
		var seen uint64
		return j.object(c, name, func(key []byte) error {
			m, known := members[string(key)]
			if !known {
				return j.skip()
			}
			if seen&m.bit != 0 {
				return givenTwice(string(key))
			}
			seen |= m.bit
			return j.value(to.FieldByIndex(m.index), m.name)
		})
	case reflect.Slice:
		to.SetZero()
		return j.array(c, name, func() error {
			n := to.Len()
			switch {
			case n < j.call.Bounds.Entries:
			case !j.call.all && (j.call.asked || !j.call.ask(j.find)):
				j.call.left++
				return j.skip()
			case n == MaxEntries:
				return tooManyElements(MaxEntries)
			}
			to.Grow(1)
			to.SetLen(n + 1)
			return j.value(to.Index(n), name)
		})
	}
	panic("bug: a request has a field of type " + to.Type().String())
}

// scalar reads a string or, where wanted is a digit, the text of a number. What else it is, is told
// as SQS tells it.
func (j *jsonReader) scalar(c, wanted byte, name, what string) (b []byte, err error) {
	is, known := "", true
	switch {
	case c == '"':
		is = "STRING_VALUE"
		if wanted == '"' {
			return j.string()
		}
		_, err = j.string()
	case c == '-' || '0' <= c && c <= '9':
		is = "NUMBER_VALUE"
		if b, err = j.number(); wanted != '"' {
			return b, err
		}
	case c == 't':
		is, err = "TRUE_VALUE", j.literal("true")
	case c == 'f':
		is, err = "FALSE_VALUE", j.literal("false")
	default:
		known = false
	}
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, mustBe(name, strings.ToLower(what))
	}
	return nil, Faultf(KindSerialization, "%s can not be converted to %s", is, what)
}

func givenTwice(name string) error {
	return Faultf(KindSerialization, "The request has %s more than once.", Shown(name))
}

func tooManyElements(most int) error {
	return Faultf(KindSerialization, "A list of the request has more than %d elements.", most)
}

// jsonMember is a field of a request: where it is, what errors call it, and a bit of its own.
type jsonMember struct {
	index []int
	name  string
	bit   uint64
}

// jsonMemberMaps has for each type of struct its fields by the names of their members: the tag
// "json", else the field's own name.
var jsonMemberMaps sync.Map

func jsonMembersOf(t reflect.Type) map[string]jsonMember {
	if m, ok := jsonMemberMaps.Load(t); ok {
		return m.(map[string]jsonMember)
	}
	members := map[string]jsonMember{}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		m := jsonMember{f.Index, "of " + name, 1 << len(members)}
		members[name] = m
		if name == "tags" { // as CreateQueue calls them; TagQueue and every other list begin with a capital
			members["Tags"] = m
		}
	}
	jsonMemberMaps.Store(t, members)
	return members
}

// object reads an object that begins with c; each reads the value of a member.
func (j *jsonReader) object(c byte, name string, each func(key []byte) error) error {
	if c != '{' {
		return mustBe(name, "an object")
	}
	return j.list('}', func() error {
		key, err := j.string()
		if err != nil {
			return err
		}
		if j.next() != ':' {
			return j.malformed()
		}
		j.at++
		return each(key)
	})
}

// array reads an array that begins with c; each reads an element.
func (j *jsonReader) array(c byte, name string, each func() error) error {
	if c != '[' {
		return mustBe(name, "a list")
	}
	return j.list(']', each)
}

// list reads what is between brackets, of which the first is next.
func (j *jsonReader) list(end byte, each func() error) error {
	if j.depth++; j.depth > maxDepth {
		return Faultf(KindSerialization, "The body of the request is nested too deep.")
	}
	j.at++
	if j.next() != end {
		for {
			if err := each(); err != nil {
				return err
			}
			if j.next() != ',' {
				break
			}
			j.at++
		}
	}
	if j.next() != end {
		return j.malformed()
	}
	j.at++
	j.depth--
	return nil
}

// skip reads any value.
func (j *jsonReader) skip() (err error) {
	switch c := j.next(); c {
	case '{':
		return j.object(c, "", func([]byte) error { return j.skip() })
	case '[':
		return j.array(c, "", j.skip)
	case '"':
		_, err = j.string()
	case 't':
		err = j.literal("true")
	case 'f':
		err = j.literal("false")
	case 'n':
		err = j.literal("null")
	default:
		_, err = j.number()
	}
	return err
}

func (j *jsonReader) literal(text string) error {
	if !bytes.HasPrefix(j.text[j.at:], []byte(text)) {
		return j.malformed()
	}
	j.at += len(text)
	return nil
}

// string reads a string. The bytes are good until the next one is read.
func (j *jsonReader) string() ([]byte, error) {
	if j.next() != '"' {
		return nil, j.malformed()
	}
	j.at++
	plain, from := j.plain[:0], j.at
	for j.at < len(j.text) {
		switch c := j.text[j.at]; {
		case c == '"':
			rest := j.text[from:j.at]
			j.at++
			if len(plain) == 0 {
				return rest, nil
			}
			j.plain = append(plain, rest...)
			return j.plain, nil
		case c == '\\':
			plain = append(plain, j.text[from:j.at]...)
			r, ok := j.escape()
			if !ok {
				return nil, j.malformed()
			}
			plain = utf8.AppendRune(plain, r)
			from = j.at
		case c < ' ':
			return nil, j.malformed()
		default:
			j.at++
		}
	}
	return nil, j.malformed()
}

// escape reads an escape. Half a character is none: a message would be another one without it.
func (j *jsonReader) escape() (r rune, ok bool) {
	if len(j.text) < j.at+2 {
		return 0, false
	}
	c := j.text[j.at+1]
	if c == 'u' {
		r, ok = j.unit()
		if ok && utf16.IsSurrogate(r) {
			low, _ := j.unit()
			r = utf16.DecodeRune(r, low)
			ok = r != unicode.ReplacementChar
		}
		return r, ok
	}
	i := strings.IndexByte(`"\/bfnrt`, c)
	if i < 0 {
		return 0, false
	}
	j.at += 2
	return rune("\"\\/\b\f\n\r\t"[i]), true
}

// unit reads an escape of \u and four hexadecimal digits.
func (j *jsonReader) unit() (r rune, ok bool) {
	text := j.text[j.at:]
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return 0, false
	}
	j.at += 6
	return rune(n), true
}

// number reads a number and returns its text.
func (j *jsonReader) number() ([]byte, error) {
	from := j.at
	digits := func() bool {
		start := j.at
		for j.at < len(j.text) && '0' <= j.text[j.at] && j.text[j.at] <= '9' {
			j.at++
		}
		return j.at > start
	}
	take := func(any string) bool {
		if j.at < len(j.text) && strings.IndexByte(any, j.text[j.at]) >= 0 {
			j.at++
			return true
		}
		return false
	}
	take("-")
	ok := take("0") || digits()
	if ok && take(".") {
		ok = digits()
	}
	if ok && take("eE") {
		take("+-")
		ok = digits()
	}
	if !ok {
		return nil, j.malformed()
	}
	return j.text[from:j.at], nil
}
