// Package inqtest is for tests of programs that use queues: it starts an SQS of their own, waits for
// what should happen, asserts what did, and tells what was forgotten.
//
//	func TestOrders(t *testing.T) {
//		s := inqtest.New(t)
//		orders := s.Standard("orders")
//		go serve(ctx, orders)                             // the code under test
//		send(ctx, orders)
//		inqtest.WaitDrained(t, orders)
//		s.Log().Wait(1, inqtest.Deleted, inqtest.In("orders"), inqtest.Body("order 17"))
//		s.Log().Never(inqtest.DeadLettered)
//	}
//
// # API at a glance
//
//	Server    New; Standard, FIFO, QueueURL, Reset; Broker, Topics; Handler, HTTPClient, URL; Watch, Count
//	Log       Wait, Never, All, String; filters: a Kind such as Sent or Deleted, In, ID, Body, Group,
//	          Match, Since, Within
//	Waiting   WaitDrained, WaitIdle
//	Looking   Calls, Story, Golden, Leaks
//	Workers   Work and its Result
//	Bodies    SNSBody, S3Event
//	Faults    Server.Faults over HTTP, Disturb and NewPlan around a queue; On(Receive).In("orders") and
//	          Nth, Every, Chance, Between, then Do with Throttle, ServerError, Deny, Slow, Reset,
//	          LoseAnswer, FailEntries, Duplicate, Reorder, Sample, ExpireHandle, OverLimit
//
// # In a bubble and outside
//
// Everything works in a [testing/synctest] bubble and outside of one. Make the server where it is used.
// In a bubble hours pass in no time and waiting is exact: Wait and WaitDrained return at the instant
// that the thing happens, and Never looks when everything that can happen at the instant has happened.
// Outside, what waits gives up after ten seconds of real time, unless it is told Within.
//
// A server can be used by code that is written against [inq.Queue], by clients of the AWS SDK, over
// [Server.HTTPClient] or a socket, and by topics, all at once. Module inqaws joins the SDK in one line:
//
//	client := sqs.NewFromConfig(inqaws.Config(s.HTTPClient()))
//
// # Trouble on purpose
//
// SQS throttles, fails, loses answers after the change took effect, delivers twice and in another order.
// A [Plan] makes it do so in a test, by rules that say which calls meet which fault, and the same again
// in the next run:
//
//	s.Faults(1, inqtest.On(inqtest.Receive).In("orders").Nth(3).Do(inqtest.LoseAnswer))
//
// It is told when the test fails, with what it did. Prefer the number of a call to chance: a test that
// says which call fails can say what follows. Many seeds are for the question whether anything gets lost.
//
// # Failures
//
// Helpers that wait end the test by Fatalf, so they are for the goroutine of the test. A failure shows
// what was expected, what came instead, and the end of the log.
package inqtest
