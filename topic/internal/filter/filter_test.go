package filter

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// mustCompile compiles a policy that is fine.
func mustCompile(t testing.TB, text string, scope Scope, extended bool) *Policy {
	t.Helper()
	p, err := Compile(text, scope, extended)
	require.NoError(t, err, text)
	require.NotNil(t, p)
	return p
}

// matchBody asks the compiled policy, the index and the reference, which have to agree.
func matchBody(t testing.TB, policy, body string, extended bool) bool {
	t.Helper()
	p := mustCompile(t, policy, MessageBody, extended)
	got := p.Match(newBody(body, all{}))
	var x Index[int]
	x.Add(p, 1)
	require.Equal(t, got, len(x.Match(nil, x.Body(body))) == 1, "index: %s on %s", policy, body)
	require.Equal(t, refMatch(policy, refBody(body)), got, "reference: %s on %s", policy, body)
	return got
}

func matchAttributes(t testing.TB, policy string, attributes map[string]inq.Attribute) bool {
	t.Helper()
	p := mustCompile(t, policy, MessageAttributes, false)
	got := p.Match(newAttributes(attributes, all{}))
	var x Index[int]
	x.Add(p, 1)
	require.Equal(t, got, len(x.Match(nil, x.Attributes(attributes))) == 1, "index: %s on %v", policy, attributes)
	require.Equal(t, refMatch(policy, refAttributes(attributes)), got, "reference: %s on %v", policy, attributes)
	return got
}

// asAttribute gives a JSON value as an attribute of the type it has there.
func asAttribute(v string) inq.Attribute {
	switch v[0] {
	case '"':
		s := scanner{text: v}
		text, _ := s.string()
		return inq.String(text)
	case '[':
		return inq.Attribute{Type: "String.Array", Value: v}
	case 't', 'f', 'n':
		return inq.Attribute{Type: "String.Array", Value: v} // a scalar in text (FLT-24)
	}
	return inq.Number(v)
}

