package main

import (
	"fmt"
	"regexp"
	"strings"
)

// rule is one rule of docs/sqs.md or docs/sns.md.
type rule struct {
	id      string
	says    string // how its text begins
	section int    // index in sections
}

// section is a heading of these under which rules stand, or tables that cases are named for.
type section struct {
	number string // "2.1", or "3" for a heading without a number below section 3
	title  string
}

var (
	headingLine = regexp.MustCompile(`^##+ (?:([0-9.]+?)\.? )?(.+)$`)
	ruleLine    = regexp.MustCompile(`^- \*\*([A-Z][A-Z0-9]*-[0-9]+)\*\* ?(.*)$`)
	tags        = regexp.MustCompile(` ?\[[RDTSME](?:[^\]]*)\]`)

	// otherThanText begins a note, a list, a table or code inside a rule.
	otherThanText = regexp.MustCompile("^(?:\\*\\*inq:|[0-9]+\\. |\\||```)")
)

// parseRules reads the rules out of a document that has one list item for each, in order.
func parseRules(document string) (rules []rule, sections []section, err error) {
	seen := map[string]bool{}
	var text *strings.Builder
	texts := map[string]*strings.Builder{}
	for line := range strings.Lines(document) {
		line = strings.TrimRight(line, "\n")
		if m := headingLine.FindStringSubmatch(line); m != nil {
			number := m[1]
			if number == "" && len(sections) > 0 {
				number = sections[len(sections)-1].number
			}
			sections = append(sections, section{number, m[2]})
			text = nil
			continue
		}
		if m := ruleLine.FindStringSubmatch(line); m != nil {
			if seen[m[1]] {
				return nil, nil, fmt.Errorf("rule %s stands twice", m[1])
			}
			seen[m[1]] = true
			rules = append(rules, rule{id: m[1], section: len(sections) - 1})
			text = &strings.Builder{}
			texts[m[1]] = text
			text.WriteString(m[2])
			continue
		}
		// A rule goes on while lines are indented. Its notes and lists are not how it begins.
		trimmed := strings.TrimSpace(line)
		if text == nil || !strings.HasPrefix(line, "  ") || otherThanText.MatchString(trimmed) {
			text = nil
			continue
		}
		text.WriteString(" " + trimmed)
	}
	for i := range rules {
		rules[i].says = beginning(texts[rules[i].id].String())
	}
	return rules, sections, nil
}

// most is how long a text in the table is, in bytes.
const most = 110

// beginning shortens a rule to its first sentence, or to whole words of it, as text for a cell of a
// table.
func beginning(text string) string {
	text = strings.TrimSpace(tags.ReplaceAllString(text, ""))
	word, code, bold := 0, false, false // word is the end of the last whole word outside of code and bold text
	for i := range len(text) {
		switch {
		case i > most && word > 0:
			cut := strings.TrimRight(text[:word], " ,;:(-")
			return cell(cut + " ...")
		case text[i] == '`':
			code = !code
		case code:
		case text[i] == '*' && i > 0 && text[i-1] == '*':
			bold = !bold
		case text[i] == ' ' && !bold:
			word = i
		case text[i] == '.' && sentenceEnd.MatchString(text[i+1:]):
			return cell(text[:i+1])
		}
	}
	return cell(text)
}

// cell escapes what would end a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

var sentenceEnd = regexp.MustCompile("^(?: [A-Z*`]|$)")
