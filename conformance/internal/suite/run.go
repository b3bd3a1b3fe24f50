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

// tally is what became of the cases that were run.
type tally struct {
	cases, failed int
	skipped       []string // what each of them needed
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
	if h.Gives&Time == 0 {
		runCase(t, h, c, &lacks)
		return
	}
	synctest.Test(t, func(t *testing.T) { runCase(t, h, c, &lacks) })
	if lacks != "" { // a bubble does not tell that its test was skipped
		t.SkipNow()
	}
}

// runCase runs a case with a test. Where it is skipped, lacks says why.
func runCase(t testing.TB, h Harness, c Case, lacks *string) {
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

// text says what became of the cases, and how many others there are, which need
// what the harness does not give.
func (y *tally) text(others map[Needs]int) string {
	parts := []string{fmt.Sprintf("%d cases passed", y.cases-y.failed-len(y.skipped))}
	if y.failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", y.failed))
	}
	if n := len(y.skipped); n > 0 {
		why := map[string]int{}
		for _, lacks := range y.skipped {
			why[lacks]++
		}
		parts = append(parts, fmt.Sprintf("%d were skipped (%s)", n, counts(why)))
	}
	if len(others) > 0 {
		total, needs := 0, Needs(0)
		for n, cases := range others {
			total += cases
			needs |= n
		}
		parts = append(parts, fmt.Sprintf("%d need what is not given (%v)", total, needs))
	}
	return strings.Join(parts, ", ")
}

// counts lists how often each text occurs, the most frequent first.
func counts(of map[string]int) string {
	names := slices.Sorted(maps.Keys(of))
	slices.SortStableFunc(names, func(a, b string) int { return of[b] - of[a] })
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", of[name], name)
	}
	return strings.Join(names, ", ")
}
