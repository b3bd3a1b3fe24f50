//go:build race

package journal_test

// stride thins out the crash points where the race detector makes each of them slow: it looks at the same code each time.
const stride = 7
