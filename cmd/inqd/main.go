// Inqd serves the HTTP APIs of Amazon SQS and SNS, for programs in any language: the queues and topics of
// one account in all regions, from memory for as long as the process lives, or kept in a directory.
//
//	go run ./cmd/inqd -queue jobs,VisibilityTimeout=10
//
// It listens on 127.0.0.1:9324, and prints lines to paste for the AWS CLI, Go, Python and
// JavaScript. All that clients see is what package sqsapi answers; inqd adds the flags, which -h
// explains, GET /health, a log, and a clean stop; and what package snsapi answers, by the same address.
//
// # Regions
//
// A request is about the region in the scope of its signature, and about that of -region where it has
// none. Each region has queues and topics of its own. One begins with the first queue or topic that is
// created in it; 64 can. Where a request does not find a queue that another region has, the log says so:
// the client and the program that made the queue are set to different regions.
//
// # Data
//
// With -data DIR queues, messages and topics are in a journal in that directory: what was answered with
// success is there after a crash, and after a power cut as far as -sync says. The next inqd with the
// same directory goes on with it, receipt handles from before included. A long recovery logs how far it
// is. -key-file encrypts it. inqd journal check looks whether a directory is whole, and inqd journal
// salvage copies what is whole of one that is not. docs/durability.md says what is kept and what is
// not, how large it gets and how to back it up.
//
// # Stopping
//
// The first SIGTERM, SIGHUP or Ctrl-C makes it accept no more connections, answer every long poll at
// once as one that found nothing, finish the requests under way, log how many messages are lost with
// it, or kept in -data, and end with status 0. Requests that clients keep from ending are cut off after
// 7 seconds, and the process ends within 8, whatever becomes of its clients and of its log. A second
// Ctrl-C ends it at once, with status 130. A second SIGTERM changes nothing: whoever sends it to a
// process and to its group, as timeout(1) does, sends it twice and means it once, and has SIGKILL for
// more. Under nohup(1) SIGHUP changes nothing either.
//
// # Trust
//
// Nobody is asked who they are: whoever reaches the address can use the queues. That is why it is
// a loopback address unless -addr says otherwise. Requests of which a browser says that a page of
// another origin makes it send them are refused. To addresses beyond loopback browsers do not say it
// of GET requests; there a GET request that changes something is refused unless it has an
// Authorization header of AWS, which a page cannot make a browser send, or -unsigned-get allows it.
// That is no more than a help: it does not cover a page whose own name is made to resolve to this
// machine.
//
// # Bounds
//
// What one client holds is bounded: the time for a header, a body and an answer, and the memory of
// large requests and answers under way, 64 MiB in all. What the queues hold is not, unless
// -max-queues, -max-messages and -max-bytes say so, nor is how many clients there are, unless
// -max-connections does.
package main

import (
	"context"
	"os"
	"time"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 8)
	listen(signals)
	go func() {
		<-signals
		time.AfterFunc(exitTimeout, func() { os.Exit(1) }) // the log may be what does not end
		cancel()
		for s := range signals {
			if s == os.Interrupt {
				os.Exit(130) // what a shell reports of a program that SIGINT has killed
			}
		}
	}()
	os.Exit(status(run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}
