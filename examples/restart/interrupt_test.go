//go:build unix

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCtrlCLeavesTheRestInTheJournal(t *testing.T) {
	cmd := exec.Command(build(t), "-dir", filepath.Join(t.TempDir(), "journal"), "-jobs", "500")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer cmd.Process.Kill() // only where the test fails; an ended process is left alone
	done, left, stopped := 0, 0, false
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "done: 50 of") {
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
		}
		if n, _ := fmt.Sscanf(lines.Text(), "Stopped: %d jobs are done, and %d are left in the journal.", &done, &left); n == 2 {
			stopped = true
		}
	}
	require.NoError(t, cmd.Wait())
	require.True(t, stopped)
	require.Equal(t, 500, done+left)
}
