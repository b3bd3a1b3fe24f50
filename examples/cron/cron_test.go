package main

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqaws"
)

// inMemory starts what a process does in a goroutine, over a client of the SDK without a socket.
func inMemory(b *inq.Broker) func(say func(string)) (*process, error) {
	return func(say func(string)) (*process, error) {
		ctx, cancel := context.WithCancel(context.Background())
		q := inqaws.NewQueue(inqaws.NewClient(b), b.QueueURL(inqaws.DefaultEndpoint, "reports.fifo"))
		out, in := io.Pipe()
		read, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- offer(ctx, q, in)
			in.Close()
		}()
		go func() {
			defer close(read)
			for lines := bufio.NewScanner(out); lines.Scan(); {
				say(lines.Text())
			}
		}()
		stop := func() error {
			cancel()
			<-read
			return <-ended
		}
		return &process{stop: stop, kill: func() { _ = stop() }}, nil
	}
}

func watchInBubble(t *testing.T, ctx context.Context, ticks int) (output string, err error) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	q, err := b.CreateFIFO("reports.fifo")
	require.NoError(t, err)
	var stdout strings.Builder
	err = watch(ctx, q, inMemory(b), ticks, &stdout)
	return stdout.String(), err
}

func TestEachTimeMakesOneJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		output, err := watchInBubble(t, t.Context(), 5)
		require.NoError(t, err, output)
		require.Equal(t, 5500*time.Millisecond, time.Since(began))
		for _, line := range []string{
			"5 times of the schedule\n", ` offers +12 `, ` duplicates +7\n`, ` jobs +5\n`, ` done +5 +0 missing, 0 twice\n`,
			"5 of 5: the report of 00:00:05 is written\n", "process 3 offers 00:00:05\n",
		} {
			require.Regexp(t, line, output)
		}
		require.NotContains(t, output, "process 1 offers 00:00:03")
	})
}

func TestStoppingEndsTheProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		output, err := watchInBubble(t, ctx, 5)
		require.ErrorContains(t, err, "stopped before the end, after 1 of 5 times", output)
	})
}

func TestRealProcesses(t *testing.T) {
	program := filepath.Join(t.TempDir(), "cron")
	built, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(built))
	output, err := exec.Command(program, "-ticks", "3").CombinedOutput()
	require.NoError(t, err, string(output))
	require.Contains(t, string(output), "process 1 is killed")
	require.Regexp(t, `done +[3-9] +0 missing, 0 twice`, string(output))
}

func TestArgumentsThatMakeNoSenseAreRefused(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), []string{"-ticks", "2"}, io.Discard), "must be from 3 to 60")
	require.ErrorContains(t, run(t.Context(), []string{"-join", "reports"}, io.Discard), "reports is not the URL of a queue")
}