// Values of a key "k" and what they match, as body and as attribute; "" is a message without the
// key, but with others.
func TestOperators(t *testing.T) {
	for _, c := range []struct {
		rule, values    string
		matches, others []string
	}{
		{"FLT-30", `["a","b"]`, []string{`"b"`, `["x","a"]`, `[["a"]]`}, []string{`"A"`, ``, `["x"]`, `1`, `[]`}},
		{"FLT-30", `[true,null]`, []string{`true`, `null`, `[1,null]`}, []string{`false`, ``, `"true"`}},
		{"FLT-31", `[100]`, []string{`100`, `100.0`, `1e2`, `[7,100]`}, []string{`"100"`, `101`, ``, `-100`}},
		{"FLT-7", `[301.5]`, []string{`3.015e2`, `301.50`}, []string{`"301.5"`, `301.51`}},
		{"FLT-7", `["100"]`, []string{`"100"`}, []string{`100`}},
		{"FLT-25", `[100.123456789]`, []string{`100.1234567`, `[100.123456]`}, []string{`100.123457`, `100.12345`}},
		{"FLT-50", `[12345678901234567890123]`, []string{`12345678901234567890123`, `1.2345678901234567890123e22`}, []string{`12345678901234567890124`}},
		{"FLT-32", `[{"anything-but":["a","b"]}]`, []string{`"c"`, `"A"`, `["a","c"]`, `1`, `true`, `null`}, []string{`"a"`, `["a"]`, ``, `[]`}},
		{"FLT-32", `[{"anything-but":"a"}]`, []string{`"b"`}, []string{`"a"`, ``}},
		{"FLT-32", `[{"anything-but":[1,2]}]`, []string{`3`, `"1"`}, []string{`1.0`, `2`, ``}},
		{"TRAP-6", `[{"anything-but":0}]`, []string{`1`, `-1`}, []string{`0`, `-0.0`, `0.0000001`}},
		{"FLT-26", `[{"anything-but":["100"]}]`, []string{`100`}, []string{`"100"`}},
		{"FLT-1", `[{"anything-but":"a"},{"anything-but":"b"}]`, []string{`"a"`, `"b"`, `"c"`}, []string{``}},
		{"FLT-33", `[{"anything-but":{"prefix":"order-"}}]`, []string{`"data-1"`, `"order_1"`, `"Order-1"`}, []string{`"order-1"`, `5`, ``}},
		{"FLT-33", `["order-7",{"anything-but":{"prefix":"order-"}}]`, []string{`"order-7"`, `"x"`}, []string{`"order-1"`}},
		{"FLT-35", `[{"prefix":"bas"}]`, []string{`"baseball"`, `"bas"`, `["x","basket"]`}, []string{`"Bas"`, `12`, ``, `"ba"`}},
		{"FLT-35", `[{"prefix":""}]`, []string{`"x"`}, []string{`12`, ``}},
		{"FLT-36", `[{"suffix":"ball"}]`, []string{`"football"`, `"ball"`, `["x","baseball"]`}, []string{`"Ball"`, `"balls"`, ``}},
		{"FLT-37", `[{"equals-ignore-case":"tennis"}]`, []string{`"TENNIS"`, `"Tennis"`, `["x","tenniS"]`}, []string{`"tennis "`, `1`, ``}},
		{"FLT-37", `[{"equals-ignore-case":"ÄB"}]`, []string{`"äb"`}, []string{`"ab"`}},
		{"FLT-38", `[{"numeric":[">",0,"<=",100]}]`, []string{`1`, `100`, `99.12`, `1e2`}, []string{`0`, `100.1`, `"50"`, `-5`, ``, `true`}},
		{"FLT-38", `[{"numeric":["=",5]}]`, []string{`5`, `5.0`, `50e-1`}, []string{`"5"`, `4`}},
		{"FLT-38", `[{"numeric":["<",0]}]`, []string{`-1`, `-0.5`, `-100`, `-1e30`}, []string{`0`, `0.000001`, `1`}},
		{"FLT-38", `[{"numeric":[">=",-2.5]}]`, []string{`-2.5`, `-2`, `0`, `10`}, []string{`-2.6`, `-20`}},
		{"FLT-38", `[{"numeric":["<",-20.5]}]`, []string{`-20.6`, `-100`}, []string{`-20.5`, `-3`, `0`, `3`}},
		{"FLT-39", `[{"exists":true}]`, []string{`"x"`, `0`, `["a"]`, `false`}, []string{``, `[]`, `null`}},
		{"FLT-39", `[{"exists":false}]`, []string{``, `[]`}, []string{`"x"`, `0`, `null`}},
		{"FLT-39", `["a",{"exists":false}]`, []string{``, `"a"`}, []string{`"x"`}},
		{"FLT-40", `[{"cidr":"10.0.0.0/24"}]`, []string{`"10.0.0.0"`, `"10.0.0.255"`}, []string{`"10.0.0.256"`, `"10.1.1.0"`, `"host"`, ``, `10`, `"::a00:0"`}},
		{"FLT-40", `[{"cidr":"2001:db8:1234:1a00::/64"}]`, []string{`"2001:0db8:1234:1a00:0000:0000:0000:0000"`, `"2001:db8:1234:1a00:ffff:ffff:ffff:ffff"`},
			[]string{`"2001:db8:1234:1a01::"`, `"10.0.0.1"`, `"fe80::1%eth0"`}},
		{"FLT-40", `[{"cidr":"10.0.0.5/8"}]`, []string{`"10.0.0.5"`, `"10.255.255.255"`}, []string{`"11.0.0.0"`, `"10.0.0.4"`}},
	} {
		t.Run(c.rule+" "+c.values, func(t *testing.T) {
			policy := `{"k":` + c.values + `}`
			try := func(v string, want bool) {
				body, attributes := `{"other":{"x":1}}`, map[string]inq.Attribute{"other": inq.String("x")}
				if v != "" {
					body = `{"other":1,"k":` + v + `}`
					attributes["k"] = asAttribute(v)
				}
				require.Equal(t, want, matchBody(t, policy, body, false), "body %s", body)
				require.Equal(t, want, matchAttributes(t, policy, attributes), "attribute %v", v)
			}
			for _, v := range c.matches {
				try(v, true)
			}
			for _, v := range c.others {
				try(v, false)
			}
		})
	}
}

