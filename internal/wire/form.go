package wire

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A form is the URL-encoded parameters of a request. They are read into the struct of the request by
// a tree that has only what the struct has a field for: whatever else a request holds costs no
// memory. Unknown members of the request and of entries are ignored, as they are in JSON. What has no
// place in a list, an attribute or a value is refused, because a part of a message would be lost.

// maxParameters bounds a form. Ten entries with ten attributes each are some 400.
const maxParameters = 10_000

// shape is what parameters a field takes, or a struct as a whole (SQS: WIRE-12).
type shape struct {
	member
	index   []int             // of the field
	members map[string]*shape // of a struct, by every name a client may use
	element *shape            // of a list or a map, whose elements are numbered
	bound   bound             // of the elements
	around  bool              // a member that has the list or map of a field in it
}

// bound is how many elements of a list or a map are kept.
type bound uint8

const (
	boundOne        bound = iota // those beyond are counted, as in the next two
	boundNames                   // Bounds.Names
	boundAttributes              // Bounds.Attributes
	boundEntries                 // Bounds.Entries, or MaxEntries where all of a batch are kept
	boundListed                  // maxListed; those beyond are refused
)

func (c *Call) most(b bound) int {
	switch b {
	case boundNames:
		return c.Bounds.Names
	case boundAttributes:
		return c.Bounds.Attributes
	case boundEntries:
		return c.Bounds.Entries
	case boundListed:
		return maxListed
	}
	return 1
}

// member is how a field is called in the Query protocol: its tag "query", else its own name. A map
// has two more names in the tag, those of key and value of an element. The first name is that of an
// element too where a list or a map is flattened; where it is not, it has two parts, that of the whole
// and that of an element, such as Tags.member.
type member struct{ outer, name, key, value string }

// label is what errors call it.
func (m member) label() string {
	if m.outer != "" {
		return m.outer
	}
	return m.name
}

func memberOf(f reflect.StructField) member {
	tag, ok := f.Tag.Lookup("query")
	if !ok {
		return member{name: f.Name}
	}
	name, rest, _ := strings.Cut(tag, ",")
	key, value, _ := strings.Cut(rest, ",")
	outer, inner, nested := strings.Cut(name, ".")
	if !nested {
		outer, inner = "", name
	}
	return member{outer, inner, key, value}
}

var shapes sync.Map // by type of struct

// shapeOf returns the shape of a struct.
func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s := &shape{members: map[string]*shape{}}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			continue
		}
		m := shapeOfField(f.Type, memberOf(f))
		m.index = f.Index
		if m.outer != "" {
			s.members[m.outer] = &shape{member: member{name: m.outer}, around: true, members: map[string]*shape{m.name: m}}
			continue
		}
		s.members[m.name] = m
		if _, taken := s.members[f.Name]; !taken { // Tags for Tag, as a widespread client spells it (SQS: CAP-3)
			s.members[f.Name] = m
		}
	}
	shapes.Store(t, s)
	return s
}

func shapeOfField(t reflect.Type, m member) *shape {
	s := &shape{member: m}
	pair := func(value *shape) *shape {
		value.name = m.value
		return &shape{member: m, members: map[string]*shape{m.key: {member: member{name: m.key}}, m.value: value}}
	}
	switch t {
	case reflect.TypeFor[[]string]():
		s.element, s.bound = &shape{}, boundListed
	case reflect.TypeFor[Reserved]():
		s.element, s.bound = &shape{}, boundOne
	case reflect.TypeFor[map[string]*string]():
		s.element, s.bound = pair(&shape{}), boundNames
	case reflect.TypeFor[Attributes]():
		value := *shapeOf(reflect.TypeFor[Attribute]())
		s.element, s.bound = pair(&value), boundAttributes
	default:
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct {
			s.element, s.bound = shapeOf(t.Elem()), boundEntries
		}
	}
	return s
}

// node is what parameters have in common up to a dot: Entry.1.Id and Entry.1.MessageBody share
// Entry and Entry.1.
type node struct {
	*shape
	number    int // of an element; 0: it has none
	given     int // which call of add has set the value; 0: none
	value     string
	below     []*node // the members that are there, or the elements by their numbers
	left      int     // elements that are not kept
	leftBytes int     // of their values
	leftLast  int     // number of the last of them
	stray     error   // about a parameter of an attribute or tag that no member takes
}

// formReader reads parameters into a tree of parameters.
type formReader struct {
	root  node
	query *queryCodec
	call  *Call
	calls int    // of add
	plain []byte // the last key that had escapes
}

// add adds URL-encoded parameters. What an earlier call has set stays.
func (f *formReader) add(encoded []byte) error {
	f.calls++
	for len(encoded) > 0 {
		var key, value []byte
		key, value, encoded = cutParameter(encoded)
		if err := f.set(key, value); err != nil {
			return err
		}
	}
	return nil
}

