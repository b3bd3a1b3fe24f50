package filter

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"slices"
	"strings"

	"example.com/inq"
)

// This file is the reference matcher: what docs/sns.md says of filter policies in the plainest code
// there is. It reads policy and message by encoding/json anew for every match, tries every way to
// pick leaves, and shares nothing with the compiled matcher. It takes policies that Compile took.

// refLeaf is a value of a message with its path and the elements of arrays that it lies in.
type refLeaf struct {
	path  string
	value any // string, *big.Rat, bool, nil; refOpaque
	in    []refPlace
}

type refPlace struct{ array, index int }

type refOpaque struct{}

// refTogether reports whether two leaves lie in the same element of every array that both lie in.
func refTogether(a, b refLeaf) bool {
	for _, x := range a.in {
		for _, y := range b.in {
			if x.array == y.array && x.index != y.index {
				return false
			}
		}
	}
	return true
}

type refMessage struct {
	leaves  []refLeaf
	none    bool // no attributes
	invalid bool
	arrays  int
}

func refDecode(text string) (v any, ok bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil || !json.Valid([]byte(text)) {
		return nil, false
	}
	return v, true
}

func refScalar(v any) any {
	n, ok := v.(json.Number)
	if !ok {
		return v
	}
	return refNumber(string(n))
}

// refNumber cuts a number off behind its sixth decimal.
func refNumber(text string) any {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return refOpaque{}
	}
	million := big.NewRat(1_000_000, 1)
	r.Mul(r, million)
	whole := new(big.Int).Quo(r.Num(), r.Denom())
	return new(big.Rat).Quo(new(big.Rat).SetInt(whole), million)
}

// refObject is a JSON object with its members as they stand, repeated ones too.
type refObject []refMember

type refMember struct {
	key   string
	value any
}

// refTree decodes a text without losing repeated members.
func refTree(d *json.Decoder) any {
	token, _ := d.Token()
	switch token {
	case json.Delim('{'):
		o := refObject{}
		for d.More() {
			key, _ := d.Token()
			o = append(o, refMember{key.(string), refTree(d)})
		}
		d.Token()
		return o
	case json.Delim('['):
		l := []any{}
		for d.More() {
			l = append(l, refTree(d))
		}
		d.Token()
		return l
	}
	return token
}

