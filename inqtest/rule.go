package inqtest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Operation names an operation of the API of SQS, such as "GetQueueUrl". Those that queues have in Go
// as well have a constant.
type Operation string

// Operations of queues. Each of the first three stands for its batch too; the batch alone has a name of
// its own.
const (
	Send                  Operation = "SendMessage"
	Delete                Operation = "DeleteMessage"
	ChangeVisibility      Operation = "ChangeMessageVisibility"
	Receive               Operation = "ReceiveMessage"
	SendBatch             Operation = "SendMessageBatch"
	DeleteBatch           Operation = "DeleteMessageBatch"
	ChangeVisibilityBatch Operation = "ChangeMessageVisibilityBatch"
	Purge                 Operation = "PurgeQueue"
	Counts                Operation = "GetQueueAttributes"
)

// operationNames are how rules and plans spell operations that have a constant.
var operationNames = map[Operation]string{
	Send: "Send", Delete: "Delete", ChangeVisibility: "ChangeVisibility", Receive: "Receive", SendBatch: "SendBatch",
	DeleteBatch: "DeleteBatch", ChangeVisibilityBatch: "ChangeVisibilityBatch", Purge: "Purge", Counts: "Counts",
}

// otherOperations can be disturbed over HTTP only.
var otherOperations = []Operation{"CreateQueue", "ListQueues", "GetQueueUrl", "SetQueueAttributes", "DeleteQueue",
	"ListDeadLetterSourceQueues", "ListQueueTags", "TagQueue", "UntagQueue", "AddPermission", "RemovePermission",
	"StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask"}

// String returns the operation as rules spell it.
func (o Operation) String() string {
	if name, ok := operationNames[o]; ok {
		return name
	}
	return string(o)
}

func (o Operation) known() bool {
	_, ok := operationNames[o]
	return ok || slices.Contains(otherOperations, o)
}

// single is the operation that o is the batch of, or o.
func (o Operation) single() Operation { return Operation(strings.TrimSuffix(string(o), "Batch")) }

func (o Operation) batch() bool { return o.single() != o }

// A Rule says which calls meet which fault. It begins with [On], is narrowed down by the other methods,
// and ends with [Rule.Do]:
//
//	On(Receive).In("orders").Nth(3).Do(Throttle)
//
// A rule counts the calls that it is about, from 1: those of its operations, queues and time whose
// fault can be inflicted on them at all, so that a rule of [FailEntries] counts batches and one of
// [Duplicate] receives that got messages. Of these it picks by Nth, Every and Chance; where a rule has
// several of the three, all must agree, and one without any picks each. The methods return a new rule.
//
// Of the rules of a plan each counts for itself. A call that several pick meets all of their faults, in
// the order of the rules, up to one that ends it. What comes after a call was carried out, such as
// [LoseAnswer], counts the calls that came that far.
type Rule struct {
	operations []Operation
	queues     []string
	nth        []int
	every      int
	chance     float64
	from, to   time.Duration
	fault      Fault
	text       string
	refusal    string // the first thing that is wrong with it
}

// On begins a rule about the calls of these operations, or of all where none is given.
func On(operations ...Operation) Rule {
	r := Rule{operations: operations, chance: 1, from: math.MinInt64, to: math.MaxInt64}
	names := make([]string, len(operations))
	for i, o := range operations {
		names[i] = o.String()
		if !o.known() {
			r.refuse("On(%q): no operation of SQS has this name", string(o))
		}
	}
	r.text = "On(" + strings.Join(names, ", ") + ")"
	return r
}

func (r *Rule) refuse(format string, args ...any) {
	if r.refusal == "" {
		r.refusal = fmt.Sprintf(format, args...)
	}
}

func (r *Rule) narrow(format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	r.text += "." + text
	return text
}

