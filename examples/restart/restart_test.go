package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// build makes the program, which starts itself.
func build(t *testing.T) string {
	program := filepath.Join(t.TempDir(), "restart.exe")
	built, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(built))
	return program
}

func TestEveryJobIsDoneAlthoughTheServiceIsKilled(t *testing.T) {
	program, dir := build(t), t.TempDir()
	cmd := exec.Command(program, "-dir", filepath.Join(dir, "journal"))
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	require.Len(t, regexp.MustCompile(`Process \d+ is killed: \d+ of 60 jobs are done\.`).FindAll(output, -1), 3, string(output))
	require.Contains(t, string(output), "finds 0 jobs in the journal, and 60 are sent.")
	require.Regexp(t, `60 jobs, 3 kills: 60 done, \d+ of them once more because a killed process had them in its hands, 0 left\.`, string(output))

	output, err = exec.Command(program, "-dir", filepath.Join(dir, "journal")).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(output), "the journal has no jobs left")
}

func TestARunThatIsStoppedGoesOn(t *testing.T) {
	program, dir := build(t), filepath.Join(t.TempDir(), "journal")
	cmd := exec.Command(program, "-work", "-dir", dir, "-jobs", "100")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	first := make([]byte, len("found 0, sent 100\n"))
	_, err = stdout.Read(first)
	require.NoError(t, err)
	require.Equal(t, "found 0, sent 100\n", string(first))
	require.NoError(t, stdin.Close())
	require.NoError(t, cmd.Wait())

	output, err := exec.Command(program, "-dir", dir).CombinedOutput()
	require.NoError(t, err, string(output))
	require.NotContains(t, string(output), "and 100 are sent")
	require.Contains(t, string(output), ", 0 left.")
}

func TestTheJournalOfARunWithoutADirectoryIsRemoved(t *testing.T) {
	program, dir := build(t), t.TempDir()
	cmd := exec.Command(program, "-jobs", "20")
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "TMP="+dir, "TEMP="+dir)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}
