package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"example.com/inq/conformance/internal/suite"
)

// service is what a part of the document is about.
type service struct {
	name     string
	rules    string // file in docs
	chapters func() []suite.Chapter
	ways     []way
}

var services = []service{
	{"Amazon SQS", "sqs.md", suite.Chapters, ways},
	{"Amazon SNS", "sns.md", suite.TopicChapters, topicWays},
}

var topicWays = []way{
	{"topic", "conformance", "TestConformance_TopicPackage", "the Go API of package topic"},
	{"Query", "conformance", "TestConformance_TopicsInMemory", "the handler in memory, Query and XML, which is the protocol of SNS"},
	{"socket", "conformance", "TestConformance_TopicsOverSocket", "the handler behind a server; no virtual time"},
	{"SDK", "inqaws", "TestConformance_TopicsClient", "the client of the AWS SDK for Go in memory"},
}

// of has the results of some ways.
func (p passed) of(ways []way) passed {
	some := passed{}
	for _, w := range ways {
		if p[w.test] != nil {
			some[w.test] = p[w.test]
		}
	}
	return some
}

// way is one harness: a test function that runs the suite.
type way struct {
	title string // of its column
	dir   string // of its package, from the root of the checkout
	test  string
	note  string // what it is, for the legend
}

var ways = []way{
	{"root", "conformance", "TestConformance_RootPackage", "the Go API of the root package"},
	{"JSON", "conformance", "TestConformance_JSONInMemory", "the handler in memory, AWS JSON 1.0"},
	{"Query", "conformance", "TestConformance_QueryInMemory", "the handler in memory, Query and XML"},
	{"JSON socket", "conformance", "TestConformance_JSONOverSocket", "the handler behind a server, AWS JSON 1.0; no virtual time"},
	{"Query socket", "conformance", "TestConformance_QueryOverSocket", "the handler behind a server, Query and XML; no virtual time"},
	{"journal", "conformance", "TestConformance_InAJournal", "the handler in memory, AWS JSON 1.0, every queue in a journal"},
	{"reopened", "conformance", "TestConformance_InAJournalThatIsReopenedBetweenRequests", "the same, and the journal is closed and opened anew before each request that comes alone; attempt ids, move tasks and the 60-second rules do not outlive that"},
	{"SDK", "inqaws", "TestConformance_Client", "the client of the AWS SDK for Go in memory; it cannot send an explicit zero, nor leave out what is required"},
	{"Queue", "inqaws", "TestConformance_Queue", "`inqaws.Queue` over that client: `inq.Queue` on SQS"},
}

// passed is how often each case passed, by test function, rule and case: once.
type passed map[string]map[string]map[string]int

// runTests runs the suite in every package that has a harness.
func runTests(root string, log io.Writer) (passed, error) {
	results := passed{}
	done := map[string]bool{}
	all := append(slices.Clip(ways), topicWays...)
	for _, w := range all {
		if done[w.dir] {
			continue
		}
		done[w.dir] = true
		fmt.Fprintf(log, "running the suite in %s\n", w.dir)
		cmd := exec.Command("go", "test", "-count=1", "-json", "-run", "^TestConformance_", ".")
		cmd.Dir = filepath.Join(root, w.dir)
		cmd.Env = append(os.Environ(), "GOWORK=off")
		cmd.Stderr = log
		out, err := cmd.Output()
		if err != nil {
			if tellErr := tellFailures(out, log); tellErr != nil {
				return nil, tellErr
			}
			return nil, fmt.Errorf("the suite does not pass in %s: %w", w.dir, err)
		}
		if err := results.add(out); err != nil {
			return nil, err
		}
	}
	for _, w := range all {
		if results[w.test] == nil {
			return nil, fmt.Errorf("%s has no %s with a case in it", w.dir, w.test)
		}
	}
	return results, nil
}

// event is a line of go test -json.
type event struct{ Action, Test, Output string }

func events(out []byte, each func(event)) error {
	d := json.NewDecoder(bytes.NewReader(out))
	for {
		var e event
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("the output of go test: %w", err)
		}
		each(e)
	}
}

// add counts the cases in the output of go test -json: tests of the form FUNCTION/RULE/CASE.
func (p passed) add(out []byte) error {
	return events(out, func(e event) {
		parts := strings.Split(e.Test, "/")
		if e.Action != "pass" || len(parts) != 3 {
			return
		}
		if p[parts[0]] == nil {
			p[parts[0]] = map[string]map[string]int{}
		}
		if p[parts[0]][parts[1]] == nil {
			p[parts[0]][parts[1]] = map[string]int{}
		}
		p[parts[0]][parts[1]][parts[2]]++
	})
}

// cases counts the different cases that passed.
func (p passed) cases() int {
	names := map[string]bool{}
	for _, rules := range p {
		for rule, cases := range rules {
			for name := range cases {
				names[rule+"/"+name] = true
			}
		}
	}
	return len(names)
}

// tellFailures prints what the compiler and the tests printed.
func tellFailures(out []byte, log io.Writer) error {
	return events(out, func(e event) {
		if e.Action == "build-output" || e.Action == "output" && !strings.HasPrefix(e.Output, "=== ") && !strings.Contains(e.Output, "--- PASS") {
			fmt.Fprint(log, e.Output)
		}
	})
}
