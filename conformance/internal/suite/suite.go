// Package suite holds the cases of package conformance, the vocabulary they are written in, and
// what runs them. Cases stand in chapters, one file each, that follow the sections of docs/sqs.md,
// and are named by the rule they prove. The cases of contract.go are about inq.Queue itself.
//
// A case gets a [T]: assertions, a service without queues, and calls for what most cases do.
package suite

import (
	"net/http"
	"strings"
	"testing"

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
	// Engine is access to the broker in this process: to its options, and to what SQS tells by other
	// means than its API, such as metrics; see T.Reopen and T.Broker.
	Engine
	// Queues is access to queues as inq.Queue; see Q.Queue.
	Queues

	// The names above are those of package conformance too. What follows is for this module.

	// Account is all that SQS has beyond messages: what it tells about queues, and what it refuses
	// of them. What cases about messages need of that, such as a queue with a delay, they just use.
	Account
	// HTTP is access to the HTTP requests and answers themselves; see T.Exchange.
	HTTP
	// JSON and Query are the two protocols.
	JSON
	Query
)

var needNames = []string{"Time", "Members", "Texts", "Unchecked", "Zeros", "Engine", "Queues", "Account", "HTTP", "JSON", "Query"}

// String returns the names, with a | between them.
func (n Needs) String() string {
	var names []string
	for i, name := range needNames {
		if n&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// Case is one test of a rule.
type Case struct {
	Rule  string // id in docs/sqs.md, or of a table there (see Chapter.Tables)
	Name  string // what is shown, as a phrase: "a delayed message ends a long poll"
	Needs Needs
	Run   func(t *T)
}

// Chapter is the cases of one section of docs/sqs.md.
type Chapter struct {
	// Needs is what all cases need, beside what each says for itself.
	Needs Needs
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
		management, permissions, digests, jsonProtocol, queryProtocol, operations, metrics, fairQueues, captured, contract,
	}
}

// Harness is one way to a service.
type Harness struct {
	Gives Needs
	// Open starts a service without queues, which ends with the test. With Time it is called inside
	// the bubble of the case.
	Open func(t testing.TB, opts ...inq.BrokerOption) Service
	// MayLack says that a call may return an error that matches errors.ErrUnsupported. A case that
	// comes to such a call is skipped; otherwise it fails.
	MayLack bool
	// Differs has the rules, and the cases as RULE/NAME, that are not kept on purpose, and why. They
	// are skipped.
	Differs map[string]string
}

// Service is what a harness opens.
type Service struct {
	// API carries every operation but those that Queue takes.
	API API
	// Topics carries every operation of SNS, over topics that reach the queues of API. See RunTopics.
	Topics API
	// Queue finds a queue by its URL; see OverQueue. A harness that has it gives Queues.
	Queue  func(url string) (inq.Queue, error)
	Broker *inq.Broker                                 // Engine only
	Do     func(*http.Request) (*http.Response, error) // HTTP only
	Base   string                                      // HTTP only: URL of the service, without a slash at its end
}