func TestBodies(t *testing.T) {
	for _, c := range []struct {
		rule, policy    string
		matches, others []string
	}{
		{"FLT-1", `{"a":["x"],"b":["y","z"]}`, []string{`{"a":"x","b":"z","c":1}`}, []string{`{"a":"x"}`, `{"b":"y"}`, `{"a":"x","b":"x"}`}},
		{"FLT-4", `{"a":[{"exists":false}]}`, []string{`{}`, `{"b":1}`}, []string{`[]`, `"{}"`, `12`, `text`, ``, `{"b":1`, `{} {}`, `{"a":1}`}},
		{"FLT-8", `{"a":[null]}`, []string{`{"a":null}`, `{"a":[1,null]}`}, []string{`{}`, `{"b":null}`}},
		{"FLT-9", `{"a.b.c":["v"]}`, []string{`{"a":{"b":{"c":"v"}}}`, `{"a.b.c":"v"}`, `{"a.b":{"c":"v"}}`, `{"a":{"b.c":"v"}}`}, []string{`{"a":{"b":"v"}}`, `{"c":"v"}`}},
		{"FLT-10", `{"R":{"k":["x"]}}`, []string{`{"R":[{"k":"x"}]}`, `{"R":[[{"k":"x"}]]}`, `{"R":[{"k":"y"},{"k":["z","x"]}]}`}, []string{`{"R":[]}`, `{"R":[{"k":"y"}]}`, `{"R":"x"}`}},
		{"FLT-11", `{"R":{"k":["x"],"e":["y"]}}`,
			[]string{`{"R":[{"k":"n","e":"n"},{"k":"x","e":"y"}]}`, `{"R":{"k":"x","e":"y"}}`, `{"R":[[{"k":"n"}],[{"k":"x","e":["z","y"]}]]}`},
			[]string{`{"R":[{"k":"x","e":"n"},{"k":"n","e":"y"}]}`, `{"R":[[{"k":"x"},{"e":"y"}]]}`, `{"R":[[{"k":"x"}],[{"e":"y"}]]}`}},
		{"FLT-11", `{"R":{"k":["x"],"S":{"e":["y"]}}}`,
			[]string{`{"R":[{"k":"x","S":[{"e":"n"},{"e":"y"}]}]}`},
			[]string{`{"R":[{"k":"x","S":[]},{"S":[{"e":"y"}]}]}`}},
		{"FLT-11", `{"R":{"k":["x"]},"S":{"k":["x"]}}`, []string{`{"R":[{"k":"n"},{"k":"x"}],"S":[{"k":"x"},{"k":"n"}]}`}, []string{`{"R":[{"k":"x"}],"S":[{"k":"n"}]}`}},
		{"FLT-12", `{"a":[{"exists":false}]}`, []string{`{"a":{"b":1}}`}, nil},
		{"FLT-12", `{"a":[{"exists":true}]}`, nil, []string{`{"a":{"b":1}}`, `{"a":null}`, `{"a":""}`, `{"a":[]}`, `{"a":[{"b":1}]}`}},
		{"FLT-42", `{"s":["x"],"$or":[{"a":["1"]},{"b":["2"]}]}`,
			[]string{`{"s":"x","a":"1"}`, `{"s":"x","b":"2"}`, `{"s":"x","a":"1","b":"9"}`},
			[]string{`{"s":"x"}`, `{"a":"1"}`, `{"s":"x","a":"9","b":"9"}`}},
		{"FLT-42", `{"d":{"$or":[{"a":["1"]},{"b":{"c":["2"]}}]}}`, []string{`{"d":{"a":"1"}}`, `{"d":{"b":{"c":"2"}}}`}, []string{`{"a":"1"}`, `{"d":{"c":"2"}}`}},
		{"FLT-42", `{"$or":[{"a":["1"],"$or":[{"x":[1]},{"y":[1]}]},{"b":["2"]}]}`,
			[]string{`{"a":"1","x":1}`, `{"a":"1","y":1}`, `{"b":"2"}`}, []string{`{"a":"1"}`, `{"x":1}`}},
		{"FLT-15", `{"$or":["x"]}`, []string{`{"$or":"x"}`}, []string{`{"a":"x"}`}},
		{"FLT-15", `{"$or":[{"prefix":"x"},{"suffix":"y"}]}`, []string{`{"$or":"xz"}`, `{"$or":"zy"}`}, []string{`{"$or":"z"}`}},
		{"FLT-43", `{"o":{"k":["v"]}}`, []string{`{"o":{"k":"v"}}`, `{"o.k":"v"}`, `{"o":[{"k":"v"}]}`}, []string{`{"k":"v"}`, `{"o":"v"}`, `{"o":{"k":["w"]}}`}},
		{"FLT-22", `{"k":["a"],"k":["b"]}`, []string{`{"k":"b"}`}, []string{`{"k":"a"}`}},
		{"escapes", `{"a\u00e9":["\ud83d\ude00\n\""]}`, []string{`{"aé":"😀\n\""}`, `{"a\u00E9":"\uD83D\uDE00\u000a\u0022"}`}, []string{`{"aé":"\ud83d"}`}},
	} {
		t.Run(c.rule+" "+c.policy, func(t *testing.T) {
			for _, body := range c.matches {
				require.True(t, matchBody(t, c.policy, body, false), body)
			}
			for _, body := range c.others {
				require.False(t, matchBody(t, c.policy, body, false), body)
			}
		})
	}
}

