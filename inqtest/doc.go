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
// # Failures
//
// Helpers that wait end the test by Fatalf, so they are for the goroutine of the test. A failure shows
// what was expected, what came instead, and the end of the log.
package inqtest
