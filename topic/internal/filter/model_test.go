package filter

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// dice makes policies and messages of few keys and few values, so that much of it matches and much
// of it nearly does.
type dice struct{ *rand.Rand }

func (d dice) of(s ...string) string { return s[d.IntN(len(s))] }

func (d dice) list(n int, one func() string) string {
	var items []string
	for range 1 + d.IntN(n) {
		items = append(items, one())
	}
	return "[" + strings.Join(items, ",") + "]"
}

func (d dice) scalar() string {
	return d.of(`"a"`, `"ab"`, `"abc"`, `"B"`, `""`, `1`, `1.0`, `2`, `-1`, `10.5000001`, `true`, `false`, `null`, `"10.0.0.7"`, `"1"`)
}

func (d dice) pattern() string {
	switch d.IntN(9) {
	case 0:
		return `{"prefix":` + d.of(`"a"`, `""`, `"ab"`) + `}`
	case 1:
		return `{"suffix":` + d.of(`"b"`, `"c"`) + `}`
	case 2:
		return `{"anything-but":` + d.of(`"a"`, `["a","ab"]`, `1`, `[1,2]`, `{"prefix":"a"}`, `{"suffix":["b","c"]}`, `{"wildcard":"a*c"}`) + `}`
	case 3:
		return `{"exists":` + d.of(`true`, `false`) + `}`
	case 4:
		return `{"numeric":` + d.of(`["=",1]`, `[">",0]`, `["<=",2]`, `[">=",1,"<",10.5]`) + `}`
	case 5:
		return `{"equals-ignore-case":"b"}`
	case 6:
		return `{"cidr":"10.0.0.0/24"}`
	case 7:
		return `{"wildcard":` + d.of(`"a*"`, `"*b*"`, `"a*c"`) + `}`
	}
	return d.scalar()
}

func (d dice) key() string { return d.of("a", "b", "c", "a.b", "b.c") }

// members makes an object of distinct keys.
func (d dice) members(n int, value func(key string) string) string {
	var members, seen []string
	for range 1 + d.IntN(n) {
		key := d.key()
		if !slices.Contains(seen, key) {
			seen = append(seen, key)
			members = append(members, `"`+key+`":`+value(key))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (d dice) policy(depth int, scope Scope) string {
	text := d.members(3, func(string) string {
		if scope == MessageBody && depth > 0 && d.IntN(3) == 0 {
			return d.policy(depth-1, scope)
		}
		return d.list(3, d.pattern)
	})
	if depth > 0 && d.IntN(4) == 0 {
		branches := d.policy(depth-1, scope) + "," + d.policy(depth-1, scope)
		text = strings.TrimSuffix(text, "}") + `,"$or":[` + branches + `]}`
	}
	return text
}

func (d dice) body(depth int) string {
	return d.members(4, func(string) string { return d.value(depth) })
}

func (d dice) value(depth int) string {
	switch {
	case depth > 0 && d.IntN(3) == 0:
		return d.body(depth - 1)
	case depth > 0 && d.IntN(3) == 0:
		if d.IntN(8) == 0 {
			return "[]"
		}
		return d.list(3, func() string { return d.value(depth - 1) })
	}
	return d.scalar()
}

func (d dice) attributes() map[string]inq.Attribute {
	attributes := map[string]inq.Attribute{}
	for range d.IntN(5) {
		key := d.key()
		switch d.IntN(5) {
		case 0:
			attributes[key] = inq.Number(d.of("1", "2.00", "1e1", "-1", "10.5"))
		case 1:
			attributes[key] = inq.Attribute{Type: "String.Array", Value: d.of(`[]`, `["a"]`, `["x","ab"]`, `[1,null]`, `no`, `true`, `[[1],{"a":1}]`)}
		case 2:
			attributes[key] = inq.Binary([]byte("a"))
		default:
			attributes[key] = inq.Attribute{Type: d.of("String", "String.x"), Value: d.of("a", "ab", "B", "10.0.0.7", "1")}
		}
	}
	return attributes
}

// twoWays reports that the message spells a path of arrays in two ways, where the compiled matcher
// does not try everything.
func twoWays(e *Event) bool {
	for _, el := range e.elements {
		if el.first >= 0 && e.arrays[el.first].next >= 0 {
			return true
		}
	}
	return false
}

// An index of policies that come and go finds what trying each of them by the reference finds.
func TestIndex_AgreesWithTheReference(t *testing.T) {
	const rounds = 40
	for seed := range uint64(rounds) {
		d := dice{rand.New(rand.NewPCG(seed, 1))}
		scope := Scope(seed % 2)
		var x Index[string]
		var in []*Entry[string]
		matched := 0
		for step := range 60 {
			for range 1 + d.IntN(5) {
				text := d.policy(2, scope)
				p, err := Compile(text, scope, true)
				if err != nil {
					require.Regexp(t, "complex|more than 5", err.Error(), text)
					continue
				}
				in = append(in, x.Add(p, text))
			}
			for range d.IntN(4) {
				if len(in) > 0 {
					at := d.IntN(len(in))
					x.Remove(in[at])
					in = slices.Delete(in, at, at+1)
				}
			}
			var e *Event
			var m *refMessage
			what := ""
			if scope == MessageBody {
				what = d.body(3)
				e, m = x.Body(what), refBody(what)
			} else {
				attributes := d.attributes()
				what = fmt.Sprint(attributes)
				e, m = x.Attributes(attributes), refAttributes(attributes)
			}
			found := x.Match(nil, e)
			for _, one := range in {
				got, want := slices.Contains(found, one), refMatch(one.Value, m)
				if got != want && !(want && twoWays(e)) {
					t.Fatalf("seed %d, step %d: policy %s on %s: matched %v, the reference says %v", seed, step, one.Value, what, got, want)
				}
				require.Equal(t, got, one.policy.Match(e))
			}
			require.True(t, slices.IsSortedFunc(found, func(a, b *Entry[string]) int { return int(a.serial) - int(b.serial) }))
			matched += len(found)
		}
		require.NotZero(t, matched)
		for _, one := range in {
			x.Remove(one)
		}
		require.Empty(t, x.paths, "an empty index holds nothing")
		require.Empty(t, x.always)
	}
}

var hugeExponent = regexp.MustCompile(`[eE][+-]?[0-9]{4}`)

// FuzzMatch compares the compiled policy and the index with the reference on any text.
func FuzzMatch(f *testing.F) {
	for seed := range uint64(20) {
		d := dice{rand.New(rand.NewPCG(seed, 2))}
		f.Add(d.policy(2, MessageBody), d.body(3))
	}
	f.Add(`{"a":[{"numeric":[">",-1.5e2,"<=",3.25]}]}`, `{"a":[-0.0,1e-7]}`)
	f.Fuzz(func(t *testing.T, policy, body string) {
		if len(policy)+len(body) > 4096 || hugeExponent.MatchString(policy+body) || !utf8.ValidString(policy) || !utf8.ValidString(body) {
			return
		}
		p, err := Compile(policy, MessageBody, true)
		if err != nil || p == nil || len(p.branches) > 20 {
			return
		}
		for _, b := range p.branches {
			if len(b) > 8 {
				return // the reference takes its time
			}
		}
		e := newBody(body, all{})
		got := p.Match(e)
		var x Index[int]
		x.Add(p, 1)
		require.Equal(t, got, len(x.Match(nil, x.Body(body))) == 1, "index")
		if len(e.fields) <= 12 && (got || !twoWays(e)) {
			require.Equal(t, refMatch(policy, refBody(body)), got, "reference")
		}
	})
}

// FuzzCompile holds the reader against encoding/json, and compiles whatever comes.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":["b"]}`, `[1,-0.5e+7,"\ud83d\ude00\ud800x"]`, ` {"$or":[{"a":[1]},{"b":[{"cidr":"::/1"}]}]}`, "\"\x00\"", `{"a":1,}`, `01`, `"\u12`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, scope := range []Scope{MessageAttributes, MessageBody} {
			p, err := Compile(text, scope, false)
			if err == nil && p != nil {
				p.Match(newBody(text, all{}))
			}
		}
		n, fault := parse(text)
		s := scanner{text: text}
		require.Equal(t, fault == "", s.skip() && s.ends(), "reading and skipping differ")
		if strings.Contains(fault, "nesting depth") || !utf8.ValidString(text) {
			return
		}
		require.Equal(t, json.Valid([]byte(text)), fault == "", fault)
		if fault == "" && !hugeExponent.MatchString(text) {
			want, _ := refDecode(text)
			require.Equal(t, want, plain(&n))
		}
	})
}

