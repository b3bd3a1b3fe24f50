package suite

import (
	"encoding/json"
	"fmt"
	"strings"
)

// matched is a filter policy with messages that it takes and messages that it does not. In the body
// scope a message is a JSON object; else it is the value of the attribute "k": a string, a number, or the
// JSON of a String.Array.
type matched struct {
	rule, name, policy string
	takes, leaves      []string
}

// onAttribute makes cases of policies for the attribute k.
func onAttribute(all ...matched) (cases []Case) {
	for _, m := range all {
		cases = append(cases, Case{m.rule, m.name, 0, func(t *T) {
			topic := t.Topic("topic")
			q := t.Raw(topic, "FilterPolicy", m.policy)
			publish := func(value string) {
				dataType := "Number"
				switch {
				case value == "": // another attribute
					t.Publish(topic, "", Attribute("other", "String", "x"), M{"Message": "none"})
					return
				case value[0] == '"':
					t.NoError(json.Unmarshal([]byte(value), &value))
					dataType = "String"
				case value[0] == '[':
					dataType = "String.Array"
				}
				t.Publish(topic, dataType+" "+value, Attribute("k", dataType, value))
			}
			for _, value := range m.leaves {
				publish(value)
				t.Empty(q.Bodies(10), value)
			}
			for _, value := range m.takes {
				publish(value)
				t.Len(q.Bodies(10), 1, value)
			}
		}})
	}
	return cases
}

// onBody makes cases of policies for bodies.
func onBody(all ...matched) (cases []Case) {
	for _, m := range all {
		cases = append(cases, Case{m.rule, m.name, 0, func(t *T) {
			topic := t.Topic("topic")
			q := t.Raw(topic, "FilterPolicy", m.policy, "FilterPolicyScope", "MessageBody")
			for _, body := range m.leaves {
				t.Publish(topic, body)
				t.Empty(q.Bodies(10), body)
			}
			for _, body := range m.takes {
				t.Publish(topic, body)
				t.Equal([]string{body}, q.Bodies(10))
			}
		}})
	}
	return cases
}

// refusedPolicies is a case of policies by the first line of their refusal.
func refusedPolicies(rule, name, scope string, texts map[string]string) Case {
	return Case{rule, name, 0, func(t *T) {
		sub := t.Subscribe(t.Topic("topic"), t.Standard(), "FilterPolicyScope", scope)
		for policy, text := range texts {
			operation, in := set(sub, "FilterPolicy", policy)
			t.Invalid(text, operation, in)
		}
		_, has := t.AttributesOf(sub)["FilterPolicy"]
		t.True(!has, "none was taken")
	}}
}

