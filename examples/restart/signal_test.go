//go:build unix

package main

import (
	"bufio"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSIGTERMSavesTheQueueAndTheNextStartSendsItAgain(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "restart")
	built, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(built))

	first := runUntilDone(t, dir, program, 2)
	done := doneIn(first)
	left := 20 - len(done)
	require.Contains(t, first, fmt.Sprintf("Stopped. %d jobs are saved in backlog.jsonl", left))
	saved, err := load(filepath.Join(dir, "backlog.jsonl"))
	require.NoError(t, err)
	require.Len(t, saved, left)
	for _, m := range saved {
		for _, job := range done {
			require.NotContains(t, job, m.Message.Body+" (", "done and saved")
		}
	}

	second := runUntilDone(t, dir, program, 1, "-jobs", "0")
	require.Contains(t, second, fmt.Sprintf("Started. %d jobs of the last run are sent again", left))
	for _, job := range doneIn(second) {
		require.False(t, slices.Contains(done, job), "done in both runs: %s", job)
	}
}

// runUntilDone starts the service, sends SIGTERM when it has done this many jobs, and returns all it printed.
func runUntilDone(t *testing.T, dir, program string, jobs int, args ...string) string {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer cmd.Process.Kill() // only where the test fails; an ended process is left alone

	var output strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		fmt.Fprintln(&output, lines.Text())
		if strings.HasPrefix(lines.Text(), "done: ") {
			if jobs--; jobs == 0 {
				require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
				for range 20 {
					// A supervisor may send it more than once. The service may have ended meanwhile.
					_ = cmd.Process.Signal(syscall.SIGTERM)
				}
			}
		}
	}
	require.NoError(t, cmd.Wait(), "a service that is told to stop ends well")
	return output.String()
}
