package inq_test

import (
	"context"
	"testing"
	"testing/synctest"

	"example.com/inq"
)

// virtually runs an example in which time is the point on a clock that jumps: whenever everything
// in f waits, the next timer is due at once, so that 30 seconds of visibility timeout cost
// microseconds and [time.Since] tells them exactly. In a test of yours, call [synctest.Test] with
// its own *testing.T. An example has none, so a blank one stands in. Nothing may be reported to it:
// an example fails by its output, or by a panic, which ends the process with the stack of the
// example.
func virtually(f func(ctx context.Context)) {
	synctest.Test(new(testing.T), func(*testing.T) { f(context.Background()) })
}

// must is for calls that cannot fail in an example. The package's first example shows how a program
// handles errors.
func must[T any](v T, err error) T {
	check(err)
	return v
}

// check is must for calls that return nothing but an error.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// bodies is what an example shows of messages.
func bodies(ds []inq.Delivery) []string {
	bs := make([]string, len(ds))
	for i := range ds {
		bs[i] = ds[i].Body
	}
	return bs
}
