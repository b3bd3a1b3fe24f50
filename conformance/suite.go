package conformance

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// Needs says what a way to a service must be able to do. A case has what it needs, a harness what
// it gives; a case does not run over a harness that gives less, and the table of results says so.
type Needs uint

const (
	// Time is virtual time: a case that sleeps, or measures how long something took.
	Time Needs = 1 << iota
	// Members are requests and answers as SQS has them: digests, ids of batch entries, the choice
	// of attributes at a receive, and which members are there at all.
	Members
	// Texts are the codes and texts of errors. A harness without them tells refusals apart by the
	// errors of the root package, as far as it can.
	Texts
	// Unchecked means that requests are sent as they are, even with required members missing and
	// values out of any range.
	Unchecked
	// Zeros means that an explicit zero can be sent where it differs from no value.
	Zeros
	// HTTP is access to the HTTP requests and answers themselves; see T.Exchange.
	HTTP
	// JSON and Query are the two protocols.
	JSON
	Query
	// Engine is access to the broker in this process, for what SQS tells by other means than its
	// API, such as metrics; see T.Broker.
	Engine
)

// Case is one test of a rule.
type Case struct {
	Rule  string // id in docs/sqs.md, or of a table there (see Chapter.Tables)
	Name  string // what is shown, as a phrase: "a delayed message ends a long poll"
	Needs Needs
	Run   func(t *T)
}

// Chapter is the cases of one section of docs/sqs.md.
type Chapter struct {
	Cases []Case
	// Tables are ids for parts of the section that have no rule id of their own.
	Tables map[string]string
	// Differs says, by rule, why and how this project does something else than SQS, on purpose.
	// The cases of such a rule prove what it does.
	Differs map[string]string
	// Unobservable says, by rule, why no program can tell whether the rule is kept.
	Unobservable map[string]string
}

// Chapters returns all chapters.
func Chapters() []Chapter {
	return []Chapter{
		errorVocabulary, queueAttributes, queueNames, messages, messageAttributes, batches, quotas,
		lifeCycle, counters, systemAttributes, receiving, receiveAttempts, receiptHandles, visibility,
		fifoSending, fifoOrder, deduplication, deadLetters, moveTasks,
		management, permissions, digests, jsonProtocol, queryProtocol, operations, metrics, fairQueues,
	}
}

// Harness is one way to a service.
type Harness struct {
	Name  string // as the table of results has it
	Gives Needs
	// Open starts a service without queues, which ends with the test. With Time it is called inside
	// the bubble of the case.
	Open func(t testing.TB, opts ...inq.BrokerOption) Service
}

// Service is what a harness opens.
type Service struct {
	API
	Broker *inq.Broker                                 // Engine only
	Do     func(*http.Request) (*http.Response, error) // HTTP only
	Base   string                                      // HTTP only: URL of the service, without a slash at its end
}

// Run runs every case that the harness can tell, as a subtest RULE/NAME.
func Run(t *testing.T, h Harness) {
	rules := map[string][]Case{}
	var order []string
	for _, chapter := range Chapters() {
		for _, c := range chapter.Cases {
			if c.Needs&^h.Gives != 0 {
				continue
			}
			if rules[c.Rule] == nil {
				order = append(order, c.Rule)
			}
			rules[c.Rule] = append(rules[c.Rule], c)
		}
	}
	for _, rule := range order {
		t.Run(rule, func(t *testing.T) {
			for _, c := range rules[rule] {
				t.Run(c.Name, func(t *testing.T) {
					if h.Gives&Time == 0 {
						runCase(t, h, c)
						return
					}
					synctest.Test(t, func(t *testing.T) { runCase(t, h, c) })
				})
			}
		})
	}
}

func runCase(t *testing.T, h Harness, c Case) {
	s := &T{TB: t, Assertions: require.New(t), gives: h.Gives, needs: c.Needs, open: h.Open}
	s.Service = h.Open(t)
	c.Run(s)
}
