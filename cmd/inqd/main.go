// Inqd serves the HTTP API of Amazon SQS from memory, for programs in any language: the queues of
// one account in one region, for as long as the process lives.
//
//	go run ./cmd/inqd -queue jobs,VisibilityTimeout=10
//
// It listens on 127.0.0.1:9324, and prints lines to paste for the AWS CLI, Go, Python and
// JavaScript. All that clients see is what package sqsapi answers; inqd adds the flags, which -h
// explains, GET /health, a log, and a clean stop.
//
// # Stopping
//
// The first SIGTERM or Ctrl-C makes it accept no more connections, answer every long poll at once
// as one that found nothing, finish the requests under way within 8 seconds, log how many messages
// are lost with it, and end with status 0. A second Ctrl-C ends it at once, with status 130. A
// second SIGTERM changes nothing: whoever sends it to a process and to its group, as timeout(1)
// does, sends it twice and means it once, and has SIGKILL for more.
//
// # Trust
//
// Nobody is asked who they are: whoever reaches the address can use the queues. That is why it is
// a loopback address unless -addr says otherwise. Requests of which a browser says that a page of
// another origin makes it send them are refused. That is no more than a help: it does not cover a
// page whose own name is made to resolve to this machine.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		for s := range signals {
			if s == os.Interrupt {
				os.Exit(130) // what a shell reports of a program that SIGINT has killed
			}
		}
	}()
	os.Exit(status(run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}
