package inqtest

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// updateFlag is the name of the flag that has Golden write files. It has the name of the package in it,
// since it exists in every test that imports the package, and one more of the name would be a panic.
const updateFlag = "inqtest.update"

func init() {
	if flag.Lookup(updateFlag) == nil { // a second copy of the package may be in the program
		flag.Bool(updateFlag, false, "write the files that inqtest compares with")
	}
}

// updating reports whether files are to be written: by -inqtest.update, or by -update where the tests
// have such a flag themselves.
func updating() bool {
	for _, name := range []string{updateFlag, "update"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() == "true" {
			return true
		}
	}
	return false
}

// Golden compares the log, as far as all filters pick it, with a file: the timeline of what should
// happen. Times are relative to the making of the server, and ids are #1, #2 in the order they come;
// outside a bubble there are no times. What happens at one instant of a bubble and has no order by any
// promise gets one that is the same in each run, whichever goroutine was first: queues follow each other by
// name, and in them the messages of a Standard queue and the groups of a FIFO queue by number. Where
// producers compete for the numbers, or delays differ from run to run, as a backoff by chance does and the
// deletes that a worker with several slots gathers, have filters pick what is certain.
//
// A file that differs, or is not there, fails the test. Run it with -inqtest.update to write the file;
// where tests have a flag named update of their own, -update does the same. The path is one as for
// [os.ReadFile], and folders are made.
func (s *Server) Golden(path string, filters ...Filter) {
	s.tb.Helper()
	if s.bubble {
		settle()
	}
	got := s.timeline(filters)
	if updating() {
		err := os.MkdirAll(filepath.Dir(path), 0o777)
		if err == nil {
			err = os.WriteFile(path, []byte(got), 0o666)
		}
		if err != nil {
			s.tb.Fatalf("inqtest: Golden: %v", err)
		}
		return
	}
	file, err := os.ReadFile(path)
	switch want := strings.ReplaceAll(string(file), "\r\n", "\n"); {
	case errors.Is(err, fs.ErrNotExist):
		s.tb.Errorf("inqtest: %s is not there; -%s writes it:\n%s", path, updateFlag, strings.TrimSuffix(got, "\n"))
	case err != nil:
		s.tb.Fatalf("inqtest: Golden: %v", err)
	case strings.TrimSuffix(got, "\n") != strings.TrimSuffix(want, "\n"):
		s.tb.Errorf("inqtest: the log differs from %s; -%s writes it anew\n%s", path, updateFlag, difference(want, got))
	}
}

// timeline is the log as a file has it.
func (s *Server) timeline(filters []Filter) string {
	q, v := newQuery(filters), s.log.look()
	var entries []Entry
	for e := range v.all() {
		if q.picks(e) {
			entries = append(entries, *e)
		}
	}
	if s.bubble {
		slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Queue, b.Queue)) })
	}
	numbers := map[string]int{}
	for i := range entries {
		if id := entries[i].ID; id != "" && numbers[id] == 0 {
			numbers[id] = len(numbers) + 1
		}
	}
	if s.bubble {
		byNumber(entries, numbers)
	}
	var b strings.Builder
	if v.dropped != 0 {
		fmt.Fprintf(&b, "(%s before these dropped)\n", countEntries(v.dropped))
	}
	for i := range entries {
		e := &entries[i]
		id := ""
		if e.ID != "" {
			id = fmt.Sprintf("#%d", numbers[e.ID])
		}
		line := e.line(id)
		if s.bubble {
			line = fmt.Sprintf("%-8s %s", since(v.begun, e.Time), line)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// byNumber orders what happened to messages of one queue at one instant: Standard by message, FIFO by group.
// What concerns a whole queue stays where it is.
func byNumber(entries []Entry, numbers map[string]int) {
	firsts := map[[2]string]int{} // the number of the first message of a group, by queue and group
	for i := range entries {
		e := &entries[i]
		if line := [2]string{e.Queue, e.Group}; firsts[line] == 0 {
			firsts[line] = numbers[e.ID]
		}
	}
	number := func(e *Entry) int {
		if isFIFO(e.Queue) {
			return firsts[[2]string{e.Queue, e.Group}]
		}
		return numbers[e.ID]
	}
	for rest := entries; len(rest) != 0; {
		n := 1
		for n < len(rest) && rest[0].ID != "" && rest[n].ID != "" && rest[n].Queue == rest[0].Queue && rest[n].Time.Equal(rest[0].Time) {
			n++
		}
		slices.SortStableFunc(rest[:n], func(a, b Entry) int { return number(&a) - number(&b) })
		rest = rest[n:]
	}
}

// difference shows the first line that differs, with a few before it.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	at := 0
	for at < len(w) && at < len(g) && w[at] == g[at] {
		at++
	}
	line := func(lines []string) string {
		if at >= len(lines) || at == len(lines)-1 && lines[at] == "" {
			return "(nothing more)"
		}
		return lines[at]
	}
	var b strings.Builder
	for i := max(0, at-3); i < at; i++ {
		fmt.Fprintf(&b, "       %s\n", w[i])
	}
	fmt.Fprintf(&b, "  want %s\n  got  %s", line(w), line(g))
	return b.String()
}
