//go:build !js && !wasip1 && !plan9

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// listen sends what tells the server to end to c.
func listen(c chan<- os.Signal) {
	// Whoever reads the output may end first. Then it is lost, and the stop is not.
	signal.Ignore(syscall.SIGPIPE)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // by nohup
		signal.Notify(c, syscall.SIGHUP)
	}
}
