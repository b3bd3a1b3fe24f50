package suite

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/inq"
)

// Run runs every case that the harness can tell, as a subtest RULE/NAME, and logs how many there
// were. It fails where all that ran were skipped, and where Differs names what there is not.
func Run(t *testing.T, h Harness) { t.Helper(); run(t, h, Chapters()) }

// RunTopics is Run for the cases about SNS.
func RunTopics(t *testing.T, h Harness) { t.Helper(); run(t, h, TopicChapters()) }

func run(t *testing.T, h Harness, chapters []Chapter) {
	t.Helper()
	p := planned(chapters, h)
	if p.unknown != nil {
		t.Errorf("Differs names %q: neither a rule nor a case", p.unknown)
	}
	var ran tally
	for _, rule := range p.rules {
		t.Run(rule, func(t *testing.T) {
			for _, c := range p.cases[rule] {
				t.Run(c.Name, func(t *testing.T) { ran.run(t, h, c) })
			}
		})
	}
	t.Log(ran.text() + p.text())
	if ran.empty() {
		t.Error("no case passed: every one was skipped")
	}
}

// plan is what a harness can tell.
type plan struct {
	rules   []string // in order
	cases   map[string][]Case
	others  int      // cases which need what is not given
	lacking Needs    // what these need
	unknown []string // rules and cases in Differs that there are not
}

func planned(chapters []Chapter, h Harness) plan {
	p := plan{cases: map[string][]Case{}}
	unknown := maps.Clone(h.Differs)
	for _, chapter := range chapters {
		for _, c := range chapter.Cases {
			delete(unknown, c.Rule)
			delete(unknown, c.Rule+"/"+c.Name)
			c.Needs |= chapter.Needs
			if lacking := c.Needs &^ h.Gives; lacking != 0 {
				p.others++
				p.lacking |= lacking
				continue
			}
			if p.cases[c.Rule] == nil {
				p.rules = append(p.rules, c.Rule)
			}
			p.cases[c.Rule] = append(p.cases[c.Rule], c)
		}
	}
	p.unknown = slices.Sorted(maps.Keys(unknown))
	return p
}

// text says how many cases need what is not given.
func (p *plan) text() string {
	if p.others == 0 {
		return ""
	}
	return fmt.Sprintf(", %d need what is not given (%v)", p.others, p.lacking)
}

// tally is what became of the cases that were run.
type tally struct {
	cases, failed int
	skipped       []string // why each of them was
}

// run runs one case. The harness is opened inside the bubble, where there is one, since what waits
// in a bubble has to belong to it.
func (y *tally) run(t *testing.T, h Harness, c Case) {
	var lacks string
	y.cases++
	defer func() {
		switch {
		case t.Failed():
			y.failed++
		case lacks != "":
			y.skipped = append(y.skipped, lacks)
		}
	}()
	for _, id := range []string{c.Rule, c.Rule + "/" + c.Name} {
		if why, differs := h.Differs[id]; differs {
			lacks = why
			t.Skip(why)
		}
	}
	if h.Gives&Time == 0 {
		RunCase(t, h, c, &lacks)
		return
	}
	synctest.Test(t, func(t *testing.T) { RunCase(t, h, c, &lacks) })
	if lacks != "" { // a bubble does not tell that its test was skipped
		t.SkipNow()
	}
}

// RunCase runs a case with a test, inside a bubble if the harness has one. Where the case is
// skipped, lacks says why.
func RunCase(t testing.TB, h Harness, c Case, lacks *string) {
	s := &T{TB: t, rule: c.Rule, name: c.Name, gives: h.Gives, needs: c.Needs}
	if h.MayLack {
		s.lacks = lacks
	}
	s.open = func(opts ...inq.BrokerOption) Service {
		service := h.Open(t, opts...)
		if service.Queue != nil {
			service.API = OverQueue(service.Queue, service.API)
		}
		return service
	}
	s.Service = s.open()
	c.Run(s)
}

// text says what became of the cases.
func (y *tally) text() string {
	text := fmt.Sprintf("%d cases passed", y.cases-y.failed-len(y.skipped))
	if y.failed > 0 {
		text += fmt.Sprintf(", %d failed", y.failed)
	}
	if n := len(y.skipped); n > 0 {
		why := map[string]int{}
		for _, reason := range y.skipped {
			why[reason]++
		}
		text += fmt.Sprintf(", %d were skipped (%s)", n, counts(why))
	}
	return text
}

// empty tells whether cases ran and none of them told anything.
func (y *tally) empty() bool { return y.cases > 0 && y.cases == len(y.skipped) }

// counts lists how often each text occurs, the most frequent first.
func counts(of map[string]int) string {
	names := slices.Sorted(maps.Keys(of))
	slices.SortStableFunc(names, func(a, b string) int { return of[b] - of[a] })
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", of[name], name)
	}
	return strings.Join(names, ", ")
}
