package suite

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// longest is how much of a value is shown, in bytes.
const longest = 400

// shown is two values that are not equal, as texts that differ.
func shown(a, b any) (string, string) {
	if s, ok := a.(string); ok {
		if u, ok := b.(string); ok && len(s)+len(u) > longest {
			return around(s, u), around(u, s)
		}
	}
	x, y := show(a), show(b)
	if x == y {
		x, y = fmt.Sprintf("%T %#v", a, a), fmt.Sprintf("%T %#v", b, b)
		return short(x), short(y)
	}
	return x, y
}

// around is the part of a long text where it begins to differ from another.
func around(s, other string) string {
	at := 0
	for at < min(len(s), len(other)) && s[at] == other[at] {
		at++
	}
	from, to := max(0, at-20), min(len(s), at+60)
	return fmt.Sprintf("%q at byte %d of %d", s[from:to], from, len(s))
}

// show is a value as a reader of a failure wants it: texts quoted, structs with the names of the
// members that say something, times and errors in words.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return short(fmt.Sprintf("%q", v))
	case []byte:
		return short(fmt.Sprintf("%q", v))
	case error:
		return short(v.Error())
	case fmt.Stringer:
		return v.String()
	}
	if r := reflect.ValueOf(v); (r.Kind() == reflect.Slice || r.Kind() == reflect.Map || r.Kind() == reflect.Pointer) && r.IsNil() {
		return "nil"
	}
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return short(fmt.Sprintf("%+v", v))
	}
	return short(strings.TrimSpace(text.String()))
}

// short cuts what is too long to read, at a character.
func short(text string) string {
	if len(text) <= longest {
		return text
	}
	cut := longest
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return fmt.Sprintf("%s... (%d bytes)", text[:cut], len(text))
}
