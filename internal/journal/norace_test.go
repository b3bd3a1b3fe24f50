//go:build !race

package journal_test

import "os"

// stride is the distance of two crash points. With INQ_CRASH_POINTS=all every one is tried, which takes a minute and is
// for CI; else a seventh of them is.
var stride = func() int {
	if os.Getenv("INQ_CRASH_POINTS") == "all" {
		return 1
	}
	return 7
}()
