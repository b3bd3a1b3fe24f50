package conformance_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/conformance/internal/suite"
	"example.com/inq/sqsapi"
)

// restarting is a service on a broker with a journal, which is closed and opened anew before each request that
// comes alone.
type restarting struct {
	t    testing.TB
	disk inq.JournalOption
	opts []inq.BrokerOption

	mu     sync.Mutex // guards everything below
	flying int        // requests under way
	j      *inq.Journal
	b      *inq.Broker
	do     exchange
}

func (r *restarting) open() {
	j, err := inq.OpenJournal("journal", r.disk, inq.WithSegmentSize(64<<10))
	require.NoError(r.t, err)
	b, err := inq.NewBroker(append(r.opts, inq.WithBrokerJournal(j))...)
	require.NoError(r.t, err)
	r.j, r.b = j, b
	r.do = sqsapi.NewRoundTripper(sqsapi.NewHandler(b, sqsapi.Options{})).Do
}

func (r *restarting) close() {
	require.NoError(r.t, r.b.Close())
	require.NoError(r.t, r.j.Close())
}

// serve is the exchange.
func (r *restarting) serve(q *http.Request) (*http.Response, error) {
	r.mu.Lock()
	if r.flying == 0 {
		r.close()
		r.open()
	}
	r.flying++
	do := r.do
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.flying--
		r.mu.Unlock()
	}()
	return do(q)
}

// begun opens a service that is in a journal from the start.
func begun(t testing.TB, opts []inq.BrokerOption) *restarting {
	r := &restarting{t: t, disk: inq.InMemory(), opts: opts}
	r.open()
	t.Cleanup(r.close)
	return r
}

func TestConformance_InAJournal(t *testing.T) {
	suite.Run(t, suite.Harness{Gives: wire | suite.Time | suite.JSON, Open: func(t testing.TB, opts ...inq.BrokerOption) suite.Service {
		const base = "http://sqs.test"
		r := begun(t, opts)
		return suite.Service{API: jsonAPI{r.do, base}, Broker: r.b, Do: r.do, Base: base}
	}})
}

const (
	tasksEnd     = "a move task ends with its process"
	cooldownsEnd = "the 60 seconds after a delete and a purge end with the process"
)

// forgotten is what does not outlive a restart.
var forgotten = map[string]string{
	"RCV-16": "attempt ids are forgotten",
	"CAP-2":  "attempt ids are forgotten",
	"MOV-1":  tasksEnd, "MOV-4": tasksEnd, "MOV-5": tasksEnd, "MOV-6": tasksEnd, "MOV-7": tasksEnd, "MOV-8": tasksEnd,
	"MOV-9": tasksEnd, "MOV-10": tasksEnd, "MOV-11": tasksEnd, "TABLE-MOVE-TASKS": tasksEnd, "WIRE-14/move tasks": tasksEnd,
	"WIRE-4/flags and counts of results are no text":             tasksEnd,
	"TABLE-OPERATIONS/CancelMessageMoveTask in JSON":             tasksEnd,
	"TABLE-OPERATIONS/CancelMessageMoveTask in Query":            tasksEnd,
	"TABLE-OPERATIONS/ListMessageMoveTasks in JSON":              tasksEnd,
	"TABLE-OPERATIONS/ListMessageMoveTasks in Query":             tasksEnd,
	"MGT-2/the name of a deleted queue is refused":               cooldownsEnd,
	"MGT-2/the name is free again after 60 seconds":              cooldownsEnd,
	"MGT-4/a second purge is refused and removes nothing":        cooldownsEnd,
	"MGT-4/a second purge is a 403":                              cooldownsEnd,
	"MGT-4/a queue can be purged again after 60 seconds":         cooldownsEnd,
	"TABLE-ERRORS/each refusal has its code":                     cooldownsEnd,
	"TABLE-ERRORS/each refusal has its shape and status in JSON": cooldownsEnd,
	"WIRE-6/a header has the code of the Query protocol":         cooldownsEnd,
	"WIRE-9/statuses are the same in every mode":                 cooldownsEnd,
	"WIRE-16/statuses are those of the vocabulary":               cooldownsEnd,
}

func TestConformance_InAJournalThatIsReopenedBetweenRequests(t *testing.T) {
	suite.Run(t, suite.Harness{Gives: (wire | suite.Time | suite.JSON) &^ suite.Engine, Differs: forgotten,
		Open: func(t testing.TB, opts ...inq.BrokerOption) suite.Service {
			const base = "http://sqs.test"
			r := begun(t, opts)
			return suite.Service{API: jsonAPI{r.serve, base}, Do: r.serve, Base: base}
		}})
}
