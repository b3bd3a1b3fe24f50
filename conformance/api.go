package conformance

import (
	"context"
	"testing"

	"example.com/inq"
	"example.com/inq/conformance/internal/suite"
)

// Needs is what a way to a service gives and a case needs. A case that needs more than a way gives
// does not run over it.
type Needs uint

// The values are those of the suite, in the same order.
const (
	// Time is virtual time: cases that sleep, or measure how long something took. Each case has a
	// [testing/synctest] bubble of its own, in which nothing may wait for a network.
	Time Needs = 1 << iota
	// Members are requests and answers as SQS has them: digests, ids of batch entries, the choice
	// of attributes at a receive, and which members are there at all.
	Members
	// Texts are the codes and texts of errors, see [API].
	Texts
	// Unchecked means that requests are sent as they are, even with required members missing and
	// values out of any range.
	Unchecked
	// Zeros means that an explicit zero can be sent where it differs from no value.
	Zeros
	// Engine is access to the broker behind the service, see [Service].
	Engine
	// Queues is access to queues as [inq.Queue], see [Service].
	Queues
)

// API carries one operation of SQS to the service under test. The name is that of the operation, such
// as "SendMessage". in marshals to JSON with the members of the request, and out is a pointer that
// the result can be unmarshalled into in the same way, or nil; [Copy] does both.
//
// A refusal of the service is an error that has the methods ErrorCode and ErrorMessage, both of
// which return a string, itself or in what it wraps: errors of the AWS SDK have them. The code is
// that of the Query protocol, such as "AWS.SimpleQueueService.NonExistentQueue". Over a way that
// does not give [Texts] it matches an error of package inq instead. Every other error fails the case.
type API interface {
	Call(ctx context.Context, operation string, in, out any) error
}

// Copy moves what from says into the value that into points to, by the names of members, as JSON
// does. Where into is nil it does nothing.
func Copy(into, from any) error { return suite.Copy(into, from) }

// Service is what an [APIHarness] opens.
type Service struct {
	API API
	// Topics carries the operations of SNS, over topics that reach the queues of API; see [RunTopics].
	// It is nil for RunAPI.
	Topics API
	// Queue finds a queue by its URL. Where it is there, the operations on messages do not go to
	// API but to the methods of the queue that it returns. It is nil unless the way gives [Queues].
	Queue func(url string) (inq.Queue, error)
	// Broker is the broker behind the service. It is nil unless the way gives [Engine].
	Broker *inq.Broker
}

// APIHarness is a way to a service that has all operations of SQS.
type APIHarness struct {
	// Open starts a service without queues. It is called for each case, and what it starts has to end
	// by t.Cleanup. With Time it is called inside the bubble of the case. With Engine the broker
	// behind it has these options; otherwise there are none.
	Open func(t testing.TB, opts ...inq.BrokerOption) Service
	// Gives is what the way can do.
	Gives Needs
	// Differs is what is not kept on purpose; nil for nothing.
	Differs Differs
}

// RunAPI tests a way to a service that has all operations of SQS, those on queues too: a client, or
// a server.
func RunAPI(t *testing.T, h APIHarness) {
	t.Helper()
	suite.Run(t, h.harness())
}

// RunTopics tests a way to a service that has all operations of SNS beside those of SQS. Errors over
// Topics have the codes of SNS on the wire, such as "NotFound", and [Texts] must be given. The account
// has the number 000000000000 in the region us-east-1, and the service needs no confirmation of queues.
func RunTopics(t *testing.T, h APIHarness) {
	t.Helper()
	suite.RunTopics(t, h.harness())
}

func (h APIHarness) harness() suite.Harness {
	return suite.Harness{
		Gives:   suite.Needs(h.Gives) | suite.Account,
		Differs: h.Differs,
		Open: func(t testing.TB, opts ...inq.BrokerOption) suite.Service {
			s := h.Open(t, opts...)
			return suite.Service{API: s.API, Topics: s.Topics, Queue: s.Queue, Broker: s.Broker}
		},
	}
}
