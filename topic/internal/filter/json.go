package filter

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may lie in each other, as in the parser of the service.
const maxDepth = 1000

// scanner reads JSON text (RFC 8259). It looks at every byte once, keeps the order of members, and
// copies a string only where it holds an escape. The zero at is the beginning of the text.
type scanner struct {
	text  string
	at    int
	depth int
	fault string // why the text is not JSON, "" so far
}

// fail notes the first fault and its place.
func (s *scanner) fail() bool {
	if s.fault != "" {
		return false
	}
	if s.at >= len(s.text) {
		s.fault = "Unexpected end-of-input"
		return false
	}
	r, _ := utf8.DecodeRuneInString(s.text[s.at:])
	s.fault = fmt.Sprintf("Unexpected character (%q (code %d)) at byte %d", r, r, s.at)
	return false
}

// next skips white space and returns the byte that follows, 0 at the end.
func (s *scanner) next() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// ends reports that nothing but white space is left.
func (s *scanner) ends() bool {
	if s.next(); s.at < len(s.text) {
		return s.fail()
	}
	return true
}

// enter and leave count the depth.
func (s *scanner) enter() bool {
	s.at++
	if s.depth++; s.depth > maxDepth {
		if s.fault == "" {
			s.fault = fmt.Sprintf("Document nesting depth (%d) exceeds the maximum allowed (%d)", s.depth, maxDepth)
		}
		return false
	}
	return true
}

func (s *scanner) leave() {
	s.depth--
	s.at++
}

// object reads an object and calls member for each key, at its value. It stops where member does.
func (s *scanner) object(member func(key string) bool) bool {
	if !s.enter() {
		return false
	}
	if s.next() == '}' {
		s.leave()
		return true
	}
	for {
		if s.next() != '"' {
			return s.fail()
		}
		key, ok := s.string()
		if !ok {
			return false
		}
		if s.next() != ':' {
			return s.fail()
		}
		s.at++
		s.next()
		if !member(key) {
			return false
		}
		switch s.next() {
		case ',':
			s.at++
		case '}':
			s.leave()
			return true
		default:
			return s.fail()
		}
	}
}

// array reads an array and calls element at each of its values. It stops where element does.
func (s *scanner) array(element func() bool) bool {
	if !s.enter() {
		return false
	}
	if s.next() == ']' {
		s.leave()
		return true
	}
	for {
		s.next()
		if !element() {
			return false
		}
		switch s.next() {
		case ',':
			s.at++
		case ']':
			s.leave()
			return true
		default:
			return s.fail()
		}
	}
}

// skip reads a value of any kind and forgets it.
func (s *scanner) skip() bool {
	switch s.next() {
	case '{':
		return s.object(func(string) bool { return s.skip() })
	case '[':
		return s.array(s.skip)
	}
	_, ok := s.scalar()
	return ok
}

// scalar reads a value that is neither object nor array.
func (s *scanner) scalar() (v value, ok bool) {
	switch c := s.next(); {
	case c == '"':
		v.text, ok = s.string()
		return v, ok
	case c == '-' || '0' <= c && c <= '9':
		text, ok := s.number()
		if !ok {
			return value{}, false
		}
		n, _ := parseNumber(text)
		return value{kind: kindNumber, text: text, number: n}, true
	case s.word("true"):
		return value{kind: kindTrue, text: "true"}, true
	case s.word("false"):
		return value{kind: kindFalse, text: "false"}, true
	case s.word("null"):
		return value{kind: kindNull, text: "null"}, true
	}
	return value{}, s.fail()
}

func (s *scanner) word(w string) bool {
	if !strings.HasPrefix(s.text[s.at:], w) {
		return false
	}
	s.at += len(w)
	return true
}