// An array can be met by two of its spellings in one message. What matches then is a pick that fits.
func TestFLT11_ArraysOfOnePathSpelledInTwoWays(t *testing.T) {
	policy := `{"a":{"b":{"c":[1],"d":[1]}}}`
	require.True(t, matchBody(t, policy, `{"a.b":[{"c":1}],"a":{"b":[{"d":1}]}}`, false))
	require.True(t, matchBody(t, policy, `{"a.b":[{"c":1},{"d":1}],"a":{"b":[{"d":1}]}}`, false))
	require.True(t, matchBody(t, policy, `{"a":{"b":[{"d":1}]},"a.b":[{"c":1},{"d":1}]}`, false))
	require.False(t, matchBody(t, policy, `{"a.b":[{"c":1},{"d":1}],"a":{"b":[{"x":1}]}}`, false))
}

func TestAttributes(t *testing.T) {
	text, number, array := inq.String, inq.Number, func(v string) inq.Attribute { return inq.Attribute{Type: "String.Array", Value: v} }
	type attributes = map[string]inq.Attribute
	for _, c := range []struct {
		rule, policy string
		attributes   attributes
		want         bool
	}{
		{"FLT-1", `{"a":["x"],"b":["y"]}`, attributes{"a": text("x"), "b": text("y"), "c": text("z")}, true},
		{"FLT-1", `{"a":["x"],"b":["y"]}`, attributes{"a": text("x")}, false},
		{"FLT-5", `{"a":[{"exists":false}]}`, attributes{"a": inq.Binary([]byte("x"))}, true},
		{"FLT-5", `{"a":["x"]}`, attributes{"a": {Type: "String.label", Value: "x"}}, true},
		{"FLT-5", `{"a":[1]}`, attributes{"a": {Type: "Number.int", Value: "1"}}, true},
		{"FLT-6", `{"a":["x"]}`, attributes{"a": array(`["y","x"]`)}, true},
		{"FLT-6", `{"a":[1]}`, attributes{"a": array(`["1"]`)}, false},
		{"FLT-6", `{"a":[true]}`, attributes{"a": array(`[false,true]`)}, true},
		{"FLT-6", `{"a":["x"]}`, attributes{"a": array(`[{"a":"x"}]`)}, false},
		{"FLT-24", `{"a":[100]}`, attributes{"a": array(`100`)}, true},
		{"FLT-24", `{"a":["one hundred"]}`, attributes{"a": array(`one hundred`)}, false},
		{"FLT-24", `{"a":[{"anything-but":"x"}]}`, attributes{"a": array(`one hundred`)}, false},
		{"FLT-24", `{"a":[{"exists":false}]}`, attributes{"a": array(`one hundred`)}, false},
		{"FLT-7", `{"a":["100"]}`, attributes{"a": number("100")}, false},
		{"FLT-7", `{"a":[100]}`, attributes{"a": text("100")}, false},
		{"TRAP-3", `{"a":[100]}`, attributes{"a": number("100")}, true},
		{"TRAP-3", `{"a":[{"numeric":[">",1]}]}`, attributes{"a": text("100")}, false},
		{"FLT-13", `{"a":[{"exists":false}]}`, attributes{}, false},
		{"FLT-13", `{"a":[{"exists":false}]}`, attributes{"b": text("x")}, true},
		{"FLT-15", `{"$or":[{"a":["1"]},{"b":["2"]}]}`, attributes{"b": text("2")}, true},
		{"FLT-9", `{"a.b":["x"]}`, attributes{"a.b": text("x")}, true},
	} {
		require.Equal(t, c.want, matchAttributes(t, c.policy, c.attributes), "%s: %s on %v", c.rule, c.policy, c.attributes)
	}
}

