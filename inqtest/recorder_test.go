package inqtest_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq/inqtest"
)

// recorder is a TB that keeps what it is told, instead of failing.
type recorder struct {
	mu       sync.Mutex
	failed   bool
	text     []string
	cleanups []func()
}

func (r *recorder) Helper()      {}
func (r *recorder) Name() string { return "TestIt" }

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) say(failed bool, format string, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = r.failed || failed
	r.text = append(r.text, fmt.Sprintf(format, args...))
}

func (r *recorder) Logf(format string, args ...any)   { r.say(false, format, args) }
func (r *recorder) Errorf(format string, args ...any) { r.say(true, format, args) }
func (r *recorder) Fatalf(format string, args ...any) {
	r.say(true, format, args)
	runtime.Goexit()
}

// run runs a test and its cleanups, and returns what was said.
func (r *recorder) run(test func(tb inqtest.TB)) string {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for i := len(r.cleanups) - 1; i >= 0; i-- {
				r.cleanups[i]()
			}
		}()
		test(r)
	}()
	<-done
	return strings.Join(r.text, "\n")
}

// failing runs a test that must fail, and compares what it says.
func failing(t *testing.T, want string, test func(tb inqtest.TB)) {
	t.Helper()
	var r recorder
	got := r.run(test)
	require.True(t, r.Failed(), "the test should fail, and says %q", got)
	if !strings.Contains(want, "\ninqtest: the log:") { // which is told at the end of any test that fails
		got, _, _ = strings.Cut(got, "\ninqtest: the log:")
	}
	assert.Equal(t, strings.TrimPrefix(want, "\n"), masked(got))
}

// passing runs a test that must pass and say nothing.
func passing(t *testing.T, test func(tb inqtest.TB)) {
	t.Helper()
	var r recorder
	got := r.run(test)
	require.False(t, r.Failed(), "%s", got)
	assert.Empty(t, got)
}

// masked replaces what differs from run to run: the ids that texts show.
func masked(text string) string {
	text = sinceTime.ReplaceAllString(text, "since SINCE")
	return shortID.ReplaceAllString(longID.ReplaceAllString(text, "LONGID"), "SHORTID")
}
