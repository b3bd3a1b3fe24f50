package conformance_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/conformance"
	"example.com/inq/sqsapi"
)

// wire is what every way over HTTP gives.
const wire = conformance.Members | conformance.Texts | conformance.Unchecked | conformance.Zeros | conformance.HTTP | conformance.Engine

func TestCases_HaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, chapter := range conformance.Chapters() {
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

func TestConformance_RootPackage(t *testing.T) {
	conformance.Run(t, conformance.Harness{
		Name:  "root package",
		Gives: conformance.Time | conformance.Zeros | conformance.Unchecked | conformance.Engine,
		Open: func(t testing.TB, opts ...inq.BrokerOption) conformance.Service {
			b := newBroker(t, opts)
			return conformance.Service{API: conformance.OverBroker(b), Broker: b}
		},
	})
}

// inMemory opens a handler that is called in the goroutine of its caller.
func inMemory(api func(do exchange, base string) conformance.API) func(t testing.TB, opts ...inq.BrokerOption) conformance.Service {
	return func(t testing.TB, opts ...inq.BrokerOption) conformance.Service {
		const base = "http://sqs.test"
		b := newBroker(t, opts)
		do := sqsapi.NewRoundTripper(sqsapi.NewHandler(b, sqsapi.Options{})).Do
		return conformance.Service{API: api(do, base), Broker: b, Do: do, Base: base}
	}
}

// overSocket opens a handler behind a server.
func overSocket(api func(do exchange, base string) conformance.API) func(t testing.TB, opts ...inq.BrokerOption) conformance.Service {
	return func(t testing.TB, opts ...inq.BrokerOption) conformance.Service {
		b := newBroker(t, opts)
		server := httptest.NewServer(sqsapi.NewHandler(b, sqsapi.Options{}))
		t.Cleanup(server.Close)
		return conformance.Service{API: api(server.Client().Do, server.URL), Broker: b, Do: server.Client().Do, Base: server.URL}
	}
}

func overJSON(do exchange, base string) conformance.API  { return jsonAPI{do, base} }
func overQuery(do exchange, base string) conformance.API { return queryAPI{do, base} }

var _ exchange = http.DefaultClient.Do

func TestConformance_JSONInMemory(t *testing.T) {
	conformance.Run(t, conformance.Harness{Name: "JSON, in memory", Gives: wire | conformance.Time | conformance.JSON, Open: inMemory(overJSON)})
}

func TestConformance_QueryInMemory(t *testing.T) {
	conformance.Run(t, conformance.Harness{Name: "Query, in memory", Gives: wire | conformance.Time | conformance.Query, Open: inMemory(overQuery)})
}

func TestConformance_JSONOverSocket(t *testing.T) {
	conformance.Run(t, conformance.Harness{Name: "JSON, socket", Gives: wire | conformance.JSON, Open: overSocket(overJSON)})
}

func TestConformance_QueryOverSocket(t *testing.T) {
	conformance.Run(t, conformance.Harness{Name: "Query, socket", Gives: wire | conformance.Query, Open: overSocket(overQuery)})
}