// refusals are policies with the first line of the text that refuses them.
func TestRefusals(t *testing.T) {
	numeric := func(operand string) string { return `{"k":[{"numeric":` + operand + `}]}` }
	many := func(n int, what string) string {
		return strings.TrimSuffix(strings.Repeat(what+",", n), ",")
	}
	const mixed = "Inside anything but list, either all values are number or string, mixed type is not supported"
	for _, c := range []struct{ rule, policy, text string }{
		{"general", `{"k":"v"}`, `"k" must be an object or an array`},
		{"general", `{"k":[]}`, `Empty arrays are not allowed`},
		{"general", `{"k":[["v"]]}`, `Match value must be String, number, true, false, or null`},
		{"general", `{"k":[{"wrong":true}]}`, `Unrecognized match type wrong`},
		{"general", `{"k":[{"suffix":"a","prefix":"b"}]}`, `Only one key allowed in match expression`},
		{"general", `{"k":{}}`, `Empty objects are not allowed`},
		{"general", `[1]`, `Filter is not an object`},
		{"general", `"x"`, `Filter is not an object`},
		{"SUB-17", `i`, `failed to parse JSON. Unexpected character ('i' (code 105)) at byte 0`},
		{"SUB-17", `{"k":["v"]`, `failed to parse JSON. Unexpected end-of-input`},
		{"SUB-17", `{"k":["v"]} x`, `failed to parse JSON. Unexpected character ('x' (code 120)) at byte 12`},
		{"FLT-20", `{"k":"v", i}`, `failed to parse JSON. Unexpected character ('i' (code 105)) at byte 10`},
		{"FLT-23", `{"k":{"suffix":"v","prefix":"v"}}`, `"suffix" must be an object or an array`},
		{"FLT-32", `{"k":[{"anything-but":["a",1]}]}`, mixed},
		{"FLT-32", `{"k":[{"anything-but":[]}]}`, mixed},
		{"FLT-32", `{"k":[{"anything-but":[true]}]}`, `Inside anything but list, start|null|boolean is not supported.`},
		{"FLT-32", `{"k":[{"anything-but":null}]}`, `Value of anything-but must be an array or single string/number value.`},
		{"FLT-33", `{"k":[{"anything-but":{"prefix":false}}]}`, `prefix match pattern must be a string`},
		{"FLT-33", `{"k":[{"anything-but":{"suffix":"t"}}]}`, `Unsupported anything-but pattern: suffix`},
		{"FLT-33", `{"k":[{"anything-but":{"exists":false}}]}`, `Unsupported anything-but pattern: exists`},
		{"FLT-34", `{"k":[{"anything-but":{"wildcard":"*"}}]}`, `Unsupported anything-but pattern: wildcard`},
		{"FLT-34", `{"k":[{"anything-but":{"equals-ignore-case":"x"}}]}`, `Unsupported anything-but pattern: equals-ignore-case`},
		{"FLT-34", `{"k":[{"anything-but":{"prefix":["a","b"]}}]}`, `prefix match pattern must be a string`},
		{"FLT-34", `{"k":[{"anything-but":{}}]}`, `Anything-But expression name not found`},
		{"FLT-35", `{"k":[{"prefix":100}]}`, `prefix match pattern must be a string`},
		{"FLT-35", `{"k":[{"prefix":null}]}`, `prefix match pattern must be a string`},
		{"FLT-36", `{"k":[{"suffix":["a","b"]}]}`, `suffix match pattern must be a string`},
		{"FLT-36", `{"k":[{"suffix":[]}]}`, `suffix match pattern must be a string`},
		{"FLT-37", `{"k":[{"equals-ignore-case":1}]}`, `equals-ignore-case match pattern must be a string`},
		{"FLT-39", `{"k":[{"exists":null}]}`, `exists match pattern must be either true or false.`},
		{"FLT-39", `{"k":[{"exists":"no"}]}`, `exists match pattern must be either true or false.`},
		{"FLT-39", `{"k":[{"exists":1}]}`, `exists match pattern must be either true or false.`},
		{"FLT-39", `{"k":[{"exists":[true]}]}`, `exists match pattern must be either true or false.`},
		{"FLT-39", `{"k":[{"exists":{}}]}`, `exists match pattern must be either true or false.`},
		{"FLT-40", `{"k":[{"cidr":["x"]}]}`, `prefix match pattern must be a string`},
		{"FLT-40", `{"k":[{"cidr":"x"}]}`, `Malformed CIDR, one '/' required`},
		{"FLT-40", `{"k":[{"cidr":"x/64"}]}`, `Nonstandard IP address: x`},
		{"FLT-40", `{"k":[{"cidr":"bad-/64filter"}]}`, `Malformed CIDR, mask bits must be an integer`},
		{"FLT-40", `{"k":[{"cidr":"10.0.0.0/-1"}]}`, `Malformed CIDR, mask bits must not be negative`},
		{"FLT-40", `{"k":[{"cidr":"10.0.0.0/32"}]}`, `IPv4 mask bits must be < 32`},
		{"FLT-40", `{"k":[{"cidr":"::/128"}]}`, `IPv6 mask bits must be < 128`},
		{"FLT-40", `{"k":[{"cidr":"10.0.0.256/8"}]}`, `Invalid IP address: 10.0.0.256`},
		{"FLT-41", `{"k":[{"wildcard":"a*"}]}`, `Unrecognized match type wildcard`},
		{"FLT-41", `{"k":[{"wildcard":1}]}`, `Unrecognized match type wildcard`},
		{"FLT-42", `{"$or":[]}`, `Empty arrays are not allowed`},
		{"FLT-42", `{"$or":[{"a":"1"},{"b":["2"]}]}`, `"a" must be an object or an array`},
		{"FLT-42", `{"$or":[{"a":["1"]}]}`, `Unrecognized match type a`},
		{"FLT-42", `{"$or":[{},{"b":["2"]}]}`, `Empty objects are not allowed`},
		{"13.3", numeric(`[]`), `Invalid member in numeric match: ]`},
		{"13.3", numeric(`[1,"<="]`), `Invalid member in numeric match: 1`},
		{"13.3", numeric(`[{},1]`), `Invalid member in numeric match: {`},
		{"13.3", numeric(`["operator"]`), `Unrecognized numeric range operator: operator`},
		{"13.3", numeric(`["=","000"]`), `Value of equals must be numeric`},
		{"13.3", numeric(`[">="]`), `Value of >= must be numeric`},
		{"13.3", numeric(`["<",100,">",10]`), `Too many elements in numeric expression`},
		{"13.3", numeric(`["=",1,"=",1]`), `Too many elements in numeric expression`},
		{"13.3", numeric(`[">=",1,">",2]`), `Bad numeric range operator: >`},
		{"13.3", numeric(`[">",20,"test"]`), `Bad numeric range operator: test`},
		{"13.3", numeric(`[">",20,30]`), `Bad value in numeric range: 30`},
		{"13.3", numeric(`[">",20,[]]`), `Bad value in numeric range: [`},
		{"13.3", numeric(`[">",3,"<",1]`), `Bottom must be less than top`},
		{"13.3", numeric(`[">=",3,"<=",3]`), `Bottom must be less than top`},
		{"13.3", numeric(`[">",20,"<="]`), `Value of <= must be numeric`},
		{"13.3", numeric(`[">",20,"<","30"]`), `Value of < must be numeric`},
		{"13.3", numeric(`[">","20","<","30"]`), `Value of > must be numeric`},
		{"13.3", numeric(`[">",20,"<",30,"<",50]`), `Too many terms in numeric range expression`},
		{"13.3", numeric(`5`), `Value of numeric must be an array.`},
		{"13.3", `{"k":[{"numeric":["=",1],"x":1}]}`, `Too many elements in numeric expression`},
		{"FLT-16", `{"k":[` + many(151, `"a"`) + `]}`, `Filter policy is too complex`},
		{"FLT-17", `{"a":[` + many(100, `1`) + `],"b":[` + many(51, `1`) + `]}`, `Filter policy is too complex`},
		{"FLT-17", `{"a":{"b":{"c":[1,2,3,4]}},"d":{"e":[1,2,3]},"f":[1,2,3]}`, `Filter policy is too complex`},
		{"FLT-17", `{"source":[1,2,3,4],"$or":[{"metricName":[` + many(6, `1`) + `]},{"metricType":[1,2,3,4],"$or":[{"metricId":[1,2,3,4]},{"spaceId":[1,2,3,4]}]}]}`, `Filter policy is too complex`},
		{"FLT-18", `{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}`, `Filter policy can not have more than 5 keys`},
		{"FLT-18", `{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"$or":[{"x":[1]},{"y":[1]}]}`, `Filter policy can not have more than 5 keys`},
		{"FLT-22", `{"k":["` + strings.Repeat("x", maxSize) + `"]}`, `Filter policy is too large, it must not be longer than 262144 bytes`},
	} {
		_, err := Compile(c.policy, MessageBody, false)
		var refusal *Error
		require.True(t, errors.As(err, &refusal), "%s: %.80s", c.rule, c.policy)
		require.Equal(t, c.text, refusal.Error(), "%s: %.80s", c.rule, c.policy)
		require.False(t, refusal.Bare)
	}
}

