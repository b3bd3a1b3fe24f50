package suite

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// The assertions end the case at the first that does not hold, with the rule, the case, what was
// expected and what there is instead. Each takes a text for fmt.Sprintf at its end, which says what
// is looked at where the line of the case does not.

// failed ends the case; details are lines below the rule and the name of the case.
func (t *T) failed(message []any, details ...string) {
	t.Helper()
	head := fmt.Sprintf("%s, %s", t.rule, t.name)
	if len(message) > 0 {
		head += ": " + text(message)
	}
	t.Fatalf("%s", strings.Join(append([]string{head}, details...), "\n\t"))
}

func text(message []any) string {
	format, ok := message[0].(string)
	switch {
	case !ok:
		return fmt.Sprint(message...)
	case len(message) == 1:
		return format
	}
	return fmt.Sprintf(format, message[1:]...)
}

// Equal checks that two values have the same type and the same content; no bytes equal no bytes,
// whether nil or not.
func (t *T) Equal(expected, got any, message ...any) {
	t.Helper()
	if !equal(expected, got) {
		e, g := shown(expected, got)
		t.failed(message, "expected: "+e, "got:      "+g)
	}
}

// NotEqual checks that two values are not what Equal takes for equal.
func (t *T) NotEqual(unexpected, got any, message ...any) {
	t.Helper()
	if equal(unexpected, got) {
		t.failed(message, "expected: another value than", "got:      "+show(got))
	}
}

// EqualValues checks that a number of another type is equal to an int.
func (t *T) EqualValues(expected int, got any, message ...any) {
	t.Helper()
	t.Equal(reflect.ValueOf(expected).Convert(reflect.TypeOf(got)).Interface(), got, message...)
}

func equal(a, b any) bool {
	x, isBytes := a.([]byte)
	if y, ok := b.([]byte); ok && isBytes {
		return bytes.Equal(x, y)
	}
	return reflect.DeepEqual(a, b)
}

// NoError checks that err is nil. Where the way may lack something and err says that it does, the
// case ends here and counts as skipped.
func (t *T) NoError(err error, message ...any) {
	t.Helper()
	if err != nil {
		t.skipIfLacking(err)
		t.failed(message, "expected: no error", "got:      "+show(err))
	}
}

// Error checks that err is not nil.
func (t *T) Error(err error, message ...any) {
	t.Helper()
	if err == nil {
		t.failed(message, "expected: an error", "got:      none")
	}
	t.skipIfLacking(err)
}

// ErrorIs checks that err is target, or wraps it.
func (t *T) ErrorIs(err, target error, message ...any) {
	t.Helper()
	if !errors.Is(err, target) {
		t.skipIfLacking(err)
		t.failed(message, "expected: the error "+show(target), "got:      "+show(err))
	}
}

// True checks a condition that the message describes.
func (t *T) True(holds bool, message ...any) {
	t.Helper()
	if !holds {
		t.failed(message, "expected: true", "got:      false")
	}
}

// Len checks the number of elements of a slice, map, string or array.
func (t *T) Len(list any, expected int, message ...any) {
	t.Helper()
	if n := reflect.ValueOf(list).Len(); n != expected {
		t.failed(message, fmt.Sprintf("expected: %d elements", expected), fmt.Sprintf("got:      %d: %s", n, show(list)))
	}
}

// Nil checks that a pointer, slice, map, error or interface is nil.
func (t *T) Nil(got any, message ...any) {
	t.Helper()
	if v := reflect.ValueOf(got); v.IsValid() && !v.IsNil() {
		t.failed(message, "expected: nil", "got:      "+show(got))
	}
}

// empty tells whether there is nothing in v: no element, or a zero value.
func empty(v any) bool {
	r := reflect.ValueOf(v)
	if !r.IsValid() {
		return true
	}
	switch r.Kind() {
	case reflect.Slice, reflect.Map, reflect.String:
		return r.Len() == 0
	}
	return r.IsZero()
}