// cutParameter splits off the first parameter.
func cutParameter(encoded []byte) (key, value, rest []byte) {
	pair, rest, _ := bytes.Cut(encoded, []byte("&"))
	key, value, _ = bytes.Cut(pair, []byte("="))
	return key, value, rest
}

// maxKey is how long the name of a parameter can be, longer than any that an operation has.
const maxKey = 512

// set adds one parameter.
func (f *formReader) set(key, value []byte) (err error) {
	if len(key) > maxKey {
		return Faultf(KindSerialization, "The name of a parameter is longer than %d bytes.", maxKey)
	}
	if bytes.ContainsAny(key, "%+") {
		if f.plain, err = unescape(f.plain[:0], key); err != nil {
			return err
		}
		key = f.plain
	}
	n, err := f.place(key, len(value))
	if err != nil || n == nil || n.members != nil || n.element != nil {
		if err == nil {
			err = checkEscapes(value)
		}
		return err
	}
	text, err := unescapeText(value)
	switch {
	case err != nil:
		return err
	case n.given == 0:
		n.value, n.given = text, f.calls
	case n.given == f.calls && n.value != text:
		return givenTwice(string(key))
	}
	return nil
}

// place finds or makes the node of a parameter with a value of that size; nil where its value is not
// kept.
func (f *formReader) place(key []byte, size int) (n *node, err error) {
	n = &f.root
	var pair *node // the attribute or tag that the parameter belongs to
	for rest, more := key, true; more; {
		var part []byte
		part, rest, more = bytes.Cut(rest, []byte("."))
		if n.element != nil {
			number, ok := elementNumber(part)
			if !ok && n.element.members[string(part)] == nil {
				return nil, f.stray(pair, key)
			}
			if n, err = f.element(n, number, size); n == nil || err != nil {
				return nil, err
			}
			if n.key != "" {
				pair = n
			}
			if ok {
				continue
			}
			// A single element needs no number, as in Attribute.Name and Attribute.Value, by which
			// older clients set an attribute.
		}
		next := n.named(part)
		switch {
		case next != nil:
			n = next
		case n.members != nil && pair == nil && !n.around: // of the request or an entry
			return nil, nil
		default:
			return nil, f.stray(pair, key)
		}
	}
	switch {
	case size == 0: // an empty list is written like that
	case n.element != nil && n.element.members == nil:
		return f.element(n, 0, size)
	case n.element != nil || n.members != nil:
		return nil, f.stray(pair, key)
	}
	return n, nil
}

// stray refuses a parameter that no member takes. An attribute without a name is refused for that
// instead (SQS: CAP-5).
func (f *formReader) stray(pair *node, key []byte) error {
	err := Faultf(KindSerialization, "The request has the parameter %s, which the operation does not have.", Shown(string(key)))
	if pair == nil {
		return err
	}
	if pair.stray == nil {
		pair.stray = err
	}
	return nil
}

// named finds or makes a member, nil where the struct has none of that name.
func (n *node) named(name []byte) *node {
	s := n.members[string(name)]
	if s == nil {
		return nil
	}
	for _, below := range n.below {
		if below.shape == s {
			return below
		}
	}
	below := &node{shape: s}
	n.below = append(n.below, below)
	return below
}

// element finds or makes an element of a list, nil where it is only counted.
func (f *formReader) element(n *node, number, size int) (*node, error) {
	at := len(n.below)
	if at > 0 && n.below[at-1].number >= number {
		var found bool
		at, found = slices.BinarySearchFunc(n.below, number, func(e *node, number int) int { return cmp.Compare(e.number, number) })
		if found {
			return n.below[at], nil
		}
	}
	if most := f.call.most(n.bound); len(n.below) >= most {
		switch {
		case n.bound == boundListed:
			return nil, tooManyElements(most)
		case n.bound == boundEntries && (f.call.all || !f.call.asked && f.call.ask(f.find)):
			if len(n.below) >= MaxEntries {
				return nil, tooManyElements(MaxEntries)
			}
		default:
			if n.leftLast != number {
				n.left, n.leftLast = n.left+1, number
			}
			n.leftBytes += size
			return nil, nil
		}
	}
	e := &node{shape: n.shape.element, number: number}
	n.below = slices.Insert(n.below, at, e)
	return e, nil
}

// find returns a parameter of the request.
func (f *formReader) find(name string) *string {
	found, _ := f.query.find(name) // what is wrong with it is found by the reading that goes on
	return found
}

// elementNumber reads the number of an element. They begin at 1, may have gaps, and are written in
// one way only.
func elementNumber(text []byte) (number int, ok bool) {
	n, err := strconv.ParseUint(string(text), 10, 31)
	return int(n), err == nil && text[0] != '0'
}