func TestFLT2_NestedPoliciesNeedTheBody(t *testing.T) {
	_, err := Compile(`{"o":{"k":["v"]}}`, MessageAttributes, false)
	require.Equal(t, &Error{Bare: true, Text: "Filter policy scope MessageAttributes does not support nested filter policy"}, err)
	_, err = Compile(`{"$or":[{"a":["v"]},{"o":{"k":["v"]}}]}`, MessageAttributes, false)
	require.ErrorContains(t, err, "does not support nested")
	_, err = Compile(`{"key":{"suffix":"v"}}`, MessageAttributes, false) // FLT-20
	require.EqualError(t, err, `"suffix" must be an object or an array`)
}

func TestFLT17_ComplexityThatIsAllowed(t *testing.T) {
	for _, policy := range []string{
		`{"k":[` + strings.TrimSuffix(strings.Repeat(`"a",`, 150), ",") + `]}`,
		`{"a":{"b":{"c":[1,2,3,4]}},"d":{"e":[1,2,3]}}`,
		`{"source":[1,2,3],"$or":[{"metricName":[1,2,3,4,5,6]},{"metricType":[1,2,3,4],"$or":[{"metricId":[1,2,3,4]},{"spaceId":[1,2,3,4,5,6,7]}]}]}`,
	} {
		mustCompile(t, policy, MessageBody, false)
	}
}

