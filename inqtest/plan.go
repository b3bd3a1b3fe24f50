package inqtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// Plan is faults that calls meet on purpose, by rules. The same plan with the same seed does the same to
// the same calls in the same order, and what a rule does depends on the calls it is about alone. Make one
// with [Server.Faults], for the server's HTTP API, or with [NewPlan]; [Disturb] puts it around a queue.
// It is safe for concurrent use. Where calls come in an order that differs from run to run, so does
// which of them is the third.
//
// In a bubble, where trying again without a pause takes no time and would never end, a plan fails the test
// after 100,000 calls that failed by its faults at one instant, and lets time go on: each further one takes
// a millisecond.
type Plan struct {
	tb    TB
	seed  uint64
	rules []Rule
	begun time.Time

	mu      sync.Mutex // guards everything below
	counts  []int      // of the calls that each rule was about,
	hits    []int      // and of those that it picked
	did     []Act
	dropped int           // acts that were not kept
	instant time.Duration // of the latest call that failed,
	burst   int           // and how many did at it
	hasty   bool          // there were too many of them
	over    bool          // the test has ended
}

// An Act is one fault that a call met.
type Act struct {
	After     time.Duration // since the plan was made
	Rule      int           // the place of the rule in the plan, from 0 on
	Call      int           // the number of the call, as the rule counts
	Operation Operation
	Queue     string
	Fault     string
}

// String returns the act as plans list it.
func (a Act) String() string {
	where := ""
	if a.Queue != "" {
		where = " in " + a.Queue
	}
	return fmt.Sprintf("%v  call %d of rule %d: %v%s met %s", a.After, a.Call, a.Rule+1, a.Operation, where, a.Fault)
}

// How many acts a plan keeps, and shows.
const (
	mostActs  = 10_000
	shownActs = 10
)

// NewPlan makes a plan of rules, for [Disturb]. When the test fails, the plan is logged with its seed and
// what it did. Make it where it is used: inside a bubble what is inside. A bad rule ends the test.
func NewPlan(tb TB, seed uint64, rules ...Rule) *Plan {
	tb.Helper()
	p := &Plan{tb: tb, seed: seed, begun: time.Now()}
	for i := range rules {
		if refusal := rules[i].check(); refusal != "" {
			tb.Fatalf("inqtest: rule %d, %v: %s", i+1, rules[i], refusal)
			return p
		}
	}
	p.rules, p.counts, p.hits = slices.Clone(rules), make([]int, len(rules)), make([]int, len(rules))
	tb.Cleanup(func() {
		p.mu.Lock()
		p.over = true
		p.mu.Unlock()
		if tb.Failed() {
			tb.Logf("%v", p)
		}
	})
	return p
}

// Did returns what the plan did so far, in order. It keeps the first 10,000 acts.
func (p *Plan) Did() []Act {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.did)
}

// String returns the plan as it is logged: the seed, the rules with how many calls each was about and
// picked, and the first 10 things that were done. Times count from when the plan was made.
func (p *Plan) String() string {
	if p == nil {
		return "inqtest: no plan"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "inqtest: faults with seed %d:", p.seed)
	for i := range p.rules {
		fmt.Fprintf(&b, "\n  rule %d: %v, %s, %s", i+1, &p.rules[i], plural(p.counts[i], "call"), plural(p.hits[i], "fault"))
	}
	shown := p.did[:min(len(p.did), shownActs)]
	for _, a := range shown {
		fmt.Fprintf(&b, "\n    %v", a)
	}
	if more := len(p.did) - len(shown) + p.dropped; more != 0 {
		fmt.Fprintf(&b, "\n    and %d more", more)
	}
	return b.String()
}

// A stage is when in a call a fault strikes.
type stage uint8

const (
	before   stage = iota // before it is carried out
	received              // when a receive has got messages
	after                 // when it was carried out
)

// stage returns when a fault strikes a call of an operation.
func (t *trouble) stage(o Operation) stage {
	switch {
	case t.lose:
		return after
	case t.duplicate, t.expire && o == Receive:
		return received
	}
	return before
}

// strikes returns the faults that a call meets at a stage, with a seed for each, and notes them.
func (p *Plan) strikes(s stage, o Operation, queue string) (hit []*trouble, seeds []uint64) {
	at := time.Since(p.begun)
	p.mu.Lock()
	defer p.mu.Unlock()
	ended := false
	for i := range p.rules {
		r := &p.rules[i]
		t := r.fault.trouble()
		if t.stage(o) != s || !r.concerns(o, queue, at) {
			continue
		}
		p.counts[i]++
		n := p.counts[i]
		rng := rand.New(rand.NewPCG(p.seed, uint64(i)<<48|uint64(n)))
		luck, seed := rng.Float64(), rng.Uint64()
		if len(r.nth) != 0 && !slices.Contains(r.nth, n) || r.every != 0 && n%r.every != 0 || luck >= r.chance || ended {
			continue
		}
		hit, seeds = append(hit, t), append(seeds, seed)
		p.hits[i]++
		if len(p.did) == mostActs {
			p.dropped++
		} else {
			p.did = append(p.did, Act{After: at, Rule: i, Call: n, Operation: o, Queue: queue, Fault: t.text})
		}
		ended = ended || t.ends // it meets nothing else, but other rules count it
	}
	return hit, seeds
}
