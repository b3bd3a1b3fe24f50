// Package conformance is one suite of tests for everything that behaves like Amazon SQS here: the
// root package, the HTTP handler over each protocol, the AWS SDK in front of it, and the adapters
// of other packages. A case is written once, in the vocabulary of SQS, and runs over every
// [Harness] that can tell its outcome.
//
// Only tests import this package. Cases stand in chapters, one file each, that follow the sections
// of docs/sqs.md, and are named by the rule they prove. What becomes of each rule, over all
// harnesses, is written into docs/conformance.md by the program in the folder conformance.
//
// A case gets a [T]: the functions of testify, a service without queues, and calls for what most
// cases do. In harnesses with virtual time each case has a [testing/synctest] bubble of its own.
package conformance