// In narrows the rule down to the queues of these names.
func (r Rule) In(queues ...string) Rule {
	r.queues = append(slices.Clone(r.queues), queues...)
	names := make([]string, len(queues))
	for i, name := range queues {
		names[i] = fmt.Sprintf("%q", name)
	}
	text := r.narrow("In(%s)", strings.Join(names, ", "))
	if len(queues) == 0 || slices.Contains(queues, "") {
		r.refuse("%s: must have the names of queues", text)
	}
	return r
}

// Nth picks the calls with these numbers, each at least 1.
func (r Rule) Nth(n ...int) Rule {
	r.nth = append(slices.Clone(r.nth), n...)
	text := r.narrow("Nth(%s)", list(n))
	if len(n) == 0 || slices.Min(n) < 1 {
		r.refuse("%s: calls have numbers from 1 on", text)
	}
	return r
}

// Every picks each call whose number is a multiple of n, which is at least 1.
func (r Rule) Every(n int) Rule {
	r.every = n
	if text := r.narrow("Every(%d)", n); n < 1 {
		r.refuse("%s: must be at least 1", text)
	}
	return r
}

// Chance picks calls at random, each with probability p, above 0 and at most 1. Which these are follows
// from the seed of the plan, the place of the rule in it, and the number of the call, and nothing else.
func (r Rule) Chance(p float64) Rule {
	r.chance = p
	if text := r.narrow("Chance(%v)", p); !(p > 0 && p <= 1) {
		r.refuse("%s: must be above 0 and at most 1", text)
	}
	return r
}

// Between narrows the rule down to a time: from start until just before end, both counted from when the
// plan was made.
func (r Rule) Between(start, end time.Duration) Rule {
	r.from, r.to = start, end
	if text := r.narrow("Between(%v, %v)", start, end); start < 0 || end <= start {
		r.refuse("%s: must be from 0 on, and end after it starts", text)
	}
	return r
}

// Do says what the calls that the rule picks meet, and completes it.
func (r Rule) Do(f Fault) Rule {
	if f == nil {
		r.narrow("Do(nil)")
		r.refuse("%s: must have a fault", r.text)
		return r
	}
	r.fault = f
	t := f.trouble()
	r.narrow("Do(%s)", t)
	if t.refusal != "" {
		r.refuse("%s", t.refusal)
	}
	return r
}

// String returns the rule as it was written.
func (r Rule) String() string {
	if r.text == "" {
		return "Rule{}"
	}
	return r.text
}

// check returns what is wrong with the rule, "" for nothing.
func (r *Rule) check() string {
	switch {
	case r.text == "":
		return "a rule begins with On"
	case r.refusal != "":
		return r.refusal
	case r.fault == nil:
		return "a rule ends with Do"
	}
	t := r.fault.trouble()
	for _, o := range r.operations {
		if !t.fits(o) {
			return fmt.Sprintf("%s is for %s, not for %s", t.name, t.forOperations(), o)
		}
	}
	if t.standard && len(r.queues) != 0 && !slices.ContainsFunc(r.queues, func(name string) bool { return !isFIFO(name) }) {
		return fmt.Sprintf("%s is for Standard queues, and these are FIFO", t.name)
	}
	return ""
}

// concerns reports whether the rule is about calls like this at this time since the plan was made.
func (r *Rule) concerns(o Operation, queue string, at time.Duration) bool {
	t := r.fault.trouble()
	return (len(r.operations) == 0 || slices.Contains(r.operations, o) || slices.Contains(r.operations, o.single())) &&
		(len(r.queues) == 0 || slices.Contains(r.queues, queue)) &&
		at >= r.from && at < r.to && t.fits(o) && (len(t.entries) == 0 || o.batch()) && !(t.standard && isFIFO(queue))
}

// isFIFO goes by the name, which tells the type of a queue.
func isFIFO(queue string) bool { return strings.HasSuffix(queue, ".fifo") }

func list(ns []int) string { return strings.Trim(strings.ReplaceAll(fmt.Sprint(ns), " ", ", "), "[]") }