// fill sets the fields of a struct from the members below n. Fields without one stay nil.
func (f *formReader) fill(to reflect.Value, n *node) error {
	for _, below := range n.below {
		var err error
		if below.around {
			err = f.fill(to, below)
		} else {
			err = f.setField(to.FieldByIndex(below.index), below)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// text returns the value of a member, nil where it is not given.
func (n *node) text(name string) *string {
	if below := n.find(name); below != nil && below.given != 0 {
		return &below.value
	}
	return nil
}

// find returns a member, nil where it is not there.
func (n *node) find(name string) *node {
	for _, below := range n.below {
		if below.name == name {
			return below
		}
	}
	return nil
}

func (f *formReader) setField(to reflect.Value, n *node) error {
	switch field := to.Addr().Interface().(type) {
	case **string:
		if n.given != 0 {
			*field = &n.value
		}
	case **int32:
		if n.given == 0 {
			return nil
		}
		number, err := strconv.ParseInt(n.value, 10, 32)
		if err != nil {
			return Faultf(KindSerialization, "Value %s for parameter %s is not an integer.", Shown(n.value), n.name)
		}
		*field = new(int32)
		**field = int32(number)
	case *[]byte:
		if n.given == 0 {
			return nil
		}
		b, err := base64.StdEncoding.DecodeString(n.value)
		if err != nil {
			return Faultf(KindSerialization, "The value of parameter %s is not base64.", n.name)
		}
		*field = b
	case *Reserved:
		*field = len(n.below) != 0
	case *[]string:
		*field = make([]string, len(n.below))
		for i, element := range n.below {
			(*field)[i] = element.value
		}
	case *map[string]*string:
		*field = make(map[string]*string, len(n.below))
		for _, pair := range n.below {
			key, value := pair.text(n.key), pair.text(n.member.value)
			switch {
			case key == nil:
				return f.call.Missing(n.label() + "." + n.key)
			case value == nil:
				return f.call.Missing(n.label() + "." + n.member.value)
			case pair.stray != nil:
				return pair.stray
			case (*field)[*key] != nil:
				return givenTwice(n.label() + "." + n.key + " " + *key)
			}
			(*field)[*key] = value
		}
	case *Attributes:
		*field = Attributes{Named: make(map[string]Attribute, len(n.below)), Left: n.left, LeftBytes: n.leftBytes}
		for _, pair := range n.below {
			name := "" // which is refused, in a batch for the entry alone (SQS: CAP-5)
			if text := pair.text(n.key); text != nil {
				name = *text
			}
			var value Attribute
			if below := pair.find(n.member.value); below != nil {
				if err := f.fill(reflect.ValueOf(&value).Elem(), below); err != nil {
					return err
				}
			}
			if name != "" {
				if pair.stray != nil {
					return pair.stray
				}
				if _, twice := field.Named[name]; twice { // (SQS: MSG-6)
					return f.call.AttributeTwice(name)
				}
			}
			field.Named[name] = value
		}
	default:
		if to.Kind() != reflect.Slice {
			panic("bug: a request has a field of type " + to.Type().String())
		}
		f.call.left += int32(n.left)
		to.Set(reflect.MakeSlice(to.Type(), len(n.below), len(n.below)))
		for i, element := range n.below {
			if err := f.fill(to.Index(i), element); err != nil {
				return err
			}
		}
	}
	return nil
}

// unescape appends what URL-encoded text stands for.
func unescape(to, text []byte) ([]byte, error) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '+':
			to = append(to, ' ')
		case '%':
			b, err := escaped(text[i:])
			if err != nil {
				return to, err
			}
			to = append(to, b)
			i += 2
		default:
			to = append(to, c)
		}
	}
	return to, nil
}

// unescapeText returns what URL-encoded text stands for, in a string of its own: it may be part of a
// message, which must not hold on to the request, nor take more memory than it needs.
func unescapeText(text []byte) (string, error) {
	percents := bytes.Count(text, []byte("%"))
	if percents == 0 && bytes.IndexByte(text, '+') < 0 {
		return string(text), nil
	}
	if len(text) < 3*percents {
		return "", checkEscapes(text)
	}
	var b strings.Builder
	b.Grow(len(text) - 2*percents)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '+':
			b.WriteByte(' ')
		case '%':
			d, err := escaped(text[i:])
			if err != nil {
				return "", err
			}
			b.WriteByte(d)
			i += 2
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

// checkEscapes refuses what is not URL-encoded.
func checkEscapes(text []byte) error {
	for {
		i := bytes.IndexByte(text, '%')
		if i < 0 {
			return nil
		}
		if _, err := escaped(text[i:]); err != nil {
			return err
		}
		text = text[i+3:]
	}
}

// escaped reads the escape that text begins with.
func escaped(text []byte) (byte, error) {
	if len(text) >= 3 {
		high, low := hexDigit(text[1]), hexDigit(text[2])
		if high >= 0 && low >= 0 {
			return byte(high<<4 | low), nil
		}
	}
	return 0, Faultf(KindSerialization, "The request is not URL-encoded: invalid URL escape %q", text[:min(len(text), 3)])
}

// hexDigit is the value of a hexadecimal digit, -1 for anything else.
func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