// values is a list of so many strings.
func values(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"%d"`, i))
	}
	return "[" + strings.Join(list, ",") + "]"
}

const inAttributes, inBody = "MessageAttributes", "MessageBody"

// filterPolicies is section 13.
var filterPolicies = Chapter{Cases: append(append(onAttribute(
	matched{"FLT-6", "an array of strings matches by any element", `{"k":["b"]}`, []string{`["a","b"]`}, []string{`["a"]`, `[]`}},
	matched{"FLT-7", "types are strict", `{"k":[301.5]}`, []string{`301.5`, `3.015e2`}, []string{`"301.5"`, `301`}},
	matched{"FLT-8", "a missing key matches nothing but its absence", `{"k":["a"]}`, []string{`"a"`}, []string{``}},
	matched{"FLT-30", "exact strings", `{"k":["a","b"]}`, []string{`"b"`, `["x","a"]`}, []string{`"A"`, `["x"]`, ``}},
	matched{"FLT-31", "exact numbers", `{"k":[100]}`, []string{`100`, `100.0`, `[7,100]`}, []string{`"100"`, `101`, ``}},
	matched{"FLT-32", "anything but", `{"k":[{"anything-but":["a","b"]}]}`, []string{`"c"`, `"A"`, `["a","c"]`}, []string{`"a"`, `["a"]`, ``}},
	matched{"FLT-33", "anything but a prefix", `{"k":[{"anything-but":{"prefix":"order-"}}]}`, []string{`"data-1"`, `"order_1"`, `"Order-1"`}, []string{`"order-1"`, ``}},
	matched{"FLT-35", "prefixes", `{"k":[{"prefix":"bas"}]}`, []string{`"baseball"`, `"bas"`, `["x","basket"]`}, []string{`"Bas"`, `12`, ``}},
	matched{"FLT-36", "suffixes", `{"k":[{"suffix":"ball"}]}`, []string{`"football"`, `"ball"`, `["x","baseball"]`}, []string{`"Ball"`, `"balls"`, ``}},
	matched{"FLT-37", "without regard to case", `{"k":[{"equals-ignore-case":"tennis"}]}`, []string{`"TENNIS"`, `"Tennis"`, `["x","tenniS"]`}, []string{`"tennis "`, `1`, ``}},
	matched{"FLT-38", "ranges of numbers", `{"k":[{"numeric":[">",0,"<=",100]}]}`, []string{`1`, `100`, `99.12`}, []string{`0`, `100.1`, `"50"`}},
	matched{"FLT-39", "a key that is there", `{"k":[{"exists":true}]}`, []string{`"x"`, `0`, `["a"]`}, []string{``}},
	matched{"FLT-39", "a key that is not there", `{"k":[{"exists":false}]}`, []string{``}, []string{`"x"`}},
	matched{"FLT-40", "addresses", `{"k":[{"cidr":"10.0.0.0/24"}]}`, []string{`"10.0.0.0"`, `"10.0.0.255"`}, []string{`"10.0.0.256"`, `"10.1.1.0"`, `"host"`}},
	matched{"FLT-26", "anything but is strict about types", `{"k":[{"anything-but":["100"]}]}`, []string{`100`, `"101"`}, []string{`"100"`}},
), onBody(
	matched{"FLT-1", "keys are all, values any", `{"a":["1","2"],"b":["3"]}`, []string{`{"a":"2","b":"3"}`}, []string{`{"a":"1"}`, `{"a":"1","b":"4"}`}},
	matched{"FLT-4", "the body is a JSON object", `{"k":["v"]}`, []string{`{"k":"v"}`}, []string{`text`, `"{\"k\":\"v\"}"`, `["v"]`}},
	matched{"FLT-9", "dots and nesting are the same", `{"a.b":["v"]}`, []string{`{"a":{"b":"v"}}`, `{"a.b":"v"}`}, []string{`{"a":"v"}`}},
	matched{"FLT-10", "arrays are transparent", `{"r":{"k":["x"]}}`, []string{`{"r":[{"k":"x"}]}`, `{"r":[[{"k":"x"}]]}`}, []string{`{"r":[]}`}},
	matched{"FLT-14", "other keys are ignored", `{"k":["v"]}`, []string{`{"k":"v","other":{"k":"w"}}`}, nil},
	matched{"FLT-42", "one branch or the other", `{"s":["x"],"$or":[{"a":["1"]},{"b":["2"]}]}`,
		[]string{`{"s":"x","a":"1"}`, `{"s":"x","b":"2"}`, `{"s":"x","a":"1","b":"9"}`}, []string{`{"s":"x"}`, `{"a":"1"}`, `{"s":"x","a":"9","b":"9"}`}},
	matched{"FLT-43", "nested keys", `{"o":{"k":["v"]}}`, []string{`{"o":{"k":"v"}}`, `{"o.k":"v"}`, `{"o":[{"k":"v"}]}`}, []string{`{"k":"v"}`, `{"o":"v"}`, `{"o":{"k":["w"]}}`}},
)...), []Case{
	{"FLT-2", "attributes do not nest", 0, func(t *T) {
		operation, in := set(t.Subscribe(t.Topic("topic"), t.Standard()), "FilterPolicy", `{"a":{"b":["c"]}}`)
		t.Invalid("Filter policy scope MessageAttributes does not support nested filter policy", operation, in)
	}},
	{"FLT-13", "an absent key needs another attribute", 0, func(t *T) {
		topic := t.Topic("topic")
		q := t.Raw(topic, "FilterPolicy", `{"k":[{"exists":false}]}`)
		t.Publish(topic, "without attributes")
		t.Empty(q.Bodies(10))
	}},
	refusedPolicies("FLT-16", "a policy that is too complex", inBody, map[string]string{
		`{"a":` + values(151) + `}`:                                                             "FilterPolicy: Filter policy is too complex",
		`{"a":` + values(100) + `,"b":` + values(51) + `}`:                                      "FilterPolicy: Filter policy is too complex",
		`{"a":{"b":{"c":` + values(4) + `}},"d":{"e":` + values(3) + `},"f":` + values(3) + `}`: "FilterPolicy: Filter policy is too complex",
	}),
	{"FLT-17", "a policy that is not", 0, func(t *T) {
		sub := t.Subscribe(t.Topic("topic"), t.Standard(), "FilterPolicyScope", inBody)
		t.SetOf(sub, "FilterPolicy", `{"a":{"b":{"c":`+values(4)+`}},"d":{"e":`+values(3)+`}}`)
		t.SetOf(sub, "FilterPolicy", `{"a":`+values(150)+`}`)
	}},
	refusedPolicies("FLT-18", "five keys at most", inAttributes, map[string]string{
		`{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}`: "FilterPolicy: Filter policy can not have more than 5 keys",
	}),
	refusedPolicies("FLT-19", "values that are none", inAttributes, map[string]string{
		`{"k":"v"}`:                           `FilterPolicy: "k" must be an object or an array...`,
		`{"k":[]}`:                            "FilterPolicy: Empty arrays are not allowed...",
		`{"k":[["v"]]}`:                       "FilterPolicy: Match value must be String, number, true, false, or null...",
		`{"k":[{"wrong":true}]}`:              "FilterPolicy: Unrecognized match type wrong...",
		`{"k":[{"suffix":"a","prefix":"b"}]}`: "FilterPolicy: Only one key allowed in match expression...",
		`[1]`:                                 "FilterPolicy: Filter is not an object...",
		`{`:                                   "FilterPolicy: failed to parse JSON....",
	}),
	refusedPolicies("FLT-20", "rules come before the scope", inAttributes, map[string]string{
		`{"key":{"suffix":"v"}}`: `FilterPolicy: "suffix" must be an object or an array...`,
	}),
	refusedPolicies("FLT-23", "the first key is named", inBody, map[string]string{
		`{"k":{"suffix":"v","prefix":"v"}}`: `FilterPolicy: "suffix" must be an object or an array...`,
	}),
	refusedPolicies("FLT-38", "ranges that are none", inAttributes, map[string]string{
		`{"k":[{"numeric":[1,"<="]}]}`:               "FilterPolicy: Invalid member in numeric match: 1...",
		`{"k":[{"numeric":["operator"]}]}`:           "FilterPolicy: Unrecognized numeric range operator: operator...",
		`{"k":[{"numeric":["=","000"]}]}`:            "FilterPolicy: Value of equals must be numeric...",
		`{"k":[{"numeric":["<",100,">",10]}]}`:       "FilterPolicy: Too many elements in numeric expression...",
		`{"k":[{"numeric":[">",3,"<",1]}]}`:          "FilterPolicy: Bottom must be less than top...",
		`{"k":[{"numeric":[">",20,30]}]}`:            "FilterPolicy: Bad value in numeric range: 30...",
		`{"k":[{"numeric":[">",20,"<",30,"<",50]}]}`: "FilterPolicy: Too many terms in numeric range expression...",
	}),
	refusedPolicies("FLT-41", "no wildcards", inAttributes, map[string]string{
		`{"k":[{"wildcard":"a*"}]}`: "FilterPolicy: Unrecognized match type wildcard...",
	}),
	{"FLT-22", "a policy takes effect at once", 0, func(t *T) {
		topic := t.Topic("topic")
		q := t.Standard()
		sub := t.Subscribe(topic, q, "RawMessageDelivery", "true")
		t.SetOf(sub, "FilterPolicy", `{"k":["v"]}`)
		t.Publish(topic, "rejected", With("k", "w"))
		t.Publish(topic, "taken", With("k", "v"))
		t.Equal([]string{"taken"}, q.Bodies(10))
	}},
}...)}
