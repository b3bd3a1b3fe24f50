//go:build !race

package journal_test

// stride is the distance of two crash points: every one is tried.
const stride = 1