func refBody(text string) *refMessage {
	m := &refMessage{}
	if _, ok := refDecode(text); !ok {
		m.invalid = true
		return m
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	o, isObject := refTree(d).(refObject)
	if !isObject {
		m.invalid = true
		return m
	}
	m.object(o, "", nil)
	return m
}

// refAt is the path of a key. It begins with a dot, since keys can be empty: that inside of one is another.
func refAt(path, key string) string { return path + "." + key }

func (m *refMessage) object(o refObject, path string, in []refPlace) {
	for _, f := range o {
		m.value(f.value, refAt(path, f.key), in)
	}
}

func (m *refMessage) value(v any, path string, in []refPlace) {
	switch v := v.(type) {
	case refObject:
		m.object(v, path, in)
	case []any:
		m.arrays++
		number := m.arrays
		for i, e := range v {
			switch e.(type) {
			case refObject, []any:
				m.value(e, path, append(slices.Clip(in), refPlace{number, i}))
			default:
				m.leaves = append(m.leaves, refLeaf{path, refScalar(e), in})
			}
		}
	default:
		m.leaves = append(m.leaves, refLeaf{path, refScalar(v), in})
	}
}

func refAttributes(attributes map[string]inq.Attribute) *refMessage {
	m := &refMessage{none: len(attributes) == 0}
	for name, a := range attributes {
		name = refAt("", name)
		switch {
		case a.Type == "String.Array":
			v, ok := refDecode(a.Value)
			if !ok {
				m.leaves = append(m.leaves, refLeaf{name, refOpaque{}, nil})
				continue
			}
			var read func(any)
			read = func(v any) {
				switch v := v.(type) {
				case map[string]any:
				case []any:
					for _, e := range v {
						read(e)
					}
				default:
					m.leaves = append(m.leaves, refLeaf{name, refScalar(v), nil})
				}
			}
			read(v)
		case strings.HasPrefix(a.Type, "String"):
			m.leaves = append(m.leaves, refLeaf{name, a.Value, nil})
		case strings.HasPrefix(a.Type, "Number"):
			m.leaves = append(m.leaves, refLeaf{name, refNumber(a.Value), nil})
		}
	}
	return m
}

// refKey is a key of a policy with its list of values.
type refKey struct {
	path   string
	values []any
}

// refWays returns the ways to match an object of a policy: of each, all keys have to match.
func refWays(o map[string]any, path string) [][]refKey {
	ways := [][]refKey{nil}
	and := func(more [][]refKey) {
		var product [][]refKey
		for _, a := range ways {
			for _, b := range more {
				product = append(product, append(slices.Clip(a), b...))
			}
		}
		ways = product
	}
	for key, v := range o {
		at := refAt(path, key)
		list, isList := v.([]any)
		switch {
		case key == "$or" && isList && refIsOr(list):
			var any [][]refKey
			for _, e := range list {
				any = append(any, refWays(e.(map[string]interface{}), path)...)
			}
			and(any)
		case isList:
			and([][]refKey{{{at, list}}})
		default:
			and(refWays(v.(map[string]any), at))
		}
	}
	return ways
}

func refIsOr(list []any) bool {
	for _, e := range list {
		o, ok := e.(map[string]any)
		if !ok {
			return false
		}
		for key := range o {
			if slices.Contains(reserved, key) {
				return false
			}
		}
	}
	return len(list) >= 2
}

// refMatch tries all ways and all picks of leaves.
func refMatch(policy string, m *refMessage) bool {
	p, _ := refDecode(policy)
	if m.invalid {
		return false
	}
	for _, way := range refWays(p.(map[string]any), "") {
		if refPick(way, nil, m) {
			return true
		}
	}
	return false
}

func refPick(way []refKey, picked []refLeaf, m *refMessage) bool {
	if len(way) == 0 {
		return true
	}
	key, there := way[0], false
	for _, l := range m.leaves {
		if l.path != key.path {
			continue
		}
		there = true
		if !slices.ContainsFunc(key.values, func(v any) bool { return refTakes(v, l.value) }) ||
			slices.ContainsFunc(picked, func(o refLeaf) bool { return !refTogether(l, o) }) {
			continue
		}
		if refPick(way[1:], append(slices.Clip(picked), l), m) {
			return true
		}
	}
	absent := func(v any) bool {
		o, ok := v.(map[string]any)
		return ok && o["exists"] == false
	}
	return !there && !m.none && slices.ContainsFunc(key.values, absent) && refPick(way[1:], picked, m)
}

// refEqual compares two values of which a leaf of the policy is the first.
func refEqual(p, v any) bool {
	p = refScalar(p)
	if a, ok := p.(*big.Rat); ok {
		b, ok := v.(*big.Rat)
		return ok && a.Cmp(b) == 0
	}
	if _, ok := v.(*big.Rat); ok {
		return false
	}
	return p == v
}

func refTakes(p, v any) bool {
	if v == (refOpaque{}) {
		return false
	}
	o, ok := p.(map[string]any)
	if !ok {
		return refEqual(p, v)
	}
	text, isText := v.(string)
	for name, operand := range o {
		list := func(v any) []any {
			if l, ok := v.([]any); ok {
				return l
			}
			return []any{v}
		}
		switch name {
		case "prefix", "suffix", "equals-ignore-case", "wildcard", "exactly":
			return isText && refText(name, operand.(string), text)
		case "anything-but":
			if sub, ok := operand.(map[string]any); ok {
				for name, operand := range sub {
					return isText && !slices.ContainsFunc(list(operand), func(t any) bool { return refText(name, t.(string), text) })
				}
			}
			return !slices.ContainsFunc(list(operand), func(p any) bool { return refEqual(p, v) })
		case "exists":
			return operand == true && v != nil && v != ""
		case "cidr":
			return isText && refCIDR(operand.(string), text)
		case "numeric":
			n, ok := v.(*big.Rat)
			return ok && refNumeric(operand.([]any), n)
		}
	}
	return false
}

func refText(name, pattern, text string) bool {
	switch name {
	case "prefix":
		return strings.HasPrefix(text, pattern)
	case "suffix":
		return strings.HasSuffix(text, pattern)
	case "equals-ignore-case":
		return strings.EqualFold(pattern, text)
	case "wildcard":
		return refWildcard(pattern, text)
	}
	return pattern == text
}

func refWildcard(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		for i := 0; i <= len(text); i++ {
			if refWildcard(pattern[1:], text[i:]) {
				return true
			}
		}
		return false
	case pattern[0] == '\\':
		pattern = pattern[1:]
	}
	return text != "" && text[0] == pattern[0] && refWildcard(pattern[1:], text[1:])
}

func refCIDR(network, text string) bool {
	addr, err := netip.ParseAddr(text)
	if err != nil || strings.Contains(text, "%") || strings.Contains(text, ":") && strings.Contains(text, ".") {
		return false
	}
	first, bits, _ := strings.Cut(strings.TrimRight(network, "/"), "/")
	from, addr := netip.MustParseAddr(first).Unmap(), addr.Unmap()
	n := 0
	for _, c := range strings.TrimPrefix(bits, "+") {
		n = n*10 + int(c-'0')
	}
	p, err := addr.Prefix(n)
	if err != nil || from.BitLen() != addr.BitLen() {
		return false
	}
	q, _ := from.Prefix(n)
	return p == q && addr.Compare(from) >= 0
}

func refNumeric(terms []any, n *big.Rat) bool {
	for ; len(terms) > 0; terms = terms[2:] {
		c := n.Cmp(refScalar(terms[1]).(*big.Rat))
		switch terms[0] {
		case "=":
			if c != 0 {
				return false
			}
		case "<":
			if c >= 0 {
				return false
			}
		case "<=":
			if c > 0 {
				return false
			}
		case ">":
			if c <= 0 {
				return false
			}
		case ">=":
			if c < 0 {
				return false
			}
		}
	}
	return true
}

// refCompare compares two numbers as text.
func refCompare(a, b string) int {
	return refNumber(a).(*big.Rat).Cmp(refNumber(b).(*big.Rat))
}
