// Command table runs the suite of package conformance over every way to a queue and writes what became of
// each rule of docs/sqs.md into docs/conformance.md. Run it from the root of a checkout:
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

	"example.com/inq/conformance/internal/suite"
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
	text, err := os.ReadFile(filepath.Join(root, "docs", "sqs.md"))
	if err != nil {
		return fmt.Errorf("the rules cannot be read: %w", err)
	}
	rules, sections, err := parseRules(string(text))
	if err != nil {
		return fmt.Errorf("docs/sqs.md: %w", err)
	}
	results, err := runTests(root, log)
	if err != nil {
		return err
	}
	list, err := rows(rules, sections, suite.Chapters(), results)
	if err != nil {
		return err
	}
	want := document(list, sections, results.cases())
	of := count(list, len(sections))
	fmt.Fprintf(log, "rules: %d pass, %d differ, %d not observable, %d not yet; %d cases\n",
		of[passes].rules, of[differs].rules, of[unobservable].rules, of[notYet].rules, results.cases())
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
