package conformance_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/conformance"
	"example.com/inq/conformance/internal/suite"
	"example.com/inq/sqsapi"
)

// wire is what every way over HTTP gives.
const wire = suite.Members | suite.Texts | suite.Unchecked | suite.Zeros | suite.HTTP | suite.Engine | suite.Account

func newBroker(t testing.TB, opts []inq.BrokerOption) *inq.Broker {
	b, err := inq.NewBroker(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func TestConformance_RootPackage(t *testing.T) {
	conformance.RunWrapper(t, func(q inq.Queue) inq.Queue { return q }, nil)
}

// inMemory opens a handler that is called in the goroutine of its caller.
func inMemory(api func(do exchange, base string) suite.API) func(t testing.TB, opts ...inq.BrokerOption) suite.Service {
	return func(t testing.TB, opts ...inq.BrokerOption) suite.Service {
		const base = "http://sqs.test"
		b := newBroker(t, opts)
		do := sqsapi.NewRoundTripper(sqsapi.NewHandler(b, sqsapi.Options{})).Do
		return suite.Service{API: api(do, base), Broker: b, Do: do, Base: base}
	}
}

// overSocket opens a handler behind a server.
func overSocket(api func(do exchange, base string) suite.API) func(t testing.TB, opts ...inq.BrokerOption) suite.Service {
	return func(t testing.TB, opts ...inq.BrokerOption) suite.Service {
		b := newBroker(t, opts)
		server := httptest.NewServer(sqsapi.NewHandler(b, sqsapi.Options{}))
		t.Cleanup(server.Close)
		return suite.Service{API: api(server.Client().Do, server.URL), Broker: b, Do: server.Client().Do, Base: server.URL}
	}
}

func overJSON(do exchange, base string) suite.API  { return jsonAPI{do, base} }
func overQuery(do exchange, base string) suite.API { return queryAPI{do, base} }

var _ exchange = http.DefaultClient.Do

func TestConformance_JSONInMemory(t *testing.T) {
	suite.Run(t, suite.Harness{Gives: wire | suite.Time | suite.JSON, Open: inMemory(overJSON)})
}

func TestConformance_QueryInMemory(t *testing.T) {
	suite.Run(t, suite.Harness{Gives: wire | suite.Time | suite.Query, Open: inMemory(overQuery)})
}

func TestConformance_JSONOverSocket(t *testing.T) {
	suite.Run(t, suite.Harness{Gives: wire | suite.JSON, Open: overSocket(overJSON)})
}

func TestConformance_QueryOverSocket(t *testing.T) {
	suite.Run(t, suite.Harness{Gives: wire | suite.Query, Open: overSocket(overQuery)})
}

// account is a broker as a place for queues.
func account(t testing.TB) conformance.Account {
	b := newBroker(t, nil)
	return conformance.Account{
		CreateQueue: func(ctx context.Context, name string, attributes map[string]string) (inq.Queue, error) {
			return b.CreateQueue(ctx, name, attributes, nil)
		},
		SetAttributes: b.SetAttributes,
		Attributes: func(ctx context.Context, name string) (map[string]string, error) {
			return b.Attributes(ctx, name, "All")
		},
	}
}

// A broker's own queues lack nothing, so that what is skipped is about queues and not messages.
func TestRunQueue_Broker(t *testing.T) {
	conformance.RunQueue(t, conformance.QueueHarness{Gives: conformance.Time, Open: account})
}

// The tests of the examples, under the names they would have.
func TestShelf(t *testing.T)    { testShelf(t) }
func TestCounting(t *testing.T) { testCounting(t) }

func TestRunQueue_OutsideOfBubbles(t *testing.T) {
	conformance.RunQueue(t, conformance.QueueHarness{Open: func(testing.TB) conformance.Account {
		return conformance.Account{CreateQueue: func(_ context.Context, name string, attributes map[string]string) (inq.Queue, error) {
			return newShelf(name, attributes)
		}}
	}, Differs: conformance.Differs{"LC-5": "a note that is often received keeps its place"}})
}
