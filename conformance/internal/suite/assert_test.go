package suite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder is a test that keeps why a case failed or was skipped, rather than fail.
type recorder struct {
	testing.TB
	failure string
	skipped bool
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skip(...any) {
	r.skipped = true
	runtime.Goexit()
}

// recorded runs something with a T to its end, which can be early.
func recorded(tb testing.TB, mayLack bool, run func(t *T)) (*recorder, string) {
	r := &recorder{TB: tb}
	var lacks string
	t := &T{TB: r, rule: "A-1", name: "a case"}
	if mayLack {
		t.lacks = &lacks
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(t)
	}()
	<-done
	return r, lacks
}

func TestAssertions_Hold(t *testing.T) {
	r, _ := recorded(t, false, func(t *T) {
		t.Equal(1, 1)
		t.Equal([]byte(nil), []byte{})
		t.Equal(map[string][]int{"a": {1}}, map[string][]int{"a": {1}})
		t.NotEqual(1, int64(1))
		t.NotEqual([]string(nil), []string{})
		t.EqualValues(1, uint64(1))
		t.NoError(nil)
		t.Error(errors.New("x"))
		t.ErrorIs(fmt.Errorf("x: %w", context.Canceled), context.Canceled)
		t.True(true)
		t.Len([]int{1, 2}, 2)
		t.Len("ab", 2)
		t.Nil(nil)
		t.Nil(map[string]string(nil))
		t.Empty("")
		t.Empty([]int{})
		t.Empty(struct{ n int }{})
		t.NotEmpty([2]int{0, 1})
		t.Zero(time.Duration(0))
		t.Greater(2, 1)
		t.Greater("b", "a")
		t.LessOrEqual(int64(1), int64(1))
		t.Contains("abc", "b")
		t.Contains([]string{"a", "b"}, "b")
		t.Contains(map[string]string{"a": ""}, "a")
		t.NotContains(map[string]string{"a": ""}, "b")
		t.ElementsMatch([]int{1, 2, 1}, []int{2, 1, 1})
		t.ElementsMatch([]int{}, []int(nil))
		t.Regexp("^a+$", "aa")
		t.JSONEq(`{"a":1,"b":[2]}`, `{ "b": [2], "a": 1 }`)
	})
	require.Empty(t, r.failure)
}

func TestAssertions_TellWhatIsWrong(t *testing.T) {
	type member struct {
		Name string `json:",omitempty"`
		N    *int   `json:",omitempty"`
	}
	long := strings.Repeat("a", 1000)
	for _, c := range []struct {
		check func(t *T)
		want  string
	}{
		{func(t *T) { t.Equal(1, 2) }, "expected: 1|got:      2"},
		{func(t *T) { t.Equal(1, int64(1)) }, "expected: int 1|got:      int64 1"},
		{func(t *T) { t.Equal([]string(nil), []string{}) }, "expected: nil|got:      []"},
		{func(t *T) { t.Equal(7*time.Second, 5*time.Second) }, "expected: 7s|got:      5s"},
		{func(t *T) { t.Equal([]member{{Name: "<a>"}}, []member{{N: new(int)}}) }, `expected: [{"Name":"<a>"}]|got:      [{"N":0}]`},
		{func(t *T) { t.Equal(long+"b", long) }, `expected: "aaaaaaaaaaaaaaaaaaaab" at byte 980 of 1001|got:      "aaaaaaaaaaaaaaaaaaaa" at byte 980 of 1000`},
		{func(t *T) { t.Equal([]string{long}, 1) }, `expected: ["` + long[:398] + `... (1004 bytes)|got:      1`},
		{func(t *T) { t.EqualValues(3, uint64(4)) }, "expected: 3|got:      4"},
		{func(t *T) { t.NotEqual("x", "x") }, `expected: another value than|got:      "x"`},
		{func(t *T) { t.NoError(context.Canceled) }, "expected: no error|got:      context canceled"},
		{func(t *T) { t.Error(nil) }, "expected: an error|got:      none"},
		{func(t *T) { t.ErrorIs(errors.New("EOF"), context.Canceled) }, "expected: the error context canceled|got:      EOF"},
		{func(t *T) { t.True(false) }, "expected: true|got:      false"},
		{func(t *T) { t.Len([]string{"a"}, 2) }, `expected: 2 elements|got:      1: ["a"]`},
		{func(t *T) { t.Nil(map[string]string{}) }, "expected: nil|got:      {}"},
		{func(t *T) { t.Empty("a") }, `expected: nothing|got:      "a"`},
		{func(t *T) { t.NotEmpty("") }, `expected: something|got:      ""`},
		{func(t *T) { t.Zero(1) }, "expected: zero|got:      1"},
		{func(t *T) { t.Greater(2, 2) }, "expected: more than 2|got:      2"},
		{func(t *T) { t.LessOrEqual(3, 2) }, "expected: at most 2|got:      3"},
		{func(t *T) { t.Contains("abc", "x") }, `expected: "x" in it|got:      "abc"`},
		{func(t *T) { t.NotContains(map[string]string{"a": ""}, "a") }, `expected: no "a" in it|got:      {"a":""}`},
		{func(t *T) { t.ElementsMatch([]int{1, 1}, []int{1, 2}) }, "expected: [1,1] in any order|got:      [1,2]|missing:  [1]|extra:    [2]"},
		{func(t *T) { t.Regexp("^a$", "b") }, `expected: a match of ^a$|got:      "b"`},
		{func(t *T) { t.JSONEq(`{"a":1}`, `{"a":2}`) }, `expected: {"a":1}|got:      "{\"a\":2}"`},
		{func(t *T) { t.JSONEq(`{}`, "") }, `expected: {}|got:      ""`},
		{func(t *T) { t.Refused(nil, "OverLimit", "") }, "expected: a refusal with OverLimit|got:      no error"},
		{func(t *T) { t.Refused(errors.New("x"), "OverLimit", "") }, "expected: a refusal with OverLimit, one of the errors inq: over limit|got:      x"},
		{func(t *T) { t.gives = Texts; t.Refused(errors.New("x"), "OverLimit", "") }, "expected: a refusal with OverLimit|got:      an error without a code: x"},
	} {
		r, _ := recorded(t, false, c.check)
		assert.Equal(t, "A-1, a case\n\t"+strings.ReplaceAll(c.want, "|", "\n\t"), r.failure)
	}
}

func TestAssertions_SayWhatIsLookedAt(t *testing.T) {
	r, _ := recorded(t, false, func(t *T) { t.Equal(1, 2, "of %d%%", 50) })
	assert.Equal(t, "A-1, a case: of 50%\n\texpected: 1\n\tgot:      2", r.failure)
	r, _ = recorded(t, false, func(t *T) { t.Equal(1, 2, "50%") })
	assert.Equal(t, "A-1, a case: 50%\n\texpected: 1\n\tgot:      2", r.failure)
}

func TestAssertions_SkipWhatIsUnsupportedOnlyWhereThatIsAllowed(t *testing.T) {
	lacking := fmt.Errorf("colours: %w", errors.ErrUnsupported)
	for name, check := range map[string]func(t *T){
		"NoError": func(t *T) { t.NoError(lacking) },
		"Error":   func(t *T) { t.Error(lacking) },
		"ErrorIs": func(t *T) { t.ErrorIs(lacking, context.Canceled) },
		"Refused": func(t *T) { t.Refused(lacking, "OverLimit", "") },
	} {
		r, lacks := recorded(t, true, check)
		assert.True(t, r.skipped, name)
		assert.Empty(t, r.failure, name)
		assert.Equal(t, "colours", lacks, name)
		r, _ = recorded(t, false, check)
		assert.False(t, r.skipped, name)
		if name != "Error" {
			assert.Contains(t, r.failure, "got:      colours: unsupported operation", name)
		}
	}
}