func TestSUB15_APolicyWithoutKeysIsNone(t *testing.T) {
	p, err := Compile(" {} ", MessageBody, false)
	require.NoError(t, err)
	require.Nil(t, p)
}

func TestExtendedOperators(t *testing.T) {
	for _, c := range []struct {
		values          string
		matches, others []string
	}{
		{`[{"wildcard":"a*c*"}]`, []string{`"abc"`, `"ac"`, `"axxcyy"`}, []string{`"ab"`, `"xac"`, `1`}},
		{`[{"wildcard":"*"}]`, []string{`""`, `"x"`}, []string{`1`}},
		{`[{"wildcard":"a\\*b\\\\*"}]`, []string{`"a*b\\"`, `"a*b\\x"`}, []string{`"axb\\"`, `"a*b"`}},
		{`[{"wildcard":"*ab*ab"}]`, []string{`"abab"`, `"xabyab"`}, []string{`"ab"`, `"aab"`}},
		{`[{"wildcard":"exact"}]`, []string{`"exact"`}, []string{`"exactly"`}},
		{`[{"exactly":"a"}]`, []string{`"a"`}, []string{`"b"`}},
		{`[{"anything-but":{"suffix":["a","b"]}}]`, []string{`"xc"`}, []string{`"xa"`, `"xb"`, `1`}},
		{`[{"anything-but":{"prefix":["a","b"]}}]`, []string{`"cx"`}, []string{`"ax"`, `"bx"`}},
		{`[{"anything-but":{"wildcard":"*x*"}}]`, []string{`"abc"`}, []string{`"axc"`, `"x"`}},
		{`[{"anything-but":{"equals-ignore-case":["A","b"]}}]`, []string{`"c"`}, []string{`"a"`, `"B"`}},
	} {
		for _, v := range c.matches {
			require.True(t, matchBody(t, `{"k":`+c.values+`}`, `{"k":`+v+`}`, true), "%s %s", c.values, v)
		}
		for _, v := range c.others {
			require.False(t, matchBody(t, `{"k":`+c.values+`}`, `{"k":`+v+`}`, true), "%s %s", c.values, v)
		}
	}
	for values, text := range map[string]string{
		`[{"wildcard":"a**"}]`:                    "Consecutive wildcard characters at pos 1",
		`[{"wildcard":"a\\x"}]`:                   "Invalid escape character at pos 1",
		`[{"wildcard":"a\\"}]`:                    "Invalid escape character at pos 1",
		`[{"wildcard":1}]`:                        "wildcard match pattern must be a string",
		`[{"exactly":1}]`:                         "exact match pattern must be a string",
		`[{"anything-but":{"prefix":""}}]`:        "Null prefix/suffix not allowed",
		`[{"anything-but":{"prefix":[]}}]`:        "Empty arrays are not allowed",
		`[{"anything-but":{"prefix":[1]}}]`:       "prefix match pattern must be a string",
		`[{"anything-but":{"numeric":["=",1]}}]`:  "Unsupported anything-but pattern: numeric",
		`[{"anything-but":{"suffix":"a","x":1}}]`: "Only one key allowed in match expression",
	} {
		_, err := Compile(`{"k":`+values+`}`, MessageBody, true)
		require.EqualError(t, err, text, values)
	}
}

