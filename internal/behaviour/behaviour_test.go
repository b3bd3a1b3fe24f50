package behaviour_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/internal/behaviour"
	"example.com/inq/sqsapi"
)

// wire is what every way over HTTP gives.
const wire = behaviour.Members | behaviour.Texts | behaviour.Unchecked | behaviour.Zeros | behaviour.HTTP | behaviour.Engine

func TestCases_HaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, chapter := range behaviour.Chapters() {
		for _, c := range chapter.Cases {
			id := c.Rule + "/" + c.Name
			require.False(t, seen[id], "%s stands twice", id)
			require.NotContains(t, c.Name, "/", id)
			require.NotEmpty(t, c.Name, c.Rule)
			seen[id] = true
		}
	}
}

func newBroker(t testing.TB, opts []inq.BrokerOption) *inq.Broker {
	b, err := inq.NewBroker(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func TestBehaviour_RootPackage(t *testing.T) {
	behaviour.Run(t, behaviour.Harness{
		Name:  "root package",
		Gives: behaviour.Time | behaviour.Zeros | behaviour.Unchecked | behaviour.Engine,
		Open: func(t testing.TB, opts ...inq.BrokerOption) behaviour.Service {
			b := newBroker(t, opts)
			return behaviour.Service{API: behaviour.OverBroker(b), Broker: b}
		},
	})
}

// inMemory opens a handler that is called in the goroutine of its caller.
func inMemory(api func(do exchange, base string) behaviour.API) func(t testing.TB, opts ...inq.BrokerOption) behaviour.Service {
	return func(t testing.TB, opts ...inq.BrokerOption) behaviour.Service {
		const base = "http://sqs.test"
		b := newBroker(t, opts)
		do := sqsapi.NewRoundTripper(sqsapi.NewHandler(b, sqsapi.Options{})).Do
		return behaviour.Service{API: api(do, base), Broker: b, Do: do, Base: base}
	}
}

// overSocket opens a handler behind a server.
func overSocket(api func(do exchange, base string) behaviour.API) func(t testing.TB, opts ...inq.BrokerOption) behaviour.Service {
	return func(t testing.TB, opts ...inq.BrokerOption) behaviour.Service {
		b := newBroker(t, opts)
		server := httptest.NewServer(sqsapi.NewHandler(b, sqsapi.Options{}))
		t.Cleanup(server.Close)
		return behaviour.Service{API: api(server.Client().Do, server.URL), Broker: b, Do: server.Client().Do, Base: server.URL}
	}
}

func overJSON(do exchange, base string) behaviour.API  { return jsonAPI{do, base} }
func overQuery(do exchange, base string) behaviour.API { return queryAPI{do, base} }

var _ exchange = http.DefaultClient.Do

func TestBehaviour_JSONInMemory(t *testing.T) {
	behaviour.Run(t, behaviour.Harness{Name: "JSON, in memory", Gives: wire | behaviour.Time | behaviour.JSON, Open: inMemory(overJSON)})
}

func TestBehaviour_QueryInMemory(t *testing.T) {
	behaviour.Run(t, behaviour.Harness{Name: "Query, in memory", Gives: wire | behaviour.Time | behaviour.Query, Open: inMemory(overQuery)})
}

func TestBehaviour_JSONOverSocket(t *testing.T) {
	behaviour.Run(t, behaviour.Harness{Name: "JSON, socket", Gives: wire | behaviour.JSON, Open: overSocket(overJSON)})
}

func TestBehaviour_QueryOverSocket(t *testing.T) {
	behaviour.Run(t, behaviour.Harness{Name: "Query, socket", Gives: wire | behaviour.Query, Open: overSocket(overQuery)})
}
