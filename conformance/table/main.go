// Command table runs the suite of package conformance over every way to a queue and writes what became of
// each rule of docs/sqs.md and docs/sns.md into docs/conformance.md. Run it from the root of a checkout:
//
//	go run ./conformance/table
//
// With -check it writes nothing and fails where the document is not what it would write.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	check := flag.Bool("check", false, "write nothing; fail if the document is stale")
	root := flag.String("root", ".", "`folder` of the checkout")
	flag.Parse()
	if err := run(*root, *check, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

// part joins the rules of a service with its results.
func (s service) part(root string, results passed) (part, error) {
	text, err := os.ReadFile(filepath.Join(root, "docs", s.rules))
	if err != nil {
		return part{}, err
	}
	rules, sections, err := parseRules(string(text))
	if err != nil {
		return part{}, err
	}
	list, err := rows(s.ways, rules, sections, s.chapters(), results)
	return part{s, list, sections, results.cases()}, err
}

// firstChange is the number of the first line that two texts do not share.
func firstChange(a, b string) int {
	n := 1
	for i := 0; i < min(len(a), len(b)) && a[i] == b[i]; i++ {
		if a[i] == '\n' {
			n++
		}
	}
	return n
}

func run(root string, check bool, log io.Writer) error {
	results, err := runTests(root, log)
	if err != nil {
		return err
	}
	var parts []part
	for _, s := range services {
		p, err := s.part(root, results.of(s.ways))
		if err != nil {
			return fmt.Errorf("docs/%s: %w", s.rules, err)
		}
		of := count(p.list, len(p.sections))
		fmt.Fprintf(log, "%s: %d rules pass, %d differ, %d not observable, %d not yet; %d cases\n",
			s.name, of[passes].rules, of[differs].rules, of[unobservable].rules, of[notYet].rules, p.cases)
		parts = append(parts, p)
	}
	want := document(parts)
	path := filepath.Join(root, "docs", "conformance.md")
	if !check {
		return os.WriteFile(path, []byte(want), 0o644)
	}
	have, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the document cannot be read: %w", err)
	}
	if string(have) != want {
		return fmt.Errorf("%s is stale from line %d on: run go run ./conformance/table", path, firstChange(string(have), want))
	}
	return nil
}
