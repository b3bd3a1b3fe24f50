package filter

import (
	"net/netip"
	"slices"
	"strings"
)

// A value is a leaf of a message: what a policy's patterns are compared with.
type value struct {
	kind   kind
	text   string // of a string; of others as it was written
	number number
}

type kind uint8

const (
	kindString kind = iota
	kindNumber
	kindTrue
	kindFalse
	kindNull
	kindOpaque // of a list that cannot be read: there, and equal to nothing (SNS: FLT-24)
	kinds
)

// valueSet is a set of exact values. Types differ: the string "100" is not the number 100 (SNS:
// FLT-7, FLT-26).
type valueSet struct {
	strings  []string // sorted
	numbers  []number
	literals [kinds]bool
}

func (s *valueSet) add(v value) {
	switch v.kind {
	case kindString:
		if at, found := slices.BinarySearch(s.strings, v.text); !found {
			s.strings = slices.Insert(s.strings, at, v.text)
		}
	case kindNumber:
		if at, found := slices.BinarySearchFunc(s.numbers, v.number, number.compare); !found {
			s.numbers = slices.Insert(s.numbers, at, v.number)
		}
	default:
		s.literals[v.kind] = true
	}
}

func (s *valueSet) has(v value) bool {
	switch v.kind {
	case kindString:
		if len(s.strings) == 1 {
			return s.strings[0] == v.text
		}
		_, found := slices.BinarySearch(s.strings, v.text)
		return found
	case kindNumber:
		_, found := slices.BinarySearchFunc(s.numbers, v.number, number.compare)
		return found
	}
	return s.literals[v.kind]
}

// len is the number of values.
func (s *valueSet) len() int {
	n := len(s.strings) + len(s.numbers)
	for _, in := range s.literals {
		if in {
			n++
		}
	}
	return n
}

// A pattern is one value of a policy that is an operator with its operand (SNS: FLT-32 to FLT-41).
// A pattern of the form anything-but other than a list of values says what must not match.
type pattern struct {
	operator operator
	not      bool
	texts    []string // of which one must match
	values   valueSet
	numbers  span[number]
	from, to netip.Addr // of a cidr, both included
}

// span is a range of numbers.
type span[T any] struct {
	low, high         T
	hasLow, hasHigh   bool
	openLow, openHigh bool
}

type operator uint8

const (
	anythingBut operator = iota
	prefix
	suffix
	wildcard
	equalsIgnoreCase
	exactly
	numeric
	cidr
	exists
)

// matches reports whether the pattern takes a leaf. Patterns on text take strings only; so do their
// opposites (SNS: FLT-33), while anything-but with a list takes a leaf of any other type.
func (p *pattern) matches(v value) bool {
	switch p.operator {
	case anythingBut:
		return !p.values.has(v)
	case exists:
		return v.kind != kindNull && (v.kind != kindString || v.text != "") // SNS: FLT-12
	case numeric:
		return v.kind == kindNumber && p.inSpan(v.number)
	case cidr:
		return v.kind == kindString && p.inNetwork(v.text)
	}
	return v.kind == kindString && p.anyText(v.text) != p.not
}

func (p *pattern) anyText(text string) bool {
	for _, t := range p.texts {
		switch p.operator {
		case prefix:
			if strings.HasPrefix(text, t) {
				return true
			}
		case suffix:
			if strings.HasSuffix(text, t) {
				return true
			}
		case equalsIgnoreCase:
			if strings.EqualFold(text, t) {
				return true
			}
		case exactly:
			if text == t {
				return true
			}
		case wildcard:
			if matchWildcard(t, text) {
				return true
			}
		}
	}
	return false
}

func (p *pattern) inSpan(n number) bool {
	s := &p.numbers
	if s.hasLow {
		if c := n.compare(s.low); c < 0 || c == 0 && s.openLow {
			return false
		}
	}
	if s.hasHigh {
		if c := n.compare(s.high); c > 0 || c == 0 && s.openHigh {
			return false
		}
	}
	return true
}

func (p *pattern) inNetwork(text string) bool {
	addr, ok := parseAddress(text)
	return ok && addr.BitLen() == p.from.BitLen() && addr.Compare(p.from) >= 0 && addr.Compare(p.to) <= 0
}

// parseAddress reads an address as a cidr can name it.
func parseAddress(text string) (netip.Addr, bool) {
	if len(text) > len("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") || !looksLikeAddress(text) {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}

// looksLikeAddress tells text in the form of an address from other text: four numbers with dots
// between them, or hexadecimal digits with at least one colon.
func looksLikeAddress(text string) bool {
	if strings.Trim(text, "0123456789abcdefABCDEF:") == "" {
		return strings.Contains(text, ":")
	}
	parts := strings.Split(text, ".")
	return len(parts) == 4 && !slices.ContainsFunc(parts, func(p string) bool { return p == "" || !allDigits(p) })
}

// The text of a wildcard pattern is kept with its escapes resolved: star stands for any characters,
// and every other character for itself.
const star = "\xff" // occurs in no text, which is UTF-8

// matchWildcard takes time proportional to the text, whatever the pattern: between the fixed ends
// each piece is taken at its first occurrence behind the piece before, and no other choice could
// match where that does not.
func matchWildcard(pattern, text string) bool {
	first, rest, found := strings.Cut(pattern, star)
	if !found {
		return text == pattern
	}
	if !strings.HasPrefix(text, first) {
		return false
	}
	text = text[len(first):]
	for {
		piece, more, found := strings.Cut(rest, star)
		if !found {
			return strings.HasSuffix(text, piece)
		}
		at := strings.Index(text, piece)
		if at < 0 {
			return false
		}
		text = text[at+len(piece):]
		rest = more
	}
}
