package filter

import (
	"strings"

	"example.com/inq"
)

// An Event is a message as policies of one scope see it: leaves by path, and which elements of
// arrays they lie in (SNS: FLT-9 to FLT-11). It is never changed once it is made.
type Event struct {
	fields   map[string][]leaf
	elements []element // element 0 is the message itself
	arrays   []array
	none     bool // the message has no attributes at all (SNS: FLT-13)
	invalid  bool // the body is no JSON object, and matches nothing (SNS: FLT-4)
}

// leaf is a value at the end of a path.
type leaf struct {
	value
	element int32 // the innermost element around it; values in an array lie in the element around the array
}

// element is an object or array inside an array. What lies in two elements of one array does not
// belong together (SNS: FLT-11). Elements stand behind those around them.
type element struct {
	array int32 // it is one of
	next  int32 // the next one of the same array, 0: none
	first int32 // the first array in it, -1: none
}

type array struct {
	owner int32 // the element it lies in
	next  int32 // the next one in the same element, -1: none
	first int32 // its first element, 0: none
}

// wanted tells which paths policies name, and which they name something below of.
type wanted interface {
	wants(path []byte) (name string, leaf, below bool)
}

// all wants everything.
type all struct{}

func (all) wants(path []byte) (name string, leaf, below bool) { return string(path), true, true }

// newAttributes makes an event of the attributes of a message. Binary values cannot be compared and
// count as absent (SNS: FLT-5).
func newAttributes(attributes map[string]inq.Attribute, w wanted) *Event {
	e := &Event{none: len(attributes) == 0, fields: map[string][]leaf{}}
	var path []byte
	for name, a := range attributes {
		path = append(path[:0], name...)
		if name, ok, _ := w.wants(path); ok {
			if leaves := attributeLeaves(a); leaves != nil {
				e.fields[name] = leaves
			}
		}
	}
	return e
}

func attributeLeaves(a inq.Attribute) []leaf {
	base, _, _ := strings.Cut(a.Type, ".")
	switch {
	case a.Type == "String.Array":
		return arrayLeaves(a.Value)
	case base == "String":
		return []leaf{{value: value{text: a.Value}}}
	case base == "Number":
		n, ok := parseNumber(a.Value)
		if !ok {
			return []leaf{{value: value{kind: kindOpaque}}}
		}
		return []leaf{{value: value{kind: kindNumber, number: n}}}
	}
	return nil
}

// arrayLeaves reads the text of a String.Array: each element counts by its own type, arrays inside
// are looked through, and objects match nothing. A text that is a single value counts as that (SNS:
// FLT-6, FLT-24).
func arrayLeaves(text string) (leaves []leaf) {
	s := scanner{text: text}
	var read func() bool
	read = func() bool {
		switch s.next() {
		case '[':
			return s.array(read)
		case '{':
			return s.skip()
		}
		v, ok := s.scalar()
		leaves = append(leaves, leaf{value: v})
		return ok
	}
	if !read() || !s.ends() {
		return []leaf{{value: value{kind: kindOpaque}}}
	}
	return leaves
}

// newBody makes an event of the text of a message.
func newBody(text string, w wanted) *Event {
	r := bodyReader{w: w, event: Event{fields: map[string][]leaf{}, elements: []element{{array: -1, first: -1}}}}
	r.text = text
	if r.next() != '{' || !r.members() || !r.ends() {
		return &Event{invalid: true}
	}
	return &r.event
}

// bodyReader reads the leaves of a JSON object that policies name.
type bodyReader struct {
	scanner
	w     wanted
	event Event
	path  []byte
	depth int   // keys in path: one that is empty leaves no trace there
	at    int32 // the element around what is read
}

// members reads an object.
func (r *bodyReader) members() bool {
	return r.object(func(key string) bool {
		before := len(r.path)
		if r.depth > 0 {
			r.path = append(r.path, '.')
		}
		r.path = append(r.path, key...)
		r.depth++
		ok := r.field()
		r.depth--
		r.path = r.path[:before]
		return ok
	})
}

// field reads the value at the path.
func (r *bodyReader) field() bool {
	name, asLeaf, below := r.w.wants(r.path)
	switch c := r.next(); {
	case !asLeaf && !below || c == '{' && !below:
		return r.skip()
	case c == '{':
		return r.members()
	case c == '[':
		return r.list(name, asLeaf, below, -1)
	}
	return r.leaf(name, asLeaf)
}

func (r *bodyReader) leaf(name string, wanted bool) bool {
	v, ok := r.scalar()
	if ok && wanted {
		r.event.fields[name] = append(r.event.fields[name], leaf{v, r.at})
	}
	return ok
}

// list reads an array, which is transparent at every level (SNS: FLT-10). An array is noted only
// once it has an element that is not a plain value.
func (r *bodyReader) list(name string, asLeaf, below bool, number int32) bool {
	last := int32(0)
	return r.array(func() bool {
		c := r.next()
		if c != '{' && c != '[' {
			return r.leaf(name, asLeaf)
		}
		if c == '{' && !below {
			return r.skip()
		}
		e := &r.event
		if number < 0 {
			number = int32(len(e.arrays))
			e.arrays = append(e.arrays, array{owner: r.at, next: e.elements[r.at].first})
			e.elements[r.at].first = number
		}
		owner, inner := r.at, int32(len(e.elements))
		e.elements = append(e.elements, element{array: number, first: -1})
		if last == 0 {
			e.arrays[number].first = inner
		} else {
			e.elements[last].next = inner
		}
		last, r.at = inner, inner
		ok := false
		if c == '{' {
			ok = r.members()
		} else {
			ok = r.list(name, asLeaf, below, -1)
		}
		r.at = owner
		return ok
	})
}