// Empty checks that a slice, map or string has no elements, or that another value is zero.
func (t *T) Empty(got any, message ...any) {
	t.Helper()
	if !empty(got) {
		t.failed(message, "expected: nothing", "got:      "+show(got))
	}
}

// NotEmpty checks that there is something where Empty wants nothing.
func (t *T) NotEmpty(got any, message ...any) {
	t.Helper()
	if empty(got) {
		t.failed(message, "expected: something", "got:      "+show(got))
	}
}

// Zero checks that a value is the zero value of its type.
func (t *T) Zero(got any, message ...any) {
	t.Helper()
	if v := reflect.ValueOf(got); v.IsValid() && !v.IsZero() {
		t.failed(message, "expected: zero", "got:      "+show(got))
	}
}

// Greater checks that the first of two numbers or strings is greater than the second.
func (t *T) Greater(got, than any, message ...any) {
	t.Helper()
	if compare(got, than) <= 0 {
		t.failed(message, "expected: more than "+show(than), "got:      "+show(got))
	}
}

// LessOrEqual checks that the first of two numbers or strings is not greater than the second.
func (t *T) LessOrEqual(got, most any, message ...any) {
	t.Helper()
	if compare(got, most) > 0 {
		t.failed(message, "expected: at most "+show(most), "got:      "+show(got))
	}
}

// compare compares two values of one type, which is string or a type of int.
func compare(a, b any) int {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if x.Kind() == reflect.String {
		return cmp.Compare(x.String(), y.String())
	}
	return cmp.Compare(x.Int(), y.Int())
}

// contains tells whether part is a part of a string, an element of a slice or a key of a map.
func contains(whole, part any) bool {
	w := reflect.ValueOf(whole)
	switch w.Kind() {
	case reflect.String:
		return strings.Contains(w.String(), part.(string))
	case reflect.Map:
		return w.MapIndex(reflect.ValueOf(part)).IsValid()
	}
	for i := range w.Len() {
		if equal(w.Index(i).Interface(), part) {
			return true
		}
	}
	return false
}

// Contains checks that part is a part of a string, an element of a slice or a key of a map.
func (t *T) Contains(whole, part any, message ...any) {
	t.Helper()
	if !contains(whole, part) {
		t.failed(message, "expected: "+show(part)+" in it", "got:      "+show(whole))
	}
}

// NotContains checks that Contains does not hold.
func (t *T) NotContains(whole, part any, message ...any) {
	t.Helper()
	if contains(whole, part) {
		t.failed(message, "expected: no "+show(part)+" in it", "got:      "+show(whole))
	}
}

// ElementsMatch checks that two slices have the same elements, each as often, in any order.
func (t *T) ElementsMatch(expected, got any, message ...any) {
	t.Helper()
	e, g := elements(expected), elements(got)
	missing := slices.Clone(e)
	var extra []any
	for _, x := range g {
		if i := slices.IndexFunc(missing, func(m any) bool { return equal(m, x) }); i >= 0 {
			missing = slices.Delete(missing, i, i+1)
		} else {
			extra = append(extra, x)
		}
	}
	if len(missing)+len(extra) > 0 {
		t.failed(message, "expected: "+show(expected)+" in any order", "got:      "+show(got), "missing:  "+show(missing), "extra:    "+show(extra))
	}
}

func elements(list any) []any {
	v := reflect.ValueOf(list)
	all := make([]any, v.Len())
	for i := range all {
		all[i] = v.Index(i).Interface()
	}
	return all
}

// Regexp checks that a text has a match of a regular expression.
func (t *T) Regexp(pattern, got string, message ...any) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(got) {
		t.failed(message, "expected: a match of "+pattern, "got:      "+show(got))
	}
}

// JSONEq checks that two texts are the same JSON, whatever the order of members and the spaces.
func (t *T) JSONEq(expected, got string, message ...any) {
	t.Helper()
	var e, g any
	if err := json.Unmarshal([]byte(expected), &e); err != nil {
		t.Fatalf("bug: the case expects %q, which is no JSON: %v", expected, err)
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil || !equal(e, g) {
		t.failed(message, "expected: "+expected, "got:      "+show(got))
	}
}
