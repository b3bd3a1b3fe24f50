package inqtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/inq"
	"example.com/inq/internal/disturbance"
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

// call is one call under a plan, at either face. Its methods are the stages of the call, in order.
type call struct {
	plan      *Plan
	operation Operation
	queue     string

	ended <-chan struct{} // closed when nothing is to be slow any more; nil: never

	void    bool  // refused by the queue whatever the plan says
	failing []int // entries of the batch
	expire  bool  // the handles it is given
	how     disturbance.Receive
}

// begin inflicts what comes before the call. An error ends it.
func (c *call) begin(ctx context.Context) (reset bool, err error) {
	if c.void = ctx == nil || ctx.Err() != nil; c.void {
		return false, nil
	}
	hit, seeds := c.plan.strikes(before, c.operation, c.queue)
	for i, t := range hit {
		switch {
		case t.slow != 0:
			if err := pause(ctx, c.ended, t.slow); err != nil {
				return false, err
			}
		case t.ends:
			c.plan.failed(ctx)
			return t.reset, t.err
		case t.shuffle:
			c.how.Shuffle, c.how.Seed = true, c.how.Seed^seeds[i]
		case t.sample:
			c.how.Sample, c.how.Share, c.how.Seed = true, t.share, c.how.Seed^seeds[i]
		}
		c.failing = append(c.failing, t.entries...)
		c.expire = c.expire || t.expire
	}
	return false, nil
}

func pause(ctx context.Context, ended <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// receive is q.Receive under the plan.
func (c *call) receive(ctx context.Context, q inq.Queue, in inq.ReceiveInput) (ds []inq.Delivery, err error) {
	if c.how.Shuffle || c.how.Sample {
		got, failure := disturbance.ReceiveFrom(ctx, standardOf(q), in, c.how)
		ds, _ = got.([]inq.Delivery)
		err = failure
		if counting, ok := q.(*counted); ok {
			counting.received(ds, err)
		}
	} else {
		ds, err = q.Receive(ctx, in)
	}
	if err != nil || len(ds) == 0 || c.void {
		return ds, err
	}
	hit, _ := c.plan.strikes(received, c.operation, c.queue)
	for _, t := range hit {
		for i := range ds {
			if t.duplicate {
				disturbance.Duplicate(standardOf(q), ds[i].ReceiptHandle())
			} else {
				lapse(ctx, bare(q), ds[i].ReceiptHandle())
			}
		}
	}
	return ds, nil
}

// handles inflicts what comes before a call with these handles.
func (c *call) handles(ctx context.Context, q inq.Queue, handles ...string) {
	if c.expire {
		for _, h := range handles {
			lapse(ctx, bare(q), h)
		}
	}
}

// lapse ends the receive of a handle. One that is no good is left for the call itself to refuse.
func lapse(ctx context.Context, q inq.Queue, handle string) {
	_ = q.ChangeVisibility(ctx, handle, inq.Zero)
}

// mostEntries is how many entries a batch of SQS has.
const mostEntries = 10

// batch carries out a batch of n entries without those that are to fail. do gets the indices of the
// others.
func (c *call) batch(n int, do func(keep []int) error) error {
	var keep, failed []int
	for i := range n {
		if slices.Contains(c.failing, i) {
			failed = append(failed, i)
		} else {
			keep = append(keep, i)
		}
	}
	if len(failed) == 0 || n > mostEntries {
		return do(indices(n)) // too long a batch is refused as it is
	}
	var all []inq.BatchFailure
	if len(keep) != 0 {
		err := do(keep)
		var some *inq.BatchError
		if err != nil && !errors.As(err, &some) {
			return err
		}
		if some != nil {
			for _, f := range some.Failed {
				if f.Index >= 0 && f.Index < len(keep) { // a queue of somebody else may say anything
					all = append(all, inq.BatchFailure{Index: keep[f.Index], Err: f.Err})
				}
			}
		}
	}
	for _, i := range failed {
		all = append(all, inq.BatchFailure{Index: i, Err: errEntry})
	}
	slices.SortFunc(all, func(a, b inq.BatchFailure) int { return a.Index - b.Index })
	return &inq.BatchError{Failed: all}
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// mostAtOnce is how many calls can fail at one instant: more than a test that means well sends at once.
const mostAtOnce = 100_000

// failed notes that a call failed on purpose. In a bubble, code that tries again without a pause lets no
// time pass, and what the plan would have end never does: that fails the test, and such calls take time
// from then on.
func (p *Plan) failed(ctx context.Context) {
	at := time.Since(p.begun)
	p.mu.Lock()
	if at != p.instant {
		p.instant, p.burst = at, 0
	}
	p.burst++
	tell := p.burst == mostAtOnce && !p.hasty && !p.over
	p.hasty = p.hasty || tell
	hasty := p.hasty
	p.mu.Unlock()
	if tell {
		p.tb.Errorf("inqtest: %d calls have failed at the same instant: the code under test tries again without a pause", mostAtOnce)
	}
	if hasty {
		_ = pause(ctx, nil, time.Millisecond)
	}
}

// lost reports whether the answer gets lost. Who gave up on it does not get to know.
func (c *call) lost(ctx context.Context) bool {
	if c.void || ctx.Err() != nil {
		return false
	}
	hit, _ := c.plan.strikes(after, c.operation, c.queue)
	if len(hit) == 0 {
		return false
	}
	c.plan.failed(ctx)
	return true
}