// number reads a number as JSON writes it.
func (s *scanner) number() (text string, ok bool) {
	from := s.at
	if s.text[s.at] == '-' {
		s.at++
	}
	switch {
	case s.peek() == '0':
		s.at++
	case !s.digits():
		return "", s.fail()
	}
	if s.peek() == '.' {
		s.at++
		if !s.digits() {
			return "", s.fail()
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c := s.peek(); c == '-' || c == '+' {
			s.at++
		}
		if !s.digits() {
			return "", s.fail()
		}
	}
	return s.text[from:s.at], true
}

// peek returns the byte at hand, 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

// digits reads at least one digit.
func (s *scanner) digits() bool {
	from := s.at
	for c := s.peek(); '0' <= c && c <= '9'; c = s.peek() {
		s.at++
	}
	return s.at > from
}

// string reads a string, whose opening quote is at hand.
func (s *scanner) string() (text string, ok bool) {
	s.at++
	from := s.at
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			text = s.text[from:s.at]
			s.at++
			return text, true
		case c == '\\':
			return s.escaped(from)
		case c < ' ':
			return "", s.fail()
		}
	}
	return "", s.fail()
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped is string from the first backslash on. Half of a surrogate pair becomes U+FFFD.
func (s *scanner) escaped(from int) (text string, ok bool) {
	b := append(make([]byte, 0, 2*(s.at-from)+16), s.text[from:s.at]...)
	for s.at < len(s.text) {
		c := s.text[s.at]
		switch {
		case c == '"':
			s.at++
			return string(b), true
		case c < ' ':
			return "", s.fail()
		case c != '\\':
			b = append(b, c)
			s.at++
			continue
		}
		s.at++
		if e := escapes[s.peek()]; e != 0 {
			b = append(b, e)
			s.at++
			continue
		}
		r, ok := s.unicode()
		if !ok {
			return "", s.fail()
		}
		if utf16.IsSurrogate(r) {
			mark := s.at
			if strings.HasPrefix(s.text[s.at:], `\u`) {
				s.at++
				low, ok := s.unicode()
				if !ok {
					return "", s.fail()
				}
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					b = utf8.AppendRune(b, pair)
					continue
				}
			}
			s.at = mark
			r = utf8.RuneError
		}
		b = utf8.AppendRune(b, r)
	}
	return "", s.fail()
}

// unicode reads what follows the backslash of \uXXXX.
func (s *scanner) unicode() (r rune, ok bool) {
	if s.peek() != 'u' || len(s.text)-s.at < 5 {
		return 0, false
	}
	for _, c := range []byte(s.text[s.at+1 : s.at+5]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	s.at += 5
	return r, true
}

// Strings returns the members of a JSON object that are strings, and reports whether text is a JSON
// object. Of members with the same key the last one counts (SNS: MSJ-4).
func Strings(text string) (members map[string]string, ok bool) {
	s := scanner{text: text}
	if s.next() != '{' {
		return nil, false
	}
	members = map[string]string{}
	ok = s.object(func(key string) bool {
		if s.next() != '"' {
			delete(members, key)
			return s.skip()
		}
		v, ok := s.string()
		members[key] = v
		return ok
	})
	return members, ok && s.ends()
}

// node is a JSON value with the order of members kept, as error texts need it (SNS: FLT-23).
type node struct {
	value         // of a scalar
	object, array bool
	members       []member
	elements      []node
}

type member struct {
	key string
	node
}

// parse reads a whole text.
func parse(text string) (n node, fault string) {
	s := scanner{text: text}
	n, ok := s.node()
	if !ok || !s.ends() {
		return node{}, s.fault
	}
	return n, ""
}

// node reads a value of any kind. Of members with the same key the last one counts, in the place of
// the first (SNS: FLT-22).
func (s *scanner) node() (n node, ok bool) {
	switch s.next() {
	case '{':
		n.object = true
		places := map[string]int{}
		ok = s.object(func(key string) bool {
			v, ok := s.node()
			if at, again := places[key]; again {
				n.members[at].node = v
			} else {
				places[key] = len(n.members)
				n.members = append(n.members, member{key, v})
			}
			return ok
		})
		return n, ok
	case '[':
		n.array = true
		ok = s.array(func() bool {
			v, ok := s.node()
			n.elements = append(n.elements, v)
			return ok
		})
		return n, ok
	}
	n.value, ok = s.scalar()
	return n, ok
}

// token is what the parser of the service shows of a value in an error text: its first token.
func (n *node) token() string {
	switch {
	case n.object:
		return "{"
	case n.array:
		return "["
	}
	return n.text
}
