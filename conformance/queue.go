package conformance

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"
	"testing"

	"example.com/inq"
	"example.com/inq/conformance/internal/suite"
)

// RunWrapper tests a wrapper of queues: something that takes an [inq.Queue] and is one. Every case
// runs in a bubble of its own, over a broker of this process whose queues are wrapped.
//
// wrap gets an [*inq.Standard] or an [*inq.FIFO] and is called once for each queue that a case uses.
// All that is done to messages goes through what it returns; queues are made, changed and looked at
// behind its back. It must not return nil. differs can be nil.
//
// One fault stays unseen: where a wrapper forgets [inq.Delivery.Rebind], a delivery's own methods go
// past it, to a queue that behaves. What a wrapper does beside passing on needs tests of its own.
func RunWrapper(t *testing.T, wrap func(inq.Queue) inq.Queue, differs Differs) {
	t.Helper()
	suite.Run(t, wrapperHarness(wrap, differs))
}

func wrapperHarness(wrap func(inq.Queue) inq.Queue, differs Differs) suite.Harness {
	return suite.Harness{
		Differs: differs,
		Gives:   suite.Time | suite.Zeros | suite.Unchecked | suite.Engine | suite.Queues | suite.Account,
		Open: func(t testing.TB, opts ...inq.BrokerOption) suite.Service {
			b, err := inq.NewBroker(opts...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			})
			return suite.OverBroker(b, wrap)
		},
	}
}

// Differs has what is not kept on purpose, and the reason: rules by id, such as "LC-5", and single
// cases as RULE/NAME, such as "LC-5/a FIFO queue never reorders". These cases are skipped, with the
// reason. What is neither a rule nor a case fails the test.
type Differs map[string]string

// QueueHarness says how [RunQueue] comes by queues.
type QueueHarness struct {
	// Open starts an account without queues. It is called for each case, and what it starts has to
	// end by t.Cleanup. With Time it is called inside the bubble of the case.
	Open func(t testing.TB) Account
	// Gives is [Time], or 0 where queues need the time or the network of the world outside. Nothing
	// else is allowed.
	Gives Needs
	// Differs is what is not kept on purpose; nil for nothing.
	Differs Differs
}

// Account is a place where queues are made, as an account of AWS is. Queues of one account know each
// other by their ARN, for dead letters.
type Account struct {
	// CreateQueue makes a queue that is FIFO where the name ends in ".fifo". The attributes are those
	// of SQS and valid, such as "VisibilityTimeout": "30"; what is not among them has the default of
	// SQS. One account is asked for a name once.
	CreateQueue func(ctx context.Context, name string, attributes map[string]string) (inq.Queue, error)
	// SetAttributes changes attributes of a queue. Where it is nil, cases that need it are skipped.
	SetAttributes func(ctx context.Context, name string, attributes map[string]string) error
	// Attributes returns all attributes of a queue, "QueueArn" among them; counters may be missing,
	// since [inq.Queue] has Counts. Where it is nil, cases that need it are skipped.
	Attributes func(ctx context.Context, name string) (map[string]string, error)
}

// RunQueue tests an implementation of [inq.Queue].
//
// An implementation that lacks something says so with an error that matches [errors.ErrUnsupported],
// from any method of a queue or from a function of [Account]: the case ends there and is skipped,
// with the error as the reason. Where every case was skipped, the test fails.
func RunQueue(t *testing.T, h QueueHarness) {
	t.Helper()
	if h.Gives&^Time != 0 {
		t.Fatalf("conformance: Gives of a QueueHarness holds %v: it can only hold Time", suite.Needs(h.Gives&^Time))
	}
	suite.Run(t, h.harness())
}

func (h QueueHarness) harness() suite.Harness {
	return suite.Harness{
		Gives: suite.Needs(h.Gives) | suite.Zeros | suite.Queues,
		Open: func(t testing.TB, _ ...inq.BrokerOption) suite.Service {
			a := &accountAPI{account: h.Open(t), queues: map[string]inq.Queue{}}
			return suite.Service{API: a, Queue: a.queue}
		},
		MayLack: true,
		Differs: h.Differs,
	}
}

// accountAPI carries the operations on queues over an Account, and knows its queues by name.
type accountAPI struct {
	account Account
	mu      sync.Mutex
	queues  map[string]inq.Queue
}

func (a *accountAPI) queue(url string) (inq.Queue, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.queues[path.Base(url)]
	if q == nil {
		return nil, inq.ErrQueueDoesNotExist
	}
	return q, nil
}

// Call implements suite.API.
func (a *accountAPI) Call(ctx context.Context, operation string, in, out any) error {
	switch r := in.(type) {
	case suite.CreateQueue:
		if r.Tags != nil {
			return lacks("tags")
		}
		q, err := a.account.CreateQueue(ctx, r.QueueName, r.Attributes)
		if err != nil {
			return err
		}
		a.mu.Lock()
		a.queues[r.QueueName] = q
		a.mu.Unlock()
		return suite.Copy(out, suite.QueueURL{QueueUrl: "account:///" + r.QueueName})
	case suite.SetQueueAttributes:
		if a.account.SetAttributes == nil {
			return lacks("Account.SetAttributes")
		}
		return a.account.SetAttributes(ctx, path.Base(r.QueueUrl), r.Attributes)
	case suite.GetQueueAttributes:
		if a.account.Attributes == nil {
			return lacks("Account.Attributes")
		}
		all, err := a.account.Attributes(ctx, path.Base(r.QueueUrl))
		if err != nil {
			return err
		}
		return suite.Copy(out, suite.AttributeMap{Attributes: chosen(all, r.AttributeNames)})
	}
	return lacks(operation)
}

// chosen is the attributes that a request names.
func chosen(all map[string]string, names []string) map[string]string {
	some := map[string]string{}
	for _, name := range names {
		if name == "All" {
			return all
		}
		if value, ok := all[name]; ok {
			some[name] = value
		}
	}
	return some
}

func lacks(what string) error { return fmt.Errorf("%s: %w", what, errors.ErrUnsupported) }
