package inq

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDeadLetterFile_AFullDiskIsAFailure(t *testing.T) {
	f := deadLetterFile(t, "/dev/full")
	require.ErrorIs(t, f.DeadLetter(context.Background(), fullLetter()), syscall.ENOSPC)
}

// fullFile names the file for the process that this test starts for itself: the limit on the size
// of files holds for a whole process.
const fullFile = "INQ_TEST_FULL_FILE"

func TestDeadLetterFile_AWriteThatFailsInTheMiddleLeavesNoHalfLine(t *testing.T) {
	path := os.Getenv(fullFile)
	if path == "" {
		path = filepath.Join(t.TempDir(), "dead.jsonl")
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), fullFile+"="+path)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Equal(t, []DeadLetter{{Body: "first"}, {Body: "last"}}, lettersIn(t, path))
		return
	}
	ctx := context.Background()
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	low := limit
	low.Cur = 4096
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &low))
	t.Cleanup(func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)) }) // a coverage report is larger
	f := deadLetterFile(t, path)
	require.NoError(t, f.DeadLetter(ctx, DeadLetter{Body: "first"}))
	require.ErrorIs(t, f.DeadLetter(ctx, DeadLetter{Body: strings.Repeat("x", 8000)}), syscall.EFBIG)
	require.NoError(t, f.DeadLetter(ctx, DeadLetter{Body: "last"}))
}