// What is made to be slow is refused, or decided in a time that nobody notices. Without the bounds
// this test does not end before the one of the run, or runs out of memory.
func TestHostileInputTakesBoundedTime(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + `["x"]` + strings.Repeat(`}`, n) }
	_, err := Compile(deep(1000-1), MessageBody, false)
	require.EqualError(t, err, "Filter policy is too complex")
	_, err = Compile(deep(1001), MessageBody, false)
	require.EqualError(t, err, "failed to parse JSON. Document nesting depth (1001) exceeds the maximum allowed (1000)")
	_, err = Compile(strings.Repeat("[", 200_000), MessageBody, false)
	require.Error(t, err)

	key := strings.Repeat("k", 100_000) // its path, 11,000 times over, would be 1.1 GB
	_, err = Compile(`{"`+key+`":{"a":[1]`+manyKeys(11_000)+`}}`, MessageBody, false)
	require.EqualError(t, err, "Filter policy is too complex")
	_, err = Compile(`{"$or":[{"x":[1]},{"a":[1]`+manyKeys(11_000)+`}]}`, MessageBody, false)
	require.EqualError(t, err, "Filter policy is too complex")

	wild := mustCompile(t, `{"k":[{"wildcard":"`+strings.Repeat("*a", 50_000)+`*b"}]}`, MessageBody, true)
	require.False(t, wild.Match(newBody(`{"k":"`+strings.Repeat("a", 250_000)+`"}`, all{})))

	attributes := map[string]inq.Attribute{}
	for i := range 10_000 {
		attributes[fmt.Sprint("a", i)] = inq.Attribute{Type: "String.Array", Value: `["` + strings.Repeat("x", 10) + `"]`}
	}
	require.True(t, matchAttributes(t, `{"a9999":["xxxxxxxxxx"]}`, attributes))

	// Arrays of which no two elements fit together, in 150 ways to match.
	var branches, elements []string
	for i := range 150 {
		branches = append(branches, fmt.Sprintf(`{"R.a":["%d"],"R.b":["%d"],"R.c":["x"]}`, i, i+1))
	}
	for i := range 4_000 {
		elements = append(elements, fmt.Sprintf(`{"a":"%d","b":"%d","c":"x"}`, i%200, i%200))
	}
	p := mustCompile(t, `{"$or":[`+strings.Join(branches, ",")+`]}`, MessageBody, false)
	require.False(t, p.Match(newBody(`{"R":[`+strings.Join(elements, ",")+`]}`, all{})))

	// One path spelled in two ways at every level: each level has two choices to try.
	body := `{"z":1}`
	path := "z"
	for range 60 {
		body = `{"p.q":[` + body + `,{"y":1}],"p":{"q":[{"z":1}]}}`
		path = "p.q." + path
	}
	p = mustCompile(t, `{"`+path+`":[1],"p.q.y":[1],"p.q.p.q.y":[1],"p.q.z":[1]}`, MessageBody, false)
	p.Match(newBody(body, all{}))
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%d":[1]`, i)
	}
	return b.String()
}
