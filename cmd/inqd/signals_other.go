//go:build js || wasip1 || plan9

package main

import (
	"os"
	"os/signal"
)

// listen sends what tells the server to end to c, where systems know one way to do so.
func listen(c chan<- os.Signal) { signal.Notify(c, os.Interrupt) }
