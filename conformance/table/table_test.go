package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq/conformance/internal/suite"
)

func TestParseRules_TakesTheBeginningOfEachRule(t *testing.T) {
	rules, sections, err := parseRules(`# Rules

## 1. Limits

- **LIM-1** [R] First sentence, over
  two lines. Second sentence.
  **inq:** a note.
- **LIM-2** [D, 2025] Ends at a note
  **inq:** without a stop.

### Names

Text between.

- **NAM-1** A | B, ` + "`code`" + `.
  1. A list item.
`)
	require.NoError(t, err)
	assert.Equal(t, []section{{"1", "Limits"}, {"1", "Names"}}, sections)
	assert.Equal(t, []rule{
		{"LIM-1", "First sentence, over two lines.", 0},
		{"LIM-2", "Ends at a note", 0},
		{"NAM-1", `A \| B, ` + "`code`.", 1},
	}, rules)

	_, _, err = parseRules("- **A-1** x\n- **A-1** y\n")
	assert.EqualError(t, err, "rule A-1 stands twice")
}

func TestBeginning_CutsLongTextsAtAWord(t *testing.T) {
	long := beginning(strings.Repeat("word ", 21) + "`code that goes on` and more words")
	assert.Equal(t, strings.Repeat("word ", 21)+"...", long)
}

func TestParseRules_FindsEveryRuleOfTheDocument(t *testing.T) {
	for _, s := range services {
		testParseRules(t, "../../docs/"+s.rules)
	}
}

func testParseRules(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	rules, sections, err := parseRules(string(text))
	require.NoError(t, err)
	assert.Len(t, rules, len(regexp.MustCompile(`(?m)^- \*\*[A-Z][A-Z0-9]*-\d+\*\*`).FindAll(text, -1)))
	for _, r := range rules {
		assert.NotEmpty(t, r.says, r.id)
		assert.Zero(t, strings.Count(r.says, "`")%2, "%s: %s", r.id, r.says)
		assert.Less(t, r.section, len(sections))
	}
}

// results of one way, with a case for each id, and the chapter that has these cases.
func results(ids ...string) (passed, suite.Chapter) {
	r := passed{}
	var c suite.Chapter
	for i, id := range ids {
		name := fmt.Sprint("case ", i)
		c.Cases = append(c.Cases, suite.Case{Rule: id, Name: name})
		if r[ways[0].test] == nil {
			r[ways[0].test] = map[string]map[string]int{}
		}
		if r[ways[0].test][id] == nil {
			r[ways[0].test][id] = map[string]int{}
		}
		r[ways[0].test][id][name]++
	}
	return r, c
}

func TestRows_JudgeEachRule(t *testing.T) {
	rules := []rule{{id: "A-1"}, {id: "A-2"}, {id: "A-3"}, {id: "A-4"}}
	ran, cases := results("A-1", "A-1", "A-2", "TABLE")
	chapter := suite.Chapter{
		Tables:       map[string]string{"TABLE": "a table"},
		Differs:      map[string]string{"A-2": "why"},
		Unobservable: map[string]string{"A-3": "nobody can tell"},
	}
	list, err := rows(ways, rules, make([]section, 1), []suite.Chapter{cases, chapter}, ran)
	require.NoError(t, err)
	var told []string
	for _, r := range list {
		told = append(told, strings.TrimSpace(r.id+" "+string(r.verdict)+" "+r.why))
	}
	assert.Equal(t, []string{"A-1 passes", "A-2 differs why", "A-3 not observable nobody can tell", "A-4 not yet", "TABLE passes"}, told)
	assert.Equal(t, 2, list[0].cases[0])
	text := document([]part{{services[0], list, []section{{"1", "A"}}, ran.cases()}})
	assert.Contains(t, text, "There are 4 cases.")
	assert.Contains(t, text, "| [Amazon SQS](#amazon-sqs) | 4 | 1 | 1 | 1 | 1 | 1 | 0 |")
	assert.Contains(t, text, "| A-2 |  | differs: why | 1 | - |")
}

func TestRows_RefuseWhatContradictsItself(t *testing.T) {
	rules := []rule{{id: "A-1"}}
	for want, given := range map[string]struct {
		chapter suite.Chapter
		ran     []string
	}{
		"A-1 is not observable and has cases":                 {suite.Chapter{Unobservable: map[string]string{"A-1": "x"}}, []string{"A-1"}},
		"A-1 differs and no case proves how":                  {suite.Chapter{Differs: map[string]string{"A-1": "x"}}, nil},
		"a chapter names A-2, which is no rule":               {suite.Chapter{Differs: map[string]string{"A-2": "x"}}, nil},
		"A-1 is a rule and a table":                           {suite.Chapter{Tables: map[string]string{"A-1": "x"}}, nil},
		ways[0].test + " has a case of Z-1, which is no rule": {suite.Chapter{}, []string{"Z-1"}},
		"A-1 differs and is not observable, which contradict each other": {
			suite.Chapter{Differs: map[string]string{"A-1": "x"}, Unobservable: map[string]string{"A-1": "y"}}, nil,
		},
		"of 2 cases 1 ran: the others need what no way gives": {
			suite.Chapter{Cases: []suite.Case{{Rule: "A-1", Name: "never"}}}, []string{"A-1"},
		},
	} {
		ran, cases := results(given.ran...)
		_, err := rows(ways, rules, nil, []suite.Chapter{cases, given.chapter}, ran)
		assert.EqualError(t, err, want)
	}
}

func TestRows_RefuseTwoChaptersOnOneRule(t *testing.T) {
	ran, cases := results("A-1")
	cases.Differs = map[string]string{"A-1": "x"}
	_, err := rows(ways, []rule{{id: "A-1"}}, nil, []suite.Chapter{cases, {Differs: map[string]string{"A-1": "y"}}}, ran)
	assert.EqualError(t, err, "two chapters tell of A-1")
}

func TestTellFailures_PrintsWhatTheCompilerSaid(t *testing.T) {
	var log strings.Builder
	require.NoError(t, tellFailures([]byte(`{"Action":"build-output","Output":"x.go:1:1: broken\n"}
{"Action":"output","Test":"T","Output":"=== RUN   T\n"}
{"Action":"output","Test":"T","Output":"    --- PASS: T/one (0.00s)\n"}
{"Action":"output","Test":"T","Output":"    t.go:1: wrong\n"}
`), &log))
	assert.Equal(t, "x.go:1:1: broken\n    t.go:1: wrong\n", log.String())
}

func TestFirstChange_IsALine(t *testing.T) {
	assert.Equal(t, 1, firstChange("a\nb\n", "x\nb\n"))
	assert.Equal(t, 2, firstChange("a\nb\n", "a\nc\n"))
	assert.Equal(t, 3, firstChange("a\nb\n", "a\nb\nc\n"))
}

func TestPassed_CountsCasesNotTheirParents(t *testing.T) {
	p := passed{}
	require.NoError(t, p.add([]byte(`{"Action":"pass","Test":"T/A-1/case one"}
{"Action":"pass","Test":"T/A-1"}
{"Action":"fail","Test":"T/A-1/case two"}
{"Action":"pass","Test":"T/A-1/case three"}
`)))
	assert.Equal(t, passed{"T": {"A-1": {"case one": 1, "case three": 1}}}, p)
	assert.Error(t, p.add([]byte("not JSON")))
}