// plain is a node as encoding/json decodes it.
func plain(n *node) any {
	switch {
	case n.object:
		o := map[string]any{}
		for _, m := range n.members {
			o[m.key] = plain(&m.node)
		}
		return o
	case n.array:
		l := []any{}
		for i := range n.elements {
			l = append(l, plain(&n.elements[i]))
		}
		return l
	}
	switch n.kind {
	case kindNumber:
		return json.Number(n.text)
	case kindTrue:
		return true
	case kindFalse:
		return false
	case kindNull:
		return nil
	}
	return n.text
}

// Numbers compare as decimals do.
func TestNumbers_AgreeWithTheReference(t *testing.T) {
	d := dice{rand.New(rand.NewPCG(7, 7))}
	random := func() string {
		return d.of("", "-", "+") + d.of("0", "1", "12", "100", "0012", "999999", "5000000000", "") + d.of("", ".", ".0", ".5", ".000001", ".0000001", ".1234567") + d.of("", "e2", "E-3", "e+7", "e-9")
	}
	for range 20_000 {
		a, b := random(), random()
		x, okX := parseNumber(a)
		y, okY := parseNumber(b)
		valid := func(s string) bool {
			return regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`).MatchString(s)
		}
		require.Equal(t, valid(a), okX, a)
		require.Equal(t, valid(b), okY, b)
		if okX && okY {
			require.Equal(t, sign(refCompare(a, b)), sign(x.compare(y)), "%s and %s", a, b)
			require.Equal(t, x.compare(y) == 0, x == y, "%s and %s", a, b)
		}
	}
	huge, ok := parseNumber("1e99999999999999999999")
	require.True(t, ok)
	small, _ := parseNumber("1e300")
	require.Positive(t, huge.compare(small))
	tiny, ok := parseNumber("-1e-99999999999999999999")
	require.True(t, ok)
	require.Equal(t, number{}, tiny)
}

func sign(n int) int { return max(-1, min(1, n)) }
