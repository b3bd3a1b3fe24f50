package inqtest

import (
	"strings"
	"testing/synctest"
	"time"
)

// TB is what the package needs of a test: a part of [testing.TB], so that it works with other
// frameworks, and so that what it says of a failing test can be tested itself.
type TB interface {
	Helper()
	Name() string
	Failed() bool
	Cleanup(func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	// Fatalf ends the goroutine.
	Fatalf(format string, args ...any)
}

// How long what waits does so, unless it is told Within. In a bubble it is more than the longest
// visibility timeout.
const (
	patience       = 10 * time.Second
	bubblePatience = 24 * time.Hour
)

func patienceFor(bubble bool) time.Duration {
	if bubble {
		return bubblePatience
	}
	return patience
}

// settle waits, in a bubble, until every other goroutine of it waits for something: all that can happen
// at this instant has happened. It reports whether this is a bubble.
func settle() (bubble bool) {
	for {
		switch bubble, busy := trySettle(); {
		case busy:
			// Another goroutine settles, which ends when this one waits, and before any time passes.
			time.Sleep(time.Nanosecond)
		default:
			return bubble
		}
	}
}

func trySettle() (bubble, busy bool) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case string:
			bubble, busy = busyText(v), busyText(v)
		case error:
			bubble, busy = busyText(v.Error()), busyText(v.Error())
		default:
			panic(v)
		}
	}()
	synctest.Wait()
	return true, false
}

// busyText tells the two panics of synctest.Wait apart: another call of it, or no bubble.
func busyText(panicked string) bool { return strings.Contains(panicked, "in progress") }
